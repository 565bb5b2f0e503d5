/* Consents: who may give and take them back, what state keeps of them, and what they let others
 * write. What a consent means for every question there is: test_may.c. */
#include "core/ledger/contracts/contracts.h"
#include "tests/unit/consent_rig.h"

enum {
    MINOR = 5100, /* a patient without a key whose guardians are ... */
    GUARDIANS_NEEDED = 2,
    PARENT = 160, /* ... the wallets of three patients, PARENT_PATIENT and the next */
    PARENT_PATIENT = 5110
};

/* A child without a key, for whom two of three parents speak. */
static void enrol_minor(void)
{
    uint8_t room[3 * 32];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct world_tx tx = world_enrol(GATEWAY_A, ORG_A, MINOR);
    for (unsigned i = 0; i < 3; i++) {
        struct sy_public_key key = test_public(PARENT + i);
        struct sy_hash id = sy_hash_of_key(&key);
        enrol_with_wallet(PARENT_PATIENT + i, PARENT + i);
        sy_list_add_id(&tx.payload.patient_enrol.guardians, &w, &id);
    }
    tx.payload.patient_enrol.guardian_needed = GUARDIANS_NEEDED;
    assert_applied(&tx);
}

// --- grant and deny ----------------------------------------------------------------------------

CASE(consent_grant_keeps_what_it_says)
{
    uint8_t room[512];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct world_tx tx = grant_b(CONSENT);
    struct sy_consent_grant *p = &tx.payload.consent_grant;
    struct sy_tag label = {{1, 2, 3}};
    p->actions = SY_SET_BIT(SY_ACTION_READ);
    p->purposes = SY_SET_BIT(SY_PURPOSE_RESEARCH) | SY_SET_BIT(SY_PURPOSE_AUDIT);
    sy_list_add_text(&p->classes, &w, sy_slice_of("Observation", 11));
    w = sy_writer_of(room + 256, 256);
    sy_list_add_tag(&p->labels, &w, &label);
    p->has_wrapped_key_hash = true;
    p->wrapped_key_hash = test_hash(77);
    assert_applied(&tx);
    struct sy_reader r = sy_reader_of(world.receipt.events);
    struct sy_event event;
    struct sy_hash id = test_hash(CONSENT), patient = test_hash(PATIENT_CLAIMED);
    assert_true(sy_event_decode(&r, &event));
    assert_true(sy_reader_done(&r));
    assert_int_equal(event.kind, SY_EVENT_CONSENT_CHANGED);
    assert_int_equal(event.subject_kind, SY_SUBJECT_PATIENT);
    assert_memory_equal(event.subject.bytes, patient.bytes, 32);
    assert_memory_equal(event.object.bytes, id.bytes, 32);
    assert_int_equal(event.subject_number, 2); // after patient.enrolled
    assert_int_equal(world.receipt.key_count, 4);

    struct sy_consent consent = find_consent(CONSENT);
    struct sy_hash org = test_hash(ORG_B);
    assert_memory_equal(consent.patient.bytes, patient.bytes, 32);
    assert_memory_equal(consent.grantee.bytes, org.bytes, 32);
    assert_int_equal(consent.grantee_kind, SY_GRANTEE_ORG);
    assert_int_equal(consent.number, 1);
    assert_false(consent.denies);
    assert_false(consent.revoked);
    assert_int_equal(consent.actions, p->actions);
    assert_int_equal(consent.purposes, p->purposes);
    assert_int_equal(consent.from_ms, p->from);
    assert_int_equal(consent.until_ms, p->until);
    assert_int_equal(consent.given_height, world.header.height);
    assert_memory_equal(consent.wrapped_key_hash.bytes, p->wrapped_key_hash.bytes, 32);
    assert_true(sy_slice_equal(consent.classes.items, p->classes.items));
    assert_true(sy_slice_equal(consent.labels.items, p->labels.items));
    struct sy_consents consents = find_consents(PATIENT_CLAIMED);
    assert_int_equal(consents.given, 1);
    assert_int_equal(consents.live.count, 1);
    assert_memory_equal(consents.live.items.data, id.bytes, 32);
    assert_place(PATIENT_CLAIMED, 1, CONSENT);
}

