/* test_x12.c: X12 documents read segment by segment and held to what they say twice; the public
 * ones are counted as another program counted them, when they are there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/os.h"
#include "core/client/x12_check.h"
#include "tests/support/data.h"
#include "tests/support/test.h"

#define ISA                                                                                      \
    "ISA*00*          *00*          *ZZ*MAKER          *ZZ*TAKER          *261129*1200*^*00501*" \
    "000000007*0*T*:~\n"
#define GROUP "GS*HC*MAKER*TAKER*20261129*1200*31*X*005010X222A1~\n"
#define ENDS "GE*1*31~\nIEA*1*000000007~\n"

/* Segments 1 to 12. */
static const char claims[] = ISA GROUP "ST*837*0042*005010X222A1~\n" // 3
                                       "HL*1**20*1~\n"
                                       "HL*2*1*22*0~\n"
                                       "CLM*A1*150.5***11:B:1~\n" // 6
                                       "LX*1~\nSV1*HC:99213*100*UN*1~\n"
                                       "LX*2~\nSV1*HC:87880*50.50*UN*1~\n" // 10
                                       "SE*9*0042~\n" ENDS;                // 11

/* Two claims: one paid 80 of 100 by two lines, one reversed; 20 held back from the provider. */
static const char payment[] = ISA GROUP "ST*835*0042~\n"              // 3
                                        "BPR*I*25*C*CHK~\n"           // 4
                                        "LX*1~\n"                     // 5
                                        "CLP*A1*1*100*75*15*12*P1~\n" // 6
                                        "CAS*PR*3*5~\n"
                                        "SVC*HC:99213*60*50~\n"
                                        "CAS*CO*45*7**253*3~\n"
                                        "SVC*HC:87880*40*30~\n"
                                        "CAS*CO*45*10~\n"
                                        "CLP*A0*22*-40*-30**12*P0~\n" // 12
                                        "CAS*CO*45*-10~\n"
                                        "PLB*1999999984*20261231*WO:P1*20~\n" // 14
                                        "SE*13*0042~\n" ENDS;                 // 15

struct told {
    unsigned count;
    struct sy_x12_issue first;
};

static void note(void *self, const struct sy_x12_issue *issue)
{
    struct told *told = (struct told *)self;
    if (told->count++ == 0) told->first = *issue;
}

static struct sy_x12_totals check_text(struct told *told, const char *text, size_t size)
{
    struct sy_x12_totals totals;
    char *copy = malloc(size ? size : 1); // of its very size, so that a read past its end shows
    assert_non_null(copy);
    memcpy(copy, text, size);
    *told = (struct told){.count = 0};
    bool good = sy_x12_check(&totals, sy_slice_of(copy, size), note, told);
    assert_int_equal(good, told->count == 0);
    free(copy);
    return totals;
}

/* What is told of a document in which `old` (once) is replaced. */
static struct told told_of(const char *text, const char *old, const char *new)
{
    static char changed[4096];
    struct told told;
    const char *at = strstr(text, old);
    assert_non_null(at);
    assert_null(strstr(at + 1, old));
    (void)snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, new,
                   at + strlen(old));
    (void)check_text(&told, changed, strlen(changed));
    return told;
}

/* One issue, of this kind, in this segment, with these words. */
static void expect(struct told told, uint8_t kind, uint64_t segment, const char *words)
{
    if (told.count != 1 || strstr(told.first.text, words) == NULL) {
        fail_msg("%u issues, the first: %s", told.count, told.first.text);
    }
    assert_int_equal(told.first.kind, kind);
    assert_int_equal(told.first.segment, segment);
}

