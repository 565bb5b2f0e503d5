/* device.c: devices: each with a key of its own, an owner, and an organisation that answers for it.
 *
 * device.register (an organisation's admin or a manufacturer's key answers for it)
 *   org_id is not the signer's organisation               E_ROLE {roles of the kind}
 *   the id is taken                                       E_DEVICE_EXISTS {id}
 *   the owner is neither organisation nor patient         E_SCHEMA, path owner_kind
 *   the owner: an organisation that is not registered     E_ORG_UNKNOWN {id}
 *              another one whose admin or gateway did not
 *              sign                                       E_SIGNER_MISSING {owner}
 *              a patient who is not enrolled              E_PATIENT_UNKNOWN {id}
 *              whose id was merged                        E_PATIENT_MERGED {the id in use}
 *              whom org_id does not treat, and neither
 *              the patient nor guardians signed           E_NO_CARE {id}
 *   the window is empty, over, or too long                E_CRED_WINDOW {longest, ms}
 *   device_key is or was enrolled for anything            E_KEY_IN_USE {key}
 *   device_key is not canonical, of small order, ...      E_KEY_WEAK {key}
 *   writes   device, its key's credential with the role device, held by org_id
 *   event    device.added about the owner, object: the device
 *
 * Its key is revoked as any other of the organisation's (cred.revoke), and replaced by itself
 * (key.rotate). What it may read: may.h. The identifier stands here as a salted commitment: a
 * serial number linked to a person identifies the person. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"

/* Did somebody who speaks for this organisation sign? */
static bool organisation_signed(const struct sy_exec *x, const struct sy_hash *org_id)
{
    static const uint32_t speak = SY_ROLE_BIT(SY_ROLE_ORG_ADMIN) | SY_ROLE_BIT(SY_ROLE_GATEWAY);
    for (unsigned i = 0; i < x->signer_count; i++) {
        const struct sy_exec_signer *signer = &x->signers[i];
        bool speaks = signer->valid && (speak & SY_ROLE_BIT(signer->role)) != 0;
        if (speaks && sy_hash_equal(&signer->holder, org_id)) return true;
    }
    return false;
}

static enum sy_refusal check_organisation(struct sy_exec *x, const struct sy_device_register *p)
{
    if (!sy_exec_has(x, SY_STATE_ORG, &p->owner)) {
        return sy_refuse_hash(x, SY_E_ORG_UNKNOWN, &p->owner);
    }
    bool agreed = sy_hash_equal(&p->owner, &p->org_id) || organisation_signed(x, &p->owner);
    return agreed ? SY_APPLIED : sy_refuse_hash(x, SY_E_SIGNER_MISSING, &p->owner);
}

static enum sy_refusal check_patient(struct sy_exec *x, const struct sy_device_register *p)
{
    struct sy_patient patient;
    enum sy_refusal code = sy_exec_live_patient(x, &patient, &p->owner);
    if (code != SY_APPLIED) return code;
    bool agreed =
        sy_exec_treats(x, &patient, &p->owner, &p->org_id) || sy_exec_subject_signed(x, &patient);
    return agreed ? SY_APPLIED : sy_refuse_hash(x, SY_E_NO_CARE, &p->owner);
}

static enum sy_refusal check_owner(struct sy_exec *x, const struct sy_device_register *p)
{
    switch (p->owner_kind) {
    case SY_SUBJECT_ORG: return check_organisation(x, p);
    case SY_SUBJECT_PATIENT: return check_patient(x, p);
    default: return sy_refuse_path(x, SY_E_SCHEMA, "owner_kind");
    }
}

static void save_device(struct sy_exec *x, const struct sy_device_register *p)
{
    struct sy_device device = {
        .key = p->device_key,
        .organisation = p->org_id,
        .owner_kind = (uint8_t)p->owner_kind,
        .owner = p->owner,
        .device_class = p->class,
        .udi_commit = p->udi_commit,
        .height = x->height,
    };
    uint8_t room[256];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_hash key_hash;
    SY_ASSERT(p->owner_kind == SY_SUBJECT_ORG || p->owner_kind == SY_SUBJECT_PATIENT);
    sy_device_encode(&w, &device);
    sy_exec_key(x, &key_hash, SY_STATE_DEVICE, &p->device_id);
    sy_exec_save(x, &key_hash, &w);
}

enum sy_refusal sy_contract_device_register(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_device_register *p = &payload->device_register;
    SY_ASSERT(x->kind->number == SY_KIND_device_register && x->by->valid);
    if (!sy_hash_equal(&x->by->holder, &p->org_id)) return sy_refuse_role(x, x->kind->roles);
    if (sy_exec_has(x, SY_STATE_DEVICE, &p->device_id)) {
        return sy_refuse_hash(x, SY_E_DEVICE_EXISTS, &p->device_id);
    }
    enum sy_refusal code = check_owner(x, p);
    if (code != SY_APPLIED) return code;
    if (!sy_window_good(x, p->not_before, p->not_after)) return SY_E_CRED_WINDOW;
    struct sy_credential credential = {
        .role = SY_ROLE_DEVICE,
        .holder = p->org_id,
        .not_before_ms = p->not_before,
        .not_after_ms = p->not_after,
    };
    code = sy_exec_enrol(x, &p->device_key, &credential);
    if (code != SY_APPLIED) return code;
    save_device(x, p);
    sy_exec_event(x, SY_EVENT_DEVICE_ADDED, (enum sy_subject_kind)p->owner_kind, &p->owner,
                  &p->device_id);
    return SY_APPLIED;
}
