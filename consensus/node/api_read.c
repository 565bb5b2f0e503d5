/* api_read.c: BLOCK and READ: signed questions, judged, answered with proofs. */
#include <stdio.h>
#include <stdlib.h>

#include "consensus/node/access.h"
#include "consensus/node/api_internal.h"
#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/crypto/hash.h"
#include "core/wire/state.h"

bool sy_api_header(sy_api *api, struct sy_header *header, uint64_t height)
{
    struct sy_slice bytes;
    if (sy_ledger_get(api->reader, &bytes, height, SY_BLOCK_HEADER) != SY_OK) return false;
    struct sy_reader reader = sy_reader_of(bytes);
    return sy_header_decode(&reader, header);
}

void sy_api_refuse_pruned(sy_api *api, const struct sy_request *to, uint64_t request_id)
{
    char text[200];
    (void)snprintf(text, sizeof text, "pruned at %llu: %s; %s",
                   (unsigned long long)sy_ledger_pruned(api->config.store),
                   sy_refusal_info(SY_E_PRUNED)->sentence, sy_refusal_info(SY_E_PRUNED)->remedy);
    sy_api_refuse(api, to, request_id, SY_ANSWER_PRUNED, text);
}

/* What is not here may lie in history that is not kept. */
static void refuse_missing(sy_api *api, const struct sy_request *from, uint64_t id,
                           const char *sentence)
{
    if (sy_ledger_pruned(api->config.store) == 0) {
        sy_api_refuse(api, from, id, SY_ANSWER_NOT_FOUND, sentence);
    } else {
        sy_api_refuse_pruned(api, from, id);
    }
}

/* ---- BLOCK ------------------------------------------------------------------------------- */

/* Anybody may see a header with its certificate and order: light clients live on them. */
void sy_api_on_block(sy_api *api, struct sy_request *from, const struct sy_client_request *request)
{
    uint64_t height = request->body.block_height;
    if (height == SY_HEIGHT_NEWEST) height = api->certified;
    struct sy_slice header, certificate, order;
    bool fine = height <= api->certified &&
                sy_ledger_get(api->reader, &header, height, SY_BLOCK_HEADER) == SY_OK;
    if (fine && height > 0) {
        fine = sy_ledger_get(api->reader, &certificate, height, SY_BLOCK_CERTIFICATE) == SY_OK &&
               sy_ledger_get(api->reader, &order, height, SY_BLOCK_ORDER) == SY_OK;
    }
    if (fine) {
        struct sy_writer writer = sy_writer_of(api->answer, ANSWER_BYTES);
        sy_answer_begin(&writer, SY_ANSWER_BLOCK, request->request_id);
        sy_write_raw(&writer, header.data, header.size);
        sy_write_u8(&writer, height > 0);
        if (height > 0) {
            sy_write_raw(&writer, certificate.data, certificate.size);
            sy_write_raw(&writer, order.data, order.size);
        }
        sy_api_reply(api, from, &writer);
    } else if (height < sy_ledger_pruned(api->config.store)) {
        refuse_missing(api, from, request->request_id, "");
    } else {
        sy_api_refuse(api, from, request->request_id, SY_ANSWER_NOT_FOUND,
                      "there is no certified block of that height here yet");
    }
    sy_server_release(api->server, from);
}

/* ---- READ: who asks ---------------------------------------------------------------------- */

/* A read is signed for one use: its time is near, its nonce was not seen with this key. */
static bool fresh(sy_api *api, const struct sy_read_request *read)
{
    int64_t now_ms = sy_os_wall_ms();
    /* Compared without subtracting: the reader may have signed any number. */
    if (read->time_ms < now_ms - SY_READ_AGE_MS_MAX) return false;
    if (read->time_ms > now_ms + SY_READ_AGE_MS_MAX) return false;
    uint8_t both[40];
    memcpy(both, read->reader.bytes, 32);
    sy_store_u64(both + 32, read->nonce);
    struct sy_hash name;
    sy_sha256(&name, both, sizeof both);
    struct sy_hash *oldest = &api->seen_order[api->seen_count % SEEN_READS];
    if (api->seen_count >= SEEN_READS) (void)sy_table_remove(&api->seen, oldest);
    bool is_new = false;
    void *place = sy_table_put(&api->seen, &name, &is_new);
    if (place == NULL || !is_new) return false;
    *oldest = name;
    api->seen_count++;
    return true;
}

