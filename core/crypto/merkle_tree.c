#include "core/crypto/merkle_tree.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"

/* Nodes of all levels together: under 2 * count, and one more a level. */
static size_t node_count(size_t count)
{
    return 2 * count + SY_MERKLE_PATH_MAX + 1;
}

sy_status sy_merkle_tree_build(struct sy_merkle_tree *tree, const struct sy_hash *leaves,
                               size_t count)
{
    if (tree->capacity < node_count(count)) {
        struct sy_hash *grown =
            (struct sy_hash *)realloc(tree->nodes, node_count(count) * sizeof *grown);
        if (grown == NULL) return SY_ERR_NO_MEMORY;
        tree->nodes = grown;
        tree->capacity = node_count(count);
    }
    tree->leaf_count = count;
    if (count == 0) {
        sy_sha256(&tree->root, "", 0);
        return SY_OK;
    }
    memcpy(tree->nodes, leaves, count * sizeof *leaves);
    const struct sy_sha256_many *way = sy_sha256_many_best();
    struct sy_hash *level = tree->nodes;
    size_t width = count;
    while (width > 1) {
        struct sy_hash *above = level + width;
        way->pairs(above, level, width / 2, SY_HASH_NODE_PREFIX);
        if (width % 2 == 1) above[width / 2] = level[width - 1];
        width = (width + 1) / 2;
        level = above;
    }
    tree->root = level[0];
    return SY_OK;
}

void sy_merkle_tree_path(const struct sy_merkle_tree *tree, struct sy_merkle_path *path,
                         size_t index)
{
    SY_ASSERT(index < tree->leaf_count);
    path->leaf_index = index;
    path->leaf_count = tree->leaf_count;
    path->count = 0;
    const struct sy_hash *level = tree->nodes;
    for (size_t width = tree->leaf_count; width > 1; width = (width + 1) / 2) {
        size_t sibling = index ^ 1;
        if (sibling < width) {
            SY_ASSERT(path->count < SY_MERKLE_PATH_MAX);
            path->siblings[path->count++] = level[sibling];
        }
        level += width;
        index /= 2;
    }
}

void sy_merkle_tree_free(struct sy_merkle_tree *tree)
{
    free(tree->nodes);
    *tree = (struct sy_merkle_tree){0};
}
