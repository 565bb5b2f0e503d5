/* test_tx_json.c: payloads from JSON: every kind survives its rendering, and what does not fit the
 * table is refused with its path. */
#include "tests/support/test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/os.h"
#include "core/client/tx_json.h"
#include "tests/support/network.h"

#define ID_1 "1111111111111111111111111111111111111111111111111111111111111111"
#define ID_2 "2222222222222222222222222222222222222222222222222222222222222222"

static uint8_t bytes_room[SY_TX_BYTES_MAX];

static sy_status read_text(struct sy_slice *out, const char *kind, const char *text,
                           struct sy_error *err)
{
    struct sy_writer w = sy_writer_of(bytes_room, sizeof bytes_room);
    sy_status status = sy_payload_from_json(&w, sy_kind_by_name(kind),
                                            sy_slice_of(text, strlen(text)), "stdin", err);
    *out = sy_writer_slice(&w);
    return status;
}

static void expect_refusal(const char *kind, const char *text, sy_status status, const char *words)
{
    struct sy_slice bytes;
    struct sy_error err = {SY_OK, ""};
    assert_int_equal(read_text(&bytes, kind, text, &err), status);
    if (!strstr(err.text, words)) fail_msg("'%s' does not say '%s'", err.text, words);
}

static void decode(union sy_payload *payload, const char *kind, struct sy_slice bytes)
{
    const char *path = "";
    if (!sy_payload_decode(payload, sy_kind_by_name(kind), bytes, &path)) {
        fail_msg("%s does not decode at %s", kind, path);
    }
}

/* ---- what is written is read back --------------------------------------------------------- */

static void check_rendering(const struct sy_kind *kind, const union sy_payload *payload)
{
    static uint8_t encoded[SY_TX_BYTES_MAX];
    struct sy_writer w = sy_writer_of(encoded, sizeof encoded);
    struct sy_slice again;
    struct sy_error err = {SY_OK, ""};
    sy_json json;
    sy_payload_encode(&w, kind, payload);
    assert_false(w.failed);
    sy_json_init_growing(&json, SY_TX_JSON_BYTES_MAX);
    sy_payload_to_json(&json, kind, payload);
    const char *text = sy_json_finish(&json);
    assert_non_null(text);
    if (read_text(&again, kind->name, text, &err) != SY_OK) {
        fail_msg("%s: %s in %s", kind->name, err.text, text);
    }
    if (!sy_slice_equal(again, sy_writer_slice(&w))) fail_msg("%s: %s differs", kind->name, text);
    sy_json_free(&json);
}

CASE(every_kind_survives_its_rendering)
{
    static uint8_t room_bytes[SY_TX_BYTES_MAX];
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    const struct sy_kind *kind;
    for (unsigned i = 0; (kind = sy_kind_at(i)) != NULL; i++) {
        for (unsigned round = 0; round < 40; round++) {
            union sy_payload payload;
            struct sy_writer room = sy_writer_of(room_bytes, sizeof room_bytes);
            test_payload(&payload, kind, &room, &prng);
            if (!sy_payload_check(kind, &payload, NULL)) continue;
            check_rendering(kind, &payload);
        }
    }
}

/* ---- fields ------------------------------------------------------------------------------- */

#define CARE \
    "{\"care_id\":\"" ID_1 "\",\"patient_id\":\"" ID_2 "\",\"org_id\":\"" ID_1 "\",\"reason\":"

