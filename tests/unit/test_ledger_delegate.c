/* Grants that are passed on: by whom, how far, and for how long. */
#include "tests/unit/consent_rig.h"

/* B's gateway passes a grant to B on to a nurse of A. */
static struct world_tx pass_on(unsigned consent, unsigned parent)
{
    return world_delegate(&world, GATEWAY_B, ORG_B, consent, PATIENT_CLAIMED, parent,
                          SY_GRANTEE_KEY, NURSE_A);
}

CASE(consent_delegate_keeps_its_parent)
{
    struct world_tx tx = grant_b(CONSENT);
    assert_applied(&tx);
    tx = pass_on(CONSENT + 1, CONSENT);
    assert_applied(&tx);
    assert_int_equal(world.receipt.key_count, 4);
    struct sy_reader r = sy_reader_of(world.receipt.events);
    struct sy_event event;
    struct sy_hash patient = test_hash(PATIENT_CLAIMED), parent = test_hash(CONSENT);
    assert_true(sy_event_decode(&r, &event));
    assert_int_equal(event.kind, SY_EVENT_CONSENT_CHANGED);
    assert_memory_equal(event.subject.bytes, patient.bytes, 32); // who is told is the patient
    struct sy_consent consent = find_consent(CONSENT + 1);
    assert_true(consent.passed_on);
    assert_memory_equal(consent.parent.bytes, parent.bytes, 32);
    assert_int_equal(consent.number, 2);
    assert_place(PATIENT_CLAIMED, 2, CONSENT + 1);
    assert_int_equal(find_consents(PATIENT_CLAIMED).live.count, 2);
}

CASE(consent_delegate_is_the_grantees)
{
    struct world_tx tx = grant_b(CONSENT);
    assert_applied(&tx);
    tx = world_delegate(&world, DOCTOR_B, ORG_B, CONSENT + 1, PATIENT_CLAIMED, CONSENT,
                        SY_GRANTEE_KEY, NURSE_A);
    assert_refused(&tx, SY_E_NOT_GRANTEE); // an organisation speaks by its admin or gateway
    assert_detail(CONSENT);
    tx = world_delegate(&world, GATEWAY_A, ORG_A, CONSENT + 1, PATIENT_CLAIMED, CONSENT,
                        SY_GRANTEE_KEY, NURSE_A);
    assert_refused(&tx, SY_E_NOT_GRANTEE);
    tx = world_delegate(&world, WALLET_CLAIMED, 0, CONSENT + 1, PATIENT_CLAIMED, CONSENT,
                        SY_GRANTEE_KEY, NURSE_A);
    assert_refused(&tx, SY_E_NOT_GRANTEE); // the patient grants, and passes nothing on
    tx = pass_on(CONSENT + 1, CONSENT);
    tx.payload.consent_delegate.patient_id = test_hash(PATIENT);
    assert_refused(&tx, SY_E_CONSENT_UNKNOWN);
    tx.payload.consent_delegate.patient_id = test_hash(PATIENT_NONE);
    assert_refused(&tx, SY_E_PATIENT_UNKNOWN);
    tx = pass_on(CONSENT + 1, CONSENT + 2);
    assert_refused(&tx, SY_E_CONSENT_UNKNOWN);
    assert_detail(CONSENT + 2);
    tx = world_delegate(&world, ADMIN_B, ORG_B, CONSENT + 1, PATIENT_CLAIMED, CONSENT,
                        SY_GRANTEE_KEY, NURSE_A);
    assert_applied(&tx);
    // A grant to a key is that key's to pass on, and its organisation's not.
    tx =
        world_grant(&world, WALLET_CLAIMED, CONSENT + 3, PATIENT_CLAIMED, SY_GRANTEE_KEY, DOCTOR_B);
    assert_applied(&tx);
    tx = pass_on(CONSENT + 4, CONSENT + 3);
    assert_refused(&tx, SY_E_NOT_GRANTEE);
    tx = world_delegate(&world, DOCTOR_B, ORG_B, CONSENT + 4, PATIENT_CLAIMED, CONSENT + 3,
                        SY_GRANTEE_KEY, NURSE_A);
    assert_applied(&tx);
}

