/* test_fhir_input.c: documents out of files and pipes, whatever their form and size. */
#include "core/client/fhir_input.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/os.h"
#include "tests/support/test.h"

struct bench {
    char folder[256];
    struct sy_json_scanner scanner;
};

static void open_bench(struct bench *bench)
{
    test_folder(bench->folder, sizeof bench->folder, "input");
    sy_json_scanner_open(&bench->scanner);
}

static void close_bench(struct bench *bench)
{
    sy_json_scanner_close(&bench->scanner);
    assert_int_equal(sy_os_remove_tree(bench->folder, NULL), SY_OK);
}

static void write_file(const struct bench *bench, char path[400], const char *name,
                       const void *data, size_t size)
{
    snprintf(path, 400, "%s/%s", bench->folder, name);
    assert_int_equal(sy_os_write_file(path, data, size, 0600, NULL), SY_OK);
}

struct expected {
    const char *text;
    uint64_t offset, line;
};

static void assert_documents(struct bench *bench, const char *path, const struct expected *expected,
                             size_t count, bool in_stream)
{
    struct sy_fhir_input input;
    struct sy_fhir_document document;
    assert_int_equal(sy_fhir_input_open(&input, path, 0, 1, NULL), SY_OK);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(sy_fhir_input_next(&input, &document, &bench->scanner, NULL), SY_OK);
        assert_true(sy_slice_equal(document.bytes,
                                   sy_slice_of(expected[i].text, strlen(expected[i].text))));
        assert_int_equal(document.offset, expected[i].offset);
        assert_int_equal(document.line, expected[i].line);
        assert_int_equal(document.in_stream, in_stream);
        assert_false(document.over_long);
    }
    assert_int_equal(sy_fhir_input_next(&input, &document, &bench->scanner, NULL),
                     SY_ERR_NOT_FOUND);
    sy_fhir_input_close(&input);
}

CASE(a_file_is_one_document_or_one_a_line)
{
    struct bench bench;
    char path[400];
    open_bench(&bench);
    static const char lines[] = "{\"a\":1}\n\n  {\"b\":2} \r\n{\"c\":3}";
    const struct expected three[] = {
        {"{\"a\":1}", 0, 1}, {"{\"b\":2}", 11, 3}, {"{\"c\":3}", 21, 4}};
    write_file(&bench, path, "x.ndjson", lines, sizeof lines - 1);
    assert_documents(&bench, path, three, 3, true);
    // The same under a name that says nothing: the first line is whole and more follows.
    write_file(&bench, path, "x.json", lines, sizeof lines - 1);
    assert_documents(&bench, path, three, 3, true);
    static const char pretty[] = "\n{\n  \"a\": [\n1]}\n\n";
    const struct expected one[] = {{"{\n  \"a\": [\n1]}", 1, 2}};
    write_file(&bench, path, "y.json", pretty, sizeof pretty - 1);
    assert_documents(&bench, path, one, 1, false);
    static const char marked[] = "\xef\xbb\xbf{\"a\":1}\n";
    const struct expected behind_mark[] = {{"{\"a\":1}", 3, 1}};
    write_file(&bench, path, "z.json", marked, sizeof marked - 1);
    assert_documents(&bench, path, behind_mark, 1, false);
    write_file(&bench, path, "empty.json", " \n ", 3);
    assert_documents(&bench, path, NULL, 0, false);
    close_bench(&bench);
}

/* Lines of many lengths around the sizes at which the window is filled again or grows. */
CASE(lines_of_any_length_come_whole)
{
    static const size_t sizes[] = {2, 100, 65535, 262143, 262144, 262145, 3, 600000, 2, 1048576, 7};
    struct bench bench;
    char path[400];
    size_t total = 0;
    open_bench(&bench);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) total += sizes[i] + 1;
    char *text = malloc(total);
    assert_non_null(text);
    size_t used = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        memset(text + used, 'a' + (int)i, sizes[i]);
        used += sizes[i];
        text[used++] = '\n';
    }
    write_file(&bench, path, "x.ndjson", text, total);
    struct sy_fhir_input input;
    struct sy_fhir_document document;
    assert_int_equal(sy_fhir_input_open(&input, path, 0, 1, NULL), SY_OK);
    uint64_t offset = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_int_equal(sy_fhir_input_next(&input, &document, &bench.scanner, NULL), SY_OK);
        assert_int_equal(document.bytes.size, sizes[i]);
        assert_memory_equal(document.bytes.data, text + offset, sizes[i]);
        assert_int_equal(document.offset, offset);
        assert_int_equal(document.line, i + 1);
        offset += sizes[i] + 1;
        // Reading on from here in another process gives the same next line.
        struct sy_fhir_input other;
        struct sy_fhir_document next;
        assert_int_equal(
            sy_fhir_input_open(&other, path, document.next_offset, document.next_line, NULL),
            SY_OK);
        sy_status status = sy_fhir_input_next(&other, &next, &bench.scanner, NULL);
        if (i + 1 < sizeof sizes / sizeof *sizes) {
            assert_int_equal(status, SY_OK);
            assert_int_equal(next.bytes.size, sizes[i + 1]);
            assert_int_equal(next.line, i + 2);
        }
        sy_fhir_input_close(&other);
    }
    sy_fhir_input_close(&input);
    free(text);
    close_bench(&bench);
}

