/* schema_check.c: the rules of fields, judged at execution and by clients before they sign. */
#include "core/wire/schema.h"

#include <stdio.h>

/* --- texts --------------------------------------------------------------------------------- */

// Reads one code point of well-formed UTF-8 (RFC 3629, table of section 4); 0 bytes: ill-formed.
static size_t read_code_point(uint32_t *code_point, const uint8_t *p, size_t size)
{
    uint8_t lead = p[0];
    size_t length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (length == 0 || lead > 0xF4 || length > size) return 0;
    uint32_t value = length == 1 ? lead : lead & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xC0) != 0x80) return 0;
        value = value << 6 | (p[i] & 0x3Fu);
    }
    bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
    bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    if (overlong || surrogate || value > 0x10FFFF) return 0;
    *code_point = value;
    return length;
}

static bool is_printable(uint32_t c)
{
    if (c < 0x20 || (c >= 0x7F && c <= 0x9F)) return false; // C0, DEL, C1
    if (c == 0x061C || c == 0x200E || c == 0x200F) return false;
    if (c >= 0x2028 && c <= 0x202E) return false; // separators, then directional embeddings
    if (c >= 0x2066 && c <= 0x2069) return false;
    return c != 0xFEFF;
}

bool sy_text_is_printable(struct sy_slice text)
{
    size_t used = 0;
    while (used < text.size) {
        uint32_t code_point = 0;
        size_t length = read_code_point(&code_point, text.data + used, text.size - used);
        if (length == 0 || !is_printable(code_point)) return false;
        used += length;
    }
    return true;
}

static bool check_text(const struct sy_field *field, struct sy_slice text)
{
    if (text.size < field->min || text.size > field->max) return false;
    for (size_t i = 0; field->digits && i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return false;
    }
    return sy_text_is_printable(text);
}

/* --- values -------------------------------------------------------------------------------- */

static bool check_number(const struct sy_field *field, uint64_t value)
{
    return value >= field->min && (field->max == 0 || value <= field->max);
}

/* Only numbers of the enum, and as many as are needed. */
static bool check_set(const struct sy_field *field, uint32_t set)
{
    uint64_t count = 0;
    for (uint32_t left = set; left != 0; left &= left - 1) count++;
    return (set & ~sy_set_known(field->names)) == 0 && count >= field->min;
}

static bool check_value(const struct sy_field *field, const void *value)
{
    switch (field->type) {
    case SY_FIELD_U8: return check_number(field, *(const uint8_t *)value);
    case SY_FIELD_U16: return check_number(field, *(const uint16_t *)value);
    case SY_FIELD_U32: return check_number(field, *(const uint32_t *)value);
    case SY_FIELD_U64: return check_number(field, *(const uint64_t *)value);
    case SY_FIELD_TIME:
        return *(const int64_t *)value >= 0 && *(const int64_t *)value <= SY_TIME_MS_MAX;
    case SY_FIELD_ENUM: return sy_enum_word(field->names, *(const uint16_t *)value) != NULL;
    case SY_FIELD_SET: return check_set(field, *(const uint32_t *)value);
    case SY_FIELD_ID: return !sy_hash_is_zero((const struct sy_hash *)value);
    case SY_FIELD_TEXT: return check_text(field, *(const struct sy_slice *)value);
    case SY_FIELD_BYTES: {
        size_t size = ((const struct sy_slice *)value)->size;
        return size >= field->min && size <= field->max;
    }
    default: return true; // hashes, keys, signatures, tags, truth: any bytes are a value
    }
}

/* --- lists --------------------------------------------------------------------------------- */

// The first item that breaks a rule or equals an earlier one; -1: none. Lists are short
// (items_max), so comparing all pairs is cheaper than anything that needs memory.
static int find_bad_id(const struct sy_list *list)
{
    struct sy_hash id;
    size_t offset = 0;
    for (int i = 0; sy_list_next_id(list, &offset, &id); i++) {
        struct sy_hash earlier;
        size_t earlier_offset = 0;
        if (sy_hash_is_zero(&id)) return i;
        for (int k = 0; k < i; k++) {
            (void)sy_list_next_id(list, &earlier_offset, &earlier);
            if (sy_hash_equal(&earlier, &id)) return i;
        }
    }
    return -1;
}

static int find_bad_text(const struct sy_field *field, const struct sy_list *list)
{
    struct sy_slice text;
    size_t offset = 0;
    for (int i = 0; sy_list_next_text(list, &offset, &text); i++) {
        struct sy_slice earlier;
        size_t earlier_offset = 0;
        if (!check_text(field, text)) return i;
        for (int k = 0; k < i; k++) {
            (void)sy_list_next_text(list, &earlier_offset, &earlier);
            if (sy_slice_equal(earlier, text)) return i;
        }
    }
    return -1;
}

