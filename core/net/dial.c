/* dial.c: see dial.h and dial_internal.h. Requests and answers. */
#include "core/net/dial.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/net/dial_internal.h"

// Timers are looked at this often while waiting.
#define TICK_NS (20 * SY_DIAL_MS_NS)

static uint64_t after_ms(uint64_t now_ns, int timeout_ms)
{
    return now_ns + (timeout_ms > 0 ? (uint64_t)timeout_ms : 0) * SY_DIAL_MS_NS;
}

static bool has_due(const sy_dial *dial, uint64_t now_ns)
{
    for (uint32_t i = 0; i < dial->call_max; i++) {
        if (dial->calls[i].id && dial->calls[i].send_ns <= now_ns) return true;
    }
    return false;
}

// Waits for the network or a timer, at most until end_ns.
static void wait_for_work(sy_dial *dial, uint64_t now_ns, uint64_t end_ns)
{
    uint64_t wait_ns = end_ns > now_ns ? end_ns - now_ns : 0;
    if (wait_ns > TICK_NS) wait_ns = TICK_NS;
    struct pollfd polls[2] = {{.fd = dial->sock.recv_fd, .events = POLLIN},
                              {.fd = dial->sock.send_fd, .events = POLLIN}};
    // The send side is readable nearly always: ask only when something waits for it.
    bool blocked = has_due(dial, now_ns) && !sy_sock_can_send(&dial->sock);
    bool dialling = !dial->session && !dial->next && now_ns >= dial->attempt_ns;
    nfds_t count = (blocked && dial->session) || dialling ? 2 : 1;
    (void)poll(polls, count, (int)((wait_ns + SY_DIAL_MS_NS - 1) / SY_DIAL_MS_NS));
}

static void expire_calls(sy_dial *dial, uint64_t now_ns)
{
    for (uint32_t i = 0; i < dial->call_max; i++) {
        struct sy_call *call = &dial->calls[i];
        if (!call->id || now_ns < call->deadline_ns) continue;
        struct sy_dial_answer answer = {.id = call->id, .status = SY_ERR_TIMEOUT};
        sy_dial_end(dial, call, &answer, NULL);
    }
}

static uint64_t work(sy_dial *dial)
{
    uint64_t now_ns = sy_os_monotonic_ns();
    sy_dial_progress(dial, now_ns);
    expire_calls(dial, now_ns);
    return now_ns;
}

static void forget_reported(sy_dial *dial)
{
    sy_message_free(dial->reported);
    dial->reported = NULL;
}

struct sy_call *sy_dial_find(sy_dial *dial, uint64_t id)
{
    for (uint32_t i = 0; i < dial->call_max; i++) {
        if (dial->calls[i].id == id) return &dial->calls[i];
    }
    return NULL;
}

struct sy_call *sy_dial_next_due(sy_dial *dial, uint64_t now_ns)
{
    struct sy_call *oldest = NULL;
    for (uint32_t i = 0; i < dial->call_max; i++) {
        struct sy_call *call = &dial->calls[i];
        if (!call->id || call->send_ns > now_ns) continue;
        if (!oldest || call->id < oldest->id) oldest = call;
    }
    return oldest;
}

static void free_call(sy_dial *dial, struct sy_call *call)
{
    SY_ASSERT(call->id && dial->call_count > 0);
    free(call->body);
    memset(call, 0, sizeof *call);
    dial->call_count--;
}

void sy_dial_end(sy_dial *dial, struct sy_call *call, const struct sy_dial_answer *answer,
                 uint8_t *message)
{
    free_call(dial, call);
    SY_ASSERT(dial->ended_count < dial->call_max);
    dial->ended[dial->ended_count++] = (struct sy_ended){*answer, message};
}

static sy_status open_dial(sy_dial **out, const struct sy_dial_config *config, struct sy_error *err)
{
    uint64_t seed;
    sy_dial *dial = calloc(1, sizeof *dial);
    *out = dial;
    if (!dial) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for a connection");
    dial->sock.id = -1;
    dial->refuser.where = "dial";
    dial->call_max = config->outstanding_max ? config->outstanding_max : 256;
    dial->resend_ns = (config->resend_ms ? config->resend_ms : 2000) * SY_DIAL_MS_NS;
    dial->server_key = config->server_key;
    dial->calls = calloc(dial->call_max, sizeof *dial->calls);
    dial->ended = calloc(dial->call_max, sizeof *dial->ended);
    if (!dial->calls || !dial->ended) {
        return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for %u requests at once", dial->call_max);
    }
    if (strlen(config->address) >= sizeof dial->address) {
        return sy_fail(err, SY_ERR_ARGUMENT, "the address '%.60s...' is too long", config->address);
    }
    (void)snprintf(dial->address, sizeof dial->address, "%s", config->address);
    (void)snprintf(dial->error, sizeof dial->error,
                   "nobody answers at %s; check that the validator runs and that this is its "
                   "client address",
                   dial->address);
    sy_os_random(&seed, sizeof seed);
    sy_prng_seed(&dial->prng, seed);
    dial->heard_ns = sy_os_monotonic_ns();
    SY_TRY(sy_tls_open(&dial->tls, NULL, err));
    return sy_sock_connect(&dial->sock, SY_SOCK_REQ, dial->address, err);
}

static sy_status wait_for_session(sy_dial *dial, int timeout_ms, struct sy_error *err)
{
    uint64_t now_ns = work(dial);
    uint64_t end_ns = after_ms(now_ns, timeout_ms);
    while (!dial->session && !dial->wrong_key && now_ns < end_ns) {
        wait_for_work(dial, now_ns, end_ns);
        now_ns = work(dial);
    }
    if (dial->session || timeout_ms <= 0) return SY_OK;
    return sy_fail(err, dial->wrong_key ? SY_ERR_PERMISSION : SY_ERR_NETWORK, "%s", dial->error);
}

