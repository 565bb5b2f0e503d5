/* test_api.c: who is told what on the client port: WAIT for those who have the transaction, ids for
 * members, headers for anybody; and whose transactions are put off.
 * ctest: threaded timeout=300 */
#include <stdlib.h>

#include "core/base/os.h"
#include "core/client/read.h"
#include "core/wire/state.h"
#include "tests/unit/api_rig.h"

static uint8_t room[4][SY_TX_BYTES_MAX];

/* ---- WAIT -------------------------------------------------------------------------------- */

CASE(api_tells_a_transaction_to_who_has_it)
{
    struct api_rig rig;
    struct arig_told told[3];
    struct sy_awaited items[3];
    arig_open(&rig, NULL, true);
    sy_dial *dial = arig_dial(&rig);
    items[0] = arig_awaited(&rig, arig_tx(&rig, room[0], 4, 0, 2));
    items[1] = arig_awaited(&rig, arig_tx(&rig, room[1], 4, 1, 7));
    items[2] = arig_awaited(&rig, arig_tx(&rig, room[2], 1, 0, 1));
    struct sy_client_request wait = arig_wait(items, 3, SY_WAIT_MS_MAX);
    arig_wait_call(&rig, dial, &wait, told);
    for (unsigned i = 0; i < 3; i++) assert_int_equal(told[i].state, SY_TX_FINAL);
    assert_true(told[0].height == 4 && told[0].index == 2);
    assert_true(told[1].height == 4 && told[1].index == 12);
    assert_true(told[2].height == 1 && told[2].index == 1);

    /* The witness of another transaction is as wrong as any. */
    struct sy_hash swapped = items[0].witness;
    items[0].witness = items[1].witness;
    items[1].witness = swapped;
    wait.body.wait.wait_ms = 0;
    arig_wait_call(&rig, dial, &wait, told);
    assert_int_equal(told[0].state, SY_TX_UNKNOWN);
    assert_int_equal(told[1].state, SY_TX_UNKNOWN);
    assert_int_equal(told[2].state, SY_TX_FINAL);
    sy_dial_close(dial);
    arig_close(&rig);
}

