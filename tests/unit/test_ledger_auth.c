/* auth.request and auth.decide: who asks and who says so, and which lines of which claims what was
 * authorised lets pass, how often. */
#include "tests/unit/money_rig.h"

#define DAY_MS 86400000ll
#define AUTH (CLAIM + 700u)
#define SCAN "1/hc:70551/2/30000/11/A"

static const char *const fees[] = {"hc:70551=20000+authorised", "hc:70552=20000+authorised",
                                   "hc:99213=25000", "hc:99499=50000+authorised+reviewed", NULL};

enum { PLAN_F = PLAN_P + 5, COVER_F = COVER_P + 5 };

/* P's plan by fees, all of which it pays, and a second coverage of the patient by it. */
static void cover_by_fees(void)
{
    struct world_tx page = publish(PAYER_P, ORG_P, SY_SCHEDULE_FEES, fees);
    money_applied(&page);
    for (unsigned i = 0; i < 101; i++) world_execute(&world, NULL, 0);
    struct world_tx tx = plan_of(PAYER_P, ORG_P, PLAN_F);
    tx.payload.plan_publish.deductible = 0;
    tx.payload.plan_publish.copay_office = 0;
    tx.payload.plan_publish.coinsurance_bp = 0;
    tx.payload.plan_publish.fees_version = 1;
    money_applied(&tx);
    tx = world_tx_of(SY_KIND_coverage_end, PAYER_P, ORG_P);
    tx.payload.coverage_end.coverage_id = test_hash(COVER_P);
    tx.payload.coverage_end.until = world.header.time_ms - 30 * DAY_MS;
    money_applied(&tx);
    tx = cover(PAYER_P, ORG_P, COVER_F, PLAN_F, 1);
    tx.payload.coverage_add.from = world.header.time_ms - 29 * DAY_MS;
    money_applied(&tx);
}

static void grant(unsigned auth, uint32_t units)
{
    struct world_tx tx = ask_auth(auth, COVER_F, "hc:70551", units + 3);
    money_applied(&tx);
    tx = decide_auth(PAYER_P, ORG_P, auth, units);
    money_applied(&tx);
}

static struct world_tx bill_scan(unsigned claim, const char *line, uint64_t total, unsigned auth)
{
    struct world_tx tx = bill_one(claim, COVER_F, line, total);
    tx.payload.claim_submit.has_auth_id = true;
    tx.payload.claim_submit.auth_id = test_hash(auth);
    return tx;
}

/* Bills a scan of two units; 0: it passes. */
static unsigned reason_of_scan(unsigned claim, unsigned auth)
{
    struct world_tx tx = bill_scan(claim, SCAN, 30000, auth);
    money_applied(&tx);
    return find_claim(claim).lines[0].reason;
}

CASE(what_is_asked_for_is_decided_once)
{
    struct world_tx tx = ask_auth(AUTH, COVER_P, "hc:70551", 5);
    money_applied(&tx);
    assert_int_equal(world.receipt.event_count, 2);
    assert_event(0, SY_EVENT_AUTH_REQUESTED, SY_SUBJECT_ORG, ORG_P, AUTH);
    assert_event(1, SY_EVENT_AUTH_REQUESTED, SY_SUBJECT_PATIENT, PATIENT_CLAIMED, AUTH);
    struct sy_auth auth = find_auth(AUTH);
    int64_t until = auth.until_ms;
    assert_int_equal(auth.status, SY_AUTH_ASKED);
    assert_int_equal(auth.asked, 5);
    tx = decide_auth(PAYER_P, ORG_P, AUTH + 1, 1);
    money_refused(&tx, SY_E_AUTH_UNKNOWN);
    assert_detail(AUTH + 1);
    tx = decide_auth(PAYER_Q, ORG_Q, AUTH, 1);
    money_refused(&tx, SY_E_NOT_PAYER);
    assert_detail(ORG_P);
    tx = decide_auth(PAYER_P, ORG_P, AUTH, 6);
    money_refused(&tx, SY_E_AUTH_UNITS);
    assert_int_equal(world.receipt.detail, 5);
    tx = decide_auth(PAYER_P, ORG_P, AUTH, 4);
    tx.payload.auth_decide.until = until + 1;
    money_refused(&tx, SY_E_AUTH_WINDOW);
    assert_int_equal(world.receipt.detail, until);
    tx = decide_auth(PAYER_P, ORG_P, AUTH, 4);
    tx.payload.auth_decide.until = find_auth(AUTH).from_ms - 1;
    money_refused(&tx, SY_E_AUTH_WINDOW);
    tx = decide_auth(PAYER_P, ORG_P, AUTH, 4);
    int64_t granted_until = tx.payload.auth_decide.until;
    money_applied(&tx);
    assert_event(0, SY_EVENT_AUTH_DECIDED, SY_SUBJECT_PATIENT, PATIENT_CLAIMED, AUTH);
    assert_event(1, SY_EVENT_AUTH_DECIDED, SY_SUBJECT_ORG, ORG_A, AUTH);
    auth = find_auth(AUTH);
    assert_int_equal(auth.status, SY_AUTH_GRANTED);
    assert_int_equal(auth.granted, 4);
    assert_int_equal(auth.until_ms, granted_until);
    tx = decide_auth(PAYER_P, ORG_P, AUTH, 4);
    money_refused(&tx, SY_E_AUTH_STATE);
    assert_int_equal(world.receipt.detail, SY_AUTH_GRANTED);
    tx = ask_auth(AUTH + 1, COVER_P, "hc:70551", 5);
    money_applied(&tx);
    tx = decide_auth(PAYER_P, ORG_P, AUTH + 1, 0);
    tx.payload.auth_decide.until = 0; // of what is denied it says nothing
    money_applied(&tx);
    assert_int_equal(find_auth(AUTH + 1).status, SY_AUTH_DENIED);
}

