#include "consensus/node/api.h"

#include <poll.h>
#include <stdlib.h>

#include "consensus/node/api_internal.h"
#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/base/telemetry.h"
#include "core/base/thread.h"

#define REQUESTS_A_TURN 256u
#define WORK_PER_S (32u << 20)

/* ---- sessions ---------------------------------------------------------------------------- */

/* The one heard of first is forgotten when there are too many: it has long ended, or has done
 * nothing that anybody else would not have been given at once. */
struct session *sy_api_session(sy_api *api, const struct sy_request *from)
{
    struct sy_hash name = {{0}};
    sy_store_u64(name.bytes, from->session);
    struct session *session = (struct session *)sy_table_find(&api->sessions, &name);
    if (session != NULL) return session;
    uint64_t *oldest = &api->session_order[api->session_count % SESSIONS];
    if (api->session_count++ >= SESSIONS) {
        struct sy_hash gone = {{0}};
        sy_store_u64(gone.bytes, *oldest);
        (void)sy_table_remove(&api->sessions, &gone);
    }
    *oldest = from->session;
    session = (struct session *)sy_table_put(&api->sessions, &name, NULL);
    SY_ASSERT(session != NULL);
    return session;
}

void sy_api_work(sy_api *api, struct session *session, uint64_t amount)
{
    sy_share_spend(&session->work, amount, api->config.limits.work_per_s);
}

void sy_api_vouch(sy_api *api, const struct sy_request *from)
{
    struct session *session = sy_api_session(api, from);
    if (session->vouched) return;
    session->vouched = true;
    sy_server_vouch(api->server, from->token);
}

/* ---- jobs -------------------------------------------------------------------------------- */

struct job *sy_api_job_take(sy_api *api, enum job_state state, struct sy_request *server_request,
                            const struct sy_client_request *request)
{
    for (uint32_t i = 0; i < JOBS; i++) {
        struct job *job = &api->jobs[i];
        if (job->state != JOB_FREE) continue;
        job->state = state;
        if (state == JOB_WAIT) api->wait_count++;
        if (state == JOB_WAIT) api->awaited += request->body.wait.count;
        job->server_request = *server_request;
        job->request = *request;
        job->released = job->deferred = false;
        job->outcome_count = job->left = job->looked = 0;
        job->deciding = (struct decision){0};
        job->proof = NULL;
        job->proof_bytes = 0;
        return job;
    }
    (void)sy_server_reply_busy(api->server, server_request->token, SY_API_RETRY_MS);
    sy_server_release(api->server, server_request);
    sy_metric_add(SY_M_client_requests_busy_total, 1);
    return NULL;
}

void sy_api_job_free(sy_api *api, struct job *job)
{
    if (!job->released) sy_server_release(api->server, &job->server_request);
    free(job->proof);
    job->proof = NULL;
    job->generation++;
    if (job->state == JOB_WAIT) api->wait_count--;
    if (job->state == JOB_WAIT) api->awaited -= job->request.body.wait.count;
    job->state = JOB_FREE;
}

uint64_t sy_api_token(const sy_api *api, const struct job *job)
{
    return (uint64_t)job->generation << 32 | (uint64_t)(job - api->jobs);
}

struct job *sy_api_job_find(sy_api *api, uint64_t token, enum job_state state)
{
    uint32_t index = (uint32_t)token;
    if (index >= JOBS) return NULL;
    struct job *job = &api->jobs[index];
    bool same = job->generation == (uint32_t)(token >> 32) && job->state == state;
    return same ? job : NULL;
}

/* ---- answers ----------------------------------------------------------------------------- */

void sy_api_reply(sy_api *api, const struct sy_request *to, const struct sy_writer *writer)
{
    SY_ASSERT(!writer->failed);
    sy_metric_add(SY_M_client_requests_total, 1);
    (void)sy_server_reply(api->server, to->token, sy_writer_slice(writer));
}

void sy_api_refuse(sy_api *api, const struct sy_request *to, uint64_t request_id,
                   enum sy_answer_code code, const char *sentence)
{
    struct sy_writer writer = sy_writer_of(api->answer, ANSWER_BYTES);
    sy_answer_refused(&writer, request_id, code, sentence);
    sy_metric_add(SY_M_client_requests_refused_total, 1);
    (void)sy_server_reply(api->server, to->token, sy_writer_slice(&writer));
}

/* ---- small requests ---------------------------------------------------------------------- */