CASE(enums_are_words_or_numbers)
{
    struct sy_slice bytes;
    union sy_payload payload;
    struct sy_error err = {SY_OK, ""};
    assert_int_equal(read_text(&bytes, "care.open", CARE "\"emergency\"}", &err), SY_OK);
    decode(&payload, "care.open", bytes);
    assert_int_equal(payload.care_open.reason, SY_CARE_EMERGENCY);
    assert_int_equal(read_text(&bytes, "care.open", CARE "2}", &err), SY_OK);
    decode(&payload, "care.open", bytes);
    assert_int_equal(payload.care_open.reason, SY_CARE_EMERGENCY);
    expect_refusal("care.open", CARE "\"boredom\"}", SY_ERR_ARGUMENT, "reason must be: enum");
    expect_refusal("care.open", CARE "99}", SY_ERR_ARGUMENT, "reason must be");
    expect_refusal("care.open", CARE "65538}", SY_ERR_ARGUMENT, "reason must be");
    expect_refusal("care.open", CARE "-1}", SY_ERR_ARGUMENT, "reason must be");
    expect_refusal("care.open", CARE "true}", SY_ERR_ARGUMENT, "reason must be");
}

CASE(random_draws_an_id_and_now_is_the_time)
{
    struct sy_slice bytes;
    union sy_payload one, two;
    struct sy_error err = {SY_OK, ""};
    assert_int_equal(read_text(&bytes, "care.close", "{\"care_id\":\"random\"}", &err), SY_OK);
    decode(&one, "care.close", bytes);
    assert_int_equal(read_text(&bytes, "care.close", "{\"care_id\":\"random\"}", &err), SY_OK);
    decode(&two, "care.close", bytes);
    assert_false(sy_hash_equal(&one.care_close.care_id, &two.care_close.care_id));

    int64_t before = sy_os_wall_ms();
    assert_int_equal(read_text(&bytes, "org.suspend",
                               "{\"org_id\":\"" ID_1 "\",\"reason\":\"fraud\",\"from\":\"now\"}",
                               &err),
                     SY_OK);
    decode(&one, "org.suspend", bytes);
    assert_true(one.org_suspend.from >= before);
    // A key is nobody's to draw.
    expect_refusal("cred.revoke", "{\"subject_key\":\"random\",\"reason\":1,\"at\":1}",
                   SY_ERR_ARGUMENT, "subject_key must be");
}

CASE(fields_are_refused_by_name)
{
    expect_refusal("care.close", "{}", SY_ERR_ARGUMENT, "care_id is missing");
    expect_refusal("care.close", "{\"care_id\":\"" ID_1 "\",\"colour\":1}", SY_ERR_ARGUMENT,
                   "care.close has no field colour");
    expect_refusal("care.close", "{\"care_id\":\"1234\"}", SY_ERR_ARGUMENT, "care_id must be: id");
    expect_refusal("care.close", "{\"care_id\":7}", SY_ERR_ARGUMENT, "care_id must be: id");
    expect_refusal("care.close",
                   "{\"care_id\":\"0000000000000000000000000000000000000000000000000000000000000000"
                   "\"}",
                   SY_ERR_ARGUMENT, "care_id must be");
    expect_refusal("care.close", "[]", SY_ERR_ARGUMENT, "must be an object");
    expect_refusal("care.close", "{\"care_id\":", SY_ERR_FORMAT, "stdin: line 1");
    expect_refusal("care.close", "{\"care_id\":\"" ID_1 "\",\"care_id\":\"" ID_1 "\"}",
                   SY_ERR_FORMAT, "duplicate");
}

#define ENROL "{\"patient_id\":\"" ID_1 "\",\"guardian_needed\":0,\"guardians\":"

