/* propose.c: the primary puts ready batches into slots.
 *
 * A proposal goes round the makers in turn, taking each one's next batch in the order of its seqs,
 * until nothing more fits: no maker can starve another. It goes out at once while fewer than
 * pipeline_slots slots are undecided; then a ready batch waits for a decision or for batch_ns,
 * whichever comes first, so that load makes proposals larger instead of more. */
#include "consensus/pbft/internal.h"

static bool may_propose(const sy_pbft *pbft)
{
    return votes_in_view(pbft) && is_primary(pbft);
}

/* The slots that the NEW_VIEW fixes are proposed again first, whatever became of them here: others
 * may need the votes (OSDI '99, 4.4). */
static bool next_is_fixed(const sy_pbft *pbft)
{
    return pbft->proposed < sy_pbft_fixed_end(pbft);
}

/* Undecided slots among those proposed in this view. */
unsigned sy_pbft_in_flight(const sy_pbft *pbft)
{
    unsigned count = 0;
    uint64_t from = pbft->decided > pbft->fixed_above ? pbft->decided : pbft->fixed_above;
    SY_ASSERT(pbft->proposed <= from + SY_PBFT_WINDOW);
    for (uint64_t h = from + 1; h <= pbft->proposed; h++) {
        const struct slot *slot = sy_pbft_slot_find(pbft, h);
        if (!slot || !sy_pbft_settled(slot)) count++;
    }
    return count;
}

static uint64_t next_slot(const sy_pbft *pbft)
{
    SY_ASSERT(!next_is_fixed(pbft));
    SY_ASSERT(pbft->decided >= pbft->certified);
    return (pbft->proposed > pbft->decided ? pbft->proposed : pbft->decided) + 1;
}

static bool window_has_room(const sy_pbft *pbft)
{
    // Who does not know yet what runs below the new view's slots cannot know which batches are
    // next.
    if (next_is_fixed(pbft) || pbft->decided < pbft->fixed_above) return false;
    uint64_t number = next_slot(pbft);
    SY_ASSERT(number > pbft->certified);
    // A slot that is settled already, by a block that came before the ones below it, is not this
    // primary's to fill.
    const struct slot *slot = sy_pbft_slot_find(pbft, number);
    if (slot && (slot->first.present || sy_pbft_settled(slot))) return false;
    return number <= pbft->last && number - pbft->certified <= SY_PBFT_WINDOW - PROPOSE_MARGIN;
}

bool sy_pbft_window_full(const sy_pbft *pbft)
{
    SY_ASSERT(pbft->decided >= pbft->certified);
    return pbft->decided >= pbft->last ||
           pbft->decided - pbft->certified >= SY_PBFT_WINDOW - PROPOSE_MARGIN;
}

void sy_pbft_find_cursors(sy_pbft *pbft)
{
    memcpy(pbft->cursors, pbft->next_seqs, pbft->config.n * sizeof pbft->cursors[0]);
    for (uint64_t h = pbft->executed + 1; h <= pbft->known; h++) {
        const struct slot *slot = sy_pbft_slot_find(pbft, h);
        const struct candidate *plan = slot ? sy_pbft_plan(slot) : NULL;
        if (slot && !plan && slot->first.present) plan = &slot->first;
        for (uint16_t i = 0; plan && i < plan->pre_prepare.proposal.count; i++) {
            const struct sy_entry *entry = &plan->pre_prepare.proposal.entries[i];
            SY_ASSERT(entry->maker < pbft->config.n);
            if (entry->seq == pbft->cursors[entry->maker]) pbft->cursors[entry->maker]++;
        }
    }
}

static bool anything_ready(sy_pbft *pbft)
{
    if (pbft->ready_count == 0) return false;
    sy_pbft_find_cursors(pbft);
    for (uint16_t maker = 0; maker < pbft->config.n; maker++)
        if (sy_pbft_ready_at(pbft, maker, pbft->cursors[maker])) return true;
    return false;
}

/* Takes one more batch of this maker if it has one and it fits. */
static bool take(sy_pbft *pbft, struct sy_proposal *proposal, uint32_t *txs, uint32_t *bytes,
                 uint16_t maker)
{
    const struct ready_batch *batch = sy_pbft_ready_at(pbft, maker, pbft->cursors[maker]);
    SY_ASSERT(proposal->count <= SY_PROPOSAL_ENTRIES_MAX);
    SY_ASSERT(pbft->cursors[maker] >= pbft->next_seqs[maker]);
    if (!batch || proposal->count == SY_PROPOSAL_ENTRIES_MAX) return false;
    if (*txs + batch->tx_count > SY_PROPOSAL_TXS_MAX) return false;
    if (*bytes + batch->bytes > SY_PROPOSAL_BYTES_MAX) return false;
    proposal->entries[proposal->count++] = (struct sy_entry){maker, batch->seq, batch->digest};
    *txs += batch->tx_count;
    *bytes += batch->bytes;
    pbft->cursors[maker]++;
    return true;
}

