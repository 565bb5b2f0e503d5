/* show.c: proven answers for people and for --json. */
#include "core/client/show.h"

#include "core/client/cmd.h"
#include "core/client/show_fields.h"
#include "core/client/show_goods.h"
#include "core/client/show_money.h"
#include "core/client/show_research.h"
#include "core/client/show_streams.h"
#include "core/client/show_trials.h"
#include "core/wire/render.h"
#include "core/wire/state.h"

/* ---- state -------------------------------------------------------------------------------- */

static void put_tags(sy_json *json, const char *name, const struct sy_list *list)
{
    struct sy_tag tag;
    sy_json_key(json, name);
    sy_json_array_begin(json);
    for (size_t offset = 0; sy_list_next_tag(list, &offset, &tag);) {
        sy_json_hex(json, tag.bytes, sizeof tag.bytes);
    }
    sy_json_array_end(json);
}

static bool put_credential(sy_json *json, struct sy_slice value)
{
    struct sy_credential credential;
    if (!sy_credential_decode(&credential, value)) return false;
    sy_show_word(json, "role", &sy_enum_role, credential.role);
    sy_show_hash(json, "holder", &credential.holder);
    sy_json_put_bool(json, "revoked", credential.revoked);
    sy_json_put_bool(json, "break_glass", credential.break_glass);
    if (credential.has_successor) sy_show_key(json, "successor", &credential.successor);
    if (credential.has_line) sy_show_key(json, "first_key", &credential.line);
    sy_json_put_i64(json, "not_before_ms", credential.not_before_ms);
    if (credential.not_after_ms != INT64_MAX) {
        sy_json_put_i64(json, "not_after_ms", credential.not_after_ms);
    }
    if (credential.has_x25519_key) sy_show_key(json, "x25519_key", &credential.x25519_key);
    if (credential.revoked) {
        sy_json_put_i64(json, "revoked_at_ms", credential.revoked_at_ms);
        sy_show_word(json, "revoke_reason", &sy_enum_revoke_reason, credential.revoke_reason);
        sy_json_put_u64(json, "revoked_height", credential.revoked_height);
    }
    sy_json_put_u64(json, "issued_height", credential.issued_height);
    sy_json_key(json, "specialty");
    sy_json_text_bytes(json, credential.specialty.data, credential.specialty.size);
    sy_show_texts(json, "scope", &credential.scope);
    return true;
}

static bool put_org(sy_json *json, struct sy_slice value)
{
    struct sy_org org;
    if (!sy_org_decode(&org, value)) return false;
    sy_show_word(json, "kind", &sy_enum_org_kind, org.kind);
    sy_json_put_bool(json, "suspended", org.suspended);
    sy_show_hash(json, "name_hash", &org.name_hash);
    sy_show_key(json, "admin_key", &org.admin_key);
    sy_show_key(json, "x25519_key", &org.x25519_key);
    if (org.has_npi_hash) sy_show_hash(json, "npi_hash", &org.npi_hash);
    if (org.suspended) {
        sy_show_word(json, "suspend_reason", &sy_enum_suspend_reason, org.suspend_reason);
        sy_json_put_i64(json, "suspended_from_ms", org.suspended_from_ms);
        sy_json_put_u64(json, "suspended_height", org.suspended_height);
    }
    sy_json_put_u64(json, "registered_height", org.registered_height);
    sy_show_texts(json, "endpoints", &org.endpoints);
    sy_show_texts(json, "gs1_prefixes", &org.prefixes);
    return true;
}

static bool put_patient(sy_json *json, struct sy_slice value)
{
    struct sy_patient patient;
    if (!sy_patient_decode(&patient, value)) return false;
    sy_show_hash(json, "organisation", &patient.organisation);
    sy_json_put_bool(json, "claimed", patient.claimed);
    if (patient.claimed) sy_show_key(json, "wallet_key", &patient.wallet_key);
    if (patient.has_x25519_key) sy_show_key(json, "x25519_key", &patient.x25519_key);
    sy_json_put_u64(json, "enrolled_height", patient.enrolled_height);
    sy_json_put_u64(json, "events", patient.events);
    sy_json_put_u64(json, "places", patient.places);
    sy_json_put_u64(json, "records", patient.records);
    sy_json_put_u64(json, "guardians_needed", patient.guardians_needed);
    sy_show_ids(json, "guardians", &patient.guardians);
    if (patient.merged) {
        sy_show_hash(json, "merged_into", &patient.into);
        sy_json_put_u64(json, "merged_height", patient.merged_height);
    }
    if (patient.links.count > 0) sy_show_ids(json, "links", &patient.links);
    if (patient.died) {
        sy_json_put_i64(json, "died_ms", patient.died_ms);
        sy_show_hash(json, "died_said_by", &patient.died_by);
    }
    return true;
}

