/* test_cluster.c: four real systoled processes under load, hurt on purpose.
 * ctest: network slow timeout=900 */
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/load.h"
#include "bench/network.h"
#include "core/base/os.h"
#include "core/base/thread.h"
#include "tests/support/test.h"

#define VALIDATORS 4u
#define LIFETIME_MS (3600ll * 1000)
#define CATCH_UP_MS 120000u

static const char *programs(void)
{
    const char *bin = getenv("SYSTOLE_BIN");
    assert_non_null(bin);
    return bin;
}

struct world {
    char folder[256];
    char dir[300];
    sy_network *network;
    sy_population *population;
};

static void must(sy_status status, const struct sy_error *err)
{
    if (status != SY_OK) fail_msg("%s", err->text);
}

static int64_t until_ms(void)
{
    return sy_os_wall_ms() + LIFETIME_MS;
}

static void load_all(struct world *world, struct sy_load_result *result, unsigned stage,
                     uint32_t count, double rate, uint64_t skip, uint32_t silent_ms)
{
    struct sy_error err = {SY_OK, ""};
    struct sy_load_txs txs;
    must(sy_load_sign(&txs, world->population, stage, count, until_ms(), &err), &err);
    struct sy_load_config config = {.genesis = sy_network_genesis(world->network),
                                    .txs = &txs,
                                    .rate_per_s = rate,
                                    .skip = skip,
                                    .silent_ms = silent_ms,
                                    .closed_window = 256,
                                    .drain_ms = CATCH_UP_MS};
    must(sy_load_run(result, &config, &err), &err);
    sy_load_free(&txs);
}

static void open_world(struct world *world, const char *name)
{
    struct sy_error err = {SY_OK, ""};
    struct sy_load_result result;
    memset(world, 0, sizeof *world);
    test_folder(world->folder, sizeof world->folder, name);
    snprintf(world->dir, sizeof world->dir, "%s/net", world->folder);
    struct sy_network_config config = {
        .bin = programs(), .dir = world->dir, .validators = VALIDATORS};
    must(sy_network_open(&world->network, &config, &err), &err);
    struct sy_population_config people = {.genesis = sy_network_genesis(world->network),
                                          .regulator = sy_network_regulator(world->network),
                                          .organisations = 2,
                                          .gateways = 8,
                                          .patients = 32,
                                          .seed = 7};
    must(sy_population_open(&world->population, &people, &err), &err);
    for (unsigned stage = 0; stage < SY_POPULATION_STAGES; stage++) {
        load_all(world, &result, stage, 0, 0, 0, 0);
        assert_int_equal(result.final, sy_population_stage_count(world->population, stage));
    }
}

static uint64_t height_of(struct world *world, unsigned validator)
{
    struct sy_error err = {SY_OK, ""};
    uint64_t height = 0;
    // A busy validator may miss one question.
    for (unsigned tries = 0; tries < 20 && height == 0; tries++) {
        must(sy_network_await(world->network, validator, 1, CATCH_UP_MS, &err), &err);
        height = sy_network_height(world->network, validator);
    }
    assert_true(height > 0);
    return height;
}

/* What one validator has certified all reach; nothing but heartbeats comes after it. */
static void await_same_height(struct world *world)
{
    struct sy_error err = {SY_OK, ""};
    uint64_t highest = 0;
    for (unsigned i = 0; i < VALIDATORS; i++) {
        uint64_t height = height_of(world, i);
        if (height > highest) highest = height;
    }
    for (unsigned i = 0; i < VALIDATORS; i++) {
        must(sy_network_await(world->network, i, highest, CATCH_UP_MS, &err), &err);
    }
}

/* Ends all of them, each with every transaction in its ledger. */
static void stop_network(struct world *world)
{
    await_same_height(world);
    for (unsigned i = 0; i < VALIDATORS; i++) {
        int code;
        sy_network_kill(world->network, i, SIGTERM, &code);
        assert_true(WIFEXITED(code) && WEXITSTATUS(code) == 0);
    }
}

