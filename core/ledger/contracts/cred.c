/* cred.c: credentials: which key may act in which role for which organisation.
 *
 * cred.issue (an organisation admin or a regulator answers for it)
 *   the organisation is not registered                    E_ORG_UNKNOWN {id}
 *   an admin's key: signed by no regulator                E_ROLE {regulator}
 *   another key: not signed by an admin of org_id         E_ROLE {organisation admin}
 *   the organisation is suspended                         E_ORG_SUSPENDED {id}
 *   the organisation's kind has no such role (table)      E_ROLE_KIND {role}
 *   the window is empty, over, or longer than the
 *   network's credential_ms_max                           E_CRED_WINDOW {longest, ms}
 *   the key is or was enrolled for anything               E_KEY_IN_USE {key}
 *   the key is not canonical, of small order, ...         E_KEY_WEAK {key}
 *   writes   credential
 *   event    cred.issued about the key, object: the organisation
 *
 * cred.revoke (an organisation admin or a regulator answers for it)
 *   the key has no credential for signing transactions    E_CRED_UNKNOWN {key}
 *   it is a regulator's own                               E_ROLE {validator operator}
 *   signed by neither an admin of the credential's
 *   organisation nor a regulator                          E_ROLE {organisation admin, regulator}
 *   `at` lies after block time                            E_SCHEMA, path at
 *   it was revoked before                                 E_CRED_STATE {key}
 *   writes   credential
 *   event    cred.revoked about the key, object: who acts with it
 *
 * A device's key comes with the device (device.c), not from here. Regulators stand in the genesis
 * and change with the network's rules, so one regulator cannot remove the others. A revoked key
 * stays known for ever: it can never be enrolled again. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"

#define BIT(role) SY_ROLE_BIT(SY_ROLE_##role)

/* Any organisation has admins, systems of its own, and somebody who audits it. */
#define EVERYWHERE (BIT(ORG_ADMIN) | BIT(GATEWAY) | BIT(AUDITOR))

/* clang-format off */
static const uint32_t roles_of_kind[SY_ORG_KIND_COUNT] = {
    [SY_ORG_HOSPITAL] = EVERYWHERE | BIT(DOCTOR) | BIT(NURSE) | BIT(PHARMACIST) | BIT(LAB) |
                        BIT(DISPENSER) | BIT(INVESTIGATOR) | BIT(ETHICS) | BIT(RESEARCHER),
    [SY_ORG_PRACTICE] = EVERYWHERE | BIT(DOCTOR) | BIT(NURSE) | BIT(LAB) | BIT(INVESTIGATOR),
    [SY_ORG_PHARMACY] = EVERYWHERE | BIT(PHARMACIST) | BIT(DISPENSER),
    [SY_ORG_LABORATORY] = EVERYWHERE | BIT(LAB) | BIT(DOCTOR),
    [SY_ORG_PAYER] = EVERYWHERE | BIT(PAYER),
    [SY_ORG_MANUFACTURER] = EVERYWHERE | BIT(MANUFACTURER),
    [SY_ORG_WHOLESALER] = EVERYWHERE | BIT(WHOLESALER),
    [SY_ORG_SPONSOR] = EVERYWHERE | BIT(SPONSOR) | BIT(INVESTIGATOR),
    [SY_ORG_RESEARCH] = EVERYWHERE | BIT(RESEARCHER) | BIT(INVESTIGATOR) | BIT(ETHICS),
    [SY_ORG_AUTHORITY] = EVERYWHERE | BIT(ETHICS) | BIT(RESEARCHER),
};
/* clang-format on */

bool sy_role_fits_org(unsigned role, unsigned org_kind)
{
    SY_ASSERT(org_kind < SY_ORG_KIND_COUNT);
    SY_ASSERT(role < SY_ROLE_COUNT);
    return (roles_of_kind[org_kind] & SY_ROLE_BIT(role)) != 0;
}

/* Who may issue it: a regulator for admins, an admin of the organisation for everybody else. */
static enum sy_refusal check_issuer(struct sy_exec *x, const struct sy_cred_issue *p)
{
    SY_ASSERT(x->by->role == SY_ROLE_ORG_ADMIN || x->by->role == SY_ROLE_REGULATOR);
    if (p->role == SY_ROLE_ORG_ADMIN) {
        return x->by->role == SY_ROLE_REGULATOR ? SY_APPLIED : sy_refuse_role(x, BIT(REGULATOR));
    }
    bool own_admin = x->by->role == SY_ROLE_ORG_ADMIN && sy_hash_equal(&x->by->holder, &p->org_id);
    return own_admin ? SY_APPLIED : sy_refuse_role(x, BIT(ORG_ADMIN));
}

