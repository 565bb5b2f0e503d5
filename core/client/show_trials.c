/* show_trials.c: see show_trials.h. */
#include "core/client/show_trials.h"

#include "core/wire/schema.h"

static void put_hash(sy_json *json, const char *name, const struct sy_hash *hash)
{
    sy_json_put_hex(json, name, hash->bytes, sizeof hash->bytes);
}

static void put_key(sy_json *json, const char *name, const struct sy_public_key *key)
{
    sy_json_put_hex(json, name, key->bytes, sizeof key->bytes);
}

/* A word of a decoded value: it has one. */
static void put_word(sy_json *json, const char *name, const struct sy_enum *names, uint16_t number)
{
    sy_json_put_text(json, name, sy_enum_word(names, number));
}

static void put_when(sy_json *json, uint64_t height, int64_t time_ms)
{
    sy_json_put_u64(json, "height", height);
    sy_json_put_i64(json, "time_ms", time_ms);
}

static void put_ids(sy_json *json, const char *name, const struct sy_list *list)
{
    struct sy_hash id;
    sy_json_key(json, name);
    sy_json_array_begin(json);
    for (size_t offset = 0; sy_list_next_id(list, &offset, &id);) {
        sy_json_hex(json, id.bytes, sizeof id.bytes);
    }
    sy_json_array_end(json);
}

