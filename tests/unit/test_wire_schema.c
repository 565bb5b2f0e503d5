/* test_wire_schema.c: the table of kinds, its codec, and lists. */
#include "tests/support/test.h"

#include <string.h>

#include "tests/support/network.h"

static const struct sy_kind *kind_of(const char *name)
{
    const struct sy_kind *kind = sy_kind_by_name(name);
    assert_non_null(kind);
    return kind;
}

/* --- the table ----------------------------------------------------------------------------- */

CASE(kinds_are_found_by_number_name_and_place)
{
    const struct sy_kind *kind;
    unsigned count = 0;
    for (; (kind = sy_kind_at(count)) != NULL; count++) {
        assert_ptr_equal(sy_kind_by_number(kind->number), kind);
        assert_ptr_equal(sy_kind_by_name(kind->name), kind);
    }
    assert_int_equal(count, 113);
    assert_null(sy_kind_by_number(0));
    assert_null(sy_kind_by_number(UINT16_MAX));
    assert_null(sy_kind_by_name("record"));
    assert_null(sy_kind_by_name(""));
}

// Transactions outlive programs: these numbers may never change.
struct numbered {
    uint16_t number;
    const char *name;
};

static void check_numbers(const struct numbered *known, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct sy_kind *kind = sy_kind_by_number(known[i].number);
        assert_non_null(kind);
        assert_string_equal(kind->name, known[i].name);
    }
}

CASE(numbers_of_the_first_kinds_stand)
{
    static const struct numbered known[] = {
        {1, "org.register"},       {2, "org.suspend"},        {3, "org.reinstate"},
        {4, "cred.issue"},         {5, "cred.revoke"},        {6, "patient.enrol"},
        {7, "patient.claim"},      {8, "care.open"},          {9, "care.close"},
        {10, "validator.add"},     {11, "validator.remove"},  {12, "validator.rekey"},
        {13, "key.rotate"},        {14, "device.register"},   {15, "patient.link"},
        {16, "patient.merge"},     {17, "guardian.act"},      {18, "param.set"},
        {19, "schedule.publish"},  {20, "record.create"},     {21, "record.amend"},
        {22, "record.retract"},    {23, "consent.grant"},     {24, "consent.deny"},
        {25, "consent.revoke"},    {26, "consent.delegate"},  {27, "access.request"},
        {28, "access.log"},        {29, "access.breakglass"}, {30, "access.review"},
        {31, "record.contribute"}, {32, "record.merge"},      {33, "record.cosign"},
        {34, "record.erase"},      {35, "record.dup_report"}, {36, "notify.prefs"},
        {37, "notify.ack"},        {38, "notify.dispute"},    {39, "sub.create"},
        {40, "sub.cancel"},        {41, "export.request"},    {42, "export.fulfil"},
        {43, "custody.move"},      {44, "cert.issue"},        {45, "id.map"},
        {46, "validator.signer"},  {47, "param.enact"},       {60, "atomic"},
        {90, "product.register"},  {91, "unit.commission"},   {92, "unit.verify"},
        {93, "unit.aggregate"},    {94, "unit.disaggregate"}, {95, "custody.ship"},
        {96, "custody.receive"},   {97, "unit.decommission"}, {98, "unit.dispense"},
        {99, "unit.return"},       {100, "recall.issue"},     {101, "recall.notify"},
        {102, "recall.close"},     {103, "rx.issue"},         {104, "rx.dispense"},
        {105, "rx.cancel"},        {106, "rx.transfer"},
    };
    check_numbers(known, sizeof known / sizeof known[0]);
}

CASE(numbers_of_exceptions_stand)
{
    static const struct numbered known[] = {
        {107, "exception.report"}, {108, "exception.respond"}, {109, "event.correct"}};
    check_numbers(known, sizeof known / sizeof known[0]);
}

CASE(numbers_of_temperatures_stand)
{
    static const struct numbered known[] = {{110, "cond.commit"}, {111, "product.storage"}};
    check_numbers(known, sizeof known / sizeof known[0]);
}

CASE(numbers_of_streams_stand)
{
    static const struct numbered known[] = {{61, "stream.open"},
                                            {62, "stream.commit"},
                                            {63, "stream.alert"},
                                            {64, "stream.close"},
                                            {65, "device.firmware"}};
    check_numbers(known, sizeof known / sizeof known[0]);
}

