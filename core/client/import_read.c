/* import_read.c: inputs document by document, documents entry by entry.
 *
 * What was done is noted in the same durable commit as what it made: the input's cursor (or, for a
 * document that was put off, its row), with the number of entries taken of the document at hand. A
 * document with a reference that cannot be resolved yet is put off until everything else was read;
 * those are then gone through again and again while that brings something, and in a last pass as
 * they are. */
#include <stdio.h>

#include "core/base/assert.h"
#include "core/client/import_internal.h"

/* Entries of one step. */
#define STEP_ENTRIES 64u

/* --- durable --------------------------------------------------------------------------------- */

static sy_status save_cursor(sy_importer *importer, struct sy_error *err)
{
    if (!importer->cursor_dirty || importer->input >= importer->input_count) return SY_OK;
    struct sy_import_input *input = &importer->inputs[importer->input];
    importer->cursor_dirty = false;
    if (importer->phase == SY_IMPORT_AGAIN && importer->has_document) {
        importer->deferred.entries_done = importer->next_entry;
        return sy_client_put_deferred(importer->store, &input->label, &importer->deferred, err);
    }
    if (importer->phase != SY_IMPORT_READING) return SY_OK;
    input->cursor.entries_done = importer->has_document ? importer->next_entry : 0;
    return sy_client_put_cursor(importer->store, &input->label, &input->cursor, err);
}

sy_status sy_import_commit(sy_importer *importer, struct sy_error *err)
{
    SY_TRY(save_cursor(importer, err));
    SY_TRY(sy_import_store_run(importer, err));
    SY_TRY(sy_keyring_sync(importer->keyring, err));
    SY_TRY(sy_client_store_commit(importer->store, err));
    importer->committed_seq = importer->newest_seq;
    importer->steps = 0;
    return SY_OK;
}

/* --- inputs ---------------------------------------------------------------------------------- */

static void refuse_document(sy_importer *importer, const char *where, const char *what,
                            const char *remedy)
{
    uint16_t type = sy_import_type_index(importer, "malformed");
    sy_import_tell(importer, true, NULL, where, "", what, remedy);
    sy_import_count(importer, type, SY_FATE_READ);
    sy_import_count(importer, type, SY_FATE_REFUSED);
}

static bool is_stdin(const struct sy_import_input *input)
{
    return strcmp(input->path, "-") == 0;
}

static sy_status finish_input(sy_importer *importer, struct sy_error *err)
{
    struct sy_import_input *input = &importer->inputs[importer->input];
    if (importer->opened && importer->file.offset > input->cursor.next_offset) {
        // White space behind the last document.
        importer->totals.bytes_read += importer->file.offset - input->cursor.next_offset;
        input->cursor.next_offset = importer->file.offset;
    }
    if (importer->opened && is_stdin(input)) {
        importer->stdin_file = importer->file;
        memset(&importer->file, 0, sizeof importer->file);
    } else if (importer->opened) {
        sy_fhir_input_close(&importer->file);
    }
    importer->opened = false;
    importer->cursor_dirty = true;
    importer->run_dirty = true;
    if (!input->cursor.finished) importer->totals.files_read++;
    input->cursor.finished = true;
    input->done = true;
    SY_TRY(save_cursor(importer, err));
    importer->input++;
    return SY_OK;
}

/* Is the document before the cursor still what it was? */
static bool is_unchanged(sy_importer *importer, const struct sy_import_input *input)
{
    struct sy_fhir_input file;
    struct sy_slice bytes;
    struct sy_hash digest;
    if (input->cursor.next_offset == 0) return true;
    if (sy_fhir_input_open(&file, input->path, 0, 1, NULL) != SY_OK) return false;
    bool same = sy_fhir_input_again(&file, &bytes, input->cursor.last_offset,
                                    input->cursor.last_size, NULL) == SY_OK;
    if (same) {
        sy_client_digest(importer->store, &digest, bytes);
        same = sy_hash_equal(&digest, &input->cursor.last_digest);
    }
    sy_fhir_input_close(&file);
    return same;
}

/* Opens the input at hand where its cursor stands. SY_OK with importer->opened false: it cannot be
 * read and was told so. */
static sy_status open_input(sy_importer *importer, struct sy_error *err)
{
    struct sy_import_input *input = &importer->inputs[importer->input];
    struct sy_error why;
    bool from_stdin = is_stdin(input);
    importer->skip_to = from_stdin ? input->cursor.next_offset : 0;
    if (!from_stdin && !input->cursor.finished && !is_unchanged(importer, input)) {
        sy_import_tell(importer, false, NULL, "", "",
                       "the file changed since the run that is resumed read it; it is read anew",
                       "nothing: what was registered before counts as duplicate");
        memset(&input->cursor, 0, sizeof input->cursor);
        input->cursor.next_line = 1;
    }
    if (input->cursor.finished && !from_stdin) {
        input->done = true;
        importer->input++;
        return SY_OK;
    }
    uint64_t offset = from_stdin ? 0 : input->cursor.next_offset;
    uint64_t line = from_stdin ? 1 : input->cursor.next_line;
    if (sy_fhir_input_open(&importer->file, input->path, offset, line, &why) != SY_OK) {
        refuse_document(importer, "", why.text, "mend the path or its permissions");
        return finish_input(importer, err);
    }
    importer->opened = true;
    return SY_OK;
}

