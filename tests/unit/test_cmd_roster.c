/* test_cmd_roster.c: `systole roster` as a program, against a network two changes later than the
 * genesis that it is given. ctest: threaded timeout=120 */
#include "tests/support/test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "core/base/os.h"
#include "core/wire/genesis_json.h"
#include "tests/support/witness.h"

static struct witnesses all;
static char folder[256];

/* Runs systole roster ARGUMENTS; its output (not the warnings about a wrong key), and its exit
 * code.
 */
static int run(char *out, size_t size, const char *arguments)
{
    char command[1024];
    const char *bin = getenv("SYSTOLE_BIN");
    assert_non_null(bin);
    (void)snprintf(command, sizeof command,
                   "%s/systole roster --config %s/client.conf %s 2>/dev/null", bin, folder,
                   arguments);
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    size_t used = fread(out, 1, size - 1, pipe);
    out[used] = '\0';
    int status = pclose(pipe);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void hash_hex(char hex[65])
{
    struct sy_hash hash;
    sy_roster_hash(&hash, &all.block.genesis.hash, &all.epochs.rosters[WITNESS_EPOCH]);
    sy_hex_encode(hex, hash.bytes, sizeof hash.bytes);
}

CASE(the_newest_roster_is_shown_with_its_hash)
{
    static char out[65536];
    char hex[65], key[65];
    hash_hex(hex);
    if (run(out, sizeof out, "--json") != 0) fail_msg("%s", out);
    json_t *tree = json_loads(out, 0, NULL);
    assert_non_null(tree);
    assert_int_equal(json_integer_value(json_object_get(tree, "epoch")), WITNESS_EPOCH);
    assert_int_equal(json_integer_value(json_object_get(tree, "handovers")), WITNESS_EPOCH);
    assert_int_equal(json_integer_value(json_object_get(tree, "quorum")), 4);
    assert_string_equal(json_string_value(json_object_get(tree, "roster_hash")), hex);
    const json_t *validators = json_object_get(json_object_get(tree, "roster"), "validators");
    const struct sy_roster *roster = &all.epochs.rosters[WITNESS_EPOCH];
    assert_int_equal(json_array_size(validators), roster->count);
    for (unsigned i = 0; i < roster->count; i++) {
        const json_t *validator = json_array_get(validators, i);
        sy_hex_encode(key, roster->validators[i].link_key.bytes, 32);
        assert_string_equal(json_string_value(json_object_get(validator, "link_key")), key);
        assert_string_equal(json_string_value(json_object_get(validator, "name")),
                            roster->validators[i].name);
    }
    assert_true(json_is_null(json_object_get(tree, "pending")));
    assert_non_null(json_object_get(tree, "pending_withheld"));
    json_decref(tree);
    if (run(out, sizeof out, "") != 0) fail_msg("%s", out);
    assert_non_null(strstr(out, "epoch 2, reached from the genesis by 2 verified handovers"));
    assert_non_null(strstr(out, hex));
    assert_non_null(strstr(out, "validator 4"));
    assert_non_null(strstr(out, "what is pending is not shown"));
}

CASE(a_pending_change_is_shown_to_who_may_read_the_state)
{
    static char out[65536];
    char hex[65], arguments[400];
    struct sy_hash hash;
    const struct sy_roster *after = &all.epochs.rosters[WITNESS_EPOCH + 1];
    sy_roster_hash(&hash, &all.block.genesis.hash, after);
    sy_hex_encode(hex, hash.bytes, sizeof hash.bytes);
    (void)snprintf(arguments, sizeof arguments, "--json --key %s/reader.pem", folder);
    if (run(out, sizeof out, arguments) != 0) fail_msg("%s", out);
    json_t *tree = json_loads(out, 0, NULL);
    assert_non_null(tree);
    const json_t *pending = json_object_get(tree, "pending");
    assert_string_equal(json_string_value(json_object_get(pending, "kind")), "validator.remove");
    assert_int_equal(json_integer_value(json_object_get(pending, "first_height")), WITNESS_PENDING);
    assert_string_equal(json_string_value(json_object_get(pending, "hash")), hex);
    const json_t *roster = json_object_get(pending, "roster");
    assert_int_equal(json_array_size(json_object_get(roster, "validators")), after->count);
    assert_int_equal(json_integer_value(json_object_get(tree, "epoch")), WITNESS_EPOCH);
    assert_null(json_object_get(tree, "pending_withheld"));
    json_decref(tree);
    (void)snprintf(arguments, sizeof arguments, "--key %s/reader.pem", folder);
    if (run(out, sizeof out, arguments) != 0) fail_msg("%s", out);
    assert_non_null(strstr(out, "validator.remove"));
    assert_non_null(strstr(out, "139"));
    assert_non_null(strstr(out, hex));
}

CASE(a_roster_that_nobody_proves_is_not_shown)
{
    static char out[65536];
    witnesses_set(&all, WITNESS_TRUE, WITNESSES);
    for (unsigned i = 0; i < all.count; i++) {
        atomic_store(&all.of[i].handovers, (int)WITNESS_GARBLED);
    }
    assert_int_equal(run(out, sizeof out, "--json"), 1);
    assert_non_null(strstr(out, "\"error\""));
    assert_null(strstr(out, "\"roster_hash\""));
}

static int begin(void **state)
{
    (void)state;
    char path[320], conf[1024];
    struct sy_error err = {SY_OK, ""};
    witnesses_start_late(&all);
    test_folder(folder, sizeof folder, "roster");
    (void)snprintf(path, sizeof path, "%s/genesis.json", folder);
    if (sy_genesis_save(&all.block.genesis, path, &err) != SY_OK) return 1;
    (void)snprintf(path, sizeof path, "%s/reader.pem", folder);
    if (sy_secret_key_save(test_key(TEST_REGULATOR), path, NULL, &err) != SY_OK) return 1;
    (void)snprintf(path, sizeof path, "%s/client.conf", folder);
    (void)snprintf(conf, sizeof conf, "genesis = genesis.json\naddresses = %s, %s, %s, %s\n",
                   all.addresses[0], all.addresses[1], all.addresses[2], all.addresses[3]);
    return sy_os_write_file(path, conf, strlen(conf), 0600, &err) == SY_OK ? 0 : 1;
}

static int end(void **state)
{
    (void)state;
    witnesses_stop(&all);
    return sy_os_remove_tree(folder, NULL) == SY_OK ? 0 : 1;
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(the_newest_roster_is_shown_with_its_hash),
        cmocka_unit_test(a_pending_change_is_shown_to_who_may_read_the_state),
        cmocka_unit_test(a_roster_that_nobody_proves_is_not_shown),
    };
    return cmocka_run_group_tests(cases, begin, end);
}
