/* peers.h: whom links accept: the validators of the running epoch's roster, in its order, and
 * behind them guests: the observers that the configuration names, and up to two more.
 *
 *     observer    of no roster, let in by this validator's operator: it follows by blocks and
 *                 states, for ever
 *     departed    of the roster before, and not of this one: it may be behind, and fetches the
 *                 blocks up to the end of its epoch, which tell it that it has left
 *     announced   of the roster that a change has named, and not of this one yet: it fetches blocks
 *                 and states, so that it is there when its epoch begins
 *
 * One change adds and removes one link key at most, so there is at most one of the last two; who
 * went and is to come back is announced; an observer that went stays an observer, and one that is
 * to come is announced. Whoever is a member is no guest. What a guest may ask for, the node decides
 * (node.h); it is told nothing but STATUS and answers. One thread. */
#ifndef SY_NODE_PEERS_H
#define SY_NODE_PEERS_H

#include "consensus/node/node.h"
#include "core/net/link.h"
#include "core/store/store.h"

struct sy_peers {
    uint32_t members;
    uint32_t count; /* with guests */
    uint32_t me;    /* as in struct sy_link_config */
    struct sy_public_key own;
    bool announced;                      /* a change is known, whomever it brings */
    bool looked_back;                    /* at the roster before */
    uint16_t guests[SY_NODE_GUESTS_MAX]; /* their numbers (node.h) */
    struct sy_link_peer list[SY_NODE_PEERS_MAX];
};

/* sy_peers_begin lists a roster without guests. me: own index, or SY_PBFT_OBSERVER; own: the own
 * link key, which is never a guest, and never a peer if an observer has it from when it was a
 * validator. */
void sy_peers_begin(struct sy_peers *peers, const struct sy_roster *roster, uint16_t me,
                    const struct sy_public_key *own);

/* sy_peers_add_observers adds those of them that are no members; at most SY_NODE_OBSERVERS_MAX, of
 * different keys, in the configuration's order. Before any other guest. */
void sy_peers_add_observers(struct sy_peers *peers, const struct sy_link_peer *observers,
                            uint32_t count);

/* sy_peers_add_guest adds whom `other`, the roster before (SY_NODE_DEPARTED, to be added first) or
 * after (SY_NODE_ANNOUNCED), has beside the members. */
void sy_peers_add_guest(struct sy_peers *peers, const struct sy_roster *other, uint16_t what);

/* sy_peers_look adds the guests of a roster's epoch that the store's state knows and the list does
 * not have yet. The store's failures; the list is then as it was, or has one guest more. */
sy_status sy_peers_look(struct sy_peers *peers, sy_store *store, const struct sy_genesis *genesis,
                        uint32_t epoch, struct sy_error *err);

/* sy_peers_number is the node's number of a place in the list, which must be in it; sy_peers_place
 * the other way round, UINT32_MAX: that guest is not here. */
uint16_t sy_peers_number(const struct sy_peers *peers, uint32_t place);
uint32_t sy_peers_place(const struct sy_peers *peers, uint16_t number);

#endif
