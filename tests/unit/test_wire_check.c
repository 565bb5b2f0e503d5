/* test_wire_check.c: the rules of fields: what execution refuses with E_SCHEMA and a path. */
#include "tests/support/test.h"

#include <string.h>

#include "tests/support/network.h"

static uint8_t room[65536];
static struct sy_writer list_room;
static union sy_payload payload;

// A payload that keeps every rule, the same each time, with every optional field present or not.
static const struct sy_kind *begin(const char *name)
{
    const struct sy_kind *kind = sy_kind_by_name(name);
    sy_prng prng;
    assert_non_null(kind);
    sy_prng_seed(&prng, 3);
    list_room = sy_writer_of(room, sizeof room);
    test_payload(&payload, kind, &list_room, &prng);
    assert_true(sy_payload_check(kind, &payload, NULL));
    return kind;
}

static void assert_breaks(const struct sy_kind *kind, const char *expected)
{
    struct sy_path path = {"untouched"};
    assert_false(sy_payload_check(kind, &payload, &path));
    assert_string_equal(path.text, expected);
    assert_false(sy_payload_check(kind, &payload, NULL)); // the path is not needed to say no
}

static void assert_keeps(const struct sy_kind *kind)
{
    struct sy_path path = {""};
    if (!sy_payload_check(kind, &payload, &path)) fail_msg("%s breaks its rule", path.text);
}

CASE(numbers_lie_within_their_bounds)
{
    const struct sy_kind *kind = begin("record.create");
    payload.record_create.size = 0;
    assert_breaks(kind, "size");
    payload.record_create.size = 1;
    assert_keeps(kind);
    payload.record_create.size = SY_RECORD_BYTES_MAX;
    assert_keeps(kind);
    payload.record_create.size = SY_RECORD_BYTES_MAX + 1;
    assert_breaks(kind, "size");

    kind = begin("record.amend");
    payload.record_amend.prev_version = 0;
    assert_breaks(kind, "prev_version");
    payload.record_amend.prev_version = UINT32_MAX;
    assert_keeps(kind);

    kind = begin("patient.enrol");
    payload.patient_enrol.guardian_needed = 17;
    assert_breaks(kind, "guardian_needed");
    payload.patient_enrol.guardian_needed = 16;
    assert_keeps(kind);
}

CASE(times_lie_between_1970_and_9999)
{
    const struct sy_kind *kind = begin("cred.issue");
    payload.cred_issue.not_before = -1;
    assert_breaks(kind, "not_before");
    payload.cred_issue.not_before = 0;
    payload.cred_issue.not_after = SY_TIME_MS_MAX;
    assert_keeps(kind);
    payload.cred_issue.not_after = SY_TIME_MS_MAX + 1;
    assert_breaks(kind, "not_after");
    payload.cred_issue.not_after = INT64_MIN;
    assert_breaks(kind, "not_after");
}

// Which of two times is later is a contract's question, not a field's.
CASE(relations_between_fields_are_not_rules_of_fields)
{
    const struct sy_kind *kind = begin("cred.issue");
    payload.cred_issue.not_before = 2000;
    payload.cred_issue.not_after = 1000;
    assert_keeps(kind);
}

CASE(enum_numbers_are_known_ones)
{
    const struct sy_kind *kind = begin("cred.issue");
    payload.cred_issue.role = 0;
    assert_breaks(kind, "role");
    payload.cred_issue.role = SY_ROLE_COUNT;
    assert_breaks(kind, "role");
    payload.cred_issue.role = 256 + SY_ROLE_DOCTOR; // whose low byte is a role
    assert_breaks(kind, "role");

    kind = begin("care.open");
    payload.care_open.reason = SY_CARE_AGREED; // 0 is a reason here
    assert_keeps(kind);
    payload.care_open.reason = 99;
    assert_breaks(kind, "reason");
}

CASE(ids_are_not_zero)
{
    const struct sy_kind *kind = begin("record.create");
    memset(&payload.record_create.record_id, 0, 32);
    assert_breaks(kind, "record_id");

    kind = begin("record.create");
    payload.record_create.has_encounter = true;
    memset(&payload.record_create.encounter, 0, 32);
    assert_breaks(kind, "encounter");
    payload.record_create.has_encounter = false;
    assert_keeps(kind); // an absent field has no rule
}