/* --- a document begins ----------------------------------------------------------------------- */

static void tell_document_fault(sy_importer *importer)
{
    const struct sy_fhir_scan *scan = &importer->scan;
    const struct sy_fhir_document *document = &importer->document;
    char where[96];
    uint64_t line = document->line + sy_json_line(document->bytes, scan->fault.offset) - 1;
    snprintf(where, sizeof where, "line %llu%s%.70s", (unsigned long long)line,
             scan->fault.path[0] == '\0' ? "" : ", ", scan->fault.path);
    refuse_document(importer, where, scan->fault.what,
                    scan->fault.kind == SY_JSON_DUPLICATE ? "keep one of the two members"
                                                          : "mend the JSON and import again");
}

static sy_status begin_document(sy_importer *importer, uint32_t entries_done, struct sy_error *err)
{
    (void)sy_fhir_scan_document(&importer->scan, importer->document.bytes);
    SY_TRY(sy_fhir_set_load(&importer->set, importer->store, importer->config.source,
                            &importer->scan, err));
    importer->has_document = true;
    importer->next_entry = entries_done < importer->set.count ? entries_done : importer->set.count;
    return SY_OK;
}

/* Moves the input's cursor behind the document at hand. */
static void pass_document(sy_importer *importer)
{
    const struct sy_fhir_document *document = &importer->document;
    struct sy_client_cursor *cursor = &importer->inputs[importer->input].cursor;
    importer->totals.bytes_read += document->next_offset - cursor->next_offset;
    importer->run_dirty = true;
    cursor->next_offset = document->next_offset;
    cursor->next_line = document->next_line;
    cursor->entries_done = 0;
    cursor->last_offset = document->offset;
    cursor->last_size = document->bytes.size;
    sy_client_digest(importer->store, &cursor->last_digest, document->bytes);
    importer->has_document = false;
    importer->cursor_dirty = true;
}

static sy_status put_off(sy_importer *importer, uint32_t entries_done, struct sy_error *err)
{
    const struct sy_fhir_document *document = &importer->document;
    struct sy_client_deferred deferred = {
        .offset = document->offset,
        .size = document->bytes.size,
        .line = document->line,
        .in_stream = document->in_stream,
        .entries_done = entries_done,
    };
    SY_TRY(sy_fhir_input_keep(&importer->file, &deferred.handle, document, err));
    return sy_client_put_deferred(importer->store, &importer->inputs[importer->input].label,
                                  &deferred, err);
}

/* Standard input comes from the beginning again when a run is resumed: documents that were taken
 * are passed over, those that were put off are kept anew. */
static sy_status pass_again(sy_importer *importer, struct sy_error *err)
{
    struct sy_client_deferred deferred;
    const struct sy_hash *label = &importer->inputs[importer->input].label;
    uint64_t offset = importer->document.offset;
    sy_status status = sy_client_deferred_from(importer->store, &deferred, label, offset, err);
    if (status == SY_ERR_NOT_FOUND || (status == SY_OK && deferred.offset != offset)) return SY_OK;
    if (status != SY_OK) return status;
    return put_off(importer, deferred.entries_done, err);
}

static sy_status read_document(sy_importer *importer, struct sy_error *err)
{
    struct sy_error why;
    struct sy_client_cursor *cursor = &importer->inputs[importer->input].cursor;
    sy_status status =
        sy_fhir_input_next(&importer->file, &importer->document, &importer->sniffer, &why);
    if (status == SY_ERR_NOT_FOUND) return finish_input(importer, err);
    if (status != SY_OK) {
        refuse_document(importer, "", why.text, "mend the file and import again");
        return finish_input(importer, err);
    }
    if (importer->document.offset < importer->skip_to) return pass_again(importer, err);
    if (importer->document.over_long) {
        char where[96];
        snprintf(where, sizeof where, "line %llu", (unsigned long long)importer->document.line);
        refuse_document(importer, where, "a document of more than 64 MiB",
                        "split it, or write it as NDJSON");
        pass_document(importer);
        return SY_OK;
    }
    SY_TRY(begin_document(importer, cursor->entries_done, err));
    if (!importer->set.dangles || cursor->entries_done != 0) return SY_OK;
    SY_TRY(put_off(importer, 0, err));
    pass_document(importer);
    return SY_OK;
}

