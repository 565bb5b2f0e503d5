/* test_wire_render.c: JSON renderings, read back with another parser, and the table in words. */
#include "tests/support/test.h"

#include <jansson.h>
#include <string.h>

#include "core/wire/render.h"
#include "tests/support/samples.h"

static struct test_block block;
static sy_json writer;

static int prepare(void **state)
{
    (void)state;
    test_block_make(&block);
    return 0;
}

static void begin(void)
{
    sy_json_init_growing(&writer, 16u << 20);
}

// What was written, parsed; the caller gives it back with json_decref.
static json_t *parse(void)
{
    json_error_t error;
    const char *text = sy_json_finish(&writer);
    assert_non_null(text);
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!root) fail_msg("%s in %s", error.text, text);
    sy_json_free(&writer);
    return root;
}

static void assert_hex(const json_t *root, const char *name, const void *data, size_t size)
{
    char hex[2 * 64 + 1];
    assert_true(size <= 64);
    sy_hex_encode(hex, data, size);
    const char *text = json_string_value(json_object_get(root, name));
    assert_non_null(text);
    assert_string_equal(text, hex);
}

static void assert_text(const json_t *root, const char *name, const char *expected)
{
    const char *text = json_string_value(json_object_get(root, name));
    assert_non_null(text);
    assert_string_equal(text, expected);
}

static void assert_number(const json_t *root, const char *name, int64_t expected)
{
    const json_t *value = json_object_get(root, name);
    assert_true(json_is_integer(value));
    assert_int_equal(json_integer_value(value), expected);
}

/* --- payloads ------------------------------------------------------------------------------ */

static void assert_list(const json_t *value, const struct sy_field *field,
                        const struct sy_list *list)
{
    size_t offset = 0;
    assert_true(json_is_array(value));
    assert_int_equal(json_array_size(value), list->count);
    for (size_t i = 0; field->type == SY_FIELD_U32_LIST && i < list->count; i++) {
        uint32_t number;
        assert_true(sy_list_next_u32(list, &offset, &number));
        assert_int_equal(json_integer_value(json_array_get(value, i)), number);
    }
    for (size_t i = 0; field->type != SY_FIELD_U32_LIST && i < list->count; i++) {
        const char *text = json_string_value(json_array_get(value, i));
        assert_non_null(text);
        if (field->type == SY_FIELD_ID_LIST) {
            char hex[65];
            struct sy_hash id;
            assert_true(sy_list_next_id(list, &offset, &id));
            sy_hex_encode(hex, id.bytes, 32);
            assert_string_equal(text, hex);
        } else if (field->type == SY_FIELD_TAG_LIST) {
            char hex[33];
            struct sy_tag tag;
            assert_true(sy_list_next_tag(list, &offset, &tag));
            sy_hex_encode(hex, tag.bytes, 16);
            assert_string_equal(text, hex);
        } else {
            struct sy_slice item;
            assert_true(sy_list_next_text(list, &offset, &item));
            assert_int_equal(strlen(text), item.size);
            assert_memory_equal(text, item.data, item.size);
        }
    }
}

static void assert_set(const json_t *value, const struct sy_enum *names, uint32_t set)
{
    assert_true(json_is_array(value));
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *text = json_string_value(json_array_get(value, i));
        uint16_t number;
        assert_non_null(text);
        assert_true(sy_enum_number(&number, names, text, strlen(text)));
        assert_true((set & SY_SET_BIT(number)) != 0);
        set &= ~SY_SET_BIT(number);
    }
    assert_int_equal(set, 0);
}

static void assert_approvals(const json_t *value, const struct sy_list *list)
{
    struct sy_approval approval;
    size_t offset = 0;
    assert_true(json_is_array(value));
    assert_int_equal(json_array_size(value), list->count);
    for (size_t i = 0; sy_list_next_approval(list, &offset, &approval); i++) {
        const json_t *item = json_array_get(value, i);
        assert_int_equal(json_object_size(item), 2);
        assert_hex(item, "key", approval.key.bytes, sizeof approval.key.bytes);
        assert_hex(item, "signature", approval.signature.bytes, sizeof approval.signature.bytes);
    }
}

