/* table.c: which contract runs a kind of transaction. */
#include "core/ledger/contracts/contracts.h"

static sy_contract of_research(uint16_t kind)
{
    switch (kind) {
    case SY_KIND_dataset_publish: return sy_contract_dataset_publish;
    case SY_KIND_dataset_update: return sy_contract_dataset_update;
    case SY_KIND_dataset_withdraw: return sy_contract_dataset_withdraw;
    case SY_KIND_query_propose: return sy_contract_query_propose;
    case SY_KIND_query_approve: return sy_contract_query_approve;
    case SY_KIND_query_deny: return sy_contract_query_deny;
    case SY_KIND_query_result: return sy_contract_query_result;
    case SY_KIND_contribute_optin: return sy_contract_contribute_optin;
    case SY_KIND_contribute_optout: return sy_contract_contribute_optout;
    default: return NULL;
    }
}

static sy_contract of_trials(uint16_t kind)
{
    switch (kind) {
    case SY_KIND_trial_register: return sy_contract_trial_register;
    case SY_KIND_trial_amend: return sy_contract_trial_amend;
    case SY_KIND_site_activate: return sy_contract_site_activate;
    case SY_KIND_subject_consent: return sy_contract_subject_consent;
    case SY_KIND_subject_enrol: return sy_contract_subject_enrol;
    case SY_KIND_subject_withdraw: return sy_contract_subject_withdraw;
    case SY_KIND_randomise_commit: return sy_contract_randomise_commit;
    case SY_KIND_randomise_salt: return sy_contract_randomise_salt;
    case SY_KIND_randomise_reveal: return sy_contract_randomise_reveal;
    case SY_KIND_data_commit: return sy_contract_data_commit;
    case SY_KIND_ae_report: return sy_contract_ae_report;
    case SY_KIND_db_lock: return sy_contract_db_lock;
    case SY_KIND_unblind: return sy_contract_unblind;
    case SY_KIND_result_post: return sy_contract_result_post;
    default: return of_research(kind);
    }
}

static sy_contract of_claims(uint16_t kind)
{
    switch (kind) {
    case SY_KIND_plan_publish: return sy_contract_plan_publish;
    case SY_KIND_coverage_add: return sy_contract_coverage_add;
    case SY_KIND_coverage_end: return sy_contract_coverage_end;
    case SY_KIND_auth_request: return sy_contract_auth_request;
    case SY_KIND_auth_decide: return sy_contract_auth_decide;
    case SY_KIND_claim_submit: return sy_contract_claim_submit;
    case SY_KIND_claim_adjudicate: return sy_contract_claim_adjudicate;
    case SY_KIND_claim_pay: return sy_contract_claim_pay;
    case SY_KIND_claim_reverse: return sy_contract_claim_reverse;
    case SY_KIND_claim_appeal: return sy_contract_claim_appeal;
    case SY_KIND_claim_dispute: return sy_contract_claim_dispute;
    case SY_KIND_fraud_flag: return sy_contract_fraud_flag;
    case SY_KIND_fraud_clear: return sy_contract_fraud_clear;
    case SY_KIND_settle_batch: return sy_contract_settle_batch;
    case SY_KIND_schedule_rows: return sy_contract_schedule_rows;
    default: return of_trials(kind);
    }
}

static sy_contract of_streams(uint16_t kind)
{
    switch (kind) {
    case SY_KIND_stream_open: return sy_contract_stream_open;
    case SY_KIND_stream_commit: return sy_contract_stream_commit;
    case SY_KIND_stream_alert: return sy_contract_stream_alert;
    case SY_KIND_stream_close: return sy_contract_stream_close;
    case SY_KIND_device_firmware: return sy_contract_device_firmware;
    default: return of_claims(kind);
    }
}

