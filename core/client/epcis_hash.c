/* epcis_hash.c: the pre-hash of an event (CBV 2.0 section 8.9).
 *
 * Fields of the standard stand in its order, everything else behind them, sorted; lists are sorted
 * by the text of what is in them. So a text is known only when all that is in it is: values are
 * walked with a stack of our own, and what is finished is a part of what is above it. All parts
 * lie in one buffer, those of what is open at its end. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/client/epcis_internal.h"

/* --- the canonical order --------------------------------------------------------------------- */

struct field {
    const char *name; /* NULL: the end of an order */
    bool time;
    enum sy_epcis_words words;
    const char *item;        /* a list's: what one of it is called; "": nothing */
    const struct field *sub; /* the order in it; NULL: any field, sorted */
};

// clang-format off
static const struct field id_fields[] = {{.name = "id"}, {NULL, false, 0, NULL, NULL}};
static const struct field quantity_fields[] = {
    {.name = "epcClass"}, {.name = "quantity"}, {.name = "uom"}, {NULL, false, 0, NULL, NULL}};
static const struct field persistent_fields[] = {
    {.name = "set", .words = SY_EPCIS_DISPOSITIONS},
    {.name = "unset", .words = SY_EPCIS_DISPOSITIONS}, {NULL, false, 0, NULL, NULL}};
static const struct field metadata_fields[] = {
    {.name = "time", .time = true}, {.name = "startTime", .time = true},
    {.name = "endTime", .time = true}, {.name = "deviceID"}, {.name = "deviceMetadata"},
    {.name = "rawData"}, {.name = "dataProcessingMethod"}, {.name = "bizRules"},
    {NULL, false, 0, NULL, NULL}};
static const struct field report_fields[] = {
    {.name = "type", .words = SY_EPCIS_MEASUREMENTS},
    {.name = "exception", .words = SY_EPCIS_EXCEPTIONS}, {.name = "deviceID"},
    {.name = "deviceMetadata"}, {.name = "rawData"}, {.name = "dataProcessingMethod"},
    {.name = "time", .time = true}, {.name = "microorganism"}, {.name = "chemicalSubstance"},
    {.name = "value"}, {.name = "component", .words = SY_EPCIS_COMPONENTS},
    {.name = "stringValue"}, {.name = "booleanValue"}, {.name = "hexBinaryValue"},
    {.name = "uriValue"}, {.name = "minValue"}, {.name = "maxValue"}, {.name = "meanValue"},
    {.name = "sDev"}, {.name = "percRank"}, {.name = "percValue"}, {.name = "uom"},
    {.name = "coordinateReferenceSystem"}, {NULL, false, 0, NULL, NULL}};
static const struct field sensor_fields[] = {
    {.name = "sensorMetadata", .sub = metadata_fields},
    {.name = "sensorReport", .sub = report_fields}, {NULL, false, 0, NULL, NULL}};
static const struct field event_fields[] = {
    {.name = "eventTime", .time = true},
    {.name = "eventTimeZoneOffset"},
    {.name = "certificationInfo"},
    {.name = "epcList", .item = "epc"},
    {.name = "parentID"},
    {.name = "inputEPCList", .item = "epc"},
    {.name = "childEPCs", .item = "epc"},
    {.name = "quantityList", .item = "quantityElement", .sub = quantity_fields},
    {.name = "childQuantityList", .item = "quantityElement", .sub = quantity_fields},
    {.name = "inputQuantityList", .item = "quantityElement", .sub = quantity_fields},
    {.name = "outputEPCList", .item = "epc"},
    {.name = "outputQuantityList", .item = "quantityElement", .sub = quantity_fields},
    {.name = "action"},
    {.name = "transformationID"},
    {.name = "bizStep", .words = SY_EPCIS_BIZ_STEPS},
    {.name = "disposition", .words = SY_EPCIS_DISPOSITIONS},
    {.name = "persistentDisposition", .sub = persistent_fields},
    {.name = "readPoint", .sub = id_fields},
    {.name = "bizLocation", .sub = id_fields},
    {.name = "sensorElementList", .item = "sensorElement", .sub = sensor_fields},
    {NULL, false, 0, NULL, NULL}};

