/* load.h: open-loop load: transactions leave when they are due, whether or not earlier ones are
 * answered, so that a slow system cannot slow its own measurement down.
 *
 * Latency of a transaction: from the moment it was due (not from when the generator got round to
 * it) to its verified proof. Busy answers are retried and count as waiting. */
#ifndef SY_BENCH_LOAD_H
#define SY_BENCH_LOAD_H

#include <stdatomic.h>

#include "bench/population.h"
#include "core/base/quantile.h"
#include "core/wire/genesis.h"
#include "core/wire/request.h"

/* Signed transactions, made before the clock starts. */
struct sy_load_txs {
    uint8_t *bytes; /* owned */
    struct sy_slice *txs;
    struct sy_awaited *awaited; /* what asks for each */
    uint32_t count;
};

struct sy_load_config {
    const struct sy_genesis *genesis;
    const struct sy_load_txs *txs;
    uint64_t skip;     /* bit i: validator i (below 64) is not used */
    double rate_per_s; /* 0: as fast as answers come, `closed_window` undecided at most */
    uint32_t closed_window;
    uint32_t drain_ms; /* after the last was due: how long to wait for the rest */
    /* A validator that owes an answer for so long is taken for dead: what it was given goes to the
     * others, and it is used again when it answers. 0: every validator is waited for. */
    uint32_t silent_ms;
    const atomic_bool *stop; /* once true, nothing that was not yet sent is; may be NULL */
    /* Called when transaction tx is applied and proven, on the thread of sy_load_run; may be NULL.
     * sent_ns, final_ns: monotonic, when it was first handed to a validator, and now. */
    void (*on_final)(void *self, uint32_t tx, uint64_t sent_ns, uint64_t final_ns);
    void *self;
};

struct sy_load_result {
    uint32_t sent;
    uint32_t final;         /* applied and proven */
    uint32_t refused;       /* by a receipt or before ordering */
    uint32_t lost;          /* undecided when the wait ended */
    uint32_t busy;          /* busy answers */
    double send_seconds;    /* from the first due to the last due */
    double seconds;         /* from the first due to the last proof */
    double committed_per_s; /* finals within send_seconds, divided by it */
    struct sy_quantile latency_us;
    /* Undecided transactions on average over the second and the last third of the sending. */
    double backlog_middle;
    double backlog_end;
};

/* sy_load_sign makes count record.create transactions, or with stage < SY_POPULATION_STAGES that
 * stage's. sy_load_free releases them. */
sy_status sy_load_sign(struct sy_load_txs *txs, sy_population *population, unsigned stage,
                       uint32_t count, int64_t valid_until_ms, struct sy_error *err);
void sy_load_free(struct sy_load_txs *txs);

/* sy_load_run sends them all and waits. SY_ERR_NETWORK: a validator cannot be reached or lies. */
sy_status sy_load_run(struct sy_load_result *result, const struct sy_load_config *config,
                      struct sy_error *err);

/* sy_load_set_up makes a population's members and patients final, stage by stage. *count (may be
 * NULL): how many transactions that took. SY_ERR_IO: not all were applied. */
sy_status sy_load_set_up(uint32_t *count, sy_population *population, struct sy_error *err);

#endif
