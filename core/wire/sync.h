/* sync.h: what validators tell each other beside consensus, so that whoever is far behind finds out
 * from where on history is kept. The first byte tells these messages from those of vote.h.
 *
 *   32 PRUNED   u64 height: asked for a block below it, I have none; I keep history from there on
 *
 * A PRUNED is a hint from one peer: it decides nothing. */
#ifndef SY_WIRE_SYNC_H
#define SY_WIRE_SYNC_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/wire/codec.h"

enum sy_sync_type { SY_SYNC_PRUNED = 32 };

struct sy_sync_message {
    uint8_t type;
    uint64_t height; /* PRUNED: 1 to SY_SLOT_MAX */
};

/* sy_sync_is says whether a frame's first byte makes it one of these. */
bool sy_sync_is(struct sy_slice bytes);

void sy_sync_encode(struct sy_writer *w, const struct sy_sync_message *message);
/* sy_sync_decode: false when not canonical. */
bool sy_sync_decode(struct sy_sync_message *message, struct sy_slice bytes);

#endif
