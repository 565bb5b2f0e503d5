/* LMDB's known traps: maps that are full, readers that died or will not end, files that grow under
 * a steady load. ctest: threaded timeout=600 */
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/os.h"
#include "core/base/thread.h"
#include "core/store/state.h"
#include "core/store/store.h"
#include "tests/support/stores.h"
#include "tests/support/test.h"

static void begin_tiny(struct test_store *t, uint32_t view_age_ms)
{
    struct sy_store_config config = {.generation_bytes = 1u << 16,
                                     .generation_count = 2,
                                     .generation_blocks = 4,
                                     .view_count_max = 4,
                                     .view_age_ms_max = view_age_ms,
                                     .recent_txs = 32,
                                     .votes_map_bytes = 1u << 16,
                                     .ledger_map_bytes = 1u << 16,
                                     .state_map_bytes = 1u << 16};
    test_store_begin_with(t, TEST_STORE_LMDB, &config);
}

static void put_body(sy_store *store, uint64_t number, size_t size)
{
    static uint8_t bytes[SY_BODY_BYTES_MAX];
    test_fill(bytes, size, number);
    struct sy_vote_write write = {
        .op = SY_VOTE_PUT_BODY, .body = test_hash_of(number), .value = sy_slice_of(bytes, size)};
    assert_int_equal(sy_votes_commit(store, &write, 1, NULL), SY_OK);
}

static void append_and_apply(sy_store *store, uint64_t height, struct sy_slice deltas)
{
    struct test_stored block;
    test_stored_make(&block, height, 5, deltas);
    assert_int_equal(sy_ledger_append(store, &block.write, 1, NULL), SY_OK);
    test_stored_free(&block);
    sy_status status;
    while ((status = sy_state_apply(store, height, deltas, NULL)) == SY_ERR_BUSY) {
        assert_int_equal(sy_state_wait(store, 60000), SY_OK);
    }
    assert_int_equal(status, SY_OK);
}

CASE(every_map_grows_from_64_kib_and_nothing_is_lost)
{
    static uint8_t packed[TEST_MODEL_BYTES];
    struct test_store t;
    struct test_model model = {0};
    struct sy_store_stats stats;
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    begin_tiny(&t, TEST_VIEW_AGE_MS);
    for (uint64_t i = 0; i < 30; i++) put_body(t.store, i, (size_t)i * 30000);
    for (uint64_t height = 0; height < 120; height++) {
        append_and_apply(t.store, height,
                         test_model_step(&model, packed, &prng, height, TEST_MODEL_KEYS / 2));
    }
    assert_int_equal(sy_state_flush(t.store, NULL), SY_OK);
    sy_store_stats_get(t.store, &stats);
    for (int env = 0; env < SY_ENV_NOTICES; env++) {
        assert_true(stats.env[env].map_growths > 0);
        assert_true(stats.env[env].map_bytes > 1u << 16);
        assert_true(stats.env[env].file_bytes <= stats.env[env].map_bytes);
    }
    test_store_restart(&t);
    sy_store_reader *reader = NULL;
    assert_int_equal(sy_store_reader_open(&reader, t.store), SY_OK);
    for (uint64_t i = 0; i < 30; i++) {
        struct sy_slice body;
        struct sy_hash digest = test_hash_of(i);
        assert_int_equal(sy_body_get(reader, &body, &digest), SY_OK);
        assert_true(test_is_filled(body, (size_t)i * 30000, i));
    }
    sy_store_reader_close(reader);
    sy_state_view *view = NULL;
    assert_int_equal(sy_state_view_open(&view, t.store), SY_OK);
    test_model_check(view, &model);
    sy_state_view_close(view);
    test_store_end(&t);
}

struct body_readers {
    sy_store *store;
    _Atomic bool stop;
    _Atomic uint64_t newest;
    _Atomic uint64_t reads;
};

static void *read_bodies(void *context)
{
    struct body_readers *shared = (struct body_readers *)context;
    sy_store_reader *reader = NULL;
    assert_int_equal(sy_store_reader_open(&reader, shared->store), SY_OK);
    while (!shared->stop) {
        struct sy_slice body;
        uint64_t number = shared->newest;
        struct sy_hash digest = test_hash_of(number);
        assert_int_equal(sy_body_get(reader, &body, &digest), SY_OK);
        assert_true(test_is_filled(body, 20000, number));
        shared->reads++;
    }
    sy_store_reader_close(reader);
    return NULL;
}

