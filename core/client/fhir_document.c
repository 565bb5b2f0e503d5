/* See fhir_document.h. */
#include "core/client/fhir_document.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/base/siphash.h"
#include "core/crypto/hash.h"

struct sy_fhir_index_slot {
    struct sy_slice key; /* data == NULL: free */
    uint32_t item;
};

void sy_fhir_set_open(struct sy_fhir_set *set)
{
    memset(set, 0, sizeof *set);
    sy_os_random(set->seed, sizeof set->seed);
}

void sy_fhir_set_close(struct sy_fhir_set *set)
{
    sy_fhir_pool_free(&set->pool);
    free(set->items);
    free(set->order);
    free(set->slots);
    memset(set, 0, sizeof *set);
}

bool sy_fhir_is_directory(const char *type)
{
    static const char *const types[] = {"PractitionerRole",  "Location",
                                        "HealthcareService", "Endpoint",
                                        "InsurancePlan",     "OrganizationAffiliation"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i], type) == 0) return true;
    }
    return false;
}

static sy_status fail_memory(struct sy_error *err)
{
    return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for a document's references");
}

/* --- the index ------------------------------------------------------------------------------- */

static struct sy_fhir_index_slot *find_slot(const struct sy_fhir_set *set, struct sy_slice key)
{
    size_t mask = set->slot_count - 1;
    size_t at = (size_t)sy_siphash13(set->seed, key.data, key.size) & mask;
    while (set->slots[at].key.data != NULL && !sy_slice_equal(set->slots[at].key, key)) {
        at = (at + 1) & mask;
    }
    return &set->slots[at];
}

static uint32_t find_item(const struct sy_fhir_set *set, struct sy_slice key)
{
    const struct sy_fhir_index_slot *slot = find_slot(set, key);
    return slot->key.data == NULL ? SY_FHIR_NO_ITEM : slot->item;
}

/* The first that claims a key has it. */
static void add_key(struct sy_fhir_set *set, struct sy_slice key, uint32_t item)
{
    struct sy_fhir_index_slot *slot = find_slot(set, key);
    if (slot->key.data == NULL) *slot = (struct sy_fhir_index_slot){key, item};
}

/* Room for every key of the document at a load of at most one half. */
static bool size_index(struct sy_fhir_set *set)
{
    size_t keys = 0;
    for (uint32_t i = 0; i < set->count; i++) keys += 2 + set->items[i].facts.identifier_count;
    size_t wanted = 64;
    while (wanted < 2 * keys + 2) wanted *= 2;
    if (wanted > set->slot_capacity) {
        struct sy_fhir_index_slot *slots = realloc(set->slots, wanted * sizeof *slots);
        if (slots == NULL) return false;
        set->slots = slots;
        set->slot_capacity = wanted;
    }
    set->slot_count = wanted;
    memset(set->slots, 0, wanted * sizeof *set->slots);
    return true;
}

/* "a" joint "b", in the pool. */
static bool join(struct sy_fhir_set *set, struct sy_slice *out, const char *a, char joint,
                 struct sy_slice b)
{
    size_t length = strlen(a);
    uint8_t *text = sy_fhir_pool_take(&set->pool, length + 1 + b.size + 1);
    if (text == NULL) return false;
    memcpy(text, a, length);
    text[length] = (uint8_t)joint;
    if (b.size != 0) memcpy(text + length + 1, b.data, b.size);
    text[length + 1 + b.size] = '\0';
    *out = sy_slice_of(text, length + 1 + b.size);
    return true;
}

static bool unquote_url(struct sy_fhir_set *set, struct sy_slice *out, struct sy_slice inside)
{
    char *text = sy_fhir_pool_take(&set->pool, inside.size + 1);
    if (text == NULL) return false;
    if (!sy_json_unquote(text, inside.size + 1, inside)) text[0] = '\0';
    *out = sy_slice_of(text, strlen(text));
    return true;
}

static bool index_item(struct sy_fhir_set *set, uint32_t number)
{
    struct sy_fhir_item *item = &set->items[number];
    struct sy_slice key;
    if (item->entry->full_url.size != 0) {
        if (!unquote_url(set, &key, item->entry->full_url)) return false;
        if (key.size != 0) add_key(set, key, number);
    }
    if (item->facts.type[0] == '\0') return true;
    if (item->facts.id.size != 0) {
        if (!join(set, &key, item->facts.type, '/', item->facts.id)) return false;
        add_key(set, key, number);
    }
    for (uint32_t i = 0; i < item->facts.identifier_count; i++) {
        if (!join(set, &key, item->facts.type, '?', item->facts.identifiers[i])) return false;
        add_key(set, key, number);
    }
    return true;
}

