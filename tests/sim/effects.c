/* effects.c: what a validator's node wants done, done later. */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "tests/sim/sim_internal.h"

static struct event event_for(const struct validator *validator, enum event_type type)
{
    return (struct event){.type = type, .node = validator->place, .life = validator->life};
}

/* peer: as the node knows it, by roster index. */
static void send(struct world *world, struct validator *validator, uint16_t peer,
                 struct sy_slice bytes)
{
    for (uint16_t i = 0; i < validator->roster.count; i++) {
        if (i == validator->self || (peer != SY_NODE_ALL && peer != i)) continue;
        uint16_t to = sim_whose(world, validator->roster.epoch, i);
        if (validator->faulty) {
            sim_lie(world, validator, to, bytes);
        } else {
            sim_send(world, validator->index, to, bytes);
        }
    }
}

static void send_blocks(struct world *world, struct validator *validator,
                        const struct sy_node_effect *effect)
{
    uint16_t peer = effect->as.send_blocks.peer;
    for (uint16_t i = 0; i < effect->as.send_blocks.count; i++) {
        struct sy_slice message;
        sy_status status =
            sy_serve_block(&validator->serve, &message, peer, sim_clock_ns(world, validator),
                           effect->as.send_blocks.first + i);
        if (status == SY_ERR_BUSY) sim_note_branch(world, SIM_BRANCH_request_shed, 1);
        if (status == SY_ERR_PRUNED) {
            uint16_t to = sim_whose(world, validator->roster.epoch, peer);
            sim_send_pruned(world, validator, to, message, effect->as.send_blocks.first + i);
        }
        if (status != SY_OK) return;
        if (!validator->faulty) sim_note_branch(world, SIM_BRANCH_sent_block, 1);
        send(world, validator, peer, message);
    }
}

static void send_body(struct world *world, struct validator *validator,
                      const struct sy_node_effect *effect)
{
    uint16_t peer = effect->as.send_body.peer;
    struct sy_slice message;
    sy_status status = sy_serve_body(&validator->serve, &message, peer,
                                     sim_clock_ns(world, validator), &effect->as.send_body.digest);
    if (status == SY_ERR_BUSY) sim_note_branch(world, SIM_BRANCH_request_shed, 1);
    if (status != SY_OK) return;
    if (!validator->faulty) sim_note_branch(world, SIM_BRANCH_sent_body, 1);
    send(world, validator, peer, message);
}

static void look_up(struct world *world, struct validator *validator, const struct sy_hash *digest)
{
    struct event event = event_for(validator, EVENT_FOUND);
    struct sy_slice body;
    event.digest = *digest;
    if (sy_body_get(validator->reader, &body, digest) == SY_OK) {
        event.size = SY_BATCH_HEADER_BYTES;
        event.bytes = (uint8_t *)malloc(event.size);
        SY_ASSERT(event.bytes != NULL && body.size >= event.size);
        memcpy(event.bytes, body.data, event.size);
    }
    sim_later(world, event, sim_draw(world, 20));
}

static void check(struct world *world, struct validator *validator,
                  struct sy_submission *submission)
{
    struct event event = event_for(validator, EVENT_CHECKED);
    event.submission = submission;
    uint64_t takes_ns = sim_draw(world, 100) + submission->job_count * 20 * US;
    if (world->options.check_us > 0 && !submission->urgent) {
        /* One after the other, as on a machine with too much to do. */
        uint64_t free_ns = validator->engine_free_ns;
        if (free_ns < world->now_ns) free_ns = world->now_ns;
        validator->engine_free_ns = free_ns + submission->job_count * world->options.check_us * US;
        takes_ns = validator->engine_free_ns - world->now_ns;
    }
    sim_later(world, event, takes_ns);
}

static void begin_run(struct world *world, struct validator *validator)
{
    if (validator->running || validator->runs_in == validator->runs_out) return;
    validator->running = true;
    sim_later(world, event_for(validator, EVENT_RUN), sim_draw(world, 300));
}

static void execute(struct world *world, struct validator *validator,
                    const struct sy_proposal *proposal)
{
    SY_ASSERT(validator->runs_in - validator->runs_out < RUNS_MAX);
    validator->runs[validator->runs_in++ % RUNS_MAX] = *proposal;
    begin_run(world, validator);
}

