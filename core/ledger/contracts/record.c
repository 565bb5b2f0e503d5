/* record.c: records: commitments to what stands elsewhere, version by version.
 *
 * record.create
 *   the id is taken                                       E_RECORD_EXISTS {id}
 *   about a patient:      not enrolled                    E_PATIENT_UNKNOWN {id}
 *                         the id was merged               E_PATIENT_MERGED {the id in use}
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
 *   it was erased                                         E_RECORD_ERASED {id}
 *   writes   record; about a patient also patient, patient place
 *   event    record.created about the subject, object: the record
 *
 * record.amend
 *   the record does not exist                             E_RECORD_UNKNOWN {id}
 *   it was created for another organisation or patient,
 *   and no consent lets the author write                  E_NOT_AUTHOR {holder}
 *                         one that is over did            E_CONSENT_EXPIRED {consent id, its end}
 *                         a consent forbids it            E_CONSENT {consent id}
 *   it was erased                                         E_RECORD_ERASED {id}
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
 *   it was erased                                         E_RECORD_ERASED {id}
 *   it was retracted                                      E_RECORD_STATE {id}
 *   writes   record
 *   event    record.retracted about the subject, object: the record
 *
 * Author, class, size, and what a patient's consents say: record_rules.h. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/record_rules.h"

// --- record.create -----------------------------------------------------------------------------

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
    return sy_record_find_linked(x, &record, linked, (uint8_t)p->subject_kind, &p->subject);
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
                         const struct sy_record_author *author)
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
    bool patients = p->subject_kind == SY_SUBJECT_PATIENT;
    enum sy_refusal code = patients ? sy_record_check_patient(x, &p->subject, p->patient_reported)
                                    : check_directory(x, p);
    if (code != SY_APPLIED) return code;
    struct sy_record_author author;
    code = sy_record_judge_author(x, &author, p->has_author ? &p->author : NULL, p->author_role,
                                  p->class);
    if (code != SY_APPLIED) return code;
    const struct sy_tag *label = p->has_sens_tag ? &p->sens_tag : NULL;
    if (patients) code = sy_record_check_writing(x, &p->subject, p->class, label, &author.key);
    if (code != SY_APPLIED) return code;
    code = sy_record_check_size(x, p->size);
    if (code != SY_APPLIED) return code;
    code = check_links(x, p);
    if (code != SY_APPLIED) return code;
    save_created(x, p, &author);
    if (patients) sy_exec_place(x, &p->subject, SY_PLACE_RECORD, &p->record_id, 1);
    sy_exec_event(x, SY_EVENT_RECORD_CREATED, (enum sy_subject_kind)p->subject_kind, &p->subject,
                  &p->record_id);
    return SY_APPLIED;
}

// --- record.amend ------------------------------------------------------------------------------

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

static void save_amended(struct sy_exec *x, const struct sy_record_amend *p, uint32_t number,
                         const struct sy_record_author *author)
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
    sy_record_save_version(x, &p->record_id, &version);
}

enum sy_refusal sy_contract_record_amend(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_record_amend *p = &payload->record_amend;
    SY_ASSERT(x->kind->number == SY_KIND_record_amend);
    SY_ASSERT(x->by->valid && p->size > 0);
    struct sy_record record;
    struct sy_record_author author;
    if (!sy_exec_find_record(x, &record, &p->record_id)) {
        return sy_refuse_hash(x, SY_E_RECORD_UNKNOWN, &p->record_id);
    }
    // Who names a foreign author is not told what a patient has consented to.
    enum sy_refusal code = sy_record_judge_author(x, &author, p->has_author ? &p->author : NULL,
                                                  p->author_role, record.record_class);
    if (code != SY_APPLIED) return code;
    code = sy_record_find_own(x, &record, &p->record_id, &author.key);
    if (code != SY_APPLIED) return code;
    code = move_heads(x, &record, p->prev_version, p->branch);
    if (code != SY_APPLIED) return code;
    code = sy_record_check_size(x, p->size);
    if (code != SY_APPLIED) return code;
    save_amended(x, p, record.versions, &author);
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
    enum sy_refusal code = sy_record_find_own(x, &record, &p->record_id, NULL);
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
