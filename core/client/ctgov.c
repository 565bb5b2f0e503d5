/* ctgov.c: see ctgov.h. The two interfaces say the same in other words: a table has both. */
#include "core/client/ctgov.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/client/epcis.h"
#include "core/crypto/hash.h"

#define SORTED (JSON_SORT_KEYS | JSON_COMPACT)

/* Paths within a study, by interface. */
struct words {
    const char *protocol, *nct, *type, *target, *completion, *arms, *endpoints, *results;
    const char *measures, *title, *measure; /* of a result, and of a primary outcome */
};
static const struct words of_version[] = {
    {"ProtocolSection", "IdentificationModule.NCTId", "DesignModule.StudyType",
     "DesignModule.EnrollmentInfo.EnrollmentCount",
     "StatusModule.PrimaryCompletionDateStruct.PrimaryCompletionDate",
     "ArmsInterventionsModule.ArmGroupList.ArmGroup",
     "OutcomesModule.PrimaryOutcomeList.PrimaryOutcome", "ResultsSection",
     "OutcomeMeasuresModule.OutcomeMeasureList.OutcomeMeasure", "OutcomeMeasureTitle",
     "PrimaryOutcomeMeasure"},
    {"protocolSection", "identificationModule.nctId", "designModule.studyType",
     "designModule.enrollmentInfo.count", "statusModule.primaryCompletionDateStruct.date",
     "armsInterventionsModule.armGroups", "outcomesModule.primaryOutcomes", "resultsSection",
     "outcomeMeasuresModule.outcomeMeasures", "title", "measure"},
};

struct reading {
    const char *name;
    sy_ctgov_take *take;
    void *self;
    unsigned count;
    const struct words *words;
    char path[128]; /* of the study in the input */
    const json_t *protocol;
    struct sy_error err; /* why the study is refused */
};

/* The value at a path of names with dots between; NULL: nothing is there. */
static const json_t *at_path(const json_t *json, const char *path)
{
    while (json != NULL && *path != '\0') {
        char key[64];
        size_t size = strcspn(path, ".");
        (void)snprintf(key, sizeof key, "%.*s", (int)size, path);
        json = json_object_get(json, key);
        path += size + (path[size] == '.');
    }
    return json;
}

static bool refuse(struct reading *r, const char *path, const char *why)
{
    const char *dot = *path != '\0' ? "." : "";
    (void)sy_fail(&r->err, SY_ERR_FORMAT, "%s, %s.%s%s%s: %s", r->name, r->path, r->words->protocol,
                  dot, path, why);
    return false;
}

static bool all_digits(const char *text)
{
    return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

// --- fields ------------------------------------------------------------------------------------

static bool read_number(struct reading *r, struct sy_ctgov_study *study)
{
    const char *nct = json_string_value(at_path(r->protocol, r->words->nct));
    bool good = nct != NULL && strlen(nct) == SY_CTGOV_NCT_BYTES - 1 &&
                strncmp(nct, "NCT", 3) == 0 && all_digits(nct + 3);
    if (!good) return refuse(r, r->words->nct, "it is missing, or not NCT and eight digits");
    memcpy(study->nct, nct, SY_CTGOV_NCT_BYTES);
    const char *type = json_string_value(at_path(r->protocol, r->words->type));
    static const char *const types[] = {"Interventional", "INTERVENTIONAL", "Observational",
                                        "OBSERVATIONAL"};
    for (size_t i = 0; type != NULL && i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(type, types[i]) == 0) return true;
    }
    return refuse(r, r->words->type, "it is neither interventional nor observational");
}

static bool read_target(struct reading *r, struct sy_ctgov_study *study)
{
    const json_t *count = at_path(r->protocol, r->words->target);
    const char *text = json_string_value(count);
    long long number = -1;
    if (json_is_integer(count)) number = json_integer_value(count);
    if (text != NULL && all_digits(text) && strlen(text) <= 9) number = strtoll(text, NULL, 10);
    if (number < 1 || number > SY_TRIAL_SUBJECTS_MAX) {
        return refuse(r, r->words->target, "it is no number from 1 to 100000");
    }
    study->target = (uint32_t)number;
    return true;
}

