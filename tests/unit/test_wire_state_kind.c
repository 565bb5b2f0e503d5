/* state_kind.h: kinds of state by their names. */
#include "core/wire/state_kind.h"

#include "tests/support/test.h"

CASE(every_kind_is_found_by_its_name)
{
    unsigned named = 0;
    for (unsigned kind = 0; kind < SY_STATE_KIND_COUNT; kind++) {
        const char *name = sy_state_kind_name(kind);
        if (!name) continue;
        assert_int_equal(sy_state_kind_by_name(name), kind);
        named++;
    }
    assert_true(named > 60);
    assert_int_equal(sy_state_kind_by_name("pet"), 0);
    assert_int_equal(sy_state_kind_by_name(""), 0);
}

CASE(entries_of_two_things_are_told_from_entries_of_one)
{
    static const unsigned two[] = {
        SY_STATE_OPEN_CARE,  SY_STATE_RECORD_VERSION, SY_STATE_DUPLICATE,   SY_STATE_SCHEDULE,
        SY_STATE_CERT_INDEX, SY_STATE_OWED,           SY_STATE_CLAIM_PLACE, SY_STATE_UNIT,
        SY_STATE_LOT_RECALL, SY_STATE_SUBSCRIPTION,   SY_STATE_SUSPENSION,  SY_STATE_CONTEST};
    static const unsigned one[] = {SY_STATE_PARAMS, SY_STATE_RECORD,  SY_STATE_CREDENTIAL,
                                   SY_STATE_CLAIM,  SY_STATE_PRODUCT, SY_STATE_CLAIM_KEY};
    for (size_t i = 0; i < sizeof two / sizeof two[0]; i++) {
        assert_true(sy_state_kind_is_of_two(two[i]));
    }
    for (size_t i = 0; i < sizeof one / sizeof one[0]; i++) {
        assert_false(sy_state_kind_is_of_two(one[i]));
    }
    assert_false(sy_state_kind_is_of_two(0));
    assert_false(sy_state_kind_is_of_two(SY_STATE_KIND_COUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_found_by_its_name),
        cmocka_unit_test(entries_of_two_things_are_told_from_entries_of_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
