/* record.c: records: commitments to what stands elsewhere, version by version.
 *
 * record.create
 *   the id is taken                                       E_RECORD_EXISTS {id}
 *   about a patient:      not enrolled                    E_PATIENT_UNKNOWN {id}
 *                         signed by another patient, or by
 *                         the patient without
 *                         patient_reported                E_ROLE {roles of the kind but patient}
 *   about an organisation: not registered                 E_ORG_UNKNOWN {id}
 *                         not the signer's own            E_NO_CARE {id}
 *   about a key:          has no credential               E_CRED_UNKNOWN {key}
 *                         not of the signer's organisation E_NO_CARE {key}
 *   author, class: see below
 *   about a patient:      the author may not write, see
 *                         may.h: a consent forbids it     E_CONSENT {consent id}
 *                         one that is over allowed it     E_CONSENT_EXPIRED {consent id, its end}
 *                         nothing allows it               E_NO_CARE {patient id}
 *   size: see below
 *   the encounter, a parent does not exist                E_RECORD_UNKNOWN {id}
 *   it is about somebody else                             E_PATIENT_MISMATCH {id}
 *   writes   record
 *   event    record.created about the subject, object: the record
 *
 * record.amend
 *   the record does not exist                             E_RECORD_UNKNOWN {id}
 *   it was created for another organisation or patient,
 *   and no consent lets the author write                  E_NOT_AUTHOR {holder}
 *                         one that is over did            E_CONSENT_EXPIRED {consent id, its end}
 *                         a consent forbids it            E_CONSENT {consent id}
 *   it was retracted                                      E_RECORD_STATE {id}
 *   prev_version is no head (with branch: no version)     E_STALE_HEAD {newest head}
 *   a branch would give it more than 8 heads              E_HEADS {8}
 *   author, class, size: see below
 *   writes   record, record version
 *   event    record.amended about the subject, object: the record
 *
 * record.retract
 *   the record does not exist                             E_RECORD_UNKNOWN {id}
 *   it was created for another organisation or patient    E_NOT_AUTHOR {holder}
 *   it was retracted                                      E_RECORD_STATE {id}
 *   writes   record
 *   event    record.retracted about the subject, object: the record
 *
 * The author is the signer, or a practitioner whom a gateway of the same organisation names:
 *   another key named by a signer that is no gateway      E_ROLE {gateway}
 *   the named key has no credential                       E_CRED_UNKNOWN {key}
 *   it belongs to another organisation                    E_NOT_AUTHOR {its holder}
 *   it is revoked or outside its window at block time     E_CRED_EXPIRED {key}
 *   author_role is not the role of its credential         E_ROLE {that role}, path author_role
 *   its credential is limited to other classes            E_ROLE {}, path class
 *   the class is an order and the author no prescriber    E_ROLE {doctor, gateway}, path class
 *   size is above the network's record_bytes_max          E_SCHEMA {that maximum}, path size
 * A gateway that names nobody is its own author: the source system knew no practitioner.
 *
 * Writing is judged with the purpose treatment. Whoever registered a record may amend and retract
 * it whatever the patient's consents say: what was written has to be kept right. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"

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

struct author {
    struct sy_public_key key;
    uint8_t role;
};

static bool scope_allows(const struct sy_list *scope, struct sy_slice record_class)
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
    if (!scope_allows(&credential->scope, record_class)) {
        return sy_refuse_path(x, SY_E_ROLE, "class");
    }
    bool prescriber = (PRESCRIBERS & SY_ROLE_BIT(credential->role)) != 0;
    if (!prescriber && sy_class_needs_prescriber(record_class)) {
        (void)sy_refuse_path(x, SY_E_ROLE, "class");
        return sy_refuse_role(x, PRESCRIBERS);
    }
    return SY_APPLIED;
}

/* Finds out who wrote it; named: NULL unless the payload names somebody. */
static enum sy_refusal judge_author(struct sy_exec *x, struct author *author,
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

static enum sy_refusal check_size(struct sy_exec *x, uint64_t size)
{
    SY_ASSERT(size > 0);
    if (size <= x->params.record_bytes_max) return SY_APPLIED;
    x->detail = x->params.record_bytes_max;
    return sy_refuse_path(x, SY_E_SCHEMA, "size");
}

// --- record.create -----------------------------------------------------------------------------

static enum sy_refusal check_patient(struct sy_exec *x, const struct sy_record_create *p)
{
    SY_ASSERT(p->subject_kind == SY_SUBJECT_PATIENT);
    struct sy_patient patient;
    if (!sy_exec_find_patient(x, &patient, &p->subject)) {
        return sy_refuse_hash(x, SY_E_PATIENT_UNKNOWN, &p->subject);
    }
    if (x->by->role != SY_ROLE_PATIENT) return SY_APPLIED;
    bool own = sy_hash_equal(&x->by->holder, &p->subject) && p->patient_reported;
    if (own) return SY_APPLIED;
    return sy_refuse_role(x, x->kind->roles & ~SY_ROLE_BIT(SY_ROLE_PATIENT));
}

/* Asks whether a key may write a record of a patient. */
static void ask(struct sy_exec *x, struct sy_may_answer *answer, const struct sy_hash *patient_id,
                const struct sy_public_key *who, struct sy_slice record_class,
                const struct sy_tag *label, const struct sy_hash *holder)
{
    struct sy_may_question question = {.subject = *patient_id,
                                       .who = *who,
                                       .purpose = SY_PURPOSE_TREATMENT,
                                       .action = SY_ACTION_WRITE,
                                       .record_class = record_class,
                                       .label = label,
                                       .holder = holder};
    sy_exec_may(x, answer, &question);
}

/* A refusal that names the consent behind it, or, where there is none, `otherwise` with its hash.
 */
static enum sy_refusal refuse_writing(struct sy_exec *x, const struct sy_may_answer *answer,
                                      enum sy_refusal otherwise, const struct sy_hash *hash)
{
    if (answer->ground == SY_MAY_DENIED) return sy_refuse_hash(x, SY_E_CONSENT, &answer->consent);
    if (answer->miss != SY_MAY_MISS_EXPIRED) return sy_refuse_hash(x, otherwise, hash);
    x->detail = (uint64_t)answer->missed_ms;
    return sy_refuse_hash(x, SY_E_CONSENT_EXPIRED, &answer->missed);
}

/* The record would be the organisation's own, so its label does not stand in the way of a treating
 * one. */
static enum sy_refusal check_writing(struct sy_exec *x, const struct sy_record_create *p,
                                     const struct sy_public_key *author)
{
    struct sy_may_answer answer;
    SY_ASSERT(p->subject_kind == SY_SUBJECT_PATIENT);
    ask(x, &answer, &p->subject, author, p->class, p->has_sens_tag ? &p->sens_tag : NULL,
        &x->by->holder);
    if (answer.allowed) return SY_APPLIED;
    return refuse_writing(x, &answer, SY_E_NO_CARE, &p->subject);
}

/* Directory entries are their organisation's own to register. */
static enum sy_refusal check_directory(struct sy_exec *x, const struct sy_record_create *p)
{
    SY_ASSERT(p->subject_kind == SY_SUBJECT_ORG || p->subject_kind == SY_SUBJECT_KEY);
    struct sy_hash owner = p->subject;
    if (p->subject_kind == SY_SUBJECT_KEY) {
        struct sy_public_key key;
        memcpy(key.bytes, p->subject.bytes, sizeof key.bytes);
        struct sy_credential credential;
        if (!sy_exec_find_credential(x, &credential, &key) || credential.use != SY_KEY_TX) {
            return sy_refuse_key(x, SY_E_CRED_UNKNOWN, &key);
        }
        owner = credential.holder;
    } else if (!sy_exec_has(x, SY_STATE_ORG, &p->subject)) {
        return sy_refuse_hash(x, SY_E_ORG_UNKNOWN, &p->subject);
    }
    bool own = sy_exec_acts_for_org(x->by->role) && sy_hash_equal(&owner, &x->by->holder);
    return own ? SY_APPLIED : sy_refuse_hash(x, SY_E_NO_CARE, &p->subject);
}

/* A record that another one points at exists and is about the same subject. */
static enum sy_refusal check_link(struct sy_exec *x, const struct sy_record_create *p,
                                  const struct sy_hash *linked)
{
    struct sy_record record;
    if (!sy_exec_find_record(x, &record, linked)) {
        return sy_refuse_hash(x, SY_E_RECORD_UNKNOWN, linked);
    }
    bool same =
        record.subject_kind == p->subject_kind && sy_hash_equal(&record.subject, &p->subject);
    return same ? SY_APPLIED : sy_refuse_hash(x, SY_E_PATIENT_MISMATCH, linked);
}

static enum sy_refusal check_links(struct sy_exec *x, const struct sy_record_create *p)
{
    SY_ASSERT(p->parents.count <= SY_RECORD_PARENTS_MAX);
    if (p->has_encounter) {
        enum sy_refusal code = check_link(x, p, &p->encounter);
        if (code != SY_APPLIED) return code;
    }
    struct sy_hash parent;
    for (size_t offset = 0; sy_list_next_id(&p->parents, &offset, &parent);) {
        enum sy_refusal code = check_link(x, p, &parent);
        if (code != SY_APPLIED) return code;
    }
    return SY_APPLIED;
}

static void save_created(struct sy_exec *x, const struct sy_record_create *p,
                         const struct author *author)
{
    SY_ASSERT(author->role != 0 && p->class.size <= SY_CODE_BYTES_MAX);
    struct sy_record record = {
        .subject_kind = (uint8_t)p->subject_kind,
        .subject = p->subject,
        .holder = x->by->holder,
        .record_class = p->class,
        .has_sens_tag = p->has_sens_tag,
        .has_encounter = p->has_encounter,
        .encounter = p->encounter,
        .versions = 1,
        .head_count = 1,
        .heads = {1},
        .parents = p->parents,
        .first =
            {
                .version = 1,
                .form = p->form,
                .commit = p->commit,
                .size = p->size,
                .author = author->key,
                .author_role = author->role,
                .holder = x->by->holder,
                .height = x->height,
                .time_ms = x->time_ms,
                .has_locator_commit = p->has_locator_commit,
                .patient_reported = p->patient_reported,
                .locator_commit = p->locator_commit,
            },
    };
    memcpy(record.sens_tag, p->sens_tag.bytes, sizeof record.sens_tag);
    sy_exec_save_record(x, &p->record_id, &record);
}

enum sy_refusal sy_contract_record_create(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_record_create *p = &payload->record_create;
    SY_ASSERT(x->kind->number == SY_KIND_record_create);
    SY_ASSERT(x->by->valid && p->size > 0);
    if (sy_exec_has(x, SY_STATE_RECORD, &p->record_id)) {
        return sy_refuse_hash(x, SY_E_RECORD_EXISTS, &p->record_id);
    }
    enum sy_refusal code =
        p->subject_kind == SY_SUBJECT_PATIENT ? check_patient(x, p) : check_directory(x, p);
    if (code != SY_APPLIED) return code;
    struct author author;
    code = judge_author(x, &author, p->has_author ? &p->author : NULL, p->author_role, p->class);
    if (code != SY_APPLIED) return code;
    if (p->subject_kind == SY_SUBJECT_PATIENT) code = check_writing(x, p, &author.key);
    if (code != SY_APPLIED) return code;
    code = check_size(x, p->size);
    if (code != SY_APPLIED) return code;
    code = check_links(x, p);
    if (code != SY_APPLIED) return code;
    save_created(x, p, &author);
    sy_exec_event(x, SY_EVENT_RECORD_CREATED, (enum sy_subject_kind)p->subject_kind, &p->subject,
                  &p->record_id);
    return SY_APPLIED;
}

// --- record.amend ------------------------------------------------------------------------------

/* May this author amend what somebody else registered? A patient's consent is needed: treating the
 * patient does not make an organisation the author of what another one wrote. */
static enum sy_refusal check_foreign(struct sy_exec *x, const struct sy_record *record,
                                     const struct sy_public_key *author)
{
    struct sy_may_answer answer;
    struct sy_tag label;
    if (author == NULL || record->subject_kind != SY_SUBJECT_PATIENT ||
        !sy_exec_acts_for_org(x->by->role)) {
        return sy_refuse_hash(x, SY_E_NOT_AUTHOR, &record->holder);
    }
    memcpy(label.bytes, record->sens_tag, sizeof label.bytes);
    ask(x, &answer, &record->subject, author, record->record_class,
        record->has_sens_tag ? &label : NULL, &record->holder);
    if (answer.ground == SY_MAY_GRANTED) return SY_APPLIED;
    return refuse_writing(x, &answer, SY_E_NOT_AUTHOR, &record->holder);
}

/* What amending and retracting ask alike; author (NULL: nobody but the record's own may) is the key
 * that a consent may let write. */
static enum sy_refusal find_own(struct sy_exec *x, struct sy_record *record,
                                const struct sy_hash *record_id, const struct sy_public_key *author)
{
    if (!sy_exec_find_record(x, record, record_id)) {
        return sy_refuse_hash(x, SY_E_RECORD_UNKNOWN, record_id);
    }
    if (!sy_hash_equal(&record->holder, &x->by->holder)) {
        enum sy_refusal code = check_foreign(x, record, author);
        if (code != SY_APPLIED) return code;
    }
    return record->retracted ? sy_refuse_hash(x, SY_E_RECORD_STATE, record_id) : SY_APPLIED;
}

/* Makes the next version a head in place of prev_version, or beside the heads when prev_version is
 * an older one and the amendment branches. Heads stay ascending: the newest version is last. */
static enum sy_refusal move_heads(struct sy_exec *x, struct sy_record *record, uint32_t prev,
                                  bool branch)
{
    SY_ASSERT(record->head_count >= 1 && record->head_count <= SY_RECORD_HEADS_MAX);
    x->detail = record->heads[record->head_count - 1u];
    unsigned kept = 0;
    for (unsigned i = 0; i < record->head_count; i++) {
        if (record->heads[i] != prev) record->heads[kept++] = record->heads[i];
    }
    bool was_head = kept < record->head_count;
    if (!was_head && (!branch || prev > record->versions)) return SY_E_STALE_HEAD;
    if (record->versions == UINT32_MAX || kept == SY_RECORD_HEADS_MAX) {
        x->detail = SY_RECORD_HEADS_MAX;
        return SY_E_HEADS;
    }
    SY_ASSERT(kept < SY_RECORD_HEADS_MAX && prev <= record->versions);
    x->detail = 0;
    record->versions++;
    record->heads[kept++] = record->versions;
    record->head_count = (uint8_t)kept;
    return SY_APPLIED;
}

static void save_version(struct sy_exec *x, const struct sy_record_amend *p, uint32_t number,
                         const struct author *author)
{
    SY_ASSERT(number > p->prev_version && author->role != 0);
    struct sy_record_version version = {
        .version = number,
        .parent = p->prev_version,
        .form = p->form,
        .commit = p->commit,
        .size = p->size,
        .author = author->key,
        .author_role = author->role,
        .holder = x->by->holder,
        .reason = p->reason,
        .height = x->height,
        .time_ms = x->time_ms,
        .has_locator_commit = p->has_locator_commit,
        .patient_reported = author->role == SY_ROLE_PATIENT,
        .locator_commit = p->locator_commit,
    };
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_record_version_encode(&w, &version);
    struct sy_hash key_hash;
    sy_state_key_record_version(&key_hash, &p->record_id, number);
    sy_exec_save(x, &key_hash, &w);
}

enum sy_refusal sy_contract_record_amend(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_record_amend *p = &payload->record_amend;
    SY_ASSERT(x->kind->number == SY_KIND_record_amend);
    SY_ASSERT(x->by->valid && p->size > 0);
    struct sy_record record;
    struct author author;
    if (!sy_exec_find_record(x, &record, &p->record_id)) {
        return sy_refuse_hash(x, SY_E_RECORD_UNKNOWN, &p->record_id);
    }
    // Who names a foreign author is not told what a patient has consented to.
    enum sy_refusal code = judge_author(x, &author, p->has_author ? &p->author : NULL,
                                        p->author_role, record.record_class);
    if (code != SY_APPLIED) return code;
    code = find_own(x, &record, &p->record_id, &author.key);
    if (code != SY_APPLIED) return code;
    code = move_heads(x, &record, p->prev_version, p->branch);
    if (code != SY_APPLIED) return code;
    code = check_size(x, p->size);
    if (code != SY_APPLIED) return code;
    save_version(x, p, record.versions, &author);
    sy_exec_save_record(x, &p->record_id, &record);
    sy_exec_event(x, SY_EVENT_RECORD_AMENDED, (enum sy_subject_kind)record.subject_kind,
                  &record.subject, &p->record_id);
    return SY_APPLIED;
}

// --- record.retract ----------------------------------------------------------------------------

enum sy_refusal sy_contract_record_retract(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_record_retract *p = &payload->record_retract;
    SY_ASSERT(x->kind->number == SY_KIND_record_retract);
    SY_ASSERT(x->by->valid);
    struct sy_record record;
    enum sy_refusal code = find_own(x, &record, &p->record_id, NULL);
    if (code != SY_APPLIED) return code;
    SY_ASSERT(!record.retracted);
    record.retracted = true;
    record.retract_reason = p->reason;
    record.retracted_height = x->height;
    sy_exec_save_record(x, &p->record_id, &record);
    sy_exec_event(x, SY_EVENT_RECORD_RETRACTED, (enum sy_subject_kind)record.subject_kind,
                  &record.subject, &p->record_id);
    return SY_APPLIED;
}