CASE(lists_keep_their_limits)
{
    struct sy_slice bytes;
    union sy_payload payload;
    struct sy_error err = {SY_OK, ""};
    char text[4096];
    size_t used = 0;
    assert_int_equal(read_text(&bytes, "patient.enrol", ENROL "[]}", &err), SY_OK);
    assert_int_equal(read_text(&bytes, "patient.enrol", ENROL "[\"" ID_1 "\",\"" ID_2 "\"]}", &err),
                     SY_OK);
    decode(&payload, "patient.enrol", bytes);
    assert_int_equal(payload.patient_enrol.guardians.count, 2);
    assert_false(payload.patient_enrol.has_wallet_key);
    expect_refusal("patient.enrol", ENROL "[\"" ID_1 "\",\"" ID_1 "\"]}", SY_ERR_ARGUMENT,
                   "guardians[1] must be");
    expect_refusal("patient.enrol", ENROL "[\"12\"]}", SY_ERR_ARGUMENT, "guardians must be");
    expect_refusal("patient.enrol", ENROL "\"none\"}", SY_ERR_ARGUMENT, "guardians must be");
    used += (size_t)snprintf(text, sizeof text, ENROL "[");
    for (unsigned i = 0; i < 17; i++) {
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "%s\"%064x\"", i ? "," : "", i + 1);
    }
    (void)snprintf(text + used, sizeof text - used, "]}");
    expect_refusal("patient.enrol", text, SY_ERR_ARGUMENT,
                   "guardians must be: id list, at most 16");
}

CASE(a_possession_waits_for_its_key)
{
    struct sy_slice bytes;
    union sy_payload payload;
    static const struct sy_signature zero;
    char text[1024];
    struct sy_error err = {SY_OK, ""};
    assert_int_equal(
        read_text(&bytes, "patient.enrol", ENROL "[],\"wallet_key\":\"" ID_2 "\"}", &err), SY_OK);
    decode(&payload, "patient.enrol", bytes);
    assert_true(payload.patient_enrol.has_wallet_key);
    assert_memory_equal(payload.patient_enrol.wallet_possession.bytes, zero.bytes, 64);
    (void)snprintf(text, sizeof text, ENROL "[],\"wallet_possession\":\"%0128d\"}", 1);
    expect_refusal("patient.enrol", text, SY_ERR_ARGUMENT, "wallet_possession must be");
}

/* ---- atomic ------------------------------------------------------------------------------- */

#define PART(payload) "{\"kind\":\"care.close\",\"signer\":1,\"payload\":" payload "}"
#define CLOSE "{\"care_id\":\"" ID_1 "\"}"

#define SIGNATURE ID_1 ID_2
#define REMOVE "{\"epoch\":1,\"roster_hash\":\"" ID_1 "\",\"validator\":\"" ID_2 "\""
#define APPROVAL(key) "{\"key\":\"" key "\",\"signature\":\"" SIGNATURE "\"}"

CASE(approvals_are_pairs_of_key_and_signature)
{
    static const char *const wrong[] = {
        "7",
        "{}",
        "[7]",
        "[\"" ID_1 "\"]",
        "[{\"key\":\"" ID_1 "\"}]",
        "[{\"signature\":\"" SIGNATURE "\"}]",
        "[{\"key\":\"" ID_1 "\",\"signature\":\"" ID_1 "\"}]",
        "[{\"key\":\"" SIGNATURE "\",\"signature\":\"" SIGNATURE "\"}]",
        "[{\"key\":\"" ID_1 "\",\"signature\":\"" SIGNATURE "\",\"by\":1}]",
    };
    struct sy_slice bytes;
    union sy_payload payload;
    struct sy_error err = {SY_OK, ""};
    struct sy_approval approval;
    char text[1024];
    assert_int_equal(read_text(&bytes, "validator.remove", REMOVE "}", &err), SY_OK);
    decode(&payload, "validator.remove", bytes);
    assert_int_equal(payload.validator_remove.approvals.count, 0);
    const char *two = REMOVE ",\"approvals\":[" APPROVAL(ID_1) "," APPROVAL(ID_2) "]}";
    assert_int_equal(read_text(&bytes, "validator.remove", two, &err), SY_OK);
    decode(&payload, "validator.remove", bytes);
    size_t offset = 0;
    assert_int_equal(payload.validator_remove.approvals.count, 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(sy_list_next_approval(&payload.validator_remove.approvals, &offset, &approval));
        assert_int_equal(approval.key.bytes[0], 0x11 * (i + 1));
        assert_int_equal(approval.signature.bytes[0], 0x11);
        assert_int_equal(approval.signature.bytes[63], 0x22);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        (void)snprintf(text, sizeof text, REMOVE ",\"approvals\":%s}", wrong[i]);
        expect_refusal("validator.remove", text, SY_ERR_ARGUMENT, "approvals must be");
    }
    const char *twice = REMOVE ",\"approvals\":[" APPROVAL(ID_1) "," APPROVAL(ID_1) "]}";
    expect_refusal("validator.remove", twice, SY_ERR_ARGUMENT, "approvals[1]");
}

