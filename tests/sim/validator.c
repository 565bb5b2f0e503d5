/* validator.c: one validator's life: its store stays, everything else is thrown away by a crash. */
#include <stdlib.h>
#include <string.h>

#include "consensus/node/recover.h"
#include "core/base/assert.h"
#include "core/base/os.h"
#include "tests/sim/sim_internal.h"
#include "tests/support/network.h"

#define TICKS_A_SECOND_MAX 20000u
#define GENERATION_BYTES (256u << 10)
#define HOUR_MS 3600000

const struct sy_node_info *sim_info(const struct world *world, const struct validator *validator)
{
    static struct sy_node_info info;
    sy_node_get_info(validator->node, &info, sim_clock_ns(world, validator));
    return &info;
}

int64_t sim_wall_ms(const struct world *world, const struct validator *validator)
{
    return TEST_GENESIS_MS + 60000 + (int64_t)(world->now_ns / MS) + validator->skew_ms;
}

/* ---- the store --------------------------------------------------------------------------- */

static void open_store(struct world *world, struct validator *validator)
{
    struct sy_store_config config = {.genesis = world->genesis->hash,
                                     .init = true,
                                     .generation_bytes = GENERATION_BYTES,
                                     .snapshot_blocks = world->options.snapshot_blocks};
    sy_status status = sy_store_open_memory(&validator->store, &config);
    SY_ASSERT(status == SY_OK);
    status = sy_store_reader_open(&validator->reader, validator->store);
    SY_ASSERT(status == SY_OK);
}

static void close_store(struct validator *validator)
{
    sy_store_reader_close(validator->reader);
    sy_store_close(validator->store);
    validator->reader = NULL;
    validator->store = NULL;
}

void sim_wipe(struct world *world, struct validator *validator)
{
    SY_ASSERT(!validator->up && validator->fetcher == NULL);
    close_store(validator);
    open_store(world, validator);
}

bool sim_clock_is_off(const struct world *world, uint16_t index)
{
    unsigned first = world->options.validators; /* whoever comes later has a right one */
    if (world->options.bad_clock == 0) return false;
    /* Ten years: all who may be faulty, if they are not already. */
    if (world->options.bad_clock == 3 && world->liars.mask == 0) {
        return index < first && index + sy_faulty_max(first) >= first;
    }
    return index == world->odd;
}

static int64_t draw_skew(struct world *world, const struct validator *validator)
{
    static const int64_t off_ms[] = {0, -HOUR_MS, HOUR_MS, 10ll * 365 * 24 * HOUR_MS};
    int64_t spread = SY_CLOCK_SKEW_MS_DEFAULT / 4;
    int64_t skew_ms = (int64_t)sy_prng_below(&world->prng, (uint64_t)(2 * spread)) - spread;
    if (world->options.plant == SIM_PLANT_FAR_TIME) return HOUR_MS;
    if (sim_plants(world, SIM_PLANT_WRONG_CLOCK, validator)) return HOUR_MS;
    if (!sim_clock_is_off(world, validator->index)) return skew_ms;
    sim_note_fault(world, SIM_FAULT_clock_off);
    return off_ms[world->options.bad_clock % 4];
}

void sim_validator_open(struct world *world, uint16_t place)
{
    struct validator *validator = &world->validators[place];
    *validator = (struct validator){.world = world,
                                    .place = place,
                                    .index = place < world->n ? place : world->odd,
                                    .crash_after = -1,
                                    .fail_after = -1,
                                    .tick_at_ns = UINT64_MAX};
    validator->faulty = (world->liars.mask >> validator->index & 1u) != 0;
    validator->roster = world->genesis->roster;
    validator->self = sim_index_in(world, 0, validator->index);
    validator->joins = place == world->late;
    if (place == world->newcomer && world->options.snapshot_blocks > 0) {
        validator->joins = sy_prng_chance(&world->prng, 2, 3);
    }
    validator->skew_ms = draw_skew(world, validator);
    validator->runs = (struct sy_proposal *)calloc(RUNS_MAX, sizeof *validator->runs);
    SY_ASSERT(validator->runs != NULL);
    open_store(world, validator);
}

void sim_validator_stop(struct validator *validator)
{
    sim_history_stop(validator);
    sy_executor_close(validator->executor);
    sy_arena_close(&validator->arena);
    validator->executor = NULL;
    validator->node = NULL;
    validator->up = false;
}

void sim_validator_close(struct world *world, struct validator *validator)
{
    sim_disk_crash(world, validator);
    if (validator->up) sim_validator_stop(validator);
    sy_fetcher_close(validator->fetcher);
    free(validator->disk.items);
    free(validator->runs);
    if (validator->store != NULL) close_store(validator);
}

