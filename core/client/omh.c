/* omh.c: see omh.h. Values of words are those of the schemas of openmhealth.org. */
#include "core/client/omh.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/base/os.h"
#include "core/client/epcis.h"
#include "core/client/omh_measures.def"
#include "core/client/samples_internal.h"

#define DIGITS 15 /* of a decimal number that a double gives back as it was written */

struct measure {
    const char *property, *schema;
    uint16_t system;
    const char *kind, *ucum, *unit;
    bool interval;
};

#define LOINC(property, schema, kind, ucum, unit, interval) \
    {property, schema, SY_STREAM_LOINC, kind, ucum, unit, interval},
#define IEEE(property, schema, kind, ucum, unit, interval) \
    {property, schema, SY_STREAM_IEEE_1752, kind, ucum, unit, interval},
static const struct measure measures[] = {SY_OMH_MEASURES(LOINC, IEEE)};

/* What else a body says, and in which words it may. */
static const struct {
    const char *property, *words;
} worded[] = {
    {"temporal_relationship_to_physical_activity",
     "|at rest|active|before exercise|after exercise|during exercise|"},
    {"temporal_relationship_to_sleep", "|before sleeping|during sleep|on waking|"},
    {"temporal_relationship_to_meal",
     "|fasting|not fasting|before meal|after meal|before breakfast|after breakfast|before lunch|"
     "after lunch|before dinner|after dinner|2 hours postprandial|with meal|with food|"},
    {"specimen_source", "|interstitial fluid|capillary blood|plasma|serum|tears|whole blood|"},
    {"blood_specimen_type", "|plasma|serum|whole blood|"},
    {"oxygen_therapy_mode_of_administration", "|nasal cannula|"},
    {"system", "|peripheral capillary|"},
    {"measurement_method", "|pulse oximetry|"},
};

/* One point under the eyes: what is wrong with it, and at which path, if anything is. */
struct point {
    const struct measure *measure;
    const char *path, *why;
};

static bool wrong(struct point *point, const char *path, const char *why)
{
    point->path = path;
    point->why = why;
    return false;
}

static bool is_word(const json_t *value, const char *words)
{
    char wanted[64];
    const char *word = json_string_value(value);
    if (word == NULL || *word == '\0' || strchr(word, '|') != NULL) return false;
    int size = snprintf(wanted, sizeof wanted, "|%s|", word);
    return size < (int)sizeof wanted && strstr(words, wanted) != NULL;
}

static bool read_time(const json_t *value, int64_t *time_ms)
{
    const char *text = json_string_value(value);
    return text != NULL && sy_epcis_time(time_ms, text) && *time_ms >= 0 &&
           *time_ms <= SY_TIME_MS_MAX;
}

// --- when --------------------------------------------------------------------------------------

/* Milliseconds of {"value": NUMBER, "unit": WORD}; months and years have no fixed length. */
static bool read_duration(const json_t *value, int64_t *ms)
{
    static const struct {
        const char *word;
        double ms;
    } units[] = {{"ms", 1},      {"sec", 1000},   {"min", 60000},
                 {"h", 3600000}, {"d", 86400000}, {"wk", 604800000}};
    const json_t *number = json_object_get(value, "value");
    const char *unit = json_string_value(json_object_get(value, "unit"));
    if (!json_is_number(number) || unit == NULL) return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(unit, units[i].word) != 0) continue;
        double length = json_number_value(number) * units[i].ms;
        if (!(length >= 0 && length <= (double)SY_TIME_MS_MAX)) return false;
        *ms = (int64_t)(length + 0.5);
        return true;
    }
    return false;
}

/* The end of an interval, of which two of start, end and duration are there. */
static bool read_interval(struct point *point, const json_t *interval, int64_t *time_ms)
{
    const json_t *start = json_object_get(interval, "start_date_time");
    const json_t *end = json_object_get(interval, "end_date_time");
    const json_t *duration = json_object_get(interval, "duration");
    int64_t from = 0, length = 0;
    static const char path[] = "effective_time_frame.time_interval";
    if (json_object_get(interval, "part_of_day") != NULL) {
        return wrong(point, path, "a part of a day is no point in time");
    }
    if (!start + !end + !duration != 1) {
        return wrong(point, path, "it has two of start_date_time, end_date_time and duration");
    }
    bool good = (start == NULL || read_time(start, &from)) &&
                (end == NULL || read_time(end, time_ms)) &&
                (duration == NULL || read_duration(duration, &length));
    if (!good) return wrong(point, path, "a time is none of RFC 3339, or a duration none");
    if (end == NULL) *time_ms = from + length;
    if (*time_ms < from || *time_ms > SY_TIME_MS_MAX) {
        return wrong(point, path, "it ends before it begins, or after all times");
    }
    return true;
}