static bool put_care(sy_json *json, struct sy_slice value)
{
    struct sy_care care;
    if (!sy_care_decode(&care, value)) return false;
    sy_show_hash(json, "patient", &care.patient);
    sy_show_hash(json, "organisation", &care.organisation);
    sy_show_word(json, "reason", &sy_enum_care_reason, care.reason);
    sy_json_put_u64(json, "opened_height", care.opened_height);
    sy_json_put_bool(json, "open", care.closed_height == 0);
    if (care.closed_height != 0) sy_json_put_u64(json, "closed_height", care.closed_height);
    return true;
}

static bool put_consent(sy_json *json, struct sy_slice value)
{
    struct sy_consent consent;
    if (!sy_consent_decode(&consent, value)) return false;
    sy_show_hash(json, "patient", &consent.patient);
    sy_json_put_u64(json, "number", consent.number);
    sy_json_put_bool(json, "denies", consent.denies);
    sy_show_word(json, "grantee_kind", &sy_enum_grantee_kind, consent.grantee_kind);
    if (consent.grantee_kind == SY_GRANTEE_ROLE) {
        sy_show_word(json, "role", &sy_enum_role, sy_load_u16(consent.grantee.bytes));
    } else {
        sy_show_hash(json, "grantee", &consent.grantee);
    }
    sy_show_set(json, "actions", &sy_enum_action, consent.actions);
    sy_show_set(json, "purposes", &sy_enum_purpose, consent.purposes);
    sy_show_texts(json, "classes", &consent.classes);
    put_tags(json, "labels", &consent.labels);
    sy_json_put_i64(json, "from_ms", consent.from_ms);
    if (consent.until_ms != INT64_MAX) sy_json_put_i64(json, "until_ms", consent.until_ms);
    sy_json_put_u64(json, "given_height", consent.given_height);
    sy_json_put_bool(json, "revoked", consent.revoked);
    if (consent.revoked) sy_json_put_u64(json, "revoked_height", consent.revoked_height);
    if (consent.passed_on) sy_show_hash(json, "parent", &consent.parent);
    if (consent.has_wrapped_key_hash)
        sy_show_hash(json, "wrapped_key_hash", &consent.wrapped_key_hash);
    return true;
}

static bool put_break(sy_json *json, struct sy_slice value)
{
    struct sy_break entry;
    if (!sy_break_decode(&entry, value)) return false;
    sy_show_hash(json, "patient", &entry.patient);
    sy_show_key(json, "key", &entry.key);
    sy_show_hash(json, "organisation", &entry.organisation);
    sy_show_word(json, "reason", &sy_enum_break_reason, entry.reason);
    sy_json_put_u64(json, "height", entry.height);
    sy_json_put_i64(json, "from_ms", entry.from_ms);
    sy_json_put_i64(json, "until_ms", entry.until_ms);
    sy_json_put_bool(json, "reviewed", entry.reviewed);
    if (entry.reviewed) {
        sy_show_word(json, "outcome", &sy_enum_review_outcome, entry.outcome);
        sy_json_put_u64(json, "reviewed_height", entry.reviewed_height);
        sy_show_key(json, "reviewer", &entry.reviewer);
    }
    if (entry.has_previous) sy_show_hash(json, "previous", &entry.previous);
    return true;
}

