/* test_wire_refusal.c: the registry of refusal codes keeps its promises. */
#include "tests/support/test.h"

#include <ctype.h>
#include <string.h>

#include "core/wire/refusal.h"

static unsigned count_codes(void)
{
    unsigned count = 0;
    while (sy_refusal_at(count)) count++;
    return count;
}

CASE(every_code_is_found_by_number_and_by_name)
{
    const struct sy_refusal_info *info;
    for (unsigned i = 0; (info = sy_refusal_at(i)) != NULL; i++) {
        assert_ptr_equal(sy_refusal_info(info->number), info);
        assert_ptr_equal(sy_refusal_by_name(info->name), info);
    }
    assert_true(count_codes() > 30);
    assert_null(sy_refusal_by_name("E_NOTHING"));
}

CASE(numbers_and_names_are_used_once)
{
    unsigned count = count_codes();
    for (unsigned i = 0; i < count; i++) {
        for (unsigned k = 0; k < i; k++) {
            assert_int_not_equal(sy_refusal_at(i)->number, sy_refusal_at(k)->number);
            assert_string_not_equal(sy_refusal_at(i)->name, sy_refusal_at(k)->name);
        }
    }
}

CASE(numbers_ascend_so_that_listings_are_in_order)
{
    for (unsigned i = 1; i < count_codes(); i++) {
        assert_true(sy_refusal_at(i)->number > sy_refusal_at(i - 1)->number);
    }
}

CASE(every_code_says_what_happened_and_what_to_do)
{
    const struct sy_refusal_info *info;
    for (unsigned i = 0; (info = sy_refusal_at(i)) != NULL; i++) {
        assert_true(strlen(info->sentence) > 10);
        assert_true(strlen(info->remedy) > 5);
        // Sentences join others: no capital in front, no full stop behind.
        assert_true(islower((unsigned char)info->sentence[0]));
        assert_int_not_equal(info->sentence[strlen(info->sentence) - 1], '.');
        assert_int_not_equal(info->remedy[strlen(info->remedy) - 1], '.');
    }
}

CASE(unknown_numbers_have_an_entry_that_says_so)
{
    const struct sy_refusal_info *info = sy_refusal_info(60000);
    assert_non_null(info);
    assert_string_equal(info->name, "E_UNKNOWN");
    assert_non_null(strstr(info->sentence, "not known"));
}

CASE(success_is_code_zero)
{
    assert_int_equal(SY_APPLIED, 0);
    assert_string_equal(sy_refusal_info(SY_APPLIED)->name, "APPLIED");
    assert_ptr_equal(sy_refusal_at(0), sy_refusal_info(SY_APPLIED));
}

// ledger.md 5.0: refusals up to E_EXPIRED consume no nonce and decide only that copy.
CASE(codes_from_48_on_decide_a_transaction)
{
    assert_true(sy_refusal_decides(SY_APPLIED));
    assert_false(sy_refusal_decides(SY_E_BUSY));
    assert_false(sy_refusal_decides(SY_E_KEY_UNKNOWN));
    assert_false(sy_refusal_decides(SY_E_KEY_REVOKED));
    assert_false(sy_refusal_decides(SY_E_REPLAY));
    assert_false(sy_refusal_decides(SY_E_EXPIRED));
    assert_true(sy_refusal_decides(SY_E_ORG_SUSPENDED));
    assert_true(sy_refusal_decides(SY_E_ROLE));
    assert_true(sy_refusal_decides(SY_E_SCHEMA));
    assert_true(sy_refusal_decides(SY_E_STALE_HEAD));
}

// Receipts and proofs outlive programs: these numbers may never change.
CASE(numbers_of_the_first_version_stand)
{
    assert_int_equal(SY_E_SIZE, 1);
    assert_int_equal(SY_E_DECODE, 2);
    assert_int_equal(SY_E_NETWORK, 3);
    assert_int_equal(SY_E_VERSION, 4);
    assert_int_equal(SY_E_SIG, 5);
    assert_int_equal(SY_E_BUSY, 6);
    assert_int_equal(SY_E_KEY_UNKNOWN, 32);
    assert_int_equal(SY_E_KEY_REVOKED, 33);
    assert_int_equal(SY_E_REPLAY, 34);
    assert_int_equal(SY_E_EXPIRED, 35);
    assert_int_equal(SY_E_ORG_SUSPENDED, 48);
    assert_int_equal(SY_E_ROLE, 49);
    assert_int_equal(SY_E_SCHEMA, 50);
    assert_int_equal(SY_E_ORG_UNKNOWN, 64);
    assert_int_equal(SY_E_STALE_HEAD, 83);
    assert_int_equal(SY_E_SIGNER_MISSING, 87);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(every_code_is_found_by_number_and_by_name),
        cmocka_unit_test(numbers_and_names_are_used_once),
        cmocka_unit_test(numbers_ascend_so_that_listings_are_in_order),
        cmocka_unit_test(every_code_says_what_happened_and_what_to_do),
        cmocka_unit_test(unknown_numbers_have_an_entry_that_says_so),
        cmocka_unit_test(success_is_code_zero),
        cmocka_unit_test(codes_from_48_on_decide_a_transaction),
        cmocka_unit_test(numbers_of_the_first_version_stand),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
