/* trial_view.c: see trial_view.h. */
#include "core/client/trial_view.h"

#include "core/client/at_time.h"

static const struct sy_hash nothing;

static sy_status unknown_form(struct sy_error *err)
{
    return sy_fail(err, SY_ERR_VERSION, "a proven entry is of an unknown form: upgrade");
}

/* An entry that there may be; *there says whether it is. */
static sy_status find(bool *there, struct sy_slice *value, sy_trace_get get, void *self,
                      enum sy_state_kind kind, const struct sy_hash *id, struct sy_error *err)
{
    struct sy_error inner = {SY_OK, ""};
    sy_status status = get(self, value, kind, id, &nothing, &inner);
    *there = status == SY_OK;
    if (status == SY_OK || status == SY_ERR_NOT_FOUND) return SY_OK;
    return sy_fail(err, status, "%s", inner.text);
}

static sy_status look_at_end(struct sy_trial_view *view, sy_trace_get get, void *self,
                             const struct sy_hash *id, struct sy_error *err)
{
    struct sy_slice value;
    SY_TRY(find(&view->has_lock, &value, get, self, SY_STATE_TRIAL_LOCK, id, err));
    if (view->has_lock && !sy_trial_lock_decode(&view->lock, value)) return unknown_form(err);
    SY_TRY(find(&view->has_result, &value, get, self, SY_STATE_TRIAL_RESULT, id, err));
    if (view->has_result && !sy_trial_result_decode(&view->result, value)) {
        return unknown_form(err);
    }
    view->result.endpoints = (struct sy_list){0};
    return SY_OK;
}

sy_status sy_trial_look(struct sy_trial_view *view, sy_trace_get get, void *self,
                        const struct sy_hash *id, struct sy_error *err)
{
    struct sy_slice value;
    memset(view, 0, sizeof *view);
    SY_TRY(get(self, &value, SY_STATE_TRIAL, id, &nothing, err));
    if (!sy_trial_decode(&view->trial, value)) return unknown_form(err);
    SY_TRY(find(&view->has_draw, &value, get, self, SY_STATE_TRIAL_DRAW, id, err));
    if (view->has_draw && !sy_trial_draw_decode(&view->draw, value)) return unknown_form(err);
    SY_TRY(look_at_end(view, get, self, id, err));
    // What comes later may be newer than the trial that was read first, never older.
    bool fits = (!view->trial.drawn || (view->has_draw && view->draw.salted)) &&
                (!view->trial.revealed || (view->has_draw && view->draw.revealed)) &&
                (!view->trial.locked || view->has_lock) &&
                (!view->trial.posted || view->has_result);
    if (!fits) return sy_fail(err, SY_ERR_CORRUPT, "the trial says more than its entries");
    return SY_OK;
}

sy_status sy_trial_get_version(struct sy_trial_version *version, sy_trace_get get, void *self,
                               const struct sy_hash *id, uint32_t number, struct sy_error *err)
{
    struct sy_hash second = nothing;
    struct sy_slice value;
    sy_store_u64(second.bytes, number);
    sy_status status = get(self, &value, SY_STATE_TRIAL_VERSION, id, &second, err);
    if (status == SY_ERR_NOT_FOUND) {
        return sy_fail(err, SY_ERR_CORRUPT, "a version of the trial is counted and absent");
    }
    if (status != SY_OK) return status;
    return sy_trial_version_decode(version, value) ? SY_OK : unknown_form(err);
}

sy_status sy_trial_version_at(uint32_t *number, const struct sy_trial_view *view, sy_trace_get get,
                              void *self, const struct sy_hash *id, uint64_t at,
                              struct sy_error *err)
{
    struct sy_trial_version version = {.height = 0};
    uint32_t low = 0, high = view->trial.version;
    // Heights and times of versions do not fall: the last one that is not later.
    while (low < high) {
        uint32_t middle = high - (high - low) / 2;
        SY_TRY(sy_trial_get_version(&version, get, self, id, middle, err));
        bool by = at == SY_AT_NOW || (at >= SY_AT_TIME_FROM_MS ? version.time_ms <= (int64_t)at
                                                               : version.height <= at);
        if (by) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    *number = low;
    return SY_OK;
}

sy_status sy_trial_arms(bool *known, uint32_t counts[SY_TRIAL_ARMS_MAX],
                        const struct sy_trial_view *view, sy_trace_get get, void *self,
                        const struct sy_hash *id, struct sy_error *err)
{
    memset(counts, 0, SY_TRIAL_ARMS_MAX * sizeof *counts);
    // The trial itself says so: then it is one from behind the lock, and counts all.
    *known = view->trial.revealed;
    for (uint32_t place = 1; *known && place <= view->trial.enrolled; place++) {
        struct sy_hash second = nothing;
        struct sy_slice value;
        struct sy_trial_lot lot;
        sy_store_u64(second.bytes, place);
        sy_status status = get(self, &value, SY_STATE_TRIAL_BEACON, id, &second, err);
        if (status == SY_ERR_NOT_FOUND) {
            return sy_fail(err, SY_ERR_CORRUPT, "place %u is counted and has no beacon",
                           (unsigned)place);
        }
        if (status != SY_OK) return status;
        if (!sy_trial_lot_decode(&lot, value)) return unknown_form(err);
        counts[sy_trial_arm(&view->trial, &view->draw, place, &lot.beacon)]++;
    }
    return SY_OK;
}

sy_status sy_trial_check_data(const struct sy_trial_view *view, sy_trace_get get, void *self,
                              const struct sy_hash *id, struct sy_error *err)
{
    const struct sy_hash *expected =
        view->has_lock ? &view->lock.data_root : &view->trial.data_root;
    uint64_t count = view->has_lock ? view->lock.commits : view->trial.commits;
    struct sy_hash root = nothing;
    for (uint64_t number = 1; number <= count; number++) {
        struct sy_hash second = nothing;
        struct sy_slice value;
        sy_store_u64(second.bytes, number);
        sy_status status = get(self, &value, SY_STATE_TRIAL_DATA, id, &second, err);
        if (status == SY_ERR_NOT_FOUND) {
            return sy_fail(err, SY_ERR_CORRUPT, "data commit %llu is counted and absent",
                           (unsigned long long)number);
        }
        if (status != SY_OK) return status;
        sy_trial_data_add(&root, value);
    }
    if (sy_hash_equal(&root, expected)) return SY_OK;
    return sy_fail(err, SY_ERR_CRYPTO, "the %llu data commits are not those that were counted",
                   (unsigned long long)count);
}

bool sy_trial_seed_overdue(const struct sy_trial_view *view, int64_t time_ms)
{
    return view->has_lock && view->lock.reveal_due_ms != 0 && !view->draw.revealed &&
           time_ms > view->lock.reveal_due_ms;
}

bool sy_trial_result_overdue(const struct sy_trial_view *view, int64_t completion_ms,
                             int64_t time_ms)
{
    return !view->has_result && time_ms - completion_ms > SY_TRIAL_RESULT_MS_MAX;
}
