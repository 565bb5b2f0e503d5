/* export.c: a patient's whole record, handed to whom the patient names; and what a patient is
 * called elsewhere.
 *
 * export.request (the patient or a guardian answers for it)
 *   the patient is not enrolled, or was merged            E_PATIENT_UNKNOWN {id}, E_PATIENT_MERGED
 *   signed neither by the patient nor by as many distinct
 *   guardians as the patient needs                        E_NOT_SUBJECT {patient id}
 *   the id is taken                                       E_EXPORT_EXISTS {id}
 *   org_id is not registered                              E_ORG_UNKNOWN {id}
 *   due is past, or more than 90 days ahead               E_EXPORT_DUE {90 days, ms}
 *   writes   export, patient, patient place; org events
 *   events   export.requested about the patient and the organisation, object: the export
 *
 * export.fulfil (an admin or gateway of the organisation asked answers for it)
 *   there is no such export                               E_EXPORT_UNKNOWN {id}
 *   another organisation was asked                        E_NOT_CUSTODIAN {that one}
 *   it was fulfilled                                      E_EXPORT_STATE {id}
 *   the patient's id was merged since                     E_PATIENT_MERGED {the id in use}
 *   as_of is before the request or not before this block  E_EXPORT_RANGE {height of the request},
 *                                                         path as_of
 *   exceptions do not ascend, from one part to the next   E_SCHEMA, path exceptions
 *   one is no record                                      E_RECORD_UNKNOWN {id}
 *       is about somebody else                            E_PATIENT_MISMATCH {id}
 *       was registered after as_of                        E_EXPORT_RANGE {its height}, path
 * exceptions is kept by the organisation and was not erased    E_EXPORT_KEPT {id} more is set:
 * nothing else is judged places is not how many the patient had as of as_of    E_EXPORT_RANGE {how
 * many there are now}, path places records is not how many there were among them         E_SCHEMA
 * {how many}, path records included and the exceptions are not as many           E_INCOMPLETE {how
 * many are missing; 2^64 less those that are too many} writes   export event    export.fulfilled
 * about the patient, object: the export
 *
 * id.map (an organisation's admin or gateway answers for it)
 *   the patient is not enrolled, or was merged            E_PATIENT_UNKNOWN {id}, E_PATIENT_MERGED
 *   the signer may not write to the patient's entries for
 *   treatment, see may.h: a consent forbids it            E_CONSENT {consent id}
 *                         one that is over allowed it     E_CONSENT_EXPIRED {consent id, its end}
 *                         nothing allows it               E_NO_CARE {patient id}
 *   the organisation mapped that identifier               E_ID_MAPPED {the patient it stands for}
 *   writes   id map, patient, patient place
 *   event    id.mapped about the patient, object: the map
 *
 * What is complete is decided by the state alone: a patient's places ascend by height and carry how
 * many records there are so far, so two of them say how many there were as of a height. Why a
 * record is left out needs no word either: it was erased, or somebody else keeps it, and the state
 * says who. That what is said to be included is there, the recipient checks against the manifest's
 * root. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/record_rules.h"

_Static_assert(SY_EXPORT_EXCEPTIONS_MAX *(SY_MERGES_MAX + 2) + 2 * SY_TX_SIGNERS_MAX + 16 <=
                   SY_OVERLAY_READS_BETWEEN,
               "exceptions under ids that were merged stay within what a payload may read");

static void save_export(struct sy_exec *x, const struct sy_hash *id, const struct sy_export *export)
{
    uint8_t room[512];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_hash key_hash;
    SY_ASSERT(!export->fulfilled || export->partly);
    sy_export_encode(&w, export);
    sy_exec_key(x, &key_hash, SY_STATE_EXPORT, id);
    sy_exec_save(x, &key_hash, &w);
}

static bool find_export(struct sy_exec *x, struct sy_export *out, const struct sy_hash *id)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    sy_exec_key(x, &key_hash, SY_STATE_EXPORT, id);
    if (!sy_exec_find(x, &value, &key_hash)) return false;
    if (sy_export_decode(out, value)) return true;
    x->failed = SY_ERR_CORRUPT;
    return false;
}

// --- export.request ----------------------------------------------------------------------------

enum sy_refusal sy_contract_export_request(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_export_request *p = &payload->export_request;
    SY_ASSERT(x->kind->number == SY_KIND_export_request && x->by->valid);
    struct sy_patient patient;
    enum sy_refusal code = sy_exec_live_patient(x, &patient, &p->patient_id);
    if (code != SY_APPLIED) return code;
    if (!sy_exec_subject_signed(x, &patient)) {
        return sy_refuse_hash(x, SY_E_NOT_SUBJECT, &p->patient_id);
    }
    if (sy_exec_has(x, SY_STATE_EXPORT, &p->export_id)) {
        return sy_refuse_hash(x, SY_E_EXPORT_EXISTS, &p->export_id);
    }
    if (!sy_exec_has(x, SY_STATE_ORG, &p->org_id)) {
        return sy_refuse_hash(x, SY_E_ORG_UNKNOWN, &p->org_id);
    }
    if (p->due < x->time_ms || p->due - x->time_ms > SY_EXPORT_MS_MAX) {
        x->detail = (uint64_t)SY_EXPORT_MS_MAX;
        return SY_E_EXPORT_DUE;
    }
    struct sy_export export = {.patient = p->patient_id,
                               .organisation = p->org_id,
                               .recipient_key = p->recipient_key,
                               .due_ms = p->due,
                               .requested_height = x->height,
                               .requested_ms = x->time_ms};
    save_export(x, &p->export_id, &export);
    sy_exec_place(x, &p->patient_id, SY_PLACE_EXPORT, &p->export_id, 0);
    sy_exec_event(x, SY_EVENT_EXPORT_REQUESTED, SY_SUBJECT_PATIENT, &p->patient_id, &p->export_id);
    sy_exec_event(x, SY_EVENT_EXPORT_REQUESTED, SY_SUBJECT_ORG, &p->org_id, &p->export_id);
    return SY_APPLIED;
}

// --- export.fulfil -----------------------------------------------------------------------------

/* Is it right that the organisation leaves this record out? */
static enum sy_refusal check_exception(struct sy_exec *x, const struct sy_export *export,
                                       const struct sy_hash *record_id, uint64_t as_of)
{
    struct sy_record record;
    if (!sy_exec_find_record(x, &record, record_id)) {
        return sy_refuse_hash(x, SY_E_RECORD_UNKNOWN, record_id);
    }
    if (!sy_record_same_subject(x, &record, SY_SUBJECT_PATIENT, &export->patient)) {
        return sy_refuse_hash(x, SY_E_PATIENT_MISMATCH, record_id);
    }
    if (record.first.height > as_of) {
        x->detail = record.first.height;
        return sy_refuse_path(x, SY_E_EXPORT_RANGE, "exceptions");
    }
    bool kept = !record.erased && sy_hash_equal(&record.holder, &export->organisation);
    return kept ? sy_refuse_hash(x, SY_E_EXPORT_KEPT, record_id) : SY_APPLIED;
}