/* Byte for byte what is said of a transaction that nobody ever sent. */
CASE(api_answers_a_wrong_witness_like_an_unknown_id)
{
    static uint8_t unknown[256];
    struct api_rig rig;
    struct sy_reader body;
    arig_open(&rig, NULL, true);
    sy_dial *dial = arig_dial(&rig);
    struct sy_awaited right = arig_awaited(&rig, arig_tx(&rig, room[0], 4, 0, 0));
    struct sy_awaited item = {test_hash(99), right.witness};
    struct sy_client_request wait = arig_wait(&item, 1, 0);
    assert_int_equal(arig_call(&rig, dial, &wait, &body), SY_ANSWER_WAIT);
    size_t size = rig.answer_size;
    assert_in_range(size, 1, sizeof unknown);
    memcpy(unknown, rig.answer, size);
    for (unsigned bit = 0; bit < 8 * sizeof item; bit++) {
        item = right;
        uint8_t *bytes = bit < 256 ? item.witness.bytes : item.tx_id.bytes;
        bytes[bit % 256 / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_int_equal(arig_call(&rig, dial, &wait, &body), SY_ANSWER_WAIT);
        assert_int_equal(rig.answer_size, size);
        assert_memory_equal(rig.answer, unknown, size);
    }
    struct arig_told told;
    item = right;
    arig_wait_call(&rig, dial, &wait, &told);
    assert_int_equal(told.state, SY_TX_FINAL);
    sy_dial_close(dial);
    arig_close(&rig);
}

static void run_block(struct api_rig *rig)
{
    (void)chain_batch(&rig->chain, 3);
    chain_run(&rig->chain);
    chain_certify(&rig->chain);
    sy_api_certified(rig->api, rig->chain.done->header.height);
}

/* Four wait for a transaction that comes: twice its owner, once with a wrong witness, once for its
 * id with another's witness. */
CASE(api_wakes_those_who_have_what_was_certified)
{
    struct api_rig rig;
    struct sy_dial_answer answer;
    struct arig_told told[2];
    arig_open(&rig, NULL, true);
    sy_dial *dial = arig_dial(&rig);
    chain_add_records(&rig.chain, 2);
    struct sy_awaited both[2] = {arig_awaited(&rig, rig.chain.txs[0]),
                                 arig_awaited(&rig, rig.chain.txs[1])};
    struct sy_awaited wrong[2] = {both[0], {both[0].tx_id, both[1].witness}};
    wrong[0].witness.bytes[0] ^= 1;
    struct sy_client_request waits[4] = {
        arig_wait(&wrong[0], 1, SY_WAIT_MS_MAX), arig_wait(both, 2, SY_WAIT_MS_MAX),
        arig_wait(&wrong[1], 1, SY_WAIT_MS_MAX), arig_wait(both, 1, SY_WAIT_MS_MAX)};
    uint64_t numbers[4];
    for (unsigned i = 0; i < 4; i++) numbers[i] = arig_send(&rig, dial, &waits[i]);
    /* An answer to something else shows that the WAITs were taken, and not answered. */
    struct sy_client_request block = {.kind = SY_REQUEST_BLOCK};
    uint64_t last = arig_send(&rig, dial, &block);
    assert_true(sy_dial_poll(dial, &answer, TEST_PATIENCE_MS));
    assert_true(answer.id == last);

    run_block(&rig);
    for (unsigned found = 0; found < 2; found++) {
        struct sy_reader body;
        uint8_t kind;
        uint64_t id;
        assert_true(sy_dial_poll(dial, &answer, TEST_PATIENCE_MS));
        assert_int_equal(answer.status, SY_OK);
        assert_true(answer.id == numbers[1] || answer.id == numbers[3]);
        assert_true(sy_answer_decode(&kind, &id, &body, answer.body));
        assert_int_equal(kind, SY_ANSWER_WAIT);
        uint16_t count = answer.id == numbers[1] ? 2 : 1;
        arig_wait_read(&body, count, told);
        for (uint16_t i = 0; i < count; i++) {
            assert_int_equal(told[i].state, SY_TX_FINAL);
            assert_true(told[i].height == 5 && told[i].index == i);
        }
    }
    last = arig_send(&rig, dial, &block);
    assert_true(sy_dial_poll(dial, &answer, TEST_PATIENCE_MS));
    assert_true(answer.id == last); /* the others still wait */
    sy_dial_close(dial);
    arig_close(&rig);
}

/* A copy that decides nothing (its nonce is used) does not hide the one that does. */
CASE(api_tells_the_copy_that_decides)
{
    struct api_rig rig;
    struct arig_told told;
    arig_open(&rig, NULL, true);
    sy_dial *dial = arig_dial(&rig);
    struct sy_slice tx = arig_tx(&rig, room[0], 4, 1, 3);
    struct sy_awaited item = arig_awaited(&rig, tx);
    rig.chain.txs[rig.chain.tx_count++] = tx;
    run_block(&rig);
    assert_int_equal(rig.chain.done->refused_count, 1);
    struct sy_client_request wait = arig_wait(&item, 1, 0);
    arig_wait_call(&rig, dial, &wait, &told);
    assert_int_equal(told.state, SY_TX_FINAL);
    assert_int_equal(told.code, SY_APPLIED);
    assert_true(told.height == 4);
    sy_dial_close(dial);
    arig_close(&rig);
}

/* ---- BLOCK and ids ----------------------------------------------------------------------- */

CASE(api_shows_anybody_headers_and_nobody_ids_with_them)
{
    struct api_rig rig;
    struct sy_reader body;
    struct sy_header header;
    struct sy_certificate certificate;
    struct sy_proposal order;
    struct sy_client_request block = {.kind = SY_REQUEST_BLOCK};
    arig_open(&rig, NULL, true);
    sy_dial *dial = arig_dial(&rig);
    for (uint64_t height = 0; height <= 4; height++) {
        block.body.block_height = height;
        assert_int_equal(arig_call(&rig, dial, &block, &body), SY_ANSWER_BLOCK);
        assert_true(sy_header_decode(&body, &header));
        assert_true(header.height == height);
        assert_int_equal(sy_read_u8(&body, "certified"), height > 0);
        if (height > 0) {
            assert_true(sy_certificate_decode(&body, &certificate, CHAIN_VALIDATORS));
            assert_true(sy_certificate_verify(&certificate, &rig.chain.genesis.roster,
                                              &rig.chain.genesis.hash, &header));
            assert_true(sy_proposal_decode(&body, &order));
        }
        assert_true(sy_reader_done(&body));
    }
    block.body.block_height = 5;
    assert_int_equal(arig_refused(&rig, dial, &block), SY_ANSWER_NOT_FOUND);
    sy_dial_close(dial);
    arig_close(&rig);
}

static void assert_ids(struct api_rig *rig, sy_dial *dial, uint64_t height,
                       const sy_secret_key *key)
{
    struct sy_reader body;
    struct sy_slice stored = {NULL, 0};
    struct sy_client_request request = arig_ids(rig, height, key);
    assert_int_equal(arig_call(rig, dial, &request, &body), SY_ANSWER_IDS);
    assert_true(sy_read_u64(&body, "height") == height);
    uint32_t count = sy_read_u32(&body, "count");
    struct sy_slice ids = sy_read_raw(&body, (size_t)count * 32, "ids");
    assert_true(sy_reader_done(&body));
    if (height > 0) {
        assert_int_equal(sy_ledger_get(rig->chain.reader, &stored, height, SY_BLOCK_TX_IDS), SY_OK);
    }
    assert_true(sy_slice_equal(ids, stored));
}

CASE(api_tells_ids_to_members)
{
    struct api_rig rig;
    arig_open(&rig, NULL, true);
    sy_dial *dial = arig_dial(&rig);
    for (uint64_t height = 0; height <= 4; height++) {
        assert_ids(&rig, dial, height, test_key(TEST_REGULATOR));
    }
    for (unsigned key = 0; key < 3 * CHAIN_VALIDATORS; key++) {
        assert_ids(&rig, dial, 4, test_key(key)); /* consensus, link and admin keys */
    }
    struct sy_client_request request = arig_ids(&rig, 4, test_key(300));
    assert_int_equal(arig_refused(&rig, dial, &request), SY_ANSWER_FORBIDDEN);
    request = arig_ids(&rig, 5, test_key(TEST_REGULATOR));
    assert_int_equal(arig_refused(&rig, dial, &request), SY_ANSWER_NOT_FOUND);
    request = arig_ids(&rig, UINT64_MAX, test_key(TEST_REGULATOR));
    assert_int_equal(arig_refused(&rig, dial, &request), SY_ANSWER_NOT_FOUND);
    sy_dial_close(dial);
    arig_close(&rig);
}

/* Who begins, or is cut off from the others, has nothing that it could prove. */
CASE(api_answers_no_read_before_a_block_is_certified)
{
    struct api_rig rig;
    struct sy_reader body;
    struct sy_client_request newest = {.kind = SY_REQUEST_BLOCK,
                                       .body.block_height = SY_HEIGHT_NEWEST};
    arig_open(&rig, NULL, false);
    sy_dial *dial = arig_dial(&rig);
    struct sy_client_request request = arig_ids(&rig, 0, test_key(TEST_REGULATOR));
    assert_int_equal(arig_refused(&rig, dial, &request), SY_ANSWER_BUSY);
    assert_int_equal(arig_call(&rig, dial, &newest, &body), SY_ANSWER_BLOCK);
    sy_dial_close(dial);
    arig_close(&rig);
}

/* Every bit of what was signed counts, and a read is good for one use. */
CASE(api_takes_no_other_read_for_a_members)
{
    struct api_rig rig;
    struct sy_reader body;
    arig_open(&rig, NULL, true);
    sy_dial *dial = arig_dial(&rig);
    struct sy_client_request good = arig_ids(&rig, 4, test_key(TEST_REGULATOR));
    for (unsigned bit = 0; bit < 512; bit += 5) {
        struct sy_client_request bad = good;
        bad.body.read.signature.bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_int_equal(arig_refused(&rig, dial, &bad), SY_ANSWER_MALFORMED);
    }
    struct sy_client_request other = good;
    sy_read_ids(&other.body.read, 3);
    assert_int_equal(arig_refused(&rig, dial, &other), SY_ANSWER_MALFORMED);
    assert_int_equal(arig_call(&rig, dial, &good, &body), SY_ANSWER_IDS);
    assert_int_equal(arig_refused(&rig, dial, &good), SY_ANSWER_STALE_READ);
    sy_dial_close(dial);
    arig_close(&rig);
}

/* ---- strangers --------------------------------------------------------------------------- */

#define FLOOD 40u

/* A transaction signed by these keys alone; its payload does not matter here. */
static struct sy_slice tx_by(struct api_rig *rig, struct sy_writer *writer, const unsigned *keys,
                             unsigned count)
{
    struct sy_tx tx;
    union sy_payload payload = {0};
    const struct sy_kind *kind = sy_kind_by_number(SY_KIND_care_close);
    payload.care_close.care_id = test_hash(keys[0]);
    size_t start = writer->used;
    sy_payload_encode(writer, kind, &payload);
    test_tx_begin(&tx, &rig->chain.genesis, kind->number, keys, count);
    tx.payload = sy_slice_of(writer->data + start, writer->used - start);
    return test_tx_sign(writer, &tx, keys, count);
}

/* What the consensus thread does: takes the SUBMIT and answers RECEIVED for what is not held. How
 * many are. False: nothing came. */
static bool take_submit(struct api_rig *rig, uint32_t *held, int timeout_ms)
{
    struct sy_inbox_item item;
    static struct sy_submit_outcome outcomes[SY_SUBMIT_TXS_MAX];
    if (!sy_ring_pop_wait(rig->inbox, &item, timeout_ms)) return false;
    assert_int_equal(item.type, SY_INBOX_SUBMIT);
    const struct sy_inbox_submit *submit = (const struct sy_inbox_submit *)item.pointer;
    uint32_t count = submit->request->body.submit.count;
    *held = 0;
    for (uint32_t i = 0; i < count; i++) {
        outcomes[i] = (struct sy_submit_outcome){.state = SY_TX_RECEIVED};
        if (submit->held[i] == SY_APPLIED) continue;
        assert_int_equal(submit->held[i], SY_E_KEY_UNKNOWN);
        outcomes[i] = (struct sy_submit_outcome){
            .state = SY_TX_BUSY, .code = submit->held[i], .retry_ms = SY_HELD_RETRY_MS};
        ++*held;
    }
    sy_api_submitted(rig->api, item.number);
    sy_api_outcomes(rig->api, item.number, count, outcomes);
    return true;
}

/* One second's worth and what comes in the time that the test takes. */
static const struct sy_api_limits one = {.strangers_a_session_per_s = 1, .strangers_per_s = 2};

CASE(api_puts_strangers_off_while_members_go_on)
{
    static uint8_t bytes[1u << 20], section[SY_FRAME_BYTES_MAX];
    struct sy_writer writer = sy_writer_of(bytes, sizeof bytes);
    struct sy_slice txs[2 * FLOOD];
    struct api_rig rig;
    struct sy_reader body;
    uint32_t held;
    arig_open(&rig, &one, true);
    for (unsigned i = 0; i < FLOOD; i++) {
        unsigned stranger = 300 + i;
        unsigned member = TEST_REGULATOR;
        txs[2 * i] = tx_by(&rig, &writer, &stranger, 1);
        txs[2 * i + 1] = tx_by(&rig, &writer, &member, 1);
    }
    sy_dial *dial = arig_dial(&rig);
    struct sy_client_request submit = arig_submit(section, txs, 2 * FLOOD);
    (void)arig_send(&rig, dial, &submit);
    assert_true(take_submit(&rig, &held, TEST_PATIENCE_MS));
    assert_in_range(held, FLOOD - 2, FLOOD - 1); /* all in one moment: what is saved up */

    struct sy_dial_answer answer;
    uint8_t kind;
    uint64_t id;
    assert_true(sy_dial_poll(dial, &answer, TEST_PATIENCE_MS));
    assert_true(sy_answer_decode(&kind, &id, &body, answer.body));
    assert_int_equal(kind, SY_ANSWER_SUBMIT);
    assert_int_equal(sy_read_u16(&body, "count"), 2 * FLOOD);
    for (unsigned i = 0; i < 2 * FLOOD; i++) {
        uint8_t how = sy_read_u8(&body, "state");
        uint16_t code = sy_read_u16(&body, "code");
        uint32_t retry_ms = sy_read_u32(&body, "retry_ms");
        if (i % 2 == 1) assert_int_equal(how, SY_TX_RECEIVED);
        assert_int_equal(code, how == SY_TX_BUSY ? SY_E_KEY_UNKNOWN : 0);
        assert_int_equal(retry_ms, how == SY_TX_BUSY ? SY_HELD_RETRY_MS : 0);
    }
    sy_dial_close(dial);
    arig_close(&rig);
}

enum showing { BY_READ, BY_WAIT, BY_SUBMIT, SHOWINGS };

/* A client that has shown who it is keeps its session, though strangers want it all the time. */
static void keep_session(struct api_rig *rig, enum showing showing,
                         struct sy_client_request *submit)
{
    static uint8_t own_room[SY_TX_BYTES_MAX];
    struct arig_told told;
    struct sy_reader body;
    uint32_t held;
    struct sy_awaited item = arig_awaited(rig, arig_tx(rig, own_room, 3, 0, 0));
    struct sy_client_request wait = arig_wait(&item, 1, 0);
    struct sy_client_request ids = arig_ids(rig, 4, test_key(TEST_REGULATOR));
    struct sy_dial_answer answer;
    sy_dial *dial = arig_dial(rig);
    switch (showing) {
    case BY_READ: assert_int_equal(arig_call(rig, dial, &ids, &body), SY_ANSWER_IDS); break;
    case BY_WAIT: arig_wait_call(rig, dial, &wait, &told); break;
    default:
        (void)arig_send(rig, dial, submit);
        assert_true(take_submit(rig, &held, TEST_PATIENCE_MS));
        assert_true(sy_dial_poll(dial, &answer, TEST_PATIENCE_MS));
    }
    (void)arig_send(rig, dial, submit);
    for (unsigned i = 0; i < 20; i++) {
        struct sy_client_request block = {.kind = SY_REQUEST_BLOCK, .request_id = i};
        sy_dial *stranger = arig_dial(rig);
        assert_int_equal(arig_call(rig, stranger, &block, &body), SY_ANSWER_BLOCK);
        sy_dial_close(stranger);
    }
    assert_true(take_submit(rig, &held, TEST_PATIENCE_MS));
    assert_true(sy_dial_poll(dial, &answer, TEST_PATIENCE_MS / 2));
    assert_int_equal(answer.status, SY_OK);
    sy_dial_close(dial);
}

CASE(api_lets_strangers_make_room_and_members_stay)
{
    static uint8_t bytes[1u << 16], section[SY_FRAME_BYTES_MAX];
    const struct sy_server_config crowded = {.sessions_max = SHOWINGS + 1, .stranger_ms = 1};
    struct sy_writer writer = sy_writer_of(bytes, sizeof bytes);
    struct api_rig rig;
    unsigned member = TEST_REGULATOR;
    arig_open_with(&rig, &crowded, NULL, true);
    struct sy_slice tx = tx_by(&rig, &writer, &member, 1);
    struct sy_client_request submit = arig_submit(section, &tx, 1);
    for (int i = 0; i < SHOWINGS; i++) keep_session(&rig, (enum showing)i, &submit);
    arig_close(&rig);
}

/* However many sessions they open, and even when no member is beside them. */
CASE(api_orders_few_strangers_in_all)
{
    static uint8_t bytes[1u << 20], section[SY_FRAME_BYTES_MAX];
    struct sy_writer writer = sy_writer_of(bytes, sizeof bytes);
    struct sy_slice txs[FLOOD];
    struct api_rig rig;
    uint32_t passed = 0, held;
    arig_open(&rig, &one, true);
    for (unsigned i = 0; i < FLOOD; i++) {
        unsigned stranger = 300 + i;
        txs[i] = tx_by(&rig, &writer, &stranger, 1);
    }
    uint64_t begin_ns = sy_os_monotonic_ns();
    struct sy_client_request submit = arig_submit(section, txs, FLOOD);
    for (unsigned i = 0; i < 8; i++) {
        struct sy_dial_answer answer;
        sy_dial *dial = arig_dial(&rig);
        (void)arig_send(&rig, dial, &submit);
        while (!sy_dial_poll(dial, &answer, 5)) {
            if (take_submit(&rig, &held, 0)) passed += FLOOD - held;
        }
        assert_int_equal(answer.status, SY_OK);
        sy_dial_close(dial);
    }
    uint64_t seconds = (sy_os_monotonic_ns() - begin_ns) / 1000000000u + 1;
    assert_in_range(passed, 1, 2 * (1 + seconds) + 1);
    arig_close(&rig);
}

/* One known signer is enough, first or later: enrolments are signed by the new key too. A
 * validator's own key signs no transactions. */
CASE(api_takes_what_one_known_key_signs)
{
    static uint8_t bytes[1u << 16], section[SY_FRAME_BYTES_MAX];
    static const struct {
        unsigned keys[3];
        unsigned count;
        bool known;
    } cases[] = {{{TEST_REGULATOR, 300}, 2, true},
                 {{300, TEST_REGULATOR}, 2, true},
                 {{300, 301, TEST_REGULATOR + 1}, 3, true},
                 {{300, 301, 302}, 3, false},
                 {{0}, 1, false},
                 {{2}, 1, false}};
    struct api_rig rig;
    uint32_t held;
    arig_open(&rig, &one, true);
    sy_dial *dial = arig_dial(&rig);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sy_writer writer = sy_writer_of(bytes, sizeof bytes);
        struct sy_slice txs[FLOOD];
        struct sy_slice tx = tx_by(&rig, &writer, cases[i].keys, cases[i].count);
        for (unsigned k = 0; k < FLOOD; k++) txs[k] = tx;
        struct sy_client_request submit = arig_submit(section, txs, FLOOD);
        (void)arig_send(&rig, dial, &submit);
        struct sy_dial_answer answer;
        held = FLOOD; /* unless somebody hears of it, all of it is */
        while (!sy_dial_poll(dial, &answer, 5)) (void)take_submit(&rig, &held, 0);
        assert_int_equal(answer.status, SY_OK);
        if (cases[i].known) assert_int_equal(held, 0);
        if (!cases[i].known) assert_in_range(held, FLOOD - 2, FLOOD);
    }
    sy_dial_close(dial);
    arig_close(&rig);
}

