/* The writing half of the state (state.h): generations are filled, sealed and taken again. Views
 * are in view.c, the merger in merger.c. */
#include "core/store/state.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/wire/delta.h"

static void lock_state(struct sy_state *state)
{
    int failed = pthread_mutex_lock(&state->lock);
    SY_ASSERT(!failed);
}

static void unlock_state(struct sy_state *state)
{
    int failed = pthread_mutex_unlock(&state->lock);
    SY_ASSERT(!failed);
}

static void tell_all(struct sy_state *state)
{
    int failed = pthread_cond_broadcast(&state->changed);
    SY_ASSERT(!failed);
}

/* ---- opening and closing ---------------------------------------------------------------- */

static sy_status map_generation(struct sy_state *state, size_t slab_bytes)
{
    SY_ASSERT(state->generation_count < SY_GENERATIONS_MAX);
    uint64_t seed;
    sy_os_random(&seed, sizeof seed);
    SY_TRY(sy_generation_open(&state->generations[state->generation_count], slab_bytes, seed));
    state->generation_count++;
    return SY_OK;
}

static sy_status make_views(struct sy_state *state)
{
    state->view_count = state->store->config.view_count_max + 2;
    state->views = (struct sy_state_view *)calloc(state->view_count, sizeof *state->views);
    if (!state->views) return SY_ERR_NO_MEMORY;
    for (unsigned i = 0; i < state->view_count; i++) {
        struct sy_state_view *view = &state->views[i];
        view->state = state;
        int failed = pthread_mutex_init(&view->lock, NULL);
        SY_ASSERT(!failed);
    }
    // These two are taken from the start.
    sy_state_own_view(state)->used = true;
    sy_state_held_view(state)->used = true;
    return SY_OK;
}

static void init_sync(struct sy_state *state)
{
    pthread_condattr_t monotonic;
    int failed = pthread_mutex_init(&state->lock, NULL);
    failed |= pthread_mutex_init(&state->held_lock, NULL);
    failed |= pthread_condattr_init(&monotonic);
    failed |= pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    failed |= pthread_cond_init(&state->changed, &monotonic);
    failed |= pthread_condattr_destroy(&monotonic);
    SY_ASSERT(!failed);
}

sy_status sy_state_open(struct sy_state **out, sy_store *store, const struct sy_state_base_ops *ops,
                        void *base, uint64_t complete, bool bounded, struct sy_error *err)
{
    *out = NULL;
    struct sy_state *state = (struct sy_state *)calloc(1, sizeof *state);
    if (!state) return sy_fail(err, SY_ERR_NO_MEMORY, "state: no memory");
    state->store = store;
    state->ops = ops;
    state->base = base;
    state->bounded = bounded;
    state->complete = complete;
    atomic_store(&state->next, complete);
    init_sync(state);
    sy_status status = make_views(state);
    for (uint32_t i = 0; bounded && status == SY_OK && i < store->config.generation_count; i++) {
        status = map_generation(state, store->config.generation_bytes);
    }
    if (status != SY_OK) {
        sy_state_close(state);
        return sy_fail(err, status,
                       "state: no memory for %u generations of %llu bytes; lower generation_bytes",
                       store->config.generation_count,
                       (unsigned long long)store->config.generation_bytes);
    }
    *out = state;
    return SY_OK;
}

static void stop_merger(struct sy_state *state)
{
    if (!state->has_merger) return;
    lock_state(state);
    state->stopping = true;
    tell_all(state);
    unlock_state(state);
    int failed = pthread_join(state->merger, NULL);
    SY_ASSERT(!failed);
    state->has_merger = false;
}

void sy_state_close(struct sy_state *state)
{
    if (!state) return;
    stop_merger(state);
    SY_ASSERT(atomic_load(&state->views_open) == 0);
    for (unsigned i = 0; state->views && i < state->view_count; i++) {
        struct sy_state_view *view = &state->views[i];
        if (view->active) sy_view_end(view);
        if (view->snapshot) state->ops->snapshot_free(state->base, view->snapshot);
        sy_buffer_free(&view->value);
        sy_buffer_free(&view->base_value);
        int failed = pthread_mutex_destroy(&view->lock);
        SY_ASSERT(!failed);
    }
    free(state->views);
    for (unsigned i = 0; i < state->generation_count; i++) {
        sy_generation_close(&state->generations[i]);
    }
    int failed = pthread_cond_destroy(&state->changed);
    failed |= pthread_mutex_destroy(&state->held_lock);
    failed |= pthread_mutex_destroy(&state->lock);
    SY_ASSERT(!failed);
    free(state);
}

