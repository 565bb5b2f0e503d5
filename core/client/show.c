/* show.c: proven answers for people and for --json. */
#include "core/client/show.h"

#include "core/client/cmd.h"
#include "core/wire/render.h"
#include "core/wire/state.h"

/* ---- state -------------------------------------------------------------------------------- */

static void put_hash(sy_json *json, const char *name, const struct sy_hash *hash)
{
    sy_json_put_hex(json, name, hash->bytes, sizeof hash->bytes);
}

static void put_key(sy_json *json, const char *name, const struct sy_public_key *key)
{
    sy_json_put_hex(json, name, key->bytes, sizeof key->bytes);
}

/* A number by its word, or as a number when it has none. */
static void put_word(sy_json *json, const char *name, const struct sy_enum *names, uint16_t number)
{
    const char *word = sy_enum_word(names, number);
    if (word) {
        sy_json_put_text(json, name, word);
    } else {
        sy_json_put_u64(json, name, number);
    }
}

static void put_texts(sy_json *json, const char *name, const struct sy_list *list)
{
    struct sy_slice text;
    size_t offset = 0;
    sy_json_key(json, name);
    sy_json_array_begin(json);
    while (sy_list_next_text(list, &offset, &text)) {
        sy_json_text_bytes(json, text.data, text.size);
    }
    sy_json_array_end(json);
}

static void put_ids(sy_json *json, const char *name, const struct sy_list *list)
{
    struct sy_hash id;
    size_t offset = 0;
    sy_json_key(json, name);
    sy_json_array_begin(json);
    while (sy_list_next_id(list, &offset, &id)) sy_json_hex(json, id.bytes, sizeof id.bytes);
    sy_json_array_end(json);
}

static bool put_credential(sy_json *json, struct sy_slice value)
{
    struct sy_credential credential;
    if (!sy_credential_decode(&credential, value)) return false;
    put_word(json, "role", &sy_enum_role, credential.role);
    put_hash(json, "holder", &credential.holder);
    sy_json_put_bool(json, "revoked", credential.revoked);
    sy_json_put_bool(json, "break_glass", credential.break_glass);
    sy_json_put_i64(json, "not_before_ms", credential.not_before_ms);
    if (credential.not_after_ms != INT64_MAX) {
        sy_json_put_i64(json, "not_after_ms", credential.not_after_ms);
    }
    if (credential.has_x25519_key) put_key(json, "x25519_key", &credential.x25519_key);
    if (credential.revoked) {
        sy_json_put_i64(json, "revoked_at_ms", credential.revoked_at_ms);
        put_word(json, "revoke_reason", &sy_enum_revoke_reason, credential.revoke_reason);
        sy_json_put_u64(json, "revoked_height", credential.revoked_height);
    }
    sy_json_put_u64(json, "issued_height", credential.issued_height);
    sy_json_key(json, "specialty");
    sy_json_text_bytes(json, credential.specialty.data, credential.specialty.size);
    put_texts(json, "scope", &credential.scope);
    return true;
}

static bool put_org(sy_json *json, struct sy_slice value)
{
    struct sy_org org;
    if (!sy_org_decode(&org, value)) return false;
    put_word(json, "kind", &sy_enum_org_kind, org.kind);
    sy_json_put_bool(json, "suspended", org.suspended);
    put_hash(json, "name_hash", &org.name_hash);
    put_key(json, "admin_key", &org.admin_key);
    put_key(json, "x25519_key", &org.x25519_key);
    if (org.has_npi_hash) put_hash(json, "npi_hash", &org.npi_hash);
    if (org.suspended) {
        put_word(json, "suspend_reason", &sy_enum_suspend_reason, org.suspend_reason);
        sy_json_put_i64(json, "suspended_from_ms", org.suspended_from_ms);
        sy_json_put_u64(json, "suspended_height", org.suspended_height);
    }
    sy_json_put_u64(json, "registered_height", org.registered_height);
    put_texts(json, "endpoints", &org.endpoints);
    put_texts(json, "gs1_prefixes", &org.prefixes);
    return true;
}

static bool put_patient(sy_json *json, struct sy_slice value)
{
    struct sy_patient patient;
    if (!sy_patient_decode(&patient, value)) return false;
    put_hash(json, "organisation", &patient.organisation);
    sy_json_put_bool(json, "claimed", patient.claimed);
    if (patient.claimed) put_key(json, "wallet_key", &patient.wallet_key);
    if (patient.has_x25519_key) put_key(json, "x25519_key", &patient.x25519_key);
    sy_json_put_u64(json, "enrolled_height", patient.enrolled_height);
    sy_json_put_u64(json, "guardians_needed", patient.guardians_needed);
    put_ids(json, "guardians", &patient.guardians);
    return true;
}

static bool put_care(sy_json *json, struct sy_slice value)
{
    struct sy_care care;
    if (!sy_care_decode(&care, value)) return false;
    put_hash(json, "patient", &care.patient);
    put_hash(json, "organisation", &care.organisation);
    put_word(json, "reason", &sy_enum_care_reason, care.reason);
    sy_json_put_u64(json, "opened_height", care.opened_height);
    sy_json_put_bool(json, "open", care.closed_height == 0);
    if (care.closed_height != 0) sy_json_put_u64(json, "closed_height", care.closed_height);
    return true;
}

static void put_set(sy_json *json, const char *name, const struct sy_enum *names, uint32_t set)
{
    sy_json_key(json, name);
    sy_json_array_begin(json);
    for (unsigned i = 0; i < names->count; i++) {
        if ((set & SY_SET_BIT(names->values[i].number)) != 0) {
            sy_json_text(json, names->values[i].word);
        }
    }
    sy_json_array_end(json);
}

