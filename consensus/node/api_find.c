/* api_find.c: FIND: searching the directory. What is told here is a hint, which nothing proves;
 * whoever asked reads each entry's state proof by its id. */
#include "consensus/node/api_internal.h"

static void answer(sy_api *api, struct sy_request *from, const struct sy_client_request *request,
                   const struct sy_access *access)
{
    struct sy_found found;
    uint64_t visited = 0;
    sy_status status = sy_directory_find(api->reader, &found, &visited, &request->body.find.query,
                                         access->time_ms);
    sy_api_work(api, sy_api_session(api, from), visited * WORK_LOOK);
    if (status != SY_OK) {
        sy_api_refuse(
            api, from, request->request_id, SY_ANSWER_BUSY,
            "this validator's directory cannot be read: its operator starts systoled with "
            "--rebuild-index; ask another validator");
        return;
    }
    struct sy_writer writer = sy_writer_of(api->answer, ANSWER_BYTES);
    sy_answer_begin(&writer, SY_ANSWER_FOUND, request->request_id);
    sy_found_encode(&writer, &found);
    sy_api_reply(api, from, &writer);
}

void sy_api_on_find(sy_api *api, struct sy_request *from, const struct sy_client_request *request)
{
    struct sy_access access;
    const struct sy_read_request *read = &request->body.find.read;
    enum sy_answer_code code = sy_api_read_judge(api, &access, from, read);
    if (code != 0) {
        sy_api_read_refuse(api, from, request->request_id, code);
        sy_server_release(api->server, from);
        return;
    }
    if (sy_access_find(&access, read)) {
        answer(api, from, request, &access);
    } else {
        sy_api_read_refuse(api, from, request->request_id, SY_ANSWER_FORBIDDEN);
    }
    sy_state_view_close(access.view);
    sy_server_release(api->server, from);
}
