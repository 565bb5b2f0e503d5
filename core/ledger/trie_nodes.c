/* trie_nodes.c: the trie's nodes in memory; see trie_nodes.h. */
#include "core/ledger/trie_nodes.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/base/siphash.h"

#define DEEP_SLOTS_MIN 64u
#define EXPECTED_LEVELS 5u // Those above are few and soon in the cache.

static size_t heap_bytes(unsigned depth)
{
    SY_ASSERT(depth <= SY_NODES_HEAP_DEPTH_MAX);
    return ((size_t)2 << depth) * sizeof(struct sy_node);
}

void sy_trie_half(struct sy_hash *out, const struct sy_hash *key, unsigned depth, unsigned bit)
{
    SY_ASSERT(depth < 256 && bit < 2);
    sy_hash_prefix(out, key, depth);
    out->bytes[depth / 8] |= (uint8_t)(bit << (7 - depth % 8));
}

bool sy_trie_next_prefix(struct sy_hash *prefix, unsigned bits)
{
    SY_ASSERT(bits <= 256);
    for (unsigned i = bits; i-- > 0;) {
        uint8_t mask = (uint8_t)(0x80u >> (i % 8));
        prefix->bytes[i / 8] ^= mask;
        if ((prefix->bytes[i / 8] & mask) != 0) return true;
    }
    return false;
}

unsigned sy_trie_widen_prefix(const struct sy_hash *prefix, unsigned bits, unsigned bits_min)
{
    SY_ASSERT(bits <= 256);
    while (bits > bits_min && sy_trie_bit(prefix, bits - 1) == 0) bits--;
    return bits;
}

size_t sy_trie_split(const void *items, size_t item_bytes, size_t lo, size_t hi, unsigned depth)
{
    SY_ASSERT(depth < 256);
    SY_ASSERT(lo <= hi && item_bytes >= sizeof(struct sy_hash));
    while (lo < hi) {
        size_t middle = lo + (hi - lo) / 2;
        struct sy_hash key;
        memcpy(&key, (const uint8_t *)items + middle * item_bytes, sizeof key);
        if (sy_trie_bit(&key, depth) == 0) {
            lo = middle + 1;
        } else {
            hi = middle;
        }
    }
    return lo;
}

/* The first `depth` bits as a number. */
static uint32_t prefix_number(const struct sy_hash *key, unsigned depth)
{
    SY_ASSERT(depth <= SY_NODES_HEAP_DEPTH_MAX);
    uint32_t top = (uint32_t)key->bytes[0] << 24 | (uint32_t)key->bytes[1] << 16 |
                   (uint32_t)key->bytes[2] << 8 | key->bytes[3];
    return depth == 0 ? 0 : top >> (32 - depth);
}

