/* What flags a claim: more hours than a day has, fills that nobody dispensed or that are billed
 * twice, devices that are unknown, recalled or another patient's; and who flags and clears. */
#include <stdio.h>

#include "core/wire/state_rx.h"
#include "tests/unit/money_rig.h"

#define DAY_MS 86400000ll
#define VISIT "1/hc:99213/1/30000/11/A"
#define GTIN "09506000134352"

enum {
    ADMIN_M = 320, /* of a hospital that makes things */
    GATEWAY_M,
    DEVICE_KEY,
    AUDITOR = 330, /* and the next two */
    ORG_M = 2300,
    RX = 20000,
    EVENT = 21000, /* and all above */
    DEVICE = 22000,
    RECALL,
};

static unsigned events;

static struct sy_slice text_of(const char *text)
{
    return sy_slice_of(text, strlen(text));
}

static struct world_tx flag(unsigned key, unsigned org, unsigned claim, unsigned rule)
{
    struct world_tx tx = world_tx_of(SY_KIND_fraud_flag, key, org);
    tx.payload.fraud_flag.claim_id = test_hash(claim);
    tx.payload.fraud_flag.rule = (uint16_t)rule;
    return tx;
}

static struct world_tx clear(unsigned key, unsigned org, unsigned claim, unsigned rule)
{
    struct world_tx tx = world_tx_of(SY_KIND_fraud_clear, key, org);
    tx.payload.fraud_clear.claim_id = test_hash(claim);
    tx.payload.fraud_clear.rule = (uint16_t)rule;
    return tx;
}

static void assert_flags(unsigned claim, uint32_t flags)
{
    assert_int_equal(find_claim(claim).fraud, flags);
}

static uint64_t minutes_of(unsigned key, int64_t at_ms)
{
    struct sy_public_key public = test_public(key);
    struct sy_hash line, place;
    struct sy_slice value;
    uint64_t minutes = 0;
    memcpy(line.bytes, public.bytes, sizeof line.bytes);
    sy_state_key_numbered(&place, SY_STATE_BILLED_DAY, &line, (uint64_t)(at_ms / DAY_MS));
    if (world_find(&world, &value, &place)) assert_true(sy_count_decode(&minutes, value));
    return minutes;
}

// --- days --------------------------------------------------------------------------------------

/* P covers by a plan that knows how long a visit takes: ten hours. */
static void cover_by_hours(void)
{
    static const char *const codes[] = {"hc:99213=600", "hc:99214=9999999", NULL};
    struct world_tx page = publish(REGULATOR_1, 0, SY_SCHEDULE_CODES, codes);
    money_applied(&page);
    for (unsigned i = 0; i < 101; i++) world_execute(&world, NULL, 0);
    struct world_tx tx = plan_of(PAYER_P, ORG_P, PLAN_P + 5);
    tx.payload.plan_publish.codes_version = 1;
    money_applied(&tx);
    tx = cover(PAYER_P, ORG_P, COVER_P + 5, PLAN_P + 5, 1);
    tx.payload.coverage_add.patient_id = test_hash(PATIENT);
    money_applied(&tx);
}

static struct world_tx bill_hours(unsigned claim, const char *line, int64_t from)
{
    struct world_tx tx = bill_one(claim, COVER_P + 5, line, 30000);
    tx.payload.claim_submit.patient_id = test_hash(PATIENT);
    tx.payload.claim_submit.from = tx.payload.claim_submit.until = from;
    return tx;
}

/* The coverages that P and Q always have. */
static void end_covers(void)
{
    for (unsigned order = 0; order < 2; order++) {
        struct world_tx tx = world_tx_of(SY_KIND_coverage_end, order == 0 ? PAYER_P : PAYER_Q,
                                         order == 0 ? ORG_P : ORG_Q);
        tx.payload.coverage_end.coverage_id = test_hash(COVER_P + order);
        tx.payload.coverage_end.until = world.header.time_ms - DAY_MS;
        money_applied(&tx);
    }
}

CASE(nobody_works_more_than_a_day_a_day)
{
    cover_by_hours();
    int64_t from = world.header.time_ms;
    for (unsigned i = 0; i < 2; i++) {
        struct world_tx tx = bill_hours(CLAIM + i, VISIT, from - i);
        money_applied(&tx);
        assert_int_equal(find_claim(CLAIM + i).minutes, 600);
    }
    struct world_tx tx = flag(REGULATOR_1, 0, CLAIM, SY_FRAUD_DAY);
    money_refused(&tx, SY_E_FRAUD_NONE); // 20 hours
    assert_detail(CLAIM);
    tx = bill_hours(CLAIM + 2, VISIT, from - 2);
    tx.payload.claim_submit.rendering = test_public(NURSE_A);
    money_applied(&tx); // another's day
    assert_flags(CLAIM + 2, 0);
    tx = bill_hours(CLAIM + 3, VISIT, from - 3);
    money_applied(&tx);
    assert_int_equal(world.receipt.event_count, 4);
    assert_event(0, SY_EVENT_FRAUD_FLAGGED, SY_SUBJECT_ORG, ORG_P, CLAIM + 3);
    assert_event(1, SY_EVENT_FRAUD_FLAGGED, SY_SUBJECT_ORG, ORG_A, CLAIM + 3);
    assert_flags(CLAIM + 3, SY_FRAUD_BIT(SY_FRAUD_DAY));
    assert_int_equal(minutes_of(DOCTOR_A, from), 1800);
    tx = pay(PAYER_P, ORG_P, CLAIM + 3);
    money_refused(&tx, SY_E_CLAIM_HELD);
    assert_detail(CLAIM + 3);
    tx = flag(PAYER_P, ORG_P, CLAIM, SY_FRAUD_DAY); // the day's first, too
    money_applied(&tx);
    assert_event(0, SY_EVENT_FRAUD_FLAGGED, SY_SUBJECT_ORG, ORG_P, CLAIM);
    tx = pay(PAYER_P, ORG_P, CLAIM);
    money_refused(&tx, SY_E_CLAIM_HELD);
    tx = flag(PAYER_P, ORG_P, CLAIM, SY_FRAUD_DAY);
    money_refused(&tx, SY_E_FRAUD_STATE);
}

