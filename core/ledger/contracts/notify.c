/* notify.c: how a patient wants notices brought, and how far they came. Notices themselves are the
 * events of all other kinds, and nothing here keeps one from being read.
 *
 * notify.prefs (the patient or a guardian answers for it)
 *   the patient is not enrolled, or was merged            E_PATIENT_UNKNOWN {id}, E_PATIENT_MERGED
 *   signed neither by the patient nor by as many distinct
 *   guardians as the patient needs                        E_NOT_SUBJECT {patient id}
 *   records, bills, access, emergency access, recalls or
 *   consents are off, or emergency access or recalls in
 *   a digest                                              E_MANDATORY {those, bit n for number n}
 *   writes   notify prefs
 *   event    notify.changed about the patient, object: the patient
 *
 * notify.ack (the patient or a guardian answers for it)
 *   as above                                              E_PATIENT_UNKNOWN, E_NOT_SUBJECT
 *   there is no notice of that number yet                 E_RANGE {the newest number}
 *   it or a later one was acknowledged                    E_ACKED {that number}
 *   writes   notify ack; no event, which would be another notice to acknowledge
 *
 * notify.dispute (the patient or a guardian answers for it)
 *   as above                                              E_PATIENT_UNKNOWN, E_NOT_SUBJECT
 *   the id is taken                                       E_DISPUTE_EXISTS {id}
 *   there is no notice of that number yet                 E_RANGE {the newest number}
 *   record_id: there is no such record                    E_RECORD_UNKNOWN {id}
 *              it is not about the patient                E_PATIENT_MISMATCH {id}
 *   writes   dispute
 *   events   notify.disputed about the patient and, of a record that an organisation holds, about
 *            the organisation; object: the dispute
 *
 * sub.create (an organisation's admin or gateway answers for it)
 *   the patient is not enrolled, or was merged            E_PATIENT_UNKNOWN {id}, E_PATIENT_MERGED
 *   the signer may not read the patient's entries for
 *   that purpose, see may.h                               E_CONSENT {the denial, or patient id}
 *   org_id is no registered organisation                  E_ORG_UNKNOWN {id}
 *   the organisation's subscription stands                E_SUB_STATE {patient id}
 *   writes   subscription
 *   event    sub.changed about the patient, object: the organisation
 *
 * sub.cancel (an organisation's admin or gateway answers for it)
 *   the organisation has none that stands                 E_SUB_STATE {patient id}
 *   writes   subscription
 *   event    as above
 *
 * What a subscription shows is judged when it is read, notice by notice (consensus/node/access.h):
 * a consent that ends ends it, and what its groups, classes, organisation and height leave out is
 * told by its number alone, so that the numbers stay without gaps. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/record_rules.h"

static const uint32_t mandatory = SY_SET_BIT(SY_NOTICES_RECORDS) | SY_SET_BIT(SY_NOTICES_BILLS) |
                                  SY_SET_BIT(SY_NOTICES_ACCESS) | SY_SET_BIT(SY_NOTICES_EMERGENCY) |
                                  SY_SET_BIT(SY_NOTICES_RECALLS) | SY_SET_BIT(SY_NOTICES_CONSENTS);
static const uint32_t at_once = SY_SET_BIT(SY_NOTICES_EMERGENCY) | SY_SET_BIT(SY_NOTICES_RECALLS);

/* Finds the patient, for whom those who may speak must have signed. */
static enum sy_refusal find_subject(struct sy_exec *x, struct sy_patient *patient,
                                    const struct sy_hash *patient_id)
{
    SY_ASSERT(x->signer_count >= 1 && x->by->valid);
    enum sy_refusal code = sy_exec_live_patient(x, patient, patient_id);
    if (code != SY_APPLIED) return code;
    const struct sy_exec_signer *wallet =
        patient->claimed ? sy_exec_signer(x, &patient->wallet_key) : NULL;
    if ((wallet != NULL && wallet->valid) || sy_exec_guardians_signed(x, patient)) {
        return SY_APPLIED;
    }
    return sy_refuse_hash(x, SY_E_NOT_SUBJECT, patient_id);
}

