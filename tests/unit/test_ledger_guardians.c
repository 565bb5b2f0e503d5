/* Guardians: who replaces them, what they say for a patient, and care in the patient's stead. */
#include "tests/unit/consent_rig.h"

enum {
    ONE = 171, /* guardians, patients as others are */
    TWO,
    THREE,
    WARD = FRESH_ID + 600, /* unclaimed; ONE, TWO and THREE, two of whom are needed */
    STATEMENT = FRESH_ID + 900,
    CARE = 700
};

static struct sy_hash key_id(unsigned key)
{
    struct sy_public_key public = test_public(key);
    struct sy_hash id;
    memcpy(id.bytes, public.bytes, sizeof id.bytes);
    return id;
}

/* A list of keys; its room is used up by the next three. */
static struct sy_list list_of(const unsigned *keys, unsigned count)
{
    static uint8_t rooms[3][SY_GUARDIANS_MAX * 32];
    static unsigned turn;
    struct sy_list list = {.count = 0};
    struct sy_writer w = sy_writer_of(rooms[turn++ % 3], sizeof rooms[0]);
    for (unsigned i = 0; i < count; i++) {
        struct sy_hash id = key_id(keys[i]);
        sy_list_add_id(&list, &w, &id);
    }
    return list;
}

static const unsigned three[] = {ONE, TWO, THREE};

static void enrol_ward(unsigned patient, unsigned needed)
{
    if (world.nonces[ONE] == 0) {
        for (unsigned i = 0; i < 3; i++) enrol_with_wallet(FRESH_ID + 501 + i, three[i]);
        world.nonces[ONE] = 1; // enrolled once a world
    }
    struct world_tx tx = world_enrol(GATEWAY_A, ORG_A, patient);
    tx.payload.patient_enrol.guardian_needed = (uint8_t)needed;
    if (needed > 0) tx.payload.patient_enrol.guardians = list_of(three, 3);
    assert_applied(&tx);
}

static struct world_tx act(unsigned key, unsigned org, unsigned patient, unsigned action)
{
    struct world_tx tx = world_tx_of(SY_KIND_guardian_act, key, org);
    tx.payload.guardian_act.patient_id = test_hash(patient);
    tx.payload.guardian_act.action = (uint16_t)action;
    tx.payload.guardian_act.has_statement = action != SY_GUARDIANS_REPLACE;
    tx.payload.guardian_act.statement = test_hash(STATEMENT);
    return tx;
}

static struct sy_patient find_patient(unsigned patient)
{
    struct sy_hash id = test_hash(patient), key_hash;
    struct sy_slice value;
    struct sy_patient found;
    sy_state_key_id(&key_hash, SY_STATE_PATIENT, &id);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_patient_decode(&found, value));
    return found;
}

static void assert_told(unsigned patient, unsigned object)
{
    struct sy_reader r = sy_reader_of(world.receipt.events);
    struct sy_event event;
    struct sy_hash subject = test_hash(patient), about = test_hash(object);
    assert_true(sy_event_decode(&r, &event));
    assert_true(sy_reader_done(&r));
    assert_int_equal(event.kind, SY_EVENT_GUARDIAN_ACTED);
    assert_memory_equal(event.subject.bytes, subject.bytes, 32);
    assert_memory_equal(event.object.bytes, about.bytes, 32);
}

CASE(guardians_speak_together)
{
    enrol_ward(WARD, 2);
    for (unsigned action = SY_GUARDIANS_AGREE; action <= SY_GUARDIANS_REFUSE; action++) {
        struct world_tx tx = act(ONE, 0, WARD, action);
        assert_refused(&tx, SY_E_NOT_SUBJECT);
        assert_detail(WARD);
        world_cosign(&tx, WALLET_CLAIMED); // no guardian
        assert_refused(&tx, SY_E_NOT_SUBJECT);
        world_cosign(&tx, TWO);
        assert_applied(&tx);
        assert_told(WARD, STATEMENT);
    }
    // The organisation that enrolled does not speak for the patient.
    struct world_tx tx = act(ADMIN_A, ORG_A, WARD, SY_GUARDIANS_AGREE);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    tx = act(DOCTOR_A, ORG_A, WARD, SY_GUARDIANS_AGREE);
    assert_refused(&tx, SY_E_ROLE);
    // Nor does anybody where nobody was named, the patient with a key included.
    tx = act(WALLET_CLAIMED, 0, PATIENT_CLAIMED, SY_GUARDIANS_AGREE);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
}

