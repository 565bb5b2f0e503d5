/* The reading half of the state (state.h): views, lookups and walks. */
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/base/telemetry.h"
#include "core/store/state.h"

static void lock_view(struct sy_state_view *view)
{
    int failed = pthread_mutex_lock(&view->lock);
    SY_ASSERT(!failed);
}

// Locks a view that is about to be read: waits for a map that is moving.
static void lock_to_read(struct sy_state_view *view)
{
    lock_view(view);
    while (view->suspended) {
        struct sy_state *state = view->state;
        int failed = pthread_mutex_unlock(&view->lock);
        SY_ASSERT(!failed);
        state->ops->enter(state->base);
        state->ops->leave(state->base);
        lock_view(view);
    }
}

static void unlock_view(struct sy_state_view *view)
{
    int failed = pthread_mutex_unlock(&view->lock);
    SY_ASSERT(!failed);
}

/* ---- opening and ending ----------------------------------------------------------------- */

void sy_view_end(struct sy_state_view *view)
{
    struct sy_state *state = view->state;
    SY_ASSERT(view->active);
    if (state->ops && !view->suspended) state->ops->unpin(state->base, view->snapshot);
    sy_state_unpin(state, view);
    view->active = false;
    view->suspended = false;
    view->walking = false;
}

// Pins the newest height. False: no block was applied yet.
static bool pin_newest(struct sy_state_view *view)
{
    struct sy_state *state = view->state;
    int failed = pthread_mutex_lock(&state->lock);
    uint64_t next = atomic_load(&state->next);
    if (next > 0) {
        sy_state_pin(state, view);
        view->height = next - 1;
    }
    failed |= pthread_mutex_unlock(&state->lock);
    SY_ASSERT(!failed);
    return next > 0;
}

// Takes the base's snapshot for what is pinned. *again: it shows blocks above the pinned ones.
static sy_status pin_base(struct sy_state_view *view, bool *again)
{
    struct sy_state *state = view->state;
    uint64_t complete = 0;
    uint64_t target = 0;
    sy_status status = state->ops->pin(state->base, view->snapshot, &complete, &target);
    *again = false;
    if (status != SY_OK) return status;
    unsigned pinned = view->pinned_count;
    uint64_t covered_from =
        pinned > 0 ? state->generations[view->pinned[pinned - 1]].first : view->height + 1;
    *again = target > view->height + 1;
    if (!*again && covered_from <= complete) return SY_OK;
    state->ops->unpin(state->base, view->snapshot);
    // Blocks between the base and the generations can only be missing if the file is not ours.
    return *again ? SY_OK : SY_ERR_CORRUPT;
}

sy_status sy_view_activate(struct sy_state_view *view)
{
    struct sy_state *state = view->state;
    if (state->ops && !view->snapshot) {
        SY_TRY(state->ops->snapshot_make(state->base, &view->snapshot));
    }
    for (;;) {
        if (!pin_newest(view)) return SY_ERR_NOT_FOUND;
        sy_status status = SY_OK;
        bool again = false;
        if (state->ops) state->ops->enter(state->base);
        lock_view(view);
        if (state->ops) status = pin_base(view, &again);
        view->active = status == SY_OK && !again;
        view->walking = false;
        view->opened_ns = sy_os_monotonic_ns();
        bool active = view->active;
        unlock_view(view);
        if (state->ops) state->ops->leave(state->base);
        if (active) return SY_OK;
        sy_state_unpin(state, view);
        if (status != SY_OK) return status;
    }
}

static struct sy_state_view *take_view(struct sy_state *state)
{
    for (unsigned i = 0; i < state->view_count; i++) {
        struct sy_state_view *view = &state->views[i];
        lock_view(view);
        bool free = !view->used;
        view->used = true;
        unlock_view(view);
        if (free) return view;
    }
    return NULL;
}

