/* One promise, every implementation: the state of store.h, over LMDB and over the twin.
 * ctest: threaded timeout=600 */
#include <string.h>

#include "core/base/os.h"
#include "core/base/thread.h"
#include "core/store/store.h"
#include "tests/support/stores.h"
#include "tests/support/test.h"

// Appends and applies one block of the model.
static void step_model(struct test_store *t, struct test_model *model, sy_prng *prng,
                       uint64_t height, unsigned changes)
{
    static uint8_t packed[TEST_MODEL_BYTES];
    struct sy_slice deltas = test_model_step(model, packed, prng, height, changes);
    struct sy_block_write block = {.height = height, .deltas = deltas};
    assert_int_equal(sy_ledger_append(t->store, &block, 1, NULL), SY_OK);
    sy_status status;
    while ((status = sy_state_apply(t->store, height, deltas, NULL)) == SY_ERR_BUSY) {
        assert_int_equal(sy_state_wait(t->store, 60000), SY_OK);
    }
    assert_int_equal(status, SY_OK);
}

static sy_state_view *open_view(sy_store *store)
{
    sy_state_view *view = NULL;
    assert_int_equal(sy_state_view_open(&view, store), SY_OK);
    return view;
}

CASE(a_state_without_blocks_has_no_view)
{
    struct test_store t;
    sy_state_view *view;
    struct sy_slice value;
    struct sy_hash key = test_hash_of(1);
    test_store_begin(&t, test_kind_of(state));
    assert_int_equal(sy_state_view_open(&view, t.store), SY_ERR_NOT_FOUND);
    assert_int_equal(sy_state_get(t.store, &value, &key), SY_ERR_NOT_FOUND);
    assert_int_equal(sy_state_apply(t.store, 1, sy_slice_of(NULL, 0), NULL), SY_ERR_ARGUMENT);
    test_store_end(&t);
}

CASE(the_state_is_its_model_across_restarts)
{
    struct test_store t;
    struct test_model model = {0};
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    test_store_begin(&t, test_kind_of(state));
    for (uint64_t height = 0; height < 400; height++) {
        step_model(&t, &model, &prng, height, height == 0 ? 400 : 60);
        if (height % 40 == 7) {
            sy_state_view *view = open_view(t.store);
            assert_int_equal(sy_state_view_height(view), height);
            test_model_check(view, &model);
            sy_state_view_close(view);
        }
        if (height % 90 == 50) assert_int_equal(sy_state_flush(t.store, NULL), SY_OK);
        if (height % 70 == 60) test_store_restart(&t);
    }
    sy_state_view *view = open_view(t.store);
    test_model_check(view, &model);
    sy_state_view_close(view);
    test_store_end(&t);
}

CASE(an_open_view_does_not_change)
{
    struct test_store t;
    struct test_model model = {0};
    struct test_model then = {0};
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    test_store_begin(&t, test_kind_of(state));
    uint64_t height = 0;
    for (; height < 10; height++) step_model(&t, &model, &prng, height, 200);
    for (unsigned round = 0; round < 6; round++) {
        then = model;
        sy_state_view *view = open_view(t.store);
        for (unsigned i = 0; i < 12; i++) step_model(&t, &model, &prng, height++, 30);
        test_model_check(view, &then);
        assert_int_equal(sy_state_view_height(view), height - 13);
        sy_state_view_close(view);
    }
    test_store_end(&t);
}

CASE(the_execution_thread_reads_the_newest_value)
{
    struct test_store t;
    test_store_begin(&t, test_kind_of(state));
    struct sy_hash key = test_hash_of(1);
    for (uint64_t height = 0; height < 50; height++) {
        uint8_t packed[200];
        struct sy_writer w = sy_writer_of(packed, sizeof packed);
        struct sy_delta delta = {.key = key, .op = SY_DELTA_PUT};
        uint8_t value[8];
        sy_store_u64(value, height);
        delta.value = sy_slice_of(value, 8);
        if (height % 5 == 4) delta = (struct sy_delta){.key = key, .op = SY_DELTA_REMOVE};
        sy_delta_write(&w, &delta);
        struct sy_block_write block = {.height = height, .deltas = sy_writer_slice(&w)};
        assert_int_equal(sy_ledger_append(t.store, &block, 1, NULL), SY_OK);
        assert_int_equal(sy_state_apply(t.store, height, block.deltas, NULL), SY_OK);
        if (height % 7 == 0) assert_int_equal(sy_state_flush(t.store, NULL), SY_OK);
        struct sy_slice got;
        sy_status status = sy_state_get(t.store, &got, &key);
        assert_int_equal(status, height % 5 == 4 ? SY_ERR_NOT_FOUND : SY_OK);
        if (status == SY_OK) assert_int_equal(sy_load_u64(got.data), height);
    }
    test_store_end(&t);
}

