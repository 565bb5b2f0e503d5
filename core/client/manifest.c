/* manifest.c: see manifest.h. */
#include "core/client/manifest.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"

#define FORMAT_VERSION 2u
#define FRONT_BYTES (8u + 1u + 5u * 32u + 3u * 8u + 4u)
#define ITEM_BYTES (32u + 1u + 2u)
#define HISTORY_BYTES 32u /* of an item that is included */
#define CONTENT_BYTES (4u + 32u + 32u)

static const uint8_t magic[8] = {'s', 'y', 'e', 'x', 'p', 'o', 'r', 't'};

void sy_manifest_free(struct sy_manifest *manifest)
{
    free(manifest->items);
    free(manifest->contents);
    *manifest = (struct sy_manifest){.items = NULL};
}

/* Makes room for one more of size bytes. */
static void *grow(void *array, uint32_t count, uint32_t *room, size_t size)
{
    if (count < *room) return array;
    uint32_t more = *room == 0 ? 64 : *room * 2;
    void *longer = realloc(array, (size_t)more * size);
    if (longer != NULL) *room = more;
    return longer;
}

sy_status sy_manifest_add_item(struct sy_manifest *manifest, const struct sy_hash *record,
                               struct sy_error *err)
{
    if (manifest->item_count == SY_MANIFEST_ITEMS_MAX) {
        return sy_fail(err, SY_ERR_LIMIT, "more than %u records", SY_MANIFEST_ITEMS_MAX);
    }
    struct sy_manifest_item *items =
        grow(manifest->items, manifest->item_count, &manifest->item_room, sizeof *items);
    if (items == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "out of memory");
    manifest->items = items;
    items[manifest->item_count++] = (struct sy_manifest_item){.record = *record};
    return SY_OK;
}

sy_status sy_manifest_add_content(struct sy_manifest *manifest,
                                  const struct sy_manifest_content *content, struct sy_error *err)
{
    SY_ASSERT(content->item < manifest->item_count);
    if (manifest->content_count == SY_MANIFEST_ITEMS_MAX) {
        return sy_fail(err, SY_ERR_LIMIT, "more than %u contents", SY_MANIFEST_ITEMS_MAX);
    }
    struct sy_manifest_content *contents = grow(manifest->contents, manifest->content_count,
                                                &manifest->content_room, sizeof *contents);
    if (contents == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "out of memory");
    manifest->contents = contents;
    contents[manifest->content_count++] = *content;
    return SY_OK;
}

static int by_place(const void *a, const void *b)
{
    const struct sy_manifest_content *one = a, *other = b;
    if (one->item != other->item) return one->item < other->item ? -1 : 1;
    return (one->version > other->version) - (one->version < other->version);
}

void sy_manifest_sort(struct sy_manifest *manifest)
{
    for (uint32_t i = 0; i < manifest->item_count; i++) manifest->items[i].content_count = 0;
    if (manifest->content_count > 1) {
        qsort(manifest->contents, manifest->content_count, sizeof *manifest->contents, by_place);
    }
    for (uint32_t i = 0; i < manifest->content_count; i++) {
        struct sy_manifest_item *item = &manifest->items[manifest->contents[i].item];
        if (item->content_count == 0) item->first_content = i;
        SY_ASSERT(item->content_count < UINT16_MAX);
        item->content_count++;
    }
}

static void encode_item(struct sy_writer *w, const struct sy_manifest *manifest, uint32_t index)
{
    const struct sy_manifest_item *item = &manifest->items[index];
    sy_write_hash(w, &item->record);
    sy_write_u8(w, item->state);
    sy_write_u16(w, item->content_count);
    if (item->state == SY_MANIFEST_INCLUDED) sy_write_hash(w, &item->history);
    for (unsigned i = 0; i < item->content_count; i++) {
        const struct sy_manifest_content *content = &manifest->contents[item->first_content + i];
        sy_write_u32(w, content->version);
        sy_write_hash(w, &content->file);
        sy_write_hash(w, &content->wrapped);
    }
}

static size_t items_bytes(const struct sy_manifest *manifest)
{
    return (size_t)manifest->item_count * ITEM_BYTES +
           (size_t)sy_manifest_count(manifest, SY_MANIFEST_INCLUDED) * HISTORY_BYTES +
           (size_t)manifest->content_count * CONTENT_BYTES;
}

