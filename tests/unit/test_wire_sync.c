/* What validators tell each other beside consensus: one value, one encoding. */
#include "core/wire/sync.h"

#include <string.h>

#include "core/wire/delta.h"
#include "core/wire/limits.h"
#include "core/wire/vote.h"
#include "tests/support/epochs.h"
#include "tests/support/test.h"

CASE(sync_pruned_stands_as_format_md_says)
{
    uint8_t bytes[16];
    struct sy_sync_message message = {.type = SY_SYNC_PRUNED, .height = 0x0102030405060708};
    struct sy_sync_message back;
    const uint8_t expected[] = {32, 8, 7, 6, 5, 4, 3, 2, 1};
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_sync_encode(&w, &message);
    assert_int_equal(w.used, sizeof expected);
    assert_memory_equal(bytes, expected, sizeof expected);
    assert_true(sy_sync_is(sy_writer_slice(&w)));
    assert_true(sy_sync_decode(&back, sy_writer_slice(&w), 4));
    assert_int_equal(back.height, message.height);
}

CASE(sync_refuses_what_is_not_canonical)
{
    uint8_t bytes[16] = {0};
    struct sy_sync_message message = {.type = SY_SYNC_PRUNED, .height = 5};
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_sync_encode(&w, &message);
    for (size_t size = 0; size < w.used; size++) {
        assert_false(sy_sync_decode(&message, sy_slice_of(bytes, size), 4));
    }
    assert_false(sy_sync_decode(&message, sy_slice_of(bytes, w.used + 1), 4));
    const uint64_t bad[] = {0, SY_SLOT_MAX + 1, UINT64_MAX};
    for (size_t i = 0; i < 3; i++) {
        sy_store_u64(bytes + 1, bad[i]);
        assert_false(sy_sync_decode(&message, sy_slice_of(bytes, w.used), 4));
    }
    sy_store_u64(bytes + 1, SY_SLOT_MAX);
    assert_true(sy_sync_decode(&message, sy_slice_of(bytes, w.used), 4));
    bytes[0] = 99;
    assert_false(sy_sync_decode(&message, sy_slice_of(bytes, w.used), 4));
}

/* A SNAPSHOT of a state of one entry, sealed by nobody in particular. */
static struct sy_slice make_snapshot(uint8_t *out, size_t room)
{
    static struct sy_sync_message message;
    uint8_t entries[64];
    struct sy_delta entry = {.key = {{7}}, .op = SY_DELTA_PUT, .value = sy_slice_of("value", 5)};
    struct sy_writer packed = sy_writer_of(entries, sizeof entries);
    struct sy_writer w = sy_writer_of(out, room);
    sy_delta_write(&packed, &entry);
    memset(&message, 0, sizeof message);
    message.type = SY_SYNC_SNAPSHOT;
    message.header.protocol = SY_PROTOCOL_VERSION;
    message.header.height = SY_SNAPSHOT_BLOCKS;
    message.certificate.count = 3; // quorum of 4
    for (uint16_t i = 0; i < 3; i++) message.certificate.seals[i].signer = i;
    message.chunk.entries = sy_writer_slice(&packed);
    sy_sync_encode(&w, &message);
    assert_false(w.failed);
    return sy_writer_slice(&w);
}

CASE(sync_questions_and_answers_come_back)
{
    static struct sy_sync_message back;
    uint8_t bytes[1024];
    uint8_t again[1024];
    struct sy_sync_message fetch = {
        .type = SY_SYNC_SNAPSHOT_FETCH, .height = 2048, .key = {{1, 2, 3}}};
    struct sy_sync_message none = {.type = SY_SYNC_SNAPSHOT_NONE};
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_sync_encode(&w, &fetch);
    assert_int_equal(w.used, 1 + 8 + 32);
    assert_true(sy_sync_decode(&back, sy_writer_slice(&w), 4));
    assert_int_equal(back.height, 2048);
    assert_memory_equal(back.key.bytes, fetch.key.bytes, 32);
    w = sy_writer_of(bytes, sizeof bytes);
    sy_sync_encode(&w, &none);
    assert_int_equal(w.used, 9);
    assert_true(sy_sync_decode(&back, sy_writer_slice(&w), 4));
    struct sy_slice snapshot = make_snapshot(bytes, sizeof bytes);
    assert_true(sy_sync_decode(&back, snapshot, 4));
    assert_int_equal(back.header.height, SY_SNAPSHOT_BLOCKS);
    w = sy_writer_of(again, sizeof again);
    sy_sync_encode(&w, &back);
    assert_true(sy_slice_equal(sy_writer_slice(&w), snapshot));
    assert_false(sy_sync_decode(&back, snapshot, 7)); // another quorum
    for (size_t size = 0; size < snapshot.size; size++) {
        assert_false(sy_sync_decode(&back, sy_slice_of(bytes, size), 4));
    }
}

