/* record.h: what the machine keeps in the vote store, and its bytes.
 *
 * Key: (type, slot, view). A record replaces an earlier one under the same key.
 *
 *   PREPARE    the PRE_PREPARE message that this validator voted for in (view, slot): on the
 *              primary its own, on a backup the one its PREPARE names
 *   PREPARED   the prepared certificate behind its COMMIT in (view, slot)
 *   VIEW_CHANGE  slot 0, view 0: the VIEW_CHANGE that this validator sent last; it votes in no view
 *              below that one's
 *   NEW_VIEW   slot 0, view 0: the NEW_VIEW of the view that this validator entered last
 *   BOOT       slot 0, view 0: how often the machine was started; status counters rise across
 *              restarts by it
 *   HALTED     slot = height, view 0: why this validator no longer votes
 *
 * Bytes: u8 type | u64 slot | u64 view | body
 *   PREPARE    proposal (block.h) | u64 view | 64 signature of the PRE_PREPARE
 *   PREPARED, VIEW_CHANGE, NEW_VIEW   as in core/wire/view_change.h
 *   BOOT       u64 boots
 *   HALTED     u8 alarm | 32 own header hash | 32 certified header hash */
#ifndef SY_CONSENSUS_PBFT_RECORD_H
#define SY_CONSENSUS_PBFT_RECORD_H

#include "core/wire/vote.h"

enum sy_pbft_record_type {
    SY_PBFT_RECORD_PREPARE = 1,
    SY_PBFT_RECORD_PREPARED = 2,
    SY_PBFT_RECORD_BOOT = 16,
    SY_PBFT_RECORD_HALTED = 17,
    SY_PBFT_RECORD_VIEW_CHANGE = 18,
    SY_PBFT_RECORD_NEW_VIEW = 19
};

struct sy_pbft_halt {
    uint8_t alarm; /* enum sy_pbft_alarm */
    struct sy_hash own;
    struct sy_hash certified;
};

struct sy_pbft_record {
    uint8_t type;
    uint64_t slot;
    uint64_t view;
    union {
        struct sy_pre_prepare prepare;
        struct sy_prepared prepared;
        struct sy_view_change view_change; /* borrows: the input's bytes, or the machine's */
        struct sy_new_view new_view;
        uint64_t boots;
        struct sy_pbft_halt halt;
    } as;
};

/* No record's encoding is longer; none but a VIEW_CHANGE's is longer than the second. */
#define SY_PBFT_RECORD_BYTES_MAX (SY_VIEW_CHANGE_BYTES_MAX + 32u)
#define SY_PBFT_RECORD_BYTES_SHORT 16384u
_Static_assert(SY_VALIDATORS_MAX * 66u + SY_PROPOSAL_ENCODED_MAX + 128u <=
                   SY_PBFT_RECORD_BYTES_SHORT,
               "a prepared certificate is a short record");

/* sy_pbft_record_encode writes one record; sy_pbft_record_decode reads a whole one of validator
 * `self` in a roster of n. False: not canonical, or a signer that cannot be. Any thread. */
void sy_pbft_record_encode(struct sy_writer *w, const struct sy_pbft_record *record);
SY_MUST_CHECK bool sy_pbft_record_decode(struct sy_pbft_record *record, struct sy_slice bytes,
                                         uint16_t self, unsigned n);

/* sy_pbft_record_epoch gives the epoch that a record is of. False: of none (BOOT, HALTED), or the
 * bytes are no record's. Votes of an epoch that is over bind nobody any more, and their signers are
 * numbered by its roster: they are not to be decoded. */
SY_MUST_CHECK bool sy_pbft_record_epoch(uint32_t *epoch, struct sy_slice bytes);

/* sy_pbft_record_droppable says whether DROP_VOTES {height} lets go of a record: votes at or below
 * it, never the others. */
static inline bool sy_pbft_record_droppable(uint8_t type, uint64_t slot, uint64_t height)
{
    return (type == SY_PBFT_RECORD_PREPARE || type == SY_PBFT_RECORD_PREPARED) && slot <= height;
}

#endif
