/* bill_x12.c: see bill_x12.h. */
#include "core/client/bill_x12.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"

#define DEPENDENT_BYTES 256u

/* The sets with an issue, a bit each by their place in the document. */
struct issues {
    uint8_t *bits;
    uint64_t room; /* sets */
    bool lost;     /* the framing is lost, or there was no memory for a bit */
    sy_x12_tell tell;
    void *self;
};

struct reading {
    sy_bill_x12_take take;
    void *self;
    struct issues *issues;
    struct sy_x12_reader reader;
    struct sy_x12_segment at;
    struct sy_x12_loops loops;
    struct sy_slice guide, control; /* GS08, ST02 */
    int depth;                      /* of envelopes */
    uint64_t place;                 /* of the set, from 1 */
    bool has_claim;                 /* one is open */
    struct sy_slice provider, member;
    bool is_primary;                 /* no other payer comes before the one billed (SBR01) */
    char dependent[DEPENDENT_BYTES]; /* "": the member is the patient */
    /* of the claim at hand */
    struct sy_bill bill;
    struct sy_bill_x12_found found;
    struct sy_slice facility; /* CLM05-1 */
    bool has_dates;           /* the claim's own, which count before its lines' */
    int64_t lines_from_ms, lines_until_ms;
    bool lines_have_dates;
};

// --- issues ------------------------------------------------------------------------------------

static void note_issue(void *self, const struct sy_x12_issue *issue)
{
    struct issues *issues = (struct issues *)self;
    if (issue->kind == SY_X12_FRAMING) issues->lost = true;
    if (issue->place > 0) {
        if (issue->place >= issues->room) {
            uint64_t room = issues->room == 0 ? 1024 : issues->room;
            while (room <= issue->place) room *= 2;
            uint8_t *bits = realloc(issues->bits, (size_t)(room / 8));
            if (bits == NULL) {
                issues->lost = true; // so that nothing is acted on
            } else {
                memset(bits + issues->room / 8, 0, (size_t)((room - issues->room) / 8));
                issues->bits = bits;
                issues->room = room;
            }
        }
        if (issue->place < issues->room) {
            issues->bits[issue->place / 8] |= (uint8_t)(1u << issue->place % 8);
        }
    }
    issues->tell(issues->self, issue);
}

static bool has_issue(const struct issues *issues, uint64_t place)
{
    if (issues->lost) return true;
    return place < issues->room && (issues->bits[place / 8] >> place % 8 & 1) != 0;
}

// --- what a claim has --------------------------------------------------------------------------

static void spoil(struct reading *reading, const char *why)
{
    if (!reading->found.good) return;
    reading->found.good = false;
    (void)snprintf(reading->found.why, sizeof reading->found.why, "%s", why);
}

static bool is_word(struct sy_slice text, const char *word)
{
    return sy_slice_equal(text, sy_slice_of(word, strlen(word)));
}

static struct sy_bill_line *newest_line(struct reading *reading)
{
    return &reading->bill.lines[reading->bill.line_count - 1];
}

/* "HC:99213:25", with up to four modifiers behind the code. */
static void take_service(struct reading *reading, struct sy_slice service)
{
    static const struct {
        const char *qualifier, *system;
    } systems[] = {{"HC", "hc"}, {"AD", "hc"}, {"N4", "n4"}, {"NU", "nu"}, {"ER", "zz"},
                   {"HP", "zz"}, {"IV", "zz"}, {"WK", "zz"}, {"ZZ", "zz"}};
    struct sy_slice qualifier = sy_x12_component(&reading->reader, service, 1), modifiers[4];
    struct sy_slice code = sy_x12_component(&reading->reader, service, 2);
    for (uint32_t i = 0; i < 4; i++) {
        modifiers[i] = sy_x12_component(&reading->reader, service, 3 + i);
    }
    for (size_t i = 0; i < sizeof systems / sizeof systems[0]; i++) {
        if (!is_word(qualifier, systems[i].qualifier)) continue;
        if (sy_bill_code(newest_line(reading)->code, systems[i].system, code, modifiers, 4)) return;
        break;
    }
    spoil(reading, "a line's code or a modifier has not the form of a claim's");
}

static void take_revenue(struct reading *reading, struct sy_slice revenue)
{
    if (!sy_bill_code(newest_line(reading)->code, "nu", revenue, NULL, 0)) {
        spoil(reading, "a line's revenue code has not the form of a claim's");
    }
}

