/* test_pool_pace.c: how much a maker takes, by how long its batches take. */
#include "consensus/pool/pace.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/test.h"

#define MS 1000000ull
#define GOAL (600 * MS)
#define MOST 65536u

/* A server that does per_s transactions a second, one after the other, and makers that share it. */
struct server {
    uint64_t per_s;
    uint64_t now_ns;
    uint64_t free_ns; /* when it has done all that it was given */
};

struct source {
    struct sy_pace pace;
    uint32_t under_way;
    uint64_t done;
    struct {
        uint64_t since_ns, due_ns;
    } units[MOST / 8];
    uint32_t in, out;
};

#define UNIT 8u /* transactions that are given together */

/* Ten milliseconds: each takes what it may, of an offer without end, and hears what was done. */
static void turn(struct server *server, struct source *sources, unsigned count, unsigned offered)
{
    const uint32_t room = sizeof sources->units / sizeof sources->units[0];
    server->now_ns += 10 * MS;
    if (server->free_ns < server->now_ns) server->free_ns = server->now_ns;
    for (unsigned tries = 0; tries < offered; tries++) {
        for (unsigned i = 0; i < count; i++) {
            struct source *source = &sources[i];
            if (!sy_pace_takes(&source->pace, source->under_way)) continue;
            server->free_ns += UNIT * 1000000000ull / server->per_s;
            assert_true(source->in - source->out < room);
            source->units[source->in % room].since_ns = server->now_ns;
            source->units[source->in++ % room].due_ns = server->free_ns;
            source->under_way += UNIT;
        }
    }
    for (unsigned i = 0; i < count; i++) {
        struct source *source = &sources[i];
        while (source->out < source->in &&
               source->units[source->out % room].due_ns <= server->now_ns) {
            sy_pace_note(&source->pace, UNIT, source->under_way,
                         source->units[source->out++ % room].since_ns, server->now_ns);
            source->under_way -= UNIT;
            source->done += UNIT;
        }
    }
}

static uint64_t longest_ms(struct server *server, struct source *sources, unsigned count,
                           unsigned turns)
{
    uint64_t longest = 0;
    for (unsigned i = 0; i < turns; i++) {
        turn(server, sources, count, 64);
        for (unsigned s = 0; s < count; s++)
            if (sources[s].pace.took_ns > longest) longest = sources[s].pace.took_ns;
    }
    return longest / MS;
}

static struct source sources[4];

static void begin(struct server *server, uint64_t per_s)
{
    memset(sources, 0, sizeof sources);
    *server = (struct server){.per_s = per_s, .now_ns = 5000 * MS};
    for (unsigned i = 0; i < 4; i++) sy_pace_init(&sources[i].pace, GOAL, MOST);
}

/* From slow machines to fast ones: never more than twice the goal, and the machine is in use. */
CASE(pace_finds_what_a_machine_can_do)
{
    static const uint64_t rates[] = {100, 500, 2500, 20000};
    for (unsigned r = 0; r < sizeof rates / sizeof rates[0]; r++) {
        struct server server;
        begin(&server, rates[r]);
        uint64_t longest = longest_ms(&server, sources, 4, 500);
        uint64_t done = 0;
        for (unsigned i = 0; i < 4; i++) done += sources[i].done;
        printf("%u/s: %u done in 5 s, %u ms at most\n", (unsigned)rates[r], (unsigned)done,
               (unsigned)longest);
        if (rates[r] > 100) assert_true(longest < 1200);
        /* 4 x 32 are taken at once, before anything is known. */
        if (rates[r] == 100) assert_true(longest < 2000);
        assert_true(done * 10 >= rates[r] * 5 * 7);
    }
}

CASE(pace_follows_a_machine_that_slows_down)
{
    struct server server;
    begin(&server, 5000);
    (void)longest_ms(&server, sources, 4, 500);
    server.per_s = 500;
    (void)longest_ms(&server, sources, 4, 1000);
    uint64_t longest = longest_ms(&server, sources, 4, 500);
    printf("slowed down: %u ms at most\n", (unsigned)longest);
    assert_true(longest < 900);
    server.per_s = 5000;
    for (unsigned i = 0; i < 4; i++) sources[i].done = 0;
    (void)longest_ms(&server, sources, 4, 500);
    assert_true(sources[0].done + sources[1].done + sources[2].done + sources[3].done > 17500);
}

