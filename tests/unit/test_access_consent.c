/* Who may read what under consents, and in an emergency. */
#include "tests/unit/access_rig.h"

enum column { COL_WALLET, COL_A, COL_B, COL_C, COL_OTHER, COL_REGULATOR, COL_COUNT };
static const unsigned column_keys[COL_COUNT] = {KEY_WALLET,   KEY_DOCTOR_A,     KEY_DOCTOR_B,
                                                KEY_DOCTOR_C, KEY_OTHER_WALLET, KEY_REGULATOR};

/* Who reads what under which consents; a letter a column: y or n. A enrolled the patient and wrote
 * the records, B holds an open care, C has nothing but what is granted. */
struct access_line {
    const char *what;
    struct consent_of consents[2];
    const char *patient, *record,
        *labelled; /* the patient's entry, the record, the one with a label */
};

static const struct access_line access_lines[] = {
    {"none", {{0}}, "yyynny", "yyynny", "yynnny"},
    {"to C", {{CONSENT, SY_GRANTEE_ORG, ORG_C, .denies = false}}, "yyyyny", "yyyyny", "yynnny"},
    {"to C's doctor",
     {{CONSENT, SY_GRANTEE_KEY, KEY_DOCTOR_C, .denies = false}},
     "yyyyny",
     "yyyyny",
     "yynnny"},
    {"to doctors",
     {{CONSENT, SY_GRANTEE_ROLE, SY_ROLE_DOCTOR, .denies = false}},
     "yyyyny",
     "yyyyny",
     "yynnny"},
    {"to another patient",
     {{CONSENT, SY_GRANTEE_KEY, KEY_OTHER_WALLET, .denies = false}},
     "yyynyy",
     "yyynyy",
     "yynnny"},
    {"to C, with the label",
     {{CONSENT, SY_GRANTEE_ORG, ORG_C, .labelled = true}},
     "yyynny",
     "yyynny",
     "yynyny"},
    {"to C, of observations",
     {{CONSENT, SY_GRANTEE_ORG, ORG_C, .only_class = "Observation"}},
     "yyynny",
     "yyyyny",
     "yynnny"},
    {"to C, of the patient's entry",
     {{CONSENT, SY_GRANTEE_ORG, ORG_C, .only_class = "Patient"}},
     "yyyyny",
     "yyynny",
     "yynnny"},
    {"to C, over", {{CONSENT, SY_GRANTEE_ORG, ORG_C, .over = true}}, "yyynny", "yyynny", "yynnny"},
    {"not to A", {{CONSENT, SY_GRANTEE_ORG, ORG_A, .denies = true}}, "ynynny", "ynynny", "ynnnny"},
    {"not to A, of the label",
     {{CONSENT, SY_GRANTEE_ORG, ORG_A, .denies = true, .labelled = true}},
     "yyynny",
     "yyynny",
     "ynnnny"},
    {"not to doctors, but to B's",
     {{CONSENT, SY_GRANTEE_ROLE, SY_ROLE_DOCTOR, .denies = true},
      {CONSENT + 1, SY_GRANTEE_KEY, KEY_DOCTOR_B, .denies = false}},
     "ynynny",
     "ynynny",
     "ynnnny"},
    {"to C and not to its doctor",
     {{CONSENT, SY_GRANTEE_ORG, ORG_C, .denies = false},
      {CONSENT + 1, SY_GRANTEE_KEY, KEY_DOCTOR_C, .denies = true}},
     "yyynny",
     "yyynny",
     "yynnny"},
};

static void assert_columns(const struct state_rig *rig, const char *what, const char *expected,
                           uint8_t kind, unsigned id)
{
    for (unsigned i = 0; i < COL_COUNT; i++) {
        bool sees = may(rig, column_keys[i], kind, id);
        if (sees != (expected[i] == 'y')) {
            fail_msg("%s: %s %u, column %u is %d", what, sy_state_kind_name(kind), id, i, sees);
        }
    }
}

CASE(access_follows_consents)
{
    for (size_t i = 0; i < sizeof access_lines / sizeof access_lines[0]; i++) {
        const struct access_line *line = &access_lines[i];
        struct state_rig rig;
        unsigned count = 0;
        while (count < 2 && line->consents[count].number != 0) count++;
        open_rig_with(&rig, line->consents, count);
        assert_columns(&rig, line->what, line->patient, SY_STATE_PATIENT, PATIENT);
        assert_columns(&rig, line->what, line->patient, SY_STATE_OPEN_CARE, PATIENT);
        assert_columns(&rig, line->what, line->record, SY_STATE_RECORD, RECORD_PATIENT);
        assert_columns(&rig, line->what, line->record, SY_STATE_RECORD_VERSION, RECORD_PATIENT);
        assert_columns(&rig, line->what, line->labelled, SY_STATE_RECORD, RECORD_LABEL);
        close_rig(&rig);
    }
}

