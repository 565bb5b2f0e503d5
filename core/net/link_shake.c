/* link_shake.c: see link_internal.h. How sessions between validators come and go.
 *
 *   initiator (smaller key)                      responder
 *   next = handshaking     -- HELLO ----------->  half open
 *   next = established     <- FLIGHT -----------
 *                          -- FLIGHT ---------->  next = established
 *   current = next         <- DATA (ping) ------  confirms
 *                          -- DATA (anything) ->  current = next
 *
 * So both sides send under a session only after a sealed frame of the other side under it, and the
 * initiator, of which there is one, decides which session is the current one. The session before
 * still receives for a while. Any message may be lost: the initiator starts again after a jittered
 * pause, a responder in want of a session knocks. */
#include "core/base/os.h"
#include "core/net/link_internal.h"

// The first pause is short, for validators that start together; then it grows.
#define PAUSE_NS (50 * SY_MS_NS)
#define PAUSE_NS_MAX (2000 * SY_MS_NS)
// How long the initiator waits for a handshake to be confirmed: it grows with the attempts, so that
// a lost flight costs little and a slow road still gets there.
#define CONFIRM_NS (250 * SY_MS_NS)
#define CONFIRM_NS_MAX SY_HALF_OPEN_NS
#define PREVIOUS_NS (10000 * SY_MS_NS)
#define PING_NS (1000 * SY_MS_NS)
#define KNOCK_PAUSE_NS (1000 * SY_MS_NS)
// Handshakes that may be started in the name of one peer: 256 a second, 32 at once.
#define TOKEN_NS (UINT64_C(1000000000) / 256)
#define TOKENS_MAX 32u

void sy_link_end_sessions(struct sy_link_slot *slot)
{
    sy_session_close(slot->current);
    sy_session_close(slot->previous);
    sy_session_close(slot->next);
    slot->current = slot->previous = slot->next = NULL;
    for (size_t i = 0; i < SY_HALF_OPEN_MAX; i++) {
        sy_session_close(slot->half_open[i].session);
        slot->half_open[i].session = NULL;
    }
}

static void send_frame(struct sy_link_slot *slot, const struct sy_frame *frame)
{
    uint8_t bytes[SY_FRAME_PLAIN_MAX];
    size_t size = sy_frame_encode(bytes, sizeof bytes, frame);
    uint8_t *message = slot->socks[SY_CHANNEL_CONTROL].id < 0 ? NULL : sy_message_new(size);
    if (!message) return;
    memcpy(message, bytes, size);
    if (sy_sock_send(&slot->socks[SY_CHANNEL_CONTROL], message, NULL) != SY_OK) {
        sy_message_free(message);
    }
}

static bool send_flight(sy_link *link, struct sy_link_slot *slot, enum sy_frame_type type,
                        const sy_session *session, struct sy_slice flight)
{
    struct sy_frame frame = {.type = type, .id = *sy_session_id(session), .flight = flight};
    if (type == SY_FRAME_HELLO) frame.sender = link->key;
    if (flight.size > 0) send_frame(slot, &frame);
    return flight.size > 0;
}

void sy_link_ping(struct sy_link_slot *slot, sy_session *session, uint64_t now_ns)
{
    struct sy_sock *sock = &slot->socks[SY_CHANNEL_CONTROL];
    uint8_t *message = sock->id < 0 ? NULL : sy_message_new(SY_FRAME_OVERHEAD + 1);
    if (!message) return;
    message[SY_FRAME_HEAD] = SY_INNER_PING;
    if (session == slot->current) slot->sent_ns = now_ns;
    if (sy_session_seal(session, SY_CHANNEL_CONTROL, message, 1) != SY_OK ||
        sy_sock_send(sock, message, NULL) != SY_OK) {
        sy_message_free(message);
    }
}

static uint64_t grow(uint64_t first_ns, uint64_t max_ns, uint32_t attempts)
{
    uint64_t grown = attempts < 16 ? first_ns << attempts : max_ns;
    return grown < max_ns ? grown : max_ns;
}

