/* order.c: from a proposal to a decision (OSDI '99, 4.2: pre-prepare, prepare, commit).
 *
 * Two rules differ from the paper, for the better of durability: a vote is sent only after its
 * record came back durable, and a commit promises that the whole prepared certificate is durable
 * (PROTOCOL.md, P4 and P5). */
#include "consensus/pbft/internal.h"

/* A proposal from the future is judged again after this long at most: a clock may be set. */
#define CLOCK_RECHECK_MS 1000

/* --- sending what is durable ----------------------------------------------------------------- */

static struct sy_vote own_vote(const sy_pbft *pbft, const struct slot *slot, uint8_t type,
                               const struct sy_hash *digest)
{
    SY_ASSERT(pbft->config.self != SY_PBFT_OBSERVER);
    SY_ASSERT(type == SY_MESSAGE_PREPARE || type == SY_MESSAGE_COMMIT);
    return (struct sy_vote){.type = type,
                            .epoch = pbft->config.epoch,
                            .view = pbft->view,
                            .slot = slot->number,
                            .proposal_digest = *digest,
                            .signer = pbft->config.self};
}

void sy_pbft_send_prepare(sy_pbft *pbft, struct slot *slot, uint16_t to, bool again)
{
    SY_ASSERT(slot->prepare == OWN_SENT);
    SY_ASSERT(slot->prepare_token <= pbft->durable_token);
    if (!again) slot->prepare_ns = pbft->now_ns;
    SY_ASSERT(slot->first.present);
    if (is_primary(pbft)) {
        struct sy_message *message = sy_pbft_send(pbft, to, again, SY_MESSAGE_PRE_PREPARE);
        message->body.pre_prepare = slot->first.pre_prepare;
    } else {
        struct sy_message *message = sy_pbft_send(pbft, to, again, SY_MESSAGE_PREPARE);
        message->body.vote = own_vote(pbft, slot, SY_MESSAGE_PREPARE, &slot->first.digest);
    }
}

void sy_pbft_send_commit(sy_pbft *pbft, struct slot *slot, uint16_t to, bool again)
{
    SY_ASSERT(slot->commit == OWN_SENT);
    SY_ASSERT(slot->commit_token <= pbft->durable_token);
    if (!again) slot->commit_ns = pbft->now_ns;
    struct sy_message *message = sy_pbft_send(pbft, to, again, SY_MESSAGE_COMMIT);
    message->body.vote = own_vote(pbft, slot, SY_MESSAGE_COMMIT, &slot->commit_digest);
}

void sy_pbft_send_seal(sy_pbft *pbft, struct slot *slot, uint16_t to, bool again)
{
    SY_ASSERT(slot->run == RUN_DONE);
    SY_ASSERT(slot->seals[pbft->config.self].present);
    SY_ASSERT(slot->number <= pbft->executed);
    if (!again) slot->seal_ns = pbft->now_ns;
    struct sy_message *message = sy_pbft_send(pbft, to, again, SY_MESSAGE_SEAL);
    message->body.seal = (struct sy_seal_message){.epoch = pbft->config.epoch,
                                                  .height = slot->number,
                                                  .header_hash = slot->header_hash,
                                                  .seal = {.signer = pbft->config.self}};
}

/* --- may this proposal be prepared? ---------------------------------------------------------- */

static bool weakly_prepared(const sy_pbft *pbft, const struct slot *slot)
{
    SY_ASSERT(slot->first.present);
    SY_ASSERT(pbft->weak > sy_faulty_max(pbft->config.n));
    // weak(n) backups hold one correct one, whose clock found the time in order; and what weak(n)
    // validators committed, correct ones prepared.
    if (sy_pbft_provable(pbft, slot, &slot->first.digest)) return true;
    return sy_pbft_count_cells(pbft, slot->prepares, &slot->first.digest,
                               primary_of(pbft, pbft->view)) >= pbft->weak;
}

static uint8_t judge_clock(const sy_pbft *pbft, int64_t time_ms)
{
    SY_ASSERT(pbft->now_ms >= 0); // sums with the skew cannot wrap
    SY_ASSERT(pbft->config.skew_ms > 0);
    if (time_ms > pbft->now_ms + pbft->config.skew_ms) return CLOCK_EARLY;
    if (time_ms < pbft->now_ms - pbft->config.skew_ms) return CLOCK_LATE;
    return CLOCK_FINE;
}

