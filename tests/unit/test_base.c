/* Status, assertions, bytes, the arena, siphash and the generator. */
#include <stdlib.h>

#include "core/base/arena.h"
#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/base/prng.h"
#include "core/base/siphash.h"
#include "core/base/status.h"
#include "tests/support/test.h"

CASE(status_names_are_all_different)
{
    for (unsigned a = 0; a < SY_STATUS_COUNT; a++) {
        assert_non_null(sy_status_name((sy_status)a));
        for (unsigned b = 0; b < a; b++) {
            assert_string_not_equal(sy_status_name((sy_status)a), sy_status_name((sy_status)b));
        }
    }
    assert_string_equal(sy_status_name((sy_status)SY_STATUS_COUNT), "unknown status");
    assert_string_equal(sy_status_name((sy_status)-1), "unknown status");
}

CASE(fail_fills_the_sentence_and_returns_the_status)
{
    struct sy_error err;
    assert_int_equal(sy_fail(&err, SY_ERR_IO, "%s: %d", "disk", 7), SY_ERR_IO);
    assert_int_equal(err.status, SY_ERR_IO);
    assert_string_equal(err.text, "disk: 7");
    assert_int_equal(sy_fail(NULL, SY_ERR_BUSY, "nobody reads this"), SY_ERR_BUSY);
}

