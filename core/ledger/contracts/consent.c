/* consent.c: consents: whom a patient lets read or write, and whom not. What they decide: may.h.
 *
 * consent.grant, consent.deny (the patient or a guardian answers for it)
 *   the patient is not enrolled                           E_PATIENT_UNKNOWN {id}
 *   signed neither by the patient nor by as many distinct
 *   guardians as the patient needs                        E_NOT_SUBJECT {patient id}
 *   grantee_kind key or organisation without grantee, or
 *   role with one                                         E_SCHEMA, path grantee
 *   grantee_kind role without role, or another with one   E_SCHEMA, path role
 *   the grantee: a key without a credential               E_CRED_UNKNOWN {key}
 *                an organisation that is not registered   E_ORG_UNKNOWN {id}
 *   the id is taken                                       E_CONSENT_EXISTS {id}
 *   from > until, until is past, or more than ten years
 *   ahead                                                 E_CONSENT_WINDOW {ten years, ms}
 *   64 consents of the patient stand                      E_CONSENTS {64}
 *   writes   consent, consents, consent place
 *   event    consent.changed about the patient, object: the consent
 *
 * consent.revoke (the patient or a guardian answers for it)
 *   the patient is not enrolled                           E_PATIENT_UNKNOWN {id}
 *   signed as above                                       E_NOT_SUBJECT {patient id}
 *   there is no such consent                              E_CONSENT_UNKNOWN {id}
 *   it is another patient's                               E_NOT_SUBJECT {consent id}
 *   it was revoked                                        E_CONSENT_STATE {id}
 *   writes   consent, consents
 *   event    consent.changed about the patient, object: the consent
 *
 * A denial may have no end. What is over still counts among the 64 until a grant or a denial needs
 * its place. Nothing that was given is ever taken out of state, so that what a consent allowed at
 * some height can be shown later. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"

// --- who speaks --------------------------------------------------------------------------------

/* Distinct guardians of the patient that signed; signers of a transaction differ. */
static unsigned count_guardians(const struct sy_exec *x, const struct sy_patient *patient)
{
    unsigned count = 0;
    struct sy_hash guardian;
    SY_ASSERT(patient->guardians.count <= SY_GUARDIANS_MAX);
    for (size_t offset = 0; sy_list_next_id(&patient->guardians, &offset, &guardian);) {
        struct sy_public_key key;
        memcpy(key.bytes, guardian.bytes, sizeof key.bytes);
        const struct sy_exec_signer *signer = sy_exec_signer(x, &key);
        if (signer != NULL && signer->valid) count++;
    }
    return count;
}

/* Finds the patient and whether those who may speak for them signed. */
static enum sy_refusal find_subject(struct sy_exec *x, const struct sy_hash *patient_id)
{
    struct sy_patient patient;
    SY_ASSERT(x->signer_count >= 1 && x->by->valid);
    if (!sy_exec_find_patient(x, &patient, patient_id)) {
        return sy_refuse_hash(x, SY_E_PATIENT_UNKNOWN, patient_id);
    }
    const struct sy_exec_signer *wallet =
        patient.claimed ? sy_exec_signer(x, &patient.wallet_key) : NULL;
    if (wallet != NULL && wallet->valid) return SY_APPLIED;
    if (patient.guardians_needed > 0 && count_guardians(x, &patient) >= patient.guardians_needed) {
        return SY_APPLIED;
    }
    return sy_refuse_hash(x, SY_E_NOT_SUBJECT, patient_id);
}

// --- grant and deny ----------------------------------------------------------------------------

/* A grant or a denial, as their payloads have it alike. */
struct given {
    struct sy_hash id;
    bool has_grantee, has_role;
    uint16_t role;
    struct sy_consent consent;
};

/* The members that both kinds begin with (SY_FIELDS_OF_CONSENT) and those that only differ in what
 * they mean. */
