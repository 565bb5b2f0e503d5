/* network.c: frames between validators: late, lost, twice, out of order, and damaged.
 *
 * Links authenticate, so a damaged frame can only come from a validator that damages it itself:
 * the odd one does, besides doing everything right. What it changes cannot carry a good signature,
 * but may be a well-formed request, status or batch all the same.
 *
 * A link is from one roster index to another. What is for an index that runs twice reaches the
 * one, the other, or both. */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "tests/sim/sim_internal.h"

#define WAYS_SHIFT 16u
#define BRIDGE_SHIFT 24u
#define HUSH_MS_MAX 3000u

static bool chance(struct world *world, unsigned permille)
{
    return !world->calm && permille > 0 && sy_prng_chance(&world->prng, permille, 1000);
}

static void garble(struct world *world, struct event *event)
{
    sim_note_fault(world, SIM_FAULT_frame_garbled);
    for (uint64_t i = 1 + sy_prng_below(&world->prng, 3); i > 0; i--) {
        event->bytes[sy_prng_below(&world->prng, event->size)] ^=
            (uint8_t)(1u << sy_prng_below(&world->prng, 8));
    }
    if (sy_prng_chance(&world->prng, 1, 8)) {
        event->size = (size_t)sy_prng_below(&world->prng, event->size + 1);
    }
}

static void deliver_to(struct world *world, uint16_t from, uint16_t place, struct sy_slice bytes,
                       bool is_garbled, uint64_t late_ns)
{
    struct event event = {.type = EVENT_FRAME, .node = place, .peer = from, .size = bytes.size};
    event.bytes = (uint8_t *)malloc(bytes.size + 1);
    SY_ASSERT(event.bytes != NULL && bytes.size > 0);
    memcpy(event.bytes, bytes.data, bytes.size);
    if (is_garbled) garble(world, &event);
    sim_later(world, event, late_ns + sim_draw(world, world->options.delay_us) + bytes.size * 8);
}

static void deliver(struct world *world, uint16_t from, uint16_t to, struct sy_slice bytes,
                    bool is_garbled, uint64_t late_ns)
{
    uint64_t which = 2;
    bool runs_twice = to == world->odd && world->places > world->n;
    if (runs_twice) which = sy_prng_below(&world->prng, 3);
    if (which > 0) deliver_to(world, from, to, bytes, is_garbled, late_ns);
    if (runs_twice && which < 2) deliver_to(world, from, world->n, bytes, is_garbled, late_ns);
}

static void deliver_copy(struct world *world, uint16_t from, uint16_t to, struct sy_slice bytes)
{
    /* One copy in four is a replay of long ago, when it comes. */
    uint64_t late_ns = 0;
    if (sy_prng_chance(&world->prng, 1, 4)) late_ns = sy_prng_below(&world->prng, 5000 * MS);
    sim_note_fault(world, late_ns > 0 ? SIM_FAULT_frame_from_long_ago : SIM_FAULT_frame_copied);
    deliver(world, from, to, bytes, false, late_ns);
}

/* The last seal of a validator that leaves, which others may need: for a while it is lost, faults
 * or not, since most epochs end after them. */
static bool is_hushed(struct world *world, uint16_t from, struct sy_slice bytes)
{
    static struct sy_message message;
    const struct validator *sender = &world->validators[from];
    bool over = world->hushed_until_ns > 0 && world->now_ns >= world->hushed_until_ns;
    if (!world->hushes || over || bytes.data[0] != SY_MESSAGE_SEAL) return false;
    if (sim_stays(world, sender) || !sender->up) return false;
    if (!sy_message_decode(&message, bytes, sender->roster.count)) return false;
    if (message.body.seal.height + 1 != sim_info(world, sender)->pbft.next_epoch) return false;
    uint64_t for_ns = HUSH_MS_MAX * MS;
    if (world->hushed_until_ns == 0) {
        world->hushed_until_ns = world->now_ns + 1 + sy_prng_below(&world->prng, for_ns);
    }
    return true;
}

void sim_send(struct world *world, uint16_t from, uint16_t to, struct sy_slice bytes)
{
    SY_ASSERT(from < world->n && to < world->n && from != to);
    world->result->frames++;
    if (world->cut[from][to]) {
        sim_note_fault(world, SIM_FAULT_frame_cut);
        return;
    }
    if (is_hushed(world, from, bytes)) {
        sim_note_fault(world, SIM_FAULT_seal_hushed);
        return;
    }
    if (chance(world, world->options.loss_permille)) {
        sim_note_fault(world, SIM_FAULT_frame_lost);
    } else {
        deliver(world, from, to, bytes, false, 0);
    }
    if (chance(world, world->options.copy_permille)) deliver_copy(world, from, to, bytes);
    if (from == world->odd && chance(world, world->options.garble_permille)) {
        deliver(world, from, to, bytes, true, 0);
    }
}

/* ---- partitions -------------------------------------------------------------------------- */

void sim_split(struct world *world, uint32_t mask)
{
    unsigned ways = mask >> WAYS_SHIFT & 3u;
    unsigned bridge = mask >> BRIDGE_SHIFT;
    sim_note_fault(world, SIM_FAULT_partition);
    for (unsigned from = 0; from < world->n; from++) {
        for (unsigned to = 0; to < world->n; to++) {
            bool inside = (mask >> from & 1u) != 0;
            if (inside == ((mask >> to & 1u) != 0)) continue;
            if (from + 1 == bridge || to + 1 == bridge) continue;
            if ((ways & (inside ? 1u : 2u)) != 0) world->cut[from][to] = true;
        }
    }
}

void sim_plan_splits(struct world *world)
{
    for (unsigned i = 0; i < world->options.splits; i++) {
        uint64_t sides = (1ull << world->n) - 2;
        struct event split = {.type = EVENT_SPLIT};
        uint64_t from_ns = sy_prng_below(&world->prng, world->options.faults_ms * MS + 1);
        split.mask = (uint32_t)(1 + sy_prng_below(&world->prng, sides));
        /* Mostly both ways; one in four leaves a bridge between the sides. */
        uint64_t ways = sy_prng_chance(&world->prng, 1, 3) ? 1 + sy_prng_below(&world->prng, 2) : 3;
        split.mask |= (uint32_t)ways << WAYS_SHIFT;
        if (sy_prng_chance(&world->prng, 1, 4)) {
            split.mask |= (uint32_t)(1 + sy_prng_below(&world->prng, world->n)) << BRIDGE_SHIFT;
        }
        sim_later(world, split, from_ns);
        sim_later(world, (struct event){.type = EVENT_JOIN},
                  from_ns + sy_prng_below(&world->prng, 3000 * MS));
    }
}