// Between half and the whole of the pause, so that validators that failed together do not try
// again together.
static void put_off(sy_link *link, struct sy_link_slot *slot, uint64_t now_ns)
{
    uint64_t pause = grow(PAUSE_NS, PAUSE_NS_MAX, slot->attempts);
    slot->attempt_ns = now_ns + pause / 2 + sy_prng_below(&link->prng, pause / 2 + 1);
    slot->attempts++;
}

static void start_handshake(sy_link *link, struct sy_link_slot *slot, uint64_t now_ns)
{
    struct sy_session_id id;
    uint8_t flight[SY_FLIGHT_BYTES_MAX];
    size_t size;
    sy_session *session = NULL;
    slot->started_ns = now_ns;
    slot->next_until_ns = now_ns + grow(CONFIRM_NS, CONFIRM_NS_MAX, slot->attempts);
    put_off(link, slot, now_ns);
    sy_os_random(id.bytes, sizeof id.bytes);
    if (sy_session_open(&session, link->tls, SY_SESSION_INITIATOR, &id, &slot->peer.key) != SY_OK) {
        return;
    }
    if (sy_session_step(session, flight, &size, sy_slice_of(NULL, 0)) != SY_OK) {
        sy_session_close(session);
        return;
    }
    slot->next = session;
    send_flight(link, slot, SY_FRAME_HELLO, session, sy_slice_of(flight, size));
}

static void knock(sy_link *link, struct sy_link_slot *slot, uint64_t now_ns)
{
    struct sy_frame frame = {.type = SY_FRAME_KNOCK, .sender = link->key};
    put_off(link, slot, now_ns);
    send_frame(slot, &frame);
}

static bool has_silence(const struct sy_link_slot *slot, uint64_t now_ns)
{
    return now_ns - slot->heard_ns > SY_LINK_SILENCE_MS * SY_MS_NS;
}

static bool wants_session(const sy_link *link, const struct sy_link_slot *slot, uint64_t now_ns)
{
    if (!slot->current || has_silence(slot, now_ns)) return true;
    return sy_session_sealed(slot->current) >= link->rekey_frames ||
           now_ns - slot->current_since_ns >= link->rekey_ns;
}

// Only this thread writes the state; the lock is for those who read it.
static void publish_state(sy_link *link, struct sy_link_slot *slot, uint64_t now_ns)
{
    bool established = slot->current && !has_silence(slot, now_ns);
    bool was_established = slot->state.established;
    sy_link_lock(link);
    slot->state.established = established;
    slot->state.last_heard_ns = slot->heard_ns;
    sy_link_unlock(link);
    if (established == was_established) return;
    SY_LOG(established ? SY_LOG_INFO : SY_LOG_WARN, "net", established ? "peer_up" : "peer_down",
           SY_F_TEXT("peer", slot->peer.name));
}

// next becomes current: the other side has shown that it has the keys.
static void promote(sy_link *link, struct sy_link_slot *slot, uint64_t now_ns)
{
    sy_session_close(slot->previous);
    slot->previous = slot->current;
    slot->previous_until_ns = now_ns + PREVIOUS_NS;
    slot->current = slot->next;
    slot->next = NULL;
    slot->current_since_ns = slot->heard_ns = now_ns;
    slot->attempts = 0;
    slot->attempt_ns = 0;
    sy_link_lock(link);
    slot->state.established_count++;
    sy_link_unlock(link);
    sy_metric_add(SY_M_net_handshakes_total, 1);
    publish_state(link, slot, now_ns);
    // The responder learns by this that it may use the session too.
    if (slot->initiator) sy_link_ping(slot, slot->current, now_ns);
}

void sy_link_heard(sy_link *link, struct sy_link_slot *slot, const sy_session *session,
                   uint64_t now_ns)
{
    if (session == slot->next) {
        promote(link, slot, now_ns);
    } else if (session == slot->current) {
        slot->heard_ns = now_ns;
    }
}

static void count_failure(sy_link *link, const struct sy_link_slot *slot, sy_status status)
{
    sy_net_refuse(&link->refuser,
                  status == SY_ERR_PERMISSION ? SY_NET_WRONG_KEY : SY_NET_BAD_HANDSHAKE,
                  slot->peer.name);
}