CASE(a_request_says_what_it_has_to)
{
    struct world_tx tx = ask_auth(AUTH, COVER_P, "hc:70551:26", 5);
    money_refused(&tx, SY_E_SCHEMA); // no modifiers
    assert_path("codes[0]");
    tx = ask_auth(AUTH, COVER_P, "xx:70551", 5);
    money_refused(&tx, SY_E_SCHEMA);
    tx = ask_auth(AUTH, COVER_P, "hc:70551", 5);
    tx.payload.auth_request.codes = (struct sy_list){.count = 0};
    money_refused(&tx, SY_E_SCHEMA);
    assert_path("codes");
    tx = ask_auth(AUTH, COVER_P, "hc:70551", 0);
    money_refused(&tx, SY_E_SCHEMA);
    assert_path("units");
    tx = ask_auth(AUTH, COVER_P, "hc:70551", 5);
    tx.payload.auth_request.from = tx.payload.auth_request.until + 1;
    money_refused(&tx, SY_E_AUTH_WINDOW);
    tx = ask_auth(AUTH, COVER_P, "hc:70551", 5);
    tx.payload.auth_request.until = world.header.time_ms - 1; // over
    money_refused(&tx, SY_E_AUTH_WINDOW);
    tx = ask_auth(AUTH, COVER_P + 7, "hc:70551", 5);
    money_refused(&tx, SY_E_COVERAGE_UNKNOWN);
    assert_detail(COVER_P + 7);
    tx = ask_auth(AUTH, COVER_P, "hc:70551", 5);
    tx.payload.auth_request.patient_id = test_hash(PATIENT);
    money_refused(&tx, SY_C31);
    tx = ask_auth(AUTH, COVER_P, "hc:70551", 5);
    tx.payload.auth_request.patient_id = test_hash(PATIENT_NONE);
    money_refused(&tx, SY_E_PATIENT_UNKNOWN);
    tx = ask_auth(AUTH, COVER_P, "hc:70551", 5);
    tx.keys[0] = DOCTOR_B;
    tx.organisation = test_hash(ORG_B);
    money_refused(&tx, SY_E_NO_CARE);
    tx = ask_auth(AUTH, COVER_P, "hc:70551", 5);
    tx.keys[0] = NURSE_A;
    money_refused(&tx, SY_E_ROLE);
    tx = ask_auth(AUTH, COVER_P, "hc:70551", 5);
    money_applied(&tx);
    tx = ask_auth(AUTH, COVER_P, "hc:70551", 5);
    money_refused(&tx, SY_E_AUTH_EXISTS);
    assert_detail(AUTH);
}

CASE(units_are_used_up_and_given_back)
{
    cover_by_fees();
    grant(AUTH, 5);
    assert_int_equal(reason_of_scan(CLAIM, AUTH), 0);
    struct sy_claim claim = find_claim(CLAIM);
    assert_int_equal(claim.lines[0].authorised, 2);
    assert_int_equal(sy_claim_paid(&claim), 30000);
    assert_true(claim.has_auth);
    assert_int_equal(find_auth(AUTH).used, 2);
    assert_int_equal(reason_of_scan(CLAIM + 1, AUTH), 0);
    assert_int_equal(find_auth(AUTH).used, 4);
    assert_int_equal(reason_of_scan(CLAIM + 2, AUTH), SY_CARC_UNAUTHORISED); // one is left
    assert_int_equal(find_claim(CLAIM + 2).status, SY_CLAIM_DENIED);
    assert_int_equal(find_auth(AUTH).used, 4);
    struct world_tx tx = reverse(GATEWAY_A, ORG_A, CLAIM);
    money_applied(&tx);
    assert_int_equal(find_auth(AUTH).used, 2);
    assert_int_equal(find_claim(CLAIM).lines[0].authorised, 0);
    assert_int_equal(reason_of_scan(CLAIM + 3, AUTH), 0);
    assert_int_equal(find_auth(AUTH).used, 4);
    tx = pay(PAYER_P, ORG_P, CLAIM + 3);
    money_applied(&tx);
    tx = reverse(PAYER_P, ORG_P, CLAIM + 3);
    money_applied(&tx);
    assert_int_equal(find_auth(AUTH).used, 2);
}

