/* avx512_verify.h: the verification of Ed25519 signatures, eight at a time.
 *
 *     R' = S B + k (-A), k = SHA-512(R || A || message) mod L; good: S < L, and R' encoded is R
 *
 * by tables (avx512_comb.h) or, for keys without one, by 250 doublings over signed digits of five
 * bits. Points come out projective; one inversion makes those of a whole batch affine. */
#ifndef SY_CRYPTO_AVX512_VERIFY_H
#define SY_CRYPTO_AVX512_VERIFY_H

#include "core/crypto/avx512_comb.h"
#include "core/crypto/avx512_ed25519.h"

/* Points of a batch until they are encoded. */
struct verify_batch {
    struct fe x[SY_LANE_GROUPS_MAX];
    struct fe y[SY_LANE_GROUPS_MAX];
    struct fe z[SY_LANE_GROUPS_MAX];
    struct fe products[SY_LANE_GROUPS_MAX];
};

static inline void verify_keep(struct verify_batch *batch, size_t i, const struct point *p)
{
    batch->x[i] = fe_carry(&p->x);
    batch->y[i] = fe_carry(&p->y);
    batch->z[i] = fe_carry(&p->z);
}

/* 32 bytes from each row on, as words. */
SY_LANES_INLINE void verify_load(sy_lanes words[4], const uint8_t *const rows[SY_LANES],
                                 size_t offset)
{
    const uint8_t *moved[SY_LANES];
    for (unsigned lane = 0; lane < SY_LANES; lane++) moved[lane] = rows[lane] + offset;
    lanes_load_rows(words, moved);
}

/* S, and the lanes in which it is below L. */
SY_LANES_INLINE struct scalar verify_load_s(sy_lane_mask *below, const struct sy_lane_group *group)
{
    sy_lanes words[4];
    verify_load(words, group->signatures, 32);
    struct scalar s = sc_from_words(words);
    *below = sc_below_order(&s);
    return s;
}

SY_LANES_INLINE struct scalar verify_load_k(const struct sy_lane_group *group)
{
    sy_lanes words[8];
    for (unsigned i = 0; i < 8; i++) words[i] = lanes_load(group->hashes[i]);
    return sc_reduce(words);
}

/* --- the end: affine, encoded, compared ------------------------------------------------------ */

static inline sy_lane_mask verify_compare(const struct sy_lane_group *group, const struct fe *x,
                                          const struct fe *y, const struct fe *inverse)
{
    struct fe affine_x = fe_mul(x, inverse), affine_y = fe_mul(y, inverse);
    struct fe canonical_x = fe_canonical(&affine_x), canonical_y = fe_canonical(&affine_y);
    sy_lanes ours[4], theirs[4];
    fe_to_words(ours, &canonical_y);
    ours[3] = lanes_or(ours[3], lanes_sll(canonical_x.l[0], 63));
    verify_load(theirs, group->signatures, 0);
    unsigned equal = 0xff;
    for (unsigned i = 0; i < 4; i++) equal &= lanes_equal(ours[i], theirs[i]);
    return (sy_lane_mask)equal;
}

/* A Z of zero, which complete formulas never give, would spoil its lane of the whole batch: then
 * each group is inverted by itself. */
static inline void verify_finish_singly(uint8_t *good, const struct sy_lane_group *groups,
                                        size_t count, const struct verify_batch *batch)
{
    for (size_t i = 0; i < count; i++) {
        struct fe inverse = fe_invert(&batch->z[i]);
        good[i] &= verify_compare(&groups[i], &batch->x[i], &batch->y[i], &inverse);
    }
}

static inline void verify_finish(uint8_t *good, const struct sy_lane_group *groups, size_t count,
                                 struct verify_batch *batch)
{
    struct fe *products = batch->products;
    products[0] = batch->z[0];
    for (size_t i = 1; i < count; i++) products[i] = fe_mul(&products[i - 1], &batch->z[i]);
    struct fe zero = fe_small(0);
    struct fe inverse = fe_invert(&products[count - 1]);
    if (fe_equal(&inverse, &zero) != 0) {
        verify_finish_singly(good, groups, count, batch);
        return;
    }
    for (size_t i = count - 1; i > 0; i--) {
        struct fe own = fe_mul(&inverse, &products[i - 1]);
        good[i] &= verify_compare(&groups[i], &batch->x[i], &batch->y[i], &own);
        inverse = fe_mul(&inverse, &batch->z[i]);
    }
    good[0] &= verify_compare(&groups[0], &batch->x[0], &batch->y[0], &inverse);
}

