/* committer.h: the store thread: what the node wants durable, in groups.
 *
 * COMMITs and certificates queue up while one transaction is being made durable; all that waits
 * goes into the next. So the more there is to do, the fewer fsyncs a vote costs. Order is kept.
 * Records are copied; a body is borrowed until its DURABLE.
 *
 * The thread also forgets history that is kept no longer, a slice between two groups
 * (sy_store_prune), and in the pauses. */
#ifndef SY_NODE_COMMITTER_H
#define SY_NODE_COMMITTER_H

#include "consensus/node/inbox.h"
#include "consensus/node/node.h"
#include "core/store/store.h"

typedef struct sy_committer sy_committer;

/* sy_committer_open starts the thread. DURABLE, CERTIFIED and FAILED go to inbox. history_blocks:
 * of how many of the newest certified blocks history is kept; 0: of all. Not less than a window of
 * slots: who has executed those and lacks their certificates is helped with whole blocks only. */
sy_status sy_committer_open(sy_committer **committer, sy_store *store, uint64_t history_blocks,
                            sy_ring *inbox, struct sy_error *err);

/* sy_committer_close makes what waits durable, then ends the thread. NULL is fine. */
void sy_committer_close(sy_committer *committer);

/* sy_committer_writes says what a COMMIT effect writes to the vote store: one or two writes, which
 * borrow the effect's bytes. Pure. */
size_t sy_committer_writes(struct sy_vote_write out[2], const struct sy_node_effect *commit);

/* How far history goes, and what is still to do. */
struct sy_pruning {
    uint64_t history_blocks; /* as above */
    uint64_t every;          /* blocks that gather before a slice is worth its commits */
    bool
        more; /* there may be a slice to do at once; true at a start: one may have been under way */
};

/* sy_committer_prune forgets one slice, if there is one: the thread does so after each group. A
 * damaged block below what is kept is no reason to stop a validator: it is logged, and pruning
 * rests until the next start. The store's failures. */
sy_status sy_committer_prune(struct sy_pruning *pruning, sy_store *store, struct sy_error *err);

/* sy_committer_put takes a COMMIT or CERTIFY effect. It waits while too much is queued, which is
 * how a slow disk slows ordering. False: the thread has failed and takes nothing any more. One
 * caller. */
bool sy_committer_put(sy_committer *committer, const struct sy_node_effect *effect);

#endif
