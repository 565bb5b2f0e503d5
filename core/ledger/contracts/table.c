/* table.c: which contract runs a kind of transaction. */
#include "core/ledger/contracts/contracts.h"

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
    case SY_KIND_record_create: return sy_contract_record_create;
    case SY_KIND_record_amend: return sy_contract_record_amend;
    case SY_KIND_record_retract: return sy_contract_record_retract;
    case SY_KIND_consent_grant: return sy_contract_consent_grant;
    case SY_KIND_consent_deny: return sy_contract_consent_deny;
    case SY_KIND_consent_delegate: return sy_contract_consent_delegate;
    case SY_KIND_access_breakglass: return sy_contract_access_breakglass;
    case SY_KIND_access_review: return sy_contract_access_review;
    case SY_KIND_consent_revoke: return sy_contract_consent_revoke;
    default: return NULL;
    }
}