CASE(consents_are_numbered_in_the_order_they_were_given)
{
    struct world_tx tx = grant_b(CONSENT);
    assert_applied(&tx);
    tx = deny_a(CONSENT + 1);
    tx.payload.consent_deny.has_until = false;
    assert_applied(&tx);
    assert_true(find_consent(CONSENT + 1).denies);
    assert_int_equal(find_consent(CONSENT + 1).until_ms, INT64_MAX);
    assert_int_equal(find_consent(CONSENT + 1).number, 2);
    tx = world_grant(&world, WALLET_CLAIMED, CONSENT + 2, PATIENT_CLAIMED, SY_GRANTEE_ROLE,
                     SY_ROLE_NURSE);
    assert_applied(&tx);
    struct sy_hash role = {{SY_ROLE_NURSE}};
    assert_memory_equal(find_consent(CONSENT + 2).grantee.bytes, role.bytes, 32);
    tx = world_revoke(WALLET_CLAIMED, CONSENT, PATIENT_CLAIMED);
    assert_applied(&tx);
    tx =
        world_grant(&world, WALLET_CLAIMED, CONSENT + 3, PATIENT_CLAIMED, SY_GRANTEE_KEY, DOCTOR_B);
    assert_applied(&tx);
    struct sy_consents consents = find_consents(PATIENT_CLAIMED);
    assert_int_equal(consents.given, 4);
    assert_int_equal(consents.live.count, 3);
    for (unsigned i = 0; i < 4; i++) assert_place(PATIENT_CLAIMED, i + 1, CONSENT + i);
    size_t offset = 0;
    for (unsigned i = 1; i < 4; i++) {
        struct sy_hash id, expected = test_hash(CONSENT + i);
        assert_true(sy_list_next_id(&consents.live, &offset, &id));
        assert_memory_equal(id.bytes, expected.bytes, 32);
    }
}

CASE(consent_needs_the_patient)
{
    struct world_tx tx =
        world_grant(&world, WALLET_CLAIMED, CONSENT, PATIENT_NONE, SY_GRANTEE_ORG, ORG_B);
    assert_refused(&tx, SY_E_PATIENT_UNKNOWN);
    assert_detail(PATIENT_NONE);
    tx = world_deny(&world, WALLET_CLAIMED, CONSENT, PATIENT_NONE, SY_GRANTEE_ORG, ORG_B);
    assert_refused(&tx, SY_E_PATIENT_UNKNOWN);
    enrol_with_wallet(FRESH_ID, FRESH_KEY);
    tx = world_grant(&world, FRESH_KEY, CONSENT, PATIENT_CLAIMED, SY_GRANTEE_ORG, ORG_B);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    assert_detail(PATIENT_CLAIMED);
    tx = world_deny(&world, FRESH_KEY, CONSENT, PATIENT_CLAIMED, SY_GRANTEE_ORG, ORG_B);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    tx = world_grant(&world, WALLET_CLAIMED, CONSENT, PATIENT, SY_GRANTEE_ORG, ORG_B);
    assert_refused(&tx, SY_E_NOT_SUBJECT); // unclaimed: nobody's key speaks for that one
    // Somebody who may not even answer for it, the treating doctor.
    tx = world_grant(&world, DOCTOR_A, CONSENT, PATIENT, SY_GRANTEE_ORG, ORG_B);
    tx.organisation = test_hash(ORG_A);
    assert_refused(&tx, SY_E_ROLE);
    assert_int_equal(world.receipt.detail,
                     SY_ROLE_BIT(SY_ROLE_PATIENT) | SY_ROLE_BIT(SY_ROLE_GUARDIAN));
    // A doctor may carry it in when the patient signs too.
    tx = world_grant(&world, DOCTOR_A, CONSENT, PATIENT_CLAIMED, SY_GRANTEE_ORG, ORG_B);
    tx.organisation = test_hash(ORG_A);
    world_cosign(&tx, WALLET_CLAIMED);
    assert_applied(&tx);
}

