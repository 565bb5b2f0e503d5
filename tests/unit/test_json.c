#include "core/base/json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/prng.h"
#include "tests/support/test.h"

static void assert_text(const char *text, size_t size, const char *expected)
{
    char buffer[256];
    sy_json json;
    sy_json_init_fixed(&json, buffer, sizeof buffer);
    sy_json_text_bytes(&json, text, size);
    assert_string_equal(sy_json_finish(&json), expected);
}

static void write_sample(sy_json *json)
{
    sy_json_object_begin(json);
    sy_json_put_text(json, "name", "x\"y");
    sy_json_key(json, "list");
    sy_json_array_begin(json);
    sy_json_u64(json, UINT64_MAX);
    sy_json_i64(json, INT64_MIN);
    sy_json_bool(json, true);
    sy_json_null(json);
    sy_json_object_begin(json);
    sy_json_object_end(json);
    sy_json_array_begin(json);
    sy_json_array_end(json);
    sy_json_array_end(json);
    sy_json_put_hex(json, "id", "\x00\xff", 2);
    sy_json_put_bool(json, "no", false);
    sy_json_put_text(json, "nothing", NULL);
    sy_json_put_i64(json, "minus", -5);
    sy_json_put_u64(json, "plus", 5);
    sy_json_put_decimal(json, "rate", 12340, 3);
    sy_json_object_end(json);
}

CASE(json_writes_every_kind_of_value)
{
    char buffer[512];
    sy_json json;
    sy_json_init_fixed(&json, buffer, sizeof buffer);
    write_sample(&json);
    assert_string_equal(
        sy_json_finish(&json),
        "{\"name\":\"x\\\"y\",\"list\":[18446744073709551615,-9223372036854775808,true,null,{},[]],"
        "\"id\":\"00ff\",\"no\":false,\"nothing\":null,\"minus\":-5,\"plus\":5,\"rate\":12.340}");
}

CASE(json_pretty_breaks_lines_and_indents)
{
    char buffer[512];
    sy_json json;
    sy_json_init_fixed(&json, buffer, sizeof buffer);
    sy_json_set_pretty(&json);
    sy_json_object_begin(&json);
    sy_json_put_u64(&json, "a", 1);
    sy_json_key(&json, "b");
    sy_json_array_begin(&json);
    sy_json_u64(&json, 2);
    sy_json_u64(&json, 3);
    sy_json_array_end(&json);
    sy_json_key(&json, "c");
    sy_json_array_begin(&json);
    sy_json_array_end(&json);
    sy_json_object_end(&json);
    assert_string_equal(sy_json_finish(&json), "{\n  \"a\": 1,\n  \"b\": [\n    2,\n    3\n  ],\n"
                                               "  \"c\": []\n}");
}

CASE(json_escapes_what_must_not_stand_in_a_string)
{
    assert_text("a\"b\\c/d", 7, "\"a\\\"b\\\\c/d\"");
    assert_text("\b\t\n\f\r", 5, "\"\\b\\t\\n\\f\\r\"");
    assert_text("\0\x01\x0b\x1f\x7f", 5, "\"\\u0000\\u0001\\u000b\\u001f\x7f\"");
    assert_text("", 0, "\"\"");
    assert_text(NULL, 0, "\"\"");
}

CASE(json_keeps_well_formed_utf8)
{
    assert_text("\xc3\xa9", 2, "\"\xc3\xa9\"");
    assert_text("\xe2\x82\xac", 3, "\"\xe2\x82\xac\"");
    assert_text("\xf0\x9f\xa9\xba", 4, "\"\xf0\x9f\xa9\xba\"");
    assert_text("\xf4\x8f\xbf\xbf", 4, "\"\xf4\x8f\xbf\xbf\"");
    assert_text("\xed\x9f\xbf\xee\x80\x80", 6, "\"\xed\x9f\xbf\xee\x80\x80\"");
}

CASE(json_replaces_ill_formed_utf8)
{
#define R "\xef\xbf\xbd"
    assert_text("a\xff"
                "b",
                3, "\"a" R "b\"");
    assert_text("\xc0\xaf", 2, "\"" R R "\"");             // overlong
    assert_text("\xed\xa0\x80", 3, "\"" R R R "\"");       // a surrogate
    assert_text("\xf4\x90\x80\x80", 4, "\"" R R R R "\""); // above U+10FFFF
    assert_text("\xe2\x82", 2, "\"" R "\"");               // cut short: one piece
    assert_text("\xe2\x82x", 3, "\"" R "x\"");
    assert_text("\xf0\x9f\xa9", 3, "\"" R "\"");
    assert_text("\x80", 1, "\"" R "\"");
    // The example of table 3-8 of the Unicode standard.
    assert_text("\x61\xf1\x80\x80\xe1\x80\xc2\x62\x80\x63\x80\xbf\x64", 13,
                "\"a" R R R "b" R "c" R R "d\"");
#undef R
}

