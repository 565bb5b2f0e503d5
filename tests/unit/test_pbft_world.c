/* test_pbft_world.c: thousands of small worlds of PBFT machines, each from one seed. What is
 * checked in every one of them stands in tests/scenario/pbft_world.h. ctest: slow plain timeout=900
 *
 * SYSTOLE_PBFT_WORLDS=N runs N times as many worlds. SYSTOLE_TEST_SEED is the first seed. */
#include "tests/scenario/pbft_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/test.h"

static uint64_t first_seed;
static unsigned worlds_factor = 1;
static struct world_result total;

static void add(const struct world_result *result)
{
    total.steps += result->steps;
    total.messages += result->messages;
    total.refused += result->refused;
    total.spared += result->spared;
    total.skipped += result->skipped;
    total.equivocations += result->equivocations;
    total.retransmissions += result->retransmissions;
    total.adopted += result->adopted;
    total.restarts += result->restarts;
    total.heights += result->heights;
    total.view_changes += result->view_changes;
}

/* Runs worlds of these rules; `live`: everything that was handed in must have run everywhere. */
static void run_worlds(const struct world_rules *rules, unsigned worlds, bool live)
{
    total = (struct world_result){0};
    for (unsigned i = 0; i < worlds * worlds_factor; i++) {
        struct world_result result;
        uint64_t seed = first_seed + i;
        world_run(&result, rules, seed);
        if (result.failure[0])
            fail_msg("n = %u, seed %llu: %s", rules->n, (unsigned long long)seed, result.failure);
        // A new view may leave a slot empty below one that it keeps, whose batches then come too
        // early, and are proposed again; and the world may end while a view is about to be left,
        // as that of a faulty primary always is.
        bool smooth = rules->primary_faulty || result.highest_view > 0 ||
                      (!result.stalled && result.skipped == 0);
        if (live && (!result.all_ran || !smooth))
            fail_msg("n = %u, seed %llu: height %llu, all ran %d, stalled %d, skipped %llu",
                     rules->n, (unsigned long long)seed, (unsigned long long)result.heights,
                     result.all_ran, result.stalled, (unsigned long long)result.skipped);
        add(&result);
    }
}

static const uint16_t sizes[] = {4, 5, 6, 7, 13};
#define SIZES (sizeof sizes / sizeof sizes[0])

/* Larger worlds cost more: about the same work for each size. */
static unsigned share(unsigned worlds, uint16_t n)
{
    unsigned count = worlds * 16 / ((unsigned)n * n);
    return count > 0 ? count : 1;
}

CASE(loss_duplication_reordering_and_restarts_lose_nothing)
{
    for (size_t i = 0; i < SIZES; i++) {
        struct world_rules rules;
        world_rules_default(&rules, sizes[i]);
        run_worlds(&rules, share(200, sizes[i]), true);
        assert_true(total.retransmissions > 0);
        assert_true(total.restarts > 0);
        assert_true(total.spared > 0);
        assert_int_equal(total.refused, 0);
        assert_int_equal(total.equivocations, 0);
    }
}

CASE(heavy_loss_only_costs_time)
{
    struct world_rules rules;
    world_rules_default(&rules, 4);
    rules.loss_percent = 40;
    rules.duplicate_percent = 20;
    rules.delay_max_ns = 150 * 1000000ull;
    rules.end_ns = 40000 * 1000000ull;
    run_worlds(&rules, 30, true);
}

CASE(a_power_cut_of_everybody_loses_nothing)
{
    for (size_t i = 0; i < SIZES; i++) {
        struct world_rules rules;
        world_rules_default(&rules, sizes[i]);
        rules.all_at_once = true;
        run_worlds(&rules, share(80, sizes[i]), true);
        assert_true(total.restarts >= sizes[i]);
    }
}

CASE(a_validator_that_was_cut_off_catches_up_by_certified_blocks)
{
    for (size_t i = 0; i < SIZES; i++) {
        struct world_rules rules;
        world_rules_default(&rules, sizes[i]);
        rules.lagging = 1;
        rules.restarts = 1;
        run_worlds(&rules, share(60, sizes[i]), true);
        assert_true(total.adopted > 0);
    }
}

/* f faulty backups of each kind, while links lose and correct validators restart. */
static void run_faulty_backups(enum world_fault fault, unsigned worlds, bool lagging)
{
    for (size_t i = 0; i < SIZES; i++) {
        struct world_rules rules;
        world_rules_default(&rules, sizes[i]);
        rules.faulty = (uint16_t)sy_faulty_max(sizes[i]);
        rules.fault = fault;
        if (lagging) rules.lagging = 1;
        run_worlds(&rules, share(worlds, sizes[i]), true);
    }
}

CASE(silent_backups_change_nothing)
{
    run_faulty_backups(WORLD_SILENT, 50, false);
}

CASE(two_faced_backups_change_nothing_and_are_found_out)
{
    run_faulty_backups(WORLD_TWO_FACED, 150, false);
    assert_true(total.equivocations > 0);
}

