/* claim.appeal and claim.dispute: who contests a decision, once and in time; what is open keeps the
 * claim from being paid, and not for ever; and what a second decision may change, and may not. */
#include <stdio.h>

#include "core/base/prng.h"
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

static uint8_t amounts[16];

static struct world_tx allow_two(unsigned claim, uint64_t first, uint64_t second)
{
    sy_store_u64(amounts, first);
    sy_store_u64(amounts + 8, second);
    return adjudicate(PAYER_P, ORG_P, claim, amounts, 16);
}

static struct sy_used used_of(unsigned cover)
{
    struct sy_hash coverage = test_hash(cover), place;
    struct sy_slice value;
    struct sy_used used = {.deductible = 0};
    for (uint32_t year = 1970; year < 2100; year++) {
        sy_state_key_numbered(&place, SY_STATE_USED, &coverage, year);
        if (world_find(&world, &value, &place)) assert_true(sy_used_decode(&used, value));
    }
    return used;
}

// --- who ---------------------------------------------------------------------------------------

CASE(who_billed_appeals_once)
{
    bill_half(CLAIM);
    struct world_tx tx = appeal(GATEWAY_B, ORG_B, CLAIM);
    money_refused(&tx, SY_E_NOT_PROVIDER);
    assert_detail(ORG_A);
    tx = appeal(PAYER_P, ORG_P, CLAIM);
    money_refused(&tx, SY_E_ROLE);
    tx = appeal(NURSE_A, ORG_A, CLAIM);
    money_refused(&tx, SY_E_ROLE);
    tx = appeal(GATEWAY_A, ORG_A, CLAIM + 1);
    money_refused(&tx, SY_E_CLAIM_UNKNOWN);
    assert_detail(CLAIM + 1);
    tx = appeal(GATEWAY_A, ORG_A, CLAIM);
    tx.payload.claim_appeal.withdraw = true;
    money_refused(&tx, SY_E_CONTESTED); // there is none
    tx = appeal(DOCTOR_A, ORG_A, CLAIM);
    tx.payload.claim_appeal.has_evidence_hash = true;
    tx.payload.claim_appeal.evidence_hash = test_hash(7);
    money_applied(&tx);
    assert_int_equal(world.receipt.event_count, 3);
    assert_event(0, SY_EVENT_CLAIM_CONTESTED, SY_SUBJECT_ORG, ORG_P, CLAIM);
    assert_event(1, SY_EVENT_CLAIM_CONTESTED, SY_SUBJECT_ORG, ORG_A, CLAIM);
    assert_event(2, SY_EVENT_CLAIM_CONTESTED, SY_SUBJECT_PATIENT, PATIENT_CLAIMED, CLAIM);
    struct sy_contest_entry contest = find_contest(CLAIM, SY_CONTEST_APPEAL);
    assert_int_equal(contest.status, SY_CONTEST_OPEN);
    assert_int_equal(contest.lines, 1);
    assert_int_equal(contest.opened_ms, world.header.time_ms);
    assert_int_equal(contest.held_until_ms, world.header.time_ms + 60 * DAY_MS);
    assert_true(contest.has_evidence);
    assert_int_equal(find_claim(CLAIM).holds, SY_CONTEST_BIT(SY_CONTEST_APPEAL));
    tx = appeal(GATEWAY_A, ORG_A, CLAIM);
    money_refused(&tx, SY_E_CONTESTED);
    assert_detail(CLAIM);
}

