/* Sessions without sockets: handshakes, key pinning, sealed frames, the replay window, and what a
 * stranger may send. ctest: timeout=120 */
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/os.h"
#include "core/base/prng.h"
#include "core/net/session.h"

#define PLAIN_MAX 256u

struct party {
    sy_secret_key *key;
    struct sy_public_key public_key;
    sy_tls *tls;
};

static void open_party(struct party *party, uint8_t seed)
{
    uint8_t bytes[32];
    memset(bytes, seed, sizeof bytes);
    assert_int_equal(sy_secret_key_from_seed(&party->key, bytes), SY_OK);
    sy_secret_key_public(party->key, &party->public_key);
    assert_int_equal(sy_tls_open(&party->tls, party->key, NULL), SY_OK);
}

static void close_party(struct party *party)
{
    sy_tls_close(party->tls);
    sy_secret_key_close(party->key);
}

static struct sy_session_id fresh_id(void)
{
    struct sy_session_id id;
    sy_os_random(id.bytes, sizeof id.bytes);
    return id;
}

// Carries flights to and fro until both are established or one fails; returns the first failure.
static sy_status run_handshake(sy_session *starter, sy_session *answerer)
{
    uint8_t flight[SY_FLIGHT_BYTES_MAX];
    uint8_t answer[SY_FLIGHT_BYTES_MAX];
    size_t size = 0;
    size_t answer_size = 0;
    sy_status status = sy_session_step(starter, flight, &size, sy_slice_of(NULL, 0));
    for (int round = 0; status == SY_OK && size > 0 && round < 8; round++) {
        status = sy_session_step(answerer, answer, &answer_size, sy_slice_of(flight, size));
        if (status != SY_OK || answer_size == 0) break;
        status = sy_session_step(starter, flight, &size, sy_slice_of(answer, answer_size));
    }
    return status;
}

struct pair {
    struct party alice, bob;
    sy_session *a, *b;
};

static void open_sessions(struct pair *pair, enum sy_session_role a, enum sy_session_role b)
{
    struct sy_session_id id = fresh_id();
    const struct sy_public_key *pinned = b == SY_SESSION_SERVER ? NULL : &pair->alice.public_key;
    assert_int_equal(sy_session_open(&pair->a, pair->alice.tls, a, &id, &pair->bob.public_key),
                     SY_OK);
    assert_int_equal(sy_session_open(&pair->b, pair->bob.tls, b, &id, pinned), SY_OK);
}

static void open_pair(struct pair *pair, enum sy_session_role a, enum sy_session_role b)
{
    open_party(&pair->alice, 1);
    open_party(&pair->bob, 2);
    open_sessions(pair, a, b);
    assert_int_equal(run_handshake(pair->a, pair->b), SY_OK);
    assert_true(sy_session_established(pair->a));
    assert_true(sy_session_established(pair->b));
}

static void close_sessions(struct pair *pair)
{
    sy_session_close(pair->a);
    sy_session_close(pair->b);
}

static void close_pair(struct pair *pair)
{
    close_sessions(pair);
    close_party(&pair->alice);
    close_party(&pair->bob);
}

static size_t seal_text(sy_session *session, enum sy_channel channel, uint8_t *frame,
                        const char *text)
{
    size_t size = strlen(text);
    memcpy(frame + SY_FRAME_HEAD, text, size);
    assert_int_equal(sy_session_seal(session, channel, frame, size), SY_OK);
    return SY_FRAME_OVERHEAD + size;
}

static void assert_carries(sy_session *from, sy_session *to, enum sy_channel channel,
                           const char *text)
{
    uint8_t frame[SY_FRAME_OVERHEAD + PLAIN_MAX];
    struct sy_slice plain;
    size_t size = seal_text(from, channel, frame, text);
    assert_int_equal(sy_session_unseal(to, &plain, channel, frame, size), SY_OK);
    assert_int_equal(plain.size, strlen(text));
    assert_memory_equal(plain.data, text, plain.size);
}

