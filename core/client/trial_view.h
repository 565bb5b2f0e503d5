/* trial_view.h: what the ledger tells of a clinical trial, from proven entries: what was registered
 * when, how many are in which arm, whether the locked set is whole, what was switched. */
#ifndef SY_CLIENT_TRIAL_VIEW_H
#define SY_CLIENT_TRIAL_VIEW_H

#include "core/client/trace.h"
#include "core/wire/state_trial.h"

struct sy_trial_view {
    struct sy_trial trial;
    bool has_draw, has_lock, has_result;
    struct sy_trial_draw draw;
    struct sy_trial_lock lock;
    struct sy_trial_result result; /* without its endpoints */
};

/* sy_trial_look reads a trial, its draw, lock and result by get (trace.h). SY_ERR_NOT_FOUND: it is
 * not registered; SY_ERR_CORRUPT: the entries contradict each other. */
sy_status sy_trial_look(struct sy_trial_view *view, sy_trace_get get, void *self,
                        const struct sy_hash *id, struct sy_error *err);

/* sy_trial_get_version reads version `number`; it borrows from get until its next call. */
sy_status sy_trial_get_version(struct sy_trial_version *version, sy_trace_get get, void *self,
                               const struct sy_hash *id, uint32_t number, struct sy_error *err);

/* sy_trial_version_at is the number of the version that was registered at a height, or a time
 * (at_time.h), as the newest trial counts them: the last one whose block was not later; 0: none
 * was. Versions are never written again. */
sy_status sy_trial_version_at(uint32_t *number, const struct sy_trial_view *view, sy_trace_get get,
                              void *self, const struct sy_hash *id, uint64_t at,
                              struct sy_error *err);

/* sy_trial_arms reads every place's beacon and counts places by arm. *known false: the seed is not
 * revealed, so nobody can. SY_ERR_CORRUPT: a place is counted and has none. */
sy_status sy_trial_arms(bool *known, uint32_t counts[SY_TRIAL_ARMS_MAX],
                        const struct sy_trial_view *view, sy_trace_get get, void *self,
                        const struct sy_hash *id, struct sy_error *err);

/* sy_trial_check_data reads every data commit and makes their root again: SY_ERR_CRYPTO: it is not
 * what the trial, or its lock, has. SY_ERR_PERMISSION: they are withheld. */
sy_status sy_trial_check_data(const struct sy_trial_view *view, sy_trace_get get, void *self,
                              const struct sy_hash *id, struct sy_error *err);

/* What is overdue at a block time: the seed, since a lock; the result, since `completion_ms`. */
bool sy_trial_seed_overdue(const struct sy_trial_view *view, int64_t time_ms);
bool sy_trial_result_overdue(const struct sy_trial_view *view, int64_t completion_ms,
                             int64_t time_ms);

#endif