CASE(the_patient_contests_beside_who_billed)
{
    bill_half(CLAIM);
    struct world_tx tx = dispute(DOCTOR_A, CLAIM);
    tx.organisation = test_hash(ORG_A);
    money_refused(&tx, SY_E_ROLE);
    enrol_with_wallet(FRESH_ID, FRESH_KEY);
    tx = dispute(FRESH_KEY, CLAIM);
    money_refused(&tx, SY_E_NOT_SUBJECT);
    assert_detail(CLAIM); // and not whose it is
    tx = appeal(FRESH_KEY, 0, CLAIM);
    money_refused(&tx, SY_E_NOT_SUBJECT);
    tx = dispute(WALLET_CLAIMED, CLAIM + 1);
    money_refused(&tx, SY_E_CLAIM_UNKNOWN);
    tx = dispute(WALLET_CLAIMED, CLAIM);
    tx.payload.claim_dispute.reason = 99;
    money_refused(&tx, SY_E_SCHEMA);
    tx = appeal(WALLET_CLAIMED, 0, CLAIM); // nobody's appeal uses up another's
    money_applied(&tx);
    tx = dispute(WALLET_CLAIMED, CLAIM);
    money_applied(&tx);
    assert_int_equal(find_contest(CLAIM, SY_CONTEST_DISPUTE).reason, SY_BILL_NOT_RENDERED);
    tx = appeal(GATEWAY_A, ORG_A, CLAIM);
    money_applied(&tx);
    assert_int_equal(find_claim(CLAIM).holds, SY_CONTEST_BITS);
    tx = dispute(WALLET_CLAIMED, CLAIM);
    money_refused(&tx, SY_E_CONTESTED);
}

/* After a merge the patient is who the id leads to. */
CASE(a_patient_who_was_merged_contests_what_was_billed_before)
{
    struct world_tx tx = cover(PAYER_P, ORG_P, COVER_P + 5, PLAN_P, 1);
    tx.payload.coverage_add.patient_id = test_hash(PATIENT);
    money_applied(&tx);
    tx = bill_one(CLAIM, COVER_P + 5, VISIT, 30000);
    tx.payload.claim_submit.patient_id = test_hash(PATIENT);
    money_applied(&tx);
    tx = dispute(WALLET_CLAIMED, CLAIM);
    money_refused(&tx, SY_E_NOT_SUBJECT);
    tx = world_tx_of(SY_KIND_patient_merge, GATEWAY_A, ORG_A);
    tx.payload.patient_merge.patient_id = test_hash(PATIENT);
    tx.payload.patient_merge.into_id = test_hash(PATIENT_CLAIMED);
    tx.payload.patient_merge.evidence_hash = test_hash(1);
    world_cosign(&tx, WALLET_CLAIMED);
    money_applied(&tx);
    tx = dispute(WALLET_CLAIMED, CLAIM);
    money_applied(&tx);
}

CASE(a_decision_is_contested_in_time)
{
    struct world_tx tx = bill_one(CLAIM, COVER_P, ZZ_VISIT, 30000);
    money_applied(&tx);
    tx = appeal(GATEWAY_A, ORG_A, CLAIM);
    money_refused(&tx, SY_E_CLAIM_STATE); // nothing is decided
    assert_int_equal(world.receipt.detail, SY_CLAIM_PENDED);
    tx = allow(PAYER_P, ORG_P, CLAIM, 15000);
    money_applied(&tx);
    int64_t last = world.header.time_ms + 30 * DAY_MS;
    let_pass(last - world.header.time_ms);
    tx = appeal(GATEWAY_A, ORG_A, CLAIM);
    money_refused(&tx, SY_E_CONTEST_TIME);
    assert_int_equal(world.receipt.detail, last);
    tx = dispute(WALLET_CLAIMED, CLAIM);
    money_refused(&tx, SY_E_CONTEST_TIME);
    tx = bill_one(CLAIM + 1, COVER_P, VISIT, 30000);
    money_applied(&tx);
    let_pass(30 * DAY_MS - 1);
    tx = appeal(GATEWAY_A, ORG_A, CLAIM + 1); // in the last moment
    money_applied(&tx);
    tx = reverse(PAYER_P, ORG_P, CLAIM);
    money_applied(&tx);
    tx = dispute(WALLET_CLAIMED, CLAIM);
    money_refused(&tx, SY_E_CLAIM_STATE);
    assert_int_equal(world.receipt.detail, SY_CLAIM_REVERSED);
}

