/* avx512_lanes.h: eight 64-bit numbers side by side, in three versions of one interface.
 *
 *     zmm        __m512i, where the compiler was told of AVX-512 F, BW, DQ, VL and IFMA
 *     emulated   plain C, anywhere else, or where SY_LANES_EMULATED is defined
 *     bounds     an interval for all eight, where SY_LANES_BOUNDS is defined: no number is
 *                computed, but what it can be at most and at least; an operation that could leave
 *                its range (a sum above 2^64, a difference below 0, a factor of 52 bits or more)
 *                aborts. Straight-line code that passes is proven for every input.
 *
 * The arithmetic of the AVX-512 engine (avx512_field.h and on) is written once over these
 * functions; the tests compile it as all three. A mask holds one bit a lane. Pure. Names of the
 * functions say what one lane does. */
#ifndef SY_CRYPTO_AVX512_LANES_H
#define SY_CRYPTO_AVX512_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/base/assert.h"

#define SY_LANES 8

/* All of it is one long expression where speed counts, and is not where it does not: there it would
 * take compilers minutes. */
#if defined(__has_feature)
#define SY_LANES_HAS_FEATURE(feature) __has_feature(feature)
#else
#define SY_LANES_HAS_FEATURE(feature) 0
#endif
#if !defined(__AVX512IFMA__) || defined(SY_LANES_BOUNDS) || defined(SY_LANES_EMULATED) || \
    defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                      \
    SY_LANES_HAS_FEATURE(address_sanitizer) || SY_LANES_HAS_FEATURE(thread_sanitizer)
#define SY_LANES_INLINE static inline __attribute__((unused))
#else
#define SY_LANES_INLINE static inline __attribute__((always_inline))
#define SY_LANES_WHOLE
#endif

/* The 52-bit multiply-add takes the low 52 bits of its factors. */
#define SY_LANES_FACTOR_MAX ((UINT64_C(1) << 52) - 1)

typedef uint8_t sy_lane_mask;

/* Products of two lanes, where they are computed one by one. */
__extension__ typedef unsigned __int128 sy_lane_product;

#if defined(SY_LANES_BOUNDS)

/* --- bounds ---------------------------------------------------------------------------------- */

typedef struct {
    uint64_t min;
    uint64_t max;
} sy_lanes;

SY_LANES_INLINE sy_lanes lanes_between(uint64_t min, uint64_t max)
{
    return (sy_lanes){min, max};
}

SY_LANES_INLINE sy_lanes lanes_of(uint64_t value)
{
    return lanes_between(value, value);
}

SY_LANES_INLINE sy_lanes lanes_load(const uint64_t *from)
{
    (void)from;
    return lanes_between(0, UINT64_MAX);
}

SY_LANES_INLINE void lanes_load_rows(sy_lanes out[4], const uint8_t *const rows[SY_LANES])
{
    (void)rows;
    for (size_t i = 0; i < 4; i++) out[i] = lanes_between(0, UINT64_MAX);
}

SY_LANES_INLINE sy_lanes lanes_add(sy_lanes a, sy_lanes b)
{
    SY_ASSERT(a.max <= UINT64_MAX - b.max);
    return lanes_between(a.min + b.min, a.max + b.max);
}

SY_LANES_INLINE sy_lanes lanes_sub(sy_lanes a, sy_lanes b)
{
    SY_ASSERT(a.min >= b.max);
    return lanes_between(a.min - b.max, a.max - b.min);
}

SY_LANES_INLINE sy_lanes lanes_and(sy_lanes a, sy_lanes b)
{
    return lanes_between(0, a.max < b.max ? a.max : b.max);
}

// The smallest 2^n - 1 that is not below x.
SY_LANES_INLINE uint64_t lanes_fill_bits(uint64_t x)
{
    for (unsigned n = 1; n < 64; n *= 2) x |= x >> n;
    return x;
}

SY_LANES_INLINE sy_lanes lanes_or(sy_lanes a, sy_lanes b)
{
    return lanes_between(0, lanes_fill_bits(a.max | b.max));
}

SY_LANES_INLINE sy_lanes lanes_xor(sy_lanes a, sy_lanes b)
{
    return lanes_or(a, b);
}

SY_LANES_INLINE sy_lanes lanes_srl(sy_lanes a, unsigned bits)
{
    return lanes_between(a.min >> bits, a.max >> bits);
}

SY_LANES_INLINE sy_lanes lanes_sll(sy_lanes a, unsigned bits)
{
    // What is shifted out is meant to be lost: words are cut up by this.
    if (a.max > UINT64_MAX >> bits) return lanes_between(0, UINT64_MAX << bits);
    return lanes_between(a.min << bits, a.max << bits);
}

