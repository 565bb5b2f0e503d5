/* sim.c: the world: its events, its faults, its end. */
#include "tests/sim/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/assert.h"
#include "tests/sim/sim_internal.h"
#include "tests/support/network.h"

#define LATE_PAUSE_MS 200u
#define LATE_PATIENCE_MS 5000u /* from the end of the faults */
#define SIGNED_MAX 65536u
/* The validator that a planted fault befalls, unless it must be primary. */
#define PLANT_VICTIM 1u
#define SAMPLE_MS 50u

/* ---- what the files share ---------------------------------------------------------------- */

void sim_fail(struct world *world, enum sim_check check, const char *format, ...)
{
    if (world->result->failed != SIM_CHECK_NONE) return;
    va_list args;
    va_start(args, format);
    int used = snprintf(world->result->failure, sizeof world->result->failure,
                        "%s: ", sim_check_name(check));
    (void)vsnprintf(world->result->failure + used, sizeof world->result->failure - (size_t)used,
                    format, args);
    va_end(args);
    world->result->failed = check;
    world->done = true;
}

void sim_later(struct world *world, struct event event, uint64_t delay_ns)
{
    event.at_ns = world->now_ns + delay_ns;
    queue_put(&world->queue, &event);
}

uint64_t sim_draw(struct world *world, unsigned usual_us)
{
    uint64_t most = 4;
    if (!world->calm && sy_prng_chance(&world->prng, 1, 32)) most = 50;
    return usual_us * US / 2 + sy_prng_below(&world->prng, usual_us * US * most + 1);
}

bool sim_plants(const struct world *world, enum sim_plant plant, const struct validator *validator)
{
    if (world->options.plant != plant) return false;
    return validator->index == (plant == SIM_PLANT_OLD_VOTES ? 0 : PLANT_VICTIM) ||
           plant == SIM_PLANT_NO_REPLAY || plant == SIM_PLANT_UNKNOWN_TX;
}

void sim_note_fault(struct world *world, enum sim_fault fault)
{
    world->result->faults[fault]++;
}

void sim_note_branch(struct world *world, enum sim_branch branch, uint64_t times)
{
    world->result->branches[branch] += times;
}

const char *sim_check_name(enum sim_check check)
{
    static const char *const names[] = {"none",    "agreement", "certificate", "once",  "validity",
                                        "durable", "amnesia",   "promise",     "alarm", "replay",
                                        "memory",  "liveness",  "final"};
    SY_ASSERT((size_t)check < sizeof names / sizeof names[0]);
    return names[check];
}

const char *sim_fault_name(enum sim_fault fault)
{
    static const char *const names[] = {
#define SIM_FAULT(name) #name,
#include "tests/sim/seen.def"
#undef SIM_FAULT
    };
    SY_ASSERT(fault < SIM_FAULT_COUNT);
    return names[fault];
}

const char *sim_branch_name(enum sim_branch branch)
{
    static const char *const names[] = {
#define SIM_BRANCH(name) #name,
#include "tests/sim/seen.def"
#undef SIM_BRANCH
    };
    SY_ASSERT(branch < SIM_BRANCH_COUNT);
    return names[branch];
}

/* ---- faults ------------------------------------------------------------------------------ */

static uint64_t some_time(struct world *world)
{
    return sy_prng_below(&world->prng, world->options.faults_ms * MS + 1);
}

static uint16_t somebody(struct world *world)
{
    return (uint16_t)sy_prng_below(&world->prng, world->places);
}

static void plan_cuts(struct world *world)
{
    for (unsigned i = 0; i < world->options.cuts; i++) {
        struct event cut = {.type = EVENT_CUT,
                            .node = (uint16_t)sy_prng_below(&world->prng, world->n),
                            .peer = (uint16_t)sy_prng_below(&world->prng, world->n)};
        if (cut.node == cut.peer) continue;
        uint64_t from_ns = some_time(world);
        sim_later(world, cut, from_ns);
        cut.type = EVENT_MEND;
        sim_later(world, cut, from_ns + sy_prng_below(&world->prng, 2000 * MS));
    }
}

