/* cert.issue: who may anchor a card, that a card and an index are an organisation's own once, and
 * what the patient is told. */
#include "tests/unit/consent_rig.h"

enum { CARD = CONSENT, KEY_ID = CONSENT + 500 };

static struct world_tx issue(unsigned key, unsigned org, unsigned card, uint64_t index)
{
    struct world_tx tx = world_tx_of(SY_KIND_cert_issue, key, org);
    tx.payload.cert_issue.patient_id = test_hash(PATIENT_CLAIMED);
    tx.payload.cert_issue.kind = SY_CERT_IMMUNISATION;
    tx.payload.cert_issue.jws_hash = test_hash(card);
    tx.payload.cert_issue.key_id = test_hash(KEY_ID);
    tx.payload.cert_issue.revocation_index = index;
    return tx;
}

static bool find_cert(struct sy_cert *out, unsigned org, unsigned card)
{
    struct sy_hash org_id = test_hash(org), hash = test_hash(card), key_hash;
    struct sy_slice value;
    sy_state_key_cert(&key_hash, &org_id, &hash);
    if (!world_find(&world, &value, &key_hash)) return false;
    assert_true(sy_cert_decode(out, value));
    return true;
}

CASE(a_card_is_anchored_and_the_patient_told)
{
    struct sy_cert cert;
    struct world_tx tx = issue(DOCTOR_A, ORG_A, CARD, 7);
    tx.payload.cert_issue.has_until = true;
    tx.payload.cert_issue.until = world.header.time_ms + 1000000;
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 1);
    struct sy_reader r = sy_reader_of(world.receipt.events);
    struct sy_event event;
    struct sy_hash patient = test_hash(PATIENT_CLAIMED), hash = test_hash(CARD);
    struct sy_hash key_id = test_hash(KEY_ID);
    assert_true(sy_event_decode(&r, &event));
    assert_int_equal(event.kind, SY_EVENT_CERT_ISSUED);
    assert_int_equal(event.subject_kind, SY_SUBJECT_PATIENT);
    assert_memory_equal(event.subject.bytes, patient.bytes, 32);
    assert_memory_equal(event.object.bytes, hash.bytes, 32);
    assert_true(find_cert(&cert, ORG_A, CARD));
    assert_int_equal(cert.kind, SY_CERT_IMMUNISATION);
    assert_memory_equal(cert.key_id.bytes, key_id.bytes, 32);
    assert_int_equal(cert.index, 7);
    assert_int_equal(cert.height, world.header.height);
    assert_int_equal(cert.time_ms, world.header.time_ms);
    assert_true(cert.has_until);
    assert_int_equal(cert.until_ms, tx.payload.cert_issue.until);
}

CASE(a_card_and_an_index_are_taken_once)
{
    struct sy_cert cert;
    struct world_tx tx = issue(DOCTOR_A, ORG_A, CARD, 7);
    assert_applied(&tx);
    tx = issue(GATEWAY_A, ORG_A, CARD, 8);
    assert_refused(&tx, SY_E_CERT_EXISTS);
    assert_detail(CARD);
    tx = issue(GATEWAY_A, ORG_A, CARD + 1, 7);
    assert_refused(&tx, SY_E_CERT_INDEX);
    assert_detail(CARD); // the one that has it
    assert_false(find_cert(&cert, ORG_A, CARD + 1));
    tx = issue(GATEWAY_A, ORG_A, CARD + 1, 0);
    assert_applied(&tx);
    tx = issue(GATEWAY_A, ORG_A, CARD + 2, SY_CERT_INDEX_MAX);
    assert_applied(&tx);
    tx = issue(GATEWAY_A, ORG_A, CARD + 3, SY_CERT_INDEX_MAX + 1);
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("revocation_index");
}

// Nobody takes another's card, or a place in another's list, before its issuer does.
CASE(organisations_do_not_stand_in_each_others_way)
{
    struct sy_cert cert;
    struct world_tx tx = grant_b(CONSENT + 900);
    assert_applied(&tx);
    tx = issue(DOCTOR_B, ORG_B, CARD, 7);
    assert_applied(&tx);
    tx = issue(DOCTOR_A, ORG_A, CARD, 7);
    assert_applied(&tx);
    assert_true(find_cert(&cert, ORG_A, CARD));
    assert_true(find_cert(&cert, ORG_B, CARD));
}

CASE(who_may_not_write_anchors_nothing)
{
    struct world_tx tx = issue(DOCTOR_B, ORG_B, CARD, 7);
    assert_refused(&tx, SY_E_NO_CARE);
    assert_detail(PATIENT_CLAIMED);
    struct world_tx grant = grant_b(CONSENT + 900);
    grant.payload.consent_grant.until = world.header.time_ms + 100000;
    assert_applied(&grant);
    tx = issue(DOCTOR_B, ORG_B, CARD, 7);
    assert_applied(&tx);
    struct world_tx deny = deny_a(CONSENT + 901);
    assert_applied(&deny);
    tx = issue(DOCTOR_A, ORG_A, CARD + 1, 8);
    assert_refused(&tx, SY_E_CONSENT);
    assert_detail(CONSENT + 901);
    tx = issue(WALLET_CLAIMED, 0, CARD + 1, 8);
    assert_refused(&tx, SY_E_ROLE);
    tx = issue(DOCTOR_A, ORG_A, CARD + 1, 8);
    tx.payload.cert_issue.patient_id = test_hash(CONSENT + 999);
    assert_refused(&tx, SY_E_PATIENT_UNKNOWN);
    assert_detail(CONSENT + 999);
}

CASE(a_grant_for_treatment_is_none_for_a_coverage_card)
{
    struct world_tx grant = grant_b(CONSENT + 900);
    grant.payload.consent_grant.purposes = SY_SET_BIT(SY_PURPOSE_TREATMENT);
    assert_applied(&grant);
    struct world_tx tx = issue(DOCTOR_B, ORG_B, CARD, 7);
    tx.payload.cert_issue.kind = SY_CERT_COVERAGE;
    assert_refused(&tx, SY_E_NO_CARE);
    tx.payload.cert_issue.kind = SY_CERT_HEALTH_CARD;
    assert_applied(&tx);
}

CASE(a_grant_that_is_over_is_told)
{
    struct world_tx grant = grant_b(CONSENT + 900);
    grant.payload.consent_grant.until = world.header.time_ms + 5 * world.step_ms;
    assert_applied(&grant);
    world.step_ms *= 20;
    struct world_tx tx = issue(DOCTOR_B, ORG_B, CARD, 7);
    assert_refused(&tx, SY_E_CONSENT_EXPIRED);
    assert_detail(CONSENT + 900);
}

CASE(a_card_that_is_over_is_not_anchored)
{
    struct world_tx tx = issue(DOCTOR_A, ORG_A, CARD, 7);
    tx.payload.cert_issue.has_until = true;
    tx.payload.cert_issue.until = 1;
    assert_refused(&tx, SY_E_CERT_WINDOW);
    tx.payload.cert_issue.kind = 4;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("kind");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_WORLD(a_card_is_anchored_and_the_patient_told),
        WITH_WORLD(a_card_and_an_index_are_taken_once),
        WITH_WORLD(organisations_do_not_stand_in_each_others_way),
        WITH_WORLD(who_may_not_write_anchors_nothing),
        WITH_WORLD(a_grant_for_treatment_is_none_for_a_coverage_card),
        WITH_WORLD(a_grant_that_is_over_is_told),
        WITH_WORLD(a_card_that_is_over_is_not_anchored),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