static bool read_frame(struct point *point, const json_t *body, int64_t *time_ms)
{
    const json_t *frame = json_object_get(body, "effective_time_frame");
    const json_t *moment = json_object_get(frame, "date_time");
    const json_t *interval = json_object_get(frame, "time_interval");
    if (frame == NULL) return wrong(point, "effective_time_frame", "it is missing");
    if ((moment == NULL) == (interval == NULL)) {
        return wrong(point, "effective_time_frame", "it has either date_time or time_interval");
    }
    if (point->measure->interval != (interval != NULL)) {
        return wrong(point, "effective_time_frame",
                     interval ? "a measurement is at a date_time, not over an interval"
                              : "what adds up is over a time_interval, not at a date_time");
    }
    if (interval != NULL) return read_interval(point, interval, time_ms);
    if (read_time(moment, time_ms)) return true;
    return wrong(point, "effective_time_frame.date_time", "it is no time of RFC 3339");
}

// --- what --------------------------------------------------------------------------------------

/* The shortest form of the number that the input has. */
static bool write_number(const json_t *number, char out[SY_SAMPLE_VALUE_BYTES_MAX + 1])
{
    size_t size = json_dumpb(number, out, SY_SAMPLE_VALUE_BYTES_MAX,
                             JSON_ENCODE_ANY | JSON_REAL_PRECISION(DIGITS));
    if (size == 0 || size > SY_SAMPLE_VALUE_BYTES_MAX) return false;
    out[size] = '\0';
    return sy_json_number_size(out, size) == size;
}

static bool read_value(struct point *point, const json_t *body, struct sy_sample *sample)
{
    const struct measure *measure = point->measure;
    const json_t *property = json_object_get(body, measure->property);
    const json_t *value = json_object_get(property, "value");
    const char *unit = json_string_value(json_object_get(property, "unit"));
    if (property == NULL) return wrong(point, measure->property, "it is missing");
    if (json_is_integer(property) && strcmp(measure->unit, "steps") == 0) {
        value = property; // of step-count 1.x and 2.x
        unit = measure->unit;
    }
    if (!json_is_number(value)) return wrong(point, measure->property, "it has no number as value");
    if (unit == NULL || strcmp(unit, measure->unit) != 0) {
        return wrong(point, measure->property, "its unit is not the one of the stream");
    }
    if (!write_number(value, sample->value)) {
        return wrong(point, measure->property, "the number is too long");
    }
    return true;
}

/* Glucose of interstitial fluid is another kind than that of blood. */
static bool check_specimen(struct point *point, const json_t *body)
{
    const char *source = json_string_value(json_object_get(body, "specimen_source"));
    bool interstitial = source != NULL && strcmp(source, "interstitial fluid") == 0;
    if (strcmp(point->measure->property, "blood_glucose") != 0) return true;
    if (interstitial == (strcmp(point->measure->kind, "99504-3") == 0)) return true;
    return wrong(point, "specimen_source", "the stream is of another specimen");
}

static bool check_rest(struct point *point, const json_t *body)
{
    const json_t *flow = json_object_get(body, "supplemental_oxygen_flow_rate");
    const json_t *notes = json_object_get(body, "user_notes");
    if (json_object_get(body, "descriptive_statistic") != NULL) {
        return wrong(point, "descriptive_statistic", "a statistic is no measurement");
    }
    for (size_t i = 0; i < sizeof worded / sizeof worded[0]; i++) {
        const json_t *value = json_object_get(body, worded[i].property);
        if (value != NULL && !is_word(value, worded[i].words)) {
            return wrong(point, worded[i].property, "it is none of the schema's words");
        }
    }
    if (flow != NULL && !is_word(json_object_get(flow, "unit"), "|L/min|")) {
        return wrong(point, "supplemental_oxygen_flow_rate.unit", "it is not L/min");
    }
    if (notes != NULL && !json_is_string(notes)) return wrong(point, "user_notes", "it is no text");
    return check_specimen(point, body);
}

/* Of a data point: whose schema it is, and when it was made. */
static bool check_header(struct point *point, const json_t *header)
{
    const json_t *schema = json_object_get(header, "schema_id");
    const json_t *made = json_object_get(header, "creation_date_time");
    const json_t *id = json_object_get(header, "id");
    int64_t time_ms;
    if (made == NULL) made = json_object_get(header, "source_creation_date_time");
    if (id == NULL) id = json_object_get(header, "uuid");
    if (!json_is_string(id)) return wrong(point, "header.id", "it is missing, or no text");
    if (!read_time(made, &time_ms)) {
        return wrong(point, "header.creation_date_time", "it is no time of RFC 3339");
    }
    const char *name = json_string_value(json_object_get(schema, "name"));
    bool whole = json_is_string(json_object_get(schema, "namespace")) && name != NULL &&
                 json_is_string(json_object_get(schema, "version"));
    if (!whole) return wrong(point, "header.schema_id", "namespace, name or version is missing");
    if (strcmp(name, point->measure->schema) == 0) return true;
    return wrong(point, "header.schema_id.name", "it is another schema than the stream's");
}