static void begin_later(struct world *world, uint16_t place)
{
    sim_later(world, (struct event){.type = EVENT_RESTART, .node = place}, some_time(world));
}

static void plan_faults(struct world *world)
{
    const struct sim_options *options = &world->options;
    for (unsigned i = 0; i < options->crashes; i++) {
        struct event crash = {.type = EVENT_CRASH, .node = somebody(world)};
        crash.mask = sy_prng_chance(&world->prng, 1, 2);
        sim_later(world, crash, some_time(world));
    }
    for (unsigned i = 0; i < options->write_failures; i++) {
        struct event failure = {.type = EVENT_FAIL_WRITE, .node = somebody(world)};
        sim_later(world, failure, some_time(world));
    }
    plan_cuts(world);
    sim_plan_splits(world);
    for (unsigned i = 0; i < options->power_cuts; i++) {
        sim_later(world, (struct event){.type = EVENT_POWER}, some_time(world));
    }
    if (world->late < world->n) begin_later(world, world->late);
    if (world->newcomer < world->n) begin_later(world, world->newcomer);
    sim_later(world, (struct event){.type = EVENT_CALM}, options->faults_ms * MS);
}

/* Where the roster changes, one that begins late had better find another roster than the genesis's,
 * if the others can go on without it: with liars, with wrong clocks. */
static bool waits_for_epoch(const struct world *world, const struct validator *validator)
{
    unsigned others = world->n - 1u - (unsigned)__builtin_popcount(world->unsound);
    if (!validator->joins || world->options.epochs == 0 || world->epoch > 0) return false;
    if (others < sy_quorum(world->n)) return false;
    return !world->calm || world->now_ns < world->calm_ns + LATE_PATIENCE_MS * MS;
}

static void start_again(struct world *world, uint16_t place)
{
    struct validator *validator = &world->validators[place];
    if (validator->up || validator->fetcher != NULL || validator->left) return;
    if (waits_for_epoch(world, validator)) {
        sim_later(world, (struct event){.type = EVENT_RESTART, .node = place}, LATE_PAUSE_MS * MS);
        return;
    }
    sim_start(world, validator);
}

static void cut_power(struct world *world)
{
    if (!world->calm) sim_note_fault(world, SIM_FAULT_power_cut);
    for (uint16_t i = 0; i < world->places && !world->calm; i++) {
        if (world->validators[i].up) sim_crash(world, &world->validators[i]);
        if (world->validators[i].fetcher) sim_join_crash(world, &world->validators[i]);
    }
}

static void calm_down(struct world *world)
{
    SY_ASSERT(world->options.plant != SIM_PLANT_DEATH);
    world->calm = true;
    world->calm_ns = world->now_ns;
    memset(world->cut, 0, sizeof world->cut);
    for (uint16_t i = 0; i < world->places && !world->done; i++) {
        world->validators[i].crash_after = world->validators[i].fail_after = -1;
        start_again(world, i);
    }
}

/* ---- rest -------------------------------------------------------------------------------- */

static bool holds_nothing(const struct world *world, const struct validator *validator)
{
    const struct sy_node_info *info = sim_info(world, validator);
    return info->pbft.next_epoch == 0 && info->pool.pending_txs == 0 &&
           info->pool.own_batches == 0 && info->pbft.proposed_height <= info->pbft.certified_height;
}

static bool at_rest(const struct world *world)
{
    if (!world->calm || !sim_clients_done(world)) return false;
    for (uint16_t i = 0; i < world->places; i++) {
        const struct validator *validator = &world->validators[i];
        if (validator->faulty) continue;
        if (!sim_stays(world, validator)) {
            if (validator->up && sy_node_epoch_over(validator->node)) return false;
            continue;
        }
        if (validator->roster.epoch != world->options.epochs) return false;
        if (!validator->up || validator->promised + 1 != world->height_count) return false;
        if (validator->disk.count != validator->disk.first) return false;
        if (validator->pruning.more) return false;
        if (sy_ledger_next(validator->store) != world->height_count) return false;
        if (!holds_nothing(world, validator)) return false;
    }
    return true;
}

