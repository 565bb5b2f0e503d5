/* test_avx512_bounds.c: the limb bounds that core/crypto/avx512_*.h state, proven.
 *
 * The same source is compiled over intervals (avx512_lanes.h): from the widest operands that a
 * routine promises to take, no operation leaves its range, and what comes out is no wider than
 * promised. What goes round in loops comes out as it went in. */
#define SY_LANES_BOUNDS
#include "core/crypto/avx512_point.h"
#include "core/crypto/avx512_scalar.h"
#include "tests/support/test.h"

/* 2^59.6: what a product of a factor and any 52-bit limbs can be. */
#define PRODUCT_MAX (UINT64_C(3) << 58)

static struct fe widest_factor(void)
{
    struct fe a;
    for (int i = 0; i < FE_LIMBS; i++) a.l[i] = lanes_between(0, FE_LIMB_MAX);
    return a;
}

// What a table may hold: anything below 2^52.
static struct fe widest_entry(void)
{
    struct fe a;
    for (int i = 0; i < FE_LIMBS; i++) a.l[i] = lanes_between(0, SY_LANES_FACTOR_MAX);
    return a;
}

static struct fe_wide widest(uint64_t min_0, uint64_t min_i, uint64_t above)
{
    struct fe_wide a = {{lanes_between(min_0, min_0 + above)}};
    for (int i = 1; i < FE_LIMBS; i++) a.l[i] = lanes_between(min_i, min_i + above);
    return a;
}

static void assert_factor(const struct fe *a)
{
    for (int i = 0; i < FE_LIMBS; i++) assert_true(a->l[i].max <= FE_LIMB_MAX);
}

static void assert_product(const struct fe_wide *a)
{
    for (int i = 0; i < FE_LIMBS; i++) assert_true(a->l[i].max <= PRODUCT_MAX);
}

static void assert_biased(const struct fe_wide *a)
{
    for (int i = 0; i < FE_LIMBS; i++) {
        uint64_t bias = i == 0 ? FE_BIAS_0 : FE_BIAS_I;
        assert_true(a->l[i].min >= bias && a->l[i].max <= bias + PRODUCT_MAX);
    }
}

static void multiply_a_sum(void *context)
{
    (void)context;
    struct fe a = widest_factor(), b = widest_factor();
    for (int i = 0; i < FE_LIMBS; i++) b.l[i] = lanes_add(b.l[i], b.l[i]);
    (void)fe_mul_wide(&a, &b);
}

static void subtract_without_bias(void *context)
{
    (void)context;
    struct fe_wide a = widest(0, 0, PRODUCT_MAX);
    (void)fe_sub(&a, &a);
}

CASE(a_broken_bound_aborts)
{
    assert_aborts(multiply_a_sum, NULL);
    assert_aborts(subtract_without_bias, NULL);
}

CASE(products_and_carries_keep_their_classes)
{
    struct fe a = widest_factor(), entry = widest_entry();
    struct fe_wide products[] = {fe_mul_wide(&a, &a), fe_mul_wide(&a, &entry), fe_square_wide(&a)};
    struct fe_wide biased[] = {fe_mul_biased(&a, &a), fe_mul_biased(&a, &entry),
                               fe_square_biased(&a)};
    for (int i = 0; i < 3; i++) {
        assert_product(&products[i]);
        assert_biased(&biased[i]);
    }
    struct fe_wide wide = widest(0, 0, FE_WIDE_MAX);
    struct fe factors[] = {fe_carry(&wide),         fe_mul(&a, &a),   fe_square(&a),
                           fe_sum(&a, &a),          fe_negative(&a),  fe_difference(&a, &a),
                           fe_select(0x0f, &a, &a), fe_power_p58(&a), fe_invert(&a)};
    for (size_t i = 0; i < sizeof factors / sizeof factors[0]; i++) assert_factor(&factors[i]);
}

CASE(words_hold_what_they_are_given)
{
    struct fe a = widest_factor();
    struct fe tight = fe_tighten(&a), canonical = fe_canonical(&a);
    for (int i = 0; i < FE_LIMBS; i++) {
        assert_true(tight.l[i].max <= (i < 4 ? FE_MASK : SY_LANES_FACTOR_MAX));
        assert_true(canonical.l[i].max <= FE_MASK);
    }
    sy_lanes words[4];
    for (int i = 0; i < 4; i++) words[i] = lanes_between(0, UINT64_MAX);
    struct fe read = fe_from_words(words);
    for (int i = 0; i < FE_LIMBS; i++) {
        assert_true(read.l[i].max <= (i < 4 ? FE_MASK : SY_LANES_FACTOR_MAX));
    }
}

static struct point widest_point(void)
{
    struct fe_wide product = widest(0, 0, PRODUCT_MAX);
    struct fe_wide biased = widest(FE_BIAS_0, FE_BIAS_I, PRODUCT_MAX);
    return (struct point){product, biased, biased, product};
}

static void assert_point(const struct point *p)
{
    assert_product(&p->x);
    assert_biased(&p->y);
    assert_biased(&p->z);
    assert_product(&p->t);
}

CASE(points_come_out_of_every_operation_as_they_went_in)
{
    struct fe entry = widest_entry();
    struct niels niels = {entry, entry, entry};
    struct cached cached = {entry, entry, entry, entry};
    struct fe a = widest_factor();
    struct point points[5] = {widest_point(), widest_point(), widest_point(), point_identity(),
                              point_from_affine(&a, &a)};
    point_add_niels(&points[0], &niels, true);
    point_add_cached(&points[1], &cached, true);
    point_double(&points[2], true);
    for (int i = 0; i < 5; i++) assert_point(&points[i]);
}

CASE(cached_and_decoded_points_are_factors)
{
    struct point p = widest_point();
    struct cached q = point_cache(&p), turned = cached_negate(0x55, &q);
    const struct fe *parts[] = {&q.plus,      &q.minus,      &q.t,     &q.z2,
                                &turned.plus, &turned.minus, &turned.t};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) assert_factor(parts[i]);
    sy_lanes words[4];
    struct fe x, y;
    for (int i = 0; i < 4; i++) words[i] = lanes_between(0, UINT64_MAX);
    (void)point_decode_negative(&x, &y, words);
    assert_factor(&x);
    assert_factor(&y);
}

CASE(scalars_never_overflow)
{
    sy_lanes words[8], digits[SC_SIGN_WORDS];
    for (int i = 0; i < 8; i++) words[i] = lanes_between(0, UINT64_MAX);
    struct scalar k = sc_reduce(words), s = sc_from_words(words);
    for (int i = 0; i < SC_LIMBS; i++) {
        assert_true(k.l[i].max <= SC_MASK);
        assert_true(s.l[i].max <= SC_MASK);
    }
    (void)sc_below_order(&s);
    for (unsigned count = 254; count <= 260; count++) sc_to_signs(digits, &k, count);
    sc_to_digits(digits, &k);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_broken_bound_aborts),
        cmocka_unit_test(products_and_carries_keep_their_classes),
        cmocka_unit_test(words_hold_what_they_are_given),
        cmocka_unit_test(points_come_out_of_every_operation_as_they_went_in),
        cmocka_unit_test(cached_and_decoded_points_are_factors),
        cmocka_unit_test(scalars_never_overflow),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
