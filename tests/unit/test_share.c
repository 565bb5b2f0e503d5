/* test_share.c: what a share gives, in a burst and in the long run. */
#include "core/base/share.h"

#include "tests/support/test.h"

#define SECOND 1000000000ull
#define PER_S 1000u

/* What somebody gets who asks for `amount` every 100 us from from_ns until to_ns. */
static uint64_t take_all(struct sy_share *share, uint64_t from_ns, uint64_t to_ns, uint64_t amount)
{
    uint64_t taken = 0;
    for (uint64_t now_ns = from_ns; now_ns < to_ns; now_ns += 100000) {
        for (unsigned i = 0; i < 64 && sy_share_left(share, now_ns); i++) {
            sy_share_spend(share, amount, PER_S);
            taken += amount;
        }
    }
    return taken;
}

CASE(share_bounds_the_greedy)
{
    struct sy_share share = {0};
    /* Two seconds' worth and what was saved up before. */
    assert_in_range(take_all(&share, 100 * SECOND, 102 * SECOND, 1), 3 * PER_S - 2, 3 * PER_S + 2);
    assert_in_range(take_all(&share, 102 * SECOND, 103 * SECOND, 1), PER_S - 2, PER_S + 2);
}

CASE(share_saves_up_for_a_second_and_no_longer)
{
    struct sy_share share = {0};
    (void)take_all(&share, 100 * SECOND, 100 * SECOND + 1, PER_S);
    assert_in_range(take_all(&share, 900 * SECOND, 900 * SECOND + 30000000, 1), PER_S, PER_S + 32);
}

CASE(share_lets_the_last_use_go_over_and_waits_for_it)
{
    struct sy_share share = {0};
    assert_true(sy_share_left(&share, 100 * SECOND));
    sy_share_spend(&share, 5 * PER_S, PER_S);
    assert_false(sy_share_left(&share, 104 * SECOND - 1));
    assert_true(sy_share_left(&share, 104 * SECOND));
}

CASE(share_gives_the_modest_all_they_ask_for)
{
    struct sy_share share = {0};
    for (uint64_t ms = 0; ms < 5000; ms++) {
        assert_true(sy_share_left(&share, ms * 1000000));
        sy_share_spend(&share, 1, PER_S);
    }
}

CASE(share_counts_the_largest_amounts_without_overflow)
{
    struct sy_share share = {0};
    sy_share_spend(&share, UINT64_MAX, 1);
    assert_true(share.spent_ns == SY_SHARE_AMOUNT_MAX * SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(share_bounds_the_greedy),
        cmocka_unit_test(share_saves_up_for_a_second_and_no_longer),
        cmocka_unit_test(share_lets_the_last_use_go_over_and_waits_for_it),
        cmocka_unit_test(share_gives_the_modest_all_they_ask_for),
        cmocka_unit_test(share_counts_the_largest_amounts_without_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
