/* The arithmetic of claims: lines and rows have one form, edits deny in their order, what a line
 * comes to always balances, all payers together never pay more than the charge, and splits lose no
 * cent. */
#include "core/base/prng.h"
#include "core/ledger/contracts/claim_rules.h"
#include "tests/support/test.h"

#define CLAIMS 1000000u

static struct sy_slice text_of(const char *text)
{
    return sy_slice_of(text, strlen(text));
}

static enum sy_line_verdict parse(struct sy_claim_line *line, const char *text)
{
    return sy_claim_line_parse(line, text_of(text), 1, 2);
}

CASE(a_line_is_read_as_it_stands)
{
    struct sy_claim_line line;
    assert_int_equal(parse(&line, "1/hc:99213:25:59/3/12500/11/AB"), SY_LINE_GOOD);
    assert_true(sy_slice_equal(line.code, text_of("hc:99213")));
    assert_true(sy_slice_equal(line.composite, text_of("hc:99213:25:59")));
    assert_true(sy_slice_equal(line.modifiers, text_of("25:59")));
    assert_int_equal(line.units, 3);
    assert_int_equal(line.charge, 12500);
    assert_int_equal(line.pointers, 3);
    assert_int_equal(line.link_kind, SY_LINK_NONE);
    assert_int_equal(line.prior, 0);
    assert_int_equal(parse(&line, "1/n4:0093-7146/1/999/01/B/rx:00000000000000000000000000000000"
                                  "000000000000000000000000000000ff/prior:998"),
                     SY_LINE_GOOD);
    assert_int_equal(line.link_kind, SY_LINK_PRESCRIPTION);
    assert_int_equal(line.link.bytes[31], 0xff);
    assert_int_equal(line.prior, 998);
    assert_int_equal(line.modifiers.size, 0);
}

CASE(a_line_has_one_form_alone)
{
    static const char *const bad[] = {
        "",
        "2/hc:99213/1/100/11/A",  /* another number than its place */
        "01/hc:99213/1/100/11/A", /* zeros in front */
        "1/hc:99213/01/100/11/A",
        "1/hc:99213/0/100/11/A",          /* no units */
        "1/hc:99213/4294967296/100/11/A", /* too many */
        "1/hc:99213/1/-100/11/A",
        "1/hc:99213/1/1.00/11/A", /* minor units are whole */
        "1/hc:99213/1//11/A",
        "1/HC:99213/1/100/11/A",
        "1/99213/1/100/11/A",
        "1/hc:/1/100/11/A",
        "1/hc:9921a/1/100/11/A",
        "1/hc:99213:2/1/100/11/A",
        "1/hc:99213:25:26:27:28:29/1/100/11/A",
        "1/hc:12345678901234567/1/100/11/A",
        "1/hc:99213/1/100/1/A",
        "1/hc:99213/1/100/11/",
        "1/hc:99213/1/100/11/C", /* there are two diagnoses */
        "1/hc:99213/1/100/11/BA",
        "1/hc:99213/1/100/11/AA",
        "1/hc:99213/1/100/11/A/",
        "1/hc:99213/1/100/11/A/prior:0",
        "1/hc:99213/1/100/11/A/prior:101", /* more than the charge */
        "1/hc:99213/1/100/11/A/record:12",
        "1/hc:99213/1/100/11/A/prior:1/prior:1",
        "1/hc:99213/1/100/11",
        "1/hc:99213/1/99999999999999999999/11/A",
    };
    struct sy_claim_line line;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (parse(&line, bad[i]) != SY_LINE_BAD) fail_msg("taken: %s", bad[i]);
    }
    assert_int_equal(parse(&line, "1/hc:99213/1/1000000000000000/11/A"), SY_LINE_GOOD);
    assert_int_equal(parse(&line, "1/hc:99213/1/1000000000000001/11/A"), SY_LINE_MONEY);
}

CASE(a_row_has_one_form_alone)
{
    static const char *const bad[] = {"",
                                      "=1",
                                      "a",
                                      "a=",
                                      "a=01",
                                      "a=1+",
                                      "a=1+review",
                                      "a=1+reviewed+capitated",
                                      "a=1=2",
                                      "a=-1",
                                      "a=1000000000000001",
                                      "a=1+capitated+capitated"};
    struct sy_schedule_row row;
    struct sy_slice key;
    assert_true(sy_row_parse(&key, &row, text_of("hc:99213=12500+authorised+reviewed")));
    assert_true(sy_slice_equal(key, text_of("hc:99213")));
    assert_int_equal(row.value, 12500);
    assert_int_equal(row.flags, SY_ROW_AUTHORISED | SY_ROW_REVIEWED);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (sy_row_parse(&key, &row, text_of(bad[i]))) fail_msg("taken: %s", bad[i]);
    }
}

