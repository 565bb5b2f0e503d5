/* link_peers.c: see link_internal.h. The list of peers, and the slots it is kept in. */
#include <string.h>

#include "core/base/address.h"
#include "core/base/os.h"
#include "core/net/link_internal.h"

// How soon sockets that could not be opened are tried again.
#define RECONNECT_NS (1000 * SY_MS_NS)

static sy_status check_peer(const struct sy_link_peer *peer, uint32_t index, struct sy_error *err)
{
    struct sy_error why;
    bool terminated = memchr(peer->name, 0, sizeof peer->name) &&
                      memchr(peer->control, 0, sizeof peer->control) &&
                      memchr(peer->bulk, 0, sizeof peer->bulk);
    if (!terminated) {
        return sy_fail(err, SY_ERR_ARGUMENT, "peer %u: a name or address is too long", index);
    }
    struct sy_address control, bulk;
    if (sy_address_parse(&control, peer->control, &why) != SY_OK ||
        sy_address_parse(&bulk, peer->bulk, &why) != SY_OK) {
        return sy_fail(err, SY_ERR_ARGUMENT, "peer %u (%s): %s", index, peer->name, why.text);
    }
    if (strcmp(control.host, "*") == 0 || strcmp(bulk.host, "*") == 0) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "peer %u (%s): '*' is where a validator listens, not where others find it; "
                       "the roster needs its host name or address",
                       index, peer->name);
    }
    return SY_OK;
}

sy_status sy_link_check_peers(const sy_link *link, const struct sy_link_peer *peers, uint32_t count,
                              uint32_t me, struct sy_error *err)
{
    if (count > link->peers_max) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%u peers are more than this link can hold (%u)",
                       count, link->peers_max);
    }
    if (me != UINT32_MAX && (me >= count || !sy_public_key_equal(&peers[me].key, &link->key))) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "the roster's entry %u does not carry this validator's link key; check the "
                       "link key file and the validator's name in the configuration",
                       me);
    }
    for (uint32_t i = 0; i < count; i++) {
        SY_TRY(check_peer(&peers[i], i, err));
        for (uint32_t j = 0; j < i; j++) {
            if (!sy_public_key_equal(&peers[i].key, &peers[j].key)) continue;
            return sy_fail(err, SY_ERR_ARGUMENT, "peers %u (%s) and %u (%s) have one link key", j,
                           peers[j].name, i, peers[i].name);
        }
    }
    return SY_OK;
}

struct sy_link_slot *sy_link_find_key(sy_link *link, const struct sy_public_key *key)
{
    for (uint32_t i = 0; i < link->peers_max; i++) {
        struct sy_link_slot *slot = &link->slots[i];
        if (slot->used && sy_public_key_equal(&slot->peer.key, key)) return slot;
    }
    return NULL;
}

void sy_link_pop_parcel(struct sy_outbox *outbox, uint32_t frames_max)
{
    SY_ASSERT(outbox->count > 0);
    outbox->bytes -= outbox->parcels[outbox->head].plain_bytes;
    outbox->head = (outbox->head + 1) % frames_max;
    outbox->count--;
}

static void close_socks(struct sy_link_slot *slot)
{
    for (uint32_t c = 0; c < SY_LINK_CHANNELS; c++) {
        sy_sock_close(&slot->socks[c]);
        slot->blocked[c] = false;
    }
}

// An address that was checked can only fail for want of descriptors: the peer is then unreachable
// until the next attempt.
void sy_link_reconnect(struct sy_link_slot *slot)
{
    struct sy_error err;
    slot->reconnect_ns = sy_os_monotonic_ns() + RECONNECT_NS;
    const char *addresses[SY_LINK_CHANNELS] = {slot->peer.control, slot->peer.bulk};
    close_socks(slot);
    for (uint32_t c = 0; c < SY_LINK_CHANNELS; c++) {
        if (sy_sock_connect(&slot->socks[c], SY_SOCK_PUSH, addresses[c], &err) == SY_OK) continue;
        SY_LOG(SY_LOG_ERROR, "net", "connect_failed", SY_F_TEXT("peer", slot->peer.name),
               SY_F_TEXT("error", err.text));
    }
}

// Under lock.
static void empty_outbox(sy_link *link, struct sy_outbox *outbox, uint32_t channel)
{
    while (outbox->count > 0) {
        sy_message_free(outbox->parcels[outbox->head].message);
        sy_link_pop_parcel(outbox, link->frames_max[channel]);
    }
}

// Under lock.
static void free_slot(sy_link *link, struct sy_link_slot *slot)
{
    close_socks(slot);
    sy_link_end_sessions(slot);
    for (uint32_t c = 0; c < SY_LINK_CHANNELS; c++) empty_outbox(link, &slot->outboxes[c], c);
    memset(&slot->state, 0, sizeof slot->state);
    slot->used = false;
    slot->place = SY_NO_PLACE;
    slot->generation++;
}

void sy_link_drop_slots(sy_link *link)
{
    for (uint32_t i = 0; i < link->peers_max; i++) {
        if (link->slots[i].used) free_slot(link, &link->slots[i]);
    }
}

// A free slot: there is one, the list was checked to fit and who left it has been freed.
static struct sy_link_slot *take_slot(sy_link *link, const struct sy_link_peer *peer)
{
    uint32_t index = 0;
    while (index < link->peers_max && link->slots[index].used) index++;
    SY_ASSERT(index < link->peers_max);
    struct sy_link_slot *slot = &link->slots[index];
    slot->used = true;
    slot->wants_flap = false;
    slot->peer = *peer;
    slot->initiator = memcmp(link->key.bytes, peer->key.bytes, sizeof peer->key.bytes) < 0;
    slot->heard_ns = slot->sent_ns = slot->attempt_ns = slot->started_ns = 0;
    slot->attempts = 0;
    slot->tokens_ns = 0;
    sy_link_reconnect(slot);
    return slot;
}

static bool is_listed(const struct sy_link_change *change, const struct sy_public_key *key)
{
    for (uint32_t i = 0; i < change->count; i++) {
        if (i != change->me && sy_public_key_equal(&change->peers[i].key, key)) return true;
    }
    return false;
}

// Under lock: gives every listed peer its slot and its place.
static void place_peers(sy_link *link)
{
    const struct sy_link_change *change = &link->change;
    for (uint32_t i = 0; i < change->count; i++) {
        const struct sy_link_peer *peer = &change->peers[i];
        link->places[i] = SY_NO_PLACE;
        if (i == change->me || sy_public_key_equal(&peer->key, &link->key)) continue;
        struct sy_link_slot *slot = sy_link_find_key(link, &peer->key);
        if (!slot) slot = take_slot(link, peer);
        bool moved = strcmp(slot->peer.control, peer->control) != 0 ||
                     strcmp(slot->peer.bulk, peer->bulk) != 0;
        slot->peer = *peer;
        // Another address is another road to the same peer: its sessions go on.
        if (moved) sy_link_reconnect(slot);
        slot->place = i;
        link->places[i] = (uint32_t)(slot - link->slots);
    }
    link->place_count = change->count;
}

void sy_link_apply_change(sy_link *link)
{
    sy_link_lock(link);
    if (link->change.pending) {
        for (uint32_t i = 0; i < link->peers_max; i++) {
            struct sy_link_slot *slot = &link->slots[i];
            bool leaves = slot->used && !is_listed(&link->change, &slot->peer.key);
            if (leaves) free_slot(link, slot);
        }
        place_peers(link);
        link->change.pending = false;
        int failed = pthread_cond_broadcast(&link->changed);
        SY_ASSERT(!failed);
    }
    sy_link_unlock(link);
}
