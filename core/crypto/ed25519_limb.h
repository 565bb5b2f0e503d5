/* ed25519_limb.h: the words that ed25519_field.h counts in.
 *
 * A limb is an unsigned number below 2^64, a wide one below 2^128. Every step of field arithmetic
 * is one of the functions below, none of which may overflow or go below zero: what bounds make sure
 * of that is said in ed25519_field.h. The same arithmetic is compiled a second time over pairs
 * {least, most} instead of numbers, where each step checks that it cannot overflow
 * (tests/unit/interval_limb.h takes the place of this file there).
 *
 * Compilers without a 128-bit type get one of two limbs (SY_LIMB_EMULATED asks for it anywhere):
 * 64-bit integers, as C17 has them everywhere, are all that is needed. */
#ifndef SY_CRYPTO_ED25519_LIMB_H
#define SY_CRYPTO_ED25519_LIMB_H

#include <stdint.h>

#define SY_LIMB_BITS 51u
#define SY_LIMB_MASK ((UINT64_C(1) << SY_LIMB_BITS) - 1)

typedef uint64_t sy_limb;

static inline sy_limb sy_limb_of(uint64_t number)
{
    return number;
}

static inline sy_limb sy_limb_add(sy_limb a, sy_limb b)
{
    return a + b;
}

static inline sy_limb sy_limb_sub(sy_limb a, sy_limb b)
{
    return a - b;
}

static inline sy_limb sy_limb_times(sy_limb a, uint32_t factor)
{
    return a * factor;
}

/* The lower 51 bits, and the others. */
static inline sy_limb sy_limb_low(sy_limb a)
{
    return a & SY_LIMB_MASK;
}

static inline sy_limb sy_limb_high(sy_limb a)
{
    return a >> SY_LIMB_BITS;
}

#if defined(__SIZEOF_INT128__) && !defined(SY_LIMB_EMULATED)

__extension__ typedef unsigned __int128 sy_wide;

static inline sy_wide sy_wide_mul(sy_limb a, sy_limb b)
{
    return (sy_wide)a * b;
}

static inline sy_wide sy_wide_add_mul(sy_wide sum, sy_limb a, sy_limb b)
{
    return sum + (sy_wide)a * b;
}

static inline sy_wide sy_wide_add(sy_wide sum, sy_limb a)
{
    return sum + a;
}

static inline sy_limb sy_wide_low(sy_wide a)
{
    return (sy_limb)a & SY_LIMB_MASK;
}

/* The bits from the 51st on; they must fit a limb. */
static inline sy_limb sy_wide_high(sy_wide a)
{
    return (sy_limb)(a >> SY_LIMB_BITS);
}

#else

typedef struct sy_wide {
    uint64_t low, high;
} sy_wide;

static inline sy_wide sy_wide_add(sy_wide sum, sy_limb a)
{
    sum.low += a;
    sum.high += sum.low < a;
    return sum;
}

/* Four products of halves; the middle ones overlap both words of the result. */
static inline sy_wide sy_wide_mul(sy_limb a, sy_limb b)
{
    uint64_t a0 = a & UINT32_MAX, a1 = a >> 32;
    uint64_t b0 = b & UINT32_MAX, b1 = b >> 32;
    uint64_t low = a0 * b0;
    uint64_t middle = a1 * b0 + (low >> 32);
    uint64_t other = a0 * b1 + (middle & UINT32_MAX);
    sy_wide product = {other << 32 | (low & UINT32_MAX), a1 * b1 + (middle >> 32) + (other >> 32)};
    return product;
}

static inline sy_wide sy_wide_add_mul(sy_wide sum, sy_limb a, sy_limb b)
{
    sy_wide product = sy_wide_mul(a, b);
    sum = sy_wide_add(sum, product.low);
    sum.high += product.high;
    return sum;
}

static inline sy_limb sy_wide_low(sy_wide a)
{
    return a.low & SY_LIMB_MASK;
}

static inline sy_limb sy_wide_high(sy_wide a)
{
    return a.high << (64 - SY_LIMB_BITS) | a.low >> SY_LIMB_BITS;
}

#endif
#endif
