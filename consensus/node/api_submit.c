/* api_submit.c: SUBMIT: on to the pool, but for what strangers send too much of.
 *
 * A stranger's transaction is one that no key signs which the executed state here knows. Its place
 * in a block is sure to be wasted, unless its key's enrolment is still under way. So a few of them
 * are ordered all the same, and get the receipt that says E_KEY_UNKNOWN; the others are put off
 * with that code and may be tried again, by when this validator may have executed the enrolment. A
 * key that the payload itself enrols signs beside a known one, so that is no stranger's. Only
 * clients are judged so: what peers' batches hold is a matter of their bytes alone. */
#include "consensus/node/api_internal.h"
#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/base/telemetry.h"
#include "core/wire/state.h"
#include "core/wire/tx.h"

/* ---- strangers --------------------------------------------------------------------------- */

/* The SUBMIT under way. */
struct judging {
    sy_api *api;
    struct session *session;
    uint64_t now_ns;
    sy_state_view *view; /* opened when a key is looked up */
};

/* Keys are never forgotten, so what was known once needs no second look. */
static bool was_known(const struct judging *judging, const struct sy_public_key *key)
{
    struct sy_hash name;
    memcpy(name.bytes, key->bytes, sizeof name.bytes);
    return sy_table_find(&judging->api->known_keys, &name) != NULL;
}

static bool is_enrolled(const struct judging *judging, const struct sy_public_key *key)
{
    struct sy_hash name;
    struct sy_hash place;
    struct sy_slice value;
    struct sy_credential credential;
    sy_state_key_public(&place, SY_STATE_CREDENTIAL, key);
    if (sy_state_view_get(judging->view, &value, &place) != SY_OK) return false;
    if (!sy_credential_decode(&credential, value) || credential.use != SY_KEY_TX) return false;
    memcpy(name.bytes, key->bytes, sizeof name.bytes);
    struct sy_table *known = &judging->api->known_keys;
    if (sy_table_put(known, &name, NULL) == NULL) sy_table_clear(known);
    return true;
}

static bool may_pass(struct judging *judging)
{
    struct session *session = judging->session;
    sy_api *api = judging->api;
    if (!sy_share_left(&session->strangers, judging->now_ns)) return false;
    if (!sy_share_left(&api->strangers, judging->now_ns)) return false;
    sy_share_spend(&session->strangers, 1, api->config.limits.strangers_a_session_per_s);
    sy_share_spend(&api->strangers, 1, api->config.limits.strangers_per_s);
    return true;
}

/* SY_APPLIED, or why the transaction is put off. *member: a key that is known signs it. */
static enum sy_refusal judge(struct judging *judging, bool *member, struct sy_slice tx)
{
    struct sy_public_key keys[SY_TX_SIGNERS_MAX];
    unsigned count = sy_tx_peek_signers(keys, tx);
    *member = false;
    if (count == 0) return SY_APPLIED; /* admission refuses it, and it costs nothing */
    for (unsigned i = 0; i < count && !*member; i++) *member = was_known(judging, &keys[i]);
    if (*member) return SY_APPLIED;
    struct sy_share *work = &judging->session->work;
    for (unsigned i = 0; i < count; i++) {
        if (!sy_share_left(work, judging->now_ns)) return SY_E_BUSY;
        if (judging->view == NULL &&
            sy_state_view_open(&judging->view, judging->api->config.store) != SY_OK) {
            return SY_E_BUSY;
        }
        sy_api_work(judging->api, judging->session, WORK_LOOK);
        *member = is_enrolled(judging, &keys[i]);
        if (*member) return SY_APPLIED;
    }
    return may_pass(judging) ? SY_APPLIED : SY_E_KEY_UNKNOWN;
}