// --- keys --------------------------------------------------------------------------------------

static void key_of(struct sy_hash *key, const char *const *texts, unsigned count, int64_t from)
{
    struct sy_claim_service service = {.service_class = 1, .from_ms = from, .until_ms = 9};
    struct sy_claim_line lines[4];
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(sy_claim_line_parse(&lines[i], text_of(texts[i]), i + 1, 2), SY_LINE_GOOD);
    }
    sy_claim_key(key, &service, lines, count);
}

CASE(a_service_is_known_whatever_is_charged_and_in_whatever_order)
{
    static const char *const first[] = {"1/hc:99213/1/100/11/A", "2/hc:85025/1/200/11/A"};
    static const char *const turned[] = {"1/hc:85025/2/7/22/B", "2/hc:99213/9/8/11/A"};
    static const char *const other[] = {"1/hc:99213:25/1/100/11/A", "2/hc:85025/1/200/11/A"};
    struct sy_hash a, b, c, d, e;
    key_of(&a, first, 2, 1);
    key_of(&b, turned, 2, 1);
    key_of(&c, other, 2, 1);
    key_of(&d, first, 1, 1);
    key_of(&e, first, 2, 2);
    assert_memory_equal(a.bytes, b.bytes, 32);
    assert_memory_not_equal(a.bytes, c.bytes, 32);
    assert_memory_not_equal(a.bytes, d.bytes, 32);
    assert_memory_not_equal(a.bytes, e.bytes, 32);
}

// --- edits -------------------------------------------------------------------------------------

struct table_row {
    uint16_t kind;
    const char *text;
};

static const struct table_row table[] = {
    {SY_SCHEDULE_FEES, "hc:99213=8000"},
    {SY_SCHEDULE_FEES, "hc:99214=9000"},
    {SY_SCHEDULE_FEES, "hc:85025=500"},
    {SY_SCHEDULE_FEES, "hc:70551=30000+authorised"},
    {SY_SCHEDULE_FEES, "hc:99499=50000+reviewed"},
    {SY_SCHEDULE_FEES, "hc:G0463=1000+capitated"},
    {SY_SCHEDULE_PAIRS, "hc:99213/hc:99214=10"}, /* 99214 not beside 99213, never */
    {SY_SCHEDULE_PAIRS, "hc:85025/hc:99213=1"},  /* 85025 not beside it without a modifier */
    {SY_SCHEDULE_PAIRS, "hc:85025/hc:99214=19"}, /* no more */
    {SY_SCHEDULE_UNITS, "hc:85025=2"},
};

static bool find_row(void *self, struct sy_schedule_row *row, uint16_t kind, struct sy_slice key)
{
    (void)self;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct sy_slice own;
        if (table[i].kind != kind) continue;
        assert_true(sy_row_parse(&own, row, text_of(table[i].text)));
        if (sy_slice_equal(own, key)) return true;
    }
    return false;
}

static struct sy_claim_result results[4];

/* units: of an authorisation of hc:70551 and hc:85025 that are left; 0: there is none. */
static bool edit(const char *const *texts, unsigned count, uint64_t units)
{
    static uint8_t room[64];
    struct sy_writer codes = sy_writer_of(room, sizeof room);
    struct sy_claim_lists lists = {.find = find_row,
                                   .has = {false, true, true, true, false, false},
                                   .authorised_units = units};
    struct sy_claim_line lines[4];
    if (units > 0) {
        sy_list_add_text(&lists.authorised, &codes, text_of("hc:85025"));
        sy_list_add_text(&lists.authorised, &codes, text_of("hc:70551"));
    }
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(sy_claim_line_parse(&lines[i], text_of(texts[i]), i + 1, 2), SY_LINE_GOOD);
    }
    return sy_claim_edit(results, lines, count, &lists);
}