static void describe_standstill(struct world *world)
{
    char text[400];
    size_t used = 0;
    uint32_t open = 0;
    for (uint32_t i = 0; i < world->clients.count; i++) {
        const struct client_tx *tx = &world->clients.txs[i];
        open += tx->kind == TX_GOOD && !tx->applied;
    }
    for (uint16_t i = 0; i < world->places && used < sizeof text; i++) {
        const struct validator *validator = &world->validators[i];
        if (!validator->up) continue;
        const struct sy_node_info *info = sim_info(world, validator);
        int more = snprintf(
            text + used, sizeof text - used,
            "; %u: %llu/%llu/%llu in view %llu, %u ready, %u late, %u refused, %u txs",
            validator->index, (unsigned long long)info->pbft.certified_height,
            (unsigned long long)info->pbft.executed_height,
            (unsigned long long)info->pbft.decided_height, (unsigned long long)info->pbft.view,
            info->pbft.ready_batches, info->pbft.late_proposals, info->pbft.refused_proposals,
            info->pool.pending_txs);
        used += more > 0 ? (size_t)more : 0;
    }
    sim_fail(world, SIM_CHECK_LIVENESS,
             "%u good transactions of %u are not applied %llu ms after the faults (stage %u)%s",
             open, world->clients.count,
             (unsigned long long)((world->now_ns - world->calm_ns) / MS), world->clients.stage,
             text);
}

static bool is_overdue(const struct world *world)
{
    uint64_t bound_ms = world->liars.mask == 0 ? SIM_LIVENESS_MS : SIM_LIVENESS_AMONG_LIARS_MS;
    if (!world->calm) return false;
    if (world->clients.lonely_ns > 0) {
        return world->now_ns > world->clients.lonely_ns + bound_ms * MS;
    }
    return world->now_ns > world->calm_ns + bound_ms * MS;
}

static void end(struct world *world)
{
    world->result->heights = world->height_count > 0 ? world->height_count - 1 : 0;
    sim_check_end(world);
    world->done = true;
}

static void look_for_rest(struct world *world)
{
    if (at_rest(world)) {
        if (sim_clients_lonely(world)) {
            world->result->settled_ms = (world->now_ns - world->calm_ns) / MS;
            return;
        }
        if (sim_clocks_told(world)) {
            end(world);
        } else if (is_overdue(world)) {
            sim_fail(world, SIM_CHECK_LIVENESS,
                     "a wrong clock goes unnoticed, or a right one is blamed");
        }
    } else if (is_overdue(world)) {
        describe_standstill(world);
    }
}

/* Now and then: what liars do of their own accord, and how correct validators stand. */
static void look_around(struct world *world)
{
    for (uint16_t i = 0; i < world->places && !world->done; i++) {
        struct validator *validator = &world->validators[i];
        if (!validator->up) continue;
        if (validator->faulty) sim_lie_unasked(world, validator);
        if (world->now_ns % (SAMPLE_MS * MS) == 0) sim_note_sample(world, validator);
    }
}

/* ---- events ------------------------------------------------------------------------------ */

static void on_frame(struct world *world, struct validator *validator, const struct event *event)
{
    struct sy_slice bytes = sy_slice_of(event->bytes, event->size);
    uint16_t peer = sim_index_in(world, validator->roster.epoch, event->peer);
    if (peer == SY_PBFT_OBSERVER) { /* links take nothing from strangers */
        sim_note_branch(world, SIM_BRANCH_stranger_refused, 1);
        return;
    }
    if (validator->faulty && !sim_liar_hears(world, validator, event->peer, bytes)) return;
    struct sy_node_event frame = {.type = SY_NODE_FRAME};
    frame.as.frame.peer = peer;
    frame.as.frame.bytes = bytes;
    sim_feed(world, validator, &frame);
}

static void on_found(struct world *world, struct validator *validator, const struct event *event)
{
    struct sy_node_event found = {.type = SY_NODE_FOUND};
    found.as.body.digest = event->digest;
    found.as.body.head = sy_slice_of(event->bytes, event->size);
    sim_feed(world, validator, &found);
}

