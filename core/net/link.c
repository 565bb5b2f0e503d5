/* link.c: see link.h and link_internal.h. What other threads call. */
#include "core/net/link.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/base/thread.h"
#include "core/net/link_internal.h"

// Room for validators that join later, without opening the link again.
#define PEERS_MAX_DEFAULT 32u

// Under lock.
static void wake_thread(sy_link *link)
{
    if (link->woken) return;
    link->woken = true;
    int failed = eventfd_write(link->wake_fd, 1);
    SY_ASSERT(!failed);
}

static uint64_t or_default(uint64_t value, uint64_t fallback)
{
    return value ? value : fallback;
}

static void read_limits(sy_link *link, const struct sy_link_config *config)
{
    uint32_t peers_max = (uint32_t)or_default(config->peers_max, PEERS_MAX_DEFAULT);
    link->peers_max = config->peer_count > peers_max ? config->peer_count : peers_max;
    link->frames_max[SY_CHANNEL_CONTROL] = (uint32_t)or_default(config->control_frames, 2048);
    link->frames_max[SY_CHANNEL_BULK] = (uint32_t)or_default(config->bulk_frames, 256);
    link->bytes_max[SY_CHANNEL_CONTROL] = or_default(config->control_bytes, 16u << 20);
    link->bytes_max[SY_CHANNEL_BULK] = or_default(config->bulk_bytes, 64u << 20);
    link->rekey_frames = or_default(config->rekey_frames, UINT64_C(1) << 31);
    link->rekey_ns = or_default(config->rekey_ms, 3600000) * SY_MS_NS;
}

static size_t measure_arena(const sy_link *link)
{
    size_t frames = (size_t)link->frames_max[0] + link->frames_max[1];
    size_t peer = sizeof(struct sy_link_slot) + sizeof(struct sy_link_peer) + sizeof(uint32_t) +
                  SY_LINK_CHANNELS * sizeof(struct pollfd) +
                  frames * (sizeof(struct sy_parcel) + sizeof(struct sy_link_frame)) + 64 * 8;
    return link->peers_max * peer + 64 * 1024;
}

static bool carve_slots(sy_link *link)
{
    sy_arena *arena = &link->arena;
    uint32_t peers_max = link->peers_max;
    link->slots = SY_CARVE(arena, struct sy_link_slot, peers_max);
    link->places = SY_CARVE(arena, uint32_t, peers_max);
    link->change.peers = SY_CARVE(arena, struct sy_link_peer, peers_max);
    link->polls = SY_CARVE(arena, struct pollfd, 3 + SY_LINK_CHANNELS * (size_t)peers_max);
    if (!link->slots || !link->places || !link->change.peers || !link->polls) return false;
    for (uint32_t i = 0; i < peers_max; i++) {
        struct sy_link_slot *slot = &link->slots[i];
        slot->place = SY_NO_PLACE;
        for (uint32_t c = 0; c < SY_LINK_CHANNELS; c++) {
            slot->socks[c].id = -1;
            slot->outboxes[c].parcels = SY_CARVE(arena, struct sy_parcel, link->frames_max[c]);
            if (!slot->outboxes[c].parcels) return false;
        }
    }
    return true;
}

static sy_status open_rings(sy_link *link)
{
    link->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    link->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (link->epoll_fd < 0 || link->wake_fd < 0) return SY_ERR_IO;
    for (uint32_t c = 0; c < SY_LINK_CHANNELS; c++) {
        size_t capacity = (size_t)link->peers_max * link->frames_max[c];
        struct epoll_event event = {.events = EPOLLIN};
        SY_TRY(sy_ring_open(&link->rings[c], &link->arena, capacity, sizeof(struct sy_link_frame)));
        if (epoll_ctl(link->epoll_fd, EPOLL_CTL_ADD, sy_ring_fd(link->rings[c]), &event) != 0) {
            return SY_ERR_IO;
        }
    }
    return SY_OK;
}

static sy_status open_memory(sy_link **out, const struct sy_link_config *config,
                             struct sy_error *err)
{
    sy_link limits = {0};
    read_limits(&limits, config);
    if (limits.peers_max > SY_LINK_PEERS_MAX) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%u peers are more than a link can hold (%u)",
                       limits.peers_max, SY_LINK_PEERS_MAX);
    }
    sy_arena arena;
    if (sy_arena_open(&arena, sizeof(sy_link) + measure_arena(&limits)) != SY_OK) {
        return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for the queues of %u peers",
                       limits.peers_max);
    }
    sy_link *link = SY_CARVE(&arena, sy_link, 1);
    SY_ASSERT(link);
    *link = limits;
    link->arena = arena;
    link->epoll_fd = link->wake_fd = -1;
    link->pulls[0].id = link->pulls[1].id = -1;
    link->refuser.where = "link";
    int failed = pthread_mutex_init(&link->lock, NULL);
    failed |= pthread_cond_init(&link->changed, NULL);
    SY_ASSERT(!failed);
    *out = link;
    if (!carve_slots(link)) {
        return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for %u peers", link->peers_max);
    }
    if (open_rings(link) != SY_OK) {
        return sy_fail(err, SY_ERR_IO, "no event descriptors for links: %s; raise ulimit -n",
                       strerror(errno));
    }
    return SY_OK;
}