CASE(lines_are_named_in_their_order)
{
    const char *const lines[] = {VISIT, "2/hc:99214/1/30000/11/A", NULL};
    static const uint32_t bad[][2] = {{0, 1}, {2, 1}, {2, 3}};
    struct world_tx tx = bill(CLAIM, COVER_P, lines, 60000);
    money_applied(&tx);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tx = dispute(WALLET_CLAIMED, CLAIM);
        sy_list_add_u32(&tx.payload.claim_dispute.lines, &world.lists, bad[i][0]);
        sy_list_add_u32(&tx.payload.claim_dispute.lines, &world.lists, bad[i][1]);
        money_refused(&tx, SY_E_SCHEMA);
        assert_path("lines");
    }
    tx = dispute(WALLET_CLAIMED, CLAIM);
    sy_list_add_u32(&tx.payload.claim_dispute.lines, &world.lists, 2);
    money_applied(&tx);
    assert_int_equal(find_contest(CLAIM, SY_CONTEST_DISPUTE).lines, 2);
}

// --- holds -------------------------------------------------------------------------------------

CASE(what_is_contested_is_not_paid_until_it_is_decided)
{
    bill_visit(CLAIM);
    struct world_tx tx = dispute(WALLET_CLAIMED, CLAIM);
    money_applied(&tx);
    int64_t until = find_contest(CLAIM, SY_CONTEST_DISPUTE).held_until_ms;
    tx = pay(PAYER_P, ORG_P, CLAIM);
    money_refused(&tx, SY_E_CLAIM_HELD);
    assert_detail(CLAIM);
    assert_int_equal(world.receipt.detail, until);
    tx = allow(PAYER_P, ORG_P, CLAIM, 30000); // as it was
    money_applied(&tx);
    assert_int_equal(world.receipt.event_count, 3);
    assert_event(0, SY_EVENT_CLAIM_ANSWERED, SY_SUBJECT_PATIENT, PATIENT_CLAIMED, CLAIM);
    assert_event(1, SY_EVENT_CLAIM_ANSWERED, SY_SUBJECT_ORG, ORG_P, CLAIM);
    assert_event(2, SY_EVENT_CLAIM_ANSWERED, SY_SUBJECT_ORG, ORG_A, CLAIM);
    struct sy_contest_entry contest = find_contest(CLAIM, SY_CONTEST_DISPUTE);
    assert_int_equal(contest.status, SY_CONTEST_UPHELD);
    assert_int_equal(contest.ended_height, world.header.height);
    tx = dispute(WALLET_CLAIMED, CLAIM); // and is not held again
    money_refused(&tx, SY_E_CONTESTED);
    tx = allow(PAYER_P, ORG_P, CLAIM, 10000);
    money_refused(&tx, SY_E_CLAIM_STATE);
    tx = pay(PAYER_P, ORG_P, CLAIM);
    money_applied(&tx);
    assert_int_equal(balance_of(ORG_A), 14400);
}

/* A payer who answers nothing may pay what was decided, after 60 days; the answer may still come.
 */
CASE(a_hold_ends)
{
    bill_visit(CLAIM);
    struct world_tx tx = dispute(WALLET_CLAIMED, CLAIM);
    money_applied(&tx);
    let_pass(60 * DAY_MS - 1);
    tx = pay(PAYER_P, ORG_P, CLAIM);
    money_refused(&tx, SY_E_CLAIM_HELD); // its last moment
    tx = pay(PAYER_P, ORG_P, CLAIM);
    money_applied(&tx);
    tx = pay(PAYER_P, ORG_P, CLAIM);
    money_refused(&tx, SY_E_ALREADY_PAID);
    tx = allow(PAYER_P, ORG_P, CLAIM, 20000);
    money_refused(&tx, SY_E_ALREADY_PAID); // not with other amounts
    assert_detail(CLAIM);
    tx = allow(PAYER_P, ORG_P, CLAIM, 30000);
    money_applied(&tx);
    assert_int_equal(find_contest(CLAIM, SY_CONTEST_DISPUTE).status, SY_CONTEST_UPHELD);
    assert_int_equal(find_claim(CLAIM).status, SY_CLAIM_PAID);
}

