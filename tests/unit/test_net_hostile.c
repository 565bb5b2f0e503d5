/* Links between two honest validators, with a stranger on the network who sees, holds, changes and
 * sends what it likes: everything is refused and counted, and the real session goes on.
 * ctest: threaded timeout=600 */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/os.h"
#include "core/base/prng.h"
#include "core/net/sock.h"
#include "tests/support/links.h"

#define HELD_MAX 64u

// What the stranger does with a message that passes by.
enum deed { FORWARD, HOLD };

struct message {
    uint8_t *bytes;
    size_t size;
};

// The road of control messages to one validator, with the stranger sitting on it.
struct tap {
    struct sy_sock in, out;
    char address[64];
    enum deed deed; /* with DATA frames */
    struct message held[HELD_MAX];
    uint32_t held_count;
    struct message last_data;   /* a copy of the newest DATA frame forwarded */
    struct message last_flight; /* a copy of the newest FLIGHT frame forwarded */
};

struct scene {
    struct test_links net;
    uint32_t initiator, responder;
    struct tap taps[2];   /* on the road to validator i */
    struct sy_sock to[2]; /* the stranger's own connection to validator i */
};

static void put_message(struct sy_sock *sock, const uint8_t *bytes, size_t size)
{
    uint8_t *copy = sy_message_new(size);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    for (int ms = 0; sy_sock_send(sock, copy, NULL) != SY_OK; ms++) {
        assert_true(ms < TEST_PATIENCE_MS);
        test_sleep_ms(1);
    }
}

static void keep_copy(struct message *message, const uint8_t *bytes, size_t size)
{
    free(message->bytes);
    message->bytes = malloc(size);
    assert_non_null(message->bytes);
    memcpy(message->bytes, bytes, size);
    message->size = size;
}

static void pass_message(struct tap *tap, const struct sy_message *message)
{
    struct sy_frame frame;
    struct sy_slice bytes = sy_slice_of(message->data, message->size);
    bool known = sy_frame_parse(&frame, bytes) == SY_OK;
    if (known && frame.type == SY_FRAME_DATA) {
        if (tap->deed == HOLD && message->size > SY_FRAME_OVERHEAD + 1) {
            assert_true(tap->held_count < HELD_MAX);
            keep_copy(&tap->held[tap->held_count++], message->data, message->size);
            return;
        }
        keep_copy(&tap->last_data, message->data, message->size);
    }
    if (known && frame.type == SY_FRAME_FLIGHT) {
        keep_copy(&tap->last_flight, message->data, message->size);
    }
    put_message(&tap->out, message->data, message->size);
}

// Moves what has arrived, for about ms milliseconds.
static void pump(struct scene *scene, unsigned ms)
{
    for (unsigned i = 0; i < ms; i++) {
        for (size_t t = 0; t < 2; t++) {
            struct sy_message message;
            while (sy_sock_recv(&scene->taps[t].in, &message) == SY_OK) {
                pass_message(&scene->taps[t], &message);
                sy_message_free(message.data);
            }
        }
        test_sleep_ms(1);
    }
}

static bool both_up(struct scene *scene)
{
    struct sy_link_peer_state a, b;
    return sy_link_get_peer_state(scene->net.links[0], 1, &a) && a.established &&
           sy_link_get_peer_state(scene->net.links[1], 0, &b) && b.established;
}

static void open_scene_of(struct scene *scene)
{
    memset(scene, 0, sizeof *scene);
    test_links_prepare(&scene->net, 2);
    scene->initiator = memcmp(&scene->net.peers[0].key, &scene->net.peers[1].key, 32) < 0 ? 0 : 1;
    scene->responder = 1 - scene->initiator;
    uint16_t port = test_free_ports(2);
    for (uint32_t i = 0; i < 2; i++) {
        struct tap *tap = &scene->taps[i];
        snprintf(tap->address, sizeof tap->address, "tcp://127.0.0.1:%u", port + i);
        assert_int_equal(sy_sock_bind(&tap->in, SY_SOCK_PULL, tap->address, "the tap", NULL),
                         SY_OK);
        assert_int_equal(
            sy_sock_connect(&tap->out, SY_SOCK_PUSH, scene->net.peers[i].control, NULL), SY_OK);
        assert_int_equal(
            sy_sock_connect(&scene->to[i], SY_SOCK_PUSH, scene->net.peers[i].control, NULL), SY_OK);
    }
}

