/* Claims to later payers: which amounts they count, what may change below them and what may not,
 * also when a claim between was denied or ids were merged, and how long they may come. */
#include "tests/unit/money_rig.h"

#define DAY_MS 86400000ll
#define VISIT "1/hc:99213/1/30000/11/A"
#define ZZ_VISIT "1/zz:99213/1/30000/11/A"

/* A claim that P is to pay 144.00 for, of 300.00. */
static int64_t bill_visit(unsigned claim)
{
    struct world_tx tx = bill_one(claim, COVER_P, VISIT, 30000);
    money_applied(&tx);
    return find_claim(claim).from_ms;
}

/* A later payer's claim counted the amounts; and none is built on what is contested. */
CASE(amounts_that_a_later_payer_counted_stand)
{
    int64_t from = bill_visit(CLAIM);
    struct world_tx tx = dispute(WALLET_CLAIMED, CLAIM);
    money_applied(&tx);
    tx = second_of(CLAIM + 1, CLAIM, VISIT, from);
    money_refused(&tx, SY_E_CLAIM_HELD);
    assert_detail(CLAIM);
    tx = allow(PAYER_P, ORG_P, CLAIM, 30000);
    money_applied(&tx);
    tx = second_of(CLAIM + 1, CLAIM, VISIT, from);
    money_applied(&tx);
    tx = appeal(GATEWAY_A, ORG_A, CLAIM);
    money_applied(&tx);
    tx = appeal(WALLET_CLAIMED, 0, CLAIM);
    money_applied(&tx);
    tx = dispute(WALLET_CLAIMED, CLAIM + 1);
    money_applied(&tx);
    tx = allow(PAYER_Q, ORG_Q, CLAIM + 1, 20000);
    money_applied(&tx); // the newest may change
    assert_int_equal(find_claim(CLAIM + 1).lines[0].prior, 14400);
    struct sy_claim later = find_claim(CLAIM + 1);
    assert_int_equal(sy_claim_paid(&later), 5600);
    tx = reverse(PAYER_P, ORG_P, CLAIM);
    money_refused(&tx, SY_E_CLAIM_LATER);
}

CASE(a_claim_below_a_later_one_changes_no_more)
{
    int64_t from = bill_half(CLAIM);
    struct world_tx tx = second_of(CLAIM + 1, CLAIM, ZZ_VISIT, from);
    money_applied(&tx);
    tx = appeal(GATEWAY_A, ORG_A, CLAIM);
    money_applied(&tx);
    tx = allow(PAYER_P, ORG_P, CLAIM, 30000);
    money_refused(&tx, SY_E_CLAIM_LATER);
    assert_detail(CLAIM + 1);
    tx = allow(PAYER_Q, ORG_Q, CLAIM + 1, 0); // denied: nothing is built on the first
    money_applied(&tx);
    tx = appeal(WALLET_CLAIMED, 0, CLAIM + 1);
    money_applied(&tx);
    tx = allow(PAYER_P, ORG_P, CLAIM, 30000);
    money_applied(&tx);
    tx = allow(PAYER_Q, ORG_Q, CLAIM + 1, 30000); // whose prior payments are another's by now
    money_refused(&tx, SY_E_AMOUNT_STANDS);
    assert_path("allowed");
}

/* What was billed under an id that was merged stands under that id, where a claim of the id in use
 * does not see it. */
