/* The overlay of a block's writes against a plain model: what is read, what a refusal takes back,
 * and what the source hears of it in the end. */
#include "core/ledger/overlay.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/prng.h"
#include "core/wire/limits.h"
#include "tests/support/state_source.h"
#include "tests/support/test.h"

#define KEYS 400u
#define VALUE_MAX 40u

struct model {
    bool present[KEYS];
    uint8_t value[KEYS][VALUE_MAX];
    size_t size[KEYS];
    bool touched[KEYS]; /* since the mark */
};

static sy_arena arena;
static sy_overlay overlay;
static struct state_array held;
static struct sy_state_source source;
static struct sy_hash keys[KEYS];

static int open_overlay(void **unused)
{
    (void)unused;
    struct sy_overlay_limits limits = {.writes_max = KEYS, .value_bytes_max = 1 << 20};
    assert_int_equal(sy_arena_open(&arena, sy_overlay_footprint(&limits)), SY_OK);
    source = state_array_source(&held);
    assert_int_equal(sy_overlay_init(&overlay, &arena, &limits, &source), SY_OK);
    sy_prng prng;
    sy_prng_seed(&prng, 7);
    for (size_t i = 0; i < KEYS; i++) sy_prng_fill(&prng, keys[i].bytes, 32);
    return 0;
}

static int close_overlay(void **unused)
{
    (void)unused;
    sy_arena_close(&arena);
    state_array_close(&held);
    return 0;
}

static struct sy_slice text(const char *s)
{
    return sy_slice_of(s, strlen(s));
}

static void assert_reads(size_t key, const char *expected)
{
    struct sy_slice value;
    sy_status status = sy_overlay_get(&overlay, &value, &keys[key]);
    assert_int_equal(status, expected == NULL ? SY_ERR_NOT_FOUND : SY_OK);
    if (expected != NULL) assert_true(sy_slice_equal(value, text(expected)));
}

CASE(overlay_shows_the_source_until_written)
{
    state_array_put(&held, &keys[0], text("zero"));
    sy_overlay_clear(&overlay);
    assert_reads(0, "zero");
    assert_reads(1, NULL);
    size_t gets = held.gets;
    assert_reads(0, "zero"); // both are remembered
    assert_reads(1, NULL);
    assert_int_equal(held.gets, gets);
    assert_int_equal(sy_overlay_put(&overlay, &keys[1], text("one")), SY_OK);
    assert_int_equal(sy_overlay_remove(&overlay, &keys[0]), SY_OK);
    assert_reads(0, NULL);
    assert_reads(1, "one");
    assert_int_equal(held.gets, gets);
    sy_overlay_clear(&overlay);
    assert_reads(0, "zero");
    assert_reads(1, NULL);
}

CASE(overlay_takes_back_to_the_mark)
{
    sy_overlay_clear(&overlay);
    assert_int_equal(sy_overlay_put(&overlay, &keys[0], text("before")), SY_OK);
    sy_overlay_mark(&overlay);
    assert_int_equal(sy_overlay_put(&overlay, &keys[0], text("a")), SY_OK);
    assert_int_equal(sy_overlay_put(&overlay, &keys[0], text("longer than it was")), SY_OK);
    assert_int_equal(sy_overlay_put(&overlay, &keys[0], text("b")), SY_OK);
    assert_int_equal(sy_overlay_put(&overlay, &keys[1], text("new")), SY_OK);
    assert_reads(0, "b");
    struct sy_hash written[4];
    assert_int_equal(sy_overlay_written(&overlay, written, 4), 2);
    assert_true(sy_hash_compare(&written[0], &written[1]) < 0);
    sy_overlay_rollback(&overlay);
    assert_reads(0, "before");
    assert_reads(1, NULL);
    assert_int_equal(sy_overlay_written(&overlay, written, 4), 0);
    sy_overlay_rollback(&overlay); // once more changes nothing
    assert_reads(0, "before");
}

