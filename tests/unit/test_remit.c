/* test_remit.c: what the ledger says was paid, as an 835: made of state that the contracts wrote,
 * read again by the reader of X12, and balanced to the cent. */
#include <stdio.h>
#include <stdlib.h>

#include "core/client/remit.h"
#include "core/client/x12_check.h"
#include "tests/unit/money_rig.h"

#define VISIT "1/hc:99213/1/30000/11/A"
#define NOW_MS 1795955400000 /* 2026-11-29T12:30Z */

static struct sy_remit remits[8];
static struct sy_remit_to to;

static void take(size_t place, unsigned org, uint64_t number)
{
    struct sy_hash id = test_hash(org), at;
    struct sy_slice value;
    struct sy_remit *remit = &remits[place];
    sy_state_key_numbered(&at, SY_STATE_REMITTANCE, &id, number);
    assert_true(world_find(&world, &value, &at));
    assert_true(sy_remittance_decode(&remit->remittance, value));
    sy_state_key_id(&at, SY_STATE_CLAIM, &remit->remittance.claim);
    assert_true(world_find(&world, &value, &at));
    assert_true(sy_claim_decode(&remit->claim, value));
    remit->number = number;
}

/* What X12's reader finds in it. */
struct found {
    struct sy_x12_loops loops;
    unsigned claims, reversals, sets;
    int64_t payment, paid, charged, adjusted, held_back, owes;
};

static void take_fact(void *self, const struct sy_x12_fact *fact)
{
    struct found *found = (struct found *)self;
    assert_true(fact->good);
    if (strcmp(fact->name, "payment") == 0) found->payment += fact->cents;
    if (strcmp(fact->name, "paid") == 0) found->paid += fact->cents;
    if (strcmp(fact->name, "charge") == 0) found->charged += fact->cents;
    if (strcmp(fact->name, "adjusted") == 0) found->adjusted += fact->cents;
    if (strcmp(fact->name, "held_back") == 0) found->held_back += fact->cents;
    if (strcmp(fact->name, "patient_owes") == 0) found->owes += fact->cents;
    if (strcmp(fact->name, "status") == 0) {
        found->claims++;
        found->reversals += sy_slice_equal(fact->value, sy_slice_of("22", 2));
    }
}

static void note(void *self, const struct sy_x12_issue *issue)
{
    (void)self;
    fail_msg("segment %llu: %s", (unsigned long long)issue->segment, issue->text);
}

/* Writes the first `count` of them, as X12's reader has it. The caller frees the text. */
static char *written(struct found *found, size_t count)
{
    char *text = NULL, why[SY_X12_TEXT_BYTES];
    size_t size = 0;
    bool opened;
    struct sy_error err;
    struct sy_x12_totals totals;
    struct sy_x12_segment segment;
    if (sy_remit_write(&text, &size, remits, count, &to, &err) != SY_OK) fail_msg("%s", err.text);
    assert_true(sy_x12_check(&totals, sy_slice_of(text, size), note, NULL));
    assert_int_equal(totals.remitted, count);
    assert_int_equal(totals.balanced, count);
    memset(found, 0, sizeof *found);
    struct sy_x12_reader reader = {.document = sy_slice_of(text, size)};
    while (sy_x12_next(&reader, &segment, why) == SY_X12_SEGMENT) {
        if (sy_x12_is(&segment, "ST")) {
            sy_x12_loops_begin(&found->loops, &segment, sy_slice_of(NULL, 0));
            found->sets++;
        } else if (found->sets > 0) {
            assert_true(sy_x12_loops_take(&found->loops, &opened, why, &segment));
            sy_x12_facts(&found->loops, &reader, &segment, take_fact, found);
        }
    }
    char *whole = realloc(text, size + 1);
    assert_non_null(whole);
    whole[size] = '\0';
    return whole;
}

static void pay_visit(unsigned claim, const char *line)
{
    struct world_tx tx = bill_one(claim, COVER_P, line, 30000);
    money_applied(&tx);
    tx = pay(PAYER_P, ORG_P, claim);
    money_applied(&tx);
}

static int set_up_remits(void **state)
{
    memset(remits, 0, sizeof remits);
    to = (struct sy_remit_to){.payee = test_hash(ORG_A),
                              .sender = "SYSTOLE",
                              .receiver = "CLINIC",
                              .control = 7,
                              .now_ms = NOW_MS};
    return set_up_money(state);
}
#define CASE_OF(name) cmocka_unit_test_setup_teardown(name, set_up_remits, tear_down)

