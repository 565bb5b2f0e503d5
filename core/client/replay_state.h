/* replay_state.h: the ledger's state in memory, for replaying a ledger from genesis.
 *
 * An audit asks whether a validator's store is right, so its replay must not lean on the store's
 * own state: this is another, plainer map. Keys are hashes, so the first 16 bits spread them evenly
 * over buckets, and each bucket is a sorted array. Only the newest values are kept. One thread. */
#ifndef SY_CLIENT_REPLAY_STATE_H
#define SY_CLIENT_REPLAY_STATE_H

#include "core/base/bytes.h"
#include "core/ledger/source.h"

typedef struct sy_replay_state sy_replay_state;

sy_status sy_replay_state_open(sy_replay_state **state, struct sy_error *err);
void sy_replay_state_close(sy_replay_state *state); /* NULL is fine */

/* sy_replay_state_apply applies a block's packed deltas (core/wire/delta.h). SY_ERR_FORMAT:
 * malformed; SY_ERR_NO_MEMORY. After a failure the state is of no use. */
sy_status sy_replay_state_apply(sy_replay_state *state, struct sy_slice deltas,
                                struct sy_error *err);

/* sy_replay_state_source is what execution reads; it borrows state. */
struct sy_state_source sy_replay_state_source(sy_replay_state *state);

/* sy_replay_state_get finds one value, borrowed until the next apply. False: absent. */
bool sy_replay_state_get(const sy_replay_state *state, struct sy_slice *value,
                         const struct sy_hash *key);
uint64_t sy_replay_state_count(const sy_replay_state *state);

#endif
