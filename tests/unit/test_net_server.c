/* The client protocol: a server, dials to it, and strangers who speak it badly.
 * ctest: threaded timeout=600 */
#include "tests/support/test.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/os.h"
#include "core/base/prng.h"
#include "core/net/dial.h"
#include "core/net/server.h"
#include "core/net/session.h"
#include "core/net/sock.h"
#include "tests/support/links.h"

/* A service behind a server. The first byte of a request says what is to be done with it:
 *   'B' answer with BIG_BYTES bytes          'H' hold until release_held is set
 *   'R' wait for eight, answer in reverse    'S' stay silent    anything else: echo */
struct service {
    char address[64];
    sy_secret_key *key;
    struct sy_public_key public_key;
    struct sy_server_config config;
    sy_server *server;
    pthread_t thread;
    atomic_bool stopping;
    atomic_bool release_held;
    atomic_uint delivered;
    uint64_t held[64];
    uint32_t held_count;
    uint64_t reversed[8];
    uint8_t reversed_names[8];
    uint32_t reversed_count;
};

#define BIG_BYTES 300000u

static void reply(struct service *service, uint64_t token, const void *data, size_t size)
{
    if (sy_server_reply(service->server, token, sy_slice_of(data, size)) != SY_OK) abort();
}

static void answer_reversed(struct service *service, const struct sy_request *request)
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

static void serve(struct service *service, const struct sy_request *request)
{
    static const uint8_t big[BIG_BYTES] = {7};
    atomic_fetch_add(&service->delivered, 1);
    switch (request->body.size ? request->body.data[0] : 'e') {
    case 'B': reply(service, request->token, big, sizeof big); break;
    case 'H': service->held[service->held_count++] = request->token; break;
    case 'R': answer_reversed(service, request); break;
    case 'S': break;
    default: reply(service, request->token, request->body.data, request->body.size); break;
    }
}

static void *run_service(void *context)
{
    struct service *service = context;
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

static void start_service(struct service *service)
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

static void stop_service(struct service *service)
{
    atomic_store(&service->stopping, true);
    assert_int_equal(pthread_join(service->thread, NULL), 0);
    sy_server_close(service->server);
    service->server = NULL;
}

static void prepare_service(struct service *service)
{
    uint8_t seed[32];
    memset(service, 0, sizeof *service);
    sy_os_random(seed, sizeof seed);
    assert_int_equal(sy_secret_key_from_seed(&service->key, seed), SY_OK);
    sy_secret_key_public(service->key, &service->public_key);
    snprintf(service->address, sizeof service->address, "tcp://127.0.0.1:%u", test_free_ports(1));
}

static void end_service(struct service *service)
{
    stop_service(service);
    sy_secret_key_close(service->key);
}

static sy_dial *open_dial(const struct service *service, uint32_t resend_ms)
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

static void assert_echoes(sy_dial *dial, const char *text)
{
    uint8_t answer[256];
    size_t size;
    struct sy_slice request = sy_slice_of(text, strlen(text));
    assert_int_equal(sy_dial_call(dial, answer, &size, sizeof answer, request, TEST_PATIENCE_MS),
                     SY_OK);
    assert_int_equal(size, request.size);
    assert_memory_equal(answer, text, size);
}

static void assert_names(const char *text, const char *word)
{
    if (!strstr(text, word)) fail_msg("'%s' does not name '%s'", text, word);
}

CASE(a_call_is_answered)
{
    struct service service;
    prepare_service(&service);
    start_service(&service);
    sy_dial *dial = open_dial(&service, 0);
    for (int i = 0; i < 100; i++) assert_echoes(dial, "echo this");
    assert_int_equal(atomic_load(&service.delivered), 100);
    sy_dial_close(dial);
    end_service(&service);
}

CASE(requests_and_replies_of_every_size_pass)
{
    static const size_t sizes[] = {1, 2, 1000, 100000, SY_SERVER_REQUEST_MAX};
    struct service service;
    uint8_t *bytes = malloc(SY_DIAL_REQUEST_MAX + 1);
    uint8_t *answer = malloc(SY_SERVER_REPLY_MAX);
    size_t size;
    sy_prng prng;
    assert_true(bytes && answer);
    sy_prng_seed(&prng, test_seed());
    sy_prng_fill(&prng, bytes, SY_DIAL_REQUEST_MAX + 1);
    bytes[0] = 'e';
    prepare_service(&service);
    start_service(&service);
    sy_dial *dial = open_dial(&service, 0);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct sy_slice request = sy_slice_of(bytes, sizes[i]);
        assert_int_equal(
            sy_dial_call(dial, answer, &size, SY_SERVER_REPLY_MAX, request, TEST_PATIENCE_MS),
            SY_OK);
        assert_int_equal(size, sizes[i]);
        assert_memory_equal(answer, bytes, size);
    }
    struct sy_slice too_long = sy_slice_of(bytes, SY_DIAL_REQUEST_MAX + 1);
    assert_int_equal(sy_dial_call(dial, answer, &size, SY_SERVER_REPLY_MAX, too_long, 1000),
                     SY_ERR_LIMIT);
    // A reply that does not fit the caller's room is an error, and the dial goes on.
    assert_int_equal(
        sy_dial_call(dial, answer, &size, 10, sy_slice_of(bytes, 1000), TEST_PATIENCE_MS),
        SY_ERR_LIMIT);
    assert_echoes(dial, "e on");
    sy_dial_close(dial);
    end_service(&service);
    free(bytes);
    free(answer);
}

