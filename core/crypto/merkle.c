/* merkle.c: RFC 6962 trees, level by level.
 *
 * RFC 6962 2.1 splits n leaves at the largest power of two below n, recursively. Pairing neighbours
 * from the left at each level, and letting a last odd node rise unchanged, gives the same tree:
 * every left subtree is full, so its nodes pair within it. That needs no recursion, and a node's
 * place in the next level is its index halved, which is also how a path is walked. */
#include "core/crypto/merkle.h"

#include "core/base/assert.h"
#include "core/crypto/hash.h"

#define LEAVES_MAX ((uint64_t)1 << SY_MERKLE_PATH_MAX)

/* A large tree is raised block by block at first, so that lower levels stay in a core's cache. */
#define BLOCK_LEVELS 7u
#define BLOCK_LEAVES ((size_t)64 << BLOCK_LEVELS)

// Writes the level above count > 1 nodes; to may be from, as nothing is written before it was read.
static size_t raise_level(const struct sy_sha256_many *way, struct sy_hash *to,
                          const struct sy_hash *from, size_t count)
{
    size_t pairs = count / 2;
    way->pairs(to, from, pairs, SY_HASH_NODE_PREFIX);
    if (count % 2 == 1) to[pairs] = from[count - 1];
    return pairs + count % 2;
}

// Writes the BLOCK_LEVELS-th level above count nodes, as if level by level: blocks are of a power
// of two, so only the last one can have odd nodes. A block's levels lie below the leaves of the
// next, so to may be from here too.
static size_t raise_blocks(const struct sy_sha256_many *way, struct sy_hash *to,
                           const struct sy_hash *from, size_t count)
{
    size_t raised = 0;
    for (size_t first = 0; first < count; first += BLOCK_LEAVES) {
        size_t width = count - first < BLOCK_LEAVES ? count - first : BLOCK_LEAVES;
        const struct sy_hash *level = from + first;
        for (unsigned i = 0; i < BLOCK_LEVELS; i++, level = to + raised) {
            width = raise_level(way, to + raised, level, width);
        }
        raised += width;
    }
    return raised;
}

void sy_merkle_root_by(const struct sy_sha256_many *way, struct sy_hash *root,
                       struct sy_hash *scratch, const struct sy_hash *leaves, size_t count)
{
    const struct sy_hash *level = leaves;
    if (count == 0) {
        sy_sha256(root, NULL, 0);
        return;
    }
    for (; count > BLOCK_LEAVES; level = scratch) count = raise_blocks(way, scratch, level, count);
    for (; count > 1; level = scratch) count = raise_level(way, scratch, level, count);
    *root = level[0];
}

void sy_merkle_root(struct sy_hash *root, struct sy_hash *scratch, const struct sy_hash *leaves,
                    size_t count)
{
    sy_merkle_root_by(sy_sha256_many_best(), root, scratch, leaves, count);
}

void sy_merkle_path_make(struct sy_merkle_path *path, struct sy_hash *scratch,
                         const struct sy_hash *leaves, size_t count, size_t index)
{
    const struct sy_sha256_many *way = sy_sha256_many_best();
    const struct sy_hash *level = leaves;
    SY_ASSERT(index < count && count <= LEAVES_MAX);
    path->leaf_index = index;
    path->leaf_count = count;
    path->count = 0;
    for (; count > 1; index /= 2, level = scratch) {
        size_t sibling = index ^ 1;
        if (sibling < count) path->siblings[path->count++] = level[sibling];
        count = raise_level(way, scratch, level, count);
    }
}

uint32_t sy_merkle_path_length(uint64_t index, uint64_t count)
{
    uint32_t length = 0;
    if (index >= count || count > LEAVES_MAX) return SY_MERKLE_PATH_IMPOSSIBLE;
    for (; count > 1; index /= 2, count = count / 2 + count % 2) {
        if ((index ^ 1) < count) length++;
    }
    return length;
}

bool sy_merkle_path_root(struct sy_hash *root, const struct sy_merkle_path *path,
                         const struct sy_hash *leaf)
{
    uint64_t index = path->leaf_index;
    uint64_t count = path->leaf_count;
    const struct sy_hash *sibling = path->siblings;
    struct sy_hash node = *leaf;
    if (path->count > SY_MERKLE_PATH_MAX) return false;
    if (path->count != sy_merkle_path_length(index, count)) return false;
    for (; count > 1; index /= 2, count = count / 2 + count % 2) {
        if ((index ^ 1) >= count) continue; // the last odd node rises
        if (index % 2 == 1) {
            sy_hash_node(&node, sibling, &node);
        } else {
            sy_hash_node(&node, &node, sibling);
        }
        sibling++;
    }
    *root = node;
    return true;
}