static void open_link(struct scene *scene, uint32_t index)
{
    struct sy_link_peer roster[2] = {scene->net.peers[0], scene->net.peers[1]};
    strcpy(roster[1 - index].control, scene->taps[1 - index].address);
    test_links_open(&scene->net, index, roster);
}

static void wait_up(struct scene *scene)
{
    for (int ms = 0; !both_up(scene); ms += 5) {
        assert_true(ms < TEST_PATIENCE_MS);
        pump(scene, 5);
    }
}

static void open_scene(struct scene *scene)
{
    open_scene_of(scene);
    open_link(scene, 0);
    open_link(scene, 1);
    wait_up(scene);
}

static void close_scene(struct scene *scene)
{
    for (uint32_t i = 0; i < 2; i++) {
        struct tap *tap = &scene->taps[i];
        sy_sock_close(&tap->in);
        sy_sock_close(&tap->out);
        sy_sock_close(&scene->to[i]);
        free(tap->last_data.bytes);
        free(tap->last_flight.bytes);
        for (uint32_t h = 0; h < tap->held_count; h++) free(tap->held[h].bytes);
    }
    test_links_stop(&scene->net);
}

// Waits for the next payload at `to`; false after a while.
static bool take_text(struct scene *scene, uint32_t to, char *text, size_t text_max, int ms_max)
{
    struct sy_link_frame frame;
    for (int ms = 0; ms < ms_max; ms++) {
        pump(scene, 1);
        if (!sy_link_recv(scene->net.links[to], &frame)) continue;
        assert_true(frame.payload.size < text_max);
        assert_int_equal(frame.peer, 1 - to);
        memcpy(text, frame.payload.data, frame.payload.size);
        text[frame.payload.size] = '\0';
        sy_link_frame_release(scene->net.links[to], &frame);
        return true;
    }
    return false;
}

static void assert_nothing_arrives(struct scene *scene, uint32_t to)
{
    char text[64];
    assert_false(take_text(scene, to, text, sizeof text, 30));
}

static void send_text(struct scene *scene, uint32_t from, const char *text)
{
    assert_int_equal(sy_link_send(scene->net.links[from], 1 - from, SY_CHANNEL_CONTROL,
                                  sy_slice_of(text, strlen(text))),
                     SY_OK);
}

static void assert_goes_on(struct scene *scene, const char *text)
{
    char got[64];
    for (uint32_t from = 0; from < 2; from++) {
        send_text(scene, from, text);
        assert_true(take_text(scene, 1 - from, got, sizeof got, TEST_PATIENCE_MS));
        assert_string_equal(got, text);
    }
}

// Sends text until it arrives: where a peer was restarted, frames under its old session are lost.
static void assert_comes_through(struct scene *scene, uint32_t from, const char *text)
{
    char got[64];
    for (int tries = 0; tries < TEST_PATIENCE_MS / 100; tries++) {
        send_text(scene, from, text);
        while (take_text(scene, 1 - from, got, sizeof got, 100)) {
            if (strcmp(got, text) == 0) return;
        }
    }
    fail_msg("'%s' never came through", text);
}

static uint64_t session_count(struct scene *scene)
{
    struct sy_link_peer_state a, b;
    assert_true(sy_link_get_peer_state(scene->net.links[0], 1, &a));
    assert_true(sy_link_get_peer_state(scene->net.links[1], 0, &b));
    return a.established_count + b.established_count;
}

CASE(replayed_frames_are_counted_and_not_delivered)
{
    struct scene scene;
    char text[64];
    open_scene(&scene);
    for (uint32_t to = 0; to < 2; to++) {
        send_text(&scene, 1 - to, "only once");
        assert_true(take_text(&scene, to, text, sizeof text, TEST_PATIENCE_MS));
        struct message *heard = &scene.taps[to].last_data;
        uint64_t before = test_count(SY_NET_REPLAYED);
        for (int i = 0; i < 5; i++) put_message(&scene.to[to], heard->bytes, heard->size);
        test_wait_count(SY_NET_REPLAYED, before + 5);
        assert_nothing_arrives(&scene, to);
    }
    assert_goes_on(&scene, "and on");
    close_scene(&scene);
}

