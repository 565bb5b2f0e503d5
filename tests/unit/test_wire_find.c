/* test_wire_find.c: what is searched for, as bytes, and what fits it. */
#include "core/wire/find.h"
#include "tests/support/network.h"
#include "tests/support/test.h"

static bool decodes(const struct sy_find *find)
{
    uint8_t bytes[SY_FIND_BYTES_MAX + 64];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    struct sy_find again;
    sy_find_encode(&w, find);
    assert_false(w.failed);
    return sy_find_decode(&again, sy_writer_slice(&w));
}

CASE(queries_keep_their_rules)
{
    struct sy_find org = {.what = SY_STATE_ORG, .max = 1}, credential = org, bad;
    credential.what = SY_STATE_CREDENTIAL;
    assert_true(decodes(&org) && decodes(&credential));
    org.max = credential.max = SY_FIND_MAX;
    assert_true(decodes(&org) && decodes(&credential));
    bad = org, bad.what = SY_STATE_PATIENT;
    assert_false(decodes(&bad)); // patients are not searched for
    bad = org, bad.max = 0;
    assert_false(decodes(&bad));
    bad = org, bad.max = SY_FIND_MAX + 1;
    assert_false(decodes(&bad));
    bad = org, bad.active = SY_FIND_INACTIVE + 1;
    assert_false(decodes(&bad));
    bad = org, bad.digits = 65;
    assert_false(decodes(&bad));
    bad = org, bad.digits = 3, bad.prefix.bytes[1] = 0x0f; // a digit that does not count
    assert_false(decodes(&bad));
    bad.prefix.bytes[1] = 0xf0;
    assert_true(decodes(&bad));
    bad = org, bad.role = SY_ROLE_DOCTOR;
    assert_false(decodes(&bad));
    bad = org, bad.specialty = sy_slice_of("x", 1);
    assert_false(decodes(&bad));
    bad = org, bad.has_organisation = true;
    assert_false(decodes(&bad));
    bad = credential, bad.org_kind = 1;
    assert_false(decodes(&bad));
    bad = credential, bad.has_name = true;
    assert_false(decodes(&bad));
    struct sy_find dataset = {.what = SY_STATE_DATASET, .active = SY_FIND_ACTIVE, .max = 1};
    assert_true(decodes(&dataset));
    assert_true(sy_find_dataset(&dataset, false) && !sy_find_dataset(&dataset, true));
    bad = dataset, bad.org_kind = 1; // what it has is for whoever searches to see
    assert_false(decodes(&bad));
    bad = dataset, bad.role = SY_ROLE_DOCTOR;
    assert_false(decodes(&bad));
    static const char text[] = "123456789012345678901234567890123";
    bad = credential, bad.specialty = sy_slice_of(text, SY_CODE_BYTES_MAX);
    assert_true(decodes(&bad));
    bad.specialty.size++;
    assert_false(decodes(&bad));
}

CASE(a_query_cut_or_longer_is_refused)
{
    uint8_t bytes[SY_FIND_BYTES_MAX + 1] = {0};
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    struct sy_find again;
    const struct sy_find find = {.what = SY_STATE_CREDENTIAL,
                                 .has_organisation = true,
                                 .has_behind = true,
                                 .specialty = sy_slice_of("surgery", 7),
                                 .organisation = test_hash(1),
                                 .behind = test_hash(2),
                                 .max = 9};
    sy_find_encode(&w, &find);
    assert_true(sy_find_decode(&again, sy_writer_slice(&w)));
    assert_true(sy_hash_equal(&again.behind, &find.behind) && again.max == 9);
    for (size_t size = 0; size < w.used; size++) {
        assert_false(sy_find_decode(&again, sy_slice_of(bytes, size)));
    }
    assert_false(sy_find_decode(&again, sy_slice_of(bytes, w.used + 1)));
    bytes[35] = 8; // a flag that there is not
    assert_false(sy_find_decode(&again, sy_writer_slice(&w)));
}

CASE(credentials_are_active_while_they_count)
{
    struct sy_find find = {.what = SY_STATE_CREDENTIAL, .max = 1};
    struct sy_credential doctor = {.use = SY_KEY_TX,
                                   .role = SY_ROLE_DOCTOR,
                                   .holder = test_hash(1),
                                   .not_before_ms = 100,
                                   .not_after_ms = 200,
                                   .specialty = sy_slice_of("surgery", 7)};
    assert_true(sy_find_credential(&find, &doctor, true, 0)); // anyone
    find.active = SY_FIND_ACTIVE;
    assert_false(sy_find_credential(&find, &doctor, false, 99));
    assert_true(sy_find_credential(&find, &doctor, false, 100));
    assert_true(sy_find_credential(&find, &doctor, false, 200));
    assert_false(sy_find_credential(&find, &doctor, false, 201));
    assert_false(sy_find_credential(&find, &doctor, true, 150));
    find.active = SY_FIND_INACTIVE;
    assert_true(sy_find_credential(&find, &doctor, true, 150));
    assert_false(sy_find_credential(&find, &doctor, false, 150));
    doctor.revoked = true;
    assert_true(sy_find_credential(&find, &doctor, false, 150));
    find.active = SY_FIND_ANY;
    find.role = SY_ROLE_NURSE;
    assert_false(sy_find_credential(&find, &doctor, false, 150));
    find.role = SY_ROLE_DOCTOR;
    find.specialty = sy_slice_of("surger", 6);
    assert_false(sy_find_credential(&find, &doctor, false, 150));
    find.specialty = sy_slice_of("surgery", 7);
    find.has_organisation = true;
    find.organisation = test_hash(2);
    assert_false(sy_find_credential(&find, &doctor, false, 150));
    find.organisation = test_hash(1);
    assert_true(sy_find_credential(&find, &doctor, false, 150));
}

CASE(organisations_fit_by_kind_name_and_state)
{
    struct sy_find find = {.what = SY_STATE_ORG, .org_kind = 2, .max = 1};
    struct sy_org org = {.kind = 2, .name_hash = test_hash(4)};
    assert_true(sy_find_org(&find, &org));
    find.org_kind = 3;
    assert_false(sy_find_org(&find, &org));
    find.org_kind = 0;
    find.has_name = true;
    assert_false(sy_find_org(&find, &org));
    find.name_hash = org.name_hash;
    assert_true(sy_find_org(&find, &org));
    find.active = SY_FIND_ACTIVE;
    org.suspended = true;
    assert_false(sy_find_org(&find, &org));
    find.active = SY_FIND_INACTIVE;
    assert_true(sy_find_org(&find, &org));
}

CASE(answers_rise)
{
    uint8_t bytes[256];
    struct sy_found found = {.next = 9, .from = 3, .more = true, .count = 2}, again;
    found.ids[0].bytes[0] = 1;
    found.ids[1].bytes[0] = 2;
    for (unsigned turn = 0; turn < 3; turn++) {
        struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
        sy_found_encode(&w, &found);
        struct sy_reader r = sy_reader_of(sy_writer_slice(&w));
        assert_true(sy_found_decode(&r, &again) == (turn == 0));
        if (turn == 0) assert_true(again.more && again.next == 9 && again.from == 3);
        found.ids[1].bytes[0] = turn == 0 ? 1 : 0; // the same again, and a lesser one
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(queries_keep_their_rules),
        cmocka_unit_test(a_query_cut_or_longer_is_refused),
        cmocka_unit_test(credentials_are_active_while_they_count),
        cmocka_unit_test(organisations_fit_by_kind_name_and_state),
        cmocka_unit_test(answers_rise),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
