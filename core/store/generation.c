/* See generation.h for the layout and for why readers need no lock. */
#include "core/store/generation.h"

#include "core/base/assert.h"

#define UNIT 8u
#define HUGE_BYTES_MIN (16u << 20)
#define NODE_LEVELS_OFFSET 36u
#define NODE_NEXT_OFFSET 40u
#define VERSION_BYTES 16u
#define REMOVED UINT32_MAX
#define BUCKET_BYTES (SY_GENERATION_LEVELS * 4u)

typedef _Atomic sy_ref sy_link;
_Static_assert(sizeof(sy_link) == 4, "links lie in the slab as plain words");

static uint8_t *at(const struct sy_generation *generation, sy_ref ref)
{
    return generation->slab + (size_t)ref * UNIT;
}

static sy_link *link_at(uint8_t *p)
{
    return (sy_link *)(void *)p;
}

static sy_ref follow(uint8_t *p)
{
    return atomic_load_explicit(link_at(p), memory_order_acquire);
}

static uint8_t *head_of(const struct sy_generation *generation, size_t bucket)
{
    return generation->slab + UNIT * 8 + bucket * BUCKET_BYTES;
}

static size_t bucket_count(const struct sy_generation *generation)
{
    return (size_t)1 << generation->bucket_bits;
}

static size_t bucket_of(const struct sy_generation *generation, const struct sy_hash *key)
{
    return (size_t)(sy_load_u64_be(key->bytes) >> (64 - generation->bucket_bits));
}

static const struct sy_hash *node_key(const struct sy_generation *generation, sy_ref node)
{
    return (const struct sy_hash *)(const void *)at(generation, node);
}

// The links that lead on from a node, or from the bucket's head when node is 0.
static uint8_t *links_of(const struct sy_generation *generation, size_t bucket, sy_ref node)
{
    return node ? at(generation, node) + NODE_NEXT_OFFSET : head_of(generation, bucket);
}

static size_t heads_end(unsigned bucket_bits)
{
    return UNIT * 8 + ((size_t)1 << bucket_bits) * BUCKET_BYTES;
}

sy_status sy_generation_open(struct sy_generation *generation, size_t slab_bytes, uint64_t seed)
{
    *generation = (struct sy_generation){0};
    // One bucket for every 256 bytes: about one entry each when the slab is full.
    unsigned bits = 4;
    while (bits < 22 && ((size_t)512 << bits) <= slab_bytes) bits++;
    size_t bytes = slab_bytes + heads_end(bits);
    if (bytes / UNIT > UINT32_MAX) return SY_ERR_LIMIT;
    SY_TRY(sy_arena_open(&generation->arena, bytes));
    if (slab_bytes >= HUGE_BYTES_MIN) sy_arena_huge(&generation->arena);
    generation->slab = (uint8_t *)sy_arena_carve(&generation->arena, bytes, 1);
    SY_ASSERT(generation->slab);
    generation->slab_bytes = bytes;
    generation->bucket_bits = bits;
    generation->used_bytes = heads_end(bits);
    sy_prng_seed(&generation->prng, seed);
    return SY_OK;
}

void sy_generation_close(struct sy_generation *generation)
{
    sy_arena_close(&generation->arena);
    *generation = (struct sy_generation){0};
}

void sy_generation_clear(struct sy_generation *generation)
{
    // The rest of the slab is unreachable without the heads.
    memset(generation->slab, 0, heads_end(generation->bucket_bits));
    generation->used_bytes = heads_end(generation->bucket_bits);
    generation->live = false;
    generation->sealed = false;
}

size_t sy_generation_need(size_t count, size_t value_bytes)
{
    size_t item = NODE_NEXT_OFFSET + 4 * SY_GENERATION_LEVELS + VERSION_BYTES + UNIT;
    return count * item + value_bytes;
}

size_t sy_generation_left(const struct sy_generation *generation)
{
    return generation->slab_bytes - generation->used_bytes;
}

static sy_ref carve(struct sy_generation *generation, size_t bytes)
{
    size_t start = generation->used_bytes;
    size_t padded = (bytes + UNIT - 1) / UNIT * UNIT;
    SY_ASSERT(padded <= generation->slab_bytes - start);
    generation->used_bytes = start + padded;
    return (sy_ref)(start / UNIT);
}

// Stands before the first key >= key, level by level. Returns the node that follows, or 0.
static sy_ref find(const struct sy_generation *generation, size_t bucket, const struct sy_hash *key,
                   sy_ref before[SY_GENERATION_LEVELS])
{
    sy_ref node = 0;
    sy_ref next = 0;
    for (unsigned level = SY_GENERATION_LEVELS; level-- > 0;) {
        for (;;) {
            next = follow(links_of(generation, bucket, node) + 4 * level);
            if (!next || sy_hash_compare(node_key(generation, next), key) >= 0) break;
            node = next;
        }
        if (before) before[level] = node;
    }
    return next;
}