static void on_nudge(struct world *world, struct validator *validator)
{
    struct sy_node_event durable = {.type = SY_NODE_DURABLE};
    durable.as.token = validator->disk.told_token;
    world->planted = true;
    sim_feed(world, validator, &durable);
}

/* Either at once, or at one of the next effects: between two effects of one step. */
static void on_crash(struct world *world, struct validator *validator)
{
    if (sy_prng_chance(&world->prng, 1, 3)) {
        sim_crash(world, validator);
    } else {
        validator->crash_after = (int)sy_prng_below(&world->prng, 60);
    }
}

/* Whom the event names, or the primary of the view that he is in. */
static void crash_somebody(struct world *world, const struct event *event)
{
    struct validator *validator = &world->validators[event->node];
    if (!world->calm && validator->fetcher) sim_join_crash(world, validator);
    if (world->calm || !validator->up) return;
    if (event->mask != 0) {
        uint16_t primary = sim_info(world, validator)->pbft.primary;
        validator = &world->validators[sim_whose(world, validator->roster.epoch, primary)];
        if (!validator->up) return;
        sim_note_fault(world, SIM_FAULT_crash_of_primary);
    }
    on_crash(world, validator);
}

/* Events that concern a validator which is up, in the life that they were meant for. */
static void on_validator_event(struct world *world, const struct event *event)
{
    struct validator *validator = &world->validators[event->node];
    if (validator->fetcher) {
        sim_on_join_event(world, validator, event);
        return;
    }
    if (!validator->up || (event->life != 0 && event->life != validator->life)) return;
    switch (event->type) {
    case EVENT_FRAME: on_frame(world, validator, event); break;
    case EVENT_SEND:
        sim_send(world, validator->index, event->peer, sy_slice_of(event->bytes, event->size));
        break;
    case EVENT_SUBMIT: sim_on_submit(world, validator, event); break;
    case EVENT_CHECKED: sim_on_checked(world, validator, event); break;
    case EVENT_DISK: sim_on_disk(world, validator); break;
    case EVENT_RUN: sim_on_run(world, validator); break;
    case EVENT_FOUND: on_found(world, validator, event); break;
    case EVENT_TICK: sim_on_tick(world, validator); break;
    case EVENT_NUDGE: on_nudge(world, validator); break;
    case EVENT_PRUNE: sim_prune(world, validator); break;
    case EVENT_FAIL_WRITE:
        if (!world->calm) validator->fail_after = (int)sy_prng_below(&world->prng, 6);
        break;
    default: SY_UNREACHABLE("every event has its place");
    }
}

static void on_event(struct world *world, const struct event *event)
{
    switch (event->type) {
    case EVENT_CLIENTS:
        sim_on_clients(world);
        look_around(world);
        if (!world->done) look_for_rest(world);
        break;
    case EVENT_RESTART: start_again(world, event->node); break;
    case EVENT_CUT:
        world->cut[event->node][event->peer] = !world->calm;
        if (!world->calm) sim_note_fault(world, SIM_FAULT_link_cut);
        break;
    case EVENT_MEND: world->cut[event->node][event->peer] = false; break;
    case EVENT_SPLIT:
        if (!world->calm) sim_split(world, event->mask);
        break;
    case EVENT_JOIN: memset(world->cut, 0, sizeof world->cut); break;
    case EVENT_CRASH: crash_somebody(world, event); break;
    case EVENT_POWER: cut_power(world); break;
    case EVENT_CALM: calm_down(world); break;
    default: on_validator_event(world, event);
    }
}

/* FNV-1a over what happened, in order: two runs of one seed must agree on it. */
static void trace(struct world *world, uint64_t value)
{
    for (int i = 0; i < 8; i++) {
        world->result->trace ^= (value >> (8 * i)) & 0xff;
        world->result->trace *= 1099511628211ull;
    }
}

static void play(struct world *world)
{
    struct event event;
    while (!world->done && queue_take(&world->queue, &event)) {
        SY_ASSERT(event.at_ns >= world->now_ns);
        world->now_ns = event.at_ns;
        world->result->events++;
        trace(world, event.at_ns);
        trace(world, (uint64_t)event.type << 48 | (uint64_t)event.node << 32 | event.size);
        on_event(world, &event);
        free(event.bytes);
    }
    world->result->simulated_ms = world->now_ns / MS;
}