CASE(json_decimal_is_exact)
{
    static const struct {
        int64_t value;
        unsigned digits;
        const char *text;
    } cases[] = {{0, 3, "0.000"},
                 {7, 0, "7"},
                 {-7, 1, "-0.7"},
                 {5, 3, "0.005"},
                 {-12345, 2, "-123.45"},
                 {1000000000, 9, "1.000000000"},
                 {INT64_MIN, 1, "-922337203685477580.8"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char buffer[64];
        sy_json json;
        sy_json_init_fixed(&json, buffer, sizeof buffer);
        sy_json_decimal(&json, cases[i].value, cases[i].digits);
        assert_string_equal(sy_json_finish(&json), cases[i].text);
    }
}

CASE(json_fixed_says_exactly_when_the_text_does_not_fit)
{
    char whole[512];
    sy_json json;
    sy_json_init_fixed(&json, whole, sizeof whole);
    write_sample(&json);
    size_t needed = strlen(sy_json_finish(&json)) + 1;
    for (size_t size = 1; size <= needed; size++) {
        char *exact = (char *)test_malloc(size);
        sy_json_init_fixed(&json, exact, size);
        write_sample(&json);
        const char *text = sy_json_finish(&json);
        assert_true((text != NULL) == (size == needed));
        if (text) assert_string_equal(text, whole);
        test_free(exact);
    }
}

CASE(json_growing_stops_at_its_bound)
{
    sy_json json;
    for (size_t bound = 1; bound < 5000; bound += 617) {
        sy_json_init_growing(&json, bound);
        sy_json_array_begin(&json);
        for (int i = 0; i < 1000; i++) sy_json_u64(&json, 7);
        sy_json_array_end(&json);
        const char *text = sy_json_finish(&json);
        assert_true((text != NULL) == (bound >= 2002));
        if (text) assert_int_equal(strlen(text), 2001);
        sy_json_free(&json);
    }
    sy_json_init_growing(&json, 10);
    sy_json_free(&json);
}

CASE(json_text_of_random_bytes_is_read_back_by_jansson)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    for (int round = 0; round < 2000; round++) {
        uint8_t bytes[64];
        size_t size = sy_prng_below(&prng, sizeof bytes);
        sy_prng_fill(&prng, bytes, size);
        // Half of the rounds stay near the borders of UTF-8.
        for (size_t i = 0; round % 2 && i < size; i++) bytes[i] = (uint8_t)(bytes[i] | 0x80);
        for (size_t i = 0; i < size; i++) bytes[i] = bytes[i] ? bytes[i] : 1;
        char buffer[1024];
        sy_json json;
        sy_json_init_fixed(&json, buffer, sizeof buffer);
        sy_json_array_begin(&json);
        sy_json_text_bytes(&json, bytes, size);
        sy_json_array_end(&json);
        json_error_t error;
        json_t *parsed = json_loads(sy_json_finish(&json), 0, &error);
        assert_non_null(parsed);
        assert_true(json_is_string(json_array_get(parsed, 0)));
        json_decref(parsed);
    }
}

static void end_without_begin(void *context)
{
    sy_json_object_end((sy_json *)context);
}

static void value_without_key(void *context)
{
    sy_json_object_begin((sy_json *)context);
    sy_json_null((sy_json *)context);
}

static void array_ended_as_object(void *context)
{
    sy_json_array_begin((sy_json *)context);
    sy_json_object_end((sy_json *)context);
}

static void two_values_at_the_top(void *context)
{
    sy_json_null((sy_json *)context);
    sy_json_null((sy_json *)context);
}

static void finish_too_early(void *context)
{
    sy_json_array_begin((sy_json *)context);
    if (!sy_json_finish((sy_json *)context)) _Exit(1);
}

static void nest_too_deep(void *context)
{
    for (int i = 0; i <= SY_JSON_DEPTH_MAX; i++) sy_json_array_begin((sy_json *)context);
}

CASE(json_asserts_on_calls_out_of_order)
{
    static void (*const wrong[])(void *) = {end_without_begin,     value_without_key,
                                            array_ended_as_object, two_values_at_the_top,
                                            finish_too_early,      nest_too_deep};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char buffer[256];
        sy_json json;
        sy_json_init_fixed(&json, buffer, sizeof buffer);
        assert_aborts(wrong[i], &json);
    }
}

CASE(json_nests_to_its_stated_depth)
{
    char buffer[256];
    sy_json json;
    sy_json_init_fixed(&json, buffer, sizeof buffer);
    for (int i = 0; i < SY_JSON_DEPTH_MAX; i++) sy_json_array_begin(&json);
    for (int i = 0; i < SY_JSON_DEPTH_MAX; i++) sy_json_array_end(&json);
    assert_int_equal(strlen(sy_json_finish(&json)), 2 * SY_JSON_DEPTH_MAX);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(json_writes_every_kind_of_value),
        cmocka_unit_test(json_pretty_breaks_lines_and_indents),
        cmocka_unit_test(json_escapes_what_must_not_stand_in_a_string),
        cmocka_unit_test(json_keeps_well_formed_utf8),
        cmocka_unit_test(json_replaces_ill_formed_utf8),
        cmocka_unit_test(json_decimal_is_exact),
        cmocka_unit_test(json_fixed_says_exactly_when_the_text_does_not_fit),
        cmocka_unit_test(json_growing_stops_at_its_bound),
        cmocka_unit_test(json_text_of_random_bytes_is_read_back_by_jansson),
        cmocka_unit_test(json_asserts_on_calls_out_of_order),
        cmocka_unit_test(json_nests_to_its_stated_depth),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
