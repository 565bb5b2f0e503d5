/* engine_choice.c: see engine_choice.h. */
#include "core/crypto/engine_choice.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/crypto/engine_check.h"
#include "core/crypto/hash.h"

const struct sy_engine_impl *const sy_engine_cpu_impls[] = {&sy_engine_avx512, &sy_engine_portable,
                                                            &sy_engine_openssl, NULL};

// What is timed: as many signatures of as many keys that each key has earned its table after one
// run. The reference does a part of them, since it takes long and its time is even.
#define KEYS 16u
#define JOBS 256u
#define JOBS_REFERENCE 48u
#define RUNS 3u
#define TABLE_BYTES (4u << 20)

static bool is_reference(const struct sy_engine_impl *impl)
{
    return impl == &sy_engine_openssl;
}

// --- one implementation --------------------------------------------------------------------------

// Opens an implementation and asks it what it must know.
static sy_status open_tried(const struct sy_engine_impl *impl, void **state, struct sy_error *err)
{
    const struct sy_engine_config config = {.table_bytes = TABLE_BYTES};
    SY_TRY(impl->open(state, &config, err));
    sy_status status = sy_engine_selftest(impl, *state, err);
    if (status != SY_OK && impl->close) impl->close(*state);
    return status;
}

static sy_status make_jobs(struct sy_sig_job *jobs)
{
    for (uint32_t key = 0; key < KEYS; key++) {
        uint8_t seed[32] = {(uint8_t)(key + 1)};
        sy_secret_key *secret = NULL;
        SY_TRY(sy_secret_key_from_seed(&secret, seed));
        for (uint32_t i = key; i < JOBS; i += KEYS) {
            jobs[i] = (struct sy_sig_job){.leaf = SY_JOB_NO_LEAF, .kind = SY_SIG_TX};
            sy_secret_key_public(secret, &jobs[i].key);
            sy_sha256(&jobs[i].digest, &i, sizeof i);
            sy_sign(secret, &jobs[i].signature, SY_SIG_TX, &jobs[i].digest);
        }
        sy_secret_key_close(secret);
    }
    return SY_OK;
}

// Checks a second, by the shortest of some runs; 0: it failed, or refused a good signature.
static uint64_t time_impl(const struct sy_engine_impl *impl, void *state,
                          const struct sy_sig_job *jobs)
{
    uint8_t verdicts[JOBS] = {0};
    struct sy_hash scratch;
    struct sy_submission submission = {.jobs = jobs,
                                       .job_count = is_reference(impl) ? JOBS_REFERENCE : JOBS,
                                       .verdicts = verdicts};
    uint64_t shortest = UINT64_MAX;
    // The first run builds tables and is not counted.
    for (unsigned run = 0; run <= RUNS; run++) {
        uint64_t start = sy_os_monotonic_ns();
        if (impl->run(state, &submission, &scratch) != SY_OK) return 0;
        uint64_t took = sy_os_monotonic_ns() - start;
        if (run > 0 && took < shortest) shortest = took;
    }
    for (uint32_t i = 0; i < submission.job_count; i++) {
        if (verdicts[i] != 1) return 0;
    }
    return submission.job_count * 1000000000ull / (shortest > 0 ? shortest : 1);
}

// --- choosing ------------------------------------------------------------------------------------

static unsigned count_impls(const struct sy_engine_impl *const *impls)
{
    unsigned count = 0;
    while (impls[count]) count++;
    SY_ASSERT(count >= 1 && count <= SY_ENGINE_IMPLS_MAX && is_reference(impls[count - 1]));
    return count;
}

static void list_names(char *out, size_t size, const struct sy_engine_impl *const *offered)
{
    size_t at = (size_t)snprintf(out, size, "auto");
    for (size_t i = 0; offered[i] && at < size; i++) {
        at += (size_t)snprintf(out + at, size - at, ", %s", offered[i]->name);
    }
}