CASE(readers_go_on_while_the_map_grows_under_them)
{
    struct test_store t;
    pthread_t threads[2];
    struct sy_store_stats stats;
    begin_tiny(&t, TEST_VIEW_AGE_MS);
    struct body_readers shared = {.store = t.store};
    put_body(t.store, 0, 20000);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(sy_thread_start(&threads[i], "bodies", read_bodies, &shared, NULL), SY_OK);
    }
    for (uint64_t i = 1; i < 300 || shared.reads < 100; i++) {
        put_body(t.store, i, 20000);
        shared.newest = i;
    }
    shared.stop = true;
    for (unsigned i = 0; i < 2; i++) sy_thread_join(threads[i]);
    sy_store_stats_get(t.store, &stats);
    assert_true(stats.env[SY_ENV_VOTES].map_growths >= 5);
    test_store_end(&t);
}

// What a validator's life does to the votes: bodies of all sizes come and are dropped again.
CASE(a_file_under_steady_load_stops_growing)
{
    struct test_store t;
    struct sy_store_stats stats;
    sy_prng prng;
    uint64_t settled = 0;
    sy_prng_seed(&prng, test_seed());
    begin_tiny(&t, TEST_VIEW_AGE_MS);
    for (uint64_t i = 0; i < 1500; i++) {
        put_body(t.store, i, (size_t)sy_prng_below(&prng, 150000));
        struct sy_vote_write writes[] = {
            {.op = SY_VOTE_PUT_RECORD, .key = {1, i, 0}, .value = sy_slice_of("vote", 4)},
            {.op = SY_VOTE_DROP_BELOW, .key = {1, i < 20 ? 0 : i - 20, 0}},
            {.op = SY_VOTE_DROP_BODY, .body = test_hash_of(i < 20 ? UINT64_MAX : i - 20)},
        };
        assert_int_equal(sy_votes_commit(t.store, writes, 3, NULL), SY_OK);
        sy_store_stats_get(t.store, &stats);
        if (i == 500) settled = stats.env[SY_ENV_VOTES].file_bytes;
    }
    // Twenty bodies are alive at a time: some 1.5 MB.
    print_message("%llu bytes after 500 bodies, %llu after 1,500\n", (unsigned long long)settled,
                  (unsigned long long)stats.env[SY_ENV_VOTES].file_bytes);
    assert_true(stats.env[SY_ENV_VOTES].file_bytes < 2 * settled);
    assert_true(stats.env[SY_ENV_VOTES].file_bytes < 32u << 20);
    test_store_end(&t);
}

/* ---- readers that do not end ------------------------------------------------------------ */

struct foreign {
    char path[300];
    int ready_fd;
};

// Another process that reads the file, as a backup by mdb_copy would.
static void read_for_ever(void *context)
{
    const struct foreign *foreign = (const struct foreign *)context;
    MDB_env *env = NULL;
    MDB_txn *txn = NULL;
    int rc = mdb_env_create(&env);
    if (!rc) rc = mdb_env_set_maxdbs(env, 8);
    if (!rc) rc = mdb_env_open(env, foreign->path, MDB_RDONLY, 0600);
    if (!rc) rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
    if (rc || write(foreign->ready_fd, "r", 1) != 1) _exit(9);
    for (;;) pause();
}

CASE(a_reader_killed_in_its_transaction_is_cleared)
{
    struct test_store t;
    struct foreign foreign;
    struct sy_store_stats stats;
    int ends[2];
    // A map that is large enough, so that nothing but the stale reader makes the file grow.
    struct sy_store_config config = {.votes_map_bytes = 1u << 30};
    test_store_begin_with(&t, TEST_STORE_LMDB, &config);
    put_body(t.store, 0, 1000);
    snprintf(foreign.path, sizeof foreign.path, "%s/votes", t.folder);
    assert_int_equal(pipe(ends), 0);
    foreign.ready_fd = ends[1];
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        read_for_ever(&foreign);
        _exit(9);
    }
    char byte;
    assert_int_equal(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    // Its snapshot would hold every page that is dropped from now on.
    for (uint64_t i = 1; i < 400; i++) {
        put_body(t.store, i, 60000);
        struct sy_vote_write drop = {.op = SY_VOTE_DROP_BODY, .body = test_hash_of(i - 1)};
        assert_int_equal(sy_votes_commit(t.store, &drop, 1, NULL), SY_OK);
    }
    sy_store_stats_get(t.store, &stats);
    assert_int_equal(stats.env[SY_ENV_VOTES].readers_cleared, 1);
    assert_true(stats.env[SY_ENV_VOTES].file_bytes < 12u << 20);
    test_store_end(&t);
}