static void on_hello(sy_api *api, struct sy_request *from, const struct sy_client_request *request)
{
    uint64_t id = request->request_id;
    if (memcmp(request->body.hello.network, sy_network_tag(api->config.genesis),
               SY_NETWORK_TAG_BYTES) != 0) {
        sy_api_refuse(api, from, id, SY_ANSWER_OTHER_NETWORK,
                      "this validator serves another network: compare genesis files");
    } else if (request->body.hello.protocol_min > SY_PROTOCOL_VERSION ||
               request->body.hello.protocol_max < SY_PROTOCOL_VERSION) {
        sy_api_refuse(api, from, id, SY_ANSWER_OTHER_PROTOCOL,
                      "no protocol version in common: upgrade the older side");
    } else {
        struct sy_header newest;
        int64_t time_ms = sy_api_header(api, &newest, api->certified) ? newest.time_ms : 0;
        struct sy_writer writer = sy_writer_of(api->answer, ANSWER_BYTES);
        sy_answer_begin(&writer, SY_ANSWER_HELLO, id);
        sy_write_raw(&writer, sy_network_tag(api->config.genesis), SY_NETWORK_TAG_BYTES);
        sy_write_u16(&writer, SY_PROTOCOL_VERSION);
        sy_write_u64(&writer, api->certified);
        sy_write_i64(&writer, time_ms);
        sy_api_reply(api, from, &writer);
    }
    sy_server_release(api->server, from);
}

static void on_status(sy_api *api, struct sy_request *from, uint64_t request_id)
{
    size_t size = api->config.status(api->config.self, api->text, ANSWER_BYTES - 64);
    struct sy_writer writer = sy_writer_of(api->answer, ANSWER_BYTES);
    sy_answer_begin(&writer, SY_ANSWER_STATUS, request_id);
    sy_write_bytes32(&writer, sy_slice_of(api->text, size));
    sy_api_reply(api, from, &writer);
    sy_server_release(api->server, from);
}

/* ---- the thread -------------------------------------------------------------------------- */

/* Whoever asks for more than a session's share is told to come back. SUBMIT pays with a place in
 * the pool, and WAIT goes on when there is something left. */
static bool too_much(sy_api *api, const struct sy_request *from, uint8_t kind)
{
    if (kind == SY_REQUEST_SUBMIT || kind == SY_REQUEST_WAIT) return false;
    struct session *session = sy_api_session(api, from);
    if (!sy_share_left(&session->work, sy_os_monotonic_ns())) return true;
    sy_api_work(api, session,
                kind == SY_REQUEST_READ || kind == SY_REQUEST_FIND ? WORK_READ : WORK_REQUEST);
    return false;
}

static void dispatch(sy_api *api, struct sy_request *from)
{
    struct sy_client_request request;
    if (!sy_request_decode(&request, from->body)) {
        sy_api_refuse(api, from, request.request_id, SY_ANSWER_MALFORMED,
                      "the request is not canonical: use libsystole of this protocol version");
        sy_server_release(api->server, from);
        return;
    }
    if (too_much(api, from, request.kind)) {
        (void)sy_server_reply_busy(api->server, from->token, SY_API_RETRY_MS);
        sy_server_release(api->server, from);
        sy_metric_add(SY_M_client_requests_busy_total, 1);
        return;
    }
    switch (request.kind) {
    case SY_REQUEST_HELLO: on_hello(api, from, &request); break;
    case SY_REQUEST_SUBMIT: sy_api_on_submit(api, from, &request); break;
    case SY_REQUEST_WAIT: sy_api_on_wait(api, from, &request); break;
    case SY_REQUEST_BLOCK: sy_api_on_block(api, from, &request); break;
    case SY_REQUEST_READ: sy_api_on_read(api, from, &request); break;
    case SY_REQUEST_FIND: sy_api_on_find(api, from, &request); break;
    case SY_REQUEST_HANDOVERS: sy_api_on_handovers(api, from, &request); break;
    default: on_status(api, from, request.request_id);
    }
}

static void on_item(sy_api *api, const struct api_item *item)
{
    switch (item->type) {
    case API_SUBMITTED:
        if (!sy_api_own_heard(api, item->number)) sy_api_on_submitted(api, item->number);
        break;
    case API_OUTCOMES:
        if (!sy_api_own_heard(api, item->number)) sy_api_on_outcomes(api, item->number);
        break;
    case API_CERTIFIED:
        if (api->reads != NULL) sy_reads_certified(api->reads);
        sy_api_wait_certified(api, item->number);
        sy_api_read_certified(api);
        break;
    case API_PROVED: {
        struct job *job = sy_api_job_find(api, item->number, JOB_PROOF);
        if (job != NULL) sy_api_on_proof(api, job, item->status, item->proved);
        free(item->proved);
        break;
    }
    case API_NOTICED:
        atomic_store(&api->noticed, false); // what comes from here on is told again
        sy_api_noticed(api);
        break;
    case API_STOP: api->stopping = true; break;
    }
}

