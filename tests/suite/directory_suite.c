/* One promise, every implementation: what store.h says about the directory. */
#include <stdio.h>
#include <unistd.h>

#include "tests/support/chronicle.h"
#include "tests/support/powercut.h"
#include "tests/support/stores.h"
#include "tests/support/test.h"

// Many small commits, and nobody cuts the power: syncs go no further.
POWERCUT_INSTALL

static struct sy_directory_write entry_of(uint8_t room[16], char group, unsigned number,
                                          const char *value)
{
    (void)snprintf((char *)room, 16, "%c%05u", group, number);
    return (struct sy_directory_write){sy_slice_of(room, 6), sy_slice_of(value, strlen(value))};
}

/* Block height brings number height in groups a and b. */
static void append(sy_store *store, uint64_t height, const char *value)
{
    uint8_t rooms[2][16];
    struct sy_error err = {SY_OK, ""};
    struct sy_directory_write writes[2] = {entry_of(rooms[0], 'a', (unsigned)height, value),
                                           entry_of(rooms[1], 'b', (unsigned)height, value)};
    if (sy_directory_append(store, height, height, writes, 2, &err) != SY_OK) {
        fail_msg("%s", err.text);
    }
    assert_true(sy_directory_next(store) == height + 1);
}

struct seen {
    unsigned count, max;
    char first[16], last[16], values[64];
};

static bool see(void *user, struct sy_slice key, struct sy_slice value)
{
    struct seen *seen = (struct seen *)user;
    char text[16] = "";
    assert_true(key.size < sizeof text && value.size > 0);
    memcpy(text, key.data, key.size);
    if (seen->count == 0) memcpy(seen->first, text, sizeof text);
    assert_true(seen->count == 0 || strcmp(seen->last, text) < 0);
    memcpy(seen->last, text, sizeof text);
    size_t used = strlen(seen->values);
    if (used + value.size < sizeof seen->values)
        memcpy(seen->values + used, value.data, value.size);
    return ++seen->count < seen->max;
}

static struct seen scan(sy_store *store, const char *prefix, const char *behind, unsigned max)
{
    struct seen seen = {.max = max};
    sy_store_reader *reader = test_reader_open(store);
    assert_int_equal(sy_directory_scan(reader, sy_slice_of(prefix, strlen(prefix)),
                                       sy_slice_of(behind, strlen(behind)), see, &seen),
                     SY_OK);
    sy_store_reader_close(reader);
    return seen;
}

CASE(entries_are_found_in_the_order_of_their_keys)
{
    struct test_store t;
    test_store_begin(&t, test_kind_of(state));
    assert_true(sy_directory_next(t.store) == 0 && sy_directory_from(t.store) == 0);
    assert_int_equal(scan(t.store, "", "", 10).count, 0);
    for (uint64_t height = 0; height < 300; height++) append(t.store, height, "x");
    assert_int_equal(scan(t.store, "", "", 1000).count, 600);
    struct seen seen = scan(t.store, "a", "", 1000);
    assert_int_equal(seen.count, 300);
    assert_string_equal(seen.first, "a00000");
    assert_string_equal(seen.last, "a00299");
    seen = scan(t.store, "a001", "a00150", 10); // behind it, not with it
    assert_int_equal(seen.count, 10);
    assert_string_equal(seen.first, "a00151");
    seen = scan(t.store, "a001", "a00195x", 10);
    assert_int_equal(seen.count, 4);
    assert_string_equal(seen.first, "a00196");
    assert_int_equal(scan(t.store, "a", "a00299", 10).count, 0); // b is another group
    assert_int_equal(scan(t.store, "c", "", 10).count, 0);
    test_store_end(&t);
}

CASE(a_put_takes_the_place_of_another)
{
    struct test_store t;
    uint8_t room[16];
    test_store_begin(&t, test_kind_of(state));
    append(t.store, 0, "old");
    struct sy_directory_write write = entry_of(room, 'a', 0, "newer");
    assert_int_equal(sy_directory_append(t.store, 1, 9, &write, 1, NULL), SY_OK);
    assert_true(sy_directory_next(t.store) == 10);
    assert_string_equal(scan(t.store, "a", "", 10).values, "newer");
    assert_string_equal(scan(t.store, "b", "", 10).values, "old");
    test_store_end(&t);
}

/* A crash forgets at most blocks that brought nothing, which are looked at again. */
CASE(a_restart_goes_on_where_the_store_says)
{
    struct test_store t;
    test_store_begin(&t, test_kind_of(state));
    for (uint64_t height = 0; height < 20; height++) append(t.store, height, "x");
    assert_int_equal(sy_directory_append(t.store, 20, 99, NULL, 0, NULL), SY_OK);
    assert_true(sy_directory_next(t.store) == 100);
    test_store_restart(&t);
    assert_true(sy_directory_next(t.store) == 20);
    assert_int_equal(scan(t.store, "a", "", 100).count, 20);
    uint64_t last = 20 + SY_DIRECTORY_LAG_BLOCKS;
    assert_int_equal(sy_directory_append(t.store, 20, last, NULL, 0, NULL), SY_OK);
    test_store_restart(&t);
    assert_true(sy_directory_next(t.store) == last + 1); // so many are durable by themselves
    assert_true(sy_directory_from(t.store) == 0);
    test_store_end(&t);
}

