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

/* Bodies that are stored and did not run: of one maker at most a window of batches waits, and as
 * many more that proposals named (pool.h). */
#define WAITING_BODIES_MAX(n) (2u * SY_BATCH_WINDOW * (n))

struct bodies {
    const struct sy_table *ran;
    uint64_t pruned;
    bool named_again; /* liars propose old batches: fetched once more, those wait for a window */
    unsigned waiting;
    unsigned over; /* of pruned blocks */
};

static sy_status count_waiting(void *context, const struct sy_hash *digest, size_t body_bytes,
                               struct sy_slice head)
{
    struct bodies *bodies = (struct bodies *)context;
    (void)body_bytes;
    (void)head;
    const uint64_t *ran = (const uint64_t *)sy_table_find(bodies->ran, digest);
    bool over = ran != NULL && *ran < bodies->pruned;
    bodies->waiting += ran == NULL || (over && bodies->named_again);
    bodies->over += over && !bodies->named_again;
    return SY_OK;
}

static void plant_bodies(struct world *world, struct validator *validator)
{
    for (unsigned i = 0; i <= WAITING_BODIES_MAX(world->n); i++) {
        struct sy_vote_write write;
        struct sy_error err;
        memset(&write, 0, sizeof write);
        write.op = SY_VOTE_PUT_BODY;
        sy_store_u32(write.body.bytes, i + 1);
        write.value = sy_slice_of(write.body.bytes, sizeof write.body.bytes);
        sy_status status = sy_votes_commit(validator->store, &write, 1, &err);
        SY_ASSERT(status == SY_OK);
    }
}

static void check_bodies(struct world *world, struct validator *validator)
{
    struct bodies bodies = {.ran = &world->ran_bodies,
                            .pruned = sy_ledger_pruned(validator->store),
                            .named_again =
                                world->liars.mask != 0 && (world->options.lies & SIM_LIE_OLD) != 0};
    struct sy_error err;
    if (sim_plants(world, SIM_PLANT_KEPT_BODIES, validator)) plant_bodies(world, validator);
    sy_status status = sy_bodies_each(validator->reader, count_waiting, &bodies, &err);
    SY_ASSERT(status == SY_OK);
    if (bodies.over > 0) {
        sim_fail(world, SIM_CHECK_MEMORY, "validator %u keeps %u bodies of pruned blocks",
                 validator->index, bodies.over);
    }
    if (bodies.waiting <= WAITING_BODIES_MAX(world->n)) return;
    sim_fail(world, SIM_CHECK_MEMORY, "validator %u keeps %u bodies that never ran",
             validator->index, bodies.waiting);
}

/* Whoever prunes keeps what it was told to keep, and a little more. */
static void check_history(struct world *world, const struct validator *validator)
{
    uint64_t pruned = sy_ledger_pruned(validator->store);
    uint64_t base = sy_ledger_base(validator->store);
    uint64_t kept = validator->promised + 1 - pruned;
    uint64_t history = world->options.history_blocks;
    bool keeps_all = history == 0 || (world->archives >> validator->index & 1u) != 0;
    bool too_little = pruned > 0 && pruned > base + 1 && kept < history;
    bool too_much = !keeps_all && kept > history + SIM_PRUNE_EVERY;
    bool wrongly = keeps_all && pruned > (base > 0 ? base + 1 : 0);
    if (!too_little && !too_much && !wrongly) return;
    sim_fail(world, SIM_CHECK_MEMORY, "validator %u keeps the history of %llu blocks of %llu",
             validator->index, (unsigned long long)kept, (unsigned long long)validator->promised);
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
    check_bodies(world, validator);
    check_history(world, validator);
}

/* ---- what clients were told -------------------------------------------------------------- */

/* Where it stands, or that history does not go back so far. */
static bool stands_at(struct validator *validator, const struct client_tx *tx)
{
    uint64_t pruned = sy_ledger_pruned(validator->store);
    struct sy_tx_position positions[64];
    size_t found = 0;
    if (sy_ledger_find_tx(validator->reader, positions, &found, 64, &tx->id) != SY_OK) return false;
    for (size_t i = 0; i < found && i < 64; i++) {
        if (positions[i].height < pruned) return false;
        if (positions[i].height == tx->told_height) return true;
    }
    return tx->told_height < pruned;
}