// One member against its row of the table.
static void assert_field(const json_t *object, const struct sy_field *field, const void *value)
{
    const json_t *member = json_object_get(object, field->name);
    switch (field->type) {
    case SY_FIELD_U8: assert_number(object, field->name, *(const uint8_t *)value); break;
    case SY_FIELD_U16: assert_number(object, field->name, *(const uint16_t *)value); break;
    case SY_FIELD_U32: assert_number(object, field->name, *(const uint32_t *)value); break;
    case SY_FIELD_U64:
        assert_number(object, field->name, (int64_t) * (const uint64_t *)value);
        break;
    case SY_FIELD_TIME: assert_number(object, field->name, *(const int64_t *)value); break;
    case SY_FIELD_BOOL:
        assert_true(json_is_boolean(member));
        assert_int_equal(json_is_true(member), *(const bool *)value);
        break;
    case SY_FIELD_ENUM:
        assert_text(object, field->name, sy_enum_word(field->names, *(const uint16_t *)value));
        break;
    case SY_FIELD_SET: assert_set(member, field->names, *(const uint32_t *)value); break;
    case SY_FIELD_TAG: assert_hex(object, field->name, value, 16); break;
    case SY_FIELD_POSSESSION: assert_hex(object, field->name, value, 64); break;
    case SY_FIELD_ID:
    case SY_FIELD_HASH:
    case SY_FIELD_KEY: assert_hex(object, field->name, value, 32); break;
    case SY_FIELD_TEXT: {
        const struct sy_slice *text = (const struct sy_slice *)value;
        assert_true(json_is_string(member));
        assert_int_equal(json_string_length(member), text->size);
        assert_memory_equal(json_string_value(member), text->data, text->size);
        break;
    }
    case SY_FIELD_BYTES: {
        const struct sy_slice *bytes = (const struct sy_slice *)value;
        char hex[1024];
        assert_true(2 * bytes->size < sizeof hex);
        sy_hex_encode(hex, bytes->data, bytes->size);
        assert_string_equal(json_string_value(member), hex);
        break;
    }
    case SY_FIELD_ID_LIST:
    case SY_FIELD_TAG_LIST:
    case SY_FIELD_U32_LIST:
    case SY_FIELD_TEXT_LIST: assert_list(member, field, (const struct sy_list *)value); break;
    case SY_FIELD_APPROVAL_LIST: assert_approvals(member, (const struct sy_list *)value); break;
    default: fail_msg("no check for %s", field->name);
    }
}

CASE(payloads_of_every_kind_render_field_by_field)
{
    static uint8_t room[65536];
    const struct sy_kind *kind;
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; (kind = sy_kind_at(i)) != NULL; i++) {
            union sy_payload payload;
            struct sy_writer list_room = sy_writer_of(room, sizeof room);
            size_t members = 0;
            if (kind->number == SY_KIND_atomic) continue;
            test_payload(&payload, kind, &list_room, &prng);
            begin();
            sy_payload_to_json(&writer, kind, &payload);
            json_t *root = parse();
            for (unsigned k = 0; k < kind->field_count; k++) {
                const struct sy_field *field = &kind->fields[k];
                if (!sy_field_present(kind, field, &payload)) continue;
                members++;
                assert_field(root, field, sy_field_of(field, &payload));
            }
            assert_int_equal(json_object_size(root), members); // absent fields are left out
            json_decref(root);
        }
    }
}

CASE(parts_of_an_atomic_render_with_kind_and_signer)
{
    struct sy_tx tx;
    assert_int_equal(sy_tx_decode(&tx, NULL, test_sample("tx/atomic"), NULL), SY_APPLIED);
    begin();
    sy_tx_to_json(&writer, &tx);
    json_t *root = parse();
    const json_t *parts = json_object_get(json_object_get(root, "payload"), "payloads");
    assert_true(json_array_size(parts) >= 1);
    for (size_t i = 0; i < json_array_size(parts); i++) {
        const json_t *part = json_array_get(parts, i);
        const char *name = json_string_value(json_object_get(part, "kind"));
        assert_non_null(name);
        assert_non_null(sy_kind_by_name(name));
        assert_number(part, "signer", 0);
        assert_true(json_is_object(json_object_get(part, "payload")));
    }
    json_decref(root);
}

CASE(numbers_without_words_are_shown_as_numbers)
{
    union sy_payload payload = {0};
    payload.record_retract.reason = 999;
    begin();
    sy_payload_to_json(&writer, sy_kind_by_number(SY_KIND_record_retract), &payload);
    json_t *root = parse();
    assert_number(root, "reason", 999);
    json_decref(root);
}

