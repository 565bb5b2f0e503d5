/* research_rules.h: what the contracts of the research commons judge alike (internal to
 * core/ledger/contracts). find answers a refusal or false when the entry is absent; see exec.h for
 * what it borrows and for a source that fails. */
#ifndef SY_LEDGER_CONTRACTS_RESEARCH_RULES_H
#define SY_LEDGER_CONTRACTS_RESEARCH_RULES_H

#include "core/ledger/exec.h"
#include "core/wire/state_research.h"

/* Why E_QUERY_STATE refuses beside the query's status: its detail. */
enum { SY_QUERY_LAPSED = 5, SY_QUERY_DECIDED = 6 };
enum sy_refusal sy_query_refuse(struct sy_exec *x, unsigned why);

/* sy_dataset_find finds a data set: E_DATASET_UNKNOWN {id}. sy_dataset_find_open: one that is not
 * withdrawn, else E_DATASET_STATE {height}. */
enum sy_refusal sy_dataset_find(struct sy_exec *x, struct sy_dataset *dataset,
                                const struct sy_hash *id);
enum sy_refusal sy_dataset_find_open(struct sy_exec *x, struct sy_dataset *dataset,
                                     const struct sy_hash *id);
void sy_dataset_save(struct sy_exec *x, const struct sy_hash *id, const struct sy_dataset *dataset);

/* sy_dataset_find_version: a version that the data set has; absent is corrupt. */
bool sy_dataset_find_version(struct sy_exec *x, struct sy_dataset_version *version,
                             const struct sy_hash *id, uint32_t number);
void sy_dataset_save_version(struct sy_exec *x, const struct sy_hash *id, uint32_t number,
                             const struct sy_dataset_version *version);

/* sy_dataset_kept_by: the organisation is one of its custodians. sy_dataset_signed: of how many
 * custodians an admin signed, `except` (may be NULL) aside. */
bool sy_dataset_kept_by(const struct sy_dataset *dataset, const struct sy_hash *organisation);
unsigned sy_dataset_signed(const struct sy_exec *x, const struct sy_dataset *dataset,
                           const struct sy_hash *except);

/* sy_query_find_open finds a query that is not too old to decide about or answer:
 * E_QUERY_UNKNOWN {id}, E_QUERY_STATE {5}. */
enum sy_refusal sy_query_find_open(struct sy_exec *x, struct sy_query *query,
                                   const struct sy_hash *id);
void sy_query_save(struct sy_exec *x, const struct sy_hash *id, const struct sy_query *query);

/* sy_query_tell makes an event about whoever decides about the query's data sets, each
 * organisation once, and about the researcher's when asker; object: the query. */
void sy_query_tell(struct sy_exec *x, enum sy_event_kind kind, const struct sy_query *query,
                   const struct sy_hash *id, bool asker);

/* sy_research_epoch is the epoch of this block's time. */
uint64_t sy_research_epoch(const struct sy_exec *x);

/* sy_research_charge adds cells to what was charged in this epoch, which stays within most, else
 * E_BUDGET {what is left} {whose}. */
enum sy_refusal sy_research_charge(struct sy_exec *x, const struct sy_hash *whose,
                                   enum sy_budget_of what, unsigned cells, uint64_t most);

/* sy_optouts_count is how many opt-outs there ever were. sy_contribution_merge: what was said under
 * an id that is merged holds for the one into which it is; before the merge, as it makes an event
 * about that one. */
uint64_t sy_optouts_count(struct sy_exec *x);
void sy_contribution_merge(struct sy_exec *x, const struct sy_hash *from,
                           const struct sy_hash *into);

/* sy_texts_ascend: each text of the list is above the one before. sy_texts_phenotypes: and each is
 * HP: and seven digits. */
bool sy_texts_ascend(const struct sy_list *list);
bool sy_texts_phenotypes(const struct sy_list *list);

#endif
