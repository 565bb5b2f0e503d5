/* test_merkle.c: trees and paths against the recursive definition of RFC 6962, written out here as
 * the RFC states it. */
#include "core/crypto/merkle.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/prng.h"
#include "core/crypto/hash.h"
#include "tests/support/test.h"

#define LEAVES_MAX 1100
#define PATH_SIZES_MAX 130

static struct sy_hash leaves[LEAVES_MAX];
static struct sy_hash scratch[LEAVES_MAX];

static int make_leaves(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < LEAVES_MAX; i++) {
        uint8_t number[4];
        sy_store_u32(number, i);
        sy_hash_leaf(&leaves[i], sy_slice_of(number, sizeof number));
    }
    return 0;
}

static size_t split_size(size_t count)
{
    size_t k = 1;
    while (2 * k < count) k *= 2;
    return k; // the largest power of two smaller than count
}

// MTH of RFC 6962 2.1.
static struct sy_hash define_root(const struct sy_hash *from, size_t count)
{
    struct sy_hash root;
    if (count == 0) {
        sy_sha256(&root, "", 0);
        return root;
    }
    if (count == 1) return from[0];
    size_t k = split_size(count);
    struct sy_hash left = define_root(from, k);
    struct sy_hash right = define_root(from + k, count - k);
    sy_hash_node(&root, &left, &right);
    return root;
}

// PATH of RFC 6962 2.1.1; returns how many siblings it wrote.
static uint32_t define_path(struct sy_hash *out, const struct sy_hash *from, size_t count,
                            size_t index)
{
    uint32_t length;
    if (count == 1) return 0;
    size_t k = split_size(count);
    if (index < k) {
        length = define_path(out, from, k, index);
        out[length] = define_root(from + k, count - k);
    } else {
        length = define_path(out, from + k, count - k, index - k);
        out[length] = define_root(from, k);
    }
    return length + 1;
}

CASE(root_of_the_usual_eight_leaves)
{
    static const char *const inputs[] = {"",
                                         "00",
                                         "10",
                                         "2021",
                                         "3031",
                                         "40414243",
                                         "5051525354555657",
                                         "606162636465666768696a6b6c6d6e6f"};
    static const char *const roots[] = {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
    struct sy_hash usual[8];
    for (size_t i = 0; i < 8; i++) {
        uint8_t data[16];
        size_t size = strlen(inputs[i]) / 2;
        assert_true(sy_hex_decode(data, size, inputs[i]));
        sy_hash_leaf(&usual[i], sy_slice_of(data, size));
    }
    for (size_t count = 0; count <= 8; count++) {
        struct sy_hash root;
        char text[65];
        sy_merkle_root(&root, scratch, usual, count);
        sy_hex_encode(text, root.bytes, 32);
        assert_string_equal(text, roots[count]);
    }
}

CASE(root_equals_the_definition_at_every_size_by_every_way)
{
    for (size_t count = 0; count <= LEAVES_MAX; count++) {
        struct sy_hash root;
        struct sy_hash expected = define_root(leaves, count);
        sy_merkle_root(&root, scratch, leaves, count);
        assert_true(sy_hash_equal(&root, &expected));
        const struct sy_sha256_many *way;
        for (size_t i = 0; (way = sy_sha256_many_at(i)) != NULL; i++) {
            sy_merkle_root_by(way, &root, scratch, leaves, count);
            assert_true(sy_hash_equal(&root, &expected));
        }
    }
}

CASE(root_equals_the_definition_at_large_sizes_by_every_way)
{
    static const size_t sizes[] = {8191, 8192, 8193, 16385, 65535, 65536, 65537, 100003};
    size_t most = sizes[sizeof sizes / sizeof sizes[0] - 1];
    struct sy_hash *many = malloc(most * sizeof *many);
    struct sy_hash *room = malloc((most / 2 + 1) * sizeof *room);
    struct sy_hash *copy = malloc(most * sizeof *copy);
    assert_true(many != NULL && room != NULL && copy != NULL);
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    sy_prng_fill(&prng, many, most * sizeof *many);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct sy_hash expected = define_root(many, sizes[i]);
        const struct sy_sha256_many *way;
        for (size_t w = 0; (way = sy_sha256_many_at(w)) != NULL; w++) {
            struct sy_hash root;
            sy_merkle_root_by(way, &root, room, many, sizes[i]);
            assert_true(sy_hash_equal(&root, &expected));
            memcpy(copy, many, sizes[i] * sizeof *copy);
            sy_merkle_root_by(way, &root, copy, copy, sizes[i]);
            assert_true(sy_hash_equal(&root, &expected));
        }
    }
    free(copy);
    free(room);
    free(many);
}