bool sy_manifest_roots(const struct sy_manifest *manifest, struct sy_hash *manifest_root,
                       struct sy_hash *wrapped_root)
{
    size_t most = manifest->item_count > manifest->content_count ? manifest->item_count
                                                                 : manifest->content_count;
    struct sy_hash *leaves = malloc((most + 1) * sizeof *leaves);
    size_t size = items_bytes(manifest);
    uint8_t *room = malloc(size + 1);
    bool good = leaves != NULL && room != NULL;
    struct sy_writer w = sy_writer_of(room, good ? size : 0);
    for (uint32_t i = 0; good && i < manifest->item_count; i++) {
        size_t from = w.used;
        encode_item(&w, manifest, i);
        sy_hash_leaf(&leaves[i], sy_slice_of(room + from, w.used - from));
    }
    if (good) sy_merkle_root(manifest_root, leaves, leaves, manifest->item_count);
    for (uint32_t i = 0; good && i < manifest->content_count; i++) {
        leaves[i] = manifest->contents[i].wrapped;
    }
    if (good) sy_merkle_root(wrapped_root, leaves, leaves, manifest->content_count);
    free(leaves);
    free(room);
    return good;
}

uint64_t sy_manifest_count(const struct sy_manifest *manifest, enum sy_manifest_state state)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < manifest->item_count; i++) {
        if (manifest->items[i].state == state) count++;
    }
    return count;
}

static int by_hash(const void *a, const void *b)
{
    return sy_hash_compare(a, b);
}

struct sy_hash *sy_manifest_exceptions(const struct sy_manifest *manifest, uint32_t *count)
{
    struct sy_hash *ids = malloc(((size_t)manifest->item_count + 1) * sizeof *ids);
    *count = 0;
    for (uint32_t i = 0; ids != NULL && i < manifest->item_count; i++) {
        if (manifest->items[i].state == SY_MANIFEST_INCLUDED) continue;
        ids[(*count)++] = manifest->items[i].record;
    }
    if (ids != NULL && *count > 1) qsort(ids, *count, sizeof *ids, by_hash);
    return ids;
}

// --- files -------------------------------------------------------------------------------------

static sy_status manifest_path(char out[SY_MANIFEST_PATH_BYTES], const char *folder,
                               struct sy_error *err)
{
    int size = snprintf(out, SY_MANIFEST_PATH_BYTES, "%s/manifest.syexport", folder);
    if (size > 0 && size < SY_MANIFEST_PATH_BYTES) return SY_OK;
    return sy_fail(err, SY_ERR_ARGUMENT, "%.80s...: the path is too long", folder);
}

sy_status sy_manifest_path(char out[SY_MANIFEST_PATH_BYTES], const char *folder,
                           const struct sy_hash *record, uint32_t version, struct sy_error *err)
{
    char hex[65];
    sy_hex_encode(hex, record->bytes, sizeof record->bytes);
    int size = snprintf(out, SY_MANIFEST_PATH_BYTES, "%s/contents/%s-%u.syenvelope", folder, hex,
                        (unsigned)version);
    if (size > 0 && size < SY_MANIFEST_PATH_BYTES) return SY_OK;
    return sy_fail(err, SY_ERR_ARGUMENT, "%.80s...: the path is too long", folder);
}

sy_status sy_manifest_write(const struct sy_manifest *manifest, const char *folder,
                            struct sy_error *err)
{
    char path[SY_MANIFEST_PATH_BYTES];
    size_t size = FRONT_BYTES + items_bytes(manifest);
    SY_TRY(manifest_path(path, folder, err));
    uint8_t *room = malloc(size);
    if (room == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "out of memory");
    struct sy_writer w = sy_writer_of(room, size);
    sy_write_raw(&w, magic, sizeof magic);
    sy_write_u8(&w, FORMAT_VERSION);
    sy_write_hash(&w, &manifest->genesis);
    sy_write_hash(&w, &manifest->export_id);
    sy_write_hash(&w, &manifest->patient);
    sy_write_hash(&w, &manifest->organisation);
    sy_write_public_key(&w, &manifest->recipient_key);
    sy_write_u64(&w, manifest->as_of);
    sy_write_u64(&w, manifest->places);
    sy_write_u64(&w, manifest->records);
    sy_write_u32(&w, manifest->item_count);
    for (uint32_t i = 0; i < manifest->item_count; i++) encode_item(&w, manifest, i);
    SY_ASSERT(!w.failed && w.used == size);
    sy_status status = sy_os_write_file(path, room, size, 0600, err);
    free(room);
    return status;
}

