/* fhir_scan.c: walks the two levels of a Bundle that it knows ({entry: [{resource, ...}]}) by hand
 * and leaves every value inside them to fhir_json.c. Keys of those two levels are compared here, so
 * that a second "entry" or "resource" is caught like any other duplicate. */
#include "core/client/fhir_scan.h"

#include <stdio.h>
#include <stdlib.h>

/* Members an entry or the Bundle itself may have besides what FHIR defines. */
#define OUTER_KEYS_MAX 64u

struct outer_keys {
    char names[OUTER_KEYS_MAX][48];
    size_t count;
};

void sy_fhir_scan_open(struct sy_fhir_scan *scan)
{
    memset(scan, 0, sizeof *scan);
    sy_json_scanner_open(&scan->scanner);
}

void sy_fhir_scan_close(struct sy_fhir_scan *scan)
{
    sy_json_scanner_close(&scan->scanner);
    free(scan->entries);
    memset(scan, 0, sizeof *scan);
}

/* Reads a key and its colon, decoded into name ("" when it is too long to be one of ours). */
static bool scan_key(struct sy_json_scanner *scanner, char name[48], struct outer_keys *keys)
{
    struct sy_slice inside;
    if (!sy_json_scan_string(scanner, &inside)) return false;
    if (!sy_json_unquote(name, 48, inside)) {
        return sy_json_scan_fail(scanner, SY_JSON_MEMBERS, "an over-long key");
    }
    for (size_t i = 0; i < keys->count; i++) {
        if (strcmp(keys->names[i], name) == 0) {
            return sy_json_scan_fail(scanner, SY_JSON_DUPLICATE,
                                     "the key stands twice in one object");
        }
    }
    if (keys->count == OUTER_KEYS_MAX) {
        return sy_json_scan_fail(scanner, SY_JSON_MEMBERS, "too many members");
    }
    (void)snprintf(keys->names[keys->count++], sizeof keys->names[0], "%s", name);
    if (sy_json_scan_space(scanner) != ':') {
        return sy_json_scan_fail(scanner, SY_JSON_SYNTAX, "expected ':' after a key");
    }
    scanner->at++;
    return true;
}

