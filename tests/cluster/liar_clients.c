/* liar_clients.c: what clients are told. The liar speaks for itself, in sessions that nobody else
 * has a part in, so nothing has to fit together but what proofs force to. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/wire/notice.h"
#include "core/wire/proof.h"
#include "core/wire/request.h"
#include "tests/cluster/liar.h"

#define KEPT_ANSWERS 256u
#define DAY_MS 86400000

/* The server as it is, and as the API's calls come here. */
sy_status real_reply(sy_server *server, uint64_t token,
                     struct sy_slice body) __asm__("__real_sy_server_reply");
bool real_next(sy_server *server, struct sy_request *out) __asm__("__real_sy_server_next");
sy_status liar_reply(sy_server *server, uint64_t token,
                     struct sy_slice body) __asm__("__wrap_sy_server_reply");
bool liar_next(sy_server *server, struct sy_request *out) __asm__("__wrap_sy_server_next");

/* The first proof of an entry that was ever told: it holds, and grows old. */
struct kept {
    struct sy_hash key;
    uint8_t *bytes; /* malloc'ed */
    size_t size;
};

/* The API thread's alone. */
static struct {
    uint8_t *room;
    uint64_t submits, reads, notices, waits, blocks, hellos; /* so far */
    struct kept kept[KEPT_ANSWERS];
    uint32_t kept_count;
    struct sy_proof proof;
} state;

/* ---- answers that hold no more --------------------------------------------------------------- */

static struct sy_writer begin(enum sy_answer_kind kind, uint64_t request_id)
{
    struct sy_writer w = sy_writer_of(state.room, SY_SERVER_REPLY_MAX);
    sy_answer_begin(&w, kind, request_id);
    return w;
}

/* Something behind the head is another; where is the seed's. */
static struct sy_slice with_a_bit(enum liar_lie lie, uint64_t number, struct sy_slice answer)
{
    sy_prng prng;
    if (answer.size <= SY_REQUEST_HEADER_BYTES) return answer;
    liar_draw(&prng, lie, number, 0, 0);
    memcpy(state.room, answer.data, answer.size);
    size_t at = sy_prng_below(&prng, answer.size - SY_REQUEST_HEADER_BYTES);
    state.room[SY_REQUEST_HEADER_BYTES + at] ^= (uint8_t)(1u << sy_prng_below(&prng, 8));
    return sy_slice_of(state.room, answer.size);
}

static struct sy_slice cut(enum liar_lie lie, uint64_t number, struct sy_slice answer)
{
    sy_prng prng;
    liar_draw(&prng, lie, number, 1, 0);
    uint64_t left = SY_REQUEST_HEADER_BYTES;
    if (answer.size > left) left += sy_prng_below(&prng, answer.size - left);
    return sy_slice_of(answer.data, left < answer.size ? (size_t)left : answer.size);
}

static struct sy_slice claim(uint64_t request_id, enum sy_answer_code code, const char *sentence)
{
    struct sy_writer w = sy_writer_of(state.room, SY_SERVER_REPLY_MAX);
    sy_answer_refused(&w, request_id, code, sentence);
    return sy_writer_slice(&w);
}

/* ---- proofs of the state --------------------------------------------------------------------- */

static struct kept *kept_of(const struct sy_hash *key)
{
    for (uint32_t i = 0; i < state.kept_count; i++) {
        if (sy_hash_equal(&state.kept[i].key, key)) return &state.kept[i];
    }
    return NULL;
}

static void keep(const struct sy_hash *key, struct sy_slice proof)
{
    if (state.kept_count == KEPT_ANSWERS || kept_of(key) != NULL) return;
    struct kept *kept = &state.kept[state.kept_count];
    kept->bytes = (uint8_t *)malloc(proof.size + 1);
    if (kept->bytes == NULL) return;
    memcpy(kept->bytes, proof.data, proof.size);
    kept->size = proof.size;
    kept->key = *key;
    state.kept_count++;
}

static struct sy_slice with_proof(uint64_t request_id, struct sy_slice proof)
{
    struct sy_writer w = begin(SY_ANSWER_READ, request_id);
    sy_write_bytes32(&w, proof);
    SY_ASSERT(!w.failed);
    return sy_writer_slice(&w);
}

