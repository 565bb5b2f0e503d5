/* show_money.c: see show_money.h. */
#include "core/client/show_money.h"
#include "core/client/show_fields.h"

#include "core/wire/money.h"

static bool put_plan(sy_json *json, struct sy_slice value)
{
    static const char *const copays[SY_COPAYS] = {
        [SY_COPAY_OFFICE] = "copay_office",
        [SY_COPAY_EMERGENCY] = "copay_emergency",
        [SY_COPAY_INPATIENT] = "copay_inpatient",
        [SY_COPAY_PHARMACY] = "copay_pharmacy",
    };
    struct sy_plan plan;
    if (!sy_plan_decode(&plan, value)) return false;
    sy_show_hash(json, "payer", &plan.payer);
    sy_json_put_u64(json, "deductible", plan.deductible);
    for (unsigned i = 0; i < SY_COPAYS; i++) sy_json_put_u64(json, copays[i], plan.copays[i]);
    sy_json_put_u64(json, "coinsurance_bp", plan.coinsurance_bp);
    sy_json_put_u64(json, "out_of_pocket_max", plan.out_of_pocket_max);
    sy_json_put_u64(json, "benefit_max", plan.benefit_max);
    sy_json_put_u64(json, "filing_days", plan.filing_days);
    sy_json_put_u64(json, "dispute_days", plan.dispute_days);
    sy_json_key(json, "lists");
    sy_json_object_begin(json);
    for (uint16_t i = SY_SCHEDULE_FEES; i <= SY_SCHEDULE_CODES; i++) {
        if (plan.versions[i] == 0) continue;
        sy_json_put_u64(json, sy_enum_word(&sy_enum_schedule_kind, i), plan.versions[i]);
    }
    sy_json_object_end(json);
    sy_json_put_bool(json, "encounters", plan.encounters);
    sy_json_put_u64(json, "published_height", plan.height);
    return true;
}

static bool put_coverage(sy_json *json, struct sy_slice value)
{
    struct sy_coverage coverage;
    if (!sy_coverage_decode(&coverage, value)) return false;
    sy_show_hash(json, "patient", &coverage.patient);
    sy_show_hash(json, "plan", &coverage.plan);
    sy_show_hash(json, "payer", &coverage.payer);
    sy_json_put_i64(json, "from_ms", coverage.from_ms);
    sy_json_put_i64(json, "until_ms", coverage.until_ms);
    sy_json_put_u64(json, "order", coverage.order);
    sy_json_put_u64(json, "added_height", coverage.height);
    if (coverage.ended_height != 0) sy_json_put_u64(json, "ended_height", coverage.ended_height);
    return true;
}

static bool put_coverages(sy_json *json, struct sy_slice value)
{
    struct sy_coverages coverages;
    if (!sy_coverages_decode(&coverages, value)) return false;
    sy_json_key(json, "coverages");
    sy_json_array_begin(json);
    for (unsigned i = 0; i < coverages.count; i++) {
        sy_json_object_begin(json);
        sy_show_hash(json, "coverage", &coverages.spans[i].coverage);
        sy_json_put_i64(json, "from_ms", coverages.spans[i].from_ms);
        sy_json_put_i64(json, "until_ms", coverages.spans[i].until_ms);
        sy_json_object_end(json);
    }
    sy_json_array_end(json);
    return true;
}

static bool put_used(sy_json *json, struct sy_slice value)
{
    struct sy_used used;
    if (!sy_used_decode(&used, value)) return false;
    sy_json_put_u64(json, "deductible", used.deductible);
    sy_json_put_u64(json, "out_of_pocket", used.out_of_pocket);
    sy_json_put_u64(json, "benefit", used.benefit);
    return true;
}

static bool put_auth(sy_json *json, struct sy_slice value)
{
    struct sy_auth auth;
    struct sy_slice code;
    if (!sy_auth_decode(&auth, value)) return false;
    sy_json_put_text(json, "status", sy_enum_word(&sy_enum_auth_status, auth.status));
    sy_show_hash(json, "patient", &auth.patient);
    sy_show_hash(json, "coverage", &auth.coverage);
    sy_show_hash(json, "plan", &auth.plan);
    sy_show_hash(json, "payer", &auth.payer);
    sy_show_hash(json, "organisation", &auth.organisation);
    sy_json_key(json, "codes");
    sy_json_array_begin(json);
    for (size_t offset = 0; sy_list_next_text(&auth.codes, &offset, &code);) {
        sy_json_text_bytes(json, code.data, code.size);
    }
    sy_json_array_end(json);
    sy_json_put_u64(json, "units_asked", auth.asked);
    sy_json_put_u64(json, "units_granted", auth.granted);
    sy_json_put_u64(json, "units_used", auth.used);
    sy_json_put_i64(json, "from_ms", auth.from_ms);
    sy_json_put_i64(json, "until_ms", auth.until_ms);
    if (auth.has_evidence) sy_show_hash(json, "evidence_hash", &auth.evidence);
    sy_json_put_u64(json, "requested_height", auth.height);
    if (auth.decided_height != 0) {
        sy_json_put_i64(json, "decided_ms", auth.decided_ms);
        sy_json_put_u64(json, "decided_height", auth.decided_height);
    }
    return true;
}

