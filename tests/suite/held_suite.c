/* One promise, every implementation: what store.h says about held states. ctest: timeout=600 */
#include <string.h>

#include "core/base/os.h"
#include "core/store/store.h"
#include "tests/support/chronicle.h"
#include "tests/support/test.h"

#define EVERY 16u

static struct chronicle chronicle;
static struct chronicle then; /* as it was at the held height */

static struct sy_store_config small_config(void)
{
    struct sy_store_config config = {.generation_bytes = 1u << 18,
                                     .generation_count = 3,
                                     .view_count_max = 4,
                                     .recent_txs = 64,
                                     .snapshot_blocks = EVERY,
                                     .votes_map_bytes = 1u << 20,
                                     .ledger_map_bytes = 1u << 20,
                                     .state_map_bytes = 1u << 24};
    return config;
}

static void begin(struct test_store *t, void **state, const struct sy_store_config *config)
{
    memset(&chronicle, 0, sizeof chronicle);
    test_store_begin_with(t, test_kind_of(state), config);
}

// Adds blocks and waits until all of them are merged.
static void add(sy_store *store, uint64_t blocks)
{
    for (uint64_t i = 0; i < blocks; i++) chronicle_step(&chronicle, store);
    assert_int_equal(sy_state_flush(store, NULL), SY_OK);
}

// The merger holds a state just after the flush that waits for it has returned.
static bool becomes(sy_store *store, uint64_t height)
{
    for (unsigned i = 0; i < 6000 && sy_snapshot_height(store) != height; i++) test_sleep_ms(10);
    return sy_snapshot_height(store) == height;
}

struct comparison {
    struct sy_writer w;
    uint64_t seen;
    uint64_t most; /* entries, then the scan is ended */
};

static bool write_entry(void *user, const struct sy_hash *key, struct sy_slice value)
{
    struct comparison *comparison = (struct comparison *)user;
    struct sy_delta delta = {.key = *key, .op = SY_DELTA_PUT, .value = value};
    sy_delta_write(&comparison->w, &delta);
    return ++comparison->seen < comparison->most;
}

static sy_status scan(struct sy_slice *found, uint8_t *room, sy_store *store, uint64_t height,
                      uint8_t first, unsigned bits, uint64_t most)
{
    struct comparison comparison = {.w = sy_writer_of(room, TEST_MODEL_BYTES), .most = most};
    struct sy_hash prefix = {{first}};
    sy_status status = sy_snapshot_scan(store, height, &prefix, bits, write_entry, &comparison);
    *found = sy_writer_slice(&comparison.w);
    return status;
}

// Compares the whole held state with the model at its height.
static sy_status compare(sy_store *store, uint64_t height)
{
    static uint8_t room[TEST_MODEL_BYTES];
    struct sy_slice found;
    chronicle_model(&then, height + 1);
    SY_TRY(scan(&found, room, store, height, 0, 0, UINT64_MAX));
    struct sy_slice expected = test_model_pack(&then.model, then.packed);
    return sy_slice_equal(found, expected) ? SY_OK : SY_ERR_CORRUPT;
}

CASE(the_state_of_a_multiple_is_held_while_blocks_go_on)
{
    struct test_store t;
    struct sy_store_config config = small_config();
    begin(&t, state, &config);
    assert_int_equal(sy_snapshot_height(t.store), 0);
    add(t.store, 2 * EVERY + 1);
    assert_true(becomes(t.store, 2 * EVERY));
    for (unsigned i = 1; i < EVERY; i++) {
        add(t.store, 1);
        assert_int_equal(sy_snapshot_height(t.store), 2 * EVERY);
        assert_int_equal(compare(t.store, 2 * EVERY), SY_OK);
    }
    add(t.store, 1);
    assert_true(becomes(t.store, 3 * EVERY));
    assert_int_equal(compare(t.store, 3 * EVERY), SY_OK);
    assert_int_equal(compare(t.store, 2 * EVERY), SY_ERR_NOT_FOUND);
    assert_int_equal(compare(t.store, 0), SY_ERR_NOT_FOUND);
    test_newest_check(t.store, &chronicle.model);
    test_store_end(&t);
}

