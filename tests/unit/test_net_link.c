/* Links between honest validators: delivery, bounds, restarts, flaps, rosters.
 * ctest: threaded timeout=600 */
#include "tests/support/test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/os.h"
#include "core/base/prng.h"
#include "tests/support/links.h"

static void assert_error_names(const struct sy_error *err, const char *word)
{
    if (!strstr(err->text, word)) fail_msg("'%s' does not name '%s'", err->text, word);
}

CASE(every_validator_reaches_every_other_on_both_channels)
{
    struct test_links net;
    struct sy_link_frame frame;
    test_links_start(&net, 4);
    for (uint32_t a = 0; a < 4; a++) {
        for (uint32_t b = 0; b < a; b++) test_links_wait(&net, a, b);
    }
    for (uint32_t a = 0; a < 4; a++) {
        for (uint32_t c = 0; c < 2; c++) {
            uint8_t payload[2] = {(uint8_t)a, (uint8_t)c};
            assert_int_equal(sy_link_broadcast(net.links[a], UINT32_MAX, (enum sy_channel)c,
                                               sy_slice_of(payload, 2)),
                             3);
        }
    }
    for (uint32_t b = 0; b < 4; b++) {
        bool seen[4][2] = {{false}};
        for (int i = 0; i < 6; i++) {
            assert_true(test_links_take(&net, b, &frame, TEST_PATIENCE_MS));
            assert_int_equal(frame.payload.size, 2);
            assert_int_equal(frame.payload.data[0], frame.peer);
            assert_int_equal(frame.payload.data[1], frame.channel);
            assert_true(sy_public_key_equal(&frame.key, &net.peers[frame.peer].key));
            assert_int_not_equal(frame.peer, b);
            assert_false(seen[frame.peer][frame.channel]);
            seen[frame.peer][frame.channel] = true;
            sy_link_frame_release(net.links[b], &frame);
        }
    }
    test_links_stop(&net);
}

CASE(payloads_of_every_size_up_to_the_limit_arrive_whole)
{
    static const size_t sizes[] = {
        0, 1, 2, 1000, 65536, SY_LINK_PAYLOAD_MAX - 1, SY_LINK_PAYLOAD_MAX};
    struct test_links net;
    struct sy_link_frame frame;
    uint8_t *bytes = malloc(SY_LINK_PAYLOAD_MAX + 1);
    sy_prng prng;
    assert_non_null(bytes);
    sy_prng_seed(&prng, test_seed());
    sy_prng_fill(&prng, bytes, SY_LINK_PAYLOAD_MAX + 1);
    test_links_start(&net, 2);
    test_links_wait(&net, 0, 1);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct sy_slice payload = sy_slice_of(bytes, sizes[i]);
        assert_int_equal(sy_link_send(net.links[0], 1, SY_CHANNEL_BULK, payload), SY_OK);
        assert_true(test_links_take(&net, 1, &frame, TEST_PATIENCE_MS));
        assert_int_equal(frame.payload.size, sizes[i]);
        if (sizes[i] > 0) assert_memory_equal(frame.payload.data, bytes, sizes[i]);
        sy_link_frame_release(net.links[1], &frame);
    }
    assert_int_equal(
        sy_link_send(net.links[0], 1, SY_CHANNEL_BULK, sy_slice_of(bytes, SY_LINK_PAYLOAD_MAX + 1)),
        SY_ERR_LIMIT);
    // A batch of 1 MiB - 4 KiB (DESIGN.md, "A batch") has to fit.
    assert_true(SY_LINK_PAYLOAD_MAX >= 1024u * 1024u - 4096u);
    free(bytes);
    test_links_stop(&net);
}

CASE(sending_to_oneself_or_to_nobody_is_an_error)
{
    struct test_links net;
    test_links_start(&net, 2);
    struct sy_slice payload = sy_slice_of("x", 1);
    assert_int_equal(sy_link_send(net.links[0], 0, SY_CHANNEL_CONTROL, payload), SY_ERR_NOT_FOUND);
    assert_int_equal(sy_link_send(net.links[0], 2, SY_CHANNEL_CONTROL, payload), SY_ERR_NOT_FOUND);
    test_links_stop(&net);
}