/* One adjustment of a line (X12 CAS): group, reason, amount; none of nothing. */
static void put_adjustment(sy_json *json, const char *group, unsigned reason, uint64_t amount)
{
    if (amount == 0) return;
    sy_json_object_begin(json);
    sy_json_put_text(json, "group", group);
    sy_json_put_u64(json, "reason", reason);
    sy_json_put_u64(json, "amount", amount);
    sy_json_object_end(json);
}

static void put_line(sy_json *json, const struct sy_claim_result *line, bool decided)
{
    sy_json_object_begin(json);
    sy_json_put_u64(json, "charge", line->charge);
    if (decided) {
        sy_json_put_u64(json, "paid", sy_claim_result_paid(line));
        sy_json_key(json, "adjustments");
        sy_json_array_begin(json);
        if (line->reason != 0) {
            put_adjustment(json, sy_claim_reason_group(line->reason), line->reason, line->charge);
        }
        put_adjustment(json, "CO", 45, line->contractual);
        put_adjustment(json, "OA", 23, sy_claim_result_prior(line));
        put_adjustment(json, "PR", 1, line->deductible);
        put_adjustment(json, "PR", 2, line->coinsurance);
        put_adjustment(json, "PR", 3, line->copay);
        put_adjustment(json, "PR", 119, line->beyond);
        sy_json_array_end(json);
        if (line->reason != 0) {
            const char *word = sy_enum_word(&sy_enum_carc, line->reason);
            if (word != NULL) sy_json_put_text(json, "denied", word);
            if (line->other != 0) sy_json_put_u64(json, "beside_line", line->other);
        }
    }
    if (line->authorised != 0) sy_json_put_u64(json, "units_authorised", line->authorised);
    sy_json_object_end(json);
}

/* What is open against the claim. */
static void put_holds(sy_json *json, const struct sy_claim *claim)
{
    sy_json_key(json, "contested_by");
    sy_json_array_begin(json);
    for (uint16_t i = SY_CONTEST_APPEAL; i <= SY_CONTEST_DISPUTE; i++) {
        const char *word = sy_enum_word(&sy_enum_contest, i);
        if ((claim->holds & SY_CONTEST_BIT(i)) != 0) sy_json_text(json, word);
    }
    sy_json_array_end(json);
}

/* Rules that flagged the claim, or of those that were cleared. */
static void put_rules(sy_json *json, const char *name, uint32_t rules)
{
    sy_json_key(json, name);
    sy_json_array_begin(json);
    for (uint16_t i = SY_FRAUD_DAY; i <= SY_FRAUD_ENCOUNTER; i++) {
        if ((rules & SY_FRAUD_BIT(i)) != 0)
            sy_json_text(json, sy_enum_word(&sy_enum_fraud_rule, i));
    }
    sy_json_array_end(json);
}

static bool put_denied(sy_json *json, struct sy_slice value)
{
    struct sy_denied_lines denied;
    if (!sy_denied_lines_decode(&denied, value)) return false;
    sy_json_key(json, "lines");
    sy_json_array_begin(json);
    for (unsigned i = 0; i < denied.count; i++) {
        sy_json_object_begin(json);
        sy_json_put_u64(json, "line", denied.lines[i].line);
        sy_json_put_u64(json, "minutes", denied.lines[i].minutes);
        if (denied.lines[i].has_rx) sy_show_hash(json, "prescription", &denied.lines[i].rx);
        sy_json_object_end(json);
    }
    sy_json_array_end(json);
    return true;
}

static bool put_contest(sy_json *json, struct sy_slice value)
{
    struct sy_contest_entry contest;
    if (!sy_contest_decode(&contest, value)) return false;
    sy_json_put_text(json, "status", sy_enum_word(&sy_enum_contest_status, contest.status));
    const char *word = sy_enum_word(&sy_enum_bill_reason, contest.reason);
    if (word != NULL) sy_json_put_text(json, "reason", word);
    sy_json_key(json, "lines");
    sy_json_array_begin(json);
    for (unsigned i = 0; i < SY_CLAIM_LINES_MAX; i++) {
        if ((contest.lines >> i & 1) != 0) sy_json_u64(json, i + 1);
    }
    sy_json_array_end(json);
    if (contest.has_evidence) sy_show_hash(json, "evidence_hash", &contest.evidence);
    sy_json_put_i64(json, "opened_ms", contest.opened_ms);
    sy_json_put_i64(json, "held_until_ms", contest.held_until_ms);
    sy_json_put_u64(json, "opened_height", contest.height);
    if (contest.ended_height != 0) {
        sy_json_put_i64(json, "ended_ms", contest.ended_ms);
        sy_json_put_u64(json, "ended_height", contest.ended_height);
    }
    return true;
}

