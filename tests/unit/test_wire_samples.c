/* test_wire_samples.c: the formats as they stand in files. A sample that changes is a format that
 * changes: regenerate the files with SYSTOLE_REGENERATE=1 only together with FORMAT.md. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/os.h"
#include "core/wire/schema.h"
#include "tests/support/samples.h"

#define FILE_BYTES_MAX (1u << 20)

static void path_of(char *out, size_t size, const char *name)
{
    const char *source = getenv("SYSTOLE_SOURCE");
    (void)snprintf(out, size, "%s/%s", source ? source : ".", name);
}

static bool regenerating(void)
{
    const char *wish = getenv("SYSTOLE_REGENERATE");
    return wish && strcmp(wish, "1") == 0;
}

static void write_file(const char *path, struct sy_slice bytes)
{
    struct sy_error err;
    char folder[512];
    (void)snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = 0;
    if (sy_os_make_dirs(folder, 0755, &err) != SY_OK) fail_msg("%s", err.text);
    if (sy_os_write_file(path, bytes.data, bytes.size, 0644, &err) != SY_OK) {
        fail_msg("%s", err.text);
    }
}

static void compare_file(const char *name, struct sy_slice bytes)
{
    char path[512];
    uint8_t *stored;
    size_t stored_bytes;
    struct sy_error err;
    path_of(path, sizeof path, name);
    if (regenerating()) write_file(path, bytes);
    if (sy_os_read_file(&stored, &stored_bytes, path, FILE_BYTES_MAX, &err) != SY_OK) {
        fail_msg("%s (SYSTOLE_REGENERATE=1 writes it)", err.text);
    }
    bool same = sy_slice_equal(bytes, sy_slice_of(stored, stored_bytes));
    free(stored);
    if (!same) fail_msg("%s differs: SYSTOLE_REGENERATE=1 writes it anew", path);
}

CASE(samples_equal_their_files)
{
    static struct test_sample samples[TEST_SAMPLES_MAX];
    unsigned count = test_samples(samples);
    assert_true(count > 40);
    for (unsigned i = 0; i < count; i++) {
        char name[128];
        (void)snprintf(name, sizeof name, "tests/fuzz/corpus/%s", samples[i].name);
        compare_file(name, samples[i].bytes);
    }
}

CASE(samples_have_names_of_their_own)
{
    static struct test_sample samples[TEST_SAMPLES_MAX];
    unsigned count = test_samples(samples);
    for (unsigned i = 0; i < count; i++) {
        for (unsigned k = 0; k < i; k++) {
            assert_string_not_equal(samples[i].name, samples[k].name);
        }
    }
}

CASE(catalogue_file_is_what_the_table_says)
{
    static uint8_t room[SY_CATALOGUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_schema_write_markdown(&w);
    assert_false(w.failed);
    compare_file("core/wire/CATALOGUE.md", sy_writer_slice(&w));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(samples_equal_their_files),
        cmocka_unit_test(samples_have_names_of_their_own),
        cmocka_unit_test(catalogue_file_is_what_the_table_says),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