sy_status sy_state_view_open(sy_state_view **out, sy_store *store)
{
    struct sy_state *state = store->state;
    *out = NULL;
    struct sy_state_view *view = take_view(state);
    if (!view) return SY_ERR_LIMIT;
    sy_status status = sy_view_activate(view);
    if (status != SY_OK) {
        lock_view(view);
        view->used = false;
        unlock_view(view);
        return status;
    }
    atomic_fetch_add(&state->views_open, 1);
    *out = view;
    return SY_OK;
}

void sy_state_view_close(sy_state_view *view)
{
    if (!view) return;
    lock_view(view);
    SY_ASSERT(view->used);
    if (view->active) sy_view_end(view);
    view->used = false;
    unlock_view(view);
    atomic_fetch_sub(&view->state->views_open, 1);
}

uint64_t sy_state_view_height(const sy_state_view *view)
{
    return view->height;
}

// Counts a view that the store ended; nobody has the last two open.
static void note_end(struct sy_state *state, const struct sy_state_view *view)
{
    bool theirs = view != sy_state_own_view(state) && view != sy_state_held_view(state);
    if (theirs) atomic_fetch_add(&state->views_ended, 1);
}

void sy_state_end_views(struct sy_state *state, uint64_t age_ns)
{
    uint64_t held_ns = (uint64_t)state->store->config.snapshot_age_ms_max * 1000000;
    for (unsigned i = 0; i < state->view_count; i++) {
        struct sy_state_view *view = &state->views[i];
        lock_view(view);
        uint64_t age_max_ns = view == sy_state_held_view(state) ? held_ns : age_ns;
        // The clock is read under the lock, after any view was opened: an age is never negative.
        if (view->active && sy_os_monotonic_ns() - view->opened_ns >= age_max_ns) {
            sy_view_end(view);
            note_end(state, view);
        }
        unlock_view(view);
    }
}

void sy_state_suspend_views(struct sy_state *state)
{
    for (unsigned i = 0; i < state->view_count; i++) {
        struct sy_state_view *view = &state->views[i];
        lock_view(view);
        if (view->active) {
            state->ops->unpin(state->base, view->snapshot);
            view->suspended = true;
            view->base_lost = true;
        }
        unlock_view(view);
    }
}

void sy_state_continue_views(struct sy_state *state)
{
    for (unsigned i = 0; i < state->view_count; i++) {
        struct sy_state_view *view = &state->views[i];
        lock_view(view);
        if (view->suspended) {
            bool again = false;
            bool same = pin_base(view, &again) == SY_OK && !again;
            if (!same) {
                sy_view_end(view);
                note_end(state, view);
            }
            view->suspended = false;
        }
        unlock_view(view);
    }
}

/* ---- lookups ---------------------------------------------------------------------------- */

// The view is active and its lock is held.
static sy_status get_locked(struct sy_state_view *view, const struct sy_hash *key)
{
    struct sy_state *state = view->state;
    for (unsigned i = 0; i < view->pinned_count; i++) {
        const struct sy_generation *generation = &state->generations[view->pinned[i]];
        struct sy_version version;
        if (!sy_generation_get(generation, &version, view->height, key)) continue;
        if (version.removed) return SY_ERR_NOT_FOUND;
        return sy_buffer_set(&view->value, version.value.data, version.value.size);
    }
    if (!state->ops) return SY_ERR_NOT_FOUND;
    return state->ops->get(state->base, view->snapshot, &view->value, key);
}

sy_status sy_state_view_get(sy_state_view *view, struct sy_slice *value, const struct sy_hash *key)
{
    *value = sy_slice_of(NULL, 0);
    lock_to_read(view);
    sy_status status = view->active ? get_locked(view, key) : SY_ERR_TIMEOUT;
    unlock_view(view);
    if (status == SY_OK) *value = sy_buffer_slice(&view->value);
    return status;
}

