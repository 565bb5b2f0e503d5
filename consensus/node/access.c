#include "consensus/node/access.h"

#include "consensus/node/access_goods.h"
#include "consensus/node/access_money.h"
#include "consensus/node/access_stream.h"
#include "core/base/assert.h"
#include "core/ledger/may.h"
#include "core/wire/notice.h"
#include "core/wire/schema.h"
#include "core/wire/state_rx.h"

/* Who reads, as the state knows them. */
struct reader {
    bool known;
    uint8_t role;
    struct sy_hash holder; /* organisation, or a patient's id */
    struct sy_hash line;   /* the first key of its line */
};

/* Acts for nobody: no organisation answers for it. */
static bool is_person(uint8_t role)
{
    return role == SY_ROLE_PATIENT || role == SY_ROLE_GUARDIAN;
}

static struct reader find_reader(const struct sy_access *access, const struct sy_public_key *key)
{
    struct reader reader = {0};
    struct sy_hash place;
    struct sy_slice value;
    struct sy_credential credential;
    sy_state_key_public(&place, SY_STATE_CREDENTIAL, key);
    if (sy_state_view_get(access->view, &value, &place) != SY_OK) return reader;
    if (!sy_credential_decode(&credential, value)) return reader;
    if (!sy_credential_valid(&credential, access->time_ms)) return reader;
    reader.known = true;
    reader.role = credential.role;
    reader.holder = credential.holder;
    reader.line = sy_credential_line(&credential, key);
    if (reader.role == SY_ROLE_REGULATOR || is_person(reader.role)) return reader;
    struct sy_org org;
    sy_state_key_id(&place, SY_STATE_ORG, &reader.holder);
    if (sy_state_view_get(access->view, &value, &place) != SY_OK || !sy_org_decode(&org, value) ||
        org.suspended) {
        reader.known = false;
    }
    /* What its organisation may see is not for a device. */
    if (reader.role == SY_ROLE_DEVICE) reader.holder = reader.line;
    return reader;
}

static bool oversees(const struct reader *reader, uint8_t purpose)
{
    if (reader->role == SY_ROLE_REGULATOR) return true;
    return reader->role == SY_ROLE_AUDITOR && purpose == SY_PURPOSE_AUDIT;
}

/* ---- about patients -------------------------------------------------------------------------- */

static sy_status get(void *self, struct sy_slice *value, enum sy_state_kind kind,
                     const struct sy_hash *id, const struct sy_hash *second)
{
    static const struct sy_hash none;
    struct sy_hash place;
    if (!sy_state_key_of(&place, kind, id, second != NULL ? second : &none)) return SY_ERR_ARGUMENT;
    return sy_state_view_get((sy_state_view *)self, value, &place);
}

/* A question about a patient's entries that are no records; who asks about a record fills in more.
 */
static struct sy_may_question ask_about(const struct sy_access *access,
                                        const struct sy_read_request *read,
                                        const struct sy_hash *patient_id)
{
    return (struct sy_may_question){
        .subject = *patient_id,
        .who = read->reader,
        .purpose = read->purpose,
        .action = SY_ACTION_READ,
        .record_class = sy_slice_of(SY_MAY_CLASS_PATIENT, strlen(SY_MAY_CLASS_PATIENT)),
        .height = SY_MAY_NOW,
        .time_ms = access->time_ms,
    };
}

static struct sy_may_answer judge(const struct sy_access *access,
                                  const struct sy_may_question *question)
{
    struct sy_may_answer answer;
    if (sy_may(&answer, question, get, access->view) != SY_OK) answer.allowed = false;
    return answer;
}

/* ---- what is noted --------------------------------------------------------------------------- */

/* By what right an organisation that treats the patient does: it enrolled them, or has a care
 * relation open. */
static void find_care(const struct sy_access *access, struct sy_disclosed *leaf)
{
    struct sy_hash place;
    struct sy_slice value;
    struct sy_credential credential;
    sy_state_key_public(&place, SY_STATE_CREDENTIAL, &leaf->reader);
    leaf->ground = SY_GROUND_ENROLLED;
    if (sy_state_view_get(access->view, &value, &place) != SY_OK) return;
    if (!sy_credential_decode(&credential, value)) return;
    struct sy_hash holder = credential.holder;
    sy_state_key_open_care(&place, &leaf->patient, &holder);
    if (sy_state_view_get(access->view, &value, &place) != SY_OK) return;
    if (sy_id_decode(&leaf->by, value)) leaf->ground = SY_GROUND_CARE;
}

