/* trie_nodes.h: where the trie keeps its nodes (internal to core/ledger and its tests).
 *
 * A place in the trie is (depth, prefix): the first `depth` bits of any key hash below it. Places
 * down to heap_depth lie in a flat heap, (1 << depth) | prefix; deeper ones in a hash table, where
 * an entry that is missing is an empty node. The heap is mapped memory that doubles in place when
 * it can; the table doubles by rehashing. Neither ever shrinks. */
#ifndef SY_LEDGER_TRIE_NODES_H
#define SY_LEDGER_TRIE_NODES_H

#include <stdbool.h>

#include "core/base/bytes.h"

#define SY_NODES_HEAP_DEPTH_MAX 30u
#define SY_NODES_EXPANDED 0x80000000u
#define SY_NODES_COUNT_MAX 0x7fffffffu
#define SY_NODES_BUCKET_BITS 5u /* of the count of a bucket's leaves */
#define SY_NODES_TAG_FROM 12u
#define SY_NODES_TAG_BITS 26u

/* Leaves below, the subtree's root, and whether the children are kept.
 *
 *     expanded             SY_NODES_EXPANDED | leaf count
 *     a bucket             leaf count, at most 31
 *     a bucket of one      1 | tag << 5
 *
 * The tag is bits 12 to 37 of its leaf's key hash: enough to tell most keys from it, and where they
 * part, without reading the leaf. */
struct sy_node {
    struct sy_hash hash;
    uint32_t bits;
};

static inline bool sy_node_expanded(const struct sy_node *node)
{
    return (node->bits & SY_NODES_EXPANDED) != 0;
}
static inline uint32_t sy_node_count(const struct sy_node *node)
{
    uint32_t mask = sy_node_expanded(node) ? SY_NODES_COUNT_MAX : (1u << SY_NODES_BUCKET_BITS) - 1;
    return node->bits & mask;
}

/* sy_node_is_lone says whether a node, which may be NULL, is a bucket of one leaf. sy_node_tag is
 * that leaf's tag, sy_nodes_tag that of any key hash. */
static inline bool sy_node_is_lone(const struct sy_node *node)
{
    return node != NULL && !sy_node_expanded(node) && sy_node_count(node) == 1;
}
static inline uint32_t sy_node_tag(const struct sy_node *node)
{
    return node->bits >> SY_NODES_BUCKET_BITS;
}
static inline uint32_t sy_nodes_tag(const struct sy_hash *key)
{
    uint64_t top = sy_load_u64_be(key->bytes);
    return (uint32_t)(top << SY_NODES_TAG_FROM >> (64 - SY_NODES_TAG_BITS));
}

/* sy_node_bucket_bits is what `bits` says of a bucket; key: its leaf's when there is one. */
static inline uint32_t sy_node_bucket_bits(size_t count, const struct sy_hash *key)
{
    return (uint32_t)count | (count == 1 ? sy_nodes_tag(key) << SY_NODES_BUCKET_BITS : 0);
}

struct sy_deep_node {
    struct sy_hash prefix; /* bits from `depth` on are clear */
    struct sy_node node;
    uint16_t depth; /* 0: the slot is free */
};

struct sy_nodes {
    struct sy_node *heap; /* 2 << heap_depth nodes; [0] is not used */
    unsigned heap_depth;
    size_t memory_bytes_max; /* 0: no bound */
    struct sy_deep_node *deep;
    size_t deep_slots; /* power of two */
    size_t deep_count;
    uint64_t seed[2];
};

/* bit is the index-th bit of a key hash, most significant first. index < 256. */
static inline unsigned sy_trie_bit(const struct sy_hash *key, unsigned index)
{
    return (unsigned)(key->bytes[index / 8] >> (7 - index % 8)) & 1u;
}

/* sy_nodes_open makes an empty heap of depth 0. SY_ERR_NO_MEMORY. */
sy_status sy_nodes_open(struct sy_nodes *nodes, size_t memory_bytes_max);
/* sy_nodes_close frees everything; harmless on a zeroed struct. */
void sy_nodes_close(struct sy_nodes *nodes);
/* sy_nodes_clear forgets all nodes and keeps the memory. */
void sy_nodes_clear(struct sy_nodes *nodes);

/* sy_nodes_find returns the node at (depth, first bits of key), or NULL for an empty one below the
 * heap. Valid until the next put, remove or grow. */
struct sy_node *sy_nodes_find(const struct sy_nodes *nodes, unsigned depth,
                              const struct sy_hash *key);

/* sy_nodes_heap_index is where (depth, first bits of key) lies in a heap. depth <= 30. */
uint32_t sy_nodes_heap_index(unsigned depth, const struct sy_hash *key);

/* sy_nodes_may_hold is false when no leaf has that key hash; true says that one may. */
bool sy_nodes_may_hold(const struct sy_nodes *nodes, const struct sy_hash *key);

/* sy_nodes_lone_key is what is known of the key hash of a lone leaf at (depth, first bits of key),
 * up to the end of its tag; the rest is zero. depth >= SY_NODES_TAG_FROM. */
void sy_nodes_lone_key(struct sy_hash *out, const struct sy_node *node, unsigned depth,
                       const struct sy_hash *key);

/* sy_nodes_expect has the processor fetch the lowest places of the heap above key. */
void sy_nodes_expect(const struct sy_nodes *nodes, const struct sy_hash *key);

/* sy_nodes_children copies the two children of (depth, first bits of key). depth < 256. */
void sy_nodes_children(const struct sy_nodes *nodes, struct sy_node children[2], unsigned depth,
                       const struct sy_hash *key);

/* sy_trie_half is the prefix of one half of a place: its first `depth` bits, then bit. */
void sy_trie_half(struct sy_hash *out, const struct sy_hash *key, unsigned depth, unsigned bit);

/* sy_trie_next_prefix adds one at bit `bits` - 1 of a prefix. False: it was the last of its length.
 * sy_trie_widen_prefix is the shortest length, at least bits_min, at which a prefix of `bits` bits
 * may start a run of places that follow the one before it. */
bool sy_trie_next_prefix(struct sy_hash *prefix, unsigned bits);
unsigned sy_trie_widen_prefix(const struct sy_hash *prefix, unsigned bits, unsigned bits_min);

/* sy_trie_split is the index of the first of items[lo, hi), sorted by the key hash that each starts
 * with, that goes right at `depth`, at most 255; the bits above are the same in all. */
size_t sy_trie_split(const void *items, size_t item_bytes, size_t lo, size_t hi, unsigned depth);

/* sy_nodes_put stores a node; an empty one below the heap is removed instead.
 * SY_ERR_NO_MEMORY. */
sy_status sy_nodes_put(struct sy_nodes *nodes, unsigned depth, const struct sy_hash *key,
                       const struct sy_node *node);

/* sy_nodes_remove empties a place. */
void sy_nodes_remove(struct sy_nodes *nodes, unsigned depth, const struct sy_hash *key);

/* sy_nodes_can_grow: one more level of heap is allowed by depth and memory bound. */
bool sy_nodes_can_grow(const struct sy_nodes *nodes);
/* sy_nodes_grow adds a level to the heap and moves what the table held of it. */
sy_status sy_nodes_grow(struct sy_nodes *nodes);

/* sy_nodes_bytes is the memory held. */
size_t sy_nodes_bytes(const struct sy_nodes *nodes);

#endif
