#include "core/wire/delta.h"

#include <string.h>

#include "core/base/prng.h"
#include "tests/support/test.h"

static uint8_t memory[200000];

static struct sy_hash key_of(uint8_t first)
{
    struct sy_hash key = {{first}};
    return key;
}

static void write_put(struct sy_writer *w, uint8_t first, const void *value, size_t size)
{
    struct sy_delta delta = {key_of(first), SY_DELTA_PUT, sy_slice_of(value, size)};
    sy_delta_write(w, &delta);
}

static void write_remove(struct sy_writer *w, uint8_t first)
{
    struct sy_delta delta = {key_of(first), SY_DELTA_REMOVE, sy_slice_of(NULL, 0)};
    sy_delta_write(w, &delta);
}

static struct sy_slice three_items(void)
{
    struct sy_writer w = sy_writer_of(memory, sizeof memory);
    write_put(&w, 1, "one", 3);
    write_remove(&w, 2);
    write_put(&w, 3, "", 0);
    assert_false(w.failed);
    return sy_writer_slice(&w);
}

// Reads to the end; true if nothing failed.
static bool is_well_formed(struct sy_slice deltas, const char **what)
{
    struct sy_delta_reader reader = sy_delta_reader_of(deltas);
    struct sy_delta delta;
    while (sy_delta_next(&reader, &delta)) continue;
    if (what) *what = reader.in.what;
    bool checked = sy_deltas_check(deltas, NULL, NULL);
    assert_int_equal(checked, !reader.in.failed);
    return checked;
}

CASE(deltas_come_back_as_written)
{
    struct sy_slice packed = three_items();
    struct sy_delta_reader reader = sy_delta_reader_of(packed);
    struct sy_delta delta;
    assert_int_equal(packed.size, 3 * SY_DELTA_ITEM_BYTES + 3);
    assert_true(sy_delta_next(&reader, &delta));
    assert_int_equal(delta.key.bytes[0], 1);
    assert_int_equal(delta.op, SY_DELTA_PUT);
    assert_true(sy_slice_equal(delta.value, sy_slice_of("one", 3)));
    assert_true(sy_delta_next(&reader, &delta));
    assert_int_equal(delta.op, SY_DELTA_REMOVE);
    assert_true(sy_delta_next(&reader, &delta));
    assert_int_equal(delta.op, SY_DELTA_PUT);
    assert_int_equal(delta.value.size, 0);
    assert_false(sy_delta_next(&reader, &delta));
    assert_false(reader.in.failed);
}

CASE(deltas_layout_is_as_documented)
{
    struct sy_slice packed = three_items();
    assert_int_equal(packed.data[0], 1);
    assert_int_equal(packed.data[32], SY_DELTA_PUT);
    assert_int_equal(sy_load_u32(packed.data + 33), 3);
    assert_memory_equal(packed.data + 37, "one", 3);
    assert_int_equal(packed.data[40], 2);
    assert_int_equal(packed.data[72], SY_DELTA_REMOVE);
    assert_int_equal(sy_load_u32(packed.data + 73), 0);
}

CASE(deltas_of_a_block_without_changes_are_empty)
{
    size_t count = 9;
    size_t bytes = 9;
    assert_true(sy_deltas_check(sy_slice_of(NULL, 0), &count, &bytes));
    assert_int_equal(count, 0);
    assert_int_equal(bytes, 0);
    assert_true(sy_deltas_check(three_items(), &count, &bytes));
    assert_int_equal(count, 3);
    assert_int_equal(bytes, 3);
}

CASE(deltas_refuse_every_truncation)
{
    struct sy_slice packed = three_items();
    for (size_t size = 1; size < packed.size; size++) {
        bool at_item = size == SY_DELTA_ITEM_BYTES + 3 || size == 2 * SY_DELTA_ITEM_BYTES + 3;
        assert_int_equal(is_well_formed(sy_slice_of(packed.data, size), NULL), at_item);
    }
}

