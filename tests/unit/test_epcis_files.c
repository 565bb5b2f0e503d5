/* test_epcis_files.c: files of EPCIS events: what is handed on, what is told of the rest. */
#include "core/client/epcis_files.h"

#include <stdio.h>
#include <string.h>

#include "core/base/os.h"
#include "tests/support/test.h"

#define EVENT(action, more)                                                                       \
    "{\"type\":\"ObjectEvent\",\"eventTime\":\"2026-11-30T08:00:00Z\","                           \
    "\"eventTimeZoneOffset\":\"+00:00\",\"action\":\"" action "\",\"epcList\":[\"urn:x:1\"]" more \
    "}"
#define DECLARED ",\"errorDeclaration\":{\"declarationTime\":\"2026-12-01T00:00:00Z\"}"
#define LATER ",\"sensorElementList\":[{\"sensorMetadata\":{\"time\":\"soon\"}}]"

struct taken {
    size_t count, corrections;
    struct sy_epcis_found last;
    sy_status answer;
};

static sy_status take(void *self, const struct sy_epcis_found *found, struct sy_error *err)
{
    struct taken *taken = (struct taken *)self;
    taken->count++;
    taken->corrections += found->correction;
    taken->last = *found;
    if (taken->answer != SY_OK) return sy_fail(err, taken->answer, "no more");
    return SY_OK;
}

static void write_file(const char *folder, char path[300], const char *name, const char *text)
{
    (void)snprintf(path, 300, "%.200s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void expect_issue(const struct sy_epcis_report *report, size_t at, bool refused,
                         const char *where, const char *what)
{
    assert_true(at < report->issues_kept);
    const struct sy_import_issue *issue = &report->issues[at];
    assert_int_equal(issue->refused, refused);
    assert_string_equal(issue->where, where);
    if (!strstr(issue->what, what)) fail_msg("%s", issue->what);
}

CASE(good_events_are_handed_on_and_the_rest_is_told)
{
    char folder[256];
    char paths[4][300];
    struct sy_epcis_report report;
    struct sy_error err = {SY_OK, ""};
    struct taken taken = {.answer = SY_OK};
    test_folder(folder, sizeof folder, "epcis_files");
    write_file(folder, paths[0], "a.json",
               "[" EVENT("ADD", "") "," EVENT("MOVE", "") "," EVENT("ADD", DECLARED) "]");
    write_file(folder, paths[1], "b.ndjson",
               EVENT("ADD", "") "\n{\"a\":1,\"a\":2}\n" EVENT("DELETE", "") "\n"
                                                                            "[" EVENT("DELETE",
                                                                                      LATER) "]\n");
    write_file(folder, paths[2], "c.json", "{\"type\":\"Bundle\"}");
    (void)snprintf(paths[3], sizeof paths[3], "%.200s/missing.json", folder);
    char *const files[] = {paths[0], paths[1], paths[2], paths[3]};
    assert_int_equal(sy_epcis_report_open(&report, &err), SY_OK);
    assert_int_equal(sy_epcis_files(&report, files, 4, take, &taken, &err), SY_OK);
    assert_int_equal(taken.count, 3);
    assert_int_equal(taken.corrections, 1);
    assert_string_equal(taken.last.where, "line 3");
    assert_string_equal(taken.last.file, paths[1]);
    assert_int_equal(report.files, 3); // read to their end
    assert_int_equal(report.documents, 6);
    assert_int_equal(report.events, 6);
    assert_int_equal(report.corrections, 1);
    assert_int_equal(report.types[SY_EPCIS_OBJECT].read, 6);
    assert_int_equal(report.types[SY_EPCIS_OBJECT].duplicates, 1);
    assert_int_equal(report.types[SY_EPCIS_OBJECT].refused, 2);
    assert_int_equal(report.issues_total, 6);
    expect_issue(&report, 0, true, "[1].action", "ADD, OBSERVE or DELETE");
    expect_issue(&report, 1, false, "line 1", "there before");
    expect_issue(&report, 2, true, "line 2", "the key stands twice");
    expect_issue(&report, 3, true, "line 4, [0]", "a time is no time");
    expect_issue(&report, 4, true, "", "is no list");
    expect_issue(&report, 5, true, "", "missing.json");
    sy_epcis_report_close(&report);
    assert_int_equal(sy_os_remove_tree(folder, &err), SY_OK);
}

CASE(who_takes_events_can_stop)
{
    char folder[256];
    char path[300];
    struct sy_epcis_report report;
    struct sy_error err = {SY_OK, ""};
    struct taken taken = {.answer = SY_ERR_NETWORK};
    test_folder(folder, sizeof folder, "epcis_files");
    write_file(folder, path, "a.json", "[" EVENT("ADD", "") "," EVENT("DELETE", "") "]");
    char *const files[] = {path};
    assert_int_equal(sy_epcis_report_open(&report, &err), SY_OK);
    assert_int_equal(sy_epcis_files(&report, files, 1, take, &taken, &err), SY_ERR_NETWORK);
    assert_string_equal(err.text, "no more");
    assert_int_equal(taken.count, 1);
    sy_epcis_report_close(&report);
    assert_int_equal(sy_os_remove_tree(folder, &err), SY_OK);
}

CASE(the_report_is_the_importers)
{
    struct sy_epcis_report report;
    struct sy_error err = {SY_OK, ""};
    sy_json json;
    assert_int_equal(sy_epcis_report_open(&report, &err), SY_OK);
    report.files = report.documents = report.events = 1;
    report.types[SY_EPCIS_OBJECT].read = report.types[SY_EPCIS_OBJECT].refused = 1;
    sy_epcis_report_tell(&report, true, "f.json", "[0]", "action", "it is wrong", "mend it");
    sy_json_init_growing(&json, 1u << 16);
    sy_json_object_begin(&json);
    sy_epcis_report_json(&report, &json);
    sy_json_object_end(&json);
    assert_string_equal(
        sy_json_finish(&json),
        "{\"files\":1,\"documents\":1,\"resources\":1,\"final\":0,\"duplicates\":0,\"refused\":1,"
        "\"corrections\":0,\"warnings\":0,\"types\":[{\"type\":\"ObjectEvent\",\"read\":1,"
        "\"final\":0,\"duplicates\":0,\"refused\":1}],\"issues_total\":1,\"issues\":[{\"refused\":"
        "true,\"file\":\"f.json\",\"where\":\"[0].action\",\"resource\":\"\",\"what\":"
        "\"it is wrong\",\"remedy\":\"mend it\"}]}");
    sy_json_free(&json);
    for (size_t i = 0; i < SY_IMPORT_ISSUES_KEPT + 5; i++) {
        sy_epcis_report_tell(&report, false, "f.json", "", "", "again", "");
    }
    assert_int_equal(report.issues_kept, SY_IMPORT_ISSUES_KEPT); // later ones are only counted
    assert_int_equal(report.issues_total, SY_IMPORT_ISSUES_KEPT + 6);
    sy_epcis_report_close(&report);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(good_events_are_handed_on_and_the_rest_is_told),
        cmocka_unit_test(who_takes_events_can_stop),
        cmocka_unit_test(the_report_is_the_importers),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
