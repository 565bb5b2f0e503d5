/* merkle.h: RFC 6962 Merkle trees over leaf hashes: roots, audit paths, verification.
 *
 * MTH of RFC 6962 2.1 (odd leaves are never duplicated: CVE-2012-2459), audit paths of 2.1.1.
 * The root of no leaves is SHA-256(""). A path holds siblings from the leaf upwards. Pure. */
#ifndef SY_CRYPTO_MERKLE_H
#define SY_CRYPTO_MERKLE_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/crypto/sha256_many.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A tree of 2^32 leaves has 32 levels. */
#define SY_MERKLE_PATH_MAX 32

struct sy_merkle_path {
    uint64_t leaf_index;
    uint64_t leaf_count;
    uint32_t count; /* siblings */
    struct sy_hash siblings[SY_MERKLE_PATH_MAX];
};

/* sy_merkle_root computes the root of count leaf hashes. scratch: count / 2 + 1 hashes of room,
 * which may be the leaves themselves when they are no longer needed. Hashes by
 * sy_sha256_many_best; sy_merkle_root_by does by the way given. */
void sy_merkle_root(struct sy_hash *root, struct sy_hash *scratch, const struct sy_hash *leaves,
                    size_t count);
void sy_merkle_root_by(const struct sy_sha256_many *way, struct sy_hash *root,
                       struct sy_hash *scratch, const struct sy_hash *leaves, size_t count);

/* sy_merkle_path_make fills the audit path of leaf index. scratch: as above. Asserts that
 * index < count <= 2^32. */
void sy_merkle_path_make(struct sy_merkle_path *path, struct sy_hash *scratch,
                         const struct sy_hash *leaves, size_t count, size_t index);

/* sy_merkle_path_root computes the root that path leads to from leaf (RFC 9162 2.1.3.2). False when
 * the path's length does not fit its index and count, which a decoder may have taken from a
 * stranger; root is then untouched. */
bool sy_merkle_path_root(struct sy_hash *root, const struct sy_merkle_path *path,
                         const struct sy_hash *leaf);

/* sy_merkle_path_length is the number of siblings for leaf index of count leaves, or
 * SY_MERKLE_PATH_IMPOSSIBLE, which no path has, when index >= count or count > 2^32. */
#define SY_MERKLE_PATH_IMPOSSIBLE (SY_MERKLE_PATH_MAX + 1u)
uint32_t sy_merkle_path_length(uint64_t index, uint64_t count);

#ifdef __cplusplus
}
#endif
#endif