/* What stands no more fills no day: reversed, or denied; and what comes back does again. */
CASE(a_day_has_the_claims_that_stand)
{
    cover_by_hours();
    int64_t from = world.header.time_ms;
    const uint8_t nothing[8] = {0}, all[8] = {0x30, 0x75}; // 30,000
    for (unsigned i = 0; i < 2; i++) {
        struct world_tx tx = bill_hours(CLAIM + i, VISIT, from - i);
        money_applied(&tx);
    }
    struct world_tx tx = reverse(GATEWAY_A, ORG_A, CLAIM);
    money_applied(&tx);
    assert_int_equal(minutes_of(DOCTOR_A, from), 600);
    tx = flag(REGULATOR_1, 0, CLAIM, SY_FRAUD_DAY);
    money_refused(&tx, SY_E_CLAIM_STATE);
    tx = bill_hours(CLAIM + 2, VISIT, from);
    money_applied(&tx);
    assert_flags(CLAIM + 2, 0);
    tx = appeal(GATEWAY_A, ORG_A, CLAIM + 2);
    money_applied(&tx);
    tx = adjudicate(PAYER_P, ORG_P, CLAIM + 2, nothing, 8);
    money_refused(&tx, SY_E_AMOUNT_STANDS); // an appeal denies nothing
    assert_int_equal(minutes_of(DOCTOR_A, from), 1200);
    tx = bill_hours(CLAIM + 3, "1/zz:1/1/30000/11/A", from - 3);
    money_applied(&tx);
    assert_int_equal(find_claim(CLAIM + 3).minutes, 0); // no list says how long
    tx = adjudicate(PAYER_P, ORG_P, CLAIM + 3, all, 8);
    money_applied(&tx);
    tx = bill_hours(CLAIM + 4, "1/hc:99214/4294967295/30000/11/A", from - 4);
    money_applied(&tx);
    assert_int_equal(find_claim(CLAIM + 4).minutes, UINT32_MAX); // and no more
    assert_flags(CLAIM + 4, SY_FRAUD_BIT(SY_FRAUD_DAY));
    tx = bill_hours(CLAIM + 5, VISIT, from - 5);
    tx.payload.claim_submit.from -= DAY_MS;
    tx.payload.claim_submit.rendering = test_public(DOCTOR_A);
    (void)world_submit(&world, &tx); // of two days, if the credential was there: nobody's hours
    if (world.receipt.code == SY_APPLIED) assert_int_equal(find_claim(CLAIM + 5).minutes, 0);
}

CASE(a_disputed_claim_leaves_the_day_and_an_appeal_brings_it_back)
{
    cover_by_hours();
    const uint8_t nothing[8] = {0}, all[8] = {0x30, 0x75}; // 30,000
    struct world_tx tx = cover(PAYER_P, ORG_P, COVER_P + 6, PLAN_P + 5, 3);
    money_applied(&tx);
    end_covers();
    tx = bill_one(CLAIM, COVER_P + 6, VISIT, 30000);
    int64_t from = tx.payload.claim_submit.from;
    money_applied(&tx);
    assert_int_equal(minutes_of(DOCTOR_A, from), 600);
    tx = dispute(WALLET_CLAIMED, CLAIM);
    money_applied(&tx);
    tx = adjudicate(PAYER_P, ORG_P, CLAIM, nothing, 8);
    money_applied(&tx);
    assert_int_equal(minutes_of(DOCTOR_A, from), 0);
    for (unsigned i = 1; i < 3; i++) {
        tx = bill_hours(CLAIM + i, VISIT, from - i);
        money_applied(&tx);
    }
    tx = appeal(GATEWAY_A, ORG_A, CLAIM);
    money_applied(&tx);
    tx = adjudicate(PAYER_P, ORG_P, CLAIM, all, 8);
    money_applied(&tx);
    assert_int_equal(minutes_of(DOCTOR_A, from), 1800);
    assert_flags(CLAIM, SY_FRAUD_BIT(SY_FRAUD_DAY));
    tx = reverse(GATEWAY_A, ORG_A, CLAIM);
    money_applied(&tx);
    assert_int_equal(minutes_of(DOCTOR_A, from), 1200);
}

