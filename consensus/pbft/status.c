/* status.c: status messages, and what they make others send again.
 *
 * A link may lose anything. Every validator tells all others, every status_ns while anything is
 * open, how far it is and which votes it lacks (TOCS 2002, 5.2: "status messages"). Whoever hears
 * that sends its OWN messages again that the peer lacks; others' messages and proposals that only
 * another peer can serve are asked for with SLOT_FETCH, from one peer at a time, so that n
 * validators never answer one status with n copies of everything. */
#include "consensus/pbft/internal.h"

/* The highest slot of which a peer's last status shows anything. */
static uint64_t shown_height(const struct peer *peer)
{
    uint64_t claim = sy_pbft_claim(peer), height = peer->certified;
    uint64_t mask = peer->pre_prepared_mask | peer->prepared_mask | peer->committed_mask;
    if (mask != 0 && height <= UINT64_MAX - 64) height += 64u - (unsigned)__builtin_clzll(mask);
    return height > claim ? height : claim;
}

bool sy_pbft_open(const sy_pbft *pbft)
{
    if (pbft->known > pbft->certified || pbft->ready_count > 0) return true;
    if (!pbft->in_view || sy_pbft_overdue(pbft)) return true;
    if (can_vote(pbft) && !pbft->recalled) return true;
    for (uint16_t i = 0; i < pbft->config.n; i++) {
        const struct peer *peer = &pbft->peers[i];
        if (shown_height(peer) > pbft->certified || peer->view > pbft->view) return true;
    }
    return false;
}

/* --- what this validator has of a slot ------------------------------------------------------- */

/* weak(n) commits name a digest whose proposal is not here: it is needed, whatever else is held. */
static bool lacks_committed(const sy_pbft *pbft, const struct slot *slot)
{
    SY_ASSERT(slot->number > pbft->certified);
    for (uint16_t i = 0; i < pbft->config.n; i++) {
        const struct cell *cell = &slot->commits[i];
        if (!cell->present) continue;
        if (slot->first.present && sy_hash_equal(&slot->first.digest, &cell->digest)) continue;
        if (slot->other.present && sy_hash_equal(&slot->other.digest, &cell->digest)) continue;
        if (sy_pbft_provable(pbft, slot, &cell->digest)) return true;
    }
    return false;
}

struct holding {
    bool pre_prepared, prepared, committed;
};

static struct holding holding_of(const sy_pbft *pbft, const struct slot *slot)
{
    if (!slot) return (struct holding){0};
    if (sy_pbft_block_holds(slot) || slot->certify_asked) return (struct holding){true, true, true};
    // A slot that others' commits decided still needs the own COMMIT: only those commits that this
    // validator happened to receive are known to exist, and not every peer need have them.
    bool done = sy_pbft_settled(slot) && !can_vote(pbft);
    struct holding have = {.committed = sy_pbft_settled(slot)};
    // A slot that the NEW_VIEW fixed is to be decided again, whatever became of it before.
    if (sy_pbft_fixed(pbft, slot->number) && !slot->decided_in_view) have.committed = false;
    SY_ASSERT(pbft->live);
    SY_ASSERT(slot->number > pbft->certified);
    have.pre_prepared = done || (slot->first.present && !lacks_committed(pbft, slot));
    have.prepared = done || slot->commit != OWN_NONE;
    if (!have.prepared && slot->first.present)
        have.prepared = sy_pbft_prepared_count(pbft, slot, &slot->first) >= pbft->quorum;
    return have;
}

static void send_status(sy_pbft *pbft)
{
    SY_ASSERT(pbft->boot_durable && pbft->boots > 0);
    SY_ASSERT(pbft->config.self != SY_PBFT_OBSERVER);
    struct sy_status_message *status =
        &sy_pbft_send(pbft, SY_PBFT_ALL, false, SY_MESSAGE_STATUS)->body.status;
    *status = (struct sy_status_message){.epoch = pbft->config.epoch,
                                         .view = pbft->view,
                                         .in_view = pbft->in_view,
                                         .signer = pbft->config.self,
                                         .counter = pbft->boots << 32 | ++pbft->status_seq,
                                         .time_ms = pbft->now_ms,
                                         .certified_height = pbft->certified,
                                         .executed_height = pbft->executed};
    for (uint64_t h = pbft->certified + 1; h <= pbft->known; h++) {
        struct holding have = holding_of(pbft, sy_pbft_slot_find(pbft, h));
        unsigned bit = (unsigned)(h - pbft->certified - 1);
        SY_ASSERT(bit < 64);
        status->pre_prepared_mask |= (uint64_t)have.pre_prepared << bit;
        status->prepared_mask |= (uint64_t)have.prepared << bit;
        status->committed_mask |= (uint64_t)have.committed << bit;
    }
    // The first one of a start asks; after that, to hear the same one twice does.
    if (pbft->recalled || pbft->status_seq == 1) return;
    struct sy_message *again = sy_pbft_send(pbft, SY_PBFT_ALL, true, SY_MESSAGE_STATUS);
    again->body.status = *status;
}

