/* nation_money.c: what payers and those who bill them do, by number: every patient is covered by
 * one payer. */
#include "bench/nation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/wire/money.h"

#define DAY_MS 86400000ll
#define FEES 16u /* in a page of them */

static struct sy_nation_patient *patient_of(sy_nation *nation, uint64_t number)
{
    return &nation->patients[number % nation->patient_count];
}

static void begin(struct sy_nation_plan *plan, uint16_t kind, struct sy_nation_person *signer)
{
    memset(plan, 0, sizeof *plan);
    plan->kind = kind;
    plan->signers[0] = signer;
    plan->signer_count = 1;
}

static struct sy_nation_payer *payer_of(sy_nation *nation, uint64_t number)
{
    return &nation->payers[patient_of(nation, number)->payer];
}

// --- lists -------------------------------------------------------------------------------------

/* The one code that takes time: a minute a unit. */
static void add_codes(sy_nation *nation, struct sy_list *rows)
{
    static const char row[] = "hc:99499=1";
    sy_list_add_text(rows, &nation->lists, sy_slice_of(row, sizeof row - 1));
}

static void add_fees(sy_nation *nation, struct sy_list *rows, uint32_t version)
{
    for (unsigned i = 0; i < FEES; i++) {
        char row[32];
        int size = snprintf(row, sizeof row, "hc:%05u=%u", 10000u + i, 1000u + version % 9);
        sy_list_add_text(rows, &nation->lists, sy_slice_of(row, (size_t)size));
    }
}

/* Of a single page, which is its root. */
static void publish(sy_nation *nation, struct sy_nation_plan *plan, uint16_t kind, uint32_t version,
                    const struct sy_list *rows)
{
    struct sy_schedule_publish *p = &plan->payload.schedule_publish;
    p->kind = kind;
    p->version = version;
    p->activation_height = nation->header.height + 1 + SY_ACTIVATION_DELAY;
    sy_hash_leaf(&p->root, rows->items);
    SY_ASSERT(!nation->lists.failed);
}

void sy_nation_publish_codes(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_list rows = {.count = 0};
    SY_ASSERT(number == 0);
    begin(plan, SY_KIND_schedule_publish, &nation->regulators[0]);
    plan->signers[plan->signer_count++] = &nation->regulators[1];
    add_codes(nation, &rows);
    publish(nation, plan, SY_SCHEDULE_CODES, 1, &rows);
}

void sy_nation_bring_codes(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    SY_ASSERT(number == 0);
    begin(plan, SY_KIND_schedule_rows, &nation->regulators[0]);
    struct sy_schedule_rows *p = &plan->payload.schedule_rows;
    p->kind = SY_SCHEDULE_CODES;
    p->version = p->pages = 1;
    add_codes(nation, &p->rows);
}

void sy_nation_publish_fees(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_list rows = {.count = 0};
    uint32_t version = ++nation->fees_published;
    (void)number;
    begin(plan, SY_KIND_schedule_publish, &nation->payers[0].clerk);
    add_fees(nation, &rows, version);
    publish(nation, plan, SY_SCHEDULE_FEES, version, &rows);
}

void sy_nation_bring_fees(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    (void)number;
    begin(plan, SY_KIND_schedule_rows, &nation->payers[0].clerk);
    struct sy_schedule_rows *p = &plan->payload.schedule_rows;
    p->kind = SY_SCHEDULE_FEES;
    p->version = ++nation->fees_brought;
    p->pages = 1;
    add_fees(nation, &p->rows, p->version);
    SY_ASSERT(p->version <= nation->fees_published && !nation->lists.failed);
}

// --- plans and coverage ------------------------------------------------------------------------

/* The first ones, one of each payer, are those by which everybody is covered. */
void sy_nation_publish_plan(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_plan_publish, &nation->payers[number % SY_NATION_PAYERS].clerk);
    struct sy_plan_publish *p = &plan->payload.plan_publish;
    p->plan_id = sy_nation_id('l', number);
    p->deductible = 10000;
    p->copay_office = 2000;
    p->coinsurance_bp = 2000;
    p->out_of_pocket_max = 1000000;
    p->benefit_max = SY_MONEY_MAX;
    p->filing_days = 365;
    p->dispute_days = 30;
    p->codes_version = 1;
}

