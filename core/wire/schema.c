/* schema.c: the table that kinds.def and enums.def spell out, look-ups in it, and lists.
 *
 * schema_codec.c reads and writes payloads by this table, schema_check.c judges them, schema_json.c
 * and schema_doc.c render them. */
#include "core/wire/schema.h"

#include <stddef.h>

#include "core/base/assert.h"

/* --- names of numbers ---------------------------------------------------------------------- */

#define ENUM_ROW(constant, number, word) {number, word},
#define ENUM_TABLE(name)                                                            \
    static const struct sy_enum_value name##_values[] = {SY_ENUM_##name(ENUM_ROW)}; \
    const struct sy_enum sy_enum_##name = {#name, name##_values,                    \
                                           sizeof name##_values / sizeof name##_values[0]};
SY_ENUMS(ENUM_TABLE)
ENUM_TABLE(subject_kind)

const char *sy_enum_word(const struct sy_enum *names, uint16_t number)
{
    for (unsigned i = 0; i < names->count; i++) {
        if (names->values[i].number == number) return names->values[i].word;
    }
    return NULL;
}

bool sy_enum_number(uint16_t *number, const struct sy_enum *names, const char *word, size_t size)
{
    for (unsigned i = 0; i < names->count; i++) {
        const char *known = names->values[i].word;
        if (strlen(known) != size || memcmp(known, word, size) != 0) continue;
        *number = names->values[i].number;
        return true;
    }
    return false;
}

uint32_t sy_set_known(const struct sy_enum *names)
{
    uint32_t known = 0;
    for (unsigned i = 0; i < names->count; i++) {
        SY_ASSERT(names->values[i].number < 32);
        known |= SY_SET_BIT(names->values[i].number);
    }
    return known;
}

const char *sy_role_name(unsigned role)
{
    return role <= UINT16_MAX ? sy_enum_word(&sy_enum_role, (uint16_t)role) : NULL;
}

/* --- the table ----------------------------------------------------------------------------- */

#define HAS_REQUIRED(S, member) SY_FIELD_REQUIRED
#define HAS_OPTIONAL(S, member) offsetof(struct S, has_##member)
#define UNPACK(...) __VA_ARGS__
#define FIELD_ROW(S, member, field_type, presence, rule, sentence) \
    {.name = #member,                                              \
     .doc = sentence,                                              \
     .type = SY_FIELD_##field_type,                                \
     .offset = offsetof(struct S, member),                         \
     .has_offset = HAS_##presence(S, member),                      \
     UNPACK rule},

#define FIELD_TABLE(kind, number, name, roles, signers, doc) \
    static const struct sy_field kind##_fields[] = {SY_FIELDS_##kind(FIELD_ROW, sy_##kind)};
SY_KINDS(FIELD_TABLE)

#define KIND_ROW(kind, number, name, roles, signers, doc) \
    {number,                                              \
     name,                                                \
     doc,                                                 \
     signers,                                             \
     roles,                                               \
     kind##_fields,                                       \
     sizeof kind##_fields / sizeof kind##_fields[0],      \
     sizeof(struct sy_##kind)},
static const struct sy_kind kinds[] = {SY_KINDS(KIND_ROW)};
#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

const struct sy_kind *sy_kind_by_number(uint16_t number)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (kinds[i].number == number) return &kinds[i];
    }
    return NULL;
}

const struct sy_kind *sy_kind_by_name(const char *name)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (strcmp(kinds[i].name, name) == 0) return &kinds[i];
    }
    return NULL;
}

const struct sy_kind *sy_kind_at(unsigned position)
{
    return position < KIND_COUNT ? &kinds[position] : NULL;
}

const struct sy_field *sy_kind_field(const struct sy_kind *kind, const char *name)
{
    for (unsigned i = 0; i < kind->field_count; i++) {
        if (strcmp(kind->fields[i].name, name) == 0) return &kind->fields[i];
    }
    return NULL;
}

const void *sy_field_of(const struct sy_field *field, const union sy_payload *payload)
{
    return (const uint8_t *)payload + field->offset;
}

void *sy_field_of_mutable(const struct sy_field *field, union sy_payload *payload)
{
    return (uint8_t *)payload + field->offset;
}

bool sy_field_present(const struct sy_kind *kind, const struct sy_field *field,
                      const union sy_payload *payload)
{
    // A possession stands exactly when the key in front of it does.
    if (field->type == SY_FIELD_POSSESSION && field > kind->fields) field--;
    if (field->has_offset == SY_FIELD_REQUIRED) return true;
    return *(const bool *)((const uint8_t *)payload + field->has_offset);
}