CASE(guardians_replace_themselves_while_there_is_no_key)
{
    enrol_ward(WARD, 2);
    struct world_tx tx = act(ONE, 0, WARD, SY_GUARDIANS_REPLACE);
    const unsigned next[] = {THREE, WALLET_CLAIMED};
    tx.payload.guardian_act.guardians = list_of(next, 2);
    tx.payload.guardian_act.guardian_needed = 1;
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    world_cosign(&tx, ADMIN_A);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    world_cosign(&tx, TWO);
    assert_applied(&tx);
    assert_told(WARD, WARD);
    struct sy_patient patient = find_patient(WARD);
    assert_int_equal(patient.guardians.count, 2);
    assert_int_equal(patient.guardians_needed, 1);
    // From then on it is for the new ones.
    tx = act(ONE, 0, WARD, SY_GUARDIANS_AGREE);
    world_cosign(&tx, TWO);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    tx = act(WALLET_CLAIMED, 0, WARD, SY_GUARDIANS_AGREE);
    assert_applied(&tx);
}

CASE(patient_with_a_key_replaces_guardians_alone)
{
    enrol_ward(WARD, 2);
    struct world_tx tx = world_tx_of(SY_KIND_patient_claim, GATEWAY_A, ORG_A);
    tx.payload.patient_claim.patient_id = test_hash(WARD);
    tx.payload.patient_claim.wallet_key = test_public(FRESH_KEY);
    world_cosign(&tx, FRESH_KEY);
    world_cosign(&tx, ONE);
    world_cosign(&tx, TWO);
    assert_applied(&tx);
    tx = act(ONE, 0, WARD, SY_GUARDIANS_REPLACE);
    world_cosign(&tx, TWO);
    world_cosign(&tx, THREE);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    tx = act(ONE, 0, WARD, SY_GUARDIANS_AGREE); // but may speak: a patient may lie unconscious
    world_cosign(&tx, TWO);
    assert_applied(&tx);
    tx = act(FRESH_KEY, 0, WARD, SY_GUARDIANS_REPLACE); // by nobody
    assert_applied(&tx);
    assert_int_equal(find_patient(WARD).guardians.count, 0);
    tx = world_tx_of(SY_KIND_key_rotate, ONE, 0);
    tx.payload.key_rotate.old_key = test_public(FRESH_KEY);
    tx.payload.key_rotate.role = SY_ROLE_PATIENT;
    tx.payload.key_rotate.new_key = test_public(FRESH_KEY + 1);
    world_cosign(&tx, TWO);
    assert_refused(&tx, SY_E_NOT_HOLDER);
}

CASE(organisation_names_the_first_guardians_and_no_others)
{
    enrol_ward(WARD, 0);
    struct world_tx tx = act(ADMIN_B, ORG_B, WARD, SY_GUARDIANS_REPLACE);
    tx.payload.guardian_act.guardians = list_of(three, 3);
    tx.payload.guardian_act.guardian_needed = 2;
    assert_refused(&tx, SY_E_NOT_SUBJECT); // it did not enrol the patient
    tx.keys[0] = ADMIN_A;
    tx.organisation = test_hash(ORG_A);
    assert_applied(&tx);
    assert_int_equal(find_patient(WARD).guardians.count, 3);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    // A patient with a key names guardians alone.
    tx.payload.guardian_act.patient_id = test_hash(PATIENT_CLAIMED);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    tx.keys[0] = WALLET_CLAIMED;
    tx.organisation = (struct sy_hash){{0}};
    assert_applied(&tx);
    assert_int_equal(find_patient(PATIENT_CLAIMED).guardians_needed, 2);
}

