/* contracts.h: every contract, one function a kind of transaction (internal to core/ledger).
 *
 * What is checked before a contract runs, for every kind: ledger.h. Each contract's own rules
 * stand in the table that opens its file, in the order in which they are checked. */
#ifndef SY_LEDGER_CONTRACTS_CONTRACTS_H
#define SY_LEDGER_CONTRACTS_CONTRACTS_H

#include "core/ledger/exec.h"

/* org.c */
enum sy_refusal sy_contract_org_register(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_org_suspend(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_org_reinstate(struct sy_exec *x, const union sy_payload *payload);
/* cred.c */
enum sy_refusal sy_contract_cred_issue(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_cred_revoke(struct sy_exec *x, const union sy_payload *payload);
/* patient.c */
enum sy_refusal sy_contract_patient_enrol(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_patient_claim(struct sy_exec *x, const union sy_payload *payload);
/* care.c */
enum sy_refusal sy_contract_care_open(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_care_close(struct sy_exec *x, const union sy_payload *payload);
/* validator.c */
enum sy_refusal sy_contract_validator(struct sy_exec *x, const union sy_payload *payload);
/* consent.c */
enum sy_refusal sy_contract_consent_grant(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_consent_deny(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_consent_delegate(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_consent_revoke(struct sy_exec *x, const union sy_payload *payload);
/* access.c */
enum sy_refusal sy_contract_access_breakglass(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_access_review(struct sy_exec *x, const union sy_payload *payload);
/* record.c */
enum sy_refusal sy_contract_record_create(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_record_amend(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_record_retract(struct sy_exec *x, const union sy_payload *payload);

/* sy_role_fits_org says whether an organisation of this kind may issue this role (E_ROLE_KIND). */
bool sy_role_fits_org(unsigned role, unsigned org_kind);

/* sy_class_needs_prescriber says whether creating a record of this class is an order that only a
 * prescriber may give. */
bool sy_class_needs_prescriber(struct sy_slice record_class);

#endif
