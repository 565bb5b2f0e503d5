/* fetcher.h: what a new store asks its peers for, and what it believes of their answers; without
 * links, threads and clocks, so that a simulator runs it as systoled does (joiner.h).
 *
 *     next --> ask a peer --> answer, or a time without one --> next --> ...  until next says done
 *
 * The peers are the validators of the newest roster that the fetcher knows: at first the genesis's.
 * Whoever shows a state of a later epoch is asked how the known one ended (HANDOVER_FETCH), and
 * what proves that makes the next roster known; the peers are then those of that one, which links
 * must be told (RELINK). A key that has left a roster never comes back, so whoever was there and
 * still is in the network is among them. Who shows a later epoch that it cannot prove is passed
 * over.
 *
 * Peers are asked in turn, a chunk at a time, for the state that most of them hold (but none much
 * older than another), of these the newest. Each answer brings its header and certificate, and is
 * checked against nothing but the roster that sealed its height; so it does not matter who sent it
 * or how it was cut, and chunks of one state may come from many. Who sends something that does not
 * hold is not asked again; an answer to an earlier question is passed over. If nobody holds that
 * state any more, the next one is fetched from its beginning, and of two that as many hold rather
 * not one of who offered that. What is there survives a crash (sy_install_begin). One thread. */
#ifndef SY_NODE_FETCHER_H
#define SY_NODE_FETCHER_H

#include "core/crypto/keys.h"
#include "core/store/epochs.h"
#include "core/wire/genesis.h"

typedef struct sy_fetcher sy_fetcher;

/* All of it is borrowed. */
struct sy_fetcher_config {
    sy_store *store; /* without blocks */
    const struct sy_genesis *genesis;
    const struct sy_public_key *own; /* link key: whoever has it is not asked */
    struct sy_verifier verifier;     /* of seals */
};

struct sy_joined {
    uint64_t height;
    uint32_t epoch; /* the newest that was followed to */
    uint64_t chunks;
    uint64_t bytes;
    uint32_t liars; /* peers that are not asked again */
};

enum sy_fetcher_step {
    SY_FETCHER_ASK = 1, /* send the question to the peer; hand over its answer, if one comes */
    SY_FETCHER_PAUSE,   /* nobody had anything: ask again after a while */
    SY_FETCHER_RELINK,  /* the peers are those of sy_fetcher_roster from now on, in its order */
    SY_FETCHER_DONE     /* the store begins with a state */
};

/* sy_fetcher_open goes on with what is in the store. NULL: no memory. close(NULL) is fine. */
sy_fetcher *sy_fetcher_open(const struct sy_fetcher_config *config);
void sy_fetcher_close(sy_fetcher *fetcher);

/* sy_fetcher_next says what comes next. ASK: whom, and what; question is good until the next call.
 * SY_ERR_CRYPTO: every peer has lied. SY_ERR_VERSION: every peer that has not shows a state of a
 * later epoch and cannot prove its roster; err says what to do. */
sy_status sy_fetcher_next(sy_fetcher *fetcher, enum sy_fetcher_step *step, uint16_t *peer,
                          struct sy_slice *question, struct sy_error *err);

/* sy_fetcher_roster is the roster whose validators are the peers; it stays where it is, and changes
 * before a RELINK. */
const struct sy_roster *sy_fetcher_roster(const sy_fetcher *fetcher);

/* sy_fetcher_awaits says whether a frame may be the answer to the newest question. */
bool sy_fetcher_awaits(const sy_fetcher *fetcher, uint16_t peer, struct sy_slice frame);

/* sy_fetcher_answer takes such a frame. *late: it answers an earlier question, whose time was over;
 * this one's answer may still come. The store's failures, SY_ERR_NO_MEMORY, or SY_ERR_LIMIT (more
 * epochs than are followed). */
sy_status sy_fetcher_answer(sy_fetcher *fetcher, bool *late, struct sy_slice frame,
                            struct sy_error *err);

void sy_fetcher_get_joined(const sy_fetcher *fetcher, struct sy_joined *joined);

#endif
