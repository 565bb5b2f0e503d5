/* test_engine.c: the engine around its implementations: limits, order, and above all retirement,
 * with implementations that fail, lie or are not there. ctest: threaded */
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>

#include "core/base/telemetry.h"
#include "core/crypto/engine_check.h"
#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"
#include "tests/support/test.h"

// --- implementations that misbehave --------------------------------------------------------------

enum lie {
    TELL_TRUTH,
    SAY_GOOD,     // every verdict 1
    SAY_BAD,      // every verdict 0
    SAY_NONSENSE, // a verdict that is neither
    SPOIL_LEAF,
    SPOIL_ROOT,
};

// What one implementation does. The self-test, its first runs, goes well unless spoil_selftest.
struct fault {
    enum lie lie;
    bool spoil_selftest;
    unsigned spoil_from; // the run of the self-test from which on, counted from 0
    sy_status open_status;
    atomic_uint fail_at; // the run after the self-test that fails, counted from 1; 0: none
    atomic_uint runs;    // the self-test included
    atomic_uint closes;
    atomic_uint hints;
    sem_t *entered; // posted by each run after the self-test but the failing one
    sem_t *go_on;   // which then waits for this; both NULL: nobody waits
};

static struct fault fault_a, fault_b;

static void tell_lie(enum lie lie, struct sy_submission *submission)
{
    for (uint32_t i = 0; i < submission->job_count; i++) {
        if (lie == SAY_GOOD) submission->verdicts[i] = 1;
        if (lie == SAY_BAD) submission->verdicts[i] = 0;
        if (lie == SAY_NONSENSE) submission->verdicts[i] |= 2;
    }
    if (lie == SPOIL_LEAF && submission->leaf_count > 0) {
        submission->leaf_hashes[0].bytes[31] ^= 1; // Outside the tree of a parcel.
    }
    if (lie == SPOIL_ROOT && submission->tree_count > 0) {
        submission->trees[submission->tree_count - 1].root.bytes[0] ^= 1;
    }
}

static sy_status run_fault(struct fault *fault, struct sy_submission *submission,
                           struct sy_hash *scratch)
{
    unsigned run = atomic_fetch_add(&fault->runs, 1);
    unsigned asked = run < SY_ENGINE_SELFTEST_ROUNDS ? 0 : run - SY_ENGINE_SELFTEST_ROUNDS + 1;
    sy_status status = sy_engine_openssl.run(NULL, submission, scratch);
    assert_int_equal(status, SY_OK);
    bool fails = asked > 0 && asked == atomic_load(&fault->fail_at);
    if (asked > 0 && fault->entered != NULL && !fails) {
        assert_int_equal(sem_post(fault->entered), 0);
        assert_int_equal(sem_wait(fault->go_on), 0);
    }
    bool spoils = fault->spoil_selftest && run >= fault->spoil_from;
    if (asked > 0 || spoils) tell_lie(fault->lie, submission);
    if (fails) {
        memset(submission->verdicts, 0x77, submission->job_count); // It broke off half-way.
        return SY_ERR_IO;
    }
    return SY_OK;
}

static sy_status open_a(void **state, const struct sy_engine_config *config, struct sy_error *err)
{
    (void)config;
    *state = &fault_a;
    return fault_a.open_status == SY_OK
               ? SY_OK
               : sy_fail(err, fault_a.open_status, "the device is not well");
}

static sy_status open_b(void **state, const struct sy_engine_config *config, struct sy_error *err)
{
    (void)config;
    (void)err;
    *state = &fault_b;
    return SY_OK;
}

static void close_fault(void *state)
{
    struct fault *fault = state;
    atomic_fetch_add(&fault->closes, 1);
}

static sy_status run_any(void *state, struct sy_submission *submission, struct sy_hash *scratch)
{
    return run_fault(state, submission, scratch);
}

static uint32_t hint_any(void *state, const struct sy_public_key *key,
                         const struct sy_hash *organisation)
{
    struct fault *fault = state;
    (void)key;
    (void)organisation;
    return 100 + atomic_fetch_add(&fault->hints, 1);
}

static const struct sy_engine_impl impl_a = {
    .name = "a", .open = open_a, .close = close_fault, .run = run_any, .hint = hint_any};
