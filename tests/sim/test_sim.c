/* Whole validators over simulated time: ranges of seeds, one new seed, worlds with a fault planted
 * in them, which a checker must find, and the minimiser. bin/systole-sim plays single seeds and
 * longer ranges; tests/README.md says how.
 *
 *     SYSTOLE_SIM_SEEDS=A..B        the seeds played at n = 4
 *     SYSTOLE_SIM_SEEDS_LARGE=A..B  and at 5, 6 and 7 each
 *
 * ctest: slow timeout=1800 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/pbft/pbft.h"
#include "core/base/telemetry.h"
#include "tests/sim/keyed.h"
#include "tests/sim/report.h"
#include "tests/support/network.h"
#include "tests/support/test.h"

#define SEEDS (TEST_SANITIZED ? "1..30" : "1..1000")
#define SEEDS_LARGE (TEST_SANITIZED ? "1..4" : "1..100")

static struct sim_report report;

static void run_range(const char *variable, const char *usual, unsigned validators)
{
    const char *range = getenv(variable);
    struct sim_plan plan = {.validators = validators, .jobs = 2};
    if (range == NULL || *range == '\0') range = usual;
    if (sscanf(range, "%" SCNu64 "..%" SCNu64, &plan.first, &plan.last) != 2 ||
        plan.first > plan.last) {
        fail_msg("%s wants A..B, not \"%s\"", variable, range);
    }
    sim_plan_run(&report, &plan);
    sim_report_print(stdout, &report);
    fflush(stdout);
    assert_int_equal(report.seeds, plan.last - plan.first + 1);
    if (report.seeds_failed > 0) fail_msg("%" PRIu64 " seeds failed", report.seeds_failed);
}

CASE(four_validators_survive_every_fault_of_these_seeds)
{
    const char *other = getenv("SYSTOLE_SIM_SEEDS");
    bool few = TEST_SANITIZED || (other != NULL && *other != '\0'); /* too few for all of them */
    run_range("SYSTOLE_SIM_SEEDS", SEEDS, 4);
    for (int i = 0; i < SIM_FAULT_COUNT && !few; i++) {
        if (report.faults[i] == 0) fail_msg("no seed has %s", sim_fault_name((enum sim_fault)i));
    }
}

CASE(five_survive_too)
{
    run_range("SYSTOLE_SIM_SEEDS_LARGE", SEEDS_LARGE, 5);
}

CASE(six_survive_too)
{
    run_range("SYSTOLE_SIM_SEEDS_LARGE", SEEDS_LARGE, 6);
}

CASE(seven_survive_too)
{
    run_range("SYSTOLE_SIM_SEEDS_LARGE", SEEDS_LARGE, 7);
}

CASE(a_fresh_seed_survives)
{
    struct sim_options options;
    struct sim_result result;
    sim_options_draw(&options, test_seed(), 0);
    sim_run(&result, &options);
    if (result.failed != SIM_CHECK_NONE) {
        char command[1024];
        sim_options_command(command, sizeof command, &options);
        fail_msg("%s: %s", command, result.failure);
    }
}

/* Validators who can check one signature after the other, and clients who send many times as many
 * for some seconds, without any other fault. */
static void overload(struct sim_result *result, uint64_t seed, unsigned validators,
                     unsigned check_us)
{
    struct sim_options options;
    sim_options_draw(&options, seed, validators);
    options = (struct sim_options){.seed = seed,
                                   .validators = validators,
                                   .records = 3000,
                                   .faults_ms = 4000,
                                   .delay_us = options.delay_us,
                                   .disk_us = options.disk_us,
                                   .pipeline_slots = options.pipeline_slots,
                                   .lanes = 8,
                                   .batch_txs_max = SY_BATCH_TXS_MAX,
                                   .check_us = check_us};
    sim_run(result, &options);
    if (result->failed != SIM_CHECK_NONE)
        fail_msg("seed %" PRIu64 ", %u us: %s", seed, check_us, result->failure);
}