static void take_items(sy_api *api)
{
    struct api_item item;
    while (!api->stopping && sy_ring_pop(api->items, &item)) on_item(api, &item);
}

static void *run(void *self)
{
    sy_api *api = (sy_api *)self;
    while (!api->stopping) {
        take_items(api);
        struct sy_request request;
        unsigned taken = 0;
        while (taken < REQUESTS_A_TURN && sy_server_next(api->server, &request)) {
            take_items(api); // what was told before a request came is known when it is answered
            dispatch(api, &request);
            taken++;
        }
        uint64_t now_ns = sy_os_monotonic_ns();
        uint64_t wake_ns = sy_api_wait_deadlines(api, now_ns);
        uint64_t notices_ns = sy_api_notices_deadlines(api, now_ns);
        if (notices_ns < wake_ns) wake_ns = notices_ns;
        uint64_t reads_ns = sy_api_reads_due(api, now_ns);
        if (reads_ns < wake_ns) wake_ns = reads_ns;
        if (taken == REQUESTS_A_TURN || api->stopping) continue;
        struct pollfd fds[] = {{.fd = sy_server_fd(api->server), .events = POLLIN},
                               {.fd = sy_ring_fd(api->items), .events = POLLIN}};
        uint64_t wait_ms = wake_ns > now_ns ? (wake_ns - now_ns) / 1000000 + 1 : 0;
        (void)poll(fds, 2, wait_ms > 1000 ? 1000 : (int)wait_ms);
    }
    return NULL;
}

/* ---- what other threads tell ------------------------------------------------------------- */

static void post(sy_api *api, const struct api_item *item)
{
    (void)sy_ring_push_wait(api->items, item);
}

void sy_api_submitted(sy_api *api, uint64_t token)
{
    post(api, &(struct api_item){.type = API_SUBMITTED, .number = token});
}

void sy_api_outcomes(sy_api *api, uint64_t token, uint32_t count,
                     const struct sy_submit_outcome *outcomes)
{
    /* The job is this SUBMIT's alone until the API thread hears of its outcomes. */
    struct job *job = &api->jobs[(uint32_t)token % JOBS];
    SY_ASSERT(count <= SY_SUBMIT_TXS_MAX);
    memcpy(job->outcomes, outcomes, count * sizeof *outcomes);
    job->outcome_count = count;
    post(api, &(struct api_item){.type = API_OUTCOMES, .number = token});
}

void sy_api_certified(sy_api *api, uint64_t height)
{
    post(api, &(struct api_item){.type = API_CERTIFIED, .number = height});
    sy_notices_certified(api->notices);
    sy_directory_certified(api->directory);
}

/* The follower's thread. One item is enough for all blocks that come before it is taken. */
static void noticed(void *self, uint64_t height)
{
    sy_api *api = (sy_api *)self;
    struct api_item item = {.type = API_NOTICED, .number = height};
    if (atomic_exchange(&api->noticed, true)) return;
    if (!sy_ring_push(api->items, &item)) atomic_store(&api->noticed, false);
}

void sy_api_proved(void *self, uint64_t token, sy_status status, const struct sy_header *header,
                   struct sy_slice proof)
{
    sy_api *api = (sy_api *)self;
    struct proved *proved = (struct proved *)malloc(sizeof *proved + proof.size);
    if (proved == NULL) {
        status = SY_ERR_NO_MEMORY;
    } else {
        proved->header = *header;
        proved->size = proof.size;
        if (proof.size > 0) memcpy(proved->bytes, proof.data, proof.size);
    }
    struct api_item item = {
        .type = API_PROVED, .number = token, .status = status, .proved = proved};
    if (!sy_ring_push_wait(api->items, &item)) free(proved);
}

void sy_api_drain(sy_api *api)
{
    atomic_store(&api->draining, true);
}

void sy_api_set_runner(sy_api *api, sy_runner *runner)
{
    atomic_store(&api->runner, runner);
}

/* ---- life -------------------------------------------------------------------------------- */