/* --- labels ---------------------------------------------------------------------------------- */

/* The id that a fullUrl gives away: what stands behind "urn:uuid:", or behind the last slash. */
static struct sy_slice id_of_url(struct sy_slice url)
{
    static const char uuid[] = "urn:uuid:";
    if (url.size > sizeof uuid - 1 && memcmp(url.data, uuid, sizeof uuid - 1) == 0) {
        return sy_slice_of(url.data + sizeof uuid - 1, url.size - (sizeof uuid - 1));
    }
    size_t from = url.size;
    while (from > 0 && url.data[from - 1] != '/') from--;
    return from == 0 ? url : sy_slice_of(url.data + from, url.size - from);
}

/* A resource without any id is known by its bytes: it can come again, but not change. */
static bool label_item(struct sy_fhir_set *set, struct sy_fhir_item *item,
                       const sy_client_store *store, const char *source)
{
    struct sy_slice id = item->facts.id;
    struct sy_hash digest;
    if (id.size == 0 && item->entry->full_url.size != 0) {
        struct sy_slice url;
        if (!unquote_url(set, &url, item->entry->full_url)) return false;
        id = id_of_url(url);
    }
    if (id.size == 0) {
        sy_sha256(&digest, item->entry->resource.data, item->entry->resource.size);
        id = sy_slice_of(digest.bytes, sizeof digest.bytes);
    }
    sy_client_label_resource(store, &item->label, source,
                             sy_slice_of(item->facts.type, strlen(item->facts.type)), id);
    return true;
}

/* --- resolving ------------------------------------------------------------------------------- */

struct resolver {
    struct sy_fhir_set *set;
    sy_client_store *store;
    const char *source;
    struct sy_error *err;
};

static bool begins_with(struct sy_slice text, const char *prefix)
{
    size_t length = strlen(prefix);
    return text.size >= length && memcmp(text.data, prefix, length) == 0;
}

/* Cuts "/_history/3" and "#fragment" off. */
static struct sy_slice cut_version(struct sy_slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        bool history = text.size - i >= 10 && memcmp(text.data + i, "/_history/", 10) == 0;
        if (history || text.data[i] == '#') return sy_slice_of(text.data, i);
    }
    return text;
}

/* Splits ".../Type/id". False: it does not end so. */
static bool split_type_id(struct sy_slice text, char type[33], struct sy_slice *id)
{
    size_t slash = text.size;
    while (slash > 0 && text.data[slash - 1] != '/') slash--;
    if (slash < 2 || slash == text.size) return false;
    *id = sy_slice_of(text.data + slash, text.size - slash);
    size_t from = slash - 1;
    while (from > 0 && text.data[from - 1] != '/') from--;
    size_t length = slash - 1 - from;
    if (length == 0 || length > 32 || text.data[from] < 'A' || text.data[from] > 'Z') return false;
    memcpy(type, text.data + from, length);
    type[length] = '\0';
    return true;
}

static void point_at_item(const struct resolver *r, struct sy_fhir_target *target, uint32_t number)
{
    const struct sy_fhir_item *item = &r->set->items[number];
    target->state = SY_FHIR_TARGET_ITEM;
    target->item = number;
    target->label = item->label;
    memcpy(target->type, item->facts.type, sizeof target->type);
}

/* Is a resource of this type and id registered? */
static sy_status look_in_store(const struct resolver *r, struct sy_fhir_target *target,
                               const char *type, struct sy_slice id)
{
    struct sy_client_record record;
    sy_client_label_resource(r->store, &target->label, r->source, sy_slice_of(type, strlen(type)),
                             id);
    sy_status status = sy_client_get_record(r->store, &record, &target->label, r->err);
    if (status == SY_ERR_NOT_FOUND) return SY_OK;
    if (status != SY_OK) return status;
    target->state = SY_FHIR_TARGET_STORED;
    memcpy(target->type, record.type, sizeof target->type);
    return SY_OK;
}

/* A urn:uuid that an earlier document gave to a resource of a type it does not say: the types that
 * are referred to most are tried. */
static sy_status look_for_urn(const struct resolver *r, struct sy_fhir_target *target,
                              struct sy_slice id)
{
    static const char *const types[] = {
        "Patient",
        "Encounter",
        "Practitioner",
        "Organization",
        "Observation",
        "Condition",
        "Claim",
        "Procedure",
        "MedicationRequest",
        "Location",
        "DiagnosticReport",
        "CarePlan",
        "Goal",
        "PractitionerRole",
        "Medication",
        "CareTeam",
        "Immunization",
        "Coverage",
        "Device",
        "ServiceRequest",
        "DocumentReference",
        "AllergyIntolerance",
        "ImagingStudy",
        "ExplanationOfBenefit",
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (target->state != SY_FHIR_TARGET_DANGLING) return SY_OK;
        SY_TRY(look_in_store(r, target, types[i], id));
    }
    return SY_OK;
}