CASE(part_of_an_unknown_kind_is_shown_as_bytes)
{
    uint8_t room[64];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    union sy_payload payload = {0};
    struct sy_part part = {999, 2, sy_slice_of("\x01\x02", 2)};
    sy_list_add_part(&payload.atomic.payloads, &w, &part);
    begin();
    sy_payload_to_json(&writer, sy_kind_by_number(SY_KIND_atomic), &payload);
    json_t *root = parse();
    const json_t *shown = json_array_get(json_object_get(root, "payloads"), 0);
    assert_number(shown, "kind", 999);
    assert_number(shown, "signer", 2);
    assert_text(shown, "payload", "0102");
    json_decref(root);
}

/* --- transactions, receipts, blocks -------------------------------------------------------- */

CASE(tx_renders_envelope_payload_and_signatures)
{
    struct sy_tx tx;
    struct sy_hash id;
    assert_int_equal(sy_tx_decode(&tx, NULL, test_sample("tx/cosigned"), NULL), SY_APPLIED);
    sy_tx_id(&id, &tx);
    begin();
    sy_tx_to_json(&writer, &tx);
    json_t *root = parse();
    assert_hex(root, "tx_id", id.bytes, 32);
    assert_number(root, "version", 1);
    assert_text(root, "kind", "org.register");
    assert_hex(root, "network", tx.network, 16);
    assert_hex(root, "signer", tx.signer.bytes, 32);
    assert_hex(root, "organisation", tx.organisation.bytes, 32);
    assert_number(root, "nonce", 1);
    assert_number(root, "valid_until_ms", tx.valid_until_ms);
    assert_int_equal(json_array_size(json_object_get(root, "cosigners")), 2);
    assert_int_equal(json_array_size(json_object_get(root, "signatures")), 3);
    const json_t *payload = json_object_get(root, "payload");
    assert_text(payload, "kind", "hospital");
    json_decref(root);
}

CASE(applied_receipt_shows_keys_and_events)
{
    struct sy_receipt receipt;
    struct sy_reader r = sy_reader_of(test_sample("receipt/applied"));
    assert_true(sy_receipt_decode(&r, &receipt));
    begin();
    sy_receipt_to_json(&writer, &receipt);
    json_t *root = parse();
    assert_number(root, "height", 9);
    assert_number(root, "index", 0);
    assert_text(root, "code", "APPLIED");
    assert_true(json_is_true(json_object_get(root, "decided")));
    assert_int_equal(json_array_size(json_object_get(root, "keys")), 2);
    const json_t *event = json_array_get(json_object_get(root, "events"), 0);
    assert_text(event, "event", "record.created");
    assert_text(event, "subject_kind", "patient");
    assert_number(event, "global_number", 10);
    assert_number(event, "subject_number", 0);
    assert_null(json_object_get(root, "sentence"));
    json_decref(root);
}

static json_t *render_refusal(uint16_t code, uint64_t detail)
{
    struct sy_receipt receipt;
    struct sy_reader r = sy_reader_of(test_sample("receipt/refused"));
    assert_true(sy_receipt_decode(&r, &receipt));
    receipt.code = code;
    receipt.detail = detail;
    begin();
    sy_receipt_to_json(&writer, &receipt);
    return parse();
}

CASE(refused_receipt_says_why_where_and_what_to_do)
{
    json_t *root = render_refusal(SY_E_SCHEMA, 0);
    assert_text(root, "code", "E_SCHEMA");
    assert_text(root, "sentence", sy_refusal_info(SY_E_SCHEMA)->sentence);
    assert_text(root, "remedy", sy_refusal_info(SY_E_SCHEMA)->remedy);
    assert_text(root, "path", "parents[1]");
    assert_true(json_is_true(json_object_get(root, "decided")));
    assert_null(json_object_get(root, "keys"));
    assert_null(json_object_get(root, "events"));
    assert_null(json_object_get(root, "detail"));
    json_decref(root);
}

CASE(details_have_the_names_that_the_code_gives_them)
{
    json_t *root = render_refusal(SY_E_REPLAY, 4711);
    assert_number(root, "highest_nonce", 4711);
    assert_true(json_is_false(json_object_get(root, "decided")));
    json_decref(root);
    root = render_refusal(SY_E_STALE_HEAD, 3);
    assert_number(root, "head_version", 3);
    json_decref(root);
    root = render_refusal(SY_E_ROLE, SY_ROLE_BIT(SY_ROLE_DOCTOR) | SY_ROLE_BIT(SY_ROLE_LAB));
    const json_t *roles = json_object_get(root, "roles_needed");
    assert_int_equal(json_array_size(roles), 2);
    assert_string_equal(json_string_value(json_array_get(roles, 0)), "doctor");
    assert_string_equal(json_string_value(json_array_get(roles, 1)), "lab");
    json_decref(root);
    root = render_refusal(SY_E_CRED_WINDOW, 12);
    assert_number(root, "detail", 12);
    json_decref(root);
}

