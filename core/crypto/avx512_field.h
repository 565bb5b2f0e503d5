/* avx512_field.h: numbers mod p = 2^255 - 19, eight at a time (avx512_lanes.h).
 *
 * A number is five limbs of 51 bits, unsigned and redundant, in two classes that the types keep
 * apart; what each routine takes and leaves is proven by tests/unit/test_avx512_bounds.c:
 *
 *     struct fe       limbs up to FE_LIMB_MAX = 2^51 + 2^16: a factor
 *     struct fe_wide  limbs up to FE_WIDE_MAX = 2^62: a product, or sums and differences of some,
 *                     made a factor by fe_carry
 *
 * The 52-bit multiply-add is what the processor has least of (one a cycle), so a product is left
 * wide until what it is added to is known: a point addition then carries seven times, not
 * thirteen. With factors below 2^52 the low and the high half of each limb product go to columns of
 * their own: a b = lo + 2^52 hi, and 2^52 = 2 * 2^51 makes hi count double in the next column. The
 * high halves are summed first and doubled once; the low halves come on top. Columns 5 to 9 come
 * back as 19 times themselves. (Gueron and Krasnov, "Software implementation of modular
 * exponentiation, using advanced vector instructions architectures", 2012, brought multiply-add by
 * halves; the radix and the order are our own choice, by measurement.)
 *
 * A difference needs a multiple of p that exceeds what is taken off. FE_BIAS is one for products;
 * fe_mul_biased starts its columns from it, so that it costs nothing. */
#ifndef SY_CRYPTO_AVX512_FIELD_H
#define SY_CRYPTO_AVX512_FIELD_H

#include "core/crypto/avx512_lanes.h"

#define FE_LIMBS 5
#define FE_MASK ((UINT64_C(1) << 51) - 1)
#define FE_LIMB_MAX ((UINT64_C(1) << 51) + (UINT64_C(1) << 16))
#define FE_WIDE_MAX (UINT64_C(1) << 62)

/* 512 p, limb by limb. */
#define FE_BIAS_0 ((UINT64_C(1) << 60) - 19 * 512)
#define FE_BIAS_I ((UINT64_C(1) << 60) - 512)

struct fe {
    sy_lanes l[FE_LIMBS];
};

struct fe_wide {
    sy_lanes l[FE_LIMBS];
};

/* The five limbs of a constant, the same in every lane. */
#define FE_CONSTANT(a, b, c, d, e)                                                     \
    ((struct fe){{lanes_of(UINT64_C(a)), lanes_of(UINT64_C(b)), lanes_of(UINT64_C(c)), \
                  lanes_of(UINT64_C(d)), lanes_of(UINT64_C(e))}})

/* d of the curve -x^2 + y^2 = 1 + d x^2 y^2 (RFC 8032 5.1), twice and four times d, a square root
 * of -1, and 1/2. */
// clang-format off
#define FE_D       FE_CONSTANT(0x34dca135978a3, 0x1a8283b156ebd, 0x5e7a26001c029, 0x739c663a03cbb, \
                               0x52036cee2b6ff)
#define FE_2D      FE_CONSTANT(0x69b9426b2f159, 0x35050762add7a, 0x3cf44c0038052, 0x6738cc7407977, \
                               0x2406d9dc56dff)
#define FE_4D      FE_CONSTANT(0x537284d65e2b2, 0x6a0a0ec55baf5, 0x79e89800700a4, 0x4e7198e80f2ee, \
                               0x480db3b8adbff)
#define FE_ROOT_M1 FE_CONSTANT(0x61b274a0ea0b0, 0x0d5a5fc8f189d, 0x7ef5e9cbd0c60, 0x78595a6804c9e, \
                               0x2b8324804fc1d)
#define FE_HALF    FE_CONSTANT(0x7fffffffffff7, 0x7ffffffffffff, 0x7ffffffffffff, 0x7ffffffffffff, \
                               0x3ffffffffffff)