/* As soon as a validator has executed the enrolment, the key is no stranger here. */
CASE(api_knows_a_key_once_its_enrolment_is_executed)
{
    static uint8_t bytes[1u << 16], section[SY_FRAME_BYTES_MAX];
    struct api_rig rig;
    struct sy_slice txs[FLOOD];
    struct sy_dial_answer answer;
    struct sy_hash id;
    uint32_t held = FLOOD;
    arig_open(&rig, &one, false);
    /* Its three gateways sign in turn. */
    for (unsigned i = 0, used = 0; i < FLOOD; i++) {
        txs[i] = sy_population_record(rig.chain.population, bytes + used, &id,
                                      TEST_GENESIS_MS + 3600 * 1000);
        used += (unsigned)txs[i].size;
        assert_true(used + SY_POPULATION_TX_BYTES < sizeof bytes);
    }
    struct sy_client_request submit = arig_submit(section, txs, FLOOD);
    sy_dial *dial = arig_dial(&rig);
    (void)arig_send(&rig, dial, &submit);
    while (!sy_dial_poll(dial, &answer, 5)) (void)take_submit(&rig, &held, 0);
    assert_in_range(held, FLOOD - 2, FLOOD);
    chain_populate(&rig.chain);
    (void)arig_send(&rig, dial, &submit);
    assert_true(take_submit(&rig, &held, TEST_PATIENCE_MS));
    assert_int_equal(held, 0);
    sy_dial_close(dial);
    arig_close(&rig);
}