// --- who ---------------------------------------------------------------------------------------

static void bill_unknown(unsigned claim)
{
    char line[160];
    (void)snprintf(line, sizeof line, "%s/device:%064d", VISIT, 7);
    struct world_tx tx = bill_one(claim, COVER_P, line, 30000);
    money_applied(&tx);
    assert_flags(claim, SY_FRAUD_BIT(SY_FRAUD_UNKNOWN));
}

CASE(who_pays_or_a_regulator_clears_once)
{
    bill_unknown(CLAIM);
    struct world_tx tx = pay(PAYER_P, ORG_P, CLAIM);
    money_refused(&tx, SY_E_CLAIM_HELD);
    assert_int_equal(world.receipt.detail, 0); // for no time of its own
    tx = clear(PAYER_Q, ORG_Q, CLAIM, SY_FRAUD_UNKNOWN);
    money_refused(&tx, SY_E_NOT_PAYER);
    assert_detail(ORG_P);
    tx = clear(GATEWAY_A, ORG_A, CLAIM, SY_FRAUD_UNKNOWN);
    money_refused(&tx, SY_E_ROLE);
    tx = clear(PAYER_P, ORG_P, CLAIM, SY_FRAUD_DAY);
    money_refused(&tx, SY_E_FRAUD_STATE);
    tx = clear(PAYER_P, ORG_P, CLAIM + 1, SY_FRAUD_UNKNOWN);
    money_refused(&tx, SY_E_CLAIM_UNKNOWN);
    tx = clear(PAYER_P, ORG_P, CLAIM, SY_FRAUD_ENCOUNTER + 1);
    money_refused(&tx, SY_E_SCHEMA);
    tx = clear(REGULATOR_1, 0, CLAIM, SY_FRAUD_UNKNOWN);
    money_applied(&tx);
    assert_event(0, SY_EVENT_FRAUD_CLEARED, SY_SUBJECT_ORG, ORG_P, CLAIM);
    assert_event(1, SY_EVENT_FRAUD_CLEARED, SY_SUBJECT_ORG, ORG_A, CLAIM);
    tx = clear(PAYER_P, ORG_P, CLAIM, SY_FRAUD_UNKNOWN);
    money_refused(&tx, SY_E_FRAUD_STATE);
    tx = flag(PAYER_P, ORG_P, CLAIM, SY_FRAUD_UNKNOWN);
    money_refused(&tx, SY_E_FRAUD_STATE); // it is not held again
    tx = pay(PAYER_P, ORG_P, CLAIM);
    money_applied(&tx);
}

/* An auditor is of an organisation, and looks at what that pays or bills. */
CASE(an_auditor_flags_what_its_own_organisation_pays_or_bills)
{
    cover_by_hours();
    int64_t from = world.header.time_ms;
    for (unsigned i = 0; i < 4; i++) {
        struct world_tx tx = bill_hours(CLAIM + i, VISIT, from - i);
        money_applied(&tx);
    }
    const unsigned admins[] = {ADMIN_B, ADMIN_P, ADMIN_A}, orgs[] = {ORG_B, ORG_P, ORG_A};
    for (unsigned i = 0; i < 3; i++) {
        struct world_tx tx = world_issue(&world, admins[i], orgs[i], SY_ROLE_AUDITOR, AUDITOR + i);
        money_applied(&tx);
    }
    struct world_tx tx = flag(AUDITOR, ORG_B, CLAIM, SY_FRAUD_DAY);
    money_refused(&tx, SY_E_NOT_PAYER);
    assert_detail(ORG_P);
    assert_flags(CLAIM, 0);
    tx = flag(AUDITOR + 1, ORG_P, CLAIM, SY_FRAUD_DAY);
    money_applied(&tx);
    tx = flag(AUDITOR + 2, ORG_A, CLAIM + 1, SY_FRAUD_DAY);
    money_applied(&tx);
}

CASE(nobody_flags_what_state_does_not_show)
{
    struct world_tx tx = bill_one(CLAIM, COVER_P, VISIT, 30000);
    money_applied(&tx);
    assert_flags(CLAIM, 0);
    for (unsigned rule = SY_FRAUD_DAY; rule <= SY_FRAUD_ENCOUNTER; rule++) {
        tx = flag(PAYER_P, ORG_P, CLAIM, rule);
        money_refused(&tx, SY_E_FRAUD_NONE);
    }
    tx = flag(PAYER_Q, ORG_Q, CLAIM, SY_FRAUD_DAY);
    money_refused(&tx, SY_E_NOT_PAYER);
    tx = flag(DOCTOR_A, ORG_A, CLAIM, SY_FRAUD_DAY);
    money_refused(&tx, SY_E_ROLE);
    tx = flag(PAYER_P, ORG_P, CLAIM + 1, SY_FRAUD_DAY);
    money_refused(&tx, SY_E_CLAIM_UNKNOWN);
}

// --- prescriptions -----------------------------------------------------------------------------