/* A whole number from 1 on, whose decimals, if it has any, are 0. */
static void take_units(struct reading *reading, struct sy_slice text)
{
    int64_t hundredths;
    bool good = sy_x12_cents(&hundredths, text) && hundredths >= 100 && hundredths % 100 == 0 &&
                hundredths / 100 <= UINT32_MAX;
    if (good) {
        newest_line(reading)->units = (uint32_t)(hundredths / 100);
    } else {
        spoil(reading, "a line's units are no whole number from 1 on");
    }
}

static void take_pointers(struct reading *reading, struct sy_slice text)
{
    for (uint32_t i = 1; i <= 4; i++) {
        struct sy_slice part = sy_x12_component(&reading->reader, text, i);
        uint64_t number;
        if (part.size == 0) continue;
        if (!sy_x12_count(&number, part) || number < 1 || number > reading->bill.diagnosis_count) {
            spoil(reading, "a line points to a diagnosis that is not there");
            return;
        }
        newest_line(reading)->pointers |= 1u << (number - 1);
    }
}

static void take_place(struct reading *reading, struct sy_slice place)
{
    if (place.size == 2) memcpy(newest_line(reading)->place, place.data, 2);
}

static void begin_line(struct reading *reading)
{
    struct sy_bill *bill = &reading->bill;
    if (bill->line_count == SY_CLAIM_LINES_MAX) {
        spoil(reading, "it has more than 50 lines");
        bill->line_count--; // its last line is written over; it is not taken
    }
    bill->lines[bill->line_count++] = (struct sy_bill_line){.units = 1};
    if (reading->loops.set != SY_X12_SET_837I) take_place(reading, reading->facility);
}

static void take_dates(struct reading *reading, const struct sy_x12_fact *fact)
{
    if (!fact->good) return; // an issue of the set
    reading->has_dates = true;
    reading->bill.from_ms = fact->from_ms;
    reading->bill.until_ms = fact->until_ms;
}

static void take_line_dates(struct reading *reading, const struct sy_x12_fact *fact)
{
    if (!fact->good) return;
    bool first = !reading->lines_have_dates;
    reading->lines_have_dates = true;
    if (first || fact->from_ms < reading->lines_from_ms) reading->lines_from_ms = fact->from_ms;
    if (first || fact->until_ms > reading->lines_until_ms) {
        reading->lines_until_ms = fact->until_ms;
    }
}

static void take_diagnosis(struct reading *reading, struct sy_slice code)
{
    struct sy_bill *bill = &reading->bill;
    if (bill->diagnosis_count < SY_CLAIM_DIAGNOSES_MAX) {
        bill->diagnoses[bill->diagnosis_count++] = code;
    }
}

static void take_frequency(struct reading *reading, struct sy_slice frequency)
{
    if (is_word(frequency, "7") || is_word(frequency, "8")) {
        spoil(reading, "it replaces or voids an earlier claim: reverse that one by claim.reverse");
    }
}

/* What is left to bill depends on what was paid before, which a claim's lines name as prior, or as
 * the claim before it: billed without, it would be paid twice. */
static void refuse_prior(struct reading *reading)
{
    spoil(reading, "another payer comes first or has paid (SBR01 not P, AMT*D, SVD): name what it "
                   "paid in the lines' prior, or its claim as prior_claim");
}

static void take_dependent(struct reading *reading, struct sy_slice text)
{
    size_t used = strlen(reading->dependent);
    (void)snprintf(reading->dependent + used, sizeof reading->dependent - used, "%.*s|",
                   (int)(text.size < 80 ? text.size : 80), (const char *)text.data);
}

// --- facts -------------------------------------------------------------------------------------

static void take_claim_fact(struct reading *reading, const struct sy_x12_fact *fact)
{
    struct sy_bill *bill = &reading->bill;
    const char *name = fact->name;
    if (strcmp(name, "patient_account") == 0) bill->id = fact->value;
    if (strcmp(name, "charge") == 0) bill->total = fact->cents;
    if (strcmp(name, "place") == 0) reading->facility = fact->value;
    if (strcmp(name, "frequency") == 0) take_frequency(reading, fact->value);
    if (strcmp(name, "service_dates") == 0) take_dates(reading, fact);
    if (strcmp(name, "diagnosis") == 0) take_diagnosis(reading, fact->value);
    if (strcmp(name, "prior_paid") == 0) refuse_prior(reading);
    if (strcmp(name, "line_prior_paid") == 0) refuse_prior(reading);
    if (bill->line_count == 0) return;
    if (strcmp(name, "service") == 0) take_service(reading, fact->value);
    if (strcmp(name, "revenue") == 0) take_revenue(reading, fact->value);
    if (strcmp(name, "units") == 0) take_units(reading, fact->value);
    if (strcmp(name, "line_place") == 0) take_place(reading, fact->value);
    if (strcmp(name, "pointers") == 0) take_pointers(reading, fact->value);
    if (strcmp(name, "line_dates") == 0) take_line_dates(reading, fact);
    if (strcmp(name, "line_charge") == 0) {
        newest_line(reading)->charge = fact->cents;
        newest_line(reading)->has_charge = true;
    }
}