static bool is_same(const struct sy_disclosed *a, const struct sy_disclosed *b)
{
    return sy_hash_equal(&a->patient, &b->patient) && sy_hash_equal(&a->record, &b->record) &&
           a->version == b->version;
}

static void add_grant(const struct sy_access *access, const struct sy_disclosed *leaf)
{
    struct sy_grants *grants = access->grants;
    for (uint32_t i = 0; i < grants->count; i++) {
        if (is_same(&grants->items[i], leaf)) return;
    }
    SY_ASSERT(grants->count < SY_GRANTS_MAX); // a transaction tells no more, and else there are two
    grants->items[grants->count++] = *leaf;
}

/* Notes what an answer lets read. record: NULL for what is none. */
static void note(const struct sy_access *access, const struct sy_read_request *read,
                 const struct sy_may_answer *answer, const struct sy_hash *record)
{
    struct sy_disclosed leaf = {.patient = answer->subject,
                                .reader = read->reader,
                                .purpose = read->purpose,
                                .time_ms = access->time_ms};
    if (access->grants == NULL || !answer->allowed || answer->ground == SY_MAY_SELF) return;
    if (record != NULL) leaf.record = *record;
    if (record != NULL && read->subject == SY_READ_STATE &&
        read->state_kind == SY_STATE_RECORD_VERSION) {
        leaf.version = sy_load_u32(read->second.bytes);
    }
    switch (answer->ground) {
    case SY_MAY_OVERSIGHT: leaf.ground = SY_GROUND_OVERSIGHT; break;
    case SY_MAY_EMERGENCY: leaf.ground = SY_GROUND_BREAK; break;
    case SY_MAY_GRANTED: leaf.ground = SY_GROUND_CONSENT; break;
    default: find_care(access, &leaf);
    }
    bool named = leaf.ground == SY_GROUND_BREAK || leaf.ground == SY_GROUND_CONSENT;
    if (named) leaf.by = answer->consent;
    add_grant(access, &leaf);
}

/* What stands for the holder of a key that is named somewhere: the key itself when it is unknown.
 */
static struct sy_hash line_of(const struct sy_access *access, const struct sy_hash *named)
{
    struct sy_slice value;
    struct sy_credential credential;
    struct sy_public_key key;
    memcpy(key.bytes, named->bytes, sizeof key.bytes);
    bool known = get(access->view, &value, SY_STATE_CREDENTIAL, named, NULL) == SY_OK &&
                 sy_credential_decode(&credential, value);
    return known ? sy_credential_line(&credential, &key) : *named;
}

static bool finds_patient(const struct sy_access *access, struct sy_patient *out,
                          const struct sy_hash *id)
{
    struct sy_slice value;
    return get(access->view, &value, SY_STATE_PATIENT, id, NULL) == SY_OK &&
           sy_patient_decode(out, value);
}

/* Is the reader one of the patient's guardians? The patient is borrowed, and gone afterwards. */
static bool is_guardian(const struct sy_access *access, const struct sy_read_request *read,
                        const struct sy_patient *patient)
{
    struct sy_hash ids[SY_GUARDIANS_MAX], own;
    unsigned count = 0;
    /* the list is borrowed until the next is asked for */
    for (size_t offset = 0; count < SY_GUARDIANS_MAX; count++) {
        if (!sy_list_next_id(&patient->guardians, &offset, &ids[count])) break;
    }
    if (!find_reader(access, &read->reader).known) return false;
    memcpy(own.bytes, read->reader.bytes, sizeof own.bytes);
    own = line_of(access, &own);
    for (unsigned i = 0; i < count; i++) {
        struct sy_hash line = line_of(access, &ids[i]);
        if (sy_hash_equal(&line, &own)) return true;
    }
    return false;
}

/* Is the reader one of those who decide for a patient that has no key? */
static bool guards(const struct sy_access *access, const struct sy_read_request *read,
                   const struct sy_hash *patient_id)
{
    struct sy_patient patient;
    if (!finds_patient(access, &patient, patient_id)) return false;
    return !patient.claimed && !patient.merged && is_guardian(access, read, &patient);
}

static bool sees_patient(const struct sy_access *access, const struct sy_read_request *read,
                         const struct sy_hash *patient_id)
{
    struct sy_may_question question = ask_about(access, read, patient_id);
    struct sy_may_answer answer = judge(access, &question);
    if (guards(access, read, patient_id)) return true; // their own child's, say
    note(access, read, &answer, NULL);
    return answer.allowed;
}

