/* body.c: which bodies are held, which are missing, and whom to ask.
 *
 * A batch that BATCH_READY announced stands in the table under (maker, seq) until its maker's next
 * seq has passed it; a second digest under the same number is not kept there, but counts for the
 * slots that name it. */
#include "consensus/pbft/internal.h"

static struct ready_batch *ready_cell(const sy_pbft *pbft, uint16_t maker, uint64_t seq)
{
    SY_ASSERT(maker < pbft->config.n);
    SY_ASSERT(pbft->ready_count <= SY_BATCH_WINDOW * pbft->config.n);
    return &pbft->ready[(size_t)maker * SY_BATCH_WINDOW + seq % SY_BATCH_WINDOW];
}

const struct ready_batch *sy_pbft_ready_at(const sy_pbft *pbft, uint16_t maker, uint64_t seq)
{
    const struct ready_batch *batch = ready_cell(pbft, maker, seq);
    return batch->present && batch->seq == seq ? batch : NULL;
}

uint32_t sy_pbft_ready_count(const sy_pbft *pbft)
{
    return pbft->ready_count;
}

bool sy_pbft_bodies_complete(const struct candidate *candidate)
{
    unsigned count = candidate->pre_prepare.proposal.count;
    SY_ASSERT(count <= 64);
    uint64_t all = count == 64 ? UINT64_MAX : ((uint64_t)1 << count) - 1;
    return candidate->present && (candidate->have & all) == all;
}

/* --- asking ---------------------------------------------------------------------------------- */

/* Whom to ask next: the maker first, who has it for certain if it is honest; then whoever sent the
 * proposal, then everybody in turn. A certified block's bodies are asked of its sender first. */
static uint16_t choose_source(const sy_pbft *pbft, const struct candidate *candidate,
                              uint16_t maker, bool block)
{
    uint16_t order[2] = {maker, candidate->from};
    if (block) {
        order[0] = candidate->from;
        order[1] = maker;
    }
    unsigned asked = candidate->asked;
    unsigned turn = (maker + asked) % pbft->config.n;
    uint16_t whom = (uint16_t)(asked < 2 ? order[asked] : turn);
    for (unsigned i = 0; whom >= pbft->config.n || whom == pbft->config.self; i++) {
        SY_ASSERT(i < 3);
        whom = (uint16_t)((maker + asked + i) % pbft->config.n);
    }
    return whom;
}

/* Emits FETCH_BODY for what is missing; false when this step's budget is spent. */
static bool fetch_missing(sy_pbft *pbft, struct candidate *candidate, bool expect_only, bool block)
{
    const struct sy_proposal *proposal = &candidate->pre_prepare.proposal;
    SY_ASSERT(candidate->present);
    SY_ASSERT(pbft->fetches_left <= SY_PBFT_FETCH_MAX);
    for (uint16_t i = 0; i < proposal->count; i++) {
        if (candidate->have >> i & 1) continue;
        if (pbft->fetches_left == 0) return false;
        pbft->fetches_left--;
        const struct sy_entry *entry = &proposal->entries[i];
        struct sy_pbft_effect *effect = sy_pbft_emit(pbft, SY_PBFT_FETCH_BODY);
        effect->as.fetch_body.digest = entry->digest;
        effect->as.fetch_body.maker = entry->maker;
        effect->as.fetch_body.seq = entry->seq;
        effect->as.fetch_body.whom =
            expect_only ? SY_PBFT_ALL : choose_source(pbft, candidate, entry->maker, block);
    }
    return true;
}

