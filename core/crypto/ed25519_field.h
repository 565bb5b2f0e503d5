/* ed25519_field.h: numbers mod p = 2^255 - 19 (RFC 8032 5.1), as five limbs of 51 bits.
 *
 * An element is v[0] + 2^51 v[1] + ... + 2^204 v[4], not unique. Its limbs are within one of two
 * bounds, and each function says which it takes and gives:
 *
 *     tight   v[1] <= 2^51 + 2^13, the others < 2^51   what products are, and what is read
 *     loose   every limb < 2^54                        sums and differences of a few tight ones
 *
 * Products take loose elements: a column of a product is at most 77 * 2^108 < 2^115, so what is
 * carried out of it fits a limb, and what leaves the top one, below 2^60, fits times 19. So no sum
 * or difference in ed25519_point.h needs a carry of its own. These bounds are proved by compiling
 * this file over intervals (tests/unit/test_ed25519_bounds.c).
 *
 * Everything is pure. Timing does not depend on values, though nothing here is secret. r may be an
 * operand wherever both are pointers. */
#ifndef SY_CRYPTO_ED25519_FIELD_H
#define SY_CRYPTO_ED25519_FIELD_H

#include "core/crypto/ed25519_limb.h"

struct sy_field {
    sy_limb v[5];
};

/* Five limbs below 2^51 make a constant. */
static inline struct sy_field sy_field_of(uint64_t v0, uint64_t v1, uint64_t v2, uint64_t v3,
                                          uint64_t v4)
{
    struct sy_field r = {
        {sy_limb_of(v0), sy_limb_of(v1), sy_limb_of(v2), sy_limb_of(v3), sy_limb_of(v4)}};
    return r;
}

/* a + b: loose, of tight ones; of others, their bounds add up. */
static inline void sy_field_add(struct sy_field *r, const struct sy_field *a,
                                const struct sy_field *b)
{
    for (int i = 0; i < 5; i++) r->v[i] = sy_limb_add(a->v[i], b->v[i]);
}

/* a - b + 2p: b tight; at most 2^52 more than a. */
static inline void sy_field_sub(struct sy_field *r, const struct sy_field *a,
                                const struct sy_field *b)
{
    r->v[0] = sy_limb_sub(sy_limb_add(a->v[0], sy_limb_of(0xfffffffffffda)), b->v[0]);
    for (int i = 1; i < 5; i++) {
        r->v[i] = sy_limb_sub(sy_limb_add(a->v[i], sy_limb_of(0xffffffffffffe)), b->v[i]);
    }
}

/* The same element, tight, of a loose one. */
static inline void sy_field_tighten(struct sy_field *r, const struct sy_field *a)
{
    sy_limb carry = sy_limb_of(0);
    for (int i = 0; i < 5; i++) {
        sy_limb sum = sy_limb_add(a->v[i], carry);
        carry = sy_limb_high(sum);
        r->v[i] = sy_limb_low(sum);
    }
    r->v[0] = sy_limb_add(r->v[0], sy_limb_times(carry, 19));
    r->v[1] = sy_limb_add(r->v[1], sy_limb_high(r->v[0]));
    r->v[0] = sy_limb_low(r->v[0]);
}

/* Five columns of a product, carried to a tight element. 2^255 = 19 mod p, so what leaves the top
 * comes in again below. */
static inline void sy_field_carry(struct sy_field *r, const sy_wide columns[5])
{
    sy_limb carry = sy_wide_high(columns[0]);
    r->v[0] = sy_wide_low(columns[0]);
    for (int i = 1; i < 5; i++) {
        sy_wide column = sy_wide_add(columns[i], carry);
        carry = sy_wide_high(column);
        r->v[i] = sy_wide_low(column);
    }
    r->v[0] = sy_limb_add(r->v[0], sy_limb_times(carry, 19));
    r->v[1] = sy_limb_add(r->v[1], sy_limb_high(r->v[0]));
    r->v[0] = sy_limb_low(r->v[0]);
}

/* a * b: tight, of loose ones. */
static inline void sy_field_mul(struct sy_field *r, const struct sy_field *a,
                                const struct sy_field *b)
{
    sy_limb a0 = a->v[0], a1 = a->v[1], a2 = a->v[2], a3 = a->v[3], a4 = a->v[4];
    sy_limb b0 = b->v[0], b1 = b->v[1], b2 = b->v[2], b3 = b->v[3], b4 = b->v[4];
    sy_limb c1 = sy_limb_times(b1, 19), c2 = sy_limb_times(b2, 19);
    sy_limb c3 = sy_limb_times(b3, 19), c4 = sy_limb_times(b4, 19);
    sy_wide w[5];
    w[0] = sy_wide_mul(a0, b0);
    w[0] = sy_wide_add_mul(w[0], a1, c4);
    w[0] = sy_wide_add_mul(w[0], a2, c3);
    w[0] = sy_wide_add_mul(w[0], a3, c2);
    w[0] = sy_wide_add_mul(w[0], a4, c1);
    w[1] = sy_wide_mul(a0, b1);
    w[1] = sy_wide_add_mul(w[1], a1, b0);
    w[1] = sy_wide_add_mul(w[1], a2, c4);
    w[1] = sy_wide_add_mul(w[1], a3, c3);
    w[1] = sy_wide_add_mul(w[1], a4, c2);
    w[2] = sy_wide_mul(a0, b2);
    w[2] = sy_wide_add_mul(w[2], a1, b1);
    w[2] = sy_wide_add_mul(w[2], a2, b0);
    w[2] = sy_wide_add_mul(w[2], a3, c4);
    w[2] = sy_wide_add_mul(w[2], a4, c3);
    w[3] = sy_wide_mul(a0, b3);
    w[3] = sy_wide_add_mul(w[3], a1, b2);
    w[3] = sy_wide_add_mul(w[3], a2, b1);
    w[3] = sy_wide_add_mul(w[3], a3, b0);
    w[3] = sy_wide_add_mul(w[3], a4, c4);
    w[4] = sy_wide_mul(a0, b4);
    w[4] = sy_wide_add_mul(w[4], a1, b3);
    w[4] = sy_wide_add_mul(w[4], a2, b2);
    w[4] = sy_wide_add_mul(w[4], a3, b1);
    w[4] = sy_wide_add_mul(w[4], a4, b0);
    sy_field_carry(r, w);
}

