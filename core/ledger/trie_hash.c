/* trie_hash.c: roots of sorted runs of leaves.
 *
 * Neighbours in a sorted run that share k bits part at a node of depth k, so the nodes with two
 * non-empty halves are the Cartesian tree over the shared lengths. It is built left to right with
 * a stack, like any Cartesian tree; between a node and its parent there may be levels whose other
 * half is empty, and those are hashed one by one (a lone leaf has none: it stands for itself at
 * every depth). Shared lengths strictly ascend in the stack, so it never holds more than 257.
 *
 * The stack holds numbers of a plan. When the plan is full its hashes are made; those of the
 * stack's subtrees alone begin the next one. */
#include "core/ledger/trie_hash.h"

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/crypto/sha256_many.h"
#include "core/ledger/trie.h"
#include "core/ledger/trie_nodes.h"
#include "core/wire/delta.h"

#define LONE_LEAF 257u  /* the depth of a leaf: below everything, and it need not be lifted */
#define VALUES_MAX 128u /* hashed by one call */

_Static_assert(SY_TRIE_PLAN_MAX >= 2 * SY_TRIE_STACK_MAX, "a plan is not full of one run's stack");

unsigned sy_trie_common_bits(const struct sy_hash *a, const struct sy_hash *b)
{
    unsigned byte = 0;
    SY_ASSERT(a != NULL && b != NULL);
    while (byte < 32 && a->bytes[byte] == b->bytes[byte]) byte++;
    if (byte == 32) return 256;
    unsigned bits = byte * 8;
    while (sy_trie_bit(a, bits) == sy_trie_bit(b, bits)) bits++;
    SY_ASSERT(bits < byte * 8 + 8);
    return bits;
}

void sy_trie_combine(struct sy_hash *out, const struct sy_hash *left, uint32_t left_count,
                     const struct sy_hash *right, uint32_t right_count, uint64_t *hashes)
{
    SY_ASSERT(left_count <= SY_NODES_COUNT_MAX && right_count <= SY_NODES_COUNT_MAX);
    if (left_count + right_count <= 1) {
        *out = left_count == 1 ? *left : *right;
        return;
    }
    sy_trie_inner(out, left, right);
    (*hashes)++;
}

// --- many runs ---------------------------------------------------------------------------------

void sy_trie_roots_begin(struct sy_trie_roots *roots)
{
    sy_trie_plan_clear(&roots->plan);
    roots->used = 0;
    roots->finished_count = 0;
    roots->hashes = 0;
}

/* Makes what was asked for, tells finished roots, and keeps the subtrees of the run at hand. */
static void make_hashes(struct sy_trie_roots *roots)
{
    struct sy_trie_plan *plan = &roots->plan;
    sy_trie_plan_make(plan);
    for (size_t i = 0; i < roots->finished_count; i++) {
        *roots->finished[i].out = plan->hash[roots->finished[i].number];
    }
    roots->finished_count = 0;
    sy_trie_plan_clear(plan);
    for (size_t i = 0; i < roots->used; i++) {
        // The number at a place is larger than the place, so none is overwritten that is still to
        // be read.
        SY_ASSERT(roots->stack[i].number >= plan->count);
        roots->stack[i].number = sy_trie_plan_known(plan, &plan->hash[roots->stack[i].number]);
    }
}

void sy_trie_roots_end(struct sy_trie_roots *roots)
{
    SY_ASSERT(roots->used == 0);
    make_hashes(roots);
}

/* Every number that is still needed stands in the stack, here and wherever this is called. */
static void make_room(struct sy_trie_roots *roots)
{
    if (sy_trie_plan_is_full(&roots->plan)) make_hashes(roots);
    SY_ASSERT(!sy_trie_plan_is_full(&roots->plan));
}

/* Moves a subtree's root up to `depth` through levels whose other half is empty. */
static void lift(struct sy_trie_roots *roots, struct sy_trie_subtree *subtree, unsigned depth)
{
    if (subtree->depth == LONE_LEAF) return;
    SY_ASSERT(subtree->depth >= depth);
    while (subtree->depth > depth) {
        make_room(roots);
        subtree->depth--;
        bool right = sy_trie_bit(subtree->key, subtree->depth) == 1;
        uint16_t below = subtree->number;
        subtree->number = sy_trie_plan_node(&roots->plan, right ? SY_TRIE_PLAN_EMPTY : below,
                                            right ? below : SY_TRIE_PLAN_EMPTY);
        roots->hashes++;
    }
}

/* Joins the two topmost subtrees at the depth where they part. */
static void join(struct sy_trie_roots *roots)
{
    SY_ASSERT(roots->used >= 2);
    struct sy_trie_subtree *left = &roots->stack[roots->used - 2];
    struct sy_trie_subtree *right = &roots->stack[roots->used - 1];
    unsigned depth = right->shared;
    SY_ASSERT(depth < 256 && (roots->used == 2 || left->shared < depth));
    SY_ASSERT(sy_trie_bit(left->key, depth) == 0 && sy_trie_bit(right->key, depth) == 1);
    lift(roots, left, depth + 1);
    lift(roots, right, depth + 1);
    make_room(roots);
    left->number = sy_trie_plan_node(&roots->plan, left->number, right->number);
    left->depth = (uint16_t)depth;
    roots->hashes++;
    roots->used--;
}

