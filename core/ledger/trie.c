/* trie.c: updating, rebuilding and proving; see trie.h for the trie itself, trie_nodes.h for where
 * its nodes lie, trie_hash.h for runs of leaves and trie_levels.h for the nodes above them.
 *
 * An update walks down from the root with the run of sorted changes, splitting the run at each
 * expanded node, and comes back up hashing. A bucket's leaves are gathered from the source, merged
 * with its run of changes, and become a subtree. What is in the heap is hashed many at a time:
 * values first, then the roots of buckets, then the nodes above, level by level; what is below the
 * heap, the tail, at once and one by one. Depth is bounded by 256, so walks keep their own stacks.
 * Counts are always recomputed from leaves or children, never adjusted, so applying a change twice
 * is the same as applying it once. */
#include "core/ledger/trie.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/crypto/sha256_many.h"
#include "core/ledger/trie_hash.h"
#include "core/ledger/trie_levels.h"
#include "core/ledger/trie_nodes.h"
#include "core/ledger/trie_shelf.h"

#define BUCKET_LEAVES_DEFAULT 1u
#define REBUILD_LEAVES 4096u
#define WALK_MAX 258u
#define VALUES_MAX 128u
#define VALUES_BYTES_MAX (32u << 10)
#define GATHERED_MAX 64u
#define EXPECTED_CHANGES 16u

/* Values that leaves wait for: copies, since a source lends them for a moment. */
struct values {
    size_t count;
    size_t used; /* bytes */
    struct sy_slice slices[VALUES_MAX];
    size_t leaves[VALUES_MAX]; /* whose they are */
    uint8_t bytes[VALUES_BYTES_MAX];
};

/* A bucket whose leaves are gathered, and whose subtree is built when their values are hashed. */
struct gathered {
    unsigned depth;
    const struct sy_hash *key; /* a change's below it */
    size_t lo, hi;             /* of the leaves */
};

struct sy_trie {
    struct sy_nodes nodes;
    unsigned bucket_leaves;
    size_t changes_max;
    struct sy_trie_leaf *leaves; /* gathered: room for leaves_max */
    size_t leaves_max;
    bool broken; /* an update failed half-way */
    uint64_t hashes, scans, scanned;
    struct values values;
    struct gathered gathered[GATHERED_MAX];
    size_t gathered_count;
    size_t owed;                /* nodes of the heap that building them may note */
    struct sy_trie_roots roots; /* of buckets in the heap, not made yet */
    struct sy_trie_levels levels;
    struct sy_shelf shelf;
};

/* A place on the way down and the run of items below it. */
struct frame {
    unsigned depth;
    unsigned stage; /* 0: arrived, 1: left half done, 2: both done */
    size_t lo, hi;
};

sy_status sy_trie_open(sy_trie **out, const struct sy_trie_config *config)
{
    *out = NULL;
    if (config->bucket_leaves > SY_TRIE_BUCKET_MAX || config->changes_max == 0) {
        return SY_ERR_ARGUMENT;
    }
    sy_trie *trie = calloc(1, sizeof *trie);
    if (trie == NULL) return SY_ERR_NO_MEMORY;
    trie->bucket_leaves =
        config->bucket_leaves != 0 ? config->bucket_leaves : BUCKET_LEAVES_DEFAULT;
    trie->changes_max = config->changes_max;
    size_t run_max =
        config->changes_max > REBUILD_LEAVES ? config->changes_max : (size_t)REBUILD_LEAVES;
    trie->leaves_max = run_max + SY_TRIE_BUCKET_MAX;
    trie->leaves = calloc(trie->leaves_max, sizeof *trie->leaves);
    sy_status status = trie->leaves == NULL ? SY_ERR_NO_MEMORY : SY_OK;
    if (status == SY_OK) status = sy_nodes_open(&trie->nodes, config->memory_bytes_max);
    if (status == SY_OK) status = sy_shelf_open(&trie->shelf);
    if (status != SY_OK) {
        sy_trie_close(trie);
        return status;
    }
    *out = trie;
    return SY_OK;
}

void sy_trie_close(sy_trie *trie)
{
    if (trie == NULL) return;
    sy_nodes_close(&trie->nodes);
    sy_shelf_close(&trie->shelf);
    free(trie->leaves);
    free(trie);
}

void sy_trie_root(const sy_trie *trie, struct sy_hash *root)
{
    static const struct sy_hash anywhere;
    *root = sy_nodes_find(&trie->nodes, 0, &anywhere)->hash;
}