CASE(validators_agree_on_keys_in_both_directions_and_channels)
{
    struct pair pair;
    open_pair(&pair, SY_SESSION_INITIATOR, SY_SESSION_RESPONDER);
    assert_carries(pair.a, pair.b, SY_CHANNEL_CONTROL, "from a");
    assert_carries(pair.b, pair.a, SY_CHANNEL_CONTROL, "from b");
    assert_carries(pair.a, pair.b, SY_CHANNEL_BULK, "bulk from a");
    assert_carries(pair.b, pair.a, SY_CHANNEL_BULK, "bulk from b");
    assert_carries(pair.a, pair.b, SY_CHANNEL_CONTROL, "");
    close_pair(&pair);
}

CASE(a_client_without_a_key_agrees_with_the_server_it_pins)
{
    struct pair pair;
    struct sy_session_id id = fresh_id();
    sy_tls *anonymous;
    open_party(&pair.alice, 1);
    open_party(&pair.bob, 2);
    assert_int_equal(sy_tls_open(&anonymous, NULL, NULL), SY_OK);
    assert_int_equal(
        sy_session_open(&pair.a, anonymous, SY_SESSION_CLIENT, &id, &pair.bob.public_key), SY_OK);
    assert_int_equal(sy_session_open(&pair.b, pair.bob.tls, SY_SESSION_SERVER, &id, NULL), SY_OK);
    assert_int_equal(run_handshake(pair.a, pair.b), SY_OK);
    assert_carries(pair.a, pair.b, SY_CHANNEL_CLIENT, "request");
    assert_carries(pair.b, pair.a, SY_CHANNEL_CLIENT, "reply");
    sy_tls_close(anonymous);
    close_pair(&pair);
}

// The pinned key of one side is replaced by a third party's.
static sy_status handshake_with_wrong_key(bool at_initiator, bool at_responder, sy_session **a,
                                          sy_session **b)
{
    struct party alice, bob, mallory;
    struct sy_session_id id = fresh_id();
    open_party(&alice, 1);
    open_party(&bob, 2);
    open_party(&mallory, 3);
    assert_int_equal(sy_session_open(a, alice.tls, SY_SESSION_INITIATOR, &id,
                                     at_initiator ? &mallory.public_key : &bob.public_key),
                     SY_OK);
    assert_int_equal(sy_session_open(b, bob.tls, SY_SESSION_RESPONDER, &id,
                                     at_responder ? &mallory.public_key : &alice.public_key),
                     SY_OK);
    sy_status status = run_handshake(*a, *b);
    close_party(&alice);
    close_party(&bob);
    close_party(&mallory);
    return status;
}

CASE(an_initiator_refuses_a_responder_with_another_key)
{
    sy_session *a, *b;
    assert_int_equal(handshake_with_wrong_key(true, false, &a, &b), SY_ERR_PERMISSION);
    assert_false(sy_session_established(a));
    assert_false(sy_session_established(b));
    sy_session_close(a);
    sy_session_close(b);
}

CASE(a_responder_refuses_an_initiator_with_another_key)
{
    sy_session *a, *b;
    assert_int_equal(handshake_with_wrong_key(false, true, &a, &b), SY_ERR_PERMISSION);
    assert_false(sy_session_established(b));
    sy_session_close(a);
    sy_session_close(b);
}

CASE(a_responder_refuses_an_initiator_without_a_key)
{
    struct party bob, alice;
    sy_tls *anonymous;
    sy_session *a, *b;
    struct sy_session_id id = fresh_id();
    open_party(&alice, 1);
    open_party(&bob, 2);
    assert_int_equal(sy_tls_open(&anonymous, NULL, NULL), SY_OK);
    assert_int_equal(sy_session_open(&a, anonymous, SY_SESSION_CLIENT, &id, &bob.public_key),
                     SY_OK);
    assert_int_equal(sy_session_open(&b, bob.tls, SY_SESSION_RESPONDER, &id, &alice.public_key),
                     SY_OK);
    assert_int_not_equal(run_handshake(a, b), SY_OK);
    assert_false(sy_session_established(b));
    sy_session_close(a);
    sy_session_close(b);
    sy_tls_close(anonymous);
    close_party(&alice);
    close_party(&bob);
}

