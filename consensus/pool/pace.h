/* pace.h: how much a maker takes from clients before it makes them wait.
 *
 * What has been taken and not executed stands in queues: for a check here, in batches, for checks
 * at the other validators, for the primary, for execution. Nobody knows how long these queues may
 * be: that depends on every machine. But a maker sees how long each of its batches takes, from its
 * first transaction to its execution, and takes no more than what keeps that time near a goal. So
 * overload stays with the clients, who are told to come again, and the primary is never asked for
 * more than it can order in time (PROTOCOL.md, P26).
 *
 * The limit on what is under way falls when a batch took longer than the goal, in proportion. While
 * it is in the way it rises: it doubles in the time that a batch takes as long as that is below
 * half of the goal, and then grows by SY_PACE_STEP. Makers that do so come to equal parts of what
 * there is (D. Chiu, R. Jain, 1989); that one which does not cannot crowd them out is the care of
 * whoever checks its batches (admit.c).
 *
 * Pure; one thread. */
#ifndef SY_POOL_PACE_H
#define SY_POOL_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define SY_PACE_LEAST 16u
#define SY_PACE_FIRST 32u
#define SY_PACE_STEP 32u

struct sy_pace {
    uint64_t goal_ns;
    uint32_t most;     /* the limit never rises above it */
    uint32_t limit;    /* transactions under way */
    bool in_the_way;   /* somebody was put off since the limit rose last */
    uint64_t cut_ns;   /* when the limit last began to fall, */
    uint32_t cut_from; /* and what was under way then */
    uint64_t took_ns;  /* how long the newest batch took; 0: none yet */
};

/* sy_pace_init sets the goal, and `most` as above; goal_ns 0: the limit is always `most`. */
void sy_pace_init(struct sy_pace *pace, uint64_t goal_ns, uint32_t most);

/* sy_pace_takes says whether more may be taken while so many transactions are under way. What is
 * taken then may go over the limit, so that no request is too large for ever. */
bool sy_pace_takes(struct sy_pace *pace, uint32_t under_way);

/* sy_pace_note tells of a batch of txs transactions, taken at since_ns and executed at now_ns,
 * while under_way were, itself included. */
void sy_pace_note(struct sy_pace *pace, uint32_t txs, uint32_t under_way, uint64_t since_ns,
                  uint64_t now_ns);

/* sy_pace_retry_ms is when whoever was put off may come again: about the time of a batch. */
uint32_t sy_pace_retry_ms(const struct sy_pace *pace);

#endif
