/* test_bill.c: claims out of FHIR and X12: the lines that the ledger gets, what is refused, and
 * which services are billed twice. */
#include "core/client/bill_files.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/os.h"
#include "core/client/bill_fhir.h"
#include "core/client/bill_x12.h"
#include "tests/support/test.h"

// --- FHIR --------------------------------------------------------------------------------------

/* One professional Claim; MORE stands behind its total, ITEMS is its items. */
#define CLAIM_HEAD                                                                       \
    "{\"resourceType\":\"Claim\",\"id\":\"c1\",\"status\":\"active\",\"use\":\"claim\"," \
    "\"type\":{\"coding\":[{\"code\":\"professional\"}]},"                               \
    "\"patient\":{\"reference\":\"Patient/1\"},"                                         \
    "\"provider\":{\"reference\":\"Organization/1\"},"                                   \
    "\"billablePeriod\":{\"start\":\"2026-01-02T10:00:00+02:00\","                       \
    "\"end\":\"2026-01-02\"},\"diagnosis\":[{\"sequence\":7,"                            \
    "\"diagnosisCodeableConcept\":{\"coding\":[{\"code\":\"I10\"}]}},{\"sequence\":3,"   \
    "\"diagnosisReference\":{\"reference\":\"Condition/2\"}}],"
#define CLAIM(ITEMS, MORE) \
    CLAIM_HEAD "\"item\":[" ITEMS "],\"total\":{\"value\":150.5,\"currency\":\"USD\"}" MORE "}"
#define CPT(code)                                                                               \
    "\"productOrService\":{\"coding\":[{\"system\":\"http://snomed.info/sct\",\"code\":\"1\"}," \
    "{\"system\":\"http://www.ama-assn.org/go/cpt\",\"code\":\"" code "\"}]}"
#define VISIT                                                            \
    "{" CPT("99213") ",\"modifier\":[{\"coding\":[{\"code\":\"25\"}]}]," \
                     "\"net\":{\"value\":100,\"currency\":\"USD\"},\"diagnosisSequence\":[3,7]}"
#define SWAB                                                                                   \
    "{\"productOrService\":{\"coding\":[{\"system\":\"http://hl7.org/fhir/sid/cvx\",\"code\":" \
    "\"140\"}]},\"quantity\":{\"value\":2},\"unitPrice\":{\"value\":25.25},"                   \
    "\"locationCodeableConcept\":{\"coding\":[{\"code\":\"12\"}]}}"

static uint16_t emergency(void *self, struct sy_slice reference)
{
    (void)self;
    return sy_slice_equal(reference, sy_slice_of("Encounter/1", 11)) ? SY_SERVICE_EMERGENCY : 0;
}

struct made {
    struct sy_bill bill;
    struct sy_bill_lines lines;
    char path[SY_BILL_PATH_BYTES], why[SY_BILL_TEXT_BYTES];
    bool good;
    json_t *claim; /* its strings are borrowed */
};

static struct made made;

static struct made *make(const char *text)
{
    json_decref(made.claim);
    memset(&made, 0, sizeof made);
    made.claim = json_loads(text, 0, NULL);
    assert_non_null(made.claim);
    made.good = sy_bill_fhir(&made.bill, made.path, made.why, made.claim, emergency, NULL) &&
                sy_bill_finish(&made.bill, &made.lines, made.why);
    return &made;
}

static void expect_refused(const char *text, const char *path, const char *words)
{
    make(text);
    if (made.good) fail_msg("taken, not refused for '%s'", words);
    if (strstr(made.why, words) == NULL) fail_msg("%s: %s", made.path, made.why);
    assert_string_equal(made.path, path);
}

CASE(a_fhir_claim_becomes_lines_of_the_ledger)
{
    make(CLAIM(VISIT "," SWAB, ""));
    if (!made.good) fail_msg("%s: %s", made.path, made.why);
    assert_int_equal(made.lines.count, 2);
    assert_string_equal(made.lines.text[0], "1/hc:99213:25/1/10000/11/AB");
    assert_string_equal(made.lines.text[1], "2/zz:CVX-140/2/5050/12/A");
    assert_int_equal(made.bill.total, 15050);
    assert_int_equal(made.bill.service_class, SY_SERVICE_OFFICE);
    assert_int_equal(made.bill.from_ms, 1767340800000);  // 2026-01-02T08:00Z
    assert_int_equal(made.bill.until_ms, 1767398399999); // the day's last moment
    assert_int_equal(made.bill.diagnosis_count, 2);
    make(CLAIM("{" CPT("99213") ",\"encounter\":[{\"reference\":\"Encounter/1\"}]}", ""));
    assert_true(made.good);
    assert_string_equal(made.lines.text[0],
                        "1/hc:99213/1/15050/23/A"); // what the total leaves over
}