CASE(deltas_refuse_keys_out_of_order_and_twice)
{
    static const uint8_t pairs[][2] = {{2, 1}, {2, 2}};
    for (unsigned i = 0; i < 2; i++) {
        const char *what = NULL;
        struct sy_writer w = sy_writer_of(memory, sizeof memory);
        write_put(&w, pairs[i][0], "a", 1);
        write_put(&w, pairs[i][1], "b", 1);
        assert_false(is_well_formed(sy_writer_slice(&w), &what));
        assert_string_equal(what, "delta key order");
    }
}

CASE(deltas_refuse_unknown_ops_and_removals_with_a_value)
{
    for (unsigned op = 0; op < 256; op++) {
        struct sy_slice packed = three_items();
        memory[32] = (uint8_t)op;
        assert_int_equal(is_well_formed(packed, NULL), op == SY_DELTA_PUT);
    }
}

CASE(deltas_refuse_values_over_the_limit)
{
    static uint8_t value[SY_STATE_VALUE_BYTES_MAX + 1];
    struct sy_writer w = sy_writer_of(memory, sizeof memory);
    write_put(&w, 1, value, SY_STATE_VALUE_BYTES_MAX);
    assert_false(w.failed);
    struct sy_slice packed = sy_writer_slice(&w);
    assert_true(is_well_formed(packed, NULL));
    sy_store_u32(memory + 33, SY_STATE_VALUE_BYTES_MAX + 1);
    assert_false(is_well_formed(sy_slice_of(memory, packed.size + 1), NULL));
    sy_store_u32(memory + 33, UINT32_MAX);
    assert_false(is_well_formed(packed, NULL));
    write_put(&w, 2, value, SY_STATE_VALUE_BYTES_MAX + 1);
    assert_true(w.failed);
}

CASE(deltas_writer_fails_without_room)
{
    for (size_t room = 0; room < SY_DELTA_ITEM_BYTES + 3; room++) {
        struct sy_writer w = sy_writer_of(memory, room);
        write_put(&w, 1, "one", 3);
        assert_true(w.failed);
    }
    struct sy_delta removal = {key_of(1), SY_DELTA_REMOVE, sy_slice_of("x", 1)};
    struct sy_writer w = sy_writer_of(memory, sizeof memory);
    sy_delta_write(&w, &removal);
    assert_true(w.failed);
}

CASE(deltas_that_are_accepted_are_written_back_to_the_same_bytes)
{
    static uint8_t again[sizeof memory];
    sy_prng prng;
    unsigned accepted = 0;
    sy_prng_seed(&prng, test_seed());
    for (unsigned round = 0; round < 20000; round++) {
        struct sy_slice packed = three_items();
        size_t where = (size_t)sy_prng_below(&prng, packed.size);
        memory[where] = (uint8_t)sy_prng_next(&prng);
        struct sy_delta_reader reader = sy_delta_reader_of(packed);
        struct sy_writer w = sy_writer_of(again, sizeof again);
        struct sy_delta delta;
        while (sy_delta_next(&reader, &delta)) sy_delta_write(&w, &delta);
        if (reader.in.failed) continue;
        assert_true(sy_slice_equal(sy_writer_slice(&w), packed));
        accepted++;
    }
    assert_true(accepted > 100);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(deltas_come_back_as_written),
        cmocka_unit_test(deltas_layout_is_as_documented),
        cmocka_unit_test(deltas_of_a_block_without_changes_are_empty),
        cmocka_unit_test(deltas_refuse_every_truncation),
        cmocka_unit_test(deltas_refuse_keys_out_of_order_and_twice),
        cmocka_unit_test(deltas_refuse_unknown_ops_and_removals_with_a_value),
        cmocka_unit_test(deltas_refuse_values_over_the_limit),
        cmocka_unit_test(deltas_writer_fails_without_room),
        cmocka_unit_test(deltas_that_are_accepted_are_written_back_to_the_same_bytes),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
