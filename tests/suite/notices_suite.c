/* One promise, every implementation: what store.h says about notices. */
#include <stdio.h>
#include <unistd.h>

#include "tests/support/chronicle.h"
#include "tests/support/powercut.h"
#include "tests/support/stores.h"
#include "tests/support/test.h"

// Many small commits, and nobody cuts the power: syncs go no further.
POWERCUT_INSTALL

#define A_BLOCK 7u /* places in a block */

/* The n-th event of all has this name, and its receipt this place. */
static struct sy_hash name_of(uint64_t n)
{
    return test_hash_of(1000000 + n);
}

static struct sy_notice_place place_of(uint64_t n)
{
    return (struct sy_notice_place){name_of(n), (uint32_t)(n % A_BLOCK) / 2}; // two a receipt
}

static void append(sy_store *store, uint64_t height)
{
    struct sy_notice_place places[A_BLOCK];
    struct sy_error err = {SY_OK, ""};
    for (unsigned i = 0; i < A_BLOCK; i++) places[i] = place_of(height * A_BLOCK + i);
    if (sy_notices_append(store, height, places, A_BLOCK, &err) != SY_OK) fail_msg("%s", err.text);
    assert_true(sy_notices_next(store) == height + 1);
}

static bool stands(sy_store_reader *reader, uint64_t n, bool recent)
{
    struct sy_tx_position found[4];
    struct sy_hash name = name_of(n);
    size_t count = 0;
    assert_int_equal(sy_notices_find(reader, found, &count, 4, &name, recent), SY_OK);
    if (count == 0) return false;
    assert_int_equal(count, 1);
    assert_true(found[0].height == n / A_BLOCK);
    assert_int_equal(found[0].index, place_of(n).index);
    return true;
}

/* Those of blocks from .. to - 1 are found, and no others. */
static void check(sy_store *store, uint64_t from, uint64_t to)
{
    sy_store_reader *reader = test_reader_open(store);
    for (uint64_t n = 0; n < (to + 2) * A_BLOCK; n++) {
        bool expected = n / A_BLOCK >= from && n / A_BLOCK < to;
        if (stands(reader, n, false) != expected) {
            fail_msg("event %llu of block %llu is %s", (unsigned long long)n,
                     (unsigned long long)(n / A_BLOCK), expected ? "missing" : "found");
        }
    }
    sy_store_reader_close(reader);
}

static void begin(struct test_store *t, enum test_store_kind kind)
{
    struct sy_store_config config = {.recent_txs = 16};
    test_store_begin_with(t, kind, &config);
}

CASE(notices_are_found_by_their_names)
{
    struct test_store t;
    begin(&t, test_kind_of(state));
    assert_true(sy_notices_next(t.store) == 0);
    // Runs of 16 places, merged by eights and those again.
    for (uint64_t height = 0; height < 400; height++) append(t.store, height);
    check(t.store, 0, 400);
    test_store_end(&t);
}

CASE(the_newest_are_found_in_memory)
{
    struct test_store t;
    begin(&t, test_kind_of(state));
    for (uint64_t height = 0; height < 30; height++) {
        append(t.store, height);
        sy_store_reader *reader = test_reader_open(t.store);
        // Sixteen go into a run as soon as there are so many; a block is less than half of that.
        bool kept = (height + 1) * A_BLOCK % 16 >= A_BLOCK || t.kind == TEST_STORE_MEMORY;
        if (kept) assert_true(stands(reader, height * A_BLOCK + A_BLOCK - 1, true));
        sy_store_reader_close(reader);
    }
    test_store_end(&t);
}

/* Whoever follows goes on where the store says, and offers again what was in memory alone. */
CASE(a_restart_goes_on_where_the_store_says)
{
    struct test_store t;
    uint64_t height = 0;
    begin(&t, test_kind_of(state));
    for (unsigned round = 1; round <= 40; round++) {
        while (height < 11u * round) append(t.store, height++);
        test_store_restart(&t);
        assert_true(sy_notices_next(t.store) <= height);
        height = sy_notices_next(t.store);
    }
    while (height < 450) append(t.store, height++);
    check(t.store, 0, 450);
    test_store_end(&t);
}