CASE(what_the_total_leaves_over_is_charged_once)
{
    make(CLAIM("{" CPT("1") "},{" CPT("2") "}," VISIT, ""));
    assert_true(made.good);
    assert_string_equal(made.lines.text[0], "1/hc:1/1/5050/11/A");
    assert_string_equal(made.lines.text[1], "2/hc:2/1/0/11/A");
    expect_refused(CLAIM(VISIT, ""), "", "its total is 150.50, but its lines sum up to 100.00");
    expect_refused(CLAIM(VISIT "," VISIT ",{" CPT("1") "}", ""), "", "sum up to 200.00");
}

CASE(what_is_no_bill_is_refused_with_its_path)
{
    static char text[4096];
    static const struct {
        const char *old, *new, *path, *words;
    } rows[] = {
        {"\"use\":\"claim\"", "\"use\":\"preauthorization\"", "use", "no claim"},
        {"\"active\"", "\"cancelled\"", "status", "not active"},
        {"\"professional\"", "\"strange\"", "type", "no known type"},
        {"\"value\":150.5,", "\"value\":150.505,", "total", "at most two decimals"},
        {"\"value\":150.5,", "\"value\":-150.5,", "total", "0 or more"},
        {"\"value\":150.5,", "\"value\":1e300,", "total", "no amount"},
        {"\"value\":100,\"currency\":\"USD\"", "\"value\":100,\"currency\":\"EUR\"", "total",
         "another currency"},
        {"\"2026-01-02\"", "\"2026-02-30\"", "billablePeriod.end", "no date"},
        {"\"2026-01-02\"", "\"2025-01-02\"", "", "ends too early"},
        {"\"2026-01-02\"", "\"2027-01-04\"", "", "366 days"},
        {"\"quantity\":{\"value\":2}", "\"quantity\":{\"value\":2.5}", "item[1]", "whole number"},
        {"\"quantity\":{\"value\":2}", "\"quantity\":{\"value\":0}", "item[1]", "whole number"},
        {"\"quantity\"", "\"factor\":0.5,\"quantity\"", "item[1]", "has a factor"},
        {"\"99213\"", "\"99213/1\"", "item[0]", "has not the form"},
        {"\"25\"", "\"255\"", "item[0]", "a modifier"},
        {"[3,7]", "[4]", "item[0]", "not there"},
        {"\"Patient/1\"", "\"\"", "", "which patient"},
        {"\"Organization/1\"", "\"\"", "", "who bills"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *whole = CLAIM(VISIT "," SWAB, "");
        const char *at = strstr(whole, rows[i].old);
        assert_non_null(at);
        (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - whole), whole, rows[i].new,
                       at + strlen(rows[i].old));
        expect_refused(text, rows[i].path, rows[i].words);
    }
    expect_refused(CLAIM("", ""), "", "no lines");
}

/* A Claim for one visit without a period, of a patient who is contained. */
#define CONTAINED(IDENTIFIER, DATES)                                                             \
    "{\"resourceType\":\"Claim\",\"status\":\"active\",\"use\":\"claim\","                       \
    "\"type\":{\"coding\":[{\"code\":\"professional\"}]},\"contained\":[{\"id\":\"p\","          \
    "\"identifier\":[" IDENTIFIER "]}],\"patient\":{\"reference\":\"#p\"},"                      \
    "\"provider\":{\"identifier\":{\"value\":\"77\"}},\"item\":[{" CPT("1") "," DATES "},{" CPT( \
        "2") ",\"servicedPeriod\":{\"start\":\"2026-01-03\"}}],\"total\":{\"value\":1}}"

