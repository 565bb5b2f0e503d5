/* fhir_facts.c: one walk over jansson's tree of a resource. */
#include "core/client/fhir_facts.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/wire/schema.h"

/* --- the pool -------------------------------------------------------------------------------- */

#define BLOCK_BYTES (256u << 10)

struct sy_fhir_block {
    struct sy_fhir_block *next;
    size_t size, used;
    _Alignas(16) uint8_t bytes[];
};

static struct sy_fhir_block *add_block(struct sy_fhir_pool *pool, size_t size)
{
    size_t room = size > BLOCK_BYTES ? size : BLOCK_BYTES;
    struct sy_fhir_block *block = malloc(sizeof *block + room);
    if (block == NULL) return NULL;
    block->next = NULL;
    block->size = room;
    block->used = 0;
    if (pool->current != NULL) pool->current->next = block;
    if (pool->first == NULL) pool->first = block;
    pool->current = block;
    return block;
}

void *sy_fhir_pool_take(struct sy_fhir_pool *pool, size_t size)
{
    size_t rounded = (size + 15) & ~(size_t)15;
    struct sy_fhir_block *block = pool->current;
    if (block == NULL || block->size - block->used < rounded) {
        bool reusable = block != NULL && block->next != NULL && block->next->size >= rounded;
        if (reusable) {
            pool->current = block = block->next;
        } else {
            struct sy_fhir_block *rest = block == NULL ? NULL : block->next;
            block = add_block(pool, rounded);
            if (block == NULL) return NULL;
            block->next = rest;
        }
    }
    void *out = block->bytes + block->used;
    block->used += rounded;
    return out;
}

void sy_fhir_pool_reset(struct sy_fhir_pool *pool)
{
    // Blocks beyond the second are given back: one large document must not hold its memory.
    struct sy_fhir_block *block = pool->first;
    for (int kept = 0; block != NULL; kept++) {
        struct sy_fhir_block *next = block->next;
        block->used = 0;
        if (kept == 1) block->next = NULL;
        if (kept > 1) free(block);
        block = next;
    }
    pool->current = pool->first;
}

void sy_fhir_pool_free(struct sy_fhir_pool *pool)
{
    for (struct sy_fhir_block *block = pool->first; block != NULL;) {
        struct sy_fhir_block *next = block->next;
        free(block);
        block = next;
    }
    pool->first = pool->current = NULL;
}

static bool pool_copy(struct sy_fhir_pool *pool, struct sy_slice *out, const char *text,
                      size_t size)
{
    char *copy = sy_fhir_pool_take(pool, size + 1);
    if (copy == NULL) return false;
    memcpy(copy, text, size);
    copy[size] = '\0';
    *out = sy_slice_of(copy, size);
    return true;
}

/* --- complaints ------------------------------------------------------------------------------ */

static bool complain(struct sy_fhir_complaint *complaint, const char *what, const char *remedy)
{
    snprintf(complaint->what, sizeof complaint->what, "%s", what);
    complaint->remedy = remedy;
    return false;
}

static bool complain_memory(struct sy_fhir_complaint *complaint)
{
    return complain(complaint, "no memory for this resource", "run again with more memory");
}

/* --- references ------------------------------------------------------------------------------ */

struct field_row {
    const char *top;  /* NULL: any */
    const char *leaf; /* the key that holds the Reference */
    enum sy_fhir_field field;
};

/* clang-format off */
static const struct field_row field_rows[] = {
    {NULL, "patient", SY_FHIR_PATIENT},
    {"subject", "subject", SY_FHIR_SUBJECT},
    {"beneficiary", "beneficiary", SY_FHIR_BENEFICIARY},
    {"for", "for", SY_FHIR_FOR},
    {"individual", "individual", SY_FHIR_INDIVIDUAL},
    {"encounter", "encounter", SY_FHIR_ENCOUNTER},
    {"context", "context", SY_FHIR_CONTEXT},
    {"context", "encounter", SY_FHIR_CONTEXT},
    {"item", "encounter", SY_FHIR_ITEM_ENCOUNTER},
    {"serviceProvider", "serviceProvider", SY_FHIR_SERVICE_PROVIDER},
    {"managingOrganization", "managingOrganization", SY_FHIR_MANAGING_ORGANIZATION},
    {"custodian", "custodian", SY_FHIR_CUSTODIAN},
    {"organization", "organization", SY_FHIR_ORGANIZATION},
    {"providedBy", "providedBy", SY_FHIR_PROVIDED_BY},
    {"author", "author", SY_FHIR_AUTHOR},
    {"recorder", "recorder", SY_FHIR_RECORDER},
    {"performer", "performer", SY_FHIR_PERFORMER},
    {"performer", "actor", SY_FHIR_PERFORMER},
    {"requester", "requester", SY_FHIR_REQUESTER},
    {"asserter", "asserter", SY_FHIR_ASSERTER},
    {"participant", "individual", SY_FHIR_PARTICIPANT},
    {"provider", "provider", SY_FHIR_PROVIDER},
    {"practitioner", "practitioner", SY_FHIR_PRACTITIONER},
    {"careTeam", "provider", SY_FHIR_CARE_TEAM},
    {"enterer", "enterer", SY_FHIR_ENTERER},
    {"basedOn", "basedOn", SY_FHIR_BASED_ON},
    {"partOf", "partOf", SY_FHIR_PART_OF},
    {"derivedFrom", "derivedFrom", SY_FHIR_DERIVED_FROM},
    {"replaces", "replaces", SY_FHIR_REPLACES},
    {"relatesTo", "target", SY_FHIR_RELATES_TO},
    {"target", "target", SY_FHIR_TARGET},
    {"entity", "what", SY_FHIR_ENTITY},
};
/* clang-format on */

