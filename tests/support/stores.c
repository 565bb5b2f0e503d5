#include "tests/support/stores.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/os.h"
#include "tests/support/test.h"

/* ---- stores ----------------------------------------------------------------------------- */

static void open_store(struct test_store *t)
{
    struct sy_error err = {0};
    sy_status status = t->kind == TEST_STORE_LMDB ? sy_store_open_lmdb(&t->store, &t->config, &err)
                                                  : sy_store_open_memory(&t->store, &t->config);
    if (status != SY_OK) print_error("%s\n", err.text);
    assert_int_equal(status, SY_OK);
}

void test_store_begin_with(struct test_store *t, enum test_store_kind kind,
                           const struct sy_store_config *config)
{
    memset(t, 0, sizeof *t);
    t->kind = kind;
    t->config = *config;
    t->config.genesis = test_hash_of(0);
    t->config.init = true;
    if (kind == TEST_STORE_LMDB) {
        test_folder(t->folder, sizeof t->folder, "store");
        t->config.path = t->folder;
    }
    open_store(t);
    t->config.init = false;
}

void test_store_begin(struct test_store *t, enum test_store_kind kind)
{
    struct sy_store_config config = {.generation_bytes = 1u << 18,
                                     .generation_count = 3,
                                     .view_count_max = 4,
                                     .view_age_ms_max = TEST_VIEW_AGE_MS,
                                     .recent_txs = 64,
                                     .votes_map_bytes = 1u << 20,
                                     .ledger_map_bytes = 1u << 20,
                                     .state_map_bytes = 1u << 24};
    test_store_begin_with(t, kind, &config);
}

void test_store_restart(struct test_store *t)
{
    if (t->kind == TEST_STORE_MEMORY) {
        sy_store_memory_crash(t->store);
        return;
    }
    sy_store_close(t->store);
    open_store(t);
}

void test_store_end(struct test_store *t)
{
    sy_store_close(t->store);
    t->store = NULL;
    if (t->kind != TEST_STORE_LMDB) return;
    assert_int_equal(sy_os_remove_tree(t->folder, NULL), SY_OK);
}

sy_store_reader *test_reader_open(sy_store *store)
{
    sy_store_reader *reader = NULL;
    assert_int_equal(sy_store_reader_open(&reader, store), SY_OK);
    return reader;
}

void test_store_prune(sy_store *store, uint64_t below)
{
    bool more = true;
    while (more) {
        struct sy_error err = {0};
        sy_status status = sy_store_prune(store, &more, below, &err);
        if (status != SY_OK) print_error("%s\n", err.text);
        assert_int_equal(status, SY_OK);
    }
}

/* ---- suites ----------------------------------------------------------------------------- */

static int over_lmdb(void **state)
{
    static enum test_store_kind kind = TEST_STORE_LMDB;
    *state = &kind;
    return 0;
}

static int over_memory(void **state)
{
    static enum test_store_kind kind = TEST_STORE_MEMORY;
    *state = &kind;
    return 0;
}

enum test_store_kind test_kind_of(void *const *state)
{
    return *(const enum test_store_kind *)*state;
}

int test_store_suite_run(const char *name, const struct CMUnitTest *cases, size_t count)
{
    printf("%s: lmdb\n", name);
    int failed = _cmocka_run_group_tests("lmdb", cases, count, over_lmdb, NULL);
    printf("%s: memory\n", name);
    return failed + _cmocka_run_group_tests("memory", cases, count, over_memory, NULL);
}

/* ---- known bytes ------------------------------------------------------------------------ */

struct sy_hash test_hash_of(uint64_t number)
{
    struct sy_hash hash;
    test_fill(hash.bytes, sizeof hash.bytes, number ^ 0x68617368);
    return hash;
}

void test_fill(uint8_t *out, size_t size, uint64_t number)
{
    sy_prng prng;
    sy_prng_seed(&prng, number);
    sy_prng_fill(&prng, out, size);
}

