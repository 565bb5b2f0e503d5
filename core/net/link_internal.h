/* link_internal.h: what the parts of link.h's implementation share.
 *
 *   link.c         open, close, send, recv: what other threads call
 *   link_peers.c   the peers' slots: their sockets, queues and place in the roster
 *   link_shake.c   handshakes: who starts, when again, what displaces what
 *   link_thread.c  the links thread: receive, send, timers
 *
 * A peer has a slot for as long as it is in the list; its place in the list (the index that users
 * see) may change. `lock` guards what other threads see: slots' queues and places, and requests to
 * the thread. Sockets and sessions are the thread's alone. Internal to core/net. */
#ifndef SY_NET_LINK_INTERNAL_H
#define SY_NET_LINK_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/base/arena.h"
#include "core/base/assert.h"
#include "core/base/prng.h"
#include "core/base/ring.h"
#include "core/net/link.h"
#include "core/net/refuse.h"
#include "core/net/sock.h"

#define SY_MS_NS UINT64_C(1000000)

#define SY_LINK_CHANNELS 2u /* CONTROL and BULK */
#define SY_HALF_OPEN_MAX 16u
#define SY_HALF_OPEN_NS (5000 * SY_MS_NS)
#define SY_NO_PLACE UINT32_MAX

/* A payload on its way out: a whole frame, the plaintext in place. */
struct sy_parcel {
    uint8_t *message;
    uint64_t queued_ns;
    uint32_t plain_bytes;
    bool sealed; /* under a session already: the very same bytes are tried again */
};

struct sy_outbox {
    struct sy_parcel *parcels; /* a ring */
    uint32_t head;
    uint32_t count;
    uint64_t bytes;
};

struct sy_half_open {
    sy_session *session; /* NULL: free */
    uint64_t deadline_ns;
};

struct sy_link_slot {
    /* Guarded by lock. */
    bool used;
    uint32_t place;      /* index in the list, SY_NO_PLACE once removed */
    uint32_t generation; /* counts the slot's tenants */
    struct sy_outbox outboxes[SY_LINK_CHANNELS];
    struct sy_link_peer_state state;
    bool wants_flap;

    /* Received and not released yet. */
    atomic_uint_fast32_t inbox_frames[SY_LINK_CHANNELS];
    atomic_uint_fast64_t inbox_bytes[SY_LINK_CHANNELS];

    /* The links thread's. */
    struct sy_link_peer peer;
    bool initiator; /* this validator starts the handshakes */
    struct sy_sock socks[SY_LINK_CHANNELS];
    uint64_t reconnect_ns;          /* closed ones are not opened again before */
    bool blocked[SY_LINK_CHANNELS]; /* the socket took no more: wait for its send_fd */
    sy_session *current;            /* sends; the peer has shown that it has the keys */
    sy_session *previous;           /* still receives for a while */
    sy_session *next;               /* handshaking (initiator), or established and unconfirmed */
    uint64_t previous_until_ns;
    uint64_t next_until_ns;
    uint64_t current_since_ns;
    uint64_t heard_ns;   /* the last valid frame under current */
    uint64_t sent_ns;    /* the last frame sent under current */
    uint64_t attempt_ns; /* not before: start a handshake, or knock */
    uint64_t started_ns; /* when the last handshake was started */
    uint32_t attempts;   /* in a row without success */
    struct sy_half_open half_open[SY_HALF_OPEN_MAX];
    uint64_t tokens_ns; /* handshakes the peer may still start now, in time */
};

/* A change of the list that waits for the thread. */
struct sy_link_change {
    bool pending;
    struct sy_link_peer *peers; /* peers_max of room */
    uint32_t count;
    uint32_t me;
};

struct sy_link {
    sy_arena arena;
    sy_tls *tls;
    struct sy_public_key key;
    uint32_t peers_max;
    uint32_t frames_max[SY_LINK_CHANNELS];
    uint64_t bytes_max[SY_LINK_CHANNELS];
    uint64_t rekey_frames;
    uint64_t rekey_ns;
    struct sy_sock pulls[SY_LINK_CHANNELS];
    sy_ring *rings[SY_LINK_CHANNELS]; /* of struct sy_link_frame */
    int epoll_fd;                     /* over both rings */
    int wake_fd;
    pthread_t thread;
    bool thread_started;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* a change was applied */
    bool stopping;
    bool woken; /* wake_fd was written and not read yet */
    struct sy_link_change change;
    struct sy_link_slot *slots; /* peers_max */
    uint32_t *places;           /* list index -> slot, SY_NO_PLACE for this validator */
    uint32_t place_count;

    /* The links thread's. */
    sy_prng prng;
    struct sy_refuser refuser;
    uint64_t broken[SY_LINK_CHANNELS];
    uint64_t tick_ns; /* when timers are looked at next */
    struct pollfd *polls;
};

static inline void sy_link_lock(sy_link *link)
{
    int failed = pthread_mutex_lock(&link->lock);
    SY_ASSERT(!failed);
}

static inline void sy_link_unlock(sy_link *link)
{
    int failed = pthread_mutex_unlock(&link->lock);
    SY_ASSERT(!failed);
}

/* link_peers.c */

/* sy_link_check_peers refuses a list that could not work: addresses, keys twice, too many. */
sy_status sy_link_check_peers(const struct sy_link *link, const struct sy_link_peer *peers,
                              uint32_t count, uint32_t me, struct sy_error *err);
/* sy_link_apply_change takes over a pending list. Links thread, or before it runs. */
void sy_link_apply_change(struct sy_link *link);
/* sy_link_drop_slots ends all slots. After the thread. */
void sy_link_drop_slots(struct sy_link *link);
/* sy_link_reconnect closes and opens the slot's sockets. */
void sy_link_reconnect(struct sy_link_slot *slot);
/* sy_link_find_key returns the slot of a link key, or NULL. */
struct sy_link_slot *sy_link_find_key(struct sy_link *link, const struct sy_public_key *key);
/* sy_link_pop_parcel removes the oldest parcel; under lock. The message stays the caller's. */
void sy_link_pop_parcel(struct sy_outbox *outbox, uint32_t frames_max);

/* link_shake.c */

/* sy_link_on_hello, on_flight, on_knock take one frame of a handshake. */
void sy_link_on_hello(struct sy_link *link, const struct sy_frame *frame, uint64_t now_ns);
void sy_link_on_flight(struct sy_link *link, const struct sy_frame *frame, uint64_t now_ns);
void sy_link_on_knock(struct sy_link *link, const struct sy_frame *frame, uint64_t now_ns);
/* sy_link_heard notes a valid frame under session, which may confirm it. */
void sy_link_heard(struct sy_link *link, struct sy_link_slot *slot, const sy_session *session,
                   uint64_t now_ns);
/* sy_link_tend looks at a slot's timers: handshakes to start, end and repeat, pings. */
void sy_link_tend(struct sy_link *link, struct sy_link_slot *slot, uint64_t now_ns);
/* sy_link_end_sessions closes everything a slot has with its peer. */
void sy_link_end_sessions(struct sy_link_slot *slot);
/* sy_link_ping sends a sign of life under session. */
void sy_link_ping(struct sy_link_slot *slot, sy_session *session, uint64_t now_ns);

/* link_thread.c */

void *sy_link_run(void *link);

#endif
