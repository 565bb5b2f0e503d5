/* hl7.c: see hl7.h. */
#include "core/client/hl7.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"

static bool is_end(uint8_t byte)
{
    // MLLP frames a message by VT and FS.
    return byte == '\r' || byte == '\n' || byte == 0x0b || byte == 0x1c;
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_id(struct sy_slice id)
{
    if (id.size != 3 || is_digit(id.data[0])) return false;
    for (size_t i = 0; i < 3; i++) {
        if (!is_digit(id.data[i]) && !(id.data[i] >= 'A' && id.data[i] <= 'Z')) return false;
    }
    return true;
}

static bool begins(struct sy_slice text, const char *word)
{
    size_t size = strlen(word);
    return text.size >= size && memcmp(text.data, word, size) == 0;
}

// --- parts -------------------------------------------------------------------------------------

/* Part `index` between separators; 0 is none, which makes one part of it all. */
static struct sy_slice part_of(struct sy_slice whole, uint8_t separator, uint32_t index)
{
    size_t start = 0;
    for (uint32_t i = 1; separator != 0 && start <= whole.size; i++) {
        size_t end = start;
        while (end < whole.size && whole.data[end] != separator) end++;
        if (i == index) return sy_slice_of(whole.data + start, end - start);
        start = end + 1;
    }
    return separator == 0 && index == 1 ? whole : sy_slice_of(NULL, 0);
}

struct sy_slice sy_hl7_field(const struct sy_hl7_segment *segment, uint32_t index)
{
    if (index < 1 || index > segment->count) return sy_slice_of(NULL, 0);
    return segment->fields[index];
}

struct sy_slice sy_hl7_repetition(const struct sy_hl7_reader *reader, struct sy_slice field,
                                  uint32_t index)
{
    return part_of(field, reader->repetition, index);
}

struct sy_slice sy_hl7_component(const struct sy_hl7_reader *reader, struct sy_slice repetition,
                                 uint32_t index)
{
    return part_of(repetition, reader->component, index);
}

struct sy_slice sy_hl7_subcomponent(const struct sy_hl7_reader *reader, struct sy_slice component,
                                    uint32_t index)
{
    return part_of(component, reader->subcomponent, index);
}

bool sy_hl7_next_repetition(const struct sy_hl7_reader *reader, struct sy_slice *rest,
                            struct sy_slice *one)
{
    size_t end = 0;
    if (rest->data == NULL) return false;
    while (end < rest->size && rest->data[end] != reader->repetition) end++;
    *one = sy_slice_of(rest->data, end);
    *rest = end == rest->size ? sy_slice_of(NULL, 0)
                              : sy_slice_of(rest->data + end + 1, rest->size - end - 1);
    return true;
}

bool sy_hl7_is(const struct sy_hl7_segment *segment, const char *id)
{
    return segment->id.size == 3 && memcmp(segment->id.data, id, 3) == 0;
}

// --- segments ----------------------------------------------------------------------------------

/* The next line that is not empty. */
static bool next_line(struct sy_hl7_reader *reader, struct sy_slice *line)
{
    struct sy_slice document = reader->document;
    size_t at = reader->offset;
    if (reader->line == 0) {
        reader->line = 1;
        if (begins(document, "\xef\xbb\xbf")) at = 3;
    }
    for (; at < document.size && is_end(document.data[at]); at++) {
        bool second = at > 0 && document.data[at] == '\n' && document.data[at - 1] == '\r';
        bool ends = document.data[at] == '\r' || (document.data[at] == '\n' && !second);
        reader->line += ends ? 1 : 0;
    }
    size_t end = at;
    while (end < document.size && !is_end(document.data[end])) end++;
    *line = sy_slice_of(document.data + at, end - at);
    reader->offset = end;
    return line->size > 0;
}

static bool is_header(struct sy_slice line)
{
    return begins(line, "MSH") || begins(line, "BHS") || begins(line, "FHS");
}

/* Printable, no letter nor digit, and all different. */
static bool separators_good(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = bytes[i];
        bool letter = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
        if (byte <= ' ' || byte > '~' || letter || is_digit(byte)) return false;
        if (memchr(bytes, byte, i) != NULL) return false;
    }
    return true;
}

/* A header tells the separators: "MSH|^~\&|". */
static bool take_separators(struct sy_hl7_reader *reader, struct sy_slice line)
{
    if (line.size < 4) return false;
    const uint8_t *at = line.data + 3;
    size_t left = line.size - 3, size = 1;
    while (size < left && at[size] != at[0]) size++;
    if (size < 3 || size > 6 || !separators_good(at, size)) return false;
    reader->field = at[0];
    reader->component = at[1];
    reader->repetition = at[2];
    reader->escape = size > 3 ? at[3] : 0;
    reader->subcomponent = size > 4 ? at[4] : 0;
    return true;
}

static bool split(const struct sy_hl7_reader *reader, struct sy_hl7_segment *segment,
                  struct sy_slice line)
{
    size_t start = 4;
    segment->count = 0;
    if (is_header(line)) { // its first field is the separator itself
        segment->fields[++segment->count] = sy_slice_of(line.data + 3, 1);
    }
    while (start <= line.size) {
        size_t end = start;
        while (end < line.size && line.data[end] != reader->field) end++;
        if (segment->count == SY_HL7_FIELDS_MAX) return false;
        segment->fields[++segment->count] = sy_slice_of(line.data + start, end - start);
        start = end + 1;
    }
    return true;
}

