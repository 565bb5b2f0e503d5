/* trial_data.c: what a clinical trial collects, its lock, and what came of it.
 *
 * data.commit (an investigator or gateway of a site answers for it)
 *   the trial is not registered                           E_TRIAL_STATE {0}
 *   its data are locked                                   E_LOCKED {height}
 *   the signer's organisation is no active site           E_SITE {it}
 *   writes   trial, trial data
 *   event    data.committed about sponsor, ethics board and site; object: the trial
 *
 * ae.report (an investigator answers for it)
 *   the trial is not registered                           E_TRIAL_STATE {0}
 *   the trial has no such subject                         E_SUBJECT_UNKNOWN {id}
 *   it is another site's                                  E_SITE {that}
 *   a death is not serious                                E_SCHEMA, path serious
 *   the site knew of it after block time                  E_SCHEMA, path aware
 *   writes   trial, trial report
 *   event    sae.reported if it is serious, else subject.changed, about sponsor, ethics board and
 *            site; object: the subject
 *
 * db.lock (a sponsor's key answers for it)
 *   the trial is not registered                           E_TRIAL_STATE {0}
 *   it is another sponsor's                               E_NOT_SPONSOR {that}
 *   its data are locked                                   E_LOCKED {height}
 *   another number of data commits                        E_LOCK_SET {how many there are}
 *   second: it did not sign, is no sponsor's key of that
 *   organisation, or is the same person's                 E_TWO_KEYS {key}
 *   writes   trial, trial lock
 *   event    db.locked about the sponsor and the ethics board's organisation; object: the trial
 *
 * result.post (a sponsor's key answers for it)
 *   as of db.lock, but:
 *   its data are not locked                               E_TRIAL_STATE {2}
 *   its seed is not revealed                              E_BLINDED
 *   it was posted                                         E_TRIAL_STATE {3}
 *   writes   trial, trial result
 *   events   result.posted as above; endpoint.changed if the endpoints are not those registered
 *
 * What is serious is never refused for being late: that it was stands in the report, and is
 * counted. It is also told after the lock, as it is about a person. Endpoints are compared with
 * those of the version at the first enrolment: what was amended later is a switch, whatever a
 * version says. Nor is a result refused that comes later than a year after the completion that was
 * said last, which an amendment can move: it stands in the result. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/trial_rules.h"

#define DAY_MS 86400000ll

enum sy_refusal sy_contract_data_commit(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_data_commit *p = &payload->data_commit;
    struct sy_trial trial;
    uint8_t room[256];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    SY_ASSERT(x->kind->number == SY_KIND_data_commit && x->by->valid);
    enum sy_refusal code = sy_trial_find(x, &trial, &p->trial_id);
    if (code == SY_APPLIED) code = sy_trial_check_open(x, &trial);
    if (code != SY_APPLIED) return code;
    if (!sy_trial_has_site(x, &p->trial_id, &x->by->holder)) {
        return sy_refuse_hash(x, SY_E_SITE, &x->by->holder);
    }
    struct sy_trial_data data = {
        .site = x->by->holder,
        .key = x->by->key,
        .visit = p->visit,
        .form = p->form,
        .rows = p->rows,
        .root = p->root,
        .height = x->height,
        .time_ms = x->time_ms,
    };
    sy_trial_data_encode(&w, &data);
    trial.commits++;
    sy_trial_data_add(&trial.data_root, sy_writer_slice(&w));
    sy_trial_save_number(x, SY_STATE_TRIAL_DATA, &p->trial_id, trial.commits, &w);
    sy_trial_save(x, &p->trial_id, &trial);
    sy_trial_tell_site(x, SY_EVENT_DATA_COMMITTED, &trial, &data.site, &p->trial_id);
    return SY_APPLIED;
}

// --- adverse events ----------------------------------------------------------------------------

enum sy_refusal sy_contract_ae_report(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_ae_report *p = &payload->ae_report;
    struct sy_trial trial;
    struct sy_trial_subject subject;
    uint8_t room[256];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    SY_ASSERT(x->kind->number == SY_KIND_ae_report && x->by->valid);
    enum sy_refusal code = sy_trial_find(x, &trial, &p->trial_id);
    if (code == SY_APPLIED) {
        code = sy_trial_find_own_subject(x, &subject, &p->trial_id, &p->subject_id);
    }
    if (code != SY_APPLIED) return code;
    if (p->grade == 5 && !p->serious) return sy_refuse_path(x, SY_E_SCHEMA, "serious");
    if (p->aware > x->time_ms) return sy_refuse_path(x, SY_E_SCHEMA, "aware");
    struct sy_trial_report report = {
        .subject = p->subject_id,
        .site = subject.site,
        .key = x->by->key,
        .grade = p->grade,
        .serious = p->serious,
        .late = p->serious && x->time_ms - p->aware > SY_TRIAL_SERIOUS_MS_MAX,
        .related = p->related,
        .aware_ms = p->aware,
        .height = x->height,
        .time_ms = x->time_ms,
    };
    trial.reports++;
    trial.serious += report.serious ? 1 : 0;
    trial.late += report.late ? 1 : 0;
    sy_trial_report_encode(&w, &report);
    sy_trial_save_number(x, SY_STATE_TRIAL_REPORT, &p->trial_id, trial.reports, &w);
    sy_trial_save(x, &p->trial_id, &trial);
    sy_trial_tell_site(x, p->serious ? SY_EVENT_SAE_REPORTED : SY_EVENT_SUBJECT_CHANGED, &trial,
                       &subject.site, &p->subject_id);
    return SY_APPLIED;
}

// --- locks and results -------------------------------------------------------------------------

/* Two persons of the sponsor: a key that took another's place is the same person's. */
static enum sy_refusal check_two(struct sy_exec *x, struct sy_trial_signers *signers,
                                 uint16_t meaning, const struct sy_public_key *second,
                                 uint16_t second_meaning)
{
    const struct sy_exec_signer *other = sy_exec_signer(x, second);
    bool fits = other != NULL && other->valid && other->role == SY_ROLE_SPONSOR &&
                sy_hash_equal(&other->holder, &x->by->holder) &&
                !sy_hash_equal(&other->line, &x->by->line);
    if (!fits) return sy_refuse_key(x, SY_E_TWO_KEYS, second);
    *signers = (struct sy_trial_signers){.keys = {x->by->key, *second},
                                         .meanings = {meaning, second_meaning}};
    return SY_APPLIED;
}

