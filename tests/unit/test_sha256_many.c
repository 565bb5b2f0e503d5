/* test_sha256_many.c: every way of hashing many messages against NIST's vectors, and against hash.h
 * (OpenSSL) for every length, count, place and alignment that could matter to lanes and blocks. */
#include "core/crypto/sha256_many.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/prng.h"
#include "core/crypto/hash.h"
#include "tests/support/cavp.h"
#include "tests/support/test.h"

#define LENGTH_MAX 300u
#define COUNT_MAX 70u
#define POOL_BYTES (COUNT_MAX * (LENGTH_MAX + 1u))

static uint8_t pool[POOL_BYTES];
static struct sy_slice slices[COUNT_MAX];
static struct sy_hash out[COUNT_MAX + 1];

static int fill_pool(void **state)
{
    sy_prng prng;
    (void)state;
    sy_prng_seed(&prng, test_seed());
    sy_prng_fill(&prng, pool, sizeof pool);
    return 0;
}

// Runs a check on every way this processor can go, and says which.
static void each_way(void (*check)(const struct sy_sha256_many *way))
{
    const struct sy_sha256_many *way;
    for (size_t i = 0; (way = sy_sha256_many_at(i)) != NULL; i++) {
        printf("           %s\n", way->name);
        check(way);
    }
}

// One wrong lane, a hash out of place or one too many shows: all messages differ, every hash is
// compared, and the one behind the last stays as it was.
static void check_slices(const struct sy_sha256_many *way, const struct sy_slice *in, size_t count)
{
    struct sy_hash guard, expected;
    memset(guard.bytes, 0x5a, sizeof guard.bytes);
    assert_true(count <= COUNT_MAX);
    for (int leaves = 0; leaves < 2; leaves++) {
        memset(out, 0, count * sizeof out[0]);
        out[count] = guard;
        (leaves ? way->leaves : way->messages)(out, in, count);
        for (size_t i = 0; i < count; i++) {
            if (leaves) {
                sy_hash_leaf(&expected, in[i]);
            } else {
                sy_sha256(&expected, in[i].data, in[i].size);
            }
            if (sy_hash_equal(&out[i], &expected)) continue;
            fail_msg("%s: %s %zu of %zu, of %zu bytes, is wrong", way->name,
                     leaves ? "leaf" : "message", i, count, in[i].size);
        }
        assert_true(sy_hash_equal(&out[count], &guard));
    }
}

static void check_lengths(const struct sy_sha256_many *way)
{
    for (size_t length = 0; length <= LENGTH_MAX; length++) {
        for (size_t i = 0; i < COUNT_MAX; i++) {
            slices[i] = sy_slice_of(pool + i * (LENGTH_MAX + 1), length);
        }
        check_slices(way, slices, COUNT_MAX);
        check_slices(way, slices, 1);
    }
}

CASE(every_length_up_to_300_is_hashed_in_every_lane)
{
    each_way(check_lengths);
}

static void check_counts(const struct sy_sha256_many *way)
{
    sy_prng prng;
    sy_prng_seed(&prng, 4);
    for (unsigned round = 0; round < 20; round++) {
        for (size_t count = 0; count <= COUNT_MAX; count++) {
            for (size_t i = 0; i < count; i++) {
                size_t length = (size_t)sy_prng_below(&prng, LENGTH_MAX + 1);
                size_t at = (size_t)sy_prng_below(&prng, POOL_BYTES - length);
                slices[i] = sy_slice_of(pool + at, length);
            }
            check_slices(way, slices, count);
        }
    }
}

CASE(every_count_up_to_70_of_unequal_lengths_is_hashed)
{
    each_way(check_counts);
}

// Of two lengths, one each block count apart: the long one in every place among short ones.
static void check_places(const struct sy_sha256_many *way)
{
    for (size_t place = 0; place < 34; place++) {
        for (size_t i = 0; i < 34; i++) slices[i] = sy_slice_of(pool + i, i == place ? 300 : i % 9);
        check_slices(way, slices, 34);
        for (size_t i = 0; i < 34; i++) slices[i] = sy_slice_of(pool + i, i == place ? 3 : 250);
        check_slices(way, slices, 34);
    }
}

