/* api_rig.c: see api_rig.h. */
#include "tests/unit/api_rig.h"

#include <stdlib.h>

#include "core/client/read.h"
#include "core/wire/receipt.h"

static size_t no_status(void *self, char *text, size_t size)
{
    (void)self;
    (void)text;
    (void)size;
    return 0;
}

void arig_open(struct api_rig *rig, const struct sy_api_limits *limits, bool populated)
{
    static const struct sy_server_config ordinary;
    arig_open_with(rig, &ordinary, limits, populated);
}

static void open_api(struct api_rig *rig, const struct sy_server_config *server,
                     const struct sy_api_limits *limits, bool observes,
                     const struct sy_reads_config *reads)
{
    struct sy_error err = {SY_OK, ""};
    struct sy_api_config config = {.server = *server,
                                   .store = rig->chain.store,
                                   .genesis = &rig->chain.genesis,
                                   .inbox = rig->inbox,
                                   .observes = observes,
                                   .status = no_status};
    config.server.key = rig->place.key;
    config.server.bind = rig->place.address;
    if (limits != NULL) config.limits = *limits;
    if (reads != NULL) config.reads = *reads;
    if (sy_api_open(&rig->api, &config, &err) != SY_OK) fail_msg("%s", err.text);
}

void arig_open_api(struct api_rig *rig)
{
    static const struct sy_server_config ordinary;
    open_api(rig, &ordinary, NULL, false, NULL);
}

static void open_as(struct api_rig *rig, const struct sy_server_config *server,
                    const struct sy_api_limits *limits, bool populated, bool observes,
                    const struct sy_reads_config *reads)
{
    memset(rig, 0, sizeof *rig);
    chain_open(&rig->chain);
    if (populated) chain_populate(&rig->chain);
    test_service_prepare(&rig->place);
    assert_int_equal(sy_arena_open(&rig->arena, 1u << 20), SY_OK);
    assert_int_equal(sy_ring_open(&rig->inbox, &rig->arena, 4096, sizeof(struct sy_inbox_item)),
                     SY_OK);
    rig->answer = (uint8_t *)malloc(SY_FRAME_BYTES_MAX);
    rig->request = (uint8_t *)malloc(SY_FRAME_BYTES_MAX);
    assert_true(rig->answer != NULL && rig->request != NULL);
    open_api(rig, server, limits, observes, reads);
}

void arig_open_with(struct api_rig *rig, const struct sy_server_config *server,
                    const struct sy_api_limits *limits, bool populated)
{
    open_as(rig, server, limits, populated, false, NULL);
}

void arig_open_observer(struct api_rig *rig)
{
    const struct sy_server_config server = {.sessions_max = 16};
    open_as(rig, &server, NULL, true, true, NULL);
}

void arig_open_noting(struct api_rig *rig, const struct sy_reads_config *reads)
{
    const struct sy_server_config server = {.sessions_max = 16};
    open_as(rig, &server, NULL, true, false, reads);
}

void arig_close(struct api_rig *rig)
{
    sy_api_close(rig->api);
    sy_ring_close(rig->inbox);
    sy_arena_close(&rig->arena);
    sy_secret_key_close(rig->place.key);
    free(rig->answer);
    free(rig->request);
    chain_close(&rig->chain);
}

sy_dial *arig_dial(const struct api_rig *rig)
{
    return test_dial_open(&rig->place, 60000);
}

static struct sy_slice encode(struct api_rig *rig, const struct sy_client_request *request)
{
    struct sy_writer writer = sy_writer_of(rig->request, SY_FRAME_BYTES_MAX);
    sy_request_encode(&writer, request);
    assert_false(writer.failed);
    return sy_writer_slice(&writer);
}

uint64_t arig_send(struct api_rig *rig, sy_dial *dial, const struct sy_client_request *request)
{
    uint64_t number = 0;
    assert_int_equal(sy_dial_send(dial, &number, encode(rig, request), TEST_PATIENCE_MS), SY_OK);
    return number;
}

uint8_t arig_call(struct api_rig *rig, sy_dial *dial, const struct sy_client_request *request,
                  struct sy_reader *body)
{
    uint8_t kind = 0;
    uint64_t id = 0;
    sy_status status = sy_dial_call(dial, rig->answer, &rig->answer_size, SY_FRAME_BYTES_MAX,
                                    encode(rig, request), TEST_PATIENCE_MS);
    if (status == SY_ERR_BUSY) return 0;
    assert_int_equal(status, SY_OK);
    assert_true(sy_answer_decode(&kind, &id, body, sy_slice_of(rig->answer, rig->answer_size)));
    assert_true(id == request->request_id);
    return kind;
}

