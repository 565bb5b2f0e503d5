/* Whose notices are told to whom (consensus/node/access.h). */
#include "core/wire/notice.h"
#include "tests/unit/access_rig.h"

static struct sy_read_request ask(unsigned key, uint8_t kind, const struct sy_hash *subject)
{
    const struct sy_notices_asked asked = {kind, *subject, 1, 10, 0};
    struct sy_read_request read = {.purpose = SY_PURPOSE_SELF, .reader = test_public(key)};
    sy_read_notices(&read, &asked);
    return read;
}

static bool may_watch(const struct state_rig *rig, unsigned key, uint8_t kind, unsigned id)
{
    struct sy_hash subject = test_hash(id);
    struct sy_read_request read = ask(key, kind, &subject);
    return sy_access_notices(&rig->access, &read);
}

CASE(notices_of_a_patient_are_told_to_the_patient_and_guardians)
{
    struct state_rig rig;
    open_rig(&rig);
    assert_true(may_watch(&rig, KEY_WALLET, SY_SUBJECT_PATIENT, PATIENT));
    assert_true(may_watch(&rig, KEY_GUARDIAN, SY_SUBJECT_PATIENT, OTHER_PATIENT));
    assert_true(may_watch(&rig, KEY_REGULATOR, SY_SUBJECT_PATIENT, PATIENT));
    assert_false(may_watch(&rig, KEY_GUARDIAN, SY_SUBJECT_PATIENT, PATIENT)); /* not theirs */
    assert_false(may_watch(&rig, KEY_OTHER_WALLET, SY_SUBJECT_PATIENT, PATIENT));
    assert_false(may_watch(&rig, KEY_DOCTOR_A, SY_SUBJECT_PATIENT, PATIENT)); /* though it treats */
    assert_false(may_watch(&rig, KEY_ADMIN_A, SY_SUBJECT_PATIENT, PATIENT));
    assert_false(may_watch(&rig, KEY_NOBODY, SY_SUBJECT_PATIENT, PATIENT));
    assert_false(may_watch(&rig, KEY_WALLET, SY_SUBJECT_PATIENT, NO_PATIENT));
    /* The patient's id as another kind's is nobody's. */
    assert_false(may_watch(&rig, KEY_WALLET, SY_SUBJECT_ORG, PATIENT));
    assert_false(may_watch(&rig, KEY_WALLET, SY_SUBJECT_KEY, PATIENT));
    close_rig(&rig);
}

CASE(notices_of_an_organisation_are_told_to_admins_and_gateways)
{
    struct state_rig rig;
    open_rig(&rig);
    assert_true(may_watch(&rig, KEY_ADMIN_A, SY_SUBJECT_ORG, ORG_A));
    assert_true(may_watch(&rig, KEY_GATEWAY_B, SY_SUBJECT_ORG, ORG_B));
    assert_false(may_watch(&rig, KEY_DOCTOR_A, SY_SUBJECT_ORG, ORG_A));
    assert_false(may_watch(&rig, KEY_ADMIN_A, SY_SUBJECT_ORG, ORG_B));
    assert_false(may_watch(&rig, KEY_WALLET, SY_SUBJECT_ORG, ORG_A));
    assert_false(may_watch(&rig, KEY_DOCTOR_D, SY_SUBJECT_ORG, ORG_D)); /* suspended */
    close_rig(&rig);
}

static bool may_watch_key(const struct state_rig *rig, unsigned reader, unsigned of)
{
    struct sy_public_key key = test_public(of);
    struct sy_hash subject;
    memcpy(subject.bytes, key.bytes, sizeof subject.bytes);
    struct sy_read_request read = ask(reader, SY_SUBJECT_KEY, &subject);
    return sy_access_notices(&rig->access, &read);
}

CASE(notices_of_a_key_are_told_to_it_and_its_admins)
{
    struct state_rig rig;
    open_rig(&rig);
    assert_true(may_watch_key(&rig, KEY_DOCTOR_A, KEY_DOCTOR_A));
    assert_true(may_watch_key(&rig, KEY_ADMIN_A, KEY_DOCTOR_A));
    assert_true(may_watch_key(&rig, KEY_ADMIN_A, KEY_REVOKED_A));
    assert_false(may_watch_key(&rig, KEY_ADMIN_A, KEY_DOCTOR_B));
    assert_false(may_watch_key(&rig, KEY_ADMIN_A, KEY_WALLET));
    assert_false(may_watch_key(&rig, KEY_DOCTOR_A, KEY_ADMIN_A));
    assert_false(may_watch_key(&rig, KEY_REVOKED_A, KEY_REVOKED_A));
    assert_false(may_watch_key(&rig, KEY_NOBODY, KEY_NOBODY));
    close_rig(&rig);
}

