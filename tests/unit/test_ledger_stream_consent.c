/* Streams of devices: on which consent of the patient they stand, and what ends that. */
#include <string.h>

#include "tests/unit/stream_rig.h"

enum { ANYBODY = GRANT + 10, DENIAL, PARENT, PASSED_ON };

/* Neither the device nor its organisation's gateway says anything. */
static void assert_silent(enum sy_refusal code, unsigned detail)
{
    struct world_tx tx = commit_window(1, stream_now() - 10 * MINUTE_MS, stream_now());
    assert_refused(&tx, code);
    assert_detail(detail);
    tx = alert(WEARABLE_KEY, 1);
    assert_refused(&tx, code);
    assert_detail(detail);
    tx = alert(GATEWAY_A, 1);
    assert_refused(&tx, code);
    assert_detail(detail);
}

// --- the grant that is named -------------------------------------------------------------------

CASE(without_the_patients_consent_nothing_streams)
{
    struct world_tx tx = open_stream(OTHER_STREAM, WEARABLE, WEARABLE_KEY);
    tx.payload.stream_open.consent = test_hash(CONSENT + 799);
    assert_refused(&tx, SY_E_CONSENT_UNKNOWN);
    assert_detail(CONSENT + 799);
    tx = world_revoke(WALLET_CLAIMED, GRANT, PATIENT_CLAIMED);
    assert_applied(&tx);
    tx = open_stream(OTHER_STREAM, WEARABLE, WEARABLE_KEY);
    assert_refused(&tx, SY_E_CONSENT);
    assert_detail(GRANT);
    tx = commit_window(1, stream_now() - 10 * MINUTE_MS, stream_now());
    assert_refused(&tx, SY_E_CONSENT); // at once, and though it was open
    assert_detail(GRANT);
    tx = alert(WEARABLE_KEY, 1);
    assert_refused(&tx, SY_E_CONSENT);
    tx = alert(GATEWAY_A, 1);
    assert_refused(&tx, SY_E_CONSENT);
    // One that lets read alone.
    tx = world_grant(&world, WALLET_CLAIMED, GRANT + 2, PATIENT_CLAIMED, SY_GRANTEE_KEY,
                     WEARABLE_KEY);
    tx.payload.consent_grant.actions = SY_SET_BIT(SY_ACTION_READ);
    assert_applied(&tx);
    tx = open_stream(OTHER_STREAM, WEARABLE, WEARABLE_KEY);
    tx.payload.stream_open.consent = test_hash(GRANT + 2);
    assert_refused(&tx, SY_E_CONSENT);
    assert_detail(GRANT + 2);
    // Another grant is not the one that the stream stands on.
    tx = world_grant(&world, WALLET_CLAIMED, GRANT + 1, PATIENT_CLAIMED, SY_GRANTEE_KEY,
                     WEARABLE_KEY);
    assert_applied(&tx);
    tx = commit_window(1, stream_now() - 10 * MINUTE_MS, stream_now());
    assert_refused(&tx, SY_E_CONSENT);
}

CASE(a_denial_stands_over_the_grant)
{
    struct world_tx tx = world_deny(&world, WALLET_CLAIMED, GRANT + 1, PATIENT_CLAIMED,
                                    SY_GRANTEE_KEY, WEARABLE_KEY);
    assert_applied(&tx);
    tx = commit_window(1, stream_now() - 10 * MINUTE_MS, stream_now());
    assert_refused(&tx, SY_E_CONSENT);
    assert_detail(GRANT + 1);
    tx = open_stream(OTHER_STREAM, WEARABLE, WEARABLE_KEY);
    tx.payload.stream_open.consent = test_hash(GRANT + 1); // and is none to stand on
    assert_refused(&tx, SY_E_CONSENT);
    assert_detail(GRANT + 1);
}

CASE(a_consent_that_is_over_or_anothers_covers_nothing)
{
    struct world_tx tx = world_grant(&world, WALLET_CLAIMED, GRANT + 1, PATIENT_CLAIMED,
                                     SY_GRANTEE_KEY, WEARABLE_KEY);
    tx.payload.consent_grant.from = 0;
    tx.payload.consent_grant.until = stream_now() + HOUR_MS;
    assert_applied(&tx);
    tx = open_stream(OTHER_STREAM, WEARABLE, WEARABLE_KEY);
    tx.payload.stream_open.consent = test_hash(GRANT + 1);
    assert_applied(&tx);
    wait_ms(2 * HOUR_MS);
    tx = commit_window(1, stream_now() - 10 * MINUTE_MS, stream_now());
    tx.payload.stream_commit.stream_id = test_hash(OTHER_STREAM);
    assert_refused(&tx, SY_E_CONSENT_EXPIRED);
    assert_detail(GRANT + 1);
}

