#include "core/net/sock.h"

#include <errno.h>
#include <nanomsg/nn.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/tcp.h>
#include <poll.h>

#include "core/base/address.h"
#include "core/base/assert.h"
#include "core/net/frame.h"

// Room above a frame's limit: routing headers, and over-long frames that are to be seen.
#define RECV_SLACK_BYTES 4096
#define KERNEL_BUFFER_BYTES (4 * 1024 * 1024)
#define RECONNECT_MS 20
#define RECONNECT_MS_MAX 1000

struct kind_traits {
    int domain; // AF_SP_RAW: with a routing header in every message
    int protocol;
    bool receives;
    bool sends;
};

static struct kind_traits traits_of(enum sy_sock_kind kind)
{
    switch (kind) {
    case SY_SOCK_PUSH: return (struct kind_traits){AF_SP, NN_PUSH, false, true};
    case SY_SOCK_PULL: return (struct kind_traits){AF_SP, NN_PULL, true, false};
    case SY_SOCK_REQ: return (struct kind_traits){AF_SP_RAW, NN_REQ, true, true};
    default: return (struct kind_traits){AF_SP_RAW, NN_REP, true, false};
    }
}

static bool set_option(int id, int level, int option, int value)
{
    return nn_setsockopt(id, level, option, &value, sizeof value) == 0;
}

static bool get_fd(int *fd, int id, int option)
{
    size_t size = sizeof *fd;
    return nn_getsockopt(id, NN_SOL_SOCKET, option, fd, &size) == 0;
}

static bool configure(struct sy_sock *sock, struct kind_traits traits)
{
    int id = sock->id;
    int recv_max = (int)SY_FRAME_BYTES_MAX + RECV_SLACK_BYTES;
    return set_option(id, NN_SOL_SOCKET, NN_RCVMAXSIZE, recv_max) &&
           set_option(id, NN_SOL_SOCKET, NN_SNDBUF, KERNEL_BUFFER_BYTES) &&
           set_option(id, NN_SOL_SOCKET, NN_RCVBUF, KERNEL_BUFFER_BYTES) &&
           set_option(id, NN_SOL_SOCKET, NN_RECONNECT_IVL, RECONNECT_MS) &&
           set_option(id, NN_SOL_SOCKET, NN_RECONNECT_IVL_MAX, RECONNECT_MS_MAX) &&
           set_option(id, NN_TCP, NN_TCP_NODELAY, 1) &&
           (!traits.receives || get_fd(&sock->recv_fd, id, NN_RCVFD)) &&
           (!traits.sends || get_fd(&sock->send_fd, id, NN_SNDFD));
}

static sy_status open_sock(struct sy_sock *sock, enum sy_sock_kind kind, struct sy_error *err)
{
    struct kind_traits traits = traits_of(kind);
    *sock = (struct sy_sock){-1, kind, -1, -1};
    sock->id = nn_socket(traits.domain, traits.protocol);
    if (sock->id < 0) {
        return sy_fail(err, SY_ERR_NO_MEMORY,
                       "nanomsg cannot open another socket: %s; raise the limit of open files "
                       "(ulimit -n)",
                       nn_strerror(nn_errno()));
    }
    if (configure(sock, traits)) return SY_OK;
    sy_status status =
        sy_fail(err, SY_ERR_NETWORK, "nanomsg refused a setting: %s", nn_strerror(nn_errno()));
    sy_sock_close(sock);
    return status;
}

static const char *advise_bind(int reason)
{
    if (reason == EADDRINUSE) {
        return "another process listens there: stop it or configure another port";
    }
    if (reason == EADDRNOTAVAIL) return "no interface of this machine has that address";
    if (reason == EACCES) return "ports below 1024 need a privilege: configure another port";
    return "configure another address";
}

sy_status sy_sock_bind(struct sy_sock *sock, enum sy_sock_kind kind, const char *address,
                       const char *purpose, struct sy_error *err)
{
    *sock = (struct sy_sock){-1, kind, -1, -1};
    SY_TRY(sy_address_parse(NULL, address, err));
    SY_TRY(open_sock(sock, kind, err));
    if (nn_bind(sock->id, address) >= 0) return SY_OK;
    int reason = nn_errno();
    sy_sock_close(sock);
    return sy_fail(err, SY_ERR_NETWORK, "cannot listen on %s for %s: %s; %s", address, purpose,
                   nn_strerror(reason), advise_bind(reason));
}

sy_status sy_sock_connect(struct sy_sock *sock, enum sy_sock_kind kind, const char *address,
                          struct sy_error *err)
{
    *sock = (struct sy_sock){-1, kind, -1, -1};
    SY_TRY(sy_address_parse(NULL, address, err));
    SY_TRY(open_sock(sock, kind, err));
    if (nn_connect(sock->id, address) >= 0) return SY_OK;
    int reason = nn_errno();
    sy_sock_close(sock);
    return sy_fail(err, SY_ERR_NETWORK, "cannot connect to %s: %s", address, nn_strerror(reason));
}