CASE(subjects_are_shown_each_of_their_notices)
{
    struct state_rig rig;
    struct sy_hash patient = test_hash(PATIENT);
    open_rig(&rig);
    struct sy_event event = event_of(SY_SUBJECT_PATIENT, PATIENT);
    event.object = test_hash(RECORD_LABEL);
    struct sy_read_request own = ask(KEY_WALLET, SY_SUBJECT_PATIENT, &patient);
    struct sy_read_request others = ask(KEY_DOCTOR_C, SY_SUBJECT_PATIENT, &patient);
    struct sy_read_request nobodys = ask(KEY_NOBODY, SY_SUBJECT_PATIENT, &patient);
    assert_true(sy_access_notice(&rig.access, &own, &event, 7));
    assert_false(sy_access_notice(&rig.access, &others, &event, 7));
    assert_false(sy_access_notice(&rig.access, &nobodys, &event, 7));
    close_rig(&rig);
}

CASE(notices_are_counted_by_the_state)
{
    struct state_rig rig;
    struct sy_hash patient = test_hash(PATIENT), org = test_hash(ORG_A), none = test_hash(NO_CARE);
    open_rig(&rig);
    assert_int_equal(sy_access_notice_count(&rig.access, SY_SUBJECT_PATIENT, &patient), 3);
    assert_int_equal(sy_access_notice_count(&rig.access, SY_SUBJECT_PATIENT, &none), 0);
    assert_int_equal(sy_access_notice_count(&rig.access, SY_SUBJECT_ORG, &org), 0);
    assert_int_equal(sy_access_notice_count(&rig.access, SY_SUBJECT_KEY, &none), 0);
    close_rig(&rig);
}

/* B holds an open care, and so sees the patient, but for a record with another's label. */
CASE(subscribers_are_told_what_they_may_see)
{
    struct state_rig rig;
    struct sy_hash patient = test_hash(PATIENT);
    struct sy_notices_asked asked = {SY_SUBJECT_PATIENT, patient, 5, 10, 0};
    rig_subscribed = 5;
    open_rig(&rig);
    struct sy_read_request read = ask(KEY_GATEWAY_B, SY_SUBJECT_PATIENT, &patient);
    read.purpose = SY_PURPOSE_TREATMENT;
    assert_false(sy_access_notices(&rig.access, &read)); /* number 1: before it begins */
    sy_read_notices(&read, &asked);
    assert_true(sy_access_notices(&rig.access, &read));
    struct sy_event event = event_of(SY_SUBJECT_PATIENT, PATIENT);
    assert_true(sy_access_notice(&rig.access, &read, &event, 7));
    event.object = test_hash(RECORD_LABEL);
    assert_false(sy_access_notice(&rig.access, &read, &event, 7));
    event.kind = SY_EVENT_ACCESS_DISCLOSED; /* who else saw the patient is not theirs to know */
    assert_false(sy_access_notice(&rig.access, &read, &event, 7));
    read.purpose = SY_PURPOSE_RESEARCH; /* not what they subscribed for */
    assert_false(sy_access_notices(&rig.access, &read));
    read.purpose = SY_PURPOSE_TREATMENT;
    read.reader = test_public(KEY_DOCTOR_B); /* neither admin nor gateway */
    assert_false(sy_access_notices(&rig.access, &read));
    read.reader = test_public(KEY_ADMIN_A); /* treats, and did not subscribe */
    assert_false(sy_access_notices(&rig.access, &read));
    close_rig(&rig);
    rig_subscribed = 0;
    open_rig(&rig);
    read.reader = test_public(KEY_GATEWAY_B);
    assert_false(sy_access_notices(&rig.access, &read));
    close_rig(&rig);
}

