/* api_notices.c: READ of a subject's notices: found by number, proven, and waited for. */
#include "consensus/node/access.h"
#include "consensus/node/api_internal.h"
#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/wire/notice.h"

#define CANDIDATES_MAX 16u           /* places whose names begin alike */
#define READ_BYTES_MAX (8u << 20)    /* of blocks, for one answer that has a notice already */
#define NOTICE_ROOM 16384u           /* more than a header, its certificate and a notice take */
#define WAITS_NOTICES_MAX (JOBS / 8) /* questions that wait at once, */
#define WAITS_NOTICES_SESSION_MAX 8u /* and of one session */
#define LOOK_EVERY_NS 1000000000ull  /* into everything; into memory with every block */

_Static_assert(SY_HEADER_BYTES + 2 + SY_VALIDATORS_MAX * 66 + 1 + 2 + 2 +
                       SY_RECEIPT_HEAD_BYTES_MAX + 2 * (5 + 32 * SY_MERKLE_PATH_MAX) +
                       SY_EVENT_BYTES <
                   NOTICE_ROOM,
               "a notice fits where there is room for one");

/* Where an event stands. */
struct place {
    const struct sy_block_view *view;
    uint32_t index; /* of the receipt */
    uint32_t event; /* of the event in it */
};

static bool find_in_receipt(struct place *place, struct sy_slice bytes,
                            const struct sy_notices_asked *asked, uint64_t number)
{
    struct sy_reader in = sy_reader_of(bytes);
    struct sy_receipt receipt;
    struct sy_event event;
    size_t offset = 0;
    if (!sy_receipt_decode(&in, &receipt)) return false;
    for (place->event = 0; sy_receipt_next_event(&receipt, &offset, &event); place->event++) {
        bool same = event.subject_kind == asked->subject_kind && event.subject_number == number &&
                    sy_hash_equal(&event.subject, &asked->subject);
        if (same) return true;
    }
    return false;
}

static bool find_notice(sy_api *api, struct place *place, const struct sy_notices_asked *asked,
                        uint64_t number, bool recent)
{
    struct sy_tx_position positions[CANDIDATES_MAX];
    struct sy_hash name;
    size_t found;
    sy_notice_name(&name, asked->subject_kind, &asked->subject, number);
    if (sy_notices_find(api->reader, positions, &found, CANDIDATES_MAX, &name, recent) != SY_OK) {
        return false;
    }
    for (size_t i = 0; i < found && i < CANDIDATES_MAX; i++) {
        const struct sy_tx_position *at = &positions[i];
        if (sy_block_views_open(&api->views, &place->view, at->height) != SY_OK) continue;
        if (at->index >= place->view->tx_count) continue;
        place->index = at->index;
        if (find_in_receipt(place, sy_block_view_receipt(place->view, at->index), asked, number)) {
            return true;
        }
    }
    return false;
}

/* An answer under way: headers go into api->answer, notices behind them from api->text. */
struct telling {
    struct sy_writer headers, notices;
    uint16_t header_count, count;
    uint64_t last_height;
};

static void tell_header(struct telling *telling, const struct sy_block_view *view)
{
    if (telling->header_count > 0 && telling->last_height == view->height) return;
    sy_write_raw(&telling->headers, view->header_bytes.data, view->header_bytes.size);
    sy_write_raw(&telling->headers, view->certificate.data, view->certificate.size);
    telling->header_count++;
    telling->last_height = view->height;
}

/* False: the proof cannot be made now. */
static bool tell_notice(struct telling *telling, const struct place *place,
                        const struct sy_access *access, const struct sy_read_request *read)
{
    uint8_t head[SY_RECEIPT_HEAD_BYTES_MAX];
    struct sy_notice_proof proof;
    struct sy_slice receipt = sy_block_view_receipt(place->view, place->index);
    if (!sy_notice_prove(&proof, head, receipt, place->event)) return false;
    telling->count++;
    if (!sy_access_notice(access, read, &proof.event, place->view->height)) {
        sy_write_u8(&telling->notices, 0);
        return true;
    }
    sy_merkle_tree_path(&place->view->receipts, &proof.receipt_path, place->index);
    tell_header(telling, place->view);
    sy_write_u8(&telling->notices, 1);
    sy_write_u16(&telling->notices, (uint16_t)(telling->header_count - 1));
    sy_notice_proof_encode(&telling->notices, &proof);
    return true;
}