static void close_world(struct world *world)
{
    sy_population_close(world->population);
    sy_network_close(world->network);
    assert_int_equal(sy_os_remove_tree(world->folder, NULL), SY_OK);
}

/* ---- systole ----------------------------------------------------------------------------- */

/* Runs `systole WORDS` and asserts that it ends well; what it printed, to be released. words ends
 * in NULL and has room for the program's name in front. */
static json_t *run_systole(const struct world *world, const char **words)
{
    char program[300];
    char output[340];
    snprintf(program, sizeof program, "%s/systole", programs());
    snprintf(output, sizeof output, "%s/output.json", world->folder);
    words[0] = program;
    pid_t pid = fork();
    if (pid == 0) {
        int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (fd >= 0) (void)dup2(fd, STDOUT_FILENO);
        execv(program, (char *const *)(uintptr_t)words);
        _exit(127);
    }
    int code = -1;
    assert_int_equal(waitpid(pid, &code, 0), pid);
    assert_true(WIFEXITED(code));
    assert_int_equal(WEXITSTATUS(code), 0);
    json_t *json = json_load_file(output, 0, NULL);
    assert_true(json_is_object(json));
    return json;
}

/* ---- audits ------------------------------------------------------------------------------ */

struct audit {
    char state_root[65];
    json_int_t height;
    json_int_t transactions;
    json_int_t applied;
};

static void audit(const struct world *world, unsigned validator, struct audit *out)
{
    char folder[320];
    snprintf(folder, sizeof folder, "%s/v%u", world->dir, validator);
    const char *words[] = {NULL, "audit", "--json", folder, NULL};
    json_t *json = run_systole(world, words);
    const char *root = json_string_value(json_object_get(json, "state_root"));
    assert_non_null(root);
    snprintf(out->state_root, sizeof out->state_root, "%s", root);
    out->height = json_integer_value(json_object_get(json, "height"));
    out->transactions = json_integer_value(json_object_get(json, "transactions"));
    out->applied = json_integer_value(json_object_get(json, "applied"));
    json_decref(json);
}

/* Every validator's replay from genesis agrees; on this. */
static struct audit audits_agree(const struct world *world)
{
    struct audit first;
    audit(world, 0, &first);
    assert_true(first.height > 0);
    for (unsigned i = 1; i < VALIDATORS; i++) {
        struct audit other;
        audit(world, i, &other);
        assert_string_equal(other.state_root, first.state_root);
        assert_int_equal(other.transactions, first.transactions);
        assert_int_equal(other.applied, first.applied);
    }
    return first;
}

static json_int_t set_up_txs(const struct world *world)
{
    json_int_t count = 0;
    for (unsigned stage = 0; stage < SY_POPULATION_STAGES; stage++) {
        count += sy_population_stage_count(world->population, stage);
    }
    return count;
}

/* ---- the cases --------------------------------------------------------------------------- */

struct stream {
    struct world *world;
    uint32_t count;
    double rate;
    uint64_t skip;
    uint32_t silent_ms;
    struct sy_load_result result;
};

static void *run_stream(void *self)
{
    struct stream *stream = (struct stream *)self;
    load_all(stream->world, &stream->result, SY_POPULATION_STAGES, stream->count, stream->rate,
             stream->skip, stream->silent_ms);
    return NULL;
}

CASE(a_killed_backup_catches_up_and_nothing_is_lost_or_doubled)
{
    struct world world;
    open_world(&world, "cluster-kill");
    struct stream stream = {.world = &world, .count = 1200, .rate = 200, .skip = 1u << 3};
    struct sy_error err = {SY_OK, ""};
    pthread_t thread;
    must(sy_thread_start(&thread, "stream", run_stream, &stream, &err), &err);
    int code;
    test_sleep_ms(1000);
    sy_network_kill(world.network, 3, SIGKILL, &code);
    assert_true(WIFSIGNALED(code) && WTERMSIG(code) == SIGKILL);
    test_sleep_ms(1000);
    must(sy_network_start(world.network, 3, &err), &err);
    sy_thread_join(thread);
    assert_int_equal(stream.result.final, stream.count);
    assert_int_equal(stream.result.refused, 0);
    assert_int_equal(stream.result.lost, 0);
    stop_network(&world);
    /* Every transaction stands once: a second copy would have its own receipt. */
    assert_int_equal(audits_agree(&world).transactions, set_up_txs(&world) + stream.count);
    close_world(&world);
}

