/* recall.c: before its first vote after a start a validator asks the others what it said.
 *
 * Its store may be an older copy, or somebody else may run with its key: then peers hold statements
 * of it that it does not know. The question is its STATUS, whose counter says which start this is.
 * Whoever hears of a start that is new to it, or a STATUS that is not above the last one, answers
 * the signer with what it holds of it: statements above the certified height that it shows, and, as
 * the end of the answer, the newest STATUS under its key. That one comes back to a validator that
 * is well: it is its own. It votes when so many others have answered that one of them was among any
 * quorum. Answering takes no vote, so a network that starts as a whole begins to vote all the same
 * (PROTOCOL.md, P39). */
#include "consensus/pbft/internal.h"

/* Statements that a store lacks are the newest. */
#define ANSWER_SLOTS_MAX 8u

/* --- the answer ------------------------------------------------------------------------------ */

static bool answer_slot(sy_pbft *pbft, const struct slot *slot, uint16_t to)
{
    SY_ASSERT(slot->number > pbft->certified);
    const struct cell *prepare = &slot->prepares[to];
    const struct cell *commit = &slot->commits[to];
    const struct cell *seal = &slot->seals[to];
    bool proposed = primary_of(pbft, pbft->view) == to && slot->first.present;
    if (pbft->serves_left < 4) return false;
    if (proposed)
        sy_pbft_send(pbft, to, true, SY_MESSAGE_PRE_PREPARE)->body.pre_prepare =
            slot->first.pre_prepare;
    if (prepare->present) sy_pbft_pass_on(pbft, slot, prepare, to, SY_MESSAGE_PREPARE, to);
    if (commit->present) sy_pbft_pass_on(pbft, slot, commit, to, SY_MESSAGE_COMMIT, to);
    if (seal->present)
        sy_pbft_send(pbft, to, true, SY_MESSAGE_SEAL)->body.seal =
            (struct sy_seal_message){.epoch = pbft->config.epoch,
                                     .height = slot->number,
                                     .header_hash = seal->digest,
                                     .seal = {.signer = to, .signature = seal->signature}};
    pbft->serves_left -= 4;
    return proposed || prepare->present || commit->present || seal->present;
}

static void answer_view(sy_pbft *pbft, uint16_t to)
{
    const struct held_change *held = &pbft->changes[to];
    const struct sy_new_view *began = &pbft->current.message;
    if (held->present)
        sy_pbft_send(pbft, to, true, SY_MESSAGE_VIEW_CHANGE)->body.view_change = held->change;
    if (pbft->current.present && began->signer == to)
        sy_pbft_send(pbft, to, true, SY_MESSAGE_NEW_VIEW)->body.new_view = *began;
}

void sy_pbft_answer_start(sy_pbft *pbft, uint16_t to)
{
    struct peer *peer = &pbft->peers[to];
    SY_ASSERT(to < pbft->config.n && to != pbft->config.self);
    if (pbft->config.self == SY_PBFT_OBSERVER || !aged(pbft, peer->answered_ns)) return;
    peer->answered_ns = pbft->now_ns;
    answer_view(pbft, to);
    uint64_t above = peer->certified > pbft->certified ? peer->certified : pbft->certified;
    unsigned slots = 0;
    for (uint64_t h = pbft->known; h > above && slots < ANSWER_SLOTS_MAX; h--) {
        const struct slot *slot = sy_pbft_slot_find(pbft, h);
        slots += slot && answer_slot(pbft, slot, to);
    }
    sy_pbft_send(pbft, to, true, SY_MESSAGE_STATUS)->body.status = peer->status;
}

/* --- the answers ----------------------------------------------------------------------------- */

uint64_t sy_pbft_status_counter(const sy_pbft *pbft)
{
    return pbft->boots << 32 | pbft->status_seq;
}

static void begin_to_vote(sy_pbft *pbft)
{
    pbft->recalled = true;
    sy_pbft_join(pbft);
    sy_pbft_try_new_view(pbft);
    sy_pbft_advance_all(pbft);
}

void sy_pbft_on_own_status(sy_pbft *pbft, const struct sy_status_message *status, uint16_t from)
{
    SY_ASSERT(status->signer == pbft->config.self);
    if (status->counter > sy_pbft_status_counter(pbft)) {
        // Counters only rise, restarts included: this one is of a start that the store forgot, or
        // of another process.
        struct sy_hash digest;
        sy_status_digest(&digest, &pbft->config.genesis, status);
        sy_pbft_check_own(pbft, pbft->certified + 1, NULL, &digest);
        return;
    }
    bool answers =
        status->counter >> 32 == pbft->boots && from < pbft->config.n && from != pbft->config.self;
    if (pbft->recalled || !answers || pbft->peers[from].recalled) {
        sy_pbft_ignore(pbft, SY_PBFT_IGNORED_STALE);
        return;
    }
    pbft->peers[from].recalled = true;
    unsigned count = 0;
    for (uint16_t i = 0; i < pbft->config.n; i++) count += pbft->peers[i].recalled;
    if (count + 1 >= pbft->quorum) begin_to_vote(pbft);
}
