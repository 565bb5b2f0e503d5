/* test_engine_choice.c: an engine by name or by time, what a person is told, and how far those that
 * there are were asked before they are used. */
#include <string.h>

#include "core/base/telemetry.h"
#include "core/crypto/engine_choice.h"
#include "tests/support/engines.h"
#include "tests/support/test.h"

static sy_status open_none(void **state, const struct sy_engine_config *config,
                           struct sy_error *err)
{
    (void)config;
    *state = NULL;
    return sy_fail(err, SY_ERR_NOT_FOUND, "no such device");
}

static sy_status open_any(void **state, const struct sy_engine_config *config, struct sy_error *err)
{
    (void)config;
    (void)err;
    *state = NULL;
    return SY_OK;
}

static sy_status say_yes(void *state, struct sy_submission *submission, struct sy_hash *scratch)
{
    sy_status status = sy_engine_openssl.run(state, submission, scratch);
    if (submission->job_count > 0) memset(submission->verdicts, 1, submission->job_count);
    return status;
}

// OpenSSL's answers, given five times over: right, and slower than OpenSSL.
static sy_status dawdle(void *state, struct sy_submission *submission, struct sy_hash *scratch)
{
    for (unsigned i = 0; i < 5; i++) {
        if (sy_engine_openssl.run(state, submission, scratch) != SY_OK) return SY_ERR_CRYPTO;
    }
    return SY_OK;
}

// Right, until it is asked what the self-test does not ask.
static sy_status fail_late(void *state, struct sy_submission *submission, struct sy_hash *scratch)
{
    if (submission->tree_count == 0) return SY_ERR_IO;
    return sy_engine_openssl.run(state, submission, scratch);
}

static const struct sy_engine_impl absent = {.name = "absent", .open = open_none};
static const struct sy_engine_impl liar = {.name = "liar", .open = open_any, .run = say_yes};
static const struct sy_engine_impl slow = {.name = "slow", .open = open_any, .run = dawdle};
static const struct sy_engine_impl late = {.name = "late", .open = open_any, .run = fail_late};
static const struct sy_engine_impl *const offered[] = {
    &absent, &slow, &liar, &sy_engine_portable, &sy_engine_openssl, NULL};

static void assert_refused(const char *name, const char *words)
{
    struct sy_engine_choice choice;
    struct sy_error err;
    assert_int_equal(sy_engine_choose(&choice, name, offered, 1, &err), SY_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, name));
    assert_non_null(strstr(err.text, words));
}

CASE(an_unknown_name_is_refused_with_those_there_are)
{
    assert_refused("cuda", "auto, absent, slow, liar, portable, openssl");
    assert_refused("", "this build has");
}

CASE(one_that_does_not_run_here_is_refused_with_the_reason)
{
    assert_refused("absent", "no such device");
    assert_refused("liar", "does not run on this machine");
}

CASE(a_name_gets_that_one_and_those_behind_it)
{
    struct sy_engine_choice choice;
    assert_int_equal(sy_engine_choose(&choice, "portable", offered, 1, NULL), SY_OK);
    assert_ptr_equal(choice.impls[0], &sy_engine_portable);
    assert_ptr_equal(choice.impls[1], &sy_engine_openssl);
    assert_null(choice.impls[2]);
    assert_string_equal(choice.why, "portable, as configured");
    assert_int_equal(sy_engine_choose(&choice, "openssl", offered, 1, NULL), SY_OK);
    assert_ptr_equal(choice.impls[0], &sy_engine_openssl);
    assert_null(choice.impls[1]);
}

CASE(auto_takes_the_fastest_that_is_right)
{
    struct sy_engine_choice choice;
    assert_int_equal(sy_engine_choose(&choice, "auto", offered, 1, NULL), SY_OK);
    for (size_t i = 0; choice.impls[i]; i++) {
        assert_ptr_not_equal(choice.impls[i], &absent);
        assert_ptr_not_equal(choice.impls[i], &liar);
        assert_ptr_not_equal(choice.impls[i], &slow); // Behind OpenSSL: of no use.
        assert_true(choice.per_s[i] > 0);
        if (i > 0) assert_true(choice.per_s[i - 1] >= choice.per_s[i]);
        assert_non_null(strstr(choice.why, choice.impls[i]->name));
    }
    assert_non_null(strstr(choice.why, "slow"));
    assert_non_null(strstr(choice.why, "/s"));
}

// Nobody asks it again, so this is the only alarm there will be.
CASE(auto_raises_an_alarm_for_each_that_is_not_well)
{
    static const struct sy_engine_impl *const unwell[] = {&absent, &liar, &late, &sy_engine_openssl,
                                                          NULL};
    struct sy_engine_choice choice;
    uint64_t before = sy_metric_get(SY_M_engine_retired_total);
    assert_int_equal(sy_engine_choose(&choice, "auto", unwell, 1, NULL), SY_OK);
    assert_int_equal(sy_metric_get(SY_M_engine_retired_total) - before, 2);
    assert_ptr_equal(choice.impls[0], &sy_engine_openssl);
    assert_null(choice.impls[1]);
    assert_non_null(strstr(choice.why, "liar failed"));
    assert_non_null(strstr(choice.why, "late failed"));
    assert_null(strstr(choice.why, "absent"));
}

CASE(auto_without_timing_takes_them_in_order)
{
    struct sy_engine_choice choice;
    struct sy_engine_info info;
    sy_engine *engine = NULL;
    assert_int_equal(sy_engine_choose(&choice, "auto", sy_engine_cpu_impls, 0, NULL), SY_OK);
    struct sy_engine_config config = {.queue = 1, .impls = choice.impls};
    assert_int_equal(sy_engine_open(&engine, &config, NULL), SY_OK);
    sy_engine_get_info(engine, &info);
    assert_string_not_equal(info.impl, "openssl");
    assert_int_equal(info.retired, 0);
    sy_engine_close(engine);
}

// RFC 8032 7.1, test 1: a key of the self-test, under which it has good and bad signatures.
CASE(the_selftest_reaches_the_tables_of_every_implementation)
{
    struct sy_public_key key;
    struct sy_hash organisation = {{1}};
    assert_true(sy_hex_decode(key.bytes, sizeof key.bytes,
                              "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"));
    for (size_t i = 0; engines_under_test[i]; i++) {
        const struct sy_engine_impl *const impls[] = {engines_under_test[i], &sy_engine_openssl,
                                                      NULL};
        struct sy_engine_info info;
        if (engines_under_test[i] == &sy_engine_openssl) continue;
        sy_engine *engine = NULL;
        struct sy_engine_config config = {.queue = 1, .table_bytes = 16u << 20, .impls = impls};
        assert_int_equal(sy_engine_open(&engine, &config, NULL), SY_OK);
        sy_engine_get_info(engine, &info);
        bool runs_here = strcmp(info.impl, "openssl") != 0;
        uint32_t handle = sy_engine_key_hint(engine, &key, &organisation);
        assert_int_equal(handle != SY_KEY_HANDLE_NONE, runs_here);
        sy_engine_close(engine);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(an_unknown_name_is_refused_with_those_there_are),
        cmocka_unit_test(one_that_does_not_run_here_is_refused_with_the_reason),
        cmocka_unit_test(a_name_gets_that_one_and_those_behind_it),
        cmocka_unit_test(auto_takes_the_fastest_that_is_right),
        cmocka_unit_test(auto_raises_an_alarm_for_each_that_is_not_well),
        cmocka_unit_test(auto_without_timing_takes_them_in_order),
        cmocka_unit_test(the_selftest_reaches_the_tables_of_every_implementation),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