static sy_status choose_named(struct sy_engine_choice *choice, const char *name,
                              const struct sy_engine_impl *const *offered, struct sy_error *err)
{
    unsigned count = count_impls(offered);
    unsigned at = 0;
    while (at < count && strcmp(offered[at]->name, name) != 0) at++;
    if (at == count) {
        char names[128];
        list_names(names, sizeof names, offered);
        return sy_fail(err, SY_ERR_ARGUMENT, "engine = %s: this build has %s", name, names);
    }
    void *state = NULL;
    struct sy_error reason = {.text = ""};
    sy_status status = open_tried(offered[at], &state, &reason);
    if (status != SY_OK) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "engine = %s does not run on this machine (%s); use auto", name,
                       reason.text[0] ? reason.text : sy_status_name(status));
    }
    if (offered[at]->close) offered[at]->close(state);
    for (unsigned i = at; i <= count; i++) choice->impls[i - at] = offered[i];
    (void)snprintf(choice->why, sizeof choice->why, "%s, as configured", name);
    return SY_OK;
}

// Puts an implementation in its place: the faster the further in front, the reference last.
static void insert(struct sy_engine_choice *choice, unsigned *count,
                   const struct sy_engine_impl *impl, uint64_t per_s)
{
    unsigned at = *count;
    while (at > 0 && choice->per_s[at - 1] < per_s) {
        choice->impls[at] = choice->impls[at - 1];
        choice->per_s[at] = choice->per_s[at - 1];
        at--;
    }
    choice->impls[at] = impl;
    choice->per_s[at] = per_s;
    ++*count;
}

// What stands behind the reference will never be used, since the reference never fails: what is
// slower, and what is not well.
static void end_at_reference(struct sy_engine_choice *choice, unsigned count)
{
    unsigned at = 0;
    while (!is_reference(choice->impls[at])) at++;
    size_t used = 0;
    for (unsigned i = 0; i < count && used < sizeof choice->why; i++) {
        char rate[32] = "failed";
        unsigned long long per_s = choice->per_s[i];
        if (per_s > 0) (void)snprintf(rate, sizeof rate, "%llu/s", per_s);
        used += (size_t)snprintf(choice->why + used, sizeof choice->why - used, "%s%s %s",
                                 i > 0 ? ", " : "", choice->impls[i]->name, rate);
    }
    for (unsigned i = at + 1; i < count; i++) {
        choice->impls[i] = NULL;
        choice->per_s[i] = 0;
    }
}

// Tries an implementation that is here and puts it in its place. One that is not well comes last:
// nothing else will ask it again, so the alarm is raised here. sy_engine_open says so of the
// reference.
static void try_impl(struct sy_engine_choice *choice, unsigned *count,
                     const struct sy_engine_impl *impl, const struct sy_sig_job *jobs)
{
    void *state = NULL;
    uint64_t per_s = 0;
    struct sy_error reason = {.text = ""};
    sy_status status = open_tried(impl, &state, &reason);
    if (status == SY_ERR_NOT_FOUND) return;
    if (status == SY_OK) {
        per_s = time_impl(impl, state, jobs);
        if (impl->close) impl->close(state);
        if (per_s == 0) (void)sy_fail(&reason, SY_ERR_CRYPTO, "it failed while it was timed");
    }
    if (per_s == 0 && !is_reference(impl)) {
        sy_engine_alarm(impl, reason.text[0] ? reason.text : sy_status_name(status));
    }
    insert(choice, count, impl, per_s);
}

static sy_status choose_fastest(struct sy_engine_choice *choice,
                                const struct sy_engine_impl *const *offered, struct sy_error *err)
{
    unsigned count = 0;
    struct sy_sig_job *jobs = (struct sy_sig_job *)calloc(JOBS, sizeof *jobs);
    if (!jobs) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory to time the engines");
    sy_status status = make_jobs(jobs);
    for (unsigned i = 0; status == SY_OK && offered[i]; i++) {
        try_impl(choice, &count, offered[i], jobs);
    }
    free(jobs);
    if (status != SY_OK) return sy_fail(err, status, "cannot sign, to time the engines");
    end_at_reference(choice, count);
    return SY_OK;
}

sy_status sy_engine_choose(struct sy_engine_choice *choice, const char *name,
                           const struct sy_engine_impl *const *offered, bool measure,
                           struct sy_error *err)
{
    unsigned count = count_impls(offered);
    *choice = (struct sy_engine_choice){.why = ""};
    if (strcmp(name, "auto") != 0) return choose_named(choice, name, offered, err);
    if (measure) return choose_fastest(choice, offered, err);
    for (unsigned i = 0; i < count; i++) choice->impls[i] = offered[i];
    (void)snprintf(choice->why, sizeof choice->why, "the first that runs here, not timed");
    return SY_OK;
}