CASE(a_full_queue_drops_counts_and_never_blocks)
{
    struct test_links net;
    test_links_prepare(&net, 2);
    net.config.control_frames = 8;
    net.config.bulk_bytes = 1000;
    test_links_open(&net, 0, NULL);
    uint64_t before = test_count(SY_NET_QUEUE_FULL);
    // Nobody is there: at most the bound is kept, the rest is refused.
    uint32_t taken = 0;
    for (int i = 0; i < 100; i++) {
        sy_status status = sy_link_send(net.links[0], 1, SY_CHANNEL_CONTROL, sy_slice_of("x", 1));
        assert_true(status == SY_OK || status == SY_ERR_BUSY);
        if (status == SY_OK) taken++;
    }
    assert_true(taken >= 8 && taken < 100);
    uint8_t big[600] = {0};
    uint32_t refused = 0;
    for (int i = 0; i < 3; i++) {
        if (sy_link_send(net.links[0], 1, SY_CHANNEL_BULK, sy_slice_of(big, sizeof big)) != SY_OK) {
            refused++;
        }
    }
    assert_int_equal(refused, 2);
    assert_int_equal(test_count(SY_NET_QUEUE_FULL) - before, 100 - taken + refused);
    test_links_stop(&net);
}

CASE(close_returns_while_peers_are_dead_and_queues_full)
{
    struct test_links net;
    uint8_t payload[1000] = {0};
    test_links_start(&net, 4);
    test_links_wait(&net, 0, 1);
    for (uint32_t i = 1; i < 4; i++) {
        sy_link_close(net.links[i]);
        net.links[i] = NULL;
    }
    for (int i = 0; i < 10000; i++) {
        (void)sy_link_broadcast(net.links[0], UINT32_MAX, SY_CHANNEL_BULK,
                                sy_slice_of(payload, sizeof payload));
    }
    // Reaching the end is the fact: ctest ends a close that hangs.
    test_links_stop(&net);
}

CASE(a_taken_port_is_an_error_that_names_it)
{
    struct test_links net;
    struct sy_link *second;
    struct sy_error err = {0};
    test_links_start(&net, 2);
    struct sy_link_config config = {.key = net.keys[1],
                                    .bind_control = net.peers[0].control,
                                    .bind_bulk = net.peers[1].bulk,
                                    .peers = net.peers,
                                    .peer_count = 2,
                                    .me = 1};
    assert_int_equal(sy_link_open(&second, &config, &err), SY_ERR_NETWORK);
    assert_null(second);
    assert_error_names(&err, net.peers[0].control);
    assert_error_names(&err, "another process listens there");
    test_links_stop(&net);
}

CASE(a_roster_that_cannot_work_is_refused_with_its_reason)
{
    struct test_links net;
    struct sy_link *link;
    struct sy_error err = {0};
    test_links_prepare(&net, 2);
    struct sy_link_config config = {.key = net.keys[0],
                                    .bind_control = net.peers[0].control,
                                    .bind_bulk = net.peers[0].bulk,
                                    .peers = net.peers,
                                    .peer_count = 2,
                                    .me = 1};
    assert_int_equal(sy_link_open(&link, &config, &err), SY_ERR_ARGUMENT);
    assert_error_names(&err, "link key");
    config.me = 0;
    strcpy(net.peers[1].bulk, "udp://127.0.0.1:1");
    assert_int_equal(sy_link_open(&link, &config, &err), SY_ERR_ARGUMENT);
    assert_error_names(&err, "udp://127.0.0.1:1");
    strcpy(net.peers[1].bulk, "tcp://*:27101");
    assert_int_equal(sy_link_open(&link, &config, &err), SY_ERR_ARGUMENT);
    assert_error_names(&err, "host name");
    strcpy(net.peers[1].bulk, net.peers[0].bulk);
    net.peers[1].key = net.peers[0].key;
    assert_int_equal(sy_link_open(&link, &config, &err), SY_ERR_ARGUMENT);
    assert_error_names(&err, "one link key");
    config.bind_control = "localhost:27100";
    config.peer_count = 1;
    assert_int_equal(sy_link_open(&link, &config, &err), SY_ERR_ARGUMENT);
    assert_error_names(&err, "tcp://HOST:PORT");
    test_links_stop(&net);
}

