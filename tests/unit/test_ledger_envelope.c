/* What is checked of every transaction before a contract runs, in which order, and what each answer
 * consumes. */
#include <stdlib.h>

#include "tests/support/ledger_world.h"
#include "tests/support/test.h"

static struct ledger_world world;

static int set_up(void **state)
{
    (void)state;
    world_open(&world, 0, 0);
    world_populate(&world);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static struct sy_nonces nonces_of(unsigned key)
{
    struct sy_public_key public_key = test_public(key);
    struct sy_hash key_hash;
    sy_state_key_public(&key_hash, SY_STATE_NONCES, &public_key);
    struct sy_nonces nonces = {.highest = 0};
    struct sy_slice value;
    if (world_find(&world, &value, &key_hash)) assert_true(sy_nonces_decode(&nonces, value));
    return nonces;
}

static struct world_tx sound(unsigned record)
{
    return world_record(GATEWAY_A, SY_ROLE_GATEWAY, ORG_A, record, PATIENT);
}

static void assert_hash(const struct sy_hash *hash, unsigned number)
{
    struct sy_hash expected = test_hash(number);
    assert_memory_equal(hash->bytes, expected.bytes, 32);
}

static void assert_key(const struct sy_hash *hash, unsigned number)
{
    struct sy_public_key expected = test_public(number);
    assert_memory_equal(hash->bytes, expected.bytes, 32);
}

static void assert_path(const char *path)
{
    assert_int_equal(world.receipt.path.size, strlen(path));
    assert_memory_equal(world.receipt.path.data, path, strlen(path));
}

static int compare_keys(const void *a, const void *b)
{
    return sy_hash_compare(a, b);
}

CASE(applied_transactions_say_what_they_wrote)
{
    struct world_tx tx = sound(FRESH_ID);
    assert_int_equal(world_submit(&world, &tx), SY_APPLIED);
    const struct sy_receipt *receipt = &world.receipt;
    assert_int_equal(receipt->height, world.header.height);
    assert_int_equal(receipt->index, 0);
    assert_int_equal(receipt->detail, 0);
    assert_int_equal(receipt->path.size, 0);
    // The record, its place among what the patient has, and the patient's counts.
    assert_int_equal(receipt->key_count, 3);
    struct sy_hash record = test_hash(FRESH_ID), patient = test_hash(PATIENT), keys[3];
    sy_state_key_id(&keys[0], SY_STATE_RECORD, &record);
    sy_state_key_id(&keys[1], SY_STATE_PATIENT, &patient);
    sy_state_key_patient_place(&keys[2], &patient, 1);
    qsort(keys, 3, sizeof keys[0], compare_keys);
    assert_memory_equal(receipt->keys.data, keys, sizeof keys);
    assert_int_equal(receipt->event_count, 1);
}

CASE(unknown_first_signer_is_refused_and_consumes_nothing)
{
    struct world_tx tx = world_record(FRESH_KEY, SY_ROLE_GATEWAY, ORG_A, FRESH_ID, PATIENT);
    size_t entries = world.state.count;
    assert_int_equal(world_submit(&world, &tx), SY_E_KEY_UNKNOWN);
    assert_int_equal(world.receipt.detail, 0);
    assert_key(&world.receipt.detail_hash, FRESH_KEY);
    assert_int_equal(world.state.count, entries);
    assert_int_equal(world.result.delta_count, 1); // next(maker) alone
}

CASE(unknown_cosigner_is_refused_and_named)
{
    struct world_tx tx = sound(FRESH_ID);
    world_cosign(&tx, DOCTOR_A);
    world_cosign(&tx, FRESH_KEY);
    assert_int_equal(world_submit(&world, &tx), SY_E_KEY_UNKNOWN);
    assert_int_equal(world.receipt.detail, 2);
    assert_key(&world.receipt.detail_hash, FRESH_KEY);
    assert_int_equal(nonces_of(GATEWAY_A).highest, world.nonces[GATEWAY_A] - 1);
}

CASE(known_cosigners_are_welcome)
{
    struct world_tx tx = sound(FRESH_ID);
    world_cosign(&tx, DOCTOR_A);
    world_cosign(&tx, WALLET_CLAIMED);
    assert_int_equal(world_submit(&world, &tx), SY_APPLIED);
    // and spend no nonce of their own
    assert_int_equal(nonces_of(DOCTOR_A).highest, 0);
}

CASE(validator_keys_sign_no_transactions)
{
    for (unsigned key = 0; key < 3; key++) { // consensus, link, admin
        struct world_tx tx = world_record(key, SY_ROLE_GATEWAY, ORG_A, FRESH_ID, PATIENT);
        assert_int_equal(world_submit(&world, &tx), SY_E_KEY_UNKNOWN);
    }
}

CASE(new_key_alone_vouches_for_nobody)
{
    struct world_tx tx = world_register(ORG_NONE, SY_ORG_PHARMACY, FRESH_KEY);
    tx.keys[0] = FRESH_KEY; // without the regulator
    tx.key_count = 1;
    assert_int_equal(world_submit(&world, &tx), SY_E_KEY_UNKNOWN);
    assert_int_equal(nonces_of(FRESH_KEY).highest, 0);
}

CASE(new_key_may_sign_first_when_a_known_one_signs_too)
{
    struct world_tx tx = world_register(ORG_NONE, SY_ORG_PHARMACY, FRESH_KEY);
    tx.keys[0] = FRESH_KEY;
    tx.keys[1] = REGULATOR_1;
    assert_int_equal(world_submit(&world, &tx), SY_APPLIED);
    assert_int_equal(nonces_of(FRESH_KEY).highest, 1);
}

CASE(revoked_key_is_refused_and_consumes_nothing)
{
    struct world_tx revoke = world_tx_of(SY_KIND_cred_revoke, ADMIN_A, ORG_A);
    revoke.payload.cred_revoke.subject_key = test_public(DOCTOR_A);
    revoke.payload.cred_revoke.reason = SY_REVOKE_LOST;
    revoke.payload.cred_revoke.at = world.header.time_ms;
    assert_int_equal(world_submit(&world, &revoke), SY_APPLIED);
    struct world_tx tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, PATIENT);
    assert_int_equal(world_submit(&world, &tx), SY_E_KEY_REVOKED);
    assert_key(&world.receipt.detail_hash, DOCTOR_A);
    assert_int_equal(nonces_of(DOCTOR_A).highest, 0);
    tx = sound(FRESH_ID); // as a cosigner too
    world_cosign(&tx, DOCTOR_A);
    assert_int_equal(world_submit(&world, &tx), SY_E_KEY_REVOKED);
    assert_int_equal(world.receipt.detail, 1);
}

