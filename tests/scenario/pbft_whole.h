/* pbft_whole.h: a small world tried whole: every order of events in it, up to a bound.
 *
 * Four of the real machines, two slots, and validator 0, the primary of view 0, Byzantine. The
 * other three are correct and surrounded by the disk, the ledger and the checks of pbft_world.h;
 * what that world draws from a seed is tried here in every way.
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
 * States are exact: what a machine and its surroundings hold is kept byte by byte, in shared lines
 * of 64 bytes (as Spin's COLLAPSE does), and equal contents have equal numbers; nothing is taken
 * for equal because a hash is. A state of the world is three such numbers and that of the set. Only
 * statistics are left out. Time stands still but for the one wait, so that it tells no states
 * apart.
 *
 * Fewer orders, not fewer outcomes. What a machine does is seen by others through messages alone,
 * and the set keeps those. So a step that shows nothing (sends nothing, executes nothing) can be
 * put off until just before the next one of the same machine that does. And of two neighbouring
 * steps of one machine whose order was tried to make no difference, to the machine or to all that
 * it sends, the one that shows something comes first. A step of the world is thus: some quiet steps
 * of one machine, then one that shows something. Depth counts steps of the world; `quiet_max`
 * bounds the quiet ones in each, and what needs more of them in a row is not tried.
 *
 * Checked in every state: all that pbft_world.h lists; no two correct validators executed different
 * blocks at one height; every NEW_VIEW fixes what a correct validator decided in view 0, or its
 * stable height covers it.
 *
 * Left out: restarts, statuses and what they make others send again (nothing is lost for good
 * here), certified blocks, missing bodies, views above 1, slots above 2. */
#ifndef SY_TESTS_SCENARIO_PBFT_WHOLE_H
#define SY_TESTS_SCENARIO_PBFT_WHOLE_H

#include <stdbool.h>
#include <stdint.h>

struct whole_rules {
    unsigned slots;      /* the faulty primary proposes in: 1 or 2 */
    bool prompt;         /* disks and ledgers finish at once */
    bool seals;          /* seals are delivered */
    unsigned leavers;    /* correct validators that may find that they waited too long: 0..3 */
    unsigned quiet_max;  /* steps that show nothing before one that does, 1..200 */
    uint64_t depth_max;  /* steps of the world */
    uint64_t states_max; /* states of the world */
};

struct whole_result {
    uint64_t states, transitions;
    uint64_t locals, steps; /* states of single validators; steps of the machines */
    uint64_t messages;      /* different ones that were sent */
    uint64_t depth;         /* reached, all of it tried */
    bool finished;          /* nothing was left to try: the bounds did not matter */
    uint64_t executed[3];   /* states in which some correct validator executed height 1, 2 */
    uint64_t new_views;     /* states in which a NEW_VIEW was sent */
    uint64_t kept;          /* of those, states in which it had a decision to carry over */
    char failure[256];      /* empty: every check held */
};

/* whole_run tries the world of these rules; one at a time. A failure ends it, and how it came about
 * is printed, event by event. */
void whole_run(struct whole_result *result, const struct whole_rules *rules);

#endif
