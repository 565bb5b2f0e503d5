/* cert.c: health cards that were issued: the ledger has what makes one unique, and never the card.
 *
 * cert.issue (somebody of an organisation answers for it)
 *   the patient is not enrolled                           E_PATIENT_UNKNOWN {id}
 *   the id was merged                                     E_PATIENT_MERGED {the id in use}
 *   the signer may not write, for treatment, or for
 *   payment when the card is about coverage, see may.h:
 *                         a consent forbids it            E_CONSENT {consent id}
 *                         one that is over allowed it     E_CONSENT_EXPIRED {consent id, its end}
 *                         nothing allows it               E_NO_CARE {patient id}
 *   the organisation anchored the same card               E_CERT_EXISTS {jws hash}
 *   another card of the organisation has the index        E_CERT_INDEX {that card's jws hash}
 *   until is past                                         E_CERT_WINDOW
 *   writes   cert, cert index
 *   event    cert.issued about the patient, object: the jws hash
 *
 * Both entries are found by organisation first, so that nobody can take another's card, or a place
 * in another's list, before its issuer does. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"

static enum sy_refusal check_writing(struct sy_exec *x, const struct sy_cert_issue *p)
{
    struct sy_may_answer answer;
    struct sy_may_question question = {
        .subject = p->patient_id,
        .who = x->by->key,
        .purpose = p->kind == SY_CERT_COVERAGE ? SY_PURPOSE_PAYMENT : SY_PURPOSE_TREATMENT,
        .action = SY_ACTION_WRITE,
        .record_class = sy_slice_of(SY_MAY_CLASS_PATIENT, strlen(SY_MAY_CLASS_PATIENT)),
        .holder = &x->by->holder,
    };
    sy_exec_may(x, &answer, &question);
    if (answer.allowed) return SY_APPLIED;
    if (answer.ground == SY_MAY_DENIED) return sy_refuse_hash(x, SY_E_CONSENT, &answer.consent);
    if (answer.miss != SY_MAY_MISS_EXPIRED) {
        return sy_refuse_hash(x, SY_E_NO_CARE, &p->patient_id);
    }
    x->detail = (uint64_t)answer.missed_ms;
    return sy_refuse_hash(x, SY_E_CONSENT_EXPIRED, &answer.missed);
}

/* Is there such a card already, or one in its place? */
static enum sy_refusal check_place(struct sy_exec *x, const struct sy_cert_issue *p,
                                   const struct sy_hash *place, const struct sy_hash *index_place)
{
    struct sy_slice value;
    struct sy_hash other;
    if (sy_exec_find(x, &value, place)) return sy_refuse_hash(x, SY_E_CERT_EXISTS, &p->jws_hash);
    if (!sy_exec_find(x, &value, index_place)) return SY_APPLIED;
    if (!sy_id_decode(&other, value)) x->failed = SY_ERR_CORRUPT;
    return sy_refuse_hash(x, SY_E_CERT_INDEX, &other);
}

enum sy_refusal sy_contract_cert_issue(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_cert_issue *p = &payload->cert_issue;
    SY_ASSERT(x->kind->number == SY_KIND_cert_issue && x->by->valid);
    SY_ASSERT(sy_exec_acts_for_org(x->by->role));
    struct sy_patient patient;
    enum sy_refusal code = sy_exec_live_patient(x, &patient, &p->patient_id);
    if (code != SY_APPLIED) return code;
    code = check_writing(x, p);
    if (code != SY_APPLIED) return code;
    struct sy_hash place, index_place;
    sy_state_key_cert(&place, &x->by->holder, &p->jws_hash);
    sy_state_key_cert_index(&index_place, &x->by->holder, p->revocation_index);
    code = check_place(x, p, &place, &index_place);
    if (code != SY_APPLIED) return code;
    if (p->has_until && p->until < x->time_ms) return SY_E_CERT_WINDOW;

    struct sy_cert cert = {
        .kind = p->kind,
        .key_id = p->key_id,
        .index = p->revocation_index,
        .height = x->height,
        .time_ms = x->time_ms,
        .has_until = p->has_until,
        .until_ms = p->has_until ? p->until : 0,
    };
    uint8_t room[128];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_cert_encode(&w, &cert);
    sy_exec_save(x, &place, &w);
    struct sy_writer id = sy_writer_of(room, sizeof room);
    sy_id_encode(&id, &p->jws_hash);
    sy_exec_save(x, &index_place, &id);
    sy_exec_event(x, SY_EVENT_CERT_ISSUED, SY_SUBJECT_PATIENT, &p->patient_id, &p->jws_hash);
    return SY_APPLIED;
}
