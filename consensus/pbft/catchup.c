/* catchup.c: certified blocks of heights that this validator missed.
 *
 * A certified block proves itself: quorum(n) seals over the header, which names its parent and the
 * batches that ran. It carries the time and exactly the entries that ran, so that the proposal,
 * which nobody signed in this form, is bound by the header too: a peer can withhold, but not lie.
 * Blocks land in the same slots as votes, are executed in the same order by the same code, and the
 * result is compared with the certificate. */
#include "consensus/pbft/internal.h"

/* How many request periods a peer's blocks are not wanted after a made-up one. */
#define DISTRUST_PERIODS 20u

uint64_t sy_pbft_claim(const struct peer *peer)
{
    // A seal for height h shows that its signer has certificates up to a window below h.
    SY_ASSERT(peer->status_counter > 0 || peer->certified == 0);
    uint64_t by_seal = peer->sealed > SY_PBFT_WINDOW ? peer->sealed - SY_PBFT_WINDOW : 0;
    return peer->certified > by_seal ? peer->certified : by_seal;
}

uint64_t sy_pbft_told_height(const sy_pbft *pbft)
{
    uint64_t best = pbft->certified;
    for (uint16_t i = 0; i < pbft->config.n; i++) {
        uint64_t height = pbft->peers[i].certified;
        unsigned told = 0;
        for (uint16_t j = 0; j < pbft->config.n; j++) told += pbft->peers[j].certified >= height;
        if (told >= pbft->weak && height > best) best = height;
    }
    return best;
}

/* A peer that sent a made-up block is neither asked nor heard about blocks for a while: otherwise
 * every lie would cost another request, and every request many lies. */
void sy_pbft_distrust(sy_pbft *pbft, uint16_t from)
{
    sy_pbft_ignore(pbft, SY_PBFT_IGNORED_MALFORMED);
    if (from < pbft->config.n)
        pbft->peers[from].distrusted_ns =
            pbft->now_ns + DISTRUST_PERIODS * pbft->config.block_retry_ns;
}

static bool distrusted(const sy_pbft *pbft, uint16_t from)
{
    return from < pbft->config.n && pbft->peers[from].distrusted_ns > pbft->now_ns;
}

/* --- asking ---------------------------------------------------------------------------------- */

static uint64_t best_claim(const sy_pbft *pbft)
{
    uint64_t best = 0;
    for (uint16_t i = 0; i < pbft->config.n; i++) {
        uint64_t claim = sy_pbft_claim(&pbft->peers[i]);
        if (claim > best) best = claim;
    }
    return best;
}

/* The lowest height without a certificate in sight. */
static uint64_t first_missing(const sy_pbft *pbft)
{
    uint64_t h = pbft->certify_asked + 1;
    for (;; h++) {
        SY_ASSERT(h <= pbft->known + 1);
        const struct slot *slot = sy_pbft_slot_find(pbft, h);
        if (!slot || !slot->block_present) return h;
    }
}

static void request(sy_pbft *pbft, uint64_t first, uint64_t limit)
{
    SY_ASSERT(first > pbft->certified && first <= limit);
    SY_ASSERT(limit - pbft->certified <= SY_PBFT_WINDOW);
    for (uint16_t i = 0; i < pbft->config.n; i++) {
        uint16_t whom = (uint16_t)((pbft->block_turn + i) % pbft->config.n);
        uint64_t claim = sy_pbft_claim(&pbft->peers[whom]);
        if (whom == pbft->config.self || claim < first || distrusted(pbft, whom)) continue;
        uint64_t last = claim < limit ? claim : limit;
        SY_ASSERT(last >= first && last - first < SY_FETCH_BLOCKS_MAX);
        struct sy_message *message = sy_pbft_send(pbft, whom, false, SY_MESSAGE_BLOCK_FETCH);
        message->body.range_fetch =
            (struct sy_range_fetch){.first = first, .count = (uint16_t)(last - first + 1)};
        pbft->block_turn = (uint16_t)((whom + 1) % pbft->config.n);
        pbft->block_upto = last;
        pbft->block_due_ns = pbft->now_ns + pbft->config.block_retry_ns;
        return;
    }
}

