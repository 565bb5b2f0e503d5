/* checks_end.c: what must hold when a world has come to rest. */
#include <stdlib.h>
#include <string.h>

#include "consensus/pbft/record.h"
#include "core/base/assert.h"
#include "tests/sim/sim_internal.h"

/* ---- memory ------------------------------------------------------------------------------ */

struct leftovers {
    uint64_t certified;
    unsigned over; /* vote records at or below it */
};

static sy_status count_leftovers(void *context, const struct sy_record_key *key,
                                 struct sy_slice value)
{
    struct leftovers *left = (struct leftovers *)context;
    (void)value;
    left->over += sy_pbft_record_droppable(key->type, key->slot, left->certified);
    return SY_OK;
}

void sim_check_memory(struct world *world, struct validator *validator)
{
    struct leftovers left = {.certified = validator->promised};
    struct sy_error err;
    sy_status status = sy_votes_each(validator->reader, count_leftovers, &left, &err);
    SY_ASSERT(status == SY_OK);
    if (left.over > 0) {
        sim_fail(world, SIM_CHECK_MEMORY, "validator %u keeps %u vote records that are over",
                 validator->index, left.over);
    }
    if (!validator->arena.sealed || validator->arena.used_bytes != validator->arena_used) {
        sim_fail(world, SIM_CHECK_MEMORY, "the memory of validator %u grew", validator->index);
    }
}

/* ---- replay ------------------------------------------------------------------------------ */

struct replay {
    sy_store *store;
    sy_executor *executor;
    struct sy_proposal order;
};

static sy_status copy_bodies(const struct replay *replay, const struct validator *from,
                             struct sy_error *err)
{
    for (uint16_t i = 0; i < replay->order.count; i++) {
        struct sy_vote_write write;
        memset(&write, 0, sizeof write);
        write.op = SY_VOTE_PUT_BODY;
        write.body = replay->order.entries[i].digest;
        SY_TRY(sy_body_get(from->reader, &write.value, &write.body));
        SY_TRY(sy_votes_commit(replay->store, &write, 1, err));
    }
    return SY_OK;
}

static sy_status run_block(struct world *world, struct replay *replay, const struct validator *from,
                           uint64_t height, struct sy_error *err)
{
    struct sy_slice bytes;
    SY_TRY(sy_ledger_get(from->reader, &bytes, height, SY_BLOCK_ORDER));
    struct sy_reader reader = sy_reader_of(bytes);
    if (!sy_proposal_decode(&reader, &replay->order)) return SY_ERR_CORRUPT;
    SY_TRY(copy_bodies(replay, from, err));
    if (world->options.plant == SIM_PLANT_SHORT_REPLAY && replay->order.count > 0) {
        replay->order.count--;
    }
    return sy_executor_run(replay->executor, world->executed, &replay->order, err);
}

static void compare(struct world *world, const struct validator *validator, uint64_t height)
{
    uint8_t header[SY_HEADER_BYTES];
    struct sy_writer writer = sy_writer_of(header, sizeof header);
    sy_header_encode(&writer, &world->executed->header);
    if (memcmp(header, world->heights[height].header, sizeof header) == 0) return;
    sim_fail(world, SIM_CHECK_REPLAY, "the replay of validator %u gives another block %llu",
             validator->index, (unsigned long long)height);
}

void sim_check_replay(struct world *world, struct validator *validator)
{
    struct replay replay;
    struct sy_store_config config = {.genesis = world->genesis->hash, .init = true};
    struct sy_error err = {SY_OK, ""};
    memset(&replay, 0, sizeof replay);
    sy_status status = sy_store_open_memory(&replay.store, &config);
    if (status == SY_OK) {
        status = sy_executor_open(&replay.executor, replay.store, world->genesis, &err);
    }
    for (uint64_t height = 1; height < world->height_count && !world->done; height++) {
        if (status == SY_OK) status = run_block(world, &replay, validator, height, &err);
        if (status != SY_OK) {
            sim_fail(world, SIM_CHECK_REPLAY, "validator %u: block %llu cannot be replayed: %s %s",
                     validator->index, (unsigned long long)height, sy_status_name(status),
                     err.text);
            break;
        }
        compare(world, validator, height);
    }
    sy_executor_close(replay.executor);
    if (replay.store != NULL) sy_store_close(replay.store);
}

/* ---- the end ----------------------------------------------------------------------------- */

static void check_node(struct world *world, struct validator *validator)
{
    static struct sy_node_info info;
    sy_node_get_info(validator->node, &info, world->now_ns + validator->clock_base_ns);
    if (info.pbft.equivocations_total > 0) {
        sim_fail(world, SIM_CHECK_ALARM, "validator %u found evidence, but nobody lied",
                 validator->index);
    }
    world->result->adopted += info.pbft.blocks_adopted_total;
    world->result->frames_malformed += info.frames_malformed;
    if (info.pool.condemned > 0) {
        sim_fail(world, SIM_CHECK_ALARM, "validator %u condemned a batch, but no maker lied",
                 validator->index);
    }
}

void sim_check_end(struct world *world)
{
    for (uint16_t i = 0; i < world->n && !world->done; i++) {
        struct validator *validator = &world->validators[i];
        sim_check_promises(world, validator);
        sim_check_memory(world, validator);
        check_node(world, validator);
    }
    uint16_t one = (uint16_t)sy_prng_below(&world->prng, world->n);
    if (!world->done) sim_check_replay(world, &world->validators[one]);
}
