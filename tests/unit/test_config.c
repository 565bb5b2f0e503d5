/* systoled.conf: every key with its default and bounds, every mistake with its sentence. */
#include "consensus/node/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/bytes.h"
#include "core/base/os.h"
#include "tests/support/test.h"

static char folder[256];
static char path[300];

static int set_up(void **state)
{
    (void)state;
    test_folder(folder, sizeof folder, "config");
    (void)snprintf(path, sizeof path, "%s/systoled.conf", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    struct sy_error err;
    return sy_os_remove_tree(folder, &err) == SY_OK ? 0 : 1;
}

static sy_status load_bytes(struct sy_config *config, const void *bytes, size_t size,
                            struct sy_error *err)
{
    assert_int_equal(sy_os_write_file(path, bytes, size, 0600, err), SY_OK);
    return sy_config_load(config, path, err);
}

static sy_status load(struct sy_config *config, const char *text, struct sy_error *err)
{
    return load_bytes(config, text, strlen(text), err);
}

static void expect_error(const char *text, const char *line, const char *sentence)
{
    struct sy_config config;
    struct sy_error err = {SY_OK, ""};
    char where[320];
    assert_int_equal(load(&config, text, &err), SY_ERR_ARGUMENT);
    (void)snprintf(where, sizeof where, "%s:%s", path, line);
    if (strstr(err.text, where) == NULL || strstr(err.text, sentence) == NULL) {
        fail_msg("\"%s\" does not say %s and \"%s\"", err.text, where, sentence);
    }
}

CASE(config_of_an_empty_file_is_the_default)
{
    struct sy_config config, fallback;
    struct sy_error err;
    sy_config_default(&fallback);
    assert_int_equal(load(&config, "# nothing\n\n   \t\n", &err), SY_OK);
    assert_int_equal(config.batch_timeout_ms, 4);
    assert_int_equal(config.batch_txs_max, fallback.batch_txs_max);
    assert_string_equal(config.log_level, "info");
    assert_string_equal(config.http, "");
    char expected[320];
    (void)snprintf(expected, sizeof expected, "%s/keys/consensus.pem", folder);
    assert_string_equal(config.consensus_key, expected); /* from the configuration's folder */
    assert_string_equal(config.log_file, "");            /* none stays none */
}

CASE(config_takes_values_as_they_stand)
{
    struct sy_config config;
    struct sy_error err;
    const char *text = "batch_timeout_ms=9\r\n  log_level  =  debug  \n"
                       "data = /var/lib/systole\ncontrol = tcp://127.0.0.1:9\nskew_ms = 600000";
    assert_int_equal(load(&config, text, &err), SY_OK);
    assert_int_equal(config.batch_timeout_ms, 9);
    assert_string_equal(config.log_level, "debug");
    assert_string_equal(config.data, "/var/lib/systole");
    assert_string_equal(config.control, "tcp://127.0.0.1:9");
    assert_int_equal(config.skew_ms, 600000);
    assert_int_equal(load(&config, "data =\n", &err), SY_OK);
    assert_string_equal(config.data, "");
}

CASE(config_says_where_a_mistake_is_and_what)
{
    expect_error("\n# x\nbatch_timeout\n", "3:", "expected `key = value`, found \"batch_timeout\"");
    expect_error("bach_timeout_ms = 5\n", "1:", "there is no key \"bach_timeout_ms\"");
    expect_error("bach_timeout_ms = 5\n", "1:", "--explain-config");
    expect_error(" = 5\n", "1:", "there is no key \"\"");
    expect_error("skew_ms = 200\nskew_ms = 200\n", "2:", "skew_ms is given twice");
    expect_error("batch_timeout_ms = 0\n",
                 "1:", "must be a whole number from 1 to 1000, not \"0\"");
    expect_error("batch_timeout_ms = 1001\n", "1:", "from 1 to 1000");
    expect_error("batch_timeout_ms = 5ms\n", "1:", "not \"5ms\"");
    expect_error("batch_timeout_ms = -5\n", "1:", "not \"-5\"");
    expect_error("batch_timeout_ms = \n", "1:", "not \"\"");
    expect_error("batch_timeout_ms = 5 # a comment of its own line\n", "1:", "whole number");
    expect_error("batch_timeout_ms = 99999999999999999999\n", "1:", "whole number");
    expect_error("pipeline_slots = 57\n", "1:", "from 1 to 56");
}

CASE(config_refuses_what_is_too_long_or_no_text)
{
    struct sy_config config;
    struct sy_error err;
    char text[600];
    memset(text, 'a', sizeof text);
    memcpy(text, "log_level = ", 12);
    text[12 + SY_CONFIG_TEXT_MAX - 1] = '\0';
    assert_int_equal(load(&config, text, &err), SY_OK);
    text[12 + SY_CONFIG_TEXT_MAX - 1] = 'a';
    text[12 + SY_CONFIG_TEXT_MAX] = '\0';
    expect_error(text, "1:", "log_level is longer than 255 bytes");
    memcpy(text, "data      = ", 12); /* short enough alone, too long behind its folder */
    text[12 + SY_CONFIG_TEXT_MAX - 2] = '\0';
    assert_int_equal(load(&config, text, &err), SY_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "the path of data is longer than 255 bytes"));
    assert_int_equal(load_bytes(&config, "skew_ms\0= 5\n", 12, &err), SY_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "not a text file"));
}

