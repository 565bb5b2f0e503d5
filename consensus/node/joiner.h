/* joiner.h: a new store filled with a state from peers, before anything else of a node runs.
 *
 * Peers are asked in turn, a chunk at a time, for the state that most of them hold (but none much
 * older than another), of these the newest. Each answer brings its header and certificate, and is
 * checked against nothing but the roster; so it does not matter who sent it or how it was cut, and
 * chunks of one state may come from many. Who sends something that does not hold is not asked
 * again; an answer that comes after its time is dropped. If nobody holds that state any more, the
 * next one is fetched from its beginning, and of two that as many hold rather not one of who
 * offered that. What is there survives a crash (sy_install_begin).
 *
 * Only states of the roster's own epoch are taken. A network whose roster has changed since is
 * joined block by block: handovers are not followed here. */
#ifndef SY_NODE_JOINER_H
#define SY_NODE_JOINER_H

#include "core/net/link.h"
#include "core/store/store.h"
#include "core/wire/genesis.h"

struct sy_joiner_config {
    sy_store *store; /* without blocks; borrowed, and so are the next three */
    sy_link *link;   /* its only consumer meanwhile: other frames are dropped */
    const struct sy_genesis *genesis;
    const struct sy_roster *roster;  /* whose validators are the link's peers, and seal */
    uint16_t self;                   /* own index, not asked; UINT16_MAX: none */
    uint32_t answer_ms;              /* how long a peer is given; 0: 5,000 */
    bool (*stopping)(void *context); /* may be NULL; looked at between answers */
    void *context;
};

struct sy_joined {
    uint64_t height;
    uint64_t chunks;
    uint64_t bytes;
    uint32_t liars; /* peers that are not asked again */
};

/* sy_joiner_run returns when the store begins with a state. SY_ERR_CLOSED: told to stop;
 * SY_ERR_CRYPTO: every peer has lied; SY_ERR_VERSION: every peer that has not shows a state of a
 * later epoch, and err says what to do; else the store's failures. It waits for peers for ever. */
sy_status sy_joiner_run(struct sy_joined *joined, const struct sy_joiner_config *config,
                        struct sy_error *err);

#endif