unsigned sy_trie_heap_depth(const sy_trie *trie)
{
    SY_ASSERT(trie->nodes.heap_depth <= SY_NODES_HEAP_DEPTH_MAX);
    return trie->nodes.heap_depth;
}

bool sy_trie_may_hold(const sy_trie *trie, const struct sy_hash *key_hash)
{
    return trie->broken || sy_nodes_may_hold(&trie->nodes, key_hash);
}

void sy_trie_expect(const sy_trie *trie, const struct sy_hash *key_hash)
{
    sy_nodes_expect(&trie->nodes, key_hash);
}

void sy_trie_copy_top(const sy_trie *trie, struct sy_hash *hashes, unsigned depth)
{
    SY_ASSERT(depth <= trie->nodes.heap_depth);
    SY_ASSERT(!trie->broken);
    memset(&hashes[0], 0, sizeof hashes[0]);
    for (size_t i = 1; i < (size_t)2 << depth; i++) hashes[i] = trie->nodes.heap[i].hash;
}

void sy_trie_get_info(const sy_trie *trie, struct sy_trie_info *info)
{
    static const struct sy_hash anywhere;
    *info = (struct sy_trie_info){
        .leaves = sy_node_count(sy_nodes_find(&trie->nodes, 0, &anywhere)),
        .heap_depth = trie->nodes.heap_depth,
        .deep_nodes = trie->nodes.deep_count,
        .memory_bytes = sizeof *trie + sy_nodes_bytes(&trie->nodes) + sy_shelf_bytes() +
                        trie->leaves_max * sizeof *trie->leaves,
        .hashes = trie->hashes,
        .scans = trie->scans,
        .scanned = trie->scanned,
    };
}

// --- gathering leaves --------------------------------------------------------------------------

/* The changes below one place: changes[lo, hi). */
struct change_run {
    const struct sy_trie_change *changes;
    size_t lo, hi;
    bool applied; /* the trie has them already */
};

/* A scan of one place, merged with the changes below it. */
struct gather {
    sy_trie *trie;
    const struct sy_trie_change *changes;
    size_t next, end; /* changes not yet merged */
    size_t first;     /* of the leaves, where this scan's begin */
    size_t count;     /* leaves up to the last one gathered */
    bool overflow;
    bool disorder; /* the source broke its promise of order */
};

/* value_hash NULL: it comes later. */
static void take_leaf(struct gather *g, const struct sy_hash *key_hash,
                      const struct sy_hash *value_hash)
{
    if (g->count == g->trie->leaves_max) {
        g->overflow = true;
        return;
    }
    SY_ASSERT(g->count < g->trie->leaves_max);
    struct sy_trie_leaf *leaf = &g->trie->leaves[g->count++];
    g->disorder |= g->count > g->first + 1 && sy_hash_compare(&leaf[-1].key_hash, key_hash) >= 0;
    leaf->key_hash = *key_hash;
    leaf->is_made = false;
    if (value_hash != NULL) leaf->value_hash = *value_hash;
}

/* Merges the changes below key_hash (all that are left: NULL). */
static void take_changes_below(struct gather *g, const struct sy_hash *key_hash)
{
    SY_ASSERT(g->next <= g->end);
    while (g->next < g->end) {
        const struct sy_trie_change *change = &g->changes[g->next];
        if (key_hash != NULL && sy_hash_compare(&change->key_hash, key_hash) >= 0) return;
        if (change->present) take_leaf(g, &change->key_hash, &change->value_hash);
        g->next++;
    }
}

static void hash_values(sy_trie *trie)
{
    struct values *values = &trie->values;
    struct sy_hash hashes[VALUES_MAX];
    SY_ASSERT(values->count <= VALUES_MAX && values->used <= VALUES_BYTES_MAX);
    sy_sha256_many_best()->messages(hashes, values->slices, values->count);
    for (size_t i = 0; i < values->count; i++) {
        SY_ASSERT(values->leaves[i] < trie->leaves_max);
        trie->leaves[values->leaves[i]].value_hash = hashes[i];
    }
    values->count = 0;
    values->used = 0;
}