CASE(edits_deny_lines_with_their_codes)
{
    static const char *const singles[] = {"1/hc:G0463/1/100/11/A", "2/hc:70551/1/40000/11/A",
                                          "3/hc:00000/1/100/11/A", "4/hc:85025/3/900/11/A"};
    assert_false(edit(singles, 4, 0));
    assert_int_equal(results[0].reason, SY_CARC_CAPITATED);
    assert_int_equal(results[1].reason, SY_CARC_UNAUTHORISED);
    assert_int_equal(results[2].reason, SY_CARC_NOT_COVERED);
    assert_int_equal(results[3].reason, SY_CARC_UNITS);
    assert_false(edit(singles, 2, 1));
    assert_int_equal(results[1].reason, 0);
    assert_int_equal(results[1].limit, 30000);
    assert_int_equal(results[1].authorised, 1);
}

CASE(units_of_an_authorisation_are_taken_in_order)
{
    static const char *const texts[] = {"1/hc:70551/2/100/11/A", "2/hc:70551/2/100/11/A",
                                        "3/hc:70551:26/1/100/11/A", "4/hc:85025/1/100/11/A"};
    assert_false(edit(texts, 4, 3));
    assert_int_equal(results[0].authorised, 2);
    assert_int_equal(results[1].reason, SY_CARC_UNAUTHORISED); // one is left
    assert_int_equal(results[1].authorised, 0);
    assert_int_equal(results[2].reason, 0);
    assert_int_equal(results[2].authorised, 1);
    assert_int_equal(results[3].authorised, 0); // it needs none
    assert_false(edit(texts, 4, 5));
    assert_int_equal(results[1].authorised, 2);
    assert_true(sy_claim_code_good(text_of("hc:70551")));
    assert_false(sy_claim_code_good(text_of("hc:70551:26")));
    assert_false(sy_claim_code_good(text_of("70551")));
    assert_false(sy_claim_code_good(text_of("hc:7055a")));
}

CASE(units_of_a_code_count_together)
{
    static const char *const texts[] = {"1/hc:85025/1/900/11/A", "2/hc:85025/1/900/11/A",
                                        "3/hc:85025/1/900/11/A"};
    assert_false(edit(texts, 3, 0));
    assert_int_equal(results[0].reason, 0);
    assert_int_equal(results[1].reason, 0);
    assert_int_equal(results[2].reason, SY_CARC_UNITS);
    assert_int_equal(results[0].limit, 500);
}

CASE(pairs_are_denied_unless_a_modifier_or_the_list_lets_them)
{
    static const char *const never[] = {"1/hc:99214:59/1/100/11/A", "2/hc:99213/1/100/11/A"};
    static const char *const bare[] = {"1/hc:99213/1/100/11/A", "2/hc:85025/1/100/11/A"};
    static const char *const apart[] = {"1/hc:99213/1/100/11/A", "2/hc:85025:59/1/100/11/A"};
    static const char *const wrong[] = {"1/hc:99213:TC/1/100/11/A", "2/hc:85025:50/1/100/11/A"};
    static const char *const ended[] = {"1/hc:85025/1/100/11/A", "2/hc:99214/1/100/11/A"};
    assert_false(edit(never, 2, 0));
    assert_int_equal(results[0].reason, SY_CARC_PAIR);
    assert_int_equal(results[0].other, 2);
    assert_int_equal(results[1].reason, 0);
    assert_false(edit(bare, 2, 0));
    assert_int_equal(results[1].reason, SY_CARC_PAIR);
    assert_int_equal(results[1].other, 1);
    assert_false(edit(apart, 2, 0));
    assert_int_equal(results[1].reason, 0);
    assert_false(edit(wrong, 2, 0));
    assert_int_equal(results[1].reason, SY_CARC_PAIR);
    assert_false(edit(ended, 2, 0));
    assert_int_equal(results[0].reason + results[1].reason, 0);
}

CASE(what_is_reviewed_is_the_payers)
{
    static const char *const texts[] = {"1/hc:99499/1/60000/11/A"};
    assert_true(edit(texts, 1, 0));
    assert_int_equal(results[0].reason, 0);
    assert_int_equal(results[0].limit, 50000);
}

// --- prices ------------------------------------------------------------------------------------

static const struct sy_plan plan = {.deductible = 10000,
                                    .copays = {2000, 0, 0, 0},
                                    .coinsurance_bp = 2000,
                                    .out_of_pocket_max = 30000,
                                    .benefit_max = 200000};

static void price_one(struct sy_claim_result *line, struct sy_used *used, uint64_t charge,
                      uint64_t limit, uint64_t prior)
{
    *line = (struct sy_claim_result){.charge = charge, .limit = limit, .prior = prior};
    sy_claim_price(line, 1, used, &plan, SY_SERVICE_OFFICE);
    assert_true(sy_claim_result_balances(line));
}

