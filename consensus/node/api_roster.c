/* api_roster.c: HANDOVERS: how every epoch began, for clients that follow from the genesis; and who
 * the validators are now. All of it is in state, and in headers and certificates that pruning
 * keeps. */
#include "consensus/node/api_internal.h"
#include "core/base/telemetry.h"
#include "core/ledger/roster_state.h"
#include "core/store/handovers.h"

/* ---- the roster of the state ------------------------------------------------------------- */

static sy_status get_from_view(void *self, struct sy_slice *value, const struct sy_hash *key)
{
    return sy_state_view_get((sy_state_view *)self, value, key);
}

bool sy_api_take_roster(sy_api *api, sy_state_view *view)
{
    struct sy_roster_head head;
    sy_status status = sy_roster_state_head(&head, get_from_view, view);
    if (status == SY_OK && (api->roster.count == 0 || api->roster.epoch != head.epoch)) {
        status = sy_roster_state_load(&api->roster, &head, &api->config.genesis->hash,
                                      get_from_view, view);
    }
    if (status == SY_ERR_CORRUPT) {
        SY_LOG(SY_LOG_ERROR, "api", "state_roster_damaged",
               SY_F_U64("height", sy_state_view_height(view)));
    }
    return status == SY_OK;
}

/* ---- HANDOVERS --------------------------------------------------------------------------- */

/* An answer that names none says that the epoch has not ended here. */
void sy_api_on_handovers(sy_api *api, struct sy_request *from,
                         const struct sy_client_request *request)
{
    sy_state_view *view;
    if (sy_state_view_open(&view, api->config.store) != SY_OK) {
        sy_api_refuse(api, from, request->request_id, SY_ANSWER_BUSY,
                      "too many questions wait: ask again");
        sy_server_release(api->server, from);
        return;
    }
    struct sy_writer writer = sy_writer_of(api->answer, ANSWER_BYTES);
    sy_answer_begin(&writer, SY_ANSWER_HANDOVERS, request->request_id);
    uint16_t count =
        sy_store_handovers(&writer, api->reader, view, request->body.epoch, api->certified);
    sy_state_view_close(view);
    sy_api_work(api, sy_api_session(api, from), count * (uint64_t)WORK_REQUEST);
    sy_api_reply(api, from, &writer);
    sy_server_release(api->server, from);
}
