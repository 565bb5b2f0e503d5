/* test_genesis_json.c: genesis.json: what is written is read back, and everything else is refused
 * with its place. */
#include "tests/support/test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/os.h"
#include "core/wire/genesis_json.h"
#include "core/wire/render.h"
#include "tests/support/network.h"

static struct sy_genesis genesis;

/* The text of a genesis of n validators, as jansson's tree. */
static json_t *tree_of(unsigned n)
{
    static struct sy_genesis made;
    sy_json json;
    test_genesis(&made, n);
    sy_json_init_growing(&json, SY_GENESIS_JSON_BYTES_MAX);
    sy_genesis_to_json(&json, &made);
    const char *text = sy_json_finish(&json);
    assert_non_null(text);
    json_t *tree = json_loads(text, 0, NULL);
    assert_non_null(tree);
    sy_json_free(&json);
    return tree;
}

static sy_status parse_text(const char *text, struct sy_error *err)
{
    return sy_genesis_parse(&genesis, sy_slice_of(text, strlen(text)), "g.json", err);
}

/* Parses and frees a tree. */
static sy_status parse_tree(json_t *tree, struct sy_error *err)
{
    char *text = json_dumps(tree, 0);
    assert_non_null(text);
    sy_status status = parse_text(text, err);
    free(text);
    json_decref(tree);
    return status;
}

static void expect(json_t *tree, sy_status status, const char *words)
{
    struct sy_error err = {SY_OK, ""};
    assert_int_equal(parse_tree(tree, &err), status);
    if (!strstr(err.text, words)) fail_msg("'%s' does not say '%s'", err.text, words);
    if (!strstr(err.text, "g.json")) fail_msg("'%s' does not name the file", err.text);
}

static json_t *validator_of(json_t *tree, size_t index)
{
    return json_array_get(json_object_get(tree, "roster"), index);
}

CASE(genesis_survives_its_rendering)
{
    static const unsigned sizes[] = {4, 7, SY_VALIDATORS_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct sy_error err = {SY_OK, ""};
        static struct sy_genesis made;
        test_genesis(&made, sizes[i]);
        if (parse_tree(tree_of(sizes[i]), &err) != SY_OK) fail_msg("%s", err.text);
        assert_true(sy_hash_equal(&genesis.hash, &made.hash));
        assert_int_equal(genesis.roster.count, sizes[i]);
        assert_string_equal(genesis.roster.validators[1].name, made.roster.validators[1].name);
    }
}

CASE(genesis_file_is_written_once_and_read_back)
{
    char folder[256];
    char path[320];
    struct sy_error err = {SY_OK, ""};
    static struct sy_genesis made;
    test_genesis(&made, 4);
    test_folder(folder, sizeof folder, "genesis");
    (void)snprintf(path, sizeof path, "%s/genesis.json", folder);
    assert_int_equal(sy_genesis_load(&genesis, path, &err), SY_ERR_NOT_FOUND);
    assert_int_equal(sy_genesis_save(&made, path, &err), SY_OK);
    assert_int_equal(sy_genesis_load(&genesis, path, &err), SY_OK);
    assert_true(sy_hash_equal(&genesis.hash, &made.hash));
    assert_int_equal(sy_genesis_save(&made, path, &err), SY_ERR_EXISTS);
    assert_int_equal(sy_os_remove_tree(folder, NULL), SY_OK);
}

CASE(genesis_needs_every_member)
{
    static const char *const names[] = {"format", "created_ms", "protocol",
                                        "params", "roster",     "regulators"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        json_t *tree = tree_of(4);
        json_object_del(tree, names[i]);
        expect(tree, SY_ERR_FORMAT, names[i]);
    }
    static const char *const inner[] = {"name",         "organisation",  "consensus_key",
                                        "link_key",     "admin_key",     "control_address",
                                        "bulk_address", "client_address"};
    for (size_t i = 0; i < sizeof inner / sizeof inner[0]; i++) {
        char path[64];
        json_t *tree = tree_of(4);
        json_object_del(validator_of(tree, 2), inner[i]);
        (void)snprintf(path, sizeof path, "roster[2].%s is missing", inner[i]);
        expect(tree, SY_ERR_FORMAT, path);
    }
    static const char *const params[] = {"regulators_needed", "credential_ms_max",
                                         "record_bytes_max"};
    for (size_t i = 0; i < sizeof params / sizeof params[0]; i++) {
        char path[64];
        json_t *tree = tree_of(4);
        json_object_del(json_object_get(tree, "params"), params[i]);
        (void)snprintf(path, sizeof path, "params.%s is missing", params[i]);
        expect(tree, SY_ERR_FORMAT, path);
    }
}

