/* epcis_value.c: one form for each value, whoever wrote it how. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/client/epcis_internal.h"
#include "core/client/gs1_uri.h"

void sy_epcis_put(struct sy_epcis_text *out, const void *bytes, size_t size)
{
    if (out->status != SY_OK || size == 0) return;
    if (size > SY_EPCIS_PREHASH_BYTES_MAX - out->size) {
        out->status = SY_ERR_LIMIT;
        return;
    }
    if (size > out->capacity - out->size) {
        size_t capacity = out->capacity == 0 ? 4096 : out->capacity;
        while (capacity - out->size < size) capacity *= 2;
        char *data = realloc(out->data, capacity);
        if (data == NULL) {
            out->status = SY_ERR_NO_MEMORY;
            return;
        }
        out->data = data;
        out->capacity = capacity;
    }
    memcpy(out->data + out->size, bytes, size);
    out->size += size;
}

static void put_words(struct sy_epcis_text *out, const char *words)
{
    sy_epcis_put(out, words, strlen(words));
}

/* --- words ----------------------------------------------------------------------------------- */

#define CBV "https://ref.gs1.org/cbv/"
#define VOC "https://gs1.org/voc/"

/* CBV 2.0 sections 7 and 8.7, each word between blanks. */
static const struct {
    const char *uri;
    const char *urn; /* how CBV 1 wrote it; NULL: it did not */
    const char *words;
} vocabularies[] = {
    [SY_EPCIS_BIZ_STEPS] =
        {CBV "BizStep-", "urn:epcglobal:cbv:bizstep:",
         " accepting arriving assembling collecting commissioning consigning "
         "creating_class_instance cycle_counting decommissioning departing destroying "
         "disassembling dispensing encoding entering_exiting holding inspecting installing "
         "killing loading other packing picking receiving removing repackaging repairing "
         "replacing reserving retail_selling shipping staging_outbound stock_taking stocking "
         "storing transporting unloading unpacking void_shipping sensor_reporting sampling "},
    [SY_EPCIS_DISPOSITIONS] =
        {CBV "Disp-", "urn:epcglobal:cbv:disp:",
         " active container_closed damaged destroyed dispensed disposed encoded expired "
         "in_progress in_transit inactive no_pedigree_match non_sellable_other "
         "partially_dispensed recalled reserved retail_sold returned sellable_accessible "
         "sellable_not_accessible stolen unknown available completeness_verified "
         "completeness_inferred conformant container_open mismatch_instance mismatch_class "
         "mismatch_quantity needs_replacement non_conformant unavailable "},
    [SY_EPCIS_TRANSACTION_TYPES] = {CBV "BTT-", "urn:epcglobal:cbv:btt:",
                                    " bol cert desadv inv pedigree po poc prodorder recadv rma "
                                    "testprd testres upevt "},
    [SY_EPCIS_PARTY_TYPES] = {CBV "SDT-",
                              "urn:epcglobal:cbv:sdt:", " owning_party possessing_party location "},
    [SY_EPCIS_MEASUREMENTS] =
        {VOC, NULL,
         " AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Radioactivity Altitude "
         "AmountOfSubstance AmountOfSubstancePerUnitVolume Angle AngularAcceleration "
         "AngularMomentum AngularVelocity Area Capacitance Conductance Conductivity Count Density "
         "Dimensionless DoseEquivalent DoseEquivalentRate DynamicViscosity ElectricCharge "
         "ElectricCurrent ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force "
         "Frequency Illuminance Inductance Irradiance KinematicViscosity Length LinearMomentum "
         "Luminance LuminousFlux LuminousIntensity MagneticFlux MagneticFluxDensity "
         "MagneticVectorPotential Mass MassConcentration MassFlowRate MassPerAreaTime "
         "MemoryCapacity MolalityOfSolute MolarEnergy MolarMass MolarVolume Power Pressure "
         "RadiantFlux RadiantIntensity RelativeHumidity Resistance Resistivity SolidAngle "
         "SpecificVolume Speed SurfaceDensity SurfaceTension Temperature Time Torque Voltage "
         "Volume VolumeFlowRate VolumeFraction VolumetricFlux Wavenumber "},
    [SY_EPCIS_EXCEPTIONS] = {VOC, NULL, " ALARM_CONDITION ERROR_CONDITION "},
    [SY_EPCIS_COMPONENTS] = {CBV "Comp-", NULL,
                             " x y z axial_distance azimuth height spherical_radius polar_angle "
                             "elevation_angle easting northing latitude longitude altitude "},
};