CASE(what_is_taken_back_holds_no_more_and_never_again)
{
    bill_visit(CLAIM);
    struct world_tx tx = dispute(WALLET_CLAIMED, CLAIM);
    money_applied(&tx);
    tx = appeal(GATEWAY_A, ORG_A, CLAIM);
    money_applied(&tx);
    tx = dispute(WALLET_CLAIMED, CLAIM);
    tx.payload.claim_dispute.withdraw = true;
    sy_list_add_u32(&tx.payload.claim_dispute.lines, &world.lists, 1);
    money_refused(&tx, SY_E_SCHEMA);
    tx = appeal(WALLET_CLAIMED, 0, CLAIM);
    tx.payload.claim_appeal.withdraw = true;
    money_refused(&tx, SY_E_CONTESTED); // that one is not the patient's
    tx = dispute(WALLET_CLAIMED, CLAIM);
    tx.payload.claim_dispute.withdraw = true;
    money_applied(&tx);
    assert_event(0, SY_EVENT_CLAIM_WITHDRAWN, SY_SUBJECT_ORG, ORG_P, CLAIM);
    assert_int_equal(find_contest(CLAIM, SY_CONTEST_DISPUTE).status, SY_CONTEST_WITHDRAWN);
    assert_int_equal(find_contest(CLAIM, SY_CONTEST_APPEAL).status, SY_CONTEST_OPEN);
    tx = pay(PAYER_P, ORG_P, CLAIM);
    money_refused(&tx, SY_E_CLAIM_HELD); // the appeal is open
    tx = appeal(GATEWAY_A, ORG_A, CLAIM);
    tx.payload.claim_appeal.withdraw = true;
    money_applied(&tx);
    tx = dispute(WALLET_CLAIMED, CLAIM);
    money_refused(&tx, SY_E_CONTESTED);
    tx = pay(PAYER_P, ORG_P, CLAIM);
    money_applied(&tx);
}

/* What was paid is not held, but taken back; that ends what is open. */
CASE(a_reversal_answers_a_dispute)
{
    bill_visit(CLAIM);
    struct world_tx tx = pay(PAYER_P, ORG_P, CLAIM);
    money_applied(&tx);
    tx = dispute(WALLET_CLAIMED, CLAIM);
    money_applied(&tx);
    tx = allow(PAYER_P, ORG_P, CLAIM, 0);
    money_refused(&tx, SY_E_ALREADY_PAID);
    tx = reverse(PAYER_P, ORG_P, CLAIM);
    money_applied(&tx);
    assert_int_equal(find_contest(CLAIM, SY_CONTEST_DISPUTE).status, SY_CONTEST_REVERSED);
    assert_int_equal(find_claim(CLAIM).holds, 0);
    assert_int_equal(balance_of(ORG_A), 0);
    tx = allow(PAYER_P, ORG_P, CLAIM, 30000);
    money_refused(&tx, SY_E_CLAIM_STATE);
}

// --- a second decision -------------------------------------------------------------------------

