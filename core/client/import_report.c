/* import_report.c: counting and telling. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/client/import_internal.h"

/* --- types ----------------------------------------------------------------------------------- */

uint16_t sy_import_type_index(sy_importer *importer, const char *type)
{
    for (uint16_t i = 0; i < importer->type_count; i++) {
        if (strcmp(importer->types[i].type, type) == 0) return i;
    }
    // The last row takes what the table has no room for.
    bool full = importer->type_count == SY_IMPORT_TYPES_MAX;
    if (full) return SY_IMPORT_TYPES_MAX - 1;
    uint16_t index = importer->type_count++;
    bool is_last = importer->type_count == SY_IMPORT_TYPES_MAX;
    snprintf(importer->types[index].type, sizeof importer->types[index].type, "%s",
             is_last ? "other" : type);
    return index;
}

void sy_import_count(sy_importer *importer, uint16_t type, enum sy_import_fate fate)
{
    if (type >= importer->type_count) return;
    struct sy_import_type *row = &importer->types[type];
    struct sy_import_totals *totals = &importer->totals;
    if (fate == SY_FATE_READ) {
        row->read++;
        totals->resources_read++;
    } else if (fate == SY_FATE_FINAL) {
        row->final++;
        totals->resources_final++;
    } else if (fate == SY_FATE_DUPLICATE) {
        row->duplicates++;
        totals->duplicates++;
    } else {
        row->refused++;
        totals->refused++;
    }
    importer->run_dirty = true;
}

const struct sy_import_type *sy_importer_type(const sy_importer *importer, size_t position)
{
    // By name: the smallest name above `position` others. The table is short.
    for (uint16_t i = 0; i < importer->type_count; i++) {
        size_t below = 0;
        for (uint16_t j = 0; j < importer->type_count; j++) {
            below += strcmp(importer->types[j].type, importer->types[i].type) < 0;
        }
        if (below == position) return &importer->types[i];
    }
    return NULL;
}

void sy_importer_totals(const sy_importer *importer, struct sy_import_totals *out)
{
    *out = importer->totals;
}

/* --- issues ---------------------------------------------------------------------------------- */

void sy_import_where(char *out, size_t size, const sy_importer *importer,
                     const struct sy_fhir_item *item, const char *path)
{
    const char *dot = path[0] == '\0' ? "" : ".";
    char entry[128] = "";
    if (importer->scan.is_bundle) {
        snprintf(entry, sizeof entry, "entry[%u]%s%.90s", item->position, dot, path);
    } else if (strncmp(path, "resource.", 9) == 0) {
        snprintf(entry, sizeof entry, "%.90s", path + 9);
    }
    if (!importer->document.in_stream) {
        snprintf(out, size, "%s", entry);
        return;
    }
    snprintf(out, size, "line %llu%s%s", (unsigned long long)importer->document.line,
             entry[0] == '\0' ? "" : ", ", entry);
}

void sy_import_name(char *out, size_t size, const struct sy_fhir_item *item)
{
    if (item->facts.type[0] == '\0') {
        snprintf(out, size, "%s", "");
    } else if (item->facts.id.size == 0) {
        snprintf(out, size, "%s", item->facts.type);
    } else {
        snprintf(out, size, "%s/%.*s", item->facts.type, (int)item->facts.id.size,
                 (const char *)item->facts.id.data);
    }
}

void sy_import_place(char out[SY_CLIENT_PLACE_BYTES_MAX + 1], const sy_importer *importer,
                     const struct sy_fhir_item *item)
{
    char where[96] = "";
    char name[112] = "";
    if (item != NULL) {
        sy_import_where(where, sizeof where, importer, item, "");
        sy_import_name(name, sizeof name, item);
    } else if (importer->document.in_stream) {
        snprintf(where, sizeof where, "line %llu", (unsigned long long)importer->document.line);
    }
    const char *path = importer->inputs[importer->input].path;
    size_t length = strlen(path);
    // The end of a long path says more than its beginning.
    if (length > 380) path += length - 380;
    snprintf(out, SY_CLIENT_PLACE_BYTES_MAX + 1, "%s\n%s\n%s", path, where, name);
}

/* Without memory issues are counted and not kept; the next one tries again. */
static bool make_issue_room(sy_importer *importer)
{
    if (importer->issues != NULL) return true;
    SY_ASSERT(importer->issue_count_kept == 0);
    struct sy_import_issue *issues = calloc(SY_IMPORT_ISSUES_KEPT, sizeof *issues);
    char **files = calloc(SY_IMPORT_ISSUES_KEPT, sizeof *files);
    if (issues == NULL || files == NULL) {
        free(issues);
        free(files);
        return false;
    }
    importer->issues = issues;
    importer->issue_files = files;
    return true;
}

