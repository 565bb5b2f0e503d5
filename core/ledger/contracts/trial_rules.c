/* trial_rules.c: see trial_rules.h. */
#include "core/ledger/contracts/trial_rules.h"

#include "core/base/assert.h"

enum sy_refusal sy_trial_refuse(struct sy_exec *x, unsigned why)
{
    x->detail = why;
    return SY_E_TRIAL_STATE;
}

// --- trials ------------------------------------------------------------------------------------

enum sy_refusal sy_trial_find(struct sy_exec *x, struct sy_trial *trial, const struct sy_hash *id)
{
    struct sy_slice value;
    bool found = sy_exec_find_at(x, &value, SY_STATE_TRIAL, id) &&
                 sy_exec_decoded(x, sy_trial_decode(trial, value));
    return found ? SY_APPLIED : sy_trial_refuse(x, SY_TRIAL_UNREGISTERED);
}

enum sy_refusal sy_trial_find_own(struct sy_exec *x, struct sy_trial *trial,
                                  const struct sy_hash *id)
{
    enum sy_refusal code = sy_trial_find(x, trial, id);
    if (code != SY_APPLIED || sy_hash_equal(&trial->sponsor, &x->by->holder)) return code;
    return sy_refuse_hash(x, SY_E_NOT_SPONSOR, &trial->sponsor);
}

void sy_trial_save(struct sy_exec *x, const struct sy_hash *id, const struct sy_trial *trial)
{
    uint8_t room[512];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_trial_encode(&w, trial);
    sy_exec_save_at(x, SY_STATE_TRIAL, id, &w);
}

enum sy_refusal sy_trial_check_open(struct sy_exec *x, const struct sy_trial *trial)
{
    if (!trial->locked) return SY_APPLIED;
    x->detail = trial->locked_height;
    return SY_E_LOCKED;
}

void sy_trial_save_number(struct sy_exec *x, enum sy_state_kind kind, const struct sy_hash *id,
                          uint64_t number, const struct sy_writer *value)
{
    struct sy_hash key_hash;
    SY_ASSERT(number > 0 && !value->failed);
    sy_trial_key_number(&key_hash, kind, id, number);
    sy_exec_save(x, &key_hash, value);
}

bool sy_trial_find_version(struct sy_exec *x, struct sy_trial_version *version,
                           const struct sy_hash *id, uint32_t number)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    sy_trial_key_number(&key_hash, SY_STATE_TRIAL_VERSION, id, number);
    bool found = sy_exec_find(x, &value, &key_hash) && sy_trial_version_decode(version, value);
    return sy_exec_decoded(x, found);
}

void sy_trial_save_version(struct sy_exec *x, const struct sy_hash *id, uint32_t number,
                           const struct sy_trial_version *version)
{
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_trial_version_encode(&w, version);
    sy_trial_save_number(x, SY_STATE_TRIAL_VERSION, id, number, &w);
}

// --- sites and subjects ------------------------------------------------------------------------

static bool find_site(struct sy_exec *x, struct sy_trial_site *site, const struct sy_hash *id,
                      const struct sy_hash *organisation)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    sy_state_key_pair(&key_hash, SY_STATE_TRIAL_SITE, id, organisation);
    return sy_exec_find(x, &value, &key_hash) &&
           sy_exec_decoded(x, sy_trial_site_decode(site, value));
}

enum sy_refusal sy_trial_find_site(struct sy_exec *x, struct sy_trial_site *site,
                                   const struct sy_hash *id, const struct sy_hash *organisation)
{
    if (find_site(x, site, id, organisation)) return SY_APPLIED;
    return sy_refuse_hash(x, SY_E_SITE, organisation);
}

bool sy_trial_has_site(struct sy_exec *x, const struct sy_hash *id,
                       const struct sy_hash *organisation)
{
    struct sy_trial_site site;
    return find_site(x, &site, id, organisation);
}

void sy_trial_save_site(struct sy_exec *x, const struct sy_hash *id,
                        const struct sy_hash *organisation, const struct sy_trial_site *site)
{
    uint8_t room[128];
    struct sy_hash key_hash;
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_trial_site_encode(&w, site);
    sy_state_key_pair(&key_hash, SY_STATE_TRIAL_SITE, id, organisation);
    sy_exec_save(x, &key_hash, &w);
}

