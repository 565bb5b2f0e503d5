/* trie_levels.c: see trie_levels.h. */
#include "core/ledger/trie_levels.h"

#include "core/base/assert.h"
#include "core/crypto/sha256_many.h"

#define NODE_PREFIX 0x05
#define PAIRS_MAX 64u /* hashed by one call */

void sy_trie_levels_clear(struct sy_trie_levels *levels)
{
    levels->count = 0;
    memset(levels->first, 0, sizeof levels->first);
}

void sy_trie_levels_add(struct sy_trie_levels *levels, unsigned depth, const struct sy_hash *key)
{
    SY_ASSERT(depth < SY_NODES_HEAP_DEPTH_MAX);
    SY_ASSERT(levels->count < SY_TRIE_LEVELS_MAX);
    levels->index[levels->count] = sy_nodes_heap_index(depth, key);
    levels->next[levels->count] = levels->first[depth];
    levels->first[depth] = ++levels->count;
}

/* Nodes whose hashes are made by one call. */
struct pairs {
    struct sy_hash children[2 * PAIRS_MAX];
    struct sy_node *nodes[PAIRS_MAX];
    size_t count;
};

static void make_pairs(struct pairs *pairs, uint64_t *hashes)
{
    SY_ASSERT(pairs->count <= PAIRS_MAX);
    sy_sha256_many_best()->pairs(pairs->children, pairs->children, pairs->count, NODE_PREFIX);
    for (size_t i = 0; i < pairs->count; i++) pairs->nodes[i]->hash = pairs->children[i];
    *hashes += pairs->count;
    pairs->count = 0;
}

/* Counts a node's leaves, and takes it into pairs unless it has fewer than two. */
static sy_status take_node(struct pairs *pairs, struct sy_node *node,
                           const struct sy_node children[2])
{
    uint32_t left = sy_node_count(&children[0]), right = sy_node_count(&children[1]);
    SY_ASSERT(left > 0 || sy_hash_is_zero(&children[0].hash));
    SY_ASSERT(right > 0 || sy_hash_is_zero(&children[1].hash));
    uint64_t count = (uint64_t)left + right;
    if (count > SY_NODES_COUNT_MAX) return SY_ERR_LIMIT;
    node->bits = SY_NODES_EXPANDED | (uint32_t)count;
    if (count <= 1) {
        node->hash = children[left == 1 ? 0 : 1].hash;
        return SY_OK;
    }
    pairs->children[2 * pairs->count] = children[0].hash;
    pairs->children[2 * pairs->count + 1] = children[1].hash;
    pairs->nodes[pairs->count++] = node;
    return SY_OK;
}

sy_status sy_trie_levels_make(struct sy_trie_levels *levels, struct sy_nodes *nodes,
                              uint64_t *hashes)
{
    struct pairs pairs;
    pairs.count = 0;
    SY_ASSERT(nodes->heap_depth <= SY_NODES_HEAP_DEPTH_MAX);
    for (unsigned depth = nodes->heap_depth; depth-- > 0;) {
        for (uint32_t i = levels->first[depth]; i > 0; i = levels->next[i - 1]) {
            size_t index = levels->index[i - 1];
            SY_ASSERT(index >> depth == 1);
            SY_TRY(take_node(&pairs, &nodes->heap[index], &nodes->heap[2 * index]));
            if (pairs.count == PAIRS_MAX) make_pairs(&pairs, hashes);
        }
        make_pairs(&pairs, hashes);
    }
    sy_trie_levels_clear(levels);
    return SY_OK;
}
