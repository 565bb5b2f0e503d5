/* trie_hash.c: roots of sorted runs of leaves.
 *
 * Neighbours in a sorted run that share k bits part at a node of depth k, so the nodes with two
 * non-empty halves are the Cartesian tree over the shared lengths. It is built left to right with
 * a stack, like any Cartesian tree; between a node and its parent there may be levels whose other
 * half is empty, and those are hashed one by one (a lone leaf has none: it stands for itself at
 * every depth). Shared lengths strictly ascend in the stack, so it never holds more than 257. */
#include "core/ledger/trie_hash.h"

#include <stdbool.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/ledger/trie.h"
#include "core/ledger/trie_nodes.h"
#include "core/wire/delta.h"

#define NODE_PREFIX 0x05
#define LONE_LEAF 257u /* the depth of a leaf: below everything, and it need not be lifted */
#define STACK_MAX 258u

static const struct sy_hash empty_root;

struct subtree {
    struct sy_hash hash;
    const struct sy_hash *key; /* any key hash below it */
    unsigned depth;            /* where its root stands, or LONE_LEAF */
    unsigned shared;           /* bits its first leaf shares with the leaf before it */
};

struct run {
    struct subtree stack[STACK_MAX];
    size_t used;
    const struct sy_hash *last_key;
    uint64_t hashes;
};

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
    sy_hash_prefixed(out, NODE_PREFIX, left, right);
    (*hashes)++;
}

/* Moves a subtree's root up to `depth` through levels whose other half is empty. */
static void lift(struct subtree *subtree, unsigned depth, uint64_t *hashes)
{
    if (subtree->depth == LONE_LEAF) return;
    SY_ASSERT(subtree->depth >= depth);
    while (subtree->depth > depth) {
        subtree->depth--;
        bool right = sy_trie_bit(subtree->key, subtree->depth) == 1;
        struct sy_hash below = subtree->hash;
        sy_hash_prefixed(&subtree->hash, NODE_PREFIX, right ? &empty_root : &below,
                         right ? &below : &empty_root);
        (*hashes)++;
    }
}

/* Joins the two topmost subtrees at the depth where they part. */
static void join(struct run *run)
{
    SY_ASSERT(run->used >= 2);
    struct subtree *left = &run->stack[run->used - 2];
    struct subtree *right = &run->stack[run->used - 1];
    unsigned depth = right->shared;
    SY_ASSERT(depth < 256 && (run->used == 2 || left->shared < depth));
    SY_ASSERT(sy_trie_bit(left->key, depth) == 0 && sy_trie_bit(right->key, depth) == 1);
    lift(left, depth + 1, &run->hashes);
    lift(right, depth + 1, &run->hashes);
    struct sy_hash below = left->hash;
    sy_hash_prefixed(&left->hash, NODE_PREFIX, &below, &right->hash);
    run->hashes++;
    left->depth = depth;
    run->used--;
}

/* Adds the next leaf. key must live as long as the run. */
static void push(struct run *run, const struct sy_hash *key, const struct sy_hash *hash)
{
    unsigned shared = 0;
    if (run->used > 0) shared = sy_trie_common_bits(run->last_key, key);
    SY_ASSERT(shared < 256);
    while (run->used >= 2 && run->stack[run->used - 1].shared > shared) join(run);
    SY_ASSERT(run->used < STACK_MAX);
    SY_ASSERT(run->used == 0 || sy_hash_compare(run->last_key, key) < 0);
    run->stack[run->used++] = (struct subtree){*hash, key, LONE_LEAF, shared};
    run->last_key = key;
}

/* Joins what is left and moves it up to `depth`, which all leaves share. */
static void finish(struct run *run, struct sy_hash *root, unsigned depth)
{
    while (run->used >= 2) join(run);
    SY_ASSERT(run->used <= 1 && depth <= 256);
    if (run->used == 1) lift(&run->stack[0], depth, &run->hashes);
    *root = run->used == 1 ? run->stack[0].hash : empty_root;
}

void sy_trie_run_root(struct sy_hash *root, const struct sy_trie_leaf *leaves, size_t count,
                      unsigned depth, uint64_t *hashes)
{
    struct run run;
    run.used = 0;
    run.hashes = 0;
    for (size_t i = 0; i < count; i++) push(&run, &leaves[i].key_hash, &leaves[i].hash);
    finish(&run, root, depth);
    *hashes += run.hashes;
}

bool sy_trie_packed_root(struct sy_hash *root, struct sy_slice entries, unsigned depth)
{
    struct run run;
    struct sy_delta_reader reader = sy_delta_reader_of(entries);
    struct sy_delta entry;
    const struct sy_hash *first = NULL;
    run.used = 0;
    run.hashes = 0;
    for (size_t at = 0; sy_delta_next(&reader, &entry); at = reader.in.used) {
        // An item begins with its key, which stays where it is while the run is built.
        const struct sy_hash *key = (const struct sy_hash *)(const void *)(entries.data + at);
        if (first == NULL) first = key;
        if (entry.op != SY_DELTA_PUT || sy_trie_common_bits(first, key) < depth) return false;
        struct sy_hash value_hash, hash;
        sy_sha256(&value_hash, entry.value.data, entry.value.size);
        sy_trie_leaf(&hash, key, &value_hash);
        push(&run, key, &hash);
    }
    if (reader.in.failed) return false;
    finish(&run, root, depth);
    return true;
}

/* Genesis and checks: leaves are hashed one at a time, so a run of any length needs no memory. */
void sy_trie_root_of(struct sy_hash *root, const struct sy_trie_change *leaves, size_t count)
{
    struct run run;
    run.used = 0;
    run.hashes = 0;
    for (size_t i = 0; i < count; i++) {
        SY_ASSERT(leaves[i].present);
        struct sy_hash hash;
        sy_trie_leaf(&hash, &leaves[i].key_hash, &leaves[i].value_hash);
        push(&run, &leaves[i].key_hash, &hash);
    }
    finish(&run, root, 0);
}
