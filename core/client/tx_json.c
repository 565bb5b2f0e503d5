/* tx_json.c: payloads from JSON. The table says what each member must be; this file knows only the
 * field types. Lists are encoded into rooms of the reader's own, and the finished payload borrows
 * from them and from jansson's tree until it is encoded. */
#include "core/client/tx_json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/os.h"

#define PREFIX_BYTES 48

/* Bytes that lists and byte strings of one payload are written to. */
struct room {
    uint8_t *data; /* SY_TX_BYTES_MAX */
    size_t used;
};

struct reader {
    const char *name;          /* of the text, for sentences */
    char prefix[PREFIX_BYTES]; /* "" or "payloads[3]." */
    struct room *room;         /* of the payload at hand */
    struct sy_error *err;
};

/* ---- sentences ---------------------------------------------------------------------------- */

static sy_status refuse(const struct reader *reader, const struct sy_field *field, const char *path)
{
    char rule[512];
    struct sy_writer w = sy_writer_of(rule, sizeof rule - 1);
    sy_field_rule(&w, field);
    rule[w.used] = '\0';
    return sy_fail(reader->err, SY_ERR_ARGUMENT, "%s: %s%s must be: %s", reader->name,
                   reader->prefix, path, w.failed ? "as `systole explain` says" : rule);
}

/* ---- values ------------------------------------------------------------------------------- */

static bool read_number(void *out, const struct sy_field *field, const json_t *value)
{
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < 0) return false;
    switch (field->type) {
    case SY_FIELD_U8: *(uint8_t *)out = (uint8_t)number; return number <= UINT8_MAX;
    case SY_FIELD_U16: *(uint16_t *)out = (uint16_t)number; return number <= UINT16_MAX;
    case SY_FIELD_U32: *(uint32_t *)out = (uint32_t)number; return number <= UINT32_MAX;
    case SY_FIELD_U64: *(uint64_t *)out = (uint64_t)number; return true;
    default: *(int64_t *)out = (int64_t)number; return true;
    }
}

static bool read_time(int64_t *out, const struct sy_field *field, const json_t *value)
{
    const char *text = json_string_value(value);
    if (text && strcmp(text, "now") == 0) {
        *out = sy_os_wall_ms();
        return true;
    }
    return read_number(out, field, value);
}

static bool read_enum(uint16_t *out, const struct sy_field *field, const json_t *value)
{
    json_int_t number = json_integer_value(value);
    if (json_is_string(value)) {
        return sy_enum_number(out, field->names, json_string_value(value),
                              json_string_length(value));
    }
    *out = (uint16_t)number;
    return json_is_integer(value) && number >= 0 && number <= UINT16_MAX;
}

/* An array of words or numbers, none twice. */
static bool read_set(uint32_t *out, const struct sy_field *field, const json_t *value)
{
    *out = 0;
    if (!json_is_array(value)) return false;
    for (size_t i = 0; i < json_array_size(value); i++) {
        uint16_t number;
        if (!read_enum(&number, field, json_array_get(value, i)) || number >= 32) return false;
        if ((*out & SY_SET_BIT(number)) != 0) return false;
        *out |= SY_SET_BIT(number);
    }
    return true;
}

static bool read_hex(void *out, size_t size, const json_t *value)
{
    return json_is_string(value) && json_string_length(value) == 2 * size &&
           sy_hex_decode(out, size, json_string_value(value));
}

static bool read_id(void *out, const json_t *value)
{
    const char *text = json_string_value(value);
    if (!text || strcmp(text, "random") != 0) return read_hex(out, 32, value);
    sy_os_random(out, 32);
    return true;
}

static bool read_text(struct sy_slice *out, const struct sy_field *field, const json_t *value)
{
    *out = sy_slice_of(json_string_value(value), json_string_length(value));
    return json_is_string(value) && out->size <= field->max;
}

static bool read_bytes(struct room *room, struct sy_slice *out, const struct sy_field *field,
                       const json_t *value)
{
    size_t size = json_string_length(value) / 2;
    *out = sy_slice_of(room->data + room->used, size);
    if (size > field->max || size > SY_TX_BYTES_MAX - room->used ||
        !read_hex(room->data + room->used, size, value)) {
        return false;
    }
    room->used += size;
    return true;
}

