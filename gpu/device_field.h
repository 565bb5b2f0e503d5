/* device_field.h: numbers mod p = 2^255 - 19 on a device: eight words of 32 bits, the least first,
 * any number below 2^256 standing for its rest mod p. 2^256 = 38 mod p.
 *
 * Products are summed in two rows of 64-bit steps, one of those that begin at even words and one of
 * those at odd ones, so that each step of a chain is one multiplication with carry in and out
 * (gECC and others; nvcc makes IMAD.WIDE.X of a lo and a hi that follow each other). */
#ifndef SY_GPU_DEVICE_FIELD_H
#define SY_GPU_DEVICE_FIELD_H

#include "gpu/carry.h"

#define SY_WORDS 8

struct sy_fe {
    uint32_t v[SY_WORDS];
};

/* d of the curve, 2 d, and a square root of -1 (RFC 8032 5.1). */
#define SY_FE_D                                                                           \
    {                                                                                     \
        {                                                                                 \
            0x135978a3u, 0x75eb4dcau, 0x4141d8abu, 0x00700a4du, 0x7779e898u, 0x8cc74079u, \
                0x2b6ffe73u, 0x52036ceeu                                                  \
        }                                                                                 \
    }
#define SY_FE_2D                                                                          \
    {                                                                                     \
        {                                                                                 \
            0x26b2f159u, 0xebd69b94u, 0x8283b156u, 0x00e0149au, 0xeef3d130u, 0x198e80f2u, \
                0x56dffce7u, 0x2406d9dcu                                                  \
        }                                                                                 \
    }
#define SY_FE_ROOT                                                                        \
    {                                                                                     \
        {                                                                                 \
            0x4a0ea0b0u, 0xc4ee1b27u, 0xad2fe478u, 0x2f431806u, 0x3dfbd7a7u, 0x2b4d0099u, \
                0x4fc1df0bu, 0x2b832480u                                                  \
        }                                                                                 \
    }

SY_DEVICE void sy_fe_set(struct sy_fe *r, uint32_t small)
{
    r->v[0] = small;
    SY_UNROLL
    for (int i = 1; i < SY_WORDS; i++) r->v[i] = 0;
}

/* Adds a small number (below 2^31) to eight words and what goes over 2^256 as 38 times itself. */
SY_DEVICE void sy_fe_add_small(uint32_t v[SY_WORDS], uint32_t small)
{
    v[0] = sy_add_cc(v[0], small);
    SY_UNROLL
    for (int i = 1; i < SY_WORDS; i++) v[i] = sy_addc_cc(v[i], 0);
    // If it went over once more, v is small now: nothing goes over again.
    v[0] += (0u - sy_addc(0, 0)) & 38u;
}

SY_DEVICE void sy_fe_add(struct sy_fe *r, const struct sy_fe *a, const struct sy_fe *b)
{
    uint32_t v[SY_WORDS];
    v[0] = sy_add_cc(a->v[0], b->v[0]);
    SY_UNROLL
    for (int i = 1; i < SY_WORDS; i++) v[i] = sy_addc_cc(a->v[i], b->v[i]);
    sy_fe_add_small(v, (0u - sy_addc(0, 0)) & 38u);
    SY_UNROLL
    for (int i = 0; i < SY_WORDS; i++) r->v[i] = v[i];
}

SY_DEVICE void sy_fe_sub(struct sy_fe *r, const struct sy_fe *a, const struct sy_fe *b)
{
    uint32_t v[SY_WORDS];
    v[0] = sy_sub_cc(a->v[0], b->v[0]);
    SY_UNROLL
    for (int i = 1; i < SY_WORDS; i++) v[i] = sy_subc_cc(a->v[i], b->v[i]);
    // 0 or all ones: what was borrowed is 2^256, so 38 is owed.
    v[0] = sy_sub_cc(v[0], sy_subc(0, 0) & 38u);
    SY_UNROLL
    for (int i = 1; i < SY_WORDS; i++) v[i] = sy_subc_cc(v[i], 0);
    v[0] -= sy_subc(0, 0) & 38u; // If it borrowed again, v is close to 2^256.
    SY_UNROLL
    for (int i = 0; i < SY_WORDS; i++) r->v[i] = v[i];
}

/* row[0 .. 2 count) = a[0], a[2], ... (count of them) times b: products side by side, no carries.
 */
SY_DEVICE void sy_fe_set_row(uint32_t *row, const uint32_t *a, int count, uint32_t b)
{
    SY_UNROLL
    for (int i = 0; i < 2 * count; i += 2) {
        uint64_t product = (uint64_t)a[i] * b;
        row[i] = (uint32_t)product;
        row[i + 1] = (uint32_t)(product >> 32);
    }
}

/* row[0 .. 2 count) += the same; what goes over is added to row[2 count]. */
SY_DEVICE void sy_fe_add_row(uint32_t *row, const uint32_t *a, int count, uint32_t b)
{
    row[0] = sy_mad_lo_cc(a[0], b, row[0]);
    row[1] = sy_madc_hi_cc(a[0], b, row[1]);
    SY_UNROLL
    for (int i = 2; i < 2 * count; i += 2) {
        row[i] = sy_madc_lo_cc(a[i], b, row[i]);
        row[i + 1] = sy_madc_hi_cc(a[i], b, row[i + 1]);
    }
    row[2 * count] = sy_addc(row[2 * count], 0);
}