static const struct sy_engine_impl impl_b = {
    .name = "b", .open = open_b, .close = close_fault, .run = run_any};

// --- fixture -------------------------------------------------------------------------------------

#define JOBS 6
#define LEAVES 5

// A submission whose answers are known: jobs that are bad have their bit in bad_mask.
struct parcel {
    struct sy_submission submission;
    struct sy_sig_job jobs[JOBS];
    uint8_t verdicts[JOBS];
    struct sy_slice leaves[LEAVES];
    struct sy_hash leaf_hashes[LEAVES];
    struct sy_tree_job tree;
    unsigned bad_mask;
};

static sy_secret_key *secret_key;
static struct sy_public_key public_key;

static int set_up(void **state)
{
    static const uint8_t seed[32] = {42};
    (void)state;
    if (sy_secret_key_from_seed(&secret_key, seed) != SY_OK) return -1;
    sy_secret_key_public(secret_key, &public_key);
    // Alarms are expected here by the dozen; what counts is the engine's own figures.
    return sy_log_open("/dev/null", SY_LOG_ERROR, NULL) == SY_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    sy_log_close();
    sy_secret_key_close(secret_key);
    return 0;
}

static int reset_faults(void **state)
{
    (void)state;
    memset(&fault_a, 0, sizeof fault_a);
    memset(&fault_b, 0, sizeof fault_b);
    return 0;
}

static void make_parcel(struct parcel *parcel, unsigned bad_mask)
{
    *parcel = (struct parcel){.bad_mask = bad_mask, .tree = {.first = 1, .count = LEAVES - 1}};
    for (uint32_t i = 0; i < LEAVES; i++) parcel->leaves[i] = sy_slice_of("leaves", i);
    for (uint32_t i = 0; i < JOBS; i++) {
        struct sy_sig_job *job = &parcel->jobs[i];
        *job = (struct sy_sig_job){.key = public_key, .leaf = SY_JOB_NO_LEAF, .kind = SY_SIG_TX};
        sy_sha256(&job->digest, &i, sizeof i);
        sy_sign(secret_key, &job->signature, SY_SIG_TX, &job->digest);
        if (bad_mask >> i & 1) job->signature.bytes[33] ^= 1;
    }
    parcel->submission = (struct sy_submission){.leaves = parcel->leaves,
                                                .leaf_count = LEAVES,
                                                .leaf_hashes = parcel->leaf_hashes,
                                                .jobs = parcel->jobs,
                                                .job_count = JOBS,
                                                .verdicts = parcel->verdicts,
                                                .trees = &parcel->tree,
                                                .tree_count = 1,
                                                .owner = parcel};
}

static void check_parcel(const struct parcel *parcel)
{
    struct sy_hash hash, root, scratch[LEAVES];
    for (uint32_t i = 0; i < JOBS; i++) {
        assert_int_equal(parcel->verdicts[i], !(parcel->bad_mask >> i & 1));
    }
    for (uint32_t i = 0; i < LEAVES; i++) {
        sy_hash_leaf(&hash, parcel->leaves[i]);
        assert_true(sy_hash_equal(&hash, &parcel->leaf_hashes[i]));
    }
    sy_merkle_root(&root, scratch, parcel->leaf_hashes + 1, LEAVES - 1);
    assert_true(sy_hash_equal(&root, &parcel->tree.root));
}

static const struct sy_engine_impl *const only_openssl[] = {&sy_engine_openssl, NULL};
static const struct sy_engine_impl *const a_first[] = {&impl_a, &sy_engine_openssl, NULL};
static const struct sy_engine_impl *const a_then_b[] = {&impl_a, &impl_b, &sy_engine_openssl, NULL};

static sy_engine *open_engine(const struct sy_engine_impl *const *impls, unsigned threads,
                              uint32_t sample_every)
{
    struct sy_engine_config config = {.threads = threads,
                                      .queue = 32,
                                      .leaves_max = LEAVES,
                                      .sample_every = sample_every,
                                      .impls = impls};
    sy_engine *engine = NULL;
    assert_int_equal(sy_engine_open(&engine, &config, NULL), SY_OK);
    return engine;
}