CASE(access_is_for_the_purpose_that_is_named)
{
    static const struct consent_of to_c = {CONSENT, SY_GRANTEE_ORG, ORG_C, .denies = false};
    struct state_rig rig;
    open_rig_with(&rig, &to_c, 1);
    for (uint8_t purpose = SY_PURPOSE_TREATMENT; purpose <= SY_PURPOSE_EMERGENCY; purpose++) {
        bool treating = purpose <= SY_PURPOSE_OPERATIONS || purpose == SY_PURPOSE_EMERGENCY;
        struct sy_read_request read = read_of(KEY_DOCTOR_B, SY_STATE_RECORD, RECORD_PATIENT);
        read.purpose = purpose;
        assert_true(sy_access_state(&rig.access, &read) == treating);
        read.reader = test_public(KEY_DOCTOR_C);
        assert_true(sy_access_state(&rig.access, &read) == (purpose == SY_PURPOSE_TREATMENT));
        read.reader = test_public(KEY_WALLET);
        assert_true(sy_access_state(&rig.access, &read));
    }
    close_rig(&rig);
}

/* Who treats must know whom to show what; others see the consent that is about them. */
CASE(access_shows_consents_to_the_patient_who_treats_and_who_they_are_about)
{
    static const struct consent_of both[] = {
        {CONSENT, SY_GRANTEE_ORG, ORG_C, .denies = false},
        {CONSENT + 1, SY_GRANTEE_KEY, KEY_OTHER_WALLET, .denies = true}};
    struct state_rig rig;
    open_rig_with(&rig, both, 2);
    assert_columns(&rig, "list", "yyynny", SY_STATE_CONSENTS, PATIENT);
    assert_columns(&rig, "place", "yyynny", SY_STATE_CONSENT_PLACE, PATIENT);
    assert_columns(&rig, "C's", "yyyyny", SY_STATE_CONSENT, CONSENT);
    assert_columns(&rig, "the other patient's", "yyynyy", SY_STATE_CONSENT, CONSENT + 1);
    assert_columns(&rig, "none", "yyyyyy", SY_STATE_CONSENT, NO_CONSENT);
    close_rig(&rig);
    static const struct consent_of not_a = {CONSENT, SY_GRANTEE_ORG, ORG_A, .denies = true};
    open_rig_with(&rig, &not_a, 1);
    assert_columns(&rig, "list", "ynynny", SY_STATE_CONSENTS, PATIENT);
    assert_columns(&rig, "A's", "yyynny", SY_STATE_CONSENT, CONSENT); /* it may know that */
    close_rig(&rig);
}

CASE(access_shows_what_happened_to_a_record_or_consent_as_that)
{
    static const struct consent_of to_c = {CONSENT, SY_GRANTEE_ORG, ORG_C,
                                           .only_class = "Observation"};
    struct state_rig rig;
    struct sy_tx tx = {.signer = test_public(KEY_NOBODY), .organisation = test_hash(ORG_A)};
    struct sy_event event = event_of(SY_SUBJECT_PATIENT, PATIENT);
    open_rig_with(&rig, &to_c, 1);
    assert_true(may_tx(&rig, KEY_DOCTOR_C, &tx, &event, 1));
    event.object = test_hash(RECORD_LABEL);
    assert_false(may_tx(&rig, KEY_DOCTOR_C, &tx, &event, 1));
    assert_false(may_tx(&rig, KEY_DOCTOR_B, &tx, &event, 1)); /* treats, and wrote it not */
    assert_true(may_tx(&rig, KEY_WALLET, &tx, &event, 1));
    event.object = test_hash(NO_RECORD);
    assert_false(may_tx(&rig, KEY_WALLET, &tx, &event, 1)); /* no state that execution made */
    static const enum sy_event_kind kinds[] = {SY_EVENT_RECORD_AMENDED, SY_EVENT_RECORD_LINKED,
                                               SY_EVENT_RECORD_MERGED,  SY_EVENT_RECORD_SIGNED,
                                               SY_EVENT_RECORD_ERASED,  SY_EVENT_RECORD_DUPLICATE};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        event.kind = (uint16_t)kinds[i];
        event.object = test_hash(RECORD_PATIENT);
        assert_true(may_tx(&rig, KEY_DOCTOR_C, &tx, &event, 1)); /* an observation */
        event.object = test_hash(RECORD_LABEL);
        assert_false(may_tx(&rig, KEY_DOCTOR_C, &tx, &event, 1));
    }
    event.kind = SY_EVENT_CONSENT_CHANGED;
    event.object = test_hash(CONSENT);
    assert_true(may_tx(&rig, KEY_DOCTOR_C, &tx, &event, 1));
    assert_true(may_tx(&rig, KEY_DOCTOR_B, &tx, &event, 1));
    assert_false(may_tx(&rig, KEY_OTHER_WALLET, &tx, &event, 1));
    event.object = test_hash(NO_CONSENT);
    assert_false(may_tx(&rig, KEY_WALLET, &tx, &event, 1));
    event.kind = SY_EVENT_CARE_OPENED;
    assert_false(may_tx(&rig, KEY_DOCTOR_C, &tx, &event, 1));
    assert_true(may_tx(&rig, KEY_DOCTOR_B, &tx, &event, 1));
    close_rig(&rig);
}