/* --- by tables ------------------------------------------------------------------------------- */

static inline sy_lane_mask verify_plan(struct comb_steps *steps, const struct sy_lane_group *group,
                                       const void *base)
{
    uint64_t tables[SY_LANES];
    sy_lanes signs[SC_SIGN_WORDS];
    sy_lane_mask below;
    for (unsigned i = 0; i < SY_LANES; i++) tables[i] = (uint64_t)(uintptr_t)group->tables[i];
    struct scalar k = verify_load_k(group);
    sc_to_signs(signs, &k, COMB_KEY_TEETH * COMB_KEY_COLUMNS);
    comb_key_steps(steps->at, true, lanes_load(tables), signs);
    struct scalar s = verify_load_s(&below, group);
    sc_to_signs(signs, &s, COMB_BASE_TEETH * COMB_BASE_COLUMNS);
    comb_base_steps(steps->at, true, base, signs);
    return below;
}

static inline void verify_tabled(uint8_t *good, const struct sy_lane_group *groups, size_t count,
                                 const void *base)
{
    struct verify_batch batch;
    struct comb_steps steps[2];
    uint64_t(*const at[2])[SY_LANES] = {steps[0].at, steps[1].at};
    struct point p[2];
    size_t i = 0;
    for (; i + 1 < count; i += 2) {
        good[i] = verify_plan(&steps[0], &groups[i], base);
        good[i + 1] = verify_plan(&steps[1], &groups[i + 1], base);
        comb_run(p, at, 2, true);
        verify_keep(&batch, i, &p[0]);
        verify_keep(&batch, i + 1, &p[1]);
    }
    if (i < count) {
        good[i] = verify_plan(&steps[0], &groups[i], base);
        comb_run(p, at, 1, true);
        verify_keep(&batch, i, &p[0]);
    }
    verify_finish(good, groups, count, &batch);
}

/* --- without ---------------------------------------------------------------------------------- */

#define VERIFY_DIGITS 51
#define VERIFY_MULTIPLES 17 /* 0 to 16 times a key */
#define VERIFY_ENTRY_BYTES 128

/* Multiples of eight keys, as rows of four times 32 bytes (struct cached). */
struct verify_multiples {
    _Alignas(64) uint8_t rows[SY_LANES][VERIFY_MULTIPLES][VERIFY_ENTRY_BYTES];
};

static inline void verify_store_multiple(struct verify_multiples *multiples, unsigned n,
                                         const struct cached *q)
{
    const struct fe *parts[4] = {&q->plus, &q->minus, &q->t, &q->z2};
    for (size_t i = 0; i < 4; i++) {
        uint8_t *rows[SY_LANES];
        sy_lanes words[4];
        struct fe tight = fe_tighten(parts[i]);
        fe_to_words(words, &tight);
        for (size_t lane = 0; lane < SY_LANES; lane++) {
            rows[lane] = multiples->rows[lane][n] + 32 * i;
        }
        lanes_store_rows(rows, words);
    }
}

static inline void verify_make_multiples(struct verify_multiples *multiples, const struct fe *x,
                                         const struct fe *y)
{
    struct point p = point_identity();
    struct cached q = point_cache(&p);
    verify_store_multiple(multiples, 0, &q);
    p = point_from_affine(x, y);
    struct cached one = point_cache(&p);
    verify_store_multiple(multiples, 1, &one);
    for (unsigned n = 2; n < VERIFY_MULTIPLES; n++) {
        point_add_cached(&p, &one, true);
        q = point_cache(&p);
        verify_store_multiple(multiples, n, &q);
    }
}

