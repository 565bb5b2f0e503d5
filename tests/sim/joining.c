/* joining.c: a validator without a past: it asks its peers for a state, liars among them, before
 * anything else of it runs. The real fetcher; only waiting is simulated.
 *
 * What an operator does is done here, too: if nobody gives a state although the network is good
 * again (there is none yet, or its holders were started anew), the validator begins with genesis
 * instead. It has never voted, so it may. */
#include <string.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/wire/sync.h"
#include "tests/sim/sim_internal.h"

#define ANSWER_MS 1000u
#define PAUSE_MS 200u
#define PATIENCE_MS 10000u /* the operator's, from the end of the faults */

static void close_fetcher(struct validator *validator)
{
    sy_fetcher_close(validator->fetcher);
    validator->fetcher = NULL;
}

/* The node begins with what the store holds. Certificates count from here on. */
static void begin(struct world *world, struct validator *validator)
{
    struct sy_joined joined;
    sy_fetcher_get_joined(validator->fetcher, &joined);
    close_fetcher(validator);
    validator->joins = false;
    sim_note_branch(world, SIM_BRANCH_joined, 1);
    sim_note_branch(world, SIM_BRANCH_joined_among_lies, joined.liars > 0);
    sim_note_branch(world, SIM_BRANCH_joined_later_epoch, joined.epoch > 0);
    uint64_t base = sy_ledger_base(validator->store);
    SY_ASSERT(base == joined.height && base % world->options.snapshot_blocks == 0);
    validator->promised = base - 1;
    sim_check_certified(world, validator, base);
    if (!world->done) sim_start(world, validator);
}

static void give_up(struct world *world, struct validator *validator)
{
    close_fetcher(validator);
    validator->joins = false;
    sim_wipe(world, validator);
    sim_start(world, validator);
}

static void wait(struct world *world, struct validator *validator, uint64_t delay_ms)
{
    struct event event = {.type = EVENT_JOINER,
                          .node = validator->place,
                          .life = validator->life,
                          .mask = ++validator->question};
    sim_later(world, event, delay_ms * MS);
}

/* The epoch by whose roster the fetcher numbers its peers. */
static uint32_t peers_epoch(const struct validator *validator)
{
    return sy_fetcher_roster(validator->fetcher)->epoch;
}

static void take_step(struct world *world, struct validator *validator)
{
    enum sy_fetcher_step step;
    struct sy_error err;
    struct sy_slice question;
    uint16_t peer = 0;
    sy_status status = sy_fetcher_next(validator->fetcher, &step, &peer, &question, &err);
    while (status == SY_OK && step == SY_FETCHER_RELINK) { /* sim_send links whoever it must */
        status = sy_fetcher_next(validator->fetcher, &step, &peer, &question, &err);
    }
    if (status != SY_OK) {
        sim_fail(world, SIM_CHECK_LIVENESS, "validator %u cannot join: %s", validator->index,
                 err.text);
    } else if (step == SY_FETCHER_DONE) {
        begin(world, validator);
    } else {
        if (step == SY_FETCHER_ASK) {
            uint16_t to = sim_whose(world, peers_epoch(validator), peer);
            /* Under the key that it had before it is its own peer, whom no link leads to. */
            if (to != validator->index) sim_send(world, validator->index, to, question);
        }
        wait(world, validator, step == SY_FETCHER_ASK ? ANSWER_MS : PAUSE_MS);
    }
}

/* The one that its operator has by now. */
static const struct sy_public_key *own_link_key(const struct world *world,
                                                const struct validator *validator)
{
    for (uint32_t epoch = world->epoch; epoch <= world->options.epochs; epoch++) {
        uint16_t index = sim_index_in(world, epoch, validator->index);
        if (index != SY_PBFT_OBSERVER) return &sim_roster(world, epoch)->validators[index].link_key;
    }
    return &world->genesis->roster.validators[validator->index].link_key;
}

void sim_join(struct world *world, struct validator *validator)
{
    struct sy_install install;
    struct sy_fetcher_config config = {.store = validator->store,
                                       .genesis = world->genesis,
                                       .own = own_link_key(world, validator),
                                       .verifier = sim_verifier(world)};
    SY_ASSERT(!validator->up && validator->fetcher == NULL);
    sy_install_get(validator->store, &install);
    validator->life++;
    validator->fetcher = sy_fetcher_open(&config);
    SY_ASSERT(validator->fetcher != NULL);
    if (!world->calm) validator->fail_after = (int)sy_prng_below(&world->prng, world->n + 1u);
    if (install.active) sim_note_branch(world, SIM_BRANCH_joined_after_crash, 1);
    take_step(world, validator);
}

void sim_join_crash(struct world *world, struct validator *validator)
{
    sim_note_fault(world, SIM_FAULT_crash_in_join);
    close_fetcher(validator);
    validator->fail_after = -1;
    sy_store_memory_crash(validator->store);
    SY_ASSERT(sy_ledger_next(validator->store) == 0); /* begin comes with the last write */
    sim_restart_later(world, validator);
}

/* One of the answer's writes may be the one that the disk refuses. */
static sy_status take_answer(struct world *world, struct validator *validator, bool *late,
                             struct sy_slice bytes)
{
    static const char *const places[] = {"store.state.begin", "store.state.commit",
                                         "store.ledger.begin", "store.ledger.commit"};
    struct sy_error err;
    uint64_t nth = 1 + sy_prng_below(&world->prng, 2);
    bool writes = bytes.data[0] == SY_SYNC_SNAPSHOT;
    bool fails = writes && sim_write_fails(validator);
    if (fails) sy_os_failpoint_arm(places[sy_prng_below(&world->prng, 4)], nth, "enospc");
    sy_status status = sy_fetcher_answer(validator->fetcher, late, bytes, &err);
    sy_os_failpoint_arm(NULL, 0, NULL);
    SY_ASSERT(status == SY_OK || fails);
    return status;
}

static void on_frame(struct world *world, struct validator *validator, const struct event *event)
{
    struct sy_slice bytes = sy_slice_of(event->bytes, event->size);
    uint16_t peer = sim_index_in(world, peers_epoch(validator), event->peer);
    if (peer == SY_PBFT_OBSERVER || !sy_fetcher_awaits(validator->fetcher, peer, bytes)) return;
    bool late = false;
    if (take_answer(world, validator, &late, bytes) == SY_OK) {
        if (!late) take_step(world, validator);
        return;
    }
    sim_note_fault(world, SIM_FAULT_write_failed);
    sim_join_crash(world, validator);
}

static void on_silence(struct world *world, struct validator *validator)
{
    bool patient = !world->calm || world->now_ns < world->calm_ns + PATIENCE_MS * MS;
    if (patient) {
        take_step(world, validator);
    } else {
        sim_note_branch(world, SIM_BRANCH_joined_in_vain, 1);
        give_up(world, validator);
    }
}

void sim_on_join_event(struct world *world, struct validator *validator, const struct event *event)
{
    if (event->life != 0 && event->life != validator->life) return;
    if (event->type == EVENT_FRAME) on_frame(world, validator, event);
    if (event->type == EVENT_FAIL_WRITE && !world->calm) validator->fail_after = 0;
    bool waited = event->type == EVENT_JOINER && event->mask == validator->question;
    if (waited) on_silence(world, validator);
}
