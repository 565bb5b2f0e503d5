/* claim.pay and claim.reverse: to the cent, once, and back; and that money is conserved after every
 * block of a long disorderly run. */
#include <stdio.h>

#include "core/base/prng.h"
#include "tests/unit/money_rig.h"

#define VISIT "1/hc:99213/1/30000/11/A"

/* A claim that P is to pay 144.00 for. */
static void bill_visit(unsigned claim)
{
    struct world_tx tx = bill_one(claim, COVER_P, VISIT, 30000);
    money_applied(&tx);
    struct sy_claim found = find_claim(CLAIM);
    assert_int_equal(sy_claim_paid(&found), 14400);
}

static struct sy_payment find_payment(unsigned claim)
{
    struct sy_hash id = test_hash(claim), place;
    struct sy_slice value;
    struct sy_payment payment;
    sy_state_key_id(&place, SY_STATE_PAYMENT, &id);
    assert_true(world_find(&world, &value, &place));
    assert_true(sy_payment_decode(&payment, value));
    return payment;
}

static struct sy_remittance find_remittance(unsigned org, uint64_t number)
{
    struct sy_hash id = test_hash(org), place;
    struct sy_slice value;
    struct sy_remittance remittance;
    sy_state_key_numbered(&place, SY_STATE_REMITTANCE, &id, number);
    assert_true(world_find(&world, &value, &place));
    assert_true(sy_remittance_decode(&remittance, value));
    return remittance;
}

CASE(a_claim_is_paid_once)
{
    bill_visit(CLAIM);
    assert_false(is_there(SY_STATE_PAYMENT, CLAIM));
    struct world_tx tx = pay(PAYER_Q, ORG_Q, CLAIM);
    money_refused(&tx, SY_E_NOT_PAYER);
    assert_detail(ORG_P);
    tx = pay(PAYER_P, ORG_P, CLAIM + 1);
    money_refused(&tx, SY_E_CLAIM_UNKNOWN);
    tx = pay(PAYER_P, ORG_P, CLAIM);
    money_applied(&tx);
    assert_int_equal(world.receipt.event_count, 2);
    assert_int_equal(balance_of(ORG_A), 14400);
    assert_int_equal(balance_of(ORG_P), -14400);
    assert_int_equal(find_payment(CLAIM).amount, 14400);
    assert_int_equal(find_remittance(ORG_A, 1).amount, 14400);
    assert_int_equal(find_claim(CLAIM).status, SY_CLAIM_PAID);
    tx = pay(PAYER_P, ORG_P, CLAIM);
    money_refused(&tx, SY_E_ALREADY_PAID);
    assert_detail(CLAIM);
}

CASE(shares_sum_up)
{
    bill_visit(CLAIM);
    struct world_tx tx = pay(PAYER_P, ORG_P, CLAIM);
    add_share(&tx, ORG_A, 3333);
    add_share(&tx, ORG_B, 6666);
    money_refused(&tx, SY_E_SPLIT);
    assert_int_equal(world.receipt.detail, 9999);
    tx = pay(PAYER_P, ORG_P, CLAIM);
    add_share(&tx, ORG_A, 3333);
    tx.payload.claim_pay.shares.size = 4;
    money_refused(&tx, SY_E_SPLIT);
    tx = pay(PAYER_P, ORG_P, CLAIM);
    add_share(&tx, ORG_A, UINT64_MAX);
    add_share(&tx, ORG_B, 10001);
    money_refused(&tx, SY_E_SPLIT); // and does not wrap round
    tx = pay(PAYER_P, ORG_P, CLAIM);
    add_share(&tx, ORG_A, 3333);
    add_share(&tx, ORG_NONE, 6667);
    money_refused(&tx, SY_E_PAYEE);
    assert_detail(ORG_NONE);
    tx = pay(PAYER_P, ORG_P, CLAIM);
    add_share(&tx, ORG_P, 10000);
    money_refused(&tx, SY_E_PAYEE); // not to itself
    tx = pay(PAYER_P, ORG_P, CLAIM);
    add_share(&tx, ORG_A, 1111);
    add_share(&tx, ORG_B, 8889);
    money_applied(&tx);
    assert_int_equal(balance_of(ORG_A), 1600); // 1,599.84, and the cent that remains
    assert_int_equal(balance_of(ORG_B), 12800);
}

