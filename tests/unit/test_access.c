/* Who may read what: every line of access.h's table, both ways. */
#include "tests/unit/access_rig.h"

/* ---- the table --------------------------------------------------------------------------- */

CASE(access_shows_the_directory_to_any_reader)
{
    static const uint8_t kinds[] = {
        SY_STATE_PARAMS,      SY_STATE_ROSTER,        SY_STATE_VALIDATOR,   SY_STATE_MAKER,
        SY_STATE_EVENT_COUNT, SY_STATE_CREDENTIAL,    SY_STATE_ORG,         SY_STATE_ORG_EVENTS,
        SY_STATE_PREFIX,      SY_STATE_ROSTER_CHANGE, SY_STATE_SUSPENSIONS, SY_STATE_SUSPENSION};
    struct state_rig rig;
    open_rig(&rig);
    for (size_t i = 0; i < sizeof kinds; i++) {
        assert_true(may(&rig, KEY_DOCTOR_C, kinds[i], ORG_A));
        assert_true(may(&rig, KEY_OTHER_WALLET, kinds[i], ORG_A));
        assert_false(may(&rig, KEY_NOBODY, kinds[i], ORG_A));
    }
    close_rig(&rig);
}

CASE(access_shows_a_patients_credential_to_those_who_see_the_patient)
{
    struct state_rig rig;
    open_rig(&rig);
    struct sy_read_request read = read_of(KEY_DOCTOR_C, SY_STATE_CREDENTIAL, ORG_A);
    struct sy_public_key wallet = test_public(KEY_WALLET);
    memcpy(read.id.bytes, wallet.bytes, sizeof read.id.bytes);
    assert_false(sy_access_state(&rig.access, &read));
    struct sy_read_request own = read_of(KEY_WALLET, SY_STATE_CREDENTIAL, ORG_A);
    own.id = read.id;
    assert_true(sy_access_state(&rig.access, &own));
    struct sy_read_request treating = read_of(KEY_DOCTOR_B, SY_STATE_CREDENTIAL, ORG_A);
    treating.id = read.id;
    assert_true(sy_access_state(&rig.access, &treating));
    close_rig(&rig);
}

CASE(access_knows_readers_by_a_credential_that_holds_now)
{
    struct state_rig rig;
    open_rig(&rig);
    assert_true(may(&rig, KEY_DOCTOR_A, SY_STATE_ORG, ORG_A));
    assert_false(may(&rig, KEY_REVOKED_A, SY_STATE_ORG, ORG_A));
    assert_false(may(&rig, KEY_EXPIRED_A, SY_STATE_ORG, ORG_A));
    assert_false(may(&rig, KEY_EARLY_A, SY_STATE_ORG, ORG_A));
    assert_false(may(&rig, KEY_CONSENSUS_A, SY_STATE_ORG, ORG_A));
    assert_false(may(&rig, KEY_DOCTOR_D, SY_STATE_ORG, ORG_A)); /* its organisation is suspended */
    rig.access.time_ms = NOW_MS - 1;
    assert_true(may(&rig, KEY_EXPIRED_A, SY_STATE_ORG, ORG_A));
    rig.access.time_ms = NOW_MS + 1;
    assert_true(may(&rig, KEY_EARLY_A, SY_STATE_ORG, ORG_A));
    close_rig(&rig);
}

static bool may_nonces(const struct state_rig *rig, unsigned reader, unsigned of)
{
    struct sy_read_request read = read_of(reader, SY_STATE_NONCES, 1);
    struct sy_public_key key = test_public(of);
    memcpy(read.id.bytes, key.bytes, sizeof read.id.bytes);
    return sy_access_state(&rig->access, &read);
}

CASE(access_shows_nonces_to_the_key_and_its_organisation)
{
    struct state_rig rig;
    open_rig(&rig);
    assert_true(may_nonces(&rig, KEY_DOCTOR_A, KEY_DOCTOR_A));
    assert_true(may_nonces(&rig, KEY_ADMIN_A, KEY_DOCTOR_A));
    assert_false(may_nonces(&rig, KEY_DOCTOR_B, KEY_DOCTOR_A));
    assert_true(may_nonces(&rig, KEY_WALLET, KEY_WALLET));
    assert_false(may_nonces(&rig, KEY_OTHER_WALLET, KEY_WALLET));
    assert_false(may_nonces(&rig, KEY_DOCTOR_A, KEY_WALLET));
    assert_false(may_nonces(&rig, KEY_REVOKED_A, KEY_REVOKED_A));
    close_rig(&rig);
}