CASE(an_over_long_line_is_told_and_the_next_one_is_read)
{
    struct bench bench;
    char path[400];
    open_bench(&bench);
    snprintf(path, sizeof path, "%s/x.ndjson", bench.folder);
    // A hole reads as zeros: a long line that takes no room.
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    off_t hole = (off_t)SY_FHIR_DOCUMENT_BYTES_MAX + 5000;
    assert_int_equal(pwrite(fd, "{}\n", 3, 0), 3);
    assert_int_equal(pwrite(fd, "\n{\"b\":1}\n", 9, 3 + hole), 9);
    close(fd);
    struct sy_fhir_input input;
    struct sy_fhir_document document;
    assert_int_equal(sy_fhir_input_open(&input, path, 0, 1, NULL), SY_OK);
    assert_int_equal(sy_fhir_input_next(&input, &document, &bench.scanner, NULL), SY_OK);
    assert_false(document.over_long);
    assert_int_equal(sy_fhir_input_next(&input, &document, &bench.scanner, NULL), SY_OK);
    assert_true(document.over_long);
    assert_int_equal(document.line, 2);
    assert_int_equal(sy_fhir_input_next(&input, &document, &bench.scanner, NULL), SY_OK);
    assert_int_equal(document.bytes.size, 7);
    assert_int_equal(document.line, 3);
    assert_int_equal(sy_fhir_input_next(&input, &document, &bench.scanner, NULL), SY_ERR_NOT_FOUND);
    sy_fhir_input_close(&input);
    close_bench(&bench);
}

CASE(documents_can_be_read_again_even_from_standard_input)
{
    struct bench bench;
    char path[400];
    open_bench(&bench);
    static const char lines[] = "{\"a\":1}\n{\"bb\":22}\n{\"c\":3}\n";
    write_file(&bench, path, "x.ndjson", lines, sizeof lines - 1);
    int saved = dup(STDIN_FILENO);
    for (int from_stdin = 0; from_stdin < 2; from_stdin++) {
        int fd = open(path, O_RDONLY);
        assert_true(fd >= 0);
        if (from_stdin == 1) assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
        close(fd);
        struct sy_fhir_input input;
        struct sy_fhir_document document;
        uint64_t handles[3];
        uint64_t sizes[3];
        assert_int_equal(sy_fhir_input_open(&input, from_stdin == 1 ? "-" : path, 0, 1, NULL),
                         SY_OK);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(sy_fhir_input_next(&input, &document, &bench.scanner, NULL), SY_OK);
            assert_int_equal(sy_fhir_input_keep(&input, &handles[i], &document, NULL), SY_OK);
            sizes[i] = document.bytes.size;
        }
        struct sy_slice bytes;
        assert_int_equal(sy_fhir_input_again(&input, &bytes, handles[1], sizes[1], NULL), SY_OK);
        assert_true(sy_slice_equal(bytes, sy_slice_of("{\"bb\":22}", 9)));
        assert_int_equal(sy_fhir_input_again(&input, &bytes, handles[0], sizes[0], NULL), SY_OK);
        assert_true(sy_slice_equal(bytes, sy_slice_of("{\"a\":1}", 7)));
        assert_int_equal(sy_fhir_input_again(&input, &bytes, 1000, 7, NULL), SY_ERR_FORMAT);
        sy_fhir_input_close(&input);
    }
    assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
    close(saved);
    close_bench(&bench);
}

CASE(what_cannot_be_opened_is_told)
{
    struct sy_fhir_input input;
    struct sy_error err;
    assert_int_equal(sy_fhir_input_open(&input, "/nowhere/x.json", 0, 1, &err), SY_ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "/nowhere/x.json"));
    assert_int_equal(sy_fhir_input_open(&input, "/", 0, 1, &err), SY_ERR_IO);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_file_is_one_document_or_one_a_line),
        cmocka_unit_test(lines_of_any_length_come_whole),
        cmocka_unit_test(an_over_long_line_is_told_and_the_next_one_is_read),
        cmocka_unit_test(documents_can_be_read_again_even_from_standard_input),
        cmocka_unit_test(what_cannot_be_opened_is_told),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
