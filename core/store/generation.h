/* generation.h: a run of recent blocks' state changes in memory, in key order, every version kept.
 *
 * One thread writes; any number read at the same time without a lock: nothing is moved, changed or
 * freed until the whole generation is cleared, and everything new is published by one release
 * store. A reader names a height and sees the newest version at or below it.
 *
 * Keys are hashes, so their first bits say where they belong: bucket = top bits of the key, and
 * the buckets are in key order. Within a bucket the keys form a skip list, whose upper levels are
 * for keys that somebody chose to collide: without them a bucket is a chain of one or two.
 *
 * Everything lies in one slab and is named by its offset in units of 8 bytes (0: none).
 *
 *   slab    heads[buckets][4] | nodes and versions, in order of arrival
 *   node    32 key | u32 newest version | u32 levels | u32 next[levels]
 *   version u64 height | u32 older version | u32 size (all ones: removed) | value */
#ifndef SY_STORE_GENERATION_H
#define SY_STORE_GENERATION_H

#include <stdatomic.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/prng.h"
#include "core/base/status.h"

#define SY_GENERATION_LEVELS 4u

typedef uint32_t sy_ref;

struct sy_generation {
    sy_arena arena;
    uint8_t *slab;
    size_t slab_bytes;
    size_t used_bytes; /* the writer's */
    unsigned bucket_bits;
    sy_prng prng; /* levels of nodes; never decides what is read */
    /* The owner's bookkeeping, under its lock. */
    uint64_t first; /* heights first .. last are inside */
    uint64_t last;
    uint32_t pins;
    bool live;
    bool sealed;
};

/* Where a walk stands: the node, or none at the end. */
struct sy_generation_cursor {
    const struct sy_generation *generation;
    size_t bucket;
    sy_ref node;
};

/* What a generation knows of a key at a height. */
struct sy_version {
    bool removed;
    struct sy_slice value; /* in the slab, good until the generation is cleared */
};

/* sy_generation_open maps a slab of about slab_bytes (at most 16 GiB). */
sy_status sy_generation_open(struct sy_generation *generation, size_t slab_bytes, uint64_t seed);
void sy_generation_close(struct sy_generation *generation);

/* sy_generation_clear forgets everything. Nobody may read. */
void sy_generation_clear(struct sy_generation *generation);

/* sy_generation_need bounds the slab bytes that count changes with value_bytes in all take. */
size_t sy_generation_need(size_t count, size_t value_bytes);
/* sy_generation_left is what the slab has left. Writer only. */
size_t sy_generation_left(const struct sy_generation *generation);

/* sy_generation_put adds a version (value: NULL data and removed for a removal) at height, which
 * is at least that of every version inside. There must be room (sy_generation_need). */
void sy_generation_put(struct sy_generation *generation, uint64_t height, const struct sy_hash *key,
                       struct sy_version version);

/* sy_generation_expect brings near what a later put of this key reads first: its bucket's head, and
 * with `deep`, once that has come, the node there. It changes nothing. Writer only. */
void sy_generation_expect(const struct sy_generation *generation, const struct sy_hash *key,
                          bool deep);

/* sy_generation_get finds the newest version of key at or below height. False: none. */
bool sy_generation_get(const struct sy_generation *generation, struct sy_version *version,
                       uint64_t height, const struct sy_hash *key);

/* sy_generation_seek stands at the first key at or above key. */
void sy_generation_seek(struct sy_generation_cursor *cursor, const struct sy_generation *generation,
                        const struct sy_hash *key);

/* sy_generation_next moves to the following key. */
void sy_generation_next(struct sy_generation_cursor *cursor);

/* sy_generation_key is the key under the cursor; NULL at the end. */
const struct sy_hash *sy_generation_key(const struct sy_generation_cursor *cursor);

/* sy_generation_at gives the newest version under the cursor at or below height. */
bool sy_generation_at(const struct sy_generation_cursor *cursor, struct sy_version *version,
                      uint64_t height);

#endif