CASE(sessions_with_different_ids_have_different_keys)
{
    struct pair pair;
    struct sy_session_id other = fresh_id();
    uint8_t frame[SY_FRAME_OVERHEAD + PLAIN_MAX];
    struct sy_slice plain;
    open_party(&pair.alice, 1);
    open_party(&pair.bob, 2);
    open_sessions(&pair, SY_SESSION_INITIATOR, SY_SESSION_RESPONDER);
    sy_session_close(pair.b);
    assert_int_equal(sy_session_open(&pair.b, pair.bob.tls, SY_SESSION_RESPONDER, &other,
                                     &pair.alice.public_key),
                     SY_OK);
    // One TLS handshake, but the two sides name their session differently.
    assert_int_equal(run_handshake(pair.a, pair.b), SY_OK);
    size_t size = seal_text(pair.a, SY_CHANNEL_CONTROL, frame, "hello");
    assert_int_equal(sy_session_unseal(pair.b, &plain, SY_CHANNEL_CONTROL, frame, size),
                     SY_ERR_FORMAT);
    memcpy(frame + 4, other.bytes, sizeof other.bytes);
    assert_int_equal(sy_session_unseal(pair.b, &plain, SY_CHANNEL_CONTROL, frame, size),
                     SY_ERR_CRYPTO);
    close_pair(&pair);
}

CASE(a_frame_is_refused_on_the_other_channel_and_in_the_other_direction)
{
    struct pair pair;
    uint8_t frame[SY_FRAME_OVERHEAD + PLAIN_MAX];
    uint8_t copy[sizeof frame];
    struct sy_slice plain;
    open_pair(&pair, SY_SESSION_INITIATOR, SY_SESSION_RESPONDER);
    size_t size = seal_text(pair.a, SY_CHANNEL_CONTROL, frame, "for control");
    memcpy(copy, frame, size);
    assert_int_equal(sy_session_unseal(pair.b, &plain, SY_CHANNEL_BULK, copy, size), SY_ERR_CRYPTO);
    memcpy(copy, frame, size);
    assert_int_equal(sy_session_unseal(pair.a, &plain, SY_CHANNEL_CONTROL, copy, size),
                     SY_ERR_CRYPTO);
    assert_int_equal(sy_session_unseal(pair.b, &plain, SY_CHANNEL_CLIENT, frame, size),
                     SY_ERR_FORMAT);
    assert_int_equal(sy_session_unseal(pair.b, &plain, SY_CHANNEL_CONTROL, frame, size), SY_OK);
    close_pair(&pair);
}

CASE(a_replayed_frame_is_refused_once_and_for_all)
{
    struct pair pair;
    uint8_t frame[SY_FRAME_OVERHEAD + PLAIN_MAX];
    uint8_t copy[sizeof frame];
    struct sy_slice plain;
    open_pair(&pair, SY_SESSION_INITIATOR, SY_SESSION_RESPONDER);
    size_t size = seal_text(pair.a, SY_CHANNEL_CONTROL, frame, "pay once");
    for (int i = 0; i < 3; i++) {
        memcpy(copy, frame, size);
        assert_int_equal(sy_session_unseal(pair.b, &plain, SY_CHANNEL_CONTROL, copy, size),
                         i == 0 ? SY_OK : SY_ERR_EXISTS);
    }
    assert_carries(pair.a, pair.b, SY_CHANNEL_CONTROL, "next");
    close_pair(&pair);
}

CASE(reordered_frames_arrive_once_each)
{
    enum { COUNT = 1024, SIZE = SY_FRAME_OVERHEAD + 8 };
    struct pair pair;
    struct sy_slice plain;
    sy_prng prng;
    uint8_t *frames = malloc(COUNT * SIZE);
    uint8_t copy[SIZE];
    uint32_t order[COUNT];
    assert_non_null(frames);
    sy_prng_seed(&prng, test_seed());
    open_pair(&pair, SY_SESSION_INITIATOR, SY_SESSION_RESPONDER);
    for (uint32_t i = 0; i < COUNT; i++) {
        sy_store_u64(frames + i * SIZE + SY_FRAME_HEAD, i);
        assert_int_equal(sy_session_seal(pair.a, SY_CHANNEL_BULK, frames + i * SIZE, 8), SY_OK);
        order[i] = i;
    }
    for (uint32_t i = COUNT - 1; i > 0; i--) {
        uint32_t j = (uint32_t)sy_prng_below(&prng, i + 1);
        uint32_t swap = order[i];
        order[i] = order[j];
        order[j] = swap;
    }
    for (uint32_t i = 0; i < 2 * COUNT; i++) {
        memcpy(copy, frames + order[i % COUNT] * SIZE, SIZE);
        sy_status expected = i < COUNT ? SY_OK : SY_ERR_EXISTS;
        assert_int_equal(sy_session_unseal(pair.b, &plain, SY_CHANNEL_BULK, copy, SIZE), expected);
        if (i < COUNT) assert_int_equal(sy_load_u64(plain.data), order[i]);
    }
    free(frames);
    close_pair(&pair);
}

