/* test_api_greed.c: clients that ask for much do not shut the others out; those who ask for what is
 * gone are told so.
 * ctest: threaded timeout=120 */
#include <string.h>

#include "core/base/telemetry.h"
#include "core/client/read.h"
#include "tests/support/stores.h"
#include "tests/unit/api_rig.h"

#define SESSIONS 5u
#define WAITS_A_SESSION 250u
#define COPIES_AT_ONCE 64u /* of a transaction that are looked at without a pause */
#define AWAITED_MAX 65536u /* transactions that all WAITs together may wait for */

/* A WAIT of half a minute for a transaction that nobody has. */
static void send_wait(struct api_rig *rig, sy_dial *dial, uint32_t number)
{
    struct sy_awaited item = {{{0x77}}, {{0x78}}};
    sy_store_u32(item.tx_id.bytes + 4, number);
    struct sy_client_request wait = arig_wait(&item, 1, SY_WAIT_MS_MAX);
    wait.request_id = number;
    (void)arig_send(rig, dial, &wait);
}

CASE(api_takes_submits_while_strangers_wait_for_nothing)
{
    struct api_rig rig;
    sy_dial *dials[SESSIONS];
    arig_open(&rig, NULL, true);
    for (uint32_t i = 0; i < SESSIONS; i++) {
        dials[i] = arig_dial(&rig);
        for (uint32_t k = 0; k < WAITS_A_SESSION; k++) send_wait(&rig, dials[i], i * 1000 + k);
    }
    /* What is too much is answered early, oldest first, and nobody is told "busy". */
    struct sy_dial_answer answer;
    assert_true(sy_dial_poll(dials[0], &answer, TEST_PATIENCE_MS));
    assert_int_equal(answer.status, SY_OK);
    struct sy_reader body;
    uint8_t kind;
    uint64_t request_id;
    assert_true(sy_answer_decode(&kind, &request_id, &body, answer.body));
    assert_int_equal(kind, SY_ANSWER_WAIT);
    assert_int_equal(request_id, 0);

    static uint8_t section[SY_FRAME_BYTES_MAX];
    const struct sy_slice tx = sy_slice_of("no transaction", 14);
    struct sy_client_request submit = arig_submit(section, &tx, 1);
    sy_dial *honest = arig_dial(&rig);
    (void)arig_send(&rig, honest, &submit);
    struct sy_inbox_item item;
    assert_true(sy_ring_pop_wait(rig.inbox, &item, TEST_PATIENCE_MS));
    assert_int_equal(item.type, SY_INBOX_SUBMIT);
    sy_dial_close(honest);
    for (uint32_t i = 0; i < SESSIONS; i++) sy_dial_close(dials[i]);
    arig_close(&rig);
}

/* Who waits for more than there is room for makes room itself, and not who waits for one. */
CASE(api_lets_who_waits_for_most_give_way)
{
    enum { GREEDY_WAITS = AWAITED_MAX / SY_WAIT_IDS_MAX + 20u };
    static struct sy_awaited many[SY_WAIT_IDS_MAX];
    struct api_rig rig;
    struct sy_dial_answer answer;
    struct arig_told told;
    struct sy_reader body;
    uint8_t kind;
    uint64_t id;
    arig_open(&rig, NULL, true);
    chain_add_records(&rig.chain, 1);
    struct sy_awaited one = arig_awaited(&rig, rig.chain.txs[0]);
    struct sy_client_request wait = arig_wait(&one, 1, SY_WAIT_MS_MAX);
    struct sy_client_request block = {.kind = SY_REQUEST_BLOCK};
    sy_dial *modest = arig_dial(&rig), *greedy = arig_dial(&rig);
    uint64_t awaited = arig_send(&rig, modest, &wait);
    uint64_t taken = arig_send(&rig, modest, &block);
    assert_true(sy_dial_poll(modest, &answer, TEST_PATIENCE_MS));
    assert_true(answer.id == taken); /* the WAIT came first, and waits */
    for (uint32_t i = 0; i < GREEDY_WAITS; i++) {
        for (uint32_t k = 0; k < SY_WAIT_IDS_MAX; k++) {
            sy_store_u32(many[k].tx_id.bytes, i);
            sy_store_u32(many[k].tx_id.bytes + 4, k);
        }
        struct sy_client_request much = arig_wait(many, SY_WAIT_IDS_MAX, SY_WAIT_MS_MAX);
        (void)arig_send(&rig, greedy, &much);
    }
    for (unsigned i = 0; i < 20; i++) {
        assert_true(sy_dial_poll(greedy, &answer, TEST_PATIENCE_MS));
    }
    (void)chain_batch(&rig.chain, 2);
    chain_run(&rig.chain);
    chain_certify(&rig.chain);
    sy_api_certified(rig.api, rig.chain.done->header.height);
    assert_true(sy_dial_poll(modest, &answer, TEST_PATIENCE_MS));
    assert_true(answer.id == awaited);
    assert_true(sy_answer_decode(&kind, &id, &body, answer.body));
    arig_wait_read(&body, 1, &told);
    assert_int_equal(told.state, SY_TX_FINAL);
    sy_dial_close(modest);
    sy_dial_close(greedy);
    arig_close(&rig);
}

