/* api.h: what a validator tells clients: SUBMIT, WAIT, BLOCK, READ, STATUS, HANDOVERS
 * (core/wire/request.h).
 *
 *     sy_server --> API thread --SUBMIT--> consensus thread --outcomes--> API thread --> reply
 *                       |------READ STATE--> execution thread --proof---> API thread --> reply
 *                       +--- everything else from the store, at certified heights
 *
 * Nothing is told but what stands under a certificate: a WAIT is answered when its transactions
 * are final (or at its deadline, with what there is), a state proof when the height it was made at
 * is certified. Anybody is told headers and how rosters followed each other; whoever shows to have
 * a transaction, what became of it; everything else is read with a signature and judged (access.h).
 *
 * What a read tells of a patient, to anybody else, is noted before it is told, and logged on the
 * ledger (reads.h).
 *
 * A session costs the API thread a share of its time and no more (core/base/share.h); what it asks
 * beyond is put off. Transactions that no key signs which is known here are mostly put off too, and
 * never bother the consensus thread when they come alone (api_submit.c). */
#ifndef SY_NODE_API_H
#define SY_NODE_API_H

#include "consensus/node/reads.h"
#include "consensus/node/runner.h"
#include "core/net/server.h"
#include "core/store/store.h"
#include "core/wire/request.h"

typedef struct sy_api sy_api;

/* What strangers may cost; 0 takes the default. */
struct sy_api_limits {
    uint32_t work_per_s; /* bytes of blocks read and hashed for one session, all else counted in
                            such bytes: 32 MiB */
    /* Transactions that nobody known here signed, ordered all the same, so that their clients get a
     * receipt. */
    uint32_t strangers_a_session_per_s; /* 4 */
    uint32_t strangers_per_s;           /* 16 in all */
};

struct sy_api_config {
    struct sy_server_config server;
    struct sy_api_limits limits;
    sy_store *store; /* borrowed, as all below */
    const struct sy_genesis *genesis;
    sy_ring *inbox; /* SUBMITs go here: SY_INBOX_SUBMIT with token and decoded request */
    bool observes;  /* SUBMIT is refused: an observer cannot have anything ordered */
    /* Where reads are noted (reads.h), by whom and for how long; no folder: nowhere. The store and
     * the genesis are filled in. */
    struct sy_reads_config reads;
    /* Fills text with a JSON object for STATUS; returns its length (<= size). */
    size_t (*status)(void *self, char *text, size_t size);
    void *self;
};

/* sy_api_open binds the client address and starts the thread. */
sy_status sy_api_open(sy_api **api, const struct sy_api_config *config, struct sy_error *err);

/* sy_api_set_runner names the execution thread, which is opened after the API since it answers to
 * it. Before the first request is served: state reads are answered BUSY until then. */
void sy_api_set_runner(sy_api *api, sy_runner *runner);

/* sy_api_stop ends the thread: the runner and the inbox get nothing more, so the runner, which the
 * API asks and which answers to it, may be closed. Not for two threads at once. NULL is fine. */
void sy_api_stop(sy_api *api);

/* sy_api_close stops; requests under way are forgotten. NULL is fine. */
void sy_api_close(sy_api *api);

/* sy_api_submitted: the consensus thread copied the SUBMIT's bytes; its request may be released. */
void sy_api_submitted(sy_api *api, uint64_t token);

/* sy_api_outcomes answers a SUBMIT; outcomes are copied. Consensus thread. */
void sy_api_outcomes(sy_api *api, uint64_t token, uint32_t count,
                     const struct sy_submit_outcome *outcomes);

/* sy_api_certified: certificates up to height are durable. Any thread. */
void sy_api_certified(sy_api *api, uint64_t height);

/* sy_api_proved is the runner's sy_runner_proved, self being the API. Execution thread. */
void sy_api_proved(void *api, uint64_t token, sy_status status, const struct sy_header *header,
                   struct sy_slice proof);

/* sy_api_drain refuses new SUBMITs; WAITs go on. */
void sy_api_drain(sy_api *api);

#endif
