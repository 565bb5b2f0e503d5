/* access_trials.c: see access_trials.h. */
#include "consensus/node/access_trials.h"

#include "core/wire/state_trial.h"

/* Sponsor or ethics board; nobody's: there is no such trial. */
static bool runs(sy_state_view *view, const struct sy_hash *id, const struct sy_hash *holder)
{
    struct sy_hash place;
    struct sy_slice value;
    struct sy_trial trial;
    sy_state_key_id(&place, SY_STATE_TRIAL, id);
    sy_status status = sy_state_view_get(view, &value, &place);
    if (status == SY_ERR_NOT_FOUND) return true;
    if (status != SY_OK || !sy_trial_decode(&trial, value)) return false;
    return sy_hash_equal(&trial.sponsor, holder) || sy_hash_equal(&trial.ethics, holder);
}

/* The site that an entry names. */
static bool site_of(struct sy_hash *site, uint8_t kind, struct sy_slice value)
{
    struct sy_trial_subject subject;
    struct sy_trial_data data;
    struct sy_trial_report report;
    switch (kind) {
    case SY_STATE_TRIAL_SUBJECT:
        if (!sy_trial_subject_decode(&subject, value)) return false;
        *site = subject.site;
        return true;
    case SY_STATE_TRIAL_DATA:
        if (!sy_trial_data_decode(&data, value)) return false;
        *site = data.site;
        return true;
    case SY_STATE_TRIAL_REPORT:
        if (!sy_trial_report_decode(&report, value)) return false;
        *site = report.site;
        return true;
    default: return false; // a place has none: it would tell who came when elsewhere
    }
}

static bool is_sites(sy_state_view *view, const struct sy_hash *holder,
                     const struct sy_read_request *read)
{
    struct sy_hash place, site;
    struct sy_slice value;
    sy_state_key_pair(&place, (enum sy_state_kind)read->state_kind, &read->id, &read->second);
    sy_status status = sy_state_view_get(view, &value, &place);
    if (status == SY_ERR_NOT_FOUND) return true;
    return status == SY_OK && site_of(&site, read->state_kind, value) &&
           sy_hash_equal(&site, holder);
}

bool sy_access_trials(sy_state_view *view, const struct sy_hash *holder,
                      const struct sy_read_request *read)
{
    switch (read->state_kind) {
    case SY_STATE_TRIAL:
    case SY_STATE_TRIAL_VERSION:
    case SY_STATE_TRIAL_SITE:
    case SY_STATE_TRIAL_BEACON: // not whose the place is
    case SY_STATE_TRIAL_DRAW:
    case SY_STATE_TRIAL_LOCK:
    case SY_STATE_TRIAL_RESULT:
    /* The research commons hides nothing but who contributes, which is the patient's. */
    case SY_STATE_DATASET:
    case SY_STATE_DATASET_VERSION:
    case SY_STATE_DATASET_ROOT:
    case SY_STATE_QUERY:
    case SY_STATE_QUERY_DECISION:
    case SY_STATE_QUERY_RESULT:
    case SY_STATE_QUERY_ASKED:
    case SY_STATE_RESEARCH_BUDGET:
    case SY_STATE_OPTOUTS: return true;
    case SY_STATE_TRIAL_SUBJECT:
    case SY_STATE_TRIAL_PLACE:
    case SY_STATE_TRIAL_DATA:
    case SY_STATE_TRIAL_REPORT:
        return runs(view, &read->id, holder) || is_sites(view, holder, read);
    /* Nor is anybody shown what only the ledger looks up: a stream's newest would tell of whom a
     * device has one. */
    default: return false;
    }
}

bool sy_access_hides_trial_event(uint16_t kind)
{
    return kind == SY_EVENT_SUBJECT_CHANGED || kind == SY_EVENT_DATA_COMMITTED ||
           kind == SY_EVENT_SAE_REPORTED || kind == SY_EVENT_TRIAL_UNBLINDED;
}
