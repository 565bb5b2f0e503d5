/* dial_internal.h: what the parts of dial.h's implementation share.
 *
 *   dial.c          requests and answers: what the caller sees
 *   dial_session.c  the session: handshakes, frames in, frames out, acknowledgements
 *
 * Internal to core/net. */
#ifndef SY_NET_DIAL_INTERNAL_H
#define SY_NET_DIAL_INTERNAL_H

#include "core/base/prng.h"
#include "core/net/dial.h"
#include "core/net/refuse.h"
#include "core/net/session.h"
#include "core/net/sock.h"

#define SY_DIAL_ADDRESS_MAX 128u
#define SY_DIAL_MS_NS UINT64_C(1000000)

/* A request on its way. */
struct sy_call {
    uint64_t id; /* 0: free */
    uint64_t deadline_ns;
    uint64_t send_ns; /* when it is sent next; 0: at once */
    uint32_t sends;
    uint8_t *body; /* owned */
    size_t body_bytes;
};

/* A request that has ended and was not reported yet. */
struct sy_ended {
    struct sy_dial_answer answer;
    uint8_t *message; /* owned; the answer's body lies in it; may be NULL */
};

struct sy_dial {
    char address[SY_DIAL_ADDRESS_MAX];
    struct sy_public_key server_key;
    uint64_t resend_ns;
    sy_tls *tls;
    struct sy_sock sock;
    sy_prng prng;
    struct sy_refuser refuser;

    struct sy_call *calls; /* call_max */
    uint32_t call_max;
    uint32_t call_count;
    struct sy_ended *ended; /* call_max of room, oldest first */
    uint32_t ended_count;
    uint8_t *reported; /* the message that the newest answer's body lies in */
    uint64_t last_id;
    uint32_t retry_ms;

    sy_session *session; /* stands */
    sy_session *next;    /* handshaking, or waiting for the server's first sealed frame */
    uint64_t next_until_ns;
    uint64_t attempt_ns; /* no handshake before */
    uint32_t attempts;
    uint32_t asked; /* messages sent: the numbers nanomsg wants */
    uint64_t heard_ns;
    uint64_t acked;          /* one more than the newest reply counter received */
    uint32_t unacked_frames; /* received since acknowledging last */
    uint64_t unacked_bytes;
    bool wrong_key;
    char error[320];
};

/* sy_dial_progress takes in what has come, and sends what is due. Never waits. */
void sy_dial_progress(sy_dial *dial, uint64_t now_ns);

/* sy_dial_end reports a request's end: frees its call and queues the answer. Takes over message. */
void sy_dial_end(sy_dial *dial, struct sy_call *call, const struct sy_dial_answer *answer,
                 uint8_t *message);

/* sy_dial_find returns the call with an id, or NULL. */
struct sy_call *sy_dial_find(sy_dial *dial, uint64_t id);

/* sy_dial_next_due returns the oldest call that is to be sent now, or NULL. */
struct sy_call *sy_dial_next_due(sy_dial *dial, uint64_t now_ns);

#endif