static sy_ref make_version(struct sy_generation *generation, uint64_t height, sy_ref older,
                           struct sy_version version)
{
    size_t size = version.removed ? 0 : version.value.size;
    SY_ASSERT(size < REMOVED);
    sy_ref ref = carve(generation, VERSION_BYTES + size);
    uint8_t *p = at(generation, ref);
    sy_store_u64(p, height);
    sy_store_u32(p + 8, older);
    sy_store_u32(p + 12, version.removed ? REMOVED : (uint32_t)size);
    if (size > 0) memcpy(p + VERSION_BYTES, version.value.data, size);
    return ref;
}

// A node stands on level k with chance 4^-k (Pugh 1990, "Skip lists").
static unsigned draw_levels(struct sy_generation *generation)
{
    unsigned levels = 1;
    uint64_t bits = sy_prng_next(&generation->prng);
    while (levels < SY_GENERATION_LEVELS && (bits & 3) == 0) {
        levels++;
        bits >>= 2;
    }
    return levels;
}

void sy_generation_put(struct sy_generation *generation, uint64_t height, const struct sy_hash *key,
                       struct sy_version version)
{
    size_t bucket = bucket_of(generation, key);
    sy_ref before[SY_GENERATION_LEVELS];
    sy_ref node = find(generation, bucket, key, before);
    if (node && sy_hash_equal(node_key(generation, node), key)) {
        uint8_t *newest = at(generation, node) + 32;
        sy_ref older = atomic_load_explicit(link_at(newest), memory_order_relaxed);
        sy_ref ref = make_version(generation, height, older, version);
        atomic_store_explicit(link_at(newest), ref, memory_order_release);
        return;
    }
    unsigned levels = draw_levels(generation);
    sy_ref ref = make_version(generation, height, 0, version);
    sy_ref fresh = carve(generation, NODE_NEXT_OFFSET + 4 * (size_t)levels);
    uint8_t *p = at(generation, fresh);
    memcpy(p, key->bytes, 32);
    atomic_init(link_at(p + 32), ref);
    sy_store_u32(p + NODE_LEVELS_OFFSET, levels);
    for (unsigned level = 0; level < levels; level++) {
        sy_ref next = follow(links_of(generation, bucket, before[level]) + 4 * level);
        atomic_init(link_at(p + NODE_NEXT_OFFSET + 4 * level), next);
    }
    // The node is whole before any list leads to it; the lowest list, which decides, comes first.
    for (unsigned level = 0; level < levels; level++) {
        uint8_t *before_link = links_of(generation, bucket, before[level]) + 4 * level;
        atomic_store_explicit(link_at(before_link), fresh, memory_order_release);
    }
}

void sy_generation_expect(const struct sy_generation *generation, const struct sy_hash *key,
                          bool deep)
{
    uint8_t *head = head_of(generation, bucket_of(generation, key));
    if (!deep) {
        __builtin_prefetch(head, 1);
        return;
    }
    // A node's key and what follows it may lie in two lines.
    sy_ref node = follow(head);
    if (!node) return;
    __builtin_prefetch(at(generation, node), 1);
    __builtin_prefetch(at(generation, node) + NODE_LEVELS_OFFSET, 1);
}

static bool version_at(const struct sy_generation *generation, struct sy_version *version,
                       uint64_t height, sy_ref node)
{
    sy_ref ref = follow(at(generation, node) + 32);
    while (ref) {
        const uint8_t *p = at(generation, ref);
        if (sy_load_u64(p) <= height) {
            uint32_t size = sy_load_u32(p + 12);
            version->removed = size == REMOVED;
            version->value = sy_slice_of(p + VERSION_BYTES, version->removed ? 0 : size);
            return true;
        }
        ref = sy_load_u32(p + 8);
    }
    return false;
}

bool sy_generation_get(const struct sy_generation *generation, struct sy_version *version,
                       uint64_t height, const struct sy_hash *key)
{
    sy_ref node = find(generation, bucket_of(generation, key), key, NULL);
    if (!node || !sy_hash_equal(node_key(generation, node), key)) return false;
    return version_at(generation, version, height, node);
}

// Goes on to the next bucket that is not empty while the cursor stands on no node.
static void skip_empty(struct sy_generation_cursor *cursor)
{
    while (!cursor->node && ++cursor->bucket < bucket_count(cursor->generation)) {
        cursor->node = follow(head_of(cursor->generation, cursor->bucket));
    }
}

void sy_generation_seek(struct sy_generation_cursor *cursor, const struct sy_generation *generation,
                        const struct sy_hash *key)
{
    cursor->generation = generation;
    cursor->bucket = bucket_of(generation, key);
    cursor->node = find(generation, cursor->bucket, key, NULL);
    skip_empty(cursor);
}

void sy_generation_next(struct sy_generation_cursor *cursor)
{
    if (!cursor->node) return;
    cursor->node = follow(at(cursor->generation, cursor->node) + NODE_NEXT_OFFSET);
    skip_empty(cursor);
}

const struct sy_hash *sy_generation_key(const struct sy_generation_cursor *cursor)
{
    return cursor->node ? node_key(cursor->generation, cursor->node) : NULL;
}

bool sy_generation_at(const struct sy_generation_cursor *cursor, struct sy_version *version,
                      uint64_t height)
{
    return cursor->node && version_at(cursor->generation, version, height, cursor->node);
}
