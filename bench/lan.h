/* lan.h: a network for real processes on one machine, whose every way can be cut or made bad.
 *
 * Each host is a network namespace of its own with one TUN device; a thread of this process is the
 * switch between them. It loses, delays and drops packets as told, for each ordered pair of hosts.
 * Nothing of it is reachable from outside, and all of it ends with the process. It needs the right
 * to make network namespaces and /dev/net/tun, but neither tc nor netem. */
#ifndef SY_BENCH_LAN_H
#define SY_BENCH_LAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

#define SY_LAN_HOSTS_MAX 101u
#define SY_LAN_ADDRESS_BYTES 16u

typedef struct sy_lan sy_lan;

/* One way, from one host to another. All zero: every packet arrives at once. */
struct sy_lan_way {
    bool cut;
    uint32_t lost_per_mille;
    uint32_t delay_ms;
    uint32_t jitter_ms; /* up to so much more; packets may overtake each other */
};

struct sy_lan_counts {
    uint64_t passed;
    uint64_t cut;
    uint64_t lost;
    uint64_t delayed; /* and passed, too */
};

/* sy_lan_open makes the hosts and starts the switch. The calling thread, and with it every thread
 * that it starts later, becomes the last host; call it while there is no other thread. seed draws
 * what is lost. SY_ERR_PERMISSION, SY_ERR_NOT_FOUND (the system has no TUN): err says what is
 * missing; the thread is then back where it was or, where it may not go back, in a namespace of its
 * own that has 127.0.0.1. */
sy_status sy_lan_open(sy_lan **lan, unsigned hosts, uint64_t seed, struct sy_error *err);

/* sy_lan_close stops the switch; the thread stays in its namespace, alone. NULL is fine. */
void sy_lan_close(sy_lan *lan);

/* sy_lan_address writes a host's IPv4 address. */
void sy_lan_address(char out[SY_LAN_ADDRESS_BYTES], unsigned host);

/* sy_lan_enter makes the calling thread that host; false: it cannot. Safe between fork and exec. */
bool sy_lan_enter(const sy_lan *lan, unsigned host);

/* sy_lan_set says what happens from now on to packets between two hosts, one way. Any thread. */
void sy_lan_set(sy_lan *lan, unsigned from, unsigned to, const struct sy_lan_way *way);
void sy_lan_count(sy_lan *lan, struct sy_lan_counts *counts);

#endif
