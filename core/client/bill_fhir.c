/* bill_fhir.c: see bill_fhir.h. */
#include "core/client/bill_fhir.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/base/assert.h"
#include "core/base/status.h"
#include "core/client/x12.h"

#define DAY_MS (24ll * 3600 * 1000)

struct reading {
    struct sy_bill *bill;
    char *path, *why;
    const char *currency; /* of the first amount; NULL: none yet */
    bool has_dates;       /* of items */
};

static bool complain(struct reading *reading, const char *path, const char *format, ...)
    SY_PRINTF(3, 4);

static bool complain(struct reading *reading, const char *path, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    (void)vsnprintf(reading->why, SY_BILL_TEXT_BYTES, format, list);
    va_end(list);
    (void)snprintf(reading->path, SY_BILL_PATH_BYTES, "%s", path);
    return false;
}

static struct sy_slice text_of(const json_t *value)
{
    const char *text = json_string_value(value);
    return text != NULL ? sy_slice_of(text, strlen(text)) : sy_slice_of("", 0);
}

static bool is_text(const json_t *value, const char *word)
{
    const char *text = json_string_value(value);
    return text != NULL && strcmp(text, word) == 0;
}

// --- times -------------------------------------------------------------------------------------

/* Two or four digits; -1: they are none. */
static int64_t digits(const char *text, unsigned count)
{
    int64_t value = 0;
    for (unsigned i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9') return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

static int64_t days_before(int64_t year)
{
    year--;
    return year * 365 + year / 4 - year / 100 + year / 400 - 719162;
}

static int64_t month_days(int64_t year, int64_t month)
{
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (month == 2) return leap ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* hh:mm:ss[.fraction](Z|+hh:mm|-hh:mm), in milliseconds since the day began in UTC. */
static bool read_clock(int64_t *ms, const char *text)
{
    if (strlen(text) < 9 || text[2] != ':' || text[5] != ':') return false;
    int64_t hour = digits(text, 2), minute = digits(text + 3, 2), second = digits(text + 6, 2);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) {
        return false;
    }
    *ms = ((hour * 60 + minute) * 60 + (second == 60 ? 59 : second)) * 1000;
    text += 8;
    if (text[0] == '.') {
        int64_t unit = 100;
        for (text++; text[0] >= '0' && text[0] <= '9'; text++, unit /= 10) {
            *ms += unit * (text[0] - '0');
        }
    }
    if (strcmp(text, "Z") == 0) return true;
    if ((text[0] != '+' && text[0] != '-') || strlen(text) != 6 || text[3] != ':') return false;
    int64_t hours = digits(text + 1, 2), minutes = digits(text + 4, 2);
    if (hours < 0 || hours > 14 || minutes < 0 || minutes > 59) return false;
    *ms += (text[0] == '+' ? -1 : 1) * (hours * 60 + minutes) * 60000;
    return true;
}

bool sy_bill_fhir_time(int64_t *time_ms, const char *text, bool last)
{
    size_t size = strlen(text);
    int64_t month = 1, day = 1, ms = 0;
    *time_ms = 0;
    if (size != 4 && size != 7 && size < 10) return false;
    int64_t year = digits(text, 4);
    if (year < 1) return false;
    if (size > 4) {
        month = text[4] == '-' ? digits(text + 5, 2) : -1;
        if (month < 1 || month > 12) return false;
    }
    if (size > 7) {
        day = text[7] == '-' ? digits(text + 8, 2) : -1;
        if (day < 1 || day > month_days(year, month)) return false;
    }
    if (size > 10 && (text[10] != 'T' || !read_clock(&ms, text + 11))) return false;
    int64_t days = days_before(year) + day - 1;
    for (int64_t m = 1; m < month; m++) days += month_days(year, m);
    *time_ms = days * DAY_MS + ms;
    if (!last || size > 10) return true;
    int64_t span = size == 10  ? 1
                   : size == 7 ? month_days(year, month)
                               : days_before(year + 1) - days;
    *time_ms += span * DAY_MS - 1;
    return true;
}

// --- amounts -----------------------------------------------------------------------------------

/* A number of at most two decimals, exactly: of all doubles, such a number's nearest is cents /
 * 100, which division gives correctly rounded. */
static bool cents_of(int64_t *cents, const json_t *value)
{
    *cents = 0;
    if (!json_is_number(value)) return false;
    double number = json_number_value(value);
    if (!(number >= 0 && number <= (double)SY_MONEY_MAX / 100)) return false;
    *cents = (int64_t)(number * 100 + 0.5);
    return (double)*cents / 100 == number;
}

static bool read_money(struct reading *reading, int64_t *cents, const json_t *money,
                       const char *path)
{
    const char *currency = json_string_value(json_object_get(money, "currency"));
    if (!cents_of(cents, json_object_get(money, "value"))) {
        return complain(reading, path, "it is no amount of at most two decimals, 0 or more");
    }
    if (currency == NULL) return true;
    if (reading->currency == NULL) reading->currency = currency;
    if (strcmp(reading->currency, currency) == 0) return true;
    return complain(reading, path, "it is in another currency than the amounts before");
}

// --- items -------------------------------------------------------------------------------------

struct system_row {
    const char *url, *system, *prefix;
};
static const struct system_row systems[] = {
    {"http://www.ama-assn.org/go/cpt", "hc", ""},
    {"https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", "hc", ""},
    {"http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", "hc", ""},
    {"https://bluebutton.cms.gov/resources/codesystem/hcpcs", "hc", ""},
    {"http://hl7.org/fhir/sid/ndc", "n4", ""},
    {"https://www.nubc.org/CodeSystem/RevenueCodes", "nu", ""},
    {"http://hl7.org/fhir/sid/cvx", "zz", "CVX-"},
    {"http://www.nlm.nih.gov/research/umls/rxnorm", "zz", "RXN-"},
};

static const struct system_row *system_of(const json_t *coding)
{
    static const struct system_row agreed = {"", "zz", ""};
    for (size_t i = 0; i < sizeof systems / sizeof systems[0]; i++) {
        if (is_text(json_object_get(coding, "system"), systems[i].url)) return &systems[i];
    }
    return &agreed;
}

static bool read_code(struct reading *reading, struct sy_bill_line *line, const json_t *item,
                      const char *path)
{
    char text[SY_BILL_CODE_BYTES];
    struct sy_slice modifiers[4];
    unsigned count = 0;
    size_t i;
    json_t *coding, *modifier;
    const json_t *codings = json_object_get(json_object_get(item, "productOrService"), "coding");
    const json_t *chosen = json_array_get(codings, 0);
    json_array_foreach(codings, i, coding)
    {
        if (strcmp(system_of(coding)->system, "zz") == 0) continue;
        chosen = coding;
        break;
    }
    json_array_foreach(json_object_get(item, "modifier"), i, modifier)
    {
        coding = json_array_get(json_object_get(modifier, "coding"), 0);
        if (count < 4) modifiers[count++] = text_of(json_object_get(coding, "code"));
    }
    const struct system_row *row = system_of(chosen);
    struct sy_slice code = text_of(json_object_get(chosen, "code"));
    int size = snprintf(text, sizeof text, "%s%.*s", row->prefix, (int)(code.size & 0xff),
                        (const char *)code.data);
    bool fits = code.size > 0 && code.size < sizeof text && (size_t)size < sizeof text;
    if (fits &&
        sy_bill_code(line->code, row->system, sy_slice_of(text, (size_t)size), modifiers, count)) {
        return true;
    }
    return complain(reading, path,
                    "its code or a modifier has not the form of a claim's: 1 to 16 "
                    "letters, digits, points and dashes; two a modifier");
}

static bool read_units(struct reading *reading, struct sy_bill_line *line, const json_t *item,
                       const char *path)
{
    const json_t *value = json_object_get(json_object_get(item, "quantity"), "value");
    line->units = 1;
    if (value == NULL) return true;
    double units = json_number_value(value);
    if (!(units >= 1 && units <= UINT32_MAX) || (double)(uint32_t)units != units) {
        return complain(reading, path, "its quantity is no whole number of units from 1 on");
    }
    line->units = (uint32_t)units;
    return true;
}

static bool read_charge(struct reading *reading, struct sy_bill_line *line, const json_t *item,
                        const char *path)
{
    const json_t *net = json_object_get(item, "net"), *price = json_object_get(item, "unitPrice");
    const json_t *factor = json_object_get(item, "factor");
    if (net == NULL && price == NULL) return true;
    if (net == NULL && factor != NULL && !(json_number_value(factor) == 1.0)) {
        return complain(reading, path, "its price has a factor, and it has no net: give its net");
    }
    line->has_charge = true;
    if (!read_money(reading, &line->charge, net != NULL ? net : price, path)) return false;
    if (net != NULL) return true;
    if (!__builtin_mul_overflow(line->charge, (int64_t)line->units, &line->charge)) return true;
    return complain(reading, path, "its price for so many units is over the ledger's limit");
}

static void read_place(struct sy_bill_line *line, const json_t *item)
{
    const json_t *place = json_object_get(item, "locationCodeableConcept");
    const json_t *coding = json_array_get(json_object_get(place, "coding"), 0);
    struct sy_slice code = text_of(json_object_get(coding, "code"));
    if (code.size != 2 || digits((const char *)code.data, 2) < 0) return;
    memcpy(line->place, code.data, 2);
}

/* sequence numbers of diagnoses, as they stand in the Claim. */
static bool read_pointers(struct reading *reading, struct sy_bill_line *line, const json_t *item,
                          const json_t *diagnoses, const char *path)
{
    size_t i, k;
    json_t *sequence, *diagnosis;
    json_array_foreach(json_object_get(item, "diagnosisSequence"), i, sequence)
    {
        bool found = false;
        json_array_foreach(diagnoses, k, diagnosis)
        {
            const json_t *own = json_object_get(diagnosis, "sequence");
            if (k >= SY_CLAIM_DIAGNOSES_MAX || !json_is_integer(own)) continue;
            if (json_integer_value(own) != json_integer_value(sequence)) continue;
            line->pointers |= 1u << k;
            found = true;
        }
        if (!found) return complain(reading, path, "it points to a diagnosis that is not there");
    }
    return true;
}

static bool read_items(struct reading *reading, const json_t *claim)
{
    size_t i;
    json_t *item;
    char path[SY_BILL_PATH_BYTES];
    struct sy_bill *bill = reading->bill;
    const json_t *diagnoses = json_object_get(claim, "diagnosis");
    json_array_foreach(json_object_get(claim, "item"), i, item)
    {
        (void)snprintf(path, sizeof path, "item[%zu]", i);
        if (i == SY_CLAIM_LINES_MAX) {
            return complain(reading, path, "a claim has at most %u lines", SY_CLAIM_LINES_MAX);
        }
        struct sy_bill_line *line = &bill->lines[bill->line_count++];
        bool good = read_code(reading, line, item, path) && read_units(reading, line, item, path) &&
                    read_charge(reading, line, item, path) &&
                    read_pointers(reading, line, item, diagnoses, path);
        if (!good) return false;
        read_place(line, item);
    }
    return true;
}

// --- the claim ---------------------------------------------------------------------------------

static uint8_t type_of(const json_t *claim)
{
    const json_t *codings = json_object_get(json_object_get(claim, "type"), "coding");
    size_t i;
    json_t *coding;
    json_array_foreach(codings, i, coding)
    {
        for (uint8_t type = SY_BILL_INSTITUTIONAL; type < SY_BILL_TYPES; type++) {
            if (is_text(json_object_get(coding, "code"), sy_bill_type_word(type))) return type;
        }
    }
    return SY_BILL_NONE;
}

uint16_t sy_bill_fhir_class(const json_t *encounter)
{
    static const struct {
        const char *code;
        uint16_t service_class;
    } rows[] = {{"AMB", SY_SERVICE_OFFICE},      {"VR", SY_SERVICE_OFFICE},
                {"HH", SY_SERVICE_OFFICE},       {"EMER", SY_SERVICE_EMERGENCY},
                {"IMP", SY_SERVICE_INPATIENT},   {"ACUTE", SY_SERVICE_INPATIENT},
                {"NONAC", SY_SERVICE_INPATIENT}, {"OBSENC", SY_SERVICE_OUTPATIENT},
                {"SS", SY_SERVICE_OUTPATIENT}};
    const json_t *code = json_object_get(json_object_get(encounter, "class"), "code");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (is_text(code, rows[i].code)) return rows[i].service_class;
    }
    return 0;
}

/* By its type, and else by the encounter of its first item. */
static uint16_t class_by(uint8_t type, const json_t *claim, sy_bill_class_of class_of, void *self)
{
    const json_t *item = json_array_get(json_object_get(claim, "item"), 0);
    const json_t *encounter = json_array_get(json_object_get(item, "encounter"), 0);
    if (type == SY_BILL_PHARMACY) return SY_SERVICE_PHARMACY;
    if (type == SY_BILL_ORAL || type == SY_BILL_VISION) return SY_SERVICE_OTHER;
    uint16_t found = class_of(self, text_of(json_object_get(encounter, "reference")));
    if (found != 0) return found;
    return type == SY_BILL_PROFESSIONAL ? SY_SERVICE_OFFICE : SY_SERVICE_OUTPATIENT;
}

static bool read_diagnoses(struct reading *reading, const json_t *claim)
{
    size_t i;
    json_t *diagnosis;
    struct sy_bill *bill = reading->bill;
    json_array_foreach(json_object_get(claim, "diagnosis"), i, diagnosis)
    {
        const json_t *concept = json_object_get(diagnosis, "diagnosisCodeableConcept");
        const json_t *coding = json_array_get(json_object_get(concept, "coding"), 0);
        const json_t *reference = json_object_get(diagnosis, "diagnosisReference");
        struct sy_slice text = text_of(json_object_get(coding, "code"));
        if (text.size == 0) text = text_of(json_object_get(reference, "reference"));
        if (text.size == 0)
            return complain(reading, "diagnosis", "it has neither code nor reference");
        if (i == SY_CLAIM_DIAGNOSES_MAX) {
            return complain(reading, "diagnosis", "a claim has at most %u diagnoses",
                            SY_CLAIM_DIAGNOSES_MAX);
        }
        bill->diagnoses[bill->diagnosis_count++] = text;
    }
    if (bill->diagnosis_count == 0) {
        bill->diagnoses[bill->diagnosis_count++] = sy_slice_of("unspecified", 11);
    }
    return true;
}

/* The days of an item, which count where the Claim has no period. */
static bool read_item_dates(struct reading *reading, const json_t *item, const char *path)
{
    struct sy_bill *bill = reading->bill;
    const json_t *period = json_object_get(item, "servicedPeriod");
    const char *day = json_string_value(json_object_get(item, "servicedDate"));
    const char *start = json_string_value(json_object_get(period, "start"));
    const char *end = json_string_value(json_object_get(period, "end"));
    int64_t from_ms, until_ms;
    if (start == NULL) start = day != NULL ? day : end;
    if (end == NULL) end = day != NULL ? day : start;
    if (start == NULL) return true;
    if (!sy_bill_fhir_time(&from_ms, start, false) || !sy_bill_fhir_time(&until_ms, end, true)) {
        return complain(reading, path, "it was served on no date or time");
    }
    if (!reading->has_dates || from_ms < bill->from_ms) bill->from_ms = from_ms;
    if (!reading->has_dates || until_ms > bill->until_ms) bill->until_ms = until_ms;
    reading->has_dates = true;
    return true;
}

static bool read_dates_of_items(struct reading *reading, const json_t *claim)
{
    size_t i;
    json_t *item;
    char path[SY_BILL_PATH_BYTES];
    json_array_foreach(json_object_get(claim, "item"), i, item)
    {
        (void)snprintf(path, sizeof path, "item[%zu]", i);
        if (!read_item_dates(reading, item, path)) return false;
    }
    if (reading->has_dates) return true;
    return complain(reading, "billablePeriod", "neither it nor an item says when it was");
}

static bool read_period(struct reading *reading, const json_t *claim)
{
    const json_t *period = json_object_get(claim, "billablePeriod");
    const char *start = json_string_value(json_object_get(period, "start"));
    const char *end = json_string_value(json_object_get(period, "end"));
    struct sy_bill *bill = reading->bill;
    if (start == NULL) return read_dates_of_items(reading, claim);
    if (!sy_bill_fhir_time(&bill->from_ms, start, false)) {
        return complain(reading, "billablePeriod.start", "it is no date or time");
    }
    if (sy_bill_fhir_time(&bill->until_ms, end != NULL ? end : start, true)) return true;
    return complain(reading, "billablePeriod.end", "it is no date or time");
}

/* Who is meant: a reference as it stands; what is contained, whose reference every other Claim may
 * have, by its identifier; else the identifier beside the reference. *system is the identifier's.
 */
static bool read_name(struct reading *reading, struct sy_slice *name, struct sy_slice *system,
                      const json_t *claim, const char *field)
{
    size_t i;
    json_t *resource;
    const json_t *value = json_object_get(claim, field), *found = NULL;
    struct sy_slice reference = text_of(json_object_get(value, "reference"));
    const json_t *identifier = json_object_get(value, "identifier");
    *system = sy_slice_of("", 0);
    *name = reference;
    if (reference.size > 0 && reference.data[0] != '#') return true;
    json_array_foreach(json_object_get(claim, "contained"), i, resource)
    {
        struct sy_slice id = text_of(json_object_get(resource, "id"));
        bool is = reference.size > 1 && id.size == reference.size - 1 &&
                  memcmp(id.data, reference.data + 1, id.size) == 0;
        if (is) found = resource;
    }
    if (found != NULL) identifier = json_array_get(json_object_get(found, "identifier"), 0);
    *name = text_of(json_object_get(identifier, "value"));
    *system = text_of(json_object_get(identifier, "system"));
    if (name->size > 0 || reference.size == 0) return true; // who is nobody is told later
    return complain(reading, field, "it is contained, and has no identifier to know it by again");
}

static bool sum_items(struct reading *reading)
{
    struct sy_bill *bill = reading->bill;
    for (unsigned i = 0; i < bill->line_count; i++) {
        if (__builtin_add_overflow(bill->total, bill->lines[i].charge, &bill->total)) {
            return complain(reading, "item", "its amounts are over the ledger's limit");
        }
    }
    return true;
}

bool sy_bill_fhir(struct sy_bill *bill, char *path, char *why, const json_t *claim,
                  sy_bill_class_of class_of, void *self)
{
    struct reading reading = {.bill = bill, .path = path, .why = why};
    struct sy_slice system;
    memset(bill, 0, sizeof *bill);
    path[0] = why[0] = '\0';
    const json_t *total = json_object_get(claim, "total");
    bill->type = type_of(claim);
    (void)cents_of(&bill->total, json_object_get(total, "value")); // even if it is refused
    bill->id = text_of(json_object_get(claim, "id"));
    if (!is_text(json_object_get(claim, "use"), "claim")) {
        return complain(&reading, "use",
                        "it is no claim, but asks for an authorisation or a price");
    }
    if (!is_text(json_object_get(claim, "status"), "active")) {
        return complain(&reading, "status", "it is not active");
    }
    if (bill->type == SY_BILL_NONE) return complain(&reading, "type", "it is of no known type");
    bill->service_class = class_by(bill->type, claim, class_of, self);
    bool good = read_name(&reading, &bill->patient, &bill->member, claim, "patient") &&
                read_name(&reading, &bill->provider, &system, claim, "provider") &&
                read_name(&reading, &bill->prescription, &system, claim, "prescription") &&
                read_period(&reading, claim) && read_diagnoses(&reading, claim) &&
                read_items(&reading, claim);
    if (!good) return false;
    return total != NULL ? read_money(&reading, &bill->total, total, "total") : sum_items(&reading);
}