/* Takes a value whose leaf was taken last. */
static void take_value(sy_trie *trie, size_t leaf, struct sy_slice value)
{
    struct values *values = &trie->values;
    bool fits = values->count < VALUES_MAX && value.size <= VALUES_BYTES_MAX - values->used;
    if (!fits) hash_values(trie);
    if (value.size > VALUES_BYTES_MAX) {
        sy_sha256(&trie->leaves[leaf].value_hash, value.data, value.size);
        return;
    }
    uint8_t *copy = values->bytes + values->used;
    if (value.size > 0) memcpy(copy, value.data, value.size);
    values->used += value.size;
    values->slices[values->count] = sy_slice_of(copy, value.size);
    values->leaves[values->count++] = leaf;
}

static bool take_scanned(void *user, const struct sy_hash *key_hash, struct sy_slice value)
{
    struct gather *g = user;
    SY_ASSERT(!g->overflow && g->count <= g->trie->leaves_max);
    g->trie->scanned++;
    take_changes_below(g, key_hash);
    bool changed = g->next < g->end && sy_hash_equal(&g->changes[g->next].key_hash, key_hash);
    if (!changed && !g->overflow) {
        take_leaf(g, key_hash, NULL);
        if (!g->overflow) take_value(g->trie, g->count - 1, value);
    }
    return !g->overflow && !g->disorder;
}

/* Must the source be asked for a bucket, or do the changes account for all of its leaves? The
 * count is from before the changes, or after them once they are applied. */
static bool must_scan(const struct sy_node *node, const struct change_run *run)
{
    SY_ASSERT(run->lo <= run->hi);
    if (node == NULL) return false;
    uint32_t unaccounted = sy_node_count(node);
    for (size_t i = run->lo; i < run->hi && unaccounted > 0; i++) {
        const struct sy_trie_change *change = &run->changes[i];
        unaccounted -= (run->applied ? change->present : change->was_present) ? 1 : 0;
    }
    return unaccounted > 0;
}

/* Is a leaf of which the tag is known none of those that change, as far as that tells? */
static bool parts_from(uint32_t tag, const struct change_run *run)
{
    for (size_t i = run->lo; i < run->hi; i++) {
        if (sy_nodes_tag(&run->changes[i].key_hash) == tag) return false;
    }
    return true;
}

/* Such a leaf alone in its bucket need not be read: its hash is the bucket's, and its tag says
 * where it parts from the others. A proof wants more. */
static bool stands_beside(const struct sy_node *node, unsigned depth, const struct change_run *run)
{
    bool tagged = sy_node_is_lone(node) && depth >= SY_NODES_TAG_FROM && !run->applied;
    return tagged && parts_from(sy_node_tag(node), run);
}

/* Takes it among the changes. */
static void take_lone(struct gather *g, const struct sy_node *node, unsigned depth,
                      const struct sy_hash *key)
{
    struct sy_hash known;
    sy_nodes_lone_key(&known, node, depth, key);
    take_changes_below(g, &known);
    take_leaf(g, &known, &node->hash);
    if (!g->overflow) g->trie->leaves[g->count - 1].is_made = true;
}

/* What a bucket of some leaves was built from, if that is still known; else NULL. */
static const struct sy_shelf_bucket *find_shelved(const struct sy_trie *trie,
                                                  const struct sy_node *node, unsigned depth,
                                                  const struct sy_hash *key,
                                                  const struct change_run *run)
{
    if (depth > trie->nodes.heap_depth || run->applied) return NULL;
    const struct sy_shelf_bucket *bucket =
        sy_shelf_find(&trie->shelf, sy_nodes_heap_index(depth, key), sy_node_count(node));
    for (uint32_t i = 0; bucket != NULL && i < bucket->count; i++) {
        const struct sy_trie_leaf *leaf = &bucket->leaves[i];
        if (leaf->is_made && !parts_from(sy_nodes_tag(&leaf->key_hash), run)) return NULL;
    }
    return bucket;
}

/* Takes them among the changes. */
static void take_shelved(struct gather *g, const struct sy_shelf_bucket *bucket)
{
    for (uint32_t i = 0; i < bucket->count && !g->overflow; i++) {
        const struct sy_trie_leaf *leaf = &bucket->leaves[i];
        take_changes_below(g, &leaf->key_hash);
        bool changed =
            g->next < g->end && sy_hash_equal(&g->changes[g->next].key_hash, &leaf->key_hash);
        if (changed) continue;
        take_leaf(g, &leaf->key_hash, &leaf->value_hash);
        if (!g->overflow) g->trie->leaves[g->count - 1].is_made = leaf->is_made;
    }
}

