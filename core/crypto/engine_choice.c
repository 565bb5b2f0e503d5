/* engine_choice.c: see engine_choice.h. */
#include "core/crypto/engine_choice.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/crypto/engine_check.h"
#include "core/crypto/hash.h"

const struct sy_engine_impl *const sy_engine_cpu_impls[] = {SY_ENGINE_CPU_IMPLS, NULL};

// What is timed: as many signatures of as many keys that each key has earned its table after one
// run. The reference does a part of them, since it takes long and its time is even.
#define KEYS 16u
#define JOBS 256u
#define JOBS_REFERENCE 48u
#define RUNS 3u
#define TABLE_BYTES (16u << 20)
// A device's sizes, each four times the one before. The signatures are the same ones over and over.
#define DEVICE_SIZES 5u
#define DEVICE_LEAST 64u
#define DEVICE_MOST (DEVICE_LEAST << 2 * (DEVICE_SIZES - 1))

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

// What is timed: jobs that are all good, and room for what is said of them.
struct sample {
    struct sy_sig_job *jobs;
    uint8_t *verdicts;
};

static sy_status sign_jobs(struct sy_sig_job *jobs)
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

static void free_sample(struct sample *sample)
{
    free(sample->jobs);
    free(sample->verdicts);
}

static sy_status make_sample(struct sample *sample, struct sy_error *err)
{
    sample->jobs = (struct sy_sig_job *)calloc(DEVICE_MOST, sizeof *sample->jobs);
    sample->verdicts = (uint8_t *)malloc(DEVICE_MOST);
    if (!sample->jobs || !sample->verdicts) {
        return sy_fail(err, SY_ERR_NO_MEMORY, "no memory to time the engines");
    }
    sy_status status = sign_jobs(sample->jobs);
    if (status != SY_OK) return sy_fail(err, status, "cannot sign, to time the engines");
    for (uint32_t i = JOBS; i < DEVICE_MOST; i++) sample->jobs[i] = sample->jobs[i - JOBS];
    return SY_OK;
}

// Checks a second, by the shortest of some runs; 0: it failed, or refused a good signature.
static uint64_t time_impl(const struct sy_engine_impl *impl, void *state,
                          const struct sample *sample, uint32_t count)
{
    struct sy_hash scratch;
    struct sy_submission submission = {
        .jobs = sample->jobs, .job_count = count, .verdicts = sample->verdicts};
    memset(sample->verdicts, 0, count);
    uint64_t shortest = UINT64_MAX;
    // The first run builds tables and is not counted.
    for (unsigned run = 0; run <= RUNS; run++) {
        uint64_t start = sy_os_monotonic_ns();
        if (impl->run(state, &submission, &scratch) != SY_OK) return 0;
        uint64_t took = sy_os_monotonic_ns() - start;
        if (run > 0 && took < shortest) shortest = took;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (sample->verdicts[i] != 1) return 0;
    }
    return count * 1000000000ull / (shortest > 0 ? shortest : 1);
}

// --- choosing ------------------------------------------------------------------------------------

static unsigned count_impls(const struct sy_engine_impl *const *impls)
{
    unsigned count = 0;
    while (impls[count]) count++;
    SY_ASSERT(count >= 1 && count <= SY_ENGINE_IMPLS_MAX && is_reference(impls[count - 1]));
    return count;
}

// Adds to the line for a person.
static void __attribute__((format(printf, 2, 3)))
tell(struct sy_engine_choice *choice, const char *format, ...)
{
    size_t used = strlen(choice->why);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(choice->why + used, sizeof choice->why - used, format, arguments);
    va_end(arguments);
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
    tell(choice, "%s, as configured", name);
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
    for (unsigned i = 0; i < count; i++) {
        char rate[32] = "failed";
        unsigned long long per_s = choice->per_s[i];
        if (per_s > 0) (void)snprintf(rate, sizeof rate, "%llu/s", per_s);
        tell(choice, "%s%s %s", i > 0 ? ", " : "", choice->impls[i]->name, rate);
    }
    for (unsigned i = at + 1; i < count; i++) {
        choice->impls[i] = NULL;
        choice->per_s[i] = 0;
    }
}

// The bar is what the others do by all threads: each size counts from which on it is cleared.
static uint32_t find_from(const uint64_t rates[DEVICE_SIZES], uint64_t bar)
{
    uint32_t from = 0;
    for (unsigned i = DEVICE_SIZES; i > 0 && rates[i - 1] > bar; i--) {
        from = DEVICE_LEAST << 2 * (i - 1);
    }
    return from;
}

