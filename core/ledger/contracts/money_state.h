/* money_state.h: entries of plans, coverage, claims and payments, typed, for the contracts that
 * share them. find answers false when the entry is absent; see exec.h for what it borrows and for
 * a source that fails. */
#ifndef SY_LEDGER_CONTRACTS_MONEY_STATE_H
#define SY_LEDGER_CONTRACTS_MONEY_STATE_H

#include "core/ledger/exec.h"
#include "core/wire/money.h"

bool sy_money_find_plan(struct sy_exec *x, struct sy_plan *out, const struct sy_hash *id);
bool sy_money_find_coverage(struct sy_exec *x, struct sy_coverage *out, const struct sy_hash *id);
/* None ever: out is then empty. */
void sy_money_find_coverages(struct sy_exec *x, struct sy_coverages *out,
                             const struct sy_hash *patient, uint8_t order);
bool sy_money_find_claim(struct sy_exec *x, struct sy_claim *out, const struct sy_hash *id);
/* The claim that stands for a service; false: none. */
bool sy_money_find_standing(struct sy_exec *x, struct sy_hash *claim, const struct sy_hash *key);
/* The nearest claim before this one, by prior_claim, that stands: it was neither denied nor
 * reversed; false: none. */
bool sy_money_find_before(struct sy_exec *x, struct sy_hash *id, const struct sy_claim *claim);
void sy_money_find_used(struct sy_exec *x, struct sy_used *out, const struct sy_hash *coverage,
                        uint32_t year);
bool sy_money_find_payment(struct sy_exec *x, struct sy_payment *out, const struct sy_hash *claim);
bool sy_money_find_auth(struct sy_exec *x, struct sy_auth *out, const struct sy_hash *id);
bool sy_money_find_contest(struct sy_exec *x, struct sy_contest_entry *out,
                           const struct sy_hash *claim, uint16_t contest);
bool sy_money_find_row(struct sy_exec *x, struct sy_schedule_row *out, const struct sy_hash *list,
                       struct sy_slice key);

void sy_money_save_coverage(struct sy_exec *x, const struct sy_hash *id,
                            const struct sy_coverage *coverage);
void sy_money_save_coverages(struct sy_exec *x, const struct sy_hash *patient, uint8_t order,
                             const struct sy_coverages *coverages);
void sy_money_save_claim(struct sy_exec *x, const struct sy_hash *id, const struct sy_claim *claim);
/* sy_money_save_standing lets a claim stand for a service; sy_money_step_back lets the nearest one
 * before a claim that stands no more, or none. */
void sy_money_save_standing(struct sy_exec *x, const struct sy_hash *key, const struct sy_hash *id);
void sy_money_step_back(struct sy_exec *x, const struct sy_claim *claim);
void sy_money_save_used(struct sy_exec *x, const struct sy_hash *coverage, uint32_t year,
                        const struct sy_used *used);
void sy_money_save_payment(struct sy_exec *x, const struct sy_hash *claim,
                           const struct sy_payment *payment);

void sy_money_save_auth(struct sy_exec *x, const struct sy_hash *id, const struct sy_auth *auth);

void sy_money_save_contest(struct sy_exec *x, const struct sy_hash *claim, uint16_t contest,
                           const struct sy_contest_entry *entry);
/* sy_money_end_contests ends all that the claim's holds say is open, and takes the holds off it. */
void sy_money_end_contests(struct sy_exec *x, struct sy_claim *claim, const struct sy_hash *id,
                           uint8_t status);
/* sy_money_held_until is the last moment in which what is open keeps the claim from being paid;
 * -1: nothing is open. */
int64_t sy_money_held_until(struct sy_exec *x, const struct sy_claim *claim,
                            const struct sy_hash *id);

/* Nothing was ever paid: out is then zeroed. */
void sy_money_find_owed(struct sy_exec *x, struct sy_owed *out, const struct sy_hash *payer,
                        const struct sy_hash *payee);
void sy_money_save_owed(struct sy_exec *x, const struct sy_hash *payer, const struct sy_hash *payee,
                        const struct sy_owed *owed);

/* sy_money_place_settlement counts a settlement among an organisation's. */
void sy_money_place_settlement(struct sy_exec *x, const struct sy_hash *organisation,
                               const struct sy_hash *settlement);

/* sy_money_give_back gives units back to the authorisation that a claim names. */
void sy_money_give_back(struct sy_exec *x, const struct sy_claim *claim, uint64_t units);

/* sy_money_check_writing: the signer may write to a patient's records for payment. E_CONSENT {the
 * denial}, E_NO_CARE {patient}. */
enum sy_refusal sy_money_check_writing(struct sy_exec *x, const struct sy_hash *patient_id);

/* sy_money_refuse_item is sy_refuse_path with "name[number]". */
enum sy_refusal sy_money_refuse_item(struct sy_exec *x, enum sy_refusal code, const char *name,
                                     unsigned number);

/* sy_money_move moves an amount from payer to payee, or back when it is negative: both balances,
 * what the one owes the other, and the payee's next remittance. False: what the one owes the other
 * would leave its range of SY_BALANCE_MAX to either side, and nothing was written. */
bool sy_money_move(struct sy_exec *x, const struct sy_hash *claim, const struct sy_hash *payer,
                   const struct sy_hash *payee, int64_t amount);

/* sy_money_settle takes a net off both balances: the payer owes it to the payee no more. */
void sy_money_settle(struct sy_exec *x, const struct sy_hash *payer, const struct sy_hash *payee,
                     int64_t net);

#endif