CASE(text_has_its_least_length)
{
    const struct sy_kind *kind = begin("record.create");
    payload.record_create.class = sy_slice_of("", 0);
    assert_breaks(kind, "class");
    payload.record_create.class = sy_slice_of("X", 1);
    assert_keeps(kind);

    kind = begin("cred.issue");
    payload.cred_issue.specialty = sy_slice_of("", 0);
    assert_keeps(kind); // no specialty is allowed
}

CASE(text_is_printable)
{
    const struct sy_kind *kind = begin("record.create");
    payload.record_create.class = sy_slice_of("Obser\nvation", 12);
    assert_breaks(kind, "class");
    payload.record_create.class = sy_slice_of("B\xC3\xBC"
                                              "cher",
                                              7);
    assert_keeps(kind);
    payload.record_create.class = sy_slice_of("B\xC3", 2);
    assert_breaks(kind, "class");
}

static void set_prefixes(const char *const *texts, unsigned count)
{
    memset(&payload.org_register.gs1_prefixes, 0, sizeof payload.org_register.gs1_prefixes);
    for (unsigned i = 0; i < count; i++) {
        sy_list_add_text(&payload.org_register.gs1_prefixes, &list_room,
                         sy_slice_of(texts[i], strlen(texts[i])));
    }
}

CASE(paths_name_the_item_of_a_list)
{
    static const char *const letters[] = {"123456", "1234567", "12345a"};
    static const char *const shorts[] = {"123456", "12345"};
    static const char *const longs[] = {"1234567890123"};
    static const char *const twice[] = {"123456", "654321", "123456"};
    static const char *const fine[] = {"123456", "123456789012"};
    const struct sy_kind *kind = begin("org.register");
    set_prefixes(letters, 3);
    assert_breaks(kind, "gs1_prefixes[2]");
    set_prefixes(shorts, 2);
    assert_breaks(kind, "gs1_prefixes[1]");
    set_prefixes(longs, 1);
    assert_breaks(kind, "gs1_prefixes[0]");
    set_prefixes(twice, 3);
    assert_breaks(kind, "gs1_prefixes[2]");
    set_prefixes(fine, 2);
    assert_keeps(kind);
    set_prefixes(NULL, 0);
    assert_keeps(kind);
}

CASE(digits_are_ascii_digits)
{
    // ARABIC-INDIC DIGIT ONE is a digit to Unicode, three times over, and not to GS1.
    static const char *const arabic[] = {"\xD9\xA1\xD9\xA1\xD9\xA1"};
    const struct sy_kind *kind = begin("org.register");
    set_prefixes(arabic, 1);
    assert_breaks(kind, "gs1_prefixes[0]");
}

CASE(ids_of_a_list_differ_and_are_not_zero)
{
    static const struct sy_hash zero;
    const struct sy_kind *kind = begin("record.create");
    struct sy_list *parents = &payload.record_create.parents;
    struct sy_hash a = test_hash(1);
    struct sy_hash b = test_hash(2);
    memset(parents, 0, sizeof *parents);
    sy_list_add_id(parents, &list_room, &a);
    sy_list_add_id(parents, &list_room, &b);
    assert_keeps(kind);
    sy_list_add_id(parents, &list_room, &a);
    assert_breaks(kind, "parents[2]");

    memset(parents, 0, sizeof *parents);
    sy_list_add_id(parents, &list_room, &a);
    sy_list_add_id(parents, &list_room, &zero);
    assert_breaks(kind, "parents[1]");
}

CASE(lists_hold_no_more_than_they_may)
{
    const struct sy_kind *kind = begin("record.create");
    struct sy_list *parents = &payload.record_create.parents;
    memset(parents, 0, sizeof *parents);
    for (unsigned i = 0; i < 9; i++) {
        struct sy_hash id = test_hash(i);
        sy_list_add_id(parents, &list_room, &id);
        if (i < 8) assert_keeps(kind);
    }
    assert_breaks(kind, "parents");
}

CASE(first_broken_rule_in_order_of_fields_is_named)
{
    const struct sy_kind *kind = begin("org.suspend");
    payload.org_suspend.from = -5;
    payload.org_suspend.reason = 0;
    assert_breaks(kind, "reason");
    memset(&payload.org_suspend.org_id, 0, 32);
    assert_breaks(kind, "org_id");
}

// Every field that is an id, of every kind.
CASE(zero_id_is_refused_wherever_one_stands)
{
    const struct sy_kind *kind;
    for (unsigned i = 0; (kind = sy_kind_at(i)) != NULL; i++) {
        for (unsigned k = 0; k < kind->field_count; k++) {
            const struct sy_field *field = &kind->fields[k];
            if (field->type != SY_FIELD_ID) continue;
            (void)begin(kind->name);
            sy_field_set_present(field, &payload, true);
            memset(sy_field_of_mutable(field, &payload), 0, 32);
            assert_breaks(kind, field->name);
        }
    }
}

