/* Open mHealth data points as samples: what is one, by hand and by the folders of the published
 * test data (shouldPass, shouldFail), when those are there; hostile JSON is refused with a reason.
 *
 * ctest: timeout=300 */
#include "core/client/omh.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/os.h"
#include "tests/support/data.h"
#include "tests/support/test.h"

static struct sy_samples samples;
static struct sy_error err;

static struct sy_stream stream_of(uint16_t system, const char *kind, const char *unit)
{
    return (struct sy_stream){.system = system,
                              .kind = sy_slice_of(kind, strlen(kind)),
                              .unit = sy_slice_of(unit, strlen(unit)),
                              .rate = 60};
}

static sy_status take_as(const struct sy_stream *stream, const char *text)
{
    sy_samples_free(&samples);
    err = (struct sy_error){SY_OK, ""};
    return sy_omh_read(&samples, sy_slice_of(text, strlen(text)), "in", stream, &err);
}

static sy_status take(const char *text)
{
    struct sy_stream pulse = stream_of(SY_STREAM_LOINC, "8867-4", "/min");
    return take_as(&pulse, text);
}

static void assert_not_taken(const char *text, const char *why)
{
    if (take(text) == SY_OK) fail_msg("taken: %s", text);
    assert_null(samples.items);
    if (!strstr(err.text, why)) fail_msg("'%s' is not in '%s'", why, err.text);
}

#define AT "\"effective_time_frame\": {\"date_time\": \"2026-11-30T10:00:00Z\"}"
#define PULSE "\"heart_rate\": {\"value\": 72.50, \"unit\": \"beats/min\"}"

static int clean(void **state)
{
    (void)state;
    sy_samples_free(&samples);
    return 0;
}

// --- by hand -----------------------------------------------------------------------------------

CASE(points_one_behind_another_or_in_an_array)
{
    assert_int_equal(take("{" PULSE ", " AT "}\n{\"heart_rate\": {\"value\": 60, \"unit\": "
                          "\"beats/min\"}, \"effective_time_frame\": {\"date_time\": "
                          "\"2026-11-30T11:59:59.250+02:00\"}}"),
                     SY_OK);
    assert_int_equal(samples.count, 2); // in the order of their times
    assert_int_equal(samples.items[0].time_ms, 1796032799250ll);
    assert_string_equal(samples.items[0].value, "60");
    assert_int_equal(samples.items[1].time_ms, 1796032800000ll);
    assert_string_equal(samples.items[1].value, "72.5");
    assert_int_equal(take("[{" PULSE ", " AT "}, {" PULSE "," AT "}]"), SY_OK);
    assert_int_equal(samples.count, 2);
}

CASE(a_data_point_tells_its_schema)
{
    static const char point[] =
        "{\"header\": {\"id\": \"123e4567-e89b-12d3-a456-426655440000\", "
        "\"creation_date_time\": \"2026-11-30T10:00:01Z\", \"schema_id\": {\"namespace\": \"omh\", "
        "\"name\": \"%s\", \"version\": \"2.0\"}}, \"body\": {" PULSE ", " AT "}}";
    char text[512];
    (void)snprintf(text, sizeof text, point, "heart-rate");
    assert_int_equal(take(text), SY_OK);
    (void)snprintf(text, sizeof text, point, "body-weight");
    assert_not_taken(text, "header.schema_id.name");
    assert_not_taken("{\"header\": {}, \"body\": {" PULSE "}}", "header.id");
    assert_not_taken("{\"header\": {\"id\": \"1\"}, \"body\": {}}", "header.creation_date_time");
    assert_not_taken("{\"header\": {}}", "point 1, body: it is missing");
}

CASE(what_adds_up_is_at_the_end_of_its_interval)
{
    struct sy_stream steps = stream_of(SY_STREAM_LOINC, "55423-8", "{steps}");
    assert_int_equal(take_as(&steps, "{\"step_count\": 6000, \"effective_time_frame\": "
                                     "{\"time_interval\": {\"start_date_time\": "
                                     "\"2026-11-30T10:00:00Z\", \"duration\": {\"value\": 1.5, "
                                     "\"unit\": \"h\"}}}}"),
                     SY_OK);
    assert_int_equal(samples.items[0].time_ms, 1796032800000ll + 5400000ll);
    assert_int_equal(take_as(&steps, "{\"step_count\": 6000, " AT "}"), SY_ERR_FORMAT);
    assert_non_null(strstr(err.text, "adds up"));
    assert_int_equal(take_as(&steps, "{\"step_count\": {\"value\": 1, \"unit\": \"steps\"}, "
                                     "\"effective_time_frame\": {\"time_interval\": "
                                     "{\"start_date_time\": \"2026-11-30T10:00:00Z\", "
                                     "\"end_date_time\": \"2026-11-30T09:00:00Z\"}}}"),
                     SY_ERR_FORMAT);
    assert_non_null(strstr(err.text, "before it begins"));
}