static bool read_approvals(struct room *room, struct sy_list *out, const struct sy_field *field,
                           const json_t *value)
{
    struct sy_writer w = sy_writer_of(room->data + room->used, SY_TX_BYTES_MAX - room->used);
    *out = (struct sy_list){0};
    if (!json_is_array(value) || json_array_size(value) > field->items_max) return false;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        struct sy_approval approval;
        if (!json_is_object(item) || json_object_size(item) != 2 ||
            !read_hex(approval.key.bytes, 32, json_object_get(item, "key")) ||
            !read_hex(approval.signature.bytes, 64, json_object_get(item, "signature"))) {
            return false;
        }
        sy_list_add_approval(out, &w, &approval);
    }
    room->used += w.used;
    return !w.failed;
}

static bool read_list(struct room *room, struct sy_list *out, const struct sy_field *field,
                      const json_t *value)
{
    struct sy_writer w = sy_writer_of(room->data + room->used, SY_TX_BYTES_MAX - room->used);
    *out = (struct sy_list){0};
    if (!json_is_array(value) || json_array_size(value) > field->items_max) return false;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        struct sy_hash id;
        struct sy_tag tag;
        struct sy_slice text;
        if (field->type == SY_FIELD_ID_LIST) {
            if (!read_hex(id.bytes, sizeof id.bytes, item)) return false;
            sy_list_add_id(out, &w, &id);
        } else if (field->type == SY_FIELD_TAG_LIST) {
            if (!read_hex(tag.bytes, sizeof tag.bytes, item)) return false;
            sy_list_add_tag(out, &w, &tag);
        } else if (field->type == SY_FIELD_U32_LIST) {
            json_int_t number = json_is_integer(item) ? json_integer_value(item) : -1;
            if (number < 0 || number > UINT32_MAX) return false;
            sy_list_add_u32(out, &w, (uint32_t)number);
        } else {
            if (!read_text(&text, field, item)) return false;
            sy_list_add_text(out, &w, text);
        }
    }
    room->used += w.used;
    return !w.failed;
}

static bool read_value(struct room *room, void *out, const struct sy_field *field,
                       const json_t *value)
{
    switch (field->type) {
    case SY_FIELD_TIME: return read_time((int64_t *)out, field, value);
    case SY_FIELD_BOOL: *(bool *)out = json_is_true(value); return json_is_boolean(value);
    case SY_FIELD_ENUM: return read_enum((uint16_t *)out, field, value);
    case SY_FIELD_SET: return read_set((uint32_t *)out, field, value);
    case SY_FIELD_ID: return read_id(out, value);
    case SY_FIELD_HASH:
    case SY_FIELD_KEY: return read_hex(out, 32, value);
    case SY_FIELD_POSSESSION: return read_hex(out, 64, value);
    case SY_FIELD_TAG: return read_hex(out, sizeof(struct sy_tag), value);
    case SY_FIELD_TEXT: return read_text((struct sy_slice *)out, field, value);
    case SY_FIELD_BYTES: return read_bytes(room, (struct sy_slice *)out, field, value);
    case SY_FIELD_ID_LIST:
    case SY_FIELD_TAG_LIST:
    case SY_FIELD_U32_LIST:
    case SY_FIELD_TEXT_LIST: return read_list(room, (struct sy_list *)out, field, value);
    case SY_FIELD_APPROVAL_LIST: return read_approvals(room, (struct sy_list *)out, field, value);
    case SY_FIELD_PAYLOAD_LIST: return false; // only atomic has one, and read_parts reads it
    default: return read_number(out, field, value);
    }
}

/* ---- payloads ----------------------------------------------------------------------------- */