CASE(a_denied_claim_does_not_come_back_beside_one_under_a_merged_id)
{
    struct world_tx tx = cover(PAYER_P, ORG_P, COVER_P + 5, PLAN_P, 1);
    tx.payload.coverage_add.patient_id = test_hash(PATIENT);
    money_applied(&tx);
    tx = bill_one(CLAIM, COVER_P + 5, ZZ_VISIT, 30000);
    tx.payload.claim_submit.patient_id = test_hash(PATIENT);
    int64_t from = tx.payload.claim_submit.from;
    money_applied(&tx);
    tx = allow(PAYER_P, ORG_P, CLAIM, 0);
    money_applied(&tx);
    tx = world_tx_of(SY_KIND_patient_merge, GATEWAY_A, ORG_A);
    tx.payload.patient_merge.patient_id = test_hash(PATIENT);
    tx.payload.patient_merge.into_id = test_hash(PATIENT_CLAIMED);
    tx.payload.patient_merge.evidence_hash = test_hash(1);
    world_cosign(&tx, WALLET_CLAIMED);
    money_applied(&tx);
    tx = billed_at(bill_one(CLAIM + 1, COVER_P + 5, ZZ_VISIT, 30000), from);
    money_applied(&tx); // again, under the id in use
    tx = allow(PAYER_P, ORG_P, CLAIM + 1, 0);
    money_applied(&tx);
    tx = second_of(CLAIM + 2, CLAIM, ZZ_VISIT, from); // behind the first: under the id of then
    money_applied(&tx);
    tx = allow(PAYER_Q, ORG_Q, CLAIM + 2, 30000);
    money_applied(&tx);
    tx = pay(PAYER_Q, ORG_Q, CLAIM + 2);
    money_applied(&tx);
    for (unsigned i = 0; i < 2; i++) {
        tx = appeal(GATEWAY_A, ORG_A, CLAIM + i);
        money_applied(&tx);
        tx = allow(PAYER_P, ORG_P, CLAIM + i, 30000);
        money_refused(&tx, SY_E_AMOUNT_STANDS);
        assert_path("allowed");
    }
    assert_int_equal(balance_of(ORG_A), 30000);
}

/* Q pays second, third and fourth (coverages COVER_Q, COVER_P + 6 and COVER_P + 7), and denies a
 * claim behind the prior one. */
static void deny_behind(unsigned claim, unsigned prior, unsigned coverage, int64_t from)
{
    struct world_tx tx = later_of(claim, prior, coverage, ZZ_VISIT, from);
    money_applied(&tx);
    tx = allow(PAYER_Q, ORG_Q, claim, 0);
    money_applied(&tx);
    assert_int_equal(find_claim(claim).status, SY_CLAIM_DENIED);
}

/* A denied claim keeps none from changing that it counted; who is billed behind it counts what they
 * came to. P's first decision: some of it, or nothing. */
static void change_below_denied(unsigned first, uint64_t allowed)
{
    struct world_tx tx = bill_one(first, COVER_P, ZZ_VISIT, 30000);
    int64_t from = tx.payload.claim_submit.from;
    money_applied(&tx);
    tx = allow(PAYER_P, ORG_P, first, allowed);
    money_applied(&tx);
    struct sy_claim before = find_claim(first);
    uint64_t counted = sy_claim_paid(&before);
    deny_behind(first + 1, first, COVER_Q, from);
    deny_behind(first + 2, first + 1, COVER_P + 6, from);
    tx = appeal(GATEWAY_A, ORG_A, first);
    money_applied(&tx);
    tx = later_of(first + 3, first + 2, COVER_P + 7, ZZ_VISIT, from);
    if (allowed > 0) money_refused(&tx, SY_E_CLAIM_HELD);
    tx = allow(PAYER_P, ORG_P, first, 30000);
    money_applied(&tx);
    struct sy_claim changed = find_claim(first);
    uint64_t paid = sy_claim_paid(&changed);
    assert_true(paid > counted);
    assert_int_equal(find_claim(first + 2).lines[0].prior, counted);
    tx = later_of(first + 3, first + 2, COVER_P + 7, ZZ_VISIT, from);
    money_applied(&tx);
    assert_int_equal(find_claim(first + 3).lines[0].prior, paid);
    tx = allow(PAYER_Q, ORG_Q, first + 3, 30000);
    money_applied(&tx);
    struct sy_claim last = find_claim(first + 3);
    assert_int_equal(sy_claim_paid(&last), 30000 - paid);
    tx = pay(PAYER_P, ORG_P, first);
    money_applied(&tx);
    tx = pay(PAYER_Q, ORG_Q, first + 3);
    money_applied(&tx);
}