const char *sy_epcis_word_uri(enum sy_epcis_words words, struct sy_slice word)
{
    char padded[64];
    if (words == SY_EPCIS_NO_WORDS || word.size == 0 || word.size > sizeof padded - 3) return NULL;
    if (memchr(word.data, ' ', word.size) != NULL) return NULL;
    (void)snprintf(padded, sizeof padded, " %.*s ", (int)word.size, (const char *)word.data);
    return strstr(vocabularies[words].words, padded) ? vocabularies[words].uri : NULL;
}

/* --- names ----------------------------------------------------------------------------------- */

static bool is_word(struct sy_slice text, const char *word)
{
    return sy_slice_equal(text, sy_slice_of(word, strlen(word)));
}

static bool starts_with(struct sy_slice text, const char *start)
{
    size_t size = strlen(start);
    return text.size >= size && memcmp(text.data, start, size) == 0;
}

/* In one object of a context; JSON-LD allows {"@id": ...}, too. */
static const char *namespace_in(const json_t *context, struct sy_slice prefix)
{
    char name[64];
    if (!json_is_object(context) || prefix.size == 0 || prefix.size >= sizeof name) return NULL;
    memcpy(name, prefix.data, prefix.size);
    name[prefix.size] = '\0';
    const json_t *found = json_object_get(context, name);
    if (json_is_object(found)) found = json_object_get(found, "@id");
    return json_string_value(found);
}

/* The last one that names it holds, as in JSON-LD. */
static const char *namespace_of(const json_t *context, struct sy_slice prefix)
{
    if (!json_is_array(context)) return namespace_in(context, prefix);
    for (size_t i = json_array_size(context); i > 0; i--) {
        const char *found = namespace_in(json_array_get(context, i - 1), prefix);
        if (found != NULL) return found;
    }
    return NULL;
}

const char *sy_epcis_namespace(const struct sy_epcis_event *event, struct sy_slice prefix)
{
    static const struct {
        const char *prefix, *uri;
    } own[] = {{"gs1", VOC},
               {"cbv", CBV},
               {"epcis", "https://ref.gs1.org/epcis/"},
               {"cbvmda", "urn:epcglobal:cbv:mda:"}};
    const char *found = namespace_of(json_object_get(event->json, "@context"), prefix);
    if (found == NULL) {
        found = namespace_of(json_object_get(event->document->root, "@context"), prefix);
    }
    for (size_t i = 0; found == NULL && i < sizeof own / sizeof own[0]; i++) {
        if (is_word(prefix, own[i].prefix)) found = own[i].uri;
    }
    return found;
}

void sy_epcis_put_key(struct sy_epcis_text *out, const struct sy_epcis_event *event,
                      struct sy_slice key)
{
    const uint8_t *colon = key.size ? memchr(key.data, ':', key.size) : NULL;
    const char *uri = NULL;
    size_t prefix = colon != NULL ? (size_t)(colon - key.data) : 0;
    if (colon != NULL) uri = sy_epcis_namespace(event, sy_slice_of(key.data, prefix));
    if (uri == NULL) {
        sy_epcis_put(out, key.data, key.size);
        return;
    }
    put_words(out, "{");
    put_words(out, uri);
    put_words(out, "}");
    sy_epcis_put(out, colon + 1, key.size - prefix - 1);
}

/* --- numbers --------------------------------------------------------------------------------- */

