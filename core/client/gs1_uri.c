/* gs1_uri.c: EPC URIs by a table of schemes, Digital Links by a table of keys and qualifiers. */
#include "core/client/gs1_uri.h"

#include <stdio.h>
#include <string.h>

#include "core/wire/state_goods.h"

#define DOMAIN "https://id.gs1.org/"
#define PREFIX_DIGITS_MIN 6u
#define PREFIX_DIGITS_MAX 12u
#define PARTS_MAX 16u

struct text {
    char *data;
    size_t size;
    bool failed;
};

static void put(struct text *out, const void *bytes, size_t size)
{
    if (out->failed || size >= SY_GS1_URI_BYTES - out->size) {
        out->failed = true;
        return;
    }
    memcpy(out->data + out->size, bytes, size);
    out->size += size;
    out->data[out->size] = '\0';
}

static void put_words(struct text *out, const char *words)
{
    put(out, words, strlen(words));
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_hex(uint8_t byte)
{
    return is_digit(byte) || (byte >= 'A' && byte <= 'F') || (byte >= 'a' && byte <= 'f');
}

static bool all_digits(struct sy_slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!is_digit(text.data[i])) return false;
    }
    return true;
}

static bool is_alphanumeric(uint8_t byte)
{
    return is_digit(byte) || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

/* What a URI may have of AI encodable set 82, with escapes (%2F) for the rest, each counting as
 * one; *count tells how many characters. */
static bool is_text(size_t *count, struct sy_slice text)
{
    *count = 0;
    for (size_t i = 0; i < text.size; i++, ++*count) {
        uint8_t byte = text.data[i];
        if (byte == '%') {
            if (text.size - i < 3 || !is_hex(text.data[i + 1]) || !is_hex(text.data[i + 2])) {
                return false;
            }
            i += 2;
        } else if (!is_alphanumeric(byte) && memchr("!'()*+,-.:;=_", byte, 13) == NULL) {
            return false;
        }
    }
    return true;
}

/* Characters that the Digital Link standard (table 7-1) wants escaped and EPC URIs do not. */
static void put_escaped(struct text *out, struct sy_slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (memchr("!()*+,:", byte, 7) != NULL) {
            char escape[4];
            (void)snprintf(escape, sizeof escape, "%%%02X", (unsigned)byte);
            put(out, escape, 3);
        } else {
            put(out, &text.data[i], 1);
        }
    }
}

/* --- EPC URIs -------------------------------------------------------------------------------- */

enum epc_tail {
    TAIL_NONE,    /* nothing behind the reference */
    TAIL_SERIAL,  /* the qualifier, then a serial */
    TAIL_GLUED,   /* a serial right behind the check digit */
    TAIL_DIGITS,  /* the same, of digits */
    TAIL_PIECES,  /* piece, total, serial */
    TAIL_COUNTED, /* piece, total, "*" */
    TAIL_ANY      /* "*" */
};

struct scheme {
    const char *name; /* behind "urn:epc:" */
    const char *key;  /* AI in the path */
    unsigned digits;  /* of prefix and reference; 0: the reference is text */
    bool indicator;   /* the reference's first digit comes before the prefix */
    bool zero;        /* a zero comes before the prefix */
    enum epc_tail tail;
    const char *qualifier; /* TAIL_SERIAL, TAIL_PIECES */
    unsigned tail_max;     /* characters */
};

