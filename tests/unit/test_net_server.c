/* The client protocol: a server and dials to it. ctest: threaded timeout=600 */
#include "tests/support/test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/os.h"
#include "core/base/prng.h"
#include "tests/support/links.h"
#include "tests/support/service.h"

static void assert_names(const char *text, const char *word)
{
    if (!strstr(text, word)) fail_msg("'%s' does not name '%s'", text, word);
}

CASE(a_call_is_answered)
{
    struct test_service service;
    test_service_prepare(&service);
    test_service_start(&service);
    sy_dial *dial = test_dial_open(&service, 0);
    for (int i = 0; i < 100; i++) test_dial_echoes(dial, "echo this");
    assert_int_equal(atomic_load(&service.delivered), 100);
    sy_dial_close(dial);
    test_service_end(&service);
}

CASE(requests_and_replies_of_every_size_pass)
{
    static const size_t sizes[] = {1, 2, 1000, 100000, SY_SERVER_REQUEST_MAX};
    struct test_service service;
    uint8_t *bytes = malloc(SY_DIAL_REQUEST_MAX + 1);
    uint8_t *answer = malloc(SY_SERVER_REPLY_MAX);
    size_t size;
    sy_prng prng;
    assert_true(bytes && answer);
    sy_prng_seed(&prng, test_seed());
    sy_prng_fill(&prng, bytes, SY_DIAL_REQUEST_MAX + 1);
    bytes[0] = 'e';
    test_service_prepare(&service);
    test_service_start(&service);
    sy_dial *dial = test_dial_open(&service, 0);
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
    test_dial_echoes(dial, "e on");
    sy_dial_close(dial);
    test_service_end(&service);
    free(bytes);
    free(answer);
}

CASE(many_requests_of_one_client_are_outstanding_at_once_and_end_once_each)
{
    struct test_service service;
    struct sy_dial_answer answer;
    bool ended[129] = {false};
    test_service_prepare(&service);
    test_service_start(&service);
    sy_dial *dial = test_dial_open(&service, 0);
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
    test_service_end(&service);
}

// nanomsg drops a reply that its connection has no room for. With a resend pause beyond the test's
// patience, every reply has to come through the first time.
CASE(a_burst_of_large_replies_loses_none)
{
    enum { COUNT = 200 };
    struct test_service service;
    struct sy_dial_answer answer;
    test_service_prepare(&service);
    test_service_start(&service);
    sy_dial *dial = test_dial_open(&service, 10 * TEST_PATIENCE_MS);
    uint64_t start_ns = sy_os_monotonic_ns();
    for (uint32_t i = 0; i < COUNT; i++) {
        uint64_t id;
        assert_int_equal(sy_dial_send(dial, &id, sy_slice_of("B", 1), TEST_PATIENCE_MS), SY_OK);
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_true(sy_dial_poll(dial, &answer, TEST_PATIENCE_MS));
        assert_int_equal(answer.status, SY_OK);
        assert_int_equal(answer.body.size, TEST_BIG_BYTES);
    }
    assert_int_equal(atomic_load(&service.delivered), COUNT);
    print_message("%d replies of %u bytes in %.0f ms\n", COUNT, TEST_BIG_BYTES,
                  (double)(sy_os_monotonic_ns() - start_ns) / 1e6);
    sy_dial_close(dial);
    test_service_end(&service);
}

CASE(a_request_that_waits_holds_nobody_up_and_is_delivered_once)
{
    struct test_service service;
    struct sy_dial_answer answer;
    uint64_t waiting;
    test_service_prepare(&service);
    test_service_start(&service);
    sy_dial *dial = test_dial_open(&service, 20); // asks again and again
    assert_int_equal(sy_dial_send(dial, &waiting, sy_slice_of("H", 1), TEST_PATIENCE_MS), SY_OK);
    for (int i = 0; i < 50; i++) {
        test_dial_echoes(dial, "echo");
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
    test_service_end(&service);
}

CASE(a_deadline_that_passes_says_unknown_and_the_dial_goes_on)
{
    struct test_service service;
    uint8_t answer[16];
    size_t size;
    test_service_prepare(&service);
    test_service_start(&service);
    sy_dial *dial = test_dial_open(&service, 0);
    assert_int_equal(sy_dial_call(dial, answer, &size, sizeof answer, sy_slice_of("S", 1), 100),
                     SY_ERR_TIMEOUT);
    assert_int_equal(sy_dial_outstanding(dial), 0);
    assert_int_equal(sy_dial_call(dial, answer, &size, sizeof answer, sy_slice_of("H", 1), 100),
                     SY_ERR_TIMEOUT);
    // The late answer belongs to nobody.
    atomic_store(&service.release_held, true);
    test_dial_echoes(dial, "echo");
    sy_dial_close(dial);
    test_service_end(&service);
}

CASE(a_forgotten_request_is_not_reported)
{
    struct test_service service;
    struct sy_dial_answer answer;
    uint64_t first, second;
    test_service_prepare(&service);
    test_service_start(&service);
    sy_dial *dial = test_dial_open(&service, 0);
    assert_int_equal(sy_dial_send(dial, &first, sy_slice_of("e1", 2), TEST_PATIENCE_MS), SY_OK);
    assert_int_equal(sy_dial_send(dial, &second, sy_slice_of("e2", 2), TEST_PATIENCE_MS), SY_OK);
    sy_dial_forget(dial, first);
    assert_true(sy_dial_poll(dial, &answer, TEST_PATIENCE_MS));
    assert_int_equal(answer.id, second);
    assert_false(sy_dial_poll(dial, &answer, 50));
    sy_dial_close(dial);
    test_service_end(&service);
}

CASE(too_many_requests_at_once_are_refused_locally)
{
    struct test_service service;
    uint64_t id;
    test_service_prepare(&service);
    test_service_start(&service);
    struct sy_dial_config config = {
        .address = service.address, .server_key = service.public_key, .outstanding_max = 3};
    sy_dial *dial;
    assert_int_equal(sy_dial_open(&dial, &config, TEST_PATIENCE_MS, NULL), SY_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sy_dial_send(dial, &id, sy_slice_of("S", 1), TEST_PATIENCE_MS), SY_OK);
    }
    assert_int_equal(sy_dial_send(dial, &id, sy_slice_of("S", 1), TEST_PATIENCE_MS), SY_ERR_BUSY);
    sy_dial_close(dial);
    test_service_end(&service);
}

