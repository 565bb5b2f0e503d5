/* server.c: see server.h and server_internal.h. What other threads call. */
#include "core/net/server.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/base/thread.h"
#include "core/net/server_internal.h"

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
    return value ? value : fallback;
}

static void read_limits(struct sy_server_config *limits, const struct sy_server_config *config)
{
    limits->sessions_max = or_default(config->sessions_max, 1024);
    limits->half_open_max = or_default(config->half_open_max, 64);
    limits->handshakes_per_s = or_default(config->handshakes_per_s, 500);
    limits->outstanding_max = or_default(config->outstanding_max, 8192);
    limits->outstanding_per_session = or_default(config->outstanding_per_session, 256);
    limits->request_bytes_max = config->request_bytes_max ? config->request_bytes_max : 128u << 20;
    limits->reply_bytes_max = config->reply_bytes_max ? config->reply_bytes_max : 256u << 20;
    limits->idle_ms = or_default(config->idle_ms, 120000);
    limits->stranger_ms = or_default(config->stranger_ms, 5000);
}

static size_t measure_arena(const struct sy_server_config *limits)
{
    size_t waiter =
        sizeof(struct sy_waiter) + sizeof(struct sy_request) + 2 * sizeof(struct sy_reply);
    // A table has at most 8/3 slots an entry: the next power of two above 4/3.
    size_t table_entry = 3 * (sizeof(struct sy_hash) + sizeof(uint64_t) + 1);
    return sizeof(sy_server) + limits->sessions_max * (sizeof(struct sy_client) + table_entry) +
           limits->half_open_max * sizeof(struct sy_server_half_open) +
           limits->outstanding_max * waiter + 64 * 1024;
}

static sy_status carve(sy_server *server)
{
    const struct sy_server_config *limits = &server->limits;
    sy_arena *arena = &server->arena;
    uint64_t seed[2];
    sy_os_random(seed, sizeof seed);
    server->clients = SY_CARVE(arena, struct sy_client, limits->sessions_max);
    server->half_open = SY_CARVE(arena, struct sy_server_half_open, limits->half_open_max);
    server->waiters = SY_CARVE(arena, struct sy_waiter, limits->outstanding_max);
    if (!server->clients || !server->half_open || !server->waiters) return SY_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < limits->outstanding_max; i++) {
        server->waiters[i].next = i + 1 < limits->outstanding_max ? i + 1 : SY_NO_WAITER;
    }
    SY_TRY(sy_table_init(&server->by_id, arena, limits->sessions_max, sizeof(uint32_t), seed));
    SY_TRY(
        sy_ring_open(&server->requests, arena, limits->outstanding_max, sizeof(struct sy_request)));
    return sy_ring_open(&server->replies, arena, 2 * (size_t)limits->outstanding_max,
                        sizeof(struct sy_reply));
}

static sy_status open_server(sy_server **out, const struct sy_server_config *config,
                             struct sy_error *err)
{
    struct sy_server_config limits = {0};
    sy_arena arena;
    uint64_t seed;
    read_limits(&limits, config);
    if (sy_arena_open(&arena, measure_arena(&limits)) != SY_OK) {
        return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for %u client sessions",
                       limits.sessions_max);
    }
    sy_server *server = SY_CARVE(&arena, sy_server, 1);
    SY_ASSERT(server);
    server->arena = arena;
    server->limits = limits;
    server->rep.id = -1;
    server->refuser.where = "server";
    *out = server;
    sy_os_random(&seed, sizeof seed);
    sy_prng_seed(&server->prng, seed);
    sy_status status = carve(server);
    if (status != SY_OK) {
        return sy_fail(err, status, "cannot set up %u client sessions: %s", limits.sessions_max,
                       sy_status_name(status));
    }
    SY_TRY(sy_tls_open(&server->tls, config->key, err));
    SY_TRY(sy_sock_bind(&server->rep, SY_SOCK_REP, config->bind, "clients", err));
    sy_arena_seal(&server->arena);
    SY_TRY(sy_thread_start(&server->thread, "clients", sy_server_run, server, err));
    server->thread_started = true;
    return SY_OK;
}