/* Does all of it read as a decimal number? Not what only C takes for one (0x10, inf). */
static bool is_number(struct sy_slice text)
{
    size_t i = 0;
    size_t digits = 0;
    if (i < text.size && (text.data[i] == '+' || text.data[i] == '-')) i++;
    for (bool point = false; i < text.size; i++) {
        if (text.data[i] == '.' && !point) {
            point = true;
        } else if (text.data[i] >= '0' && text.data[i] <= '9') {
            digits++;
        } else {
            break;
        }
    }
    if (digits == 0 || i == text.size) return digits != 0;
    if (text.data[i] != 'e' && text.data[i] != 'E') return false;
    i++;
    if (i < text.size && (text.data[i] == '+' || text.data[i] == '-')) i++;
    size_t exponent = i;
    while (i < text.size && text.data[i] >= '0' && text.data[i] <= '9') i++;
    return i == text.size && i > exponent;
}

/* The shortest text that reads as the same number; whole ones without a point. */
static bool put_number(struct sy_epcis_text *out, double number)
{
    char text[400];
    if (!isfinite(number)) return false;
    bool large = number >= 0x1p53 || number <= -0x1p53; // those have no decimals left
    if (large || number == (double)(int64_t)number) {
        (void)snprintf(text, sizeof text, "%.0f", number == 0 ? 0.0 : number);
        put_words(out, text);
        return true;
    }
    for (int digits = 1; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number) break;
    }
    put_words(out, text);
    return true;
}

static bool put_numeric(struct sy_epcis_text *out, struct sy_slice text)
{
    char copy[512];
    if (text.size >= sizeof copy || !is_number(text)) return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return put_number(out, strtod(copy, NULL));
}

/* --- texts ----------------------------------------------------------------------------------- */

static struct sy_slice trimmed(const json_t *text)
{
    const char *from = json_string_value(text);
    size_t size = json_string_length(text);
    while (size > 0 && strchr(" \t\r\n\v\f", from[size - 1]) != NULL) size--;
    while (size > 0 && strchr(" \t\r\n\v\f", from[0]) != NULL) {
        from++;
        size--;
    }
    return sy_slice_of(from, size);
}

/* A word of CBV 1, a compact URI of GS1's namespaces, a bare word. */
static bool put_vocabulary(struct sy_epcis_text *out, const struct sy_epcis_event *event,
                           enum sy_epcis_words words, struct sy_slice text)
{
    const char *uri = sy_epcis_word_uri(words, text);
    if (uri != NULL) {
        put_words(out, uri);
        sy_epcis_put(out, text.data, text.size);
        return true;
    }
    for (size_t i = 1; i < sizeof vocabularies / sizeof vocabularies[0]; i++) {
        const char *urn = vocabularies[i].urn;
        if (urn == NULL || !starts_with(text, urn)) continue;
        put_words(out, vocabularies[i].uri);
        sy_epcis_put(out, text.data + strlen(urn), text.size - strlen(urn));
        return true;
    }
    const uint8_t *colon = text.size ? memchr(text.data, ':', text.size) : NULL;
    if (colon == NULL) return false;
    size_t prefix = (size_t)(colon - text.data);
    uri = sy_epcis_namespace(event, sy_slice_of(text.data, prefix));
    if (uri == NULL) return false;
    // Others' compact URIs stay: XML has no context that would expand them.
    bool own = strncmp(uri, "https://ref.gs1.org/", 20) == 0 || strncmp(uri, VOC, 20) == 0;
    if (!own) return false;
    put_words(out, uri);
    sy_epcis_put(out, colon + 1, text.size - prefix - 1);
    return true;
}

void sy_epcis_put_value(struct sy_epcis_text *out, const struct sy_epcis_event *event,
                        enum sy_epcis_words words, const json_t *value)
{
    char canonical[SY_GS1_URI_BYTES];
    if (json_is_boolean(value)) put_words(out, json_is_true(value) ? "true" : "false");
    if (json_is_number(value)) (void)put_number(out, json_number_value(value));
    if (!json_is_string(value)) return;
    struct sy_slice text = trimmed(value);
    if (put_vocabulary(out, event, words, text) || put_numeric(out, text)) return;
    if (sy_gs1_canonical(canonical, text)) {
        put_words(out, canonical);
    } else {
        sy_epcis_put(out, text.data, text.size);
    }
}

/* --- times ----------------------------------------------------------------------------------- */

