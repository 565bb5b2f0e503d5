#include "consensus/node/access.h"

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

static bool sees_patient(const struct sy_access *access, const struct reader *reader,
                         const struct sy_public_key *key, const struct sy_hash *patient_id)
{
    struct sy_hash place;
    struct sy_slice value;
    struct sy_patient patient;
    sy_state_key_id(&place, SY_STATE_PATIENT, patient_id);
    if (sy_state_view_get(access->view, &value, &place) != SY_OK) return false;
    if (!sy_patient_decode(&patient, value)) return false;
    if (patient.claimed && sy_public_key_equal(&patient.wallet_key, key)) return true;
    if (reader->role == SY_ROLE_PATIENT) return false;
    if (sy_hash_equal(&patient.organisation, &reader->holder)) return true;
    sy_state_key_open_care(&place, patient_id, &reader->holder);
    return sy_state_view_get(access->view, &value, &place) == SY_OK;
}

static bool sees_record(const struct sy_access *access, const struct reader *reader,
                        const struct sy_public_key *key, const struct sy_hash *record_id)
{
    struct sy_hash place;
    struct sy_slice value;
    struct sy_record record;
    sy_state_key_id(&place, SY_STATE_RECORD, record_id);
    sy_status status = sy_state_view_get(access->view, &value, &place);
    if (status == SY_ERR_NOT_FOUND) return true; /* that there is none may be told */
    if (status != SY_OK || !sy_record_decode(&record, value)) return false;
    if (record.subject_kind != SY_SUBJECT_PATIENT) return true;
    struct sy_hash subject = record.subject;
    return sees_patient(access, reader, key, &subject);
}

static bool sees_care(const struct sy_access *access, const struct reader *reader,
                      const struct sy_public_key *key, const struct sy_hash *care_id)
{
    struct sy_hash place;
    struct sy_slice value;
    struct sy_care care;
    sy_state_key_id(&place, SY_STATE_CARE, care_id);
    sy_status status = sy_state_view_get(access->view, &value, &place);
    if (status == SY_ERR_NOT_FOUND) return true;
    if (status != SY_OK || !sy_care_decode(&care, value)) return false;
    return sy_hash_equal(&care.organisation, &reader->holder) ||
           sees_patient(access, reader, key, &care.patient);
}

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
static bool sees_credential(const struct sy_access *access, const struct reader *reader,
                            const struct sy_read_request *read)
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
    struct sy_hash patient = credential.holder;
    return sees_patient(access, reader, &read->reader, &patient);
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
    case SY_STATE_CREDENTIAL: return sees_credential(access, &reader, read);
    case SY_STATE_NONCES: return sees_nonces(access, &reader, read);
    case SY_STATE_PATIENT:
    case SY_STATE_OPEN_CARE: return sees_patient(access, &reader, &read->reader, &read->id);
    case SY_STATE_CARE: return sees_care(access, &reader, &read->reader, &read->id);
    case SY_STATE_RECORD:
    case SY_STATE_RECORD_VERSION: return sees_record(access, &reader, &read->reader, &read->id);
    default: return false;
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
        if (!sees_patient(access, &reader, &read->reader, &event.subject)) return false;
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