void sy_pbft_bodies_look(sy_pbft *pbft, struct candidate *candidate, bool ask_now)
{
    SY_ASSERT(candidate->present);
    const struct sy_proposal *proposal = &candidate->pre_prepare.proposal;
    for (uint16_t i = 0; i < proposal->count; i++) {
        const struct sy_entry *entry = &proposal->entries[i];
        const struct ready_batch *batch = sy_pbft_ready_at(pbft, entry->maker, entry->seq);
        if (batch && sy_hash_equal(&batch->digest, &entry->digest))
            candidate->have |= (uint64_t)1 << i;
    }
    if (sy_pbft_bodies_complete(candidate)) return;
    pbft->bodies_missing = true;
    candidate->ask_ns = pbft->now_ns + (ask_now ? 0 : pbft->config.body_wait_ns);
    // The pool learns what is named even before anybody is asked: it may hold the body already, or
    // have declined it as a second one under its number.
    if (pbft->live && !ask_now) (void)fetch_missing(pbft, candidate, true, false);
}

/* A slot's candidates, one after the other. */
#define CANDIDATES 4u
static struct candidate *candidate_of(struct slot *slot, unsigned which)
{
    struct candidate *candidates[CANDIDATES] = {&slot->first, &slot->other, &slot->final,
                                                &slot->block};
    SY_ASSERT(which < CANDIDATES);
    return candidates[which];
}

/* The candidate, if it still waits for bodies. */
static struct candidate *waiting_candidate(struct slot *slot, unsigned which)
{
    struct candidate *candidate = candidate_of(slot, which);
    if (!candidate->present || candidate->refused || slot->run != RUN_NONE) return NULL;
    if (slot->chosen && candidate != slot->chosen && candidate != &slot->block) return NULL;
    return sy_pbft_bodies_complete(candidate) ? NULL : candidate;
}

void sy_pbft_bodies_retry(sy_pbft *pbft)
{
    if (!pbft->bodies_missing) return;
    for (uint64_t h = pbft->executed + 1; h <= pbft->known; h++) {
        struct slot *slot = sy_pbft_slot_find(pbft, h);
        for (unsigned which = 0; slot && which < CANDIDATES; which++) {
            struct candidate *candidate = waiting_candidate(slot, which);
            if (!candidate || candidate->ask_ns > pbft->now_ns) continue;
            if (!fetch_missing(pbft, candidate, false, candidate == &slot->block)) return;
            candidate->ask_ns = pbft->now_ns + pbft->config.body_retry_ns;
            if (candidate->asked < UINT8_MAX)
                candidate->asked++;
            else
                candidate->asked = 2;
        }
    }
}

uint64_t sy_pbft_bodies_deadline(sy_pbft *pbft)
{
    uint64_t at = SY_PBFT_NEVER;
    if (!pbft->bodies_missing) return at;
    bool missing = false;
    for (uint64_t h = pbft->executed + 1; h <= pbft->known; h++) {
        struct slot *slot = sy_pbft_slot_find(pbft, h);
        for (unsigned which = 0; slot && which < CANDIDATES; which++) {
            const struct candidate *candidate = waiting_candidate(slot, which);
            if (!candidate) continue;
            missing = true;
            // What the budget of this step did not cover is due in the next one.
            uint64_t due = candidate->ask_ns > pbft->now_ns ? candidate->ask_ns : pbft->now_ns + 1;
            if (due < at) at = due;
        }
    }
    pbft->bodies_missing = missing;
    return at;
}

/* --- what the node tells --------------------------------------------------------------------- */

/* A certified block whose entries carry a maker or seq that the bodies do not: the sender made it
 * up around a true certificate. It is forgotten; another peer will be asked, in due time. */
static void discard_block(sy_pbft *pbft, struct slot *slot)
{
    SY_ASSERT(slot->block_present && slot->run == RUN_NONE);
    sy_pbft_distrust(pbft, slot->block.from);
    slot->block_present = false;
    slot->block.present = false;
}