CASE(numbers_of_trials_stand)
{
    static const struct numbered known[] = {
        {112, "trial.register"},   {113, "trial.amend"},    {114, "site.activate"},
        {115, "subject.consent"},  {116, "subject.enrol"},  {117, "subject.withdraw"},
        {118, "randomise.commit"}, {119, "randomise.salt"}, {120, "randomise.reveal"},
        {121, "data.commit"},      {122, "ae.report"},      {123, "db.lock"},
        {124, "unblind"},          {125, "result.post"},
    };
    check_numbers(known, sizeof known / sizeof known[0]);
}

CASE(numbers_of_research_stand)
{
    static const struct numbered known[] = {
        {48, "dataset.publish"}, {49, "dataset.update"},   {50, "dataset.withdraw"},
        {51, "query.propose"},   {52, "query.approve"},    {53, "query.deny"},
        {54, "query.result"},    {55, "contribute.optin"}, {56, "contribute.optout"},
    };
    check_numbers(known, sizeof known / sizeof known[0]);
}

CASE(numbers_of_claims_stand)
{
    static const struct numbered known[] = {
        {70, "plan.publish"},  {71, "coverage.add"}, {72, "coverage.end"},     {73, "auth.request"},
        {74, "auth.decide"},   {75, "claim.submit"}, {76, "claim.adjudicate"}, {77, "claim.pay"},
        {78, "claim.reverse"}, {79, "claim.appeal"}, {80, "claim.dispute"},    {81, "fraud.flag"},
        {82, "fraud.clear"},   {83, "settle.batch"}, {84, "schedule.rows"},
    };
    check_numbers(known, sizeof known / sizeof known[0]);
}

CASE(every_kind_and_field_is_described)
{
    const struct sy_kind *kind;
    for (unsigned i = 0; (kind = sy_kind_at(i)) != NULL; i++) {
        assert_true(strlen(kind->doc) > 10 && kind->doc[strlen(kind->doc) - 1] == '.');
        assert_true(strlen(kind->signers) > 5);
        assert_true(kind->roles != 0 || kind->number == SY_KIND_atomic);
        assert_true(kind->field_count > 0);
        for (unsigned k = 0; k < kind->field_count; k++) {
            assert_true(strlen(kind->fields[k].doc) > 2);
            assert_ptr_equal(sy_kind_field(kind, kind->fields[k].name), &kind->fields[k]);
        }
        assert_null(sy_kind_field(kind, "no_such_field"));
    }
}

CASE(every_row_has_what_its_type_needs)
{
    const struct sy_kind *kind;
    for (unsigned i = 0; (kind = sy_kind_at(i)) != NULL; i++) {
        for (unsigned k = 0; k < kind->field_count; k++) {
            const struct sy_field *field = &kind->fields[k];
            assert_true(field->type >= SY_FIELD_U8 && field->type < SY_FIELD_TYPE_COUNT);
            assert_true(field->offset < kind->struct_bytes);
            bool named = field->type == SY_FIELD_ENUM || field->type == SY_FIELD_SET;
            assert_int_equal(named, field->names != NULL);
            if (field->type == SY_FIELD_SET) {
                assert_int_not_equal(sy_set_known(field->names), 0); // and no number is too high
                assert_true(field->min <= field->names->count);
            }
            if (field->type == SY_FIELD_TEXT || field->type == SY_FIELD_TEXT_LIST) {
                assert_true(field->max > 0 && field->max <= SY_TEXT_BYTES_MAX);
                assert_true(field->min <= field->max);
            }
            if (field->type == SY_FIELD_ID_LIST || field->type == SY_FIELD_TEXT_LIST ||
                field->type == SY_FIELD_TAG_LIST || field->type == SY_FIELD_U32_LIST) {
                assert_true(field->items_max > 0 && field->items_max <= SY_LIST_ITEMS_MAX);
            }
            if (field->type == SY_FIELD_PAYLOAD_LIST) {
                assert_int_equal(kind->number, SY_KIND_atomic);
            }
            if (field->type == SY_FIELD_POSSESSION) {
                assert_true(k > 0 && kind->fields[k - 1].type == SY_FIELD_KEY);
                assert_int_equal(field->has_offset, SY_FIELD_REQUIRED);
                assert_true(field->role != 0 || sy_kind_field(kind, "role"));
            }
        }
    }
}

