/* Whole validators over simulated time: a fixed set of seeds, one new seed, and worlds with a fault
 * planted in them, which a checker must find.
 *
 *     test_sim                                the test
 *     test_sim --seeds A..B [--validators N]  these seeds, a line each
 *
 * ctest: timeout=1200 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/telemetry.h"
#include "tests/sim/sim.h"
#include "tests/support/test.h"

static void print_result(uint64_t seed, const struct sim_options *options,
                         const struct sim_result *result)
{
    printf("seed %" PRIu64 " n %u: %s; %" PRIu64 " heights, %" PRIu64 " txs (%" PRIu64
           " applied, %" PRIu64 " replays), %" PRIu64 " frames (%" PRIu64 " lost, %" PRIu64
           " garbled), %" PRIu64 " crashes (%" PRIu64 " inside a step), %" PRIu64
           " adopted, settled in %" PRIu64 " of %" PRIu64 " ms, lonely %" PRIu64 "\n",
           seed, options->validators, result->failed == SIM_CHECK_NONE ? "clean" : result->failure,
           result->heights, result->txs, result->applied, result->replays, result->frames,
           result->frames_lost, result->frames_garbled, result->crashes, result->crashes_in_step,
           result->adopted, result->settled_ms, result->simulated_ms, result->lonely_ms);
    fflush(stdout);
}

static void run_clean(uint64_t seed, uint16_t validators)
{
    struct sim_options options;
    struct sim_result result;
    sim_options_draw(&options, seed, validators);
    sim_run(&result, &options);
    print_result(seed, &options, &result);
    if (result.failed != SIM_CHECK_NONE) {
        fail_msg("test_sim --seeds %" PRIu64 "..%" PRIu64 " --validators %u: %s", seed, seed,
                 options.validators, result.failure);
    }
}

CASE(four_validators_survive_every_fault_of_these_seeds)
{
    for (uint64_t seed = 1; seed <= 80; seed++) run_clean(seed, 4);
}

CASE(other_sizes_survive_too)
{
    for (uint16_t validators = 5; validators <= 7; validators++) {
        for (uint64_t seed = 1; seed <= 4; seed++) run_clean(100u * validators + seed, validators);
    }
}

CASE(a_fresh_seed_survives)
{
    run_clean(test_seed(), 0);
}

CASE(the_same_seed_plays_the_same_world)
{
    struct sim_options options;
    struct sim_result once, again;
    sim_options_draw(&options, 77, 4);
    sim_run(&once, &options);
    sim_run(&again, &options);
    assert_true(once.trace == again.trace);
    assert_true(once.events == again.events && once.heights == again.heights);
    options.seed++;
    sim_run(&again, &options);
    assert_true(once.trace != again.trace);
}

/* Plays worlds until the planted fault has had its chance; the first check that fails must be one
 * that was made for it. */
static void expect_caught(enum sim_plant plant, enum sim_check check, enum sim_check other)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_options options;
        struct sim_result result;
        sim_options_draw(&options, seed, 4);
        options.plant = plant;
        options.crashes = 8;
        options.records = 30;
        sim_run(&result, &options);
        if (result.failed == SIM_CHECK_NONE) continue;
        printf("plant %d, seed %" PRIu64 ": %s\n", (int)plant, seed, result.failure);
        if (result.failed != check && result.failed != other) fail_msg("%s", result.failure);
        return;
    }
    fail_msg("no check found the planted fault %d", (int)plant);
}

CASE(a_disk_that_lies_is_caught)
{
    expect_caught(SIM_PLANT_LYING_DISK, SIM_CHECK_DURABLE, SIM_CHECK_DURABLE);
}

CASE(lost_votes_are_caught)
{
    expect_caught(SIM_PLANT_OLD_VOTES, SIM_CHECK_AMNESIA, SIM_CHECK_ALARM);
}

CASE(a_wiped_store_is_caught)
{
    expect_caught(SIM_PLANT_WIPED, SIM_CHECK_PROMISE, SIM_CHECK_PROMISE);
}