CASE(api_refuses_reads_signed_at_impossible_times)
{
    struct api_rig rig;
    arig_open(&rig, NULL, true);
    sy_dial *dial = arig_dial(&rig);
    const int64_t times[] = {INT64_MIN, -1, INT64_MAX};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        struct sy_hash digest;
        struct sy_client_request request = {.kind = SY_REQUEST_READ, .request_id = i};
        struct sy_read_request *read = &request.body.read;
        read->subject = SY_READ_TX;
        read->purpose = SY_PURPOSE_AUDIT;
        read->time_ms = times[i];
        sy_secret_key_public(rig.place.key, &read->reader); /* any key may sign */
        sy_read_digest(&digest, &rig.chain.genesis.hash, read);
        sy_sign(rig.place.key, &read->signature, SY_SIG_READ, &digest);
        assert_int_equal(arig_refused(&rig, dial, &request), SY_ANSWER_STALE_READ);
    }
    sy_dial_close(dial);
    arig_close(&rig);
}

/* 1 byte a second: the first request of a session uses up an hour of it. */
static const struct sy_api_limits mean = {.work_per_s = 1};

CASE(api_lets_a_session_have_so_much_and_others_all_the_same)
{
    struct api_rig rig;
    struct sy_reader body;
    struct sy_client_request block = {.kind = SY_REQUEST_BLOCK};
    block.body.block_height = 4;
    arig_open(&rig, &mean, true);
    struct sy_client_request ids = arig_ids(&rig, 4, test_key(TEST_REGULATOR));
    sy_dial *greedy = arig_dial(&rig);
    assert_int_equal(arig_call(&rig, greedy, &block, &body), SY_ANSWER_BLOCK);
    assert_int_equal(arig_call(&rig, greedy, &block, &body), 0);
    assert_int_equal(arig_call(&rig, greedy, &ids, &body), 0);
    sy_dial *modest = arig_dial(&rig);
    assert_int_equal(arig_call(&rig, modest, &ids, &body), SY_ANSWER_IDS);
    sy_dial_close(greedy);
    sy_dial_close(modest);
    arig_close(&rig);
}

/* What a WAIT may not look for yet it looks for later, and tells as unknown until then. */
CASE(api_looks_for_no_more_than_a_session_may_cost)
{
    static uint8_t room[2][SY_TX_BYTES_MAX];
    struct api_rig rig;
    struct arig_told told[2];
    struct sy_awaited items[2];
    arig_open(&rig, &mean, true);
    for (unsigned i = 0; i < 2; i++) {
        items[i] = arig_awaited(&rig, arig_tx(&rig, room[i], 2 + i, 0, 0));
    }
    struct sy_client_request wait = arig_wait(items, 2, 0);
    sy_dial *dial = arig_dial(&rig);
    arig_wait_call(&rig, dial, &wait, told);
    assert_int_equal(told[0].state, SY_TX_FINAL);
    assert_int_equal(told[1].state, SY_TX_UNKNOWN);
    sy_dial_close(dial);
    dial = arig_dial(&rig);
    wait = arig_wait(&items[1], 1, SY_WAIT_MS_MAX);
    arig_wait_call(&rig, dial, &wait, told);
    assert_int_equal(told[0].state, SY_TX_FINAL);
    sy_dial_close(dial);
    arig_close(&rig);
}