CASE(who_is_contained_is_known_by_identifier)
{
    struct sy_hash first, second;
    make(CONTAINED("{\"system\":\"a\",\"value\":\"1\"}", "\"servicedDate\":\"2026-01-02\""));
    if (!made.good) fail_msg("%s: %s", made.path, made.why);
    assert_int_equal(made.bill.from_ms, 1767312000000);
    assert_int_equal(made.bill.until_ms, 1767484799999); // the last moment of the third
    sy_bill_key(&first, &made.bill, &made.lines);
    make(CONTAINED("{\"system\":\"b\",\"value\":\"1\"}", "\"servicedDate\":\"2026-01-02\""));
    assert_true(made.good);
    sy_bill_key(&second, &made.bill, &made.lines);
    assert_false(sy_hash_equal(&first, &second)); // another system's number 1
    make(CONTAINED("{\"system\":\"a\",\"value\":\"1\"}", "\"servicedDate\":\"2026-01-02\""));
    sy_bill_key(&second, &made.bill, &made.lines);
    assert_true(sy_hash_equal(&first, &second));
    expect_refused(CONTAINED("", "\"servicedDate\":\"2026-01-02\""), "patient", "no identifier");
    expect_refused(CONTAINED("{\"value\":\"1\"}", "\"servicedDate\":\"2026-13-02\""), "item[0]",
                   "no date");
    expect_refused("{\"use\":\"claim\",\"status\":\"active\",\"patient\":{\"reference\":\"P/1\"},"
                   "\"type\":{\"coding\":[{\"code\":\"oral\"}]},\"item\":[{}]}",
                   "billablePeriod", "says when it was");
}