CASE(shares_may_be_amounts)
{
    bill_visit(CLAIM);
    struct world_tx tx = pay(PAYER_P, ORG_P, CLAIM);
    tx.payload.claim_pay.by_amount = true;
    add_share(&tx, ORG_A, 14399);
    add_share(&tx, ORG_B, 2);
    money_refused(&tx, SY_E_SPLIT);
    assert_int_equal(world.receipt.detail, 14401);
    tx = pay(PAYER_P, ORG_P, CLAIM);
    tx.payload.claim_pay.by_amount = true;
    add_share(&tx, ORG_A, 14399);
    add_share(&tx, ORG_B, 1);
    money_applied(&tx);
    assert_int_equal(balance_of(ORG_B), 1);
}

CASE(who_is_suspended_is_paid_nothing)
{
    bill_visit(CLAIM);
    struct world_tx tx = world_tx_of(SY_KIND_org_suspend, REGULATOR_1, 0);
    world_cosign(&tx, REGULATOR_2);
    tx.payload.org_suspend.org_id = test_hash(ORG_B);
    tx.payload.org_suspend.reason = SY_SUSPEND_FRAUD;
    money_applied(&tx);
    tx = pay(PAYER_P, ORG_P, CLAIM);
    add_share(&tx, ORG_A, 5000);
    add_share(&tx, ORG_B, 5000);
    money_refused(&tx, SY_E_PAYEE);
    assert_detail(ORG_B);
}

CASE(a_reversal_takes_back_every_amount_once)
{
    bill_visit(CLAIM);
    struct world_tx tx = pay(PAYER_P, ORG_P, CLAIM);
    add_share(&tx, ORG_A, 3333);
    add_share(&tx, ORG_B, 6667);
    money_applied(&tx);
    tx = reverse(GATEWAY_B, ORG_B, CLAIM); // has its share, but billed nothing
    money_refused(&tx, SY_E_NOT_PROVIDER);
    assert_detail(ORG_A);
    tx = reverse(PAYER_Q, ORG_Q, CLAIM);
    money_refused(&tx, SY_E_NOT_PROVIDER);
    tx = reverse(PAYER_P, ORG_P, CLAIM);
    money_applied(&tx);
    assert_int_equal(world.receipt.event_count, 4);
    assert_int_equal(balance_of(ORG_A), 0);
    assert_int_equal(balance_of(ORG_B), 0);
    assert_int_equal(balance_of(ORG_P), 0);
    assert_int_equal(find_remittance(ORG_B, 2).amount, -find_remittance(ORG_B, 1).amount);
    struct sy_payment payment = find_payment(CLAIM);
    assert_true(payment.reversed);
    assert_int_equal(payment.reversed_height, world.header.height);
    tx = reverse(PAYER_P, ORG_P, CLAIM);
    money_refused(&tx, SY_E_CLAIM_STATE);
    assert_int_equal(world.receipt.detail, SY_CLAIM_REVERSED);
    tx = pay(PAYER_P, ORG_P, CLAIM);
    money_refused(&tx, SY_E_CLAIM_STATE);
}

CASE(what_was_reversed_may_be_billed_again_and_is_unused)
{
    struct world_tx tx = bill_one(CLAIM, COVER_P, VISIT, 30000);
    struct world_tx again = bill_one(CLAIM + 1, COVER_P, VISIT, 30000);
    money_applied(&tx);
    tx = reverse(GATEWAY_A, ORG_A, CLAIM);
    money_applied(&tx);
    again = bill_one(CLAIM + 1, COVER_P, VISIT, 30000);
    again.payload.claim_submit.from = find_claim(CLAIM).from_ms;
    again.payload.claim_submit.until = find_claim(CLAIM).from_ms;
    money_applied(&again);
    struct sy_claim claim = find_claim(CLAIM + 1);
    assert_int_equal(claim.lines[0].deductible, 10000); // met by nothing that stands
    assert_int_equal(sy_claim_paid(&claim), 14400);
}