static sy_status refuse_unknown_members(const struct reader *reader, const struct sy_kind *kind,
                                        const json_t *object)
{
    void *at = json_object_iter((json_t *)object);
    for (; at; at = json_object_iter_next((json_t *)object, at)) {
        const char *key = json_object_iter_key(at);
        if (sy_kind_field(kind, key)) continue;
        return sy_fail(reader->err, SY_ERR_ARGUMENT,
                       "%s: %s has no field %s%.60s; `systole explain %s` lists them", reader->name,
                       kind->name, reader->prefix, key, kind->name);
    }
    return SY_OK;
}

static sy_status read_field(struct reader *reader, union sy_payload *payload,
                            const struct sy_kind *kind, const struct sy_field *field,
                            const json_t *object)
{
    const json_t *value = json_object_get(object, field->name);
    bool optional = field->has_offset != SY_FIELD_REQUIRED;
    if (optional) sy_field_set_present(field, payload, value != NULL);
    if (value) {
        void *out = sy_field_of_mutable(field, payload);
        return read_value(reader->room, out, field, value) ? SY_OK
                                                           : refuse(reader, field, field->name);
    }
    bool comes_later = field->type == SY_FIELD_POSSESSION || field->type == SY_FIELD_APPROVAL_LIST;
    if (optional || comes_later) return SY_OK;
    return sy_fail(reader->err, SY_ERR_ARGUMENT,
                   "%s: %s%s is missing; `systole explain %s` says what it is", reader->name,
                   reader->prefix, field->name, kind->name);
}

// A possession that is given while its key is not would be dropped by the encoder without a word.
static sy_status refuse_lonely_possessions(const struct reader *reader, const struct sy_kind *kind,
                                           const union sy_payload *payload, const json_t *object)
{
    for (unsigned i = 0; i < kind->field_count; i++) {
        const struct sy_field *field = &kind->fields[i];
        if (field->type != SY_FIELD_POSSESSION || sy_field_present(kind, field, payload)) continue;
        if (json_object_get(object, field->name)) return refuse(reader, field, field->name);
    }
    return SY_OK;
}

static sy_status check_rules(const struct reader *reader, const struct sy_kind *kind,
                             const union sy_payload *payload)
{
    struct sy_path path;
    char name[SY_PATH_BYTES_MAX];
    if (sy_payload_check(kind, payload, &path)) return SY_OK;
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(path.text, "[."), path.text);
    const struct sy_field *field = sy_kind_field(kind, name);
    if (field) return refuse(reader, field, path.text);
    return sy_fail(reader->err, SY_ERR_ARGUMENT, "%s: %s%s breaks its rule", reader->name,
                   reader->prefix, path.text);
}

/* Any payload but an atomic one. */
static sy_status read_flat(struct reader *reader, union sy_payload *payload,
                           const struct sy_kind *kind, const json_t *object)
{
    memset(payload, 0, sizeof *payload);
    if (!json_is_object(object)) {
        return sy_fail(reader->err, SY_ERR_ARGUMENT, "%s: %sthe payload must be an object",
                       reader->name, reader->prefix);
    }
    SY_TRY(refuse_unknown_members(reader, kind, object));
    for (unsigned i = 0; i < kind->field_count; i++) {
        SY_TRY(read_field(reader, payload, kind, &kind->fields[i], object));
    }
    SY_TRY(refuse_lonely_possessions(reader, kind, payload, object));
    return check_rules(reader, kind, payload);
}

/* ---- atomic ------------------------------------------------------------------------------- */

static sy_status read_part_head(const struct reader *reader, struct sy_part *part,
                                const struct sy_kind **kind, const json_t *item)
{
    const char *name = json_string_value(json_object_get(item, "kind"));
    const json_t *signer = json_object_get(item, "signer");
    *kind = name ? sy_kind_by_name(name) : NULL;
    if (!*kind || (*kind)->number == SY_KIND_atomic) {
        return sy_fail(reader->err, SY_ERR_ARGUMENT,
                       "%s: %skind must be the name of a kind other than atomic", reader->name,
                       reader->prefix);
    }
    json_int_t number = json_integer_value(signer);
    if (!json_is_integer(signer) || number < 0 || number >= (json_int_t)SY_TX_SIGNERS_MAX) {
        return sy_fail(reader->err, SY_ERR_ARGUMENT,
                       "%s: %ssigner must be the number of the signer that answers for it, 0 the "
                       "first",
                       reader->name, reader->prefix);
    }
    if (json_object_size(item) != 3 || !json_object_get(item, "payload")) {
        return sy_fail(reader->err, SY_ERR_ARGUMENT,
                       "%s: %s must have kind, signer and payload, and nothing else", reader->name,
                       reader->prefix);
    }
    part->kind = (*kind)->number;
    part->signer = (uint8_t)number;
    return SY_OK;
}

