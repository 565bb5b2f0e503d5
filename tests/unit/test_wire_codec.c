/* test_wire_codec.c: the canonical encoding's smallest parts. */
#include "tests/support/test.h"

#include <string.h>

#include "core/base/prng.h"
#include "core/wire/codec.h"

static void assert_bytes(const struct sy_writer *w, const char *hex)
{
    char text[256];
    assert_true(w->used * 2 < sizeof text);
    sy_hex_encode(text, w->data, w->used);
    assert_string_equal(text, hex);
}

CASE(integers_are_little_endian_and_fixed)
{
    uint8_t room[64];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_write_u8(&w, 0xAB);
    sy_write_u16(&w, 0x0102);
    sy_write_u32(&w, 0x03040506);
    sy_write_u64(&w, 0x0708090A0B0C0D0Eull);
    assert_bytes(&w, "ab0201060504030e0d0c0b0a090807");
    assert_false(w.failed);
}

CASE(negative_numbers_are_twos_complement)
{
    uint8_t room[16];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_write_i64(&w, -2);
    assert_bytes(&w, "feffffffffffffff");
    struct sy_reader r = sy_reader_of(sy_writer_slice(&w));
    assert_int_equal(sy_read_i64(&r, "number"), -2);
    assert_true(sy_reader_done(&r));
}

CASE(lengths_stand_in_front_of_bytes)
{
    uint8_t room[32];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_write_bytes16(&w, sy_slice_of("abc", 3));
    sy_write_bytes32(&w, sy_slice_of("de", 2));
    sy_write_bytes16(&w, sy_slice_of(NULL, 0));
    assert_bytes(&w, "0300616263"
                     "020000006465"
                     "0000");
}

CASE(writer_fails_once_and_stays_failed)
{
    uint8_t room[5] = {0};
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_write_u32(&w, 1);
    sy_write_u16(&w, 2); // one byte is left
    assert_true(w.failed);
    sy_write_u8(&w, 3); // would fit, and must not be written behind a hole
    assert_true(w.failed);
    assert_int_equal(w.used, 4);
    assert_int_equal(room[4], 0);
}

CASE(writer_fills_its_room_to_the_last_byte)
{
    uint8_t room[8];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_write_u64(&w, 1);
    assert_false(w.failed);
    sy_write_raw(&w, "", 0);
    assert_false(w.failed);
    sy_write_u8(&w, 1);
    assert_true(w.failed);
}

CASE(writer_without_room_takes_nothing)
{
    struct sy_writer w = sy_writer_of(NULL, 0);
    sy_write_raw(&w, NULL, 0);
    assert_false(w.failed);
    sy_write_u8(&w, 1);
    assert_true(w.failed);
    assert_int_equal(sy_writer_slice(&w).size, 0);
}

CASE(bytes16_refuses_what_its_length_cannot_say)
{
    static uint8_t long_bytes[UINT16_MAX + 1];
    static uint8_t room[UINT16_MAX + 64];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_write_bytes16(&w, sy_slice_of(long_bytes, UINT16_MAX));
    assert_false(w.failed);
    w = sy_writer_of(room, sizeof room);
    sy_write_bytes16(&w, sy_slice_of(long_bytes, UINT16_MAX + 1));
    assert_true(w.failed);
}

CASE(reader_names_the_first_field_that_failed)
{
    const uint8_t bytes[] = {1, 2, 3};
    struct sy_reader r = sy_reader_of(sy_slice_of(bytes, sizeof bytes));
    assert_int_equal(sy_read_u16(&r, "first"), 0x0201);
    assert_int_equal(sy_read_u32(&r, "second"), 0);
    assert_int_equal(sy_read_u8(&r, "third"), 0); // a byte is left, and belongs to no field
    assert_true(r.failed);
    assert_string_equal(r.what, "second");
    assert_int_equal(sy_reader_left(&r), 0);
    assert_false(sy_reader_done(&r));
}

CASE(reader_gives_zeros_after_a_failure)
{
    struct sy_reader r = sy_reader_of(sy_slice_of(NULL, 0));
    struct sy_hash hash;
    struct sy_public_key key;
    struct sy_signature signature;
    memset(&hash, 0xFF, sizeof hash);
    memset(&key, 0xFF, sizeof key);
    memset(&signature, 0xFF, sizeof signature);
    sy_read_hash(&r, &hash, "hash");
    sy_read_public_key(&r, &key, "key");
    sy_read_signature(&r, &signature, "signature");
    assert_true(sy_hash_is_zero(&hash));
    for (size_t i = 0; i < sizeof key.bytes; i++) assert_int_equal(key.bytes[i], 0);
    for (size_t i = 0; i < sizeof signature.bytes; i++) assert_int_equal(signature.bytes[i], 0);
    assert_int_equal(sy_read_raw(&r, 4, "raw").size, 0);
    assert_int_equal(sy_read_bytes16(&r, 4, "text").size, 0);
    assert_string_equal(r.what, "hash");
}

CASE(reader_refuses_trailing_bytes)
{
    const uint8_t bytes[] = {7, 0};
    struct sy_reader r = sy_reader_of(sy_slice_of(bytes, sizeof bytes));
    assert_int_equal(sy_read_u8(&r, "byte"), 7);
    assert_int_equal(sy_reader_left(&r), 1);
    assert_false(sy_reader_done(&r));
    assert_string_equal(r.what, "trailing bytes");
}

CASE(truth_has_two_encodings_only)
{
    for (unsigned v = 0; v < 256; v++) {
        uint8_t byte = (uint8_t)v;
        struct sy_reader r = sy_reader_of(sy_slice_of(&byte, 1));
        bool truth = sy_read_bool(&r, "truth");
        assert_int_equal(sy_reader_done(&r), v <= 1);
        assert_int_equal(truth, v == 1);
    }
}

