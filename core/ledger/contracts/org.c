/* org.c: organisations: registered, suspended, reinstated.
 *
 * org.register (a regulator answers for it)
 *   the id is taken, by an organisation or a patient      E_ORG_EXISTS {id}
 *   admin_key did not sign the transaction                E_SIGNER_MISSING {admin_key}
 *   a GS1 prefix is registered, or named twice            E_ORG_EXISTS {holder}, path gs1_prefixes
 *   admin_key is or was enrolled for anything             E_KEY_IN_USE {key}
 *   admin_key is not canonical, of small order, ...       E_KEY_WEAK {key}
 *   writes   organisation, prefixes, the admin's credential (credential_ms_max from now on)
 *   event    org.added about the organisation
 *
 * org.suspend, org.reinstate (a regulator answers for them)
 *   the organisation is not registered                    E_ORG_UNKNOWN {id}
 *   `from` lies after block time                          E_SCHEMA, path from
 *   fewer than regulators_needed regulators signed        E_REGULATORS {how many are needed}
 *   it is suspended (is not suspended) already            E_ORG_STATE {id}
 *   writes   organisation, suspensions, suspension
 *   event    org.suspended, org.reinstated about the organisation
 *
 * The effect is at once: from the next payload on nothing signed for a suspended organisation is
 * applied (E_ORG_SUSPENDED). `from` only states when the cause arose. Each suspension keeps an
 * entry of its own for good, so that what the organisation was at any height can be proven. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"

/* Writes who holds each prefix. */
static enum sy_refusal take_prefixes(struct sy_exec *x, const struct sy_org_register *p)
{
    SY_ASSERT(p->gs1_prefixes.count <= 16); // by its field's rule
    struct sy_slice digits;
    for (size_t offset = 0; sy_list_next_text(&p->gs1_prefixes, &offset, &digits);) {
        struct sy_hash key_hash;
        sy_state_key_prefix(&key_hash, digits);
        struct sy_slice value;
        struct sy_hash holder;
        if (sy_exec_find(x, &value, &key_hash)) {
            if (!sy_id_decode(&holder, value)) holder = p->org_id;
            sy_refuse_path(x, SY_E_ORG_EXISTS, "gs1_prefixes");
            return sy_refuse_hash(x, SY_E_ORG_EXISTS, &holder);
        }
        uint8_t room[32];
        struct sy_writer w = sy_writer_of(room, sizeof room);
        sy_id_encode(&w, &p->org_id);
        sy_exec_save(x, &key_hash, &w);
    }
    return SY_APPLIED;
}

/* The first admin's credential lasts as long as any may. */
static enum sy_refusal enrol_admin(struct sy_exec *x, const struct sy_org_register *p)
{
    struct sy_credential credential = {
        .role = SY_ROLE_ORG_ADMIN,
        .holder = p->org_id,
        .not_before_ms = x->time_ms,
        .not_after_ms = x->params.credential_ms_max > SY_TIME_MS_MAX - x->time_ms
                            ? SY_TIME_MS_MAX
                            : x->time_ms + x->params.credential_ms_max,
        .has_x25519_key = true,
        .x25519_key = p->x25519_key,
    };
    SY_ASSERT(credential.not_after_ms >= credential.not_before_ms);
    return sy_exec_enrol(x, &p->admin_key, &credential);
}

enum sy_refusal sy_contract_org_register(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_org_register *p = &payload->org_register;
    SY_ASSERT(x->kind->number == SY_KIND_org_register);
    SY_ASSERT(x->by->valid && x->by->role == SY_ROLE_REGULATOR);
    // Credentials name their holder by id alone, so no organisation has a patient's.
    if (sy_exec_has(x, SY_STATE_ORG, &p->org_id) || sy_exec_has(x, SY_STATE_PATIENT, &p->org_id)) {
        return sy_refuse_hash(x, SY_E_ORG_EXISTS, &p->org_id);
    }
    if (sy_exec_signer(x, &p->admin_key) == NULL) {
        return sy_refuse_key(x, SY_E_SIGNER_MISSING, &p->admin_key);
    }
    struct sy_org org = {
        .kind = p->kind,
        .has_npi_hash = p->has_npi_hash,
        .name_hash = p->name_hash,
        .admin_key = p->admin_key,
        .x25519_key = p->x25519_key,
        .npi_hash = p->npi_hash,
        .registered_height = x->height,
        .endpoints = p->endpoints,
        .prefixes = p->gs1_prefixes,
    };
    sy_exec_save_org(x, &p->org_id, &org);
    enum sy_refusal code = take_prefixes(x, p);
    if (code != SY_APPLIED) return code;
    code = enrol_admin(x, p);
    if (code != SY_APPLIED) return code;
    sy_exec_event(x, SY_EVENT_ORG_ADDED, SY_SUBJECT_ORG, &p->org_id, &p->org_id);
    return SY_APPLIED;
}