CASE(consent_by_guardians_needs_enough_of_them)
{
    enrol_minor();
    struct world_tx tx = world_grant(&world, PARENT, CONSENT, MINOR, SY_GRANTEE_ORG, ORG_B);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    assert_detail(MINOR);
    world_cosign(&tx, WALLET_CLAIMED); // a patient, and no guardian
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    world_cosign(&tx, PARENT + 2);
    assert_applied(&tx);
    // Guardians of one patient are nobody to another.
    tx = world_grant(&world, PARENT, CONSENT + 1, PATIENT_CLAIMED, SY_GRANTEE_ORG, ORG_B);
    world_cosign(&tx, PARENT + 1);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    tx = world_revoke(PARENT, CONSENT, MINOR);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    world_cosign(&tx, PARENT + 1);
    assert_applied(&tx);
}

static struct world_tx claim_minor(unsigned key, unsigned org)
{
    struct world_tx tx = world_tx_of(SY_KIND_patient_claim, key, org);
    tx.payload.patient_claim.patient_id = test_hash(MINOR);
    tx.payload.patient_claim.wallet_key = test_public(FRESH_KEY);
    tx.payload.patient_claim.x25519_key = test_public(FRESH_KEY + 50);
    world_cosign(&tx, FRESH_KEY);
    return tx;
}

// Else whom the guardians denied would claim the patient and take the denial back.
CASE(a_patient_of_guardians_is_claimed_with_enough_of_them)
{
    enrol_minor();
    struct world_tx tx = world_deny(&world, PARENT, CONSENT, MINOR, SY_GRANTEE_ORG, ORG_B);
    world_cosign(&tx, PARENT + 1);
    assert_applied(&tx);
    tx = world_open_care(GATEWAY_B, ORG_B, FRESH_ID, MINOR);
    assert_applied(&tx);
    tx = claim_minor(GATEWAY_B, ORG_B);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    assert_detail(MINOR);
    world_cosign(&tx, PARENT + 2);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    world_cosign(&tx, PARENT);
    assert_applied(&tx);
    // From then on the wallet alone takes back; guardians may still add.
    tx = world_revoke(PARENT, CONSENT, MINOR);
    world_cosign(&tx, PARENT + 1);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    tx = world_deny(&world, PARENT, CONSENT + 1, MINOR, SY_GRANTEE_ORG, ORG_A);
    world_cosign(&tx, PARENT + 1);
    assert_applied(&tx);
    tx = world_revoke(FRESH_KEY, CONSENT, MINOR);
    assert_applied(&tx);
}

CASE(no_patient_has_an_organisations_id)
{
    struct world_tx tx = world_enrol(GATEWAY_A, ORG_A, ORG_B);
    assert_refused(&tx, SY_E_PATIENT_EXISTS);
    assert_detail(ORG_B);
}

CASE(consent_names_one_grantee_that_is_there)
{
    struct world_tx tx = grant_b(CONSENT);
    tx.payload.consent_grant.has_grantee = false;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("grantee");
    tx = world_grant(&world, WALLET_CLAIMED, CONSENT, PATIENT_CLAIMED, SY_GRANTEE_ROLE,
                     SY_ROLE_NURSE);
    tx.payload.consent_grant.has_role = false;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("role");
    tx.payload.consent_grant.has_role = true;
    tx.payload.consent_grant.has_grantee = true;
    tx.payload.consent_grant.grantee = test_hash(ORG_B);
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("grantee");
    tx = deny_a(CONSENT);
    tx.payload.consent_deny.has_role = true;
    tx.payload.consent_deny.role = SY_ROLE_NURSE;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("role");
    tx = world_grant(&world, WALLET_CLAIMED, CONSENT, PATIENT_CLAIMED, SY_GRANTEE_ORG, ORG_NONE);
    assert_refused(&tx, SY_E_ORG_UNKNOWN);
    assert_detail(ORG_NONE);
    tx = world_deny(&world, WALLET_CLAIMED, CONSENT, PATIENT_CLAIMED, SY_GRANTEE_KEY, FRESH_KEY);
    assert_refused(&tx, SY_E_CRED_UNKNOWN);
    tx = world_grant(&world, WALLET_CLAIMED, CONSENT, PATIENT_CLAIMED, SY_GRANTEE_KEY, 0);
    assert_refused(&tx, SY_E_CRED_UNKNOWN); // a validator's consensus key
}