static void prescribe(unsigned days)
{
    struct world_tx tx = world_tx_of(SY_KIND_rx_issue, DOCTOR_A, ORG_A);
    struct sy_rx_issue *p = &tx.payload.rx_issue;
    p->rx_id = test_hash(RX);
    p->patient_id = test_hash(PATIENT_CLAIMED);
    p->drug_commit = test_hash(RX + 500);
    p->control = SY_CONTROL_NONE;
    p->quantity = 30;
    p->days = (uint16_t)days;
    p->refills = 1;
    p->from = world.header.time_ms;
    p->until = world.header.time_ms + 200 * DAY_MS;
    p->author_role = SY_ROLE_DOCTOR;
    money_applied(&tx);
}

static void fill(unsigned key, unsigned org)
{
    struct world_tx tx = world_tx_of(SY_KIND_rx_dispense, key, org);
    tx.payload.rx_dispense.event_id = test_hash(EVENT + events++);
    tx.payload.rx_dispense.rx_id = test_hash(RX);
    tx.payload.rx_dispense.quantity = 30;
    money_applied(&tx);
}

static const char *hex_of(const struct sy_hash *hash)
{
    static char hex[65];
    for (unsigned i = 0; i < 32; i++) (void)snprintf(hex + 2 * i, 3, "%02x", hash->bytes[i]);
    return hex;
}

static struct world_tx bill_fill(unsigned claim, unsigned cover, const char *code)
{
    struct sy_hash rx = test_hash(RX);
    char line[160];
    (void)snprintf(line, sizeof line, "1/%s/30/30000/01/A/rx:%s", code, hex_of(&rx));
    struct world_tx tx = bill_one(claim, cover, line, 30000);
    tx.payload.claim_submit.class = SY_SERVICE_PHARMACY;
    return tx;
}

CASE(each_fill_is_billed_once_by_who_dispensed_it)
{
    const uint32_t refill = SY_FRAUD_BIT(SY_FRAUD_REFILL);
    prescribe(20);
    struct world_tx tx = bill_fill(CLAIM, COVER_P, "n4:0093");
    money_applied(&tx);
    assert_flags(CLAIM, refill); // before anything was dispensed
    fill(GATEWAY_A, ORG_A);
    tx = bill_fill(CLAIM + 1, COVER_P, "n4:0093");
    int64_t from = tx.payload.claim_submit.from;
    money_applied(&tx);
    assert_flags(CLAIM + 1, 0);
    tx = bill_fill(CLAIM + 2, COVER_P, "n4:0093");
    money_applied(&tx);
    assert_flags(CLAIM + 2, refill); // the same fill, a second later
    tx = bill_fill(CLAIM + 3, COVER_P, "hc:99213");
    money_applied(&tx);
    assert_flags(CLAIM + 3, 0); // not the drug
    tx = bill_fill(CLAIM + 4, COVER_Q, "n4:0093");
    tx.payload.claim_submit.has_prior_claim = true;
    tx.payload.claim_submit.prior_claim = test_hash(CLAIM + 1);
    tx.payload.claim_submit.from = tx.payload.claim_submit.until = from;
    money_applied(&tx);
    assert_flags(CLAIM + 4, 0); // the same service, of which the next payer pays the rest
    tx = reverse(GATEWAY_A, ORG_A, CLAIM + 4);
    money_applied(&tx);
    tx = reverse(GATEWAY_A, ORG_A, CLAIM + 1);
    money_applied(&tx);
    tx = bill_fill(CLAIM + 5, COVER_P, "n4:0093");
    money_applied(&tx);
    assert_flags(CLAIM + 5, 0); // nothing that stands bills it
    tx = reverse(GATEWAY_A, ORG_A, CLAIM + 5);
    money_applied(&tx); // the fill is free
    world.step_ms = 3 * DAY_MS;
    world_execute(&world, NULL, 0);
    world.step_ms = 1;
    tx = bill_fill(CLAIM + 6, COVER_P, "n4:0093");
    money_applied(&tx);
    assert_flags(CLAIM + 6, refill); // but it was three days ago
}

CASE(a_fill_that_another_claim_took_over_flags_what_comes_back)
{
    const uint8_t nothing[8] = {0}, all[8] = {0x30, 0x75}; // 30,000
    prescribe(20);
    fill(GATEWAY_A, ORG_A);
    struct world_tx tx = bill_fill(CLAIM, COVER_P, "n4:0093");
    money_applied(&tx);
    tx = dispute(WALLET_CLAIMED, CLAIM);
    money_applied(&tx);
    tx = adjudicate(PAYER_P, ORG_P, CLAIM, nothing, 8);
    money_applied(&tx);
    tx = bill_fill(CLAIM + 1, COVER_P, "n4:0093"); // a moment later: another service
    money_applied(&tx);
    assert_flags(CLAIM + 1, 0);
    assert_flags(CLAIM, SY_FRAUD_BIT(SY_FRAUD_REFILL));
    tx = appeal(GATEWAY_A, ORG_A, CLAIM);
    money_applied(&tx);
    tx = adjudicate(PAYER_P, ORG_P, CLAIM, all, 8);
    money_applied(&tx);
    tx = pay(PAYER_P, ORG_P, CLAIM);
    money_refused(&tx, SY_E_CLAIM_HELD);
    tx = pay(PAYER_P, ORG_P, CLAIM + 1);
    money_applied(&tx);
}