CASE(what_changed_below_denied_claims_is_counted)
{
    struct world_tx tx = cover(PAYER_Q, ORG_Q, COVER_P + 6, PLAN_Q, 3);
    money_applied(&tx);
    tx = cover(PAYER_Q, ORG_Q, COVER_P + 7, PLAN_Q, 4);
    money_applied(&tx);
    change_below_denied(CLAIM, 15000);
    change_below_denied(CLAIM + 10, 0);
    assert_int_equal(balance_of(ORG_A), 60000); // and no more than was charged
}

/* P decides half of 300.00, or so does; Q, second, denies; a dispute lowers what P pays; Q, third.
 */
static void lower_below_denied(unsigned first, const char *denied_line, uint64_t counted)
{
    int64_t from = bill_half(first);
    struct world_tx tx = later_of(first + 1, first, COVER_Q, denied_line, from);
    money_applied(&tx);
    tx = allow(PAYER_Q, ORG_Q, first + 1, 0);
    money_applied(&tx);
    tx = dispute(WALLET_CLAIMED, first);
    money_applied(&tx);
    tx = allow(PAYER_P, ORG_P, first, 13000);
    money_applied(&tx);
    tx = later_of(first + 2, first + 1, COVER_P + 6, ZZ_VISIT, from);
    money_applied(&tx);
    assert_int_equal(find_claim(first + 2).lines[0].prior, counted);
    tx = allow(PAYER_Q, ORG_Q, first + 2, 30000);
    money_applied(&tx);
    struct sy_claim last = find_claim(first + 2);
    assert_int_equal(sy_claim_paid(&last), 30000 - counted);
}

/* What a dispute took from the first payer's part is the third one's to pay; but nobody can tell it
 * from what payers outside paid, if one between said so. */
CASE(what_was_lowered_below_denied_claims_is_paid_by_the_next)
{
    struct world_tx tx = cover(PAYER_Q, ORG_Q, COVER_P + 6, PLAN_Q, 3);
    money_applied(&tx);
    lower_below_denied(CLAIM, ZZ_VISIT, 800); // 130.00 less deductible and copay, of it 80 %
    lower_below_denied(CLAIM + 10, ZZ_VISIT "/prior:1000", 11400); // 10.00, and 80 % of 130.00
}

/* Nor does what stands no more count. */
CASE(what_was_denied_below_denied_claims_is_not_counted)
{
    struct world_tx tx = cover(PAYER_Q, ORG_Q, COVER_P + 6, PLAN_Q, 3);
    money_applied(&tx);
    int64_t from = bill_half(CLAIM);
    deny_behind(CLAIM + 1, CLAIM, COVER_Q, from);
    assert_true(find_claim(CLAIM + 1).lines[0].prior > 0);
    tx = reverse(PAYER_P, ORG_P, CLAIM);
    money_applied(&tx);
    tx = later_of(CLAIM + 2, CLAIM + 1, COVER_P + 6, ZZ_VISIT, from);
    money_applied(&tx);
    assert_int_equal(find_claim(CLAIM + 2).lines[0].prior, 0);
}

/* Q pays third by a plan with a single day to come, and nobody second. */
static void cover_for_a_day(void)
{
    struct world_tx tx = plan_of(PAYER_Q, ORG_Q, PLAN_Q + 5);
    tx.payload.plan_publish.filing_days = 1;
    money_applied(&tx);
    tx = cover(PAYER_Q, ORG_Q, COVER_P + 5, PLAN_Q + 5, 3);
    money_applied(&tx);
    tx = world_tx_of(SY_KIND_coverage_end, PAYER_Q, ORG_Q);
    tx.payload.coverage_end.coverage_id = test_hash(COVER_Q);
    tx.payload.coverage_end.until = world.header.time_ms - DAY_MS;
    money_applied(&tx);
}

