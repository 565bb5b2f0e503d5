/* The client protocol: what clients ask, byte by byte. The samples stand in
 * tests/fuzz/corpus/request; SYSTOLE_REGENERATE=1 writes them anew, together with FORMAT.md. */
#include "core/wire/notice.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/os.h"
#include "core/crypto/hash.h"
#include "tests/support/network.h"
#include "tests/support/test.h"

#define SAMPLES 12u

struct sample {
    const char *name;
    struct sy_client_request request;
    uint8_t bytes[4096];
    size_t size;
};

static struct sample samples[SAMPLES];
static uint8_t parts[4096]; /* what the samples borrow */

static void make_submit(struct sy_client_request *request, struct sy_writer *room)
{
    size_t start = room->used;
    for (unsigned i = 0; i < 3; i++) sy_write_bytes32(room, sy_slice_of("transaction", 9 + i));
    request->kind = SY_REQUEST_SUBMIT;
    request->body.submit.count = 3;
    request->body.submit.txs = sy_slice_of(room->data + start, room->used - start);
}

static void make_wait(struct sy_client_request *request, struct sy_writer *room)
{
    size_t start = room->used;
    for (unsigned i = 0; i < 2; i++) {
        struct sy_awaited awaited = {test_hash(i), test_hash(10 + i)};
        sy_write_hash(room, &awaited.tx_id);
        sy_write_hash(room, &awaited.witness);
    }
    request->kind = SY_REQUEST_WAIT;
    request->body.wait.wait_ms = 1500;
    request->body.wait.with_tx = true;
    request->body.wait.count = 2;
    request->body.wait.items = sy_slice_of(room->data + start, room->used - start);
}

static void sign_read(struct sy_read_request *read)
{
    struct sy_hash digest;
    struct sy_hash genesis = test_hash(1);
    sy_read_digest(&digest, &genesis, read);
    sy_sign(test_key(300), &read->signature, SY_SIG_READ, &digest);
}

static void make_read(struct sy_client_request *request, uint8_t subject, uint8_t state_kind)
{
    struct sy_read_request *read = &request->body.read;
    request->kind = SY_REQUEST_READ;
    *read = (struct sy_read_request){.subject = subject,
                                     .state_kind = state_kind,
                                     .id = test_hash(2),
                                     .purpose = SY_PURPOSE_SELF,
                                     .nonce = 0x0102030405060708,
                                     .time_ms = TEST_GENESIS_MS,
                                     .reader = test_public(300)};
    if (state_kind != 0) read->second = test_hash(3);
    if (subject == SY_READ_IDS) sy_read_ids(read, 0x0807060504030201);
    if (subject == SY_READ_NOTICES) {
        const struct sy_notices_asked asked = {.subject_kind = SY_SUBJECT_PATIENT,
                                               .subject = test_hash(2),
                                               .from = 0x0102030405060708,
                                               .max = SY_NOTICES_MAX,
                                               .wait_ms = SY_WAIT_MS_MAX};
        sy_read_notices(read, &asked);
    }
    sign_read(read);
}

/* Every filter that a credential has. */
static void make_find(struct sy_client_request *request)
{
    struct sy_client_request read;
    struct sy_find *query = &request->body.find.query;
    request->kind = SY_REQUEST_FIND;
    *query = (struct sy_find){.what = SY_STATE_CREDENTIAL,
                              .active = SY_FIND_ACTIVE,
                              .digits = 3,
                              .prefix = {{0xab, 0xc0}},
                              .has_organisation = true,
                              .has_behind = true,
                              .role = SY_ROLE_DOCTOR,
                              .specialty = sy_slice_of("cardiology", 10),
                              .organisation = test_hash(5),
                              .behind = test_hash(6),
                              .max = 17};
    make_read(&read, SY_READ_TX, 0);
    read.body.read.second = (struct sy_hash){{0}};
    sy_read_find(&read.body.read, query);
    sign_read(&read.body.read);
    request->body.find.read = read.body.read;
}

