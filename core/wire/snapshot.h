/* snapshot.h: a chunk of a state snapshot: all entries under one prefix of the key hashes, and the
 * path from their subtree to the state root.
 *
 *   chunk      u16 bits (0 to 256) | 32 prefix | bits siblings, 32 each | bytes32 entries
 *   entries    as state deltas (delta.h), every one a put
 *
 * The bits of the prefix from `bits` on are 0. Siblings go from the chunk's place, at depth `bits`,
 * up to the root: the k-th belongs to depth bits - k. What a chunk proves is decided by
 * core/ledger/snapshot.h; here is only its form. */
#ifndef SY_WIRE_SNAPSHOT_H
#define SY_WIRE_SNAPSHOT_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/wire/codec.h"
#include "core/wire/limits.h"
#include "core/wire/proof.h"

/* Bytes of a chunk's entries at most. What is left of a frame holds the deepest path, a header and
 * the largest certificate. */
#define SY_CHUNK_ENTRIES_BYTES_MAX (SY_FRAME_BYTES_MAX - (32u << 10))

struct sy_chunk {
    uint16_t bits;
    struct sy_hash prefix;
    struct sy_hash siblings[SY_TRIE_DEPTH_MAX]; /* from the chunk upwards; bits of them */
    struct sy_slice entries;                    /* borrowed */
};

void sy_chunk_encode(struct sy_writer *w, const struct sy_chunk *chunk);

/* sy_chunk_decode reads one chunk, to be followed by whatever the caller expects. False when it is
 * not canonical: bits over the limit, a prefix with bits behind its end, entries that do not
 * ascend, are not all puts, or lie outside the prefix. */
bool sy_chunk_decode(struct sy_reader *r, struct sy_chunk *chunk);

/* sy_chunk_next is the first key hash behind the chunk. False: it reaches to the end. */
bool sy_chunk_next(struct sy_hash *next, const struct sy_chunk *chunk);

#endif
