/* Devices: who registers them for whom, what their keys are, and what these may not. */
#include "tests/unit/consent_rig.h"

enum {
    DEVICE = FRESH_ID + 600,
    KEY = FRESH_KEY,
    MAKER = FRESH_KEY + 10, /* of ORG_M */
    ADMIN_M,
    ORG_M = FRESH_ID + 700
};

static struct world_tx device(unsigned by, unsigned org, unsigned owner_kind, unsigned owner)
{
    struct world_tx tx = world_tx_of(SY_KIND_device_register, by, org);
    struct sy_device_register *p = &tx.payload.device_register;
    p->device_id = test_hash(DEVICE);
    p->device_key = test_public(KEY);
    p->org_id = test_hash(org);
    p->owner_kind = (uint16_t)owner_kind;
    p->owner = test_hash(owner);
    p->udi_commit = test_hash(1);
    p->class = SY_DEVICE_PUMP;
    p->not_before = world.header.time_ms;
    p->not_after = world.header.time_ms + 1000000000;
    return tx;
}

static struct sy_device find_device(void)
{
    struct sy_hash id = test_hash(DEVICE), key_hash;
    struct sy_slice value;
    struct sy_device found;
    sy_state_key_id(&key_hash, SY_STATE_DEVICE, &id);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_device_decode(&found, value));
    return found;
}

static struct sy_credential find_credential(unsigned key)
{
    struct sy_public_key public = test_public(key);
    struct sy_hash key_hash;
    struct sy_slice value;
    struct sy_credential credential;
    sy_state_key_public(&key_hash, SY_STATE_CREDENTIAL, &public);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_credential_decode(&credential, value));
    return credential;
}

static void assert_told(enum sy_subject_kind kind, unsigned owner)
{
    struct sy_reader r = sy_reader_of(world.receipt.events);
    struct sy_event event;
    struct sy_hash about = test_hash(owner), id = test_hash(DEVICE);
    assert_true(sy_event_decode(&r, &event));
    assert_true(sy_reader_done(&r));
    assert_int_equal(event.kind, SY_EVENT_DEVICE_ADDED);
    assert_int_equal(event.subject_kind, kind);
    assert_memory_equal(event.subject.bytes, about.bytes, 32);
    assert_memory_equal(event.object.bytes, id.bytes, 32);
}

CASE(device_of_an_organisation_is_registered)
{
    struct world_tx tx = device(ADMIN_A, ORG_A, SY_SUBJECT_ORG, ORG_A);
    assert_applied(&tx);
    assert_told(SY_SUBJECT_ORG, ORG_A);
    struct sy_device found = find_device();
    struct sy_public_key key = test_public(KEY);
    struct sy_hash org = test_hash(ORG_A);
    assert_memory_equal(found.key.bytes, key.bytes, 32);
    assert_memory_equal(found.organisation.bytes, org.bytes, 32);
    assert_memory_equal(found.owner.bytes, org.bytes, 32);
    assert_int_equal(found.owner_kind, SY_SUBJECT_ORG);
    assert_int_equal(found.device_class, SY_DEVICE_PUMP);
    assert_int_equal(found.height, world.header.height);
    struct sy_credential credential = find_credential(KEY);
    assert_int_equal(credential.role, SY_ROLE_DEVICE);
    assert_memory_equal(credential.holder.bytes, org.bytes, 32);
    assert_int_equal(credential.not_after_ms, tx.payload.device_register.not_after);
    tx.payload.device_register.device_key = test_public(KEY + 1);
    assert_refused(&tx, SY_E_DEVICE_EXISTS);
    assert_detail(DEVICE);
}

CASE(device_of_another_owner_needs_the_owner)
{
    struct world_tx tx = world_register(ORG_M, SY_ORG_MANUFACTURER, ADMIN_M);
    assert_applied(&tx);
    tx = world_issue(&world, ADMIN_M, ORG_M, SY_ROLE_MANUFACTURER, MAKER);
    assert_applied(&tx);
    tx = device(MAKER, ORG_M, SY_SUBJECT_ORG, ORG_A);
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    assert_detail(ORG_A);
    world_cosign(&tx, DOCTOR_A); // does not speak for it
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    world_cosign(&tx, GATEWAY_A);
    assert_applied(&tx);
    struct sy_hash maker = test_hash(ORG_M);
    assert_memory_equal(find_device().organisation.bytes, maker.bytes, 32);
    tx = device(MAKER, ORG_M, SY_SUBJECT_ORG, ORG_NONE);
    tx.payload.device_register.device_id = test_hash(DEVICE + 1);
    assert_refused(&tx, SY_E_ORG_UNKNOWN);
    assert_detail(ORG_NONE);
}

