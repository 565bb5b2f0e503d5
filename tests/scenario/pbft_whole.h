/* pbft_whole.h: a small world tried whole: every order of events in it, up to a bound.
 *
 * Four of the real machines, two slots, and validator 0, the primary of view 0, Byzantine. The
 * other three are correct and surrounded by the disk, the ledger and the checks of pbft_world.h;
 * what that world draws from a seed is tried here in every way, from the first proposal to the end
 * of view 1, whose primary is correct.
 *
 * The network is the set of all messages ever sent. It only grows: whoever has not received a
 * message may receive it next, or never, or twice. So losses, delays, duplicates and every order
 * need no events of their own. The faulty validator's choices need none either: all that it could
 * sign is in the set from the start, or as soon as what it is made of is (pbft_whole_faulty.c), and
 * the search decides who hears what.
 *
 * What can happen next:
 *   - a correct validator handles a message that is in the set;
 *   - once, in view 0, it finds that it has waited for too long (its links to the others alive);
 *   - its disk or its ledger finishes the oldest thing under way. With `prompt` that is done before
 *     anything else happens to this validator.
 *
 * States are kept byte by byte, in shared lines of 64 bytes (as Spin's COLLAPSE does), and equal
 * contents have equal numbers; nothing is taken for equal because a hash is. States of one
 * validator that no step can tell apart are brought into one form first (pbft_whole_alike.c). A
 * state of the world is three such numbers, that of the set, and what each validator refuses.
 *
 * Fewer orders, not fewer outcomes. What a machine does is seen by others through messages alone,
 * and the set keeps those. So:
 *   - A step that shows nothing (sends, decides, executes nothing and changes no view) is put off
 *     until just before the next one of the same machine that does (pbft_whole_local.c).
 *   - Steps of different validators commute: what one does takes nothing from another. So they take
 *     turns, the lowest first: it takes one of the steps that it can take, or refuses them all
 * until it hears something that makes another one possible. A run of the world, in whatever order,
 *     is found as the one in which every step comes as early as its messages allow; for if a
 *     validator's next step in that run is possible now, it is tried now, and else it refuses what
 *     is. These are sleep sets (Godefroid, 1996), one for each validator.
 *   - Once a validator is in view 1 nothing that it can do excludes anything else: the view has a
 *     correct primary, so one proposal a slot, and no view follows. So it does it at once. What is
 *     checked stays wrong once it is, so the end of a run tells of all of it.
 *   - A message that nobody can need any more leaves the set.
 * With `plain` only the first two are done, and less is forgotten; the fates of all runs must come
 * out the same.
 *
 * The bound: at most `delays_max` times in a run does a validator refuse what it could do. Refusing
 * to give up the primary is free, for nobody has to. Without delays the primary still may tell each
 * backup which of its proposals it likes, and show in its VIEW_CHANGE what it likes (to tell
 * somebody nothing is a delay), and every validator may leave view 0 between any two of its steps.
 *
 * Checked in every state: all that pbft_world.h lists; no two correct validators decided
 * differently in one slot or executed different blocks at one height; a view has one NEW_VIEW, and
 * that fixes what a correct validator decided in view 0, or its stable height covers it.
 *
 * Left out: restarts, statuses and what they make others send again (nothing is lost for good
 * here), certified blocks, missing bodies, views above 1, slots above 2. */
#ifndef SY_TESTS_SCENARIO_PBFT_WHOLE_H
#define SY_TESTS_SCENARIO_PBFT_WHOLE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"

#define WHOLE_SLOTS 2u

struct whole_rules {
    unsigned slots; /* that exist: 1 or 2 */
    unsigned
        faces[WHOLE_SLOTS + 1]; /* of each: how many proposals the faulty primary makes, 0..2 */
    bool prompt;                /* disks and ledgers finish at once */
    bool seals;                 /* seals are delivered */
    bool plain;                 /* without what the head of this file says of it */
    unsigned leavers;    /* correct validators that may find that they waited too long: 0..3 */
    unsigned delays_max; /* at most WHOLE_DELAYS_MAX */
    uint64_t states_max; /* of the world; with more the search is not finished */
};
#define WHOLE_DELAYS_MAX 64u

struct whole_result {
    uint64_t states, transitions;
    uint64_t locals, steps; /* states of single validators; steps of the machines */
    uint64_t messages;      /* different ones that were sent */
    bool finished;          /* all of it was tried, within delays_max, */
    bool unbounded;         /* and no run would have needed more */
    uint64_t new_views;     /* states in which there is a NEW_VIEW, */
    uint64_t kept;          /* and somebody had decided before what it must fix */
    uint64_t ends;          /* states in which nobody has anything left to do, or refuses it */
    /* Of those: in so many slots one validator decided in view 0 and another in view 1. */
    uint64_t carried[WHOLE_SLOTS + 1];
    /* How differently it can end when nobody refuses anything: what each validator decided, in view
     * 0 and at all, and executed: their number, and the hashes of all, added without carry. */
    uint64_t fates;
    struct sy_hash fates_sum;
    char failure[256]; /* empty: every check held */
};

/* whole_run tries the world of these rules; one at a time. A failure ends it, and how it came about
 * is printed, event by event. */
void whole_run(struct whole_result *result, const struct whole_rules *rules);

#endif