static bool sees_record(const struct sy_access *access, const struct sy_read_request *read,
                        const struct sy_hash *record_id)
{
    struct sy_slice value;
    struct sy_record record;
    struct sy_tag label;
    uint8_t class[SY_CODE_BYTES_MAX]; /* the value is borrowed until the next is asked for */
    sy_status status = get(access->view, &value, SY_STATE_RECORD, record_id, NULL);
    if (status == SY_ERR_NOT_FOUND) return true; /* that there is none may be told */
    if (status != SY_OK || !sy_record_decode(&record, value)) return false;
    if (record.subject_kind != SY_SUBJECT_PATIENT) return true;
    memcpy(label.bytes, record.sens_tag, sizeof label.bytes);
    if (record.record_class.size > 0) {
        memcpy(class, record.record_class.data, record.record_class.size);
    }
    struct sy_may_question question = ask_about(access, read, &record.subject);
    question.record_class = sy_slice_of(class, record.record_class.size);
    question.label = record.has_sens_tag ? &label : NULL;
    question.holder = &record.holder;
    struct sy_may_answer answer = judge(access, &question);
    note(access, read, &answer, record_id);
    return answer.allowed;
}

static bool sees_care(const struct sy_access *access, const struct reader *reader,
                      const struct sy_read_request *read)
{
    struct sy_slice value;
    struct sy_care care;
    sy_status status = get(access->view, &value, SY_STATE_CARE, &read->id, NULL);
    if (status == SY_ERR_NOT_FOUND) return true;
    if (status != SY_OK || !sy_care_decode(&care, value)) return false;
    return sy_hash_equal(&care.organisation, &reader->holder) ||
           sees_patient(access, read, &care.patient);
}

/* All consents of a patient. */
static bool sees_consents(const struct sy_access *access, const struct sy_read_request *read,
                          const struct sy_hash *patient_id)
{
    struct sy_may_question question = ask_about(access, read, patient_id);
    struct sy_may_answer answer = judge(access, &question);
    if (guards(access, read, patient_id)) return true;
    bool keeps = answer.allowed && (answer.ground == SY_MAY_SELF ||
                                    answer.ground == SY_MAY_OVERSIGHT || answer.treats);
    if (keeps) note(access, read, &answer, NULL);
    return keeps;
}

static bool is_about(const struct sy_consent *consent, const struct reader *reader)
{
    struct sy_hash whom = {{0}};
    switch (consent->grantee_kind) {
    case SY_GRANTEE_KEY: whom = reader->line; break;
    case SY_GRANTEE_ORG: whom = reader->holder; break;
    default: sy_store_u16(whom.bytes, reader->role);
    }
    return sy_hash_equal(&consent->grantee, &whom);
}

static bool sees_consent(const struct sy_access *access, const struct reader *reader,
                         const struct sy_read_request *read, const struct sy_hash *consent_id)
{
    struct sy_slice value;
    struct sy_consent consent;
    sy_status status = get(access->view, &value, SY_STATE_CONSENT, consent_id, NULL);
    if (status == SY_ERR_NOT_FOUND) return true;
    if (status != SY_OK || !sy_consent_decode(&consent, value)) return false;
    struct sy_hash patient = consent.patient;
    return is_about(&consent, reader) || sees_consents(access, read, &patient);
}

/* An emergency access: those who see the patient's consents, and the organisation whose key it was,
 * which has to review it. */
static bool sees_break(const struct sy_access *access, const struct reader *reader,
                       const struct sy_read_request *read, const struct sy_hash *break_id)
{
    struct sy_slice value;
    struct sy_break entry;
    sy_status status = get(access->view, &value, SY_STATE_BREAK, break_id, NULL);
    if (status == SY_ERR_NOT_FOUND) return true;
    if (status != SY_OK || !sy_break_decode(&entry, value)) return false;
    return sy_hash_equal(&entry.organisation, &reader->holder) ||
           sees_consents(access, read, &entry.patient);
}

static bool sees_device(const struct sy_access *access, const struct reader *reader,
                        const struct sy_read_request *read)
{
    struct sy_hash patient;
    return sy_access_device(access->view, &patient, &reader->holder, &reader->line, &read->id) ||
           sees_patient(access, read, &patient);
}

/* ---- access and notices ---------------------------------------------------------------------- */

/* Guardians act together, but each of them has to know when to, also of a patient with a key. */
static bool is_patient_or_guardian(const struct sy_access *access, const struct reader *reader,
                                   const struct sy_read_request *read,
                                   const struct sy_hash *patient_id)
{
    struct sy_patient patient = {.merged = true};
    struct sy_hash id = *patient_id;
    // What stands under an id that ended is the patient's whose id goes on.
    for (unsigned i = 0; i <= SY_MERGES_MAX && patient.merged; i++) {
        if (!finds_patient(access, &patient, &id)) return false;
        if (patient.merged) id = patient.into;
    }
    if (reader->role == SY_ROLE_PATIENT && sy_hash_equal(&reader->holder, &id)) return true;
    return !patient.merged && is_guardian(access, read, &patient);
}

