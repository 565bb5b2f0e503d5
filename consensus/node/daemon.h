/* daemon.h: systoled as a whole: one validator's keys, store, threads and sockets, and their order
 * of birth and death.
 *
 *     consensus  sy_daemon_run: polls links, engine, inbox and time; steps the node
 *     links      sy_link's own          engine   sy_engine's workers     store   committer.h
 *     execution  runner.h               API      api.h                   HTTP    /metrics, /healthz
 *
 * Threads meet in bounded queues only (inbox.h). */
#ifndef SY_NODE_DAEMON_H
#define SY_NODE_DAEMON_H

#include "consensus/node/config.h"

typedef struct sy_daemon sy_daemon;

enum sy_daemon_start {
    SY_START_GO_ON,
    SY_START_INIT,   /* makes a new store */
    SY_START_REBUILD /* empties the directory's index, which is made again while it runs */
};

/* sy_daemon_open loads keys and genesis, opens (or makes) the store, replays it, binds the
 * addresses and starts the threads. */
sy_status sy_daemon_open(sy_daemon **daemon, const struct sy_config *config,
                         enum sy_daemon_start start, struct sy_error *err);

/* sy_daemon_check reads everything that config names (keys, genesis, addresses) without touching
 * the store, and prints what it found. */
sy_status sy_daemon_check(const struct sy_config *config, FILE *out, struct sy_error *err);

/* sy_daemon_run works until sy_daemon_stop, until the roster no longer has this validator's key
 * (which the log says), or until something fails that a person must mend (a full disk, a damaged
 * store), which err then names. When the roster changes it closes what belongs to the old one and
 * goes on with the new one over the same store; clients find it again. */
sy_status sy_daemon_run(sy_daemon *daemon, struct sy_error *err);

/* sy_daemon_stop asks for the end: no more transactions are taken, what was taken is spread and
 * given drain_ms to be executed, then run returns. A second call ends at once. Any thread. */
void sy_daemon_stop(sy_daemon *daemon, uint64_t drain_ms);

/* sy_daemon_flap cuts the transport to a peer (roster index) as a failing network would; it comes
 * back by itself. For drills and tests. Any thread. */
void sy_daemon_flap(sy_daemon *daemon, unsigned peer);

void sy_daemon_close(sy_daemon *daemon); /* NULL is fine */

#endif