SY_LANES_INLINE sy_lanes lanes_mul(sy_lanes a, sy_lanes b)
{
    sy_lane_product most = (sy_lane_product)a.max * b.max;
    SY_ASSERT(most <= UINT64_MAX);
    return lanes_between(a.min * b.min, (uint64_t)most);
}

SY_LANES_INLINE sy_lanes lanes_madd_lo(sy_lanes sum, sy_lanes a, sy_lanes b)
{
    SY_ASSERT(a.max <= SY_LANES_FACTOR_MAX && b.max <= SY_LANES_FACTOR_MAX);
    sy_lane_product most = (sy_lane_product)a.max * b.max;
    if (most > SY_LANES_FACTOR_MAX) return lanes_add(sum, lanes_between(0, SY_LANES_FACTOR_MAX));
    return lanes_add(sum, lanes_between(a.min * b.min, (uint64_t)most));
}

SY_LANES_INLINE sy_lanes lanes_madd_hi(sy_lanes sum, sy_lanes a, sy_lanes b)
{
    SY_ASSERT(a.max <= SY_LANES_FACTOR_MAX && b.max <= SY_LANES_FACTOR_MAX);
    sy_lane_product most = (sy_lane_product)a.max * b.max;
    sy_lane_product least = (sy_lane_product)a.min * b.min;
    return lanes_add(sum, lanes_between((uint64_t)(least >> 52), (uint64_t)(most >> 52)));
}

SY_LANES_INLINE sy_lanes lanes_select(sy_lane_mask mask, sy_lanes yes, sy_lanes no)
{
    (void)mask;
    return lanes_between(yes.min < no.min ? yes.min : no.min, yes.max > no.max ? yes.max : no.max);
}

SY_LANES_INLINE sy_lane_mask lanes_equal(sy_lanes a, sy_lanes b)
{
    (void)a;
    (void)b;
    return 0;
}

SY_LANES_INLINE sy_lane_mask lanes_test(sy_lanes a, sy_lanes bits)
{
    return lanes_equal(a, bits);
}

#elif defined(__AVX512IFMA__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && \
    defined(__AVX512VL__) && !defined(SY_LANES_EMULATED)

/* --- zmm ------------------------------------------------------------------------------------- */

#include <immintrin.h>

typedef __m512i sy_lanes;

SY_LANES_INLINE sy_lanes lanes_of(uint64_t value)
{
    return _mm512_set1_epi64((int64_t)value);
}

SY_LANES_INLINE sy_lanes lanes_load(const uint64_t *from)
{
    return _mm512_loadu_si512(from);
}

SY_LANES_INLINE void lanes_store(uint64_t *to, sy_lanes a)
{
    _mm512_storeu_si512(to, a);
}

SY_LANES_INLINE sy_lanes lanes_add(sy_lanes a, sy_lanes b)
{
    return _mm512_add_epi64(a, b);
}

SY_LANES_INLINE sy_lanes lanes_sub(sy_lanes a, sy_lanes b)
{
    return _mm512_sub_epi64(a, b);
}

SY_LANES_INLINE sy_lanes lanes_and(sy_lanes a, sy_lanes b)
{
    return _mm512_and_si512(a, b);
}

SY_LANES_INLINE sy_lanes lanes_or(sy_lanes a, sy_lanes b)
{
    return _mm512_or_si512(a, b);
}

SY_LANES_INLINE sy_lanes lanes_xor(sy_lanes a, sy_lanes b)
{
    return _mm512_xor_si512(a, b);
}

SY_LANES_INLINE sy_lanes lanes_srl(sy_lanes a, unsigned bits)
{
#if defined(SY_LANES_WHOLE)
    return _mm512_srli_epi64(a, bits);
#else
    return _mm512_srl_epi64(a, _mm_cvtsi64_si128(bits));
#endif
}

SY_LANES_INLINE sy_lanes lanes_sll(sy_lanes a, unsigned bits)
{
#if defined(SY_LANES_WHOLE)
    return _mm512_slli_epi64(a, bits);
#else
    return _mm512_sll_epi64(a, _mm_cvtsi64_si128(bits));
#endif
}

SY_LANES_INLINE sy_lanes lanes_mul(sy_lanes a, sy_lanes b)
{
    return _mm512_mullo_epi64(a, b);
}

SY_LANES_INLINE sy_lanes lanes_madd_lo(sy_lanes sum, sy_lanes a, sy_lanes b)
{
    return _mm512_madd52lo_epu64(sum, a, b);
}

