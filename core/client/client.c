#include "core/client/client.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/client/read.h"
#include "core/crypto/hash.h"
#include "core/net/dial.h"

#define OUTSTANDING_DEFAULT 64u
#define CONNECT_MS_DEFAULT 5000
#define HEADERS_KEPT 64u
#define WAIT_GRACE_MS 5000u

/* What a request on its way is about. */
struct pending {
    bool used;
    bool is_wait;
    uint64_t id;
    uint16_t count;
    struct sy_awaited *items; /* WAIT: room for SY_WAIT_IDS_MAX */
};

struct sy_client {
    sy_epochs *epochs;
    const struct sy_genesis *genesis;
    char name[SY_NAME_BYTES_MAX + 1];
    sy_dial *dial;
    uint64_t next_request;
    uint64_t height; /* proven */
    int64_t time_ms;
    uint64_t claimed_height;
    int64_t claimed_time_ms;
    uint32_t pending_count;
    struct pending *pending;
    struct sy_awaited *pending_items;
    /* Headers whose certificates were verified: proofs come in runs under one header. */
    struct sy_hash verified[HEADERS_KEPT];
    uint32_t verified_at;
    uint8_t *bytes; /* the request being written, or the reply of a call */
    uint8_t *reply;
    uint8_t *held;    /* an answer that waits until its epoch is known; NULL: none ever did */
    uint32_t unknown; /* the epoch that the answer being read is of, when it is not known; else 0 */
    struct sy_header headers[SY_WAIT_IDS_MAX];
    struct sy_slice certificates[SY_WAIT_IDS_MAX];
    struct sy_client_tx txs[SY_WAIT_IDS_MAX];
    struct sy_submit_outcome outcomes[SY_SUBMIT_TXS_MAX];
    struct sy_certificate certificate;
    struct sy_receipt_proof receipt_proof;
    char text[256];
};

/* ---- trust ------------------------------------------------------------------------------- */

static bool remembered(const sy_client *client, const struct sy_hash *hash)
{
    for (unsigned i = 0; i < HEADERS_KEPT; i++) {
        if (sy_hash_equal(&client->verified[i], hash)) return true;
    }
    return false;
}

/* True when the header stands under a certificate of its epoch's roster. */
static bool trust_header(sy_client *client, const struct sy_header *header,
                         const struct sy_certificate *certificate)
{
    struct sy_hash hash;
    sy_header_hash(&hash, &client->genesis->hash, header);
    if (remembered(client, &hash)) return true;
    if (header->epoch > sy_epochs_newest(client->epochs)->epoch) client->unknown = header->epoch;
    if (!sy_epochs_certified(client->epochs, header, certificate)) return false;
    client->verified[client->verified_at++ % HEADERS_KEPT] = hash;
    if (header->height > client->height) {
        client->height = header->height;
        client->time_ms = header->time_ms;
    }
    return true;
}

/* Reads header and certificate; the certificate's own bytes go to *bytes. */
static bool read_certified(sy_client *client, struct sy_reader *reader, struct sy_header *header,
                           struct sy_slice *bytes)
{
    if (!sy_header_decode(reader, header)) return false;
    size_t start = reader->used;
    if (!sy_certificate_decode(reader, &client->certificate, SY_ROSTER_UNKNOWN)) return false;
    *bytes = sy_slice_of(reader->data + start, reader->used - start);
    return trust_header(client, header, &client->certificate);
}

/* ---- opening ----------------------------------------------------------------------------- */

static struct sy_client_request request_of(sy_client *client, enum sy_request_kind kind)
{
    return (struct sy_client_request){.kind = (uint8_t)kind, .request_id = ++client->next_request};
}

static sy_status refused_status(uint16_t code)
{
    switch (code) {
    case SY_ANSWER_NOT_FOUND: return SY_ERR_NOT_FOUND;
    case SY_ANSWER_PRUNED: return SY_ERR_PRUNED;
    case SY_ANSWER_FORBIDDEN:
    case SY_ANSWER_STALE_READ: return SY_ERR_PERMISSION;
    case SY_ANSWER_BUSY: return SY_ERR_BUSY;
    case SY_ANSWER_OBSERVER:
    case SY_ANSWER_STOPPING: return SY_ERR_CLOSED;
    case SY_ANSWER_OTHER_NETWORK:
    case SY_ANSWER_OTHER_PROTOCOL: return SY_ERR_NETWORK;
    default: return SY_ERR_ARGUMENT;
    }
}