/* Reads so many digits. */
static bool take_number(int64_t *number, const char **at, unsigned digits)
{
    *number = 0;
    for (unsigned i = 0; i < digits; i++, ++*at) {
        if (**at < '0' || **at > '9') return false;
        *number = *number * 10 + (**at - '0');
    }
    return true;
}

static bool take_byte(const char **at, const char *among)
{
    if (**at == '\0' || strchr(among, **at) == NULL) return false;
    ++*at;
    return true;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = year / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static int64_t days_in(int64_t year, int64_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

static bool take_date(int64_t *days, const char **at)
{
    int64_t year;
    int64_t month;
    int64_t day;
    if (!take_number(&year, at, 4) || !take_byte(at, "-")) return false;
    if (!take_number(&month, at, 2) || !take_byte(at, "-") || !take_number(&day, at, 2)) {
        return false;
    }
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in(year, month)) return false;
    *days = days_of(year, month, day);
    return true;
}

/* Decimals of a second, rounded to milliseconds by the fourth of them. */
static bool take_decimals(int64_t *ms, const char **at)
{
    *ms = 0;
    if (!take_byte(at, ".,")) return true;
    unsigned digits = 0;
    for (; **at >= '0' && **at <= '9'; ++*at, digits++) {
        int digit = **at - '0';
        if (digits < 3) *ms = *ms * 10 + digit;
        if (digits == 3 && digit >= 5) ++*ms;
    }
    for (unsigned i = digits; i < 3; i++) *ms *= 10;
    return digits > 0;
}

static bool take_zone(int64_t *minutes, const char **at)
{
    int64_t hours;
    int64_t rest;
    *minutes = 0;
    if (take_byte(at, "Zz")) return true;
    bool west = **at == '-';
    if (!take_byte(at, "+-") || !take_number(&hours, at, 2)) return false;
    if (!take_byte(at, ":") || !take_number(&rest, at, 2)) return false;
    *minutes = (hours * 60 + rest) * (west ? -1 : 1);
    return hours <= 23 && rest <= 59;
}

bool sy_epcis_time(int64_t *ms, const char *text)
{
    int64_t days;
    int64_t hour;
    int64_t minute;
    int64_t second;
    int64_t decimals;
    int64_t zone;
    *ms = 0;
    if (!take_date(&days, &text) || !take_byte(&text, "Tt")) return false;
    if (!take_number(&hour, &text, 2) || !take_byte(&text, ":")) return false;
    if (!take_number(&minute, &text, 2) || !take_byte(&text, ":")) return false;
    if (!take_number(&second, &text, 2) || !take_decimals(&decimals, &text)) return false;
    if (!take_zone(&zone, &text) || *text != '\0') return false;
    if (hour > 23 || minute > 59 || second > 59) return false;
    int64_t minutes = days * 1440 + hour * 60 + minute - zone;
    *ms = minutes * 60000 + second * 1000 + decimals;
    return *ms >= days_of(1, 1, 1) * 86400000 && *ms < days_of(10000, 1, 1) * 86400000;
}

bool sy_epcis_put_time(struct sy_epcis_text *out, const json_t *value)
{
    int64_t ms;
    char text[48];
    const char *string = json_string_value(value);
    if (string == NULL || !sy_epcis_time(&ms, string)) return false;
    int64_t days = ms / 86400000 - (ms % 86400000 < 0);
    int64_t rest = ms - days * 86400000;
    // The other way round (proleptic Gregorian, eras of 400 years that begin in March).
    int64_t shifted = days + 719468;
    int64_t era = shifted / 146097;
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    int64_t day = day_of_year - (153 * month + 2) / 5 + 1;
    month += month < 10 ? 3 : -9;
    int64_t year = year_of_era + era * 400 + (month <= 2);
    (void)snprintf(text, sizeof text, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)year % 10000,
                   (unsigned)month % 100, (unsigned)day % 100, (unsigned)(rest / 3600000) % 100,
                   (unsigned)(rest / 60000 % 60), (unsigned)(rest / 1000 % 60),
                   (unsigned)(rest % 1000));
    put_words(out, text);
    return true;
}