static bool put_claim(sy_json *json, struct sy_slice value)
{
    struct sy_claim claim;
    if (!sy_claim_decode(&claim, value)) return false;
    bool decided = claim.decided_ms != 0;
    sy_json_put_text(json, "status", sy_enum_word(&sy_enum_claim_status, claim.status));
    sy_show_hash(json, "patient", &claim.patient);
    sy_show_hash(json, "coverage", &claim.coverage);
    sy_show_hash(json, "payer", &claim.payer);
    sy_show_hash(json, "provider", &claim.provider);
    sy_show_hash(json, "rendering", &claim.rendering);
    sy_show_hash(json, "service_key", &claim.key);
    const char *word = sy_enum_word(&sy_enum_service_class, claim.service_class);
    if (word != NULL) sy_json_put_text(json, "class", word);
    sy_json_put_i64(json, "from_ms", claim.from_ms);
    sy_json_put_i64(json, "until_ms", claim.until_ms);
    if (decided) sy_json_put_i64(json, "decided_ms", claim.decided_ms);
    sy_json_put_u64(json, "submitted_height", claim.height);
    if (claim.has_prior) sy_show_hash(json, "prior_claim", &claim.prior);
    if (claim.has_auth) sy_show_hash(json, "authorisation", &claim.auth);
    if (claim.outside) sy_json_put_bool(json, "payers_outside", true);
    put_holds(json, &claim);
    put_rules(json, "flagged", claim.fraud & ~claim.cleared);
    put_rules(json, "cleared", claim.cleared);
    if (claim.minutes != 0) sy_json_put_u64(json, "minutes", claim.minutes);
    sy_json_put_u64(json, "charge", sy_claim_charge(&claim));
    if (decided) {
        sy_json_put_u64(json, "paid", sy_claim_paid(&claim));
        sy_json_put_u64(json, "patient_owes", sy_claim_patient(&claim));
    }
    sy_json_key(json, "lines");
    sy_json_array_begin(json);
    for (unsigned i = 0; i < claim.line_count; i++) put_line(json, &claim.lines[i], decided);
    sy_json_array_end(json);
    return true;
}

static bool put_payment(sy_json *json, struct sy_slice value)
{
    struct sy_payment payment;
    if (!sy_payment_decode(&payment, value)) return false;
    sy_show_hash(json, "payer", &payment.payer);
    sy_json_put_u64(json, "amount", payment.amount);
    if (payment.has_reference) sy_show_hash(json, "reference", &payment.reference);
    sy_json_put_i64(json, "paid_ms", payment.time_ms);
    sy_json_put_u64(json, "paid_height", payment.height);
    if (payment.reversed) sy_json_put_u64(json, "reversed_height", payment.reversed_height);
    sy_json_key(json, "payees");
    sy_json_array_begin(json);
    for (unsigned i = 0; i < payment.count; i++) {
        sy_json_object_begin(json);
        sy_show_hash(json, "organisation", &payment.payees[i].organisation);
        sy_json_put_u64(json, "amount", payment.payees[i].amount);
        sy_json_object_end(json);
    }
    sy_json_array_end(json);
    return true;
}

static bool put_remittance(sy_json *json, struct sy_slice value)
{
    struct sy_remittance remittance;
    if (!sy_remittance_decode(&remittance, value)) return false;
    sy_show_hash(json, "claim", &remittance.claim);
    sy_show_hash(json, "payer", &remittance.payer);
    sy_json_put_i64(json, "amount", remittance.amount);
    sy_json_put_i64(json, "time_ms", remittance.time_ms);
    sy_json_put_u64(json, "height", remittance.height);
    return true;
}

/* A sum of any size, in decimal. */
static void put_sum(sy_json *json, const char *name, sy_sum sum)
{
    char text[48], *at = text + sizeof text;
    bool negative = sum < 0;
    do {
        int digit = (int)(sum % 10); // its sign is the sum's
        *--at = (char)('0' + (negative ? -digit : digit));
        sum /= 10;
    } while (sum != 0);
    if (negative) *--at = '-';
    sy_json_key(json, name);
    sy_json_raw(json, at, (size_t)(text + sizeof text - at));
}

static bool put_balance(sy_json *json, struct sy_slice value)
{
    struct sy_balance balance;
    if (!sy_balance_decode(&balance, value)) return false;
    put_sum(json, "amount", balance.amount);
    sy_json_put_u64(json, "remittances", balance.remittances);
    sy_json_put_u64(json, "settlements", balance.settlements);
    return true;
}