static void carry_one(struct world *world, struct validator *validator,
                      const struct sy_node_effect *effect)
{
    if (!validator->faulty) sim_note_effect(world, effect);
    switch (effect->type) {
    case SY_NODE_SEND:
        if (!validator->faulty) sim_check_send(world, validator, effect->as.send.bytes);
        send(world, validator, effect->as.send.peer, effect->as.send.bytes);
        break;
    case SY_NODE_SEND_BODY: send_body(world, validator, effect); break;
    case SY_NODE_SEND_BLOCKS: send_blocks(world, validator, effect); break;
    case SY_NODE_SEND_CHUNK: sim_send_chunk(world, validator, effect); break;
    case SY_NODE_SEND_HANDOVERS: sim_send_handovers(world, validator, effect); break;
    case SY_NODE_CHECK: check(world, validator, effect->as.submission); break;
    case SY_NODE_COMMIT:
    case SY_NODE_CERTIFY: sim_disk_put(world, validator, effect); break;
    case SY_NODE_EXECUTE: execute(world, validator, effect->as.execute.proposal); break;
    case SY_NODE_LOOKUP: look_up(world, validator, &effect->as.lookup); break;
    case SY_NODE_OUTCOMES:
        sim_on_outcomes(world, validator, effect->as.outcomes.token, effect->as.outcomes.count,
                        effect->as.outcomes.outcomes);
        break;
    case SY_NODE_ALARM:
        if (validator->faulty) break;
        sim_fail(world, SIM_CHECK_ALARM, "validator %u raises alarm %d at height %llu",
                 validator->index, (int)effect->as.alarm.alarm,
                 (unsigned long long)effect->as.alarm.height);
        break;
    }
}

void sim_carry(struct world *world, struct validator *validator,
               const struct sy_node_effects *effects)
{
    for (uint32_t i = 0; i < effects->count && !world->done && !validator->doomed; i++) {
        if (validator->crash_after >= 0 && validator->crash_after-- == 0) {
            validator->doomed = true;
            if (i > 0) sim_note_fault(world, SIM_FAULT_crash_in_step);
            return;
        }
        carry_one(world, validator, &effects->items[i]);
    }
}

/* ---- what comes back --------------------------------------------------------------------- */

static void note_execution(struct world *world, const struct validator *validator,
                           const struct sy_proposal *proposal)
{
    if (validator->faulty) return;
    if (proposal->count == 0) sim_note_branch(world, SIM_BRANCH_executed_empty, 1);
    if (proposal->count >= validator->roster.count)
        sim_note_branch(world, SIM_BRANCH_executed_full, 1);
    sim_note_branch(world, SIM_BRANCH_skipped_entry, proposal->count - world->executed->ran_count);
}

void sim_on_run(struct world *world, struct validator *validator)
{
    SY_ASSERT(validator->running && validator->runs_in > validator->runs_out);
    struct sy_proposal *proposal = &validator->runs[validator->runs_out++ % RUNS_MAX];
    struct sy_error err;
    if (proposal->slot >= 3 && sim_plants(world, SIM_PLANT_OTHER_TIME, validator)) {
        proposal->time_ms++;
        world->planted = true;
    }
    bool fails = sim_write_fails(validator);
    if (fails) sy_os_failpoint_arm("store.ledger.commit", 1, "enospc");
    sy_status status = sy_executor_run(validator->executor, world->executed, proposal, &err);
    sy_os_failpoint_arm(NULL, 0, NULL);
    if (status != SY_OK && fails) {
        sim_note_fault(world, SIM_FAULT_write_failed);
        validator->running = false;
        validator->disk.flying = 0; /* the same disk */
        sim_crash(world, validator);
        return;
    }
    if (status != SY_OK) {
        sim_fail(world, SIM_CHECK_DURABLE, "validator %u cannot execute block %llu: %s",
                 validator->index, (unsigned long long)proposal->slot, err.text);
        return;
    }
    note_execution(world, validator, proposal);
    validator->running = false;
    begin_run(world, validator);
    if (proposal->slot >= 3 && sim_plants(world, SIM_PLANT_DEAF_EXECUTOR, validator)) return;
    struct sy_node_event event = {.type = SY_NODE_EXECUTED};
    event.as.executed.height = world->executed->header.height;
    event.as.executed.header_hash = world->executed->header_hash;
    event.as.executed.next_epoch = world->executed->next_epoch;
    event.as.executed.ran = world->executed->ran;
    event.as.executed.ran_count = world->executed->ran_count;
    sim_feed(world, validator, &event);
}

void sim_on_checked(struct world *world, struct validator *validator, const struct event *event)
{
    sim_check_jobs(world, event->submission);
    struct sy_node_event checked = {.type = SY_NODE_CHECKED};
    checked.as.submission = event->submission;
    sim_feed(world, validator, &checked);
}
