/* Whose clock is off: by what peers' statuses say, with liars among them, delays and own steps. */
#include "consensus/node/clocks.h"

#include "tests/support/test.h"

#define MS 1000000ull
#define SKEW_MS 2000
#define HOUR_MS 3600000ll
#define YEARS_MS (10ll * 365 * 24 * HOUR_MS)
#define START_MS 1700000000000ll

static struct sy_clocks clocks;
static uint64_t now_ns;
static int64_t own_ms; /* the own wall clock minus the monotonic one */

static void begin(uint16_t n)
{
    sy_clocks_init(&clocks, n, 0, SKEW_MS);
    now_ns = 7000 * MS;
    own_ms = START_MS;
}

static int64_t wall_ms(void)
{
    return own_ms + (int64_t)(now_ns / MS);
}

/* A peer's clock is so far ahead of START_MS, and its status was so long on its way. */
static bool hear(uint16_t peer, int64_t ahead_ms, int64_t delay_ms)
{
    int64_t time_ms = START_MS + (int64_t)(now_ns / MS) + ahead_ms - delay_ms;
    return sy_clocks_note(&clocks, peer, time_ms, wall_ms(), now_ns);
}

/* Everybody but validator 0 says his status five times a second, the first `liars` of them wrong by
 * lie_ms. Returns how often the verdict changed. */
static unsigned listen(uint16_t n, uint16_t liars, int64_t lie_ms, unsigned seconds)
{
    unsigned changes = 0;
    for (unsigned i = 0; i < 5 * seconds; i++) {
        for (uint16_t peer = 1; peer < n; peer++)
            changes += hear(peer, peer <= liars ? lie_ms : 0, 1 + peer % 7);
        now_ns += 200 * MS;
    }
    return changes;
}

static const struct sy_clocks_info *judged(void)
{
    static struct sy_clocks_info info;
    sy_clocks_get_info(&clocks, &info, wall_ms(), now_ns);
    return &info;
}

CASE(a_clock_that_agrees_is_not_off)
{
    begin(4);
    assert_false(judged()->off);
    assert_int_equal(listen(4, 0, 0, 60), 0);
    assert_false(judged()->off);
    assert_in_range(judged()->error_ms, 0, 8);
    assert_int_equal(judged()->peers_off, 0);
}

CASE(f_liars_ten_years_ahead_move_nobody)
{
    for (uint16_t n = 4; n <= SY_VALIDATORS_MAX; n++) {
        begin(n);
        uint16_t f = (uint16_t)sy_faulty_max(n);
        assert_int_equal(listen(n, f, YEARS_MS, 12), 0);
        assert_false(judged()->off);
        assert_int_equal(judged()->peers_off, f);
        assert_true(judged()->peers[1].off && judged()->peers[f].off);
        assert_false(judged()->peers[sy_weak(n)].off);
    }
}

static void expect_off(uint16_t n, int64_t own_error_ms)
{
    uint16_t others = (uint16_t)(sy_faulty_max(n) - 1); // as sick, and the other way
    begin(n);
    own_ms += own_error_ms;
    assert_int_equal(listen(n, others, -own_error_ms, 4), 0); // not at once
    assert_false(judged()->off);
    assert_int_equal(listen(n, others, -own_error_ms, 4), 1);
    assert_true(judged()->off);
    int64_t rest_ms = judged()->error_ms - own_error_ms;
    assert_true(rest_ms >= -10 && rest_ms <= 10);
    assert_int_equal(judged()->peers_off, others);
    own_ms -= own_error_ms; // set right: it ends by itself
    assert_int_equal(listen(n, others, -own_error_ms, 1), 1);
    assert_false(judged()->off);
}

CASE(one_clock_that_is_an_hour_off_says_so_until_it_is_set)
{
    for (uint16_t n = 4; n <= SY_VALIDATORS_MAX; n++) {
        expect_off(n, HOUR_MS);
        expect_off(n, -HOUR_MS);
    }
}