/* One that was told before: of another entry, if there is any. */
static struct sy_slice another(uint64_t request_id, const struct sy_hash *key,
                               struct sy_slice answer)
{
    for (uint32_t i = state.kept_count; i-- > 0;) {
        const struct kept *kept = &state.kept[i];
        if (sy_hash_equal(&kept->key, key)) continue;
        return with_proof(request_id, sy_slice_of(kept->bytes, kept->size));
    }
    return answer;
}

/* The value is another one, or it is said that there is none; encoded anew, so that the checksum
 * at the end is right. */
static struct sy_slice with_value(uint64_t request_id, uint64_t number, struct sy_proof *proof)
{
    static uint8_t value[SY_FRAME_BYTES_MAX], whole[SY_FRAME_BYTES_MAX];
    struct sy_slice *shown =
        proof->kind == SY_PROOF_STATE ? &proof->state.value : &proof->receipt.receipt;
    sy_prng prng;
    liar_draw(&prng, LIAR_reads, number, 2, 0);
    bool none = proof->kind == SY_PROOF_STATE && sy_prng_chance(&prng, 1, 4);
    if (none) {
        proof->state.present = false;
        proof->state.value = sy_slice_of(NULL, 0);
    } else if (shown->size > 0) {
        memcpy(value, shown->data, shown->size);
        value[sy_prng_below(&prng, shown->size)] ^= (uint8_t)(1u << sy_prng_below(&prng, 8));
        shown->data = value;
    }
    struct sy_writer w = sy_writer_of(whole, sizeof whole);
    sy_proof_encode(&w, proof);
    SY_ASSERT(!w.failed);
    return with_proof(request_id, sy_writer_slice(&w));
}

static bool take_proof(struct sy_slice *bytes, struct sy_slice answer)
{
    struct sy_reader body;
    uint8_t kind;
    uint64_t id;
    const char *what;
    if (!sy_answer_decode(&kind, &id, &body, answer)) return false;
    *bytes = sy_read_bytes32(&body, SY_FRAME_BYTES_MAX, "proof");
    return sy_reader_done(&body) &&
           sy_proof_decode(&state.proof, *bytes, &liar.genesis.roster, &what);
}

/* Way after way, the truth among them. */
static struct sy_slice lie_read(uint64_t request_id, struct sy_slice answer)
{
    struct sy_slice bytes;
    uint64_t number = state.reads++;
    if (!take_proof(&bytes, answer)) return answer;
    bool of_state = state.proof.kind == SY_PROOF_STATE;
    struct sy_hash key = state.proof.state.key_hash;
    const struct kept *old = of_state ? kept_of(&key) : NULL;
    if (of_state) keep(&key, bytes);
    if ((number + liar.seed) % 8 != 7) liar_told(LIAR_reads);
    switch ((number + liar.seed) % 8) {
    case 0:
    case 4:
        if (old == NULL) return with_value(request_id, number, &state.proof);
        return with_proof(request_id, sy_slice_of(old->bytes, old->size));
    case 1: return with_value(request_id, number, &state.proof);
    case 2: return with_a_bit(LIAR_reads, number, answer);
    case 3: return another(request_id, &key, answer);
    case 5: return claim(request_id, SY_ANSWER_NOT_FOUND, "there is no such thing");
    case 6:
        return number % 2 == 0 ? claim(request_id, SY_ANSWER_FORBIDDEN, "you may not read that")
                               : cut(LIAR_reads, number, answer);
    default: return answer;
    }
}

/* ---- everything else ------------------------------------------------------------------------- */

static struct sy_slice lie_notices(uint64_t request_id, struct sy_slice answer)
{
    uint64_t number = state.notices++;
    struct sy_reader r = sy_reader_of(answer);
    (void)sy_read_raw(&r, SY_REQUEST_HEADER_BYTES, "head");
    uint64_t height = sy_read_u64(&r, "height");
    if (r.failed || (number + liar.seed) % 6 == 5) return answer;
    liar_told(LIAR_notices);
    if ((number + liar.seed) % 6 == 3) return with_a_bit(LIAR_notices, number, answer);
    if ((number + liar.seed) % 6 == 4) return cut(LIAR_notices, number, answer);
    struct sy_writer w = begin(SY_ANSWER_NOTICES, request_id);
    sy_write_u64(&w, height);
    sy_write_u16(&w, 0);
    uint16_t hidden = (number + liar.seed) % 6 == 2 ? 1 : 0;
    sy_write_u16(&w, hidden);
    if (hidden > 0) sy_write_u8(&w, 0);
    return sy_writer_slice(&w);
}

