/* test_daemon_flap.c: four whole validators in one process, their links cut again and again under
 * load: no commit is lost.
 * ctest: serial threaded slow timeout=600 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "bench/load.h"
#include "consensus/node/daemon.h"
#include "core/base/os.h"
#include "core/base/thread.h"
#include "core/client/testnet.h"
#include "tests/support/test.h"

#define VALIDATORS 4u
#define RECORDS 600u
#define RATE 100.0

struct world {
    char folder[256];
    char dir[300];
    struct sy_testnet net;
    sy_daemon *daemons[VALIDATORS];
    pthread_t threads[VALIDATORS];
    sy_status ended[VALIDATORS];
    sy_secret_key *regulator;
    sy_population *population;
    atomic_bool calm; /* no more flaps */
};

struct seat {
    struct world *world;
    unsigned index;
};

static void must(sy_status status, const struct sy_error *err)
{
    if (status != SY_OK) fail_msg("%s", err->text);
}

static void *run_daemon(void *self)
{
    struct seat *seat = (struct seat *)self;
    struct sy_error err = {SY_OK, ""};
    seat->world->ended[seat->index] = sy_daemon_run(seat->world->daemons[seat->index], &err);
    return NULL;
}

static void open_world(struct world *world, struct seat *seats)
{
    struct sy_error err = {SY_OK, ""};
    memset(world, 0, sizeof *world);
    test_folder(world->folder, sizeof world->folder, "daemon-flap");
    snprintf(world->dir, sizeof world->dir, "%s/net", world->folder);
    struct sy_testnet_config config = {.folder = world->dir, .validators = VALIDATORS};
    must(sy_testnet_make(&world->net, &config, &err), &err);
    for (unsigned i = 0; i < VALIDATORS; i++) {
        char path[400];
        struct sy_config about;
        snprintf(path, sizeof path, "%s/v%u/systoled.conf", world->dir, i);
        must(sy_config_load(&about, path, &err), &err);
        must(sy_daemon_open(&world->daemons[i], &about, true, &err), &err);
        seats[i] = (struct seat){world, i};
        must(sy_thread_start(&world->threads[i], "validator", run_daemon, &seats[i], &err), &err);
    }
    char key[400];
    snprintf(key, sizeof key, "%s/keys/regulator-0.pem", world->dir);
    must(sy_secret_key_load(&world->regulator, key, NULL, &err), &err);
    struct sy_population_config people = {.genesis = &world->net.genesis,
                                          .regulator = world->regulator,
                                          .organisations = 2,
                                          .gateways = 4,
                                          .patients = 16,
                                          .seed = 11};
    must(sy_population_open(&world->population, &people, &err), &err);
}

static void close_world(struct world *world)
{
    for (unsigned i = 0; i < VALIDATORS; i++) sy_daemon_stop(world->daemons[i], 5000);
    for (unsigned i = 0; i < VALIDATORS; i++) {
        sy_thread_join(world->threads[i]);
        assert_int_equal(world->ended[i], SY_OK);
        sy_daemon_close(world->daemons[i]);
    }
    sy_population_close(world->population);
    sy_secret_key_close(world->regulator);
    assert_int_equal(sy_os_remove_tree(world->folder, NULL), SY_OK);
}

/* Every tenth of a second a link of another pair is cut: each pair flaps about every second. */
static void *flap(void *self)
{
    struct world *world = (struct world *)self;
    for (unsigned turn = 0; !atomic_load(&world->calm); turn++) {
        test_sleep_ms(100);
        sy_daemon_flap(world->daemons[turn % VALIDATORS], (turn + 1 + turn / 7) % VALIDATORS);
    }
    return NULL;
}

static void load_stage(struct world *world, unsigned stage, uint32_t count, double rate)
{
    struct sy_error err = {SY_OK, ""};
    struct sy_load_txs txs;
    struct sy_load_result result;
    must(sy_load_sign(&txs, world->population, stage, count, sy_os_wall_ms() + 3600000, &err),
         &err);
    struct sy_load_config config = {.genesis = &world->net.genesis,
                                    .txs = &txs,
                                    .rate_per_s = rate,
                                    .closed_window = 64,
                                    .drain_ms = 240000};
    must(sy_load_run(&result, &config, &err), &err);
    assert_int_equal(result.final, txs.count);
    assert_int_equal(result.refused, 0);
    assert_int_equal(result.lost, 0);
    sy_load_free(&txs);
}

CASE(links_that_flap_under_load_lose_no_commit)
{
    static struct world world;
    struct seat seats[VALIDATORS];
    struct sy_error err = {SY_OK, ""};
    pthread_t flapper;
    open_world(&world, seats);
    for (unsigned stage = 0; stage < SY_POPULATION_STAGES; stage++) load_stage(&world, stage, 0, 0);
    must(sy_thread_start(&flapper, "flap", flap, &world, &err), &err);
    load_stage(&world, SY_POPULATION_STAGES, RECORDS, RATE);
    atomic_store(&world.calm, true);
    sy_thread_join(flapper);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(links_that_flap_under_load_lose_no_commit),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