/* Collects notices from the first wanted on, as many as are wanted, found, and paid for. */
static void collect(sy_api *api, struct telling *telling, const struct sy_access *access,
                    const struct sy_read_request *read, const struct sy_notices_asked *asked)
{
    uint64_t before = api->views.read_bytes;
    *telling = (struct telling){.headers = sy_writer_of(api->collected, ANSWER_BYTES),
                                .notices = sy_writer_of((uint8_t *)api->text, ANSWER_BYTES)};
    while (telling->count < asked->max && asked->from <= UINT64_MAX - telling->count) {
        struct place place;
        size_t used = telling->headers.used + telling->notices.used;
        bool much = api->views.read_bytes - before > READ_BYTES_MAX;
        if (used + NOTICE_ROOM > ANSWER_BYTES || (much && telling->count > 0)) break;
        if (!find_notice(api, &place, asked, asked->from + telling->count, false)) break;
        if (!tell_notice(telling, &place, access, read)) break;
        // The whole receipt was hashed to prove one of its events; a view at hand reads nothing.
        api->views.read_bytes += sy_block_view_receipt(place.view, place.index).size;
    }
    SY_ASSERT(!telling->headers.failed && !telling->notices.failed);
}

static void send(sy_api *api, const struct sy_request *to, uint64_t id,
                 const struct telling *telling, uint64_t height)
{
    struct sy_writer writer = sy_writer_of(api->answer, ANSWER_BYTES);
    sy_answer_begin(&writer, SY_ANSWER_NOTICES, id);
    sy_write_u64(&writer, height);
    sy_write_u16(&writer, telling->header_count);
    sy_write_raw(&writer, telling->headers.data, telling->headers.used);
    sy_write_u16(&writer, telling->count);
    sy_write_raw(&writer, telling->notices.data, telling->notices.used);
    sy_api_reply(api, to, &writer);
}

/* Whether the first one wanted has happened, and is not to be found because it is not kept: a later
 * one is found, or none, though nothing is under way. */
static bool is_pruned(sy_api *api, const struct sy_access *access,
                      const struct sy_notices_asked *asked)
{
    uint64_t newest = sy_access_notice_count(access, asked->subject_kind, &asked->subject);
    struct place place;
    if (sy_ledger_pruned(api->config.store) == 0 || asked->from > newest) return false;
    for (uint64_t step = 1; step <= newest - asked->from; step *= 2) {
        if (find_notice(api, &place, asked, asked->from + step, false)) return true;
        if (step > UINT64_MAX / 2) break;
    }
    uint64_t certified = sy_ledger_certified(api->config.store);
    return sy_notices_next(api->config.store) > certified &&
           sy_ledger_height(api->config.store) == certified;
}

/* Answers, unless there is nothing yet and the question may wait. */
static bool answer(sy_api *api, const struct sy_request *to,
                   const struct sy_client_request *request, const struct sy_access *access,
                   bool may_wait)
{
    const struct sy_read_request *read = &request->body.read;
    struct sy_notices_asked asked;
    struct telling telling;
    enum sy_answer_code why;
    uint64_t next = sy_notices_next(api->config.store); // before anything is looked for
    bool canonical = sy_read_notices_asked(&asked, read);
    SY_ASSERT(canonical);
    if (!sy_access_notices(access, read)) {
        sy_api_refuse(api, to, request->request_id, SY_ANSWER_FORBIDDEN,
                      "notices are told to their subject, to a patient's guardians, and to those "
                      "who hold a subscription");
        return true;
    }
    collect(api, &telling, access, read, &asked);
    if (telling.count == 0 && is_pruned(api, access, &asked)) {
        sy_api_refuse_pruned(api, to, request->request_id);
        return true;
    }
    if (telling.count == 0 && may_wait) return false;
    if (!sy_api_note(api, access, &why)) {
        sy_api_read_refuse(api, to, request->request_id, why);
        return true;
    }
    send(api, to, request->request_id, &telling, next > 0 ? next - 1 : 0);
    return true;
}

/* ---- waiting ----------------------------------------------------------------------------- */

static bool may_wait(sy_api *api, const struct sy_request *from, uint32_t wait_ms)
{
    uint32_t own = 0;
    for (uint32_t i = 0; i < JOBS && wait_ms > 0; i++) {
        const struct job *job = &api->jobs[i];
        own += job->state == JOB_NOTICES && job->server_request.session == from->session;
    }
    return wait_ms > 0 && own < WAITS_NOTICES_SESSION_MAX;
}