static void assert_standing(const sy_engine *engine, const char *impl, uint32_t retired)
{
    struct sy_engine_info info;
    sy_engine_get_info(engine, &info);
    assert_string_equal(info.impl, impl);
    assert_int_equal(info.retired, retired);
}

static struct sy_submission *wait_done(sy_engine *engine)
{
    struct pollfd wait = {.fd = sy_engine_done_fd(engine), .events = POLLIN};
    struct sy_submission *submission;
    while ((submission = sy_engine_done(engine)) == NULL) {
        assert_int_equal(poll(&wait, 1, -1), 1);
    }
    return submission;
}

// --- opening -------------------------------------------------------------------------------------

CASE(figures_out_of_range_are_refused_by_name)
{
    const struct sy_engine_config good = {
        .threads = 0, .queue = 1, .leaves_max = 0, .impls = only_openssl};
    struct sy_engine_config bad[4] = {good, good, good, good};
    static const char *const words[4] = {"threads is 65", "queue is 0", "queue is 65537",
                                         "leaves_max is 16777217"};
    bad[0].threads = 65;
    bad[1].queue = 0;
    bad[2].queue = 65537;
    bad[3].leaves_max = 16777217;
    for (size_t i = 0; i < 4; i++) {
        sy_engine *engine = NULL;
        struct sy_error err;
        assert_int_equal(sy_engine_open(&engine, &bad[i], &err), SY_ERR_ARGUMENT);
        assert_non_null(strstr(err.text, words[i]));
        assert_null(engine);
    }
    sy_engine *engine = NULL;
    assert_int_equal(sy_engine_open(&engine, &good, NULL), SY_OK);
    sy_engine_close(engine);
    sy_engine_close(NULL);
}

CASE(an_implementation_that_is_not_here_is_dropped_without_alarm)
{
    fault_a.open_status = SY_ERR_NOT_FOUND;
    sy_engine *engine = open_engine(a_first, 0, 0);
    assert_standing(engine, "openssl", 0);
    sy_engine_close(engine);
    assert_int_equal(fault_a.runs, 0);
    assert_int_equal(fault_a.closes, 0);
}

CASE(an_implementation_that_cannot_open_is_dropped_with_an_alarm)
{
    fault_a.open_status = SY_ERR_IO;
    sy_engine *engine = open_engine(a_first, 0, 0);
    assert_standing(engine, "openssl", 1);
    sy_engine_close(engine);
    assert_int_equal(fault_a.closes, 0);
}

CASE(an_implementation_that_fails_the_selftest_is_dropped_with_an_alarm)
{
    for (enum lie lie = SAY_GOOD; lie <= SPOIL_ROOT; lie++) {
        (void)reset_faults(NULL);
        fault_a.lie = lie;
        fault_a.spoil_selftest = true;
        sy_engine *engine = open_engine(a_then_b, 0, 0);
        assert_standing(engine, "b", 1);
        assert_int_equal(fault_a.closes, 1);
        sy_engine_close(engine);
        assert_int_equal(fault_a.closes, 1);
        assert_int_equal(fault_b.closes, 1);
        assert_int_equal(fault_a.runs, 1);
    }
}

// By then the keys of an implementation that keeps tables have theirs.
CASE(an_implementation_that_goes_wrong_late_in_the_selftest_is_dropped_too)
{
    fault_a.lie = SAY_GOOD;
    fault_a.spoil_selftest = true;
    fault_a.spoil_from = SY_ENGINE_SELFTEST_ROUNDS - 1;
    sy_engine *engine = open_engine(a_then_b, 0, 0);
    assert_standing(engine, "b", 1);
    assert_int_equal(fault_a.runs, SY_ENGINE_SELFTEST_ROUNDS);
    sy_engine_close(engine);
}

static void open_without_the_reference(void *context)
{
    static const struct sy_engine_impl *const impls[] = {&impl_a, NULL};
    struct sy_engine_config config = {.queue = 1, .impls = impls};
    sy_engine *engine = NULL;
    (void)context;
    (void)!sy_engine_open(&engine, &config, NULL);
}

CASE(a_list_that_does_not_end_in_openssl_is_our_bug)
{
    assert_aborts(open_without_the_reference, NULL);
}

// --- submitting ----------------------------------------------------------------------------------

