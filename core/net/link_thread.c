/* link_thread.c: see link_internal.h. The links thread: one loop around poll. Nothing in it waits:
 * each round takes a bounded number of messages in and puts a bounded number out, control before
 * bulk, peers in turn. */
#include <poll.h>
#include <sys/eventfd.h>

#include "core/base/os.h"
#include "core/net/link_internal.h"

static const uint32_t receive_budget[SY_LINK_CHANNELS] = {256, 32};
static const uint32_t send_budget[SY_LINK_CHANNELS] = {128, 8};

// How often timers are looked at: often while a peer has no session, else seldom.
#define TICK_NS (20 * SY_MS_NS)
#define TICK_QUIET_NS (100 * SY_MS_NS)
// What waits for a session longer than this is of no use to the peer any more.
#define STALE_NS (2000 * SY_MS_NS)

static bool names_session(const sy_session *session, const struct sy_session_id *id)
{
    return session && sy_session_established(session) &&
           sy_session_id_equal(sy_session_id(session), id);
}

static sy_session *find_session(sy_link *link, struct sy_link_slot **slot_out,
                                const struct sy_session_id *id)
{
    for (uint32_t i = 0; i < link->peers_max; i++) {
        struct sy_link_slot *slot = &link->slots[i];
        *slot_out = slot;
        if (!slot->used) continue;
        if (names_session(slot->current, id)) return slot->current;
        if (names_session(slot->next, id)) return slot->next;
        if (names_session(slot->previous, id)) return slot->previous;
    }
    return NULL;
}

// Charges a frame to its peer's share of the inbox. False: the share is used up.
static bool charge_inbox(sy_link *link, struct sy_link_slot *slot, uint32_t channel, size_t bytes)
{
    uint_fast32_t frames = atomic_fetch_add(&slot->inbox_frames[channel], 1);
    uint_fast64_t before = atomic_fetch_add(&slot->inbox_bytes[channel], bytes);
    if (frames == 0) return true; // One payload always fits, whatever the bound on bytes.
    if (frames < link->frames_max[channel] && before + bytes <= link->bytes_max[channel]) {
        return true;
    }
    atomic_fetch_sub(&slot->inbox_frames[channel], 1);
    atomic_fetch_sub(&slot->inbox_bytes[channel], bytes);
    return false;
}

// Takes over the message when it returns true.
static bool deliver(sy_link *link, struct sy_link_slot *slot, uint32_t channel,
                    struct sy_message *message, struct sy_slice payload)
{
    struct sy_link_frame frame = {
        .channel = (enum sy_channel)channel,
        .key = slot->peer.key,
        .payload = payload,
        .message = message->data,
        .account = (uint64_t)slot->generation << 32 | (uint32_t)(slot - link->slots),
    };
    if (charge_inbox(link, slot, channel, payload.size)) {
        if (sy_ring_push(link->rings[channel], &frame)) return true;
        atomic_fetch_sub(&slot->inbox_frames[channel], 1);
        atomic_fetch_sub(&slot->inbox_bytes[channel], payload.size);
    }
    sy_net_refuse(&link->refuser, SY_NET_INBOX_FULL, slot->peer.name);
    return false;
}

static enum sy_net_reason reason_of(sy_status status)
{
    switch (status) {
    case SY_ERR_EXISTS: return SY_NET_REPLAYED;
    case SY_ERR_CRYPTO: return SY_NET_FORGED;
    default: return SY_NET_GARBAGE;
    }
}

static bool receive_data(sy_link *link, uint32_t channel, struct sy_message *message,
                         const struct sy_frame *frame, uint64_t now_ns)
{
    struct sy_slice plain;
    struct sy_link_slot *slot = NULL;
    sy_session *session = find_session(link, &slot, &frame->id);
    if (!session) {
        sy_net_refuse(&link->refuser, SY_NET_UNKNOWN_SESSION, NULL);
        return false;
    }
    sy_status status =
        sy_session_unseal(session, &plain, (enum sy_channel)channel, message->data, message->size);
    if (status != SY_OK || plain.size == 0) {
        sy_net_refuse(&link->refuser, reason_of(status), slot->peer.name);
        return false;
    }
    sy_link_heard(link, slot, session, now_ns);
    sy_metric_add(SY_M_net_frames_received_total, 1);
    if (plain.data[0] == SY_INNER_PAYLOAD) {
        return deliver(link, slot, channel, message, sy_slice_of(plain.data + 1, plain.size - 1));
    }
    if (plain.data[0] != SY_INNER_PING || plain.size != 1) {
        sy_net_refuse(&link->refuser, SY_NET_GARBAGE, slot->peer.name);
    }
    return false;
}