sy_status sy_server_open(sy_server **server, const struct sy_server_config *config,
                         struct sy_error *err)
{
    *server = NULL;
    sy_status status = open_server(server, config, err);
    if (status == SY_OK) return SY_OK;
    sy_server_close(*server);
    *server = NULL;
    return status;
}

static void drain_rings(sy_server *server)
{
    struct sy_request request;
    struct sy_reply reply;
    while (server->requests && sy_ring_pop(server->requests, &request)) {
        sy_message_free(request.message);
    }
    while (server->replies && sy_ring_pop(server->replies, &reply)) sy_message_free(reply.message);
    sy_ring_close(server->requests);
    sy_ring_close(server->replies);
}

void sy_server_close(sy_server *server)
{
    if (!server) return;
    if (server->thread_started) {
        atomic_store(&server->stopping, true);
        sy_ring_stop(server->replies);
        sy_thread_join(server->thread);
    }
    if (server->waiters) sy_server_end_all(server);
    sy_sock_close(&server->rep);
    drain_rings(server);
    sy_tls_close(server->tls);
    sy_arena arena = server->arena;
    sy_arena_close(&arena);
}

bool sy_server_next(sy_server *server, struct sy_request *out)
{
    return sy_ring_pop(server->requests, out);
}

void sy_server_release(sy_server *server, struct sy_request *request)
{
    if (!request->message) return;
    atomic_fetch_sub(&server->request_bytes, request->account);
    sy_message_free(request->message);
    request->message = NULL;
    request->body = sy_slice_of(NULL, 0);
}

int sy_server_fd(const sy_server *server)
{
    return sy_ring_fd(server->requests);
}

// The request id is filled in by the server thread, which knows it.
static sy_status queue_reply(sy_server *server, uint64_t token, enum sy_reply_status status,
                             struct sy_slice body)
{
    struct sy_reply reply = {.token = token, .plain_bytes = SY_REPLY_HEAD + (uint32_t)body.size};
    reply.message = sy_message_new(SY_FRAME_OVERHEAD + (size_t)reply.plain_bytes);
    if (!reply.message) return SY_ERR_NO_MEMORY;
    uint8_t *plain = reply.message + SY_FRAME_HEAD;
    plain[8] = (uint8_t)status;
    if (body.size > 0) memcpy(plain + SY_REPLY_HEAD, body.data, body.size);
    // The server thread takes replies out without waiting for anybody, so this wait is short.
    if (sy_ring_push_wait(server->replies, &reply)) return SY_OK;
    sy_message_free(reply.message);
    return SY_ERR_CLOSED;
}

sy_status sy_server_reply(sy_server *server, uint64_t token, struct sy_slice body)
{
    if (body.size > SY_SERVER_REPLY_MAX) return SY_ERR_LIMIT;
    return queue_reply(server, token, SY_REPLY_OK, body);
}

void sy_server_vouch(sy_server *server, uint64_t token)
{
    struct sy_reply vouch = {.token = token, .message = NULL};
    (void)sy_ring_push_wait(server->replies, &vouch); // or the server is closing
}

sy_status sy_server_reply_busy(sy_server *server, uint64_t token, uint32_t retry_ms)
{
    uint8_t body[4];
    sy_store_u32(body, retry_ms);
    return queue_reply(server, token, SY_REPLY_BUSY, sy_slice_of(body, sizeof body));
}

void sy_server_get_info(sy_server *server, struct sy_server_info *out)
{
    out->sessions = (uint32_t)atomic_load(&server->sessions);
    out->half_open = (uint32_t)atomic_load(&server->half_open_count);
    out->outstanding = (uint32_t)atomic_load(&server->outstanding);
}
