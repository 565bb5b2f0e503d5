/* trial_rules.h: what the contracts about clinical trials judge alike (internal to
 * core/ledger/contracts). find answers false when the entry is absent; see exec.h for what it
 * borrows and for a source that fails. */
#ifndef SY_LEDGER_CONTRACTS_TRIAL_RULES_H
#define SY_LEDGER_CONTRACTS_TRIAL_RULES_H

#include "core/ledger/exec.h"
#include "core/wire/state_trial.h"

/* Why E_TRIAL_STATE refuses: its detail. */
enum {
    SY_TRIAL_UNREGISTERED = 0,
    SY_TRIAL_NOT_DRAWN = 1,
    SY_TRIAL_NOT_LOCKED = 2,
    SY_TRIAL_DONE = 3,
    SY_TRIAL_TOO_SOON = 4
};
enum sy_refusal sy_trial_refuse(struct sy_exec *x, unsigned why);

/* sy_trial_find finds a trial: E_TRIAL_STATE {0} when it is not registered. sy_trial_find_own: one
 * of the answering signer's organisation, else E_NOT_SPONSOR {the sponsor}. */
enum sy_refusal sy_trial_find(struct sy_exec *x, struct sy_trial *trial, const struct sy_hash *id);
enum sy_refusal sy_trial_find_own(struct sy_exec *x, struct sy_trial *trial,
                                  const struct sy_hash *id);
void sy_trial_save(struct sy_exec *x, const struct sy_hash *id, const struct sy_trial *trial);

/* sy_trial_check_open: its data are not locked, else E_LOCKED {height}. */
enum sy_refusal sy_trial_check_open(struct sy_exec *x, const struct sy_trial *trial);

/* sy_trial_find_version: a version that the trial has; absent is corrupt. */
bool sy_trial_find_version(struct sy_exec *x, struct sy_trial_version *version,
                           const struct sy_hash *id, uint32_t number);
void sy_trial_save_version(struct sy_exec *x, const struct sy_hash *id, uint32_t number,
                           const struct sy_trial_version *version);

/* sy_trial_find_site finds an active site, else E_SITE {organisation}. */
enum sy_refusal sy_trial_find_site(struct sy_exec *x, struct sy_trial_site *site,
                                   const struct sy_hash *id, const struct sy_hash *organisation);
bool sy_trial_has_site(struct sy_exec *x, const struct sy_hash *id,
                       const struct sy_hash *organisation);
void sy_trial_save_site(struct sy_exec *x, const struct sy_hash *id,
                        const struct sy_hash *organisation, const struct sy_trial_site *site);

/* sy_trial_find_subject: E_SUBJECT_UNKNOWN {subject}. sy_trial_find_own_subject: one of the
 * answering signer's site, else E_SITE {the subject's}. */
enum sy_refusal sy_trial_find_subject(struct sy_exec *x, struct sy_trial_subject *subject,
                                      const struct sy_hash *id, const struct sy_hash *subject_id);
enum sy_refusal sy_trial_find_own_subject(struct sy_exec *x, struct sy_trial_subject *subject,
                                          const struct sy_hash *id,
                                          const struct sy_hash *subject_id);
void sy_trial_save_subject(struct sy_exec *x, const struct sy_hash *id,
                           const struct sy_hash *subject_id,
                           const struct sy_trial_subject *subject);

bool sy_trial_find_draw(struct sy_exec *x, struct sy_trial_draw *draw, const struct sy_hash *id);
/* sy_trial_find_lock: of a trial that is locked; absent is corrupt. */
bool sy_trial_find_lock(struct sy_exec *x, struct sy_trial_lock *lock, const struct sy_hash *id);
void sy_trial_save_lock(struct sy_exec *x, const struct sy_hash *id,
                        const struct sy_trial_lock *lock);

/* sy_trial_save_number writes what stands under a number. */
void sy_trial_save_number(struct sy_exec *x, enum sy_state_kind kind, const struct sy_hash *id,
                          uint64_t number, const struct sy_writer *value);

/* sy_trial_signer: a signer of a role who acts for this organisation; NULL: none signed. */
const struct sy_exec_signer *sy_trial_signer(const struct sy_exec *x, unsigned role,
                                             const struct sy_hash *organisation);

/* sy_trial_tell tells the sponsor and the ethics board; sy_trial_tell_site also the site, each
 * organisation once. */
void sy_trial_tell(struct sy_exec *x, enum sy_event_kind kind, const struct sy_trial *trial,
                   const struct sy_hash *object);
void sy_trial_tell_site(struct sy_exec *x, enum sy_event_kind kind, const struct sy_trial *trial,
                        const struct sy_hash *site, const struct sy_hash *object);

#endif