/* Do the first and the last of leaves [lo, hi), and so all between them, lie below the place? */
static bool share_prefix(const sy_trie *trie, size_t lo, size_t hi, unsigned depth,
                         const struct sy_hash *key)
{
    SY_ASSERT(lo <= hi && hi <= trie->leaves_max && depth <= 256);
    if (lo == hi) return true;
    return sy_trie_common_bits(&trie->leaves[lo].key_hash, key) >= depth &&
           sy_trie_common_bits(&trie->leaves[hi - 1].key_hash, key) >= depth;
}

/* Fills trie->leaves from lo on with what lies below (depth, key) once the run of changes is
 * applied, up to *hi. Their values may wait to be hashed. */
static sy_status gather_leaves(sy_trie *trie, size_t lo, size_t *hi, unsigned depth,
                               const struct sy_hash *key, const struct change_run *run,
                               const struct sy_state_source *source)
{
    SY_ASSERT(run->lo <= run->hi && depth <= 256);
    struct gather g = {.trie = trie,
                       .changes = run->changes,
                       .next = run->lo,
                       .end = run->hi,
                       .first = lo,
                       .count = lo};
    const struct sy_node *node = sy_nodes_find(&trie->nodes, depth, key);
    if (stands_beside(node, depth, run)) {
        take_lone(&g, node, depth, key);
    } else if (must_scan(node, run)) {
        const struct sy_shelf_bucket *shelved = find_shelved(trie, node, depth, key, run);
        if (shelved != NULL) {
            take_shelved(&g, shelved);
        } else {
            trie->scans++;
            SY_TRY(source->scan(source->self, key, depth, take_scanned, &g));
        }
    }
    take_changes_below(&g, NULL);
    // A bucket holds few leaves and a run no more than changes_max: more than that, another order
    // or leaves of another place can only come from a source that holds something else than what
    // was applied.
    if (g.overflow || g.disorder) return SY_ERR_CORRUPT;
    if (!share_prefix(trie, lo, g.count, depth, key)) return SY_ERR_CORRUPT;
    SY_ASSERT(g.next == g.end);
    *hi = g.count;
    return SY_OK;
}

// --- building and combining --------------------------------------------------------------------

static bool must_expand(const sy_trie *trie, unsigned depth, size_t leaves)
{
    SY_ASSERT(trie->bucket_leaves >= 1 && trie->bucket_leaves <= SY_TRIE_BUCKET_MAX);
    SY_ASSERT(depth <= 256 && (depth < 256 || leaves <= 1));
    if (depth < trie->nodes.heap_depth) return leaves > trie->bucket_leaves;
    return leaves > SY_TRIE_BUCKET_MAX;
}

static size_t split_leaves(const struct sy_trie_leaf *leaves, size_t lo, size_t hi, unsigned depth)
{
    _Static_assert(offsetof(struct sy_trie_leaf, key_hash) == 0, "it is read there");
    return sy_trie_split(leaves, sizeof *leaves, lo, hi, depth);
}

static size_t split_changes(const struct sy_trie_change *changes, size_t lo, size_t hi,
                            unsigned depth)
{
    _Static_assert(offsetof(struct sy_trie_change, key_hash) == 0, "it is read there");
    return sy_trie_split(changes, sizeof *changes, lo, hi, depth);
}

/* Makes an expanded node from its two children, which are kept. Below the heap a node that no
 * longer needs its children lets them go: they hold at most as many leaves as it does, so they are
 * not expanded themselves. */
static sy_status combine_children(sy_trie *trie, unsigned depth, const struct sy_hash *key,
                                  bool keep)
{
    struct sy_node child[2];
    sy_nodes_children(&trie->nodes, child, depth, key);
    SY_ASSERT(sy_node_count(&child[0]) > 0 || sy_hash_is_zero(&child[0].hash));
    SY_ASSERT(sy_node_count(&child[1]) > 0 || sy_hash_is_zero(&child[1].hash));
    uint64_t count = (uint64_t)sy_node_count(&child[0]) + sy_node_count(&child[1]);
    if (count > SY_NODES_COUNT_MAX) return SY_ERR_LIMIT;
    struct sy_node node = {.bits = SY_NODES_EXPANDED | (uint32_t)count};
    sy_trie_combine(&node.hash, &child[0].hash, sy_node_count(&child[0]), &child[1].hash,
                    sy_node_count(&child[1]), &trie->hashes);
    if (!keep && depth >= trie->nodes.heap_depth && count <= SY_TRIE_BUCKET_MAX) {
        node.bits = (uint32_t)count;
        for (unsigned s = 0; s < 2; s++) {
            SY_ASSERT(!sy_node_expanded(&child[s]));
            if (count == 1 && sy_node_count(&child[s]) == 1) node.bits = child[s].bits;
            struct sy_hash side;
            sy_trie_half(&side, key, depth, s);
            sy_nodes_remove(&trie->nodes, depth + 1, &side);
        }
    }
    if (depth <= trie->nodes.heap_depth) {
        sy_shelf_forget(&trie->shelf, sy_nodes_heap_index(depth, key));
    }
    return sy_nodes_put(&trie->nodes, depth, key, &node);
}