CASE(a_restarted_peer_is_back_whichever_side_it_is)
{
    struct test_links net;
    test_links_start(&net, 2);
    test_links_wait(&net, 0, 1);
    test_links_carry(&net, 0, 1, "before");
    for (uint32_t restarted = 0; restarted < 2; restarted++) {
        sy_link_close(net.links[restarted]);
        test_links_open(&net, restarted, NULL);
        test_links_carry(&net, 0, 1, "after, one way");
        test_links_carry(&net, 1, 0, "after, the other way");
    }
    test_links_stop(&net);
}

// One direction of numbered frames. At most once: a number seen twice fails the test.
struct stream {
    uint32_t from, to, count;
    uint32_t sent, got;
    uint32_t window; // frames under way at most, so that no honest queue overflows; 0: no bound
    uint8_t *seen;
};

static void open_stream(struct stream *stream, uint32_t from, uint32_t to, uint32_t count)
{
    *stream = (struct stream){.from = from, .to = to, .count = count};
    stream->seen = calloc(count, 1);
    assert_non_null(stream->seen);
}

static void feed_stream(struct test_links *net, struct stream *stream, enum sy_channel channel,
                        uint8_t *payload, size_t size)
{
    for (int burst = 0; burst < 16 && stream->sent < stream->count; burst++) {
        if (stream->window && stream->sent - stream->got >= stream->window) return;
        sy_store_u32(payload, stream->sent);
        if (sy_link_send(net->links[stream->from], stream->to, channel,
                         sy_slice_of(payload, size)) != SY_OK) {
            return;
        }
        stream->sent++;
    }
}

static void drain_stream(struct test_links *net, struct stream *stream, size_t size)
{
    struct sy_link_frame frame;
    while (sy_link_recv(net->links[stream->to], &frame)) {
        assert_int_equal(frame.payload.size, size);
        uint32_t number = sy_load_u32(frame.payload.data);
        assert_true(number < stream->count);
        assert_int_equal(stream->seen[number], 0);
        stream->seen[number] = 1;
        stream->got++;
        sy_link_frame_release(net->links[stream->to], &frame);
    }
}

CASE(sessions_renew_under_load_without_losing_or_doubling_a_frame)
{
    struct test_links net;
    struct stream there, back;
    struct sy_link_peer_state link_state;
    uint8_t payload[100] = {0};
    test_links_prepare(&net, 2);
    net.config.rekey_frames = 300;
    test_links_open(&net, 0, NULL);
    test_links_open(&net, 1, NULL);
    test_links_wait(&net, 0, 1);
    open_stream(&there, 0, 1, 20000);
    open_stream(&back, 1, 0, 20000);
    there.window = back.window = 1000;
    for (int idle = 0; there.got < there.count || back.got < back.count;) {
        uint32_t before = there.got + back.got;
        feed_stream(&net, &there, SY_CHANNEL_CONTROL, payload, sizeof payload);
        feed_stream(&net, &back, SY_CHANNEL_CONTROL, payload, sizeof payload);
        drain_stream(&net, &there, sizeof payload);
        drain_stream(&net, &back, sizeof payload);
        if (there.got + back.got != before) {
            idle = 0;
            continue;
        }
        test_sleep_ms(1);
        // A frame may be lost, so the end is also when nothing has come for long.
        if (++idle > TEST_PATIENCE_MS && there.sent == there.count && back.sent == back.count)
            break;
    }
    assert_true(sy_link_get_peer_state(net.links[0], 1, &link_state));
    assert_true(link_state.established_count >= 3);
    // Nothing broke, so nothing was lost: the old session receives beside the new one.
    assert_int_equal(there.got, there.count);
    assert_int_equal(back.got, back.count);
    free(there.seen);
    free(back.seen);
    test_links_stop(&net);
}