static bool put_params(sy_json *json, struct sy_slice value)
{
    struct sy_params_state state;
    if (!sy_params_state_decode(&state, value)) return false;
    sy_json_put_u64(json, "version", state.version);
    sy_json_put_u64(json, "regulators_needed", state.params.regulators_needed);
    sy_json_put_i64(json, "credential_ms_max", state.params.credential_ms_max);
    sy_json_put_u64(json, "record_bytes_max", state.params.record_bytes_max);
    sy_json_put_u64(json, "research_k", state.params.research_k);
    sy_json_put_u64(json, "research_cells", state.params.research_cells);
    sy_json_put_u64(json, "dataset_cells", state.params.dataset_cells);
    sy_json_put_u64(json, "research_days", state.params.research_days);
    sy_json_key(json, "set");
    sy_json_array_begin(json);
    for (unsigned i = 0; i < state.pending_count; i++) {
        sy_json_object_begin(json);
        sy_show_word(json, "name", &sy_enum_param, state.pending[i].name);
        sy_json_put_u64(json, "value", state.pending[i].value);
        sy_json_put_u64(json, "activation_height", state.pending[i].height);
        sy_json_object_end(json);
    }
    sy_json_array_end(json);
    return true;
}

static bool put_schedule(sy_json *json, struct sy_slice value)
{
    struct sy_schedule schedule;
    if (!sy_schedule_decode(&schedule, value)) return false;
    sy_json_put_u64(json, "version", schedule.version);
    sy_show_hash(json, "root", &schedule.root);
    sy_json_put_u64(json, "activation_height", schedule.activation_height);
    sy_json_put_u64(json, "height", schedule.height);
    return true;
}

static bool put_device(sy_json *json, struct sy_slice value)
{
    struct sy_device device;
    if (!sy_device_decode(&device, value)) return false;
    sy_show_key(json, "key", &device.key);
    sy_show_hash(json, "organisation", &device.organisation);
    sy_show_word(json, "owner_kind", &sy_enum_subject_kind, device.owner_kind);
    sy_show_hash(json, "owner", &device.owner);
    sy_show_word(json, "class", &sy_enum_device_class, device.device_class);
    sy_show_hash(json, "udi_commit", &device.udi_commit);
    sy_json_put_u64(json, "height", device.height);
    return true;
}

static void put_version(sy_json *json, const struct sy_record_version *version)
{
    sy_json_put_u64(json, "version", version->version);
    sy_json_put_u64(json, "parent", version->parent);
    sy_show_word(json, "form", &sy_enum_record_form, version->form);
    sy_show_hash(json, "commit", &version->commit);
    sy_json_put_u64(json, "size", version->size);
    sy_show_key(json, "author", &version->author);
    sy_show_word(json, "author_role", &sy_enum_role, version->author_role);
    sy_show_hash(json, "holder", &version->holder);
    if (version->reason != 0) {
        sy_show_word(json, "reason", &sy_enum_amend_reason, version->reason);
    }
    sy_json_put_u64(json, "height", version->height);
    sy_json_put_i64(json, "time_ms", version->time_ms);
    sy_json_put_bool(json, "patient_reported", version->patient_reported);
    if (version->has_locator_commit) sy_show_hash(json, "locator_commit", &version->locator_commit);
    if (version->other_count == 0) return;
    sy_json_key(json, "joins");
    sy_json_array_begin(json);
    sy_json_u64(json, version->parent);
    for (unsigned i = 0; i < version->other_count; i++) sy_json_u64(json, version->others[i]);
    sy_json_array_end(json);
    sy_show_hash(json, "resolution_hash", &version->resolution_hash);
}

void sy_show_version(sy_json *json, const struct sy_record_version *version)
{
    put_version(json, version);
}

static bool put_record(sy_json *json, struct sy_slice value)
{
    struct sy_record record;
    if (!sy_record_decode(&record, value)) return false;
    sy_show_word(json, "subject_kind", &sy_enum_subject_kind, record.subject_kind);
    sy_show_hash(json, "subject", &record.subject);
    sy_show_hash(json, "holder", &record.holder);
    sy_json_key(json, "class");
    sy_json_text_bytes(json, record.record_class.data, record.record_class.size);
    sy_json_put_bool(json, "retracted", record.retracted);
    if (record.retracted) {
        sy_show_word(json, "retract_reason", &sy_enum_retract_reason, record.retract_reason);
        sy_json_put_u64(json, "retracted_height", record.retracted_height);
    }
    if (record.has_sens_tag) sy_json_put_hex(json, "sens_tag", record.sens_tag, 16);
    if (record.has_encounter) sy_show_hash(json, "encounter", &record.encounter);
    sy_json_put_bool(json, "erased", record.erased);
    if (record.erased) {
        sy_show_word(json, "erase_basis", &sy_enum_erase_basis, record.erase_basis);
        sy_json_put_u64(json, "erased_height", record.erased_height);
        sy_json_put_i64(json, "erased_ms", record.erased_ms);
    }
    if (record.relation != 0) sy_show_word(json, "relation", &sy_enum_relation, record.relation);
    sy_show_ids(json, "parents", &record.parents);
    sy_json_put_u64(json, "links", record.links);
    sy_json_put_u64(json, "versions", record.versions);
    sy_json_key(json, "heads");
    sy_json_array_begin(json);
    for (unsigned i = 0; i < record.head_count; i++) sy_json_u64(json, record.heads[i]);
    sy_json_array_end(json);
    sy_json_key(json, "first");
    sy_json_object_begin(json);
    put_version(json, &record.first);
    sy_json_object_end(json);
    return true;
}

