/* state_access.h: what the ledger's state holds of requests for access, logs of it, and notices:
 * values of entries whose kinds and names stand in state.h, which includes this. */
#ifndef SY_WIRE_STATE_ACCESS_H
#define SY_WIRE_STATE_ACCESS_H

#include "core/base/bytes.h"
#include "core/wire/codec.h"
#include "core/wire/schema.h"

/* What an organisation asked a patient for, last.
 *
 *   32 key | u32 actions | u32 purposes | u64 height | i64 time | classes list */
struct sy_access_asked {
    struct sy_public_key key;
    uint32_t actions, purposes; /* sets, not empty */
    uint64_t height;
    int64_t time_ms;
    struct sy_list classes; /* borrowed */
};
void sy_access_asked_encode(struct sy_writer *w, const struct sy_access_asked *asked);
bool sy_access_asked_decode(struct sy_access_asked *asked, struct sy_slice bytes);

/* The key with which a validator signs transactions of its own: logs of what was read through it.
 *
 *   32 key | u64 height | i64 time */
struct sy_validator_key {
    struct sy_public_key key;
    uint64_t height;
    int64_t time_ms;
};
void sy_validator_key_encode(struct sy_writer *w, const struct sy_validator_key *signer);
bool sy_validator_key_decode(struct sy_validator_key *signer, struct sy_slice bytes);

/* A log of disclosures: whose they were stands in the disclosures alone, each for who it is about.
 *
 *   32 organisation | 32 key | 32 root | u32 disclosures | u16 patients | i64 first | i64 last
 *   | u64 height */
struct sy_access_logged {
    struct sy_hash organisation;
    struct sy_public_key key; /* the gateway's, or a validator's signing key */
    struct sy_hash root;      /* of the tree of the patients' roots */
    uint32_t count;
    uint16_t patients; /* 1 to SY_LOG_PATIENTS_MAX */
    int64_t first_ms, last_ms;
    uint64_t height;
};
void sy_access_logged_encode(struct sy_writer *w, const struct sy_access_logged *log);
bool sy_access_logged_decode(struct sy_access_logged *log, struct sy_slice bytes);

/* What a log has about one patient: u32 count (at least 1) | 32 root. */
struct sy_disclosure {
    uint32_t count;
    struct sy_hash root;
};
void sy_disclosure_encode(struct sy_writer *w, const struct sy_disclosure *disclosure);
bool sy_disclosure_decode(struct sy_disclosure *disclosure, struct sy_slice bytes);

/* How a patient wants notices brought.
 *
 *   u32 off | u32 digest | u8 flags (1 channel) | [32 channel commitment] | u64 height */
struct sy_notify_choice {
    uint32_t off, digest; /* sets of enum sy_notice_group */
    bool has_channel;
    struct sy_hash channel;
    uint64_t height;
};
void sy_notify_choice_encode(struct sy_writer *w, const struct sy_notify_choice *choice);
bool sy_notify_choice_decode(struct sy_notify_choice *choice, struct sy_slice bytes);

/* What a patient disputes.
 *
 *   32 patient | u64 number | u16 reason | u8 flags (1 record) | [32 record] | u64 height */
struct sy_dispute {
    struct sy_hash patient;
    uint64_t number; /* of the notice, from 1 */
    uint16_t reason; /* enum sy_dispute_reason */
    bool has_record;
    struct sy_hash record;
    uint64_t height;
};
void sy_dispute_encode(struct sy_writer *w, const struct sy_dispute *dispute);
bool sy_dispute_decode(struct sy_dispute *dispute, struct sy_slice bytes);

/* An organisation's subscription to a patient's notices.
 *
 *   u64 from | u16 purpose | u64 height | u64 height of its end, 0: it stands
 *   | u8 flags (1 groups, 2 classes, 4 organisation, 8 from height) | [u32 groups]
 *   | [classes list] | [32 organisation] | [u64 from height, from 1] */
struct sy_subscription {
    uint64_t from; /* first number, from 1 */
    uint16_t purpose;
    uint64_t height, cancelled_height;
    bool has_groups, has_classes;
    uint32_t groups;        /* a set of enum sy_notice_group */
    struct sy_list classes; /* borrowed */
    bool has_organisation;
    struct sy_hash organisation; /* of records, only those that it keeps */
    uint64_t from_height;        /* notices of earlier blocks are left out; 0: of none */
};
void sy_subscription_encode(struct sy_writer *w, const struct sy_subscription *subscription);
bool sy_subscription_decode(struct sy_subscription *subscription, struct sy_slice bytes);

#endif