SY_LANES_INLINE sy_lanes lanes_madd_hi(sy_lanes sum, sy_lanes a, sy_lanes b)
{
    return _mm512_madd52hi_epu64(sum, a, b);
}

SY_LANES_INLINE sy_lanes lanes_select(sy_lane_mask mask, sy_lanes yes, sy_lanes no)
{
    return _mm512_mask_blend_epi64(mask, no, yes);
}

SY_LANES_INLINE sy_lane_mask lanes_equal(sy_lanes a, sy_lanes b)
{
    return _mm512_cmpeq_epi64_mask(a, b);
}

SY_LANES_INLINE sy_lane_mask lanes_test(sy_lanes a, sy_lanes bits)
{
    return _mm512_test_epi64_mask(a, bits);
}

SY_LANES_INLINE sy_lanes lanes_spread(sy_lanes a, unsigned lane)
{
    return _mm512_permutexvar_epi64(_mm512_set1_epi64(lane), a);
}

// Two rows in one register; the second comes straight from memory.
SY_LANES_INLINE __m512i lanes_pair(const uint8_t *low, const uint8_t *high)
{
    __m512i pair = _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)(const void *)low));
    return _mm512_inserti64x4(pair, _mm256_loadu_si256((const __m256i *)(const void *)high), 1);
}

SY_LANES_INLINE void lanes_load_rows(sy_lanes out[4], const uint8_t *const rows[SY_LANES])
{
    __m512i r02 = lanes_pair(rows[0], rows[2]), r13 = lanes_pair(rows[1], rows[3]);
    __m512i r46 = lanes_pair(rows[4], rows[6]), r57 = lanes_pair(rows[5], rows[7]);
    __m512i even_low = _mm512_unpacklo_epi64(r02, r13), odd_low = _mm512_unpackhi_epi64(r02, r13);
    __m512i even_high = _mm512_unpacklo_epi64(r46, r57), odd_high = _mm512_unpackhi_epi64(r46, r57);
    out[0] = _mm512_shuffle_i64x2(even_low, even_high, 0x88);
    out[1] = _mm512_shuffle_i64x2(odd_low, odd_high, 0x88);
    out[2] = _mm512_shuffle_i64x2(even_low, even_high, 0xdd);
    out[3] = _mm512_shuffle_i64x2(odd_low, odd_high, 0xdd);
}

SY_LANES_INLINE void lanes_unpair(uint8_t *low, uint8_t *high, __m512i pair)
{
    _mm256_storeu_si256((__m256i *)(void *)low, _mm512_castsi512_si256(pair));
    _mm256_storeu_si256((__m256i *)(void *)high, _mm512_extracti64x4_epi64(pair, 1));
}

SY_LANES_INLINE void lanes_store_rows(uint8_t *const rows[SY_LANES], const sy_lanes in[4])
{
    // Quarter q of low[i] holds words 2i and 2i + 1 of lane 2q; of high[i], of lane 2q + 1.
    __m512i low0 = _mm512_unpacklo_epi64(in[0], in[1]), high0 = _mm512_unpackhi_epi64(in[0], in[1]);
    __m512i low1 = _mm512_unpacklo_epi64(in[2], in[3]), high1 = _mm512_unpackhi_epi64(in[2], in[3]);
    const __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    const __m512i last = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    lanes_unpair(rows[0], rows[2], _mm512_permutex2var_epi64(low0, first, low1));
    lanes_unpair(rows[1], rows[3], _mm512_permutex2var_epi64(high0, first, high1));
    lanes_unpair(rows[4], rows[6], _mm512_permutex2var_epi64(low0, last, low1));
    lanes_unpair(rows[5], rows[7], _mm512_permutex2var_epi64(high0, last, high1));
}

#else

/* --- emulated -------------------------------------------------------------------------------- */

typedef struct {
    uint64_t w[SY_LANES];
} sy_lanes;

/* Makes one lane's expression the function of all: a, b and sum are lanes. */
#define SY_LANES_EACH(expression)                                  \
    sy_lanes out;                                                  \
    for (size_t i = 0; i < SY_LANES; i++) out.w[i] = (expression); \
    return out

SY_LANES_INLINE sy_lanes lanes_of(uint64_t value)
{
    SY_LANES_EACH(value);
}

SY_LANES_INLINE sy_lanes lanes_load(const uint64_t *from)
{
    SY_LANES_EACH(from[i]);
}

SY_LANES_INLINE void lanes_store(uint64_t *to, sy_lanes a)
{
    memcpy(to, a.w, sizeof a.w);
}