CASE(header_certificate_batch_and_proposal_render)
{
    struct sy_hash hash;
    struct sy_batch batch;
    sy_header_hash(&hash, &block.genesis.hash, &block.header);
    begin();
    sy_header_to_json(&writer, &block.header, &hash);
    json_t *root = parse();
    assert_hex(root, "hash", hash.bytes, 32);
    assert_number(root, "height", 9);
    assert_number(root, "time_ms", block.header.time_ms);
    assert_hex(root, "state_root", block.header.state_root.bytes, 32);
    assert_hex(root, "next_roster", block.header.next_roster.bytes, 32);
    json_decref(root);

    begin();
    sy_header_to_json(&writer, &block.header, NULL);
    root = parse();
    assert_null(json_object_get(root, "hash"));
    json_decref(root);

    begin();
    sy_certificate_to_json(&writer, &block.certificate, &block.genesis.roster);
    root = parse();
    assert_int_equal(json_array_size(root), 3);
    assert_text(json_array_get(root, 2), "name", "validator 2");
    assert_hex(json_array_get(root, 2), "signature", block.certificate.seals[2].signature.bytes,
               64);
    json_decref(root);

    begin();
    sy_certificate_to_json(&writer, &block.certificate, NULL);
    root = parse();
    assert_null(json_object_get(json_array_get(root, 0), "name"));
    json_decref(root);

    assert_true(sy_batch_decode(&batch, block.batches[0]));
    begin();
    sy_batch_header_to_json(&writer, &batch.header);
    root = parse();
    assert_hex(root, "maker", batch.header.maker.bytes, 32);
    assert_number(root, "count", 3);
    json_decref(root);

    begin();
    sy_proposal_to_json(&writer, &block.proposal);
    root = parse();
    assert_number(root, "slot", 9);
    assert_number(json_array_get(json_object_get(root, "entries"), 1), "maker", 1);
    json_decref(root);
}

CASE(genesis_renders_every_member)
{
    begin();
    sy_genesis_to_json(&writer, &block.genesis);
    json_t *root = parse();
    assert_number(root, "format", SY_GENESIS_FORMAT);
    assert_number(root, "created_ms", TEST_GENESIS_MS);
    assert_number(root, "protocol", SY_PROTOCOL_VERSION);
    const json_t *params = json_object_get(root, "params");
    assert_number(params, "regulators_needed", 2);
    assert_number(params, "credential_ms_max", block.genesis.params.credential_ms_max);
    assert_number(params, "record_bytes_max", 1 << 30);
    const json_t *roster = json_object_get(root, "roster");
    assert_int_equal(json_array_size(roster), 4);
    const json_t *second = json_array_get(roster, 1);
    const struct sy_validator *validator = &block.genesis.roster.validators[1];
    assert_text(second, "name", "validator 1");
    assert_hex(second, "organisation", validator->organisation.bytes, 32);
    assert_hex(second, "consensus_key", validator->consensus_key.bytes, 32);
    assert_hex(second, "link_key", validator->link_key.bytes, 32);
    assert_hex(second, "admin_key", validator->admin_key.bytes, 32);
    assert_text(second, "control_address", "tcp://127.0.0.1:27110");
    assert_text(second, "bulk_address", "tcp://127.0.0.1:27111");
    assert_text(second, "client_address", "tcp://127.0.0.1:27112");
    assert_int_equal(json_array_size(json_object_get(root, "regulators")), 2);
    json_decref(root);

    begin();
    sy_roster_to_json(&writer, &block.genesis.roster);
    root = parse();
    assert_number(root, "epoch", 0);
    assert_int_equal(json_array_size(json_object_get(root, "validators")), 4);
    json_decref(root);
}