CASE(overload_alone_changes_no_view)
{
    static const unsigned costs_us[] = {2000, 4000, 8000};
    static struct sim_result result;
    uint64_t seeds = TEST_SANITIZED ? 1 : 6;
    for (unsigned validators = 4; validators <= 7; validators += 3) {
        for (uint64_t seed = 1; seed <= seeds; seed++) {
            overload(&result, seed, validators, costs_us[seed % 3]);
            assert_true(result.branches[SIM_BRANCH_client_busy] > 1000);
            if (result.view_changes > 0)
                fail_msg("seed %" PRIu64 ", %u validators: %" PRIu64 " views left", seed,
                         validators, result.view_changes);
        }
    }
}

CASE(the_same_seed_plays_the_same_world)
{
    struct sim_options options;
    struct sim_result once, again;
    for (uint64_t seed = 77; seed < (TEST_SANITIZED ? 79 : 83); seed++) {
        sim_options_draw(&options, seed, 4);
        sim_run(&once, &options);
        sim_run(&again, &options);
        assert_true(once.trace == again.trace);
        assert_true(once.events == again.events && once.heights == again.heights);
        assert_memory_equal(once.faults, again.faults, sizeof once.faults);
        assert_memory_equal(once.branches, again.branches, sizeof once.branches);
    }
    options.seed++;
    sim_run(&again, &options);
    assert_true(once.trace != again.trace);
}

/* ---- lies, one by one -------------------------------------------------------------------- */

/* A world whose first primary tells this one lie and no other, and which stands it. */
static void expect_told(enum sim_lie lie, enum sim_fault fault, uint64_t seed)
{
    struct sim_options options;
    struct sim_result result;
    sim_options_draw(&options, seed, 4);
    options.liars = options.bad_primary = 1;
    options.lies = lie;
    options.bad_clock = 0;
    options.epochs = lie == SIM_LIE_EPOCH ? 2 : 0;
    options.added = options.removed = 0;
    sim_run(&result, &options);
    if (result.failed != SIM_CHECK_NONE) fail_msg("%s", result.failure);
    if (result.faults[fault] == 0)
        fail_msg("seed %" PRIu64 " tells no %s", seed, sim_fault_name(fault));
    for (int i = SIM_FAULT_lie_withhold; i < SIM_FAULT_COUNT; i++) {
        bool own = i == (int)fault || (lie == SIM_LIE_EPOCH && i == SIM_FAULT_lie_epoch_signed);
        bool is_lie = strncmp(sim_fault_name((enum sim_fault)i), "lie_", 4) == 0;
        if (is_lie && !own) assert_int_equal(result.faults[i], 0);
    }
}

CASE(votes_of_other_epochs_change_nothing)
{
    expect_told(SIM_LIE_EPOCH, SIM_FAULT_lie_epoch_again, 1);
    expect_told(SIM_LIE_EPOCH, SIM_FAULT_lie_epoch_again, 2);
}

CASE(a_primary_that_is_silent_to_one_is_survived)
{
    for (uint64_t seed = 1; seed <= 6; seed++) {
        expect_told(SIM_LIE_SILENT, SIM_FAULT_lie_silent, seed);
    }
}

CASE(a_primary_whose_clock_goes_back_moves_no_time)
{
    for (uint64_t seed = 2; seed <= 4; seed++) {
        expect_told(SIM_LIE_PAST, SIM_FAULT_lie_past, seed);
    }
}

CASE(a_primary_that_proposes_old_batches_is_replaced)
{
    for (uint64_t seed = 4; seed <= 6; seed++) {
        expect_told(SIM_LIE_OLD, SIM_FAULT_lie_old, seed);
    }
}