// True: the message belongs to somebody else now.
static bool receive_message(sy_link *link, uint32_t channel, struct sy_message *message,
                            uint64_t now_ns)
{
    struct sy_frame frame;
    sy_status status = sy_frame_parse(&frame, sy_slice_of(message->data, message->size));
    sy_metric_add(SY_M_net_bytes_received_total, message->size);
    if (status == SY_OK && frame.type == SY_FRAME_DATA) {
        return receive_data(link, channel, message, &frame, now_ns);
    }
    if (status == SY_OK && channel == SY_CHANNEL_CONTROL) {
        switch (frame.type) {
        case SY_FRAME_HELLO: sy_link_on_hello(link, &frame, now_ns); return false;
        case SY_FRAME_FLIGHT: sy_link_on_flight(link, &frame, now_ns); return false;
        case SY_FRAME_KNOCK: sy_link_on_knock(link, &frame, now_ns); return false;
        default: break;
        }
    }
    sy_net_refuse(&link->refuser, status == SY_ERR_LIMIT ? SY_NET_OVERLONG : SY_NET_GARBAGE, NULL);
    return false;
}

// True: the budget ran out before the messages did.
static bool receive_channel(sy_link *link, uint32_t channel, uint64_t now_ns)
{
    for (uint32_t i = 0; i < receive_budget[channel]; i++) {
        struct sy_message message;
        if (sy_sock_recv(&link->pulls[channel], &message) != SY_OK) return false;
        if (!receive_message(link, channel, &message, now_ns)) sy_message_free(message.data);
    }
    return true;
}

// Copies the oldest parcel, which only this thread removes. False: none.
static bool peek_parcel(sy_link *link, const struct sy_outbox *outbox, struct sy_parcel *parcel)
{
    sy_link_lock(link);
    bool found = outbox->count > 0;
    if (found) *parcel = outbox->parcels[outbox->head];
    sy_link_unlock(link);
    return found;
}

static void pop_parcel(sy_link *link, struct sy_outbox *outbox, uint32_t channel)
{
    sy_link_lock(link);
    sy_link_pop_parcel(outbox, link->frames_max[channel]);
    sy_link_unlock(link);
}

static void drop_stale(sy_link *link, struct sy_link_slot *slot, uint32_t channel, uint64_t now_ns)
{
    struct sy_parcel parcel;
    struct sy_outbox *outbox = &slot->outboxes[channel];
    while (peek_parcel(link, outbox, &parcel) && now_ns > parcel.queued_ns + STALE_NS) {
        pop_parcel(link, outbox, channel);
        sy_message_free(parcel.message);
        sy_net_refuse(&link->refuser, SY_NET_STALE, slot->peer.name);
    }
}

// Seals and sends the oldest parcel. False: none, or not now.
static bool send_parcel(sy_link *link, struct sy_link_slot *slot, uint32_t channel, uint64_t now_ns)
{
    struct sy_parcel parcel;
    struct sy_outbox *outbox = &slot->outboxes[channel];
    if (!peek_parcel(link, outbox, &parcel)) return false;
    if (!parcel.sealed) {
        // The session's counters are used up only if its successor was refused 2^31 times.
        if (sy_session_seal(slot->current, (enum sy_channel)channel, parcel.message,
                            parcel.plain_bytes) != SY_OK) {
            return false;
        }
        sy_link_lock(link);
        outbox->parcels[outbox->head].sealed = true;
        sy_link_unlock(link);
    }
    if (sy_sock_send(&slot->socks[channel], parcel.message, NULL) != SY_OK) {
        slot->blocked[channel] = true;
        return false;
    }
    pop_parcel(link, outbox, channel);
    slot->sent_ns = now_ns;
    sy_metric_add(SY_M_net_frames_sent_total, 1);
    sy_metric_add(SY_M_net_bytes_sent_total, SY_FRAME_OVERHEAD + (uint64_t)parcel.plain_bytes);
    return true;
}

// True: the budget ran out before the parcels did.
static bool send_channel(sy_link *link, struct sy_link_slot *slot, uint32_t channel,
                         uint64_t now_ns)
{
    if (slot->blocked[channel] || !slot->current || slot->socks[channel].id < 0) return false;
    for (uint32_t i = 0; i < send_budget[channel]; i++) {
        if (!send_parcel(link, slot, channel, now_ns)) return false;
    }
    return true;
}