/* ---- a world ----------------------------------------------------------------------------- */

static void open_tables(struct world *world)
{
    uint64_t seed[2] = {world->options.seed, 1};
    sy_status status = sy_arena_open(&world->arena, (size_t)SIGNED_MAX * 4 * 128);
    SY_ASSERT(status == SY_OK);
    status = sy_table_init(&world->signed_things, &world->arena, SIGNED_MAX, 32, seed);
    SY_ASSERT(status == SY_OK);
    status = sy_table_init(&world->ran_bodies, &world->arena, 16384, sizeof(uint64_t), seed);
    SY_ASSERT(status == SY_OK);
    status = sy_table_init(&world->tx_index, &world->arena, 4096, sizeof(uint64_t), seed);
    SY_ASSERT(status == SY_OK);
}

static void open_world(struct world *world)
{
    world->genesis = (struct sy_genesis *)calloc(1, sizeof *world->genesis);
    world->effects = (struct sy_node_effects *)calloc(1, sizeof *world->effects);
    world->executed = (struct sy_executed *)calloc(1, sizeof *world->executed);
    world->scratch = (uint8_t *)malloc(SY_FRAME_BYTES_MAX);
    world->chunk = (uint8_t *)malloc(SY_CHUNK_ENTRIES_BYTES_MAX);
    SY_ASSERT(world->genesis && world->effects && world->executed);
    SY_ASSERT(world->scratch && world->chunk);
    test_genesis(world->genesis, world->options.validators);
    open_tables(world);
    sim_signing_open(world);
    sim_liars_open(world);
    sim_epochs_open(world);
    sim_history_open(world);
    sim_clients_open(world);
    for (uint16_t i = 0; i < world->places; i++) sim_validator_open(world, i);
}

static void close_world(struct world *world)
{
    for (uint16_t i = 0; i < world->places; i++) sim_validator_close(world, &world->validators[i]);
    sim_clients_close(world);
    sim_liars_close(world);
    sim_signing_close(world);
    sim_epochs_close(world);
    queue_free(&world->queue);
    sy_arena_close(&world->arena);
    free(world->genesis);
    free(world->effects);
    free(world->executed);
    free(world->scratch);
    free(world->chunk);
    free(world->heights);
}