/* What pruning validators fetch because of it, they forget again. */
CASE(a_primary_that_proposes_pruned_batches_is_replaced)
{
    struct sim_options options;
    struct sim_result result;
    sim_options_draw(&options, 5, 4);
    options.liars = options.bad_primary = 1;
    options.lies = SIM_LIE_OLD;
    options.history_blocks = SY_PBFT_WINDOW;
    options.records = 150;
    options.batch_txs_max = options.pipeline_slots = 1;
    options.epochs = options.bad_clock = 0;
    sim_run(&result, &options);
    if (result.failed != SIM_CHECK_NONE) fail_msg("%s", result.failure);
    assert_true(result.branches[SIM_BRANCH_pruned] > 0);
    assert_true(result.faults[SIM_FAULT_lie_old] > 0);
}

CASE(certificates_that_are_made_up_bind_nobody)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        expect_told(SIM_LIE_CERTIFICATE, SIM_FAULT_lie_certificate, seed);
    }
}

CASE(a_flood_of_requests_is_answered_within_its_share)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        expect_told(SIM_LIE_FETCH, SIM_FAULT_lie_fetch, seed);
    }
}

/* Some floods are more than a share, and not all of it is answered. */
CASE(a_flood_that_is_more_than_a_share_is_shed)
{
    struct sim_options options;
    struct sim_result result;
    sim_options_draw(&options, 1, 4);
    options.liars = 1;
    options.lies = SIM_LIE_FETCH;
    options.epochs = options.bad_clock = options.late = 0;
    sim_run(&result, &options);
    if (result.failed != SIM_CHECK_NONE) fail_msg("%s", result.failure);
    assert_true(result.branches[SIM_BRANCH_request_shed] > 0);
}

/* ---- who comes and who goes -------------------------------------------------------------- */

static void play_members(struct sim_result *sum, unsigned validators, uint64_t seed)
{
    struct sim_options options;
    struct sim_result result;
    sim_options_draw(&options, seed, validators);
    options.epochs = 2;
    options.added = options.removed = 1;
    options.snapshot_blocks = 64;
    options.late = 0;
    sim_run(&result, &options);
    if (result.failed != SIM_CHECK_NONE) {
        fail_msg("seed %" PRIu64 ": %s", seed, result.failure);
    }
    for (int i = 0; i < SIM_BRANCH_COUNT; i++) sum->branches[i] += result.branches[i];
}

CASE(a_validator_comes_and_one_goes)
{
    static struct sim_result sum;
    memset(&sum, 0, sizeof sum);
    for (uint64_t seed = 1; seed <= (TEST_SANITIZED ? 5 : 20); seed++) play_members(&sum, 4, seed);
    for (uint64_t seed = 1; seed <= (TEST_SANITIZED ? 1 : 4); seed++) play_members(&sum, 7, seed);
    if (TEST_SANITIZED) return; /* too few to count on what is rare */
    /* Two of three newcomers ask for a state, of an epoch that has them; others follow until then.
     */
    uint64_t joined = sum.branches[SIM_BRANCH_joined_later_epoch];
    uint64_t followed = sum.branches[SIM_BRANCH_came_into_the_roster];
    assert_true(joined > 0 && followed > 0 && joined + followed >= 20);
    assert_true(sum.branches[SIM_BRANCH_left_the_roster] >= 16);
    assert_true(sum.branches[SIM_BRANCH_joined_in_vain] > 0);
    assert_true(sum.branches[SIM_BRANCH_stranger_refused] > 0);
}

/* Its last seal is lost for a while, and without the liar's the others are one short. */
CASE(who_leaves_stays_for_those_who_need_its_seal)
{
    struct sim_options options;
    struct sim_result result;
    sim_options_draw(&options, 14, 5);
    options.liars = options.removed = options.epochs = 1;
    options.lies = SIM_LIE_SILENT;
    options.added = options.bad_primary = 0;
    sim_run(&result, &options);
    if (result.failed != SIM_CHECK_NONE) fail_msg("%s", result.failure);
    assert_true(result.faults[SIM_FAULT_seal_hushed] > 0);
    assert_true(result.branches[SIM_BRANCH_lingered] > 0);
}

