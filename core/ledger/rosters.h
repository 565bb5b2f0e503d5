/* rosters.h: which roster orders which height, as execution goes on (internal to core/ledger).
 *
 * State has the current roster whole, and how every epoch began. In memory are the current roster
 * and, once a change was executed, the one after it. */
#ifndef SY_LEDGER_ROSTERS_H
#define SY_LEDGER_ROSTERS_H

#include "core/ledger/exec.h"
#include "core/ledger/source.h"
#include "core/wire/roster.h"

struct sy_rosters {
    struct sy_roster now;
    struct sy_roster next;
    struct sy_hash now_hash, next_hash;
    uint64_t base;  /* height before the first one that `now` orders; 0: it is the genesis's */
    uint64_t first; /* height from which on `next` orders; 0: no change is pending */
};

/* sy_rosters_load reads both from a source that shows genesis or a later height. SY_ERR_CORRUPT:
 * they do not fit each other. */
sy_status sy_rosters_load(struct sy_rosters *rosters, const struct sy_hash *genesis,
                          const struct sy_state_source *source, struct sy_error *err);

/* sy_rosters_at is the roster that orders a height, of those that execution may ask for: the
 * newest executed one and up to SY_ROSTER_DELAY above it. */
static inline const struct sy_roster *sy_rosters_at(const struct sy_rosters *rosters,
                                                    uint64_t height)
{
    return rosters->first != 0 && height >= rosters->first ? &rosters->next : &rosters->now;
}
static inline const struct sy_hash *sy_rosters_hash_at(const struct sy_rosters *rosters,
                                                       uint64_t height)
{
    return sy_rosters_at(rosters, height) == &rosters->next ? &rosters->next_hash
                                                            : &rosters->now_hash;
}
static inline bool sy_rosters_begins(const struct sy_rosters *rosters, uint64_t height)
{
    return rosters->first != 0 && height == rosters->first;
}

/* sy_rosters_save writes `next` as the state's roster, in the block that it orders first. */
void sy_rosters_save(const struct sy_rosters *rosters, struct sy_exec *x);

/* sy_rosters_turn ends a block that was executed: `next` becomes `now` if the block was its first,
 * and a change that the block wrote is taken up. SY_ERR_CORRUPT: the change does not apply. */
sy_status sy_rosters_turn(struct sy_rosters *rosters, struct sy_exec *x);

#endif
