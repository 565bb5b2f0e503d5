/* claim.submit, claim.adjudicate, plans, coverage and lists: what is decided at once and how, what
 * is refused with which code, and that one service is billed once, whoever pays. */
#include <stdio.h>

#include "tests/unit/money_rig.h"

#define DAY_MS 86400000ll
#define VISIT "1/hc:99213/1/30000/11/A"
#define ZZ_VISIT "1/zz:99213/1/30000/11/A"

CASE(a_claim_is_decided_at_once_by_the_plan)
{
    struct world_tx tx = bill_one(CLAIM, COVER_P, VISIT, 30000);
    money_applied(&tx);
    assert_int_equal(world.receipt.event_count, 2);
    assert_event(0, SY_EVENT_CLAIM_DECIDED, SY_SUBJECT_PATIENT, PATIENT_CLAIMED, CLAIM);
    assert_event(1, SY_EVENT_CLAIM_DECIDED, SY_SUBJECT_ORG, ORG_P, CLAIM);
    struct sy_claim claim = find_claim(CLAIM);
    assert_int_equal(claim.status, SY_CLAIM_DECIDED);
    assert_int_equal(claim.decided_ms, world.header.time_ms);
    assert_int_equal(claim.lines[0].deductible, 10000);
    assert_int_equal(claim.lines[0].copay, 2000);
    assert_int_equal(claim.lines[0].coinsurance, 3600);
    assert_int_equal(sy_claim_paid(&claim), 14400);
    assert_int_equal(sy_claim_patient(&claim), 15600);
    assert_int_equal(balance_of(ORG_A), 0); // decided, not paid

    struct sy_hash coverage = test_hash(COVER_P), patient = test_hash(PATIENT_CLAIMED), place, id;
    struct sy_hash expected = test_hash(CLAIM);
    struct sy_slice value;
    struct sy_used used;
    bool found = false;
    for (uint32_t year = 1970; year < 2100 && !found; year++) {
        sy_state_key_numbered(&place, SY_STATE_USED, &coverage, year);
        found = world_find(&world, &value, &place);
    }
    assert_true(found && sy_used_decode(&used, value));
    assert_int_equal(used.deductible, 10000);
    assert_int_equal(used.out_of_pocket, 15600);
    assert_int_equal(used.benefit, 14400);
    sy_state_key_numbered(&place, SY_STATE_CLAIM_PLACE, &patient, 1);
    assert_true(world_find(&world, &value, &place) && sy_id_decode(&id, value));
    assert_memory_equal(id.bytes, expected.bytes, 32);
    tx = bill_one(CLAIM + 1, COVER_P, "1/hc:99214/1/10000/11/A", 10000);
    money_applied(&tx); // the deductible is met
    claim = find_claim(CLAIM + 1);
    assert_int_equal(claim.lines[0].deductible, 0);
    assert_int_equal(sy_claim_paid(&claim), 6400);
}

// --- one service, one bill ---------------------------------------------------------------------

CASE(a_service_is_billed_once_whoever_pays)
{
    struct world_tx tx = bill_one(CLAIM, COVER_P, VISIT, 30000);
    int64_t from = tx.payload.claim_submit.from;
    money_applied(&tx);
    tx = bill_one(CLAIM + 1, COVER_P, "1/hc:99213/2/31000/22/A", 31000);
    tx.payload.claim_submit.from = tx.payload.claim_submit.until = from;
    money_refused(&tx, SY_C18); // another amount is no other service
    assert_detail(CLAIM);
    tx = bill_one(CLAIM + 1, COVER_Q, VISIT, 30000);
    tx.payload.claim_submit.from = tx.payload.claim_submit.until = from;
    money_refused(&tx, SY_C18); // nor is another payer
    assert_detail(CLAIM);
    tx = bill_one(CLAIM + 1, COVER_P, VISIT, 30000); // a second later
    money_applied(&tx);
}