CASE(consent_takes_an_id_once)
{
    struct world_tx tx = grant_b(CONSENT);
    assert_applied(&tx);
    assert_refused(&tx, SY_E_CONSENT_EXISTS);
    assert_detail(CONSENT);
    tx = deny_a(CONSENT);
    assert_refused(&tx, SY_E_CONSENT_EXISTS);
    tx = world_revoke(WALLET_CLAIMED, CONSENT, PATIENT_CLAIMED);
    assert_applied(&tx);
    tx = grant_b(CONSENT);
    assert_refused(&tx, SY_E_CONSENT_EXISTS); // not even after it was revoked
}

CASE(consent_window_is_open_and_bounded)
{
    int64_t now = world.header.time_ms + world.step_ms;
    struct world_tx tx = grant_b(CONSENT);
    struct sy_consent_grant *p = &tx.payload.consent_grant;
    p->from = now + 1000;
    p->until = now + 999;
    assert_refused(&tx, SY_E_CONSENT_WINDOW);
    assert_int_equal(world.receipt.detail, SY_CONSENT_MS_MAX);
    now = world.header.time_ms + world.step_ms;
    p->from = 0;
    p->until = now - 1;
    assert_refused(&tx, SY_E_CONSENT_WINDOW);
    now = world.header.time_ms + world.step_ms;
    p->until = now + SY_CONSENT_MS_MAX + 1;
    assert_refused(&tx, SY_E_CONSENT_WINDOW);
    now = world.header.time_ms + world.step_ms;
    p->until = now + SY_CONSENT_MS_MAX;
    assert_applied(&tx);
    tx = deny_a(CONSENT + 1);
    now = world.header.time_ms + world.step_ms;
    tx.payload.consent_deny.until = now + SY_CONSENT_MS_MAX + 1;
    assert_refused(&tx, SY_E_CONSENT_WINDOW);
    tx.payload.consent_deny.from = now;
    tx.payload.consent_deny.until = now - 1;
    assert_refused(&tx, SY_E_CONSENT_WINDOW);
    tx = deny_a(CONSENT + 1);
    tx.payload.consent_deny.until = tx.payload.consent_deny.from = world.header.time_ms + 1000;
    assert_applied(&tx); // one instant is a window
}

CASE(consents_that_stand_are_counted)
{
    struct world_tx tx;
    for (unsigned i = 0; i < SY_CONSENTS_LIVE_MAX; i++) {
        tx = grant_b(CONSENT + i);
        if (i == 7) tx.payload.consent_grant.until = world.header.time_ms + 300 * world.step_ms;
        assert_applied(&tx);
    }
    tx = grant_b(CONSENT + 100);
    assert_refused(&tx, SY_E_CONSENTS);
    assert_int_equal(world.receipt.detail, SY_CONSENTS_LIVE_MAX);
    tx = deny_a(CONSENT + 100);
    assert_refused(&tx, SY_E_CONSENTS);
    tx = world_revoke(WALLET_CLAIMED, CONSENT + 3, PATIENT_CLAIMED);
    assert_applied(&tx);
    tx = deny_a(CONSENT + 100);
    assert_applied(&tx);
    // Number 7 is over before long, and makes room by itself.
    world.step_ms *= 400;
    tx = grant_b(CONSENT + 101);
    assert_applied(&tx);
    struct sy_consents consents = find_consents(PATIENT_CLAIMED);
    assert_int_equal(consents.live.count, SY_CONSENTS_LIVE_MAX);
    assert_int_equal(consents.given, SY_CONSENTS_LIVE_MAX + 2);
    struct sy_hash over = test_hash(CONSENT + 7), id;
    for (size_t offset = 0; sy_list_next_id(&consents.live, &offset, &id);) {
        assert_false(sy_hash_equal(&id, &over));
    }
    tx = grant_b(CONSENT + 102);
    assert_refused(&tx, SY_E_CONSENTS);
}