static sy_status decode_item(struct sy_reader *r, struct sy_manifest *manifest, uint32_t index,
                             struct sy_error *err)
{
    struct sy_hash record;
    uint32_t last = 0;
    sy_read_hash(r, &record, "record");
    uint8_t state = sy_read_u8(r, "state");
    uint16_t count = sy_read_u16(r, "contents");
    bool included = state == SY_MANIFEST_INCLUDED;
    if (state == 0 || state > SY_MANIFEST_ELSEWHERE) sy_reader_fail(r, "state");
    if (included != (count > 0)) sy_reader_fail(r, "contents");
    struct sy_hash history = {{0}};
    if (included) sy_read_hash(r, &history, "history");
    if (r->failed) return SY_OK;
    SY_TRY(sy_manifest_add_item(manifest, &record, err));
    manifest->items[index].state = state;
    manifest->items[index].history = history;
    for (unsigned i = 0; i < count && !r->failed; i++) {
        struct sy_manifest_content content = {.item = index};
        content.version = sy_read_u32(r, "version");
        sy_read_hash(r, &content.file, "file");
        sy_read_hash(r, &content.wrapped, "wrapped");
        if (content.version <= last) sy_reader_fail(r, "version");
        last = content.version;
        if (!r->failed) SY_TRY(sy_manifest_add_content(manifest, &content, err));
    }
    return SY_OK;
}

sy_status sy_manifest_decode(struct sy_manifest *manifest, struct sy_slice bytes, const char *name,
                             struct sy_error *err)
{
    struct sy_reader r = sy_reader_of(bytes);
    struct sy_slice front = sy_read_raw(&r, sizeof magic, "magic");
    if (r.failed || memcmp(front.data, magic, sizeof magic) != 0) {
        return sy_fail(err, SY_ERR_FORMAT, "%s is no manifest of an export", name);
    }
    uint8_t version = sy_read_u8(&r, "version");
    if (!r.failed && version != FORMAT_VERSION) {
        return sy_fail(err, SY_ERR_VERSION, "%s is of version %u, and this program knows %u", name,
                       (unsigned)version, FORMAT_VERSION);
    }
    sy_read_hash(&r, &manifest->genesis, "genesis");
    sy_read_hash(&r, &manifest->export_id, "export");
    sy_read_hash(&r, &manifest->patient, "patient");
    sy_read_hash(&r, &manifest->organisation, "organisation");
    sy_read_public_key(&r, &manifest->recipient_key, "recipient key");
    manifest->as_of = sy_read_u64(&r, "height");
    manifest->places = sy_read_u64(&r, "places");
    manifest->records = sy_read_u64(&r, "records");
    uint32_t count = sy_read_count(&r, SY_MANIFEST_ITEMS_MAX, ITEM_BYTES, "items");
    for (uint32_t i = 0; i < count && !r.failed; i++) {
        SY_TRY(decode_item(&r, manifest, i, err));
    }
    if (!sy_reader_done(&r)) return sy_fail(err, SY_ERR_FORMAT, "%s is not canonical", name);
    sy_manifest_sort(manifest);
    return SY_OK;
}

sy_status sy_manifest_read(struct sy_manifest *manifest, const char *folder, struct sy_error *err)
{
    char path[SY_MANIFEST_PATH_BYTES];
    uint8_t *bytes = NULL;
    size_t size = 0;
    SY_TRY(manifest_path(path, folder, err));
    SY_TRY(sy_os_read_file(&bytes, &size, path, SY_MANIFEST_BYTES_MAX, err));
    sy_status status = sy_manifest_decode(manifest, sy_slice_of(bytes, size), path, err);
    free(bytes);
    return status;
}