CASE(many_requests_of_one_client_are_outstanding_at_once_and_end_once_each)
{
    struct service service;
    struct sy_dial_answer answer;
    bool ended[129] = {false};
    prepare_service(&service);
    start_service(&service);
    sy_dial *dial = open_dial(&service, 0);
    for (uint32_t i = 0; i < 128; i++) {
        uint64_t id;
        uint8_t request[2] = {'R', (uint8_t)i};
        assert_int_equal(sy_dial_send(dial, &id, sy_slice_of(request, 2), TEST_PATIENCE_MS), SY_OK);
        assert_int_equal(id, i + 1);
    }
    assert_int_equal(sy_dial_outstanding(dial), 128);
    for (uint32_t i = 0; i < 128; i++) {
        assert_true(sy_dial_poll(dial, &answer, TEST_PATIENCE_MS));
        assert_int_equal(answer.status, SY_OK);
        assert_in_range(answer.id, 1, 128);
        assert_false(ended[answer.id]);
        ended[answer.id] = true;
        assert_int_equal(answer.body.size, 1);
        assert_int_equal(answer.body.data[0], answer.id - 1);
    }
    assert_int_equal(sy_dial_outstanding(dial), 0);
    assert_false(sy_dial_poll(dial, &answer, 0));
    sy_dial_close(dial);
    end_service(&service);
}

// nanomsg drops a reply that its connection has no room for. With a resend pause beyond the test's
// patience, every reply has to come through the first time.
CASE(a_burst_of_large_replies_loses_none)
{
    enum { COUNT = 200 };
    struct service service;
    struct sy_dial_answer answer;
    prepare_service(&service);
    start_service(&service);
    sy_dial *dial = open_dial(&service, 10 * TEST_PATIENCE_MS);
    uint64_t start_ns = sy_os_monotonic_ns();
    for (uint32_t i = 0; i < COUNT; i++) {
        uint64_t id;
        assert_int_equal(sy_dial_send(dial, &id, sy_slice_of("B", 1), TEST_PATIENCE_MS), SY_OK);
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_true(sy_dial_poll(dial, &answer, TEST_PATIENCE_MS));
        assert_int_equal(answer.status, SY_OK);
        assert_int_equal(answer.body.size, BIG_BYTES);
    }
    assert_int_equal(atomic_load(&service.delivered), COUNT);
    print_message("%d replies of %u bytes in %.0f ms\n", COUNT, BIG_BYTES,
                  (double)(sy_os_monotonic_ns() - start_ns) / 1e6);
    sy_dial_close(dial);
    end_service(&service);
}

CASE(a_request_that_waits_holds_nobody_up_and_is_delivered_once)
{
    struct service service;
    struct sy_dial_answer answer;
    uint64_t waiting;
    prepare_service(&service);
    start_service(&service);
    sy_dial *dial = open_dial(&service, 20); // asks again and again
    assert_int_equal(sy_dial_send(dial, &waiting, sy_slice_of("H", 1), TEST_PATIENCE_MS), SY_OK);
    for (int i = 0; i < 50; i++) {
        assert_echoes(dial, "echo");
        test_sleep_ms(5);
    }
    uint32_t delivered = atomic_load(&service.delivered);
    assert_false(sy_dial_poll(dial, &answer, 200));
    assert_int_equal(atomic_load(&service.delivered), delivered);
    atomic_store(&service.release_held, true);
    assert_true(sy_dial_poll(dial, &answer, TEST_PATIENCE_MS));
    assert_int_equal(answer.id, waiting);
    assert_int_equal(answer.body.size, 4);
    assert_memory_equal(answer.body.data, "held", 4);
    sy_dial_close(dial);
    end_service(&service);
}