/* Adds the next leaf, of that value or (is_made) of that hash. key must live as long as the run. */
static void push(struct sy_trie_roots *roots, const struct sy_hash *key, const struct sy_hash *hash,
                 bool is_made)
{
    unsigned shared = 0;
    if (roots->used > 0) shared = sy_trie_common_bits(roots->last_key, key);
    SY_ASSERT(shared < 256);
    while (roots->used >= 2 && roots->stack[roots->used - 1].shared > shared) join(roots);
    SY_ASSERT(roots->used < SY_TRIE_STACK_MAX);
    SY_ASSERT(roots->used == 0 || sy_hash_compare(roots->last_key, key) < 0);
    make_room(roots);
    uint16_t number = is_made ? sy_trie_plan_known(&roots->plan, hash)
                              : sy_trie_plan_leaf(&roots->plan, key, hash);
    roots->stack[roots->used++] =
        (struct sy_trie_subtree){key, number, LONE_LEAF, (uint16_t)shared};
    roots->last_key = key;
    roots->hashes += is_made ? 0 : 1;
}

/* Joins what is left, moves it up to `depth`, which all leaves share, and notes where it goes. */
static void finish(struct sy_trie_roots *roots, struct sy_hash *root, unsigned depth)
{
    while (roots->used >= 2) join(roots);
    SY_ASSERT(roots->used <= 1 && depth <= 256);
    if (roots->used == 1) lift(roots, &roots->stack[0], depth);
    if (roots->finished_count == SY_TRIE_PLAN_MAX) make_hashes(roots);
    uint16_t number = roots->used == 1 ? roots->stack[0].number : SY_TRIE_PLAN_EMPTY;
    roots->finished[roots->finished_count].out = root;
    roots->finished[roots->finished_count++].number = number;
    roots->used = 0;
}

void sy_trie_roots_add(struct sy_trie_roots *roots, struct sy_hash *root,
                       const struct sy_trie_leaf *leaves, size_t count, unsigned depth)
{
    SY_ASSERT(roots->used == 0);
    for (size_t i = 0; i < count; i++) {
        push(roots, &leaves[i].key_hash, &leaves[i].value_hash, leaves[i].is_made);
    }
    finish(roots, root, depth);
}

// --- one run -----------------------------------------------------------------------------------

void sy_trie_run_root(struct sy_hash *root, const struct sy_trie_leaf *leaves, size_t count,
                      unsigned depth, uint64_t *hashes)
{
    struct sy_trie_roots roots;
    sy_trie_roots_begin(&roots);
    sy_trie_roots_add(&roots, root, leaves, count, depth);
    sy_trie_roots_end(&roots);
    *hashes += roots.hashes;
}

/* Entries whose values are to be hashed. */
struct values {
    const struct sy_hash *keys[VALUES_MAX];
    struct sy_slice values[VALUES_MAX];
    size_t count;
};

static void push_values(struct sy_trie_roots *roots, struct values *values)
{
    struct sy_hash hashes[VALUES_MAX];
    SY_ASSERT(values->count <= VALUES_MAX);
    sy_sha256_many_best()->messages(hashes, values->values, values->count);
    for (size_t i = 0; i < values->count; i++) push(roots, values->keys[i], &hashes[i], false);
    values->count = 0;
}

bool sy_trie_packed_root(struct sy_hash *root, struct sy_slice entries, unsigned depth)
{
    struct sy_trie_roots roots;
    struct values values = {.count = 0};
    struct sy_delta_reader reader = sy_delta_reader_of(entries);
    struct sy_delta entry;
    const struct sy_hash *first = NULL;
    sy_trie_roots_begin(&roots);
    for (size_t at = 0; sy_delta_next(&reader, &entry); at = reader.in.used) {
        // An item begins with its key, which stays where it is while the run is built.
        const struct sy_hash *key = (const struct sy_hash *)(const void *)(entries.data + at);
        if (first == NULL) first = key;
        if (entry.op != SY_DELTA_PUT || sy_trie_common_bits(first, key) < depth) return false;
        values.keys[values.count] = key;
        values.values[values.count++] = entry.value;
        if (values.count == VALUES_MAX) push_values(&roots, &values);
    }
    if (reader.in.failed) return false;
    push_values(&roots, &values);
    finish(&roots, root, depth);
    sy_trie_roots_end(&roots);
    return true;
}

/* Genesis and checks: leaves go through a plan, so a run of any length needs no memory. */
void sy_trie_root_of(struct sy_hash *root, const struct sy_trie_change *leaves, size_t count)
{
    struct sy_trie_roots roots;
    sy_trie_roots_begin(&roots);
    for (size_t i = 0; i < count; i++) {
        SY_ASSERT(leaves[i].present);
        push(&roots, &leaves[i].key_hash, &leaves[i].value_hash, false);
    }
    finish(&roots, root, 0);
    sy_trie_roots_end(&roots);
}