sy_status sy_nodes_open(struct sy_nodes *nodes, size_t memory_bytes_max)
{
    *nodes = (struct sy_nodes){.memory_bytes_max = memory_bytes_max};
    SY_ASSERT(nodes->deep == NULL && nodes->heap_depth == 0);
    sy_os_random(nodes->seed, sizeof nodes->seed);
    void *heap =
        mmap(NULL, heap_bytes(0), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (heap == MAP_FAILED) return SY_ERR_NO_MEMORY;
    nodes->heap = heap;
    return SY_OK;
}

void sy_nodes_close(struct sy_nodes *nodes)
{
    if (nodes->heap != NULL) (void)munmap(nodes->heap, heap_bytes(nodes->heap_depth));
    free(nodes->deep);
    *nodes = (struct sy_nodes){.heap = NULL};
}

void sy_nodes_clear(struct sy_nodes *nodes)
{
    SY_ASSERT(nodes->heap != NULL && nodes->deep_count <= nodes->deep_slots);
    memset(nodes->heap, 0, heap_bytes(nodes->heap_depth));
    if (nodes->deep != NULL) memset(nodes->deep, 0, nodes->deep_slots * sizeof *nodes->deep);
    nodes->deep_count = 0;
}

size_t sy_nodes_bytes(const struct sy_nodes *nodes)
{
    return heap_bytes(nodes->heap_depth) + nodes->deep_slots * sizeof *nodes->deep;
}

// --- the table below the heap ------------------------------------------------------------------

/* The slot where (depth, prefix) belongs. Ground ids choose prefixes, so the hash is keyed. */
static size_t home_slot(const struct sy_nodes *nodes, unsigned depth, const struct sy_hash *prefix)
{
    SY_ASSERT((nodes->deep_slots & (nodes->deep_slots - 1)) == 0);
    SY_ASSERT(depth > 0 && depth <= 256);
    uint8_t bytes[34];
    memcpy(bytes, prefix->bytes, 32);
    sy_store_u16(bytes + 32, (uint16_t)depth);
    return (size_t)sy_siphash13(nodes->seed, bytes, sizeof bytes) & (nodes->deep_slots - 1);
}

/* The slot that holds (depth, prefix), or the free slot where it would go. */
static size_t probe(const struct sy_nodes *nodes, unsigned depth, const struct sy_hash *prefix)
{
    SY_ASSERT(nodes->deep_count < nodes->deep_slots);
    size_t slot = home_slot(nodes, depth, prefix);
    while (nodes->deep[slot].depth != 0) {
        const struct sy_deep_node *entry = &nodes->deep[slot];
        if (entry->depth == depth && sy_hash_equal(&entry->prefix, prefix)) break;
        slot = (slot + 1) & (nodes->deep_slots - 1);
    }
    return slot;
}

static sy_status enlarge_deep(struct sy_nodes *nodes)
{
    struct sy_deep_node *old = nodes->deep;
    size_t old_slots = nodes->deep_slots;
    SY_ASSERT(nodes->deep_count <= old_slots);
    size_t slots = old_slots == 0 ? DEEP_SLOTS_MIN : old_slots * 2;
    struct sy_deep_node *deep = calloc(slots, sizeof *deep);
    if (deep == NULL) return SY_ERR_NO_MEMORY;
    nodes->deep = deep;
    nodes->deep_slots = slots;
    for (size_t i = 0; i < old_slots; i++) {
        if (old[i].depth != 0) deep[probe(nodes, old[i].depth, &old[i].prefix)] = old[i];
    }
    free(old);
    return SY_OK;
}

/* Backward-shift deletion: no tombstones, so probing never degrades. */
static void free_slot(struct sy_nodes *nodes, size_t hole)
{
    SY_ASSERT(hole < nodes->deep_slots && nodes->deep_count > 0);
    SY_ASSERT(nodes->deep[hole].depth != 0);
    size_t mask = nodes->deep_slots - 1;
    for (size_t i = (hole + 1) & mask; nodes->deep[i].depth != 0; i = (i + 1) & mask) {
        size_t home = home_slot(nodes, nodes->deep[i].depth, &nodes->deep[i].prefix);
        // An entry may move back into the hole only if its home does not lie between the two.
        if (((i - home) & mask) < ((i - hole) & mask)) continue;
        nodes->deep[hole] = nodes->deep[i];
        hole = i;
    }
    nodes->deep[hole].depth = 0;
    nodes->deep_count--;
}

static sy_status put_deep(struct sy_nodes *nodes, unsigned depth, const struct sy_hash *key,
                          const struct sy_node *node)
{
    SY_ASSERT(depth > nodes->heap_depth && depth <= 256);
    SY_ASSERT(sy_node_count(node) > 0);
    if (nodes->deep_count >= nodes->deep_slots / 4 * 3) SY_TRY(enlarge_deep(nodes));
    struct sy_hash prefix;
    sy_hash_prefix(&prefix, key, depth);
    struct sy_deep_node *entry = &nodes->deep[probe(nodes, depth, &prefix)];
    if (entry->depth == 0) nodes->deep_count++;
    *entry = (struct sy_deep_node){.prefix = prefix, .node = *node, .depth = (uint16_t)depth};
    return SY_OK;
}

// --- both --------------------------------------------------------------------------------------

uint32_t sy_nodes_heap_index(unsigned depth, const struct sy_hash *key)
{
    SY_ASSERT(depth <= SY_NODES_HEAP_DEPTH_MAX);
    return (uint32_t)1 << depth | prefix_number(key, depth);
}

struct sy_node *sy_nodes_find(const struct sy_nodes *nodes, unsigned depth,
                              const struct sy_hash *key)
{
    SY_ASSERT(depth <= 256);
    SY_ASSERT(nodes->heap != NULL);
    if (depth <= nodes->heap_depth) {
        return &nodes->heap[sy_nodes_heap_index(depth, key)];
    }
    if (nodes->deep_count == 0) return NULL;
    struct sy_hash prefix;
    sy_hash_prefix(&prefix, key, depth);
    struct sy_deep_node *entry = &nodes->deep[probe(nodes, depth, &prefix)];
    return entry->depth == 0 ? NULL : &entry->node;
}

bool sy_nodes_may_hold(const struct sy_nodes *nodes, const struct sy_hash *key)
{
    // From the last level up: there, most places of few leaves are empty or hold the leaf.
    uint32_t index = sy_nodes_heap_index(nodes->heap_depth, key);
    const struct sy_node *node = &nodes->heap[index];
    while (node->bits == 0 && index > 1) {
        index /= 2;
        node = &nodes->heap[index];
        if (sy_node_expanded(node)) return false; // what it has is in the other half
    }
    if (sy_node_is_lone(node)) return sy_node_tag(node) == sy_nodes_tag(key);
    return node->bits != 0;
}

void sy_nodes_lone_key(struct sy_hash *out, const struct sy_node *node, unsigned depth,
                       const struct sy_hash *key)
{
    SY_ASSERT(sy_node_is_lone(node) && depth >= SY_NODES_TAG_FROM && depth <= 256);
    sy_hash_prefix(out, key, depth);
    uint64_t tag = (uint64_t)sy_node_tag(node) << (64 - SY_NODES_TAG_FROM - SY_NODES_TAG_BITS);
    sy_store_u64_be(out->bytes, sy_load_u64_be(out->bytes) | tag);
}

void sy_nodes_expect(const struct sy_nodes *nodes, const struct sy_hash *key)
{
    unsigned depth = nodes->heap_depth;
    for (unsigned i = 0; i < EXPECTED_LEVELS && depth > 0; i++, depth--) {
        // A node's sibling, which its parent's hash needs, lies beside it.
        const struct sy_node *node = &nodes->heap[sy_nodes_heap_index(depth, key)];
        __builtin_prefetch(node, 1);
        __builtin_prefetch((const uint8_t *)node + sizeof *node, 1);
    }
}

void sy_nodes_children(const struct sy_nodes *nodes, struct sy_node children[2], unsigned depth,
                       const struct sy_hash *key)
{
    SY_ASSERT(depth < 256);
    if (depth < nodes->heap_depth) {
        size_t index = sy_nodes_heap_index(depth, key);
        memcpy(children, &nodes->heap[2 * index], 2 * sizeof *children);
        return;
    }
    for (unsigned side = 0; side < 2; side++) {
        struct sy_hash prefix;
        sy_trie_half(&prefix, key, depth, side);
        const struct sy_node *found = sy_nodes_find(nodes, depth + 1, &prefix);
        children[side] = found == NULL ? (struct sy_node){.bits = 0} : *found;
    }
}

sy_status sy_nodes_put(struct sy_nodes *nodes, unsigned depth, const struct sy_hash *key,
                       const struct sy_node *node)
{
    SY_ASSERT(depth <= 256);
    SY_ASSERT(sy_node_count(node) > 0 || sy_hash_is_zero(&node->hash));
    if (depth > nodes->heap_depth) {
        if (sy_node_count(node) != 0) return put_deep(nodes, depth, key, node);
        sy_nodes_remove(nodes, depth, key);
        return SY_OK;
    }
    *sy_nodes_find(nodes, depth, key) = *node;
    return SY_OK;
}

void sy_nodes_remove(struct sy_nodes *nodes, unsigned depth, const struct sy_hash *key)
{
    struct sy_node *node = sy_nodes_find(nodes, depth, key);
    if (node == NULL) return;
    if (depth <= nodes->heap_depth) {
        *node = (struct sy_node){.bits = 0};
        return;
    }
    struct sy_hash prefix;
    sy_hash_prefix(&prefix, key, depth);
    free_slot(nodes, probe(nodes, depth, &prefix));
}

bool sy_nodes_can_grow(const struct sy_nodes *nodes)
{
    if (nodes->heap_depth >= SY_NODES_HEAP_DEPTH_MAX) return false;
    return nodes->memory_bytes_max == 0 ||
           heap_bytes(nodes->heap_depth + 1) + nodes->deep_slots * sizeof *nodes->deep <=
               nodes->memory_bytes_max;
}

/* The children of every expanded node of the level that was the last one lie in the table. */
static void move_level(struct sy_nodes *nodes, unsigned parent_depth)
{
    SY_ASSERT(parent_depth + 1 == nodes->heap_depth && parent_depth < 31);
    size_t first = (size_t)1 << parent_depth;
    for (size_t i = 0; i < first && nodes->deep_count > 0; i++) {
        if (!sy_node_expanded(&nodes->heap[first | i])) continue;
        for (size_t child = 2 * i; child <= 2 * i + 1; child++) {
            struct sy_hash prefix = {{0}};
            uint32_t top = (uint32_t)child << (31 - parent_depth);
            for (int b = 0; b < 4; b++) prefix.bytes[b] = (uint8_t)(top >> (24 - 8 * b));
            size_t slot = probe(nodes, parent_depth + 1, &prefix);
            if (nodes->deep[slot].depth == 0) continue;
            nodes->heap[2 * first | child] = nodes->deep[slot].node;
            free_slot(nodes, slot);
        }
    }
}

/* A larger heap with the same nodes, the rest zero; MAP_FAILED leaves the old one as it is. */
static void *enlarge_heap(void *old, size_t old_bytes, size_t bytes)
{
    SY_ASSERT(old != NULL && bytes > old_bytes);
#ifdef __SANITIZE_THREAD__
    // The thread sanitizer does not see mremap: it takes the next mapping at the old place for the
    // same memory, and two ledgers of one process for a race.
    void *heap = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (heap == MAP_FAILED) return heap;
    memcpy(heap, old, old_bytes);
    (void)munmap(old, old_bytes);
    return heap;
#else
    return mremap(old, old_bytes, bytes, MREMAP_MAYMOVE);
#endif
}

sy_status sy_nodes_grow(struct sy_nodes *nodes)
{
    SY_ASSERT(sy_nodes_can_grow(nodes));
    size_t old_bytes = heap_bytes(nodes->heap_depth);
    void *heap = enlarge_heap(nodes->heap, old_bytes, heap_bytes(nodes->heap_depth + 1));
    if (heap == MAP_FAILED) return SY_ERR_NO_MEMORY;
    nodes->heap = heap;
    nodes->heap_depth++;
    // Bytes beyond the old end that shared its last page were never touched, so all are zero.
    move_level(nodes, nodes->heap_depth - 1);
    return SY_OK;
}
