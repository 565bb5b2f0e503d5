/* engine_differential_suite.c: every implementation against OpenSSL over jobs drawn by chance
 * (hard_jobs.h): 200,000 of them (20,000 under a sanitizer), or as many as
 * SYSTOLE_DIFFERENTIAL_JOBS says; the host twin of a device, which is slow, against every tenth
 * batch. Batches have random sizes, so that each place of each lane meets everything.
 *
 * ctest: slow timeout=3600 */
#include <stdio.h>
#include <stdlib.h>

#include "gpu/cuda_engine.h"
#include "tests/support/engines.h"
#include "tests/support/hard_jobs.h"
#include "tests/support/test.h"

#define BATCH 512u
#define JOBS (TEST_SANITIZED ? 20000u : 200000u)

struct contender {
    const char *name;
    sy_engine *engine;
    uint64_t every; // batches
    uint64_t decided;
};

static uint64_t count_jobs(void)
{
    const char *text = getenv("SYSTOLE_DIFFERENTIAL_JOBS");
    uint64_t count = JOBS;
    if (text) assert_true(sy_parse_u64(&count, text, 1, UINT64_MAX));
    return count;
}

// All that are on this machine but the reference.
static size_t open_contenders(struct contender *contenders)
{
    size_t count = 0;
    for (size_t i = 0; engines_under_test[i] != &sy_engine_openssl; i++) {
        const struct sy_engine_impl *impls[3] = {engines_under_test[i], &sy_engine_openssl, NULL};
        struct sy_engine_config config = {
            .queue = 1, .leaves_max = 1, .table_bytes = 4u << 20, .impls = impls};
        struct sy_engine_info info;
        sy_engine *engine = NULL;
        assert_int_equal(sy_engine_open(&engine, &config, NULL), SY_OK);
        sy_engine_get_info(engine, &info);
        assert_int_equal(info.retired, 0);
        if (strcmp(info.impl, impls[0]->name) == 0) {
            contenders[count++] = (struct contender){impls[0]->name, engine,
                                                     impls[0] == &sy_engine_cuda_twin ? 10 : 1, 0};
        } else {
            printf("skipped: %s is not on this machine\n", impls[0]->name);
            sy_engine_close(engine);
        }
    }
    return count;
}

static void print_job(const struct sy_sig_job *job)
{
    char key[65], digest[65], signature[129];
    sy_hex_encode(key, job->key.bytes, 32);
    sy_hex_encode(digest, job->digest.bytes, 32);
    sy_hex_encode(signature, job->signature.bytes, 64);
    printf("kind %u key %s digest %s signature %s\n", job->kind, key, digest, signature);
}

static void contend(struct contender *contender, const struct sy_sig_job *jobs, uint32_t count,
                    const uint8_t *expected)
{
    uint8_t verdicts[BATCH];
    struct sy_submission submission = {.jobs = jobs, .job_count = count, .verdicts = verdicts};
    memset(verdicts, 0x5a, sizeof verdicts);
    assert_int_equal(sy_engine_run(contender->engine, &submission), SY_OK);
    for (uint32_t i = 0; i < count; i++) {
        if (verdicts[i] == expected[i]) continue;
        print_job(&jobs[i]);
        fail_msg("%s says %u, OpenSSL %u: job %u of %u", contender->name, verdicts[i], expected[i],
                 i, count);
    }
    contender->decided += count;
}

CASE(verdicts_are_openssls)
{
    struct contender contenders[SY_ENGINE_IMPLS_MAX];
    static struct sy_sig_job jobs[BATCH];
    uint8_t expected[BATCH];
    uint64_t total = count_jobs(), done = 0, good = 0, batches = 0;
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    size_t count = open_contenders(contenders);
    hard_jobs_open();
    while (done < total) {
        uint32_t batch = (uint32_t)sy_prng_below(&prng, sy_prng_below(&prng, BATCH) + 1) + 1;
        if (batch > total - done) batch = (uint32_t)(total - done);
        for (uint32_t i = 0; i < batch; i++) {
            hard_jobs_draw(&jobs[i], &prng);
            expected[i] = engines_oracle(&jobs[i]);
            good += expected[i];
        }
        for (size_t i = 0; i < count; i++) {
            if (batches % contenders[i].every == 0) contend(&contenders[i], jobs, batch, expected);
        }
        batches++;
        done += batch;
    }
    for (size_t i = 0; i < count; i++) {
        printf("%s: %llu of %llu jobs (%llu good), 0 other verdicts than OpenSSL's\n",
               contenders[i].name, (unsigned long long)contenders[i].decided,
               (unsigned long long)total, (unsigned long long)good);
        if (contenders[i].every == 1) assert_int_equal(contenders[i].decided, total);
        assert_true(contenders[i].decided > 0);
        engines_close(contenders[i].engine);
    }
    assert_true(good > total / 20 && good < total / 2);
    hard_jobs_close();
}

int main(void)
{
    const struct CMUnitTest cases[] = {cmocka_unit_test(verdicts_are_openssls)};
    return cmocka_run_group_tests(cases, NULL, NULL);
}