CASE(a_deadline_that_passes_says_unknown_and_the_dial_goes_on)
{
    struct service service;
    uint8_t answer[16];
    size_t size;
    prepare_service(&service);
    start_service(&service);
    sy_dial *dial = open_dial(&service, 0);
    assert_int_equal(sy_dial_call(dial, answer, &size, sizeof answer, sy_slice_of("S", 1), 100),
                     SY_ERR_TIMEOUT);
    assert_int_equal(sy_dial_outstanding(dial), 0);
    assert_int_equal(sy_dial_call(dial, answer, &size, sizeof answer, sy_slice_of("H", 1), 100),
                     SY_ERR_TIMEOUT);
    // The late answer belongs to nobody.
    atomic_store(&service.release_held, true);
    assert_echoes(dial, "echo");
    sy_dial_close(dial);
    end_service(&service);
}

CASE(a_forgotten_request_is_not_reported)
{
    struct service service;
    struct sy_dial_answer answer;
    uint64_t first, second;
    prepare_service(&service);
    start_service(&service);
    sy_dial *dial = open_dial(&service, 0);
    assert_int_equal(sy_dial_send(dial, &first, sy_slice_of("e1", 2), TEST_PATIENCE_MS), SY_OK);
    assert_int_equal(sy_dial_send(dial, &second, sy_slice_of("e2", 2), TEST_PATIENCE_MS), SY_OK);
    sy_dial_forget(dial, first);
    assert_true(sy_dial_poll(dial, &answer, TEST_PATIENCE_MS));
    assert_int_equal(answer.id, second);
    assert_false(sy_dial_poll(dial, &answer, 50));
    sy_dial_close(dial);
    end_service(&service);
}

CASE(too_many_requests_at_once_are_refused_locally)
{
    struct service service;
    uint64_t id;
    prepare_service(&service);
    start_service(&service);
    struct sy_dial_config config = {
        .address = service.address, .server_key = service.public_key, .outstanding_max = 3};
    sy_dial *dial;
    assert_int_equal(sy_dial_open(&dial, &config, TEST_PATIENCE_MS, NULL), SY_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sy_dial_send(dial, &id, sy_slice_of("S", 1), TEST_PATIENCE_MS), SY_OK);
    }
    assert_int_equal(sy_dial_send(dial, &id, sy_slice_of("S", 1), TEST_PATIENCE_MS), SY_ERR_BUSY);
    sy_dial_close(dial);
    end_service(&service);
}

CASE(a_client_pins_the_servers_key)
{
    struct service service;
    struct sy_error err = {0};
    sy_dial *dial;
    prepare_service(&service);
    start_service(&service);
    struct sy_dial_config config = {.address = service.address, .server_key = {{1, 2, 3}}};
    assert_int_equal(sy_dial_open(&dial, &config, TEST_PATIENCE_MS, &err), SY_ERR_PERMISSION);
    assert_null(dial);
    assert_names(err.text, service.address);
    assert_names(err.text, "link key");
    end_service(&service);
}

CASE(a_server_that_is_not_there_is_named)
{
    struct service service;
    struct sy_error err = {0};
    sy_dial *dial;
    prepare_service(&service);
    struct sy_dial_config config = {.address = service.address, .server_key = service.public_key};
    assert_int_equal(sy_dial_open(&dial, &config, 100, &err), SY_ERR_NETWORK);
    assert_names(err.text, service.address);
    config.address = "http://127.0.0.1:80";
    assert_int_equal(sy_dial_open(&dial, &config, 100, &err), SY_ERR_ARGUMENT);
    assert_names(err.text, "tcp://HOST:PORT");
    sy_secret_key_close(service.key);
}

