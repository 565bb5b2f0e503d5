/* api_wait.c: WAIT: tell when transactions are final, with proofs. */
#include "consensus/node/api_internal.h"
#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/wire/receipt.h"

#define NOBODY UINT32_MAX
#define HEADER_ROOM (SY_HEADER_BYTES + 2u + SY_VALIDATORS_MAX * 66u + 64u)

/* ---- finding ----------------------------------------------------------------------------- */

/* True when the copy is one that whoever computed the witness has. */
static bool has_witness(sy_api *api, const struct sy_block_view *view, uint32_t index,
                        const struct sy_hash *witness)
{
    const struct sy_hash *right;
    return sy_block_views_witness(&api->views, &right, view, index) == SY_OK &&
           sy_hash_equal_ct(right, witness);
}

static bool copy_decides(const struct sy_block_view *view, uint32_t index)
{
    struct sy_receipt receipt;
    struct sy_reader reader = sy_reader_of(sy_block_view_receipt(view, index));
    return sy_receipt_decode(&reader, &receipt) && sy_refusal_decides(receipt.code);
}

/* Looks at the next certified copy; opening its block is what costs. False: no other one matters,
 * or there is none. */
static bool look_at_copy(sy_api *api, struct decision *decision, const struct sy_hash *tx_id,
                         const struct sy_hash *witness)
{
    struct sy_tx_position copies[COPIES_MAX];
    const struct sy_block_view *view;
    size_t found = 0;
    if (sy_ledger_find_tx(api->reader, copies, &found, COPIES_MAX, tx_id) != SY_OK) return false;
    if (decision->next >= found || decision->next >= COPIES_MAX) return false;
    const struct sy_tx_position *copy = &copies[decision->next++];
    if (copy->height > api->certified) return false;
    if (sy_block_views_open(&api->views, &view, copy->height) != SY_OK) return false;
    if (copy->index >= view->tx_count) return false;
    decision->may_know =
        decision->may_know || witness == NULL || has_witness(api, view, copy->index, witness);
    if (!decision->decided) decision->told = *copy;
    decision->decided = decision->decided || copy_decides(view, copy->index);
    return !decision->decided || !decision->may_know;
}

static bool take_decision(struct sy_tx_position *position, const struct decision *decision)
{
    if (!decision->may_know || decision->told.height == 0) return false;
    *position = decision->told;
    return true;
}

