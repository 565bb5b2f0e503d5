/* trie_plan.c: see trie_plan.h. The hashes of a rank are a chain through `next`, so nothing is
 * sorted. */
#include "core/ledger/trie_plan.h"

#include "core/base/assert.h"
#include "core/crypto/sha256_many.h"

#define LEAF_PREFIX 0x03
#define NODE_PREFIX 0x05
#define LEAF_RANK 1u  /* of leaves, and of what is known */
#define PAIRS_MAX 64u /* hashed by one call */

void sy_trie_plan_clear(struct sy_trie_plan *plan)
{
    static const struct sy_hash empty_root;
    plan->count = 0;
    plan->rank_max = 0;
    uint16_t empty = sy_trie_plan_known(plan, &empty_root);
    SY_ASSERT(empty == SY_TRIE_PLAN_EMPTY);
}

uint16_t sy_trie_plan_known(struct sy_trie_plan *plan, const struct sy_hash *hash)
{
    SY_ASSERT(plan->count < SY_TRIE_PLAN_MAX);
    uint16_t number = plan->count++;
    plan->hash[number] = *hash;
    plan->rank[number] = LEAF_RANK;
    return number;
}

/* Puts the newest number at the front of its rank's chain. */
static void chain(struct sy_trie_plan *plan, uint16_t number, uint16_t rank)
{
    SY_ASSERT(rank >= LEAF_RANK && rank <= SY_TRIE_PLAN_MAX);
    while (plan->rank_max < rank) plan->first[++plan->rank_max] = SY_TRIE_PLAN_EMPTY;
    bool is_last = plan->first[rank] == SY_TRIE_PLAN_EMPTY;
    plan->next[number] = is_last ? number : plan->first[rank];
    plan->first[rank] = number;
    plan->rank[number] = rank;
}

uint16_t sy_trie_plan_leaf(struct sy_trie_plan *plan, const struct sy_hash *key_hash,
                           const struct sy_hash *value_hash)
{
    SY_ASSERT(plan->count < SY_TRIE_PLAN_MAX);
    uint16_t number = plan->count++;
    plan->key[number] = *key_hash;
    plan->hash[number] = *value_hash;
    chain(plan, number, LEAF_RANK);
    return number;
}

uint16_t sy_trie_plan_node(struct sy_trie_plan *plan, uint16_t left, uint16_t right)
{
    SY_ASSERT(plan->count < SY_TRIE_PLAN_MAX);
    SY_ASSERT(left < plan->count && right < plan->count);
    uint16_t number = plan->count++;
    uint16_t below = plan->rank[left] > plan->rank[right] ? plan->rank[left] : plan->rank[right];
    plan->left[number] = left;
    plan->right[number] = right;
    chain(plan, number, (uint16_t)(below + 1));
    return number;
}

static void make_rank(struct sy_trie_plan *plan, uint16_t rank)
{
    const struct sy_sha256_many *way = sy_sha256_many_best();
    struct sy_hash children[2 * PAIRS_MAX];
    uint16_t numbers[PAIRS_MAX];
    uint16_t number = plan->first[rank];
    bool more = number != SY_TRIE_PLAN_EMPTY;
    while (more) {
        size_t count = 0;
        for (; more && count < PAIRS_MAX; count++) {
            bool is_leaf = rank == LEAF_RANK;
            children[2 * count] = is_leaf ? plan->key[number] : plan->hash[plan->left[number]];
            children[2 * count + 1] =
                is_leaf ? plan->hash[number] : plan->hash[plan->right[number]];
            numbers[count] = number;
            more = plan->next[number] != number;
            number = plan->next[number];
        }
        way->pairs(children, children, count, rank == LEAF_RANK ? LEAF_PREFIX : NODE_PREFIX);
        for (size_t i = 0; i < count; i++) plan->hash[numbers[i]] = children[i];
    }
}

void sy_trie_plan_make(struct sy_trie_plan *plan)
{
    SY_ASSERT(plan->rank_max <= SY_TRIE_PLAN_MAX);
    for (uint16_t rank = LEAF_RANK; rank <= plan->rank_max; rank++) make_rank(plan, rank);
}
