/* test_pbft_whole.c: small worlds tried whole (tests/scenario/pbft_whole.h says what that means).
 * Each case prints its bound and what was tried. ctest: slow timeout=900
 *
 * SYSTOLE_WHOLE_DEPTH=N adds N to the depth of those that are bounded by it. */
#include "tests/scenario/pbft_whole.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/support/test.h"

/* A sanitizer makes a step some ten times as slow. */
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define SPARED 1u
#else
#define SPARED 0u
#endif

static uint64_t deeper;

static struct whole_result try_all(const struct whole_rules *rules)
{
    struct whole_result result;
    clock_t start = clock();
    whole_run(&result, rules);
    printf("%u slots, %u may give up the primary, %u quiet steps, depth %" PRIu64 "%s: %" PRIu64
           " states, %" PRIu64 " transitions; of single validators %" PRIu64 " and %" PRIu64
           "; %" PRIu64 " messages; executed %" PRIu64 ", %" PRIu64 "; NEW_VIEW %" PRIu64
           ", that keeps something %" PRIu64 "; %.1f CPU-s\n",
           rules->slots, rules->leavers, rules->quiet_max, result.depth,
           result.finished ? " (all)" : "", result.states, result.transitions, result.locals,
           result.steps, result.messages, result.executed[1], result.executed[2], result.new_views,
           result.kept, (double)(clock() - start) / CLOCKS_PER_SEC);
    if (result.failure[0]) fail_msg("%s", result.failure);
    return result;
}

/* Everything that two faces can bring about in one slot, until nothing is left to try. */
CASE(one_slot_in_view_0_to_its_end)
{
    struct whole_rules rules = {.slots = 1,
                                .prompt = true,
                                .quiet_max = 3 - SPARED,
                                .depth_max = UINT64_MAX,
                                .states_max = 1000000};
    struct whole_result result = try_all(&rules);
    assert_true(result.finished && result.executed[1] > 0);
}

CASE(one_slot_while_the_primary_is_given_up)
{
    struct whole_rules rules = {.slots = 1,
                                .prompt = true,
                                .seals = true,
                                .leavers = 3,
                                .quiet_max = 2,
                                .depth_max = 5 - SPARED + deeper,
                                .states_max = 100000000};
    struct whole_result result = try_all(&rules);
    assert_true(result.new_views > 0 && result.depth >= rules.depth_max);
}

CASE(two_slots_while_the_primary_is_given_up)
{
    struct whole_rules rules = {.slots = 2,
                                .prompt = true,
                                .leavers = 3,
                                .quiet_max = 2,
                                .depth_max = 3 - SPARED + deeper,
                                .states_max = 100000000};
    struct whole_result result = try_all(&rules);
    assert_true(result.new_views > 0 && result.depth >= rules.depth_max);
}

/* Disks and ledgers as slow as they like. */
CASE(one_slot_with_slow_disks)
{
    struct whole_rules rules = {.slots = 1,
                                .leavers = 2,
                                .quiet_max = 2,
                                .depth_max = 4 - SPARED + deeper,
                                .states_max = 100000000};
    struct whole_result result = try_all(&rules);
    assert_true(result.depth >= rules.depth_max);
}

int main(void)
{
    const char *more = getenv("SYSTOLE_WHOLE_DEPTH");
    if (more) deeper = strtoull(more, NULL, 10);
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(one_slot_in_view_0_to_its_end),
        cmocka_unit_test(one_slot_while_the_primary_is_given_up),
        cmocka_unit_test(two_slots_while_the_primary_is_given_up),
        cmocka_unit_test(one_slot_with_slow_disks),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
