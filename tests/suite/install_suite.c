/* One promise, every implementation: what store.h says about a state from elsewhere.
 * ctest: timeout=600 */
#include <string.h>

#include "core/base/os.h"
#include "core/store/store.h"
#include "tests/support/chronicle.h"
#include "tests/support/test.h"

#define HEIGHT 128u

static struct chronicle chronicle;
static uint8_t packed[TEST_MODEL_BYTES];

static void begin(struct test_store *t, void **state)
{
    memset(&chronicle, 0, sizeof chronicle);
    chronicle.body_bytes = 5000;
    chronicle.part_bytes = 5000;
    test_store_begin(t, test_kind_of(state));
}

static void install(sy_store *store, size_t entries)
{
    struct sy_error err = {0};
    sy_status status = chronicle_try_install(&chronicle, store, HEIGHT, entries, &err);
    if (status != SY_OK) print_error("%s\n", err.text);
    assert_int_equal(status, SY_OK);
}

static void check(sy_store *store)
{
    assert_int_equal(chronicle_check(&chronicle, store, sy_ledger_pruned(store)), SY_OK);
}

static void check_beginning(sy_store *store)
{
    struct sy_install now;
    assert_int_equal(sy_ledger_base(store), HEIGHT);
    assert_int_equal(sy_ledger_height(store), HEIGHT);
    assert_int_equal(sy_ledger_certified(store), HEIGHT);
    assert_int_equal(sy_ledger_pruned(store), HEIGHT + 1);
    assert_int_equal(sy_state_next(store), HEIGHT + 1);
    sy_install_get(store, &now);
    assert_false(now.active);
    check(store);
}

CASE(a_store_begins_with_an_installed_state_and_goes_on)
{
    struct test_store t;
    begin(&t, state);
    install(t.store, 7);
    check_beginning(t.store);
    test_store_restart(&t);
    check_beginning(t.store);
    for (unsigned i = 0; i < 100; i++) chronicle_step(&chronicle, t.store);
    check(t.store);
    test_store_restart(&t);
    check(t.store);
    assert_int_equal(sy_state_flush(t.store, NULL), SY_OK);
    test_store_prune(t.store, HEIGHT + 60);
    assert_int_equal(sy_ledger_pruned(t.store), HEIGHT + 60);
    check(t.store);
    test_store_restart(&t);
    check(t.store);
    test_store_end(&t);
}

static void assert_part(sy_store *store, uint64_t height, enum sy_block_part which,
                        const char *expected)
{
    sy_store_reader *reader = NULL;
    struct sy_slice part;
    assert_int_equal(sy_store_reader_open(&reader, store), SY_OK);
    sy_status status = sy_ledger_get(reader, &part, height, which);
    assert_int_equal(status, expected ? SY_OK : SY_ERR_PRUNED);
    if (expected) assert_true(sy_slice_equal(part, sy_slice_of(expected, strlen(expected))));
    sy_store_reader_close(reader);
}

static void check_earlier(sy_store *store)
{
    for (uint64_t height = 0; height < HEIGHT; height++) {
        bool first = height == 5, second = height == HEIGHT - 1;
        assert_part(store, height, SY_BLOCK_HEADER, first ? "h5" : second ? "h127" : NULL);
        assert_part(store, height, SY_BLOCK_CERTIFICATE, first ? "c5" : second ? "c127" : NULL);
        assert_part(store, height, SY_BLOCK_ORDER, NULL);
    }
}

