/* api_reads.c: what is read about patients is noted (reads.h) before it is told, and its logs go
 * the way of every SUBMIT, as a job whose answer nobody waits for. */
#include <string.h>

#include "consensus/node/api_internal.h"
#include "core/base/assert.h"
#include "core/base/os.h"

#define AGAIN_NS 10000000ull

bool sy_api_note(sy_api *api, const struct sy_access *access, enum sy_answer_code *why)
{
    const struct sy_grants *grants = access->grants;
    if (grants == NULL || grants->count == 0) return true;
    *why = SY_ANSWER_OBSERVER;
    if (api->config.observes) return false;
    *why = SY_ANSWER_BUSY;
    if (api->reads == NULL) return true;
    return sy_reads_note(api->reads, grants->items, grants->count, sy_os_monotonic_ns()) == SY_OK;
}

static struct job *take_job(sy_api *api)
{
    for (uint32_t i = 0; i < JOBS; i++) {
        struct job *job = &api->jobs[i];
        if (job->state != JOB_FREE) continue;
        job->state = JOB_OWN;
        job->released = true; // no server's request is behind it
        job->deferred = false;
        job->outcome_count = 0;
        job->proof = NULL;
        memset(job->held, 0, sizeof job->held);
        return job;
    }
    return NULL;
}

static void submit(sy_api *api, struct sy_slice txs, uint16_t count)
{
    struct job *job = take_job(api);
    if (job == NULL) return; // it is sent again
    memset(&job->request, 0, sizeof job->request);
    job->request.kind = SY_REQUEST_SUBMIT;
    job->request.body.submit.count = count;
    job->request.body.submit.txs = txs;
    job->submit = (struct sy_inbox_submit){.request = &job->request, .held = job->held};
    struct sy_inbox_item item = {
        .type = SY_INBOX_SUBMIT, .number = sy_api_token(api, job), .pointer = &job->submit};
    if (sy_ring_push(api->config.inbox, &item)) {
        api->own_under_way = true;
    } else {
        sy_api_job_free(api, job);
    }
}

/* The pool has the bytes, or its answer: the room may be used again after both. */
bool sy_api_own_heard(sy_api *api, uint64_t token)
{
    struct job *job = sy_api_job_find(api, token, JOB_OWN);
    if (job == NULL) return false;
    if (job->deferred) {
        api->own_under_way = false;
        sy_api_job_free(api, job);
    } else {
        job->deferred = true;
    }
    return true;
}

static void turn(sy_api *api, uint64_t now_ns)
{
    struct sy_header newest;
    struct sy_slice txs;
    sy_state_view *view;
    if (!sy_api_header(api, &newest, api->certified) ||
        sy_state_view_open(&view, api->config.store) != SY_OK) {
        return;
    }
    uint16_t count = sy_reads_turn(api->reads, &txs, view, api->certified, newest.time_ms, now_ns);
    sy_state_view_close(view);
    if (count > 0) submit(api, txs, count);
}

uint64_t sy_api_reads_due(sy_api *api, uint64_t now_ns)
{
    if (api->reads == NULL || api->own_under_way || atomic_load(&api->draining)) return UINT64_MAX;
    if (now_ns >= sy_reads_wake(api->reads)) turn(api, now_ns);
    uint64_t wake = sy_reads_wake(api->reads), soon = now_ns + AGAIN_NS;
    if (api->own_under_way) return UINT64_MAX;
    return wake > soon ? wake : soon; // what could not be looked at now is not asked at once
}