enum sy_refusal sy_contract_notify_prefs(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_notify_prefs *p = &payload->notify_prefs;
    SY_ASSERT(x->kind->number == SY_KIND_notify_prefs);
    struct sy_patient patient;
    enum sy_refusal code = find_subject(x, &patient, &p->patient_id);
    if (code != SY_APPLIED) return code;
    x->detail = (p->off & mandatory) | (p->digest & at_once);
    if (x->detail != 0) return SY_E_MANDATORY;
    struct sy_notify_choice choice = {.off = p->off,
                                      .digest = p->digest,
                                      .has_channel = p->has_channel_commit,
                                      .height = x->height};
    if (choice.has_channel) choice.channel = p->channel_commit;
    struct sy_hash place;
    uint8_t room[64];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_notify_choice_encode(&w, &choice);
    sy_exec_key(x, &place, SY_STATE_NOTIFY_PREFS, &p->patient_id);
    sy_exec_save(x, &place, &w);
    sy_exec_event(x, SY_EVENT_NOTIFY_CHANGED, SY_SUBJECT_PATIENT, &p->patient_id, &p->patient_id);
    return SY_APPLIED;
}

enum sy_refusal sy_contract_notify_ack(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_notify_ack *p = &payload->notify_ack;
    SY_ASSERT(x->kind->number == SY_KIND_notify_ack);
    struct sy_patient patient;
    struct sy_hash place;
    struct sy_slice value;
    uint64_t acked = 0;
    enum sy_refusal code = find_subject(x, &patient, &p->patient_id);
    if (code != SY_APPLIED) return code;
    x->detail = patient.events;
    if (p->number > patient.events) return SY_E_RANGE;
    sy_exec_key(x, &place, SY_STATE_NOTIFY_ACK, &p->patient_id);
    if (sy_exec_find(x, &value, &place) && !sy_count_decode(&acked, value)) {
        x->failed = SY_ERR_CORRUPT;
    }
    x->detail = acked;
    if (p->number <= acked) return SY_E_ACKED;
    x->detail = 0;
    uint8_t room[8];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_count_encode(&w, p->number);
    sy_exec_save(x, &place, &w);
    return SY_APPLIED;
}

// --- disputes ----------------------------------------------------------------------------------

/* The record, if one is named; it is a record about the patient. */
static enum sy_refusal check_record(struct sy_exec *x, struct sy_record *record,
                                    const struct sy_notify_dispute *p)
{
    if (!p->has_record_id) return SY_APPLIED;
    if (!sy_exec_find_record(x, record, &p->record_id)) {
        return sy_refuse_hash(x, SY_E_RECORD_UNKNOWN, &p->record_id);
    }
    bool theirs = sy_record_same_subject(x, record, SY_SUBJECT_PATIENT, &p->patient_id);
    return theirs ? SY_APPLIED : sy_refuse_hash(x, SY_E_PATIENT_MISMATCH, &p->record_id);
}

enum sy_refusal sy_contract_notify_dispute(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_notify_dispute *p = &payload->notify_dispute;
    SY_ASSERT(x->kind->number == SY_KIND_notify_dispute);
    struct sy_patient patient;
    struct sy_record record = {.subject_kind = 0};
    enum sy_refusal code = find_subject(x, &patient, &p->patient_id);
    if (code != SY_APPLIED) return code;
    if (sy_exec_has(x, SY_STATE_DISPUTE, &p->dispute_id)) {
        return sy_refuse_hash(x, SY_E_DISPUTE_EXISTS, &p->dispute_id);
    }
    if (p->number > patient.events) {
        x->detail = patient.events;
        return SY_E_RANGE;
    }
    code = check_record(x, &record, p);
    if (code != SY_APPLIED) return code;
    struct sy_hash holder = record.holder, place;
    struct sy_dispute dispute = {.patient = p->patient_id,
                                 .number = p->number,
                                 .reason = p->reason,
                                 .has_record = p->has_record_id,
                                 .height = x->height};
    if (dispute.has_record) dispute.record = p->record_id;
    uint8_t room[128];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_dispute_encode(&w, &dispute);
    sy_exec_key(x, &place, SY_STATE_DISPUTE, &p->dispute_id);
    sy_exec_save(x, &place, &w);
    sy_exec_event(x, SY_EVENT_NOTIFY_DISPUTED, SY_SUBJECT_PATIENT, &p->patient_id, &p->dispute_id);
    if (dispute.has_record && sy_exec_has(x, SY_STATE_ORG, &holder)) {
        sy_exec_event(x, SY_EVENT_NOTIFY_DISPUTED, SY_SUBJECT_ORG, &holder, &p->dispute_id);
    }
    return SY_APPLIED;
}