CASE(an_appeal_may_bring_more_up_to_what_was_billed)
{
    bill_half(CLAIM);
    struct sy_used before = used_of(COVER_P);
    struct world_tx tx = allow(PAYER_P, ORG_P, CLAIM, 20000);
    money_refused(&tx, SY_E_CLAIM_STATE); // nobody asked
    tx = appeal(GATEWAY_A, ORG_A, CLAIM);
    money_applied(&tx);
    tx = allow(PAYER_Q, ORG_Q, CLAIM, 20000);
    money_refused(&tx, SY_E_NOT_PAYER);
    tx = allow(PAYER_P, ORG_P, CLAIM, 30001);
    money_refused(&tx, SY_E_ALLOWED);
    assert_int_equal(world.receipt.detail, 30000);
    tx = allow(PAYER_P, ORG_P, CLAIM, 14999);
    money_refused(&tx, SY_E_AMOUNT_STANDS); // nobody disputes it
    assert_int_equal(world.receipt.detail, 15000);
    assert_path("allowed[0]");
    tx = allow(PAYER_P, ORG_P, CLAIM, 25000);
    money_applied(&tx);
    assert_int_equal(world.receipt.event_count, 5);
    assert_event(0, SY_EVENT_CLAIM_DECIDED, SY_SUBJECT_PATIENT, PATIENT_CLAIMED, CLAIM);
    assert_event(2, SY_EVENT_CLAIM_ANSWERED, SY_SUBJECT_PATIENT, PATIENT_CLAIMED, CLAIM);
    struct sy_claim claim = find_claim(CLAIM);
    assert_int_equal(claim.status, SY_CLAIM_DECIDED);
    assert_int_equal(claim.decided_ms, world.header.time_ms);
    assert_int_equal(claim.lines[0].contractual, 5000);
    assert_int_equal(claim.lines[0].limit, SY_MONEY_MAX); // the schedule's, for good
    assert_int_equal(claim.lines[0].deductible, 10000);
    assert_int_equal(sy_claim_paid(&claim), 10400); // 250 - 100 - 20 - 26
    assert_int_equal(find_contest(CLAIM, SY_CONTEST_APPEAL).status, SY_CONTEST_CHANGED);
    struct sy_used after = used_of(COVER_P);
    assert_int_equal(before.benefit, 2400); // 150 - 100 - 20 - 6
    assert_int_equal(after.benefit, 10400);
    assert_int_equal(after.deductible, 10000); // not twice
    assert_int_equal(after.out_of_pocket, 14600);
    tx = pay(PAYER_P, ORG_P, CLAIM);
    money_applied(&tx);
    assert_int_equal(balance_of(ORG_A), 10400);
    tx = reverse(PAYER_P, ORG_P, CLAIM);
    money_applied(&tx);
    after = used_of(COVER_P);
    assert_int_equal(after.benefit + after.out_of_pocket + after.deductible, 0);
}

CASE(a_dispute_may_bring_less_of_the_lines_it_names)
{
    const char *const lines[] = {VISIT, "2/hc:99214/1/30000/11/A", NULL};
    struct world_tx tx = bill(CLAIM, COVER_P, lines, 60000);
    money_applied(&tx);
    tx = dispute(WALLET_CLAIMED, CLAIM);
    sy_list_add_u32(&tx.payload.claim_dispute.lines, &world.lists, 2);
    money_applied(&tx);
    tx = allow_two(CLAIM, 20000, 0);
    money_refused(&tx, SY_E_AMOUNT_STANDS); // the first stands
    assert_path("allowed[0]");
    assert_int_equal(world.receipt.detail, 30000);
    tx = allow_two(CLAIM, 30000, 0);
    money_applied(&tx);
    struct sy_claim claim = find_claim(CLAIM);
    assert_int_equal(claim.status, SY_CLAIM_DECIDED);
    assert_int_equal(claim.lines[0].reason, 0);
    assert_int_equal(claim.lines[1].reason, SY_CARC_PAYER);
    assert_int_equal(sy_claim_paid(&claim), 14400);
    assert_int_equal(used_of(COVER_P).benefit, 14400);
}

