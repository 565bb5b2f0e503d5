#include "core/base/share.h"

#include "core/base/assert.h"

#define SECOND_NS UINT64_C(1000000000)

bool sy_share_left(struct sy_share *share, uint64_t now_ns)
{
    uint64_t floor_ns = now_ns > SECOND_NS ? now_ns - SECOND_NS : 0;
    if (share->spent_ns < floor_ns) share->spent_ns = floor_ns;
    return share->spent_ns <= now_ns;
}

void sy_share_spend(struct sy_share *share, uint64_t amount, uint64_t per_s)
{
    SY_ASSERT(per_s > 0);
    if (amount > SY_SHARE_AMOUNT_MAX) amount = SY_SHARE_AMOUNT_MAX;
    share->spent_ns += amount * SECOND_NS / per_s;
}
