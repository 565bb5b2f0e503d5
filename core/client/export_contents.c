/* export_contents.c: see export_contents.h. */
#include "core/client/export_contents.h"

#include <stdlib.h>

#include "core/base/os.h"
#include "core/client/fhir_document.h"
#include "core/client/fhir_input.h"
#include "core/client/share.h"
#include "core/crypto/hash.h"
#include "core/wire/envelope.h"

// --- what is wanted ----------------------------------------------------------------------------

sy_status sy_export_contents_want(struct sy_export_contents *contents, uint32_t item,
                                  const struct sy_record *record, struct sy_error *err)
{
    if (contents->wanted_count == contents->wanted_room) {
        uint32_t room = contents->wanted_room == 0 ? 64 : contents->wanted_room * 2;
        struct sy_export_wanted *longer =
            realloc(contents->wanted, (size_t)room * sizeof *contents->wanted);
        if (longer == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "out of memory");
        contents->wanted = longer;
        contents->wanted_room = room;
    }
    struct sy_export_wanted *wanted = &contents->wanted[contents->wanted_count++];
    *wanted = (struct sy_export_wanted){.record = contents->manifest->items[item].record,
                                        .item = item,
                                        .head_count = record->head_count};
    memcpy(wanted->heads, record->heads, sizeof wanted->heads);
    contents->sorted = false;
    return SY_OK;
}

static int by_record(const void *a, const void *b)
{
    const struct sy_export_wanted *one = a, *other = b;
    return sy_hash_compare(&one->record, &other->record);
}

static const struct sy_export_wanted *find_wanted(struct sy_export_contents *contents,
                                                  const struct sy_hash *record)
{
    struct sy_export_wanted sought = {.record = *record};
    if (contents->wanted_count == 0) return NULL;
    if (!contents->sorted) {
        qsort(contents->wanted, contents->wanted_count, sizeof sought, by_record);
        contents->sorted = true;
    }
    return bsearch(&sought, contents->wanted, contents->wanted_count, sizeof sought, by_record);
}

static bool is_there(const struct sy_manifest *manifest, uint32_t item, uint32_t version)
{
    for (uint32_t i = 0; i < manifest->content_count; i++) {
        const struct sy_manifest_content *content = &manifest->contents[i];
        if (content->item == item && content->version == version) return true;
    }
    return false;
}

void sy_export_contents_missing(struct sy_export_contents *contents,
                                void (*tell)(void *self, const struct sy_hash *record,
                                             uint32_t version),
                                void *self)
{
    for (uint32_t i = 0; i < contents->wanted_count; i++) {
        const struct sy_export_wanted *wanted = &contents->wanted[i];
        for (unsigned k = 0; k < wanted->head_count; k++) {
            if (is_there(contents->manifest, wanted->item, wanted->heads[k])) continue;
            tell(self, &wanted->record, wanted->heads[k]);
        }
    }
}

// --- sealing -----------------------------------------------------------------------------------

static sy_status keep(struct sy_export_contents *contents, uint32_t item, uint32_t version,
                      const struct sy_share_sealed *sealed, struct sy_error *err)
{
    struct sy_manifest_content content = {.item = item, .version = version};
    char path[SY_MANIFEST_PATH_BYTES];
    const struct sy_hash *record = &contents->manifest->items[item].record;
    content.wrapped = sealed->hashes[0];
    sy_sha256(&content.file, sealed->file, sealed->size);
    SY_TRY(sy_manifest_path(path, contents->folder, record, version, err));
    SY_TRY(sy_os_write_file(path, sealed->file, sealed->size, 0600, err));
    return sy_manifest_add_content(contents->manifest, &content, err);
}

/* number: of the version; 0: whichever it is. */
static sy_status seal(struct sy_export_contents *contents, const struct sy_export_wanted *wanted,
                      uint32_t number, const struct sy_hash *salt, struct sy_slice bytes,
                      struct sy_error *err)
{
    static struct sy_share share; // too large for a small stack
    struct sy_share_sealed sealed = {.file = NULL};
    unsigned bad = 0;
    share = (struct sy_share){.asker = contents->asker,
                              .key = contents->key,
                              .max_age_ms = contents->max_age_ms,
                              .purpose = SY_PURPOSE_OPERATIONS,
                              .whole = true,
                              .err = err};
    sy_status status = sy_share_find(&share, &number, &wanted->record, salt, bytes);
    bool twice = status == SY_OK && is_there(contents->manifest, wanted->item, number);
    if (status == SY_OK && !twice) {
        status =
            sy_share_seal(&share, &sealed, &bad, sy_network_tag(sy_asker_genesis(contents->asker)),
                          &contents->manifest->recipient_key, 1, salt, bytes);
    }
    if (status == SY_OK && !twice) status = keep(contents, wanted->item, number, &sealed, err);
    free(sealed.file);
    sy_share_free(&share);
    return status;
}

