/* test_envelope.c: .syenvelope files: they open for whom they were sealed, and for no change. */
#include "core/wire/envelope.h"

#include <stdlib.h>

#include "core/base/os.h"
#include "tests/support/test.h"

#define RECIPIENTS 3u

static const uint8_t network[16] = {1, 2, 3};
static sy_x25519_key *keys[RECIPIENTS + 1]; // the last one is a stranger's
static struct sy_public_key halves[RECIPIENTS + 1];

struct file {
    uint8_t *bytes, *clear, *room;
    size_t size, clear_size;
    struct sy_envelope envelope;
    struct sy_envelope_key content;
};

static int open_keys(void **state)
{
    (void)state;
    for (unsigned i = 0; i <= RECIPIENTS; i++) {
        const uint8_t secret[32] = {[0] = 8, [1] = (uint8_t)(i + 1), [31] = 64};
        if (sy_x25519_key_from_bytes(&keys[i], secret) != SY_OK) return 1;
        sy_x25519_key_public(keys[i], &halves[i]);
    }
    return 0;
}

static int close_keys(void **state)
{
    (void)state;
    for (unsigned i = 0; i <= RECIPIENTS; i++) sy_x25519_key_close(keys[i]);
    return 0;
}

// Seals a body of `size` bytes that mean nothing.
static void seal(struct file *file, size_t size)
{
    unsigned bad = 99;
    file->clear_size = size;
    file->size = sy_envelope_bytes(size, RECIPIENTS);
    file->bytes = malloc(file->size);
    file->clear = malloc(size);
    file->room = malloc(size);
    assert_true(file->bytes != NULL && file->clear != NULL && file->room != NULL);
    for (size_t i = 0; i < size; i++) file->clear[i] = (uint8_t)(i * 7 + i / 251);
    struct sy_writer w = sy_writer_of(file->bytes, file->size);
    assert_true(
        sy_envelope_seal(&w, &bad, network, halves, RECIPIENTS, sy_slice_of(file->clear, size)));
    assert_false(w.failed);
    assert_int_equal(w.used, file->size);
    assert_true(sy_envelope_is(sy_slice_of(file->bytes, file->size)));
    assert_true(sy_envelope_decode(&file->envelope, sy_slice_of(file->bytes, file->size), NULL));
    assert_memory_equal(file->envelope.network, network, sizeof network);
    assert_int_equal(file->envelope.body_bytes, size);
}

static void drop(struct file *file)
{
    free(file->bytes);
    free(file->clear);
    free(file->room);
}

// Does the file, as it is now, open with a key to the body that was sealed?
static bool opens(struct file *file, size_t size, const sy_x25519_key *key)
{
    struct sy_envelope_key content;
    unsigned wrap;
    if (!sy_envelope_decode(&file->envelope, sy_slice_of(file->bytes, size), NULL)) return false;
    if (!sy_envelope_unwrap(&content, &wrap, &file->envelope, key)) return false;
    if (file->envelope.body_bytes > file->clear_size) return false; // no room: never the same
    if (!sy_envelope_open(file->room, &file->envelope, &content)) return false;
    assert_memory_equal(file->room, file->clear, file->clear_size);
    return true;
}

CASE(an_envelope_opens_for_those_it_was_sealed_to)
{
    static const size_t sizes[] = {SY_ENVELOPE_BODY_MIN, 65535, 65536, 65537, 131072, 200000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct file file;
        seal(&file, sizes[i]);
        for (unsigned k = 0; k < RECIPIENTS; k++) {
            unsigned wrap = 99;
            assert_true(sy_envelope_unwrap(&file.content, &wrap, &file.envelope, keys[k]));
            assert_int_equal(wrap, k);
            assert_true(opens(&file, file.size, keys[k]));
        }
        assert_false(opens(&file, file.size, keys[RECIPIENTS]));
        drop(&file);
    }
}

