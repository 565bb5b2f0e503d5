/* test_api_notices.c: notices on the client port: found by number, proven, waited for, and told to
 * nobody else.
 * ctest: threaded timeout=300 */
#include <stdlib.h>

#include "core/base/os.h"
#include "core/client/read.h"
#include "core/wire/notice.h"
#include "tests/support/stores.h"
#include "tests/unit/api_rig.h"

static struct sy_client_request ask_as(const struct api_rig *rig, const struct sy_hash *subject,
                                       uint64_t from, uint16_t max, uint32_t wait_ms,
                                       const sy_secret_key *key)
{
    const struct sy_notices_asked asked = {SY_SUBJECT_PATIENT, *subject, from, max, wait_ms};
    struct sy_client_request request = {.kind = SY_REQUEST_READ};
    request.body.read.purpose = SY_PURPOSE_AUDIT;
    sy_read_notices(&request.body.read, &asked);
    sy_read_sign(&request.body.read, key, &rig->chain.genesis);
    return request;
}

static struct sy_client_request ask(const struct api_rig *rig, const struct sy_hash *subject,
                                    uint64_t from, uint16_t max, uint32_t wait_ms)
{
    return ask_as(rig, subject, from, max, wait_ms, test_key(TEST_REGULATOR));
}

/* The patient of the first record, and how many events there are about it. */
static struct sy_hash find_patient(const struct api_rig *rig, uint64_t *count)
{
    struct sy_hash patient = {{0}};
    *count = 0;
    for (uint64_t pass = 0; pass < 2; pass++) {
        for (uint64_t height = 1; height <= sy_ledger_certified(rig->chain.store); height++) {
            struct sy_slice packed;
            struct sy_receipt receipt;
            struct sy_event event;
            if (sy_ledger_get(rig->chain.reader, &packed, height, SY_BLOCK_RECEIPTS) != SY_OK) {
                continue;
            }
            struct sy_reader in = sy_reader_of(packed);
            for (uint32_t n = sy_read_u32(&in, "count"); n > 0; n--) {
                struct sy_reader one = sy_reader_of(sy_read_bytes32(&in, packed.size, "receipt"));
                size_t offset = 0;
                assert_true(sy_receipt_decode(&one, &receipt));
                while (sy_receipt_next_event(&receipt, &offset, &event)) {
                    bool record = event.kind == SY_EVENT_RECORD_CREATED;
                    if (pass == 0 && record && sy_hash_is_zero(&patient)) patient = event.subject;
                    *count += pass == 1 && sy_hash_equal(&event.subject, &patient);
                }
            }
        }
    }
    assert_true(*count >= 2);
    return patient;
}

/* Reads an answer, proofs and all; how many there are. */
static uint16_t read_notices(const struct api_rig *rig, struct sy_reader *body,
                             const struct sy_hash *subject, uint64_t from)
{
    static struct sy_header headers[SY_NOTICES_MAX];
    struct sy_certificate certificate;
    (void)sy_read_u64(body, "height");
    uint16_t header_count = sy_read_u16(body, "headers");
    assert_true(header_count <= SY_NOTICES_MAX);
    for (uint16_t i = 0; i < header_count; i++) {
        assert_true(sy_header_decode(body, &headers[i]));
        assert_true(sy_certificate_decode(body, &certificate, CHAIN_VALIDATORS));
        assert_true(sy_certificate_verify(&certificate, &rig->chain.genesis.roster,
                                          &rig->chain.genesis.hash, &headers[i]));
        if (i > 0) assert_true(headers[i].height > headers[i - 1].height); /* once each */
    }
    uint16_t count = sy_read_u16(body, "count");
    for (uint16_t i = 0; i < count; i++) {
        struct sy_notice_proof proof;
        struct sy_receipt_head head;
        const char *what = "";
        assert_int_equal(sy_read_u8(body, "shown"), 1);
        uint16_t header = sy_read_u16(body, "header");
        assert_true(header < header_count);
        assert_true(sy_notice_proof_decode(body, &proof));
        if (!sy_notice_proof_verify(&proof, &head, &headers[header], &what)) fail_msg("%s", what);
        assert_true(proof.event.subject_number == from + i);
        assert_int_equal(proof.event.subject_kind, SY_SUBJECT_PATIENT);
        assert_true(sy_hash_equal(&proof.event.subject, subject));
    }
    assert_true(sy_reader_done(body));
    return count;
}

static uint16_t told(struct api_rig *rig, sy_dial *dial, const struct sy_hash *subject,
                     uint64_t from, uint16_t max, uint32_t wait_ms)
{
    struct sy_reader body;
    struct sy_client_request request = ask(rig, subject, from, max, wait_ms);
    assert_int_equal(arig_call(rig, dial, &request, &body), SY_ANSWER_NOTICES);
    return read_notices(rig, &body, subject, from);
}