/* All of it is denied; then the appeal, which is open to who billed, has it back. */
CASE(what_a_dispute_took_an_appeal_may_bring_back)
{
    int64_t from = bill_visit(CLAIM);
    struct world_tx tx = dispute(WALLET_CLAIMED, CLAIM);
    money_applied(&tx);
    tx = allow(PAYER_P, ORG_P, CLAIM, 0);
    money_applied(&tx);
    assert_int_equal(find_claim(CLAIM).status, SY_CLAIM_DENIED);
    struct sy_claim claim = find_claim(CLAIM);
    struct sy_hash place;
    struct sy_slice value;
    sy_state_key_id(&place, SY_STATE_CLAIM_KEY, &claim.key);
    assert_false(world_find(&world, &value, &place));
    assert_int_equal(used_of(COVER_P).benefit, 0);
    tx = pay(PAYER_P, ORG_P, CLAIM);
    money_refused(&tx, SY_E_CLAIM_STATE);
    tx = appeal(GATEWAY_A, ORG_A, CLAIM);
    money_applied(&tx);
    tx = allow(PAYER_P, ORG_P, CLAIM, 30000);
    money_applied(&tx);
    claim = find_claim(CLAIM);
    assert_int_equal(claim.status, SY_CLAIM_DECIDED);
    assert_int_equal(claim.lines[0].reason, 0);
    assert_int_equal(sy_claim_paid(&claim), 14400);
    assert_true(world_find(&world, &value, &place)); // it stands again
    tx = billed_at(bill_one(CLAIM + 1, COVER_P, VISIT, 30000), from);
    money_refused(&tx, SY_C18);
}

/* What the plan denied, too, as far as its schedule has a price for it. */
CASE(a_denial_by_the_plan_may_be_appealed)
{
    static const char *const fees[] = {"hc:99213=25000+authorised", NULL};
    struct world_tx page = publish(PAYER_P, ORG_P, SY_SCHEDULE_FEES, fees);
    money_applied(&page);
    for (unsigned i = 0; i < 101; i++) world_execute(&world, NULL, 0);
    struct world_tx tx = plan_of(PAYER_P, ORG_P, PLAN_P + 5);
    tx.payload.plan_publish.fees_version = 1;
    money_applied(&tx);
    tx = cover(PAYER_P, ORG_P, COVER_P + 5, PLAN_P + 5, 3);
    tx.payload.coverage_add.patient_id = test_hash(PATIENT);
    money_applied(&tx);
    const char *const lines[] = {VISIT, "2/hc:00000/1/5/11/A", NULL};
    tx = bill(CLAIM, COVER_P + 5, lines, 30005);
    tx.payload.claim_submit.patient_id = test_hash(PATIENT);
    money_applied(&tx);
    assert_int_equal(find_claim(CLAIM).status, SY_CLAIM_DENIED);
    tx = appeal(GATEWAY_A, ORG_A, CLAIM);
    money_applied(&tx);
    tx = allow_two(CLAIM, 25001, 0);
    money_refused(&tx, SY_E_ALLOWED);
    assert_int_equal(world.receipt.detail, 25000);
    tx = allow_two(CLAIM, 25000, 1);
    money_refused(&tx, SY_E_ALLOWED); // no price
    assert_path("allowed[1]");
    tx = allow_two(CLAIM, 25000, 0);
    money_applied(&tx);
    struct sy_claim claim = find_claim(CLAIM);
    assert_int_equal(claim.lines[0].reason, 0);
    assert_int_equal(claim.lines[0].contractual, 5000);
    assert_int_equal(claim.lines[1].reason, SY_CARC_NOT_COVERED);
    assert_int_equal(sy_claim_paid(&claim), 10400);
}

CASE(a_service_that_was_billed_again_is_not_paid_twice)
{
    int64_t from = bill_visit(CLAIM);
    struct world_tx tx = dispute(WALLET_CLAIMED, CLAIM);
    money_applied(&tx);
    tx = allow(PAYER_P, ORG_P, CLAIM, 0);
    money_applied(&tx);
    tx = appeal(GATEWAY_A, ORG_A, CLAIM);
    money_applied(&tx);
    tx = billed_at(bill_one(CLAIM + 1, COVER_P, VISIT, 30000), from);
    money_applied(&tx);
    tx = allow(PAYER_P, ORG_P, CLAIM, 30000);
    money_refused(&tx, SY_C18);
    assert_detail(CLAIM + 1);
    tx = allow(PAYER_P, ORG_P, CLAIM, 0);
    money_applied(&tx); // it stays denied
}