/* File names are kept once each: issues of one file come together. */
static const char *keep_file(sy_importer *importer, const char *file)
{
    size_t count = importer->issue_count_kept;
    if (count > 0 && strcmp(importer->issues[count - 1].file, file) == 0) {
        return importer->issues[count - 1].file;
    }
    importer->issue_files[count] = strdup(file);
    return importer->issue_files[count];
}

void sy_import_tell(sy_importer *importer, bool refused, const char *file, const char *where,
                    const char *resource, const char *what, const char *remedy)
{
    importer->issue_count++;
    if (!refused) importer->totals.warnings++;
    importer->run_dirty = true;
    if (importer->issue_count_kept == SY_IMPORT_ISSUES_KEPT) return;
    if (!make_issue_room(importer)) return;
    if (file == NULL) {
        file =
            importer->input < importer->input_count ? importer->inputs[importer->input].path : "";
    }
    const char *kept = keep_file(importer, file);
    if (kept == NULL) return;
    struct sy_import_issue *issue = &importer->issues[importer->issue_count_kept++];
    issue->refused = refused;
    issue->file = kept;
    snprintf(issue->where, sizeof issue->where, "%s", where);
    snprintf(issue->resource, sizeof issue->resource, "%s", resource);
    snprintf(issue->what, sizeof issue->what, "%s", what);
    snprintf(issue->remedy, sizeof issue->remedy, "%s", remedy);
}

const struct sy_import_issue *sy_importer_issue(const sy_importer *importer, size_t position)
{
    return position < importer->issue_count_kept ? &importer->issues[position] : NULL;
}

uint64_t sy_importer_issue_count(const sy_importer *importer)
{
    return importer->issue_count;
}

void sy_import_report_close(sy_importer *importer)
{
    for (size_t i = 0; importer->issue_files != NULL && i < SY_IMPORT_ISSUES_KEPT; i++) {
        free(importer->issue_files[i]);
    }
    free(importer->issue_files);
    free(importer->issues);
}

/* --- the run's row --------------------------------------------------------------------------- */

/* Totals that a run taken up again goes on with, in the order they are packed. What the process
 * itself can count anew (undecided transactions, files) is not among them. */
static uint64_t *total_at(struct sy_import_totals *totals, size_t position)
{
    uint64_t *const all[] = {
        &totals->documents,     &totals->resources_read,   &totals->resources_final,
        &totals->duplicates,    &totals->refused,          &totals->warnings,
        &totals->txs_made,      &totals->txs_received,     &totals->txs_final,
        &totals->txs_refused,   &totals->txs_signed_again, &totals->organisations,
        &totals->credentials,   &totals->patients,         &totals->cares,
        &totals->records,       &totals->amendments,       &totals->atomics,
        &totals->newest_height, &totals->bytes_read,       &totals->files_read,
    };
    return position < sizeof all / sizeof *all ? all[position] : NULL;
}

#define RUN_ROW_BYTES_MAX (8 + 32 * 8 + 2 + SY_IMPORT_TYPES_MAX * (2 + 32 + 4 * 8))

sy_status sy_import_store_run(sy_importer *importer, struct sy_error *err)
{
    if (!importer->run_dirty || importer->config.dry_run) return SY_OK;
    uint8_t row[RUN_ROW_BYTES_MAX];
    struct sy_writer w = sy_writer_of(row, sizeof row);
    sy_write_u64(&w, importer->run);
    const uint64_t *total;
    for (size_t i = 0; (total = total_at(&importer->totals, i)) != NULL; i++) {
        sy_write_u64(&w, *total);
    }
    sy_write_u16(&w, importer->type_count);
    for (uint16_t i = 0; i < importer->type_count; i++) {
        const struct sy_import_type *type = &importer->types[i];
        sy_write_bytes16(&w, sy_slice_of(type->type, strlen(type->type)));
        sy_write_u64(&w, type->read);
        sy_write_u64(&w, type->final);
        sy_write_u64(&w, type->duplicates);
        sy_write_u64(&w, type->refused);
    }
    SY_ASSERT(!w.failed);
    SY_TRY(sy_client_put_run(importer->store, sy_writer_slice(&w), err));
    importer->run_dirty = false;
    return SY_OK;
}

