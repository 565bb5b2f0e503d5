#include "core/base/table.h"

#include "core/base/prng.h"
#include "tests/support/test.h"

#define KEYS 300
#define CAPACITY 200

static const uint64_t fixed_seed[2] = {1, 2};

/* The model: an array of what should be in the table. */
struct model {
    struct sy_hash keys[KEYS];
    uint64_t values[KEYS];
    bool present[KEYS];
    size_t count;
};

static void open_table(sy_table *table, sy_arena *arena, size_t capacity, size_t value_bytes)
{
    assert_int_equal(sy_arena_open(arena, 1 << 20), SY_OK);
    assert_int_equal(sy_table_init(table, arena, capacity, value_bytes, fixed_seed), SY_OK);
}

static struct sy_hash number_key(uint64_t number)
{
    struct sy_hash key = {{0}};
    sy_store_u64(key.bytes, number);
    return key;
}

static void put_number(sy_table *table, uint64_t number)
{
    struct sy_hash key = number_key(number);
    uint64_t *value = (uint64_t *)sy_table_put(table, &key, NULL);
    assert_non_null(value);
    *value = number;
}

static void compare_all(const sy_table *table, const struct model *model)
{
    assert_int_equal(table->count, model->count);
    for (size_t i = 0; i < KEYS; i++) {
        const uint64_t *value = (const uint64_t *)sy_table_find(table, &model->keys[i]);
        assert_true((value != NULL) == model->present[i]);
        if (value) assert_true(*value == model->values[i]);
    }
    size_t cursor = 0;
    size_t seen = 0;
    const struct sy_hash *key;
    void *value;
    while (sy_table_next(table, &cursor, &key, &value)) {
        assert_ptr_equal(sy_table_find(table, key), value);
        seen++;
    }
    assert_int_equal(seen, model->count);
}

static void change_one(sy_table *table, struct model *model, sy_prng *prng)
{
    size_t i = sy_prng_below(prng, KEYS);
    if (sy_prng_chance(prng, 2, 5)) {
        assert_true(sy_table_remove(table, &model->keys[i]) == model->present[i]);
        model->count -= model->present[i] ? 1 : 0;
        model->present[i] = false;
        return;
    }
    bool is_new = false;
    uint64_t *value = (uint64_t *)sy_table_put(table, &model->keys[i], &is_new);
    assert_true(is_new == !model->present[i]);
    if (!value) {
        assert_true(is_new && model->count == CAPACITY);
        return;
    }
    assert_int_equal((uintptr_t)value % 8, 0);
    assert_true(*value == (is_new ? 0 : model->values[i]));
    *value = sy_prng_next(prng);
    model->values[i] = *value;
    model->count += is_new ? 1 : 0;
    model->present[i] = true;
}

CASE(table_agrees_with_a_model_under_random_changes)
{
    static struct model model;
    sy_prng prng;
    sy_arena arena;
    sy_table table;
    sy_prng_seed(&prng, test_seed());
    open_table(&table, &arena, CAPACITY, sizeof(uint64_t));
    memset(&model, 0, sizeof model);
    for (size_t i = 0; i < KEYS; i++) {
        sy_prng_fill(&prng, model.keys[i].bytes, sizeof model.keys[i].bytes);
    }
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 50; i++) change_one(&table, &model, &prng);
        compare_all(&table, &model);
    }
    sy_arena_close(&arena);
}

CASE(table_refuses_a_new_key_when_full_and_still_finds_the_old)
{
    sy_arena arena;
    sy_table table;
    open_table(&table, &arena, 10, sizeof(uint64_t));
    for (uint64_t i = 0; i < 10; i++) put_number(&table, i);
    struct sy_hash eleventh = number_key(10);
    bool is_new = false;
    assert_null(sy_table_put(&table, &eleventh, &is_new));
    assert_true(is_new);
    assert_null(sy_table_find(&table, &eleventh));
    for (uint64_t i = 0; i < 10; i++) put_number(&table, i);
    struct sy_hash first = number_key(0);
    assert_true(sy_table_remove(&table, &first));
    put_number(&table, 10);
    assert_int_equal(table.count, 10);
    sy_arena_close(&arena);
}

CASE(table_forgets_everything_on_clear)
{
    sy_arena arena;
    sy_table table;
    open_table(&table, &arena, 100, sizeof(uint64_t));
    for (uint64_t i = 0; i < 100; i++) put_number(&table, i);
    sy_table_clear(&table);
    size_t cursor = 0;
    assert_int_equal(table.count, 0);
    assert_false(sy_table_next(&table, &cursor, NULL, NULL));
    for (uint64_t i = 0; i < 100; i++) {
        struct sy_hash key = number_key(i);
        assert_null(sy_table_find(&table, &key));
    }
    for (uint64_t i = 0; i < 100; i++) put_number(&table, i);
    sy_arena_close(&arena);
}

CASE(table_serves_as_a_set_without_values)
{
    sy_arena arena;
    sy_table table;
    open_table(&table, &arena, 3, 0);
    struct sy_hash key = number_key(9);
    bool is_new = false;
    assert_non_null(sy_table_put(&table, &key, &is_new));
    assert_true(is_new);
    assert_non_null(sy_table_put(&table, &key, &is_new));
    assert_false(is_new);
    assert_non_null(sy_table_find(&table, &key));
    sy_arena_close(&arena);
}

CASE(table_with_a_fixed_seed_repeats_its_order)
{
    sy_arena arenas[2];
    sy_table tables[2];
    for (size_t t = 0; t < 2; t++) {
        open_table(&tables[t], &arenas[t], 50, sizeof(uint64_t));
        for (uint64_t i = 0; i < 50; i++) put_number(&tables[t], i);
    }
    size_t cursors[2] = {0, 0};
    const struct sy_hash *keys[2];
    while (sy_table_next(&tables[0], &cursors[0], &keys[0], NULL)) {
        assert_true(sy_table_next(&tables[1], &cursors[1], &keys[1], NULL));
        assert_true(sy_hash_equal(keys[0], keys[1]));
    }
    assert_false(sy_table_next(&tables[1], &cursors[1], &keys[1], NULL));
    for (size_t t = 0; t < 2; t++) sy_arena_close(&arenas[t]);
}

CASE(table_init_says_when_it_cannot_fit)
{
    sy_arena arena;
    sy_table table;
    assert_int_equal(sy_arena_open(&arena, 4096), SY_OK);
    assert_int_equal(sy_table_init(&table, &arena, 1000, 8, fixed_seed), SY_ERR_NO_MEMORY);
    assert_int_equal(sy_table_init(&table, &arena, 0, 8, fixed_seed), SY_ERR_ARGUMENT);
    assert_int_equal(sy_table_init(&table, &arena, SIZE_MAX, 8, fixed_seed), SY_ERR_ARGUMENT);
    sy_arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(table_agrees_with_a_model_under_random_changes),
        cmocka_unit_test(table_refuses_a_new_key_when_full_and_still_finds_the_old),
        cmocka_unit_test(table_forgets_everything_on_clear),
        cmocka_unit_test(table_serves_as_a_set_without_values),
        cmocka_unit_test(table_with_a_fixed_seed_repeats_its_order),
        cmocka_unit_test(table_init_says_when_it_cannot_fit),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