CASE(a_plan_pays_after_deductible_copay_and_coinsurance)
{
    struct sy_claim_result line;
    struct sy_used used = {.deductible = 0};
    price_one(&line, &used, 50000, 40000, 0);
    assert_int_equal(line.contractual, 10000);
    assert_int_equal(line.deductible, 10000);
    assert_int_equal(line.copay, 2000);
    assert_int_equal(line.coinsurance, 5600); // 20 % of 280.00
    assert_int_equal(sy_claim_result_paid(&line), 22400);
    assert_int_equal(used.deductible, 10000);
    assert_int_equal(used.out_of_pocket, 17600);
    assert_int_equal(used.benefit, 22400);
    price_one(&line, &used, 100000, 100000, 0); // the deductible is met, 124.00 left of the year
    assert_int_equal(line.deductible, 0);
    assert_int_equal(line.copay + line.coinsurance, 12400);
    assert_int_equal(line.copay, 2000);
    assert_int_equal(sy_claim_result_paid(&line), 87600);
    price_one(&line, &used, 100000, 100000, 0); // nothing is the patient's; 900.00 of benefit left
    assert_int_equal(line.copay + line.coinsurance, 0);
    assert_int_equal(line.beyond, 10000);
    assert_int_equal(sy_claim_result_paid(&line), 90000);
    assert_int_equal(sy_claim_result_patient(&line), 10000);
}

CASE(earlier_payments_come_first)
{
    struct sy_claim_result line;
    struct sy_used used = {.deductible = 10000};
    price_one(&line, &used, 50000, 40000, 39000);
    assert_int_equal(sy_claim_result_prior(&line), 39000);
    assert_int_equal(sy_claim_result_paid(&line), 1000); // 400.00 less what was paid
    assert_int_equal(sy_claim_result_patient(&line), 0);
    price_one(&line, &used, 50000, 40000, 45000); // more than is allowed here
    assert_int_equal(sy_claim_result_prior(&line), 40000);
    assert_int_equal(sy_claim_result_paid(&line), 0);
    price_one(&line, &used, 50000, 40000, 5000);
    assert_int_equal(sy_claim_result_paid(&line), 30400); // as without: 400.00 - 20.00 - 76.00
    assert_int_equal(sy_claim_result_patient(&line), 4600);
}

static uint64_t draw_money(sy_prng *prng)
{
    static const uint64_t most[] = {1, 100, 10000, 1000000, SY_MONEY_MAX / 64};
    return sy_prng_below(prng, most[sy_prng_below(prng, 5)] + 1);
}

static void draw_plan(struct sy_plan *out, sy_prng *prng)
{
    memset(out, 0, sizeof *out);
    out->deductible = draw_money(prng);
    for (unsigned i = 0; i < SY_COPAYS; i++) out->copays[i] = draw_money(prng);
    out->coinsurance_bp = (uint16_t)sy_prng_below(prng, SY_BASIS_POINTS + 1);
    out->out_of_pocket_max = 1 + draw_money(prng);
    out->benefit_max = 1 + draw_money(prng);
}

/* X12 835: the line's charge less its adjustments is what is paid for it. */
static void assert_835(const struct sy_claim_result *line)
{
    uint64_t adjusted = line->reason != 0
                            ? line->charge
                            : line->contractual + sy_claim_result_prior(line) + line->deductible +
                                  line->copay + line->coinsurance + line->beyond;
    assert_true(sy_claim_result_balances(line));
    assert_true(adjusted <= line->charge);
    assert_true(line->charge - adjusted == sy_claim_result_paid(line));
    assert_true(sy_claim_result_paid(line) <= line->limit);
}

