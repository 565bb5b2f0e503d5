/* trie.h: the Merkle trie over state, from which every header's state root comes.
 *
 * The map key hash -> value is hashed as a compact binary trie (DESIGN.md, "State"). Bit 0 of a key
 * hash is the most significant bit of its first byte; 0 goes left, 1 right.
 *
 *     root of no leaves    32 zero bytes
 *     root of one leaf     SHA-256(0x03 || key hash || SHA-256(value)), at whatever depth
 *     otherwise            SHA-256(0x05 || root of the left half || root of the right half)
 *
 * So the root depends on the set alone. Two leaves whose key hashes share k bits cost k levels of
 * half-empty nodes, which is why grinding ids deepens a path by one level for each doubling of the
 * work and buys nothing else.
 *
 * What is kept in memory. A node is {leaf count, hash, expanded?}. An expanded node's children are
 * kept too; a node that is not expanded is a bucket, whose leaves are read from the source again
 * when one of them changes (that is the point: leaves are many, and they are on disk anyway). Of a
 * bucket of one leaf some bits of its key are kept, so that it is not read when another key comes
 * to lie beside it, and keys that are nowhere are known to be.
 * Buckets split when they hold more than `bucket_leaves` leaves.
 *
 *     depth 0 .. depth      a flat heap: node i has the children 2i and 2i + 1. The array doubles
 *                           (one level more) when there are more than bucket_leaves leaves a place
 *                           on the last level; nothing is recomputed, buckets split when touched.
 *     below the heap        a hash table keyed by (depth, prefix), for buckets on the heap's last
 *                           level that hold more than 16 leaves: the tail of the distribution, and
 *                           floods of ground ids, which thereby cost their path and not their
 *                           number.
 *
 * Updating takes all changes of a block at once, sorted; each inner node above them is hashed once.
 * Memory is the trie's own (it grows with state) and accounted: a node takes 36 bytes, so small
 * buckets buy speed with memory, 72 to 144 bytes a leaf at 1 leaf a bucket, 9 to 18 at 8. A bound
 * stops the heap from growing, after which buckets grow to 16 leaves and the rest goes below the
 * heap. One thread. */
#ifndef SY_LEDGER_TRIE_H
#define SY_LEDGER_TRIE_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/ledger/source.h"
#include "core/wire/proof.h"

typedef struct sy_trie sy_trie;

/* A bucket above this is always split, whatever memory says. */
#define SY_TRIE_BUCKET_MAX 16u

struct sy_trie_config {
    unsigned bucket_leaves;  /* 1..16; 0: 1 */
    size_t memory_bytes_max; /* the heap does not grow beyond; 0: no bound */
    size_t changes_max;      /* changes of one update at most; at least 1 */
};

/* One changed key. Changes of an update ascend strictly by key hash. A change that says what is
 * so already is harmless. was_present must not be true of a key that the trie does not hold: it
 * spares reading a bucket all of whose leaves are known to change. */
struct sy_trie_change {
    struct sy_hash key_hash;
    struct sy_hash value_hash; /* SHA-256(value); ignored unless present */
    bool present;              /* false: the key is gone */
    bool was_present;          /* before this update; false when unknown */
};

struct sy_trie_info {
    uint64_t leaves;
    unsigned heap_depth;
    uint64_t deep_nodes; /* kept below the heap */
    size_t memory_bytes; /* held by the trie */
    uint64_t hashes;     /* trie nodes and leaves hashed since open */
    uint64_t scans;      /* buckets read from the source since open */
    uint64_t scanned;    /* leaves those reads gave */
};

/* sy_trie_open makes an empty trie. SY_ERR_NO_MEMORY, SY_ERR_ARGUMENT. */
sy_status sy_trie_open(sy_trie **trie, const struct sy_trie_config *config);

/* sy_trie_close frees it. NULL is fine. */
void sy_trie_close(sy_trie *trie);

/* sy_trie_rebuild replaces the contents by everything the source holds. */
sy_status sy_trie_rebuild(sy_trie *trie, const struct sy_state_source *source);

/* sy_trie_update applies count changes. The source may hold the state before them or after them,
 * or anything between: the changes win. On any failure (the source's, or SY_ERR_NO_MEMORY,
 * SY_ERR_LIMIT for too many changes or 2^31 leaves) the trie is no longer usable except to be
 * rebuilt or closed. */
sy_status sy_trie_update(sy_trie *trie, const struct sy_trie_change *changes, size_t count,
                         const struct sy_state_source *source);

/* sy_trie_root gives the root of what was updated last. */
void sy_trie_root(const sy_trie *trie, struct sy_hash *root);

/* sy_trie_prove fills siblings, presence, and the other leaf of an absent key. It does not fill
 * proof->value: whoever holds the source does. changes: those that the source may not show yet
 * (the newest update's), or none. */
sy_status sy_trie_prove(sy_trie *trie, struct sy_state_proof *proof, const struct sy_hash *key_hash,
                        const struct sy_trie_change *changes, size_t count,
                        const struct sy_state_source *source);

/* sy_trie_may_hold is false when the trie holds no such key; true says that it may, and that the
 * source must be asked. It costs a place or two in memory. */
bool sy_trie_may_hold(const sy_trie *trie, const struct sy_hash *key_hash);

/* sy_trie_expect brings near what sy_trie_may_hold and an update would read of this key. It changes
 * nothing. */
void sy_trie_expect(const sy_trie *trie, const struct sy_hash *key_hash);

/* sy_trie_heap_depth is how deep the flat heap reaches. sy_trie_copy_top copies the hashes of the
 * nodes down to depth (at most that) into a heap of 2 << depth; [0] is zero, and so is what lies
 * below a bucket, whose children are not kept. */
unsigned sy_trie_heap_depth(const sy_trie *trie);
void sy_trie_copy_top(const sy_trie *trie, struct sy_hash *hashes, unsigned depth);

void sy_trie_get_info(const sy_trie *trie, struct sy_trie_info *info);

/* sy_trie_root_of computes the root of leaves given as sorted changes (all present) without any
 * trie: for genesis, and for checking. */
void sy_trie_root_of(struct sy_hash *root, const struct sy_trie_change *leaves, size_t count);

#endif