static enum sy_hl7_step fault(char *why, const char *text)
{
    (void)snprintf(why, SY_HL7_TEXT_BYTES, "%s", text);
    return SY_HL7_FAULT;
}

enum sy_hl7_step sy_hl7_next(struct sy_hl7_reader *reader, struct sy_hl7_segment *segment,
                             char *why)
{
    struct sy_slice line;
    *segment = (struct sy_hl7_segment){.count = 0};
    if (!next_line(reader, &line)) return SY_HL7_END;
    segment->line = reader->line;
    if (line.size > SY_HL7_SEGMENT_BYTES_MAX) return fault(why, "the segment is over 1 MiB");
    segment->id = sy_slice_of(line.data, line.size < 3 ? line.size : 3);
    if (!is_id(segment->id)) {
        return fault(why, "it does not begin with the three capitals of a segment: is a line "
                          "break within a field? Write it as \\.br\\");
    }
    if (is_header(line) && !take_separators(reader, line)) {
        return fault(why, "it does not tell its separators, as MSH|^~\\&|");
    }
    if (reader->field == 0) return fault(why, "a segment stands before the first MSH");
    if (line.size > 3 && line.data[3] != reader->field) {
        return fault(why, "no separator stands behind the segment's name");
    }
    if (!split(reader, segment, line)) return fault(why, "it has more than 128 fields");
    return SY_HL7_SEGMENT;
}

// --- values ------------------------------------------------------------------------------------

static bool is_hex(uint8_t byte)
{
    return is_digit(byte) || (byte >= 'A' && byte <= 'F') || (byte >= 'a' && byte <= 'f');
}

static bool all_hex(struct sy_slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!is_hex(text.data[i])) return false;
    }
    return true;
}

static bool escape_good(struct sy_slice text)
{
    if (text.size == 0) return false;
    struct sy_slice rest = sy_slice_of(text.data + 1, text.size - 1);
    switch (text.data[0]) {
    case 'H':
    case 'N':
    case 'F':
    case 'S':
    case 'T':
    case 'R':
    case 'E':
    case 'P': return rest.size == 0;
    case 'X': return rest.size > 0 && rest.size % 2 == 0 && all_hex(rest);
    case 'C': return rest.size == 4 && all_hex(rest);
    case 'M': return (rest.size == 4 || rest.size == 6) && all_hex(rest);
    case '.':
    case 'Z': return rest.size > 0;
    default: return false;
    }
}

bool sy_hl7_escapes_good(const struct sy_hl7_reader *reader, struct sy_slice field)
{
    for (size_t at = 0; reader->escape != 0 && at < field.size; at++) {
        if (field.data[at] != reader->escape) continue;
        size_t end = at + 1;
        while (end < field.size && field.data[end] != reader->escape) end++;
        if (end == field.size) return false;
        if (!escape_good(sy_slice_of(field.data + at + 1, end - at - 1))) return false;
        at = end;
    }
    return true;
}

/* Two digits from least to most; *at is behind them. */
static bool two_digits(struct sy_slice text, size_t *at, unsigned least, unsigned most,
                       unsigned *value)
{
    if (text.size - *at < 2 || !is_digit(text.data[*at]) || !is_digit(text.data[*at + 1])) {
        return false;
    }
    *value = (unsigned)(text.data[*at] - '0') * 10 + (unsigned)(text.data[*at + 1] - '0');
    *at += 2;
    return *value >= least && *value <= most;
}

static unsigned days_of(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

/* "+HHMM" at the end of a time. */
static bool zone_good(struct sy_slice text, size_t at)
{
    unsigned value;
    if (at == text.size) return true;
    if (text.data[at] != '+' && text.data[at] != '-') return false;
    at++;
    return two_digits(text, &at, 0, 14, &value) && two_digits(text, &at, 0, 59, &value) &&
           at == text.size;
}

static bool fraction_good(struct sy_slice text, size_t *at)
{
    size_t start = ++*at;
    while (*at < text.size && is_digit(text.data[*at])) ++*at;
    return *at - start >= 1 && *at - start <= 4;
}

bool sy_hl7_time_good(struct sy_slice text)
{
    unsigned century, year, month = 1, value;
    size_t at = 0;
    if (!two_digits(text, &at, 0, 99, &century) || !two_digits(text, &at, 0, 99, &year)) {
        return false;
    }
    year += 100 * century;
    for (unsigned part = 0; part < 5 && at < text.size && is_digit(text.data[at]); part++) {
        const unsigned least[] = {1, 1, 0, 0, 0}, most[] = {12, days_of(year, month), 23, 59, 59};
        if (!two_digits(text, &at, least[part], most[part], &value)) return false;
        if (part == 0) month = value;
    }
    if (at == 14 && at < text.size && text.data[at] == '.' && !fraction_good(text, &at)) {
        return false;
    }
    return zone_good(text, at);
}

bool sy_hl7_number_good(struct sy_slice text)
{
    size_t at = text.size > 0 && (text.data[0] == '+' || text.data[0] == '-') ? 1 : 0;
    size_t digits = 0, points = 0;
    for (; at < text.size; at++) {
        if (is_digit(text.data[at])) {
            digits++;
        } else if (text.data[at] != '.' || points++ > 0) {
            return false;
        }
    }
    return digits > 0;
}