CASE(a_taken_port_is_an_error_that_names_it)
{
    struct service service;
    struct sy_error err = {0};
    sy_server *second;
    prepare_service(&service);
    start_service(&service);
    assert_int_equal(sy_server_open(&second, &service.config, &err), SY_ERR_NETWORK);
    assert_null(second);
    assert_names(err.text, service.address);
    assert_names(err.text, "another process listens there");
    end_service(&service);
}

CASE(a_dial_finds_its_way_back_to_a_restarted_server)
{
    struct service service;
    struct sy_dial_answer answer;
    uint64_t id;
    prepare_service(&service);
    start_service(&service);
    sy_dial *dial = open_dial(&service, 100);
    assert_echoes(dial, "before");
    assert_int_equal(sy_dial_send(dial, &id, sy_slice_of("S", 1), 10 * TEST_PATIENCE_MS), SY_OK);
    for (int i = 0; i < 3; i++) {
        stop_service(&service);
        test_sleep_ms(20);
        start_service(&service);
        assert_echoes(dial, "after");
    }
    // What was under way when the server died is asked again.
    uint32_t delivered = atomic_load(&service.delivered);
    assert_true(delivered >= 1 + 3 + 4);
    assert_false(sy_dial_poll(dial, &answer, 0));
    assert_int_equal(sy_dial_outstanding(dial), 1);
    sy_dial_close(dial);
    end_service(&service);
}

CASE(a_dial_may_be_opened_before_the_server)
{
    struct service service;
    sy_dial *dial;
    prepare_service(&service);
    struct sy_dial_config config = {.address = service.address, .server_key = service.public_key};
    assert_int_equal(sy_dial_open(&dial, &config, 0, NULL), SY_OK);
    assert_false(sy_dial_established(dial));
    assert_names(sy_dial_error(dial), service.address);
    start_service(&service);
    assert_echoes(dial, "at last");
    assert_string_equal(sy_dial_error(dial), "");
    sy_dial_close(dial);
    end_service(&service);
}

CASE(above_its_share_a_client_is_told_to_wait)
{
    struct service service;
    struct sy_dial_answer answer;
    uint64_t id;
    prepare_service(&service);
    service.config.outstanding_per_session = 4;
    start_service(&service);
    sy_dial *dial = open_dial(&service, 0);
    sy_dial *other = open_dial(&service, 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(sy_dial_send(dial, &id, sy_slice_of("H", 1), TEST_PATIENCE_MS), SY_OK);
    }
    while (atomic_load(&service.delivered) < 4) assert_false(sy_dial_poll(dial, &answer, 1));
    assert_int_equal(sy_dial_send(dial, &id, sy_slice_of("e", 1), TEST_PATIENCE_MS), SY_OK);
    assert_true(sy_dial_poll(dial, &answer, TEST_PATIENCE_MS));
    assert_int_equal(answer.id, id);
    assert_int_equal(answer.status, SY_ERR_BUSY);
    assert_true(answer.retry_ms > 0);
    assert_int_equal(sy_dial_retry_ms(dial), answer.retry_ms);
    assert_echoes(other, "has its own share");
    atomic_store(&service.release_held, true);
    for (int i = 0; i < 4; i++) {
        assert_true(sy_dial_poll(dial, &answer, TEST_PATIENCE_MS));
        assert_int_equal(answer.status, SY_OK);
    }
    assert_echoes(dial, "room again");
    sy_dial_close(dial);
    sy_dial_close(other);
    end_service(&service);
}

CASE(a_server_may_answer_busy_itself)
{
    struct service service;
    struct sy_request request;
    struct sy_dial_answer answer;
    uint64_t id;
    prepare_service(&service);
    service.config.key = service.key;
    service.config.bind = service.address;
    assert_int_equal(sy_server_open(&service.server, &service.config, NULL), SY_OK);
    sy_dial *dial = open_dial(&service, 0);
    assert_int_equal(sy_dial_send(dial, &id, sy_slice_of("x", 1), TEST_PATIENCE_MS), SY_OK);
    while (!sy_server_next(service.server, &request)) {
        assert_false(sy_dial_poll(dial, &answer, 1));
    }
    assert_int_equal(sy_server_reply_busy(service.server, request.token, 777), SY_OK);
    // A second answer to the same request is harmless, and so is one to nothing.
    assert_int_equal(sy_server_reply_busy(service.server, request.token, 778), SY_OK);
    assert_int_equal(sy_server_reply_busy(service.server, UINT64_MAX, 779), SY_OK);
    sy_server_release(service.server, &request);
    assert_true(sy_dial_poll(dial, &answer, TEST_PATIENCE_MS));
    assert_int_equal(answer.status, SY_ERR_BUSY);
    assert_int_equal(answer.retry_ms, 777);
    assert_false(sy_dial_poll(dial, &answer, 50));
    sy_dial_close(dial);
    sy_server_close(service.server);
    sy_secret_key_close(service.key);
}