/* How many suspensions there were. */
static uint64_t count_suspensions(struct sy_exec *x, const struct sy_hash *org_id)
{
    struct sy_hash place;
    struct sy_slice value;
    uint64_t count = 0;
    sy_exec_key(x, &place, SY_STATE_SUSPENSIONS, org_id);
    if (!sy_exec_find(x, &value, &place)) return 0;
    if (!sy_count_decode(&count, value)) x->failed = SY_ERR_CORRUPT;
    return count;
}

static void begin_suspension(struct sy_exec *x, const struct sy_hash *org_id,
                             const struct sy_suspension_end *begun)
{
    struct sy_hash place;
    struct sy_suspension suspension = {.begun = *begun};
    uint8_t room[128];
    uint64_t count = count_suspensions(x, org_id);
    SY_ASSERT(count < UINT64_MAX);
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_count_encode(&w, count + 1);
    sy_exec_key(x, &place, SY_STATE_SUSPENSIONS, org_id);
    sy_exec_save(x, &place, &w);
    w = sy_writer_of(room, sizeof room);
    sy_suspension_encode(&w, &suspension);
    sy_state_key_suspension(&place, org_id, count + 1);
    sy_exec_save(x, &place, &w);
}

/* The organisation is suspended, so its last suspension stands there and has not ended. */
static void end_suspension(struct sy_exec *x, const struct sy_hash *org_id,
                           const struct sy_suspension_end *ended)
{
    struct sy_hash place;
    struct sy_slice value;
    struct sy_suspension suspension;
    uint8_t room[128];
    sy_state_key_suspension(&place, org_id, count_suspensions(x, org_id));
    if (!sy_exec_find(x, &value, &place) || !sy_suspension_decode(&suspension, value) ||
        suspension.has_ended) {
        sy_exec_corrupt(x);
        return;
    }
    suspension.has_ended = true;
    suspension.ended = *ended;
    SY_ASSERT(suspension.ended.height >= suspension.begun.height);
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_suspension_encode(&w, &suspension);
    sy_exec_save(x, &place, &w);
}

static enum sy_refusal set_state(struct sy_exec *x, const struct sy_hash *org_id, int64_t from_ms,
                                 bool suspended, uint16_t reason)
{
    struct sy_org org;
    if (!sy_exec_find_org(x, &org, org_id)) return sy_refuse_hash(x, SY_E_ORG_UNKNOWN, org_id);
    if (from_ms > x->time_ms) return sy_refuse_path(x, SY_E_SCHEMA, "from");
    if (sy_exec_count_regulators(x) < x->params.regulators_needed) {
        x->detail = x->params.regulators_needed;
        return SY_E_REGULATORS;
    }
    if (org.suspended == suspended) return sy_refuse_hash(x, SY_E_ORG_STATE, org_id);
    SY_ASSERT(org.suspended != suspended && reason != 0);
    org.suspended = suspended;
    org.suspend_reason = reason;
    org.suspended_from_ms = from_ms;
    org.suspended_height = x->height;
    sy_exec_save_org(x, org_id, &org);
    struct sy_suspension_end end = {reason, from_ms, x->height, x->time_ms};
    if (suspended) {
        begin_suspension(x, org_id, &end);
    } else {
        end_suspension(x, org_id, &end);
    }
    sy_exec_event(x, suspended ? SY_EVENT_ORG_SUSPENDED : SY_EVENT_ORG_REINSTATED, SY_SUBJECT_ORG,
                  org_id, org_id);
    return SY_APPLIED;
}

enum sy_refusal sy_contract_org_suspend(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_org_suspend *p = &payload->org_suspend;
    SY_ASSERT(x->kind->number == SY_KIND_org_suspend);
    SY_ASSERT(x->by->valid && x->by->role == SY_ROLE_REGULATOR);
    return set_state(x, &p->org_id, p->from, true, p->reason);
}

enum sy_refusal sy_contract_org_reinstate(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_org_reinstate *p = &payload->org_reinstate;
    SY_ASSERT(x->kind->number == SY_KIND_org_reinstate);
    SY_ASSERT(x->by->valid && x->by->role == SY_ROLE_REGULATOR);
    return set_state(x, &p->org_id, p->from, false, p->reason);
}