sy_status sy_import_load_run(sy_importer *importer, bool *found, struct sy_error *err)
{
    struct sy_slice row;
    *found = false;
    sy_status status = sy_client_get_run(importer->store, &row, err);
    if (status == SY_ERR_NOT_FOUND) return SY_OK;
    if (status != SY_OK) return status;
    struct sy_import_totals totals = {0};
    struct sy_reader r = sy_reader_of(row);
    importer->run = sy_read_u64(&r, "run");
    uint64_t *total;
    for (size_t i = 0; (total = total_at(&totals, i)) != NULL; i++)
        *total = sy_read_u64(&r, "total");
    if (!importer->config.resume) return SY_OK;
    importer->totals = totals;
    importer->type_count = sy_read_u16(&r, "types");
    if (importer->type_count > SY_IMPORT_TYPES_MAX) importer->type_count = 0;
    for (uint16_t i = 0; i < importer->type_count; i++) {
        struct sy_import_type *type = &importer->types[i];
        struct sy_slice name = sy_read_bytes16(&r, sizeof type->type - 1, "type");
        memset(type, 0, sizeof *type);
        if (name.size != 0) memcpy(type->type, name.data, name.size);
        type->read = sy_read_u64(&r, "read");
        type->final = sy_read_u64(&r, "final");
        type->duplicates = sy_read_u64(&r, "duplicates");
        type->refused = sy_read_u64(&r, "refused");
    }
    if (!sy_reader_done(&r)) {
        return sy_fail(err, SY_ERR_CORRUPT,
                       "the client store's row of the last run does not decode; run without "
                       "--resume");
    }
    *found = true;
    return SY_OK;
}

/* --- the report ------------------------------------------------------------------------------ */

static void report_totals(const struct sy_import_totals *totals, struct sy_json *json)
{
    sy_json_put_u64(json, "files", totals->files_read);
    sy_json_put_u64(json, "bytes", totals->bytes_read);
    sy_json_put_u64(json, "documents", totals->documents);
    sy_json_put_u64(json, "resources", totals->resources_read);
    sy_json_put_u64(json, "final", totals->resources_final);
    sy_json_put_u64(json, "duplicates", totals->duplicates);
    sy_json_put_u64(json, "refused", totals->refused);
    sy_json_put_u64(json, "warnings", totals->warnings);
    sy_json_put_u64(json, "transactions", totals->txs_made);
    sy_json_put_u64(json, "transactions_final", totals->txs_final);
    sy_json_put_u64(json, "transactions_refused", totals->txs_refused);
    sy_json_put_u64(json, "transactions_undecided", totals->txs_undecided);
    sy_json_put_u64(json, "transactions_signed_again", totals->txs_signed_again);
    sy_json_put_u64(json, "organisations", totals->organisations);
    sy_json_put_u64(json, "credentials", totals->credentials);
    sy_json_put_u64(json, "patients", totals->patients);
    sy_json_put_u64(json, "care_relations", totals->cares);
    sy_json_put_u64(json, "records", totals->records);
    sy_json_put_u64(json, "amendments", totals->amendments);
    sy_json_put_u64(json, "atomic", totals->atomics);
    sy_json_put_u64(json, "height", totals->newest_height);
}

void sy_import_type_json(const struct sy_import_type *type, struct sy_json *json)
{
    sy_json_object_begin(json);
    sy_json_put_text(json, "type", type->type);
    sy_json_put_u64(json, "read", type->read);
    sy_json_put_u64(json, "final", type->final);
    sy_json_put_u64(json, "duplicates", type->duplicates);
    sy_json_put_u64(json, "refused", type->refused);
    sy_json_object_end(json);
}

static void put_issue(const struct sy_import_issue *issue, struct sy_json *json)
{
    sy_json_object_begin(json);
    sy_json_put_bool(json, "refused", issue->refused);
    sy_json_put_text(json, "file", issue->file);
    sy_json_put_text(json, "where", issue->where);
    sy_json_put_text(json, "resource", issue->resource);
    sy_json_put_text(json, "what", issue->what);
    sy_json_put_text(json, "remedy", issue->remedy);
    sy_json_object_end(json);
}

void sy_import_issues_json(const struct sy_import_issue *issues, size_t kept, uint64_t total,
                           struct sy_json *json)
{
    sy_json_put_u64(json, "issues_total", total);
    sy_json_key(json, "issues");
    sy_json_array_begin(json);
    for (size_t i = 0; i < kept; i++) put_issue(&issues[i], json);
    sy_json_array_end(json);
}

void sy_importer_report(const sy_importer *importer, struct sy_json *json)
{
    report_totals(&importer->totals, json);
    sy_json_key(json, "types");
    sy_json_array_begin(json);
    const struct sy_import_type *type;
    for (size_t i = 0; (type = sy_importer_type(importer, i)) != NULL; i++) {
        sy_import_type_json(type, json);
    }
    sy_json_array_end(json);
    sy_import_issues_json(importer->issues, importer->issue_count_kept, importer->issue_count,
                          json);
}