static int find_bad_tag(const struct sy_list *list)
{
    struct sy_tag tag;
    size_t offset = 0;
    for (int i = 0; sy_list_next_tag(list, &offset, &tag); i++) {
        struct sy_tag earlier;
        size_t earlier_offset = 0;
        for (int k = 0; k < i; k++) {
            (void)sy_list_next_tag(list, &earlier_offset, &earlier);
            if (memcmp(earlier.bytes, tag.bytes, sizeof tag.bytes) == 0) return i;
        }
    }
    return -1;
}

static int find_bad_u32(const struct sy_list *list)
{
    uint32_t number;
    size_t offset = 0;
    for (int i = 0; sy_list_next_u32(list, &offset, &number); i++) {
        uint32_t earlier;
        size_t earlier_offset = 0;
        for (int k = 0; k < i; k++) {
            (void)sy_list_next_u32(list, &earlier_offset, &earlier);
            if (earlier == number) return i;
        }
    }
    return -1;
}

static int find_bad_approval(const struct sy_list *list)
{
    struct sy_approval approval;
    size_t offset = 0;
    for (int i = 0; sy_list_next_approval(list, &offset, &approval); i++) {
        struct sy_approval earlier;
        size_t earlier_offset = 0;
        for (int k = 0; k < i; k++) {
            (void)sy_list_next_approval(list, &earlier_offset, &earlier);
            if (sy_public_key_equal(&earlier.key, &approval.key)) return i;
        }
    }
    return -1;
}

static void write_path(struct sy_path *path, const char *front, const char *name, int item)
{
    if (!path) return;
    if (item < 0) {
        (void)snprintf(path->text, sizeof path->text, "%s%s", front, name);
    } else {
        (void)snprintf(path->text, sizeof path->text, "%s%s[%d]", front, name, item);
    }
}

// Any list; what stands inside a PAYLOAD_LIST is check_parts'.
static bool check_list(const struct sy_field *field, const struct sy_list *list, const char *front,
                       struct sy_path *path)
{
    int bad = -1;
    bool counts = field->type == SY_FIELD_ID_LIST || field->type == SY_FIELD_U32_LIST;
    if (list->count > field->items_max || (counts && list->count < field->min)) {
        write_path(path, front, field->name, -1);
        return false;
    }
    if (field->type == SY_FIELD_ID_LIST) bad = find_bad_id(list);
    if (field->type == SY_FIELD_TEXT_LIST) bad = find_bad_text(field, list);
    if (field->type == SY_FIELD_TAG_LIST) bad = find_bad_tag(list);
    if (field->type == SY_FIELD_U32_LIST) bad = find_bad_u32(list);
    if (field->type == SY_FIELD_APPROVAL_LIST) bad = find_bad_approval(list);
    if (bad >= 0) write_path(path, front, field->name, bad);
    return bad < 0;
}

/* --- payloads ------------------------------------------------------------------------------ */

static bool is_list(const struct sy_field *field)
{
    return field->type == SY_FIELD_ID_LIST || field->type == SY_FIELD_TEXT_LIST ||
           field->type == SY_FIELD_TAG_LIST || field->type == SY_FIELD_U32_LIST ||
           field->type == SY_FIELD_APPROVAL_LIST || field->type == SY_FIELD_PAYLOAD_LIST;
}

// Every field of one payload; front stands before its name in the path.
static bool check_fields(const struct sy_kind *kind, const union sy_payload *payload,
                         const char *front, struct sy_path *path)
{
    for (unsigned i = 0; i < kind->field_count; i++) {
        const struct sy_field *field = &kind->fields[i];
        const void *value = sy_field_of(field, payload);
        if (!sy_field_present(kind, field, payload)) continue;
        if (is_list(field)) {
            if (!check_list(field, (const struct sy_list *)value, front, path)) return false;
        } else if (!check_value(field, value)) {
            write_path(path, front, field->name, -1);
            return false;
        }
    }
    return true;
}

static bool check_parts(const struct sy_list *parts, struct sy_path *path)
{
    union sy_payload payload;
    struct sy_part part;
    size_t offset = 0;
    for (int i = 0; sy_list_next_part(parts, &offset, &part); i++) {
        const struct sy_kind *kind = sy_kind_by_number(part.kind);
        char front[32];
        (void)snprintf(front, sizeof front, "payloads[%d].", i);
        if (!kind || kind->number == SY_KIND_atomic) {
            write_path(path, front, "kind", -1);
            return false;
        }
        if (!sy_payload_decode(&payload, kind, part.payload, NULL)) {
            write_path(path, front, "payload", -1);
            return false;
        }
        if (!check_fields(kind, &payload, front, path)) return false;
    }
    return true;
}

bool sy_payload_check(const struct sy_kind *kind, const union sy_payload *payload,
                      struct sy_path *path)
{
    if (!check_fields(kind, payload, "", path)) return false;
    if (kind->number != SY_KIND_atomic) return true;
    if (payload->atomic.payloads.count == 0) {
        write_path(path, "", "payloads", -1);
        return false;
    }
    return check_parts(&payload->atomic.payloads, path);
}