sy_status sy_state_get(sy_store *store, struct sy_slice *value, const struct sy_hash *key)
{
    struct sy_state_view *own = sy_state_own_view(store->state);
    *value = sy_slice_of(NULL, 0);
    for (;;) {
        lock_to_read(own);
        bool active = own->active;
        sy_status status = active ? get_locked(own, key) : SY_OK;
        unlock_view(own);
        if (active) {
            if (status == SY_OK) *value = sy_buffer_slice(&own->value);
            return status;
        }
        SY_TRY(sy_view_activate(own));
    }
}

/* ---- walks ------------------------------------------------------------------------------ */

// Moves the base's part of the walk; the end of the base is no failure.
static sy_status move_base(struct sy_state_view *view, const struct sy_hash *seek)
{
    struct sy_state *state = view->state;
    struct sy_hash place = seek ? *seek : view->base_key;
    bool find = seek || view->base_lost;
    bool moved = false;
    sy_status status = SY_OK;
    view->base_at = false;
    view->base_lost = false;
    if (!state->ops) return SY_OK;
    if (find) {
        status = state->ops->seek(state->base, view->snapshot, &view->base_key, &view->base_value,
                                  &place);
        // A lost place that is found again is the entry that was given last.
        moved = seek || status != SY_OK || !sy_hash_equal(&place, &view->base_key);
    }
    if (!moved) {
        status = state->ops->next(state->base, view->snapshot, &view->base_key, &view->base_value);
    }
    view->base_at = status == SY_OK;
    return status == SY_ERR_NOT_FOUND ? SY_OK : status;
}

sy_status sy_state_view_scan(sy_state_view *view, const struct sy_hash *prefix, unsigned bits,
                             const struct sy_hash *from)
{
    SY_ASSERT(bits <= 256);
    lock_to_read(view);
    sy_status status = view->active ? SY_OK : SY_ERR_TIMEOUT;
    if (status == SY_OK) {
        sy_hash_prefix(&view->prefix, prefix, bits);
        view->prefix_bits = bits;
        bool later = from && sy_hash_compare(from, &view->prefix) > 0;
        struct sy_hash start = later ? *from : view->prefix;
        for (unsigned i = 0; i < view->pinned_count; i++) {
            sy_generation_seek(&view->cursors[i], &view->state->generations[view->pinned[i]],
                               &start);
        }
        status = move_base(view, &start);
        view->walking = status == SY_OK;
    }
    unlock_view(view);
    return status;
}

// The smallest key under any cursor into view->key. False: all are at their ends.
static bool smallest_key(struct sy_state_view *view)
{
    const struct sy_hash *smallest = view->base_at ? &view->base_key : NULL;
    for (unsigned i = 0; i < view->pinned_count; i++) {
        const struct sy_hash *key = sy_generation_key(&view->cursors[i]);
        if (key && (!smallest || sy_hash_compare(key, smallest) < 0)) smallest = key;
    }
    if (!smallest) return false;
    view->key = *smallest;
    return true;
}

// Finds the value of view->key, the newest generation's word first, and moves every cursor past
// that key. *present: it has one.
static sy_status take_key(struct sy_state_view *view, bool *present)
{
    bool decided = false;
    sy_status status = SY_OK;
    *present = false;
    for (unsigned i = 0; i < view->pinned_count; i++) {
        struct sy_generation_cursor *cursor = &view->cursors[i];
        const struct sy_hash *key = sy_generation_key(cursor);
        if (!key || !sy_hash_equal(key, &view->key)) continue;
        struct sy_version version;
        if (!decided && sy_generation_at(cursor, &version, view->height)) {
            decided = true;
            *present = !version.removed;
            if (*present) {
                status = sy_buffer_set(&view->value, version.value.data, version.value.size);
            }
        }
        sy_generation_next(cursor);
    }
    if (status == SY_OK && view->base_at && sy_hash_equal(&view->base_key, &view->key)) {
        if (!decided) {
            struct sy_buffer given = view->base_value;
            view->base_value = view->value;
            view->value = given;
            *present = true;
        }
        status = move_base(view, NULL);
    }
    return status;
}