CASE(config_that_is_missing_or_huge_is_an_error)
{
    struct sy_config config;
    struct sy_error err;
    assert_int_equal(sy_config_load(&config, "/nowhere/systoled.conf", &err), SY_ERR_NOT_FOUND);
    size_t size = 70000;
    char *text = (char *)malloc(size);
    assert_non_null(text);
    memset(text, '#', size);
    assert_int_equal(load_bytes(&config, text, size, &err), SY_ERR_LIMIT);
    free(text);
}

#define KEY_A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define KEY_B "0f112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define WHERE " tcp://127.0.0.1:9000 tcp://127.0.0.1:9001\n"

CASE(config_lists_observers)
{
    struct sy_config config;
    struct sy_error err;
    uint8_t key[32];
    assert_int_equal(load(&config, "observer = a " KEY_A WHERE "observer =  b\t" KEY_B WHERE, &err),
                     SY_OK);
    assert_int_equal(config.observer_count, 2);
    assert_false(config.observes);
    assert_string_equal(config.observers[0].name, "a");
    assert_string_equal(config.observers[1].name, "b");
    assert_true(sy_hex_decode(key, sizeof key, KEY_B));
    assert_memory_equal(config.observers[1].key.bytes, key, sizeof key);
    assert_string_equal(config.observers[1].control, "tcp://127.0.0.1:9000");
    assert_string_equal(config.observers[1].bulk, "tcp://127.0.0.1:9001");

    assert_int_equal(load(&config, "role = observer\n", &err), SY_OK);
    assert_true(config.observes);
    assert_int_equal(config.observer_count, 0);
}

CASE(config_says_what_is_wrong_with_an_observer)
{
    expect_error("observer = a\n", "1:", "an observer is a name");
    expect_error("observer = a " KEY_A " tcp://127.0.0.1:9000\n", "1:", "an observer is a name");
    expect_error("observer = a " KEY_A " tcp://127.0.0.1:9 tcp://127.0.0.1:8 x\n",
                 "1:", "an observer is a name");
    expect_error("observer = a 0011" WHERE, "1:", "64 hex digits");
    expect_error("observer = a " KEY_A " ftp://x tcp://127.0.0.1:8\n", "1:", "ftp://x");
    expect_error("observer = a " KEY_A " tcp://127.0.0.1:8 nowhere\n", "1:", "nowhere");
    expect_error("observer = a " KEY_A WHERE "\nobserver = a " KEY_B WHERE,
                 "3:", "another observer has this name: a");
    expect_error("observer = a " KEY_A WHERE "observer = b " KEY_A WHERE,
                 "2:", "another observer has this key: a");
    expect_error("role = observer\nobserver = a " KEY_A WHERE, "", "lets in no observers");
    expect_error("role = spectator\n", "", "role is validator or observer, not \"spectator\"");
    char text[2048];
    size_t used = 0;
    for (unsigned i = 0; i <= SY_NODE_OBSERVERS_MAX; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "observer = o%u %02x%s%s", i, i,
                                 &KEY_A[2], WHERE);
    }
    expect_error(text, "9:", "lets in at most 8 observers");
}

