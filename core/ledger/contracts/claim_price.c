/* claim_price.c: edits of lines, and what each of them comes to; see claim_rules.h. */
#include "core/base/assert.h"
#include "core/ledger/contracts/claim_rules.h"

// --- edits -------------------------------------------------------------------------------------

/* The modifiers that tell two procedures of a day apart (CMS, NCCI policy manual, chapter I). */
static bool tells_apart(struct sy_slice modifiers)
{
    static const char words[] = "24 25 27 57 58 59 78 79 91 E1 E2 E3 E4 F1 F2 F3 F4 F5 F6 F7 F8 F9 "
                                "FA LC LD LM LT RC RI RT T1 T2 T3 T4 T5 T6 T7 T8 T9 TA XE XP XS XU";
    for (size_t at = 0; at + 2 <= modifiers.size; at += 3) {
        for (const char *word = words; word[0] != '\0'; word += word[2] == '\0' ? 2 : 3) {
            if (memcmp(word, modifiers.data + at, 2) == 0) return true;
        }
    }
    return false;
}

static int compare_codes(struct sy_slice a, struct sy_slice b)
{
    int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
    if (order != 0) return order;
    return (a.size > b.size) - (a.size < b.size);
}

static bool find(const struct sy_claim_lists *lists, struct sy_schedule_row *row, uint16_t kind,
                 struct sy_slice key)
{
    return lists->has[kind] && lists->find(lists->self, row, kind, key);
}

/* The line takes what it needs of the units that the authorisation has left. */
static bool take_units(struct sy_claim_result *result, const struct sy_claim_line *line,
                       const struct sy_claim_lists *lists, uint64_t *left)
{
    struct sy_slice code;
    for (size_t offset = 0; sy_list_next_text(&lists->authorised, &offset, &code);) {
        if (!sy_slice_equal(code, line->code)) continue;
        if (line->units > *left) return false;
        *left -= line->units;
        result->authorised = line->units;
        return true;
    }
    return false;
}

/* By the payer's fees: what it allows, or why it does not. */
static bool edit_fee(struct sy_claim_result *result, const struct sy_claim_line *line,
                     const struct sy_claim_lists *lists, uint64_t *units_left)
{
    struct sy_schedule_row row;
    result->limit = SY_MONEY_MAX;
    if (memcmp(line->code.data, "zz:", 3) == 0) return true; // no list can price it
    if (!lists->has[SY_SCHEDULE_FEES]) return false;
    result->limit = 0;
    if (!find(lists, &row, SY_SCHEDULE_FEES, line->code)) {
        result->reason = SY_CARC_NOT_COVERED;
        return false;
    }
    bool fits = row.value == 0 || line->units <= SY_MONEY_MAX / row.value;
    result->limit = fits ? row.value * line->units : SY_MONEY_MAX;
    if ((row.flags & SY_ROW_CAPITATED) != 0) {
        result->reason = SY_CARC_CAPITATED;
    } else if ((row.flags & SY_ROW_AUTHORISED) != 0 &&
               !take_units(result, line, lists, units_left)) {
        result->reason = SY_CARC_UNAUTHORISED;
    }
    return result->reason == 0 && (row.flags & SY_ROW_REVIEWED) != 0;
}

/* Two lines of different codes: one of them may not be paid beside the other. */
static void edit_pair(struct sy_claim_result *results, const struct sy_claim_line *lines,
                      unsigned a, unsigned b, const struct sy_claim_lists *lists)
{
    uint8_t room[2 * 32];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_schedule_row row;
    int order = compare_codes(lines[a].code, lines[b].code);
    if (order == 0) return;
    unsigned lesser = order < 0 ? a : b, greater = order < 0 ? b : a;
    sy_write_raw(&w, lines[lesser].code.data, lines[lesser].code.size);
    sy_write_u8(&w, '/');
    sy_write_raw(&w, lines[greater].code.data, lines[greater].code.size);
    SY_ASSERT(!w.failed);
    if (!find(lists, &row, SY_SCHEDULE_PAIRS, sy_writer_slice(&w))) return;
    uint64_t indicator = row.value % 10;
    unsigned second = row.value / 10 == 1 ? greater : lesser;
    unsigned first = second == greater ? lesser : greater;
    if (indicator > 1) return;
    bool apart = tells_apart(lines[second].modifiers) || tells_apart(lines[first].modifiers);
    if (indicator == 1 && apart) return;
    // What is denied already stands beside nothing.
    if (results[first].reason != 0 || results[second].reason != 0) return;
    results[second].reason = SY_CARC_PAIR;
    results[second].other = (uint8_t)(first + 1);
}

/* All units of a code together; the lines beyond the limit are denied. */
static void edit_units(struct sy_claim_result *results, const struct sy_claim_line *lines,
                       unsigned at, const struct sy_claim_lists *lists)
{
    struct sy_schedule_row row;
    uint64_t units = 0;
    if (results[at].reason != 0 || !find(lists, &row, SY_SCHEDULE_UNITS, lines[at].code)) return;
    for (unsigned i = 0; i <= at; i++) {
        bool same = results[i].reason == 0 && sy_slice_equal(lines[i].code, lines[at].code);
        if (same) units += lines[i].units;
    }
    if (units > row.value) results[at].reason = SY_CARC_UNITS;
}