CASE(genesis_may_leave_its_hash_out)
{
    struct sy_error err = {SY_OK, ""};
    json_t *tree = tree_of(4);
    json_object_del(tree, "hash");
    assert_int_equal(parse_tree(tree, &err), SY_OK);
}

CASE(genesis_refuses_members_it_does_not_know)
{
    json_t *tree = tree_of(4);
    json_object_set_new(tree, "fromat", json_integer(1));
    expect(tree, SY_ERR_FORMAT, "fromat is not a member");
    tree = tree_of(4);
    json_object_set_new(validator_of(tree, 0), "weight", json_integer(1));
    expect(tree, SY_ERR_FORMAT, "roster[0].weight");
    tree = tree_of(4);
    json_object_set_new(json_object_get(tree, "params"), "more", json_null());
    expect(tree, SY_ERR_FORMAT, "params.more");
}

CASE(genesis_refuses_other_types)
{
    json_t *tree = tree_of(4);
    json_object_set_new(tree, "created_ms", json_string("now"));
    expect(tree, SY_ERR_FORMAT, "created_ms must be a whole number");
    tree = tree_of(4);
    json_object_set_new(tree, "format", json_integer(-1));
    expect(tree, SY_ERR_FORMAT, "format must be");
    tree = tree_of(4);
    json_object_set_new(tree, "protocol", json_integer(4294967296));
    expect(tree, SY_ERR_FORMAT, "protocol must be");
    tree = tree_of(4);
    json_object_set_new(tree, "roster", json_object());
    expect(tree, SY_ERR_FORMAT, "roster must be a list");
    tree = tree_of(4);
    json_object_set_new(tree, "params", json_array());
    expect(tree, SY_ERR_FORMAT, "params must be an object");
    tree = tree_of(4);
    json_array_set_new(json_object_get(tree, "roster"), 3, json_string("v3"));
    expect(tree, SY_ERR_FORMAT, "roster[3] must be an object");
    tree = tree_of(4);
    json_array_set_new(json_object_get(tree, "regulators"), 1, json_string("12"));
    expect(tree, SY_ERR_FORMAT, "regulators[1] must be a string of 64");
    tree = tree_of(4);
    json_object_set_new(validator_of(tree, 1), "name", json_integer(7));
    expect(tree, SY_ERR_FORMAT, "roster[1].name must be a text");
    expect(json_array(), SY_ERR_FORMAT, "one JSON object");
}

CASE(genesis_refuses_values_that_no_network_can_have)
{
    json_t *tree = tree_of(4);
    json_object_set_new(tree, "format", json_integer(2));
    expect(tree, SY_ERR_VERSION, "format 2");
    tree = tree_of(4);
    json_array_remove(json_object_get(tree, "roster"), 0);
    expect(tree, SY_ERR_ARGUMENT, "3 validators");
    tree = tree_of(4);
    json_object_set(validator_of(tree, 1), "name", json_object_get(validator_of(tree, 0), "name"));
    expect(tree, SY_ERR_ARGUMENT, "both named");
    tree = tree_of(4);
    json_object_set(validator_of(tree, 1), "link_key",
                    json_object_get(validator_of(tree, 0), "admin_key"));
    expect(tree, SY_ERR_ARGUMENT, "stands twice");
}

CASE(genesis_refuses_a_hash_of_something_else)
{
    json_t *tree = tree_of(4);
    json_object_set_new(tree, "created_ms", json_integer(TEST_GENESIS_MS + 1));
    expect(tree, SY_ERR_CRYPTO, "hash does not fit");
}

CASE(genesis_refuses_what_is_no_json)
{
    struct sy_error err = {SY_OK, ""};
    assert_int_equal(parse_text("{\"format\":1,}", &err), SY_ERR_FORMAT);
    assert_non_null(strstr(err.text, "line 1"));
    assert_int_equal(parse_text("{\"format\":1,\"format\":1}", &err), SY_ERR_FORMAT);
    assert_non_null(strstr(err.text, "duplicate"));
    assert_int_equal(parse_text("", &err), SY_ERR_FORMAT);
    static char large[SY_GENESIS_JSON_BYTES_MAX + 2];
    memset(large, ' ', sizeof large - 1);
    assert_int_equal(parse_text(large, &err), SY_ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(genesis_survives_its_rendering),
        cmocka_unit_test(genesis_file_is_written_once_and_read_back),
        cmocka_unit_test(genesis_needs_every_member),
        cmocka_unit_test(genesis_may_leave_its_hash_out),
        cmocka_unit_test(genesis_refuses_members_it_does_not_know),
        cmocka_unit_test(genesis_refuses_other_types),
        cmocka_unit_test(genesis_refuses_values_that_no_network_can_have),
        cmocka_unit_test(genesis_refuses_a_hash_of_something_else),
        cmocka_unit_test(genesis_refuses_what_is_no_json),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
