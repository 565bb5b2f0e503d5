/* handovers.h: rosters and how an epoch ended, as a store shows them: every change is in state, the
 * last header of each epoch and its certificate are kept for ever, under pruning too. */
#ifndef SY_STORE_HANDOVERS_H
#define SY_STORE_HANDOVERS_H

#include "core/store/store.h"
#include "core/wire/genesis.h"
#include "core/wire/roster_change.h"

/* sy_store_handover writes the handover of an epoch (core/wire/roster_change.h, at most
 * SY_HANDOVER_BYTES_MAX). SY_ERR_NOT_FOUND: the epoch has not ended at a height up to `certified`;
 * SY_ERR_PRUNED: its last header is not here, as in a store that began with a snapshot;
 * SY_ERR_CORRUPT, or the store's own; the writer is then as it was. Nothing is verified. The thread
 * of reader and view. */
sy_status sy_store_handover(struct sy_writer *w, sy_store_reader *reader, sy_state_view *view,
                            uint32_t epoch, uint64_t certified);

/* sy_store_handovers writes what answers the question for handovers from an epoch on, to clients
 * (request.h) and peers (sync.h) alike: u32 epoch | u16 count | up to SY_HANDOVERS_MAX handovers,
 * as far as the store can prove them. Returns how many; the writer must have room for all. */
uint16_t sy_store_handovers(struct sy_writer *w, sy_store_reader *reader, sy_state_view *view,
                            uint32_t epoch, uint64_t certified);

/* sy_store_roster makes the roster of an epoch from the genesis's by the changes in state, also of
 * one that was announced and has not begun. It believes the state: the own one, or one that was
 * checked. SY_ERR_NOT_FOUND: there is no such change yet; SY_ERR_CORRUPT, or the store's own; the
 * roster is then of no use. The thread of view. */
sy_status sy_store_roster(struct sy_roster *roster, const struct sy_genesis *genesis,
                          sy_state_view *view, uint32_t epoch);

#endif