static bool read_point(struct point *point, const json_t *json, struct sy_sample *sample)
{
    const json_t *header = json_object_get(json, "header"), *body = json;
    *sample = (struct sy_sample){.time_ms = 0};
    if (!json_is_object(json)) return wrong(point, "$", "it is no object");
    if (header != NULL) {
        body = json_object_get(json, "body");
        if (!json_is_object(body)) return wrong(point, "body", "it is missing, or no object");
        if (!check_header(point, header)) return false;
    }
    return read_value(point, body, sample) && read_frame(point, body, &sample->time_ms) &&
           check_rest(point, body);
}

// --- an input ----------------------------------------------------------------------------------

struct input {
    struct sy_samples *samples;
    const struct measure *measure;
    const char *name;
    uint32_t room;
    size_t line; /* where the value begins that is read */
};

static const struct measure *find_measure(const struct sy_stream *stream)
{
    for (size_t i = 0; i < sizeof measures / sizeof measures[0]; i++) {
        const struct measure *m = &measures[i];
        bool fits = m->system == stream->system &&
                    sy_slice_equal(stream->kind, sy_slice_of(m->kind, strlen(m->kind))) &&
                    sy_slice_equal(stream->unit, sy_slice_of(m->ucum, strlen(m->ucum)));
        if (fits) return m;
    }
    return NULL;
}

static sy_status add_point(struct input *input, const json_t *json, struct sy_error *err)
{
    struct sy_samples *samples = input->samples;
    struct point point = {.measure = input->measure};
    if (samples->count == SY_STREAM_SAMPLES_MAX) {
        return sy_fail(err, SY_ERR_LIMIT, "%s: there are more than %u points: send them in parts",
                       input->name, SY_STREAM_SAMPLES_MAX);
    }
    if (!sy_samples_make_room(samples, &input->room)) {
        return sy_fail(err, SY_ERR_NO_MEMORY, "%s: no memory", input->name);
    }
    if (!read_point(&point, json, &samples->items[samples->count])) {
        return sy_fail(err, SY_ERR_FORMAT, "%s, line %zu, point %u, %s: %s", input->name,
                       input->line, (unsigned)samples->count + 1, point.path, point.why);
    }
    samples->count++;
    return SY_OK;
}

static sy_status add_value(struct input *input, const json_t *json, struct sy_error *err)
{
    if (!json_is_array(json)) return add_point(input, json, err);
    for (size_t i = 0; i < json_array_size(json); i++) {
        SY_TRY(add_point(input, json_array_get(json, i), err));
    }
    return SY_OK;
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static sy_status read_all(struct input *input, struct sy_slice text, struct sy_error *err)
{
    sy_status status = SY_OK;
    input->line = 1;
    for (size_t at = 0; status == SY_OK;) {
        for (; at < text.size && is_blank(text.data[at]); at++) {
            input->line += text.data[at] == '\n';
        }
        if (at == text.size) break;
        json_error_t fault;
        json_t *json = json_loadb((const char *)text.data + at, text.size - at,
                                  JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, &fault);
        if (json == NULL) {
            return sy_fail(err, SY_ERR_FORMAT, "%s, line %zu: %s", input->name,
                           input->line + (size_t)fault.line - 1, fault.text);
        }
        status = add_value(input, json, err);
        json_decref(json);
        for (size_t end = at + (size_t)fault.position; at < end; at++) {
            input->line += text.data[at] == '\n';
        }
    }
    if (status == SY_OK && input->samples->count == 0) {
        return sy_fail(err, SY_ERR_FORMAT, "%s: there are no points in it", input->name);
    }
    return status;
}

static int by_time(const void *a, const void *b)
{
    const struct sy_sample *first = (const struct sy_sample *)a;
    const struct sy_sample *second = (const struct sy_sample *)b;
    if (first->time_ms != second->time_ms) return first->time_ms < second->time_ms ? -1 : 1;
    return strcmp(first->value, second->value);
}

sy_status sy_omh_read(struct sy_samples *samples, struct sy_slice text, const char *name,
                      const struct sy_stream *stream, struct sy_error *err)
{
    struct input input = {.samples = samples, .measure = find_measure(stream), .name = name};
    *samples = (struct sy_samples){.count = 0};
    if (input.measure == NULL) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "%s: no measure of Open mHealth is of the stream's kind and unit", name);
    }
    sy_status status = read_all(&input, text, err);
    if (status == SY_OK) qsort(samples->items, samples->count, sizeof *samples->items, by_time);
    if (status != SY_OK) sy_samples_free(samples);
    return status;
}
