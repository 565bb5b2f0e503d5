/* key.c: a key is replaced by another one of the same holder.
 *
 * key.rotate (any key that signs transactions answers for it)
 *   old_key has no credential for signing transactions    E_CRED_UNKNOWN {key}
 *   role is not its role                                  E_ROLE {its role}, path role
 *   another key answers, and old_key is no patient's or
 *   too few of the patient's guardians signed             E_NOT_HOLDER {key}
 *   it was replaced before                                E_CRED_STATE {key}
 *   it is a regulator's, and fewer than regulators_needed
 *   regulators signed, itself included                    E_REGULATORS {how many are needed}
 *   the possession names another organisation             E_POSSESSION {organisation}
 *   new_key is or was enrolled for anything               E_KEY_IN_USE {key}
 *   new_key is not canonical, of small order, ...         E_KEY_WEAK {key}
 *   writes   both credentials; the patient, if it is a patient's
 *   event    key.rotated about the patient, or about old_key; object: new_key
 *
 * The new key has the old one's role, holder, window, scope and rights: nobody gets longer or wider
 * in this way. The old one is revoked at once, as superseded, and names its successor; the new one
 * names the first key of the line, which stands for the holder in consents, in lists of guardians
 * and in emergency accesses (state.h). So a doctor can leave neither a denial nor a review behind.
 *
 * Guardians replace a patient's key that is lost, stolen, or revoked by a regulator. One
 * regulator's key is not enough to replace a regulator's, because nobody could revoke what a thief
 * put there. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"

/* May those who signed replace it? */
static enum sy_refusal check_holder(struct sy_exec *x, const struct sy_key_rotate *p,
                                    const struct sy_credential *old)
{
    struct sy_patient patient;
    SY_ASSERT(old->use == SY_KEY_TX && old->role == p->role);
    if (sy_public_key_equal(&x->by->key, &p->old_key)) return SY_APPLIED;
    bool guarded = old->role == SY_ROLE_PATIENT &&
                   sy_exec_find_patient(x, &patient, &old->holder) &&
                   sy_exec_guardians_signed(x, &patient);
    return guarded ? SY_APPLIED : sy_refuse_key(x, SY_E_NOT_HOLDER, &p->old_key);
}

static enum sy_refusal check_old(struct sy_exec *x, const struct sy_key_rotate *p,
                                 const struct sy_credential *old)
{
    if (old->role != p->role) {
        (void)sy_refuse_path(x, SY_E_ROLE, "role");
        return sy_refuse_role(x, SY_ROLE_BIT(old->role));
    }
    enum sy_refusal code = check_holder(x, p, old);
    if (code != SY_APPLIED) return code;
    if (old->has_successor) return sy_refuse_key(x, SY_E_CRED_STATE, &p->old_key);
    bool regulator = old->role == SY_ROLE_REGULATOR;
    if (regulator && sy_exec_count_regulators(x) < x->params.regulators_needed) {
        x->detail = x->params.regulators_needed;
        return SY_E_REGULATORS;
    }
    bool acts = sy_exec_acts_for_org(old->role);
    if (acts && !sy_hash_equal(&x->tx->organisation, &old->holder)) {
        return sy_refuse_hash(x, SY_E_POSSESSION, &x->tx->organisation);
    }
    return SY_APPLIED;
}

static enum sy_refusal enrol_new(struct sy_exec *x, const struct sy_key_rotate *p,
                                 const struct sy_credential *old)
{
    struct sy_hash line = sy_credential_line(old, &p->old_key);
    struct sy_credential credential = {
        .role = old->role,
        .holder = old->holder,
        .not_before_ms = x->time_ms,
        .not_after_ms = old->not_after_ms,
        .has_x25519_key = old->has_x25519_key || p->has_x25519_key,
        .x25519_key = p->has_x25519_key ? p->x25519_key : old->x25519_key,
        .specialty = old->specialty,
        .scope = old->scope,
        .break_glass = old->break_glass,
        .has_line = true,
    };
    memcpy(credential.line.bytes, line.bytes, sizeof line.bytes);
    return sy_exec_enrol(x, &p->new_key, &credential);
}

/* A regulator may have revoked it before, for a reason that stays. */
static void retire_old(struct sy_exec *x, const struct sy_key_rotate *p, struct sy_credential *old)
{
    SY_ASSERT(!old->has_successor && x->height > 0);
    if (!old->revoked) {
        old->revoked = true;
        old->revoked_at_ms = x->time_ms;
        old->revoke_reason = SY_REVOKE_SUPERSEDED;
        old->revoked_height = x->height;
    }
    old->has_successor = true;
    old->successor = p->new_key;
    sy_exec_save_credential(x, &p->old_key, old);
}

/* The patient's entry names the key that is theirs now. */
static void hand_over(struct sy_exec *x, const struct sy_key_rotate *p,
                      const struct sy_hash *patient_id)
{
    struct sy_patient patient;
    if (!sy_exec_find_patient(x, &patient, patient_id)) {
        sy_exec_corrupt(x);
        return;
    }
    patient.wallet_key = p->new_key;
    if (p->has_x25519_key) {
        patient.has_x25519_key = true;
        patient.x25519_key = p->x25519_key;
    }
    sy_exec_save_patient(x, patient_id, &patient);
}

enum sy_refusal sy_contract_key_rotate(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_key_rotate *p = &payload->key_rotate;
    SY_ASSERT(x->kind->number == SY_KIND_key_rotate && x->by->valid);
    struct sy_credential old;
    if (!sy_exec_find_credential(x, &old, &p->old_key) || old.use != SY_KEY_TX) {
        return sy_refuse_key(x, SY_E_CRED_UNKNOWN, &p->old_key);
    }
    enum sy_refusal code = check_old(x, p, &old);
    if (code != SY_APPLIED) return code;
    // The new one borrows from the old one's entry, so that it is written first.
    code = enrol_new(x, p, &old);
    if (code != SY_APPLIED) return code;
    retire_old(x, p, &old);
    struct sy_hash about = sy_hash_of_key(&p->old_key), to = sy_hash_of_key(&p->new_key);
    if (old.role == SY_ROLE_PATIENT) {
        hand_over(x, p, &old.holder);
        sy_exec_event(x, SY_EVENT_KEY_ROTATED, SY_SUBJECT_PATIENT, &old.holder, &to);
    } else {
        sy_exec_event(x, SY_EVENT_KEY_ROTATED, SY_SUBJECT_KEY, &about, &to);
    }
    return SY_APPLIED;
}