sy_status sy_dial_open(sy_dial **dial, const struct sy_dial_config *config, int timeout_ms,
                       struct sy_error *err)
{
    *dial = NULL;
    sy_status status = open_dial(dial, config, err);
    SY_ASSERT(status != SY_OK || *dial != NULL);
    if (status == SY_OK) status = wait_for_session(*dial, timeout_ms, err);
    if (status == SY_OK) return SY_OK;
    sy_dial_close(*dial);
    *dial = NULL;
    return status;
}

void sy_dial_close(sy_dial *dial)
{
    if (!dial) return;
    sy_sock_close(&dial->sock);
    sy_session_close(dial->session);
    sy_session_close(dial->next);
    sy_tls_close(dial->tls);
    for (uint32_t i = 0; dial->calls && i < dial->call_max; i++) free(dial->calls[i].body);
    for (uint32_t i = 0; i < dial->ended_count; i++) sy_message_free(dial->ended[i].message);
    forget_reported(dial);
    free(dial->calls);
    free(dial->ended);
    free(dial);
}

static sy_status add_call(sy_dial *dial, uint64_t *id, struct sy_slice request, int timeout_ms)
{
    if (request.size > SY_DIAL_REQUEST_MAX) return SY_ERR_LIMIT;
    if (sy_dial_outstanding(dial) >= dial->call_max) return SY_ERR_BUSY;
    struct sy_call *call = sy_dial_find(dial, 0);
    SY_ASSERT(call);
    uint8_t *body = malloc(request.size ? request.size : 1);
    if (!body) return SY_ERR_NO_MEMORY;
    if (request.size > 0) memcpy(body, request.data, request.size);
    uint64_t now_ns = sy_os_monotonic_ns();
    // Silence is counted from the first request that is owed an answer.
    if (dial->call_count == 0) dial->heard_ns = now_ns;
    *call = (struct sy_call){.id = ++dial->last_id,
                             .deadline_ns = after_ms(now_ns, timeout_ms),
                             .body = body,
                             .body_bytes = request.size};
    dial->call_count++;
    *id = call->id;
    return SY_OK;
}

sy_status sy_dial_send(sy_dial *dial, uint64_t *id, struct sy_slice request, int timeout_ms)
{
    forget_reported(dial);
    SY_TRY(add_call(dial, id, request, timeout_ms));
    sy_dial_progress(dial, sy_os_monotonic_ns());
    return SY_OK;
}

static void take_ended(sy_dial *dial, struct sy_ended *out, uint32_t index)
{
    *out = dial->ended[index];
    dial->ended_count--;
    memmove(&dial->ended[index], &dial->ended[index + 1],
            (dial->ended_count - index) * sizeof *dial->ended);
}

static bool take_ended_id(sy_dial *dial, struct sy_ended *out, uint64_t id)
{
    for (uint32_t i = 0; i < dial->ended_count; i++) {
        if (dial->ended[i].answer.id != id) continue;
        take_ended(dial, out, i);
        return true;
    }
    return false;
}

sy_status sy_dial_call(sy_dial *dial, uint8_t *reply, size_t *reply_bytes, size_t reply_max,
                       struct sy_slice request, int timeout_ms)
{
    uint64_t id;
    struct sy_ended ended;
    *reply_bytes = 0;
    forget_reported(dial);
    SY_TRY(add_call(dial, &id, request, timeout_ms));
    // The deadline ends it, so this loop ends.
    for (uint64_t now_ns = work(dial); !take_ended_id(dial, &ended, id); now_ns = work(dial)) {
        wait_for_work(dial, now_ns, now_ns + TICK_NS);
    }
    sy_status status = ended.answer.status;
    size_t size = ended.answer.body.size;
    if (status == SY_OK && size > reply_max) status = SY_ERR_LIMIT;
    if (status == SY_OK && size > 0) memcpy(reply, ended.answer.body.data, size);
    if (status == SY_OK) *reply_bytes = size;
    sy_message_free(ended.message);
    return status;
}

bool sy_dial_poll(sy_dial *dial, struct sy_dial_answer *answer, int timeout_ms)
{
    struct sy_ended ended;
    forget_reported(dial);
    uint64_t now_ns = work(dial);
    uint64_t end_ns = after_ms(now_ns, timeout_ms);
    while (dial->ended_count == 0 && now_ns < end_ns) {
        wait_for_work(dial, now_ns, end_ns);
        now_ns = work(dial);
    }
    if (dial->ended_count == 0) return false;
    take_ended(dial, &ended, 0);
    dial->reported = ended.message;
    *answer = ended.answer;
    return true;
}

void sy_dial_forget(sy_dial *dial, uint64_t id)
{
    struct sy_ended ended;
    struct sy_call *call = id ? sy_dial_find(dial, id) : NULL;
    if (call) {
        free_call(dial, call);
    } else if (take_ended_id(dial, &ended, id)) {
        sy_message_free(ended.message);
    }
}

uint32_t sy_dial_outstanding(const sy_dial *dial)
{
    return dial->call_count + dial->ended_count;
}

uint32_t sy_dial_retry_ms(const sy_dial *dial)
{
    return dial->retry_ms;
}

int sy_dial_fd(const sy_dial *dial)
{
    return dial->sock.recv_fd;
}

bool sy_dial_established(const sy_dial *dial)
{
    return dial->session != NULL;
}

const char *sy_dial_error(const sy_dial *dial)
{
    return dial->session ? "" : dial->error;
}