CASE(enums_have_unique_numbers_and_words)
{
    static const struct sy_enum *const enums[] = {
        &sy_enum_role,           &sy_enum_org_kind,
        &sy_enum_suspend_reason, &sy_enum_reinstate_reason,
        &sy_enum_revoke_reason,  &sy_enum_care_reason,
        &sy_enum_record_form,    &sy_enum_amend_reason,
        &sy_enum_retract_reason, &sy_enum_subject_kind,
        &sy_enum_grantee_kind,   &sy_enum_purpose,
        &sy_enum_action,         &sy_enum_break_reason,
        &sy_enum_review_outcome, &sy_enum_relation,
        &sy_enum_cosign_meaning, &sy_enum_erase_basis,
    };
    for (size_t e = 0; e < sizeof enums / sizeof enums[0]; e++) {
        for (unsigned i = 0; i < enums[e]->count; i++) {
            uint16_t number = UINT16_MAX;
            const char *word = enums[e]->values[i].word;
            assert_true(sy_enum_number(&number, enums[e], word, strlen(word)));
            assert_int_equal(number, enums[e]->values[i].number);
            assert_ptr_equal(sy_enum_word(enums[e], number), word);
        }
        assert_null(sy_enum_word(enums[e], 999));
        uint16_t untouched = 77;
        assert_false(sy_enum_number(&untouched, enums[e], "no such word", 12));
        assert_false(sy_enum_number(&untouched, enums[e], "", 0));
        assert_int_equal(untouched, 77);
    }
}

CASE(enum_words_are_read_by_their_size)
{
    uint16_t number;
    assert_true(sy_enum_number(&number, &sy_enum_role, "doctors", 6));
    assert_int_equal(number, SY_ROLE_DOCTOR);
    assert_false(sy_enum_number(&number, &sy_enum_role, "doctors", 7));
    assert_false(sy_enum_number(&number, &sy_enum_role, "doctor", 5));
}

CASE(roles_have_words)
{
    assert_null(sy_role_name(0));
    for (unsigned role = 1; role < SY_ROLE_COUNT; role++) assert_non_null(sy_role_name(role));
    assert_null(sy_role_name(SY_ROLE_COUNT));
    assert_null(sy_role_name(65536 + SY_ROLE_DOCTOR));
    assert_string_equal(sy_role_name(SY_ROLE_ORG_ADMIN), "organisation admin");
    assert_int_equal(SY_ROLE_COUNT, sy_enum_role.count + 1);
}

/* --- payloads ------------------------------------------------------------------------------ */

// What decoding gave equals what was encoded, field by field, lists and texts by their bytes.
static void assert_same(const struct sy_kind *kind, const union sy_payload *a,
                        const union sy_payload *b)
{
    static const size_t widths[SY_FIELD_TYPE_COUNT] = {
        [SY_FIELD_U8] = 1,    [SY_FIELD_U16] = 2,  [SY_FIELD_U32] = 4,         [SY_FIELD_U64] = 8,
        [SY_FIELD_TIME] = 8,  [SY_FIELD_BOOL] = 1, [SY_FIELD_ENUM] = 2,        [SY_FIELD_ID] = 32,
        [SY_FIELD_HASH] = 32, [SY_FIELD_KEY] = 32, [SY_FIELD_POSSESSION] = 64, [SY_FIELD_TAG] = 16,
        [SY_FIELD_SET] = 4,
    };
    for (unsigned i = 0; i < kind->field_count; i++) {
        const struct sy_field *field = &kind->fields[i];
        const void *x = sy_field_of(field, a);
        const void *y = sy_field_of(field, b);
        bool present = sy_field_present(kind, field, a);
        assert_int_equal(present, sy_field_present(kind, field, b));
        if (!present) continue;
        if (widths[field->type] > 0) {
            assert_memory_equal(x, y, widths[field->type]);
        } else if (field->type == SY_FIELD_TEXT || field->type == SY_FIELD_BYTES) {
            assert_true(sy_slice_equal(*(const struct sy_slice *)x, *(const struct sy_slice *)y));
        } else {
            const struct sy_list *list = (const struct sy_list *)x;
            const struct sy_list *other = (const struct sy_list *)y;
            assert_int_equal(list->count, other->count);
            assert_true(sy_slice_equal(list->items, other->items));
        }
    }
}

static struct sy_slice encode(struct sy_writer *w, const struct sy_kind *kind,
                              const union sy_payload *payload)
{
    sy_payload_encode(w, kind, payload);
    assert_false(w->failed);
    return sy_writer_slice(w);
}

CASE(random_payloads_of_every_kind_come_back)
{
    static uint8_t room[65536];
    static uint8_t bytes[65536];
    const struct sy_kind *kind;
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    for (unsigned round = 0; round < 60; round++) {
        for (unsigned i = 0; (kind = sy_kind_at(i)) != NULL; i++) {
            union sy_payload payload;
            union sy_payload back;
            struct sy_path path;
            const char *what = "";
            struct sy_writer list_room = sy_writer_of(room, sizeof room);
            struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
            test_payload(&payload, kind, &list_room, &prng);
            if (!sy_payload_check(kind, &payload, &path)) {
                fail_msg("%s: %s breaks its rule", kind->name, path.text);
            }
            struct sy_slice encoded = encode(&w, kind, &payload);
            if (!sy_payload_decode(&back, kind, encoded, &what)) {
                fail_msg("%s: %s is refused", kind->name, what);
            }
            assert_same(kind, &payload, &back);
            assert_true(sy_payload_check(kind, &back, NULL));
        }
    }
}

