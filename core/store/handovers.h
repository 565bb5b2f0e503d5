/* handovers.h: how an epoch ended, as a store shows it: the change is in state, the last header of
 * the epoch and its certificate are kept for ever, under pruning too. */
#ifndef SY_STORE_HANDOVERS_H
#define SY_STORE_HANDOVERS_H

#include "core/store/store.h"
#include "core/wire/roster_change.h"

/* sy_store_handover writes the handover of an epoch (core/wire/roster_change.h, at most
 * SY_HANDOVER_BYTES_MAX). SY_ERR_NOT_FOUND: the epoch has not ended at a height up to `certified`;
 * SY_ERR_PRUNED: its last header is not here, as in a store that began with a snapshot;
 * SY_ERR_CORRUPT, or the store's own; the writer is then as it was. Nothing is verified. The thread
 * of reader and view. */
sy_status sy_store_handover(struct sy_writer *w, sy_store_reader *reader, sy_state_view *view,
                            uint32_t epoch, uint64_t certified);

#endif