// --- revoke ------------------------------------------------------------------------------------

CASE(consent_revoke_counts_at_once_and_for_good)
{
    struct world_tx tx = grant_b(CONSENT);
    assert_applied(&tx);
    struct world_tx record =
        world_record(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID, PATIENT_CLAIMED);
    assert_applied(&record);
    tx = world_revoke(WALLET_CLAIMED, CONSENT, PATIENT_CLAIMED);
    assert_applied(&tx);
    assert_int_equal(world.receipt.key_count, 3);
    assert_true(find_consent(CONSENT).revoked);
    assert_int_equal(find_consent(CONSENT).revoked_height, world.header.height);
    record = world_record(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID + 1, PATIENT_CLAIMED);
    assert_refused(&record, SY_E_NO_CARE);
    assert_refused(&tx, SY_E_CONSENT_STATE);
    assert_detail(CONSENT);
}

CASE(consent_revoke_is_the_subjects)
{
    struct world_tx tx = grant_b(CONSENT);
    assert_applied(&tx);
    tx = world_revoke(WALLET_CLAIMED, CONSENT, PATIENT_NONE);
    assert_refused(&tx, SY_E_PATIENT_UNKNOWN);
    tx = world_revoke(WALLET_CLAIMED, CONSENT + 1, PATIENT_CLAIMED);
    assert_refused(&tx, SY_E_CONSENT_UNKNOWN);
    assert_detail(CONSENT + 1);
    enrol_with_wallet(FRESH_ID, FRESH_KEY);
    tx = world_revoke(FRESH_KEY, CONSENT, PATIENT_CLAIMED);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    assert_detail(PATIENT_CLAIMED);
    // As the subject of another's consent; the receipt does not say whose it is.
    tx = world_revoke(FRESH_KEY, CONSENT, FRESH_ID);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    assert_detail(CONSENT);
    assert_false(find_consent(CONSENT).revoked);
    // Nor may the grantee.
    tx = world_revoke(GATEWAY_B, CONSENT, PATIENT_CLAIMED);
    tx.organisation = test_hash(ORG_B);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    tx = world_revoke(REGULATOR_1, CONSENT, PATIENT_CLAIMED);
    assert_refused(&tx, SY_E_ROLE);
}

// --- writing under consent ---------------------------------------------------------------------

CASE(grant_lets_a_stranger_write)
{
    struct world_tx record =
        world_record(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID, PATIENT_CLAIMED);
    assert_refused(&record, SY_E_NO_CARE);
    assert_detail(PATIENT_CLAIMED);
    struct world_tx tx =
        world_grant(&world, WALLET_CLAIMED, CONSENT, PATIENT_CLAIMED, SY_GRANTEE_KEY, DOCTOR_B);
    tx.payload.consent_grant.actions = SY_SET_BIT(SY_ACTION_READ);
    assert_applied(&tx);
    assert_refused(&record, SY_E_NO_CARE); // reading is not writing
    tx =
        world_grant(&world, WALLET_CLAIMED, CONSENT + 1, PATIENT_CLAIMED, SY_GRANTEE_KEY, DOCTOR_B);
    tx.payload.consent_grant.actions = SY_SET_BIT(SY_ACTION_WRITE);
    assert_applied(&tx);
    assert_applied(&record);
    // The grant is the doctor's, and not the nurse's.
    record = world_record(NURSE_B, SY_ROLE_NURSE, ORG_B, FRESH_ID + 1, PATIENT_CLAIMED);
    assert_refused(&record, SY_E_NO_CARE);
    // A gateway may sign what the doctor wrote, and nothing of its own.
    record = world_record(GATEWAY_B, SY_ROLE_GATEWAY, ORG_B, FRESH_ID + 1, PATIENT_CLAIMED);
    assert_refused(&record, SY_E_NO_CARE);
    record.payload.record_create.has_author = true;
    record.payload.record_create.author = test_public(DOCTOR_B);
    record.payload.record_create.author_role = SY_ROLE_DOCTOR;
    assert_applied(&record);
}