CASE(a_walk_shows_exactly_the_keys_of_its_prefix)
{
    struct test_store t;
    struct test_model model = {0};
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    test_store_begin(&t, test_kind_of(state));
    for (uint64_t height = 0; height < 8; height++) step_model(&t, &model, &prng, height, 300);
    assert_int_equal(sy_state_flush(t.store, NULL), SY_OK);
    for (uint64_t height = 8; height < 12; height++) step_model(&t, &model, &prng, height, 300);
    sy_state_view *view = open_view(t.store);
    static struct sy_hash keys[TEST_MODEL_KEYS];
    size_t count = 0;
    const struct sy_hash *key;
    struct sy_slice value;
    struct sy_hash zero = {0};
    assert_int_equal(sy_state_view_scan(view, &zero, 0, NULL), SY_OK);
    while (sy_state_view_next(view, &key, &value) == SY_OK) keys[count++] = *key;
    assert_true(count > 100);
    for (unsigned round = 0; round < 200; round++) {
        struct sy_hash prefix = keys[sy_prng_below(&prng, count)];
        struct sy_hash from = keys[sy_prng_below(&prng, count)];
        unsigned bits = (unsigned)sy_prng_below(&prng, round % 2 ? 257 : 12);
        bool later = sy_prng_chance(&prng, 1, 2);
        assert_int_equal(sy_state_view_scan(view, &prefix, bits, later ? &from : NULL), SY_OK);
        for (size_t i = 0; i < count; i++) {
            bool inside = true;
            for (unsigned bit = 0; bit < bits && inside; bit++) {
                uint8_t differs = keys[i].bytes[bit / 8] ^ prefix.bytes[bit / 8];
                inside = !(differs >> (7 - bit % 8) & 1);
            }
            if (!inside || (later && sy_hash_compare(&keys[i], &from) < 0)) continue;
            assert_int_equal(sy_state_view_next(view, &key, &value), SY_OK);
            assert_true(sy_hash_equal(key, &keys[i]));
        }
        assert_int_equal(sy_state_view_next(view, &key, &value), SY_ERR_NOT_FOUND);
    }
    sy_state_view_close(view);
    test_store_end(&t);
}

CASE(views_are_bounded_in_number)
{
    struct test_store t;
    sy_state_view *views[5] = {0};
    test_store_begin(&t, test_kind_of(state));
    assert_int_equal(sy_state_apply(t.store, 0, sy_slice_of(NULL, 0), NULL), SY_OK);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(sy_state_view_open(&views[i], t.store), SY_OK);
    }
    assert_int_equal(sy_state_view_open(&views[4], t.store), SY_ERR_LIMIT);
    sy_state_view_close(views[2]);
    assert_int_equal(sy_state_view_open(&views[2], t.store), SY_OK);
    for (unsigned i = 0; i < 4; i++) sy_state_view_close(views[i]);
    test_store_end(&t);
}

CASE(readers_are_bounded_in_number)
{
    struct test_store t;
    static sy_store_reader *readers[257];
    test_store_begin(&t, test_kind_of(state));
    for (unsigned i = 0; i < 256; i++) readers[i] = test_reader_open(t.store);
    assert_int_equal(sy_store_reader_open(&readers[256], t.store), SY_ERR_LIMIT);
    for (unsigned i = 0; i < 256; i++) sy_store_reader_close(readers[i]);
    test_store_end(&t);
}

CASE(a_state_ahead_of_the_ledger_is_forgotten_by_a_restart)
{
    struct test_store t;
    struct sy_hash key = test_hash_of(5);
    struct sy_slice value;
    uint8_t packed[64];
    struct sy_writer w = sy_writer_of(packed, sizeof packed);
    struct sy_delta delta = {.key = key, .op = SY_DELTA_PUT, .value = {(const uint8_t *)"v", 1}};
    sy_delta_write(&w, &delta);
    test_store_begin(&t, test_kind_of(state));
    assert_int_equal(sy_state_apply(t.store, 0, sy_writer_slice(&w), NULL), SY_OK);
    assert_int_equal(sy_state_get(t.store, &value, &key), SY_OK);
    test_store_restart(&t);
    assert_int_equal(sy_state_next(t.store), 0);
    assert_int_equal(sy_state_get(t.store, &value, &key), SY_ERR_NOT_FOUND);
    test_store_end(&t);
}