bool test_is_filled(struct sy_slice bytes, size_t size, uint64_t number)
{
    if (bytes.size != size) return false;
    uint8_t *expected = (uint8_t *)malloc(size + 1);
    assert_non_null(expected);
    test_fill(expected, size, number);
    bool same = size == 0 || memcmp(expected, bytes.data, size) == 0;
    free(expected);
    return same;
}

/* ---- blocks ----------------------------------------------------------------------------- */

// Empty, small, and larger than a page, in turn.
static size_t part_size(uint64_t height, unsigned part)
{
    static const size_t sizes[] = {184, 0, 50, 700, 5000, 20000};
    return sizes[(height + part) % (sizeof sizes / sizeof sizes[0])];
}

void test_stored_make(struct test_stored *block, uint64_t height, size_t tx_count,
                      struct sy_slice deltas)
{
    size_t header = part_size(height, 0);
    size_t order = part_size(height, 1);
    size_t receipts = part_size(height, 2);
    uint8_t *p = (uint8_t *)malloc(header + order + receipts + tx_count * 32 + 1);
    assert_non_null(p);
    block->memory = p;
    test_fill(p, header, height * 16);
    test_fill(p + header, order, height * 16 + 1);
    test_fill(p + header + order, receipts, height * 16 + 2);
    struct sy_hash *ids = (struct sy_hash *)(void *)(p + header + order + receipts);
    for (size_t i = 0; i < tx_count; i++) ids[i] = test_hash_of(height * 1000 + i);
    block->write = (struct sy_block_write){
        .height = height,
        .header = sy_slice_of(p, header),
        .order = sy_slice_of(p + header, order),
        .receipts = sy_slice_of(p + header + order, receipts),
        .deltas = deltas,
        .tx_ids = ids,
        .tx_count = tx_count,
    };
}

void test_stored_free(struct test_stored *block)
{
    free(block->memory);
    block->memory = NULL;
}

void test_stored_check(sy_store_reader *reader, uint64_t height, size_t tx_count,
                       struct sy_slice deltas)
{
    struct sy_slice part;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(sy_ledger_get(reader, &part, height, (enum sy_block_part)i), SY_OK);
        assert_true(test_is_filled(part, part_size(height, i), height * 16 + i));
    }
    assert_int_equal(sy_ledger_get(reader, &part, height, SY_BLOCK_DELTAS), SY_OK);
    assert_true(sy_slice_equal(part, deltas));
    assert_int_equal(sy_ledger_get(reader, &part, height, SY_BLOCK_TX_IDS), SY_OK);
    assert_int_equal(part.size, tx_count * 32);
    for (size_t i = 0; i < tx_count; i++) {
        struct sy_hash id = test_hash_of(height * 1000 + i);
        assert_memory_equal(part.data + 32 * i, id.bytes, 32);
    }
}

/* ---- the model -------------------------------------------------------------------------- */

struct sy_slice test_model_value(uint8_t out[100], uint64_t version)
{
    size_t size = version % 101;
    test_fill(out, size, version);
    return sy_slice_of(out, size);
}

struct keyed {
    struct sy_hash key;
    unsigned number;
};

static int compare_keyed(const void *a, const void *b)
{
    return sy_hash_compare(&((const struct keyed *)a)->key, &((const struct keyed *)b)->key);
}

// The model's keys in key order, made once.
static const struct keyed *sorted_keys(void)
{
    static struct keyed sorted[TEST_MODEL_KEYS];
    static bool made;
    if (!made) {
        for (unsigned i = 0; i < TEST_MODEL_KEYS; i++) {
            sorted[i] = (struct keyed){test_hash_of(i), i};
            // Every fourth key shares its first bits with others, as ground ids would.
            if (i % 4 == 0) memset(sorted[i].key.bytes, 0xa5, 4);
        }
        qsort(sorted, TEST_MODEL_KEYS, sizeof sorted[0], compare_keyed);
        made = true;
    }
    return sorted;
}

