/* record.h: what the machine keeps in the vote store, and its bytes.
 *
 * Key: (type, slot, view). A record replaces an earlier one under the same key.
 *
 *   PREPARE    the PRE_PREPARE message that this validator voted for in (view, slot): on the
 *              primary its own, on a backup the one its PREPARE names
 *   PREPARED   the prepared certificate behind its COMMIT in (view, slot): that PRE_PREPARE and
 *              quorum(n) - 1 PREPAREs of other validators than the primary
 *   BOOT       slot 0, view 0: how often the machine was started; status counters rise across
 *              restarts by it
 *   HALTED     slot = height, view 0: why this validator no longer votes
 *
 * Bytes: u8 type | u64 slot | u64 view | body
 *   PREPARE    proposal (block.h) | u64 view | 64 signature of the PRE_PREPARE
 *   PREPARED   the same | u16 count | count times: u16 signer, 64 signature
 *   BOOT       u64 boots
 *   HALTED     u8 alarm | 32 own header hash | 32 certified header hash */
#ifndef SY_CONSENSUS_PBFT_RECORD_H
#define SY_CONSENSUS_PBFT_RECORD_H

#include "core/wire/vote.h"

enum sy_pbft_record_type {
    SY_PBFT_RECORD_PREPARE = 1,
    SY_PBFT_RECORD_PREPARED = 2,
    SY_PBFT_RECORD_BOOT = 16,
    SY_PBFT_RECORD_HALTED = 17
};

/* A prepared certificate (OSDI '99, 4.2: prepared(m, v, n, i)). The PREPAREs are over the
 * proposal's digest, in roster order. */
struct sy_pbft_prepared {
    struct sy_pre_prepare pre_prepare;
    uint16_t count;
    struct sy_seal prepares[SY_VALIDATORS_MAX]; /* signer and signature of kind PREPARE */
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
        struct sy_pbft_prepared prepared;
        uint64_t boots;
        struct sy_pbft_halt halt;
    } as;
};

/* No record's encoding is longer. */
#define SY_PBFT_RECORD_BYTES_MAX 16384u

/* sy_pbft_record_encode writes one record; sy_pbft_record_decode reads a whole one. False: not
 * canonical, or a signer not below n. Any thread. */
void sy_pbft_record_encode(struct sy_writer *w, const struct sy_pbft_record *record);
SY_MUST_CHECK bool sy_pbft_record_decode(struct sy_pbft_record *record, struct sy_slice bytes,
                                         unsigned n);

/* sy_pbft_record_droppable says whether DROP_VOTES {height} lets go of a record: votes at or below
 * it, never BOOT or HALTED. */
static inline bool sy_pbft_record_droppable(uint8_t type, uint64_t slot, uint64_t height)
{
    return (type == SY_PBFT_RECORD_PREPARE || type == SY_PBFT_RECORD_PREPARED) && slot <= height;
}

#endif
