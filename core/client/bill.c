/* bill.c: see bill.h. */
#include "core/client/bill.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/base/assert.h"
#include "core/base/status.h"
#include "core/crypto/hash.h"

_Static_assert(SY_BILL_LINE_BYTES <= SY_TEXT_BYTES_MAX, "a line is a text of claim.submit");

static bool complain(char *why, const char *format, ...) SY_PRINTF(2, 3);

static bool complain(char *why, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    (void)vsnprintf(why, SY_BILL_TEXT_BYTES, format, list);
    va_end(list);
    return false;
}

const char *sy_bill_type_word(uint8_t type)
{
    static const char *const words[SY_BILL_TYPES] = {"unknown",  "837P",          "837I",
                                                     "837D",     "institutional", "professional",
                                                     "pharmacy", "oral",          "vision"};
    SY_ASSERT(type < SY_BILL_TYPES);
    return words[type];
}

// --- codes -------------------------------------------------------------------------------------

static struct sy_slice trim(struct sy_slice text)
{
    while (text.size > 0 && text.data[0] == ' ') text = sy_slice_of(text.data + 1, text.size - 1);
    while (text.size > 0 && text.data[text.size - 1] == ' ') text.size--;
    return text;
}

/* Appends in capital letters; false: there is no room. */
static bool append(char out[SY_BILL_CODE_BYTES], size_t *used, struct sy_slice text)
{
    if (*used + text.size + 1 > SY_BILL_CODE_BYTES) return false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        out[(*used)++] = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
    out[*used] = '\0';
    return true;
}

bool sy_bill_code(char out[SY_BILL_CODE_BYTES], const char *system, struct sy_slice code,
                  const struct sy_slice *modifiers, unsigned modifier_count)
{
    size_t used = 0;
    struct sy_claim_line line;
    char text[SY_BILL_LINE_BYTES];
    for (; system[used] != '\0'; used++) out[used] = system[used];
    out[used++] = ':';
    if (!append(out, &used, trim(code))) return false;
    for (unsigned i = 0; i < modifier_count; i++) {
        struct sy_slice modifier = trim(modifiers[i]);
        if (modifier.size == 0) continue;
        if (!append(out, &used, sy_slice_of(":", 1)) || !append(out, &used, modifier)) return false;
    }
    // The ledger's parser says whether it is one.
    int size = snprintf(text, sizeof text, "1/%s/1/0/00/A", out);
    struct sy_slice whole = sy_slice_of(text, (size_t)size);
    return sy_claim_line_parse(&line, whole, 1, 1) == SY_LINE_GOOD;
}

// --- lines -------------------------------------------------------------------------------------

static const char *usual_place(uint16_t service_class)
{
    switch (service_class) {
    case SY_SERVICE_OFFICE: return "11";
    case SY_SERVICE_EMERGENCY: return "23";
    case SY_SERVICE_INPATIENT: return "21";
    case SY_SERVICE_OUTPATIENT: return "22";
    case SY_SERVICE_LABORATORY: return "81";
    case SY_SERVICE_PHARMACY: return "01";
    default: return "99";
    }
}

/* Gives what the total leaves over to the first line without a charge. */
static bool share_total(struct sy_bill *bill, char *why)
{
    int64_t sum = 0;
    struct sy_bill_line *rest = NULL;
    for (unsigned i = 0; i < bill->line_count; i++) {
        struct sy_bill_line *line = &bill->lines[i];
        if (!line->has_charge && rest == NULL) rest = line;
        if (!line->has_charge) line->charge = 0;
        if (line->charge < 0) return complain(why, "line %u charges less than nothing", i + 1);
        if (line->charge > (int64_t)SY_MONEY_MAX || (sum += line->charge) > (int64_t)SY_MONEY_MAX) {
            return complain(why, "line %u: amounts are over the ledger's limit", i + 1);
        }
    }
    if (bill->total < 0) return complain(why, "its total is less than nothing");
    if (bill->total > (int64_t)SY_MONEY_MAX) {
        return complain(why, "its total is over the ledger's limit");
    }
    if (rest != NULL && bill->total > sum) {
        rest->charge = bill->total - sum;
        sum = bill->total;
    }
    if (sum == bill->total) return true;
    return complain(why, "its total is %lld.%02lld, but its lines sum up to %lld.%02lld",
                    (long long)(bill->total / 100), (long long)(bill->total % 100),
                    (long long)(sum / 100), (long long)(sum % 100));
}