// clang-format off
static const struct scheme schemes[] = {
    {"id:sgtin:",    "01",   13, true,  false, TAIL_SERIAL,  "/21/",   20},
    {"id:sscc:",     "00",   17, true,  false, TAIL_NONE,    "",        0},
    {"id:sgln:",     "414",  12, false, false, TAIL_SERIAL,  "/254/",  20},
    {"id:pgln:",     "417",  12, false, false, TAIL_NONE,    "",        0},
    {"id:grai:",     "8003", 12, false, true,  TAIL_GLUED,   "",       16},
    {"id:giai:",     "8004",  0, false, false, TAIL_NONE,    "",       30},
    {"id:gsrn:",     "8018", 17, false, false, TAIL_NONE,    "",        0},
    {"id:gsrnp:",    "8017", 17, false, false, TAIL_NONE,    "",        0},
    {"id:gdti:",     "253",  12, false, false, TAIL_GLUED,   "",       17},
    {"id:cpi:",      "8010",  0, false, false, TAIL_SERIAL,  "/8011/", 12},
    {"id:sgcn:",     "255",  12, false, false, TAIL_DIGITS,  "",       12},
    {"id:ginc:",     "401",   0, false, false, TAIL_NONE,    "",       30},
    {"id:gsin:",     "402",  16, false, false, TAIL_NONE,    "",        0},
    {"id:itip:",     "8006", 13, true,  false, TAIL_PIECES,  "/21/",   20},
    {"id:upui:",     "01",   13, true,  false, TAIL_SERIAL,  "/235/",  28},
    {"class:lgtin:", "01",   13, true,  false, TAIL_SERIAL,  "/10/",   20},
    {"idpat:sgtin:", "01",   13, true,  false, TAIL_ANY,     "",        1},
    {"idpat:grai:",  "8003", 12, false, true,  TAIL_ANY,     "",        1},
    {"idpat:gdti:",  "253",  12, false, false, TAIL_ANY,     "",        1},
    {"idpat:sgcn:",  "255",  12, false, false, TAIL_ANY,     "",        1},
    {"idpat:cpi:",   "8010",  0, false, false, TAIL_ANY,     "",        1},
    {"idpat:itip:",  "8006", 13, true,  false, TAIL_COUNTED, "",        1},
    {"idpat:upui:",  "01",   13, true,  false, TAIL_ANY,     "",        1},
};
// clang-format on

/* Takes what stands before the next point, or all of it. */
static struct sy_slice take_part(struct sy_slice *rest, bool *point)
{
    const uint8_t *at = rest->size ? memchr(rest->data, '.', rest->size) : NULL;
    size_t size = at ? (size_t)(at - rest->data) : rest->size;
    struct sy_slice part = sy_slice_of(rest->data, size);
    *point = at != NULL;
    *rest = at ? sy_slice_of(at + 1, rest->size - size - 1) : sy_slice_of(NULL, 0);
    return part;
}

static bool put_number(struct text *out, const struct scheme *scheme, struct sy_slice prefix,
                       struct sy_slice reference)
{
    char number[20] = "0";
    size_t size = scheme->zero ? 1 : 0;
    if (!all_digits(reference) || prefix.size + reference.size != scheme->digits) return false;
    if (scheme->indicator) {
        if (reference.size == 0) return false;
        number[size++] = (char)reference.data[0];
        reference = sy_slice_of(reference.data + 1, reference.size - 1);
    }
    memcpy(number + size, prefix.data, prefix.size);
    size += prefix.size;
    if (reference.size != 0) memcpy(number + size, reference.data, reference.size);
    size += reference.size + 1;
    number[size - 1] = (char)sy_goods_check_digit(sy_slice_of(number, size));
    put(out, number, size);
    return true;
}

static bool put_text_reference(struct text *out, struct sy_slice prefix, struct sy_slice reference)
{
    size_t count;
    if (reference.size == 0 || !is_text(&count, reference) || prefix.size + count > 30) {
        return false;
    }
    put(out, prefix.data, prefix.size);
    put_escaped(out, reference);
    return true;
}

static bool is_word(struct sy_slice text, const char *word)
{
    return sy_slice_equal(text, sy_slice_of(word, strlen(word)));
}

static bool take_pieces(struct text *out, struct sy_slice *tail)
{
    for (unsigned i = 0; i < 2; i++) {
        bool point;
        struct sy_slice part = take_part(tail, &point);
        if (!point || part.size != 2 || !all_digits(part)) return false;
        put(out, part.data, 2);
    }
    return true;
}

static bool put_tail(struct text *out, const struct scheme *scheme, struct sy_slice tail)
{
    size_t count;
    if (scheme->tail == TAIL_PIECES || scheme->tail == TAIL_COUNTED) {
        if (!take_pieces(out, &tail)) return false;
    }
    if (scheme->tail == TAIL_ANY || scheme->tail == TAIL_COUNTED) return is_word(tail, "*");
    if (!is_text(&count, tail) || count == 0 || count > scheme->tail_max) return false;
    bool digits = scheme->tail == TAIL_DIGITS || strcmp(scheme->qualifier, "/8011/") == 0;
    if (digits && !all_digits(tail)) return false;
    // A location without extension is written as extension 0 (TDS 6.3.3).
    bool no_extension = strcmp(scheme->qualifier, "/254/") == 0 && is_word(tail, "0");
    if (no_extension) return true;
    put_words(out, scheme->qualifier);
    put_escaped(out, tail);
    return true;
}

