/* ed25519_point.h: points of -x^2 + y^2 = 1 + d x^2 y^2 mod p (RFC 8032 5.1), and their sums.
 *
 * Extended coordinates X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z (Hisil, Wong, Carter, Dawson,
 * "Twisted Edwards curves revisited", 2008). -1 is a square mod p and d is none, so the formulas
 * are complete: they hold for all points, those of small order and equal ones included, and Z is
 * never 0. Coordinates are tight (ed25519_field.h); what lies between need not be.
 *
 * A sum whose next step is a doubling can leave T out (with_t false): doublings do not read it. */
#ifndef SY_CRYPTO_ED25519_POINT_H
#define SY_CRYPTO_ED25519_POINT_H

#include <stdbool.h>

#include "core/crypto/ed25519_field.h"

struct sy_point {
    struct sy_field x, y, z, t;
};

/* What an addition needs of its second point: Y + X, Y - X, 2Z, 2dT; loose. */
struct sy_cached {
    struct sy_field plus, minus, z2, t2d;
};

/* The same of a point with Z = 1. */
struct sy_affine {
    struct sy_field plus, minus, t2d;
};

static inline struct sy_field sy_field_2d(void)
{
    return sy_field_of(0x69b9426b2f159, 0x35050762add7a, 0x3cf44c0038052, 0x6738cc7407977,
                       0x2406d9dc56dff);
}

/* The neutral element: x = 0, y = 1. */
static inline void sy_point_zero(struct sy_point *r)
{
    r->x = sy_field_of(0, 0, 0, 0, 0);
    r->y = sy_field_of(1, 0, 0, 0, 0);
    r->z = r->y;
    r->t = r->x;
}

static inline void sy_point_cache(struct sy_cached *r, const struct sy_point *p)
{
    struct sy_field d2 = sy_field_2d();
    sy_field_add(&r->plus, &p->y, &p->x);
    sy_field_sub(&r->minus, &p->y, &p->x);
    sy_field_add(&r->z2, &p->z, &p->z);
    sy_field_mul(&r->t2d, &p->t, &d2);
}

/* The last step of all formulas: x = E/G, y = H/F as fractions over a common Z. */
static inline void sy_point_close(struct sy_point *r, const struct sy_field *e,
                                  const struct sy_field *f, const struct sy_field *g,
                                  const struct sy_field *h, bool with_t)
{
    sy_field_mul(&r->x, e, f);
    sy_field_mul(&r->y, g, h);
    sy_field_mul(&r->z, f, g);
    if (with_t) sy_field_mul(&r->t, e, h);
}

/* 2p. "dbl-2008-hwcd" with all of E, F, G, H negated, which changes no product of two. */
static inline void sy_point_double(struct sy_point *r, const struct sy_point *p, bool with_t)
{
    struct sy_field a, b, c, e, f, g, h;
    sy_field_add(&e, &p->x, &p->y);
    sy_field_sqr(&e, &e);
    sy_field_sqr(&a, &p->x);
    sy_field_sqr(&b, &p->y);
    sy_field_sqr(&c, &p->z);
    sy_field_add(&h, &a, &b);
    sy_field_sub(&e, &h, &e);
    sy_field_sub(&g, &a, &b);
    sy_field_add(&c, &c, &c);
    sy_field_add(&f, &c, &g);
    sy_point_close(r, &e, &f, &g, &h, with_t);
}

/* p + q, or p - q: "add-2008-hwcd-3". Negating q swaps its first two and the sign of the last. */
static inline void sy_point_add_parts(struct sy_point *r, const struct sy_point *p,
                                      const struct sy_field *plus, const struct sy_field *minus,
                                      const struct sy_field *t2d, const struct sy_field *zz,
                                      bool subtract, bool with_t)
{
    struct sy_field a, b, c, e, h, less, more;
    sy_field_sub(&a, &p->y, &p->x);
    sy_field_mul(&a, &a, subtract ? plus : minus);
    sy_field_add(&b, &p->y, &p->x);
    sy_field_mul(&b, &b, subtract ? minus : plus);
    sy_field_mul(&c, &p->t, t2d);
    sy_field_sub(&e, &b, &a);
    sy_field_add(&h, &b, &a);
    sy_field_sub(&less, zz, &c);
    sy_field_add(&more, zz, &c);
    sy_point_close(r, &e, subtract ? &more : &less, subtract ? &less : &more, &h, with_t);
}

static inline void sy_point_add(struct sy_point *r, const struct sy_point *p,
                                const struct sy_cached *q, bool subtract, bool with_t)
{
    struct sy_field zz;
    sy_field_mul(&zz, &p->z, &q->z2);
    sy_point_add_parts(r, p, &q->plus, &q->minus, &q->t2d, &zz, subtract, with_t);
}

static inline void sy_point_add_affine(struct sy_point *r, const struct sy_point *p,
                                       const struct sy_affine *q, bool subtract, bool with_t)
{
    struct sy_field zz;
    sy_field_add(&zz, &p->z, &p->z);
    sy_point_add_parts(r, p, &q->plus, &q->minus, &q->t2d, &zz, subtract, with_t);
}

#endif
