/* HL7 version 2: segments and their parts, what of a message is wrong, and the published samples,
 * when they are there, counted by another reader.
 *
 * ctest: timeout=300 */
#include "core/client/hl7_check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/os.h"
#include "tests/support/data.h"
#include "tests/support/test.h"

#define MSH(type, control) \
    "MSH|^~\\&|LAB|HOSPITAL|EHR|CLINIC|20261130100000+0100||" type "|" control "|P|2.5.1\r"
#define PID "PID|1||4711^^^HOSPITAL^MR||DOE^JANE||19800229\r"
#define RESULT "OBR|1\rOBX|1|NM|2823-3^potassium^LN||4.1|mmol/L\r"

static struct sy_hl7_totals totals;
static struct sy_hl7_seen seen;
static struct sy_hl7_issue last;
static unsigned told;

static void keep(void *self, const struct sy_hl7_issue *issue)
{
    (void)self;
    last = *issue;
    told++;
}

static int fresh(void **state)
{
    struct sy_error err = {SY_OK, ""};
    (void)state;
    memset(&totals, 0, sizeof totals);
    told = 0;
    return sy_hl7_seen_open(&seen, &err) == SY_OK ? 0 : -1;
}

static int clean(void **state)
{
    (void)state;
    sy_hl7_seen_close(&seen);
    return 0;
}

static bool check(const char *text)
{
    return sy_hl7_check(&totals, &seen, sy_slice_of(text, strlen(text)), keep, NULL);
}

static void assert_good(const char *text)
{
    if (!check(text)) fail_msg("line %d, %s: %s", (int)last.line, last.field, last.text);
}

static void assert_issue(const char *text, enum sy_hl7_issue_kind kind, unsigned line,
                         const char *field)
{
    told = 0;
    if (check(text)) fail_msg("good: %s", text);
    if (last.kind != kind)
        fail_msg("%s, not %d: %s", sy_hl7_issue_word((uint8_t)last.kind), kind, last.text);
    assert_int_equal(told, 1);
    assert_int_equal(last.line, line);
    assert_string_equal(last.field, field);
}

static bool is(struct sy_slice slice, const char *text)
{
    return slice.size == strlen(text) && memcmp(slice.data, text, slice.size) == 0;
}

// --- segments ----------------------------------------------------------------------------------

CASE(a_segment_falls_into_its_parts)
{
    static const char text[] = "\xef\xbb\xbfMSH|^~\\&|LAB\r\n\n\rPID|1||a^b&c~d||e\n\x0bPV1\x1c\r";
    struct sy_hl7_reader reader = {.document = sy_slice_of(text, sizeof text - 1)};
    struct sy_hl7_segment segment;
    char why[SY_HL7_TEXT_BYTES];
    assert_int_equal(sy_hl7_next(&reader, &segment, why), SY_HL7_SEGMENT);
    assert_true(sy_hl7_is(&segment, "MSH") && segment.count == 3);
    assert_true(is(sy_hl7_field(&segment, 1), "|"));
    assert_true(is(sy_hl7_field(&segment, 2), "^~\\&"));
    assert_true(is(sy_hl7_field(&segment, 3), "LAB"));
    assert_int_equal(sy_hl7_next(&reader, &segment, why), SY_HL7_SEGMENT);
    assert_true(sy_hl7_is(&segment, "PID"));
    assert_int_equal(segment.line, 4);
    struct sy_slice first = sy_hl7_repetition(&reader, sy_hl7_field(&segment, 3), 1);
    assert_true(is(first, "a^b&c"));
    assert_true(is(sy_hl7_repetition(&reader, sy_hl7_field(&segment, 3), 2), "d"));
    struct sy_slice second = sy_hl7_component(&reader, first, 2);
    assert_true(is(second, "b&c"));
    assert_true(is(sy_hl7_subcomponent(&reader, second, 2), "c"));
    assert_null(sy_hl7_subcomponent(&reader, second, 3).data);
    assert_int_equal(sy_hl7_field(&segment, 4).size, 0);
    assert_true(is(sy_hl7_field(&segment, 5), "e"));
    assert_int_equal(sy_hl7_field(&segment, 6).size, 0);
    assert_int_equal(sy_hl7_next(&reader, &segment, why), SY_HL7_SEGMENT);
    assert_true(sy_hl7_is(&segment, "PV1"));
    assert_int_equal(sy_hl7_next(&reader, &segment, why), SY_HL7_END);
}

