/* One promise, every implementation: what store.h says about pruning. ctest: timeout=600 */
#include <string.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/base/os.h"
#include "core/store/store.h"
#include "tests/support/chronicle.h"
#include "tests/support/powercut.h"
#include "tests/support/test.h"

// Thousands of blocks are committed here, and nobody cuts the power: syncs go no further.
POWERCUT_INSTALL

static struct chronicle chronicle;

// A store of so many blocks, all of them merged into the state's base.
static void fill(sy_store *store, uint64_t blocks)
{
    memset(&chronicle, 0, sizeof chronicle);
    chronicle.body_bytes = 70000;
    chronicle.part_bytes = 9000;
    for (uint64_t i = 0; i < blocks; i++) chronicle_step(&chronicle, store);
    assert_int_equal(sy_state_flush(store, NULL), SY_OK);
}

static void check(sy_store *store)
{
    assert_int_equal(chronicle_check(&chronicle, store, sy_ledger_pruned(store)), SY_OK);
}

CASE(nothing_is_pruned_unasked)
{
    struct test_store t;
    bool more = true;
    test_store_begin(&t, test_kind_of(state));
    fill(t.store, 20);
    assert_int_equal(sy_ledger_pruned(t.store), 0);
    assert_int_equal(sy_store_prune(t.store, &more, 0, NULL), SY_OK);
    assert_false(more);
    assert_int_equal(sy_ledger_pruned(t.store), 0);
    check(t.store);
    test_store_end(&t);
}

CASE(pruned_history_is_refused_and_headers_certificates_and_state_stay)
{
    struct test_store t;
    test_store_begin(&t, test_kind_of(state));
    fill(t.store, 200);
    test_store_prune(t.store, 150);
    assert_int_equal(sy_ledger_pruned(t.store), 150);
    check(t.store);
    test_store_restart(&t);
    assert_int_equal(sy_ledger_pruned(t.store), 150);
    check(t.store);
    test_store_prune(t.store, 100); // never goes back
    assert_int_equal(sy_ledger_pruned(t.store), 150);
    for (unsigned i = 0; i < 30; i++) chronicle_step(&chronicle, t.store);
    check(t.store);
    test_store_restart(&t);
    check(t.store);
    test_store_end(&t);
}

CASE(a_call_takes_one_slice_and_refuses_the_rest_already)
{
    struct test_store t;
    bool more = false;
    test_store_begin(&t, test_kind_of(state));
    fill(t.store, 300);
    assert_int_equal(sy_store_prune(t.store, &more, 250, NULL), SY_OK);
    assert_true(more);
    assert_int_equal(sy_ledger_pruned(t.store), 250);
    assert_int_equal(chronicle_check(&chronicle, t.store, SY_PRUNE_BLOCKS_MAX), SY_OK);
    test_store_restart(&t);
    assert_int_equal(chronicle_check(&chronicle, t.store, SY_PRUNE_BLOCKS_MAX), SY_OK);
    // The next call goes on with what was begun, even when it is asked for less.
    assert_int_equal(sy_store_prune(t.store, &more, 0, NULL), SY_OK);
    assert_int_equal(chronicle_check(&chronicle, t.store, 2 * SY_PRUNE_BLOCKS_MAX), SY_OK);
    test_store_prune(t.store, 0);
    check(t.store);
    test_store_end(&t);
}

CASE(the_newest_certified_block_stays_and_all_above_it)
{
    struct test_store t;
    test_store_begin(&t, test_kind_of(state));
    fill(t.store, 40);
    struct sy_block_write block = {.height = 40};
    assert_int_equal(sy_ledger_append(t.store, &block, 1, NULL), SY_OK);
    assert_int_equal(sy_state_apply(t.store, 40, block.deltas, NULL), SY_OK);
    assert_int_equal(sy_state_flush(t.store, NULL), SY_OK);
    test_store_prune(t.store, UINT64_MAX);
    assert_int_equal(sy_ledger_certified(t.store), 39);
    assert_int_equal(sy_ledger_pruned(t.store), 39);
    sy_store_reader *reader = test_reader_open(t.store);
    assert_int_equal(chronicle_check_block(&chronicle, t.store, reader, 39), SY_OK);
    assert_int_equal(chronicle_check_pruned(t.store, reader, 38, true), SY_OK);
    sy_store_reader_close(reader);
    test_store_end(&t);
}

CASE(what_a_restart_replays_is_not_pruned)
{
    struct test_store t;
    struct sy_store_stats stats;
    test_store_begin(&t, test_kind_of(state));
    memset(&chronicle, 0, sizeof chronicle);
    // Everything fits the open generation, so nothing is merged.
    for (uint64_t i = 0; i < 50; i++) chronicle_step(&chronicle, t.store);
    sy_store_stats_get(t.store, &stats);
    assert_int_equal(stats.state_complete_height, 0);
    test_store_prune(t.store, UINT64_MAX);
    // The twin's crash is its restart: it keeps the sum of what it drops.
    assert_int_equal(sy_ledger_pruned(t.store), t.kind == TEST_STORE_LMDB ? 0 : 49);
    check(t.store);
    test_store_restart(&t);
    check(t.store);
    test_store_end(&t);
}