CASE(every_flipped_bit_of_a_frame_is_refused_and_costs_nothing_else)
{
    struct pair pair;
    uint8_t frame[SY_FRAME_OVERHEAD + PLAIN_MAX];
    uint8_t copy[sizeof frame];
    struct sy_slice plain;
    open_pair(&pair, SY_SESSION_INITIATOR, SY_SESSION_RESPONDER);
    size_t size = seal_text(pair.a, SY_CHANNEL_CONTROL, frame, "blood group");
    for (size_t bit = 0; bit < size * 8; bit++) {
        memcpy(copy, frame, size);
        copy[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_int_not_equal(sy_session_unseal(pair.b, &plain, SY_CHANNEL_CONTROL, copy, size),
                             SY_OK);
        assert_int_equal(plain.size, 0);
    }
    // The counter's flips named far counters: none of them may have moved the window.
    assert_int_equal(sy_session_unseal(pair.b, &plain, SY_CHANNEL_CONTROL, frame, size), SY_OK);
    close_pair(&pair);
}

CASE(every_truncated_frame_is_refused)
{
    struct pair pair;
    uint8_t frame[SY_FRAME_OVERHEAD + PLAIN_MAX];
    struct sy_slice plain;
    open_pair(&pair, SY_SESSION_INITIATOR, SY_SESSION_RESPONDER);
    size_t size = seal_text(pair.a, SY_CHANNEL_CONTROL, frame, "truncate me");
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *copy = malloc(cut ? cut : 1); // exact, so that a read past its end is seen
        assert_non_null(copy);
        memcpy(copy, frame, cut);
        assert_int_not_equal(sy_session_unseal(pair.b, &plain, SY_CHANNEL_CONTROL, copy, cut),
                             SY_OK);
        free(copy);
    }
    assert_int_equal(sy_session_unseal(pair.b, &plain, SY_CHANNEL_CONTROL, frame, size), SY_OK);
    close_pair(&pair);
}

CASE(the_replay_window_moves_and_forgets_only_what_is_old)
{
    struct sy_replay replay = {0};
    assert_true(sy_replay_is_fresh(&replay, 0));
    sy_replay_mark(&replay, 0);
    assert_false(sy_replay_is_fresh(&replay, 0));
    assert_true(sy_replay_is_fresh(&replay, SY_REPLAY_WINDOW));
    sy_replay_mark(&replay, SY_REPLAY_WINDOW);
    assert_false(sy_replay_is_fresh(&replay, 0));
    assert_true(sy_replay_is_fresh(&replay, 1));
    assert_true(sy_replay_is_fresh(&replay, SY_REPLAY_WINDOW - 1));
    sy_replay_mark(&replay, UINT64_MAX - 1);
    assert_false(sy_replay_is_fresh(&replay, UINT64_MAX - 1));
    assert_true(sy_replay_is_fresh(&replay, UINT64_MAX - 2));
    assert_false(sy_replay_is_fresh(&replay, SY_REPLAY_WINDOW + 1));
    assert_false(sy_replay_is_fresh(&replay, UINT64_MAX));
}

