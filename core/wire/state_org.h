/* state_org.h: what state keeps of an organisation's suspensions, each of them for good, so that
 * anybody can tell whether it was suspended at a height gone by. Part of state.h.
 *
 *   suspensions   organisation id                     u64 how many there were; absent: none ever
 *   suspension    pair(organisation, u64 number       struct sy_suspension, from 1 on in the order
 *                 padded)                             in which they began
 *
 * One begins only when the one before has ended. So with `last` the greatest number whose
 * suspension began at a height or before it, the organisation was suspended after that height's
 * block if and only if there is such a number and its suspension had not ended by then. */
#ifndef SY_WIRE_STATE_ORG_H
#define SY_WIRE_STATE_ORG_H

#include "core/base/bytes.h"
#include "core/wire/codec.h"

/* One end of a suspension: as org.suspend or org.reinstate said.
 *
 *   u16 reason | i64 from | u64 height | i64 time of its block */
struct sy_suspension_end {
    uint16_t reason; /* enum sy_suspend_reason, or sy_reinstate_reason */
    int64_t from_ms; /* since when there was cause */
    uint64_t height;
    int64_t time_ms;
};

/*   begun | u8 flags (1 ended) | [ended] */
struct sy_suspension {
    struct sy_suspension_end begun;
    bool has_ended;
    struct sy_suspension_end ended;
};
void sy_suspension_encode(struct sy_writer *w, const struct sy_suspension *suspension);
bool sy_suspension_decode(struct sy_suspension *suspension, struct sy_slice bytes);

/* sy_suspension_at: had it begun and not ended after the block of this height? */
bool sy_suspension_at(const struct sy_suspension *suspension, uint64_t height);

/* number: from 1. */
void sy_state_key_suspension(struct sy_hash *out, const struct sy_hash *organisation,
                             uint64_t number);

#endif