struct walk_level {
    json_t *value;
    void *iterator;  /* objects */
    size_t index;    /* arrays */
    const char *key; /* the key that led here; an array hands its own down */
};

/* The scanner let pass at most 64 levels of brackets. */
#define WALK_LEVELS_MAX 65u

struct walk {
    struct sy_fhir_facts *facts;
    struct sy_fhir_pool *pool;
    struct walk_level levels[WALK_LEVELS_MAX];
    unsigned depth;
    uint32_t capacity;
};

static enum sy_fhir_field classify(const char *top, const char *leaf)
{
    for (size_t i = 0; i < sizeof field_rows / sizeof *field_rows; i++) {
        const struct field_row *row = &field_rows[i];
        if (strcmp(row->leaf, leaf) == 0 && (row->top == NULL || strcmp(row->top, top) == 0)) {
            return row->field;
        }
    }
    return SY_FHIR_OTHER;
}

/* The keys from the resource down to the Reference, joined by dots. */
static bool join_path(struct walk *walk, struct sy_slice *out)
{
    char path[160];
    size_t used = 0;
    const char *last = NULL;
    for (unsigned i = 1; i < walk->depth; i++) {
        const char *key = walk->levels[i].key;
        if (key == last) continue; // an array and its items
        last = key;
        int wrote = snprintf(path + used, sizeof path - used, used == 0 ? "%s" : ".%s", key);
        if (wrote < 0 || (size_t)wrote >= sizeof path - used) break;
        used += (size_t)wrote;
    }
    return pool_copy(walk->pool, out, path, used);
}

static bool grow_refs(struct walk *walk)
{
    struct sy_fhir_facts *facts = walk->facts;
    if (facts->ref_count < walk->capacity) return true;
    uint32_t capacity = walk->capacity == 0 ? 16 : walk->capacity * 2;
    struct sy_fhir_ref *refs = sy_fhir_pool_take(walk->pool, capacity * sizeof *refs);
    if (refs == NULL) return false;
    if (facts->ref_count != 0) memcpy(refs, facts->refs, facts->ref_count * sizeof *refs);
    facts->refs = refs;
    walk->capacity = capacity;
    return true;
}

/* The object at the top of the stack has a member "reference" that is a string. */
static bool add_ref(struct walk *walk, const json_t *reference, struct sy_fhir_complaint *complaint)
{
    size_t size = json_string_length(reference);
    const char *text = json_string_value(reference);
    if (size > SY_FHIR_REF_BYTES_MAX || memchr(text, '\0', size) != NULL) {
        return complain(complaint, "a reference longer than 2048 bytes", "shorten it");
    }
    if (walk->facts->ref_count == SY_FHIR_REFS_MAX) {
        return complain(complaint, "more than 65,536 references", "split the resource");
    }
    if (!grow_refs(walk)) return complain_memory(complaint);
    struct sy_fhir_ref *ref = &walk->facts->refs[walk->facts->ref_count];
    const char *top = walk->depth > 1 ? walk->levels[1].key : "";
    const char *leaf = walk->levels[walk->depth - 1].key;
    ref->contained = strcmp(top, "contained") == 0;
    ref->field = ref->contained ? SY_FHIR_OTHER : classify(top, leaf);
    if (!pool_copy(walk->pool, &ref->text, text, size) || !join_path(walk, &ref->path)) {
        return complain_memory(complaint);
    }
    walk->facts->ref_count++;
    return true;
}

/* Puts a container on the stack; its references are noted when it comes. */
static bool enter(struct walk *walk, json_t *value, const char *key,
                  struct sy_fhir_complaint *complaint)
{
    SY_ASSERT(walk->depth < WALK_LEVELS_MAX);
    walk->levels[walk->depth++] = (struct walk_level){
        .value = value,
        .iterator = json_is_object(value) ? json_object_iter(value) : NULL,
        .key = key,
    };
    if (!json_is_object(value) || walk->depth == 1) return true;
    const json_t *reference = json_object_get(value, "reference");
    return !json_is_string(reference) || add_ref(walk, reference, complaint);
}