CASE(atomic_parts_are_read_in_order)
{
    struct sy_slice bytes;
    union sy_payload payload;
    struct sy_part part;
    size_t offset = 0;
    struct sy_error err = {SY_OK, ""};
    assert_int_equal(
        read_text(&bytes, "atomic",
                  "{\"payloads\":[" PART(CLOSE) "," PART("{\"care_id\":\"" ID_2 "\"}") "]}", &err),
        SY_OK);
    decode(&payload, "atomic", bytes);
    assert_int_equal(payload.atomic.payloads.count, 2);
    assert_true(sy_list_next_part(&payload.atomic.payloads, &offset, &part));
    assert_int_equal(part.kind, SY_KIND_care_close);
    assert_int_equal(part.signer, 1);
    assert_int_equal(part.payload.size, 32 + 1); // it says no death
    assert_int_equal(part.payload.data[0], 0x11);
}

CASE(atomic_parts_are_refused_by_number)
{
    expect_refusal("atomic", "{\"payloads\":[]}", SY_ERR_ARGUMENT, "payloads");
    expect_refusal("atomic", "{\"payloads\":{}}", SY_ERR_ARGUMENT, "payloads must be");
    expect_refusal("atomic", "{\"payloads\":[" PART(CLOSE) "],\"more\":1}", SY_ERR_ARGUMENT,
                   "payloads");
    expect_refusal("atomic", "{\"payloads\":[" PART(CLOSE) "," PART("{}") "]}", SY_ERR_ARGUMENT,
                   "payloads[1].care_id is missing");
    expect_refusal("atomic",
                   "{\"payloads\":[{\"kind\":\"atomic\",\"signer\":0,\"payload\":{\"payloads\":[]}}"
                   "]}",
                   SY_ERR_ARGUMENT, "payloads[0].kind");
    expect_refusal("atomic", "{\"payloads\":[{\"kind\":\"no\",\"signer\":0,\"payload\":{}}]}",
                   SY_ERR_ARGUMENT, "payloads[0].kind");
    expect_refusal("atomic",
                   "{\"payloads\":[{\"kind\":\"care.close\",\"signer\":17,\"payload\":" CLOSE "}]}",
                   SY_ERR_ARGUMENT, "payloads[0].signer");
    expect_refusal("atomic",
                   "{\"payloads\":[{\"kind\":\"care.close\",\"signer\":0,\"payload\":" CLOSE
                   ",\"x\":1}]}",
                   SY_ERR_ARGUMENT, "payloads[0].");
    expect_refusal("atomic", "{\"payloads\":[7]}", SY_ERR_ARGUMENT, "payloads[0].kind");
}

CASE(atomic_ends_at_the_limit_of_a_transaction)
{
    // 4,096 records are more than 512 KiB.
    json_t *parts = json_array();
    json_t *fields =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:s,s:b,s:[]}", "record_id", ID_1, "subject_kind",
                  "patient", "subject", ID_2, "class", "Observation", "form", "raw", "commit", ID_1,
                  "size", 4096, "author_role", "gateway", "patient_reported", 0, "parents");
    assert_non_null(fields);
    for (unsigned i = 0; i < SY_ATOMIC_PAYLOADS_MAX; i++) {
        json_array_append_new(parts, json_pack("{s:s,s:i,s:O}", "kind", "record.create", "signer",
                                               0, "payload", fields));
    }
    json_t *tree = json_pack("{s:o}", "payloads", parts);
    char *text = json_dumps(tree, JSON_COMPACT);
    assert_non_null(text);
    expect_refusal("atomic", text, SY_ERR_LIMIT, "payloads[");
    free(text);
    json_decref(tree);
    json_decref(fields);
}

