/* trie_hash.h: the root of a sorted run of leaves (internal to core/ledger). */
#ifndef SY_LEDGER_TRIE_HASH_H
#define SY_LEDGER_TRIE_HASH_H

#include <stdbool.h>

#include "core/base/bytes.h"

struct sy_trie_leaf {
    struct sy_hash key_hash;
    struct sy_hash value_hash;
    struct sy_hash hash; /* sy_trie_leaf of the two */
};

/* sy_trie_combine is the root of a node whose halves have these roots and counts. *hashes counts
 * what was hashed. */
void sy_trie_combine(struct sy_hash *out, const struct sy_hash *left, uint32_t left_count,
                     const struct sy_hash *right, uint32_t right_count, uint64_t *hashes);

/* sy_trie_run_root is the root, seen at `depth`, of count leaves that ascend strictly by key hash
 * and share at least their first `depth` bits. No leaves: zero. */
void sy_trie_run_root(struct sy_hash *root, const struct sy_trie_leaf *leaves, size_t count,
                      unsigned depth, uint64_t *hashes);

/* sy_trie_packed_root does the same for the entries of a chunk: deltas, all of them puts. False:
 * they are malformed, or do not share those bits. No memory is made. */
bool sy_trie_packed_root(struct sy_hash *root, struct sy_slice entries, unsigned depth);

/* sy_trie_common_bits is how many leading bits two key hashes share (256: equal). */
unsigned sy_trie_common_bits(const struct sy_hash *a, const struct sy_hash *b);

#endif
