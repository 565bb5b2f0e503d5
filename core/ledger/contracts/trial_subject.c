/* trial_subject.c: who takes part in a clinical trial, and by which consent.
 *
 * subject.consent (an investigator or gateway of a site answers for it)
 *   the trial is not registered                           E_TRIAL_STATE {0}
 *   its data are locked                                   E_LOCKED {height}
 *   the signer's organisation is no active site           E_SITE {it}
 *   the form is not the current one                       E_CONSENT_VERSION {the current one}
 *   consent_key did not sign                              E_SUBJECT_SIGNATURE {key}
 *   it is or was enrolled for anything, or another
 *   subject's, of this trial or another                   E_KEY_IN_USE {key}
 *   it is not canonical, of small order, ...              E_KEY_WEAK {key}
 *   the subject consented before:
 *     at another site                                     E_SITE {that}
 *     with another key                                    E_SUBJECT_SIGNATURE {that}
 *     is withdrawn, or consented to this version          E_SUBJECT_STATE {state}
 *   it is new, and the site has as many as it may         E_TARGET {how many}
 *   writes   trial subject; of a new one also trial, trial site, trial key
 *   event    subject.changed about sponsor, ethics board and site; object: the subject
 *
 * subject.enrol (an investigator answers for it)
 *   as above, up to E_LOCKED
 *   its seed is not committed to and salted               E_TRIAL_STATE {1}
 *   the trial has no such subject                         E_SUBJECT_UNKNOWN {id}
 *   it is another site's                                  E_SITE {that}
 *   it is enrolled, or withdrawn                          E_SUBJECT_STATE {state}
 *   the consent is by an older form                       E_CONSENT_VERSION {the current one}
 *   as many are enrolled as the target says               E_TARGET {target}
 *   writes   trial, trial site, trial subject, trial place, trial beacon
 *   event    as above
 *
 * subject.withdraw (anybody of the trial, or a regulator, answers for it)
 *   the trial is not registered                           E_TRIAL_STATE {0}
 *   the trial has no such subject                         E_SUBJECT_UNKNOWN {id}
 *   it is withdrawn                                       E_SUBJECT_STATE {3}
 *   neither the subject's key nor an investigator of the
 *   subject's site signed                                 E_SUBJECT_SIGNATURE {the subject's key}
 *   writes   trial, trial site, trial subject
 *   event    as above
 *
 * The ledger never says who a subject is: the id is random, and the key was made for the trial, so
 * neither is that of a patient, whose wallet would lead to all else that is theirs. A guardian
 * signs with such a key, too. It stays that subject's for good: it consents for nobody else, and is
 * enrolled for nothing later. Who carries the transaction vouches for the person; that the subject
 * agreed to this very form the signature proves, which covers all of it. A site cannot keep a
 * subject from leaving: the subject's key and anybody's of another office will do. After a lock
 * there is still leaving, as it is about the person and not the data. */
#include "core/base/assert.h"
#include "core/crypto/keys.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/trial_rules.h"

_Static_assert(SY_TRIAL_SITE_CONSENTS_MAX <= UINT32_MAX / SY_TRIAL_SITES_MAX,
               "all of them are counted");
_Static_assert(SY_TRIAL_SITE_CONSENTS_MAX >= SY_TRIAL_SUBJECTS_MAX, "one site can enrol all");

static enum sy_refusal refuse_state(struct sy_exec *x, const struct sy_trial_subject *subject)
{
    x->detail = subject->status;
    return SY_E_SUBJECT_STATE;
}

static enum sy_refusal refuse_form(struct sy_exec *x, const struct sy_trial *trial)
{
    x->detail = trial->form_version;
    return SY_E_CONSENT_VERSION;
}

// --- consent -----------------------------------------------------------------------------------

/* Signed with by another subject, here or in another trial: it would tell that the two are one. */
static bool is_anothers(struct sy_exec *x, const struct sy_hash *key_id,
                        const struct sy_subject_consent *p)
{
    struct sy_slice value;
    struct sy_trial_key key;
    bool found = sy_exec_find_at(x, &value, SY_STATE_TRIAL_KEY, key_id) &&
                 sy_exec_decoded(x, sy_trial_key_decode(&key, value));
    return found && !(sy_hash_equal(&key.trial, &p->trial_id) &&
                      sy_hash_equal(&key.subject, &p->subject_id));
}

