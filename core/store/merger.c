/* The thread that empties the generations into the base (state.h), oldest first.
 *
 * A generation is merged once it is sealed and all its blocks are durable in the ledger: whole, in
 * key order, each key's newest version only, in slices of at most about 50 ms, so that the disk
 * serves votes in between. After the last slice, which makes its height complete, it is let go.
 * A crash in the middle leaves some keys newer than the complete height; the replayed generations
 * lie in front of them until they are merged again. */
#include <errno.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/base/telemetry.h"
#include "core/base/thread.h"
#include "core/store/state.h"

#define TICK_NS 1000000000ull

static struct sy_generation *next_work(struct sy_state *state)
{
    if (state->merger_status != SY_OK || state->live_count == 0) return NULL;
    struct sy_generation *oldest = &state->generations[state->live[0]];
    bool ready = oldest->sealed && oldest->last < sy_ledger_next(state->store);
    return ready ? oldest : NULL;
}

static void note_slice(struct sy_state *state, uint64_t us)
{
    atomic_fetch_add(&state->slices, 1);
    if (us > atomic_load(&state->slice_us_max)) atomic_store(&state->slice_us_max, us);
}

// The merger's part in bounding the age of views: a look at them now and then.
static void end_old_views(struct sy_state *state, uint64_t *looked_ns)
{
    uint64_t now = sy_os_monotonic_ns();
    if (now - *looked_ns < TICK_NS / 4) return;
    *looked_ns = now;
    sy_state_end_views(state, (uint64_t)state->store->config.view_age_ms_max * 1000000);
}

static bool is_stopping(struct sy_state *state)
{
    int failed = pthread_mutex_lock(&state->lock);
    bool stopping = state->stopping;
    failed |= pthread_mutex_unlock(&state->lock);
    SY_ASSERT(!failed);
    return stopping;
}

// Merges one generation; SY_ERR_CLOSED when told to stop in the middle.
static sy_status merge_generation(struct sy_state *state, const struct sy_generation *generation,
                                  uint64_t target, uint64_t *looked_ns)
{
    static const struct sy_hash first;
    struct sy_generation_cursor cursor;
    sy_generation_seek(&cursor, generation, &first);
    do {
        struct sy_error err;
        uint64_t start_ns = sy_os_monotonic_ns();
        sy_status status = state->ops->merge(state->base, &cursor, target, &err);
        if (status != SY_OK) {
            SY_LOG(SY_LOG_ERROR, "store", "merge_stopped", SY_F_TEXT("reason", err.text));
            return status;
        }
        note_slice(state, (sy_os_monotonic_ns() - start_ns) / 1000);
        end_old_views(state, looked_ns);
        if (sy_generation_key(&cursor) && is_stopping(state)) return SY_ERR_CLOSED;
    } while (sy_generation_key(&cursor));
    return SY_OK;
}

// The oldest generation is in the base: nobody needs it but those who have pinned it.
static void let_go(struct sy_state *state, uint64_t complete)
{
    SY_ASSERT(state->live_count > 0);
    struct sy_generation *merged = &state->generations[state->live[0]];
    merged->live = false;
    state->live_count--;
    for (unsigned i = 0; i < state->live_count; i++) state->live[i] = state->live[i + 1];
    if (complete > state->complete) state->complete = complete;
}

// A merge that found no room before a resume and ended after it is tried again.
static void note_failure(struct sy_state *state, sy_status status)
{
    struct sy_env_health *health = &state->store->health[SY_ENV_STATE];
    if (status == SY_OK || status == SY_ERR_CLOSED) return;
    if (status == SY_ERR_DISK_FULL && !atomic_load(&health->full)) return;
    state->merger_status = status;
}

static void wait_for_work(struct sy_state *state)
{
    struct timespec when;
    int failed = clock_gettime(CLOCK_MONOTONIC, &when);
    when.tv_sec += 1;
    int rc = pthread_cond_timedwait(&state->changed, &state->lock, &when);
    SY_ASSERT(!failed && (rc == 0 || rc == ETIMEDOUT));
}

// The state's lock comes after those that holding takes.
static void hold_unlocked(struct sy_state *state, uint64_t height)
{
    int failed = pthread_mutex_unlock(&state->lock);
    sy_state_hold(state, height);
    failed |= pthread_mutex_lock(&state->lock);
    SY_ASSERT(!failed);
}

static void *run_merger(void *context)
{
    struct sy_state *state = (struct sy_state *)context;
    uint64_t looked_ns = 0;
    int failed = pthread_mutex_lock(&state->lock);
    while (!state->stopping) {
        struct sy_generation *generation = next_work(state);
        uint64_t target = generation ? generation->last + 1 : 0;
        if (!generation) wait_for_work(state);
        failed |= pthread_mutex_unlock(&state->lock);
        sy_status status = SY_OK;
        if (generation) status = merge_generation(state, generation, target, &looked_ns);
        end_old_views(state, &looked_ns);
        failed |= pthread_mutex_lock(&state->lock);
        if (generation && status == SY_OK) let_go(state, target);
        note_failure(state, status);
        // Nothing else writes to the base, so it stands at this height until the next merge.
        bool hold = generation && status == SY_OK && sy_state_holds(state, target - 1);
        if (generation) failed |= pthread_cond_broadcast(&state->changed);
        SY_ASSERT(!failed);
        if (hold) hold_unlocked(state, target - 1);
    }
    failed |= pthread_mutex_unlock(&state->lock);
    SY_ASSERT(!failed);
    return NULL;
}

sy_status sy_state_start(struct sy_state *state, struct sy_error *err)
{
    SY_ASSERT(state->bounded && !state->has_merger);
    // A store that was closed just then goes on holding it.
    uint64_t complete = state->complete;
    if (complete > 0 && sy_state_holds(state, complete - 1)) sy_state_hold(state, complete - 1);
    SY_TRY(sy_thread_start(&state->merger, "sy-merger", run_merger, state, err));
    state->has_merger = true;
    return SY_OK;
}
