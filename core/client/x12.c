/* x12.c: see x12.h. */
#include "core/client/x12.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"

#define ISA_BYTES_MAX 160u /* 106 are right */
#define ISA_ELEMENTS 16u

static bool is_blank(uint8_t byte)
{
    return byte == '\r' || byte == '\n' || byte == ' ' || byte == '\t';
}

static bool is_word_byte(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z');
}

static enum sy_x12_step fault(char *why, const char *text)
{
    (void)snprintf(why, SY_X12_TEXT_BYTES, "%s", text);
    return SY_X12_FAULT;
}

// --- ISA ---------------------------------------------------------------------------------------

/* Where the separator in front of each element of an ISA stands, its 16th being one byte. */
static const uint8_t isa_places[ISA_ELEMENTS] = {3,  6,  17, 20, 31, 34, 50,  53,
                                                 69, 76, 81, 83, 89, 99, 101, 103};

static bool are_separators(uint8_t element, uint8_t component, uint8_t terminator)
{
    bool differ = element != component && element != terminator && component != terminator;
    bool plain = is_word_byte(element) || is_word_byte(component) || is_word_byte(terminator);
    return differ && !plain && element != ' ' && component != ' ' && terminator != ' ';
}

/* Finds the separators behind the 15 elements of ISA, wherever these end. */
static enum sy_x12_step read_separators(struct sy_x12_reader *reader, char *why)
{
    const uint8_t *isa = reader->document.data + reader->offset;
    size_t left = reader->document.size - reader->offset, at = 3;
    size_t most = left < ISA_BYTES_MAX ? left : ISA_BYTES_MAX;
    reader->misplaced = 0;
    for (unsigned i = 0; i < ISA_ELEMENTS; i++, at++) {
        while (at < most && isa[at] != isa[3]) at++;
        if (at < most && at != isa_places[i] && reader->misplaced == 0) reader->misplaced = i;
    }
    if (at + 2 > most) {
        return fault(why, most == left ? "the document ends inside of ISA: it was cut off"
                                       : "ISA has not its 16 elements within 160 bytes");
    }
    if (!are_separators(isa[3], isa[at], isa[at + 1])) {
        return fault(why, "the separators that ISA tells are letters, digits or blanks, or are not "
                          "three: have the sender choose others");
    }
    reader->element = isa[3];
    reader->component = isa[at];
    reader->terminator = isa[at + 1];
    return SY_X12_SEGMENT;
}

// --- segments ----------------------------------------------------------------------------------

static bool split(struct sy_x12_segment *segment, struct sy_slice text, uint8_t separator)
{
    const uint8_t *at = text.data, *end = text.data + text.size;
    segment->count = 0;
    for (uint32_t i = 0;; i++) {
        if (i > SY_X12_ELEMENTS_MAX) return false;
        const uint8_t *stop = memchr(at, separator, (size_t)(end - at));
        if (stop == NULL) stop = end;
        segment->elements[i] = sy_slice_of(at, (size_t)(stop - at));
        segment->count = i;
        if (stop == end) break;
        at = stop + 1;
    }
    segment->id = segment->elements[0];
    return true;
}

static void skip_blanks(struct sy_x12_reader *reader)
{
    while (reader->offset < reader->document.size &&
           is_blank(reader->document.data[reader->offset])) {
        reader->offset++;
    }
}

static bool starts_interchange(const struct sy_x12_reader *reader)
{
    const uint8_t *at = reader->document.data + reader->offset;
    size_t left = reader->document.size - reader->offset;
    return left > 3 && memcmp(at, "ISA", 3) == 0 && !is_word_byte(at[3]);
}

/* A byte order mark is no part of X12, but some programs write one. */
static bool skip_mark(struct sy_x12_reader *reader)
{
    const uint8_t *at = reader->document.data;
    size_t size = reader->document.size;
    if (size >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0) reader->offset = 3;
    return size < 2 || (memcmp(at, "\xff\xfe", 2) != 0 && memcmp(at, "\xfe\xff", 2) != 0 &&
                        memcmp(at, "I\0", 2) != 0 && memcmp(at, "\0I", 2) != 0);
}