static bool clock_allows(const sy_pbft *pbft, struct slot *slot)
{
    SY_ASSERT(slot->first.present);
    SY_ASSERT(slot->prepare == OWN_NONE);
    if (slot->first.clock != CLOCK_FINE && weakly_prepared(pbft, slot))
        slot->first.clock = CLOCK_FINE;
    return slot->first.clock == CLOCK_FINE;
}

static void set_clock(sy_pbft *pbft, struct candidate *first)
{
    SY_ASSERT(first->present);
    int64_t time_ms = first->pre_prepare.proposal.time_ms;
    first->clock = judge_clock(pbft, time_ms);
    if (first->clock != CLOCK_EARLY) return;
    pbft->clocks_waiting = true;
    int64_t limit_ms = pbft->now_ms + pbft->config.skew_ms;
    int64_t wait_ms = time_ms - CLOCK_RECHECK_MS < limit_ms ? time_ms - limit_ms : CLOCK_RECHECK_MS;
    SY_ASSERT(wait_ms > 0 && wait_ms <= CLOCK_RECHECK_MS);
    first->clock_ns = pbft->now_ns + (uint64_t)wait_ms * 1000000;
}

/* The slots whose proposal still waits for its time. */
static bool waits_for_clock(const struct slot *slot)
{
    return slot && slot->first.present && slot->first.clock == CLOCK_EARLY &&
           slot->prepare == OWN_NONE && !sy_pbft_settled(slot);
}

void sy_pbft_clock_recheck(sy_pbft *pbft)
{
    if (!pbft->clocks_waiting || !can_vote(pbft)) return;
    for (uint64_t h = pbft->decided + 1; h <= pbft->known; h++) {
        struct slot *slot = sy_pbft_slot_find(pbft, h);
        if (!waits_for_clock(slot)) continue;
        if (pbft->now_ns >= slot->first.clock_ns) set_clock(pbft, &slot->first);
        if (slot->first.clock == CLOCK_FINE) sy_pbft_advance(pbft, slot);
    }
}

uint64_t sy_pbft_clock_deadline(sy_pbft *pbft)
{
    uint64_t at = SY_PBFT_NEVER;
    if (!pbft->clocks_waiting || !can_vote(pbft)) return at;
    bool waiting = false;
    for (uint64_t h = pbft->decided + 1; h <= pbft->known; h++) {
        const struct slot *slot = sy_pbft_slot_find(pbft, h);
        if (!waits_for_clock(slot)) continue;
        waiting = true;
        if (slot->first.clock_ns < at) at = slot->first.clock_ns;
    }
    pbft->clocks_waiting = waiting;
    return at;
}

static bool names(const struct sy_proposal *proposal, const struct sy_entry *entry)
{
    for (uint16_t i = 0; i < proposal->count; i++)
        if (proposal->entries[i].maker == entry->maker && proposal->entries[i].seq == entry->seq)
            return true;
    return false;
}

/* A batch that already ran, or stands in another open slot that this validator prepared or that is
 * settled, would be skipped at execution: a correct primary proposes no such thing. */
static bool entries_conflict(const sy_pbft *pbft, const struct slot *slot)
{
    const struct sy_proposal *mine = &slot->first.pre_prepare.proposal;
    SY_ASSERT(slot->number > pbft->executed);
    SY_ASSERT(mine->slot == slot->number);
    for (uint16_t i = 0; i < mine->count; i++)
        if (mine->entries[i].seq < pbft->next_seqs[mine->entries[i].maker]) return true;
    for (uint64_t h = pbft->executed + 1; h <= pbft->known; h++) {
        const struct slot *open = sy_pbft_slot_find(pbft, h);
        const struct candidate *plan = open && open != slot ? sy_pbft_plan(open) : NULL;
        for (uint16_t i = 0; plan && i < mine->count; i++)
            if (names(&plan->pre_prepare.proposal, &mine->entries[i])) return true;
    }
    return false;
}