CASE(what_holds_together_is_counted)
{
    struct told told;
    struct sy_x12_totals totals = check_text(&told, claims, sizeof claims - 1);
    assert_int_equal(told.count, 0);
    assert_int_equal(totals.segments, 13);
    assert_int_equal(totals.interchanges + totals.groups + totals.sets, 3);
    assert_int_equal(totals.claims, 1);
    assert_int_equal(totals.charged, 15050);
    assert_string_equal(totals.kinds[0].set, "837");
    totals = check_text(&told, payment, sizeof payment - 1);
    if (told.count != 0) fail_msg("%s", told.first.text);
    assert_int_equal(totals.remitted, 2);
    assert_int_equal(totals.balanced, 2);
}

CASE(envelopes_count_and_repeat)
{
    expect(told_of(claims, "SE*9", "SE*8"), SY_X12_COUNT, 11, "SE01 is 8, but there are 9");
    expect(told_of(claims, "SE*9", "SE*"), SY_X12_COUNT, 11, "SE01 is empty");
    expect(told_of(claims, "SE*9", "SE*9\x01"), SY_X12_COUNT, 11, "SE01 is 9?");
    expect(told_of(claims, "SE*9*0042", "SE*9*0043"), SY_X12_CONTROL, 11, "SE02");
    expect(told_of(claims, "GE*1", "GE*2"), SY_X12_COUNT, 12, "GE01 is 2, but there are 1");
    expect(told_of(claims, "GE*1*31", "GE*1*32"), SY_X12_CONTROL, 12, "GE02");
    expect(told_of(claims, "IEA*1", "IEA*0"), SY_X12_COUNT, 13, "IEA01");
    expect(told_of(claims, "IEA*1*000000007", "IEA*1*000000008"), SY_X12_CONTROL, 13, "IEA02");
    struct told told = told_of(claims, "SE*9", "SE*8");
    assert_string_equal(told.first.set, "837");
    assert_string_equal(told.first.control, "0042");
}

CASE(envelopes_stand_inside_one_another)
{
    expect(told_of(claims, "SE*9*0042~\n", ""), SY_X12_ENVELOPE, 11, "SE is missing");
    expect(told_of(claims, "GE*1*31~\n", ""), SY_X12_ENVELOPE, 12, "GE is missing");
    expect(told_of(claims, "IEA*1*000000007~\n", ""), SY_X12_ENVELOPE, 13, "IEA is missing");
    expect(told_of(claims, ENDS, "GE*1*31~\nIEA*1*000000007~\nGE*1*31~\n"), SY_X12_ENVELOPE, 14,
           "GE stands where");
    expect(told_of(claims, "GE*1*31~\n", "GE*1*31~\nLX*1~\n"), SY_X12_ENVELOPE, 13,
           "outside of ST and SE");
    expect(told_of(claims, "LX*1~", "lx*1~"), SY_X12_ENVELOPE, 7, "capital letters");
}

CASE(lines_sum_up_to_their_claim)
{
    expect(told_of(claims, "*50.50*", "*50.51*"), SY_X12_SUM, 6,
           "CLM02 is 150.50, but the claim's lines (2) sum up to 150.51");
    expect(told_of(claims, "*50.50*", "*50.505*"), SY_X12_AMOUNT, 10, "SV102 is no amount");
    expect(told_of(claims, "*150.5*", "**"), SY_X12_AMOUNT, 6, "CLM02 is no amount");
    expect(told_of(claims, "*150.5*", "*99999999999999*"), SY_X12_AMOUNT, 6, "CLM02");
    assert_int_equal(told_of(claims, "*50.50*", "*50.500*").count, 0);
}