/* Stores an unexpanded node for leaves [lo, hi). In the heap, which does not move while an update
 * or a rebuild of a run goes on, its hash comes later. */
static sy_status put_bucket(sy_trie *trie, unsigned depth, const struct sy_hash *key, size_t lo,
                            size_t hi)
{
    SY_ASSERT(lo <= hi && hi <= trie->leaves_max);
    struct sy_node node = {.bits = sy_node_bucket_bits(hi - lo, &trie->leaves[lo].key_hash)};
    SY_ASSERT(!sy_node_expanded(&node) && hi - lo <= SY_TRIE_BUCKET_MAX);
    if (depth <= trie->nodes.heap_depth) {
        uint32_t index = sy_nodes_heap_index(depth, key);
        SY_TRY(sy_nodes_put(&trie->nodes, depth, key, &node));
        sy_shelf_put(&trie->shelf, index, trie->leaves + lo, hi - lo);
        struct sy_hash *root = &trie->nodes.heap[index].hash;
        sy_trie_roots_add(&trie->roots, root, trie->leaves + lo, hi - lo, depth);
        return SY_OK;
    }
    sy_trie_run_root(&node.hash, trie->leaves + lo, hi - lo, depth, &trie->hashes);
    return sy_nodes_put(&trie->nodes, depth, key, &node);
}

static void forget_values(sy_trie *trie)
{
    trie->values.count = 0;
    trie->values.used = 0;
}

static void begin_hashing(sy_trie *trie)
{
    SY_ASSERT(trie->gathered_count == 0);
    sy_trie_roots_begin(&trie->roots);
    sy_trie_levels_clear(&trie->levels);
}

/* Makes the hashes that the heap waits for. */
static sy_status make_hashes(sy_trie *trie)
{
    sy_trie_roots_end(&trie->roots);
    trie->hashes += trie->roots.hashes;
    sy_trie_roots_begin(&trie->roots);
    return sy_trie_levels_make(&trie->levels, &trie->nodes, &trie->hashes);
}

/* Makes an expanded node from its two children: in the heap later, else at once. */
static sy_status make_node(sy_trie *trie, unsigned depth, const struct sy_hash *key)
{
    SY_ASSERT(depth < 256);
    if (depth >= trie->nodes.heap_depth) return combine_children(trie, depth, key, false);
    if (sy_trie_levels_are_full(&trie->levels)) SY_TRY(make_hashes(trie));
    sy_trie_levels_add(&trie->levels, depth, key);
    return SY_OK;
}

/* Replaces the bucket at (depth, key) by the subtree of the gathered leaves [first, end). */
static sy_status build_subtree(sy_trie *trie, unsigned depth, const struct sy_hash *key,
                               size_t first, size_t end)
{
    if (!must_expand(trie, depth, end - first)) return put_bucket(trie, depth, key, first, end);
    struct frame stack[WALK_MAX];
    size_t used = 0;
    stack[used++] = (struct frame){.depth = depth, .lo = first, .hi = end};
    while (used > 0) {
        struct frame *top = &stack[used - 1];
        SY_ASSERT(first <= top->lo && top->lo < top->hi && top->hi <= end);
        const struct sy_hash *here = &trie->leaves[top->lo].key_hash;
        if (top->stage == 2) {
            SY_TRY(make_node(trie, top->depth, here));
            used--;
            continue;
        }
        size_t middle = split_leaves(trie->leaves, top->lo, top->hi, top->depth);
        size_t lo = top->stage == 0 ? top->lo : middle;
        size_t hi = top->stage == 0 ? middle : top->hi;
        unsigned child = top->depth + 1;
        struct sy_hash side;
        sy_trie_half(&side, here, top->depth, top->stage);
        top->stage++;
        if (!must_expand(trie, child, hi - lo)) {
            SY_TRY(put_bucket(trie, child, &side, lo, hi));
            continue;
        }
        SY_ASSERT(used < WALK_MAX);
        stack[used++] = (struct frame){.depth = child, .lo = lo, .hi = hi};
    }
    return SY_OK;
}