CASE(a_member_that_comes_is_minimised_away)
{
    struct sim_options options;
    struct sim_result result;
    sim_options_draw(&options, 3, 4);
    options.plant = SIM_PLANT_KEPT_VOTES;
    options.liars = 1;
    options.lies = SIM_LIE_SILENT | SIM_LIE_FETCH | SIM_LIE_CERTIFICATE;
    options.epochs = 2;
    options.added = options.removed = 1;
    sim_run(&result, &options);
    assert_int_equal(result.failed, SIM_CHECK_MEMORY);
    (void)sim_minimise(&options, &result, 200);
    assert_int_equal(options.epochs + options.added + options.removed, 0);
    assert_int_equal(options.lies, 0);
}

/* ---- long absences ----------------------------------------------------------------------- */

/* Waits for a view double four times and no more, so whoever comes back finds the others: whatever
 * went on meanwhile, it takes no longer than twice the longest wait. */
CASE(half_an_hour_of_absences_is_over_in_two_waits)
{
    struct sim_options options;
    struct sim_result result;
    for (uint64_t seed = 1; seed <= (TEST_SANITIZED ? 2 : 8); seed++) {
        sim_options_draw(&options, seed, 4);
        options.liars = options.lies = options.bad_clock = 0;
        options.epochs = options.late = options.history_blocks = 0;
        options.power_cuts = options.cuts = options.splits = options.loss_permille = 0;
        options.crashes = 12;
        options.records = 10;
        options.away_ms = options.faults_ms = 30 * 60 * 1000;
        sim_run(&result, &options);
        if (result.failed != SIM_CHECK_NONE) fail_msg("seed %" PRIu64 ": %s", seed, result.failure);
        assert_true(result.faults[SIM_FAULT_crash] > 0 && result.view_changes > 0);
        assert_true(result.simulated_ms > options.faults_ms);
        assert_true(result.settled_ms <= 2 * 16 * 400);
    }
}

/* ---- options ----------------------------------------------------------------------------- */

CASE(no_seed_draws_more_faults_than_f)
{
    struct sim_options options;
    for (uint64_t seed = 1; seed <= 40000; seed++) {
        unsigned validators = seed % 5 == 0 ? 0 : (unsigned)(SIM_VALIDATORS_MIN - 1 + seed % 5);
        sim_options_draw(&options, seed, validators);
        const char *why = sim_options_refuse(&options);
        if (why != NULL) fail_msg("seed %" PRIu64 ": %s", seed, why);
    }
}