CASE(without_threads_a_submission_is_done_at_once_and_in_order)
{
    static struct parcel parcels[8];
    sy_engine *engine = open_engine(only_openssl, 0, 0);
    struct pollfd wait = {.fd = sy_engine_done_fd(engine), .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 0), 0);
    assert_null(sy_engine_done(engine));
    for (unsigned i = 0; i < 8; i++) {
        make_parcel(&parcels[i], i);
        assert_int_equal(sy_engine_submit(engine, &parcels[i].submission), SY_OK);
        check_parcel(&parcels[i]);
    }
    assert_int_equal(poll(&wait, 1, 0), 1);
    for (unsigned i = 0; i < 8; i++) {
        assert_ptr_equal(sy_engine_done(engine), &parcels[i].submission);
    }
    assert_null(sy_engine_done(engine));
    assert_int_equal(poll(&wait, 1, 0), 0);
    sy_engine_close(engine);
}

CASE(a_full_queue_is_busy_until_one_is_taken)
{
    static struct parcel parcels[3];
    for (unsigned threads = 0; threads <= 2; threads += 2) {
        struct sy_engine_config config = {
            .threads = threads, .queue = 2, .leaves_max = LEAVES, .impls = only_openssl};
        sy_engine *engine = NULL;
        assert_int_equal(sy_engine_open(&engine, &config, NULL), SY_OK);
        for (unsigned i = 0; i < 3; i++) make_parcel(&parcels[i], i);
        assert_int_equal(sy_engine_submit(engine, &parcels[0].submission), SY_OK);
        assert_int_equal(sy_engine_submit(engine, &parcels[1].submission), SY_OK);
        assert_int_equal(sy_engine_submit(engine, &parcels[2].submission), SY_ERR_BUSY);
        (void)wait_done(engine);
        assert_int_equal(sy_engine_submit(engine, &parcels[2].submission), SY_OK);
        (void)wait_done(engine);
        (void)wait_done(engine);
        for (unsigned i = 0; i < 3; i++) check_parcel(&parcels[i]);
        sy_engine_close(engine);
    }
}

CASE(too_many_leaves_are_refused)
{
    struct sy_slice leaves[LEAVES + 1] = {{NULL, 0}};
    struct sy_hash hashes[LEAVES + 1];
    struct sy_submission submission = {
        .leaves = leaves, .leaf_count = LEAVES + 1, .leaf_hashes = hashes};
    sy_engine *engine = open_engine(only_openssl, 0, 0);
    assert_int_equal(sy_engine_submit(engine, &submission), SY_ERR_LIMIT);
    assert_int_equal(sy_engine_run(engine, &submission), SY_ERR_LIMIT);
    assert_null(sy_engine_done(engine));
    submission.leaf_count = LEAVES;
    assert_int_equal(sy_engine_run(engine, &submission), SY_OK);
    sy_engine_close(engine);
}

static void submit_broken(void *context)
{
    sy_engine *engine = open_engine(only_openssl, 0, 0);
    (void)!sy_engine_run(engine, context);
}

CASE(indices_and_kinds_out_of_range_are_our_bug)
{
    struct parcel parcel;
    make_parcel(&parcel, 0);
    parcel.jobs[3].leaf = LEAVES;
    assert_aborts(submit_broken, &parcel.submission);
    make_parcel(&parcel, 0);
    parcel.jobs[3].kind = 0;
    assert_aborts(submit_broken, &parcel.submission);
    parcel.jobs[3].kind = SY_SIG_KIND_COUNT;
    assert_aborts(submit_broken, &parcel.submission);
    make_parcel(&parcel, 0);
    parcel.tree.count = LEAVES;
    assert_aborts(submit_broken, &parcel.submission);
    parcel.tree = (struct sy_tree_job){.first = UINT32_MAX, .count = 2};
    assert_aborts(submit_broken, &parcel.submission);
    parcel.tree = (struct sy_tree_job){.first = LEAVES, .count = UINT32_MAX};
    assert_aborts(submit_broken, &parcel.submission);
}