CASE(changed_frames_are_counted_and_the_real_one_still_arrives)
{
    struct scene scene;
    char text[64];
    open_scene(&scene);
    scene.taps[1].deed = HOLD;
    send_text(&scene, 0, "do not touch");
    while (scene.taps[1].held_count == 0) pump(&scene, 1);
    scene.taps[1].deed = FORWARD;
    struct message *held = &scene.taps[1].held[0];
    uint64_t before = test_count(SY_NET_FORGED);
    for (size_t at = SY_FRAME_HEAD; at < held->size; at++) {
        held->bytes[at] ^= 1;
        put_message(&scene.to[1], held->bytes, held->size);
        held->bytes[at] ^= 1;
    }
    test_wait_count(SY_NET_FORGED, before + held->size - SY_FRAME_HEAD);
    assert_nothing_arrives(&scene, 1);
    put_message(&scene.to[1], held->bytes, held->size);
    assert_true(take_text(&scene, 1, text, sizeof text, TEST_PATIENCE_MS));
    assert_string_equal(text, "do not touch");
    close_scene(&scene);
}

CASE(a_strangers_frame_under_a_peers_session_id_harms_nothing)
{
    struct scene scene;
    uint8_t forged[200];
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    open_scene(&scene);
    assert_goes_on(&scene, "so that a frame was seen");
    uint64_t sessions = session_count(&scene);
    for (uint32_t to = 0; to < 2; to++) {
        uint64_t before = test_count(SY_NET_FORGED);
        uint64_t newest = sy_load_u64(scene.taps[to].last_data.bytes + 20);
        sy_prng_fill(&prng, forged, sizeof forged);
        memcpy(forged, scene.taps[to].last_data.bytes, SY_FRAME_HEAD);
        for (uint64_t i = 1; i <= 100; i++) {
            // The next counters, which the peer is about to use, and some that are far away.
            sy_store_u64(forged + 20, i <= 50 ? newest + i : newest + (i << 40));
            put_message(&scene.to[to], forged, sizeof forged);
        }
        test_wait_count(SY_NET_FORGED, before + 100);
        assert_nothing_arrives(&scene, to);
    }
    for (int i = 0; i < 60; i++) assert_goes_on(&scene, "undisturbed");
    assert_int_equal(session_count(&scene), sessions);
    close_scene(&scene);
}

CASE(reordered_frames_arrive_once_each)
{
    enum { COUNT = 20 };
    struct scene scene;
    char text[64];
    bool seen[COUNT] = {false};
    open_scene(&scene);
    scene.taps[0].deed = HOLD;
    for (int i = 0; i < COUNT; i++) {
        snprintf(text, sizeof text, "%d", i);
        send_text(&scene, 1, text);
    }
    while (scene.taps[0].held_count < COUNT) pump(&scene, 1);
    scene.taps[0].deed = FORWARD;
    for (uint32_t i = COUNT; i-- > 0;) {
        put_message(&scene.to[0], scene.taps[0].held[i].bytes, scene.taps[0].held[i].size);
    }
    for (int i = 0; i < COUNT; i++) {
        assert_true(take_text(&scene, 0, text, sizeof text, TEST_PATIENCE_MS));
        int number = atoi(text);
        assert_true(number >= 0 && number < COUNT && !seen[number]);
        seen[number] = true;
    }
    assert_nothing_arrives(&scene, 0);
    close_scene(&scene);
}

CASE(garbage_of_every_length_is_counted)
{
    struct scene scene;
    uint8_t garbage[300];
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    open_scene(&scene);
    uint64_t before = test_count(SY_NET_GARBAGE);
    for (size_t size = 1; size <= sizeof garbage; size++) {
        sy_prng_fill(&prng, garbage, size);
        garbage[0] = 0xee; // no version of ours
        put_message(&scene.to[0], garbage, size);
    }
    test_wait_count(SY_NET_GARBAGE, before + sizeof garbage);
    assert_goes_on(&scene, "unmoved");
    close_scene(&scene);
}

CASE(truncated_frames_are_refused)
{
    struct scene scene;
    open_scene(&scene);
    assert_goes_on(&scene, "so that a frame was seen");
    struct message heard = {0};
    keep_copy(&heard, scene.taps[1].last_data.bytes, scene.taps[1].last_data.size);
    uint64_t garbage = test_count(SY_NET_GARBAGE);
    uint64_t replayed = test_count(SY_NET_REPLAYED);
    for (size_t cut = 1; cut < heard.size; cut++) put_message(&scene.to[1], heard.bytes, cut);
    // Shorter than a header and a tag: no frame. Longer: the counter was seen.
    test_wait_count(SY_NET_GARBAGE, garbage + SY_FRAME_OVERHEAD - 1);
    test_wait_count(SY_NET_REPLAYED, replayed + heard.size - SY_FRAME_OVERHEAD);
    assert_nothing_arrives(&scene, 1);
    assert_goes_on(&scene, "unmoved");
    free(heard.bytes);
    close_scene(&scene);
}

