/* ctest: threaded */
#include "core/base/ring.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>

#include "core/base/os.h"
#include "core/base/thread.h"
#include "tests/support/test.h"

#define PRODUCERS 2
#define CONSUMERS 2
#define ITEMS_EACH 20000u

static sy_ring *open_ring(sy_arena *arena, size_t capacity)
{
    sy_ring *ring;
    assert_int_equal(sy_arena_open(arena, 1 << 16), SY_OK);
    assert_int_equal(sy_ring_open(&ring, arena, capacity, sizeof(uint64_t)), SY_OK);
    return ring;
}

static void close_ring(sy_ring *ring, sy_arena *arena)
{
    sy_ring_close(ring);
    sy_arena_close(arena);
}

static bool is_readable(sy_ring *ring)
{
    struct pollfd waited = {.fd = sy_ring_fd(ring), .events = POLLIN};
    return poll(&waited, 1, 0) == 1 && (waited.revents & POLLIN);
}

CASE(ring_is_first_in_first_out_across_the_end)
{
    sy_arena arena;
    sy_ring *ring = open_ring(&arena, 5);
    uint64_t next_in = 0;
    uint64_t next_out = 0;
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 3; i++, next_in++) assert_true(sy_ring_push(ring, &next_in));
        assert_int_equal(sy_ring_count(ring), 3);
        for (int i = 0; i < 3; i++, next_out++) {
            uint64_t item;
            assert_true(sy_ring_pop(ring, &item));
            assert_true(item == next_out);
        }
    }
    close_ring(ring, &arena);
}

CASE(ring_refuses_when_full_and_when_empty)
{
    sy_arena arena;
    sy_ring *ring = open_ring(&arena, 2);
    uint64_t item = 7;
    assert_false(sy_ring_pop(ring, &item));
    assert_true(sy_ring_push(ring, &item));
    assert_true(sy_ring_push(ring, &item));
    assert_false(sy_ring_push(ring, &item));
    assert_int_equal(sy_ring_count(ring), 2);
    assert_true(sy_ring_pop(ring, &item));
    assert_true(sy_ring_push(ring, &item));
    close_ring(ring, &arena);
}

CASE(ring_fd_tells_what_happened_before_it_was_asked_for)
{
    sy_arena arena;
    uint64_t item = 1;
    sy_ring *ring = open_ring(&arena, 4);
    assert_true(sy_ring_push(ring, &item));
    assert_true(is_readable(ring));
    assert_true(sy_ring_pop(ring, &item));
    assert_false(is_readable(ring));
    close_ring(ring, &arena);

    ring = open_ring(&arena, 4);
    assert_true(sy_ring_push(ring, &item));
    assert_true(sy_ring_pop(ring, &item));
    assert_false(is_readable(ring));
    assert_true(sy_ring_push(ring, &item));
    assert_true(is_readable(ring));
    close_ring(ring, &arena);

    ring = open_ring(&arena, 4);
    assert_true(sy_ring_push(ring, &item));
    sy_ring_stop(ring);
    assert_true(sy_ring_pop(ring, &item));
    assert_true(is_readable(ring));
    close_ring(ring, &arena);
}

CASE(ring_fd_is_readable_exactly_while_items_wait)
{
    sy_arena arena;
    sy_ring *ring = open_ring(&arena, 4);
    uint64_t item = 1;
    assert_false(is_readable(ring));
    assert_true(sy_ring_push(ring, &item));
    assert_true(sy_ring_push(ring, &item));
    assert_true(is_readable(ring));
    assert_true(sy_ring_pop(ring, &item));
    assert_true(is_readable(ring));
    assert_true(sy_ring_pop(ring, &item));
    assert_false(is_readable(ring));
    close_ring(ring, &arena);
}

CASE(ring_pop_wait_times_out_when_nothing_comes)
{
    sy_arena arena;
    sy_ring *ring = open_ring(&arena, 4);
    uint64_t item = 1;
    uint64_t start_ns = sy_os_monotonic_ns();
    assert_false(sy_ring_pop_wait(ring, &item, 30));
    assert_true(sy_os_monotonic_ns() - start_ns >= 30u * 1000000u);
    assert_false(sy_ring_pop_wait(ring, &item, 0));
    assert_true(sy_ring_push(ring, &item));
    assert_true(sy_ring_pop_wait(ring, &item, 0));
    close_ring(ring, &arena);
}

CASE(ring_stopped_refuses_pushes_and_gives_out_what_it_has)
{
    sy_arena arena;
    sy_ring *ring = open_ring(&arena, 4);
    uint64_t item = 5;
    assert_true(sy_ring_push(ring, &item));
    sy_ring_stop(ring);
    sy_ring_stop(ring);
    assert_false(sy_ring_push(ring, &item));
    assert_false(sy_ring_push_wait(ring, &item));
    assert_true(sy_ring_pop_wait(ring, &item, -1));
    assert_false(sy_ring_pop_wait(ring, &item, -1));
    assert_true(is_readable(ring));
    close_ring(ring, &arena);
}