CASE(makers_come_to_equal_parts)
{
    struct server server;
    begin(&server, 2000);
    sources[0].pace.limit = 4000;
    (void)longest_ms(&server, sources, 4, 3000);
    for (unsigned i = 0; i < 4; i++) sources[i].done = 0;
    (void)longest_ms(&server, sources, 4, 3000);
    for (unsigned i = 0; i < 4; i++) {
        assert_true(sources[i].done > 2000 * 30 / 4 / 2);
        assert_true(sources[i].done < 2000 * 30 / 4 * 2);
    }
}

CASE(a_limit_that_is_not_in_the_way_does_not_rise)
{
    struct sy_pace pace;
    sy_pace_init(&pace, GOAL, MOST);
    for (unsigned i = 0; i < 100; i++) {
        assert_true(sy_pace_takes(&pace, 10));
        sy_pace_note(&pace, 10, 10, 1000 * MS, 1050 * MS);
    }
    assert_int_equal(pace.limit, SY_PACE_FIRST);
}

/* What stood in one queue together is told of batch by batch, and is one reason to take less. */
CASE(one_queue_is_one_reason)
{
    struct sy_pace pace;
    sy_pace_init(&pace, GOAL, MOST);
    pace.limit = 1000;
    for (unsigned i = 0; i < 10; i++) {
        sy_pace_note(&pace, 100, 1000 - 100 * i, 1000 * MS, (2000 + i) * MS);
    }
    assert_int_equal(pace.limit, 594); /* 600 ms of 1,009 */
    sy_pace_note(&pace, 100, 594, 1990 * MS, 2700 * MS);
    assert_int_equal(pace.limit, 594); /* 600 ms of 710, of the 1,000 before */
    sy_pace_note(&pace, 100, 594, 2001 * MS, 3401 * MS);
    assert_int_equal(pace.limit, 254); /* another queue: 600 ms of 1,400 */
}

CASE(a_pace_has_bounds)
{
    struct sy_pace pace;
    sy_pace_init(&pace, GOAL, MOST);
    uint64_t now_ns = 1000 * MS;
    for (unsigned i = 0; i < 50; i++, now_ns += 2000 * MS)
        sy_pace_note(&pace, 1, 1, now_ns, now_ns + 1000 * MS);
    assert_int_equal(pace.limit, SY_PACE_LEAST);
    assert_true(sy_pace_takes(&pace, SY_PACE_LEAST - 1));
    assert_false(sy_pace_takes(&pace, SY_PACE_LEAST));
    assert_int_equal(sy_pace_retry_ms(&pace), 1000);
    sy_pace_note(&pace, 1, 1, now_ns, now_ns + 200 * MS);
    assert_int_equal(sy_pace_retry_ms(&pace), 200);
    sy_pace_note(&pace, 1, 1, now_ns, now_ns + 1 * MS);
    assert_int_equal(sy_pace_retry_ms(&pace), 50);
    for (unsigned i = 0; i < 3000; i++) {
        (void)sy_pace_takes(&pace, UINT32_MAX);
        sy_pace_note(&pace, pace.limit, pace.limit, now_ns, now_ns + 10 * MS);
    }
    assert_int_equal(pace.limit, MOST);
    sy_pace_init(&pace, GOAL, 2); /* fewer are allowed than that */
    assert_int_equal(pace.limit, 2);
    sy_pace_init(&pace, 0, 1000); /* no goal */
    sy_pace_note(&pace, 1000, 1000, 1, 9000 * MS);
    assert_int_equal(pace.limit, 1000);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(pace_finds_what_a_machine_can_do),
        cmocka_unit_test(pace_follows_a_machine_that_slows_down),
        cmocka_unit_test(makers_come_to_equal_parts),
        cmocka_unit_test(a_limit_that_is_not_in_the_way_does_not_rise),
        cmocka_unit_test(one_queue_is_one_reason),
        cmocka_unit_test(a_pace_has_bounds),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
