/* server.h: the side of the client protocol that a validator runs.
 *
 * Clients speak request and reply (nanomsg REQ/REP, raw, so that many requests of one client are
 * outstanding at once). A client opens a session by TLS 1.3, pinning this validator's link key;
 * it proves nothing itself: what it may do is decided by the signatures in its requests.
 *
 *     client --REQ--> server thread: session, unseal --> bounded ring --> sy_server_next
 *     client <--REP-- server thread: seal            <-- queue        <-- sy_server_reply
 *
 * A request waits as long as its answer takes; the server keeps the way back with it. nanomsg
 * drops a reply whose connection is gone or congested, so three things keep replies flowing: a
 * session has at most SY_REPLY_WINDOW_BYTES of replies on their way that the client has not
 * acknowledged, further ones wait; clients ask again, under the same request id, when no answer
 * comes; and while a request is unanswered, repeating it only renews the way back. A request may
 * still be delivered twice (its answer was lost): answering it twice must be harmless.
 *
 * Limits: sessions (the one idle for longest makes room when idle for 5 s; else a random one that
 * stood for 5 s without being vouched for, so that strangers cannot take every place), half-open
 * handshakes (a random one makes room), handshakes a second, outstanding requests a session and in
 * all; and once half of these are taken, a session has no more than its part of the other half.
 * Over a limit the client is told "busy" with a time to wait. Garbage is dropped and counted.
 *
 * The plaintext of a DATA frame, from the client: 0: request id (8; 0: acknowledges only), 8: one
 * more than the newest reply counter received (8), 16: body. From the server: 0: request id (8; 0:
 * the session stands), 8: status (1, enum sy_reply_status), 9: body, or retry_ms (4) when busy.
 *
 * Threads: sy_server_next from one consumer; sy_server_reply from any one thread at a time. */
#ifndef SY_NET_SERVER_H
#define SY_NET_SERVER_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/crypto/keys.h"
#include "core/net/frame.h"

typedef struct sy_server sy_server;

enum sy_reply_status { SY_REPLY_OK = 0, SY_REPLY_BUSY = 1 };

#define SY_REQUEST_HEAD 16u
#define SY_REPLY_HEAD 9u
#define SY_SERVER_REQUEST_MAX (SY_FRAME_BYTES_MAX - SY_FRAME_OVERHEAD - SY_REQUEST_HEAD)
#define SY_SERVER_REPLY_MAX (SY_FRAME_BYTES_MAX - SY_FRAME_OVERHEAD - SY_REPLY_HEAD)

/* Unacknowledged replies of one session: below what kernels buffer for a connection by default. */
#define SY_REPLY_WINDOW_BYTES (128u * 1024u)
#define SY_REPLY_WINDOW_FRAMES 64u

struct sy_server_config {
    const sy_secret_key *key; /* the validator's link key; borrowed until close */
    const char *bind;         /* "tcp://127.0.0.1:27102" */
    /* 0 takes the default. */
    uint32_t sessions_max;            /* 1,024 */
    uint32_t half_open_max;           /* 64 */
    uint32_t handshakes_per_s;        /* 500 */
    uint32_t outstanding_max;         /* 8,192 requests in all */
    uint32_t outstanding_per_session; /* 256 */
    uint64_t request_bytes_max;       /* 128 MiB of request bodies not released yet */
    uint64_t reply_bytes_max;         /* 256 MiB of replies that wait to be sent */
    uint32_t idle_ms;                 /* 120,000 */
    uint32_t stranger_ms;             /* 5,000: so long a session that nobody vouched for is safe */
};

/* A request. `token` names it until it is answered; `session` is the same for all requests of one
 * client session and never reused while the server runs. The body stays valid until
 * sy_server_release, which may come before or after the reply. */
struct sy_request {
    uint64_t token;
    uint64_t session;
    struct sy_slice body;
    void *message;    /* owned; private to the server */
    uint64_t account; /* private to the server */
};

/* sy_server_open binds and starts the server thread. SY_ERR_NETWORK: the address is taken or
 * malformed; err says which and what to do. */
sy_status sy_server_open(sy_server **server, const struct sy_server_config *config,
                         struct sy_error *err);

/* sy_server_close stops; unanswered requests are forgotten, their clients ask elsewhere. Release
 * requests first. NULL is fine. */
void sy_server_close(sy_server *server);

/* sy_server_next takes the oldest request. False: none waits. */
bool sy_server_next(sy_server *server, struct sy_request *out);

/* sy_server_release gives the body's memory back. */
void sy_server_release(sy_server *server, struct sy_request *request);

/* sy_server_fd polls readable while requests wait. Do not read it. */
int sy_server_fd(const sy_server *server);

/* sy_server_reply answers the request named by token, once, with a copy of body. A token that is
 * not outstanding (answered, or its session ended) is counted and ignored: SY_OK. SY_ERR_LIMIT:
 * body is longer than SY_SERVER_REPLY_MAX; the request stays unanswered. SY_ERR_CLOSED: the server
 * is closing. */
sy_status sy_server_reply(sy_server *server, uint64_t token, struct sy_slice body);

/* sy_server_vouch says of an unanswered request that whoever sent it is known: the session makes no
 * room for others' as long as it is in use. */
void sy_server_vouch(sy_server *server, uint64_t token);

/* sy_server_reply_busy answers "try again in retry_ms". */
sy_status sy_server_reply_busy(sy_server *server, uint64_t token, uint32_t retry_ms);

struct sy_server_info {
    uint32_t sessions;
    uint32_t half_open;
    uint32_t outstanding;
};
void sy_server_get_info(sy_server *server, struct sy_server_info *out);

#endif