CASE(a_remittance_balances_or_is_refused)
{
    struct told told = told_of(payment, "CAS*CO*45*10~", "CAS*CO*45*10.01~");
    assert_int_equal(told.count, 2); // the line, and its claim
    told.count = 1;
    expect(told, SY_X12_BALANCE, 10,
           "a line's charge of 40.00 less adjustments of 10.01 is not the payment of 30.00");
    told = told_of(payment, "CAS*PR*3*5~", "CAS*PR*3*4~");
    expect(told, SY_X12_BALANCE, 6, "a claim's charge of 100.00 less adjustments of 24.00");
    assert_string_equal(told.first.set, "835");
    assert_string_equal(told.first.control, "0042");
    expect(told_of(payment, "BPR*I*25", "BPR*I*26"), SY_X12_PAYMENT, 4,
           "BPR02 is 26.00, but the claims' payments of 45.00 less provider adjustments of 20.00");
    expect(told_of(payment, "CAS*CO*45*-10~", "CAS*CO*45*10~"), SY_X12_BALANCE, 12, "-40.00");
    expect(told_of(payment, "WO:P1*20~", "WO:P1*x~"), SY_X12_AMOUNT, 14, "PLB04");
    expect(told_of(payment, "CAS*PR*3*5~", "CAS*PR*3*~"), SY_X12_AMOUNT, 7, "CAS03");
}

CASE(what_is_cut_off_or_no_interchange_is_told)
{
    struct told told;
    static const char utf16[] = "I\0S\0A\0*\0";
    for (size_t size = 0; size < sizeof payment - 1; size++) {
        (void)check_text(&told, payment, size);
        bool whole = payment[size] == '\n' && size + 1 == sizeof payment - 1;
        if (!whole && told.count == 0) fail_msg("cut to %zu bytes, nothing is told", size);
    }
    (void)check_text(&told, "", 0);
    expect(told, SY_X12_FRAMING, 1, "empty");
    (void)check_text(&told, utf16, sizeof utf16 - 1);
    expect(told, SY_X12_FRAMING, 1, "UTF-16");
    (void)check_text(&told, "ST*835*1~", 9);
    expect(told, SY_X12_FRAMING, 1, "does not begin with ISA");
    expect(told_of(claims, "*ZZ*MAKER          *", "*ZZ*MAKER         *"), SY_X12_ENVELOPE, 1,
           "ISA06 has another length");
    expect(told_of(claims, "T*:~", "T*:A"), SY_X12_FRAMING, 1, "separators");
    char marked[sizeof claims + 3];
    memcpy(marked, "\xef\xbb\xbf", 3);
    memcpy(marked + 3, claims, sizeof claims);
    (void)check_text(&told, marked, sizeof marked - 1);
    assert_int_equal(told.count, 0);
}

CASE(one_segment_is_bounded)
{
    struct told told;
    static char text[sizeof claims + 9000];
    memcpy(text, claims, sizeof claims - 1);
    char *end = strstr(text, "SE*9");
    memset(end, '*', 40);
    memcpy(end, "NTE", 3);
    end[40] = '~';
    (void)check_text(&told, text, (size_t)(end - text) + 41);
    expect(told, SY_X12_FRAMING, 11, "more than 32 elements");
    memset(end, 'A', 9000);
    (void)check_text(&told, text, (size_t)(end - text) + 9000);
    expect(told, SY_X12_FRAMING, 11, "longer than 8192 bytes");
}

// --- loops and facts ---------------------------------------------------------------------------

CASE(levels_number_and_name_one_another)
{
    expect(told_of(claims, "HL*2*1*22", "HL*3*1*22"), SY_X12_LEVEL, 5, "HL01 is not 2");
    expect(told_of(claims, "HL*2*1*22", "HL*2*7*22"), SY_X12_LEVEL, 5, "HL02 is not 1");
    expect(told_of(claims, "HL*1**20", "HL*1*1*20"), SY_X12_LEVEL, 4, "above the highest");
    struct told told = told_of(claims, "HL*2*1*22", "HL*2*1*23");
    assert_int_equal(told.count, 2); // the level, and the claim that stands in none
    told.count = 1;
    expect(told, SY_X12_LEVEL, 5, "HL03 is no level");
    expect(told_of(claims, "HL*2*1*22*0~\n", "TRN*2*1*22*0~\n"), SY_X12_LEVEL, 6,
           "CLM stands in no level");
    expect(told_of(claims, "LX*2~\n", "DTP*472*D8*20230229~\n"), SY_X12_DATE, 9, "DTP03");
}

