/* fhir_json.c: one pass over the text with a stack of at most 64 levels. The keys of every open
 * object lie in one growing array, innermost last; when an object closes, its keys are compared by
 * hash (keyed, so nobody can make them collide on purpose) and then by their decoded bytes. */
#include "core/client/fhir_json.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/base/siphash.h"

/* Objects with at most this many members are compared pair by pair, others after sorting. */
#define PAIRWISE_KEYS_MAX 16u

/* How deep damaged text may nest for its end to be found: deeper than good text, since being too
 * deep may be the damage. */
#define DAMAGED_DEPTH_MAX 1024u

enum value_state { VALUE_WANTED, VALUE_DONE, SCAN_FAILED };

void sy_json_scanner_open(struct sy_json_scanner *scanner)
{
    memset(scanner, 0, sizeof *scanner);
    sy_os_random(scanner->seed, sizeof scanner->seed);
}

void sy_json_scanner_close(struct sy_json_scanner *scanner)
{
    free(scanner->keys);
    memset(scanner, 0, sizeof *scanner);
}

void sy_json_scan_begin(struct sy_json_scanner *scanner, struct sy_slice text)
{
    SY_ASSERT(text.size <= UINT32_MAX);
    scanner->data = text.data;
    scanner->size = text.size;
    scanner->at = 0;
    scanner->depth = 0;
    scanner->depth_max = SY_JSON_SCAN_DEPTH_MAX;
    scanner->key_count = 0;
    scanner->fault.kind = SY_JSON_FINE;
}

/* --- faults ---------------------------------------------------------------------------------- */

static void render_path(struct sy_json_scanner *scanner)
{
    char *path = scanner->fault.path;
    size_t room = sizeof scanner->fault.path;
    size_t used = 0;
    path[0] = '\0';
    for (unsigned i = 0; i < scanner->depth; i++) {
        const struct sy_json_level *level = &scanner->levels[i];
        int wrote = 0;
        if (level->is_array) {
            wrote = snprintf(path + used, room - used, "[%u]", level->index);
        } else if (level->key_size != 0) {
            wrote = snprintf(path + used, room - used, "%s%.*s", used == 0 ? "" : ".",
                             (int)(level->key_size < 64 ? level->key_size : 64),
                             (const char *)scanner->data + level->key_offset);
        }
        if (wrote > 0) used += (size_t)wrote;
        if (used >= room) {
            memcpy(path + room - 4, "...", 4);
            return;
        }
    }
}

bool sy_json_scan_fail(struct sy_json_scanner *scanner, enum sy_json_fault_kind kind,
                       const char *what)
{
    if (scanner->fault.kind != SY_JSON_FINE) return false;
    scanner->fault.kind = kind;
    scanner->fault.offset = scanner->at;
    scanner->fault.what = what;
    render_path(scanner);
    return false;
}

static bool fail_syntax(struct sy_json_scanner *scanner, const char *what)
{
    return sy_json_scan_fail(scanner, SY_JSON_SYNTAX, what);
}

/* --- strings --------------------------------------------------------------------------------- */

int sy_json_scan_space(struct sy_json_scanner *scanner)
{
    const uint8_t *data = scanner->data;
    size_t at = scanner->at;
    while (at < scanner->size &&
           (data[at] == ' ' || data[at] == '\n' || data[at] == '\r' || data[at] == '\t')) {
        at++;
    }
    scanner->at = at;
    return at < scanner->size ? data[at] : -1;
}

