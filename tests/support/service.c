#include "tests/support/service.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/os.h"
#include "tests/support/links.h"
#include "tests/support/test.h"

static void reply(struct test_service *service, uint64_t token, const void *data, size_t size)
{
    if (sy_server_reply(service->server, token, sy_slice_of(data, size)) != SY_OK) abort();
}

static void answer_reversed(struct test_service *service, const struct sy_request *request)
{
    uint32_t count = service->reversed_count;
    service->reversed[count] = request->token;
    service->reversed_names[count] = request->body.data[1];
    if (++service->reversed_count < 8) return;
    for (uint32_t i = 8; i-- > 0;) {
        reply(service, service->reversed[i], &service->reversed_names[i], 1);
    }
    service->reversed_count = 0;
}

static void serve(struct test_service *service, const struct sy_request *request)
{
    static const uint8_t big[TEST_BIG_BYTES] = {7};
    atomic_fetch_add(&service->delivered, 1);
    switch (request->body.size ? request->body.data[0] : 'e') {
    case 'B': reply(service, request->token, big, sizeof big); break;
    case 'H':
        service->held[service->held_count++] = request->token;
        atomic_fetch_add(&service->held_total, 1);
        break;
    case 'R': answer_reversed(service, request); break;
    case 'S': break;
    case 'V': sy_server_vouch(service->server, request->token); __attribute__((fallthrough));
    default: reply(service, request->token, request->body.data, request->body.size); break;
    }
}

static void *run_service(void *context)
{
    struct test_service *service = context;
    while (!atomic_load(&service->stopping)) {
        struct sy_request request;
        struct pollfd poll_fd = {.fd = sy_server_fd(service->server), .events = POLLIN};
        (void)poll(&poll_fd, 1, 5);
        while (sy_server_next(service->server, &request)) {
            serve(service, &request);
            sy_server_release(service->server, &request);
        }
        while (atomic_load(&service->release_held) && service->held_count > 0) {
            reply(service, service->held[--service->held_count], "held", 4);
        }
    }
    return NULL;
}

void test_service_start(struct test_service *service)
{
    struct sy_error err = {0};
    service->config.key = service->key;
    service->config.bind = service->address;
    sy_status status = sy_server_open(&service->server, &service->config, &err);
    if (status != SY_OK) fail_msg("%s", err.text);
    atomic_store(&service->stopping, false);
    service->held_count = service->reversed_count = 0;
    assert_int_equal(pthread_create(&service->thread, NULL, run_service, service), 0);
}

void test_service_stop(struct test_service *service)
{
    atomic_store(&service->stopping, true);
    assert_int_equal(pthread_join(service->thread, NULL), 0);
    sy_server_close(service->server);
    service->server = NULL;
}

void test_service_prepare(struct test_service *service)
{
    uint8_t seed[32];
    memset(service, 0, sizeof *service);
    sy_os_random(seed, sizeof seed);
    assert_int_equal(sy_secret_key_from_seed(&service->key, seed), SY_OK);
    sy_secret_key_public(service->key, &service->public_key);
    snprintf(service->address, sizeof service->address, "tcp://127.0.0.1:%u", test_free_ports(1));
}

void test_service_end(struct test_service *service)
{
    test_service_stop(service);
    sy_secret_key_close(service->key);
}

sy_dial *test_dial_open(const struct test_service *service, uint32_t resend_ms)
{
    struct sy_error err = {0};
    sy_dial *dial;
    struct sy_dial_config config = {
        .address = service->address, .server_key = service->public_key, .resend_ms = resend_ms};
    sy_status status = sy_dial_open(&dial, &config, TEST_PATIENCE_MS, &err);
    if (status != SY_OK) fail_msg("%s", err.text);
    assert_true(sy_dial_established(dial));
    return dial;
}

void test_dial_echoes(sy_dial *dial, const char *text)
{
    uint8_t answer[256];
    size_t size;
    struct sy_slice request = sy_slice_of(text, strlen(text));
    assert_int_equal(sy_dial_call(dial, answer, &size, sizeof answer, request, TEST_PATIENCE_MS),
                     SY_OK);
    assert_int_equal(size, request.size);
    assert_memory_equal(answer, text, size);
}
