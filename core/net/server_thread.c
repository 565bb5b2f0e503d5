/* server_thread.c: see server_internal.h. One loop around poll; nothing in it waits. */
#include <poll.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/net/server_internal.h"

#define RECEIVE_BUDGET 256u
#define REPLY_BUDGET 256u
#define TICK_NS (100 * SY_SERVER_MS_NS)
// Replies not acknowledged for so long are taken for lost: the client will ask again.
#define LOST_NS (1000 * SY_SERVER_MS_NS)
// Replies of one session that wait to be sent; above it the client is told to try later.
#define ANSWERED_BYTES_MAX (16u << 20)

static uint64_t unacked_bytes(const struct sy_client *client)
{
    if (client->acked_frames == client->sent_frames) return 0;
    uint64_t newest = client->sent_bytes[(client->sent_frames - 1) % SY_REPLY_WINDOW_FRAMES];
    if (client->acked_frames == 0) return newest;
    return newest - client->sent_bytes[(client->acked_frames - 1) % SY_REPLY_WINDOW_FRAMES];
}

// Whether size more bytes may go now. A reply larger than the window goes when little is under way.
static bool fits_window(const struct sy_client *client, size_t size)
{
    uint64_t unacked = unacked_bytes(client);
    if (client->sent_frames - client->acked_frames >= SY_REPLY_WINDOW_FRAMES) return false;
    return unacked + size <= SY_REPLY_WINDOW_BYTES || unacked <= SY_REPLY_WINDOW_BYTES / 4;
}

static void note_sent(struct sy_client *client, size_t size, uint64_t now_ns)
{
    uint64_t before = client->sent_frames == 0
                          ? 0
                          : client->sent_bytes[(client->sent_frames - 1) % SY_REPLY_WINDOW_FRAMES];
    if (client->acked_frames == client->sent_frames) client->progress_ns = now_ns;
    client->sent_bytes[client->sent_frames % SY_REPLY_WINDOW_FRAMES] = before + size;
    client->sent_frames++;
    // Frames outside of the window (a session's first, "busy") push old ones out of the record.
    if (client->sent_frames - client->acked_frames > SY_REPLY_WINDOW_FRAMES) {
        client->acked_frames = client->sent_frames - SY_REPLY_WINDOW_FRAMES;
    }
}

// acked: one more than the newest counter the client has received. A client's own claim: a wrong
// one can only make its own replies be dropped or wait.
static void note_acked(struct sy_client *client, uint64_t acked, uint64_t now_ns)
{
    if (acked <= client->acked_frames || acked > client->sent_frames) return;
    client->acked_frames = acked;
    client->progress_ns = now_ns;
}

void sy_server_send_sealed(sy_server *server, struct sy_client *client,
                           const struct sy_route *route, uint8_t *message, uint32_t plain_bytes,
                           uint64_t now_ns)
{
    size_t size = SY_FRAME_OVERHEAD + (size_t)plain_bytes;
    // Once the counters are used up the client gets no answer and makes a new session.
    if (sy_session_seal(client->session, SY_CHANNEL_CLIENT, message, plain_bytes) != SY_OK ||
        sy_sock_send(&server->rep, message, route) != SY_OK) {
        sy_message_free(message);
        return;
    }
    note_sent(client, size, now_ns);
    sy_metric_add(SY_M_net_frames_sent_total, 1);
    sy_metric_add(SY_M_net_bytes_sent_total, size);
}

void sy_server_tell(sy_server *server, struct sy_client *client, const struct sy_route *route,
                    uint64_t request_id, enum sy_reply_status status, uint32_t retry_ms,
                    uint64_t now_ns)
{
    uint32_t plain_bytes = SY_REPLY_HEAD + (retry_ms ? 4 : 0);
    uint8_t *message = sy_message_new(SY_FRAME_OVERHEAD + (size_t)plain_bytes);
    if (!message) return;
    uint8_t *plain = message + SY_FRAME_HEAD;
    sy_store_u64(plain, request_id);
    plain[8] = (uint8_t)status;
    if (retry_ms) sy_store_u32(plain + SY_REPLY_HEAD, retry_ms);
    sy_server_send_sealed(server, client, route, message, plain_bytes, now_ns);
}