/* ---- name=value --------------------------------------------------------------------------- */

static sy_status read_pairs(struct sy_slice *out, const char *kind, const char *const *pairs,
                            unsigned count, struct sy_error *err)
{
    struct sy_writer w = sy_writer_of(bytes_room, sizeof bytes_room);
    sy_status status = sy_payload_from_fields(&w, sy_kind_by_name(kind), pairs, count, err);
    *out = sy_writer_slice(&w);
    return status;
}

CASE(pairs_stand_for_the_same_payload)
{
    static const char *const pairs[] = {"record_id=" ID_1,
                                        "subject_kind=patient",
                                        "subject=" ID_2,
                                        "class=Observation",
                                        "form=1",
                                        "commit=" ID_2,
                                        "size=4096",
                                        "author_role=gateway",
                                        "patient_reported=true",
                                        "parents=" ID_1 "," ID_2};
    static const char json[] =
        "{\"record_id\":\"" ID_1 "\",\"subject_kind\":\"patient\",\"subject\":\"" ID_2
        "\",\"class\":\"Observation\",\"form\":\"raw\",\"commit\":\"" ID_2
        "\",\"size\":4096,\"author_role\":\"gateway\",\"patient_reported\":true,"
        "\"parents\":[\"" ID_1 "\",\"" ID_2 "\"]}";
    struct sy_slice bytes;
    uint8_t kept[512];
    struct sy_error err = {SY_OK, ""};
    if (read_pairs(&bytes, "record.create", pairs, 10, &err) != SY_OK) fail_msg("%s", err.text);
    assert_true(bytes.size <= sizeof kept);
    memcpy(kept, bytes.data, bytes.size);
    size_t size = bytes.size;
    assert_int_equal(read_text(&bytes, "record.create", json, &err), SY_OK);
    assert_true(sy_slice_equal(bytes, sy_slice_of(kept, size)));
}

#define CONSENT(actions, labels)                                                        \
    "{\"consent_id\":\"" ID_1 "\",\"patient_id\":\"" ID_2                               \
    "\",\"grantee_kind\":\"role\",\"role\":\"doctor\",\"actions\":" actions             \
    ",\"purposes\":[\"treatment\",\"public health\"],\"classes\":[],\"labels\":" labels \
    ",\"from\":0,\"until\":5}"
#define TAG_1 "11111111111111111111111111111111"

CASE(sets_are_arrays_of_words_and_labels_of_hex)
{
    union sy_payload payload;
    struct sy_slice bytes;
    struct sy_error err = {SY_OK, ""};
    static const char json[] = CONSENT("[\"share\",1]", "[\"" TAG_1 "\"]");
    if (read_text(&bytes, "consent.grant", json, &err) != SY_OK) fail_msg("%s", err.text);
    decode(&payload, "consent.grant", bytes);
    assert_int_equal(payload.consent_grant.actions,
                     SY_SET_BIT(SY_ACTION_READ) | SY_SET_BIT(SY_ACTION_SHARE));
    assert_int_equal(payload.consent_grant.purposes,
                     SY_SET_BIT(SY_PURPOSE_TREATMENT) | SY_SET_BIT(SY_PURPOSE_PUBLIC_HEALTH));
    assert_int_equal(payload.consent_grant.labels.count, 1);
    assert_int_equal(payload.consent_grant.labels.items.data[15], 0x11);
    static const char *const bad[] = {"[]",
                                      "\"read\"",
                                      "[\"read\",\"read\"]",
                                      "[\"write\",2]",
                                      "[\"look\"]",
                                      "[32]",
                                      "[0]",
                                      "[4]",
                                      "[-1]",
                                      "null",
                                      "[[1]]"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[1024];
        static const char front[] = CONSENT("", "[]");
        const char *at = strstr(front, "\"actions\":") + strlen("\"actions\":");
        (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - front), front, bad[i], at);
        expect_refusal("consent.grant", text, SY_ERR_ARGUMENT,
                       "actions must be: set of at least 1");
    }
    expect_refusal("consent.grant", CONSENT("[1]", "[\"1111\"]"), SY_ERR_ARGUMENT,
                   "labels must be: tag list, at most 16");
    expect_refusal("consent.grant", CONSENT("[1]", "[\"" TAG_1 "\",\"" TAG_1 "\"]"),
                   SY_ERR_ARGUMENT, "labels[1] must be");
}

