/* test_at_time.c: whether a credential was valid at a time gone by. */
#include "core/client/at_time.h"
#include "tests/support/network.h"
#include "tests/support/test.h"

static struct sy_credential doctor(void)
{
    return (struct sy_credential){.use = SY_KEY_TX,
                                  .role = SY_ROLE_DOCTOR,
                                  .issued_height = 10,
                                  .not_before_ms = 1000,
                                  .not_after_ms = 2000};
}

CASE(a_credential_is_valid_from_its_block_on_in_its_window)
{
    struct sy_credential one = doctor();
    assert_int_equal(sy_credential_at(&one, NULL, 9, 1500), SY_AT_NOT_ENROLLED);
    assert_int_equal(sy_credential_at(&one, NULL, 10, 999), SY_AT_EARLY);
    assert_int_equal(sy_credential_at(&one, NULL, 10, 1000), SY_AT_VALID);
    assert_int_equal(sy_credential_at(&one, NULL, 90, 2000), SY_AT_VALID);
    assert_int_equal(sy_credential_at(&one, NULL, 90, 2001), SY_AT_EXPIRED);
    one.revoked = true;
    one.revoked_height = 50;
    assert_int_equal(sy_credential_at(&one, NULL, 49, 1500), SY_AT_VALID);
    assert_int_equal(sy_credential_at(&one, NULL, 50, 1500), SY_AT_REVOKED);
}

CASE(it_is_not_while_its_organisation_is_suspended)
{
    struct sy_credential one = doctor();
    struct sy_suspension last = {.begun = {.reason = 1, .height = 30}};
    assert_int_equal(sy_credential_at(&one, &last, 30, 1500), SY_AT_ORG_SUSPENDED);
    assert_int_equal(sy_credential_at(&one, &last, 99, 1500), SY_AT_ORG_SUSPENDED);
    last.has_ended = true;
    last.ended = (struct sy_suspension_end){.reason = 1, .height = 40};
    assert_int_equal(sy_credential_at(&one, &last, 39, 1500), SY_AT_ORG_SUSPENDED);
    assert_int_equal(sy_credential_at(&one, &last, 40, 1500), SY_AT_VALID);
    last.ended.height = 30; // in the same block
    assert_int_equal(sy_credential_at(&one, &last, 30, 1500), SY_AT_VALID);
    one.revoked = true;
    one.revoked_height = 11;
    last.has_ended = false;
    assert_int_equal(sy_credential_at(&one, &last, 31, 1500), SY_AT_REVOKED);
}

CASE(a_suspension_counts_from_its_block_to_the_one_that_ends_it)
{
    struct sy_suspension one = {.begun = {.reason = 1, .height = 30}};
    assert_false(sy_suspension_at(&one, 29));
    assert_true(sy_suspension_at(&one, 30));
    one.has_ended = true;
    one.ended.height = 31;
    assert_true(sy_suspension_at(&one, 30));
    assert_false(sy_suspension_at(&one, 31));
}

/* As execution judges signers: nobody answers for these. */
CASE(persons_regulators_and_validators_are_of_no_organisation)
{
    for (uint8_t role = 1; role < SY_ROLE_COUNT; role++) {
        struct sy_credential one = doctor();
        one.role = role;
        bool none = role == SY_ROLE_REGULATOR || role == SY_ROLE_PATIENT ||
                    role == SY_ROLE_GUARDIAN || role == SY_ROLE_VALIDATOR;
        assert_int_equal(sy_credential_is_of_org(&one), !none);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_credential_is_valid_from_its_block_on_in_its_window),
        cmocka_unit_test(it_is_not_while_its_organisation_is_suspended),
        cmocka_unit_test(a_suspension_counts_from_its_block_to_the_one_that_ends_it),
        cmocka_unit_test(persons_regulators_and_validators_are_of_no_organisation),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