static void write_pointers(char out[SY_CLAIM_DIAGNOSES_MAX + 1], uint32_t pointers)
{
    size_t used = 0;
    if (pointers == 0) pointers = 1;
    for (unsigned i = 0; i < SY_CLAIM_DIAGNOSES_MAX; i++) {
        if (pointers >> i & 1) out[used++] = (char)('A' + i);
    }
    out[used] = '\0';
}

static bool write_line(const struct sy_bill *bill, struct sy_bill_lines *lines, unsigned i,
                       char *why)
{
    char pointers[SY_CLAIM_DIAGNOSES_MAX + 1];
    const struct sy_bill_line *line = &bill->lines[i];
    write_pointers(pointers, line->pointers);
    int size = snprintf(lines->text[i], sizeof lines->text[i], "%u/%s/%u/%lld/%s/%s", i + 1,
                        line->code, line->units, (long long)line->charge,
                        line->place[0] ? line->place : usual_place(bill->service_class), pointers);
    struct sy_slice text = sy_slice_of(lines->text[i], (size_t)size);
    SY_ASSERT((size_t)size < sizeof lines->text[i]);
    enum sy_line_verdict verdict =
        sy_claim_line_parse(&lines->parsed[i], text, i + 1, bill->diagnosis_count);
    if (verdict == SY_LINE_GOOD) return true;
    return complain(why, "line %u is none that the ledger takes: code, units, place or diagnosis",
                    i + 1);
}

bool sy_bill_finish(struct sy_bill *bill, struct sy_bill_lines *lines, char *why)
{
    lines->count = 0;
    if (bill->patient.size == 0) return complain(why, "it does not say which patient it is about");
    if (bill->provider.size == 0) return complain(why, "it does not say who bills");
    if (bill->line_count == 0) return complain(why, "it has no lines");
    if (bill->diagnosis_count == 0) return complain(why, "it has no diagnosis");
    if (bill->from_ms > bill->until_ms) return complain(why, "its time of service ends too early");
    if (bill->until_ms - bill->from_ms > SY_CLAIM_SPAN_MS_MAX) {
        return complain(why, "its time of service is longer than 366 days");
    }
    if (!share_total(bill, why)) return false;
    for (unsigned i = 0; i < bill->line_count; i++) {
        if (!write_line(bill, lines, i, why)) return false;
    }
    lines->count = bill->line_count;
    return true;
}

// --- keys --------------------------------------------------------------------------------------

/* The source's name as an id; two names make another id than one. */
static void name_id(struct sy_hash *id, struct sy_slice first, struct sy_slice second)
{
    struct sy_hash both[2];
    sy_sha256(&both[0], first.data, first.size);
    sy_sha256(&both[1], second.data, second.size);
    sy_sha256(id, both, sizeof both);
}

void sy_bill_key(struct sy_hash *key, const struct sy_bill *bill, const struct sy_bill_lines *lines)
{
    struct sy_claim_line named[SY_CLAIM_LINES_MAX];
    struct sy_claim_service service = {
        .service_class = bill->service_class, .from_ms = bill->from_ms, .until_ms = bill->until_ms};
    SY_ASSERT(lines->count <= SY_CLAIM_LINES_MAX);
    name_id(&service.patient, bill->patient, bill->member);
    name_id(&service.provider, bill->provider, sy_slice_of("", 0));
    for (unsigned i = 0; i < lines->count; i++) {
        named[i] = lines->parsed[i];
        if (bill->prescription.size == 0) continue;
        named[i].link_kind = SY_LINK_PRESCRIPTION;
        name_id(&named[i].link, bill->prescription, sy_slice_of("", 0));
    }
    sy_claim_key(key, &service, named, lines->count);
}

void sy_bill_charges(struct sy_hash *charges, const struct sy_bill_lines *lines)
{
    uint8_t places[SY_CLAIM_LINES_MAX], room[SY_CLAIM_LINES_MAX * 12];
    SY_ASSERT(lines->count <= SY_CLAIM_LINES_MAX);
    sy_claim_places(places, lines->parsed, lines->count);
    for (unsigned i = 0; i < lines->count; i++) {
        uint8_t *at = room + 12u * (places[i] - 1u);
        sy_store_u64(at, lines->parsed[i].charge);
        sy_store_u32(at + 8, lines->parsed[i].units);
    }
    sy_sha256(charges, room, 12u * lines->count);
}