static void make_samples(void)
{
    static const char *const names[SAMPLES] = {
        "hello",  "submit",       "wait",     "block",     "read_tx",      "read_state",
        "status", "block_newest", "read_ids", "handovers", "read_notices", "find"};
    struct sy_writer room = sy_writer_of(parts, sizeof parts);
    memset(samples, 0, sizeof samples);
    for (unsigned i = 0; i < SAMPLES; i++) {
        samples[i].name = names[i];
        samples[i].request.request_id = 0x1122334455667788 + i;
    }
    struct sy_client_request *hello = &samples[0].request;
    hello->kind = SY_REQUEST_HELLO;
    memcpy(hello->body.hello.network, "network tag 16 b", SY_NETWORK_TAG_BYTES);
    hello->body.hello.protocol_min = 1;
    hello->body.hello.protocol_max = 3;
    make_submit(&samples[1].request, &room);
    make_wait(&samples[2].request, &room);
    samples[3].request.kind = SY_REQUEST_BLOCK;
    samples[3].request.body.block_height = 77;
    make_read(&samples[4].request, SY_READ_TX, 0);
    make_read(&samples[5].request, SY_READ_STATE, 25);
    samples[6].request.kind = SY_REQUEST_STATUS;
    samples[7].request.kind = SY_REQUEST_BLOCK;
    samples[7].request.body.block_height = SY_HEIGHT_NEWEST;
    make_read(&samples[8].request, SY_READ_IDS, 0);
    samples[9].request.kind = SY_REQUEST_HANDOVERS;
    samples[9].request.body.epoch = 0x04030201;
    make_read(&samples[10].request, SY_READ_NOTICES, 0);
    make_find(&samples[11].request);
    for (unsigned i = 0; i < SAMPLES; i++) {
        struct sy_writer w = sy_writer_of(samples[i].bytes, sizeof samples[i].bytes);
        sy_request_encode(&w, &samples[i].request);
        assert_false(w.failed || room.failed);
        samples[i].size = w.used;
    }
}

static bool decodes(const uint8_t *bytes, size_t size)
{
    struct sy_client_request request;
    return sy_request_decode(&request, sy_slice_of(bytes, size));
}

static int set_up(void **state)
{
    (void)state;
    make_samples();
    return 0;
}

/* ---- round trips ------------------------------------------------------------------------- */

CASE(request_reads_back_what_was_written)
{
    for (unsigned i = 0; i < SAMPLES; i++) {
        uint8_t again[4096];
        struct sy_client_request request;
        struct sy_slice bytes = sy_slice_of(samples[i].bytes, samples[i].size);
        assert_true(sy_request_decode(&request, bytes));
        assert_int_equal(request.kind, samples[i].request.kind);
        assert_true(request.request_id == samples[i].request.request_id);
        struct sy_writer w = sy_writer_of(again, sizeof again);
        sy_request_encode(&w, &request);
        assert_true(sy_slice_equal(sy_writer_slice(&w), bytes));
    }
}

CASE(request_gives_every_field)
{
    struct sy_client_request request;
    assert_true(sy_request_decode(&request, sy_slice_of(samples[0].bytes, samples[0].size)));
    assert_memory_equal(request.body.hello.network, "network tag 16 b", 16);
    assert_int_equal(request.body.hello.protocol_max, 3);
    assert_true(sy_request_decode(&request, sy_slice_of(samples[2].bytes, samples[2].size)));
    assert_int_equal(request.body.wait.wait_ms, 1500);
    assert_true(request.body.wait.with_tx);
    assert_int_equal(request.body.wait.count, 2);
    for (unsigned i = 0; i < 2; i++) {
        struct sy_awaited awaited;
        struct sy_hash id = test_hash(i);
        struct sy_hash witness = test_hash(10 + i);
        sy_wait_item(&request, i, &awaited);
        assert_true(sy_hash_equal(&awaited.tx_id, &id));
        assert_true(sy_hash_equal(&awaited.witness, &witness));
    }
    assert_true(sy_request_decode(&request, sy_slice_of(samples[5].bytes, samples[5].size)));
    const struct sy_read_request *read = &request.body.read;
    struct sy_hash second = test_hash(3);
    assert_int_equal(read->subject, SY_READ_STATE);
    assert_int_equal(read->state_kind, 25);
    assert_true(sy_hash_equal(&read->second, &second));
    assert_true(read->nonce == 0x0102030405060708 && read->time_ms == TEST_GENESIS_MS);
    assert_true(sy_request_decode(&request, sy_slice_of(samples[7].bytes, samples[7].size)));
    assert_true(request.body.block_height == SY_HEIGHT_NEWEST);
    assert_true(sy_request_decode(&request, sy_slice_of(samples[8].bytes, samples[8].size)));
    assert_int_equal(read->subject, SY_READ_IDS);
    assert_true(sy_read_ids_height(read) == 0x0807060504030201);
}