/* --- a document's entries -------------------------------------------------------------------- */

static sy_status finish_document(sy_importer *importer, struct sy_error *err)
{
    if (importer->scan.faulty) tell_document_fault(importer);
    importer->totals.documents++;
    importer->run_dirty = true;
    importer->steps++;
    if (importer->phase == SY_IMPORT_READING) {
        pass_document(importer);
        return SY_OK;
    }
    importer->has_document = false;
    importer->again_took = true;
    return sy_client_drop_deferred(importer->store, &importer->inputs[importer->input].label,
                                   importer->deferred.offset, err);
}

static bool goes_atomic(const sy_importer *importer, const struct sy_fhir_item *item)
{
    return importer->config.atomic && importer->scan.is_bundle && item->rank > SY_FHIR_RANK_PATIENT;
}

static sy_status take_entries(sy_importer *importer, struct sy_error *err)
{
    struct sy_fhir_set *set = &importer->set;
    for (unsigned i = 0; i < STEP_ENTRIES && importer->next_entry < set->count; i++) {
        const struct sy_fhir_item *item = &set->items[set->order[importer->next_entry]];
        if (goes_atomic(importer, item)) {
            SY_TRY(sy_import_atomic(importer, err));
            importer->next_entry = set->count;
        } else {
            SY_TRY(sy_import_item(importer, item, err));
            importer->next_entry++;
        }
        importer->cursor_dirty = true;
        importer->steps++;
    }
    return importer->next_entry == set->count ? finish_document(importer, err) : SY_OK;
}

/* --- what was put off ------------------------------------------------------------------------ */

/* The next deferred document, over all inputs; SY_ERR_NOT_FOUND at the end of a pass. */
static sy_status next_deferred(sy_importer *importer, struct sy_error *err)
{
    for (; importer->input < importer->input_count; importer->input++) {
        const struct sy_hash *label = &importer->inputs[importer->input].label;
        sy_status status = sy_client_deferred_from(importer->store, &importer->deferred, label,
                                                   importer->again_offset, err);
        if (status != SY_ERR_NOT_FOUND) return status;
        importer->again_offset = 0;
        if (importer->opened) sy_fhir_input_close(&importer->file);
        importer->opened = false;
    }
    return SY_ERR_NOT_FOUND;
}

static sy_status read_deferred(sy_importer *importer, struct sy_error *err)
{
    struct sy_import_input *input = &importer->inputs[importer->input];
    struct sy_fhir_input *file = is_stdin(input) ? &importer->stdin_file : &importer->file;
    struct sy_fhir_document *document = &importer->document;
    struct sy_error why;
    sy_status status = SY_OK;
    if (!is_stdin(input) && !importer->opened) {
        status = sy_fhir_input_open(file, input->path, 0, 1, &why);
        importer->opened = status == SY_OK;
    }
    memset(document, 0, sizeof *document);
    document->offset = importer->deferred.offset;
    document->line = importer->deferred.line;
    document->in_stream = importer->deferred.in_stream;
    if (status == SY_OK) {
        status = sy_fhir_input_again(file, &document->bytes, importer->deferred.handle,
                                     importer->deferred.size, &why);
    }
    importer->again_offset = importer->deferred.offset + 1;
    if (status == SY_OK) return begin_document(importer, importer->deferred.entries_done, err);
    refuse_document(importer, "", why.text, "import the file again");
    return sy_client_drop_deferred(importer->store, &input->label, importer->deferred.offset, err);
}

static sy_status take_deferred(sy_importer *importer, struct sy_error *err)
{
    sy_status status = next_deferred(importer, err);
    if (status == SY_OK) {
        SY_TRY(read_deferred(importer, err));
        bool later = importer->has_document && importer->set.dangles && !importer->again_final &&
                     importer->deferred.entries_done == 0;
        if (later) importer->has_document = false;
        return SY_OK;
    }
    if (status != SY_ERR_NOT_FOUND) return status;
    // The end of a pass.
    if (importer->again_final) {
        importer->phase = SY_IMPORT_READ;
        return SY_ERR_NOT_FOUND;
    }
    importer->again_final = !importer->again_took;
    importer->again_took = false;
    importer->input = 0;
    importer->again_offset = 0;
    return SY_OK;
}

sy_status sy_import_step(sy_importer *importer, struct sy_error *err)
{
    if (importer->phase == SY_IMPORT_READ) return SY_ERR_NOT_FOUND;
    if (importer->has_document) return take_entries(importer, err);
    if (importer->phase == SY_IMPORT_AGAIN) return take_deferred(importer, err);
    if (importer->input == importer->input_count) {
        importer->phase = SY_IMPORT_AGAIN;
        importer->input = 0;
        return SY_OK;
    }
    if (!importer->opened) return open_input(importer, err);
    return read_document(importer, err);
}
