/* clocks.h: does the own wall clock agree with the others'?
 *
 * Every STATUS of a peer is signed and says what its clock showed. A status may be late, never
 * early: so of each peer the earliest-looking of the last seconds counts, placed on the own
 * monotonic clock. A link that delays one status, or a process that slept through many, makes
 * nobody's clock look wrong, and a step of the own wall clock is seen at once.
 *
 *     peer 1   ....x..x......x      its clock at each of them, minus the monotonic time of arrival:
 *     peer 2   .x.x.x.x.x.x.x      the highest of the last two periods is the peer's clock now
 *     median   of all clocks heard, the own among them
 *
 * The own clock is off if it differs from that median by more than the skew that proposals are
 * allowed (PROTOCOL.md, P7), if weak(n) peers say so in the same direction, so that one of them is
 * correct, and if that lasts. With at most f faulty validators, wrong clocks among them, whoever is
 * well never says so of itself, and whoever is not does as soon as it hears more who are well than
 * are not. A judgement only: nothing in consensus rests on it. Pure; one thread at a time. */
#ifndef SY_NODE_CLOCKS_H
#define SY_NODE_CLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/wire/roster.h"

/* Statuses older than two of these do not count. An idle validator sends one a second. */
#define SY_CLOCKS_PERIOD_NS 5000000000ull
/* So long the own clock must look wrong before it is called that. */
#define SY_CLOCKS_LASTS_NS 5000000000ull

struct sy_clocks_peer {
    uint64_t period;    /* of best[0]; 0: never heard */
    int64_t best_ms[2]; /* its clock minus the monotonic one: of `period`, and of the one before */
    bool has[2];
};

struct sy_clocks {
    uint16_t n, self; /* self >= n: an observer, whose own clock is no validator's */
    int64_t skew_ms;
    uint64_t wrong_since_ns; /* the own clock looks wrong; 0: it does not */
    bool off;                /* it has for long enough */
    int64_t error_ms;        /* own clock minus the median, when last judged */
    struct sy_clocks_peer peers[SY_VALIDATORS_MAX];
};

/* What operators are told. */
struct sy_clocks_info {
    bool off;         /* the own clock */
    int64_t error_ms; /* the own clock minus the median; positive: it is ahead; 0: not judged yet */
    uint16_t peers_off;
    struct {
        bool heard;        /* lately */
        bool off;          /* it differs from the median by more than the skew */
        int64_t offset_ms; /* its clock minus the own one */
    } peers[SY_VALIDATORS_MAX];
};

/* sy_clocks_init; skew_ms: how far clocks may differ. */
void sy_clocks_init(struct sy_clocks *clocks, uint16_t n, uint16_t self, int64_t skew_ms);

/* sy_clocks_note takes what peer's clock showed in a STATUS with a good signature that arrived at
 * now_ns, and judges again. now_ms: the own wall clock at that moment. time_ms may be anything.
 * True: `off` has changed. */
bool sy_clocks_note(struct sy_clocks *clocks, uint16_t peer, int64_t time_ms, int64_t now_ms,
                    uint64_t now_ns);

void sy_clocks_get_info(const struct sy_clocks *clocks, struct sy_clocks_info *info, int64_t now_ms,
                        uint64_t now_ns);

#endif