bool sy_api_decide(sy_api *api, struct sy_tx_position *position, const struct sy_hash *tx_id,
                   const struct sy_hash *witness)
{
    struct decision decision = {0};
    while (decision.next < COPIES_AT_ONCE && look_at_copy(api, &decision, tx_id, witness)) continue;
    return take_decision(position, &decision);
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

/* ---- who waits for what ------------------------------------------------------------------ */

static uint32_t waiter_of(const sy_api *api, const struct job *job, uint32_t index)
{
    return (uint32_t)(job - api->jobs) * SY_WAIT_IDS_MAX + index;
}

static void chain(sy_api *api, const struct job *job, uint32_t index, bool is_first)
{
    struct sy_awaited item;
    bool is_new = false;
    uint32_t number = waiter_of(api, job, index);
    struct waiter *waiter = &api->waiters[number];
    sy_wait_item(&job->request, index, &item);
    uint64_t *newest = (uint64_t *)sy_table_put(&api->waiting, &item.tx_id, &is_new);
    SY_ASSERT(newest != NULL); /* make_room sees to it */
    *waiter = (struct waiter){.waits = true, .is_first = is_first, .next = NOBODY, .prev = NOBODY};
    if (!is_new) {
        waiter->next = (uint32_t)*newest;
        api->waiters[waiter->next].prev = number;
    }
    *newest = number;
}

static void unchain(sy_api *api, const struct job *job, uint32_t index)
{
    struct sy_awaited item;
    struct waiter *waiter = &api->waiters[waiter_of(api, job, index)];
    if (!waiter->waits) return;
    waiter->waits = false;
    if (waiter->next != NOBODY) api->waiters[waiter->next].prev = waiter->prev;
    if (waiter->prev != NOBODY) {
        api->waiters[waiter->prev].next = waiter->next;
        return;
    }
    sy_wait_item(&job->request, index, &item);
    if (waiter->next == NOBODY) {
        (void)sy_table_remove(&api->waiting, &item.tx_id);
    } else {
        *(uint64_t *)sy_table_find(&api->waiting, &item.tx_id) = waiter->next;
    }
}

static void finish(sy_api *api, struct job *job)
{
    for (uint32_t i = 0; i < job->looked; i++) unchain(api, job, i);
    answer(api, job);
    sy_api_job_free(api, job);
}

/* ---- waiting ----------------------------------------------------------------------------- */

/* Whoever waits for item `looked` is told, or goes on waiting. */
static bool settle_item(sy_api *api, struct job *job)
{
    uint32_t index = job->looked++;
    bool known = take_decision(&job->positions[index], &job->deciding);
    bool is_first = job->deciding.next == 0;
    job->deciding = (struct decision){0};
    if (known) job->left--;
    if (!known) chain(api, job, index, is_first);
    return known;
}

/* Looks for the job's transactions as far as its session's share goes; those not final are waited
 * for. What was not looked for by the deadline is told as unknown. */
static void look(sy_api *api, struct job *job)
{
    if (job->looked == job->request.body.wait.count) return;
    struct session *session = sy_api_session(api, &job->server_request);
    uint64_t now_ns = sy_os_monotonic_ns();
    bool shown = false;
    while (job->looked < job->request.body.wait.count && sy_share_left(&session->work, now_ns)) {
        struct sy_awaited item;
        uint64_t before = api->views.read_bytes;
        sy_wait_item(&job->request, job->looked, &item);
        bool more = look_at_copy(api, &job->deciding, &item.tx_id, &item.witness);
        if (!more) shown |= settle_item(api, job);
        sy_api_work(api, session, WORK_LOOK + api->views.read_bytes - before);
    }
    if (shown) sy_api_vouch(api, &job->server_request); // a stranger has no witness
}

/* ---- room ------------------------------------------------------------------------------------ */

#define LOADS (2u * JOBS)
#define WAIT_LOAD (AWAITED_MAX / WAITS_MAX) /* a WAIT's place, in places of transactions */

/* How much room the WAITs of a session take; 0: the place is free. */
struct load {
    uint64_t session;
    uint32_t amount;
};

static struct load *load_of(struct load loads[LOADS], uint64_t session)
{
    size_t at = session % LOADS; /* sessions are numbered one after the other */
    while (loads[at].amount > 0 && loads[at].session != session) at = (at + 1) % LOADS;
    return &loads[at];
}

static void weigh(struct load loads[LOADS], const sy_api *api)
{
    memset(loads, 0, LOADS * sizeof loads[0]);
    for (uint32_t i = 0; i < JOBS; i++) {
        const struct job *job = &api->jobs[i];
        if (job->state != JOB_WAIT) continue;
        struct load *load = load_of(loads, job->server_request.session);
        load->session = job->server_request.session;
        load->amount += WAIT_LOAD + job->request.body.wait.count;
    }
}

/* Who gives way: of those that nobody vouched for, or else of all, the session that takes most. */
static uint64_t burden(sy_api *api, struct load loads[LOADS], const struct job *job)
{
    bool stranger = !sy_api_session(api, &job->server_request)->vouched;
    return (uint64_t)stranger << 32 | load_of(loads, job->server_request.session)->amount;
}

static struct job *choose(sy_api *api)
{
    struct load loads[LOADS];
    struct job *chosen = NULL;
    uint64_t most = 0;
    weigh(loads, api);
    for (uint32_t i = 0; i < JOBS; i++) {
        struct job *job = &api->jobs[i];
        if (job->state != JOB_WAIT) continue;
        uint64_t weight = burden(api, loads, job);
        bool before =
            chosen == NULL || weight > most || (weight == most && job->order < chosen->order);
        if (!before) continue;
        chosen = job;
        most = weight;
    }
    return chosen;
}

/* Waiting costs a client nothing, so whoever asks much would shut the others out: when WAITs hold
 * their share of the jobs, the oldest of the session that holds most is answered early with what
 * there is, and asks again. */
static void make_room(sy_api *api, uint32_t more)
{
    while (api->wait_count >= WAITS_MAX || api->awaited + more > AWAITED_MAX) {
        struct job *chosen = choose(api);
        SY_ASSERT(chosen != NULL);
        finish(api, chosen);
    }
}

/* When the job needs to be seen to again: at its deadline, or when more may be looked for. */
static uint64_t wake_of(sy_api *api, struct job *job, uint64_t now_ns)
{
    if (job->looked == job->request.body.wait.count) return job->deadline_ns;
    const struct session *session = sy_api_session(api, &job->server_request);
    uint64_t share_ns = session->work.spent_ns;
    if (share_ns < now_ns) share_ns = now_ns;
    return share_ns < job->deadline_ns ? share_ns : job->deadline_ns;
}

void sy_api_on_wait(sy_api *api, struct sy_request *from, const struct sy_client_request *request)
{
    uint32_t count = request->body.wait.count;
    make_room(api, count);
    struct job *job = sy_api_job_take(api, JOB_WAIT, from, request);
    if (job == NULL) return;
    job->order = ++api->wait_made;
    job->left = count;
    memset(job->positions, 0, count * sizeof job->positions[0]);
    uint64_t now_ns = sy_os_monotonic_ns();
    job->deadline_ns = now_ns + request->body.wait.wait_ms * 1000000ull;
    look(api, job);
    if (job->left == 0 || request->body.wait.wait_ms == 0) {
        finish(api, job);
        return;
    }
    uint64_t wake_ns = wake_of(api, job, now_ns);
    if (wake_ns < api->wait_wake_ns) api->wait_wake_ns = wake_ns;
}

/* The copies before this one were looked at when the item began to wait: only this one can show
 * that whoever waits has the transaction. Where there were none, as nearly always, it is the one
 * that is told, and the index need not be asked again. */
static bool decide_new(sy_api *api, struct job *job, uint32_t index,
                       const struct sy_tx_position *copy)
{
    struct sy_awaited item;
    const struct sy_block_view *view;
    struct waiter *waiter = &api->waiters[waiter_of(api, job, index)];
    bool is_first = waiter->is_first;
    waiter->is_first = false;
    sy_wait_item(&job->request, index, &item);
    if (sy_block_views_open(&api->views, &view, copy->height) != SY_OK) return false;
    if (copy->index >= view->tx_count) return false;
    if (!has_witness(api, view, copy->index, &item.witness)) return false;
    if (is_first && copy_decides(view, copy->index)) {
        job->positions[index] = *copy;
        return true;
    }
    return sy_api_decide(api, &job->positions[index], &item.tx_id, &item.witness);
}

/* A copy of a transaction is certified: those who wait for it and have it are told. */
static void tell_waiters(sy_api *api, const struct sy_hash *tx_id,
                         const struct sy_tx_position *copy)
{
    const uint64_t *newest = (const uint64_t *)sy_table_find(&api->waiting, tx_id);
    uint32_t number = newest == NULL ? NOBODY : (uint32_t)*newest;
    while (number != NOBODY) {
        struct job *job = &api->jobs[number / SY_WAIT_IDS_MAX];
        uint32_t index = number % SY_WAIT_IDS_MAX;
        SY_ASSERT(job->state == JOB_WAIT && job->positions[index].height == 0);
        number = api->waiters[number].next;
        if (!decide_new(api, job, index, copy)) continue;
        unchain(api, job, index);
        job->left--;
    }
}

static void tell_block(sy_api *api, uint64_t height)
{
    struct sy_slice ids;
    if (sy_ledger_get(api->reader, &ids, height, SY_BLOCK_TX_IDS) != SY_OK) return;
    for (size_t at = 0; at + 32 <= ids.size; at += 32) {
        struct sy_hash id;
        memcpy(id.bytes, ids.data + at, sizeof id.bytes);
        tell_waiters(api, &id, &(struct sy_tx_position){height, (uint32_t)(at / 32)});
    }
}

void sy_api_wait_certified(sy_api *api, uint64_t height)
{
    while (api->certified < height) tell_block(api, ++api->certified);
    for (uint32_t i = 0; i < JOBS; i++) {
        struct job *job = &api->jobs[i];
        if (job->state == JOB_WAIT && job->left == 0) finish(api, job);
    }
}

uint64_t sy_api_wait_deadlines(sy_api *api, uint64_t now_ns)
{
    /* Never later than the soonest deadline, so most turns need not look at every job. */
    if (now_ns < api->wait_wake_ns) return api->wait_wake_ns;
    uint64_t soonest = UINT64_MAX;
    for (uint32_t i = 0; i < JOBS; i++) {
        struct job *job = &api->jobs[i];
        if (job->state != JOB_WAIT) continue;
        look(api, job);
        if (job->left == 0 || now_ns >= job->deadline_ns) {
            finish(api, job);
            continue;
        }
        uint64_t wake_ns = wake_of(api, job, now_ns);
        if (wake_ns < soonest) soonest = wake_ns;
    }
    api->wait_wake_ns = soonest;
    return soonest;
}