sy_status sy_state_replay(struct sy_state *state, struct sy_error *err)
{
    sy_store_reader *reader = NULL;
    SY_TRY(sy_store_reader_open(&reader, state->store));
    sy_status status = SY_OK;
    while (status == SY_OK && atomic_load(&state->next) < sy_ledger_next(state->store)) {
        uint64_t height = atomic_load(&state->next);
        struct sy_slice deltas;
        // Not through sy_ledger_get: the twin keeps what it replays below its pruned height.
        struct sy_buffer *part = &reader->parts[SY_BLOCK_DELTAS];
        status = state->store->ops->ledger_get(reader, part, height, SY_BLOCK_DELTAS);
        deltas = sy_buffer_slice(part);
        if (status != SY_OK) {
            status = sy_fail(err, status == SY_ERR_NOT_FOUND ? SY_ERR_CORRUPT : status,
                             "ledger: the deltas of block %llu cannot be read (%s); restore the "
                             "ledger from a backup or fetch it from peers",
                             (unsigned long long)height, sy_status_name(status));
            break;
        }
        status = sy_state_apply(state->store, height, deltas, err);
        if (status == SY_ERR_BUSY) status = sy_state_wait(state->store, -1);
    }
    sy_store_reader_close(reader);
    return status;
}

/* ---- applying blocks -------------------------------------------------------------------- */

static struct sy_generation *newest_open(struct sy_state *state)
{
    if (state->live_count == 0) return NULL;
    struct sy_generation *newest = &state->generations[state->live[state->live_count - 1]];
    return newest->sealed ? NULL : newest;
}

// Gives a free slab of at least `need` bytes: the configured size, or larger for one large block.
static sy_status take_bounded(struct sy_state *state, unsigned *index, size_t need)
{
    size_t usual = state->store->config.generation_bytes;
    for (unsigned i = 0; i < state->generation_count; i++) {
        struct sy_generation *generation = &state->generations[i];
        if (generation->live || generation->pins > 0) continue;
        bool odd = generation->slab_bytes > 2 * usual + (1u << 20);
        sy_generation_clear(generation);
        if (odd || sy_generation_left(generation) < need) {
            struct sy_generation fresh;
            uint64_t seed;
            sy_os_random(&seed, sizeof seed);
            SY_TRY(sy_generation_open(&fresh, need > usual ? need : usual, seed));
            sy_generation_close(generation);
            *generation = fresh;
        }
        *index = i;
        return SY_OK;
    }
    return SY_ERR_BUSY;
}

// Maps another slab, twice as large every second time, so that their number stays small.
static sy_status take_unbounded(struct sy_state *state, unsigned *index, size_t need)
{
    if (state->generation_count == SY_GENERATIONS_MAX) return SY_ERR_NO_MEMORY;
    size_t slab = (size_t)state->store->config.generation_bytes << state->generation_count / 2;
    if (slab > (size_t)8 << 30) slab = (size_t)8 << 30;
    SY_TRY(map_generation(state, slab > need ? slab : need));
    *index = state->generation_count - 1;
    return SY_OK;
}

// Finds the generation for the next block, sealing the open one if the block does not fit.
static sy_status make_room(struct sy_state *state, struct sy_generation **out, size_t need)
{
    struct sy_generation *open = newest_open(state);
    uint64_t next = atomic_load(&state->next);
    bool blocks_left =
        !state->bounded || !open || next - open->first < state->store->config.generation_blocks;
    if (open && blocks_left && sy_generation_left(open) >= need) {
        *out = open;
        return SY_OK;
    }
    if (open) {
        open->sealed = true;
        tell_all(state);
    }
    unsigned index = 0;
    SY_TRY(state->bounded ? take_bounded(state, &index, need)
                          : take_unbounded(state, &index, need));
    struct sy_generation *fresh = &state->generations[index];
    fresh->live = true;
    fresh->sealed = false;
    fresh->first = next;
    fresh->last = next;
    state->live[state->live_count++] = index;
    *out = fresh;
    return SY_OK;
}