CASE(what_is_no_segment_is_passed_over)
{
    assert_issue(MSH("ADT^A01", "1") PID "and a note\r", SY_HL7_FRAMING, 3, "");
    assert_non_null(strstr(last.text, "\\.br\\"));
    assert_issue("PID|1\r" MSH("ADT^A01", "2") PID, SY_HL7_FRAMING, 1, "");
    assert_issue("MSH|^^\\&|\r", SY_HL7_FRAMING, 1, ""); // two separators are the same
    assert_issue("MSHa^~\\&a\r", SY_HL7_FRAMING, 1, "");
    assert_issue("MSH|\r", SY_HL7_FRAMING, 1, "");
    assert_issue(MSH("ADT^A01", "3") PID "PV1^1\r", SY_HL7_FRAMING, 3, "");
    assert_int_equal(totals.messages, 3);
}

CASE(bounds_are_kept)
{
    static char text[SY_HL7_SEGMENT_BYTES_MAX + 512];
    memset(text, '|', sizeof text - 1);
    int size = snprintf(text, sizeof text, "%s", MSH("ADT^A01", "1") PID);
    memcpy(text + size, "ZZZ", 3);
    text[size] = 'Z'; // over what snprintf ended
    text[(size_t)size + 3 + SY_HL7_FIELDS_MAX] = '\0';
    assert_good(text);
    text[(size_t)size + 3 + SY_HL7_FIELDS_MAX] = '|';
    text[(size_t)size + 4 + SY_HL7_FIELDS_MAX] = '\0';
    sy_table_clear(&seen.by_control);
    assert_issue(text, SY_HL7_FRAMING, 3, "");
    memset(text + size + 3, 'x', sizeof text - (size_t)size - 4);
    text[size + 3] = '|';
    sy_table_clear(&seen.by_control);
    assert_issue(text, SY_HL7_FRAMING, 3, "");
    assert_non_null(strstr(last.text, "1 MiB"));
}

/* As many repetitions as there may be: each is looked at once. */
CASE(a_field_of_many_repetitions_takes_one_walk)
{
    static char text[SY_HL7_SEGMENT_BYTES_MAX + 512];
    int size = snprintf(text, sizeof text, "%s", MSH("ORU^R01", "1") PID "OBR|1\rOBX|1|NM|a||1");
    for (size_t i = 0; i < SY_HL7_SEGMENT_BYTES_MAX / 2 - 16; i++) {
        text[(size_t)size++] = '~';
        text[(size_t)size++] = '1';
    }
    text[size] = '\0';
    assert_good(text);
    text[size - 1] = 'x';
    sy_table_clear(&seen.by_control);
    assert_issue(text, SY_HL7_NUMBER, 4, "OBX-5");
}

// --- messages ----------------------------------------------------------------------------------

CASE(a_message_that_holds_together)
{
    assert_good(MSH("ORU^R01^ORU_R01", "1") PID RESULT);
    assert_good(MSH("ADT^A40", "2") PID "MRG|4712\r" MSH("ACK", "3") "MSA|AA|2\r");
    assert_int_equal(totals.messages, 3);
    assert_int_equal(totals.type_count, 3);
    assert_string_equal(totals.types[0].type, "ORU^R01");
    assert_string_equal(totals.types[0].becomes, "record.create of an Observation");
    assert_string_equal(totals.types[1].becomes, "patient.merge");
    assert_int_equal(totals.with_issues, 0);
}

