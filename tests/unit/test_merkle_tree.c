/* Trees kept whole: the same roots and paths as RFC 6962's recursion, for every size. */
#include "core/crypto/merkle_tree.h"

#include <stdlib.h>

#include "core/crypto/hash.h"
#include "tests/support/network.h"
#include "tests/support/test.h"

#define LEAVES_MAX 1100u

static struct sy_hash leaves[LEAVES_MAX];
static struct sy_hash scratch[LEAVES_MAX];

static void make_leaves(void)
{
    for (unsigned i = 0; i < LEAVES_MAX; i++) leaves[i] = test_hash(i);
}

static void assert_same_paths(const struct sy_merkle_tree *tree, size_t count, size_t index)
{
    struct sy_merkle_path path, expected;
    struct sy_hash root;
    sy_merkle_tree_path(tree, &path, index);
    sy_merkle_path_make(&expected, scratch, leaves, count, index);
    assert_int_equal(path.count, expected.count);
    assert_true(path.leaf_index == expected.leaf_index && path.leaf_count == expected.leaf_count);
    assert_memory_equal(path.siblings, expected.siblings, path.count * sizeof path.siblings[0]);
    assert_true(sy_merkle_path_root(&root, &path, &leaves[index]));
    assert_true(sy_hash_equal(&root, &tree->root));
}

CASE(merkle_tree_gives_the_roots_and_paths_of_rfc_6962)
{
    struct sy_merkle_tree tree = {0};
    struct sy_hash root;
    make_leaves();
    for (size_t count = 0; count <= 200; count++) {
        assert_int_equal(sy_merkle_tree_build(&tree, leaves, count), SY_OK);
        sy_merkle_root(&root, scratch, leaves, count);
        assert_true(sy_hash_equal(&root, &tree.root));
        for (size_t index = 0; index < count; index++) assert_same_paths(&tree, count, index);
    }
    static const size_t large[] = {255, 256, 257, 511, 512, 513, 1023, 1024, 1025, 1100};
    for (size_t i = 0; i < sizeof large / sizeof large[0]; i++) {
        assert_int_equal(sy_merkle_tree_build(&tree, leaves, large[i]), SY_OK);
        assert_same_paths(&tree, large[i], 0);
        assert_same_paths(&tree, large[i], large[i] / 2);
        assert_same_paths(&tree, large[i], large[i] - 1);
    }
    sy_merkle_tree_free(&tree);
}

CASE(merkle_tree_can_be_built_again_smaller_and_larger)
{
    static const size_t sizes[] = {7, 1000, 1, 0, 64, 999, 3};
    struct sy_merkle_tree tree = {0};
    struct sy_hash root;
    make_leaves();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_int_equal(sy_merkle_tree_build(&tree, leaves, sizes[i]), SY_OK);
        sy_merkle_root(&root, scratch, leaves, sizes[i]);
        assert_true(sy_hash_equal(&root, &tree.root));
    }
    assert_same_paths(&tree, 3, 2);
    sy_merkle_tree_free(&tree);
    sy_merkle_tree_free(&tree); /* harmless */
}

static void ask_beyond(void *context)
{
    struct sy_merkle_path path;
    sy_merkle_tree_path((const struct sy_merkle_tree *)context, &path, 5);
}

CASE(merkle_tree_has_no_path_beyond_its_leaves)
{
    struct sy_merkle_tree tree = {0};
    make_leaves();
    assert_int_equal(sy_merkle_tree_build(&tree, leaves, 5), SY_OK);
    assert_aborts(ask_beyond, &tree);
    sy_merkle_tree_free(&tree);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(merkle_tree_gives_the_roots_and_paths_of_rfc_6962),
        cmocka_unit_test(merkle_tree_can_be_built_again_smaller_and_larger),
        cmocka_unit_test(merkle_tree_has_no_path_beyond_its_leaves),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
