/* dial_session.c: see dial_internal.h.
 *
 *   none --can send--> next: handshaking --FLIGHT--> next: established --sealed frame--> session
 *
 * The session ends when the server says RESET (it was restarted, or we were idle for long), when
 * its counters run low, or when nothing came for long while something was asked for. All that is
 * unanswered is then asked again under the new session. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/net/dial_internal.h"
#include "core/net/server.h"

#define HANDSHAKE_NS (2000 * SY_DIAL_MS_NS)
#define PAUSE_NS (50 * SY_DIAL_MS_NS)
#define PAUSE_NS_MAX (5000 * SY_DIAL_MS_NS)
#define RESEND_NS_MAX (30000 * SY_DIAL_MS_NS)
// Longer than any answer may take: the connection is dead, though TCP has not noticed.
#define SILENCE_NS (60000 * SY_DIAL_MS_NS)
#define REKEY_FRAMES (UINT64_C(1) << 31)
// Replies are acknowledged this often, well within the server's window.
#define ACK_BYTES (SY_REPLY_WINDOW_BYTES / 4)
#define ACK_FRAMES (SY_REPLY_WINDOW_FRAMES / 4)

static void put_off(sy_dial *dial, uint64_t now_ns)
{
    uint64_t pause = dial->attempts < 8 ? PAUSE_NS << dial->attempts : PAUSE_NS_MAX;
    if (pause > PAUSE_NS_MAX) pause = PAUSE_NS_MAX;
    dial->attempt_ns = now_ns + pause / 2 + sy_prng_below(&dial->prng, pause / 2 + 1);
    dial->attempts++;
}

static void drop_next(sy_dial *dial)
{
    sy_session_close(dial->next);
    dial->next = NULL;
}

// True: nanomsg took the message over.
static bool send_message(sy_dial *dial, uint8_t *message)
{
    // The top bit ends the way back, which a REP peels off (REQ/REP of the SP protocols).
    struct sy_route route = {{0}};
    uint32_t number = 0x80000000u | dial->asked++;
    for (int i = 0; i < 4; i++) route.bytes[4 + i] = (uint8_t)(number >> (24 - 8 * i));
    if (sy_sock_send(&dial->sock, message, &route) == SY_OK) return true;
    sy_message_free(message);
    return false;
}

static void send_flight(sy_dial *dial, enum sy_frame_type type, const uint8_t *flight, size_t size)
{
    uint8_t bytes[SY_FRAME_PLAIN_MAX];
    struct sy_frame frame = {
        .type = type, .id = *sy_session_id(dial->next), .flight = {flight, size}};
    size_t frame_bytes = sy_frame_encode(bytes, sizeof bytes, &frame);
    uint8_t *message = sy_message_new(frame_bytes);
    if (!message) return;
    memcpy(message, bytes, frame_bytes);
    (void)send_message(dial, message);
}

static void start_handshake(sy_dial *dial, uint64_t now_ns)
{
    uint8_t flight[SY_FLIGHT_BYTES_MAX];
    struct sy_session_id id;
    size_t size;
    put_off(dial, now_ns);
    sy_os_random(id.bytes, sizeof id.bytes);
    if (sy_session_open(&dial->next, dial->tls, SY_SESSION_CLIENT, &id, &dial->server_key) !=
        SY_OK) {
        return;
    }
    dial->next_until_ns = now_ns + HANDSHAKE_NS;
    if (sy_session_step(dial->next, flight, &size, sy_slice_of(NULL, 0)) == SY_OK) {
        send_flight(dial, SY_FRAME_HELLO, flight, size);
    } else {
        drop_next(dial);
    }
}

static void on_flight(sy_dial *dial, const struct sy_frame *frame)
{
    uint8_t flight[SY_FLIGHT_BYTES_MAX];
    size_t size;
    if (sy_session_established(dial->next)) return;
    sy_status status = sy_session_step(dial->next, flight, &size, frame->flight);
    if (status == SY_OK && size > 0) {
        send_flight(dial, SY_FRAME_FLIGHT, flight, size);
        return;
    }
    dial->wrong_key = status == SY_ERR_PERMISSION;
    sy_net_refuse(&dial->refuser, dial->wrong_key ? SY_NET_WRONG_KEY : SY_NET_BAD_HANDSHAKE,
                  dial->address);
    (void)snprintf(dial->error, sizeof dial->error,
                   dial->wrong_key
                       ? "who answers at %s does not hold the link key that the roster names; "
                         "check the address, and do not trust what answers there"
                       : "who answers at %s does not speak TLS 1.3 as systole does; check the "
                         "address",
                   dial->address);
    drop_next(dial);
}

static void stand(sy_dial *dial, uint64_t now_ns)
{
    sy_session_close(dial->session);
    dial->session = dial->next;
    dial->next = NULL;
    dial->attempts = 0;
    dial->attempt_ns = now_ns;
    dial->heard_ns = now_ns;
    dial->acked = dial->unacked_bytes = dial->unacked_frames = 0;
    dial->wrong_key = false;
    dial->error[0] = '\0';
    for (uint32_t i = 0; i < dial->call_max; i++) dial->calls[i].send_ns = 0;
}

// True: the message belongs to an answer now.
static bool on_reply(sy_dial *dial, struct sy_slice plain, uint8_t *message)
{
    struct sy_dial_answer answer = {.id = sy_load_u64(plain.data), .status = SY_OK};
    struct sy_slice body = sy_slice_of(plain.data + SY_REPLY_HEAD, plain.size - SY_REPLY_HEAD);
    struct sy_call *call = answer.id ? sy_dial_find(dial, answer.id) : NULL;
    if (!call) return false;
    if (plain.data[8] == SY_REPLY_OK) {
        answer.body = body;
        sy_dial_end(dial, call, &answer, message);
        return true;
    }
    answer.status = SY_ERR_BUSY;
    answer.retry_ms = body.size >= 4 ? sy_load_u32(body.data) : 0;
    dial->retry_ms = answer.retry_ms;
    sy_dial_end(dial, call, &answer, NULL);
    return false;
}

static bool on_data(sy_dial *dial, const struct sy_frame *frame, struct sy_message *message,
                    uint64_t now_ns)
{
    struct sy_slice plain;
    bool is_next = dial->next && sy_session_id_equal(sy_session_id(dial->next), &frame->id);
    sy_session *session = is_next ? dial->next : dial->session;
    uint64_t counter = frame->counter;
    if (!session) return false;
    sy_status status =
        sy_session_unseal(session, &plain, SY_CHANNEL_CLIENT, message->data, message->size);
    if (status != SY_OK || plain.size < SY_REPLY_HEAD) {
        sy_net_refuse(&dial->refuser, SY_NET_FORGED, dial->address);
        return false;
    }
    if (is_next) stand(dial, now_ns);
    dial->heard_ns = now_ns;
    if (counter >= dial->acked) dial->acked = counter + 1;
    dial->unacked_frames++;
    dial->unacked_bytes += message->size;
    return on_reply(dial, plain, message->data);
}

static void end_session(sy_dial *dial)
{
    sy_session_close(dial->session);
    dial->session = NULL;
    (void)snprintf(dial->error, sizeof dial->error, "the session with %s ended; connecting again",
                   dial->address);
}

// True: the message belongs to somebody else now.
static bool on_message(sy_dial *dial, struct sy_message *message, uint64_t now_ns)
{
    struct sy_frame frame;
    if (sy_frame_parse(&frame, sy_slice_of(message->data, message->size)) != SY_OK) {
        sy_net_refuse(&dial->refuser, SY_NET_GARBAGE, dial->address);
        return false;
    }
    bool is_next = dial->next && sy_session_id_equal(sy_session_id(dial->next), &frame.id);
    bool is_session = dial->session && sy_session_id_equal(sy_session_id(dial->session), &frame.id);
    switch (frame.type) {
    case SY_FRAME_DATA:
        return is_next || is_session ? on_data(dial, &frame, message, now_ns) : false;
    case SY_FRAME_FLIGHT:
        if (is_next) on_flight(dial, &frame);
        return false;
    case SY_FRAME_RESET:
        if (is_session) end_session(dial);
        return false;
    case SY_FRAME_BUSY:
        if (!is_next) return false;
        (void)snprintf(dial->error, sizeof dial->error,
                       "the validator at %s has no room for another client now", dial->address);
        drop_next(dial);
        return false;
    default: return false;
    }
}

// Wraps body in a sealed frame. False: it cannot be sent now.
static bool send_plain(sy_dial *dial, uint64_t request_id, struct sy_slice body)
{
    size_t plain_bytes = SY_REQUEST_HEAD + body.size;
    if (!sy_sock_can_send(&dial->sock)) return false;
    uint8_t *message = sy_message_new(SY_FRAME_OVERHEAD + plain_bytes);
    if (!message) return false;
    uint8_t *plain = message + SY_FRAME_HEAD;
    sy_store_u64(plain, request_id);
    sy_store_u64(plain + 8, dial->acked);
    if (body.size > 0) memcpy(plain + SY_REQUEST_HEAD, body.data, body.size);
    if (sy_session_seal(dial->session, SY_CHANNEL_CLIENT, message, plain_bytes) != SY_OK) {
        sy_message_free(message);
        end_session(dial);
        return false;
    }
    if (!send_message(dial, message)) return false;
    dial->unacked_frames = 0;
    dial->unacked_bytes = 0;
    return true;
}

static void send_due(sy_dial *dial, uint64_t now_ns)
{
    struct sy_call *call;
    while (dial->session && (call = sy_dial_next_due(dial, now_ns)) != NULL) {
        if (!send_plain(dial, call->id, sy_slice_of(call->body, call->body_bytes))) return;
        uint64_t pause = call->sends < 8 ? dial->resend_ns << call->sends : RESEND_NS_MAX;
        call->send_ns = now_ns + (pause < RESEND_NS_MAX ? pause : RESEND_NS_MAX);
        call->sends++;
    }
    bool owes = dial->unacked_bytes >= ACK_BYTES || dial->unacked_frames >= ACK_FRAMES;
    if (dial->session && owes) (void)send_plain(dial, 0, sy_slice_of(NULL, 0));
}

// A connection that is silent for long while answers are due is opened anew.
static void renew_connection(sy_dial *dial, uint64_t now_ns)
{
    struct sy_error err;
    if (dial->call_count == 0 || now_ns - dial->heard_ns < SILENCE_NS) return;
    dial->heard_ns = now_ns;
    end_session(dial);
    drop_next(dial);
    sy_sock_close(&dial->sock);
    if (sy_sock_connect(&dial->sock, SY_SOCK_REQ, dial->address, &err) != SY_OK) {
        (void)snprintf(dial->error, sizeof dial->error, "%.300s", err.text);
    }
}

static void tend_session(sy_dial *dial, uint64_t now_ns)
{
    if (dial->next && now_ns >= dial->next_until_ns) {
        sy_net_refuse(&dial->refuser, SY_NET_TIMED_OUT, dial->address);
        drop_next(dial);
    }
    renew_connection(dial, now_ns);
    bool worn = dial->session && sy_session_sealed(dial->session) >= REKEY_FRAMES;
    bool wanted = !dial->session || worn;
    if (wanted && !dial->next && now_ns >= dial->attempt_ns && sy_sock_can_send(&dial->sock)) {
        start_handshake(dial, now_ns);
    }
}

void sy_dial_progress(sy_dial *dial, uint64_t now_ns)
{
    struct sy_message message;
    sy_status status = SY_OK;
    while (dial->sock.id >= 0 && status != SY_ERR_NOT_FOUND) {
        status = sy_sock_recv(&dial->sock, &message);
        if (status == SY_OK && !on_message(dial, &message, now_ns)) sy_message_free(message.data);
    }
    tend_session(dial, now_ns);
    send_due(dial, now_ns);
}
