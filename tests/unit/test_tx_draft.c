/* test_tx_draft.c: a transaction through several hands: who may do what, in which order, and what a
 * file on its way may not become. */
#include "tests/support/test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/client/tx_draft.h"
#include "core/client/tx_json.h"
#include "tests/support/samples.h"

#define ADMIN 100u
#define STRANGER 101u

static struct sy_genesis genesis;

static const char fields_format[] =
    "{\"org_id\":\"random\",\"kind\":\"hospital\",\"name_hash\":\"%064d\",\"admin_key\":\"%s\","
    "\"x25519_key\":\"%064d\",\"endpoints\":[\"https://a.example\"],\"gs1_prefixes\":[]}";

/* An org.register by a regulator, cosigned by the admin key that it enrols. */
static sy_draft *make_register(void)
{
    static uint8_t payload[4096];
    char text[2048];
    char hex[65];
    struct sy_error err = {SY_OK, ""};
    struct sy_tx tx;
    sy_draft *draft = NULL;
    struct sy_public_key admin = test_public(ADMIN);
    sy_hex_encode(hex, admin.bytes, sizeof admin.bytes);
    (void)snprintf(text, sizeof text, fields_format, 7, hex, 9);
    struct sy_writer w = sy_writer_of(payload, sizeof payload);
    assert_int_equal(sy_payload_from_json(&w, sy_kind_by_name("org.register"),
                                          sy_slice_of(text, strlen(text)), "fields", &err),
                     SY_OK);
    memset(&tx, 0, sizeof tx);
    tx.kind = SY_KIND_org_register;
    tx.signer = test_public(TEST_REGULATOR);
    tx.nonce = 1;
    tx.valid_until_ms = TEST_GENESIS_MS + 3600000;
    tx.cosigner_count = 1;
    tx.cosigners[0] = admin;
    tx.payload = sy_writer_slice(&w);
    if (sy_draft_make(&draft, &genesis, &tx, &err) != SY_OK) fail_msg("%s", err.text);
    return draft;
}

static void expect(sy_status got, const struct sy_error *err, sy_status wanted, const char *words)
{
    assert_int_equal(got, wanted);
    if (!strstr(err->text, words)) fail_msg("'%s' does not say '%s'", err->text, words);
}

static void sign_all(sy_draft *draft)
{
    struct sy_error err = {SY_OK, ""};
    unsigned number;
    assert_int_equal(sy_draft_prove(draft, &number, test_key(ADMIN), &genesis, &err), SY_OK);
    assert_int_equal(number, 1);
    assert_int_equal(sy_draft_sign(draft, &number, test_key(TEST_REGULATOR), &genesis, &err),
                     SY_OK);
    assert_int_equal(number, 0);
    assert_int_equal(sy_draft_sign(draft, &number, test_key(ADMIN), &genesis, &err), SY_OK);
    assert_int_equal(number, 1);
}

CASE(a_draft_is_complete_when_everybody_signed)
{
    struct sy_error err = {SY_OK, ""};
    unsigned number;
    sy_draft *draft = make_register();
    assert_int_equal(sy_draft_missing(draft), 2);
    expect(sy_draft_check(draft, &genesis, &err), &err, SY_ERR_CRYPTO, "signer 0");
    expect(sy_draft_sign(draft, &number, test_key(ADMIN), &genesis, &err), &err, SY_ERR_CRYPTO,
           "possession");
    sign_all(draft);
    assert_int_equal(sy_draft_missing(draft), 0);
    if (sy_draft_check(draft, &genesis, &err) != SY_OK) fail_msg("%s", err.text);
    sy_draft_close(draft);
}

CASE(only_named_keys_can_prove_and_sign)
{
    struct sy_error err = {SY_OK, ""};
    unsigned number;
    sy_draft *draft = make_register();
    expect(sy_draft_prove(draft, &number, test_key(STRANGER), &genesis, &err), &err,
           SY_ERR_NOT_FOUND, "no such key");
    expect(sy_draft_sign(draft, &number, test_key(STRANGER), &genesis, &err), &err,
           SY_ERR_NOT_FOUND, "none of this transaction's signers");
    sy_draft_close(draft);
}

CASE(nothing_is_proven_after_a_signature)
{
    struct sy_error err = {SY_OK, ""};
    unsigned number;
    sy_draft *draft = make_register();
    sign_all(draft);
    struct sy_hash before, after;
    sy_draft_id(draft, &before);
    expect(sy_draft_prove(draft, &number, test_key(ADMIN), &genesis, &err), &err, SY_ERR_PERMISSION,
           "signed this transaction already");
    sy_draft_id(draft, &after);
    assert_true(sy_hash_equal(&before, &after));
    sy_draft_close(draft);
}

