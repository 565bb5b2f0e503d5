/* ed25519_bytes.c: see ed25519_bytes.h. */
#include "core/crypto/ed25519_bytes.h"

#include "core/base/bytes.h"

static struct sy_packed pack(const struct sy_field *a)
{
    struct sy_packed packed;
    sy_field_pack(&packed, a);
    return packed;
}

static bool is_equal(const struct sy_field *a, const struct sy_field *b)
{
    struct sy_packed x = pack(a), y = pack(b);
    return memcmp(&x, &y, sizeof x) == 0;
}

bool sy_field_is_zero(const struct sy_field *a)
{
    struct sy_packed packed = pack(a);
    return (packed.word[0] | packed.word[1] | packed.word[2] | packed.word[3]) == 0;
}

// 0 - a, tight.
static void negate_field(struct sy_field *r, const struct sy_field *a)
{
    struct sy_field zero = sy_field_of(0, 0, 0, 0, 0);
    sy_field_sub(r, &zero, a);
    sy_field_tighten(r, r);
}

// x with v x^2 = u, as RFC 8032 5.1.3 step 3 finds it: a candidate of which the square may come out
// as -u, and then the square root of -1 times it. False: there is none.
static bool divide_root(struct sy_field *x, const struct sy_field *u, const struct sy_field *v)
{
    const struct sy_field root_of_minus_1 = sy_field_of(
        0x61b274a0ea0b0, 0x0d5a5fc8f189d, 0x7ef5e9cbd0c60, 0x78595a6804c9e, 0x2b8324804fc1d);
    struct sy_field v3, t, square, minus_u;
    sy_field_sqr(&v3, v);
    sy_field_mul(&v3, &v3, v);
    sy_field_sqr(&t, &v3);
    sy_field_mul(&t, &t, v);
    sy_field_mul(&t, &t, u); // u v^7
    sy_field_pow_p58(&t, &t);
    sy_field_mul(&t, &t, &v3);
    sy_field_mul(x, &t, u);
    sy_field_sqr(&square, x);
    sy_field_mul(&square, &square, v);
    if (is_equal(&square, u)) return true;
    negate_field(&minus_u, u);
    if (!is_equal(&square, &minus_u)) return false;
    sy_field_mul(x, x, &root_of_minus_1);
    return true;
}

bool sy_point_decode(struct sy_point *r, const uint8_t bytes[32], bool negate)
{
    const struct sy_field one = sy_field_of(1, 0, 0, 0, 0);
    const struct sy_field d = sy_field_of(0x34dca135978a3, 0x1a8283b156ebd, 0x5e7a26001c029,
                                          0x739c663a03cbb, 0x52036cee2b6ff);
    struct sy_packed packed;
    struct sy_field u, v, square;
    for (size_t i = 0; i < 4; i++) packed.word[i] = sy_load_u64(bytes + 8 * i);
    sy_field_unpack(&r->y, &packed);
    sy_field_sqr(&square, &r->y);
    sy_field_sub(&u, &square, &one);
    sy_field_tighten(&u, &u); // To be compared.
    sy_field_mul(&v, &square, &d);
    sy_field_add(&v, &v, &one);
    if (!divide_root(&r->x, &u, &v)) return false;
    bool sign = bytes[31] >> 7;
    bool is_odd = pack(&r->x).word[0] & 1;
    if ((is_odd != sign) != negate) negate_field(&r->x, &r->x);
    r->z = one;
    sy_field_mul(&r->t, &r->x, &r->y);
    return true;
}

void sy_fields_invert(struct sy_field *elements, struct sy_field *scratch, size_t count)
{
    struct sy_field all = sy_field_of(1, 0, 0, 0, 0);
    if (count == 0) return;
    for (size_t i = 0; i < count; i++) {
        scratch[i] = all; // The product of those before.
        sy_field_mul(&all, &all, &elements[i]);
    }
    sy_field_invert(&all, &all);
    for (size_t i = count; i-- > 0;) {
        struct sy_field inverse;
        sy_field_mul(&inverse, &all, &scratch[i]);
        sy_field_mul(&all, &all, &elements[i]);
        elements[i] = inverse;
    }
}
