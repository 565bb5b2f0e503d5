/* test_fhir_scan.c: the scanner against RFC 8259, against a public set of hostile texts when it is
 * there, and against Bundles whose entries are damaged one by one. */
#include "core/client/fhir_scan.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "core/base/os.h"
#include "core/base/prng.h"
#include "tests/support/data.h"
#include "tests/support/test.h"

static struct sy_slice text_of(const char *text)
{
    return sy_slice_of(text, strlen(text));
}

static bool slice_is(struct sy_slice slice, const char *text)
{
    return sy_slice_equal(slice, text_of(text));
}

static enum sy_json_fault_kind check_kind(const char *text)
{
    struct sy_json_scanner scanner;
    sy_json_scanner_open(&scanner);
    bool fine = sy_json_check(&scanner, text_of(text));
    enum sy_json_fault_kind kind = scanner.fault.kind;
    assert_int_equal(fine, kind == SY_JSON_FINE);
    sy_json_scanner_close(&scanner);
    return kind;
}

CASE(json_accepts_every_form_of_value)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "1.00",
        "28.104000000000003",
        "1E-22",
        "-1.5e+10",
        "true",
        "false",
        "null",
        "\"\"",
        "[]",
        "{}",
        " [ 1 , 2 ] ",
        "{\"a\":{\"b\":[{}]}}",
        "\"\\u00e9\\ud83d\\ude00\\n\"",
        "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
        "\"\x7f\"",
        "\n\t\r 1\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (check_kind(texts[i]) != SY_JSON_FINE) fail_msg("refused: %s", texts[i]);
    }
}

CASE(json_refuses_what_the_grammar_refuses)
{
    static const char *const texts[] = {
        "",           " ",
        "01",         "-",
        "1.",         ".5",
        "1e",         "1e+",
        "+1",         "0x1",
        "NaN",        "tru",
        "nul",        "[1,]",
        "[,1]",       "[1 2]",
        "[",          "]",
        "{",          "}",
        "{\"a\"}",    "{\"a\":}",
        "{\"a\":1,}", "{a:1}",
        "{'a':1}",    "{1:1}",
        "\"",         "\"\\x\"",
        "\"\\u12\"",  "\"\\",
        "\"a\nb\"",   "1 2",
        "[1]]",       "{}{}",
        "//",         "[1}",
        "{\"a\":1]",  "\xef\xbb\xbf{}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (check_kind(texts[i]) != SY_JSON_SYNTAX) fail_msg("accepted: %s", texts[i]);
    }
}

CASE(json_refuses_text_that_is_not_utf8)
{
    static const char *const texts[] = {
        "\"\x80\"",           "\"\xc0\xaf\"",         "\"\xe0\x80\x80\"",
        "\"\xed\xa0\x80\"",   "\"\xf4\x90\x80\x80\"", "\"\xf8\x88\x80\x80\x80\"",
        "\"\xc3\"",           "\"\\ud800\"",          "\"\\udc00\"",
        "\"\\ud800\\u0041\"", "\"\\ud800\\ud800\"",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (check_kind(texts[i]) != SY_JSON_ENCODING) fail_msg("case %zu was accepted", i);
    }
}

CASE(json_refuses_a_key_that_stands_twice)
{
    assert_int_equal(check_kind("{\"a\":1,\"b\":2,\"a\":3}"), SY_JSON_DUPLICATE);
    assert_int_equal(check_kind("{\"ab\":1,\"\\u0061b\":2}"), SY_JSON_DUPLICATE);
    assert_int_equal(check_kind("{\"x\":[{\"a\":1},{\"a\":1,\"\":0,\"\":0}]}"), SY_JSON_DUPLICATE);
    assert_int_equal(check_kind("{\"a\":{\"a\":1},\"b\":{\"a\":1}}"), SY_JSON_FINE);
}

CASE(json_finds_a_duplicate_among_many_keys)
{
    enum { KEYS = 3000 };
    char *text = malloc(KEYS * 16 + 64);
    assert_non_null(text);
    for (int repeat = 0; repeat < 2; repeat++) {
        size_t used = 0;
        text[used++] = '{';
        for (int i = 0; i < KEYS; i++) used += (size_t)sprintf(text + used, "\"k%d\":0,", i);
        used += (size_t)sprintf(text + used, repeat == 1 ? "\"k1234\":0}" : "\"other\":0}");
        assert_int_equal(check_kind(text), repeat == 1 ? SY_JSON_DUPLICATE : SY_JSON_FINE);
    }
    free(text);
}

CASE(json_allows_depth_64_and_no_more)
{
    char text[200];
    for (size_t depth = 63; depth <= 66; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        text[2 * depth] = '\0';
        assert_int_equal(check_kind(text), depth <= 64 ? SY_JSON_FINE : SY_JSON_DEPTH);
    }
}

