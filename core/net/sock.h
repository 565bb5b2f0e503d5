/* sock.h: the few things that systole asks of nanomsg. sock.c is the only file that includes it.
 *
 * What libnanomsg 1.1.5 does, and what follows from it here:
 *   - PUSH and REQ block while no peer is connected: every send is NN_DONTWAIT, and whoever sends
 *     keeps a bounded queue of its own.
 *   - A message above NN_RCVMAXSIZE ends its connection without a word: the limit is set a little
 *     above a frame's, so that slightly over-long frames are seen, and broken connections are
 *     counted.
 *   - A raw REP drops a reply whose connection is gone or congested: clients ask again.
 *   - What was in flight on a connection that breaks is lost; NN_LINGER does nothing.
 *   - It fixes the kernel's socket buffers instead of letting them grow: they are set to 4 MiB,
 *     which net.core.rmem_max and wmem_max may cut.
 *
 * A sock belongs to one thread at a time. Internal to core/net. */
#ifndef SY_NET_SOCK_H
#define SY_NET_SOCK_H

#include <stdbool.h>

#include "core/base/bytes.h"

enum sy_sock_kind { SY_SOCK_PUSH, SY_SOCK_PULL, SY_SOCK_REQ, SY_SOCK_REP };

struct sy_sock {
    int id; /* nanomsg's; -1: closed */
    enum sy_sock_kind kind;
    int recv_fd; /* polls readable when a message waits; PULL, REQ, REP */
    int send_fd; /* polls readable when a message can be sent; PUSH, REQ */
};

/* The way back to who asked: nanomsg's connection key and the asker's request id. */
struct sy_route {
    uint8_t bytes[8];
};

/* A received message; the bytes are owned by whoever received it, until sy_message_free. */
struct sy_message {
    uint8_t *data;
    size_t size;
    struct sy_route route; /* REP: whole; REQ: the last 4 bytes are the request id */
};

/* sy_sock_bind opens a PULL or REP socket on address. SY_ERR_NETWORK: err names the address, the
 * reason and what to do; `purpose` ("control links") says what it was for. */
sy_status sy_sock_bind(struct sy_sock *sock, enum sy_sock_kind kind, const char *address,
                       const char *purpose, struct sy_error *err);

/* sy_sock_connect opens a PUSH or REQ socket to address; it connects, and connects again, in the
 * background. */
sy_status sy_sock_connect(struct sy_sock *sock, enum sy_sock_kind kind, const char *address,
                          struct sy_error *err);

/* sy_sock_close drops what is in flight. Closed ones are fine. */
void sy_sock_close(struct sy_sock *sock);

/* sy_message_new returns size bytes to fill and send, or NULL. sy_message_free takes what
 * sy_message_new or sy_sock_recv gave; NULL is fine. Any thread. */
uint8_t *sy_message_new(size_t size);
void sy_message_free(uint8_t *data);

/* sy_sock_recv takes the next message. SY_ERR_NOT_FOUND: none waits. SY_ERR_FORMAT: one came with
 * an unusable way back and was dropped. */
sy_status sy_sock_recv(struct sy_sock *sock, struct sy_message *message);

/* sy_sock_send hands over data, which came from sy_message_new, sized as it was made; route is for
 * REQ and REP. SY_ERR_BUSY: not now, data stays the caller's. */
sy_status sy_sock_send(struct sy_sock *sock, uint8_t *data, const struct sy_route *route);

/* sy_sock_can_send says whether a PUSH or REQ socket would take a message now; a closed one would
 * not. */
bool sy_sock_can_send(const struct sy_sock *sock);

/* sy_sock_broken counts connections that broke so far, over-long messages among the causes. */
uint64_t sy_sock_broken(const struct sy_sock *sock);

#endif