static void fill_coverage(sy_nation *nation, struct sy_coverage_add *p, uint64_t number)
{
    p->coverage_id = sy_nation_id('v', number);
    p->patient_id = patient_of(nation, number)->id;
    p->plan_id = sy_nation_id('l', patient_of(nation, number)->payer);
}

/* For as long as a bench runs, and before all others of the patient. */
void sy_nation_cover_all(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    SY_ASSERT(number < nation->patient_count);
    begin(plan, SY_KIND_coverage_add, &payer_of(nation, number)->clerk);
    fill_coverage(nation, &plan->payload.coverage_add, number);
    plan->payload.coverage_add.until = SY_TIME_MS_MAX;
    plan->payload.coverage_add.order = 1;
}

/* Behind the first, a day each. */
void sy_nation_cover(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    int64_t day = (int64_t)(number / nation->patient_count) * DAY_MS;
    begin(plan, SY_KIND_coverage_add, &payer_of(nation, number)->clerk);
    fill_coverage(nation, &plan->payload.coverage_add, number);
    plan->payload.coverage_add.from = day;
    plan->payload.coverage_add.until = day + DAY_MS - 1;
    plan->payload.coverage_add.order = 2;
}

void sy_nation_end_cover(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_coverage_end, &payer_of(nation, number)->clerk);
    plan->payload.coverage_end.coverage_id = sy_nation_id('v', number);
    plan->payload.coverage_end.until = (int64_t)(number / nation->patient_count) * DAY_MS;
}

/* A doctor asks whether a scan will be paid for, and the payer says so. */
void sy_nation_ask_payer(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    static const char code[] = "hc:70551";
    struct sy_nation_patient *patient = patient_of(nation, number);
    begin(plan, SY_KIND_auth_request, &nation->orgs[patient->organisation].doctor);
    struct sy_auth_request *p = &plan->payload.auth_request;
    p->auth_id = sy_nation_id('u', number);
    p->patient_id = patient->id;
    p->coverage_id = sy_nation_id('v', number % nation->patient_count);
    sy_list_add_text(&p->codes, &nation->lists, sy_slice_of(code, sizeof code - 1));
    p->units = 2;
    p->until = SY_TIME_MS_MAX;
    SY_ASSERT(!nation->lists.failed);
}

void sy_nation_authorise(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_auth_decide, &payer_of(nation, number)->clerk);
    plan->payload.auth_decide.auth_id = sy_nation_id('u', number);
    plan->payload.auth_decide.units = 1;
    plan->payload.auth_decide.until = SY_TIME_MS_MAX;
}

/* Three lines, of a visit. */
static void fill_claim(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number,
                       const char *const lines[3])
{
    struct sy_nation_patient *patient = patient_of(nation, number);
    struct sy_nation_org *org = &nation->orgs[patient->organisation];
    static const struct sy_tag diagnosis = {{1}};
    begin(plan, SY_KIND_claim_submit, &org->doctor);
    struct sy_claim_submit *p = &plan->payload.claim_submit;
    p->claim_id = sy_nation_id('k', number);
    p->patient_id = patient->id;
    p->coverage_id = sy_nation_id('v', number % nation->patient_count);
    p->rendering = org->doctor.key;
    p->class = SY_SERVICE_OFFICE;
    // A patient may have several in a block, a second after the one before: no two at one time.
    p->from = nation->header.time_ms - (int64_t)(number / nation->patient_count % 1000);
    p->until = p->from;
    p->total = 20000;
    sy_list_add_tag(&p->diagnoses, &nation->lists, &diagnosis);
    for (unsigned i = 0; i < 3; i++) {
        sy_list_add_text(&p->lines, &nation->lists, sy_slice_of(lines[i], strlen(lines[i])));
    }
    SY_ASSERT(!nation->lists.failed);
}

void sy_nation_bill(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    static const char *const lines[3] = {"1/hc:99213:25/1/12500/11/A", "2/hc:85025/1/2500/11/A",
                                         "3/hc:71046/1/5000/11/A"};
    fill_claim(nation, plan, number, lines);
}