static enum sy_refusal check_consent(struct sy_exec *x, const struct sy_trial *trial,
                                     const struct sy_subject_consent *p)
{
    struct sy_hash id = sy_hash_of_key(&p->consent_key);
    bool current = p->form_version == trial->form_version &&
                   sy_hash_equal(&p->form_commit, &trial->form_commit);
    if (!current) return refuse_form(x, trial);
    if (sy_exec_signer(x, &p->consent_key) == NULL) {
        return sy_refuse_key(x, SY_E_SUBJECT_SIGNATURE, &p->consent_key);
    }
    if (sy_exec_has(x, SY_STATE_CREDENTIAL, &id) || is_anothers(x, &id, p)) {
        return sy_refuse_key(x, SY_E_KEY_IN_USE, &p->consent_key);
    }
    if (!sy_key_enrollable(&p->consent_key)) {
        return sy_refuse_key(x, SY_E_KEY_WEAK, &p->consent_key);
    }
    return SY_APPLIED;
}

/* Who consented before consents anew. */
static enum sy_refusal check_again(struct sy_exec *x, const struct sy_trial_subject *subject,
                                   const struct sy_subject_consent *p)
{
    if (!sy_hash_equal(&subject->site, &x->by->holder)) {
        return sy_refuse_hash(x, SY_E_SITE, &subject->site);
    }
    if (!sy_public_key_equal(&subject->consent_key, &p->consent_key)) {
        return sy_refuse_key(x, SY_E_SUBJECT_SIGNATURE, &subject->consent_key);
    }
    bool again = subject->form_version == p->form_version;
    return again || subject->status == SY_SUBJECT_WITHDRAWN ? refuse_state(x, subject) : SY_APPLIED;
}

static void save_key(struct sy_exec *x, const struct sy_subject_consent *p)
{
    uint8_t room[64];
    struct sy_hash id = sy_hash_of_key(&p->consent_key);
    struct sy_trial_key key = {.trial = p->trial_id, .subject = p->subject_id};
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_trial_key_encode(&w, &key);
    sy_exec_save_at(x, SY_STATE_TRIAL_KEY, &id, &w);
}

/* The consent that a subject was enrolled by stays, whatever they consent to later. */
static void take_consent(struct sy_exec *x, struct sy_trial_subject *subject,
                         const struct sy_subject_consent *p)
{
    subject->form_version = p->form_version;
    if (subject->place > 0) {
        subject->renewed_height = x->height;
        return;
    }
    subject->by = p->by;
    subject->height = x->height;
    subject->time_ms = x->time_ms;
}

enum sy_refusal sy_contract_subject_consent(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_subject_consent *p = &payload->subject_consent;
    struct sy_trial trial;
    struct sy_trial_site site;
    struct sy_trial_subject subject = {.status = SY_SUBJECT_CONSENTED};
    SY_ASSERT(x->kind->number == SY_KIND_subject_consent && x->by->valid);
    enum sy_refusal code = sy_trial_find(x, &trial, &p->trial_id);
    if (code == SY_APPLIED) code = sy_trial_check_open(x, &trial);
    if (code == SY_APPLIED) code = sy_trial_find_site(x, &site, &p->trial_id, &x->by->holder);
    if (code == SY_APPLIED) code = check_consent(x, &trial, p);
    if (code != SY_APPLIED) return code;
    bool known = sy_trial_find_subject(x, &subject, &p->trial_id, &p->subject_id) == SY_APPLIED;
    x->detail_hash = (struct sy_hash){{0}};
    if (known) {
        code = check_again(x, &subject, p);
        if (code != SY_APPLIED) return code;
    } else if (site.subjects >= SY_TRIAL_SITE_CONSENTS_MAX) {
        x->detail = site.subjects;
        return SY_E_TARGET;
    } else {
        trial.subjects++;
        site.subjects++;
        sy_trial_save(x, &p->trial_id, &trial);
        sy_trial_save_site(x, &p->trial_id, &x->by->holder, &site);
        save_key(x, p);
    }
    subject.site = x->by->holder;
    subject.consent_key = p->consent_key;
    take_consent(x, &subject, p);
    sy_trial_save_subject(x, &p->trial_id, &p->subject_id, &subject);
    sy_trial_tell_site(x, SY_EVENT_SUBJECT_CHANGED, &trial, &subject.site, &p->subject_id);
    return SY_APPLIED;
}

// --- enrolment ---------------------------------------------------------------------------------

static enum sy_refusal check_enrolment(struct sy_exec *x, const struct sy_trial *trial,
                                       const struct sy_trial_subject *subject)
{
    if (subject->status != SY_SUBJECT_CONSENTED) return refuse_state(x, subject);
    if (subject->form_version != trial->form_version) return refuse_form(x, trial);
    if (trial->enrolled < trial->target) return SY_APPLIED;
    x->detail = trial->target;
    return SY_E_TARGET;
}