static bool put_record_version(sy_json *json, struct sy_slice value)
{
    struct sy_record_version version;
    if (!sy_record_version_decode(&version, value)) return false;
    put_version(json, &version);
    return true;
}

static bool put_cosignatures(sy_json *json, struct sy_slice value)
{
    struct sy_cosignatures list;
    if (!sy_cosignatures_decode(&list, value)) return false;
    sy_json_key(json, "cosignatures");
    sy_json_array_begin(json);
    for (unsigned i = 0; i < list.count; i++) sy_show_cosignature(json, &list.items[i]);
    sy_json_array_end(json);
    return true;
}

void sy_show_cosignature(sy_json *json, const struct sy_cosignature *item)
{
    sy_json_object_begin(json);
    sy_show_key(json, "key", &item->key);
    sy_show_word(json, "role", &sy_enum_role, item->role);
    sy_show_hash(json, "holder", &item->holder);
    sy_show_word(json, "meaning", &sy_enum_cosign_meaning, item->meaning);
    sy_json_put_u64(json, "height", item->height);
    sy_json_put_i64(json, "time_ms", item->time_ms);
    sy_json_object_end(json);
}

static bool put_link(sy_json *json, struct sy_slice value)
{
    struct sy_record_link link;
    if (!sy_record_link_decode(&link, value)) return false;
    sy_json_put_text(json, "relation", sy_show_relation(link.relation));
    sy_show_hash(json, "record", &link.other);
    sy_json_put_u64(json, "height", link.height);
    return true;
}

const char *sy_show_relation(uint16_t relation)
{
    const char *word = sy_enum_word(&sy_enum_relation, relation);
    if (relation == SY_LINK_DUPLICATE) return "duplicate";
    return word ? word : "unknown";
}

static bool put_duplicate(sy_json *json, struct sy_slice value)
{
    struct sy_duplicate duplicate;
    if (!sy_duplicate_decode(&duplicate, value)) return false;
    sy_show_key(json, "reporter", &duplicate.reporter);
    sy_show_hash(json, "holder", &duplicate.holder);
    sy_json_put_u64(json, "height", duplicate.height);
    sy_json_put_i64(json, "time_ms", duplicate.time_ms);
    return true;
}

static bool put_access_log(sy_json *json, struct sy_slice value)
{
    struct sy_access_logged log;
    if (!sy_access_logged_decode(&log, value)) return false;
    sy_show_hash(json, "organisation", &log.organisation);
    sy_show_key(json, "key", &log.key);
    sy_show_hash(json, "root", &log.root);
    sy_json_put_u64(json, "disclosures", log.count);
    sy_json_put_u64(json, "patients", log.patients);
    sy_json_put_i64(json, "first_ms", log.first_ms);
    sy_json_put_i64(json, "last_ms", log.last_ms);
    sy_json_put_u64(json, "logged_height", log.height);
    return true;
}

static bool put_signer(sy_json *json, struct sy_slice value)
{
    struct sy_validator_key signer;
    if (!sy_validator_key_decode(&signer, value)) return false;
    sy_show_key(json, "key", &signer.key);
    sy_json_put_u64(json, "enrolled_height", signer.height);
    sy_json_put_i64(json, "enrolled_ms", signer.time_ms);
    return true;
}

static bool put_signer_of(sy_json *json, struct sy_slice value)
{
    struct sy_hash consensus;
    if (!sy_id_decode(&consensus, value)) return false;
    sy_show_hash(json, "consensus_key", &consensus);
    return true;
}

