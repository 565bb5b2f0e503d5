/* show_trials.c: see show_trials.h. */
#include "core/client/show_trials.h"
#include "core/client/show_fields.h"

#include "core/wire/schema.h"

static void put_signers(sy_json *json, const struct sy_trial_signers *signers)
{
    sy_json_key(json, "signed_by");
    sy_json_array_begin(json);
    for (unsigned i = 0; i < 2; i++) {
        sy_json_object_begin(json);
        sy_show_key(json, "key", &signers->keys[i]);
        sy_show_word(json, "meaning", &sy_enum_trial_meaning, signers->meanings[i]);
        sy_json_object_end(json);
    }
    sy_json_array_end(json);
}

static void put_first(sy_json *json, const struct sy_trial *trial)
{
    if (trial->first_version == 0) return;
    sy_json_key(json, "first_enrolment");
    sy_json_object_begin(json);
    sy_json_put_u64(json, "version", trial->first_version);
    sy_show_when(json, trial->first_height, trial->first_ms);
    sy_json_object_end(json);
}

static bool put_trial(sy_json *json, struct sy_slice value)
{
    struct sy_trial trial;
    if (!sy_trial_decode(&trial, value)) return false;
    sy_show_hash(json, "sponsor", &trial.sponsor);
    sy_show_hash(json, "ethics_board", &trial.ethics);
    sy_json_put_u64(json, "version", trial.version);
    sy_json_put_u64(json, "form_version", trial.form_version);
    sy_show_hash(json, "form_commit", &trial.form_commit);
    sy_json_put_u64(json, "target", trial.target);
    sy_json_put_hex(json, "shares", trial.shares, trial.arm_count);
    sy_json_put_bool(json, "drawn", trial.drawn);
    sy_json_put_bool(json, "locked", trial.locked);
    sy_json_put_bool(json, "unblinded", trial.unblinded);
    sy_json_put_bool(json, "revealed", trial.revealed);
    sy_json_put_bool(json, "posted", trial.posted);
    sy_json_put_bool(json, "endpoints_amended", trial.endpoints_amended);
    sy_json_put_u64(json, "active_sites", trial.sites);
    sy_json_put_u64(json, "subjects", trial.subjects);
    sy_json_put_u64(json, "enrolled", trial.enrolled);
    sy_json_put_u64(json, "withdrawn", trial.withdrawn);
    put_first(json, &trial);
    sy_json_put_u64(json, "data_commits", trial.commits);
    sy_show_hash(json, "data_root", &trial.data_root);
    sy_json_put_u64(json, "adverse_events", trial.reports);
    sy_json_put_u64(json, "serious", trial.serious);
    sy_json_put_u64(json, "serious_late", trial.late);
    if (trial.locked) sy_json_put_u64(json, "locked_height", trial.locked_height);
    sy_show_when(json, trial.height, trial.time_ms);
    return true;
}

static bool put_version(sy_json *json, struct sy_slice value)
{
    struct sy_trial_version version;
    if (!sy_trial_version_decode(&version, value)) return false;
    sy_show_hash(json, "protocol_commit", &version.protocol_commit);
    sy_show_hash(json, "sap_commit", &version.sap_commit);
    sy_show_hash(json, "form_commit", &version.form_commit);
    sy_json_put_u64(json, "form_version", version.form_version);
    sy_json_put_u64(json, "target", version.target);
    sy_json_put_i64(json, "completion_ms", version.completion_ms);
    sy_show_ids(json, "endpoints", &version.endpoints);
    sy_show_ids(json, "sites", &version.sites);
    if (version.amends) {
        sy_show_hash(json, "changes_commit", &version.changes_commit);
        sy_show_word(json, "reason", &sy_enum_trial_reason, version.reason);
        sy_json_put_bool(json, "other_endpoints", version.other_endpoints);
        sy_json_put_bool(json, "after_first_enrolment", version.after_first);
    }
    sy_show_key(json, "sponsor_key", &version.sponsor_key);
    sy_show_key(json, "ethics_board_key", &version.ethics_key);
    sy_show_when(json, version.height, version.time_ms);
    return true;
}

static bool put_site(sy_json *json, struct sy_slice value)
{
    struct sy_trial_site site;
    if (!sy_trial_site_decode(&site, value)) return false;
    sy_show_key(json, "investigator", &site.investigator);
    sy_json_put_u64(json, "subjects", site.subjects);
    sy_json_put_u64(json, "enrolled", site.enrolled);
    sy_json_put_u64(json, "withdrawn", site.withdrawn);
    sy_show_when(json, site.height, site.time_ms);
    return true;
}

static void put_unblinded(sy_json *json, const struct sy_trial_subject *subject)
{
    sy_json_key(json, "unblinded");
    sy_json_object_begin(json);
    sy_show_word(json, "reason", &sy_enum_trial_emergency, subject->unblinded_for);
    sy_show_key(json, "key", &subject->unblinded_by);
    sy_show_when(json, subject->unblinded_height, subject->unblinded_ms);
    sy_json_object_end(json);
}

static bool put_subject(sy_json *json, struct sy_slice value)
{
    struct sy_trial_subject subject;
    if (!sy_trial_subject_decode(&subject, value)) return false;
    sy_show_hash(json, "site", &subject.site);
    sy_show_key(json, "consent_key", &subject.consent_key);
    sy_show_word(json, "by", &sy_enum_trial_consenter, subject.by);
    sy_json_put_u64(json, "form_version", subject.form_version);
    sy_show_word(json, "status", &sy_enum_trial_status, subject.status);
    if (subject.place > 0) {
        sy_json_put_u64(json, "place", subject.place);
        sy_json_put_u64(json, "enrolled_height", subject.enrolled_height);
        if (subject.renewed_height > 0) {
            sy_json_put_u64(json, "renewed_height", subject.renewed_height);
        }
    }
    if (subject.status == SY_SUBJECT_WITHDRAWN) {
        sy_show_word(json, "reason", &sy_enum_trial_withdrawal, subject.reason);
        sy_json_put_bool(json, "with_their_key", subject.withdrew);
        sy_json_put_u64(json, "withdrawn_height", subject.ended_height);
    }
    if (subject.unblinded) put_unblinded(json, &subject);
    sy_show_when(json, subject.height, subject.time_ms);
    return true;
}

