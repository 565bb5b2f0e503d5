#include "bench/lan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/base/prng.h"
#include "core/base/thread.h"

#define NETWORK 0x0a4d0000u /* 10.77.0.0/24; host i has the address i + 1 in it */
#define NETMASK 0xffffff00u
#define MTU 1500u
#define IP_HEADER_BYTES 20
#define WAITING_MAX 4096u /* packets under way that are delayed; more are lost, as in a router */
#define QUEUE_PACKETS 4096

struct packet {
    uint64_t due_ns;
    uint16_t to;
    uint16_t bytes;
    uint8_t data[MTU];
};

struct sy_lan {
    unsigned hosts;
    int tun[SY_LAN_HOSTS_MAX];
    int space[SY_LAN_HOSTS_MAX]; /* the namespaces */
    int wake;
    atomic_bool stop;
    bool running;
    pthread_t thread;
    pthread_mutex_t lock; /* ways, counts */
    struct sy_lan_way ways[SY_LAN_HOSTS_MAX][SY_LAN_HOSTS_MAX];
    struct sy_lan_counts counts;
    /* The switch's alone. heap[0 .. waiting) are the packets under way, the next due on top; the
     * rest of heap are free ones. */
    sy_prng prng;
    struct packet *heap[WAITING_MAX];
    struct packet *packets;
    unsigned waiting;
};

/* ---- hosts ------------------------------------------------------------------------------- */

void sy_lan_address(char out[SY_LAN_ADDRESS_BYTES], unsigned host)
{
    struct in_addr address = {.s_addr = htonl(NETWORK + host + 1)};
    const char *text = inet_ntop(AF_INET, &address, out, SY_LAN_ADDRESS_BYTES);
    SY_ASSERT(text != NULL);
}

static void set_address(struct ifreq *request, uint32_t address)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(address)}};
    memcpy(&request->ifr_addr, &in, sizeof in);
}

static bool raise_device(int fd, const char *name)
{
    struct ifreq up = {.ifr_flags = IFF_UP | IFF_RUNNING};
    snprintf(up.ifr_name, sizeof up.ifr_name, "%s", name);
    return ioctl(fd, SIOCSIFFLAGS, &up) == 0;
}

static bool configure(int fd, const char *name, unsigned host)
{
    struct ifreq request = {.ifr_flags = 0};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    set_address(&request, NETWORK + host + 1);
    if (ioctl(fd, SIOCSIFADDR, &request) != 0) return false;
    set_address(&request, NETMASK);
    if (ioctl(fd, SIOCSIFNETMASK, &request) != 0) return false;
    request.ifr_qlen = QUEUE_PACKETS;
    if (ioctl(fd, SIOCSIFTXQLEN, &request) != 0) return false;
    return raise_device(fd, name);
}

/* In a fresh namespace: a device, which is all that leads out of it. */
static sy_status make_device(sy_lan *lan, unsigned host, struct sy_error *err)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    lan->tun[host] = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (lan->tun[host] < 0) {
        return sy_fail(err, sy_os_status(errno), "/dev/net/tun: %s", strerror(errno));
    }
    snprintf(request.ifr_name, sizeof request.ifr_name, "lan0");
    if (ioctl(lan->tun[host], TUNSETIFF, &request) != 0) {
        return sy_fail(err, sy_os_status(errno), "a TUN device cannot be made: %s",
                       strerror(errno));
    }
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool done = fd >= 0 && configure(fd, request.ifr_name, host);
    int reason = errno;
    if (fd >= 0) close(fd);
    if (done) return SY_OK;
    return sy_fail(err, sy_os_status(reason), "a TUN device cannot be set up: %s",
                   strerror(reason));
}

/* First of all: who can get no further, nor back, still has 127.0.0.1. */
static sy_status raise_loopback(struct sy_error *err)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool done = fd >= 0 && raise_device(fd, "lo");
    int reason = errno;
    if (fd >= 0) close(fd);
    if (done) return SY_OK;
    return sy_fail(err, sy_os_status(reason), "the loopback device cannot be set up: %s",
                   strerror(reason));
}