static sy_status carve(sy_api *api)
{
    size_t tables = (AWAITED_MAX + SEEN_READS + SESSIONS + KNOWN_KEYS) * 3 * 64;
    bool grants = api->config.reads.folder != NULL || api->config.observes; // noted, or refused
    size_t bytes = JOBS * sizeof(struct job) + (grants ? sizeof(struct sy_grants) : 0) +
                   3 * ANSWER_BYTES + tables + JOBS * SY_WAIT_IDS_MAX * sizeof(struct waiter) +
                   SEEN_READS * sizeof(struct sy_hash) + SESSIONS * sizeof(uint64_t) +
                   65536 * sizeof(struct api_item) + (1u << 20);
    SY_TRY(sy_arena_open(&api->arena, bytes));
    api->jobs = SY_CARVE(&api->arena, struct job, JOBS);
    api->waiters = SY_CARVE(&api->arena, struct waiter, JOBS * SY_WAIT_IDS_MAX);
    api->answer = SY_CARVE(&api->arena, uint8_t, ANSWER_BYTES);
    api->collected = SY_CARVE(&api->arena, uint8_t, ANSWER_BYTES);
    api->text = SY_CARVE(&api->arena, char, ANSWER_BYTES);
    api->seen_order = SY_CARVE(&api->arena, struct sy_hash, SEEN_READS);
    api->session_order = SY_CARVE(&api->arena, uint64_t, SESSIONS);
    if (grants) api->grants = SY_CARVE(&api->arena, struct sy_grants, 1);
    if ((grants && !api->grants) || !api->jobs || !api->waiters || !api->answer ||
        !api->collected || !api->text || !api->seen_order || !api->session_order) {
        return SY_ERR_NO_MEMORY;
    }
    uint64_t seed[2];
    sy_os_random(seed, sizeof seed);
    SY_TRY(sy_table_init(&api->waiting, &api->arena, AWAITED_MAX, sizeof(uint64_t), seed));
    SY_TRY(sy_table_init(&api->seen, &api->arena, SEEN_READS, 8, seed));
    SY_TRY(sy_table_init(&api->sessions, &api->arena, SESSIONS, sizeof(struct session), seed));
    return sy_table_init(&api->known_keys, &api->arena, KNOWN_KEYS, 8, seed);
}

static sy_status open_reads(sy_api *api, struct sy_error *err)
{
    struct sy_reads_config *config = &api->config.reads;
    if (config->folder == NULL || api->config.observes) return SY_OK;
    config->store = api->config.store;
    config->genesis = api->config.genesis;
    return sy_reads_open(&api->reads, config, err);
}

static sy_status open_parts(sy_api *api, struct sy_error *err)
{
    SY_TRY(carve(api));
    SY_TRY(open_reads(api, err));
    SY_TRY(sy_ring_open(&api->items, &api->arena, 65536, sizeof(struct api_item)));
    SY_TRY(sy_store_reader_open(&api->reader, api->config.store));
    SY_TRY(sy_block_views_init(&api->views, api->reader, &api->config.genesis->hash));
    api->certified = sy_ledger_certified(api->config.store);
    api->notices_wake_ns = UINT64_MAX;
    SY_TRY(sy_notices_open(&api->notices, api->config.store, noticed, api, err));
    SY_TRY(sy_directory_open(&api->directory, api->config.store, api->config.genesis, err));
    SY_TRY(sy_server_open(&api->server, &api->config.server, err));
    SY_TRY(sy_thread_start(&api->thread, "sy-api", run, api, err));
    api->started = true;
    return SY_OK;
}

static void set_limits(struct sy_api_limits *limits)
{
    if (limits->work_per_s == 0) limits->work_per_s = WORK_PER_S;
    if (limits->strangers_a_session_per_s == 0) limits->strangers_a_session_per_s = 4;
    if (limits->strangers_per_s == 0) limits->strangers_per_s = 16;
}

sy_status sy_api_open(sy_api **out, const struct sy_api_config *config, struct sy_error *err)
{
    struct sy_error inner = {SY_OK, ""};
    sy_api *api = (sy_api *)calloc(1, sizeof *api);
    if (api == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "API: no memory");
    api->config = *config;
    set_limits(&api->config.limits);
    sy_status status = open_parts(api, &inner);
    if (status != SY_OK) {
        sy_api_close(api);
        return sy_fail(err, status, "%s",
                       inner.text[0] != '\0' ? inner.text : "the API thread has no memory");
    }
    *out = api;
    return SY_OK;
}

void sy_api_stop(sy_api *api)
{
    if (api == NULL || !api->started) return;
    post(api, &(struct api_item){.type = API_STOP});
    sy_thread_join(api->thread);
    api->started = false;
}

void sy_api_close(sy_api *api)
{
    if (api == NULL) return;
    sy_api_stop(api);
    if (api->items != NULL) {
        struct api_item item;
        while (sy_ring_pop(api->items, &item)) free(item.proved);
    }
    for (uint32_t i = 0; api->jobs != NULL && i < JOBS; i++) {
        if (api->jobs[i].state != JOB_FREE) sy_api_job_free(api, &api->jobs[i]);
    }
    sy_reads_close(api->reads);
    sy_notices_close(api->notices);
    sy_directory_close(api->directory);
    sy_server_close(api->server);
    sy_block_views_free(&api->views);
    sy_store_reader_close(api->reader);
    sy_ring_close(api->items);
    sy_arena_close(&api->arena);
    free(api);
}