CASE(nonce_runs_once)
{
    struct world_tx tx = sound(FRESH_ID);
    tx.nonce = 50;
    assert_int_equal(world_submit(&world, &tx), SY_APPLIED);
    tx = sound(FRESH_ID + 1);
    tx.nonce = 50;
    assert_int_equal(world_submit(&world, &tx), SY_E_REPLAY);
    assert_int_equal(world.receipt.detail, 50);
    tx.nonce = 49; // below the highest, but not seen
    assert_int_equal(world_submit(&world, &tx), SY_APPLIED);
}

CASE(nonce_window_is_4096_wide_both_ways)
{
    uint64_t highest = nonces_of(GATEWAY_A).highest;
    struct world_tx tx = sound(FRESH_ID);
    tx.nonce = highest + SY_NONCE_WINDOW + 1;
    assert_int_equal(world_submit(&world, &tx), SY_E_REPLAY);
    assert_int_equal(world.receipt.detail, highest);
    tx.nonce = highest + SY_NONCE_WINDOW;
    assert_int_equal(world_submit(&world, &tx), SY_APPLIED);
    highest += SY_NONCE_WINDOW;
    tx = sound(FRESH_ID + 1);
    tx.nonce = highest + SY_NONCE_WINDOW - 5;
    assert_int_equal(world_submit(&world, &tx), SY_APPLIED);
    highest = tx.nonce;
    tx = sound(FRESH_ID + 2);
    tx.nonce = highest - SY_NONCE_WINDOW;
    assert_int_equal(world_submit(&world, &tx), SY_E_REPLAY);
    tx.nonce = highest - SY_NONCE_WINDOW + 1;
    assert_int_equal(world_submit(&world, &tx), SY_APPLIED);
}