static bool signed_by_reader(const sy_api *api, const struct sy_read_request *read)
{
    struct sy_hash digest;
    sy_read_digest(&digest, &api->config.genesis->hash, read);
    return sy_verify_one(&read->reader, SY_SIG_READ, &digest, &read->signature);
}

void sy_api_read_refuse(sy_api *api, const struct sy_request *from, uint64_t id,
                        enum sy_answer_code code)
{
    static const char forbidden[] =
        "this key may not read that for this purpose: it has no valid credential, or what it asks "
        "for is of a patient who does not let it in (`systole may` says why)";
    static const char busy[] =
        "too many questions wait, no block is certified here yet, or what is told of a patient "
        "cannot be noted now: ask again";
    static const char observer[] =
        "what is told of a patient is recorded, and this is an observer, which can record nothing: "
        "ask a validator";
    static const char *const sentences[] = {
        [SY_ANSWER_BUSY] = busy,
        [SY_ANSWER_NOT_FOUND] = "that block is not certified here yet: ask again",
        [SY_ANSWER_FORBIDDEN] = forbidden,
        [SY_ANSWER_STALE_READ] = "sign the read again, with the present time and a fresh nonce",
        [SY_ANSWER_MALFORMED] = "the read's signature is wrong, or it names no kind of entry",
        [SY_ANSWER_OBSERVER] = observer,
    };
    sy_api_refuse(api, from, id, code, sentences[code]);
}

/* ---- READ: transactions and receipts ----------------------------------------------------- */

/* Sends api->proof, whose body is filled, under the view's header and certificate. */
static void answer_proof(sy_api *api, const struct sy_request *to, uint64_t id,
                         const struct sy_block_view *view, enum sy_proof_kind kind)
{
    struct sy_proof *proof = &api->proof;
    struct sy_reader certificate = sy_reader_of(view->certificate);
    memcpy(proof->network, sy_network_tag(api->config.genesis), SY_NETWORK_TAG_BYTES);
    proof->kind = (uint8_t)kind;
    proof->header = view->header;
    proof->certificate.count = 0;
    proof->handovers = sy_slice_of(NULL, 0);
    bool fine = view->height == 0 ||
                sy_certificate_decode(&certificate, &proof->certificate, SY_ROSTER_UNKNOWN);
    struct sy_writer writer = sy_writer_of(api->answer, ANSWER_BYTES);
    sy_answer_begin(&writer, SY_ANSWER_READ, id);
    size_t length_at = writer.used;
    sy_write_u32(&writer, 0);
    if (fine) sy_proof_encode(&writer, proof);
    if (!fine || writer.failed) {
        sy_api_refuse(api, to, id, SY_ANSWER_NOT_FOUND,
                      "the proof cannot be made or is too large for one answer: ask for the "
                      "receipt alone, or another validator");
        return;
    }
    sy_store_u32(api->answer + length_at, (uint32_t)(writer.used - length_at - 4));
    sy_api_reply(api, to, &writer);
}