CASE(a_payment_and_its_reversal_balance)
{
    struct found found;
    pay_visit(CLAIM, VISIT);
    take(0, ORG_A, 1);
    char *text = written(&found, 1);
    assert_int_equal(found.payment, 14400);
    assert_int_equal(found.charged, 30000);
    assert_int_equal(found.adjusted, 15600);
    assert_int_equal(found.owes, 15600); // deductible 100.00, copay 20.00, 20 % of the rest
    assert_int_equal(found.held_back, 0);
    assert_non_null(strstr(text, "BPR*I*144.00*C*NON************20261129~"));
    assert_non_null(strstr(text, "CAS*PR*1*100.00**2*36.00**3*20.00~"));
    free(text);
    struct world_tx tx = reverse(PAYER_P, ORG_P, CLAIM);
    money_applied(&tx);
    take(0, ORG_A, 1);
    take(1, ORG_A, 2);
    text = written(&found, 2);
    assert_int_equal(found.claims, 2);
    assert_int_equal(found.reversals, 1);
    assert_int_equal(found.payment + found.paid + found.charged + found.adjusted, 0);
    assert_non_null(strstr(text, "*22*-300.00*-144.00**ZZ*"));
    assert_non_null(strstr(text, "CAS*PR*1*-100.00**2*-36.00**3*-20.00~"));
    free(text);
    remits[0] = remits[1]; // what is taken back alone is carried forward
    text = written(&found, 1);
    assert_int_equal(found.payment, 0);
    assert_int_equal(found.paid, -14400);
    assert_int_equal(found.held_back, -14400);
    free(text);
}

CASE(what_others_share_is_held_back)
{
    struct found found;
    struct world_tx tx = bill_one(CLAIM, COVER_P, VISIT, 30000);
    money_applied(&tx);
    tx = pay(PAYER_P, ORG_P, CLAIM);
    add_share(&tx, ORG_A, 1111);
    add_share(&tx, ORG_B, 8889);
    money_applied(&tx);
    take(0, ORG_A, 1);
    char *text = written(&found, 1);
    assert_int_equal(found.payment, 1600);
    assert_int_equal(found.paid, 14400);
    assert_int_equal(found.held_back, 12800);
    free(text);
    take(0, ORG_B, 1);
    text = written(&found, 1);
    assert_int_equal(found.payment, 12800);
    assert_int_equal(found.held_back, 1600);
    free(text);
}

CASE(each_payer_has_a_set_of_its_own)
{
    struct found found;
    pay_visit(CLAIM, VISIT);
    pay_visit(CLAIM + 1, "1/hc:99214/1/30000/11/A");
    take(0, ORG_A, 1);
    take(1, ORG_A, 2);
    take(2, ORG_A, 1);
    remits[2].remittance.payer = remits[2].claim.payer = test_hash(ORG_Q);
    char *text = written(&found, 3);
    assert_int_equal(found.sets, 2);
    assert_int_equal(found.claims, 3);
    assert_int_equal(found.payment, remits[0].remittance.amount + remits[1].remittance.amount +
                                        remits[2].remittance.amount);
    assert_non_null(strstr(text, "ST*835*0007~"));
    assert_non_null(strstr(text, "ST*835*0008~"));
    assert_non_null(strstr(text, "TRN*1*1-2*1"));
    free(text);
}

static void expect_refused(sy_status status, const char *words)
{
    char *text = NULL;
    size_t size;
    struct sy_error err;
    assert_int_equal(sy_remit_write(&text, &size, remits, 1, &to, &err), status);
    if (strstr(err.text, words) == NULL) fail_msg("%s", err.text);
    assert_null(text);
}

CASE(what_does_not_balance_is_not_written)
{
    pay_visit(CLAIM, VISIT);
    take(0, ORG_A, 1);
    const struct sy_remit good = remits[0];
    remits[0].claim.lines[0].deductible += 30000;
    expect_refused(SY_ERR_CORRUPT, "remittance 1 is not what its claim came to");
    remits[0] = good;
    remits[0].claim.payer = test_hash(ORG_Q);
    expect_refused(SY_ERR_CORRUPT, "remittance 1");
    remits[0] = good;
    remits[0].remittance.amount = 14401;
    expect_refused(SY_ERR_CORRUPT, "remittance 1");
    remits[0].remittance.amount = -14400; // it was not reversed
    expect_refused(SY_ERR_CORRUPT, "remittance 1");
    remits[0] = good;
    to.sender = "A*B";
    expect_refused(SY_ERR_ARGUMENT, "sender and receiver");
    to.sender = "SYSTOLE";
    to.npi = "12345";
    expect_refused(SY_ERR_ARGUMENT, "ten digits");
    to.npi = NULL;
    to.payee_name = "CLINIC~";
    expect_refused(SY_ERR_ARGUMENT, "payee's name");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE_OF(a_payment_and_its_reversal_balance),
        CASE_OF(what_others_share_is_held_back),
        CASE_OF(each_payer_has_a_set_of_its_own),
        CASE_OF(what_does_not_balance_is_not_written),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
