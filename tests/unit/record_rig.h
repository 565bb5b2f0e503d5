/* record_rig.h: records of the patient with a key, and what cases assert of them. */
#ifndef SY_TESTS_UNIT_RECORD_RIG_H
#define SY_TESTS_UNIT_RECORD_RIG_H

#include "tests/unit/consent_rig.h"

/* What state has, which must be there. */
struct sy_record find_record(unsigned number);
struct sy_record_version find_version(unsigned number, uint32_t version);
struct sy_record_link find_link(unsigned record, uint64_t number);
struct sy_cosignatures find_cosignatures(unsigned record, uint32_t version);

/* The newest receipt's first event is this one, about the patient. */
void assert_told(enum sy_event_kind kind, unsigned patient, unsigned object);

/* A's doctor registers an observation of PATIENT_CLAIMED. */
void create(unsigned record);
/* ... and amends it, as does B's doctor, whom CONSENT lets in: heads 2 and 3. */
void branch_twice(unsigned record);

/* Transactions that keep every rule. heads: a digit each; parents: 0: none. */
struct world_tx world_merge(struct ledger_world *of, unsigned key, unsigned org, unsigned record,
                            const char *heads);
struct world_tx contribute(unsigned key, unsigned role, unsigned org, unsigned record,
                           unsigned first_parent, unsigned second_parent);
struct world_tx cosign(unsigned key, unsigned org, unsigned record, uint32_t version,
                       uint16_t meaning);
struct world_tx dup_report(unsigned key, unsigned org, unsigned record, unsigned other);
struct world_tx erase(unsigned key, unsigned org, unsigned record, uint16_t basis);

#endif
