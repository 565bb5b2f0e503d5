/* test_wire_notice.c: one event is proven without the others, and nothing else passes for it. */
#include "core/wire/notice.h"

#include <stdlib.h>

#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"
#include "core/wire/limits.h"
#include "tests/support/samples.h"
#include "tests/support/test.h"

#define EVENTS_MAX 40u

static struct sy_event event_of(unsigned i)
{
    return (struct sy_event){.kind = (uint16_t)(1 + i % 16),
                             .subject_kind = (uint8_t)(1 + i % 3),
                             .subject = test_hash(700 + i),
                             .global_number = 1000 + i,
                             .subject_number = 1 + i,
                             .object = test_hash(800 + i)};
}

/* A receipt with so many events and keys, encoded into room. */
static struct sy_slice make_receipt(uint8_t *room, size_t size, unsigned events, unsigned keys)
{
    static uint8_t event_bytes[EVENTS_MAX * SY_EVENT_BYTES];
    static uint8_t key_bytes[EVENTS_MAX * 32];
    struct sy_writer e = sy_writer_of(event_bytes, sizeof event_bytes);
    struct sy_writer w = sy_writer_of(room, size);
    for (unsigned i = 0; i < events; i++) {
        struct sy_event event = event_of(i);
        sy_event_encode(&e, &event);
    }
    for (unsigned i = 0; i < keys; i++) {
        memset(key_bytes + 32 * i, 0, 32);
        key_bytes[32 * i] = (uint8_t)(i + 1); /* they ascend */
    }
    struct sy_receipt receipt = {.height = 9,
                                 .index = 2,
                                 .tx_id = test_hash(5),
                                 .key_count = keys,
                                 .keys = sy_slice_of(key_bytes, 32u * keys),
                                 .event_count = events,
                                 .events = sy_writer_slice(&e)};
    sy_receipt_encode(&w, &receipt);
    assert_false(w.failed || e.failed);
    return sy_writer_slice(&w);
}

/* FORMAT.md section 7, written down once more. */
static void plain_leaf(struct sy_hash *leaf, struct sy_slice receipt, unsigned events,
                       unsigned keys)
{
    uint8_t head[SY_RECEIPT_HEAD_BYTES_MAX];
    struct sy_hash leaves[EVENTS_MAX + 1], hash;
    size_t front = receipt.size - 4 - (size_t)events * SY_EVENT_BYTES - 32u * keys;
    struct sy_writer w = sy_writer_of(head, sizeof head);
    sy_write_raw(&w, receipt.data, front);
    sy_sha256(&hash, receipt.data + front, 32u * keys);
    sy_write_hash(&w, &hash);
    sy_write_u32(&w, events);
    for (unsigned i = 0; i < events; i++) {
        const uint8_t *at = receipt.data + front + 32u * keys + 4 + i * (size_t)SY_EVENT_BYTES;
        sy_hash_leaf(&leaves[i], sy_slice_of(at, SY_EVENT_BYTES));
    }
    sy_merkle_root(&hash, leaves, leaves, events);
    sy_write_hash(&w, &hash);
    assert_false(w.failed);
    sy_hash_leaf(leaf, sy_writer_slice(&w));
}

CASE(receipt_leaf_is_the_leaf_of_its_head)
{
    static uint8_t room[100][8192];
    struct sy_slice receipts[100];
    struct sy_hash leaves[100], expected;
    for (unsigned i = 0; i < 100; i++) {
        receipts[i] = make_receipt(room[i], sizeof room[i], i % (EVENTS_MAX + 1), i % 7);
    }
    /* All together, more than a group of them, and each alone. */
    assert_true(sy_receipt_leaves(leaves, receipts, 100));
    for (unsigned i = 0; i < 100; i++) {
        plain_leaf(&expected, receipts[i], i % (EVENTS_MAX + 1), i % 7);
        assert_true(sy_hash_equal(&expected, &leaves[i]));
        assert_true(sy_receipt_leaves(leaves + i, receipts + i, 1));
        assert_true(sy_hash_equal(&expected, &leaves[i]));
    }
}