/* Reads one part and appends it to the list; bytes is scratch of SY_TX_BYTES_MAX. */
static sy_status read_part(struct reader *reader, struct sy_list *list, struct sy_writer *list_room,
                           uint8_t *bytes, const json_t *item)
{
    const struct sy_kind *kind;
    struct sy_part part;
    union sy_payload payload;
    struct sy_writer w = sy_writer_of(bytes, SY_TX_BYTES_MAX);
    reader->room->used = 0;
    SY_TRY(read_part_head(reader, &part, &kind, item));
    SY_TRY(read_flat(reader, &payload, kind, json_object_get(item, "payload")));
    sy_payload_encode(&w, kind, &payload);
    part.payload = sy_writer_slice(&w);
    if (!w.failed) sy_list_add_part(list, list_room, &part);
    if (!w.failed && !list_room->failed) return SY_OK;
    return sy_fail(reader->err, SY_ERR_LIMIT, "%s: at %s the transaction grows over %u bytes",
                   reader->name, reader->prefix, SY_TX_BYTES_MAX);
}

static sy_status read_parts(struct reader *reader, union sy_payload *payload,
                            struct sy_writer *list_room, uint8_t *bytes, const json_t *object)
{
    const json_t *items = json_object_get(object, "payloads");
    const struct sy_kind *kind = sy_kind_by_number(SY_KIND_atomic);
    memset(payload, 0, sizeof *payload);
    if (!json_is_array(items) || json_object_size(object) != 1 ||
        json_array_size(items) > SY_ATOMIC_PAYLOADS_MAX) {
        return refuse(reader, &kind->fields[0], "payloads");
    }
    for (size_t i = 0; i < json_array_size(items); i++) {
        (void)snprintf(reader->prefix, sizeof reader->prefix, "payloads[%zu].", i);
        SY_TRY(read_part(reader, &payload->atomic.payloads, list_room, bytes,
                         json_array_get(items, i)));
    }
    reader->prefix[0] = '\0';
    return check_rules(reader, kind, payload);
}

/* ---- texts -------------------------------------------------------------------------------- */

static sy_status encode_tree(struct sy_writer *out, const struct sy_kind *kind, const json_t *tree,
                             const char *name, struct sy_error *err)
{
    union sy_payload payload;
    uint8_t *rooms = (uint8_t *)malloc(3 * (size_t)SY_TX_BYTES_MAX);
    if (!rooms) return sy_fail(err, SY_ERR_NO_MEMORY, "%s: no memory", name);
    struct room room = {rooms, 0};
    struct reader reader = {.name = name, .room = &room, .err = err};
    struct sy_writer list_room = sy_writer_of(rooms + SY_TX_BYTES_MAX, SY_TX_BYTES_MAX);
    sy_status status =
        kind->number == SY_KIND_atomic
            ? read_parts(&reader, &payload, &list_room, rooms + 2 * (size_t)SY_TX_BYTES_MAX, tree)
            : read_flat(&reader, &payload, kind, tree);
    if (status == SY_OK) {
        sy_payload_encode(out, kind, &payload);
        if (out->failed) {
            status = sy_fail(err, SY_ERR_LIMIT,
                             "%s: the payload is longer than a transaction may "
                             "be (%u bytes)",
                             name, SY_TX_BYTES_MAX);
        }
    }
    free(rooms);
    return status;
}

