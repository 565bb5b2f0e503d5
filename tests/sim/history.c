/* history.c: what validators keep of the past: most of them prune, weak(n) keep everything, and all
 * hold the state at the newest multiple of a small number of blocks for whoever is new. */
#include <string.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/wire/sync.h"
#include "tests/sim/sim_internal.h"

#define PRUNE_PAUSE_MS 50u

/* A validator that begins late keeps nothing that others lack, so weak(n) others do. */
void sim_history_open(struct world *world)
{
    uint16_t first = (uint16_t)world->options.validators;
    uint16_t next = (uint16_t)(world->options.seed % first);
    world->late = UINT16_MAX;
    if (world->options.late != 0) {
        world->late = next;
        while ((world->liars.mask >> world->late & 1u) != 0) {
            world->late = (uint16_t)((world->late + 1) % first);
        }
    }
    unsigned left = sy_weak(first) + (world->options.removed > 0 ? 1 : 0); /* one may leave */
    for (; left > 0; next = (uint16_t)((next + 1) % first)) {
        if (next == world->late) continue;
        world->archives |= 1u << next;
        left--;
    }
}

/* ---- held states ------------------------------------------------------------------------- */

static void give_top(void *self, uint64_t height, struct sy_snapshot_top *top)
{
    struct validator *validator = (struct validator *)self;
    sy_cutter_put_top(&validator->cutter, height, top);
}

void sim_send_chunk(struct world *world, struct validator *validator,
                    const struct sy_node_effect *effect)
{
    uint16_t peer = effect->as.send_chunk.peer;
    sy_status status = sy_serve_claim(&validator->serve, peer, sim_clock_ns(world, validator));
    if (status != SY_OK) {
        sim_note_branch(world, SIM_BRANCH_request_shed, 1);
        return;
    }
    struct sy_slice message = sy_cutter_answer(&validator->cutter, effect->as.send_chunk.height,
                                               &effect->as.send_chunk.key);
    uint16_t to = sim_whose(world, validator->roster.epoch, peer);
    if (validator->faulty) {
        sim_lie_sync(world, validator, to, message);
        return;
    }
    bool none = message.data[0] == SY_SYNC_SNAPSHOT_NONE;
    sim_note_branch(world, none ? SIM_BRANCH_sent_snapshot_none : SIM_BRANCH_sent_chunk, 1);
    sim_send(world, validator->index, to, message);
}

void sim_send_handovers(struct world *world, struct validator *validator,
                        const struct sy_node_effect *effect)
{
    struct sy_slice message;
    uint16_t peer = effect->as.send_handovers.peer;
    sy_status status =
        sy_serve_handovers(&validator->serve, &message, peer, sim_clock_ns(world, validator),
                           effect->as.send_handovers.epoch);
    if (status == SY_ERR_BUSY) sim_note_branch(world, SIM_BRANCH_request_shed, 1);
    if (status != SY_OK) return;
    uint16_t to = sim_whose(world, validator->roster.epoch, peer);
    if (validator->faulty) {
        sim_lie_sync(world, validator, to, message);
        return;
    }
    sim_note_branch(world, SIM_BRANCH_sent_handovers, 1);
    sim_send(world, validator->index, to, message);
}

/* ---- pruning ----------------------------------------------------------------------------- */

static bool prunes(const struct world *world, const struct validator *validator)
{
    return world->options.history_blocks > 0 && (world->archives >> validator->index & 1u) == 0;
}

static void prune_later(struct world *world, struct validator *validator)
{
    if (!validator->pruning.more || validator->prunes_later) return;
    validator->prunes_later = true;
    struct event event = {.type = EVENT_PRUNE, .node = validator->place, .life = validator->life};
    sim_later(world, event, PRUNE_PAUSE_MS * MS);
}

void sim_history_start(struct world *world, struct validator *validator)
{
    struct sy_cutter *cutter = &validator->cutter;
    cutter->store = validator->store;
    cutter->reader = validator->reader;
    cutter->room = world->chunk;
    cutter->frame = world->scratch;
    sy_executor_give_tops(validator->executor, world->options.snapshot_blocks, give_top, validator);
    uint64_t history = prunes(world, validator) ? world->options.history_blocks : 0;
    if (world->options.plant == SIM_PLANT_KEPT_HISTORY) history = 0;
    validator->pruning = (struct sy_pruning){
        .history_blocks = history, .every = SIM_PRUNE_EVERY, .more = history > 0};
    validator->prunes_later = false;
    prune_later(world, validator);
}

void sim_history_stop(struct validator *validator)
{
    sy_cutter_forget(&validator->cutter);
    memset(&validator->cutter, 0, sizeof validator->cutter);
}

/* Any of the slice's three transactions may be the one that the disk refuses. */
static bool arm(struct world *world, struct validator *validator)
{
    static const char *const places[] = {"store.ledger.commit", "store.votes.commit"};
    if (validator->pruning.history_blocks == 0 || !sim_write_fails(validator)) return false;
    const char *place = places[sy_prng_below(&world->prng, 2)];
    sy_os_failpoint_arm(place, 1 + sy_prng_below(&world->prng, 2), "enospc");
    return true;
}

void sim_prune(struct world *world, struct validator *validator)
{
    struct sy_error err;
    uint64_t before = sy_ledger_pruned(validator->store);
    validator->prunes_later = false;
    bool fails = arm(world, validator);
    sy_status status = sy_committer_prune(&validator->pruning, validator->store, &err);
    sy_os_failpoint_arm(NULL, 0, NULL);
    SY_ASSERT(status == SY_OK || fails);
    if (!validator->faulty && sy_ledger_pruned(validator->store) > before) {
        sim_note_branch(world, SIM_BRANCH_pruned, 1);
    }
    if (status != SY_OK) {
        sim_note_fault(world, SIM_FAULT_write_failed);
        sim_crash(world, validator);
        return;
    }
    prune_later(world, validator);
}

void sim_send_pruned(struct world *world, struct validator *validator, uint16_t to,
                     struct sy_slice message, uint64_t asked)
{
    static struct sy_sync_message pruned;
    if (validator->faulty) {
        sim_lie_sync(world, validator, to, message);
        return;
    }
    bool decoded = sy_sync_decode(&pruned, message, validator->roster.count);
    SY_ASSERT(decoded && pruned.type == SY_SYNC_PRUNED);
    uint64_t said = pruned.height + (world->options.plant == SIM_PLANT_WRONG_PRUNED);
    sim_check_pruned(world, validator, asked, said);
    sim_note_branch(world, SIM_BRANCH_sent_pruned, 1);
    sim_send(world, validator->index, to, message);
}