CASE(root_may_use_the_leaves_as_scratch)
{
    struct sy_hash copy[130];
    for (size_t count = 1; count <= 130; count++) {
        struct sy_hash root;
        struct sy_hash expected = define_root(leaves, count);
        memcpy(copy, leaves, count * sizeof copy[0]);
        sy_merkle_root(&root, copy, copy, count);
        assert_true(sy_hash_equal(&root, &expected));
    }
}

CASE(root_writes_no_more_scratch_than_promised)
{
    struct sy_hash guarded[LEAVES_MAX / 2 + 2];
    struct sy_hash guard;
    memset(guard.bytes, 0x5a, sizeof guard.bytes);
    for (size_t count = 0; count <= LEAVES_MAX; count += 1 + count / 16) {
        struct sy_merkle_path path;
        struct sy_hash root;
        size_t room = count / 2 + 1;
        guarded[room] = guard;
        sy_merkle_root(&root, guarded, leaves, count);
        assert_true(sy_hash_equal(&guarded[room], &guard));
        if (count == 0) continue;
        sy_merkle_path_make(&path, guarded, leaves, count, count / 2);
        assert_true(sy_hash_equal(&guarded[room], &guard));
    }
}

CASE(every_path_of_every_small_size_equals_the_definition_and_leads_to_the_root)
{
    for (size_t count = 1; count <= PATH_SIZES_MAX; count++) {
        struct sy_hash expected_root = define_root(leaves, count);
        for (size_t index = 0; index < count; index++) {
            struct sy_merkle_path path;
            struct sy_hash expected[SY_MERKLE_PATH_MAX];
            struct sy_hash root;
            uint32_t length = define_path(expected, leaves, count, index);
            sy_merkle_path_make(&path, scratch, leaves, count, index);
            assert_int_equal(path.leaf_index, index);
            assert_int_equal(path.leaf_count, count);
            assert_int_equal(path.count, length);
            assert_int_equal(sy_merkle_path_length(index, count), length);
            assert_memory_equal(path.siblings, expected, length * sizeof expected[0]);
            assert_true(sy_merkle_path_root(&root, &path, &leaves[index]));
            assert_true(sy_hash_equal(&root, &expected_root));
        }
    }
}

CASE(a_path_leads_elsewhere_from_another_leaf_place_or_sibling)
{
    for (size_t count = 2; count <= 40; count++) {
        struct sy_hash expected = define_root(leaves, count);
        for (size_t index = 0; index < count; index++) {
            struct sy_merkle_path path;
            struct sy_hash root;
            sy_merkle_path_make(&path, scratch, leaves, count, index);
            assert_true(sy_merkle_path_root(&root, &path, &leaves[(index + 1) % count]));
            assert_false(sy_hash_equal(&root, &expected));
            for (uint32_t i = 0; i < path.count; i++) {
                path.siblings[i].bytes[i % 32] ^= 1;
                assert_true(sy_merkle_path_root(&root, &path, &leaves[index]));
                assert_false(sy_hash_equal(&root, &expected));
                path.siblings[i].bytes[i % 32] ^= 1;
            }
            for (size_t other = 0; other < count; other++) {
                path.leaf_index = other;
                bool fits = sy_merkle_path_root(&root, &path, &leaves[index]);
                assert_true(other == index || !fits || !sy_hash_equal(&root, &expected));
            }
        }
    }
}

CASE(a_path_whose_length_does_not_fit_is_refused)
{
    struct sy_merkle_path path;
    struct sy_hash root;
    for (size_t count = 1; count <= 40; count++) {
        for (size_t index = 0; index < count; index++) {
            sy_merkle_path_make(&path, scratch, leaves, count, index);
            uint32_t right = path.count;
            for (uint32_t length = 0; length <= SY_MERKLE_PATH_MAX; length++) {
                path.count = length;
                assert_int_equal(sy_merkle_path_root(&root, &path, &leaves[index]),
                                 length == right);
            }
        }
    }
}

CASE(a_strangers_impossible_figures_are_refused)
{
    static const struct {
        uint64_t index, leaf_count;
        uint32_t count;
    } bad[] = {
        {0, 0, 0},
        {1, 1, 0},
        {5, 5, 3},
        {0, (1ull << 32) + 1, 33},
        {1ull << 32, (1ull << 32) + 1, 1},
        {0, UINT64_MAX, 32},
        {0, UINT64_MAX, 64},
        {UINT64_MAX, UINT64_MAX, 32},
        {0, 2, UINT32_MAX},
        {0, 2, SY_MERKLE_PATH_IMPOSSIBLE},
        {7, 5, SY_MERKLE_PATH_IMPOSSIBLE},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct sy_merkle_path path = {bad[i].index, bad[i].leaf_count, bad[i].count, {{{0}}}};
        struct sy_hash root;
        assert_false(sy_merkle_path_root(&root, &path, &leaves[0]));
    }
}