CASE(submit_walks_its_transactions)
{
    struct sy_client_request request;
    size_t offset = 0;
    struct sy_slice tx;
    assert_true(sy_request_decode(&request, sy_slice_of(samples[1].bytes, samples[1].size)));
    for (unsigned i = 0; i < 3; i++) {
        assert_true(sy_submit_next(&request, &offset, &tx));
        assert_int_equal(tx.size, 9 + i);
    }
    assert_false(sy_submit_next(&request, &offset, &tx));
    assert_int_equal(offset, request.body.submit.txs.size);
}

/* ---- what is refused --------------------------------------------------------------------- */

CASE(request_cut_or_longer_is_refused)
{
    for (unsigned i = 0; i < SAMPLES; i++) {
        for (size_t size = 0; size < samples[i].size; size++) {
            assert_false(decodes(samples[i].bytes, size));
        }
        uint8_t longer[4097];
        memcpy(longer, samples[i].bytes, samples[i].size);
        longer[samples[i].size] = 0;
        assert_false(decodes(longer, samples[i].size + 1));
    }
}

CASE(request_tells_its_id_even_when_it_is_refused)
{
    struct sy_client_request request;
    struct sy_slice cut = sy_slice_of(samples[1].bytes, samples[1].size - 1);
    assert_false(sy_request_decode(&request, cut));
    assert_true(request.request_id == samples[1].request.request_id);
    assert_false(sy_request_decode(&request, sy_slice_of(samples[1].bytes, 5)));
    assert_true(request.request_id == 0);
}

static bool decodes_with(unsigned sample, size_t at, uint8_t value)
{
    uint8_t changed[4096];
    memcpy(changed, samples[sample].bytes, samples[sample].size);
    changed[at] = value;
    return decodes(changed, samples[sample].size);
}

CASE(request_of_an_unknown_kind_or_version_is_refused)
{
    assert_false(decodes_with(6, 2, 0));
    assert_false(decodes_with(6, 2, SY_REQUEST_FIND + 1));
    assert_false(decodes_with(6, 2, SY_ANSWER_STATUS));
    for (unsigned i = 1; i < SAMPLES; i++) assert_false(decodes_with(i, 0, 2));
    assert_true(decodes_with(0, 0, 2)); /* HELLO negotiates, so it is read whatever the version */
}

CASE(request_beyond_a_limit_is_refused)
{
    struct sy_client_request submit = samples[1].request;
    struct sy_client_request wait = samples[2].request;
    static uint8_t bytes[SY_FRAME_BYTES_MAX];
    static uint8_t txs[5 * (SY_SUBMIT_TXS_MAX + 1)];
    for (unsigned count = SY_SUBMIT_TXS_MAX; count <= SY_SUBMIT_TXS_MAX + 1; count++) {
        struct sy_writer section = sy_writer_of(txs, sizeof txs);
        struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
        for (unsigned i = 0; i < count; i++) sy_write_bytes32(&section, sy_slice_of("x", 1));
        submit.body.submit.count = (uint16_t)count;
        submit.body.submit.txs = sy_writer_slice(&section);
        sy_request_encode(&w, &submit);
        assert_true(decodes(bytes, w.used) == (count == SY_SUBMIT_TXS_MAX));
    }
    static const struct {
        uint32_t wait_ms;
        uint16_t count;
        bool good;
    } waits[] = {{SY_WAIT_MS_MAX, 1, true},
                 {SY_WAIT_MS_MAX + 1, 1, false},
                 {0, 0, false},
                 {0, SY_WAIT_IDS_MAX, true},
                 {0, SY_WAIT_IDS_MAX + 1, false}};
    static uint8_t items[64 * (SY_WAIT_IDS_MAX + 1)];
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
        wait.body.wait.wait_ms = waits[i].wait_ms;
        wait.body.wait.count = waits[i].count;
        wait.body.wait.items = sy_slice_of(items, (size_t)waits[i].count * 64);
        sy_request_encode(&w, &wait);
        assert_true(decodes(bytes, w.used) == waits[i].good);
    }
}