CASE(the_own_step_shows_before_anybody_speaks_again)
{
    begin(4);
    listen(4, 0, 0, 6);
    own_ms += HOUR_MS;
    assert_int_equal(judged()->peers[2].offset_ms / 1000, -3600);
    assert_false(hear(1, 0, 1)); // it counts from now,
    now_ns += SY_CLOCKS_LASTS_NS - 1;
    assert_false(hear(1, 0, 1) || hear(2, 0, 1));
    now_ns += 1;
    assert_true(hear(1, 0, 1)); // and once is enough
    assert_false(hear(1, 0, 1));
}

CASE(delay_is_no_skew)
{
    begin(4);
    /* Of each peer's statuses every twentieth is in time, the others take up to a minute. */
    for (unsigned i = 0; i < 600; i++) {
        for (uint16_t peer = 1; peer < 4; peer++)
            assert_false(hear(peer, 0, (i + peer) % 20 == 0 ? 5 : 1000 * (int64_t)(i % 60)));
        now_ns += 200 * MS;
    }
    assert_false(judged()->off);
    /* After a sleep of a minute all that waited comes at once, the oldest first. */
    now_ns += 60000 * MS;
    for (int64_t age_ms = 60000; age_ms >= 0; age_ms -= 200) {
        for (uint16_t peer = 1; peer < 4; peer++) assert_false(hear(peer, 0, age_ms));
    }
    assert_int_equal(listen(4, 0, 0, 10), 0);
    assert_in_range(judged()->error_ms, 0, 8);
}

CASE(a_difference_below_the_skew_is_borne)
{
    begin(4);
    own_ms += SKEW_MS - 10;
    assert_int_equal(listen(4, 0, 0, 20), 0);
    assert_false(judged()->off);
    own_ms += 20;
    assert_int_equal(listen(4, 0, 0, 20), 1);
    assert_true(judged()->off);
}

CASE(whoever_hears_too_few_keeps_his_opinion)
{
    begin(4);
    own_ms += HOUR_MS;
    for (unsigned i = 0; i < 100; i++) { // one peer alone may lie
        assert_false(hear(1, 0, 1));
        now_ns += 200 * MS;
    }
    assert_false(judged()->off);
    assert_int_equal(listen(4, 0, 0, 6), 1);
    now_ns += 3 * SY_CLOCKS_PERIOD_NS;
    assert_false(hear(1, HOUR_MS, 1)); // nobody else lately: that is no reason to feel well
    assert_true(judged()->off);
    assert_true(judged()->peers[1].heard);
    assert_false(judged()->peers[2].heard);
    assert_false(hear(0, 0, 0) || hear(4, 0, 0)); // nobody's clock
}

CASE(half_of_the_clocks_prove_nothing)
{
    begin(6); // f = 1, weak = 2: two of three others speak, and the third agrees with this one
    for (unsigned i = 0; i < 100; i++) {
        assert_false(hear(1, HOUR_MS, 1) || hear(2, HOUR_MS, 1) || hear(3, 0, 1));
        now_ns += 200 * MS;
    }
    assert_false(judged()->off);
}

CASE(no_time_is_too_large)
{
    const int64_t times[] = {INT64_MIN, -1, 0, 1, INT64_MAX};
    begin(4);
    for (unsigned i = 0; i < 125 * 3; i++) {
        uint16_t peer = (uint16_t)(1 + i % 3);
        (void)sy_clocks_note(&clocks, peer, times[i % 5], times[i / 5 % 5], now_ns);
        (void)judged();
        now_ns += SY_CLOCKS_PERIOD_NS / 3;
    }
    assert_false(sy_clocks_note(&clocks, 1, INT64_MAX, 0, UINT64_MAX));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_clock_that_agrees_is_not_off),
        cmocka_unit_test(f_liars_ten_years_ahead_move_nobody),
        cmocka_unit_test(one_clock_that_is_an_hour_off_says_so_until_it_is_set),
        cmocka_unit_test(the_own_step_shows_before_anybody_speaks_again),
        cmocka_unit_test(delay_is_no_skew),
        cmocka_unit_test(a_difference_below_the_skew_is_borne),
        cmocka_unit_test(whoever_hears_too_few_keeps_his_opinion),
        cmocka_unit_test(half_of_the_clocks_prove_nothing),
        cmocka_unit_test(no_time_is_too_large),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