/* Two lines for one fill: the second is flagged and cleared, which says nothing of the first. */
CASE(a_fill_that_was_taken_over_flags_what_was_cleared)
{
    const uint32_t refill = SY_FRAUD_BIT(SY_FRAUD_REFILL);
    const uint8_t nothing[16] = {0}, all[16] = {0x30, 0x75, 0, 0, 0, 0, 0, 0, 0x30, 0x75};
    struct sy_hash rx = test_hash(RX);
    char texts[2][160];
    const char *const lines[] = {texts[0], texts[1], NULL};
    prescribe(20);
    fill(GATEWAY_A, ORG_A);
    (void)snprintf(texts[0], sizeof texts[0], "1/n4:0093/30/30000/01/A/rx:%s", hex_of(&rx));
    (void)snprintf(texts[1], sizeof texts[1], "2/n4:0094/30/30000/01/A/rx:%s", hex_of(&rx));
    struct world_tx tx = bill(CLAIM, COVER_P, lines, 60000);
    money_applied(&tx);
    assert_flags(CLAIM, refill);
    tx = clear(PAYER_P, ORG_P, CLAIM, SY_FRAUD_REFILL);
    money_applied(&tx);
    tx = dispute(WALLET_CLAIMED, CLAIM);
    money_applied(&tx);
    tx = adjudicate(PAYER_P, ORG_P, CLAIM, nothing, 16);
    money_applied(&tx);
    tx = bill_fill(CLAIM + 1, COVER_P, "n4:0093");
    money_applied(&tx);
    assert_event(0, SY_EVENT_FRAUD_FLAGGED, SY_SUBJECT_ORG, ORG_P, CLAIM);
    assert_event(1, SY_EVENT_FRAUD_FLAGGED, SY_SUBJECT_ORG, ORG_A, CLAIM);
    assert_flags(CLAIM, refill);
    assert_int_equal(find_claim(CLAIM).cleared, 0);
    tx = appeal(GATEWAY_A, ORG_A, CLAIM);
    money_applied(&tx);
    tx = adjudicate(PAYER_P, ORG_P, CLAIM, all, 16);
    money_applied(&tx);
    tx = pay(PAYER_P, ORG_P, CLAIM);
    money_refused(&tx, SY_E_CLAIM_HELD);
}

/* P's third coverage pays nothing at once: its fees are capitated. The other two ended. */
static void cover_capitated(void)
{
    static const char *const fees[] = {"hc:99213=30000+capitated", "n4:0093=30000+capitated",
                                       "hc:85025=30000", "n4:0094=30000", NULL};
    cover_by_hours();
    struct world_tx page = publish(PAYER_P, ORG_P, SY_SCHEDULE_FEES, fees);
    money_applied(&page);
    for (unsigned i = 0; i < 101; i++) world_execute(&world, NULL, 0);
    struct world_tx tx = plan_of(PAYER_P, ORG_P, PLAN_P + 6);
    tx.payload.plan_publish.fees_version = 1;
    tx.payload.plan_publish.codes_version = 1;
    money_applied(&tx);
    tx = cover(PAYER_P, ORG_P, COVER_P + 6, PLAN_P + 6, 3);
    money_applied(&tx);
    end_covers();
}

CASE(a_claim_that_is_denied_at_once_comes_back_judged)
{
    const uint8_t all[16] = {0x30, 0x75, 0, 0, 0, 0, 0, 0, 0x30, 0x75}; // 30,000 each
    struct sy_hash rx = test_hash(RX);
    char texts[2][160];
    const char *const lines[] = {texts[0], texts[1], NULL};
    cover_capitated();
    prescribe(20); // and nothing is dispensed
    (void)snprintf(texts[0], sizeof texts[0], "%s/device:%064d", VISIT, 7);
    (void)snprintf(texts[1], sizeof texts[1], "2/n4:0093/1/30000/01/A/rx:%s", hex_of(&rx));
    struct world_tx tx = bill(CLAIM, COVER_P + 6, lines, 60000);
    int64_t from = tx.payload.claim_submit.from;
    money_applied(&tx);
    assert_int_equal(find_claim(CLAIM).status, SY_CLAIM_DENIED);
    assert_event(0, SY_EVENT_FRAUD_FLAGGED, SY_SUBJECT_ORG, ORG_P, CLAIM);
    assert_flags(CLAIM, SY_FRAUD_BIT(SY_FRAUD_REFILL) | SY_FRAUD_BIT(SY_FRAUD_UNKNOWN));
    assert_int_equal(find_claim(CLAIM).minutes, 600);
    assert_int_equal(minutes_of(DOCTOR_A, from), 0);
    for (unsigned i = 1; i < 3; i++) {
        tx = bill_hours(CLAIM + i, VISIT, from - i);
        money_applied(&tx);
        assert_flags(CLAIM + i, 0);
    }
    tx = appeal(GATEWAY_A, ORG_A, CLAIM);
    money_applied(&tx);
    tx = adjudicate(PAYER_P, ORG_P, CLAIM, all, 16);
    money_applied(&tx);
    assert_int_equal(minutes_of(DOCTOR_A, from), 1800);
    assert_flags(CLAIM, SY_FRAUD_BIT(SY_FRAUD_DAY) | SY_FRAUD_BIT(SY_FRAUD_REFILL) |
                            SY_FRAUD_BIT(SY_FRAUD_UNKNOWN));
    tx = pay(PAYER_P, ORG_P, CLAIM);
    money_refused(&tx, SY_E_CLAIM_HELD);
}