CASE(closing_finishes_what_was_submitted)
{
    static struct parcel parcels[32];
    sy_engine *engine = open_engine(only_openssl, 2, 0);
    for (unsigned i = 0; i < 32; i++) {
        make_parcel(&parcels[i], i);
        memset(parcels[i].verdicts, 0x77, sizeof parcels[i].verdicts);
        assert_int_equal(sy_engine_submit(engine, &parcels[i].submission), SY_OK);
    }
    sy_engine_close(engine);
    for (unsigned i = 0; i < 32; i++) check_parcel(&parcels[i]);
}

CASE(what_was_delivered_is_counted_once)
{
    struct parcel parcels[2];
    struct sy_engine_info info;
    fault_a.lie = SAY_BAD;
    sy_engine *engine = open_engine(a_first, 0, 1); // Every answer of a is checked and redone.
    make_parcel(&parcels[0], 0);
    make_parcel(&parcels[1], 0x15);
    assert_int_equal(sy_engine_submit(engine, &parcels[0].submission), SY_OK);
    sy_engine_get_info(engine, &info);
    assert_int_equal(info.submissions, 0); // Done, but not yet taken.
    assert_non_null(sy_engine_done(engine));
    assert_int_equal(sy_engine_run(engine, &parcels[1].submission), SY_OK);
    sy_engine_get_info(engine, &info);
    assert_int_equal(info.submissions, 2);
    assert_int_equal(info.jobs, 2 * JOBS);
    assert_int_equal(info.refused, 3);
    assert_int_equal(info.leaves, 2 * LEAVES);
    assert_true(info.sampled > 0);
    sy_engine_close(engine);
}

// --- retirement ----------------------------------------------------------------------------------

// Whichever call fails, with or without threads, everything comes back once and right.
CASE(failing_at_any_call_loses_nothing)
{
    enum { PARCELS = 12 };
    static struct parcel parcels[PARCELS];
    for (unsigned threads = 0; threads <= 3; threads += 3) {
        for (unsigned fail_at = 1; fail_at <= PARCELS + 1; fail_at++) {
            bool back[PARCELS] = {false};
            (void)reset_faults(NULL);
            fault_a.fail_at = fail_at;
            sy_engine *engine = open_engine(a_first, threads, 0);
            for (unsigned i = 0; i < PARCELS; i++) {
                make_parcel(&parcels[i], i);
                assert_int_equal(sy_engine_submit(engine, &parcels[i].submission), SY_OK);
            }
            for (unsigned i = 0; i < PARCELS; i++) {
                struct parcel *parcel = wait_done(engine)->owner;
                check_parcel(parcel);
                assert_false(back[parcel - parcels]);
                back[parcel - parcels] = true;
            }
            assert_null(sy_engine_done(engine));
            bool failed = fail_at <= PARCELS;
            assert_standing(engine, failed ? "openssl" : "a", failed ? 1 : 0);
            sy_engine_close(engine);
            assert_int_equal(fault_a.closes, 1);
        }
    }
}

CASE(every_sampled_lie_retires_the_liar_and_is_not_told)
{
    for (enum lie lie = SAY_GOOD; lie <= SPOIL_ROOT; lie++) {
        struct parcel parcel;
        (void)reset_faults(NULL);
        fault_a.lie = lie;
        sy_engine *engine = open_engine(a_first, 0, 1);
        make_parcel(&parcel, 0x0a);
        assert_int_equal(sy_engine_submit(engine, &parcel.submission), SY_OK);
        assert_ptr_equal(sy_engine_done(engine), &parcel.submission);
        check_parcel(&parcel);
        assert_standing(engine, "openssl", 1);
        sy_engine_close(engine);
    }
}

CASE(an_honest_implementation_stays_under_full_sampling)
{
    struct sy_engine_info info;
    struct parcel parcel;
    sy_engine *engine = open_engine(a_first, 0, 1);
    make_parcel(&parcel, 0x0a);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(sy_engine_run(engine, &parcel.submission), SY_OK);
    }
    sy_engine_get_info(engine, &info);
    assert_int_equal(info.sampled, 20 * (JOBS + LEAVES + 1));
    assert_standing(engine, "a", 0);
    sy_engine_close(engine);
}

CASE(the_reference_is_never_sampled)
{
    struct sy_engine_info info;
    struct parcel parcel;
    sy_engine *engine = open_engine(only_openssl, 0, 1);
    make_parcel(&parcel, 0x0a);
    parcel.submission.confirm_negatives = true;
    assert_int_equal(sy_engine_run(engine, &parcel.submission), SY_OK);
    sy_engine_get_info(engine, &info);
    assert_int_equal(info.sampled, 0);
    sy_engine_close(engine);
}