/* What a NEW_VIEW says of a slot binds: its certificates show what may have been decided before,
 * and prove that it was in order then (OSDI '99, 4.4) and that weak(n) correct validators hold its
 * bodies. Slots at or below its stable height are not voted on at all. True: the proposal is fixed,
 * and nothing else about it is judged again. */
static bool judge_fixed(sy_pbft *pbft, struct slot *slot)
{
    const struct fixed *fixed = sy_pbft_fixed(pbft, slot->number);
    SY_ASSERT(slot->first.present);
    if (fixed && sy_hash_equal(&fixed->digest, &slot->first.digest)) return true;
    if (fixed || slot->number <= pbft->fixed_above) slot->first.refused = true;
    return false;
}

/* Whether this validator stands by a fresh proposal (PROTOCOL.md, P6). */
static bool in_order(sy_pbft *pbft, struct slot *slot)
{
    if (slot->first.refused || slot->conflicted || slot->run != RUN_NONE) return false;
    if (!sy_pbft_bodies_complete(&slot->first)) return false;
    if (!clock_allows(pbft, slot)) return false;
    slot->conflicted = entries_conflict(pbft, slot);
    return !slot->conflicted;
}

static void try_prepare(sy_pbft *pbft, struct slot *slot)
{
    if (!votes_in_view(pbft) || is_primary(pbft)) return;
    if (slot->prepare != OWN_NONE || !slot->first.present) return;
    if (sy_pbft_block_holds(slot)) return;
    if (!judge_fixed(pbft, slot) && !in_order(pbft, slot)) return;

    SY_ASSERT(slot->first.pre_prepare.view == pbft->view);
    SY_ASSERT(slot->number > pbft->certified);
    struct sy_pbft_record *record =
        sy_pbft_persist(pbft, &slot->prepare_token, SY_PBFT_RECORD_PREPARE, slot->number);
    record->as.prepare = slot->first.pre_prepare;
    slot->prepare = OWN_STORING;
}

/* --- prepared, committed --------------------------------------------------------------------- */

/* Whether this validator itself stands by the candidate, durably. */
static bool prepared_here(const struct slot *slot, const struct candidate *candidate)
{
    SY_ASSERT(candidate->present);
    return candidate == &slot->first && slot->prepare == OWN_SENT;
}

/* Of others; the primary's statement is its pre-prepare. */
static void fill_statements(const sy_pbft *pbft, struct sy_prepared *prepared,
                            const struct slot *slot, const struct candidate *candidate,
                            unsigned count)
{
    uint16_t primary = primary_of(pbft, pbft->view), self = pbft->config.self;
    unsigned reserved = primary != self;
    SY_ASSERT(count <= pbft->config.n && count >= reserved);
    prepared->count = 0;
    for (uint16_t i = 0; i < pbft->config.n; i++) {
        const struct cell *cell = &slot->prepares[i];
        const struct sy_signature *signature = &cell->signature;
        if (i == self) continue;
        if (i == primary) {
            signature = &candidate->pre_prepare.signature;
            reserved = 0;
        } else if (!cell->present || !sy_hash_equal(&cell->digest, &candidate->digest) ||
                   prepared->count + reserved >= count) {
            continue;
        }
        prepared->statements[prepared->count++] = (struct sy_seal){i, *signature};
    }
    SY_ASSERT(prepared->count == count);
}

/* How many statements of others the certificate needs, or 0 if they are not here yet: one less if
 * this validator prepared it too. */
static unsigned statements_needed(const sy_pbft *pbft, const struct slot *slot,
                                  const struct candidate *candidate)
{
    bool here = prepared_here(slot, candidate);
    if (is_primary(pbft) && !here) return 0;
    unsigned total = sy_pbft_prepared_count(pbft, slot, candidate);
    return total >= pbft->quorum ? pbft->quorum - here : 0;
}