static bool put_disclosure(sy_json *json, struct sy_slice value)
{
    struct sy_disclosure disclosure;
    if (!sy_disclosure_decode(&disclosure, value)) return false;
    sy_json_put_u64(json, "disclosures", disclosure.count);
    sy_show_hash(json, "root", &disclosure.root);
    return true;
}

static bool put_patient_place(sy_json *json, struct sy_slice value)
{
    struct sy_patient_place place;
    if (!sy_patient_place_decode(&place, value)) return false;
    sy_json_put_text(json, "what", sy_place_word(place.what));
    sy_show_hash(json, "id", &place.id);
    sy_json_put_u64(json, "height", place.height);
    sy_json_put_u64(json, "records", place.records);
    return true;
}

static bool put_export(sy_json *json, struct sy_slice value)
{
    struct sy_export export;
    if (!sy_export_decode(&export, value)) return false;
    sy_show_hash(json, "patient", &export.patient);
    sy_show_hash(json, "organisation", &export.organisation);
    sy_show_key(json, "recipient_key", &export.recipient_key);
    sy_json_put_i64(json, "due_ms", export.due_ms);
    sy_json_put_u64(json, "requested_height", export.requested_height);
    sy_json_put_i64(json, "requested_ms", export.requested_ms);
    sy_json_put_bool(json, "fulfilled", export.fulfilled);
    if (export.partly) {
        sy_json_put_u64(json, "as_of", export.as_of);
        sy_json_put_u64(json, "excepted", export.excepted);
        sy_show_hash(json, "exceptions", &export.exceptions);
    }
    if (!export.fulfilled) return true;
    sy_json_put_u64(json, "places", export.places);
    sy_json_put_u64(json, "records", export.records);
    sy_show_hash(json, "manifest_root", &export.manifest_root);
    sy_show_hash(json, "wrapped_key_hash", &export.wrapped_key_hash);
    sy_json_put_u64(json, "fulfilled_height", export.fulfilled_height);
    sy_json_put_i64(json, "fulfilled_ms", export.fulfilled_ms);
    sy_json_put_bool(json, "late", export.fulfilled_ms > export.due_ms);
    return true;
}

static bool put_id_map(sy_json *json, struct sy_slice value)
{
    struct sy_mapped_id mapped;
    if (!sy_mapped_id_decode(&mapped, value)) return false;
    sy_show_hash(json, "patient", &mapped.patient);
    sy_show_hash(json, "organisation", &mapped.organisation);
    sy_show_hash(json, "system", &mapped.system);
    sy_show_hash(json, "identifier", &mapped.identifier);
    sy_json_put_u64(json, "mapped_height", mapped.height);
    sy_json_put_i64(json, "mapped_ms", mapped.time_ms);
    return true;
}

static bool put_access_request(sy_json *json, struct sy_slice value)
{
    struct sy_access_asked asked;
    if (!sy_access_asked_decode(&asked, value)) return false;
    sy_show_key(json, "key", &asked.key);
    sy_show_set(json, "actions", &sy_enum_action, asked.actions);
    sy_show_set(json, "purposes", &sy_enum_purpose, asked.purposes);
    sy_show_texts(json, "classes", &asked.classes);
    sy_json_put_u64(json, "asked_height", asked.height);
    sy_json_put_i64(json, "asked_ms", asked.time_ms);
    return true;
}

static bool put_notify_prefs(sy_json *json, struct sy_slice value)
{
    struct sy_notify_choice choice;
    if (!sy_notify_choice_decode(&choice, value)) return false;
    sy_show_set(json, "off", &sy_enum_notice_group, choice.off);
    sy_show_set(json, "digest", &sy_enum_notice_group, choice.digest);
    if (choice.has_channel) sy_show_hash(json, "channel_commit", &choice.channel);
    sy_json_put_u64(json, "chosen_height", choice.height);
    return true;
}

static bool put_dispute(sy_json *json, struct sy_slice value)
{
    struct sy_dispute dispute;
    if (!sy_dispute_decode(&dispute, value)) return false;
    sy_show_hash(json, "patient", &dispute.patient);
    sy_json_put_u64(json, "number", dispute.number);
    sy_show_word(json, "reason", &sy_enum_dispute_reason, dispute.reason);
    if (dispute.has_record) sy_show_hash(json, "record", &dispute.record);
    sy_json_put_u64(json, "disputed_height", dispute.height);
    return true;
}