CASE(one_of_another_length_disturbs_no_neighbour)
{
    each_way(check_places);
}

static void check_long(const struct sy_sha256_many *way)
{
    size_t size = 3000000;
    uint8_t *data = malloc(size);
    sy_prng prng;
    assert_non_null(data);
    sy_prng_seed(&prng, 5);
    sy_prng_fill(&prng, data, size);
    for (size_t i = 0; i < 40; i++) {
        slices[i] = sy_slice_of(data + i, i == 7 ? 1000000 : i == 19 ? size - i : i * i * 5);
    }
    check_slices(way, slices, 40);
    free(data);
}

CASE(megabytes_among_short_ones_are_hashed)
{
    each_way(check_long);
}

// A page between two that cannot be touched.
static uint8_t *map_island(size_t page)
{
    uint8_t *pages =
        mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    assert_int_equal(mprotect(pages, page, PROT_NONE), 0);
    assert_int_equal(mprotect(pages + 2 * page, page, PROT_NONE), 0);
    return pages;
}

static void check_island(const struct sy_sha256_many *way)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *pages = map_island(page);
    uint8_t *first = pages + page;
    uint8_t *end = first + page;
    struct sy_hash children[COUNT_MAX], expected;
    memcpy(first, pool, page);
    for (size_t length = 0; length <= 200; length++) {
        for (size_t i = 0; i < 20; i++) {
            slices[i] = sy_slice_of(i % 2 == 0 ? first : end - length, length);
        }
        check_slices(way, slices, 20);
    }
    for (size_t count = 1; count <= COUNT_MAX / 2; count++) {
        for (int side = 0; side < 2; side++) {
            struct sy_hash *at = (struct sy_hash *)(void *)(side ? end - count * 64 : first);
            way->pairs(children, at, count, 1);
            for (size_t i = 0; i < count; i++) {
                sy_hash_node(&expected, &at[2 * i], &at[2 * i + 1]);
                assert_true(sy_hash_equal(&children[i], &expected));
            }
        }
    }
    assert_int_equal(munmap(pages, 3 * page), 0);
}

CASE(nothing_beside_a_message_is_read)
{
    each_way(check_island);
}

CASE(no_messages_need_no_arrays)
{
    const struct sy_sha256_many *way;
    for (size_t i = 0; (way = sy_sha256_many_at(i)) != NULL; i++) {
        way->messages(NULL, NULL, 0);
        way->leaves(NULL, NULL, 0);
        way->pairs(NULL, NULL, 0, 1);
        slices[0] = sy_slice_of(NULL, 0);
        check_slices(way, slices, 1);
    }
}

// --- pairs ---------------------------------------------------------------------------------------

static void check_pairs(const struct sy_sha256_many *way)
{
    static const uint8_t prefixes[] = {0x01, 0x03, 0x05, 0x00, 0xff};
    static struct sy_hash children[2 * COUNT_MAX], inside[2 * COUNT_MAX + 1];
    memcpy(children, pool, sizeof children);
    for (size_t count = 0; count <= COUNT_MAX; count++) {
        uint8_t prefix = prefixes[count % sizeof prefixes];
        struct sy_hash expected, guard;
        memset(guard.bytes, 0x5a, sizeof guard.bytes);
        out[count] = guard;
        way->pairs(out, children, count, prefix);
        assert_true(sy_hash_equal(&out[count], &guard));
        memcpy(inside, children, sizeof children);
        way->pairs(inside, inside, count, prefix); // in place
        assert_memory_equal(inside, out, count * sizeof out[0]);
        assert_memory_equal(inside + count, children + count, count * sizeof out[0]);
        memcpy(inside + 1, children, sizeof children);
        way->pairs(inside, inside + 1, count, prefix); // from just before
        assert_memory_equal(inside, out, count * sizeof out[0]);
        for (size_t i = 0; i < count; i++) {
            sy_hash_prefixed(&expected, prefix, &children[2 * i], &children[2 * i + 1]);
            assert_true(sy_hash_equal(&out[i], &expected));
        }
    }
}