CASE(units_go_back_with_a_line_that_is_denied_again)
{
    static const char *const fees[] = {"hc:70551=50000+authorised", NULL};
    struct world_tx page = publish(PAYER_P, ORG_P, SY_SCHEDULE_FEES, fees);
    money_applied(&page);
    for (unsigned i = 0; i < 101; i++) world_execute(&world, NULL, 0);
    struct world_tx tx = plan_of(PAYER_P, ORG_P, PLAN_P + 5);
    tx.payload.plan_publish.fees_version = 1;
    money_applied(&tx);
    tx = cover(PAYER_P, ORG_P, COVER_P + 5, PLAN_P + 5, 3);
    money_applied(&tx);
    tx = ask_auth(CLAIM + 300, COVER_P + 5, "hc:70551", 2);
    money_applied(&tx);
    tx = decide_auth(PAYER_P, ORG_P, CLAIM + 300, 2);
    money_applied(&tx);
    tx = world_tx_of(SY_KIND_coverage_end, PAYER_P, ORG_P);
    tx.payload.coverage_end.coverage_id = test_hash(COVER_P);
    tx.payload.coverage_end.until = world.header.time_ms - DAY_MS;
    money_applied(&tx);
    tx = world_tx_of(SY_KIND_coverage_end, PAYER_Q, ORG_Q);
    tx.payload.coverage_end.coverage_id = test_hash(COVER_Q);
    tx.payload.coverage_end.until = world.header.time_ms - DAY_MS;
    money_applied(&tx);
    tx = bill_one(CLAIM, COVER_P + 5, "1/hc:70551/2/50000/11/A", 50000);
    tx.payload.claim_submit.has_auth_id = true;
    tx.payload.claim_submit.auth_id = test_hash(CLAIM + 300);
    money_applied(&tx);
    assert_int_equal(find_auth(CLAIM + 300).used, 2);
    tx = dispute(WALLET_CLAIMED, CLAIM);
    money_applied(&tx);
    tx = allow(PAYER_P, ORG_P, CLAIM, 0);
    money_applied(&tx);
    assert_int_equal(find_auth(CLAIM + 300).used, 0);
    tx = reverse(PAYER_P, ORG_P, CLAIM);
    money_refused(&tx, SY_E_CLAIM_STATE); // and not once more
    assert_int_equal(find_auth(CLAIM + 300).used, 0);
}

// --- disorder ----------------------------------------------------------------------------------

#define STEPS 800u
#define SERVICES 40u
#define THIRD (COVER_P + 5) /* Q's, which pays after the other two */

/* The payer of one that is contested, from a drawn one on, decides it again. */
static struct world_tx decide_some(sy_prng *prng, const unsigned *claims, unsigned count)
{
    unsigned from = (unsigned)sy_prng_below(prng, count + 1);
    uint64_t amount = sy_prng_below(prng, 4) * 10000;
    struct sy_hash p = test_hash(ORG_P);
    for (unsigned i = 0; i < count; i++) {
        unsigned claim = claims[(from + i) % count];
        struct sy_claim found = find_claim(claim);
        bool own = sy_hash_equal(&found.payer, &p);
        if (found.holds == 0 || found.status == SY_CLAIM_PAID) continue;
        return allow(own ? PAYER_P : PAYER_Q, own ? ORG_P : ORG_Q, claim, amount);
    }
    return allow(PAYER_P, ORG_P, CLAIM, amount);
}