/* Fields of the standard that stand among the sorted ones. */
static const struct field transaction_fields[] = {
    {.name = "type", .words = SY_EPCIS_TRANSACTION_TYPES}, {.name = "bizTransaction"},
    {NULL, false, 0, NULL, NULL}};
static const struct field source_fields[] = {
    {.name = "type", .words = SY_EPCIS_PARTY_TYPES}, {.name = "source"},
    {NULL, false, 0, NULL, NULL}};
static const struct field destination_fields[] = {
    {.name = "type", .words = SY_EPCIS_PARTY_TYPES}, {.name = "destination"},
    {NULL, false, 0, NULL, NULL}};
static const struct field sorted_fields[] = {
    {.name = "bizTransactionList", .item = "", .sub = transaction_fields},
    {.name = "sourceList", .item = "", .sub = source_fields},
    {.name = "destinationList", .item = "", .sub = destination_fields},
    {NULL, false, 0, NULL, NULL}};
// clang-format on

/* What an event says of itself and not of what happened. */
static const char *const left_out[] = {"type", "eventID", "recordTime", "errorDeclaration"};

/* --- the walk -------------------------------------------------------------------------------- */

struct part {
    size_t offset, size;
    const char *bytes; /* while they are sorted */
};

/* An object or a list that is open. */
struct level {
    json_t *node;
    bool is_list;
    const struct field *order; /* of an object's fields, or in a list's items; NULL: sorted */
    const struct field *field; /* a list's: how its items are read; NULL: as they are */
    struct sy_slice item;      /* a list's: what one of it is called */
    size_t index;              /* a list's next item */
    const struct field *next;  /* an object's next field in order */
    void *rest;                /* then: the next of the others */
    bool in_rest;
    size_t offset;     /* where its text begins, */
    size_t name_bytes; /* with so much of a name in front */
    size_t part;       /* its first part */
    size_t ordered;    /* parts in front that stay in their order */
    bool optional;     /* nothing at all if there is nothing in it */
    bool spills;       /* its parts are those of what is above it */
};

/* Each array and object of a document is one level; an object where a list may stand is two. */
#define LEVELS_MAX (2 * SY_EPCIS_DEPTH_MAX + 2)

struct walk {
    const struct sy_epcis_event *event;
    struct sy_epcis_text text;
    struct part *parts;
    size_t part_count, part_capacity;
    struct level levels[LEVELS_MAX];
    size_t depth;
    struct sy_error *err;
};

static sy_status add_part(struct walk *walk, size_t offset)
{
    if (walk->text.status == SY_ERR_NO_MEMORY) {
        return sy_fail(walk->err, SY_ERR_NO_MEMORY, "no memory for an event");
    }
    if (walk->text.status != SY_OK) {
        return sy_fail(walk->err, SY_ERR_LIMIT, "%s: more than %u MiB of it are to be hashed",
                       walk->event->path, SY_EPCIS_PREHASH_BYTES_MAX >> 20);
    }
    if (walk->part_count == walk->part_capacity) {
        size_t capacity = walk->part_capacity == 0 ? 64 : walk->part_capacity * 2;
        struct part *parts = realloc(walk->parts, capacity * sizeof *parts);
        if (parts == NULL) return sy_fail(walk->err, SY_ERR_NO_MEMORY, "no memory for an event");
        walk->parts = parts;
        walk->part_capacity = capacity;
    }
    walk->parts[walk->part_count++] = (struct part){offset, walk->text.size - offset, NULL};
    return SY_OK;
}

/* Opens an object or a list whose name, if any, stands behind level.offset. */
static sy_status push(struct walk *walk, struct level level)
{
    if (walk->depth == LEVELS_MAX) {
        return sy_fail(walk->err, SY_ERR_LIMIT, "%s: nested too deep", walk->event->path);
    }
    level.part = walk->part_count;
    level.name_bytes = walk->text.size - level.offset;
    if (!level.is_list) {
        level.next = level.order;
        level.rest = json_object_iter(level.node);
    }
    walk->levels[walk->depth++] = level;
    return SY_OK;
}