CASE(sessions_are_bounded_and_idle_ones_make_room)
{
    struct service service;
    struct sy_server_info info;
    struct sy_error err = {0};
    sy_dial *third;
    prepare_service(&service);
    service.config.sessions_max = 2;
    service.config.idle_ms = 1500;
    start_service(&service);
    sy_dial *first = open_dial(&service, 0);
    sy_dial *second = open_dial(&service, 0);
    struct sy_dial_config config = {.address = service.address, .server_key = service.public_key};
    uint64_t before = test_count(SY_NET_LIMITED);
    // Both are in use, so there is no room ...
    while (test_count(SY_NET_LIMITED) == before) {
        assert_echoes(first, "busy");
        assert_echoes(second, "busy");
        sy_status status = sy_dial_open(&third, &config, 100, &err);
        assert_int_equal(status, SY_ERR_NETWORK);
    }
    sy_server_get_info(service.server, &info);
    assert_int_equal(info.sessions, 2);
    // ... until they are idle.
    assert_int_equal(sy_dial_open(&third, &config, TEST_PATIENCE_MS, &err), SY_OK);
    assert_echoes(third, "in");
    // The first finds its session gone and makes another.
    assert_echoes(first, "again");
    sy_dial_close(first);
    sy_dial_close(second);
    sy_dial_close(third);
    end_service(&service);
}

#define CLIENT_THREADS 8
#define DIALS_A_THREAD 8
#define CALLS_A_DIAL 100

static void *run_clients(void *context)
{
    const struct service *service = context;
    sy_dial *dials[DIALS_A_THREAD];
    uint32_t sent[DIALS_A_THREAD] = {0}, got[DIALS_A_THREAD] = {0};
    bool done = false;
    for (size_t i = 0; i < DIALS_A_THREAD; i++) {
        struct sy_dial_config config = {.address = service->address,
                                        .server_key = service->public_key};
        if (sy_dial_open(&dials[i], &config, TEST_PATIENCE_MS, NULL) != SY_OK) return NULL;
    }
    while (!done) {
        done = true;
        for (size_t i = 0; i < DIALS_A_THREAD; i++) {
            struct sy_dial_answer answer;
            uint64_t id;
            uint8_t request[100] = {'e', (uint8_t)i};
            while (sent[i] < CALLS_A_DIAL && sy_dial_outstanding(dials[i]) < 16 &&
                   sy_dial_send(dials[i], &id, sy_slice_of(request, sizeof request),
                                TEST_PATIENCE_MS) == SY_OK) {
                sent[i]++;
            }
            while (sy_dial_poll(dials[i], &answer, got[i] < CALLS_A_DIAL ? 1 : 0)) {
                if (answer.status != SY_OK || answer.body.size != sizeof request) return NULL;
                if (answer.body.data[1] != i) return NULL;
                got[i]++;
            }
            if (got[i] < CALLS_A_DIAL) done = false;
        }
    }
    for (size_t i = 0; i < DIALS_A_THREAD; i++) sy_dial_close(dials[i]);
    return context;
}

CASE(sixty_four_clients_are_served_at_once)
{
    struct service service;
    struct sy_server_info info;
    pthread_t threads[CLIENT_THREADS];
    prepare_service(&service);
    start_service(&service);
    for (size_t i = 0; i < CLIENT_THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, run_clients, &service), 0);
    }
    for (size_t i = 0; i < CLIENT_THREADS; i++) {
        void *result;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, &service);
    }
    sy_server_get_info(service.server, &info);
    assert_int_equal(info.sessions, CLIENT_THREADS * DIALS_A_THREAD);
    assert_true(atomic_load(&service.delivered) >= CLIENT_THREADS * DIALS_A_THREAD * CALLS_A_DIAL);
    end_service(&service);
}