CASE(a_view_that_grows_too_old_is_ended_and_its_memory_is_free_again)
{
    static uint8_t packed[TEST_MODEL_BYTES];
    struct test_store t;
    struct test_model model = {0};
    struct sy_slice value;
    struct sy_store_stats stats;
    struct sy_hash key = test_hash_of(1);
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    begin_tiny(&t, 200);
    append_and_apply(t.store, 0, test_model_step(&model, packed, &prng, 0, 500));
    sy_state_view *view = NULL;
    assert_int_equal(sy_state_view_open(&view, t.store), SY_OK);
    // The view pins both generations before long; sy_state_wait must end all the same.
    for (uint64_t height = 1; height < 40; height++) {
        append_and_apply(t.store, height, test_model_step(&model, packed, &prng, height, 500));
    }
    assert_int_equal(sy_state_view_get(view, &value, &key), SY_ERR_TIMEOUT);
    const struct sy_hash *found;
    assert_int_equal(sy_state_view_scan(view, &key, 0, NULL), SY_ERR_TIMEOUT);
    assert_int_equal(sy_state_view_next(view, &found, &value), SY_ERR_TIMEOUT);
    sy_state_view_close(view);
    sy_store_stats_get(t.store, &stats);
    assert_true(stats.views_ended >= 1);
    t.config.view_age_ms_max = TEST_VIEW_AGE_MS;
    test_store_restart(&t);
    assert_int_equal(sy_state_view_open(&view, t.store), SY_OK);
    test_model_check(view, &model);
    sy_state_view_close(view);
    test_store_end(&t);
}

struct ender {
    sy_store *store;
    _Atomic bool stop;
};

static void *end_old_views(void *context)
{
    struct ender *ender = (struct ender *)context;
    const uint64_t hour_ns = 3600000000000u;
    while (!ender->stop) sy_state_end_views(ender->store->state, hour_ns);
    return NULL;
}

CASE(a_view_opened_while_old_ones_are_ended_is_not_old)
{
    struct test_store t;
    struct sy_slice value;
    struct sy_hash key = test_hash_of(1);
    pthread_t thread;
    begin_tiny(&t, TEST_VIEW_AGE_MS);
    append_and_apply(t.store, 0, sy_slice_of(NULL, 0));
    struct ender ender = {.store = t.store};
    assert_int_equal(sy_thread_start(&thread, "ender", end_old_views, &ender, NULL), SY_OK);
    for (unsigned i = 0; i < 60000; i++) {
        sy_state_view *view = NULL;
        assert_int_equal(sy_state_view_open(&view, t.store), SY_OK);
        assert_int_equal(sy_state_view_get(view, &value, &key), SY_ERR_NOT_FOUND);
        sy_state_view_close(view);
    }
    ender.stop = true;
    sy_thread_join(thread);
    test_store_end(&t);
}

static struct sy_hash numbered_key(unsigned number)
{
    struct sy_hash key = {{(uint8_t)(number >> 8), (uint8_t)number}};
    return key;
}

// A block that puts the numbered keys first, first + 2 ... below 1,000, with `size` bytes each.
static void put_every_second(sy_store *store, uint64_t height, unsigned first, size_t size)
{
    static uint8_t packed[1u << 20];
    static uint8_t value[2000];
    struct sy_writer w = sy_writer_of(packed, sizeof packed);
    for (unsigned i = first; i < 1000; i += 2) {
        struct sy_delta delta = {numbered_key(i), SY_DELTA_PUT, sy_slice_of(value, size)};
        sy_delta_write(&w, &delta);
    }
    assert_false(w.failed);
    append_and_apply(store, height, sy_writer_slice(&w));
}

