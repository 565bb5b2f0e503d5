/* client.h: a conversation with one validator, in which nothing is believed.
 *
 * Every answer that says something about the ledger is checked here before anybody sees it: the
 * header's certificate against the roster of its epoch, the receipt or state entry against the
 * header, the transaction against its id. A validator that lies is an error that names it.
 *
 * An answer of a later epoch than the newest known makes the client ask the same validator how that
 * epoch came, before it goes on: epochs.h then knows it, too, for everybody who shares it. A
 * validator that cannot show it is treated like any that lies.
 *
 * Requests are asynchronous: sy_client_submit and sy_client_wait put one on its way,
 * sy_client_poll tells what ended. sy_client_read, _block and _status ask and wait. One thread at
 * a time. */
#ifndef SY_CLIENT_CLIENT_H
#define SY_CLIENT_CLIENT_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/store/epochs.h"
#include "core/wire/notice.h"
#include "core/wire/proof.h"
#include "core/wire/request.h"

typedef struct sy_client sy_client;

/* An observer serves reads and is in no roster: whoever asks it names it. What it answers is
 * verified like a validator's. */
struct sy_client_observer {
    char name[SY_NAME_BYTES_MAX + 1];
    struct sy_public_key link_key;
    char address[SY_ADDRESS_BYTES_MAX + 1]; /* where it listens for clients */
};

struct sy_client_config {
    sy_epochs *epochs;                         /* borrowed; those who share it are of one thread */
    uint16_t validator;                        /* whom to ask: index in the newest roster known */
    const struct sy_client_observer *observer; /* or this one, if not NULL; borrowed for the call */
    const char *address;                       /* NULL: the roster's client address */
    uint32_t outstanding_max;                  /* requests at once; 0: 64 */
    int connect_ms;                            /* how long to wait for the session; 0: 5,000 */
};

/* sy_client_open connects and says hello. SY_ERR_PERMISSION: another key answers there;
 * SY_ERR_NETWORK: nobody does, or it serves another network. */
sy_status sy_client_open(sy_client **client, const struct sy_client_config *config,
                         struct sy_error *err);
void sy_client_close(sy_client *client); /* NULL is fine */

/* The validator's name, and the newest certified height it has proven so far, and that block's
 * time; 0: none. */
const char *sy_client_name(const sy_client *client);
uint64_t sy_client_height(const sy_client *client);
int64_t sy_client_time_ms(const sy_client *client);

/* sy_client_claim is the newest certified height and time as the validator told when it was greeted
 * (HELLO): its word alone, which nothing proves. */
void sy_client_claim(const sy_client *client, uint64_t *height, int64_t *time_ms);

/* ---- many at once ------------------------------------------------------------------------ */

/* sy_client_submit sends transactions: count <= SY_SUBMIT_TXS_MAX, together at most
 * SY_BATCH_BYTES_MAX. SY_ERR_BUSY: outstanding_max requests are on their way. */
sy_status sy_client_submit(sy_client *client, uint64_t *request, const struct sy_slice *txs,
                           uint16_t count, int timeout_ms);

/* sy_client_wait asks until all of these are final, or wait_ms have passed. items (sy_awaited_of)
 * are copied. */
sy_status sy_client_wait(sy_client *client, uint64_t *request, const struct sy_awaited *items,
                         uint16_t count, uint32_t wait_ms, bool with_tx);

/* One transaction of a WAIT's answer. Borrowed until the next call on the client. */
struct sy_client_tx {
    struct sy_hash id;
    uint8_t state; /* SY_TX_FINAL: all below is verified; else nothing below is filled */
    const struct sy_header *header;
    struct sy_slice certificate; /* encoded */
    struct sy_receipt receipt;
    struct sy_slice receipt_bytes;
    struct sy_slice proof; /* encoded receipt proof body (proof.h) */
};

