/* record_rules.c: what the contracts about records judge alike; see record_rules.h. */
#include "core/ledger/contracts/record_rules.h"

#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"

_Static_assert(SY_CONSENTS_LIVE_MAX + SY_CONSENTS_PASSED_MAX + 2 * SY_TX_SIGNERS_MAX +
                       (SY_RECORD_PARENTS_MAX + 1) * (2 * SY_MERGES_MAX + 4) + 16 <=
                   SY_OVERLAY_READS_BETWEEN,
               "records under ids that were merged stay within what a payload may read");

#define PRESCRIBERS (SY_ROLE_BIT(SY_ROLE_DOCTOR) | SY_ROLE_BIT(SY_ROLE_GATEWAY))

bool sy_class_needs_prescriber(struct sy_slice record_class)
{
    static const char *const orders[] = {"MedicationRequest", "ServiceRequest", "DeviceRequest",
                                         "NutritionOrder", "VisionPrescription"};
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        if (sy_slice_equal(record_class, sy_slice_of(orders[i], strlen(orders[i])))) return true;
    }
    return false;
}

// --- authors -----------------------------------------------------------------------------------

bool sy_record_scope_allows(const struct sy_list *scope, struct sy_slice record_class)
{
    if (scope->count == 0) return true;
    struct sy_slice allowed;
    for (size_t offset = 0; sy_list_next_text(scope, &offset, &allowed);) {
        if (sy_slice_equal(allowed, record_class)) return true;
    }
    return false;
}

/* What holds for every author, named or not. */
static enum sy_refusal check_author(struct sy_exec *x, const struct sy_credential *credential,
                                    uint16_t stated_role, struct sy_slice record_class)
{
    SY_ASSERT(credential->use == SY_KEY_TX && credential->role < SY_ROLE_COUNT);
    if (stated_role != credential->role) {
        (void)sy_refuse_path(x, SY_E_ROLE, "author_role");
        return sy_refuse_role(x, SY_ROLE_BIT(credential->role));
    }
    if (!sy_record_scope_allows(&credential->scope, record_class)) {
        return sy_refuse_path(x, SY_E_ROLE, "class");
    }
    if (!sy_record_prescribes(credential->role) && sy_class_needs_prescriber(record_class)) {
        (void)sy_refuse_path(x, SY_E_ROLE, "class");
        return sy_refuse_role(x, PRESCRIBERS);
    }
    return SY_APPLIED;
}

bool sy_record_prescribes(unsigned role)
{
    SY_ASSERT(role < SY_ROLE_COUNT);
    return (PRESCRIBERS & SY_ROLE_BIT(role)) != 0;
}

enum sy_refusal sy_record_judge_author(struct sy_exec *x, struct sy_record_author *author,
                                       const struct sy_public_key *named, uint16_t stated_role,
                                       struct sy_slice record_class)
{
    author->key = named != NULL ? *named : x->by->key;
    bool self = sy_public_key_equal(&author->key, &x->by->key);
    if (!self && x->by->role != SY_ROLE_GATEWAY) {
        return sy_refuse_role(x, SY_ROLE_BIT(SY_ROLE_GATEWAY));
    }
    struct sy_credential credential;
    if (!sy_exec_find_credential(x, &credential, &author->key) || credential.use != SY_KEY_TX) {
        return sy_refuse_key(x, SY_E_CRED_UNKNOWN, &author->key);
    }
    if (!sy_hash_equal(&credential.holder, &x->by->holder)) {
        return sy_refuse_hash(x, SY_E_NOT_AUTHOR, &credential.holder);
    }
    if (!sy_credential_valid(&credential, x->time_ms)) {
        return sy_refuse_key(x, SY_E_CRED_EXPIRED, &author->key);
    }
    SY_ASSERT(self || x->by->role == SY_ROLE_GATEWAY);
    author->role = credential.role;
    return check_author(x, &credential, stated_role, record_class);
}

enum sy_refusal sy_record_check_size(struct sy_exec *x, uint64_t size)
{
    SY_ASSERT(size > 0);
    if (size <= x->params.record_bytes_max) return SY_APPLIED;
    x->detail = x->params.record_bytes_max;
    return sy_refuse_path(x, SY_E_SCHEMA, "size");
}

// --- about patients ----------------------------------------------------------------------------

enum sy_refusal sy_record_check_patient(struct sy_exec *x, const struct sy_hash *patient_id,
                                        bool patient_reported)
{
    SY_ASSERT(x->by->valid);
    struct sy_patient patient;
    enum sy_refusal code = sy_exec_live_patient(x, &patient, patient_id);
    if (code != SY_APPLIED) return code;
    if (x->by->role != SY_ROLE_PATIENT) return SY_APPLIED;
    bool own = sy_hash_equal(&x->by->holder, patient_id) && patient_reported;
    if (own) return SY_APPLIED;
    return sy_refuse_role(x, x->kind->roles & ~SY_ROLE_BIT(SY_ROLE_PATIENT));
}

void sy_record_ask(struct sy_exec *x, struct sy_may_answer *answer, const struct sy_record *record,
                   const struct sy_public_key *who, uint16_t action)
{
    struct sy_tag label;
    memcpy(label.bytes, record->sens_tag, sizeof label.bytes);
    SY_ASSERT(record->subject_kind == SY_SUBJECT_PATIENT);
    struct sy_may_question question = {.subject = record->subject,
                                       .who = *who,
                                       .purpose = SY_PURPOSE_TREATMENT,
                                       .action = action,
                                       .record_class = record->record_class,
                                       .label = record->has_sens_tag ? &label : NULL,
                                       .holder = &record->holder};
    sy_exec_may(x, answer, &question);
}

