/* shared_content.c: see shared_content.h. */
#include "core/client/shared_content.h"

#include <stdlib.h>

#include "core/client/cmd.h"
#include "core/client/fhir_document.h"
#include "core/client/fhir_input.h"
#include "core/wire/envelope.h"

/* The rest of a body: front, two proofs, padding of an eighth. */
#define CONTENT_BYTES_MAX (SY_ENVELOPE_BODY_MAX / 2)

sy_status sy_shared_content_read(struct sy_shared_content *content, const char *path,
                                 struct sy_error *err)
{
    return sy_cmd_read_input(&content->bytes, &content->size, path, CONTENT_BYTES_MAX, err);
}

void sy_shared_content_free(struct sy_shared_content *content)
{
    if (content->bytes != NULL && content->size > 0) sy_wipe(content->bytes, content->size);
    free(content->bytes);
    *content = (struct sy_shared_content){.bytes = NULL};
}

struct search {
    struct sy_shared_content *content;
    sy_client_store *store;
    const char *source;
    const struct sy_hash *record;
    struct sy_fhir_scan scan;
    struct sy_fhir_set set;
    bool seen; /* the record, with whatever bytes */
};

static sy_status try_item(struct search *search, const struct sy_fhir_item *item,
                          struct sy_error *err)
{
    struct sy_client_record known;
    struct sy_client_version version;
    uint32_t number;
    struct sy_slice bytes = item->entry->resource;
    if (item->faulty || search->content->bytes != NULL) return SY_OK;
    sy_status status = sy_client_get_record(search->store, &known, &item->label, err);
    if (status == SY_ERR_NOT_FOUND) return SY_OK;
    if (status != SY_OK) return status;
    if (!sy_hash_equal(&known.id, search->record)) return SY_OK;
    search->seen = true;
    SY_TRY(sy_client_find_version(search->store, &number, &item->label, &known, bytes, err));
    if (number == 0) return SY_OK;
    SY_TRY(sy_client_get_version(search->store, &version, &item->label, &known, number, err));
    search->content->bytes = malloc(bytes.size > 0 ? bytes.size : 1);
    if (search->content->bytes == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "out of memory");
    memcpy(search->content->bytes, bytes.data, bytes.size);
    search->content->size = bytes.size;
    search->content->salt = version.salt;
    return SY_OK;
}

static sy_status try_document(struct search *search, const struct sy_fhir_document *document,
                              struct sy_error *err)
{
    if (document->over_long || !sy_fhir_scan_document(&search->scan, document->bytes)) return SY_OK;
    SY_TRY(sy_fhir_set_load(&search->set, search->store, search->source, &search->scan, err));
    for (uint32_t i = 0; i < search->set.count; i++) {
        SY_TRY(try_item(search, &search->set.items[i], err));
    }
    return SY_OK;
}

static sy_status search_file(struct search *search, const char *path, struct sy_error *err)
{
    struct sy_fhir_input input;
    struct sy_fhir_document document;
    struct sy_json_scanner sniffer;
    SY_TRY(sy_fhir_input_open(&input, path, 0, 1, err));
    sy_json_scanner_open(&sniffer);
    sy_fhir_scan_open(&search->scan);
    sy_fhir_set_open(&search->set);
    sy_status status = SY_OK;
    while (status == SY_OK && search->content->bytes == NULL) {
        status = sy_fhir_input_next(&input, &document, &sniffer, err);
        if (status == SY_OK) status = try_document(search, &document, err);
    }
    sy_fhir_set_close(&search->set);
    sy_fhir_scan_close(&search->scan);
    sy_json_scanner_close(&sniffer);
    sy_fhir_input_close(&input);
    return status == SY_ERR_NOT_FOUND ? SY_OK : status;
}

sy_status sy_shared_content_find(struct sy_shared_content *content, sy_client_store *store,
                                 const char *source, const char *path, const struct sy_hash *record,
                                 struct sy_error *err)
{
    struct search search = {.content = content, .store = store, .source = source, .record = record};
    SY_TRY(search_file(&search, path, err));
    if (content->bytes != NULL) return SY_OK;
    if (search.seen) {
        return sy_fail(err, SY_ERR_NOT_FOUND,
                       "%s has the record's resource, but no version of it with these bytes", path);
    }
    return sy_fail(err, SY_ERR_NOT_FOUND,
                   "no resource in %s is that record, as this client registered it; give the "
                   "content by itself and its --salt",
                   path);
}
