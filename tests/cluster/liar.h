/* liar.h: a real validator that lies: systole-liar, for tests only (main_liar.c).
 *
 * Inside runs systoled's own daemon, with the validator's own keys, store and sockets. The linker
 * leads its calls of the link and of the client server through here (CMake: "wraps:"), so all that
 * it sends passes by once for every peer or client, before it is sealed, and each may hear
 * something else; systoled itself is built without any of this. What peers relay to it under its
 * own key is kept from its node, which would stop: it has not said that. tests/sim/liar.h does the
 * same to simulated validators; what both make of a message is in tests/support/lies.h.
 *
 * Threads decide here in any order, so a lie is no draw from a sequence: whether and how it is told
 * depends on the seed, the kind of lie, and what it is about (view, slot, peer), and so it is the
 * same whenever that is sent again. What clients are told goes in turn through the ways there are.
 *
 * It lies in the roster of the genesis; in a later one it keeps to the protocol. */
#ifndef SY_TESTS_CLUSTER_LIAR_H
#define SY_TESTS_CLUSTER_LIAR_H

#include "consensus/node/config.h"
#include "core/base/prng.h"
#include "core/net/link.h"
#include "core/net/server.h"
#include "core/wire/genesis.h"

// clang-format off
#define LIES(X)                                                                              \
    X(proposals, "as a primary: two proposals in a slot, and votes for both")                \
    X(votes,     "votes and seals over digests that nobody proposed or executed")            \
    X(statuses,  "heights, votes and times that are not so")                                 \
    X(views,     "changes of the view that hide what was prepared; views nobody asked for")  \
    X(blocks,    "blocks with something altered")                                            \
    X(bodies,    "batches kept back")                                                        \
    X(slow,      "what it says comes up to 1.5 s late, and in another order")                \
    X(shun,      "says nothing to one validator")                                            \
    X(silent,    "says nothing to any validator (SIGUSR1 begins and ends that too)")         \
    X(submits,   "clients: taken and kept back, or refused")                                 \
    X(reads,     "clients: stale, altered and cut answers, another's, and false claims")     \
    X(notices,   "clients: nothing has happened, or it may not be seen")
// clang-format on

enum liar_lie {
#define LIAR_LIE(name, what) LIAR_##name,
    LIES(LIAR_LIE)
#undef LIAR_LIE
        LIAR_LIES
};

struct liar {
    bool tells[LIAR_LIES];
    uint64_t seed;
    struct sy_genesis genesis;
    sy_secret_key *key; /* the validator's consensus key */
    uint16_t self, n;
};

/* liar_open reads genesis and key as the configuration names them. lies: names between commas.
 * Before the daemon is opened, after which nothing of it changes. */
sy_status liar_open(const struct sy_config *config, const char *lies, uint64_t seed,
                    struct sy_error *err);
/* liar_close ends what is under way, after the daemon. */
void liar_close(void);

/* liar_hush begins or ends its silence toward validators. Any thread. */
void liar_hush(void);

/* liar_explain prints the lies there are. */
void liar_explain(FILE *out);

/* --- what liar.c and liar_clients.c share ----------------------------------------------------- */

extern struct liar liar;

/* liar_draw seeds prng by the lie and what it is about. */
void liar_draw(sy_prng *prng, enum liar_lie lie, uint64_t a, uint64_t b, uint64_t c);
/* liar_told notes that a lie was told: the first of each kind stands in stderr. Any thread. */
void liar_told(enum liar_lie lie);
/* liar_clients_open takes memory for what clients are told. */
sy_status liar_clients_open(struct sy_error *err);
void liar_clients_close(void);

#endif
