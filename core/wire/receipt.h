/* receipt.h: what one ordered copy of a transaction did.
 *
 *   receipt  u64 height | u32 index in the block | 32 tx id | u16 code | u16 part
 *            | u64 detail number | 32 detail hash | bytes16 path
 *            | u32 key count, 32 a state key written | u32 event count, events
 *   event    u16 kind | u8 subject kind | 32 subject | u64 global number | u64 subject number
 *            | 32 object (record id, organisation id, ...)
 *
 * `part`: the payload of an atomic tx that was refused. The details mean what the code says
 * (E_REPLAY: highest nonce; E_STALE_HEAD: head version; E_ROLE: bit set of roles; E_SCHEMA: path;
 * E_ROSTER: current epoch; E_ROSTER_PENDING: height of effect; E_APPROVALS: how many are needed;
 * E_CONSENT_EXPIRED: when it ended, ms; E_RETENTION: until when it is kept, ms).
 * Refused: no keys, no events. */
#ifndef SY_WIRE_RECEIPT_H
#define SY_WIRE_RECEIPT_H

#include "core/base/bytes.h"
#include "core/wire/codec.h"

enum sy_event_kind {
    SY_EVENT_ORG_ADDED = 1,
    SY_EVENT_ORG_SUSPENDED = 2,
    SY_EVENT_ORG_REINSTATED = 3,
    SY_EVENT_CRED_ISSUED = 4,
    SY_EVENT_CRED_REVOKED = 5,
    SY_EVENT_PATIENT_ENROLLED = 6,
    SY_EVENT_PATIENT_CLAIMED = 7,
    SY_EVENT_CARE_OPENED = 8,
    SY_EVENT_CARE_CLOSED = 9,
    SY_EVENT_RECORD_CREATED = 10,
    SY_EVENT_RECORD_AMENDED = 11,
    SY_EVENT_RECORD_RETRACTED = 12,
    SY_EVENT_VALIDATORS_CHANGED = 13,
    SY_EVENT_CONSENT_CHANGED = 14,
    SY_EVENT_BREAKGLASS_USED = 15,
    SY_EVENT_BREAKGLASS_REVIEWED = 16,
    SY_EVENT_ACCESS_REQUESTED = 27,
    SY_EVENT_ACCESS_DISCLOSED = 28,
    SY_EVENT_RECORD_LINKED = 31,
    SY_EVENT_RECORD_MERGED = 32,
    SY_EVENT_RECORD_SIGNED = 33,
    SY_EVENT_RECORD_ERASED = 34,
    SY_EVENT_RECORD_DUPLICATE = 35,
    SY_EVENT_NOTIFY_CHANGED = 36,
    SY_EVENT_NOTIFY_DISPUTED = 38,
    SY_EVENT_SUB_CHANGED = 39,
    SY_EVENT_EXPORT_REQUESTED = 41,
    SY_EVENT_EXPORT_FULFILLED = 42,
    SY_EVENT_CUSTODY_MOVED = 43,
    SY_EVENT_CERT_ISSUED = 44,
    SY_EVENT_VALIDATOR_SIGNER = 46,
    SY_EVENT_ID_MAPPED = 50,
    SY_EVENT_KEY_ROTATED = 113, /* from here on: 100 and the number of the kind */
    SY_EVENT_DEVICE_ADDED = 114,
    SY_EVENT_PATIENT_LINKED = 115,
    SY_EVENT_PATIENT_MERGED = 116,
    SY_EVENT_GUARDIAN_ACTED = 117,
    SY_EVENT_PARAM_SET = 118,
    SY_EVENT_SCHEDULE_PUBLISHED = 119,
    SY_EVENT_PLAN_PUBLISHED = 120,
    SY_EVENT_COVERAGE_CHANGED = 121,
    SY_EVENT_CLAIM_PENDED = 124,
    SY_EVENT_CLAIM_DECIDED = 125,
    SY_EVENT_CLAIM_DENIED = 126,
    SY_EVENT_PAYMENT_MADE = 127,
    SY_EVENT_CLAIM_REVERSED = 128,
    SY_EVENT_AUTH_REQUESTED = 129,
    SY_EVENT_AUTH_DECIDED = 130,
    SY_EVENT_CLAIM_CONTESTED = 131,
    SY_EVENT_CLAIM_ANSWERED = 132,
    SY_EVENT_CLAIM_WITHDRAWN = 133,
    SY_EVENT_FRAUD_FLAGGED = 134,
    SY_EVENT_FRAUD_CLEARED = 135,
    SY_EVENT_SETTLEMENT_DONE = 136,
    SY_EVENT_PRODUCT_REGISTERED = 140,
    SY_EVENT_UNIT_COMMISSIONED = 141,
    SY_EVENT_UNIT_VERIFIED = 142,
    SY_EVENT_SUSPECT_FOUND = 143,
    SY_EVENT_UNIT_AGGREGATED = 144,
    SY_EVENT_UNIT_DISAGGREGATED = 145,
    SY_EVENT_CUSTODY_SHIPPED = 146,
    SY_EVENT_CUSTODY_CHANGED = 147,
    SY_EVENT_CUSTODY_REFUSED = 148,
    SY_EVENT_UNIT_DECOMMISSIONED = 149,
    SY_EVENT_UNIT_DISPENSED = 150,
    SY_EVENT_UNIT_RETURNED = 151,
    SY_EVENT_RECALL_ISSUED = 152,
    SY_EVENT_RECALL_CLOSED = 153,
    SY_EVENT_RX_ISSUED = 154,
    SY_EVENT_RX_DISPENSED = 155,
    SY_EVENT_RX_CANCELLED = 156,
    SY_EVENT_RX_TRANSFERRED = 157,
    SY_EVENT_EXCEPTION_REPORTED = 158,
    SY_EVENT_EXCEPTION_ANSWERED = 159,
    SY_EVENT_EVENT_CORRECTED = 160,
    SY_EVENT_COND_COMMITTED = 161,
    SY_EVENT_COND_BREACHED = 162,
    SY_EVENT_COND_GAP = 163,
    SY_EVENT_PRODUCT_STORAGE = 164,
    SY_EVENT_GOODS_LAST = 169,
    SY_EVENT_TRIAL_REGISTERED = 170,
    SY_EVENT_TRIAL_CHANGED = 171,
    SY_EVENT_CONSENT_RECONSENT_NEEDED = 172,
    SY_EVENT_SUBJECT_CHANGED = 173,
    SY_EVENT_DATA_COMMITTED = 174,
    SY_EVENT_RESULT_POSTED = 175,
    SY_EVENT_SAE_REPORTED = 176,
    SY_EVENT_DB_LOCKED = 177,
    SY_EVENT_TRIAL_UNBLINDED = 178,
    SY_EVENT_ENDPOINT_CHANGED = 179,
    SY_EVENT_STREAM_OPENED = 180,
    SY_EVENT_STREAM_COMMITTED = 181,
    SY_EVENT_GAP_DETECTED = 182,
    SY_EVENT_ALERT_RAISED = 183,
    SY_EVENT_STREAM_CLOSED = 184,
    SY_EVENT_FIRMWARE_ATTESTED = 185,
    SY_EVENT_STREAM_LAST = 186,
    SY_EVENT_DATASET_PUBLISHED = 187,
    SY_EVENT_DATASET_CHANGED = 188,
    SY_EVENT_DATASET_WITHDRAWN = 189,
    SY_EVENT_QUERY_PROPOSED = 190,
    SY_EVENT_QUERY_APPROVED = 191,
    SY_EVENT_QUERY_DENIED = 192,
    SY_EVENT_QUERY_ANSWERED = 193,
    SY_EVENT_OPTOUT_APPLIED = 194,
    SY_EVENT_OPTIN_APPLIED = 195,
    SY_EVENT_KIND_COUNT = 200 /* not every number below is one: sy_event_name */
};