CASE(what_is_missing_is_told)
{
    assert_issue(MSH("ORU^R01", "1") PID "OBR|1\r", SY_HL7_SEGMENTS, 1, "");
    assert_non_null(strstr(last.text, "OBX"));
    assert_string_equal(last.type, "ORU^R01");
    assert_string_equal(last.control, "1");
    assert_issue(MSH("ADT^A40", "2") PID, SY_HL7_SEGMENTS, 1, "");
    assert_issue(MSH("VXU^V04", "3") PID, SY_HL7_SEGMENTS, 1, "");
    assert_issue(MSH("ADT^A01", "4") "PID|1||^^^HOSPITAL\r", SY_HL7_SUBJECT, 2, "PID-3");
    assert_issue(MSH("ADT", "5") PID, SY_HL7_HEADER, 1, "MSH-9");
    assert_issue(MSH("", "6") PID, SY_HL7_HEADER, 1, "MSH-9");
    assert_issue(MSH("ADT^A01", "") PID, SY_HL7_HEADER, 1, "MSH-10");
    assert_issue("MSH|^~\\&|A|B|C|D|2026||ADT^A01|7|P|3\r" PID, SY_HL7_HEADER, 1, "MSH-12");
    assert_int_equal(totals.with_issues, 8);
}

CASE(times_and_numbers_are_what_they_say)
{
    static const char *const good[] = {"2026",
                                       "202611",
                                       "20261130",
                                       "2026113010",
                                       "202611301000",
                                       "20261130100059",
                                       "20261130100059.1234-0500",
                                       "20240229",
                                       "2026+0100"};
    static const char *const bad[] = {"",
                                      "26",
                                      "20261",
                                      "20261301",
                                      "20260229",
                                      "2026113024",
                                      "202611301060",
                                      "20261130100059.",
                                      "20261130100059.12345",
                                      "20261130Z",
                                      "20261130+1",
                                      "2026-11-30",
                                      "20261130100000+1500"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!sy_hl7_time_good(sy_slice_of(good[i], strlen(good[i])))) fail_msg("%s", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (sy_hl7_time_good(sy_slice_of(bad[i], strlen(bad[i])))) fail_msg("%s", bad[i]);
    }
    assert_issue(MSH("ADT^A01", "1") "PID|1||4711||DOE||19800230\r", SY_HL7_TIME, 2, "PID-7");
    assert_issue(MSH("ORU^R01", "2") PID "OBR|1\rOBX|1|NM|a||4,1\r", SY_HL7_NUMBER, 4, "OBX-5");
    assert_issue(MSH("ORU^R01", "3") PID "OBR|1\rOBX|1|NM|a||4.1~x\r", SY_HL7_NUMBER, 4, "OBX-5");
    assert_issue(MSH("ORU^R01", "4") PID "OBR|1\rOBX|1||a||4.1\r", SY_HL7_NUMBER, 4, "OBX-2");
    assert_issue(MSH("ORU^R01", "5") PID "OBR|1\rOBX|1|DT|a||soon\r", SY_HL7_TIME, 4, "OBX-5");
    assert_good(MSH("ORU^R01", "6") PID "OBR|1\rOBX|1|NM|a||-.5~+7~3.\rOBX|2|ST|a||4,1\r");
}

CASE(escapes_end_and_are_known)
{
    assert_good(MSH("ADT^A01", "1") PID "NTE|1||a\\F\\b\\.br\\c\\X0d0A\\d\\Z1\\\\E\\\r");
    assert_issue(MSH("ADT^A01", "2") PID "NTE|1||50\\ of\r", SY_HL7_ESCAPE, 3, "NTE-3");
    assert_issue(MSH("ADT^A01", "3") PID "NTE|1||a\\Q\\b\r", SY_HL7_ESCAPE, 3, "NTE-3");
    assert_issue(MSH("ADT^A01", "4") PID "NTE|1||a\\X0\\b\r", SY_HL7_ESCAPE, 3, "NTE-3");
}