CASE(the_next_payer_pays_what_the_first_left)
{
    struct world_tx tx = bill_one(CLAIM + 1, COVER_Q, VISIT, 30000);
    money_refused(&tx, SY_C22);
    assert_detail(COVER_P);
    tx = bill_one(CLAIM, COVER_P, VISIT, 30000);
    int64_t from = tx.payload.claim_submit.from;
    money_applied(&tx);
    tx = bill_one(CLAIM + 1, COVER_Q, "1/hc:99213/1/30001/11/A", 30001);
    tx.payload.claim_submit.has_prior_claim = true;
    tx.payload.claim_submit.prior_claim = test_hash(CLAIM);
    tx.payload.claim_submit.from = tx.payload.claim_submit.until = from;
    money_refused(&tx, SY_C16); // not what the first payer was charged
    assert_path("prior_claim");
    tx = bill_one(CLAIM + 1, COVER_Q, VISIT, 30000);
    tx.payload.claim_submit.has_prior_claim = true;
    tx.payload.claim_submit.prior_claim = test_hash(CLAIM);
    tx.payload.claim_submit.from = tx.payload.claim_submit.until = from;
    struct world_tx again = tx;
    money_applied(&tx);
    struct sy_claim first = find_claim(CLAIM), second = find_claim(CLAIM + 1);
    assert_int_equal(second.lines[0].prior, sy_claim_paid(&first));
    assert_int_equal(sy_claim_paid(&first) + sy_claim_paid(&second), 30000);
    assert_int_equal(sy_claim_patient(&second), 0);
    again.payload.claim_submit.claim_id = test_hash(CLAIM + 2);
    money_refused(&again, SY_C18); // the second has it now
    assert_detail(CLAIM + 1);
    tx = reverse(GATEWAY_A, ORG_A, CLAIM);
    money_refused(&tx, SY_E_CLAIM_LATER);
    assert_detail(CLAIM + 1);
    tx = reverse(PAYER_Q, ORG_Q, CLAIM + 1);
    money_applied(&tx);
    tx = reverse(GATEWAY_A, ORG_A, CLAIM);
    money_applied(&tx);
    assert_int_equal(find_claim(CLAIM).status, SY_CLAIM_REVERSED);
}

CASE(a_claim_to_the_payer_before_is_no_ones_who_pays_after)
{
    struct world_tx tx = bill_one(CLAIM, COVER_P, VISIT, 30000);
    int64_t from = tx.payload.claim_submit.from;
    money_applied(&tx);
    tx = bill_one(CLAIM + 1, COVER_P, VISIT, 30000);
    tx.payload.claim_submit.has_prior_claim = true;
    tx.payload.claim_submit.prior_claim = test_hash(CLAIM);
    tx.payload.claim_submit.from = tx.payload.claim_submit.until = from;
    money_refused(&tx, SY_C16); // the same order
    assert_path("prior_claim");
}

// --- what is refused ---------------------------------------------------------------------------

static struct world_tx after(struct world_tx tx, unsigned prior, int64_t from)
{
    tx.payload.claim_submit.has_prior_claim = true;
    tx.payload.claim_submit.prior_claim = test_hash(prior);
    tx.payload.claim_submit.from = tx.payload.claim_submit.until = from;
    return tx;
}

/* What the first payer paid for a line counts for that line, wherever the next claim has it. */
CASE(the_next_claim_may_have_its_lines_in_another_order)
{
    const char *const lines[] = {VISIT, "2/hc:99214/1/30000/11/A", NULL};
    const char *const turned[] = {"1/hc:99214/1/30000/11/A", "2/hc:99213/1/30000/11/A", NULL};
    struct world_tx tx = bill(CLAIM, COVER_P, lines, 60000);
    int64_t from = tx.payload.claim_submit.from;
    money_applied(&tx);
    tx = after(bill(CLAIM + 1, COVER_Q, turned, 60000), CLAIM, from);
    money_applied(&tx);
    struct sy_claim first = find_claim(CLAIM), second = find_claim(CLAIM + 1);
    uint64_t paid[2] = {sy_claim_result_paid(&first.lines[0]),
                        sy_claim_result_paid(&first.lines[1])};
    assert_true(paid[0] != paid[1]);
    assert_int_equal(second.lines[0].prior, paid[1]);
    assert_int_equal(second.lines[1].prior, paid[0]);
    assert_int_equal(sy_claim_paid(&first) + sy_claim_paid(&second), 60000);
}

