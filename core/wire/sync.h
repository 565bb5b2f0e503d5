/* sync.h: what validators tell each other beside consensus, so that whoever is far behind, or new,
 * can begin with a state instead of with genesis. The first byte tells these messages from those of
 * vote.h.
 *
 *   32 PRUNED          u64 height: I keep history from there on, and was asked for what is below
 *   33 SNAPSHOT_FETCH  u64 height (0: whichever you hold) | 32 key: the chunk that holds this key
 *   34 SNAPSHOT        header | certificate | chunk: of the state under that header
 *   35 SNAPSHOT_NONE   u64 height: I hold this height's state (0: none), not what was asked
 *   36 HANDOVER_FETCH  u32 epoch: how it ended, and those after it
 *   37 HANDOVERS       u32 epoch, as asked | u16 count (0: it has not ended here, or who was asked
 *                      cannot prove it) | handovers (roster_change.h)
 *
 * PRUNED and SNAPSHOT_NONE are hints from one peer, and decide nothing. A SNAPSHOT and HANDOVERS
 * are believed because of what is in them, whoever sent them. */
#ifndef SY_WIRE_SYNC_H
#define SY_WIRE_SYNC_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/wire/block.h"
#include "core/wire/codec.h"
#include "core/wire/roster_change.h"
#include "core/wire/snapshot.h"

/* States are cut at the multiples of this, by everybody: often enough that what is left to fetch
 * block by block is soon done, rare enough that one state can be fetched before the next one. */
#define SY_SNAPSHOT_BLOCKS 1024u

enum sy_sync_type {
    SY_SYNC_PRUNED = 32,
    SY_SYNC_SNAPSHOT_FETCH = 33,
    SY_SYNC_SNAPSHOT = 34,
    SY_SYNC_SNAPSHOT_NONE = 35,
    SY_SYNC_HANDOVER_FETCH = 36,
    SY_SYNC_HANDOVERS = 37
};

struct sy_sync_message {
    uint8_t type;
    uint64_t height;           /* PRUNED: 1 to SY_SLOT_MAX; FETCH, NONE: 0 to it */
    struct sy_hash key;        /* FETCH */
    uint32_t epoch;            /* HANDOVER_FETCH, HANDOVERS */
    uint16_t count;            /* HANDOVERS: at most SY_HANDOVERS_MAX */
    struct sy_slice handovers; /* ... borrowed */
    struct sy_header header;
    struct sy_certificate certificate;
    struct sy_chunk chunk; /* SNAPSHOT; entries borrowed */
};

/* sy_sync_is says whether a frame's first byte makes it one of these. */
bool sy_sync_is(struct sy_slice bytes);

void sy_sync_encode(struct sy_writer *w, const struct sy_sync_message *message);

/* sy_sync_decode: false when not canonical. validators: how many the roster has that seals a
 * SNAPSHOT. */
bool sy_sync_decode(struct sy_sync_message *message, struct sy_slice bytes, unsigned validators);

#endif