CASE(path_length_reaches_its_maximum_at_two_to_the_32_leaves)
{
    const uint64_t most = 1ull << 32;
    assert_int_equal(sy_merkle_path_length(0, most), SY_MERKLE_PATH_MAX);
    assert_int_equal(sy_merkle_path_length(most - 1, most), SY_MERKLE_PATH_MAX);
    assert_int_equal(sy_merkle_path_length(most - 2, most - 1), 31);
    assert_int_equal(sy_merkle_path_length(1ull << 31, (1ull << 31) + 1), 1);
    assert_int_equal(sy_merkle_path_length(0, 1), 0);
    assert_int_equal(sy_merkle_path_length(0, 0), SY_MERKLE_PATH_IMPOSSIBLE);
    assert_int_equal(sy_merkle_path_length(most, most), SY_MERKLE_PATH_IMPOSSIBLE);
    assert_int_equal(sy_merkle_path_length(0, most + 1), SY_MERKLE_PATH_IMPOSSIBLE);
    assert_int_equal(sy_merkle_path_length(most, most + 1), SY_MERKLE_PATH_IMPOSSIBLE);
}

// CVE-2012-2459: where odd leaves are doubled, these two lists have one root.
CASE(repeating_the_last_leaf_changes_the_root)
{
    for (size_t count = 1; count <= 33; count += 2) {
        struct sy_hash list[34], root, longer;
        memcpy(list, leaves, count * sizeof list[0]);
        list[count] = list[count - 1];
        sy_merkle_root(&root, scratch, list, count);
        sy_merkle_root(&longer, scratch, list, count + 1);
        assert_false(sy_hash_equal(&root, &longer));
    }
}

// A second preimage: the two inner nodes of four leaves offered as the two leaves of a tree. Their
// concatenation as a leaf's data, or the nodes' own hashes as data, must not give the root.
CASE(an_inner_node_is_not_a_leaf)
{
    struct sy_hash nodes[2], root, shorter, fake;
    uint8_t both[64];
    sy_hash_node(&nodes[0], &leaves[0], &leaves[1]);
    sy_hash_node(&nodes[1], &leaves[2], &leaves[3]);
    sy_merkle_root(&root, scratch, leaves, 4);

    memcpy(both, nodes[0].bytes, 32);
    memcpy(both + 32, nodes[1].bytes, 32);
    sy_hash_leaf(&fake, sy_slice_of(both, sizeof both));
    sy_merkle_root(&shorter, scratch, &fake, 1);
    assert_false(sy_hash_equal(&root, &shorter));

    struct sy_hash data[2];
    sy_hash_leaf(&data[0], sy_slice_of(nodes[0].bytes, 32));
    sy_hash_leaf(&data[1], sy_slice_of(nodes[1].bytes, 32));
    sy_merkle_root(&shorter, scratch, data, 2);
    assert_false(sy_hash_equal(&root, &shorter));

    memcpy(both, leaves[0].bytes, 32);
    memcpy(both + 32, leaves[1].bytes, 32);
    sy_hash_leaf(&fake, sy_slice_of(both, sizeof both));
    assert_false(sy_hash_equal(&fake, &nodes[0]));
}

static void ask_for_a_path_beyond_the_leaves(void *context)
{
    struct sy_merkle_path path;
    (void)context;
    sy_merkle_path_make(&path, scratch, leaves, 4, 4);
}

CASE(making_a_path_beyond_the_leaves_is_our_bug)
{
    assert_aborts(ask_for_a_path_beyond_the_leaves, NULL);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(root_of_the_usual_eight_leaves),
        cmocka_unit_test(root_equals_the_definition_at_every_size_by_every_way),
        cmocka_unit_test(root_equals_the_definition_at_large_sizes_by_every_way),
        cmocka_unit_test(root_may_use_the_leaves_as_scratch),
        cmocka_unit_test(root_writes_no_more_scratch_than_promised),
        cmocka_unit_test(
            every_path_of_every_small_size_equals_the_definition_and_leads_to_the_root),
        cmocka_unit_test(a_path_leads_elsewhere_from_another_leaf_place_or_sibling),
        cmocka_unit_test(a_path_whose_length_does_not_fit_is_refused),
        cmocka_unit_test(a_strangers_impossible_figures_are_refused),
        cmocka_unit_test(path_length_reaches_its_maximum_at_two_to_the_32_leaves),
        cmocka_unit_test(repeating_the_last_leaf_changes_the_root),
        cmocka_unit_test(an_inner_node_is_not_a_leaf),
        cmocka_unit_test(making_a_path_beyond_the_leaves_is_our_bug),
    };
    return cmocka_run_group_tests(cases, make_leaves, NULL);
}