CASE(layout_of_a_payload_is_its_fields_in_order)
{
    uint8_t bytes[128];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    union sy_payload payload = {0};
    memset(payload.org_suspend.org_id.bytes, 0xAA, 32);
    payload.org_suspend.reason = SY_SUSPEND_FRAUD;
    payload.org_suspend.from = 258;
    struct sy_slice encoded = encode(&w, kind_of("org.suspend"), &payload);
    assert_int_equal(encoded.size, 32 + 2 + 8);
    assert_int_equal(encoded.data[31], 0xAA);
    assert_memory_equal(encoded.data + 32, "\x02\x00\x02\x01\x00\x00\x00\x00\x00\x00", 10);
}

CASE(optional_fields_cost_one_byte_when_absent)
{
    uint8_t bytes[512];
    union sy_payload payload = {0};
    const struct sy_kind *kind = kind_of("patient.enrol");
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    // id, flag, (no possession), needed, count of guardians, flag
    assert_int_equal(encode(&w, kind, &payload).size, 32 + 1 + 1 + 2 + 1);

    payload.patient_enrol.has_wallet_key = true;
    w = sy_writer_of(bytes, sizeof bytes);
    assert_int_equal(encode(&w, kind, &payload).size, 32 + 1 + 32 + 64 + 1 + 2 + 1);
    payload.patient_enrol.has_x25519_key = true;
    w = sy_writer_of(bytes, sizeof bytes);
    assert_int_equal(encode(&w, kind, &payload).size, 32 + 1 + 32 + 64 + 1 + 2 + 1 + 32);
}

CASE(possession_stands_exactly_when_its_key_does)
{
    union sy_payload payload = {0};
    const struct sy_kind *kind = kind_of("patient.enrol");
    const struct sy_field *key = sy_kind_field(kind, "wallet_key");
    const struct sy_field *possession = sy_kind_field(kind, "wallet_possession");
    assert_false(sy_field_present(kind, possession, &payload));
    sy_field_set_present(key, &payload, true);
    assert_true(sy_field_present(kind, key, &payload));
    assert_true(sy_field_present(kind, possession, &payload));
    sy_field_set_present(possession, &payload, false); // has no presence of its own
    assert_true(sy_field_present(kind, possession, &payload));
}

CASE(absent_fields_decode_to_zeros)
{
    uint8_t bytes[512];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    union sy_payload payload = {0};
    union sy_payload back;
    payload.patient_enrol.wallet_key = test_public(1); // not present, so not encoded
    struct sy_slice encoded = encode(&w, kind_of("patient.enrol"), &payload);
    memset(&back, 0xFF, sizeof back);
    assert_true(sy_payload_decode(&back, kind_of("patient.enrol"), encoded, NULL));
    assert_false(back.patient_enrol.has_wallet_key);
    for (int i = 0; i < 32; i++) assert_int_equal(back.patient_enrol.wallet_key.bytes[i], 0);
}

CASE(presence_and_truth_bytes_are_zero_or_one)
{
    uint8_t bytes[512];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    union sy_payload payload = {0};
    const char *what = NULL;
    struct sy_slice encoded = encode(&w, kind_of("patient.enrol"), &payload);
    bytes[32] = 2; // wallet_key's flag
    assert_false(sy_payload_decode(&payload, kind_of("patient.enrol"), encoded, &what));
    assert_string_equal(what, "wallet_key");

    w = sy_writer_of(bytes, sizeof bytes);
    memset(&payload, 0, sizeof payload);
    encoded = encode(&w, kind_of("record.amend"), &payload);
    bytes[encoded.size - 1] = 2; // branch
    assert_false(sy_payload_decode(&payload, kind_of("record.amend"), encoded, &what));
    assert_string_equal(what, "branch");
}

CASE(decoding_names_the_field_that_is_cut)
{
    uint8_t bytes[128];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    union sy_payload payload = {0};
    struct sy_slice encoded = encode(&w, kind_of("org.suspend"), &payload);
    static const char *const names[] = {"org_id", "reason", "from"};
    static const size_t ends[] = {32, 34, 42};
    for (size_t size = 0; size < encoded.size; size++) {
        const char *what = NULL;
        size_t field = 0;
        while (size >= ends[field]) field++;
        assert_false(
            sy_payload_decode(&payload, kind_of("org.suspend"), sy_slice_of(bytes, size), &what));
        assert_string_equal(what, names[field]);
    }
}

