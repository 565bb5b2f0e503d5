#include "core/base/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/bytes.h"

#define FIRST_CAPACITY 1024u

void sy_json_init_fixed(sy_json *json, char *buffer, size_t size)
{
    SY_ASSERT(size >= 1);
    *json = (sy_json){.data = buffer, .capacity = size};
}

void sy_json_init_growing(sy_json *json, size_t max_bytes)
{
    SY_ASSERT(max_bytes >= 1);
    *json = (sy_json){.max_bytes = max_bytes, .grows = true};
}

void sy_json_free(sy_json *json)
{
    if (json->grows) free(json->data);
    *json = (sy_json){0};
}

void sy_json_set_pretty(sy_json *json)
{
    SY_ASSERT(json->size == 0);
    json->pretty = true;
}

// Makes room for size more bytes and the terminator, or marks the text as cut.
static bool reserve(sy_json *json, size_t size)
{
    if (json->cut) return false;
    size_t used = json->size + 1;
    if (json->capacity >= used && size <= json->capacity - used) return true;
    json->cut = true;
    if (!json->grows || used > json->max_bytes || size > json->max_bytes - used) return false;
    size_t capacity = json->capacity ? json->capacity : FIRST_CAPACITY;
    while (capacity < used + size && capacity <= SIZE_MAX / 2) capacity *= 2;
    if (capacity > json->max_bytes) capacity = json->max_bytes;
    SY_ASSERT(capacity >= used + size);
    char *data = (char *)realloc(json->data, capacity);
    if (!data) return false;
    json->data = data;
    json->capacity = capacity;
    json->cut = false;
    return true;
}

static void append(sy_json *json, const char *text, size_t size)
{
    if (!reserve(json, size)) return;
    memcpy(json->data + json->size, text, size);
    json->size += size;
}

static void append_text(sy_json *json, const char *text)
{
    append(json, text, strlen(text));
}

static void break_line(sy_json *json)
{
    if (!json->pretty) return;
    append(json, "\n", 1);
    for (unsigned i = 0; i < json->depth; i++) append(json, "  ", 2);
}

static uint32_t level_bit(const sy_json *json)
{
    return (uint32_t)1 << (json->depth - 1);
}

// The comma and line break before a member or an element.
static void begin_member(sy_json *json)
{
    if (json->depth == 0) {
        SY_ASSERT(json->size == 0 || json->cut);
        return;
    }
    if (json->filled & level_bit(json)) append(json, ",", 1);
    json->filled |= level_bit(json);
    break_line(json);
}

static void begin_value(sy_json *json)
{
    if (json->depth > 0 && (json->objects & level_bit(json))) {
        SY_ASSERT(json->key_stands);
        json->key_stands = false;
    } else {
        begin_member(json);
    }
}

static void begin_level(sy_json *json, const char *bracket, bool is_object)
{
    begin_value(json);
    SY_ASSERT(json->depth < SY_JSON_DEPTH_MAX);
    append(json, bracket, 1);
    json->depth++;
    json->filled &= ~level_bit(json);
    json->objects &= ~level_bit(json);
    if (is_object) json->objects |= level_bit(json);
}

static void end_level(sy_json *json, const char *bracket, bool is_object)
{
    SY_ASSERT(json->depth > 0);
    SY_ASSERT(!json->key_stands);
    SY_ASSERT(((json->objects & level_bit(json)) != 0) == is_object);
    bool has_members = (json->filled & level_bit(json)) != 0;
    json->depth--;
    if (has_members) break_line(json);
    append(json, bracket, 1);
}

void sy_json_object_begin(sy_json *json)
{
    begin_level(json, "{", true);
}

void sy_json_object_end(sy_json *json)
{
    end_level(json, "}", true);
}

void sy_json_array_begin(sy_json *json)
{
    begin_level(json, "[", false);
}

void sy_json_array_end(sy_json *json)
{
    end_level(json, "]", false);
}

// The length of the well-formed UTF-8 sequence at p (Unicode table 3-7), or 0 with *skip = the
// length of the ill-formed piece to replace by one U+FFFD.
static size_t scan_sequence(size_t *skip, const uint8_t *p, size_t size)
{
    uint8_t lead = p[0];
    *skip = 1;
    if (lead < 0x80) return 1;
    if (lead < 0xc2 || lead > 0xf4) return 0;
    size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    // The second byte's range shuts out overlong forms, surrogates and what lies above U+10FFFF.
    uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    for (size_t i = 1; i < length; i++) {
        if (i >= size || p[i] < low || p[i] > high) {
            *skip = i;
            return 0;
        }
        low = 0x80;
        high = 0xbf;
    }
    return length;
}

