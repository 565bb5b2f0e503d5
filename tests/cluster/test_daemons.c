/* test_daemons.c: four whole validators in one process, under load: their links are cut again and
 * again, and their roster changes. No commit is lost.
 * ctest: network threaded slow timeout=900 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "bench/load.h"
#include "consensus/node/daemon.h"
#include "core/base/os.h"
#include "core/base/thread.h"
#include "core/client/asker.h"
#include "core/client/testnet.h"
#include "core/crypto/hash.h"
#include "core/wire/roster_change.h"
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

static void load_key(const struct world *world, sy_secret_key **key, const char *name)
{
    char path[400];
    struct sy_error err = {SY_OK, ""};
    snprintf(path, sizeof path, "%s/%s", world->dir, name);
    must(sy_secret_key_load(key, path, NULL, &err), &err);
}

static void open_world(struct world *world, struct seat *seats)
{
    struct sy_error err = {SY_OK, ""};
    memset(world, 0, sizeof *world);
    test_folder(world->folder, sizeof world->folder, "daemons");
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
    load_key(world, &world->regulator, "keys/regulator-0.pem");
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

/* Everybody approves. */
static void approve(const struct world *world, const struct sy_kind *kind,
                    union sy_payload *payload, struct sy_writer *w)
{
    struct sy_hash digest;
    sy_approval_digest(&digest, &world->net.genesis.hash, kind, payload);
    for (unsigned i = 0; i < VALIDATORS; i++) {
        char name[40];
        sy_secret_key *admin = NULL;
        struct sy_approval approval;
        snprintf(name, sizeof name, "v%u/keys/admin.pem", i);
        load_key(world, &admin, name);
        sy_secret_key_public(admin, &approval.key);
        sy_sign(admin, &approval.signature, SY_SIG_APPROVAL, &digest);
        sy_list_add_approval(&payload->validator_rekey.approvals, w, &approval);
        sy_secret_key_close(admin);
    }
}

/* The last validator gets a fresh admin key. */
static struct sy_slice make_change(const struct world *world, struct sy_writer *w)
{
    static uint8_t list[VALIDATORS * SY_APPROVAL_BYTES], body[8192];
    const struct sy_kind *kind = sy_kind_by_number(SY_KIND_validator_rekey);
    const struct sy_genesis *genesis = &world->net.genesis;
    union sy_payload payload;
    struct sy_writer approvals = sy_writer_of(list, sizeof list);
    struct sy_writer bytes = sy_writer_of(body, sizeof body);
    struct sy_tx tx = {.version = SY_TX_VERSION, .kind = kind->number, .nonce = 1000};
    struct sy_validator_rekey *rekey = &payload.validator_rekey;
    struct sy_error err = {SY_OK, ""};
    sy_secret_key *fresh = NULL;
    struct sy_hash digest;
    struct sy_signature signature;
    memcpy(tx.network, sy_network_tag(genesis), sizeof tx.network);
    sy_secret_key_public(world->regulator, &tx.signer);
    tx.valid_until_ms = sy_os_wall_ms() + 3600000;
    memset(&payload, 0, sizeof payload);
    sy_roster_hash(&rekey->roster_hash, &genesis->hash, &genesis->roster);
    rekey->validator = genesis->roster.validators[VALIDATORS - 1].consensus_key;
    rekey->has_admin_key = true;
    must(sy_secret_key_generate(&fresh, &err), &err);
    sy_secret_key_public(fresh, &rekey->admin_key);
    sy_possession_digest(&digest, &genesis->hash, SY_ROLE_VALIDATOR, &tx.organisation, &tx.signer,
                         tx.nonce);
    sy_sign(fresh, &rekey->admin_possession, SY_SIG_POSSESSION, &digest);
    sy_secret_key_close(fresh);
    approve(world, kind, &payload, &approvals);
    sy_payload_encode(&bytes, kind, &payload);
    tx.payload = sy_writer_slice(&bytes);
    sy_tx_encode_body(w, &tx);
    sy_hash_leaf(&digest, sy_writer_slice(w));
    sy_sign(world->regulator, &signature, SY_SIG_TX, &digest);
    sy_write_signature(w, &signature);
    assert_false(w->failed);
    return sy_writer_slice(w);
}

static void *hand_in(void *self)
{
    static uint8_t room[8192];
    static struct sy_proven final;
    struct world *world = (struct world *)self;
    struct sy_asker_config config = {.genesis = &world->net.genesis};
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_error err = {SY_OK, ""};
    sy_asker *asker = NULL;
    uint16_t code = 0;
    must(sy_asker_open(&asker, &config, &err), &err);
    struct sy_slice tx = make_change(world, &w);
    must(sy_asker_settle(asker, &final, &code, tx, false, 120000, &err), &err);
    assert_int_equal(final.receipt.code, SY_APPLIED);
    sy_proven_free(&final);
    sy_asker_close(asker);
    return NULL;
}

/* Until a block of the next epoch is certified. */
static void await_epoch(const struct world *world, uint32_t epoch)
{
    struct sy_asker_config config = {.genesis = &world->net.genesis};
    static struct sy_client_block block;
    struct sy_error err = {SY_OK, ""};
    sy_asker *asker = NULL;
    must(sy_asker_open(&asker, &config, &err), &err);
    for (unsigned tries = 0; tries < 1200 && block.header.epoch < epoch; tries++) {
        if (tries > 0) test_sleep_ms(100);
        (void)sy_asker_block(asker, &block, SY_HEIGHT_NEWEST, &err);
    }
    sy_asker_close(asker);
    assert_int_equal(block.header.epoch, epoch);
}

CASE(a_change_of_the_roster_under_load_loses_no_commit)
{
    static struct world world;
    struct seat seats[VALIDATORS];
    struct sy_error err = {SY_OK, ""};
    pthread_t changer;
    open_world(&world, seats);
    for (unsigned stage = 0; stage < SY_POPULATION_STAGES; stage++) load_stage(&world, stage, 0, 0);
    must(sy_thread_start(&changer, "change", hand_in, &world, &err), &err);
    load_stage(&world, SY_POPULATION_STAGES, RECORDS, RATE);
    sy_thread_join(changer);
    await_epoch(&world, 1);
    load_stage(&world, SY_POPULATION_STAGES, RECORDS / 10, RATE);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_change_of_the_roster_under_load_loses_no_commit),
        cmocka_unit_test(links_that_flap_under_load_lose_no_commit),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