CASE(dates_are_days_of_the_calendar)
{
    static const struct {
        const char *text;
        int64_t from_ms, until_ms; /* -1: it is none */
    } rows[] = {{"19700101", 0, 86399999},
                {"20000229", 951782400000, 951868799999},
                {"19000228-19000301", -2203977600000, -2203804800001},
                {"202611291230", 1795955400000, 1795955400000},
                {"19000229", -1, -1},
                {"20261301", -1, -1},
                {"20260431", -1, -1},
                {"20260100", -1, -1},
                {"20260102-20260101", -1, -1},
                {"202611292400", -1, -1},
                {"2026112", -1, -1},
                {"2026-11-29", -1, -1},
                {"", -1, -1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t from_ms, until_ms;
        struct sy_slice text = sy_slice_of(rows[i].text, strlen(rows[i].text));
        bool good = sy_x12_dates(&from_ms, &until_ms, text);
        if (good != (rows[i].until_ms != -1)) fail_msg("%s", rows[i].text);
        if (!good) continue;
        assert_int_equal(from_ms, rows[i].from_ms);
        assert_int_equal(until_ms, rows[i].until_ms);
    }
}

/* Facts as lines "loop name value", what is a person's or a diagnosis included. */
struct facts {
    char text[4096];
    struct sy_x12_loops loops;
};

static void note_fact(void *self, const struct sy_x12_fact *fact)
{
    struct facts *facts = (struct facts *)self;
    size_t used = strlen(facts->text);
    const char *loop = sy_x12_loop_word(facts->loops.open[facts->loops.depth - 1].loop);
    (void)snprintf(facts->text + used, sizeof facts->text - used, "%s %s %.*s%s%.*s %lld\n", loop,
                   fact->name, (int)fact->value.size, (const char *)fact->value.data,
                   fact->reason.size > 0 ? "-" : "", (int)fact->reason.size,
                   (const char *)fact->reason.data, (long long)fact->cents);
}

static const char *facts_of(struct facts *facts, const char *body)
{
    static char text[4096];
    char why[SY_X12_TEXT_BYTES];
    struct sy_x12_segment segment;
    bool opened;
    (void)snprintf(text, sizeof text, "%s", body);
    struct sy_x12_reader reader = {.document = sy_slice_of(text, strlen(text))};
    memset(facts, 0, sizeof *facts);
    while (sy_x12_next(&reader, &segment, why) == SY_X12_SEGMENT) {
        if (sy_x12_is(&segment, "ST")) {
            sy_x12_loops_begin(&facts->loops, &segment, sy_slice_of("005010X222A1", 12));
        } else if (facts->loops.depth > 0) {
            if (!sy_x12_loops_take(&facts->loops, &opened, why, &segment)) fail_msg("%s", why);
            sy_x12_facts(&facts->loops, &reader, &segment, note_fact, facts);
        }
    }
    return facts->text;
}

CASE(an_institutional_claim_has_its_facts)
{
    static const char body[] =
        ISA GROUP "ST*837*1*005010X223A2~BHT*0019*00*1*20261129*1200*CH~HL*1**20*1~"
                  "NM1*85*2*HOSPITAL*****XX*1234567890~HL*2*1*22*1~SBR*P~NM1*IL*1*A*B****MI*M1~"
                  "HL*3*2*23*0~PAT*19~NM1*QC*1*A*C~DMG*D8*20200101*F~CLM*A1*100***11:A:1~"
                  "DTP*434*RD8*20260102-20260104~HI*ABK:J189~HI*BE:80:::5~NM1*71*1*D*E****XX*99~"
                  "SBR*S~AMT*D*7.5~NM1*PR*2*OTHER*****PI*55~LX*1~SV2*0120*HC:99221:25*100*DA*2~"
                  "LIN**N4*00074115578~HL*4*2*23*0~CLM*A2*5***11:A:7~";
    struct facts facts;
    assert_string_equal(facts_of(&facts, body), "2010AA billing_provider 1234567890 0\n"
                                                "2000B payer_order P 0\n"
                                                "2010BA member M1 0\n"
                                                "2000C relation 19 0\n"
                                                "2010CA dependent_name A 0\n"
                                                "2010CA dependent_given C 0\n"
                                                "2010CA dependent_born 20200101 0\n"
                                                "2300 patient_account A1 0\n"
                                                "2300 charge 100 10000\n"
                                                "2300 place 11 0\n"
                                                "2300 frequency 1 0\n"
                                                "2300 service_dates 20260102-20260104 0\n"
                                                "2300 diagnosis J189 0\n"
                                                "2310B rendering 99 0\n"
                                                "2320 prior_paid 7.5 750\n"
                                                "2400 line 1 0\n"
                                                "2400 revenue 0120 0\n"
                                                "2400 service HC:99221:25 0\n"
                                                "2400 line_charge 100 10000\n"
                                                "2400 unit DA 0\n"
                                                "2400 units 2 0\n"
                                                "2410 drug 00074115578 0\n"
                                                "2300 patient_account A2 0\n"
                                                "2300 charge 5 500\n"
                                                "2300 place 11 0\n"
                                                "2300 frequency 7 0\n");
}

CASE(remittances_and_questions_have_their_facts)
{
    struct facts facts;
    assert_string_equal(
        facts_of(&facts, ISA GROUP "ST*835*1~BPR*I*80*C*CHK************20261129~N1*PR*P*XV*77~LX*1~"
                                   "CLP*A1*1*100*80*15*12*P1~CAS*CO*45*5**253*1~SVC*HC:99213*60*50~"
                                   "AMT*B6*55~PLB*1*20261231*WO:P1*20*72*-3~"),
        " payment 80 8000\n method CHK 0\n payment_date 20261129 0\n1000A payer 77 0\n"
        "2100 patient_account A1 0\n2100 status 1 0\n2100 charge 100 10000\n2100 paid 80 8000\n"
        "2100 patient_owes 15 1500\n2100 payer_claim P1 0\n2100 adjusted CO-45 500\n"
        "2100 adjusted CO-253 100\n2110 service HC:99213 0\n2110 line_charge 60 6000\n"
        "2110 line_paid 50 5000\n2110 allowed 55 5500\nPLB held_back 1-WO:P1 2000\n"
        "PLB held_back 1-72 -300\n");
    assert_string_equal(facts_of(&facts, ISA GROUP
                                 "ST*271*1*005010X279A1~HL*1**20*1~NM1*PR*2*P*****PI*7~HL*2*1*21*1~"
                                 "NM1*1P*2*C*****XX*8~HL*3*2*22*0~TRN*2*T9~NM1*IL*1*A*B****MI*M1~"
                                 "DTP*346*D8*20260101~EB*1**30****12.5~"),
                        "2100A payer 7 0\n2100B provider 8 0\n2000C trace T9 0\n2100C member M1 0\n"
                        "2100C covered_dates 20260101 0\n2110 benefit 1 0\n2110 benefit_type 30 0\n"
                        "2110 benefit_amount 12.5 1250\n");
    assert_string_equal(
        facts_of(&facts, ISA GROUP "ST*277*1*005010X212~HL*1**20*1~HL*2*1*21*1~HL*3*2*19*1~"
                                   "HL*4*3*22*0~NM1*IL*1*A*B****MI*M1~TRN*2*T1~"
                                   "STC*F1:65*20261129**600*400~REF*1K*P1~"),
        "2100 member M1 0\n2200 trace T1 0\n2200 status F1:65 0\n2200 status_date 20261129 0\n"
        "2200 charge 600 60000\n2200 paid 400 40000\n2200 payer_claim P1 0\n");
    assert_string_equal(
        facts_of(&facts, ISA GROUP "ST*278*1*005010X217~HL*1**20*1~HL*2*1*21*1~HL*3*2*22*1~"
                                   "NM1*IL*1*A*B****MI*M1~HL*4*3*EV*1~TRN*1*T1~UM*HS*I*2~"
                                   "HCR*A1*AUTH7~HL*5*4*SS*0~SV1*HC:70551*0*UN*2~HCR*A6~"),
        "2010C member M1 0\n2000E trace T1 0\n2000E request HS 0\n2000E decision A1 0\n"
        "2000E authorisation AUTH7 0\n2000F service HC:70551 0\n2000F units 2 0\n"
        "2000F line_decision A6 0\n");
}

struct persons {
    struct sy_x12_loops loops;
    unsigned count;
};

static void count_person(void *self, const struct sy_x12_fact *fact)
{
    struct persons *persons = (struct persons *)self;
    if (fact->form == SY_X12_PERSON) persons->count++;
}

/* How many facts of the body, a set of the guide, are a person's. */
static unsigned persons_of(const char *guide, const char *body)
{
    char document[1024], why[SY_X12_TEXT_BYTES];
    struct sy_x12_segment segment;
    struct persons persons = {.count = 0};
    bool opened;
    (void)snprintf(document, sizeof document, "%s%s", ISA GROUP, body);
    struct sy_x12_reader reader = {.document = sy_slice_of(document, strlen(document))};
    while (sy_x12_next(&reader, &segment, why) == SY_X12_SEGMENT) {
        struct sy_x12_loops *loops = &persons.loops;
        if (sy_x12_is(&segment, "ST")) {
            sy_x12_loops_begin(loops, &segment, sy_slice_of(guide, strlen(guide)));
        } else if (loops->depth > 0) {
            assert_true(sy_x12_loops_take(loops, &opened, why, &segment));
            sy_x12_facts(loops, &reader, &segment, count_person, &persons);
        }
    }
    return persons.count;
}

CASE(what_tells_a_person_is_marked_wherever_it_stands)
{
    // A 277CA's TRN02 is the patient's account number; a 277's is the asker's own trace.
    static const char status[] = "HL*1**20*1~HL*2*1*21*1~HL*3*2*19*1~HL*4*3*PT*0~TRN*2*ACC1~";
    char body[512];
    (void)snprintf(body, sizeof body, "ST*277*1*005010X214~%s", status);
    assert_int_equal(persons_of("005010X214", body), 1);
    (void)snprintf(body, sizeof body, "ST*277*1*005010X212~%s", status);
    assert_int_equal(persons_of("005010X212", body), 0);
    // A provider who is known by a social security number.
    static const char asks[] = "ST*270*1*005010X279A1~HL*1**20*1~HL*2*1*21*1~NM1*1P*1*C*****";
    (void)snprintf(body, sizeof body, "%s34*900112233~", asks);
    assert_int_equal(persons_of("005010X279A1", body), 1);
    (void)snprintf(body, sizeof body, "%sXX*1234567893~", asks);
    assert_int_equal(persons_of("005010X279A1", body), 0);
}

// --- the public documents ----------------------------------------------------------------------

/* The columns of the table: each row a file, as another program counted it. */
enum {
    FILE_NAME,
    ELEMENT,
    TERMINATOR,
    SEGMENTS,
    SETS,
    CLM,
    CHARGED,
    CLP,
    BALANCED,
    UNBALANCED,
    SE01
};

static void count_wrong_sets(void *self, const struct sy_x12_issue *issue)
{
    uint64_t *count = (uint64_t *)self;
    if (issue->kind == SY_X12_BALANCE || issue->kind == SY_X12_PAYMENT) {
        assert_string_equal(issue->set, "835");
        assert_true(issue->segment > 0 && issue->place > 0 && issue->control[0] != '\0');
    }
    if (strncmp(issue->text, "SE01", 4) != 0) return;
    assert_true(issue->segment > 0 && issue->control[0] != '\0');
    (*count)++;
}

static void compare_row(const char *folder, char *const cells[SE01 + 1], uint64_t *wrong_sets,
                        uint64_t *unbalanced)
{
    char path[2048];
    uint8_t *bytes;
    size_t size;
    uint64_t wrong = 0;
    int64_t cents;
    struct sy_error err;
    struct sy_x12_totals totals;
    (void)snprintf(path, sizeof path, "%s/%s", folder, cells[FILE_NAME]);
    if (sy_os_read_file(&bytes, &size, path, SY_X12_DOCUMENT_BYTES_MAX, &err) != SY_OK) {
        fail_msg("%s", err.text);
    }
    (void)sy_x12_check(&totals, sy_slice_of(bytes, size), count_wrong_sets, &wrong);
    free(bytes);
    if (cells[SE01] == NULL) { // "no ISA"
        assert_int_equal(totals.issues[SY_X12_FRAMING], 1);
        assert_int_equal(totals.sets, 0);
        return;
    }
    assert_int_equal(totals.issues[SY_X12_FRAMING], 0);
    assert_int_equal(totals.segments, strtoull(cells[SEGMENTS], NULL, 10));
    assert_int_equal(totals.sets, strtoull(strchr(cells[SETS], ':') + 1, NULL, 10));
    assert_int_equal(totals.claims, strtoull(cells[CLM], NULL, 10));
    assert_true(sy_x12_cents(&cents, sy_slice_of(cells[CHARGED], strlen(cells[CHARGED]))));
    assert_int_equal(totals.charged, cents);
    assert_int_equal(totals.remitted, strtoull(cells[CLP], NULL, 10));
    assert_int_equal(totals.balanced, strtoull(cells[BALANCED], NULL, 10));
    assert_true(totals.issues[SY_X12_BALANCE] >= strtoull(cells[UNBALANCED], NULL, 10));
    assert_int_equal(wrong, strtoull(cells[SE01], NULL, 10));
    *wrong_sets += wrong;
    *unbalanced += totals.remitted - totals.balanced;
}

CASE(the_public_documents_count_as_the_oracle_says)
{
    char folder[1024], table[1024], line[512];
    uint64_t rows = 0, wrong_sets = 0, unbalanced = 0;
    if (!test_data(folder, sizeof folder, "x12")) skip();
    if (!test_data(table, sizeof table, "x12.oracle.tsv")) skip();
    FILE *file = fopen(table, "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file)); // its head
    while (fgets(line, sizeof line, file) != NULL) {
        char *cells[SE01 + 1] = {NULL};
        char *rest = line, *cell;
        for (size_t i = 0; i <= SE01 && (cell = strsep(&rest, "\t\n")) != NULL; i++) {
            cells[i] = cell;
        }
        if (cells[SETS] == NULL) cells[SE01] = NULL;
        compare_row(folder, cells, &wrong_sets, &unbalanced);
        rows++;
    }
    fclose(file);
    assert_int_equal(rows, 48);
    assert_int_equal(wrong_sets, 341);
    assert_int_equal(unbalanced, 102 + 1); // and one whose amounts cannot be read
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(what_holds_together_is_counted),
        cmocka_unit_test(envelopes_count_and_repeat),
        cmocka_unit_test(envelopes_stand_inside_one_another),
        cmocka_unit_test(lines_sum_up_to_their_claim),
        cmocka_unit_test(a_remittance_balances_or_is_refused),
        cmocka_unit_test(what_is_cut_off_or_no_interchange_is_told),
        cmocka_unit_test(one_segment_is_bounded),
        cmocka_unit_test(levels_number_and_name_one_another),
        cmocka_unit_test(dates_are_days_of_the_calendar),
        cmocka_unit_test(an_institutional_claim_has_its_facts),
        cmocka_unit_test(remittances_and_questions_have_their_facts),
        cmocka_unit_test(what_tells_a_person_is_marked_wherever_it_stands),
        cmocka_unit_test(the_public_documents_count_as_the_oracle_says),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