// A flipped bit in a device must not blame the maker of a batch.
CASE(a_negative_verdict_is_confirmed_when_asked)
{
    struct sy_engine_info info;
    struct parcel parcel;
    fault_a.lie = SAY_BAD;
    sy_engine *engine = open_engine(a_first, 0, 0);
    make_parcel(&parcel, 0x02);
    parcel.submission.confirm_negatives = true;
    assert_int_equal(sy_engine_run(engine, &parcel.submission), SY_OK);
    check_parcel(&parcel);
    assert_standing(engine, "openssl", 1);
    sy_engine_close(engine);

    (void)reset_faults(NULL);
    engine = open_engine(a_first, 0, 0);
    assert_int_equal(sy_engine_run(engine, &parcel.submission), SY_OK);
    check_parcel(&parcel);
    assert_standing(engine, "a", 0); // It was right to refuse that one.
    sy_engine_get_info(engine, &info);
    assert_int_equal(info.sampled, 1);
    sy_engine_close(engine);
}

// The first submission carries a lie that no sample met and waits to be taken when the second one
// retires the liar: the lie must not be handed out any more.
CASE(what_waits_to_be_taken_runs_again)
{
    struct parcel first, second;
    fault_a.lie = SAY_GOOD;
    fault_a.fail_at = 2;
    sy_engine *engine = open_engine(a_first, 0, 0);
    make_parcel(&first, 0x3f);
    make_parcel(&second, 0x01);
    assert_int_equal(sy_engine_submit(engine, &first.submission), SY_OK);
    assert_int_equal(first.verdicts[0], 1);
    assert_standing(engine, "a", 0);
    assert_int_equal(sy_engine_submit(engine, &second.submission), SY_OK);
    assert_standing(engine, "openssl", 1);
    for (int i = 0; i < 2; i++) check_parcel(wait_done(engine)->owner);
    assert_null(sy_engine_done(engine));
    sy_engine_close(engine);
}

// One worker is inside the implementation while another one's run fails and retires it; what the
// first brings back afterwards, a lie, must run again.
CASE(what_is_in_flight_on_another_worker_runs_again)
{
    struct parcel first, second;
    struct sy_engine_info info = {.retired = 0};
    sem_t entered, go_on;
    assert_int_equal(sem_init(&entered, 0, 0), 0);
    assert_int_equal(sem_init(&go_on, 0, 0), 0);
    fault_a.lie = SAY_GOOD;
    fault_a.entered = &entered;
    fault_a.go_on = &go_on;
    fault_a.fail_at = 2;
    sy_engine *engine = open_engine(a_first, 2, 0);
    make_parcel(&first, 0x3f);
    make_parcel(&second, 0x01);
    assert_int_equal(sy_engine_submit(engine, &first.submission), SY_OK);
    assert_int_equal(sem_wait(&entered), 0);
    assert_int_equal(sy_engine_submit(engine, &second.submission), SY_OK);
    while (info.retired == 0) {
        (void)poll(NULL, 0, 1);
        sy_engine_get_info(engine, &info);
    }
    assert_int_equal(sem_post(&go_on), 0);
    for (int i = 0; i < 2; i++) check_parcel(wait_done(engine)->owner);
    assert_standing(engine, "openssl", 1);
    sy_engine_close(engine);
    // The self-test and these two: it was not asked again.
    assert_int_equal(fault_a.runs, SY_ENGINE_SELFTEST_ROUNDS + 2);
    assert_int_equal(sem_destroy(&go_on), 0);
    assert_int_equal(sem_destroy(&entered), 0);
}

struct caller {
    sy_engine *engine;
    struct sy_submission *submission;
};

static void *run_in_thread(void *context)
{
    struct caller *caller = context;
    return sy_engine_run(caller->engine, caller->submission) == SY_OK ? NULL : context;
}

