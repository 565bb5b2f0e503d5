/* device_point.h: points of edwards25519 on a device (RFC 8032 5.1.4), by the formulas of Hisil,
 * Wong, Carter and Dawson, "Twisted Edwards curves revisited", 2008: complete, so Z is never 0. */
#ifndef SY_GPU_DEVICE_POINT_H
#define SY_GPU_DEVICE_POINT_H

#include "gpu/device_field.h"

struct sy_pt {
    struct sy_fe x, y, z, t; /* x / z, y / z; t = x y / z */
};

/* Y + X, Y - X, 2 d T, and 2 Z: what adding takes of its second point. */
struct sy_pt_cached {
    struct sy_fe plus, minus, t2d, z2;
};

/* The same of a point with Z = 1: an entry of a table, in 24 words. */
struct sy_pt_entry {
    struct sy_fe plus, minus, t2d;
};

SY_DEVICE void sy_pt_neutral(struct sy_pt *r)
{
    sy_fe_set(&r->x, 0);
    sy_fe_set(&r->y, 1);
    sy_fe_set(&r->z, 1);
    sy_fe_set(&r->t, 0);
}

SY_DEVICE void sy_pt_finish(struct sy_pt *r, const struct sy_fe *e, const struct sy_fe *f,
                            const struct sy_fe *g, const struct sy_fe *h)
{
    sy_fe_mul(&r->x, e, f);
    sy_fe_mul(&r->y, g, h);
    sy_fe_mul(&r->t, e, h);
    sy_fe_mul(&r->z, f, g);
}

/* with_t = 0 leaves t as it is: doubling does not read it. */
SY_DEVICE void sy_pt_double(struct sy_pt *r, const struct sy_pt *p, uint32_t with_t)
{
    struct sy_fe a, b, c, e, f, g, h;
    sy_fe_square(&a, &p->x);
    sy_fe_square(&b, &p->y);
    sy_fe_square(&c, &p->z);
    sy_fe_add(&c, &c, &c);
    sy_fe_add(&h, &a, &b);
    sy_fe_add(&e, &p->x, &p->y);
    sy_fe_square(&e, &e);
    sy_fe_sub(&e, &h, &e);
    sy_fe_sub(&g, &a, &b);
    sy_fe_add(&f, &c, &g);
    sy_fe_mul(&r->x, &e, &f);
    sy_fe_mul(&r->y, &g, &h);
    sy_fe_mul(&r->z, &f, &g);
    if (with_t) sy_fe_mul(&r->t, &e, &h);
}

/* p + q, or with minus = 1 p - q, where d is twice Z1 Z2. */
SY_DEVICE void sy_pt_add_parts(struct sy_pt *r, const struct sy_pt *p, const struct sy_fe *plus,
                               const struct sy_fe *less, const struct sy_fe *t2d,
                               const struct sy_fe *d, uint32_t minus)
{
    struct sy_fe a, b, c, e, f, g, h;
    uint32_t mask = 0u - minus;
    SY_UNROLL
    for (int i = 0; i < SY_WORDS; i++) { // -q has plus and minus, and f and g, exchanged.
        uint32_t differs = (plus->v[i] ^ less->v[i]) & mask;
        e.v[i] = less->v[i] ^ differs;
        h.v[i] = plus->v[i] ^ differs;
    }
    sy_fe_sub(&a, &p->y, &p->x);
    sy_fe_mul(&a, &a, &e);
    sy_fe_add(&b, &p->y, &p->x);
    sy_fe_mul(&b, &b, &h);
    sy_fe_mul(&c, &p->t, t2d);
    sy_fe_sub(&e, &b, &a);
    sy_fe_add(&h, &b, &a);
    sy_fe_sub(&f, d, &c);
    sy_fe_add(&g, d, &c);
    SY_UNROLL
    for (int i = 0; i < SY_WORDS; i++) {
        uint32_t differs = (f.v[i] ^ g.v[i]) & mask;
        f.v[i] ^= differs;
        g.v[i] ^= differs;
    }
    sy_pt_finish(r, &e, &f, &g, &h);
}

SY_DEVICE void sy_pt_add_cached(struct sy_pt *r, const struct sy_pt *p,
                                const struct sy_pt_cached *q, uint32_t minus)
{
    struct sy_fe d;
    sy_fe_mul(&d, &p->z, &q->z2);
    sy_pt_add_parts(r, p, &q->plus, &q->minus, &q->t2d, &d, minus);
}

SY_DEVICE void sy_pt_add_entry(struct sy_pt *r, const struct sy_pt *p, const struct sy_pt_entry *q,
                               uint32_t minus)
{
    struct sy_fe d;
    sy_fe_add(&d, &p->z, &p->z);
    sy_pt_add_parts(r, p, &q->plus, &q->minus, &q->t2d, &d, minus);
}

SY_DEVICE void sy_pt_cache(struct sy_pt_cached *r, const struct sy_pt *p)
{
    struct sy_fe d2 = SY_FE_2D;
    sy_fe_add(&r->plus, &p->y, &p->x);
    sy_fe_sub(&r->minus, &p->y, &p->x);
    sy_fe_mul(&r->t2d, &p->t, &d2);
    sy_fe_add(&r->z2, &p->z, &p->z);
}

/* Reads an encoded point as OpenSSL does a public key: y may be p or above, and for x = 0 the sign
 * bit says nothing. negate: gives minus the point. 0: none has this y, and r is the neutral one. */
SY_DEVICE_CALL uint32_t sy_pt_decode(struct sy_pt *r, const uint8_t *bytes, uint32_t negate)
{
    struct sy_fe u, v, v3, x, check, d = SY_FE_D, root = SY_FE_ROOT, zero;
    sy_fe_set(&zero, 0);
    sy_fe_set(&r->z, 1);
    SY_UNROLL
    for (int i = 0; i < SY_WORDS; i++) r->y.v[i] = sy_load_word(bytes + 4 * i);
    uint32_t sign = r->y.v[7] >> 31;
    r->y.v[7] &= 0x7fffffffu;
    sy_fe_square(&u, &r->y);
    sy_fe_mul(&v, &u, &d);
    sy_fe_sub(&u, &u, &r->z); // y^2 - 1
    sy_fe_add(&v, &v, &r->z); // d y^2 + 1; x^2 = u / v
    sy_fe_square(&v3, &v);
    sy_fe_mul(&v3, &v3, &v);
    sy_fe_square(&x, &v3);
    sy_fe_mul(&x, &x, &v);
    sy_fe_mul(&x, &x, &u); // u v^7
    sy_fe_power_root(&x, &x);
    sy_fe_mul(&x, &x, &v3);
    sy_fe_mul(&x, &x, &u);
    sy_fe_square(&check, &x);
    sy_fe_mul(&check, &check, &v);
    sy_fe_sub(&v3, &check, &u);
    if (!sy_fe_is_zero(&v3)) {
        sy_fe_add(&v3, &check, &u);
        if (!sy_fe_is_zero(&v3)) {
            sy_pt_neutral(r);
            return 0;
        }
        sy_fe_mul(&x, &x, &root);
    }
    sy_fe_freeze(&x, &x);
    if ((x.v[0] & 1u) != (sign ^ negate)) sy_fe_sub(&x, &zero, &x);
    r->x = x;
    sy_fe_mul(&r->t, &r->x, &r->y);
    return 1;
}

#endif