static void read_tx(sy_api *api, struct sy_request *from, const struct sy_client_request *request,
                    const struct sy_access *access)
{
    const struct sy_read_request *read = &request->body.read;
    uint64_t id = request->request_id;
    struct sy_tx_position position;
    const struct sy_block_view *view;
    struct sy_receipt_proof *proof = &api->proof.receipt;
    if (!sy_api_decide(api, &position, &read->id, NULL) ||
        sy_block_views_open(&api->views, &view, position.height) != SY_OK ||
        sy_block_views_prove(&api->views, proof, view, position.index, true) != SY_OK) {
        refuse_missing(api, from, id,
                       "no transaction of this id was ordered up to the newest certified block");
        return;
    }
    struct sy_reader in = sy_reader_of(proof->receipt);
    struct sy_receipt receipt;
    struct sy_tx tx;
    const char *what;
    enum sy_answer_code why;
    bool readable =
        sy_receipt_decode(&in, &receipt) && sy_tx_decode(&tx, &what, proof->tx, NULL) == SY_APPLIED;
    if (readable)
        sy_api_work(api, sy_api_session(api, from), receipt.event_count * (uint64_t)WORK_EVENT);
    if (!readable || !sy_access_tx(access, read, &receipt, &tx)) {
        sy_api_read_refuse(api, from, id, SY_ANSWER_FORBIDDEN);
        return;
    }
    if (!sy_api_note(api, access, &why)) {
        sy_api_read_refuse(api, from, id, why);
        return;
    }
    proof->with_tx = read->subject == SY_READ_TX;
    answer_proof(api, from, id, view, SY_PROOF_RECEIPT);
}

/* ---- READ: ids of a block ---------------------------------------------------------------- */

static void read_ids(sy_api *api, struct sy_request *from, const struct sy_client_request *request,
                     const struct sy_access *access)
{
    const struct sy_read_request *read = &request->body.read;
    uint64_t height = sy_read_ids_height(read);
    struct sy_slice ids = {NULL, 0};
    if (!sy_access_ids(access, read)) {
        sy_api_read_refuse(api, from, request->request_id, SY_ANSWER_FORBIDDEN);
        return;
    }
    if (height > api->certified) {
        sy_api_read_refuse(api, from, request->request_id, SY_ANSWER_NOT_FOUND);
        return;
    }
    if ((height > 0 && sy_ledger_get(api->reader, &ids, height, SY_BLOCK_TX_IDS) != SY_OK)) {
        refuse_missing(api, from, request->request_id, "there is no certified block so high");
        return;
    }
    struct sy_writer writer = sy_writer_of(api->answer, ANSWER_BYTES);
    sy_answer_begin(&writer, SY_ANSWER_IDS, request->request_id);
    sy_write_u64(&writer, height);
    sy_write_u32(&writer, (uint32_t)(ids.size / 32));
    sy_write_raw(&writer, ids.data, ids.size);
    sy_api_reply(api, from, &writer);
}

/* ---- READ: state ------------------------------------------------------------------------- */

static void read_state(sy_api *api, struct sy_request *from,
                       const struct sy_client_request *request, const struct sy_access *access)
{
    const struct sy_read_request *read = &request->body.read;
    struct sy_hash key;
    sy_runner *runner = atomic_load(&api->runner);
    enum sy_answer_code code = SY_ANSWER_BUSY;
    if (!sy_read_key(&key, read)) {
        code = SY_ANSWER_MALFORMED;
    } else if (!sy_access_state(access, read)) {
        code = SY_ANSWER_FORBIDDEN;
    } else if (runner != NULL && sy_api_note(api, access, &code)) {
        struct job *job = sy_api_job_take(api, JOB_PROOF, from, request);
        if (job == NULL) return;
        if (sy_runner_prove(runner, sy_api_token(api, job), &key)) return;
        sy_api_read_refuse(api, from, request->request_id, code);
        sy_api_job_free(api, job);
        return;
    }
    sy_api_read_refuse(api, from, request->request_id, code);
    sy_server_release(api->server, from);
}

static void answer_state(sy_api *api, struct job *job)
{
    const struct sy_block_view *view;
    uint64_t id = job->request.request_id;
    struct sy_reader body = sy_reader_of(sy_slice_of(job->proof, job->proof_bytes));
    if (sy_block_views_open(&api->views, &view, job->header.height) == SY_OK &&
        sy_state_proof_decode(&body, &api->proof.state)) {
        answer_proof(api, &job->server_request, id, view, SY_PROOF_STATE);
    } else {
        sy_api_read_refuse(api, &job->server_request, id, SY_ANSWER_NOT_FOUND);
    }
    sy_api_job_free(api, job);
}