// Times a device and puts it in front, if it wins. False: it failed.
static bool place_device(struct sy_engine_choice *choice, const struct sy_engine_impl *impl,
                         void *state, const struct sample *sample, unsigned threads)
{
    uint64_t rates[DEVICE_SIZES];
    uint64_t bar = choice->per_s[0] * threads;
    for (unsigned i = 0; i < DEVICE_SIZES; i++) {
        rates[i] = time_impl(impl, state, sample, DEVICE_LEAST << 2 * i);
        if (rates[i] == 0) return false;
    }
    unsigned long long per_s = rates[DEVICE_SIZES - 1];
    uint32_t from = find_from(rates, bar);
    if (from == 0) {
        tell(choice, ", %s %llu/s: less than %u threads of %s", impl->name, per_s, threads,
             choice->impls[0]->name);
        return true;
    }
    for (unsigned at = SY_ENGINE_IMPLS_MAX - 1; at > 0; at--) {
        choice->impls[at] = choice->impls[at - 1];
        choice->from[at] = choice->from[at - 1];
        choice->per_s[at] = choice->per_s[at - 1];
    }
    choice->impls[0] = impl;
    choice->from[0] = from;
    choice->per_s[0] = per_s;
    tell(choice, ", %s %llu/s, from %u signatures on", impl->name, per_s, from);
    return true;
}

// Opens an implementation that is here, to be timed. False: it is not here or not well. Nothing
// else will ask it again, so the alarm is raised here; sy_engine_open says so of the reference.
static bool open_to_time(const struct sy_engine_impl *impl, void **state, bool *is_here)
{
    struct sy_error reason = {.text = ""};
    sy_status status = open_tried(impl, state, &reason);
    *is_here = status != SY_ERR_NOT_FOUND;
    if (status == SY_OK) return true;
    if (*is_here && !is_reference(impl)) {
        sy_engine_alarm(impl, reason.text[0] ? reason.text : sy_status_name(status));
    }
    return false;
}

static void close_timed(const struct sy_engine_impl *impl, void *state, bool is_well)
{
    if (impl->close) impl->close(state);
    if (!is_well && !is_reference(impl)) sy_engine_alarm(impl, "it failed while it was timed");
}

// Puts an implementation in its place; one that is not well comes last.
static void try_impl(struct sy_engine_choice *choice, unsigned *count,
                     const struct sy_engine_impl *impl, const struct sample *sample)
{
    void *state = NULL;
    uint64_t per_s = 0;
    bool is_here = true;
    if (open_to_time(impl, &state, &is_here)) {
        per_s = time_impl(impl, state, sample, is_reference(impl) ? JOBS_REFERENCE : JOBS);
        close_timed(impl, state, per_s > 0);
    }
    if (is_here) insert(choice, count, impl, per_s);
}

static void try_device(struct sy_engine_choice *choice, const struct sy_engine_impl *impl,
                       const struct sample *sample, unsigned threads)
{
    void *state = NULL;
    bool is_here = true, is_well = false;
    if (open_to_time(impl, &state, &is_here)) {
        is_well = place_device(choice, impl, state, sample, threads);
        close_timed(impl, state, is_well);
    }
    if (is_here && !is_well) tell(choice, ", %s failed", impl->name);
}

static void choose_fastest(struct sy_engine_choice *choice,
                           const struct sy_engine_impl *const *offered, const struct sample *sample,
                           unsigned threads)
{
    unsigned count = 0;
    for (unsigned i = 0; offered[i]; i++) {
        if (!offered[i]->device) try_impl(choice, &count, offered[i], sample);
    }
    end_at_reference(choice, count);
    for (unsigned i = 0; offered[i]; i++) {
        if (offered[i]->device) try_device(choice, offered[i], sample, threads);
    }
}

static void choose_in_order(struct sy_engine_choice *choice,
                            const struct sy_engine_impl *const *offered)
{
    unsigned count = 0;
    for (unsigned i = 0; offered[i]; i++) {
        if (!offered[i]->device) choice->impls[count++] = offered[i];
    }
    tell(choice, "the first that runs here, not timed");
}

sy_status sy_engine_choose(struct sy_engine_choice *choice, const char *name,
                           const struct sy_engine_impl *const *offered, unsigned threads,
                           struct sy_error *err)
{
    struct sample sample = {NULL, NULL};
    (void)count_impls(offered); // Asserts what they must be.
    *choice = (struct sy_engine_choice){.why = ""};
    if (strcmp(name, "auto") != 0) return choose_named(choice, name, offered, err);
    if (threads == 0) {
        choose_in_order(choice, offered);
        return SY_OK;
    }
    sy_status status = make_sample(&sample, err);
    if (status == SY_OK) choose_fastest(choice, offered, &sample, threads);
    free_sample(&sample);
    return status;
}
