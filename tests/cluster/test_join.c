/* test_join.c: a validator whose store is gone begins with its peers' state, while they go on.
 * ctest: network plain slow timeout=900 */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "bench/network.h"
#include "core/base/os.h"
#include "core/wire/sync.h"
#include "tests/support/test.h"

#define VALIDATORS 4u
#define NEW 3u
#define PATIENCE_MS 600000u

static char folder[256];
static char dir[300];
static sy_network *network;

static void must(sy_status status, const struct sy_error *err)
{
    if (status != SY_OK) fail_msg("%s", err->text);
}

static void open_network(void)
{
    struct sy_error err = {SY_OK, ""};
    const char *bin = getenv("SYSTOLE_BIN");
    assert_non_null(bin);
    test_folder(folder, sizeof folder, "join");
    (void)snprintf(dir, sizeof dir, "%s/net", folder);
    struct sy_network_config config = {
        .bin = bin, .dir = dir, .validators = VALIDATORS, .setting = "heartbeat_ms = 100"};
    must(sy_network_open(&network, &config, &err), &err);
}

static void stop(unsigned validator)
{
    int code;
    sy_network_kill(network, validator, SIGTERM, &code);
    assert_true(WIFEXITED(code) && WEXITSTATUS(code) == 0);
}

/* Takes the store away, and tells the configuration how a new one begins. */
static void forget(unsigned validator)
{
    char path[340];
    struct sy_error err = {SY_OK, ""};
    (void)snprintf(path, sizeof path, "%s/v%u/data", dir, validator);
    must(sy_os_remove_tree(path, &err), &err);
    (void)snprintf(path, sizeof path, "%s/v%u/systoled.conf", dir, validator);
    FILE *config = fopen(path, "a");
    assert_non_null(config);
    assert_true(fputs("join_by_snapshot = 1\n", config) >= 0);
    assert_int_equal(fclose(config), 0);
}

static json_t *audit(unsigned validator)
{
    char command[800];
    const char *bin = getenv("SYSTOLE_BIN");
    (void)snprintf(command, sizeof command, "%s/systole audit --json %s/v%u", bin, dir, validator);
    FILE *output = popen(command, "re");
    assert_non_null(output);
    json_t *json = json_loadf(output, 0, NULL);
    assert_int_equal(pclose(output), 0);
    assert_true(json_is_object(json));
    return json;
}

static json_int_t number_of(const json_t *json, const char *name)
{
    return json_integer_value(json_object_get(json, name));
}

CASE(a_validator_without_a_store_begins_with_its_peers_state)
{
    struct sy_error err = {SY_OK, ""};
    open_network();
    must(sy_network_await(network, 0, SY_SNAPSHOT_BLOCKS + 8, PATIENCE_MS, &err), &err);
    stop(NEW);
    forget(NEW);
    must(sy_network_start_new(network, NEW, &err), &err);
    must(sy_network_await(network, NEW, SY_SNAPSHOT_BLOCKS, PATIENCE_MS, &err), &err);
    uint64_t height = sy_network_height(network, 0);
    must(sy_network_await(network, NEW, height, PATIENCE_MS, &err), &err);
    for (unsigned i = 0; i < VALIDATORS; i++) stop(i);

    json_t *whole = audit(0);
    json_t *joined = audit(NEW);
    assert_int_equal(number_of(whole, "pruned_at"), 0);
    assert_int_equal(number_of(joined, "first_header") % SY_SNAPSHOT_BLOCKS, 0);
    assert_int_equal(number_of(joined, "pruned_at"), number_of(joined, "first_header") + 1);
    assert_true(number_of(joined, "height") >= (json_int_t)height);
    // Empty blocks change nothing, so the roots agree wherever the two stopped.
    assert_string_equal(json_string_value(json_object_get(whole, "state_root")),
                        json_string_value(json_object_get(joined, "state_root")));
    json_decref(whole);
    json_decref(joined);
    sy_network_close(network);
    assert_int_equal(sy_os_remove_tree(folder, NULL), SY_OK);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_validator_without_a_store_begins_with_its_peers_state),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