CASE(what_a_dead_validator_was_given_goes_to_the_others)
{
    struct world world;
    open_world(&world, "cluster-dead");
    struct stream stream = {.world = &world, .count = 600, .rate = 100, .silent_ms = 1000};
    struct sy_error err = {SY_OK, ""};
    pthread_t thread;
    must(sy_thread_start(&thread, "stream", run_stream, &stream, &err), &err);
    int code;
    test_sleep_ms(1000);
    sy_network_kill(world.network, 3, SIGKILL, &code);
    sy_thread_join(thread);
    assert_int_equal(stream.result.final, stream.count);
    assert_int_equal(stream.result.refused, 0);
    assert_int_equal(stream.result.lost, 0);
    must(sy_network_start(world.network, 3, &err), &err);
    stop_network(&world);
    /* A copy that two makers ordered has a second receipt, a refusal. */
    assert_int_equal(audits_agree(&world).applied, set_up_txs(&world) + stream.count);
    close_world(&world);
}

CASE(a_corrupted_signature_is_refused_while_the_rest_commits)
{
    struct world world;
    struct sy_error err = {SY_OK, ""};
    struct sy_load_txs txs;
    open_world(&world, "cluster-corrupt");
    must(sy_load_sign(&txs, world.population, SY_POPULATION_STAGES, 200, until_ms(), &err), &err);
    uint8_t *last = (uint8_t *)(uintptr_t)&txs.txs[77].data[txs.txs[77].size - 1];
    *last ^= 0x40;
    struct sy_load_result result;
    struct sy_load_config config = {.genesis = sy_network_genesis(world.network),
                                    .txs = &txs,
                                    .closed_window = 64,
                                    .drain_ms = CATCH_UP_MS};
    must(sy_load_run(&result, &config, &err), &err);
    sy_load_free(&txs);
    assert_int_equal(result.final, 199);
    assert_int_equal(result.refused, 1);
    assert_int_equal(result.lost, 0);
    stop_network(&world);
    assert_int_equal(audits_agree(&world).transactions, set_up_txs(&world) + 199);
    close_world(&world);
}

CASE(all_validators_killed_at_once_come_back_with_everything_final)
{
    struct world world;
    struct sy_error err = {SY_OK, ""};
    open_world(&world, "cluster-all");
    struct stream stream = {.world = &world, .count = 300, .rate = 0, .skip = 0};
    (void)run_stream(&stream);
    assert_int_equal(stream.result.final, stream.count);
    for (unsigned i = 0; i < VALIDATORS; i++) {
        int code;
        sy_network_kill(world.network, i, SIGKILL, &code);
    }
    for (unsigned i = 0; i < VALIDATORS; i++) must(sy_network_start(world.network, i, &err), &err);
    for (unsigned i = 0; i < VALIDATORS; i++) {
        must(sy_network_await(world.network, i, 1, CATCH_UP_MS, &err), &err);
    }
    (void)run_stream(&stream); /* and it goes on from there */
    assert_int_equal(stream.result.final, stream.count);
    stop_network(&world);
    assert_int_equal(audits_agree(&world).transactions, set_up_txs(&world) + 2 * stream.count);
    close_world(&world);
}

/* The ids of a block as the holder of this key is told them; NULL: they are withheld, and it says
 * why. */
