#include "consensus/node/access.h"

#include "core/ledger/may.h"
#include "core/wire/schema.h"
#include "core/wire/state.h"

/* Who reads, as the state knows them. */
struct reader {
    bool known;
    uint8_t role;
    struct sy_hash holder; /* organisation, or a patient's id */
};

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
    if (reader.role == SY_ROLE_REGULATOR || reader.role == SY_ROLE_PATIENT) return reader;
    struct sy_org org;
    sy_state_key_id(&place, SY_STATE_ORG, &reader.holder);
    if (sy_state_view_get(access->view, &value, &place) != SY_OK || !sy_org_decode(&org, value) ||
        org.suspended) {
        reader.known = false;
    }
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

static bool sees_patient(const struct sy_access *access, const struct sy_read_request *read,
                         const struct sy_hash *patient_id)
{
    struct sy_may_question question = ask_about(access, read, patient_id);
    return judge(access, &question).allowed;
}

static bool sees_record(const struct sy_access *access, const struct sy_read_request *read,
                        const struct sy_hash *record_id)
{
    struct sy_hash place;
    struct sy_slice value;
    struct sy_record record;
    struct sy_tag label;
    uint8_t class[SY_CODE_BYTES_MAX]; /* the value is borrowed until the next is asked for */
    sy_state_key_id(&place, SY_STATE_RECORD, record_id);
    sy_status status = sy_state_view_get(access->view, &value, &place);
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
    return judge(access, &question).allowed;
}

static bool sees_care(const struct sy_access *access, const struct reader *reader,
                      const struct sy_read_request *read)
{
    struct sy_hash place;
    struct sy_slice value;
    struct sy_care care;
    sy_state_key_id(&place, SY_STATE_CARE, &read->id);
    sy_status status = sy_state_view_get(access->view, &value, &place);
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
    return answer.allowed && (answer.ground == SY_MAY_SELF || answer.treats);
}

static bool is_about(const struct sy_consent *consent, const struct reader *reader,
                     const struct sy_public_key *key)
{
    struct sy_hash whom = {{0}};
    switch (consent->grantee_kind) {
    case SY_GRANTEE_KEY: memcpy(whom.bytes, key->bytes, sizeof whom.bytes); break;
    case SY_GRANTEE_ORG: whom = reader->holder; break;
    default: sy_store_u16(whom.bytes, reader->role);
    }
    return sy_hash_equal(&consent->grantee, &whom);
}

static bool sees_consent(const struct sy_access *access, const struct reader *reader,
                         const struct sy_read_request *read, const struct sy_hash *consent_id)
{
    struct sy_hash place;
    struct sy_slice value;
    struct sy_consent consent;
    sy_state_key_id(&place, SY_STATE_CONSENT, consent_id);
    sy_status status = sy_state_view_get(access->view, &value, &place);
    if (status == SY_ERR_NOT_FOUND) return true;
    if (status != SY_OK || !sy_consent_decode(&consent, value)) return false;
    struct sy_hash patient = consent.patient;
    return is_about(&consent, reader, &read->reader) || sees_consents(access, read, &patient);
}

/* An emergency access: those who see the patient's consents, and the organisation whose key it was,
 * which has to review it. */
static bool sees_break(const struct sy_access *access, const struct reader *reader,
                       const struct sy_read_request *read, const struct sy_hash *break_id)
{
    struct sy_hash place;
    struct sy_slice value;
    struct sy_break entry;
    sy_state_key_id(&place, SY_STATE_BREAK, break_id);
    sy_status status = sy_state_view_get(access->view, &value, &place);
    if (status == SY_ERR_NOT_FOUND) return true;
    if (status != SY_OK || !sy_break_decode(&entry, value)) return false;
    return sy_hash_equal(&entry.organisation, &reader->holder) ||
           sees_consents(access, read, &entry.patient);
}

/* ---- the rest -------------------------------------------------------------------------------- */

static bool sees_nonces(const struct sy_access *access, const struct reader *reader,
                        const struct sy_read_request *read)
{
    struct sy_public_key of;
    memcpy(of.bytes, read->id.bytes, sizeof of.bytes);
    if (sy_public_key_equal(&of, &read->reader)) return true;
    struct reader owner = find_reader(access, &of);
    return owner.known && sy_hash_equal(&owner.holder, &reader->holder);
}

/* A patient's wallet key leads to the patient: it is no directory entry. */
static bool sees_credential(const struct sy_access *access, const struct sy_read_request *read)
{
    struct sy_public_key of;
    memcpy(of.bytes, read->id.bytes, sizeof of.bytes);
    struct sy_hash place;
    struct sy_slice value;
    struct sy_credential credential;
    sy_state_key_public(&place, SY_STATE_CREDENTIAL, &of);
    sy_status status = sy_state_view_get(access->view, &value, &place);
    if (status == SY_ERR_NOT_FOUND) return true;
    if (status != SY_OK || !sy_credential_decode(&credential, value)) return false;
    if (credential.role != SY_ROLE_PATIENT) return true;
    return sees_patient(access, read, &credential.holder);
}