// clang-format on

SY_LANES_INLINE struct fe fe_small(uint64_t value)
{
    sy_lanes zero = lanes_of(0);
    return (struct fe){{lanes_of(value), zero, zero, zero, zero}};
}

SY_LANES_INLINE struct fe_wide fe_widen(const struct fe *a)
{
    return (struct fe_wide){{a->l[0], a->l[1], a->l[2], a->l[3], a->l[4]}};
}

SY_LANES_INLINE struct fe_wide fe_add(const struct fe_wide *a, const struct fe_wide *b)
{
    struct fe_wide r;
    for (int i = 0; i < FE_LIMBS; i++) r.l[i] = lanes_add(a->l[i], b->l[i]);
    return r;
}

/* fe_sub: no limb of b may exceed a's. */
SY_LANES_INLINE struct fe_wide fe_sub(const struct fe_wide *a, const struct fe_wide *b)
{
    struct fe_wide r;
    for (int i = 0; i < FE_LIMBS; i++) r.l[i] = lanes_sub(a->l[i], b->l[i]);
    return r;
}

SY_LANES_INLINE struct fe_wide fe_bias(const struct fe_wide *a)
{
    sy_lanes rest = lanes_of(FE_BIAS_I);
    struct fe_wide r = {{lanes_add(a->l[0], lanes_of(FE_BIAS_0))}};
    for (int i = 1; i < FE_LIMBS; i++) r.l[i] = lanes_add(a->l[i], rest);
    return r;
}

/* fe_carry makes a factor: one carry a limb, all at once. */
SY_LANES_INLINE struct fe fe_carry(const struct fe_wide *a)
{
    sy_lanes mask = lanes_of(FE_MASK);
    sy_lanes carry[FE_LIMBS];
    struct fe r;
    for (int i = 0; i < FE_LIMBS; i++) carry[i] = lanes_srl(a->l[i], 51);
    for (int i = 0; i < FE_LIMBS; i++) r.l[i] = lanes_and(a->l[i], mask);
    r.l[0] = lanes_madd_lo(r.l[0], carry[4], lanes_of(19));
    for (int i = 1; i < FE_LIMBS; i++) r.l[i] = lanes_add(r.l[i], carry[i - 1]);
    return r;
}

/* --- products -------------------------------------------------------------------------------- */

#define FE_HI(k, i, j) c##k = lanes_madd_hi(c##k, a->l[i], b->l[j]);
#define FE_LO(k, i, j) c##k = lanes_madd_lo(c##k, a->l[i], b->l[j]);
#define FE_TWICE(k) c##k = lanes_add(c##k, c##k);
#define FE_FOLD(k, l) lanes_add(c##k, lanes_mul(c##l, nineteen))

