/* bill_files.c: see bill_files.h. */
#include "core/client/bill_files.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/arena.h"
#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/base/table.h"
#include "core/client/bill_fhir.h"
#include "core/client/bill_x12.h"
#include "core/client/fhir_input.h"
#include "core/client/fhir_scan.h"

#define REMEDY "have who made it mend it"

/* Where a service was billed first. */
struct billed {
    struct sy_hash charges;
    uint32_t file;
    uint32_t number; /* of the claim in the run, from 1 */
};

/* An Encounter of the Bundle at hand; its reference stands in the document. */
struct encounter {
    struct sy_slice reference;
    uint16_t service_class;
};

struct reading {
    struct sy_bill_report *report;
    sy_bill_take take;
    void *self;
    char *const *files;
    uint32_t file;
    sy_arena arena;
    struct sy_table billed;
    struct sy_bill bill;
    struct sy_bill_lines lines;
    struct sy_fhir_input input;
    struct sy_json_scanner sniffer;
    struct sy_fhir_scan scan;
    const struct sy_fhir_document *document;
    struct encounter *encounters;
    size_t encounter_count, encounter_room;
    sy_status status; /* of what a callback could not pass up */
    struct sy_error *err;
};

/* --- the report ------------------------------------------------------------------------------ */

sy_status sy_bill_report_open(struct sy_bill_report *report, struct sy_error *err)
{
    memset(report, 0, sizeof *report);
    for (uint8_t i = 0; i < SY_BILL_TYPES; i++) {
        (void)snprintf(report->types[i].type, sizeof report->types[i].type, "%s",
                       sy_bill_type_word(i));
    }
    report->issues = calloc(SY_IMPORT_ISSUES_KEPT, sizeof *report->issues);
    if (report->issues == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for a report");
    return SY_OK;
}

void sy_bill_report_close(struct sy_bill_report *report)
{
    free(report->issues);
    memset(report, 0, sizeof *report);
}

static void tell(struct reading *reading, bool refused, const char *where, const char *what,
                 const char *remedy)
{
    struct sy_bill_report *report = reading->report;
    report->issues_total++;
    if (!refused) report->warnings++;
    if (report->issues_kept == SY_IMPORT_ISSUES_KEPT) return;
    struct sy_import_issue *issue = &report->issues[report->issues_kept++];
    issue->refused = refused;
    issue->file = reading->files[reading->file];
    (void)snprintf(issue->where, sizeof issue->where, "%.95s", where);
    (void)snprintf(issue->what, sizeof issue->what, "%.255s", what);
    (void)snprintf(issue->remedy, sizeof issue->remedy, "%.127s", remedy);
}

void sy_bill_report_json(const struct sy_bill_report *report, sy_json *json)
{
    uint64_t duplicates = 0, refused = 0, final = 0;
    for (size_t i = 0; i < SY_BILL_TYPES; i++) {
        duplicates += report->types[i].duplicates;
        refused += report->types[i].refused;
        final += report->types[i].final;
    }
    sy_json_put_u64(json, "files", report->files);
    sy_json_put_u64(json, "documents", report->documents);
    sy_json_put_u64(json, "resources", report->bills);
    sy_json_put_u64(json, "final", final);
    sy_json_put_u64(json, "duplicates", duplicates);
    sy_json_put_u64(json, "refused", refused);
    sy_json_put_u64(json, "warnings", report->warnings);
    sy_json_key(json, "types");
    sy_json_array_begin(json);
    for (size_t i = 0; i < SY_BILL_TYPES; i++) {
        if (report->types[i].read > 0) sy_import_type_json(&report->types[i], json);
    }
    sy_json_array_end(json);
    sy_json_key(json, "charged_cents");
    sy_json_object_begin(json);
    for (uint8_t i = 0; i < SY_BILL_TYPES; i++) {
        if (report->types[i].read == 0) continue;
        sy_json_put_i64(json, sy_bill_type_word(i), report->charged[i]);
    }
    sy_json_object_end(json);
    sy_json_key(json, "read_cents");
    sy_json_object_begin(json);
    for (uint8_t i = 0; i < SY_BILL_TYPES; i++) {
        if (report->types[i].read == 0) continue;
        sy_json_put_i64(json, sy_bill_type_word(i), report->charged_read[i]);
    }
    sy_json_object_end(json);
    sy_import_issues_json(report->issues, report->issues_kept, report->issues_total, json);
}

/* --- one claim ------------------------------------------------------------------------------- */

static void refuse(struct reading *reading, const char *where, const char *what, const char *remedy)
{
    reading->report->types[reading->bill.type].refused++;
    tell(reading, true, where, what, remedy);
}

static void tell_again(struct reading *reading, const char *where, const struct billed *before,
                       const struct sy_hash *charges)
{
    char what[256];
    bool same = sy_hash_equal(&before->charges, charges);
    (void)snprintf(what, sizeof what, "claim %u of the run, in %.120s, bills the same service%s",
                   before->number, reading->files[before->file], same ? "" : " with other charges");
    if (!same) {
        refuse(reading, where, what, "reverse the earlier one (claim.reverse), or leave it out");
        return;
    }
    reading->report->types[reading->bill.type].duplicates++;
    tell(reading, false, where, what, "nothing: it is left out");
}

/* What a claim that could be read comes to. */
static sy_status judge(struct reading *reading, const char *where, struct sy_error *err)
{
    char why[SY_BILL_TEXT_BYTES];
    struct sy_hash key, charges;
    bool is_new;
    struct sy_bill *bill = &reading->bill;
    struct sy_bill_report *report = reading->report;
    if (!sy_bill_finish(bill, &reading->lines, why)) {
        refuse(reading, where, why, REMEDY);
        return SY_OK;
    }
    sy_bill_key(&key, bill, &reading->lines);
    sy_bill_charges(&charges, &reading->lines);
    struct billed *billed = sy_table_put(&reading->billed, &key, &is_new);
    if (billed == NULL) {
        return sy_fail(err, SY_ERR_LIMIT, "more than %u claims; take them in parts", SY_BILLS_MAX);
    }
    if (!is_new) {
        tell_again(reading, where, billed, &charges);
        return SY_OK;
    }
    *billed = (struct billed){charges, reading->file, (uint32_t)report->bills};
    report->types[bill->type].final++;
    report->charged[bill->type] += bill->total; // no more than was read
    return reading->take != NULL ? reading->take(reading->self, bill, &reading->lines, err) : SY_OK;
}

/* Sums of totals that are each at most SY_MONEY_MAX do not wrap before there are 9,000 times as
 * many of them; then the run ends. */
static bool add_total(int64_t *sum, int64_t total)
{
    if (total < 0 || total > (int64_t)SY_MONEY_MAX) return true; // a refused one: it says nothing
    return !__builtin_add_overflow(*sum, total, sum);
}

static sy_status count_read(struct reading *reading, struct sy_error *err)
{
    struct sy_bill_report *report = reading->report;
    uint8_t type = reading->bill.type;
    report->bills++;
    report->types[type].read++;
    if (add_total(&report->charged_read[type], reading->bill.total)) return SY_OK;
    return sy_fail(err, SY_ERR_LIMIT, "the claims' sum is too large; take them in parts");
}

/* --- FHIR ------------------------------------------------------------------------------------ */

static void place_text(char out[96], const struct reading *reading, size_t entry, const char *path)
{
    char line[32] = "";
    const struct sy_fhir_document *document = reading->document;
    if (document->in_stream) {
        (void)snprintf(line, sizeof line, "line %llu", (unsigned long long)document->line);
    }
    const char *comma = line[0] ? ", " : "";
    if (reading->scan.is_bundle) {
        (void)snprintf(out, 96, "%s%sentry[%zu].resource%s%.40s", line, comma, entry,
                       path[0] ? "." : "", path);
    } else {
        (void)snprintf(out, 96, "%s%s%.60s", line, path[0] ? comma : "", path);
    }
}

static uint16_t class_of(void *self, struct sy_slice reference)
{
    const struct reading *reading = (const struct reading *)self;
    for (size_t i = 0; i < reading->encounter_count; i++) {
        if (sy_slice_equal(reading->encounters[i].reference, reference)) {
            return reading->encounters[i].service_class;
        }
    }
    return 0;
}

/* Does the text name this type of resource somewhere? Saves parsing of most that are not. */
static bool may_be(struct sy_slice resource, const char *quoted)
{
    size_t size = strlen(quoted);
    const uint8_t *at = resource.data, *end = resource.data + resource.size;
    while (at != NULL && (size_t)(end - at) >= size) {
        at = memchr(at, '"', (size_t)(end - at));
        if (at == NULL || (size_t)(end - at) < size) return false;
        if (memcmp(at, quoted, size) == 0) return true;
        at++;
    }
    return false;
}

/* The resource if it is of that type; NULL: it is not, or memory ended. */
static json_t *load(struct sy_slice resource, const char *type, const char *quoted)
{
    if (resource.size == 0 || !may_be(resource, quoted)) return NULL;
    json_t *value = json_loadb((const char *)resource.data, resource.size, 0, NULL);
    const char *own = json_string_value(json_object_get(value, "resourceType"));
    if (own != NULL && strcmp(own, type) == 0) return value;
    json_decref(value);
    return NULL;
}

static sy_status add_encounter(struct reading *reading, struct sy_slice reference,
                               uint16_t service_class, struct sy_error *err)
{
    if (reading->encounter_count == reading->encounter_room) {
        size_t room = reading->encounter_room == 0 ? 64 : 2 * reading->encounter_room;
        struct encounter *grown = realloc(reading->encounters, room * sizeof *grown);
        if (grown == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory to read a Bundle");
        reading->encounters = grown;
        reading->encounter_room = room;
    }
    reading->encounters[reading->encounter_count++] = (struct encounter){reference, service_class};
    return SY_OK;
}

static sy_status read_encounters(struct reading *reading, struct sy_error *err)
{
    reading->encounter_count = 0;
    for (size_t i = 0; i < reading->scan.entry_count; i++) {
        const struct sy_fhir_entry *entry = &reading->scan.entries[i];
        if (entry->full_url.size == 0) continue;
        json_t *encounter = load(entry->resource, "Encounter", "\"Encounter\"");
        if (encounter == NULL) continue;
        sy_status status =
            add_encounter(reading, entry->full_url, sy_bill_fhir_class(encounter), err);
        json_decref(encounter);
        if (status != SY_OK) return status;
    }
    return SY_OK;
}

static sy_status read_claim(struct reading *reading, size_t index, struct sy_error *err)
{
    char where[96], why[SY_BILL_TEXT_BYTES], path[SY_BILL_PATH_BYTES];
    const struct sy_fhir_entry *entry = &reading->scan.entries[index];
    if (entry->faulty) {
        place_text(where, reading, index, entry->fault.path);
        tell(reading, true, where, entry->fault.what, "if it is a claim, " REMEDY);
        return SY_OK;
    }
    json_t *claim = load(entry->resource, "Claim", "\"Claim\"");
    if (claim == NULL) return SY_OK;
    bool good = sy_bill_fhir(&reading->bill, path, why, claim, class_of, reading);
    sy_status status = count_read(reading, err);
    place_text(where, reading, index, good ? "" : path);
    if (status == SY_OK && good) {
        status = judge(reading, where, err);
    } else if (status == SY_OK) {
        refuse(reading, where, why, REMEDY);
    }
    json_decref(claim);
    return status;
}

static sy_status read_document(struct reading *reading, struct sy_error *err)
{
    char where[96];
    reading->report->documents++;
    reading->scan.entry_count = 0;
    reading->scan.is_bundle = false;
    if (reading->document->over_long) {
        place_text(where, reading, 0, "");
        tell(reading, true, where, "the document is longer than 64 MiB", "none of it was read");
        return SY_OK;
    }
    if (!sy_fhir_scan_document(&reading->scan, reading->document->bytes)) {
        place_text(where, reading, reading->scan.entry_count, "");
        tell(reading, true, where, reading->scan.fault.what, "what stands behind was not read");
    }
    SY_TRY(read_encounters(reading, err));
    for (size_t i = 0; i < reading->scan.entry_count; i++) SY_TRY(read_claim(reading, i, err));
    return SY_OK;
}

static sy_status read_fhir(struct reading *reading, struct sy_error *err)
{
    struct sy_fhir_document document;
    struct sy_error why = {SY_OK, ""};
    const char *path = reading->files[reading->file];
    uint64_t documents = 0;
    sy_status own = SY_OK, status = sy_fhir_input_open(&reading->input, path, 0, 1, &why);
    while (status == SY_OK && own == SY_OK) {
        status = sy_fhir_input_next(&reading->input, &document, &reading->sniffer, &why);
        if (status != SY_OK) break;
        documents++;
        reading->document = &document;
        own = read_document(reading, err);
    }
    sy_fhir_input_close(&reading->input);
    if (own != SY_OK) return own;
    if (status == SY_ERR_NO_MEMORY) return sy_fail(err, status, "%s", why.text);
    if (status == SY_ERR_NOT_FOUND && documents > 0) {
        reading->report->files++;
    } else {
        tell(reading, true, "", why.text[0] ? why.text : "there is nothing in it",
             "none of its claims was read");
    }
    return SY_OK;
}

/* --- X12 ------------------------------------------------------------------------------------- */

static void tell_x12(void *self, const struct sy_x12_issue *issue)
{
    struct reading *reading = (struct reading *)self;
    char where[96], what[256];
    (void)snprintf(where, sizeof where, "segment %llu, set %s, control number %s",
                   (unsigned long long)issue->segment, issue->set, issue->control);
    (void)snprintf(what, sizeof what, "%s: %.230s", sy_x12_issue_word(issue->kind), issue->text);
    tell(reading, true, where, what, "the set is not acted on: " REMEDY);
}

static void take_x12(void *self, const struct sy_bill_x12_found *found)
{
    struct reading *reading = (struct reading *)self;
    char where[96];
    if (reading->status != SY_OK) return;
    reading->bill = *found->bill;
    reading->status = count_read(reading, reading->err);
    if (reading->status != SY_OK) return;
    (void)snprintf(where, sizeof where, "segment %llu, control number %s",
                   (unsigned long long)found->segment, found->control);
    if (found->good) {
        reading->status = judge(reading, where, reading->err);
    } else {
        refuse(reading, where, found->why, "see the set's issues, if it has any");
    }
}

static sy_status read_x12(struct reading *reading, struct sy_error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    struct sy_x12_totals totals;
    struct sy_error why = {SY_OK, ""};
    sy_status status = sy_os_read_file(&bytes, &size, reading->files[reading->file],
                                       SY_X12_DOCUMENT_BYTES_MAX, &why);
    if (status == SY_ERR_NO_MEMORY) return sy_fail(err, status, "%s", why.text);
    if (status != SY_OK) {
        tell(reading, true, "", why.text, "none of its claims was read");
        return SY_OK;
    }
    reading->report->files++;
    reading->status = SY_OK;
    reading->err = err;
    status = sy_bill_x12(&totals, sy_slice_of(bytes, size), tell_x12, take_x12, reading, err);
    reading->report->documents += totals.sets;
    free(bytes);
    return status != SY_OK ? status : reading->status;
}

/* Does it begin with ISA, a byte order mark apart? In UTF-16, too, of which X12's reader tells. */
static bool is_x12(const char *path)
{
    char start[6] = "";
    if (strcmp(path, "-") == 0) return false;
    FILE *file = fopen(path, "rb");
    if (file == NULL) return false; // the FHIR reader says why
    size_t size = fread(start, 1, sizeof start, file);
    (void)fclose(file);
    const char *at =
        size == sizeof start && memcmp(start, "\xef\xbb\xbf", 3) == 0 ? start + 3 : start;
    bool wide = memcmp(start, "I\0S\0A", 5) == 0 || memcmp(start, "\xff\xfeI\0S", 5) == 0;
    return wide || (size >= 3 && memcmp(at, "ISA", 3) == 0);
}

/* --- all of it ------------------------------------------------------------------------------- */

static sy_status open_reading(struct reading *reading, struct sy_error *err)
{
    uint64_t seed[2];
    sy_os_random(seed, sizeof seed);
    sy_json_scanner_open(&reading->sniffer);
    sy_fhir_scan_open(&reading->scan);
    size_t row_bytes = 2 * (sizeof(struct billed) + 48);
    sy_status status = sy_arena_open(&reading->arena, SY_BILLS_MAX * row_bytes);
    if (status == SY_OK) {
        status = sy_table_init(&reading->billed, &reading->arena, SY_BILLS_MAX,
                               sizeof(struct billed), seed);
    }
    return status == SY_OK ? SY_OK
                           : sy_fail(err, SY_ERR_NO_MEMORY, "no memory to know claims again");
}

sy_status sy_bill_files(struct sy_bill_report *report, char *const *files, size_t count,
                        sy_bill_take take, void *self, struct sy_error *err)
{
    struct reading *reading = calloc(1, sizeof *reading);
    if (reading == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory to read claims");
    reading->report = report;
    reading->files = files;
    reading->take = take;
    reading->self = self;
    sy_status status = open_reading(reading, err);
    for (size_t i = 0; i < count && status == SY_OK; i++) {
        reading->file = (uint32_t)i;
        bool x12 = is_x12(files[i]);
        status = x12 ? read_x12(reading, err) : read_fhir(reading, err);
    }
    sy_arena_close(&reading->arena);
    sy_fhir_scan_close(&reading->scan);
    sy_json_scanner_close(&reading->sniffer);
    free(reading->encounters);
    free(reading);
    return status;
}
