/* test_ed25519_bounds.c: the limb bounds that ed25519_field.h states, proved: its very source, and
 * that of ed25519_point.h, compiled over intervals (interval_limb.h). What is tight goes in, no
 * step overflows, and what comes out is tight: so by induction everywhere. */
#include "tests/unit/interval_limb.h"

#include "core/crypto/ed25519_point.h"
#include "tests/support/test.h"

#define LOOSE ((UINT64_C(1) << 54) - 1)
#define TIGHT_1 ((UINT64_C(1) << 51) + (1u << 13))

static struct sy_field field_up_to(uint64_t most)
{
    struct sy_field f;
    for (int i = 0; i < 5; i++) f.v[i] = (sy_limb){0, most};
    return f;
}

static struct sy_field any_tight(void)
{
    struct sy_field f = field_up_to(SY_LIMB_MASK);
    f.v[1].most = TIGHT_1;
    return f;
}

static struct sy_point any_point(void)
{
    struct sy_point p = {any_tight(), any_tight(), any_tight(), any_tight()};
    return p;
}

static void assert_tight(const struct sy_field *f)
{
    assert_int_equal(interval_faults, 0);
    for (int i = 0; i < 5; i++) assert_true(f->v[i].most <= (i == 1 ? TIGHT_1 : SY_LIMB_MASK));
}

static void assert_below(const struct sy_field *f, uint64_t most)
{
    assert_int_equal(interval_faults, 0);
    for (int i = 0; i < 5; i++) assert_true(f->v[i].most <= most);
}

static void assert_point(const struct sy_point *p)
{
    assert_tight(&p->x);
    assert_tight(&p->y);
    assert_tight(&p->z);
    assert_tight(&p->t);
}

static int forget_faults(void **state)
{
    (void)state;
    interval_faults = 0;
    return 0;
}

CASE(products_of_loose_elements_are_tight)
{
    struct sy_field a = field_up_to(LOOSE), r;
    sy_field_mul(&r, &a, &a);
    assert_tight(&r);
    sy_field_sqr(&r, &a);
    assert_tight(&r);
    sy_field_tighten(&r, &a);
    assert_tight(&r);
}

CASE(sums_and_differences_of_tight_elements_are_loose)
{
    struct sy_field a = any_tight(), sum, r;
    sy_field_add(&sum, &a, &a);
    assert_below(&sum, LOOSE);
    sy_field_sub(&r, &a, &a);
    assert_below(&r, LOOSE);
    sy_field_sub(&r, &sum, &a); // The widest one of the formulas.
    assert_below(&r, LOOSE);
}

CASE(what_is_frozen_fits_51_bits)
{
    struct sy_field a = any_tight(), r;
    sy_field_freeze(&r, &a);
    assert_below(&r, SY_LIMB_MASK);
}

CASE(powers_are_tight)
{
    struct sy_field a = field_up_to(LOOSE), r;
    sy_field_invert(&r, &a);
    assert_tight(&r);
    sy_field_pow_p58(&r, &a);
    assert_tight(&r);
}

CASE(doublings_keep_the_bounds)
{
    struct sy_point p = any_point(), r;
    sy_point_double(&r, &p, true);
    assert_point(&r);
}

CASE(additions_keep_the_bounds)
{
    struct sy_point p = any_point(), r;
    struct sy_cached cached;
    // Tables hold elements below p, but sums and differences of tight ones would do as well.
    struct sy_affine affine = {field_up_to(LOOSE), field_up_to(LOOSE), field_up_to(LOOSE)};
    sy_point_cache(&cached, &p);
    for (int subtract = 0; subtract < 2; subtract++) {
        sy_point_add(&r, &p, &cached, subtract, true);
        assert_point(&r);
        sy_point_add_affine(&r, &p, &affine, subtract, true);
        assert_point(&r);
    }
}

CASE(the_neutral_element_is_within_them)
{
    struct sy_point p;
    sy_point_zero(&p);
    assert_point(&p);
}

// A proof by a checker that finds no fault anywhere would be worth nothing.
CASE(what_is_beyond_the_bounds_is_found)
{
    struct sy_field wide = field_up_to(UINT64_C(1) << 60), tight = any_tight(), r;
    sy_field_mul(&r, &wide, &wide);
    assert_true(interval_faults > 0);
    interval_faults = 0;
    struct sy_field more = field_up_to(UINT64_C(1) << 53);
    sy_field_sub(&r, &tight, &more);
    assert_true(interval_faults > 0);
    interval_faults = 0;
    struct sy_field most = field_up_to(UINT64_MAX);
    sy_field_add(&r, &most, &tight);
    assert_true(interval_faults > 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test_setup(products_of_loose_elements_are_tight, forget_faults),
        cmocka_unit_test_setup(sums_and_differences_of_tight_elements_are_loose, forget_faults),
        cmocka_unit_test_setup(what_is_frozen_fits_51_bits, forget_faults),
        cmocka_unit_test_setup(powers_are_tight, forget_faults),
        cmocka_unit_test_setup(doublings_keep_the_bounds, forget_faults),
        cmocka_unit_test_setup(additions_keep_the_bounds, forget_faults),
        cmocka_unit_test_setup(the_neutral_element_is_within_them, forget_faults),
        cmocka_unit_test_setup(what_is_beyond_the_bounds_is_found, forget_faults),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