// Writes the escape of a character that may not stand in a string as it is; false for others.
static bool append_escape(sy_json *json, uint8_t c)
{
    static const char *const short_forms[] = {
        ['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f", ['\r'] = "\\r",
    };
    if (c == '"') {
        append(json, "\\\"", 2);
    } else if (c == '\\') {
        append(json, "\\\\", 2);
    } else if (c >= 0x20) {
        return false;
    } else if (c <= '\r' && short_forms[c]) {
        append(json, short_forms[c], 2);
    } else {
        char text[8];
        snprintf(text, sizeof text, "\\u%04x", (unsigned)c);
        append(json, text, 6);
    }
    return true;
}

static void append_string(sy_json *json, const uint8_t *p, size_t size)
{
    append(json, "\"", 1);
    size_t plain = 0; // bytes before p that stand as they are and are not yet written
    while (size > 0 && !json->cut) {
        size_t skip;
        size_t length = scan_sequence(&skip, p, size);
        bool stands = length > 1 || (length == 1 && p[0] >= 0x20 && p[0] != '"' && p[0] != '\\');
        if (stands) {
            plain += length;
            p += length;
            size -= length;
            continue;
        }
        append(json, (const char *)p - plain, plain);
        plain = 0;
        if (length == 0) {
            append_text(json, "\xef\xbf\xbd");
        } else {
            bool escaped = append_escape(json, p[0]);
            SY_ASSERT(escaped);
            skip = 1;
        }
        p += skip;
        size -= skip;
    }
    append(json, (const char *)p - plain, plain);
    append(json, "\"", 1);
}

void sy_json_key(sy_json *json, const char *name)
{
    SY_ASSERT(json->depth > 0 && (json->objects & level_bit(json)));
    SY_ASSERT(!json->key_stands);
    begin_member(json);
    append_string(json, (const uint8_t *)name, strlen(name));
    append_text(json, json->pretty ? ": " : ":");
    json->key_stands = true;
}

void sy_json_text_bytes(sy_json *json, const void *text, size_t size)
{
    begin_value(json);
    // An empty slice may have no address at all.
    append_string(json, (const uint8_t *)(size > 0 ? text : ""), size);
}

void sy_json_text(sy_json *json, const char *text)
{
    if (text) {
        sy_json_text_bytes(json, text, strlen(text));
    } else {
        sy_json_null(json);
    }
}

void sy_json_u64(sy_json *json, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    begin_value(json);
    append_text(json, text);
}

void sy_json_i64(sy_json *json, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    begin_value(json);
    append_text(json, text);
}

void sy_json_bool(sy_json *json, bool value)
{
    begin_value(json);
    append_text(json, value ? "true" : "false");
}

void sy_json_null(sy_json *json)
{
    begin_value(json);
    append_text(json, "null");
}

void sy_json_hex(sy_json *json, const void *data, size_t size)
{
    const uint8_t *bytes = (const uint8_t *)data;
    begin_value(json);
    append(json, "\"", 1);
    for (size_t i = 0; i < size && !json->cut; i++) {
        char digits[3];
        sy_hex_encode(digits, bytes + i, 1);
        append(json, digits, 2);
    }
    append(json, "\"", 1);
}

void sy_json_decimal(sy_json *json, int64_t value, unsigned digits)
{
    SY_ASSERT(digits <= 9);
    uint64_t scale = 1;
    for (unsigned i = 0; i < digits; i++) scale *= 10;
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    char text[40];
    int length = snprintf(text, sizeof text, "%s%" PRIu64, value < 0 ? "-" : "", magnitude / scale);
    SY_ASSERT(length > 0);
    if (digits > 0) {
        snprintf(text + length, sizeof text - (size_t)length, ".%0*" PRIu64, (int)digits,
                 magnitude % scale);
    }
    begin_value(json);
    append_text(json, text);
}

void sy_json_raw(sy_json *json, const char *text, size_t size)
{
    begin_value(json);
    append(json, text, size);
}

void sy_json_put_text(sy_json *json, const char *name, const char *text)
{
    sy_json_key(json, name);
    sy_json_text(json, text);
}

void sy_json_put_u64(sy_json *json, const char *name, uint64_t value)
{
    sy_json_key(json, name);
    sy_json_u64(json, value);
}

void sy_json_put_i64(sy_json *json, const char *name, int64_t value)
{
    sy_json_key(json, name);
    sy_json_i64(json, value);
}

void sy_json_put_bool(sy_json *json, const char *name, bool value)
{
    sy_json_key(json, name);
    sy_json_bool(json, value);
}

void sy_json_put_hex(sy_json *json, const char *name, const void *data, size_t size)
{
    sy_json_key(json, name);
    sy_json_hex(json, data, size);
}

void sy_json_put_decimal(sy_json *json, const char *name, int64_t value, unsigned digits)
{
    sy_json_key(json, name);
    sy_json_decimal(json, value, digits);
}

const char *sy_json_finish(sy_json *json)
{
    SY_ASSERT(json->depth == 0);
    SY_ASSERT(json->size > 0 || json->cut);
    if (!reserve(json, 0)) return NULL;
    json->data[json->size] = '\0';
    return json->data;
}
