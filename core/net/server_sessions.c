/* server_sessions.c: see server_internal.h. Anybody may open a session, so everything here is
 * bounded: handshakes a second, half-open ones, sessions. */
#include <string.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/net/server_internal.h"

#define HALF_OPEN_NS (5000 * SY_SERVER_MS_NS)
// A session idle for this long makes room for a new one when all are taken.
#define EVICT_IDLE_NS (5000 * SY_SERVER_MS_NS)

static struct sy_hash table_key(const struct sy_session_id *id)
{
    struct sy_hash key = {{0}};
    memcpy(key.bytes, id->bytes, sizeof id->bytes);
    return key;
}

struct sy_client *sy_server_find(sy_server *server, const struct sy_session_id *id)
{
    struct sy_hash key = table_key(id);
    const uint32_t *index = sy_table_find(&server->by_id, &key);
    return index ? &server->clients[*index] : NULL;
}

void sy_server_send_plain(sy_server *server, const struct sy_frame *frame,
                          const struct sy_route *route)
{
    uint8_t bytes[SY_FRAME_PLAIN_MAX];
    size_t size = sy_frame_encode(bytes, sizeof bytes, frame);
    uint8_t *message = sy_message_new(size);
    if (!message) return;
    memcpy(message, bytes, size);
    if (sy_sock_send(&server->rep, message, route) != SY_OK) sy_message_free(message);
}

static void tell_busy(sy_server *server, const struct sy_session_id *id,
                      const struct sy_route *route)
{
    struct sy_frame busy = {.type = SY_FRAME_BUSY, .id = *id, .retry_ms = SY_SERVER_RETRY_MS};
    sy_net_refuse(&server->refuser, SY_NET_LIMITED, NULL);
    sy_server_send_plain(server, &busy, route);
}

static void end_half_open(sy_server *server, struct sy_server_half_open *half_open)
{
    sy_session_close(half_open->session);
    half_open->session = NULL;
    atomic_fetch_sub(&server->half_open_count, 1);
}

static struct sy_server_half_open *find_half_open(sy_server *server, const struct sy_session_id *id)
{
    for (uint32_t i = 0; i < server->limits.half_open_max; i++) {
        struct sy_server_half_open *half_open = &server->half_open[i];
        if (!half_open->session) continue;
        if (sy_session_id_equal(sy_session_id(half_open->session), id)) return half_open;
    }
    return NULL;
}

// A free place, or a random one's: a flood delays others but cannot shut them out.
static struct sy_server_half_open *take_half_open(sy_server *server)
{
    for (uint32_t i = 0; i < server->limits.half_open_max; i++) {
        if (!server->half_open[i].session) return &server->half_open[i];
    }
    uint32_t victim = (uint32_t)sy_prng_below(&server->prng, server->limits.half_open_max);
    sy_net_refuse(&server->refuser, SY_NET_EVICTED, NULL);
    end_half_open(server, &server->half_open[victim]);
    return &server->half_open[victim];
}

// As for links: time up to which handshakes are spent, at most a quarter of a second behind.
static bool take_token(sy_server *server, uint64_t now_ns)
{
    uint64_t token_ns = UINT64_C(1000000000) / server->limits.handshakes_per_s;
    uint64_t saved_ns = 250 * SY_SERVER_MS_NS + token_ns;
    uint64_t floor_ns = now_ns > saved_ns ? now_ns - saved_ns : 0;
    if (server->tokens_ns < floor_ns) server->tokens_ns = floor_ns;
    if (server->tokens_ns + token_ns > now_ns) return false;
    server->tokens_ns += token_ns;
    return true;
}

void sy_server_on_hello(sy_server *server, const struct sy_frame *frame,
                        const struct sy_route *route, uint64_t now_ns)
{
    uint8_t flight[SY_FLIGHT_BYTES_MAX];
    struct sy_frame answer = {.type = SY_FRAME_FLIGHT, .id = frame->id};
    size_t size;
    sy_session *session = NULL;
    if (sy_server_find(server, &frame->id) || find_half_open(server, &frame->id)) {
        sy_net_refuse(&server->refuser, SY_NET_REPLAYED, NULL);
        return;
    }
    if (!take_token(server, now_ns)) {
        tell_busy(server, &frame->id, route);
        return;
    }
    if (sy_session_open(&session, server->tls, SY_SESSION_SERVER, &frame->id, NULL) != SY_OK) {
        return;
    }
    sy_status status = sy_session_step(session, flight, &size, frame->flight);
    if (status != SY_OK || size == 0) {
        sy_net_refuse(&server->refuser, SY_NET_BAD_HANDSHAKE, NULL);
        sy_session_close(session);
        return;
    }
    struct sy_server_half_open *half_open = take_half_open(server);
    half_open->session = session;
    half_open->deadline_ns = now_ns + HALF_OPEN_NS;
    atomic_fetch_add(&server->half_open_count, 1);
    answer.flight = sy_slice_of(flight, size);
    sy_server_send_plain(server, &answer, route);
}

static void drop_waiters(sy_server *server, struct sy_waiter_list *list)
{
    while (list->first != SY_NO_WAITER) sy_waiter_drop(server, &server->waiters[list->first]);
}