static void put_tags(sy_json *json, const char *name, const struct sy_list *list)
{
    struct sy_tag tag;
    size_t offset = 0;
    sy_json_key(json, name);
    sy_json_array_begin(json);
    while (sy_list_next_tag(list, &offset, &tag)) sy_json_hex(json, tag.bytes, sizeof tag.bytes);
    sy_json_array_end(json);
}

static bool put_consent(sy_json *json, struct sy_slice value)
{
    struct sy_consent consent;
    if (!sy_consent_decode(&consent, value)) return false;
    put_hash(json, "patient", &consent.patient);
    sy_json_put_u64(json, "number", consent.number);
    sy_json_put_bool(json, "denies", consent.denies);
    put_word(json, "grantee_kind", &sy_enum_grantee_kind, consent.grantee_kind);
    if (consent.grantee_kind == SY_GRANTEE_ROLE) {
        put_word(json, "role", &sy_enum_role, sy_load_u16(consent.grantee.bytes));
    } else {
        put_hash(json, "grantee", &consent.grantee);
    }
    put_set(json, "actions", &sy_enum_action, consent.actions);
    put_set(json, "purposes", &sy_enum_purpose, consent.purposes);
    put_texts(json, "classes", &consent.classes);
    put_tags(json, "labels", &consent.labels);
    sy_json_put_i64(json, "from_ms", consent.from_ms);
    if (consent.until_ms != INT64_MAX) sy_json_put_i64(json, "until_ms", consent.until_ms);
    sy_json_put_u64(json, "given_height", consent.given_height);
    sy_json_put_bool(json, "revoked", consent.revoked);
    if (consent.revoked) sy_json_put_u64(json, "revoked_height", consent.revoked_height);
    if (consent.passed_on) put_hash(json, "parent", &consent.parent);
    if (consent.has_wrapped_key_hash) put_hash(json, "wrapped_key_hash", &consent.wrapped_key_hash);
    return true;
}

static bool put_break(sy_json *json, struct sy_slice value)
{
    struct sy_break entry;
    if (!sy_break_decode(&entry, value)) return false;
    put_hash(json, "patient", &entry.patient);
    put_key(json, "key", &entry.key);
    put_hash(json, "organisation", &entry.organisation);
    put_word(json, "reason", &sy_enum_break_reason, entry.reason);
    sy_json_put_u64(json, "height", entry.height);
    sy_json_put_i64(json, "from_ms", entry.from_ms);
    sy_json_put_i64(json, "until_ms", entry.until_ms);
    sy_json_put_bool(json, "reviewed", entry.reviewed);
    if (entry.reviewed) {
        put_word(json, "outcome", &sy_enum_review_outcome, entry.outcome);
        sy_json_put_u64(json, "reviewed_height", entry.reviewed_height);
        put_key(json, "reviewer", &entry.reviewer);
    }
    if (entry.has_previous) put_hash(json, "previous", &entry.previous);
    return true;
}

static void put_version(sy_json *json, const struct sy_record_version *version)
{
    sy_json_put_u64(json, "version", version->version);
    sy_json_put_u64(json, "parent", version->parent);
    put_word(json, "form", &sy_enum_record_form, version->form);
    put_hash(json, "commit", &version->commit);
    sy_json_put_u64(json, "size", version->size);
    put_key(json, "author", &version->author);
    put_word(json, "author_role", &sy_enum_role, version->author_role);
    put_hash(json, "holder", &version->holder);
    if (version->parent != 0) {
        put_word(json, "reason", &sy_enum_amend_reason, version->reason);
    }
    sy_json_put_u64(json, "height", version->height);
    sy_json_put_i64(json, "time_ms", version->time_ms);
    sy_json_put_bool(json, "patient_reported", version->patient_reported);
    if (version->has_locator_commit) put_hash(json, "locator_commit", &version->locator_commit);
}

static bool put_record(sy_json *json, struct sy_slice value)
{
    struct sy_record record;
    if (!sy_record_decode(&record, value)) return false;
    put_word(json, "subject_kind", &sy_enum_subject_kind, record.subject_kind);
    put_hash(json, "subject", &record.subject);
    put_hash(json, "holder", &record.holder);
    sy_json_key(json, "class");
    sy_json_text_bytes(json, record.record_class.data, record.record_class.size);
    sy_json_put_bool(json, "retracted", record.retracted);
    if (record.retracted) {
        put_word(json, "retract_reason", &sy_enum_retract_reason, record.retract_reason);
        sy_json_put_u64(json, "retracted_height", record.retracted_height);
    }
    if (record.has_sens_tag) sy_json_put_hex(json, "sens_tag", record.sens_tag, 16);
    if (record.has_encounter) put_hash(json, "encounter", &record.encounter);
    put_ids(json, "parents", &record.parents);
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

static bool put_nonces(sy_json *json, struct sy_slice value)
{
    struct sy_nonces nonces;
    if (!sy_nonces_decode(&nonces, value)) return false;
    sy_json_put_u64(json, "highest", nonces.highest);
    sy_json_put_u64(json, "floor", nonces.floor);
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
    case SY_STATE_BREAK: known = put_break(json, value); break;
    case SY_STATE_RECORD: known = put_record(json, value); break;
    case SY_STATE_RECORD_VERSION: known = put_record_version(json, value); break;
    case SY_STATE_NONCES: known = put_nonces(json, value); break;
    default: break;
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
    put_hash(json, "header_hash", &hash);
    put_hash(json, "state_root", &proof->header.state_root);
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