/* ---- crash ------------------------------------------------------------------------------- */

/* The block under way may be durable, or be in the ledger and not yet in the state, or neither. */
static void crash_run(struct world *world, struct validator *validator)
{
    uint64_t luck = sy_prng_below(&world->prng, 3);
    struct sy_error err;
    if (!validator->running || luck == 0) return;
    const struct sy_proposal *proposal = &validator->runs[validator->runs_out % RUNS_MAX];
    if (luck == 1) sy_os_failpoint_arm("store.state.apply", 1, "eio");
    sy_status status = sy_executor_run(validator->executor, world->executed, proposal, &err);
    sy_os_failpoint_arm(NULL, 0, NULL);
    SY_ASSERT((status == SY_OK) == (luck != 1));
}

void sim_crash(struct world *world, struct validator *validator)
{
    SY_ASSERT(validator->up);
    sim_note_fault(world, SIM_FAULT_crash);
    if (validator->starting) sim_note_fault(world, SIM_FAULT_crash_in_start);
    sim_note_totals(world, validator);
    crash_run(world, validator);
    sim_disk_crash(world, validator);
    sim_validator_stop(validator);
    sy_store_memory_crash(validator->store);
    validator->doomed = false;
    validator->running = false;
    validator->crash_after = -1;
    validator->runs_in = validator->runs_out = 0;
    validator->engine_free_ns = 0;
    validator->tick_at_ns = UINT64_MAX;
    sim_restart_later(world, validator);
}

void sim_restart_later(struct world *world, const struct validator *validator)
{
    struct event event = {.type = EVENT_RESTART, .node = validator->place};
    uint64_t away_ms = world->options.away_ms / (sy_prng_chance(&world->prng, 1, 4) ? 1 : 10);
    sim_later(world, event, sy_prng_below(&world->prng, away_ms * MS + 1));
}

/* ---- start ------------------------------------------------------------------------------- */

static void configure(struct world *world, struct validator *validator,
                      struct sy_node_config *config)
{
    *config = (struct sy_node_config){.genesis = world->genesis,
                                      .roster = &validator->roster,
                                      .signer = sim_signer(validator),
                                      .self = validator->self,
                                      .vote_checks = 64};
    sy_pbft_config_default(&config->pbft);
    config->pbft.pipeline_slots = world->options.pipeline_slots;
    config->pbft.heartbeat_ns = 2000 * MS;
    config->pool.batch_timeout_ns = 4 * MS;
    config->pool.batch_txs_max = world->options.batch_txs_max;
    config->pool.pending_txs_max = 4096;
    config->pool.lanes = world->options.lanes;
    config->pool.queued_per_maker = 4;
    config->pool.respread_ns = 250 * MS;
    sy_prng_fill(&world->prng, config->pool.seed, sizeof config->pool.seed);
}

static void carry(void *self, const struct sy_node_effects *effects)
{
    struct world *world = (struct world *)self;
    sim_carry(world, world->starting, effects);
}

static void lose_votes(const struct validator *validator)
{
    struct sy_error err;
    struct sy_vote_write writes[5];
    memset(writes, 0, sizeof writes);
    writes[0].op = writes[1].op = SY_VOTE_DROP_BELOW;
    writes[0].key = (struct sy_record_key){SY_PBFT_RECORD_PREPARE, UINT64_MAX, 0};
    writes[1].key = (struct sy_record_key){SY_PBFT_RECORD_PREPARED, UINT64_MAX, 0};
    writes[2].op = writes[3].op = writes[4].op = SY_VOTE_DROP_RECORD;
    writes[2].key = (struct sy_record_key){SY_PBFT_RECORD_BOOT, 0, 0};
    writes[3].key = (struct sy_record_key){SY_PBFT_RECORD_VIEW_CHANGE, 0, 0};
    writes[4].key = (struct sy_record_key){SY_PBFT_RECORD_NEW_VIEW, 0, 0};
    sy_status status = sy_votes_commit(validator->store, writes, 5, &err);
    SY_ASSERT(status == SY_OK);
}

static void plant_at_start(struct world *world, struct validator *validator)
{
    if (validator->life < 2) return;
    if (sim_plants(world, SIM_PLANT_OLD_VOTES, validator)) {
        world->planted = true;
        lose_votes(validator);
    }
    if (validator->left_below > 0 && sim_plants(world, SIM_PLANT_LOST_VIEW, validator)) {
        world->planted = true;
        lose_votes(validator);
    }
    if (validator->promised > 0 && sim_plants(world, SIM_PLANT_WIPED, validator)) {
        world->planted = true;
        close_store(validator);
        open_store(world, validator);
    }
}