CASE(another_measure_unit_or_specimen_is_not_the_streams)
{
    struct sy_stream glucose = stream_of(SY_STREAM_LOINC, "2339-0", "mg/dL");
    struct sy_stream fluid = stream_of(SY_STREAM_LOINC, "99504-3", "mg/dL");
    struct sy_stream voltage = stream_of(SY_STREAM_LOINC, "11524-6", "mV");
    static const char of_fluid[] = "{\"blood_glucose\": {\"value\": 95, \"unit\": \"mg/dL\"}, "
                                   "\"specimen_source\": \"interstitial fluid\", " AT "}";
    assert_not_taken("{\"body_weight\": {\"value\": 70, \"unit\": \"kg\"}, " AT "}",
                     "heart_rate: it is missing");
    assert_not_taken("{\"heart_rate\": {\"value\": 1, \"unit\": \"Hz\"}, " AT "}", "unit");
    assert_int_equal(take_as(&fluid, of_fluid), SY_OK);
    assert_int_equal(take_as(&glucose, of_fluid), SY_ERR_FORMAT);
    assert_non_null(strstr(err.text, "specimen_source"));
    assert_int_equal(take_as(&voltage, "{}"), SY_ERR_ARGUMENT);
}

CASE(what_is_wrong_is_told_with_line_and_path)
{
    assert_not_taken("{" PULSE ", " AT "}\n\n{" PULSE "}", "line 3, point 2, effective_time_frame");
    assert_not_taken("{" PULSE ", " AT ", \"descriptive_statistic\": \"minimum\"}",
                     "descriptive_statistic: a statistic");
    assert_not_taken("{" PULSE ", " AT ", \"temporal_relationship_to_sleep\": \"sleep\"}",
                     "temporal_relationship_to_sleep: it is none");
    assert_not_taken("{" PULSE ", \"effective_time_frame\": {\"date_time\": \"2026-11-30\"}}",
                     "effective_time_frame.date_time");
    assert_not_taken("{\"heart_rate\": {\"value\": \"72\", \"unit\": \"beats/min\"}, " AT "}",
                     "no number");
    assert_not_taken("{" PULSE ", " PULSE ", " AT "}", "duplicate");
    assert_not_taken("{" PULSE ", " AT "}\n{", "line 2");
    assert_not_taken("", "no points");
    assert_not_taken("[]", "no points");
    assert_not_taken("[[{}]]", "no object");
    assert_not_taken("7", "line 1");
}

// --- published data ----------------------------------------------------------------------------

static const struct {
    const char *folder;
    uint16_t system;
    const char *kinds[3], *units[3]; // streams that its points may be of
} published[] = {
    {"heart-rate", SY_STREAM_LOINC, {"8867-4"}, {"/min"}},
    {"respiratory-rate", SY_STREAM_LOINC, {"9279-1"}, {"/min"}},
    {"blood-pressure", SY_STREAM_LOINC, {"8480-6"}, {"mm[Hg]"}},
    {"oxygen-saturation", SY_STREAM_LOINC, {"59408-5"}, {"%"}},
    {"body-temperature", SY_STREAM_LOINC, {"8310-5", "8310-5"}, {"Cel", "[degF]"}},
    {"blood-glucose",
     SY_STREAM_LOINC,
     {"2339-0", "15074-8", "99504-3"},
     {"mg/dL", "mmol/L", "mg/dL"}},
    {"body-weight", SY_STREAM_LOINC, {"29463-7", "29463-7"}, {"kg", "[lb_av]"}},
    {"step-count", SY_STREAM_LOINC, {"55423-8"}, {"{steps}"}},
    {"calories-burned", SY_STREAM_LOINC, {"41981-2"}, {"kcal"}},
    {"total-sleep-time",
     SY_STREAM_IEEE_1752,
     {"total-sleep-time", "total-sleep-time"},
     {"min", "h"}},
};

struct tally {
    unsigned taken, no_sample, refused;
};

/* Whether a valid point is none of these: it is a statistic, or at no time, or over a time,
 * or ends before it begins, which a schema cannot say. */