CASE(a_block_executed_otherwise_is_caught)
{
    expect_caught(SIM_PLANT_OTHER_TIME, SIM_CHECK_ALARM, SIM_CHECK_AGREEMENT);
}

CASE(a_turned_bit_in_a_header_is_caught)
{
    expect_caught(SIM_PLANT_BAD_HEADER, SIM_CHECK_AGREEMENT, SIM_CHECK_AGREEMENT);
}

CASE(a_turned_bit_in_a_certificate_is_caught)
{
    expect_caught(SIM_PLANT_BAD_SEAL, SIM_CHECK_CERTIFICATE, SIM_CHECK_CERTIFICATE);
}

CASE(a_transaction_applied_twice_is_caught)
{
    expect_caught(SIM_PLANT_NO_REPLAY, SIM_CHECK_ONCE, SIM_CHECK_ONCE);
}

CASE(a_transaction_that_nobody_signed_is_caught)
{
    expect_caught(SIM_PLANT_UNKNOWN_TX, SIM_CHECK_VALIDITY, SIM_CHECK_VALIDITY);
}

CASE(a_validator_that_stands_still_is_caught)
{
    expect_caught(SIM_PLANT_DEAF_EXECUTOR, SIM_CHECK_LIVENESS, SIM_CHECK_LIVENESS);
}

CASE(a_replay_that_differs_is_caught)
{
    expect_caught(SIM_PLANT_SHORT_REPLAY, SIM_CHECK_REPLAY, SIM_CHECK_REPLAY);
}

CASE(votes_that_are_kept_for_ever_are_caught)
{
    expect_caught(SIM_PLANT_KEPT_VOTES, SIM_CHECK_MEMORY, SIM_CHECK_MEMORY);
}

static int run_seeds(const char *range, uint16_t validators)
{
    uint64_t first, last;
    if (sscanf(range, "%" SCNu64 "..%" SCNu64, &first, &last) != 2 || first > last) {
        fprintf(stderr, "test_sim: --seeds wants A..B, not \"%s\"\n", range);
        return 2;
    }
    unsigned failed = 0;
    for (uint64_t seed = first; seed <= last; seed++) {
        struct sim_options options;
        struct sim_result result;
        sim_options_draw(&options, seed, validators);
        sim_run(&result, &options);
        print_result(seed, &options, &result);
        failed += result.failed != SIM_CHECK_NONE;
        if (seed == UINT64_MAX) break;
    }
    printf("%u failed\n", failed);
    return failed == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(four_validators_survive_every_fault_of_these_seeds),
        cmocka_unit_test(other_sizes_survive_too),
        cmocka_unit_test(a_fresh_seed_survives),
        cmocka_unit_test(the_same_seed_plays_the_same_world),
        cmocka_unit_test(a_disk_that_lies_is_caught),
        cmocka_unit_test(lost_votes_are_caught),
        cmocka_unit_test(a_wiped_store_is_caught),
        cmocka_unit_test(a_block_executed_otherwise_is_caught),
        cmocka_unit_test(a_turned_bit_in_a_header_is_caught),
        cmocka_unit_test(a_turned_bit_in_a_certificate_is_caught),
        cmocka_unit_test(a_transaction_applied_twice_is_caught),
        cmocka_unit_test(a_transaction_that_nobody_signed_is_caught),
        cmocka_unit_test(a_validator_that_stands_still_is_caught),
        cmocka_unit_test(a_replay_that_differs_is_caught),
        cmocka_unit_test(votes_that_are_kept_for_ever_are_caught),
    };
    struct sy_error err;
    if (sy_log_open("/dev/null", SY_LOG_ERROR, &err) != SY_OK) return 2; /* planted alarms */
    const char *range = NULL;
    uint16_t validators = 0;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--seeds") == 0) range = argv[i + 1];
        if (strcmp(argv[i], "--validators") == 0) validators = (uint16_t)atoi(argv[i + 1]);
    }
    if (range != NULL) return run_seeds(range, validators);
    return cmocka_run_group_tests(cases, NULL, NULL);
}