CASE(overlay_tells_the_source_nothing_needless)
{
    state_array_put(&held, &keys[5], text("five"));
    sy_overlay_clear(&overlay);
    assert_int_equal(sy_overlay_put(&overlay, &keys[3], text("made and gone")), SY_OK);
    assert_int_equal(sy_overlay_remove(&overlay, &keys[3]), SY_OK);
    assert_int_equal(sy_overlay_remove(&overlay, &keys[4]), SY_OK); // was never there
    assert_int_equal(sy_overlay_remove(&overlay, &keys[5]), SY_OK);
    const struct sy_overlay_entry *order[KEYS];
    assert_int_equal(sy_overlay_sort(&overlay, order), 1);
    assert_memory_equal(order[0]->key_hash.bytes, keys[5].bytes, 32);
    assert_false(order[0]->present);
    assert_true(order[0]->was_present);
}

CASE(overlay_is_bounded)
{
    sy_overlay_clear(&overlay);
    struct sy_hash key = {{1}};
    for (size_t i = 0; i < KEYS; i++) {
        assert_int_equal(sy_overlay_put(&overlay, &keys[i], text("x")), SY_OK);
        if (i % SY_OVERLAY_READS_BETWEEN == 0) sy_overlay_relax(&overlay);
    }
    assert_int_equal(sy_overlay_put(&overlay, &key, text("x")), SY_ERR_LIMIT);
    assert_int_equal(sy_overlay_put(&overlay, &keys[0], text("y")), SY_OK);
    sy_overlay_clear(&overlay);
    uint8_t large[4096] = {0};
    sy_status status = SY_OK;
    for (size_t i = 0; i < 1000 && status == SY_OK; i++) {
        sy_overlay_mark(&overlay); // so that every write keeps the one before
        status = sy_overlay_put(&overlay, &keys[0], sy_slice_of(large, sizeof large));
    }
    assert_int_equal(status, SY_ERR_LIMIT);
}

CASE(overlay_reads_more_than_it_remembers)
{
    for (size_t i = 0; i < KEYS; i++) {
        char value[32];
        (void)snprintf(value, sizeof value, "value %zu", i);
        state_array_put(&held, &keys[i], text(value));
    }
    sy_overlay_clear(&overlay);
    for (size_t round = 0; round < 100; round++) {
        for (size_t i = 0; i < KEYS; i++) {
            struct sy_hash absent = keys[i];
            absent.bytes[31] = (uint8_t)(round + 1 == absent.bytes[31] ? 0 : round + 1);
            absent.bytes[0] ^= (uint8_t)(i + 1);
            struct sy_slice value;
            sy_overlay_relax(&overlay);
            assert_int_equal(sy_overlay_get(&overlay, &value, &absent), SY_ERR_NOT_FOUND);
            char expected[32];
            (void)snprintf(expected, sizeof expected, "value %zu", i);
            assert_reads(i, expected);
        }
    }
}

CASE(overlay_passes_on_what_fails)
{
    sy_overlay_clear(&overlay);
    struct sy_slice value;
    held.fail_after = 1;
    assert_int_equal(sy_overlay_get(&overlay, &value, &keys[0]), SY_ERR_IO);
    held.fail_after = 1;
    assert_int_equal(sy_overlay_put(&overlay, &keys[0], text("x")), SY_ERR_IO);
    held.fail_after = 1;
    assert_int_equal(sy_overlay_remove(&overlay, &keys[0]), SY_ERR_IO);
    assert_int_equal(sy_overlay_put(&overlay, &keys[0], text("x")), SY_OK);
    uint8_t *huge = calloc(1, SY_STATE_VALUE_BYTES_MAX + 1);
    assert_non_null(huge);
    struct state_entry *entry;
    state_array_put(&held, &keys[1], text("x"));
    entry = (struct state_entry *)state_array_find(&held, &keys[1]);
    free(entry->data);
    entry->data = huge;
    entry->size = SY_STATE_VALUE_BYTES_MAX + 1;
    assert_int_equal(sy_overlay_get(&overlay, &value, &keys[1]), SY_ERR_CORRUPT);
}