static sy_contract of_goods(uint16_t kind)
{
    switch (kind) {
    case SY_KIND_product_register: return sy_contract_product_register;
    case SY_KIND_unit_commission: return sy_contract_unit_commission;
    case SY_KIND_unit_verify: return sy_contract_unit_verify;
    case SY_KIND_unit_aggregate: return sy_contract_unit_aggregate;
    case SY_KIND_unit_disaggregate: return sy_contract_unit_disaggregate;
    case SY_KIND_custody_ship: return sy_contract_custody_ship;
    case SY_KIND_custody_receive: return sy_contract_custody_receive;
    case SY_KIND_unit_decommission: return sy_contract_unit_decommission;
    case SY_KIND_unit_dispense: return sy_contract_unit_dispense;
    case SY_KIND_unit_return: return sy_contract_unit_return;
    case SY_KIND_recall_issue: return sy_contract_recall_issue;
    case SY_KIND_recall_notify: return sy_contract_recall_notify;
    case SY_KIND_recall_close: return sy_contract_recall_close;
    case SY_KIND_rx_issue: return sy_contract_rx_issue;
    case SY_KIND_rx_dispense: return sy_contract_rx_dispense;
    case SY_KIND_rx_cancel: return sy_contract_rx_cancel;
    case SY_KIND_rx_transfer: return sy_contract_rx_transfer;
    case SY_KIND_exception_report: return sy_contract_exception_report;
    case SY_KIND_exception_respond: return sy_contract_exception_respond;
    case SY_KIND_event_correct: return sy_contract_event_correct;
    case SY_KIND_cond_commit: return sy_contract_cond_commit;
    case SY_KIND_product_storage: return sy_contract_product_storage;
    default: return of_streams(kind);
    }
}

sy_contract sy_contract_of(uint16_t kind)
{
    switch (kind) {
    case SY_KIND_org_register: return sy_contract_org_register;
    case SY_KIND_org_suspend: return sy_contract_org_suspend;
    case SY_KIND_org_reinstate: return sy_contract_org_reinstate;
    case SY_KIND_cred_issue: return sy_contract_cred_issue;
    case SY_KIND_cred_revoke: return sy_contract_cred_revoke;
    case SY_KIND_patient_enrol: return sy_contract_patient_enrol;
    case SY_KIND_patient_claim: return sy_contract_patient_claim;
    case SY_KIND_care_open: return sy_contract_care_open;
    case SY_KIND_care_close: return sy_contract_care_close;
    case SY_KIND_validator_add:
    case SY_KIND_validator_remove:
    case SY_KIND_validator_rekey: return sy_contract_validator;
    case SY_KIND_key_rotate: return sy_contract_key_rotate;
    case SY_KIND_param_set: return sy_contract_param_set;
    case SY_KIND_param_enact: return sy_contract_param_enact;
    case SY_KIND_schedule_publish: return sy_contract_schedule_publish;
    case SY_KIND_device_register: return sy_contract_device_register;
    case SY_KIND_guardian_act: return sy_contract_guardian_act;
    case SY_KIND_patient_link: return sy_contract_patient_link;
    case SY_KIND_patient_merge: return sy_contract_patient_merge;
    case SY_KIND_record_create: return sy_contract_record_create;
    case SY_KIND_record_amend: return sy_contract_record_amend;
    case SY_KIND_record_retract: return sy_contract_record_retract;
    case SY_KIND_record_contribute: return sy_contract_record_contribute;
    case SY_KIND_record_merge: return sy_contract_record_merge;
    case SY_KIND_record_cosign: return sy_contract_record_cosign;
    case SY_KIND_record_erase: return sy_contract_record_erase;
    case SY_KIND_record_dup_report: return sy_contract_record_dup_report;
    case SY_KIND_consent_grant: return sy_contract_consent_grant;
    case SY_KIND_consent_deny: return sy_contract_consent_deny;
    case SY_KIND_consent_delegate: return sy_contract_consent_delegate;
    case SY_KIND_access_breakglass: return sy_contract_access_breakglass;
    case SY_KIND_access_review: return sy_contract_access_review;
    case SY_KIND_consent_revoke: return sy_contract_consent_revoke;
    case SY_KIND_access_request: return sy_contract_access_request;
    case SY_KIND_access_log: return sy_contract_access_log;
    case SY_KIND_notify_prefs: return sy_contract_notify_prefs;
    case SY_KIND_notify_ack: return sy_contract_notify_ack;
    case SY_KIND_notify_dispute: return sy_contract_notify_dispute;
    case SY_KIND_sub_create: return sy_contract_sub_create;
    case SY_KIND_sub_cancel: return sy_contract_sub_cancel;
    case SY_KIND_export_request: return sy_contract_export_request;
    case SY_KIND_export_fulfil: return sy_contract_export_fulfil;
    case SY_KIND_custody_move: return sy_contract_custody_move;
    case SY_KIND_cert_issue: return sy_contract_cert_issue;
    case SY_KIND_id_map: return sy_contract_id_map;
    case SY_KIND_validator_signer: return sy_contract_validator_signer;
    default: return of_goods(kind);
    }
}
