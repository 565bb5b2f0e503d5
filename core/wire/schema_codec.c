/* schema_codec.c: payloads to bytes and back, by the table alone. */
#include "core/base/assert.h"
#include "core/wire/schema.h"

/* --- reading ------------------------------------------------------------------------------- */

// Steps over a TEXT_LIST's items; lengths are form, what the texts say is not.
static void skip_texts(struct sy_reader *r, const struct sy_field *field, uint16_t count)
{
    for (uint16_t i = 0; i < count && !r->failed; i++) {
        (void)sy_read_bytes16(r, (size_t)field->max, field->name);
    }
}

static void skip_parts(struct sy_reader *r, const struct sy_field *field, uint16_t count)
{
    for (uint16_t i = 0; i < count && !r->failed; i++) {
        (void)sy_read_u16(r, field->name);
        (void)sy_read_u8(r, field->name);
        (void)sy_read_bytes32(r, SY_TX_BYTES_MAX, field->name);
    }
}

/* Of an item of a list: its bytes, or the least it can have. */
static size_t item_bytes_least(uint8_t type)
{
    switch (type) {
    case SY_FIELD_ID_LIST: return 32;
    case SY_FIELD_TAG_LIST: return sizeof(struct sy_tag);
    case SY_FIELD_U32_LIST: return 4;
    case SY_FIELD_APPROVAL_LIST: return SY_APPROVAL_BYTES;
    case SY_FIELD_TEXT_LIST: return 2;
    default: return 2 + 1 + 4;
    }
}

static struct sy_list read_list(struct sy_reader *r, const struct sy_field *field)
{
    struct sy_list list = {0};
    bool varies = field->type == SY_FIELD_TEXT_LIST || field->type == SY_FIELD_PAYLOAD_LIST;
    size_t item_bytes = item_bytes_least(field->type);
    list.count = sy_read_count16(r, field->items_max, item_bytes, field->name);
    struct sy_reader start = *r;
    if (!varies) (void)sy_read_raw(r, item_bytes * list.count, field->name);
    if (field->type == SY_FIELD_TEXT_LIST) skip_texts(r, field, list.count);
    if (field->type == SY_FIELD_PAYLOAD_LIST) skip_parts(r, field, list.count);
    if (!r->failed) list.items = sy_read_raw(&start, r->used - start.used, field->name);
    return list;
}

static void read_value(struct sy_reader *r, const struct sy_field *field, void *out)
{
    switch (field->type) {
    case SY_FIELD_U8: *(uint8_t *)out = sy_read_u8(r, field->name); break;
    case SY_FIELD_U16:
    case SY_FIELD_ENUM: *(uint16_t *)out = sy_read_u16(r, field->name); break;
    case SY_FIELD_U32:
    case SY_FIELD_SET: *(uint32_t *)out = sy_read_u32(r, field->name); break;
    case SY_FIELD_U64: *(uint64_t *)out = sy_read_u64(r, field->name); break;
    case SY_FIELD_TIME: *(int64_t *)out = sy_read_i64(r, field->name); break;
    case SY_FIELD_BOOL: *(bool *)out = sy_read_bool(r, field->name); break;
    case SY_FIELD_ID:
    case SY_FIELD_HASH: sy_read_hash(r, (struct sy_hash *)out, field->name); break;
    case SY_FIELD_KEY: sy_read_public_key(r, (struct sy_public_key *)out, field->name); break;
    case SY_FIELD_POSSESSION: sy_read_signature(r, (struct sy_signature *)out, field->name); break;
    case SY_FIELD_TEXT:
    case SY_FIELD_BYTES:
        *(struct sy_slice *)out = sy_read_bytes16(r, (size_t)field->max, field->name);
        break;
    case SY_FIELD_TAG: {
        struct sy_slice tag = sy_read_raw(r, sizeof(struct sy_tag), field->name);
        if (tag.size > 0) memcpy(out, tag.data, tag.size);
        break;
    }
    default: *(struct sy_list *)out = read_list(r, field);
    }
}