static sy_status next_locked(struct sy_state_view *view)
{
    for (;;) {
        if (!smallest_key(view) ||
            !sy_hash_has_prefix(&view->key, &view->prefix, view->prefix_bits)) {
            view->walking = false;
            return SY_ERR_NOT_FOUND;
        }
        bool present;
        SY_TRY(take_key(view, &present));
        if (present) return SY_OK;
    }
}

sy_status sy_state_view_next(sy_state_view *view, const struct sy_hash **key,
                             struct sy_slice *value)
{
    *key = NULL;
    *value = sy_slice_of(NULL, 0);
    lock_to_read(view);
    sy_status status = view->active ? SY_ERR_NOT_FOUND : SY_ERR_TIMEOUT;
    if (view->active && view->walking) status = next_locked(view);
    unlock_view(view);
    if (status == SY_OK) {
        *key = &view->key;
        *value = sy_buffer_slice(&view->value);
    }
    return status;
}

sy_status sy_state_view_each(sy_state_view *view, const struct sy_hash *prefix, unsigned bits,
                             sy_entry_fn visit, void *user)
{
    sy_status status = sy_state_view_scan(view, prefix, bits, NULL);
    while (status == SY_OK) {
        const struct sy_hash *key;
        struct sy_slice value;
        status = sy_state_view_next(view, &key, &value);
        if (status == SY_OK && !visit(user, key, value)) return SY_OK;
    }
    return status == SY_ERR_NOT_FOUND ? SY_OK : status;
}

/* ---- held states ------------------------------------------------------------------------ */

bool sy_state_holds(const struct sy_state *state, uint64_t height)
{
    uint32_t every = state->store->config.snapshot_blocks;
    return every > 0 && height > 0 && height % every == 0;
}

// Pins the base alone: it shows what is at or below height, and nothing newer.
static sy_status hold_base(struct sy_state_view *view, uint64_t height)
{
    struct sy_state *state = view->state;
    bool again = false;
    if (!view->snapshot) SY_TRY(state->ops->snapshot_make(state->base, &view->snapshot));
    state->ops->enter(state->base);
    lock_view(view);
    view->height = height;
    view->pinned_count = 0;
    sy_status status = pin_base(view, &again);
    view->active = status == SY_OK && !again;
    view->walking = false;
    view->opened_ns = sy_os_monotonic_ns();
    unlock_view(view);
    state->ops->leave(state->base);
    return again ? SY_ERR_BUSY : status;
}

void sy_state_hold(struct sy_state *state, uint64_t height)
{
    struct sy_state_view *view = sy_state_held_view(state);
    int failed = pthread_mutex_lock(&state->held_lock);
    lock_to_read(view);
    if (view->active) sy_view_end(view);
    unlock_view(view);
    sy_status status = state->ops ? hold_base(view, height) : sy_view_activate(view);
    if (status != SY_OK) {
        SY_LOG(SY_LOG_WARN, "store", "state_not_held", SY_F_U64("height", height),
               SY_F_TEXT("reason", sy_status_name(status)));
    }
    failed |= pthread_mutex_unlock(&state->held_lock);
    SY_ASSERT(!failed);
}

uint64_t sy_snapshot_height(sy_store *store)
{
    struct sy_state_view *view = sy_state_held_view(store->state);
    lock_view(view);
    uint64_t height = view->active ? view->height : 0;
    unlock_view(view);
    return height;
}

sy_status sy_snapshot_scan(sy_store *store, uint64_t height, const struct sy_hash *prefix,
                           unsigned bits, sy_entry_fn visit, void *user)
{
    struct sy_state *state = store->state;
    struct sy_state_view *view = sy_state_held_view(state);
    int failed = pthread_mutex_lock(&state->held_lock);
    sy_status status = sy_snapshot_height(store) == height && height > 0 ? SY_OK : SY_ERR_NOT_FOUND;
    if (status == SY_OK) status = sy_state_view_each(view, prefix, bits, visit, user);
    failed |= pthread_mutex_unlock(&state->held_lock);
    SY_ASSERT(!failed);
    return status;
}