CASE(two_envelopes_of_one_body_have_nothing_in_common)
{
    struct file one, other;
    seal(&one, 4096);
    seal(&other, 4096);
    assert_memory_not_equal(one.envelope.id.bytes, other.envelope.id.bytes, 32);
    assert_memory_not_equal(one.envelope.wraps.data, other.envelope.wraps.data, 80);
    assert_memory_not_equal(one.envelope.sealed.data, other.envelope.sealed.data, 32);
    drop(&one);
    drop(&other);
}

CASE(every_changed_byte_is_refused)
{
    struct file file;
    seal(&file, 300);
    for (size_t i = 0; i < file.size; i++) {
        // A changed wrap of somebody else does not concern key 0.
        bool other = i >= 66 + SY_ENVELOPE_WRAP_BYTES && i < 66 + 3 * SY_ENVELOPE_WRAP_BYTES;
        file.bytes[i] ^= 0x20;
        assert_int_equal(opens(&file, file.size, keys[0]), other);
        file.bytes[i] ^= 0x20;
    }
    assert_true(opens(&file, file.size, keys[0]));
    drop(&file);
}

CASE(every_shorter_file_is_refused)
{
    struct file file;
    seal(&file, 70000);
    for (size_t size = 0; size < file.size; size += size < 400 ? 1 : 997) {
        assert_false(opens(&file, size, keys[0]));
    }
    drop(&file);
}

// Sizes are in the head, which every chunk is bound to: so is the end.
CASE(chunks_that_are_cut_off_or_exchanged_do_not_open)
{
    struct file file, other;
    const size_t step = SY_ENVELOPE_CHUNK_BYTES + SY_HPKE_TAG_BYTES;
    const size_t start = SY_ENVELOPE_HEAD_BYTES + 2 + RECIPIENTS * SY_ENVELOPE_WRAP_BYTES;
    uint8_t *kept = malloc(step);
    assert_non_null(kept);
    seal(&file, 3 * SY_ENVELOPE_CHUNK_BYTES);
    seal(&other, 3 * SY_ENVELOPE_CHUNK_BYTES);

    memcpy(kept, file.bytes + start, step);
    memcpy(file.bytes + start, file.bytes + start + step, step);
    memcpy(file.bytes + start + step, kept, step);
    assert_false(opens(&file, file.size, keys[0])); // the first two exchanged
    memcpy(file.bytes + start + step, file.bytes + start, step);
    memcpy(file.bytes + start, kept, step);
    assert_true(opens(&file, file.size, keys[0]));

    memcpy(file.bytes + start, other.bytes + start, step);
    assert_false(opens(&file, file.size, keys[0])); // one of another envelope
    memcpy(file.bytes + start, kept, step);

    sy_store_u64(file.bytes + 56, 2 * SY_ENVELOPE_CHUNK_BYTES);
    assert_false(
        opens(&file, file.size - step, keys[0])); // the last one cut off, and the size mended
    sy_store_u64(file.bytes + 56, 3 * SY_ENVELOPE_CHUNK_BYTES);
    memcpy(file.bytes + 66, other.bytes + 66, RECIPIENTS * SY_ENVELOPE_WRAP_BYTES);
    assert_false(opens(&file, file.size, keys[0])); // another envelope's keys
    free(kept);
    drop(&file);
    drop(&other);
}

CASE(an_added_wrap_opens_and_leaves_the_rest_as_it_was)
{
    struct file file;
    unsigned wrap;
    seal(&file, 70000);
    assert_true(sy_envelope_unwrap(&file.content, &wrap, &file.envelope, keys[1]));
    size_t size = sy_envelope_bytes(70000, RECIPIENTS + 1);
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    struct sy_writer w = sy_writer_of(bytes, size);
    assert_true(sy_envelope_add(&w, &file.envelope, &file.content, &halves[RECIPIENTS]));
    assert_false(w.failed);
    assert_int_equal(w.used, size);
    free(file.bytes);
    file.bytes = bytes;
    for (unsigned k = 0; k <= RECIPIENTS; k++) assert_true(opens(&file, size, keys[k]));
    assert_int_equal(file.envelope.wrap_count, RECIPIENTS + 1);
    drop(&file);
}

