/* record_erase.c: the right to be forgotten, and the duty to keep.
 *
 * Nothing that could be erased stands on the ledger. record.erase is the word of whoever holds the
 * content that it, its salts and keys are destroyed: from then on nobody can tell what was
 * committed to, and everybody can tell that it is gone.
 *
 * record.erase (an admin of the holder, or the patient for what the patient holds)
 *   the record does not exist                             E_RECORD_UNKNOWN {id}
 *   another organisation or patient holds it              E_NOT_AUTHOR {holder}
 *   it was erased                                         E_RECORD_ERASED {id}
 *   consent withdrawn: about no patient                   E_ERASE_BASIS
 *                      not signed by the patient (who has
 *                      no key: by enough guardians)       E_NOT_SUBJECT {patient id}
 *   unlawful: signed neither so nor by a regulator        E_SIGNER_MISSING {subject}
 *   legal duty: signed by no regulator                    E_SIGNER_MISSING {zero}
 *   consent withdrawn or retention over: too early        E_RETENTION {first ms at which it may be}
 *   writes   record
 *   event    record.erased about the subject, object: the record
 *
 * An organisation keeps what it holds about a patient for SY_RETENTION_MS after the newest version,
 * what is billed by for SY_RETENTION_BILLING_MS. What a patient holds, and the directory, nobody
 * has to keep. What was held unlawfully there is no duty to keep, but the holder alone does not get
 * rid of a record by calling it that. Children and other links stay, as do all commitments. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/record_rules.h"

static bool is_billed_by(struct sy_slice record_class)
{
    static const char *const classes[] = {"Account",
                                          "ChargeItem",
                                          "Claim",
                                          "ClaimResponse",
                                          "Coverage",
                                          "CoverageEligibilityRequest",
                                          "CoverageEligibilityResponse",
                                          "ExplanationOfBenefit",
                                          "Invoice",
                                          "PaymentNotice",
                                          "PaymentReconciliation"};
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        if (sy_slice_equal(record_class, sy_slice_of(classes[i], strlen(classes[i])))) return true;
    }
    return false;
}

/* Until when the record is kept, ms: 0: nobody has to. */
static int64_t kept_until(struct sy_exec *x, const struct sy_record *record,
                          const struct sy_hash *record_id)
{
    struct sy_record_version newest;
    if (record->subject_kind != SY_SUBJECT_PATIENT) return 0;
    if (sy_hash_equal(&record->holder, &record->subject)) return 0;
    if (!sy_record_find_version(x, &newest, record, record_id, record->versions)) return INT64_MAX;
    return newest.time_ms +
           (is_billed_by(record->record_class) ? SY_RETENTION_BILLING_MS : SY_RETENTION_MS);
}

// --- who signed --------------------------------------------------------------------------------

/* The patient, or, while the patient has no key, as many guardians as it takes: what is erased does
 * not come back. */
static bool subject_signed(struct sy_exec *x, const struct sy_record *record)
{
    struct sy_patient patient;
    if (record->subject_kind != SY_SUBJECT_PATIENT) return false;
    struct sy_hash live = sy_exec_live_id(x, &record->subject);
    if (!sy_exec_find_patient(x, &patient, &live)) return false;
    return patient.claimed ? sy_exec_wallet_signed(x, &patient)
                           : sy_exec_guardians_signed(x, &patient);
}

static bool regulator_signed(const struct sy_exec *x)
{
    SY_ASSERT(x->signer_count >= 1 && x->signer_count <= SY_TX_SIGNERS_MAX);
    for (unsigned i = 0; i < x->signer_count; i++) {
        if (x->signers[i].valid && x->signers[i].role == SY_ROLE_REGULATOR) return true;
    }
    return false;
}

static enum sy_refusal check_basis(struct sy_exec *x, const struct sy_record *record,
                                   const struct sy_hash *record_id, uint16_t basis)
{
    static const struct sy_hash nobody;
    switch (basis) {
    case SY_ERASE_LEGAL:
        if (regulator_signed(x)) return SY_APPLIED;
        return sy_refuse_hash(x, SY_E_SIGNER_MISSING, &nobody);
    case SY_ERASE_UNLAWFUL:
        if (subject_signed(x, record) || regulator_signed(x)) return SY_APPLIED;
        return sy_refuse_hash(x, SY_E_SIGNER_MISSING, &record->subject);
    case SY_ERASE_CONSENT:
        if (record->subject_kind != SY_SUBJECT_PATIENT) return SY_E_ERASE_BASIS;
        if (!subject_signed(x, record)) {
            return sy_refuse_hash(x, SY_E_NOT_SUBJECT, &record->subject);
        }
        break;
    default: SY_ASSERT(basis == SY_ERASE_RETENTION);
    }
    int64_t until = kept_until(x, record, record_id);
    if (x->time_ms >= until) return SY_APPLIED;
    x->detail = (uint64_t)until;
    return SY_E_RETENTION;
}

enum sy_refusal sy_contract_record_erase(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_record_erase *p = &payload->record_erase;
    SY_ASSERT(x->kind->number == SY_KIND_record_erase && x->by->valid);
    struct sy_record record;
    if (!sy_exec_find_record(x, &record, &p->record_id)) {
        return sy_refuse_hash(x, SY_E_RECORD_UNKNOWN, &p->record_id);
    }
    if (!sy_hash_equal(&record.holder, &x->by->holder)) {
        return sy_refuse_hash(x, SY_E_NOT_AUTHOR, &record.holder);
    }
    if (record.erased) return sy_refuse_hash(x, SY_E_RECORD_ERASED, &p->record_id);
    enum sy_refusal code = check_basis(x, &record, &p->record_id, p->basis);
    if (code != SY_APPLIED) return code;
    record.erased = true;
    record.erase_basis = p->basis;
    record.erased_height = x->height;
    record.erased_ms = x->time_ms;
    sy_exec_save_record(x, &p->record_id, &record);
    sy_exec_event(x, SY_EVENT_RECORD_ERASED, (enum sy_subject_kind)record.subject_kind,
                  &record.subject, &p->record_id);
    return SY_APPLIED;
}
