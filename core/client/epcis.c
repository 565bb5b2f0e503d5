/* epcis.c: from bytes to events. */
#include "core/client/epcis.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/client/epcis_internal.h"
#include "core/client/fhir_json.h"
#include "core/crypto/hash.h"

static const char *const type_words[] = {
    "event",           "ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent",
    "AssociationEvent"};
#define TYPES (sizeof type_words / sizeof type_words[0])

const char *sy_epcis_type_word(uint8_t type)
{
    return type_words[type < TYPES ? type : 0];
}

static uint8_t type_of(const json_t *event)
{
    const char *word = json_string_value(json_object_get(event, "type"));
    for (uint8_t i = 1; word != NULL && i < TYPES; i++) {
        if (strcmp(word, type_words[i]) == 0) return i;
    }
    return 0;
}

/* --- opening --------------------------------------------------------------------------------- */

/* jansson reads recursively and takes what it is given; the scanner has judged depth and keys. */
static sy_status check_json(struct sy_slice bytes, struct sy_error *err)
{
    struct sy_json_scanner *scanner = calloc(1, sizeof *scanner);
    if (scanner == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory to read JSON");
    sy_json_scanner_open(scanner);
    sy_json_scan_begin(scanner, bytes);
    scanner->depth_max = SY_EPCIS_DEPTH_MAX; // jansson refuses what stands behind the end
    sy_status status = SY_OK;
    if (!sy_json_scan_value(scanner, NULL)) {
        const struct sy_json_fault *fault = &scanner->fault;
        status = sy_fail(err, SY_ERR_FORMAT, "line %llu%s%s: %s",
                         (unsigned long long)sy_json_line(bytes, fault->offset),
                         fault->path[0] ? ", " : "", fault->path, fault->what);
    }
    sy_json_scanner_close(scanner);
    free(scanner);
    return status;
}

/* Names of fields that are no part of what an event says: "prefix:ignoreFields". */
static void find_ignored(sy_epcis *document, json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        const char *colon = strchr(key, ':');
        bool names = colon != NULL && strcmp(colon + 1, "ignoreFields") == 0;
        if (names && json_is_array(value)) document->ignored = value;
    }
}

/* One event alone becomes a list of one. */
static sy_status take_single(sy_epcis *document, json_t *event, const char *path,
                             struct sy_error *err)
{
    document->events = json_array();
    document->events_owned = true;
    document->events_path = path;
    if (document->events == NULL || json_array_append(document->events, event) != 0) {
        return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for a document's events");
    }
    return SY_OK;
}

static sy_status find_events(sy_epcis *document, struct sy_error *err)
{
    json_t *root = document->root;
    document->events_path = "";
    if (json_is_array(root)) {
        document->events = root;
        return SY_OK;
    }
    if (type_of(root) != 0) return take_single(document, root, "", err);
    json_t *body = json_object_get(root, "epcisBody");
    json_t *results = json_object_get(body, "queryResults");
    find_ignored(document, root);
    if (results != NULL) find_ignored(document, results);
    json_t *single = json_object_get(body, "event");
    if (json_is_object(single)) return take_single(document, single, "epcisBody.event", err);
    document->events = json_object_get(body, "eventList");
    document->events_path = "epcisBody.eventList";
    if (results != NULL) {
        document->events = json_object_get(json_object_get(results, "resultsBody"), "eventList");
        document->events_path = "epcisBody.queryResults.resultsBody.eventList";
    }
    if (json_is_array(document->events)) return SY_OK;
    document->events = NULL;
    return sy_fail(err, SY_ERR_FORMAT,
                   "%s is no list: this is no EPCIS 2.0 document of events (EPCISDocument, "
                   "EPCISQueryDocument, a list of events or one)",
                   document->events_path);
}

static sy_status load(sy_epcis *document, struct sy_slice bytes, struct sy_error *err)
{
    json_error_t fault;
    // Integers as doubles: an event's hash takes all numbers as decimals.
    size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL;
    SY_TRY(check_json(bytes, err));
    document->root = json_loadb((const char *)bytes.data, bytes.size, flags, &fault);
    if (document->root == NULL) {
        return sy_fail(err, SY_ERR_FORMAT, "line %d: %s", fault.line, fault.text);
    }
    return find_events(document, err);
}

sy_status sy_epcis_open(sy_epcis **document, struct sy_slice bytes, struct sy_error *err)
{
    *document = NULL;
    if (bytes.size > SY_EPCIS_DOCUMENT_BYTES_MAX) {
        return sy_fail(err, SY_ERR_LIMIT, "a document has at most %u MiB, not %zu bytes",
                       SY_EPCIS_DOCUMENT_BYTES_MAX >> 20, bytes.size);
    }
    sy_epcis *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for a document");
    sy_status status = load(fresh, bytes, err);
    if (status == SY_OK) {
        *document = fresh;
    } else {
        sy_epcis_close(fresh);
    }
    return status;
}

void sy_epcis_close(sy_epcis *document)
{
    if (document == NULL) return;
    if (document->events_owned) json_decref(document->events);
    json_decref(document->root);
    free(document);
}

/* --- events ---------------------------------------------------------------------------------- */

size_t sy_epcis_count(const sy_epcis *document)
{
    return json_array_size(document->events);
}

struct sy_epcis_event sy_epcis_event(const sy_epcis *document, size_t position)
{
    SY_ASSERT(position < sy_epcis_count(document));
    struct sy_epcis_event event = {.document = document};
    event.json = json_array_get(document->events, position);
    event.type = type_of(event.json);
    event.declared_wrong = json_is_object(json_object_get(event.json, "errorDeclaration"));
    const char *id = json_string_value(json_object_get(event.json, "eventID"));
    event.event_id = id != NULL ? id : "";
    if (document->events_owned) {
        (void)snprintf(event.path, sizeof event.path, "%s", document->events_path);
    } else {
        (void)snprintf(event.path, sizeof event.path, "%s[%zu]", document->events_path, position);
    }
    return event;
}

/* --- hashes ---------------------------------------------------------------------------------- */

sy_status sy_epcis_hash(struct sy_hash *out, const struct sy_epcis_event *event,
                        struct sy_error *err)
{
    char *text = NULL;
    size_t size = 0;
    memset(out, 0, sizeof *out);
    SY_TRY(sy_epcis_prehash(&text, &size, event, err));
    sy_sha256(out, text, size);
    free(text);
    return SY_OK;
}

void sy_epcis_hash_text(char out[SY_EPCIS_HASH_BYTES], const struct sy_hash *hash)
{
    char hex[65];
    for (size_t i = 0; i < sizeof hash->bytes; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", (unsigned)hash->bytes[i]);
    }
    (void)snprintf(out, SY_EPCIS_HASH_BYTES, "ni:///sha-256;%s?ver=CBV2.0", hex);
}