/* Everything about a patient: the wallet, who enrolled, who treats. */
CASE(access_shows_a_patient_to_the_patient_and_who_treats)
{
    struct state_rig rig;
    open_rig(&rig);
    static const struct {
        uint8_t kind;
        unsigned id;
    } about[] = {{SY_STATE_PATIENT, PATIENT},
                 {SY_STATE_OPEN_CARE, PATIENT},
                 {SY_STATE_RECORD, RECORD_PATIENT},
                 {SY_STATE_RECORD_VERSION, RECORD_PATIENT},
                 {SY_STATE_COSIGNATURES, RECORD_PATIENT},
                 {SY_STATE_RECORD_LINK, RECORD_PATIENT},
                 {SY_STATE_CARE, CARE_OPEN}};
    for (size_t i = 0; i < sizeof about / sizeof about[0]; i++) {
        assert_true(may(&rig, KEY_WALLET, about[i].kind, about[i].id));
        assert_true(may(&rig, KEY_DOCTOR_A, about[i].kind, about[i].id));
        assert_true(may(&rig, KEY_DOCTOR_B, about[i].kind, about[i].id));
        assert_false(may(&rig, KEY_DOCTOR_C, about[i].kind, about[i].id)); /* its care is closed */
        assert_false(may(&rig, KEY_AUDITOR_C, about[i].kind, about[i].id));
        assert_false(may(&rig, KEY_OTHER_WALLET, about[i].kind, about[i].id));
        assert_false(may(&rig, KEY_NOBODY, about[i].kind, about[i].id));
        assert_true(may(&rig, KEY_REGULATOR, about[i].kind, about[i].id));
    }
    assert_false(may(&rig, KEY_OTHER_WALLET, SY_STATE_PATIENT, OTHER_PATIENT)); /* unclaimed */
    assert_false(may(&rig, KEY_DOCTOR_D, SY_STATE_PATIENT, OTHER_PATIENT));     /* suspended */
    assert_true(may(&rig, KEY_DOCTOR_C, SY_STATE_CARE, CARE_CLOSED)); /* its own, though over */
    assert_false(may(&rig, KEY_DOCTOR_B, SY_STATE_PATIENT, NO_PATIENT));
    close_rig(&rig);
}

CASE(access_tells_that_there_is_no_such_record_or_care)
{
    struct state_rig rig;
    open_rig(&rig);
    assert_true(may(&rig, KEY_DOCTOR_C, SY_STATE_RECORD, NO_RECORD));
    assert_true(may(&rig, KEY_DOCTOR_C, SY_STATE_RECORD_VERSION, NO_RECORD));
    assert_true(may(&rig, KEY_DOCTOR_C, SY_STATE_CARE, NO_CARE));
    assert_false(may(&rig, KEY_NOBODY, SY_STATE_RECORD, NO_RECORD));
    close_rig(&rig);
}

/* That no claim bills a fill says as much of the prescription as the prescription does. */
CASE(access_tells_of_an_unbilled_fill_whom_it_shows_the_prescription)
{
    static const unsigned keys[] = {KEY_DOCTOR_A,     KEY_DOCTOR_B,  KEY_DOCTOR_C, KEY_WALLET,
                                    KEY_OTHER_WALLET, KEY_GATEWAY_B, KEY_NOBODY};
    struct state_rig rig;
    open_rig(&rig);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        bool shown = may(&rig, keys[i], SY_STATE_RX, RX);
        assert_int_equal(may(&rig, keys[i], SY_STATE_FILL_BILLED, RX), shown);
    }
    assert_true(may(&rig, KEY_DOCTOR_A, SY_STATE_FILL_BILLED, RX));
    assert_true(may(&rig, KEY_WALLET, SY_STATE_FILL_BILLED, RX));
    assert_false(may(&rig, KEY_DOCTOR_C, SY_STATE_FILL_BILLED, RX));
    assert_false(may(&rig, KEY_OTHER_WALLET, SY_STATE_FILL_BILLED, RX));
    assert_true(may(&rig, KEY_DOCTOR_C, SY_STATE_FILL_BILLED, NO_RX));
    close_rig(&rig);
}