static bool has_denied_lines(unsigned claim, unsigned count)
{
    struct sy_hash id = test_hash(claim), place;
    struct sy_slice value;
    struct sy_denied_lines denied;
    sy_state_key_id(&place, SY_STATE_DENIED_LINES, &id);
    if (!world_find(&world, &value, &place)) return count == 0;
    assert_true(sy_denied_lines_decode(&denied, value));
    return denied.count == count;
}

/* Another claim took the fill over and is gone: it is the first one's again, and nobody else's. */
CASE(a_claim_that_comes_back_has_its_fill_again)
{
    const uint8_t nothing[8] = {0}, all[8] = {0x30, 0x75}; // 30,000
    prescribe(20);
    fill(GATEWAY_A, ORG_A);
    struct world_tx tx = bill_fill(CLAIM, COVER_P, "n4:0093");
    money_applied(&tx);
    tx = dispute(WALLET_CLAIMED, CLAIM);
    money_applied(&tx);
    tx = adjudicate(PAYER_P, ORG_P, CLAIM, nothing, 8);
    money_applied(&tx);
    assert_true(has_denied_lines(CLAIM, 0));
    tx = bill_fill(CLAIM + 1, COVER_P, "n4:0093");
    money_applied(&tx);
    assert_true(has_denied_lines(CLAIM, 1));
    tx = reverse(GATEWAY_A, ORG_A, CLAIM + 1);
    money_applied(&tx);
    tx = appeal(GATEWAY_A, ORG_A, CLAIM);
    money_applied(&tx);
    tx = adjudicate(PAYER_P, ORG_P, CLAIM, all, 8);
    money_applied(&tx);
    assert_true(has_denied_lines(CLAIM, 0));
    tx = clear(PAYER_P, ORG_P, CLAIM, SY_FRAUD_REFILL);
    money_applied(&tx);
    tx = pay(PAYER_P, ORG_P, CLAIM);
    money_applied(&tx);
    tx = bill_fill(CLAIM + 2, COVER_P, "n4:0093");
    money_applied(&tx);
    assert_flags(CLAIM + 2, SY_FRAUD_BIT(SY_FRAUD_REFILL));
    tx = pay(PAYER_P, ORG_P, CLAIM + 2);
    money_refused(&tx, SY_E_CLAIM_HELD);
}

/* Billed to P: what takes no time, and beside it what its fees deny: ten hours, and a fill. */
static void bill_beside(unsigned claim, int64_t from)
{
    struct sy_hash rx = test_hash(RX);
    char texts[3][160];
    const char *const lines[] = {texts[0], texts[1], texts[2], NULL};
    (void)snprintf(texts[0], sizeof texts[0], "1/hc:85025/1/30000/11/A");
    (void)snprintf(texts[1], sizeof texts[1], "2/hc:99213/1/30000/11/A");
    (void)snprintf(texts[2], sizeof texts[2], "3/n4:0093/1/30000/01/A/rx:%s", hex_of(&rx));
    struct world_tx tx = billed_at(bill(claim, COVER_P + 6, lines, 90000), from);
    money_applied(&tx);
    struct sy_claim found = find_claim(claim);
    assert_int_equal(found.status, SY_CLAIM_DECIDED);
    assert_int_equal(found.lines[1].reason, SY_CARC_CAPITATED);
    assert_int_equal(found.minutes, 0);
    assert_true(has_denied_lines(claim, 2));
}

/* What a line that was denied beside others takes of a day and of a prescription counts once it is
 * allowed, and once only. */
CASE(a_line_that_was_denied_at_once_comes_back_judged)
{
    const uint32_t refill = SY_FRAUD_BIT(SY_FRAUD_REFILL), day = SY_FRAUD_BIT(SY_FRAUD_DAY);
    uint8_t allowed[24] = {0x30, 0x75, 0, 0, 0, 0, 0, 0, 0x30, 0x75}; // 30,000, 30,000, nothing
    cover_capitated();
    prescribe(20);
    fill(GATEWAY_A, ORG_A);
    int64_t from = world.header.time_ms;
    bill_beside(CLAIM, from);
    assert_flags(CLAIM, 0);
    struct world_tx tx = bill_fill(CLAIM + 1, COVER_P + 6, "n4:0094");
    money_applied(&tx);
    assert_flags(CLAIM + 1, 0); // has the fill, which nothing that stands bills
    for (unsigned i = 2; i < 4; i++) {
        tx = bill_hours(CLAIM + i, VISIT, from - i);
        money_applied(&tx);
    }
    tx = appeal(GATEWAY_A, ORG_A, CLAIM);
    money_applied(&tx);
    tx = adjudicate(PAYER_P, ORG_P, CLAIM, allowed, 24);
    money_applied(&tx);
    assert_event(0, SY_EVENT_FRAUD_FLAGGED, SY_SUBJECT_ORG, ORG_P, CLAIM);
    assert_int_equal(minutes_of(DOCTOR_A, from), 1800);
    assert_int_equal(find_claim(CLAIM).minutes, 600);
    assert_flags(CLAIM, day);
    assert_true(has_denied_lines(CLAIM, 1)); // the fill's
    tx = appeal(WALLET_CLAIMED, 0, CLAIM);
    money_applied(&tx);
    sy_store_u64(allowed + 16, 30000);
    tx = adjudicate(PAYER_P, ORG_P, CLAIM, allowed, 24);
    money_applied(&tx);
    assert_flags(CLAIM, day | refill);
    assert_true(has_denied_lines(CLAIM, 0));
    assert_int_equal(minutes_of(DOCTOR_A, from), 1800); // and not again
    tx = reverse(GATEWAY_A, ORG_A, CLAIM);
    money_applied(&tx);
    assert_int_equal(minutes_of(DOCTOR_A, from), 1200);
}