void sy_api_on_proof(sy_api *api, struct job *job, sy_status status, struct proved *proved)
{
    if (status != SY_OK || proved == NULL) {
        sy_api_read_refuse(api, &job->server_request, job->request.request_id, SY_ANSWER_BUSY);
        sy_api_job_free(api, job);
        return;
    }
    job->header = proved->header;
    job->proof = (uint8_t *)malloc(proved->size);
    if (job->proof == NULL) {
        sy_api_read_refuse(api, &job->server_request, job->request.request_id, SY_ANSWER_BUSY);
        sy_api_job_free(api, job);
        return;
    }
    memcpy(job->proof, proved->bytes, proved->size);
    job->proof_bytes = proved->size;
    job->state = JOB_CERTIFICATE;
    if (job->header.height <= api->certified) answer_state(api, job);
}

void sy_api_read_certified(sy_api *api)
{
    for (uint32_t i = 0; i < JOBS; i++) {
        struct job *job = &api->jobs[i];
        if (job->state == JOB_CERTIFICATE && job->header.height <= api->certified) {
            answer_state(api, job);
        }
    }
}

/* ---- READ -------------------------------------------------------------------------------- */

/* Reading blocks for it is paid for by the session. */
static void read_certified(sy_api *api, struct sy_request *from,
                           const struct sy_client_request *request, const struct sy_access *access)
{
    uint64_t before = api->views.read_bytes;
    if (request->body.read.subject == SY_READ_IDS) {
        read_ids(api, from, request, access);
    } else {
        read_tx(api, from, request, access);
    }
    sy_api_work(api, sy_api_session(api, from), api->views.read_bytes - before);
    sy_server_release(api->server, from);
}

bool sy_api_access_open(sy_api *api, struct sy_access *access)
{
    struct sy_header newest;
    *access = (struct sy_access){.roster = &api->roster, .grants = api->grants};
    if (api->grants != NULL) api->grants->count = 0;
    if (!sy_api_header(api, &newest, api->certified) ||
        sy_state_view_open(&access->view, api->config.store) != SY_OK) {
        return false;
    }
    access->time_ms = newest.time_ms;
    if (sy_api_take_roster(api, access->view)) return true;
    sy_state_view_close(access->view);
    return false;
}

enum sy_answer_code sy_api_read_judge(sy_api *api, struct sy_access *access,
                                      const struct sy_request *from,
                                      const struct sy_read_request *read)
{
    if (!signed_by_reader(api, read)) return SY_ANSWER_MALFORMED;
    if (!fresh(api, read)) return SY_ANSWER_STALE_READ;
    /* Nothing seals the genesis: what was proven by it alone would look like a lie. */
    if (api->certified == 0) return SY_ANSWER_BUSY;
    if (!sy_api_access_open(api, access)) return SY_ANSWER_BUSY;
    if (!sy_api_session(api, from)->vouched && sy_access_known(access, &read->reader)) {
        sy_api_vouch(api, from);
    }
    return (enum sy_answer_code)0;
}

void sy_api_on_read(sy_api *api, struct sy_request *from, const struct sy_client_request *request)
{
    const struct sy_read_request *read = &request->body.read;
    struct sy_access access;
    enum sy_answer_code code = sy_api_read_judge(api, &access, from, read);
    if (code != 0) {
        sy_api_read_refuse(api, from, request->request_id, code);
        sy_server_release(api->server, from);
        return;
    }
    if (read->subject == SY_READ_STATE) {
        read_state(api, from, request, &access);
    } else if (read->subject == SY_READ_NOTICES) {
        sy_api_on_notices(api, from, request, &access);
    } else {
        read_certified(api, from, request, &access);
    }
    sy_state_view_close(access.view);
}