CASE(unknown_number_is_refused_wherever_an_enum_stands)
{
    const struct sy_kind *kind;
    for (unsigned i = 0; (kind = sy_kind_at(i)) != NULL; i++) {
        for (unsigned k = 0; k < kind->field_count; k++) {
            const struct sy_field *field = &kind->fields[k];
            if (field->type != SY_FIELD_ENUM) continue;
            (void)begin(kind->name);
            sy_field_set_present(field, &payload, true);
            *(uint16_t *)sy_field_of_mutable(field, &payload) = 4000;
            assert_breaks(kind, field->name);
        }
    }
}

/* --- atomic -------------------------------------------------------------------------------- */

static void add_retract(uint16_t reason)
{
    uint8_t bytes[64];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    union sy_payload inner = {0};
    inner.record_retract.record_id = test_hash(9);
    inner.record_retract.reason = reason;
    sy_payload_encode(&w, sy_kind_by_name("record.retract"), &inner);
    struct sy_part part = {SY_KIND_record_retract, 0, sy_writer_slice(&w)};
    sy_list_add_part(&payload.atomic.payloads, &list_room, &part);
}

CASE(parts_keep_the_rules_of_their_kinds)
{
    const struct sy_kind *kind = begin("atomic");
    memset(&payload, 0, sizeof payload);
    assert_breaks(kind, "payloads"); // none at all
    add_retract(SY_RETRACT_ERROR);
    add_retract(SY_RETRACT_LEGAL);
    assert_keeps(kind);
    add_retract(77);
    assert_breaks(kind, "payloads[2].reason");
}

CASE(parts_whose_form_is_broken_are_named)
{
    const struct sy_kind *kind = begin("atomic");
    struct sy_part part = {SY_KIND_record_retract, 0, sy_slice_of("short", 5)};
    memset(&payload, 0, sizeof payload);
    add_retract(SY_RETRACT_ERROR);
    sy_list_add_part(&payload.atomic.payloads, &list_room, &part);
    assert_breaks(kind, "payloads[1].payload");

    memset(&payload, 0, sizeof payload);
    part.kind = 9999;
    sy_list_add_part(&payload.atomic.payloads, &list_room, &part);
    assert_breaks(kind, "payloads[0].kind");
}

CASE(longest_path_fits_a_receipt)
{
    const struct sy_kind *kind;
    for (unsigned i = 0; (kind = sy_kind_at(i)) != NULL; i++) {
        for (unsigned k = 0; k < kind->field_count; k++) {
            size_t size =
                strlen("payloads[4095].") + strlen(kind->fields[k].name) + strlen("[127]");
            assert_true(size < SY_PATH_BYTES_MAX);
            assert_true(size <= SY_RECEIPT_PATH_BYTES_MAX);
        }
    }
}

/* --- UTF-8 --------------------------------------------------------------------------------- */

static bool printable(const char *bytes)
{
    return sy_text_is_printable(sy_slice_of(bytes, strlen(bytes)));
}

CASE(utf8_is_well_formed)
{
    assert_true(printable(""));
    assert_true(printable("plain ASCII ~"));
    assert_true(printable("\xC2\xA0"));         // U+00A0, the first beyond C1
    assert_true(printable("\xDF\xBF"));         // U+07FF
    assert_true(printable("\xE0\xA0\x80"));     // U+0800
    assert_true(printable("\xED\x9F\xBF"));     // U+D7FF
    assert_true(printable("\xEE\x80\x80"));     // U+E000
    assert_true(printable("\xF0\x90\x80\x80")); // U+10000
    assert_true(printable("\xF4\x8F\xBF\xBF")); // U+10FFFF
    assert_false(printable("\x80"));            // a continuation alone
    assert_false(printable("\xC3"));            // cut
    assert_false(printable("\xE2\x82"));        // cut
    assert_false(printable("\xF0\x90\x80"));    // cut
    assert_false(printable("\xC3"
                           "A"));                // no continuation
    assert_false(printable("\xC0\xAF"));         // overlong /
    assert_false(printable("\xC1\xBF"));         // overlong
    assert_false(printable("\xE0\x9F\xBF"));     // overlong
    assert_false(printable("\xF0\x8F\xBF\xBF")); // overlong
    assert_false(printable("\xED\xA0\x80"));     // a surrogate
    assert_false(printable("\xED\xBF\xBF"));     // a surrogate
    assert_false(printable("\xF4\x90\x80\x80")); // above U+10FFFF
    assert_false(printable("\xF5\x80\x80\x80"));
    assert_false(printable("\xFF"));
}

