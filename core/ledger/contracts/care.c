/* care.c: care relations: an organisation treats a patient until the relation is closed.
 *
 * care.open (either side answers for it)
 *   the patient is not enrolled                           E_PATIENT_UNKNOWN {id}
 *   the id was merged                                     E_PATIENT_MERGED {the id in use}
 *   the organisation is not registered                    E_ORG_UNKNOWN {id}
 *   the care id is taken, or the organisation holds an
 *   open relation with this patient                       E_CARE_EXISTS {care id}
 *   no gateway, admin, doctor or nurse of org_id signed   E_SIGNER_MISSING {org id}
 *   neither the patient nor guardians signed, unless the
 *   organisation signed as gateway and the reason is not
 *   `agreed`                                              E_SIGNER_MISSING {patient id}
 *   writes   care, open care; patient, if the organisation had said that the patient died
 *   event    care.opened about the patient, object: the care id
 *
 * care.close (either side answers for it)
 *   there is no such relation, or it is closed            E_CARE_UNKNOWN {care id}
 *   the signer is of neither side; guardians are of the
 *   patient's while there is no key                       E_ROLE {roles of the kind}
 *   it says that the patient died, and is signed by
 *   neither a doctor nor a gateway                        E_ROLE {those}
 *   ... after now                                         E_SCHEMA, path died
 *   writes   care; patient, if it says that they died and nobody did before; removes open care, so
 *            that its absence can be proven
 *   event    care.closed about the patient, object: the care id
 *
 * That a patient died is what an organisation says that treated them. It holds up claims
 * (claim_fraud.c) and nothing else: keys and guardians act as before. The first who says it stands,
 * so that nobody who has care opened can move the day; who opens care again takes their own word
 * back. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"

static const uint32_t org_side = SY_ROLE_BIT(SY_ROLE_GATEWAY) | SY_ROLE_BIT(SY_ROLE_ORG_ADMIN) |
                                 SY_ROLE_BIT(SY_ROLE_DOCTOR) | SY_ROLE_BIT(SY_ROLE_NURSE);

/* Did a signer with one of these roles, acting for holder, sign? */
static bool signed_by(const struct sy_exec *x, uint32_t roles, const struct sy_hash *holder)
{
    SY_ASSERT(x->signer_count >= 1 && x->signer_count <= SY_TX_SIGNERS_MAX);
    for (unsigned i = 0; i < x->signer_count; i++) {
        const struct sy_exec_signer *signer = &x->signers[i];
        if (signer->valid && (roles & SY_ROLE_BIT(signer->role)) != 0 &&
            sy_hash_equal(&signer->holder, holder)) {
            return true;
        }
    }
    return false;
}

/* Both sides, or a gateway with a reason of its own. */
static enum sy_refusal check_sides(struct sy_exec *x, const struct sy_care_open *p,
                                   const struct sy_patient *patient)
{
    SY_ASSERT(x->by->known);
    if (!signed_by(x, org_side, &p->org_id)) {
        return sy_refuse_hash(x, SY_E_SIGNER_MISSING, &p->org_id);
    }
    if (sy_exec_subject_signed(x, patient)) return SY_APPLIED;
    bool alone =
        p->reason != SY_CARE_AGREED && signed_by(x, SY_ROLE_BIT(SY_ROLE_GATEWAY), &p->org_id);
    return alone ? SY_APPLIED : sy_refuse_hash(x, SY_E_SIGNER_MISSING, &p->patient_id);
}