CASE(possessions_of_atomic_parts_are_proven_for_their_sponsor)
{
    // Two org.registers in one transaction, answered for by different regulators.
    static uint8_t room[65536], part_bytes[2][4096];
    struct sy_error err = {SY_OK, ""};
    union sy_payload payload;
    struct sy_tx tx;
    sy_draft *draft = NULL;
    unsigned number;
    memset(&payload, 0, sizeof payload);
    struct sy_writer list_room = sy_writer_of(room, sizeof room);
    for (unsigned i = 0; i < 2; i++) {
        union sy_payload inner;
        struct sy_hash org = test_hash(2000 + i);
        test_register(&inner, &genesis, &org, ADMIN + i, STRANGER, 99); // a proof of something else
        struct sy_writer w = sy_writer_of(part_bytes[i], sizeof part_bytes[i]);
        sy_payload_encode(&w, sy_kind_by_number(SY_KIND_org_register), &inner);
        struct sy_part part = {SY_KIND_org_register, (uint8_t)i, sy_writer_slice(&w)};
        sy_list_add_part(&payload.atomic.payloads, &list_room, &part);
    }
    static uint8_t bytes[65536];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_payload_encode(&w, sy_kind_by_number(SY_KIND_atomic), &payload);
    assert_false(w.failed);
    memset(&tx, 0, sizeof tx);
    tx.kind = SY_KIND_atomic;
    tx.signer = test_public(TEST_REGULATOR);
    tx.nonce = 5;
    tx.valid_until_ms = TEST_GENESIS_MS;
    tx.cosigner_count = 3;
    tx.cosigners[0] = test_public(TEST_REGULATOR + 1);
    tx.cosigners[1] = test_public(ADMIN);
    tx.cosigners[2] = test_public(ADMIN + 1);
    tx.payload = sy_writer_slice(&w);
    assert_int_equal(sy_draft_make(&draft, &genesis, &tx, &err), SY_OK);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(sy_draft_prove(draft, &number, test_key(ADMIN + i), &genesis, &err),
                         SY_OK);
        assert_int_equal(number, 1);
    }
    static const unsigned keys[] = {TEST_REGULATOR, TEST_REGULATOR + 1, ADMIN, ADMIN + 1};
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(sy_draft_sign(draft, &number, test_key(keys[i]), &genesis, &err), SY_OK);
    }
    if (sy_draft_check(draft, &genesis, &err) != SY_OK) fail_msg("%s", err.text);
    sy_draft_close(draft);
}

/* ---- files -------------------------------------------------------------------------------- */

static json_t *tree_of(const sy_draft *draft)
{
    sy_json json;
    sy_json_init_growing(&json, SY_TX_JSON_BYTES_MAX);
    sy_draft_to_json(draft, &json);
    const char *text = sy_json_finish(&json);
    assert_non_null(text);
    json_t *tree = json_loads(text, 0, NULL);
    assert_non_null(tree);
    sy_json_free(&json);
    return tree;
}

static sy_status parse_tree(sy_draft **draft, json_t *tree, struct sy_error *err)
{
    char *text = json_dumps(tree, 0);
    assert_non_null(text);
    sy_status status =
        sy_draft_parse(draft, &genesis, sy_slice_of(text, strlen(text)), "d.json", err);
    free(text);
    json_decref(tree);
    return status;
}

CASE(a_draft_survives_its_file)
{
    struct sy_error err = {SY_OK, ""};
    unsigned number;
    sy_draft *draft = make_register();
    sy_draft *again = NULL;
    assert_int_equal(sy_draft_prove(draft, &number, test_key(ADMIN), &genesis, &err), SY_OK);
    assert_int_equal(sy_draft_sign(draft, &number, test_key(ADMIN), &genesis, &err), SY_OK);
    if (parse_tree(&again, tree_of(draft), &err) != SY_OK) fail_msg("%s", err.text);
    assert_int_equal(sy_draft_missing(again), 1);
    assert_true(sy_slice_equal(sy_draft_bytes(draft), sy_draft_bytes(again)));
    assert_int_equal(sy_draft_sign(again, &number, test_key(TEST_REGULATOR), &genesis, &err),
                     SY_OK);
    if (sy_draft_check(again, &genesis, &err) != SY_OK) fail_msg("%s", err.text);
    sy_draft_close(draft);
    sy_draft_close(again);
}