/* That another line's fill was cleared says nothing of this one. */
CASE(a_fill_that_comes_back_is_flagged_whatever_was_cleared)
{
    const uint32_t refill = SY_FRAUD_BIT(SY_FRAUD_REFILL);
    const uint8_t allowed[16] = {0x30, 0x75, 0, 0, 0, 0, 0, 0, 0x30, 0x75}; // 30,000 each
    struct sy_hash rx = test_hash(RX);
    char texts[2][160];
    const char *const lines[] = {texts[0], texts[1], NULL};
    cover_capitated();
    prescribe(20); // and nothing is dispensed
    (void)snprintf(texts[0], sizeof texts[0], "1/n4:0094/1/30000/01/A/rx:%s", hex_of(&rx));
    (void)snprintf(texts[1], sizeof texts[1], "2/n4:0093/1/30000/01/A/rx:%s", hex_of(&rx));
    struct world_tx tx = bill(CLAIM, COVER_P + 6, lines, 60000);
    money_applied(&tx);
    assert_flags(CLAIM, refill);
    tx = clear(PAYER_P, ORG_P, CLAIM, SY_FRAUD_REFILL);
    money_applied(&tx);
    tx = appeal(GATEWAY_A, ORG_A, CLAIM);
    money_applied(&tx);
    tx = adjudicate(PAYER_P, ORG_P, CLAIM, allowed, 16);
    money_applied(&tx);
    assert_int_equal(find_claim(CLAIM).cleared, 0);
    assert_event(0, SY_EVENT_FRAUD_FLAGGED, SY_SUBJECT_ORG, ORG_P, CLAIM);
    tx = pay(PAYER_P, ORG_P, CLAIM);
    money_refused(&tx, SY_E_CLAIM_HELD);
}

static void add_maker(void)
{
    struct world_tx tx = world_register(ORG_M, SY_ORG_HOSPITAL, ADMIN_M);
    sy_list_add_text(&tx.payload.org_register.gs1_prefixes, &world.lists, text_of("9506000"));
    money_applied(&tx);
    tx = world_issue(&world, ADMIN_M, ORG_M, SY_ROLE_GATEWAY, GATEWAY_M);
    money_applied(&tx);
    tx = world_tx_of(SY_KIND_product_register, ADMIN_M, ORG_M);
    tx.payload.product_register.gtin = text_of(GTIN);
    tx.payload.product_register.prefix = text_of("9506000");
    tx.payload.product_register.class = SY_PRODUCT_IMPLANT;
    money_applied(&tx);
    tx = world_tx_of(SY_KIND_unit_commission, ADMIN_M, ORG_M);
    tx.payload.unit_commission.event_id = test_hash(EVENT + events++);
    tx.payload.unit_commission.gtin = text_of(GTIN);
    tx.payload.unit_commission.lot = text_of("L1");
    tx.payload.unit_commission.expiry = world.header.time_ms + 900 * DAY_MS;
    sy_list_add_text(&tx.payload.unit_commission.serials, &world.lists, text_of("1"));
    sy_list_add_text(&tx.payload.unit_commission.serials, &world.lists, text_of("2"));
    money_applied(&tx);
}

CASE(a_fill_of_another_organisation_is_not_billed)
{
    add_maker();
    prescribe(20);
    fill(GATEWAY_M, ORG_M);
    struct world_tx tx = bill_fill(CLAIM, COVER_P, "n4:0093");
    money_applied(&tx);
    assert_flags(CLAIM, SY_FRAUD_BIT(SY_FRAUD_REFILL));
}

// --- devices -----------------------------------------------------------------------------------

static struct world_tx bill_link(unsigned claim, const struct sy_hash *link)
{
    char line[160];
    (void)snprintf(line, sizeof line, "%s/device:%s", VISIT, hex_of(link));
    return bill_one(claim, COVER_P, line, 30000);
}