CASE(submit_without_transactions_or_with_too_long_ones_is_refused)
{
    static uint8_t bytes[SY_TX_BYTES_MAX + 100];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    struct sy_client_request none = {.kind = SY_REQUEST_SUBMIT};
    sy_request_encode(&w, &none);
    assert_false(decodes(bytes, w.used));
    for (uint32_t size = SY_TX_BYTES_MAX; size <= SY_TX_BYTES_MAX + 1; size++) {
        w = sy_writer_of(bytes, sizeof bytes);
        none.body.submit.count = 1;
        none.body.submit.txs = sy_slice_of(NULL, 0);
        sy_request_encode(&w, &none);
        sy_store_u32(bytes + w.used, size);
        assert_true(decodes(bytes, w.used + 4 + size) == (size == SY_TX_BYTES_MAX));
    }
}

/* Offsets in READ: 11 subject, 12 state kind, 77 purpose. */
CASE(read_keeps_its_rules)
{
    assert_int_equal(samples[5].size, 11 + 1 + 1 + 32 + 32 + 1 + 8 + 8 + 32 + 64);
    assert_false(decodes_with(4, 11, 0));
    assert_false(decodes_with(4, 11, SY_READ_FIND));
    assert_false(decodes_with(4, 11, SY_READ_FIND + 1));
    assert_true(decodes_with(4, 11, SY_READ_RECEIPT));
    assert_false(decodes_with(4, 11, SY_READ_STATE)); /* without a state kind */
    assert_false(decodes_with(4, 12, 25));            /* a state kind without STATE */
    assert_false(decodes_with(5, 12, 0));
    assert_false(decodes_with(5, 77, 0));
    assert_false(decodes_with(5, 77, SY_PURPOSE_EMERGENCY + 1));
    for (uint8_t purpose = SY_PURPOSE_TREATMENT; purpose <= SY_PURPOSE_EMERGENCY; purpose++) {
        assert_true(decodes_with(5, 77, purpose));
    }
    assert_false(decodes_with(4, 11, SY_READ_IDS)); /* an id that is no height */
    for (size_t at = 13; at < 77; at++) {
        bool in_height = at < 21; /* behind it all is zero */
        assert_true(decodes_with(8, at, 9) == in_height);
    }
    assert_false(decodes_with(8, 12, SY_READ_STATE));
    assert_false(decodes_with(4, 11, SY_READ_NOTICES)); /* without a subject kind, or a number */
    assert_false(decodes_with(2, 15, 2));               /* WAIT: with_tx is 0 or 1 */
}

/* Every field of a read is under its signature. */
CASE(read_digest_covers_every_field)
{
    struct sy_hash genesis = test_hash(1);
    struct sy_hash digest, other;
    const struct sy_read_request *read = &samples[5].request.body.read;
    struct sy_read_request reads[8];
    sy_read_digest(&digest, &genesis, read);
    for (unsigned i = 0; i < 8; i++) reads[i] = *read;
    reads[0].subject = SY_READ_TX;
    reads[1].state_kind++;
    reads[2].id.bytes[31] ^= 1;
    reads[3].second.bytes[0] ^= 1;
    reads[4].purpose++;
    reads[5].nonce ^= 1ull << 63;
    reads[6].time_ms++;
    for (unsigned i = 0; i < 7; i++) {
        sy_read_digest(&other, &genesis, &reads[i]);
        assert_false(sy_hash_equal(&digest, &other));
    }
    reads[7].signature.bytes[0] ^= 1; /* but not the signature itself */
    sy_read_digest(&other, &genesis, &reads[7]);
    assert_true(sy_hash_equal(&digest, &other));
    genesis.bytes[0] ^= 1;
    sy_read_digest(&other, &genesis, read);
    assert_false(sy_hash_equal(&digest, &other));
}