uint16_t arig_refused(struct api_rig *rig, sy_dial *dial, const struct sy_client_request *request)
{
    struct sy_reader body;
    assert_int_equal(arig_call(rig, dial, request, &body), SY_ANSWER_REFUSED);
    return sy_read_u16(&body, "code");
}

struct sy_slice arig_tx(struct api_rig *rig, uint8_t *room, uint64_t height, unsigned entry,
                        unsigned place)
{
    struct sy_slice order, bytes, tx;
    struct sy_proposal proposal;
    struct sy_batch batch;
    size_t offset = 0;
    assert_int_equal(sy_ledger_get(rig->chain.reader, &order, height, SY_BLOCK_ORDER), SY_OK);
    struct sy_reader reader = sy_reader_of(order);
    assert_true(sy_proposal_decode(&reader, &proposal) && entry < proposal.count);
    assert_int_equal(sy_body_get(rig->chain.reader, &bytes, &proposal.entries[entry].digest),
                     SY_OK);
    assert_true(sy_batch_decode(&batch, bytes));
    for (unsigned i = 0; i <= place; i++) assert_true(sy_batch_next(&batch, &offset, &tx));
    memcpy(room, tx.data, tx.size);
    return sy_slice_of(room, tx.size);
}

struct sy_awaited arig_awaited(const struct api_rig *rig, struct sy_slice bytes)
{
    struct sy_tx tx;
    struct sy_awaited awaited;
    assert_int_equal(sy_tx_decode(&tx, NULL, bytes, NULL), SY_APPLIED);
    sy_awaited_of(&awaited, &rig->chain.genesis.hash, &tx);
    return awaited;
}

struct sy_client_request arig_wait(const struct sy_awaited *items, uint16_t count, uint32_t wait_ms)
{
    struct sy_client_request wait = {.kind = SY_REQUEST_WAIT};
    wait.body.wait.wait_ms = wait_ms;
    wait.body.wait.count = count;
    wait.body.wait.items = sy_slice_of(items, count * sizeof *items);
    return wait;
}

void arig_wait_read(struct sy_reader *body, uint16_t count, struct arig_told *told)
{
    static struct sy_receipt_proof proof;
    uint16_t headers = sy_read_u16(body, "headers");
    for (uint16_t i = 0; i < headers; i++) {
        struct sy_header header;
        struct sy_certificate certificate;
        assert_true(sy_header_decode(body, &header));
        assert_true(sy_certificate_decode(body, &certificate, CHAIN_VALIDATORS));
    }
    assert_int_equal(sy_read_u16(body, "count"), count);
    memset(told, 0, count * sizeof *told);
    for (uint16_t i = 0; i < count; i++) {
        struct sy_receipt receipt;
        told[i].state = sy_read_u8(body, "state");
        if (told[i].state != SY_TX_FINAL) continue;
        assert_true(sy_read_u16(body, "header") < headers);
        assert_true(sy_receipt_proof_decode(body, &proof));
        struct sy_reader reader = sy_reader_of(proof.receipt);
        assert_true(sy_receipt_decode(&reader, &receipt));
        told[i].code = receipt.code;
        told[i].height = receipt.height;
        told[i].index = receipt.index;
    }
    assert_true(sy_reader_done(body));
}

void arig_wait_call(struct api_rig *rig, sy_dial *dial, const struct sy_client_request *wait,
                    struct arig_told *told)
{
    struct sy_reader body;
    assert_int_equal(arig_call(rig, dial, wait, &body), SY_ANSWER_WAIT);
    arig_wait_read(&body, wait->body.wait.count, told);
}

struct sy_client_request arig_ids(const struct api_rig *rig, uint64_t height,
                                  const sy_secret_key *key)
{
    struct sy_client_request request = {.kind = SY_REQUEST_READ};
    struct sy_read_request *read = &request.body.read;
    read->purpose = SY_PURPOSE_OPERATIONS;
    sy_read_ids(read, height);
    sy_read_sign(read, key, &rig->chain.genesis);
    return request;
}

struct sy_client_request arig_submit(uint8_t *section, const struct sy_slice *txs, uint16_t count)
{
    struct sy_client_request submit = {.kind = SY_REQUEST_SUBMIT};
    struct sy_writer writer = sy_writer_of(section, SY_FRAME_BYTES_MAX);
    for (uint16_t i = 0; i < count; i++) sy_write_bytes32(&writer, txs[i]);
    assert_false(writer.failed);
    submit.body.submit.count = count;
    submit.body.submit.txs = sy_writer_slice(&writer);
    return submit;
}
