/* ctest: threaded */
#include "core/base/telemetry.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/os.h"
#include "core/base/thread.h"
#include "tests/support/test.h"

#define THREADS 4
#define LINES_EACH 200

static char folder[256];
static char log_path[320];

static int open_log(__attribute__((unused)) void **state)
{
    test_folder(folder, sizeof folder, "test_telemetry");
    snprintf(log_path, sizeof log_path, "%s/log", folder);
    return sy_log_open(log_path, SY_LOG_INFO, NULL) == SY_OK ? 0 : 1;
}

static int close_log(__attribute__((unused)) void **state)
{
    sy_log_close();
    return sy_os_remove_tree(folder, NULL) == SY_OK ? 0 : 1;
}

// The lines of a log as an array of objects; fails the test on a line that is not one.
static json_t *read_lines(const char *path)
{
    uint8_t *data;
    size_t size;
    assert_int_equal(sy_os_read_file(&data, &size, path, 1 << 24, NULL), SY_OK);
    json_t *lines = json_array();
    char *rest = (char *)data;
    while (*rest) {
        char *end = strchr(rest, '\n');
        assert_non_null(end);
        *end = '\0';
        json_error_t error;
        json_t *line = json_loads(rest, JSON_REJECT_DUPLICATES, &error);
        assert_true(json_is_object(line));
        json_array_append_new(lines, line);
        rest = end + 1;
    }
    free(data);
    return lines;
}

static const char *text_of(json_t *line, const char *name)
{
    const char *text = json_string_value(json_object_get(line, name));
    assert_non_null(text);
    return text;
}

CASE(log_line_is_one_object_with_typed_fields)
{
    SY_LOG(SY_LOG_WARN, "net", "frame_refused", SY_F_TEXT("peer", "a\"b\n"), SY_F_U64("bytes", 7),
           SY_F_I64("skew_ms", -3), SY_F_HEX("id", (const uint8_t *)"\x01\xfe", 2),
           SY_F_BOOL("known", true));
    json_t *lines = read_lines(log_path);
    assert_int_equal(json_array_size(lines), 1);
    json_t *line = json_array_get(lines, 0);
    assert_string_equal(text_of(line, "level"), "warn");
    assert_string_equal(text_of(line, "room"), "net");
    assert_string_equal(text_of(line, "event"), "frame_refused");
    assert_string_equal(text_of(line, "peer"), "a\"b\n");
    assert_string_equal(text_of(line, "id"), "01fe");
    assert_int_equal(json_integer_value(json_object_get(line, "bytes")), 7);
    assert_int_equal(json_integer_value(json_object_get(line, "skew_ms")), -3);
    assert_true(json_is_true(json_object_get(line, "known")));
    // 2026-01-02T03:04:05.678Z
    const char *time = text_of(line, "t");
    assert_int_equal(strlen(time), 24);
    assert_true(time[4] == '-' && time[10] == 'T' && time[19] == '.' && time[23] == 'Z');
    json_decref(lines);
}

CASE(log_drops_lines_below_its_level)
{
    SY_LOG0(SY_LOG_DEBUG, "base", "hidden");
    SY_LOG0(SY_LOG_INFO, "base", "shown");
    json_t *lines = read_lines(log_path);
    assert_int_equal(json_array_size(lines), 1);
    assert_string_equal(text_of(json_array_get(lines, 0), "event"), "shown");
    json_decref(lines);
}

CASE(log_leaves_out_fields_that_do_not_fit_and_says_so)
{
    static char long_text[8000];
    memset(long_text, 'y', sizeof long_text - 1);
    char close_fit[4096];
    // Around the limit of one line, byte for byte.
    for (size_t length = 3900; length < 4095; length++) {
        memset(close_fit, 'z', length);
        close_fit[length] = '\0';
        SY_LOG(SY_LOG_INFO, "base", "near", SY_F_TEXT("long", close_fit));
    }
    SY_LOG(SY_LOG_INFO, "base", "over", SY_F_U64("before", 1), SY_F_TEXT("long", long_text),
           SY_F_U64("after", 2));
    json_t *lines = read_lines(log_path);
    assert_int_equal(json_array_size(lines), 196);
    assert_null(json_object_get(json_array_get(lines, 0), "cut"));
    assert_true(json_is_true(json_object_get(json_array_get(lines, 194), "cut")));
    json_t *line = json_array_get(lines, 195);
    assert_int_equal(json_integer_value(json_object_get(line, "before")), 1);
    assert_int_equal(json_integer_value(json_object_get(line, "after")), 2);
    assert_null(json_object_get(line, "long"));
    assert_true(json_is_true(json_object_get(line, "cut")));
    json_decref(lines);
}

static void *log_many(void *context)
{
    uint64_t id = *(const uint64_t *)context;
    for (uint64_t i = 0; i < LINES_EACH; i++) {
        SY_LOG(SY_LOG_INFO, "base", "tick", SY_F_U64("thread", id), SY_F_U64("line", i));
        sy_metric_add(SY_M_net_frames_sent_total, 1);
    }
    return NULL;
}

