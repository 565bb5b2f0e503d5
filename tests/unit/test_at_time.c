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
    assert_int_equal(sy_credential_at(&one, NULL, 0, 9, 1500), SY_AT_NOT_ENROLLED);
    assert_int_equal(sy_credential_at(&one, NULL, 0, 10, 999), SY_AT_EARLY);
    assert_int_equal(sy_credential_at(&one, NULL, 0, 10, 1000), SY_AT_VALID);
    assert_int_equal(sy_credential_at(&one, NULL, 0, 90, 2000), SY_AT_VALID);
    assert_int_equal(sy_credential_at(&one, NULL, 0, 90, 2001), SY_AT_EXPIRED);
    one.revoked = true;
    one.revoked_height = 50;
    assert_int_equal(sy_credential_at(&one, NULL, 0, 49, 1500), SY_AT_VALID);
    assert_int_equal(sy_credential_at(&one, NULL, 0, 50, 1500), SY_AT_REVOKED);
}

CASE(an_organisation_tells_as_much_as_its_entry_does)
{
    struct sy_credential one = doctor();
    struct sy_org org = {.registered_height = 5};
    assert_int_equal(sy_credential_at(&one, &org, 1, 20, 1500), SY_AT_VALID);
    assert_int_equal(sy_credential_at(&one, &org, 3, 20, 1500), SY_AT_ORG_UNKNOWN);
    org.suspended = true;
    org.suspended_height = 30;
    assert_int_equal(sy_credential_at(&one, &org, 2, 29, 1500), SY_AT_VALID);
    assert_int_equal(sy_credential_at(&one, &org, 2, 30, 1500), SY_AT_ORG_SUSPENDED);
    assert_int_equal(sy_credential_at(&one, &org, 4, 29, 1500), SY_AT_ORG_UNKNOWN);
    assert_int_equal(sy_credential_at(&one, &org, 4, 31, 1500), SY_AT_ORG_SUSPENDED);
    one.revoked = true;
    one.revoked_height = 11;
    assert_int_equal(sy_credential_at(&one, &org, 4, 31, 1500), SY_AT_REVOKED);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_credential_is_valid_from_its_block_on_in_its_window),
        cmocka_unit_test(an_organisation_tells_as_much_as_its_entry_does),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