CASE(controls_and_marks_that_hide_are_refused)
{
    for (char c = 1; c < 0x20; c++) {
        char text[2] = {c, 0};
        assert_false(printable(text));
    }
    assert_false(sy_text_is_printable(sy_slice_of("a\0b", 3)));
    assert_false(printable("\x7F"));
    assert_false(printable("\xC2\x80"));     // C1
    assert_false(printable("\xC2\x9F"));     // C1
    assert_false(printable("\xD8\x9C"));     // U+061C
    assert_false(printable("\xE2\x80\x8E")); // U+200E
    assert_false(printable("\xE2\x80\x8F")); // U+200F
    assert_false(printable("\xE2\x80\xA8")); // U+2028
    assert_false(printable("\xE2\x80\xA9")); // U+2029
    assert_false(printable("\xE2\x80\xAA")); // U+202A
    assert_false(printable("\xE2\x80\xAE")); // U+202E
    assert_false(printable("\xE2\x81\xA6")); // U+2066
    assert_false(printable("\xE2\x81\xA9")); // U+2069
    assert_false(printable("\xEF\xBB\xBF")); // U+FEFF
    assert_true(printable("\xE2\x80\x8D"));  // U+200D joins letters in several scripts
    assert_true(printable("\xE2\x80\xA7"));  // U+2027
    assert_true(printable("\xE2\x80\xAF"));  // U+202F
    assert_true(printable("\xE2\x81\xAA"));  // U+206A
}

// Every code point, encoded by the definition, has the verdict of the list in schema.h.
CASE(every_code_point_has_its_verdict)
{
    for (uint32_t c = 1; c <= 0x10FFFF; c += c < 0x3000 ? 1 : 251) {
        char text[5] = {0};
        if (c < 0x80) {
            text[0] = (char)c;
        } else if (c < 0x800) {
            text[0] = (char)(0xC0 | c >> 6);
            text[1] = (char)(0x80 | (c & 0x3F));
        } else if (c < 0x10000) {
            text[0] = (char)(0xE0 | c >> 12);
            text[1] = (char)(0x80 | (c >> 6 & 0x3F));
            text[2] = (char)(0x80 | (c & 0x3F));
        } else {
            text[0] = (char)(0xF0 | c >> 18);
            text[1] = (char)(0x80 | (c >> 12 & 0x3F));
            text[2] = (char)(0x80 | (c >> 6 & 0x3F));
            text[3] = (char)(0x80 | (c & 0x3F));
        }
        bool hidden = c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x61C || c == 0x200E ||
                      c == 0x200F || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) ||
                      c == 0xFEFF || (c >= 0xD800 && c < 0xE000);
        if (printable(text) == hidden) fail_msg("U+%04X has the wrong verdict", (unsigned)c);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(numbers_lie_within_their_bounds),
        cmocka_unit_test(times_lie_between_1970_and_9999),
        cmocka_unit_test(relations_between_fields_are_not_rules_of_fields),
        cmocka_unit_test(enum_numbers_are_known_ones),
        cmocka_unit_test(ids_are_not_zero),
        cmocka_unit_test(text_has_its_least_length),
        cmocka_unit_test(text_is_printable),
        cmocka_unit_test(paths_name_the_item_of_a_list),
        cmocka_unit_test(digits_are_ascii_digits),
        cmocka_unit_test(ids_of_a_list_differ_and_are_not_zero),
        cmocka_unit_test(lists_hold_no_more_than_they_may),
        cmocka_unit_test(first_broken_rule_in_order_of_fields_is_named),
        cmocka_unit_test(zero_id_is_refused_wherever_one_stands),
        cmocka_unit_test(unknown_number_is_refused_wherever_an_enum_stands),
        cmocka_unit_test(parts_keep_the_rules_of_their_kinds),
        cmocka_unit_test(parts_whose_form_is_broken_are_named),
        cmocka_unit_test(longest_path_fits_a_receipt),
        cmocka_unit_test(utf8_is_well_formed),
        cmocka_unit_test(controls_and_marks_that_hide_are_refused),
        cmocka_unit_test(every_code_point_has_its_verdict),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