CASE(a_million_claims_balance_over_three_payers)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    for (unsigned n = 0; n < CLAIMS; n++) {
        struct sy_claim_result lines[3];
        uint64_t paid[3] = {0};
        unsigned count = 1 + (unsigned)sy_prng_below(&prng, 3);
        uint64_t charges[3];
        for (unsigned i = 0; i < count; i++) charges[i] = draw_money(&prng);
        for (unsigned payer = 0; payer < 3; payer++) {
            struct sy_plan own;
            draw_plan(&own, &prng);
            struct sy_used used = {.deductible = sy_prng_below(&prng, own.deductible + 1),
                                   .out_of_pocket = sy_prng_below(&prng, own.out_of_pocket_max + 1),
                                   .benefit = sy_prng_below(&prng, own.benefit_max + 1)};
            struct sy_used before = used;
            for (unsigned i = 0; i < count; i++) {
                lines[i] = (struct sy_claim_result){
                    .charge = charges[i], .limit = draw_money(&prng), .prior = paid[i]};
                if (sy_prng_chance(&prng, 1, 8)) lines[i].reason = SY_CARC_NOT_COVERED;
            }
            sy_claim_price(lines, count, &used, &own, (uint16_t)(1 + sy_prng_below(&prng, 7)));
            for (unsigned i = 0; i < count; i++) {
                assert_835(&lines[i]);
                paid[i] += sy_claim_result_paid(&lines[i]);
                assert_true(paid[i] <= charges[i]); // all payers together
            }
            assert_true(used.deductible <= own.deductible);
            assert_true(used.out_of_pocket <= own.out_of_pocket_max);
            assert_true(used.benefit <= own.benefit_max);
            sy_claim_release(&used, lines, count);
            assert_true(memcmp(&used, &before, sizeof used) == 0);
        }
    }
}

CASE(a_million_splits_lose_no_cent)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    for (unsigned n = 0; n < CLAIMS; n++) {
        uint64_t shares[SY_PAYEES_MAX], amounts[SY_PAYEES_MAX], sum, left = SY_BASIS_POINTS;
        uint64_t amount = draw_money(&prng), given = 0;
        unsigned count = 1 + (unsigned)sy_prng_below(&prng, SY_PAYEES_MAX);
        for (unsigned i = 0; i + 1 < count; i++) {
            shares[i] = sy_prng_below(&prng, left + 1);
            left -= shares[i];
        }
        shares[count - 1] = left;
        assert_true(sy_claim_split(amounts, &sum, shares, count, amount));
        for (unsigned i = 0; i < count; i++) {
            uint64_t exact = amount / SY_BASIS_POINTS * shares[i] +
                             amount % SY_BASIS_POINTS * shares[i] / SY_BASIS_POINTS;
            given += amounts[i];
            assert_true(amounts[i] >= exact && amounts[i] < exact + (i == 0 ? count : 1));
        }
        assert_true(given == amount);
        shares[0] ^= 1;
        assert_false(sy_claim_split(amounts, &sum, shares, count, amount));
    }
}

CASE(cents_that_remain_are_the_first_ones)
{
    const uint64_t shares[] = {3333, 3333, 3334};
    uint64_t amounts[3], sum;
    assert_true(sy_claim_split(amounts, &sum, shares, 3, 100));
    assert_int_equal(amounts[0], 34);
    assert_int_equal(amounts[1], 33);
    assert_int_equal(amounts[2], 33);
}

CASE(years_end_where_they_do)
{
    static const struct {
        int64_t days;
        uint32_t year;
    } known[] = {{0, 1970},     {364, 1970},   {365, 1971},   {10956, 1999},  {10957, 2000},
                 {11322, 2000}, {11323, 2001}, {19722, 2023}, {19723, 2024},  {20088, 2024},
                 {20089, 2025}, {47481, 2099}, {47482, 2100}, {2932896, 9999}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        assert_int_equal(sy_year_of(known[i].days * 86400000), known[i].year);
        assert_int_equal(sy_year_of(known[i].days * 86400000 + 86399999), known[i].year);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_line_is_read_as_it_stands),
        cmocka_unit_test(a_line_has_one_form_alone),
        cmocka_unit_test(a_row_has_one_form_alone),
        cmocka_unit_test(a_service_is_known_whatever_is_charged_and_in_whatever_order),
        cmocka_unit_test(edits_deny_lines_with_their_codes),
        cmocka_unit_test(units_of_an_authorisation_are_taken_in_order),
        cmocka_unit_test(units_of_a_code_count_together),
        cmocka_unit_test(pairs_are_denied_unless_a_modifier_or_the_list_lets_them),
        cmocka_unit_test(what_is_reviewed_is_the_payers),
        cmocka_unit_test(a_plan_pays_after_deductible_copay_and_coinsurance),
        cmocka_unit_test(earlier_payments_come_first),
        cmocka_unit_test(a_million_claims_balance_over_three_payers),
        cmocka_unit_test(a_million_splits_lose_no_cent),
        cmocka_unit_test(cents_that_remain_are_the_first_ones),
        cmocka_unit_test(years_end_where_they_do),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