static bool put_subscription(sy_json *json, struct sy_slice value)
{
    struct sy_subscription subscription;
    if (!sy_subscription_decode(&subscription, value)) return false;
    sy_json_put_u64(json, "from", subscription.from);
    sy_show_word(json, "purpose", &sy_enum_purpose, subscription.purpose);
    sy_json_put_u64(json, "height", subscription.height);
    if (subscription.has_groups) {
        sy_show_set(json, "groups", &sy_enum_notice_group, subscription.groups);
    }
    if (subscription.has_classes) sy_show_texts(json, "classes", &subscription.classes);
    if (subscription.has_organisation) {
        sy_json_put_hex(json, "organisation", subscription.organisation.bytes, 32);
    }
    if (subscription.from_height > 0) {
        sy_json_put_u64(json, "from_height", subscription.from_height);
    }
    if (subscription.cancelled_height != 0) {
        sy_json_put_u64(json, "cancelled_height", subscription.cancelled_height);
    }
    return true;
}

static bool put_notify_ack(sy_json *json, struct sy_slice value)
{
    uint64_t number;
    if (!sy_count_decode(&number, value)) return false;
    sy_json_put_u64(json, "acknowledged", number);
    return true;
}

static bool put_cert(sy_json *json, struct sy_slice value)
{
    struct sy_cert cert;
    if (!sy_cert_decode(&cert, value)) return false;
    sy_json_put_text(json, "kind", sy_enum_word(&sy_enum_cert_kind, cert.kind));
    sy_json_put_hex(json, "key_id", cert.key_id.bytes, sizeof cert.key_id.bytes);
    sy_json_put_u64(json, "revocation_index", cert.index);
    sy_json_put_u64(json, "anchored_height", cert.height);
    sy_json_put_i64(json, "anchored_ms", cert.time_ms);
    if (cert.has_until) sy_json_put_i64(json, "until_ms", cert.until_ms);
    return true;
}

static bool put_nonces(sy_json *json, struct sy_slice value)
{
    struct sy_nonces nonces;
    if (!sy_nonces_decode(&nonces, value)) return false;
    sy_json_put_u64(json, "highest", nonces.highest);
    sy_json_put_u64(json, "floor", nonces.floor);
    return true;
}

static void put_suspension_end(sy_json *json, const char *name, const struct sy_enum *reasons,
                               const struct sy_suspension_end *end)
{
    sy_json_key(json, name);
    sy_json_object_begin(json);
    sy_show_word(json, "reason", reasons, end->reason);
    sy_json_put_i64(json, "from_ms", end->from_ms);
    sy_json_put_u64(json, "height", end->height);
    sy_json_put_i64(json, "time_ms", end->time_ms);
    sy_json_object_end(json);
}

static bool put_suspension(sy_json *json, struct sy_slice value)
{
    struct sy_suspension suspension;
    if (!sy_suspension_decode(&suspension, value)) return false;
    put_suspension_end(json, "suspended", &sy_enum_suspend_reason, &suspension.begun);
    if (!suspension.has_ended) return true;
    put_suspension_end(json, "reinstated", &sy_enum_reinstate_reason, &suspension.ended);
    return true;
}