enum sy_refusal sy_contract_care_open(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_care_open *p = &payload->care_open;
    SY_ASSERT(x->kind->number == SY_KIND_care_open);
    SY_ASSERT(x->by->valid && x->height > 0);
    struct sy_patient patient;
    enum sy_refusal code = sy_exec_live_patient(x, &patient, &p->patient_id);
    if (code != SY_APPLIED) return code;
    if (!sy_exec_has(x, SY_STATE_ORG, &p->org_id)) {
        return sy_refuse_hash(x, SY_E_ORG_UNKNOWN, &p->org_id);
    }
    if (sy_exec_has(x, SY_STATE_CARE, &p->care_id)) {
        return sy_refuse_hash(x, SY_E_CARE_EXISTS, &p->care_id);
    }
    struct sy_hash other;
    if (sy_exec_find_open_care(x, &other, &p->patient_id, &p->org_id)) {
        return sy_refuse_hash(x, SY_E_CARE_EXISTS, &other);
    }
    code = check_sides(x, p, &patient);
    if (code != SY_APPLIED) return code;
    struct sy_care care = {
        .patient = p->patient_id,
        .organisation = p->org_id,
        .reason = p->reason,
        .opened_height = x->height,
    };
    sy_exec_save_care(x, &p->care_id, &care);
    struct sy_hash key_hash;
    sy_state_key_open_care(&key_hash, &p->patient_id, &p->org_id);
    uint8_t room[32];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_id_encode(&w, &p->care_id);
    sy_exec_save(x, &key_hash, &w);
    if (patient.died && sy_hash_equal(&patient.died_by, &p->org_id)) {
        patient.died = false;
        sy_exec_save_patient(x, &p->patient_id, &patient);
    }
    sy_exec_event(x, SY_EVENT_CARE_OPENED, SY_SUBJECT_PATIENT, &p->patient_id, &p->care_id);
    return SY_APPLIED;
}

/* Who answers is the patient, under an id that was merged, too, or guardians signed: while there is
 * no key they may, as they may revoke consents. */
static bool is_patients_side(struct sy_exec *x, const struct sy_hash *patient_id)
{
    struct sy_patient patient;
    struct sy_hash live = sy_exec_live_id(x, patient_id);
    if (sy_hash_equal(&x->by->holder, &live)) return true;
    return sy_exec_find_patient(x, &patient, &live) && !patient.claimed &&
           sy_exec_guardians_signed(x, &patient);
}

static enum sy_refusal check_death(struct sy_exec *x, const struct sy_care_close *p)
{
    const uint32_t roles = SY_ROLE_BIT(SY_ROLE_DOCTOR) | SY_ROLE_BIT(SY_ROLE_GATEWAY);
    if (!p->has_died) return SY_APPLIED;
    if ((SY_ROLE_BIT(x->by->role) & roles) == 0) return sy_refuse_role(x, roles);
    return p->died <= x->time_ms ? SY_APPLIED : sy_refuse_path(x, SY_E_SCHEMA, "died");
}

/* Under the id that is in use; what was said before stands. */
static void say_died(struct sy_exec *x, const struct sy_care *care, int64_t died_ms)
{
    struct sy_patient patient;
    struct sy_hash live = sy_exec_live_id(x, &care->patient);
    if (!sy_exec_find_patient(x, &patient, &live)) {
        sy_exec_corrupt(x); // whoever is in care is enrolled
        return;
    }
    if (patient.died) return;
    patient.died = true;
    patient.died_ms = died_ms;
    patient.died_by = care->organisation;
    sy_exec_save_patient(x, &live, &patient);
}

enum sy_refusal sy_contract_care_close(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_care_close *p = &payload->care_close;
    SY_ASSERT(x->kind->number == SY_KIND_care_close);
    SY_ASSERT(x->by->valid && x->height > 0); // 0 would mean that it is still open
    struct sy_care care;
    if (!sy_exec_find_care(x, &care, &p->care_id) || care.closed_height != 0) {
        return sy_refuse_hash(x, SY_E_CARE_UNKNOWN, &p->care_id);
    }
    bool patients = x->by->role == SY_ROLE_PATIENT;
    bool side = patients ? is_patients_side(x, &care.patient)
                         : sy_hash_equal(&x->by->holder, &care.organisation);
    if (!side) return sy_refuse_role(x, x->kind->roles);
    enum sy_refusal code = check_death(x, p);
    if (code != SY_APPLIED) return code;
    if (p->has_died) say_died(x, &care, p->died);
    care.closed_height = x->height;
    sy_exec_save_care(x, &p->care_id, &care);
    struct sy_hash key_hash;
    sy_state_key_open_care(&key_hash, &care.patient, &care.organisation);
    sy_exec_remove(x, &key_hash);
    sy_exec_event(x, SY_EVENT_CARE_CLOSED, SY_SUBJECT_PATIENT, &care.patient, &p->care_id);
    return SY_APPLIED;
}
