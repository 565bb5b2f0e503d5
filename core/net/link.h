/* link.h: frames between validators, over nanomsg and TLS 1.3 keys.
 *
 * What a link promises: whole frames from an authenticated peer, at most once, perhaps never, in
 * any order. Sending never blocks. Closing returns. Nothing else: whoever needs more repeats
 * (status messages heal every loss).
 *
 *     sy_link_send --> per peer and channel: bounded queue --+
 *                                                            |  links thread: seal, send; receive,
 *     sy_link_recv <-- per channel: bounded ring <-----------+  unseal; handshakes, rekey, pings
 *
 * A validator binds two PULL sockets (control, bulk) and has two PUSH sockets to each peer. Since
 * nanomsg knows neither peers nor encryption, every frame names a session (session.h).
 *
 * Who starts: of two validators the one whose link key is the smaller number (memcmp) is the TLS
 * client, always. The other one knocks when it wants a session. So two validators that start at
 * once make one session, not two. Handshakes repeat with a jittered, growing pause until the
 * session stands; a session is renewed before its counters or its hour run out, and when nothing
 * valid came under it for SY_LINK_SILENCE_MS. The old session is accepted for a while beside its
 * successor, so renewing loses nothing. A handshake displaces a session only once completed under
 * the pinned key, and a session is only used for sending once the other side has shown by a sealed
 * frame that it has the keys.
 *
 * Two peers may have one address: a validator that was given another link key, under the old one
 * and the new. Whichever runs there is found; the other one's handshakes fail.
 *
 * Strangers: a session id that is not known is dropped before any cryptography. At most 16 half
 * open handshakes a claimed peer, 5 seconds each, a random one makes room for a new one; handshakes
 * a second and a claimed peer are limited. Replies go to the roster's address only. Each refusal
 * has a counter (systole_net_*) and a log line a second at most.
 *
 * Threads: sy_link_send from any; sy_link_recv and sy_link_frame_release from one consumer;
 * sy_link_set_peers, sy_link_flap and sy_link_close from one owner. */
#ifndef SY_NET_LINK_H
#define SY_NET_LINK_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/crypto/keys.h"
#include "core/net/frame.h"
#include "core/net/session.h"

typedef struct sy_link sy_link;

#define SY_LINK_PEERS_MAX 128u
#define SY_LINK_ADDRESS_MAX 128u /* with its terminator: nanomsg's own limit */
#define SY_LINK_NAME_MAX 64u
#define SY_LINK_SILENCE_MS 5000u

/* The largest payload of sy_link_send: one frame of SY_FRAME_BYTES_MAX, sealed. */
#define SY_LINK_PAYLOAD_MAX (SY_FRAME_BYTES_MAX - SY_FRAME_OVERHEAD - 1u)

/* A validator as the roster names it. The node gives the whole roster, itself included: the
 * position in the list is the index by which frames are sent and received. */
struct sy_link_peer {
    char name[SY_LINK_NAME_MAX];       /* for logs */
    struct sy_public_key key;          /* link key */
    char control[SY_LINK_ADDRESS_MAX]; /* "tcp://HOST:PORT" */
    char bulk[SY_LINK_ADDRESS_MAX];
};

struct sy_link_config {
    const sy_secret_key *key; /* own link key; borrowed until close */
    const char *bind_control; /* "tcp://127.0.0.1:27100": where this validator listens */
    const char *bind_bulk;
    const struct sy_link_peer *peers; /* copied */
    uint32_t peer_count;              /* at most SY_LINK_PEERS_MAX */
    uint32_t me;                      /* own index in peers, or UINT32_MAX: in none (observer) */

    uint32_t peers_max; /* the longest list sy_link_set_peers may give; 0: 32 */

    /* Bounds a peer; 0 takes the default. Frames and bytes waiting to be sent, and received
     * frames that the consumer has not released. What goes over is dropped and counted. */
    uint32_t control_frames; /* 2,048 */
    uint32_t control_bytes;  /* 16 MiB */
    uint32_t bulk_frames;    /* 256 */
    uint32_t bulk_bytes;     /* 64 MiB */

    /* Timing, for tests; 0 takes the default. */
    uint64_t rekey_frames; /* 2^31: renew after so many frames */
    uint32_t rekey_ms;     /* 3,600,000: renew after so long */
};

/* A received payload. It stays valid until sy_link_frame_release. */
struct sy_link_frame {
    uint32_t peer;            /* index in the newest list of peers */
    enum sy_channel channel;  /* CONTROL or BULK */
    struct sy_public_key key; /* the peer's link key */
    struct sy_slice payload;  /* empty payloads are delivered too */
    void *message;            /* owned; private to the link */
    uint64_t account;         /* private to the link */
};

/* sy_link_open binds both addresses, starts the links thread and the handshakes, and returns
 * without waiting for any peer. SY_ERR_NETWORK: an address cannot be bound (taken, malformed), err
 * says which and what to do. SY_ERR_ARGUMENT: a peer's address or key is unusable. */
sy_status sy_link_open(sy_link **link, const struct sy_link_config *config, struct sy_error *err);

/* sy_link_close stops the thread, closes the sockets and drops what waits. It returns whatever the
 * peers do. Release received frames first. NULL is fine. */
void sy_link_close(sy_link *link);

/* sy_link_send copies payload into the queue of peer and channel (CONTROL, BULK). Never blocks.
 * SY_ERR_BUSY: the queue is full, the payload is dropped and counted. SY_ERR_LIMIT: longer than
 * SY_LINK_PAYLOAD_MAX. SY_ERR_NOT_FOUND: no such peer, or it is this validator. What waited longer
 * than two seconds for a session is dropped when the session comes. Any thread. */
sy_status sy_link_send(sy_link *link, uint32_t peer, enum sy_channel channel,
                       struct sy_slice payload);

/* sy_link_broadcast sends to the first `count` peers of the list (UINT32_MAX: to all) but not to
 * this validator; full queues are skipped and counted. Returns how many took it. Any thread. */
uint32_t sy_link_broadcast(sy_link *link, uint32_t count, enum sy_channel channel,
                           struct sy_slice payload);

/* sy_link_recv takes the next received frame, control before bulk. False: none waits. The frame
 * must be released. */
bool sy_link_recv(sy_link *link, struct sy_link_frame *out);

/* sy_link_frame_release gives a frame's memory back. */
void sy_link_frame_release(sy_link *link, struct sy_link_frame *frame);

/* sy_link_fd polls readable while frames wait. Do not read it. */
int sy_link_fd(const sy_link *link);

/* sy_link_set_peers replaces the list of peers. Peers that stay (same key and addresses) keep their
 * sessions and queues, whatever their new index. Returns once the links thread works by it. */
sy_status sy_link_set_peers(sy_link *link, const struct sy_link_peer *peers, uint32_t peer_count,
                            uint32_t me, struct sy_error *err);

struct sy_link_peer_state {
    bool established;           /* there is a session that the peer has confirmed */
    uint64_t established_count; /* sessions so far */
    uint64_t last_heard_ns;     /* monotonic; 0: never */
    uint32_t queued_frames;     /* both channels */
};

/* sy_link_peer_state tells how the link to peer stands. False: no such peer. Any thread. */
bool sy_link_get_peer_state(sy_link *link, uint32_t peer, struct sy_link_peer_state *out);

/* sy_link_flap cuts the transport to peer and lets it come back, as a failing network would: what
 * is in flight may be lost. For tests and drills. */
void sy_link_flap(sy_link *link, uint32_t peer);

#endif