CASE(proofs_render_what_they_show)
{
    static struct sy_proof proof;
    test_block_prove_receipt(&proof, &block, 4, true);
    begin();
    sy_proof_to_json(&writer, &proof, &block.genesis);
    json_t *root = parse();
    assert_text(root, "kind", "receipt");
    assert_number(json_object_get(root, "header"), "height", 9);
    assert_number(json_object_get(root, "receipt"), "index", 4);
    assert_text(json_object_get(root, "tx"), "kind", "record.create");
    assert_int_equal(json_array_size(json_object_get(root, "certificate")), 3);
    json_decref(root);

    test_block_prove_state(&proof, &block, &block.state[0].key_hash);
    begin();
    sy_proof_to_json(&writer, &proof, &block.genesis);
    root = parse();
    const json_t *state_member = json_object_get(root, "state");
    assert_hex(state_member, "key_hash", block.state[0].key_hash.bytes, 32);
    assert_true(json_is_true(json_object_get(state_member, "present")));
    assert_hex(state_member, "value", block.state[0].value.data, block.state[0].value.size);
    json_decref(root);
}

/* --- the table in words -------------------------------------------------------------------- */

static char text_room[SY_CATALOGUE_BYTES_MAX];

// The text of everything between begin_text and here.
static const char *end_text(struct sy_writer *w)
{
    sy_write_u8(w, 0);
    assert_false(w->failed);
    return (const char *)w->data;
}

static const char *rule_of(const char *kind, const char *field)
{
    struct sy_writer w = sy_writer_of(text_room, sizeof text_room);
    sy_field_rule(&w, sy_kind_field(sy_kind_by_name(kind), field));
    return end_text(&w);
}

CASE(rules_read_as_a_person_says_them)
{
    assert_string_equal(rule_of("record.create", "record_id"), "id");
    assert_string_equal(rule_of("record.create", "size"), "u64, 1 to 1099511627776");
    assert_string_equal(rule_of("record.create", "class"), "text, 1 to 32 bytes");
    assert_string_equal(rule_of("record.create", "encounter"), "optional id");
    assert_string_equal(rule_of("record.create", "sens_tag"), "optional tag");
    assert_string_equal(rule_of("record.create", "parents"), "id list, at most 8");
    assert_string_equal(rule_of("record.create", "patient_reported"), "bool");
    assert_string_equal(rule_of("record.create", "form"), "enum: raw (1), lexeme preserving (2)");
    assert_string_equal(rule_of("cred.issue", "specialty"), "text, at most 32 bytes");
    assert_string_equal(rule_of("cred.issue", "not_after"), "time, ms since 1970");
    assert_string_equal(rule_of("cred.issue", "subject_possession"),
                        "possession by the key before it, for the role given in `role`");
    assert_string_equal(rule_of("patient.claim", "wallet_possession"),
                        "possession by the key before it, for the role patient");
    assert_string_equal(rule_of("org.register", "gs1_prefixes"),
                        "text list, at most 16 of 6 to 12 digits");
    assert_string_equal(rule_of("atomic", "payloads"), "payload list, 1 to 4096");
}

CASE(explanations_name_every_field_and_who_signs)
{
    const struct sy_kind *kind;
    for (unsigned i = 0; (kind = sy_kind_at(i)) != NULL; i++) {
        struct sy_writer w = sy_writer_of(text_room, sizeof text_room);
        sy_kind_explain(&w, kind);
        const char *text = end_text(&w);
        assert_non_null(strstr(text, kind->name));
        assert_non_null(strstr(text, kind->doc));
        assert_non_null(strstr(text, kind->signers));
        for (unsigned k = 0; k < kind->field_count; k++) {
            assert_non_null(strstr(text, kind->fields[k].name));
            assert_non_null(strstr(text, kind->fields[k].doc));
        }
        for (unsigned role = 1; role < SY_ROLE_COUNT; role++) {
            if (kind->roles & SY_ROLE_BIT(role)) assert_non_null(strstr(text, sy_role_name(role)));
        }
    }
}

CASE(refusals_are_explained_with_their_standing)
{
    struct sy_writer w = sy_writer_of(text_room, sizeof text_room);
    sy_refusal_explain(&w, SY_E_REPLAY);
    const char *text = end_text(&w);
    assert_non_null(strstr(text, "E_REPLAY (code 34)"));
    assert_non_null(strstr(text, "another copy may still be applied"));
    w = sy_writer_of(text_room, sizeof text_room);
    sy_refusal_explain(&w, SY_E_SIZE);
    assert_non_null(strstr(end_text(&w), "nothing was ordered"));
    w = sy_writer_of(text_room, sizeof text_room);
    sy_refusal_explain(&w, SY_E_STALE_HEAD);
    assert_non_null(strstr(end_text(&w), "decided"));
}

CASE(texts_say_when_their_room_ends)
{
    char small[100];
    struct sy_writer w = sy_writer_of(small, sizeof small);
    sy_kind_explain(&w, sy_kind_at(0));
    assert_true(w.failed);
    w = sy_writer_of(small, sizeof small);
    sy_schema_write_markdown(&w);
    assert_true(w.failed);
}