static void take_fact(void *self, const struct sy_x12_fact *fact)
{
    struct reading *reading = (struct reading *)self;
    if (strcmp(fact->name, "billing_provider") == 0) reading->provider = fact->value;
    if (strcmp(fact->name, "member") == 0) reading->member = fact->value;
    if (strcmp(fact->name, "payer_order") == 0) reading->is_primary = is_word(fact->value, "P");
    if (strncmp(fact->name, "dependent_", 10) == 0) take_dependent(reading, fact->value);
    if (reading->has_claim) take_claim_fact(reading, fact);
}

// --- claims ------------------------------------------------------------------------------------

/* By the place of a professional claim, and by the type of bill of an institutional one. */
static uint16_t class_by(const struct reading *reading)
{
    static const struct {
        const char *place;
        uint16_t service_class;
    } rows[] = {
        {"11", SY_SERVICE_OFFICE},     {"02", SY_SERVICE_OFFICE},     {"10", SY_SERVICE_OFFICE},
        {"12", SY_SERVICE_OFFICE},     {"20", SY_SERVICE_OFFICE},     {"49", SY_SERVICE_OFFICE},
        {"50", SY_SERVICE_OFFICE},     {"23", SY_SERVICE_EMERGENCY},  {"21", SY_SERVICE_INPATIENT},
        {"51", SY_SERVICE_INPATIENT},  {"19", SY_SERVICE_OUTPATIENT}, {"22", SY_SERVICE_OUTPATIENT},
        {"24", SY_SERVICE_OUTPATIENT}, {"81", SY_SERVICE_LABORATORY}, {"01", SY_SERVICE_PHARMACY}};
    if (reading->loops.set == SY_X12_SET_837I) {
        bool inside = is_word(reading->facility, "11") || is_word(reading->facility, "12") ||
                      is_word(reading->facility, "18") || is_word(reading->facility, "21");
        return inside ? SY_SERVICE_INPATIENT : SY_SERVICE_OUTPATIENT;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (is_word(reading->facility, rows[i].place)) return rows[i].service_class;
    }
    return SY_SERVICE_OTHER;
}

static void end_claim(struct reading *reading)
{
    struct sy_bill *bill = &reading->bill;
    if (!reading->has_claim) return;
    reading->has_claim = false;
    if (!reading->has_dates && reading->lines_have_dates) {
        bill->from_ms = reading->lines_from_ms;
        bill->until_ms = reading->lines_until_ms;
    } else if (!reading->has_dates) {
        spoil(reading, "it does not say when it was");
    }
    bill->service_class = class_by(reading);
    reading->take(reading->self, &reading->found);
}

static void begin_claim(struct reading *reading)
{
    static const uint8_t types[] = {[SY_X12_SET_837P] = SY_BILL_837P,
                                    [SY_X12_SET_837I] = SY_BILL_837I,
                                    [SY_X12_SET_837D] = SY_BILL_837D};
    struct sy_bill *bill = &reading->bill;
    memset(bill, 0, sizeof *bill);
    bill->type = types[reading->loops.set];
    bill->provider = reading->provider;
    bill->patient = reading->member;
    if (reading->dependent[0] != '\0') {
        bill->member = reading->member;
        bill->patient = sy_slice_of(reading->dependent, strlen(reading->dependent));
    }
    reading->facility = sy_slice_of("", 0);
    reading->has_dates = reading->lines_have_dates = false;
    reading->found =
        (struct sy_bill_x12_found){.bill = bill, .good = true, .segment = reading->at.number};
    (void)snprintf(reading->found.control, sizeof reading->found.control, "%.*s",
                   (int)(reading->control.size < 64 ? reading->control.size : 64),
                   (const char *)reading->control.data);
    reading->has_claim = true;
    if (has_issue(reading->issues, reading->place)) {
        spoil(reading, "its set has an issue, and is not acted on");
    }
    if (!reading->is_primary) refuse_prior(reading);
}

static bool opened_loop(const struct reading *reading, uint8_t loop)
{
    return reading->loops.open[reading->loops.depth - 1].loop == loop;
}

