/* Hashing many leaves, runs and nodes of the trie together gives what the definition gives, one
 * after the other: for states of any size, and at the edges of plans, lists and windows of values.
 * ctest: timeout=900 */
#include <stdlib.h>

#include "core/base/prng.h"
#include "core/crypto/hash.h"
#include "core/ledger/trie.h"
#include "core/ledger/trie_hash.h"
#include "core/ledger/trie_levels.h"
#include "core/ledger/trie_nodes.h"
#include "core/wire/delta.h"
#include "core/wire/proof.h"
#include "tests/support/state_source.h"
#include "tests/support/test.h"

#define LEAVES_MAX 12000u
#define ROOM_BYTES (64u << 20)

static struct sy_trie_leaf leaves[LEAVES_MAX];
static struct sy_trie_change changes[LEAVES_MAX];
static uint8_t *room;

static int compare_leaves(const void *a, const void *b)
{
    return sy_hash_compare(&((const struct sy_trie_leaf *)a)->key_hash,
                           &((const struct sy_trie_leaf *)b)->key_hash);
}

/* Different keys, ascending, that share their first `shared` bits; now and then two neighbours
 * share many more. Returns how many. */
static size_t make_leaves(sy_prng *prng, size_t count, unsigned shared)
{
    struct sy_hash like;
    sy_prng_fill(prng, like.bytes, sizeof like.bytes);
    for (size_t i = 0; i < count; i++) {
        struct sy_hash *key = &leaves[i].key_hash;
        unsigned same = shared;
        bool near = i > 0 && sy_prng_below(prng, 50) == 0;
        const struct sy_hash *from = near ? &leaves[i - 1].key_hash : &like;
        if (near) same += (unsigned)sy_prng_below(prng, 250 - shared);
        sy_prng_fill(prng, key->bytes, sizeof key->bytes);
        for (unsigned bit = 0; bit < same; bit++) {
            uint8_t mask = (uint8_t)(0x80u >> (bit % 8));
            key->bytes[bit / 8] =
                (uint8_t)((key->bytes[bit / 8] & ~mask) | (from->bytes[bit / 8] & mask));
        }
        sy_prng_fill(prng, leaves[i].value_hash.bytes, sizeof leaves[i].value_hash.bytes);
    }
    qsort(leaves, count, sizeof leaves[0], compare_leaves);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        bool again = kept > 0 && compare_leaves(&leaves[kept - 1], &leaves[i]) == 0;
        if (!again) leaves[kept++] = leaves[i];
    }
    return kept;
}

/* The definition (trie.h), one hash after the other. */
static void define(struct sy_hash *root, const struct sy_trie_leaf *run, size_t count,
                   unsigned depth)
{
    memset(root, 0, sizeof *root);
    if (count == 1) sy_trie_leaf(root, &run->key_hash, &run->value_hash);
    if (count <= 1) return;
    size_t left = 0;
    while (left < count && (run[left].key_hash.bytes[depth / 8] >> (7 - depth % 8) & 1) == 0)
        left++;
    struct sy_hash halves[2];
    define(&halves[0], run, left, depth + 1);
    define(&halves[1], run + left, count - left, depth + 1);
    sy_trie_inner(root, &halves[0], &halves[1]);
}

CASE(runs_hashed_together_have_each_its_own_root)
{
    enum { RUNS = 2500 };
    static struct sy_trie_roots roots;
    static struct sy_hash got[RUNS], expected[RUNS];
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    memset(got, 0xee, sizeof got);
    sy_trie_roots_begin(&roots);
    for (unsigned i = 0; i < RUNS; i++) {
        // The borders of a plan lie in runs of every kind: long ones, and many empty ones at once.
        size_t count = i % 500 == 0 ? sy_prng_below(&prng, 3000) : sy_prng_below(&prng, 20);
        if (i >= 1000 && i < 2200) count = 0;
        unsigned shared = (unsigned)sy_prng_below(&prng, 60);
        count = make_leaves(&prng, count, shared);
        sy_trie_roots_add(&roots, &got[i], leaves, count, shared);
        define(&expected[i], leaves, count, shared);
    }
    sy_trie_roots_end(&roots);
    assert_memory_equal(got, expected, sizeof got);
    assert_true(roots.hashes > 10000);
}