/* A client made of bare parts, to do what a dial would not. */
struct bare {
    struct sy_sock sock;
    sy_tls *tls;
    sy_session *session;
    uint8_t request[SY_FRAME_OVERHEAD + 64]; /* the newest sealed frame */
    size_t request_bytes;
};

static void put_bytes(struct bare *bare, const uint8_t *bytes, size_t size)
{
    struct sy_route route = {{0, 0, 0, 0, 0x80, 0, 0, 1}};
    uint8_t *message = sy_message_new(size);
    assert_non_null(message);
    memcpy(message, bytes, size);
    for (int ms = 0; sy_sock_send(&bare->sock, message, &route) != SY_OK; ms++) {
        assert_true(ms < TEST_PATIENCE_MS);
        test_sleep_ms(1);
    }
}

static void put_frame(struct bare *bare, const struct sy_frame *frame)
{
    uint8_t bytes[SY_FRAME_PLAIN_MAX];
    put_bytes(bare, bytes, sy_frame_encode(bytes, sizeof bytes, frame));
}

// Waits for a message and parses it; free message->data afterwards.
static bool take_frame(struct bare *bare, struct sy_message *message, struct sy_frame *frame,
                       int timeout_ms)
{
    for (int ms = 0; ms < timeout_ms; ms++) {
        if (sy_sock_recv(&bare->sock, message) == SY_OK) {
            assert_int_equal(sy_frame_parse(frame, sy_slice_of(message->data, message->size)),
                             SY_OK);
            return true;
        }
        test_sleep_ms(1);
    }
    return false;
}

static void start_bare(struct bare *bare, const struct service *service)
{
    uint8_t flight[SY_FLIGHT_BYTES_MAX];
    size_t size;
    struct sy_session_id id;
    sy_os_random(id.bytes, sizeof id.bytes);
    assert_int_equal(
        sy_session_open(&bare->session, bare->tls, SY_SESSION_CLIENT, &id, &service->public_key),
        SY_OK);
    assert_int_equal(sy_session_step(bare->session, flight, &size, sy_slice_of(NULL, 0)), SY_OK);
    put_frame(bare, &(struct sy_frame){.type = SY_FRAME_HELLO, .id = id, .flight = {flight, size}});
}

static void open_bare(struct bare *bare, const struct service *service)
{
    memset(bare, 0, sizeof *bare);
    assert_int_equal(sy_tls_open(&bare->tls, NULL, NULL), SY_OK);
    assert_int_equal(sy_sock_connect(&bare->sock, SY_SOCK_REQ, service->address, NULL), SY_OK);
}

static void shake_bare(struct bare *bare, const struct service *service)
{
    uint8_t flight[SY_FLIGHT_BYTES_MAX];
    size_t size;
    struct sy_message message;
    struct sy_frame frame;
    start_bare(bare, service);
    assert_true(take_frame(bare, &message, &frame, TEST_PATIENCE_MS));
    assert_int_equal(frame.type, SY_FRAME_FLIGHT);
    assert_int_equal(sy_session_step(bare->session, flight, &size, frame.flight), SY_OK);
    sy_message_free(message.data);
    put_frame(bare, &(struct sy_frame){.type = SY_FRAME_FLIGHT,
                                       .id = *sy_session_id(bare->session),
                                       .flight = {flight, size}});
    assert_true(take_frame(bare, &message, &frame, TEST_PATIENCE_MS));
    assert_int_equal(frame.type, SY_FRAME_DATA);
    sy_message_free(message.data);
}

static void seal_request(struct bare *bare, uint64_t id, const char *text)
{
    uint8_t *plain = bare->request + SY_FRAME_HEAD;
    size_t size = strlen(text);
    sy_store_u64(plain, id);
    sy_store_u64(plain + 8, 0);
    memcpy(plain + SY_REQUEST_HEAD, text, size);
    assert_int_equal(
        sy_session_seal(bare->session, SY_CHANNEL_CLIENT, bare->request, SY_REQUEST_HEAD + size),
        SY_OK);
    bare->request_bytes = SY_FRAME_OVERHEAD + SY_REQUEST_HEAD + size;
}

static void close_bare(struct bare *bare)
{
    sy_sock_close(&bare->sock);
    sy_session_close(bare->session);
    sy_tls_close(bare->tls);
}