CASE(an_authorisation_counts_for_its_plan_patient_codes_and_time)
{
    cover_by_fees();
    grant(AUTH, 50);
    assert_int_equal(reason_of_scan(CLAIM, AUTH + 9), SY_CARC_UNAUTHORISED); // there is none
    struct world_tx tx = bill_one(CLAIM + 1, COVER_F, SCAN, 30000);          // none is named
    money_applied(&tx);
    assert_int_equal(find_claim(CLAIM + 1).lines[0].reason, SY_CARC_UNAUTHORISED);
    tx = ask_auth(AUTH + 1, COVER_F, "hc:70551", 9);
    money_applied(&tx);
    assert_int_equal(reason_of_scan(CLAIM + 2, AUTH + 1), SY_CARC_UNAUTHORISED); // not decided
    tx = decide_auth(PAYER_P, ORG_P, AUTH + 1, 0);
    money_applied(&tx);
    assert_int_equal(reason_of_scan(CLAIM + 3, AUTH + 1), SY_CARC_UNAUTHORISED); // denied
    tx = bill_scan(CLAIM + 4, "1/hc:70552/2/30000/11/A", 30000, AUTH);
    money_applied(&tx); // another code
    assert_int_equal(find_claim(CLAIM + 4).lines[0].reason, SY_CARC_UNAUTHORISED);
    tx = ask_auth(AUTH + 2, COVER_Q, "hc:70551", 9);
    money_applied(&tx);
    tx = decide_auth(PAYER_Q, ORG_Q, AUTH + 2, 9);
    money_applied(&tx);
    assert_int_equal(reason_of_scan(CLAIM + 5, AUTH + 2), SY_CARC_UNAUTHORISED); // another plan
    tx = cover(PAYER_P, ORG_P, COVER_F + 1, PLAN_F, 1);
    tx.payload.coverage_add.patient_id = test_hash(PATIENT);
    money_applied(&tx);
    tx = bill_scan(CLAIM + 6, SCAN, 30000, AUTH);
    tx.payload.claim_submit.patient_id = test_hash(PATIENT);
    tx.payload.claim_submit.coverage_id = test_hash(COVER_F + 1);
    money_applied(&tx); // another patient
    assert_int_equal(find_claim(CLAIM + 6).lines[0].reason, SY_CARC_UNAUTHORISED);
    tx = ask_auth(AUTH + 3, COVER_F, "hc:70551", 9);
    tx.payload.auth_request.from = world.header.time_ms + DAY_MS;
    money_applied(&tx);
    tx = decide_auth(PAYER_P, ORG_P, AUTH + 3, 9);
    money_applied(&tx);
    assert_int_equal(reason_of_scan(CLAIM + 7, AUTH + 3), SY_CARC_UNAUTHORISED); // not yet
    tx = ask_auth(AUTH + 4, COVER_F, "hc:70551", 9);
    money_applied(&tx);
    tx = decide_auth(PAYER_P, ORG_P, AUTH + 4, 9);
    tx.payload.auth_decide.until = world.header.time_ms - 1;
    money_applied(&tx);
    assert_int_equal(reason_of_scan(CLAIM + 8, AUTH + 4), SY_CARC_UNAUTHORISED); // no more
    assert_int_equal(find_auth(AUTH).used, 0);
    tx = bill_scan(CLAIM + 9, "1/hc:99213/1/25000/11/A", 25000, AUTH + 9);
    money_applied(&tx); // a line that needs none pays no heed to it
    assert_int_equal(find_claim(CLAIM + 9).lines[0].reason, 0);
    assert_false(find_claim(CLAIM + 9).has_auth);
}

CASE(what_the_payer_denies_has_no_units)
{
    uint8_t room[8];
    cover_by_fees();
    struct world_tx tx = ask_auth(AUTH, COVER_F, "hc:99499", 5);
    money_applied(&tx);
    tx = decide_auth(PAYER_P, ORG_P, AUTH, 5);
    money_applied(&tx);
    tx = bill_scan(CLAIM, "1/hc:99499/3/60000/11/A", 60000, AUTH);
    money_applied(&tx);
    assert_int_equal(find_claim(CLAIM).status, SY_CLAIM_PENDED);
    assert_int_equal(find_auth(AUTH).used, 3); // it waits with them
    sy_store_u64(room, 0);
    tx = adjudicate(PAYER_P, ORG_P, CLAIM, room, 8);
    money_applied(&tx);
    assert_int_equal(find_claim(CLAIM).lines[0].reason, SY_CARC_PAYER);
    assert_int_equal(find_auth(AUTH).used, 0);
    tx = bill_scan(CLAIM + 1, "1/hc:99499/5/60000/11/A", 60000, AUTH);
    money_applied(&tx);
    tx = reverse(GATEWAY_A, ORG_A, CLAIM + 1); // while it is pended
    money_applied(&tx);
    assert_int_equal(find_auth(AUTH).used, 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_MONEY(what_is_asked_for_is_decided_once),
        WITH_MONEY(a_request_says_what_it_has_to),
        WITH_MONEY(units_are_used_up_and_given_back),
        WITH_MONEY(an_authorisation_counts_for_its_plan_patient_codes_and_time),
        WITH_MONEY(what_the_payer_denies_has_no_units),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
