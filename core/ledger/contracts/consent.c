/* consent.c: consents: whom a patient lets read or write, and whom not. What they decide: may.h.
 *
 * consent.grant, consent.deny (the patient or a guardian answers for it)
 *   the patient is not enrolled                           E_PATIENT_UNKNOWN {id}
 *   the id was merged (here as in the others)             E_PATIENT_MERGED {the id in use}
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
 *   writes   consent, of a key to the first of its line; consents, consent place
 *   event    consent.changed about the patient, object: the consent
 *
 * consent.delegate (who may be let in answers for it)
 *   the patient is not enrolled                           E_PATIENT_UNKNOWN {id}
 *   the patient has no such consent as the parent         E_CONSENT_UNKNOWN {parent}
 *   signed neither by the key that the parent grants to
 *   nor by an admin or gateway of the organisation        E_NOT_GRANTEE {parent}
 *   the parent is a denial, was itself passed on, grants
 *   to a role, or does not let share                      E_DELEGATION {parent}
 *   the parent was revoked                                E_CONSENT_STATE {parent}
 *   it is over                                            E_CONSENT_EXPIRED {parent, its end}
 *   a denial of sharing names whom the parent lets in     E_CONSENT {denial}
 *   grantee, id, window: as above
 *   a circle, an action, a purpose, a class, a label or
 *   time that the parent does not cover, or sharing       E_SCOPE_WIDER, path of the field
 *   48 consents of the patient stand                      E_CONSENTS {48}
 *   writes   consent, consents, consent place
 *   event    consent.changed about the patient, object: the consent
 *
 * consent.revoke (who may be let in answers for it)
 *   the patient is not enrolled                           E_PATIENT_UNKNOWN {id}
 *   signed neither as above for the patient (who, once
 *   there is a wallet, signs alone) nor, of what was
 *   passed on, as above for the parent                    E_NOT_SUBJECT {patient id}
 *   signed for the patient: there is no such consent      E_CONSENT_UNKNOWN {id}
 *                           it is another patient's       E_NOT_SUBJECT {consent id}
 *   it was revoked                                        E_CONSENT_STATE {id}
 *   writes   consent, consents
 *   event    consent.changed about the patient, object: the consent
 *
 * What was passed on counts only while its parent stands; revoking the parent writes nothing about
 * it. A denial may have no end. What is over still counts among the 64 until a grant or a denial
 * needs its place, and so does what was passed on from a parent that was revoked. Nothing that was
 * given is ever taken out of state, so that what a consent allowed at some height can be shown
 * later. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"

_Static_assert(SY_CONSENTS_LIVE_MAX + SY_CONSENTS_PASSED_MAX + 2 * SY_TX_SIGNERS_MAX + 32 <=
                   SY_OVERLAY_READS_BETWEEN,
               "looking for room among a patient's consents stays within what a payload may read");

// --- who speaks --------------------------------------------------------------------------------

/* Finds the patient, for whom those who may speak must have signed. */
static enum sy_refusal find_subject(struct sy_exec *x, const struct sy_hash *patient_id)
{
    struct sy_patient patient;
    SY_ASSERT(x->signer_count >= 1 && x->by->valid);
    enum sy_refusal code = sy_exec_live_patient(x, &patient, patient_id);
    if (code != SY_APPLIED) return code;
    if (sy_exec_subject_signed(x, &patient)) return SY_APPLIED;
    return sy_refuse_hash(x, SY_E_NOT_SUBJECT, patient_id);
}

/* Did whom a consent lets in sign: the key, or who speaks for the organisation? Nobody speaks for a
 * role. */
