/* notice.c: notices: bytes, and what makes one hold. */
#include "core/wire/notice.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/wire/limits.h"

void sy_notice_proof_encode(struct sy_writer *w, const struct sy_notice_proof *proof)
{
    sy_write_bytes16(w, proof->head);
    sy_path_encode(w, &proof->receipt_path);
    sy_event_encode(w, &proof->event);
    sy_path_encode(w, &proof->event_path);
}

bool sy_notice_proof_decode(struct sy_reader *r, struct sy_notice_proof *proof)
{
    memset(proof, 0, sizeof *proof);
    proof->head = sy_read_bytes16(r, SY_RECEIPT_HEAD_BYTES_MAX, "head");
    sy_path_decode(r, &proof->receipt_path, "receipt path");
    (void)sy_event_decode(r, &proof->event);
    sy_path_decode(r, &proof->event_path, "event path");
    return !r->failed;
}

static bool leads_to(const struct sy_merkle_path *path, struct sy_slice leaf,
                     const struct sy_hash *root)
{
    struct sy_hash node, reached;
    sy_hash_leaf(&node, leaf);
    return sy_merkle_path_root(&reached, path, &node) && sy_hash_equal(&reached, root);
}

bool sy_notice_proof_verify(const struct sy_notice_proof *proof, struct sy_receipt_head *head,
                            const struct sy_header *header, const char **what)
{
    const char *ignored;
    uint8_t event[SY_EVENT_BYTES];
    struct sy_writer w = sy_writer_of(event, sizeof event);
    struct sy_reader r = sy_reader_of(proof->head);
    if (!what) what = &ignored;
    if (!sy_receipt_head_decode(&r, head) || !sy_reader_done(&r)) {
        *what = "the receipt's head is not canonical";
        return false;
    }
    if (head->height != header->height) {
        *what = "the receipt names another height";
        return false;
    }
    if (!leads_to(&proof->receipt_path, proof->head, &header->receipts_root)) {
        *what = "the receipt's path does not lead to the header's receipts root";
        return false;
    }
    sy_event_encode(&w, &proof->event);
    SY_ASSERT(!w.failed);
    if (head->event_count == 0 ||
        !leads_to(&proof->event_path, sy_writer_slice(&w), &head->events_root)) {
        *what = "the event's path does not lead to the receipt's events root";
        return false;
    }
    return true;
}

bool sy_notice_prove(struct sy_notice_proof *proof, uint8_t *head_room, struct sy_slice receipt,
                     uint32_t place)
{
    struct sy_writer w = sy_writer_of(head_room, SY_RECEIPT_HEAD_BYTES_MAX);
    struct sy_reader r = sy_reader_of(receipt);
    struct sy_receipt decoded;
    if (!sy_receipt_decode(&r, &decoded) || place >= decoded.event_count) return false;
    if (!sy_receipt_head_encode(&w, receipt)) return false;
    proof->head = sy_writer_slice(&w);
    struct sy_hash *leaves =
        (struct sy_hash *)malloc(((size_t)decoded.event_count + 1) * sizeof *leaves);
    if (leaves == NULL) return false;
    for (uint32_t i = 0; i < decoded.event_count; i++) {
        const uint8_t *event = decoded.events.data + (size_t)i * SY_EVENT_BYTES;
        struct sy_slice bytes = sy_slice_of(event, SY_EVENT_BYTES);
        struct sy_reader one = sy_reader_of(bytes);
        sy_hash_leaf(&leaves[i], bytes);
        if (i == place) (void)sy_event_decode(&one, &proof->event);
    }
    sy_merkle_path_make(&proof->event_path, leaves, leaves, decoded.event_count, place);
    free(leaves);
    return true;
}

void sy_notice_name(struct sy_hash *name, uint8_t subject_kind, const struct sy_hash *subject,
                    uint64_t number)
{
    uint8_t bytes[1 + 32 + 8];
    bytes[0] = subject_kind;
    memcpy(bytes + 1, subject->bytes, sizeof subject->bytes);
    sy_store_u64(bytes + 33, number);
    sy_sha256(name, bytes, sizeof bytes);
}

