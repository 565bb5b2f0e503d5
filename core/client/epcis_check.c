/* epcis_check.c: is an event as EPCIS 2.0 wants it? */
#include <stdarg.h>
#include <stdio.h>

#include "core/client/epcis_internal.h"
#include "core/client/gs1_uri.h"

struct check {
    const struct sy_epcis_event *event;
    sy_epcis_tell tell;
    void *self;
    bool warning; /* what is told next is one */
    size_t issues;
};

/* Only what a terminal shows. */
static void make_printable(char *text)
{
    for (; *text != '\0'; text++) {
        if (*text < ' ' || *text > '~') *text = '?';
    }
}

static void tell(struct check *check, const char *path, const char *format, ...) SY_PRINTF(3, 4);

static void tell(struct check *check, const char *path, const char *format, ...)
{
    struct sy_epcis_issue issue = {.event = check->event, .warning = check->warning};
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(issue.what, sizeof issue.what, format, arguments);
    va_end(arguments);
    (void)snprintf(issue.path, sizeof issue.path, "%s", path);
    make_printable(issue.what);
    make_printable(issue.path);
    if (!issue.warning) check->issues++;
    check->tell(check->self, &issue);
}

static const char *text_of(const struct check *check, const char *name)
{
    return json_string_value(json_object_get(check->event->json, name));
}

/* --- times ----------------------------------------------------------------------------------- */

static void check_time(struct check *check, const json_t *object, const char *path,
                       const char *name, bool required)
{
    int64_t ms;
    const json_t *value = json_object_get(object, name);
    const char *text = json_string_value(value);
    if (value == NULL && !required) return;
    if (value == NULL) {
        tell(check, path, "%s is missing", name);
    } else if (text == NULL || !sy_epcis_time(&ms, text)) {
        tell(check, path, "%.40s is no time with a zone, as 2026-11-30T08:00:00+01:00 is",
             text != NULL ? text : "it");
    }
}

static void check_zone(struct check *check)
{
    const char *zone = text_of(check, "eventTimeZoneOffset");
    bool good = zone != NULL && strlen(zone) == 6 && (zone[0] == '+' || zone[0] == '-');
    for (size_t i = 1; good && i < 6; i++) {
        good = i == 3 ? zone[i] == ':' : zone[i] >= '0' && zone[i] <= '9';
    }
    good = good && (zone[1] - '0') * 10 + zone[2] - '0' <= 14 && zone[4] <= '5';
    if (!good) {
        tell(check, "eventTimeZoneOffset", "%s", "it has to be there, as +01:00 or -06:00 are");
    }
}

/* --- words and keys -------------------------------------------------------------------------- */

static void check_word(struct check *check, const json_t *value, const char *path,
                       enum sy_epcis_words words)
{
    if (value == NULL) return;
    const char *text = json_string_value(value);
    if (text == NULL) {
        tell(check, path, "%s", "it has to be a text");
        return;
    }
    bool known = sy_epcis_word_uri(words, sy_slice_of(text, strlen(text))) != NULL;
    if (!known && strchr(text, ':') == NULL) {
        tell(check, path, "%.60s is no word of CBV 2.0; others' words are URIs", text);
    }
}

/* Schemes of EPC URIs that can be judged. */
static bool is_judged(const char *uri)
{
    static const char *const schemes[] = {
        "urn:epc:id:sgtin:", "urn:epc:id:sscc:",     "urn:epc:id:sgln:", "urn:epc:id:pgln:",
        "urn:epc:id:grai:",  "urn:epc:class:lgtin:", "urn:epc:id:gdti:", "urn:epc:idpat:sgtin:"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (strncmp(uri, schemes[i], strlen(schemes[i])) == 0) return true;
    }
    return false;
}

static void check_uri(struct check *check, const json_t *value, const char *path)
{
    char canonical[SY_GS1_URI_BYTES];
    char expected;
    const char *text = json_string_value(value);
    if (value == NULL) return;
    if (text == NULL || strchr(text, ':') == NULL) {
        tell(check, path, "%.60s is no URI", text != NULL ? text : "it");
        return;
    }
    if (!sy_gs1_canonical(canonical, sy_slice_of(text, strlen(text)))) {
        if (is_judged(text)) {
            tell(check, path, "%.80s is not as the EPC standard has it: wrong digits or characters",
                 text);
        }
    } else if (!sy_gs1_check_good(&expected, canonical)) {
        tell(check, path, "%.80s: its check digit has to be %c", text, expected);
    }
}

