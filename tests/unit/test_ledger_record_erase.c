/* Erasure: who may have a record erased, on what basis, how long it is kept whatever anybody wants,
 * and what stays. */
#include "tests/unit/record_rig.h"

#define MONTH_MS (30ll * 24 * 3600 * 1000)

enum { LATE_ADMIN = 300 };

/* Time passes: a block comes when what it has is over. */
static void pass_ms(int64_t ms)
{
    struct world_tx tx = world_retract(DOCTOR_A, ORG_A, FRESH_ID);
    int64_t step_ms = world.step_ms;
    world.step_ms = ms;
    assert_refused(&tx, SY_E_EXPIRED);
    world.step_ms = step_ms;
}

/* Credentials end in five years: there is another admin. */
static void staff_anew(void)
{
    struct world_tx tx = world_issue(&world, REGULATOR_1, ORG_A, SY_ROLE_ORG_ADMIN, LATE_ADMIN);
    tx.organisation = (struct sy_hash){{0}};
    assert_applied(&tx);
}

static void assert_until(int64_t until_ms)
{
    assert_int_equal(world.receipt.detail, until_ms);
}

static struct world_tx erase_with(unsigned cosigner, uint16_t basis)
{
    struct world_tx tx = erase(ADMIN_A, ORG_A, FRESH_ID, basis);
    world_cosign(&tx, cosigner);
    return tx;
}

CASE(erase_keeps_the_commitments_and_says_that_the_rest_is_gone)
{
    branch_twice(FRESH_ID);
    struct world_tx tx = contribute(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID + 1, FRESH_ID, 0);
    assert_applied(&tx);
    struct sy_record before = find_record(FRESH_ID);
    tx = erase_with(WALLET_CLAIMED, SY_ERASE_UNLAWFUL);
    tx.payload.record_erase.has_destruction_hash = true;
    tx.payload.record_erase.destruction_hash = test_hash(77);
    assert_applied(&tx);
    assert_told(SY_EVENT_RECORD_ERASED, PATIENT_CLAIMED, FRESH_ID);
    assert_int_equal(world.receipt.key_count, 2); // record, the patient's counter
    struct sy_record record = find_record(FRESH_ID);
    assert_true(record.erased);
    assert_int_equal(record.erase_basis, SY_ERASE_UNLAWFUL);
    assert_int_equal(record.erased_height, world.header.height);
    assert_int_equal(record.erased_ms, world.header.time_ms);
    assert_memory_equal(record.first.commit.bytes, before.first.commit.bytes, 32);
    assert_int_equal(record.head_count, 2);
    assert_int_equal(record.links, 1);
    assert_int_equal(find_version(FRESH_ID, 3).parent, 1);
    assert_false(find_record(FRESH_ID + 1).erased); // children stay
    assert_refused(&tx, SY_E_RECORD_ERASED);
    assert_detail(FRESH_ID);
}

/* Nothing is added to what is gone. */
CASE(erased_records_take_nothing_more)
{
    create(FRESH_ID);
    create(FRESH_ID + 1);
    struct world_tx tx = erase_with(REGULATOR_1, SY_ERASE_LEGAL);
    assert_applied(&tx);
    tx = world_amend(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, 1);
    assert_refused(&tx, SY_E_RECORD_ERASED);
    tx = world_retract(DOCTOR_A, ORG_A, FRESH_ID);
    assert_refused(&tx, SY_E_RECORD_ERASED);
    tx = world_merge(&world, DOCTOR_A, ORG_A, FRESH_ID, "12");
    assert_refused(&tx, SY_E_RECORD_ERASED);
    tx = cosign(NURSE_A, ORG_A, FRESH_ID, 1, SY_COSIGN_LEGAL);
    assert_refused(&tx, SY_E_RECORD_ERASED);
    tx = dup_report(DOCTOR_A, ORG_A, FRESH_ID, FRESH_ID + 1);
    assert_refused(&tx, SY_E_RECORD_ERASED);
    tx = dup_report(DOCTOR_A, ORG_A, FRESH_ID + 1, FRESH_ID);
    assert_refused(&tx, SY_E_RECORD_ERASED);
    tx = contribute(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID + 2, FRESH_ID + 1, FRESH_ID);
    assert_refused(&tx, SY_E_RECORD_ERASED);
    assert_detail(FRESH_ID);
    tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID + 2, PATIENT_CLAIMED);
    tx.payload.record_create.has_encounter = true;
    tx.payload.record_create.encounter = test_hash(FRESH_ID);
    assert_refused(&tx, SY_E_RECORD_ERASED);
    tx = grant_b(CONSENT);
    assert_applied(&tx);
    tx = world_tx_of(SY_KIND_custody_move, ADMIN_A, ORG_A);
    tx.payload.custody_move.record_id = test_hash(FRESH_ID);
    tx.payload.custody_move.org_id = test_hash(ORG_B);
    tx.payload.custody_move.version = 1;
    tx.payload.custody_move.commit = find_record(FRESH_ID).first.commit;
    world_cosign(&tx, ADMIN_B);
    assert_refused(&tx, SY_E_RECORD_ERASED);
    // Whoever names it for another patient is told no more than that it is another's.
    tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID + 2, PATIENT);
    tx.payload.record_create.has_encounter = true;
    tx.payload.record_create.encounter = test_hash(FRESH_ID);
    assert_refused(&tx, SY_E_PATIENT_MISMATCH);
    assert_int_equal(find_record(FRESH_ID).links, 0);
}