CASE(flapping_links_never_double_a_frame_and_always_come_back)
{
    enum { FLAPS = 12 };
    struct test_links net;
    struct stream there, back;
    uint8_t payload[2000] = {0};
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    test_links_start(&net, 2);
    test_links_wait(&net, 0, 1);
    open_stream(&there, 0, 1, 200000);
    open_stream(&back, 1, 0, 200000);
    uint64_t start_ns = sy_os_monotonic_ns();
    for (int flaps = 0; flaps < FLAPS;) {
        feed_stream(&net, &there, SY_CHANNEL_BULK, payload, sizeof payload);
        feed_stream(&net, &back, SY_CHANNEL_BULK, payload, sizeof payload);
        drain_stream(&net, &there, sizeof payload);
        drain_stream(&net, &back, sizeof payload);
        uint64_t now_ns = sy_os_monotonic_ns();
        if (now_ns - start_ns < UINT64_C(150000000)) continue;
        start_ns = now_ns;
        flaps++;
        if (sy_prng_chance(&prng, 2, 3)) sy_link_flap(net.links[0], 1);
        if (sy_prng_chance(&prng, 2, 3)) sy_link_flap(net.links[1], 0);
    }
    test_links_carry(&net, 0, 1, "there");
    test_links_carry(&net, 1, 0, "and back");
    print_message("%" PRIu32 " of %" PRIu32 " and %" PRIu32 " of %" PRIu32
                  " frames came through %d flaps\n",
                  there.got, there.sent, back.got, back.sent, FLAPS);
    assert_true(there.got > 0 && back.got > 0);
    free(there.seen);
    free(back.seen);
    test_links_stop(&net);
}

CASE(ten_thousand_bulk_frames_of_64_kib_pass_in_both_directions)
{
    enum { SIZE = 65536 };
    struct test_links net;
    struct stream there, back;
    uint8_t *payload = calloc(1, SIZE);
    assert_non_null(payload);
    test_links_start(&net, 2);
    test_links_wait(&net, 0, 1);
    open_stream(&there, 0, 1, 5000);
    open_stream(&back, 1, 0, 5000);
    there.window = back.window = 128;
    uint64_t start_ns = sy_os_monotonic_ns();
    while (there.got < there.count || back.got < back.count) {
        uint32_t before = there.got + back.got;
        feed_stream(&net, &there, SY_CHANNEL_BULK, payload, SIZE);
        feed_stream(&net, &back, SY_CHANNEL_BULK, payload, SIZE);
        drain_stream(&net, &there, SIZE);
        drain_stream(&net, &back, SIZE);
        if (there.got + back.got == before) test_sleep_ms(1);
        assert_true(sy_os_monotonic_ns() - start_ns < UINT64_C(300000000000));
    }
    double seconds = (double)(sy_os_monotonic_ns() - start_ns) / 1e9;
    print_message("10,000 sealed frames of 64 KiB in %.2f s: %.0f MiB/s\n", seconds,
                  10000.0 * SIZE / 1048576.0 / seconds);
    free(payload);
    free(there.seen);
    free(back.seen);
    test_links_stop(&net);
}