void sy_server_flush(sy_server *server, struct sy_client *client, uint64_t now_ns)
{
    while (client->answered.first != SY_NO_WAITER) {
        struct sy_waiter *waiter = &server->waiters[client->answered.first];
        size_t size = SY_FRAME_OVERHEAD + (size_t)waiter->reply_plain_bytes;
        if (!fits_window(client, size)) {
            if (now_ns - client->progress_ns < LOST_NS) return;
            client->acked_frames = client->sent_frames;
        }
        struct sy_route route = waiter->route;
        uint32_t plain_bytes;
        uint8_t *message = sy_waiter_take_reply(server, waiter, &plain_bytes);
        sy_server_send_sealed(server, client, &route, message, plain_bytes, now_ns);
    }
}

static void tell_busy(sy_server *server, struct sy_client *client, const struct sy_route *route,
                      uint64_t request_id, uint64_t now_ns)
{
    sy_net_refuse(&server->refuser, SY_NET_LIMITED, NULL);
    sy_server_tell(server, client, route, request_id, SY_REPLY_BUSY, SY_SERVER_RETRY_MS, now_ns);
}

// Half of the places are for everybody alike: once the other half is taken, a session gets no more
// than its part of that one. So however many a few of them want, the others are served.
static uint32_t places_of_one(const sy_server *server)
{
    const struct sy_server_config *limits = &server->limits;
    uint32_t common = limits->outstanding_max / 2;
    uint32_t part = common > limits->sessions_max ? common / limits->sessions_max : 1;
    bool crowded = atomic_load(&server->outstanding) >= limits->outstanding_max - common;
    return crowded && part < limits->outstanding_per_session ? part
                                                             : limits->outstanding_per_session;
}

static bool is_over_limit(const sy_server *server, const struct sy_client *client, size_t bytes)
{
    return client->outstanding >= places_of_one(server) ||
           client->answered_bytes >= ANSWERED_BYTES_MAX ||
           server->reply_bytes >= server->limits.reply_bytes_max ||
           atomic_load(&server->request_bytes) + bytes > server->limits.request_bytes_max;
}

// Hands a request to the consumer. True: the message belongs to it now.
static bool deliver(sy_server *server, struct sy_client *client, struct sy_message *message,
                    uint64_t request_id, struct sy_slice body, uint64_t now_ns)
{
    struct sy_waiter *waiter = NULL;
    if (!is_over_limit(server, client, body.size)) {
        waiter = sy_waiter_take(server, client, request_id, &message->route);
    }
    if (!waiter) {
        tell_busy(server, client, &message->route, request_id, now_ns);
        return false;
    }
    struct sy_request request = {.token = sy_waiter_token(server, waiter),
                                 .session = client->serial,
                                 .body = body,
                                 .message = message->data,
                                 .account = body.size};
    atomic_fetch_add(&server->request_bytes, body.size);
    if (sy_ring_push(server->requests, &request)) return true;
    atomic_fetch_sub(&server->request_bytes, body.size);
    sy_waiter_drop(server, waiter);
    tell_busy(server, client, &message->route, request_id, now_ns);
    return false;
}

static bool on_data(sy_server *server, struct sy_message *message, const struct sy_frame *frame,
                    uint64_t now_ns)
{
    struct sy_slice plain;
    struct sy_client *client = sy_server_find(server, &frame->id);
    if (!client) {
        struct sy_frame reset = {.type = SY_FRAME_RESET, .id = frame->id};
        sy_net_refuse(&server->refuser, SY_NET_UNKNOWN_SESSION, NULL);
        sy_server_send_plain(server, &reset, &message->route);
        return false;
    }
    sy_status status =
        sy_session_unseal(client->session, &plain, SY_CHANNEL_CLIENT, message->data, message->size);
    if (status != SY_OK || plain.size < SY_REQUEST_HEAD) {
        sy_net_refuse(&server->refuser,
                      status == SY_ERR_EXISTS   ? SY_NET_REPLAYED
                      : status == SY_ERR_CRYPTO ? SY_NET_FORGED
                                                : SY_NET_GARBAGE,
                      NULL);
        return false;
    }
    uint64_t request_id = sy_load_u64(plain.data);
    struct sy_slice body = sy_slice_of(plain.data + SY_REQUEST_HEAD, plain.size - SY_REQUEST_HEAD);
    client->heard_ns = now_ns;
    sy_metric_add(SY_M_net_frames_received_total, 1);
    note_acked(client, sy_load_u64(plain.data + 8), now_ns);
    sy_server_flush(server, client, now_ns);
    if (request_id == 0) return false;
    struct sy_waiter *waiter = sy_waiter_find(server, client, request_id);
    if (!waiter) return deliver(server, client, message, request_id, body, now_ns);
    // Asked again: the way back may have changed, the request has not.
    waiter->route = message->route;
    return false;
}