/* a b + the number whose limbs are first, 2 rest, 2 rest, 2 rest, 2 rest. */
SY_LANES_INLINE struct fe_wide fe_mul_from(sy_lanes first, sy_lanes rest, const struct fe *a,
                                           const struct fe *b)
{
    sy_lanes nineteen = lanes_of(19);
    sy_lanes c0 = first, c1 = rest, c2 = rest, c3 = rest, c4 = rest;
    sy_lanes c5 = lanes_of(0), c6 = c5, c7 = c5, c8 = c5, c9 = c5;
    // clang-format off
    FE_HI(1, 0, 0) FE_HI(2, 0, 1) FE_HI(3, 0, 2) FE_HI(4, 0, 3) FE_HI(5, 0, 4)
    FE_HI(2, 1, 0) FE_HI(3, 1, 1) FE_HI(4, 1, 2) FE_HI(5, 1, 3) FE_HI(6, 1, 4)
    FE_HI(3, 2, 0) FE_HI(4, 2, 1) FE_HI(5, 2, 2) FE_HI(6, 2, 3) FE_HI(7, 2, 4)
    FE_HI(4, 3, 0) FE_HI(5, 3, 1) FE_HI(6, 3, 2) FE_HI(7, 3, 3) FE_HI(8, 3, 4)
    FE_HI(5, 4, 0) FE_HI(6, 4, 1) FE_HI(7, 4, 2) FE_HI(8, 4, 3) FE_HI(9, 4, 4)
    FE_TWICE(1) FE_TWICE(2) FE_TWICE(3) FE_TWICE(4) FE_TWICE(5)
    FE_TWICE(6) FE_TWICE(7) FE_TWICE(8) FE_TWICE(9)
    FE_LO(0, 0, 0) FE_LO(1, 0, 1) FE_LO(2, 0, 2) FE_LO(3, 0, 3) FE_LO(4, 0, 4)
    FE_LO(1, 1, 0) FE_LO(2, 1, 1) FE_LO(3, 1, 2) FE_LO(4, 1, 3) FE_LO(5, 1, 4)
    FE_LO(2, 2, 0) FE_LO(3, 2, 1) FE_LO(4, 2, 2) FE_LO(5, 2, 3) FE_LO(6, 2, 4)
    FE_LO(3, 3, 0) FE_LO(4, 3, 1) FE_LO(5, 3, 2) FE_LO(6, 3, 3) FE_LO(7, 3, 4)
    FE_LO(4, 4, 0) FE_LO(5, 4, 1) FE_LO(6, 4, 2) FE_LO(7, 4, 3) FE_LO(8, 4, 4)
    return (struct fe_wide){
        {FE_FOLD(0, 5), FE_FOLD(1, 6), FE_FOLD(2, 7), FE_FOLD(3, 8), FE_FOLD(4, 9)}};
    // clang-format on
}

/* The same for a b = a^2: the products of two different limbs count twice. */
SY_LANES_INLINE struct fe_wide fe_square_from(sy_lanes first, sy_lanes rest, const struct fe *a)
{
    const struct fe *b = a;
    sy_lanes nineteen = lanes_of(19);
    sy_lanes c0 = first, c1 = rest, c2 = lanes_of(0), c3 = c2, c4 = c2;
    sy_lanes c5 = c2, c6 = c2, c7 = c2, c8 = c2, c9 = c2;
    // clang-format off
    FE_HI(2, 0, 1) FE_HI(3, 0, 2) FE_HI(4, 0, 3) FE_HI(5, 0, 4) FE_HI(6, 1, 4)
    FE_HI(7, 2, 4) FE_HI(8, 3, 4) FE_HI(4, 1, 2) FE_HI(5, 1, 3) FE_HI(6, 2, 3)
    FE_TWICE(2) FE_TWICE(3) FE_TWICE(4) FE_TWICE(5) FE_TWICE(6) FE_TWICE(7) FE_TWICE(8)
    FE_HI(1, 0, 0) FE_HI(3, 1, 1) FE_HI(5, 2, 2) FE_HI(7, 3, 3) FE_HI(9, 4, 4)
    FE_LO(1, 0, 1) FE_LO(2, 0, 2) FE_LO(3, 0, 3) FE_LO(4, 0, 4) FE_LO(5, 1, 4)
    FE_LO(6, 2, 4) FE_LO(7, 3, 4) FE_LO(3, 1, 2) FE_LO(4, 1, 3) FE_LO(5, 2, 3)
    c2 = lanes_add(c2, rest);
    c3 = lanes_add(c3, rest);
    c4 = lanes_add(c4, rest);
    FE_TWICE(1) FE_TWICE(2) FE_TWICE(3) FE_TWICE(4) FE_TWICE(5)
    FE_TWICE(6) FE_TWICE(7) FE_TWICE(8) FE_TWICE(9)
    FE_LO(0, 0, 0) FE_LO(2, 1, 1) FE_LO(4, 2, 2) FE_LO(6, 3, 3) FE_LO(8, 4, 4)
    return (struct fe_wide){
        {FE_FOLD(0, 5), FE_FOLD(1, 6), FE_FOLD(2, 7), FE_FOLD(3, 8), FE_FOLD(4, 9)}};
    // clang-format on
}