/* Marks what is put off; how many those are. */
static uint32_t hold_strangers(sy_api *api, struct job *job)
{
    struct judging judging = {.api = api,
                              .session = sy_api_session(api, &job->server_request),
                              .now_ns = sy_os_monotonic_ns()};
    size_t offset = 0;
    struct sy_slice tx;
    uint32_t held = 0;
    job->member = SY_SUBMIT_TXS_MAX;
    for (uint32_t i = 0; sy_submit_next(&job->request, &offset, &tx); i++) {
        bool member;
        job->held[i] = (uint16_t)judge(&judging, &member, tx);
        if (member && job->member == SY_SUBMIT_TXS_MAX) job->member = i;
        held += job->held[i] != SY_APPLIED;
    }
    sy_state_view_close(judging.view);
    if (held > 0) sy_metric_add(SY_M_client_txs_held_total, held);
    return held;
}

/* ---- answers ----------------------------------------------------------------------------- */

static void answer(sy_api *api, struct job *job)
{
    // Received: its signatures hold.
    if (job->member < job->outcome_count && job->outcomes[job->member].state == SY_TX_RECEIVED) {
        sy_api_vouch(api, &job->server_request);
    }
    struct sy_writer writer = sy_writer_of(api->answer, ANSWER_BYTES);
    sy_answer_begin(&writer, SY_ANSWER_SUBMIT, job->request.request_id);
    sy_write_u16(&writer, (uint16_t)job->outcome_count);
    for (uint32_t i = 0; i < job->outcome_count; i++) {
        sy_write_u8(&writer, job->outcomes[i].state);
        sy_write_u16(&writer, job->outcomes[i].code);
        sy_write_u32(&writer, job->outcomes[i].retry_ms);
    }
    sy_api_reply(api, &job->server_request, &writer);
    sy_api_job_free(api, job);
}

/* All of it is put off: nobody else needs to hear of it. */
static void put_off(sy_api *api, struct job *job)
{
    job->outcome_count = job->request.body.submit.count;
    for (uint32_t i = 0; i < job->outcome_count; i++) {
        job->outcomes[i] = (struct sy_submit_outcome){
            .state = SY_TX_BUSY, .code = job->held[i], .retry_ms = SY_HELD_RETRY_MS};
    }
    answer(api, job);
}

/* ---- the way to the pool and back -------------------------------------------------------- */

void sy_api_on_submit(sy_api *api, struct sy_request *from, const struct sy_client_request *request)
{
    if (atomic_load(&api->draining)) {
        sy_api_refuse(api, from, request->request_id, SY_ANSWER_STOPPING,
                      "this validator is stopping: submit to another one");
        sy_server_release(api->server, from);
        return;
    }
    if (api->config.observes) {
        sy_api_refuse(api, from, request->request_id, SY_ANSWER_OBSERVER,
                      "this is an observer, which only serves reads: submit to a validator");
        sy_server_release(api->server, from);
        return;
    }
    struct job *job = sy_api_job_take(api, JOB_SUBMIT, from, request);
    if (job == NULL) return;
    if (hold_strangers(api, job) == request->body.submit.count) {
        put_off(api, job);
        return;
    }
    job->submit = (struct sy_inbox_submit){.request = &job->request, .held = job->held};
    struct sy_inbox_item item = {
        .type = SY_INBOX_SUBMIT, .number = sy_api_token(api, job), .pointer = &job->submit};
    if (sy_ring_push(api->config.inbox, &item)) return;
    (void)sy_server_reply_busy(api->server, from->token, SY_API_RETRY_MS);
    sy_api_job_free(api, job);
}

/* Outcomes and the letting go of the bytes come in either order; the job ends with the second. */
void sy_api_on_submitted(sy_api *api, uint64_t token)
{
    struct job *job = sy_api_job_find(api, token, JOB_SUBMIT);
    if (job == NULL) return;
    sy_server_release(api->server, &job->server_request);
    job->released = true;
    if (job->deferred) answer(api, job);
}

void sy_api_on_outcomes(sy_api *api, uint64_t token)
{
    struct job *job = sy_api_job_find(api, token, JOB_SUBMIT);
    if (job == NULL) return;
    job->deferred = true;
    if (job->released) answer(api, job);
}