/* Whose log it is, and each patient who is in it. */
static bool sees_log(const struct sy_access *access, const struct reader *reader,
                     const struct sy_hash *log_id)
{
    struct sy_hash place;
    struct sy_slice value;
    struct sy_access_logged log;
    sy_status status = get(access->view, &value, SY_STATE_ACCESS_LOG, log_id, NULL);
    if (status == SY_ERR_NOT_FOUND) return true;
    if (status != SY_OK || !sy_access_logged_decode(&log, value)) return false;
    if (sy_hash_equal(&log.organisation, &reader->holder)) return true;
    if (reader->role != SY_ROLE_PATIENT) return false;
    sy_state_key_disclosure(&place, log_id, &reader->holder);
    return sy_state_view_get(access->view, &value, &place) == SY_OK;
}

/* A dispute: the patient's side, and who holds the record that it names. */
static bool sees_dispute(const struct sy_access *access, const struct reader *reader,
                         const struct sy_read_request *read, const struct sy_hash *dispute_id)
{
    struct sy_slice value;
    struct sy_dispute dispute;
    struct sy_record record;
    sy_status status = get(access->view, &value, SY_STATE_DISPUTE, dispute_id, NULL);
    if (status == SY_ERR_NOT_FOUND) return true;
    if (status != SY_OK || !sy_dispute_decode(&dispute, value)) return false;
    if (is_patient_or_guardian(access, reader, read, &dispute.patient)) return true;
    if (!dispute.has_record) return false;
    return get(access->view, &value, SY_STATE_RECORD, &dispute.record, NULL) == SY_OK &&
           sy_record_decode(&record, value) && sy_hash_equal(&record.holder, &reader->holder);
}

/* An export: the patient's side, and the organisation that was asked. */
static bool sees_export(const struct sy_access *access, const struct reader *reader,
                        const struct sy_read_request *read, const struct sy_hash *export_id)
{
    struct sy_slice value;
    struct sy_export export;
    sy_status status = get(access->view, &value, SY_STATE_EXPORT, export_id, NULL);
    if (status == SY_ERR_NOT_FOUND) return true;
    if (status != SY_OK || !sy_export_decode(&export, value)) return false;
    return sy_hash_equal(&export.organisation, &reader->holder) ||
           is_patient_or_guardian(access, reader, read, &export.patient);
}

/* Whose map it is, and who sees the patient whom it names. */
static bool sees_id_map(const struct sy_access *access, const struct reader *reader,
                        const struct sy_read_request *read)
{
    struct sy_slice value;
    struct sy_mapped_id mapped;
    sy_status status = get(access->view, &value, SY_STATE_ID_MAP, &read->id, NULL);
    if (status == SY_ERR_NOT_FOUND) return true;
    if (status != SY_OK || !sy_mapped_id_decode(&mapped, value)) return false;
    return sy_hash_equal(&mapped.organisation, &reader->holder) ||
           sees_patient(access, read, &mapped.patient);
}

static bool is_own_log(const struct sy_access *access, const struct reader *reader,
                       const struct sy_hash *log_id)
{
    struct sy_slice value;
    struct sy_access_logged log;
    return get(access->view, &value, SY_STATE_ACCESS_LOG, log_id, NULL) == SY_OK &&
           sy_access_logged_decode(&log, value) &&
           sy_hash_equal(&log.organisation, &reader->holder);
}

/* A prescription or what was dispensed: also to the patient's side, and to who may see the patient.
 */
static bool sees_rx(const struct sy_access *access, const struct reader *reader,
                    const struct sy_read_request *read)
{
    struct sy_hash patient;
    if (sy_access_rx(access->view, &patient, &reader->holder, reader->role, read)) return true;
    return is_patient_or_guardian(access, reader, read, &patient) ||
           sees_patient(access, read, &patient);
}

/* A stream: also to the patient's side, and to who may see the patient's Observations. */
static bool sees_stream(const struct sy_access *access, const struct reader *reader,
                        const struct sy_read_request *read)
{
    static const char class[] = "Observation";
    struct sy_hash patient, organisation;
    if (sy_access_stream(access->view, &patient, &organisation, &reader->holder, &reader->line,
                         &read->id) ||
        is_patient_or_guardian(access, reader, read, &patient)) {
        return true;
    }
    struct sy_may_question question = ask_about(access, read, &patient);
    question.record_class = sy_slice_of(class, sizeof class - 1);
    question.holder = &organisation;
    struct sy_may_answer answer = judge(access, &question);
    note(access, read, &answer, NULL);
    return answer.allowed;
}

