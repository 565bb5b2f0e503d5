/* test_quantile.c: quantiles against sorted values. */
#include <stdlib.h>

#include "core/base/prng.h"
#include "core/base/quantile.h"
#include "tests/support/test.h"

#define VALUES 20000u

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

CASE(quantile_of_nothing_is_zero)
{
    static struct sy_quantile quantile;
    assert_int_equal(sy_quantile_get(&quantile, 500), 0);
}

CASE(quantile_lies_within_three_percent_above_the_true_one)
{
    static struct sy_quantile quantile;
    static uint64_t values[VALUES];
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    for (unsigned i = 0; i < VALUES; i++) {
        values[i] = sy_prng_next(&prng) >> (20 + sy_prng_below(&prng, 40));
        sy_quantile_add(&quantile, values[i]);
    }
    qsort(values, VALUES, sizeof values[0], compare);
    static const unsigned asked[] = {1, 10, 500, 900, 990, 999, 1000};
    for (unsigned i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        uint64_t exact = values[(VALUES * asked[i] + 999) / 1000 - 1];
        uint64_t got = sy_quantile_get(&quantile, asked[i]);
        assert_true(got >= exact);
        assert_true(got - exact <= exact / 32 + 1);
    }
}

CASE(quantile_takes_every_value_and_merges)
{
    static struct sy_quantile a;
    static struct sy_quantile b;
    sy_quantile_add(&a, 0);
    sy_quantile_add(&b, UINT64_MAX);
    sy_quantile_merge(&a, &b);
    assert_int_equal(a.count, 2);
    assert_true(sy_quantile_get(&a, 1000) == UINT64_MAX);
    assert_int_equal(sy_quantile_get(&a, 500), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantile_of_nothing_is_zero),
        cmocka_unit_test(quantile_lies_within_three_percent_above_the_true_one),
        cmocka_unit_test(quantile_takes_every_value_and_merges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
