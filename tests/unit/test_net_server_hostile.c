/* The client protocol as strangers speak it: replays, forgeries, floods, silence.
 * ctest: threaded timeout=600 */
#include "tests/support/test.h"

#include <stdatomic.h>
#include <string.h>

#include "core/base/os.h"
#include "core/base/prng.h"
#include "core/net/session.h"
#include "core/net/sock.h"
#include "tests/support/links.h"
#include "tests/support/service.h"

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

static void start_bare(struct bare *bare, const struct test_service *service)
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

static void open_bare(struct bare *bare, const struct test_service *service)
{
    memset(bare, 0, sizeof *bare);
    assert_int_equal(sy_tls_open(&bare->tls, NULL, NULL), SY_OK);
    assert_int_equal(sy_sock_connect(&bare->sock, SY_SOCK_REQ, service->address, NULL), SY_OK);
}

static void shake_bare(struct bare *bare, const struct test_service *service)
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
    struct test_service service;
    struct bare bare;
    struct sy_message message;
    struct sy_frame frame;
    test_service_prepare(&service);
    test_service_start(&service);
    sy_dial *dial = test_dial_open(&service, 0);
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
    test_dial_echoes(dial, "others do not notice");
    close_bare(&bare);
    sy_dial_close(dial);
    test_service_end(&service);
}

CASE(a_sealed_request_without_its_header_is_refused)
{
    struct test_service service;
    struct bare bare;
    test_service_prepare(&service);
    test_service_start(&service);
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
    test_service_end(&service);
}

CASE(an_unknown_session_is_told_so)
{
    struct test_service service;
    struct bare bare;
    struct sy_message message;
    struct sy_frame frame;
    uint8_t bytes[100] = {0};
    struct sy_session_id id = {{1, 2, 3}};
    test_service_prepare(&service);
    test_service_start(&service);
    open_bare(&bare, &service);
    sy_frame_encode_data(bytes, &id, 0);
    put_bytes(&bare, bytes, sizeof bytes);
    assert_true(take_frame(&bare, &message, &frame, TEST_PATIENCE_MS));
    assert_int_equal(frame.type, SY_FRAME_RESET);
    assert_true(sy_session_id_equal(&frame.id, &id));
    sy_message_free(message.data);
    close_bare(&bare);
    test_service_end(&service);
}

CASE(garbage_and_over_long_messages_are_counted_and_harmless)
{
    struct test_service service;
    struct bare bare;
    sy_prng prng;
    static uint8_t big[2 * SY_FRAME_BYTES_MAX];
    uint8_t garbage[300];
    sy_prng_seed(&prng, test_seed());
    test_service_prepare(&service);
    test_service_start(&service);
    sy_dial *dial = test_dial_open(&service, 0);
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
    test_dial_echoes(dial, "others do not notice");
    close_bare(&bare);
    sy_dial_close(dial);
    test_service_end(&service);
}

CASE(a_flood_of_handshakes_is_bounded_and_shuts_nobody_out)
{
    struct test_service service;
    struct sy_server_info info;
    struct bare bare;
    test_service_prepare(&service);
    service.config.half_open_max = 8;
    // So few that the slowest machine begins more.
    service.config.handshakes_per_s = 20;
    test_service_start(&service);
    open_bare(&bare, &service);
    uint64_t evicted = test_count(SY_NET_EVICTED);
    uint64_t limited = test_count(SY_NET_LIMITED);
    uint64_t end_ns = sy_os_monotonic_ns() + TEST_PATIENCE_MS * UINT64_C(1000000);
    for (int i = 0;
         i < 300 || test_count(SY_NET_EVICTED) == evicted || test_count(SY_NET_LIMITED) == limited;
         i++) {
        assert_true(sy_os_monotonic_ns() < end_ns);
        start_bare(&bare, &service);
        sy_session_close(bare.session);
        bare.session = NULL;
    }
    sy_dial *dial = test_dial_open(&service, 0);
    test_dial_echoes(dial, "in spite of the flood");
    sy_server_get_info(service.server, &info);
    assert_true(info.half_open <= 8);
    close_bare(&bare);
    sy_dial_close(dial);
    test_service_end(&service);
}

/* Strangers that keep every session busy neither shut newcomers out nor push out who is known. */
CASE(strangers_that_take_every_session_shut_nobody_out)
{
    struct test_service service;
    struct sy_dial_answer answer;
    sy_dial *strangers[3];
    uint64_t id;
    test_service_prepare(&service);
    service.config.sessions_max = 4;
    service.config.stranger_ms = 1;
    test_service_start(&service);
    sy_dial *known = test_dial_open(&service, 0);
    test_dial_echoes(known, "V");
    assert_int_equal(sy_dial_send(known, &id, sy_slice_of("H", 1), 10 * TEST_PATIENCE_MS), SY_OK);
    for (unsigned i = 0; i < 3; i++) {
        uint64_t ignored;
        strangers[i] = test_dial_open(&service, 0);
        struct sy_slice silence = sy_slice_of("S", 1);
        assert_int_equal(sy_dial_send(strangers[i], &ignored, silence, 600000), SY_OK);
    }
    for (unsigned i = 0; i < 20; i++) {
        sy_dial *newcomer = test_dial_open(&service, 0);
        test_dial_echoes(newcomer, "in spite of them");
        for (unsigned k = 0; k < 3; k++) (void)sy_dial_poll(strangers[k], &answer, 1);
        sy_dial_close(newcomer);
    }
    atomic_store(&service.release_held, true);
    assert_true(sy_dial_poll(known, &answer, TEST_PATIENCE_MS));
    assert_int_equal(answer.id, id);
    assert_int_equal(answer.status, SY_OK);
    assert_int_equal(atomic_load(&service.held_total), 1); // else its session was another one
    for (unsigned i = 0; i < 3; i++) sy_dial_close(strangers[i]);
    sy_dial_close(known);
    test_service_end(&service);
}

CASE(a_client_that_never_acknowledges_only_slows_itself)
{
    struct test_service service;
    struct bare bare;
    test_service_prepare(&service);
    test_service_start(&service);
    sy_dial *dial = test_dial_open(&service, 0);
    open_bare(&bare, &service);
    shake_bare(&bare, &service);
    for (uint64_t id = 1; id <= 40; id++) {
        seal_request(&bare, id, "B");
        put_bytes(&bare, bare.request, bare.request_bytes);
        test_dial_echoes(dial, "meanwhile");
    }
    for (int i = 0; i < 100; i++) test_dial_echoes(dial, "meanwhile");
    close_bare(&bare);
    sy_dial_close(dial);
    test_service_end(&service);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(replayed_forged_and_truncated_requests_are_counted_and_not_served),
        cmocka_unit_test(a_sealed_request_without_its_header_is_refused),
        cmocka_unit_test(an_unknown_session_is_told_so),
        cmocka_unit_test(garbage_and_over_long_messages_are_counted_and_harmless),
        cmocka_unit_test(a_flood_of_handshakes_is_bounded_and_shuts_nobody_out),
        cmocka_unit_test(strangers_that_take_every_session_shut_nobody_out),
        cmocka_unit_test(a_client_that_never_acknowledges_only_slows_itself),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
