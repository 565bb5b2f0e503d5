/* claim_fraud.h: what rules look for in claims, for the contracts by which claims come and go. */
#ifndef SY_LEDGER_CONTRACTS_CLAIM_FRAUD_H
#define SY_LEDGER_CONTRACTS_CLAIM_FRAUD_H

#include "core/ledger/contracts/claim_rules.h"
#include "core/ledger/exec.h"

/* sy_claim_watch judges a claim that stands from now on, by what was billed, and sets what flags it
 * and the minutes that it has of its practitioner's day. codes: the id of the plan's code set;
 * NULL: it has none. unseen: the plan wants a record of the service, and it names none. */
void sy_claim_watch(struct sy_exec *x, struct sy_claim *claim, const struct sy_hash *id,
                    const struct sy_claim_line *lines, const struct sy_hash *codes, bool unseen);

/* sy_claim_unwatch takes the claim's minutes off the day when it stands no more; sy_claim_rewatch
 * adds them when it stands again, and judges lines that were denied and are allowed now: bits.
 * stood: it did before. */
void sy_claim_unwatch(struct sy_exec *x, const struct sy_claim *claim);
void sy_claim_rewatch(struct sy_exec *x, struct sy_claim *claim, const struct sy_hash *id,
                      bool stood, uint64_t allowed);

#endif
