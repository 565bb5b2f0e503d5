/* The in-memory generations of recent state. ctest: threaded */
#include "core/store/generation.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/thread.h"
#include "tests/support/stores.h"
#include "tests/support/test.h"

static struct sy_generation *open_generation(size_t bytes)
{
    struct sy_generation *generation = (struct sy_generation *)malloc(sizeof *generation);
    assert_non_null(generation);
    assert_int_equal(sy_generation_open(generation, bytes, 7), SY_OK);
    return generation;
}

static void close_generation(struct sy_generation *generation)
{
    sy_generation_close(generation);
    free(generation);
}

static void put_number(struct sy_generation *generation, uint64_t height, const struct sy_hash *key,
                       uint64_t number)
{
    uint8_t bytes[8];
    sy_store_u64(bytes, number);
    struct sy_version version = {false, sy_slice_of(bytes, sizeof bytes)};
    sy_generation_put(generation, height, key, version);
}

CASE(a_reader_sees_the_newest_version_at_or_below_its_height)
{
    struct sy_generation *generation = open_generation(1u << 16);
    struct sy_hash key = test_hash_of(1);
    struct sy_version version;
    struct sy_version removal = {.removed = true};
    assert_false(sy_generation_get(generation, &version, UINT64_MAX, &key));
    put_number(generation, 5, &key, 50);
    sy_generation_put(generation, 7, &key, removal);
    put_number(generation, 9, &key, 90);
    assert_false(sy_generation_get(generation, &version, 4, &key));
    assert_true(sy_generation_get(generation, &version, 5, &key));
    assert_int_equal(sy_load_u64(version.value.data), 50);
    assert_true(sy_generation_get(generation, &version, 6, &key));
    assert_int_equal(sy_load_u64(version.value.data), 50);
    assert_true(sy_generation_get(generation, &version, 8, &key));
    assert_true(version.removed);
    assert_true(sy_generation_get(generation, &version, UINT64_MAX, &key));
    assert_int_equal(sy_load_u64(version.value.data), 90);
    close_generation(generation);
}

CASE(an_empty_value_is_not_a_removal)
{
    struct sy_generation *generation = open_generation(1u << 16);
    struct sy_hash key = test_hash_of(1);
    struct sy_version version = {0};
    sy_generation_put(generation, 1, &key, version);
    assert_true(sy_generation_get(generation, &version, 1, &key));
    assert_false(version.removed);
    assert_int_equal(version.value.size, 0);
    close_generation(generation);
}

static int compare_hashes(const void *a, const void *b)
{
    return sy_hash_compare((const struct sy_hash *)a, (const struct sy_hash *)b);
}

// Keys as they come (bits 0), or with equal first bits, as somebody would grind them.
static void assert_walks_in_order(size_t count, size_t equal_bytes)
{
    struct sy_generation *generation = open_generation(4u << 20);
    struct sy_hash *keys = (struct sy_hash *)calloc(count, sizeof *keys);
    assert_non_null(keys);
    for (size_t i = 0; i < count; i++) {
        keys[i] = test_hash_of(i);
        memset(keys[i].bytes, 0x33, equal_bytes);
        put_number(generation, i, &keys[i], i);
    }
    for (size_t i = 0; i < count; i++) {
        struct sy_version version;
        assert_true(sy_generation_get(generation, &version, UINT64_MAX, &keys[i]));
        assert_int_equal(sy_load_u64(version.value.data), i);
    }
    qsort(keys, count, sizeof *keys, compare_hashes);
    struct sy_generation_cursor cursor;
    struct sy_hash zero = {0};
    sy_generation_seek(&cursor, generation, &zero);
    for (size_t i = 0; i < count; i++) {
        const struct sy_hash *key = sy_generation_key(&cursor);
        assert_non_null(key);
        assert_true(sy_hash_equal(key, &keys[i]));
        sy_generation_next(&cursor);
    }
    assert_null(sy_generation_key(&cursor));
    sy_generation_next(&cursor);
    assert_null(sy_generation_key(&cursor));
    // Seeking a key, and the place after it.
    for (size_t i = 0; i + 1 < count; i += 7) {
        struct sy_hash after = keys[i];
        sy_generation_seek(&cursor, generation, &keys[i]);
        assert_true(sy_hash_equal(sy_generation_key(&cursor), &keys[i]));
        for (size_t byte = 32; byte-- > 0 && ++after.bytes[byte] == 0;) continue;
        sy_generation_seek(&cursor, generation, &after);
        assert_true(sy_hash_equal(sy_generation_key(&cursor), &keys[i + 1]));
    }
    free(keys);
    close_generation(generation);
}

CASE(keys_come_in_order)
{
    assert_walks_in_order(5000, 0);
}