// --- subscriptions -----------------------------------------------------------------------------

/* The organisation's subscription; false: it has none, or none that stands. */
static bool find_standing(struct sy_exec *x, struct sy_subscription *out, struct sy_hash *place,
                          const struct sy_hash *patient_id)
{
    struct sy_slice value;
    sy_state_key_subscription(place, &x->by->holder, patient_id);
    if (!sy_exec_find(x, &value, place)) return false;
    if (!sy_subscription_decode(out, value)) x->failed = SY_ERR_CORRUPT;
    return x->failed == SY_OK && out->cancelled_height == 0;
}

static void save_subscription(struct sy_exec *x, const struct sy_subscription *subscription,
                              const struct sy_hash *place, const struct sy_hash *patient_id)
{
    uint8_t room[128 + SY_CONSENT_CLASSES_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_subscription_encode(&w, subscription);
    sy_exec_save(x, place, &w);
    sy_exec_event(x, SY_EVENT_SUB_CHANGED, SY_SUBJECT_PATIENT, patient_id, &x->by->holder);
}

enum sy_refusal sy_contract_sub_create(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_sub_create *p = &payload->sub_create;
    SY_ASSERT(x->kind->number == SY_KIND_sub_create && x->by->valid);
    SY_ASSERT(sy_exec_acts_for_org(x->by->role));
    struct sy_may_answer answer;
    struct sy_may_question question = {
        .subject = p->patient_id,
        .who = x->by->key,
        .purpose = p->purpose,
        .action = SY_ACTION_READ,
        .record_class = sy_slice_of(SY_MAY_CLASS_PATIENT, strlen(SY_MAY_CLASS_PATIENT)),
    };
    struct sy_patient patient;
    enum sy_refusal code = sy_exec_live_patient(x, &patient, &p->patient_id);
    if (code != SY_APPLIED) return code;
    sy_exec_may(x, &answer, &question);
    if (!answer.allowed) {
        bool denied = answer.ground == SY_MAY_DENIED;
        return sy_refuse_hash(x, SY_E_CONSENT, denied ? &answer.consent : &p->patient_id);
    }
    if (p->has_org_id && !sy_exec_has(x, SY_STATE_ORG, &p->org_id)) {
        return sy_refuse_hash(x, SY_E_ORG_UNKNOWN, &p->org_id);
    }
    struct sy_subscription subscription;
    struct sy_hash place;
    if (find_standing(x, &subscription, &place, &p->patient_id)) {
        return sy_refuse_hash(x, SY_E_SUB_STATE, &p->patient_id);
    }
    subscription = (struct sy_subscription){
        .from = p->from_number,
        .purpose = p->purpose,
        .height = x->height,
        .has_groups = p->has_groups,
        .groups = p->has_groups ? p->groups : 0,
        .has_classes = p->has_classes,
        .has_organisation = p->has_org_id,
        .from_height = p->has_from_height ? p->from_height : 0,
    };
    if (p->has_org_id) subscription.organisation = p->org_id;
    if (p->has_classes) subscription.classes = p->classes;
    save_subscription(x, &subscription, &place, &p->patient_id);
    return SY_APPLIED;
}

enum sy_refusal sy_contract_sub_cancel(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_sub_cancel *p = &payload->sub_cancel;
    SY_ASSERT(x->kind->number == SY_KIND_sub_cancel && x->by->valid);
    SY_ASSERT(sy_exec_acts_for_org(x->by->role));
    struct sy_subscription subscription;
    struct sy_hash place;
    if (!find_standing(x, &subscription, &place, &p->patient_id)) {
        return sy_refuse_hash(x, SY_E_SUB_STATE, &p->patient_id);
    }
    subscription.cancelled_height = x->height;
    save_subscription(x, &subscription, &place, &p->patient_id);
    return SY_APPLIED;
}