/* Half of a second's work is left when the WAIT begins; it goes on until all is told. */
CASE(api_goes_on_looking_when_a_session_may_again)
{
    static struct sy_awaited items[SY_WAIT_IDS_MAX];
    static struct arig_told told[SY_WAIT_IDS_MAX];
    static uint8_t room[SY_TX_BYTES_MAX];
    const struct sy_api_limits slow = {.work_per_s = 65536};
    struct api_rig rig;
    arig_open(&rig, &slow, true);
    struct sy_awaited item = arig_awaited(&rig, arig_tx(&rig, room, 3, 0, 0));
    for (unsigned i = 0; i < SY_WAIT_IDS_MAX; i++) items[i] = item;
    struct sy_client_request wait = arig_wait(items, SY_WAIT_IDS_MAX, SY_WAIT_MS_MAX);
    sy_dial *dial = arig_dial(&rig);
    arig_wait_call(&rig, dial, &wait, told);
    for (unsigned i = 0; i < SY_WAIT_IDS_MAX; i++) assert_int_equal(told[i].state, SY_TX_FINAL);
    sy_dial_close(dial);
    arig_close(&rig);
}

static bool says(const struct api_rig *rig, const char *words)
{
    return memmem(rig->answer, rig->answer_size, words, strlen(words)) != NULL;
}

static struct sy_client_request signed_read(const struct api_rig *rig, uint64_t request_id)
{
    struct sy_client_request request = {.kind = SY_REQUEST_READ, .request_id = request_id};
    struct sy_read_request *read = &request.body.read;
    read->subject = SY_READ_RECEIPT;
    read->purpose = SY_PURPOSE_AUDIT;
    read->id = test_hash(4242); /* never ordered */
    sy_read_sign(read, rig->place.key, &rig->chain.genesis);
    return request;
}

/* --- one transaction in many blocks ---------------------------------------------------------- */

#define COPIES 12u /* more than blocks stay open */

/* A fresh one, copied to room. */
static struct sy_slice make_tx(struct api_rig *rig, uint8_t room[SY_TX_BYTES_MAX])
{
    chain_add_records(&rig->chain, 1);
    struct sy_slice tx = rig->chain.txs[--rig->chain.tx_count];
    memcpy(room, tx.data, tx.size);
    return sy_slice_of(room, tx.size);
}

static void run_copy(struct api_rig *rig, struct sy_slice tx)
{
    rig->chain.txs[rig->chain.tx_count++] = tx;
    (void)chain_batch(&rig->chain, 2);
    chain_run(&rig->chain);
    chain_certify(&rig->chain);
    sy_api_certified(rig->api, rig->chain.done->header.height);
}

/* What was read of blocks, once all that dial asked before is done. */
static uint64_t read_so_far(struct api_rig *rig, sy_dial *dial)
{
    struct sy_reader body;
    struct sy_client_request block = {.kind = SY_REQUEST_BLOCK, .request_id = 99};
    assert_int_equal(arig_call(rig, dial, &block, &body), SY_ANSWER_BLOCK);
    return sy_metric_get(SY_M_client_blocks_read_bytes_total);
}

static struct sy_client_request guess(const struct api_rig *rig, struct sy_awaited *item,
                                      struct sy_slice tx, uint32_t wait_ms)
{
    *item = arig_awaited(rig, tx);
    item->witness.bytes[0] ^= 1;
    return arig_wait(item, 1, wait_ms);
}

/* Whoever waits without having it costs nothing but the look at the new copy, however many wait and
 * however many copies there were. */
CASE(api_looks_at_a_new_copy_alone)
{
    enum { GUESSERS = 20 };
    static uint8_t room[SY_TX_BYTES_MAX];
    struct api_rig rig;
    struct sy_awaited item;
    arig_open(&rig, NULL, true);
    struct sy_slice tx = make_tx(&rig, room);
    for (unsigned i = 0; i < COPIES; i++) run_copy(&rig, tx);
    struct sy_client_request wait = guess(&rig, &item, tx, SY_WAIT_MS_MAX);
    sy_dial *dial = arig_dial(&rig);
    uint64_t before = read_so_far(&rig, dial);
    for (unsigned i = 0; i < GUESSERS; i++) (void)arig_send(&rig, dial, &wait);
    uint64_t looks = read_so_far(&rig, dial) - before;
    run_copy(&rig, tx);
    uint64_t news = read_so_far(&rig, dial) - before - looks;
    assert_true(looks > 0 && news > 0);
    assert_true(news * GUESSERS < looks);
    sy_dial_close(dial);
    arig_close(&rig);
}