CASE(a_control_id_is_one_message)
{
    assert_good(MSH("ADT^A01", "1") PID);
    assert_good(MSH("ADT^A01", "1") PID);
    assert_int_equal(totals.repeated, 1);
    assert_issue(MSH("ADT^A01", "1") "PID|1||4712\r", SY_HL7_REPEATED, 1, "MSH-10");
    // Another sender has ids of its own.
    assert_good("MSH|^~\\&|X|HOSPITAL|EHR|C|2026||ADT^A01|1|P|2.5\r" PID);
}

CASE(batches_count_what_is_in_them)
{
    assert_good("FHS|^~\\&|A\rBHS|^~\\&|A\r" MSH("ADT^A01", "1") PID MSH("ADT^A01", "2") PID
                "BTS|2\rFTS|1\r");
    assert_issue("BHS|^~\\&|A\r" MSH("ADT^A01", "3") PID "BTS|2\r", SY_HL7_COUNT, 4, "BTS-1");
    assert_issue("FHS|^~\\&|A\rFTS|1\r", SY_HL7_COUNT, 2, "FTS-1");
    assert_issue("BHS|^~\\&|A\r" MSH("ADT^A01", "4") PID, SY_HL7_COUNT, 4, "");
    assert_issue(MSH("ADT^A01", "5") PID "BTS|1\r", SY_HL7_COUNT, 3, "BTS-0");
    assert_good("BHS|^~\\&|A\rBTS|0\r");
}

// --- published samples -------------------------------------------------------------------------

/* Lines that begin with MSH, as fgets sees them. */
static unsigned headers_of(const char *path)
{
    static char line[1 << 16];
    unsigned count = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        count += memcmp(line, "MSH|", 4) == 0 || memcmp(line, "\xef\xbb\xbfMSH|", 7) == 0;
    }
    fclose(file);
    return count;
}

CASE(published_samples_hold_together)
{
    char root[1024], path[4096];
    unsigned files = 0, headers = 0;
    if (!test_data(root, sizeof root, "hl7v2")) skip();
    DIR *dir = opendir(root);
    struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        uint8_t *bytes = NULL;
        size_t size = 0;
        struct sy_error err = {SY_OK, ""};
        if (entry->d_name[0] == '.') continue;
        (void)snprintf(path, sizeof path, "%s/%s", root, entry->d_name);
        assert_int_equal(sy_os_read_file(&bytes, &size, path, 1 << 20, &err), SY_OK);
        (void)sy_hl7_check(&totals, &seen, sy_slice_of(bytes, size), keep, NULL);
        free(bytes);
        headers += headers_of(path);
        files++;
    }
    if (dir != NULL) closedir(dir);
    print_message("%u files, %u messages of %u types, %u control ids used twice\n", files,
                  (unsigned)totals.messages, (unsigned)totals.type_count,
                  (unsigned)totals.issues[SY_HL7_REPEATED]);
    assert_int_equal(files, 139);
    assert_int_equal(totals.messages, headers);
    // They all have one of a few control ids; nothing else is wrong with them.
    assert_int_equal(totals.with_issues, totals.issues[SY_HL7_REPEATED]);
    assert_true(totals.type_count >= 51);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test_setup_teardown(a_segment_falls_into_its_parts, fresh, clean),
        cmocka_unit_test_setup_teardown(what_is_no_segment_is_passed_over, fresh, clean),
        cmocka_unit_test_setup_teardown(bounds_are_kept, fresh, clean),
        cmocka_unit_test_setup_teardown(a_field_of_many_repetitions_takes_one_walk, fresh, clean),
        cmocka_unit_test_setup_teardown(a_message_that_holds_together, fresh, clean),
        cmocka_unit_test_setup_teardown(what_is_missing_is_told, fresh, clean),
        cmocka_unit_test_setup_teardown(times_and_numbers_are_what_they_say, fresh, clean),
        cmocka_unit_test_setup_teardown(escapes_end_and_are_known, fresh, clean),
        cmocka_unit_test_setup_teardown(a_control_id_is_one_message, fresh, clean),
        cmocka_unit_test_setup_teardown(batches_count_what_is_in_them, fresh, clean),
        cmocka_unit_test_setup_teardown(published_samples_hold_together, fresh, clean),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