/* --- what a peer lacks ----------------------------------------------------------------------- */

/* What a peer's last status says about a slot above its certified height, in its own view. */
static struct holding holding_of_peer(const struct peer *peer, uint64_t number)
{
    SY_ASSERT(number > peer->certified);
    uint64_t bit = number - peer->certified - 1;
    if (bit >= 64) return (struct holding){0};
    return (struct holding){peer->pre_prepared_mask >> bit & 1, peer->prepared_mask >> bit & 1,
                            peer->committed_mask >> bit & 1};
}

static void push_votes(sy_pbft *pbft, struct slot *slot, uint16_t to)
{
    struct holding have = holding_of_peer(&pbft->peers[to], slot->number);
    SY_ASSERT(pbft->serves_left >= 3);
    SY_ASSERT(pbft->peers[to].view == pbft->view);
    bool wants_prepare = is_primary(pbft) ? !have.pre_prepared : !have.prepared;
    if (slot->prepare == OWN_SENT && wants_prepare && aged(pbft, slot->prepare_ns)) {
        sy_pbft_send_prepare(pbft, slot, to, true);
        pbft->serves_left--;
    }
    if (slot->commit == OWN_SENT && !have.committed && aged(pbft, slot->commit_ns)) {
        sy_pbft_send_commit(pbft, slot, to, true);
        pbft->serves_left--;
    }
}

/* Three messages at most; false when the step's budget would not cover them. Votes of another view
 * are of no use to the peer; seals always are. */
static bool push_slot(sy_pbft *pbft, struct slot *slot, uint16_t to)
{
    if (pbft->serves_left < 3) return false;
    SY_ASSERT(to < pbft->config.n && to != pbft->config.self);
    const struct peer *peer = &pbft->peers[to];
    SY_ASSERT(slot->number > peer->certified && slot->number > pbft->certified);
    if (peer->view == pbft->view) push_votes(pbft, slot, to);
    bool sealed = slot->run == RUN_DONE && slot->seals[pbft->config.self].present;
    if (sealed && peer->executed >= slot->number && aged(pbft, slot->seal_ns)) {
        sy_pbft_send_seal(pbft, slot, to, true);
        pbft->serves_left--;
    }
    return true;
}

static void push(sy_pbft *pbft, uint16_t to)
{
    SY_ASSERT(to < pbft->config.n && to != pbft->config.self);
    struct peer *peer = &pbft->peers[to];
    if (pbft->config.self == SY_PBFT_OBSERVER || !aged(pbft, peer->pushed_ns)) return;
    peer->pushed_ns = pbft->now_ns;
    sy_pbft_push_view(pbft, to);
    uint64_t from = peer->certified > pbft->certified ? peer->certified : pbft->certified;
    if (from >= pbft->known) return;
    for (uint64_t h = from + 1; h <= pbft->known && h - peer->certified <= SY_PBFT_WINDOW; h++) {
        struct slot *slot = sy_pbft_slot_find(pbft, h);
        if (slot && !push_slot(pbft, slot, to)) break;
    }
}

/* A peer is in a later epoch: it has the certificates that this validator needs to get there. Its
 * roster may be unknown here, so the signature is not checked: the link says whose word it is, and
 * all that follows from it is a request for blocks, which prove themselves. */