/* ---- the end ----------------------------------------------------------------------------- */

static struct sy_client_request read_params(const struct api_rig *rig)
{
    struct sy_client_request request = {.kind = SY_REQUEST_READ};
    struct sy_read_request *read = &request.body.read;
    read->subject = SY_READ_STATE;
    read->state_kind = SY_STATE_PARAMS;
    read->purpose = SY_PURPOSE_AUDIT;
    sy_read_sign(read, test_key(TEST_REGULATOR), &rig->chain.genesis);
    return request;
}

/* Clients ask until the end. */
CASE(api_that_is_stopped_asks_nobody_any_more)
{
    struct api_rig rig;
    struct sy_reader body;
    sy_runner *runner = NULL;
    struct sy_error err = {SY_OK, ""};
    arig_open(&rig, NULL, true);
    sy_status status =
        sy_runner_open(&runner, rig.chain.executor, rig.inbox, sy_api_proved, rig.api, &err);
    if (status != SY_OK) fail_msg("%s", err.text);
    sy_api_set_runner(rig.api, runner);
    sy_dial *dial = arig_dial(&rig);
    struct sy_client_request read = read_params(&rig);
    assert_int_equal(arig_call(&rig, dial, &read, &body), SY_ANSWER_READ);
    for (unsigned i = 1; i <= 200; i++) {
        read = read_params(&rig);
        read.request_id = i;
        (void)arig_send(&rig, dial, &read);
    }
    sy_api_stop(rig.api);
    sy_runner_close(runner);
    static uint8_t section[SY_FRAME_BYTES_MAX];
    const struct sy_slice tx = sy_slice_of("no transaction", 14);
    struct sy_client_request submit = arig_submit(section, &tx, 1);
    (void)arig_send(&rig, dial, &submit);
    struct sy_inbox_item item;
    assert_false(sy_ring_pop_wait(rig.inbox, &item, 300));
    sy_api_stop(rig.api); /* again is fine */
    sy_dial_close(dial);
    arig_close(&rig);
}