CASE(run_of_any_length_has_the_root_of_the_definition)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    for (unsigned round = 0; round < 120; round++) {
        size_t count = round < 70 ? round : sy_prng_below(&prng, 5000);
        unsigned shared = (unsigned)sy_prng_below(&prng, 40);
        struct sy_hash got, expected;
        uint64_t hashes = 0;
        count = make_leaves(&prng, count, shared);
        define(&expected, leaves, count, shared);
        sy_trie_run_root(&got, leaves, count, shared, &hashes);
        assert_memory_equal(got.bytes, expected.bytes, 32);
        for (size_t i = 0; i < count; i++) {
            changes[i] = (struct sy_trie_change){.key_hash = leaves[i].key_hash,
                                                 .value_hash = leaves[i].value_hash,
                                                 .present = true};
        }
        define(&expected, leaves, count, 0);
        sy_trie_root_of(&got, changes, count);
        assert_memory_equal(got.bytes, expected.bytes, 32);
    }
}

/* A value of a length by chance: mostly short, seldom as long as may be, sometimes none. */
static size_t draw_size(sy_prng *prng)
{
    uint64_t kind = sy_prng_below(prng, 100);
    if (kind == 0) return (size_t)sy_prng_below(prng, SY_STATE_VALUE_BYTES_MAX + 1);
    if (kind < 5) return 0;
    return (size_t)sy_prng_below(prng, 260);
}

/* Packs the leaves' keys with values by chance, and fills the leaves' value hashes. */
static struct sy_slice pack(sy_prng *prng, size_t count)
{
    static uint8_t value[SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, ROOM_BYTES);
    for (size_t i = 0; i < count; i++) {
        size_t size = draw_size(prng);
        sy_prng_fill(prng, value, size < 8 ? size : 8);
        struct sy_delta delta = {leaves[i].key_hash, SY_DELTA_PUT, sy_slice_of(value, size)};
        sy_sha256(&leaves[i].value_hash, value, size);
        sy_delta_write(&w, &delta);
    }
    assert_false(w.failed);
    return sy_writer_slice(&w);
}

static void check_state(sy_prng *prng, size_t count, const struct sy_trie_config *config)
{
    struct state_array state = {.entries = NULL};
    unsigned shared = (unsigned)sy_prng_below(prng, 12);
    struct sy_hash got, expected;
    count = make_leaves(prng, count, shared);
    struct sy_slice packed = pack(prng, count);
    state_array_apply(&state, packed);
    state_array_root(&state, &expected);
    struct sy_state_source source = state_array_source(&state);
    sy_trie *trie = NULL;
    assert_int_equal(sy_trie_open(&trie, config), SY_OK);
    assert_int_equal(sy_trie_rebuild(trie, &source), SY_OK);
    sy_trie_root(trie, &got);
    assert_memory_equal(got.bytes, expected.bytes, 32);
    struct sy_trie_info info;
    sy_trie_get_info(trie, &info);
    assert_int_equal(info.leaves, count);
    sy_trie_close(trie);
    // A chunk of all of it, and one of what lies under the bits that all share.
    assert_true(sy_trie_packed_root(&got, packed, 0));
    assert_memory_equal(got.bytes, expected.bytes, 32);
    define(&expected, leaves, count, shared);
    assert_true(sy_trie_packed_root(&got, packed, shared));
    assert_memory_equal(got.bytes, expected.bytes, 32);
    state_array_close(&state);
}

