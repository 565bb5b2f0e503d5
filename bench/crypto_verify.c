/* crypto_verify.c: signatures checked a second, engine by engine, beside OpenSSL in the same round.
 *
 * A job is {key handle, kind, digest, signature}: the hash inside Ed25519, sorting and all else up
 * to the verdict is measured; signing and building tables are not. Each set has 65,536 different
 * signatures (--jobs) of so many keys, shuffled, and a pass goes through all of them. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/crypto_internal.h"
#include "core/base/os.h"
#include "core/base/prng.h"
#include "core/crypto/hash.h"
#include "gpu/cuda_engine.h"

static const uint32_t batches[] = {1, 4, 16, 64, 512, 4096, 65536};
static const uint32_t key_counts[] = {1, 16, 256, 4096, 65536};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define FLIGHTS_MAX 16u

// --- signatures ----------------------------------------------------------------------------------

static void shuffle(struct sy_sig_job *jobs, uint32_t count, sy_prng *prng)
{
    for (uint32_t i = count - 1; i > 0; i--) {
        uint32_t other = (uint32_t)sy_prng_below(prng, i + 1);
        struct sy_sig_job job = jobs[i];
        jobs[i] = jobs[other];
        jobs[other] = job;
    }
}

static bool make_jobs(struct sy_sig_job *jobs, uint32_t count, uint32_t keys)
{
    sy_prng prng;
    sy_prng_seed(&prng, keys);
    for (uint32_t key = 0; key < keys; key++) {
        uint8_t seed[32] = {0x5b};
        sy_secret_key *secret = NULL;
        sy_store_u32(seed + 4, key);
        if (sy_secret_key_from_seed(&secret, seed) != SY_OK) return false;
        for (uint32_t i = key; i < count; i += keys) {
            jobs[i] = (struct sy_sig_job){.leaf = SY_JOB_NO_LEAF, .kind = SY_SIG_TX};
            sy_secret_key_public(secret, &jobs[i].key);
            sy_prng_fill(&prng, jobs[i].digest.bytes, sizeof jobs[i].digest.bytes);
            sy_sign(secret, &jobs[i].signature, SY_SIG_TX, &jobs[i].digest);
        }
        sy_secret_key_close(secret);
    }
    shuffle(jobs, count, &prng);
    return true;
}

// --- a pass --------------------------------------------------------------------------------------

// Submissions on their way, each with its own verdicts, and where in the set they are.
struct runner {
    const struct sy_crypto_bench *bench;
    sy_engine *engine;
    const struct sy_sig_job *jobs;
    uint32_t next;
    struct sy_submission flights[FLIGHTS_MAX];
    uint8_t *verdicts;
    bool wrong;
};

static void submit(struct runner *runner, struct sy_submission *flight, uint32_t batch)
{
    if (runner->next + batch > runner->bench->options.jobs) runner->next = 0;
    flight->jobs = runner->jobs + runner->next;
    flight->job_count = batch;
    runner->next += batch;
    if (sy_engine_submit(runner->engine, flight) != SY_OK) runner->wrong = true;
}

static struct sy_submission *wait_done(struct runner *runner)
{
    struct sy_submission *done;
    while ((done = sy_engine_done(runner->engine)) == NULL) {
        struct pollfd fd = {.fd = sy_engine_done_fd(runner->engine), .events = POLLIN};
        (void)poll(&fd, 1, -1);
    }
    for (uint32_t i = 0; i < done->job_count; i++) {
        if (done->verdicts[i] != 1) runner->wrong = true;
    }
    return done;
}

// Jobs a second over at least so long. All that was submitted has come back in the end.
static double run_batches(struct runner *runner, uint32_t batch, uint64_t least_ns)
{
    uint64_t threads = runner->bench->options.threads;
    unsigned flights = threads == 0 ? 1 : threads > 4 ? FLIGHTS_MAX : (unsigned)(3 * threads);
    uint64_t start = sy_os_monotonic_ns();
    uint64_t done = 0, took = 0;
    unsigned flying = 0;
    for (unsigned i = 0; i < flights; i++, flying++) submit(runner, &runner->flights[i], batch);
    while (flying > 0 && !runner->wrong) {
        struct sy_submission *flight = wait_done(runner);
        done += flight->job_count;
        flying--;
        took = sy_os_monotonic_ns() - start;
        if (took >= least_ns) continue;
        submit(runner, flight, batch);
        flying++;
    }
    return (double)done * 1e9 / (double)(took > 0 ? took : 1);
}

static bool open_runner(struct runner *runner, const struct sy_crypto_bench *bench,
                        sy_engine *engine, const struct sy_sig_job *jobs)
{
    *runner = (struct runner){.bench = bench, .engine = engine, .jobs = jobs};
    runner->verdicts = (uint8_t *)calloc(FLIGHTS_MAX, CRYPTO_JOBS);
    if (!runner->verdicts) return false;
    for (unsigned i = 0; i < FLIGHTS_MAX; i++) {
        runner->flights[i].verdicts = runner->verdicts + (size_t)i * CRYPTO_JOBS;
    }
    return true;
}

// --- rows ----------------------------------------------------------------------------------------

static bool measure_row(struct sy_crypto_bench *bench, struct runner *runner,
                        struct runner *reference, const struct sy_engine_impl *impl,
                        const char *what, uint32_t batch, uint32_t keys)
{
    struct sy_crypto_row row = {.engine = impl->name, .what = what, .batch = batch, .keys = keys};
    uint64_t least_ns = bench->options.round_ms * 1000000;
    for (unsigned i = 0; i < bench->options.rounds; i++) {
        // A large batch would keep OpenSSL for seconds, and batches are nothing to it.
        double base = run_batches(reference, batch < 64 ? batch : 64, least_ns);
        row.per_s[row.rounds] =
            impl == &sy_engine_openssl ? base : run_batches(runner, batch, least_ns);
        row.ratio[row.rounds] = row.per_s[row.rounds] / base;
        row.rounds++;
    }
    sy_bench_crypto_put_row(bench, &row);
    if (!runner->wrong && !reference->wrong) return true;
    fprintf(stderr, "systole-bench crypto: %s refused a good signature\n", impl->name);
    return false;
}

// Gives the jobs their handles; returns how many keys' tables are there.
static uint32_t take_handles(struct runner *runner, struct sy_sig_job *jobs)
{
    uint32_t there = 0;
    for (uint32_t i = 0; i < runner->bench->options.jobs; i++) {
        struct sy_hash organisation = {{jobs[i].key.bytes[0]}};
        jobs[i].key_handle = sy_engine_key_hint(runner->engine, &jobs[i].key, &organisation);
        there += jobs[i].key_handle != SY_KEY_HANDLE_NONE;
    }
    return there;
}

// Lets keys earn their tables, pass after pass, until no more of them get one: all have, or there
// is no room.
static void warm_up(struct runner *runner, struct sy_sig_job *jobs)
{
    uint32_t total = (uint32_t)runner->bench->options.jobs;
    uint32_t batch = total < 1024 ? total : 1024;
    uint32_t before = 0, there = take_handles(runner, jobs);
    for (unsigned pass = 0; pass < 6 || there > before + total / 256; pass++) {
        for (uint32_t i = 0; i < total / batch; i++) (void)run_batches(runner, batch, 0);
        before = there;
        there = take_handles(runner, jobs);
        if (there == total) break;
    }
}

static bool measure_engine(struct sy_crypto_bench *bench, const struct sy_engine_impl *impl,
                           struct sy_sig_job *jobs, uint32_t keys, bool enrolled,
                           struct runner *reference)
{
    struct runner runner = {.verdicts = NULL};
    const char *what = enrolled ? "verify-enrolled" : "verify-cold";
    uint64_t table_bytes = enrolled ? bench->options.table_mib << 20 : 1; // Room for one table.
    bool absent = false;
    sy_engine *engine = sy_bench_crypto_open(bench, impl, table_bytes, 1, &absent);
    if (!engine) return absent;
    bool fine = open_runner(&runner, bench, engine, jobs);
    if (fine && enrolled && impl != &sy_engine_openssl) warm_up(&runner, jobs);
    for (size_t i = 0; fine && i < COUNT(batches); i++) {
        if (bench->options.batch != 0 && bench->options.batch != batches[i]) continue;
        if (batches[i] > bench->options.jobs) continue;
        fine = measure_row(bench, &runner, reference, impl, what, batches[i], keys);
    }
    sy_engine_close(engine);
    free(runner.verdicts);
    return fine;
}

static bool measure_keys(struct sy_crypto_bench *bench, struct sy_sig_job *jobs, uint32_t keys)
{
    struct runner reference = {.verdicts = NULL};
    uint32_t total = (uint32_t)bench->options.jobs;
    bool absent = false;
    sy_engine *engine = sy_bench_crypto_open(bench, &sy_engine_openssl, 0, 1, &absent);
    bool fine =
        engine && make_jobs(jobs, total, keys) && open_runner(&reference, bench, engine, jobs);
    for (size_t i = 0; fine && sy_engine_all_impls[i]; i++) {
        const struct sy_engine_impl *impl = sy_engine_all_impls[i];
        if (sy_bench_crypto_wants(bench, impl->name, "verify-enrolled")) {
            fine = measure_engine(bench, impl, jobs, keys, true, &reference);
        }
        // Keys of which each has but one signature in a pass are as good as never seen.
        if (fine && keys == total && sy_bench_crypto_wants(bench, impl->name, "verify-cold")) {
            fine = measure_engine(bench, impl, jobs, keys, false, &reference);
        }
    }
    sy_engine_close(engine);
    free(reference.verdicts);
    return fine;
}

bool sy_bench_crypto_measure_signatures(struct sy_crypto_bench *bench)
{
    bool fine = true;
    struct sy_sig_job *jobs = (struct sy_sig_job *)calloc(CRYPTO_JOBS, sizeof *jobs);
    if (!jobs) return false;
    for (size_t i = 0; fine && i < COUNT(key_counts); i++) {
        if (bench->options.keys != 0 && bench->options.keys != key_counts[i]) continue;
        if (key_counts[i] > bench->options.jobs) continue;
        if (bench->options.what && strncmp(bench->options.what, "verify", 6) != 0) continue;
        fine = measure_keys(bench, jobs, key_counts[i]);
    }
    free(jobs);
    return fine;
}
