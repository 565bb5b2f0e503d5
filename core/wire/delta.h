/* delta.h: the packed list of what one block changed in the state. Execution writes it, the store
 * keeps it and replays it.
 *
 *   deltas   items, keys strictly ascending, to the end of the bytes (no count)
 *   item     32 key hash | u8 op (1 put, 2 remove) | u32 value length | value
 *
 * A removal's length is 0; a value is at most SY_STATE_VALUE_BYTES_MAX bytes and may be empty. One
 * change set has one encoding. Everything here may be called from any thread. */
#ifndef SY_WIRE_DELTA_H
#define SY_WIRE_DELTA_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/wire/codec.h"
#include "core/wire/limits.h"

#define SY_DELTA_ITEM_BYTES 37u /* of an item with an empty value */

enum sy_delta_op { SY_DELTA_PUT = 1, SY_DELTA_REMOVE = 2 };

struct sy_delta {
    struct sy_hash key;
    enum sy_delta_op op;
    struct sy_slice value; /* borrowed from the packed bytes; empty for a removal */
};

/* sy_delta_write appends one item. The caller writes keys in strictly ascending order and values
 * within the limit (the writer fails otherwise only for the limit and for want of room: order is
 * checked by whoever reads). */
void sy_delta_write(struct sy_writer *w, const struct sy_delta *delta);

/* Walks packed deltas. */
struct sy_delta_reader {
    struct sy_reader in;
    struct sy_hash last;
    bool started;
};

struct sy_delta_reader sy_delta_reader_of(struct sy_slice deltas);

/* sy_delta_next reads one item. False at the end, and at the first malformed item: then
 * reader->in.failed is set and reader->in.what names the field. */
bool sy_delta_next(struct sy_delta_reader *reader, struct sy_delta *delta);

/* sy_deltas_check walks all of it: true if every item is well formed. *count is how many, *bytes
 * the sum of the value lengths (either may be NULL). */
bool sy_deltas_check(struct sy_slice deltas, size_t *count, size_t *bytes);

#endif
