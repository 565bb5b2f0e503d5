/* request.h: what clients ask a validator, and its answers. One request or answer is one frame
 * inside the client's TLS session (core/net):
 *
 *   u16 protocol | u8 kind | u64 request id | body
 *
 * An answer repeats the request's id. Reads about a subject (a transaction, a record, a patient)
 * and of a block's transaction ids carry a signature, kind READ, over digest(READ, u8 subject | u64
 * nonce | i64 time_ms | u8 state kind | 32 id | 32 second | u8 purpose), and are judged by role and
 * open care and consent. WAIT is answered to whoever has the signed transaction, which its witness
 * shows. Everything told comes from certified heights. FORMAT.md has the offset tables. */
#ifndef SY_WIRE_REQUEST_H
#define SY_WIRE_REQUEST_H

#include "core/wire/block.h"
#include "core/wire/find.h"
#include "core/wire/proof.h"
#include "core/wire/refusal.h"
#include "core/wire/tx.h"

// clang-format off
#define SY_REQUEST_HEADER_BYTES (2 + 1 + 8)
#define SY_SUBMIT_TXS_MAX 1024u
#define SY_WAIT_IDS_MAX 512u
#define SY_WAIT_MS_MAX 30000u
#define SY_READ_AGE_MS_MAX 60000 /* a read's time_ms at most this far from the validator's clock */

enum sy_request_kind {
    SY_REQUEST_HELLO = 1,  /* 16 network tag | u16 protocol min | u16 protocol max */
    SY_REQUEST_SUBMIT = 2, /* u16 count | bytes32 a tx */
    SY_REQUEST_WAIT = 3,   /* u32 wait_ms | u8 with_tx | u16 count | struct sy_awaited a tx */
    SY_REQUEST_BLOCK = 4,  /* u64 height; the newest certified: 2^64 - 1 */
    SY_REQUEST_READ = 5,   /* struct sy_read_request */
    SY_REQUEST_STATUS = 6, /* no body */
    SY_REQUEST_HANDOVERS = 7, /* u32 epoch: of it and the epochs after it, as far as they ended */
    SY_REQUEST_FIND = 8 /* struct sy_read_request with subject FIND | bytes16 query (find.h) */
};

enum sy_answer_kind {
    SY_ANSWER_HELLO = 65,   /* 16 network tag | u16 protocol | u64 certified height | i64 time */
    SY_ANSWER_SUBMIT = 66,  /* u16 count | an outcome a tx: u8 state | u16 code | u32 retry_ms */
    SY_ANSWER_WAIT = 67,    /* below */
    SY_ANSWER_BLOCK = 68,   /* header | u8 1, certificate, proposal (0, nothing: genesis) */
    SY_ANSWER_READ = 69,    /* a whole .syproof, bytes32 */
    SY_ANSWER_STATUS = 70,  /* JSON text, bytes32 */
    SY_ANSWER_REFUSED = 71, /* u16 code (enum sy_answer_code) | bytes16 sentence */
    SY_ANSWER_IDS = 72,     /* to a READ of IDS: u64 height | u32 count | 32 a tx id in order */
    SY_ANSWER_HANDOVERS = 73, /* u32 epoch, as asked | u16 count | handovers (roster_change.h) */
    SY_ANSWER_NOTICES = 74, /* to a READ of NOTICES: notice.h */
    SY_ANSWER_FOUND = 75 /* to FIND: find.h */
};

/* Why a request as a whole was refused. */
enum sy_answer_code {
    SY_ANSWER_MALFORMED = 1,
    SY_ANSWER_OTHER_NETWORK = 2,
    SY_ANSWER_OTHER_PROTOCOL = 3,
    SY_ANSWER_BUSY = 4,
    SY_ANSWER_NOT_FOUND = 5,
    SY_ANSWER_FORBIDDEN = 6,  /* the reader's key may not read this */
    SY_ANSWER_STALE_READ = 7, /* time_ms too far off, or the nonce was seen */
    SY_ANSWER_PRUNED = 8, /* E_PRUNED: it may lie in history that is not kept */
    SY_ANSWER_STOPPING = 9,
    SY_ANSWER_OBSERVER = 10 /* it can have nothing ordered, nor log a read: see FORMAT.md */
};

enum sy_tx_state {
    SY_TX_UNKNOWN = 0,  /* this validator has no trace of it, or the witness is wrong */
    SY_TX_RECEIVED = 1, /* it has it, and promises nothing */
    SY_TX_REFUSED = 2,  /* before ordering, with code */
    SY_TX_BUSY = 3,     /* not taken: try again after retry_ms */
    SY_TX_FINAL = 4     /* under a certificate: receipt and proof follow */
};
// clang-format on

struct sy_submit_outcome {
    uint8_t state; /* RECEIVED, REFUSED, BUSY or FINAL (ordered before) */
    uint16_t code; /* enum sy_refusal when REFUSED, and when BUSY has a reason; else 0 */
    uint32_t retry_ms;
};