/* Of two records whoever sees both, in either order. */
CASE(access_shows_a_duplicate_to_who_sees_both_records)
{
    struct state_rig rig;
    open_rig(&rig);
    static const struct {
        unsigned key, id, second;
        bool sees;
    } reads[] = {{KEY_DOCTOR_B, RECORD_PATIENT, RECORD_PATIENT, true},
                 {KEY_DOCTOR_B, RECORD_PATIENT, RECORD_LABEL, false},
                 {KEY_DOCTOR_B, RECORD_LABEL, RECORD_PATIENT, false},
                 {KEY_DOCTOR_A, RECORD_PATIENT, RECORD_LABEL, true},
                 {KEY_WALLET, RECORD_LABEL, RECORD_PATIENT, true},
                 {KEY_WALLET, RECORD_PATIENT, RECORD_OTHER, false},
                 {KEY_NOBODY, RECORD_ORG, RECORD_KEY, false},
                 {KEY_DOCTOR_C, RECORD_ORG, RECORD_KEY, true}};
    for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++) {
        struct sy_read_request read = read_of(reads[i].key, SY_STATE_DUPLICATE, reads[i].id);
        read.second = test_hash(reads[i].second);
        assert_true(sy_access_state(&rig.access, &read) == reads[i].sees);
    }
    close_rig(&rig);
}

CASE(access_shows_directory_records_to_any_reader)
{
    struct state_rig rig;
    open_rig(&rig);
    assert_true(may(&rig, KEY_DOCTOR_C, SY_STATE_RECORD, RECORD_ORG));
    assert_true(may(&rig, KEY_OTHER_WALLET, SY_STATE_RECORD, RECORD_KEY));
    assert_false(may(&rig, KEY_NOBODY, SY_STATE_RECORD, RECORD_KEY));
    close_rig(&rig);
}

CASE(access_lets_auditors_read_for_an_audit_only)
{
    struct state_rig rig;
    open_rig(&rig);
    struct sy_read_request read = read_of(KEY_AUDITOR_C, SY_STATE_PATIENT, PATIENT);
    for (uint8_t purpose = SY_PURPOSE_TREATMENT; purpose <= SY_PURPOSE_EMERGENCY; purpose++) {
        read.purpose = purpose;
        assert_true(sy_access_state(&rig.access, &read) == (purpose == SY_PURPOSE_AUDIT));
    }
    read.reader = test_public(KEY_DOCTOR_C); /* the purpose alone opens nothing */
    assert_false(sy_access_state(&rig.access, &read));
    close_rig(&rig);
}

CASE(access_knows_no_other_kinds)
{
    struct state_rig rig;
    open_rig(&rig);
    struct sy_hash key;
    for (unsigned kind = 0; kind < 256; kind++) {
        struct sy_read_request read = read_of(KEY_DOCTOR_A, (uint8_t)kind, PATIENT);
        bool known = sy_state_kind_name(kind) != NULL;
        assert_true(sy_read_key(&key, &read) == known);
        if (!known) assert_false(sy_access_state(&rig.access, &read));
    }
    close_rig(&rig);
}

/* A card to whoever knows its hash; a place in the list to the organisation whose list it is. */
CASE(access_shows_cards_to_any_reader_and_indexes_to_their_organisation)
{
    struct state_rig rig;
    open_rig(&rig);
    assert_true(may(&rig, KEY_DOCTOR_C, SY_STATE_CERT, ORG_A));
    assert_true(may(&rig, KEY_OTHER_WALLET, SY_STATE_CERT, ORG_A));
    assert_false(may(&rig, KEY_NOBODY, SY_STATE_CERT, ORG_A));
    assert_true(may(&rig, KEY_DOCTOR_A, SY_STATE_CERT_INDEX, ORG_A));
    assert_false(may(&rig, KEY_DOCTOR_C, SY_STATE_CERT_INDEX, ORG_A));
    assert_false(may(&rig, KEY_OTHER_WALLET, SY_STATE_CERT_INDEX, ORG_A));
    assert_false(may(&rig, KEY_NOBODY, SY_STATE_CERT_INDEX, ORG_A));
    close_rig(&rig);
}

/* ---- transactions ------------------------------------------------------------------------ */

