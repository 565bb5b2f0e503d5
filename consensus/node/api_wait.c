/* api_wait.c: WAIT: tell when transactions are final, with proofs. */
#include "consensus/node/api_internal.h"
#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/wire/receipt.h"

#define HEADER_ROOM (SY_HEADER_BYTES + 2u + SY_VALIDATORS_MAX * 66u + 64u)

static struct sy_hash id_at(const struct job *job, uint32_t index)
{
    struct sy_hash id;
    memcpy(id.bytes, job->request.body.wait.ids.data + 32 * (size_t)index, sizeof id.bytes);
    return id;
}

bool sy_api_decide(sy_api *api, struct sy_tx_position *position, const struct sy_hash *tx_id)
{
    struct sy_tx_position copies[COPIES_MAX];
    size_t found = 0;
    if (sy_ledger_find_tx(api->reader, copies, &found, COPIES_MAX, tx_id) != SY_OK) return false;
    if (found > COPIES_MAX) found = COPIES_MAX;
    bool any = false;
    for (size_t i = 0; i < found; i++) {
        if (copies[i].height > api->certified) break;
        const struct sy_block_view *view;
        if (sy_block_views_open(&api->views, &view, copies[i].height) != SY_OK) return any;
        if (copies[i].index >= view->tx_count) return any;
        *position = copies[i];
        any = true;
        struct sy_reader reader = sy_reader_of(sy_block_view_receipt(view, copies[i].index));
        struct sy_receipt receipt;
        if (sy_receipt_decode(&reader, &receipt) && sy_refusal_decides(receipt.code)) return true;
    }
    return any;
}

/* ---- answering --------------------------------------------------------------------------- */

/* The headers that the answer names: distinct heights in the order of first use. */
static uint16_t list_heights(const struct job *job, uint64_t *heights, uint16_t *header_of)
{
    uint16_t count = 0;
    for (uint32_t i = 0; i < job->request.body.wait.count; i++) {
        uint64_t height = job->positions[i].height;
        if (height == 0) continue;
        uint16_t at = 0;
        while (at < count && heights[at] != height) at++;
        if (at == count) heights[count++] = height;
        header_of[i] = at;
    }
    return count;
}

/* Writes one transaction; false leaves the writer as it was, because there is no room. */
static bool write_tx(sy_api *api, struct sy_writer *writer, const struct job *job, uint32_t index,
                     uint16_t header)
{
    struct sy_writer before = *writer;
    const struct sy_tx_position *position = &job->positions[index];
    const struct sy_block_view *view;
    struct sy_receipt_proof proof;
    bool fine = sy_block_views_open(&api->views, &view, position->height) == SY_OK &&
                sy_block_views_prove(&api->views, &proof, view, position->index,
                                     job->request.body.wait.with_tx) == SY_OK;
    if (fine) {
        sy_write_u8(writer, SY_TX_FINAL);
        sy_write_u16(writer, header);
        sy_receipt_proof_encode(writer, &proof);
    }
    if (fine && !writer->failed) return true;
    *writer = before;
    return false;
}

static bool write_header(sy_api *api, struct sy_writer *writer, uint64_t height)
{
    const struct sy_block_view *view;
    if (sy_block_views_open(&api->views, &view, height) != SY_OK) return false;
    sy_write_raw(writer, view->header_bytes.data, view->header_bytes.size);
    sy_write_raw(writer, view->certificate.data, view->certificate.size);
    return true;
}

/* What does not fit into one answer is told as RECEIVED: the client asks for it again. */
static void answer(sy_api *api, struct job *job)
{
    uint64_t heights[SY_WAIT_IDS_MAX];
    uint16_t header_of[SY_WAIT_IDS_MAX] = {0};
    uint32_t count = job->request.body.wait.count;
    uint16_t headers = list_heights(job, heights, header_of);
    size_t room = ANSWER_BYTES / 2 / HEADER_ROOM;
    if (headers > room) headers = (uint16_t)room;
    struct sy_writer writer = sy_writer_of(api->answer, ANSWER_BYTES);
    sy_answer_begin(&writer, SY_ANSWER_WAIT, job->request.request_id);
    sy_write_u16(&writer, headers);
    bool fine = true;
    for (uint16_t i = 0; i < headers; i++) fine = fine && write_header(api, &writer, heights[i]);
    sy_write_u16(&writer, (uint16_t)count);
    for (uint32_t i = 0; i < count && fine; i++) {
        /* Every later transaction still needs a byte for its state. */
        writer.size = ANSWER_BYTES - (count - i - 1);
        bool final = job->positions[i].height != 0;
        if (final && header_of[i] < headers && write_tx(api, &writer, job, i, header_of[i])) {
            continue;
        }
        sy_write_u8(&writer, final ? SY_TX_RECEIVED : SY_TX_UNKNOWN);
    }
    if (fine) {
        sy_api_reply(api, &job->server_request, &writer);
    } else {
        sy_api_refuse(api, &job->server_request, job->request.request_id, SY_ANSWER_NOT_FOUND,
                      "a block of this answer cannot be read: ask another validator");
    }
}