// True: the message belongs to somebody else now.
static bool on_message(sy_server *server, struct sy_message *message, uint64_t now_ns)
{
    struct sy_frame frame;
    sy_status status = sy_frame_parse(&frame, sy_slice_of(message->data, message->size));
    sy_metric_add(SY_M_net_bytes_received_total, message->size);
    if (status == SY_OK) {
        switch (frame.type) {
        case SY_FRAME_DATA: return on_data(server, message, &frame, now_ns);
        case SY_FRAME_HELLO:
            sy_server_on_hello(server, &frame, &message->route, now_ns);
            return false;
        case SY_FRAME_FLIGHT:
            sy_server_on_flight(server, &frame, &message->route, now_ns);
            return false;
        default: break;
        }
    }
    sy_net_refuse(&server->refuser, status == SY_ERR_LIMIT ? SY_NET_OVERLONG : SY_NET_GARBAGE,
                  NULL);
    return false;
}

// True: the budget ran out before the messages did.
static bool receive_all(sy_server *server, uint64_t now_ns)
{
    for (uint32_t i = 0; i < RECEIVE_BUDGET; i++) {
        struct sy_message message;
        sy_status status = sy_sock_recv(&server->rep, &message);
        if (status == SY_ERR_NOT_FOUND) return false;
        if (status != SY_OK) {
            sy_net_refuse(&server->refuser, SY_NET_GARBAGE, NULL);
        } else if (!on_message(server, &message, now_ns)) {
            sy_message_free(message.data);
        }
    }
    return true;
}

static void take_reply(sy_server *server, const struct sy_reply *reply, uint64_t now_ns)
{
    struct sy_waiter *waiter = sy_waiter_of(server, reply->token);
    if (!waiter) {
        // Answered twice, or its client has gone.
        sy_message_free(reply->message);
        return;
    }
    struct sy_client *client = &server->clients[waiter->client];
    if (!reply->message) {
        client->vouched = true;
        return;
    }
    sy_store_u64(reply->message + SY_FRAME_HEAD, waiter->request_id);
    sy_waiter_answer(server, waiter, reply->message, reply->plain_bytes);
    sy_server_flush(server, client, now_ns);
}

static bool take_replies(sy_server *server, uint64_t now_ns)
{
    for (uint32_t i = 0; i < REPLY_BUDGET; i++) {
        struct sy_reply reply;
        if (!sy_ring_pop(server->replies, &reply)) return false;
        take_reply(server, &reply, now_ns);
    }
    return true;
}

static void look_at_timers(sy_server *server, uint64_t now_ns)
{
    uint64_t broken = sy_sock_broken(&server->rep);
    sy_net_count(SY_NET_BROKEN, broken - server->broken);
    server->broken = broken;
    sy_server_expire(server, now_ns);
    server->tick_ns = now_ns + TICK_NS;
}

void *sy_server_run(void *context)
{
    sy_server *server = context;
    struct pollfd polls[2] = {{.fd = server->rep.recv_fd, .events = POLLIN},
                              {.fd = sy_ring_fd(server->replies), .events = POLLIN}};
    while (!atomic_load(&server->stopping)) {
        uint64_t now_ns = sy_os_monotonic_ns();
        if (now_ns >= server->tick_ns) look_at_timers(server, now_ns);
        bool more = take_replies(server, now_ns);
        more |= receive_all(server, now_ns);
        // A signal or an error costs a round, nothing else.
        if (!more) (void)poll(polls, 2, (int)(TICK_NS / SY_SERVER_MS_NS));
    }
    return NULL;
}