// --- disorder ----------------------------------------------------------------------------------

#define STEPS 600u
#define CLAIMS 60u

static void submit_some(sy_prng *prng, unsigned claim, const int64_t *times)
{
    char line[64];
    uint64_t charge = 1 + sy_prng_below(prng, 60000);
    unsigned service = (unsigned)sy_prng_below(prng, CLAIMS);
    (void)snprintf(line, sizeof line, "1/hc:99213/1/%llu/11/A", (unsigned long long)charge);
    bool second = sy_prng_chance(prng, 1, 3);
    struct world_tx tx = bill_one(claim, second ? COVER_Q : COVER_P, line, charge);
    tx.payload.claim_submit.from = tx.payload.claim_submit.until = times[service];
    if (second) {
        unsigned prior = CLAIM + (unsigned)sy_prng_below(prng, STEPS);
        if (is_there(SY_STATE_CLAIM, prior)) { // for the same service and charge
            struct sy_claim found = find_claim(prior);
            (void)snprintf(line, sizeof line, "1/hc:99213/1/%llu/11/A",
                           (unsigned long long)found.lines[0].charge);
            world.lists.used = 0;
            tx = bill_one(claim, COVER_Q, line, found.lines[0].charge);
            tx.payload.claim_submit.from = tx.payload.claim_submit.until = found.from_ms;
            tx.payload.claim_submit.has_prior_claim = true;
            tx.payload.claim_submit.prior_claim = test_hash(prior);
        }
    }
    (void)world_submit(&world, &tx);
}

static void pay_some(sy_prng *prng, unsigned claim)
{
    bool p = sy_prng_chance(prng, 2, 3);
    struct world_tx tx = pay(p ? PAYER_P : PAYER_Q, p ? ORG_P : ORG_Q, claim);
    uint64_t share = sy_prng_below(prng, SY_BASIS_POINTS + 1);
    if (sy_prng_chance(prng, 1, 2)) {
        add_share(&tx, ORG_A, share);
        add_share(&tx, ORG_B, SY_BASIS_POINTS - share);
    }
    (void)world_submit(&world, &tx);
}

/* All payers of a service together. */
static void assert_never_over_charge(unsigned claims)
{
    for (unsigned i = 0; i < claims; i++) {
        if (!is_there(SY_STATE_CLAIM, CLAIM + i)) continue;
        struct sy_claim claim = find_claim(CLAIM + i);
        uint64_t sum = sy_claim_paid(&claim) + claim.lines[0].prior;
        assert_true(sum <= sy_claim_charge(&claim));
    }
}

CASE(money_is_conserved_after_every_block)
{
    sy_prng prng;
    int64_t times[CLAIMS];
    unsigned applied = 0;
    sy_prng_seed(&prng, test_seed());
    for (unsigned i = 0; i < CLAIMS; i++) times[i] = world.header.time_ms - (int64_t)i;
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned claim = CLAIM + (unsigned)sy_prng_below(&prng, step + 1);
        switch (sy_prng_below(&prng, 4)) {
        case 0:
        case 1: submit_some(&prng, CLAIM + step, times); break;
        case 2: pay_some(&prng, claim); break;
        default: {
            struct world_tx tx = reverse(GATEWAY_A, ORG_A, claim);
            (void)world_submit(&world, &tx);
        }
        }
        if (world.receipt.code == SY_APPLIED) applied++;
        assert_conserved();
    }
    assert_never_over_charge(STEPS);
    print_message("%u of %u applied\n", applied, STEPS);
    assert_true(applied > STEPS / 20);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_MONEY(a_claim_is_paid_once),
        WITH_MONEY(shares_sum_up),
        WITH_MONEY(shares_may_be_amounts),
        WITH_MONEY(who_is_suspended_is_paid_nothing),
        WITH_MONEY(a_reversal_takes_back_every_amount_once),
        WITH_MONEY(what_was_reversed_may_be_billed_again_and_is_unused),
        WITH_MONEY(money_is_conserved_after_every_block),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