// A slot for a half-open handshake: a free one, or a random one is evicted. A stranger who floods
// hellos thus delays the real peer, whose handshake takes milliseconds, but cannot shut it out.
static struct sy_half_open *take_half_open(sy_link *link, struct sy_link_slot *slot)
{
    for (size_t i = 0; i < SY_HALF_OPEN_MAX; i++) {
        if (!slot->half_open[i].session) return &slot->half_open[i];
    }
    struct sy_half_open *victim = &slot->half_open[sy_prng_below(&link->prng, SY_HALF_OPEN_MAX)];
    sy_net_refuse(&link->refuser, SY_NET_EVICTED, slot->peer.name);
    sy_session_close(victim->session);
    victim->session = NULL;
    return victim;
}

// tokens_ns is the time up to which tokens are spent: it moves on by one token's worth a hello, and
// never lags more than TOKENS_MAX behind the present.
static bool take_token(struct sy_link_slot *slot, uint64_t now_ns)
{
    uint64_t saved_ns = TOKENS_MAX * TOKEN_NS;
    uint64_t floor_ns = now_ns > saved_ns ? now_ns - saved_ns : 0;
    if (slot->tokens_ns < floor_ns) slot->tokens_ns = floor_ns;
    if (slot->tokens_ns + TOKEN_NS > now_ns) return false;
    slot->tokens_ns += TOKEN_NS;
    return true;
}

static bool is_known_id(const struct sy_link_slot *slot, const struct sy_session_id *id)
{
    const sy_session *sessions[] = {slot->current, slot->previous, slot->next};
    for (size_t i = 0; i < 3; i++) {
        if (sessions[i] && sy_session_id_equal(sy_session_id(sessions[i]), id)) return true;
    }
    for (size_t i = 0; i < SY_HALF_OPEN_MAX; i++) {
        const sy_session *session = slot->half_open[i].session;
        if (session && sy_session_id_equal(sy_session_id(session), id)) return true;
    }
    return false;
}

void sy_link_on_hello(sy_link *link, const struct sy_frame *frame, uint64_t now_ns)
{
    uint8_t flight[SY_FLIGHT_BYTES_MAX];
    size_t size;
    sy_session *session = NULL;
    struct sy_link_slot *slot = sy_link_find_key(link, &frame->sender);
    if (!slot || slot->initiator) {
        sy_net_refuse(&link->refuser, SY_NET_STRANGER, slot ? slot->peer.name : NULL);
        return;
    }
    if (is_known_id(slot, &frame->id)) {
        sy_net_refuse(&link->refuser, SY_NET_REPLAYED, slot->peer.name);
        return;
    }
    if (!take_token(slot, now_ns)) {
        sy_net_refuse(&link->refuser, SY_NET_LIMITED, slot->peer.name);
        return;
    }
    if (sy_session_open(&session, link->tls, SY_SESSION_RESPONDER, &frame->id, &slot->peer.key) !=
        SY_OK) {
        return;
    }
    sy_status status = sy_session_step(session, flight, &size, frame->flight);
    if (status != SY_OK ||
        !send_flight(link, slot, SY_FRAME_FLIGHT, session, sy_slice_of(flight, size))) {
        count_failure(link, slot, status);
        sy_session_close(session);
        return;
    }
    struct sy_half_open *half_open = take_half_open(link, slot);
    half_open->session = session;
    half_open->deadline_ns = now_ns + SY_HALF_OPEN_NS;
}

// The responder's handshake moves on; when it is complete it waits in `next` to be confirmed.
static void step_half_open(sy_link *link, struct sy_link_slot *slot, struct sy_half_open *half_open,
                           struct sy_slice flight, uint64_t now_ns)
{
    uint8_t out[SY_FLIGHT_BYTES_MAX];
    size_t size;
    sy_session *session = half_open->session;
    sy_status status = sy_session_step(session, out, &size, flight);
    if (status == SY_OK && !sy_session_established(session)) {
        if (send_flight(link, slot, SY_FRAME_FLIGHT, session, sy_slice_of(out, size))) return;
        status = SY_ERR_CRYPTO;
    }
    half_open->session = NULL;
    if (status != SY_OK) {
        count_failure(link, slot, status);
        sy_session_close(session);
        return;
    }
    sy_session_close(slot->next);
    slot->next = session;
    slot->next_until_ns = now_ns + PREVIOUS_NS;
    sy_link_ping(slot, session, now_ns);
}

