/* custody.c: who keeps a record.
 *
 * custody.move (an admin or gateway of either organisation answers for it)
 *   the record does not exist                             E_RECORD_UNKNOWN {id}
 *   no admin or gateway of who keeps it signed            E_NOT_CUSTODIAN {who}
 *   it is about no patient, or org_id keeps it            E_CUSTODY {id}
 *   it was erased: nothing is there to be handed over     E_RECORD_ERASED {id}
 *   org_id is not registered                              E_ORG_UNKNOWN {id}
 *   no admin or gateway of org_id signed                  E_SIGNER_MISSING {org id}
 *   that signer may not write to the patient's records,
 *   for treatment, see may.h: a consent forbids it        E_CONSENT {consent id}
 *                         one that is over allowed it     E_CONSENT_EXPIRED {consent id, its end}
 *                         nothing allows it               E_NO_CARE {patient id}
 *   version is no head                                    E_STALE_HEAD {newest head}
 *   commit is not that version's                          E_CONTENT {what the ledger has}
 *   writes   record
 *   event    custody.moved about the patient, object: the record
 *
 * Two steps, as two signatures: who keeps it signs that it gives it away, and who takes it that it
 * has the content, by making the commitment again. Many records move together in an atomic
 * transaction. From then on the new organisation is the record's holder: it amends and retracts it,
 * its emergency key opens envelopes, and the old one may do what consents and care let it do. The
 * versions keep the names of their authors and of their organisation. What was retracted moves,
 * too: it has to be kept. Of what was erased there is nothing to take over. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/record_rules.h"

/* An admin or gateway of the organisation that signed; NULL: none did. */
static const struct sy_exec_signer *find_keeper(const struct sy_exec *x,
                                                const struct sy_hash *org_id)
{
    SY_ASSERT(x->signer_count >= 1 && x->signer_count <= SY_TX_SIGNERS_MAX);
    for (unsigned i = 0; i < x->signer_count; i++) {
        const struct sy_exec_signer *signer = &x->signers[i];
        bool role = (SY_ROLES_CUSTODIAN & SY_ROLE_BIT(signer->role)) != 0;
        if (signer->valid && !signer->suspended && role && sy_hash_equal(&signer->holder, org_id)) {
            return signer;
        }
    }
    return NULL;
}

/* Taking over is writing: the holder of a record goes on amending it, whatever is denied later. */
static enum sy_refusal check_taker(struct sy_exec *x, const struct sy_record *record,
                                   const struct sy_exec_signer *taker)
{
    struct sy_may_answer answer;
    struct sy_tag label;
    memcpy(label.bytes, record->sens_tag, sizeof label.bytes);
    struct sy_may_question question = {
        .subject = record->subject,
        .who = taker->key,
        .purpose = SY_PURPOSE_TREATMENT,
        .action = SY_ACTION_WRITE,
        .record_class = record->record_class,
        .label = record->has_sens_tag ? &label : NULL,
        .holder = &record->holder,
    };
    sy_exec_may(x, &answer, &question);
    if (answer.allowed) return SY_APPLIED;
    if (answer.ground == SY_MAY_DENIED) return sy_refuse_hash(x, SY_E_CONSENT, &answer.consent);
    if (answer.miss != SY_MAY_MISS_EXPIRED) {
        return sy_refuse_hash(x, SY_E_NO_CARE, &record->subject);
    }
    x->detail = (uint64_t)answer.missed_ms;
    return sy_refuse_hash(x, SY_E_CONSENT_EXPIRED, &answer.missed);
}

static enum sy_refusal check_content(struct sy_exec *x, const struct sy_record *record,
                                     const struct sy_custody_move *p)
{
    struct sy_record_version version;
    bool is_head = false;
    for (unsigned i = 0; i < record->head_count; i++) {
        is_head = is_head || record->heads[i] == p->version;
    }
    if (!is_head) {
        x->detail = record->head_count > 0 ? record->heads[record->head_count - 1u] : 0;
        return SY_E_STALE_HEAD;
    }
    if (!sy_record_find_version(x, &version, record, &p->record_id, p->version)) {
        sy_exec_corrupt(x); // a head has an entry
        return SY_E_CONTENT;
    }
    if (sy_hash_equal(&version.commit, &p->commit)) return SY_APPLIED;
    return sy_refuse_hash(x, SY_E_CONTENT, &version.commit);
}

enum sy_refusal sy_contract_custody_move(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_custody_move *p = &payload->custody_move;
    SY_ASSERT(x->kind->number == SY_KIND_custody_move && x->by->valid);
    SY_ASSERT(sy_exec_acts_for_org(x->by->role));
    struct sy_record record;
    struct sy_org org;
    if (!sy_exec_find_record(x, &record, &p->record_id)) {
        return sy_refuse_hash(x, SY_E_RECORD_UNKNOWN, &p->record_id);
    }
    if (find_keeper(x, &record.holder) == NULL) {
        return sy_refuse_hash(x, SY_E_NOT_CUSTODIAN, &record.holder);
    }
    if (record.subject_kind != SY_SUBJECT_PATIENT || sy_hash_equal(&record.holder, &p->org_id)) {
        return sy_refuse_hash(x, SY_E_CUSTODY, &p->record_id);
    }
    if (record.erased) return sy_refuse_hash(x, SY_E_RECORD_ERASED, &p->record_id);
    if (!sy_exec_find_org(x, &org, &p->org_id)) {
        return sy_refuse_hash(x, SY_E_ORG_UNKNOWN, &p->org_id);
    }
    const struct sy_exec_signer *taker = find_keeper(x, &p->org_id);
    if (taker == NULL) return sy_refuse_hash(x, SY_E_SIGNER_MISSING, &p->org_id);
    enum sy_refusal code = check_taker(x, &record, taker);
    if (code == SY_APPLIED) code = check_content(x, &record, p);
    if (code != SY_APPLIED) return code;
    record.holder = p->org_id;
    sy_exec_save_record(x, &p->record_id, &record);
    sy_exec_event(x, SY_EVENT_CUSTODY_MOVED, SY_SUBJECT_PATIENT, &record.subject, &p->record_id);
    return SY_APPLIED;
}