CASE(headers_of_earlier_heights_are_kept_for_ever)
{
    struct test_store t;
    struct sy_install now;
    struct sy_hash root = chronicle_root(HEIGHT);
    struct sy_slice header = sy_slice_of("h", 1), seals = sy_slice_of("c", 1);
    const struct sy_header_write earlier[] = {
        {5, sy_slice_of("h5", 2), sy_slice_of("c5", 2)},
        {HEIGHT - 1, sy_slice_of("h127", 4), sy_slice_of("c127", 4)},
        {HEIGHT, sy_slice_of("h128", 4), sy_slice_of("c128", 4)},
        {HEIGHT - 1, sy_slice_of("h127", 4), sy_slice_of(NULL, 0)}};
    begin(&t, state);
    assert_int_equal(sy_install_begin(t.store, &now, HEIGHT, &root, NULL), SY_OK);
    chronicle_model(&chronicle, HEIGHT + 1);
    struct sy_slice all = test_model_pack(&chronicle.model, packed);
    assert_int_equal(sy_install_put(t.store, all, NULL, NULL), SY_OK);
    const struct {
        unsigned first, count;
    } bad[] = {{0, 3}, {1, 3}, {3, 1}}; /* not below the base, not in order, not whole */
    for (unsigned i = 0; i < 3; i++) {
        sy_status status =
            sy_install_finish(t.store, header, seals, earlier + bad[i].first, bad[i].count, NULL);
        assert_int_equal(status, SY_ERR_ARGUMENT);
    }
    assert_int_equal(sy_install_finish(t.store, header, seals, earlier, 2, NULL), SY_OK);
    assert_int_equal(sy_ledger_base(t.store), HEIGHT);
    assert_part(t.store, HEIGHT, SY_BLOCK_HEADER, "h");
    check_earlier(t.store);
    test_store_restart(&t);
    check_earlier(t.store);
    test_store_end(&t);
}

CASE(an_install_goes_on_behind_what_is_there)
{
    struct test_store t;
    struct sy_install now;
    struct sy_hash root = chronicle_root(HEIGHT);
    struct sy_hash middle = {{0x80}};
    begin(&t, state);
    chronicle_model(&chronicle, HEIGHT + 1);
    struct sy_slice all = test_model_pack(&chronicle.model, packed);
    struct sy_delta_reader reader = sy_delta_reader_of(all);
    struct sy_delta delta;
    size_t half = 0;
    while (sy_delta_next(&reader, &delta) && delta.key.bytes[0] < 0x80) half = reader.in.used;
    assert_int_equal(sy_install_begin(t.store, &now, HEIGHT, &root, NULL), SY_OK);
    assert_true(now.active && !now.whole && sy_hash_is_zero(&now.next));
    sy_status status = sy_install_put(t.store, sy_slice_of(all.data, half), &middle, NULL);
    assert_int_equal(status, SY_OK);
    test_store_restart(&t);
    sy_install_get(t.store, &now);
    assert_true(now.active && !now.whole && now.height == HEIGHT);
    assert_true(sy_hash_equal(&now.root, &root));
    assert_true(sy_hash_equal(&now.next, &middle));
    // What is there need not come again, and may not.
    status = sy_install_put(t.store, sy_slice_of(all.data, half), NULL, NULL);
    assert_int_equal(status, SY_ERR_FORMAT);
    install(t.store, 1000);
    check_beginning(t.store);
    test_store_end(&t);
}

CASE(another_state_throws_away_what_was_there)
{
    struct test_store t;
    struct sy_install now;
    struct sy_hash other = test_hash_of(9);
    struct sy_hash wrong_key = test_hash_of(123456);
    uint8_t bytes[64];
    begin(&t, state);
    struct sy_delta wrong = {.key = wrong_key, .op = SY_DELTA_PUT, .value = sy_slice_of("x", 1)};
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_delta_write(&w, &wrong);
    assert_int_equal(sy_install_begin(t.store, &now, HEIGHT, &other, NULL), SY_OK);
    assert_int_equal(sy_install_put(t.store, sy_writer_slice(&w), NULL, NULL), SY_OK);
    sy_install_get(t.store, &now);
    assert_true(now.whole);
    install(t.store, 50); // of the same height, with another root
    check_beginning(t.store);
    test_store_end(&t);
}