static bool no_sample(void)
{
    return strstr(err.text, "a statistic") ||
           strstr(err.text, "effective_time_frame: it is miss") ||
           strstr(err.text, "part of a day") || strstr(err.text, "not over an interval") ||
           strstr(err.text, "ends before it begins");
}

static void try_file(size_t which, const char *path, bool valid, struct tally *tally)
{
    uint8_t *text = NULL;
    size_t size = 0;
    bool taken = false, other = false;
    struct sy_error why = {SY_OK, ""};
    assert_int_equal(sy_os_read_file(&text, &size, path, 1 << 20, &err), SY_OK);
    for (size_t i = 0; i < 3 && published[which].kinds[i] && !taken; i++) {
        struct sy_stream stream = stream_of(published[which].system, published[which].kinds[i],
                                            published[which].units[i]);
        err = (struct sy_error){SY_OK, ""};
        taken = sy_omh_read(&samples, sy_slice_of(text, size), path, &stream, &err) == SY_OK;
        assert_true(taken || (err.text[0] != '\0' && samples.items == NULL));
        other = other || (!taken && no_sample());
        if (!taken && why.text[0] == '\0') why = err;
        sy_samples_free(&samples);
    }
    free(text);
    if (taken && !valid) fail_msg("%s is taken", path);
    if (!taken && valid && !other) fail_msg("%s: %s", path, why.text);
    tally->taken += taken;
    tally->no_sample += valid && !taken;
    tally->refused += !valid;
}

static void try_folder(size_t which, const char *folder, bool valid, struct tally *tally)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char path[4096];
        if (entry->d_name[0] == '.') continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        try_file(which, path, valid, tally);
    }
    if (dir != NULL) closedir(dir);
}

CASE(each_published_point_is_what_its_folder_says)
{
    char root[1024];
    struct tally tally = {0};
    if (!test_data(root, sizeof root, "wearables/openmhealth/omh")) skip();
    for (size_t i = 0; i < sizeof published / sizeof published[0]; i++) {
        char folder[2048];
        for (unsigned version = 10; version <= 40; version++) {
            for (unsigned valid = 0; valid < 2; valid++) {
                (void)snprintf(folder, sizeof folder, "%s/%s/%u.%u/%s", root, published[i].folder,
                               version / 10, version % 10, valid ? "shouldPass" : "shouldFail");
                try_folder(i, folder, valid, &tally);
            }
        }
    }
    print_message("%u taken, %u valid but no sample, %u refused as they should\n", tally.taken,
                  tally.no_sample, tally.refused);
    assert_true(tally.taken >= 30 && tally.refused >= 60);
}

CASE(hostile_json_is_refused_with_a_reason)
{
    char root[1024];
    unsigned count = 0;
    if (!test_data(root, sizeof root, "json-hostile/JSONTestSuite/test_parsing")) skip();
    DIR *dir = opendir(root);
    struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char path[4096];
        uint8_t *text = NULL;
        size_t size = 0;
        struct sy_stream pulse = stream_of(SY_STREAM_LOINC, "8867-4", "/min");
        (void)snprintf(path, sizeof path, "%s/%s", root, entry->d_name);
        err = (struct sy_error){SY_OK, ""};
        if (entry->d_name[0] == '.' ||
            sy_os_read_file(&text, &size, path, 64u << 20, &err) != SY_OK) {
            continue;
        }
        err = (struct sy_error){SY_OK, ""};
        assert_int_not_equal(
            sy_omh_read(&samples, sy_slice_of(text, size), entry->d_name, &pulse, &err), SY_OK);
        assert_true(err.text[0] != '\0' && samples.items == NULL);
        free(text);
        count++;
    }
    if (dir != NULL) closedir(dir);
    print_message("%u files\n", count);
    assert_true(count > 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test_teardown(points_one_behind_another_or_in_an_array, clean),
        cmocka_unit_test_teardown(a_data_point_tells_its_schema, clean),
        cmocka_unit_test_teardown(what_adds_up_is_at_the_end_of_its_interval, clean),
        cmocka_unit_test_teardown(another_measure_unit_or_specimen_is_not_the_streams, clean),
        cmocka_unit_test_teardown(what_is_wrong_is_told_with_line_and_path, clean),
        cmocka_unit_test_teardown(each_published_point_is_what_its_folder_says, clean),
        cmocka_unit_test_teardown(hostile_json_is_refused_with_a_reason, clean),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