// The initiator's handshake moves on; once established it waits for a sealed frame.
static void step_next(sy_link *link, struct sy_link_slot *slot, struct sy_slice flight)
{
    uint8_t out[SY_FLIGHT_BYTES_MAX];
    size_t size;
    sy_status status = sy_session_step(slot->next, out, &size, flight);
    if (status == SY_OK &&
        send_flight(link, slot, SY_FRAME_FLIGHT, slot->next, sy_slice_of(out, size))) {
        return;
    }
    count_failure(link, slot, status);
    sy_session_close(slot->next);
    slot->next = NULL;
}

void sy_link_on_flight(sy_link *link, const struct sy_frame *frame, uint64_t now_ns)
{
    for (uint32_t i = 0; i < link->peers_max; i++) {
        struct sy_link_slot *slot = &link->slots[i];
        if (!slot->used) continue;
        bool is_next = slot->initiator && slot->next && !sy_session_established(slot->next) &&
                       sy_session_id_equal(sy_session_id(slot->next), &frame->id);
        if (is_next) {
            step_next(link, slot, frame->flight);
            return;
        }
        for (size_t h = 0; h < SY_HALF_OPEN_MAX; h++) {
            struct sy_half_open *half_open = &slot->half_open[h];
            if (!half_open->session) continue;
            if (!sy_session_id_equal(sy_session_id(half_open->session), &frame->id)) continue;
            step_half_open(link, slot, half_open, frame->flight, now_ns);
            return;
        }
    }
    sy_net_refuse(&link->refuser, SY_NET_UNKNOWN_SESSION, NULL);
}

void sy_link_on_knock(sy_link *link, const struct sy_frame *frame, uint64_t now_ns)
{
    struct sy_link_slot *slot = sy_link_find_key(link, &frame->sender);
    if (!slot || !slot->initiator) {
        sy_net_refuse(&link->refuser, SY_NET_STRANGER, slot ? slot->peer.name : NULL);
        return;
    }
    // Anybody can knock. It costs at most one handshake a second, and breaks nothing: the session
    // that stands is only displaced by one that the real peer has completed.
    if (slot->next || now_ns - slot->started_ns < KNOCK_PAUSE_NS) return;
    slot->attempts = 0;
    start_handshake(link, slot, now_ns);
}

static void expire_sessions(sy_link *link, struct sy_link_slot *slot, uint64_t now_ns)
{
    if (slot->previous && now_ns >= slot->previous_until_ns) {
        sy_session_close(slot->previous);
        slot->previous = NULL;
    }
    if (slot->next && now_ns >= slot->next_until_ns) {
        sy_net_refuse(&link->refuser, SY_NET_TIMED_OUT, slot->peer.name);
        sy_session_close(slot->next);
        slot->next = NULL;
    }
    for (size_t i = 0; i < SY_HALF_OPEN_MAX; i++) {
        struct sy_half_open *half_open = &slot->half_open[i];
        if (!half_open->session || now_ns < half_open->deadline_ns) continue;
        sy_net_refuse(&link->refuser, SY_NET_TIMED_OUT, slot->peer.name);
        sy_session_close(half_open->session);
        half_open->session = NULL;
    }
}

void sy_link_tend(sy_link *link, struct sy_link_slot *slot, uint64_t now_ns)
{
    expire_sessions(link, slot, now_ns);
    // The socket is asked last: that is a system call.
    bool may_try = !slot->next && now_ns >= slot->attempt_ns && wants_session(link, slot, now_ns) &&
                   sy_sock_can_send(&slot->socks[SY_CHANNEL_CONTROL]);
    if (may_try) {
        if (slot->initiator) {
            start_handshake(link, slot, now_ns);
        } else {
            knock(link, slot, now_ns);
        }
    }
    if (slot->current && now_ns - slot->sent_ns >= PING_NS) {
        sy_link_ping(slot, slot->current, now_ns);
    }
    publish_state(link, slot, now_ns);
}