CASE(fhir_times_are_read_whatever_their_zone)
{
    static const struct {
        const char *text;
        int64_t first, last; /* -1, -1: it is none */
    } rows[] = {{"1970-01-01T00:00:00Z", 0, 0},
                {"1970-01-01T01:30:00.250+01:00", 1800250, 1800250},
                {"1969-12-31T19:00:00-05:00", 0, 0},
                {"2000-02-29", 951782400000, 951868799999},
                {"2000-02", 949363200000, 951868799999},
                {"1970", 0, 31535999999},
                {"1900-02-29", -1, -1},
                {"1970-01-01T24:00:00Z", -1, -1},
                {"1970-01-01T00:00:00", -1, -1},
                {"1970-01-01T00:00Z", -1, -1},
                {"1970-1-1", -1, -1},
                {"", -1, -1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t first, last;
        bool good = sy_bill_fhir_time(&first, rows[i].text, false);
        assert_int_equal(sy_bill_fhir_time(&last, rows[i].text, true), good);
        if (good != (rows[i].last != -1)) fail_msg("%s", rows[i].text);
        if (good && (first != rows[i].first || last != rows[i].last)) fail_msg("%s", rows[i].text);
    }
}

// --- X12 ---------------------------------------------------------------------------------------

#define HEAD                                                                                     \
    "ISA*00*          *00*          *ZZ*MAKER          *ZZ*TAKER          *261129*1200*^*00501*" \
    "000000007*0*T*:~GS*HC*MAKER*TAKER*20261129*1200*31*X*005010X222A1~"
#define LEVELS "HL*1**20*1~NM1*85*2*C*****XX*77~HL*2*1*22*1~NM1*IL*1*A*B****MI*M1~"
#define BODY "DTP*472*D8*20260102~HI*ABK:I10*ABF:J45~LX*1~SV1*HC:99213:25*100*UN*1***2:1~"

struct taken {
    unsigned count, good, unknown;
    char last[SY_BILL_LINE_BYTES], why[SY_BILL_TEXT_BYTES];
    struct sy_hash key;
    int64_t from_ms, until_ms;
    uint16_t service_class;
};

static void ignore_issue(void *self, const struct sy_x12_issue *issue)
{
    (void)self;
    (void)issue;
}

static void take_x12(void *self, const struct sy_bill_x12_found *found)
{
    struct taken *taken = (struct taken *)self;
    struct sy_bill_lines lines;
    taken->count++;
    (void)snprintf(taken->why, sizeof taken->why, "%s", found->why);
    if (!found->good || !sy_bill_finish(found->bill, &lines, taken->why)) return;
    taken->good++;
    sy_bill_key(&taken->key, found->bill, &lines);
    taken->from_ms = found->bill->from_ms;
    taken->until_ms = found->bill->until_ms;
    taken->service_class = found->bill->service_class;
    (void)snprintf(taken->last, sizeof taken->last, "%s", lines.text[lines.count - 1]);
}

/* The claims of a set with this body, correctly closed unless its count is given. */
static struct taken taken_of(const char *guide, const char *body, int count)
{
    static char text[32768];
    struct taken taken = {.count = 0};
    struct sy_x12_totals totals;
    struct sy_error err;
    int segments = 2;
    for (const char *at = body; *at; at++) segments += *at == '~';
    (void)snprintf(text, sizeof text, HEAD "ST*837*0042*%s~%sSE*%d*0042~GE*1*31~IEA*1*000000007~",
                   guide, body, count ? count : segments);
    assert_int_equal(
        sy_bill_x12(&totals, sy_slice_of(text, strlen(text)), ignore_issue, take_x12, &taken, &err),
        SY_OK);
    return taken;
}

CASE(an_837_becomes_lines_of_the_ledger)
{
    struct taken taken =
        taken_of("005010X222A1", LEVELS "CLM*A1*100***23:B:1~" BODY "HL*3*1*22*0~", 0);
    if (taken.good != 1) fail_msg("%s", taken.why);
    assert_string_equal(taken.last, "1/hc:99213:25/1/10000/23/AB");
    assert_int_equal(taken.service_class, SY_SERVICE_EMERGENCY);
    assert_int_equal(taken.from_ms, 1767312000000);
    assert_int_equal(taken.until_ms, 1767398399999);
    taken = taken_of("005010X223A2",
                     LEVELS "CLM*A1*100***11:A:1~DTP*434*RD8*20260102-20260104~HI*ABK:I10~LX*1~"
                            "SV2*0120**60*DA*2~LX*2~SV2*0300*HC:80053*40*UN*1~",
                     0);
    if (taken.good != 1) fail_msg("%s", taken.why);
    assert_string_equal(taken.last, "2/hc:80053/1/4000/21/A");
    assert_int_equal(taken.service_class, SY_SERVICE_INPATIENT);
    assert_int_equal(taken.until_ms, 1767571199999);
    taken = taken_of("005010X224A2",
                     LEVELS "CLM*A1*100***11:B:1~HI*ABK:K021~LX*1~SV3*AD:D2150*100****1~"
                            "DTP*472*D8*20260102~",
                     0);
    if (taken.good != 1) fail_msg("%s", taken.why);
    assert_string_equal(taken.last, "1/hc:D2150/1/10000/11/A");
}

CASE(an_837_that_cannot_be_billed_says_why)
{
    static const struct {
        const char *body, *why;
        int count;
    } rows[] = {
        {LEVELS "CLM*A1*100***11:B:1~" BODY, "its set has an issue", 99},
        {LEVELS "CLM*A1*101***11:B:1~" BODY, "its set has an issue", 0},
        {LEVELS "CLM*A1*100***11:B:7~" BODY, "replaces or voids", 0},
        {LEVELS "CLM*A1*100***11:B:1~HI*ABK:I10~LX*1~SV1*HC:99213*100*UN*1***1~", "when it was", 0},
        {LEVELS "CLM*A1*100***11:B:1~DTP*472*D8*20260102~LX*1~SV1*HC:99213*100*UN*1~",
         "no diagnosis", 0},
        {LEVELS
         "CLM*A1*100***11:B:1~DTP*472*D8*20260102~HI*ABK:I10~LX*1~SV1*HC:99213*100*UN*1***2~",
         "not there", 0},
        {LEVELS "CLM*A1*100***11:B:1~DTP*472*D8*20260102~HI*ABK:I10~LX*1~SV1*HC:99213*100*UN*1.5~",
         "whole number", 0},
        {LEVELS "CLM*A1*100***11:B:1~DTP*472*D8*20260102~HI*ABK:I10~LX*1~SV1*XX:99213*100*UN*1~",
         "a line's code", 0},
        {"HL*1**20*1~NM1*85*2*C*****XX*77~HL*2*1*22*1~SBR*S*18~NM1*IL*1*A*B****MI*M1~"
         "CLM*A1*100***11:B:1~" BODY,
         "another payer", 0},
        {LEVELS "CLM*A1*100***11:B:1~DTP*472*D8*20260102~HI*ABK:I10~SBR*P*18~AMT*D*40~LX*1~"
                "SV1*HC:99213*100*UN*1***1~",
         "another payer", 0},
        {LEVELS "CLM*A1*100***11:B:1~" BODY "SVD*P1*40*HC:99213**1~", "another payer", 0},
        {LEVELS "CLM*A1*0***11:B:1~DTP*472*D8*20260102~HI*ABK:I10~", "no lines", 0},
        {"HL*1**20*1~HL*2*1*22*1~NM1*IL*1*A*B****MI*M1~CLM*A1*100***11:B:1~" BODY, "who bills", 0},
        {"HL*1**20*1~NM1*85*2*C*****XX*77~HL*2*1*22*1~CLM*A1*100***11:B:1~" BODY, "which patient",
         0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct taken taken = taken_of("005010X222A1", rows[i].body, rows[i].count);
        if (taken.count != 1 || taken.good != 0) fail_msg("row %zu: %u", i, taken.count);
        if (strstr(taken.why, rows[i].why) == NULL) fail_msg("row %zu: %s", i, taken.why);
    }
    static char body[16384] = LEVELS "CLM*A1*100***11:B:1~" BODY;
    for (unsigned i = 2; i <= 51; i++) {
        size_t used = strlen(body);
        (void)snprintf(body + used, sizeof body - used, "LX*%u~SV1*HC:99213*0*UN*1***1~", i);
    }
    struct taken taken = taken_of("005010X222A1", body, 0);
    assert_int_equal(taken.good, 0);
    assert_non_null(strstr(taken.why, "more than 50 lines"));
}

static void count_issue(void *self, const struct sy_x12_issue *issue)
{
    struct taken *taken = (struct taken *)self;
    if (strstr(issue->text, "no guide of claims") != NULL && strcmp(issue->set, "837") == 0 &&
        strcmp(issue->control, "0042") == 0) {
        taken->unknown++;
    }
}

CASE(an_837_of_an_unknown_guide_is_told)
{
    static const char *const guides[] = {"004010X098A1", "005010X222A1"};
    for (unsigned known = 0; known < 2; known++) {
        char text[2048];
        struct taken taken = {.count = 0};
        struct sy_x12_totals totals;
        struct sy_error err;
        (void)snprintf(text, sizeof text,
                       HEAD "ST*837*0042*%s~" LEVELS "CLM*A1*100***11:B:1~" BODY
                            "SE*11*0042~GE*1*31~IEA*1*000000007~",
                       guides[known]);
        assert_int_equal(sy_bill_x12(&totals, sy_slice_of(text, strlen(text)), count_issue,
                                     take_x12, &taken, &err),
                         SY_OK);
        assert_int_equal(taken.unknown, known ? 0 : 1);
        assert_int_equal(taken.count, known);
        assert_int_equal(taken.good, known);
    }
}

CASE(members_of_a_family_are_told_apart)
{
#define CHILD(name, born) \
    LEVELS "HL*3*2*23*0~NM1*QC*1*A*" name "~DMG*D8*" born "*F~CLM*A1*100***11:B:1~" BODY
    struct taken parent = taken_of("005010X222A1", LEVELS "CLM*A1*100***11:B:1~" BODY, 0);
    struct taken child = taken_of("005010X222A1", CHILD("C", "20200101"), 0);
    struct taken twin = taken_of("005010X222A1", CHILD("D", "20200101"), 0);
    struct taken again = taken_of("005010X222A1", CHILD("C", "20200101"), 0);
    assert_true(parent.good && child.good && twin.good && again.good);
    assert_false(sy_hash_equal(&parent.key, &child.key));
    assert_false(sy_hash_equal(&twin.key, &child.key));
    assert_true(sy_hash_equal(&again.key, &child.key));
}

// --- files -------------------------------------------------------------------------------------

static char folder[256];

static void write_text(char path[300], const char *name, const char *text)
{
    struct sy_error err;
    (void)snprintf(path, 300, "%.200s/%s", folder, name);
    if (sy_os_write_file(path, text, strlen(text), 0600, &err) != SY_OK) fail_msg("%s", err.text);
}

static sy_status refuse_third(void *self, const struct sy_bill *bill,
                              const struct sy_bill_lines *lines, struct sy_error *err)
{
    unsigned *count = (unsigned *)self;
    assert_true(bill->line_count == lines->count);
    return ++*count == 3 ? sy_fail(err, SY_ERR_IO, "no more") : SY_OK;
}

CASE(services_billed_twice_are_found_across_files)
{
    static char first[300], second[300], third[300];
    struct sy_bill_report report;
    struct sy_error err;
#define RX(number) ",\"prescription\":{\"reference\":\"MedicationRequest/" number "\"}"
    static char lines[8192];
    test_folder(folder, sizeof folder, "bill");
    const struct {
        const char *text;
        size_t size;
    } visit = {CLAIM(VISIT "," SWAB, ""), strlen(CLAIM(VISIT "," SWAB, "")) - 1};
    (void)snprintf(lines, sizeof lines,
                   "%s\n%.*s" RX("1") "}\n%.*s" RX("2") "}\n{\"resourceType\":\"Patient\"}\n",
                   visit.text, (int)visit.size, visit.text, (int)visit.size, visit.text);
    write_text(first, "first.ndjson", lines);
    write_text(second, "second.json",
               "{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[{\"resource\":" CLAIM(
                   SWAB "," VISIT, "") "},{\"resource\":" CLAIM("{" CPT("1") "}", "") "}]}");
    write_text(third, "third.txt", HEAD "ST*837*1~SE*9*1~GE*1*31~IEA*1*000000007~");
    char *files[] = {first, second, third};
    assert_int_equal(sy_bill_report_open(&report, &err), SY_OK);
    assert_int_equal(sy_bill_files(&report, files, 3, NULL, NULL, &err), SY_OK);
    const struct sy_import_type *type = &report.types[SY_BILL_PROFESSIONAL];
    assert_int_equal(report.bills, 5);
    assert_int_equal(report.files, 3);
    assert_int_equal(type->read, 5);
    assert_int_equal(type->final, 4); // of three alike, two are for prescriptions
    assert_int_equal(type->duplicates, 1);
    assert_int_equal(report.charged[SY_BILL_PROFESSIONAL], 4 * 15050);
    assert_int_equal(report.charged_read[SY_BILL_PROFESSIONAL], 5 * 15050);
    assert_int_equal(report.issues_total, 2); // and the count of the X12 set
    assert_string_equal(report.issues[0].where, "entry[0].resource");
    assert_non_null(strstr(report.issues[0].what, "claim 1 of the run"));
    assert_non_null(strstr(report.issues[1].what, "SE01 is 9, but there are 2"));
    sy_bill_report_close(&report);
    unsigned count = 0;
    assert_int_equal(sy_bill_report_open(&report, &err), SY_OK);
    assert_int_equal(sy_bill_files(&report, files, 3, refuse_third, &count, &err), SY_ERR_IO);
    assert_int_equal(count, 3);
    sy_bill_report_close(&report);
    assert_int_equal(sy_os_remove_tree(folder, &err), SY_OK);
}

CASE(the_same_service_with_other_charges_is_refused)
{
    static char path[300];
    struct sy_bill_report report;
    struct sy_error err;
    test_folder(folder, sizeof folder, "bill");
    write_text(
        path, "changed.ndjson",
        CLAIM(VISIT "," SWAB, "") "\n" CLAIM(
            "{" CPT("99213") ",\"modifier\":[{\"coding\":[{\"code\":\"25\"}]}]}," SWAB,
            "") "\n" CLAIM("{" CPT("99213") ",\"modifier\":[{\"coding\":[{\"code\":\"25\"}]}],"
                                            "\"net\":{\"value\":90}},{"
                                            "\"productOrService\":{\"coding\":[{\"system\":"
                                            "\"http://hl7.org/fhir/sid/cvx\",\"code\":\"140\""
                                            "}]},\"net\":{\"value\":60.5}}",
                           "") "\n{\"x\":\n");
    char *files[] = {path};
    assert_int_equal(sy_bill_report_open(&report, &err), SY_OK);
    assert_int_equal(sy_bill_files(&report, files, 1, NULL, NULL, &err), SY_OK);
    const struct sy_import_type *type = &report.types[SY_BILL_PROFESSIONAL];
    assert_int_equal(type->final, 1);
    assert_int_equal(type->duplicates, 1); // 100.00 and 50.50 are left over or said
    assert_int_equal(type->refused, 1);
    assert_non_null(strstr(report.issues[1].what, "with other charges"));
    assert_string_equal(report.issues[2].where, "line 4");
    sy_bill_report_close(&report);
    assert_int_equal(sy_os_remove_tree(folder, &err), SY_OK);
    json_decref(made.claim);
    made.claim = NULL;
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_fhir_claim_becomes_lines_of_the_ledger),
        cmocka_unit_test(what_the_total_leaves_over_is_charged_once),
        cmocka_unit_test(what_is_no_bill_is_refused_with_its_path),
        cmocka_unit_test(who_is_contained_is_known_by_identifier),
        cmocka_unit_test(fhir_times_are_read_whatever_their_zone),
        cmocka_unit_test(an_837_becomes_lines_of_the_ledger),
        cmocka_unit_test(an_837_that_cannot_be_billed_says_why),
        cmocka_unit_test(an_837_of_an_unknown_guide_is_told),
        cmocka_unit_test(members_of_a_family_are_told_apart),
        cmocka_unit_test(services_billed_twice_are_found_across_files),
        cmocka_unit_test(the_same_service_with_other_charges_is_refused),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