CASE(counted_bytes_respect_their_limit)
{
    const uint8_t bytes[] = {3, 0, 'a', 'b', 'c'};
    struct sy_reader r = sy_reader_of(sy_slice_of(bytes, sizeof bytes));
    struct sy_slice text = sy_read_bytes16(&r, 3, "text");
    assert_int_equal(text.size, 3);
    assert_memory_equal(text.data, "abc", 3);
    assert_true(sy_reader_done(&r));

    r = sy_reader_of(sy_slice_of(bytes, sizeof bytes));
    text = sy_read_bytes16(&r, 2, "text");
    assert_int_equal(text.size, 0);
    assert_string_equal(r.what, "text");

    r = sy_reader_of(sy_slice_of(bytes, 4)); // the length promises more than there is
    (void)sy_read_bytes16(&r, 3, "text");
    assert_true(r.failed);
}

CASE(bytes32_length_near_the_top_does_not_wrap)
{
    const uint8_t bytes[] = {0xFF, 0xFF, 0xFF, 0xFF, 1, 2};
    struct sy_reader r = sy_reader_of(sy_slice_of(bytes, sizeof bytes));
    (void)sy_read_bytes32(&r, SIZE_MAX, "bytes");
    assert_true(r.failed);
}

CASE(counts_promise_no_more_than_they_bring)
{
    uint8_t bytes[4 + 64] = {2};
    struct sy_reader r = sy_reader_of(sy_slice_of(bytes, sizeof bytes));
    assert_int_equal(sy_read_count(&r, 10, 32, "items"), 2);
    assert_false(r.failed);

    r = sy_reader_of(sy_slice_of(bytes, sizeof bytes - 1));
    assert_int_equal(sy_read_count(&r, 10, 32, "items"), 0);
    assert_true(r.failed);

    r = sy_reader_of(sy_slice_of(bytes, sizeof bytes));
    assert_int_equal(sy_read_count(&r, 1, 32, "items"), 0);
    assert_true(r.failed);

    memset(bytes, 0xFF, 4);
    r = sy_reader_of(sy_slice_of(bytes, sizeof bytes));
    assert_int_equal(sy_read_count(&r, UINT32_MAX, 32, "items"), 0);
    assert_true(r.failed);

    r = sy_reader_of(sy_slice_of(bytes, sizeof bytes));
    assert_int_equal(sy_read_count16(&r, UINT16_MAX, 0, "items"), UINT16_MAX);
    assert_false(r.failed);
}

CASE(failures_can_be_set_and_the_first_wins)
{
    const uint8_t byte = 0;
    struct sy_reader r = sy_reader_of(sy_slice_of(&byte, 1));
    sy_reader_fail(&r, "rule");
    sy_reader_fail(&r, "other rule");
    assert_string_equal(r.what, "rule");
    assert_int_equal(sy_read_u8(&r, "byte"), 0);
    assert_string_equal(r.what, "rule");
}

// A random sequence of writes reads back as what was written, and any cut of it fails.
CASE(random_sequences_read_back)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    for (int round = 0; round < 300; round++) {
        uint8_t room[4096];
        uint8_t kinds[40];
        uint64_t values[40];
        struct sy_writer w = sy_writer_of(room, sizeof room);
        unsigned count = 1 + (unsigned)sy_prng_below(&prng, 40);
        for (unsigned i = 0; i < count; i++) {
            kinds[i] = (uint8_t)sy_prng_below(&prng, 4);
            values[i] = sy_prng_next(&prng);
            if (kinds[i] == 0) sy_write_u8(&w, (uint8_t)values[i]);
            if (kinds[i] == 1) sy_write_u16(&w, (uint16_t)values[i]);
            if (kinds[i] == 2) sy_write_u32(&w, (uint32_t)values[i]);
            if (kinds[i] == 3) sy_write_u64(&w, values[i]);
        }
        for (size_t cut = 0; cut < 2; cut++) {
            struct sy_reader r = sy_reader_of(sy_slice_of(room, w.used - cut));
            for (unsigned i = 0; i < count; i++) {
                uint64_t read = kinds[i] == 0   ? sy_read_u8(&r, "v")
                                : kinds[i] == 1 ? sy_read_u16(&r, "v")
                                : kinds[i] == 2 ? sy_read_u32(&r, "v")
                                                : sy_read_u64(&r, "v");
                uint64_t mask = kinds[i] == 3 ? UINT64_MAX : (1ull << (8u << kinds[i])) - 1;
                if (cut == 0) assert_int_equal(read, values[i] & mask);
            }
            assert_int_equal(sy_reader_done(&r), cut == 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(integers_are_little_endian_and_fixed),
        cmocka_unit_test(negative_numbers_are_twos_complement),
        cmocka_unit_test(lengths_stand_in_front_of_bytes),
        cmocka_unit_test(writer_fails_once_and_stays_failed),
        cmocka_unit_test(writer_fills_its_room_to_the_last_byte),
        cmocka_unit_test(writer_without_room_takes_nothing),
        cmocka_unit_test(bytes16_refuses_what_its_length_cannot_say),
        cmocka_unit_test(reader_names_the_first_field_that_failed),
        cmocka_unit_test(reader_gives_zeros_after_a_failure),
        cmocka_unit_test(reader_refuses_trailing_bytes),
        cmocka_unit_test(truth_has_two_encodings_only),
        cmocka_unit_test(counted_bytes_respect_their_limit),
        cmocka_unit_test(bytes32_length_near_the_top_does_not_wrap),
        cmocka_unit_test(counts_promise_no_more_than_they_bring),
        cmocka_unit_test(failures_can_be_set_and_the_first_wins),
        cmocka_unit_test(random_sequences_read_back),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