static void do_some(sy_prng *prng, unsigned step, const int64_t *times)
{
    static unsigned claims[STEPS], count;
    if (step == 0) count = 0;
    unsigned claim = count > 0 ? claims[sy_prng_below(prng, count)] : CLAIM;
    bool q = sy_prng_chance(prng, 1, 3), third = sy_prng_chance(prng, 1, 2);
    unsigned key = q ? PAYER_Q : PAYER_P, org = q ? ORG_Q : ORG_P;
    int64_t from = times[sy_prng_below(prng, SERVICES)];
    struct world_tx tx;
    switch (sy_prng_below(prng, 8)) {
    case 0: tx = billed_at(bill_one(CLAIM + step, COVER_P, VISIT, 30000), from); break;
    case 1: tx = later_of(CLAIM + step, claim, third ? THIRD : COVER_Q, VISIT, from); break;
    case 2: tx = pay(key, org, claim); break;
    case 3: tx = reverse(GATEWAY_A, ORG_A, claim); break;
    case 4: tx = appeal(GATEWAY_A, ORG_A, claim); break;
    case 5: tx = dispute(WALLET_CLAIMED, claim); break;
    default: tx = decide_some(prng, claims, count); break;
    }
    if (tx.kind == SY_KIND_claim_submit && tx.payload.claim_submit.has_prior_claim &&
        is_there(SY_STATE_CLAIM, claim)) {
        tx = billed_at(tx, find_claim(claim).from_ms);
    }
    (void)world_submit(&world, &tx);
    bool billed = tx.kind == SY_KIND_claim_submit && world.receipt.code == SY_APPLIED;
    if (billed) claims[count++] = CLAIM + step;
}

/* Of a service, all payers together pay at most the charge; of a year, what its claims came to. */
static void assert_within_charges(const int64_t *times)
{
    uint64_t benefit = 0;
    for (unsigned service = 0; service < SERVICES; service++) {
        uint64_t paid = 0;
        for (unsigned i = 0; i < STEPS; i++) {
            if (!is_there(SY_STATE_CLAIM, CLAIM + i)) continue;
            struct sy_claim claim = find_claim(CLAIM + i);
            bool counts = claim.status == SY_CLAIM_DECIDED || claim.status == SY_CLAIM_PAID;
            if (!counts || claim.from_ms != times[service]) continue;
            struct sy_hash p = test_hash(COVER_P);
            paid += sy_claim_paid(&claim);
            if (sy_hash_equal(&claim.coverage, &p)) benefit += sy_claim_paid(&claim);
        }
        assert_true(paid <= 30000);
    }
    assert_int_equal(used_of(COVER_P).benefit, benefit);
}

CASE(no_service_is_paid_over_its_charge_however_it_is_contested)
{
    sy_prng prng;
    int64_t times[SERVICES];
    unsigned applied = 0, answered = 0;
    struct world_tx tx = cover(PAYER_Q, ORG_Q, THIRD, PLAN_Q, 3);
    sy_prng_seed(&prng, test_seed());
    money_applied(&tx);
    for (unsigned i = 0; i < SERVICES; i++) times[i] = world.header.time_ms - (int64_t)i;
    for (unsigned step = 0; step < STEPS; step++) {
        do_some(&prng, step, times);
        assert_conserved();
        if (world.receipt.code != SY_APPLIED) continue;
        applied++;
        if (world.receipt.event_count == 5) answered++; // changed
    }
    assert_within_charges(times);
    print_message("%u of %u applied, %u decisions changed\n", applied, STEPS, answered);
    assert_true(applied > STEPS / 20 && answered > 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_MONEY(who_billed_appeals_once),
        WITH_MONEY(the_patient_contests_beside_who_billed),
        WITH_MONEY(a_patient_who_was_merged_contests_what_was_billed_before),
        WITH_MONEY(a_decision_is_contested_in_time),
        WITH_MONEY(lines_are_named_in_their_order),
        WITH_MONEY(what_is_contested_is_not_paid_until_it_is_decided),
        WITH_MONEY(a_hold_ends),
        WITH_MONEY(what_is_taken_back_holds_no_more_and_never_again),
        WITH_MONEY(a_reversal_answers_a_dispute),
        WITH_MONEY(an_appeal_may_bring_more_up_to_what_was_billed),
        WITH_MONEY(a_dispute_may_bring_less_of_the_lines_it_names),
        WITH_MONEY(what_a_dispute_took_an_appeal_may_bring_back),
        WITH_MONEY(a_denial_by_the_plan_may_be_appealed),
        WITH_MONEY(a_service_that_was_billed_again_is_not_paid_twice),
        WITH_MONEY(units_go_back_with_a_line_that_is_denied_again),
        WITH_MONEY(no_service_is_paid_over_its_charge_however_it_is_contested),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
