/* avx512_scalar.h: numbers mod L, the order of the base point, eight at a time, and the digits by
 * which points are multiplied.
 *
 * L = 2^252 + c with c of 125 bits. Numbers are five limbs of 52 bits, canonical. What lies above
 * bit 252 counts -c a unit; to stay above zero its complement counts +c instead, and a constant mod
 * L makes that good. Three such folds bring 512 bits below 2 L. */
#ifndef SY_CRYPTO_AVX512_SCALAR_H
#define SY_CRYPTO_AVX512_SCALAR_H

#include "core/crypto/avx512_lanes.h"

#define SC_LIMBS 5
#define SC_MASK ((UINT64_C(1) << 52) - 1)
#define SC_SIGN_WORDS 5 /* of up to 260 digits */

struct scalar {
    sy_lanes l[SC_LIMBS];
};

/* c of L = 2^252 + c; 2^260 - L; and what makes good the complements of 260, 134 and 8 bits:
 * -c (2^260 - 1) and -c (2^134 - 1) mod L, and L - 255 c. */
// clang-format off
static const uint64_t sc_c[3] =
    {0x2631a5cf5d3ed, 0xdea2f79cd6581, 0x000000014def9};
static const uint64_t sc_minus_order[SC_LIMBS] =
    {0xd9ce5a30a2c13, 0x215d086329a7e, 0xfffffffeb2106, 0xfffffffffffff, 0xfefffffffffff};
static const uint64_t sc_amends_260[SC_LIMBS] =
    {0x874fda191e2ee, 0x860b7d301dfc1, 0x7f5be65e4ed15, 0x9a3dceec73d21, 0x00399411b7c30};
static const uint64_t sc_amends_134[SC_LIMBS] =
    {0xae7c0dd9f5db1, 0xec1c37132b3e1, 0x28b04c6ee08f6, 0xca69fb673968c, 0x0084188574218};
static const uint64_t sc_amends_8[SC_LIMBS] =
    {0x1abd7c417bada, 0x1a4e5263549dc, 0xfffffeb4ac415, 0xfffffffffffff, 0x00fffffffffff};
/* 2^260 - 1, and the same less L. */
static const uint64_t sc_signs_odd[SC_LIMBS] =
    {0xfffffffffffff, 0xfffffffffffff, 0xfffffffffffff, 0xfffffffffffff, 0xfffffffffffff};
static const uint64_t sc_signs_even[SC_LIMBS] =
    {0xd9ce5a30a2c12, 0x215d086329a7e, 0xfffffffeb2106, 0xfffffffffffff, 0xfefffffffffff};
/* 16 in each of 51 digits of 5 bits. */
static const uint64_t sc_sixteens[SC_LIMBS] =
    {0x2108421084210, 0x0842108421084, 0x4210842108421, 0x1084210842108, 0x0421084210842};
// clang-format on

/* 52 bits from `bit` on, of a number in words of 64 bits; what lies above counts as 0. */
SY_LANES_INLINE sy_lanes sc_cut52(const sy_lanes *words, unsigned count, unsigned bit)
{
    unsigned word = bit / 64, offset = bit % 64;
    sy_lanes mask = lanes_of(SC_MASK);
    sy_lanes low = lanes_srl(words[word], offset);
    if (offset <= 12 || word + 1 == count) return lanes_and(low, mask);
    return lanes_join(low, lanes_sll(words[word + 1], 64 - offset), mask);
}

/* 64 bits from `bit` on, of a number in five clean limbs. */
SY_LANES_INLINE sy_lanes sc_cut64(const struct scalar *a, unsigned bit)
{
    unsigned limb = bit / 52, offset = bit % 52;
    sy_lanes cut = lanes_srl(a->l[limb], offset);
    if (limb + 1 < SC_LIMBS) cut = lanes_or(cut, lanes_sll(a->l[limb + 1], 52 - offset));
    if (limb + 2 < SC_LIMBS && offset > 40) {
        cut = lanes_or(cut, lanes_sll(a->l[limb + 2], 104 - offset));
    }
    return cut;
}

SY_LANES_INLINE struct scalar sc_from_words(const sy_lanes words[4])
{
    struct scalar r;
    for (unsigned i = 0; i < SC_LIMBS; i++) r.l[i] = sc_cut52(words, 4, 52 * i);
    return r;
}

/* Carries from limb to limb; the last limb keeps what it has. */
SY_LANES_INLINE void sc_tidy(sy_lanes *limbs, unsigned count)
{
    sy_lanes mask = lanes_of(SC_MASK);
    for (unsigned i = 0; i + 1 < count; i++) {
        limbs[i + 1] = lanes_add(limbs[i + 1], lanes_srl(limbs[i], 52));
        limbs[i] = lanes_and(limbs[i], mask);
    }
}

/* sums += high c. */
SY_LANES_INLINE void sc_add_c(sy_lanes *sums, const sy_lanes *high, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        for (unsigned j = 0; j < 3; j++) {
            sy_lanes c = lanes_of(sc_c[j]);
            sums[i + j] = lanes_madd_lo(sums[i + j], high[i], c);
            sums[i + j + 1] = lanes_madd_hi(sums[i + j + 1], high[i], c);
        }
    }
}