#define EXPECTED_HEADS 16u
#define EXPECTED_NODES 8u

// Keys are spread over a slab that no cache holds, so what a put reads is on its way before it.
static void put_all(struct sy_generation *generation, uint64_t height, struct sy_slice deltas)
{
    struct sy_delta_reader reader = sy_delta_reader_of(deltas);
    struct sy_delta_reader heads = reader;
    struct sy_delta_reader nodes = reader;
    struct sy_delta delta;
    struct sy_delta ahead;
    for (unsigned i = 0; i < EXPECTED_HEADS && sy_delta_next(&heads, &ahead); i++) {
        sy_generation_expect(generation, &ahead.key, false);
    }
    for (unsigned i = 0; i < EXPECTED_NODES && sy_delta_next(&nodes, &ahead); i++) {
        sy_generation_expect(generation, &ahead.key, true);
    }
    while (sy_delta_next(&reader, &delta)) {
        struct sy_version version = {delta.op == SY_DELTA_REMOVE, delta.value};
        if (sy_delta_next(&heads, &ahead)) sy_generation_expect(generation, &ahead.key, false);
        if (sy_delta_next(&nodes, &ahead)) sy_generation_expect(generation, &ahead.key, true);
        sy_generation_put(generation, height, &delta.key, version);
    }
}

sy_status sy_state_apply(sy_store *store, uint64_t height, struct sy_slice deltas,
                         struct sy_error *err)
{
    struct sy_state *state = store->state;
    uint64_t next = atomic_load(&state->next);
    SY_TRY(sy_install_check(store, err));
    if (height != next) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "state: block %llu was offered where block %llu comes next",
                       (unsigned long long)height, (unsigned long long)next);
    }
    size_t count = 0;
    size_t bytes = 0;
    if (!sy_deltas_check(deltas, &count, &bytes)) {
        return sy_fail(err, SY_ERR_FORMAT, "state: the deltas of block %llu are malformed",
                       (unsigned long long)height);
    }
    sy_status status = sy_os_failpoint("store.state.apply");
    if (status != SY_OK) return sy_fail(err, status, "state: failpoint");

    // What the execution thread has pinned may be what has to be freed.
    struct sy_state_view *own = sy_state_own_view(state);
    int failed = pthread_mutex_lock(&own->lock);
    if (own->active) sy_view_end(own);
    failed |= pthread_mutex_unlock(&own->lock);
    SY_ASSERT(!failed);

    struct sy_generation *generation = NULL;
    lock_state(state);
    status = make_room(state, &generation, sy_generation_need(count, bytes));
    unlock_state(state);
    if (status != SY_OK) {
        return sy_fail(err, status, "state: the generations are full at block %llu",
                       (unsigned long long)height);
    }
    // Only this thread writes or seals the open generation, and views below `height` pass over
    // what is added, so the lock is not needed meanwhile.
    put_all(generation, height, deltas);
    lock_state(state);
    generation->last = height;
    atomic_store_explicit(&state->next, height + 1, memory_order_release);
    bool holds = sy_state_holds(state, height);
    // So that the base, once this is merged, shows the state at this height and nothing newer.
    if (holds && state->bounded) {
        generation->sealed = true;
        tell_all(state);
    }
    unlock_state(state);
    if (holds && !state->ops) sy_state_hold(state, height);
    return SY_OK;
}

uint64_t sy_state_next(const sy_store *store)
{
    return atomic_load_explicit(&store->state->next, memory_order_acquire);
}

/* ---- waiting and flushing --------------------------------------------------------------- */

static bool has_room(struct sy_state *state)
{
    if (!state->bounded || newest_open(state)) return true;
    for (unsigned i = 0; i < state->generation_count; i++) {
        if (!state->generations[i].live && state->generations[i].pins == 0) return true;
    }
    return false;
}

// The merger may not touch the oldest generation before its blocks are durable.
static bool waits_in_vain(struct sy_state *state)
{
    return state->live_count > 0 &&
           state->generations[state->live[0]].last >= sy_ledger_next(state->store);
}

static struct timespec deadline_after(int timeout_ms)
{
    struct timespec when;
    int failed = clock_gettime(CLOCK_MONOTONIC, &when);
    SY_ASSERT(!failed);
    when.tv_sec += timeout_ms / 1000;
    when.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (when.tv_nsec >= 1000000000) {
        when.tv_sec++;
        when.tv_nsec -= 1000000000;
    }
    return when;
}