CASE(faulty_backups_a_cut_validator_and_a_power_cut_together_change_nothing)
{
    const enum world_fault faults[] = {WORLD_TWO_FACED, WORLD_FORGES};
    for (size_t i = 0; i < SIZES; i++) {
        struct world_rules rules;
        world_rules_default(&rules, sizes[i]);
        rules.faulty = (uint16_t)sy_faulty_max(sizes[i]);
        rules.lagging = 1;
        rules.all_at_once = true;
        for (size_t f = 0; f < 2; f++) {
            rules.fault = faults[f];
            run_worlds(&rules, share(60, sizes[i]), true);
        }
    }
}

CASE(forgers_of_certified_blocks_change_nothing)
{
    run_faulty_backups(WORLD_FORGES, 100, true);
    assert_true(total.adopted > 0);
}

/* A faulty primary is replaced, and meanwhile splits nobody. The f faulty ones are the primaries of
 * the first views. */
static void run_faulty_primary(enum world_fault fault, unsigned worlds)
{
    uint64_t view_changes = 0;
    for (size_t i = 0; i < SIZES; i++) {
        struct world_rules rules;
        world_rules_default(&rules, sizes[i]);
        rules.faulty = (uint16_t)sy_faulty_max(sizes[i]);
        rules.fault = fault;
        rules.primary_faulty = true;
        rules.end_ns = 120000 * 1000000ull;
        run_worlds(&rules, share(worlds, sizes[i]), true);
        view_changes += total.view_changes;
    }
    assert_true(view_changes > 0);
}

CASE(an_equivocating_primary_with_accomplices_splits_nobody_and_is_replaced)
{
    run_faulty_primary(WORLD_EQUIVOCATES, 150);
    assert_true(total.equivocations > 0);
}

CASE(a_two_faced_primary_splits_nobody_and_is_replaced)
{
    run_faulty_primary(WORLD_TWO_FACED, 60);
}

CASE(a_silent_primary_is_replaced)
{
    run_faulty_primary(WORLD_SILENT, 60);
}

CASE(a_slow_primary_is_replaced)
{
    run_faulty_primary(WORLD_SLOW, 60);
}

CASE(a_primary_that_censors_a_maker_is_replaced)
{
    run_faulty_primary(WORLD_CENSORS, 60);
}

CASE(a_primary_that_is_silent_to_some_stops_nobody)
{
    for (size_t i = 0; i < SIZES; i++) {
        struct world_rules rules;
        world_rules_default(&rules, sizes[i]);
        rules.faulty = (uint16_t)sy_faulty_max(sizes[i]);
        rules.fault = WORLD_PARTIAL;
        rules.primary_faulty = true;
        rules.end_ns = 120000 * 1000000ull;
        run_worlds(&rules, share(60, sizes[i]), true);
    }
}

/* The certificates that only f validators have must not bind the others (PROTOCOL.md, P29). */
CASE(hoarders_of_certificates_stop_nobody)
{
    for (size_t i = 0; i < SIZES; i++) {
        struct world_rules rules;
        world_rules_default(&rules, sizes[i]);
        rules.faulty = (uint16_t)sy_faulty_max(sizes[i]);
        rules.fault = WORLD_HOARDS;
        rules.primary_faulty = true;
        rules.lagging = (uint16_t)(sizes[i] - 1u);
        rules.delay_max_ns = 20 * 1000000ull;
        rules.end_ns = 120000 * 1000000ull;
        run_worlds(&rules, share(60, sizes[i]), true);
    }
}

CASE(the_same_seed_gives_the_same_world)
{
    struct world_rules rules;
    struct world_result a, b;
    world_rules_default(&rules, 7);
    rules.faulty = 2;
    rules.fault = WORLD_TWO_FACED;
    world_run(&a, &rules, first_seed);
    world_run(&b, &rules, first_seed);
    assert_int_equal(a.steps, b.steps);
    assert_int_equal(a.messages, b.messages);
    assert_int_equal(a.heights, b.heights);
    assert_int_equal(a.equivocations, b.equivocations);
}

int main(void)
{
    const char *factor = getenv("SYSTOLE_PBFT_WORLDS");
    if (factor) worlds_factor = (unsigned)strtoul(factor, NULL, 10);
    first_seed = test_seed() % 1000000000;
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(loss_duplication_reordering_and_restarts_lose_nothing),
        cmocka_unit_test(heavy_loss_only_costs_time),
        cmocka_unit_test(a_power_cut_of_everybody_loses_nothing),
        cmocka_unit_test(a_validator_that_was_cut_off_catches_up_by_certified_blocks),
        cmocka_unit_test(silent_backups_change_nothing),
        cmocka_unit_test(two_faced_backups_change_nothing_and_are_found_out),
        cmocka_unit_test(faulty_backups_a_cut_validator_and_a_power_cut_together_change_nothing),
        cmocka_unit_test(forgers_of_certified_blocks_change_nothing),
        cmocka_unit_test(an_equivocating_primary_with_accomplices_splits_nobody_and_is_replaced),
        cmocka_unit_test(a_two_faced_primary_splits_nobody_and_is_replaced),
        cmocka_unit_test(a_silent_primary_is_replaced),
        cmocka_unit_test(a_slow_primary_is_replaced),
        cmocka_unit_test(a_primary_that_censors_a_maker_is_replaced),
        cmocka_unit_test(a_primary_that_is_silent_to_some_stops_nobody),
        cmocka_unit_test(hoarders_of_certificates_stop_nobody),
        cmocka_unit_test(the_same_seed_gives_the_same_world),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