/* A payer that denies all leaves the service to the one before it, and to the next. */
CASE(who_pays_third_is_billed_when_the_second_denies)
{
    struct world_tx tx = cover(PAYER_P, ORG_P, COVER_P + 5, PLAN_P, 3);
    money_applied(&tx);
    tx = bill_one(CLAIM, COVER_P, ZZ_VISIT, 30000);
    int64_t from = tx.payload.claim_submit.from;
    money_applied(&tx);
    const uint8_t half[8] = {0x98, 0x3a}, nothing[8] = {0}; // 15,000
    tx = adjudicate(PAYER_P, ORG_P, CLAIM, half, 8);
    money_applied(&tx);
    tx = after(bill_one(CLAIM + 1, COVER_Q, ZZ_VISIT, 30000), CLAIM, from);
    money_applied(&tx);
    tx = adjudicate(PAYER_Q, ORG_Q, CLAIM + 1, nothing, 8);
    money_applied(&tx);
    assert_int_equal(find_claim(CLAIM + 1).status, SY_CLAIM_DENIED);
    tx = after(bill_one(CLAIM + 2, COVER_P + 5, ZZ_VISIT, 30000), CLAIM, from);
    money_refused(&tx, SY_C22); // the second is asked first
    assert_detail(COVER_Q);
    tx = after(bill_one(CLAIM + 2, COVER_P + 5, ZZ_VISIT, 30000), CLAIM + 1, from);
    money_applied(&tx);
    struct sy_claim first = find_claim(CLAIM);
    assert_int_equal(find_claim(CLAIM + 2).lines[0].prior, sy_claim_paid(&first));
    tx = reverse(GATEWAY_A, ORG_A, CLAIM);
    money_refused(&tx, SY_E_CLAIM_LATER);
    assert_detail(CLAIM + 2);
    tx = reverse(GATEWAY_A, ORG_A, CLAIM + 2);
    money_applied(&tx);
    struct sy_claim gone = find_claim(CLAIM + 2);
    assert_int_equal(sy_claim_paid(&gone), 0); // it was never decided
    assert_int_equal(sy_claim_patient(&gone), 0);
    tx = bill_one(CLAIM + 3, COVER_P, ZZ_VISIT, 30000);
    tx.payload.claim_submit.from = tx.payload.claim_submit.until = from;
    money_refused(&tx, SY_C18); // the first stands again
    assert_detail(CLAIM);
}

/* A prescription makes another service of a line, so it has to be one, and the patient's. */
CASE(a_line_names_a_prescription_of_the_patient)
{
    struct world_tx tx = bill_one(
        CLAIM, COVER_P,
        "1/n4:0093/1/100/01/A/rx:0000000000000000000000000000000000000000000000000000000000000001",
        100);
    money_refused(&tx, SY_C16);
    assert_path("lines[0]");
}

/* An id that was merged: what was billed under it is not billed again under the one in use. */
CASE(a_merge_makes_no_second_service)
{
    struct world_tx tx = cover(PAYER_P, ORG_P, COVER_P + 5, PLAN_P, 1);
    tx.payload.coverage_add.patient_id = test_hash(PATIENT);
    money_applied(&tx);
    tx = bill_one(CLAIM, COVER_P + 5, VISIT, 30000);
    tx.payload.claim_submit.patient_id = test_hash(PATIENT);
    int64_t from = tx.payload.claim_submit.from;
    money_applied(&tx);
    tx = world_tx_of(SY_KIND_patient_merge, GATEWAY_A, ORG_A);
    tx.payload.patient_merge.patient_id = test_hash(PATIENT);
    tx.payload.patient_merge.into_id = test_hash(PATIENT_CLAIMED);
    tx.payload.patient_merge.evidence_hash = test_hash(1);
    world_cosign(&tx, WALLET_CLAIMED);
    money_applied(&tx);
    tx = bill_one(CLAIM + 1, COVER_P + 5, VISIT, 30000);
    tx.payload.claim_submit.from = tx.payload.claim_submit.until = from;
    money_refused(&tx, SY_C18);
    assert_detail(CLAIM);
    tx = after(bill_one(CLAIM + 1, COVER_Q, VISIT, 30000), CLAIM, from);
    money_applied(&tx); // and who pays next is billed for what is left
    assert_int_equal(find_claim(CLAIM + 1).lines[0].prior, 14400);
    tx = after(bill_one(CLAIM + 2, COVER_Q, VISIT, 30000), CLAIM, from);
    money_refused(&tx, SY_C18); // once, though its coverage is of the other id
    assert_detail(CLAIM + 1);
    tx = reverse(GATEWAY_A, ORG_A, CLAIM);
    money_refused(&tx, SY_E_CLAIM_LATER);
}