/* ---- money ----------------------------------------------------------------------------------- */

/* By whom it concerns (access_money.h). */
static bool sees_money(const struct sy_access *access, const struct reader *reader,
                       const struct sy_read_request *read, uint8_t kind, const struct sy_hash *id)
{
    struct sy_access_parties parties;
    if (!sy_access_parties(&parties, access, kind, id, &read->second)) return false;
    if (parties.who_sees_rx) return sees_rx(access, reader, read);
    bool own = sy_hash_equal(&parties.organisations[0], &reader->holder) ||
               sy_hash_equal(&parties.organisations[1], &reader->holder);
    bool acts = !is_person(reader->role) && !sy_hash_is_zero(&reader->holder);
    if (parties.anybody || (own && acts)) return true;
    if (!parties.has_patient) return false;
    return is_patient_or_guardian(access, reader, read, &parties.patient) ||
           (parties.who_sees_patient && sees_patient(access, read, &parties.patient));
}

/* ---- the rest -------------------------------------------------------------------------------- */

static bool sees_nonces(const struct sy_access *access, const struct reader *reader,
                        const struct sy_read_request *read)
{
    struct sy_public_key of;
    memcpy(of.bytes, read->id.bytes, sizeof of.bytes);
    if (sy_public_key_equal(&of, &read->reader)) return true;
    if (sy_hash_is_zero(&reader->holder)) return false; /* nobody's, and not one another's */
    struct reader owner = find_reader(access, &of);
    return owner.known && sy_hash_equal(&owner.holder, &reader->holder);
}

/* A holder's emergency accesses that wait for a review. The key that names them may have been
 * replaced. */
static bool sees_breaks(const struct sy_access *access, const struct reader *reader,
                        const struct sy_read_request *read)
{
    struct sy_slice value;
    struct sy_credential credential;
    if (sy_hash_equal(&read->id, &reader->line)) return true;
    return get(access->view, &value, SY_STATE_CREDENTIAL, &read->id, NULL) == SY_OK &&
           sy_credential_decode(&credential, value) &&
           sy_hash_equal(&credential.holder, &reader->holder);
}

/* A patient's wallet key leads to the patient: it is no directory entry. */
static bool sees_credential(const struct sy_access *access, const struct sy_read_request *read)
{
    struct sy_slice value;
    struct sy_credential credential;
    sy_status status = get(access->view, &value, SY_STATE_CREDENTIAL, &read->id, NULL);
    if (status == SY_ERR_NOT_FOUND) return true;
    if (status != SY_OK || !sy_credential_decode(&credential, value)) return false;
    if (credential.role != SY_ROLE_PATIENT) return true;
    return sees_patient(access, read, &credential.holder);
}

static bool sees_state(const struct sy_access *access, const struct reader *reader,
                       const struct sy_read_request *read)
{
    switch (read->state_kind) {
    case SY_STATE_CREDENTIAL: return sees_credential(access, read);
    case SY_STATE_NONCES: return sees_nonces(access, reader, read);
    case SY_STATE_PATIENT:
    case SY_STATE_PATIENT_PLACE:
    case SY_STATE_OPEN_CARE: return sees_patient(access, read, &read->id);
    case SY_STATE_CARE: return sees_care(access, reader, read);
    case SY_STATE_RECORD:
    case SY_STATE_RECORD_VERSION:
    case SY_STATE_COSIGNATURES:
    case SY_STATE_RECORD_LINK: return sees_record(access, read, &read->id);
    case SY_STATE_DUPLICATE:
        return sees_record(access, read, &read->id) && sees_record(access, read, &read->second);
    case SY_STATE_CONSENT: return sees_consent(access, reader, read, &read->id);
    case SY_STATE_DEVICE:
    case SY_STATE_FIRMWARE: return sees_device(access, reader, read);
    case SY_STATE_STREAM:
    case SY_STATE_STREAM_COMMIT:
    case SY_STATE_STREAM_GAP:
    case SY_STATE_STREAM_ALERT: return sees_stream(access, reader, read);
    case SY_STATE_BREAK: return sees_break(access, reader, read, &read->id);
    case SY_STATE_BREAKS: return sees_breaks(access, reader, read);
    case SY_STATE_ACCESS_REQUEST:
        return sy_hash_equal(&read->second, &reader->holder) ||
               sees_consents(access, read, &read->id);
    case SY_STATE_ACCESS_LOG: return sees_log(access, reader, &read->id);
    case SY_STATE_DISCLOSURE:
        return is_patient_or_guardian(access, reader, read, &read->second) ||
               is_own_log(access, reader, &read->id);
    case SY_STATE_EXPORT: return sees_export(access, reader, read, &read->id);
    case SY_STATE_ID_MAP: return sees_id_map(access, reader, read);
    case SY_STATE_DISPUTE: return sees_dispute(access, reader, read, &read->id);
    case SY_STATE_SUBSCRIPTION:
        return sy_hash_equal(&read->id, &reader->holder) ||
               is_patient_or_guardian(access, reader, read, &read->second);
    case SY_STATE_CONTRIBUTION:
    case SY_STATE_NOTIFY_PREFS:
    case SY_STATE_NOTIFY_ACK:
        return is_patient_or_guardian(access, reader, read, &read->id) ||
               sees_consents(access, read, &read->id);
    /* Whoever is shown a card knows its hash, and nobody else does; an index can be counted up. */
    case SY_STATE_CERT: return true;
    case SY_STATE_CERT_INDEX: return sy_hash_equal(&read->id, &reader->holder);
    case SY_STATE_BREAK_OF:
    case SY_STATE_CONSENTS:
    case SY_STATE_CONSENT_PLACE: return sees_consents(access, read, &read->id);
    case SY_STATE_RX:
    case SY_STATE_RX_FILL:
    case SY_STATE_DISPENSED: return sees_rx(access, reader, read);
    default:
        return sy_access_goods(access->view, &reader->holder, read) ||
               sees_money(access, reader, read, read->state_kind, &read->id);
    }
}

