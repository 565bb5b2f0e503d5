#include "core/wire/request.h"

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/wire/notice.h"
#include "core/wire/roster_change.h"
#include "core/wire/state.h"

_Static_assert(SY_REQUEST_HEADER_BYTES + 4 + 2 + SY_HANDOVERS_MAX * SY_HANDOVER_BYTES_MAX <
                   SY_FRAME_BYTES_MAX - 64,
               "an answer of handovers is one frame");

static void encode_read(struct sy_writer *w, const struct sy_read_request *read)
{
    sy_write_u8(w, read->subject);
    sy_write_u8(w, read->state_kind);
    sy_write_hash(w, &read->id);
    sy_write_hash(w, &read->second);
    sy_write_u8(w, read->purpose);
    sy_write_u64(w, read->nonce);
    sy_write_i64(w, read->time_ms);
    sy_write_public_key(w, &read->reader);
    sy_write_signature(w, &read->signature);
}

/* A height has one encoding: nothing stands behind it. */
static bool names_a_height(const struct sy_read_request *read)
{
    struct sy_read_request plain = {0};
    sy_read_ids(&plain, sy_read_ids_height(read));
    return sy_hash_equal(&plain.id, &read->id) && sy_hash_equal(&plain.second, &read->second);
}

static void decode_read(struct sy_reader *r, struct sy_read_request *read)
{
    read->subject = sy_read_u8(r, "subject");
    read->state_kind = sy_read_u8(r, "state_kind");
    sy_read_hash(r, &read->id, "id");
    sy_read_hash(r, &read->second, "second");
    read->purpose = sy_read_u8(r, "purpose");
    read->nonce = sy_read_u64(r, "nonce");
    read->time_ms = sy_read_i64(r, "time_ms");
    sy_read_public_key(r, &read->reader, "reader");
    sy_read_signature(r, &read->signature, "signature");
    if (read->subject < SY_READ_TX || read->subject > SY_READ_FIND) {
        sy_reader_fail(r, "subject");
    }
    if (read->subject == SY_READ_IDS && !names_a_height(read)) sy_reader_fail(r, "id");
    struct sy_notices_asked asked;
    if (read->subject == SY_READ_NOTICES && !sy_read_notices_asked(&asked, read)) {
        sy_reader_fail(r, "second");
    }
    bool names_kind = read->subject == SY_READ_STATE || read->subject == SY_READ_NOTICES;
    if (names_kind != (read->state_kind != 0)) sy_reader_fail(r, "state_kind");
    if (!sy_enum_word(&sy_enum_purpose, read->purpose)) sy_reader_fail(r, "purpose");
}

static struct sy_slice query_bytes(uint8_t room[SY_FIND_BYTES_MAX], const struct sy_find *query)
{
    struct sy_writer w = sy_writer_of(room, SY_FIND_BYTES_MAX);
    sy_find_encode(&w, query);
    SY_ASSERT(!w.failed);
    return sy_writer_slice(&w);
}

void sy_read_find(struct sy_read_request *read, const struct sy_find *query)
{
    uint8_t room[SY_FIND_BYTES_MAX];
    read->subject = SY_READ_FIND;
    read->state_kind = 0;
    memset(&read->second, 0, sizeof read->second);
    sy_hash_leaf(&read->id, query_bytes(room, query));
}

static void encode_find(struct sy_writer *w, const struct sy_client_request *request)
{
    uint8_t room[SY_FIND_BYTES_MAX];
    encode_read(w, &request->body.find.read);
    sy_write_bytes16(w, query_bytes(room, &request->body.find.query));
}

static void decode_find(struct sy_reader *r, struct sy_client_request *request)
{
    struct sy_read_request *read = &request->body.find.read, named = {0};
    decode_read(r, read);
    struct sy_slice query = sy_read_bytes16(r, SY_FIND_BYTES_MAX, "query");
    if (r->failed) return;
    if (!sy_find_decode(&request->body.find.query, query)) {
        sy_reader_fail(r, "query");
        return;
    }
    sy_read_find(&named, &request->body.find.query);
    bool same = read->subject == SY_READ_FIND && sy_hash_equal(&read->id, &named.id) &&
                sy_hash_is_zero(&read->second);
    if (!same) sy_reader_fail(r, "id");
}