CASE(a_client_pins_the_servers_key)
{
    struct test_service service;
    struct sy_error err = {0};
    sy_dial *dial;
    test_service_prepare(&service);
    test_service_start(&service);
    struct sy_dial_config config = {.address = service.address, .server_key = {{1, 2, 3}}};
    assert_int_equal(sy_dial_open(&dial, &config, TEST_PATIENCE_MS, &err), SY_ERR_PERMISSION);
    assert_null(dial);
    assert_names(err.text, service.address);
    assert_names(err.text, "link key");
    test_service_end(&service);
}

CASE(a_server_that_is_not_there_is_named)
{
    struct test_service service;
    struct sy_error err = {0};
    sy_dial *dial;
    test_service_prepare(&service);
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
    struct test_service service;
    struct sy_error err = {0};
    sy_server *second;
    test_service_prepare(&service);
    test_service_start(&service);
    assert_int_equal(sy_server_open(&second, &service.config, &err), SY_ERR_NETWORK);
    assert_null(second);
    assert_names(err.text, service.address);
    assert_names(err.text, "another process listens there");
    test_service_end(&service);
}

CASE(a_dial_finds_its_way_back_to_a_restarted_server)
{
    struct test_service service;
    struct sy_dial_answer answer;
    uint64_t id;
    test_service_prepare(&service);
    test_service_start(&service);
    sy_dial *dial = test_dial_open(&service, 100);
    test_dial_echoes(dial, "before");
    assert_int_equal(sy_dial_send(dial, &id, sy_slice_of("S", 1), 10 * TEST_PATIENCE_MS), SY_OK);
    while (atomic_load(&service.delivered) < 2) assert_false(sy_dial_poll(dial, &answer, 1));
    for (int i = 0; i < 3; i++) {
        test_service_stop(&service);
        test_sleep_ms(20);
        test_service_start(&service);
        test_dial_echoes(dial, "after");
    }
    // What was under way when the server died is asked again.
    assert_true(atomic_load(&service.delivered) >= 2 + 3 * 2);
    assert_false(sy_dial_poll(dial, &answer, 0));
    assert_int_equal(sy_dial_outstanding(dial), 1);
    sy_dial_close(dial);
    test_service_end(&service);
}

CASE(a_dial_may_be_opened_before_the_server)
{
    struct test_service service;
    sy_dial *dial;
    test_service_prepare(&service);
    struct sy_dial_config config = {.address = service.address, .server_key = service.public_key};
    assert_int_equal(sy_dial_open(&dial, &config, 0, NULL), SY_OK);
    assert_false(sy_dial_established(dial));
    assert_names(sy_dial_error(dial), service.address);
    test_service_start(&service);
    test_dial_echoes(dial, "at last");
    assert_string_equal(sy_dial_error(dial), "");
    sy_dial_close(dial);
    test_service_end(&service);
}

CASE(above_its_share_a_client_is_told_to_wait)
{
    struct test_service service;
    struct sy_dial_answer answer;
    uint64_t id;
    test_service_prepare(&service);
    service.config.outstanding_per_session = 4;
    test_service_start(&service);
    sy_dial *dial = test_dial_open(&service, 0);
    sy_dial *other = test_dial_open(&service, 0);
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
    test_dial_echoes(other, "has its own share");
    atomic_store(&service.release_held, true);
    for (int i = 0; i < 4; i++) {
        assert_true(sy_dial_poll(dial, &answer, TEST_PATIENCE_MS));
        assert_int_equal(answer.status, SY_OK);
    }
    test_dial_echoes(dial, "room again");
    sy_dial_close(dial);
    sy_dial_close(other);
    test_service_end(&service);
}