bool sy_access_state(const struct sy_access *access, const struct sy_read_request *read)
{
    struct reader reader = find_reader(access, &read->reader);
    if (!reader.known) return false;
    if (oversees(&reader, read->purpose)) return true;
    switch (read->state_kind) {
    case SY_STATE_PARAMS:
    case SY_STATE_ROSTER:
    case SY_STATE_ROSTER_CHANGE:
    case SY_STATE_VALIDATOR:
    case SY_STATE_MAKER:
    case SY_STATE_EVENT_COUNT:
    case SY_STATE_ORG:
    case SY_STATE_ORG_EVENTS:
    case SY_STATE_PREFIX: return true;
    case SY_STATE_CREDENTIAL: return sees_credential(access, read);
    case SY_STATE_NONCES: return sees_nonces(access, &reader, read);
    case SY_STATE_PATIENT:
    case SY_STATE_OPEN_CARE: return sees_patient(access, read, &read->id);
    case SY_STATE_CARE: return sees_care(access, &reader, read);
    case SY_STATE_RECORD:
    case SY_STATE_RECORD_VERSION: return sees_record(access, read, &read->id);
    case SY_STATE_CONSENT: return sees_consent(access, &reader, read, &read->id);
    case SY_STATE_BREAK: return sees_break(access, &reader, read, &read->id);
    case SY_STATE_BREAKS: return sees_nonces(access, &reader, read);
    case SY_STATE_BREAK_OF:
    case SY_STATE_CONSENTS:
    case SY_STATE_CONSENT_PLACE: return sees_consents(access, read, &read->id);
    default: return false;
    }
}

/* What happened to a patient: a record's events as the record, a consent's as the consent, all else
 * as the patient. What an event is about stays in state for good. */
static bool sees_event(const struct sy_access *access, const struct reader *reader,
                       const struct sy_read_request *read, const struct sy_event *event)
{
    struct sy_hash place;
    struct sy_slice value;
    switch (event->kind) {
    case SY_EVENT_RECORD_CREATED:
    case SY_EVENT_RECORD_AMENDED:
    case SY_EVENT_RECORD_RETRACTED:
        sy_state_key_id(&place, SY_STATE_RECORD, &event->object);
        return sy_state_view_get(access->view, &value, &place) == SY_OK &&
               sees_record(access, read, &event->object);
    case SY_EVENT_CONSENT_CHANGED:
        sy_state_key_id(&place, SY_STATE_CONSENT, &event->object);
        return sy_state_view_get(access->view, &value, &place) == SY_OK &&
               sees_consent(access, reader, read, &event->object);
    case SY_EVENT_BREAKGLASS_USED:
    case SY_EVENT_BREAKGLASS_REVIEWED:
        sy_state_key_id(&place, SY_STATE_BREAK, &event->object);
        return sy_state_view_get(access->view, &value, &place) == SY_OK &&
               sees_break(access, reader, read, &event->object);
    default: return sees_patient(access, read, &event->subject);
    }
}

bool sy_access_tx(const struct sy_access *access, const struct sy_read_request *read,
                  const struct sy_receipt *receipt, const struct sy_tx *tx)
{
    for (unsigned i = 0; i < sy_tx_signer_count(tx); i++) {
        if (sy_public_key_equal(sy_tx_signer_key(tx, i), &read->reader)) return true;
    }
    struct reader reader = find_reader(access, &read->reader);
    if (!reader.known) return false;
    if (oversees(&reader, read->purpose)) return true;
    if (!sy_hash_is_zero(&tx->organisation) && sy_hash_equal(&tx->organisation, &reader.holder)) {
        return true;
    }
    struct sy_reader in = sy_reader_of(receipt->events);
    struct sy_event event;
    bool any = false;
    while (sy_reader_left(&in) > 0 && sy_event_decode(&in, &event)) {
        any = true;
        if (event.subject_kind != SY_SUBJECT_PATIENT) continue;
        if (!sees_event(access, &reader, read, &event)) return false;
    }
    return any; /* all of its subjects may be seen by this reader */
}

bool sy_access_known(const struct sy_access *access, const struct sy_public_key *key)
{
    return sy_roster_holds(access->roster, key) || find_reader(access, key).known;
}

bool sy_access_ids(const struct sy_access *access, const struct sy_read_request *read)
{
    if (sy_roster_holds(access->roster, &read->reader)) return true;
    struct reader reader = find_reader(access, &read->reader);
    return reader.known && reader.role != SY_ROLE_PATIENT;
}