static uint64_t cpu_us(void)
{
    struct timespec now;
    int failed = clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    SY_ASSERT(!failed);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

void sim_run(struct sim_result *result, const struct sim_options *options)
{
    uint64_t start_us = cpu_us();
    struct world *world = (struct world *)calloc(1, sizeof *world);
    SY_ASSERT(world != NULL);
    SY_ASSERT(options->validators >= SIM_VALIDATORS_MIN);
    SY_ASSERT(options->validators <= SIM_VALIDATORS_MAX && options->epochs <= SIM_EPOCHS_MAX);
    memset(result, 0, sizeof *result);
    result->trace = 14695981039346656037ull;
    world->options = *options;
    world->result = result;
    world->n = sim_epochs_count(options);
    sy_prng_seed(&world->prng, options->seed);
    open_world(world);
    plan_faults(world);
    sim_later(world, (struct event){.type = EVENT_CLIENTS}, 0);
    for (uint16_t i = 0; i < world->places; i++) {
        bool later = i == world->late || i == world->newcomer;
        if (!later) sim_start(world, &world->validators[i]);
    }
    play(world);
    close_world(world);
    free(world);
    result->cpu_us = cpu_us() - start_us;
}

static unsigned between(sy_prng *prng, unsigned least, unsigned most)
{
    return least + (unsigned)sy_prng_below(prng, most - least + 1);
}

/* One in `none` worlds goes without. */
static unsigned perhaps(sy_prng *prng, unsigned none, unsigned most)
{
    unsigned value = between(prng, 1, most);
    return sy_prng_chance(prng, 1, none) ? 0 : value;
}

static void draw_network(struct sim_options *options, sy_prng *prng)
{
    options->cuts = perhaps(prng, 3, 8);
    options->splits = perhaps(prng, 3, 3);
    options->loss_permille = perhaps(prng, 4, 200);
    options->copy_permille = perhaps(prng, 3, 100);
    options->garble_permille = perhaps(prng, 2, 100);
    options->delay_us = between(prng, 50, 4000);
}

static void draw_disk(struct sim_options *options, sy_prng *prng)
{
    options->crashes = perhaps(prng, 4, 6);
    options->power_cuts = sy_prng_chance(prng, 1, 4);
    options->write_failures = perhaps(prng, 2, 2);
    options->away_ms = between(prng, 100, 6000);
    options->disk_us = between(prng, 50, 4000);
    options->slow_disk = sy_prng_chance(prng, 1, 6) ? between(prng, 5, 40) : 1;
    options->bad_clock = sy_prng_chance(prng, 1, 8) ? between(prng, 1, 3) : 0;
}

/* Half the worlds have liars, who do about a quarter of all that can be done. */
static void draw_liars(struct sim_options *options, sy_prng *prng)
{
    unsigned f = sy_faulty_max(options->validators);
    if (sy_prng_chance(prng, 1, 2)) return;
    options->liars = between(prng, 1, f);
    uint64_t half = sy_prng_next(prng);
    options->lies = (unsigned)(half & sy_prng_next(prng)) & SIM_LIE_ALL;
    if (options->lies == 0) options->lies = SIM_LIE_VOTE | SIM_LIE_SEAL;
    options->bad_primary = sy_prng_chance(prng, 1, 2);
}

/* Some worlds are long enough for the window of slots to pass over several times, and there history
 * may go: never less than a window is kept, or a validator within it could not be helped. */
static void draw_length(struct sim_options *options, sy_prng *prng)
{
    if (!sy_prng_chance(prng, 1, 10)) return;
    options->records = between(prng, 100, 200);
    options->batch_txs_max = 1;
    options->pipeline_slots = between(prng, 1, 3);
    if (sy_prng_chance(prng, 1, 4)) return;
    options->history_blocks = SY_PBFT_WINDOW + between(prng, 0, 16);
}

static void draw_joining(struct sim_options *options, sy_prng *prng)
{
    if (sy_prng_chance(prng, 1, 3)) return;
    options->snapshot_blocks = between(prng, 2, 16);
    options->late = sy_prng_chance(prng, 1, 3);
}

static void draw_members(struct sim_options *options, sy_prng *prng)
{
    options->epochs += sy_prng_chance(prng, 1, 4);
    options->added = sy_prng_chance(prng, 1, 2);
    bool can = options->validators > SY_VALIDATORS_MIN || (options->added && options->epochs > 1);
    options->removed = can && sy_prng_chance(prng, 2, 3);
    /* Of one that waits for an epoch nothing is expected until then, nor of one that comes or goes,
     * or whose clock is wrong. */
    if (options->added != 0 || options->removed != 0 || options->bad_clock != 0) options->late = 0;
}

void sim_options_draw(struct sim_options *options, uint64_t seed, unsigned validators)
{
    static const unsigned batch_sizes[] = {1, 2, 5, 20, SY_BATCH_TXS_MAX};
    sy_prng prng;
    sy_prng_seed(&prng, ~seed);
    if (validators == 0) validators = between(&prng, 4, 10);
    *options = (struct sim_options){
        .seed = seed,
        .validators = validators > SIM_VALIDATORS_MAX ? SIM_VALIDATORS_MIN : validators,
        .real_signatures = seed % 100 == 0,
        .records = between(&prng, 5, 40),
        .rubbish = perhaps(&prng, 3, 10),
        .faults_ms = between(&prng, 1000, 6000),
        .batch_txs_max = batch_sizes[sy_prng_below(&prng, 5)],
        .pipeline_slots = between(&prng, 1, 8),
        .lanes = between(&prng, 2, 8)};
    draw_network(options, &prng);
    draw_disk(options, &prng);
    draw_liars(options, &prng);
    if (sy_prng_chance(&prng, 1, 8)) options->epochs = between(&prng, 1, 2);
    draw_length(options, &prng);
    draw_joining(options, &prng);
    if (options->epochs > 0) draw_members(options, &prng);
}