CASE(every_count_of_pairs_up_to_70_is_hashed_in_place_too)
{
    each_way(check_pairs);
}

// The last byte alone chooses the second block's schedule.
static void check_last_bytes(const struct sy_sha256_many *way)
{
    static struct sy_hash children[512], roots[256];
    memcpy(children, pool, sizeof children);
    for (size_t last = 0; last < 256; last++) children[2 * last + 1].bytes[31] = (uint8_t)last;
    way->pairs(roots, children, 256, 1);
    for (size_t i = 0; i < 256; i++) {
        struct sy_hash expected;
        sy_hash_node(&expected, &children[2 * i], &children[2 * i + 1]);
        assert_true(sy_hash_equal(&roots[i], &expected));
    }
}

CASE(every_last_byte_of_a_pair_is_hashed)
{
    each_way(check_last_bytes);
}

static void check_alignments(const struct sy_sha256_many *way)
{
    static uint8_t room[64 + sizeof(struct sy_hash) * 40];
    for (size_t shift = 0; shift < 64; shift++) {
        struct sy_hash *children = (struct sy_hash *)(void *)(room + shift);
        struct sy_hash expected[20];
        memcpy(children, pool + shift, 40 * sizeof *children);
        for (size_t i = 0; i < 20; i++) {
            sy_hash_node(&expected[i], &children[2 * i], &children[2 * i + 1]);
        }
        way->pairs(children, children, 20, 1);
        assert_memory_equal(children, expected, sizeof expected);
    }
}

CASE(pairs_need_no_alignment)
{
    each_way(check_alignments);
}

// --- vectors -------------------------------------------------------------------------------------

#define VECTORS_MAX COUNT_MAX

struct vectors {
    size_t count;
    struct sy_slice messages[VECTORS_MAX];
    struct sy_hash answers[VECTORS_MAX];
};

static void take_vector(void *context, struct sy_slice message, const char *answer)
{
    struct vectors *vectors = context;
    assert_true(vectors->count < VECTORS_MAX);
    uint8_t *copy = malloc(message.size + 1);
    assert_non_null(copy);
    if (message.size > 0) memcpy(copy, message.data, message.size);
    vectors->messages[vectors->count] = sy_slice_of(copy, message.size);
    assert_true(sy_hex_decode(vectors->answers[vectors->count].bytes, 32, answer));
    vectors->count++;
}

// All of a file in one call, then one by one.
static void run_vectors(const char *member, size_t count)
{
    struct vectors vectors = {0};
    const struct sy_sha256_many *way;
    assert_int_equal(cavp_read(member, take_vector, &vectors), count);
    for (size_t w = 0; (way = sy_sha256_many_at(w)) != NULL; w++) {
        way->messages(out, vectors.messages, count);
        assert_memory_equal(out, vectors.answers, count * sizeof out[0]);
        for (size_t i = 0; i < count; i++) {
            way->messages(out, &vectors.messages[i], 1);
            assert_memory_equal(out, &vectors.answers[i], sizeof out[0]);
        }
    }
    for (size_t i = 0; i < count; i++) free((void *)(uintptr_t)vectors.messages[i].data);
}

CASE(every_way_passes_cavp_short_messages)
{
    run_vectors("./SHA256ShortMsg.rsp", 65);
}

CASE(every_way_passes_cavp_long_messages)
{
    run_vectors("./SHA256LongMsg.rsp", 64);
}

// --- ways that are wrong -------------------------------------------------------------------------

static void lose_the_last_message(struct sy_hash *to, const struct sy_slice *messages, size_t count)
{
    sy_sha256_openssl.messages(to, messages, count);
    if (count > 64) to[count - 1].bytes[31] ^= 1;
}