static int hex_digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9') return byte - '0';
    if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
    return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}

/* Decodes %7C and the like in place of a copy (RFC 3986 section 2.1). */
static bool percent_decode(struct sy_fhir_set *set, struct sy_slice *out, struct sy_slice text)
{
    uint8_t *copy = sy_fhir_pool_take(&set->pool, text.size + 1);
    if (copy == NULL) return false;
    size_t used = 0;
    for (size_t i = 0; i < text.size; i++) {
        bool coded = text.data[i] == '%' && text.size - i > 2 && hex_digit(text.data[i + 1]) >= 0 &&
                     hex_digit(text.data[i + 2]) >= 0;
        if (coded) {
            copy[used++] =
                (uint8_t)(hex_digit(text.data[i + 1]) * 16 + hex_digit(text.data[i + 2]));
            i += 2;
        } else {
            copy[used++] = text.data[i];
        }
    }
    *out = sy_slice_of(copy, used);
    return true;
}

/* Type?identifier=system|value */
static sy_status resolve_search(const struct resolver *r, struct sy_fhir_target *target,
                                struct sy_slice text, size_t mark)
{
    static const char parameter[] = "identifier=";
    struct sy_slice query = sy_slice_of(text.data + mark + 1, text.size - mark - 1);
    if (mark == 0 || mark > 32) return SY_OK;
    memcpy(target->type, text.data, mark);
    target->type[mark] = '\0';
    if (!begins_with(query, parameter)) return SY_OK;
    struct sy_slice value;
    query.data += sizeof parameter - 1;
    query.size -= sizeof parameter - 1;
    const uint8_t *more = memchr(query.data, '&', query.size);
    if (more != NULL) return SY_OK;
    struct sy_slice key;
    if (!percent_decode(r->set, &value, query)) return fail_memory(r->err);
    if (!join(r->set, &key, target->type, '?', value)) return fail_memory(r->err);
    uint32_t item = find_item(r->set, key);
    if (item != SY_FHIR_NO_ITEM) {
        point_at_item(r, target, item);
        return SY_OK;
    }
    struct sy_hash label;
    struct sy_client_alias alias;
    sy_client_label(r->store, &label, SY_LABEL_IDENTIFIER,
                    sy_slice_of(r->source, strlen(r->source)), sy_slice_of(target->type, mark),
                    value);
    sy_status status = sy_client_get_alias(r->store, &alias, &label, r->err);
    if (status == SY_ERR_NOT_FOUND) return SY_OK;
    if (status != SY_OK) return status;
    target->state = SY_FHIR_TARGET_STORED;
    target->label = alias.label;
    return SY_OK;
}

static sy_status resolve_text(const struct resolver *r, struct sy_fhir_target *target,
                              struct sy_slice text)
{
    uint32_t item = find_item(r->set, text);
    if (item == SY_FHIR_NO_ITEM) {
        text = cut_version(text);
        item = find_item(r->set, text);
    }
    if (item != SY_FHIR_NO_ITEM) {
        point_at_item(r, target, item);
        return SY_OK;
    }
    const uint8_t *mark = memchr(text.data, '?', text.size);
    if (mark != NULL) return resolve_search(r, target, text, (size_t)(mark - text.data));
    if (begins_with(text, "urn:")) return look_for_urn(r, target, id_of_url(text));
    struct sy_slice id;
    if (!split_type_id(text, target->type, &id)) return SY_OK;
    struct sy_slice key;
    if (!join(r->set, &key, target->type, '/', id)) return fail_memory(r->err);
    item = find_item(r->set, key);
    if (item != SY_FHIR_NO_ITEM) {
        point_at_item(r, target, item);
        return SY_OK;
    }
    return look_in_store(r, target, target->type, id);
}

/* What a dangling reference costs: a urn promises that its target is at hand; without its patient
 * or encounter a resource has no place. Others are worth a warning. */
static bool must_resolve(const struct sy_fhir_ref *ref, const struct sy_fhir_target *target)
{
    if (begins_with(ref->text, "urn:")) return true;
    if (sy_fhir_field_is_patient(ref->field)) {
        return target->type[0] == '\0' || strcmp(target->type, "Patient") == 0;
    }
    return sy_fhir_field_is_encounter(ref->field) && strcmp(target->type, "Encounter") == 0;
}