CASE(few_clients_do_not_take_every_place)
{
    struct test_service service;
    struct sy_dial_answer answer;
    unsigned busy = 0;
    uint64_t id;
    test_service_prepare(&service);
    service.config.outstanding_max = 16;
    service.config.sessions_max = 4; // so each may have two when half of the places are taken
    test_service_start(&service);
    sy_dial *greedy = test_dial_open(&service, 0);
    sy_dial *other = test_dial_open(&service, 0);
    for (int i = 0; i < 16; i++) {
        assert_int_equal(sy_dial_send(greedy, &id, sy_slice_of("H", 1), TEST_PATIENCE_MS), SY_OK);
    }
    while (atomic_load(&service.delivered) + busy < 16) {
        if (!sy_dial_poll(greedy, &answer, 1)) continue;
        assert_int_equal(answer.status, SY_ERR_BUSY);
        busy++;
    }
    assert_int_equal(busy, 8);
    assert_int_equal(sy_dial_send(other, &id, sy_slice_of("H", 1), TEST_PATIENCE_MS), SY_OK);
    test_dial_echoes(other, "the second place");
    atomic_store(&service.release_held, true);
    for (int i = 0; i < 8; i++) {
        assert_true(sy_dial_poll(greedy, &answer, TEST_PATIENCE_MS));
        assert_int_equal(answer.status, SY_OK);
    }
    test_dial_echoes(greedy, "room again");
    sy_dial_close(greedy);
    sy_dial_close(other);
    test_service_end(&service);
}

CASE(a_server_may_answer_busy_itself)
{
    struct test_service service;
    struct sy_request request;
    struct sy_dial_answer answer;
    uint64_t id;
    test_service_prepare(&service);
    service.config.key = service.key;
    service.config.bind = service.address;
    assert_int_equal(sy_server_open(&service.server, &service.config, NULL), SY_OK);
    sy_dial *dial = test_dial_open(&service, 0);
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
    struct test_service service;
    struct sy_server_info info;
    struct sy_error err = {0};
    sy_dial *third;
    test_service_prepare(&service);
    service.config.sessions_max = 2;
    service.config.idle_ms = 1500;
    test_service_start(&service);
    sy_dial *first = test_dial_open(&service, 0);
    sy_dial *second = test_dial_open(&service, 0);
    struct sy_dial_config config = {.address = service.address, .server_key = service.public_key};
    uint64_t before = test_count(SY_NET_LIMITED);
    // Both are in use, so there is no room ...
    while (test_count(SY_NET_LIMITED) == before) {
        uint64_t start_ns = sy_os_monotonic_ns();
        test_dial_echoes(first, "busy");
        test_dial_echoes(second, "busy");
        sy_status status = sy_dial_open(&third, &config, 100, &err);
        if (status == SY_OK) {
            // A busy machine let one of them lie idle after all.
            uint64_t idle_ms = (sy_os_monotonic_ns() - start_ns) / 1000000;
            assert_true(idle_ms >= service.config.idle_ms);
            sy_dial_close(third);
            continue;
        }
        assert_int_equal(status, SY_ERR_NETWORK);
    }
    sy_server_get_info(service.server, &info);
    assert_int_equal(info.sessions, 2);
    // ... until they are idle.
    assert_int_equal(sy_dial_open(&third, &config, TEST_PATIENCE_MS, &err), SY_OK);
    test_dial_echoes(third, "in");
    // The first finds its session gone and makes another.
    test_dial_echoes(first, "again");
    sy_dial_close(first);
    sy_dial_close(second);
    sy_dial_close(third);
    test_service_end(&service);
}

#define CLIENT_THREADS 8
#define DIALS_A_THREAD 8
#define CALLS_A_DIAL 100

static void *run_clients(void *context)
{
    const struct test_service *service = context;
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
    struct test_service service;
    struct sy_server_info info;
    pthread_t threads[CLIENT_THREADS];
    test_service_prepare(&service);
    test_service_start(&service);
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
    test_service_end(&service);
}

CASE(close_returns_with_requests_unanswered_and_clients_waiting)
{
    struct test_service service;
    uint64_t id;
    test_service_prepare(&service);
    test_service_start(&service);
    sy_dial *dial = test_dial_open(&service, 0);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(sy_dial_send(dial, &id, sy_slice_of("S", 1), TEST_PATIENCE_MS), SY_OK);
    }
    test_service_end(&service);
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
        cmocka_unit_test(few_clients_do_not_take_every_place),
        cmocka_unit_test(a_server_may_answer_busy_itself),
        cmocka_unit_test(sessions_are_bounded_and_idle_ones_make_room),
        cmocka_unit_test(sixty_four_clients_are_served_at_once),
        cmocka_unit_test(close_returns_with_requests_unanswered_and_clients_waiting),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
