/* report.h: many worlds run, in several processes, and what they showed. */
#ifndef SY_TESTS_SIM_REPORT_H
#define SY_TESTS_SIM_REPORT_H

#include <stdio.h>

#include "tests/sim/options.h"

#define SIM_SETS_MAX 32u
#define SIM_FAILURES_MAX 256u
#define SIM_JOBS_MAX 64u

struct sim_plan {
    uint64_t first, last;
    unsigned validators; /* 0: drawn */
    unsigned jobs;
    bool verbose;                   /* a line for each seed, to stderr */
    const char *sets[SIM_SETS_MAX]; /* NAME=VALUE, after what the seed draws */
    unsigned set_count;
};

struct sim_failure {
    struct sim_options options;
    enum sim_check check; /* NONE: the process died */
    char text[512];
};

struct sim_report {
    uint64_t seeds, seeds_failed;
    uint64_t slots, txs, applied, frames, events, view_changes, with_liars, real_signatures;
    uint64_t settled_ms_max, lonely_ms_max; /* of worlds without liars */
    uint64_t settled_among_liars_ms_max, lonely_among_liars_ms_max, view_max;
    uint64_t cpu_us, cpu_us_max, cpu_us_max_seed;
    uint64_t faults[SIM_FAULT_COUNT];
    uint64_t branches[SIM_BRANCH_COUNT];
    struct sim_failure failures[SIM_FAILURES_MAX]; /* the first so many, by seed */
};

/* sim_plan_options gives what the plan plays for a seed. False: a set is no option. */
bool sim_plan_options(struct sim_options *options, const struct sim_plan *plan, uint64_t seed);

/* sim_plan_run plays every seed of the plan. A process that dies (an assertion of the code under
 * test) is a failed seed, and the others go on. The same plan gives the same report, whatever the
 * number of processes, CPU time apart. */
void sim_plan_run(struct sim_report *report, const struct sim_plan *plan);

/* sim_report_print writes text, or one JSON object on one line. */
void sim_report_print(FILE *out, const struct sim_report *report);
void sim_report_json(FILE *out, const struct sim_report *report);

#endif
