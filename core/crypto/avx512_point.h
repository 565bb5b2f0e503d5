/* avx512_point.h: points of edwards25519 (RFC 8032 5.1), eight at a time.
 *
 * Formulas: extended coordinates with a = -1, where X Y = Z T, complete on this curve (Hisil, Wong,
 * Carter, Dawson, "Twisted Edwards curves revisited", 2008, 3.1 and 3.3). A point in a loop is held
 * as the four products that the last operation ended with, still wide; the next one carries what
 * it needs (avx512_field.h):
 *
 *     addition    Y + X, Y - X, T   of x, y, t     three of its seven carries
 *     doubling    X, Y, X + Y, Z    of x, y, z     four of eight
 *
 * What is added is an affine point (struct niels) or a projective one (struct cached), both with
 * the factor 2 of the formulas taken out beforehand. */
#ifndef SY_CRYPTO_AVX512_POINT_H
#define SY_CRYPTO_AVX512_POINT_H

#include "core/crypto/avx512_field.h"

/* y and z carry FE_BIAS, so that they can be the left side of a difference. t is not kept up when
 * an operation is told so. */
struct point {
    struct fe_wide x, y, z, t;
};

/* ((y + x) / 2, (y - x) / 2, d x y) */
struct niels {
    struct fe plus, minus, t;
};

/* (Y + X, Y - X, 2 d T, 2 Z) */
struct cached {
    struct fe plus, minus, t, z2;
};

SY_LANES_INLINE struct point point_identity(void)
{
    struct fe zero = fe_small(0), one = fe_small(1);
    struct fe_wide wide_zero = fe_widen(&zero), wide_one = fe_widen(&one);
    struct fe_wide biased = fe_bias(&wide_one);
    return (struct point){wide_zero, biased, biased, wide_zero};
}

/* The middle of an addition: what its last four products are made of. */
struct point_middle {
    struct fe e, f, g, h;
};

SY_LANES_INLINE struct point_middle point_meet(const struct fe_wide *a, const struct fe_wide *b,
                                               const struct fe_wide *c, const struct fe_wide *d)
{
    struct fe_wide e = fe_sub(b, a), f = fe_sub(d, c), g = fe_add(d, c), h = fe_add(b, a);
    return (struct point_middle){fe_carry(&e), fe_carry(&f), fe_carry(&g), fe_carry(&h)};
}

SY_LANES_INLINE void point_finish(struct point *r, const struct point_middle *m, bool want_t)
{
    r->x = fe_mul_wide(&m->e, &m->f);
    r->y = fe_mul_biased(&m->g, &m->h);
    r->z = fe_mul_biased(&m->f, &m->g);
    if (want_t) r->t = fe_mul_wide(&m->e, &m->h);
}

/* y - x and y + x, times what stands in the table. */
SY_LANES_INLINE void point_open(struct fe_wide *a, struct fe_wide *b, const struct point *p,
                                const struct fe *plus, const struct fe *minus)
{
    struct fe_wide difference = fe_sub(&p->y, &p->x), sum = fe_add(&p->y, &p->x);
    struct fe low = fe_carry(&difference), high = fe_carry(&sum);
    *a = fe_mul_wide(&low, minus);
    *b = fe_mul_biased(&high, plus);
}

SY_LANES_INLINE struct point_middle point_start_niels(const struct point *p, const struct niels *q)
{
    struct fe_wide a, b;
    struct fe t = fe_carry(&p->t);
    point_open(&a, &b, p, &q->plus, &q->minus);
    struct fe_wide c = fe_mul_wide(&t, &q->t);
    return point_meet(&a, &b, &c, &p->z);
}

SY_LANES_INLINE void point_add_niels(struct point *p, const struct niels *q, bool want_t)
{
    struct point_middle middle = point_start_niels(p, q);
    point_finish(p, &middle, want_t);
}

SY_LANES_INLINE void point_add_cached(struct point *p, const struct cached *q, bool want_t)
{
    struct fe_wide a, b;
    struct fe t = fe_carry(&p->t), z = fe_carry(&p->z);
    point_open(&a, &b, p, &q->plus, &q->minus);
    struct fe_wide c = fe_mul_wide(&t, &q->t), d = fe_mul_biased(&z, &q->z2);
    struct point_middle middle = point_meet(&a, &b, &c, &d);
    point_finish(p, &middle, want_t);
}