CASE(api_tells_notices_by_number)
{
    struct api_rig rig;
    uint64_t count;
    arig_open(&rig, NULL, true);
    sy_dial *dial = arig_dial(&rig);
    struct sy_hash patient = find_patient(&rig, &count), nobody = test_hash(99);
    /* Whoever asks for the last one waits until the thread that notes them has come so far. */
    assert_int_equal(told(&rig, dial, &patient, count, 1, SY_WAIT_MS_MAX), 1);
    assert_int_equal(told(&rig, dial, &patient, 1, SY_NOTICES_MAX, 0), count);
    assert_int_equal(told(&rig, dial, &patient, 2, SY_NOTICES_MAX, 0), count - 1);
    assert_int_equal(told(&rig, dial, &patient, 1, 1, 0), 1);
    /* What has not happened, or not to anybody, is none, and no failure. */
    assert_int_equal(told(&rig, dial, &patient, count + 1, 4, 0), 0);
    assert_int_equal(told(&rig, dial, &patient, UINT64_MAX, SY_NOTICES_MAX, 0), 0);
    assert_int_equal(told(&rig, dial, &nobody, 1, SY_NOTICES_MAX, 1), 0);
    sy_dial_close(dial);
    arig_close(&rig);
}

CASE(api_tells_notices_to_nobody_else)
{
    struct api_rig rig;
    uint64_t count;
    arig_open(&rig, NULL, true);
    sy_dial *dial = arig_dial(&rig);
    struct sy_hash patient = find_patient(&rig, &count);
    struct sy_client_request request = ask_as(&rig, &patient, 1, 4, 0, test_key(77));
    assert_int_equal(arig_refused(&rig, dial, &request), SY_ANSWER_FORBIDDEN);
    request = ask_as(&rig, &patient, count + 1, 4, SY_WAIT_MS_MAX, test_key(77)); /* at once */
    assert_int_equal(arig_refused(&rig, dial, &request), SY_ANSWER_FORBIDDEN);
    request = ask(&rig, &patient, 1, 4, 0);
    request.body.read.second.bytes[0] ^= 2; /* another number than was signed */
    assert_int_equal(arig_refused(&rig, dial, &request), SY_ANSWER_MALFORMED);
    request = ask(&rig, &patient, 1, 4, 0);
    request.body.read.state_kind = SY_SUBJECT_ORG; /* another kind */
    assert_int_equal(arig_refused(&rig, dial, &request), SY_ANSWER_MALFORMED);
    static const struct {
        uint64_t from;
        uint16_t max;
        uint32_t wait_ms;
    } beyond[] = {{0, 1, 0}, {1, 0, 0}, {1, SY_NOTICES_MAX + 1, 0}, {1, 1, SY_WAIT_MS_MAX + 1}};
    for (unsigned i = 0; i < 4; i++) {
        request = ask(&rig, &patient, beyond[i].from, beyond[i].max, beyond[i].wait_ms);
        assert_int_equal(arig_refused(&rig, dial, &request), SY_ANSWER_MALFORMED);
    }
    request = ask(&rig, &patient, 1, 4, 0);
    struct sy_reader body;
    assert_int_equal(arig_call(&rig, dial, &request, &body), SY_ANSWER_NOTICES);
    assert_int_equal(arig_refused(&rig, dial, &request), SY_ANSWER_STALE_READ); /* sent again */
    sy_dial_close(dial);
    arig_close(&rig);
}

/* Records about every patient, in a block that is certified and told of. */
static void run_records(struct api_rig *rig)
{
    chain_add_records(&rig->chain, 24);
    (void)chain_batch(&rig->chain, 3);
    chain_run(&rig->chain);
    chain_certify(&rig->chain);
    sy_api_certified(rig->api, rig->chain.done->header.height);
}

CASE(api_keeps_a_question_until_it_happens)
{
    struct api_rig rig;
    struct sy_dial_answer answer;
    uint64_t count, number, id;
    uint8_t kind;
    struct sy_reader body;
    arig_open(&rig, NULL, true);
    sy_dial *dial = arig_dial(&rig);
    struct sy_hash patient = find_patient(&rig, &count);
    struct sy_client_request request = ask(&rig, &patient, count + 1, 8, SY_WAIT_MS_MAX);
    number = arig_send(&rig, dial, &request);
    /* An answer to something else shows that it was taken, and waits. */
    struct sy_client_request block = {.kind = SY_REQUEST_BLOCK};
    uint64_t other = arig_send(&rig, dial, &block);
    assert_true(sy_dial_poll(dial, &answer, TEST_PATIENCE_MS));
    assert_true(answer.id == other);
    do {
        run_records(&rig); /* about patients by chance */
        uint64_t now;
        (void)find_patient(&rig, &now);
        if (now > count) break;
    } while (true);
    assert_true(sy_dial_poll(dial, &answer, TEST_PATIENCE_MS));
    assert_true(answer.id == number);
    assert_true(sy_answer_decode(&kind, &id, &body, answer.body));
    assert_int_equal(kind, SY_ANSWER_NOTICES);
    assert_true(read_notices(&rig, &body, &patient, count + 1) >= 1);
    sy_dial_close(dial);
    arig_close(&rig);
}

