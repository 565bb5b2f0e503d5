/* engine.c: queue, workers, delivery and retirement; see engine.h.
 *
 * A submission that is on its way is in exactly one place: the queue, a worker's hands, or the done
 * ring. `outstanding` bounds how many there are, and all rings have that many places, so pushing
 * never fails and nobody ever waits for room: closing cannot hang on a consumer that went away.
 *
 * `gone` has a bit for each implementation that is retired, and bits are only ever set. Workers
 * note which one served a submission; whoever finds that it is gone since then runs the submission
 * again: the worker right after its run, and sy_engine_done for those that were waiting to be
 * taken. */
#include "core/crypto/engine.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/base/arena.h"
#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/base/ring.h"
#include "core/base/telemetry.h"
#include "core/base/thread.h"
#include "core/crypto/engine_check.h"

struct opened_impl {
    const struct sy_engine_impl *impl;
    void *state;
    uint32_t from; // the smallest submission it takes
};

struct worker {
    sy_engine *engine;
    sy_ring *queue; // which one it serves
    pthread_t thread;
    struct sy_hash *scratch;
};

struct finished {
    struct sy_submission *submission;
    unsigned served_by; // index of the implementation
};

struct sy_engine {
    sy_arena arena;
    sy_ring *queue;  // struct sy_submission *
    sy_ring *urgent; // the same, for those that may not wait
    sy_ring *done;   // struct finished
    uint32_t queue_max;
    uint32_t leaves_max;
    uint32_t sample_every;

    struct opened_impl impls[SY_ENGINE_IMPLS_MAX];
    unsigned impl_count;
    atomic_uint gone;

    struct worker workers[SY_ENGINE_THREADS_MAX + 1]; // the last one serves what is urgent
    unsigned worker_count;

    pthread_mutex_t caller_lock; // guards caller_scratch: work done in callers' threads
    struct sy_hash *caller_scratch;

    atomic_uint outstanding;
    atomic_uint retired;
    atomic_ullong answers; // numbers answers for sampling
    atomic_ullong sampled;
    atomic_ullong submissions, jobs, refused, leaves;
};

// --- which implementation ------------------------------------------------------------------------

static bool is_gone(const sy_engine *engine, unsigned index)
{
    return atomic_load(&engine->gone) >> index & 1;
}

// The first that is in use and takes submissions of this size; the reference takes all.
static unsigned choose_impl(const sy_engine *engine, uint32_t size)
{
    unsigned gone = atomic_load(&engine->gone);
    unsigned index = 0;
    while (gone >> index & 1 || size < engine->impls[index].from) index++;
    SY_ASSERT(index < engine->impl_count);
    return index;
}