struct sy_slice test_model_step(struct test_model *model, uint8_t *out, sy_prng *prng,
                                uint64_t height, unsigned changes)
{
    const struct keyed *sorted = sorted_keys();
    struct sy_writer w = sy_writer_of(out, TEST_MODEL_BYTES);
    for (unsigned i = 0; i < TEST_MODEL_KEYS; i++) {
        if (!sy_prng_chance(prng, changes, TEST_MODEL_KEYS)) continue;
        uint8_t value[100];
        bool put = sy_prng_chance(prng, 2, 3);
        uint64_t version = put ? height * 1000 + 1 + sy_prng_below(prng, 999) : 0;
        struct sy_delta delta = {.key = sorted[i].key, .op = put ? SY_DELTA_PUT : SY_DELTA_REMOVE};
        if (put) delta.value = test_model_value(value, version);
        sy_delta_write(&w, &delta);
        model->version[sorted[i].number] = version;
    }
    assert_false(w.failed);
    return sy_writer_slice(&w);
}

struct sy_slice test_model_pack(const struct test_model *model, uint8_t *out)
{
    const struct keyed *sorted = sorted_keys();
    struct sy_writer w = sy_writer_of(out, TEST_MODEL_BYTES);
    for (unsigned i = 0; i < TEST_MODEL_KEYS; i++) {
        uint8_t value[100];
        uint64_t version = model->version[sorted[i].number];
        if (version == 0) continue;
        struct sy_delta delta = {
            .key = sorted[i].key, .op = SY_DELTA_PUT, .value = test_model_value(value, version)};
        sy_delta_write(&w, &delta);
    }
    assert_false(w.failed);
    return sy_writer_slice(&w);
}

// False: the store ended the view (it grew too old, or a map had to grow), as it may at any call.
static bool check_view(sy_state_view *view, const struct test_model *model)
{
    const struct keyed *sorted = sorted_keys();
    uint8_t expected[100];
    struct sy_slice value;
    struct sy_hash prefix = {0};
    const struct sy_hash *key;
    sy_status status = sy_state_view_scan(view, &prefix, 0, NULL);
    if (status == SY_ERR_TIMEOUT) return false;
    assert_int_equal(status, SY_OK);
    for (unsigned i = 0; i < TEST_MODEL_KEYS; i++) {
        uint64_t version = model->version[sorted[i].number];
        if (version == 0) continue;
        status = sy_state_view_next(view, &key, &value);
        if (status == SY_ERR_TIMEOUT) return false;
        assert_int_equal(status, SY_OK);
        assert_true(sy_hash_equal(key, &sorted[i].key));
        assert_true(sy_slice_equal(value, test_model_value(expected, version)));
    }
    for (int twice = 0; twice < 2; twice++) {
        status = sy_state_view_next(view, &key, &value);
        if (status == SY_ERR_TIMEOUT) return false;
        assert_int_equal(status, SY_ERR_NOT_FOUND);
    }
    for (unsigned i = 0; i < TEST_MODEL_KEYS; i++) {
        uint64_t version = model->version[sorted[i].number];
        status = sy_state_view_get(view, &value, &sorted[i].key);
        if (status == SY_ERR_TIMEOUT) return false;
        assert_int_equal(status, version ? SY_OK : SY_ERR_NOT_FOUND);
        if (version) assert_true(sy_slice_equal(value, test_model_value(expected, version)));
    }
    return true;
}

void test_model_check(sy_state_view *view, const struct test_model *model)
{
    assert_true(check_view(view, model));
}

void test_newest_check(sy_store *store, const struct test_model *model)
{
    for (unsigned tries = 0; tries < 100; tries++) {
        sy_state_view *view;
        assert_int_equal(sy_state_view_open(&view, store), SY_OK);
        bool whole = check_view(view, model);
        sy_state_view_close(view);
        if (whole) return;
    }
    fail_msg("the store ended a hundred views");
}