/* The next container inside the one on top, or NULL when there is none left. */
static json_t *next_child(struct walk_level *level, const char **key)
{
    if (json_is_object(level->value)) {
        while (level->iterator != NULL) {
            json_t *child = json_object_iter_value(level->iterator);
            *key = json_object_iter_key(level->iterator);
            level->iterator = json_object_iter_next(level->value, level->iterator);
            if (json_is_object(child) || json_is_array(child)) return child;
        }
        return NULL;
    }
    while (level->index < json_array_size(level->value)) {
        json_t *child = json_array_get(level->value, level->index++);
        *key = level->key;
        if (json_is_object(child) || json_is_array(child)) return child;
    }
    return NULL;
}

static bool walk_refs(struct sy_fhir_facts *facts, struct sy_fhir_pool *pool, json_t *resource,
                      struct sy_fhir_complaint *complaint)
{
    struct walk walk = {.facts = facts, .pool = pool};
    if (!enter(&walk, resource, "", complaint)) return false;
    while (walk.depth > 0) {
        const char *key;
        json_t *child = next_child(&walk.levels[walk.depth - 1], &key);
        if (child == NULL) {
            walk.depth--;
        } else if (!enter(&walk, child, key, complaint)) {
            return false;
        }
    }
    return true;
}

/* --- identity -------------------------------------------------------------------------------- */

static bool read_type(struct sy_fhir_facts *facts, const json_t *resource,
                      struct sy_fhir_complaint *complaint)
{
    const char *type = json_string_value(json_object_get(resource, "resourceType"));
    if (type == NULL) {
        return complain(complaint, "there is no resourceType", "give the resource its type");
    }
    size_t length = strlen(type);
    bool fine = length >= 1 && length < sizeof facts->type && type[0] >= 'A' && type[0] <= 'Z';
    for (size_t i = 0; fine && i < length; i++) fine = isalpha((unsigned char)type[i]) != 0;
    if (!fine) {
        return complain(complaint, "resourceType is not the name of a FHIR type",
                        "use a type of FHIR R4");
    }
    memcpy(facts->type, type, length + 1);
    return true;
}

/* FHIR R4, datatypes: id is 1 to 64 of A-Z, a-z, 0-9, "-" and ".". */
static bool read_id(struct sy_fhir_facts *facts, struct sy_fhir_pool *pool, const json_t *resource,
                    struct sy_fhir_complaint *complaint)
{
    const json_t *value = json_object_get(resource, "id");
    if (value == NULL) return true;
    const char *id = json_string_value(value);
    size_t length = id == NULL ? 0 : json_string_length(value);
    bool fine = length >= 1 && length <= 64;
    for (size_t i = 0; fine && i < length; i++) {
        fine = isalnum((unsigned char)id[i]) != 0 || id[i] == '-' || id[i] == '.';
    }
    if (!fine) {
        return complain(complaint, "id is not 1 to 64 letters, digits, \"-\" and \".\"",
                        "give it an id as FHIR R4 defines it, or none");
    }
    return pool_copy(pool, &facts->id, id, length) || complain_memory(complaint);
}

static bool add_identifier(struct sy_fhir_facts *facts, struct sy_fhir_pool *pool,
                           const json_t *identifier)
{
    const char *system = json_string_value(json_object_get(identifier, "system"));
    const char *value = json_string_value(json_object_get(identifier, "value"));
    if (value == NULL || facts->identifier_count == SY_FHIR_IDENTIFIERS_MAX) return true;
    char text[1024];
    int wrote = snprintf(text, sizeof text, "%s|%s", system == NULL ? "" : system, value);
    if (wrote < 0 || (size_t)wrote >= sizeof text) return true;
    if (system != NULL && strcmp(system, "http://hl7.org/fhir/sid/us-npi") == 0 &&
        facts->npi.size == 0 && !pool_copy(pool, &facts->npi, value, strlen(value))) {
        return false;
    }
    return pool_copy(pool, &facts->identifiers[facts->identifier_count++], text, (size_t)wrote);
}

static bool read_identifiers(struct sy_fhir_facts *facts, struct sy_fhir_pool *pool,
                             const json_t *resource)
{
    const json_t *value = json_object_get(resource, "identifier");
    if (json_is_object(value)) return add_identifier(facts, pool, value);
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (!add_identifier(facts, pool, json_array_get(value, i))) return false;
    }
    return true;
}

/* --- who is what ----------------------------------------------------------------------------- */

struct word_row {
    const char *word;
    uint8_t meaning;
};