CASE(consent_delegate_passes_on_once_what_lets_share)
{
    struct world_tx tx = grant_b(CONSENT);
    tx.payload.consent_grant.actions = SY_SET_BIT(SY_ACTION_READ) | SY_SET_BIT(SY_ACTION_WRITE);
    assert_applied(&tx);
    tx = pass_on(CONSENT + 1, CONSENT);
    assert_refused(&tx, SY_E_DELEGATION);
    assert_detail(CONSENT);
    tx = world_deny(&world, WALLET_CLAIMED, CONSENT + 2, PATIENT_CLAIMED, SY_GRANTEE_ORG, ORG_B);
    assert_applied(&tx);
    tx = pass_on(CONSENT + 1, CONSENT + 2);
    assert_refused(&tx, SY_E_DELEGATION);
    tx = world_revoke(WALLET_CLAIMED, CONSENT + 2, PATIENT_CLAIMED);
    assert_applied(&tx); // or it would stand over what follows
    tx = world_grant(&world, WALLET_CLAIMED, CONSENT + 3, PATIENT_CLAIMED, SY_GRANTEE_ROLE,
                     SY_ROLE_GATEWAY);
    assert_applied(&tx);
    tx = pass_on(CONSENT + 1, CONSENT + 3);
    assert_refused(&tx, SY_E_DELEGATION);
    tx = grant_b(CONSENT + 4);
    assert_applied(&tx);
    tx = world_delegate(&world, GATEWAY_B, ORG_B, CONSENT + 5, PATIENT_CLAIMED, CONSENT + 4,
                        SY_GRANTEE_ORG, ORG_A);
    assert_applied(&tx);
    tx = world_delegate(&world, GATEWAY_A, ORG_A, CONSENT + 6, PATIENT_CLAIMED, CONSENT + 5,
                        SY_GRANTEE_KEY, NURSE_A);
    assert_refused(&tx, SY_E_DELEGATION);
    tx = world_revoke(WALLET_CLAIMED, CONSENT + 4, PATIENT_CLAIMED);
    assert_applied(&tx);
    tx = pass_on(CONSENT + 6, CONSENT + 4);
    assert_refused(&tx, SY_E_CONSENT_STATE);
    tx = grant_b(CONSENT + 7);
    int64_t until = tx.payload.consent_grant.until = world.header.time_ms + 2 * world.step_ms;
    assert_applied(&tx);
    world.step_ms *= 5;
    tx = pass_on(CONSENT + 8, CONSENT + 7);
    assert_refused(&tx, SY_E_CONSENT_EXPIRED);
    assert_int_equal(world.receipt.detail, until);
    assert_detail(CONSENT + 7);
}