static void on_later_epoch(sy_pbft *pbft, const struct sy_status_message *status, uint16_t from)
{
    if (from >= pbft->config.n || from == pbft->config.self) {
        sy_pbft_ignore(pbft, SY_PBFT_IGNORED_UNEXPECTED);
        return;
    }
    struct peer *peer = &pbft->peers[from];
    if (peer->status_counter == 0) peer->status_counter = 1;
    peer->status_ns = pbft->now_ns;
    peer->certified = status->certified_height;
    peer->executed = status->executed_height;
    peer->pre_prepared_mask = peer->prepared_mask = peer->committed_mask = 0;
    sy_pbft_ignore(pbft, SY_PBFT_IGNORED_FUTURE);
}

void sy_pbft_on_status(sy_pbft *pbft, const struct sy_status_message *status, uint16_t from)
{
    if (status->epoch > pbft->config.epoch) {
        on_later_epoch(pbft, status, from);
        return;
    }
    uint16_t signer = status->signer;
    if (signer >= pbft->config.n || status->epoch != pbft->config.epoch) {
        sy_pbft_ignore(pbft, SY_PBFT_IGNORED_MALFORMED);
        return;
    }
    if (signer == pbft->config.self) {
        sy_pbft_on_own_status(pbft, status, from);
        return;
    }
    struct peer *peer = &pbft->peers[signer];
    // A replayed status must not undo a newer one.
    if (status->counter <= peer->status_counter) {
        sy_pbft_ignore(pbft, SY_PBFT_IGNORED_STALE);
        // Nothing is known that was signed so: there is nothing to send back.
        if (from == signer && peer->status.counter != 0) sy_pbft_answer_start(pbft, signer);
        return;
    }
    bool starts = status->counter >> 32 > peer->status_counter >> 32;
    peer->status_counter = status->counter;
    peer->status = *status;
    peer->status_ns = pbft->now_ns;
    peer->view = status->view;
    peer->in_view = status->in_view;
    peer->certified = status->certified_height;
    peer->executed = status->executed_height;
    peer->pre_prepared_mask = status->pre_prepared_mask;
    peer->prepared_mask = status->prepared_mask;
    peer->committed_mask = status->committed_mask;
    if (starts && from == signer) sy_pbft_answer_start(pbft, signer);
    push(pbft, signer);
}

/* --- asking for what only others have -------------------------------------------------------- */

static bool lacks(struct holding mine, struct holding theirs)
{
    return (theirs.pre_prepared && !mine.pre_prepared) || (theirs.prepared && !mine.prepared) ||
           (theirs.committed && !mine.committed);
}

/* Asks the next peer whose status shows more of this slot than is here. */
static bool ask_slot(sy_pbft *pbft, uint64_t number, struct holding mine)
{
    SY_ASSERT(number > pbft->certified);
    SY_ASSERT(number - pbft->certified <= SY_PBFT_WINDOW);
    for (uint16_t i = 0; i < pbft->config.n; i++) {
        uint16_t whom = (uint16_t)((pbft->slot_turn + i) % pbft->config.n);
        const struct peer *peer = &pbft->peers[whom];
        if (whom == pbft->config.self || peer->certified >= number) continue;
        if (peer->view != pbft->view) continue;
        if (!lacks(mine, holding_of_peer(peer, number))) continue;
        pbft->slot_turn = (uint16_t)((whom + 1) % pbft->config.n);
        struct sy_message *message = sy_pbft_send(pbft, whom, false, SY_MESSAGE_SLOT_FETCH);
        message->body.range_fetch =
            (struct sy_range_fetch){.view = pbft->view, .first = number, .count = SLOT_FETCH_MAX};
        return true;
    }
    return false;
}

/* Once per status period: the lowest slot that has been incomplete for that long. */
static void ask_slots(sy_pbft *pbft)
{
    static const struct holding all = {true, true, true};
    for (uint64_t h = pbft->certified + 1; h <= pbft->known + 1; h++) {
        if (h > window_end(pbft)) return;
        const struct slot *slot = sy_pbft_slot_find(pbft, h);
        uint64_t since = slot ? slot->opened_ns : pbft->last_decided_ns;
        if (pbft->now_ns - since < pbft->config.status_ns) continue;
        struct holding mine = holding_of(pbft, slot);
        if (lacks(mine, all) && ask_slot(pbft, h, mine)) return;
    }
}