SY_LANES_INLINE sy_lanes lanes_add(sy_lanes a, sy_lanes b)
{
    SY_LANES_EACH(a.w[i] + b.w[i]);
}

SY_LANES_INLINE sy_lanes lanes_sub(sy_lanes a, sy_lanes b)
{
    SY_LANES_EACH(a.w[i] - b.w[i]);
}

SY_LANES_INLINE sy_lanes lanes_and(sy_lanes a, sy_lanes b)
{
    SY_LANES_EACH(a.w[i] & b.w[i]);
}

SY_LANES_INLINE sy_lanes lanes_or(sy_lanes a, sy_lanes b)
{
    SY_LANES_EACH(a.w[i] | b.w[i]);
}

SY_LANES_INLINE sy_lanes lanes_xor(sy_lanes a, sy_lanes b)
{
    SY_LANES_EACH(a.w[i] ^ b.w[i]);
}

SY_LANES_INLINE sy_lanes lanes_srl(sy_lanes a, unsigned bits)
{
    SY_LANES_EACH(a.w[i] >> bits);
}

SY_LANES_INLINE sy_lanes lanes_sll(sy_lanes a, unsigned bits)
{
    SY_LANES_EACH(a.w[i] << bits);
}

SY_LANES_INLINE sy_lanes lanes_mul(sy_lanes a, sy_lanes b)
{
    SY_LANES_EACH(a.w[i] * b.w[i]);
}

SY_LANES_INLINE sy_lane_product lanes_product(uint64_t a, uint64_t b)
{
    return (sy_lane_product)(a & SY_LANES_FACTOR_MAX) * (b & SY_LANES_FACTOR_MAX);
}

SY_LANES_INLINE sy_lanes lanes_madd_lo(sy_lanes sum, sy_lanes a, sy_lanes b)
{
    SY_LANES_EACH(sum.w[i] + ((uint64_t)lanes_product(a.w[i], b.w[i]) & SY_LANES_FACTOR_MAX));
}

SY_LANES_INLINE sy_lanes lanes_madd_hi(sy_lanes sum, sy_lanes a, sy_lanes b)
{
    SY_LANES_EACH(sum.w[i] + (uint64_t)(lanes_product(a.w[i], b.w[i]) >> 52));
}

SY_LANES_INLINE sy_lanes lanes_select(sy_lane_mask mask, sy_lanes yes, sy_lanes no)
{
    SY_LANES_EACH((mask >> i & 1) != 0 ? yes.w[i] : no.w[i]);
}

SY_LANES_INLINE sy_lane_mask lanes_equal(sy_lanes a, sy_lanes b)
{
    unsigned mask = 0;
    for (unsigned i = 0; i < SY_LANES; i++) mask |= (unsigned)(a.w[i] == b.w[i]) << i;
    return (sy_lane_mask)mask;
}

SY_LANES_INLINE sy_lane_mask lanes_test(sy_lanes a, sy_lanes bits)
{
    unsigned mask = 0;
    for (unsigned i = 0; i < SY_LANES; i++) mask |= (unsigned)((a.w[i] & bits.w[i]) != 0) << i;
    return (sy_lane_mask)mask;
}

SY_LANES_INLINE sy_lanes lanes_spread(sy_lanes a, unsigned lane)
{
    SY_LANES_EACH(a.w[lane]);
}

SY_LANES_INLINE void lanes_load_rows(sy_lanes out[4], const uint8_t *const rows[SY_LANES])
{
    for (size_t lane = 0; lane < SY_LANES; lane++) {
        for (size_t i = 0; i < 4; i++) memcpy(&out[i].w[lane], rows[lane] + 8 * i, 8);
    }
}

SY_LANES_INLINE void lanes_store_rows(uint8_t *const rows[SY_LANES], const sy_lanes in[4])
{
    for (size_t lane = 0; lane < SY_LANES; lane++) {
        for (size_t i = 0; i < 4; i++) memcpy(rows[lane] + 8 * i, &in[i].w[lane], 8);
    }
}

#undef SY_LANES_EACH

#endif

/* lanes_join is (a | b) & mask; lanes_minus_where is whole - a where the mask has its bit, a
 * elsewhere. */
SY_LANES_INLINE sy_lanes lanes_join(sy_lanes a, sy_lanes b, sy_lanes mask)
{
    return lanes_and(lanes_or(a, b), mask);
}

SY_LANES_INLINE sy_lanes lanes_minus_where(sy_lane_mask where, sy_lanes whole, sy_lanes a)
{
    return lanes_select(where, lanes_sub(whole, a), a);
}

#endif