CASE(erase_is_the_holders)
{
    create(FRESH_ID);
    struct world_tx tx = erase(ADMIN_B, ORG_B, FRESH_ID, SY_ERASE_UNLAWFUL);
    world_cosign(&tx, WALLET_CLAIMED);
    assert_refused(&tx, SY_E_NOT_AUTHOR);
    assert_detail(ORG_A);
    tx = erase(DOCTOR_A, ORG_A, FRESH_ID, SY_ERASE_UNLAWFUL);
    assert_refused(&tx, SY_E_ROLE);
    tx = erase(GATEWAY_A, ORG_A, FRESH_ID, SY_ERASE_LEGAL);
    world_cosign(&tx, REGULATOR_1);
    assert_refused(&tx, SY_E_ROLE);
    tx = erase(WALLET_CLAIMED, 0, FRESH_ID, SY_ERASE_CONSENT); // not without the custodian
    assert_refused(&tx, SY_E_NOT_AUTHOR);
    tx = erase(ADMIN_A, ORG_A, FRESH_ID + 1, SY_ERASE_LEGAL);
    assert_refused(&tx, SY_E_RECORD_UNKNOWN);
    tx = erase(ADMIN_A, ORG_A, FRESH_ID, 5);
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("basis");
}

CASE(erase_needs_the_signatures_of_its_basis)
{
    create(FRESH_ID);
    struct world_tx tx = erase(ADMIN_A, ORG_A, FRESH_ID, SY_ERASE_CONSENT);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    assert_detail(PATIENT_CLAIMED);
    tx = erase(ADMIN_A, ORG_A, FRESH_ID, SY_ERASE_UNLAWFUL); // the holder alone calls it that
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    assert_detail(PATIENT_CLAIMED);
    tx = erase(ADMIN_A, ORG_A, FRESH_ID, SY_ERASE_LEGAL);
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    tx = erase_with(WALLET_CLAIMED, SY_ERASE_LEGAL); // nor does the patient order it
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    // Another patient's signature is nobody's.
    enrol_with_wallet(PATIENT_NONE, FRESH_KEY);
    tx = erase_with(FRESH_KEY, SY_ERASE_UNLAWFUL);
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    tx = erase_with(FRESH_KEY, SY_ERASE_CONSENT);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    tx = erase_with(REGULATOR_1, SY_ERASE_UNLAWFUL);
    assert_applied(&tx);
}

CASE(retention_wins_over_consent)
{
    create(FRESH_ID);
    int64_t until = world.header.time_ms + SY_RETENTION_MS;
    struct world_tx tx = erase_with(WALLET_CLAIMED, SY_ERASE_CONSENT);
    assert_refused(&tx, SY_E_RETENTION);
    assert_until(until);
    tx = erase(ADMIN_A, ORG_A, FRESH_ID, SY_ERASE_RETENTION);
    assert_refused(&tx, SY_E_RETENTION);
    assert_until(until);
    assert_false(find_record(FRESH_ID).erased);
}

/* Ten years after the newest version, to the millisecond. */
CASE(retention_is_counted_from_the_newest_version)
{
    create(FRESH_ID);
    pass_ms(MONTH_MS);
    struct world_tx tx = world_amend(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, 1);
    assert_applied(&tx);
    int64_t until = world.header.time_ms + SY_RETENTION_MS;
    pass_ms(SY_RETENTION_MS - MONTH_MS); // ten years after the first one
    staff_anew();
    tx = erase(LATE_ADMIN, ORG_A, FRESH_ID, SY_ERASE_RETENTION);
    assert_refused(&tx, SY_E_RETENTION);
    assert_until(until);
    pass_ms(until - 1 - world.header.time_ms - world.step_ms);
    tx = erase(LATE_ADMIN, ORG_A, FRESH_ID, SY_ERASE_RETENTION);
    assert_refused(&tx, SY_E_RETENTION);
    assert_int_equal(world.header.time_ms, until - 1);
    world.step_ms = 1;
    assert_applied(&tx);
    assert_int_equal(find_record(FRESH_ID).erase_basis, SY_ERASE_RETENTION);
}

