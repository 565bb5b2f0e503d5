/* Claims for services after death, and without a record where the plan wants one; who says that a
 * patient died, and who takes that back. */
#include <stdio.h>

#include "tests/unit/money_rig.h"

#define DAY_MS 86400000ll
#define VISIT "1/hc:99213/1/30000/11/A"

enum { ADMIN_M = 320, GATEWAY_M, ORG_M = 2300 }; // of a pharmacy
enum { CARE_A = 24000, CARE_B, CARE_AGAIN, VISITED = 24100, DECOY = 24200 };

static struct world_tx close_care(unsigned key, unsigned org, unsigned care, int64_t died)
{
    struct world_tx tx = world_tx_of(SY_KIND_care_close, key, org);
    tx.payload.care_close.care_id = test_hash(care);
    tx.payload.care_close.has_died = true;
    tx.payload.care_close.died = died;
    return tx;
}

static void open_care(unsigned key, unsigned org, unsigned care, unsigned patient)
{
    struct world_tx tx = world_open_care(key, org, care, patient);
    money_applied(&tx);
}

/* The patient agrees on it, which shows that they live. */
static void agree_on_care(unsigned key, unsigned org, unsigned care)
{
    struct world_tx tx = world_open_care(key, org, care, PATIENT_CLAIMED);
    tx.payload.care_open.reason = SY_CARE_AGREED;
    world_cosign(&tx, WALLET_CLAIMED);
    money_applied(&tx);
}

static struct sy_patient find_patient(unsigned patient)
{
    struct sy_hash id = test_hash(patient), place;
    struct sy_slice value;
    struct sy_patient found;
    sy_state_key_id(&place, SY_STATE_PATIENT, &id);
    assert_true(world_find(&world, &value, &place));
    assert_true(sy_patient_decode(&found, value));
    return found;
}

static void assert_died(unsigned patient, int64_t died, unsigned org)
{
    struct sy_hash by = test_hash(org);
    struct sy_patient found = find_patient(patient);
    assert_true(found.died);
    assert_int_equal(found.died_ms, died);
    assert_true(sy_hash_equal(&found.died_by, &by));
}

static struct world_tx flag(unsigned claim, unsigned rule)
{
    struct world_tx tx = world_tx_of(SY_KIND_fraud_flag, REGULATOR_1, 0);
    tx.payload.fraud_flag.claim_id = test_hash(claim);
    tx.payload.fraud_flag.rule = (uint16_t)rule;
    return tx;
}

CASE(a_patients_entry_with_a_death_has_one_form)
{
    uint8_t room[256], again[256];
    struct sy_patient patient = {.organisation = test_hash(2),
                                 .merged = true,
                                 .into = test_hash(3),
                                 .merged_height = 4,
                                 .died = true,
                                 .died_ms = 5,
                                 .died_by = test_hash(6),
                                 .places = 7};
    struct sy_patient found;
    struct sy_writer w = sy_writer_of(room, sizeof room), v = sy_writer_of(again, sizeof again);
    sy_patient_encode(&w, &patient);
    assert_true(sy_patient_decode(&found, sy_writer_slice(&w)));
    sy_patient_encode(&v, &found);
    assert_true(sy_slice_equal(sy_writer_slice(&w), sy_writer_slice(&v)));
    for (size_t size = 0; size < w.used; size++) {
        assert_false(sy_patient_decode(&found, sy_slice_of(room, size)));
    }
}

CASE(who_treats_says_that_a_patient_died)
{
    int64_t now = world.header.time_ms;
    open_care(GATEWAY_A, ORG_A, CARE_A, PATIENT_CLAIMED);
    struct world_tx tx = close_care(NURSE_A, ORG_A, CARE_A, now);
    money_refused(&tx, SY_E_ROLE);
    tx = close_care(WALLET_CLAIMED, 0, CARE_A, now); // nobody's own word
    money_refused(&tx, SY_E_ROLE);
    tx = close_care(GATEWAY_B, ORG_B, CARE_A, now); // nor a stranger's
    money_refused(&tx, SY_E_ROLE);
    tx = close_care(DOCTOR_A, ORG_A, CARE_A, now + DAY_MS);
    money_refused(&tx, SY_E_SCHEMA);
    assert_memory_equal(world.receipt.path.data, "died", 4);
    assert_false(find_patient(PATIENT_CLAIMED).died);
    tx = close_care(DOCTOR_A, ORG_A, CARE_A, now);
    money_applied(&tx);
    assert_died(PATIENT_CLAIMED, now, ORG_A);
}