CASE(late_transaction_is_refused_and_may_come_again)
{
    struct world_tx tx = sound(FRESH_ID);
    tx.nonce = 70;
    tx.valid_until_ms = world.header.time_ms + world.step_ms - 1;
    assert_int_equal(world_submit(&world, &tx), SY_E_EXPIRED);
    assert_int_equal(world.receipt.detail, world.header.time_ms);
    tx.valid_until_ms = world.header.time_ms + world.step_ms; // exactly block time
    assert_int_equal(world_submit(&world, &tx), SY_APPLIED);
}

CASE(validity_beyond_a_day_is_refused)
{
    struct world_tx tx = sound(FRESH_ID);
    tx.nonce = 70;
    tx.valid_until_ms = world.header.time_ms + world.step_ms + SY_TX_LIFETIME_MS_MAX + 1;
    assert_int_equal(world_submit(&world, &tx), SY_E_EXPIRED);
    tx.valid_until_ms = INT64_MAX;
    assert_int_equal(world_submit(&world, &tx), SY_E_EXPIRED);
    tx.valid_until_ms = INT64_MIN;
    assert_int_equal(world_submit(&world, &tx), SY_E_EXPIRED);
    assert_int_not_equal(nonces_of(GATEWAY_A).highest, 70);
    tx.valid_until_ms = world.header.time_ms + world.step_ms + SY_TX_LIFETIME_MS_MAX;
    assert_int_equal(world_submit(&world, &tx), SY_APPLIED);
    assert_int_equal(nonces_of(GATEWAY_A).highest, 70);
}

static void suspend(unsigned org)
{
    struct world_tx tx = world_tx_of(SY_KIND_org_suspend, REGULATOR_1, 0);
    world_cosign(&tx, REGULATOR_2);
    tx.payload.org_suspend.org_id = test_hash(org);
    tx.payload.org_suspend.reason = SY_SUSPEND_FRAUD;
    tx.payload.org_suspend.from = world.header.time_ms;
    assert_int_equal(world_submit(&world, &tx), SY_APPLIED);
}

CASE(suspended_organisation_is_refused_and_consumes_the_nonce)
{
    suspend(ORG_A);
    uint64_t before = nonces_of(GATEWAY_A).highest;
    struct world_tx tx = sound(FRESH_ID);
    assert_int_equal(world_submit(&world, &tx), SY_E_ORG_SUSPENDED);
    assert_hash(&world.receipt.detail_hash, ORG_A);
    assert_int_equal(world.receipt.key_count, 0);
    assert_int_equal(world.receipt.event_count, 0);
    assert_int_equal(nonces_of(GATEWAY_A).highest, before + 1);
    tx = world_record(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID, PATIENT); // its cosigners too
    world_cosign(&tx, DOCTOR_A);
    assert_int_equal(world_submit(&world, &tx), SY_E_ORG_SUSPENDED);
}

CASE(wrong_role_is_refused_with_the_roles_needed)
{
    struct world_tx tx = world_enrol(NURSE_A, ORG_A, FRESH_ID);
    assert_int_equal(world_submit(&world, &tx), SY_E_ROLE);
    assert_int_equal(world.receipt.detail,
                     SY_ROLE_BIT(SY_ROLE_ORG_ADMIN) | SY_ROLE_BIT(SY_ROLE_GATEWAY));
    assert_int_equal(nonces_of(NURSE_A).highest, 1);
}