struct sy_client_event {
    uint64_t request;
    sy_status status; /* SY_OK; SY_ERR_BUSY (retry_ms); SY_ERR_TIMEOUT: unknown; SY_ERR_FORMAT or
                         SY_ERR_CRYPTO: the validator's answer does not hold, text says why;
                         SY_ERR_CLOSED: the validator is stopping */
    uint32_t retry_ms;
    const char *text;
    uint16_t count;
    const struct sy_submit_outcome *outcomes; /* of a SUBMIT, in its order; else NULL */
    const struct sy_client_tx *txs;           /* of a WAIT, in its order; else NULL */
};

/* sy_client_poll waits up to timeout_ms for a request to end. False: none did. What the event
 * points at is good until the next call on the client. */
bool sy_client_poll(sy_client *client, struct sy_client_event *event, int timeout_ms);

uint32_t sy_client_outstanding(const sy_client *client);
int sy_client_fd(const sy_client *client);

/* ---- one at a time ----------------------------------------------------------------------- */

/* A BLOCK's answer, verified: what anybody may see. */
struct sy_client_block {
    struct sy_header header;
    struct sy_hash header_hash;
    struct sy_certificate certificate;
    struct sy_proposal order;
};
sy_status sy_client_get_block(sy_client *client, struct sy_client_block *block, uint64_t height,
                              int timeout_ms, struct sy_error *err);

/* sy_client_get_ids sends a signed read of IDS and gives the ids of a block's transactions in
 * order, 32 bytes each, borrowed until the next call. They are what this validator says: each
 * transaction's own proof proves it. SY_ERR_PERMISSION: the key is no member's; SY_ERR_NOT_FOUND.
 */
sy_status sy_client_get_ids(sy_client *client, struct sy_slice *ids,
                            const struct sy_read_request *read, int timeout_ms,
                            struct sy_error *err);

/* sy_client_read sends a signed read of anything else (read.h) and gives the whole .syproof,
 * verified and about what was asked; borrowed until the next call. SY_ERR_NOT_FOUND,
 * SY_ERR_PERMISSION, SY_ERR_CRYPTO.
 */
sy_status sy_client_read(sy_client *client, struct sy_slice *proof_bytes, struct sy_proof *proof,
                         const struct sy_read_request *read, int timeout_ms, struct sy_error *err);

/* Notices of one subject, of rising numbers without a gap from the first wanted on. */
struct sy_client_notice {
    bool shown; /* false: this reader may not see it, says the validator; nothing below is filled */
    struct sy_event event;
    struct sy_hash tx_id;
    uint64_t height;
    int64_t time_ms; /* of the block */
};
struct sy_client_notices {
    uint64_t height; /* up to which the validator has looked, as it says */
    char told_by[SY_NAME_BYTES_MAX + 1];
    uint16_t count;
    struct sy_client_notice items[SY_NOTICES_MAX];
};
/* sy_client_get_notices sends a signed read of NOTICES. Each one shown is verified: its header's
 * certificate, its place there, that it is about the subject and has the number that comes next.
 * None is no failure: none may have happened yet, which the validator has waited for as long as was
 * asked. SY_ERR_PERMISSION, SY_ERR_PRUNED, SY_ERR_CRYPTO. */
sy_status sy_client_get_notices(sy_client *client, struct sy_client_notices *notices,
                                const struct sy_read_request *read, int timeout_ms,
                                struct sy_error *err);

/* sy_client_find sends a FIND, read being signed (sy_read_find): ids, which are this validator's
 * word alone. SY_ERR_PERMISSION; SY_ERR_FORMAT: more than was asked for, or out of order. */
sy_status sy_client_find(sy_client *client, struct sy_found *found,
                         const struct sy_read_request *read, const struct sy_find *query,
                         int timeout_ms, struct sy_error *err);

/* sy_client_learn follows the epochs that ended, as far as this validator can show.
 * SY_ERR_CRYPTO, SY_ERR_FORMAT: it sent handovers that prove nothing. */
sy_status sy_client_learn(sy_client *client, int timeout_ms, struct sy_error *err);

/* sy_client_status gives the validator's own account of itself: JSON text, borrowed until the next
 * call. Nothing in it is proven. */
sy_status sy_client_get_status(sy_client *client, struct sy_slice *json, int timeout_ms,
                               struct sy_error *err);

#endif
