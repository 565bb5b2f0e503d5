/* test_engine_sizes.c: several implementations in use at once, by the size of what is submitted:
 * who is given what, who follows one that is retired, and where calibration puts a device.
 * ctest: threaded */
#include <poll.h>
#include <stdatomic.h>
#include <time.h>

#include "core/base/telemetry.h"
#include "core/crypto/engine_choice.h"
#include "core/crypto/hash.h"
#include "tests/support/test.h"

// --- implementations that count what they are given ----------------------------------------------

struct counted {
    atomic_uint runs; // after the self-test
    atomic_uint hints;
    atomic_bool fails;     // every run
    atomic_bool spoils;    // every last leaf hash
    unsigned ns_of_a_call; // how long each takes, beyond what it does
};

static struct counted large, middle, small;

static sy_status run_counted(struct counted *counted, struct sy_submission *submission,
                             struct sy_hash *scratch)
{
    struct timespec cost = {.tv_nsec = (long)counted->ns_of_a_call};
    if (counted->ns_of_a_call > 0) (void)nanosleep(&cost, NULL);
    sy_status status = sy_engine_openssl.run(NULL, submission, scratch);
    if (submission->owner == NULL) return status;
    atomic_fetch_add(&counted->runs, 1);
    if (atomic_load(&counted->fails)) return SY_ERR_IO;
    if (atomic_load(&counted->spoils)) {
        submission->leaf_hashes[submission->leaf_count - 1].bytes[0] ^= 1;
    }
    return status;
}

#define COUNTED(name)                                                                 \
    static sy_status open_##name(void **state, const struct sy_engine_config *config, \
                                 struct sy_error *err)                                \
    {                                                                                 \
        (void)config;                                                                 \
        (void)err;                                                                    \
        *state = &(name);                                                             \
        return SY_OK;                                                                 \
    }

COUNTED(large)
COUNTED(middle)
COUNTED(small)

static sy_status run_any(void *state, struct sy_submission *submission, struct sy_hash *scratch)
{
    return run_counted((struct counted *)state, submission, scratch);
}

static uint32_t hint_any(void *state, const struct sy_public_key *key,
                         const struct sy_hash *organisation)
{
    (void)key;
    (void)organisation;
    struct counted *counted = (struct counted *)state;
    return atomic_fetch_add(&counted->hints, 1) + (counted == &large ? 100 : 200);
}

static const struct sy_engine_impl impl_large = {
    .name = "large", .device = true, .open = open_large, .run = run_any, .hint = hint_any};
static const struct sy_engine_impl impl_middle = {
    .name = "middle", .open = open_middle, .run = run_any, .hint = hint_any};
static const struct sy_engine_impl impl_small = {
    .name = "small", .open = open_small, .run = run_any, .hint = hint_any};
static const struct sy_engine_impl *const by_size[] = {&impl_large, &impl_middle, &impl_small,
                                                       &sy_engine_openssl, NULL};
static const uint32_t from[] = {20, 5, 0, 0};

// --- fixture -------------------------------------------------------------------------------------

#define MOST 64u

struct parcel {
    struct sy_submission submission;
    struct sy_sig_job jobs[MOST];
    uint8_t verdicts[MOST];
    struct sy_slice leaf;
    struct sy_hash leaf_hash;
};

static int set_up(void **state)
{
    (void)state;
    return sy_log_open("/dev/null", SY_LOG_ERROR, NULL) == SY_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    sy_log_close();
    return 0;
}

static int reset(void **state)
{
    (void)state;
    memset(&large, 0, sizeof large);
    memset(&middle, 0, sizeof middle);
    memset(&small, 0, sizeof small);
    return 0;
}

// Every second job is good: a neutral key signs anything by R = S B, S = 0.
static struct parcel *make_parcel(struct parcel *parcel, uint32_t jobs)
{
    *parcel = (struct parcel){.leaf = sy_slice_of("leaf", 4)};
    for (uint32_t i = 0; i < jobs; i++) {
        parcel->jobs[i] = (struct sy_sig_job){
            .key = {{1}}, .signature = {{1}}, .leaf = SY_JOB_NO_LEAF, .kind = SY_SIG_TX};
        parcel->jobs[i].signature.bytes[32] = (uint8_t)(i % 2);
    }
    parcel->submission = (struct sy_submission){.leaves = &parcel->leaf,
                                                .leaf_count = 1,
                                                .leaf_hashes = &parcel->leaf_hash,
                                                .jobs = parcel->jobs,
                                                .job_count = jobs,
                                                .verdicts = parcel->verdicts,
                                                .owner = parcel};
    return parcel;
}