/* The same where the row ends with its last product, and so far has there at most a few carries in
 * row[2 count - 2]: nothing goes over, as (2^32 - 1)^2 + 2^32 < 2^64. */
SY_DEVICE void sy_fe_end_row(uint32_t *row, const uint32_t *a, int count, uint32_t b)
{
    uint64_t last = (uint64_t)a[2 * count - 2] * b;
    uint32_t carries = row[2 * count - 2];
    if (count > 1) {
        row[0] = sy_mad_lo_cc(a[0], b, row[0]);
        row[1] = sy_madc_hi_cc(a[0], b, row[1]);
        SY_UNROLL
        for (int i = 2; i < 2 * count - 2; i += 2) {
            row[i] = sy_madc_lo_cc(a[i], b, row[i]);
            row[i + 1] = sy_madc_hi_cc(a[i], b, row[i + 1]);
        }
        row[2 * count - 2] = sy_addc_cc((uint32_t)last, carries);
    } else {
        row[2 * count - 2] = sy_add_cc((uint32_t)last, carries);
    }
    row[2 * count - 1] = sy_addc((uint32_t)(last >> 32), 0);
}

/* Sixteen words to eight: the upper ones times 38 are added to the lower ones. */
SY_DEVICE void sy_fe_fold(struct sy_fe *r, const uint32_t t[2 * SY_WORDS])
{
    uint32_t v[SY_WORDS + 1], odd[SY_WORDS];
    SY_UNROLL
    for (int i = 0; i < SY_WORDS; i++) v[i] = t[i];
    v[SY_WORDS] = 0;
    sy_fe_add_row(v, t + SY_WORDS, 4, 38);
    sy_fe_set_row(odd, t + SY_WORDS + 1, 4, 38); // Begins at word 1.
    v[1] = sy_add_cc(v[1], odd[0]);
    SY_UNROLL
    for (int i = 2; i < SY_WORDS; i++) v[i] = sy_addc_cc(v[i], odd[i - 1]);
    v[SY_WORDS] = sy_addc(v[SY_WORDS], odd[SY_WORDS - 1]);
    sy_fe_add_small(v, v[SY_WORDS] * 38); // At most 38 times 38.
    SY_UNROLL
    for (int i = 0; i < SY_WORDS; i++) r->v[i] = v[i];
}

SY_DEVICE void sy_fe_mul(struct sy_fe *r, const struct sy_fe *a, const struct sy_fe *b)
{
    uint32_t even[2 * SY_WORDS + 1], odd[2 * SY_WORDS + 1]; // odd[i] counts 2^(32 (i + 1)).
    SY_UNROLL
    for (int i = SY_WORDS; i <= 2 * SY_WORDS; i++) even[i] = odd[i] = 0;
    sy_fe_set_row(even, a->v, 4, b->v[0]);
    sy_fe_set_row(odd, a->v + 1, 4, b->v[0]);
    SY_UNROLL
    for (int i = 0; i < SY_WORDS; i += 2) {
        // Words of a at even places begin at even words with b's even ones, at odd with its odd.
        if (i > 0) {
            sy_fe_add_row(even + i, a->v, 4, b->v[i]);
            sy_fe_end_row(odd + i, a->v + 1, 4, b->v[i]);
        }
        sy_fe_add_row(odd + i, a->v, 4, b->v[i + 1]);
        sy_fe_end_row(even + i + 2, a->v + 1, 4, b->v[i + 1]);
    }
    even[1] = sy_add_cc(even[1], odd[0]);
    SY_UNROLL
    for (int i = 2; i < 2 * SY_WORDS; i++) even[i] = sy_addc_cc(even[i], odd[i - 1]);
    sy_fe_fold(r, even);
}

