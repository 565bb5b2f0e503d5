/* links.h: a few validators' links on free loopback ports, for tests. */
#ifndef SY_TESTS_SUPPORT_LINKS_H
#define SY_TESTS_SUPPORT_LINKS_H

#include "core/net/link.h"
#include "core/net/refuse.h"

#define TEST_LINKS_MAX 4u

/* Long enough for a machine that is busy with other things: tests wait for facts, not for times. */
#define TEST_PATIENCE_MS 60000

struct test_links {
    uint32_t count;
    uint16_t base_port;
    sy_secret_key *keys[TEST_LINKS_MAX];
    struct sy_link_peer peers[TEST_LINKS_MAX];
    sy_link *links[TEST_LINKS_MAX];
    struct sy_link_config config; /* limits and timing for links opened from now on */
};

/* test_links_prepare makes keys and a roster on free ports; test_links_open opens one validator's
 * link (from `peers`, or from roster if not NULL), test_links_start all of them. */
void test_links_prepare(struct test_links *net, uint32_t count);
void test_links_open(struct test_links *net, uint32_t index, const struct sy_link_peer *roster);
void test_links_start(struct test_links *net, uint32_t count);
void test_links_stop(struct test_links *net);

/* test_links_wait waits until a and b have a session both ways. */
void test_links_wait(struct test_links *net, uint32_t a, uint32_t b);

/* test_links_take waits for the next frame of link index; false after timeout_ms. */
bool test_links_take(struct test_links *net, uint32_t index, struct sy_link_frame *frame,
                     int timeout_ms);

/* test_links_carry sends text from a to b until it arrives (links may lose frames). Other frames
 * that arrive meanwhile are dropped. */
void test_links_carry(struct test_links *net, uint32_t a, uint32_t b, const char *text);

/* test_count reads a reason's counter. test_wait_count waits until it is at least minimum. */
uint64_t test_count(enum sy_net_reason reason);
void test_wait_count(enum sy_net_reason reason, uint64_t minimum);

/* test_free_ports finds count free ports, each time others, and no other test gets them too. At
 * most 64. */
uint16_t test_free_ports(unsigned count);

#endif