void sy_show_state(sy_json *json, uint8_t state_kind, struct sy_slice value)
{
    bool known = false;
    sy_json_object_begin(json);
    switch (state_kind) {
    case SY_STATE_CREDENTIAL: known = put_credential(json, value); break;
    case SY_STATE_ORG: known = put_org(json, value); break;
    case SY_STATE_PATIENT: known = put_patient(json, value); break;
    case SY_STATE_CARE: known = put_care(json, value); break;
    case SY_STATE_CONSENT: known = put_consent(json, value); break;
    case SY_STATE_PARAMS: known = put_params(json, value); break;
    case SY_STATE_SCHEDULE:
    case SY_STATE_SCHEDULE_VERSION: known = put_schedule(json, value); break;
    case SY_STATE_DEVICE: known = put_device(json, value); break;
    case SY_STATE_BREAK: known = put_break(json, value); break;
    case SY_STATE_RECORD: known = put_record(json, value); break;
    case SY_STATE_RECORD_VERSION: known = put_record_version(json, value); break;
    case SY_STATE_COSIGNATURES: known = put_cosignatures(json, value); break;
    case SY_STATE_RECORD_LINK: known = put_link(json, value); break;
    case SY_STATE_DUPLICATE: known = put_duplicate(json, value); break;
    case SY_STATE_NONCES: known = put_nonces(json, value); break;
    case SY_STATE_PATIENT_PLACE: known = put_patient_place(json, value); break;
    case SY_STATE_EXPORT: known = put_export(json, value); break;
    case SY_STATE_ID_MAP: known = put_id_map(json, value); break;
    case SY_STATE_ACCESS_REQUEST: known = put_access_request(json, value); break;
    case SY_STATE_ACCESS_LOG: known = put_access_log(json, value); break;
    case SY_STATE_SIGNER: known = put_signer(json, value); break;
    case SY_STATE_SIGNER_OF: known = put_signer_of(json, value); break;
    case SY_STATE_DISCLOSURE: known = put_disclosure(json, value); break;
    case SY_STATE_NOTIFY_PREFS: known = put_notify_prefs(json, value); break;
    case SY_STATE_DISPUTE: known = put_dispute(json, value); break;
    case SY_STATE_SUBSCRIPTION: known = put_subscription(json, value); break;
    case SY_STATE_NOTIFY_ACK: known = put_notify_ack(json, value); break;
    case SY_STATE_CERT: known = put_cert(json, value); break;
    case SY_STATE_SUSPENSION: known = put_suspension(json, value); break;
    default:
        known = sy_show_goods(json, state_kind, value) || sy_show_money(json, state_kind, value) ||
                sy_show_streams(json, state_kind, value) ||
                sy_show_trials(json, state_kind, value) ||
                sy_show_research(json, state_kind, value);
    }
    if (!known) sy_json_put_hex(json, "value", value.data, value.size);
    sy_json_object_end(json);
}

/* ---- proofs ------------------------------------------------------------------------------- */

static const char *name_in(const struct sy_roster *roster, unsigned signer)
{
    return signer < roster->count ? roster->validators[signer].name : "?";
}

void sy_show_proof(sy_json *json, const struct sy_proof *proof, const struct sy_genesis *genesis)
{
    struct sy_hash hash;
    struct sy_roster roster;
    (void)sy_proof_roster(&roster, proof, genesis, NULL);
    sy_header_hash(&hash, &genesis->hash, &proof->header);
    sy_json_put_u64(json, "height", proof->header.height);
    sy_json_put_i64(json, "time_ms", proof->header.time_ms);
    sy_json_put_u64(json, "epoch", proof->header.epoch);
    sy_show_hash(json, "header_hash", &hash);
    sy_show_hash(json, "state_root", &proof->header.state_root);
    sy_json_key(json, "sealed_by");
    sy_json_array_begin(json);
    for (unsigned i = 0; i < proof->certificate.count; i++) {
        sy_json_text(json, name_in(&roster, proof->certificate.seals[i].signer));
    }
    sy_json_array_end(json);
}

void sy_show_epoch_line(FILE *out, uint32_t epoch)
{
    if (epoch == 0) return;
    fprintf(out, "epoch %u: its roster was reached from the genesis by %u verified handover%s\n",
            (unsigned)epoch, (unsigned)epoch, epoch == 1 ? "" : "s");
}

void sy_show_proof_line(FILE *out, const struct sy_proof *proof, const struct sy_genesis *genesis)
{
    char time[SY_CMD_TIME_BYTES];
    struct sy_roster roster;
    (void)sy_proof_roster(&roster, proof, genesis, NULL);
    sy_cmd_time(time, proof->header.time_ms);
    fprintf(out, "proven by block %llu of %s, sealed by", (unsigned long long)proof->header.height,
            time);
    for (unsigned i = 0; i < proof->certificate.count; i++) {
        fprintf(out, "%s %s", i ? "," : "", name_in(&roster, proof->certificate.seals[i].signer));
    }
    fprintf(out, " (%u of %u)\n", (unsigned)proof->certificate.count, (unsigned)roster.count);
    sy_show_epoch_line(out, proof->header.epoch);
}