/* Takes the answer's head. A refusal becomes a status and its sentence. */
static sy_status open_answer(sy_client *client, struct sy_reader *body, struct sy_slice bytes,
                             enum sy_answer_kind wanted)
{
    uint8_t kind;
    uint64_t id;
    if (!sy_answer_decode(&kind, &id, body, bytes)) {
        snprintf(client->text, sizeof client->text, "%s sent an answer that is not canonical",
                 sy_client_name(client));
        return SY_ERR_FORMAT;
    }
    if (kind == wanted) return SY_OK;
    if (kind != SY_ANSWER_REFUSED) {
        snprintf(client->text, sizeof client->text, "%s answered another question",
                 sy_client_name(client));
        return SY_ERR_FORMAT;
    }
    uint16_t code = sy_read_u16(body, "code");
    struct sy_slice sentence = sy_read_bytes16(body, 200, "sentence");
    snprintf(client->text, sizeof client->text, "%s: %.*s", sy_client_name(client),
             (int)sentence.size, (const char *)sentence.data);
    return refused_status(code);
}

static sy_status call(sy_client *client, struct sy_reader *body,
                      const struct sy_client_request *request, enum sy_answer_kind wanted,
                      int timeout_ms, struct sy_error *err)
{
    struct sy_writer writer = sy_writer_of(client->bytes, SY_DIAL_REQUEST_MAX);
    *body = sy_reader_of(sy_slice_of(NULL, 0));
    sy_request_encode(&writer, request);
    SY_ASSERT(!writer.failed);
    size_t size = 0;
    sy_status status = sy_dial_call(client->dial, client->reply, &size, SY_FRAME_BYTES_MAX,
                                    sy_writer_slice(&writer), timeout_ms);
    if (status == SY_ERR_TIMEOUT) {
        return sy_fail(err, status, "%s did not answer within %d ms", sy_client_name(client),
                       timeout_ms);
    }
    if (status != SY_OK) {
        return sy_fail(err, status, "%s: %s", sy_client_name(client), sy_status_name(status));
    }
    status = open_answer(client, body, sy_slice_of(client->reply, size), wanted);
    return status == SY_OK ? SY_OK : sy_fail(err, status, "%s", client->text);
}

/* ---- epochs ------------------------------------------------------------------------------ */

#define LEARN_MS 10000

/* Takes one answer's handovers; *count says how many. */
static sy_status take_handovers(sy_client *client, uint16_t *count, int timeout_ms,
                                struct sy_error *err)
{
    struct sy_client_request request = request_of(client, SY_REQUEST_HANDOVERS);
    struct sy_reader body;
    struct sy_slice handover;
    struct sy_error inner = {SY_OK, ""};
    uint32_t epoch = request.body.epoch = sy_epochs_newest(client->epochs)->epoch;
    SY_TRY(call(client, &body, &request, SY_ANSWER_HANDOVERS, timeout_ms, err));
    bool fits = sy_read_u32(&body, "epoch") == epoch;
    *count = sy_read_u16(&body, "count");
    for (uint16_t i = 0; i < *count && fits && !body.failed; i++) {
        if (!sy_handovers_decode(&body, &handover, 1)) break;
        sy_status status = sy_epochs_take(client->epochs, handover, &inner);
        if (status != SY_OK) {
            return sy_fail(err, status, "%s: %s", sy_client_name(client), inner.text);
        }
    }
    if (fits && sy_reader_done(&body) && *count <= SY_HANDOVERS_MAX) return SY_OK;
    return sy_fail(err, SY_ERR_FORMAT, "%s sent handovers that are not canonical",
                   sy_client_name(client));
}

sy_status sy_client_learn(sy_client *client, int timeout_ms, struct sy_error *err)
{
    uint16_t count;
    do {
        SY_TRY(take_handovers(client, &count, timeout_ms, err));
    } while (count > 0);
    return SY_OK;
}

/* Whether an answer that did not hold may hold once its epoch is known: then the epoch is, and body
 * is at the answer's beginning again, in memory of its own. */