CASE(a_claim_says_what_it_has_to)
{
    struct world_tx tx = bill_one(CLAIM, COVER_P, VISIT, 30001);
    money_refused(&tx, SY_E_SUM);
    assert_int_equal(world.receipt.detail, 30000);
    assert_path("total");
    tx = bill_one(CLAIM, COVER_P, "2/hc:99213/1/30000/11/A", 30000);
    money_refused(&tx, SY_C16);
    assert_path("lines[0]");
    tx = bill_one(CLAIM, COVER_P, "1/hc:99213/1/1000000000000001/11/A", 1);
    money_refused(&tx, SY_E_MONEY);
    assert_path("lines[0]");
    const char *const two[] = {"1/hc:99213/1/1000000000000000/11/A", "2/hc:99214/1/1/11/A", NULL};
    tx = bill(CLAIM, COVER_P, two, 1);
    money_refused(&tx, SY_E_MONEY);
    assert_path("total");
    tx = bill_one(CLAIM, COVER_P, VISIT, 30000);
    tx.payload.claim_submit.diagnoses = (struct sy_list){.count = 0};
    money_refused(&tx, SY_C16);
    assert_path("diagnoses");
    tx = bill_one(CLAIM, COVER_P, VISIT, 30000);
    tx.payload.claim_submit.until += 10 * DAY_MS;
    money_refused(&tx, SY_C16);
    assert_path("until");
    tx = bill_one(CLAIM, COVER_P, VISIT, 30000);
    tx.payload.claim_submit.has_encounter = true;
    tx.payload.claim_submit.encounter = test_hash(CLAIM + 50);
    money_refused(&tx, SY_C16);
    assert_path("encounter");
    tx = bill_one(CLAIM, COVER_P, VISIT, 30000);
    struct world_tx again = tx;
    money_applied(&tx);
    again.payload.claim_submit.from -= 1000;
    money_refused(&again, SY_E_CLAIM_EXISTS);
    assert_detail(CLAIM);
}

CASE(a_claim_is_for_a_coverage_of_that_time)
{
    struct world_tx tx = bill_one(CLAIM, COVER_P + 5, VISIT, 30000);
    money_refused(&tx, SY_E_COVERAGE_UNKNOWN);
    assert_detail(COVER_P + 5);
    struct world_tx end = world_tx_of(SY_KIND_coverage_end, PAYER_P, ORG_P);
    end.payload.coverage_end.coverage_id = test_hash(COVER_P);
    end.payload.coverage_end.until = world.header.time_ms - 1;
    int64_t until = end.payload.coverage_end.until;
    money_applied(&end);
    tx = bill_one(CLAIM, COVER_P, VISIT, 30000);
    money_refused(&tx, SY_C27);
    assert_int_equal(world.receipt.detail, until);
    struct world_tx later = cover(PAYER_P, ORG_P, COVER_P + 1 + 10, PLAN_P, 1);
    later.payload.coverage_add.from = world.header.time_ms + DAY_MS;
    money_applied(&later);
    tx = bill_one(CLAIM, COVER_P + 11, VISIT, 30000);
    money_refused(&tx, SY_C26);
    assert_int_equal(world.receipt.detail, later.payload.coverage_add.from);
    struct world_tx enrol = world_enrol(GATEWAY_A, ORG_A, FRESH_ID);
    money_applied(&enrol);
    tx = bill_one(CLAIM, COVER_Q, VISIT, 30000);
    tx.payload.claim_submit.patient_id = test_hash(FRESH_ID);
    money_refused(&tx, SY_C31);
    assert_detail(FRESH_ID);
}

CASE(a_claim_that_comes_late_is_refused)
{
    struct world_tx tx = plan_of(PAYER_P, ORG_P, PLAN_P + 5);
    tx.payload.plan_publish.filing_days = 1;
    money_applied(&tx);
    tx = cover(PAYER_P, ORG_P, COVER_P + 5, PLAN_P + 5, 3);
    money_applied(&tx);
    tx = bill_one(CLAIM, COVER_P, VISIT, 30000);
    int64_t from = tx.payload.claim_submit.from;
    world.step_ms = DAY_MS + 1;
    tx = bill_one(CLAIM, COVER_P + 5, VISIT, 30000);
    tx.valid_until_ms = world.header.time_ms + DAY_MS + 2;
    money_refused(&tx, SY_C29);
    assert_int_equal(world.receipt.detail, from + DAY_MS);
}