CASE(blocks_come_in_order)
{
    struct test_store t;
    struct sy_error err = {SY_OK, ""};
    begin(&t, test_kind_of(state));
    assert_int_equal(sy_notices_append(t.store, 1, NULL, 0, &err), SY_ERR_ARGUMENT);
    append(t.store, 0);
    assert_int_equal(sy_notices_append(t.store, 0, NULL, 0, &err), SY_ERR_ARGUMENT);
    assert_int_equal(sy_notices_append(t.store, 1, NULL, 0, &err), SY_OK); // nothing happened in it
    append(t.store, 2);
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

CASE(what_is_pruned_is_not_found_and_the_index_goes_with_it)
{
    struct test_store t;
    struct sy_store_stats before, after;
    begin(&t, test_kind_of(state));
    store_blocks(&t, 1000);
    for (uint64_t height = 0; height < 600; height++) append(t.store, height);
    test_store_prune(t.store, 500);
    assert_true(sy_ledger_pruned(t.store) == 500);
    check(t.store, 500, 600);
    sy_store_stats_get(t.store, &before);
    for (unsigned i = 0; i < 20; i++) assert_int_equal(sy_notices_prune(t.store, NULL), SY_OK);
    check(t.store, 500, 600);
    for (uint64_t height = 600; height < 1000; height++) {
        append(t.store, height);
        if (height % 8 == 0) assert_int_equal(sy_notices_prune(t.store, NULL), SY_OK);
    }
    check(t.store, 500, 1000);
    sy_store_stats_get(t.store, &after);
    // What the first runs held is used again.
    assert_true(after.env[SY_ENV_NOTICES].file_bytes <=
                before.env[SY_ENV_NOTICES].file_bytes + (256u << 10));
    test_store_end(&t);
}

/* A store that begins later than its index was, or begins one late. */
CASE(pruned_blocks_are_passed_over)
{
    struct test_store t;
    begin(&t, test_kind_of(state));
    store_blocks(&t, 400);
    test_store_prune(t.store, 300);
    append(t.store, 300);
    for (uint64_t height = 301; height < 400; height++) append(t.store, height);
    check(t.store, 300, 400);
    test_store_end(&t);
}

/* Derived: whoever removes the folder gets an empty index, and everything else is as it was. */
CASE(a_missing_index_begins_anew)
{
    struct test_store t;
    char path[300];
    if (test_kind_of(state) != TEST_STORE_LMDB) return;
    begin(&t, TEST_STORE_LMDB);
    for (uint64_t height = 0; height < 50; height++) append(t.store, height);
    store_blocks(&t, 50);
    sy_store_close(t.store);
    (void)snprintf(path, sizeof path, "%s/notices/data.mdb", t.folder);
    assert_int_equal(unlink(path), 0);
    struct sy_error err = {SY_OK, ""};
    struct sy_store_config config = t.config;
    config.init = false;
    config.path = t.folder;
    if (sy_store_open_lmdb(&t.store, &config, &err) != SY_OK) fail_msg("%s", err.text);
    assert_true(sy_notices_next(t.store) == 0);
    assert_true(sy_ledger_next(t.store) == 50);
    check(t.store, 0, 0);
    for (uint64_t height = 0; height < 50; height++) append(t.store, height);
    check(t.store, 0, 50);
    // Nobody needs it to read: an audit opens a store without.
    sy_store_close(t.store);
    config.read_only = true;
    if (sy_store_open_lmdb(&t.store, &config, &err) != SY_OK) fail_msg("%s", err.text);
    assert_int_equal(sy_notices_append(t.store, 0, NULL, 0, &err), SY_ERR_PERMISSION);
    check(t.store, 0, 0);
    test_store_end(&t);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(notices_are_found_by_their_names),
        cmocka_unit_test(the_newest_are_found_in_memory),
        cmocka_unit_test(a_restart_goes_on_where_the_store_says),
        cmocka_unit_test(blocks_come_in_order),
        cmocka_unit_test(what_is_pruned_is_not_found_and_the_index_goes_with_it),
        cmocka_unit_test(pruned_blocks_are_passed_over),
        cmocka_unit_test(a_missing_index_begins_anew),
    };
    return test_store_suite("notices", cases);
}