/* What is found is asked for by FIND, which has the query. */
static void decode_plain_read(struct sy_reader *r, struct sy_read_request *read)
{
    decode_read(r, read);
    if (read->subject == SY_READ_FIND) sy_reader_fail(r, "subject");
}

void sy_request_encode(struct sy_writer *w, const struct sy_client_request *request)
{
    sy_write_u16(w, SY_PROTOCOL_VERSION);
    sy_write_u8(w, request->kind);
    sy_write_u64(w, request->request_id);
    switch (request->kind) {
    case SY_REQUEST_HELLO:
        sy_write_raw(w, request->body.hello.network, SY_NETWORK_TAG_BYTES);
        sy_write_u16(w, request->body.hello.protocol_min);
        sy_write_u16(w, request->body.hello.protocol_max);
        break;
    case SY_REQUEST_SUBMIT:
        sy_write_u16(w, request->body.submit.count);
        sy_write_raw(w, request->body.submit.txs.data, request->body.submit.txs.size);
        break;
    case SY_REQUEST_WAIT:
        sy_write_u32(w, request->body.wait.wait_ms);
        sy_write_u8(w, request->body.wait.with_tx ? 1 : 0);
        sy_write_u16(w, request->body.wait.count);
        sy_write_raw(w, request->body.wait.items.data, request->body.wait.items.size);
        break;
    case SY_REQUEST_BLOCK: sy_write_u64(w, request->body.block_height); break;
    case SY_REQUEST_READ: encode_read(w, &request->body.read); break;
    case SY_REQUEST_FIND: encode_find(w, request); break;
    case SY_REQUEST_STATUS: break;
    case SY_REQUEST_HANDOVERS: sy_write_u32(w, request->body.epoch); break;
    default: SY_ASSERT(false); /* only kinds of this build are encoded */
    }
}

static void decode_submit(struct sy_reader *r, struct sy_client_request *request)
{
    request->body.submit.count = sy_read_u16(r, "count");
    if (request->body.submit.count == 0 || request->body.submit.count > SY_SUBMIT_TXS_MAX) {
        sy_reader_fail(r, "count");
    }
    size_t start = r->used;
    for (unsigned i = 0; i < request->body.submit.count && !r->failed; i++) {
        (void)sy_read_bytes32(r, SY_TX_BYTES_MAX, "tx");
    }
    if (!r->failed) {
        request->body.submit.txs = sy_slice_of(r->data + start, r->used - start);
    }
}

static void decode_wait(struct sy_reader *r, struct sy_client_request *request)
{
    request->body.wait.wait_ms = sy_read_u32(r, "wait_ms");
    if (request->body.wait.wait_ms > SY_WAIT_MS_MAX) sy_reader_fail(r, "wait_ms");
    uint8_t with_tx = sy_read_u8(r, "with_tx");
    if (with_tx > 1) sy_reader_fail(r, "with_tx");
    request->body.wait.with_tx = with_tx == 1;
    request->body.wait.count = sy_read_u16(r, "count");
    if (request->body.wait.count == 0 || request->body.wait.count > SY_WAIT_IDS_MAX) {
        sy_reader_fail(r, "count");
    }
    request->body.wait.items =
        sy_read_raw(r, request->body.wait.count * sizeof(struct sy_awaited), "items");
}

bool sy_request_decode(struct sy_client_request *request, struct sy_slice bytes)
{
    *request = (struct sy_client_request){0};
    struct sy_reader r = sy_reader_of(bytes);
    uint16_t protocol = sy_read_u16(&r, "protocol");
    request->kind = sy_read_u8(&r, "kind");
    request->request_id = sy_read_u64(&r, "request_id");
    /* HELLO negotiates; everything after it speaks the version that was agreed. */
    if (protocol != SY_PROTOCOL_VERSION && request->kind != SY_REQUEST_HELLO) {
        sy_reader_fail(&r, "protocol");
    }
    switch (request->kind) {
    case SY_REQUEST_HELLO: {
        struct sy_slice tag = sy_read_raw(&r, SY_NETWORK_TAG_BYTES, "network");
        if (!r.failed) memcpy(request->body.hello.network, tag.data, SY_NETWORK_TAG_BYTES);
        request->body.hello.protocol_min = sy_read_u16(&r, "protocol_min");
        request->body.hello.protocol_max = sy_read_u16(&r, "protocol_max");
        break;
    }
    case SY_REQUEST_SUBMIT: decode_submit(&r, request); break;
    case SY_REQUEST_WAIT: decode_wait(&r, request); break;
    case SY_REQUEST_BLOCK: request->body.block_height = sy_read_u64(&r, "height"); break;
    case SY_REQUEST_READ: decode_plain_read(&r, &request->body.read); break;
    case SY_REQUEST_FIND: decode_find(&r, request); break;
    case SY_REQUEST_STATUS: break;
    case SY_REQUEST_HANDOVERS: request->body.epoch = sy_read_u32(&r, "epoch"); break;
    default: sy_reader_fail(&r, "kind");
    }
    return sy_reader_done(&r);
}