CASE(limits_of_lengths_are_form)
{
    static uint8_t room[65536];
    static uint8_t bytes[65536];
    union sy_payload payload = {0};
    const char *what = NULL;
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    static const char text[SY_CODE_BYTES_MAX + 1] = "abcdefghijklmnopqrstuvwxyzabcdefg";
    payload.record_create.class = sy_slice_of(text, SY_CODE_BYTES_MAX);
    struct sy_slice encoded = encode(&w, kind_of("record.create"), &payload);
    assert_true(sy_payload_decode(&payload, kind_of("record.create"), encoded, NULL));
    // The length byte of class says one more, and the bytes are there.
    bytes[32 + 2 + 32] = SY_CODE_BYTES_MAX + 1;
    assert_false(sy_payload_decode(&payload, kind_of("record.create"), encoded, &what));
    assert_string_equal(what, "class");

    payload.record_create.class = sy_slice_of(text, SY_CODE_BYTES_MAX + 1);
    w = sy_writer_of(bytes, sizeof bytes);
    sy_payload_encode(&w, kind_of("record.create"), &payload);
    assert_true(w.failed);

    // One parent more than the list may hold.
    memset(&payload, 0, sizeof payload);
    struct sy_writer list_room = sy_writer_of(room, sizeof room);
    for (unsigned i = 0; i < 9; i++) {
        struct sy_hash id = test_hash(i);
        sy_list_add_id(&payload.record_create.parents, &list_room, &id);
        w = sy_writer_of(bytes, sizeof bytes);
        sy_payload_encode(&w, kind_of("record.create"), &payload);
        assert_int_equal(w.failed, i >= 8);
    }
}

// A table of a test's own reaches the types that no kind uses yet.
struct odd {
    uint16_t number;
    struct sy_slice bytes;
};

CASE(types_without_a_kind_work_too)
{
    static const struct sy_field fields[] = {
        {.name = "number",
         .type = SY_FIELD_U16,
         .offset = offsetof(struct odd, number),
         .has_offset = SY_FIELD_REQUIRED,
         .min = 5,
         .max = 6},
        {.name = "bytes",
         .type = SY_FIELD_BYTES,
         .offset = offsetof(struct odd, bytes),
         .has_offset = SY_FIELD_REQUIRED,
         .min = 2,
         .max = 3},
    };
    static const struct sy_kind kind = {.number = 9999,
                                        .name = "odd",
                                        .fields = fields,
                                        .field_count = 2,
                                        .struct_bytes = sizeof(struct odd)};
    union sy_payload payload = {0};
    union sy_payload back;
    uint8_t bytes[16];
    struct sy_path path;
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    struct odd odd = {6, {(const uint8_t *)"\x00\xFF", 2}};
    memcpy(&payload, &odd, sizeof odd);
    struct sy_slice encoded = encode(&w, &kind, &payload);
    assert_int_equal(encoded.size, 2 + 2 + 2);
    assert_true(sy_payload_decode(&back, &kind, encoded, NULL));
    assert_same(&kind, &payload, &back);
    assert_true(sy_payload_check(&kind, &back, &path));

    odd.number = 7;
    memcpy(&payload, &odd, sizeof odd);
    assert_false(sy_payload_check(&kind, &payload, &path));
    assert_string_equal(path.text, "number");
    odd.number = 5;
    odd.bytes.size = 1;
    memcpy(&payload, &odd, sizeof odd);
    assert_false(sy_payload_check(&kind, &payload, &path));
    assert_string_equal(path.text, "bytes");
}

struct odder {
    uint32_t purposes;
    struct sy_list labels;
    struct sy_list numbers;
};

static const struct sy_field odder_fields[] = {
    {.name = "purposes",
     .type = SY_FIELD_SET,
     .offset = offsetof(struct odder, purposes),
     .has_offset = SY_FIELD_REQUIRED,
     .min = 2,
     .names = &sy_enum_purpose},
    {.name = "labels",
     .type = SY_FIELD_TAG_LIST,
     .offset = offsetof(struct odder, labels),
     .has_offset = SY_FIELD_REQUIRED,
     .items_max = 3},
    {.name = "numbers",
     .type = SY_FIELD_U32_LIST,
     .offset = offsetof(struct odder, numbers),
     .has_offset = SY_FIELD_REQUIRED,
     .min = 1,
     .items_max = 3},
};
static const struct sy_kind odder_kind = {.number = 9998,
                                          .name = "odder",
                                          .fields = odder_fields,
                                          .field_count = 3,
                                          .struct_bytes = sizeof(struct odder)};

