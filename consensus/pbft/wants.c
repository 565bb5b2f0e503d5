/* wants.c: which messages are worth the check of their signatures (PROTOCOL.md, P35).
 *
 * Of n statements a quorum is needed; the others arrive all the same, and checking a signature
 * costs more than everything else that is done with a vote. So the node asks here first. What is
 * refused here would not have changed anything: it repeats what is held, adds to a quorum, or is
 * over. What contradicts something that is held is wanted, as evidence. */
#include "consensus/pbft/internal.h"

static bool is_over(const sy_pbft *pbft, uint64_t number)
{
    return number <= pbft->certified;
}

static bool is_beyond(const sy_pbft *pbft, uint64_t number)
{
    return number > window_end(pbft);
}

static bool proposed(const struct slot *slot, const struct sy_hash *digest)
{
    return (slot->first.present && sy_hash_equal(&slot->first.digest, digest)) ||
           (slot->other.present && sy_hash_equal(&slot->other.digest, digest));
}

/* One more statement of signer for this digest: cells hold those that are here, and `more` others
 * say the same. */
static bool wants_statement(const sy_pbft *pbft, const struct cell *cells, uint16_t signer,
                            const struct sy_hash *digest, unsigned more)
{
    SY_ASSERT(signer < pbft->config.n && more <= 1);
    const struct cell *cell = &cells[signer];
    if (cell->present) return !sy_hash_equal(&cell->digest, digest);
    // Under the own key it is a reason to stop (P14), whatever the others say.
    if (signer == pbft->config.self) return true;
    return sy_pbft_count_cells(pbft, cells, digest, SY_PBFT_OBSERVER) + more < pbft->quorum;
}

static bool wants_vote(const sy_pbft *pbft, const struct sy_vote *vote)
{
    if (is_over(pbft, vote->slot)) return false;
    if (vote->signer >= pbft->config.n) return true;
    // Of another view: nothing, but for an own vote in a later one, which was forgotten (P14).
    if (vote->view != pbft->view)
        return vote->view > pbft->view && vote->signer == pbft->config.self;
    if (is_beyond(pbft, vote->slot)) return vote->signer == pbft->config.self;
    const struct slot *slot = sy_pbft_slot_find(pbft, vote->slot);
    if (!slot) return true;
    const struct sy_hash *digest = &vote->proposal_digest;
    if (vote->type == SY_MESSAGE_COMMIT)
        return wants_statement(pbft, slot->commits, vote->signer, digest, 0);
    // The pre-prepare is the primary's prepare.
    return wants_statement(pbft, slot->prepares, vote->signer, digest, proposed(slot, digest));
}

static bool wants_pre_prepare(const sy_pbft *pbft, const struct sy_pre_prepare *message)
{
    uint64_t number = message->proposal.slot;
    if (is_over(pbft, number)) return false;
    if (message->view != pbft->view)
        return message->view > pbft->view && primary_of(pbft, message->view) == pbft->config.self;
    if (is_beyond(pbft, number)) return is_primary(pbft);
    const struct slot *slot = sy_pbft_slot_find(pbft, number);
    if (!slot || !slot->first.present) return true;
    if (is_primary(pbft) && slot->prepare != OWN_SENT) return true;
    struct sy_hash digest;
    sy_proposal_digest(&digest, &pbft->config.genesis, &message->proposal);
    // After a restart both of two proposals may be here, and their maker not blamed yet.
    bool second = slot->other.present && sy_hash_equal(&slot->other.digest, &digest);
    return !proposed(slot, &digest) || (second && !slot->blamed);
}

static bool wants_seal(const sy_pbft *pbft, const struct sy_seal_message *message)
{
    uint16_t signer = message->seal.signer;
    if (is_over(pbft, message->height)) return false;
    if (signer >= pbft->config.n) return true;
    // Beyond the window it shows that its signer is ahead (P18).
    if (is_beyond(pbft, message->height))
        return signer == pbft->config.self || message->height > pbft->peers[signer].sealed;
    const struct slot *slot = sy_pbft_slot_find(pbft, message->height);
    return !slot || wants_statement(pbft, slot->seals, signer, &message->header_hash, 0);
}

static bool wants_status(const sy_pbft *pbft, const struct sy_status_message *status)
{
    if (status->signer >= pbft->config.n) return true;
    // Not above the last one: its signer asks (P39), or somebody says it again.
    if (status->signer != pbft->config.self) return true;
    return !pbft->recalled || status->counter > sy_pbft_status_counter(pbft);
}

static bool wants_block(const sy_pbft *pbft, uint64_t height)
{
    if (is_over(pbft, height) || is_beyond(pbft, height)) return false;
    const struct slot *slot = sy_pbft_slot_find(pbft, height);
    return !slot || (!slot->block_present && !slot->certify_asked);
}

static bool wants_new_view(const sy_pbft *pbft, const struct sy_new_view *message)
{
    return message->view > pbft->view || (message->view == pbft->view && !pbft->in_view);
}

/* The epoch that a message names; requests name none and are of any. */
static uint32_t epoch_of(const sy_pbft *pbft, const struct sy_message *message)
{
    switch (message->type) {
    case SY_MESSAGE_PRE_PREPARE: return message->body.pre_prepare.proposal.epoch;
    case SY_MESSAGE_PREPARE:
    case SY_MESSAGE_COMMIT: return message->body.vote.epoch;
    case SY_MESSAGE_SEAL: return message->body.seal.epoch;
    case SY_MESSAGE_STATUS: return message->body.status.epoch;
    case SY_MESSAGE_BLOCK: return message->body.block.header.epoch;
    case SY_MESSAGE_VIEW_CHANGE: return message->body.view_change.epoch;
    case SY_MESSAGE_NEW_VIEW: return message->body.new_view.epoch;
    default: return pbft->config.epoch;
    }
}

bool sy_pbft_wants(const sy_pbft *pbft, const struct sy_message *message)
{
    SY_ASSERT(pbft->started);
    // Of another epoch only a status says anything: that this validator is behind (P38).
    uint32_t epoch = epoch_of(pbft, message);
    if (epoch != pbft->config.epoch)
        return message->type == SY_MESSAGE_STATUS && epoch > pbft->config.epoch;
    switch (message->type) {
    case SY_MESSAGE_PRE_PREPARE: return wants_pre_prepare(pbft, &message->body.pre_prepare);
    case SY_MESSAGE_PREPARE:
    case SY_MESSAGE_COMMIT: return wants_vote(pbft, &message->body.vote);
    case SY_MESSAGE_SEAL: return wants_seal(pbft, &message->body.seal);
    case SY_MESSAGE_STATUS: return wants_status(pbft, &message->body.status);
    case SY_MESSAGE_BLOCK: return wants_block(pbft, message->body.block.header.height);
    case SY_MESSAGE_VIEW_CHANGE: return sy_pbft_wants_change(pbft, &message->body.view_change);
    case SY_MESSAGE_NEW_VIEW: return wants_new_view(pbft, &message->body.new_view);
    default: return true;
    }
}