static void check_uris(struct check *check, const char *name)
{
    char path[64];
    const json_t *list = json_object_get(check->event->json, name);
    if (list != NULL && !json_is_array(list)) tell(check, name, "%s", "it has to be a list");
    for (size_t i = 0; i < json_array_size(list); i++) {
        (void)snprintf(path, sizeof path, "%s[%zu]", name, i);
        check_uri(check, json_array_get(list, i), path);
    }
}

static void check_quantities(struct check *check, const char *name)
{
    char path[80];
    const json_t *list = json_object_get(check->event->json, name);
    if (list != NULL && !json_is_array(list)) tell(check, name, "%s", "it has to be a list");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const json_t *quantity = json_object_get(item, "quantity");
        (void)snprintf(path, sizeof path, "%s[%zu].epcClass", name, i);
        if (json_object_get(item, "epcClass") == NULL) tell(check, path, "%s", "it is missing");
        check_uri(check, json_object_get(item, "epcClass"), path);
        (void)snprintf(path, sizeof path, "%s[%zu].quantity", name, i);
        bool good =
            quantity == NULL || (json_is_number(quantity) && json_number_value(quantity) >= 0);
        if (!good) tell(check, path, "%s", "it has to be a number, not below 0");
    }
}

/* Lists of {type, name}. */
static void check_typed(struct check *check, const char *name, const char *member,
                        enum sy_epcis_words words)
{
    char path[80];
    const json_t *list = json_object_get(check->event->json, name);
    if (list != NULL && !json_is_array(list)) tell(check, name, "%s", "it has to be a list");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        (void)snprintf(path, sizeof path, "%s[%zu].%s", name, i, member);
        if (json_object_get(item, member) == NULL) tell(check, path, "%s", "it is missing");
        check_uri(check, json_object_get(item, member), path);
        (void)snprintf(path, sizeof path, "%s[%zu].type", name, i);
        check_word(check, json_object_get(item, "type"), path, words);
    }
}

static void check_place(struct check *check, const char *name)
{
    char path[32];
    const json_t *place = json_object_get(check->event->json, name);
    (void)snprintf(path, sizeof path, "%s.id", name);
    if (place == NULL) return;
    if (json_object_get(place, "id") == NULL) tell(check, path, "%s", "it is missing");
    check_uri(check, json_object_get(place, "id"), path);
}

/* --- by type --------------------------------------------------------------------------------- */

static bool has(const struct check *check, const char *name)
{
    const json_t *value = json_object_get(check->event->json, name);
    return json_is_string(value) || json_array_size(value) > 0;
}

static void check_action(struct check *check)
{
    const char *action = text_of(check, "action");
    if (check->event->type == SY_EPCIS_TRANSFORMATION) {
        if (action != NULL) tell(check, "action", "%s", "a transformation has none");
        return;
    }
    bool good = action != NULL && (strcmp(action, "ADD") == 0 || strcmp(action, "OBSERVE") == 0 ||
                                   strcmp(action, "DELETE") == 0);
    if (!good) tell(check, "action", "%s", "it has to be ADD, OBSERVE or DELETE");
}