static bool odder_keeps_rules(uint32_t purposes, const char *tags, unsigned count,
                              const char *broken)
{
    uint8_t room[128];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct odder odder = {.purposes = purposes};
    union sy_payload payload = {0};
    struct sy_path path;
    for (unsigned i = 0; i < count; i++) {
        struct sy_tag tag;
        memset(tag.bytes, tags[i], sizeof tag.bytes);
        sy_list_add_tag(&odder.labels, &w, &tag);
    }
    sy_list_add_u32(&odder.numbers, &w, 7);
    memcpy(&payload, &odder, sizeof odder);
    if (sy_payload_check(&odder_kind, &payload, &path)) return true;
    assert_string_equal(path.text, broken);
    return false;
}

CASE(sets_hold_known_numbers_and_as_many_as_are_needed)
{
    uint32_t two = SY_SET_BIT(SY_PURPOSE_TREATMENT) | SY_SET_BIT(SY_PURPOSE_EMERGENCY);
    assert_int_equal(sy_set_known(&sy_enum_purpose), 0x1FE);
    assert_true(odder_keeps_rules(two, "", 0, ""));
    assert_true(odder_keeps_rules(0x1FE, "", 0, ""));
    assert_false(odder_keeps_rules(SY_SET_BIT(SY_PURPOSE_AUDIT), "", 0, "purposes"));
    assert_false(odder_keeps_rules(0, "", 0, "purposes"));
    assert_false(odder_keeps_rules(two | 1, "", 0, "purposes"));
    assert_false(odder_keeps_rules(two | SY_SET_BIT(SY_PURPOSE_EMERGENCY + 1), "", 0, "purposes"));
    assert_false(odder_keeps_rules(two | UINT32_C(1) << 31, "", 0, "purposes"));
}

CASE(tags_of_a_list_differ)
{
    uint32_t all = sy_set_known(&sy_enum_purpose);
    assert_true(odder_keeps_rules(all, "abc", 3, ""));
    assert_false(odder_keeps_rules(all, "aba", 3, "labels[2]"));
    assert_false(odder_keeps_rules(all, "abcd", 4, "labels"));
}

static void assert_numbers(const uint32_t *numbers, unsigned count, const char *broken)
{
    uint8_t room[64];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct odder odder = {.purposes = sy_set_known(&sy_enum_purpose)};
    union sy_payload payload = {0};
    struct sy_path path = {""};
    for (unsigned i = 0; i < count; i++) sy_list_add_u32(&odder.numbers, &w, numbers[i]);
    memcpy(&payload, &odder, sizeof odder);
    assert_int_equal(sy_payload_check(&odder_kind, &payload, &path), broken == NULL);
    if (broken) assert_string_equal(path.text, broken);
}

CASE(numbers_of_a_list_differ_and_are_as_many_as_are_needed)
{
    assert_numbers((const uint32_t[]){0, UINT32_MAX, 1}, 3, NULL);
    assert_numbers((const uint32_t[]){5}, 1, NULL);
    assert_numbers((const uint32_t[]){5, 6, 5}, 3, "numbers[2]");
    assert_numbers((const uint32_t[]){5, 6, 7, 8}, 4, "numbers");
    assert_numbers(NULL, 0, "numbers");
}