static bool put_owed(sy_json *json, struct sy_slice value)
{
    struct sy_owed owed;
    if (!sy_owed_decode(&owed, value)) return false;
    sy_json_put_i64(json, "amount", owed.amount);
    sy_json_put_u64(json, "moves", owed.moves);
    if (owed.moves != 0) sy_json_put_i64(json, "first_ms", owed.first_ms);
    if (owed.moves != 0) sy_json_put_i64(json, "last_ms", owed.last_ms);
    if (owed.settled_ms != 0) sy_json_put_i64(json, "settled_until_ms", owed.settled_ms);
    return true;
}

static bool put_settlement(sy_json *json, struct sy_slice value)
{
    struct sy_settlement settlement;
    if (!sy_settlement_decode(&settlement, value)) return false;
    sy_show_hash(json, "payer", &settlement.payer);
    sy_json_put_i64(json, "net", settlement.net);
    sy_json_put_u64(json, "moves", settlement.moves);
    sy_json_put_i64(json, "from_ms", settlement.from_ms);
    sy_json_put_i64(json, "until_ms", settlement.until_ms);
    sy_show_hash(json, "reference", &settlement.reference);
    sy_json_put_i64(json, "settled_ms", settlement.time_ms);
    sy_json_put_u64(json, "settled_height", settlement.height);
    return true;
}

static bool put_claim_id(sy_json *json, struct sy_slice value)
{
    struct sy_hash id;
    if (!sy_id_decode(&id, value)) return false;
    sy_show_hash(json, "claim", &id);
    return true;
}

static bool put_settlement_id(sy_json *json, struct sy_slice value)
{
    struct sy_hash id;
    if (!sy_id_decode(&id, value)) return false;
    sy_show_hash(json, "settlement", &id);
    return true;
}

static bool put_claims(sy_json *json, struct sy_slice value)
{
    uint64_t count;
    if (!sy_count_decode(&count, value)) return false;
    sy_json_put_u64(json, "claims", count);
    return true;
}

static bool put_fill_billed(sy_json *json, struct sy_slice value)
{
    struct sy_fill_billed billed;
    if (!sy_fill_billed_decode(&billed, value)) return false;
    sy_show_hash(json, "claim", &billed.claim);
    sy_json_put_u64(json, "line", billed.line);
    return true;
}

static bool put_day(sy_json *json, struct sy_slice value)
{
    uint64_t minutes;
    if (!sy_count_decode(&minutes, value)) return false;
    sy_json_put_u64(json, "minutes", minutes);
    return true;
}

static bool put_row(sy_json *json, struct sy_slice value)
{
    struct sy_schedule_row row;
    if (!sy_schedule_row_decode(&row, value)) return false;
    sy_json_put_u64(json, "value", row.value);
    sy_json_put_bool(json, "capitated", (row.flags & SY_ROW_CAPITATED) != 0);
    sy_json_put_bool(json, "authorised", (row.flags & SY_ROW_AUTHORISED) != 0);
    sy_json_put_bool(json, "reviewed", (row.flags & SY_ROW_REVIEWED) != 0);
    return true;
}

bool sy_show_money(sy_json *json, uint8_t state_kind, struct sy_slice value)
{
    switch (state_kind) {
    case SY_STATE_PLAN: return put_plan(json, value);
    case SY_STATE_COVERAGE: return put_coverage(json, value);
    case SY_STATE_COVERAGES: return put_coverages(json, value);
    case SY_STATE_USED: return put_used(json, value);
    case SY_STATE_AUTH: return put_auth(json, value);
    case SY_STATE_CLAIM: return put_claim(json, value);
    case SY_STATE_DENIED_LINES: return put_denied(json, value);
    case SY_STATE_CONTEST: return put_contest(json, value);
    case SY_STATE_PAYMENT: return put_payment(json, value);
    case SY_STATE_REMITTANCE: return put_remittance(json, value);
    case SY_STATE_BALANCE: return put_balance(json, value);
    case SY_STATE_OWED: return put_owed(json, value);
    case SY_STATE_SETTLEMENT: return put_settlement(json, value);
    case SY_STATE_SETTLEMENT_PLACE: return put_settlement_id(json, value);
    case SY_STATE_BILLED_DAY: return put_day(json, value);
    case SY_STATE_FILL_BILLED: return put_fill_billed(json, value);
    case SY_STATE_CLAIM_KEY:
    case SY_STATE_CLAIM_PLACE: return put_claim_id(json, value);
    case SY_STATE_CLAIMS: return put_claims(json, value);
    case SY_STATE_SCHEDULE_ROW: return put_row(json, value);
    default: return false;
    }
}