/* The device may write by another one, so that nothing but the name is wrong. */
CASE(the_consent_that_is_named_is_the_devices)
{
    static const struct {
        unsigned kind, whom;
        bool good;
    } rows[] = {{SY_GRANTEE_KEY, DOCTOR_A, false},
                {SY_GRANTEE_ORG, ORG_A, false},
                {SY_GRANTEE_ROLE, SY_ROLE_DOCTOR, false},
                {SY_GRANTEE_ROLE, SY_ROLE_DEVICE, true},
                {SY_GRANTEE_KEY, WEARABLE_KEY, true}};
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world_tx tx = world_grant(&world, WALLET_CLAIMED, ANYBODY + i, PATIENT_CLAIMED,
                                         rows[i].kind, rows[i].whom);
        assert_applied(&tx);
        tx = open_stream(OTHER_STREAM + i, WEARABLE, WEARABLE_KEY);
        tx.payload.stream_open.consent = test_hash(ANYBODY + i);
        if (rows[i].good) {
            assert_applied(&tx);
            continue;
        }
        assert_refused(&tx, SY_E_CONSENT);
        assert_detail(ANYBODY + i);
    }
}

CASE(the_consent_that_is_named_lets_write_samples)
{
    struct sy_tag label = {{7}};
    struct sy_writer w = sy_writer_of(world.list_room, 256);
    for (unsigned i = 0; i < 5; i++) {
        struct world_tx tx = world_grant(&world, WALLET_CLAIMED, ANYBODY + i, PATIENT_CLAIMED,
                                         SY_GRANTEE_KEY, WEARABLE_KEY);
        struct sy_consent_grant *p = &tx.payload.consent_grant;
        if (i == 0) p->actions = SY_SET_BIT(SY_ACTION_READ);
        if (i == 1) p->purposes = SY_SET_BIT(SY_PURPOSE_RESEARCH);
        if (i == 2) sy_list_add_text(&p->classes, &w, words("Condition"));
        if (i == 3) sy_list_add_tag(&p->labels, &w, &label);
        if (i == 4) p->from = stream_now() + HOUR_MS;
        assert_applied(&tx);
        tx = open_stream(OTHER_STREAM, WEARABLE, WEARABLE_KEY);
        tx.payload.stream_open.consent = test_hash(ANYBODY + i);
        assert_refused(&tx, SY_E_CONSENT);
        assert_detail(ANYBODY + i);
    }
}

CASE(what_was_passed_on_goes_with_what_it_came_from)
{
    struct world_tx tx =
        world_grant(&world, WALLET_CLAIMED, PARENT, PATIENT_CLAIMED, SY_GRANTEE_ORG, ORG_A);
    assert_applied(&tx);
    tx = world_delegate(&world, ADMIN_A, ORG_A, PASSED_ON, PATIENT_CLAIMED, PARENT, SY_GRANTEE_KEY,
                        WEARABLE_KEY);
    assert_applied(&tx);
    tx = open_stream(OTHER_STREAM, WEARABLE, WEARABLE_KEY);
    tx.payload.stream_open.consent = test_hash(PASSED_ON);
    assert_applied(&tx);
    tx = alert(GATEWAY_A, 1);
    tx.payload.stream_alert.stream_id = test_hash(OTHER_STREAM);
    assert_applied(&tx);
    tx = world_revoke(WALLET_CLAIMED, PARENT, PATIENT_CLAIMED);
    assert_applied(&tx);
    for (unsigned i = 0; i < 2; i++) {
        tx = alert(i == 0 ? GATEWAY_A : WEARABLE_KEY, 2);
        tx.payload.stream_alert.stream_id = test_hash(OTHER_STREAM);
        assert_refused(&tx, SY_E_CONSENT); // though the device has the other grant
        assert_detail(PASSED_ON);
    }
}

/* What the patient did not consent to yet is not told afterwards either. */
CASE(a_window_is_of_a_time_that_the_consent_covers)
{
    int64_t from = stream_now() - 5 * MINUTE_MS;
    struct world_tx tx =
        world_grant(&world, WALLET_CLAIMED, ANYBODY, PATIENT_CLAIMED, SY_GRANTEE_KEY, WEARABLE_KEY);
    tx.payload.consent_grant.from = from;
    assert_applied(&tx);
    tx = open_stream(OTHER_STREAM, WEARABLE, WEARABLE_KEY);
    tx.payload.stream_open.consent = test_hash(ANYBODY);
    assert_applied(&tx);
    tx = commit_window(1, from - 1, from + 4 * MINUTE_MS);
    tx.payload.stream_commit.stream_id = test_hash(OTHER_STREAM);
    assert_refused(&tx, SY_E_CONSENT);
    assert_detail(ANYBODY);
    tx.payload.stream_commit.from = from;
    assert_applied(&tx);
}