static bool learn_for(sy_client *client, struct sy_reader *body, struct sy_slice answer,
                      struct sy_error *err)
{
    uint32_t epoch = client->unknown;
    client->unknown = 0;
    if (epoch == 0) return false;
    if (!client->held) client->held = (uint8_t *)malloc(SY_FRAME_BYTES_MAX);
    if (!client->held || !answer.data || answer.size > SY_FRAME_BYTES_MAX) return false;
    memcpy(client->held, answer.data, answer.size);
    if (sy_client_learn(client, LEARN_MS, err) != SY_OK) return false;
    *body = sy_reader_of(sy_slice_of(client->held, answer.size));
    if (epoch <= sy_epochs_newest(client->epochs)->epoch) return true;
    (void)sy_fail(err, SY_ERR_CRYPTO, "%s does not show how epoch %u came", sy_client_name(client),
                  (unsigned)epoch);
    return false;
}

static struct sy_slice rest_of(const struct sy_reader *body)
{
    return sy_slice_of(body->data + body->used, body->size - body->used);
}

/* ---- hello ------------------------------------------------------------------------------- */

static sy_status say_hello(sy_client *client, int timeout_ms, struct sy_error *err)
{
    struct sy_client_request hello = request_of(client, SY_REQUEST_HELLO);
    memcpy(hello.body.hello.network, sy_network_tag(client->genesis), SY_NETWORK_TAG_BYTES);
    hello.body.hello.protocol_min = hello.body.hello.protocol_max = SY_PROTOCOL_VERSION;
    struct sy_reader body;
    SY_TRY(call(client, &body, &hello, SY_ANSWER_HELLO, timeout_ms, err));
    (void)sy_read_raw(&body, SY_NETWORK_TAG_BYTES, "network");
    (void)sy_read_u16(&body, "protocol");
    client->claimed_height = sy_read_u64(&body, "height");
    client->claimed_time_ms = sy_read_i64(&body, "time");
    if (sy_reader_done(&body)) return SY_OK;
    return sy_fail(err, SY_ERR_FORMAT, "%s sent a hello that is not canonical",
                   sy_client_name(client));
}

static sy_status open_parts(sy_client *client, const struct sy_client_config *config,
                            struct sy_error *err)
{
    client->pending_count = config->outstanding_max ? config->outstanding_max : OUTSTANDING_DEFAULT;
    client->bytes = (uint8_t *)malloc(SY_FRAME_BYTES_MAX);
    client->reply = (uint8_t *)malloc(SY_FRAME_BYTES_MAX);
    client->pending = (struct pending *)calloc(client->pending_count, sizeof(struct pending));
    client->pending_items = (struct sy_awaited *)calloc(
        (size_t)client->pending_count * SY_WAIT_IDS_MAX, sizeof(struct sy_awaited));
    if (!client->bytes || !client->reply || !client->pending || !client->pending_items) {
        return sy_fail(err, SY_ERR_NO_MEMORY, "client: no memory");
    }
    for (uint32_t i = 0; i < client->pending_count; i++) {
        client->pending[i].items = client->pending_items + (size_t)i * SY_WAIT_IDS_MAX;
    }
    int connect_ms = config->connect_ms ? config->connect_ms : CONNECT_MS_DEFAULT;
    struct sy_dial_config dial = {.outstanding_max = client->pending_count + 1};
    if (config->observer) {
        memcpy(client->name, config->observer->name, sizeof client->name);
        dial.address = config->observer->address;
        dial.server_key = config->observer->link_key;
    } else {
        const struct sy_validator *validator =
            &sy_epochs_newest(config->epochs)->validators[config->validator];
        memcpy(client->name, validator->name, sizeof client->name);
        dial.address = config->address ? config->address : validator->client_address;
        dial.server_key = validator->link_key;
    }
    SY_TRY(sy_dial_open(&client->dial, &dial, connect_ms, err));
    return say_hello(client, connect_ms, err);
}

sy_status sy_client_open(sy_client **out, const struct sy_client_config *config,
                         struct sy_error *err)
{
    SY_ASSERT(config->observer || config->validator < sy_epochs_newest(config->epochs)->count);
    sy_client *client = (sy_client *)calloc(1, sizeof *client);
    if (client == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "client: no memory");
    client->epochs = config->epochs;
    client->genesis = sy_epochs_genesis(config->epochs);
    sy_status status = open_parts(client, config, err);
    if (status != SY_OK) {
        sy_client_close(client);
        return status;
    }
    *out = client;
    return SY_OK;
}