static unsigned days_of(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* "January 2009", "March 1, 2021". */
static bool old_day(const char *text, unsigned *year, unsigned *month, unsigned *day)
{
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    for (unsigned i = 0; i < 12; i++) {
        size_t size = strlen(months[i]);
        int end = 0;
        if (strncmp(text, months[i], size) != 0) continue;
        *month = i + 1;
        *day = 0;
        (void)sscanf(text + size, " %4u%n", year, &end);
        if (end > 0 && text[size + (size_t)end] == '\0') return true;
        end = 0;
        (void)sscanf(text + size, " %2u, %4u%n", day, year, &end);
        return end > 0 && text[size + (size_t)end] == '\0' && *day > 0;
    }
    return false;
}

/* "2013-01", "2013-01-15". */
static bool new_day(const char *text, unsigned *year, unsigned *month, unsigned *day)
{
    int end = 0;
    size_t size = strlen(text);
    *day = 0;
    if ((size != 7 && size != 10) || text[strspn(text, "0123456789-")] != '\0') return false;
    (void)sscanf(text, "%4u-%2u%n", year, month, &end);
    if (size == 7) return end == 7;
    end = 0;
    (void)sscanf(text, "%4u-%2u-%2u%n", year, month, day, &end);
    return end == 10 && *day > 0;
}

static bool read_completion(struct reading *r, struct sy_ctgov_study *study)
{
    const char *text = json_string_value(at_path(r->protocol, r->words->completion));
    unsigned year = 0, month = 0, day = 0;
    char time[48];
    bool good = text != NULL &&
                (new_day(text, &year, &month, &day) || old_day(text, &year, &month, &day)) &&
                year >= 1970 && year <= 9999 && month >= 1 && month <= 12;
    if (good && day == 0) day = days_of(year, month);
    if (good) (void)snprintf(time, sizeof time, "%04u-%02u-%02uT00:00:00Z", year, month, day);
    if (good && sy_epcis_time(&study->completion_ms, time)) return true;
    return refuse(r, r->words->completion, "it is missing, or no day or month");
}

static bool read_counts(struct reading *r, struct sy_ctgov_study *study)
{
    size_t arms = json_array_size(at_path(r->protocol, r->words->arms));
    size_t endpoints = json_array_size(at_path(r->protocol, r->words->endpoints));
    if (arms < 1 || arms > SY_TRIAL_ARMS_MAX) {
        return refuse(r, r->words->arms, "a trial has from 1 to 8 arms");
    }
    if (endpoints < 1 || endpoints > SY_TRIAL_ENDPOINTS_MAX) {
        return refuse(r, r->words->endpoints, "a trial has from 1 to 8 primary endpoints");
    }
    study->arms = (uint8_t)arms;
    study->endpoint_count = (uint8_t)endpoints;
    return true;
}

static bool read_fields(struct reading *r, struct sy_ctgov_study *study)
{
    if (!json_is_object(r->protocol)) return refuse(r, "", "it is no object");
    return read_number(r, study) && read_target(r, study) && read_completion(r, study) &&
           read_counts(r, study);
}

// --- studies -----------------------------------------------------------------------------------

static bool same_before(const struct sy_ctgov_study *study, unsigned at)
{
    for (unsigned i = 0; i < at; i++) {
        if (strcmp(study->endpoints[i], study->endpoints[at]) == 0) return true;
    }
    return false;
}

/* Writes the texts that are committed to; the caller frees those that are not NULL. */
static bool write_texts(struct reading *r, struct sy_ctgov_study *study)
{
    const json_t *endpoints = at_path(r->protocol, r->words->endpoints);
    study->protocol = json_dumps(r->protocol, SORTED);
    bool good = study->protocol != NULL;
    for (unsigned i = 0; good && i < study->endpoint_count; i++) {
        study->endpoints[i] = json_dumps(json_array_get(endpoints, i), SORTED | JSON_ENCODE_ANY);
        good = study->endpoints[i] != NULL;
        if (good && same_before(study, i)) {
            return refuse(r, r->words->endpoints, "one stands there twice");
        }
    }
    return good || refuse(r, "", "there is no memory for it");
}

// --- what it found -----------------------------------------------------------------------------

struct result {
    json_t *primary; /* list of the primary measures */
    char **tables;
    uint32_t count;
};

static bool is_primary(const json_t *measure)
{
    const char *type = json_string_value(json_object_get(measure, "OutcomeMeasureType"));
    if (type == NULL) type = json_string_value(json_object_get(measure, "type"));
    return type != NULL && (strcmp(type, "Primary") == 0 || strcmp(type, "PRIMARY") == 0);
}

/* Adds what a primary measure is about. Returns what is wrong; NULL: nothing. */
static const char *add_endpoint(const struct reading *r, struct sy_ctgov_study *study,
                                const json_t *measure)
{
    const json_t *title = json_object_get(measure, r->words->title);
    const json_t *outcomes = at_path(r->protocol, r->words->endpoints);
    const char *text = json_string_value(title);
    if (text == NULL) return "a primary outcome measure has no title";
    if (study->result_endpoint_count == SY_TRIAL_ENDPOINTS_MAX) {
        return "there are more than 8 primary outcome measures";
    }
    for (unsigned i = 0; i < study->endpoint_count; i++) {
        const json_t *outcome = json_object_get(json_array_get(outcomes, i), r->words->measure);
        if (json_equal(outcome, title)) text = study->endpoints[i];
    }
    for (unsigned i = 0; i < study->result_endpoint_count; i++) {
        if (strcmp(study->result_endpoints[i], text) == 0) return NULL; // several tables of one
    }
    char *own = strdup(text);
    if (own == NULL) return "there is no memory for it";
    study->result_endpoints[study->result_endpoint_count++] = own;
    return NULL;
}

static const char *add_table(const struct reading *r, struct sy_ctgov_study *study,
                             struct result *result, const json_t *measure)
{
    char *text = json_dumps(measure, SORTED | JSON_ENCODE_ANY);
    if (text == NULL) return "there is no memory for it";
    result->tables[result->count++] = text;
    if (!is_primary(measure)) return NULL;
    if (json_array_append(result->primary, (json_t *)measure) != 0) {
        return "there is no memory for it";
    }
    return add_endpoint(r, study, measure);
}

static const char *read_result(const struct reading *r, struct sy_ctgov_study *study,
                               struct result *result, const json_t *json)
{
    const json_t *measures = at_path(json_object_get(json, r->words->results), r->words->measures);
    size_t count = json_array_size(measures);
    if (count == 0) return "no results are posted";
    if (count > SY_CTGOV_TABLES_MAX) return "there are more than 10000 outcome measures";
    result->primary = json_array();
    result->tables = (char **)calloc(count, sizeof *result->tables);
    if (result->primary == NULL || result->tables == NULL) return "there is no memory for it";
    for (size_t i = 0; i < count; i++) {
        const char *fault = add_table(r, study, result, json_array_get(measures, i));
        if (fault != NULL) return fault;
    }
    if (study->result_endpoint_count == 0) return "no outcome measure is primary";
    study->effect = json_dumps(result->primary, SORTED);
    study->tables = (const char *const *)result->tables;
    study->table_count = result->count;
    return study->effect != NULL ? NULL : "there is no memory for it";
}

static void free_result(struct sy_ctgov_study *study, struct result *result)
{
    free((void *)study->effect);
    for (unsigned i = 0; i < study->result_endpoint_count; i++) {
        free((void *)study->result_endpoints[i]);
    }
    for (uint32_t i = 0; i < result->count; i++) free(result->tables[i]);
    free((void *)result->tables);
    json_decref(result->primary);
}

static void tell_study(struct reading *r, const json_t *json, unsigned version)
{
    struct sy_ctgov_study study = {.version = (uint8_t)version};
    r->count++;
    r->err = (struct sy_error){SY_OK, ""};
    r->words = &of_version[version - 1];
    r->protocol = json_object_get(json, r->words->protocol);
    study.has_results = json_object_get(json, r->words->results) != NULL;
    bool good = read_fields(r, &study) && write_texts(r, &study);
    struct result result = {.primary = NULL};
    if (good) study.result_fault = read_result(r, &study, &result, json);
    r->take(r->self, &study, good ? NULL : &r->err);
    free_result(&study, &result);
    free((void *)study.protocol);
    for (unsigned i = 0; i < SY_TRIAL_ENDPOINTS_MAX; i++) free((void *)study.endpoints[i]);
}

/* A study of either interface, or {"Study": ...}; anything else is none. */
static void try_study(struct reading *r, const json_t *json, const char *list, size_t index)
{
    const json_t *inner = json_object_get(json, "Study");
    (void)snprintf(r->path, sizeof r->path, "%s", "$");
    if (list != NULL) (void)snprintf(r->path, sizeof r->path, "$%s[%zu]", list, index);
    if (inner != NULL) {
        size_t size = strlen(r->path);
        (void)snprintf(r->path + size, sizeof r->path - size, ".Study");
        json = inner;
    }
    for (unsigned version = 1; version <= 2; version++) {
        if (json_object_get(json, of_version[version - 1].protocol) != NULL) {
            tell_study(r, json, version);
            return;
        }
    }
}

static void try_list(struct reading *r, const json_t *list, const char *path)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        try_study(r, json_array_get(list, i), path, i);
    }
}