CASE(api_lets_a_session_wait_for_few_notices)
{
    struct api_rig rig;
    struct sy_dial_answer answer;
    uint64_t count, numbers[9];
    arig_open(&rig, NULL, true);
    sy_dial *dial = arig_dial(&rig);
    struct sy_hash patient = find_patient(&rig, &count);
    assert_int_equal(told(&rig, dial, &patient, count, 1, SY_WAIT_MS_MAX), 1);
    for (unsigned i = 0; i < 9; i++) {
        struct sy_client_request request = ask(&rig, &patient, count + 1, 1, SY_WAIT_MS_MAX);
        numbers[i] = arig_send(&rig, dial, &request);
    }
    assert_true(sy_dial_poll(dial, &answer, TEST_PATIENCE_MS));
    assert_true(answer.id == numbers[8]); /* the ninth is answered at once */
    sy_dial_close(dial);
    arig_close(&rig);
}

/* 128 wait at most, and whoever has most of them gives way, over however many sessions. */
CASE(api_lets_nobody_take_all_places_to_wait)
{
    struct api_rig rig;
    struct sy_dial_answer answer;
    uint64_t count, first = 0;
    sy_dial *greedy[16];
    arig_open(&rig, NULL, true);
    struct sy_hash patient = find_patient(&rig, &count);
    struct sy_client_request request, block = {.kind = SY_REQUEST_BLOCK};
    sy_dial *modest = arig_dial(&rig);
    request = ask_as(&rig, &patient, count + 1, 1, SY_WAIT_MS_MAX, test_key(TEST_REGULATOR + 1));
    uint64_t number = arig_send(&rig, modest, &request);
    // An answer to something else shows that the questions before it were taken, and wait.
    uint64_t other = arig_send(&rig, modest, &block);
    assert_true(sy_dial_poll(modest, &answer, TEST_PATIENCE_MS) && answer.id == other);
    for (unsigned i = 0; i < 16; i++) {
        greedy[i] = arig_dial(&rig);
        for (unsigned n = 0; n < 8; n++) { // with the modest one, the last is one too many
            request = ask(&rig, &patient, count + 1, 1, SY_WAIT_MS_MAX);
            uint64_t sent = arig_send(&rig, greedy[i], &request);
            if (i == 0 && n == 0) first = sent;
        }
        other = arig_send(&rig, greedy[i], &block);
        assert_true(sy_dial_poll(greedy[i], &answer, TEST_PATIENCE_MS) && answer.id == other);
    }
    assert_true(sy_dial_poll(greedy[0], &answer, TEST_PATIENCE_MS));
    assert_true(answer.id == first); // the oldest of whoever had most was answered early
    other = arig_send(&rig, modest, &block);
    assert_true(sy_dial_poll(modest, &answer, TEST_PATIENCE_MS));
    assert_true(answer.id == other && number != other); // and not the oldest of all
    for (unsigned i = 0; i < 16; i++) sy_dial_close(greedy[i]);
    sy_dial_close(modest);
    arig_close(&rig);
}

CASE(api_says_that_a_notice_was_pruned)
{
    struct api_rig rig;
    uint64_t count;
    arig_open(&rig, NULL, true);
    sy_dial *dial = arig_dial(&rig);
    struct sy_hash patient = find_patient(&rig, &count);
    assert_int_equal(told(&rig, dial, &patient, count, 1, SY_WAIT_MS_MAX), 1);
    test_store_prune(rig.chain.store, 4); /* enrolled in block 3, records from block 4 on */
    assert_int_equal(sy_ledger_pruned(rig.chain.store), 4);
    struct sy_client_request request = ask(&rig, &patient, 1, 4, 0);
    assert_int_equal(arig_refused(&rig, dial, &request), SY_ANSWER_PRUNED);
    request = ask(&rig, &patient, 1, 4, SY_WAIT_MS_MAX); /* waiting would not help */
    assert_int_equal(arig_refused(&rig, dial, &request), SY_ANSWER_PRUNED);
    assert_int_equal(told(&rig, dial, &patient, 2, SY_NOTICES_MAX, 0), count - 1);
    assert_int_equal(told(&rig, dial, &patient, count + 1, 1, 0), 0);
    sy_dial_close(dial);
    arig_close(&rig);
}

/* An index that was lost is made again while questions wait for it. */
CASE(api_finds_what_happened_before_it_was_opened)
{
    struct api_rig rig;
    uint64_t count;
    arig_open(&rig, NULL, true);
    for (unsigned i = 0; i < 20; i++) run_records(&rig);
    sy_dial *dial = arig_dial(&rig);
    struct sy_hash patient = find_patient(&rig, &count);
    uint64_t from = 1;
    while (from <= count) from += told(&rig, dial, &patient, from, 7, SY_WAIT_MS_MAX);
    assert_true(from == count + 1);
    sy_dial_close(dial);
    arig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(api_tells_notices_by_number),
        cmocka_unit_test(api_tells_notices_to_nobody_else),
        cmocka_unit_test(api_keeps_a_question_until_it_happens),
        cmocka_unit_test(api_lets_a_session_wait_for_few_notices),
        cmocka_unit_test(api_lets_nobody_take_all_places_to_wait),
        cmocka_unit_test(api_says_that_a_notice_was_pruned),
        cmocka_unit_test(api_finds_what_happened_before_it_was_opened),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