void sim_check_told(struct world *world, struct validator *validator)
{
    for (uint32_t i = 0; i < world->clients.count && !world->done; i++) {
        const struct client_tx *tx = &world->clients.txs[i];
        if (tx->told_height == 0) continue;
        if (tx->told_height <= validator->promised && stands_at(validator, tx)) continue;
        sim_fail(world, SIM_CHECK_FINAL,
                 "a client was told that transaction %u is final in block %llu, where validator "
                 "%u does not have it",
                 i, (unsigned long long)tx->told_height, validator->index);
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
    struct sy_store_config config = {
        .genesis = world->genesis->hash, .init = true, .generation_bytes = 256u << 10};
    struct sy_error err = {SY_OK, ""};
    memset(&replay, 0, sizeof replay);
    sy_status status = sy_store_open_memory(&replay.store, &config);
    if (status == SY_OK) {
        status = sy_executor_open(&replay.executor, replay.store, world->genesis, &err);
    }
    for (uint64_t height = 1; height <= validator->promised && !world->done; height++) {
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

/* Somebody who lies may be blamed, nobody else. */
static void check_blame(struct world *world, const struct validator *validator,
                        const struct sy_node_info *info)
{
    for (uint16_t i = 0; i < validator->roster.count; i++) {
        uint16_t whose = sim_whose(world, validator->roster.epoch, i);
        if (world->validators[whose].faulty || info->peers[i].equivocations == 0) continue;
        sim_fail(world, SIM_CHECK_ALARM, "validator %u found evidence against %u, which is correct",
                 validator->index, whose);
    }
    if (world->liars.mask != 0) return;
    if (info->pbft.equivocations_total > 0) {
        sim_fail(world, SIM_CHECK_ALARM, "validator %u found evidence, but nobody lied",
                 validator->index);
    }
    if (info->pool.condemned > 0) {
        sim_fail(world, SIM_CHECK_ALARM, "validator %u condemned a batch, but no maker lied",
                 validator->index);
    }
}

static void check_node(struct world *world, struct validator *validator)
{
    if (!validator->up) return;
    const struct sy_node_info *info = sim_info(world, validator);
    check_blame(world, validator, info);
    if (info->pbft.halted) {
        sim_fail(world, SIM_CHECK_ALARM, "validator %u stopped voting", validator->index);
    }
    sim_note_sample(world, validator);
    sim_note_totals(world, validator);
}

/* One of those who keep all history: weak(n) do, so that NULL means more liars than f. */
static struct validator *some_archive(struct world *world)
{
    uint64_t first = sy_prng_below(&world->prng, world->n);
    for (uint16_t i = 0; i < world->n; i++) {
        struct validator *validator = &world->validators[(first + i) % world->n];
        if (validator->faulty || !sim_stays(world, validator)) continue;
        if ((world->archives >> validator->index & 1u) != 0) return validator;
    }
    return NULL;
}

/* ---- states ------------------------------------------------------------------------------ */

static void mix(uint64_t *hash, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) *hash = (*hash ^ bytes[i]) * 1099511628211ull;
}

static bool add_entry(void *user, const struct sy_hash *key, struct sy_slice value)
{
    uint64_t *hash = (uint64_t *)user;
    mix(hash, key->bytes, sizeof key->bytes);
    mix(hash, value.data, value.size);
    return true;
}

static uint64_t hash_state(const struct validator *validator)
{
    static const struct sy_hash all;
    uint64_t hash = 14695981039346656037ull;
    sy_state_view *view = NULL;
    sy_status status = sy_state_view_open(&view, validator->store);
    if (status == SY_OK) status = sy_state_view_each(view, &all, 0, add_entry, &hash);
    SY_ASSERT(status == SY_OK);
    sy_state_view_close(view);
    return hash;
}

/* At rest all have the same height, and so the same state, wherever they began. */
static void check_state(struct world *world, const struct validator *validator, uint64_t *common)
{
    uint64_t own = hash_state(validator);
    if (sim_plants(world, SIM_PLANT_OTHER_STATE, validator)) own ^= 1;
    if (*common == 0) *common = own;
    if (own == *common) return;
    sim_fail(world, SIM_CHECK_AGREEMENT, "the state of validator %u differs from the others'",
             validator->index);
}

void sim_check_end(struct world *world)
{
    uint64_t state = 0;
    if (world->height_count > SY_PBFT_WINDOW) sim_note_branch(world, SIM_BRANCH_window_passed, 1);
    for (uint16_t i = 0; i < world->places && !world->done; i++) {
        struct validator *validator = &world->validators[i];
        if (validator->faulty) {
            if (validator->up) sim_note_sample(world, validator);
            continue;
        }
        sim_check_promises(world, validator);
        if (!sim_stays(world, validator)) continue;
        sim_check_memory(world, validator);
        if (!world->done) sim_check_told(world, validator);
        check_state(world, validator, &state);
        check_node(world, validator);
    }
    struct validator *archive = some_archive(world);
    if (!world->done && archive != NULL) sim_check_replay(world, archive);
}