CASE(consent_delegate_yields_to_a_denial_of_sharing)
{
    struct world_tx tx = grant_b(CONSENT);
    assert_applied(&tx);
    tx =
        world_grant(&world, WALLET_CLAIMED, CONSENT + 1, PATIENT_CLAIMED, SY_GRANTEE_KEY, DOCTOR_B);
    assert_applied(&tx);
    struct world_tx of_key = world_delegate(&world, DOCTOR_B, ORG_B, CONSENT + 2, PATIENT_CLAIMED,
                                            CONSENT + 1, SY_GRANTEE_KEY, NURSE_A);
    const struct {
        enum sy_grantee_kind kind;
        unsigned whom;
        bool bars_org, bars_key;
    } denials[] = {{SY_GRANTEE_ORG, ORG_A, false, false},
                   {SY_GRANTEE_KEY, DOCTOR_B, false, true},
                   {SY_GRANTEE_ROLE, SY_ROLE_DOCTOR, false, true},
                   {SY_GRANTEE_ROLE, SY_ROLE_NURSE, false, false},
                   {SY_GRANTEE_ORG, ORG_B, true, true}};
    for (unsigned i = 0; i < sizeof denials / sizeof denials[0]; i++) {
        unsigned denial = CONSENT + 20 + i;
        tx = world_deny(&world, WALLET_CLAIMED, denial, PATIENT_CLAIMED, denials[i].kind,
                        denials[i].whom);
        assert_applied(&tx);
        if (denials[i].bars_org) {
            tx = pass_on(CONSENT + 3, CONSENT);
            assert_refused(&tx, SY_E_CONSENT);
            assert_detail(denial);
        }
        if (denials[i].bars_key) {
            assert_refused(&of_key, SY_E_CONSENT);
            assert_detail(denial);
        }
        if (denials[i].bars_org || denials[i].bars_key) {
            tx = world_revoke(WALLET_CLAIMED, denial, PATIENT_CLAIMED);
            assert_applied(&tx);
        }
    }
    // One that leaves sharing alone, and one of another purpose.
    tx = world_deny(&world, WALLET_CLAIMED, CONSENT + 30, PATIENT_CLAIMED, SY_GRANTEE_ORG, ORG_B);
    tx.payload.consent_deny.actions = SY_SET_BIT(SY_ACTION_READ);
    assert_applied(&tx);
    tx = world_deny(&world, WALLET_CLAIMED, CONSENT + 31, PATIENT_CLAIMED, SY_GRANTEE_ORG, ORG_B);
    tx.payload.consent_deny.purposes = SY_SET_BIT(SY_PURPOSE_RESEARCH);
    assert_applied(&tx);
    tx = pass_on(CONSENT + 3, CONSENT);
    tx.payload.consent_delegate.purposes = SY_SET_BIT(SY_PURPOSE_TREATMENT);
    assert_applied(&tx);
    of_key.payload.consent_delegate.purposes = SY_SET_BIT(SY_PURPOSE_TREATMENT);
    assert_applied(&of_key);
}

/* A parent of two purposes, two classes and two labels, and a part of it that fits. */
static struct world_tx pass_on_narrow(uint8_t room[256])
{
    struct world_tx tx = pass_on(CONSENT + 1, CONSENT);
    struct sy_consent_delegate *p = &tx.payload.consent_delegate;
    struct sy_writer w = sy_writer_of(room, 128);
    struct sy_tag label = {{2}};
    p->purposes = SY_SET_BIT(SY_PURPOSE_TREATMENT);
    sy_list_add_text(&p->classes, &w, sy_slice_of("Condition", 9));
    w = sy_writer_of(room + 128, 128);
    sy_list_add_tag(&p->labels, &w, &label);
    return tx;
}

static void grant_wide(void)
{
    uint8_t room[256];
    struct world_tx tx = grant_b(CONSENT);
    struct sy_consent_grant *p = &tx.payload.consent_grant;
    struct sy_writer w = sy_writer_of(room, 128);
    struct sy_tag first = {{1}}, second = {{2}};
    p->purposes = SY_SET_BIT(SY_PURPOSE_TREATMENT) | SY_SET_BIT(SY_PURPOSE_PAYMENT);
    sy_list_add_text(&p->classes, &w, sy_slice_of("Observation", 11));
    sy_list_add_text(&p->classes, &w, sy_slice_of("Condition", 9));
    w = sy_writer_of(room + 128, 128);
    sy_list_add_tag(&p->labels, &w, &first);
    sy_list_add_tag(&p->labels, &w, &second);
    assert_applied(&tx);
}

static void assert_wider(const struct world_tx *tx, const char *path)
{
    assert_refused(tx, SY_E_SCOPE_WIDER);
    assert_path(path);
}