CASE(fail_cuts_an_over_long_sentence)
{
    char text[1000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    struct sy_error err;
    assert_int_equal(sy_fail(&err, SY_ERR_LIMIT, "%s", text), SY_ERR_LIMIT);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

static sy_status count_and_return(int *calls, sy_status status)
{
    (*calls)++;
    return status;
}

static sy_status try_twice(int *calls, sy_status first)
{
    SY_TRY(count_and_return(calls, first));
    SY_TRY(count_and_return(calls, SY_OK));
    return SY_ERR_TIMEOUT;
}

CASE(try_stops_at_the_first_failure)
{
    int calls = 0;
    assert_int_equal(try_twice(&calls, SY_ERR_BUSY), SY_ERR_BUSY);
    assert_int_equal(calls, 1);
    assert_int_equal(try_twice(&calls, SY_OK), SY_ERR_TIMEOUT);
    assert_int_equal(calls, 3);
}

static void assert_on(void *context)
{
    int *value = (int *)context;
    // The macro is an expression: it takes part in an if and else without braces.
    if (*value == 1)
        SY_ASSERT(*value == 1);
    else
        SY_ASSERT(*value == 2);
}

CASE(assert_aborts_only_when_the_condition_is_false)
{
    int value = 1;
    assert_on(&value);
    value = 2;
    assert_on(&value);
    value = 3;
    assert_aborts(assert_on, &value);
}

CASE(hex_round_trips_and_is_strict)
{
    uint8_t bytes[4] = {0x00, 0x9f, 0xa0, 0xff};
    char text[9];
    sy_hex_encode(text, bytes, sizeof bytes);
    assert_string_equal(text, "009fa0ff");
    uint8_t back[4];
    assert_true(sy_hex_decode(back, sizeof back, "009FA0ff"));
    assert_memory_equal(back, bytes, sizeof bytes);
    assert_false(sy_hex_decode(back, sizeof back, "009fa0f"));
    assert_false(sy_hex_decode(back, sizeof back, "009fa0ff0"));
    assert_false(sy_hex_decode(back, sizeof back, "009fa0fg"));
    assert_false(sy_hex_decode(back, sizeof back, " 09fa0ff"));
    assert_false(sy_hex_decode(back, sizeof back, ""));
    assert_true(sy_hex_decode(back, 0, ""));
    sy_hex_encode(text, bytes, 0);
    assert_string_equal(text, "");
}

CASE(parse_u64_takes_whole_numbers_in_range)
{
    uint64_t value = 0;
    assert_true(sy_parse_u64(&value, "18446744073709551615", 0, UINT64_MAX));
    assert_true(value == UINT64_MAX);
    assert_true(sy_parse_u64(&value, "007", 7, 7));
    assert_int_equal(value, 7);
    static const char *const wrong[] = {"",
                                        " 1",
                                        "1 ",
                                        "+1",
                                        "-1",
                                        "0x1",
                                        "1.0",
                                        "1e3",
                                        "18446744073709551616",
                                        "99999999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(sy_parse_u64(&value, wrong[i], 0, UINT64_MAX));
    }
    assert_false(sy_parse_u64(&value, "9", 10, 20));
    assert_false(sy_parse_u64(&value, "21", 10, 20));
    assert_int_equal(value, 7);
}

CASE(loads_and_stores_are_little_endian_at_any_alignment)
{
    uint8_t bytes[9] = {0};
    sy_store_u64(bytes + 1, 0x0102030405060708u);
    static const uint8_t expected[8] = {8, 7, 6, 5, 4, 3, 2, 1};
    assert_memory_equal(bytes + 1, expected, 8);
    assert_true(sy_load_u64(bytes + 1) == 0x0102030405060708u);
    assert_int_equal(sy_load_u32(bytes + 1), 0x05060708);
    assert_int_equal(sy_load_u16(bytes + 1), 0x0708);
    sy_store_u32(bytes + 1, 0xfffefdfcu);
    assert_int_equal(sy_load_u32(bytes + 1), 0xfffefdfcu);
    sy_store_u16(bytes + 1, 0xfff0u);
    assert_int_equal(sy_load_u16(bytes + 1), 0xfff0);
}

CASE(big_endian_stores_sort_by_number)
{
    static const uint64_t rising[] = {0, 1, 255, 256, 65536, 1ull << 63, UINT64_MAX};
    for (size_t i = 0; i + 1 < sizeof rising / sizeof rising[0]; i++) {
        uint8_t low[8];
        uint8_t high[8];
        sy_store_u64_be(low, rising[i]);
        sy_store_u64_be(high, rising[i + 1]);
        assert_true(memcmp(low, high, 8) < 0);
        assert_true(sy_load_u64_be(low) == rising[i]);
    }
}

CASE(slices_and_hashes_compare_by_content)
{
    struct sy_slice empty = sy_slice_of(NULL, 0);
    assert_true(sy_slice_equal(empty, sy_slice_of("", 0)));
    assert_true(sy_slice_equal(sy_slice_of("ab", 2), sy_slice_of("abc", 2)));
    assert_false(sy_slice_equal(sy_slice_of("ab", 2), sy_slice_of("abc", 3)));
    struct sy_hash a = {{0}};
    struct sy_hash b = {{0}};
    assert_true(sy_hash_is_zero(&a));
    assert_true(sy_hash_equal(&a, &b));
    b.bytes[31] = 1;
    assert_false(sy_hash_is_zero(&b));
    assert_false(sy_hash_equal(&a, &b));
    assert_true(sy_hash_compare(&a, &b) < 0);
}

CASE(wipe_zeroes)
{
    uint8_t secret[40];
    uint8_t zero[40] = {0};
    memset(secret, 0xa5, sizeof secret);
    sy_wipe(secret, sizeof secret);
    assert_memory_equal(secret, zero, sizeof secret);
    sy_wipe(NULL, 0);
}

CASE(arena_carves_zeroed_aligned_memory_that_does_not_overlap)
{
    sy_arena arena;
    assert_int_equal(sy_arena_open(&arena, 4096), SY_OK);
    uint8_t *last_end = NULL;
    for (size_t i = 1; i < 20; i++) {
        uint8_t *p = SY_CARVE(&arena, uint8_t, i * 7);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 64, 0);
        assert_true(!last_end || p >= last_end);
        for (size_t k = 0; k < i * 7; k++) {
            assert_int_equal(p[k], 0);
            p[k] = 0xff;
        }
        last_end = p + i * 7;
    }
    sy_arena_close(&arena);
    sy_arena_close(&arena);
}

CASE(arena_gives_every_byte_and_then_none)
{
    sy_arena arena;
    assert_int_equal(sy_arena_open(&arena, 1000), SY_OK);
    assert_null(SY_CARVE(&arena, uint8_t, 1001));
    assert_non_null(SY_CARVE(&arena, uint8_t, 64));
    assert_null(SY_CARVE(&arena, uint8_t, 937));
    uint8_t *rest = SY_CARVE(&arena, uint8_t, 936);
    assert_non_null(rest);
    rest[935] = 1;
    assert_null(SY_CARVE(&arena, uint8_t, 1));
    sy_arena_close(&arena);
}

CASE(arena_refuses_products_that_overflow)
{
    sy_arena arena;
    assert_int_equal(sy_arena_open(&arena, 4096), SY_OK);
    assert_null(sy_arena_carve(&arena, SIZE_MAX / 2, 3));
    assert_null(sy_arena_carve(&arena, SIZE_MAX, 1));
    assert_non_null(sy_arena_carve(&arena, 4096, 1));
    sy_arena_close(&arena);
    assert_int_equal(sy_arena_open(&arena, 0), SY_ERR_ARGUMENT);
    assert_int_equal(sy_arena_open(&arena, SIZE_MAX / 2), SY_ERR_NO_MEMORY);
    sy_arena_close(&arena);
}

static void carve_one(void *context)
{
    if (!sy_arena_carve((sy_arena *)context, 1, 1)) _Exit(1);
}

CASE(arena_asserts_on_a_carve_after_the_seal)
{
    sy_arena arena;
    assert_int_equal(sy_arena_open(&arena, 4096), SY_OK);
    carve_one(&arena);
    sy_arena_seal(&arena);
    assert_aborts(carve_one, &arena);
    sy_arena_close(&arena);
}

CASE(siphash13_matches_an_independent_implementation)
{
    // Key and data 00 01 02 ...; from a second implementation that reproduces the published
    // SipHash-2-4 vectors when it is given 2 and 4 rounds.
    static const struct {
        size_t size;
        uint64_t hash;
    } vectors[] = {{0, 0xabac0158050fc4dcu}, {1, 0xc9f49bf37d57ca93u},  {7, 0xd3927d989bb11140u},
                   {8, 0x369095118d299a8eu}, {15, 0xd320d86d2a519956u}, {32, 0x81157b6c16a7b60du},
                   {63, 0x9d199062b7bbb3a8u}};
    static const uint64_t key[2] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
    uint8_t data[64];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        assert_true(sy_siphash13(key, data, vectors[i].size) == vectors[i].hash);
    }
}