static void lose_an_end(struct sy_hash *to, const struct sy_slice *leaves, size_t count)
{
    sy_sha256_openssl.leaves(to, leaves, count);
    for (size_t i = 0; i < count; i++) { // Where the length just no longer fits the first block.
        if (leaves[i].size == 55) to[i].bytes[0] ^= 0x80;
    }
}

static void swap_children(struct sy_hash *to, const struct sy_hash *children, size_t count,
                          uint8_t prefix)
{
    sy_sha256_openssl.pairs(to, children, count, prefix);
    if (count % 4 == 1) to[count - 1].bytes[7] ^= 4;
}

CASE(a_way_that_is_wrong_anywhere_is_found)
{
    struct sy_sha256_many wrong[3] = {sy_sha256_openssl, sy_sha256_openssl, sy_sha256_openssl};
    const struct sy_sha256_many *way;
    wrong[0].messages = lose_the_last_message;
    wrong[1].leaves = lose_an_end;
    wrong[2].pairs = swap_children;
    for (size_t i = 0; i < 3; i++) assert_false(sy_sha256_many_is_right(&wrong[i]));
    for (size_t i = 0; (way = sy_sha256_many_at(i)) != NULL; i++) {
        assert_true(sy_sha256_many_is_right(way));
    }
}

static void hash_over_and_over(struct sy_hash *to, const struct sy_slice *leaves, size_t count)
{
    for (size_t i = 0; i < 1000; i++) sy_sha256_openssl.leaves(to, leaves, count);
}

// The slow one takes a thousand times as long: no disturbance makes up for that in every round.
CASE(the_fastest_is_taken_wherever_it_stands)
{
    struct sy_sha256_many slow = sy_sha256_openssl;
    slow.leaves = hash_over_and_over;
    const struct sy_sha256_many *ways[] = {&slow, &sy_sha256_openssl, &slow};
    assert_ptr_equal(sy_sha256_many_fastest(ways, 3), &sy_sha256_openssl);
    assert_ptr_equal(sy_sha256_many_fastest(ways + 1, 2), &sy_sha256_openssl);
    assert_ptr_equal(sy_sha256_many_fastest(ways, 1), &slow);
}

CASE(the_best_is_one_of_the_ways_and_stays_it)
{
    const struct sy_sha256_many *best = sy_sha256_many_best();
    assert_ptr_equal(sy_sha256_many_named(best->name), best);
    assert_true(sy_sha256_many_is_right(best));
    assert_ptr_equal(sy_sha256_many_best(), best);
}

CASE(ways_are_found_by_name)
{
    const struct sy_sha256_many *way;
    for (size_t i = 0; (way = sy_sha256_many_at(i)) != NULL; i++) {
        assert_ptr_equal(sy_sha256_many_named(way->name), way);
    }
    assert_non_null(sy_sha256_many_named("openssl"));
    assert_non_null(sy_sha256_many_named("portable"));
    assert_null(sy_sha256_many_named("sha-1"));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(every_length_up_to_300_is_hashed_in_every_lane),
        cmocka_unit_test(every_count_up_to_70_of_unequal_lengths_is_hashed),
        cmocka_unit_test(one_of_another_length_disturbs_no_neighbour),
        cmocka_unit_test(megabytes_among_short_ones_are_hashed),
        cmocka_unit_test(nothing_beside_a_message_is_read),
        cmocka_unit_test(no_messages_need_no_arrays),
        cmocka_unit_test(every_count_of_pairs_up_to_70_is_hashed_in_place_too),
        cmocka_unit_test(every_last_byte_of_a_pair_is_hashed),
        cmocka_unit_test(pairs_need_no_alignment),
        cmocka_unit_test(every_way_passes_cavp_short_messages),
        cmocka_unit_test(every_way_passes_cavp_long_messages),
        cmocka_unit_test(a_way_that_is_wrong_anywhere_is_found),
        cmocka_unit_test(the_fastest_is_taken_wherever_it_stands),
        cmocka_unit_test(the_best_is_one_of_the_ways_and_stays_it),
        cmocka_unit_test(ways_are_found_by_name),
    };
    return cmocka_run_group_tests(cases, fill_pool, NULL);
}