CASE(catalogue_names_every_kind_refusal_and_event)
{
    struct sy_writer w = sy_writer_of(text_room, sizeof text_room);
    sy_schema_write_markdown(&w);
    const char *text = end_text(&w);
    const struct sy_kind *kind;
    const struct sy_refusal_info *info;
    for (unsigned i = 0; (kind = sy_kind_at(i)) != NULL; i++) {
        assert_non_null(strstr(text, kind->name));
    }
    for (unsigned i = 0; (info = sy_refusal_at(i)) != NULL; i++) {
        assert_non_null(strstr(text, info->name));
        assert_non_null(strstr(text, info->remedy));
    }
    for (uint16_t event = SY_EVENT_ORG_ADDED; event < SY_EVENT_KIND_COUNT; event++) {
        if (strcmp(sy_event_name(event), "unknown") == 0) continue;
        assert_non_null(strstr(text, sy_event_name(event)));
    }
}

CASE(evidence_is_rendered_with_names)
{
    for (uint8_t type = SY_MESSAGE_PRE_PREPARE; type <= SY_MESSAGE_SEAL; type++) {
        bool seal = type == SY_MESSAGE_SEAL;
        struct sy_evidence evidence;
        test_evidence(&evidence, &block.genesis, type, 2, seal ? 0 : 6, 77);
        begin();
        sy_evidence_to_json(&writer, &evidence, &block.genesis);
        json_t *root = parse();
        assert_hex(root, "network", sy_network_tag(&block.genesis), SY_NETWORK_TAG_BYTES);
        assert_text(root, "phase", sy_evidence_phase(type));
        assert_number(root, "epoch", 0);
        assert_number(root, "signer", 2);
        assert_text(root, "name", block.genesis.roster.validators[2].name);
        assert_hex(root, "key", &block.genesis.roster.validators[2].consensus_key, 32);
        assert_number(root, seal ? "height" : "slot", 77);
        assert_null(json_object_get(root, seal ? "view" : "height"));
        if (!seal) assert_number(root, "view", 6);
        const json_t *statements = json_object_get(root, "statements");
        assert_int_equal(json_array_size(statements), 2);
        for (unsigned i = 0; i < 2; i++) {
            const json_t *statement = json_array_get(statements, i);
            assert_hex(statement, "digest", &evidence.statements[i].digest, 32);
            assert_hex(statement, "signature", &evidence.statements[i].signature, 64);
        }
        json_decref(root);
    }
}

CASE(evidence_against_a_stranger_is_rendered_without_a_name)
{
    struct sy_evidence evidence;
    test_evidence(&evidence, &block.genesis, SY_MESSAGE_COMMIT, 5, 0, 1);
    begin();
    sy_evidence_to_json(&writer, &evidence, &block.genesis);
    json_t *root = parse();
    assert_number(root, "signer", 5);
    assert_null(json_object_get(root, "name"));
    assert_null(json_object_get(root, "key"));
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(payloads_of_every_kind_render_field_by_field),
        cmocka_unit_test(parts_of_an_atomic_render_with_kind_and_signer),
        cmocka_unit_test(numbers_without_words_are_shown_as_numbers),
        cmocka_unit_test(part_of_an_unknown_kind_is_shown_as_bytes),
        cmocka_unit_test(tx_renders_envelope_payload_and_signatures),
        cmocka_unit_test(applied_receipt_shows_keys_and_events),
        cmocka_unit_test(refused_receipt_says_why_where_and_what_to_do),
        cmocka_unit_test(details_have_the_names_that_the_code_gives_them),
        cmocka_unit_test(header_certificate_batch_and_proposal_render),
        cmocka_unit_test(genesis_renders_every_member),
        cmocka_unit_test(proofs_render_what_they_show),
        cmocka_unit_test(rules_read_as_a_person_says_them),
        cmocka_unit_test(explanations_name_every_field_and_who_signs),
        cmocka_unit_test(refusals_are_explained_with_their_standing),
        cmocka_unit_test(texts_say_when_their_room_ends),
        cmocka_unit_test(catalogue_names_every_kind_refusal_and_event),
        cmocka_unit_test(evidence_is_rendered_with_names),
        cmocka_unit_test(evidence_against_a_stranger_is_rendered_without_a_name),
    };
    return cmocka_run_group_tests(cases, prepare, NULL);
}