static void fill_entries(sy_pbft *pbft, struct sy_proposal *proposal)
{
    uint32_t txs = 0, bytes = 0;
    uint16_t first = pbft->maker_turn;
    bool more = true;
    while (more) {
        more = false;
        for (uint16_t i = 0; i < pbft->config.n; i++) {
            uint16_t maker = (uint16_t)((first + i) % pbft->config.n);
            if (!take(pbft, proposal, &txs, &bytes, maker)) continue;
            more = true;
            pbft->maker_turn = (uint16_t)((maker + 1) % pbft->config.n);
        }
    }
    SY_ASSERT(txs <= SY_PROPOSAL_TXS_MAX);
    SY_ASSERT(bytes <= SY_PROPOSAL_BYTES_MAX);
}

/* Puts the own pre-prepare into its slot; it is sent when its record is durable. */
static void place(sy_pbft *pbft, struct slot *slot, const struct sy_pre_prepare *own,
                  const struct sy_hash *digest)
{
    SY_ASSERT(!slot->first.present);
    SY_ASSERT(slot->prepare == OWN_NONE);
    sy_pbft_candidate_set(pbft, &slot->first, own, digest, pbft->config.self);
    if (slot->run == RUN_NONE) sy_pbft_bodies_look(pbft, &slot->first, false);
    struct sy_pbft_record *record =
        sy_pbft_persist(pbft, &slot->prepare_token, SY_PBFT_RECORD_PREPARE, slot->number);
    record->as.prepare = *own;
    slot->prepare = OWN_STORING;
    pbft->proposed = slot->number;
    pbft->last_proposed_ns = pbft->now_ns;
}

/* Proposes the next slot with what is ready, perhaps nothing. */
static void propose_slot(sy_pbft *pbft)
{
    SY_ASSERT(may_propose(pbft));
    SY_ASSERT(!next_is_fixed(pbft));
    struct slot *slot = sy_pbft_slot_open(pbft, next_slot(pbft));
    struct sy_pre_prepare own;
    memset(&own, 0, sizeof own);
    own.view = pbft->view;
    own.proposal.epoch = pbft->config.epoch;
    own.proposal.slot = slot->number;
    own.proposal.time_ms = pbft->now_ms;
    sy_pbft_find_cursors(pbft);
    fill_entries(pbft, &own.proposal);
    struct sy_hash digest;
    sy_proposal_digest(&digest, &pbft->config.genesis, &own.proposal);
    place(pbft, slot, &own, &digest);
    SY_ASSERT(sy_pbft_bodies_complete(&slot->first));
}

/* Proposes the next fixed slot; those under a certificate need no votes. False: it must wait. */
static bool propose_fixed(sy_pbft *pbft)
{
    SY_ASSERT(may_propose(pbft) && next_is_fixed(pbft));
    uint64_t number = pbft->proposed + 1;
    if (number <= pbft->certified) {
        pbft->proposed =
            pbft->certified < sy_pbft_fixed_end(pbft) ? pbft->certified : sy_pbft_fixed_end(pbft);
        return true;
    }
    if (number > window_end(pbft)) return false;
    const struct fixed *fixed = sy_pbft_fixed(pbft, number);
    struct slot *slot = sy_pbft_slot_open(pbft, number);
    if (sy_pbft_block_holds(slot)) return false; // its certificate is about to become durable
    SY_ASSERT(fixed != NULL);
    struct sy_pre_prepare own;
    memset(&own, 0, sizeof own);
    own.view = pbft->view;
    copy_proposal(&own.proposal, &fixed->proposal);
    place(pbft, slot, &own, &fixed->digest);
    return true;
}

void sy_pbft_propose(sy_pbft *pbft)
{
    if (!may_propose(pbft)) return;
    while (next_is_fixed(pbft))
        if (!propose_fixed(pbft)) return;
    while (window_has_room(pbft)) {
        if (!anything_ready(pbft)) {
            pbft->ready_waits = false;
            unsigned in_flight = sy_pbft_in_flight(pbft);
            if (in_flight == 0 && pbft->now_ns >= sy_pbft_heartbeat_deadline(pbft))
                propose_slot(pbft);
            return;
        }
        if (!pbft->ready_waits) pbft->ready_since_ns = pbft->now_ns;
        pbft->ready_waits = true;
        bool waited = pbft->now_ns - pbft->ready_since_ns >= pbft->config.batch_ns;
        if (sy_pbft_in_flight(pbft) >= pbft->config.pipeline_slots && !waited) return;
        pbft->ready_waits = false;
        propose_slot(pbft);
    }
}

uint64_t sy_pbft_batch_deadline(const sy_pbft *pbft)
{
    if (!may_propose(pbft) || !pbft->ready_waits || !window_has_room(pbft)) return SY_PBFT_NEVER;
    return pbft->ready_since_ns + pbft->config.batch_ns;
}

uint64_t sy_pbft_heartbeat_deadline(const sy_pbft *pbft)
{
    if (!may_propose(pbft) || pbft->ready_waits || !window_has_room(pbft)) return SY_PBFT_NEVER;
    if (sy_pbft_in_flight(pbft) > 0) return SY_PBFT_NEVER;
    // The epoch's end is not waited for (P36).
    uint64_t beat = pbft->last == UINT64_MAX ? pbft->config.heartbeat_ns : 0;
    return pbft->last_proposed_ns + beat;
}