/* ---- answers ----------------------------------------------------------------------------- */

CASE(answers_begin_with_what_they_answer)
{
    uint8_t bytes[64];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    struct sy_reader body;
    uint8_t kind = 0;
    uint64_t request_id = 0;
    sy_answer_refused(&w, 42, SY_ANSWER_FORBIDDEN, "not for you");
    assert_true(sy_answer_decode(&kind, &request_id, &body, sy_writer_slice(&w)));
    assert_int_equal(kind, SY_ANSWER_REFUSED);
    assert_int_equal(request_id, 42);
    assert_int_equal(sy_read_u16(&body, "code"), SY_ANSWER_FORBIDDEN);
    struct sy_slice sentence = sy_read_bytes16(&body, 64, "sentence");
    assert_true(sy_slice_equal(sentence, sy_slice_of("not for you", 11)));
    assert_true(sy_reader_done(&body));
    for (size_t size = 0; size < SY_REQUEST_HEADER_BYTES; size++) {
        assert_false(sy_answer_decode(&kind, &request_id, &body, sy_slice_of(bytes, size)));
    }
    bytes[2] = SY_ANSWER_FOUND + 1;
    assert_false(sy_answer_decode(&kind, &request_id, &body, sy_writer_slice(&w)));
    bytes[2] = SY_REQUEST_STATUS;
    assert_false(sy_answer_decode(&kind, &request_id, &body, sy_writer_slice(&w)));
    bytes[2] = SY_ANSWER_HELLO;
    assert_true(sy_answer_decode(&kind, &request_id, &body, sy_writer_slice(&w)));
    bytes[0] = 2;
    assert_false(sy_answer_decode(&kind, &request_id, &body, sy_writer_slice(&w)));
}

/* ---- files ------------------------------------------------------------------------------- */

CASE(request_samples_equal_their_files)
{
    const char *source = getenv("SYSTOLE_SOURCE");
    const char *wish = getenv("SYSTOLE_REGENERATE");
    struct sy_error err;
    for (unsigned i = 0; i < SAMPLES; i++) {
        char path[512];
        uint8_t *stored = NULL;
        size_t size = 0;
        (void)snprintf(path, sizeof path, "%s/tests/fuzz/corpus/request/%s", source ? source : ".",
                       samples[i].name);
        if (wish != NULL && strcmp(wish, "1") == 0) {
            sy_status status =
                sy_os_write_file(path, samples[i].bytes, samples[i].size, 0644, &err);
            assert_int_equal(status, SY_OK);
        }
        if (sy_os_read_file(&stored, &size, path, 8192, &err) != SY_OK) fail_msg("%s", err.text);
        bool same = sy_slice_equal(sy_slice_of(stored, size),
                                   sy_slice_of(samples[i].bytes, samples[i].size));
        free(stored);
        if (!same) fail_msg("%s differs: SYSTOLE_REGENERATE=1 writes it anew", path);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(request_reads_back_what_was_written),
        cmocka_unit_test(request_gives_every_field),
        cmocka_unit_test(submit_walks_its_transactions),
        cmocka_unit_test(request_cut_or_longer_is_refused),
        cmocka_unit_test(request_tells_its_id_even_when_it_is_refused),
        cmocka_unit_test(request_of_an_unknown_kind_or_version_is_refused),
        cmocka_unit_test(request_beyond_a_limit_is_refused),
        cmocka_unit_test(submit_without_transactions_or_with_too_long_ones_is_refused),
        cmocka_unit_test(read_keeps_its_rules),
        cmocka_unit_test(read_digest_covers_every_field),
        cmocka_unit_test(answers_begin_with_what_they_answer),
        cmocka_unit_test(request_samples_equal_their_files),
    };
    return cmocka_run_group_tests(cases, set_up, NULL);
}