// Against a plain set of all counters seen.
CASE(the_replay_window_agrees_with_a_set)
{
    enum { SPAN = 40000 };
    static bool seen[SPAN];
    struct sy_replay replay = {0};
    sy_prng prng;
    uint64_t newest = 0;
    bool any = false;
    memset(seen, 0, sizeof seen);
    sy_prng_seed(&prng, test_seed());
    for (int i = 0; i < 200000; i++) {
        uint64_t spread = sy_prng_chance(&prng, 1, 50) ? 3 * SY_REPLAY_WINDOW : 70;
        uint64_t back = sy_prng_below(&prng, 2 * SY_REPLAY_WINDOW);
        uint64_t counter = newest + sy_prng_below(&prng, spread);
        if (sy_prng_chance(&prng, 2, 3)) counter = newest > back ? newest - back : 0;
        if (counter >= SPAN) continue;
        bool old = any && newest >= SY_REPLAY_WINDOW + counter;
        assert_int_equal(sy_replay_is_fresh(&replay, counter), !old && !seen[counter]);
        if (old || seen[counter]) continue;
        sy_replay_mark(&replay, counter);
        seen[counter] = true;
        any = true;
        if (counter > newest) newest = counter;
    }
}

CASE(garbage_flights_fail_the_handshake_and_nothing_else)
{
    struct party alice, bob;
    sy_prng prng;
    open_party(&alice, 1);
    open_party(&bob, 2);
    sy_prng_seed(&prng, test_seed());
    for (int i = 0; i < 200; i++) {
        uint8_t flight[600];
        uint8_t out[SY_FLIGHT_BYTES_MAX];
        size_t out_size;
        struct sy_session_id id = fresh_id();
        sy_session *session;
        size_t size = 1 + sy_prng_below(&prng, sizeof flight);
        sy_prng_fill(&prng, flight, size);
        assert_int_equal(
            sy_session_open(&session, bob.tls, SY_SESSION_RESPONDER, &id, &alice.public_key),
            SY_OK);
        sy_status status = sy_session_step(session, out, &out_size, sy_slice_of(flight, size));
        assert_true(status != SY_OK || out_size == 0);
        assert_false(sy_session_established(session));
        sy_session_close(session);
    }
    close_party(&alice);
    close_party(&bob);
}

// Flips one random bit of one flight: the two sides must not both come up with different ideas.
CASE(a_damaged_flight_never_gives_working_keys)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    struct pair pair;
    open_party(&pair.alice, 1);
    open_party(&pair.bob, 2);
    for (int i = 0; i < 60; i++) {
        uint8_t flight[SY_FLIGHT_BYTES_MAX];
        uint8_t answer[SY_FLIGHT_BYTES_MAX];
        size_t size;
        open_sessions(&pair, SY_SESSION_INITIATOR, SY_SESSION_RESPONDER);
        assert_int_equal(sy_session_step(pair.a, flight, &size, sy_slice_of(NULL, 0)), SY_OK);
        int target = i % 3;
        sy_session *turn = pair.b;
        sy_status status = SY_OK;
        for (int hop = 0; hop < 3 && status == SY_OK && size > 0; hop++) {
            if (hop == target) {
                // Beyond the first record's header: its version byte is a relic TLS ignores.
                uint64_t bit = 40 + sy_prng_below(&prng, size * 8 - 40);
                flight[bit / 8] ^= (uint8_t)(1u << (bit % 8));
            }
            status = sy_session_step(turn, answer, &size, sy_slice_of(flight, size));
            memcpy(flight, answer, size);
            turn = turn == pair.b ? pair.a : pair.b;
        }
        // The responder decides last, and it must not have been convinced.
        assert_false(sy_session_established(pair.b));
        close_sessions(&pair);
    }
    close_party(&pair.alice);
    close_party(&pair.bob);
}

CASE(a_finished_or_failed_session_takes_no_more_flights)
{
    struct pair pair;
    uint8_t out[SY_FLIGHT_BYTES_MAX];
    size_t size;
    const uint8_t garbage[] = "garbage";
    open_pair(&pair, SY_SESSION_INITIATOR, SY_SESSION_RESPONDER);
    assert_int_equal(sy_session_step(pair.a, out, &size, sy_slice_of(garbage, 7)), SY_ERR_CRYPTO);
    assert_carries(pair.a, pair.b, SY_CHANNEL_CONTROL, "still fine");
    close_pair(&pair);
}