#undef FE_HI
#undef FE_LO
#undef FE_TWICE
#undef FE_FOLD

/* Products below 2^59.6 a limb, and with FE_BIAS on top. */
SY_LANES_INLINE struct fe_wide fe_mul_wide(const struct fe *a, const struct fe *b)
{
    return fe_mul_from(lanes_of(0), lanes_of(0), a, b);
}

SY_LANES_INLINE struct fe_wide fe_mul_biased(const struct fe *a, const struct fe *b)
{
    return fe_mul_from(lanes_of(FE_BIAS_0), lanes_of(FE_BIAS_I / 2), a, b);
}

SY_LANES_INLINE struct fe_wide fe_square_wide(const struct fe *a)
{
    return fe_square_from(lanes_of(0), lanes_of(0), a);
}

SY_LANES_INLINE struct fe_wide fe_square_biased(const struct fe *a)
{
    return fe_square_from(lanes_of(FE_BIAS_0), lanes_of(FE_BIAS_I / 2), a);
}

SY_LANES_INLINE struct fe fe_mul(const struct fe *a, const struct fe *b)
{
    struct fe_wide product = fe_mul_wide(a, b);
    return fe_carry(&product);
}

SY_LANES_INLINE struct fe fe_square(const struct fe *a)
{
    struct fe_wide product = fe_square_wide(a);
    return fe_carry(&product);
}

SY_LANES_INLINE struct fe fe_sum(const struct fe *a, const struct fe *b)
{
    struct fe_wide wide_a = fe_widen(a), wide_b = fe_widen(b);
    struct fe_wide sum = fe_add(&wide_a, &wide_b);
    return fe_carry(&sum);
}

SY_LANES_INLINE struct fe fe_difference(const struct fe *a, const struct fe *b)
{
    struct fe_wide wide_a = fe_widen(a), wide_b = fe_widen(b);
    struct fe_wide biased = fe_bias(&wide_a);
    struct fe_wide difference = fe_sub(&biased, &wide_b);
    return fe_carry(&difference);
}

SY_LANES_INLINE struct fe fe_negative(const struct fe *a)
{
    struct fe zero = fe_small(0);
    return fe_difference(&zero, a);
}

SY_LANES_INLINE struct fe fe_select(sy_lane_mask mask, const struct fe *yes, const struct fe *no)
{
    struct fe r;
    for (int i = 0; i < FE_LIMBS; i++) r.l[i] = lanes_select(mask, yes->l[i], no->l[i]);
    return r;
}

/* --- powers ---------------------------------------------------------------------------------- */

static inline struct fe fe_square_times(const struct fe *a, unsigned times)
{
    struct fe r = *a;
    for (unsigned i = 0; i < times; i++) r = fe_square(&r);
    return r;
}

/* a^(2^250 - 1), and a^11, which both powers below go on from. */
static inline void fe_power_250(struct fe *power, struct fe *a11, const struct fe *a)
{
    struct fe a2 = fe_square(a);
    struct fe a8 = fe_square_times(&a2, 2);
    struct fe a9 = fe_mul(&a8, a);
    *a11 = fe_mul(&a9, &a2);
    struct fe a22 = fe_square(a11);
    struct fe ones5 = fe_mul(&a22, &a9); // a^(2^5 - 1)
    struct fe shifted = fe_square_times(&ones5, 5);
    struct fe ones10 = fe_mul(&shifted, &ones5);
    shifted = fe_square_times(&ones10, 10);
    struct fe ones20 = fe_mul(&shifted, &ones10);
    shifted = fe_square_times(&ones20, 20);
    struct fe ones40 = fe_mul(&shifted, &ones20);
    shifted = fe_square_times(&ones40, 10);
    struct fe ones50 = fe_mul(&shifted, &ones10);
    shifted = fe_square_times(&ones50, 50);
    struct fe ones100 = fe_mul(&shifted, &ones50);
    shifted = fe_square_times(&ones100, 100);
    struct fe ones200 = fe_mul(&shifted, &ones100);
    shifted = fe_square_times(&ones200, 50);
    *power = fe_mul(&shifted, &ones50);
}