static void finish(sy_api *api, struct job *job)
{
    uint64_t index = (uint64_t)(job - api->jobs);
    for (uint32_t i = 0; i < job->request.body.wait.count; i++) {
        struct sy_hash id = id_at(job, i);
        const uint64_t *owner = (const uint64_t *)sy_table_find(&api->waiting, &id);
        if (owner != NULL && *owner == index) (void)sy_table_remove(&api->waiting, &id);
    }
    answer(api, job);
    sy_api_job_free(api, job);
}

/* ---- waiting ----------------------------------------------------------------------------- */

static void recheck(sy_api *api, struct job *job)
{
    job->left = 0;
    for (uint32_t i = 0; i < job->request.body.wait.count; i++) {
        if (job->positions[i].height != 0) continue;
        struct sy_hash id = id_at(job, i);
        if (!sy_api_decide(api, &job->positions[i], &id)) job->left++;
    }
    job->dirty = false;
}

/* Waiting costs a client nothing, so whoever asks much would shut the others out: when WAITs hold
 * their share of the jobs, the oldest is answered early with what there is, and asks again. */
static void make_room(sy_api *api)
{
    if (api->wait_count < WAITS_MAX) return;
    struct job *oldest = NULL;
    for (uint32_t i = 0; i < JOBS; i++) {
        struct job *job = &api->jobs[i];
        if (job->state != JOB_WAIT) continue;
        if (oldest == NULL || job->order < oldest->order) oldest = job;
    }
    SY_ASSERT(oldest != NULL);
    finish(api, oldest);
}

void sy_api_on_wait(sy_api *api, struct sy_request *from, const struct sy_client_request *request)
{
    make_room(api);
    struct job *job = sy_api_job_take(api, JOB_WAIT, from, request);
    if (job == NULL) return;
    job->order = ++api->wait_made;
    memset(job->positions, 0, request->body.wait.count * sizeof job->positions[0]);
    job->deadline_ns = sy_os_monotonic_ns() + request->body.wait.wait_ms * 1000000ull;
    recheck(api, job);
    if (job->left == 0 || request->body.wait.wait_ms == 0) {
        finish(api, job);
        return;
    }
    for (uint32_t i = 0; i < request->body.wait.count; i++) {
        if (job->positions[i].height != 0) continue;
        struct sy_hash id = id_at(job, i);
        bool is_new = false;
        uint64_t *owner = (uint64_t *)sy_table_put(&api->waiting, &id, &is_new);
        if (owner != NULL && is_new) *owner = (uint64_t)(job - api->jobs);
        if (owner == NULL || !is_new) job->poll = true;
    }
}

static void mark_block(sy_api *api, uint64_t height)
{
    struct sy_slice ids;
    if (sy_ledger_get(api->reader, &ids, height, SY_BLOCK_TX_IDS) != SY_OK) return;
    for (size_t at = 0; at + 32 <= ids.size; at += 32) {
        struct sy_hash id;
        memcpy(id.bytes, ids.data + at, sizeof id.bytes);
        const uint64_t *owner = (const uint64_t *)sy_table_find(&api->waiting, &id);
        if (owner != NULL && api->jobs[*owner].state == JOB_WAIT) api->jobs[*owner].dirty = true;
    }
}

void sy_api_wait_certified(sy_api *api, uint64_t height)
{
    while (api->certified < height) mark_block(api, ++api->certified);
    for (uint32_t i = 0; i < JOBS; i++) {
        struct job *job = &api->jobs[i];
        if (job->state != JOB_WAIT || !(job->dirty || job->poll)) continue;
        recheck(api, job);
        if (job->left == 0) finish(api, job);
    }
}

uint64_t sy_api_wait_deadlines(sy_api *api, uint64_t now_ns)
{
    uint64_t soonest = UINT64_MAX;
    for (uint32_t i = 0; i < JOBS; i++) {
        struct job *job = &api->jobs[i];
        if (job->state != JOB_WAIT) continue;
        if (now_ns >= job->deadline_ns) {
            finish(api, job);
        } else if (job->deadline_ns < soonest) {
            soonest = job->deadline_ns;
        }
    }
    return soonest;
}