CASE(a_scan_keeps_to_its_prefix_and_ends_when_told)
{
    static uint8_t room[TEST_MODEL_BYTES];
    struct test_store t;
    struct sy_slice found;
    struct sy_store_config config = small_config();
    begin(&t, state, &config);
    add(t.store, EVERY + 4);
    assert_true(becomes(t.store, EVERY));
    assert_int_equal(scan(&found, room, t.store, EVERY, 0xa5, 8, UINT64_MAX), SY_OK);
    struct sy_delta_reader reader = sy_delta_reader_of(found);
    struct sy_delta delta;
    unsigned count = 0;
    for (; sy_delta_next(&reader, &delta); count++) assert_int_equal(delta.key.bytes[0], 0xa5);
    assert_true(count > 5);
    assert_int_equal(scan(&found, room, t.store, EVERY, 0, 0, 3), SY_OK);
    reader = sy_delta_reader_of(found);
    for (count = 0; sy_delta_next(&reader, &delta); count++) continue;
    assert_int_equal(count, 3);
    test_store_end(&t);
}

CASE(nothing_is_held_unasked)
{
    struct test_store t;
    struct sy_store_config config = small_config();
    config.snapshot_blocks = 0;
    begin(&t, state, &config);
    add(t.store, 3 * EVERY);
    assert_int_equal(sy_snapshot_height(t.store), 0);
    test_store_end(&t);
}

CASE(a_restart_loses_what_was_held_or_holds_the_same)
{
    struct test_store t;
    struct sy_store_config config = small_config();
    begin(&t, state, &config);
    for (uint64_t blocks = 1; blocks < 4 * EVERY; blocks += 5) {
        add(t.store, 5);
        test_store_restart(&t);
        uint64_t height = sy_snapshot_height(t.store);
        assert_int_equal(height % EVERY, 0);
        if (height > 0) assert_int_equal(compare(t.store, height), SY_OK);
    }
    add(t.store, EVERY);
    uint64_t newest = sy_ledger_height(t.store) / EVERY * EVERY;
    assert_true(becomes(t.store, newest));
    assert_int_equal(compare(t.store, newest), SY_OK);
    test_store_end(&t);
}

CASE(growing_maps_never_show_another_state)
{
    struct test_store t;
    struct sy_store_config config = small_config();
    unsigned right = 0;
    config.state_map_bytes = 1u << 16;
    begin(&t, state, &config);
    for (unsigned i = 0; i < 20 * EVERY; i++) {
        add(t.store, 1);
        uint64_t height = sy_snapshot_height(t.store);
        if (height == 0) continue;
        sy_status status = compare(t.store, height);
        // The merger may just have moved on to another.
        assert_true(status == SY_OK || status == SY_ERR_NOT_FOUND || status == SY_ERR_TIMEOUT);
        right += status == SY_OK;
    }
    assert_true(right > EVERY);
    test_store_end(&t);
}

static void an_old_state_is_let_go(void **state)
{
    struct test_store t;
    struct sy_store_config config = small_config();
    (void)state;
    config.snapshot_age_ms_max = 1;
    memset(&chronicle, 0, sizeof chronicle);
    test_store_begin_with(&t, TEST_STORE_LMDB, &config);
    add(t.store, EVERY + 2); // the last one is merged after the state was held
    assert_true(becomes(t.store, 0));
    assert_int_equal(compare(t.store, EVERY), SY_ERR_NOT_FOUND);
    add(t.store, EVERY);
    test_newest_check(t.store, &chronicle.model);
    test_store_end(&t);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(the_state_of_a_multiple_is_held_while_blocks_go_on),
        cmocka_unit_test(a_scan_keeps_to_its_prefix_and_ends_when_told),
        cmocka_unit_test(nothing_is_held_unasked),
        cmocka_unit_test(a_restart_loses_what_was_held_or_holds_the_same),
        cmocka_unit_test(growing_maps_never_show_another_state),
    };
    int failed = test_store_suite("held states", cases);
    // The twin keeps every version, and looks at no clock.
    const struct CMUnitTest aged[] = {cmocka_unit_test(an_old_state_is_let_go)};
    return failed + cmocka_run_group_tests(aged, NULL, NULL);
}
