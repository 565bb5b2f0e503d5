#include "core/ledger/snapshot.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/ledger/trie_hash.h"
#include "core/ledger/trie_nodes.h"
#include "core/wire/delta.h"

/* ---- the top ------------------------------------------------------------------------------ */

sy_status sy_snapshot_top_take(struct sy_snapshot_top *top, const sy_trie *trie)
{
    top->depth = sy_trie_heap_depth(trie);
    if (top->depth > SY_SNAPSHOT_TOP_DEPTH) top->depth = SY_SNAPSHOT_TOP_DEPTH;
    top->hashes = (struct sy_hash *)calloc((size_t)2 << top->depth, sizeof *top->hashes);
    if (top->hashes == NULL) return SY_ERR_NO_MEMORY;
    sy_trie_copy_top(trie, top->hashes, top->depth);
    return SY_OK;
}

void sy_snapshot_top_free(struct sy_snapshot_top *top)
{
    free(top->hashes);
    *top = (struct sy_snapshot_top){.hashes = NULL};
}

/* ---- packing ------------------------------------------------------------------------------ */

struct packing {
    struct sy_writer w;
    bool full;
};

static bool pack_entry(void *user, const struct sy_hash *key_hash, struct sy_slice value)
{
    struct packing *packing = (struct packing *)user;
    struct sy_delta entry = {.key = *key_hash, .op = SY_DELTA_PUT, .value = value};
    SY_ASSERT(!packing->full);
    sy_delta_write(&packing->w, &entry);
    packing->full = packing->w.failed;
    return !packing->full;
}

/* Packs what lies under the first `bits` bits of key. *fits: all of it is in *entries. */
static sy_status pack(struct sy_slice *entries, bool *fits, uint8_t *room,
                      const struct sy_state_source *source, const struct sy_hash *key,
                      unsigned bits)
{
    struct packing packing = {sy_writer_of(room, SY_CHUNK_ENTRIES_BYTES_MAX), false};
    SY_ASSERT(bits <= SY_TRIE_DEPTH_MAX);
    SY_TRY(source->scan(source->self, key, bits, pack_entry, &packing));
    *fits = !packing.full;
    if (*fits) *entries = sy_writer_slice(&packing.w);
    return SY_OK;
}

/* Finds the shortest prefix whose entries fit. It is near the guess as a rule, so the one a bit
 * shorter is read first: where that does not fit and the guess does, nothing is read twice. */
static sy_status find_bits(struct sy_chunk *chunk, uint8_t *room, unsigned guess,
                           const struct sy_state_source *source, const struct sy_hash *key)
{
    unsigned bits = guess > SY_TRIE_DEPTH_MAX ? SY_TRIE_DEPTH_MAX : guess;
    bool fits = false;
    if (bits > 0) bits--;
    SY_TRY(pack(&chunk->entries, &fits, room, source, key, bits));
    while (fits && bits > 0) SY_TRY(pack(&chunk->entries, &fits, room, source, key, --bits));
    while (!fits) {
        SY_ASSERT(bits < SY_TRIE_DEPTH_MAX); // one entry always fits
        SY_TRY(pack(&chunk->entries, &fits, room, source, key, ++bits));
    }
    chunk->bits = (uint16_t)bits;
    sy_hash_prefix(&chunk->prefix, key, bits);
    return SY_OK;
}

/* ---- roots -------------------------------------------------------------------------------- */

struct gathering {
    struct sy_trie_leaf *leaves;
    size_t count;
    size_t room;
};

static bool gather_leaf(void *user, const struct sy_hash *key_hash, struct sy_slice value)
{
    struct gathering *g = (struct gathering *)user;
    if (g->count == g->room) {
        size_t room = 2 * g->room + 64;
        void *grown = realloc(g->leaves, room * sizeof *g->leaves);
        if (grown == NULL) return false;
        g->leaves = (struct sy_trie_leaf *)grown;
        g->room = room;
    }
    struct sy_trie_leaf *leaf = &g->leaves[g->count++];
    leaf->key_hash = *key_hash;
    leaf->is_made = false;
    sy_sha256(&leaf->value_hash, value.data, value.size);
    return true;
}

/* The root of what lies below (depth, prefix), from the source: for places below the top. A gather
 * that runs out of memory gives a root that is not the right one, and the chunk is refused. */
static sy_status scan_root(struct sy_hash *root, const struct sy_state_source *source,
                           const struct sy_hash *prefix, unsigned depth)
{
    struct gathering g = {NULL, 0, 0};
    uint64_t hashes = 0;
    sy_status status = source->scan(source->self, prefix, depth, gather_leaf, &g);
    if (status == SY_OK) sy_trie_run_root(root, g.leaves, g.count, depth, &hashes);
    free(g.leaves);
    return status;
}

static size_t top_index(const struct sy_hash *prefix, unsigned depth)
{
    size_t index = 1;
    for (unsigned i = 0; i < depth; i++) index = 2 * index + sy_trie_bit(prefix, i);
    return index;
}

static sy_status fill_siblings(struct sy_chunk *chunk, const struct sy_snapshot_top *top,
                               const struct sy_state_source *source)
{
    for (unsigned i = 0; i < chunk->bits; i++) {
        unsigned depth = chunk->bits - i; // of the sibling
        struct sy_hash other;
        sy_trie_half(&other, &chunk->prefix, depth - 1, 1 - sy_trie_bit(&chunk->prefix, depth - 1));
        if (depth <= top->depth) {
            chunk->siblings[i] = top->hashes[top_index(&other, depth)];
        } else {
            SY_TRY(scan_root(&chunk->siblings[i], source, &other, depth));
        }
    }
    return SY_OK;
}

sy_status sy_chunk_make(struct sy_chunk *chunk, uint8_t *room, unsigned *hint,
                        const struct sy_snapshot_top *top, const struct sy_state_source *source,
                        const struct sy_hash *key)
{
    memset(chunk, 0, sizeof *chunk);
    SY_ASSERT(top->hashes != NULL);
    SY_TRY(find_bits(chunk, room, *hint, source, key));
    *hint = chunk->bits;
    SY_TRY(fill_siblings(chunk, top, source));
    return sy_chunk_verify(chunk, &top->hashes[1], NULL) ? SY_OK : SY_ERR_CORRUPT;
}

/* ---- checking ----------------------------------------------------------------------------- */

bool sy_chunk_verify(const struct sy_chunk *chunk, const struct sy_hash *state_root,
                     const char **what)
{
    const char *ignored;
    struct sy_hash node;
    if (what == NULL) what = &ignored;
    *what = "its entries are malformed";
    if (chunk->bits > SY_TRIE_DEPTH_MAX) return false;
    if (!sy_trie_packed_root(&node, chunk->entries, chunk->bits)) return false;
    *what = "its prefix is longer than need be";
    if (chunk->bits > 0 && sy_hash_is_zero(&chunk->siblings[0])) return false;
    for (unsigned i = 0; i < chunk->bits; i++) {
        const struct sy_hash *sibling = &chunk->siblings[i];
        bool right = sy_trie_bit(&chunk->prefix, chunk->bits - 1u - i) == 1;
        sy_trie_inner(&node, right ? sibling : &node, right ? &node : sibling);
    }
    *what = "its path does not lead to the state root";
    return sy_hash_equal(&node, state_root);
}
