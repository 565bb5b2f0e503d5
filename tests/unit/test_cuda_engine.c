/* test_cuda_engine.c: the engine on a device, on the host twin of one: every call of the device
 * that fails retires it and loses nothing, every wrong answer is found, nothing stays held, and
 * what is sent in pieces comes back in its place. ctest: threaded timeout=1800 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/telemetry.h"
#include "core/crypto/engine_choice.h"
#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"
#include "gpu/cuda_engine.h"
#include "gpu/host_device.h"
#include "tests/support/engines.h"
#include "tests/support/test.h"

#define KEYS 3u
#define JOBS 9u
#define LEAVES 11u
#define TREES 3u

// --- fixture -------------------------------------------------------------------------------------

struct parcel {
    struct sy_submission submission;
    struct sy_sig_job jobs[JOBS];
    uint8_t verdicts[JOBS];
    struct sy_slice leaves[LEAVES];
    struct sy_hash hashes[LEAVES];
    struct sy_tree_job trees[TREES];
};

static sy_secret_key *secret_keys[KEYS];
static struct sy_public_key public_keys[KEYS];

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEYS; i++) {
        uint8_t seed[32] = {(uint8_t)(i + 1)};
        if (sy_secret_key_from_seed(&secret_keys[i], seed) != SY_OK) return -1;
        sy_secret_key_public(secret_keys[i], &public_keys[i]);
    }
    return sy_log_open("/dev/null", SY_LOG_ERROR, NULL) == SY_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    sy_log_close();
    for (size_t i = 0; i < KEYS; i++) sy_secret_key_close(secret_keys[i]);
    return 0;
}

static void sign_job(struct sy_sig_job *job, uint32_t number, const struct sy_hash *leaf)
{
    uint32_t key = number % KEYS;
    *job = (struct sy_sig_job){.key = public_keys[key], .leaf = SY_JOB_NO_LEAF, .kind = SY_SIG_TX};
    if (!leaf) sy_sha256(&job->digest, &number, sizeof number);
    sy_sign(secret_keys[key], &job->signature, SY_SIG_TX, leaf ? leaf : &job->digest);
}

// Every third job signs a leaf, and every fourth is bad.
static bool is_bad(uint32_t job)
{
    return job % 4 == 1;
}

static void make_parcel(struct parcel *parcel)
{
    *parcel = (struct parcel){.trees = {{.first = 1, .count = 9}, {.count = LEAVES}, {.count = 0}}};
    for (uint32_t i = 0; i < LEAVES; i++) parcel->leaves[i] = sy_slice_of("leaves of one", i);
    for (uint32_t i = 0; i < JOBS; i++) {
        struct sy_hash leaf;
        sy_hash_leaf(&leaf, parcel->leaves[i]);
        sign_job(&parcel->jobs[i], i, i % 3 == 0 ? &leaf : NULL);
        if (i % 3 == 0) parcel->jobs[i].leaf = i;
        if (is_bad(i)) parcel->jobs[i].signature.bytes[40] ^= 2;
    }
    memset(parcel->verdicts, 0x5a, sizeof parcel->verdicts);
    parcel->submission = (struct sy_submission){.leaves = parcel->leaves,
                                                .leaf_count = LEAVES,
                                                .leaf_hashes = parcel->hashes,
                                                .jobs = parcel->jobs,
                                                .job_count = JOBS,
                                                .verdicts = parcel->verdicts,
                                                .trees = parcel->trees,
                                                .tree_count = TREES};
}

static void check_parcel(const struct parcel *parcel)
{
    struct sy_hash hash, scratch[LEAVES];
    for (uint32_t i = 0; i < JOBS; i++) assert_int_equal(parcel->verdicts[i], !is_bad(i));
    for (uint32_t i = 0; i < LEAVES; i++) {
        sy_hash_leaf(&hash, parcel->leaves[i]);
        assert_true(sy_hash_equal(&hash, &parcel->hashes[i]));
    }
    for (uint32_t i = 0; i < TREES; i++) {
        const struct sy_tree_job *tree = &parcel->trees[i];
        sy_merkle_root(&hash, scratch, parcel->hashes + tree->first, tree->count);
        assert_true(sy_hash_equal(&hash, &tree->root));
    }
}

static const struct sy_engine_impl *const twin_first[] = {&sy_engine_cuda_twin, &sy_engine_portable,
                                                          &sy_engine_openssl, NULL};

static sy_engine *open_twin(unsigned threads, uint32_t leaves_max, uint32_t sample_every)
{
    struct sy_engine_config config = {.threads = threads,
                                      .queue = 32,
                                      .leaves_max = leaves_max,
                                      .sample_every = sample_every,
                                      .table_bytes = 4u << 20,
                                      .impls = twin_first};
    sy_engine *engine = NULL;
    assert_int_equal(sy_engine_open(&engine, &config, NULL), SY_OK);
    return engine;
}

static struct sy_engine_info info_of(const sy_engine *engine)
{
    struct sy_engine_info info;
    sy_engine_get_info(engine, &info);
    return info;
}

// --- failures ------------------------------------------------------------------------------------

// An engine's whole life; returns how many implementations it lost. Its submissions come back
// right.
static uint32_t live(uint32_t sample_every)
{
    struct parcel parcel;
    uint64_t alarms = sy_metric_get(SY_M_engine_retired_total);
    sy_engine *engine = open_twin(0, LEAVES, sample_every);
    for (unsigned round = 0; round < ENGINES_ROUNDS; round++) {
        make_parcel(&parcel);
        assert_int_equal(sy_engine_submit(engine, &parcel.submission), SY_OK);
        assert_ptr_equal(sy_engine_done(engine), &parcel.submission);
        check_parcel(&parcel);
    }
    struct sy_engine_info info = info_of(engine);
    assert_string_equal(info.impl, info.retired > 0 ? "portable" : "cuda-twin");
    assert_int_equal(sy_metric_get(SY_M_engine_retired_total) - alarms, info.retired);
    assert_int_equal(info.submissions, ENGINES_ROUNDS);
    sy_engine_close(engine);
    assert_int_equal(sy_gpu_host_held(), 0);
    return info.retired;
}

static void fail_every_call(enum sy_gpu_call call, sy_status status)
{
    uint64_t before = sy_gpu_host_calls(call);
    assert_int_equal(live(0), 0);
    uint64_t calls = sy_gpu_host_calls(call) - before;
    // All of them at the start and the end, and some of the many alike between.
    uint64_t failed = 0, edge = TEST_SANITIZED ? 3 : 9;
    for (uint64_t nth = 1; nth <= calls; nth += nth < edge || nth + edge > calls ? 1 : 9) {
        sy_gpu_host_fail(call, nth, status);
        assert_int_equal(live(0), 1);
        failed++;
    }
    sy_gpu_host_fail(call, 0, SY_OK);
    printf("call %d: %llu of %llu failed\n", (int)call, (unsigned long long)failed,
           (unsigned long long)calls);
    assert_true(failed > 0);
}

CASE(a_device_that_cannot_be_opened_is_left_out_with_an_alarm)
{
    fail_every_call(SY_GPU_CALL_OPEN, SY_ERR_IO);
    fail_every_call(SY_GPU_CALL_INFO, SY_ERR_IO);
}

CASE(memory_that_is_short_at_any_call_loses_nothing)
{
    fail_every_call(SY_GPU_CALL_RESERVE, SY_ERR_NO_MEMORY);
    fail_every_call(SY_GPU_CALL_PIN, SY_ERR_NO_MEMORY);
    fail_every_call(SY_GPU_CALL_STREAM, SY_ERR_NO_MEMORY);
}

CASE(copies_that_fail_at_any_call_lose_nothing)
{
    fail_every_call(SY_GPU_CALL_UPLOAD, SY_ERR_IO);
    fail_every_call(SY_GPU_CALL_DOWNLOAD, SY_ERR_IO);
}

CASE(launches_that_fail_at_any_call_lose_nothing)
{
    fail_every_call(SY_GPU_CALL_LAUNCH, SY_ERR_IO);
}

CASE(waits_that_fail_or_time_out_at_any_call_lose_nothing)
{
    fail_every_call(SY_GPU_CALL_WAIT, SY_ERR_IO);
    fail_every_call(SY_GPU_CALL_WAIT, SY_ERR_TIMEOUT);
}

CASE(a_device_that_is_not_there_is_left_out_silently)
{
    sy_gpu_host_fail(SY_GPU_CALL_OPEN, 1, SY_ERR_NOT_FOUND);
    sy_engine *engine = open_twin(0, LEAVES, 0);
    assert_string_equal(info_of(engine).impl, "portable");
    assert_int_equal(info_of(engine).retired, 0);
    sy_engine_close(engine);
    assert_int_equal(sy_gpu_host_held(), 0);
}

CASE(a_failed_device_is_not_asked_again)
{
    struct parcel parcel;
    void *opened = NULL;
    const struct sy_engine_config config = {.table_bytes = 4u << 20};
    struct sy_hash scratch[LEAVES];
    assert_int_equal(sy_engine_cuda_twin.open(&opened, &config, NULL), SY_OK);
    make_parcel(&parcel);
    sy_gpu_host_fail(SY_GPU_CALL_LAUNCH, 1, SY_ERR_IO);
    assert_int_equal(sy_engine_cuda_twin.run(opened, &parcel.submission, scratch), SY_ERR_IO);
    uint64_t calls = sy_gpu_host_calls(SY_GPU_CALL_UPLOAD);
    assert_int_equal(sy_engine_cuda_twin.run(opened, &parcel.submission, scratch), SY_ERR_IO);
    assert_int_equal(sy_gpu_host_calls(SY_GPU_CALL_UPLOAD), calls);
    sy_engine_cuda_twin.close(opened);
    assert_int_equal(sy_gpu_host_held(), 0);
}

// A table that the device failed to build is not a key that has none: the failure is the device's.
CASE(a_failure_while_tables_are_built_retires)
{
    struct parcel parcel;
    sy_engine *engine = open_twin(0, LEAVES, 0);
    for (unsigned round = 0; round < 2; round++) {
        make_parcel(&parcel);
        assert_int_equal(sy_engine_run(engine, &parcel.submission), SY_OK);
        check_parcel(&parcel);
    }
    // 9 jobs under 3 keys, of which 2 or 3 are good each time: a key's 4th comes now, and behind
    // the launches of leaves, trees (2), challenge, points and finish the next one builds.
    sy_gpu_host_fail(SY_GPU_CALL_LAUNCH, 7, SY_ERR_IO);
    for (unsigned round = 0; round < 2; round++) {
        make_parcel(&parcel);
        assert_int_equal(sy_engine_run(engine, &parcel.submission), SY_OK);
        check_parcel(&parcel);
    }
    assert_int_equal(info_of(engine).retired, 1);
    sy_engine_close(engine);
    assert_int_equal(sy_gpu_host_held(), 0);
}

CASE(workers_lose_nothing_when_the_device_fails_under_them)
{
    enum { PARCELS = 24 };
    static struct parcel parcels[PARCELS];
    sy_engine *engine = open_twin(6, LEAVES, 0); // More than there are lanes.
    sy_gpu_host_fail(SY_GPU_CALL_WAIT, 30, SY_ERR_TIMEOUT);
    for (size_t i = 0; i < PARCELS; i++) {
        make_parcel(&parcels[i]);
        assert_int_equal(sy_engine_submit(engine, &parcels[i].submission), SY_OK);
    }
    struct pollfd wait = {.fd = sy_engine_done_fd(engine), .events = POLLIN};
    for (size_t taken = 0; taken < PARCELS;) {
        const struct sy_submission *submission = sy_engine_done(engine);
        taken += submission != NULL;
        if (!submission) assert_int_equal(poll(&wait, 1, -1), 1);
    }
    for (size_t i = 0; i < PARCELS; i++) check_parcel(&parcels[i]);
    assert_int_equal(info_of(engine).retired, 1);
    sy_engine_close(engine);
    assert_int_equal(sy_gpu_host_held(), 0);
}

// --- wrong answers -------------------------------------------------------------------------------

// One bit of one answer of any kernel, in any place: the self-test or the samples find it.
CASE(a_wrong_answer_cannot_hide)
{
    uint64_t before = sy_gpu_host_calls(SY_GPU_CALL_LAUNCH);
    assert_int_equal(live(1), 0);
    uint64_t launches = sy_gpu_host_calls(SY_GPU_CALL_LAUNCH) - before;
    uint64_t told = sy_gpu_host_lies(), tried = 0;
    for (uint64_t nth = 1; nth <= launches; nth += TEST_SANITIZED ? 4 : 1, tried++) {
        uint64_t lies = sy_gpu_host_lies();
        sy_gpu_host_lie(nth, nth * 0x9e3779b97f4a7c15u >> 20);
        uint32_t lost = live(1);
        sy_gpu_host_lie(0, 0);
        // Launches of challenge, points and tables answer nothing that a bit of is turned.
        assert_int_equal(lost, sy_gpu_host_lies() - lies);
    }
    told = sy_gpu_host_lies() - told;
    printf("%llu launches, %llu lies, all of them found\n", (unsigned long long)tried,
           (unsigned long long)told);
    assert_true(told > tried / 2);
}

// --- pieces --------------------------------------------------------------------------------------

// Pieces of the twin are of 200 jobs, blocks of 128; a bad one at the ends and seams of both.
CASE(a_bad_one_is_found_at_every_seam)
{
    enum { COUNT = 521 };
    static const uint32_t places[] = {0,   1,   31,  32,  127, 128, 129, 199,
                                      200, 201, 327, 328, 399, 400, 401, 520};
    static struct sy_sig_job jobs[COUNT];
    static uint8_t verdicts[COUNT];
    sy_engine *engine = open_twin(0, 1, 0);
    for (uint32_t i = 0; i < COUNT; i++) sign_job(&jobs[i], i, NULL);
    for (size_t at = 0; at < sizeof places / sizeof places[0]; at++) {
        struct sy_submission submission = {.jobs = jobs, .job_count = COUNT, .verdicts = verdicts};
        jobs[places[at]].signature.bytes[at % 64] ^= 1;
        memset(verdicts, 0x5a, sizeof verdicts);
        assert_int_equal(sy_engine_run(engine, &submission), SY_OK);
        for (uint32_t i = 0; i < COUNT; i++) assert_int_equal(verdicts[i], i != places[at]);
        jobs[places[at]].signature.bytes[at % 64] ^= 1;
    }
    assert_int_equal(info_of(engine).retired, 0);
    sy_engine_close(engine);
}

CASE(leaves_longer_than_a_piece_are_hashed_too)
{
    enum { COUNT = 600, LONG = (12 << 20) + 5 };
    static struct sy_hash hashes[COUNT], scratch[COUNT];
    struct sy_slice leaves[COUNT];
    uint8_t *bytes = (uint8_t *)malloc(LONG);
    struct sy_tree_job tree = {.first = 3, .count = COUNT - 3};
    struct sy_hash root;
    assert_non_null(bytes);
    for (size_t i = 0; i < LONG; i++) bytes[i] = (uint8_t)(i * 7 + i / 251);
    // Of all lengths, some of more than the device is given, and some that fill a piece together.
    for (uint32_t i = 0; i < COUNT; i++) leaves[i] = sy_slice_of(bytes + i, i);
    leaves[100].size = LONG - 100;
    leaves[250].size = (1 << 20) + 1;
    for (uint32_t i = 400; i < 420; i++) leaves[i].size = 1 << 20;
    sy_engine *engine = open_twin(0, COUNT, 0);
    struct sy_submission submission = {.leaves = leaves,
                                       .leaf_count = COUNT,
                                       .leaf_hashes = hashes,
                                       .trees = &tree,
                                       .tree_count = 1};
    assert_int_equal(sy_engine_run(engine, &submission), SY_OK);
    for (uint32_t i = 0; i < COUNT; i++) {
        sy_hash_leaf(&root, leaves[i]);
        assert_true(sy_hash_equal(&hashes[i], &root));
    }
    sy_merkle_root(&root, scratch, hashes + 3, COUNT - 3);
    assert_true(sy_hash_equal(&tree.root, &root));
    assert_int_equal(info_of(engine).retired, 0);
    sy_engine_close(engine);
    free(bytes);
}

// Fewer tables than keys: places on the device are used again, by other keys.
CASE(places_of_tables_change_hands)
{
    enum { MANY = 24, ROUNDS = 20 };
    struct sy_sig_job jobs[MANY];
    struct sy_engine_config config = {
        .queue = 1, .leaves_max = 1, .table_bytes = 5 * SY_GPU_TABLE_BYTES, .impls = twin_first};
    uint64_t before = sy_metric_get(SY_M_engine_tables_evicted_total);
    sy_engine *engine = NULL;
    assert_int_equal(sy_engine_open(&engine, &config, NULL), SY_OK);
    for (uint32_t i = 0; i < MANY; i++) {
        uint8_t seed[32] = {(uint8_t)(i + 50)};
        sy_secret_key *secret = NULL;
        assert_int_equal(sy_secret_key_from_seed(&secret, seed), SY_OK);
        jobs[i] = (struct sy_sig_job){.leaf = SY_JOB_NO_LEAF, .kind = SY_SIG_TX};
        sy_secret_key_public(secret, &jobs[i].key);
        sy_sign(secret, &jobs[i].signature, SY_SIG_TX, &jobs[i].digest);
        sy_secret_key_close(secret);
        if (i % 5 == 2) jobs[i].digest.bytes[3] ^= 1;
    }
    for (unsigned round = 0; round < ROUNDS; round++) (void)engines_check(engine, jobs, MANY);
    assert_true(sy_metric_get(SY_M_engine_tables_evicted_total) > before);
    engines_close(engine);
    assert_int_equal(sy_gpu_host_held(), 0);
}

// --- what operators are offered ------------------------------------------------------------------

CASE(cuda_is_offered_and_says_why_it_is_not_there)
{
    struct sy_engine_choice choice;
    struct sy_error err = {.text = ""};
    sy_status status = sy_engine_choose(&choice, "cuda", sy_engine_all_impls, 1, &err);
    if (status == SY_OK) { // There is a device.
        assert_string_equal(choice.impls[0]->name, "cuda");
        return;
    }
    assert_int_equal(status, SY_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "engine = cuda does not run on this machine"));
    assert_non_null(strstr(err.text, "CUDA"));
    assert_int_equal(sy_engine_choose(&choice, "auto", sy_engine_all_impls, 1, &err), SY_OK);
    assert_null(strstr(choice.why, "cuda"));
    for (size_t i = 0; sy_engine_all_impls[i]; i++) {
        assert_ptr_not_equal(sy_engine_all_impls[i], &sy_engine_cuda_twin);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_device_that_cannot_be_opened_is_left_out_with_an_alarm),
        cmocka_unit_test(memory_that_is_short_at_any_call_loses_nothing),
        cmocka_unit_test(copies_that_fail_at_any_call_lose_nothing),
        cmocka_unit_test(launches_that_fail_at_any_call_lose_nothing),
        cmocka_unit_test(waits_that_fail_or_time_out_at_any_call_lose_nothing),
        cmocka_unit_test(a_device_that_is_not_there_is_left_out_silently),
        cmocka_unit_test(a_failed_device_is_not_asked_again),
        cmocka_unit_test(a_failure_while_tables_are_built_retires),
        cmocka_unit_test(workers_lose_nothing_when_the_device_fails_under_them),
        cmocka_unit_test(a_wrong_answer_cannot_hide),
        cmocka_unit_test(a_bad_one_is_found_at_every_seam),
        cmocka_unit_test(leaves_longer_than_a_piece_are_hashed_too),
        cmocka_unit_test(places_of_tables_change_hands),
        cmocka_unit_test(cuda_is_offered_and_says_why_it_is_not_there),
    };
    return cmocka_run_group_tests(cases, set_up, tear_down);
}
