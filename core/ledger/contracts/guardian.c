/* guardian.c: guardians, m of n, speak for a patient who cannot.
 *
 * guardian.act (the patient, a guardian, or an organisation's admin answers for it)
 *   the patient is not enrolled                           E_PATIENT_UNKNOWN {id}
 *   the id was merged                                     E_PATIENT_MERGED {the id in use}
 *   to replace the guardians: the patient's key did not
 *   sign; where there is none, too few guardians; where
 *   there are none, no admin of the organisation that
 *   enrolled the patient                                  E_NOT_SUBJECT {id}
 *   to agree or refuse: too few guardians signed          E_NOT_SUBJECT {id}
 *   more guardians needed than named, or none of some     E_SCHEMA, path guardian_needed
 *   guardians named to agree or refuse                    E_SCHEMA, path guardians
 *   a statement to replace, or none to agree or refuse    E_SCHEMA, path statement
 *   writes   patient
 *   event    guardian.acted about the patient, object: the statement, or the patient
 *
 * What else guardians do has kinds of its own: consents (consent.c), care (care.c), merges
 * (merge.c), a wallet (patient.c), and another one in its place (key.c). An organisation names the
 * first guardians, at enrolment or later, and can name no others: from then on it is for them, and
 * from the claim on for the patient, who may dismiss them. What they agree to or refuse is a
 * commitment; its proof is the receipt. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"

bool sy_guardians_fit(unsigned needed, const struct sy_list *guardians)
{
    SY_ASSERT(guardians->count <= SY_GUARDIANS_MAX); // by its field's rule
    return needed <= guardians->count && (guardians->count > 0) == (needed > 0);
}

/* An admin of the organisation that enrolled the patient. */
static bool organisation_signed(const struct sy_exec *x, const struct sy_patient *patient)
{
    for (unsigned i = 0; i < x->signer_count; i++) {
        const struct sy_exec_signer *signer = &x->signers[i];
        bool admin = signer->valid && signer->role == SY_ROLE_ORG_ADMIN;
        if (admin && sy_hash_equal(&signer->holder, &patient->organisation)) return true;
    }
    return false;
}

static bool may_act(struct sy_exec *x, const struct sy_patient *patient, uint16_t action)
{
    SY_ASSERT(action != 0);
    if (action != SY_GUARDIANS_REPLACE) return sy_exec_guardians_signed(x, patient);
    if (patient->claimed) return sy_exec_wallet_signed(x, patient);
    if (patient->guardians_needed > 0) return sy_exec_guardians_signed(x, patient);
    return organisation_signed(x, patient);
}

static enum sy_refusal check_fields(struct sy_exec *x, const struct sy_guardian_act *p)
{
    bool replaces = p->action == SY_GUARDIANS_REPLACE;
    if (!sy_guardians_fit(p->guardian_needed, &p->guardians)) {
        return sy_refuse_path(x, SY_E_SCHEMA, "guardian_needed");
    }
    if (!replaces && p->guardians.count > 0) return sy_refuse_path(x, SY_E_SCHEMA, "guardians");
    if (replaces == p->has_statement) return sy_refuse_path(x, SY_E_SCHEMA, "statement");
    return SY_APPLIED;
}

enum sy_refusal sy_contract_guardian_act(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_guardian_act *p = &payload->guardian_act;
    SY_ASSERT(x->kind->number == SY_KIND_guardian_act && x->by->valid);
    struct sy_patient patient;
    enum sy_refusal code = sy_exec_live_patient(x, &patient, &p->patient_id);
    if (code != SY_APPLIED) return code;
    if (!may_act(x, &patient, p->action)) {
        return sy_refuse_hash(x, SY_E_NOT_SUBJECT, &p->patient_id);
    }
    code = check_fields(x, p);
    if (code != SY_APPLIED) return code;
    if (p->action == SY_GUARDIANS_REPLACE) {
        patient.guardians_needed = p->guardian_needed;
        patient.guardians = p->guardians;
        sy_exec_save_patient(x, &p->patient_id, &patient);
    }
    sy_exec_event(x, SY_EVENT_GUARDIAN_ACTED, SY_SUBJECT_PATIENT, &p->patient_id,
                  p->has_statement ? &p->statement : &p->patient_id);
    return SY_APPLIED;
}