/* A GIAI's or GINC's reference may hold points itself; everything else's does not. */
static struct sy_slice take_reference(const struct scheme *scheme, struct sy_slice *rest,
                                      bool *point)
{
    if (scheme->tail != TAIL_NONE) return take_part(rest, point);
    struct sy_slice all = *rest;
    *rest = sy_slice_of(NULL, 0);
    *point = false;
    return all;
}

static bool from_epc(struct text *out, const struct scheme *scheme, struct sy_slice rest)
{
    bool point;
    struct sy_slice prefix = take_part(&rest, &point);
    if (!point || !all_digits(prefix)) return false;
    if (prefix.size < PREFIX_DIGITS_MIN || prefix.size > PREFIX_DIGITS_MAX) return false;
    struct sy_slice reference = take_reference(scheme, &rest, &point);
    if (point != (scheme->tail != TAIL_NONE)) return false;
    put_words(out, DOMAIN);
    put_words(out, scheme->key);
    put_words(out, "/");
    bool good = scheme->digits ? put_number(out, scheme, prefix, reference)
                               : put_text_reference(out, prefix, reference);
    if (good && scheme->tail != TAIL_NONE) good = put_tail(out, scheme, rest);
    return good && !out->failed;
}

/* --- Digital Links --------------------------------------------------------------------------- */

struct link_key {
    const char *ai, *word;
    unsigned digits;   /* that the value begins with; 0: text of at least four digits in front */
    unsigned tail_max; /* characters behind them */
    bool tail_digits;
    const char *qualifiers; /* that may follow, with a blank before and behind each; the first one
                               that is there is kept */
};

// clang-format off
static const struct link_key link_keys[] = {
    {"00",   "sscc",  18,  0, false, ""},
    {"01",   "gtin",  14,  0, false, " 21 235 10 22 "},
    {"253",  "gdti",  13, 17, false, ""},
    {"255",  "gcn",   13, 12, true,  ""},
    {"401",  "ginc",   0, 30, false, ""},
    {"402",  "gsin",  17,  0, false, ""},
    {"414",  "gln",   13,  0, false, " 254 "},
    {"417",  "party", 13,  0, false, ""},
    {"8003", "grai",  14, 16, false, ""},
    {"8004", "giai",   0, 30, false, ""},
    {"8006", "itip",  18,  0, false, " 21 10 22 "},
    {"8010", "cpid",   0, 30, false, " 8011 "},
    {"8017", "gsrnp", 18,  0, false, ""},
    {"8018", "gsrn",  18,  0, false, ""},
};
static const struct { const char *ai, *word; unsigned max; } qualifiers[] = {
    {"21", "ser", 20}, {"235", "235", 28}, {"10", "lot", 20}, {"22", "cpv", 20},
    {"254", "254", 20}, {"8011", "8011", 12},
};
// clang-format on

#define QUALIFIERS (sizeof qualifiers / sizeof qualifiers[0])

static const struct link_key *key_of(struct sy_slice part)
{
    for (size_t i = 0; i < sizeof link_keys / sizeof link_keys[0]; i++) {
        if (is_word(part, link_keys[i].ai) || is_word(part, link_keys[i].word)) {
            return &link_keys[i];
        }
    }
    return NULL;
}

static bool put_value(struct text *out, const struct link_key *key, struct sy_slice value)
{
    size_t count;
    unsigned front = key->digits ? key->digits : 4;
    bool gtin = strcmp(key->ai, "01") == 0;
    if (gtin && (value.size == 13 || value.size == 12 || value.size == 8)) {
        put(out, "000000", 14 - value.size); // GTIN-8, -12 and -13 are padded
        front = (unsigned)value.size;
    }
    if (value.size < front || !all_digits(sy_slice_of(value.data, front))) return false;
    struct sy_slice tail = sy_slice_of(value.data + front, value.size - front);
    unsigned tail_max = key->digits ? key->tail_max : key->tail_max - front;
    if (!is_text(&count, tail) || count > tail_max) return false;
    if (key->tail_digits && !all_digits(tail)) return false;
    put(out, value.data, value.size);
    return true;
}