// --- beside it ---------------------------------------------------------------------------------

CASE(a_denial_of_the_device_silences_its_gateway)
{
    struct world_tx tx =
        world_deny(&world, WALLET_CLAIMED, DENIAL, PATIENT_CLAIMED, SY_GRANTEE_KEY, WEARABLE_KEY);
    assert_applied(&tx);
    assert_silent(SY_E_CONSENT, DENIAL);
}

/* A grant to devices is wider than a denial of the organisation. */
CASE(a_denial_of_the_organisation_silences_its_devices)
{
    struct world_tx tx = world_grant(&world, WALLET_CLAIMED, ANYBODY, PATIENT_CLAIMED,
                                     SY_GRANTEE_ROLE, SY_ROLE_DEVICE);
    assert_applied(&tx);
    tx = open_stream(OTHER_STREAM, WEARABLE, WEARABLE_KEY);
    tx.payload.stream_open.consent = test_hash(ANYBODY);
    assert_applied(&tx);
    tx = world_revoke(WALLET_CLAIMED, GRANT, PATIENT_CLAIMED);
    assert_applied(&tx);
    tx = world_deny(&world, WALLET_CLAIMED, DENIAL, PATIENT_CLAIMED, SY_GRANTEE_ORG, ORG_A);
    assert_applied(&tx);
    tx = alert(GATEWAY_A, 1);
    tx.payload.stream_alert.stream_id = test_hash(OTHER_STREAM);
    assert_refused(&tx, SY_E_CONSENT);
    assert_detail(DENIAL);
}

CASE(a_gateway_does_not_speak_for_a_device_whose_key_is_revoked)
{
    struct world_tx tx = world_tx_of(SY_KIND_cred_revoke, ADMIN_A, ORG_A);
    tx.payload.cred_revoke.subject_key = test_public(WEARABLE_KEY);
    tx.payload.cred_revoke.reason = SY_REVOKE_LOST;
    assert_applied(&tx);
    tx = alert(GATEWAY_A, 1);
    assert_refused(&tx, SY_E_CRED_EXPIRED);
    struct sy_public_key key = test_public(WEARABLE_KEY);
    assert_memory_equal(&world.receipt.detail_hash, &key, sizeof key);
}

static void rotate(unsigned key, unsigned next)
{
    struct world_tx tx = world_tx_of(SY_KIND_key_rotate, key, ORG_A);
    tx.payload.key_rotate.old_key = test_public(key);
    tx.payload.key_rotate.role = SY_ROLE_DEVICE;
    tx.payload.key_rotate.new_key = test_public(next);
    assert_applied(&tx);
}

CASE(a_gateway_speaks_for_the_devices_next_key)
{
    enum { FIRST = FRESH_KEY + 30 };
    unsigned key = WEARABLE_KEY;
    for (unsigned i = 0; i < SY_STREAM_KEYS_MAX; i++) {
        rotate(key, FIRST + i);
        key = FIRST + i;
    }
    struct world_tx tx = alert(GATEWAY_A, 1);
    assert_applied(&tx);
    rotate(key, FIRST + SY_STREAM_KEYS_MAX);
    key = FIRST + SY_STREAM_KEYS_MAX;
    wait_ms(2 * MINUTE_MS);
    tx = alert(GATEWAY_A, 2); // so far nobody looks
    assert_refused(&tx, SY_E_CRED_EXPIRED);
    tx = commit_window(1, stream_now() - 10 * MINUTE_MS, stream_now());
    tx.keys[0] = key;
    assert_applied(&tx);
    tx = alert(GATEWAY_A, 2);
    assert_applied(&tx);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_STREAM(without_the_patients_consent_nothing_streams),
        WITH_STREAM(a_denial_stands_over_the_grant),
        WITH_STREAM(a_consent_that_is_over_or_anothers_covers_nothing),
        WITH_STREAM(the_consent_that_is_named_is_the_devices),
        WITH_STREAM(the_consent_that_is_named_lets_write_samples),
        WITH_STREAM(what_was_passed_on_goes_with_what_it_came_from),
        WITH_STREAM(a_window_is_of_a_time_that_the_consent_covers),
        WITH_STREAM(a_denial_of_the_device_silences_its_gateway),
        WITH_STREAM(a_denial_of_the_organisation_silences_its_devices),
        WITH_STREAM(a_gateway_does_not_speak_for_a_device_whose_key_is_revoked),
        WITH_STREAM(a_gateway_speaks_for_the_devices_next_key),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
