/* api_roster.c: HANDOVERS: how every epoch began, for clients that follow from the genesis; and who
 * the validators are now. All of it is in state, and in headers and certificates that pruning
 * keeps. */
#include "consensus/node/api_internal.h"
#include "core/store/handovers.h"
#include "core/wire/state.h"

/* ---- the roster of the state ------------------------------------------------------------- */

static bool load_roster(struct sy_roster *roster, sy_state_view *view,
                        const struct sy_roster_head *head)
{
    struct sy_hash key;
    struct sy_slice value;
    roster->epoch = head->epoch;
    roster->count = 0;
    if (head->count > SY_VALIDATORS_MAX) return false;
    for (uint16_t i = 0; i < head->count; i++) {
        sy_state_key_validator(&key, i);
        if (sy_state_view_get(view, &value, &key) != SY_OK ||
            !sy_validator_state_decode(&roster->validators[i], value)) {
            return false;
        }
    }
    roster->count = head->count;
    return true;
}

bool sy_api_take_roster(sy_api *api, sy_state_view *view)
{
    struct sy_hash key;
    struct sy_slice value;
    struct sy_roster_head head;
    sy_state_key_zero(&key, SY_STATE_ROSTER);
    if (sy_state_view_get(view, &value, &key) != SY_OK) return false;
    if (!sy_roster_head_decode(&head, value)) return false;
    if (api->roster.count > 0 && api->roster.epoch == head.epoch) return true;
    return load_roster(&api->roster, view, &head);
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