/* Reads the pairs behind the key; values[i] is that of qualifiers[i]. */
static bool read_qualifiers(struct sy_slice values[QUALIFIERS], const struct link_key *key,
                            const struct sy_slice *parts, size_t count)
{
    if (count % 2 != 0) return false;
    for (size_t i = 0; i < count; i += 2) {
        size_t at = 0;
        char padded[8];
        size_t characters;
        while (at < QUALIFIERS && !is_word(parts[i], qualifiers[at].ai) &&
               !is_word(parts[i], qualifiers[at].word)) {
            at++;
        }
        if (at == QUALIFIERS || values[at].size != 0) return false;
        (void)snprintf(padded, sizeof padded, " %s ", qualifiers[at].ai);
        if (strstr(key->qualifiers, padded) == NULL) return false;
        if (!is_text(&characters, parts[i + 1]) || characters == 0) return false;
        if (characters > qualifiers[at].max) return false;
        if (strcmp(padded, " 8011 ") == 0 && !all_digits(parts[i + 1])) return false;
        values[at] = parts[i + 1];
    }
    return true;
}

static bool from_parts(struct text *out, const struct sy_slice *parts, size_t count)
{
    const struct link_key *key = key_of(parts[0]);
    struct sy_slice values[QUALIFIERS] = {{NULL, 0}};
    if (key == NULL || count < 2) return false;
    put_words(out, DOMAIN);
    put_words(out, key->ai);
    put_words(out, "/");
    if (!put_value(out, key, parts[1])) return false;
    if (!read_qualifiers(values, key, parts + 2, count - 2)) return false;
    // In the order of the table: a serial number is finer than a lot, a variant is left out.
    for (size_t i = 0; i < QUALIFIERS; i++) {
        if (values[i].size == 0 || strcmp(qualifiers[i].ai, "22") == 0) continue;
        put_words(out, "/");
        put_words(out, qualifiers[i].ai);
        put_words(out, "/");
        put(out, values[i].data, values[i].size);
        break;
    }
    return !out->failed;
}

/* The parts of the path; 0 if they are too many. */
static size_t split_path(struct sy_slice parts[PARTS_MAX], struct sy_slice path)
{
    size_t count = 0;
    if (path.size > 0 && path.data[path.size - 1] == '/') path.size--;
    size_t first = 0;
    for (size_t i = 0; i <= path.size; i++) {
        if (i < path.size && path.data[i] != '/') continue;
        if (count == PARTS_MAX) return 0;
        parts[count++] = sy_slice_of(path.data + first, i - first);
        first = i + 1;
    }
    return count;
}

static bool starts_with(struct sy_slice text, const char *start, struct sy_slice *rest)
{
    size_t size = strlen(start);
    if (text.size < size || memcmp(text.data, start, size) != 0) return false;
    *rest = sy_slice_of(text.data + size, text.size - size);
    return true;
}

static bool from_link(struct text *out, struct sy_slice rest)
{
    struct sy_slice parts[PARTS_MAX];
    size_t end = 0;
    while (end < rest.size && rest.data[end] != '?' && rest.data[end] != '#') end++;
    size_t count = split_path(parts, sy_slice_of(rest.data, end));
    for (size_t i = 1; i < count; i++) { // the first is the domain
        out->size = 0;
        out->failed = false;
        if (from_parts(out, parts + i, count - i)) return true;
    }
    return false;
}

bool sy_gs1_canonical(char out[SY_GS1_URI_BYTES], struct sy_slice uri)
{
    struct text text = {.data = out};
    struct sy_slice rest;
    bool good = false;
    out[0] = '\0';
    if (starts_with(uri, "https://", &rest) || starts_with(uri, "http://", &rest)) {
        good = from_link(&text, rest);
    } else if (starts_with(uri, "urn:epc:", &rest)) {
        struct sy_slice behind;
        for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
            if (!starts_with(rest, schemes[i].name, &behind)) continue;
            good = from_epc(&text, &schemes[i], behind);
            break;
        }
    }
    if (!good) out[0] = '\0';
    return good;
}

bool sy_gs1_check_good(char *expected, const char *canonical)
{
    const char *path = sy_gs1_path(canonical);
    *expected = '\0';
    if (path == NULL) return true;
    size_t size = strcspn(path, "/");
    const struct link_key *key = key_of(sy_slice_of(path, size));
    if (key == NULL || key->digits == 0) return true;
    // An ITIP is a GTIN with piece and total behind it.
    size_t digits = strcmp(key->ai, "8006") == 0 ? SY_GTIN_BYTES : key->digits;
    struct sy_slice number = sy_slice_of(path + size + 1, digits);
    *expected = (char)sy_goods_check_digit(number);
    return path[size + digits] == *expected;
}

const char *sy_gs1_path(const char *canonical)
{
    size_t size = strlen(DOMAIN);
    return strncmp(canonical, DOMAIN, size) == 0 ? canonical + size : NULL;
}