bool sy_claim_edit(struct sy_claim_result *results, const struct sy_claim_line *lines,
                   unsigned count, const struct sy_claim_lists *lists)
{
    bool review = false;
    uint64_t units_left = lists->authorised_units;
    SY_ASSERT(count >= 1 && count <= SY_CLAIM_LINES_MAX);
    memset(results, 0, count * sizeof *results);
    for (unsigned i = 0; i < count; i++) {
        results[i].charge = lines[i].charge;
        results[i].prior = lines[i].prior;
        if (edit_fee(&results[i], &lines[i], lists, &units_left)) review = true;
    }
    for (unsigned i = 1; lists->has[SY_SCHEDULE_PAIRS] && i < count; i++) {
        for (unsigned k = 0; k < i; k++) edit_pair(results, lines, k, i, lists);
    }
    for (unsigned i = 0; i < count; i++) edit_units(results, lines, i, lists);
    for (unsigned i = 0; i < count; i++) {
        if (results[i].reason != 0) results[i].authorised = 0;
    }
    return review;
}

// --- prices ------------------------------------------------------------------------------------

uint64_t sy_share(uint64_t amount, uint32_t bp)
{
    SY_ASSERT(amount <= SY_MONEY_MAX && bp <= SY_BASIS_POINTS);
    return amount / SY_BASIS_POINTS * bp + amount % SY_BASIS_POINTS * bp / SY_BASIS_POINTS;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t left_of(uint64_t most, uint64_t used)
{
    return used < most ? most - used : 0;
}

/* Takes up to `much` out of *part; returns what is still to be taken. */
static uint64_t take(uint64_t *part, uint64_t much)
{
    uint64_t taken = least(*part, much);
    *part -= taken;
    return much - taken;
}

static uint64_t shared(const struct sy_claim_result *line)
{
    return line->deductible + line->copay + line->coinsurance;
}

static void price_line(struct sy_claim_result *line, uint64_t *copay, struct sy_used *used,
                       const struct sy_plan *plan)
{
    uint64_t allowed = least(line->charge - line->contractual, line->limit);
    line->contractual = line->charge - allowed;
    line->deductible = least(allowed, left_of(plan->deductible, used->deductible));
    uint64_t rest = allowed - line->deductible;
    line->copay = least(rest, *copay);
    *copay -= line->copay;
    rest -= line->copay;
    line->coinsurance = sy_share(rest, plan->coinsurance_bp);

    // The patient's year is full: coinsurance goes first, so that the deductible is met for real.
    uint64_t over = left_of(shared(line), left_of(plan->out_of_pocket_max, used->out_of_pocket));
    over = take(&line->coinsurance, over);
    over = take(&line->copay, over);
    over = take(&line->deductible, over);
    SY_ASSERT(over == 0);
    uint64_t pays = allowed - shared(line);
    line->beyond = left_of(pays, left_of(plan->benefit_max, used->benefit));
    pays -= line->beyond;

    // What earlier payers left is all that there is to pay, by the plan first.
    uint64_t remains = allowed - least(line->prior, allowed);
    pays = least(pays, remains);
    uint64_t spared = shared(line) + line->beyond - (remains - pays);
    spared = take(&line->beyond, spared);
    spared = take(&line->coinsurance, spared);
    spared = take(&line->copay, spared);
    spared = take(&line->deductible, spared);
    SY_ASSERT(spared == 0);
    SY_ASSERT(sy_claim_result_paid(line) == pays);
    used->deductible += line->deductible;
    used->out_of_pocket += shared(line);
    used->benefit += pays;
}

void sy_claim_price(struct sy_claim_result *results, unsigned count, struct sy_used *used,
                    const struct sy_plan *plan, uint16_t service_class)
{
    uint64_t copay = 0;
    switch (service_class) {
    case SY_SERVICE_OFFICE: copay = plan->copays[SY_COPAY_OFFICE]; break;
    case SY_SERVICE_EMERGENCY: copay = plan->copays[SY_COPAY_EMERGENCY]; break;
    case SY_SERVICE_INPATIENT: copay = plan->copays[SY_COPAY_INPATIENT]; break;
    case SY_SERVICE_PHARMACY: copay = plan->copays[SY_COPAY_PHARMACY]; break;
    default: break;
    }
    for (unsigned i = 0; i < count; i++) {
        if (results[i].reason == 0) price_line(&results[i], &copay, used, plan);
    }
}

void sy_claim_release(struct sy_used *used, const struct sy_claim_result *results, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (results[i].reason != 0) continue;
        used->deductible = left_of(used->deductible, results[i].deductible);
        used->out_of_pocket = left_of(used->out_of_pocket, shared(&results[i]));
        used->benefit = left_of(used->benefit, sy_claim_result_paid(&results[i]));
    }
}

bool sy_claim_split(uint64_t *amounts, uint64_t *sum, const uint64_t *shares, unsigned count,
                    uint64_t amount)
{
    uint64_t given = 0;
    *sum = 0;
    for (unsigned i = 0; i < count; i++) {
        *sum += shares[i] <= SY_BASIS_POINTS ? shares[i] : SY_BASIS_POINTS + 1;
    }
    if (*sum != SY_BASIS_POINTS) return false;
    for (unsigned i = 0; i < count; i++) {
        amounts[i] = sy_share(amount, (uint32_t)shares[i]);
        given += amounts[i];
    }
    SY_ASSERT(given <= amount && amount - given < count);
    amounts[0] += amount - given;
    return true;
}

uint32_t sy_year_of(int64_t time_ms)
{
    SY_ASSERT(time_ms >= 0 && time_ms <= SY_TIME_MS_MAX);
    // Days since 0000-03-01, in eras of 400 years of 146,097 days.
    uint64_t days = (uint64_t)time_ms / 86400000u + 719468u;
    uint64_t of_era = days % 146097u;
    uint64_t year_of_era = (of_era - of_era / 1460u + of_era / 36524u - of_era / 146096u) / 365u;
    uint64_t of_year = of_era - (365u * year_of_era + year_of_era / 4u - year_of_era / 100u);
    uint64_t year = year_of_era + days / 146097u * 400u;
    return (uint32_t)(of_year >= 306u ? year + 1 : year); // January and February end the year
}
