/* access_trials.h: who may read what the state has of clinical trials (internal to consensus/node).
 *
 * A register of trials is there to be read: the trial, its versions, sites, draw, lock and result
 * are shown to anybody whose credential holds. Who takes part is not: a subject, who has which
 * place, what was committed to and reported are shown to the sponsor and the ethics board, and to
 * the site whose they are. What was published for research, asked of it and answered is shown to
 * anybody, likewise. */
#ifndef SY_NODE_ACCESS_TRIALS_H
#define SY_NODE_ACCESS_TRIALS_H

#include "core/store/store.h"
#include "core/wire/request.h"

/* sy_access_trials: may who acts for `holder` be shown this entry of a kind of state_trial.h
 * or state_research.h? That
 * there is no such entry may be told. */
bool sy_access_trials(sy_state_view *view, const struct sy_hash *holder,
                      const struct sy_read_request *read);

/* sy_access_hides_trial_event: events of that kind are for who is told, and nobody else. */
bool sy_access_hides_trial_event(uint16_t kind);

#endif