CASE(receipt_whose_lengths_do_not_fit_has_no_leaf)
{
    uint8_t room[1024];
    struct sy_hash leaf;
    struct sy_slice whole = make_receipt(room, sizeof room, 2, 3);
    for (size_t size = 0; size < whole.size; size++) {
        struct sy_slice cut = sy_slice_of(whole.data, size);
        assert_false(sy_receipt_leaves(&leaf, &cut, 1));
    }
    room[whole.size] = 0;
    struct sy_slice longer = sy_slice_of(whole.data, whole.size + 1);
    assert_false(sy_receipt_leaves(&leaf, &longer, 1));
    room[90] = 0xff; /* more keys than there may be */
    room[92] = 0xff;
    assert_false(sy_receipt_leaves(&leaf, &whole, 1));
}

/* ---- proofs ------------------------------------------------------------------------------ */

struct proven {
    uint8_t head[SY_RECEIPT_HEAD_BYTES_MAX];
    struct sy_notice_proof proof;
    struct sy_header header;
};

/* The header of a block of three receipts, the last of which has the events. */
static void prove(struct proven *proven, unsigned events, unsigned place)
{
    static uint8_t room[8192];
    uint8_t others[2][512];
    struct sy_slice receipts[3];
    struct sy_hash leaves[3];
    receipts[0] = make_receipt(others[0], sizeof others[0], 0, 0);
    receipts[1] = make_receipt(others[1], sizeof others[1], 1, 1);
    receipts[2] = make_receipt(room, sizeof room, events, 4);
    assert_true(sy_receipt_leaves(leaves, receipts, 3));
    proven->header = (struct sy_header){.height = 9};
    struct sy_hash scratch[3];
    sy_merkle_root(&proven->header.receipts_root, scratch, leaves, 3);
    assert_true(sy_notice_prove(&proven->proof, proven->head, receipts[2], place));
    sy_merkle_path_make(&proven->proof.receipt_path, scratch, leaves, 3, 2);
}

static bool holds(struct sy_slice bytes, const struct sy_header *header, const char **what)
{
    struct sy_notice_proof proof;
    struct sy_receipt_head head;
    struct sy_reader r = sy_reader_of(bytes);
    *what = "not canonical";
    return sy_notice_proof_decode(&r, &proof) && sy_reader_done(&r) &&
           sy_notice_proof_verify(&proof, &head, header, what);
}

CASE(every_event_of_a_receipt_has_a_proof_that_shows_no_other)
{
    static struct proven proven;
    for (unsigned events = 1; events <= EVENTS_MAX; events++) {
        for (unsigned place = 0; place < events; place++) {
            uint8_t bytes[4096];
            struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
            const char *what;
            prove(&proven, events, place);
            sy_notice_proof_encode(&w, &proven.proof);
            assert_false(w.failed);
            if (!holds(sy_writer_slice(&w), &proven.header, &what)) fail_msg("%s", what);
            struct sy_event event = event_of(place);
            assert_true(proven.proof.event.subject_number == event.subject_number);
            assert_true(sy_hash_equal(&proven.proof.event.object, &event.object));
            for (unsigned other = 0; other < events; other++) {
                struct sy_event hidden = event_of(other);
                if (other == place) continue;
                assert_null(memmem(bytes, w.used, hidden.subject.bytes, 32));
            }
        }
    }
    assert_false(sy_notice_prove(&proven.proof, proven.head, sy_slice_of(NULL, 0), 0));
}

CASE(event_that_a_receipt_has_not_is_not_proven)
{
    uint8_t room[1024], head[SY_RECEIPT_HEAD_BYTES_MAX];
    struct sy_notice_proof proof;
    assert_false(sy_notice_prove(&proof, head, make_receipt(room, sizeof room, 0, 1), 0));
    assert_false(sy_notice_prove(&proof, head, make_receipt(room, sizeof room, 3, 1), 3));
}