static void change_both(struct model *model, sy_prng *prng)
{
    size_t key = sy_prng_below(prng, KEYS);
    model->touched[key] = true;
    sy_overlay_relax(&overlay);
    if (sy_prng_chance(prng, 1, 4)) {
        model->present[key] = false;
        assert_int_equal(sy_overlay_remove(&overlay, &keys[key]), SY_OK);
        return;
    }
    model->present[key] = true;
    model->size[key] = sy_prng_below(prng, VALUE_MAX + 1);
    sy_prng_fill(prng, model->value[key], model->size[key]);
    struct sy_slice value = sy_slice_of(model->value[key], model->size[key]);
    assert_int_equal(sy_overlay_put(&overlay, &keys[key], value), SY_OK);
}

static void compare_all(const struct model *model)
{
    for (size_t i = 0; i < KEYS; i++) {
        struct sy_slice value;
        sy_overlay_relax(&overlay);
        sy_status status = sy_overlay_get(&overlay, &value, &keys[i]);
        assert_int_equal(status, model->present[i] ? SY_OK : SY_ERR_NOT_FOUND);
        if (status != SY_OK) continue;
        assert_true(sy_slice_equal(value, sy_slice_of(model->value[i], model->size[i])));
    }
}

/* Transactions come and go; blocks end and are applied; the source agrees with the model. */
CASE(overlay_follows_a_model)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    static struct model model, marked;
    for (unsigned block = 0; block < 12; block++) {
        sy_overlay_clear(&overlay);
        for (unsigned tx = 0; tx < 40; tx++) {
            for (uint64_t n = sy_prng_below(&prng, 3); n > 0; n--) change_both(&model, &prng);
            sy_overlay_mark(&overlay);
            memset(model.touched, 0, sizeof model.touched);
            marked = model;
            for (uint64_t n = sy_prng_below(&prng, 30); n > 0; n--) change_both(&model, &prng);
            size_t touched = 0;
            for (size_t i = 0; i < KEYS; i++) touched += model.touched[i] ? 1 : 0;
            struct sy_hash written[KEYS];
            assert_int_equal(sy_overlay_written(&overlay, written, KEYS), touched);
            if (sy_prng_chance(&prng, 1, 3)) {
                sy_overlay_rollback(&overlay);
                model = marked;
            }
            if (tx % 8 == 0) compare_all(&model);
        }
        compare_all(&model);
        static const struct sy_overlay_entry *order[KEYS];
        size_t count = sy_overlay_sort(&overlay, order);
        for (size_t i = 0; i < count; i++) {
            if (i > 0)
                assert_true(sy_hash_compare(&order[i - 1]->key_hash, &order[i]->key_hash) < 0);
            struct sy_slice value = sy_slice_of(order[i]->data, order[i]->size);
            bool was = state_array_find(&held, &order[i]->key_hash) != NULL;
            assert_int_equal(order[i]->was_present, was);
            if (order[i]->present) state_array_put(&held, &order[i]->key_hash, value);
            if (!order[i]->present) state_array_remove(&held, &order[i]->key_hash);
        }
        sy_overlay_clear(&overlay);
        compare_all(&model);
    }
}

#define WITH_OVERLAY(name) cmocka_unit_test_setup_teardown(name, open_overlay, close_overlay)

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_OVERLAY(overlay_shows_the_source_until_written),
        WITH_OVERLAY(overlay_takes_back_to_the_mark),
        WITH_OVERLAY(overlay_tells_the_source_nothing_needless),
        WITH_OVERLAY(overlay_is_bounded),
        WITH_OVERLAY(overlay_reads_more_than_it_remembers),
        WITH_OVERLAY(overlay_passes_on_what_fails),
        WITH_OVERLAY(overlay_follows_a_model),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