void sy_nation_bill_twice(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_hash id = sy_nation_id('k', number), place;
    struct sy_slice value;
    struct sy_claim claim;
    sy_nation_bill(nation, plan, number);
    struct sy_claim_submit *p = &plan->payload.claim_submit;
    p->claim_id = sy_nation_id('d', number);
    sy_state_key_id(&place, SY_STATE_CLAIM, &id);
    bool found =
        sy_replay_state_get(nation->state, &value, &place) && sy_claim_decode(&claim, value);
    SY_ASSERT(found);
    p->from = p->until = claim.from_ms;
}

/* Of a code that the payer has to look at. */
void sy_nation_bill_reviewed(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    static const char *const lines[3] = {"1/zz:1/1/12500/11/A", "2/hc:85025/1/2500/11/A",
                                         "3/hc:71046/1/5000/11/A"};
    fill_claim(nation, plan, number, lines);
}

void sy_nation_adjudicate(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    static uint8_t allowed[24];
    sy_store_u64(allowed, 12000);
    sy_store_u64(allowed + 8, 2000);
    sy_store_u64(allowed + 16, 4000);
    begin(plan, SY_KIND_claim_adjudicate, &payer_of(nation, number)->clerk);
    plan->payload.claim_adjudicate.claim_id = sy_nation_id('k', number);
    plan->payload.claim_adjudicate.allowed = sy_slice_of(allowed, sizeof allowed);
}

/* Hospital, doctor's practice and laboratory: 70, 20 and 10 of 100. */
void sy_nation_pay(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    static uint8_t shares[24];
    sy_store_u64(shares, 7000);
    sy_store_u64(shares + 8, 2000);
    sy_store_u64(shares + 16, 1000);
    begin(plan, SY_KIND_claim_pay, &payer_of(nation, number)->clerk);
    struct sy_claim_pay *p = &plan->payload.claim_pay;
    uint32_t home = patient_of(nation, number)->organisation;
    unsigned payees = nation->org_count < 3 ? 2 : 3;
    p->claim_id = sy_nation_id('k', number);
    for (unsigned i = 0; i < payees; i++) {
        const struct sy_nation_org *org = &nation->orgs[(home + i) % nation->org_count];
        sy_list_add_id(&p->payees, &nation->lists, &org->id);
    }
    if (payees == 2) sy_store_u64(shares + 8, 3000);
    p->shares = sy_slice_of(shares, 8u * payees);
    SY_ASSERT(!nation->lists.failed);
}

void sy_nation_reverse(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_claim_reverse, &payer_of(nation, number)->clerk);
    plan->payload.claim_reverse.claim_id = sy_nation_id('k', number);
    plan->payload.claim_reverse.reason = SY_REVERSE_OVERPAID;
}

static int compare_orgs(const void *a, const void *b)
{
    return sy_hash_compare(&(*(const struct sy_nation_org *const *)a)->id,
                           &(*(const struct sy_nation_org *const *)b)->id);
}

/* What a payer owes an organisation; false: nothing. */
static bool find_owed(sy_nation *nation, struct sy_owed *owed, const struct sy_hash *payer,
                      const struct sy_hash *org)
{
    struct sy_hash place;
    struct sy_slice value;
    sy_state_key_pair(&place, SY_STATE_OWED, payer, org);
    return sy_replay_state_get(nation->state, &value, &place) && sy_owed_decode(owed, value) &&
           owed->moves > 0;
}