// --- finding -----------------------------------------------------------------------------------

struct search {
    struct sy_export_contents *contents;
    struct sy_fhir_scan scan;
    struct sy_fhir_set set;
};

static sy_status try_item(struct search *search, const struct sy_fhir_item *item,
                          struct sy_error *err)
{
    struct sy_export_contents *contents = search->contents;
    struct sy_client_record known;
    struct sy_client_version version;
    uint32_t number;
    struct sy_slice bytes = item->entry->resource;
    if (item->faulty) return SY_OK;
    sy_status status = sy_client_get_record(contents->store, &known, &item->label, err);
    if (status == SY_ERR_NOT_FOUND) return SY_OK;
    if (status != SY_OK) return status;
    const struct sy_export_wanted *wanted = find_wanted(contents, &known.id);
    if (wanted == NULL || known.erased) return SY_OK;
    SY_TRY(sy_client_find_version(contents->store, &number, &item->label, &known, bytes, err));
    if (number == 0 || is_there(contents->manifest, wanted->item, number)) return SY_OK;
    SY_TRY(sy_client_get_version(contents->store, &version, &item->label, &known, number, err));
    return seal(contents, wanted, number, &version.salt, bytes, err);
}

static sy_status try_document(struct search *search, const struct sy_fhir_document *document,
                              struct sy_error *err)
{
    struct sy_export_contents *contents = search->contents;
    if (document->over_long || !sy_fhir_scan_document(&search->scan, document->bytes)) return SY_OK;
    SY_TRY(sy_fhir_set_load(&search->set, contents->store, contents->source, &search->scan, err));
    for (uint32_t i = 0; i < search->set.count; i++) {
        SY_TRY(try_item(search, &search->set.items[i], err));
    }
    return SY_OK;
}

sy_status sy_export_contents_take(struct sy_export_contents *contents, const char *path,
                                  struct sy_error *err)
{
    struct search search = {.contents = contents};
    struct sy_fhir_input input;
    struct sy_fhir_document document;
    struct sy_json_scanner sniffer;
    SY_TRY(sy_fhir_input_open(&input, path, 0, 1, err));
    sy_json_scanner_open(&sniffer);
    sy_fhir_scan_open(&search.scan);
    sy_fhir_set_open(&search.set);
    sy_status status = SY_OK;
    while (status == SY_OK) {
        status = sy_fhir_input_next(&input, &document, &sniffer, err);
        if (status == SY_OK) status = try_document(&search, &document, err);
    }
    sy_fhir_set_close(&search.set);
    sy_fhir_scan_close(&search.scan);
    sy_json_scanner_close(&sniffer);
    sy_fhir_input_close(&input);
    return status == SY_ERR_NOT_FOUND ? SY_OK : status;
}

// --- contents by hand --------------------------------------------------------------------------

sy_status sy_export_contents_give(struct sy_export_contents *contents, const char *text,
                                  struct sy_error *err)
{
    struct sy_hash record, salt;
    char hex[2][65] = {"", ""};
    uint8_t *bytes = NULL;
    size_t size = 0;
    bool formed = strlen(text) > 130 && text[64] == ':' && text[129] == ':';
    if (formed) {
        memcpy(hex[0], text, 64);
        memcpy(hex[1], text + 65, 64);
    }
    if (!formed || !sy_hex_decode(record.bytes, 32, hex[0]) ||
        !sy_hex_decode(salt.bytes, 32, hex[1])) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "--content is RECORD:SALT:FILE, an id and a salt of 64 hex digits each");
    }
    const struct sy_export_wanted *wanted = find_wanted(contents, &record);
    if (wanted == NULL) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "--content: %s is no record of the patient's that is kept here", hex[0]);
    }
    SY_TRY(sy_os_read_file(&bytes, &size, text + 130, SY_ENVELOPE_BODY_MAX / 2, err));
    sy_status status = seal(contents, wanted, 0, &salt, sy_slice_of(bytes, size), err);
    if (size > 0) sy_wipe(bytes, size);
    free(bytes);
    return status;
}

void sy_export_contents_free(struct sy_export_contents *contents)
{
    free(contents->wanted);
    contents->wanted = NULL;
    contents->wanted_count = contents->wanted_room = 0;
}
