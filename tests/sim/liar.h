/* liar.h: what the files that lie share: liar.c (who lies, and what becomes of what a liar's node
 * sends), liar_primary.c (proposals), liar_views.c (changes of the view), liar_unasked.c (what
 * nobody asked for). Peers are named by validator, signers inside messages by roster index. */
#ifndef SY_TESTS_SIM_LIAR_H
#define SY_TESTS_SIM_LIAR_H

#include "core/wire/sync.h"
#include "tests/sim/sim_internal.h"

/* sim_does says whether a lie that this world's liars tell is told now: one time in `of`. */
bool sim_does(struct world *world, enum sim_lie lie, uint64_t of);
/* sim_another is a validator other than this one. */
uint16_t sim_another(struct world *world, uint16_t index);

/* sim_utter is how all that a liar says leaves it: to whom it is silent it says nothing. */
void sim_utter(struct world *world, const struct validator *liar, uint16_t to,
               struct sy_slice bytes);
void sim_utter_later(struct world *world, const struct validator *liar, uint16_t to,
                     struct sy_slice bytes, uint64_t delay_ns);
void sim_say(struct world *world, const struct validator *liar, uint16_t to,
             const struct sy_message *message);
void sim_say_sync(struct world *world, const struct validator *liar, uint16_t to,
                  const struct sy_sync_message *message);
/* sim_say_around says it to most of the others. */
void sim_say_around(struct world *world, const struct validator *liar,
                    const struct sy_message *message);

/* sim_withhold: whether this liar keeps this to itself now. */
/* sim_keep replaces what is kept by a copy of these bytes. */
void sim_keep(struct kept_frame *kept, struct sy_slice bytes);
bool sim_withhold(struct world *world);
void sim_sign_vote(const struct world *world, const struct validator *liar, struct sy_vote *vote);

/* --- liar_primary.c --------------------------------------------------------------------------- */

/* sim_second_proposal is what a liar proposed in place of its node's proposal to some or all, or
 * NULL. */
const struct second_proposal *sim_second_proposal(const struct world *world, uint64_t view,
                                                  uint64_t slot);
/* sim_note_proposal remembers what was proposed, to be named again. */
void sim_note_proposal(struct world *world, const struct sy_pre_prepare *seen);
void sim_lie_proposal(struct world *world, struct validator *liar, uint16_t to,
                      struct sy_slice bytes, struct sy_message *message);

/* --- liar_views.c ----------------------------------------------------------------------------- */

void sim_lie_view_change(struct world *world, struct validator *liar, uint16_t to,
                         struct sy_slice bytes, struct sy_message *message);
void sim_lie_new_view(struct world *world, struct validator *liar, uint16_t to,
                      struct sy_slice bytes, struct sy_message *message);
/* sim_leave_view asks for a view that nobody needs, perhaps with a certificate made up. */
void sim_leave_view(struct world *world, struct validator *liar, bool forged);

/* --- liar_unasked.c --------------------------------------------------------------------------- */

/* sim_note_epoch keeps a vote for when its epoch will be over. */
void sim_note_epoch(struct world *world, uint32_t epoch, struct sy_slice bytes);
void sim_say_pruned(struct world *world, const struct validator *liar, uint16_t to);

#endif