/* Judges the body that was announced against every entry that names its digest, if any. */
static bool mark(sy_pbft *pbft, struct candidate *candidate, const struct sy_pbft_event *event)
{
    bool named = false;
    const struct sy_proposal *proposal = &candidate->pre_prepare.proposal;
    SY_ASSERT(candidate->present);
    SY_ASSERT(event->type == SY_PBFT_BATCH_READY || event->type == SY_PBFT_BATCH_DROPPED);
    for (uint16_t i = 0; i < proposal->count; i++) {
        const struct sy_entry *entry = &proposal->entries[i];
        if (!sy_hash_equal(&entry->digest, &event->as.batch.digest)) continue;
        uint64_t bit = (uint64_t)1 << i;
        named = true;
        if (event->type == SY_PBFT_BATCH_DROPPED) {
            candidate->have &= ~bit;
            if (event->as.batch.condemned) candidate->refused = true;
            candidate->ask_ns = pbft->now_ns + pbft->config.body_retry_ns;
            pbft->bodies_missing = true;
        } else if (entry->maker == event->as.batch.maker && entry->seq == event->as.batch.seq) {
            candidate->have |= bit;
        } else {
            candidate->refused = true;
        }
    }
    return named;
}

static void mark_slots(sy_pbft *pbft, const struct sy_pbft_event *event)
{
    for (uint64_t h = pbft->executed + 1; h <= pbft->known; h++) {
        struct slot *slot = sy_pbft_slot_find(pbft, h);
        if (!slot || slot->run != RUN_NONE) continue;
        bool named = false;
        for (unsigned which = 0; which < CANDIDATES; which++) {
            struct candidate *candidate = candidate_of(slot, which);
            if (candidate->present && mark(pbft, candidate, event)) named = true;
        }
        if (slot->block_present && slot->block.refused) discard_block(pbft, slot);
        if (named) sy_pbft_advance(pbft, slot);
    }
}

void sy_pbft_on_batch_ready(sy_pbft *pbft, const struct sy_pbft_event *event)
{
    SY_ASSERT(event->type == SY_PBFT_BATCH_READY);
    uint16_t maker = event->as.batch.maker;
    uint64_t seq = event->as.batch.seq;
    SY_ASSERT(maker < pbft->config.n);
    SY_ASSERT(event->as.batch.tx_count <= SY_BATCH_TXS_MAX);
    SY_ASSERT(event->as.batch.bytes <= SY_BATCH_BYTES_MAX);
    uint64_t next = pbft->next_seqs[maker];
    struct ready_batch *batch = ready_cell(pbft, maker, seq);
    bool taken = batch->present && batch->seq >= next;
    if (seq >= next && seq - next < SY_BATCH_WINDOW && !taken) {
        *batch = (struct ready_batch){.present = true,
                                      .seq = seq,
                                      .tx_count = event->as.batch.tx_count,
                                      .bytes = event->as.batch.bytes,
                                      .digest = event->as.batch.digest};
        pbft->ready_count++;
    }
    mark_slots(pbft, event);
}

void sy_pbft_on_batch_dropped(sy_pbft *pbft, const struct sy_pbft_event *event)
{
    SY_ASSERT(event->type == SY_PBFT_BATCH_DROPPED);
    SY_ASSERT(event->as.batch.maker < pbft->config.n);
    struct ready_batch *batch = ready_cell(pbft, event->as.batch.maker, event->as.batch.seq);
    if (batch->present && batch->seq == event->as.batch.seq &&
        sy_hash_equal(&batch->digest, &event->as.batch.digest)) {
        batch->present = false;
        SY_ASSERT(pbft->ready_count > 0);
        pbft->ready_count--;
    }
    mark_slots(pbft, event);
}

void sy_pbft_set_next_seqs(sy_pbft *pbft, const uint64_t *next_seqs)
{
    for (uint16_t maker = 0; maker < pbft->config.n; maker++) {
        uint64_t from = pbft->next_seqs[maker], to = next_seqs[maker];
        SY_ASSERT(to >= from);
        uint64_t passed = to - from;
        for (uint64_t i = 0; i < passed && i < SY_BATCH_WINDOW; i++) {
            struct ready_batch *batch = ready_cell(pbft, maker, from + i);
            if (!batch->present || batch->seq >= to) continue;
            batch->present = false;
            SY_ASSERT(pbft->ready_count > 0);
            pbft->ready_count--;
        }
        pbft->next_seqs[maker] = to;
    }
}
