/* Keys that are replaced: who may, what the new one inherits, and what the old one loses. */
#include "tests/unit/consent_rig.h"

enum {
    NEW = FRESH_KEY,
    NEWER = FRESH_KEY + 1,
    KEEN_DOCTOR = 170, /* of B, who may break the glass */
    GUARDIAN,          /* a patient, as the others are */
    SECOND_GUARDIAN,
    STRANGER,
    GUARDED_WALLET,
    GUARDED = FRESH_ID + 500 /* a patient with those two, one of whom is enough */
};

static struct world_tx rotate(unsigned by, unsigned org, unsigned old, unsigned role, unsigned new)
{
    struct world_tx tx = world_tx_of(SY_KIND_key_rotate, by, org);
    tx.payload.key_rotate.old_key = test_public(old);
    tx.payload.key_rotate.role = (uint16_t)role;
    tx.payload.key_rotate.new_key = test_public(new);
    return tx;
}

static struct world_tx rotate_doctor(unsigned old, unsigned new)
{
    return rotate(old, ORG_B, old, SY_ROLE_DOCTOR, new);
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

static void assert_key(const struct sy_public_key *key, unsigned number)
{
    struct sy_public_key expected = test_public(number);
    assert_memory_equal(key->bytes, expected.bytes, sizeof expected.bytes);
}

static void assert_key_detail(unsigned number)
{
    struct sy_public_key expected = test_public(number);
    assert_memory_equal(world.receipt.detail_hash.bytes, expected.bytes, 32);
}

static void assert_told(enum sy_subject_kind kind, struct sy_hash subject, unsigned new)
{
    struct sy_reader r = sy_reader_of(world.receipt.events);
    struct sy_event event;
    struct sy_public_key key = test_public(new);
    assert_true(sy_event_decode(&r, &event));
    assert_true(sy_reader_done(&r));
    assert_int_equal(event.kind, SY_EVENT_KEY_ROTATED);
    assert_int_equal(event.subject_kind, kind);
    assert_memory_equal(event.subject.bytes, subject.bytes, 32);
    assert_memory_equal(event.object.bytes, key.bytes, 32);
}

static struct sy_hash key_id(unsigned key)
{
    struct sy_public_key public = test_public(key);
    return sy_credential_line(&(struct sy_credential){.has_line = false}, &public);
}

/* A patient of A's with a key and two guardians, of whom one is enough. */
static void enrol_guarded(void)
{
    enrol_with_wallet(FRESH_ID + 501, GUARDIAN);
    enrol_with_wallet(FRESH_ID + 502, SECOND_GUARDIAN);
    enrol_with_wallet(FRESH_ID + 503, STRANGER);
    struct world_tx tx = world_enrol(GATEWAY_A, ORG_A, GUARDED);
    struct sy_hash first = key_id(GUARDIAN), second = key_id(SECOND_GUARDIAN);
    uint8_t room[64];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    tx.payload.patient_enrol.has_wallet_key = true;
    tx.payload.patient_enrol.wallet_key = test_public(GUARDED_WALLET);
    tx.payload.patient_enrol.guardian_needed = 1;
    sy_list_add_id(&tx.payload.patient_enrol.guardians, &w, &first);
    sy_list_add_id(&tx.payload.patient_enrol.guardians, &w, &second);
    world_cosign(&tx, GUARDED_WALLET);
    assert_applied(&tx);
}

CASE(rotated_key_hands_its_credential_on)
{
    struct sy_credential before = find_credential(DOCTOR_B);
    struct sy_credential kept = before; // but for the lists, which both have not
    struct world_tx tx = rotate_doctor(DOCTOR_B, NEW);
    assert_applied(&tx);
    assert_told(SY_SUBJECT_KEY, key_id(DOCTOR_B), NEW);
    struct sy_credential old = find_credential(DOCTOR_B), new = find_credential(NEW);
    assert_true(old.revoked && old.has_successor && !old.has_line);
    assert_int_equal(old.revoke_reason, SY_REVOKE_SUPERSEDED);
    assert_int_equal(old.revoked_height, world.header.height);
    assert_int_equal(old.revoked_at_ms, world.header.time_ms);
    assert_key(&old.successor, NEW);
    assert_true(!new.revoked && !new.has_successor &&new.has_line);
    assert_key(&new.line, DOCTOR_B);
    assert_int_equal(new.role, kept.role);
    assert_memory_equal(new.holder.bytes, kept.holder.bytes, 32);
    assert_int_equal(new.not_before_ms, world.header.time_ms);
    assert_int_equal(new.not_after_ms, kept.not_after_ms);
    assert_memory_equal(new.x25519_key.bytes, kept.x25519_key.bytes, 32);
    assert_int_equal(new.issued_height, world.header.height);
    // The line goes on from its first key.
    tx = rotate_doctor(NEW, NEWER);
    tx.payload.key_rotate.has_x25519_key = true;
    tx.payload.key_rotate.x25519_key = test_public(77);
    assert_applied(&tx);
    new = find_credential(NEWER);
    assert_key(&new.line, DOCTOR_B);
    assert_key(&new.x25519_key, 77);
    assert_true(find_credential(NEW).has_line && find_credential(NEW).has_successor);
}

CASE(rotated_key_keeps_scope_and_rights_and_no_more)
{
    struct world_tx tx = world_issue(&world, ADMIN_B, ORG_B, SY_ROLE_DOCTOR, KEEN_DOCTOR);
    uint8_t room[64];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    tx.payload.cred_issue.has_break_glass = true;
    tx.payload.cred_issue.break_glass = true;
    tx.payload.cred_issue.specialty = sy_slice_of("cardiology", 10);
    sy_list_add_text(&tx.payload.cred_issue.scope, &w, sy_slice_of("Condition", 9));
    assert_applied(&tx);
    tx = rotate_doctor(KEEN_DOCTOR, NEW);
    assert_applied(&tx);
    struct sy_credential new = find_credential(NEW);
    assert_true(new.break_glass);
    assert_int_equal(new.specialty.size, 10);
    assert_memory_equal(new.specialty.data, "cardiology", 10);
    assert_int_equal(new.scope.count, 1);
    struct sy_credential old = find_credential(KEEN_DOCTOR); // written after it was borrowed from
    assert_int_equal(old.scope.count, 1);
    assert_int_equal(old.specialty.size, 10);
}

CASE(rotated_key_signs_nothing_more)
{
    struct world_tx tx = world_open_care(GATEWAY_B, ORG_B, 700, PATIENT);
    tx.payload.care_open.reason = SY_CARE_TREATMENT;
    assert_applied(&tx);
    tx = rotate_doctor(DOCTOR_B, NEW);
    assert_applied(&tx);
    tx = world_record(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID, PATIENT);
    assert_refused(&tx, SY_E_KEY_REVOKED);
    tx = world_record(NEW, SY_ROLE_DOCTOR, ORG_B, FRESH_ID, PATIENT);
    assert_applied(&tx);
    // Neither does it come back, nor a second key in its place.
    tx = rotate(NEW, ORG_B, DOCTOR_B, SY_ROLE_DOCTOR, NEWER);
    assert_refused(&tx, SY_E_NOT_HOLDER);
    tx = rotate_doctor(NEW, DOCTOR_B);
    assert_refused(&tx, SY_E_KEY_IN_USE);
    assert_key_detail(DOCTOR_B);
    tx = world_tx_of(SY_KIND_cred_revoke, ADMIN_B, ORG_B);
    tx.payload.cred_revoke.subject_key = test_public(DOCTOR_B);
    tx.payload.cred_revoke.reason = SY_REVOKE_LOST;
    assert_refused(&tx, SY_E_CRED_STATE);
    tx.payload.cred_revoke.subject_key = test_public(NEW);
    assert_applied(&tx);
}

CASE(rotation_keeps_its_rules)
{
    struct world_tx tx = rotate(DOCTOR_B, ORG_B, NEWER, SY_ROLE_DOCTOR, NEW);
    assert_refused(&tx, SY_E_CRED_UNKNOWN);
    assert_key_detail(NEWER);
    tx = rotate_doctor(DOCTOR_B, NEW);
    tx.payload.key_rotate.old_key = world.genesis.roster.validators[0].consensus_key;
    assert_refused(&tx, SY_E_CRED_UNKNOWN);
    tx = rotate(DOCTOR_B, ORG_B, DOCTOR_B, SY_ROLE_NURSE, NEW);
    assert_refused(&tx, SY_E_ROLE);
    assert_path("role");
    assert_int_equal(world.receipt.detail, SY_ROLE_BIT(SY_ROLE_DOCTOR));
    tx = rotate(DOCTOR_B, ORG_B, DOCTOR_B, 99, NEW);
    assert_refused(&tx, SY_E_SCHEMA);
    // Nobody else, the organisation's admin included.
    tx = rotate(ADMIN_B, ORG_B, DOCTOR_B, SY_ROLE_DOCTOR, NEW);
    assert_refused(&tx, SY_E_NOT_HOLDER);
    assert_key_detail(DOCTOR_B);
    // Nor with the holder beside: the possession is for who answers.
    world_cosign(&tx, DOCTOR_B);
    assert_refused(&tx, SY_E_NOT_HOLDER);
    tx = rotate_doctor(DOCTOR_B, DOCTOR_A);
    assert_refused(&tx, SY_E_KEY_IN_USE);
    assert_key_detail(DOCTOR_A);
    tx = rotate_doctor(DOCTOR_B, DOCTOR_B);
    assert_refused(&tx, SY_E_KEY_IN_USE);
    tx = rotate_doctor(DOCTOR_B, NEW);
    tx.payload.key_rotate.new_key = (struct sy_public_key){{1}}; // of order 1
    assert_refused(&tx, SY_E_KEY_WEAK);
    // A key that nobody knows signs nothing but its possession.
    tx = rotate_doctor(DOCTOR_B, NEW);
    world_cosign(&tx, NEW);
    assert_refused(&tx, SY_E_KEY_UNKNOWN);
    tx = rotate_doctor(DOCTOR_B, NEW);
    tx.organisation = test_hash(ORG_A);
    assert_refused(&tx, SY_E_ROLE);
}

CASE(rotation_in_parts_is_for_the_same_organisation)
{
    struct world_tx tx = world_tx_of(SY_KIND_atomic, GATEWAY_A, ORG_A);
    struct world_tx enrol = world_enrol(GATEWAY_A, ORG_A, FRESH_ID);
    struct world_tx part = rotate_doctor(DOCTOR_B, NEW);
    world_cosign(&tx, DOCTOR_B);
    world_part(&world, &tx, enrol.kind, 0, &enrol.payload);
    world_part(&world, &tx, part.kind, 1, &part.payload);
    assert_refused(&tx, SY_E_POSSESSION);
    assert_int_equal(world.receipt.part, 1);
    assert_detail(ORG_A);
    // What is replaced in one part signs no later one.
    tx = world_tx_of(SY_KIND_atomic, DOCTOR_B, ORG_B);
    world_part(&world, &tx, part.kind, 0, &part.payload);
    part = rotate_doctor(DOCTOR_B, NEWER);
    world_part(&world, &tx, part.kind, 0, &part.payload);
    assert_refused(&tx, SY_E_CRED_EXPIRED);
    assert_int_equal(world.receipt.part, 1);
}

CASE(rotation_of_an_admin_and_of_a_regulator)
{
    struct world_tx tx = rotate(ADMIN_B, ORG_B, ADMIN_B, SY_ROLE_ORG_ADMIN, NEW);
    assert_applied(&tx);
    tx = world_issue(&world, NEW, ORG_B, SY_ROLE_NURSE, NEWER);
    assert_applied(&tx);
    tx = rotate(REGULATOR_1, 0, REGULATOR_1, SY_ROLE_REGULATOR, FRESH_KEY + 5);
    assert_refused(&tx, SY_E_REGULATORS);
    assert_int_equal(world.receipt.detail, world.genesis.params.regulators_needed);
    world_cosign(&tx, REGULATOR_2);
    assert_applied(&tx);
    tx = world_tx_of(SY_KIND_org_suspend, FRESH_KEY + 5, 0);
    tx.payload.org_suspend.org_id = test_hash(ORG_A);
    tx.payload.org_suspend.reason = SY_SUSPEND_SAFETY;
    world_cosign(&tx, REGULATOR_2);
    assert_applied(&tx);
}

CASE(rotation_leaves_consents_with_the_holder)
{
    struct world_tx tx =
        world_grant(&world, WALLET_CLAIMED, CONSENT, PATIENT_CLAIMED, SY_GRANTEE_KEY, DOCTOR_B);
    assert_applied(&tx);
    tx = rotate_doctor(DOCTOR_B, NEW);
    assert_applied(&tx);
    tx = world_record(NEW, SY_ROLE_DOCTOR, ORG_B, FRESH_ID, PATIENT_CLAIMED);
    assert_applied(&tx);
    // Whom a grant names by a later key is the same holder.
    tx = world_revoke(WALLET_CLAIMED, CONSENT, PATIENT_CLAIMED);
    assert_applied(&tx);
    tx = world_grant(&world, WALLET_CLAIMED, CONSENT + 1, PATIENT_CLAIMED, SY_GRANTEE_KEY, NEW);
    assert_applied(&tx);
    struct sy_hash first = key_id(DOCTOR_B);
    assert_memory_equal(find_consent(CONSENT + 1).grantee.bytes, first.bytes, 32);
    tx = rotate_doctor(NEW, NEWER);
    assert_applied(&tx);
    tx = world_record(NEWER, SY_ROLE_DOCTOR, ORG_B, FRESH_ID + 1, PATIENT_CLAIMED);
    assert_applied(&tx);
    // It may be passed on by the new key.
    tx = world_delegate(&world, NEWER, ORG_B, CONSENT + 2, PATIENT_CLAIMED, CONSENT + 1,
                        SY_GRANTEE_KEY, NURSE_B);
    assert_applied(&tx);
    tx = world_delegate(&world, NURSE_B, ORG_B, CONSENT + 3, PATIENT_CLAIMED, CONSENT + 1,
                        SY_GRANTEE_KEY, NURSE_B);
    assert_refused(&tx, SY_E_NOT_GRANTEE);
}

CASE(rotation_leaves_no_denial_behind)
{
    struct world_tx tx =
        world_deny(&world, WALLET_CLAIMED, CONSENT, PATIENT_CLAIMED, SY_GRANTEE_KEY, DOCTOR_A);
    assert_applied(&tx);
    tx = rotate(DOCTOR_A, ORG_A, DOCTOR_A, SY_ROLE_DOCTOR, NEW);
    assert_applied(&tx);
    tx = world_record(NEW, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, PATIENT_CLAIMED);
    assert_refused(&tx, SY_E_CONSENT);
    assert_detail(CONSENT);
}

CASE(rotation_leaves_no_review_behind)
{
    struct world_tx issue = world_issue(&world, ADMIN_B, ORG_B, SY_ROLE_DOCTOR, KEEN_DOCTOR);
    issue.payload.cred_issue.has_break_glass = true;
    issue.payload.cred_issue.break_glass = true;
    assert_applied(&issue);
    struct world_tx tx = world_tx_of(SY_KIND_access_breakglass, KEEN_DOCTOR, ORG_B);
    for (unsigned i = 0; i < SY_BREAKS_OPEN_MAX; i++) {
        tx.payload.access_breakglass.break_id = test_hash(CONSENT + i);
        tx.payload.access_breakglass.patient_id = test_hash(PATIENT_CLAIMED);
        tx.payload.access_breakglass.reason = SY_BREAK_LIFE;
        tx.payload.access_breakglass.until = world.header.time_ms + 60000;
        assert_applied(&tx);
    }
    struct world_tx turn = rotate_doctor(KEEN_DOCTOR, NEW);
    assert_applied(&turn);
    tx.keys[0] = NEW;
    tx.payload.access_breakglass.break_id = test_hash(CONSENT + 100);
    assert_refused(&tx, SY_E_REVIEW);
    assert_detail(CONSENT);
    struct world_tx review = world_tx_of(SY_KIND_access_review, ADMIN_B, ORG_B);
    review.payload.access_review.break_id = test_hash(CONSENT);
    review.payload.access_review.outcome = SY_REVIEW_JUSTIFIED;
    assert_applied(&review);
    assert_applied(&tx);
}

CASE(wallet_is_replaced_by_its_holder_or_guardians)
{
    enrol_guarded();
    struct world_tx tx = rotate(STRANGER, 0, GUARDED_WALLET, SY_ROLE_PATIENT, NEW);
    assert_refused(&tx, SY_E_NOT_HOLDER);
    tx = rotate(GUARDED_WALLET, 0, GUARDED_WALLET, SY_ROLE_PATIENT, NEW);
    tx.payload.key_rotate.has_x25519_key = true;
    tx.payload.key_rotate.x25519_key = test_public(78);
    assert_applied(&tx);
    assert_told(SY_SUBJECT_PATIENT, test_hash(GUARDED), NEW);
    struct sy_patient patient = find_patient(GUARDED);
    assert_key(&patient.wallet_key, NEW);
    assert_key(&patient.x25519_key, 78);
    assert_int_equal(patient.guardians.count, 2);
    // Stolen: guardians take it from the thief, whatever was the key's name before.
    tx = rotate(GUARDIAN, 0, GUARDED_WALLET, SY_ROLE_PATIENT, NEWER);
    assert_refused(&tx, SY_E_CRED_STATE);
    tx = rotate(GUARDIAN, 0, NEW, SY_ROLE_PATIENT, NEWER);
    assert_applied(&tx);
    patient = find_patient(GUARDED);
    assert_key(&patient.wallet_key, NEWER);
    tx = world_grant(&world, NEW, CONSENT, GUARDED, SY_GRANTEE_ORG, ORG_B);
    assert_refused(&tx, SY_E_KEY_REVOKED);
    tx = world_grant(&world, NEWER, CONSENT, GUARDED, SY_GRANTEE_ORG, ORG_B);
    assert_applied(&tx);
    tx = world_revoke(NEWER, CONSENT, GUARDED);
    assert_applied(&tx);
}

CASE(wallet_that_was_revoked_is_replaced_by_guardians)
{
    enrol_guarded();
    struct world_tx tx = world_tx_of(SY_KIND_cred_revoke, REGULATOR_1, 0);
    tx.payload.cred_revoke.subject_key = test_public(GUARDED_WALLET);
    tx.payload.cred_revoke.reason = SY_REVOKE_COMPROMISED;
    tx.payload.cred_revoke.at = world.header.time_ms;
    assert_applied(&tx);
    uint64_t height = world.header.height;
    tx = rotate(GUARDED_WALLET, 0, GUARDED_WALLET, SY_ROLE_PATIENT, NEW);
    assert_refused(&tx, SY_E_KEY_REVOKED);
    tx = rotate(GUARDIAN, 0, GUARDED_WALLET, SY_ROLE_PATIENT, NEW);
    assert_applied(&tx);
    struct sy_credential old = find_credential(GUARDED_WALLET);
    assert_int_equal(old.revoke_reason, SY_REVOKE_COMPROMISED); // as it was
    assert_int_equal(old.revoked_height, height);
    assert_true(old.has_successor);
}

CASE(guardians_go_on_with_new_keys_and_count_once)
{
    enrol_guarded();
    struct world_tx tx = rotate(GUARDIAN, 0, GUARDIAN, SY_ROLE_PATIENT, NEW);
    assert_applied(&tx);
    tx = world_grant(&world, NEW, CONSENT, GUARDED, SY_GRANTEE_ORG, ORG_B);
    assert_applied(&tx);
    // Both keys of one holder's are named: it is one guardian all the same.
    struct sy_hash first = key_id(GUARDIAN), now = key_id(NEW);
    uint8_t room[64];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    tx = world_enrol(GATEWAY_A, ORG_A, FRESH_ID);
    tx.payload.patient_enrol.guardian_needed = 2;
    sy_list_add_id(&tx.payload.patient_enrol.guardians, &w, &first);
    sy_list_add_id(&tx.payload.patient_enrol.guardians, &w, &now);
    assert_applied(&tx);
    tx = world_grant(&world, NEW, CONSENT + 1, FRESH_ID, SY_GRANTEE_ORG, ORG_B);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    // A key from the middle of a line names its holder, too.
    w = sy_writer_of(room, sizeof room);
    tx = world_enrol(GATEWAY_A, ORG_A, FRESH_ID + 1);
    tx.payload.patient_enrol.guardian_needed = 1;
    sy_list_add_id(&tx.payload.patient_enrol.guardians, &w, &now);
    assert_applied(&tx);
    tx = rotate(NEW, 0, NEW, SY_ROLE_PATIENT, NEWER);
    assert_applied(&tx);
    tx = world_grant(&world, NEWER, CONSENT + 1, FRESH_ID + 1, SY_GRANTEE_ORG, ORG_B);
    assert_applied(&tx);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_WORLD(rotated_key_hands_its_credential_on),
        WITH_WORLD(rotated_key_keeps_scope_and_rights_and_no_more),
        WITH_WORLD(rotated_key_signs_nothing_more),
        WITH_WORLD(rotation_keeps_its_rules),
        WITH_WORLD(rotation_in_parts_is_for_the_same_organisation),
        WITH_WORLD(rotation_of_an_admin_and_of_a_regulator),
        WITH_WORLD(rotation_leaves_consents_with_the_holder),
        WITH_WORLD(rotation_leaves_no_denial_behind),
        WITH_WORLD(rotation_leaves_no_review_behind),
        WITH_WORLD(wallet_is_replaced_by_its_holder_or_guardians),
        WITH_WORLD(wallet_that_was_revoked_is_replaced_by_guardians),
        WITH_WORLD(guardians_go_on_with_new_keys_and_count_once),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