CASE(consent_delegate_is_no_wider_in_anything)
{
    uint8_t room[256], other[256];
    grant_wide();
    struct world_tx tx = pass_on_narrow(room);
    struct sy_consent_delegate *p = &tx.payload.consent_delegate;
    struct sy_consent_delegate kept = *p;
    p->actions |= SY_SET_BIT(SY_ACTION_SHARE);
    assert_wider(&tx, "actions");
    *p = kept;
    p->purposes |= SY_SET_BIT(SY_PURPOSE_RESEARCH);
    assert_wider(&tx, "purposes");
    *p = kept;
    p->classes = (struct sy_list){.count = 0};
    assert_wider(&tx, "classes");
    struct sy_writer w = sy_writer_of(other, sizeof other);
    sy_list_add_text(&p->classes, &w, sy_slice_of("Condition", 9));
    sy_list_add_text(&p->classes, &w, sy_slice_of("Claim", 5));
    assert_wider(&tx, "classes");
    *p = kept;
    p->labels = (struct sy_list){.count = 0};
    assert_wider(&tx, "labels"); // not the same as fewer: records without a label
    struct sy_tag third = {{3}};
    w = sy_writer_of(other, sizeof other);
    sy_list_add_tag(&p->labels, &w, &third);
    assert_wider(&tx, "labels");
    *p = kept;
    p->from = find_consent(CONSENT).from_ms - 1;
    assert_wider(&tx, "from");
    *p = kept;
    p->until = find_consent(CONSENT).until_ms + 1;
    assert_wider(&tx, "until");
    *p = kept;
    p->grantee_kind = SY_GRANTEE_ROLE;
    p->has_grantee = false;
    p->has_role = true;
    p->role = SY_ROLE_NURSE;
    assert_wider(&tx, "grantee_kind");
    *p = kept;
    p->from = find_consent(CONSENT).from_ms;
    p->until = find_consent(CONSENT).until_ms;
    assert_applied(&tx);
}

CASE(consent_delegate_keeps_the_rules_of_grants)
{
    struct world_tx tx = grant_b(CONSENT);
    assert_applied(&tx);
    tx = pass_on(CONSENT, CONSENT);
    assert_refused(&tx, SY_E_CONSENT_EXISTS);
    tx = pass_on(CONSENT + 1, CONSENT);
    tx.payload.consent_delegate.has_grantee = false;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("grantee");
    tx = pass_on(CONSENT + 1, CONSENT);
    tx.payload.consent_delegate.grantee = test_hash(4);
    assert_refused(&tx, SY_E_CRED_UNKNOWN);
    tx = pass_on(CONSENT + 1, CONSENT);
    tx.payload.consent_delegate.until = world.header.time_ms;
    assert_refused(&tx, SY_E_CONSENT_WINDOW);
    for (unsigned i = 1; i < SY_CONSENTS_PASSED_MAX; i++) {
        tx = pass_on(CONSENT + i, CONSENT);
        assert_applied(&tx);
    }
    tx = pass_on(CONSENT + 100, CONSENT);
    assert_refused(&tx, SY_E_CONSENTS);
    assert_int_equal(world.receipt.detail, SY_CONSENTS_PASSED_MAX);
    for (unsigned i = SY_CONSENTS_PASSED_MAX; i < SY_CONSENTS_LIVE_MAX; i++) {
        tx = deny_a(CONSENT + i); // the other places are the patient's
        assert_applied(&tx);
    }
    tx = deny_a(CONSENT + 100);
    assert_refused(&tx, SY_E_CONSENTS);
    // With the parent goes what was passed on, when its places are needed.
    tx = world_revoke(WALLET_CLAIMED, CONSENT, PATIENT_CLAIMED);
    assert_applied(&tx);
    assert_int_equal(find_consents(PATIENT_CLAIMED).live.count, SY_CONSENTS_LIVE_MAX - 1);
    tx = deny_a(CONSENT + 100);
    assert_applied(&tx);
    tx = deny_a(CONSENT + 101);
    assert_applied(&tx);
    assert_int_equal(find_consents(PATIENT_CLAIMED).live.count,
                     SY_CONSENTS_LIVE_MAX - SY_CONSENTS_PASSED_MAX + 2);
}