/* The glass is broken by C's doctor, whom a denial keeps out. */
CASE(access_is_open_to_who_broke_the_glass)
{
    static const struct consent_of not_c = {CONSENT, SY_GRANTEE_ORG, ORG_C, .denies = true};
    struct state_rig rig;
    rig_breaks = true;
    open_rig_with(&rig, &not_c, 1);
    rig_breaks = false;
    struct sy_read_request read = read_of(KEY_DOCTOR_C, SY_STATE_RECORD, RECORD_LABEL);
    assert_false(sy_access_state(&rig.access, &read)); /* not for treatment */
    read.purpose = SY_PURPOSE_EMERGENCY;
    assert_true(sy_access_state(&rig.access, &read));
    read.reader = test_public(KEY_AUDITOR_C);
    assert_false(sy_access_state(&rig.access, &read));
    read.reader = test_public(KEY_DOCTOR_C);
    rig.access.time_ms = NOW_MS + 2;
    assert_false(sy_access_state(&rig.access, &read)); /* it is over */
    rig.access.time_ms = NOW_MS;
    assert_columns(&rig, "break", "yyyyny", SY_STATE_BREAK, BREAK);
    assert_columns(&rig, "none", "yyyyyy", SY_STATE_BREAK, NO_CONSENT);
    assert_columns(&rig, "who", "yyynny", SY_STATE_BREAK_OF, PATIENT);
    struct sy_tx tx = {.signer = test_public(KEY_NOBODY), .organisation = test_hash(ORG_A)};
    struct sy_event event = event_of(SY_SUBJECT_PATIENT, PATIENT);
    event.kind = SY_EVENT_BREAKGLASS_USED;
    event.object = test_hash(BREAK);
    assert_true(may_tx(&rig, KEY_WALLET, &tx, &event, 1));
    assert_true(may_tx(&rig, KEY_DOCTOR_C, &tx, &event, 1));
    assert_false(may_tx(&rig, KEY_OTHER_WALLET, &tx, &event, 1));
    event.object = test_hash(NO_CONSENT);
    assert_false(may_tx(&rig, KEY_WALLET, &tx, &event, 1));
    event.kind = SY_EVENT_CUSTODY_MOVED; // as its record
    event.object = test_hash(RECORD_LABEL);
    assert_true(may_tx(&rig, KEY_WALLET, &tx, &event, 1));
    assert_false(may_tx(&rig, KEY_DOCTOR_C, &tx, &event, 1));
    close_rig(&rig);
}

CASE(access_is_not_for_a_device_what_it_is_for_its_organisation)
{
    static const struct consent_of both[] = {
        {CONSENT, SY_GRANTEE_ORG, ORG_A, .denies = false},
        {CONSENT + 1, SY_GRANTEE_KEY, KEY_OTHER_WALLET, .denies = true}};
    struct state_rig rig;
    open_rig_with(&rig, both, 2);
    assert_columns(&rig, "A's device", "yyyyyy", SY_STATE_DEVICE, DEVICE_OF_A);
    assert_columns(&rig, "the patient's", "yyynny", SY_STATE_DEVICE, DEVICE_OF_PATIENT);
    assert_columns(&rig, "none", "yyyyyy", SY_STATE_DEVICE, NO_DEVICE);
    assert_true(may(&rig, KEY_DEVICE_A, SY_STATE_DEVICE, DEVICE_OF_PATIENT)); /* itself */
    assert_true(may(&rig, KEY_DEVICE_A, SY_STATE_ORG, ORG_A));
    assert_false(may(&rig, KEY_DEVICE_A, SY_STATE_RECORD, RECORD_PATIENT));
    assert_false(may(&rig, KEY_DEVICE_A, SY_STATE_PATIENT, PATIENT));
    assert_false(may(&rig, KEY_DEVICE_A, SY_STATE_CONSENT, CONSENT));
    struct sy_tx tx = {.signer = test_public(KEY_NOBODY), .organisation = test_hash(ORG_A)};
    assert_false(may_tx(&rig, KEY_DEVICE_A, &tx, NULL, 0));
    assert_true(may_tx(&rig, KEY_DOCTOR_A, &tx, NULL, 0));
    static struct sy_genesis genesis;
    struct sy_read_request read = read_of(KEY_DEVICE_A, 0, 1);
    test_genesis(&genesis, 4);
    rig.access.roster = &genesis.roster;
    assert_false(sy_access_ids(&rig.access, &read));
    assert_true(sy_access_known(&rig.access, &read.reader));
    close_rig(&rig);
}