CASE(json_fault_names_path_and_offset)
{
    struct sy_json_scanner scanner;
    sy_json_scanner_open(&scanner);
    const char *text = "{\"name\":[{\"given\":[\"A\"]},{\"given\":[\"B\",01]}]}";
    assert_false(sy_json_check(&scanner, text_of(text)));
    assert_string_equal(scanner.fault.path, "name[1].given[1]");
    assert_int_equal(scanner.fault.offset, strstr(text, "01") - text + 1);
    assert_false(sy_json_check(&scanner, text_of("{\"a\":{\"b\":1,\n\"c\":2,\"b\":3}}")));
    assert_string_equal(scanner.fault.path, "a.b");
    assert_int_equal(
        sy_json_line(text_of("{\"a\":{\"b\":1,\n\"c\":2,\"b\":3}}"), scanner.fault.offset), 2);
    sy_json_scanner_close(&scanner);
}

CASE(json_numbers_keep_their_lexemes)
{
    struct sy_slice value =
        text_of("{\"a\":1.00,\"b\":\"2.0 \\\" 3\",\"c\":[28.104000000000003,-1E-22]}");
    static const char *const wanted[] = {"1.00", "28.104000000000003", "-1E-22"};
    size_t offset = 0;
    struct sy_slice lexeme;
    for (size_t i = 0; i < 3; i++) {
        assert_true(sy_json_next_number(&lexeme, &offset, value));
        assert_true(slice_is(lexeme, wanted[i]));
    }
    assert_false(sy_json_next_number(&lexeme, &offset, value));
}

CASE(json_unquote_decodes_and_respects_room)
{
    char out[16];
    assert_true(sy_json_unquote(out, sizeof out, text_of("a\\u00e9\\n\\/")));
    assert_string_equal(out, "a\xc3\xa9\n/");
    assert_false(sy_json_unquote(out, 4, text_of("abcd")));
    assert_true(sy_json_unquote(out, 5, text_of("abcd")));
    assert_false(sy_json_unquote(out, sizeof out, text_of("a\\u0000b")));
}

/* --- documents ------------------------------------------------------------------------------- */

CASE(scan_gives_exact_bytes_of_each_resource)
{
    static const char bundle[] =
        "{\"resourceType\":\"Bundle\",\n \"type\":\"transaction\", \"entry\":[\n"
        "{\"fullUrl\":\"urn:uuid:1\",\"resource\": {\"resourceType\":\"Patient\" , \"x\":1.00} ,"
        "\"request\":{\"method\":\"POST\",\"url\":\"Patient\"}},"
        "{\"resource\":{\"resourceType\":\"Basic\"}}] }\n";
    struct sy_fhir_scan scan;
    sy_fhir_scan_open(&scan);
    assert_true(sy_fhir_scan_document(&scan, text_of(bundle)));
    assert_true(scan.is_bundle);
    assert_string_equal(scan.bundle_type, "transaction");
    assert_int_equal(scan.entry_count, 2);
    assert_true(slice_is(scan.entries[0].resource, "{\"resourceType\":\"Patient\" , \"x\":1.00}"));
    assert_true(slice_is(scan.entries[0].full_url, "urn:uuid:1"));
    assert_true(slice_is(scan.entries[0].method, "POST"));
    assert_true(slice_is(scan.entries[0].url, "Patient"));
    assert_true(slice_is(scan.entries[1].resource, "{\"resourceType\":\"Basic\"}"));
    assert_int_equal(scan.entries[1].full_url.size, 0);
    sy_fhir_scan_close(&scan);
}

CASE(scan_takes_a_single_resource_even_with_entries_of_its_own)
{
    struct sy_fhir_scan scan;
    sy_fhir_scan_open(&scan);
    const char *list =
        " {\"resourceType\":\"List\",\"entry\":[{\"item\":{\"reference\":\"A/1\"}}]} ";
    assert_true(sy_fhir_scan_document(&scan, text_of(list)));
    assert_false(scan.is_bundle);
    assert_int_equal(scan.entry_count, 1);
    assert_int_equal(scan.entries[0].resource.size, strlen(list) - 2);
    assert_false(scan.entries[0].faulty);
    // What is wrong inside a List's entry is the List's own fault.
    assert_false(sy_fhir_scan_document(
        &scan, text_of("{\"resourceType\":\"List\",\"entry\":[{\"item\":01},{}]}")));
    assert_int_equal(scan.entry_count, 0);
    assert_true(scan.faulty);
    sy_fhir_scan_close(&scan);
}

