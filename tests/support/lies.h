/* lies.h: what liars make of messages of their own, wherever they lie: in the simulator
 * (tests/sim/liar.h) and in a process among real ones (tests/cluster/liar.h). Nothing is signed
 * here: whoever says it signs it, with a liar's own key. Pure; any thread. */
#ifndef SY_TESTS_SUPPORT_LIES_H
#define SY_TESTS_SUPPORT_LIES_H

#include "core/base/prng.h"
#include "core/wire/vote.h"

/* lie_is_own says whether a message carries the signature of the validator `self` of n, and so is
 * its own to change; and to keep from its node, which has not said what a liar says. */
bool lie_is_own(const struct sy_message *message, uint16_t self, uint16_t n);

/* lie_turn_proposal makes another proposal for the slot, the same whenever it is asked: another
 * time, one that no clock agrees with, or an entry whose body nobody has. */
void lie_turn_proposal(struct sy_proposal *proposal);

/* lie_turn_status makes it claim more or less than is so: heights, votes, time. */
void lie_turn_status(sy_prng *prng, struct sy_status_message *status);

/* lie_turn_block spoils one thing of a certified block; n: the size of the roster. */
void lie_turn_block(sy_prng *prng, struct sy_block_message *block, uint16_t n);

#endif
