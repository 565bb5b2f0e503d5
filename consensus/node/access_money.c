/* access_money.c: see access_money.h. */
#include "consensus/node/access_money.h"

#include "core/wire/money.h"
#include "core/wire/receipt.h"

static sy_status find(const struct sy_access *access, struct sy_slice *value,
                      enum sy_state_kind kind, const struct sy_hash *id)
{
    struct sy_hash place;
    sy_state_key_id(&place, kind, id);
    return sy_state_view_get(access->view, value, &place);
}

/* A coverage and what it used. */
static bool of_coverage(struct sy_access_parties *out, const struct sy_access *access,
                        const struct sy_hash *id)
{
    struct sy_slice value;
    struct sy_coverage coverage;
    sy_status status = find(access, &value, SY_STATE_COVERAGE, id);
    out->anybody = status == SY_ERR_NOT_FOUND;
    if (out->anybody) return true;
    if (status != SY_OK || !sy_coverage_decode(&coverage, value)) return false;
    out->has_patient = out->who_sees_patient = true;
    out->patient = coverage.patient;
    out->organisations[0] = coverage.payer;
    return true;
}

/* A claim, its payment, and how it is contested. */
static bool of_claim(struct sy_access_parties *out, const struct sy_access *access,
                     const struct sy_hash *id)
{
    struct sy_slice value;
    struct sy_claim claim;
    sy_status status = find(access, &value, SY_STATE_CLAIM, id);
    out->anybody = status == SY_ERR_NOT_FOUND;
    if (out->anybody) return true;
    if (status != SY_OK || !sy_claim_decode(&claim, value)) return false;
    out->has_patient = true;
    out->patient = claim.patient;
    out->organisations[0] = claim.payer;
    out->organisations[1] = claim.provider;
    return true;
}

/* An authorisation: who asked for it, too. */
static bool of_auth(struct sy_access_parties *out, const struct sy_access *access,
                    const struct sy_hash *id)
{
    struct sy_slice value;
    struct sy_auth auth;
    sy_status status = find(access, &value, SY_STATE_AUTH, id);
    out->anybody = status == SY_ERR_NOT_FOUND;
    if (out->anybody) return true;
    if (status != SY_OK || !sy_auth_decode(&auth, value)) return false;
    out->has_patient = out->who_sees_patient = true;
    out->patient = auth.patient;
    out->organisations[0] = auth.payer;
    out->organisations[1] = auth.organisation;
    return true;
}

/* Which claim bills a fill; that none does tells of the prescription. */
static bool of_fill(struct sy_access_parties *out, const struct sy_access *access,
                    const struct sy_hash *rx, const struct sy_hash *number)
{
    struct sy_hash place;
    struct sy_slice value;
    struct sy_fill_billed billed;
    sy_state_key_pair(&place, SY_STATE_FILL_BILLED, rx, number);
    sy_status status = sy_state_view_get(access->view, &value, &place);
    out->who_sees_rx = status == SY_ERR_NOT_FOUND;
    if (out->who_sees_rx) return true;
    return status == SY_OK && sy_fill_billed_decode(&billed, value) &&
           of_claim(out, access, &billed.claim);
}

/* A settlement: the payee that names it, and the payer. */
static bool of_settlement(struct sy_access_parties *out, const struct sy_access *access,
                          const struct sy_hash *id, const struct sy_hash *payee)
{
    struct sy_hash place;
    struct sy_slice value;
    struct sy_settlement settlement;
    sy_state_key_pair(&place, SY_STATE_SETTLEMENT, id, payee);
    sy_status status = sy_state_view_get(access->view, &value, &place);
    out->anybody = status == SY_ERR_NOT_FOUND;
    if (out->anybody) return true;
    if (status != SY_OK || !sy_settlement_decode(&settlement, value)) return false;
    out->organisations[0] = settlement.payer;
    out->organisations[1] = *payee;
    return true;
}

/* A practitioner's day: whose practitioner it is. */
static bool of_day(struct sy_access_parties *out, const struct sy_access *access,
                   const struct sy_hash *line)
{
    struct sy_public_key key;
    struct sy_hash place;
    struct sy_slice value;
    struct sy_credential credential;
    memcpy(key.bytes, line->bytes, sizeof key.bytes);
    sy_state_key_public(&place, SY_STATE_CREDENTIAL, &key);
    sy_status status = sy_state_view_get(access->view, &value, &place);
    out->anybody = status == SY_ERR_NOT_FOUND;
    if (out->anybody) return true;
    if (status != SY_OK || !sy_credential_decode(&credential, value)) return false;
    out->organisations[0] = credential.holder;
    return true;
}

bool sy_access_parties(struct sy_access_parties *out, const struct sy_access *access, uint8_t kind,
                       const struct sy_hash *id, const struct sy_hash *second)
{
    *out = (struct sy_access_parties){.anybody = false};
    switch (kind) {
    /* Who knows a service well enough to make its key learns that it was billed, not to whom. */
    case SY_STATE_CLAIM_KEY:
    case SY_STATE_PLAN:
    case SY_STATE_SCHEDULE_ROW: out->anybody = true; return true;
    case SY_STATE_COVERAGE:
    case SY_STATE_USED: return of_coverage(out, access, id);
    case SY_STATE_AUTH: return of_auth(out, access, id);
    case SY_STATE_FILL_BILLED: return of_fill(out, access, id, second);
    case SY_STATE_BILLED_DAY: return of_day(out, access, id);
    case SY_STATE_SETTLEMENT: return of_settlement(out, access, id, second);
    case SY_STATE_CLAIM:
    case SY_STATE_DENIED_LINES:
    case SY_STATE_CONTEST:
    case SY_STATE_PAYMENT: return of_claim(out, access, id);
    case SY_STATE_COVERAGES: out->who_sees_patient = true; /* fall through */
    case SY_STATE_CLAIMS:
    case SY_STATE_CLAIM_PLACE:
        out->has_patient = true;
        out->patient = *id;
        return true;
    case SY_STATE_OWED: out->organisations[1] = *second; /* fall through */
    case SY_STATE_BALANCE:
    case SY_STATE_SETTLEMENT_PLACE:
    case SY_STATE_REMITTANCE: out->organisations[0] = *id; return true;
    default: return false;
    }
}

uint8_t sy_access_money_event(uint16_t event_kind)
{
    switch (event_kind) {
    case SY_EVENT_COVERAGE_CHANGED: return SY_STATE_COVERAGE;
    case SY_EVENT_CLAIM_PENDED:
    case SY_EVENT_CLAIM_DECIDED:
    case SY_EVENT_CLAIM_DENIED:
    case SY_EVENT_PAYMENT_MADE:
    case SY_EVENT_CLAIM_REVERSED:
    case SY_EVENT_CLAIM_CONTESTED:
    case SY_EVENT_CLAIM_ANSWERED:
    case SY_EVENT_CLAIM_WITHDRAWN:
    case SY_EVENT_FRAUD_FLAGGED:
    case SY_EVENT_FRAUD_CLEARED: return SY_STATE_CLAIM;
    default: return 0;
    }
}