/* What stands beside a refusal's code. */
static void show_details(FILE *out, const struct sy_receipt *receipt)
{
    char hex[65];
    const char *name = sy_receipt_detail_name(receipt);
    if (receipt->code == SY_E_ROLE) {
        fputs("  needed:", out);
        for (unsigned role = 1; role < SY_ROLE_COUNT; role++) {
            if (receipt->detail >> role & 1) fprintf(out, " %s", sy_role_name((uint8_t)role));
        }
        fputs("\n", out);
    } else if (name != NULL) {
        fprintf(out, "  %s: %llu\n", name, (unsigned long long)receipt->detail);
    }
    if (!sy_hash_is_zero(&receipt->detail_hash)) {
        sy_hex_encode(hex, receipt->detail_hash.bytes, sizeof receipt->detail_hash.bytes);
        fprintf(out, "  it is about %s\n", hex);
    }
    if (receipt->part > 0) fprintf(out, "  in part %u of it, from 0\n", (unsigned)receipt->part);
}

void sy_show_receipt_lines(FILE *out, const struct sy_receipt *receipt)
{
    char hex[65];
    sy_hex_encode(hex, receipt->tx_id.bytes, sizeof receipt->tx_id.bytes);
    fprintf(out, "transaction %s\n", hex);
    if (receipt->code == SY_APPLIED) {
        fprintf(out, "applied in block %llu, place %u\n", (unsigned long long)receipt->height,
                (unsigned)receipt->index);
    } else {
        const struct sy_refusal_info *info = sy_refusal_info(receipt->code);
        fprintf(out, "refused in block %llu, place %u: %s, %s", (unsigned long long)receipt->height,
                (unsigned)receipt->index, info->name, info->sentence);
        if (receipt->path.size > 0) {
            fprintf(out, " (%.*s)", (int)receipt->path.size, (const char *)receipt->path.data);
        }
        fprintf(out, ": %s\n", info->remedy);
        show_details(out, receipt);
        if (!sy_refusal_decides(receipt->code)) {
            fputs("its nonce was not used up: another copy may still be applied until its time is "
                  "over\n",
                  out);
        }
    }
    struct sy_event event;
    size_t offset = 0;
    while (sy_receipt_next_event(receipt, &offset, &event)) {
        sy_hex_encode(hex, event.object.bytes, sizeof event.object.bytes);
        fprintf(out, "  event %llu: %s %s\n", (unsigned long long)event.global_number,
                sy_event_name(event.kind), hex);
    }
}

/* ---- evidence ----------------------------------------------------------------------------- */

/* What a validator did twice, by the type of message. */
static const char *deed_of(uint8_t type)
{
    switch (type) {
    case SY_MESSAGE_PRE_PREPARE: return "signed two proposals";
    case SY_MESSAGE_PREPARE: return "signed PREPARE for two proposals";
    case SY_MESSAGE_COMMIT: return "signed COMMIT for two proposals";
    case SY_MESSAGE_SEAL: return "sealed two blocks";
    default: return "signed two statements";
    }
}

void sy_show_evidence_sentence(char out[SY_SHOW_SENTENCE_BYTES], const struct sy_evidence *evidence,
                               const struct sy_genesis *genesis)
{
    struct sy_roster roster;
    bool named = sy_evidence_roster(&roster, evidence, genesis, NULL);
    const char *name = named ? name_in(&roster, evidence->signer) : "nobody";
    char place[64] = "";
    if (evidence->type != SY_MESSAGE_SEAL) {
        (void)snprintf(place, sizeof place, " in view %llu", (unsigned long long)evidence->view);
    }
    (void)snprintf(out, SY_SHOW_SENTENCE_BYTES, "%s (validator %u of epoch %u) %s for %s %llu%s",
                   name, (unsigned)evidence->signer, evidence->epoch, deed_of(evidence->type),
                   evidence->type == SY_MESSAGE_SEAL ? "height" : "slot",
                   (unsigned long long)evidence->slot, place);
}

void sy_show_evidence_lines(FILE *out, const struct sy_evidence *evidence,
                            const struct sy_genesis *genesis)
{
    char sentence[SY_SHOW_SENTENCE_BYTES];
    char hex[65];
    sy_show_evidence_sentence(sentence, evidence, genesis);
    fprintf(out, "%s\n", sentence);
    for (unsigned i = 0; i < 2; i++) {
        sy_hex_encode(hex, evidence->statements[i].digest.bytes, 32);
        fprintf(out, "  %s %s\n", i == 0 ? "one:  " : "other:", hex);
    }
}

void sy_show_pretty(FILE *out, sy_json *json)
{
    const char *text = sy_json_finish(json);
    fprintf(out, "%s\n", text ? text : "(too long to be shown)");
    sy_json_free(json);
}