bool sy_window_good(struct sy_exec *x, int64_t not_before, int64_t not_after)
{
    // Times are 0 .. SY_TIME_MS_MAX by their field's rule, so the difference cannot wrap.
    SY_ASSERT(not_before >= 0 && not_before <= SY_TIME_MS_MAX);
    SY_ASSERT(not_after >= 0 && not_after <= SY_TIME_MS_MAX);
    bool good = not_before < not_after && not_after > x->time_ms &&
                not_after - not_before <= x->params.credential_ms_max;
    if (!good) x->detail = (uint64_t)x->params.credential_ms_max;
    return good;
}

enum sy_refusal sy_contract_cred_issue(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_cred_issue *p = &payload->cred_issue;
    SY_ASSERT(x->kind->number == SY_KIND_cred_issue && x->by->valid);
    SY_ASSERT(p->role != 0 && p->role < SY_ROLE_COUNT);
    struct sy_org org;
    if (!sy_exec_find_org(x, &org, &p->org_id)) {
        return sy_refuse_hash(x, SY_E_ORG_UNKNOWN, &p->org_id);
    }
    enum sy_refusal code = check_issuer(x, p);
    if (code != SY_APPLIED) return code;
    if (org.suspended) return sy_refuse_hash(x, SY_E_ORG_SUSPENDED, &p->org_id);
    if (!sy_role_fits_org(p->role, org.kind)) {
        x->detail = p->role;
        return SY_E_ROLE_KIND;
    }
    if (!sy_window_good(x, p->not_before, p->not_after)) return SY_E_CRED_WINDOW;
    struct sy_credential credential = {
        .role = (uint8_t)p->role,
        .holder = p->org_id,
        .not_before_ms = p->not_before,
        .not_after_ms = p->not_after,
        .has_x25519_key = true,
        .x25519_key = p->x25519_key,
        .specialty = p->specialty,
        .scope = p->scope,
        .break_glass = p->has_break_glass && p->break_glass,
    };
    code = sy_exec_enrol(x, &p->subject_key, &credential);
    if (code != SY_APPLIED) return code;
    struct sy_hash subject = sy_hash_of_key(&p->subject_key);
    sy_exec_event(x, SY_EVENT_CRED_ISSUED, SY_SUBJECT_KEY, &subject, &p->org_id);
    return SY_APPLIED;
}

/* Who may revoke it. */
static enum sy_refusal check_revoker(struct sy_exec *x, const struct sy_credential *credential)
{
    SY_ASSERT(credential->use == SY_KEY_TX && credential->role != 0);
    if (credential->role == SY_ROLE_REGULATOR) return sy_refuse_role(x, BIT(VALIDATOR));
    if (x->by->role == SY_ROLE_REGULATOR) return SY_APPLIED;
    bool own_admin = x->by->role == SY_ROLE_ORG_ADMIN && sy_exec_acts_for_org(credential->role) &&
                     sy_hash_equal(&x->by->holder, &credential->holder);
    return own_admin ? SY_APPLIED : sy_refuse_role(x, BIT(ORG_ADMIN) | BIT(REGULATOR));
}

enum sy_refusal sy_contract_cred_revoke(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_cred_revoke *p = &payload->cred_revoke;
    SY_ASSERT(x->kind->number == SY_KIND_cred_revoke && x->by->valid);
    SY_ASSERT(p->at >= 0 && p->reason != 0);
    struct sy_credential credential;
    if (!sy_exec_find_credential(x, &credential, &p->subject_key) || credential.use != SY_KEY_TX) {
        return sy_refuse_key(x, SY_E_CRED_UNKNOWN, &p->subject_key);
    }
    enum sy_refusal code = check_revoker(x, &credential);
    if (code != SY_APPLIED) return code;
    if (p->at > x->time_ms) return sy_refuse_path(x, SY_E_SCHEMA, "at");
    if (credential.revoked) return sy_refuse_key(x, SY_E_CRED_STATE, &p->subject_key);
    credential.revoked = true;
    credential.revoked_at_ms = p->at;
    credential.revoke_reason = p->reason;
    credential.revoked_height = x->height;
    sy_exec_save_credential(x, &p->subject_key, &credential);
    struct sy_hash subject = sy_hash_of_key(&p->subject_key);
    sy_exec_event(x, SY_EVENT_CRED_REVOKED, SY_SUBJECT_KEY, &subject, &credential.holder);
    return SY_APPLIED;
}
