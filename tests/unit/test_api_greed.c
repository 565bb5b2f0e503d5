/* test_api_greed.c: clients that ask for much do not shut the others out.
 * ctest: threaded timeout=120 */
#include <stdlib.h>

#include "consensus/node/api.h"
#include "consensus/node/inbox.h"
#include "core/base/os.h"
#include "tests/support/links.h"
#include "tests/support/service.h"
#include "tests/unit/chain_rig.h"

#define SESSIONS 5u
#define WAITS_A_SESSION 250u
#define ANSWER_ROOM (1u << 20)

struct api_rig {
    struct chain_rig chain;
    struct test_service place; /* its key and address only */
    sy_arena arena;
    sy_ring *inbox;
    sy_api *api;
    uint8_t *answer;
};

static size_t no_status(void *self, char *text, size_t size)
{
    (void)self;
    (void)text;
    (void)size;
    return 0;
}

static void open_rig(struct api_rig *rig)
{
    struct sy_error err = {SY_OK, ""};
    memset(rig, 0, sizeof *rig);
    chain_open(&rig->chain);
    chain_populate(&rig->chain);
    test_service_prepare(&rig->place);
    assert_int_equal(sy_arena_open(&rig->arena, 1u << 20), SY_OK);
    assert_int_equal(sy_ring_open(&rig->inbox, &rig->arena, 4096, sizeof(struct sy_inbox_item)),
                     SY_OK);
    rig->answer = (uint8_t *)malloc(ANSWER_ROOM);
    assert_non_null(rig->answer);
    struct sy_api_config config = {.server = {.key = rig->place.key, .bind = rig->place.address},
                                   .store = rig->chain.store,
                                   .genesis = &rig->chain.genesis,
                                   .roster = &rig->chain.genesis.roster,
                                   .inbox = rig->inbox,
                                   .status = no_status};
    if (sy_api_open(&rig->api, &config, &err) != SY_OK) fail_msg("%s", err.text);
}

static void close_rig(struct api_rig *rig)
{
    sy_api_close(rig->api);
    sy_ring_close(rig->inbox);
    sy_arena_close(&rig->arena);
    sy_secret_key_close(rig->place.key);
    free(rig->answer);
    chain_close(&rig->chain);
}

/* A WAIT of half a minute for a transaction that nobody has. */
static void send_wait(sy_dial *dial, uint32_t number)
{
    uint8_t bytes[128];
    struct sy_hash id = {{0x77}};
    uint64_t request;
    sy_store_u32(id.bytes + 4, number);
    struct sy_client_request wait = {.kind = SY_REQUEST_WAIT, .request_id = number};
    wait.body.wait.wait_ms = SY_WAIT_MS_MAX;
    wait.body.wait.count = 1;
    wait.body.wait.ids = sy_slice_of(id.bytes, sizeof id.bytes);
    struct sy_writer writer = sy_writer_of(bytes, sizeof bytes);
    sy_request_encode(&writer, &wait);
    assert_false(writer.failed);
    assert_int_equal(sy_dial_send(dial, &request, sy_writer_slice(&writer), TEST_PATIENCE_MS),
                     SY_OK);
}

CASE(api_takes_submits_while_strangers_wait_for_nothing)
{
    struct api_rig rig;
    sy_dial *dials[SESSIONS];
    open_rig(&rig);
    for (uint32_t i = 0; i < SESSIONS; i++) {
        dials[i] = test_dial_open(&rig.place, 60000);
        for (uint32_t k = 0; k < WAITS_A_SESSION; k++) send_wait(dials[i], i * 1000 + k);
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

    uint8_t bytes[64];
    const uint8_t tx[8] = {1};
    uint64_t request;
    struct sy_client_request submit = {.kind = SY_REQUEST_SUBMIT, .request_id = 5};
    struct sy_writer writer = sy_writer_of(bytes, sizeof bytes);
    uint8_t txs[12] = {8};
    memcpy(txs + 4, tx, sizeof tx);
    submit.body.submit.count = 1;
    submit.body.submit.txs = sy_slice_of(txs, sizeof txs);
    sy_request_encode(&writer, &submit);
    sy_dial *honest = test_dial_open(&rig.place, 60000);
    assert_int_equal(sy_dial_send(honest, &request, sy_writer_slice(&writer), TEST_PATIENCE_MS),
                     SY_OK);
    struct sy_inbox_item item;
    assert_true(sy_ring_pop_wait(rig.inbox, &item, TEST_PATIENCE_MS));
    assert_int_equal(item.type, SY_INBOX_SUBMIT);
    sy_dial_close(honest);
    for (uint32_t i = 0; i < SESSIONS; i++) sy_dial_close(dials[i]);
    close_rig(&rig);
}

CASE(api_refuses_reads_signed_at_impossible_times)
{
    struct api_rig rig;
    open_rig(&rig);
    sy_dial *dial = test_dial_open(&rig.place, 60000);
    const int64_t times[] = {INT64_MIN, -1, INT64_MAX};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        uint8_t bytes[512];
        size_t size;
        struct sy_hash digest;
        struct sy_client_request request = {.kind = SY_REQUEST_READ, .request_id = i};
        struct sy_read_request *read = &request.body.read;
        read->subject = SY_READ_TX;
        read->purpose = SY_PURPOSE_AUDIT;
        read->time_ms = times[i];
        sy_secret_key_public(rig.place.key, &read->reader); /* any key may sign */
        sy_read_digest(&digest, &rig.chain.genesis.hash, read);
        sy_sign(rig.place.key, &read->signature, SY_SIG_READ, &digest);
        struct sy_writer writer = sy_writer_of(bytes, sizeof bytes);
        sy_request_encode(&writer, &request);
        assert_int_equal(sy_dial_call(dial, rig.answer, &size, ANSWER_ROOM,
                                      sy_writer_slice(&writer), TEST_PATIENCE_MS),
                         SY_OK);
        struct sy_reader body;
        uint8_t kind;
        uint64_t id;
        assert_true(sy_answer_decode(&kind, &id, &body, sy_slice_of(rig.answer, size)));
        assert_int_equal(kind, SY_ANSWER_REFUSED);
        assert_int_equal(sy_read_u16(&body, "code"), SY_ANSWER_STALE_READ);
    }
    sy_dial_close(dial);
    close_rig(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(api_takes_submits_while_strangers_wait_for_nothing),
        cmocka_unit_test(api_refuses_reads_signed_at_impossible_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