CASE(a_consumer_that_falls_behind_one_peer_still_hears_the_others)
{
    struct test_links net;
    test_links_prepare(&net, 3);
    net.config.control_frames = 16;
    for (uint32_t i = 0; i < 3; i++) test_links_open(&net, i, NULL);
    test_links_wait(&net, 0, 2);
    test_links_wait(&net, 1, 2);
    uint64_t before = test_count(SY_NET_INBOX_FULL);
    while (test_count(SY_NET_INBOX_FULL) < before + 50) {
        (void)!sy_link_send(net.links[0], 2, SY_CHANNEL_CONTROL, sy_slice_of("flood", 5));
        test_sleep_ms(0);
    }
    assert_int_equal(sy_link_send(net.links[1], 2, SY_CHANNEL_CONTROL, sy_slice_of("calm", 4)),
                     SY_OK);
    // Nothing is released until the calm peer was heard, so the flood keeps its share filled.
    struct sy_link_frame held[17];
    uint32_t count = 0;
    do {
        assert_in_range(count, 0, 16);
        assert_true(test_links_take(&net, 2, &held[count], TEST_PATIENCE_MS));
    } while (held[count++].peer == 0);
    assert_int_equal(held[count - 1].peer, 1);
    assert_memory_equal(held[count - 1].payload.data, "calm", 4);
    while (count > 0) sy_link_frame_release(net.links[2], &held[--count]);
    test_links_stop(&net);
}

CASE(a_changed_roster_keeps_sessions_moves_indexes_and_ends_who_left)
{
    struct test_links net;
    struct sy_link_frame frame;
    struct sy_link_peer_state before, after;
    test_links_start(&net, 3);
    test_links_wait(&net, 0, 1);
    test_links_wait(&net, 0, 2);
    assert_true(sy_link_get_peer_state(net.links[0], 2, &before));
    // For validator 0 the roster becomes {2, 0}: 1 has left.
    struct sy_link_peer changed[2] = {net.peers[2], net.peers[0]};
    assert_int_equal(sy_link_set_peers(net.links[0], changed, 2, 1, NULL), SY_OK);
    assert_true(sy_link_get_peer_state(net.links[0], 0, &after));
    assert_int_equal(after.established_count, before.established_count);
    assert_false(sy_link_get_peer_state(net.links[0], 2, &after));
    assert_int_equal(sy_link_send(net.links[0], 0, SY_CHANNEL_CONTROL, sy_slice_of("to 2", 4)),
                     SY_OK);
    assert_true(test_links_take(&net, 2, &frame, TEST_PATIENCE_MS));
    assert_int_equal(frame.peer, 0);
    assert_memory_equal(frame.payload.data, "to 2", 4);
    sy_link_frame_release(net.links[2], &frame);
    assert_int_equal(sy_link_send(net.links[2], 0, SY_CHANNEL_CONTROL, sy_slice_of("from 2", 6)),
                     SY_OK);
    assert_true(test_links_take(&net, 0, &frame, TEST_PATIENCE_MS));
    assert_int_equal(frame.peer, 0);
    sy_link_frame_release(net.links[0], &frame);
    // Who left is a stranger now.
    uint64_t unknown = test_count(SY_NET_UNKNOWN_SESSION);
    assert_int_equal(sy_link_send(net.links[1], 0, SY_CHANNEL_CONTROL, sy_slice_of("hello?", 6)),
                     SY_OK);
    test_wait_count(SY_NET_UNKNOWN_SESSION, unknown + 1);
    assert_false(sy_link_recv(net.links[0], &frame));
    // And comes back.
    assert_int_equal(sy_link_set_peers(net.links[0], net.peers, 3, 0, NULL), SY_OK);
    test_links_carry(&net, 1, 0, "back again");
    test_links_stop(&net);
}

CASE(a_moved_address_is_followed)
{
    struct test_links net;
    char moved_control[64], moved_bulk[64];
    test_links_start(&net, 2);
    test_links_wait(&net, 0, 1);
    sy_link_close(net.links[1]);
    uint16_t port = test_free_ports(2);
    snprintf(moved_control, sizeof moved_control, "tcp://127.0.0.1:%u", port);
    snprintf(moved_bulk, sizeof moved_bulk, "tcp://127.0.0.1:%u", port + 1u);
    strcpy(net.peers[1].control, moved_control);
    strcpy(net.peers[1].bulk, moved_bulk);
    test_links_open(&net, 1, NULL);
    assert_int_equal(sy_link_set_peers(net.links[0], net.peers, 2, 0, NULL), SY_OK);
    test_links_carry(&net, 0, 1, "moved");
    test_links_carry(&net, 1, 0, "moved too");
    test_links_stop(&net);
}