CASE(scan_counts_depth_from_the_resource)
{
    struct sy_fhir_scan scan;
    sy_fhir_scan_open(&scan);
    for (int depth = 62; depth <= 65; depth++) {
        char inner[200];
        char text[400];
        memset(inner, '[', (size_t)depth);
        memset(inner + depth, ']', (size_t)depth);
        inner[2 * depth] = '\0';
        sprintf(text, "{\"resourceType\":\"A\",\"x\":%s}", inner);
        assert_int_equal(sy_fhir_scan_document(&scan, text_of(text)), depth <= 63);
        sprintf(text, "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{\"x\":%s}}]}", inner);
        assert_true(sy_fhir_scan_document(&scan, text_of(text)));
        assert_int_equal(scan.entries[0].faulty, depth > 63);
    }
    sy_fhir_scan_close(&scan);
}

/* A damaged entry between two good ones: its fault is its own, the others stand. */
static void assert_contained(const char *damaged, enum sy_json_fault_kind kind, const char *path)
{
    char text[600];
    struct sy_fhir_scan scan;
    sprintf(text,
            "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{\"a\":1}},%s,"
            "{\"resource\":{\"b\":2}}]}",
            damaged);
    sy_fhir_scan_open(&scan);
    if (!sy_fhir_scan_document(&scan, text_of(text))) fail_msg("lost at %s", scan.fault.path);
    assert_int_equal(scan.entry_count, 3);
    assert_true(scan.entries[1].faulty);
    assert_int_equal(scan.entries[1].fault.kind, kind);
    assert_string_equal(scan.entries[1].fault.path, path);
    assert_int_equal(scan.entries[1].resource.size, 0);
    assert_false(scan.entries[0].faulty);
    assert_true(slice_is(scan.entries[2].resource, "{\"b\":2}"));
    sy_fhir_scan_close(&scan);
}

CASE(scan_contains_a_fault_in_its_entry)
{
    assert_contained("{\"resource\":{\"a\":01}}", SY_JSON_SYNTAX, "resource.a");
    assert_contained("{\"resource\":{\"a\":[tru]}}", SY_JSON_SYNTAX, "resource.a[0]");
    assert_contained("{\"resource\":{\"a\":1,}}", SY_JSON_SYNTAX, "resource.a");
    assert_contained("{\"resource\":{\"a\":1,\"a\":2}}", SY_JSON_DUPLICATE, "resource.a");
    assert_contained("{\"resource\":{},\"resource\":{}}", SY_JSON_DUPLICATE, "");
    assert_contained("{\"resource\":\"text\"}", SY_JSON_SYNTAX, "resource");
    assert_contained("{\"resource\":{\"a\":\"\xff\"}}", SY_JSON_ENCODING, "resource.a");
    assert_contained("{\"fullUrl\":7,\"resource\":{}}", SY_JSON_SYNTAX, "fullUrl");
    assert_contained("{\"request\":[],\"resource\":{}}", SY_JSON_SYNTAX, "request");
    assert_contained("{\"request\":{\"url\":{}}}", SY_JSON_SYNTAX, "request.url");
    assert_contained("7", SY_JSON_SYNTAX, "");
    assert_contained("[{}]", SY_JSON_SYNTAX, "");
}

CASE(scan_says_where_it_had_to_stop)
{
    struct sy_fhir_scan scan;
    sy_fhir_scan_open(&scan);
    assert_false(sy_fhir_scan_document(
        &scan, text_of("{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{\"a\":1}},"
                       "{\"resource\":{\"a\":[}},{\"resource\":{}}]}")));
    assert_true(scan.is_bundle);
    assert_int_equal(scan.entry_count, 2);
    assert_false(scan.entries[0].faulty);
    assert_true(scan.entries[1].faulty);
    assert_true(strncmp(scan.fault.path, "entry[1]", 8) == 0);
    assert_false(
        sy_fhir_scan_document(&scan, text_of("{\"resourceType\":\"Bundle\",\"entry\":{}")));
    assert_false(sy_fhir_scan_document(&scan, text_of("[]")));
    assert_false(sy_fhir_scan_document(&scan, text_of("{\"entry\":[],\"entry\":[]}")));
    assert_int_equal(scan.fault.kind, SY_JSON_DUPLICATE);
    sy_fhir_scan_close(&scan);
}

CASE(scan_bounds_urls)
{
    static char text[4096];
    static char url[2000];
    struct sy_fhir_scan scan;
    sy_fhir_scan_open(&scan);
    for (size_t size = 1024; size <= 1025; size++) {
        memset(url, 'u', size);
        url[size] = '\0';
        sprintf(text, "{\"resourceType\":\"Bundle\",\"entry\":[{\"fullUrl\":\"%s\"}]}", url);
        assert_true(sy_fhir_scan_document(&scan, text_of(text)));
        assert_int_equal(scan.entries[0].faulty, size > 1024);
    }
    sy_fhir_scan_close(&scan);
}

