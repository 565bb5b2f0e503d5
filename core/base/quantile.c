#include "core/base/quantile.h"

#include "core/base/assert.h"

/* Values below 32 have a bucket each; from then on the five bits below the highest choose. */
static unsigned bucket_of(uint64_t value)
{
    if (value < 32) return (unsigned)value;
    unsigned high = 63u - (unsigned)__builtin_clzll(value);
    unsigned below = (unsigned)(value >> (high - 5)) & 31u;
    return (high - 4) * 32 + below;
}

static uint64_t upper_end(unsigned bucket)
{
    if (bucket < 32) return bucket;
    unsigned high = bucket / 32 + 4;
    uint64_t first = (32ull + bucket % 32) << (high - 5);
    return first + (1ull << (high - 5)) - 1;
}

void sy_quantile_add(struct sy_quantile *quantile, uint64_t value)
{
    unsigned bucket = bucket_of(value);
    SY_ASSERT(bucket < SY_QUANTILE_BUCKETS);
    quantile->buckets[bucket]++;
    quantile->count++;
    quantile->sum += value;
    if (value > quantile->largest) quantile->largest = value;
}

void sy_quantile_merge(struct sy_quantile *quantile, const struct sy_quantile *other)
{
    for (unsigned i = 0; i < SY_QUANTILE_BUCKETS; i++) quantile->buckets[i] += other->buckets[i];
    quantile->count += other->count;
    quantile->sum += other->sum;
    if (other->largest > quantile->largest) quantile->largest = other->largest;
}

uint64_t sy_quantile_get(const struct sy_quantile *quantile, unsigned per_mille)
{
    SY_ASSERT(per_mille <= 1000);
    if (quantile->count == 0) return 0;
    uint64_t wanted = (quantile->count * per_mille + 999) / 1000;
    uint64_t seen = 0;
    for (unsigned i = 0; i < SY_QUANTILE_BUCKETS; i++) {
        seen += quantile->buckets[i];
        if (seen < wanted || seen == 0) continue;
        uint64_t end = upper_end(i);
        return end < quantile->largest ? end : quantile->largest;
    }
    return quantile->largest;
}