CASE(any_signer_of_the_right_role_answers)
{
    struct world_tx tx = world_enrol(NURSE_A, ORG_A, FRESH_ID);
    world_cosign(&tx, GATEWAY_A);
    assert_int_equal(world_submit(&world, &tx), SY_APPLIED);
}

CASE(organisation_must_be_the_first_signers)
{
    struct world_tx tx = sound(FRESH_ID);
    tx.organisation = test_hash(ORG_B);
    assert_int_equal(world_submit(&world, &tx), SY_E_ROLE);
    assert_path("organisation");
    assert_hash(&world.receipt.detail_hash, ORG_A);
    tx = world_record(WALLET_CLAIMED, SY_ROLE_PATIENT, ORG_A, FRESH_ID, PATIENT_CLAIMED);
    tx.payload.record_create.patient_reported = true;
    assert_int_equal(world_submit(&world, &tx), SY_E_ROLE); // a patient acts for nobody else
    tx.organisation = (struct sy_hash){{0}};
    assert_int_equal(world_submit(&world, &tx), SY_APPLIED);
    tx = world_register(ORG_NONE, SY_ORG_PHARMACY, FRESH_KEY);
    tx.organisation = test_hash(ORG_A); // nor does a regulator
    assert_int_equal(world_submit(&world, &tx), SY_E_ROLE);
}

CASE(field_rules_are_judged_with_their_path)
{
    struct world_tx tx = sound(FRESH_ID);
    tx.payload.record_create.size = 0;
    assert_int_equal(world_submit(&world, &tx), SY_E_SCHEMA);
    assert_path("size");
    tx = sound(FRESH_ID);
    tx.payload.record_create.record_id = (struct sy_hash){{0}};
    assert_int_equal(world_submit(&world, &tx), SY_E_SCHEMA);
    assert_path("record_id");
    tx = sound(FRESH_ID);
    tx.payload.record_create.form = 77;
    uint64_t before = nonces_of(GATEWAY_A).highest;
    assert_int_equal(world_submit(&world, &tx), SY_E_SCHEMA);
    assert_path("form");
    assert_int_equal(nonces_of(GATEWAY_A).highest, before + 1);
}

CASE(credentials_count_within_their_window_only)
{
    struct world_tx tx = world_issue(&world, ADMIN_A, ORG_A, SY_ROLE_DOCTOR, FRESH_KEY);
    tx.payload.cred_issue.not_before = world.header.time_ms + 5000;
    tx.payload.cred_issue.not_after = world.header.time_ms + 7000;
    assert_int_equal(world_submit(&world, &tx), SY_APPLIED);
    struct world_tx record = world_record(FRESH_KEY, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, PATIENT);
    assert_int_equal(world_submit(&world, &record), SY_E_CRED_EXPIRED); // too early
    assert_key(&world.receipt.detail_hash, FRESH_KEY);
    world.step_ms = tx.payload.cred_issue.not_before - world.header.time_ms;
    assert_int_equal(world_submit(&world, &record), SY_APPLIED); // first moment
    world.step_ms = 2000;
    record = world_record(FRESH_KEY, SY_ROLE_DOCTOR, ORG_A, FRESH_ID + 1, PATIENT);
    assert_int_equal(world_submit(&world, &record), SY_APPLIED); // last moment
    world.step_ms = 1;
    record = world_record(FRESH_KEY, SY_ROLE_DOCTOR, ORG_A, FRESH_ID + 2, PATIENT);
    assert_int_equal(world_submit(&world, &record), SY_E_CRED_EXPIRED);
    record = sound(FRESH_ID + 2);
    world_cosign(&record, FRESH_KEY); // a cosigner's too
    assert_int_equal(world_submit(&world, &record), SY_E_CRED_EXPIRED);
}