CASE(acts_keep_their_rules)
{
    enrol_ward(WARD, 2);
    struct world_tx tx = act(ONE, 0, PATIENT_NONE, SY_GUARDIANS_AGREE);
    assert_refused(&tx, SY_E_PATIENT_UNKNOWN);
    tx = act(ONE, 0, WARD, 4);
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("action");
    tx = act(ONE, 0, WARD, SY_GUARDIANS_AGREE);
    world_cosign(&tx, TWO);
    tx.payload.guardian_act.has_statement = false;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("statement");
    tx.payload.guardian_act.has_statement = true;
    tx.payload.guardian_act.guardians = list_of(three, 3);
    tx.payload.guardian_act.guardian_needed = 1;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("guardians");
    tx.payload.guardian_act.action = SY_GUARDIANS_REPLACE;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("statement");
    tx.payload.guardian_act.has_statement = false;
    tx.payload.guardian_act.guardian_needed = 4;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("guardian_needed");
    tx.payload.guardian_act.guardian_needed = 0;
    assert_refused(&tx, SY_E_SCHEMA);
    tx.payload.guardian_act.guardian_needed = 3;
    assert_applied(&tx);
}

CASE(guardians_agree_to_care_and_end_it)
{
    enrol_ward(WARD, 2);
    struct world_tx tx = world_open_care(DOCTOR_B, ORG_B, CARE, WARD);
    tx.payload.care_open.reason = SY_CARE_AGREED;
    world_cosign(&tx, ONE);
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    world_cosign(&tx, THREE);
    assert_applied(&tx);
    tx = world_tx_of(SY_KIND_care_close, ONE, 0);
    tx.payload.care_close.care_id = test_hash(CARE);
    assert_refused(&tx, SY_E_ROLE);
    world_cosign(&tx, TWO);
    assert_applied(&tx);
}

CASE(guardians_end_no_care_of_a_patient_with_a_key)
{
    enrol_ward(WARD, 0);
    struct world_tx tx = act(WALLET_CLAIMED, 0, PATIENT_CLAIMED, SY_GUARDIANS_REPLACE);
    tx.payload.guardian_act.guardians = list_of(three, 1);
    tx.payload.guardian_act.guardian_needed = 1;
    assert_applied(&tx);
    tx = world_open_care(DOCTOR_B, ORG_B, CARE, PATIENT_CLAIMED);
    tx.payload.care_open.reason = SY_CARE_AGREED;
    world_cosign(&tx, ONE);
    assert_applied(&tx);
    tx = world_tx_of(SY_KIND_care_close, ONE, 0);
    tx.payload.care_close.care_id = test_hash(CARE);
    assert_refused(&tx, SY_E_ROLE);
    tx.keys[0] = WALLET_CLAIMED;
    assert_applied(&tx);
}

CASE(patient_ends_care_of_an_id_that_was_merged)
{
    struct world_tx tx = world_open_care(GATEWAY_B, ORG_B, CARE, PATIENT);
    tx.payload.care_open.reason = SY_CARE_REFERRAL;
    assert_applied(&tx);
    tx = world_tx_of(SY_KIND_patient_merge, GATEWAY_A, ORG_A);
    tx.payload.patient_merge.patient_id = test_hash(PATIENT);
    tx.payload.patient_merge.into_id = test_hash(PATIENT_CLAIMED);
    world_cosign(&tx, WALLET_CLAIMED);
    assert_applied(&tx);
    tx = world_tx_of(SY_KIND_care_close, WALLET_CLAIMED, 0);
    tx.payload.care_close.care_id = test_hash(CARE);
    assert_applied(&tx);
    tx = act(ADMIN_A, ORG_A, PATIENT, SY_GUARDIANS_REPLACE);
    assert_refused(&tx, SY_E_PATIENT_MERGED);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_WORLD(guardians_speak_together),
        WITH_WORLD(guardians_replace_themselves_while_there_is_no_key),
        WITH_WORLD(patient_with_a_key_replaces_guardians_alone),
        WITH_WORLD(organisation_names_the_first_guardians_and_no_others),
        WITH_WORLD(acts_keep_their_rules),
        WITH_WORLD(guardians_agree_to_care_and_end_it),
        WITH_WORLD(guardians_end_no_care_of_a_patient_with_a_key),
        WITH_WORLD(patient_ends_care_of_an_id_that_was_merged),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
