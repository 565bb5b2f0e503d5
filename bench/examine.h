/* examine.h: what a stopped network's stores say, compared with what its clients were told. */
#ifndef SY_BENCH_EXAMINE_H
#define SY_BENCH_EXAMINE_H

#include <stdbool.h>

#include "bench/load.h"
#include "bench/network.h"

/* What one load was told: told_final[i] of transaction i. */
struct sy_told {
    const struct sy_load_txs *txs;
    const bool *told_final;
};

struct sy_examine_config {
    sy_network *network; /* no validator runs */
    unsigned validators;
    uint64_t skip; /* bit i: validator i (below 64) has no store any more */
    const struct sy_told *told;
    size_t told_count;
    /* How many transactions can have been applied: all that were told final, and those of which it
     * is not known. */
    uint64_t applied_max;
};

struct sy_examination {
    uint64_t lost;  /* told final, and at least one store has no trace of it */
    uint64_t twice; /* applied beyond applied_max, so some stand twice */
    bool audits_equal;
    unsigned audits;
    uint64_t height; /* of the highest */
};

/* sy_examine does with every store what `systole audit` does, and searches it for all that was told
 * final. An audit that does not hold is a failure: err says where and what. */
sy_status sy_examine(struct sy_examination *found, const struct sy_examine_config *config,
                     struct sy_error *err);

#endif