/* fe_invert: a^(p - 2) = a^(2^255 - 21); 0 for 0. */
static inline struct fe fe_invert(const struct fe *a)
{
    struct fe power, a11;
    fe_power_250(&power, &a11, a);
    power = fe_square_times(&power, 5);
    return fe_mul(&power, &a11);
}

/* fe_power_p58: a^((p - 5) / 8) = a^(2^252 - 3). */
static inline struct fe fe_power_p58(const struct fe *a)
{
    struct fe power, a11;
    fe_power_250(&power, &a11, a);
    power = fe_square_times(&power, 2);
    return fe_mul(&power, a);
}

/* --- words ----------------------------------------------------------------------------------- */

/* fe_from_words takes a number of 256 bits as four words; the top limb may come out with 52. */
SY_LANES_INLINE struct fe fe_from_words(const sy_lanes w[4])
{
    sy_lanes mask = lanes_of(FE_MASK);
    return (struct fe){
        {lanes_and(w[0], mask), lanes_join(lanes_srl(w[0], 51), lanes_sll(w[1], 13), mask),
         lanes_join(lanes_srl(w[1], 38), lanes_sll(w[2], 26), mask),
         lanes_join(lanes_srl(w[2], 25), lanes_sll(w[3], 39), mask), lanes_srl(w[3], 12)}};
}

/* fe_to_words is its reverse, for limbs of 51 bits with a top limb of 52 (fe_tighten). */
SY_LANES_INLINE void fe_to_words(sy_lanes w[4], const struct fe *a)
{
    w[0] = lanes_or(a->l[0], lanes_sll(a->l[1], 51));
    w[1] = lanes_or(lanes_srl(a->l[1], 13), lanes_sll(a->l[2], 38));
    w[2] = lanes_or(lanes_srl(a->l[2], 26), lanes_sll(a->l[3], 25));
    w[3] = lanes_or(lanes_srl(a->l[3], 39), lanes_sll(a->l[4], 12));
}

/* fe_tighten carries from limb to limb, so that only the top one has more than 51 bits. */
SY_LANES_INLINE struct fe fe_tighten(const struct fe *a)
{
    sy_lanes mask = lanes_of(FE_MASK);
    struct fe r = *a;
    for (int i = 0; i + 1 < FE_LIMBS; i++) {
        r.l[i + 1] = lanes_add(r.l[i + 1], lanes_srl(r.l[i], 51));
        r.l[i] = lanes_and(r.l[i], mask);
    }
    return r;
}

/* fe_canonical gives the one representation below p. A factor's value is below 2 p, so p is taken
 * off once or not: when adding 19 reaches 2^255. */
SY_LANES_INLINE struct fe fe_canonical(const struct fe *a)
{
    sy_lanes quotient = lanes_srl(lanes_add(a->l[0], lanes_of(19)), 51);
    for (int i = 1; i < FE_LIMBS; i++) {
        quotient = lanes_srl(lanes_add(a->l[i], quotient), 51);
    }
    struct fe r = *a;
    r.l[0] = lanes_madd_lo(r.l[0], quotient, lanes_of(19));
    r = fe_tighten(&r);
    r.l[4] = lanes_and(r.l[4], lanes_of(FE_MASK));
    return r;
}

/* fe_equal: equal mod p. */
SY_LANES_INLINE sy_lane_mask fe_equal(const struct fe *a, const struct fe *b)
{
    struct fe ca = fe_canonical(a), cb = fe_canonical(b);
    unsigned mask = 0xff;
    for (int i = 0; i < FE_LIMBS; i++) mask &= lanes_equal(ca.l[i], cb.l[i]);
    return (sy_lane_mask)mask;
}

#endif
