/* merkle_tree.h: a whole RFC 6962 tree kept level by level, for many paths out of one tree.
 *
 * Level 0 are the leaf hashes; a level's odd last node moves up unchanged, which gives the same
 * root and audit paths as RFC 6962 2.1's recursion. Building costs one hash an inner node; a path
 * afterwards costs none. Not thread-safe. */
#ifndef SY_CRYPTO_MERKLE_TREE_H
#define SY_CRYPTO_MERKLE_TREE_H

#include "core/crypto/merkle.h"

struct sy_merkle_tree {
    struct sy_hash *nodes; /* owned; all levels, leaves first */
    size_t capacity;
    size_t leaf_count;
    struct sy_hash root;
};

/* sy_merkle_tree_build replaces the contents. Start from a zeroed tree; memory is kept for the
 * next build. SY_ERR_NO_MEMORY. */
sy_status sy_merkle_tree_build(struct sy_merkle_tree *tree, const struct sy_hash *leaves,
                               size_t count);

/* sy_merkle_tree_path fills the audit path of leaf index < leaf_count. */
void sy_merkle_tree_path(const struct sy_merkle_tree *tree, struct sy_merkle_path *path,
                         size_t index);

/* sy_merkle_tree_free releases the memory; harmless on a zeroed tree. */
void sy_merkle_tree_free(struct sy_merkle_tree *tree);

#endif