CASE(sets_and_labels_are_given_with_commas)
{
    static const char *const pairs[] = {"consent_id=" ID_1,
                                        "patient_id=" ID_2,
                                        "grantee_kind=organisation",
                                        "grantee=" ID_1,
                                        "actions=read,write",
                                        "purposes=public health",
                                        "classes=Observation",
                                        "labels=" TAG_1,
                                        "from=0",
                                        "until=7"};
    union sy_payload payload;
    struct sy_slice bytes;
    struct sy_error err = {SY_OK, ""};
    if (read_pairs(&bytes, "consent.grant", pairs, 10, &err) != SY_OK) fail_msg("%s", err.text);
    decode(&payload, "consent.grant", bytes);
    assert_int_equal(payload.consent_grant.actions,
                     SY_SET_BIT(SY_ACTION_READ) | SY_SET_BIT(SY_ACTION_WRITE));
    assert_int_equal(payload.consent_grant.purposes, SY_SET_BIT(SY_PURPOSE_PUBLIC_HEALTH));
    assert_int_equal(payload.consent_grant.labels.count, 1);
    assert_false(payload.consent_grant.has_role);
}

CASE(pairs_are_refused_by_name)
{
    static const char *const no_equals[] = {"care_id"};
    static const char *const unknown[] = {"colour=red"};
    static const char *const twice[] = {"care_id=" ID_1, "care_id=" ID_1};
    static const char *const not_utf8[] = {"care_id=\xff"};
    struct sy_slice bytes;
    struct sy_error err = {SY_OK, ""};
    assert_int_equal(read_pairs(&bytes, "care.close", no_equals, 1, &err), SY_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "name=value"));
    assert_int_equal(read_pairs(&bytes, "care.close", unknown, 1, &err), SY_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "no field colour"));
    assert_int_equal(read_pairs(&bytes, "care.close", twice, 2, &err), SY_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "twice"));
    assert_int_equal(read_pairs(&bytes, "care.close", not_utf8, 1, &err), SY_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "UTF-8"));
    assert_int_equal(read_pairs(&bytes, "atomic", unknown, 1, &err), SY_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "JSON"));
    assert_int_equal(read_pairs(&bytes, "care.close", NULL, 0, &err), SY_ERR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(every_kind_survives_its_rendering),
        cmocka_unit_test(enums_are_words_or_numbers),
        cmocka_unit_test(random_draws_an_id_and_now_is_the_time),
        cmocka_unit_test(fields_are_refused_by_name),
        cmocka_unit_test(lists_keep_their_limits),
        cmocka_unit_test(a_possession_waits_for_its_key),
        cmocka_unit_test(approvals_are_pairs_of_key_and_signature),
        cmocka_unit_test(atomic_parts_are_read_in_order),
        cmocka_unit_test(atomic_parts_are_refused_by_number),
        cmocka_unit_test(atomic_ends_at_the_limit_of_a_transaction),
        cmocka_unit_test(pairs_stand_for_the_same_payload),
        cmocka_unit_test(sets_are_arrays_of_words_and_labels_of_hex),
        cmocka_unit_test(sets_and_labels_are_given_with_commas),
        cmocka_unit_test(pairs_are_refused_by_name),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
