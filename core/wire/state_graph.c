/* state_graph.c: the encodings of what stands between records, and beside their versions: links,
 * cosignatures, duplicates; see state.h. */
#include "core/base/assert.h"
#include "core/wire/state.h"

// --- cosignatures ------------------------------------------------------------------------------

void sy_cosignatures_encode(struct sy_writer *w, const struct sy_cosignatures *list)
{
    SY_ASSERT(list->count >= 1 && list->count <= SY_COSIGNATURES_MAX);
    sy_write_u8(w, list->count);
    for (unsigned i = 0; i < list->count; i++) {
        const struct sy_cosignature *item = &list->items[i];
        sy_write_public_key(w, &item->key);
        sy_write_u8(w, item->role);
        sy_write_hash(w, &item->holder);
        sy_write_u16(w, item->meaning);
        sy_write_u64(w, item->height);
        sy_write_i64(w, item->time_ms);
    }
}

static void read_cosignature(struct sy_reader *r, struct sy_cosignature *item)
{
    sy_read_public_key(r, &item->key, "key");
    item->role = sy_read_u8(r, "role");
    if (item->role == 0 || item->role >= SY_ROLE_COUNT) sy_reader_fail(r, "role");
    sy_read_hash(r, &item->holder, "holder");
    item->meaning = sy_read_u16(r, "meaning");
    if (!sy_enum_word(&sy_enum_cosign_meaning, item->meaning)) sy_reader_fail(r, "meaning");
    item->height = sy_read_u64(r, "height");
    item->time_ms = sy_read_i64(r, "time");
}

/* Is it later than the ones before, or as late, and by another key? */
static bool follows(const struct sy_cosignatures *list, unsigned index)
{
    const struct sy_cosignature *item = &list->items[index];
    for (unsigned i = 0; i < index; i++) {
        if (sy_public_key_equal(&list->items[i].key, &item->key)) return false;
    }
    return index == 0 || list->items[index - 1].height <= item->height;
}

bool sy_cosignatures_decode(struct sy_cosignatures *list, struct sy_slice bytes)
{
    *list = (struct sy_cosignatures){.count = 0};
    struct sy_reader r = sy_reader_of(bytes);
    uint8_t count = sy_read_u8(&r, "count");
    if (count == 0 || count > SY_COSIGNATURES_MAX) sy_reader_fail(&r, "count");
    for (unsigned i = 0; i < count && !r.failed; i++) {
        read_cosignature(&r, &list->items[i]);
        if (!follows(list, i)) sy_reader_fail(&r, "order");
    }
    if (!r.failed) list->count = count;
    return sy_reader_done(&r);
}

// --- links and duplicates ----------------------------------------------------------------------

void sy_record_link_encode(struct sy_writer *w, const struct sy_record_link *link)
{
    sy_write_u16(w, link->relation);
    sy_write_hash(w, &link->other);
    sy_write_u64(w, link->height);
}

bool sy_record_link_decode(struct sy_record_link *link, struct sy_slice bytes)
{
    *link = (struct sy_record_link){.relation = 0};
    struct sy_reader r = sy_reader_of(bytes);
    link->relation = sy_read_u16(&r, "relation");
    if (link->relation != SY_LINK_DUPLICATE && !sy_enum_word(&sy_enum_relation, link->relation)) {
        sy_reader_fail(&r, "relation");
    }
    sy_read_hash(&r, &link->other, "other");
    link->height = sy_read_u64(&r, "height");
    return sy_reader_done(&r);
}

void sy_duplicate_encode(struct sy_writer *w, const struct sy_duplicate *duplicate)
{
    sy_write_public_key(w, &duplicate->reporter);
    sy_write_hash(w, &duplicate->holder);
    sy_write_u64(w, duplicate->height);
    sy_write_i64(w, duplicate->time_ms);
}

bool sy_duplicate_decode(struct sy_duplicate *duplicate, struct sy_slice bytes)
{
    *duplicate = (struct sy_duplicate){.height = 0};
    struct sy_reader r = sy_reader_of(bytes);
    sy_read_public_key(&r, &duplicate->reporter, "reporter");
    sy_read_hash(&r, &duplicate->holder, "holder");
    duplicate->height = sy_read_u64(&r, "height");
    duplicate->time_ms = sy_read_i64(&r, "time");
    return sy_reader_done(&r);
}

_Static_assert(1 + SY_COSIGNATURES_MAX * (32 + 1 + 32 + 2 + 8 + 8) <= SY_STATE_VALUE_BYTES_MAX,
               "the longest list of cosignatures fits a state value");