// --- updating ----------------------------------------------------------------------------------

/* How many nodes of the heap a bucket's subtree notes at most. */
static size_t nodes_owed(const sy_trie *trie, unsigned depth, size_t leaves)
{
    if (depth >= trie->nodes.heap_depth || !must_expand(trie, depth, leaves)) return 0;
    return leaves * (trie->nodes.heap_depth - depth);
}

static bool can_note(const sy_trie *trie, size_t nodes)
{
    SY_ASSERT(trie->levels.count <= SY_TRIE_LEVELS_MAX);
    return nodes <= SY_TRIE_LEVELS_MAX - trie->levels.count;
}

/* Builds what is gathered. Nodes above it are noted already, and making them waits until all of it
 * is built; so there must be room for what is owed, but for the last bucket alone. */
static sy_status build_gathered(sy_trie *trie)
{
    SY_ASSERT(trie->gathered_count <= GATHERED_MAX);
    SY_ASSERT(trie->gathered_count <= 1 || can_note(trie, trie->owed));
    hash_values(trie);
    for (size_t i = 0; i < trie->gathered_count; i++) {
        const struct gathered *bucket = &trie->gathered[i];
        SY_TRY(build_subtree(trie, bucket->depth, bucket->key, bucket->lo, bucket->hi));
    }
    trie->gathered_count = 0;
    trie->owed = 0;
    return SY_OK;
}

/* Gathers the leaves of a bucket, once there is room for as many as it may get. */
static sy_status gather_bucket(sy_trie *trie, unsigned depth, const struct sy_hash *key,
                               const struct change_run *run, const struct sy_state_source *source)
{
    size_t count = trie->gathered_count;
    size_t lo = count > 0 ? trie->gathered[count - 1].hi : 0;
    size_t most = run->hi - run->lo + SY_TRIE_BUCKET_MAX;
    if (count == GATHERED_MAX || most > trie->leaves_max - lo) {
        SY_TRY(build_gathered(trie));
        lo = 0;
    }
    struct gathered bucket = {.depth = depth, .key = key, .lo = lo};
    SY_TRY(gather_leaves(trie, lo, &bucket.hi, depth, key, run, source));
    size_t owed = nodes_owed(trie, depth, bucket.hi - lo);
    if (!can_note(trie, trie->owed + owed)) {
        SY_TRY(build_gathered(trie));
        SY_TRY(make_hashes(trie));
    }
    trie->gathered[trie->gathered_count++] = bucket;
    trie->owed += owed;
    // A large one has all room for itself, and may make what it has noted as it goes on.
    return can_note(trie, trie->owed) ? SY_OK : build_gathered(trie);
}

/* Goes back up through a node all of whose halves are gathered or better. */
static sy_status close_node(sy_trie *trie, unsigned depth, const struct sy_hash *key)
{
    bool at_once = depth >= trie->nodes.heap_depth || !can_note(trie, trie->owed + 1);
    if (at_once) SY_TRY(build_gathered(trie));
    return make_node(trie, depth, key);
}

/* Walks down to the buckets that changes touch and back up. */
static sy_status apply_changes(sy_trie *trie, const struct sy_trie_change *changes, size_t count,
                               const struct sy_state_source *source)
{
    struct frame stack[WALK_MAX];
    size_t used = 0, expected = 0;
    forget_values(trie);
    begin_hashing(trie);
    stack[used++] = (struct frame){.depth = 0, .lo = 0, .hi = count};
    while (used > 0) {
        struct frame *top = &stack[used - 1];
        SY_ASSERT(top->lo < top->hi && top->hi <= count);
        const struct sy_hash *here = &changes[top->lo].key_hash;
        if (top->stage == 0) {
            // Whoever comes some buckets later is on its way meanwhile.
            for (; expected < count && expected < top->lo + EXPECTED_CHANGES; expected++) {
                sy_nodes_expect(&trie->nodes, &changes[expected].key_hash);
            }
            const struct sy_node *node = sy_nodes_find(&trie->nodes, top->depth, here);
            if (node == NULL || !sy_node_expanded(node)) {
                struct change_run run = {changes, top->lo, top->hi, false};
                SY_TRY(gather_bucket(trie, top->depth, here, &run, source));
                used--;
                continue;
            }
        }
        if (top->stage == 2) {
            SY_TRY(close_node(trie, top->depth, here));
            used--;
            continue;
        }
        size_t middle = split_changes(changes, top->lo, top->hi, top->depth);
        size_t lo = top->stage == 0 ? top->lo : middle;
        size_t hi = top->stage == 0 ? middle : top->hi;
        unsigned child = top->depth + 1;
        top->stage++;
        if (lo == hi) continue;
        SY_ASSERT(used < WALK_MAX);
        stack[used++] = (struct frame){.depth = child, .lo = lo, .hi = hi};
    }
    SY_TRY(build_gathered(trie));
    return make_hashes(trie);
}

