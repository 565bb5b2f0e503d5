/* receipt.c: what one ordered copy of a transaction did: bytes. */
#include "core/wire/receipt.h"

#include "core/wire/limits.h"
#include "core/wire/refusal.h"

void sy_event_encode(struct sy_writer *w, const struct sy_event *event)
{
    sy_write_u16(w, event->kind);
    sy_write_u8(w, event->subject_kind);
    sy_write_hash(w, &event->subject);
    sy_write_u64(w, event->global_number);
    sy_write_u64(w, event->subject_number);
    sy_write_hash(w, &event->object);
}

bool sy_event_decode(struct sy_reader *r, struct sy_event *event)
{
    event->kind = sy_read_u16(r, "event.kind");
    event->subject_kind = sy_read_u8(r, "event.subject_kind");
    sy_read_hash(r, &event->subject, "event.subject");
    event->global_number = sy_read_u64(r, "event.global_number");
    event->subject_number = sy_read_u64(r, "event.subject_number");
    sy_read_hash(r, &event->object, "event.object");
    if (event->kind == 0) sy_reader_fail(r, "event.kind");
    if (event->subject_kind < SY_SUBJECT_ORG || event->subject_kind > SY_SUBJECT_PATIENT) {
        sy_reader_fail(r, "event.subject_kind");
    }
    return !r->failed;
}

void sy_receipt_encode(struct sy_writer *w, const struct sy_receipt *receipt)
{
    if (receipt->path.size > SY_RECEIPT_PATH_BYTES_MAX) w->failed = true;
    if (receipt->keys.size != (size_t)receipt->key_count * 32) w->failed = true;
    if (receipt->events.size != (size_t)receipt->event_count * SY_EVENT_BYTES) w->failed = true;
    sy_write_u64(w, receipt->height);
    sy_write_u32(w, receipt->index);
    sy_write_hash(w, &receipt->tx_id);
    sy_write_u16(w, receipt->code);
    sy_write_u16(w, receipt->part);
    sy_write_u64(w, receipt->detail);
    sy_write_hash(w, &receipt->detail_hash);
    sy_write_bytes16(w, receipt->path);
    sy_write_u32(w, receipt->key_count);
    sy_write_raw(w, receipt->keys.data, receipt->keys.size);
    sy_write_u32(w, receipt->event_count);
    sy_write_raw(w, receipt->events.data, receipt->events.size);
}

bool sy_receipt_next_key(const struct sy_receipt *receipt, size_t *offset, struct sy_hash *key)
{
    if (*offset > receipt->keys.size || receipt->keys.size - *offset < sizeof key->bytes) {
        return false;
    }
    memcpy(key->bytes, receipt->keys.data + *offset, sizeof key->bytes);
    *offset += sizeof key->bytes;
    return true;
}

bool sy_receipt_next_event(const struct sy_receipt *receipt, size_t *offset, struct sy_event *event)
{
    if (*offset > receipt->events.size || receipt->events.size - *offset < SY_EVENT_BYTES) {
        return false;
    }
    struct sy_reader r = sy_reader_of(sy_slice_of(receipt->events.data + *offset, SY_EVENT_BYTES));
    *offset += SY_EVENT_BYTES;
    return sy_event_decode(&r, event);
}

// Keys ascend, each once: a set has one encoding.
static bool keys_ascend(const struct sy_receipt *receipt)
{
    struct sy_hash key;
    struct sy_hash last;
    size_t offset = 0;
    for (uint32_t i = 0; sy_receipt_next_key(receipt, &offset, &key); i++) {
        if (i > 0 && sy_hash_compare(&key, &last) <= 0) return false;
        last = key;
    }
    return true;
}

static bool events_decode(const struct sy_receipt *receipt)
{
    struct sy_event event;
    size_t offset = 0;
    uint32_t count = 0;
    while (sy_receipt_next_event(receipt, &offset, &event)) count++;
    return count == receipt->event_count;
}

bool sy_receipt_decode(struct sy_reader *r, struct sy_receipt *receipt)
{
    memset(receipt, 0, sizeof *receipt);
    receipt->height = sy_read_u64(r, "receipt.height");
    receipt->index = sy_read_u32(r, "receipt.index");
    sy_read_hash(r, &receipt->tx_id, "receipt.tx_id");
    receipt->code = sy_read_u16(r, "receipt.code");
    receipt->part = sy_read_u16(r, "receipt.part");
    receipt->detail = sy_read_u64(r, "receipt.detail");
    sy_read_hash(r, &receipt->detail_hash, "receipt.detail_hash");
    receipt->path = sy_read_bytes16(r, SY_RECEIPT_PATH_BYTES_MAX, "receipt.path");
    receipt->key_count = sy_read_count(r, SY_RECEIPT_KEYS_MAX, 32, "receipt.keys");
    receipt->keys = sy_read_raw(r, (size_t)receipt->key_count * 32, "receipt.keys");
    receipt->event_count = sy_read_count(r, SY_EVENTS_PER_TX_MAX, SY_EVENT_BYTES, "receipt.events");
    receipt->events =
        sy_read_raw(r, (size_t)receipt->event_count * SY_EVENT_BYTES, "receipt.events");

    if (r->failed) return false;
    if (receipt->code != SY_APPLIED) {
        if (receipt->code < SY_REFUSAL_ORDERED_FROM) sy_reader_fail(r, "receipt.code");
        if (receipt->key_count > 0) sy_reader_fail(r, "receipt.keys");
        if (receipt->event_count > 0) sy_reader_fail(r, "receipt.events");
    }
    if (!keys_ascend(receipt)) sy_reader_fail(r, "receipt.keys");
    if (!events_decode(receipt)) sy_reader_fail(r, "receipt.events");
    return !r->failed;
}

