/* epochs.c: worlds whose roster changes on the way: a validator comes, one goes, others get new
 * keys or addresses, one change after another, each approved by a quorum and handed in by clients
 * like everything else.
 *
 * As links do it, a validator hears only those that the roster of its own epoch has (sim_send,
 * on_frame in sim.c). So who comes is heard of nobody until the change is in effect, and who goes
 * is not heard by those who went on. */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "tests/sim/sim_internal.h"

#define NONCE_BASE 2000u /* far above those of the population's regulator */
#define KEY_BASE 350u
#define LIFETIME_MS (12ll * 3600 * 1000)

uint16_t sim_epochs_count(const struct sim_options *options)
{
    bool adds = options->epochs > 0 && options->added > 0;
    return (uint16_t)(options->validators + (adds ? 1 : 0));
}

const struct sy_roster *sim_roster(const struct world *world, uint32_t epoch)
{
    SY_ASSERT(epoch <= world->options.epochs);
    return &world->epochs[epoch].roster;
}

uint16_t sim_index_in(const struct world *world, uint32_t epoch, uint16_t validator)
{
    SY_ASSERT(epoch <= world->options.epochs && validator < world->n);
    return world->epochs[epoch].index[validator];
}

uint16_t sim_whose(const struct world *world, uint32_t epoch, uint16_t index)
{
    SY_ASSERT(epoch <= world->options.epochs && index < world->epochs[epoch].roster.count);
    return world->epochs[epoch].whose[index];
}

bool sim_stays(const struct world *world, const struct validator *validator)
{
    return sim_index_in(world, world->options.epochs, validator->index) != SY_PBFT_OBSERVER;
}

/* ---- the changes ------------------------------------------------------------------------- */

static uint64_t nonce_of(uint32_t epoch)
{
    return NONCE_BASE + epoch;
}

struct plan {
    uint32_t add, remove; /* the epochs that end so; UINT32_MAX: none does */
};

/* Four validators are the least: where there are no more, one has to come first. */
static struct plan make_plan(struct world *world)
{
    const struct sim_options *options = &world->options;
    struct plan plan = {UINT32_MAX, UINT32_MAX};
    uint32_t first = 0, count = options->epochs;
    bool is_small = options->validators == SY_VALIDATORS_MIN;
    bool removes = options->removed > 0 && count > (options->added > 0 ? 1u : 0u);
    if (options->added > 0 && count > 0) {
        bool hurry = removes && is_small;
        plan.add = (uint32_t)sy_prng_below(&world->prng, count - (hurry ? 1 : 0));
        first = is_small ? plan.add + 1 : 0;
    } else if (is_small) {
        removes = false;
    }
    if (!removes) return plan;
    do plan.remove = first + (uint32_t)sy_prng_below(&world->prng, count - first);
    while (plan.remove == plan.add);
    return plan;
}

/* Without it there are no more unsound ones than those who are left can bear. */
static bool can_do_without(const struct world *world, const struct epoch *now, uint16_t index)
{
    unsigned unsound = 0;
    for (uint16_t i = 0; i < now->roster.count; i++) {
        unsound += i != index && (world->unsound >> now->whose[i] & 1u) != 0;
    }
    return unsound <= sy_faulty_max(now->roster.count - 1u);
}

static void add(struct world *world, struct epoch *next, struct epoch *now)
{
    world->newcomer = (uint16_t)(world->n - 1);
    test_change_add(&now->change, &world->genesis->hash, &now->roster, world->newcomer);
    next->whose[now->roster.count] = world->newcomer;
    next->keys[now->roster.count] = 3u * world->newcomer;
}

static void remove_one(struct world *world, struct epoch *next, struct epoch *now)
{
    uint16_t index;
    do index = (uint16_t)sy_prng_below(&world->prng, now->roster.count);
    while (!can_do_without(world, now, index));
    test_change_remove(&now->change, &world->genesis->hash, &now->roster, index);
    for (uint16_t i = index; i + 1u < now->roster.count; i++) {
        next->whose[i] = now->whose[i + 1];
        next->keys[i] = now->keys[i + 1];
    }
}

static void rekey(struct world *world, struct epoch *next, struct epoch *now)
{
    unsigned key = KEY_BASE + 3 * now->roster.epoch;
    uint16_t index = (uint16_t)sy_prng_below(&world->prng, now->roster.count);
    unsigned what =
        sy_prng_chance(&world->prng, 1, 2) ? TEST_REKEY_KEYS : (unsigned)TEST_REKEY_ADDRESSES;
    test_change_rekey(&now->change, &world->genesis->hash, &now->roster, index, what, key);
    if (what == TEST_REKEY_KEYS) next->keys[index] = key;
}

static void end_epoch(struct world *world, const struct plan *plan, uint32_t number)
{
    struct epoch *now = &world->epochs[number], *next = now + 1;
    memcpy(next->whose, now->whose, sizeof next->whose);
    memcpy(next->keys, now->keys, sizeof next->keys);
    if (number == plan->add) {
        add(world, next, now);
    } else if (number == plan->remove) {
        remove_one(world, next, now);
    } else {
        rekey(world, next, now);
    }
    test_change_prove(&now->change, &world->genesis->hash, TEST_REGULATOR, nonce_of(number));
    test_change_approve_by(&now->change, &world->genesis->hash, &now->roster,
                           sy_quorum(now->roster.count));
    test_change_follow(&next->roster, &now->roster, &now->change);
}