CASE(over_long_messages_are_refused_counted_and_harmless)
{
    struct scene scene;
    static uint8_t big[2 * SY_FRAME_BYTES_MAX];
    open_scene(&scene);
    uint64_t overlong = test_count(SY_NET_OVERLONG);
    uint64_t broken = test_count(SY_NET_BROKEN);
    put_message(&scene.to[0], big, SY_FRAME_BYTES_MAX + 1);
    test_wait_count(SY_NET_OVERLONG, overlong + 1);
    // Far above the limit the connection itself ends; a new one comes up by itself.
    put_message(&scene.to[0], big, sizeof big);
    test_wait_count(SY_NET_BROKEN, broken + 1);
    assert_goes_on(&scene, "the peers' own connections stand");
    close_scene(&scene);
}

CASE(frames_of_unknown_sessions_are_dropped_before_any_cryptography)
{
    struct scene scene;
    uint8_t frame[100] = {0};
    open_scene(&scene);
    struct sy_session_id id = {{0x55}};
    uint64_t before = test_count(SY_NET_UNKNOWN_SESSION);
    uint64_t forged = test_count(SY_NET_FORGED);
    sy_frame_encode_data(frame, &id, 0);
    for (int i = 0; i < 50; i++) put_message(&scene.to[0], frame, sizeof frame);
    test_wait_count(SY_NET_UNKNOWN_SESSION, before + 50);
    assert_int_equal(test_count(SY_NET_FORGED), forged);
    assert_goes_on(&scene, "unmoved");
    close_scene(&scene);
}

CASE(handshakes_in_the_name_of_nobody_are_refused)
{
    struct scene scene;
    uint8_t bytes[SY_FRAME_PLAIN_MAX];
    const uint8_t flight[] = "not even TLS";
    open_scene(&scene);
    struct sy_frame hello = {.type = SY_FRAME_HELLO, .flight = {flight, sizeof flight}};
    struct sy_frame to_initiator = hello;
    struct sy_frame knock = {.type = SY_FRAME_KNOCK};
    struct sy_frame to_responder = knock;
    // A responder never says hello, and an initiator never knocks.
    to_initiator.sender = scene.net.peers[scene.responder].key;
    to_responder.sender = scene.net.peers[scene.initiator].key;
    uint64_t before = test_count(SY_NET_STRANGER);
    put_message(&scene.to[0], bytes, sy_frame_encode(bytes, sizeof bytes, &hello));
    put_message(&scene.to[0], bytes, sy_frame_encode(bytes, sizeof bytes, &knock));
    put_message(&scene.to[scene.initiator], bytes,
                sy_frame_encode(bytes, sizeof bytes, &to_initiator));
    put_message(&scene.to[scene.responder], bytes,
                sy_frame_encode(bytes, sizeof bytes, &to_responder));
    test_wait_count(SY_NET_STRANGER, before + 4);
    assert_goes_on(&scene, "unmoved");
    close_scene(&scene);
}

static void say_hello(struct scene *scene, const sy_session *session, const uint8_t *flight,
                      size_t size)
{
    uint8_t bytes[SY_FRAME_PLAIN_MAX];
    struct sy_frame hello = {.type = SY_FRAME_HELLO,
                             .id = *sy_session_id(session),
                             .sender = scene->net.peers[scene->initiator].key,
                             .flight = {flight, size}};
    put_message(&scene->to[scene->responder], bytes, sy_frame_encode(bytes, sizeof bytes, &hello));
}

