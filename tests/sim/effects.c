/* effects.c: what a validator's node wants done, done later. */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "tests/sim/sim_internal.h"

static struct event event_for(const struct validator *validator, enum event_type type)
{
    return (struct event){.type = type, .node = validator->index, .life = validator->life};
}

static void send(struct world *world, struct validator *validator, uint16_t peer,
                 struct sy_slice bytes)
{
    for (uint16_t to = 0; to < world->n; to++) {
        if (to == validator->index || (peer != SY_NODE_ALL && peer != to)) continue;
        sim_send(world, validator->index, to, bytes);
    }
}

static void send_blocks(struct world *world, struct validator *validator,
                        const struct sy_node_effect *effect)
{
    uint16_t peer = effect->as.send_blocks.peer;
    for (uint16_t i = 0; i < effect->as.send_blocks.count; i++) {
        struct sy_slice message;
        if (sy_serve_block(&validator->serve, &message, peer, sim_clock_ns(world, validator),
                           effect->as.send_blocks.first + i) != SY_OK) {
            return;
        }
        send(world, validator, peer, message);
    }
}

static void send_body(struct world *world, struct validator *validator,
                      const struct sy_node_effect *effect)
{
    uint16_t peer = effect->as.send_body.peer;
    struct sy_slice message;
    if (sy_serve_body(&validator->serve, &message, peer, sim_clock_ns(world, validator),
                      &effect->as.send_body.digest) == SY_OK) {
        send(world, validator, peer, message);
    }
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
    sim_later(world, event, sim_draw(world, 100) + submission->job_count * 20 * US);
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
    switch (effect->type) {
    case SY_NODE_SEND:
        sim_check_send(world, validator, effect->as.send.bytes);
        send(world, validator, effect->as.send.peer, effect->as.send.bytes);
        break;
    case SY_NODE_SEND_BODY: send_body(world, validator, effect); break;
    case SY_NODE_SEND_BLOCKS: send_blocks(world, validator, effect); break;
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
            world->result->crashes_in_step += i > 0;
            return;
        }
        carry_one(world, validator, &effects->items[i]);
    }
}

/* ---- what comes back --------------------------------------------------------------------- */

void sim_on_run(struct world *world, struct validator *validator)
{
    SY_ASSERT(validator->running && validator->runs_in > validator->runs_out);
    struct sy_proposal *proposal = &validator->runs[validator->runs_out++ % RUNS_MAX];
    struct sy_error err;
    if (proposal->slot >= 3 && sim_plants(world, SIM_PLANT_OTHER_TIME, validator)) {
        proposal->time_ms++;
        world->planted = true;
    }
    sy_status status = sy_executor_run(validator->executor, world->executed, proposal, &err);
    if (status != SY_OK) {
        sim_fail(world, SIM_CHECK_DURABLE, "validator %u cannot execute block %llu: %s",
                 validator->index, (unsigned long long)proposal->slot, err.text);
        return;
    }
    validator->running = false;
    begin_run(world, validator);
    if (proposal->slot >= 3 && sim_plants(world, SIM_PLANT_DEAF_EXECUTOR, validator)) return;
    struct sy_node_event event = {.type = SY_NODE_EXECUTED};
    event.as.executed.height = world->executed->header.height;
    event.as.executed.header_hash = world->executed->header_hash;
    event.as.executed.ran = world->executed->ran;
    event.as.executed.ran_count = world->executed->ran_count;
    sim_feed(world, validator, &event);
}

void sim_on_checked(struct world *world, struct validator *validator, const struct event *event)
{
    sy_status status = sy_engine_submit(world->engine, event->submission);
    SY_ASSERT(status == SY_OK);
    struct sy_submission *done = sy_engine_done(world->engine);
    SY_ASSERT(done == event->submission);
    struct sy_node_event checked = {.type = SY_NODE_CHECKED};
    checked.as.submission = done;
    sim_feed(world, validator, &checked);
}
