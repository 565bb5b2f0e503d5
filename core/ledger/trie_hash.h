/* trie_hash.h: roots of sorted runs of leaves (internal to core/ledger).
 *
 * The hashes of a run, and of several runs, are made together (trie_plan.h): that is what makes a
 * rebuild at start and the check of a snapshot's chunk fast. */
#ifndef SY_LEDGER_TRIE_HASH_H
#define SY_LEDGER_TRIE_HASH_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/ledger/trie_plan.h"

struct sy_trie_leaf {
    struct sy_hash key_hash;
    struct sy_hash value_hash;
    bool is_made; /* value_hash is the leaf's own hash, and key_hash only says where it belongs */
};

/* A subtree on its way up. */
struct sy_trie_subtree {
    const struct sy_hash *key; /* any key hash below it */
    uint16_t number;           /* of its root in the plan */
    uint16_t depth;            /* where its root stands; below everything: a lone leaf */
    uint16_t shared;           /* bits its first leaf shares with the leaf before it */
};

#define SY_TRIE_STACK_MAX 258u

/* Runs whose roots are on their way. Some 90 KiB; one thread. */
struct sy_trie_roots {
    struct sy_trie_plan plan;
    struct sy_trie_subtree stack[SY_TRIE_STACK_MAX]; /* of the run at hand */
    size_t used;
    const struct sy_hash *last_key; /* of the run at hand */
    struct {
        struct sy_hash *out;
        uint16_t number;
    } finished[SY_TRIE_PLAN_MAX];
    size_t finished_count;
    uint64_t hashes; /* leaves and nodes asked for */
};

/* sy_trie_roots_begin, any number of adds, sy_trie_roots_end. add asks for the root, seen at
 * `depth`, of count leaves that ascend strictly by key hash and share at least their first `depth`
 * bits; of no leaves: zero. *root is there after the end, perhaps before; it must stay where it is
 * until then. The leaves are borrowed for the call. */
void sy_trie_roots_begin(struct sy_trie_roots *roots);
void sy_trie_roots_add(struct sy_trie_roots *roots, struct sy_hash *root,
                       const struct sy_trie_leaf *leaves, size_t count, unsigned depth);
void sy_trie_roots_end(struct sy_trie_roots *roots);

/* sy_trie_run_root is the root of one run at once. *hashes counts what was hashed. */
void sy_trie_run_root(struct sy_hash *root, const struct sy_trie_leaf *leaves, size_t count,
                      unsigned depth, uint64_t *hashes);

/* sy_trie_combine is the root of a node whose halves have these roots and counts. *hashes counts
 * what was hashed. */
void sy_trie_combine(struct sy_hash *out, const struct sy_hash *left, uint32_t left_count,
                     const struct sy_hash *right, uint32_t right_count, uint64_t *hashes);

/* sy_trie_packed_root is the root, seen at `depth`, of the entries of a chunk: deltas, all of them
 * puts. False: they are malformed, or do not share those bits. No memory is made. */
bool sy_trie_packed_root(struct sy_hash *root, struct sy_slice entries, unsigned depth);

/* sy_trie_common_bits is how many leading bits two key hashes share (256: equal). */
unsigned sy_trie_common_bits(const struct sy_hash *a, const struct sy_hash *b);

#endif