void sy_sock_close(struct sy_sock *sock)
{
    if (sock->id < 0) return;
    int failed;
    do {
        failed = nn_close(sock->id);
    } while (failed && nn_errno() == EINTR);
    *sock = (struct sy_sock){-1, sock->kind, -1, -1};
}

uint8_t *sy_message_new(size_t size)
{
    return nn_allocmsg(size, 0);
}

void sy_message_free(uint8_t *data)
{
    if (!data) return;
    int failed = nn_freemsg(data);
    SY_ASSERT(!failed);
}

// Copies the routing header out of nanomsg's control data, which is freed.
static bool take_route(struct sy_route *route, void *control)
{
    bool found = false;
    if (!control) return false;
    const struct nn_cmsghdr *header = control;
    const uint8_t *data = NN_CMSG_DATA(header);
    size_t room = header->cmsg_len - NN_CMSG_LEN(0);
    size_t size = 0;
    memset(route, 0, sizeof *route);
    if (header->cmsg_level == PROTO_SP && header->cmsg_type == SP_HDR && room >= sizeof size) {
        memcpy(&size, data, sizeof size);
        // A REQ sees its request id, a REP the connection's key before it. Anything longer came
        // through a device, which systole does not use.
        if ((size == 4 || size == 8) && size <= room - sizeof size) {
            memcpy(route->bytes + 8 - size, data + sizeof size, size);
            found = true;
        }
    }
    sy_message_free(control);
    return found;
}

static bool is_routed(const struct sy_sock *sock)
{
    return traits_of(sock->kind).domain == AF_SP_RAW;
}

sy_status sy_sock_recv(struct sy_sock *sock, struct sy_message *message)
{
    void *body = NULL;
    void *control = NULL;
    struct nn_iovec iov = {&body, NN_MSG};
    struct nn_msghdr header = {&iov, 1, &control, NN_MSG};
    bool routed = is_routed(sock);
    memset(message, 0, sizeof *message);
    int size = routed ? nn_recvmsg(sock->id, &header, NN_DONTWAIT)
                      : nn_recv(sock->id, &body, NN_MSG, NN_DONTWAIT);
    if (size < 0) return SY_ERR_NOT_FOUND;
    message->data = body;
    message->size = (size_t)size;
    if (!routed || take_route(&message->route, control)) return SY_OK;
    sy_message_free(body);
    message->data = NULL;
    return SY_ERR_FORMAT;
}

// Sends with the routing header that a raw socket needs.
static int send_routed(struct sy_sock *sock, void *body, const struct sy_route *route)
{
    size_t size = sock->kind == SY_SOCK_REQ ? 4 : sizeof route->bytes;
    // A union, so that the buffer is aligned as the header inside it must be.
    union {
        struct nn_cmsghdr header;
        uint8_t bytes[NN_CMSG_SPACE(sizeof(size_t) + sizeof route->bytes)];
    } control;
    memset(&control, 0, sizeof control);
    control.header.cmsg_len = NN_CMSG_LEN(sizeof size + size);
    control.header.cmsg_level = PROTO_SP;
    control.header.cmsg_type = SP_HDR;
    memcpy(NN_CMSG_DATA(&control.header), &size, sizeof size);
    memcpy(NN_CMSG_DATA(&control.header) + sizeof size, route->bytes + sizeof route->bytes - size,
           size);
    struct nn_iovec iov = {&body, NN_MSG};
    struct nn_msghdr header = {&iov, 1, &control, NN_CMSG_SPACE(sizeof size + size)};
    return nn_sendmsg(sock->id, &header, NN_DONTWAIT);
}

sy_status sy_sock_send(struct sy_sock *sock, uint8_t *data, const struct sy_route *route)
{
    void *body = data;
    SY_ASSERT((route != NULL) == is_routed(sock));
    int sent =
        route ? send_routed(sock, body, route) : nn_send(sock->id, &body, NN_MSG, NN_DONTWAIT);
    return sent < 0 ? SY_ERR_BUSY : SY_OK;
}

bool sy_sock_can_send(const struct sy_sock *sock)
{
    struct pollfd poll_fd = {.fd = sock->send_fd, .events = POLLIN};
    return sock->id >= 0 && poll(&poll_fd, 1, 0) == 1;
}

uint64_t sy_sock_broken(const struct sy_sock *sock)
{
    return sock->id < 0 ? 0 : nn_get_statistic(sock->id, NN_STAT_BROKEN_CONNECTIONS);
}