uint16_t sy_notice_group(uint16_t event_kind)
{
    switch (event_kind) {
    case SY_EVENT_ACCESS_REQUESTED:
    case SY_EVENT_ACCESS_DISCLOSED:
    case SY_EVENT_SUB_CHANGED: return SY_NOTICES_ACCESS;
    case SY_EVENT_ALERT_RAISED: // does not wait either
    case SY_EVENT_BREAKGLASS_USED:
    case SY_EVENT_BREAKGLASS_REVIEWED: return SY_NOTICES_EMERGENCY;
    case SY_EVENT_OPTOUT_APPLIED:
    case SY_EVENT_OPTIN_APPLIED:
    case SY_EVENT_CONSENT_CHANGED: return SY_NOTICES_CONSENTS;
    case SY_EVENT_CARE_OPENED:
    case SY_EVENT_CARE_CLOSED: return SY_NOTICES_CARE;
    case SY_EVENT_PATIENT_ENROLLED:
    case SY_EVENT_PATIENT_CLAIMED:
    case SY_EVENT_PATIENT_LINKED:
    case SY_EVENT_PATIENT_MERGED:
    case SY_EVENT_GUARDIAN_ACTED:
    case SY_EVENT_KEY_ROTATED:
    case SY_EVENT_DEVICE_ADDED:
    case SY_EVENT_FIRMWARE_ATTESTED:
    case SY_EVENT_NOTIFY_CHANGED: return SY_NOTICES_IDENTITY;
    case SY_EVENT_COVERAGE_CHANGED:
    case SY_EVENT_CLAIM_PENDED:
    case SY_EVENT_CLAIM_DECIDED:
    case SY_EVENT_CLAIM_DENIED:
    case SY_EVENT_PAYMENT_MADE:
    case SY_EVENT_AUTH_REQUESTED:
    case SY_EVENT_AUTH_DECIDED:
    case SY_EVENT_CLAIM_CONTESTED:
    case SY_EVENT_CLAIM_ANSWERED:
    case SY_EVENT_CLAIM_WITHDRAWN:
    case SY_EVENT_FRAUD_FLAGGED:
    case SY_EVENT_FRAUD_CLEARED:
    case SY_EVENT_SETTLEMENT_DONE:
    case SY_EVENT_CLAIM_REVERSED: return SY_NOTICES_BILLS;
    case SY_EVENT_RECALL_ISSUED:
    case SY_EVENT_RECALL_CLOSED: return SY_NOTICES_RECALLS;
    default: return strcmp(sy_event_name(event_kind), "unknown") == 0 ? 0 : SY_NOTICES_RECORDS;
    }
}

/* --- the question -------------------------------------------------------------------------- */

void sy_read_notices(struct sy_read_request *read, const struct sy_notices_asked *asked)
{
    struct sy_writer w = sy_writer_of(read->second.bytes, sizeof read->second.bytes);
    memset(&read->second, 0, sizeof read->second);
    read->subject = SY_READ_NOTICES;
    read->state_kind = asked->subject_kind;
    read->id = asked->subject;
    sy_write_u64(&w, asked->from);
    sy_write_u16(&w, asked->max);
    sy_write_u32(&w, asked->wait_ms);
}

bool sy_read_notices_asked(struct sy_notices_asked *asked, const struct sy_read_request *read)
{
    struct sy_reader r = sy_reader_of(sy_slice_of(read->second.bytes, sizeof read->second.bytes));
    struct sy_read_request same = {0};
    asked->subject_kind = read->state_kind;
    asked->subject = read->id;
    asked->from = sy_read_u64(&r, "from");
    asked->max = sy_read_u16(&r, "max");
    asked->wait_ms = sy_read_u32(&r, "wait_ms");
    sy_read_notices(&same, asked);
    if (!sy_hash_equal(&same.second, &read->second)) return false; /* nothing stands behind it */
    if (asked->subject_kind < SY_SUBJECT_ORG || asked->subject_kind > SY_SUBJECT_PATIENT) {
        return false;
    }
    return asked->from >= 1 && asked->max >= 1 && asked->max <= SY_NOTICES_MAX &&
           asked->wait_ms <= SY_WAIT_MS_MAX;
}