static void check_parcel(const struct parcel *parcel)
{
    struct sy_hash hash;
    sy_hash_leaf(&hash, parcel->leaf);
    assert_true(sy_hash_equal(&hash, &parcel->leaf_hash));
    for (uint32_t i = 0; i < parcel->submission.job_count; i++) {
        assert_int_equal(parcel->verdicts[i], i % 2 == 0);
    }
}

static sy_engine *open_by_size(unsigned threads, uint32_t sample_every)
{
    struct sy_engine_config config = {.threads = threads,
                                      .queue = 32,
                                      .leaves_max = 1024,
                                      .sample_every = sample_every,
                                      .impls = by_size,
                                      .from = from};
    sy_engine *engine = NULL;
    assert_int_equal(sy_engine_open(&engine, &config, NULL), SY_OK);
    return engine;
}

static void run_size(sy_engine *engine, uint32_t jobs)
{
    struct parcel parcel;
    assert_int_equal(sy_engine_run(engine, &make_parcel(&parcel, jobs)->submission), SY_OK);
    check_parcel(&parcel);
}

static void assert_runs(unsigned of_large, unsigned of_middle, unsigned of_small)
{
    assert_int_equal(large.runs, of_large);
    assert_int_equal(middle.runs, of_middle);
    assert_int_equal(small.runs, of_small);
}

static struct sy_engine_info get_info(const sy_engine *engine)
{
    struct sy_engine_info info;
    sy_engine_get_info(engine, &info);
    return info;
}

// --- by size -------------------------------------------------------------------------------------

CASE(each_is_given_the_sizes_that_are_its)
{
    sy_engine *engine = open_by_size(0, 0);
    run_size(engine, 0);
    run_size(engine, 4);
    assert_runs(0, 0, 2);
    run_size(engine, 5);
    run_size(engine, 19);
    assert_runs(0, 2, 2);
    run_size(engine, 20);
    run_size(engine, MOST);
    assert_runs(2, 2, 2);
    struct sy_engine_info info = get_info(engine);
    assert_string_equal(info.impl, "large");
    assert_string_equal(info.small, "small");
    assert_int_equal(info.from, 20);
    sy_engine_close(engine);
}

CASE(hashes_count_by_the_thirty_second)
{
    static struct sy_hash hashes[1024];
    struct sy_tree_job trees[2] = {{.first = 0, .count = 600}, {.first = 5, .count = 71}};
    struct sy_submission submission = {.leaf_count = 1024, .leaf_hashes = hashes, .trees = trees};
    assert_int_equal(sy_engine_size(&submission), 0); // Given leaf hashes are no work.
    submission.tree_count = 2;
    assert_int_equal(sy_engine_size(&submission), 671 / 32);
    submission.job_count = 7;
    assert_int_equal(sy_engine_size(&submission), 7 + 671 / 32);
    submission.leaves = (const struct sy_slice[1]){{NULL, 0}};
    assert_int_equal(sy_engine_size(&submission), 7 + (671 + 1024) / 32);
    trees[0].count = trees[1].count = UINT32_MAX;
    assert_int_equal(sy_engine_size(&submission), 7 + UINT32_MAX / 32);
    submission.job_count = UINT32_MAX;
    assert_int_equal(sy_engine_size(&submission), UINT32_MAX);
}

CASE(a_hint_goes_to_all_in_use_and_returns_the_firsts_handle)
{
    const struct sy_public_key key = {{1}};
    const struct sy_hash organisation = {{2}};
    sy_engine *engine = open_by_size(0, 0);
    assert_int_equal(sy_engine_key_hint(engine, &key, &organisation), 100);
    assert_int_equal(middle.hints, 1);
    assert_int_equal(small.hints, 1);
    sy_engine_close(engine);
}

CASE(what_stands_behind_the_one_for_small_ones_is_not_in_use)
{
    static const uint32_t two[] = {20, 0, 0, 0};
    const struct sy_public_key key = {{1}};
    const struct sy_hash organisation = {{2}};
    struct sy_engine_config config = {.queue = 1, .leaves_max = 1, .impls = by_size, .from = two};
    sy_engine *engine = NULL;
    assert_int_equal(sy_engine_open(&engine, &config, NULL), SY_OK);
    assert_int_equal(sy_engine_key_hint(engine, &key, &organisation), 100);
    assert_int_equal(middle.hints, 1);
    assert_int_equal(small.hints, 0);
    assert_string_equal(get_info(engine).small, "middle");
    sy_engine_close(engine);
}