CASE(blocks_come_in_order_and_entries_in_bounds)
{
    struct test_store t;
    uint8_t large[SY_DIRECTORY_VALUE_BYTES_MAX + 1] = {1};
    struct sy_error err = {SY_OK, ""};
    struct sy_directory_write write = {sy_slice_of("k", 1), sy_slice_of(large, sizeof large)};
    test_store_begin(&t, test_kind_of(state));
    assert_int_equal(sy_directory_append(t.store, 1, 1, NULL, 0, &err), SY_ERR_ARGUMENT);
    append(t.store, 0, "x");
    assert_int_equal(sy_directory_append(t.store, 0, 1, NULL, 0, &err), SY_ERR_ARGUMENT);
    assert_int_equal(sy_directory_append(t.store, 2, 1, NULL, 0, &err), SY_ERR_ARGUMENT);
    assert_int_equal(sy_directory_append(t.store, 1, 1, &write, 1, &err), SY_ERR_LIMIT);
    write = (struct sy_directory_write){sy_slice_of("", 0), sy_slice_of("v", 1)};
    assert_int_equal(sy_directory_append(t.store, 1, 1, &write, 1, &err), SY_ERR_LIMIT);
    write.key = sy_slice_of(large, SY_DIRECTORY_KEY_BYTES_MAX + 1);
    assert_int_equal(sy_directory_append(t.store, 1, 1, &write, 1, &err), SY_ERR_LIMIT);
    assert_true(sy_directory_next(t.store) == 1);
    append(t.store, 1, "x");
    test_store_end(&t);
}

CASE(it_is_emptied_and_made_again)
{
    struct test_store t;
    test_store_begin(&t, test_kind_of(state));
    for (uint64_t height = 0; height < 30; height++) append(t.store, height, "x");
    assert_int_equal(sy_directory_clear(t.store, NULL), SY_OK);
    assert_true(sy_directory_next(t.store) == 0);
    assert_int_equal(scan(t.store, "", "", 10).count, 0);
    test_store_restart(&t);
    assert_true(sy_directory_next(t.store) == 0);
    for (uint64_t height = 0; height < 30; height++) append(t.store, height, "y");
    assert_int_equal(scan(t.store, "", "", 100).count, 60);
    test_store_end(&t);
}

static void store_blocks(struct test_store *t, uint64_t count)
{
    static struct chronicle chronicle;
    memset(&chronicle, 0, sizeof chronicle);
    chronicle.body_bytes = 700;
    chronicle.part_bytes = 300;
    while (sy_ledger_next(t->store) < count) chronicle_step(&chronicle, t->store);
    assert_int_equal(sy_state_flush(t->store, NULL), SY_OK);
}

/* What it knows outlives history; what was pruned before it came is missing, and it says so. */
CASE(it_outlives_what_is_pruned_and_says_what_it_missed)
{
    struct test_store t;
    struct sy_error err = {SY_OK, ""};
    test_store_begin(&t, test_kind_of(state));
    store_blocks(&t, 400);
    for (uint64_t height = 0; height < 10; height++) append(t.store, height, "x");
    test_store_prune(t.store, 300);
    assert_int_equal(sy_directory_clear(t.store, &err), SY_ERR_PRUNED);
    assert_non_null(strstr(err.text, "block 300"));
    assert_int_equal(scan(t.store, "a", "", 100).count, 10);
    assert_int_equal(sy_directory_append(t.store, 301, 301, NULL, 0, NULL), SY_ERR_ARGUMENT);
    append(t.store, 300, "x"); // blocks 10 to 299 were passed over
    assert_true(sy_directory_from(t.store) == 300);
    test_store_restart(&t);
    assert_true(sy_directory_from(t.store) == 300 && sy_directory_next(t.store) == 301);
    assert_int_equal(scan(t.store, "a", "", 100).count, 11);
    test_store_end(&t);
}

/* Derived: whoever removes the folder gets an empty one, and everything else is as it was. */
CASE(a_missing_directory_begins_anew)
{
    struct test_store t;
    char path[300];
    struct sy_error err = {SY_OK, ""};
    if (test_kind_of(state) != TEST_STORE_LMDB) return;
    test_store_begin(&t, TEST_STORE_LMDB);
    for (uint64_t height = 0; height < 20; height++) append(t.store, height, "x");
    store_blocks(&t, 20);
    sy_store_close(t.store);
    (void)snprintf(path, sizeof path, "%s/directory/data.mdb", t.folder);
    assert_int_equal(unlink(path), 0);
    struct sy_store_config config = t.config;
    config.init = false;
    config.path = t.folder;
    if (sy_store_open_lmdb(&t.store, &config, &err) != SY_OK) fail_msg("%s", err.text);
    assert_true(sy_directory_next(t.store) == 0 && sy_ledger_next(t.store) == 20);
    assert_int_equal(scan(t.store, "", "", 10).count, 0);
    append(t.store, 0, "x");
    sy_store_close(t.store);
    config.read_only = true; // an audit does without
    if (sy_store_open_lmdb(&t.store, &config, &err) != SY_OK) fail_msg("%s", err.text);
    assert_int_equal(sy_directory_append(t.store, 0, 0, NULL, 0, &err), SY_ERR_PERMISSION);
    assert_int_equal(scan(t.store, "", "", 10).count, 0);
    test_store_end(&t);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(entries_are_found_in_the_order_of_their_keys),
        cmocka_unit_test(a_put_takes_the_place_of_another),
        cmocka_unit_test(a_restart_goes_on_where_the_store_says),
        cmocka_unit_test(blocks_come_in_order_and_entries_in_bounds),
        cmocka_unit_test(it_is_emptied_and_made_again),
        cmocka_unit_test(it_outlives_what_is_pruned_and_says_what_it_missed),
        cmocka_unit_test(a_missing_directory_begins_anew),
    };
    return test_store_suite("directory", cases);
}