/* Addresses of the multiples that digits name, with the sign in bit 0. */
static inline void verify_digit_steps(uint64_t (*at)[SY_LANES],
                                      const struct verify_multiples *multiples,
                                      const struct scalar *k)
{
    sy_lanes words[4], sixteen = lanes_of(16);
    uint64_t starts[SY_LANES];
    for (unsigned i = 0; i < SY_LANES; i++) {
        starts[i] = (uint64_t)(uintptr_t)multiples->rows[i];
    }
    sy_lanes start = lanes_load(starts);
    sc_to_digits(words, k);
    for (unsigned i = 0; i < VERIFY_DIGITS; i++) {
        sy_lanes digit = lanes_and(words[0], lanes_of(31));
        sy_lane_mask is_minus = lanes_equal(lanes_and(digit, sixteen), lanes_of(0));
        sy_lanes size =
            lanes_select(is_minus, lanes_sub(sixteen, digit), lanes_sub(digit, sixteen));
        sy_lanes sign = lanes_select(is_minus, lanes_of(1), lanes_of(0));
        lanes_store(at[i], lanes_add(lanes_add(start, sign), lanes_sll(size, 7)));
        for (unsigned w = 0; w < 4; w++) {
            words[w] = lanes_srl(words[w], 5);
            if (w < 3) words[w] = lanes_or(words[w], lanes_sll(words[w + 1], 59));
        }
    }
}

SY_LANES_INLINE struct cached verify_load_multiple(const uint64_t step[SY_LANES])
{
    const uint8_t *z2[SY_LANES];
    struct niels n = comb_load(step);
    for (unsigned lane = 0; lane < SY_LANES; lane++) {
        z2[lane] = comb_address((step[lane] & ~UINT64_C(1)) + 96);
    }
    return (struct cached){n.plus, n.minus, n.t, comb_load_fe(z2)};
}

/* The point of one group; d doublings are still to come. */
static inline void verify_run_general(struct point *p, uint64_t (*digits)[SY_LANES],
                                      uint64_t (*base)[SY_LANES])
{
    *p = point_identity();
    for (unsigned d = 5 * (VERIFY_DIGITS - 1) + 1; d-- > 0;) {
        if (d % 5 == 0) {
            struct cached multiple = verify_load_multiple(digits[d / 5]);
            point_add_cached(p, &multiple, d < COMB_BASE_COLUMNS);
        }
        for (unsigned k = 0; d < COMB_BASE_COLUMNS && k < COMB_BASE_BLOCKS; k++) {
            struct niels entry = comb_load(base[comb_step_of_base(d, k, false)]);
            point_add_niels(p, &entry, k + 1 < COMB_BASE_BLOCKS);
        }
        if (d > 0) point_double(p, (d - 1) % 5 == 0 || d <= COMB_BASE_COLUMNS);
    }
}

static inline void verify_general(uint8_t *good, const struct sy_lane_group *groups, size_t count,
                                  const void *base)
{
    struct verify_batch batch;
    struct verify_multiples multiples;
    uint64_t digits[VERIFY_DIGITS][SY_LANES];
    uint64_t base_at[COMB_BASE_STEPS][SY_LANES];
    for (size_t i = 0; i < count; i++) {
        sy_lanes words[SC_SIGN_WORDS];
        sy_lane_mask below;
        struct fe x, y;
        struct point p;
        struct scalar s = verify_load_s(&below, &groups[i]);
        sc_to_signs(words, &s, COMB_BASE_TEETH * COMB_BASE_COLUMNS);
        comb_base_steps(base_at, false, base, words);
        for (unsigned step = 0; step < COMB_BASE_STEPS; step++) comb_prefetch(base_at[step]);
        verify_load(words, groups[i].keys, 0);
        good[i] = below & point_decode_negative(&x, &y, words);
        verify_make_multiples(&multiples, &x, &y);
        struct scalar k = verify_load_k(&groups[i]);
        verify_digit_steps(digits, &multiples, &k);
        verify_run_general(&p, digits, base_at);
        verify_keep(&batch, i, &p);
    }
    verify_finish(good, groups, count, &batch);
}

#endif