/* Four hexadecimal digits at p, or -1. */
static int32_t read_hex4(const uint8_t *p)
{
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = p[i] >= '0' && p[i] <= '9'   ? p[i] - '0'
                    : p[i] >= 'a' && p[i] <= 'f' ? p[i] - 'a' + 10
                    : p[i] >= 'A' && p[i] <= 'F' ? p[i] - 'A' + 10
                                                 : -1;
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* The code point of the \u escape whose backslash is at p, and its length (6, or 12 for a pair).
 * -1: malformed; -2: half of a surrogate pair. RFC 8259 section 7. */
static int32_t read_unicode_escape(size_t *length, const uint8_t *p, size_t left)
{
    *length = 6;
    if (left < 6) return -1;
    int32_t unit = read_hex4(p + 2);
    if (unit < 0xd800 || unit > 0xdfff) return unit; // also -1
    if (unit > 0xdbff || left < 12 || p[6] != '\\' || p[7] != 'u') return -2;
    int32_t low = read_hex4(p + 8);
    if (low < 0xdc00 || low > 0xdfff) return -2;
    *length = 12;
    return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

/* Steps over the escape at the position. */
static bool scan_escape(struct sy_json_scanner *scanner)
{
    const uint8_t *p = scanner->data + scanner->at;
    size_t left = scanner->size - scanner->at;
    if (left < 2) return fail_syntax(scanner, "the string does not end");
    if (p[1] == 'u') {
        size_t length;
        int32_t point = read_unicode_escape(&length, p, left);
        if (point == -1) return fail_syntax(scanner, "\\u needs four hexadecimal digits");
        if (point == -2) {
            return sy_json_scan_fail(scanner, SY_JSON_ENCODING, "half of a surrogate pair");
        }
        scanner->at += length;
        return true;
    }
    if (p[1] == '\0' || strchr("\"\\/bfnrt", p[1]) == NULL) {
        return fail_syntax(scanner, "unknown escape in a string");
    }
    scanner->at += 2;
    return true;
}

/* Bytes of the well-formed UTF-8 sequence at p (Unicode 15, table 3-7), or 0. p[0] >= 0x80. */
static size_t utf8_length(const uint8_t *p, size_t left)
{
    uint8_t lead = p[0];
    uint8_t low = 0x80;
    uint8_t high = 0xbf;
    size_t length;
    if (lead >= 0xc2 && lead <= 0xdf) {
        length = 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        length = 3;
        if (lead == 0xe0) low = 0xa0;
        if (lead == 0xed) high = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        length = 4;
        if (lead == 0xf0) low = 0x90;
        if (lead == 0xf4) high = 0x8f;
    } else {
        return 0;
    }
    if (left < length || p[1] < low || p[1] > high) return 0;
    for (size_t i = 2; i < length; i++) {
        if (p[i] < 0x80 || p[i] > 0xbf) return 0;
    }
    return length;
}

bool sy_json_scan_string(struct sy_json_scanner *scanner, struct sy_slice *span)
{
    if (sy_json_scan_space(scanner) != '"') return fail_syntax(scanner, "expected a string");
    size_t first = ++scanner->at;
    while (scanner->at < scanner->size) {
        uint8_t byte = scanner->data[scanner->at];
        if (byte == '"') {
            if (span != NULL) *span = sy_slice_of(scanner->data + first, scanner->at - first);
            scanner->at++;
            return true;
        }
        if (byte == '\\') {
            if (!scan_escape(scanner)) return false;
        } else if (byte < 0x20) {
            return fail_syntax(scanner, "a control character in a string; escape it");
        } else if (byte < 0x80) {
            scanner->at++;
        } else {
            size_t length = utf8_length(scanner->data + scanner->at, scanner->size - scanner->at);
            if (length == 0) {
                return sy_json_scan_fail(scanner, SY_JSON_ENCODING, "a string is not UTF-8");
            }
            scanner->at += length;
        }
    }
    return fail_syntax(scanner, "the string does not end");
}

/* Writes a code point as UTF-8; returns how many bytes. */
static size_t put_utf8(uint8_t out[4], uint32_t point)
{
    if (point < 0x80) {
        out[0] = (uint8_t)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (uint8_t)(0xc0 | point >> 6);
        out[1] = (uint8_t)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (uint8_t)(0xe0 | point >> 12);
        out[1] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (point & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | point >> 18);
    out[1] = (uint8_t)(0x80 | (point >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (point & 0x3f));
    return 4;
}

/* The next decoded piece of a checked string: up to four bytes in out, its length returned; 0 at
 * the end. */
static size_t decode_piece(uint8_t out[4], size_t *at, struct sy_slice inside)
{
    static const char escapes[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
    if (*at >= inside.size) return 0;
    const uint8_t *p = inside.data + *at;
    if (*p != '\\') {
        out[0] = *p;
        (*at)++;
        return 1;
    }
    if (p[1] == 'u') {
        size_t length;
        int32_t point = read_unicode_escape(&length, p, inside.size - *at);
        SY_ASSERT(point >= 0);
        *at += length;
        return put_utf8(out, (uint32_t)point);
    }
    for (size_t i = 0; i + 1 < sizeof escapes; i += 2) {
        if (escapes[i] == (char)p[1]) out[0] = (uint8_t)escapes[i + 1];
    }
    *at += 2;
    return 1;
}

bool sy_json_unquote(char *out, size_t size, struct sy_slice inside)
{
    size_t used = 0;
    size_t at = 0;
    uint8_t piece[4];
    size_t length;
    while ((length = decode_piece(piece, &at, inside)) != 0) {
        if (used + length >= size || piece[0] == 0) return false;
        memcpy(out + used, piece, length);
        used += length;
    }
    out[used] = '\0';
    return true;
}

/* --- keys ------------------------------------------------------------------------------------ */

static struct sy_slice key_text(const struct sy_json_scanner *scanner,
                                const struct sy_json_key *key)
{
    return sy_slice_of(scanner->data + key->offset, key->size);
}

/* Decoded equality: "a" and "\u0061" are one key. */
static bool equal_keys(struct sy_slice a, struct sy_slice b)
{
    size_t at_a = 0;
    size_t at_b = 0;
    uint8_t piece_a[4];
    uint8_t piece_b[4];
    size_t left_a = 0;
    size_t left_b = 0;
    size_t used_a = 0;
    size_t used_b = 0;
    for (;;) {
        if (used_a == left_a) {
            left_a = decode_piece(piece_a, &at_a, a);
            used_a = 0;
        }
        if (used_b == left_b) {
            left_b = decode_piece(piece_b, &at_b, b);
            used_b = 0;
        }
        if (left_a == 0 || left_b == 0) return left_a == left_b;
        if (piece_a[used_a++] != piece_b[used_b++]) return false;
    }
}

/* Keys with an escape are hashed in decoded form; those too long for the buffer hash to their first
 * bytes, which is right too: equal keys have equal hashes. */
static uint64_t hash_key(const struct sy_json_scanner *scanner, struct sy_slice inside)
{
    if (memchr(inside.data, '\\', inside.size) == NULL && inside.size <= 256) {
        return sy_siphash13(scanner->seed, inside.data, inside.size);
    }
    uint8_t decoded[256];
    size_t used = 0;
    size_t at = 0;
    uint8_t piece[4];
    size_t length;
    while ((length = decode_piece(piece, &at, inside)) != 0) {
        for (size_t i = 0; i < length && used < sizeof decoded; i++) decoded[used++] = piece[i];
    }
    return sy_siphash13(scanner->seed, decoded, used);
}

static bool note_key(struct sy_json_scanner *scanner, struct sy_slice inside)
{
    if (scanner->key_count == scanner->key_capacity) {
        size_t capacity = scanner->key_capacity == 0 ? 256 : scanner->key_capacity * 2;
        struct sy_json_key *keys = NULL;
        if (capacity <= SY_JSON_KEYS_MAX) keys = realloc(scanner->keys, capacity * sizeof *keys);
        if (keys == NULL) {
            return sy_json_scan_fail(scanner, SY_JSON_MEMBERS, "too many members are open");
        }
        scanner->keys = keys;
        scanner->key_capacity = capacity;
    }
    struct sy_json_level *level = &scanner->levels[scanner->depth - 1];
    level->key_offset = (uint32_t)(inside.data - scanner->data);
    level->key_size = (uint32_t)inside.size;
    scanner->keys[scanner->key_count++] = (struct sy_json_key){
        hash_key(scanner, inside),
        level->key_offset,
        level->key_size,
    };
    return true;
}

static bool fail_duplicate(struct sy_json_scanner *scanner, const struct sy_json_key *a,
                           const struct sy_json_key *b)
{
    const struct sy_json_key *later = a->offset > b->offset ? a : b;
    struct sy_json_level *level = &scanner->levels[scanner->depth - 1];
    level->key_offset = later->offset;
    level->key_size = later->size;
    scanner->at = later->offset;
    return sy_json_scan_fail(scanner, SY_JSON_DUPLICATE, "the key stands twice in one object");
}

static int compare_hashes(const void *a, const void *b)
{
    uint64_t x = ((const struct sy_json_key *)a)->hash;
    uint64_t y = ((const struct sy_json_key *)b)->hash;
    return x < y ? -1 : x > y;
}

/* False: two keys of the innermost object are one. */
static bool check_keys(struct sy_json_scanner *scanner)
{
    size_t first = scanner->levels[scanner->depth - 1].keys_first;
    struct sy_json_key *keys = scanner->keys + first;
    size_t count = scanner->key_count - first;
    bool sorted = count > PAIRWISE_KEYS_MAX;
    if (sorted) qsort(keys, count, sizeof *keys, compare_hashes);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j++) {
            if (keys[i].hash != keys[j].hash) {
                if (sorted) break;
                continue;
            }
            if (equal_keys(key_text(scanner, &keys[i]), key_text(scanner, &keys[j]))) {
                return fail_duplicate(scanner, &keys[i], &keys[j]);
            }
        }
    }
    return true;
}

/* --- values ---------------------------------------------------------------------------------- */

static void skip_digits(struct sy_json_scanner *scanner)
{
    while (scanner->at < scanner->size && scanner->data[scanner->at] >= '0' &&
           scanner->data[scanner->at] <= '9') {
        scanner->at++;
    }
}

static bool scan_digits(struct sy_json_scanner *scanner)
{
    size_t first = scanner->at;
    skip_digits(scanner);
    return scanner->at != first || fail_syntax(scanner, "a number needs a digit here");
}

static bool next_is(const struct sy_json_scanner *scanner, char byte)
{
    return scanner->at < scanner->size && scanner->data[scanner->at] == (uint8_t)byte;
}

/* RFC 8259 section 6: -? (0 | 1-9 digits) frac? exp? */
static bool scan_number(struct sy_json_scanner *scanner)
{
    if (next_is(scanner, '-')) scanner->at++;
    if (next_is(scanner, '0')) {
        scanner->at++;
        if (scanner->at < scanner->size && scanner->data[scanner->at] >= '0' &&
            scanner->data[scanner->at] <= '9') {
            return fail_syntax(scanner, "a number must not begin with 0");
        }
    } else if (!scan_digits(scanner)) {
        return false;
    }
    if (next_is(scanner, '.')) {
        scanner->at++;
        if (!scan_digits(scanner)) return false;
    }
    if (next_is(scanner, 'e') || next_is(scanner, 'E')) {
        scanner->at++;
        if (next_is(scanner, '+') || next_is(scanner, '-')) scanner->at++;
        if (!scan_digits(scanner)) return false;
    }
    return true;
}

static bool scan_word(struct sy_json_scanner *scanner)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t length = strlen(words[i]);
        if (scanner->size - scanner->at >= length &&
            memcmp(scanner->data + scanner->at, words[i], length) == 0) {
            scanner->at += length;
            return true;
        }
    }
    return fail_syntax(scanner, "expected a value");
}

static bool scan_scalar(struct sy_json_scanner *scanner, int byte)
{
    if (byte == '"') return sy_json_scan_string(scanner, NULL);
    if (byte == '-' || (byte >= '0' && byte <= '9')) return scan_number(scanner);
    return scan_word(scanner);
}

/* A key and its colon. */
static enum value_state scan_member(struct sy_json_scanner *scanner)
{
    struct sy_slice inside = {NULL, 0};
    if (!sy_json_scan_string(scanner, &inside) || !note_key(scanner, inside)) return SCAN_FAILED;
    if (sy_json_scan_space(scanner) != ':') {
        (void)fail_syntax(scanner, "expected ':' after a key");
        return SCAN_FAILED;
    }
    scanner->at++;
    return VALUE_WANTED;
}

static enum value_state open_level(struct sy_json_scanner *scanner, bool is_array)
{
    if (scanner->depth >= scanner->depth_max) {
        (void)sy_json_scan_fail(scanner, SY_JSON_DEPTH, "nested too deep");
        return SCAN_FAILED;
    }
    scanner->levels[scanner->depth++] = (struct sy_json_level){
        .is_array = is_array,
        .keys_first = scanner->key_count,
    };
    scanner->at++;
    int byte = sy_json_scan_space(scanner);
    if (byte == (is_array ? ']' : '}')) {
        scanner->at++;
        scanner->depth--;
        return VALUE_DONE;
    }
    return is_array ? VALUE_WANTED : scan_member(scanner);
}

static enum value_state begin_value(struct sy_json_scanner *scanner)
{
    int byte = sy_json_scan_space(scanner);
    if (byte == '{' || byte == '[') return open_level(scanner, byte == '[');
    return scan_scalar(scanner, byte) ? VALUE_DONE : SCAN_FAILED;
}

/* A value inside a container has ended: a comma and another one, or the container's own end. */
static enum value_state after_value(struct sy_json_scanner *scanner)
{
    struct sy_json_level *level = &scanner->levels[scanner->depth - 1];
    int byte = sy_json_scan_space(scanner);
    if (byte == ',') {
        scanner->at++;
        if (!level->is_array) return scan_member(scanner);
        level->index++;
        return VALUE_WANTED;
    }
    if (byte != (level->is_array ? ']' : '}')) {
        (void)fail_syntax(scanner, level->is_array ? "expected ',' or ']'" : "expected ',' or '}'");
        return SCAN_FAILED;
    }
    scanner->at++;
    if (!level->is_array) {
        if (!check_keys(scanner)) return SCAN_FAILED;
        scanner->key_count = level->keys_first;
    }
    scanner->depth--;
    return VALUE_DONE;
}

bool sy_json_scan_value(struct sy_json_scanner *scanner, struct sy_slice *span)
{
    scanner->depth = 0;
    size_t keys_first = scanner->key_count;
    (void)sy_json_scan_space(scanner);
    size_t first = scanner->at;
    enum value_state state = VALUE_WANTED;
    while (state == VALUE_WANTED || (state == VALUE_DONE && scanner->depth != 0)) {
        state = state == VALUE_WANTED ? begin_value(scanner) : after_value(scanner);
    }
    scanner->depth = 0;
    scanner->key_count = keys_first;
    if (state == SCAN_FAILED) return false;
    if (span != NULL) *span = sy_slice_of(scanner->data + first, scanner->at - first);
    return true;
}

bool sy_json_check(struct sy_json_scanner *scanner, struct sy_slice text)
{
    sy_json_scan_begin(scanner, text);
    if (!sy_json_scan_value(scanner, NULL)) return false;
    if (sy_json_scan_space(scanner) == -1) return true;
    return fail_syntax(scanner, "something stands behind the end");
}

/* --- damaged and checked text ---------------------------------------------------------------- */

/* Steps over a string in text that may be anything. False: it has no end. */
static bool skip_loose_string(struct sy_json_scanner *scanner)
{
    scanner->at++;
    while (scanner->at < scanner->size) {
        uint8_t byte = scanner->data[scanner->at++];
        if (byte == '"') return true;
        if (byte == '\\') scanner->at++;
    }
    return false;
}

bool sy_json_skip_damaged(struct sy_json_scanner *scanner, size_t first)
{
    bool is_array[DAMAGED_DEPTH_MAX];
    unsigned depth = 0;
    scanner->at = first;
    while (scanner->at < scanner->size) {
        uint8_t byte = scanner->data[scanner->at];
        if (byte == '"') {
            if (!skip_loose_string(scanner)) return false;
            continue;
        }
        if (byte == '{' || byte == '[') {
            if (depth == DAMAGED_DEPTH_MAX) return false;
            is_array[depth++] = byte == '[';
        } else if (byte == '}' || byte == ']') {
            if (depth == 0 || is_array[--depth] != (byte == ']')) return false;
        }
        scanner->at++;
        if (depth == 0) {
            scanner->fault.kind = SY_JSON_FINE;
            return true;
        }
    }
    return false;
}

bool sy_json_next_number(struct sy_slice *lexeme, size_t *offset, struct sy_slice value)
{
    size_t at = *offset;
    while (at < value.size) {
        uint8_t byte = value.data[at];
        if (byte == '"') {
            for (at++; value.data[at] != '"'; at++) {
                if (value.data[at] == '\\') at++;
            }
            at++;
        } else if (byte == '-' || (byte >= '0' && byte <= '9')) {
            size_t first = at;
            while (at < value.size && value.data[at] != '\0' &&
                   strchr("+-.0123456789eE", value.data[at]) != NULL) {
                at++;
            }
            *lexeme = sy_slice_of(value.data + first, at - first);
            *offset = at;
            return true;
        } else {
            at++;
        }
    }
    *offset = at;
    return false;
}

uint64_t sy_json_line(struct sy_slice text, size_t offset)
{
    uint64_t line = 1;
    for (size_t i = 0; i < offset && i < text.size; i++) line += text.data[i] == '\n';
    return line;
}