static sy_status open_link(sy_link **out, const struct sy_link_config *config, struct sy_error *err)
{
    uint64_t seed;
    SY_TRY(open_memory(out, config, err));
    sy_link *link = *out;
    SY_ASSERT(link != NULL);
    sy_os_random(&seed, sizeof seed);
    sy_prng_seed(&link->prng, seed);
    sy_secret_key_public(config->key, &link->key);
    SY_TRY(sy_link_check_peers(link, config->peers, config->peer_count, config->me, err));
    SY_TRY(sy_tls_open(&link->tls, config->key, err));
    SY_TRY(sy_sock_bind(&link->pulls[SY_CHANNEL_CONTROL], SY_SOCK_PULL, config->bind_control,
                        "control links", err));
    SY_TRY(sy_sock_bind(&link->pulls[SY_CHANNEL_BULK], SY_SOCK_PULL, config->bind_bulk,
                        "bulk links", err));
    if (config->peer_count > 0) {
        memcpy(link->change.peers, config->peers, config->peer_count * sizeof *config->peers);
    }
    link->change.count = config->peer_count;
    link->change.me = config->me;
    link->change.pending = true;
    sy_link_apply_change(link);
    sy_arena_seal(&link->arena);
    SY_TRY(sy_thread_start(&link->thread, "links", sy_link_run, link, err));
    link->thread_started = true;
    return SY_OK;
}

sy_status sy_link_open(sy_link **link, const struct sy_link_config *config, struct sy_error *err)
{
    *link = NULL;
    sy_status status = open_link(link, config, err);
    if (status == SY_OK) return SY_OK;
    sy_link_close(*link);
    *link = NULL;
    return status;
}

static void drain_rings(sy_link *link)
{
    struct sy_link_frame frame;
    for (uint32_t c = 0; c < SY_LINK_CHANNELS; c++) {
        while (link->rings[c] && sy_ring_pop(link->rings[c], &frame)) {
            sy_message_free(frame.message);
        }
        sy_ring_close(link->rings[c]);
    }
}

void sy_link_close(sy_link *link)
{
    if (!link) return;
    if (link->thread_started) {
        sy_link_lock(link);
        link->stopping = true;
        wake_thread(link);
        sy_link_unlock(link);
        sy_thread_join(link->thread);
    }
    if (link->slots) sy_link_drop_slots(link);
    for (uint32_t c = 0; c < SY_LINK_CHANNELS; c++) sy_sock_close(&link->pulls[c]);
    if (link->epoll_fd >= 0) close(link->epoll_fd);
    drain_rings(link);
    if (link->wake_fd >= 0) close(link->wake_fd);
    sy_tls_close(link->tls);
    int failed = pthread_cond_destroy(&link->changed);
    failed |= pthread_mutex_destroy(&link->lock);
    SY_ASSERT(!failed);
    sy_arena arena = link->arena;
    sy_arena_close(&arena);
}

// Under lock. False: no room.
static bool push_parcel(sy_link *link, struct sy_link_slot *slot, enum sy_channel channel,
                        const struct sy_parcel *parcel)
{
    struct sy_outbox *outbox = &slot->outboxes[channel];
    uint32_t frames_max = link->frames_max[channel];
    if (outbox->count == frames_max) return false;
    // One payload always fits, whatever the bound on bytes.
    if (outbox->count > 0 && outbox->bytes + parcel->plain_bytes > link->bytes_max[channel]) {
        return false;
    }
    outbox->parcels[(outbox->head + outbox->count) % frames_max] = *parcel;
    outbox->count++;
    outbox->bytes += parcel->plain_bytes;
    wake_thread(link);
    return true;
}

static bool pack_parcel(struct sy_parcel *parcel, struct sy_slice payload)
{
    *parcel = (struct sy_parcel){.queued_ns = sy_os_monotonic_ns(),
                                 .plain_bytes = (uint32_t)payload.size + 1};
    parcel->message = sy_message_new(SY_FRAME_OVERHEAD + payload.size + 1);
    if (!parcel->message) return false;
    parcel->message[SY_FRAME_HEAD] = SY_INNER_PAYLOAD;
    if (payload.size > 0) {
        memcpy(parcel->message + SY_FRAME_HEAD + 1, payload.data, payload.size);
    }
    return true;
}