CASE(grant_that_is_over_is_named)
{
    struct world_tx tx = grant_b(CONSENT);
    int64_t until = world.header.time_ms + 5 * world.step_ms;
    tx.payload.consent_grant.until = until;
    assert_applied(&tx);
    struct world_tx record =
        world_record(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID, PATIENT_CLAIMED);
    assert_applied(&record);
    world.step_ms = until - world.header.time_ms;
    record = world_record(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID + 1, PATIENT_CLAIMED);
    assert_applied(&record); // at the last instant
    world.step_ms = 1;
    record = world_record(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID + 2, PATIENT_CLAIMED);
    assert_refused(&record, SY_E_CONSENT_EXPIRED);
    assert_int_equal(world.receipt.detail, until);
    assert_detail(CONSENT);
    struct world_tx amend = world_amend(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID, 1);
    assert_applied(&amend); // what B wrote is B's to keep right
}

CASE(denial_stops_who_treats)
{
    struct world_tx record =
        world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, PATIENT_CLAIMED);
    assert_applied(&record);
    struct world_tx tx = deny_a(CONSENT);
    assert_applied(&tx);
    record = world_record(NURSE_A, SY_ROLE_NURSE, ORG_A, FRESH_ID + 1, PATIENT_CLAIMED);
    assert_refused(&record, SY_E_CONSENT);
    assert_detail(CONSENT);
    struct world_tx amend = world_amend(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, 1);
    assert_applied(&amend);
    // One doctor is excepted.
    tx =
        world_grant(&world, WALLET_CLAIMED, CONSENT + 1, PATIENT_CLAIMED, SY_GRANTEE_KEY, DOCTOR_A);
    assert_applied(&tx);
    assert_refused(&record, SY_E_CONSENT);
    record = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID + 1, PATIENT_CLAIMED);
    assert_applied(&record);
    tx = world_revoke(WALLET_CLAIMED, CONSENT, PATIENT_CLAIMED);
    assert_applied(&tx);
    record = world_record(NURSE_A, SY_ROLE_NURSE, ORG_A, FRESH_ID + 2, PATIENT_CLAIMED);
    assert_applied(&record);
}

CASE(foreign_records_are_amended_by_consent_alone)
{
    struct sy_tag label = {{9}};
    uint8_t room[16];
    struct world_tx tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, PATIENT_CLAIMED);
    tx.payload.record_create.has_sens_tag = true;
    tx.payload.record_create.sens_tag = label;
    assert_applied(&tx);
    tx = world_open_care(GATEWAY_B, ORG_B, FRESH_ID, PATIENT_CLAIMED);
    assert_applied(&tx);
    struct world_tx amend = world_amend(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID, 1);
    assert_refused(&amend, SY_E_NOT_AUTHOR);
    assert_detail(ORG_A);
    // Naming somebody else's doctor does not tell what that doctor may do.
    amend = world_amend(GATEWAY_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID, 1);
    amend.payload.record_amend.has_author = true;
    amend.payload.record_amend.author = test_public(DOCTOR_A);
    assert_refused(&amend, SY_E_NOT_AUTHOR);
    assert_detail(ORG_A);
    struct world_tx denied = deny_a(CONSENT + 9);
    assert_applied(&denied);
    assert_refused(&amend, SY_E_NOT_AUTHOR);
    denied = world_revoke(WALLET_CLAIMED, CONSENT + 9, PATIENT_CLAIMED);
    assert_applied(&denied);
    amend = world_amend(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID, 1);
    tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID + 1, PATIENT_CLAIMED);
    assert_applied(&tx);
    struct world_tx plain = world_amend(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID + 1, 1);
    assert_refused(&plain, SY_E_NOT_AUTHOR); // treating is not enough, label or not
    tx = grant_b(CONSENT);
    assert_applied(&tx);
    assert_refused(&amend, SY_E_NOT_AUTHOR); // nor a grant that does not name the label
    tx = grant_b(CONSENT + 1);
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_list_add_tag(&tx.payload.consent_grant.labels, &w, &label);
    tx.payload.consent_grant.until = world.header.time_ms + 10 * world.step_ms;
    assert_applied(&tx);
    assert_applied(&amend);
    struct world_tx retract = world_retract(DOCTOR_B, ORG_B, FRESH_ID);
    assert_refused(&retract, SY_E_NOT_AUTHOR); // a consent lets write, not take away
    amend = world_amend(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID, 2);
    world.step_ms *= 20;
    assert_refused(&amend, SY_E_CONSENT_EXPIRED);
    assert_detail(CONSENT + 1);
    tx = world_deny(&world, WALLET_CLAIMED, CONSENT + 2, PATIENT_CLAIMED, SY_GRANTEE_KEY, DOCTOR_B);
    assert_applied(&tx);
    assert_refused(&amend, SY_E_CONSENT);
    assert_detail(CONSENT + 2);
    amend = world_amend(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, 2);
    assert_applied(&amend);
}