CASE(who_renders_is_known_and_was_certified)
{
    struct world_tx tx = bill_one(CLAIM, COVER_P, VISIT, 30000);
    tx.payload.claim_submit.rendering = test_public(DOCTOR_B);
    money_refused(&tx, SY_C208);
    tx = bill_one(CLAIM, COVER_P, VISIT, 30000);
    tx.payload.claim_submit.rendering = test_public(GATEWAY_A);
    money_refused(&tx, SY_C208); // no practitioner
    tx = bill_one(CLAIM, COVER_P, VISIT, 30000);
    tx.payload.claim_submit.from -= 30 * DAY_MS; // before the credential
    money_refused(&tx, SY_C208);
    tx = bill_one(CLAIM, COVER_P, VISIT, 30000);
    tx.payload.claim_submit.rendering = test_public(NURSE_A);
    money_applied(&tx);
}

CASE(who_may_not_write_bills_nothing)
{
    struct world_tx tx = bill_one(CLAIM, COVER_P, VISIT, 30000);
    tx.keys[0] = DOCTOR_B;
    tx.organisation = test_hash(ORG_B);
    tx.payload.claim_submit.rendering = test_public(DOCTOR_B);
    money_refused(&tx, SY_E_NO_CARE);
    assert_detail(PATIENT_CLAIMED);
    tx = bill_one(CLAIM, COVER_P, VISIT, 30000);
    tx.keys[0] = NURSE_A;
    money_refused(&tx, SY_E_ROLE);
    tx = bill_one(CLAIM, COVER_P, VISIT, 30000);
    tx.payload.claim_submit.patient_id = test_hash(PATIENT_NONE);
    money_refused(&tx, SY_E_PATIENT_UNKNOWN);
}

// --- plans and coverage ------------------------------------------------------------------------

CASE(coverages_of_an_order_do_not_overlap)
{
    struct world_tx tx = cover(PAYER_Q, ORG_Q, COVER_P + 5, PLAN_Q, 1);
    money_refused(&tx, SY_E_COVERAGE_OVERLAP);
    assert_detail(COVER_P);
    tx = cover(PAYER_P, ORG_P, COVER_P + 5, PLAN_Q, 3);
    money_refused(&tx, SY_E_PLAN_UNKNOWN); // another payer's
    tx = cover(PAYER_Q, ORG_Q, COVER_P, PLAN_Q, 3);
    money_refused(&tx, SY_E_COVERAGE_EXISTS);
    tx = cover(PAYER_Q, ORG_Q, COVER_P + 5, PLAN_Q, 3);
    tx.payload.coverage_add.until = tx.payload.coverage_add.from - 1;
    money_refused(&tx, SY_E_COVERAGE_WINDOW);
    tx = cover(PAYER_Q, ORG_Q, COVER_P + 5, PLAN_Q, 1);
    tx.payload.coverage_add.from = tx.payload.coverage_add.until + DAY_MS;
    tx.payload.coverage_add.until += 2 * DAY_MS;
    money_applied(&tx);
    tx = cover(PAYER_Q, ORG_Q, COVER_P + 6, PLAN_Q, 10);
    money_refused(&tx, SY_E_SCHEMA);
    tx = world_tx_of(SY_KIND_coverage_end, PAYER_Q, ORG_Q);
    tx.payload.coverage_end.coverage_id = test_hash(COVER_P);
    tx.payload.coverage_end.until = world.header.time_ms;
    money_refused(&tx, SY_E_NOT_PAYER);
    assert_detail(ORG_P);
    tx.keys[0] = PAYER_P;
    tx.organisation = test_hash(ORG_P);
    tx.payload.coverage_end.until += 400 * DAY_MS; // longer than it was
    money_refused(&tx, SY_E_COVERAGE_WINDOW);
    tx = plan_of(PAYER_P, ORG_P, PLAN_Q);
    money_refused(&tx, SY_E_PLAN_EXISTS);
    tx = plan_of(PAYER_P, ORG_P, PLAN_Q + 5);
    tx.payload.plan_publish.coinsurance_bp = 10001;
    money_refused(&tx, SY_E_SCHEMA);
    assert_path("coinsurance_bp");
    tx.payload.plan_publish.coinsurance_bp = 10000;
    tx.payload.plan_publish.pairs_version = 1;
    money_refused(&tx, SY_E_SCHEDULE);
    assert_path("pairs_version");
}