sy_status sy_link_send(sy_link *link, uint32_t peer, enum sy_channel channel,
                       struct sy_slice payload)
{
    struct sy_parcel parcel;
    sy_status status = SY_ERR_NOT_FOUND;
    SY_ASSERT((uint32_t)channel < SY_LINK_CHANNELS);
    if (payload.size > SY_LINK_PAYLOAD_MAX) return SY_ERR_LIMIT;
    if (!pack_parcel(&parcel, payload)) return SY_ERR_NO_MEMORY;
    sy_link_lock(link);
    uint32_t slot = peer < link->place_count ? link->places[peer] : SY_NO_PLACE;
    if (slot != SY_NO_PLACE) {
        status = push_parcel(link, &link->slots[slot], channel, &parcel) ? SY_OK : SY_ERR_BUSY;
    }
    sy_link_unlock(link);
    if (status == SY_ERR_BUSY) sy_net_count(SY_NET_QUEUE_FULL, 1);
    if (status != SY_OK) sy_message_free(parcel.message);
    return status;
}

uint32_t sy_link_broadcast(sy_link *link, uint32_t count, enum sy_channel channel,
                           struct sy_slice payload)
{
    uint32_t taken = 0;
    sy_link_lock(link);
    if (count > link->place_count) count = link->place_count;
    sy_link_unlock(link);
    for (uint32_t i = 0; i < count; i++) {
        if (sy_link_send(link, i, channel, payload) == SY_OK) taken++;
    }
    return taken;
}

// Fills in the peer's present index; false: the peer has left the list since.
static bool place_frame(sy_link *link, struct sy_link_frame *frame)
{
    uint32_t generation = (uint32_t)(frame->account >> 32);
    const struct sy_link_slot *slot = &link->slots[(uint32_t)frame->account];
    sy_link_lock(link);
    bool listed = slot->used && slot->generation == generation && slot->place != SY_NO_PLACE;
    if (listed) frame->peer = slot->place;
    sy_link_unlock(link);
    return listed;
}

bool sy_link_recv(sy_link *link, struct sy_link_frame *out)
{
    for (uint32_t c = 0; c < SY_LINK_CHANNELS; c++) {
        while (sy_ring_pop(link->rings[c], out)) {
            if (place_frame(link, out)) return true;
            sy_link_frame_release(link, out);
        }
    }
    return false;
}

void sy_link_frame_release(sy_link *link, struct sy_link_frame *frame)
{
    if (!frame->message) return;
    struct sy_link_slot *slot = &link->slots[(uint32_t)frame->account];
    atomic_fetch_sub(&slot->inbox_frames[frame->channel], 1);
    atomic_fetch_sub(&slot->inbox_bytes[frame->channel], frame->payload.size);
    sy_message_free(frame->message);
    frame->message = NULL;
    frame->payload = sy_slice_of(NULL, 0);
}

int sy_link_fd(const sy_link *link)
{
    return link->epoll_fd;
}

sy_status sy_link_set_peers(sy_link *link, const struct sy_link_peer *peers, uint32_t peer_count,
                            uint32_t me, struct sy_error *err)
{
    SY_TRY(sy_link_check_peers(link, peers, peer_count, me, err));
    sy_link_lock(link);
    SY_ASSERT(!link->change.pending);
    if (peer_count > 0) memcpy(link->change.peers, peers, peer_count * sizeof *peers);
    link->change.count = peer_count;
    link->change.me = me;
    link->change.pending = true;
    wake_thread(link);
    while (link->change.pending) {
        int failed = pthread_cond_wait(&link->changed, &link->lock);
        SY_ASSERT(!failed);
    }
    sy_link_unlock(link);
    return SY_OK;
}

bool sy_link_get_peer_state(sy_link *link, uint32_t peer, struct sy_link_peer_state *out)
{
    sy_link_lock(link);
    uint32_t index = peer < link->place_count ? link->places[peer] : SY_NO_PLACE;
    bool found = index != SY_NO_PLACE;
    if (found) {
        const struct sy_link_slot *slot = &link->slots[index];
        *out = slot->state;
        out->queued_frames = slot->outboxes[0].count + slot->outboxes[1].count;
    }
    sy_link_unlock(link);
    return found;
}

void sy_link_flap(sy_link *link, uint32_t peer)
{
    sy_link_lock(link);
    uint32_t index = peer < link->place_count ? link->places[peer] : SY_NO_PLACE;
    if (index != SY_NO_PLACE) {
        link->slots[index].wants_flap = true;
        wake_thread(link);
    }
    sy_link_unlock(link);
}