static void try_commit(sy_pbft *pbft, struct slot *slot, const struct candidate *candidate)
{
    if (!votes_in_view(pbft) || slot->commit != OWN_NONE || !candidate->present) return;
    if (sy_pbft_block_holds(slot)) return; // certified already: nobody needs it
    unsigned needed = statements_needed(pbft, slot, candidate);
    if (needed == 0) return;

    // A certificate for `other` may be committed although `first` was prepared: only one digest of
    // a view can have a quorum of prepares, and a commit promises to remember that certificate.
    SY_ASSERT(candidate == &slot->first || candidate == &slot->other);
    SY_ASSERT(slot->number > pbft->certified);
    slot->certificate_present = true;
    slot->certificate.view = pbft->view;
    copy_proposal(&slot->certificate.proposal, &candidate->pre_prepare.proposal);
    fill_statements(pbft, &slot->certificate, slot, candidate, needed);
    struct sy_pbft_record *record =
        sy_pbft_persist(pbft, &slot->commit_token, SY_PBFT_RECORD_PREPARED, slot->number);
    copy_prepared(&record->as.prepared, &slot->certificate);
    slot->commit_digest = candidate->digest;
    slot->commit = OWN_STORING;
}

static void try_decide(sy_pbft *pbft, struct slot *slot, const struct candidate *candidate)
{
    if (slot->decided_in_view || !candidate->present) return;
    unsigned commits =
        sy_pbft_count_cells(pbft, slot->commits, &candidate->digest, SY_PBFT_OBSERVER);
    if (commits < pbft->quorum) return;
    slot->decided_in_view = true;
    pbft->last_decided_ns = pbft->now_ns;
    if (slot->decided) return; // in an earlier view, for the same proposal (PROTOCOL.md, 5)
    SY_ASSERT(slot->chosen == NULL);
    SY_ASSERT(slot->run == RUN_NONE || slot->block_present);
    slot->decided = true;
    slot->chosen = candidate;
    pbft->backoff = 0;
}

void sy_pbft_advance(sy_pbft *pbft, struct slot *slot)
{
    SY_ASSERT(slot->number > pbft->certified);
    SY_ASSERT(!slot->other.present || slot->first.present);
    if (!pbft->live) return;
    try_prepare(pbft, slot);
    try_commit(pbft, slot, &slot->first);
    try_commit(pbft, slot, &slot->other);
    try_decide(pbft, slot, &slot->first);
    try_decide(pbft, slot, &slot->other);
}

void sy_pbft_advance_all(sy_pbft *pbft)
{
    for (uint64_t h = pbft->certified + 1; h <= pbft->known; h++) {
        struct slot *slot = sy_pbft_slot_find(pbft, h);
        if (slot) sy_pbft_advance(pbft, slot);
    }
}

static void on_slot_persisted(sy_pbft *pbft, struct slot *slot)
{
    uint16_t self = pbft->config.self;
    SY_ASSERT(can_vote(pbft));
    SY_ASSERT(slot->prepare == OWN_STORING || slot->commit == OWN_STORING);
    if (slot->prepare == OWN_STORING && slot->prepare_token <= pbft->durable_token) {
        slot->prepare = OWN_SENT;
        if (!is_primary(pbft))
            slot->prepares[self] = (struct cell){.present = true, .digest = slot->first.digest};
        sy_pbft_send_prepare(pbft, slot, SY_PBFT_ALL, false);
    }
    if (slot->commit == OWN_STORING && slot->commit_token <= pbft->durable_token) {
        slot->commit = OWN_SENT;
        slot->commits[self] = (struct cell){.present = true, .digest = slot->commit_digest};
        sy_pbft_send_commit(pbft, slot, SY_PBFT_ALL, false);
    }
}

void sy_pbft_on_persisted(sy_pbft *pbft, uint64_t token)
{
    SY_ASSERT(pbft->started);
    SY_ASSERT(token <= pbft->next_token);
    if (token <= pbft->durable_token) return;
    pbft->durable_token = token;
    if (!pbft->boot_durable && pbft->boot_token > 0 && pbft->boot_token <= token) {
        pbft->boot_durable = true;
        pbft->status_due_ns = pbft->now_ns;
    }
    pbft->behind_disk_ns = token < pbft->next_token ? pbft->now_ns : 0;
    if (!can_vote(pbft)) return; // halted meanwhile: what was withheld stays withheld
    sy_pbft_view_persisted(pbft);
    for (uint64_t h = pbft->certified + 1; h <= pbft->known; h++) {
        struct slot *slot = sy_pbft_slot_find(pbft, h);
        if (!slot || (slot->prepare != OWN_STORING && slot->commit != OWN_STORING)) continue;
        on_slot_persisted(pbft, slot);
        sy_pbft_advance(pbft, slot);
    }
}