#define GIVEN_OF(p)                                                                        \
    {                                                                                      \
        .id = (p)->consent_id, .has_grantee = (p)->has_grantee, .has_role = (p)->has_role, \
        .role = (p)->role, .consent = {                                                    \
            .patient = (p)->patient_id,                                                    \
            .grantee_kind = (uint8_t)(p)->grantee_kind,                                    \
            .grantee = (p)->grantee,                                                       \
            .actions = (p)->actions,                                                       \
            .purposes = (p)->purposes,                                                     \
            .from_ms = (p)->from,                                                          \
            .until_ms = (p)->until,                                                        \
            .classes = (p)->classes,                                                       \
            .labels = (p)->labels,                                                         \
        }                                                                                  \
    }

/* The grantee is what grantee_kind says, and there. A role stands in its place as its number. */
static enum sy_refusal check_grantee(struct sy_exec *x, struct given *given)
{
    struct sy_consent *consent = &given->consent;
    bool role = consent->grantee_kind == SY_GRANTEE_ROLE;
    if (given->has_grantee == role) return sy_refuse_path(x, SY_E_SCHEMA, "grantee");
    if (given->has_role != role) return sy_refuse_path(x, SY_E_SCHEMA, "role");
    if (role) {
        SY_ASSERT(given->role < SY_ROLE_COUNT);
        consent->grantee = (struct sy_hash){{0}};
        sy_store_u16(consent->grantee.bytes, given->role);
        return SY_APPLIED;
    }
    if (consent->grantee_kind == SY_GRANTEE_ORG) {
        bool known = sy_exec_has(x, SY_STATE_ORG, &consent->grantee);
        return known ? SY_APPLIED : sy_refuse_hash(x, SY_E_ORG_UNKNOWN, &consent->grantee);
    }
    struct sy_public_key key;
    struct sy_credential credential;
    memcpy(key.bytes, consent->grantee.bytes, sizeof key.bytes);
    bool known = sy_exec_find_credential(x, &credential, &key) && credential.use == SY_KEY_TX;
    return known ? SY_APPLIED : sy_refuse_key(x, SY_E_CRED_UNKNOWN, &key);
}

static enum sy_refusal check_window(struct sy_exec *x, const struct sy_consent *consent)
{
    SY_ASSERT(consent->from_ms >= 0 && consent->until_ms >= 0);
    bool endless = consent->denies && consent->until_ms == INT64_MAX;
    bool near = endless || consent->until_ms - x->time_ms <= SY_CONSENT_MS_MAX;
    if (consent->from_ms <= consent->until_ms && consent->until_ms >= x->time_ms && near) {
        return SY_APPLIED;
    }
    x->detail = (uint64_t)SY_CONSENT_MS_MAX;
    return SY_E_CONSENT_WINDOW;
}

/* Copies the ids of list into w but for `left_out` (may be NULL) and, when drop_over is set, those
 * whose time is over. */
static struct sy_list copy_live(struct sy_exec *x, struct sy_writer *w, const struct sy_list *list,
                                const struct sy_hash *left_out, bool drop_over)
{
    struct sy_list kept = {.count = 0};
    struct sy_hash id;
    for (size_t offset = 0; sy_list_next_id(list, &offset, &id);) {
        struct sy_consent consent;
        if (left_out != NULL && sy_hash_equal(&id, left_out)) continue;
        if (drop_over && sy_exec_find_consent(x, &consent, &id) && consent.until_ms < x->time_ms) {
            continue;
        }
        sy_list_add_id(&kept, w, &id);
    }
    SY_ASSERT(!w->failed && kept.count <= list->count);
    return kept;
}

/* Gives the consent its number and puts it into the patient's list. */
static enum sy_refusal join_list(struct sy_exec *x, struct given *given)
{
    uint8_t room[(SY_CONSENTS_LIVE_MAX + 1) * 32];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_consents consents;
    sy_exec_find_consents(x, &consents, &given->consent.patient);
    SY_ASSERT(consents.live.count <= SY_CONSENTS_LIVE_MAX);
    bool full = consents.live.count == SY_CONSENTS_LIVE_MAX;
    struct sy_list live = copy_live(x, &w, &consents.live, NULL, full);
    if (live.count == SY_CONSENTS_LIVE_MAX) {
        x->detail = SY_CONSENTS_LIVE_MAX;
        return SY_E_CONSENTS;
    }
    sy_list_add_id(&live, &w, &given->id);
    consents.live = live;
    consents.given++;
    given->consent.number = consents.given;
    sy_exec_save_consents(x, &given->consent.patient, &consents);
    return SY_APPLIED;
}