/* Of plans, coverage, claims and payments. */
static const char *money_event_name(uint16_t kind)
{
    switch (kind) {
    case SY_EVENT_PLAN_PUBLISHED: return "plan.published";
    case SY_EVENT_COVERAGE_CHANGED: return "coverage.changed";
    case SY_EVENT_CLAIM_PENDED: return "claim.pended";
    case SY_EVENT_CLAIM_DECIDED: return "claim.decided";
    case SY_EVENT_CLAIM_DENIED: return "claim.denied";
    case SY_EVENT_PAYMENT_MADE: return "payment.made";
    case SY_EVENT_CLAIM_REVERSED: return "claim.reversed";
    case SY_EVENT_AUTH_REQUESTED: return "auth.requested";
    case SY_EVENT_AUTH_DECIDED: return "auth.decided";
    case SY_EVENT_CLAIM_CONTESTED: return "claim.contested";
    case SY_EVENT_CLAIM_ANSWERED: return "claim.answered";
    case SY_EVENT_CLAIM_WITHDRAWN: return "claim.withdrawn";
    case SY_EVENT_FRAUD_FLAGGED: return "fraud.flagged";
    case SY_EVENT_FRAUD_CLEARED: return "fraud.cleared";
    case SY_EVENT_SETTLEMENT_DONE: return "settlement.done";
    default: return NULL;
    }
}

/* Of clinical trials. */
static const char *trial_event_name(uint16_t kind)
{
    switch (kind) {
    case SY_EVENT_TRIAL_REGISTERED: return "trial.registered";
    case SY_EVENT_TRIAL_CHANGED: return "trial.changed";
    case SY_EVENT_CONSENT_RECONSENT_NEEDED: return "consent.reconsent_needed";
    case SY_EVENT_SUBJECT_CHANGED: return "subject.changed";
    case SY_EVENT_DATA_COMMITTED: return "data.committed";
    case SY_EVENT_RESULT_POSTED: return "result.posted";
    case SY_EVENT_SAE_REPORTED: return "sae.reported";
    case SY_EVENT_DB_LOCKED: return "db.locked";
    case SY_EVENT_TRIAL_UNBLINDED: return "trial.unblinded";
    case SY_EVENT_ENDPOINT_CHANGED: return "endpoint.changed";
    default: return NULL;
    }
}

/* Of the research commons. */
static const char *research_event_name(uint16_t kind)
{
    switch (kind) {
    case SY_EVENT_DATASET_PUBLISHED: return "dataset.published";
    case SY_EVENT_DATASET_CHANGED: return "dataset.changed";
    case SY_EVENT_DATASET_WITHDRAWN: return "dataset.withdrawn";
    case SY_EVENT_QUERY_PROPOSED: return "query.proposed";
    case SY_EVENT_QUERY_APPROVED: return "query.approved";
    case SY_EVENT_QUERY_DENIED: return "query.denied";
    case SY_EVENT_QUERY_ANSWERED: return "query.answered";
    case SY_EVENT_OPTOUT_APPLIED: return "optout.applied";
    case SY_EVENT_OPTIN_APPLIED: return "optin.applied";
    default: return NULL;
    }
}

/* Of goods, recalls and prescriptions. */
static const char *goods_event_name(uint16_t kind)
{
    switch (kind) {
    case SY_EVENT_PRODUCT_REGISTERED: return "product.registered";
    case SY_EVENT_UNIT_COMMISSIONED: return "unit.commissioned";
    case SY_EVENT_UNIT_VERIFIED: return "unit.verified";
    case SY_EVENT_SUSPECT_FOUND: return "suspect.found";
    case SY_EVENT_UNIT_AGGREGATED: return "unit.aggregated";
    case SY_EVENT_UNIT_DISAGGREGATED: return "unit.disaggregated";
    case SY_EVENT_CUSTODY_SHIPPED: return "custody.shipped";
    case SY_EVENT_CUSTODY_CHANGED: return "custody.changed";
    case SY_EVENT_CUSTODY_REFUSED: return "custody.refused";
    case SY_EVENT_UNIT_DECOMMISSIONED: return "unit.decommissioned";
    case SY_EVENT_UNIT_DISPENSED: return "unit.dispensed";
    case SY_EVENT_UNIT_RETURNED: return "unit.returned";
    case SY_EVENT_RECALL_ISSUED: return "recall.issued";
    case SY_EVENT_RECALL_CLOSED: return "recall.closed";
    case SY_EVENT_RX_ISSUED: return "rx.issued";
    case SY_EVENT_RX_DISPENSED: return "rx.dispensed";
    case SY_EVENT_RX_CANCELLED: return "rx.cancelled";
    case SY_EVENT_RX_TRANSFERRED: return "rx.transferred";
    case SY_EVENT_EXCEPTION_REPORTED: return "exception.reported";
    case SY_EVENT_EXCEPTION_ANSWERED: return "exception.answered";
    case SY_EVENT_EVENT_CORRECTED: return "event.corrected";
    case SY_EVENT_COND_COMMITTED: return "cond.committed";
    case SY_EVENT_COND_BREACHED: return "cond.breached";
    case SY_EVENT_COND_GAP: return "cond.gap";
    case SY_EVENT_PRODUCT_STORAGE: return "product.storage";
    default: return NULL;
    }
}