static sy_status start_parts(struct world *world, struct validator *validator, struct sy_error *err)
{
    struct sy_node_config config;
    SY_TRY(sy_executor_open(&validator->executor, validator->store, world->genesis, err));
    uint64_t next = sy_ledger_certified(validator->store) + 1;
    validator->roster = *sy_executor_roster(validator->executor, next);
    validator->self = sim_index_in(world, validator->roster.epoch, validator->index);
    configure(world, validator, &config);
    config.pbft.base = sy_executor_epoch_base(validator->executor, next);
    sim_history_start(world, validator);
    SY_TRY(sy_arena_open(&validator->arena, sy_node_footprint(&config)));
    SY_TRY(sy_node_init(&validator->node, &validator->arena, &config, err));
    sy_arena_seal(&validator->arena);
    validator->arena_used = validator->arena.used_bytes;
    world->starting = validator;
    return sy_node_recover(validator->node, world->effects, validator->store, validator->executor,
                           world->genesis, &validator->roster, carry, world,
                           sim_wall_ms(world, validator), sim_clock_ns(world, validator), err);
}

static void plan_tick(struct world *world, struct validator *validator)
{
    uint64_t wake_ns = sy_node_wake_ns(validator->node);
    if (wake_ns == UINT64_MAX) return;
    uint64_t now_ns = sim_clock_ns(world, validator);
    uint64_t delay_ns = wake_ns > now_ns + US ? wake_ns - now_ns : US;
    if (world->now_ns + delay_ns >= validator->tick_at_ns) return;
    validator->tick_at_ns = world->now_ns + delay_ns;
    struct event event = {.type = EVENT_TICK, .node = validator->place, .life = validator->life};
    sim_later(world, event, delay_ns);
}

/* What a step leaves behind: a validator that is to crash, or one that wants to be woken. */
static void after_step(struct world *world, struct validator *validator)
{
    if (world->done) return;
    if (validator->doomed) {
        sim_crash(world, validator);
    } else if (sy_node_epoch_over(validator->node) && !sim_lingers(world, validator)) {
        sim_turn(world, validator);
    } else {
        plan_tick(world, validator);
    }
}

void sim_start(struct world *world, struct validator *validator)
{
    struct sy_error err = {SY_OK, ""};
    SY_ASSERT(!validator->up);
    if (validator->joins) {
        sim_join(world, validator);
        return;
    }
    validator->up = true;
    validator->life++;
    validator->clock_base_ns = 1000 * MS + sy_prng_below(&world->prng, 1000000 * MS);
    /* A start may be cut short, too. */
    if (!world->calm && validator->life > 1 && sy_prng_chance(&world->prng, 1, 8)) {
        validator->crash_after = (int)sy_prng_below(&world->prng, 8);
    }
    plant_at_start(world, validator);
    validator->serve = (struct sy_serve){.reader = validator->reader, .out = world->scratch};
    sim_note_start(world, validator);
    validator->starting = true;
    sy_status status = start_parts(world, validator, &err);
    validator->starting = validator->doomed;
    if (status != SY_OK) {
        sim_fail(world, SIM_CHECK_PROMISE, "validator %u does not start again: %s",
                 validator->index, err.text);
        return;
    }
    sim_note_resumed(world, validator);
    if (!validator->faulty) sim_check_promises(world, validator);
    after_step(world, validator);
    validator->starting = false;
}

/* ---- events ------------------------------------------------------------------------------ */

void sim_feed(struct world *world, struct validator *validator, struct sy_node_event *event)
{
    SY_ASSERT(validator->up);
    event->now_ms = sim_wall_ms(world, validator);
    event->now_ns = sim_clock_ns(world, validator);
    const struct sy_node_event *next = event;
    bool more = true;
    while (more && !validator->doomed && !world->done) {
        more = sy_node_step(validator->node, world->effects, next);
        sim_carry(world, validator, world->effects);
        next = NULL;
    }
    after_step(world, validator);
}

void sim_on_tick(struct world *world, struct validator *validator)
{
    if (world->now_ns != validator->tick_at_ns) return; /* an earlier one came since */
    validator->tick_at_ns = UINT64_MAX;
    if (validator->tick_second != world->now_ns / (1000 * MS)) {
        validator->tick_second = world->now_ns / (1000 * MS);
        validator->ticks = 0;
    }
    if (++validator->ticks > TICKS_A_SECOND_MAX && !validator->faulty) {
        sim_fail(world, SIM_CHECK_MEMORY, "validator %u asks to be woken all the time",
                 validator->index);
        return;
    }
    struct sy_node_event event = {.type = SY_NODE_TICK};
    sim_feed(world, validator, &event);
}
