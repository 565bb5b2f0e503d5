/* server_waiters.c: see server_internal.h. Waiters live in one array; free ones form a list, used
 * ones hang in a list of their client. */
#include "core/base/assert.h"
#include "core/net/server_internal.h"

static uint32_t index_of(const sy_server *server, const struct sy_waiter *waiter)
{
    return (uint32_t)(waiter - server->waiters);
}

static void append(sy_server *server, struct sy_waiter_list *list, struct sy_waiter *waiter)
{
    uint32_t index = index_of(server, waiter);
    waiter->previous = list->last;
    waiter->next = SY_NO_WAITER;
    if (list->last != SY_NO_WAITER) {
        server->waiters[list->last].next = index;
    } else {
        list->first = index;
    }
    list->last = index;
}

static void unlink_waiter(sy_server *server, struct sy_waiter_list *list, struct sy_waiter *waiter)
{
    if (waiter->previous != SY_NO_WAITER) {
        server->waiters[waiter->previous].next = waiter->next;
    } else {
        list->first = waiter->next;
    }
    if (waiter->next != SY_NO_WAITER) {
        server->waiters[waiter->next].previous = waiter->previous;
    } else {
        list->last = waiter->previous;
    }
}

struct sy_waiter *sy_waiter_take(sy_server *server, struct sy_client *client, uint64_t request_id,
                                 const struct sy_route *route)
{
    if (server->free_waiter == SY_NO_WAITER) return NULL;
    struct sy_waiter *waiter = &server->waiters[server->free_waiter];
    SY_ASSERT(!waiter->used);
    server->free_waiter = waiter->next;
    waiter->used = true;
    waiter->generation++;
    waiter->client = (uint32_t)(client - server->clients);
    waiter->request_id = request_id;
    waiter->route = *route;
    waiter->reply = NULL;
    append(server, &client->unanswered, waiter);
    client->outstanding++;
    atomic_fetch_add(&server->outstanding, 1);
    return waiter;
}

// Newest first: a request that is asked again is seldom an old one.
static struct sy_waiter *find_in(sy_server *server, const struct sy_waiter_list *list,
                                 uint64_t request_id)
{
    uint32_t index = list->last;
    while (index != SY_NO_WAITER && server->waiters[index].request_id != request_id) {
        index = server->waiters[index].previous;
    }
    return index == SY_NO_WAITER ? NULL : &server->waiters[index];
}

struct sy_waiter *sy_waiter_find(sy_server *server, const struct sy_client *client,
                                 uint64_t request_id)
{
    struct sy_waiter *waiter = find_in(server, &client->unanswered, request_id);
    return waiter ? waiter : find_in(server, &client->answered, request_id);
}

struct sy_waiter *sy_waiter_of(sy_server *server, uint64_t token)
{
    uint32_t index = (uint32_t)token;
    if (index >= server->limits.outstanding_max) return NULL;
    struct sy_waiter *waiter = &server->waiters[index];
    bool names_it = waiter->used && waiter->generation == (uint32_t)(token >> 32);
    return names_it && !waiter->reply ? waiter : NULL;
}

uint64_t sy_waiter_token(const sy_server *server, const struct sy_waiter *waiter)
{
    return (uint64_t)waiter->generation << 32 | index_of(server, waiter);
}

void sy_waiter_answer(sy_server *server, struct sy_waiter *waiter, uint8_t *message,
                      uint32_t plain_bytes)
{
    struct sy_client *client = &server->clients[waiter->client];
    SY_ASSERT(waiter->used && !waiter->reply);
    unlink_waiter(server, &client->unanswered, waiter);
    waiter->reply = message;
    waiter->reply_plain_bytes = plain_bytes;
    append(server, &client->answered, waiter);
    client->answered_bytes += plain_bytes;
    server->reply_bytes += plain_bytes;
}

// Out of its list already.
static void free_waiter(sy_server *server, struct sy_waiter *waiter)
{
    struct sy_client *client = &server->clients[waiter->client];
    SY_ASSERT(waiter->used && client->outstanding > 0);
    client->outstanding--;
    atomic_fetch_sub(&server->outstanding, 1);
    waiter->used = false;
    waiter->reply = NULL;
    waiter->next = server->free_waiter;
    server->free_waiter = index_of(server, waiter);
}

uint8_t *sy_waiter_take_reply(sy_server *server, struct sy_waiter *waiter, uint32_t *plain_bytes)
{
    struct sy_client *client = &server->clients[waiter->client];
    uint8_t *message = waiter->reply;
    SY_ASSERT(message);
    *plain_bytes = waiter->reply_plain_bytes;
    client->answered_bytes -= waiter->reply_plain_bytes;
    server->reply_bytes -= waiter->reply_plain_bytes;
    unlink_waiter(server, &client->answered, waiter);
    free_waiter(server, waiter);
    return message;
}

void sy_waiter_drop(sy_server *server, struct sy_waiter *waiter)
{
    uint32_t plain_bytes;
    if (waiter->reply) {
        sy_message_free(sy_waiter_take_reply(server, waiter, &plain_bytes));
        return;
    }
    unlink_waiter(server, &server->clients[waiter->client].unanswered, waiter);
    free_waiter(server, waiter);
}