CASE(log_lines_of_threads_stay_whole_and_metrics_add_up)
{
    pthread_t threads[THREADS];
    uint64_t ids[THREADS];
    uint64_t before = sy_metric_get(SY_M_net_frames_sent_total);
    uint64_t lines_before = sy_metric_get(SY_M_log_lines_total);
    for (size_t i = 0; i < THREADS; i++) {
        ids[i] = i;
        assert_int_equal(sy_thread_start(&threads[i], "logger", log_many, &ids[i], NULL), SY_OK);
    }
    for (size_t i = 0; i < THREADS; i++) sy_thread_join(threads[i]);
    json_t *lines = read_lines(log_path);
    assert_int_equal(json_array_size(lines), THREADS * LINES_EACH);
    json_int_t next[THREADS] = {0};
    for (size_t i = 0; i < json_array_size(lines); i++) {
        json_t *line = json_array_get(lines, i);
        json_int_t thread = json_integer_value(json_object_get(line, "thread"));
        assert_in_range(thread, 0, THREADS - 1);
        assert_int_equal(json_integer_value(json_object_get(line, "line")), next[thread]++);
    }
    json_decref(lines);
    assert_int_equal(sy_metric_get(SY_M_net_frames_sent_total) - before, THREADS * LINES_EACH);
    assert_int_equal(sy_metric_get(SY_M_log_lines_total) - lines_before, THREADS * LINES_EACH);
}

CASE(log_moves_to_another_file)
{
    char other[330];
    snprintf(other, sizeof other, "%s.2", log_path);
    SY_LOG0(SY_LOG_INFO, "base", "first");
    assert_int_equal(sy_log_open(other, SY_LOG_INFO, NULL), SY_OK);
    SY_LOG0(SY_LOG_INFO, "base", "second");
    json_t *lines = read_lines(log_path);
    assert_int_equal(json_array_size(lines), 1);
    json_decref(lines);
    lines = read_lines(other);
    assert_int_equal(json_array_size(lines), 1);
    assert_string_equal(text_of(json_array_get(lines, 0), "event"), "second");
    json_decref(lines);
}

CASE(log_open_names_the_file_it_cannot_open)
{
    struct sy_error err;
    assert_int_equal(sy_log_open("/nonexistent/folder/log", SY_LOG_INFO, &err), SY_ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "/nonexistent/folder/log"));
}

static char *render(void)
{
    size_t needed = sy_metrics_render(NULL, 0);
    char *text = (char *)malloc(needed + 1);
    assert_non_null(text);
    assert_int_equal(sy_metrics_render(text, needed + 1), needed);
    assert_int_equal(strlen(text), needed);
    return text;
}

static void assert_has(const char *text, const char *line)
{
    char with_breaks[200];
    snprintf(with_breaks, sizeof with_breaks, "\n%s\n", line);
    if (!strstr(text, with_breaks)) fail_msg("the page has no line \"%s\"", line);
}

CASE(metrics_render_every_declaration_in_prometheus_text)
{
    sy_metric_set(SY_M_pbft_view, 42);
    char *text = render();
    assert_has(text, "# TYPE systole_pbft_view gauge");
    assert_has(text, "systole_pbft_view 42");
    assert_has(text, "# TYPE systole_store_commit_us histogram");
    size_t helps = 0;
    for (const char *p = strstr(text, "# HELP "); p; p = strstr(p + 1, "# HELP ")) helps++;
    assert_int_equal(helps, SY_METRIC_COUNT);
    free(text);
}

CASE(metrics_histogram_counts_cumulatively)
{
    static const uint64_t observed[] = {0, 1, 2, 3, 4, 5, 1 << 25, (1 << 25) + 1, UINT64_MAX / 8};
    for (size_t i = 0; i < sizeof observed / sizeof observed[0]; i++) {
        sy_metric_observe_us(SY_M_store_commit_us, observed[i]);
    }
    char *text = render();
    assert_has(text, "systole_store_commit_us_bucket{le=\"1\"} 2");
    assert_has(text, "systole_store_commit_us_bucket{le=\"2\"} 3");
    assert_has(text, "systole_store_commit_us_bucket{le=\"4\"} 5");
    assert_has(text, "systole_store_commit_us_bucket{le=\"8\"} 6");
    assert_has(text, "systole_store_commit_us_bucket{le=\"16777216\"} 6");
    assert_has(text, "systole_store_commit_us_bucket{le=\"33554432\"} 7");
    assert_has(text, "systole_store_commit_us_bucket{le=\"+Inf\"} 9");
    assert_has(text, "systole_store_commit_us_count 9");
    assert_int_equal(sy_metric_get(SY_M_store_commit_us), 9);
    free(text);
}

CASE(metrics_page_is_cut_at_the_end_of_the_buffer)
{
    char small[64];
    memset(small, 1, sizeof small);
    assert_true(sy_metrics_render(small, 20) > 20);
    assert_int_equal(strlen(small), 19);
    assert_int_equal(small[20], 1);
}

static void set_a_counter(__attribute__((unused)) void *context)
{
    sy_metric_set(SY_M_net_frames_sent_total, 1);
}

CASE(metrics_assert_on_the_wrong_kind_of_change)
{
    assert_aborts(set_a_counter, NULL);
}

#define IN_LOG(name) cmocka_unit_test_setup_teardown(name, open_log, close_log)

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_LOG(log_line_is_one_object_with_typed_fields),
        IN_LOG(log_drops_lines_below_its_level),
        IN_LOG(log_leaves_out_fields_that_do_not_fit_and_says_so),
        IN_LOG(log_lines_of_threads_stay_whole_and_metrics_add_up),
        IN_LOG(log_moves_to_another_file),
        cmocka_unit_test(log_open_names_the_file_it_cannot_open),
        cmocka_unit_test(metrics_render_every_declaration_in_prometheus_text),
        cmocka_unit_test(metrics_histogram_counts_cumulatively),
        cmocka_unit_test(metrics_page_is_cut_at_the_end_of_the_buffer),
        cmocka_unit_test(metrics_assert_on_the_wrong_kind_of_change),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