// The same for a caller's own thread, which takes nothing from the done ring.
CASE(what_is_in_flight_in_a_caller_runs_again)
{
    struct parcel first, second;
    struct sy_engine_info info = {.retired = 0};
    sem_t entered, go_on;
    pthread_t thread;
    void *failed;
    assert_int_equal(sem_init(&entered, 0, 0), 0);
    assert_int_equal(sem_init(&go_on, 0, 0), 0);
    fault_a.lie = SAY_GOOD;
    fault_a.entered = &entered;
    fault_a.go_on = &go_on;
    fault_a.fail_at = 2;
    sy_engine *engine = open_engine(a_first, 1, 0);
    make_parcel(&first, 0x3f);
    make_parcel(&second, 0x01);
    struct caller caller = {engine, &first.submission};
    assert_int_equal(pthread_create(&thread, NULL, run_in_thread, &caller), 0);
    assert_int_equal(sem_wait(&entered), 0);
    assert_int_equal(sy_engine_submit(engine, &second.submission), SY_OK);
    while (info.retired == 0) {
        (void)poll(NULL, 0, 1);
        sy_engine_get_info(engine, &info);
    }
    assert_int_equal(sem_post(&go_on), 0);
    assert_int_equal(pthread_join(thread, &failed), 0);
    assert_null(failed);
    check_parcel(&first);
    check_parcel(wait_done(engine)->owner);
    sy_engine_close(engine);
    assert_int_equal(sem_destroy(&go_on), 0);
    assert_int_equal(sem_destroy(&entered), 0);
}

CASE(two_workers_that_catch_one_liar_raise_one_alarm)
{
    struct parcel parcels[2];
    sem_t entered, go_on;
    assert_int_equal(sem_init(&entered, 0, 0), 0);
    assert_int_equal(sem_init(&go_on, 0, 0), 0);
    fault_a.lie = SAY_NONSENSE;
    fault_a.entered = &entered;
    fault_a.go_on = &go_on;
    sy_engine *engine = open_engine(a_then_b, 2, 0);
    for (unsigned i = 0; i < 2; i++) {
        make_parcel(&parcels[i], i);
        assert_int_equal(sy_engine_submit(engine, &parcels[i].submission), SY_OK);
    }
    for (int i = 0; i < 2; i++) assert_int_equal(sem_wait(&entered), 0);
    for (int i = 0; i < 2; i++) assert_int_equal(sem_post(&go_on), 0);
    for (int i = 0; i < 2; i++) check_parcel(wait_done(engine)->owner);
    assert_standing(engine, "b", 1);
    sy_engine_close(engine);
    assert_int_equal(sem_destroy(&go_on), 0);
    assert_int_equal(sem_destroy(&entered), 0);
}

CASE(a_verdict_that_is_no_verdict_is_caught_without_sampling)
{
    struct parcel parcel;
    fault_a.lie = SAY_NONSENSE;
    sy_engine *engine = open_engine(a_first, 0, 0);
    make_parcel(&parcel, 0x03);
    assert_int_equal(sy_engine_run(engine, &parcel.submission), SY_OK);
    check_parcel(&parcel);
    assert_standing(engine, "openssl", 1);
    sy_engine_close(engine);
}

CASE(implementations_retire_one_after_the_other)
{
    struct parcel parcel;
    fault_a.fail_at = 1;
    fault_b.lie = SPOIL_LEAF;
    sy_engine *engine = open_engine(a_then_b, 0, 1);
    make_parcel(&parcel, 0x21);
    assert_standing(engine, "a", 0);
    assert_int_equal(sy_engine_run(engine, &parcel.submission), SY_OK);
    check_parcel(&parcel);
    assert_standing(engine, "openssl", 2);
    sy_engine_close(engine);
    assert_int_equal(fault_a.closes, 1);
    assert_int_equal(fault_b.closes, 1);
}

CASE(a_hint_goes_to_the_implementation_in_use)
{
    struct sy_hash organisation = {{0}};
    struct parcel parcel;
    fault_a.fail_at = 1;
    sy_engine *engine = open_engine(a_then_b, 0, 0);
    assert_int_equal(sy_engine_key_hint(engine, &public_key, &organisation), 100);
    assert_int_equal(sy_engine_key_hint(engine, &public_key, &organisation), 101);
    make_parcel(&parcel, 0);
    assert_int_equal(sy_engine_run(engine, &parcel.submission), SY_OK);
    assert_standing(engine, "b", 1);
    assert_int_equal(sy_engine_key_hint(engine, &public_key, &organisation), SY_KEY_HANDLE_NONE);
    assert_int_equal(fault_a.hints, 2);
    sy_engine_close(engine);
}