/* ---- threads ---------------------------------------------------------------------------- */

// The value of key k at height h is h, for all keys: a view that mixes heights shows it.
#define SHARED_KEYS 64u
struct shared {
    sy_store *store;
    _Atomic bool stop;
    _Atomic unsigned looks;
};

static void *look_at_views(void *context)
{
    struct shared *shared = (struct shared *)context;
    sy_store_reader *reader = test_reader_open(shared->store);
    while (!shared->stop) {
        sy_state_view *view = NULL;
        sy_status status = sy_state_view_open(&view, shared->store);
        if (status != SY_OK) continue;
        uint64_t height = sy_state_view_height(view);
        const struct sy_hash *key;
        struct sy_slice value;
        struct sy_hash zero = {0};
        unsigned seen = 0;
        status = sy_state_view_scan(view, &zero, 0, NULL);
        while (status == SY_OK) {
            status = sy_state_view_next(view, &key, &value);
            if (status != SY_OK) break;
            assert_int_equal(sy_load_u64(value.data), height);
            seen++;
        }
        // SY_ERR_TIMEOUT: a growing map ended the view, which is no lie.
        assert_true(status == SY_ERR_TIMEOUT ||
                    (status == SY_ERR_NOT_FOUND && seen == SHARED_KEYS));
        sy_state_view_close(view);
        struct sy_slice part;
        uint64_t newest = sy_ledger_next(shared->store);
        if (newest > 0) {
            assert_int_equal(sy_ledger_get(reader, &part, newest - 1, SY_BLOCK_DELTAS), SY_OK);
        }
        shared->looks++;
    }
    sy_store_reader_close(reader);
    return NULL;
}

static void write_shared(sy_store *store, uint64_t height)
{
    static uint8_t packed[SHARED_KEYS * 512];
    struct sy_writer w = sy_writer_of(packed, sizeof packed);
    for (unsigned i = 0; i < SHARED_KEYS; i++) {
        uint8_t value[400] = {0};
        sy_store_u64(value, height);
        struct sy_delta delta = {.op = SY_DELTA_PUT, .value = sy_slice_of(value, sizeof value)};
        memset(delta.key.bytes, 0, 32);
        delta.key.bytes[0] = (uint8_t)(i * 4);
        sy_delta_write(&w, &delta);
    }
    assert_false(w.failed);
    struct sy_block_write block = {.height = height, .deltas = sy_writer_slice(&w)};
    assert_int_equal(sy_ledger_append(store, &block, 1, NULL), SY_OK);
    sy_status status;
    while ((status = sy_state_apply(store, height, block.deltas, NULL)) == SY_ERR_BUSY) {
        assert_int_equal(sy_state_wait(store, 60000), SY_OK);
    }
    assert_int_equal(status, SY_OK);
}

CASE(views_show_one_height_while_blocks_stream_in)
{
    struct test_store t;
    pthread_t threads[2];
    test_store_begin(&t, test_kind_of(state));
    struct shared shared = {.store = t.store};
    write_shared(t.store, 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(sy_thread_start(&threads[i], "look", look_at_views, &shared, NULL), SY_OK);
    }
    uint64_t height = 1;
    while (height < 300 || shared.looks < 50) write_shared(t.store, height++);
    shared.stop = true;
    for (unsigned i = 0; i < 2; i++) sy_thread_join(threads[i]);
    test_store_end(&t);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_state_without_blocks_has_no_view),
        cmocka_unit_test(the_state_is_its_model_across_restarts),
        cmocka_unit_test(an_open_view_does_not_change),
        cmocka_unit_test(the_execution_thread_reads_the_newest_value),
        cmocka_unit_test(a_walk_shows_exactly_the_keys_of_its_prefix),
        cmocka_unit_test(views_are_bounded_in_number),
        cmocka_unit_test(readers_are_bounded_in_number),
        cmocka_unit_test(a_state_ahead_of_the_ledger_is_forgotten_by_a_restart),
        cmocka_unit_test(views_show_one_height_while_blocks_stream_in),
    };
    return test_store_suite("state", cases);
}