CASE(no_more_than_so_many_wraps)
{
    static uint8_t rooms[2][8192];
    struct sy_envelope envelope;
    struct sy_envelope_key content;
    unsigned bad, wrap;
    uint8_t body[SY_ENVELOPE_BODY_MIN] = {0};
    struct sy_public_key many[SY_ENVELOPE_WRAPS_MAX];
    for (unsigned i = 0; i < SY_ENVELOPE_WRAPS_MAX; i++) many[i] = halves[0];
    struct sy_writer w = sy_writer_of(rooms[0], sizeof rooms[0]);
    assert_true(sy_envelope_seal(&w, &bad, network, many, SY_ENVELOPE_WRAPS_MAX,
                                 sy_slice_of(body, sizeof body)));
    assert_true(sy_envelope_decode(&envelope, sy_writer_slice(&w), NULL));
    assert_true(sy_envelope_unwrap(&content, &wrap, &envelope, keys[0]));
    struct sy_writer more = sy_writer_of(rooms[1], sizeof rooms[1]);
    assert_false(sy_envelope_add(&more, &envelope, &content, &halves[1]));
}

CASE(nothing_is_sealed_to_a_point_of_small_order)
{
    static uint8_t room[4096];
    struct sy_public_key bad_keys[2] = {halves[0], {{0}}};
    uint8_t body[SY_ENVELOPE_BODY_MIN] = {0};
    unsigned bad = 99;
    struct sy_writer w = sy_writer_of(room, sizeof room);
    assert_false(sy_envelope_seal(&w, &bad, network, bad_keys, 2, sy_slice_of(body, sizeof body)));
    assert_int_equal(bad, 1);
}

CASE(a_wrap_has_one_hash_for_one_key_record_and_version)
{
    struct file file;
    struct sy_hash hashes[6];
    struct sy_hash record = {{5}}, other = {{6}};
    seal(&file, 100);
    sy_envelope_wrapped_hash(&hashes[0], &file.envelope, 0, &halves[0], &record, 1);
    sy_envelope_wrapped_hash(&hashes[1], &file.envelope, 1, &halves[0], &record, 1);
    sy_envelope_wrapped_hash(&hashes[2], &file.envelope, 0, &halves[1], &record, 1);
    sy_envelope_wrapped_hash(&hashes[3], &file.envelope, 0, &halves[0], &other, 1);
    sy_envelope_wrapped_hash(&hashes[4], &file.envelope, 0, &halves[0], &record, 2);
    file.bytes[30] ^= 1; // the envelope's id
    sy_envelope_wrapped_hash(&hashes[5], &file.envelope, 0, &halves[0], &record, 1);
    for (unsigned i = 0; i < 6; i++) {
        for (unsigned k = 0; k < i; k++) assert_false(sy_hash_equal(&hashes[i], &hashes[k]));
    }
    drop(&file);
}

// --- the body ----------------------------------------------------------------------------------

static struct sy_envelope_body sound_body(void)
{
    return (struct sy_envelope_body){.record = {{1}},
                                     .version = 2,
                                     .form = 1,
                                     .salt = {{2}},
                                     .proof_count = 2,
                                     .proofs = {sy_slice_of("one", 3), sy_slice_of("another", 7)},
                                     .content = sy_slice_of("content", 7),
                                     .padding = 5};
}