sy_status sy_payload_from_json(struct sy_writer *out, const struct sy_kind *kind,
                               struct sy_slice json, const char *name, struct sy_error *err)
{
    json_error_t why;
    if (json.size > SY_TX_JSON_BYTES_MAX) {
        return sy_fail(err, SY_ERR_LIMIT, "%s: longer than %u bytes", name, SY_TX_JSON_BYTES_MAX);
    }
    json_t *tree = json_loadb((const char *)json.data, json.size, JSON_REJECT_DUPLICATES, &why);
    if (!tree) {
        return sy_fail(err, SY_ERR_FORMAT, "%s: line %d, column %d: %s", name, why.line, why.column,
                       why.text);
    }
    sy_status status = encode_tree(out, kind, tree, name, err);
    json_decref(tree);
    return status;
}

/* ---- name=value --------------------------------------------------------------------------- */

static json_t *list_of_text(const char *value)
{
    json_t *list = json_array();
    while (list && *value) {
        size_t size = strcspn(value, ",");
        if (json_array_append_new(list, json_stringn(value, size)) != 0) {
            json_decref(list);
            return NULL;
        }
        value += size;
        if (*value == ',') value++;
    }
    return list;
}

/* Turns a list's texts into numbers, where they are some; what is none is refused later. */
static json_t *numbers_of(json_t *list)
{
    uint64_t number;
    for (size_t i = 0; list && i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (text && sy_parse_u64(&number, text, 0, UINT32_MAX)) {
            (void)json_array_set_new(list, i, json_integer((json_int_t)number));
        }
    }
    return list;
}

/* The JSON that a value on a command line stands for; NULL: none (not UTF-8, say). */
static json_t *value_of_text(const struct sy_field *field, const char *value)
{
    uint64_t number;
    switch (field->type) {
    case SY_FIELD_U8:
    case SY_FIELD_U16:
    case SY_FIELD_U32:
    case SY_FIELD_U64:
    case SY_FIELD_TIME:
    case SY_FIELD_ENUM:
        if (sy_parse_u64(&number, value, 0, INT64_MAX)) return json_integer((json_int_t)number);
        return json_string(value);
    case SY_FIELD_BOOL:
        if (strcmp(value, "true") == 0) return json_true();
        if (strcmp(value, "false") == 0) return json_false();
        return json_string(value);
    case SY_FIELD_U32_LIST: return numbers_of(list_of_text(value));
    case SY_FIELD_SET: // by words only
    case SY_FIELD_ID_LIST:
    case SY_FIELD_TAG_LIST:
    case SY_FIELD_TEXT_LIST: return list_of_text(value);
    default: return json_string(value);
    }
}

static sy_status add_pair(json_t *object, const struct sy_kind *kind, const char *pair,
                          struct sy_error *err)
{
    char name[64];
    const char *equals = strchr(pair, '=');
    if (!equals || equals == pair || (size_t)(equals - pair) >= sizeof name) {
        return sy_fail(err, SY_ERR_ARGUMENT, "'%.80s': write a field as name=value", pair);
    }
    (void)snprintf(name, sizeof name, "%.*s", (int)(equals - pair), pair);
    const struct sy_field *field = sy_kind_field(kind, name);
    if (!field) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%s has no field %s; `systole explain %s` lists them",
                       kind->name, name, kind->name);
    }
    if (json_object_get(object, name)) {
        return sy_fail(err, SY_ERR_ARGUMENT, "field %s is given twice", name);
    }
    if (json_object_set_new(object, name, value_of_text(field, equals + 1)) == 0) return SY_OK;
    return sy_fail(err, SY_ERR_ARGUMENT, "field %s: its value is not UTF-8 text", name);
}

sy_status sy_payload_from_fields(struct sy_writer *out, const struct sy_kind *kind,
                                 const char *const *pairs, unsigned count, struct sy_error *err)
{
    if (kind->number == SY_KIND_atomic) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "an atomic transaction's payloads do not fit name=value: give JSON");
    }
    json_t *object = json_object();
    sy_status status = object ? SY_OK : sy_fail(err, SY_ERR_NO_MEMORY, "fields: no memory");
    for (unsigned i = 0; i < count && status == SY_OK; i++) {
        status = add_pair(object, kind, pairs[i], err);
    }
    if (status == SY_OK) status = encode_tree(out, kind, object, "fields", err);
    json_decref(object);
    return status;
}