// --- sampling ------------------------------------------------------------------------------------

static uint64_t count_samples(uint32_t sample_every, int runs)
{
    struct sy_engine_info info;
    struct parcel parcel;
    sy_engine *engine = open_engine(a_first, 0, sample_every);
    make_parcel(&parcel, 0x0a);
    for (int i = 0; i < runs; i++) {
        assert_int_equal(sy_engine_run(engine, &parcel.submission), SY_OK);
    }
    sy_engine_get_info(engine, &info);
    sy_engine_close(engine);
    return info.sampled;
}

// The draw is a fixed hash of the answer's number, so these counts never vary; the bounds say that
// it is near the rate asked for.
CASE(samples_repeat_and_keep_their_rate)
{
    const uint64_t answers = 100 * (JOBS + LEAVES + 1);
    uint64_t samples = count_samples(8, 100);
    assert_int_equal(samples, count_samples(8, 100));
    assert_in_range(samples, answers / 8 * 3 / 4, answers / 8 * 5 / 4);
    assert_int_equal(count_samples(0, 20), 0);
}

// Were the draw periodic, a fault at one place of every submission could hide between samples.
CASE(sampling_meets_every_place_of_equal_submissions)
{
    for (enum lie lie = SAY_GOOD; lie <= SPOIL_ROOT; lie++) {
        struct parcel parcel;
        (void)reset_faults(NULL);
        fault_a.lie = lie;
        sy_engine *engine = open_engine(a_first, 0, JOBS + LEAVES + 1);
        make_parcel(&parcel, 0x01);
        for (int i = 0; i < 200; i++) {
            assert_int_equal(sy_engine_run(engine, &parcel.submission), SY_OK);
        }
        assert_standing(engine, "openssl", 1);
        check_parcel(&parcel);
        sy_engine_close(engine);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
#define WITH_RESET(name) cmocka_unit_test_setup(name, reset_faults)
        WITH_RESET(figures_out_of_range_are_refused_by_name),
        WITH_RESET(an_implementation_that_is_not_here_is_dropped_without_alarm),
        WITH_RESET(an_implementation_that_cannot_open_is_dropped_with_an_alarm),
        WITH_RESET(an_implementation_that_fails_the_selftest_is_dropped_with_an_alarm),
        WITH_RESET(an_implementation_that_goes_wrong_late_in_the_selftest_is_dropped_too),
        WITH_RESET(a_list_that_does_not_end_in_openssl_is_our_bug),
        WITH_RESET(without_threads_a_submission_is_done_at_once_and_in_order),
        WITH_RESET(a_full_queue_is_busy_until_one_is_taken),
        WITH_RESET(too_many_leaves_are_refused),
        WITH_RESET(indices_and_kinds_out_of_range_are_our_bug),
        WITH_RESET(closing_finishes_what_was_submitted),
        WITH_RESET(what_was_delivered_is_counted_once),
        WITH_RESET(failing_at_any_call_loses_nothing),
        WITH_RESET(every_sampled_lie_retires_the_liar_and_is_not_told),
        WITH_RESET(an_honest_implementation_stays_under_full_sampling),
        WITH_RESET(the_reference_is_never_sampled),
        WITH_RESET(a_negative_verdict_is_confirmed_when_asked),
        WITH_RESET(what_waits_to_be_taken_runs_again),
        WITH_RESET(what_is_in_flight_on_another_worker_runs_again),
        WITH_RESET(what_is_in_flight_in_a_caller_runs_again),
        WITH_RESET(two_workers_that_catch_one_liar_raise_one_alarm),
        WITH_RESET(a_verdict_that_is_no_verdict_is_caught_without_sampling),
        WITH_RESET(implementations_retire_one_after_the_other),
        WITH_RESET(a_hint_goes_to_the_implementation_in_use),
        WITH_RESET(samples_repeat_and_keep_their_rate),
        WITH_RESET(sampling_meets_every_place_of_equal_submissions),
#undef WITH_RESET
    };
    return cmocka_run_group_tests(cases, set_up, tear_down);
}
