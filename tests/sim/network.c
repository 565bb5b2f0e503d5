/* network.c: frames between validators: late, lost, twice, out of order, and damaged.
 *
 * Links authenticate, so a damaged frame can only come from a validator that damages it itself:
 * the last one does, besides doing everything right. What it changes cannot carry a good signature,
 * but may be a well-formed request, status or batch all the same. */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "tests/sim/sim_internal.h"

static bool chance(struct world *world, unsigned permille)
{
    return !world->calm && permille > 0 && sy_prng_chance(&world->prng, permille, 1000);
}

static void deliver(struct world *world, uint16_t from, uint16_t to, struct sy_slice bytes,
                    bool garble, uint64_t late_ns)
{
    struct event event = {.type = EVENT_FRAME, .node = to, .peer = from, .size = bytes.size};
    event.bytes = (uint8_t *)malloc(bytes.size + 1);
    SY_ASSERT(event.bytes != NULL && bytes.size > 0);
    memcpy(event.bytes, bytes.data, bytes.size);
    if (garble) {
        world->result->frames_garbled++;
        for (uint64_t i = 1 + sy_prng_below(&world->prng, 3); i > 0; i--) {
            event.bytes[sy_prng_below(&world->prng, event.size)] ^=
                (uint8_t)(1u << sy_prng_below(&world->prng, 8));
        }
        if (sy_prng_chance(&world->prng, 1, 8)) {
            event.size = (size_t)sy_prng_below(&world->prng, event.size + 1);
        }
    }
    sim_later(world, event, late_ns + sim_draw(world, world->options.delay_us) + bytes.size * 8);
}

void sim_send(struct world *world, uint16_t from, uint16_t to, struct sy_slice bytes)
{
    SY_ASSERT(from < world->n && to < world->n && from != to);
    world->result->frames++;
    if (world->cut[from][to] || chance(world, world->options.loss_permille)) {
        world->result->frames_lost++;
    } else {
        deliver(world, from, to, bytes, false, 0);
    }
    if (world->cut[from][to]) return;
    if (chance(world, world->options.copy_permille)) {
        /* One copy in four is a replay of long ago, when it comes. */
        uint64_t late_ns = sy_prng_chance(&world->prng, 1, 4) ? 5000 * MS : 0;
        if (late_ns > 0) late_ns = sy_prng_below(&world->prng, late_ns);
        deliver(world, from, to, bytes, false, late_ns);
    }
    bool liar = from == world->n - 1;
    if (liar && chance(world, world->options.garble_permille)) {
        deliver(world, from, to, bytes, true, 0);
    }
}
