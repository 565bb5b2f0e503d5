/* Entries of plans, coverage, claims and payments: one encoding each, and nothing that does not
 * balance decodes. */
#include <string.h>

#include "core/wire/money.h"
#include "tests/support/network.h"
#include "tests/support/test.h"

static uint8_t room[SY_STATE_VALUE_BYTES_MAX], again_room[SY_STATE_VALUE_BYTES_MAX];
static struct sy_writer out;

/* Whatever decodes is encoded to the same bytes; cut or longer it does not decode. */
#define ONE_FORM(name, type, value)                                              \
    do {                                                                         \
        type v;                                                                  \
        out = sy_writer_of(room, sizeof room);                                   \
        sy_##name##_encode(&out, value);                                         \
        assert_false(out.failed);                                                \
        assert_true(sy_##name##_decode(&v, sy_writer_slice(&out)));              \
        struct sy_writer w = sy_writer_of(again_room, sizeof again_room);        \
        sy_##name##_encode(&w, &v);                                              \
        assert_true(sy_slice_equal(sy_writer_slice(&w), sy_writer_slice(&out))); \
        for (size_t size = 0; size < out.used; size++) {                         \
            assert_false(sy_##name##_decode(&v, sy_slice_of(room, size)));       \
        }                                                                        \
        room[out.used] = 0;                                                      \
        assert_false(sy_##name##_decode(&v, sy_slice_of(room, out.used + 1)));   \
    } while (0)

static struct sy_claim most_claim(void)
{
    struct sy_claim claim = {.patient = test_hash(1),
                             .coverage = test_hash(2),
                             .payer = test_hash(3),
                             .provider = test_hash(4),
                             .rendering = test_hash(5),
                             .key = test_hash(6),
                             .status = SY_CLAIM_PAID,
                             .service_class = SY_SERVICE_OTHER,
                             .holds = 1,
                             .fraud = 6,
                             .cleared = 2,
                             .minutes = 3,
                             .from_ms = 7,
                             .until_ms = 8,
                             .decided_ms = 9,
                             .height = 10,
                             .has_prior = true,
                             .prior = test_hash(11),
                             .has_auth = true,
                             .auth = test_hash(12),
                             .outside = true,
                             .line_count = SY_CLAIM_LINES_MAX};
    for (unsigned i = 0; i < SY_CLAIM_LINES_MAX; i++) {
        claim.lines[i] = (struct sy_claim_result){.charge = 100,
                                                  .limit = 90,
                                                  .contractual = 10,
                                                  .deductible = 1,
                                                  .copay = 2,
                                                  .coinsurance = 3,
                                                  .beyond = 4,
                                                  .prior = 5,
                                                  .authorised = 6,
                                                  .place = (uint8_t)(i + 1)};
    }
    claim.lines[1] = (struct sy_claim_result){
        .reason = SY_CARC_NOT_COVERED, .other = 1, .charge = 50, .prior = 20, .place = 2};
    return claim;
}

CASE(entries_have_one_form)
{
    struct sy_plan plan = {test_hash(1), 2,  {3, 4, 5, 6},       7,  8,   9,
                           10,           11, {0, 1, 2, 3, 4, 5}, 12, true};
    ONE_FORM(plan, struct sy_plan, &plan);
    struct sy_coverage coverage = {test_hash(1), test_hash(2), test_hash(3), 4, 5, 9, 6, 7};
    ONE_FORM(coverage, struct sy_coverage, &coverage);
    struct sy_coverages coverages = {.count = SY_COVERAGES_MAX};
    for (unsigned i = 0; i < SY_COVERAGES_MAX; i++) coverages.spans[i].coverage = test_hash(i);
    ONE_FORM(coverages, struct sy_coverages, &coverages);
    struct sy_used used = {1, 2, 3};
    ONE_FORM(used, struct sy_used, &used);
    struct sy_claim claim = most_claim();
    ONE_FORM(claim, struct sy_claim, &claim);
    assert_true(out.used <= SY_STATE_VALUE_BYTES_MAX);
    struct sy_balance balance = {-5, 6, 7}, large = {-((sy_sum)5 << 80) - 3, 6, 7}, read;
    ONE_FORM(balance, struct sy_balance, &balance);
    ONE_FORM(balance, struct sy_balance, &large);
    assert_true(sy_balance_decode(&read, sy_writer_slice(&out)) && read.amount == large.amount);
    sy_store_u64(room + 8, (uint64_t)SY_BALANCE_MAX + 1); // nothing adds up to that
    assert_false(sy_balance_decode(&read, sy_writer_slice(&out)));
    struct sy_payment payment = {.payer = test_hash(1),
                                 .amount = 3,
                                 .has_reference = true,
                                 .reversed = true,
                                 .reference = test_hash(2),
                                 .time_ms = 4,
                                 .height = 5,
                                 .reversed_height = 6,
                                 .count = 2,
                                 .payees = {{test_hash(7), 1}, {test_hash(8), 2}}};
    ONE_FORM(payment, struct sy_payment, &payment);
    struct sy_remittance remittance = {test_hash(1), test_hash(2), -3, 4, 5};
    ONE_FORM(remittance, struct sy_remittance, &remittance);
    struct sy_owed owed = {-3, 4, 5, 6, 7}, nothing = {.settled_ms = 7};
    ONE_FORM(owed, struct sy_owed, &owed);
    ONE_FORM(owed, struct sy_owed, &nothing);
    struct sy_settlement settlement = {test_hash(1), -SY_BALANCE_MAX, 2, 3, 3, test_hash(4), 5, 6};
    ONE_FORM(settlement, struct sy_settlement, &settlement);
    struct sy_fill_billed billed = {test_hash(1), SY_CLAIM_LINES_MAX};
    ONE_FORM(fill_billed, struct sy_fill_billed, &billed);
    struct sy_schedule_row row = {SY_ROW_CAPITATED | SY_ROW_REVIEWED, 5};
    ONE_FORM(schedule_row, struct sy_schedule_row, &row);
}

static bool decodes(const struct sy_claim *claim, size_t at, uint64_t value)
{
    struct sy_claim v;
    out = sy_writer_of(room, sizeof room);
    sy_claim_encode(&out, claim);
    sy_store_u64(room + at, value);
    return sy_claim_decode(&v, sy_writer_slice(&out));
}

CASE(contests_fit_together)
{
    struct sy_contest_entry contest = {.status = SY_CONTEST_OPEN,
                                       .reason = SY_BILL_OTHER,
                                       .lines = 1ull << (SY_CLAIM_LINES_MAX - 1),
                                       .opened_ms = 1,
                                       .held_until_ms = 2,
                                       .height = 3,
                                       .has_evidence = true,
                                       .evidence = test_hash(4)};
    ONE_FORM(contest, struct sy_contest_entry, &contest);
    contest.status = SY_CONTEST_CHANGED;
    contest.ended_ms = 5;
    contest.ended_height = 6;
    contest.reason = 0;
    contest.has_evidence = false;
    ONE_FORM(contest, struct sy_contest_entry, &contest);
    static const struct {
        size_t at;
        uint8_t value;
    } bad[] = {
        {0, SY_CONTEST_OPEN},   /* but it ended */
        {0, 0},                 /* no status */
        {1, SY_BILL_OTHER + 1}, /* no reason */
        {3 + 6, 0},             /* no line */
        {3 + 6, 4},             /* the 51st */
        {3 + 8, 3},             /* held until before it was opened */
        {3 + 8 + 5 * 8, 2},     /* an unknown flag */
        {3 + 8 + 4 * 8, 0},     /* changed, but it did not end */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct sy_contest_entry v;
        out = sy_writer_of(room, sizeof room);
        sy_contest_encode(&out, &contest);
        assert_true(sy_contest_decode(&v, sy_writer_slice(&out)));
        room[bad[i].at] = bad[i].value;
        if (sy_contest_decode(&v, sy_writer_slice(&out))) fail_msg("%zu decodes", i);
    }
    struct sy_claim claim = most_claim(), v;
    claim.holds = SY_CONTEST_BITS;
    out = sy_writer_of(room, sizeof room);
    sy_claim_encode(&out, &claim);
    assert_true(sy_claim_decode(&v, sy_writer_slice(&out)));
    room[6 * 32 + 3] = SY_CONTEST_BITS + 1; // held by nobody who could
    assert_false(sy_claim_decode(&v, sy_writer_slice(&out)));
}

CASE(what_does_not_balance_does_not_decode)
{
    struct sy_claim claim = most_claim();
    size_t first =
        6 * 32 + 1 + 2 + 1 + 4 + 4 + 4 + 4 * 8 + 1 + 2 * 32 + 1 + 3; // the first line's charge
    assert_true(decodes(&claim, first, 100));
    assert_true(decodes(&claim, first, 25)); // all that is not paid, to the unit
    assert_false(decodes(&claim, first, 24));
    assert_false(decodes(&claim, first, SY_MONEY_MAX + 1));
    assert_false(decodes(&claim, first + 16, UINT64_MAX)); // and does not wrap round
    assert_false(decodes(&claim, first + 56, 101));        // prior payments over the charge
    assert_true(decodes(&claim, first + 61, 50ull << 56)); // its place, of 50
    assert_false(decodes(&claim, first + 61, 51ull << 56));
    assert_false(decodes(&claim, first + 61, 0));
    size_t second = first + 64 + 4 + 1 + 3;
    assert_true(decodes(&claim, second, 50));
    assert_false(decodes(&claim, second + 24, 1)); // what is denied has no deductible
    assert_int_equal(sy_claim_result_paid(&claim.lines[0]), 75);
    assert_int_equal(sy_claim_result_patient(&claim.lines[0]), 10);
    assert_int_equal(sy_claim_result_paid(&claim.lines[1]), 0);
    assert_int_equal(sy_claim_result_patient(&claim.lines[1]), 30); // PR 96, less what was paid
    claim.lines[1].reason = SY_CARC_PAIR;
    assert_int_equal(sy_claim_result_patient(&claim.lines[1]), 0); // CO 236
}

static struct sy_auth some_auth(struct sy_writer *codes)
{
    struct sy_auth auth = {.patient = test_hash(1),
                           .coverage = test_hash(2),
                           .plan = test_hash(3),
                           .payer = test_hash(4),
                           .organisation = test_hash(5),
                           .status = SY_AUTH_GRANTED,
                           .asked = 8,
                           .granted = 7,
                           .used = 6,
                           .from_ms = 9,
                           .until_ms = 9,
                           .height = 10,
                           .decided_ms = 11,
                           .decided_height = 12,
                           .has_evidence = true,
                           .evidence = test_hash(13)};
    sy_list_add_text(&auth.codes, codes, sy_slice_of("hc:70551", 8));
    sy_list_add_text(&auth.codes, codes, sy_slice_of("n4:1", 4));
    return auth;
}

static bool auth_decodes(const struct sy_auth *auth)
{
    struct sy_auth v;
    out = sy_writer_of(room, sizeof room);
    sy_auth_encode(&out, auth);
    return sy_auth_decode(&v, sy_writer_slice(&out));
}

CASE(authorisations_fit_together)
{
    uint8_t codes_room[64];
    struct sy_writer codes = sy_writer_of(codes_room, sizeof codes_room);
    struct sy_auth auth = some_auth(&codes), wrong;
    ONE_FORM(auth, struct sy_auth, &auth);
    assert_true(auth_decodes(&auth));
    wrong = auth;
    wrong.status = SY_AUTH_DENIED; // with units
    assert_false(auth_decodes(&wrong));
    wrong.status = SY_AUTH_ASKED;
    assert_false(auth_decodes(&wrong));
    wrong = auth;
    wrong.until_ms = 8;
    assert_false(auth_decodes(&wrong));
    wrong = auth;
    wrong.codes = (struct sy_list){.count = 0};
    assert_false(auth_decodes(&wrong));
    wrong = auth;
    wrong.codes.count = 1; // and there are two
    assert_false(auth_decodes(&wrong));
    size_t used = 5 * 32 + 1 + 2 * 4;
    assert_true(auth_decodes(&auth));
    sy_store_u32(room + used, 8); // more than were granted
    assert_false(sy_auth_decode(&wrong, sy_writer_slice(&out)));
    struct sy_claim claim = most_claim(), k;
    claim.has_auth = false; // and lines have units of one
    out = sy_writer_of(room, sizeof room);
    sy_claim_encode(&out, &claim);
    assert_false(sy_claim_decode(&k, sy_writer_slice(&out)));
}

CASE(denied_lines_fit_together)
{
    static struct sy_denied_lines denied, d;
    for (unsigned i = 0; i < SY_CLAIM_LINES_MAX; i++) {
        denied.lines[denied.count++] = (struct sy_denied_line){
            .line = (uint8_t)(i + 1), .minutes = 1, .has_rx = true, .rx = test_hash(i)};
    }
    ONE_FORM(denied_lines, struct sy_denied_lines, &denied);
    assert_true(out.used <= SY_STATE_VALUE_BYTES_MAX);
    denied.count = 2;
    denied.lines[0].has_rx = false;
    static const struct {
        size_t at;
        uint8_t value;
    } bad[] = {{0, 0}, {0, 51}, {1, 0}, {1, 2}, {1, 51}, {2, 0}, {6, 2}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        out = sy_writer_of(room, sizeof room);
        sy_denied_lines_encode(&out, &denied);
        assert_true(sy_denied_lines_decode(&d, sy_writer_slice(&out)));
        room[bad[i].at] = bad[i].value;
        if (sy_denied_lines_decode(&d, sy_writer_slice(&out))) fail_msg("%zu decodes", i);
    }
}

CASE(what_is_owed_fits_together)
{
    struct sy_owed owed = {.amount = SY_BALANCE_MAX, .moves = 1, .first_ms = 5, .last_ms = 5}, o;
    struct sy_settlement settlement = {.net = 1, .moves = 1, .from_ms = 2, .until_ms = 2}, s;
    static const struct {
        size_t at;
        uint64_t value;
    } bad_owed[] = {{0, (uint64_t)SY_BALANCE_MAX + 1}, {0, (uint64_t)INT64_MIN}, {8, 0}, {16, 6}},
      bad_settlement[] = {{32, (uint64_t)-SY_BALANCE_MAX - 1}, {40, 0}, {48, 3}};
    for (size_t i = 0; i < sizeof bad_owed / sizeof bad_owed[0]; i++) {
        out = sy_writer_of(room, sizeof room);
        sy_owed_encode(&out, &owed);
        assert_true(sy_owed_decode(&o, sy_writer_slice(&out)));
        sy_store_u64(room + bad_owed[i].at, bad_owed[i].value);
        if (sy_owed_decode(&o, sy_writer_slice(&out))) fail_msg("owed %zu decodes", i);
    }
    for (size_t i = 0; i < sizeof bad_settlement / sizeof bad_settlement[0]; i++) {
        out = sy_writer_of(room, sizeof room);
        sy_settlement_encode(&out, &settlement);
        assert_true(sy_settlement_decode(&s, sy_writer_slice(&out)));
        sy_store_u64(room + bad_settlement[i].at, bad_settlement[i].value);
        if (sy_settlement_decode(&s, sy_writer_slice(&out))) fail_msg("settlement %zu decodes", i);
    }
}

CASE(sums_and_ranges_hold)
{
    struct sy_payment payment = {.amount = 3, .count = 1, .payees = {{test_hash(7), 3}}};
    out = sy_writer_of(room, sizeof room);
    sy_payment_encode(&out, &payment);
    struct sy_payment v;
    sy_store_u64(room + 32, 4);
    assert_false(sy_payment_decode(&v, sy_writer_slice(&out)));
    struct sy_coverage coverage = {.from_ms = 5, .until_ms = 4, .order = 1};
    struct sy_coverage c;
    out = sy_writer_of(room, sizeof room);
    sy_coverage_encode(&out, &coverage);
    assert_false(sy_coverage_decode(&c, sy_writer_slice(&out)));
    coverage.until_ms = 5;
    coverage.order = 10;
    out = sy_writer_of(room, sizeof room);
    sy_coverage_encode(&out, &coverage);
    assert_false(sy_coverage_decode(&c, sy_writer_slice(&out)));
    struct sy_claim claim = most_claim(), k;
    claim.cleared = 8; // what flagged nothing
    out = sy_writer_of(room, sizeof room);
    sy_claim_encode(&out, &claim);
    assert_false(sy_claim_decode(&k, sy_writer_slice(&out)));
    claim.cleared = 0;
    for (unsigned past = 0; past < 2; past++) {
        claim.fraud = SY_FRAUD_BIT(SY_FRAUD_ENCOUNTER + past);
        out = sy_writer_of(room, sizeof room);
        sy_claim_encode(&out, &claim);
        assert_true(sy_claim_decode(&k, sy_writer_slice(&out)) == (past == 0));
    }
    claim.fraud = 0;
    static const uint8_t closed[] = {SY_CLAIM_PENDED, SY_CLAIM_REVERSED};
    for (unsigned i = 0; i < 4; i++) { // what is open of it, and nothing
        claim.status = closed[i % 2];
        claim.holds = i < 2;
        out = sy_writer_of(room, sizeof room);
        sy_claim_encode(&out, &claim);
        assert_true(sy_claim_decode(&k, sy_writer_slice(&out)) == (i >= 2));
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(entries_have_one_form),
        cmocka_unit_test(contests_fit_together),
        cmocka_unit_test(what_does_not_balance_does_not_decode),
        cmocka_unit_test(authorisations_fit_together),
        cmocka_unit_test(denied_lines_fit_together),
        cmocka_unit_test(what_is_owed_fits_together),
        cmocka_unit_test(sums_and_ranges_hold),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