static bool send_all(sy_link *link, uint64_t now_ns)
{
    bool more = false;
    for (uint32_t c = 0; c < SY_LINK_CHANNELS; c++) {
        for (uint32_t i = 0; i < link->peers_max; i++) {
            struct sy_link_slot *slot = &link->slots[i];
            if (slot->used && send_channel(link, slot, c, now_ns)) more = true;
        }
    }
    return more;
}

static void flap_slot(sy_link *link, struct sy_link_slot *slot)
{
    sy_link_lock(link);
    bool wanted = slot->wants_flap;
    slot->wants_flap = false;
    sy_link_unlock(link);
    if (wanted) sy_link_reconnect(slot);
}

static void count_broken(sy_link *link)
{
    for (uint32_t c = 0; c < SY_LINK_CHANNELS; c++) {
        uint64_t broken = sy_sock_broken(&link->pulls[c]);
        if (broken > link->broken[c]) {
            sy_net_count(SY_NET_BROKEN, broken - link->broken[c] - 1);
            sy_net_refuse(&link->refuser, SY_NET_BROKEN, NULL);
        }
        link->broken[c] = broken;
    }
}

static void look_at_timers(sy_link *link, uint64_t now_ns)
{
    uint32_t up = 0;
    bool quiet = true;
    for (uint32_t i = 0; i < link->peers_max; i++) {
        struct sy_link_slot *slot = &link->slots[i];
        if (!slot->used) continue;
        bool closed = slot->socks[0].id < 0 || slot->socks[1].id < 0;
        if (closed && now_ns >= slot->reconnect_ns) sy_link_reconnect(slot);
        sy_link_tend(link, slot, now_ns);
        if (slot->state.established) up++;
        if (!slot->state.established || slot->next) quiet = false;
        for (uint32_t c = 0; c < SY_LINK_CHANNELS && !slot->state.established; c++) {
            drop_stale(link, slot, c, now_ns);
        }
    }
    count_broken(link);
    sy_metric_set(SY_M_net_sessions_count, up);
    link->tick_ns = now_ns + (quiet ? TICK_QUIET_NS : TICK_NS);
}

static void wait_for_work(sy_link *link, uint64_t now_ns)
{
    nfds_t count = 0;
    link->polls[count++] = (struct pollfd){.fd = link->wake_fd, .events = POLLIN};
    for (uint32_t c = 0; c < SY_LINK_CHANNELS; c++) {
        link->polls[count++] = (struct pollfd){.fd = link->pulls[c].recv_fd, .events = POLLIN};
    }
    for (uint32_t i = 0; i < link->peers_max; i++) {
        const struct sy_link_slot *slot = &link->slots[i];
        for (uint32_t c = 0; c < SY_LINK_CHANNELS && slot->used; c++) {
            if (!slot->blocked[c]) continue;
            link->polls[count++] = (struct pollfd){.fd = slot->socks[c].send_fd, .events = POLLIN};
        }
    }
    int timeout_ms =
        now_ns >= link->tick_ns ? 0 : (int)((link->tick_ns - now_ns + SY_MS_NS - 1) / SY_MS_NS);
    // A signal or an error costs a round, nothing else.
    (void)poll(link->polls, count, timeout_ms);
}

static void unblock(sy_link *link)
{
    for (uint32_t i = 0; i < link->peers_max; i++) {
        struct sy_link_slot *slot = &link->slots[i];
        for (uint32_t c = 0; c < SY_LINK_CHANNELS && slot->used; c++) {
            if (slot->blocked[c] && sy_sock_can_send(&slot->socks[c])) slot->blocked[c] = false;
        }
    }
}

// Reads what other threads ask for. False: stop.
static bool take_requests(sy_link *link)
{
    sy_link_lock(link);
    if (link->woken) {
        eventfd_t drained;
        int failed = eventfd_read(link->wake_fd, &drained);
        SY_ASSERT(!failed);
        link->woken = false;
    }
    bool stopping = link->stopping;
    sy_link_unlock(link);
    return !stopping;
}

void *sy_link_run(void *context)
{
    sy_link *link = context;
    while (take_requests(link)) {
        sy_link_apply_change(link);
        uint64_t now_ns = sy_os_monotonic_ns();
        for (uint32_t i = 0; i < link->peers_max; i++) {
            if (link->slots[i].used) flap_slot(link, &link->slots[i]);
        }
        bool more = receive_channel(link, SY_CHANNEL_CONTROL, now_ns);
        more |= receive_channel(link, SY_CHANNEL_BULK, now_ns);
        if (now_ns >= link->tick_ns) look_at_timers(link, now_ns);
        unblock(link);
        more |= send_all(link, now_ns);
        if (!more) wait_for_work(link, now_ns);
    }
    return NULL;
}