static void end_client(sy_server *server, struct sy_client *client)
{
    struct sy_hash key = table_key(sy_session_id(client->session));
    drop_waiters(server, &client->unanswered);
    drop_waiters(server, &client->answered);
    SY_ASSERT(client->outstanding == 0 && client->answered_bytes == 0);
    bool removed = sy_table_remove(&server->by_id, &key);
    SY_ASSERT(removed);
    sy_session_close(client->session);
    client->session = NULL;
    atomic_fetch_sub(&server->sessions, 1);
}

// Whoever may have to make room, whatever it waits for: anybody may open sessions and keep them
// busy, so who has not shown in a while that he is somebody has no better right to a place than a
// newcomer. Which one it is must not be for those to choose who take many.
static bool is_stranger(const sy_server *server, const struct sy_client *client, uint64_t now_ns)
{
    return !client->vouched &&
           now_ns - client->started_ns >= server->limits.stranger_ms * SY_SERVER_MS_NS;
}

// A free place for a session; or that of the one idle for longest, if it has nothing to wait for
// and was idle for a while; or a random stranger's. NULL: all are in use.
static struct sy_client *take_client(sy_server *server, uint64_t now_ns)
{
    struct sy_client *idle = NULL, *stranger = NULL;
    uint32_t strangers = 0;
    for (uint32_t i = 0; i < server->limits.sessions_max; i++) {
        struct sy_client *client = &server->clients[i];
        if (!client->session) return client;
        if (is_stranger(server, client, now_ns) && sy_prng_below(&server->prng, ++strangers) == 0) {
            stranger = client;
        }
        if (client->outstanding > 0 || now_ns - client->heard_ns < EVICT_IDLE_NS) continue;
        if (!idle || client->heard_ns < idle->heard_ns) idle = client;
    }
    struct sy_client *victim = idle ? idle : stranger;
    if (!victim) return NULL;
    if (!idle) sy_net_refuse(&server->refuser, SY_NET_EVICTED, NULL);
    end_client(server, victim);
    return victim;
}

static void start_client(sy_server *server, struct sy_client *client, sy_session *session,
                         const struct sy_route *route, uint64_t now_ns)
{
    struct sy_hash key = table_key(sy_session_id(session));
    uint32_t *index = sy_table_put(&server->by_id, &key, NULL);
    SY_ASSERT(index);
    *index = (uint32_t)(client - server->clients);
    memset(client, 0, sizeof *client);
    client->session = session;
    client->serial = ++server->next_serial;
    client->started_ns = client->heard_ns = client->progress_ns = now_ns;
    client->unanswered = client->answered = (struct sy_waiter_list){SY_NO_WAITER, SY_NO_WAITER};
    atomic_fetch_add(&server->sessions, 1);
    sy_metric_add(SY_M_net_handshakes_total, 1);
    // By this sealed frame the client knows that the session stands.
    sy_server_tell(server, client, route, 0, SY_REPLY_OK, 0, now_ns);
}

void sy_server_on_flight(sy_server *server, const struct sy_frame *frame,
                         const struct sy_route *route, uint64_t now_ns)
{
    uint8_t out[SY_FLIGHT_BYTES_MAX];
    size_t size;
    struct sy_server_half_open *half_open = find_half_open(server, &frame->id);
    if (!half_open) {
        sy_net_refuse(&server->refuser, SY_NET_UNKNOWN_SESSION, NULL);
        return;
    }
    sy_status status = sy_session_step(half_open->session, out, &size, frame->flight);
    // TLS 1.3 without tickets: the client's flight is the last one.
    if (status != SY_OK || !sy_session_established(half_open->session)) {
        sy_net_refuse(&server->refuser, SY_NET_BAD_HANDSHAKE, NULL);
        end_half_open(server, half_open);
        return;
    }
    struct sy_client *client = take_client(server, now_ns);
    if (!client) {
        tell_busy(server, &frame->id, route);
        end_half_open(server, half_open);
        return;
    }
    sy_session *session = half_open->session;
    half_open->session = NULL;
    atomic_fetch_sub(&server->half_open_count, 1);
    start_client(server, client, session, route, now_ns);
}

void sy_server_expire(sy_server *server, uint64_t now_ns)
{
    for (uint32_t i = 0; i < server->limits.half_open_max; i++) {
        struct sy_server_half_open *half_open = &server->half_open[i];
        if (!half_open->session || now_ns < half_open->deadline_ns) continue;
        sy_net_refuse(&server->refuser, SY_NET_TIMED_OUT, NULL);
        end_half_open(server, half_open);
    }
    for (uint32_t i = 0; i < server->limits.sessions_max; i++) {
        struct sy_client *client = &server->clients[i];
        if (!client->session) continue;
        bool idle = now_ns - client->heard_ns > server->limits.idle_ms * SY_SERVER_MS_NS;
        if (idle) {
            end_client(server, client);
        } else {
            sy_server_flush(server, client, now_ns);
        }
    }
    sy_metric_set(SY_M_net_client_sessions_count, atomic_load(&server->sessions));
}

void sy_server_end_all(sy_server *server)
{
    for (uint32_t i = 0; i < server->limits.half_open_max; i++) {
        if (server->half_open[i].session) end_half_open(server, &server->half_open[i]);
    }
    for (uint32_t i = 0; i < server->limits.sessions_max; i++) {
        if (server->clients[i].session) end_client(server, &server->clients[i]);
    }
}
