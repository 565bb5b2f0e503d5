/* test_resend.c: when a transaction is kept back, and how patience grows: no clock is asked. */
#include "core/client/resend.h"

#include "tests/support/test.h"

#define SECOND 1000000000ull
#define MS_US 1000u

CASE(patience_follows_what_transactions_take)
{
    assert_true(sy_resend_ns(0, 1) == SY_RESEND_LEAST_NS);
    assert_true(sy_resend_ns(50 * MS_US, 1) == SY_RESEND_LEAST_NS);
    assert_true(sy_resend_ns(500 * MS_US, 1) == 4 * SECOND);
    assert_true(sy_resend_ns(60000 * MS_US, 1) == SY_RESEND_MOST_NS);
    assert_true(sy_resend_ns(UINT64_MAX, 1) == SY_RESEND_MOST_NS);
}

CASE(patience_doubles_within_bounds)
{
    uint64_t before = 0;
    for (unsigned sends = 1; sends < 5; sends++) {
        uint64_t now = sy_resend_ns(0, sends);
        assert_true(before == 0 || now == 2 * before);
        before = now;
    }
    assert_true(sy_resend_ns(0, 5) == SY_RESEND_MOST_NS);
    assert_true(sy_resend_ns(0, UINT32_MAX) == SY_RESEND_MOST_NS);
    assert_true(sy_resend_rest_ns(1) == SY_RESEND_LEAST_NS);
    assert_true(sy_resend_rest_ns(2) == 2 * SY_RESEND_LEAST_NS);
    assert_true(sy_resend_rest_ns(UINT32_MAX) == SY_RESEND_MOST_NS);
}

/* Nothing that was sent later is final: nobody gets on, and this one is not to blame. */
CASE(nothing_is_kept_back_while_nobody_gets_on)
{
    assert_false(sy_resend_is_kept(1000 * SECOND, 10 * SECOND, 0, 0, 1));
    assert_false(sy_resend_is_kept(1000 * SECOND, 10 * SECOND, 9 * SECOND, 0, 1));
    assert_false(sy_resend_is_kept(1000 * SECOND, 10 * SECOND, 10 * SECOND, 0, 1));
    assert_true(sy_resend_is_kept(1000 * SECOND, 10 * SECOND, 10 * SECOND + 1, 0, 1));
}

CASE(what_others_overtake_is_kept_back_after_some_latencies)
{
    uint64_t sent = 10 * SECOND, passed = 11 * SECOND, after = sent + 4 * SECOND;
    assert_false(sy_resend_is_kept(after, sent, passed, 500 * MS_US, 1));
    assert_true(sy_resend_is_kept(after + 1, sent, passed, 500 * MS_US, 1));
    assert_false(sy_resend_is_kept(after + 1, sent, passed, 500 * MS_US, 2));
    assert_true(sy_resend_is_kept(sent + 8 * SECOND + 1, sent, passed, 500 * MS_US, 2));
    assert_false(sy_resend_is_kept(sent, sent, passed, 0, 1));
    assert_false(sy_resend_is_kept(sent - 1, sent, passed, 0, 1)); // sent meanwhile
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(patience_follows_what_transactions_take),
        cmocka_unit_test(patience_doubles_within_bounds),
        cmocka_unit_test(nothing_is_kept_back_while_nobody_gets_on),
        cmocka_unit_test(what_others_overtake_is_kept_back_after_some_latencies),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