/* One WAIT of a session that has used its share up reads one block, not those of all copies. */
CASE(api_looks_at_copies_one_after_the_other)
{
    static uint8_t room[SY_TX_BYTES_MAX];
    struct api_rig rig;
    struct arig_told told;
    struct sy_awaited item;
    uint64_t read[2];
    for (unsigned i = 0; i < 2; i++) {
        arig_open(&rig, i == 0 ? NULL : &mean, true);
        struct sy_slice tx = make_tx(&rig, room);
        for (unsigned k = 0; k < COPIES; k++) run_copy(&rig, tx);
        struct sy_client_request wait = guess(&rig, &item, tx, 0);
        sy_dial *dial = arig_dial(&rig), *other = arig_dial(&rig);
        uint64_t before = read_so_far(&rig, other);
        arig_wait_call(&rig, dial, &wait, &told);
        assert_int_equal(told.state, SY_TX_UNKNOWN);
        read[i] = sy_metric_get(SY_M_client_blocks_read_bytes_total) - before;
        sy_dial_close(dial);
        sy_dial_close(other);
        arig_close(&rig);
    }
    assert_true(read[1] > 0 && read[1] * (COPIES / 2) < read[0]);
}

/* Whoever has a transaction may have copies of it ordered before it can be decided. */
CASE(api_tells_what_decides_behind_many_copies_that_do_not)
{
    static uint8_t room[SY_TX_BYTES_MAX];
    struct api_rig rig;
    struct arig_told told;
    arig_open(&rig, NULL, false);
    struct sy_slice tx = make_tx(&rig, room); // of a key that is not enrolled yet
    struct sy_awaited item = arig_awaited(&rig, tx);
    for (unsigned i = 0; i < COPIES_AT_ONCE + 6; i++) {
        run_copy(&rig, tx);
        assert_int_equal(rig.chain.done->refused_count, 1);
    }
    for (unsigned stage = 0; stage < SY_POPULATION_STAGES; stage++) {
        chain_add_stage(&rig.chain, stage);
        (void)chain_batch(&rig.chain, 2);
        chain_run(&rig.chain);
        chain_certify(&rig.chain);
    }
    run_copy(&rig, tx);
    assert_int_equal(rig.chain.done->applied_count, 1);
    struct sy_client_request wait = arig_wait(&item, 1, SY_WAIT_MS_MAX);
    sy_dial *dial = arig_dial(&rig);
    arig_wait_call(&rig, dial, &wait, &told);
    assert_int_equal(told.state, SY_TX_FINAL);
    assert_int_equal(told.code, SY_APPLIED);
    sy_dial_close(dial);
    arig_close(&rig);
}

CASE(api_says_pruned_of_what_may_be_gone_and_not_found_of_what_is_not)
{
    struct api_rig rig;
    arig_open(&rig, NULL, true);
    sy_dial *dial = arig_dial(&rig);
    struct sy_client_request old = {.kind = SY_REQUEST_BLOCK, .request_id = 1};
    struct sy_client_request future = {.kind = SY_REQUEST_BLOCK, .request_id = 2};
    struct sy_client_request read = signed_read(&rig, 3);
    old.body.block_height = 1;
    future.body.block_height = 9999;
    assert_int_equal(arig_refused(&rig, dial, &read), SY_ANSWER_NOT_FOUND);

    test_store_prune(rig.chain.store, 3);
    assert_int_equal(sy_ledger_pruned(rig.chain.store), 3);
    assert_int_equal(arig_refused(&rig, dial, &old), SY_ANSWER_PRUNED);
    assert_true(says(&rig, "pruned at 3: ") && says(&rig, sy_refusal_info(SY_E_PRUNED)->remedy));
    read = signed_read(&rig, 4);
    assert_int_equal(arig_refused(&rig, dial, &read), SY_ANSWER_PRUNED);
    assert_true(says(&rig, "pruned at 3: "));
    struct sy_client_request ids = arig_ids(&rig, 1, test_key(TEST_REGULATOR));
    assert_int_equal(arig_refused(&rig, dial, &ids), SY_ANSWER_PRUNED);
    assert_int_equal(arig_refused(&rig, dial, &future), SY_ANSWER_NOT_FOUND);
    sy_dial_close(dial);
    arig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(api_takes_submits_while_strangers_wait_for_nothing),
        cmocka_unit_test(api_lets_who_waits_for_most_give_way),
        cmocka_unit_test(api_refuses_reads_signed_at_impossible_times),
        cmocka_unit_test(api_lets_a_session_have_so_much_and_others_all_the_same),
        cmocka_unit_test(api_looks_for_no_more_than_a_session_may_cost),
        cmocka_unit_test(api_goes_on_looking_when_a_session_may_again),
        cmocka_unit_test(api_looks_at_a_new_copy_alone),
        cmocka_unit_test(api_looks_at_copies_one_after_the_other),
        cmocka_unit_test(api_tells_what_decides_behind_many_copies_that_do_not),
        cmocka_unit_test(api_says_pruned_of_what_may_be_gone_and_not_found_of_what_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
