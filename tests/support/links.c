#include "tests/support/links.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/os.h"
#include "tests/support/test.h"

// Below the ports that systems give to outgoing connections, and away from systole's own default.
#define FIRST_PORT 20000
#define LAST_PORT 26999

// Takes count ports among the tests that run beside this one: a UDP socket on the same number is
// held until the process ends. False, and nothing taken, when another test has one of them.
static bool reserve_ports(uint16_t first, unsigned count)
{
    int fds[64];
    unsigned taken = 0;
    assert_true(count <= sizeof fds / sizeof *fds);
    for (; taken < count; taken++) {
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons((uint16_t)(first + taken)),
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        fds[taken] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert_true(fds[taken] >= 0);
        if (bind(fds[taken], (const struct sockaddr *)&address, sizeof address) != 0) break;
    }
    if (taken == count) return true;
    for (unsigned i = 0; i <= taken; i++) close(fds[i]);
    return false;
}

uint16_t test_free_ports(unsigned count)
{
    static uint16_t next;
    if (next == 0)
        next = (uint16_t)(FIRST_PORT + (unsigned)getpid() * 37u % (LAST_PORT - FIRST_PORT));
    for (int tries = 0; tries < 1000; tries++) {
        uint16_t port = sy_os_free_port(next, count);
        if (port == 0 || port + count > LAST_PORT) {
            next = FIRST_PORT;
            continue;
        }
        next = (uint16_t)(port + count);
        if (reserve_ports(port, count)) return port;
    }
    fail_msg("no %u free ports between %d and %d on 127.0.0.1", count, FIRST_PORT, LAST_PORT);
    return 0;
}

uint64_t test_count(enum sy_net_reason reason)
{
    return sy_metric_get(sy_net_reason_metric(reason));
}

void test_wait_count(enum sy_net_reason reason, uint64_t minimum)
{
    for (int ms = 0; test_count(reason) < minimum; ms += 5) {
        assert_true(ms < TEST_PATIENCE_MS);
        test_sleep_ms(5);
    }
}

void test_links_prepare(struct test_links *net, uint32_t count)
{
    memset(net, 0, sizeof *net);
    net->count = count;
    net->base_port = test_free_ports(2 * count);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_link_peer *peer = &net->peers[i];
        uint8_t seed[32];
        sy_os_random(seed, sizeof seed);
        assert_int_equal(sy_secret_key_from_seed(&net->keys[i], seed), SY_OK);
        sy_secret_key_public(net->keys[i], &peer->key);
        snprintf(peer->name, sizeof peer->name, "v%u", i);
        snprintf(peer->control, sizeof peer->control, "tcp://127.0.0.1:%u", net->base_port + 2 * i);
        snprintf(peer->bulk, sizeof peer->bulk, "tcp://127.0.0.1:%u", net->base_port + 2 * i + 1);
    }
}

void test_links_open(struct test_links *net, uint32_t index, const struct sy_link_peer *roster)
{
    struct sy_error err = {0};
    struct sy_link_config config = net->config;
    config.key = net->keys[index];
    config.bind_control = net->peers[index].control;
    config.bind_bulk = net->peers[index].bulk;
    config.peers = roster ? roster : net->peers;
    config.peer_count = net->count;
    config.me = index;
    sy_status status = sy_link_open(&net->links[index], &config, &err);
    if (status != SY_OK) fail_msg("link %u: %s", index, err.text);
}

void test_links_start(struct test_links *net, uint32_t count)
{
    test_links_prepare(net, count);
    for (uint32_t i = 0; i < count; i++) test_links_open(net, i, NULL);
}

void test_links_stop(struct test_links *net)
{
    for (uint32_t i = 0; i < net->count; i++) {
        sy_link_close(net->links[i]);
        sy_secret_key_close(net->keys[i]);
    }
}

static bool is_up(struct test_links *net, uint32_t a, uint32_t b)
{
    struct sy_link_peer_state state;
    return sy_link_get_peer_state(net->links[a], b, &state) && state.established;
}

void test_links_wait(struct test_links *net, uint32_t a, uint32_t b)
{
    for (int ms = 0; !is_up(net, a, b) || !is_up(net, b, a); ms += 2) {
        assert_true(ms < TEST_PATIENCE_MS);
        test_sleep_ms(2);
    }
}

bool test_links_take(struct test_links *net, uint32_t index, struct sy_link_frame *frame,
                     int timeout_ms)
{
    sy_link *link = net->links[index];
    uint64_t end_ns = sy_os_monotonic_ns() + (uint64_t)timeout_ms * 1000000u;
    while (!sy_link_recv(link, frame)) {
        uint64_t now_ns = sy_os_monotonic_ns();
        if (now_ns >= end_ns) return false;
        struct pollfd poll_fd = {.fd = sy_link_fd(link), .events = POLLIN};
        (void)poll(&poll_fd, 1, (int)((end_ns - now_ns) / 1000000u) + 1);
    }
    return true;
}

void test_links_carry(struct test_links *net, uint32_t a, uint32_t b, const char *text)
{
    size_t size = strlen(text);
    for (int tries = 0; tries < TEST_PATIENCE_MS / 200; tries++) {
        struct sy_link_frame frame;
        (void)!sy_link_send(net->links[a], b, SY_CHANNEL_CONTROL, sy_slice_of(text, size));
        while (test_links_take(net, b, &frame, 200)) {
            bool same = frame.peer == a && frame.payload.size == size &&
                        memcmp(frame.payload.data, text, size) == 0;
            sy_link_frame_release(net->links[b], &frame);
            if (same) return;
        }
    }
    fail_msg("'%s' never arrived from v%u at v%u", text, a, b);
}