/* Who opened care by themselves knows nothing, nor does an organisation that treats nobody. */
CASE(no_stranger_says_that_a_patient_died)
{
    int64_t now = world.header.time_ms;
    open_care(GATEWAY_B, ORG_B, CARE_B, PATIENT_CLAIMED);
    struct world_tx tx = close_care(GATEWAY_B, ORG_B, CARE_B, now);
    money_refused(&tx, SY_E_DEATH_CARE);
    assert_detail(ORG_B);
    tx = world_register(ORG_M, SY_ORG_PHARMACY, ADMIN_M);
    money_applied(&tx);
    tx = world_issue(&world, ADMIN_M, ORG_M, SY_ROLE_GATEWAY, GATEWAY_M);
    money_applied(&tx);
    agree_on_care(GATEWAY_M, ORG_M, CARE_A);
    tx = close_care(GATEWAY_M, ORG_M, CARE_A, now);
    money_refused(&tx, SY_E_DEATH_CARE);
    assert_detail(ORG_M);
    assert_false(find_patient(PATIENT_CLAIMED).died);
    tx.payload.care_close.has_died = false;
    money_applied(&tx);
}

CASE(the_first_word_stands_until_it_is_taken_back)
{
    int64_t now = world.header.time_ms;
    open_care(GATEWAY_A, ORG_A, CARE_A, PATIENT_CLAIMED);
    agree_on_care(GATEWAY_B, ORG_B, CARE_B);
    struct world_tx tx = close_care(DOCTOR_A, ORG_A, CARE_A, now - DAY_MS);
    money_applied(&tx);
    tx = close_care(GATEWAY_B, ORG_B, CARE_B, now - 2 * DAY_MS); // is told so, and moves no day
    money_refused(&tx, SY_E_DEATH_SAID);
    assert_detail(ORG_A);
    tx = close_care(GATEWAY_B, ORG_B, CARE_B, now - DAY_MS); // the same
    money_applied(&tx);
    assert_died(PATIENT_CLAIMED, now - DAY_MS, ORG_A);
    open_care(GATEWAY_B, ORG_B, CARE_B + 10, PATIENT_CLAIMED); // takes back nobody else's word
    assert_died(PATIENT_CLAIMED, now - DAY_MS, ORG_A);
    open_care(GATEWAY_A, ORG_A, CARE_AGAIN, PATIENT_CLAIMED);
    assert_false(find_patient(PATIENT_CLAIMED).died);
}

CASE(who_signs_has_not_died)
{
    int64_t now = world.header.time_ms;
    open_care(GATEWAY_A, ORG_A, CARE_A, PATIENT_CLAIMED);
    struct world_tx tx = close_care(DOCTOR_A, ORG_A, CARE_A, now);
    money_applied(&tx);
    agree_on_care(GATEWAY_B, ORG_B, CARE_B);
    assert_false(find_patient(PATIENT_CLAIMED).died);
    tx = close_care(GATEWAY_B, ORG_B, CARE_B, now);
    money_applied(&tx);
    assert_died(PATIENT_CLAIMED, now, ORG_B);
}

CASE(services_after_death_are_flagged)
{
    int64_t died = world.header.time_ms;
    open_care(GATEWAY_A, ORG_A, CARE_A, PATIENT_CLAIMED);
    struct world_tx tx = close_care(DOCTOR_A, ORG_A, CARE_A, died);
    money_applied(&tx);
    let_pass(2 * DAY_MS);
    tx = billed_at(bill_one(CLAIM, COVER_P, VISIT, 30000), died + DAY_MS);
    money_applied(&tx); // what ends within a day
    assert_int_equal(find_claim(CLAIM).fraud, 0);
    tx = billed_at(bill_one(CLAIM + 1, COVER_P, VISIT, 30000), died + DAY_MS + 1);
    money_applied(&tx);
    assert_event(0, SY_EVENT_FRAUD_FLAGGED, SY_SUBJECT_ORG, ORG_P, CLAIM + 1);
    assert_int_equal(find_claim(CLAIM + 1).fraud, SY_FRAUD_BIT(SY_FRAUD_DEATH));
    tx = pay(PAYER_P, ORG_P, CLAIM + 1);
    money_refused(&tx, SY_E_CLAIM_HELD);
    tx = world_tx_of(SY_KIND_fraud_clear, PAYER_P, ORG_P);
    tx.payload.fraud_clear.claim_id = test_hash(CLAIM + 1);
    tx.payload.fraud_clear.rule = SY_FRAUD_DEATH;
    money_applied(&tx);
    tx = pay(PAYER_P, ORG_P, CLAIM + 1);
    money_applied(&tx);
}

