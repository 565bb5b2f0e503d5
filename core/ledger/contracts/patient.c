/* patient.c: patients: enrolled by an organisation, with a key of their own or unclaimed.
 *
 * patient.enrol (an organisation's admin or gateway answers for it)
 *   the id is taken, by a patient or an organisation      E_PATIENT_EXISTS {id}
 *   more guardians needed than named, or none of some     E_SCHEMA, path guardian_needed
 *   with wallet_key:
 *     wallet_key did not sign the transaction             E_SIGNER_MISSING {wallet_key}
 *     its possession names another organisation           E_POSSESSION {organisation}
 *     the key is or was enrolled for anything             E_KEY_IN_USE {key}
 *     the key is not canonical, of small order, ...       E_KEY_WEAK {key}
 *   writes   patient, the wallet's credential
 *   event    patient.enrolled about the patient, object: the organisation
 *
 * patient.claim (an organisation's admin or gateway answers for it)
 *   the patient is not enrolled                           E_PATIENT_UNKNOWN {id}
 *   the id was merged                                     E_PATIENT_MERGED {the id in use}
 *   the organisation neither enrolled nor treats them     E_NO_CARE {id}
 *   the patient has a key                                 E_PATIENT_CLAIMED {id}
 *   too few of the patient's guardians signed             E_NOT_SUBJECT {id}
 *   wallet_key as above
 *   writes   patient, the wallet's credential
 *   event    patient.claimed about the patient, object: the organisation
 *
 * The possession of a wallet key names the transaction's organisation, so that a key cannot be
 * enrolled by somebody else than its holder meant; in an atomic transaction the payload may be
 * answered for by another signer, whose organisation must then be the same. A patient's key has no
 * end of validity: a person does not lapse. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"

/* Enrols wallet_key as the patient's. */
static enum sy_refusal enrol_wallet(struct sy_exec *x, const struct sy_hash *patient_id,
                                    const struct sy_public_key *wallet_key,
                                    const struct sy_public_key *x25519_key)
{
    SY_ASSERT(sy_exec_acts_for_org(x->by->role));
    if (sy_exec_signer(x, wallet_key) == NULL) {
        return sy_refuse_key(x, SY_E_SIGNER_MISSING, wallet_key);
    }
    if (!sy_hash_equal(&x->tx->organisation, &x->by->holder)) {
        return sy_refuse_hash(x, SY_E_POSSESSION, &x->tx->organisation);
    }
    struct sy_credential credential = {
        .role = SY_ROLE_PATIENT,
        .holder = *patient_id,
        .not_before_ms = x->time_ms,
        .not_after_ms = INT64_MAX,
        .has_x25519_key = x25519_key != NULL,
    };
    if (x25519_key != NULL) credential.x25519_key = *x25519_key;
    return sy_exec_enrol(x, wallet_key, &credential);
}

enum sy_refusal sy_contract_patient_enrol(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_patient_enrol *p = &payload->patient_enrol;
    SY_ASSERT(x->kind->number == SY_KIND_patient_enrol);
    SY_ASSERT(x->by->valid && sy_exec_acts_for_org(x->by->role));
    // Credentials name their holder by id alone, so no patient has an organisation's.
    if (sy_exec_has(x, SY_STATE_PATIENT, &p->patient_id) ||
        sy_exec_has(x, SY_STATE_ORG, &p->patient_id)) {
        return sy_refuse_hash(x, SY_E_PATIENT_EXISTS, &p->patient_id);
    }
    if (!sy_guardians_fit(p->guardian_needed, &p->guardians)) {
        return sy_refuse_path(x, SY_E_SCHEMA, "guardian_needed");
    }
    struct sy_patient patient = {
        .organisation = x->by->holder,
        .claimed = p->has_wallet_key,
        .has_x25519_key = p->has_x25519_key,
        .wallet_key = p->wallet_key,
        .x25519_key = p->x25519_key,
        .enrolled_height = x->height,
        .guardians_needed = p->guardian_needed,
        .guardians = p->guardians,
    };
    sy_exec_save_patient(x, &p->patient_id, &patient);
    if (p->has_wallet_key) {
        enum sy_refusal code = enrol_wallet(x, &p->patient_id, &p->wallet_key,
                                            p->has_x25519_key ? &p->x25519_key : NULL);
        if (code != SY_APPLIED) return code;
    }
    sy_exec_event(x, SY_EVENT_PATIENT_ENROLLED, SY_SUBJECT_PATIENT, &p->patient_id, &x->by->holder);
    return SY_APPLIED;
}

enum sy_refusal sy_contract_patient_claim(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_patient_claim *p = &payload->patient_claim;
    SY_ASSERT(x->kind->number == SY_KIND_patient_claim);
    SY_ASSERT(x->by->valid && sy_exec_acts_for_org(x->by->role));
    struct sy_patient patient;
    enum sy_refusal code = sy_exec_live_patient(x, &patient, &p->patient_id);
    if (code != SY_APPLIED) return code;
    if (!sy_exec_treats(x, &patient, &p->patient_id, &x->by->holder)) {
        return sy_refuse_hash(x, SY_E_NO_CARE, &p->patient_id);
    }
    if (patient.claimed) return sy_refuse_hash(x, SY_E_PATIENT_CLAIMED, &p->patient_id);
    // Whom guardians speak for is not taken from them by an organisation.
    if (patient.guardians_needed > 0 && !sy_exec_guardians_signed(x, &patient)) {
        return sy_refuse_hash(x, SY_E_NOT_SUBJECT, &p->patient_id);
    }
    patient.claimed = true;
    patient.wallet_key = p->wallet_key;
    patient.has_x25519_key = true;
    patient.x25519_key = p->x25519_key;
    sy_exec_save_patient(x, &p->patient_id, &patient);
    code = enrol_wallet(x, &p->patient_id, &p->wallet_key, &p->x25519_key);
    if (code != SY_APPLIED) return code;
    sy_exec_event(x, SY_EVENT_PATIENT_CLAIMED, SY_SUBJECT_PATIENT, &p->patient_id, &x->by->holder);
    return SY_APPLIED;
}
