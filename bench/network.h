/* network.h: a network of real systoled processes on this machine, for benches and cluster tests.
 *
 * Made with `systole testnet` in a fresh folder, on free ports of 127.0.0.1. Processes are children
 * of the caller, are ended by pid, and die with it. One thread at a time. */
#ifndef SY_BENCH_NETWORK_H
#define SY_BENCH_NETWORK_H

#include <stdbool.h>
#include <sys/types.h>

#include "bench/clocks.h"
#include "bench/lan.h"
#include "core/crypto/keys.h"
#include "core/wire/genesis.h"

typedef struct sy_network sy_network;

struct sy_network_config {
    const char *bin;         /* folder of systole and systoled; NULL: that of this program */
    const char *dir;         /* made; must not exist; NULL: a fresh one under TMPDIR */
    unsigned validators;     /* 4..100 */
    const char *setting;     /* a line for every systoled.conf; NULL: none */
    const sy_lan *lan;       /* validator i is its host i; NULL: all on 127.0.0.1; borrowed */
    const sy_clocks *clocks; /* validator i has its clock i; NULL: the right time; borrowed */
};

/* What all validators together have used so far. */
struct sy_network_usage {
    uint64_t cpu_us;     /* user and system */
    uint64_t disk_bytes; /* of all data folders */
    uint64_t net_bytes;  /* handed to the links (their own metrics) */
    uint64_t signatures; /* checked by all engines (their own account) */
    char engine[32];     /* the one in use by the first validator that runs */
};

/* sy_network_open makes the folder and starts every validator; it returns when all of them answer
 * and are linked. After a failure the folder stays, with what the validators wrote. */
sy_status sy_network_open(sy_network **network, const struct sy_network_config *config,
                          struct sy_error *err);

/* sy_network_stop ends every validator that runs: SIGTERM, and SIGKILL after 20 s. They can be
 * started again. */
void sy_network_stop(sy_network *network);

/* sy_network_close stops the network and frees everything. The folder stays. NULL is fine. */
void sy_network_close(sy_network *network);
/* sy_network_discard closes the network and removes its folder; NULL is fine. */
void sy_network_discard(sy_network *network);

const struct sy_genesis *sy_network_genesis(const sy_network *network);
/* The regulator's key of the test network; the network's. */
const sy_secret_key *sy_network_regulator(const sy_network *network);
const char *sy_network_dir(const sy_network *network);
pid_t sy_network_pid(const sy_network *network, unsigned validator); /* 0: not running */

/* sy_network_kill ends one validator with this signal and waits for its end; *code is its exit
 * status as waitpid gives it. sy_network_start starts it again over its store; it does not wait
 * until it answers. */
void sy_network_kill(sy_network *network, unsigned validator, int signal, int *code);
sy_status sy_network_start(sy_network *network, unsigned validator, struct sy_error *err);

/* sy_network_ended says whether a validator that was started has ended by itself; *code is then its
 * exit status. It can be started again. */
bool sy_network_ended(sy_network *network, unsigned validator, int *code);

/* sy_network_start_new starts a validator whose data folder was removed, with --init. */
sy_status sy_network_start_new(sy_network *network, unsigned validator, struct sy_error *err);

/* sy_network_start_detached starts a validator that does not die with this process. */
sy_status sy_network_start_detached(sy_network *network, unsigned validator, struct sy_error *err);

/* sy_network_leave frees everything but ends no process. */
void sy_network_leave(sy_network *network);

/* sy_network_await waits until this validator answers and has certified at least height. */
sy_status sy_network_await(sy_network *network, unsigned validator, uint64_t height,
                           unsigned timeout_ms, struct sy_error *err);

/* sy_network_height is the certified height that a validator tells; 0: it does not answer. */
uint64_t sy_network_height(sy_network *network, unsigned validator);

/* sy_network_state_is says whether a validator tells that it is in this state ("halted", ...). */
bool sy_network_state_is(sy_network *network, unsigned validator, const char *state);

/* sy_network_view is the view that a validator tells; 0: it does not answer. */
uint64_t sy_network_view(sy_network *network, unsigned validator);

/* sy_network_highest is the highest that any running validator but one tells; UINT_MAX: any. */
uint64_t sy_network_highest(sy_network *network, unsigned but);

/* sy_network_stop_level ends all validators that run with the same blocks: each is stopped once it
 * has what the highest had, and nothing but heartbeats comes later, if no client sends any more. */
sy_status sy_network_stop_level(sy_network *network, unsigned timeout_ms, struct sy_error *err);

/* sy_network_primary asks the running validators who is primary: *view is the newest that one of
 * them is in. Those that are changing theirs do not count. SY_ERR_TIMEOUT: none is in a view. */
sy_status sy_network_primary(sy_network *network, unsigned *primary, uint64_t *view,
                             unsigned timeout_ms, struct sy_error *err);

/* sy_network_use adds up what the running validators have used. */
sy_status sy_network_use(sy_network *network, struct sy_network_usage *usage, struct sy_error *err);

#endif