CASE(a_guest_at_the_end_of_the_list_hears_what_is_for_all)
{
    struct test_links net;
    struct sy_link_frame frame;
    test_links_prepare(&net, 3);
    net.count = 2;
    test_links_open(&net, 0, NULL);
    test_links_open(&net, 1, NULL);
    net.count = 3;
    test_links_open(&net, 2, NULL);
    test_links_wait(&net, 0, 1);
    assert_int_equal(sy_link_set_peers(net.links[0], net.peers, 3, 0, NULL), SY_OK);
    test_links_wait(&net, 0, 2);
    struct sy_slice members = sy_slice_of("members", 7), all = sy_slice_of("all", 3);
    assert_int_equal(sy_link_broadcast(net.links[0], 2, SY_CHANNEL_CONTROL, members), 1);
    assert_int_equal(sy_link_broadcast(net.links[0], UINT32_MAX, SY_CHANNEL_CONTROL, all), 2);
    assert_true(test_links_take(&net, 2, &frame, TEST_PATIENCE_MS));
    assert_true(sy_slice_equal(frame.payload, all));
    sy_link_frame_release(net.links[2], &frame);
    test_links_carry(&net, 1, 0, "still here");
    test_links_stop(&net);
}

/* A validator whose link key is replaced stands there twice, at one address. */
CASE(of_two_keys_at_one_address_the_one_that_runs_is_found)
{
    for (unsigned turn = 0; turn < 2; turn++) {
        struct test_links net;
        test_links_prepare(&net, 3);
        memcpy(net.peers[2].control, net.peers[1].control, sizeof net.peers[1].control);
        memcpy(net.peers[2].bulk, net.peers[1].bulk, sizeof net.peers[1].bulk);
        unsigned runs = 1 + turn;
        test_links_open(&net, 0, NULL);
        test_links_open(&net, runs, NULL);
        test_links_carry(&net, 0, runs, "you");
        test_links_carry(&net, runs, 0, "me");
        struct sy_link_peer_state other;
        assert_true(sy_link_get_peer_state(net.links[0], 3 - runs, &other));
        assert_false(other.established);
        test_links_stop(&net);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(every_validator_reaches_every_other_on_both_channels),
        cmocka_unit_test(payloads_of_every_size_up_to_the_limit_arrive_whole),
        cmocka_unit_test(sending_to_oneself_or_to_nobody_is_an_error),
        cmocka_unit_test(a_full_queue_drops_counts_and_never_blocks),
        cmocka_unit_test(close_returns_while_peers_are_dead_and_queues_full),
        cmocka_unit_test(a_taken_port_is_an_error_that_names_it),
        cmocka_unit_test(a_roster_that_cannot_work_is_refused_with_its_reason),
        cmocka_unit_test(a_restarted_peer_is_back_whichever_side_it_is),
        cmocka_unit_test(sessions_renew_under_load_without_losing_or_doubling_a_frame),
        cmocka_unit_test(flapping_links_never_double_a_frame_and_always_come_back),
        cmocka_unit_test(ten_thousand_bulk_frames_of_64_kib_pass_in_both_directions),
        cmocka_unit_test(a_consumer_that_falls_behind_one_peer_still_hears_the_others),
        cmocka_unit_test(a_changed_roster_keeps_sessions_moves_indexes_and_ends_who_left),
        cmocka_unit_test(a_moved_address_is_followed),
        cmocka_unit_test(a_guest_at_the_end_of_the_list_hears_what_is_for_all),
        cmocka_unit_test(of_two_keys_at_one_address_the_one_that_runs_is_found),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