CASE(more_faults_than_f_are_refused)
{
    static const struct {
        unsigned validators, liars, bad_clock, late, epochs;
        bool fine;
    } rows[] = {
        {4, 1, 0, 1, 2, true},  {4, 2, 0, 0, 0, false}, {7, 2, 3, 0, 1, true},
        {7, 3, 0, 0, 0, false}, {4, 0, 1, 1, 2, false}, {4, 0, 1, 1, 0, true},
        {4, 0, 1, 0, 2, true},  {6, 0, 1, 1, 2, true},  {7, 0, 2, 1, 1, true},
        {7, 0, 3, 1, 1, false}, {5, 1, 1, 1, 1, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sim_options options;
        sim_options_draw(&options, 1, rows[i].validators);
        options.liars = rows[i].liars;
        options.bad_clock = rows[i].bad_clock;
        options.late = rows[i].late;
        options.epochs = rows[i].epochs;
        if ((sim_options_refuse(&options) == NULL) != rows[i].fine) fail_msg("row %zu", i);
        options.plant = SIM_PLANT_TOO_MANY_LIARS;
        assert_null(sim_options_refuse(&options));
    }
}

/* ---- faults that are planted ------------------------------------------------------------- */

/* A world without liars, in which a fault is planted. */
static void planted(struct sim_options *options, uint64_t seed, enum sim_plant plant)
{
    sim_options_draw(options, seed, 4);
    options->plant = plant;
    options->crashes = 8;
    options->records = 30;
    options->liars = 0;
    options->bad_primary = 0;
    if (plant == SIM_PLANT_KEPT_HISTORY || plant == SIM_PLANT_WRONG_PRUNED) {
        options->history_blocks = SY_PBFT_WINDOW;
        options->records = 200;
        options->batch_txs_max = options->pipeline_slots = 1;
        options->crashes = 3;
        options->away_ms = options->faults_ms = 8000;
        options->cuts = options->splits = options->power_cuts = 0;
        options->loss_permille = 0;
    }
    if (plant != SIM_PLANT_TOO_MANY_LIARS) return;
    options->liars = 2;
    options->lies = SIM_LIE_PROPOSAL;
    options->bad_primary = 1;
    options->crashes = options->cuts = options->splits = 0;
}

/* Plays worlds until the planted fault has had its chance; the first check that fails must be one
 * that was made for it. */
static void expect_one_of(enum sim_plant plant, const enum sim_check *checks, unsigned count)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct sim_options options;
        struct sim_result result;
        planted(&options, seed, plant);
        sim_run(&result, &options);
        if (result.failed == SIM_CHECK_NONE) continue;
        printf("plant %d, seed %" PRIu64 ": %s\n", (int)plant, seed, result.failure);
        for (unsigned i = 0; i < count; i++) {
            if (result.failed == checks[i]) return;
        }
        fail_msg("%s", result.failure);
    }
    fail_msg("no check found the planted fault %d", (int)plant);
}