static void expect_file(const sy_draft *draft, const char *member, json_t *value, sy_status status,
                        const char *words)
{
    struct sy_error err = {SY_OK, ""};
    sy_draft *parsed = NULL;
    json_t *tree = tree_of(draft);
    if (value) {
        json_object_set_new(tree, member, value);
    } else {
        json_object_del(tree, member);
    }
    expect(parse_tree(&parsed, tree, &err), &err, status, words);
    assert_null(parsed);
}

CASE(a_file_that_says_something_else_than_its_body_is_refused)
{
    sy_draft *draft = make_register();
    sign_all(draft);
    char other[65];
    (void)snprintf(other, sizeof other, "%064d", 5);
    expect_file(draft, "kind", json_string("care.close"), SY_ERR_FORMAT, "kind says something");
    expect_file(draft, "tx_id", json_string(other), SY_ERR_FORMAT, "tx_id says something");
    expect_file(draft, "network", json_string("00"), SY_ERR_FORMAT, "network says something");
    expect_file(draft, "signers", json_array(), SY_ERR_FORMAT, "signers are not");
    expect_file(draft, "format", json_string("systole-tx-2"), SY_ERR_VERSION, "systole-tx-2");
    expect_file(draft, "format", NULL, SY_ERR_FORMAT, "no transaction file");
    expect_file(draft, "body", json_string("01"), SY_ERR_ARGUMENT, "d.json");
    expect_file(draft, "body", json_string("0"), SY_ERR_FORMAT, "must be hex");
    expect_file(draft, "body", NULL, SY_ERR_FORMAT, "must be hex");
    expect_file(draft, "signatures", json_array(), SY_ERR_ARGUMENT, "d.json");
    expect_file(draft, "signatures", json_pack("[n,s]", "12"), SY_ERR_FORMAT, "signatures[1]");
    sy_draft_close(draft);
}

CASE(a_changed_signature_is_found_before_sending)
{
    struct sy_error err = {SY_OK, ""};
    sy_draft *draft = make_register();
    sy_draft *parsed = NULL;
    sign_all(draft);
    json_t *tree = tree_of(draft);
    json_t *list = json_object_get(tree, "signatures");
    char text[129];
    (void)snprintf(text, sizeof text, "%s", json_string_value(json_array_get(list, 1)));
    text[20] = text[20] == '0' ? '1' : '0';
    json_array_set_new(list, 1, json_string(text));
    assert_int_equal(parse_tree(&parsed, tree, &err), SY_OK);
    expect(sy_draft_check(parsed, &genesis, &err), &err, SY_ERR_CRYPTO, "signer 1");
    sy_draft_close(parsed);
    sy_draft_close(draft);
}

CASE(a_draft_of_another_network_is_refused)
{
    struct sy_error err = {SY_OK, ""};
    static struct sy_genesis other;
    sy_draft *draft = make_register();
    sy_draft *parsed = NULL;
    json_t *tree = tree_of(draft);
    char *text = json_dumps(tree, 0);
    test_genesis(&other, 5);
    expect(sy_draft_parse(&parsed, &other, sy_slice_of(text, strlen(text)), "d.json", &err), &err,
           SY_ERR_ARGUMENT, "another network");
    assert_int_equal(sy_draft_parse(&parsed, NULL, sy_slice_of(text, strlen(text)), "d.json", &err),
                     SY_OK);
    free(text);
    json_decref(tree);
    sy_draft_close(parsed);
    sy_draft_close(draft);
}

CASE(a_transaction_that_is_too_long_is_no_draft)
{
    static uint8_t payload[SY_TX_BYTES_MAX];
    struct sy_error err = {SY_OK, ""};
    struct sy_tx tx;
    sy_draft *draft = NULL;
    memset(&tx, 0, sizeof tx);
    tx.kind = SY_KIND_atomic;
    tx.payload = sy_slice_of(payload, sizeof payload);
    expect(sy_draft_make(&draft, &genesis, &tx, &err), &err, SY_ERR_LIMIT, "split it");
    assert_null(draft);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_draft_is_complete_when_everybody_signed),
        cmocka_unit_test(only_named_keys_can_prove_and_sign),
        cmocka_unit_test(nothing_is_proven_after_a_signature),
        cmocka_unit_test(possessions_of_atomic_parts_are_proven_for_their_sponsor),
        cmocka_unit_test(a_draft_survives_its_file),
        cmocka_unit_test(a_file_that_says_something_else_than_its_body_is_refused),
        cmocka_unit_test(a_changed_signature_is_found_before_sending),
        cmocka_unit_test(a_draft_of_another_network_is_refused),
        cmocka_unit_test(a_transaction_that_is_too_long_is_no_draft),
    };
    test_genesis(&genesis, 4);
    return cmocka_run_group_tests(cases, NULL, NULL);
}