CASE(every_single_bit_change_of_a_notice_is_refused)
{
    static struct proven proven;
    static const unsigned sizes[][2] = {{1, 0}, {2, 1}, {5, 4}, {40, 17}};
    for (unsigned s = 0; s < 4; s++) {
        uint8_t bytes[4096];
        struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
        const char *what;
        prove(&proven, sizes[s][0], sizes[s][1]);
        sy_notice_proof_encode(&w, &proven.proof);
        for (size_t bit = 0; bit < 8 * w.used; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (holds(sy_writer_slice(&w), &proven.header, &what)) {
                fail_msg("%u events: bit %zu of %zu may change", sizes[s][0], bit, 8 * w.used);
            }
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        assert_true(holds(sy_writer_slice(&w), &proven.header, &what));
        for (size_t size = 0; size < w.used; size++) {
            assert_false(holds(sy_slice_of(bytes, size), &proven.header, &what));
        }
        proven.header.height++;
        assert_false(holds(sy_writer_slice(&w), &proven.header, &what));
        assert_non_null(strstr(what, "another height"));
    }
}

/* ---- names and questions ------------------------------------------------------------------ */

CASE(notice_names_tell_kinds_subjects_and_numbers_apart)
{
    struct sy_hash names[4], one = test_hash(1), two = test_hash(2);
    sy_notice_name(&names[0], SY_SUBJECT_PATIENT, &one, 7);
    sy_notice_name(&names[1], SY_SUBJECT_ORG, &one, 7);
    sy_notice_name(&names[2], SY_SUBJECT_PATIENT, &two, 7);
    sy_notice_name(&names[3], SY_SUBJECT_PATIENT, &one, 8);
    for (unsigned i = 0; i < 4; i++) {
        for (unsigned j = 0; j < i; j++) assert_false(sy_hash_equal(&names[i], &names[j]));
    }
}

static bool asks(uint8_t kind, uint64_t from, uint16_t max, uint32_t wait_ms)
{
    const struct sy_notices_asked asked = {kind, test_hash(3), from, max, wait_ms};
    struct sy_read_request read = {0};
    struct sy_notices_asked again;
    sy_read_notices(&read, &asked);
    assert_int_equal(read.subject, SY_READ_NOTICES);
    if (!sy_read_notices_asked(&again, &read)) return false;
    assert_true(again.from == from && again.max == max && again.wait_ms == wait_ms);
    assert_true(sy_hash_equal(&again.subject, &asked.subject));
    for (size_t at = 14; at < 32; at++) { /* nothing stands behind it */
        read.second.bytes[at] ^= 1;
        assert_false(sy_read_notices_asked(&again, &read));
        read.second.bytes[at] ^= 1;
    }
    return true;
}

CASE(questions_for_notices_keep_their_bounds)
{
    assert_true(asks(SY_SUBJECT_ORG, 1, 1, 0));
    assert_true(asks(SY_SUBJECT_PATIENT, UINT64_MAX, SY_NOTICES_MAX, SY_WAIT_MS_MAX));
    assert_false(asks(0, 1, 1, 0));
    assert_false(asks(SY_SUBJECT_PATIENT + 1, 1, 1, 0));
    assert_false(asks(SY_SUBJECT_KEY, 0, 1, 0));
    assert_false(asks(SY_SUBJECT_KEY, 1, 0, 0));
    assert_false(asks(SY_SUBJECT_KEY, 1, SY_NOTICES_MAX + 1, 0));
    assert_false(asks(SY_SUBJECT_KEY, 1, 1, SY_WAIT_MS_MAX + 1));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(receipt_leaf_is_the_leaf_of_its_head),
        cmocka_unit_test(receipt_whose_lengths_do_not_fit_has_no_leaf),
        cmocka_unit_test(every_event_of_a_receipt_has_a_proof_that_shows_no_other),
        cmocka_unit_test(event_that_a_receipt_has_not_is_not_proven),
        cmocka_unit_test(every_single_bit_change_of_a_notice_is_refused),
        cmocka_unit_test(notice_names_tell_kinds_subjects_and_numbers_apart),
        cmocka_unit_test(questions_for_notices_keep_their_bounds),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