static sy_status resolve_item(const struct resolver *r, struct sy_fhir_item *item)
{
    size_t bytes = item->facts.ref_count * sizeof *item->targets;
    item->targets = sy_fhir_pool_take(&r->set->pool, bytes + 1);
    if (item->targets == NULL) return fail_memory(r->err);
    memset(item->targets, 0, bytes);
    for (uint32_t i = 0; i < item->facts.ref_count; i++) {
        const struct sy_fhir_ref *ref = &item->facts.refs[i];
        struct sy_fhir_target *target = &item->targets[i];
        if (ref->text.size == 0 || ref->text.data[0] == '#') continue;
        target->state = SY_FHIR_TARGET_DANGLING;
        SY_TRY(resolve_text(r, target, ref->text));
        if (target->state != SY_FHIR_TARGET_DANGLING) continue;
        target->must_resolve = must_resolve(ref, target);
        if (target->must_resolve || ref->field != SY_FHIR_OTHER) r->set->dangles = true;
    }
    return SY_OK;
}

/* --- ties ------------------------------------------------------------------------------------ */

static void tie(struct sy_fhir_set *set, const struct sy_fhir_target *who, const char *type,
                uint32_t org_item, uint32_t org_ref)
{
    if (who->state != SY_FHIR_TARGET_ITEM || strcmp(who->type, type) != 0) return;
    struct sy_fhir_item *item = &set->items[who->item];
    if (item->org_item != SY_FHIR_NO_ITEM) return;
    item->org_item = org_item;
    item->org_ref = org_ref;
}

/* An Encounter or PractitionerRole that names an organisation ties its patient and practitioners
 * to it, the first one counts. */
static void tie_people(struct sy_fhir_set *set, uint32_t number, bool roles)
{
    const struct sy_fhir_item *item = &set->items[number];
    if (strcmp(item->facts.type, roles ? "PractitionerRole" : "Encounter") != 0) return;
    enum sy_fhir_field wanted = roles ? SY_FHIR_ORGANIZATION : SY_FHIR_SERVICE_PROVIDER;
    uint32_t org_ref = SY_FHIR_NO_ITEM;
    for (uint32_t i = 0; i < item->facts.ref_count && org_ref == SY_FHIR_NO_ITEM; i++) {
        const struct sy_fhir_target *target = &item->targets[i];
        bool found = target->state == SY_FHIR_TARGET_ITEM || target->state == SY_FHIR_TARGET_STORED;
        if (item->facts.refs[i].field == wanted && found) org_ref = i;
    }
    if (org_ref == SY_FHIR_NO_ITEM) return;
    for (uint32_t i = 0; i < item->facts.ref_count; i++) {
        tie(set, &item->targets[i], "Practitioner", number, org_ref);
        if (!roles) tie(set, &item->targets[i], "Patient", number, org_ref);
    }
}

/* --- order ----------------------------------------------------------------------------------- */

static uint8_t rank_of(const struct sy_fhir_item *item)
{
    const char *type = item->facts.type;
    if (item->faulty) return SY_FHIR_RANK_FAULTY;
    if (strcmp(type, "Organization") == 0) return SY_FHIR_RANK_ORGANIZATION;
    if (strcmp(type, "Practitioner") == 0) return SY_FHIR_RANK_PRACTITIONER;
    if (strcmp(type, "Patient") == 0) return SY_FHIR_RANK_PATIENT;
    if (strcmp(type, "Encounter") == 0) return SY_FHIR_RANK_ENCOUNTER;
    return sy_fhir_is_directory(type) ? SY_FHIR_RANK_DIRECTORY : SY_FHIR_RANK_CLINICAL;
}

/* Must what this reference points at be registered first? Only within one rank: ranks order the
 * rest. */
static bool comes_first(const struct sy_fhir_set *set, const struct sy_fhir_item *item, uint32_t i)
{
    const struct sy_fhir_target *target = &item->targets[i];
    return target->state == SY_FHIR_TARGET_ITEM &&
           sy_fhir_field_is_link(item->facts.refs[i].field) &&
           set->items[target->item].rank == item->rank;
}

struct visit {
    uint32_t item;
    uint32_t ref; /* the next to look at */
};