SY_LANES_INLINE struct point_middle point_start_double(const struct point *p)
{
    struct fe_wide sum = fe_add(&p->y, &p->x);
    struct fe x = fe_carry(&p->x), y = fe_carry(&p->y), z = fe_carry(&p->z), xy = fe_carry(&sum);
    struct fe_wide a = fe_square_wide(&x), b = fe_square_wide(&y);
    struct fe_wide zz = fe_square_biased(&z), s = fe_square_biased(&xy);
    struct fe_wide h = fe_add(&a, &b), b_biased = fe_bias(&b);
    struct fe_wide zz2 = fe_add(&zz, &zz), f = fe_add(&zz2, &a);
    // The signs of F and H are turned, against the paper: it is the same point.
    struct fe_wide e = fe_sub(&s, &h), g = fe_sub(&b_biased, &a);
    f = fe_sub(&f, &b);
    return (struct point_middle){fe_carry(&e), fe_carry(&f), fe_carry(&g), fe_carry(&h)};
}

SY_LANES_INLINE void point_double(struct point *p, bool want_t)
{
    struct point_middle middle = point_start_double(p);
    point_finish(p, &middle, want_t);
}

/* point_from_affine: (x, y) as a point. */
SY_LANES_INLINE struct point point_from_affine(const struct fe *x, const struct fe *y)
{
    struct fe one = fe_small(1);
    struct fe_wide wide_y = fe_widen(y), wide_one = fe_widen(&one);
    return (struct point){fe_widen(x), fe_bias(&wide_y), fe_bias(&wide_one), fe_mul_wide(x, y)};
}

/* point_cache makes a point addable; its t must be kept up. */
SY_LANES_INLINE struct cached point_cache(const struct point *p)
{
    struct fe_wide sum = fe_add(&p->y, &p->x), difference = fe_sub(&p->y, &p->x);
    struct fe_wide z2 = fe_add(&p->z, &p->z);
    struct fe t = fe_carry(&p->t), d2 = FE_2D;
    return (struct cached){fe_carry(&sum), fe_carry(&difference), fe_mul(&t, &d2), fe_carry(&z2)};
}

/* cached_negate turns the sign in the lanes of the mask. */
SY_LANES_INLINE struct cached cached_negate(sy_lane_mask where, const struct cached *q)
{
    struct fe t = fe_negative(&q->t);
    return (struct cached){fe_select(where, &q->minus, &q->plus),
                           fe_select(where, &q->plus, &q->minus), fe_select(where, &t, &q->t),
                           q->z2};
}

/* point_decode reads 32-byte encodings (four words) as OpenSSL does: y is taken mod p whether it is
 * canonical or not, and for x = 0 either sign will do. It gives the negative of each point; lanes
 * that are no point of the curve, absent from the mask returned, get the neutral element. */
static inline sy_lane_mask point_decode_negative(struct fe *x, struct fe *y,
                                                 const sy_lanes words[4])
{
    sy_lanes sign_bit = lanes_of(UINT64_C(1) << 63);
    sy_lane_mask negative = lanes_test(words[3], sign_bit);
    sy_lanes cut[4] = {words[0], words[1], words[2],
                       lanes_and(words[3], lanes_of(~(UINT64_C(1) << 63)))};
    struct fe one = fe_small(1), zero = fe_small(0), d = FE_D, root_m1 = FE_ROOT_M1;
    *y = fe_from_words(cut);
    struct fe yy = fe_square(y);
    struct fe u = fe_difference(&yy, &one), dyy = fe_mul(&d, &yy);
    struct fe v = fe_sum(&dyy, &one);
    // x = u v^3 (u v^7)^((p - 5) / 8), up to a root of -1 (RFC 8032 5.1.3).
    struct fe vv = fe_square(&v);
    struct fe uv = fe_mul(&u, &v), uv3 = fe_mul(&uv, &vv), v4 = fe_square(&vv);
    struct fe uv7 = fe_mul(&uv3, &v4);
    struct fe power = fe_power_p58(&uv7);
    *x = fe_mul(&uv3, &power);
    struct fe xx = fe_square(x), vxx = fe_mul(&v, &xx), minus_u = fe_negative(&u);
    sy_lane_mask direct = fe_equal(&vxx, &u), turned = fe_equal(&vxx, &minus_u);
    struct fe other = fe_mul(x, &root_m1);
    *x = fe_select(direct, x, &other);
    struct fe canonical = fe_canonical(x), minus_x = fe_negative(x);
    sy_lane_mask is_odd = lanes_test(canonical.l[0], lanes_of(1));
    sy_lane_mask good = (sy_lane_mask)(direct | turned);
    *x = fe_select((sy_lane_mask) ~(is_odd ^ negative), &minus_x, x);
    *x = fe_select(good, x, &zero);
    *y = fe_select(good, y, &one);
    return good;
}

#endif