/* What --explain-config prints is itself a configuration: the default one. Every number's bounds
 * are accepted, and one beyond each of them is not. */
CASE(config_explains_itself)
{
    struct sy_config config, fallback;
    struct sy_error err;
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    sy_config_explain(out);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(sy_config_load(&config, path, &err), SY_OK);
    assert_int_equal(load(&fallback, "", &err), SY_OK);
#define SY_CONFIG_TEXT(name, value, help) assert_string_equal(config.name, fallback.name);
#define SY_CONFIG_PATH(name, value, help) assert_string_equal(config.name, fallback.name);
#define SY_CONFIG_NUMBER(name, value, least, most, help) \
    assert_true(config.name == (value) && (value) >= (least) && (value) <= (most));
#define SY_CONFIG_ZERO_OR(name, value, least, most, help) assert_true(config.name == (value));
#include "consensus/node/config.def"
#undef SY_CONFIG_TEXT
#undef SY_CONFIG_PATH
#undef SY_CONFIG_NUMBER
#undef SY_CONFIG_ZERO_OR
}

static void expect_bounds(const char *name, uint64_t least, uint64_t most)
{
    struct sy_config config;
    struct sy_error err;
    char text[100];
    const uint64_t good[] = {least, most};
    for (unsigned i = 0; i < 2; i++) {
        (void)snprintf(text, sizeof text, "%s = %llu\n", name, (unsigned long long)good[i]);
        assert_int_equal(load(&config, text, &err), SY_OK);
    }
    (void)snprintf(text, sizeof text, "%s = %llu\n", name, (unsigned long long)most + 1);
    assert_int_equal(load(&config, text, &err), SY_ERR_ARGUMENT);
    if (least == 0) return;
    (void)snprintf(text, sizeof text, "%s = %llu\n", name, (unsigned long long)least - 1);
    assert_int_equal(load(&config, text, &err), SY_ERR_ARGUMENT);
}

static void expect_zero(const char *name)
{
    struct sy_config config;
    struct sy_error err;
    char text[100];
    (void)snprintf(text, sizeof text, "%s = 0\n", name);
    assert_int_equal(load(&config, text, &err), SY_OK);
}

CASE(config_keeps_every_bound)
{
#define SY_CONFIG_TEXT(name, value, help)
#define SY_CONFIG_PATH(name, value, help)
#define SY_CONFIG_NUMBER(name, value, least, most, help) expect_bounds(#name, least, most);
#define SY_CONFIG_ZERO_OR(name, value, least, most, help) \
    expect_bounds(#name, least, most);                    \
    expect_zero(#name);
#include "consensus/node/config.def"
#undef SY_CONFIG_TEXT
#undef SY_CONFIG_PATH
#undef SY_CONFIG_NUMBER
#undef SY_CONFIG_ZERO_OR
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(config_of_an_empty_file_is_the_default),
        cmocka_unit_test(config_takes_values_as_they_stand),
        cmocka_unit_test(config_says_where_a_mistake_is_and_what),
        cmocka_unit_test(config_refuses_what_is_too_long_or_no_text),
        cmocka_unit_test(config_that_is_missing_or_huge_is_an_error),
        cmocka_unit_test(config_lists_observers),
        cmocka_unit_test(config_says_what_is_wrong_with_an_observer),
        cmocka_unit_test(config_explains_itself),
        cmocka_unit_test(config_keeps_every_bound),
    };
    return cmocka_run_group_tests(cases, set_up, tear_down);
}
