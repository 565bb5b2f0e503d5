/* schema_json.c: payloads as JSON, by the table alone. */
#include "core/wire/schema.h"

static void enum_to_json(struct sy_json *json, const struct sy_enum *names, uint16_t number)
{
    const char *word = sy_enum_word(names, number);
    if (word) {
        sy_json_text(json, word);
    } else {
        sy_json_u64(json, number); // a payload that execution will refuse still has to be shown
    }
}

/* The words of a set's members in the order of their numbers. */
static void set_to_json(struct sy_json *json, const struct sy_enum *names, uint32_t set)
{
    sy_json_array_begin(json);
    for (uint16_t number = 0; number < 32; number++) {
        if ((set & SY_SET_BIT(number)) != 0) enum_to_json(json, names, number);
    }
    sy_json_array_end(json);
}

static void ids_to_json(struct sy_json *json, const struct sy_list *list)
{
    struct sy_hash id;
    size_t offset = 0;
    sy_json_array_begin(json);
    while (sy_list_next_id(list, &offset, &id)) sy_json_hex(json, id.bytes, sizeof id.bytes);
    sy_json_array_end(json);
}

static void texts_to_json(struct sy_json *json, const struct sy_list *list)
{
    struct sy_slice text;
    size_t offset = 0;
    sy_json_array_begin(json);
    while (sy_list_next_text(list, &offset, &text)) {
        sy_json_text_bytes(json, text.data, text.size);
    }
    sy_json_array_end(json);
}

static void tags_to_json(struct sy_json *json, const struct sy_list *list)
{
    struct sy_tag tag;
    size_t offset = 0;
    sy_json_array_begin(json);
    while (sy_list_next_tag(list, &offset, &tag)) sy_json_hex(json, tag.bytes, sizeof tag.bytes);
    sy_json_array_end(json);
}

static void numbers_to_json(struct sy_json *json, const struct sy_list *list)
{
    uint32_t number;
    size_t offset = 0;
    sy_json_array_begin(json);
    while (sy_list_next_u32(list, &offset, &number)) sy_json_u64(json, number);
    sy_json_array_end(json);
}

static void approvals_to_json(struct sy_json *json, const struct sy_list *list)
{
    struct sy_approval approval;
    size_t offset = 0;
    sy_json_array_begin(json);
    while (sy_list_next_approval(list, &offset, &approval)) {
        sy_json_object_begin(json);
        sy_json_key(json, "key");
        sy_json_hex(json, approval.key.bytes, sizeof approval.key.bytes);
        sy_json_key(json, "signature");
        sy_json_hex(json, approval.signature.bytes, sizeof approval.signature.bytes);
        sy_json_object_end(json);
    }
    sy_json_array_end(json);
}

// Any value but a PAYLOAD_LIST.
static void value_to_json(struct sy_json *json, const struct sy_field *field, const void *value)
{
    switch (field->type) {
    case SY_FIELD_U8: sy_json_u64(json, *(const uint8_t *)value); break;
    case SY_FIELD_U16: sy_json_u64(json, *(const uint16_t *)value); break;
    case SY_FIELD_U32: sy_json_u64(json, *(const uint32_t *)value); break;
    case SY_FIELD_U64: sy_json_u64(json, *(const uint64_t *)value); break;
    case SY_FIELD_TIME: sy_json_i64(json, *(const int64_t *)value); break;
    case SY_FIELD_BOOL: sy_json_bool(json, *(const bool *)value); break;
    case SY_FIELD_ENUM: enum_to_json(json, field->names, *(const uint16_t *)value); break;
    case SY_FIELD_SET: set_to_json(json, field->names, *(const uint32_t *)value); break;
    case SY_FIELD_ID:
    case SY_FIELD_HASH:
    case SY_FIELD_KEY: sy_json_hex(json, value, 32); break;
    case SY_FIELD_POSSESSION: sy_json_hex(json, value, 64); break;
    case SY_FIELD_TAG: sy_json_hex(json, value, sizeof(struct sy_tag)); break;
    case SY_FIELD_TEXT: {
        const struct sy_slice *text = (const struct sy_slice *)value;
        sy_json_text_bytes(json, text->data, text->size);
        break;
    }
    case SY_FIELD_BYTES: {
        const struct sy_slice *bytes = (const struct sy_slice *)value;
        sy_json_hex(json, bytes->data, bytes->size);
        break;
    }
    case SY_FIELD_ID_LIST: ids_to_json(json, (const struct sy_list *)value); break;
    case SY_FIELD_TEXT_LIST: texts_to_json(json, (const struct sy_list *)value); break;
    case SY_FIELD_TAG_LIST: tags_to_json(json, (const struct sy_list *)value); break;
    case SY_FIELD_U32_LIST: numbers_to_json(json, (const struct sy_list *)value); break;
    case SY_FIELD_APPROVAL_LIST: approvals_to_json(json, (const struct sy_list *)value); break;
    default: sy_json_null(json);
    }
}

// The members of a payload that holds no other payloads.
static void flat_to_json(struct sy_json *json, const struct sy_kind *kind,
                         const union sy_payload *payload)
{
    sy_json_object_begin(json);
    for (unsigned i = 0; i < kind->field_count; i++) {
        const struct sy_field *field = &kind->fields[i];
        if (!sy_field_present(kind, field, payload)) continue;
        sy_json_key(json, field->name);
        value_to_json(json, field, sy_field_of(field, payload));
    }
    sy_json_object_end(json);
}

static void part_to_json(struct sy_json *json, const struct sy_part *part)
{
    union sy_payload payload;
    const struct sy_kind *kind = sy_kind_by_number(part->kind);
    sy_json_object_begin(json);
    if (kind) {
        sy_json_put_text(json, "kind", kind->name);
    } else {
        sy_json_put_u64(json, "kind", part->kind);
    }
    sy_json_put_u64(json, "signer", part->signer);
    sy_json_key(json, "payload");
    if (kind && sy_payload_decode(&payload, kind, part->payload, NULL)) {
        flat_to_json(json, kind, &payload);
    } else {
        sy_json_hex(json, part->payload.data, part->payload.size);
    }
    sy_json_object_end(json);
}

void sy_payload_to_json(struct sy_json *json, const struct sy_kind *kind,
                        const union sy_payload *payload)
{
    struct sy_part part;
    size_t offset = 0;
    if (kind->number != SY_KIND_atomic) {
        flat_to_json(json, kind, payload);
        return;
    }
    sy_json_object_begin(json);
    sy_json_key(json, "payloads");
    sy_json_array_begin(json);
    while (sy_list_next_part(&payload->atomic.payloads, &offset, &part)) {
        part_to_json(json, &part);
    }
    sy_json_array_end(json);
    sy_json_object_end(json);
}
