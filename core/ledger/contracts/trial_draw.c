/* trial_draw.c: by which draw a trial's subjects come to their arms, and who knows it when.
 *
 * randomise.commit (a sponsor's key answers for it)
 *   the trial is not registered                           E_TRIAL_STATE {0}
 *   it is another sponsor's                               E_NOT_SPONSOR {that}
 *   its data are locked                                   E_LOCKED {height}
 *   a seed was committed to                               E_TRIAL_STATE {3}
 *   writes   trial draw
 *   event    trial.changed about the sponsor and the ethics board's organisation; object: the trial
 *
 * randomise.salt (an ethics board's key answers for it)
 *   the trial is not registered                           E_TRIAL_STATE {0}
 *   another ethics board approved it                      E_ETHICS {its organisation}
 *   its data are locked                                   E_LOCKED {height}
 *   no seed was committed to                              E_TRIAL_STATE {1}
 *   it was salted                                         E_TRIAL_STATE {3}
 *   the seed was committed to in this very block          E_TRIAL_STATE {4}
 *   writes   trial, trial draw
 *   event    as above
 *
 * randomise.reveal (a sponsor's or an ethics board's key answers for it)
 *   the trial is not registered                           E_TRIAL_STATE {0}
 *   it is another sponsor's, or ethics board's            E_NOT_SPONSOR, E_ETHICS {that}
 *   it is blinded, and not an ethics board's after it was
 *   due                                                   E_BLINDED
 *   it was revealed                                       E_TRIAL_STATE {3}
 *   it is not what was committed to                       E_SEED {commitment}
 *   writes   trial, trial draw; a board that unblinds it also trial lock
 *   events   as above; a board that unblinds it also trial.unblinded
 *
 * unblind (a sponsor's or an investigator's key answers for it)
 *   the trial is not registered                           E_TRIAL_STATE {0}
 *   of the whole trial:
 *     it is another sponsor's                             E_NOT_SPONSOR {that}
 *     a reason is given                                   E_SCHEMA, path reason
 *     its data are not locked                             E_BLINDED
 *     it was unblinded                                    E_TRIAL_STATE {3}
 *     there was no draw                                   E_TRIAL_STATE {1}
 *     writes   trial, trial lock
 *     event    trial.unblinded as above
 *   of one subject:
 *     no reason is given                                  E_SCHEMA, path reason
 *     the trial has no such subject                       E_SUBJECT_UNKNOWN {id}
 *     an investigator of another site, or a key of
 *     another sponsor signed                              E_SITE, E_NOT_SPONSOR {that}
 *     the subject has no place, or was unblinded          E_SUBJECT_STATE {state}
 *     writes   trial subject
 *     event    trial.unblinded about sponsor, ethics board and site; object: the subject
 *
 * The draw is fair because nobody chose it: the sponsor's seed is fixed before the board's salt is
 * known, and the salt before anybody is enrolled; and each place has a beacon: the hash of the
 * block before, and the millisecond at which the next was proposed. So an arm (sy_trial_arm) is
 * known once a subject is enrolled; sooner, who holds the seed can only bet on a millisecond, and
 * DESIGN.md says how well. Whoever holds the seed knows the arms, and prepares the
 * treatments; nobody else does until it is revealed, and then everybody can check
 * every one. A sponsor that likes its arms less by then cannot show another seed, and can only show
 * none: no result is posted then, and that it is overdue shows. The board may reveal it, too, where
 * the sponsor gave it to them, and once it is overdue it need not wait for the sponsor to unblind
 * the trial. Salt and seed stand in two blocks, or whoever builds a transaction of both would know
 * the salt when choosing the seed. Of a subject who is unblinded in an emergency the ledger says
 * that, when and why; which arm it was goes another way, or the rest would be unblinded with it. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/trial_rules.h"

static void save_draw(struct sy_exec *x, const struct sy_hash *id, const struct sy_trial_draw *draw)
{
    uint8_t room[256];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_trial_draw_encode(&w, draw);
    sy_exec_save_at(x, SY_STATE_TRIAL_DRAW, id, &w);
}

enum sy_refusal sy_contract_randomise_commit(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_randomise_commit *p = &payload->randomise_commit;
    struct sy_trial trial;
    struct sy_trial_draw draw;
    SY_ASSERT(x->kind->number == SY_KIND_randomise_commit && x->by->valid);
    enum sy_refusal code = sy_trial_find_own(x, &trial, &p->trial_id);
    if (code == SY_APPLIED) code = sy_trial_check_open(x, &trial);
    if (code != SY_APPLIED) return code;
    if (sy_trial_find_draw(x, &draw, &p->trial_id)) return sy_trial_refuse(x, SY_TRIAL_DONE);
    draw = (struct sy_trial_draw){
        .commit = p->commit, .reveal_days = p->reveal_days, .height = x->height};
    save_draw(x, &p->trial_id, &draw);
    sy_trial_tell(x, SY_EVENT_TRIAL_CHANGED, &trial, &p->trial_id);
    return SY_APPLIED;
}

enum sy_refusal sy_contract_randomise_salt(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_randomise_salt *p = &payload->randomise_salt;
    struct sy_trial trial;
    struct sy_trial_draw draw;
    SY_ASSERT(x->kind->number == SY_KIND_randomise_salt && x->by->valid);
    enum sy_refusal code = sy_trial_find(x, &trial, &p->trial_id);
    if (code != SY_APPLIED) return code;
    if (!sy_hash_equal(&trial.ethics, &x->by->holder)) {
        return sy_refuse_hash(x, SY_E_ETHICS, &trial.ethics);
    }
    code = sy_trial_check_open(x, &trial);
    if (code != SY_APPLIED) return code;
    if (!sy_trial_find_draw(x, &draw, &p->trial_id)) {
        return sy_trial_refuse(x, SY_TRIAL_NOT_DRAWN);
    }
    if (draw.salted) return sy_trial_refuse(x, SY_TRIAL_DONE);
    if (draw.height >= x->height) return sy_trial_refuse(x, SY_TRIAL_TOO_SOON);
    draw.salted = true;
    draw.salt = p->salt;
    draw.salted_height = x->height;
    trial.drawn = true;
    save_draw(x, &p->trial_id, &draw);
    sy_trial_save(x, &p->trial_id, &trial);
    sy_trial_tell(x, SY_EVENT_TRIAL_CHANGED, &trial, &p->trial_id);
    return SY_APPLIED;
}

/* A board need not wait for a sponsor who keeps the seed back past its day. lock: of a trial that
 * is locked. */