void sy_client_close(sy_client *client)
{
    if (client == NULL) return;
    sy_dial_close(client->dial);
    free(client->pending);
    free(client->pending_items);
    free(client->bytes);
    free(client->reply);
    free(client->held);
    free(client);
}

const char *sy_client_name(const sy_client *client)
{
    return client->name;
}

uint64_t sy_client_height(const sy_client *client)
{
    return client->height;
}

int64_t sy_client_time_ms(const sy_client *client)
{
    return client->time_ms;
}

void sy_client_claim(const sy_client *client, uint64_t *height, int64_t *time_ms)
{
    *height = client->claimed_height;
    *time_ms = client->claimed_time_ms;
}

uint32_t sy_client_outstanding(const sy_client *client)
{
    return sy_dial_outstanding(client->dial);
}

int sy_client_fd(const sy_client *client)
{
    return sy_dial_fd(client->dial);
}

/* ---- many at once ------------------------------------------------------------------------ */

static struct pending *free_pending(sy_client *client)
{
    for (uint32_t i = 0; i < client->pending_count; i++) {
        if (!client->pending[i].used) return &client->pending[i];
    }
    return NULL;
}

static sy_status send_request(sy_client *client, struct pending *pending, uint64_t *request,
                              const struct sy_writer *writer, int timeout_ms)
{
    if (writer->failed) return SY_ERR_LIMIT;
    SY_TRY(sy_dial_send(client->dial, &pending->id, sy_writer_slice(writer), timeout_ms));
    pending->used = true;
    *request = pending->id;
    return SY_OK;
}

sy_status sy_client_submit(sy_client *client, uint64_t *request, const struct sy_slice *txs,
                           uint16_t count, int timeout_ms)
{
    SY_ASSERT(count >= 1 && count <= SY_SUBMIT_TXS_MAX);
    struct pending *pending = free_pending(client);
    if (pending == NULL) return SY_ERR_BUSY;
    pending->is_wait = false;
    pending->count = count;
    struct sy_client_request submit = request_of(client, SY_REQUEST_SUBMIT);
    submit.body.submit.count = count;
    struct sy_writer writer = sy_writer_of(client->bytes, SY_DIAL_REQUEST_MAX);
    sy_request_encode(&writer, &submit); /* the head; the transactions follow as they are */
    for (uint16_t i = 0; i < count; i++) sy_write_bytes32(&writer, txs[i]);
    return send_request(client, pending, request, &writer, timeout_ms);
}

sy_status sy_client_wait(sy_client *client, uint64_t *request, const struct sy_awaited *items,
                         uint16_t count, uint32_t wait_ms, bool with_tx)
{
    SY_ASSERT(count >= 1 && count <= SY_WAIT_IDS_MAX && wait_ms <= SY_WAIT_MS_MAX);
    struct pending *pending = free_pending(client);
    if (pending == NULL) return SY_ERR_BUSY;
    pending->is_wait = true;
    pending->count = count;
    memcpy(pending->items, items, count * sizeof *items);
    struct sy_client_request wait = request_of(client, SY_REQUEST_WAIT);
    wait.body.wait.wait_ms = wait_ms;
    wait.body.wait.with_tx = with_tx;
    wait.body.wait.count = count;
    wait.body.wait.items = sy_slice_of(pending->items, count * sizeof *items);
    struct sy_writer writer = sy_writer_of(client->bytes, SY_DIAL_REQUEST_MAX);
    sy_request_encode(&writer, &wait);
    return send_request(client, pending, request, &writer, (int)(wait_ms + WAIT_GRACE_MS));
}

static bool read_outcomes(sy_client *client, struct sy_reader *body, uint16_t count)
{
    if (sy_read_u16(body, "count") != count) return false;
    for (uint16_t i = 0; i < count; i++) {
        client->outcomes[i].state = sy_read_u8(body, "state");
        client->outcomes[i].code = sy_read_u16(body, "code");
        client->outcomes[i].retry_ms = sy_read_u32(body, "retry_ms");
    }
    return sy_reader_done(body);
}