/* a * a: tight, of a loose one. */
static inline void sy_field_sqr(struct sy_field *r, const struct sy_field *a)
{
    sy_limb a0 = a->v[0], a1 = a->v[1], a2 = a->v[2], a3 = a->v[3], a4 = a->v[4];
    sy_limb d0 = sy_limb_times(a0, 2), d1 = sy_limb_times(a1, 2), d2 = sy_limb_times(a2, 2);
    sy_limb c3 = sy_limb_times(a3, 19), c4 = sy_limb_times(a4, 19);
    sy_wide w[5];
    w[0] = sy_wide_mul(a0, a0);
    w[0] = sy_wide_add_mul(w[0], d1, c4);
    w[0] = sy_wide_add_mul(w[0], d2, c3);
    w[1] = sy_wide_mul(d0, a1);
    w[1] = sy_wide_add_mul(w[1], d2, c4);
    w[1] = sy_wide_add_mul(w[1], a3, c3);
    w[2] = sy_wide_mul(d0, a2);
    w[2] = sy_wide_add_mul(w[2], a1, a1);
    w[2] = sy_wide_add_mul(w[2], sy_limb_times(a3, 2), c4);
    w[3] = sy_wide_mul(d0, a3);
    w[3] = sy_wide_add_mul(w[3], d1, a2);
    w[3] = sy_wide_add_mul(w[3], a4, c4);
    w[4] = sy_wide_mul(d0, a4);
    w[4] = sy_wide_add_mul(w[4], d1, a3);
    w[4] = sy_wide_add_mul(w[4], a2, a2);
    sy_field_carry(r, w);
}

/* The one number below p that a (tight) stands for: limbs below 2^51. */
static inline void sy_field_freeze(struct sy_field *r, const struct sy_field *a)
{
    // a < 2p. So a >= p exactly if a + 19 reaches 2^255; then 19 more, less 2^255, is a - p.
    sy_limb above = sy_limb_high(sy_limb_add(a->v[0], sy_limb_of(19)));
    for (int i = 1; i < 5; i++) above = sy_limb_high(sy_limb_add(a->v[i], above));
    sy_limb carry = sy_limb_times(above, 19);
    for (int i = 0; i < 5; i++) {
        sy_limb sum = sy_limb_add(a->v[i], carry);
        carry = sy_limb_high(sum);
        r->v[i] = sy_limb_low(sum);
    }
}

/* a^(2^count): tight, of a loose one; count >= 1. */
static inline void sy_field_sqr_times(struct sy_field *r, const struct sy_field *a, unsigned count)
{
    sy_field_sqr(r, a);
    for (unsigned i = 1; i < count; i++) sy_field_sqr(r, r);
}

/* a^(2^250 - 1), and a^11 on the way: the common part of the two powers below (an addition chain
 * after Bernstein, "Curve25519", 2006). */
static inline void sy_field_pow_common(struct sy_field *r, struct sy_field *a11,
                                       const struct sy_field *a)
{
    struct sy_field t, a9, e5, e10, e50, e100; // e5: a^(2^5 - 1) and so on
    sy_field_sqr(&t, a);
    sy_field_sqr_times(&a9, &t, 2);
    sy_field_mul(&a9, &a9, a);
    sy_field_mul(a11, &a9, &t);
    sy_field_sqr(&t, a11);
    sy_field_mul(&e5, &t, &a9);
    sy_field_sqr_times(&t, &e5, 5);
    sy_field_mul(&e10, &t, &e5);
    sy_field_sqr_times(&t, &e10, 10);
    sy_field_mul(&t, &t, &e10);
    sy_field_sqr_times(&e50, &t, 20);
    sy_field_mul(&t, &e50, &t);
    sy_field_sqr_times(&t, &t, 10);
    sy_field_mul(&e50, &t, &e10);
    sy_field_sqr_times(&t, &e50, 50);
    sy_field_mul(&e100, &t, &e50);
    sy_field_sqr_times(&t, &e100, 100);
    sy_field_mul(&t, &t, &e100);
    sy_field_sqr_times(&t, &t, 50);
    sy_field_mul(r, &t, &e50);
}

/* 1 / a = a^(p - 2), and 0 of 0: tight, of a loose one. */
static inline void sy_field_invert(struct sy_field *r, const struct sy_field *a)
{
    struct sy_field t, a11;
    sy_field_pow_common(&t, &a11, a);
    sy_field_sqr_times(&t, &t, 5);
    sy_field_mul(r, &t, &a11);
}

/* a^((p - 5) / 8): tight, of a loose one. */
static inline void sy_field_pow_p58(struct sy_field *r, const struct sy_field *a)
{
    struct sy_field t, a11;
    sy_field_pow_common(&t, &a11, a);
    sy_field_sqr_times(&t, &t, 2);
    sy_field_mul(r, &t, a);
}

#endif