/* --- random text, and the public set --------------------------------------------------------- */

/* Grows a random value; every object has keys of its own. */
static size_t grow_value(sy_prng *prng, char *out, size_t room, unsigned depth)
{
    static const char *const scalars[] = {"1.00", "-0.5E+3", "\"a\\u0041\"",
                                          "true", "null",    "\"\""};
    if (depth == 0 || room < 200 || sy_prng_chance(prng, 1, 3)) {
        return (size_t)sprintf(out, "%s", scalars[sy_prng_below(prng, 6)]);
    }
    bool is_array = sy_prng_chance(prng, 1, 2);
    size_t used = 0;
    out[used++] = is_array ? '[' : '{';
    uint64_t count = sy_prng_below(prng, 5);
    for (uint64_t i = 0; i < count && room - used > 200; i++) {
        if (i != 0) out[used++] = ',';
        if (!is_array) used += (size_t)sprintf(out + used, "\"k%d\" :", (int)i);
        used += grow_value(prng, out + used, (room - used) / 2, depth - 1);
    }
    out[used++] = is_array ? ']' : '}';
    out[used] = '\0';
    return used;
}

CASE(random_values_pass_and_agree_with_jansson_after_damage)
{
    static char text[8192];
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    struct sy_json_scanner scanner;
    sy_json_scanner_open(&scanner);
    for (int round = 0; round < 3000; round++) {
        size_t size = grow_value(&prng, text, sizeof text, 6);
        assert_true(sy_json_check(&scanner, sy_slice_of(text, size)));
        text[sy_prng_below(&prng, size)] = "{}[],:\"0a\\ "[sy_prng_below(&prng, 11)];
        bool fine = sy_json_check(&scanner, sy_slice_of(text, size));
        json_t *value =
            json_loadb(text, size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
        if (fine != (value != NULL)) fail_msg("jansson says otherwise of: %s", text);
        json_decref(value);
    }
    sy_json_scanner_close(&scanner);
}

/* y_: must be accepted, n_: must be refused, i_: either. Two y_ files hold a key twice, which JSON
 * leaves open and we refuse on purpose. */
static void judge_file(struct sy_json_scanner *scanner, const char *folder, const char *name)
{
    char path[1024];
    uint8_t *data;
    size_t size;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(sy_os_read_file(&data, &size, path, 1u << 22, NULL), SY_OK);
    uint8_t *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, data, size);
    bool fine = sy_json_check(scanner, sy_slice_of(copy, size));
    bool duplicate = scanner->fault.kind == SY_JSON_DUPLICATE;
    bool expects_duplicate = strncmp(name, "y_object_duplicated_key", 23) == 0;
    if (name[0] == 'y' && !fine && !(duplicate && expects_duplicate)) fail_msg("refused %s", name);
    if (expects_duplicate && fine) fail_msg("accepted %s", name);
    if (name[0] == 'n' && fine) fail_msg("accepted %s", name);
    free(copy);
    free(data);
}

CASE(json_test_suite_is_judged_as_its_names_say)
{
    char folder[400];
    if (!test_data(folder, sizeof folder, "json-hostile/JSONTestSuite/test_parsing")) skip();
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    struct sy_json_scanner scanner;
    sy_json_scanner_open(&scanner);
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        if (strstr(entry->d_name, ".json") == NULL) continue;
        judge_file(&scanner, folder, entry->d_name);
        count++;
    }
    closedir(entries);
    sy_json_scanner_close(&scanner);
    printf("%zu files judged\n", count);
    assert_true(count > 300);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(json_accepts_every_form_of_value),
        cmocka_unit_test(json_refuses_what_the_grammar_refuses),
        cmocka_unit_test(json_refuses_text_that_is_not_utf8),
        cmocka_unit_test(json_refuses_a_key_that_stands_twice),
        cmocka_unit_test(json_finds_a_duplicate_among_many_keys),
        cmocka_unit_test(json_allows_depth_64_and_no_more),
        cmocka_unit_test(json_fault_names_path_and_offset),
        cmocka_unit_test(json_numbers_keep_their_lexemes),
        cmocka_unit_test(json_unquote_decodes_and_respects_room),
        cmocka_unit_test(scan_gives_exact_bytes_of_each_resource),
        cmocka_unit_test(scan_takes_a_single_resource_even_with_entries_of_its_own),
        cmocka_unit_test(scan_counts_depth_from_the_resource),
        cmocka_unit_test(scan_contains_a_fault_in_its_entry),
        cmocka_unit_test(scan_says_where_it_had_to_stop),
        cmocka_unit_test(scan_bounds_urls),
        cmocka_unit_test(random_values_pass_and_agree_with_jansson_after_damage),
        cmocka_unit_test(json_test_suite_is_judged_as_its_names_say),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