CASE(state_of_any_size_is_rebuilt_to_the_root_of_the_definition)
{
    static const size_t edges[] = {0,    1,    2,    3,    15,   16,   17,   127,  128,  129,  1022,
                                   1023, 1024, 1025, 4095, 4096, 4097, 4112, 4113, 8192, 12000};
    static const struct sy_trie_config configs[] = {
        {.bucket_leaves = 2, .changes_max = 1},
        {.bucket_leaves = 1, .changes_max = 1},
        {.bucket_leaves = 16, .changes_max = 1},
        {.bucket_leaves = 2,
         .memory_bytes_max = 4096,
         .changes_max = 1}, // most lies below the heap
    };
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    for (size_t c = 0; c < sizeof configs / sizeof configs[0]; c++) {
        for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
            check_state(&prng, edges[i], &configs[c]);
        }
        for (unsigned i = 0; i < 12; i++)
            check_state(&prng, sy_prng_below(&prng, 3000), &configs[c]);
    }
}

CASE(update_of_more_nodes_than_a_list_takes_has_the_root_of_the_definition)
{
    enum { COUNT = 12000 };
    _Static_assert(COUNT > 2 * SY_TRIE_LEVELS_MAX, "or the list is never full");
    struct state_array held = {.entries = NULL};
    struct sy_state_source source = state_array_source(&held);
    struct sy_trie_config config = {.bucket_leaves = 1, .changes_max = COUNT};
    struct sy_trie_info info;
    sy_trie *trie = NULL;
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    assert_int_equal(sy_trie_open(&trie, &config), SY_OK);
    for (unsigned round = 0; round < 3; round++) {
        struct sy_hash got, expected;
        // The second and the third change every entry, so every node of the heap.
        size_t count = round == 0 ? make_leaves(&prng, COUNT, 0) : held.count;
        struct sy_slice packed = pack(&prng, count);
        for (size_t i = 0; i < count; i++) {
            changes[i] = (struct sy_trie_change){.key_hash = leaves[i].key_hash,
                                                 .value_hash = leaves[i].value_hash,
                                                 .present = true,
                                                 .was_present = round > 0};
        }
        assert_int_equal(sy_trie_update(trie, changes, count, &source), SY_OK);
        state_array_apply(&held, packed);
        state_array_root(&held, &expected);
        sy_trie_root(trie, &got);
        assert_memory_equal(got.bytes, expected.bytes, 32);
    }
    sy_trie_get_info(trie, &info);
    assert_int_equal(info.leaves, held.count);
    assert_int_equal(info.scanned, 0);
    sy_trie_close(trie);
    state_array_close(&held);
}

CASE(trie_common_bits_counts_leading_bits)
{
    struct sy_hash a = {{0}}, b = {{0}};
    assert_int_equal(sy_trie_common_bits(&a, &b), 256);
    for (unsigned bit = 0; bit < 256; bit++) {
        b = a;
        b.bytes[bit / 8] = (uint8_t)(0x80u >> (bit % 8));
        assert_int_equal(sy_trie_common_bits(&a, &b), bit);
        assert_int_equal(sy_trie_bit(&b, bit), 1);
        struct sy_hash prefix;
        sy_hash_prefix(&prefix, &b, bit);
        assert_true(sy_hash_is_zero(&prefix));
        sy_hash_prefix(&prefix, &b, bit + 1);
        assert_true(sy_hash_equal(&prefix, &b));
    }
}

static int open_room(void **context)
{
    (void)context;
    room = (uint8_t *)malloc(ROOM_BYTES);
    return room == NULL ? -1 : 0;
}

static int close_room(void **context)
{
    (void)context;
    free(room);
    return 0;
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(runs_hashed_together_have_each_its_own_root),
        cmocka_unit_test(run_of_any_length_has_the_root_of_the_definition),
        cmocka_unit_test(state_of_any_size_is_rebuilt_to_the_root_of_the_definition),
        cmocka_unit_test(update_of_more_nodes_than_a_list_takes_has_the_root_of_the_definition),
        cmocka_unit_test(trie_common_bits_counts_leading_bits),
    };
    return cmocka_run_group_tests(cases, open_room, close_room);
}
