/* quantile.h: quantiles of many durations in little memory: a histogram whose buckets grow with
 * the value (32 a doubling, so a quantile is at most 3 % too high). Not thread-safe. */
#ifndef SY_BASE_QUANTILE_H
#define SY_BASE_QUANTILE_H

#include <stdint.h>

#define SY_QUANTILE_BUCKETS (60u * 32u)

struct sy_quantile {
    uint64_t count;
    uint64_t sum;
    uint64_t largest;
    uint64_t buckets[SY_QUANTILE_BUCKETS];
};

/* sy_quantile_add adds one value. Start from zeroed memory. */
void sy_quantile_add(struct sy_quantile *quantile, uint64_t value);

/* sy_quantile_merge adds everything that other holds. */
void sy_quantile_merge(struct sy_quantile *quantile, const struct sy_quantile *other);

/* sy_quantile_get is the value below or at which per_mille / 1000 of the values lie (its bucket's
 * upper end, at most the largest value); 0 when there are none. per_mille <= 1000. */
uint64_t sy_quantile_get(const struct sy_quantile *quantile, unsigned per_mille);

#endif