CASE(access_shows_a_transaction_to_signers_and_their_organisation)
{
    struct state_rig rig;
    open_rig(&rig);
    struct sy_tx tx = {
        .signer = test_public(KEY_DOCTOR_A), .organisation = test_hash(ORG_A), .cosigner_count = 1};
    tx.cosigners[0] = test_public(KEY_NOBODY);
    assert_true(may_tx(&rig, KEY_DOCTOR_A, &tx, NULL, 0));
    assert_true(may_tx(&rig, KEY_NOBODY, &tx, NULL, 0)); /* what it signed itself */
    assert_true(may_tx(&rig, KEY_ADMIN_A, &tx, NULL, 0));
    assert_false(may_tx(&rig, KEY_REVOKED_A, &tx, NULL, 0));
    assert_false(may_tx(&rig, KEY_DOCTOR_C, &tx, NULL, 0)); /* refused: no events to go by */
    assert_true(may_tx(&rig, KEY_REGULATOR, &tx, NULL, 0));
    /* A patient signs for no organisation, and a regulator has none either: zero opens nothing. */
    memset(&tx.organisation, 0, sizeof tx.organisation);
    tx.signer = test_public(KEY_WALLET);
    assert_false(may_tx(&rig, KEY_DOCTOR_A, &tx, NULL, 0));
    close_rig(&rig);
}

CASE(access_shows_a_transaction_to_who_may_see_all_its_subjects)
{
    struct state_rig rig;
    open_rig(&rig);
    struct sy_tx tx = {.signer = test_public(KEY_NOBODY), .organisation = test_hash(ORG_A)};
    struct sy_event events[] = {event_of(SY_SUBJECT_ORG, ORG_A),
                                event_of(SY_SUBJECT_PATIENT, PATIENT),
                                event_of(SY_SUBJECT_PATIENT, OTHER_PATIENT)};
    assert_true(may_tx(&rig, KEY_DOCTOR_C, &tx, events, 1)); /* the directory is everybody's */
    assert_true(may_tx(&rig, KEY_DOCTOR_B, &tx, events, 2));
    assert_true(may_tx(&rig, KEY_WALLET, &tx, events, 2));
    assert_false(may_tx(&rig, KEY_DOCTOR_C, &tx, events, 2));
    assert_false(may_tx(&rig, KEY_DOCTOR_B, &tx, events, 3)); /* one of two patients */
    assert_false(may_tx(&rig, KEY_WALLET, &tx, events, 3));
    /* Who trades goods with whom is theirs, and who oversees may look at it. */
    tx.organisation = test_hash(ORG_C);
    events[0].kind = SY_EVENT_CUSTODY_REFUSED;
    assert_true(may_tx(&rig, KEY_ADMIN_A, &tx, events, 1));
    assert_false(may_tx(&rig, KEY_DOCTOR_B, &tx, events, 1));
    assert_true(may_tx(&rig, KEY_REGULATOR, &tx, events, 1));
    close_rig(&rig);
}

/* ---- members --------------------------------------------------------------------------------- */

CASE(access_shows_ids_to_members_only)
{
    static const struct {
        unsigned key;
        bool may;
    } readers[] = {{KEY_REGULATOR, true},    {KEY_ADMIN_A, true},    {KEY_DOCTOR_A, true},
                   {KEY_DOCTOR_C, true},     {KEY_AUDITOR_C, true},  {KEY_DOCTOR_D, false},
                   {KEY_WALLET, false},      {KEY_REVOKED_A, false}, {KEY_EXPIRED_A, false},
                   {KEY_EARLY_A, false},     {KEY_NOBODY, false},    {KEY_CONSENSUS_A, false},
                   {KEY_OTHER_WALLET, false}};
    static struct sy_roster roster;
    struct state_rig rig;
    open_rig(&rig);
    rig.access.roster = &roster;
    roster.count = 4;
    for (unsigned i = 0; i < 4; i++) {
        roster.validators[i].consensus_key = test_public(300 + 3 * i);
        roster.validators[i].link_key = test_public(301 + 3 * i);
        roster.validators[i].admin_key = test_public(302 + 3 * i);
    }
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        struct sy_read_request read = {.purpose = SY_PURPOSE_TREATMENT,
                                       .reader = test_public(readers[i].key)};
        sy_read_ids(&read, 1);
        if (sy_access_ids(&rig.access, &read) != readers[i].may) fail_msg("key %u", readers[i].key);
    }
    for (unsigned key = 299; key <= 312; key++) {
        struct sy_read_request read = {.purpose = SY_PURPOSE_AUDIT, .reader = test_public(key)};
        sy_read_ids(&read, 1);
        assert_true(sy_access_ids(&rig.access, &read) == (key >= 300 && key < 312));
    }
    close_rig(&rig);
}