static json_t *ids_for(const struct world *world, uint64_t height, const char *key)
{
    char path[400];
    char number[24];
    snprintf(number, sizeof number, "%llu", (unsigned long long)height);
    snprintf(path, sizeof path, "%s/%s", world->dir, key);
    const char *words[] = {NULL,       "get",    "block", number, "--net",
                           world->dir, "--json", "--key", path,   NULL};
    json_t *json = run_systole(world, words);
    json_t *ids = json_object_get(json, "tx_ids");
    assert_true(json_is_object(json_object_get(json, "header")));
    if (json_is_array(ids)) {
        assert_true(json_is_string(json_object_get(json, "tx_ids_told_by")));
        json_incref(ids);
    } else {
        assert_true(json_is_null(ids));
        const char *why = json_string_value(json_object_get(json, "tx_ids_withheld"));
        assert_non_null(why);
        assert_non_null(strstr(why, "--key"));
        ids = NULL;
    }
    json_decref(json);
    return ids;
}

CASE(a_blocks_ids_are_told_to_members_only)
{
    struct world world;
    char stranger[400];
    open_world(&world, "cluster-ids");
    snprintf(stranger, sizeof stranger, "%s/stranger.pem", world.dir);
    const char *words[] = {NULL, "keygen", "--json", "--out", stranger, NULL};
    json_decref(run_systole(&world, words));
    struct sy_error err = {SY_OK, ""};
    json_int_t count = 0;
    // What a validator tells of its height may be of a moment ago.
    for (uint64_t height = 1; count < set_up_txs(&world); height++) {
        must(sy_network_await(world.network, 0, height, CATCH_UP_MS, &err), &err);
        json_t *regulators = ids_for(&world, height, "keys/regulator-0.pem");
        json_t *validators = ids_for(&world, height, "v2/keys/admin.pem");
        assert_non_null(regulators);
        assert_true(json_equal(regulators, validators));
        assert_null(ids_for(&world, height, "stranger.pem"));
        count += (json_int_t)json_array_size(regulators);
        json_decref(regulators);
        json_decref(validators);
    }
    assert_int_equal(count, set_up_txs(&world));
    stop_network(&world);
    close_world(&world);
}

/* The disk of one validator is full: RLIMIT_FSIZE stands for it, so no mount is needed. */
CASE(a_full_disk_stops_one_validator_cleanly_and_it_resumes_when_there_is_room)
{
    struct world world;
    struct sy_error err = {SY_OK, ""};
    open_world(&world, "cluster-full");
    struct rlimit before;
    struct rlimit full = {.rlim_cur = 64 << 10, .rlim_max = RLIM_INFINITY};
    pid_t pid = sy_network_pid(world.network, 3);
    assert_int_equal(prlimit(pid, RLIMIT_FSIZE, NULL, &before), 0);
    full.rlim_max = before.rlim_max;
    assert_int_equal(prlimit(pid, RLIMIT_FSIZE, &full, NULL), 0);
    struct stream stream = {.world = &world, .count = 400, .rate = 0, .skip = 1u << 3};
    (void)run_stream(&stream); /* the others go on */
    assert_int_equal(stream.result.final, stream.count);
    int code = -1;
    sy_network_kill(world.network, 3, 0, &code); /* waits: it ends by itself */
    assert_true(WIFEXITED(code));
    assert_int_equal(WEXITSTATUS(code), 1);
    must(sy_network_start(world.network, 3, &err), &err);
    stop_network(&world);
    assert_int_equal(audits_agree(&world).transactions, set_up_txs(&world) + stream.count);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_full_disk_stops_one_validator_cleanly_and_it_resumes_when_there_is_room),
        cmocka_unit_test(a_killed_backup_catches_up_and_nothing_is_lost_or_doubled),
        cmocka_unit_test(what_a_dead_validator_was_given_goes_to_the_others),
        cmocka_unit_test(a_corrupted_signature_is_refused_while_the_rest_commits),
        cmocka_unit_test(all_validators_killed_at_once_come_back_with_everything_final),
        cmocka_unit_test(a_blocks_ids_are_told_to_members_only),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