static bool grantee_signed(const struct sy_exec *x, const struct sy_consent *consent)
{
    static const uint32_t speak = SY_ROLE_BIT(SY_ROLE_ORG_ADMIN) | SY_ROLE_BIT(SY_ROLE_GATEWAY);
    SY_ASSERT(x->signer_count >= 1 && x->signer_count <= SY_TX_SIGNERS_MAX);
    for (unsigned i = 0; i < x->signer_count; i++) {
        const struct sy_exec_signer *signer = &x->signers[i];
        bool as_org = (speak & SY_ROLE_BIT(signer->role)) != 0 &&
                      consent->grantee_kind == SY_GRANTEE_ORG &&
                      sy_hash_equal(&signer->holder, &consent->grantee);
        bool as_key = consent->grantee_kind == SY_GRANTEE_KEY &&
                      sy_hash_equal(&signer->line, &consent->grantee);
        if (signer->valid && (as_org || as_key)) return true;
    }
    return false;
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

/* The grantee is what grantee_kind says, and there. A role stands in its place as its number, a key
 * as the first of its line: what is granted or denied to a key follows its holder to the next. */
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
    if (!known) return sy_refuse_key(x, SY_E_CRED_UNKNOWN, &key);
    consent->grantee = sy_credential_line(&credential, &key);
    return SY_APPLIED;
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

bool sy_consent_is_spent(struct sy_exec *x, const struct sy_hash *id)
{
    struct sy_consent consent, parent;
    if (!sy_exec_find_consent(x, &consent, id)) return false;
    if (consent.until_ms < x->time_ms) return true;
    return consent.passed_on && sy_exec_find_consent(x, &parent, &consent.parent) && parent.revoked;
}

/* Copies the ids of list into w but for `left_out` (may be NULL) and, when drop_spent is set, those
 * that are spent. */
static struct sy_list copy_live(struct sy_exec *x, struct sy_writer *w, const struct sy_list *list,
                                const struct sy_hash *left_out, bool drop_spent)
{
    struct sy_list kept = {.count = 0};
    struct sy_hash id;
    for (size_t offset = 0; sy_list_next_id(list, &offset, &id);) {
        if (left_out != NULL && sy_hash_equal(&id, left_out)) continue;
        if (drop_spent && sy_consent_is_spent(x, &id)) continue;
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
    unsigned most = given->consent.passed_on ? SY_CONSENTS_PASSED_MAX : SY_CONSENTS_LIVE_MAX;
    bool full = consents.live.count >= most;
    struct sy_list live = copy_live(x, &w, &consents.live, NULL, full);
    if (live.count >= most) {
        x->detail = most;
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

/* What is asked of a grant, a denial and what is passed on alike, once it is known who speaks. */
static enum sy_refusal check_given(struct sy_exec *x, struct given *given)
{
    enum sy_refusal code = check_grantee(x, given);
    if (code != SY_APPLIED) return code;
    if (sy_exec_has(x, SY_STATE_CONSENT, &given->id)) {
        return sy_refuse_hash(x, SY_E_CONSENT_EXISTS, &given->id);
    }
    return check_window(x, &given->consent);
}

static enum sy_refusal keep(struct sy_exec *x, struct given *given)
{
    struct sy_consent *consent = &given->consent;
    enum sy_refusal code = join_list(x, given);
    if (code != SY_APPLIED) return code;
    consent->given_height = x->height;
    sy_exec_save_consent(x, &given->id, consent);
    save_place(x, given);
    sy_exec_event(x, SY_EVENT_CONSENT_CHANGED, SY_SUBJECT_PATIENT, &consent->patient, &given->id);
    return SY_APPLIED;
}

static enum sy_refusal give(struct sy_exec *x, struct given *given)
{
    enum sy_refusal code = find_subject(x, &given->consent.patient);
    if (code != SY_APPLIED) return code;
    code = check_given(x, given);
    return code == SY_APPLIED ? keep(x, given) : code;
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

// --- delegate ----------------------------------------------------------------------------------

/* Finds the grant that is passed on, and whether this signer may. */
static enum sy_refusal find_parent(struct sy_exec *x, struct sy_consent *parent,
                                   const struct sy_consent_delegate *p)
{
    struct sy_patient patient;
    enum sy_refusal code = sy_exec_live_patient(x, &patient, &p->patient_id);
    if (code != SY_APPLIED) return code;
    if (!sy_exec_find_consent(x, parent, &p->parent) ||
        !sy_hash_equal(&parent->patient, &p->patient_id)) {
        return sy_refuse_hash(x, SY_E_CONSENT_UNKNOWN, &p->parent);
    }
    bool whole = !parent->denies && !parent->passed_on && parent->grantee_kind != SY_GRANTEE_ROLE &&
                 (parent->actions & SY_SET_BIT(SY_ACTION_SHARE)) != 0;
    // Nobody speaks for a role, so that a grant to one is told apart before who signed is looked
    // at.
    bool role = parent->grantee_kind == SY_GRANTEE_ROLE;
    if (!role && !grantee_signed(x, parent)) {
        return sy_refuse_hash(x, SY_E_NOT_GRANTEE, &p->parent);
    }
    if (!whole) return sy_refuse_hash(x, SY_E_DELEGATION, &p->parent);
    if (parent->revoked) return sy_refuse_hash(x, SY_E_CONSENT_STATE, &p->parent);
    if (parent->until_ms >= x->time_ms) return SY_APPLIED;
    x->detail = (uint64_t)parent->until_ms;
    return sy_refuse_hash(x, SY_E_CONSENT_EXPIRED, &p->parent);
}

/* Is this a denial of sharing that stands and names whom the parent lets in, or a circle around it?
 * Classes and labels do not count: what might be barred in part is not passed on at all. */
static bool bars_sharing(struct sy_exec *x, const struct sy_consent *denial,
                         const struct sy_consent *parent, const struct sy_credential *grantee)
{
    struct sy_hash whom = parent->grantee;
    if (!denial->denies || denial->revoked || x->time_ms < denial->from_ms ||
        x->time_ms > denial->until_ms || (denial->actions & SY_SET_BIT(SY_ACTION_SHARE)) == 0) {
        return false;
    }
    if (denial->grantee_kind != parent->grantee_kind) {
        if (parent->grantee_kind != SY_GRANTEE_KEY) return false;
        whom = grantee->holder;
        if (denial->grantee_kind == SY_GRANTEE_ORG && !sy_exec_acts_for_org(grantee->role)) {
            return false;
        }
        if (denial->grantee_kind == SY_GRANTEE_ROLE) {
            whom = (struct sy_hash){{0}};
            sy_store_u16(whom.bytes, grantee->role);
        }
    }
    return sy_hash_equal(&denial->grantee, &whom);
}

/* A denial of sharing stands over the grant that is passed on, as over any. */
static enum sy_refusal check_sharing(struct sy_exec *x, const struct sy_consent *parent,
                                     uint32_t purposes)
{
    struct sy_consents consents;
    struct sy_credential grantee = {.role = 0};
    struct sy_public_key key;
    struct sy_hash id;
    memcpy(key.bytes, parent->grantee.bytes, sizeof key.bytes);
    if (parent->grantee_kind == SY_GRANTEE_KEY) (void)sy_exec_find_credential(x, &grantee, &key);
    sy_exec_find_consents(x, &consents, &parent->patient);
    for (size_t offset = 0; sy_list_next_id(&consents.live, &offset, &id);) {
        struct sy_consent denial;
        if (!sy_exec_find_consent(x, &denial, &id)) continue;
        bool bars = (denial.purposes & purposes) != 0 && bars_sharing(x, &denial, parent, &grantee);
        if (bars) return sy_refuse_hash(x, SY_E_CONSENT, &id);
    }
    return SY_APPLIED;
}

/* Are all texts of the narrower list in the wider one? */
static bool classes_within(const struct sy_list *narrower, const struct sy_list *wider)
{
    struct sy_slice text, other;
    if (wider->count == 0) return true; // no limit
    if (narrower->count == 0) return false;
    for (size_t offset = 0; sy_list_next_text(narrower, &offset, &text);) {
        bool found = false;
        for (size_t at = 0; !found && sy_list_next_text(wider, &at, &other);) {
            found = sy_slice_equal(text, other);
        }
        if (!found) return false;
    }
    return true;
}

/* Labels limit a grant, and none means records without one: neither covers the other. */
static bool labels_within(const struct sy_list *narrower, const struct sy_list *wider)
{
    struct sy_tag tag, other;
    if ((narrower->count == 0) != (wider->count == 0)) return false;
    for (size_t offset = 0; sy_list_next_tag(narrower, &offset, &tag);) {
        bool found = false;
        for (size_t at = 0; !found && sy_list_next_tag(wider, &at, &other);) {
            found = memcmp(tag.bytes, other.bytes, sizeof tag.bytes) == 0;
        }
        if (!found) return false;
    }
    return true;
}

static enum sy_refusal check_scope(struct sy_exec *x, const struct sy_consent *consent,
                                   const struct sy_consent *parent)
{
    uint32_t actions = parent->actions & ~SY_SET_BIT(SY_ACTION_SHARE); // once, and no further
    const char *wider = NULL;
    SY_ASSERT(parent->grantee_kind <= SY_GRANTEE_ORG && !parent->denies);
    if (consent->until_ms > parent->until_ms) wider = "until";
    if (consent->from_ms < parent->from_ms) wider = "from";
    if (!labels_within(&consent->labels, &parent->labels)) wider = "labels";
    if (!classes_within(&consent->classes, &parent->classes)) wider = "classes";
    if ((consent->purposes & ~parent->purposes) != 0) wider = "purposes";
    if ((consent->actions & ~actions) != 0) wider = "actions";
    if (consent->grantee_kind > parent->grantee_kind) wider = "grantee_kind";
    return wider != NULL ? sy_refuse_path(x, SY_E_SCOPE_WIDER, wider) : SY_APPLIED;
}

enum sy_refusal sy_contract_consent_delegate(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_consent_delegate *p = &payload->consent_delegate;
    SY_ASSERT(x->kind->number == SY_KIND_consent_delegate);
    SY_ASSERT(x->by->valid && p->actions != 0);
    struct sy_consent parent = {.number = 0};
    enum sy_refusal code = find_parent(x, &parent, p);
    if (code != SY_APPLIED) return code;
    code = check_sharing(x, &parent, p->purposes);
    if (code != SY_APPLIED) return code;
    struct given given = GIVEN_OF(p);
    given.consent.has_wrapped_key_hash = p->has_wrapped_key_hash;
    given.consent.wrapped_key_hash = p->wrapped_key_hash;
    given.consent.passed_on = true;
    given.consent.parent = p->parent;
    code = check_given(x, &given);
    if (code != SY_APPLIED) return code;
    code = check_scope(x, &given.consent, &parent);
    return code == SY_APPLIED ? keep(x, &given) : code;
}

// --- revoke ------------------------------------------------------------------------------------

/* Finds the consent that is taken back by those who may. A receipt does not say whose another
 * patient's is. */
static enum sy_refusal find_revocable(struct sy_exec *x, struct sy_consent *consent,
                                      const struct sy_consent_revoke *p)
{
    struct sy_patient patient;
    struct sy_consent parent;
    enum sy_refusal code = sy_exec_live_patient(x, &patient, &p->patient_id);
    if (code != SY_APPLIED) return code;
    bool known = sy_exec_find_consent(x, consent, &p->consent_id);
    bool theirs = known && sy_hash_equal(&consent->patient, &p->patient_id);
    // Guardians take nothing back from a patient who has a wallet: it may be the patient's word.
    if (patient.claimed ? !sy_exec_wallet_signed(x, &patient)
                        : !sy_exec_subject_signed(x, &patient)) {
        bool passed = theirs && consent->passed_on &&
                      sy_exec_find_consent(x, &parent, &consent->parent) &&
                      grantee_signed(x, &parent);
        if (!passed) return sy_refuse_hash(x, SY_E_NOT_SUBJECT, &p->patient_id);
    }
    if (!known) return sy_refuse_hash(x, SY_E_CONSENT_UNKNOWN, &p->consent_id);
    if (!theirs) return sy_refuse_hash(x, SY_E_NOT_SUBJECT, &p->consent_id);
    if (consent->revoked) return sy_refuse_hash(x, SY_E_CONSENT_STATE, &p->consent_id);
    return SY_APPLIED;
}

enum sy_refusal sy_contract_consent_revoke(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_consent_revoke *p = &payload->consent_revoke;
    SY_ASSERT(x->kind->number == SY_KIND_consent_revoke);
    SY_ASSERT(x->by->valid && x->height > 0);
    struct sy_consent consent;
    enum sy_refusal code = find_revocable(x, &consent, p);
    if (code != SY_APPLIED) return code;
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