static sy_status make_host(sy_lan *lan, unsigned host, struct sy_error *err)
{
    if (unshare(CLONE_NEWNET) != 0) {
        return sy_fail(err, sy_os_status(errno), "a network namespace cannot be made: %s",
                       strerror(errno));
    }
    SY_TRY(raise_loopback(err));
    SY_TRY(make_device(lan, host, err));
    lan->space[host] = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (lan->space[host] >= 0) return SY_OK;
    return sy_fail(err, sy_os_status(errno), "/proc/thread-self/ns/net: %s", strerror(errno));
}

bool sy_lan_enter(const sy_lan *lan, unsigned host)
{
    return host < lan->hosts && setns(lan->space[host], CLONE_NEWNET) == 0;
}

/* ---- packets under way ------------------------------------------------------------------- */

static void swap(sy_lan *lan, unsigned a, unsigned b)
{
    struct packet *kept = lan->heap[a];
    lan->heap[a] = lan->heap[b];
    lan->heap[b] = kept;
}

static void rise(sy_lan *lan)
{
    unsigned at = lan->waiting++;
    while (at > 0 && lan->heap[at]->due_ns < lan->heap[(at - 1) / 2]->due_ns) {
        swap(lan, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}

static void sink(sy_lan *lan)
{
    unsigned at = 0;
    swap(lan, 0, --lan->waiting);
    for (;;) {
        unsigned least = at;
        for (unsigned child = 2 * at + 1; child <= 2 * at + 2; child++) {
            if (child < lan->waiting && lan->heap[child]->due_ns < lan->heap[least]->due_ns) {
                least = child;
            }
        }
        if (least == at) return;
        swap(lan, at, least);
        at = least;
    }
}

static void hand_over(sy_lan *lan, unsigned to, const uint8_t *data, size_t bytes)
{
    /* What a host does not take is lost, as on a wire. */
    ssize_t ignored = write(lan->tun[to], data, bytes);
    (void)ignored;
}

static void deliver_due(sy_lan *lan, uint64_t now_ns)
{
    while (lan->waiting > 0 && lan->heap[0]->due_ns <= now_ns) {
        hand_over(lan, lan->heap[0]->to, lan->heap[0]->data, lan->heap[0]->bytes);
        sink(lan);
    }
}

static int wait_ms(const sy_lan *lan, uint64_t now_ns)
{
    if (lan->waiting == 0) return -1;
    uint64_t due_ns = lan->heap[0]->due_ns;
    return due_ns <= now_ns ? 0 : (int)((due_ns - now_ns) / 1000000) + 1;
}

/* ---- the switch -------------------------------------------------------------------------- */

/* False: the packet ends here. */
static bool may_pass(sy_lan *lan, struct sy_lan_way *way, unsigned from, unsigned to)
{
    pthread_mutex_lock(&lan->lock);
    *way = lan->ways[from][to];
    bool lost = !way->cut && sy_prng_chance(&lan->prng, way->lost_per_mille, 1000);
    bool late = way->delay_ms + way->jitter_ms > 0;
    bool passes = !way->cut && !lost && !(late && lan->waiting == WAITING_MAX);
    lan->counts.cut += way->cut;
    lan->counts.lost += !way->cut && !passes;
    lan->counts.passed += passes;
    lan->counts.delayed += passes && late;
    pthread_mutex_unlock(&lan->lock);
    return passes;
}

static void forward(sy_lan *lan, unsigned from, const uint8_t *data, size_t bytes, uint64_t now_ns)
{
    uint32_t address;
    if (bytes < IP_HEADER_BYTES || data[0] >> 4 != 4) return;
    memcpy(&address, data + 16, sizeof address);
    unsigned to = ntohl(address) - NETWORK - 1;
    struct sy_lan_way way;
    if (to >= lan->hosts || !may_pass(lan, &way, from, to)) return;
    if (way.delay_ms + way.jitter_ms == 0) {
        hand_over(lan, to, data, bytes);
        return;
    }
    struct packet *packet = lan->heap[lan->waiting];
    uint64_t late_ms = way.delay_ms + sy_prng_below(&lan->prng, way.jitter_ms + 1);
    packet->due_ns = now_ns + late_ms * 1000000;
    packet->to = (uint16_t)to;
    packet->bytes = (uint16_t)bytes;
    memcpy(packet->data, data, bytes);
    rise(lan);
}

static void *run_switch(void *self)
{
    sy_lan *lan = (sy_lan *)self;
    struct pollfd fds[SY_LAN_HOSTS_MAX + 1];
    for (unsigned i = 0; i < lan->hosts; i++) {
        fds[i] = (struct pollfd){.fd = lan->tun[i], .events = POLLIN};
    }
    fds[lan->hosts] = (struct pollfd){.fd = lan->wake, .events = POLLIN};
    while (!atomic_load(&lan->stop)) {
        (void)poll(fds, lan->hosts + 1, wait_ms(lan, sy_os_monotonic_ns()));
        uint64_t now_ns = sy_os_monotonic_ns();
        for (unsigned i = 0; i < lan->hosts; i++) {
            uint8_t data[MTU];
            ssize_t bytes = fds[i].revents & POLLIN ? read(lan->tun[i], data, sizeof data) : 0;
            if (bytes > 0) forward(lan, i, data, (size_t)bytes, now_ns);
        }
        deliver_due(lan, now_ns);
    }
    return NULL;
}

/* ---- life -------------------------------------------------------------------------------- */

static sy_status open_parts(sy_lan *lan, uint64_t seed, struct sy_error *err)
{
    for (unsigned i = 0; i < lan->hosts; i++) SY_TRY(make_host(lan, i, err));
    lan->wake = eventfd(0, EFD_CLOEXEC);
    lan->packets = (struct packet *)calloc(WAITING_MAX, sizeof(struct packet));
    if (lan->wake < 0 || lan->packets == NULL) {
        return sy_fail(err, SY_ERR_NO_MEMORY, "lan: no memory");
    }
    for (unsigned i = 0; i < WAITING_MAX; i++) lan->heap[i] = &lan->packets[i];
    sy_prng_seed(&lan->prng, seed);
    SY_TRY(sy_thread_start(&lan->thread, "switch", run_switch, lan, err));
    lan->running = true;
    return SY_OK;
}

sy_status sy_lan_open(sy_lan **out, unsigned hosts, uint64_t seed, struct sy_error *err)
{
    SY_ASSERT(hosts > 0 && hosts <= SY_LAN_HOSTS_MAX);
    sy_lan *lan = (sy_lan *)calloc(1, sizeof *lan);
    if (lan == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "lan: no memory");
    lan->hosts = hosts;
    lan->wake = -1;
    for (unsigned i = 0; i < hosts; i++) lan->tun[i] = lan->space[i] = -1;
    int failed = pthread_mutex_init(&lan->lock, NULL);
    SY_ASSERT(failed == 0);
    int before = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    sy_status status = open_parts(lan, seed, err);
    if (status != SY_OK) {
        sy_lan_close(lan);
        if (before >= 0) (void)setns(before, CLONE_NEWNET);
    } else {
        *out = lan;
    }
    if (before >= 0) close(before);
    return status;
}

void sy_lan_close(sy_lan *lan)
{
    if (lan == NULL) return;
    if (lan->running) {
        uint64_t one = 1;
        atomic_store(&lan->stop, true);
        ssize_t written = write(lan->wake, &one, sizeof one);
        SY_ASSERT(written == sizeof one);
        sy_thread_join(lan->thread);
    }
    for (unsigned i = 0; i < lan->hosts; i++) {
        if (lan->tun[i] >= 0) close(lan->tun[i]);
        if (lan->space[i] >= 0) close(lan->space[i]);
    }
    if (lan->wake >= 0) close(lan->wake);
    free(lan->packets);
    pthread_mutex_destroy(&lan->lock);
    free(lan);
}

void sy_lan_set(sy_lan *lan, unsigned from, unsigned to, const struct sy_lan_way *way)
{
    SY_ASSERT(from < lan->hosts && to < lan->hosts);
    pthread_mutex_lock(&lan->lock);
    lan->ways[from][to] = *way;
    pthread_mutex_unlock(&lan->lock);
}

void sy_lan_count(sy_lan *lan, struct sy_lan_counts *counts)
{
    pthread_mutex_lock(&lan->lock);
    *counts = lan->counts;
    pthread_mutex_unlock(&lan->lock);
}
