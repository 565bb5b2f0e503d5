/* disclosure.c: who asks a patient for access, and who saw what: the accounting of disclosures.
 *
 * access.request (whoever acts for an organisation answers for it)
 *   the patient is not enrolled, or was merged            E_PATIENT_UNKNOWN {id}, E_PATIENT_MERGED
 *   the organisation asked them less than a day ago       E_REQUEST_OPEN {when it may again, ms}
 *   writes   access request
 *   event    access.requested about the patient, object: the organisation
 *
 * access.log (a gateway answers for it, or a validator's signing key: signer.c)
 *   a validator's: it has another one now, or is not of
 *   the current roster                                    E_SIGNER {key}
 *   the id is taken                                       E_LOG_EXISTS {id}
 *   no patients, or not as many roots or counts, or a
 *   count is 0                                            E_LOG_COUNTS {patients}
 *   first is after last or more than a day before it, or
 *   last is after block time or, but for a validator that
 *   was down, more than a week before                     E_LOG_WINDOW {a day, ms}
 *   one of the patients is not enrolled, or was merged    E_PATIENT_UNKNOWN {id}, E_PATIENT_MERGED
 *   writes   access log, and a disclosure for each patient
 *   event    access.disclosed about each of the patients, object: the log
 *
 * What a root stands over is FORMAT.md's, section 16; here it is 32 bytes that the organisation has
 * to answer for, to the patient who asks it for the leaves. A log says nothing of one patient to
 * another: each has an entry of their own, and the proof of a notice shows one event. */
#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"
#include "core/ledger/contracts/contracts.h"

/* Each patient's entry, what it was merged into, and its disclosure. */
_Static_assert((2 + SY_MERGES_MAX) * SY_LOG_PATIENTS_MAX + 2 * SY_TX_SIGNERS_MAX + 4 <=
                   SY_OVERLAY_READS_BETWEEN,
               "a log stays within what a payload may read");

enum sy_refusal sy_contract_access_request(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_access_request *p = &payload->access_request;
    SY_ASSERT(x->kind->number == SY_KIND_access_request && x->by->valid);
    SY_ASSERT(sy_exec_acts_for_org(x->by->role));
    struct sy_access_asked before;
    struct sy_hash place;
    struct sy_slice value;
    struct sy_patient patient;
    enum sy_refusal code = sy_exec_live_patient(x, &patient, &p->patient_id);
    if (code != SY_APPLIED) return code;
    sy_state_key_access_request(&place, &p->patient_id, &x->by->holder);
    if (sy_exec_find(x, &value, &place)) {
        if (!sy_access_asked_decode(&before, value)) {
            x->failed = SY_ERR_CORRUPT;
            return SY_E_REQUEST_OPEN;
        }
        if (x->time_ms - before.time_ms < SY_REQUEST_MS_MIN) {
            x->detail = (uint64_t)(before.time_ms + SY_REQUEST_MS_MIN);
            return SY_E_REQUEST_OPEN;
        }
    }
    struct sy_access_asked asked = {.key = x->by->key,
                                    .actions = p->actions,
                                    .purposes = p->purposes,
                                    .height = x->height,
                                    .time_ms = x->time_ms,
                                    .classes = p->classes};
    uint8_t room[1024];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_access_asked_encode(&w, &asked);
    sy_exec_save(x, &place, &w);
    sy_exec_event(x, SY_EVENT_ACCESS_REQUESTED, SY_SUBJECT_PATIENT, &p->patient_id, &x->by->holder);
    return SY_APPLIED;
}

/* Do the three lists fit each other? Adds the counts up. */
static enum sy_refusal check_counts(struct sy_exec *x, const struct sy_access_log *p,
                                    uint64_t *disclosures)
{
    unsigned patients = p->patients.count;
    bool fits = patients > 0 && p->roots.count == patients && p->counts.size == 4u * patients;
    *disclosures = 0;
    for (unsigned i = 0; fits && i < patients; i++) {
        uint32_t count = sy_load_u32(p->counts.data + 4u * i);
        *disclosures += count;
        fits = count > 0;
    }
    if (fits && *disclosures <= UINT32_MAX) return SY_APPLIED;
    x->detail = patients;
    return SY_E_LOG_COUNTS;
}