/* WAIT's answer: u16 header count, then header | certificate each;
 * u16 count (that of the request, in its order), then a tx: u8 state; when FINAL: u16 header index
 * | receipt proof (proof.h). Every ordered copy has a receipt; the one that decides the tx is
 * told, or the last one. Answered when all are final, or at the deadline with what there is. */

/* What WAIT names a transaction by. A wrong witness is answered like an unknown id. */
struct sy_awaited {
    struct sy_hash tx_id;
    struct sy_hash witness; /* sy_tx_witness */
};
_Static_assert(sizeof(struct sy_awaited) == 64, "as it travels");

enum sy_read_subject {
    SY_READ_TX = 1,      /* receipt with the tx itself */
    SY_READ_RECEIPT = 2, /* receipt alone */
    SY_READ_STATE = 3,   /* state proof of `state_kind` and id: present or absent */
    SY_READ_IDS = 4,     /* the ids of a block's transactions: answered by IDS, told, not proven */
    SY_READ_NOTICES = 5, /* events of a subject, by number: notice.h; answered by NOTICES */
    SY_READ_FIND = 6     /* entries of the directory: find.h; only in FIND */
};

struct sy_read_request {
    uint8_t subject;       /* enum sy_read_subject */
    uint8_t state_kind;    /* SY_READ_STATE: enum of core/wire/state.h; SY_READ_NOTICES: of
                              receipt.h's subjects; else 0 */
    struct sy_hash id;     /* of IDS: the block's height (u64, zero padded) */
    struct sy_hash second; /* of an entry about two things (sy_state_key_of), of NOTICES
                              (notice.h); else zero */
    uint8_t purpose;       /* enum sy_purpose (core/wire/schema.h) */
    uint64_t nonce;        /* random: a repeated one is refused */
    int64_t time_ms;
    struct sy_public_key reader;
    struct sy_signature signature;
};

struct sy_client_request {
    uint8_t kind;
    uint64_t request_id;
    union {
        struct {
            uint8_t network[SY_NETWORK_TAG_BYTES];
            uint16_t protocol_min, protocol_max;
        } hello;
        struct {
            uint16_t count;
            struct sy_slice txs; /* borrowed: u32 length, tx; walk with sy_submit_next */
        } submit;
        struct {
            uint32_t wait_ms;
            bool with_tx;
            uint16_t count;
            struct sy_slice items; /* borrowed: 64 bytes each; sy_wait_item takes one */
        } wait;
        uint64_t block_height;
        struct sy_read_request read;
        struct {
            struct sy_read_request read; /* first: what is judged about a READ is so about it */
            struct sy_find query;        /* borrows the request's bytes */
        } find;
        uint32_t epoch;
    } body;
};

#define SY_HEIGHT_NEWEST UINT64_MAX

void sy_request_encode(struct sy_writer *w, const struct sy_client_request *request);
/* sy_request_decode: false when not canonical; request_id is then what could be read of it. */
bool sy_request_decode(struct sy_client_request *request, struct sy_slice bytes);
/* sy_submit_next gives the next tx: start with *offset = 0; false at the end. */
bool sy_submit_next(const struct sy_client_request *request, size_t *offset, struct sy_slice *tx);

/* sy_awaited_of fills what a WAIT needs of a decoded, signed transaction. */
void sy_awaited_of(struct sy_awaited *awaited, const struct sy_hash *genesis,
                   const struct sy_tx *tx);
/* sy_wait_item copies the index-th transaction of a WAIT. index < count. */
void sy_wait_item(const struct sy_client_request *request, unsigned index,
                  struct sy_awaited *awaited);

/* sy_read_ids makes a read the question for the ids of a block; sy_read_ids_height gives the height
 * back. */
void sy_read_ids(struct sy_read_request *read, uint64_t height);
uint64_t sy_read_ids_height(const struct sy_read_request *read);

/* sy_read_find makes a read the question, so that its signature covers the query. */
void sy_read_find(struct sy_read_request *read, const struct sy_find *query);

/* What a reader signs. */
void sy_read_digest(struct sy_hash *out, const struct sy_hash *genesis,
                    const struct sy_read_request *read);

/* sy_read_key is the key hash of the state entry that a STATE read names. False: there is no such
 * kind. Whoever asked compares the proof's with it. */
bool sy_read_key(struct sy_hash *key_hash, const struct sy_read_request *read);

/* Answers start with sy_answer_begin; bodies follow the layouts above. */
void sy_answer_begin(struct sy_writer *w, enum sy_answer_kind kind, uint64_t request_id);
void sy_answer_refused(struct sy_writer *w, uint64_t request_id, enum sy_answer_code code,
                       const char *sentence);

/* sy_answer_decode reads the frame's head; the body is left in *body. */
bool sy_answer_decode(uint8_t *kind, uint64_t *request_id, struct sy_reader *body,
                      struct sy_slice bytes);

#endif