CASE(prng_matches_the_published_sequence)
{
    // xoshiro256** from the state 1, 2, 3, 4.
    static const uint64_t expected[] = {
        11520, 0, 1509978240, 1215971899390074240u, 1216172134540287360u, 607988272756665600u};
    sy_prng prng = {{1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        assert_true(sy_prng_next(&prng) == expected[i]);
    }
    // splitmix64 from the seed 1234567.
    sy_prng_seed(&prng, 1234567);
    assert_true(prng.s[0] == 6457827717110365317u);
    assert_true(prng.s[1] == 3203168211198807973u);
    assert_true(prng.s[2] == 9817491932198370423u);
}

CASE(prng_below_stays_below_and_reaches_everything)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    bool seen[7] = {false};
    for (int i = 0; i < 2000; i++) {
        uint64_t draw = sy_prng_below(&prng, 7);
        assert_true(draw < 7);
        seen[draw] = true;
        assert_int_equal(sy_prng_below(&prng, 1), 0);
        assert_true(sy_prng_below(&prng, (1ull << 63) + 1) <= 1ull << 63);
        assert_true(sy_prng_chance(&prng, 3, 3));
        assert_false(sy_prng_chance(&prng, 0, 3));
    }
    for (size_t i = 0; i < 7; i++) assert_true(seen[i]);
}

CASE(prng_repeats_itself_from_a_seed)
{
    sy_prng a;
    sy_prng b;
    uint8_t from_a[37];
    uint8_t from_b[37];
    uint64_t seed = test_seed();
    sy_prng_seed(&a, seed);
    sy_prng_seed(&b, seed);
    sy_prng_fill(&a, from_a, sizeof from_a);
    sy_prng_fill(&b, from_b, sizeof from_b);
    assert_memory_equal(from_a, from_b, sizeof from_a);
    sy_prng_fill(&a, from_a, sizeof from_a);
    assert_memory_not_equal(from_a, from_b, sizeof from_a);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(status_names_are_all_different),
        cmocka_unit_test(fail_fills_the_sentence_and_returns_the_status),
        cmocka_unit_test(fail_cuts_an_over_long_sentence),
        cmocka_unit_test(try_stops_at_the_first_failure),
        cmocka_unit_test(assert_aborts_only_when_the_condition_is_false),
        cmocka_unit_test(hex_round_trips_and_is_strict),
        cmocka_unit_test(parse_u64_takes_whole_numbers_in_range),
        cmocka_unit_test(loads_and_stores_are_little_endian_at_any_alignment),
        cmocka_unit_test(big_endian_stores_sort_by_number),
        cmocka_unit_test(slices_and_hashes_compare_by_content),
        cmocka_unit_test(wipe_zeroes),
        cmocka_unit_test(arena_carves_zeroed_aligned_memory_that_does_not_overlap),
        cmocka_unit_test(arena_gives_every_byte_and_then_none),
        cmocka_unit_test(arena_refuses_products_that_overflow),
        cmocka_unit_test(arena_asserts_on_a_carve_after_the_seal),
        cmocka_unit_test(siphash13_matches_an_independent_implementation),
        cmocka_unit_test(prng_matches_the_published_sequence),
        cmocka_unit_test(prng_below_stays_below_and_reaches_everything),
        cmocka_unit_test(prng_repeats_itself_from_a_seed),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
