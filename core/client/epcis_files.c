/* epcis_files.c: reading, judging, telling. */
#include "core/client/epcis_files.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/client/fhir_input.h"

struct reading {
    struct sy_epcis_report *report;
    struct sy_epcis_seen seen;
    char *const *files;
    sy_epcis_take take;
    void *self;
    struct sy_fhir_input input;
    struct sy_json_scanner scanner;
    const struct sy_fhir_document *document; /* at hand */
    struct sy_epcis_place place;
    struct sy_epcis_found found;
};

/* --- the report ------------------------------------------------------------------------------ */

sy_status sy_epcis_report_open(struct sy_epcis_report *report, struct sy_error *err)
{
    memset(report, 0, sizeof *report);
    for (uint8_t i = 0; i < SY_EPCIS_TYPES; i++) {
        (void)snprintf(report->types[i].type, sizeof report->types[i].type, "%s",
                       sy_epcis_type_word(i));
    }
    report->issues = calloc(SY_IMPORT_ISSUES_KEPT, sizeof *report->issues);
    if (report->issues == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for a report");
    return SY_OK;
}

void sy_epcis_report_close(struct sy_epcis_report *report)
{
    free(report->issues);
    memset(report, 0, sizeof *report);
}

void sy_epcis_report_tell(struct sy_epcis_report *report, bool refused, const char *file,
                          const char *where, const char *path, const char *what, const char *remedy)
{
    report->issues_total++;
    if (!refused) report->warnings++;
    if (report->issues_kept == SY_IMPORT_ISSUES_KEPT) return;
    struct sy_import_issue *issue = &report->issues[report->issues_kept++];
    issue->refused = refused;
    issue->file = file;
    const char *dot = where[0] != '\0' && path[0] != '\0' ? "." : "";
    (void)snprintf(issue->where, sizeof issue->where, "%.60s%s%.34s", where, dot, path);
    (void)snprintf(issue->what, sizeof issue->what, "%.255s", what);
    (void)snprintf(issue->remedy, sizeof issue->remedy, "%.127s", remedy);
}

void sy_epcis_report_json(const struct sy_epcis_report *report, sy_json *json)
{
    uint64_t duplicates = 0;
    uint64_t refused = 0;
    uint64_t final = 0;
    for (size_t i = 0; i < SY_EPCIS_TYPES; i++) {
        duplicates += report->types[i].duplicates;
        refused += report->types[i].refused;
        final += report->types[i].final;
    }
    sy_json_put_u64(json, "files", report->files);
    sy_json_put_u64(json, "documents", report->documents);
    sy_json_put_u64(json, "resources", report->events);
    sy_json_put_u64(json, "final", final);
    sy_json_put_u64(json, "duplicates", duplicates);
    sy_json_put_u64(json, "refused", refused);
    sy_json_put_u64(json, "corrections", report->corrections);
    sy_json_put_u64(json, "warnings", report->warnings);
    sy_json_key(json, "types");
    sy_json_array_begin(json);
    for (size_t i = 0; i < SY_EPCIS_TYPES; i++) {
        if (report->types[i].read > 0) sy_import_type_json(&report->types[i], json);
    }
    sy_json_array_end(json);
    sy_import_issues_json(report->issues, report->issues_kept, report->issues_total, json);
}

/* --- one event ------------------------------------------------------------------------------- */

static void place_text(char out[SY_EPCIS_WHERE_BYTES], const struct reading *reading,
                       const char *path)
{
    const struct sy_fhir_document *document = reading->document;
    if (document == NULL || !document->in_stream) {
        (void)snprintf(out, SY_EPCIS_WHERE_BYTES, "%.128s", path);
        return;
    }
    (void)snprintf(out, SY_EPCIS_WHERE_BYTES, "line %llu%s%.128s",
                   (unsigned long long)document->line, path[0] ? ", " : "", path);
}

static const char *file_of(const struct reading *reading)
{
    return reading->files[reading->place.file];
}

static void tell_issue(void *self, const struct sy_epcis_issue *issue)
{
    struct reading *reading = (struct reading *)self;
    sy_epcis_report_tell(reading->report, !issue->warning, file_of(reading), reading->found.where,
                         issue->path, issue->what,
                         issue->warning ? "" : "have who made the document mend it");
}

static void tell_again(struct reading *reading, const struct sy_epcis_verdict *verdict)
{
    char what[256];
    bool conflict = verdict->fate == SY_EPCIS_CONFLICT;
    const struct sy_epcis_place *earlier = &verdict->earlier;
    (void)snprintf(what, sizeof what, "%s: event %u of document %u of %.120s",
                   conflict ? "its eventID stands for another event"
                            : "it was there before, with the same content",
                   earlier->event + 1, earlier->document + 1, reading->files[earlier->file]);
    sy_epcis_report_tell(reading->report, conflict, file_of(reading), reading->found.where,
                         conflict ? "eventID" : "", what,
                         conflict ? "give it an eventID of its own"
                                  : "a correction needs an errorDeclaration");
}

static sy_status judge(struct reading *reading, const struct sy_epcis_event *event,
                       struct sy_error *err)
{
    struct sy_epcis_found *found = &reading->found;
    struct sy_import_type *type = &reading->report->types[event->type];
    struct sy_epcis_verdict verdict;
    struct sy_error why = {SY_OK, ""};
    type->read++;
    reading->report->events++;
    if (sy_epcis_check(event, tell_issue, reading) > 0) {
        type->refused++;
        return SY_OK;
    }
    sy_status status = sy_epcis_hash(&found->hash, event, &why);
    if (status == SY_ERR_NO_MEMORY) return sy_fail(err, status, "%s", why.text);
    if (status != SY_OK) { // a time somewhere inside
        sy_epcis_report_tell(reading->report, true, file_of(reading), found->where, "", why.text,
                             "have who made the document mend it");
        type->refused++;
        return SY_OK;
    }
    SY_TRY(sy_epcis_seen_add(&reading->seen, &verdict, event, &found->hash, reading->place, err));
    if (verdict.fate == SY_EPCIS_DUPLICATE || verdict.fate == SY_EPCIS_CONFLICT) {
        tell_again(reading, &verdict);
        if (verdict.fate == SY_EPCIS_CONFLICT) type->refused++;
        if (verdict.fate == SY_EPCIS_DUPLICATE) type->duplicates++;
        return SY_OK;
    }
    found->correction = verdict.fate == SY_EPCIS_CORRECTION;
    if (found->correction) reading->report->corrections++;
    found->event = event;
    found->file = file_of(reading);
    return reading->take(reading->self, found, err);
}

/* --- documents and files --------------------------------------------------------------------- */

static void refuse_document(struct reading *reading, const char *what)
{
    char where[SY_EPCIS_WHERE_BYTES];
    place_text(where, reading, "");
    sy_epcis_report_tell(reading->report, true, file_of(reading), where, "", what,
                         "none of its events was taken");
}

static sy_status read_document(struct reading *reading, struct sy_error *err)
{
    sy_epcis *document = NULL;
    struct sy_error why = {SY_OK, ""};
    reading->report->documents++;
    if (reading->document->over_long) {
        refuse_document(reading, "the document is longer than 64 MiB");
        return SY_OK;
    }
    sy_status status = sy_epcis_open(&document, reading->document->bytes, &why);
    if (status == SY_ERR_NO_MEMORY) return sy_fail(err, status, "%s", why.text);
    if (status != SY_OK) {
        refuse_document(reading, why.text);
        return SY_OK;
    }
    size_t count = sy_epcis_count(document);
    for (size_t i = 0; i < count && status == SY_OK; i++) {
        struct sy_epcis_event event = sy_epcis_event(document, i);
        reading->place.event = (uint32_t)i;
        memset(&reading->found, 0, sizeof reading->found);
        place_text(reading->found.where, reading, event.path);
        status = judge(reading, &event, err);
    }
    sy_epcis_close(document);
    return status;
}

static sy_status read_file(struct reading *reading, struct sy_error *err)
{
    struct sy_fhir_document document;
    struct sy_error why = {SY_OK, ""};
    sy_status status = sy_fhir_input_open(&reading->input, file_of(reading), 0, 1, &why);
    reading->place.document = 0;
    for (; status == SY_OK; reading->place.document++) {
        status = sy_fhir_input_next(&reading->input, &document, &reading->scanner, &why);
        if (status != SY_OK) break;
        reading->document = &document;
        status = read_document(reading, err);
        reading->document = NULL;
        if (status != SY_OK) {
            sy_fhir_input_close(&reading->input);
            return status;
        }
    }
    if (status == SY_ERR_NOT_FOUND && reading->place.document > 0) {
        reading->report->files++;
    } else if (status == SY_ERR_NO_MEMORY) {
        (void)sy_fail(err, status, "%s", why.text);
    } else {
        refuse_document(reading, why.text[0] ? why.text : "there is nothing in it");
    }
    sy_fhir_input_close(&reading->input);
    return status == SY_ERR_NO_MEMORY ? status : SY_OK;
}

sy_status sy_epcis_files(struct sy_epcis_report *report, char *const *files, size_t count,
                         sy_epcis_take take, void *self, struct sy_error *err)
{
    struct reading *reading = calloc(1, sizeof *reading);
    if (reading == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory to read events");
    reading->report = report;
    reading->files = files;
    reading->take = take;
    reading->self = self;
    sy_json_scanner_open(&reading->scanner);
    sy_status status = sy_epcis_seen_open(&reading->seen, err);
    for (size_t i = 0; i < count && status == SY_OK; i++) {
        reading->place.file = (uint32_t)i;
        status = read_file(reading, err);
    }
    sy_epcis_seen_close(&reading->seen);
    sy_json_scanner_close(&reading->scanner);
    free(reading);
    return status;
}
