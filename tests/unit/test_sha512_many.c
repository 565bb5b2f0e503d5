/* test_sha512_many.c: the challenges of signatures, by every way, against SHA-512 of hash.h
 * (OpenSSL) over the bytes that are signed (keys.h). */
#include "core/crypto/sha512_many.h"

#include <stdio.h>

#include "core/base/prng.h"
#include "core/crypto/hash.h"
#include "core/crypto/keys.h"
#include "tests/support/test.h"

#define COUNT_MAX 70u

struct signed_bytes {
    struct sy_public_key key;
    struct sy_signature signature;
    struct sy_hash digest;
};

static struct signed_bytes given[COUNT_MAX];
static struct sy_challenge challenges[COUNT_MAX];
static uint8_t answers[COUNT_MAX][64];

static void answer(uint8_t out[64], const struct sy_challenge *challenge)
{
    uint8_t input[64 + SY_SIG_MESSAGE_BYTES];
    memcpy(input, challenge->r, 32);
    memcpy(input + 32, challenge->key, 32);
    sy_sig_message(input + 64, (enum sy_sig_kind)challenge->kind, challenge->digest);
    sy_sha512(out, input, sizeof input);
}

static int make_challenges(void **state)
{
    sy_prng prng;
    (void)state;
    sy_prng_seed(&prng, test_seed());
    sy_prng_fill(&prng, given, sizeof given);
    for (size_t i = 0; i < COUNT_MAX; i++) {
        challenges[i] =
            (struct sy_challenge){given[i].signature.bytes, given[i].key.bytes, &given[i].digest,
                                  (uint8_t)(SY_SIG_TX + i % (SY_SIG_KIND_COUNT - SY_SIG_TX))};
        answer(answers[i], &challenges[i]);
    }
    return 0;
}

CASE(every_count_up_to_70_is_hashed_and_no_more)
{
    static uint8_t out[COUNT_MAX + 1][64];
    const struct sy_sha512_many *way;
    for (size_t w = 0; (way = sy_sha512_many_at(w)) != NULL; w++) {
        printf("           %s\n", way->name);
        for (size_t count = 0; count <= COUNT_MAX; count++) {
            memset(out, 0x5a, sizeof out);
            way->hashes(out, challenges, count);
            assert_memory_equal(out, answers, count * sizeof out[0]);
            for (size_t i = 0; i < sizeof out[0]; i++) assert_int_equal(out[count][i], 0x5a);
        }
    }
}

CASE(lanes_hold_each_hash_as_a_little_endian_number)
{
    const struct sy_sha512_many *way;
    for (size_t w = 0; (way = sy_sha512_many_at(w)) != NULL; w++) {
        for (size_t first = 0; first + SY_SHA512_LANES <= COUNT_MAX; first++) {
            uint64_t limbs[8][SY_SHA512_LANES];
            way->lanes(limbs, challenges + first);
            for (size_t i = 0; i < 8; i++) {
                for (size_t lane = 0; lane < SY_SHA512_LANES; lane++) {
                    assert_true(limbs[i][lane] == sy_load_u64(answers[first + lane] + 8 * i));
                }
            }
        }
    }
}

// Every bit of every field counts, in every lane, and in that lane alone.
CASE(a_flipped_bit_changes_its_own_lane_alone)
{
    const struct sy_sha512_many *way;
    for (size_t w = 0; (way = sy_sha512_many_at(w)) != NULL; w++) {
        for (size_t bit = 0; bit < 8 * 96; bit++) {
            uint8_t out[SY_SHA512_LANES][64], expected[64];
            size_t lane = bit % SY_SHA512_LANES;
            struct signed_bytes changed = given[lane];
            struct sy_challenge mine[SY_SHA512_LANES];
            memcpy(mine, challenges, sizeof mine);
            mine[lane] = (struct sy_challenge){changed.signature.bytes, changed.key.bytes,
                                               &changed.digest, challenges[lane].kind};
            uint8_t *field = bit < 256   ? changed.signature.bytes
                             : bit < 512 ? changed.key.bytes
                                         : changed.digest.bytes;
            field[bit % 256 / 8] ^= (uint8_t)(1u << bit % 8);
            answer(expected, &mine[lane]);
            way->hashes(out, mine, SY_SHA512_LANES);
            for (size_t i = 0; i < SY_SHA512_LANES; i++) {
                assert_memory_equal(out[i], i == lane ? expected : answers[i], 64);
            }
        }
    }
}

CASE(ways_are_found_by_name)
{
    const struct sy_sha512_many *way;
    for (size_t i = 0; (way = sy_sha512_many_at(i)) != NULL; i++) {
        assert_ptr_equal(sy_sha512_many_named(way->name), way);
    }
    assert_non_null(sy_sha512_many_named("portable"));
    assert_null(sy_sha512_many_named("sha-ni"));
    assert_ptr_equal(sy_sha512_many_best(), sy_sha512_many_at(0));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(every_count_up_to_70_is_hashed_and_no_more),
        cmocka_unit_test(lanes_hold_each_hash_as_a_little_endian_number),
        cmocka_unit_test(a_flipped_bit_changes_its_own_lane_alone),
        cmocka_unit_test(ways_are_found_by_name),
    };
    return cmocka_run_group_tests(cases, make_challenges, NULL);
}