/* Depth first, with a stack of its own: an item is placed after everything it links to. */
static void place(struct sy_fhir_set *set, struct visit *stack, uint32_t first, uint32_t *placed)
{
    size_t depth = 0;
    set->items[first].placed = true;
    stack[depth++] = (struct visit){first, 0};
    while (depth > 0) {
        struct visit *visit = &stack[depth - 1];
        const struct sy_fhir_item *item = &set->items[visit->item];
        if (visit->ref == item->facts.ref_count || item->targets == NULL) {
            set->order[(*placed)++] = visit->item;
            depth--;
            continue;
        }
        uint32_t ref = visit->ref++;
        if (!comes_first(set, item, ref)) continue;
        struct sy_fhir_item *target = &set->items[item->targets[ref].item];
        // Placed, or on the stack: then the circle is cut here.
        if (target->placed) continue;
        target->placed = true;
        stack[depth++] = (struct visit){item->targets[ref].item, 0};
    }
}

static bool order_items(struct sy_fhir_set *set)
{
    struct visit *stack = sy_fhir_pool_take(&set->pool, (set->count + 1) * sizeof *stack);
    if (stack == NULL) return false;
    uint32_t placed = 0;
    for (int rank = 0; rank < SY_FHIR_RANKS; rank++) {
        for (uint32_t i = 0; i < set->count; i++) {
            if (set->items[i].rank == rank && !set->items[i].placed) place(set, stack, i, &placed);
        }
    }
    SY_ASSERT(placed == set->count);
    return true;
}

/* --- loading --------------------------------------------------------------------------------- */

static bool make_room(struct sy_fhir_set *set, size_t count)
{
    if (count <= set->capacity) return true;
    size_t capacity = set->capacity == 0 ? 64 : set->capacity;
    while (capacity < count) capacity *= 2;
    struct sy_fhir_item *items = realloc(set->items, capacity * sizeof *items);
    if (items == NULL) return false;
    set->items = items;
    uint32_t *order = realloc(set->order, capacity * sizeof *order);
    if (order == NULL) return false;
    set->order = order;
    set->capacity = (uint32_t)capacity;
    return true;
}

static const char *remedy_for(enum sy_json_fault_kind kind)
{
    if (kind == SY_JSON_DUPLICATE) return "keep one of the two members";
    if (kind == SY_JSON_ENCODING) return "write the file as UTF-8";
    if (kind == SY_JSON_DEPTH || kind == SY_JSON_MEMBERS) return "split the resource";
    return "mend the JSON";
}

static void load_item(struct sy_fhir_set *set, const struct sy_fhir_entry *entry, uint32_t number)
{
    struct sy_fhir_item *item = &set->items[number];
    memset(item, 0, sizeof *item);
    item->entry = entry;
    item->position = number;
    item->org_item = SY_FHIR_NO_ITEM;
    if (entry->faulty) {
        item->faulty = true;
        snprintf(item->complaint.what, sizeof item->complaint.what, "%s", entry->fault.what);
        item->complaint.remedy = remedy_for(entry->fault.kind);
    } else if (entry->resource.size == 0) {
        item->faulty = true;
        snprintf(item->complaint.what, sizeof item->complaint.what, "the entry has no resource");
        item->complaint.remedy = "only entries that carry a resource can be imported";
    } else {
        item->faulty =
            !sy_fhir_facts_read(&item->facts, &set->pool, &item->complaint, entry->resource);
    }
    item->rank = rank_of(item);
}

sy_status sy_fhir_set_load(struct sy_fhir_set *set, sy_client_store *store, const char *source,
                           const struct sy_fhir_scan *scan, struct sy_error *err)
{
    sy_fhir_pool_reset(&set->pool);
    set->count = 0;
    set->dangles = false;
    if (!make_room(set, scan->entry_count + 1)) return fail_memory(err);
    for (size_t i = 0; i < scan->entry_count; i++) {
        load_item(set, &scan->entries[i], (uint32_t)i);
        set->count++;
    }
    if (!size_index(set)) return fail_memory(err);
    for (uint32_t i = 0; i < set->count; i++) {
        if (set->items[i].faulty) continue;
        if (!label_item(set, &set->items[i], store, source) || !index_item(set, i)) {
            return fail_memory(err);
        }
    }
    struct resolver resolver = {set, store, source, err};
    for (uint32_t i = 0; i < set->count; i++) {
        if (!set->items[i].faulty) SY_TRY(resolve_item(&resolver, &set->items[i]));
    }
    for (uint32_t i = 0; i < set->count; i++) {
        if (!set->items[i].faulty) tie_people(set, i, true);
    }
    for (uint32_t i = 0; i < set->count; i++) {
        if (!set->items[i].faulty) tie_people(set, i, false);
    }
    return order_items(set) ? SY_OK : fail_memory(err);
}