sy_status sy_ctgov_read(struct sy_slice text, const char *name, sy_ctgov_take *take, void *self,
                        struct sy_error *err)
{
    struct reading r = {.name = name, .take = take, .self = self};
    json_error_t fault;
    json_t *json = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &fault);
    if (json == NULL) {
        return sy_fail(err, SY_ERR_FORMAT, "%s, line %d, $: %s", name, fault.line, fault.text);
    }
    try_study(&r, json, NULL, 0);
    try_list(&r, json, "");
    try_list(&r, json_object_get(json, "studies"), ".studies");
    try_list(&r, at_path(json, "FullStudiesResponse.FullStudies"),
             ".FullStudiesResponse.FullStudies");
    json_decref(json);
    if (r.count > 0) return SY_OK;
    return sy_fail(err, SY_ERR_FORMAT,
                   "%s, $: there is no study: neither protocolSection nor FullStudiesResponse",
                   name);
}

sy_status sy_ctgov_salt(struct sy_hash *salt, const struct sy_hash *secret, const char *nct,
                        const char *what, struct sy_slice text, struct sy_error *err)
{
    static const char domain[] = "systole-trial-v1";
    size_t parts[] = {sizeof domain, strlen(nct) + 1, strlen(what) + 1};
    size_t size = parts[0] + parts[1] + parts[2] + text.size;
    uint8_t *room = (uint8_t *)malloc(size);
    if (room == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "%s: no memory for a salt", nct);
    memcpy(room, domain, parts[0]);
    memcpy(room + parts[0], nct, parts[1]);
    memcpy(room + parts[0] + parts[1], what, parts[2]);
    if (text.size > 0) memcpy(room + size - text.size, text.data, text.size);
    sy_hmac_sha256(salt, sy_slice_of(secret->bytes, sizeof secret->bytes), sy_slice_of(room, size));
    free(room);
    return SY_OK;
}
