#include "consensus/node/peers.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/store/handovers.h"

static void put(struct sy_peers *peers, uint32_t place, const struct sy_validator *validator)
{
    SY_ASSERT(place < SY_NODE_PEERS_MAX && place <= peers->count);
    if (place == peers->count) peers->count++;
    struct sy_link_peer *peer = &peers->list[place];
    memset(peer, 0, sizeof *peer);
    snprintf(peer->name, sizeof peer->name, "%s", validator->name);
    snprintf(peer->control, sizeof peer->control, "%s", validator->control_address);
    snprintf(peer->bulk, sizeof peer->bulk, "%s", validator->bulk_address);
    peer->key = validator->link_key;
}

/* The place of a key; UINT32_MAX: it has none. */
static uint32_t find(const struct sy_peers *peers, const struct sy_public_key *key)
{
    for (uint32_t i = 0; i < peers->count; i++) {
        if (sy_public_key_equal(&peers->list[i].key, key)) return i;
    }
    return UINT32_MAX;
}

void sy_peers_begin(struct sy_peers *peers, const struct sy_roster *roster, uint16_t me,
                    const struct sy_public_key *own)
{
    memset(peers, 0, sizeof *peers);
    for (uint16_t i = 0; i < roster->count; i++) put(peers, i, &roster->validators[i]);
    peers->members = peers->count;
    peers->me = me == SY_PBFT_OBSERVER ? find(peers, own) : me;
    peers->own = *own;
}

void sy_peers_add_observers(struct sy_peers *peers, const struct sy_link_peer *observers,
                            uint32_t count)
{
    SY_ASSERT(count <= SY_NODE_OBSERVERS_MAX && peers->count == peers->members);
    for (uint32_t i = 0; i < count; i++) {
        const struct sy_public_key *key = &observers[i].key;
        if (find(peers, key) != UINT32_MAX || sy_public_key_equal(&peers->own, key)) continue;
        peers->guests[peers->count - peers->members] = (uint16_t)(SY_NODE_OBSERVER + i);
        peers->list[peers->count++] = observers[i];
    }
}

void sy_peers_add_guest(struct sy_peers *peers, const struct sy_roster *other, uint16_t what)
{
    SY_ASSERT(what == SY_NODE_DEPARTED || what == SY_NODE_ANNOUNCED);
    SY_ASSERT(sy_peers_place(peers, what) == UINT32_MAX);
    for (uint16_t i = 0; i < other->count; i++) {
        const struct sy_validator *validator = &other->validators[i];
        uint32_t place = find(peers, &validator->link_key);
        if (place < peers->members) continue;
        if (sy_public_key_equal(&peers->own, &validator->link_key)) continue;
        bool observes =
            place != UINT32_MAX && peers->guests[place - peers->members] >= SY_NODE_OBSERVER;
        if (observes && what == SY_NODE_DEPARTED) return; // it may ask for more than who went
        if (place == UINT32_MAX) place = peers->count;    // else who went comes back
        put(peers, place, validator);
        peers->guests[place - peers->members] = what;
        return;
    }
}

static sy_status look(struct sy_peers *peers, sy_state_view *view, const struct sy_genesis *genesis,
                      uint32_t epoch)
{
    struct sy_roster roster;
    if (epoch > 0 && !peers->looked_back) {
        SY_TRY(sy_store_roster(&roster, genesis, view, epoch - 1));
        sy_peers_add_guest(peers, &roster, SY_NODE_DEPARTED);
    }
    peers->looked_back = true;
    if (peers->announced) return SY_OK;
    sy_status status = sy_store_roster(&roster, genesis, view, epoch + 1);
    if (status == SY_ERR_NOT_FOUND) return SY_OK;
    SY_TRY(status);
    peers->announced = true;
    sy_peers_add_guest(peers, &roster, SY_NODE_ANNOUNCED);
    return SY_OK;
}

sy_status sy_peers_look(struct sy_peers *peers, sy_store *store, const struct sy_genesis *genesis,
                        uint32_t epoch, struct sy_error *err)
{
    sy_state_view *view = NULL;
    sy_status status = sy_state_view_open(&view, store);
    if (status == SY_OK) {
        status = look(peers, view, genesis, epoch);
        sy_state_view_close(view);
    }
    if (status == SY_OK) return SY_OK;
    return sy_fail(err, status, "the rosters around epoch %u cannot be read from the state (%s)",
                   (unsigned)epoch, sy_status_name(status));
}

uint16_t sy_peers_number(const struct sy_peers *peers, uint32_t place)
{
    SY_ASSERT(place < peers->count);
    return place < peers->members ? (uint16_t)place : peers->guests[place - peers->members];
}

uint32_t sy_peers_place(const struct sy_peers *peers, uint16_t number)
{
    if (number < peers->members) return number;
    for (uint32_t i = peers->members; i < peers->count; i++) {
        if (peers->guests[i - peers->members] == number) return i;
    }
    return UINT32_MAX;
}