static void expect_caught(enum sim_plant plant, enum sim_check check, enum sim_check other)
{
    const enum sim_check checks[] = {check, other};
    expect_one_of(plant, checks, 2);
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

CASE(a_seal_that_its_validator_never_gave_is_caught)
{
    expect_caught(SIM_PLANT_STOLEN_KEY, SIM_CHECK_CERTIFICATE, SIM_CHECK_CERTIFICATE);
}

CASE(a_client_that_was_told_too_early_is_caught)
{
    expect_caught(SIM_PLANT_TOLD_EARLY, SIM_CHECK_FINAL, SIM_CHECK_FINAL);
}

CASE(more_liars_than_f_are_caught)
{
    /* The other thing that they agree on may be a time that no clock shows. */
    const enum sim_check checks[] = {SIM_CHECK_ALARM, SIM_CHECK_AGREEMENT, SIM_CHECK_VALIDITY};
    expect_one_of(SIM_PLANT_TOO_MANY_LIARS, checks, 3);
}

CASE(bodies_that_are_kept_for_ever_are_caught)
{
    expect_caught(SIM_PLANT_KEPT_BODIES, SIM_CHECK_MEMORY, SIM_CHECK_MEMORY);
}

CASE(a_block_from_the_future_is_caught)
{
    expect_caught(SIM_PLANT_FAR_TIME, SIM_CHECK_VALIDITY, SIM_CHECK_VALIDITY);
}

CASE(a_view_that_was_forgotten_is_caught)
{
    expect_caught(SIM_PLANT_LOST_VIEW, SIM_CHECK_AMNESIA, SIM_CHECK_ALARM);
}

CASE(a_clock_that_is_wrong_in_secret_is_caught)
{
    expect_caught(SIM_PLANT_WRONG_CLOCK, SIM_CHECK_ALARM, SIM_CHECK_ALARM);
}

CASE(a_wrong_clock_that_nobody_notices_is_caught)
{
    expect_caught(SIM_PLANT_TIMELESS, SIM_CHECK_LIVENESS, SIM_CHECK_LIVENESS);
}

CASE(history_that_is_kept_for_ever_is_caught)
{
    expect_caught(SIM_PLANT_KEPT_HISTORY, SIM_CHECK_MEMORY, SIM_CHECK_MEMORY);
}

CASE(history_that_is_said_to_begin_elsewhere_is_caught)
{
    expect_caught(SIM_PLANT_WRONG_PRUNED, SIM_CHECK_AGREEMENT, SIM_CHECK_AGREEMENT);
}

CASE(a_state_that_differs_is_caught)
{
    expect_caught(SIM_PLANT_OTHER_STATE, SIM_CHECK_AGREEMENT, SIM_CHECK_AGREEMENT);
}

/* ---- systole-sim's parts ----------------------------------------------------------------- */

CASE(the_minimiser_halves_a_planted_failure)
{
    struct sim_options drawn, options;
    struct sim_result result, again;
    planted(&drawn, 3, SIM_PLANT_KEPT_VOTES);
    options = drawn;
    sim_run(&result, &options);
    assert_int_equal(result.failed, SIM_CHECK_MEMORY);
    unsigned runs = sim_minimise(&options, &result, 200);
    assert_true(runs > 0 && runs <= 200);
    assert_int_equal(result.failed, SIM_CHECK_MEMORY);
    assert_true(2 * options.records <= drawn.records);
    assert_true(2 * options.crashes <= drawn.crashes);
    assert_true(2 * options.faults_ms <= drawn.faults_ms);
    assert_int_equal(options.loss_permille, 0);
    sim_run(&again, &options);
    assert_true(again.trace == result.trace);
    assert_string_equal(again.failure, result.failure);
}

CASE(the_command_of_a_failure_repeats_it)
{
    char command[1024], want[128];
    struct sim_options options;
    planted(&options, 5, SIM_PLANT_KEPT_VOTES);
    sim_options_command(command, sizeof command, &options);
    assert_non_null(strstr(command, "systole-sim --seeds 5..5 --validators 4 --set "));
    (void)snprintf(want, sizeof want, " --set plant=%d", SIM_PLANT_KEPT_VOTES);
    assert_non_null(strstr(command, want));
    struct sim_options set;
    sim_options_draw(&set, 5, 4);
    assert_true(sim_options_set(&set, "records=30"));
    assert_int_equal(set.records, 30);
    assert_false(sim_options_set(&set, "records"));
    assert_false(sim_options_set(&set, "records=many"));
    assert_false(sim_options_set(&set, "record=3"));
}

CASE(a_plan_finds_every_failing_seed_in_order)
{
    struct sim_plan plan = {.first = 1, .last = 9, .validators = 4, .jobs = 3, .set_count = 2};
    char plant[32];
    (void)snprintf(plant, sizeof plant, "plant=%d", SIM_PLANT_KEPT_VOTES);
    plan.sets[0] = plant;
    plan.sets[1] = "liars=0";
    sim_plan_run(&report, &plan);
    assert_int_equal(report.seeds, 9);
    assert_true(report.seeds_failed > 1);
    for (uint64_t i = 0; i < report.seeds_failed; i++) {
        assert_int_equal(report.failures[i].check, SIM_CHECK_MEMORY);
        if (i == 0) continue;
        assert_true(report.failures[i].options.seed > report.failures[i - 1].options.seed);
    }
}

CASE(a_process_that_dies_is_a_failed_seed_and_the_others_go_on)
{
    struct sim_plan plan = {.first = 1, .last = 5, .validators = 4, .jobs = 2, .set_count = 1};
    char plant[32];
    (void)snprintf(plant, sizeof plant, "plant=%d", SIM_PLANT_DEATH);
    plan.sets[0] = plant;
    sim_plan_run(&report, &plan);
    assert_int_equal(report.seeds, 5);
    assert_int_equal(report.seeds_failed, 5);
    assert_non_null(strstr(report.failures[0].text, "assertion failed"));
}

/* ---- the keyed hash ---------------------------------------------------------------------- */

CASE(every_bit_of_a_keyed_signature_counts)
{
    const struct sim_keyed keyed = {{1, 2}}, other = {{1, 3}};
    struct sy_public_key key = test_public(3), another = test_public(4);
    struct sy_hash digest = test_hash(1), changed = test_hash(2);
    struct sy_signature good;
    sim_keyed_sign(&keyed, &good, &key, SY_SIG_COMMIT, &digest);
    assert_true(sim_keyed_verify(&keyed, &key, SY_SIG_COMMIT, &digest, &good));
    assert_false(sim_keyed_verify(&other, &key, SY_SIG_COMMIT, &digest, &good));
    assert_false(sim_keyed_verify(&keyed, &another, SY_SIG_COMMIT, &digest, &good));
    assert_false(sim_keyed_verify(&keyed, &key, SY_SIG_PREPARE, &digest, &good));
    assert_false(sim_keyed_verify(&keyed, &key, SY_SIG_COMMIT, &changed, &good));
    for (unsigned bit = 0; bit < 8 * sizeof good.bytes; bit++) {
        struct sy_signature bad = good;
        bad.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(sim_keyed_verify(&keyed, &key, SY_SIG_COMMIT, &digest, &bad));
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(four_validators_survive_every_fault_of_these_seeds),
        cmocka_unit_test(five_survive_too),
        cmocka_unit_test(six_survive_too),
        cmocka_unit_test(seven_survive_too),
        cmocka_unit_test(a_fresh_seed_survives),
        cmocka_unit_test(overload_alone_changes_no_view),
        cmocka_unit_test(the_same_seed_plays_the_same_world),
        cmocka_unit_test(votes_of_other_epochs_change_nothing),
        cmocka_unit_test(a_primary_that_is_silent_to_one_is_survived),
        cmocka_unit_test(a_primary_whose_clock_goes_back_moves_no_time),
        cmocka_unit_test(a_primary_that_proposes_old_batches_is_replaced),
        cmocka_unit_test(a_primary_that_proposes_pruned_batches_is_replaced),
        cmocka_unit_test(certificates_that_are_made_up_bind_nobody),
        cmocka_unit_test(a_flood_of_requests_is_answered_within_its_share),
        cmocka_unit_test(a_flood_that_is_more_than_a_share_is_shed),
        cmocka_unit_test(half_an_hour_of_absences_is_over_in_two_waits),
        cmocka_unit_test(no_seed_draws_more_faults_than_f),
        cmocka_unit_test(more_faults_than_f_are_refused),
        cmocka_unit_test(a_validator_comes_and_one_goes),
        cmocka_unit_test(who_leaves_stays_for_those_who_need_its_seal),
        cmocka_unit_test(a_member_that_comes_is_minimised_away),
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
        cmocka_unit_test(a_seal_that_its_validator_never_gave_is_caught),
        cmocka_unit_test(a_client_that_was_told_too_early_is_caught),
        cmocka_unit_test(more_liars_than_f_are_caught),
        cmocka_unit_test(bodies_that_are_kept_for_ever_are_caught),
        cmocka_unit_test(a_block_from_the_future_is_caught),
        cmocka_unit_test(a_view_that_was_forgotten_is_caught),
        cmocka_unit_test(a_clock_that_is_wrong_in_secret_is_caught),
        cmocka_unit_test(a_wrong_clock_that_nobody_notices_is_caught),
        cmocka_unit_test(history_that_is_kept_for_ever_is_caught),
        cmocka_unit_test(history_that_is_said_to_begin_elsewhere_is_caught),
        cmocka_unit_test(a_state_that_differs_is_caught),
        cmocka_unit_test(the_minimiser_halves_a_planted_failure),
        cmocka_unit_test(the_command_of_a_failure_repeats_it),
        cmocka_unit_test(a_plan_finds_every_failing_seed_in_order),
        cmocka_unit_test(a_process_that_dies_is_a_failed_seed_and_the_others_go_on),
        cmocka_unit_test(every_bit_of_a_keyed_signature_counts),
    };
    struct sy_error err;
    if (sy_log_open("/dev/null", SY_LOG_ERROR, &err) != SY_OK) return 2; /* planted alarms */
    return cmocka_run_group_tests(cases, NULL, NULL);
}