enum sy_subject_kind { SY_SUBJECT_ORG = 1, SY_SUBJECT_KEY = 2, SY_SUBJECT_PATIENT = 3 };

struct sy_event {
    uint16_t kind;
    uint8_t subject_kind;
    struct sy_hash subject;
    uint64_t global_number;
    uint64_t subject_number;
    struct sy_hash object;
};
#define SY_EVENT_BYTES (2 + 1 + 32 + 8 + 8 + 32)

struct sy_receipt {
    uint64_t height;
    uint32_t index;
    struct sy_hash tx_id;
    uint16_t code; /* enum sy_refusal; 0 = applied */
    uint16_t part;
    uint64_t detail;
    struct sy_hash detail_hash;
    struct sy_slice path; /* borrowed text */
    uint32_t key_count;
    struct sy_slice keys; /* borrowed: 32 bytes each, ascending */
    uint32_t event_count;
    struct sy_slice events; /* borrowed: SY_EVENT_BYTES each */
};

/* Room for any path of the schema (SY_PATH_BYTES_MAX, its terminator included). */
#define SY_RECEIPT_PATH_BYTES_MAX 95

/* A receipt's head is what stands for it under the receipts root:
 *
 *   the receipt up to its key count | 32 SHA-256 of the keys | u32 event count
 *   | 32 root of the tree whose leaves are the events (RFC 6962)
 *
 * so that one event can be shown without the others, which may be about somebody else. */
#define SY_RECEIPT_HEAD_BYTES_MAX (88 + 2 + SY_RECEIPT_PATH_BYTES_MAX + 4 + 32 + 4 + 32)

/* What a head says, as far as anybody asks. */
struct sy_receipt_head {
    uint64_t height;
    uint32_t index;
    struct sy_hash tx_id;
    uint16_t code;
    uint32_t event_count;
    struct sy_hash events_root;
};

/* sy_receipt_leaves hashes encoded receipts to the leaves of a receipts root, many at once. False:
 * the lengths in one of them do not fit; nothing else about it is judged. */
bool sy_receipt_leaves(struct sy_hash *leaves, const struct sy_slice *receipts, size_t count);

/* sy_receipt_head_encode writes an encoded receipt's head; false as above. */
bool sy_receipt_head_encode(struct sy_writer *w, struct sy_slice receipt);
bool sy_receipt_head_decode(struct sy_reader *r, struct sy_receipt_head *head);

void sy_event_encode(struct sy_writer *w, const struct sy_event *event);
bool sy_event_decode(struct sy_reader *r, struct sy_event *event);
void sy_receipt_encode(struct sy_writer *w, const struct sy_receipt *receipt);
/* sy_receipt_decode accepts codes of execution only (0 or from SY_REFUSAL_ORDERED_FROM on), keys
 * that ascend, events that decode, and neither with a refusal. receipt borrows the bytes. */
bool sy_receipt_decode(struct sy_reader *r, struct sy_receipt *receipt);
/* sy_receipt_next_key and sy_receipt_next_event walk a receipt's lists: start with *offset = 0;
 * false after the last. */
bool sy_receipt_next_key(const struct sy_receipt *receipt, size_t *offset, struct sy_hash *key);
bool sy_receipt_next_event(const struct sy_receipt *receipt, size_t *offset,
                           struct sy_event *event);
const char *sy_event_name(uint16_t kind); /* "record.created"; "unknown" */

#endif