CASE(parts_of_one_transaction_see_the_consents_before_them)
{
    struct world_tx tx = world_tx_of(SY_KIND_atomic, WALLET_CLAIMED, 0);
    world_cosign(&tx, DOCTOR_B);
    struct world_tx part = grant_b(CONSENT);
    world_part(&world, &tx, part.kind, 0, &part.payload);
    part = world_record(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID, PATIENT_CLAIMED);
    world_part(&world, &tx, part.kind, 1, &part.payload);
    part = world_revoke(WALLET_CLAIMED, CONSENT, PATIENT_CLAIMED);
    world_part(&world, &tx, part.kind, 0, &part.payload);
    assert_applied(&tx);
    assert_int_equal(find_consent(CONSENT).given_height, find_consent(CONSENT).revoked_height);
    tx = world_tx_of(SY_KIND_atomic, WALLET_CLAIMED, 0);
    world_cosign(&tx, DOCTOR_B);
    part = grant_b(CONSENT + 1);
    world_part(&world, &tx, part.kind, 0, &part.payload);
    part = world_revoke(WALLET_CLAIMED, CONSENT + 1, PATIENT_CLAIMED);
    world_part(&world, &tx, part.kind, 0, &part.payload);
    part = world_record(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID + 1, PATIENT_CLAIMED);
    world_part(&world, &tx, part.kind, 1, &part.payload);
    assert_refused(&tx, SY_E_NO_CARE);
    assert_int_equal(world.receipt.part, 2);
    assert_int_equal(find_consents(PATIENT_CLAIMED).given, 1); // the grant was taken back with it
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_WORLD(consent_grant_keeps_what_it_says),
        WITH_WORLD(consents_are_numbered_in_the_order_they_were_given),
        WITH_WORLD(consent_needs_the_patient),
        WITH_WORLD(consent_by_guardians_needs_enough_of_them),
        WITH_WORLD(a_patient_of_guardians_is_claimed_with_enough_of_them),
        WITH_WORLD(no_patient_has_an_organisations_id),
        WITH_WORLD(consent_names_one_grantee_that_is_there),
        WITH_WORLD(consent_takes_an_id_once),
        WITH_WORLD(consent_window_is_open_and_bounded),
        WITH_WORLD(consents_that_stand_are_counted),
        WITH_WORLD(consent_revoke_counts_at_once_and_for_good),
        WITH_WORLD(consent_revoke_is_the_subjects),
        WITH_WORLD(grant_lets_a_stranger_write),
        WITH_WORLD(grant_that_is_over_is_named),
        WITH_WORLD(denial_stops_who_treats),
        WITH_WORLD(foreign_records_are_amended_by_consent_alone),
        WITH_WORLD(parts_of_one_transaction_see_the_consents_before_them),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