/* Of streams of devices. */
static const char *stream_event_name(uint16_t kind)
{
    switch (kind) {
    case SY_EVENT_STREAM_OPENED: return "stream.opened";
    case SY_EVENT_STREAM_COMMITTED: return "stream.committed";
    case SY_EVENT_GAP_DETECTED: return "gap.detected";
    case SY_EVENT_ALERT_RAISED: return "alert.raised";
    case SY_EVENT_STREAM_CLOSED: return "stream.closed";
    case SY_EVENT_FIRMWARE_ATTESTED: return "firmware.attested";
    default: return NULL;
    }
}

const char *sy_event_name(uint16_t kind)
{
    switch (kind) {
    case SY_EVENT_ORG_ADDED: return "org.added";
    case SY_EVENT_ORG_SUSPENDED: return "org.suspended";
    case SY_EVENT_ORG_REINSTATED: return "org.reinstated";
    case SY_EVENT_CRED_ISSUED: return "cred.issued";
    case SY_EVENT_CRED_REVOKED: return "cred.revoked";
    case SY_EVENT_PATIENT_ENROLLED: return "patient.enrolled";
    case SY_EVENT_PATIENT_CLAIMED: return "patient.claimed";
    case SY_EVENT_CARE_OPENED: return "care.opened";
    case SY_EVENT_CARE_CLOSED: return "care.closed";
    case SY_EVENT_RECORD_CREATED: return "record.created";
    case SY_EVENT_RECORD_AMENDED: return "record.amended";
    case SY_EVENT_RECORD_RETRACTED: return "record.retracted";
    case SY_EVENT_VALIDATORS_CHANGED: return "validators.changed";
    case SY_EVENT_CONSENT_CHANGED: return "consent.changed";
    case SY_EVENT_BREAKGLASS_USED: return "breakglass.used";
    case SY_EVENT_BREAKGLASS_REVIEWED: return "breakglass.reviewed";
    case SY_EVENT_KEY_ROTATED: return "key.rotated";
    case SY_EVENT_PARAM_SET: return "param.set";
    case SY_EVENT_SCHEDULE_PUBLISHED: return "schedule.published";
    case SY_EVENT_DEVICE_ADDED: return "device.added";
    case SY_EVENT_GUARDIAN_ACTED: return "guardian.acted";
    case SY_EVENT_PATIENT_LINKED: return "patient.linked";
    case SY_EVENT_PATIENT_MERGED: return "patient.merged";
    case SY_EVENT_RECORD_LINKED: return "record.linked";
    case SY_EVENT_RECORD_MERGED: return "record.merged";
    case SY_EVENT_RECORD_SIGNED: return "record.signed";
    case SY_EVENT_RECORD_ERASED: return "record.erased";
    case SY_EVENT_RECORD_DUPLICATE: return "record.duplicate";
    case SY_EVENT_ACCESS_REQUESTED: return "access.requested";
    case SY_EVENT_ACCESS_DISCLOSED: return "access.disclosed";
    case SY_EVENT_NOTIFY_CHANGED: return "notify.changed";
    case SY_EVENT_NOTIFY_DISPUTED: return "notify.disputed";
    case SY_EVENT_SUB_CHANGED: return "sub.changed";
    case SY_EVENT_EXPORT_REQUESTED: return "export.requested";
    case SY_EVENT_EXPORT_FULFILLED: return "export.fulfilled";
    case SY_EVENT_ID_MAPPED: return "id.mapped";
    case SY_EVENT_CUSTODY_MOVED: return "custody.moved";
    case SY_EVENT_CERT_ISSUED: return "cert.issued";
    case SY_EVENT_VALIDATOR_SIGNER: return "validator.signer";
    default: break;
    }
    const char *name = money_event_name(kind);
    if (name == NULL) name = goods_event_name(kind);
    if (name == NULL) name = stream_event_name(kind);
    if (name == NULL) name = trial_event_name(kind);
    if (name == NULL) name = research_event_name(kind);
    return name != NULL ? name : "unknown";
}