/* Adds levels to the heap while there would be more than bucket_leaves leaves a place. */
static sy_status grow_for(sy_trie *trie, uint64_t leaves)
{
    while (leaves > (uint64_t)trie->bucket_leaves << trie->nodes.heap_depth &&
           sy_nodes_can_grow(&trie->nodes)) {
        SY_TRY(sy_nodes_grow(&trie->nodes));
    }
    SY_ASSERT(trie->nodes.heap_depth <= SY_NODES_HEAP_DEPTH_MAX);
    return SY_OK;
}

static bool changes_ascend(const struct sy_trie_change *changes, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (sy_hash_compare(&changes[i - 1].key_hash, &changes[i].key_hash) >= 0) return false;
    }
    return true;
}

sy_status sy_trie_update(sy_trie *trie, const struct sy_trie_change *changes, size_t count,
                         const struct sy_state_source *source)
{
    if (trie->broken) return SY_ERR_CLOSED;
    if (count > trie->changes_max) return SY_ERR_LIMIT;
    SY_ASSERT(changes_ascend(changes, count));
    SY_ASSERT(trie->leaves_max >= trie->changes_max + SY_TRIE_BUCKET_MAX);
    if (count == 0) return SY_OK;
    struct sy_trie_info info;
    sy_trie_get_info(trie, &info);
    sy_status status = grow_for(trie, info.leaves + count);
    if (status == SY_OK) status = apply_changes(trie, changes, count, source);
    trie->broken = status != SY_OK;
    return status;
}

// --- rebuilding --------------------------------------------------------------------------------

/* Puts the gathered leaves at (bits, prefix), expanding everything above. */
static sy_status place_run(sy_trie *trie, const struct sy_hash *prefix, unsigned bits, size_t count)
{
    SY_ASSERT(bits <= 256);
    if (!share_prefix(trie, 0, count, bits, prefix)) return SY_ERR_CORRUPT;
    begin_hashing(trie);
    SY_TRY(build_subtree(trie, bits, prefix, 0, count));
    SY_TRY(make_hashes(trie));
    for (unsigned depth = bits; depth-- > 0;) {
        SY_TRY(combine_children(trie, depth, prefix, true));
    }
    return SY_OK;
}

static sy_status rebuild_runs(sy_trie *trie, const struct sy_state_source *source)
{
    struct sy_hash prefix = {{0}};
    unsigned bits = 0;
    unsigned bits_min = 0;
    bool first = true;
    do {
        struct gather g = {.trie = trie};
        forget_values(trie);
        SY_TRY(source->scan(source->self, &prefix, bits, take_scanned, &g));
        hash_values(trie);
        if (g.disorder) return SY_ERR_CORRUPT;
        if (g.overflow) {
            if (bits == 256) return SY_ERR_CORRUPT;
            bits++;
            continue;
        }
        if (first) {
            // Key hashes are spread evenly, so the first run says how many leaves there are.
            SY_TRY(grow_for(trie, bits < 32 ? (uint64_t)g.count << bits : UINT32_MAX));
            bits_min = bits < trie->nodes.heap_depth ? bits : trie->nodes.heap_depth;
            first = false;
        }
        SY_ASSERT(bits >= bits_min);
        SY_TRY(place_run(trie, &prefix, bits, g.count));
        if (!sy_trie_next_prefix(&prefix, bits)) return SY_OK;
        bits = sy_trie_widen_prefix(&prefix, bits, bits_min);
    } while (true);
}