/* A list that is full of what nobody can bill any more has room for another coverage. */
CASE(coverages_of_long_ago_make_room)
{
    struct world_tx tx;
    int64_t first = world.header.time_ms - 4200 * DAY_MS;
    for (unsigned i = 0; i < SY_COVERAGES_MAX; i++) {
        tx = cover(PAYER_P, ORG_P, COVER_P + 50 + i, PLAN_P, 4);
        tx.payload.coverage_add.from = first + 2 * i * DAY_MS;
        tx.payload.coverage_add.until = first + (2 * i + 1) * DAY_MS;
        if (i > 0) tx.payload.coverage_add.until += 300 * DAY_MS;
        if (i > 0) tx.payload.coverage_add.from = tx.payload.coverage_add.until - DAY_MS;
        money_applied(&tx);
    }
    tx = cover(PAYER_P, ORG_P, COVER_P + 90, PLAN_P, 4);
    money_applied(&tx); // in place of the first, which ended 4,199 days ago
    tx = cover(PAYER_P, ORG_P, COVER_P + 91, PLAN_P, 4);
    tx.payload.coverage_add.from = tx.payload.coverage_add.until + 10 * DAY_MS;
    tx.payload.coverage_add.until = tx.payload.coverage_add.from + DAY_MS;
    money_refused(&tx, SY_E_COVERAGES);
    assert_int_equal(world.receipt.detail, SY_COVERAGES_MAX);
}

// --- lists -------------------------------------------------------------------------------------

static const char *const fees[] = {"hc:99213=25000", "hc:99214=9000", "hc:99499=50000+reviewed",
                                   NULL};
static const char *const two_prices[] = {"hc:99213=25000", "hc:99213=1", NULL};
static const char *const pairs[] = {"hc:99213/hc:99214=11", NULL};

CASE(lists_are_proven_page_by_page_and_judge_claims)
{
    struct world_tx early = rows_of(PAYER_P, ORG_P, SY_SCHEDULE_FEES, fees);
    money_refused(&early, SY_E_SCHEDULE);
    struct world_tx page = publish(PAYER_P, ORG_P, SY_SCHEDULE_FEES, fees);
    struct world_tx wrong = page;
    wrong.payload.schedule_rows.page = 1;
    size_t used = world.lists.used;
    money_refused(&wrong, SY_E_SCHEDULE_PAGE);
    world.lists.used = used;
    wrong = page;
    wrong.payload.schedule_rows.rows.count = 2;
    wrong.payload.schedule_rows.rows.items.size -= 2 + strlen(fees[2]);
    money_refused(&wrong, SY_E_SCHEDULE_PAGE);
    world.lists.used = used;
    money_applied(&page);
    struct world_tx twice = publish_version(2, PAYER_P, ORG_P, SY_SCHEDULE_FEES, two_prices);
    money_refused(&twice, SY_E_SCHEDULE_PAGE); // a list that says two things says neither
    assert_path("rows[1]");
    page = publish(REGULATOR_1, 0, SY_SCHEDULE_PAIRS, pairs);
    money_applied(&page);
    struct world_tx tx = plan_of(PAYER_P, ORG_P, PLAN_P + 5);
    tx.payload.plan_publish.deductible = 0;
    tx.payload.plan_publish.copay_office = 0;
    tx.payload.plan_publish.coinsurance_bp = 0;
    tx.payload.plan_publish.fees_version = 1;
    tx.payload.plan_publish.pairs_version = 1;
    money_refused(&tx, SY_E_SCHEDULE); // it does not count yet
    for (unsigned i = 0; i < 101; i++) world_execute(&world, NULL, 0);
    money_applied(&tx);
    tx = cover(PAYER_P, ORG_P, COVER_P + 5, PLAN_P + 5, 3);
    tx.payload.coverage_add.patient_id = test_hash(PATIENT);
    money_applied(&tx);

    const char *const lines[] = {VISIT, "2/hc:99214/1/10000/11/A", "3/hc:00000/1/5/11/A", NULL};
    tx = bill(CLAIM, COVER_P + 5, lines, 40005);
    tx.payload.claim_submit.patient_id = test_hash(PATIENT);
    money_applied(&tx);
    struct sy_claim claim = find_claim(CLAIM);
    assert_int_equal(claim.lines[0].contractual, 5000);
    assert_int_equal(claim.lines[1].reason, SY_CARC_PAIR);
    assert_int_equal(claim.lines[1].other, 1);
    assert_int_equal(claim.lines[2].reason, SY_CARC_NOT_COVERED);
    assert_int_equal(sy_claim_paid(&claim), 25000);
    assert_int_equal(sy_claim_patient(&claim), 5);

    tx = bill_one(CLAIM + 1, COVER_P + 5, "1/hc:00000/1/5/11/A", 5);
    tx.payload.claim_submit.patient_id = test_hash(PATIENT);
    struct world_tx again = tx;
    money_applied(&tx);
    assert_int_equal(find_claim(CLAIM + 1).status, SY_CLAIM_DENIED);
    assert_event(0, SY_EVENT_CLAIM_DENIED, SY_SUBJECT_PATIENT, PATIENT, CLAIM + 1);
    again.payload.claim_submit.claim_id = test_hash(CLAIM + 2);
    again = bill_one(CLAIM + 2, COVER_P + 5, "1/hc:00000/1/5/11/A", 5);
    again.payload.claim_submit.patient_id = test_hash(PATIENT);
    again.payload.claim_submit.from = again.payload.claim_submit.until = claim.from_ms;
    money_applied(&again); // what was denied stands in nobody's way
}

