/* refuse.h: what the network tries on us, counted by reason and logged without flooding the log.
 * Internal to core/net. */
#ifndef SY_NET_REFUSE_H
#define SY_NET_REFUSE_H

#include <stdint.h>

#include "core/base/telemetry.h"

enum sy_net_reason {
    SY_NET_GARBAGE,         /* not a frame of any known version and type */
    SY_NET_OVERLONG,        /* longer than a frame may be */
    SY_NET_UNKNOWN_SESSION, /* a session id nobody agreed on, or an old one */
    SY_NET_FORGED,          /* a known session's id, but not sealed by its keys */
    SY_NET_REPLAYED,        /* a frame seen before */
    SY_NET_STRANGER,        /* a handshake in the name of a key that is in no roster */
    SY_NET_WRONG_KEY,       /* a handshake that proved another key than the pinned one */
    SY_NET_BAD_HANDSHAKE,   /* a handshake that is not TLS 1.3 as agreed */
    SY_NET_TIMED_OUT,       /* a handshake not finished in time */
    SY_NET_EVICTED,         /* a half-open handshake that made room for another */
    SY_NET_LIMITED,         /* above a limit of handshakes, sessions or requests */
    SY_NET_BROKEN,     /* an incoming connection that ended, over-long messages among the causes */
    SY_NET_QUEUE_FULL, /* own frames dropped: the peer's send queue is full */
    SY_NET_STALE,      /* own frames dropped: they waited too long for a session */
    SY_NET_INBOX_FULL, /* a peer's frames dropped: it is ahead of our consumer */
    SY_NET_REASON_COUNT
};

/* A zeroed refuser is ready. It belongs to one thread. */
struct sy_refuser {
    const char *where; /* "link", "server", "dial" */
    uint64_t last_log_ns[SY_NET_REASON_COUNT];
    uint64_t unlogged[SY_NET_REASON_COUNT];
};

/* sy_net_refuse counts one refusal, and logs a line if a second passed since this reason's last
 * one; the line says how many went unlogged in between. peer: a name or address, or NULL. */
void sy_net_refuse(struct sy_refuser *refuser, enum sy_net_reason reason, const char *peer);

/* sy_net_count only counts. Any thread. */
void sy_net_count(enum sy_net_reason reason, uint64_t amount);

/* sy_net_reason_metric is the counter of a reason; tests read it. */
enum sy_metric sy_net_reason_metric(enum sy_net_reason reason);

#endif
