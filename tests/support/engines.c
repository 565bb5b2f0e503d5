#include "tests/support/engines.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/crypto/engine_choice.h"
#include "gpu/cuda_engine.h"
#include "tests/support/test.h"

const struct sy_engine_impl *const engines_under_test[] = {&sy_engine_cuda, &sy_engine_cuda_twin,
                                                           SY_ENGINE_CPU_IMPLS, NULL};

const char *const engines_odd_points[ENGINES_ODD_POINTS] = {
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

static sy_engine *open_over(const struct sy_engine_impl *impl, unsigned threads,
                            uint32_t leaves_max, struct sy_engine_info *info)
{
    const struct sy_engine_impl *impls[3] = {impl, NULL, NULL};
    struct sy_engine_config config = {.threads = threads,
                                      .queue = 16,
                                      .leaves_max = leaves_max,
                                      .table_bytes = 64u << 20,
                                      .impls = impls};
    sy_engine *engine = NULL;
    if (impl != &sy_engine_openssl) impls[1] = &sy_engine_openssl;
    SY_ASSERT(sy_engine_open(&engine, &config, NULL) == SY_OK);
    sy_engine_get_info(engine, info);
    return engine;
}

bool engines_have(const struct sy_engine_impl *impl)
{
    struct sy_engine_info info;
    sy_engine_close(open_over(impl, 0, 1, &info));
    bool have = strcmp(info.impl, impl->name) == 0 || info.retired > 0;
    if (!have) printf("skipped: %s is not on this machine\n", impl->name);
    return have;
}

sy_engine *engines_open(const struct sy_engine_impl *impl, unsigned threads, uint32_t leaves_max)
{
    struct sy_engine_info info;
    sy_engine *engine = open_over(impl, threads, leaves_max, &info);
    assert_string_equal(info.impl, impl->name);
    return engine;
}

void engines_close(sy_engine *engine)
{
    struct sy_engine_info info;
    sy_engine_get_info(engine, &info);
    assert_int_equal(info.retired, 0);
    sy_engine_close(engine);
}

bool engines_oracle(const struct sy_sig_job *job)
{
    return sy_verify_one(&job->key, (enum sy_sig_kind)job->kind, &job->digest, &job->signature);
}

uint32_t engines_check(sy_engine *engine, const struct sy_sig_job *jobs, uint32_t count)
{
    uint8_t *expected = (uint8_t *)malloc(count + 1);
    uint8_t *verdicts = (uint8_t *)malloc(count + 1);
    uint32_t good = 0;
    assert_true(expected && verdicts);
    for (uint32_t i = 0; i < count; i++) {
        expected[i] = engines_oracle(&jobs[i]);
        good += expected[i];
    }
    expected[count] = 0x5a;
    for (unsigned round = 0; round < ENGINES_ROUNDS; round++) {
        struct sy_submission submission = {.jobs = jobs, .job_count = count, .verdicts = verdicts};
        memset(verdicts, 0x5a, count + 1);
        assert_int_equal(sy_engine_run(engine, &submission), SY_OK);
        for (uint32_t i = 0; i <= count; i++) {
            if (verdicts[i] != expected[i]) {
                fail_msg("job %u of %u, round %u: verdict %u, expected %u", i, count, round,
                         verdicts[i], expected[i]);
            }
        }
    }
    free(expected);
    free(verdicts);
    return good;
}