static bool tells_record(uint32_t groups, const char *class)
{
    struct state_rig rig;
    struct sy_hash patient = test_hash(PATIENT);
    rig_subscribed = 1;
    rig_groups = groups;
    rig_class = class;
    open_rig(&rig);
    struct sy_read_request read = ask(KEY_GATEWAY_B, SY_SUBJECT_PATIENT, &patient);
    read.purpose = SY_PURPOSE_TREATMENT;
    assert_true(sy_access_notices(&rig.access, &read));
    struct sy_event event = event_of(SY_SUBJECT_PATIENT, PATIENT);
    bool told = sy_access_notice(&rig.access, &read, &event, 7);
    struct sy_read_request own = ask(KEY_WALLET, SY_SUBJECT_PATIENT, &patient);
    // The filter is the subscriber's.
    assert_true(sy_access_notice(&rig.access, &own, &event, 7));
    event.kind = SY_EVENT_CARE_OPENED;
    event.object = test_hash(CARE_OPEN);
    bool care = groups == 0 || (groups & SY_SET_BIT(SY_NOTICES_CARE)) != 0;
    assert_true(sy_access_notice(&rig.access, &read, &event, 7) == care);
    close_rig(&rig);
    rig_subscribed = 0;
    rig_groups = 0;
    rig_class = NULL;
    return told;
}

CASE(subscriptions_tell_what_they_are_of)
{
    const uint32_t records = SY_SET_BIT(SY_NOTICES_RECORDS), care = SY_SET_BIT(SY_NOTICES_CARE);
    assert_true(tells_record(0, NULL));
    assert_true(tells_record(records, NULL));
    assert_true(tells_record(records | care, NULL));
    assert_false(tells_record(care, NULL));
    assert_true(tells_record(0, "Observation"));
    assert_false(tells_record(0, "Claim"));
    assert_false(tells_record(records, "Claim"));
    assert_true(tells_record(records, "Observation"));
}

/* The record is A's. What is left out for its organisation stays left out for its class. */
CASE(subscriptions_tell_of_an_organisations_records)
{
    static const unsigned orgs[] = {ORG_A, ORG_B, ORG_C};
    for (unsigned i = 0; i < 3; i++) {
        rig_org = orgs[i];
        assert_int_equal(tells_record(0, NULL), orgs[i] == ORG_A);
        assert_int_equal(tells_record(0, "Observation"), orgs[i] == ORG_A);
        assert_false(tells_record(0, "Claim"));
    }
    rig_org = 0;
}

/* Whether B, subscribed to C's records of one class, is told: that the patient's data were opened
 * without consent; that A's record went to another. */
static bool tells_of(uint16_t kind, unsigned object, const char *class)
{
    struct state_rig rig;
    struct sy_hash patient = test_hash(PATIENT);
    rig_subscribed = 1;
    rig_class = class;
    rig_org = ORG_C;
    rig_breaks = true;
    rig_break_id = RECORD_PATIENT;
    open_rig(&rig);
    struct sy_read_request read = ask(KEY_GATEWAY_B, SY_SUBJECT_PATIENT, &patient);
    read.purpose = SY_PURPOSE_TREATMENT;
    struct sy_event event = event_of(SY_SUBJECT_PATIENT, PATIENT);
    event.kind = kind;
    event.object = test_hash(object);
    bool told = sy_access_notice(&rig.access, &read, &event, 7);
    close_rig(&rig);
    rig_subscribed = 0;
    rig_class = NULL;
    rig_org = 0;
    rig_breaks = false;
    rig_break_id = BREAK;
    return told;
}

/* Who breaks the glass chooses the break's id, and may register a record under the same. */
CASE(what_has_a_records_id_is_not_of_the_record)
{
    static const uint16_t others[] = {SY_EVENT_BREAKGLASS_USED, SY_EVENT_BREAKGLASS_REVIEWED,
                                      SY_EVENT_CARE_OPENED};
    static const uint16_t records[] = {SY_EVENT_RECORD_CREATED,   SY_EVENT_RECORD_AMENDED,
                                       SY_EVENT_RECORD_RETRACTED, SY_EVENT_RECORD_LINKED,
                                       SY_EVENT_RECORD_MERGED,    SY_EVENT_RECORD_SIGNED,
                                       SY_EVENT_RECORD_ERASED,    SY_EVENT_RECORD_DUPLICATE};
    for (unsigned i = 0; i < 3; i++) assert_true(tells_of(others[i], RECORD_PATIENT, "Claim"));
    for (unsigned i = 0; i < 8; i++) assert_false(tells_of(records[i], RECORD_PATIENT, NULL));
}

CASE(who_had_a_record_is_told_that_it_went)
{
    assert_true(tells_of(SY_EVENT_CUSTODY_MOVED, RECORD_PATIENT, NULL));
    assert_true(tells_of(SY_EVENT_CUSTODY_MOVED, RECORD_PATIENT, "Observation"));
    assert_false(tells_of(SY_EVENT_CUSTODY_MOVED, RECORD_PATIENT, "Claim"));
}