/* A claim of lines with codes of their own, each pair of which is looked up. */
static void add_long_claim(unsigned claim, unsigned count)
{
    char texts[SY_CLAIM_LINES_MAX][32];
    const char *lines[SY_CLAIM_LINES_MAX + 1] = {NULL};
    world.lists.used = 0;
    for (unsigned i = 0; i < count; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "%u/hc:%02u%02u/1/100/11/A", i + 1,
                       (claim - CLAIM) % 100, i % 100);
        lines[i] = texts[i];
    }
    struct world_tx tx = bill(claim, COVER_P + 5, lines, 100 * count);
    tx.payload.claim_submit.patient_id = test_hash(PATIENT);
    assert_true(world_add(&world, &tx));
}

/* What claims look up in lists is bounded for each, and nothing that comes before it in the block
 * leaves it less room. */
CASE(many_claims_of_many_codes_are_judged_in_one_block)
{
    enum { CLAIMS = 30 };
    struct world_tx tx = publish(REGULATOR_1, 0, SY_SCHEDULE_PAIRS, pairs);
    money_applied(&tx);
    for (unsigned i = 0; i < 101; i++) world_execute(&world, NULL, 0);
    tx = plan_of(PAYER_P, ORG_P, PLAN_P + 5);
    tx.payload.plan_publish.pairs_version = 1;
    money_applied(&tx);
    tx = cover(PAYER_P, ORG_P, COVER_P + 5, PLAN_P + 5, 3);
    tx.payload.coverage_add.patient_id = test_hash(PATIENT);
    money_applied(&tx);
    for (unsigned i = 0; i < CLAIMS; i++) {
        add_long_claim(CLAIM + i, i % 7 == 5 ? 26 : SY_CLAIM_LINES_MAX);
    }
    world_run(&world);
    for (unsigned i = 0; i < CLAIMS; i++) {
        world_receipt(&world, &world.receipt, i);
        assert_int_equal(world.receipt.code, SY_APPLIED);
    }
}

static void bill_reviewed(unsigned claim)
{
    struct world_tx tx = bill_one(claim, COVER_P + 5, "1/hc:99499/1/60000/11/A", 60000);
    tx.payload.claim_submit.patient_id = test_hash(PATIENT);
    money_applied(&tx);
    assert_int_equal(find_claim(claim).status, SY_CLAIM_PENDED);
    assert_event(1, SY_EVENT_CLAIM_PENDED, SY_SUBJECT_ORG, ORG_P, claim);
}