static void walk_on(sy_state_view *view, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        const struct sy_hash *key;
        struct sy_slice value;
        struct sy_hash expected = numbered_key(i);
        assert_int_equal(sy_state_view_next(view, &key, &value), SY_OK);
        assert_true(sy_hash_equal(key, &expected));
        assert_int_equal(value.size, i % 2 ? 1000 : 8);
    }
}

// What the merger writes meanwhile, a view of the newest height covers already: it goes on, in the
// middle of a walk through base and generations.
static void walk_through_growth(unsigned place)
{
    struct test_store t;
    struct sy_store_stats before;
    struct sy_store_stats after;
    struct sy_store_config config = {.generation_bytes = 1u << 20,
                                     .view_age_ms_max = TEST_VIEW_AGE_MS,
                                     .state_map_bytes = 1u << 16};
    sy_state_view *view = NULL;
    const struct sy_hash *key;
    struct sy_slice value;
    struct sy_hash zero = {0};
    test_store_begin_with(&t, TEST_STORE_LMDB, &config);
    put_every_second(t.store, 0, 0, 8);
    assert_int_equal(sy_state_flush(t.store, NULL), SY_OK);
    put_every_second(t.store, 1, 1, 1000);
    sy_store_stats_get(t.store, &before);
    assert_int_equal(sy_state_view_open(&view, t.store), SY_OK);
    assert_int_equal(sy_state_view_scan(view, &zero, 0, NULL), SY_OK);
    walk_on(view, 0, place);
    assert_int_equal(sy_state_flush(t.store, NULL), SY_OK);
    walk_on(view, place, 1000);
    assert_int_equal(sy_state_view_next(view, &key, &value), SY_ERR_NOT_FOUND);
    sy_store_stats_get(t.store, &after);
    assert_true(after.env[SY_ENV_STATE].map_growths > before.env[SY_ENV_STATE].map_growths);
    assert_int_equal(after.views_ended, 0);
    sy_state_view_close(view);
    test_store_end(&t);
}

CASE(a_view_of_the_newest_height_outlives_a_growing_map)
{
    static const unsigned places[] = {0, 1, 2, 299, 300, 998, 999, 1000};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) walk_through_growth(places[i]);
}

// One that is older is ended, and says so.
CASE(a_view_of_an_older_height_is_ended_by_a_growing_map)
{
    struct test_store t;
    struct sy_store_config config = {.generation_bytes = 1u << 20,
                                     .view_age_ms_max = TEST_VIEW_AGE_MS,
                                     .state_map_bytes = 1u << 16};
    struct sy_slice value;
    struct sy_hash key = numbered_key(0);
    test_store_begin_with(&t, TEST_STORE_LMDB, &config);
    put_every_second(t.store, 0, 0, 8);
    sy_state_view *view = NULL;
    assert_int_equal(sy_state_view_open(&view, t.store), SY_OK);
    put_every_second(t.store, 1, 1, 1000);
    put_every_second(t.store, 2, 0, 100);
    assert_int_equal(sy_state_flush(t.store, NULL), SY_OK);
    sy_status status = sy_state_view_get(view, &value, &key);
    // Unless the map grew before anything of the later blocks was in it.
    assert_true(status == SY_ERR_TIMEOUT || (status == SY_OK && value.size == 8));
    sy_state_view_close(view);
    assert_int_equal(sy_state_view_open(&view, t.store), SY_OK);
    assert_int_equal(sy_state_view_get(view, &value, &key), SY_OK);
    assert_int_equal(value.size, 100);
    sy_state_view_close(view);
    test_store_end(&t);
}

CASE(a_block_larger_than_a_generation_is_taken)
{
    static uint8_t packed[4096 * 200];
    struct test_store t;
    struct sy_writer w = sy_writer_of(packed, sizeof packed);
    uint8_t value[2048];
    begin_tiny(&t, TEST_VIEW_AGE_MS);
    append_and_apply(t.store, 0, sy_slice_of(NULL, 0));
    test_fill(value, sizeof value, 5);
    for (unsigned i = 0; i < 250; i++) {
        struct sy_delta delta = {.op = SY_DELTA_PUT, .value = sy_slice_of(value, sizeof value)};
        memset(delta.key.bytes, 0, 32);
        delta.key.bytes[0] = (uint8_t)i;
        sy_delta_write(&w, &delta);
    }
    assert_false(w.failed);
    assert_true(w.used > 4 * (size_t)(1u << 16));
    for (uint64_t height = 1; height < 8; height++) {
        append_and_apply(t.store, height, height % 2 ? sy_writer_slice(&w) : sy_slice_of(NULL, 0));
    }
    assert_int_equal(sy_state_flush(t.store, NULL), SY_OK);
    struct sy_hash key = {{7}};
    struct sy_slice got;
    assert_int_equal(sy_state_get(t.store, &got, &key), SY_OK);
    assert_true(test_is_filled(got, sizeof value, 5));
    test_store_end(&t);
}