static void index_members(struct epoch *epoch)
{
    for (uint16_t v = 0; v < MEMBERS_MAX; v++) epoch->index[v] = SY_PBFT_OBSERVER;
    for (uint16_t i = 0; i < epoch->roster.count; i++) epoch->index[epoch->whose[i]] = i;
}

void sim_epochs_open(struct world *world)
{
    struct plan plan = make_plan(world);
    world->newcomer = UINT16_MAX;
    world->epochs = (struct epoch *)calloc(world->options.epochs + 1u, sizeof *world->epochs);
    SY_ASSERT(world->epochs != NULL);
    world->hushes = plan.remove != UINT32_MAX && sy_prng_chance(&world->prng, 1, 2);
    world->epochs[0].roster = world->genesis->roster;
    for (uint16_t i = 0; i < world->genesis->roster.count; i++) {
        world->epochs[0].whose[i] = i;
        world->epochs[0].keys[i] = 3u * i;
    }
    for (uint32_t k = 0; k < world->options.epochs; k++) end_epoch(world, &plan, k);
    for (uint32_t k = 0; k <= world->options.epochs; k++) index_members(&world->epochs[k]);
}

void sim_epochs_close(struct world *world)
{
    free(world->epochs);
}

struct sy_slice sim_epoch_change(const struct world *world, struct sy_writer *room,
                                 struct sy_hash *id, uint32_t epoch)
{
    const struct test_change *change = &world->epochs[epoch].change;
    const struct sy_kind *kind = sy_kind_by_number(change->kind);
    unsigned regulator = TEST_REGULATOR;
    struct sy_tx tx;
    size_t start = room->used;
    sy_payload_encode(room, kind, &change->payload);
    test_tx_begin(&tx, world->genesis, kind->number, &regulator, 1);
    tx.payload = sy_slice_of(room->data + start, room->used - start);
    memset(&tx.organisation, 0, sizeof tx.organisation);
    tx.nonce = nonce_of(epoch);
    tx.valid_until_ms = TEST_GENESIS_MS + LIFETIME_MS;
    struct sy_slice bytes = test_tx_sign(room, &tx, &regulator, 1);
    enum sy_refusal code = sy_tx_decode(&tx, NULL, bytes, NULL);
    SY_ASSERT(code == SY_APPLIED);
    sy_tx_id(id, &tx);
    return bytes;
}

/* ---- from one to the next ---------------------------------------------------------------- */

/* What clients were told is received goes into a batch first. */
static void drain(struct world *world, struct validator *validator)
{
    struct sy_node_event event = {.type = SY_NODE_DRAIN,
                                  .now_ms = sim_wall_ms(world, validator),
                                  .now_ns = sim_clock_ns(world, validator)};
    const struct sy_node_event *next = &event;
    for (bool more = true; more && !validator->doomed; next = NULL) {
        more = sy_node_step(validator->node, world->effects, next);
        sim_carry(world, validator, world->effects);
    }
}

/* Whoever the next roster has no more has nothing to do in it, and nobody to talk to. */
static bool leaves(const struct world *world, const struct validator *validator, uint32_t next)
{
    return validator->self != SY_PBFT_OBSERVER &&
           sim_index_in(world, next, validator->index) == SY_PBFT_OBSERVER;
}

bool sim_lingers(struct world *world, const struct validator *validator)
{
    if (!leaves(world, validator, validator->roster.epoch + 1)) return false;
    if (!sy_node_awaited(validator->node, sim_clock_ns(world, validator))) return false;
    sim_note_branch(world, SIM_BRANCH_lingered, 1);
    return true;
}

void sim_turn(struct world *world, struct validator *validator)
{
    SY_ASSERT(validator->up && sy_node_epoch_over(validator->node));
    uint32_t epoch = validator->roster.epoch;
    bool came = validator->self == SY_PBFT_OBSERVER;
    drain(world, validator);
    if (validator->doomed || !sim_disk_flush(world, validator)) {
        sim_crash(world, validator);
        return;
    }
    sim_note_branch(world, SIM_BRANCH_epoch_over, 1);
    sim_note_totals(world, validator);
    validator->left = leaves(world, validator, epoch + 1);
    sim_validator_stop(validator);
    sim_note_branch(world, SIM_BRANCH_left_the_roster, validator->left);
    if (validator->left) return;
    validator->left_below = 0; /* views count from 0 again */
    sim_start(world, validator);
    if (world->done || validator->faulty || !validator->up) return;
    if (validator->roster.epoch != epoch + 1) {
        sim_fail(world, SIM_CHECK_AGREEMENT, "validator %u goes from epoch %u to %u",
                 validator->index, (unsigned)epoch, (unsigned)validator->roster.epoch);
    }
    if (validator->roster.epoch > world->epoch) world->epoch = validator->roster.epoch;
    came = came && validator->self != SY_PBFT_OBSERVER;
    sim_note_branch(world, SIM_BRANCH_came_into_the_roster, came);
}