static void save_place(struct sy_exec *x, const struct given *given)
{
    struct sy_hash key_hash;
    uint8_t room[32];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    SY_ASSERT(given->consent.number > 0);
    sy_state_key_consent_place(&key_hash, &given->consent.patient, given->consent.number);
    sy_id_encode(&w, &given->id);
    sy_exec_save(x, &key_hash, &w);
}

static enum sy_refusal give(struct sy_exec *x, struct given *given)
{
    struct sy_consent *consent = &given->consent;
    enum sy_refusal code = find_subject(x, &consent->patient);
    if (code != SY_APPLIED) return code;
    code = check_grantee(x, given);
    if (code != SY_APPLIED) return code;
    if (sy_exec_has(x, SY_STATE_CONSENT, &given->id)) {
        return sy_refuse_hash(x, SY_E_CONSENT_EXISTS, &given->id);
    }
    code = check_window(x, consent);
    if (code != SY_APPLIED) return code;
    code = join_list(x, given);
    if (code != SY_APPLIED) return code;
    consent->given_height = x->height;
    sy_exec_save_consent(x, &given->id, consent);
    save_place(x, given);
    sy_exec_event(x, SY_EVENT_CONSENT_CHANGED, SY_SUBJECT_PATIENT, &consent->patient, &given->id);
    return SY_APPLIED;
}

enum sy_refusal sy_contract_consent_grant(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_consent_grant *p = &payload->consent_grant;
    SY_ASSERT(x->kind->number == SY_KIND_consent_grant);
    SY_ASSERT(x->by->valid && p->actions != 0);
    struct given given = GIVEN_OF(p);
    given.consent.has_wrapped_key_hash = p->has_wrapped_key_hash;
    given.consent.wrapped_key_hash = p->wrapped_key_hash;
    return give(x, &given);
}

enum sy_refusal sy_contract_consent_deny(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_consent_deny *p = &payload->consent_deny;
    SY_ASSERT(x->kind->number == SY_KIND_consent_deny);
    SY_ASSERT(x->by->valid && p->actions != 0);
    struct given given = GIVEN_OF(p);
    given.consent.denies = true;
    if (!p->has_until) given.consent.until_ms = INT64_MAX;
    return give(x, &given);
}

// --- revoke ------------------------------------------------------------------------------------

enum sy_refusal sy_contract_consent_revoke(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_consent_revoke *p = &payload->consent_revoke;
    SY_ASSERT(x->kind->number == SY_KIND_consent_revoke);
    SY_ASSERT(x->by->valid && x->height > 0);
    enum sy_refusal code = find_subject(x, &p->patient_id);
    if (code != SY_APPLIED) return code;
    struct sy_consent consent;
    if (!sy_exec_find_consent(x, &consent, &p->consent_id)) {
        return sy_refuse_hash(x, SY_E_CONSENT_UNKNOWN, &p->consent_id);
    }
    // The receipt does not say whose it is.
    if (!sy_hash_equal(&consent.patient, &p->patient_id)) {
        return sy_refuse_hash(x, SY_E_NOT_SUBJECT, &p->consent_id);
    }
    if (consent.revoked) return sy_refuse_hash(x, SY_E_CONSENT_STATE, &p->consent_id);
    consent.revoked = true;
    consent.revoked_height = x->height;
    sy_exec_save_consent(x, &p->consent_id, &consent);
    uint8_t room[SY_CONSENTS_LIVE_MAX * 32];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_consents consents;
    sy_exec_find_consents(x, &consents, &p->patient_id);
    consents.live = copy_live(x, &w, &consents.live, &p->consent_id, false);
    sy_exec_save_consents(x, &p->patient_id, &consents);
    sy_exec_event(x, SY_EVENT_CONSENT_CHANGED, SY_SUBJECT_PATIENT, &p->patient_id, &p->consent_id);
    return SY_APPLIED;
}
