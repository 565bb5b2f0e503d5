/* fuzz_state.c: values of state, as a client decodes them from a proof. The first byte says which
 * kind of entry the rest is taken for. What decodes encodes to the same bytes again, and a nonce
 * window that decodes keeps its promises. */
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/wire/state.h"

/* Encodes again what decoded; false when it did not. */
static bool round_trip(struct sy_writer *w, unsigned kind, struct sy_slice value)
{
    union {
        struct sy_params params;
        struct sy_roster_head head;
        struct sy_validator validator;
        uint64_t count;
        struct sy_hash id;
        struct sy_credential credential;
        struct sy_org org;
        struct sy_patient patient;
        struct sy_care care;
        struct sy_record record;
        struct sy_record_version version;
    } u;

    bool good = false;
    switch (kind) {
    case SY_STATE_PARAMS:
        good = sy_params_decode(&u.params, value);
        if (good) sy_params_encode(w, &u.params);
        break;
    case SY_STATE_ROSTER:
        good = sy_roster_head_decode(&u.head, value);
        if (good) sy_roster_head_encode(w, &u.head);
        break;
    case SY_STATE_VALIDATOR:
        good = sy_validator_state_decode(&u.validator, value);
        if (good) sy_validator_state_encode(w, &u.validator);
        break;
    case SY_STATE_CREDENTIAL:
        good = sy_credential_decode(&u.credential, value);
        if (good) sy_credential_encode(w, &u.credential);
        break;
    case SY_STATE_ORG:
        good = sy_org_decode(&u.org, value);
        if (good) sy_org_encode(w, &u.org);
        break;
    case SY_STATE_PATIENT:
        good = sy_patient_decode(&u.patient, value);
        if (good) sy_patient_encode(w, &u.patient);
        break;
    case SY_STATE_CARE:
        good = sy_care_decode(&u.care, value);
        if (good) sy_care_encode(w, &u.care);
        break;
    case SY_STATE_RECORD:
        good = sy_record_decode(&u.record, value);
        if (good) sy_record_encode(w, &u.record);
        break;
    case SY_STATE_RECORD_VERSION:
        good = sy_record_version_decode(&u.version, value);
        if (good) sy_record_version_encode(w, &u.version);
        break;
    case SY_STATE_PREFIX:
    case SY_STATE_OPEN_CARE:
        good = sy_id_decode(&u.id, value);
        if (good) sy_id_encode(w, &u.id);
        break;
    default:
        good = sy_count_decode(&u.count, value);
        if (good) sy_count_encode(w, u.count);
    }
    return good;
}

static bool use_nonces(struct sy_writer *w, struct sy_slice value)
{
    struct sy_nonces nonces;
    if (!sy_nonces_decode(&nonces, value)) return false;
    sy_nonces_encode(w, &nonces);
    struct sy_nonces next = nonces;
    uint64_t nonce = nonces.highest - nonces.highest % 97;
    if (!sy_nonces_accept(&next, nonce)) nonce = nonces.highest + 1 + nonces.highest % 4000;
    if (nonce > nonces.highest && nonce - nonces.highest > SY_NONCE_WINDOW) return true;
    if (nonce <= nonces.highest && !sy_nonces_accept(&next, nonce)) return true; // wrapped round
    sy_nonces_use(&next, nonce);
    SY_ASSERT(!sy_nonces_accept(&next, nonce));
    SY_ASSERT(sy_nonces_seen(&next, nonce));
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    unsigned kind = SY_STATE_PARAMS + data[0] % (SY_STATE_KIND_COUNT - SY_STATE_PARAMS);
    struct sy_slice value = sy_slice_of(data + 1, size - 1);
    static uint8_t room[1 << 16];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    bool good = kind == SY_STATE_NONCES ? use_nonces(&w, value) : round_trip(&w, kind, value);
    if (!good) return 0;
    SY_ASSERT(!w.failed);
    SY_ASSERT(sy_slice_equal(sy_writer_slice(&w), value));
    return 0;
}