/* One transaction of the answer: its receipt must be the id's and stand under its header. */
static bool read_tx(sy_client *client, struct sy_reader *body, struct sy_client_tx *tx,
                    uint16_t headers, const char **what)
{
    tx->state = sy_read_u8(body, "state");
    if (tx->state != SY_TX_FINAL) return !body->failed && tx->state <= SY_TX_FINAL;
    uint16_t header = sy_read_u16(body, "header");
    size_t start = body->used;
    if (body->failed || header >= headers ||
        !sy_receipt_proof_decode(body, &client->receipt_proof)) {
        return false;
    }
    tx->header = &client->headers[header];
    tx->certificate = client->certificates[header];
    tx->proof = sy_slice_of(body->data + start, body->used - start);
    tx->receipt_bytes = client->receipt_proof.receipt;
    struct sy_reader receipt = sy_reader_of(tx->receipt_bytes);
    if (!sy_receipt_decode(&receipt, &tx->receipt) || !sy_hash_equal(&tx->receipt.tx_id, &tx->id)) {
        *what = "a receipt of another transaction";
        return false;
    }
    return sy_receipt_proof_verify(&client->receipt_proof, tx->header, client->genesis, what);
}

static bool read_txs(sy_client *client, struct sy_reader *body, const struct pending *pending,
                     const char **what)
{
    uint16_t headers = sy_read_u16(body, "headers");
    if (headers > SY_WAIT_IDS_MAX) return false;
    for (uint16_t i = 0; i < headers; i++) {
        if (read_certified(client, body, &client->headers[i], &client->certificates[i])) continue;
        *what = "a header without a valid certificate";
        return false;
    }
    if (sy_read_u16(body, "count") != pending->count) return false;
    for (uint16_t i = 0; i < pending->count; i++) {
        client->txs[i] = (struct sy_client_tx){.id = pending->items[i].tx_id};
        if (!read_tx(client, body, &client->txs[i], headers, what)) return false;
    }
    return sy_reader_done(body);
}

static void take_answer(sy_client *client, struct sy_client_event *event,
                        const struct pending *pending, struct sy_slice bytes)
{
    struct sy_reader body;
    struct sy_error err = {SY_OK, ""};
    event->status =
        open_answer(client, &body, bytes, pending->is_wait ? SY_ANSWER_WAIT : SY_ANSWER_SUBMIT);
    event->text = client->text;
    if (event->status != SY_OK) return;
    const char *what = "bytes that are not canonical";
    event->count = pending->count;
    struct sy_slice rest = rest_of(&body);
    bool fine = pending->is_wait ? read_txs(client, &body, pending, &what)
                                 : read_outcomes(client, &body, pending->count);
    if (!fine && learn_for(client, &body, rest, &err)) {
        fine = read_txs(client, &body, pending, &what);
    }
    if (err.status != SY_OK) what = err.text;
    if (fine) {
        event->txs = pending->is_wait ? client->txs : NULL;
        event->outcomes = pending->is_wait ? NULL : client->outcomes;
        return;
    }
    event->status = SY_ERR_CRYPTO;
    snprintf(client->text, sizeof client->text,
             "%s sent what does not hold (%s): ask another validator", sy_client_name(client),
             what);
}

bool sy_client_poll(sy_client *client, struct sy_client_event *event, int timeout_ms)
{
    struct sy_dial_answer answer;
    if (!sy_dial_poll(client->dial, &answer, timeout_ms)) return false;
    *event = (struct sy_client_event){.request = answer.id,
                                      .status = answer.status,
                                      .retry_ms = answer.retry_ms,
                                      .text = sy_dial_error(client->dial)};
    for (uint32_t i = 0; i < client->pending_count; i++) {
        struct pending *pending = &client->pending[i];
        if (!pending->used || pending->id != answer.id) continue;
        pending->used = false;
        if (answer.status == SY_OK) take_answer(client, event, pending, answer.body);
        return true;
    }
    return true;
}

/* ---- one at a time ----------------------------------------------------------------------- */

static bool read_block(sy_client *client, struct sy_reader *body, struct sy_client_block *block)
{
    if (!sy_header_decode(body, &block->header)) return false;
    uint8_t certified = sy_read_u8(body, "certified");
    if (certified > 1 || (certified == 1) != (block->header.height > 0)) return false;
    block->certificate.count = 0;
    block->order.count = 0;
    if (certified == 1 && (!sy_certificate_decode(body, &block->certificate, SY_ROSTER_UNKNOWN) ||
                           !sy_proposal_decode(body, &block->order))) {
        return false;
    }
    if (!sy_reader_done(body)) return false;
    return certified == 0 || trust_header(client, &block->header, &block->certificate);
}

