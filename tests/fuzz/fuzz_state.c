/* fuzz_state.c: values of state, as a client decodes them from a proof. The first byte says which
 * kind of entry the rest is taken for. What decodes encodes to the same bytes again, and a nonce
 * window that decodes keeps its promises. */
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/wire/state.h"

/* One kind of entry: what decodes is written again. */
#define AGAIN(name, member, given)               \
    good = sy_##name##_decode(&u.member, value); \
    if (good) sy_##name##_encode(w, given);      \
    break

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
        struct sy_consent consent;
        struct sy_consents consents;
        struct sy_break entry;
        struct sy_list open;
    } u;

    bool good = false;
    switch (kind) {
    case SY_STATE_PARAMS: AGAIN(params, params, &u.params);
    case SY_STATE_ROSTER: AGAIN(roster_head, head, &u.head);
    case SY_STATE_VALIDATOR: AGAIN(validator_state, validator, &u.validator);
    case SY_STATE_CREDENTIAL: AGAIN(credential, credential, &u.credential);
    case SY_STATE_ORG: AGAIN(org, org, &u.org);
    case SY_STATE_PATIENT: AGAIN(patient, patient, &u.patient);
    case SY_STATE_CARE: AGAIN(care, care, &u.care);
    case SY_STATE_RECORD: AGAIN(record, record, &u.record);
    case SY_STATE_RECORD_VERSION: AGAIN(record_version, version, &u.version);
    case SY_STATE_CONSENT: AGAIN(consent, consent, &u.consent);
    case SY_STATE_CONSENTS: AGAIN(consents, consents, &u.consents);
    case SY_STATE_BREAK: AGAIN(break, entry, &u.entry);
    case SY_STATE_BREAKS: AGAIN(breaks, open, &u.open);
    case SY_STATE_BREAK_OF:
    case SY_STATE_PREFIX:
    case SY_STATE_CONSENT_PLACE:
    case SY_STATE_OPEN_CARE: AGAIN(id, id, &u.id);
    default: AGAIN(count, count, u.count);
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