/* That the patient had died comes out later. */
CASE(a_death_that_is_told_later_flags_by_fraud_flag)
{
    int64_t died = world.header.time_ms;
    open_care(GATEWAY_A, ORG_A, CARE_A, PATIENT_CLAIMED);
    let_pass(2 * DAY_MS);
    struct world_tx tx = bill_one(CLAIM, COVER_P, VISIT, 30000);
    money_applied(&tx);
    tx = flag(CLAIM, SY_FRAUD_DEATH);
    money_refused(&tx, SY_E_FRAUD_NONE);
    tx = close_care(DOCTOR_A, ORG_A, CARE_A, died);
    money_applied(&tx);
    tx = flag(CLAIM, SY_FRAUD_ENCOUNTER);
    money_refused(&tx, SY_E_FRAUD_NONE);
    tx = flag(CLAIM, SY_FRAUD_DEATH);
    money_applied(&tx);
    assert_int_equal(find_claim(CLAIM).fraud, SY_FRAUD_BIT(SY_FRAUD_DEATH));
    tx = flag(CLAIM, SY_FRAUD_DEATH);
    money_refused(&tx, SY_E_FRAUD_STATE);
}

/* And if a claim that was denied is allowed after all, it is judged by it. */
CASE(a_claim_that_comes_back_is_judged_by_a_death)
{
    int64_t died = world.header.time_ms;
    open_care(GATEWAY_A, ORG_A, CARE_A, PATIENT_CLAIMED);
    let_pass(2 * DAY_MS);
    (void)bill_half(CLAIM);
    struct world_tx tx = dispute(WALLET_CLAIMED, CLAIM);
    money_applied(&tx);
    tx = allow(PAYER_P, ORG_P, CLAIM, 0);
    money_applied(&tx);
    tx = close_care(DOCTOR_A, ORG_A, CARE_A, died);
    money_applied(&tx);
    tx = appeal(GATEWAY_A, ORG_A, CLAIM);
    money_applied(&tx);
    tx = allow(PAYER_P, ORG_P, CLAIM, 15000);
    money_applied(&tx);
    assert_int_equal(find_claim(CLAIM).fraud, SY_FRAUD_BIT(SY_FRAUD_DEATH));
}

static void merge_by(unsigned key, unsigned org, unsigned from, unsigned into)
{
    struct world_tx tx = world_tx_of(SY_KIND_patient_merge, key, org);
    world_cosign(&tx, WALLET_CLAIMED);
    tx.payload.patient_merge.patient_id = test_hash(from);
    tx.payload.patient_merge.into_id = test_hash(into);
    tx.payload.patient_merge.evidence_hash = test_hash(1);
    money_applied(&tx);
}

static void merge(unsigned from, unsigned into)
{
    merge_by(GATEWAY_A, ORG_A, from, into);
}

CASE(a_death_is_said_by_an_id_that_was_merged)
{
    int64_t died = world.header.time_ms;
    open_care(GATEWAY_A, ORG_A, CARE_A, PATIENT);
    struct world_tx tx = close_care(DOCTOR_A, ORG_A, CARE_A, died);
    money_applied(&tx);
    open_care(GATEWAY_A, ORG_A, CARE_AGAIN, PATIENT);
    assert_false(find_patient(PATIENT).died);
    merge(PATIENT, PATIENT_CLAIMED);
    tx = close_care(DOCTOR_A, ORG_A, CARE_AGAIN, died + 1); // of the id that ended
    money_applied(&tx);
    assert_died(PATIENT_CLAIMED, died + 1, ORG_A);
}

CASE(a_death_that_was_said_goes_with_the_id)
{
    int64_t died = world.header.time_ms;
    open_care(GATEWAY_A, ORG_A, CARE_A, PATIENT);
    struct world_tx tx = close_care(DOCTOR_A, ORG_A, CARE_A, died);
    money_applied(&tx);
    merge(PATIENT, PATIENT_CLAIMED);
    assert_died(PATIENT_CLAIMED, died, ORG_A);
    open_care(GATEWAY_A, ORG_A, CARE_AGAIN, PATIENT_CLAIMED);
    assert_false(find_patient(PATIENT_CLAIMED).died);
}

/* Nor does one who says it of an id of their own, and merges that into a living patient's. */
CASE(no_death_is_brought_by_a_merge)
{
    int64_t now = world.header.time_ms;
    struct world_tx tx = world_enrol(GATEWAY_B, ORG_B, DECOY);
    money_applied(&tx);
    open_care(GATEWAY_B, ORG_B, CARE_B, DECOY);
    tx = close_care(GATEWAY_B, ORG_B, CARE_B, now);
    money_applied(&tx);
    assert_died(DECOY, now, ORG_B);
    merge_by(GATEWAY_B, ORG_B, DECOY, PATIENT_CLAIMED);
    assert_false(find_patient(PATIENT_CLAIMED).died);
}