static enum sy_refusal check_revealing(struct sy_exec *x, const struct sy_trial *trial,
                                       const struct sy_trial_lock *lock)
{
    bool board = x->by->role == SY_ROLE_ETHICS;
    const struct sy_hash *whose = board ? &trial->ethics : &trial->sponsor;
    if (!sy_hash_equal(whose, &x->by->holder)) {
        return sy_refuse_hash(x, board ? SY_E_ETHICS : SY_E_NOT_SPONSOR, whose);
    }
    bool overdue = trial->locked && trial->drawn && x->time_ms > lock->reveal_due_ms;
    if (!trial->unblinded && !(board && overdue)) return SY_E_BLINDED;
    return trial->revealed ? sy_trial_refuse(x, SY_TRIAL_DONE) : SY_APPLIED;
}

static void unblind_trial(struct sy_exec *x, const struct sy_hash *id, struct sy_trial *trial,
                          struct sy_trial_lock *lock)
{
    trial->unblinded = true;
    lock->unblinded_height = x->height;
    lock->unblinded_ms = x->time_ms;
    sy_trial_save_lock(x, id, lock);
    sy_trial_tell(x, SY_EVENT_TRIAL_UNBLINDED, trial, id);
}

static void reveal(struct sy_exec *x, const struct sy_randomise_reveal *p,
                   struct sy_trial_draw *draw, bool late)
{
    draw->revealed = true;
    draw->seed = p->seed;
    draw->late = late;
    draw->revealed_height = x->height;
    draw->revealed_ms = x->time_ms;
    save_draw(x, &p->trial_id, draw);
}

