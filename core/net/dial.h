/* dial.h: the side of the client protocol that a client runs (see server.h).
 *
 * A dial keeps one session with one validator, makes it again when it breaks, and carries many
 * requests at once. A request is asked again, under its own id, until it is answered or its
 * deadline passes; a deadline that passes means "unknown", never "failed".
 *
 * A dial has no thread of its own: it works while one of its functions runs. It belongs to one
 * thread at a time. */
#ifndef SY_NET_DIAL_H
#define SY_NET_DIAL_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/net/frame.h"

typedef struct sy_dial sy_dial;

#define SY_DIAL_REQUEST_MAX (SY_FRAME_BYTES_MAX - SY_FRAME_OVERHEAD - 16u)

struct sy_dial_config {
    const char *address;             /* "tcp://127.0.0.1:27102"; copied */
    struct sy_public_key server_key; /* the validator's link key, from the roster */
    uint32_t outstanding_max;        /* requests at once; 0: 256 */
    uint32_t resend_ms;              /* ask again after so long without an answer; 0: 2,000 */
};

/* sy_dial_open connects and waits up to timeout_ms for the session (0: do not wait; it comes up
 * while later calls run). SY_ERR_PERMISSION: who answers there holds another key. SY_ERR_NETWORK:
 * nobody answers. err says which address, and what to do. */
sy_status sy_dial_open(sy_dial **dial, const struct sy_dial_config *config, int timeout_ms,
                       struct sy_error *err);

/* sy_dial_close forgets what is outstanding. NULL is fine. */
void sy_dial_close(sy_dial *dial);

/* sy_dial_call asks and waits. reply has reply_max bytes of room, *reply_bytes says how many came.
 * SY_ERR_TIMEOUT: no answer within timeout_ms: the outcome is unknown. SY_ERR_BUSY: the validator
 * is busy; *reply_bytes is 0 and sy_dial_retry_ms says how long to wait. SY_ERR_LIMIT: the request
 * is too long, or the reply longer than reply_max. Answers to other outstanding requests are kept
 * for sy_dial_poll. */
sy_status sy_dial_call(sy_dial *dial, uint8_t *reply, size_t *reply_bytes, size_t reply_max,
                       struct sy_slice request, int timeout_ms);

/* sy_dial_send puts a request on its way and returns its id. The body is copied. SY_ERR_BUSY:
 * outstanding_max are on their way already; poll first. SY_ERR_LIMIT: too long. */
sy_status sy_dial_send(sy_dial *dial, uint64_t *id, struct sy_slice request, int timeout_ms);

/* How a request ended. */
struct sy_dial_answer {
    uint64_t id;
    sy_status status;     /* SY_OK, SY_ERR_BUSY (see retry_ms), SY_ERR_TIMEOUT */
    uint32_t retry_ms;    /* SY_ERR_BUSY */
    struct sy_slice body; /* SY_OK; valid until the next call on this dial */
};

/* sy_dial_poll waits up to timeout_ms (0: do not wait) for any request to end. False: none did.
 * Every request sent ends exactly once. */
bool sy_dial_poll(sy_dial *dial, struct sy_dial_answer *answer, int timeout_ms);

/* sy_dial_forget gives up a request; it will not be reported. */
void sy_dial_forget(sy_dial *dial, uint64_t id);

/* sy_dial_outstanding is how many requests have not been reported yet. */
uint32_t sy_dial_outstanding(const sy_dial *dial);

/* sy_dial_retry_ms is what the last busy answer asked for. */
uint32_t sy_dial_retry_ms(const sy_dial *dial);

/* sy_dial_fd polls readable when sy_dial_poll has something to do; timers (asking again,
 * deadlines) need a poll every 100 ms or so besides. */
int sy_dial_fd(const sy_dial *dial);

/* sy_dial_established says whether a session stands right now; sy_dial_error says why not, in one
 * sentence (empty when it does). */
bool sy_dial_established(const sy_dial *dial);
const char *sy_dial_error(const sy_dial *dial);

#endif