CASE(keys_that_were_ground_to_collide_come_in_order)
{
    assert_walks_in_order(5000, 6);
}

CASE(the_bound_on_memory_holds)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    struct sy_generation *generation = open_generation(1u << 18);
    static uint8_t bytes[2000];
    for (unsigned round = 0; round < 200; round++) {
        size_t count = (size_t)sy_prng_below(&prng, 20) + 1;
        size_t sizes[20];
        size_t total = 0;
        for (size_t i = 0; i < count; i++) total += sizes[i] = (size_t)sy_prng_below(&prng, 2000);
        size_t need = sy_generation_need(count, total);
        size_t before = sy_generation_left(generation);
        if (need > before) sy_generation_clear(generation);
        before = sy_generation_left(generation);
        for (size_t i = 0; i < count; i++) {
            struct sy_hash key = test_hash_of(sy_prng_next(&prng));
            struct sy_version version = {false, sy_slice_of(bytes, sizes[i])};
            sy_generation_put(generation, round, &key, version);
        }
        assert_true(before - sy_generation_left(generation) <= need);
    }
    close_generation(generation);
}

CASE(a_cleared_generation_is_empty_and_can_be_filled_again)
{
    struct sy_generation *generation = open_generation(1u << 16);
    struct sy_generation_cursor cursor;
    struct sy_hash zero = {0};
    for (unsigned round = 0; round < 3; round++) {
        struct sy_version version;
        struct sy_hash old = test_hash_of(round + 100);
        assert_false(sy_generation_get(generation, &version, UINT64_MAX, &old));
        sy_generation_seek(&cursor, generation, &zero);
        assert_null(sy_generation_key(&cursor));
        for (uint64_t i = 0; i < 200; i++) {
            struct sy_hash key = test_hash_of(i + round);
            put_number(generation, i, &key, i);
        }
        size_t left = sy_generation_left(generation);
        sy_generation_clear(generation);
        assert_true(sy_generation_left(generation) > left);
    }
    close_generation(generation);
}

#define SHARED_KEYS 500u

struct shared {
    struct sy_generation *generation;
    _Atomic uint64_t height; /* every key has a version at every height up to it */
    _Atomic bool stop;
    _Atomic unsigned walks;
};

// At height h every key has the value h, whatever is being added meanwhile.
static void *read_shared(void *context)
{
    struct shared *shared = (struct shared *)context;
    while (!shared->stop) {
        uint64_t height = shared->height;
        struct sy_generation_cursor cursor;
        struct sy_hash zero = {0};
        unsigned seen = 0;
        sy_generation_seek(&cursor, shared->generation, &zero);
        for (; sy_generation_key(&cursor); sy_generation_next(&cursor)) {
            struct sy_version version;
            if (!sy_generation_at(&cursor, &version, height)) continue;
            assert_int_equal(sy_load_u64(version.value.data), height);
            seen++;
        }
        assert_int_equal(seen, SHARED_KEYS);
        shared->walks++;
    }
    return NULL;
}

CASE(readers_need_no_lock_while_one_thread_writes)
{
    struct sy_generation *generation = open_generation(24u << 20);
    struct shared shared = {.generation = generation};
    pthread_t threads[2];
    for (uint64_t i = 0; i < SHARED_KEYS; i++) {
        struct sy_hash key = test_hash_of(i);
        put_number(generation, 0, &key, 0);
    }
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(sy_thread_start(&threads[i], "read", read_shared, &shared, NULL), SY_OK);
    }
    for (uint64_t height = 1; height < 300 || shared.walks < 20; height++) {
        if (sy_generation_left(generation) < sy_generation_need(SHARED_KEYS + 3, 8 * 600)) continue;
        for (uint64_t i = 0; i < SHARED_KEYS; i++) {
            struct sy_hash key = test_hash_of(i);
            put_number(generation, height, &key, height);
        }
        // Keys above the readers' heights come in between theirs.
        for (uint64_t i = 0; i < 3; i++) {
            struct sy_hash key = test_hash_of(1000 + height * 3 + i);
            put_number(generation, UINT64_MAX, &key, 0);
        }
        shared.height = height;
    }
    shared.stop = true;
    for (unsigned i = 0; i < 2; i++) sy_thread_join(threads[i]);
    close_generation(generation);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_reader_sees_the_newest_version_at_or_below_its_height),
        cmocka_unit_test(an_empty_value_is_not_a_removal),
        cmocka_unit_test(keys_come_in_order),
        cmocka_unit_test(keys_that_were_ground_to_collide_come_in_order),
        cmocka_unit_test(the_bound_on_memory_holds),
        cmocka_unit_test(a_cleared_generation_is_empty_and_can_be_filled_again),
        cmocka_unit_test(readers_need_no_lock_while_one_thread_writes),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