enum sy_refusal sy_contract_randomise_reveal(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_randomise_reveal *p = &payload->randomise_reveal;
    struct sy_trial trial;
    struct sy_trial_draw draw;
    struct sy_trial_lock lock = {.commits = 0};
    struct sy_hash commit;
    SY_ASSERT(x->kind->number == SY_KIND_randomise_reveal && x->by->valid);
    enum sy_refusal code = sy_trial_find(x, &trial, &p->trial_id);
    if (code != SY_APPLIED) return code;
    if (trial.locked && !sy_trial_find_lock(x, &lock, &p->trial_id)) return SY_E_BLINDED; // corrupt
    code = check_revealing(x, &trial, &lock);
    if (code != SY_APPLIED) return code;
    if (!sy_trial_find_draw(x, &draw, &p->trial_id)) {
        sy_exec_corrupt(x); // what is unblinded was drawn
        return sy_trial_refuse(x, SY_TRIAL_NOT_DRAWN);
    }
    sy_trial_seed_commit(&commit, &p->trial_id, &p->seed);
    if (!sy_hash_equal(&commit, &draw.commit)) return sy_refuse_hash(x, SY_E_SEED, &draw.commit);
    reveal(x, p, &draw, x->time_ms > lock.reveal_due_ms);
    trial.revealed = true;
    sy_trial_tell(x, SY_EVENT_TRIAL_CHANGED, &trial, &p->trial_id);
    if (!trial.unblinded) unblind_trial(x, &p->trial_id, &trial, &lock);
    sy_trial_save(x, &p->trial_id, &trial);
    return SY_APPLIED;
}

// --- unblinding --------------------------------------------------------------------------------

static enum sy_refusal unblind_all(struct sy_exec *x, struct sy_trial *trial,
                                   const struct sy_unblind *p)
{
    struct sy_trial_lock lock;
    if (!sy_hash_equal(&trial->sponsor, &x->by->holder) || x->by->role != SY_ROLE_SPONSOR) {
        return sy_refuse_hash(x, SY_E_NOT_SPONSOR, &trial->sponsor);
    }
    if (p->has_reason) return sy_refuse_path(x, SY_E_SCHEMA, "reason");
    if (!trial->locked) return SY_E_BLINDED;
    if (trial->unblinded) return sy_trial_refuse(x, SY_TRIAL_DONE);
    if (!trial->drawn) return sy_trial_refuse(x, SY_TRIAL_NOT_DRAWN);
    if (!sy_trial_find_lock(x, &lock, &p->trial_id)) return SY_E_BLINDED; // corrupt
    unblind_trial(x, &p->trial_id, trial, &lock);
    sy_trial_save(x, &p->trial_id, trial);
    return SY_APPLIED;
}

static enum sy_refusal check_emergency(struct sy_exec *x, const struct sy_trial *trial,
                                       const struct sy_trial_subject *subject)
{
    bool sponsor = x->by->role == SY_ROLE_SPONSOR;
    const struct sy_hash *whose = sponsor ? &trial->sponsor : &subject->site;
    if (!sy_hash_equal(whose, &x->by->holder)) {
        return sy_refuse_hash(x, sponsor ? SY_E_NOT_SPONSOR : SY_E_SITE, whose);
    }
    if (subject->place > 0 && !subject->unblinded) return SY_APPLIED;
    x->detail = subject->status;
    return SY_E_SUBJECT_STATE;
}

static enum sy_refusal unblind_one(struct sy_exec *x, const struct sy_trial *trial,
                                   const struct sy_unblind *p)
{
    struct sy_trial_subject subject;
    if (!p->has_reason) return sy_refuse_path(x, SY_E_SCHEMA, "reason");
    enum sy_refusal code = sy_trial_find_subject(x, &subject, &p->trial_id, &p->subject_id);
    if (code == SY_APPLIED) code = check_emergency(x, trial, &subject);
    if (code != SY_APPLIED) return code;
    subject.unblinded = true;
    subject.unblinded_for = p->reason;
    subject.unblinded_by = x->by->key;
    subject.unblinded_height = x->height;
    subject.unblinded_ms = x->time_ms;
    sy_trial_save_subject(x, &p->trial_id, &p->subject_id, &subject);
    sy_trial_tell_site(x, SY_EVENT_TRIAL_UNBLINDED, trial, &subject.site, &p->subject_id);
    return SY_APPLIED;
}

enum sy_refusal sy_contract_unblind(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_unblind *p = &payload->unblind;
    struct sy_trial trial;
    SY_ASSERT(x->kind->number == SY_KIND_unblind && x->by->valid);
    enum sy_refusal code = sy_trial_find(x, &trial, &p->trial_id);
    if (code != SY_APPLIED) return code;
    return p->has_subject_id ? unblind_one(x, &trial, p) : unblind_all(x, &trial, p);
}