sy_status sy_client_get_block(sy_client *client, struct sy_client_block *block, uint64_t height,
                              int timeout_ms, struct sy_error *err)
{
    struct sy_client_request request = request_of(client, SY_REQUEST_BLOCK);
    request.body.block_height = height;
    struct sy_reader body;
    struct sy_error inner = {SY_OK, ""};
    SY_TRY(call(client, &body, &request, SY_ANSWER_BLOCK, timeout_ms, err));
    struct sy_slice rest = rest_of(&body);
    bool fine = read_block(client, &body, block) ||
                (learn_for(client, &body, rest, &inner) && read_block(client, &body, block));
    if (!fine || (height != SY_HEIGHT_NEWEST && block->header.height != height)) {
        return sy_fail(err, SY_ERR_CRYPTO, "%s sent a block that does not hold%s%.300s",
                       sy_client_name(client), inner.text[0] ? ": " : "", inner.text);
    }
    sy_header_hash(&block->header_hash, &client->genesis->hash, &block->header);
    return SY_OK;
}

sy_status sy_client_get_ids(sy_client *client, struct sy_slice *ids,
                            const struct sy_read_request *read, int timeout_ms,
                            struct sy_error *err)
{
    struct sy_client_request request = request_of(client, SY_REQUEST_READ);
    request.body.read = *read;
    struct sy_reader body;
    SY_TRY(call(client, &body, &request, SY_ANSWER_IDS, timeout_ms, err));
    uint64_t height = sy_read_u64(&body, "height");
    uint32_t count = sy_read_count(&body, SY_PROPOSAL_TXS_MAX, 32, "ids");
    *ids = sy_read_raw(&body, (size_t)count * 32, "ids");
    if (sy_reader_done(&body) && height == sy_read_ids_height(read)) return SY_OK;
    return sy_fail(err, SY_ERR_FORMAT, "%s sent ids that are not canonical, or another block's",
                   sy_client_name(client));
}

sy_status sy_client_find(sy_client *client, struct sy_found *found,
                         const struct sy_read_request *read, const struct sy_find *query,
                         int timeout_ms, struct sy_error *err)
{
    struct sy_client_request request = request_of(client, SY_REQUEST_FIND);
    request.body.find.read = *read;
    request.body.find.query = *query;
    struct sy_reader body;
    SY_TRY(call(client, &body, &request, SY_ANSWER_FOUND, timeout_ms, err));
    bool fine = sy_found_decode(&body, found) && found->count <= query->max;
    for (unsigned i = 0; fine && i < found->count; i++) {
        bool behind = !query->has_behind ||
                      memcmp(found->ids[i].bytes, query->behind.bytes, sizeof query->behind) > 0;
        fine = behind && sy_find_begins_with(&found->ids[i], &query->prefix, query->digits);
    }
    if (fine) return SY_OK;
    return sy_fail(err, SY_ERR_FORMAT,
                   "%s sent an answer that is not canonical, or to another search",
                   sy_client_name(client));
}

/* What a validator sends leaves the handovers out. */
static bool read_proof(sy_client *client, struct sy_reader *body, struct sy_slice *bytes,
                       struct sy_proof *proof, const char **what)
{
    struct sy_hash hash;
    *what = "not canonical";
    *bytes = sy_read_bytes32(body, SY_FRAME_BYTES_MAX, "proof");
    if (!sy_reader_done(body) || !sy_proof_decode(proof, *bytes, &client->genesis->roster, what)) {
        return false;
    }
    *what = "the certificate does not seal this header";
    if (!trust_header(client, &proof->header, &proof->certificate)) return false;
    sy_header_hash(&hash, &client->genesis->hash, &proof->header);
    return sy_proof_verify(proof, client->genesis, &hash, what);
}

sy_status sy_client_read(sy_client *client, struct sy_slice *proof_bytes, struct sy_proof *proof,
                         const struct sy_read_request *read, int timeout_ms, struct sy_error *err)
{
    struct sy_client_request request = request_of(client, SY_REQUEST_READ);
    request.body.read = *read;
    struct sy_reader body;
    SY_TRY(call(client, &body, &request, SY_ANSWER_READ, timeout_ms, err));
    struct sy_error inner = {SY_OK, ""};
    const char *what = "";
    struct sy_slice rest = rest_of(&body);
    bool fine = read_proof(client, &body, proof_bytes, proof, &what) ||
                (learn_for(client, &body, rest, &inner) &&
                 read_proof(client, &body, proof_bytes, proof, &what));
    if (!fine) {
        return sy_fail(err, SY_ERR_CRYPTO, "%s sent a proof that does not hold: %.300s",
                       sy_client_name(client), inner.text[0] ? inner.text : what);
    }
    if (!sy_read_fits(proof, read)) {
        return sy_fail(err, SY_ERR_CRYPTO, "%s sent a proof of something else than was asked",
                       sy_client_name(client));
    }
    return SY_OK;
}

