/* device_scalar.h: numbers mod L (RFC 8032 5.1) and their signed digits, on a device. Eight words,
 * the least first. */
#ifndef SY_GPU_DEVICE_SCALAR_H
#define SY_GPU_DEVICE_SCALAR_H

#include "gpu/carry.h"

/* L = 2^252 + c. */
#define SY_ORDER_WORDS                                                                             \
    {                                                                                              \
        0x5cf5d3edu, 0x5812631au, 0xa2f79cd6u, 0x14def9deu, 0x00000000u, 0x00000000u, 0x00000000u, \
            0x10000000u                                                                            \
    }
#define SY_ORDER_C_WORDS                                   \
    {                                                      \
        0x5cf5d3edu, 0x5812631au, 0xa2f79cd6u, 0x14def9deu \
    }

SY_DEVICE uint32_t sy_sc_is_below_order(const uint32_t a[8])
{
    const uint32_t order[8] = SY_ORDER_WORDS;
    uint32_t t = sy_sub_cc(a[0], order[0]);
    SY_UNROLL
    for (int i = 1; i < 8; i++) t = sy_subc_cc(a[i], order[i]);
    (void)t;
    return sy_subc(0, 0) & 1u;
}

/* a -= L where mask is all ones; nothing where it is 0. */
SY_DEVICE void sy_sc_sub_order(uint32_t a[8], uint32_t mask)
{
    const uint32_t order[8] = SY_ORDER_WORDS;
    a[0] = sy_sub_cc(a[0], order[0] & mask);
    SY_UNROLL
    for (int i = 1; i < 8; i++) a[i] = sy_subc_cc(a[i], order[i] & mask);
}

/* product[0 .. count + 4) = c * high[0 .. count). */
SY_DEVICE void sy_sc_times_c(uint32_t *product, const uint32_t *high, int count)
{
    const uint32_t c[4] = SY_ORDER_C_WORDS;
    SY_UNROLL
    for (int i = 0; i < count + 4; i++) product[i] = 0;
    SY_UNROLL
    for (int i = 0; i < count; i++) {
        uint64_t carry = 0;
        SY_UNROLL
        for (int j = 0; j < 4; j++) {
            carry += (uint64_t)high[i] * c[j] + product[i + j];
            product[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
        product[i + 4] = (uint32_t)carry;
    }
}

/* words[0 .. count) = low + 2^252 high: low has 8 words, high count - 7. */
SY_DEVICE void sy_sc_split(uint32_t low[8], uint32_t *high, const uint32_t *words, int count)
{
    SY_UNROLL
    for (int i = 0; i < 8; i++) low[i] = i < count ? words[i] : 0;
    low[7] &= 0x0fffffffu;
    SY_UNROLL
    for (int i = 7; i < count; i++) {
        high[i - 7] = words[i] >> 28 | (i + 1 < count ? words[i + 1] << 4 : 0);
    }
}

/* r = a mod L, of sixteen words: lo - c hi, three times over with signs alternating, as in
 * core/crypto/ed25519_scalar.c. */
SY_DEVICE void sy_sc_reduce(uint32_t r[8], const uint32_t a[16])
{
    uint32_t high[9], product[13], low1[8], low2[8];
    sy_sc_split(r, high, a, 16); // high: 260 bits
    sy_sc_times_c(product, high, 9);
    sy_sc_split(low1, high, product, 13); // 133 bits
    sy_sc_times_c(product, high, 6);
    sy_sc_split(low2, high, product, 10); // 6 bits
    sy_sc_times_c(product, high, 3);      // 131 bits: product is the last low
    r[0] = sy_add_cc(r[0], low2[0]);
    SY_UNROLL
    for (int i = 1; i < 8; i++) r[i] = sy_addc_cc(r[i], low2[i]);
    const uint32_t order[8] = SY_ORDER_WORDS;
    SY_UNROLL
    for (int twice = 0; twice < 2; twice++) { // So that what is taken away leaves it positive.
        r[0] = sy_add_cc(r[0], order[0]);
        SY_UNROLL
        for (int i = 1; i < 8; i++) r[i] = sy_addc_cc(r[i], order[i]);
    }
    r[0] = sy_sub_cc(r[0], low1[0]);
    SY_UNROLL
    for (int i = 1; i < 8; i++) r[i] = sy_subc_cc(r[i], low1[i]);
    r[0] = sy_sub_cc(r[0], product[0]);
    SY_UNROLL
    for (int i = 1; i < 8; i++) r[i] = sy_subc_cc(r[i], i < 7 ? product[i] : 0);
    SY_UNROLL
    for (int i = 0; i < 4; i++) sy_sc_sub_order(r, sy_sc_is_below_order(r) - 1u); // Below 5 L.
}

/* Digit w of a number below 2^253 in base 256, from -127 to 128; *carry goes from digit to digit, 0
 * at first. */
SY_DEVICE int32_t sy_sc_digit_256(uint32_t word, uint32_t w, uint32_t *carry)
{
    int32_t digit = (int32_t)(((word >> 8 * (w % 4)) & 0xffu) + *carry);
    *carry = digit > 128;
    return digit - (int32_t)(*carry << 8);
}

/* Likewise in base 16, from -7 to 8. */
SY_DEVICE int32_t sy_sc_digit_16(uint32_t word, uint32_t w, uint32_t *carry)
{
    int32_t digit = (int32_t)(((word >> 4 * (w % 8)) & 0xfu) + *carry);
    *carry = digit > 8;
    return digit - (int32_t)(*carry << 4);
}

#endif
