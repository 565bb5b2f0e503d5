/* share.h: how much of something one may have in a time: bytes served, checks, lookups.
 *
 * A share is the time up to which it has been used. Using it moves that time on by amount / per_s;
 * while it lies in the future nothing is left. What was not used is saved up for a second, so a
 * share gives at most per_s at once, and per_s a second in the long run. The last use may go over
 * it, whatever its size, and is paid for by waiting. Pure; one thread a share. */
#ifndef SY_BASE_SHARE_H
#define SY_BASE_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sy_share {
    uint64_t spent_ns; /* zero at first */
};

/* The most that one use counts for. */
#define SY_SHARE_AMOUNT_MAX (UINT64_C(1) << 33)

/* sy_share_left says whether anything is left at now_ns, which never goes back. */
bool sy_share_left(struct sy_share *share, uint64_t now_ns);

/* sy_share_spend takes amount from a share of per_s a second. Call it after sy_share_left. */
void sy_share_spend(struct sy_share *share, uint64_t amount, uint64_t per_s);

#ifdef __cplusplus
}
#endif
#endif
