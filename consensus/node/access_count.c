/* access_count.c: how many events the state has counted about a subject; see access.h. */
#include "consensus/node/access.h"
#include "core/wire/state.h"

uint64_t sy_access_notice_count(const struct sy_access *access, uint8_t subject_kind,
                                const struct sy_hash *subject)
{
    struct sy_hash place;
    struct sy_slice value;
    struct sy_patient patient;
    struct sy_credential credential;
    uint64_t count = 0;
    if (subject_kind == SY_SUBJECT_PATIENT) {
        sy_state_key_id(&place, SY_STATE_PATIENT, subject);
        return sy_state_view_get(access->view, &value, &place) == SY_OK &&
                       sy_patient_decode(&patient, value)
                   ? patient.events
                   : 0;
    }
    bool key = subject_kind == SY_SUBJECT_KEY;
    sy_state_key_id(&place, key ? SY_STATE_CREDENTIAL : SY_STATE_ORG_EVENTS, subject);
    if (sy_state_view_get(access->view, &value, &place) != SY_OK) return 0;
    if (!key) return sy_count_decode(&count, value) ? count : 0;
    return sy_credential_decode(&credential, value) ? credential.events : 0;
}
