/* trie_plan.h: hashes of the trie put off until many can be made at once (internal to core/ledger).
 *
 * A plan numbers hashes in the order in which they are asked for: one that is known, a leaf, or a
 * node over two numbers given before. sy_trie_plan_make makes them rank by rank: a node's rank is
 * one more than the higher of its two, so the hashes of a rank do not depend on each other, and the
 * lanes of core/crypto/sha256_many.h take them side by side.
 *
 *     rank 1   known, leaf, leaf, leaf, ...      SHA-256(0x03 || key hash || value hash)
 *     rank 2   node(1, 2), node(3, 4), ...       SHA-256(0x05 || left || right)
 *     rank 3   ...
 *
 * Memory is in the struct (some 75 KiB: on a thread's stack or in something larger), and nothing is
 * set up but counts. One thread. */
#ifndef SY_LEDGER_TRIE_PLAN_H
#define SY_LEDGER_TRIE_PLAN_H

#include <stdbool.h>

#include "core/base/bytes.h"

#define SY_TRIE_PLAN_MAX 1024u

/* The root of no leaves, 32 zero bytes, is number 0 of every plan. */
#define SY_TRIE_PLAN_EMPTY 0u

struct sy_trie_plan {
    uint16_t count;
    uint16_t rank_max;
    struct sy_hash hash[SY_TRIE_PLAN_MAX]; /* made; of a leaf that is not: its value hash */
    struct sy_hash key[SY_TRIE_PLAN_MAX];  /* of leaves */
    uint16_t left[SY_TRIE_PLAN_MAX], right[SY_TRIE_PLAN_MAX]; /* of nodes */
    uint16_t rank[SY_TRIE_PLAN_MAX];
    uint16_t next[SY_TRIE_PLAN_MAX];      /* of the same rank; its own number: the last one */
    uint16_t first[SY_TRIE_PLAN_MAX + 1]; /* of each rank up to rank_max that is to be made */
};

/* sy_trie_plan_clear begins a plan; only the empty root is in it. */
void sy_trie_plan_clear(struct sy_trie_plan *plan);

/* sy_trie_plan_is_full: there is no room for one more. */
static inline bool sy_trie_plan_is_full(const struct sy_trie_plan *plan)
{
    return plan->count == SY_TRIE_PLAN_MAX;
}

/* Each gives the number of one more hash, and asserts that there is room. What they point at is
 * copied. hash may lie in the plan itself. */
uint16_t sy_trie_plan_known(struct sy_trie_plan *plan, const struct sy_hash *hash);
uint16_t sy_trie_plan_leaf(struct sy_trie_plan *plan, const struct sy_hash *key_hash,
                           const struct sy_hash *value_hash);
uint16_t sy_trie_plan_node(struct sy_trie_plan *plan, uint16_t left, uint16_t right);

/* sy_trie_plan_make makes every hash of the plan; plan->hash[number] holds it from then on, until
 * the plan is cleared, which must come before anything else is asked for. */
void sy_trie_plan_make(struct sy_trie_plan *plan);

#endif