/* What is about a patient, and shown to nobody but the patient's side, is noted of who oversees. */
static void note_others(const struct sy_access *access, const struct sy_read_request *read)
{
    struct sy_slice value;
    struct sy_dispute dispute;
    struct sy_access_parties parties;
    switch (read->state_kind) {
    case SY_STATE_DISCLOSURE:
    case SY_STATE_SUBSCRIPTION: (void)sees_patient(access, read, &read->second); break;
    case SY_STATE_DISPUTE:
        if (get(access->view, &value, SY_STATE_DISPUTE, &read->id, NULL) == SY_OK &&
            sy_dispute_decode(&dispute, value)) {
            struct sy_hash patient = dispute.patient;
            (void)sees_patient(access, read, &patient);
        }
        break;
    default:
        if (sy_access_parties(&parties, access, read->state_kind, &read->id, &read->second) &&
            parties.has_patient) {
            (void)sees_patient(access, read, &parties.patient);
        }
        break; // what else there is was noted when it was judged, or is about nobody
    }
}

bool sy_access_state(const struct sy_access *access, const struct sy_read_request *read)
{
    struct reader reader = find_reader(access, &read->reader);
    if (access->grants != NULL) access->grants->count = 0;
    if (!reader.known) return false;
    bool sees = sees_state(access, &reader, read);
    if (sees || !oversees(&reader, read->purpose)) return sees;
    note_others(access, read);
    return true;
}

/* Is the event's object a record? Ids of other kinds may be the same. */
static bool is_record_event(uint16_t kind)
{
    return (kind >= SY_EVENT_RECORD_CREATED && kind <= SY_EVENT_RECORD_RETRACTED) ||
           (kind >= SY_EVENT_RECORD_LINKED && kind <= SY_EVENT_RECORD_DUPLICATE) ||
           kind == SY_EVENT_CUSTODY_MOVED;
}

/* What happened to a patient: a record's events as the record, a consent's as the consent, all else
 * as the patient. What an event is about stays in state for good. */