// The stranger starts a handshake in the initiator's name; it even reads the responder's answer,
// which goes to the initiator's address, because it sits on that road.
CASE(a_completed_handshake_with_another_key_displaces_nothing)
{
    struct scene scene;
    uint8_t bytes[SY_FRAME_PLAIN_MAX];
    uint8_t flight[SY_FLIGHT_BYTES_MAX];
    size_t size;
    uint8_t seed[32] = {99};
    sy_secret_key *key;
    sy_tls *tls;
    sy_session *impostor;
    struct sy_frame frame;
    struct sy_session_id id = {{0xaa, 0xbb}};
    open_scene(&scene);
    uint64_t sessions = session_count(&scene);
    uint64_t before = test_count(SY_NET_WRONG_KEY);
    assert_int_equal(sy_secret_key_from_seed(&key, seed), SY_OK);
    assert_int_equal(sy_tls_open(&tls, key, NULL), SY_OK);
    assert_int_equal(sy_session_open(&impostor, tls, SY_SESSION_INITIATOR, &id,
                                     &scene.net.peers[scene.responder].key),
                     SY_OK);
    assert_int_equal(sy_session_step(impostor, flight, &size, sy_slice_of(NULL, 0)), SY_OK);
    say_hello(&scene, impostor, flight, size);
    struct message *answer = &scene.taps[scene.initiator].last_flight;
    for (int ms = 0;; ms++) {
        assert_true(ms < TEST_PATIENCE_MS);
        pump(&scene, 1);
        if (!answer->bytes) continue;
        struct sy_slice heard = sy_slice_of(answer->bytes, answer->size);
        assert_int_equal(sy_frame_parse(&frame, heard), SY_OK);
        if (sy_session_id_equal(&frame.id, &id)) break;
    }
    // The responder holds the right key, so the impostor's own side comes up ...
    assert_int_equal(sy_session_step(impostor, flight, &size, frame.flight), SY_OK);
    assert_true(sy_session_established(impostor));
    struct sy_frame last = {.type = SY_FRAME_FLIGHT, .id = id, .flight = {flight, size}};
    put_message(&scene.to[scene.responder], bytes, sy_frame_encode(bytes, sizeof bytes, &last));
    // ... and the responder sees another key than the pinned one.
    test_wait_count(SY_NET_WRONG_KEY, before + 1);
    uint64_t unknown = test_count(SY_NET_UNKNOWN_SESSION);
    bytes[SY_FRAME_HEAD] = SY_INNER_PAYLOAD;
    assert_int_equal(sy_session_seal(impostor, SY_CHANNEL_CONTROL, bytes, 20), SY_OK);
    put_message(&scene.to[scene.responder], bytes, SY_FRAME_OVERHEAD + 20);
    test_wait_count(SY_NET_UNKNOWN_SESSION, unknown + 1);
    assert_nothing_arrives(&scene, scene.responder);
    assert_goes_on(&scene, "the real session stands");
    assert_int_equal(session_count(&scene), sessions);
    sy_session_close(impostor);
    sy_tls_close(tls);
    sy_secret_key_close(key);
    close_scene(&scene);
}

// Hellos are cheap to make: the responder holds 16 half-open ones at most, and the real peer still
// gets through while they keep coming.
CASE(a_flood_of_hellos_is_bounded_and_does_not_lock_the_peer_out)
{
    struct scene scene;
    uint8_t flight[SY_FLIGHT_BYTES_MAX];
    size_t size;
    sy_tls *tls;
    sy_session *session;
    struct sy_session_id id = {{0}};
    open_scene(&scene);
    assert_int_equal(sy_tls_open(&tls, NULL, NULL), SY_OK);
    assert_int_equal(sy_session_open(&session, tls, SY_SESSION_CLIENT, &id,
                                     &scene.net.peers[scene.responder].key),
                     SY_OK);
    assert_int_equal(sy_session_step(session, flight, &size, sy_slice_of(NULL, 0)), SY_OK);
    uint64_t evicted = test_count(SY_NET_EVICTED);
    uint64_t limited = test_count(SY_NET_LIMITED);
    // The initiator comes back from a restart in the middle of the flood.
    sy_link_close(scene.net.links[scene.initiator]);
    scene.net.links[scene.initiator] = NULL;
    uint64_t end_ns = sy_os_monotonic_ns() + TEST_PATIENCE_MS * UINT64_C(1000000);
    for (uint32_t i = 1; i <= 2000 || test_count(SY_NET_EVICTED) == evicted ||
                         test_count(SY_NET_LIMITED) == limited;
         i++) {
        assert_true(i <= 2000 || sy_os_monotonic_ns() < end_ns);
        uint8_t bytes[SY_FRAME_PLAIN_MAX];
        struct sy_frame hello = {.type = SY_FRAME_HELLO,
                                 .sender = scene.net.peers[scene.initiator].key,
                                 .flight = {flight, size}};
        sy_store_u32(hello.id.bytes, i);
        put_message(&scene.to[scene.responder], bytes,
                    sy_frame_encode(bytes, sizeof bytes, &hello));
        if (i == 1000) open_link(&scene, scene.initiator);
        if (i > 1000) pump(&scene, 1);
    }
    wait_up(&scene);
    assert_comes_through(&scene, scene.initiator, "through the flood");
    assert_comes_through(&scene, scene.responder, "and back");
    sy_session_close(session);
    sy_tls_close(tls);
    close_scene(&scene);
}