CASE(sets_and_tag_lists_come_back)
{
    uint8_t room[64];
    uint8_t bytes[64];
    struct sy_writer list_room = sy_writer_of(room, sizeof room);
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    struct odder odder = {.purposes = SY_SET_BIT(SY_PURPOSE_PAYMENT) | UINT32_C(1) << 31};
    union sy_payload payload = {0};
    union sy_payload back;
    struct sy_tag tag;
    size_t offset = 0;
    for (uint8_t i = 1; i <= 2; i++) {
        memset(tag.bytes, i, sizeof tag.bytes);
        sy_list_add_tag(&odder.labels, &list_room, &tag);
    }
    sy_list_add_u32(&odder.numbers, &list_room, 258);
    memcpy(&payload, &odder, sizeof odder);
    struct sy_slice encoded = encode(&w, &odder_kind, &payload);
    assert_int_equal(encoded.size, 4 + 2 + 2 * 16 + 2 + 4);
    assert_memory_equal(encoded.data + encoded.size - 6, "\x01\x00\x02\x01\x00\x00", 6);
    assert_memory_equal(encoded.data, "\x04\x00\x00\x80\x02\x00\x01\x01", 8);
    assert_true(sy_payload_decode(&back, &odder_kind, encoded, NULL)); // rules are not form
    assert_same(&odder_kind, &payload, &back);
    memcpy(&odder, &back, sizeof odder);
    assert_true(sy_list_next_tag(&odder.labels, &offset, &tag));
    assert_int_equal(tag.bytes[15], 1);
    assert_true(sy_list_next_tag(&odder.labels, &offset, &tag));
    assert_int_equal(tag.bytes[0], 2);
    assert_false(sy_list_next_tag(&odder.labels, &offset, &tag));
    uint32_t number;
    offset = 0;
    assert_true(sy_list_next_u32(&odder.numbers, &offset, &number));
    assert_int_equal(number, 258);
    assert_false(sy_list_next_u32(&odder.numbers, &offset, &number));
    // One byte of the number or of the last tag is missing; a count over the limit.
    const char *what = NULL;
    assert_false(
        sy_payload_decode(&back, &odder_kind, sy_slice_of(bytes, encoded.size - 1), &what));
    assert_string_equal(what, "numbers");
    assert_false(
        sy_payload_decode(&back, &odder_kind, sy_slice_of(bytes, encoded.size - 7), &what));
    assert_string_equal(what, "labels");
    bytes[4] = 4;
    assert_false(sy_payload_decode(&back, &odder_kind, encoded, &what));
    assert_string_equal(what, "labels");
}

/* --- lists --------------------------------------------------------------------------------- */

CASE(lists_give_back_their_items_in_order)
{
    uint8_t room[512];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_list ids = {0};
    struct sy_list texts = {0};
    struct sy_hash id;
    struct sy_slice text;
    size_t offset = 0;
    for (unsigned i = 0; i < 3; i++) {
        id = test_hash(i);
        sy_list_add_id(&ids, &w, &id);
    }
    sy_list_add_text(&texts, &w, sy_slice_of("one", 3));
    sy_list_add_text(&texts, &w, sy_slice_of("", 0));
    sy_list_add_text(&texts, &w, sy_slice_of("three", 5));
    assert_int_equal(ids.count, 3);
    assert_int_equal(texts.count, 3);

    for (unsigned i = 0; i < 3; i++) {
        struct sy_hash expected = test_hash(i);
        assert_true(sy_list_next_id(&ids, &offset, &id));
        assert_true(sy_hash_equal(&id, &expected));
    }
    assert_false(sy_list_next_id(&ids, &offset, &id));
    offset = 0;
    assert_true(sy_list_next_text(&texts, &offset, &text));
    assert_true(sy_slice_equal(text, sy_slice_of("one", 3)));
    assert_true(sy_list_next_text(&texts, &offset, &text));
    assert_int_equal(text.size, 0);
    assert_true(sy_list_next_text(&texts, &offset, &text));
    assert_true(sy_slice_equal(text, sy_slice_of("three", 5)));
    assert_false(sy_list_next_text(&texts, &offset, &text));
    assert_false(sy_list_next_text(&texts, &offset, &text)); // and again
}

CASE(empty_lists_have_no_items)
{
    struct sy_list list = {0};
    struct sy_hash id;
    struct sy_slice text;
    struct sy_part part;
    size_t offset = 0;
    assert_false(sy_list_next_id(&list, &offset, &id));
    assert_false(sy_list_next_text(&list, &offset, &text));
    assert_false(sy_list_next_part(&list, &offset, &part));
    offset = 100; // beyond the end
    assert_false(sy_list_next_id(&list, &offset, &id));
}

CASE(lists_stop_growing_when_their_room_ends)
{
    uint8_t room[40];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_list list = {0};
    struct sy_hash id = test_hash(1);
    sy_list_add_id(&list, &w, &id);
    assert_int_equal(list.count, 1);
    sy_list_add_id(&list, &w, &id);
    assert_true(w.failed);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items.size, 32);
}

/* --- atomic -------------------------------------------------------------------------------- */

static struct sy_slice care_close_bytes(uint8_t room[64])
{
    struct sy_writer w = sy_writer_of(room, 64);
    union sy_payload payload = {0};
    payload.care_close.care_id = test_hash(5);
    return encode(&w, kind_of("care.close"), &payload);
}

