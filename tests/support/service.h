/* service.h: a small service behind a client server, and dials to it, for tests. */
#ifndef SY_TESTS_SUPPORT_SERVICE_H
#define SY_TESTS_SUPPORT_SERVICE_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/net/dial.h"
#include "core/net/server.h"

#define TEST_BIG_BYTES 300000u

/* A service behind a server. The first byte of a request says what is to be done with it:
 *   'B' answer with TEST_BIG_BYTES bytes          'H' hold until release_held is set
 *   'R' wait for eight, answer in reverse    'S' stay silent
 *   'V' vouch for who sent it, and echo      anything else: echo */
struct test_service {
    char address[64];
    sy_secret_key *key;
    struct sy_public_key public_key;
    struct sy_server_config config;
    sy_server *server;
    pthread_t thread;
    atomic_bool stopping;
    atomic_bool release_held;
    atomic_uint delivered, held_total;
    uint64_t held[64];
    uint32_t held_count;
    uint64_t reversed[8];
    uint8_t reversed_names[8];
    uint32_t reversed_count;
};

/* test_service_prepare makes a key and finds a port; set config, then start. A stopped service may
 * be started again; test_service_end stops it and frees the key. */
void test_service_prepare(struct test_service *service);
void test_service_start(struct test_service *service);
void test_service_stop(struct test_service *service);
void test_service_end(struct test_service *service);

/* test_dial_open waits for a session. resend_ms 0: the default. */
sy_dial *test_dial_open(const struct test_service *service, uint32_t resend_ms);

/* test_dial_echoes asks for an echo and checks it. */
void test_dial_echoes(sy_dial *dial, const char *text);

#endif