CASE(retention_of_what_is_billed_by_is_shorter)
{
    struct world_tx tx = world_record(GATEWAY_A, SY_ROLE_GATEWAY, ORG_A, FRESH_ID, PATIENT_CLAIMED);
    tx.payload.record_create.class = sy_slice_of("ExplanationOfBenefit", 20);
    assert_applied(&tx);
    int64_t until = world.header.time_ms + SY_RETENTION_BILLING_MS;
    tx = erase(ADMIN_A, ORG_A, FRESH_ID, SY_ERASE_RETENTION);
    assert_refused(&tx, SY_E_RETENTION);
    assert_until(until);
    pass_ms(SY_RETENTION_BILLING_MS);
    staff_anew();
    tx = erase(LATE_ADMIN, ORG_A, FRESH_ID, SY_ERASE_RETENTION);
    assert_applied(&tx);
}

CASE(what_a_patient_holds_nobody_has_to_keep)
{
    struct world_tx tx =
        world_record(WALLET_CLAIMED, SY_ROLE_PATIENT, 0, FRESH_ID, PATIENT_CLAIMED);
    tx.payload.record_create.patient_reported = true;
    assert_applied(&tx);
    tx = erase_with(WALLET_CLAIMED, SY_ERASE_CONSENT); // the hospital holds none of it
    assert_refused(&tx, SY_E_NOT_AUTHOR);
    tx = erase(WALLET_CLAIMED, 0, FRESH_ID, SY_ERASE_CONSENT);
    assert_applied(&tx);
}

CASE(what_is_about_no_patient_has_no_retention_and_no_consent)
{
    struct world_tx tx = world_record(GATEWAY_A, SY_ROLE_GATEWAY, ORG_A, FRESH_ID, PATIENT);
    tx.payload.record_create.subject_kind = SY_SUBJECT_ORG;
    tx.payload.record_create.subject = test_hash(ORG_A);
    assert_applied(&tx);
    tx = erase(ADMIN_A, ORG_A, FRESH_ID, SY_ERASE_CONSENT);
    assert_refused(&tx, SY_E_ERASE_BASIS);
    tx = erase(ADMIN_A, ORG_A, FRESH_ID, SY_ERASE_UNLAWFUL);
    assert_refused(&tx, SY_E_SIGNER_MISSING);
    assert_detail(ORG_A);
    tx = erase(ADMIN_A, ORG_A, FRESH_ID, SY_ERASE_RETENTION);
    assert_applied(&tx);
}

/* Guardians speak for who has no key, as many as it takes, and for nobody who has one. */
CASE(guardians_erase_for_who_has_no_key)
{
    struct world_tx tx = world_enrol(GATEWAY_A, ORG_A, PATIENT_NONE);
    for (unsigned i = 0; i < 2; i++) enrol_with_wallet(6000 + i, FRESH_KEY + i);
    for (unsigned i = 0; i < 2; i++) {
        struct sy_public_key key = test_public(FRESH_KEY + i);
        struct sy_hash id;
        memcpy(id.bytes, key.bytes, sizeof id.bytes);
        sy_list_add_id(&tx.payload.patient_enrol.guardians, &world.lists, &id);
    }
    tx.payload.patient_enrol.guardian_needed = 2;
    assert_applied(&tx);
    tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, PATIENT_NONE);
    assert_applied(&tx);
    tx = erase_with(FRESH_KEY, SY_ERASE_UNLAWFUL);
    assert_refused(&tx, SY_E_SIGNER_MISSING); // one of two
    world_cosign(&tx, FRESH_KEY + 1);
    struct world_tx claim = world_tx_of(SY_KIND_patient_claim, GATEWAY_A, ORG_A);
    claim.payload.patient_claim.patient_id = test_hash(PATIENT_NONE);
    claim.payload.patient_claim.wallet_key = test_public(FRESH_KEY + 2);
    claim.payload.patient_claim.x25519_key = test_public(FRESH_KEY + 3);
    world_cosign(&claim, FRESH_KEY + 2);
    world_cosign(&claim, FRESH_KEY);
    world_cosign(&claim, FRESH_KEY + 1);
    struct world_tx other =
        world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID + 1, PATIENT_NONE);
    assert_applied(&other);
    assert_applied(&tx);
    assert_applied(&claim);
    tx.payload.record_erase.record_id = test_hash(FRESH_ID + 1);
    assert_refused(&tx, SY_E_SIGNER_MISSING); // the patient has a key now
    tx = erase(ADMIN_A, ORG_A, FRESH_ID + 1, SY_ERASE_UNLAWFUL);
    world_cosign(&tx, FRESH_KEY + 2);
    assert_applied(&tx);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_WORLD(erase_keeps_the_commitments_and_says_that_the_rest_is_gone),
        WITH_WORLD(erased_records_take_nothing_more),
        WITH_WORLD(erase_is_the_holders),
        WITH_WORLD(erase_needs_the_signatures_of_its_basis),
        WITH_WORLD(retention_wins_over_consent),
        WITH_WORLD(retention_is_counted_from_the_newest_version),
        WITH_WORLD(retention_of_what_is_billed_by_is_shorter),
        WITH_WORLD(what_a_patient_holds_nobody_has_to_keep),
        WITH_WORLD(what_is_about_no_patient_has_no_retention_and_no_consent),
        WITH_WORLD(guardians_erase_for_who_has_no_key),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