/* Further than anybody is, at another time; or nowhere yet. */
static struct sy_slice lie_hello(uint64_t request_id)
{
    uint64_t number = state.hellos++;
    bool far = number % 2 == 0;
    struct sy_writer w = begin(SY_ANSWER_HELLO, request_id);
    sy_write_raw(&w, sy_network_tag(&liar.genesis), SY_NETWORK_TAG_BYTES);
    sy_write_u16(&w, SY_PROTOCOL_VERSION);
    sy_write_u64(&w, far ? 1000000000 : 0);
    sy_write_i64(&w, far ? liar.genesis.created_ms + 1000ll * DAY_MS : 0);
    liar_told(LIAR_reads);
    return sy_writer_slice(&w);
}

static struct sy_slice spoil(enum liar_lie lie, uint64_t number, struct sy_slice answer)
{
    switch ((number + liar.seed) % 3) {
    case 0: liar_told(lie); return with_a_bit(lie, number, answer);
    case 1: liar_told(lie); return cut(lie, number, answer);
    default: return answer;
    }
}

static struct sy_slice lie_about(uint8_t kind, uint64_t request_id, struct sy_slice answer)
{
    bool reads = liar.tells[LIAR_reads];
    switch (kind) {
    case SY_ANSWER_HELLO: return reads ? lie_hello(request_id) : answer;
    case SY_ANSWER_READ: return reads ? lie_read(request_id, answer) : answer;
    case SY_ANSWER_WAIT: return reads ? spoil(LIAR_reads, state.waits++, answer) : answer;
    case SY_ANSWER_BLOCK:
    case SY_ANSWER_HANDOVERS: return reads ? spoil(LIAR_reads, state.blocks++, answer) : answer;
    case SY_ANSWER_NOTICES:
        return liar.tells[LIAR_notices] ? lie_notices(request_id, answer) : answer;
    default: return answer;
    }
}

sy_status liar_reply(sy_server *server, uint64_t token, struct sy_slice body)
{
    struct sy_reader rest;
    uint8_t kind;
    uint64_t request_id;
    if (sy_answer_decode(&kind, &request_id, &rest, body)) {
        body = lie_about(kind, request_id, body);
    }
    return real_reply(server, token, body);
}

/* ---- what clients hand in -------------------------------------------------------------------- */

/* Every third time it is taken and kept back; every third time it is refused. */
static bool keep_back(sy_server *server, struct sy_request *from)
{
    struct sy_client_request request;
    if (!liar.tells[LIAR_submits] || !sy_request_decode(&request, from->body)) return false;
    if (request.kind != SY_REQUEST_SUBMIT) return false;
    uint64_t way = (state.submits++ + liar.seed) % 3;
    if (way == 2) return false;
    struct sy_writer w = begin(SY_ANSWER_SUBMIT, request.request_id);
    sy_write_u16(&w, request.body.submit.count);
    for (uint16_t i = 0; i < request.body.submit.count; i++) {
        sy_write_u8(&w, way == 0 ? SY_TX_RECEIVED : SY_TX_REFUSED);
        sy_write_u16(&w, way == 0 ? 0 : SY_E_SIG);
        sy_write_u32(&w, 0);
    }
    (void)real_reply(server, from->token, sy_writer_slice(&w));
    sy_server_release(server, from);
    liar_told(LIAR_submits);
    return true;
}

bool liar_next(sy_server *server, struct sy_request *out)
{
    while (real_next(server, out)) {
        if (!keep_back(server, out)) return true;
    }
    return false;
}

/* ---- life ------------------------------------------------------------------------------------ */

sy_status liar_clients_open(struct sy_error *err)
{
    state.room = (uint8_t *)malloc(SY_SERVER_REPLY_MAX);
    return state.room ? SY_OK : sy_fail(err, SY_ERR_NO_MEMORY, "liar: no memory");
}

void liar_clients_close(void)
{
    for (uint32_t i = 0; i < state.kept_count; i++) free(state.kept[i].bytes);
    state.kept_count = 0;
    free(state.room);
    state.room = NULL;
}