CASE(ring_open_says_when_it_cannot)
{
    sy_arena arena;
    sy_ring *ring;
    assert_int_equal(sy_arena_open(&arena, 4096), SY_OK);
    assert_int_equal(sy_ring_open(&ring, &arena, 0, 8), SY_ERR_ARGUMENT);
    assert_int_equal(sy_ring_open(&ring, &arena, 8, 0), SY_ERR_ARGUMENT);
    assert_int_equal(sy_ring_open(&ring, &arena, 1000, 1000), SY_ERR_NO_MEMORY);
    assert_null(ring);
    sy_ring_close(ring);
    sy_arena_close(&arena);
}

struct producer {
    sy_ring *ring;
    uint64_t id;
};

struct consumer {
    sy_ring *ring;
    uint64_t counts[PRODUCERS];
    bool in_order;
};

static void *produce(void *context)
{
    const struct producer *producer = (const struct producer *)context;
    for (uint64_t i = 0; i < ITEMS_EACH; i++) {
        uint64_t item = producer->id << 32 | i;
        if (!sy_ring_push_wait(producer->ring, &item)) abort();
    }
    return NULL;
}

static void *consume(void *context)
{
    struct consumer *consumer = (struct consumer *)context;
    uint64_t next[PRODUCERS] = {0};
    uint64_t item;
    consumer->in_order = true;
    while (sy_ring_pop_wait(consumer->ring, &item, -1)) {
        uint64_t id = item >> 32;
        uint64_t number = item & UINT32_MAX;
        // What one consumer sees of one producer rises, whatever the other consumer takes.
        if (number < next[id]) consumer->in_order = false;
        next[id] = number + 1;
        consumer->counts[id]++;
    }
    return NULL;
}

CASE(ring_loses_and_doubles_nothing_between_threads)
{
    sy_arena arena;
    sy_ring *ring = open_ring(&arena, 8);
    pthread_t threads[PRODUCERS + CONSUMERS];
    struct producer producers[PRODUCERS];
    struct consumer consumers[CONSUMERS] = {{0}};
    for (size_t i = 0; i < CONSUMERS; i++) {
        consumers[i].ring = ring;
        assert_int_equal(
            sy_thread_start(&threads[PRODUCERS + i], "consumer", consume, &consumers[i], NULL),
            SY_OK);
    }
    for (size_t i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){ring, i};
        assert_int_equal(sy_thread_start(&threads[i], "producer", produce, &producers[i], NULL),
                         SY_OK);
    }
    for (size_t i = 0; i < PRODUCERS; i++) sy_thread_join(threads[i]);
    sy_ring_stop(ring);
    for (size_t i = 0; i < CONSUMERS; i++) sy_thread_join(threads[PRODUCERS + i]);
    for (size_t p = 0; p < PRODUCERS; p++) {
        uint64_t total = 0;
        for (size_t c = 0; c < CONSUMERS; c++) total += consumers[c].counts[p];
        assert_int_equal(total, ITEMS_EACH);
    }
    for (size_t c = 0; c < CONSUMERS; c++) assert_true(consumers[c].in_order);
    assert_int_equal(sy_ring_count(ring), 0);
    close_ring(ring, &arena);
}

static void *fill_until_stopped(void *context)
{
    sy_ring *ring = (sy_ring *)context;
    uint64_t item = 0;
    while (sy_ring_push_wait(ring, &item)) item++;
    return NULL;
}

CASE(ring_stop_wakes_a_producer_that_waits_for_room)
{
    sy_arena arena;
    sy_ring *ring = open_ring(&arena, 2);
    pthread_t thread;
    assert_int_equal(sy_thread_start(&thread, "fill", fill_until_stopped, ring, NULL), SY_OK);
    while (sy_ring_count(ring) < 2) sched_yield();
    sy_ring_stop(ring);
    sy_thread_join(thread);
    assert_int_equal(sy_ring_count(ring), 2);
    close_ring(ring, &arena);
}

struct looked_at {
    bool blocks_term;
};

static void *look_at_thread(void *context)
{
    struct looked_at *seen = (struct looked_at *)context;
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    seen->blocks_term = sigismember(&mask, SIGTERM) == 1;
    return NULL;
}

CASE(thread_blocks_signals_and_leaves_the_starter_alone)
{
    pthread_t thread;
    struct looked_at seen = {0};
    assert_int_equal(
        sy_thread_start(&thread, "a name that is far too long", look_at_thread, &seen, NULL),
        SY_OK);
    sy_thread_join(thread);
    assert_true(seen.blocks_term);
    sigset_t mask;
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
    assert_int_equal(sigismember(&mask, SIGTERM), 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(ring_is_first_in_first_out_across_the_end),
        cmocka_unit_test(ring_refuses_when_full_and_when_empty),
        cmocka_unit_test(ring_fd_is_readable_exactly_while_items_wait),
        cmocka_unit_test(ring_fd_tells_what_happened_before_it_was_asked_for),
        cmocka_unit_test(ring_pop_wait_times_out_when_nothing_comes),
        cmocka_unit_test(ring_stopped_refuses_pushes_and_gives_out_what_it_has),
        cmocka_unit_test(ring_open_says_when_it_cannot),
        cmocka_unit_test(ring_loses_and_doubles_nothing_between_threads),
        cmocka_unit_test(ring_stop_wakes_a_producer_that_waits_for_room),
        cmocka_unit_test(thread_blocks_signals_and_leaves_the_starter_alone),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
