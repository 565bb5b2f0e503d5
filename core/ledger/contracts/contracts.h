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
/* signer.c */
enum sy_refusal sy_contract_validator_signer(struct sy_exec *x, const union sy_payload *payload);
/* governance.c */
enum sy_refusal sy_contract_param_set(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_param_enact(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_schedule_publish(struct sy_exec *x, const union sy_payload *payload);
/* device.c */
enum sy_refusal sy_contract_device_register(struct sy_exec *x, const union sy_payload *payload);
/* guardian.c */
enum sy_refusal sy_contract_guardian_act(struct sy_exec *x, const union sy_payload *payload);
/* merge.c */
enum sy_refusal sy_contract_patient_link(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_patient_merge(struct sy_exec *x, const union sy_payload *payload);
/* key.c */
enum sy_refusal sy_contract_key_rotate(struct sy_exec *x, const union sy_payload *payload);
/* consent.c */
enum sy_refusal sy_contract_consent_grant(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_consent_deny(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_consent_delegate(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_consent_revoke(struct sy_exec *x, const union sy_payload *payload);
/* access.c */
enum sy_refusal sy_contract_access_breakglass(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_access_review(struct sy_exec *x, const union sy_payload *payload);
/* disclosure.c */
enum sy_refusal sy_contract_access_request(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_access_log(struct sy_exec *x, const union sy_payload *payload);
/* notify.c */
enum sy_refusal sy_contract_notify_prefs(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_notify_ack(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_notify_dispute(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_sub_create(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_sub_cancel(struct sy_exec *x, const union sy_payload *payload);
/* custody.c */
enum sy_refusal sy_contract_custody_move(struct sy_exec *x, const union sy_payload *payload);
/* cert.c */
enum sy_refusal sy_contract_cert_issue(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_export_request(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_export_fulfil(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_id_map(struct sy_exec *x, const union sy_payload *payload);
/* product.c */
enum sy_refusal sy_contract_product_register(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_unit_commission(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_unit_verify(struct sy_exec *x, const union sy_payload *payload);
/* packing.c */
enum sy_refusal sy_contract_unit_aggregate(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_unit_disaggregate(struct sy_exec *x, const union sy_payload *payload);
/* shipping.c */
enum sy_refusal sy_contract_custody_ship(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_custody_receive(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_unit_decommission(struct sy_exec *x, const union sy_payload *payload);
/* dispense.c */
enum sy_refusal sy_contract_unit_dispense(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_unit_return(struct sy_exec *x, const union sy_payload *payload);
/* recall.c */
enum sy_refusal sy_contract_recall_issue(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_recall_notify(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_recall_close(struct sy_exec *x, const union sy_payload *payload);
/* rx.c */
enum sy_refusal sy_contract_rx_issue(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_rx_dispense(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_rx_cancel(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_rx_transfer(struct sy_exec *x, const union sy_payload *payload);
/* exception.c */
enum sy_refusal sy_contract_exception_report(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_exception_respond(struct sy_exec *x, const union sy_payload *payload);
/* correction.c */
enum sy_refusal sy_contract_event_correct(struct sy_exec *x, const union sy_payload *payload);
/* condition.c */
enum sy_refusal sy_contract_product_storage(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_cond_commit(struct sy_exec *x, const union sy_payload *payload);
/* stream.c */
enum sy_refusal sy_contract_stream_open(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_stream_commit(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_stream_close(struct sy_exec *x, const union sy_payload *payload);
/* stream_alert.c */
enum sy_refusal sy_contract_stream_alert(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_device_firmware(struct sy_exec *x, const union sy_payload *payload);
/* trial.c */
enum sy_refusal sy_contract_trial_register(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_trial_amend(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_site_activate(struct sy_exec *x, const union sy_payload *payload);
/* trial_subject.c */
enum sy_refusal sy_contract_subject_consent(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_subject_enrol(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_subject_withdraw(struct sy_exec *x, const union sy_payload *payload);
/* trial_draw.c */
enum sy_refusal sy_contract_randomise_commit(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_randomise_salt(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_randomise_reveal(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_unblind(struct sy_exec *x, const union sy_payload *payload);
/* trial_data.c */
enum sy_refusal sy_contract_data_commit(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_ae_report(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_db_lock(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_result_post(struct sy_exec *x, const union sy_payload *payload);
/* research.c */
enum sy_refusal sy_contract_dataset_publish(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_dataset_update(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_dataset_withdraw(struct sy_exec *x, const union sy_payload *payload);
/* research_query.c */
enum sy_refusal sy_contract_query_propose(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_query_approve(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_query_deny(struct sy_exec *x, const union sy_payload *payload);
/* research_result.c */
enum sy_refusal sy_contract_query_result(struct sy_exec *x, const union sy_payload *payload);
/* contribute.c */
enum sy_refusal sy_contract_contribute_optin(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_contribute_optout(struct sy_exec *x, const union sy_payload *payload);
/* plan.c */
enum sy_refusal sy_contract_plan_publish(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_coverage_add(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_coverage_end(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_schedule_rows(struct sy_exec *x, const union sy_payload *payload);
/* auth.c */
enum sy_refusal sy_contract_auth_request(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_auth_decide(struct sy_exec *x, const union sy_payload *payload);
/* claim.c */
enum sy_refusal sy_contract_claim_submit(struct sy_exec *x, const union sy_payload *payload);
/* claim_decide.c */
enum sy_refusal sy_contract_claim_adjudicate(struct sy_exec *x, const union sy_payload *payload);
/* claim_contest.c */
enum sy_refusal sy_contract_claim_appeal(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_claim_dispute(struct sy_exec *x, const union sy_payload *payload);
/* claim_fraud.c */
enum sy_refusal sy_contract_fraud_flag(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_fraud_clear(struct sy_exec *x, const union sy_payload *payload);
/* claim_pay.c */
enum sy_refusal sy_contract_claim_pay(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_claim_reverse(struct sy_exec *x, const union sy_payload *payload);
/* settle.c */
enum sy_refusal sy_contract_settle_batch(struct sy_exec *x, const union sy_payload *payload);
/* record.c */
enum sy_refusal sy_contract_record_create(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_record_amend(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_record_retract(struct sy_exec *x, const union sy_payload *payload);
/* record_graph.c */
enum sy_refusal sy_contract_record_contribute(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_record_merge(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_record_cosign(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_contract_record_dup_report(struct sy_exec *x, const union sy_payload *payload);
/* record_erase.c */
enum sy_refusal sy_contract_record_erase(struct sy_exec *x, const union sy_payload *payload);

/* What approvals decide (core/wire/approval.h). sy_names_current_roster: the payload names the
 * roster of this height (else E_ROSTER, with its epoch and hash). sy_roster_approves: all of its
 * approvals are by admin keys of that roster, and they are a quorum (else E_APPROVALS, with the key
 * or how many are needed). */
enum sy_refusal sy_names_current_roster(struct sy_exec *x, const union sy_payload *payload);
enum sy_refusal sy_roster_approves(struct sy_exec *x, const union sy_payload *payload);

/* sy_signer_stands: the payload's signer, which is a validator's, is the newest signing key of one
 * that the current roster has (else E_SIGNER, with the key). */
enum sy_refusal sy_signer_stands(struct sy_exec *x);

/* sy_consent_is_spent: it will never let anybody in again: it is over, or what it was passed on
 * from was revoked. */
bool sy_consent_is_spent(struct sy_exec *x, const struct sy_hash *id);

/* sy_window_good: a credential may count from one time to another: they leave room, it is not over,
 * and not longer than credential_ms_max (E_CRED_WINDOW, with that for its detail). */
bool sy_window_good(struct sy_exec *x, int64_t not_before, int64_t not_after);

/* sy_guardians_fit: as many guardians are needed as there may be (E_SCHEMA, path guardian_needed).
 */
bool sy_guardians_fit(unsigned needed, const struct sy_list *guardians);

/* sy_role_fits_org says whether an organisation of this kind may issue this role (E_ROLE_KIND). */
bool sy_role_fits_org(unsigned role, unsigned org_kind);

/* sy_class_needs_prescriber says whether creating a record of this class is an order that only a
 * prescriber may give. */
bool sy_class_needs_prescriber(struct sy_slice record_class);

#endif
