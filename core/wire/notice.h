/* notice.h: one event of a subject, as the subject is told it: proven, and nothing beside it.
 *
 *   notice proof  bytes16 head of the receipt (receipt.h) | path from its leaf hash to the receipts
 *                 root | event | path from its leaf hash to the head's events root
 *
 * Events of a subject are numbered from 1 without gaps, by execution: so whoever has number n has
 * missed nothing before it, and the number of the newest one stands in the subject's state entry.
 * They are asked for by a signed READ (request.h) with subject NOTICES:
 *
 *   state kind    the subject's kind (enum sy_subject_kind)
 *   id            the subject
 *   second        u64 first number wanted, from 1 | u16 how many at most | u32 ms to wait if there
 *                 are none yet | 18 zero bytes
 *
 * and answered by NOTICES: u64 height up to which the validator looked | u16 headers, each header
 * and certificate | u16 count, then a notice of each number from the first wanted on: u8 shown;
 * when 1: u16 index of its header, notice proof. One that is not shown is about something that this
 * reader may not see (a subscriber's; never the subject's own). */
#ifndef SY_WIRE_NOTICE_H
#define SY_WIRE_NOTICE_H

#include "core/wire/proof.h"
#include "core/wire/receipt.h"
#include "core/wire/request.h"

#define SY_NOTICES_MAX 256u /* in one answer */

struct sy_notice_proof {
    struct sy_slice head; /* borrowed: encoded */
    struct sy_merkle_path receipt_path;
    struct sy_event event;
    struct sy_merkle_path event_path;
};

void sy_notice_proof_encode(struct sy_writer *w, const struct sy_notice_proof *proof);
bool sy_notice_proof_decode(struct sy_reader *r, struct sy_notice_proof *proof);

/* sy_notice_proof_verify checks it against a header that is already trusted and gives the receipt's
 * head. *what (unless NULL) says what failed, static text. */
bool sy_notice_proof_verify(const struct sy_notice_proof *proof, struct sy_receipt_head *head,
                            const struct sy_header *header, const char **what);

/* sy_notice_prove fills everything but the receipt's path, of the event at `place` among those of
 * an encoded receipt. head_room has SY_RECEIPT_HEAD_BYTES_MAX bytes, which the proof borrows.
 * False: it has no such event, or there is no memory. */
bool sy_notice_prove(struct sy_notice_proof *proof, uint8_t *head_room, struct sy_slice receipt,
                     uint32_t place);

/* sy_notice_name is the name under which a validator finds an event (core/store/store.h): SHA-256
 * of u8 subject kind, subject, u64 number. It never travels. */
void sy_notice_name(struct sy_hash *name, uint8_t subject_kind, const struct sy_hash *subject,
                    uint64_t number);

/* sy_notice_group is the group (enum sy_notice_group) that an event of this kind belongs to where
 * notices are chosen by group (notify.prefs, sub.create). One that has none of its own counts as of
 * records, which cannot be switched off; 0: there is no such kind yet, so it is always brought. */
uint16_t sy_notice_group(uint16_t event_kind);

/* What a READ with subject NOTICES asks. */
struct sy_notices_asked {
    uint8_t subject_kind; /* enum sy_subject_kind */
    struct sy_hash subject;
    uint64_t from;    /* from 1 */
    uint16_t max;     /* 1 to SY_NOTICES_MAX */
    uint32_t wait_ms; /* to SY_WAIT_MS_MAX */
};

/* sy_read_notices makes a read that question; sy_read_notices_asked gives it back. False: it is not
 * canonical, or something is out of its bounds. */
void sy_read_notices(struct sy_read_request *read, const struct sy_notices_asked *asked);
bool sy_read_notices_asked(struct sy_notices_asked *asked, const struct sy_read_request *read);

#endif