static bool sees_event(const struct sy_access *access, const struct reader *reader,
                       const struct sy_read_request *read, const struct sy_event *event)
{
    struct sy_slice value;
    if (is_record_event(event->kind)) {
        return get(access->view, &value, SY_STATE_RECORD, &event->object, NULL) == SY_OK &&
               sees_record(access, read, &event->object);
    }
    switch (event->kind) {
    case SY_EVENT_CONSENT_CHANGED:
        return get(access->view, &value, SY_STATE_CONSENT, &event->object, NULL) == SY_OK &&
               sees_consent(access, reader, read, &event->object);
    case SY_EVENT_BREAKGLASS_USED:
    case SY_EVENT_BREAKGLASS_REVIEWED:
        return get(access->view, &value, SY_STATE_BREAK, &event->object, NULL) == SY_OK &&
               sees_break(access, reader, read, &event->object);
    case SY_EVENT_NOTIFY_DISPUTED:
        return get(access->view, &value, SY_STATE_DISPUTE, &event->object, NULL) == SY_OK &&
               sees_dispute(access, reader, read, &event->object);
    case SY_EVENT_EXPORT_REQUESTED:
    case SY_EVENT_EXPORT_FULFILLED:
        return get(access->view, &value, SY_STATE_EXPORT, &event->object, NULL) == SY_OK &&
               sees_export(access, reader, read, &event->object);
    case SY_EVENT_SUB_CHANGED: /* and the organisation whose subscription it is */
        return sy_hash_equal(&event->object, &reader->holder) ||
               is_patient_or_guardian(access, reader, read, &event->subject);
    case SY_EVENT_ACCESS_DISCLOSED:
    case SY_EVENT_ACCESS_REQUESTED: /* what others ask for or see is the patient's to know */
        return is_patient_or_guardian(access, reader, read, &event->subject);
    default: break;
    }
    uint8_t kind = sy_access_money_event(event->kind);
    return kind != 0 ? sees_money(access, reader, read, kind, &event->object)
                     : sees_patient(access, read, &event->subject);
}

/* The same; who oversees sees it in any case, and that is noted. */
static bool sees_told(const struct sy_access *access, const struct reader *reader,
                      const struct sy_read_request *read, const struct sy_event *event, bool over)
{
    bool of_access =
        event->kind == SY_EVENT_ACCESS_DISCLOSED || event->kind == SY_EVENT_ACCESS_REQUESTED;
    if (sees_event(access, reader, read, event)) return true;
    // That somebody saw something is no more to be logged, or logs would bring forth logs.
    if (over && !of_access) (void)sees_patient(access, read, &event->subject);
    return over;
}

bool sy_access_tx(const struct sy_access *access, const struct sy_read_request *read,
                  const struct sy_receipt *receipt, const struct sy_tx *tx)
{
    if (access->grants != NULL) access->grants->count = 0;
    for (unsigned i = 0; i < sy_tx_signer_count(tx); i++) {
        if (sy_public_key_equal(sy_tx_signer_key(tx, i), &read->reader)) return true;
    }
    struct reader reader = find_reader(access, &read->reader);
    if (!reader.known) return false;
    bool over = oversees(&reader, read->purpose);
    if (!over && !sy_hash_is_zero(&tx->organisation) &&
        sy_hash_equal(&tx->organisation, &reader.holder)) {
        return true;
    }
    struct sy_reader in = sy_reader_of(receipt->events);
    struct sy_event event;
    bool any = false;
    while (sy_reader_left(&in) > 0 && sy_event_decode(&in, &event)) {
        any = true;
        if (!over && !sy_access_goods_event(&reader.holder, &event)) return false;
        if (event.subject_kind != SY_SUBJECT_PATIENT) continue;
        if (!sees_told(access, &reader, read, &event, over)) return false;
    }
    return any || over; /* all of its subjects may be seen by this reader */
}

/* ---- notices --------------------------------------------------------------------------------- */

static bool answers_for_key(const struct sy_access *access, const struct reader *reader,
                            const struct sy_read_request *read)
{
    struct sy_public_key of;
    struct sy_hash place;
    struct sy_slice value;
    struct sy_credential credential;
    memcpy(of.bytes, read->id.bytes, sizeof of.bytes);
    if (sy_public_key_equal(&of, &read->reader)) return true;
    if (reader->role != SY_ROLE_ORG_ADMIN) return false;
    sy_state_key_public(&place, SY_STATE_CREDENTIAL, &of);
    return sy_state_view_get(access->view, &value, &place) == SY_OK &&
           sy_credential_decode(&credential, value) && credential.role != SY_ROLE_PATIENT &&
           sy_hash_equal(&credential.holder, &reader->holder);
}

/* Whose notices they are. */
static bool is_subject(const struct sy_access *access, const struct reader *reader,
                       const struct sy_read_request *read)
{
    bool own = sy_hash_equal(&reader->holder, &read->id);
    switch (read->state_kind) {
    case SY_SUBJECT_PATIENT: return is_patient_or_guardian(access, reader, read, &read->id);
    case SY_SUBJECT_ORG:
        return own && (reader->role == SY_ROLE_ORG_ADMIN || reader->role == SY_ROLE_GATEWAY);
    case SY_SUBJECT_KEY: return answers_for_key(access, reader, read);
    default: return false;
    }
}

static bool finds_subscription(const struct sy_access *access, struct sy_subscription *out,
                               const struct reader *reader, const struct sy_hash *patient_id)
{
    struct sy_hash place;
    struct sy_slice value;
    sy_state_key_subscription(&place, &reader->holder, patient_id);
    return sy_state_view_get(access->view, &value, &place) == SY_OK &&
           sy_subscription_decode(out, value);
}