CASE(parts_come_back_with_kind_signer_and_payload)
{
    uint8_t room[512];
    uint8_t inner[64];
    uint8_t bytes[512];
    struct sy_writer list_room = sy_writer_of(room, sizeof room);
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    union sy_payload payload = {0};
    union sy_payload back;
    struct sy_part part = {SY_KIND_care_close, 3, care_close_bytes(inner)};
    struct sy_part read;
    size_t offset = 0;
    sy_list_add_part(&payload.atomic.payloads, &list_room, &part);
    part.signer = 0;
    sy_list_add_part(&payload.atomic.payloads, &list_room, &part);
    struct sy_slice encoded = encode(&w, kind_of("atomic"), &payload);
    assert_int_equal(encoded.size, 2 + 2 * (2 + 1 + 4 + 32 + 1)); // it says no death
    assert_true(sy_payload_decode(&back, kind_of("atomic"), encoded, NULL));
    assert_true(sy_list_next_part(&back.atomic.payloads, &offset, &read));
    assert_int_equal(read.kind, SY_KIND_care_close);
    assert_int_equal(read.signer, 3);
    assert_true(sy_slice_equal(read.payload, part.payload));
    assert_true(sy_list_next_part(&back.atomic.payloads, &offset, &read));
    assert_int_equal(read.signer, 0);
    assert_false(sy_list_next_part(&back.atomic.payloads, &offset, &read));
}

static bool atomic_decodes(const struct sy_part *part, const char **what)
{
    uint8_t room[512];
    uint8_t bytes[512];
    struct sy_writer list_room = sy_writer_of(room, sizeof room);
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    union sy_payload payload = {0};
    union sy_payload back;
    sy_list_add_part(&payload.atomic.payloads, &list_room, part);
    return sy_payload_decode(&back, kind_of("atomic"), encode(&w, kind_of("atomic"), &payload),
                             what);
}

CASE(parts_are_of_known_kinds_and_good_form)
{
    uint8_t inner[64];
    const char *what = NULL;
    struct sy_part part = {SY_KIND_care_close, 0, care_close_bytes(inner)};
    assert_true(atomic_decodes(&part, &what));
    part.kind = 999;
    assert_false(atomic_decodes(&part, &what));
    assert_string_equal(what, "payloads.kind");
    part.kind = SY_KIND_care_close;
    part.payload.size--;
    assert_false(atomic_decodes(&part, &what));
    assert_string_equal(what, "died");
    part.payload.size += 2;
    assert_false(atomic_decodes(&part, &what));
    assert_string_equal(what, "trailing bytes");
}

CASE(atomic_holds_no_atomic)
{
    const char *what = NULL;
    struct sy_part part = {SY_KIND_atomic, 0, {(const uint8_t *)"\x00\x00", 2}};
    assert_false(atomic_decodes(&part, &what));
    assert_string_equal(what, "payloads.kind");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(kinds_are_found_by_number_name_and_place),
        cmocka_unit_test(numbers_of_the_first_kinds_stand),
        cmocka_unit_test(numbers_of_exceptions_stand),
        cmocka_unit_test(numbers_of_temperatures_stand),
        cmocka_unit_test(numbers_of_streams_stand),
        cmocka_unit_test(numbers_of_trials_stand),
        cmocka_unit_test(numbers_of_research_stand),
        cmocka_unit_test(numbers_of_claims_stand),
        cmocka_unit_test(every_kind_and_field_is_described),
        cmocka_unit_test(every_row_has_what_its_type_needs),
        cmocka_unit_test(enums_have_unique_numbers_and_words),
        cmocka_unit_test(enum_words_are_read_by_their_size),
        cmocka_unit_test(roles_have_words),
        cmocka_unit_test(random_payloads_of_every_kind_come_back),
        cmocka_unit_test(layout_of_a_payload_is_its_fields_in_order),
        cmocka_unit_test(optional_fields_cost_one_byte_when_absent),
        cmocka_unit_test(possession_stands_exactly_when_its_key_does),
        cmocka_unit_test(absent_fields_decode_to_zeros),
        cmocka_unit_test(presence_and_truth_bytes_are_zero_or_one),
        cmocka_unit_test(decoding_names_the_field_that_is_cut),
        cmocka_unit_test(limits_of_lengths_are_form),
        cmocka_unit_test(types_without_a_kind_work_too),
        cmocka_unit_test(sets_hold_known_numbers_and_as_many_as_are_needed),
        cmocka_unit_test(tags_of_a_list_differ),
        cmocka_unit_test(numbers_of_a_list_differ_and_are_as_many_as_are_needed),
        cmocka_unit_test(sets_and_tag_lists_come_back),
        cmocka_unit_test(lists_give_back_their_items_in_order),
        cmocka_unit_test(empty_lists_have_no_items),
        cmocka_unit_test(lists_stop_growing_when_their_room_ends),
        cmocka_unit_test(parts_come_back_with_kind_signer_and_payload),
        cmocka_unit_test(parts_are_of_known_kinds_and_good_form),
        cmocka_unit_test(atomic_holds_no_atomic),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