/* One notice: the one of this number, or it does not hold. */
static bool read_notice(sy_client *client, struct sy_reader *body, struct sy_client_notice *notice,
                        const struct sy_notices_asked *asked, uint64_t number, uint16_t headers)
{
    struct sy_notice_proof proof;
    struct sy_receipt_head head;
    *notice = (struct sy_client_notice){.shown = sy_read_bool(body, "shown")};
    if (!notice->shown) return !body->failed;
    uint16_t index = sy_read_u16(body, "header");
    if (index >= headers || !sy_notice_proof_decode(body, &proof)) return false;
    const struct sy_header *header = &client->headers[index];
    if (!sy_notice_proof_verify(&proof, &head, header, NULL)) return false;
    notice->event = proof.event;
    notice->tx_id = head.tx_id;
    notice->height = header->height;
    notice->time_ms = header->time_ms;
    return proof.event.subject_kind == asked->subject_kind &&
           sy_hash_equal(&proof.event.subject, &asked->subject) &&
           proof.event.subject_number == number;
}

static bool read_notices(sy_client *client, struct sy_reader *body,
                         struct sy_client_notices *notices, const struct sy_notices_asked *asked)
{
    notices->height = sy_read_u64(body, "height");
    uint16_t headers = sy_read_u16(body, "headers");
    if (headers > asked->max || headers > SY_WAIT_IDS_MAX) return false;
    for (uint16_t i = 0; i < headers; i++) {
        if (!read_certified(client, body, &client->headers[i], &client->certificates[i])) {
            return false;
        }
    }
    uint16_t count = sy_read_u16(body, "count");
    if (body->failed || count > asked->max || count > SY_NOTICES_MAX) return false;
    for (uint16_t i = 0; i < count; i++) {
        if (!read_notice(client, body, &notices->items[i], asked, asked->from + i, headers)) {
            return false;
        }
    }
    notices->count = count;
    return sy_reader_done(body);
}

sy_status sy_client_get_notices(sy_client *client, struct sy_client_notices *notices,
                                const struct sy_read_request *read, int timeout_ms,
                                struct sy_error *err)
{
    struct sy_client_request request = request_of(client, SY_REQUEST_READ);
    struct sy_notices_asked asked;
    struct sy_reader body;
    struct sy_error inner = {SY_OK, ""};
    bool canonical = sy_read_notices_asked(&asked, read);
    SY_ASSERT(canonical);
    request.body.read = *read;
    notices->count = 0;
    SY_TRY(call(client, &body, &request, SY_ANSWER_NOTICES, timeout_ms, err));
    struct sy_slice rest = rest_of(&body);
    bool fine =
        read_notices(client, &body, notices, &asked) ||
        (learn_for(client, &body, rest, &inner) && read_notices(client, &body, notices, &asked));
    if (!fine) {
        notices->count = 0;
        return sy_fail(err, SY_ERR_CRYPTO, "%s sent notices that do not hold%s%.300s",
                       sy_client_name(client), inner.text[0] ? ": " : "", inner.text);
    }
    memcpy(notices->told_by, client->name, sizeof notices->told_by);
    return SY_OK;
}

sy_status sy_client_get_status(sy_client *client, struct sy_slice *json, int timeout_ms,
                               struct sy_error *err)
{
    struct sy_client_request request = request_of(client, SY_REQUEST_STATUS);
    struct sy_reader body;
    SY_TRY(call(client, &body, &request, SY_ANSWER_STATUS, timeout_ms, err));
    *json = sy_read_bytes32(&body, SY_FRAME_BYTES_MAX, "status");
    if (sy_reader_done(&body)) return SY_OK;
    return sy_fail(err, SY_ERR_FORMAT, "%s sent a status that is not canonical",
                   sy_client_name(client));
}
