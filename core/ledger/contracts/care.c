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
 *   writes   care, open care; patient, if they were said to have died, by the organisation, or
 *            patient or guardians sign now
 *   event    care.opened about the patient, object: the care id
 *
 * care.close (either side answers for it)
 *   there is no such relation, or it is closed            E_CARE_UNKNOWN {care id}
 *   the signer is of neither side; guardians are of the
 *   patient's while there is no key                       E_ROLE {roles of the kind}
 *   it says that the patient died, and is signed by
 *   neither a doctor nor a gateway                        E_ROLE {those}
 *   ... after now                                         E_SCHEMA, path died
 *   ... but the organisation is no hospital or practice,
 *   or neither enrolled the patient nor agreed on the
 *   relation with them or guardians                       E_DEATH_CARE {the organisation}
 *   ... at another time than was said before              E_DEATH_SAID {who said it}
 *   writes   care; patient, if it says that they died and nobody did before; removes open care, so
 *            that its absence can be proven
 *   event    care.closed about the patient, object: the care id
 *
 * That a patient died is what an organisation says that treated them. It holds up claims
 * (claim_fraud.c) and nothing else: keys and guardians act as before. A relation that a gateway
 * opened by itself is no ground for it, or anybody's would be. The first who says it stands, so
 * that nobody moves the day, and who knows another one is told so; who opens care again takes their
 * own word back, and whoever shows that they live, by signing as another relation is opened,
 * anybody's.
 */
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
    bool own = sy_hash_equal(&patient.died_by, &p->org_id);
    if (patient.died && (own || sy_exec_subject_signed(x, &patient))) {
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

/* The organisation treats, and not by its own word alone: patient or guardians agreed, or came to
 * it to be enrolled. Both count under the id that is in use: an id that was merged into it may have
 * been anybody's. */
static bool may_say_died(struct sy_exec *x, const struct sy_care *care, const struct sy_hash *live,
                         const struct sy_patient *patient)
{
    struct sy_org org;
    if (!sy_exec_find_org(x, &org, &care->organisation)) {
        sy_exec_corrupt(x); // a care relation has one
        return false;
    }
    if (org.kind != SY_ORG_HOSPITAL && org.kind != SY_ORG_PRACTICE) return false;
    bool agreed = care->reason == SY_CARE_AGREED && sy_hash_equal(&care->patient, live);
    return agreed || sy_hash_equal(&patient->organisation, &care->organisation);
}

/* Under the id that is in use; what was said before stands. */
static enum sy_refusal say_died(struct sy_exec *x, const struct sy_care *care, int64_t died_ms)
{
    const uint32_t roles = SY_ROLE_BIT(SY_ROLE_DOCTOR) | SY_ROLE_BIT(SY_ROLE_GATEWAY);
    struct sy_patient patient;
    if ((SY_ROLE_BIT(x->by->role) & roles) == 0) return sy_refuse_role(x, roles);
    if (died_ms > x->time_ms) return sy_refuse_path(x, SY_E_SCHEMA, "died");
    struct sy_hash live = sy_exec_live_id(x, &care->patient);
    if (!sy_exec_find_patient(x, &patient, &live)) {
        sy_exec_corrupt(x); // whoever is in care is enrolled
        return SY_E_PATIENT_UNKNOWN;
    }
    if (!may_say_died(x, care, &live, &patient)) {
        return sy_refuse_hash(x, SY_E_DEATH_CARE, &care->organisation);
    }
    if (patient.died && patient.died_ms != died_ms) {
        return sy_refuse_hash(x, SY_E_DEATH_SAID, &patient.died_by);
    }
    if (patient.died) return SY_APPLIED;
    patient.died = true;
    patient.died_ms = died_ms;
    patient.died_by = care->organisation;
    sy_exec_save_patient(x, &live, &patient);
    return SY_APPLIED;
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
    enum sy_refusal code = p->has_died ? say_died(x, &care, p->died) : SY_APPLIED;
    if (code != SY_APPLIED) return code;
    care.closed_height = x->height;
    sy_exec_save_care(x, &p->care_id, &care);
    struct sy_hash key_hash;
    sy_state_key_open_care(&key_hash, &care.patient, &care.organisation);
    sy_exec_remove(x, &key_hash);
    sy_exec_event(x, SY_EVENT_CARE_CLOSED, SY_SUBJECT_PATIENT, &care.patient, &p->care_id);
    return SY_APPLIED;
}