enum sy_refusal sy_record_refuse(struct sy_exec *x, const struct sy_may_answer *answer,
                                 enum sy_refusal otherwise, const struct sy_hash *hash)
{
    SY_ASSERT(otherwise != SY_APPLIED && hash != NULL);
    if (answer->ground == SY_MAY_DENIED) return sy_refuse_hash(x, SY_E_CONSENT, &answer->consent);
    if (answer->miss != SY_MAY_MISS_EXPIRED) return sy_refuse_hash(x, otherwise, hash);
    x->detail = (uint64_t)answer->missed_ms;
    return sy_refuse_hash(x, SY_E_CONSENT_EXPIRED, &answer->missed);
}

/* The record would be the organisation's own, so its label does not stand in the way of a treating
 * one. */
enum sy_refusal sy_record_check_writing(struct sy_exec *x, const struct sy_hash *patient_id,
                                        struct sy_slice record_class, const struct sy_tag *label,
                                        const struct sy_public_key *author)
{
    struct sy_may_answer answer;
    struct sy_record made = {.subject_kind = SY_SUBJECT_PATIENT,
                             .subject = *patient_id,
                             .holder = x->by->holder,
                             .record_class = record_class,
                             .has_sens_tag = label != NULL};
    if (label != NULL) memcpy(made.sens_tag, label->bytes, sizeof made.sens_tag);
    sy_record_ask(x, &answer, &made, author, SY_ACTION_WRITE);
    if (answer.allowed) return SY_APPLIED;
    return sy_record_refuse(x, &answer, SY_E_NO_CARE, patient_id);
}

// --- records that are there --------------------------------------------------------------------

bool sy_record_same_subject(struct sy_exec *x, const struct sy_record *record, uint8_t subject_kind,
                            const struct sy_hash *subject)
{
    if (record->subject_kind != subject_kind) return false;
    if (sy_hash_equal(&record->subject, subject)) return true;
    if (subject_kind != SY_SUBJECT_PATIENT) return false;
    struct sy_hash one = sy_exec_live_id(x, &record->subject), other = sy_exec_live_id(x, subject);
    return sy_hash_equal(&one, &other);
}

/* Whoever points at a record of another subject is not told what became of it. */
enum sy_refusal sy_record_find_linked(struct sy_exec *x, struct sy_record *record,
                                      const struct sy_hash *record_id, uint8_t subject_kind,
                                      const struct sy_hash *subject)
{
    if (!sy_exec_find_record(x, record, record_id)) {
        return sy_refuse_hash(x, SY_E_RECORD_UNKNOWN, record_id);
    }
    bool same = sy_record_same_subject(x, record, subject_kind, subject);
    if (!same) return sy_refuse_hash(x, SY_E_PATIENT_MISMATCH, record_id);
    return record->erased ? sy_refuse_hash(x, SY_E_RECORD_ERASED, record_id) : SY_APPLIED;
}

/* What somebody else registered is changed by a patient's consent alone: treating the patient does
 * not make an organisation the author of what another one wrote. */
enum sy_refusal sy_record_check_own(struct sy_exec *x, const struct sy_record *record,
                                    const struct sy_public_key *author)
{
    struct sy_may_answer answer;
    if (sy_hash_equal(&record->holder, &x->by->holder)) return SY_APPLIED;
    if (author == NULL || record->subject_kind != SY_SUBJECT_PATIENT ||
        !sy_exec_acts_for_org(x->by->role)) {
        return sy_refuse_hash(x, SY_E_NOT_AUTHOR, &record->holder);
    }
    sy_record_ask(x, &answer, record, author, SY_ACTION_WRITE);
    if (answer.ground == SY_MAY_GRANTED) return SY_APPLIED;
    return sy_record_refuse(x, &answer, SY_E_NOT_AUTHOR, &record->holder);
}

enum sy_refusal sy_record_find_own(struct sy_exec *x, struct sy_record *record,
                                   const struct sy_hash *record_id,
                                   const struct sy_public_key *author)
{
    if (!sy_exec_find_record(x, record, record_id)) {
        return sy_refuse_hash(x, SY_E_RECORD_UNKNOWN, record_id);
    }
    enum sy_refusal code = sy_record_check_own(x, record, author);
    if (code != SY_APPLIED) return code;
    if (record->erased) return sy_refuse_hash(x, SY_E_RECORD_ERASED, record_id);
    return record->retracted ? sy_refuse_hash(x, SY_E_RECORD_STATE, record_id) : SY_APPLIED;
}

bool sy_record_find_version(struct sy_exec *x, struct sy_record_version *version,
                            const struct sy_record *record, const struct sy_hash *record_id,
                            uint32_t number)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    SY_ASSERT(number >= 1 && number <= record->versions);
    *version = record->first;
    if (number == 1) return true;
    sy_state_key_record_version(&key_hash, record_id, number);
    if (sy_exec_find(x, &value, &key_hash) && sy_record_version_decode(version, value)) return true;
    sy_exec_corrupt(x); // execution wrote it, or the source lies
    return false;
}

void sy_record_save_version(struct sy_exec *x, const struct sy_hash *record_id,
                            const struct sy_record_version *version)
{
    SY_ASSERT(version->version > version->parent && version->parent > 0);
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_record_version_encode(&w, version);
    struct sy_hash key_hash;
    sy_state_key_record_version(&key_hash, record_id, version->version);
    sy_exec_save(x, &key_hash, &w);
}