/* Adds a part's exceptions to those of the parts before it. As of another height all begins anew.
 */
static enum sy_refusal take_exceptions(struct sy_exec *x, struct sy_export *export,
                                       const struct sy_export_fulfil *p)
{
    struct sy_hash id;
    SY_ASSERT(p->exceptions.count <= SY_EXPORT_EXCEPTIONS_MAX);
    if (!export->partly || export->as_of != p->as_of) {
        export->excepted = 0;
        memset(&export->last_exception, 0, sizeof export->last_exception);
        memset(&export->exceptions, 0, sizeof export->exceptions);
    }
    export->partly = true;
    export->as_of = p->as_of;
    for (size_t offset = 0; sy_list_next_id(&p->exceptions, &offset, &id);) {
        if (sy_hash_compare(&id, &export->last_exception) <= 0) {
            return sy_refuse_path(x, SY_E_SCHEMA, "exceptions");
        }
        enum sy_refusal code = check_exception(x, export, &id, p->as_of);
        if (code != SY_APPLIED) return code;
        sy_export_except(export, &id);
    }
    return SY_APPLIED;
}

/* A place of the patient's; false: there is none of that number (0: none at all). */
static bool find_place(struct sy_exec *x, struct sy_patient_place *place,
                       const struct sy_hash *patient_id, uint64_t number)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    *place = (struct sy_patient_place){.records = 0};
    if (number == 0) return false;
    sy_state_key_patient_place(&key_hash, patient_id, number);
    if (!sy_exec_find(x, &value, &key_hash)) return false;
    if (!sy_patient_place_decode(place, value)) x->failed = SY_ERR_CORRUPT;
    return x->failed == SY_OK;
}

/* Are these all the records that there were? */
static enum sy_refusal check_whole(struct sy_exec *x, const struct sy_export *export,
                                   const struct sy_patient *patient,
                                   const struct sy_export_fulfil *p)
{
    struct sy_patient_place last = {.records = 0}, next = {.records = 0};
    bool some = find_place(x, &last, &export->patient, p->places);
    bool more = p->places < patient->places &&
                find_place(x, &next, &export->patient, p->places + 1) && next.height <= p->as_of;
    if (p->places > patient->places || more || (some && last.height > p->as_of)) {
        x->detail = patient->places;
        return sy_refuse_path(x, SY_E_EXPORT_RANGE, "places");
    }
    if (p->records != last.records) {
        x->detail = last.records;
        return sy_refuse_path(x, SY_E_SCHEMA, "records");
    }
    if (p->included <= p->records && export->excepted == p->records - p->included) {
        return SY_APPLIED;
    }
    x->detail = p->records - p->included - export->excepted;
    return SY_E_INCOMPLETE;
}