void sy_pbft_catch_up(sy_pbft *pbft)
{
    uint64_t best = best_claim(pbft), first = first_missing(pbft);
    uint64_t limit = window_end(pbft);
    bool out = pbft->block_due_ns != SY_PBFT_NEVER;
    if (out && first <= pbft->block_upto && pbft->now_ns < pbft->block_due_ns) return;
    pbft->block_due_ns = SY_PBFT_NEVER;
    if (best < first || first > limit || pbft->halt.alarm == SY_PBFT_ALARM_DIVERGED) return;
    // A few heights behind is ordinary and ends by itself; many, or a standstill, is not.
    bool behind = best - first + 1 >= BEHIND_SLOTS;
    bool stuck = pbft->now_ns - pbft->last_certified_ns >= pbft->config.status_ns;
    if (!behind && !stuck) return;
    // With the window almost full of blocks, a larger piece can be asked for after it has moved.
    if (first > pbft->certified + 1 && best > limit && limit - first + 1 < BEHIND_SLOTS) return;
    request(pbft, first, limit);
}

/* --- taking ---------------------------------------------------------------------------------- */

/* Whether the proposal is the one form that the header fixes. */
static bool block_consistent(const sy_pbft *pbft, const struct sy_block_message *block)
{
    const struct sy_proposal *proposal = &block->proposal;
    const struct sy_header *header = &block->header;
    if (header->protocol != SY_PROTOCOL_VERSION || header->epoch != pbft->config.epoch)
        return false;
    if (proposal->epoch != header->epoch || proposal->slot != header->height) return false;
    if (proposal->time_ms != header->time_ms || proposal->count > SY_PROPOSAL_ENTRIES_MAX)
        return false;
    if (block->certificate.count != pbft->quorum) return false;
    for (uint16_t i = 0; i < proposal->count; i++)
        if (proposal->entries[i].maker >= pbft->config.n || proposal->entries[i].seq == 0)
            return false;
    struct sy_hash root;
    sy_proposal_batches_root(&root, proposal);
    return sy_hash_equal(&root, &header->batches_root);
}

static void keep_block(sy_pbft *pbft, struct slot *slot, const struct sy_block_message *block,
                       const struct sy_hash *hash, uint16_t from)
{
    static const struct sy_hash no_digest;
    SY_ASSERT(!slot->block_present && !slot->certify_asked);
    SY_ASSERT(block->proposal.slot == slot->number && slot->number > pbft->certified);
    struct sy_pre_prepare as_voted;
    memcpy(&as_voted.proposal, &block->proposal, sizeof as_voted.proposal);
    as_voted.view = pbft->view;
    memset(&as_voted.signature, 0, sizeof as_voted.signature);
    sy_pbft_candidate_set(pbft, &slot->block, &as_voted, &no_digest, from);
    slot->block_present = true;
    slot->block_hash = *hash;
    slot->block_previous = block->header.previous;
    slot->block_certificate = block->certificate;
    if (slot->run == RUN_NONE) sy_pbft_bodies_look(pbft, &slot->block, true);
}

/* The header of the parent, if this validator has executed it. */
static const struct slot *executed_parent(const sy_pbft *pbft, uint64_t number)
{
    const struct slot *parent = sy_pbft_slot_find(pbft, number - 1);
    return parent && parent->run == RUN_DONE ? parent : NULL;
}

void sy_pbft_on_block(sy_pbft *pbft, const struct sy_block_message *block, uint16_t from)
{
    uint64_t number = block->header.height;
    if (!sy_pbft_in_window(pbft, number)) return;
    if (distrusted(pbft, from)) {
        sy_pbft_ignore(pbft, SY_PBFT_IGNORED_UNEXPECTED);
        return;
    }
    if (!block_consistent(pbft, block)) {
        sy_pbft_distrust(pbft, from);
        return;
    }
    struct slot *slot = sy_pbft_slot_open(pbft, number);
    if (slot->block_present || slot->certify_asked) {
        sy_pbft_ignore(pbft, SY_PBFT_IGNORED_DUPLICATE);
        return;
    }
    struct sy_hash hash;
    sy_header_hash(&hash, &pbft->config.genesis, &block->header);
    keep_block(pbft, slot, block, &hash, from);
    const struct slot *parent = executed_parent(pbft, number);
    if (parent)
        sy_pbft_compare_header(pbft, parent);
    else if (number == pbft->certified + 1 &&
             !sy_hash_equal(&pbft->certified_hash, &slot->block_previous))
        sy_pbft_halt(pbft, SY_PBFT_ALARM_DIVERGED, pbft->certified, &pbft->certified_hash,
                     &slot->block_previous);
    if (slot->run == RUN_DONE) sy_pbft_compare_header(pbft, slot);
}