CASE(a_failure_anywhere_in_a_slice_is_taken_up_again)
{
    static const char *const places[] = {"store.ledger.begin", "store.ledger.commit",
                                         "store.votes.begin", "store.votes.commit"};
    for (unsigned i = 0; i < 8; i++) {
        struct test_store t;
        struct sy_error err;
        bool more;
        test_store_begin(&t, test_kind_of(state));
        fill(t.store, 60);
        // The mark is the first write to the ledger, the sweep the second.
        unsigned nth = i / 4 + 1;
        if (nth == 2 && strstr(places[i % 4], "votes")) {
            test_store_end(&t);
            continue;
        }
        sy_os_failpoint_arm(places[i % 4], nth, "enospc");
        assert_int_equal(sy_store_prune(t.store, &more, 50, &err), SY_ERR_DISK_FULL);
        sy_os_failpoint_arm(NULL, 0, NULL);
        assert_int_equal(chronicle_check(&chronicle, t.store, 0), SY_OK);
        if (i % 2 == 0) {
            assert_int_equal(sy_store_resume(t.store, &err), SY_OK);
        } else {
            test_store_restart(&t);
        }
        assert_int_equal(chronicle_check(&chronicle, t.store, 0), SY_OK);
        test_store_prune(t.store, 50);
        assert_int_equal(sy_ledger_pruned(t.store), 50);
        check(t.store);
        test_store_end(&t);
    }
}

CASE(a_damaged_order_stops_pruning_and_says_where)
{
    struct test_store t;
    struct sy_error err;
    bool more;
    test_store_begin(&t, test_kind_of(state));
    fill(t.store, 5);
    struct sy_block_write block = {.height = 5, .order = sy_slice_of("nonsense", 8)};
    struct sy_certificate_write certificate = {5, sy_slice_of("c", 1)};
    assert_int_equal(sy_ledger_append(t.store, &block, 1, NULL), SY_OK);
    assert_int_equal(sy_state_apply(t.store, 5, block.deltas, NULL), SY_OK);
    assert_int_equal(sy_ledger_put_certificates(t.store, &certificate, 1, NULL), SY_OK);
    chronicle_step(&chronicle, t.store);
    assert_int_equal(sy_state_flush(t.store, NULL), SY_OK);
    assert_int_equal(sy_store_prune(t.store, &more, UINT64_MAX, &err), SY_ERR_CORRUPT);
    assert_non_null(strstr(err.text, "block 5"));
    test_store_end(&t);
}

/* ---- room ------------------------------------------------------------------------------- */

static uint64_t file_bytes(sy_store *store)
{
    struct sy_store_stats stats;
    uint64_t total = 0;
    sy_store_stats_get(store, &stats);
    for (int i = 0; i < SY_ENV_COUNT; i++) total += stats.env[i].file_bytes;
    return total;
}

static uint64_t growth(sy_store *store, uint64_t before)
{
    uint64_t now = file_bytes(store);
    return now > before ? now - before : 0;
}

/* A month of blocks, one simulated every seven minutes, of which the newest 512 are kept. After the
 * first thousand, disks may grow by headers and certificates alone: about 184 + 200 bytes a block,
 * and what their trees' half-full pages cost. */
CASE(disk_use_is_bounded_over_a_simulated_month)
{
    const uint64_t blocks = 6000;
    const uint64_t kept = 512;
    const uint64_t warm = 1500;
    struct test_store t;
    uint64_t at_warm = 0;
    test_store_begin(&t, test_kind_of(state));
    memset(&chronicle, 0, sizeof chronicle);
    chronicle.body_bytes = 20000;
    chronicle.part_bytes = 30000;
    for (uint64_t height = 0; height < blocks; height++) {
        chronicle_step(&chronicle, t.store);
        if (height == warm) at_warm = file_bytes(t.store);
        if (height > kept && height % 32 == 0) test_store_prune(t.store, height - kept);
        if (height % 2000 == 1999) test_store_restart(&t);
    }
    uint64_t grown = growth(t.store, at_warm);
    uint64_t given = (blocks - warm) * (15000 + 15000);
    print_message("%llu KiB at block %llu, %llu KiB more at block %llu\n",
                  (unsigned long long)at_warm / 1024, (unsigned long long)warm,
                  (unsigned long long)grown / 1024, (unsigned long long)blocks);
    assert_true(grown < (blocks - warm) * 2 * (184 + 200) + at_warm / 2);
    assert_true(grown < given / 8);
    assert_true(sy_ledger_pruned(t.store) > blocks - kept - 1100);
    check(t.store);
    test_store_end(&t);
}