CASE(blocks_that_are_not_durable_are_never_merged)
{
    static uint8_t packed[TEST_MODEL_BYTES];
    struct test_store t;
    struct test_model model = {0};
    struct sy_store_stats stats;
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    begin_tiny(&t, TEST_VIEW_AGE_MS);
    append_and_apply(t.store, 0, sy_slice_of(NULL, 0));
    // Applied far ahead of the ledger: the generations fill, and waiting says why it is in vain.
    sy_status status = SY_OK;
    uint64_t height = 1;
    while (status == SY_OK) {
        struct sy_slice deltas = test_model_step(&model, packed, &prng, height, 500);
        status = sy_state_apply(t.store, height, deltas, NULL);
        if (status == SY_OK) height++;
    }
    assert_int_equal(status, SY_ERR_BUSY);
    assert_int_equal(sy_state_wait(t.store, 60000), SY_ERR_BUSY);
    assert_int_equal(sy_state_flush(t.store, NULL), SY_ERR_ARGUMENT);
    sy_store_stats_get(t.store, &stats);
    assert_int_equal(stats.state_complete_height, 0);
    test_store_restart(&t);
    assert_int_equal(sy_state_next(t.store), 1);
    test_store_end(&t);
}

CASE(slices_of_a_merge_stay_short)
{
    static uint8_t packed[4u << 20];
    struct test_store t;
    struct sy_store_config config = {.generation_bytes = 16u << 20, .generation_count = 2};
    struct sy_store_stats stats;
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    test_store_begin_with(&t, TEST_STORE_LMDB, &config);
    uint8_t value[100] = {0};
    for (uint64_t height = 0; height < 10; height++) {
        struct sy_writer w = sy_writer_of(packed, sizeof packed);
        uint64_t step = UINT64_MAX / 8200;
        for (uint64_t i = 0; i < 8000; i++) {
            struct sy_delta delta = {.op = SY_DELTA_PUT, .value = sy_slice_of(value, 100)};
            memset(delta.key.bytes, 0, 32);
            sy_store_u64_be(delta.key.bytes, i * step + sy_prng_below(&prng, step));
            sy_delta_write(&w, &delta);
        }
        assert_false(w.failed);
        append_and_apply(t.store, height, sy_writer_slice(&w));
    }
    assert_int_equal(sy_state_flush(t.store, NULL), SY_OK);
    sy_store_stats_get(t.store, &stats);
    // How long a slice takes is the machine's matter; that there are many, each a part, is ours.
    print_message("80,000 keys in %llu slices, the longest %llu us\n",
                  (unsigned long long)stats.state_slices,
                  (unsigned long long)stats.state_slice_us_max);
    assert_true(stats.state_slices >= 4);
    test_store_end(&t);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(every_map_grows_from_64_kib_and_nothing_is_lost),
        cmocka_unit_test(readers_go_on_while_the_map_grows_under_them),
        cmocka_unit_test(a_file_under_steady_load_stops_growing),
        cmocka_unit_test(a_reader_killed_in_its_transaction_is_cleared),
        cmocka_unit_test(a_view_that_grows_too_old_is_ended_and_its_memory_is_free_again),
        cmocka_unit_test(a_view_opened_while_old_ones_are_ended_is_not_old),
        cmocka_unit_test(a_view_of_the_newest_height_outlives_a_growing_map),
        cmocka_unit_test(a_view_of_an_older_height_is_ended_by_a_growing_map),
        cmocka_unit_test(a_block_larger_than_a_generation_is_taken),
        cmocka_unit_test(blocks_that_are_not_durable_are_never_merged),
        cmocka_unit_test(slices_of_a_merge_stay_short),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