/* --- what the others say --------------------------------------------------------------------- */

/* Messages for heights under a certificate say nothing any more: their votes were dropped. */
static bool ignore_stale(sy_pbft *pbft, uint64_t number)
{
    if (number > pbft->certified) return false;
    sy_pbft_ignore(pbft, SY_PBFT_IGNORED_STALE);
    return true;
}

/* Whoever votes in a view has entered it, so an own statement in a later one was forgotten. */
static bool ignore_view(sy_pbft *pbft, uint32_t epoch, uint64_t view, uint64_t number,
                        uint16_t signer, const struct sy_hash *digest)
{
    if (epoch == pbft->config.epoch && view == pbft->view) return false;
    bool old = epoch < pbft->config.epoch || (epoch == pbft->config.epoch && view < pbft->view);
    if (!old && epoch == pbft->config.epoch && signer == pbft->config.self)
        sy_pbft_check_own(pbft, number, NULL, digest);
    else
        sy_pbft_ignore(pbft, old ? SY_PBFT_IGNORED_STALE : SY_PBFT_IGNORED_FUTURE);
    return true;
}

static bool ignore_pre_prepare(sy_pbft *pbft, const struct sy_pre_prepare *message)
{
    const struct sy_proposal *proposal = &message->proposal;
    if (!sy_pbft_in_window(pbft, proposal->slot)) return true;
    bool good = proposal->count <= SY_PROPOSAL_ENTRIES_MAX;
    for (uint16_t i = 0; good && i < proposal->count; i++)
        good = proposal->entries[i].maker < pbft->config.n && proposal->entries[i].seq > 0;
    if (!good) sy_pbft_ignore(pbft, SY_PBFT_IGNORED_MALFORMED);
    return !good;
}

/* The primary proposed twice for one slot (OSDI '99, 4.2: a backup accepts one only). */
static void on_second(sy_pbft *pbft, struct slot *slot, const struct sy_pre_prepare *message,
                      const struct sy_hash *digest, uint16_t from)
{
    SY_ASSERT(slot->first.present && !is_primary(pbft));
    SY_ASSERT(!sy_hash_equal(&slot->first.digest, digest));
    if (!slot->blamed) {
        slot->blamed = true;
        struct sy_pbft_evidence *evidence =
            sy_pbft_blame(pbft, SY_MESSAGE_PRE_PREPARE, primary_of(pbft, message->view));
        evidence->pair.pre_prepares[0] = slot->first.pre_prepare;
        evidence->pair.pre_prepares[1] = *message;
    }
    // weak(n) commits name it, so a correct validator holds its prepared certificate: it is the
    // only digest that can be decided in this view, and everybody needs to have it.
    bool wanted = !slot->other.present && sy_pbft_provable(pbft, slot, digest);
    if (!wanted) {
        sy_pbft_ignore(pbft, slot->other.present && sy_hash_equal(&slot->other.digest, digest)
                                 ? SY_PBFT_IGNORED_DUPLICATE
                                 : SY_PBFT_IGNORED_CONFLICT);
        return;
    }
    sy_pbft_candidate_set(pbft, &slot->other, message, digest, from);
    sy_pbft_bodies_look(pbft, &slot->other, false);
}

void sy_pbft_on_pre_prepare(sy_pbft *pbft, const struct sy_pre_prepare *message, uint16_t from)
{
    uint64_t number = message->proposal.slot;
    if (ignore_stale(pbft, number)) return;
    struct sy_hash digest;
    sy_proposal_digest(&digest, &pbft->config.genesis, &message->proposal);
    if (ignore_view(pbft, message->proposal.epoch, message->view, number,
                    primary_of(pbft, message->view), &digest))
        return;
    if (is_primary(pbft)) {
        const struct slot *own = sy_pbft_slot_find(pbft, number);
        bool known = own && own->prepare == OWN_SENT;
        sy_pbft_check_own(pbft, number, known ? &own->first.digest : NULL, &digest);
        return;
    }
    if (ignore_pre_prepare(pbft, message)) return;
    struct slot *slot = sy_pbft_slot_open(pbft, number);
    if (!slot->first.present) {
        sy_pbft_candidate_set(pbft, &slot->first, message, &digest, from);
        set_clock(pbft, &slot->first);
        if (slot->run == RUN_NONE) sy_pbft_bodies_look(pbft, &slot->first, false);
    } else if (sy_hash_equal(&slot->first.digest, &digest)) {
        sy_pbft_ignore(pbft, SY_PBFT_IGNORED_DUPLICATE);
        return;
    } else {
        on_second(pbft, slot, message, &digest, from);
    }
    sy_pbft_advance(pbft, slot);
}