/* events are of block 7 */
CASE(subscriptions_tell_from_their_height_on)
{
    static const uint64_t heights[] = {1, 6, 7, 8, UINT64_MAX};
    for (unsigned i = 0; i < 5; i++) {
        struct state_rig rig;
        struct sy_hash patient = test_hash(PATIENT);
        rig_subscribed = 1;
        rig_from_height = heights[i];
        open_rig(&rig);
        struct sy_read_request read = ask(KEY_GATEWAY_B, SY_SUBJECT_PATIENT, &patient);
        read.purpose = SY_PURPOSE_TREATMENT;
        struct sy_event event = event_of(SY_SUBJECT_PATIENT, PATIENT);
        assert_int_equal(sy_access_notice(&rig.access, &read, &event, 7), heights[i] <= 7);
        event.kind = SY_EVENT_CARE_OPENED; /* whatever it is of */
        event.object = test_hash(CARE_OPEN);
        assert_int_equal(sy_access_notice(&rig.access, &read, &event, 7), heights[i] <= 7);
        struct sy_read_request own = ask(KEY_WALLET, SY_SUBJECT_PATIENT, &patient);
        assert_true(sy_access_notice(&rig.access, &own, &event, 7));
        close_rig(&rig);
    }
    rig_subscribed = 0;
    rig_from_height = 0;
}

/* A subscription alone opens nothing: the patient shut them out. */
CASE(a_subscription_without_consent_tells_nothing)
{
    static const struct consent_of denial = {
        .number = CONSENT, .grantee_kind = SY_GRANTEE_ORG, .grantee = ORG_B, .denies = true};
    struct state_rig rig;
    struct sy_hash patient = test_hash(PATIENT);
    rig_subscribed = 1;
    open_rig_with(&rig, &denial, 1);
    struct sy_read_request read = ask(KEY_GATEWAY_B, SY_SUBJECT_PATIENT, &patient);
    read.purpose = SY_PURPOSE_TREATMENT;
    assert_false(sy_access_notices(&rig.access, &read));
    close_rig(&rig);
    rig_subscribed = 0;
}

/* A regulator is shown everything; that somebody saw something is not logged once more. */
CASE(what_tells_of_access_is_shown_without_a_note)
{
    static struct sy_grants grants;
    struct state_rig rig;
    struct sy_hash patient = test_hash(PATIENT);
    struct sy_event event = {.subject_kind = SY_SUBJECT_PATIENT, .subject = patient};
    open_rig(&rig);
    rig.access.grants = &grants;
    struct sy_read_request read = ask(KEY_REGULATOR, SY_SUBJECT_PATIENT, &patient);
    assert_true(sy_access_notices(&rig.access, &read));
    assert_int_equal(grants.count, 0); /* asking tells nothing */
    static const uint16_t of_access[] = {SY_EVENT_ACCESS_DISCLOSED, SY_EVENT_ACCESS_REQUESTED};
    for (unsigned i = 0; i < 2; i++) {
        event.kind = of_access[i];
        assert_true(sy_access_notice(&rig.access, &read, &event, 7));
        assert_int_equal(grants.count, 0);
    }
    event.kind = SY_EVENT_CARE_OPENED;
    assert_true(sy_access_notice(&rig.access, &read, &event, 7));
    assert_int_equal(grants.count, 1);
    assert_int_equal(grants.items[0].ground, SY_GROUND_OVERSIGHT);
    read = ask(KEY_WALLET, SY_SUBJECT_PATIENT, &patient);
    assert_true(sy_access_notice(&rig.access, &read, &event, 7));
    assert_int_equal(grants.count, 1);
    close_rig(&rig);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(what_tells_of_access_is_shown_without_a_note),
        cmocka_unit_test(notices_of_a_patient_are_told_to_the_patient_and_guardians),
        cmocka_unit_test(notices_of_an_organisation_are_told_to_admins_and_gateways),
        cmocka_unit_test(notices_of_a_key_are_told_to_it_and_its_admins),
        cmocka_unit_test(subjects_are_shown_each_of_their_notices),
        cmocka_unit_test(notices_are_counted_by_the_state),
        cmocka_unit_test(subscriptions_tell_what_they_are_of),
        cmocka_unit_test(subscriptions_tell_of_an_organisations_records),
        cmocka_unit_test(what_has_a_records_id_is_not_of_the_record),
        cmocka_unit_test(who_had_a_record_is_told_that_it_went),
        cmocka_unit_test(subscriptions_tell_from_their_height_on),
        cmocka_unit_test(subscribers_are_told_what_they_may_see),
        cmocka_unit_test(a_subscription_without_consent_tells_nothing),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
