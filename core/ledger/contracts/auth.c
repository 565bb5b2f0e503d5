/* auth.c: what payers authorise before it is rendered.
 *
 * auth.request (a doctor or gateway of the organisation that asks)
 *   the patient is not enrolled, or was merged            E_PATIENT_UNKNOWN {id}, E_PATIENT_MERGED
 *   the signer may not write to the patient's records
 *   for payment, see may.h                                E_CONSENT {the denial}, E_NO_CARE {id}
 *   the id is taken                                       E_AUTH_EXISTS {authorisation id}
 *   there is no such coverage                             E_COVERAGE_UNKNOWN {coverage id}
 *   it is another patient's                               C31 {the patient}
 *   no code, or one that is not system:code               E_SCHEMA, path codes or codes[i]
 *   from is after until, or until before now              E_AUTH_WINDOW {until}
 *   writes   authorisation
 *   events   auth.requested about the payer and about the patient, object: the authorisation
 *
 * auth.decide (a payer's key answers for it)
 *   there is no such authorisation                        E_AUTH_UNKNOWN {authorisation id}
 *   it is another payer's                                 E_NOT_PAYER {that payer}
 *   it was decided                                        E_AUTH_STATE {its status}
 *   more units are granted than were asked for            E_AUTH_UNITS {those asked for}
 *   until is before from, or after what was asked for     E_AUTH_WINDOW {that}
 *   writes   authorisation
 *   events   auth.decided about the patient and about the organisation that asked, object: the
 *            authorisation
 *
 * What is denied says nothing about until, which is not looked at then. Whoever bills may name an
 * authorisation, not only who asked for it: it is the patient's (claim.c says when it counts). */
#include "core/base/assert.h"
#include "core/ledger/contracts/claim_rules.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/money_state.h"

static enum sy_refusal check_codes(struct sy_exec *x, const struct sy_list *codes)
{
    struct sy_slice text;
    unsigned number = 0;
    if (codes->count == 0) return sy_refuse_path(x, SY_E_SCHEMA, "codes");
    for (size_t offset = 0; sy_list_next_text(codes, &offset, &text); number++) {
        if (!sy_claim_code_good(text)) {
            return sy_money_refuse_item(x, SY_E_SCHEMA, "codes", number);
        }
    }
    return SY_APPLIED;
}

static enum sy_refusal refuse_window(struct sy_exec *x, int64_t until_ms)
{
    x->detail = (uint64_t)until_ms;
    return SY_E_AUTH_WINDOW;
}

static enum sy_refusal check_request(struct sy_exec *x, struct sy_coverage *coverage,
                                     const struct sy_auth_request *p)
{
    if (sy_exec_has(x, SY_STATE_AUTH, &p->auth_id)) {
        return sy_refuse_hash(x, SY_E_AUTH_EXISTS, &p->auth_id);
    }
    if (!sy_money_find_coverage(x, coverage, &p->coverage_id)) {
        return sy_refuse_hash(x, SY_E_COVERAGE_UNKNOWN, &p->coverage_id);
    }
    struct sy_hash covered = sy_exec_live_id(x, &coverage->patient);
    if (!sy_hash_equal(&covered, &p->patient_id)) return sy_refuse_hash(x, SY_C31, &p->patient_id);
    enum sy_refusal code = check_codes(x, &p->codes);
    if (code != SY_APPLIED) return code;
    if (p->from > p->until || p->until < x->time_ms) return refuse_window(x, p->until);
    return SY_APPLIED;
}

enum sy_refusal sy_contract_auth_request(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_auth_request *p = &payload->auth_request;
    SY_ASSERT(x->kind->number == SY_KIND_auth_request && x->by->valid);
    struct sy_patient patient;
    struct sy_coverage coverage;
    enum sy_refusal code = sy_exec_live_patient(x, &patient, &p->patient_id);
    if (code == SY_APPLIED) code = sy_money_check_writing(x, &p->patient_id);
    if (code == SY_APPLIED) code = check_request(x, &coverage, p);
    if (code != SY_APPLIED) return code;
    struct sy_auth auth = {.patient = p->patient_id,
                           .coverage = p->coverage_id,
                           .plan = coverage.plan,
                           .payer = coverage.payer,
                           .organisation = x->by->holder,
                           .status = SY_AUTH_ASKED,
                           .asked = p->units,
                           .from_ms = p->from,
                           .until_ms = p->until,
                           .height = x->height,
                           .has_evidence = p->has_evidence_hash,
                           .codes = p->codes};
    if (auth.has_evidence) auth.evidence = p->evidence_hash;
    sy_money_save_auth(x, &p->auth_id, &auth);
    sy_exec_event(x, SY_EVENT_AUTH_REQUESTED, SY_SUBJECT_ORG, &auth.payer, &p->auth_id);
    sy_exec_event(x, SY_EVENT_AUTH_REQUESTED, SY_SUBJECT_PATIENT, &auth.patient, &p->auth_id);
    return SY_APPLIED;
}

enum sy_refusal sy_contract_auth_decide(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_auth_decide *p = &payload->auth_decide;
    SY_ASSERT(x->kind->number == SY_KIND_auth_decide && x->by->role == SY_ROLE_PAYER);
    struct sy_auth auth;
    if (!sy_money_find_auth(x, &auth, &p->auth_id)) {
        return sy_refuse_hash(x, SY_E_AUTH_UNKNOWN, &p->auth_id);
    }
    if (!sy_hash_equal(&auth.payer, &x->by->holder)) {
        return sy_refuse_hash(x, SY_E_NOT_PAYER, &auth.payer);
    }
    if (auth.status != SY_AUTH_ASKED) {
        x->detail = auth.status;
        return SY_E_AUTH_STATE;
    }
    if (p->units > auth.asked) {
        x->detail = auth.asked;
        return SY_E_AUTH_UNITS;
    }
    if (p->units > 0) {
        bool within = p->until >= auth.from_ms && p->until <= auth.until_ms;
        if (!within) return refuse_window(x, auth.until_ms);
        auth.until_ms = p->until;
    }
    auth.status = p->units > 0 ? SY_AUTH_GRANTED : SY_AUTH_DENIED;
    auth.granted = p->units;
    auth.decided_ms = x->time_ms;
    auth.decided_height = x->height;
    sy_money_save_auth(x, &p->auth_id, &auth);
    sy_exec_event(x, SY_EVENT_AUTH_DECIDED, SY_SUBJECT_PATIENT, &auth.patient, &p->auth_id);
    sy_exec_event(x, SY_EVENT_AUTH_DECIDED, SY_SUBJECT_ORG, &auth.organisation, &p->auth_id);
    return SY_APPLIED;
}
