#include "tests/support/lies.h"

bool lie_is_own(const struct sy_message *message, uint16_t self, uint16_t n)
{
    switch (message->type) {
    case SY_MESSAGE_PRE_PREPARE: return message->body.pre_prepare.view % n == self;
    case SY_MESSAGE_PREPARE:
    case SY_MESSAGE_COMMIT: return message->body.vote.signer == self;
    case SY_MESSAGE_SEAL: return message->body.seal.seal.signer == self;
    case SY_MESSAGE_STATUS: return message->body.status.signer == self;
    case SY_MESSAGE_VIEW_CHANGE: return message->body.view_change.signer == self;
    case SY_MESSAGE_NEW_VIEW: return message->body.new_view.signer == self;
    default: return false;
    }
}

void lie_turn_proposal(struct sy_proposal *proposal)
{
    switch (proposal->slot % 4) {
    case 0: proposal->time_ms += 3600000; break;
    case 1:
        if (proposal->count > 0) {
            proposal->entries[0].digest.bytes[5] ^= 1;
            break;
        }
        /* fall through */
    default: proposal->time_ms++;
    }
}

void lie_turn_status(sy_prng *prng, struct sy_status_message *status)
{
    uint64_t far = 1 + sy_prng_below(prng, 200);
    switch (sy_prng_below(prng, 6)) {
    case 0: status->certified_height += far; break;
    case 1: status->certified_height = 0; break;
    case 2: status->executed_height += far; break;
    case 3: status->pre_prepared_mask = status->prepared_mask = status->committed_mask = 0; break;
    case 4: status->committed_mask = sy_prng_next(prng); break;
    default: status->time_ms += (int64_t)far * 1000000;
    }
}

void lie_turn_block(sy_prng *prng, struct sy_block_message *block, uint16_t n)
{
    struct sy_entry *entry = block->proposal.count > 0 ? &block->proposal.entries[0] : NULL;
    switch (sy_prng_below(prng, 6)) {
    case 0: block->header.time_ms = ++block->proposal.time_ms; break;
    case 1: block->header.state_root.bytes[7] ^= 1; break;
    case 2: block->header.height = ++block->proposal.slot; break;
    case 3: block->certificate.seals[0].signature.bytes[40] ^= 1; break;
    case 4:
        if (entry != NULL) entry->maker = (uint16_t)((entry->maker + 1u) % n);
        break;
    default:
        if (entry != NULL) entry->seq++;
    }
}
