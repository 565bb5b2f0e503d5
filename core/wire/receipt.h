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
 * E_CONSENT_EXPIRED: when it ended, ms).
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
    SY_EVENT_KIND_COUNT = 17
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