CASE(replayed_forged_and_truncated_requests_are_counted_and_not_served)
{
    struct service service;
    struct bare bare;
    struct sy_message message;
    struct sy_frame frame;
    prepare_service(&service);
    start_service(&service);
    sy_dial *dial = open_dial(&service, 0);
    open_bare(&bare, &service);
    shake_bare(&bare, &service);
    seal_request(&bare, 1, "e once");
    put_bytes(&bare, bare.request, bare.request_bytes);
    assert_true(take_frame(&bare, &message, &frame, TEST_PATIENCE_MS));
    sy_message_free(message.data);
    uint64_t replayed = test_count(SY_NET_REPLAYED);
    for (int i = 0; i < 10; i++) put_bytes(&bare, bare.request, bare.request_bytes);
    test_wait_count(SY_NET_REPLAYED, replayed + 10);
    uint64_t forged = test_count(SY_NET_FORGED);
    seal_request(&bare, 2, "e twice");
    bare.request[bare.request_bytes - 1] ^= 1;
    put_bytes(&bare, bare.request, bare.request_bytes);
    bare.request[bare.request_bytes - 1] ^= 1;
    put_bytes(&bare, bare.request, bare.request_bytes - 1);
    test_wait_count(SY_NET_FORGED, forged + 2);
    assert_int_equal(atomic_load(&service.delivered), 1);
    put_bytes(&bare, bare.request, bare.request_bytes);
    assert_true(take_frame(&bare, &message, &frame, TEST_PATIENCE_MS));
    sy_message_free(message.data);
    assert_int_equal(atomic_load(&service.delivered), 2);
    assert_echoes(dial, "others do not notice");
    close_bare(&bare);
    sy_dial_close(dial);
    end_service(&service);
}

CASE(a_sealed_request_without_its_header_is_refused)
{
    struct service service;
    struct bare bare;
    prepare_service(&service);
    start_service(&service);
    open_bare(&bare, &service);
    shake_bare(&bare, &service);
    uint64_t before = test_count(SY_NET_GARBAGE);
    for (size_t size = 0; size < SY_REQUEST_HEAD; size++) {
        assert_int_equal(sy_session_seal(bare.session, SY_CHANNEL_CLIENT, bare.request, size),
                         SY_OK);
        put_bytes(&bare, bare.request, SY_FRAME_OVERHEAD + size);
    }
    test_wait_count(SY_NET_GARBAGE, before + SY_REQUEST_HEAD);
    assert_int_equal(atomic_load(&service.delivered), 0);
    close_bare(&bare);
    end_service(&service);
}

CASE(an_unknown_session_is_told_so)
{
    struct service service;
    struct bare bare;
    struct sy_message message;
    struct sy_frame frame;
    uint8_t bytes[100] = {0};
    struct sy_session_id id = {{1, 2, 3}};
    prepare_service(&service);
    start_service(&service);
    open_bare(&bare, &service);
    sy_frame_encode_data(bytes, &id, 0);
    put_bytes(&bare, bytes, sizeof bytes);
    assert_true(take_frame(&bare, &message, &frame, TEST_PATIENCE_MS));
    assert_int_equal(frame.type, SY_FRAME_RESET);
    assert_true(sy_session_id_equal(&frame.id, &id));
    sy_message_free(message.data);
    close_bare(&bare);
    end_service(&service);
}

CASE(garbage_and_over_long_messages_are_counted_and_harmless)
{
    struct service service;
    struct bare bare;
    sy_prng prng;
    static uint8_t big[2 * SY_FRAME_BYTES_MAX];
    uint8_t garbage[300];
    sy_prng_seed(&prng, test_seed());
    prepare_service(&service);
    start_service(&service);
    sy_dial *dial = open_dial(&service, 0);
    open_bare(&bare, &service);
    uint64_t before = test_count(SY_NET_GARBAGE);
    for (size_t size = 1; size <= sizeof garbage; size++) {
        sy_prng_fill(&prng, garbage, size);
        garbage[0] = 0xee;
        put_bytes(&bare, garbage, size);
    }
    test_wait_count(SY_NET_GARBAGE, before + sizeof garbage);
    uint64_t overlong = test_count(SY_NET_OVERLONG);
    put_bytes(&bare, big, SY_FRAME_BYTES_MAX + 1);
    test_wait_count(SY_NET_OVERLONG, overlong + 1);
    uint64_t broken = test_count(SY_NET_BROKEN);
    put_bytes(&bare, big, sizeof big);
    test_wait_count(SY_NET_BROKEN, broken + 1);
    assert_echoes(dial, "others do not notice");
    close_bare(&bare);
    sy_dial_close(dial);
    end_service(&service);
}