void sy_pbft_pass_on(sy_pbft *pbft, const struct slot *slot, const struct cell *cell,
                     uint16_t signer, enum sy_message_type type, uint16_t to)
{
    SY_ASSERT(cell->present);
    SY_ASSERT(type == SY_MESSAGE_PREPARE || type == SY_MESSAGE_COMMIT);
    sy_pbft_send(pbft, to, true, type)->body.vote =
        (struct sy_vote){.type = (uint8_t)type,
                         .epoch = pbft->config.epoch,
                         .view = pbft->view,
                         .slot = slot->number,
                         .proposal_digest = cell->digest,
                         .signer = signer,
                         .signature = cell->signature};
}

static void serve_cells(sy_pbft *pbft, const struct slot *slot, const struct cell *cells,
                        enum sy_message_type type, const struct sy_hash *digest, uint16_t to)
{
    SY_ASSERT(type == SY_MESSAGE_PREPARE || type == SY_MESSAGE_COMMIT);
    SY_ASSERT(cells == slot->prepares || cells == slot->commits);
    for (uint16_t i = 0; i < pbft->config.n && pbft->serves_left > 0; i++) {
        if (!cells[i].present || !sy_hash_equal(&cells[i].digest, digest)) continue;
        pbft->serves_left--;
        sy_pbft_pass_on(pbft, slot, &cells[i], i, type, to);
    }
}

/* The proposal of this view that others need most: what was decided, else committed, else
 * received. */
static const struct candidate *serving(const sy_pbft *pbft, const struct slot *slot)
{
    SY_ASSERT(slot->number > pbft->certified);
    SY_ASSERT(!slot->chosen || slot->chosen->present);
    if (slot->chosen && slot->chosen != &slot->final) return slot->chosen;
    if (slot->commit == OWN_SENT && slot->other.present &&
        sy_hash_equal(&slot->other.digest, &slot->commit_digest))
        return &slot->other;
    if (is_primary(pbft) && slot->prepare != OWN_SENT) return NULL;
    return slot->first.present ? &slot->first : NULL;
}

void sy_pbft_on_slot_fetch(sy_pbft *pbft, const struct sy_range_fetch *fetch, uint16_t from)
{
    bool good = from < pbft->config.n && from != pbft->config.self && fetch->view == pbft->view &&
                fetch->first > pbft->certified && fetch->first <= pbft->known;
    struct peer *peer = good ? &pbft->peers[from] : NULL;
    if (!peer || !aged(pbft, peer->served_ns)) {
        sy_pbft_ignore(pbft, SY_PBFT_IGNORED_UNEXPECTED);
        return;
    }
    peer->served_ns = pbft->now_ns;
    unsigned count = fetch->count < SLOT_FETCH_MAX ? fetch->count : SLOT_FETCH_MAX;
    for (uint64_t h = fetch->first; count > 0 && h <= pbft->known; h++, count--) {
        const struct slot *slot = sy_pbft_slot_find(pbft, h);
        const struct candidate *candidate = slot ? serving(pbft, slot) : NULL;
        if (!candidate) continue;
        if (pbft->serves_left == 0) return;
        pbft->serves_left--;
        sy_pbft_send(pbft, from, true, SY_MESSAGE_PRE_PREPARE)->body.pre_prepare =
            candidate->pre_prepare;
        serve_cells(pbft, slot, slot->prepares, SY_MESSAGE_PREPARE, &candidate->digest, from);
        serve_cells(pbft, slot, slot->commits, SY_MESSAGE_COMMIT, &candidate->digest, from);
    }
}

void sy_pbft_status_tick(sy_pbft *pbft)
{
    const struct sy_pbft_config *config = &pbft->config;
    bool observer = config->self == SY_PBFT_OBSERVER;
    // Counters of statuses rise across restarts by the number of starts, once that is durable.
    if (!observer && !pbft->boot_durable) return;
    bool open = sy_pbft_open(pbft);
    if (open && pbft->status_due_ns > pbft->now_ns + config->status_ns)
        pbft->status_due_ns = pbft->now_ns + config->status_ns;
    if (pbft->now_ns < pbft->status_due_ns) return;
    pbft->status_due_ns = pbft->now_ns + (open ? config->status_ns : config->status_idle_ns);
    if (!observer) send_status(pbft);
    if (pbft->in_view) ask_slots(pbft);
    sy_pbft_ask_view(pbft, SY_PBFT_ALL);
}
