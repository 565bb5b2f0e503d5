/* claim_decide.h: how a claim comes to its amounts, for the contracts that decide one. */
#ifndef SY_LEDGER_CONTRACTS_CLAIM_DECIDE_H
#define SY_LEDGER_CONTRACTS_CLAIM_DECIDE_H

#include "core/ledger/exec.h"
#include "core/wire/money.h"

/* sy_claim_is_denied: every line of it is. */
bool sy_claim_is_denied(const struct sy_claim *claim);

/* sy_claim_decide prices the claim and says what becomes of it; the coverage has used more then. */
void sy_claim_decide(struct sy_exec *x, struct sy_claim *claim, const struct sy_plan *plan);

/* sy_claim_tell tells the patient and the payer that it is pended, decided or denied. */
void sy_claim_tell(struct sy_exec *x, const struct sy_claim *claim, const struct sy_hash *id);

/* sy_claim_release_used gives back what the claim has of its coverage's year. */
void sy_claim_release_used(struct sy_exec *x, const struct sy_claim *claim);

#endif