CASE(a_flood_of_handshakes_is_bounded_and_shuts_nobody_out)
{
    struct service service;
    struct sy_server_info info;
    struct bare bare;
    prepare_service(&service);
    service.config.half_open_max = 8;
    service.config.handshakes_per_s = 200;
    start_service(&service);
    open_bare(&bare, &service);
    uint64_t evicted = test_count(SY_NET_EVICTED);
    uint64_t limited = test_count(SY_NET_LIMITED);
    for (int i = 0; i < 300; i++) {
        start_bare(&bare, &service);
        sy_session_close(bare.session);
        bare.session = NULL;
    }
    sy_dial *dial = open_dial(&service, 0);
    assert_echoes(dial, "in spite of the flood");
    sy_server_get_info(service.server, &info);
    assert_true(info.half_open <= 8);
    assert_true(test_count(SY_NET_EVICTED) > evicted);
    assert_true(test_count(SY_NET_LIMITED) > limited);
    close_bare(&bare);
    sy_dial_close(dial);
    end_service(&service);
}

CASE(a_client_that_never_acknowledges_only_slows_itself)
{
    struct service service;
    struct bare bare;
    prepare_service(&service);
    start_service(&service);
    sy_dial *dial = open_dial(&service, 0);
    open_bare(&bare, &service);
    shake_bare(&bare, &service);
    for (uint64_t id = 1; id <= 40; id++) {
        seal_request(&bare, id, "B");
        put_bytes(&bare, bare.request, bare.request_bytes);
        assert_echoes(dial, "meanwhile");
    }
    for (int i = 0; i < 100; i++) assert_echoes(dial, "meanwhile");
    close_bare(&bare);
    sy_dial_close(dial);
    end_service(&service);
}

CASE(close_returns_with_requests_unanswered_and_clients_waiting)
{
    struct service service;
    uint64_t id;
    prepare_service(&service);
    start_service(&service);
    sy_dial *dial = open_dial(&service, 0);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(sy_dial_send(dial, &id, sy_slice_of("S", 1), TEST_PATIENCE_MS), SY_OK);
    }
    end_service(&service);
    sy_dial_close(dial);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_call_is_answered),
        cmocka_unit_test(requests_and_replies_of_every_size_pass),
        cmocka_unit_test(many_requests_of_one_client_are_outstanding_at_once_and_end_once_each),
        cmocka_unit_test(a_burst_of_large_replies_loses_none),
        cmocka_unit_test(a_request_that_waits_holds_nobody_up_and_is_delivered_once),
        cmocka_unit_test(a_deadline_that_passes_says_unknown_and_the_dial_goes_on),
        cmocka_unit_test(a_forgotten_request_is_not_reported),
        cmocka_unit_test(too_many_requests_at_once_are_refused_locally),
        cmocka_unit_test(a_client_pins_the_servers_key),
        cmocka_unit_test(a_server_that_is_not_there_is_named),
        cmocka_unit_test(a_taken_port_is_an_error_that_names_it),
        cmocka_unit_test(a_dial_finds_its_way_back_to_a_restarted_server),
        cmocka_unit_test(a_dial_may_be_opened_before_the_server),
        cmocka_unit_test(above_its_share_a_client_is_told_to_wait),
        cmocka_unit_test(a_server_may_answer_busy_itself),
        cmocka_unit_test(sessions_are_bounded_and_idle_ones_make_room),
        cmocka_unit_test(sixty_four_clients_are_served_at_once),
        cmocka_unit_test(replayed_forged_and_truncated_requests_are_counted_and_not_served),
        cmocka_unit_test(a_sealed_request_without_its_header_is_refused),
        cmocka_unit_test(an_unknown_session_is_told_so),
        cmocka_unit_test(garbage_and_over_long_messages_are_counted_and_harmless),
        cmocka_unit_test(a_flood_of_handshakes_is_bounded_and_shuts_nobody_out),
        cmocka_unit_test(a_client_that_never_acknowledges_only_slows_itself),
        cmocka_unit_test(close_returns_with_requests_unanswered_and_clients_waiting),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