CASE(no_death_is_said_under_a_decoy)
{
    int64_t now = world.header.time_ms;
    struct world_tx tx = world_enrol(GATEWAY_B, ORG_B, DECOY);
    money_applied(&tx);
    open_care(GATEWAY_B, ORG_B, CARE_B, DECOY);
    merge_by(GATEWAY_B, ORG_B, DECOY, PATIENT_CLAIMED);
    tx = close_care(GATEWAY_B, ORG_B, CARE_B, now);
    money_refused(&tx, SY_E_DEATH_CARE);
    assert_detail(ORG_B);
    assert_false(find_patient(PATIENT_CLAIMED).died);
}

// --- encounters --------------------------------------------------------------------------------

/* P covers by a plan that wants a record of each service. */
static void want_encounters(void)
{
    struct world_tx tx = plan_of(PAYER_P, ORG_P, PLAN_P + 5);
    tx.payload.plan_publish.has_encounters = true;
    tx.payload.plan_publish.encounters = true;
    money_applied(&tx);
    tx = cover(PAYER_P, ORG_P, COVER_P + 5, PLAN_P + 5, 3);
    money_applied(&tx);
    for (unsigned order = 0; order < 2; order++) {
        tx = world_tx_of(SY_KIND_coverage_end, order == 0 ? PAYER_P : PAYER_Q,
                         order == 0 ? ORG_P : ORG_Q);
        tx.payload.coverage_end.coverage_id = test_hash(COVER_P + order);
        tx.payload.coverage_end.until = world.header.time_ms - 30 * DAY_MS;
        money_applied(&tx);
    }
}

static void record_visit(unsigned record)
{
    struct world_tx tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, record, PATIENT_CLAIMED);
    money_applied(&tx);
}

static void bill_seen(unsigned claim, unsigned record, int64_t from, uint32_t flags)
{
    struct world_tx tx = billed_at(bill_one(claim, COVER_P + 5, VISIT, 30000), from);
    tx.payload.claim_submit.has_encounter = record != 0;
    tx.payload.claim_submit.encounter = test_hash(record);
    money_applied(&tx);
    assert_int_equal(find_claim(claim).fraud, flags);
}

CASE(a_plan_may_want_a_record_of_the_service)
{
    const uint32_t none = SY_FRAUD_BIT(SY_FRAUD_ENCOUNTER);
    want_encounters();
    record_visit(VISITED);
    int64_t visited = world.header.time_ms;
    bill_seen(CLAIM, 0, visited, none);
    struct world_tx tx = pay(PAYER_P, ORG_P, CLAIM);
    money_refused(&tx, SY_E_CLAIM_HELD);
    bill_seen(CLAIM + 1, VISITED, visited - 1, 0); // what was recorded afterwards
    tx = pay(PAYER_P, ORG_P, CLAIM + 1);
    money_applied(&tx);
    let_pass(2 * DAY_MS);
    bill_seen(CLAIM + 2, VISITED, visited + DAY_MS, 0);
    bill_seen(CLAIM + 3, VISITED, visited + DAY_MS + 1, none); // is no sign of another visit
    tx = world_retract(DOCTOR_A, ORG_A, VISITED);
    money_applied(&tx);
    bill_seen(CLAIM + 4, VISITED, visited - 2, none);
    tx = bill_one(CLAIM + 5, COVER_P + 5, VISIT, 30000);
    tx.payload.claim_submit.class = SY_SERVICE_PHARMACY;
    money_applied(&tx);
    assert_int_equal(find_claim(CLAIM + 5).fraud, 0);
}

CASE(a_line_may_name_the_record)
{
    char hex[65], line[128];
    struct sy_hash id = test_hash(VISITED);
    want_encounters();
    record_visit(VISITED);
    sy_hex_encode(hex, id.bytes, sizeof id.bytes);
    (void)snprintf(line, sizeof line, "1/hc:99213/1/30000/11/A/record:%s", hex);
    struct world_tx tx = bill_one(CLAIM, COVER_P + 5, line, 30000);
    money_applied(&tx);
    assert_int_equal(find_claim(CLAIM).fraud, 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_patients_entry_with_a_death_has_one_form),
        WITH_MONEY(who_treats_says_that_a_patient_died),
        WITH_MONEY(no_stranger_says_that_a_patient_died),
        WITH_MONEY(the_first_word_stands_until_it_is_taken_back),
        WITH_MONEY(who_signs_has_not_died),
        WITH_MONEY(services_after_death_are_flagged),
        WITH_MONEY(a_death_that_is_told_later_flags_by_fraud_flag),
        WITH_MONEY(a_claim_that_comes_back_is_judged_by_a_death),
        WITH_MONEY(a_death_is_said_by_an_id_that_was_merged),
        WITH_MONEY(no_death_is_brought_by_a_merge),
        WITH_MONEY(no_death_is_said_under_a_decoy),
        WITH_MONEY(a_death_that_was_said_goes_with_the_id),
        WITH_MONEY(a_plan_may_want_a_record_of_the_service),
        WITH_MONEY(a_line_may_name_the_record),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
