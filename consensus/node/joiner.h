/* joiner.h: a new store filled with a state from peers, before anything else of a node runs: the
 * link, the clock and the waiting around fetcher.h, which decides whom to ask what, and what to
 * believe.
 *
 * The link's peers are at first the genesis's validators. When the fetcher has followed handovers
 * to a later roster, its validators take their place. Nothing else is linked: guests of this node's
 * wait until it runs. */
#ifndef SY_NODE_JOINER_H
#define SY_NODE_JOINER_H

#include "consensus/node/fetcher.h"
#include "consensus/node/letin.h"
#include "consensus/node/peers.h"

struct sy_joiner_config {
    sy_store *store; /* without blocks; borrowed, and so are the next three */
    sy_link *link;   /* its only consumer meanwhile: other frames are dropped; has room for all */
    const struct sy_genesis *genesis;
    const struct sy_public_key *own; /* link key */
    uint32_t answer_ms;              /* how long a peer is given; 0: 5,000 */
    bool (*stopping)(void *context); /* may be NULL; looked at between answers */
    void *context;
};

/* sy_joiner_run returns when the store begins with a state. SY_ERR_CLOSED: told to stop;
 * SY_ERR_CRYPTO: every peer has lied; SY_ERR_VERSION: every peer that has not shows a state of a
 * later epoch and cannot prove its roster, and err says what to do; else the store's failures. It
 * waits for peers for ever. */
sy_status sy_joiner_run(struct sy_joined *joined, const struct sy_joiner_config *config,
                        struct sy_error *err);

#endif