/* Behind a value: true and *more for a comma, true and not *more for the closing byte. */
static bool scan_separator(struct sy_json_scanner *scanner, bool *more, char closing)
{
    int byte = sy_json_scan_space(scanner);
    if (byte != ',' && byte != closing) {
        return sy_json_scan_fail(scanner, SY_JSON_SYNTAX,
                                 closing == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
    }
    scanner->at++;
    *more = byte == ',';
    return true;
}

/* Puts the member's name in front of the fault's path. */
static void prefix_path(struct sy_json_fault *fault, const char *name)
{
    char inner[SY_JSON_FAULT_PATH_BYTES];
    memcpy(inner, fault->path, sizeof inner);
    const char *dot = inner[0] == '\0' || inner[0] == '[' ? "" : ".";
    int wrote = snprintf(fault->path, sizeof fault->path, "%.48s%s%.100s", name, dot, inner);
    if (wrote < 0) fault->path[0] = '\0';
}

/* An object's opening: true and *empty when it closes at once. */
static bool scan_open(struct sy_json_scanner *scanner, bool *empty, char opening, const char *what)
{
    if (sy_json_scan_space(scanner) != opening) {
        return sy_json_scan_fail(scanner, SY_JSON_SYNTAX, what);
    }
    scanner->at++;
    *empty = sy_json_scan_space(scanner) == (opening == '{' ? '}' : ']');
    if (*empty) scanner->at++;
    return true;
}

/* --- one entry ------------------------------------------------------------------------------- */

static bool scan_url(struct sy_json_scanner *scanner, struct sy_slice *out)
{
    if (!sy_json_scan_string(scanner, out)) return false;
    if (out->size <= SY_FHIR_URL_BYTES_MAX) return true;
    return sy_json_scan_fail(scanner, SY_JSON_SYNTAX, "longer than 1024 bytes");
}

static bool scan_resource(struct sy_json_scanner *scanner, struct sy_slice *out)
{
    if (sy_json_scan_space(scanner) != '{') {
        return sy_json_scan_fail(scanner, SY_JSON_SYNTAX, "a resource is an object");
    }
    if (!sy_json_scan_value(scanner, out)) return false;
    if (out->size <= SY_FHIR_RESOURCE_BYTES_MAX) return true;
    return sy_json_scan_fail(scanner, SY_JSON_MEMBERS, "a resource of more than 16 MiB");
}

static bool scan_request(struct sy_json_scanner *scanner, struct sy_fhir_entry *entry)
{
    struct outer_keys keys = {.count = 0};
    bool empty = true;
    if (!scan_open(scanner, &empty, '{', "request is an object")) return false;
    for (bool more = !empty; more;) {
        char name[48];
        if (!scan_key(scanner, name, &keys)) return false;
        bool fine = strcmp(name, "method") == 0 ? scan_url(scanner, &entry->method)
                    : strcmp(name, "url") == 0  ? scan_url(scanner, &entry->url)
                                                : sy_json_scan_value(scanner, NULL);
        if (!fine) {
            prefix_path(&scanner->fault, name);
            return false;
        }
        if (!scan_separator(scanner, &more, '}')) return false;
    }
    return true;
}

static bool scan_entry_members(struct sy_json_scanner *scanner, struct sy_fhir_entry *entry)
{
    struct outer_keys keys = {.count = 0};
    bool empty = true;
    if (!scan_open(scanner, &empty, '{', "an entry is an object")) return false;
    for (bool more = !empty; more;) {
        char name[48];
        if (!scan_key(scanner, name, &keys)) return false;
        bool fine = strcmp(name, "resource") == 0  ? scan_resource(scanner, &entry->resource)
                    : strcmp(name, "fullUrl") == 0 ? scan_url(scanner, &entry->full_url)
                    : strcmp(name, "request") == 0 ? scan_request(scanner, entry)
                                                   : sy_json_scan_value(scanner, NULL);
        if (!fine) {
            prefix_path(&scanner->fault, name);
            return false;
        }
        if (!scan_separator(scanner, &more, '}')) return false;
    }
    return true;
}

static struct sy_fhir_entry *add_entry(struct sy_fhir_scan *scan)
{
    if (scan->entry_count == SY_FHIR_ENTRIES_MAX) {
        (void)sy_json_scan_fail(&scan->scanner, SY_JSON_MEMBERS, "more than 65,536 entries");
        return NULL;
    }
    if (scan->entry_count == scan->entry_capacity) {
        size_t capacity = scan->entry_capacity == 0 ? 256 : scan->entry_capacity * 2;
        struct sy_fhir_entry *entries = realloc(scan->entries, capacity * sizeof *entries);
        if (entries == NULL) {
            (void)sy_json_scan_fail(&scan->scanner, SY_JSON_MEMBERS, "no memory for the entries");
            return NULL;
        }
        scan->entries = entries;
        scan->entry_capacity = capacity;
    }
    struct sy_fhir_entry *entry = &scan->entries[scan->entry_count++];
    memset(entry, 0, sizeof *entry);
    return entry;
}

/* One entry. A fault in it becomes its own when its end can be found; false when it cannot, or when
 * there is no entry here at all. */
static bool scan_entry(struct sy_fhir_scan *scan)
{
    struct sy_json_scanner *scanner = &scan->scanner;
    int opening = sy_json_scan_space(scanner);
    size_t first = scanner->at;
    struct sy_fhir_entry *entry = add_entry(scan);
    if (entry == NULL) return false;
    if (scan_entry_members(scanner, entry)) return true;
    entry->faulty = true;
    entry->fault = scanner->fault;
    entry->resource.size = 0;
    if (opening != '{') {
        scanner->fault.kind = SY_JSON_FINE;
        scanner->at = first;
        return sy_json_scan_value(scanner, NULL);
    }
    if (!sy_json_skip_damaged(scanner, first)) return false;
    int next = sy_json_scan_space(scanner);
    return next == ',' || next == ']';
}

/* --- the document ---------------------------------------------------------------------------- */

static bool scan_entries(struct sy_fhir_scan *scan)
{
    struct sy_json_scanner *scanner = &scan->scanner;
    bool empty = true;
    if (!scan_open(scanner, &empty, '[', "entry is an array")) return false;
    for (bool more = !empty; more;) {
        if (!scan_entry(scan)) {
            char index[24];
            (void)snprintf(index, sizeof index, "[%zu]",
                           scan->entry_count == 0 ? 0 : scan->entry_count - 1);
            if (scanner->fault.kind == SY_JSON_FINE) {
                (void)sy_json_scan_fail(scanner, SY_JSON_SYNTAX,
                                        "the end of this entry cannot be found; what stands behind "
                                        "it was not read");
            }
            prefix_path(&scanner->fault, index);
            return false;
        }
        if (!scan_separator(scanner, &more, ']')) return false;
    }
    return true;
}

/* The value of a member of the document's one object; a string's inside in *text. */
static bool scan_member_value(struct sy_fhir_scan *scan, struct sy_slice *text, const char *name)
{
    struct sy_json_scanner *scanner = &scan->scanner;
    int first = sy_json_scan_space(scanner);
    struct sy_slice value;
    if (strcmp(name, "entry") == 0 && first == '[') {
        scanner->depth_max = SY_JSON_SCAN_DEPTH_MAX;
        return scan_entries(scan);
    }
    // The object around it is the first level when the document is a resource.
    scanner->depth_max = SY_JSON_SCAN_DEPTH_MAX - 1;
    if (!sy_json_scan_value(scanner, &value)) return false;
    if (first == '"') *text = sy_slice_of(value.data + 1, value.size - 2);
    return true;
}

/* The members of the document's one object. *type is resourceType's inside. */
static bool scan_members(struct sy_fhir_scan *scan, struct sy_slice *type)
{
    struct sy_json_scanner *scanner = &scan->scanner;
    struct outer_keys keys = {.count = 0};
    bool empty = true;
    if (!scan_open(scanner, &empty, '{', "a FHIR document is an object")) return false;
    for (bool more = !empty; more;) {
        char name[48];
        struct sy_slice text = {NULL, 0};
        if (!scan_key(scanner, name, &keys)) return false;
        if (!scan_member_value(scan, &text, name)) {
            prefix_path(&scanner->fault, name);
            return false;
        }
        if (strcmp(name, "resourceType") == 0) *type = text;
        if (strcmp(name, "type") == 0 &&
            !sy_json_unquote(scan->bundle_type, sizeof scan->bundle_type, text)) {
            scan->bundle_type[0] = '\0';
        }
        if (!scan_separator(scanner, &more, '}')) return false;
    }
    return true;
}

static bool note_fault(struct sy_fhir_scan *scan)
{
    scan->faulty = true;
    scan->fault = scan->scanner.fault;
    return false;
}

/* A document that is no Bundle is one resource. Whatever was taken for a Bundle's entries is part
 * of it and is checked once more, as any other value. */
static bool finish_resource(struct sy_fhir_scan *scan, struct sy_slice span)
{
    struct sy_json_scanner *scanner = &scan->scanner;
    if (scan->entry_count != 0) {
        scan->entry_count = 0;
        sy_json_scan_begin(scanner, span);
        if (!sy_json_scan_value(scanner, NULL)) return note_fault(scan);
    }
    if (span.size > SY_FHIR_RESOURCE_BYTES_MAX) {
        (void)sy_json_scan_fail(scanner, SY_JSON_MEMBERS, "a resource of more than 16 MiB");
        return note_fault(scan);
    }
    struct sy_fhir_entry *entry = add_entry(scan);
    if (entry == NULL) return note_fault(scan);
    entry->resource = span;
    return true;
}

bool sy_fhir_scan_document(struct sy_fhir_scan *scan, struct sy_slice document)
{
    struct sy_json_scanner *scanner = &scan->scanner;
    scan->is_bundle = false;
    scan->bundle_type[0] = '\0';
    scan->entry_count = 0;
    scan->faulty = false;
    sy_json_scan_begin(scanner, document);
    struct sy_slice type = {NULL, 0};
    (void)sy_json_scan_space(scanner);
    size_t first = scanner->at;
    bool fine = scan_members(scan, &type);
    size_t end = scanner->at;
    if (fine && sy_json_scan_space(scanner) != -1) {
        fine = sy_json_scan_fail(scanner, SY_JSON_SYNTAX, "something stands behind the end");
    }
    char name[32];
    scan->is_bundle =
        type.size != 0 && sy_json_unquote(name, sizeof name, type) && strcmp(name, "Bundle") == 0;
    // resourceType may stand behind the place where reading had to end: the entries then say it.
    if (!fine && type.size == 0 && scan->entry_count > 1) scan->is_bundle = true;
    if (!fine) {
        if (!scan->is_bundle) scan->entry_count = 0;
        return note_fault(scan);
    }
    return scan->is_bundle ||
           finish_resource(scan, sy_slice_of(document.data + first, end - first));
}