sy_status sy_trie_rebuild(sy_trie *trie, const struct sy_state_source *source)
{
    sy_nodes_clear(&trie->nodes);
    sy_shelf_clear(&trie->shelf);
    trie->gathered_count = 0; // of an update that failed
    trie->owed = 0;
    sy_status status = rebuild_runs(trie, source);
    trie->broken = status != SY_OK;
    return status;
}

// --- proving -----------------------------------------------------------------------------------

/* Narrows [*lo, *hi) to the changes below (depth, key). */
static void narrow_changes(const struct sy_trie_change *changes, size_t *lo, size_t *hi,
                           unsigned depth, const struct sy_hash *key)
{
    SY_ASSERT(*lo <= *hi && depth <= 256);
    for (unsigned d = 0; d < depth && *lo < *hi; d++) {
        size_t middle = split_changes(changes, *lo, *hi, d);
        if (sy_trie_bit(key, d) == 0) {
            *hi = middle;
        } else {
            *lo = middle;
        }
    }
}

/* Goes on inside a bucket of count gathered leaves, down to the key's own place. */
static void prove_in_bucket(sy_trie *trie, struct sy_state_proof *proof, size_t count,
                            unsigned depth)
{
    const struct sy_hash *key = &proof->key_hash;
    SY_ASSERT(proof->count == depth && count <= trie->leaves_max);
    size_t lo = 0;
    size_t hi = count;
    while (hi - lo > 1) {
        size_t middle = split_leaves(trie->leaves, lo, hi, depth);
        bool right = sy_trie_bit(key, depth) == 1;
        size_t other_lo = right ? lo : middle;
        size_t other_hi = right ? middle : hi;
        SY_ASSERT(proof->count < SY_TRIE_DEPTH_MAX);
        sy_trie_run_root(&proof->siblings[proof->count++], trie->leaves + other_lo,
                         other_hi - other_lo, depth + 1, &trie->hashes);
        lo = right ? middle : lo;
        hi = right ? hi : middle;
        depth++;
    }
    if (hi == lo) return;
    const struct sy_trie_leaf *leaf = &trie->leaves[lo];
    proof->present = sy_hash_equal(&leaf->key_hash, key);
    proof->other = !proof->present;
    if (proof->other) {
        proof->other_key_hash = leaf->key_hash;
        proof->other_value_hash = leaf->value_hash;
    }
}

static void reverse_siblings(struct sy_state_proof *proof)
{
    SY_ASSERT(proof->count <= SY_TRIE_DEPTH_MAX);
    for (size_t i = 0; i < proof->count / 2u; i++) {
        struct sy_hash swap = proof->siblings[i];
        proof->siblings[i] = proof->siblings[proof->count - 1u - i];
        proof->siblings[proof->count - 1u - i] = swap;
    }
}

sy_status sy_trie_prove(sy_trie *trie, struct sy_state_proof *proof, const struct sy_hash *key_hash,
                        const struct sy_trie_change *changes, size_t count,
                        const struct sy_state_source *source)
{
    if (trie->broken) return SY_ERR_CLOSED;
    proof->key_hash = *key_hash;
    proof->present = false;
    proof->other = false;
    proof->value = sy_slice_of(NULL, 0);
    proof->count = 0;
    unsigned depth = 0;
    const struct sy_node *node = sy_nodes_find(&trie->nodes, 0, key_hash);
    while (node != NULL && sy_node_expanded(node) && sy_node_count(node) > 1) {
        struct sy_hash other;
        sy_trie_half(&other, key_hash, depth, 1 - sy_trie_bit(key_hash, depth));
        const struct sy_node *sibling = sy_nodes_find(&trie->nodes, depth + 1, &other);
        static const struct sy_hash empty;
        SY_ASSERT(proof->count < SY_TRIE_DEPTH_MAX);
        proof->siblings[proof->count++] = sibling == NULL ? empty : sibling->hash;
        depth++;
        node = sy_nodes_find(&trie->nodes, depth, key_hash);
    }
    struct change_run run = {changes, 0, count, true};
    narrow_changes(changes, &run.lo, &run.hi, depth, key_hash);
    size_t leaves = 0;
    forget_values(trie);
    SY_TRY(gather_leaves(trie, 0, &leaves, depth, key_hash, &run, source));
    hash_values(trie);
    if (leaves != (node == NULL ? 0 : sy_node_count(node))) return SY_ERR_CORRUPT;
    prove_in_bucket(trie, proof, leaves, depth);
    reverse_siblings(proof);
    SY_ASSERT(!(proof->present && proof->other));
    return SY_OK;
}