bool sy_submit_next(const struct sy_client_request *request, size_t *offset, struct sy_slice *tx)
{
    struct sy_slice txs = request->body.submit.txs;
    if (*offset >= txs.size) return false;
    struct sy_reader r = sy_reader_of(sy_slice_of(txs.data + *offset, txs.size - *offset));
    *tx = sy_read_bytes32(&r, SY_TX_BYTES_MAX, "tx");
    if (r.failed) return false;
    *offset += r.used;
    return true;
}

void sy_awaited_of(struct sy_awaited *awaited, const struct sy_hash *genesis,
                   const struct sy_tx *tx)
{
    sy_tx_id(&awaited->tx_id, tx);
    sy_tx_witness(&awaited->witness, genesis, &awaited->tx_id, tx);
}

void sy_wait_item(const struct sy_client_request *request, unsigned index,
                  struct sy_awaited *awaited)
{
    SY_ASSERT(index < request->body.wait.count);
    memcpy(awaited, request->body.wait.items.data + index * sizeof *awaited, sizeof *awaited);
}

void sy_read_ids(struct sy_read_request *read, uint64_t height)
{
    read->subject = SY_READ_IDS;
    read->state_kind = 0;
    memset(&read->id, 0, sizeof read->id);
    memset(&read->second, 0, sizeof read->second);
    sy_store_u64(read->id.bytes, height);
}

uint64_t sy_read_ids_height(const struct sy_read_request *read)
{
    return sy_load_u64(read->id.bytes);
}

void sy_read_digest(struct sy_hash *out, const struct sy_hash *genesis,
                    const struct sy_read_request *read)
{
    uint8_t layout[1 + 8 + 8 + 1 + 32 + 32 + 1];
    struct sy_writer w = sy_writer_of(layout, sizeof layout);
    sy_write_u8(&w, read->subject);
    sy_write_u64(&w, read->nonce);
    sy_write_i64(&w, read->time_ms);
    sy_write_u8(&w, read->state_kind);
    sy_write_hash(&w, &read->id);
    sy_write_hash(&w, &read->second);
    sy_write_u8(&w, read->purpose);
    SY_ASSERT(!w.failed && w.used == sizeof layout);
    sy_hash_digest(out, SY_DIGEST_READ, genesis, sy_writer_slice(&w));
}

bool sy_read_key(struct sy_hash *key, const struct sy_read_request *read)
{
    return sy_state_key_of(key, read->state_kind, &read->id, &read->second);
}

void sy_answer_begin(struct sy_writer *w, enum sy_answer_kind kind, uint64_t request_id)
{
    sy_write_u16(w, SY_PROTOCOL_VERSION);
    sy_write_u8(w, (uint8_t)kind);
    sy_write_u64(w, request_id);
}

void sy_answer_refused(struct sy_writer *w, uint64_t request_id, enum sy_answer_code code,
                       const char *sentence)
{
    sy_answer_begin(w, SY_ANSWER_REFUSED, request_id);
    sy_write_u16(w, (uint16_t)code);
    sy_write_bytes16(w, sy_slice_of(sentence, strlen(sentence)));
}

bool sy_answer_decode(uint8_t *kind, uint64_t *request_id, struct sy_reader *body,
                      struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    uint16_t protocol = sy_read_u16(&r, "protocol");
    *kind = sy_read_u8(&r, "kind");
    *request_id = sy_read_u64(&r, "request_id");
    if (r.failed || protocol != SY_PROTOCOL_VERSION) return false;
    if (*kind < SY_ANSWER_HELLO || *kind > SY_ANSWER_FOUND) return false;
    *body = r;
    return true;
}
