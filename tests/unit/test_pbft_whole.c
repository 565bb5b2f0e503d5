/* test_pbft_whole.c: small worlds tried whole (tests/scenario/pbft_whole.h says what that means).
 * Each case prints its bound and what was tried. ctest: slow plain timeout=900
 *
 * SYSTOLE_WHOLE_DELAYS=N allows N delays in the largest of them, up to 64, and
 * SYSTOLE_WHOLE_STATES=N ends each search at N states, the fewest delays first. `./run model whole`
 * sets both. */
#include "tests/scenario/pbft_whole.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/support/test.h"

static unsigned delays_of_the_largest;
static uint64_t states_max; /* 0: all there are */

static struct whole_result try_all(const struct whole_rules *rules)
{
    struct whole_result result;
    clock_t start = clock();
    whole_run(&result, rules);
    printf("%u slots, of the first two %u and %u proposals, %u may give up the primary%s%s%s, ",
           rules->slots, rules->faces[1], rules->faces[2], rules->leavers,
           rules->seals ? ", seals" : "", rules->prompt ? "" : ", slow disks",
           rules->plain ? ", plain" : "");
    printf("%u delays%s%s: %" PRIu64 " states, %" PRIu64 " transitions; of machines %" PRIu64
           " and %" PRIu64 "; NEW_VIEW in %" PRIu64 ", keeps a decision in %" PRIu64 "; %" PRIu64
           " ends, carried over one slot %" PRIu64 ", two %" PRIu64 "; %" PRIu64
           " fates; %.1f CPU-s\n",
           rules->delays_max, result.unbounded ? " (all)" : "",
           result.finished ? "" : ", not to the end", result.states, result.transitions,
           result.locals, result.steps, result.new_views, result.kept, result.ends,
           result.carried[1], result.carried[2], result.fates,
           (double)(clock() - start) / CLOCKS_PER_SEC);
    fflush(stdout);
    if (result.failure[0]) fail_msg("%s", result.failure);
    assert_true(result.finished || (states_max > 0 && result.states >= states_max));
    return result;
}

/* Whether all of it was tried, */
static bool is_unbounded(const struct whole_result *result)
{
    return result->unbounded || !result->finished;
}

/* and there are runs that carry over so many slots; or a bound that was asked for ended it. */
static bool carries(const struct whole_result *result, unsigned slots)
{
    bool all = true;
    for (unsigned s = 1; s <= slots; s++) all &= result->carried[s] > 0;
    return all || !result->finished;
}

/* The rules of all cases: as many delays as it takes. */
static struct whole_rules rules_of(unsigned slots, unsigned faces_1, unsigned faces_2)
{
    return (struct whole_rules){.slots = slots,
                                .faces = {0, faces_1, faces_2},
                                .prompt = true,
                                .leavers = 3,
                                .delays_max = WHOLE_DELAYS_MAX,
                                .states_max = states_max > 0 ? states_max : 100000000};
}

/* What two faces can bring about in one slot, to its end. */
CASE(one_slot_with_two_faces)
{
    struct whole_rules rules = rules_of(1, 2, 0);
    struct whole_result result = try_all(&rules);
    assert_true(is_unbounded(&result) && carries(&result, 1));
}

/* The orders that are left out change nothing: with them it ends in no other way. */
CASE(one_slot_in_more_orders)
{
    struct whole_rules rules = rules_of(1, 1, 0);
    struct whole_result few = try_all(&rules);
    rules.plain = true;
    struct whole_result many = try_all(&rules);
    assert_true(is_unbounded(&few) && is_unbounded(&many));
    if (!few.finished || !many.finished) return;
    assert_true(many.states > few.states);
    assert_int_equal(few.fates, many.fates);
    assert_memory_equal(few.fates_sum.bytes, many.fates_sum.bytes, sizeof few.fates_sum.bytes);
}

/* A primary with one face, silent to whom it likes, to its end. */
CASE(two_slots)
{
    struct whole_rules rules = rules_of(2, 1, 1);
    struct whole_result result = try_all(&rules);
    assert_true(is_unbounded(&result) && carries(&result, 2));
}

CASE(two_slots_and_two_faces_in_one)
{
    struct whole_rules rules = rules_of(2, 2, 1);
    struct whole_result result = try_all(&rules);
    assert_true(is_unbounded(&result));
    assert_true(carries(&result, 2));
}

CASE(two_slots_and_two_faces_in_both)
{
    struct whole_rules rules = rules_of(2, 2, 2);
    rules.delays_max = delays_of_the_largest;
    struct whole_result result = try_all(&rules);
    assert_true(carries(&result, 2));
}

/* Disks and ledgers as slow as they like; the last validator gives up the primary, and whoever
 * hears of two that do. */
CASE(one_slot_with_slow_disks)
{
    struct whole_rules rules = rules_of(1, 1, 0);
    rules.prompt = false;
    rules.leavers = 1;
    struct whole_result result = try_all(&rules);
    assert_true(is_unbounded(&result) && carries(&result, 1));
}

/* Seals as well, and so certificates: a VIEW_CHANGE may say that all is final. */
CASE(one_slot_and_seals)
{
    struct whole_rules rules = rules_of(1, 2, 0);
    rules.seals = true;
    struct whole_result result = try_all(&rules);
    assert_true(is_unbounded(&result) && carries(&result, 1));
}

int main(void)
{
    const char *delays = getenv("SYSTOLE_WHOLE_DELAYS");
    const char *states = getenv("SYSTOLE_WHOLE_STATES");
    if (delays) delays_of_the_largest = (unsigned)strtoul(delays, NULL, 10);
    if (delays_of_the_largest > WHOLE_DELAYS_MAX) return 2;
    if (states) states_max = strtoull(states, NULL, 10);
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(one_slot_with_two_faces),
        cmocka_unit_test(one_slot_in_more_orders),
        cmocka_unit_test(two_slots),
        cmocka_unit_test(two_slots_and_two_faces_in_one),
        cmocka_unit_test(one_slot_with_slow_disks),
        cmocka_unit_test(one_slot_and_seals),
        cmocka_unit_test(two_slots_and_two_faces_in_both),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
