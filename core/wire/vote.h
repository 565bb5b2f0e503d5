/* vote.h: what validators say to each other: PBFT messages, seals, status, requests, blocks.
 *
 * Every message is u8 type | body. Signed ones name epoch, view and slot inside the digest that is
 * signed, so no signature fits another place:
 *
 *   PRE_PREPARE   proposal | u64 view | 64 signature of the view's primary, kind PRE_PREPARE over
 *                 digest(PRE_PREPARE, u32 epoch | u64 view | u64 slot | 32 proposal digest)
 *   PREPARE       u32 epoch | u64 view | u64 slot | 32 proposal digest | u16 signer | 64 signature
 *   COMMIT        the same layout, kind COMMIT
 *   SEAL          u32 epoch | u64 height | 32 header hash | u16 signer | 64 signature
 *   STATUS        struct sy_status_message; heals every loss (see consensus/pbft/PROTOCOL.md)
 *   BATCH_FETCH   32 digest ...                  asks for bodies
 *   BATCH         a whole batch (batch.h)        bulk channel
 *   BLOCK_FETCH   u64 first | u16 count          asks for certified blocks
 *   BLOCK         proposal | header | certificate  of one height
 *   SLOT_FETCH    u64 view | u64 first | u16 count   asks for PRE_PREPAREs and votes of slots
 *   VIEW_CHANGE, NEW_VIEW, VIEW_FETCH   see view_change.h
 *
 * Requests are not signed: links authenticate them and they are answered within limits. */
#ifndef SY_WIRE_VOTE_H
#define SY_WIRE_VOTE_H

#include "core/crypto/keys.h"
#include "core/wire/block.h"
#include "core/wire/view_change.h"

enum sy_message_type {
    SY_MESSAGE_PRE_PREPARE = 1,
    SY_MESSAGE_PREPARE = 2,
    SY_MESSAGE_COMMIT = 3,
    SY_MESSAGE_SEAL = 4,
    SY_MESSAGE_STATUS = 5,
    SY_MESSAGE_BATCH = 6,
    SY_MESSAGE_BATCH_FETCH = 7,
    SY_MESSAGE_BLOCK_FETCH = 8,
    SY_MESSAGE_BLOCK = 9,
    SY_MESSAGE_SLOT_FETCH = 10,
    SY_MESSAGE_VIEW_CHANGE = 11,
    SY_MESSAGE_NEW_VIEW = 12,
    SY_MESSAGE_VIEW_FETCH = 13
};

#define SY_FETCH_DIGESTS_MAX 64u
#define SY_FETCH_BLOCKS_MAX 64u

struct sy_pre_prepare {
    struct sy_proposal proposal;
    uint64_t view;
    struct sy_signature signature;
};

/* PREPARE and COMMIT. */
struct sy_vote {
    uint8_t type; /* SY_MESSAGE_PREPARE or SY_MESSAGE_COMMIT */
    uint32_t epoch;
    uint64_t view;
    uint64_t slot;
    struct sy_hash proposal_digest;
    uint16_t signer;
    struct sy_signature signature;
};

struct sy_seal_message {
    uint32_t epoch;
    uint64_t height;
    struct sy_hash header_hash;
    struct sy_seal seal;
};

/* Signed with kind STATUS; `counter` rises by one a message, so an old one cannot be replayed to
 * undo a newer. Bit i of a mask speaks of slot certified + 1 + i. */
struct sy_status_message {
    uint32_t epoch;
    uint64_t view;
    bool in_view; /* the view has begun here; otherwise its NEW_VIEW is awaited */
    uint16_t signer;
    uint64_t counter;
    int64_t time_ms;
    uint64_t certified_height; /* stable: certificate durable */
    uint64_t executed_height;
    uint64_t pre_prepared_mask; /* slots whose PRE_PREPARE I hold */
    uint64_t prepared_mask;
    uint64_t committed_mask;
    struct sy_signature signature;
};

struct sy_batch_fetch {
    uint16_t count;
    struct sy_hash digests[SY_FETCH_DIGESTS_MAX];
};
struct sy_range_fetch {
    uint64_t view; /* SLOT_FETCH only */
    uint64_t first;
    uint16_t count;
};
struct sy_block_message {
    struct sy_proposal proposal;
    struct sy_header header;
    struct sy_certificate certificate;
};

struct sy_message {
    uint8_t type;
    union {
        struct sy_pre_prepare pre_prepare;
        struct sy_vote vote;
        struct sy_seal_message seal;
        struct sy_status_message status;
        struct sy_slice batch; /* borrowed: the batch's bytes, which sy_batch_decode accepts */
        struct sy_batch_fetch batch_fetch;
        struct sy_range_fetch range_fetch;
        struct sy_block_message block;
        struct sy_view_change view_change; /* borrows the input */
        struct sy_new_view new_view;
        struct sy_view_fetch view_fetch;
    } body;
};

/* sy_message_decode reads one whole message; n = size of the epoch's roster (signers and makers
 * must be below it). False: not canonical, or beyond a limit: slots and heights from 1 to 2^63 - 1,
 * 1 to SY_FETCH_DIGESTS_MAX different digests, 1 to SY_FETCH_BLOCKS_MAX slots, a BLOCK whose header
 * and proposal agree, and what view_change.h says. Signatures are the caller's. BATCH and
 * VIEW_CHANGE borrow the bytes. sy_message_encode writes one. */
bool sy_message_decode(struct sy_message *message, struct sy_slice bytes, unsigned n);
void sy_message_encode(struct sy_writer *w, const struct sy_message *message);

/* What each signed message signs. */
void sy_pre_prepare_digest(struct sy_hash *out, const struct sy_hash *genesis, uint32_t epoch,
                           uint64_t view, uint64_t slot, const struct sy_hash *proposal_digest);
void sy_vote_digest(struct sy_hash *out, const struct sy_hash *genesis, const struct sy_vote *vote);
void sy_status_digest(struct sy_hash *out, const struct sy_hash *genesis,
                      const struct sy_status_message *status);

#endif
