/* fuzz_engine.c: signature jobs, decided by every engine and by OpenSSL. Each 130 bytes are a job:
 * which valid one it starts from, its kind, and what key, signature and digest are XORed with. All
 * jobs of an input are one batch. It runs twice in each engine, and engines live on, so that keys
 * with valid signatures have tables after a few inputs. */
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/crypto/engine_choice.h"
#include "tests/support/hard_jobs.h"

#define RECORD 130u
#define JOBS_MAX 48u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static sy_engine *engines[SY_ENGINE_IMPLS_MAX];
static size_t engine_count;

static void open_engines(void)
{
    hard_jobs_open();
    while (sy_engine_cpu_impls[engine_count] != &sy_engine_openssl) {
        const struct sy_engine_impl *impls[] = {sy_engine_cpu_impls[engine_count],
                                                &sy_engine_openssl, NULL};
        struct sy_engine_config config = {.queue = 1, .table_bytes = 4u << 20, .impls = impls};
        struct sy_engine_info info;
        sy_status status = sy_engine_open(&engines[engine_count], &config, NULL);
        SY_ASSERT(status == SY_OK);
        sy_engine_get_info(engines[engine_count], &info);
        SY_ASSERT(info.retired == 0); // One that is not on this machine is OpenSSL here.
        engine_count++;
    }
}

static void xor_into(uint8_t *out, const uint8_t *in, size_t size)
{
    for (size_t i = 0; i < size; i++) out[i] ^= in[i];
}

static void read_job(struct sy_sig_job *job, const uint8_t *record)
{
    *job = *hard_jobs_good(record[0] % HARD_JOBS_GOOD);
    job->kind = (uint8_t)(1 + (job->kind - 1 + record[1]) % (SY_SIG_KIND_COUNT - 1));
    xor_into(job->key.bytes, record + 2, 32);
    xor_into(job->signature.bytes, record + 34, 64);
    xor_into(job->digest.bytes, record + 98, 32);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sy_sig_job jobs[JOBS_MAX];
    uint8_t verdicts[JOBS_MAX];
    uint32_t count = 0;
    if (engine_count == 0) open_engines();
    for (; count < JOBS_MAX && size >= RECORD; size -= RECORD, data += RECORD) {
        read_job(&jobs[count++], data);
    }
    struct sy_submission submission = {.jobs = jobs, .job_count = count, .verdicts = verdicts};
    for (size_t i = 0; i < 2 * engine_count; i++) {
        sy_status status = sy_engine_run(engines[i / 2], &submission);
        SY_ASSERT(status == SY_OK);
        for (uint32_t j = 0; j < count; j++) {
            bool good = sy_verify_one(&jobs[j].key, (enum sy_sig_kind)jobs[j].kind, &jobs[j].digest,
                                      &jobs[j].signature);
            SY_ASSERT(verdicts[j] == (good ? 1 : 0));
        }
    }
    return 0;
}