static void open_without_an_end(void *context)
{
    static const uint32_t none_for_small[] = {20, 5, 5, 5};
    struct sy_engine_config config = {.queue = 1, .impls = by_size, .from = none_for_small};
    sy_engine *engine = NULL;
    (void)context;
    (void)!sy_engine_open(&engine, &config, NULL);
}

CASE(a_reference_that_does_not_take_all_is_our_bug)
{
    assert_aborts(open_without_an_end, NULL);
}

// --- retirement ----------------------------------------------------------------------------------

CASE(a_retired_device_leaves_its_sizes_to_the_next)
{
    sy_engine *engine = open_by_size(0, 0);
    large.fails = true;
    run_size(engine, 30);
    assert_runs(1, 1, 0);
    run_size(engine, 30);
    run_size(engine, 2);
    assert_runs(1, 2, 1);
    assert_string_equal(get_info(engine).impl, "middle");
    assert_int_equal(get_info(engine).retired, 1);
    sy_engine_close(engine);
}

CASE(the_one_for_small_ones_may_go_and_the_device_stay)
{
    sy_engine *engine = open_by_size(0, 0);
    small.fails = true;
    run_size(engine, 2);
    run_size(engine, 2);
    run_size(engine, 30);
    assert_runs(1, 0, 1);
    assert_string_equal(get_info(engine).impl, "large");
    assert_string_equal(get_info(engine).small, "openssl");
    assert_int_equal(get_info(engine).retired, 1);
    sy_engine_close(engine);
}

CASE(a_lie_of_one_leaves_what_others_served_alone)
{
    struct parcel parcels[3];
    sy_engine *engine = open_by_size(0, 1);
    for (uint32_t i = 0; i < 2; i++) {
        (void)make_parcel(&parcels[i], i == 0 ? 30 : 2);
        assert_int_equal(sy_engine_submit(engine, &parcels[i].submission), SY_OK);
    }
    large.spoils = true;
    (void)make_parcel(&parcels[2], 40);
    assert_int_equal(sy_engine_submit(engine, &parcels[2].submission), SY_OK);
    assert_int_equal(get_info(engine).retired, 1);
    // The first ran on the liar and runs again, behind the others; the second stays as it is.
    assert_ptr_equal(sy_engine_done(engine), &parcels[1].submission);
    assert_ptr_equal(sy_engine_done(engine), &parcels[2].submission);
    assert_ptr_equal(sy_engine_done(engine), &parcels[0].submission);
    assert_null(sy_engine_done(engine));
    for (size_t i = 0; i < 3; i++) check_parcel(&parcels[i]);
    assert_runs(2, 2, 1);
    sy_engine_close(engine);
}

CASE(workers_lose_nothing_when_both_ends_fail)
{
    static struct parcel parcels[24];
    sy_engine *engine = open_by_size(3, 0);
    for (uint32_t i = 0; i < 24; i++) {
        if (i == 8) large.fails = true;
        if (i == 16) small.fails = true;
        (void)make_parcel(&parcels[i], i % 3 == 0 ? 2 : i % 3 == 1 ? 10 : 30);
        assert_int_equal(sy_engine_submit(engine, &parcels[i].submission), SY_OK);
    }
    struct pollfd wait = {.fd = sy_engine_done_fd(engine), .events = POLLIN};
    for (uint32_t taken = 0; taken < 24;) {
        struct sy_submission *submission = sy_engine_done(engine);
        if (!submission) {
            assert_int_equal(poll(&wait, 1, -1), 1);
            continue;
        }
        check_parcel((const struct parcel *)submission->owner);
        taken++;
    }
    run_size(engine, 30);
    run_size(engine, 2);
    assert_int_equal(get_info(engine).retired, 2);
    sy_engine_close(engine);
}

// --- calibration ---------------------------------------------------------------------------------

static const struct sy_engine_impl *const with_device[] = {&impl_large, &sy_engine_portable,
                                                           &sy_engine_openssl, NULL};

// It is OpenSSL behind a delay: never as fast as that, by however many threads.
CASE(a_device_that_never_wins_is_left_out_and_said_so)
{
    struct sy_engine_choice choice;
    large.ns_of_a_call = 1000;
    assert_int_equal(sy_engine_choose(&choice, "auto", with_device, 64, NULL), SY_OK);
    for (size_t i = 0; choice.impls[i]; i++) assert_ptr_not_equal(choice.impls[i], &impl_large);
    assert_non_null(strstr(choice.why, "large"));
    assert_non_null(strstr(choice.why, "less than 64 threads of"));
}