static enum sy_refusal check_log(struct sy_exec *x, const struct sy_access_log *p,
                                 uint64_t *disclosures)
{
    struct sy_patient patient;
    struct sy_hash id;
    if (sy_exec_has(x, SY_STATE_ACCESS_LOG, &p->log_id)) {
        return sy_refuse_hash(x, SY_E_LOG_EXISTS, &p->log_id);
    }
    enum sy_refusal code = check_counts(x, p, disclosures);
    if (code != SY_APPLIED) return code;
    bool late = x->time_ms - p->last > SY_LOG_AGE_MS_MAX && x->by->role != SY_ROLE_VALIDATOR;
    bool in_window = p->first <= p->last && p->last - p->first <= SY_LOG_SPAN_MS_MAX &&
                     p->last <= x->time_ms && !late;
    if (!in_window) {
        x->detail = SY_LOG_SPAN_MS_MAX;
        return SY_E_LOG_WINDOW;
    }
    for (size_t offset = 0; sy_list_next_id(&p->patients, &offset, &id);) {
        code = sy_exec_live_patient(x, &patient, &id);
        if (code != SY_APPLIED) return code;
    }
    return SY_APPLIED;
}

/* An entry and an event for each patient; the root of their roots. */
static void save_disclosures(struct sy_exec *x, const struct sy_access_log *p, struct sy_hash *root)
{
    struct sy_hash roots[SY_LOG_PATIENTS_MAX], patient;
    size_t at = 0, roots_at = 0;
    unsigned count = 0;
    while (sy_list_next_id(&p->patients, &at, &patient) &&
           sy_list_next_id(&p->roots, &roots_at, &roots[count])) {
        SY_ASSERT(count < SY_LOG_PATIENTS_MAX);
        struct sy_disclosure disclosure = {.count = sy_load_u32(p->counts.data + 4u * count),
                                           .root = roots[count]};
        struct sy_hash place;
        uint8_t room[64];
        struct sy_writer w = sy_writer_of(room, sizeof room);
        sy_disclosure_encode(&w, &disclosure);
        sy_state_key_disclosure(&place, &p->log_id, &patient);
        sy_exec_save(x, &place, &w);
        sy_exec_event(x, SY_EVENT_ACCESS_DISCLOSED, SY_SUBJECT_PATIENT, &patient, &p->log_id);
        count++;
    }
    for (unsigned i = 0; i < count; i++) {
        sy_hash_leaf(&roots[i], sy_slice_of(roots[i].bytes, sizeof roots[i].bytes));
    }
    sy_merkle_root(root, roots, roots, count);
}

enum sy_refusal sy_contract_access_log(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_access_log *p = &payload->access_log;
    SY_ASSERT(x->kind->number == SY_KIND_access_log && x->by->valid);
    SY_ASSERT(sy_exec_acts_for_org(x->by->role));
    uint64_t disclosures = 0;
    bool validators = x->by->role == SY_ROLE_VALIDATOR;
    enum sy_refusal code = validators ? sy_signer_stands(x) : SY_APPLIED;
    if (code != SY_APPLIED) return code;
    code = check_log(x, p, &disclosures);
    if (code != SY_APPLIED) return code;
    struct sy_access_logged log = {.organisation = x->by->holder,
                                   .key = x->by->key,
                                   .count = (uint32_t)disclosures,
                                   .patients = p->patients.count,
                                   .first_ms = p->first,
                                   .last_ms = p->last,
                                   .height = x->height};
    save_disclosures(x, p, &log.root);
    struct sy_hash place;
    uint8_t room[256];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_access_logged_encode(&w, &log);
    sy_exec_key(x, &place, SY_STATE_ACCESS_LOG, &p->log_id);
    sy_exec_save(x, &place, &w);
    return SY_APPLIED;
}