/* name=value; in an optional place nothing for an empty value, else the name alone. */
static sy_status put_scalar(struct walk *walk, struct sy_slice name, const struct field *field,
                            const json_t *value, bool optional)
{
    size_t offset = walk->text.size;
    if (json_is_null(value)) return SY_OK;
    sy_epcis_put_key(&walk->text, walk->event, name);
    size_t named = walk->text.size;
    sy_epcis_put(&walk->text, "=", 1);
    if (field == NULL || !field->time) {
        enum sy_epcis_words words = field != NULL ? field->words : SY_EPCIS_NO_WORDS;
        sy_epcis_put_value(&walk->text, walk->event, words, value);
    } else if (!sy_epcis_put_time(&walk->text, value)) {
        return sy_fail(walk->err, SY_ERR_FORMAT,
                       "%s: a %s is no time with a zone, as 2026-11-30T08:00:00.000+01:00 is",
                       walk->event->path, field->name);
    }
    if (walk->text.size > named + 1) return add_part(walk, offset);
    walk->text.size = optional ? offset : named;
    return optional ? SY_OK : add_part(walk, offset);
}

/* Values under a name, one or an array of them. */
static sy_status put_values(struct walk *walk, struct sy_slice name, const struct field *field,
                            const struct field *order, json_t *value, bool optional)
{
    if (!json_is_object(value) && !json_is_array(value)) {
        return put_scalar(walk, name, field, value, optional);
    }
    struct level level = {.node = value,
                          .is_list = json_is_array(value),
                          .order = order,
                          .field = field,
                          .item = name,
                          .offset = walk->text.size,
                          .optional = optional};
    level.spills = level.is_list && !optional; // where all is sorted, a list's items are, too
    if (!level.is_list) sy_epcis_put_key(&walk->text, walk->event, name);
    return push(walk, level);
}

/* A field of an object. What ends with List is a list of what is called the same without it, as in
 * XML, unless the standard says how. */
static sy_status put_field(struct walk *walk, const char *key, const struct field *field,
                           json_t *value, bool optional)
{
    struct sy_slice name = sy_slice_of(key, strlen(key));
    const struct field *order = field != NULL ? field->sub : NULL;
    bool listed = name.size > 4 && strcmp(key + name.size - 4, "List") == 0;
    struct sy_slice item = sy_slice_of(key, listed ? name.size - 4 : 0);
    if (field != NULL) {
        listed = field->item != NULL;
        if (listed) item = sy_slice_of(field->item, strlen(field->item));
    }
    if (!listed) return put_values(walk, name, field, order, value, optional);
    struct level level = {.node = value,
                          .is_list = true,
                          .order = order,
                          .field = field,
                          .item = item,
                          .offset = walk->text.size,
                          .optional = optional};
    sy_epcis_put_key(&walk->text, walk->event, name);
    return push(walk, level);
}

static bool is_listed(const struct field *order, const char *name)
{
    for (; order != NULL && order->name != NULL; order++) {
        if (strcmp(order->name, name) == 0) return true;
    }
    return false;
}

static bool is_left_out(const struct walk *walk, const char *name)
{
    bool top = walk->depth == 1;
    if (name[0] == '@' || strcmp(name, "comment") == 0 || strcmp(name, "rdfs:comment") == 0) {
        return true;
    }
    for (size_t i = 0; top && i < sizeof left_out / sizeof left_out[0]; i++) {
        if (strcmp(name, left_out[i]) == 0) return true;
    }
    const json_t *ignored = walk->event->document->ignored;
    for (size_t i = 0; top && i < json_array_size(ignored); i++) {
        const char *field = json_string_value(json_array_get(ignored, i));
        if (field != NULL && strcmp(field, name) == 0) return true;
    }
    return false;
}

static const struct field *sorted_field(const struct walk *walk, const char *name)
{
    if (walk->depth != 1) return NULL;
    for (const struct field *field = sorted_fields; field->name != NULL; field++) {
        if (strcmp(field->name, name) == 0) return field;
    }
    return NULL;
}

/* The next field of an object; *ended: there is none. */
static sy_status step_object(struct walk *walk, struct level *level, bool *ended)
{
    while (level->next != NULL && level->next->name != NULL) {
        const struct field *field = level->next++;
        json_t *value = json_object_get(level->node, field->name);
        if (value != NULL) return put_field(walk, field->name, field, value, true);
    }
    if (!level->in_rest) {
        level->in_rest = true;
        level->ordered = walk->part_count - level->part;
    }
    while (level->rest != NULL) {
        const char *name = json_object_iter_key(level->rest);
        json_t *value = json_object_iter_value(level->rest);
        level->rest = json_object_iter_next(level->node, level->rest);
        if (is_listed(level->order, name) || is_left_out(walk, name)) continue;
        return put_field(walk, name, sorted_field(walk, name), value, false);
    }
    *ended = true;
    return SY_OK;
}