CASE(a_body_is_what_was_encoded)
{
    uint8_t room[256];
    struct sy_envelope_body body = sound_body(), got;
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_envelope_body_encode(&w, &body);
    assert_false(w.failed);
    assert_int_equal(w.used, sy_envelope_body_bytes(&body));
    assert_true(sy_envelope_body_decode(&got, sy_writer_slice(&w), NULL));
    assert_memory_equal(got.record.bytes, body.record.bytes, 32);
    assert_memory_equal(got.salt.bytes, body.salt.bytes, 32);
    assert_int_equal(got.version, 2);
    assert_int_equal(got.form, 1);
    assert_true(sy_slice_equal(got.content, body.content));
    assert_true(sy_slice_equal(got.proofs[0], body.proofs[0]));
    assert_true(sy_slice_equal(got.proofs[1], body.proofs[1]));
    assert_int_equal(got.padding, 5);
    for (size_t size = 0; size < w.used - 5; size++) {
        assert_false(sy_envelope_body_decode(&got, sy_slice_of(room, size), NULL));
    }
}

CASE(a_body_that_means_nothing_is_refused)
{
    uint8_t room[256];
    const char *what = NULL;
    struct sy_envelope_body body = sound_body(), got;
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_envelope_body_encode(&w, &body);
    struct sy_slice bytes = sy_writer_slice(&w);
    static const struct {
        size_t at;
        uint8_t value;
        const char *what;
    } faults[] = {
        {32, 0, "version"}, {36, 9, "form"},    {78, 1, "proofs"},
        {78, 3, "proofs"},  {79, 200, NULL},    {77, 1, "size of the content"},
        {70, 8, NULL},      {70, 6, "padding"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        uint8_t kept = room[faults[i].at];
        room[faults[i].at] = faults[i].value;
        what = NULL;
        bool fine = sy_envelope_body_decode(&got, bytes, &what);
        // A longer content takes a zero of the padding: another body, as sound.
        assert_int_equal(fine, i == 6);
        if (!fine) assert_non_null(what);
        if (faults[i].what != NULL) assert_non_null(strstr(what, faults[i].what));
        room[faults[i].at] = kept;
    }
    room[w.used - 1] = 1;
    assert_false(sy_envelope_body_decode(&got, bytes, &what));
    assert_non_null(strstr(what, "padding"));
}

CASE(no_body_is_encoded_that_no_decoder_takes)
{
    uint8_t room[256];
    for (int i = 0; i < 4; i++) {
        struct sy_envelope_body body = sound_body();
        if (i == 0) body.version = 0;
        if (i == 1) body.form = 0;
        if (i == 2) body.proof_count = 1;
        if (i == 3) body.padding = sizeof room;
        struct sy_writer w = sy_writer_of(room, sizeof room);
        sy_envelope_body_encode(&w, &body);
        assert_true(w.failed);
    }
}

CASE(other_files_are_no_envelopes)
{
    struct sy_envelope envelope;
    const char *what = NULL;
    assert_false(sy_envelope_is(sy_slice_of("SYPROOF1 and so on", 18)));
    assert_false(sy_envelope_decode(&envelope, sy_slice_of("SYPROOF1 and so on", 18), &what));
    assert_non_null(strstr(what, "no .syenvelope"));
    assert_false(sy_envelope_decode(&envelope, sy_slice_of(NULL, 0), &what));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(an_envelope_opens_for_those_it_was_sealed_to),
        cmocka_unit_test(two_envelopes_of_one_body_have_nothing_in_common),
        cmocka_unit_test(every_changed_byte_is_refused),
        cmocka_unit_test(every_shorter_file_is_refused),
        cmocka_unit_test(chunks_that_are_cut_off_or_exchanged_do_not_open),
        cmocka_unit_test(an_added_wrap_opens_and_leaves_the_rest_as_it_was),
        cmocka_unit_test(no_more_than_so_many_wraps),
        cmocka_unit_test(nothing_is_sealed_to_a_point_of_small_order),
        cmocka_unit_test(a_wrap_has_one_hash_for_one_key_record_and_version),
        cmocka_unit_test(a_body_is_what_was_encoded),
        cmocka_unit_test(a_body_that_means_nothing_is_refused),
        cmocka_unit_test(no_body_is_encoded_that_no_decoder_takes),
        cmocka_unit_test(other_files_are_no_envelopes),
    };
    return cmocka_run_group_tests(cases, open_keys, close_keys);
}