sy_status sy_state_wait(sy_store *store, int timeout_ms)
{
    struct sy_state *state = store->state;
    struct timespec deadline = deadline_after(timeout_ms < 0 ? 0 : timeout_ms);
    sy_status status = SY_OK;
    lock_state(state);
    while (!has_room(state)) {
        status = waits_in_vain(state) ? SY_ERR_BUSY : state->merger_status;
        if (status != SY_OK) break;
        int rc = timeout_ms < 0 ? pthread_cond_wait(&state->changed, &state->lock)
                                : pthread_cond_timedwait(&state->changed, &state->lock, &deadline);
        SY_ASSERT(rc == 0 || rc == ETIMEDOUT);
        if (rc == ETIMEDOUT) {
            status = has_room(state) ? SY_OK : SY_ERR_TIMEOUT;
            break;
        }
    }
    unlock_state(state);
    return status;
}

sy_status sy_state_flush(sy_store *store, struct sy_error *err)
{
    struct sy_state *state = store->state;
    if (!state->bounded) return SY_OK;
    if (atomic_load(&state->next) > sy_ledger_next(store)) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "state: blocks up to %llu were applied, the ledger has %llu",
                       (unsigned long long)atomic_load(&state->next) - 1,
                       (unsigned long long)sy_ledger_next(store));
    }
    lock_state(state);
    struct sy_generation *open = newest_open(state);
    if (open) open->sealed = true;
    tell_all(state);
    while (state->live_count > 0 && state->merger_status == SY_OK) {
        int failed = pthread_cond_wait(&state->changed, &state->lock);
        SY_ASSERT(!failed);
    }
    sy_status status = state->live_count > 0 ? state->merger_status : SY_OK;
    unlock_state(state);
    if (status != SY_OK) return sy_fail(err, status, "state: the merge has stopped");
    return SY_OK;
}

uint64_t sy_state_complete(struct sy_state *state)
{
    // The twin keeps what it would have to replay in another form (memory_store.c).
    if (!state->ops) return atomic_load(&state->next);
    lock_state(state);
    uint64_t complete = state->complete;
    unlock_state(state);
    return complete;
}

void sy_state_on_append(struct sy_state *state)
{
    lock_state(state);
    tell_all(state);
    unlock_state(state);
}

void sy_state_resume(struct sy_state *state)
{
    lock_state(state);
    if (state->merger_status == SY_ERR_DISK_FULL) state->merger_status = SY_OK;
    tell_all(state);
    unlock_state(state);
}

/* ---- pins ------------------------------------------------------------------------------- */

void sy_state_pin(struct sy_state *state, struct sy_state_view *view)
{
    view->pinned_count = 0;
    for (unsigned i = state->live_count; i-- > 0;) {
        state->generations[state->live[i]].pins++;
        view->pinned[view->pinned_count++] = state->live[i];
    }
}

void sy_state_unpin(struct sy_state *state, struct sy_state_view *view)
{
    lock_state(state);
    bool freed = false;
    for (unsigned i = 0; i < view->pinned_count; i++) {
        struct sy_generation *generation = &state->generations[view->pinned[i]];
        SY_ASSERT(generation->pins > 0);
        generation->pins--;
        freed |= !generation->live && generation->pins == 0;
    }
    view->pinned_count = 0;
    if (freed) tell_all(state);
    unlock_state(state);
}

struct sy_state_view *sy_state_held_view(struct sy_state *state)
{
    return &state->views[state->view_count - 2];
}

struct sy_state_view *sy_state_own_view(struct sy_state *state)
{
    return &state->views[state->view_count - 1];
}

void sy_state_stats(struct sy_state *state, struct sy_store_stats *stats)
{
    lock_state(state);
    stats->state_complete_height = state->complete > 0 ? state->complete - 1 : 0;
    stats->generations_used = state->live_count;
    unlock_state(state);
    stats->state_slices = atomic_load(&state->slices);
    stats->state_slice_us_max = atomic_load(&state->slice_us_max);
    stats->views_open = atomic_load(&state->views_open);
    stats->views_ended = atomic_load(&state->views_ended);
}