// All fields but the insides of an atomic's parts. False: *path names the field.
static bool decode_fields(union sy_payload *out, const struct sy_kind *kind, struct sy_slice bytes,
                          const char **path)
{
    struct sy_reader r = sy_reader_of(bytes);
    memset(out, 0, kind->struct_bytes);
    for (unsigned i = 0; i < kind->field_count; i++) {
        const struct sy_field *field = &kind->fields[i];
        if (field->has_offset != SY_FIELD_REQUIRED) {
            sy_field_set_present(field, out, sy_read_bool(&r, field->name));
        }
        if (sy_field_present(kind, field, out)) {
            read_value(&r, field, sy_field_of_mutable(field, out));
        }
    }
    if (sy_reader_done(&r)) return true;
    if (path) *path = r.what;
    return false;
}

bool sy_payload_decode(union sy_payload *out, const struct sy_kind *kind, struct sy_slice bytes,
                       const char **path)
{
    union sy_payload inner;
    struct sy_part part;
    size_t offset = 0;
    SY_ASSERT(kind->struct_bytes <= sizeof *out);
    if (!decode_fields(out, kind, bytes, path)) return false;
    if (kind->number != SY_KIND_atomic) return true;

    while (sy_list_next_part(&out->atomic.payloads, &offset, &part)) {
        const struct sy_kind *part_kind = sy_kind_by_number(part.kind);
        if (!part_kind || part_kind->number == SY_KIND_atomic) {
            if (path) *path = "payloads.kind";
            return false;
        }
        if (!decode_fields(&inner, part_kind, part.payload, path)) return false;
    }
    return true;
}

/* --- writing ------------------------------------------------------------------------------- */

static void write_list(struct sy_writer *w, const struct sy_field *field,
                       const struct sy_list *list)
{
    if (list->count > field->items_max) w->failed = true;
    sy_write_u16(w, list->count);
    sy_write_raw(w, list->items.data, list->items.size);
}

static void write_value(struct sy_writer *w, const struct sy_field *field, const void *value)
{
    switch (field->type) {
    case SY_FIELD_U8: sy_write_u8(w, *(const uint8_t *)value); break;
    case SY_FIELD_U16:
    case SY_FIELD_ENUM: sy_write_u16(w, *(const uint16_t *)value); break;
    case SY_FIELD_U32:
    case SY_FIELD_SET: sy_write_u32(w, *(const uint32_t *)value); break;
    case SY_FIELD_U64: sy_write_u64(w, *(const uint64_t *)value); break;
    case SY_FIELD_TIME: sy_write_i64(w, *(const int64_t *)value); break;
    case SY_FIELD_BOOL: sy_write_u8(w, *(const bool *)value ? 1 : 0); break;
    case SY_FIELD_ID:
    case SY_FIELD_HASH: sy_write_hash(w, (const struct sy_hash *)value); break;
    case SY_FIELD_KEY: sy_write_public_key(w, (const struct sy_public_key *)value); break;
    case SY_FIELD_POSSESSION: sy_write_signature(w, (const struct sy_signature *)value); break;
    case SY_FIELD_TEXT:
    case SY_FIELD_BYTES:
        if (((const struct sy_slice *)value)->size > field->max) w->failed = true;
        sy_write_bytes16(w, *(const struct sy_slice *)value);
        break;
    case SY_FIELD_TAG: sy_write_raw(w, value, sizeof(struct sy_tag)); break;
    default: write_list(w, field, (const struct sy_list *)value);
    }
}

void sy_payload_encode(struct sy_writer *w, const struct sy_kind *kind,
                       const union sy_payload *payload)
{
    for (unsigned i = 0; i < kind->field_count; i++) {
        const struct sy_field *field = &kind->fields[i];
        bool present = sy_field_present(kind, field, payload);
        if (field->has_offset != SY_FIELD_REQUIRED) sy_write_u8(w, present ? 1 : 0);
        if (present) write_value(w, field, sy_field_of(field, payload));
    }
}