/* Only those whose periods go together: what was settled of one may end after another began. */
void sy_nation_settle(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    static const struct sy_nation_org *orgs[SY_SETTLE_PAYEES_MAX];
    unsigned count = 0;
    struct sy_owed owed;
    int64_t settled_ms = 0, first_ms = INT64_MAX;
    struct sy_nation_payer *payer = payer_of(nation, number);
    begin(plan, SY_KIND_settle_batch, &payer->clerk);
    struct sy_settle_batch *p = &plan->payload.settle_batch;
    for (uint32_t i = 0; i < nation->org_count && count < SY_SETTLE_PAYEES_MAX; i++) {
        if (!find_owed(nation, &owed, &payer->id, &nation->orgs[i].id)) continue;
        int64_t from = owed.settled_ms > settled_ms ? owed.settled_ms : settled_ms;
        int64_t first = owed.first_ms < first_ms ? owed.first_ms : first_ms;
        if (from > first) continue;
        settled_ms = from;
        first_ms = first;
        orgs[count++] = &nation->orgs[i];
    }
    qsort(orgs, count, sizeof(void *), compare_orgs);
    p->settlement_id = sy_nation_id('t', number);
    p->from = settled_ms;
    p->until = nation->header.time_ms;
    for (unsigned i = 0; i < count; i++) {
        char hex[65], text[96];
        bool found = find_owed(nation, &owed, &payer->id, &orgs[i]->id);
        SY_ASSERT(found);
        sy_hex_encode(hex, orgs[i]->id.bytes, sizeof orgs[i]->id.bytes);
        (void)snprintf(text, sizeof text, "%s=%lld", hex, (long long)owed.amount);
        sy_list_add_text(&p->nets, &nation->lists, sy_slice_of(text, strlen(text)));
    }
    SY_ASSERT(!nation->lists.failed);
}

void sy_nation_appeal(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_claim_appeal,
          &nation->orgs[patient_of(nation, number)->organisation].doctor);
    plan->payload.claim_appeal.claim_id = sy_nation_id('k', number);
}

void sy_nation_dispute(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_claim_dispute, &patient_of(nation, number)->wallet);
    plan->payload.claim_dispute.claim_id = sy_nation_id('k', number);
    plan->payload.claim_dispute.reason = SY_BILL_NOT_RENDERED;
}

/* With a device that nobody knows. */
void sy_nation_bill_flagged(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    static const char of_device[] =
        "1/hc:99213:25/1/12500/11/A/"
        "device:0000000000000000000000000000000000000000000000000000000000000001";
    static const char *const lines[3] = {of_device, "2/hc:85025/1/2500/11/A",
                                         "3/hc:71046/1/5000/11/A"};
    fill_claim(nation, plan, number, lines);
}

void sy_nation_clear(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_fraud_clear, &payer_of(nation, number)->clerk);
    plan->payload.fraud_clear.claim_id = sy_nation_id('k', number);
    plan->payload.fraud_clear.rule = SY_FRAUD_UNKNOWN;
}

/* All within a day, of which there are a few seconds when a nation begins. */
static void bill_minutes(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number,
                         const char *line, int64_t behind_ms)
{
    struct sy_nation_patient *patient = patient_of(nation, number);
    struct sy_nation_org *org = &nation->orgs[patient->organisation];
    static const struct sy_tag diagnosis = {{1}};
    begin(plan, SY_KIND_claim_submit, &org->doctor);
    struct sy_claim_submit *p = &plan->payload.claim_submit;
    p->patient_id = patient->id;
    p->coverage_id = sy_nation_id('v', number % nation->patient_count);
    p->rendering = org->doctor.key;
    p->class = SY_SERVICE_OFFICE;
    p->from = nation->genesis.created_ms + behind_ms + (int64_t)(number % 40000);
    p->until = p->from;
    p->total = 5000;
    sy_list_add_tag(&p->diagnoses, &nation->lists, &diagnosis);
    sy_list_add_text(&p->lines, &nation->lists, sy_slice_of(line, strlen(line)));
    SY_ASSERT(!nation->lists.failed);
}

void sy_nation_bill_minute(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    bill_minutes(nation, plan, number, "1/hc:99499/1/5000/11/A", 0);
    plan->payload.claim_submit.claim_id = sy_nation_id('k', number);
}

void sy_nation_bill_day(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    bill_minutes(nation, plan, number, "1/hc:99499/1440/5000/11/A", 50000);
    plan->payload.claim_submit.claim_id = sy_nation_id('m', number);
}

void sy_nation_flag(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_fraud_flag, &payer_of(nation, number)->clerk);
    plan->payload.fraud_flag.claim_id = sy_nation_id('k', number);
    plan->payload.fraud_flag.rule = SY_FRAUD_DAY;
}

void sy_nation_reverse_day(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    sy_nation_reverse(nation, plan, number);
    plan->payload.claim_reverse.claim_id = sy_nation_id('m', number);
}