CASE(frames_have_one_encoding)
{
    uint8_t bytes[SY_FRAME_PLAIN_MAX];
    uint8_t again[SY_FRAME_PLAIN_MAX];
    const uint8_t flight[] = "a flight";
    struct sy_frame parsed;
    struct sy_frame frames[] = {
        {.type = SY_FRAME_HELLO, .sender = {{7}}, .flight = {flight, sizeof flight}},
        {.type = SY_FRAME_FLIGHT, .flight = {flight, sizeof flight}},
        {.type = SY_FRAME_KNOCK, .sender = {{9}}},
        {.type = SY_FRAME_RESET},
        {.type = SY_FRAME_BUSY, .retry_ms = 1234567},
    };
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        frames[i].id = fresh_id();
        size_t size = sy_frame_encode(bytes, sizeof bytes, &frames[i]);
        assert_int_equal(sy_frame_parse(&parsed, sy_slice_of(bytes, size)), SY_OK);
        assert_int_equal(sy_frame_encode(again, sizeof again, &parsed), size);
        assert_memory_equal(bytes, again, size);
        assert_int_not_equal(sy_frame_parse(&parsed, sy_slice_of(bytes, 19)), SY_OK);
        for (size_t at = 0; at < 4; at++) {
            bytes[at] ^= 0x40;
            assert_int_not_equal(sy_frame_parse(&parsed, sy_slice_of(bytes, size)), SY_OK);
            bytes[at] ^= 0x40;
        }
    }
}

CASE(frames_longer_than_their_type_allows_are_refused)
{
    static uint8_t bytes[SY_FRAME_BYTES_MAX + 1];
    struct sy_frame frame = {.type = SY_FRAME_KNOCK};
    struct sy_frame parsed;
    size_t size = sy_frame_encode(bytes, sizeof bytes, &frame);
    assert_int_equal(sy_frame_parse(&parsed, sy_slice_of(bytes, size + 1)), SY_ERR_FORMAT);
    frame.type = SY_FRAME_RESET;
    size = sy_frame_encode(bytes, sizeof bytes, &frame);
    assert_int_equal(sy_frame_parse(&parsed, sy_slice_of(bytes, size + 1)), SY_ERR_FORMAT);
    bytes[1] = SY_FRAME_FLIGHT;
    assert_int_equal(sy_frame_parse(&parsed, sy_slice_of(bytes, SY_FRAME_PREFIX)), SY_ERR_FORMAT);
    assert_int_equal(
        sy_frame_parse(&parsed, sy_slice_of(bytes, SY_FRAME_PREFIX + SY_FLIGHT_BYTES_MAX + 1)),
        SY_ERR_FORMAT);
    bytes[1] = SY_FRAME_DATA;
    assert_int_equal(sy_frame_parse(&parsed, sy_slice_of(bytes, SY_FRAME_BYTES_MAX)), SY_OK);
    assert_int_equal(sy_frame_parse(&parsed, sy_slice_of(bytes, sizeof bytes)), SY_ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(validators_agree_on_keys_in_both_directions_and_channels),
        cmocka_unit_test(a_client_without_a_key_agrees_with_the_server_it_pins),
        cmocka_unit_test(an_initiator_refuses_a_responder_with_another_key),
        cmocka_unit_test(a_responder_refuses_an_initiator_with_another_key),
        cmocka_unit_test(a_responder_refuses_an_initiator_without_a_key),
        cmocka_unit_test(sessions_with_different_ids_have_different_keys),
        cmocka_unit_test(a_frame_is_refused_on_the_other_channel_and_in_the_other_direction),
        cmocka_unit_test(a_replayed_frame_is_refused_once_and_for_all),
        cmocka_unit_test(reordered_frames_arrive_once_each),
        cmocka_unit_test(every_flipped_bit_of_a_frame_is_refused_and_costs_nothing_else),
        cmocka_unit_test(every_truncated_frame_is_refused),
        cmocka_unit_test(the_replay_window_moves_and_forgets_only_what_is_old),
        cmocka_unit_test(the_replay_window_agrees_with_a_set),
        cmocka_unit_test(garbage_flights_fail_the_handshake_and_nothing_else),
        cmocka_unit_test(a_damaged_flight_never_gives_working_keys),
        cmocka_unit_test(a_finished_or_failed_session_takes_no_more_flights),
        cmocka_unit_test(frames_have_one_encoding),
        cmocka_unit_test(frames_longer_than_their_type_allows_are_refused),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