static bool put_place(sy_json *json, struct sy_slice value)
{
    struct sy_hash subject;
    if (!sy_id_decode(&subject, value)) return false;
    sy_show_hash(json, "subject", &subject);
    return true;
}

static bool put_lot(sy_json *json, struct sy_slice value)
{
    struct sy_trial_lot lot;
    if (!sy_trial_lot_decode(&lot, value)) return false;
    sy_show_hash(json, "beacon", &lot.beacon);
    sy_json_put_u64(json, "height", lot.height);
    return true;
}

static bool put_data(sy_json *json, struct sy_slice value)
{
    struct sy_trial_data data;
    if (!sy_trial_data_decode(&data, value)) return false;
    sy_show_hash(json, "site", &data.site);
    sy_show_key(json, "key", &data.key);
    sy_json_put_u64(json, "visit", data.visit);
    sy_json_put_u64(json, "form", data.form);
    sy_json_put_u64(json, "rows", data.rows);
    sy_show_hash(json, "root", &data.root);
    sy_show_when(json, data.height, data.time_ms);
    return true;
}

static bool put_report(sy_json *json, struct sy_slice value)
{
    struct sy_trial_report report;
    if (!sy_trial_report_decode(&report, value)) return false;
    sy_show_hash(json, "subject", &report.subject);
    sy_show_hash(json, "site", &report.site);
    sy_show_key(json, "key", &report.key);
    sy_json_put_u64(json, "grade", report.grade);
    sy_json_put_bool(json, "serious", report.serious);
    sy_json_put_bool(json, "late", report.late);
    sy_show_word(json, "related", &sy_enum_trial_related, report.related);
    sy_json_put_i64(json, "aware_ms", report.aware_ms);
    sy_show_when(json, report.height, report.time_ms);
    return true;
}

static bool put_draw(sy_json *json, struct sy_slice value)
{
    struct sy_trial_draw draw;
    if (!sy_trial_draw_decode(&draw, value)) return false;
    sy_show_hash(json, "commit", &draw.commit);
    sy_json_put_u64(json, "reveal_days", draw.reveal_days);
    if (draw.salted) {
        sy_show_hash(json, "salt", &draw.salt);
        sy_json_put_u64(json, "salted_height", draw.salted_height);
    }
    sy_json_put_bool(json, "revealed", draw.revealed);
    if (draw.revealed) {
        sy_show_hash(json, "seed", &draw.seed);
        sy_json_put_bool(json, "late", draw.late);
        sy_json_put_u64(json, "revealed_height", draw.revealed_height);
        sy_json_put_i64(json, "revealed_ms", draw.revealed_ms);
    }
    sy_json_put_u64(json, "height", draw.height);
    return true;
}

static bool put_lock(sy_json *json, struct sy_slice value)
{
    struct sy_trial_lock lock;
    if (!sy_trial_lock_decode(&lock, value)) return false;
    sy_json_put_u64(json, "data_commits", lock.commits);
    sy_show_hash(json, "data_root", &lock.data_root);
    sy_show_hash(json, "root", &lock.root);
    sy_json_put_u64(json, "enrolled", lock.enrolled);
    put_signers(json, &lock.signers);
    if (lock.reveal_due_ms != 0) sy_json_put_i64(json, "reveal_due_ms", lock.reveal_due_ms);
    sy_show_when(json, lock.height, lock.time_ms);
    if (lock.unblinded_height != 0) {
        sy_json_put_u64(json, "unblinded_height", lock.unblinded_height);
        sy_json_put_i64(json, "unblinded_ms", lock.unblinded_ms);
    }
    return true;
}

static bool put_result(sy_json *json, struct sy_slice value)
{
    struct sy_trial_result result;
    if (!sy_trial_result_decode(&result, value)) return false;
    sy_show_hash(json, "effect_commit", &result.effect_commit);
    sy_show_hash(json, "tables_root", &result.tables_root);
    sy_show_ids(json, "endpoints", &result.endpoints);
    sy_json_put_bool(json, "endpoints_switched", result.switched);
    sy_json_put_bool(json, "late", result.late);
    sy_json_put_u64(json, "registered_version", result.registered_version);
    put_signers(json, &result.signers);
    sy_show_when(json, result.height, result.time_ms);
    return true;
}

bool sy_show_trials(sy_json *json, uint8_t state_kind, struct sy_slice value)
{
    switch (state_kind) {
    case SY_STATE_TRIAL: return put_trial(json, value);
    case SY_STATE_TRIAL_VERSION: return put_version(json, value);
    case SY_STATE_TRIAL_SITE: return put_site(json, value);
    case SY_STATE_TRIAL_SUBJECT: return put_subject(json, value);
    case SY_STATE_TRIAL_PLACE: return put_place(json, value);
    case SY_STATE_TRIAL_BEACON: return put_lot(json, value);
    case SY_STATE_TRIAL_DATA: return put_data(json, value);
    case SY_STATE_TRIAL_REPORT: return put_report(json, value);
    case SY_STATE_TRIAL_DRAW: return put_draw(json, value);
    case SY_STATE_TRIAL_LOCK: return put_lock(json, value);
    case SY_STATE_TRIAL_RESULT: return put_result(json, value);
    default: return false;
    }
}