/* Products of two different words once, doubled, and the squares: 36 products where 64 are. */
SY_DEVICE void sy_fe_square(struct sy_fe *r, const struct sy_fe *a)
{
    uint32_t even[2 * SY_WORDS + 1], odd[2 * SY_WORDS + 1]; // odd[i] counts 2^(32 (i + 1)).
    SY_UNROLL
    for (int i = 0; i <= 2 * SY_WORDS; i++) even[i] = odd[i] = 0;
    sy_fe_set_row(odd, a->v + 1, 4, a->v[0]);
    sy_fe_set_row(even + 2, a->v + 2, 3, a->v[0]);
    SY_UNROLL
    for (int i = 1; i < SY_WORDS - 1; i += 2) {
        // Rows begin two words on each time; the odd ones of even i end with what is new.
        sy_fe_add_row(odd + 2 * i, a->v + i + 1, (8 - i) / 2, a->v[i]);
        sy_fe_end_row(even + 2 * i + 2, a->v + i + 2, (7 - i) / 2, a->v[i]);
        sy_fe_end_row(odd + 2 * i + 2, a->v + i + 2, (7 - i) / 2, a->v[i + 1]);
        if (i < 5) sy_fe_add_row(even + 2 * i + 4, a->v + i + 3, (6 - i) / 2, a->v[i + 1]);
    }
    even[1] = odd[0]; // even[0] and even[1] are 0 so far.
    even[2] = sy_add_cc(even[2], odd[1]);
    SY_UNROLL
    for (int i = 3; i < 2 * SY_WORDS; i++) even[i] = sy_addc_cc(even[i], odd[i - 1]);
    even[1] = sy_add_cc(even[1], even[1]);
    SY_UNROLL
    for (int i = 2; i < 2 * SY_WORDS; i++) even[i] = sy_addc_cc(even[i], even[i]);
    even[0] = sy_mad_lo_cc(a->v[0], a->v[0], 0);
    even[1] = sy_madc_hi_cc(a->v[0], a->v[0], even[1]);
    SY_UNROLL
    for (int i = 1; i < SY_WORDS; i++) {
        even[2 * i] = sy_madc_lo_cc(a->v[i], a->v[i], even[2 * i]);
        even[2 * i + 1] = sy_madc_hi_cc(a->v[i], a->v[i], even[2 * i + 1]);
    }
    sy_fe_fold(r, even);
}

SY_DEVICE_CALL void sy_fe_square_times(struct sy_fe *r, const struct sy_fe *a, int times)
{
    struct sy_fe f = *a;
    SY_ROLL
    for (int i = 0; i < times; i++) sy_fe_square(&f, &f);
    *r = f;
}

/* r = a^(2^250 - 1), a11 = a^11: how both powers below begin (the chain of ref10). */
SY_DEVICE_CALL void sy_fe_power_250(struct sy_fe *r, struct sy_fe *a11, const struct sy_fe *a)
{
    struct sy_fe t, b, c; // b = a^(2^n - 1)
    sy_fe_square(&t, a);
    sy_fe_square_times(&b, &t, 2);
    sy_fe_mul(&b, &b, a); // 9
    sy_fe_mul(a11, &b, &t);
    sy_fe_square(&t, a11);
    sy_fe_mul(&b, &t, &b); // n = 5
    sy_fe_square_times(&t, &b, 5);
    sy_fe_mul(&b, &t, &b); // 10
    sy_fe_square_times(&t, &b, 10);
    sy_fe_mul(&c, &t, &b); // 20
    sy_fe_square_times(&t, &c, 20);
    sy_fe_mul(&t, &t, &c); // 40
    sy_fe_square_times(&t, &t, 10);
    sy_fe_mul(&b, &t, &b); // 50
    sy_fe_square_times(&t, &b, 50);
    sy_fe_mul(&c, &t, &b); // 100
    sy_fe_square_times(&t, &c, 100);
    sy_fe_mul(&t, &t, &c); // 200
    sy_fe_square_times(&t, &t, 50);
    sy_fe_mul(r, &t, &b);
}

/* 1 / a, by Fermat: a^(p - 2) = a^(2^255 - 21). */
SY_DEVICE_CALL void sy_fe_invert(struct sy_fe *r, const struct sy_fe *a)
{
    struct sy_fe t, a11;
    sy_fe_power_250(&t, &a11, a);
    sy_fe_square_times(&t, &t, 5);
    sy_fe_mul(r, &t, &a11);
}

/* a^((p - 5) / 8) = a^(2^252 - 3). */
SY_DEVICE_CALL void sy_fe_power_root(struct sy_fe *r, const struct sy_fe *a)
{
    struct sy_fe t, a11;
    sy_fe_power_250(&t, &a11, a);
    sy_fe_square_times(&t, &t, 2);
    sy_fe_mul(r, &t, a);
}

/* The one number below p. */
SY_DEVICE void sy_fe_freeze(struct sy_fe *r, const struct sy_fe *a)
{
    uint32_t v[SY_WORDS], t[SY_WORDS];
    v[0] = sy_add_cc(a->v[0], (a->v[7] >> 31) * 19u);
    SY_UNROLL
    for (int i = 1; i < SY_WORDS - 1; i++) v[i] = sy_addc_cc(a->v[i], 0);
    v[7] = sy_addc(a->v[7] & 0x7fffffffu, 0); // Below 2^255 + 19.
    t[0] = sy_add_cc(v[0], 19);
    SY_UNROLL
    for (int i = 1; i < SY_WORDS - 1; i++) t[i] = sy_addc_cc(v[i], 0);
    t[7] = sy_addc(v[7], 0);
    uint32_t is_above = 0u - (t[7] >> 31); // p or more
    SY_UNROLL
    for (int i = 0; i < SY_WORDS; i++) r->v[i] = (t[i] & is_above) | (v[i] & ~is_above);
    r->v[7] &= 0x7fffffffu;
}

SY_DEVICE uint32_t sy_fe_is_zero(const struct sy_fe *a)
{
    struct sy_fe f;
    uint32_t any = 0;
    sy_fe_freeze(&f, a);
    SY_UNROLL
    for (int i = 0; i < SY_WORDS; i++) any |= f.v[i];
    return any == 0;
}

#endif