static void assert_late(unsigned claim, unsigned prior, int64_t from, int64_t last)
{
    struct world_tx tx = later_of(claim, prior, COVER_P + 5, ZZ_VISIT, from);
    money_refused(&tx, SY_C29);
    assert_int_equal(world.receipt.detail, last);
}

/* What keeps the next payer's claim from coming takes none of its days. */
CASE(days_to_come_count_from_the_decision_before)
{
    cover_for_a_day();
    struct world_tx tx = bill_one(CLAIM, COVER_P, ZZ_VISIT, 30000);
    int64_t from = tx.payload.claim_submit.from;
    money_applied(&tx);
    let_pass(3 * DAY_MS);
    assert_late(CLAIM + 1, CLAIM, from, from + DAY_MS); // and there is nothing to name yet
    tx = allow(PAYER_P, ORG_P, CLAIM, 15000);
    money_applied(&tx);
    tx = appeal(GATEWAY_A, ORG_A, CLAIM);
    money_applied(&tx);
    let_pass(5 * DAY_MS);
    tx = later_of(CLAIM + 1, CLAIM, COVER_P + 5, ZZ_VISIT, from);
    money_refused(&tx, SY_E_CLAIM_HELD);
    tx = allow(PAYER_P, ORG_P, CLAIM, 15000);
    money_applied(&tx); // upheld: the decision is that of days ago
    int64_t last = find_contest(CLAIM, SY_CONTEST_APPEAL).ended_ms + DAY_MS;
    let_pass(last - 1 - world.header.time_ms);
    tx = later_of(CLAIM + 1, CLAIM, COVER_P + 5, ZZ_VISIT, from);
    money_applied(&tx);
    assert_int_equal(world.header.time_ms, last);
}

CASE(days_to_come_count_from_what_a_denied_claim_is_behind)
{
    cover_for_a_day();
    struct world_tx tx = cover(PAYER_Q, ORG_Q, COVER_P + 6, PLAN_Q + 5, 4);
    money_applied(&tx);
    int64_t from = bill_half(CLAIM);
    deny_behind(CLAIM + 1, CLAIM, COVER_P + 5, from);
    tx = appeal(GATEWAY_A, ORG_A, CLAIM);
    money_applied(&tx);
    let_pass(61 * DAY_MS); // P answers nothing
    tx = later_of(CLAIM + 2, CLAIM + 1, COVER_P + 6, ZZ_VISIT, from);
    money_refused(&tx, SY_C29);
    assert_int_equal(world.receipt.detail,
                     find_contest(CLAIM, SY_CONTEST_APPEAL).held_until_ms + DAY_MS);
}

CASE(a_contest_after_the_days_to_come_brings_none_back)
{
    cover_for_a_day();
    int64_t from = bill_half(CLAIM), last = find_claim(CLAIM).decided_ms + DAY_MS;
    let_pass(last - world.header.time_ms);
    assert_late(CLAIM + 1, CLAIM, from, last);
    struct world_tx tx = appeal(GATEWAY_A, ORG_A, CLAIM);
    money_applied(&tx);
    tx = appeal(GATEWAY_A, ORG_A, CLAIM);
    tx.payload.claim_appeal.withdraw = true;
    money_applied(&tx);
    assert_late(CLAIM + 1, CLAIM, from, last);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_MONEY(amounts_that_a_later_payer_counted_stand),
        WITH_MONEY(a_claim_below_a_later_one_changes_no_more),
        WITH_MONEY(a_denied_claim_does_not_come_back_beside_one_under_a_merged_id),
        WITH_MONEY(what_changed_below_denied_claims_is_counted),
        WITH_MONEY(what_was_lowered_below_denied_claims_is_paid_by_the_next),
        WITH_MONEY(what_was_denied_below_denied_claims_is_not_counted),
        WITH_MONEY(days_to_come_count_from_the_decision_before),
        WITH_MONEY(days_to_come_count_from_what_a_denied_claim_is_behind),
        WITH_MONEY(a_contest_after_the_days_to_come_brings_none_back),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