// Answers at once whatever it is asked, after a delay: from some size on nothing is faster.
static sy_status run_at_once(void *state, struct sy_submission *submission, struct sy_hash *scratch)
{
    static const struct timespec cost = {.tv_nsec = 2000000};
    if (submission->tree_count > 0) return run_any(state, submission, scratch); // The self-test.
    (void)nanosleep(&cost, NULL);
    memset(submission->verdicts, 1, submission->job_count);
    return SY_OK;
}

CASE(a_device_that_wins_takes_what_is_large_enough)
{
    static const struct sy_engine_impl fast = {
        .name = "fast", .device = true, .open = open_large, .run = run_at_once};
    static const struct sy_engine_impl *const offered[] = {&fast, &sy_engine_openssl, NULL};
    struct sy_engine_choice choice;
    // 64 at a time are 32,000 a second, 16,384 are 8,000,000; OpenSSL's some 9,000, times 64.
    assert_int_equal(sy_engine_choose(&choice, "auto", offered, 64, NULL), SY_OK);
    assert_ptr_equal(choice.impls[0], &fast);
    assert_ptr_equal(choice.impls[1], &sy_engine_openssl);
    assert_null(choice.impls[2]);
    assert_in_range(choice.from[0], 256, 16384);
    assert_int_equal(choice.from[1], 0);
    assert_true(choice.per_s[0] > choice.per_s[1]);
    assert_non_null(strstr(choice.why, "signatures on"));
}

static sy_status run_selftest_only(void *state, struct sy_submission *submission,
                                   struct sy_hash *scratch)
{
    return submission->tree_count > 0 ? run_any(state, submission, scratch) : SY_ERR_IO;
}

CASE(a_device_that_fails_while_it_is_timed_is_left_out_with_an_alarm)
{
    static const struct sy_engine_impl broken = {
        .name = "broken", .device = true, .open = open_large, .run = run_selftest_only};
    static const struct sy_engine_impl *const offered[] = {&broken, &sy_engine_openssl, NULL};
    struct sy_engine_choice choice;
    uint64_t before = sy_metric_get(SY_M_engine_retired_total);
    assert_int_equal(sy_engine_choose(&choice, "auto", offered, 1, NULL), SY_OK);
    assert_ptr_equal(choice.impls[0], &sy_engine_openssl);
    assert_non_null(strstr(choice.why, "broken failed"));
    assert_int_equal(sy_metric_get(SY_M_engine_retired_total) - before, 1);
}

CASE(a_device_that_is_named_takes_all_and_untimed_it_takes_none)
{
    struct sy_engine_choice choice;
    assert_int_equal(sy_engine_choose(&choice, "large", with_device, 1, NULL), SY_OK);
    assert_ptr_equal(choice.impls[0], &impl_large);
    assert_int_equal(choice.from[0], 0);
    assert_int_equal(sy_engine_choose(&choice, "auto", with_device, 0, NULL), SY_OK);
    assert_ptr_equal(choice.impls[0], &sy_engine_portable);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
#define WITH_RESET(name) cmocka_unit_test_setup(name, reset)
        WITH_RESET(each_is_given_the_sizes_that_are_its),
        WITH_RESET(hashes_count_by_the_thirty_second),
        WITH_RESET(a_hint_goes_to_all_in_use_and_returns_the_firsts_handle),
        WITH_RESET(what_stands_behind_the_one_for_small_ones_is_not_in_use),
        WITH_RESET(a_reference_that_does_not_take_all_is_our_bug),
        WITH_RESET(a_retired_device_leaves_its_sizes_to_the_next),
        WITH_RESET(the_one_for_small_ones_may_go_and_the_device_stay),
        WITH_RESET(a_lie_of_one_leaves_what_others_served_alone),
        WITH_RESET(workers_lose_nothing_when_both_ends_fail),
        WITH_RESET(a_device_that_never_wins_is_left_out_and_said_so),
        WITH_RESET(a_device_that_wins_takes_what_is_large_enough),
        WITH_RESET(a_device_that_fails_while_it_is_timed_is_left_out_with_an_alarm),
        WITH_RESET(a_device_that_is_named_takes_all_and_untimed_it_takes_none),
#undef WITH_RESET
    };
    return cmocka_run_group_tests(cases, set_up, tear_down);
}