static void put_signers(sy_json *json, const struct sy_trial_signers *signers)
{
    sy_json_key(json, "signed_by");
    sy_json_array_begin(json);
    for (unsigned i = 0; i < 2; i++) {
        sy_json_object_begin(json);
        put_key(json, "key", &signers->keys[i]);
        put_word(json, "meaning", &sy_enum_trial_meaning, signers->meanings[i]);
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
    put_when(json, trial->first_height, trial->first_ms);
    sy_json_object_end(json);
}

static bool put_trial(sy_json *json, struct sy_slice value)
{
    struct sy_trial trial;
    if (!sy_trial_decode(&trial, value)) return false;
    put_hash(json, "sponsor", &trial.sponsor);
    put_hash(json, "ethics_board", &trial.ethics);
    sy_json_put_u64(json, "version", trial.version);
    sy_json_put_u64(json, "form_version", trial.form_version);
    put_hash(json, "form_commit", &trial.form_commit);
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
    put_hash(json, "data_root", &trial.data_root);
    sy_json_put_u64(json, "adverse_events", trial.reports);
    sy_json_put_u64(json, "serious", trial.serious);
    sy_json_put_u64(json, "serious_late", trial.late);
    if (trial.locked) sy_json_put_u64(json, "locked_height", trial.locked_height);
    put_when(json, trial.height, trial.time_ms);
    return true;
}

static bool put_version(sy_json *json, struct sy_slice value)
{
    struct sy_trial_version version;
    if (!sy_trial_version_decode(&version, value)) return false;
    put_hash(json, "protocol_commit", &version.protocol_commit);
    put_hash(json, "sap_commit", &version.sap_commit);
    put_hash(json, "form_commit", &version.form_commit);
    sy_json_put_u64(json, "form_version", version.form_version);
    sy_json_put_u64(json, "target", version.target);
    sy_json_put_i64(json, "completion_ms", version.completion_ms);
    put_ids(json, "endpoints", &version.endpoints);
    put_ids(json, "sites", &version.sites);
    if (version.amends) {
        put_hash(json, "changes_commit", &version.changes_commit);
        put_word(json, "reason", &sy_enum_trial_reason, version.reason);
        sy_json_put_bool(json, "other_endpoints", version.other_endpoints);
        sy_json_put_bool(json, "after_first_enrolment", version.after_first);
    }
    put_key(json, "sponsor_key", &version.sponsor_key);
    put_key(json, "ethics_board_key", &version.ethics_key);
    put_when(json, version.height, version.time_ms);
    return true;
}

static bool put_site(sy_json *json, struct sy_slice value)
{
    struct sy_trial_site site;
    if (!sy_trial_site_decode(&site, value)) return false;
    put_key(json, "investigator", &site.investigator);
    sy_json_put_u64(json, "subjects", site.subjects);
    sy_json_put_u64(json, "enrolled", site.enrolled);
    sy_json_put_u64(json, "withdrawn", site.withdrawn);
    put_when(json, site.height, site.time_ms);
    return true;
}

static void put_unblinded(sy_json *json, const struct sy_trial_subject *subject)
{
    sy_json_key(json, "unblinded");
    sy_json_object_begin(json);
    put_word(json, "reason", &sy_enum_trial_emergency, subject->unblinded_for);
    put_key(json, "key", &subject->unblinded_by);
    put_when(json, subject->unblinded_height, subject->unblinded_ms);
    sy_json_object_end(json);
}

static bool put_subject(sy_json *json, struct sy_slice value)
{
    struct sy_trial_subject subject;
    if (!sy_trial_subject_decode(&subject, value)) return false;
    put_hash(json, "site", &subject.site);
    put_key(json, "consent_key", &subject.consent_key);
    put_word(json, "by", &sy_enum_trial_consenter, subject.by);
    sy_json_put_u64(json, "form_version", subject.form_version);
    put_word(json, "status", &sy_enum_trial_status, subject.status);
    if (subject.place > 0) {
        sy_json_put_u64(json, "place", subject.place);
        sy_json_put_u64(json, "enrolled_height", subject.enrolled_height);
        if (subject.renewed_height > 0) {
            sy_json_put_u64(json, "renewed_height", subject.renewed_height);
        }
    }
    if (subject.status == SY_SUBJECT_WITHDRAWN) {
        put_word(json, "reason", &sy_enum_trial_withdrawal, subject.reason);
        sy_json_put_bool(json, "with_their_key", subject.withdrew);
        sy_json_put_u64(json, "withdrawn_height", subject.ended_height);
    }
    if (subject.unblinded) put_unblinded(json, &subject);
    put_when(json, subject.height, subject.time_ms);
    return true;
}

static bool put_place(sy_json *json, struct sy_slice value)
{
    struct sy_hash subject;
    if (!sy_id_decode(&subject, value)) return false;
    put_hash(json, "subject", &subject);
    return true;
}

static bool put_lot(sy_json *json, struct sy_slice value)
{
    struct sy_trial_lot lot;
    if (!sy_trial_lot_decode(&lot, value)) return false;
    put_hash(json, "beacon", &lot.beacon);
    sy_json_put_u64(json, "height", lot.height);
    return true;
}

static bool put_data(sy_json *json, struct sy_slice value)
{
    struct sy_trial_data data;
    if (!sy_trial_data_decode(&data, value)) return false;
    put_hash(json, "site", &data.site);
    put_key(json, "key", &data.key);
    sy_json_put_u64(json, "visit", data.visit);
    sy_json_put_u64(json, "form", data.form);
    sy_json_put_u64(json, "rows", data.rows);
    put_hash(json, "root", &data.root);
    put_when(json, data.height, data.time_ms);
    return true;
}

static bool put_report(sy_json *json, struct sy_slice value)
{
    struct sy_trial_report report;
    if (!sy_trial_report_decode(&report, value)) return false;
    put_hash(json, "subject", &report.subject);
    put_hash(json, "site", &report.site);
    put_key(json, "key", &report.key);
    sy_json_put_u64(json, "grade", report.grade);
    sy_json_put_bool(json, "serious", report.serious);
    sy_json_put_bool(json, "late", report.late);
    put_word(json, "related", &sy_enum_trial_related, report.related);
    sy_json_put_i64(json, "aware_ms", report.aware_ms);
    put_when(json, report.height, report.time_ms);
    return true;
}

static bool put_draw(sy_json *json, struct sy_slice value)
{
    struct sy_trial_draw draw;
    if (!sy_trial_draw_decode(&draw, value)) return false;
    put_hash(json, "commit", &draw.commit);
    sy_json_put_u64(json, "reveal_days", draw.reveal_days);
    if (draw.salted) {
        put_hash(json, "salt", &draw.salt);
        sy_json_put_u64(json, "salted_height", draw.salted_height);
    }
    sy_json_put_bool(json, "revealed", draw.revealed);
    if (draw.revealed) {
        put_hash(json, "seed", &draw.seed);
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
    put_hash(json, "data_root", &lock.data_root);
    put_hash(json, "root", &lock.root);
    sy_json_put_u64(json, "enrolled", lock.enrolled);
    put_signers(json, &lock.signers);
    if (lock.reveal_due_ms != 0) sy_json_put_i64(json, "reveal_due_ms", lock.reveal_due_ms);
    put_when(json, lock.height, lock.time_ms);
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
    put_hash(json, "effect_commit", &result.effect_commit);
    put_hash(json, "tables_root", &result.tables_root);
    put_ids(json, "endpoints", &result.endpoints);
    sy_json_put_bool(json, "endpoints_switched", result.switched);
    sy_json_put_bool(json, "late", result.late);
    sy_json_put_u64(json, "registered_version", result.registered_version);
    put_signers(json, &result.signers);
    put_when(json, result.height, result.time_ms);
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
