/* What validators tell each other beside consensus: one value, one encoding. */
#include "core/wire/sync.h"

#include <string.h>

#include "core/wire/limits.h"
#include "core/wire/vote.h"
#include "tests/support/test.h"

CASE(sync_pruned_stands_as_format_md_says)
{
    uint8_t bytes[16];
    struct sy_sync_message message = {SY_SYNC_PRUNED, 0x0102030405060708};
    struct sy_sync_message back;
    const uint8_t expected[] = {32, 8, 7, 6, 5, 4, 3, 2, 1};
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_sync_encode(&w, &message);
    assert_int_equal(w.used, sizeof expected);
    assert_memory_equal(bytes, expected, sizeof expected);
    assert_true(sy_sync_is(sy_writer_slice(&w)));
    assert_true(sy_sync_decode(&back, sy_writer_slice(&w)));
    assert_int_equal(back.height, message.height);
}

CASE(sync_refuses_what_is_not_canonical)
{
    uint8_t bytes[16] = {0};
    struct sy_sync_message message = {SY_SYNC_PRUNED, 5};
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_sync_encode(&w, &message);
    for (size_t size = 0; size < w.used; size++) {
        assert_false(sy_sync_decode(&message, sy_slice_of(bytes, size)));
    }
    assert_false(sy_sync_decode(&message, sy_slice_of(bytes, w.used + 1)));
    const uint64_t bad[] = {0, SY_SLOT_MAX + 1, UINT64_MAX};
    for (size_t i = 0; i < 3; i++) {
        sy_store_u64(bytes + 1, bad[i]);
        assert_false(sy_sync_decode(&message, sy_slice_of(bytes, w.used)));
    }
    sy_store_u64(bytes + 1, SY_SLOT_MAX);
    assert_true(sy_sync_decode(&message, sy_slice_of(bytes, w.used)));
    bytes[0] = 99;
    assert_false(sy_sync_decode(&message, sy_slice_of(bytes, w.used)));
}

CASE(sync_messages_are_no_consensus_messages)
{
    uint8_t bytes[16];
    struct sy_sync_message message = {SY_SYNC_PRUNED, 5};
    static struct sy_message vote;
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_sync_encode(&w, &message);
    assert_false(sy_message_decode(&vote, sy_writer_slice(&w), 4));
    bytes[0] = SY_MESSAGE_BLOCK_FETCH;
    assert_false(sy_sync_is(sy_writer_slice(&w)));
    assert_false(sy_sync_is(sy_slice_of(bytes, 0)));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(sync_pruned_stands_as_format_md_says),
        cmocka_unit_test(sync_refuses_what_is_not_canonical),
        cmocka_unit_test(sync_messages_are_no_consensus_messages),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