CASE(sync_handovers_come_back)
{
    static struct test_epochs epochs;
    static uint8_t bytes[SY_FRAME_BYTES_MAX], again[SY_FRAME_BYTES_MAX];
    static struct sy_sync_message back;
    struct sy_sync_message message = {.type = SY_SYNC_HANDOVER_FETCH, .epoch = 0x01020304};
    const uint8_t expected[] = {36, 4, 3, 2, 1};
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_sync_encode(&w, &message);
    assert_true(w.used == sizeof expected && memcmp(bytes, expected, sizeof expected) == 0);
    assert_true(sy_sync_decode(&back, sy_writer_slice(&w), 4));
    assert_int_equal(back.epoch, message.epoch);

    test_epochs_make(&epochs, NULL);
    message = (struct sy_sync_message){
        .type = SY_SYNC_HANDOVERS, .count = 3, .handovers = test_epochs_path(&epochs, 0, 3)};
    w = sy_writer_of(bytes, sizeof bytes);
    sy_sync_encode(&w, &message);
    assert_true(w.used == 7 + message.handovers.size && bytes[0] == 37 && bytes[5] == 3);
    assert_true(sy_sync_decode(&back, sy_writer_slice(&w), 4)); // of rosters of 4 and of 5
    assert_int_equal(back.count, 3);
    assert_true(sy_slice_equal(back.handovers, message.handovers));
    struct sy_writer v = sy_writer_of(again, sizeof again);
    sy_sync_encode(&v, &back);
    assert_true(sy_slice_equal(sy_writer_slice(&v), sy_writer_slice(&w)));
    for (size_t size = 0; size < w.used; size++) {
        assert_false(sy_sync_decode(&back, sy_slice_of(bytes, size), 4));
    }
    const uint16_t counts[] = {0, 2, 4, SY_HANDOVERS_MAX, UINT16_MAX};
    for (size_t i = 0; i < 5; i++) {
        sy_store_u16(bytes + 5, counts[i]);
        assert_false(sy_sync_decode(&back, sy_writer_slice(&w), 4));
    }
}

/* As many as an answer may hold, and one more. */
CASE(sync_handovers_are_bounded)
{
    static struct test_epochs epochs;
    static uint8_t bytes[SY_FRAME_BYTES_MAX];
    static struct sy_sync_message back;
    test_epochs_make(&epochs, NULL);
    struct sy_slice one = test_epochs_path(&epochs, 0, 1);
    for (unsigned more = 0; more < 2; more++) {
        struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
        sy_write_u8(&w, SY_SYNC_HANDOVERS);
        sy_write_u32(&w, 0);
        sy_write_u16(&w, (uint16_t)(SY_HANDOVERS_MAX + more));
        for (unsigned i = 0; i < SY_HANDOVERS_MAX + more; i++) {
            sy_write_raw(&w, one.data, one.size);
        }
        assert_int_equal(sy_sync_decode(&back, sy_writer_slice(&w), 4), more == 0);
    }
}

CASE(sync_messages_are_no_consensus_messages)
{
    uint8_t bytes[16];
    struct sy_sync_message message = {.type = SY_SYNC_PRUNED, .height = 5};
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
        cmocka_unit_test(sync_questions_and_answers_come_back),
        cmocka_unit_test(sync_handovers_come_back),
        cmocka_unit_test(sync_handovers_are_bounded),
        cmocka_unit_test(sync_messages_are_no_consensus_messages),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