void sy_field_set_present(const struct sy_field *field, union sy_payload *payload, bool present)
{
    if (field->has_offset == SY_FIELD_REQUIRED) return;
    *(bool *)((uint8_t *)payload + field->has_offset) = present;
}

/* --- lists --------------------------------------------------------------------------------- */

// The bytes from *offset on; a reader over them moves *offset when the item was whole.
static struct sy_reader rest_of(const struct sy_list *list, size_t offset)
{
    size_t start = offset < list->items.size ? offset : list->items.size;
    const uint8_t *data = list->items.size ? list->items.data + start : NULL;
    return sy_reader_of(sy_slice_of(data, list->items.size - start));
}

bool sy_list_next_id(const struct sy_list *list, size_t *offset, struct sy_hash *id)
{
    struct sy_reader r = rest_of(list, *offset);
    sy_read_hash(&r, id, "list");
    *offset += r.used;
    return !r.failed;
}

bool sy_list_next_text(const struct sy_list *list, size_t *offset, struct sy_slice *text)
{
    struct sy_reader r = rest_of(list, *offset);
    *text = sy_read_bytes16(&r, UINT16_MAX, "list");
    if (r.failed) return false;
    *offset += r.used;
    return true;
}

bool sy_list_next_tag(const struct sy_list *list, size_t *offset, struct sy_tag *tag)
{
    struct sy_reader r = rest_of(list, *offset);
    struct sy_slice bytes = sy_read_raw(&r, sizeof tag->bytes, "list");
    if (r.failed) return false;
    memcpy(tag->bytes, bytes.data, sizeof tag->bytes);
    *offset += r.used;
    return true;
}

bool sy_list_next_u32(const struct sy_list *list, size_t *offset, uint32_t *number)
{
    struct sy_reader r = rest_of(list, *offset);
    *number = sy_read_u32(&r, "list");
    if (r.failed) return false;
    *offset += r.used;
    return true;
}

bool sy_list_next_approval(const struct sy_list *list, size_t *offset, struct sy_approval *approval)
{
    struct sy_reader r = rest_of(list, *offset);
    sy_read_public_key(&r, &approval->key, "list");
    sy_read_signature(&r, &approval->signature, "list");
    if (r.failed) return false;
    *offset += r.used;
    return true;
}

bool sy_list_next_part(const struct sy_list *list, size_t *offset, struct sy_part *part)
{
    struct sy_reader r = rest_of(list, *offset);
    part->kind = sy_read_u16(&r, "list");
    part->signer = sy_read_u8(&r, "list");
    part->payload = sy_read_bytes32(&r, SY_TX_BYTES_MAX, "list");
    if (r.failed) return false;
    *offset += r.used;
    return true;
}

// Before an item is written: its place when it is the first, and whether one more may come.
static void begin_item(struct sy_list *list, struct sy_writer *w)
{
    if (list->count == UINT16_MAX) w->failed = true;
    if (list->count == 0) list->items = sy_slice_of(w->data + w->used, 0);
}

static void end_item(struct sy_list *list, struct sy_writer *w)
{
    if (w->failed) return;
    list->items.size = (size_t)(w->data + w->used - list->items.data);
    list->count++;
}

void sy_list_add_id(struct sy_list *list, struct sy_writer *w, const struct sy_hash *id)
{
    begin_item(list, w);
    sy_write_hash(w, id);
    end_item(list, w);
}

void sy_list_add_text(struct sy_list *list, struct sy_writer *w, struct sy_slice text)
{
    begin_item(list, w);
    sy_write_bytes16(w, text);
    end_item(list, w);
}

void sy_list_add_tag(struct sy_list *list, struct sy_writer *w, const struct sy_tag *tag)
{
    begin_item(list, w);
    sy_write_raw(w, tag->bytes, sizeof tag->bytes);
    end_item(list, w);
}

void sy_list_add_u32(struct sy_list *list, struct sy_writer *w, uint32_t number)
{
    begin_item(list, w);
    sy_write_u32(w, number);
    end_item(list, w);
}

void sy_list_add_approval(struct sy_list *list, struct sy_writer *w,
                          const struct sy_approval *approval)
{
    begin_item(list, w);
    sy_write_public_key(w, &approval->key);
    sy_write_signature(w, &approval->signature);
    end_item(list, w);
}

void sy_list_add_part(struct sy_list *list, struct sy_writer *w, const struct sy_part *part)
{
    begin_item(list, w);
    sy_write_u16(w, part->kind);
    sy_write_u8(w, part->signer);
    sy_write_bytes32(w, part->payload);
    end_item(list, w);
}