CASE(a_flood_of_knocks_costs_no_frame)
{
    struct scene scene;
    uint8_t bytes[SY_FRAME_PLAIN_MAX];
    open_scene(&scene);
    struct sy_frame knock = {.type = SY_FRAME_KNOCK,
                             .sender = scene.net.peers[scene.responder].key};
    size_t size = sy_frame_encode(bytes, sizeof bytes, &knock);
    uint64_t sessions = session_count(&scene);
    uint64_t start_ns = sy_os_monotonic_ns();
    for (int i = 0; i < 100; i++) {
        for (int k = 0; k < 20; k++) put_message(&scene.to[scene.initiator], bytes, size);
        assert_goes_on(&scene, "knock knock");
    }
    // One handshake a second at most, each of which both sides count.
    uint64_t seconds = (sy_os_monotonic_ns() - start_ns) / UINT64_C(1000000000);
    assert_true(session_count(&scene) - sessions <= 2 * (seconds + 2));
    close_scene(&scene);
}

CASE(a_peer_with_another_key_than_the_roster_says_never_gets_a_session)
{
    struct scene scene;
    struct sy_link_peer_state link_state;
    struct sy_link_peer roster[2];
    sy_secret_key *other;
    uint8_t seed[32] = {1};
    open_scene_of(&scene);
    // The initiator's roster names a key that the responder does not hold, and that is still the
    // larger one, so that the handshake is really tried.
    roster[0] = scene.net.peers[0];
    roster[1] = scene.net.peers[1];
    do {
        seed[1]++;
        assert_int_equal(sy_secret_key_from_seed(&other, seed), SY_OK);
        sy_secret_key_public(other, &roster[scene.responder].key);
        sy_secret_key_close(other);
    } while (memcmp(&roster[scene.responder].key, &roster[scene.initiator].key, 32) < 0);
    strcpy(roster[scene.responder].control, scene.taps[scene.responder].address);
    uint64_t wrong = test_count(SY_NET_WRONG_KEY);
    test_links_open(&scene.net, scene.initiator, roster);
    open_link(&scene, scene.responder);
    for (int ms = 0; test_count(SY_NET_WRONG_KEY) < wrong + 3; ms++) {
        assert_true(ms < TEST_PATIENCE_MS);
        pump(&scene, 1);
    }
    assert_true(
        sy_link_get_peer_state(scene.net.links[scene.initiator], scene.responder, &link_state));
    assert_int_equal(link_state.established_count, 0);
    assert_true(
        sy_link_get_peer_state(scene.net.links[scene.responder], scene.initiator, &link_state));
    assert_int_equal(link_state.established_count, 0);
    close_scene(&scene);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(replayed_frames_are_counted_and_not_delivered),
        cmocka_unit_test(changed_frames_are_counted_and_the_real_one_still_arrives),
        cmocka_unit_test(a_strangers_frame_under_a_peers_session_id_harms_nothing),
        cmocka_unit_test(reordered_frames_arrive_once_each),
        cmocka_unit_test(garbage_of_every_length_is_counted),
        cmocka_unit_test(truncated_frames_are_refused),
        cmocka_unit_test(over_long_messages_are_refused_counted_and_harmless),
        cmocka_unit_test(frames_of_unknown_sessions_are_dropped_before_any_cryptography),
        cmocka_unit_test(handshakes_in_the_name_of_nobody_are_refused),
        cmocka_unit_test(a_completed_handshake_with_another_key_displaces_nothing),
        cmocka_unit_test(a_flood_of_hellos_is_bounded_and_does_not_lock_the_peer_out),
        cmocka_unit_test(a_flood_of_knocks_costs_no_frame),
        cmocka_unit_test(a_peer_with_another_key_than_the_roster_says_never_gets_a_session),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