/* Breaks everything at once, then mends it from the first check to the last. */
CASE(checks_come_in_their_order)
{
    struct world_tx issue = world_issue(&world, ADMIN_A, ORG_A, SY_ROLE_DOCTOR, FRESH_KEY);
    issue.payload.cred_issue.not_after = world.header.time_ms + 5000;
    assert_int_equal(world_submit(&world, &issue), SY_APPLIED);
    struct world_tx revoke = world_tx_of(SY_KIND_cred_revoke, ADMIN_A, ORG_A);
    revoke.payload.cred_revoke.subject_key = test_public(NURSE_A);
    revoke.payload.cred_revoke.reason = SY_REVOKE_LEFT;
    assert_int_equal(world_submit(&world, &revoke), SY_APPLIED);
    suspend(ORG_B);
    world.step_ms = 10000;
    struct world_tx tx = sound(FRESH_ID);
    tx.organisation = test_hash(ORG_B);
    tx.payload.record_create.size = 0;
    tx.payload.record_create.subject = test_hash(PATIENT_NONE);
    tx.nonce = 1;
    tx.valid_until_ms = 1;
    world_cosign(&tx, FRESH_KEY); // expired
    world_cosign(&tx, DOCTOR_B);  // suspended
    world_cosign(&tx, NURSE_A);   // revoked
    world_cosign(&tx, FRESH_KEY + 1);
    assert_int_equal(world_submit(&world, &tx), SY_E_KEY_UNKNOWN);
    tx.key_count--;
    assert_int_equal(world_submit(&world, &tx), SY_E_KEY_REVOKED);
    tx.key_count--;
    assert_int_equal(world_submit(&world, &tx), SY_E_REPLAY);
    tx.nonce = 0;
    assert_int_equal(world_submit(&world, &tx), SY_E_EXPIRED);
    tx.valid_until_ms = 0;
    assert_int_equal(world_submit(&world, &tx), SY_E_ORG_SUSPENDED);
    tx.key_count--;
    assert_int_equal(world_submit(&world, &tx), SY_E_ROLE);
    tx.organisation = test_hash(ORG_A);
    assert_int_equal(world_submit(&world, &tx), SY_E_SCHEMA);
    tx.payload.record_create.size = 1;
    assert_int_equal(world_submit(&world, &tx), SY_E_CRED_EXPIRED);
    tx.key_count--;
    assert_int_equal(world_submit(&world, &tx), SY_E_PATIENT_UNKNOWN);
    tx.payload.record_create.subject = test_hash(PATIENT);
    assert_int_equal(world_submit(&world, &tx), SY_APPLIED);
}

#define IN_A_WORLD(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(applied_transactions_say_what_they_wrote),
        IN_A_WORLD(unknown_first_signer_is_refused_and_consumes_nothing),
        IN_A_WORLD(unknown_cosigner_is_refused_and_named),
        IN_A_WORLD(known_cosigners_are_welcome),
        IN_A_WORLD(validator_keys_sign_no_transactions),
        IN_A_WORLD(new_key_alone_vouches_for_nobody),
        IN_A_WORLD(new_key_may_sign_first_when_a_known_one_signs_too),
        IN_A_WORLD(revoked_key_is_refused_and_consumes_nothing),
        IN_A_WORLD(nonce_runs_once),
        IN_A_WORLD(nonce_window_is_4096_wide_both_ways),
        IN_A_WORLD(late_transaction_is_refused_and_may_come_again),
        IN_A_WORLD(validity_beyond_a_day_is_refused),
        IN_A_WORLD(suspended_organisation_is_refused_and_consumes_the_nonce),
        IN_A_WORLD(wrong_role_is_refused_with_the_roles_needed),
        IN_A_WORLD(any_signer_of_the_right_role_answers),
        IN_A_WORLD(organisation_must_be_the_first_signers),
        IN_A_WORLD(field_rules_are_judged_with_their_path),
        IN_A_WORLD(credentials_count_within_their_window_only),
        IN_A_WORLD(checks_come_in_their_order),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