CASE(device_of_a_patient_needs_care_or_the_patient)
{
    struct world_tx tx = device(ADMIN_B, ORG_B, SY_SUBJECT_PATIENT, PATIENT_CLAIMED);
    assert_refused(&tx, SY_E_NO_CARE);
    assert_detail(PATIENT_CLAIMED);
    world_cosign(&tx, WALLET_CLAIMED);
    assert_applied(&tx);
    assert_told(SY_SUBJECT_PATIENT, PATIENT_CLAIMED);
    tx = device(ADMIN_A, ORG_A, SY_SUBJECT_PATIENT, PATIENT_CLAIMED);
    tx.payload.device_register.device_id = test_hash(DEVICE + 1);
    tx.payload.device_register.device_key = test_public(KEY + 1);
    assert_applied(&tx); // who treats registers an implant
    tx = device(ADMIN_A, ORG_A, SY_SUBJECT_PATIENT, PATIENT_NONE);
    tx.payload.device_register.device_id = test_hash(DEVICE + 2);
    assert_refused(&tx, SY_E_PATIENT_UNKNOWN);
    tx = world_tx_of(SY_KIND_patient_merge, GATEWAY_A, ORG_A);
    tx.payload.patient_merge.patient_id = test_hash(PATIENT);
    tx.payload.patient_merge.into_id = test_hash(PATIENT_CLAIMED);
    world_cosign(&tx, WALLET_CLAIMED);
    assert_applied(&tx);
    tx = device(ADMIN_A, ORG_A, SY_SUBJECT_PATIENT, PATIENT);
    tx.payload.device_register.device_id = test_hash(DEVICE + 2);
    assert_refused(&tx, SY_E_PATIENT_MERGED);
    assert_detail(PATIENT_CLAIMED);
}

CASE(devices_keep_their_rules)
{
    struct world_tx tx = device(ADMIN_A, ORG_A, SY_SUBJECT_ORG, ORG_A);
    tx.payload.device_register.org_id = test_hash(ORG_B);
    assert_refused(&tx, SY_E_ROLE);
    tx = device(DOCTOR_A, ORG_A, SY_SUBJECT_ORG, ORG_A);
    assert_refused(&tx, SY_E_ROLE);
    tx = device(ADMIN_A, ORG_A, SY_SUBJECT_KEY, ORG_A);
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("owner_kind");
    tx = device(ADMIN_A, ORG_A, SY_SUBJECT_ORG, ORG_A);
    tx.payload.device_register.class = 10;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("class");
    tx = device(ADMIN_A, ORG_A, SY_SUBJECT_ORG, ORG_A);
    tx.payload.device_register.not_after = tx.payload.device_register.not_before;
    assert_refused(&tx, SY_E_CRED_WINDOW);
    assert_int_equal(world.receipt.detail, world.genesis.params.credential_ms_max);
    tx = device(ADMIN_A, ORG_A, SY_SUBJECT_ORG, ORG_A);
    tx.payload.device_register.device_key = test_public(DOCTOR_A);
    assert_refused(&tx, SY_E_KEY_IN_USE);
    tx.payload.device_register.device_key = (struct sy_public_key){{1}};
    assert_refused(&tx, SY_E_KEY_WEAK);
    tx = world_issue(&world, ADMIN_A, ORG_A, SY_ROLE_DEVICE, KEY); // only with its device
    assert_refused(&tx, SY_E_ROLE_KIND);
}

CASE(device_key_is_replaced_and_revoked)
{
    struct world_tx tx = device(ADMIN_A, ORG_A, SY_SUBJECT_ORG, ORG_A);
    assert_applied(&tx);
    tx = world_tx_of(SY_KIND_key_rotate, KEY, ORG_A);
    tx.payload.key_rotate.old_key = test_public(KEY);
    tx.payload.key_rotate.role = SY_ROLE_DEVICE;
    tx.payload.key_rotate.new_key = test_public(KEY + 1);
    assert_applied(&tx);
    tx = world_tx_of(SY_KIND_cred_revoke, ADMIN_B, ORG_B);
    tx.payload.cred_revoke.subject_key = test_public(KEY + 1);
    tx.payload.cred_revoke.reason = SY_REVOKE_LOST;
    assert_refused(&tx, SY_E_ROLE);
    tx.keys[0] = ADMIN_A;
    tx.organisation = test_hash(ORG_A);
    assert_applied(&tx);
    assert_true(find_credential(KEY + 1).revoked);
    tx = world_record(KEY + 1, SY_ROLE_DEVICE, ORG_A, FRESH_ID, PATIENT);
    assert_refused(&tx, SY_E_KEY_REVOKED);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_WORLD(device_of_an_organisation_is_registered),
        WITH_WORLD(device_of_another_owner_needs_the_owner),
        WITH_WORLD(device_of_a_patient_needs_care_or_the_patient),
        WITH_WORLD(devices_keep_their_rules),
        WITH_WORLD(device_key_is_replaced_and_revoked),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