CASE(a_device_is_known_not_recalled_and_the_patients)
{
    struct sy_hash unit = sy_goods_id(text_of(GTIN), text_of("1"));
    struct sy_hash other = sy_goods_id(text_of(GTIN), text_of("2"));
    add_maker();
    struct world_tx tx = bill_link(CLAIM, &unit);
    money_applied(&tx);
    assert_flags(CLAIM, 0);
    prescribe(20);
    fill(GATEWAY_M, ORG_M);
    tx = world_tx_of(SY_KIND_unit_dispense, GATEWAY_M, ORG_M);
    tx.payload.unit_dispense.event_id = test_hash(EVENT + events++);
    tx.payload.unit_dispense.unit = text_of("01/" GTIN "/21/1");
    tx.payload.unit_dispense.has_rx_id = true;
    tx.payload.unit_dispense.rx_id = test_hash(RX);
    money_applied(&tx);
    tx = bill_link(CLAIM + 1, &unit);
    money_applied(&tx);
    assert_flags(CLAIM + 1, 0); // the patient got it
    tx = cover(PAYER_P, ORG_P, COVER_P + 5, PLAN_P, 1);
    tx.payload.coverage_add.patient_id = test_hash(PATIENT);
    money_applied(&tx);
    tx = bill_link(CLAIM + 2, &unit);
    tx.payload.claim_submit.patient_id = test_hash(PATIENT);
    tx.payload.claim_submit.coverage_id = test_hash(COVER_P + 5);
    money_applied(&tx);
    assert_flags(CLAIM + 2, SY_FRAUD_BIT(SY_FRAUD_ANOTHER));
    tx = world_tx_of(SY_KIND_recall_issue, ADMIN_M, ORG_M);
    tx.payload.recall_issue.recall_id = test_hash(RECALL);
    tx.payload.recall_issue.gtin = text_of(GTIN);
    sy_list_add_text(&tx.payload.recall_issue.lots, &world.lists, text_of("L1"));
    tx.payload.recall_issue.class = SY_RECALL_I;
    tx.payload.recall_issue.reason = SY_RECALL_CONTAMINATED;
    int64_t before = world.header.time_ms;
    money_applied(&tx);
    tx = bill_link(CLAIM + 3, &other);
    tx.payload.claim_submit.from = tx.payload.claim_submit.until = before;
    money_applied(&tx);
    assert_flags(CLAIM + 3, 0); // the service was before the recall
    tx = bill_link(CLAIM + 4, &other);
    money_applied(&tx);
    assert_flags(CLAIM + 4, SY_FRAUD_BIT(SY_FRAUD_RECALLED));
}

CASE(a_device_that_sends_is_its_owners)
{
    struct sy_hash device = test_hash(DEVICE);
    struct world_tx tx = world_tx_of(SY_KIND_device_register, ADMIN_A, ORG_A);
    struct sy_device_register *p = &tx.payload.device_register;
    p->device_id = device;
    p->device_key = test_public(DEVICE_KEY);
    p->org_id = test_hash(ORG_A);
    p->owner_kind = SY_SUBJECT_PATIENT;
    p->owner = test_hash(PATIENT);
    p->udi_commit = test_hash(1);
    p->class = SY_DEVICE_PUMP;
    p->not_before = world.header.time_ms;
    p->not_after = world.header.time_ms + 1000000000;
    money_applied(&tx);
    tx = bill_link(CLAIM, &device);
    money_applied(&tx);
    assert_flags(CLAIM, SY_FRAUD_BIT(SY_FRAUD_ANOTHER));
    tx = cover(PAYER_P, ORG_P, COVER_P + 5, PLAN_P, 1);
    tx.payload.coverage_add.patient_id = test_hash(PATIENT);
    money_applied(&tx);
    tx = bill_link(CLAIM + 1, &device);
    tx.payload.claim_submit.patient_id = test_hash(PATIENT);
    tx.payload.claim_submit.coverage_id = test_hash(COVER_P + 5);
    money_applied(&tx);
    assert_flags(CLAIM + 1, 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_MONEY(nobody_works_more_than_a_day_a_day),
        WITH_MONEY(a_day_has_the_claims_that_stand),
        WITH_MONEY(a_disputed_claim_leaves_the_day_and_an_appeal_brings_it_back),
        WITH_MONEY(who_pays_or_a_regulator_clears_once),
        WITH_MONEY(an_auditor_flags_what_its_own_organisation_pays_or_bills),
        WITH_MONEY(nobody_flags_what_state_does_not_show),
        WITH_MONEY(each_fill_is_billed_once_by_who_dispensed_it),
        WITH_MONEY(a_fill_that_another_claim_took_over_flags_what_comes_back),
        WITH_MONEY(a_fill_that_was_taken_over_flags_what_was_cleared),
        WITH_MONEY(a_claim_that_is_denied_at_once_comes_back_judged),
        WITH_MONEY(a_line_that_was_denied_at_once_comes_back_judged),
        WITH_MONEY(a_claim_that_comes_back_has_its_fill_again),
        WITH_MONEY(a_fill_that_comes_back_is_flagged_whatever_was_cleared),
        WITH_MONEY(a_fill_of_another_organisation_is_not_billed),
        WITH_MONEY(a_device_is_known_not_recalled_and_the_patients),
        WITH_MONEY(a_device_that_sends_is_its_owners),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