CASE(only_what_comes_next_is_put)
{
    struct test_store t;
    struct sy_install now;
    struct sy_hash root = chronicle_root(HEIGHT);
    struct sy_hash low = {{0x10}};
    struct sy_hash high = {{0x30}};
    uint8_t bytes[128];
    begin(&t, state);
    assert_int_equal(sy_install_put(t.store, sy_slice_of(NULL, 0), &low, NULL), SY_ERR_ARGUMENT);
    assert_int_equal(sy_install_begin(t.store, &now, HEIGHT, &root, NULL), SY_OK);
    assert_int_equal(sy_install_put(t.store, sy_slice_of(NULL, 0), &low, NULL), SY_OK);
    const struct {
        uint8_t key;
        enum sy_delta_op op;
        const struct sy_hash *behind;
    } refused[] = {
        {0x0f, SY_DELTA_PUT, &high},    // below what is next
        {0x30, SY_DELTA_PUT, &high},    // not below what comes after
        {0x20, SY_DELTA_REMOVE, &high}, // no entry of a state
        {0x20, SY_DELTA_PUT, &low},     // no way forward
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct sy_delta delta = {.key = {{refused[i].key}}, .op = refused[i].op};
        struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
        sy_delta_write(&w, &delta);
        sy_status status = sy_install_put(t.store, sy_writer_slice(&w), refused[i].behind, NULL);
        assert_int_equal(status, SY_ERR_FORMAT);
    }
    assert_int_equal(sy_install_put(t.store, sy_slice_of("junk", 4), &high, NULL), SY_ERR_FORMAT);
    sy_status status =
        sy_install_finish(t.store, sy_slice_of("h", 1), sy_slice_of("c", 1), NULL, 0, NULL);
    assert_int_equal(status, SY_ERR_ARGUMENT);
    test_store_end(&t);
}

CASE(no_block_comes_while_the_state_is_not_whole)
{
    struct test_store t;
    struct sy_install now;
    struct sy_error err;
    struct sy_hash root = chronicle_root(HEIGHT);
    struct sy_block_write block = {.height = 0};
    begin(&t, state);
    assert_int_equal(sy_install_begin(t.store, &now, HEIGHT, &root, NULL), SY_OK);
    for (int twice = 0; twice < 2; twice++) {
        assert_int_equal(sy_ledger_append(t.store, &block, 1, &err), SY_ERR_EXISTS);
        assert_non_null(strstr(err.text, "not whole yet"));
        assert_int_equal(sy_state_apply(t.store, 0, block.deltas, &err), SY_ERR_EXISTS);
        test_store_restart(&t);
    }
    test_store_end(&t);
}

CASE(a_store_with_blocks_takes_no_state)
{
    struct test_store t;
    struct sy_install now;
    struct sy_error err;
    struct sy_hash root = chronicle_root(HEIGHT);
    begin(&t, state);
    chronicle_step(&chronicle, t.store);
    assert_int_equal(sy_install_begin(t.store, &now, HEIGHT, &root, &err), SY_ERR_EXISTS);
    assert_non_null(strstr(err.text, "new store"));
    check(t.store);
    test_store_end(&t);
}

CASE(a_failure_anywhere_in_an_install_is_taken_up_again)
{
    static const struct {
        const char *place;
        unsigned nth;
    } failures[] = {
        {"store.state.begin", 1},  {"store.state.commit", 1}, {"store.state.begin", 3},
        {"store.state.commit", 3}, {"store.ledger.begin", 1}, {"store.ledger.commit", 1},
    };
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        struct test_store t;
        struct sy_error err;
        begin(&t, state);
        sy_os_failpoint_arm(failures[i].place, failures[i].nth, "enospc");
        sy_status status = chronicle_try_install(&chronicle, t.store, HEIGHT, 60, &err);
        assert_int_equal(status, SY_ERR_DISK_FULL);
        sy_os_failpoint_arm(NULL, 0, NULL);
        if (i % 2 == 0) {
            assert_int_equal(sy_store_resume(t.store, &err), SY_OK);
        } else {
            test_store_restart(&t);
        }
        assert_int_equal(sy_ledger_next(t.store), 0);
        install(t.store, 60);
        check_beginning(t.store);
        test_store_end(&t);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_store_begins_with_an_installed_state_and_goes_on),
        cmocka_unit_test(headers_of_earlier_heights_are_kept_for_ever),
        cmocka_unit_test(an_install_goes_on_behind_what_is_there),
        cmocka_unit_test(another_state_throws_away_what_was_there),
        cmocka_unit_test(only_what_comes_next_is_put),
        cmocka_unit_test(no_block_comes_while_the_state_is_not_whole),
        cmocka_unit_test(a_store_with_blocks_takes_no_state),
        cmocka_unit_test(a_failure_anywhere_in_an_install_is_taken_up_again),
    };
    return test_store_suite("installing", cases);
}