/* Class and holder of the record that an event is of; false: it is of none. room:
 * SY_CODE_BYTES_MAX. */
static bool finds_record(const struct sy_access *access, struct sy_slice *out, uint8_t *room,
                         struct sy_hash *holder, const struct sy_event *event)
{
    struct sy_hash place;
    struct sy_slice value;
    struct sy_record record;
    sy_state_key_id(&place, SY_STATE_RECORD, &event->object);
    if (sy_state_view_get(access->view, &value, &place) != SY_OK ||
        !sy_record_decode(&record, value)) {
        return false;
    }
    if (record.record_class.size > 0) {
        memcpy(room, record.record_class.data, record.record_class.size);
    }
    *out = sy_slice_of(room, record.record_class.size);
    *holder = record.holder;
    return true;
}

/* What the subscription's height and groups let through and, of records, organisation and classes.
 */
static bool passes_filter(const struct sy_access *access, const struct reader *reader,
                          const struct sy_event *event, uint64_t height)
{
    struct sy_subscription subscription;
    struct sy_slice of_record = sy_slice_of(NULL, 0), named;
    struct sy_hash holder;
    uint8_t room[SY_CODE_BYTES_MAX];
    // Before the subscription: what it borrows is gone when the next entry is asked for.
    bool is_record =
        is_record_event(event->kind) && finds_record(access, &of_record, room, &holder, event);
    // Who had it before is to learn that it went, too.
    bool kept = is_record && event->kind != SY_EVENT_CUSTODY_MOVED;
    if (!finds_subscription(access, &subscription, reader, &event->subject)) return false;
    uint16_t group = sy_notice_group(event->kind);
    if (height < subscription.from_height) return false;
    if (kept && subscription.has_organisation &&
        !sy_hash_equal(&holder, &subscription.organisation)) {
        return false;
    }
    if (subscription.has_groups && (subscription.groups & SY_SET_BIT(group)) == 0) return false;
    if (!subscription.has_classes || !is_record) return true;
    for (size_t offset = 0; sy_list_next_text(&subscription.classes, &offset, &named);) {
        if (sy_slice_equal(named, of_record)) return true;
    }
    return false;
}

/* The reader's organisation subscribed to the patient, for this purpose, from that number on. */
static bool subscribes(const struct sy_access *access, const struct reader *reader,
                       const struct sy_read_request *read)
{
    struct sy_subscription subscription;
    struct sy_notices_asked asked;
    bool speaks = reader->role == SY_ROLE_ORG_ADMIN || reader->role == SY_ROLE_GATEWAY;
    if (read->state_kind != SY_SUBJECT_PATIENT || !speaks) return false;
    return finds_subscription(access, &subscription, reader, &read->id) &&
           subscription.cancelled_height == 0 && subscription.purpose == read->purpose &&
           sy_read_notices_asked(&asked, read) && asked.from >= subscription.from;
}

bool sy_access_notices(const struct sy_access *access, const struct sy_read_request *read)
{
    struct reader reader = find_reader(access, &read->reader);
    struct sy_access plain = *access;
    plain.grants = NULL; // what is shown is noted, not that it was asked for
    if (!reader.known) return false;
    return oversees(&reader, read->purpose) || is_subject(&plain, &reader, read) ||
           (subscribes(&plain, &reader, read) && sees_patient(&plain, read, &read->id));
}

bool sy_access_notice(const struct sy_access *access, const struct sy_read_request *read,
                      const struct sy_event *event, uint64_t height)
{
    struct reader reader = find_reader(access, &read->reader);
    if (!reader.known) return false;
    if (is_subject(access, &reader, read)) return true;
    bool over = oversees(&reader, read->purpose);
    if (event->subject_kind != SY_SUBJECT_PATIENT) return over;
    if (!over && !passes_filter(access, &reader, event, height)) return false; // before it is noted
    return sees_told(access, &reader, read, event, over);
}

bool sy_access_known(const struct sy_access *access, const struct sy_public_key *key)
{
    return sy_roster_holds(access->roster, key) || find_reader(access, key).known;
}

bool sy_access_ids(const struct sy_access *access, const struct sy_read_request *read)
{
    if (sy_roster_holds(access->roster, &read->reader)) return true;
    struct reader reader = find_reader(access, &read->reader);
    return reader.known && !is_person(reader.role) && reader.role != SY_ROLE_DEVICE;
}

bool sy_access_find(const struct sy_access *access, const struct sy_read_request *read)
{
    return find_reader(access, &read->reader).known;
}