CASE(what_was_passed_on_goes_with_its_parent)
{
    enrol_with_wallet(FRESH_ID, FRESH_KEY);
    struct world_tx tx = world_grant(&world, FRESH_KEY, CONSENT, FRESH_ID, SY_GRANTEE_ORG, ORG_A);
    assert_applied(&tx);
    tx = world_delegate(&world, GATEWAY_A, ORG_A, CONSENT + 1, FRESH_ID, CONSENT, SY_GRANTEE_KEY,
                        DOCTOR_B);
    assert_applied(&tx);
    struct world_tx record = world_record(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID + 1, FRESH_ID);
    assert_applied(&record);
    record = world_record(NURSE_B, SY_ROLE_NURSE, ORG_B, FRESH_ID + 2, FRESH_ID);
    assert_refused(&record, SY_E_NO_CARE);
    // Even a denial to all doctors stands over it, though it names the key.
    tx = world_deny(&world, FRESH_KEY, CONSENT + 2, FRESH_ID, SY_GRANTEE_ROLE, SY_ROLE_DOCTOR);
    assert_applied(&tx);
    record = world_record(DOCTOR_B, SY_ROLE_DOCTOR, ORG_B, FRESH_ID + 2, FRESH_ID);
    assert_refused(&record, SY_E_CONSENT);
    tx = world_revoke(FRESH_KEY, CONSENT + 2, FRESH_ID);
    assert_applied(&tx);
    tx = world_revoke(FRESH_KEY, CONSENT, FRESH_ID);
    assert_applied(&tx);
    assert_refused(&record, SY_E_NO_CARE);
    assert_false(find_consent(CONSENT + 1).revoked); // nothing was written about it
}

CASE(who_passed_it_on_takes_it_back)
{
    struct world_tx tx = grant_b(CONSENT);
    assert_applied(&tx);
    tx = pass_on(CONSENT + 1, CONSENT);
    assert_applied(&tx);
    tx = pass_on(CONSENT + 2, CONSENT);
    assert_applied(&tx);
    tx = world_revoke(NURSE_A, CONSENT + 1, PATIENT_CLAIMED);
    tx.organisation = test_hash(ORG_A);
    assert_refused(&tx, SY_E_NOT_SUBJECT); // whom it lets in
    tx = world_revoke(DOCTOR_B, CONSENT + 1, PATIENT_CLAIMED);
    tx.organisation = test_hash(ORG_B);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    tx = world_revoke(GATEWAY_B, CONSENT, PATIENT_CLAIMED);
    tx.organisation = test_hash(ORG_B);
    assert_refused(&tx, SY_E_NOT_SUBJECT); // the patient's own grant is the patient's
    tx = world_revoke(GATEWAY_B, CONSENT + 1, PATIENT);
    tx.organisation = test_hash(ORG_B);
    assert_refused(&tx, SY_E_NOT_SUBJECT);
    tx = world_revoke(GATEWAY_B, CONSENT + 1, PATIENT_CLAIMED);
    tx.organisation = test_hash(ORG_B);
    assert_applied(&tx);
    assert_true(find_consent(CONSENT + 1).revoked);
    assert_refused(&tx, SY_E_CONSENT_STATE);
    tx = world_revoke(WALLET_CLAIMED, CONSENT + 2, PATIENT_CLAIMED);
    assert_applied(&tx); // and the patient takes back anything
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_WORLD(consent_delegate_keeps_its_parent),
        WITH_WORLD(consent_delegate_is_the_grantees),
        WITH_WORLD(consent_delegate_passes_on_once_what_lets_share),
        WITH_WORLD(consent_delegate_yields_to_a_denial_of_sharing),
        WITH_WORLD(consent_delegate_is_no_wider_in_anything),
        WITH_WORLD(consent_delegate_keeps_the_rules_of_grants),
        WITH_WORLD(what_was_passed_on_goes_with_its_parent),
        WITH_WORLD(who_passed_it_on_takes_it_back),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