CASE(api_of_an_observer_serves_reads_and_refuses_transactions)
{
    struct api_rig rig;
    struct sy_inbox_item item;
    struct sy_reader body;
    static uint8_t section[SY_FRAME_BYTES_MAX];
    arig_open_observer(&rig);
    sy_dial *dial = arig_dial(&rig);
    struct sy_slice tx = arig_tx(&rig, room[0], 1, 0, 1);
    struct sy_client_request submit = arig_submit(section, &tx, 1);
    assert_int_equal(arig_refused(&rig, dial, &submit), SY_ANSWER_OBSERVER);
    static const char advice[] = "submit to a validator"; /* the sentence's end */
    assert_true(rig.answer_size >= strlen(advice));
    assert_memory_equal(rig.answer + rig.answer_size - strlen(advice), advice, strlen(advice));
    assert_false(sy_ring_pop(rig.inbox, &item)); /* consensus hears nothing of it */
    struct sy_client_request block = {.kind = SY_REQUEST_BLOCK};
    assert_int_equal(arig_call(&rig, dial, &block, &body), SY_ANSWER_BLOCK);
    sy_dial_close(dial);
    arig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(api_of_an_observer_serves_reads_and_refuses_transactions),
        cmocka_unit_test(api_tells_a_transaction_to_who_has_it),
        cmocka_unit_test(api_answers_a_wrong_witness_like_an_unknown_id),
        cmocka_unit_test(api_wakes_those_who_have_what_was_certified),
        cmocka_unit_test(api_tells_the_copy_that_decides),
        cmocka_unit_test(api_shows_anybody_headers_and_nobody_ids_with_them),
        cmocka_unit_test(api_tells_ids_to_members),
        cmocka_unit_test(api_answers_no_read_before_a_block_is_certified),
        cmocka_unit_test(api_takes_no_other_read_for_a_members),
        cmocka_unit_test(api_puts_strangers_off_while_members_go_on),
        cmocka_unit_test(api_lets_strangers_make_room_and_members_stay),
        cmocka_unit_test(api_orders_few_strangers_in_all),
        cmocka_unit_test(api_takes_what_one_known_key_signs),
        cmocka_unit_test(api_knows_a_key_once_its_enrolment_is_executed),
        cmocka_unit_test(api_that_is_stopped_asks_nobody_any_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
