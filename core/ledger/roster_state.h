/* roster_state.h: the roster that state holds, read through whatever shows a state: execution's
 * source, or a view of the store.
 *
 * Its head names the epoch, how many validators there are, and the roster's hash; the validators
 * stand beside it one by one, and only together with a hash that fits are they a roster. */
#ifndef SY_LEDGER_ROSTER_STATE_H
#define SY_LEDGER_ROSTER_STATE_H

#include "core/ledger/source.h"
#include "core/wire/roster.h"
#include "core/wire/state.h"

/* sy_roster_state_head reads the head alone: which epoch it is. SY_ERR_CORRUPT: what stands there
 * is none; or what get says. */
sy_status sy_roster_state_head(struct sy_roster_head *head, sy_state_getter get, void *self);

/* sy_roster_state_load reads the roster of this head. genesis: its hash. SY_ERR_CORRUPT: too few or
 * too many validators, or not those of the head's hash; or what get says. On failure the roster
 * counts nobody. */
sy_status sy_roster_state_load(struct sy_roster *roster, const struct sy_roster_head *head,
                               const struct sy_hash *genesis, sy_state_getter get, void *self);

#endif