static enum sy_refusal find_asked(struct sy_exec *x, struct sy_export *export,
                                  struct sy_patient *patient, const struct sy_export_fulfil *p)
{
    if (!find_export(x, export, &p->export_id)) {
        return sy_refuse_hash(x, SY_E_EXPORT_UNKNOWN, &p->export_id);
    }
    if (!sy_hash_equal(&export->organisation, &x->by->holder)) {
        return sy_refuse_hash(x, SY_E_NOT_CUSTODIAN, &export->organisation);
    }
    if (export->fulfilled) return sy_refuse_hash(x, SY_E_EXPORT_STATE, &p->export_id);
    enum sy_refusal code = sy_exec_live_patient(x, patient, &export->patient);
    if (code != SY_APPLIED) return code;
    if (p->as_of >= export->requested_height && p->as_of < x->height) return SY_APPLIED;
    x->detail = export->requested_height;
    return sy_refuse_path(x, SY_E_EXPORT_RANGE, "as_of");
}

enum sy_refusal sy_contract_export_fulfil(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_export_fulfil *p = &payload->export_fulfil;
    SY_ASSERT(x->kind->number == SY_KIND_export_fulfil && x->by->valid);
    SY_ASSERT(sy_exec_acts_for_org(x->by->role));
    struct sy_export export = {.excepted = 0};
    struct sy_patient patient = {.places = 0};
    enum sy_refusal code = find_asked(x, &export, &patient, p);
    if (code == SY_APPLIED) code = take_exceptions(x, &export, p);
    if (code == SY_APPLIED && !p->more) code = check_whole(x, &export, &patient, p);
    if (code != SY_APPLIED) return code;
    if (!p->more) {
        export.fulfilled = true;
        export.places = p->places;
        export.records = p->records;
        export.manifest_root = p->manifest_root;
        export.wrapped_key_hash = p->wrapped_key_hash;
        export.fulfilled_height = x->height;
        export.fulfilled_ms = x->time_ms;
        sy_exec_event(x, SY_EVENT_EXPORT_FULFILLED, SY_SUBJECT_PATIENT, &export.patient,
                      &p->export_id);
    }
    save_export(x, &p->export_id, &export);
    return SY_APPLIED;
}

// --- id.map ------------------------------------------------------------------------------------

static enum sy_refusal check_writing(struct sy_exec *x, const struct sy_hash *patient_id)
{
    struct sy_may_answer answer;
    struct sy_may_question question = {
        .subject = *patient_id,
        .who = x->by->key,
        .purpose = SY_PURPOSE_TREATMENT,
        .action = SY_ACTION_WRITE,
        .record_class = sy_slice_of(SY_MAY_CLASS_PATIENT, strlen(SY_MAY_CLASS_PATIENT)),
        .holder = &x->by->holder,
    };
    sy_exec_may(x, &answer, &question);
    if (answer.allowed) return SY_APPLIED;
    return sy_record_refuse(x, &answer, SY_E_NO_CARE, patient_id);
}

enum sy_refusal sy_contract_id_map(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_id_map *p = &payload->id_map;
    SY_ASSERT(x->kind->number == SY_KIND_id_map && x->by->valid);
    SY_ASSERT(sy_exec_acts_for_org(x->by->role));
    struct sy_patient patient;
    struct sy_mapped_id mapped;
    struct sy_hash id, key_hash;
    struct sy_slice value;
    uint8_t room[256];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    enum sy_refusal code = sy_exec_live_patient(x, &patient, &p->patient_id);
    if (code == SY_APPLIED) code = check_writing(x, &p->patient_id);
    if (code != SY_APPLIED) return code;
    sy_mapped_id_of(&id, &x->by->holder, &p->system, &p->identifier);
    sy_exec_key(x, &key_hash, SY_STATE_ID_MAP, &id);
    if (sy_exec_find(x, &value, &key_hash)) {
        if (!sy_mapped_id_decode(&mapped, value)) x->failed = SY_ERR_CORRUPT;
        return sy_refuse_hash(x, SY_E_ID_MAPPED, &mapped.patient);
    }
    mapped = (struct sy_mapped_id){.patient = p->patient_id,
                                   .organisation = x->by->holder,
                                   .system = p->system,
                                   .identifier = p->identifier,
                                   .height = x->height,
                                   .time_ms = x->time_ms};
    sy_mapped_id_encode(&w, &mapped);
    sy_exec_save(x, &key_hash, &w);
    sy_exec_place(x, &p->patient_id, SY_PLACE_ID_MAP, &id, 0);
    sy_exec_event(x, SY_EVENT_ID_MAPPED, SY_SUBJECT_PATIENT, &p->patient_id, &id);
    return SY_APPLIED;
}