// A block of nothing but transactions, at most 400.
static void add_txs(sy_store *store, uint64_t height, size_t count)
{
    static struct sy_hash ids[400];
    for (size_t i = 0; i < count; i++) ids[i] = test_hash_of(height * 400 + i);
    struct sy_block_write block = {.height = height, .tx_ids = ids, .tx_count = (uint32_t)count};
    struct sy_certificate_write certificate = {height, sy_slice_of("c", 1)};
    assert_int_equal(sy_ledger_append(store, &block, 1, NULL), SY_OK);
    assert_int_equal(sy_state_apply(store, height, block.deltas, NULL), SY_OK);
    assert_int_equal(sy_ledger_put_certificates(store, &certificate, 1, NULL), SY_OK);
}

static size_t places_of(sy_store *store, uint64_t height)
{
    struct sy_tx_position at;
    size_t found = 99;
    struct sy_hash id = test_hash_of(height * 400 + 7);
    sy_store_reader *reader = test_reader_open(store);
    assert_int_equal(sy_ledger_find_tx(reader, &at, &found, 1, &id), SY_OK);
    sy_store_reader_close(reader);
    return found;
}

// Blocks, slices and what is kept are of any size, and some slices fail and are taken up again.
CASE(the_tx_index_is_right_whatever_is_pruned_when)
{
    struct test_store t;
    sy_prng prng;
    bool more;
    sy_prng_seed(&prng, test_seed());
    test_store_begin(&t, test_kind_of(state));
    for (uint64_t height = 0; height < 160; height++) {
        add_txs(t.store, height, 8 + sy_prng_below(&prng, sy_prng_chance(&prng, 1, 8) ? 392 : 8));
        if (height < 40 || sy_prng_chance(&prng, 1, 2)) continue;
        uint64_t below = height - sy_prng_below(&prng, 40);
        assert_int_equal(sy_state_flush(t.store, NULL), SY_OK);
        sy_os_failpoint_arm("store.ledger.commit", 1 + sy_prng_below(&prng, 6), "enospc");
        (void)sy_store_prune(t.store, &more, below, NULL);
        sy_os_failpoint_arm(NULL, 0, NULL);
        assert_int_equal(sy_store_resume(t.store, NULL), SY_OK);
        test_store_prune(t.store, below);
        uint64_t pruned = sy_ledger_pruned(t.store);
        assert_int_equal(places_of(t.store, pruned - 1), 0);
        assert_int_equal(places_of(t.store, pruned), 1);
        assert_int_equal(places_of(t.store, height), 1);
    }
    test_store_end(&t);
}

CASE(the_tx_index_forgets_what_is_pruned)
{
    const uint64_t blocks = 2400;
    const uint64_t kept = 100;
    struct test_store t;
    uint64_t at_warm = 0;
    test_store_begin(&t, test_kind_of(state));
    for (uint64_t height = 0; height < blocks; height++) {
        add_txs(t.store, height, 400);
        if (height % 25 == 24) {
            assert_int_equal(sy_state_flush(t.store, NULL), SY_OK);
            test_store_prune(t.store, height > kept ? height - kept : 0);
        }
        if (height == 600) at_warm = file_bytes(t.store);
    }
    uint64_t grown = growth(t.store, at_warm);
    print_message("%llu KiB more\n", (unsigned long long)grown / 1024);
    // The places alone of what was added since are twenty bytes each.
    assert_true(grown < (blocks - 600) * 400 * 20 / 8);
    for (int twice = 0; twice < 2; twice++) {
        assert_int_equal(places_of(t.store, sy_ledger_pruned(t.store) - 1), 0);
        assert_int_equal(places_of(t.store, 3), 0);
        assert_int_equal(places_of(t.store, sy_ledger_pruned(t.store)), 1);
        assert_int_equal(places_of(t.store, blocks - 1), 1);
        test_store_restart(&t);
    }
    test_store_end(&t);
}

int main(void)
{
    powercut_arm(POWERCUT_COUNT, 0, 0, false);
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(nothing_is_pruned_unasked),
        cmocka_unit_test(pruned_history_is_refused_and_headers_certificates_and_state_stay),
        cmocka_unit_test(a_call_takes_one_slice_and_refuses_the_rest_already),
        cmocka_unit_test(the_newest_certified_block_stays_and_all_above_it),
        cmocka_unit_test(what_a_restart_replays_is_not_pruned),
        cmocka_unit_test(a_failure_anywhere_in_a_slice_is_taken_up_again),
        cmocka_unit_test(a_damaged_order_stops_pruning_and_says_where),
        cmocka_unit_test(disk_use_is_bounded_over_a_simulated_month),
        cmocka_unit_test(the_tx_index_is_right_whatever_is_pruned_when),
        cmocka_unit_test(the_tx_index_forgets_what_is_pruned),
    };
    return test_store_suite("pruning", cases);
}