static void check_what(struct check *check)
{
    const char *action = text_of(check, "action");
    bool deletes = action != NULL && strcmp(action, "DELETE") == 0;
    bool observes = action != NULL && strcmp(action, "OBSERVE") == 0;
    bool children = has(check, "childEPCs") || has(check, "childQuantityList");
    switch (check->event->type) {
    case SY_EPCIS_OBJECT:
        if (!has(check, "epcList") && !has(check, "quantityList") &&
            !has(check, "sensorElementList")) {
            tell(check, "epcList", "%s", "it says of nothing what happened to it");
        }
        break;
    case SY_EPCIS_AGGREGATION:
    case SY_EPCIS_ASSOCIATION:
        if (!has(check, "parentID") && !(observes && check->event->type == SY_EPCIS_AGGREGATION)) {
            tell(check, "parentID", "%s", "it is missing");
        }
        if (!children && !deletes) tell(check, "childEPCs", "%s", "there are no children");
        break;
    case SY_EPCIS_TRANSACTION:
        if (!has(check, "bizTransactionList")) {
            tell(check, "bizTransactionList", "%s", "it is missing");
        }
        break;
    default: {
        bool in = has(check, "inputEPCList") || has(check, "inputQuantityList");
        bool out = has(check, "outputEPCList") || has(check, "outputQuantityList");
        bool half = has(check, "transformationID") && (in || out);
        if (!(in && out) && !half) {
            tell(check, "inputEPCList", "%s",
                 "inputs and outputs are wanted, or a transformationID and one of them");
        }
    }
    }
}

static void check_declaration(struct check *check)
{
    const json_t *declaration = json_object_get(check->event->json, "errorDeclaration");
    if (declaration == NULL) return;
    check_time(check, declaration, "errorDeclaration.declarationTime", "declarationTime", true);
    const char *reason = json_string_value(json_object_get(declaration, "reason"));
    bool good = reason == NULL || strchr(reason, ':') != NULL ||
                strcmp(reason, "did_not_occur") == 0 || strcmp(reason, "incorrect_data") == 0;
    if (!good) {
        tell(check, "errorDeclaration.reason",
             "%.60s is no word of CBV 2.0; others' words are URIs", reason);
    }
}

/* An eventID that is a hash should be this event's; that of older drafts is not. */
static void check_id(struct check *check)
{
    struct sy_hash hash;
    char text[SY_EPCIS_HASH_BYTES];
    const char *id = check->event->event_id;
    bool is_hash = strncmp(id, "ni:///sha-256;", 14) == 0 && strstr(id, "?ver=CBV2.0") != NULL;
    if (!is_hash || sy_epcis_hash(&hash, check->event, NULL) != SY_OK) return;
    sy_epcis_hash_text(text, &hash);
    check->warning = true;
    if (strcmp(text, id) != 0) {
        tell(check, "eventID", "it is the hash of something else; this event's is %s", text);
    }
}

size_t sy_epcis_check(const struct sy_epcis_event *event, sy_epcis_tell tell_issue, void *self)
{
    static const char *const uris[] = {"epcList", "inputEPCList", "outputEPCList", "childEPCs"};
    static const char *const quantities[] = {"quantityList", "childQuantityList",
                                             "inputQuantityList", "outputQuantityList"};
    struct check check = {.event = event, .tell = tell_issue, .self = self};
    if (event->type == 0) {
        const char *type = json_string_value(json_object_get(event->json, "type"));
        tell(&check, "type",
             "%.40s is none of ObjectEvent, AggregationEvent, TransactionEvent, "
             "TransformationEvent and AssociationEvent",
             type != NULL ? type : "what stands here");
        return check.issues;
    }
    check_time(&check, event->json, "eventTime", "eventTime", true);
    check_time(&check, event->json, "recordTime", "recordTime", false);
    check_zone(&check);
    check_action(&check);
    check_what(&check);
    for (size_t i = 0; i < 4; i++) check_uris(&check, uris[i]);
    for (size_t i = 0; i < 4; i++) check_quantities(&check, quantities[i]);
    check_uri(&check, json_object_get(event->json, "parentID"), "parentID");
    check_word(&check, json_object_get(event->json, "bizStep"), "bizStep", SY_EPCIS_BIZ_STEPS);
    check_word(&check, json_object_get(event->json, "disposition"), "disposition",
               SY_EPCIS_DISPOSITIONS);
    check_typed(&check, "bizTransactionList", "bizTransaction", SY_EPCIS_TRANSACTION_TYPES);
    check_typed(&check, "sourceList", "source", SY_EPCIS_PARTY_TYPES);
    check_typed(&check, "destinationList", "destination", SY_EPCIS_PARTY_TYPES);
    check_place(&check, "readPoint");
    check_place(&check, "bizLocation");
    check_declaration(&check);
    check_id(&check);
    return check.issues;
}