enum sy_refusal sy_contract_db_lock(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_db_lock *p = &payload->db_lock;
    struct sy_trial trial;
    struct sy_trial_draw draw;
    struct sy_trial_lock lock = {.root = p->root, .height = x->height, .time_ms = x->time_ms};
    SY_ASSERT(x->kind->number == SY_KIND_db_lock && x->by->valid);
    enum sy_refusal code = sy_trial_find_own(x, &trial, &p->trial_id);
    if (code == SY_APPLIED) code = sy_trial_check_open(x, &trial);
    if (code != SY_APPLIED) return code;
    if (p->commits != trial.commits) {
        x->detail = trial.commits;
        return SY_E_LOCK_SET;
    }
    code = check_two(x, &lock.signers, p->meaning, &p->second, p->second_meaning);
    if (code != SY_APPLIED) return code;
    lock.commits = trial.commits;
    lock.data_root = trial.data_root;
    lock.enrolled = trial.enrolled;
    if (trial.drawn && sy_trial_find_draw(x, &draw, &p->trial_id)) {
        lock.reveal_due_ms = x->time_ms + draw.reveal_days * DAY_MS;
    }
    trial.locked = true;
    trial.locked_height = x->height;
    sy_trial_save(x, &p->trial_id, &trial);
    sy_trial_save_lock(x, &p->trial_id, &lock);
    sy_trial_tell(x, SY_EVENT_DB_LOCKED, &trial, &p->trial_id);
    return SY_APPLIED;
}

static void save_result(struct sy_exec *x, const struct sy_hash *id,
                        const struct sy_trial_result *result)
{
    uint8_t room[1024];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_trial_result_encode(&w, result);
    sy_exec_save_at(x, SY_STATE_TRIAL_RESULT, id, &w);
}

static enum sy_refusal check_result(struct sy_exec *x, const struct sy_trial *trial)
{
    if (!trial->locked) return sy_trial_refuse(x, SY_TRIAL_NOT_LOCKED);
    if (trial->drawn && !trial->revealed) return SY_E_BLINDED;
    return trial->posted ? sy_trial_refuse(x, SY_TRIAL_DONE) : SY_APPLIED;
}

enum sy_refusal sy_contract_result_post(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_result_post *p = &payload->result_post;
    struct sy_trial trial;
    struct sy_trial_version registered;
    struct sy_trial_result result = {
        .effect_commit = p->effect_commit,
        .tables_root = p->tables_root,
        .height = x->height,
        .time_ms = x->time_ms,
        .endpoints = p->endpoints,
    };
    SY_ASSERT(x->kind->number == SY_KIND_result_post && x->by->valid);
    enum sy_refusal code = sy_trial_find_own(x, &trial, &p->trial_id);
    if (code == SY_APPLIED) code = check_result(x, &trial);
    if (code == SY_APPLIED) {
        code = check_two(x, &result.signers, p->meaning, &p->second, p->second_meaning);
    }
    if (code != SY_APPLIED) return code;
    if (!sy_trial_find_version(x, &registered, &p->trial_id, trial.version)) {
        return sy_trial_refuse(x, SY_TRIAL_UNREGISTERED); // the block is abandoned
    }
    result.late = x->time_ms - registered.completion_ms > SY_TRIAL_RESULT_MS_MAX;
    result.registered_version = trial.first_version != 0 ? trial.first_version : trial.version;
    if (!sy_trial_find_version(x, &registered, &p->trial_id, result.registered_version)) {
        return sy_trial_refuse(x, SY_TRIAL_UNREGISTERED); // the block is abandoned
    }
    result.switched = !sy_trial_lists_same(&registered.endpoints, &p->endpoints);
    trial.posted = true;
    save_result(x, &p->trial_id, &result);
    sy_trial_save(x, &p->trial_id, &trial);
    sy_trial_tell(x, SY_EVENT_RESULT_POSTED, &trial, &p->trial_id);
    if (result.switched) sy_trial_tell(x, SY_EVENT_ENDPOINT_CHANGED, &trial, &p->trial_id);
    return SY_APPLIED;
}