static void read_loop(struct reading *reading)
{
    bool names =
        opened_loop(reading, SY_X12_LOOP_SUBSCRIBER) || opened_loop(reading, SY_X12_LOOP_PATIENT);
    bool above = names || opened_loop(reading, SY_X12_LOOP_BILLING);
    if (above || opened_loop(reading, SY_X12_LOOP_CLAIM)) end_claim(reading);
    if (above) reading->dependent[0] = '\0';
    if (opened_loop(reading, SY_X12_LOOP_SUBSCRIBER)) {
        reading->member = sy_slice_of("", 0);
        reading->is_primary = true;
    }
    if (opened_loop(reading, SY_X12_LOOP_BILLING)) reading->provider = sy_slice_of("", 0);
    if (opened_loop(reading, SY_X12_LOOP_CLAIM)) begin_claim(reading);
    if (opened_loop(reading, SY_X12_LOOP_LINE) && reading->has_claim) begin_line(reading);
}

static void read_segment(struct reading *reading)
{
    char why[SY_X12_TEXT_BYTES];
    bool opened;
    (void)sy_x12_loops_take(&reading->loops, &opened, why, &reading->at);
    if (opened) read_loop(reading);
    sy_x12_facts(&reading->loops, &reading->reader, &reading->at, take_fact, reading);
}

static bool is_bill_set(uint8_t set)
{
    return set == SY_X12_SET_837P || set == SY_X12_SET_837I || set == SY_X12_SET_837D;
}

/* Claims by a guide that is not known are told, lest they are missed. */
static void tell_guide(const struct reading *reading)
{
    struct sy_x12_issue issue = {
        .kind = SY_X12_LEVEL, .segment = reading->at.number, .place = reading->place, .set = "837"};
    struct sy_slice control = reading->control;
    if (!is_word(sy_x12_element(&reading->at, 1), "837") || is_bill_set(reading->loops.set)) return;
    (void)snprintf(issue.control, sizeof issue.control, "%.*s",
                   (int)(control.size < 64 ? control.size : 64), (const char *)control.data);
    (void)snprintf(issue.text, sizeof issue.text,
                   "ST03 or GS08 is no guide of claims that is known (005010X222, X223, X224)");
    note_issue(reading->issues, &issue);
}

/* Follows the envelopes as x12_check.h does, so that both count the same sets. True: the segment
 * stands inside of a set of claims. */
static bool follow_envelopes(struct reading *reading)
{
    const struct sy_x12_segment *at = &reading->at;
    enum { OUTSIDE, IN_INTERCHANGE, IN_GROUP, IN_SET };
    static const struct {
        const char *id;
        int least, then;
    } steps[] = {{"ISA", OUTSIDE, IN_INTERCHANGE}, {"GS", IN_INTERCHANGE, IN_GROUP},
                 {"ST", IN_GROUP, IN_SET},         {"SE", IN_SET, IN_GROUP},
                 {"GE", IN_GROUP, IN_INTERCHANGE}, {"IEA", IN_INTERCHANGE, OUTSIDE}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (!sy_x12_is(at, steps[i].id)) continue;
        if (reading->depth < steps[i].least) return false;
        end_claim(reading);
        reading->depth = steps[i].then;
        if (sy_x12_is(at, "GS")) reading->guide = sy_x12_element(at, 8);
        if (reading->depth != IN_SET) return false;
        reading->place++;
        reading->control = sy_x12_element(at, 2);
        sy_x12_loops_begin(&reading->loops, at, reading->guide);
        tell_guide(reading);
        return false;
    }
    return reading->depth == IN_SET && is_bill_set(reading->loops.set);
}

static void read_claims(struct reading *reading)
{
    char why[SY_X12_TEXT_BYTES];
    while (sy_x12_next(&reading->reader, &reading->at, why) == SY_X12_SEGMENT) {
        if (follow_envelopes(reading)) read_segment(reading);
    }
    end_claim(reading);
}

sy_status sy_bill_x12(struct sy_x12_totals *totals, struct sy_slice document, sy_x12_tell tell,
                      sy_bill_x12_take take, void *self, struct sy_error *err)
{
    struct issues issues = {.tell = tell, .self = self};
    struct reading *reading = calloc(1, sizeof *reading);
    if (reading == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory to read claims");
    (void)sy_x12_check(totals, document, note_issue, &issues);
    reading->take = take;
    reading->self = self;
    reading->issues = &issues;
    reading->reader.document = document;
    read_claims(reading);
    free(reading);
    free(issues.bits);
    return SY_OK;
}