static bool find_subject(struct sy_exec *x, struct sy_trial_subject *subject,
                         const struct sy_hash *id, const struct sy_hash *subject_id)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    sy_state_key_pair(&key_hash, SY_STATE_TRIAL_SUBJECT, id, subject_id);
    return sy_exec_find(x, &value, &key_hash) &&
           sy_exec_decoded(x, sy_trial_subject_decode(subject, value));
}

enum sy_refusal sy_trial_find_subject(struct sy_exec *x, struct sy_trial_subject *subject,
                                      const struct sy_hash *id, const struct sy_hash *subject_id)
{
    if (find_subject(x, subject, id, subject_id)) return SY_APPLIED;
    return sy_refuse_hash(x, SY_E_SUBJECT_UNKNOWN, subject_id);
}

enum sy_refusal sy_trial_find_own_subject(struct sy_exec *x, struct sy_trial_subject *subject,
                                          const struct sy_hash *id,
                                          const struct sy_hash *subject_id)
{
    enum sy_refusal code = sy_trial_find_subject(x, subject, id, subject_id);
    if (code != SY_APPLIED || sy_hash_equal(&subject->site, &x->by->holder)) return code;
    return sy_refuse_hash(x, SY_E_SITE, &subject->site);
}

void sy_trial_save_subject(struct sy_exec *x, const struct sy_hash *id,
                           const struct sy_hash *subject_id, const struct sy_trial_subject *subject)
{
    uint8_t room[256];
    struct sy_hash key_hash;
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_trial_subject_encode(&w, subject);
    sy_state_key_pair(&key_hash, SY_STATE_TRIAL_SUBJECT, id, subject_id);
    sy_exec_save(x, &key_hash, &w);
}

// --- draws and locks ---------------------------------------------------------------------------

bool sy_trial_find_draw(struct sy_exec *x, struct sy_trial_draw *draw, const struct sy_hash *id)
{
    struct sy_slice value;
    return sy_exec_find_at(x, &value, SY_STATE_TRIAL_DRAW, id) &&
           sy_exec_decoded(x, sy_trial_draw_decode(draw, value));
}

bool sy_trial_find_lock(struct sy_exec *x, struct sy_trial_lock *lock, const struct sy_hash *id)
{
    struct sy_slice value;
    bool found =
        sy_exec_find_at(x, &value, SY_STATE_TRIAL_LOCK, id) && sy_trial_lock_decode(lock, value);
    return sy_exec_decoded(x, found);
}

void sy_trial_save_lock(struct sy_exec *x, const struct sy_hash *id,
                        const struct sy_trial_lock *lock)
{
    uint8_t room[256];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_trial_lock_encode(&w, lock);
    sy_exec_save_at(x, SY_STATE_TRIAL_LOCK, id, &w);
}

// --- who signed, who is told -------------------------------------------------------------------

const struct sy_exec_signer *sy_trial_signer(const struct sy_exec *x, unsigned role,
                                             const struct sy_hash *organisation)
{
    for (unsigned i = 0; i < x->signer_count; i++) {
        const struct sy_exec_signer *signer = &x->signers[i];
        bool fits = signer->valid && signer->role == role;
        if (fits && sy_hash_equal(&signer->holder, organisation)) return signer;
    }
    return NULL;
}

void sy_trial_tell(struct sy_exec *x, enum sy_event_kind kind, const struct sy_trial *trial,
                   const struct sy_hash *object)
{
    sy_exec_event(x, kind, SY_SUBJECT_ORG, &trial->sponsor, object);
    sy_exec_event(x, kind, SY_SUBJECT_ORG, &trial->ethics, object);
}

void sy_trial_tell_site(struct sy_exec *x, enum sy_event_kind kind, const struct sy_trial *trial,
                        const struct sy_hash *site, const struct sy_hash *object)
{
    sy_trial_tell(x, kind, trial, object);
    bool told = sy_hash_equal(site, &trial->sponsor) || sy_hash_equal(site, &trial->ethics);
    if (!told) sy_exec_event(x, kind, SY_SUBJECT_ORG, site, object);
}