/* Judged anew: a key may have lost its right meanwhile. */
static bool answer_job(sy_api *api, struct job *job, bool last)
{
    struct sy_access access;
    uint64_t before = api->views.read_bytes;
    bool answered = last;
    if (!sy_api_access_open(api, &access)) {
        if (!last) return false;
        sy_api_refuse(api, &job->server_request, job->request.request_id, SY_ANSWER_BUSY,
                      "too many questions wait: ask again");
    } else {
        answered = answer(api, &job->server_request, &job->request, &access, !last);
        sy_state_view_close(access.view);
    }
    sy_api_work(api, sy_api_session(api, &job->server_request), api->views.read_bytes - before);
    if (answered) sy_api_job_free(api, job);
    return answered;
}

static uint32_t waits_of(const sy_api *api, const struct sy_public_key *reader)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < JOBS; i++) {
        const struct job *job = &api->jobs[i];
        count += job->state == JOB_NOTICES &&
                 sy_public_key_equal(&job->request.body.read.reader, reader);
    }
    return count;
}

/* Who gives way: the oldest question of the key that has most of them waiting, over however many
 * sessions. Only keys that may be told wait at all, so nobody makes more of them to get more. */
static struct job *choose(sy_api *api)
{
    struct job *chosen = NULL;
    uint32_t most = 0;
    for (uint32_t i = 0; i < JOBS; i++) {
        struct job *job = &api->jobs[i];
        if (job->state != JOB_NOTICES) continue;
        uint32_t waits = waits_of(api, &job->request.body.read.reader);
        bool before =
            chosen == NULL || waits > most || (waits == most && job->order < chosen->order);
        if (!before) continue;
        chosen = job;
        most = waits;
    }
    return chosen;
}

/* Waiting costs a client nothing, so places are shared by key: when all are taken the one that has
 * most is answered early with what there is, and asks again. */
static void make_room(sy_api *api)
{
    uint32_t all = 0;
    for (uint32_t i = 0; i < JOBS; i++) all += api->jobs[i].state == JOB_NOTICES;
    if (all >= WAITS_NOTICES_MAX) (void)answer_job(api, choose(api), true);
}

void sy_api_on_notices(sy_api *api, struct sy_request *from,
                       const struct sy_client_request *request, const struct sy_access *access)
{
    struct sy_notices_asked asked;
    uint64_t before = api->views.read_bytes;
    bool canonical = sy_read_notices_asked(&asked, &request->body.read);
    SY_ASSERT(canonical); // or it was no request
    bool waits = may_wait(api, from, asked.wait_ms);
    bool answered = answer(api, from, request, access, waits);
    sy_api_work(api, sy_api_session(api, from),
                api->views.read_bytes - before + asked.max * (uint64_t)WORK_LOOK);
    if (answered) {
        sy_server_release(api->server, from);
        return;
    }
    make_room(api);
    struct job *job = sy_api_job_take(api, JOB_NOTICES, from, request);
    if (job == NULL) return;
    job->order = ++api->notices_made;
    sy_server_release(api->server, &job->server_request);
    job->released = true;
    job->deadline_ns = sy_os_monotonic_ns() + asked.wait_ms * 1000000ull;
    job->looked_ns = sy_os_monotonic_ns();
    if (job->deadline_ns < api->notices_wake_ns) api->notices_wake_ns = job->deadline_ns;
}

static bool has_come(sy_api *api, struct job *job, uint64_t now_ns)
{
    struct sy_notices_asked asked;
    struct place place;
    if (!sy_read_notices_asked(&asked, &job->request.body.read)) return true;
    bool all = now_ns - job->looked_ns >= LOOK_EVERY_NS;
    if (all) job->looked_ns = now_ns;
    return find_notice(api, &place, &asked, asked.from, !all);
}

void sy_api_noticed(sy_api *api)
{
    uint64_t now_ns = sy_os_monotonic_ns();
    for (uint32_t i = 0; i < JOBS; i++) {
        struct job *job = &api->jobs[i];
        if (job->state == JOB_NOTICES && has_come(api, job, now_ns)) {
            (void)answer_job(api, job, false);
        }
    }
}

uint64_t sy_api_notices_deadlines(sy_api *api, uint64_t now_ns)
{
    if (now_ns < api->notices_wake_ns) return api->notices_wake_ns;
    uint64_t soonest = UINT64_MAX;
    for (uint32_t i = 0; i < JOBS; i++) {
        struct job *job = &api->jobs[i];
        if (job->state != JOB_NOTICES) continue;
        if (now_ns >= job->deadline_ns) {
            (void)answer_job(api, job, true);
        } else if (job->deadline_ns < soonest) {
            soonest = job->deadline_ns;
        }
    }
    api->notices_wake_ns = soonest;
    return soonest;
}
