/* interval_limb.h: stands in for core/crypto/ed25519_limb.h where bounds are proved: a limb is all
 * numbers from least to most, and each step gives all its possible results. A step that could
 * overflow, or go below zero, is counted. Include it before any header of core/crypto. */
#ifndef SY_TESTS_UNIT_INTERVAL_LIMB_H
#define SY_TESTS_UNIT_INTERVAL_LIMB_H
#define SY_CRYPTO_ED25519_LIMB_H /* in its place */

#include <stdint.h>

#define SY_LIMB_BITS 51u
#define SY_LIMB_MASK ((UINT64_C(1) << SY_LIMB_BITS) - 1)

__extension__ typedef unsigned __int128 interval_u128;

typedef struct sy_limb {
    uint64_t least, most;
} sy_limb;

typedef struct sy_wide {
    interval_u128 least, most;
} sy_wide;

static unsigned interval_faults; /* steps that could go wrong */

static inline sy_limb sy_limb_of(uint64_t number)
{
    sy_limb limb = {number, number};
    return limb;
}

static inline sy_limb sy_limb_add(sy_limb a, sy_limb b)
{
    sy_limb sum = {a.least + b.least, a.most + b.most};
    interval_faults += sum.most < a.most;
    return sum;
}

static inline sy_limb sy_limb_sub(sy_limb a, sy_limb b)
{
    sy_limb rest = {a.least - b.most, a.most - b.least};
    interval_faults += a.least < b.most;
    return rest;
}

static inline sy_limb sy_limb_times(sy_limb a, uint32_t factor)
{
    sy_limb product = {a.least * factor, a.most * factor};
    interval_faults += (interval_u128)a.most * factor > UINT64_MAX;
    return product;
}

static inline sy_limb sy_limb_low(sy_limb a)
{
    sy_limb all = {0, SY_LIMB_MASK};
    return a.most <= SY_LIMB_MASK ? a : all;
}

static inline sy_limb sy_limb_high(sy_limb a)
{
    sy_limb high = {a.least >> SY_LIMB_BITS, a.most >> SY_LIMB_BITS};
    return high;
}

static inline sy_wide sy_wide_mul(sy_limb a, sy_limb b)
{
    sy_wide product = {(interval_u128)a.least * b.least, (interval_u128)a.most * b.most};
    return product;
}

static inline sy_wide sy_wide_plus(sy_wide a, sy_wide b)
{
    sy_wide sum = {a.least + b.least, a.most + b.most};
    interval_faults += sum.most < a.most;
    return sum;
}

static inline sy_wide sy_wide_add_mul(sy_wide sum, sy_limb a, sy_limb b)
{
    return sy_wide_plus(sum, sy_wide_mul(a, b));
}

static inline sy_wide sy_wide_add(sy_wide sum, sy_limb a)
{
    sy_wide wide = {a.least, a.most};
    return sy_wide_plus(sum, wide);
}

static inline sy_limb sy_wide_low(sy_wide a)
{
    sy_limb all = {0, SY_LIMB_MASK};
    if (a.most > SY_LIMB_MASK) return all;
    all.least = (uint64_t)a.least;
    all.most = (uint64_t)a.most;
    return all;
}

static inline sy_limb sy_wide_high(sy_wide a)
{
    sy_limb high = {(uint64_t)(a.least >> SY_LIMB_BITS), (uint64_t)(a.most >> SY_LIMB_BITS)};
    interval_faults += a.most >> SY_LIMB_BITS > UINT64_MAX;
    return high;
}

#endif
