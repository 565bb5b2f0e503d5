/* server_internal.h: what the parts of server.h's implementation share.
 *
 *   server.c           open, close, next, reply: what other threads call
 *   server_sessions.c  handshakes and sessions: who may have one, who makes room
 *   server_waiters.c   requests that wait for their answer
 *   server_thread.c    the server thread: requests in, replies out
 *
 * A request that waits for its answer is a waiter: it knows its session and the way back. Waiters
 * of a session form two lists: unanswered ones, and answered ones whose reply waits for the client
 * to acknowledge earlier replies. All of it is the server thread's; other threads only see the two
 * rings. Internal to core/net. */
#ifndef SY_NET_SERVER_INTERNAL_H
#define SY_NET_SERVER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/base/arena.h"
#include "core/base/prng.h"
#include "core/base/ring.h"
#include "core/base/table.h"
#include "core/net/refuse.h"
#include "core/net/server.h"
#include "core/net/session.h"
#include "core/net/sock.h"

#define SY_SERVER_MS_NS UINT64_C(1000000)
#define SY_NO_WAITER UINT32_MAX
/* What a client is told to wait when a limit is reached. */
#define SY_SERVER_RETRY_MS 250u

/* A reply made by another thread, its plaintext in place. */
struct sy_reply {
    uint64_t token;
    uint8_t *message; /* NULL: none, whoever waits for one is known */
    uint32_t plain_bytes;
};

/* A list of waiters, by index, oldest first. */
struct sy_waiter_list {
    uint32_t first, last;
};

struct sy_waiter {
    bool used;
    uint32_t generation; /* of this place in the array; the token's upper half */
    uint32_t client;     /* index of its session */
    uint32_t previous, next;
    uint64_t request_id;
    struct sy_route route;
    uint8_t *reply; /* NULL: unanswered */
    uint32_t reply_plain_bytes;
};

struct sy_client {
    sy_session *session; /* NULL: free */
    uint64_t serial;     /* never reused */
    uint64_t started_ns, heard_ns;
    bool vouched;         /* it is known whose it is */
    uint32_t outstanding; /* waiters of both lists */
    struct sy_waiter_list unanswered, answered;
    uint64_t answered_bytes;
    /* Replies on their way: total bytes sent up to and with each of the last counters. */
    uint64_t sent_frames; /* also the next counter */
    uint64_t acked_frames;
    uint64_t sent_bytes[SY_REPLY_WINDOW_FRAMES];
    uint64_t progress_ns; /* the last acknowledgement, or the first frame after one */
};

struct sy_server_half_open {
    sy_session *session; /* NULL: free */
    uint64_t deadline_ns;
};

struct sy_server {
    sy_arena arena;
    struct sy_server_config limits; /* defaults filled in; pointers unused */
    sy_tls *tls;
    struct sy_sock rep;
    sy_ring *requests; /* of struct sy_request */
    sy_ring *replies;  /* of struct sy_reply */
    pthread_t thread;
    bool thread_started;
    atomic_bool stopping;
    atomic_uint_fast64_t request_bytes;                          /* delivered and not released */
    atomic_uint_fast32_t sessions, half_open_count, outstanding; /* for sy_server_get_info */

    /* The server thread's. */
    struct sy_client *clients; /* sessions_max */
    sy_table by_id;            /* session id, zero-padded -> uint32_t client */
    struct sy_server_half_open *half_open;
    struct sy_waiter *waiters; /* outstanding_max */
    uint32_t free_waiter;      /* list through next */
    uint64_t next_serial;
    uint64_t reply_bytes; /* answered and not sent */
    uint64_t tokens_ns;   /* handshakes that may still be started now, in time */
    uint64_t tick_ns;
    uint64_t broken;
    sy_prng prng;
    struct sy_refuser refuser;
};

/* server_sessions.c */

/* sy_server_on_hello and on_flight take one frame of a handshake. */
void sy_server_on_hello(sy_server *server, const struct sy_frame *frame,
                        const struct sy_route *route, uint64_t now_ns);
void sy_server_on_flight(sy_server *server, const struct sy_frame *frame,
                         const struct sy_route *route, uint64_t now_ns);
/* sy_server_find returns the client with a session id, or NULL. */
struct sy_client *sy_server_find(sy_server *server, const struct sy_session_id *id);
/* sy_server_expire ends idle sessions and late handshakes. */
void sy_server_expire(sy_server *server, uint64_t now_ns);
/* sy_server_end_all ends everything, after the thread. */
void sy_server_end_all(sy_server *server);
/* sy_server_send_plain sends a frame that is not sealed. */
void sy_server_send_plain(sy_server *server, const struct sy_frame *frame,
                          const struct sy_route *route);

/* server_waiters.c */

/* sy_waiter_take makes a waiter of client; NULL: all are in use. */
struct sy_waiter *sy_waiter_take(sy_server *server, struct sy_client *client, uint64_t request_id,
                                 const struct sy_route *route);
/* sy_waiter_find returns client's waiter for a request id, or NULL. */
struct sy_waiter *sy_waiter_find(sy_server *server, const struct sy_client *client,
                                 uint64_t request_id);
/* sy_waiter_of returns the unanswered waiter a token names, or NULL. */
struct sy_waiter *sy_waiter_of(sy_server *server, uint64_t token);
uint64_t sy_waiter_token(const sy_server *server, const struct sy_waiter *waiter);
/* sy_waiter_answer moves a waiter to the answered ones; takes over message. */
void sy_waiter_answer(sy_server *server, struct sy_waiter *waiter, uint8_t *message,
                      uint32_t plain_bytes);
/* sy_waiter_take_reply forgets an answered waiter and hands its reply over. */
uint8_t *sy_waiter_take_reply(sy_server *server, struct sy_waiter *waiter, uint32_t *plain_bytes);
/* sy_waiter_drop forgets a waiter and frees its reply, if any. */
void sy_waiter_drop(sy_server *server, struct sy_waiter *waiter);

/* server_thread.c */

void *sy_server_run(void *server);
/* sy_server_flush sends what waits for client, as far as its window goes. */
void sy_server_flush(sy_server *server, struct sy_client *client, uint64_t now_ns);
/* sy_server_send_sealed seals and sends; takes over message. */
void sy_server_send_sealed(sy_server *server, struct sy_client *client,
                           const struct sy_route *route, uint8_t *message, uint32_t plain_bytes,
                           uint64_t now_ns);
/* sy_server_tell answers at once with a status and no body but retry_ms when it is not 0. */
void sy_server_tell(sy_server *server, struct sy_client *client, const struct sy_route *route,
                    uint64_t request_id, enum sy_reply_status status, uint32_t retry_ms,
                    uint64_t now_ns);

#endif