enum sy_x12_step sy_x12_next(struct sy_x12_reader *reader, struct sy_x12_segment *segment,
                             char *why)
{
    if (reader->offset == 0 && !skip_mark(reader)) {
        return fault(why, "the document is UTF-16: have it written in ASCII or UTF-8");
    }
    skip_blanks(reader);
    if (reader->offset == reader->document.size) {
        return reader->element != 0 ? SY_X12_END
                                    : fault(why, "the document is empty: it has no interchange");
    }
    reader->number++;
    if (starts_interchange(reader)) {
        enum sy_x12_step step = read_separators(reader, why);
        if (step != SY_X12_SEGMENT) return step;
    } else if (reader->element == 0) {
        return fault(why, "the document does not begin with ISA: have the sender deliver whole "
                          "interchanges");
    }
    const uint8_t *start = reader->document.data + reader->offset;
    size_t left = reader->document.size - reader->offset;
    size_t most = left < SY_X12_SEGMENT_BYTES_MAX + 1 ? left : SY_X12_SEGMENT_BYTES_MAX + 1;
    const uint8_t *end = memchr(start, reader->terminator, most);
    bool last_line = end == NULL && most == left && is_blank(reader->terminator);
    if (last_line) end = start + left; // the end of the document ends its last line
    if (end == NULL) {
        return fault(why, most == left ? "the last segment does not end: the document was cut off"
                                       : "the segment is longer than 8192 bytes: a terminator is "
                                         "missing");
    }
    segment->number = reader->number;
    if (!split(segment, sy_slice_of(start, (size_t)(end - start)), reader->element)) {
        return fault(why, "the segment has more than 32 elements: a terminator is missing");
    }
    reader->offset = (size_t)(end - reader->document.data) + (last_line ? 0 : 1);
    return SY_X12_SEGMENT;
}

// --- elements ----------------------------------------------------------------------------------

bool sy_x12_is(const struct sy_x12_segment *segment, const char *id)
{
    return sy_slice_equal(segment->id, sy_slice_of(id, strlen(id)));
}

struct sy_slice sy_x12_element(const struct sy_x12_segment *segment, uint32_t index)
{
    SY_ASSERT(index > 0);
    return index <= segment->count ? segment->elements[index] : sy_slice_of(NULL, 0);
}

struct sy_slice sy_x12_component(const struct sy_x12_reader *reader, struct sy_slice element,
                                 uint32_t index)
{
    SY_ASSERT(index > 0);
    if (element.size == 0) return element; // of one that is missing data is NULL
    const uint8_t *at = element.data, *end = element.data + element.size;
    for (uint32_t i = 1;; i++) {
        const uint8_t *stop = memchr(at, reader->component, (size_t)(end - at));
        if (stop == NULL) stop = end;
        if (i == index) return sy_slice_of(at, (size_t)(stop - at));
        if (stop == end) return sy_slice_of(NULL, 0);
        at = stop + 1;
    }
}

#define WHOLE_DIGITS_MAX 13u

bool sy_x12_cents(int64_t *cents, struct sy_slice element)
{
    size_t i = 0, whole = 0, decimals = 0;
    int64_t value = 0;
    *cents = 0;
    bool negative = element.size > 0 && element.data[0] == '-';
    bool pointed = false;
    for (i = negative ? 1 : 0; i < element.size; i++) {
        uint8_t byte = element.data[i];
        if (byte == '.' && !pointed) {
            pointed = true;
            continue;
        }
        if (byte < '0' || byte > '9') return false;
        if (pointed ? ++decimals > 2 : ++whole > WHOLE_DIGITS_MAX) {
            if (!pointed || byte != '0') return false;
            continue;
        }
        value = value * 10 + (byte - '0');
    }
    if (whole + decimals == 0) return false;
    for (; decimals < 2; decimals++) value *= 10;
    *cents = negative ? -value : value;
    return true;
}

bool sy_x12_count(uint64_t *count, struct sy_slice element)
{
    uint64_t value = 0;
    *count = 0;
    if (element.size == 0 || element.size > 10) return false;
    for (size_t i = 0; i < element.size; i++) {
        if (element.data[i] < '0' || element.data[i] > '9') return false;
        value = value * 10 + (uint64_t)(element.data[i] - '0');
    }
    *count = value;
    return true;
}
