/* chaos_internal.h: what the parts of `systole-bench chaos` share.
 *
 *     chaos.c         the command: options, the network, the load, the rounds, the end
 *     chaos_round.c   one round: a fault begins, lasts, ends; how long until all is as before
 *     chaos_fault.c   what each fault does to a validator
 *     chaos_report.c  the figures
 *
 * The load runs in a thread of its own; everything else is the main thread's. */
#ifndef SY_BENCH_CHAOS_INTERNAL_H
#define SY_BENCH_CHAOS_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "bench/clocks.h"
#include "bench/examine.h"
#include "bench/lan.h"
#include "bench/load.h"
#include "bench/network.h"
#include "core/base/prng.h"

#define SY_CHAOS_VALIDATORS_MAX 64u /* sets of them are bits of one number */
#define SY_CHAOS_ROUNDS_MAX 4096u
#define SY_CHAOS_PATIENCE_MS 120000u

enum sy_chaos_fault {
    SY_CHAOS_KILL,
    SY_CHAOS_STOP,
    SY_CHAOS_CUT,
    SY_CHAOS_ONE_WAY,
    SY_CHAOS_LOSS,
    SY_CHAOS_DELAY,
    SY_CHAOS_DISK,
    SY_CHAOS_CLOCK,
    SY_CHAOS_OVERLOAD,
    SY_CHAOS_EVERYBODY,
    SY_CHAOS_WIPE,
    SY_CHAOS_FAULTS
};

struct sy_chaos_options {
    unsigned validators;
    unsigned seconds;
    unsigned rate;
    uint64_t seed;
    uint32_t faults;     /* bit f: fault f is wanted */
    const char *setting; /* a line for every systoled.conf; NULL: none */
    bool json;
    bool keep;
};

struct sy_chaos_round {
    enum sy_chaos_fault fault;
    uint64_t victims; /* bit i: validator i */
    uint64_t lasted_ms;
    uint64_t recovery_ms;
    uint64_t stall_ms; /* longest stretch without any final, from its beginning to the recovery */
    uint64_t views;    /* passed meanwhile */
    unsigned outside;  /* victims that have recovered, but wait alone in another view */
};

/* What the load's thread tells the main one. */
struct sy_chaos_feed {
    pthread_mutex_t mutex;
    uint64_t finals;
    uint64_t last_ns;  /* newest final; 0: none yet */
    uint64_t stall_ns; /* longest stretch without one since it was last set to 0 */
    bool ended;        /* the load's thread did */
};

/* The times as much as is possible, all rounds together. */
struct sy_chaos_overload {
    double possible_per_s; /* measured, once */
    double offered_per_s;
    struct sy_load_txs txs[SY_CHAOS_ROUNDS_MAX]; /* a round's; count 0: none was that */
    bool *told_final[SY_CHAOS_ROUNDS_MAX];
    uint64_t sent;
    uint64_t final;
    uint64_t refused;
    uint64_t busy;
    uint64_t undecided;
    uint64_t views;
};

struct sy_chaos {
    struct sy_chaos_options options;
    unsigned faulty_max;                 /* f */
    char left_out[SY_CHAOS_FAULTS][160]; /* why a fault cannot be had here; "": it can */
    sy_prng prng;
    sy_lan *lan;
    sy_clocks *clocks;
    sy_network *network;
    sy_population *population;
    uint32_t set_up_count;
    struct sy_load_txs txs;
    bool *told_final;
    atomic_bool stop;
    struct sy_load_result load;
    sy_status load_status;
    struct sy_error load_err;
    struct sy_chaos_feed feed;
    struct sy_chaos_overload overload;
    struct sy_chaos_round rounds[SY_CHAOS_ROUNDS_MAX];
    unsigned round_count;
    uint64_t gone; /* bit i: validator i lost its disk and is out for good */
    struct sy_lan_counts packets;
    struct sy_examination found;
};

struct sy_chaos_kind {
    const char *name;
    const char *what;
    /* To one validator; NULL: the round is made otherwise. */
    sy_status (*begin)(struct sy_chaos *chaos, unsigned victim, struct sy_error *err);
    sy_status (*end)(struct sy_chaos *chaos, unsigned victim, struct sy_error *err);
};

extern const struct sy_chaos_kind sy_chaos_kinds[SY_CHAOS_FAULTS];

/* sy_chaos_play plays one round of a fault and adds it to the rounds. A validator that ends by
 * itself, or does not come back within SY_CHAOS_PATIENCE_MS, is a failure. */
sy_status sy_chaos_play(struct sy_chaos *chaos, enum sy_chaos_fault fault, struct sy_error *err);

/* sy_chaos_note_final tells that something is final, now. Any thread. */
void sy_chaos_note_final(struct sy_chaos *chaos, uint64_t now_ns);

/* sy_chaos_look copies what the load's thread tells; forget: its stall starts anew. */
struct sy_chaos_feed sy_chaos_look(struct sy_chaos *chaos, bool forget);

/* sy_chaos_sleep_ms sleeps. sy_chaos_end_by_itself waits until a validator has ended with exit code
 * 1, as one does that says what is wrong. */
void sy_chaos_sleep_ms(unsigned ms);
sy_status sy_chaos_end_by_itself(struct sy_chaos *chaos, unsigned validator, const char *why,
                                 struct sy_error *err);

/* sy_chaos_holds says whether everything promised was kept. sy_chaos_report prints the figures. */
bool sy_chaos_holds(const struct sy_chaos *chaos);
void sy_chaos_report(const struct sy_chaos *chaos);

#endif