/* The next item of a list; a value alone is a list of one. */
static sy_status step_list(struct walk *walk, struct level *level, bool *ended)
{
    bool is_array = json_is_array(level->node);
    size_t count = is_array ? json_array_size(level->node) : 1;
    *ended = level->index == count;
    if (*ended) return SY_OK;
    json_t *value = is_array ? json_array_get(level->node, level->index) : level->node;
    level->index++;
    return put_values(walk, level->item, level->field, level->order, value, level->optional);
}

static int compare_parts(const void *a, const void *b)
{
    const struct part *left = (const struct part *)a;
    const struct part *right = (const struct part *)b;
    size_t common = left->size < right->size ? left->size : right->size;
    int order = common ? memcmp(left->bytes, right->bytes, common) : 0;
    if (order != 0) return order;
    return left->size < right->size ? -1 : left->size > right->size;
}

/* Puts a level's parts in their order, behind each other. */
static sy_status order_parts(struct walk *walk, const struct level *level)
{
    struct part *parts = walk->parts + level->part;
    size_t count = walk->part_count - level->part;
    size_t first = level->offset + level->name_bytes;
    size_t size = walk->text.size - first;
    char *copy = malloc(size + 1);
    if (copy == NULL) return sy_fail(walk->err, SY_ERR_NO_MEMORY, "no memory for an event");
    memcpy(copy, walk->text.data + first, size);
    for (size_t i = 0; i < count; i++) parts[i].bytes = copy + (parts[i].offset - first);
    qsort(parts + level->ordered, count - level->ordered, sizeof *parts, compare_parts);
    walk->text.size = first;
    for (size_t i = 0; i < count; i++) sy_epcis_put(&walk->text, parts[i].bytes, parts[i].size);
    free(copy);
    return SY_OK;
}

/* Makes one part of all that is in a level. */
static sy_status join(struct walk *walk, const struct level *level)
{
    size_t count = walk->part_count - level->part;
    if (count == 0 && level->optional) {
        walk->text.size = level->offset;
        return SY_OK;
    }
    if (count > level->ordered + 1) SY_TRY(order_parts(walk, level));
    walk->part_count = level->part;
    return add_part(walk, level->offset);
}

static sy_status run(struct walk *walk)
{
    while (walk->depth > 0) {
        struct level *level = &walk->levels[walk->depth - 1];
        bool ended = false;
        SY_TRY(level->is_list ? step_list(walk, level, &ended) : step_object(walk, level, &ended));
        if (!ended) continue;
        struct level done = *level;
        walk->depth--;
        if (!done.spills) SY_TRY(join(walk, &done));
    }
    return SY_OK;
}

static sy_status walk_event(struct walk *walk)
{
    const char *type = sy_epcis_type_word(walk->event->type);
    struct level level = {.node = walk->event->json, .order = event_fields};
    sy_epcis_put(&walk->text, "eventType=", 10);
    sy_epcis_put(&walk->text, type, strlen(type));
    SY_TRY(push(walk, level));
    SY_TRY(run(walk));
    sy_epcis_put(&walk->text, "", 1);
    if (walk->text.status == SY_OK) return SY_OK;
    return add_part(walk, 0); // says why not
}

sy_status sy_epcis_prehash(char **out, size_t *size, const struct sy_epcis_event *event,
                           struct sy_error *err)
{
    *out = NULL;
    *size = 0;
    if (event->type == 0 || !json_is_object(event->json)) {
        return sy_fail(err, SY_ERR_FORMAT, "%s.type is none of the five types of events",
                       event->path);
    }
    struct walk *walk = calloc(1, sizeof *walk);
    if (walk == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for an event");
    walk->event = event;
    walk->err = err;
    sy_status status = walk_event(walk);
    if (status == SY_OK) {
        *out = walk->text.data;
        *size = walk->text.size - 1;
    } else {
        free(walk->text.data);
    }
    free(walk->parts);
    free(walk);
    return status;
}