/* They decide, so they see about what; what a record says they see when they let themselves in. */
CASE(access_shows_guardians_what_they_decide_about)
{
    struct state_rig rig;
    rig_breaks = true; /* there is a key in the place of C's doctor's */
    open_rig(&rig);
    rig_breaks = false;
    static const uint8_t kinds[] = {SY_STATE_PATIENT, SY_STATE_CONSENTS, SY_STATE_CONSENT_PLACE,
                                    SY_STATE_PATIENT_PLACE, SY_STATE_OPEN_CARE};
    for (size_t i = 0; i < sizeof kinds; i++) {
        assert_true(may(&rig, KEY_DOCTOR_C, kinds[i], WARD));
        assert_true(may(&rig, KEY_NEXT_C, kinds[i], WARD));
        assert_true(may(&rig, KEY_DOCTOR_A, kinds[i], WARD));
        assert_false(may(&rig, KEY_AUDITOR_C, kinds[i], WARD)); /* only the guardian */
        assert_false(may(&rig, KEY_WALLET, kinds[i], WARD));
        assert_false(may(&rig, KEY_DOCTOR_C, kinds[i], PATIENT));
    }
    assert_false(may(&rig, KEY_DOCTOR_C, SY_STATE_RECORD, RECORD_WARD));
    assert_true(may(&rig, KEY_DOCTOR_A, SY_STATE_RECORD, RECORD_WARD));
    close_rig(&rig);
}

/* What a holder was let into goes with the key that replaces another. */
CASE(access_stays_with_the_holder_of_a_key)
{
    static const struct consent_of to_c = {CONSENT, SY_GRANTEE_KEY, KEY_DOCTOR_C, .denies = false};
    struct state_rig rig;
    rig_breaks = true;
    open_rig_with(&rig, &to_c, 1);
    rig_breaks = false;
    assert_true(may(&rig, KEY_NEXT_C, SY_STATE_RECORD, RECORD_PATIENT));
    assert_true(may(&rig, KEY_NEXT_C, SY_STATE_CONSENT, CONSENT));
    assert_false(may(&rig, KEY_AUDITOR_C, SY_STATE_RECORD, RECORD_PATIENT));
    struct sy_read_request read = read_of(KEY_NEXT_C, SY_STATE_RECORD, RECORD_LABEL);
    read.purpose = SY_PURPOSE_EMERGENCY;
    assert_true(sy_access_state(&rig.access, &read));
    read = read_of(KEY_NEXT_C, SY_STATE_BREAKS, 0);
    struct sy_public_key key = test_public(KEY_DOCTOR_C);
    memcpy(read.id.bytes, key.bytes, sizeof key.bytes);
    assert_true(sy_access_state(&rig.access, &read));
    read.reader = test_public(KEY_AUDITOR_C); /* of the same organisation */
    assert_true(sy_access_state(&rig.access, &read));
    read.reader = test_public(KEY_DOCTOR_B);
    assert_false(sy_access_state(&rig.access, &read));
    close_rig(&rig);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(access_follows_consents),
        cmocka_unit_test(access_is_for_the_purpose_that_is_named),
        cmocka_unit_test(access_shows_consents_to_the_patient_who_treats_and_who_they_are_about),
        cmocka_unit_test(access_shows_what_happened_to_a_record_or_consent_as_that),
        cmocka_unit_test(access_is_open_to_who_broke_the_glass),
        cmocka_unit_test(access_is_not_for_a_device_what_it_is_for_its_organisation),
        cmocka_unit_test(access_shows_guardians_what_they_decide_about),
        cmocka_unit_test(access_stays_with_the_holder_of_a_key),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