CASE(what_is_pended_the_payer_decides)
{
    uint8_t room[16];
    struct world_tx page = publish(PAYER_P, ORG_P, SY_SCHEDULE_FEES, fees);
    money_applied(&page);
    for (unsigned i = 0; i < 101; i++) world_execute(&world, NULL, 0);
    struct world_tx tx = plan_of(PAYER_P, ORG_P, PLAN_P + 5);
    tx.payload.plan_publish.fees_version = 1;
    money_applied(&tx);
    tx = cover(PAYER_P, ORG_P, COVER_P + 5, PLAN_P + 5, 1);
    tx.payload.coverage_add.patient_id = test_hash(PATIENT);
    money_applied(&tx);
    bill_reviewed(CLAIM);
    tx = pay(PAYER_P, ORG_P, CLAIM);
    money_refused(&tx, SY_E_CLAIM_STATE);
    assert_int_equal(world.receipt.detail, SY_CLAIM_PENDED);
    sy_store_u64(room, 50001); // over the schedule
    tx = adjudicate(PAYER_P, ORG_P, CLAIM, room, 8);
    money_refused(&tx, SY_E_ALLOWED);
    assert_int_equal(world.receipt.detail, 50000);
    sy_store_u64(room, 40000);
    tx = adjudicate(PAYER_P, ORG_P, CLAIM, room, 16);
    money_refused(&tx, SY_E_ALLOWED);
    tx = adjudicate(PAYER_Q, ORG_Q, CLAIM, room, 8);
    money_refused(&tx, SY_E_NOT_PAYER);
    tx = adjudicate(PAYER_P, ORG_P, CLAIM + 1, room, 8);
    money_refused(&tx, SY_E_CLAIM_UNKNOWN);
    tx = adjudicate(PAYER_P, ORG_P, CLAIM, room, 8);
    money_applied(&tx);
    struct sy_claim claim = find_claim(CLAIM);
    assert_int_equal(claim.status, SY_CLAIM_DECIDED);
    assert_int_equal(claim.lines[0].contractual, 20000);
    assert_int_equal(sy_claim_paid(&claim), 22400); // 400.00 - 100.00 - 20.00 - 56.00
    tx = adjudicate(PAYER_P, ORG_P, CLAIM, room, 8);
    money_refused(&tx, SY_E_CLAIM_STATE);
    bill_reviewed(CLAIM + 1);
    sy_store_u64(room, 0);
    tx = adjudicate(PAYER_P, ORG_P, CLAIM + 1, room, 8);
    money_applied(&tx);
    claim = find_claim(CLAIM + 1);
    assert_int_equal(claim.status, SY_CLAIM_DENIED);
    assert_int_equal(claim.lines[0].reason, SY_CARC_PAYER);
    struct sy_hash place;
    struct sy_slice value;
    sy_state_key_id(&place, SY_STATE_CLAIM_KEY, &claim.key);
    assert_false(world_find(&world, &value, &place));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_MONEY(a_claim_is_decided_at_once_by_the_plan),
        WITH_MONEY(a_service_is_billed_once_whoever_pays),
        WITH_MONEY(the_next_payer_pays_what_the_first_left),
        WITH_MONEY(a_claim_to_the_payer_before_is_no_ones_who_pays_after),
        WITH_MONEY(the_next_claim_may_have_its_lines_in_another_order),
        WITH_MONEY(who_pays_third_is_billed_when_the_second_denies),
        WITH_MONEY(a_line_names_a_prescription_of_the_patient),
        WITH_MONEY(a_merge_makes_no_second_service),
        WITH_MONEY(a_claim_says_what_it_has_to),
        WITH_MONEY(a_claim_is_for_a_coverage_of_that_time),
        WITH_MONEY(a_claim_that_comes_late_is_refused),
        WITH_MONEY(who_renders_is_known_and_was_certified),
        WITH_MONEY(who_may_not_write_bills_nothing),
        WITH_MONEY(coverages_of_an_order_do_not_overlap),
        WITH_MONEY(coverages_of_long_ago_make_room),
        WITH_MONEY(lists_are_proven_page_by_page_and_judge_claims),
        WITH_MONEY(many_claims_of_many_codes_are_judged_in_one_block),
        WITH_MONEY(what_is_pended_the_payer_decides),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