/* Codes of http://terminology.hl7.org/CodeSystem/organization-type. */
static const struct word_row org_codes[] = {
    {"prov", SY_ORG_HOSPITAL}, {"dept", SY_ORG_HOSPITAL},  {"team", SY_ORG_HOSPITAL},
    {"ins", SY_ORG_PAYER},     {"pay", SY_ORG_PAYER},      {"edu", SY_ORG_RESEARCH},
    {"crs", SY_ORG_SPONSOR},   {"govt", SY_ORG_AUTHORITY},
};

/* Words in the names of professions, in SNOMED CT's, HL7's or plain English. */
static const struct word_row role_words[] = {
    {"nurse", SY_ROLE_NURSE},        {"nursing", SY_ROLE_NURSE}, {"midwife", SY_ROLE_NURSE},
    {"pharmac", SY_ROLE_PHARMACIST}, {"laborator", SY_ROLE_LAB}, {"doctor", SY_ROLE_DOCTOR},
    {"physician", SY_ROLE_DOCTOR},
};

static uint8_t find_word(const struct word_row *rows, size_t count, const char *text, bool exact)
{
    if (text == NULL) return 0;
    for (size_t i = 0; i < count; i++) {
        bool hit =
            exact ? strcasecmp(text, rows[i].word) == 0 : strcasestr(text, rows[i].word) != NULL;
        if (hit) return rows[i].meaning;
    }
    return 0;
}

/* The meaning of a CodeableConcept, by its codings and its text. */
static uint8_t read_concept(const json_t *concept, const struct word_row *rows, size_t count,
                            bool exact)
{
    const json_t *codings = json_object_get(concept, "coding");
    uint8_t meaning = 0;
    for (size_t i = 0; meaning == 0 && i < json_array_size(codings); i++) {
        const json_t *coding = json_array_get(codings, i);
        meaning = find_word(rows, count, json_string_value(json_object_get(coding, "code")), exact);
        if (meaning == 0 && !exact) {
            meaning = find_word(rows, count, json_string_value(json_object_get(coding, "display")),
                                exact);
        }
    }
    if (meaning == 0 && !exact) {
        meaning =
            find_word(rows, count, json_string_value(json_object_get(concept, "text")), exact);
    }
    return meaning;
}

static uint8_t read_org_kind(const json_t *resource)
{
    const json_t *types = json_object_get(resource, "type");
    for (size_t i = 0; i < json_array_size(types); i++) {
        uint8_t kind = read_concept(json_array_get(types, i), org_codes,
                                    sizeof org_codes / sizeof *org_codes, true);
        if (kind != 0) return kind;
    }
    return SY_ORG_HOSPITAL;
}

/* PractitionerRole.code, Practitioner.qualification.code. */
static uint8_t read_role(const json_t *resource, bool is_practitioner)
{
    const json_t *items = json_object_get(resource, is_practitioner ? "qualification" : "code");
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        if (is_practitioner) item = json_object_get(item, "code");
        uint8_t role =
            read_concept(item, role_words, sizeof role_words / sizeof *role_words, false);
        if (role != 0) return role;
    }
    return 0;
}

static bool read_directory(struct sy_fhir_facts *facts, struct sy_fhir_pool *pool,
                           const json_t *resource)
{
    if (strcmp(facts->type, "Organization") == 0) {
        facts->org_kind = read_org_kind(resource);
        const char *name = json_string_value(json_object_get(resource, "name"));
        return name == NULL || pool_copy(pool, &facts->name, name, strlen(name));
    }
    bool is_practitioner = strcmp(facts->type, "Practitioner") == 0;
    if (is_practitioner || strcmp(facts->type, "PractitionerRole") == 0) {
        facts->role = read_role(resource, is_practitioner);
    }
    return true;
}

static bool read_all(struct sy_fhir_facts *facts, struct sy_fhir_pool *pool,
                     struct sy_fhir_complaint *complaint, json_t *resource)
{
    if (!read_type(facts, resource, complaint)) return false;
    if (!read_id(facts, pool, resource, complaint)) return false;
    if (!read_identifiers(facts, pool, resource) || !read_directory(facts, pool, resource)) {
        return complain_memory(complaint);
    }
    return walk_refs(facts, pool, resource, complaint);
}

bool sy_fhir_facts_read(struct sy_fhir_facts *facts, struct sy_fhir_pool *pool,
                        struct sy_fhir_complaint *complaint, struct sy_slice resource)
{
    json_error_t error;
    memset(facts, 0, sizeof *facts);
    json_t *value =
        json_loadb((const char *)resource.data, resource.size, JSON_REJECT_DUPLICATES, &error);
    if (value == NULL) {
        snprintf(complaint->what, sizeof complaint->what, "cannot be read: %s", error.text);
        complaint->remedy = "mend the value";
        return false;
    }
    bool fine = read_all(facts, pool, complaint, value);
    json_decref(value);
    return fine;
}