/* a + 2^260 - L: bit 260 says a >= L, and then the rest is a - L. */
SY_LANES_INLINE sy_lanes sc_minus_order_of(struct scalar *rest, const struct scalar *a)
{
    sy_lanes sums[SC_LIMBS + 1];
    for (unsigned i = 0; i < SC_LIMBS; i++) {
        sums[i] = lanes_add(a->l[i], lanes_of(sc_minus_order[i]));
    }
    sums[SC_LIMBS] = lanes_of(0);
    sc_tidy(sums, SC_LIMBS + 1);
    for (unsigned i = 0; i < SC_LIMBS; i++) rest->l[i] = sums[i];
    return sums[SC_LIMBS];
}

/* sc_below_order: the lanes in which a < L. */
SY_LANES_INLINE sy_lane_mask sc_below_order(const struct scalar *a)
{
    struct scalar rest;
    return lanes_equal(sc_minus_order_of(&rest, a), lanes_of(0));
}

/* Bits 0 to 251 of limbs, plus a constant, as the start of a sum. */
SY_LANES_INLINE void sc_start(sy_lanes *sums, const sy_lanes *limbs, const uint64_t *constant)
{
    for (unsigned i = 0; i < SC_LIMBS; i++) {
        sy_lanes limb = i < 4 ? limbs[i] : lanes_and(limbs[4], lanes_of((UINT64_C(1) << 44) - 1));
        sums[i] = lanes_add(limb, lanes_of(constant[i]));
    }
}

/* sc_reduce: 512 bits, eight words, mod L. */
SY_LANES_INLINE struct scalar sc_reduce(const sy_lanes words[8])
{
    sy_lanes limbs[SC_LIMBS], high[SC_LIMBS], sums[9], mask = lanes_of(SC_MASK);
    for (unsigned i = 0; i < SC_LIMBS; i++) {
        limbs[i] = sc_cut52(words, 8, 52 * i);
        high[i] = lanes_sub(mask, sc_cut52(words, 8, 252 + 52 * i));
    }
    sc_start(sums, limbs, sc_amends_260);
    for (unsigned i = SC_LIMBS; i < 9; i++) sums[i] = lanes_of(0);
    sc_add_c(sums, high, SC_LIMBS);
    sc_tidy(sums, 8); // Below 2^386.

    const uint64_t full[3] = {SC_MASK, SC_MASK, (UINT64_C(1) << 30) - 1};
    for (unsigned i = 0; i < 3; i++) {
        sy_lanes cut =
            lanes_join(lanes_srl(sums[4 + i], 44), lanes_sll(sums[5 + i], 8), lanes_of(full[i]));
        high[i] = lanes_sub(lanes_of(full[i]), cut);
    }
    sc_start(sums, sums, sc_amends_134);
    for (unsigned i = SC_LIMBS; i < 9; i++) sums[i] = lanes_of(0);
    sc_add_c(sums, high, 3);
    sc_tidy(sums, SC_LIMBS); // Below 2^260, so nothing is above the fifth limb:

    sums[4] = lanes_and(sums[4], mask);
    high[0] = lanes_sub(lanes_of(255), lanes_srl(sums[4], 44));
    sc_start(sums, sums, sc_amends_8);
    sc_add_c(sums, high, 1);
    sc_tidy(sums, SC_LIMBS); // Below 2 L.

    struct scalar r, rest;
    for (unsigned i = 0; i < SC_LIMBS; i++) r.l[i] = sums[i];
    sy_lane_mask below = lanes_equal(sc_minus_order_of(&rest, &r), lanes_of(0));
    for (unsigned i = 0; i < SC_LIMBS; i++) r.l[i] = lanes_select(below, r.l[i], rest.l[i]);
    return r;
}

/* sc_to_signs writes b such that sum (2 b_i - 1) 2^i over so many bits, 254 to 260, is k or, if k
 * is even, k - L: every digit is 1 or -1 (Hamburg, "Fast and compact elliptic-curve cryptography",
 * 2012, 3.3). What stands above those bits says nothing. Only for points of which L times is zero.
 */
SY_LANES_INLINE void sc_to_signs(sy_lanes words[SC_SIGN_WORDS], const struct scalar *k,
                                 unsigned digits)
{
    struct scalar sum;
    sy_lanes spare = lanes_of((UINT64_C(1) << 52) - (UINT64_C(1) << (digits - 208)));
    sy_lane_mask odd = lanes_test(k->l[0], lanes_of(1));
    for (unsigned i = 0; i < SC_LIMBS; i++) {
        sy_lanes offset = lanes_select(odd, lanes_of(sc_signs_odd[i]), lanes_of(sc_signs_even[i]));
        if (i + 1 == SC_LIMBS) offset = lanes_sub(offset, spare); // 2^260 - 2^digits
        sum.l[i] = lanes_add(k->l[i], offset);
    }
    sc_tidy(sum.l, SC_LIMBS);
    for (unsigned i = 0; i < SC_SIGN_WORDS; i++) words[i] = sc_cut64(&sum, 64 * i + 1);
}

/* sc_to_digits writes k + sum 16 32^i over 51 digits: digit i of k in -16 to 15 is the i-th five
 * bits less 16. For any k below 2^253, as a number. */
SY_LANES_INLINE void sc_to_digits(sy_lanes words[4], const struct scalar *k)
{
    struct scalar sum;
    for (unsigned i = 0; i < SC_LIMBS; i++) {
        sum.l[i] = lanes_add(k->l[i], lanes_of(sc_sixteens[i]));
    }
    sc_tidy(sum.l, SC_LIMBS);
    for (unsigned i = 0; i < 4; i++) words[i] = sc_cut64(&sum, 64 * i);
}

#endif