static void save_place(struct sy_exec *x, const struct sy_subject_enrol *p, uint32_t place)
{
    uint8_t room[64];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_id_encode(&w, &p->subject_id);
    sy_trial_save_number(x, SY_STATE_TRIAL_PLACE, &p->trial_id, place, &w);
    struct sy_trial_lot lot = {.beacon = x->beacon, .height = x->height};
    w = sy_writer_of(room, sizeof room);
    sy_trial_lot_encode(&w, &lot);
    sy_trial_save_number(x, SY_STATE_TRIAL_BEACON, &p->trial_id, place, &w);
}

enum sy_refusal sy_contract_subject_enrol(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_subject_enrol *p = &payload->subject_enrol;
    struct sy_trial trial;
    struct sy_trial_site site;
    struct sy_trial_subject subject;
    SY_ASSERT(x->kind->number == SY_KIND_subject_enrol && x->by->valid);
    enum sy_refusal code = sy_trial_find(x, &trial, &p->trial_id);
    if (code == SY_APPLIED) code = sy_trial_check_open(x, &trial);
    if (code == SY_APPLIED && !trial.drawn) code = sy_trial_refuse(x, SY_TRIAL_NOT_DRAWN);
    if (code == SY_APPLIED) {
        code = sy_trial_find_own_subject(x, &subject, &p->trial_id, &p->subject_id);
    }
    if (code == SY_APPLIED) code = sy_trial_find_site(x, &site, &p->trial_id, &x->by->holder);
    if (code == SY_APPLIED) code = check_enrolment(x, &trial, &subject);
    if (code != SY_APPLIED) return code;
    if (trial.enrolled == 0) {
        trial.first_version = trial.version;
        trial.first_height = x->height;
        trial.first_ms = x->time_ms;
    }
    trial.enrolled++;
    site.enrolled++;
    subject.status = SY_SUBJECT_ENROLLED;
    subject.place = trial.enrolled;
    subject.enrolled_height = x->height;
    sy_trial_save(x, &p->trial_id, &trial);
    sy_trial_save_site(x, &p->trial_id, &subject.site, &site);
    sy_trial_save_subject(x, &p->trial_id, &p->subject_id, &subject);
    save_place(x, p, subject.place);
    sy_trial_tell_site(x, SY_EVENT_SUBJECT_CHANGED, &trial, &subject.site, &p->subject_id);
    return SY_APPLIED;
}

// --- leaving -----------------------------------------------------------------------------------

/* The subject with the key that consented, or the site's investigator says so. */
static bool may_withdraw(const struct sy_exec *x, const struct sy_trial_subject *subject,
                         const struct sy_subject_withdraw *p)
{
    if (p->has_consent_key) {
        return sy_public_key_equal(&p->consent_key, &subject->consent_key) &&
               sy_exec_signer(x, &p->consent_key) != NULL;
    }
    return x->by->role == SY_ROLE_INVESTIGATOR && sy_hash_equal(&x->by->holder, &subject->site);
}

enum sy_refusal sy_contract_subject_withdraw(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_subject_withdraw *p = &payload->subject_withdraw;
    struct sy_trial trial;
    struct sy_trial_site site;
    struct sy_trial_subject subject;
    SY_ASSERT(x->kind->number == SY_KIND_subject_withdraw && x->by->valid);
    enum sy_refusal code = sy_trial_find(x, &trial, &p->trial_id);
    if (code == SY_APPLIED) {
        code = sy_trial_find_subject(x, &subject, &p->trial_id, &p->subject_id);
    }
    if (code != SY_APPLIED) return code;
    if (subject.status == SY_SUBJECT_WITHDRAWN) return refuse_state(x, &subject);
    if (!may_withdraw(x, &subject, p)) {
        return sy_refuse_key(x, SY_E_SUBJECT_SIGNATURE, &subject.consent_key);
    }
    code = sy_trial_find_site(x, &site, &p->trial_id, &subject.site);
    if (code != SY_APPLIED) {
        sy_exec_corrupt(x); // no site vanishes
        return code;
    }
    trial.withdrawn++;
    site.withdrawn++;
    subject.status = SY_SUBJECT_WITHDRAWN;
    subject.withdrew = p->has_consent_key;
    subject.reason = p->reason;
    subject.ended_height = x->height;
    sy_trial_save(x, &p->trial_id, &trial);
    sy_trial_save_site(x, &p->trial_id, &subject.site, &site);
    sy_trial_save_subject(x, &p->trial_id, &p->subject_id, &subject);
    sy_trial_tell_site(x, SY_EVENT_SUBJECT_CHANGED, &trial, &subject.site, &p->subject_id);
    return SY_APPLIED;
}