/* ---- keys -------------------------------------------------------------------------------- */

CASE(access_derives_the_key_that_a_read_names)
{
    struct sy_hash key, expected;
    struct sy_hash patient = test_hash(PATIENT);
    struct sy_hash org = test_hash(ORG_B);
    struct sy_read_request read = read_of(KEY_DOCTOR_A, SY_STATE_OPEN_CARE, PATIENT);
    read.second = org;
    assert_true(sy_read_key(&key, &read));
    sy_state_key_open_care(&expected, &patient, &org);
    assert_true(sy_hash_equal(&key, &expected));

    read = read_of(KEY_DOCTOR_A, SY_STATE_RECORD_VERSION, RECORD_ORG);
    sy_store_u32(read.second.bytes, 7);
    assert_true(sy_read_key(&key, &read));
    struct sy_hash record = test_hash(RECORD_ORG);
    sy_state_key_record_version(&expected, &record, 7);
    assert_true(sy_hash_equal(&key, &expected));

    read = read_of(KEY_DOCTOR_A, SY_STATE_VALIDATOR, 1);
    memset(&read.id, 0, sizeof read.id);
    sy_store_u16(read.id.bytes, 3);
    assert_true(sy_read_key(&key, &read));
    sy_state_key_validator(&expected, 3);
    assert_true(sy_hash_equal(&key, &expected));

    read = read_of(KEY_DOCTOR_A, SY_STATE_PREFIX, 1);
    memset(&read.id, 0, sizeof read.id);
    memcpy(read.id.bytes, "0614141", 7);
    assert_true(sy_read_key(&key, &read));
    sy_state_key_prefix(&expected, sy_slice_of("0614141", 7));
    assert_true(sy_hash_equal(&key, &expected));

    read = read_of(KEY_DOCTOR_A, SY_STATE_MAKER, PATIENT);
    struct sy_public_key public;
    memcpy(public.bytes, read.id.bytes, sizeof public.bytes);
    assert_true(sy_read_key(&key, &read));
    sy_state_key_public(&expected, SY_STATE_MAKER, &public);
    assert_true(sy_hash_equal(&key, &expected));

    read = read_of(KEY_DOCTOR_A, SY_STATE_PARAMS, PATIENT); /* about nothing in particular */
    assert_true(sy_read_key(&key, &read));
    sy_state_key_zero(&expected, SY_STATE_PARAMS);
    assert_true(sy_hash_equal(&key, &expected));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(access_shows_the_directory_to_any_reader),
        cmocka_unit_test(access_shows_a_patients_credential_to_those_who_see_the_patient),
        cmocka_unit_test(access_knows_readers_by_a_credential_that_holds_now),
        cmocka_unit_test(access_shows_nonces_to_the_key_and_its_organisation),
        cmocka_unit_test(access_shows_a_patient_to_the_patient_and_who_treats),
        cmocka_unit_test(access_tells_that_there_is_no_such_record_or_care),
        cmocka_unit_test(access_tells_of_an_unbilled_fill_whom_it_shows_the_prescription),
        cmocka_unit_test(access_shows_a_duplicate_to_who_sees_both_records),
        cmocka_unit_test(access_shows_directory_records_to_any_reader),
        cmocka_unit_test(access_lets_auditors_read_for_an_audit_only),
        cmocka_unit_test(access_knows_no_other_kinds),
        cmocka_unit_test(access_shows_cards_to_any_reader_and_indexes_to_their_organisation),
        cmocka_unit_test(access_shows_a_transaction_to_signers_and_their_organisation),
        cmocka_unit_test(access_shows_a_transaction_to_who_may_see_all_its_subjects),
        cmocka_unit_test(access_shows_ids_to_members_only),
        cmocka_unit_test(access_derives_the_key_that_a_read_names),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