static bool ignore_vote(sy_pbft *pbft, const struct sy_vote *vote)
{
    if (!sy_pbft_in_window(pbft, vote->slot)) return true;
    // The pre-prepare is the primary's prepare; it sends no other.
    bool good = vote->signer < pbft->config.n &&
                (vote->type == SY_MESSAGE_COMMIT || vote->signer != primary_of(pbft, vote->view));
    if (!good) sy_pbft_ignore(pbft, SY_PBFT_IGNORED_MALFORMED);
    return !good;
}

/* The first of two statements counts, unless it is the second that names the one digest that can be
 * decided: a faulty validator may have told this to others, who hold its signature in their
 * certificates, and something else here. Counting it for both breaks nothing: any two quorums share
 * a correct validator, which makes one statement only. */
static void on_contradiction(sy_pbft *pbft, struct slot *slot, struct cell *cell,
                             const struct sy_vote *vote)
{
    SY_ASSERT(cell->present && vote->signer != pbft->config.self);
    SY_ASSERT(!sy_hash_equal(&cell->digest, &vote->proposal_digest));
    if (!cell->blamed) {
        cell->blamed = true;
        struct sy_pbft_evidence *evidence = sy_pbft_blame(pbft, vote->type, vote->signer);
        evidence->pair.votes[0] = evidence->pair.votes[1] = *vote;
        evidence->pair.votes[0].proposal_digest = cell->digest;
        evidence->pair.votes[0].signature = cell->signature;
    }
    if (!sy_pbft_provable(pbft, slot, &vote->proposal_digest) ||
        sy_pbft_provable(pbft, slot, &cell->digest)) {
        sy_pbft_ignore(pbft, SY_PBFT_IGNORED_CONFLICT);
        return;
    }
    cell->digest = vote->proposal_digest;
    cell->signature = vote->signature;
    sy_pbft_advance(pbft, slot);
}

static void on_own_vote(sy_pbft *pbft, const struct sy_vote *vote)
{
    const struct slot *slot = sy_pbft_slot_find(pbft, vote->slot);
    const struct cell *cell = NULL;
    if (slot) cell = vote->type == SY_MESSAGE_COMMIT ? slot->commits : slot->prepares;
    if (cell) cell += pbft->config.self;
    SY_ASSERT(vote->signer == pbft->config.self);
    bool known = cell && cell->present;
    sy_pbft_check_own(pbft, vote->slot, known ? &cell->digest : NULL, &vote->proposal_digest);
}

void sy_pbft_on_vote(sy_pbft *pbft, const struct sy_vote *vote)
{
    if (ignore_stale(pbft, vote->slot)) return;
    if (ignore_view(pbft, vote->epoch, vote->view, vote->slot, vote->signer,
                    &vote->proposal_digest))
        return;
    if (vote->signer == pbft->config.self) {
        on_own_vote(pbft, vote);
        return;
    }
    if (ignore_vote(pbft, vote)) return;
    struct slot *slot = sy_pbft_slot_open(pbft, vote->slot);
    bool commit = vote->type == SY_MESSAGE_COMMIT;
    struct cell *cell = commit ? &slot->commits[vote->signer] : &slot->prepares[vote->signer];
    if (!cell->present) {
        *cell = (struct cell){
            .present = true, .digest = vote->proposal_digest, .signature = vote->signature};
        sy_pbft_advance(pbft, slot);
    } else if (sy_hash_equal(&cell->digest, &vote->proposal_digest)) {
        sy_pbft_ignore(pbft, SY_PBFT_IGNORED_DUPLICATE);
    } else {
        on_contradiction(pbft, slot, cell, vote);
    }
}