static uint32_t add_up(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

uint32_t sy_engine_size(const struct sy_submission *submission)
{
    uint32_t hashes = submission->leaves ? submission->leaf_count : 0;
    for (uint32_t i = 0; i < submission->tree_count; i++) {
        hashes = add_up(hashes, submission->trees[i].count);
    }
    return add_up(submission->job_count, hashes / 32);
}

// --- running and retiring ------------------------------------------------------------------------

static void raise_alarm(sy_engine *engine, const struct sy_engine_impl *impl, const char *reason)
{
    atomic_fetch_add(&engine->retired, 1);
    sy_engine_alarm(impl, reason);
}

static void retire_impl(sy_engine *engine, unsigned index, const char *reason)
{
    SY_ASSERT(index + 1 < engine->impl_count); // The reference is never retired.
    // Several workers may catch it at once; one of them says so.
    if (atomic_fetch_or(&engine->gone, 1u << index) >> index & 1) return;
    raise_alarm(engine, engine->impls[index].impl, reason);
}

// NULL, or what was wrong with the implementation's work.
static const char *run_on(sy_engine *engine, unsigned index, struct sy_submission *submission,
                          struct sy_hash *scratch)
{
    const struct opened_impl *opened = &engine->impls[index];
    bool is_reference = index + 1 == engine->impl_count;
    sy_status status = opened->impl->run(opened->state, submission, scratch);
    SY_ASSERT(status == SY_OK || !is_reference);
    if (status != SY_OK) return sy_status_name(status);
    if (is_reference) return NULL;

    uint64_t checked = 0;
    uint64_t answers =
        (uint64_t)submission->leaf_count + submission->job_count + submission->tree_count;
    uint64_t first = atomic_fetch_add(&engine->answers, answers);
    const char *wrong =
        sy_engine_contradict(submission, scratch, &checked, first, engine->sample_every);
    atomic_fetch_add(&engine->sampled, checked);
    return wrong;
}

// Runs a submission until an implementation that is still in use has served it: at most once on
// each. Returns that implementation's index.
static unsigned run_to_end(sy_engine *engine, struct sy_submission *submission,
                           struct sy_hash *scratch)
{
    uint64_t start_ns = sy_os_monotonic_ns();
    uint32_t size = sy_engine_size(submission);
    unsigned index = 0;
    const char *wrong = NULL;
    do {
        index = choose_impl(engine, size);
        wrong = run_on(engine, index, submission, scratch);
        if (wrong != NULL) retire_impl(engine, index, wrong);
    } while (is_gone(engine, index));
    sy_metric_observe_us(SY_M_engine_batch_us, (sy_os_monotonic_ns() - start_ns) / 1000);
    return index;
}

static unsigned run_in_caller(sy_engine *engine, struct sy_submission *submission)
{
    int failed = pthread_mutex_lock(&engine->caller_lock);
    SY_ASSERT(!failed);
    unsigned served_by = run_to_end(engine, submission, engine->caller_scratch);
    failed = pthread_mutex_unlock(&engine->caller_lock);
    SY_ASSERT(!failed);
    return served_by;
}

static void finish_submission(sy_engine *engine, struct sy_submission *submission,
                              unsigned served_by)
{
    struct finished item = {submission, served_by};
    bool pushed = sy_ring_push(engine->done, &item);
    SY_ASSERT(pushed);
}

static void *work(void *context)
{
    struct worker *worker = context;
    sy_engine *engine = worker->engine;
    struct sy_submission *submission = NULL;
    while (sy_ring_pop_wait(worker->queue, &submission, -1)) {
        finish_submission(engine, submission, run_to_end(engine, submission, worker->scratch));
    }
    return NULL;
}

static void count_delivery(sy_engine *engine, const struct sy_submission *submission)
{
    uint64_t refused = 0;
    for (uint32_t i = 0; i < submission->job_count; i++) refused += submission->verdicts[i] == 0;
    atomic_fetch_add(&engine->submissions, 1);
    atomic_fetch_add(&engine->jobs, submission->job_count);
    atomic_fetch_add(&engine->refused, refused);
    atomic_fetch_add(&engine->leaves, submission->leaf_count);
    sy_metric_add(SY_M_engine_jobs_total, submission->job_count);
    sy_metric_add(SY_M_engine_verified_total, submission->job_count - refused);
    sy_metric_add(SY_M_engine_refused_total, refused);
    uint64_t hashes = submission->leaf_count;
    for (uint32_t i = 0; i < submission->tree_count; i++) {
        uint32_t count = submission->trees[i].count;
        hashes += count > 0 ? count - 1 : 0;
    }
    sy_metric_add(SY_M_engine_hashes_total, hashes);
}

// --- the calls -----------------------------------------------------------------------------------

// Takes one of the queue_max places; false when all are taken.
static bool take_place(sy_engine *engine)
{
    unsigned taken = atomic_load(&engine->outstanding);
    do {
        if (taken >= engine->queue_max) return false;
    } while (!atomic_compare_exchange_weak(&engine->outstanding, &taken, taken + 1));
    return true;
}

static void enqueue(sy_engine *engine, struct sy_submission *submission)
{
    if (engine->worker_count == 0) {
        finish_submission(engine, submission, run_in_caller(engine, submission));
        return;
    }
    bool pushed = sy_ring_push(submission->urgent ? engine->urgent : engine->queue, &submission);
    SY_ASSERT(pushed);
}

sy_status sy_engine_submit(sy_engine *engine, struct sy_submission *submission)
{
    sy_engine_assert_submission(submission);
    if (submission->leaf_count > engine->leaves_max) return SY_ERR_LIMIT;
    if (!take_place(engine)) return SY_ERR_BUSY;
    enqueue(engine, submission);
    return SY_OK;
}

struct sy_submission *sy_engine_done(sy_engine *engine)
{
    struct finished item;
    while (sy_ring_pop(engine->done, &item)) {
        if (!is_gone(engine, item.served_by)) {
            atomic_fetch_sub(&engine->outstanding, 1);
            count_delivery(engine, item.submission);
            return item.submission;
        }
        // Its implementation was retired while it waited here: none of its answers count.
        enqueue(engine, item.submission);
    }
    return NULL;
}

int sy_engine_done_fd(const sy_engine *engine)
{
    return sy_ring_fd(engine->done);
}

sy_status sy_engine_run(sy_engine *engine, struct sy_submission *submission)
{
    sy_engine_assert_submission(submission);
    if (submission->leaf_count > engine->leaves_max) return SY_ERR_LIMIT;
    (void)run_in_caller(engine, submission);
    count_delivery(engine, submission);
    return SY_OK;
}

sy_status sy_engine_run_raw(sy_engine *engine, uint8_t *verdicts, const struct sy_raw_job *jobs,
                            uint32_t count)
{
    const struct opened_impl *opened = &engine->impls[choose_impl(engine, UINT32_MAX)];
    if (opened->impl->raw == NULL) return SY_ERR_NOT_FOUND;
    return opened->impl->raw(opened->state, jobs, count, verdicts);
}

uint32_t sy_engine_key_hint(sy_engine *engine, const struct sy_public_key *key,
                            const struct sy_hash *organisation)
{
    unsigned first = choose_impl(engine, UINT32_MAX), last = choose_impl(engine, 0);
    uint32_t handle = SY_KEY_HANDLE_NONE;
    for (unsigned i = first; i <= last; i++) {
        const struct opened_impl *opened = &engine->impls[i];
        if (opened->impl->hint == NULL || is_gone(engine, i)) continue;
        uint32_t own = opened->impl->hint(opened->state, key, organisation);
        if (i == first) handle = own;
    }
    return handle;
}

void sy_engine_get_info(const sy_engine *engine, struct sy_engine_info *out)
{
    const struct opened_impl *first = &engine->impls[choose_impl(engine, UINT32_MAX)];
    out->impl = first->impl->name;
    out->small = engine->impls[choose_impl(engine, 0)].impl->name;
    out->from = first->from;
    out->retired = atomic_load(&engine->retired);
    out->submissions = atomic_load(&engine->submissions);
    out->jobs = atomic_load(&engine->jobs);
    out->refused = atomic_load(&engine->refused);
    out->leaves = atomic_load(&engine->leaves);
    out->sampled = atomic_load(&engine->sampled);
}

// --- opening and closing -------------------------------------------------------------------------

static sy_status check_config(const struct sy_engine_config *config, struct sy_error *err)
{
    if (config->threads > SY_ENGINE_THREADS_MAX) {
        return sy_fail(err, SY_ERR_ARGUMENT, "engine threads is %u; it must be 0 to %u",
                       config->threads, SY_ENGINE_THREADS_MAX);
    }
    if (config->queue < 1 || config->queue > SY_ENGINE_QUEUE_MAX) {
        return sy_fail(err, SY_ERR_ARGUMENT, "engine queue is %u; it must be 1 to %u",
                       config->queue, SY_ENGINE_QUEUE_MAX);
    }
    if (config->leaves_max > SY_ENGINE_LEAVES_MAX) {
        return sy_fail(err, SY_ERR_ARGUMENT, "engine leaves_max is %u; it must be 0 to %u",
                       config->leaves_max, SY_ENGINE_LEAVES_MAX);
    }
    return SY_OK;
}

static void close_impl(const struct opened_impl *opened)
{
    if (opened->impl->close != NULL) opened->impl->close(opened->state);
}

// Adds impl to those in use, or drops it; fails only when the reference cannot be used.
static sy_status open_impl(sy_engine *engine, const struct sy_engine_impl *impl, uint32_t from,
                           const struct sy_engine_config *config, struct sy_error *err)
{
    struct opened_impl opened = {.impl = impl, .from = from};
    struct sy_error reason = {.status = SY_OK};
    sy_status status = impl->open(&opened.state, config, &reason);
    bool is_open = status == SY_OK;
    if (is_open) status = sy_engine_selftest(impl, opened.state, &reason);
    if (status == SY_OK) {
        engine->impls[engine->impl_count++] = opened;
        return SY_OK;
    }
    if (is_open) close_impl(&opened);
    if (impl == &sy_engine_openssl) return sy_fail(err, status, "%s", reason.text);
    if (is_open || status != SY_ERR_NOT_FOUND) raise_alarm(engine, impl, reason.text);
    return SY_OK;
}

static sy_status open_impls(sy_engine *engine, const struct sy_engine_config *config,
                            struct sy_error *err)
{
    const struct sy_engine_impl *const *impls = config->impls;
    size_t count = 0;
    while (impls[count] != NULL) count++;
    SY_ASSERT(count >= 1 && count <= SY_ENGINE_IMPLS_MAX);
    SY_ASSERT(impls[count - 1] == &sy_engine_openssl);
    SY_ASSERT(config->from == NULL || config->from[count - 1] == 0);
    for (size_t i = 0; i < count; i++) {
        SY_TRY(open_impl(engine, impls[i], config->from ? config->from[i] : 0, config, err));
    }
    return SY_OK;
}

static sy_status carve_memory(sy_engine *engine, const struct sy_engine_config *config,
                              struct sy_error *err)
{
    size_t scratch_bytes = (size_t)config->leaves_max * sizeof(struct sy_hash) + 64;
    size_t ring_bytes = (size_t)config->queue * sizeof(struct finished) + 4096;
    size_t total_bytes = scratch_bytes * (config->threads + 2) + 3 * ring_bytes;
    sy_status status = sy_arena_open(&engine->arena, total_bytes);
    // One more than the limit, so that the address is there even when no leaf is ever hashed.
    size_t room = (size_t)config->leaves_max + 1;
    if (status == SY_OK) {
        status = sy_ring_open(&engine->queue, &engine->arena, config->queue,
                              sizeof(struct sy_submission *));
    }
    if (status == SY_OK) {
        status = sy_ring_open(&engine->urgent, &engine->arena, config->queue,
                              sizeof(struct sy_submission *));
    }
    if (status == SY_OK) {
        status =
            sy_ring_open(&engine->done, &engine->arena, config->queue, sizeof(struct finished));
    }
    for (unsigned i = 0; status == SY_OK && i <= config->threads + 1; i++) {
        struct sy_hash *scratch = SY_CARVE(&engine->arena, struct sy_hash, room);
        if (scratch == NULL) status = SY_ERR_NO_MEMORY;
        if (i == config->threads + 1) {
            engine->caller_scratch = scratch;
        } else {
            engine->workers[i].scratch = scratch;
        }
    }
    if (status != SY_OK) {
        return sy_fail(err, status, "cannot set aside %zu bytes for the engine: %s", total_bytes,
                       sy_status_name(status));
    }
    sy_arena_seal(&engine->arena);
    return SY_OK;
}

static sy_status start_workers(sy_engine *engine, unsigned threads, struct sy_error *err)
{
    unsigned workers = threads > 0 ? threads + 1 : 0;
    for (unsigned i = 0; i < workers; i++) {
        struct worker *worker = &engine->workers[i];
        worker->engine = engine;
        worker->queue = i == threads ? engine->urgent : engine->queue;
        SY_TRY(sy_thread_start(&worker->thread, "sy-engine", work, worker, err));
        engine->worker_count++;
    }
    return SY_OK;
}

sy_status sy_engine_open(sy_engine **out, const struct sy_engine_config *config,
                         struct sy_error *err)
{
    *out = NULL;
    SY_TRY(check_config(config, err));
    sy_engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for the engine");
    engine->queue_max = config->queue;
    engine->leaves_max = config->leaves_max;
    engine->sample_every = config->sample_every;
    int failed = pthread_mutex_init(&engine->caller_lock, NULL);
    SY_ASSERT(!failed);

    sy_status status = carve_memory(engine, config, err);
    if (status == SY_OK) status = open_impls(engine, config, err);
    if (status == SY_OK) status = start_workers(engine, config->threads, err);
    if (status != SY_OK) {
        sy_engine_close(engine);
        return status;
    }
    *out = engine;
    return SY_OK;
}

void sy_engine_close(sy_engine *engine)
{
    if (engine == NULL) return;
    if (engine->queue != NULL) sy_ring_stop(engine->queue);
    if (engine->urgent != NULL) sy_ring_stop(engine->urgent);
    for (unsigned i = 0; i < engine->worker_count; i++) sy_thread_join(engine->workers[i].thread);
    for (unsigned i = 0; i < engine->impl_count; i++) close_impl(&engine->impls[i]);
    sy_ring_close(engine->done);
    sy_ring_close(engine->urgent);
    sy_ring_close(engine->queue);
    int failed = pthread_mutex_destroy(&engine->caller_lock);
    SY_ASSERT(!failed);
    sy_arena_close(&engine->arena);
    free(engine);
}
