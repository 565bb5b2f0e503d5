/* test_gpu_hash.c: the device's hashing, run as C: SHA-256 of leaves, trees, and the one block of
 * SHA-512 in verification, held against OpenSSL. */
#include <stdlib.h>
#include <string.h>

#include "core/base/prng.h"
#include "core/crypto/hash.h"
#include "core/crypto/keys.h"
#include "core/crypto/merkle.h"
#include "gpu/device_kernels.h"
#include "tests/support/test.h"

// --- leaves --------------------------------------------------------------------------------------

#define LEAVES 700u

/* Leaves of every size from 0 on, one behind the other, so that each begins at another address mod
 * 8. */
CASE(leaves_of_every_size_at_every_address)
{
    static struct sy_hash hashes[LEAVES + 1];
    static uint32_t offsets[LEAVES + 1];
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    for (uint32_t i = 0; i < LEAVES; i++) offsets[i + 1] = offsets[i] + i;
    // As much as there is, so that the address sanitizer sees what reads on.
    for (uint32_t shift = 0; shift < 8; shift++) {
        uint8_t *bytes = (uint8_t *)malloc(shift + offsets[LEAVES]);
        assert_non_null(bytes);
        sy_prng_fill(&prng, bytes, shift + offsets[LEAVES]);
        memset(hashes, 0, sizeof hashes);
        struct sy_gpu_leaves args = {.bytes = (uintptr_t)(bytes + shift),
                                     .offsets = (uintptr_t)offsets,
                                     .hashes = (uintptr_t)hashes,
                                     .count = LEAVES};
        for (uint32_t block = 0; block <= (LEAVES - 1) / SY_GPU_BLOCK; block++) {
            for (uint32_t i = 0; i < SY_GPU_BLOCK; i++) sy_dev_leaves(&args, block, i);
        }
        for (uint32_t i = 0; i < LEAVES; i++) {
            struct sy_hash expected;
            sy_hash_leaf(&expected, (struct sy_slice){bytes + shift + offsets[i], i});
            assert_memory_equal(&hashes[i], &expected, sizeof expected);
        }
        const struct sy_hash none = {{0}};
        assert_memory_equal(&hashes[LEAVES], &none, sizeof none); // None is written behind.
        free(bytes);
    }
}

// --- trees ---------------------------------------------------------------------------------------

static void run_block(const struct sy_gpu_subtrees *args, uint32_t block, bool backwards)
{
    static struct sy_gpu_shared shared;
    memset(&shared, 0xa5, sizeof shared);
    for (uint32_t phase = 0; phase < SY_GPU_SUBTREE_PHASES; phase++) {
        // Threads of a phase may come in any order.
        for (uint32_t i = 0; i < SY_GPU_BLOCK; i++) {
            sy_dev_subtrees(args, block, backwards ? SY_GPU_BLOCK - 1 - i : i, phase, &shared);
        }
    }
}

static struct sy_hash raise_tree(const struct sy_hash *leaves, uint32_t count, bool backwards)
{
    static struct sy_hash levels[2][4096];
    const struct sy_hash *from = leaves;
    for (unsigned turn = 0; count > 1; turn ^= 1) {
        uint32_t blocks = (count - 1) / SY_GPU_SUBTREE + 1;
        struct sy_gpu_subtrees args = {
            .from = (uintptr_t)from, .to = (uintptr_t)levels[turn], .count = count};
        for (uint32_t block = 0; block < blocks; block++) run_block(&args, block, backwards);
        from = levels[turn];
        count = blocks;
    }
    return from[0];
}

CASE(trees_of_every_size)
{
    enum { SIZES = 1100, MOST = 70001 };
    static const uint32_t more[] = {2047, 2048, 2049, 4097, 65535, 65536, 65537, MOST};
    struct sy_hash *leaves = (struct sy_hash *)malloc(MOST * sizeof *leaves);
    struct sy_hash *scratch = (struct sy_hash *)malloc(MOST * sizeof *scratch);
    sy_prng prng;
    assert_true(leaves && scratch);
    sy_prng_seed(&prng, test_seed());
    sy_prng_fill(&prng, leaves, MOST * sizeof *leaves);
    for (uint32_t i = 1; i <= SIZES + sizeof more / sizeof more[0]; i++) {
        uint32_t count = i <= SIZES ? i : more[i - SIZES - 1];
        struct sy_hash expected, root = raise_tree(leaves, count, i % 2);
        sy_merkle_root_by(&sy_sha256_openssl, &expected, scratch, leaves, count);
        assert_memory_equal(&root, &expected, sizeof root);
    }
    free(leaves);
    free(scratch);
}

// --- SHA-512 -------------------------------------------------------------------------------------

CASE(challenges_are_sha_512)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    for (int i = 0; i < 2000; i++) {
        uint8_t input[64 + SY_SIG_MESSAGE_BYTES], hash[64];
        uint32_t number[16];
        struct sy_hash digest;
        sy_prng_fill(&prng, input, 64);
        sy_prng_fill(&prng, &digest, sizeof digest);
        uint8_t kind = (uint8_t)(1 + i % 13);
        sy_sig_message(input + 64, (enum sy_sig_kind)kind, &digest);
        sy_sha512(hash, input, sizeof input);
        sy_dev_hash_challenge(number, input, input + 32, kind, digest.bytes);
        for (int w = 0; w < 16; w++) assert_int_equal(number[w], sy_load_u32(hash + 4 * w));
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(leaves_of_every_size_at_every_address),
        cmocka_unit_test(trees_of_every_size),
        cmocka_unit_test(challenges_are_sha_512),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
