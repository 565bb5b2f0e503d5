/* fhir_json.h: a strict JSON checker that knows where everything stands.
 *
 * Content is committed to as the bytes that stand in the file, so somebody must find those bytes:
 * jansson reads values but gives no spans and does not keep 1.00. This scanner walks RFC 8259 text
 * once, left to right, with its own stack (nothing recurses over input), and says where a value
 * begins and ends. It refuses what RFC 8259 refuses, text that is not UTF-8, lone surrogates,
 * nesting beyond a depth, and objects with the same key twice: two readers of such an object may
 * see two different records.
 *
 * A fault names its place twice: as a byte offset and as a path ("name[0].given"). Memory: the keys
 * of the objects that are open, bounded by SY_JSON_KEYS_MAX; everything else is borrowed text. */
#ifndef SY_CLIENT_FHIR_JSON_H
#define SY_CLIENT_FHIR_JSON_H

#include <stdbool.h>

#include "core/base/bytes.h"

#define SY_JSON_SCAN_DEPTH_MAX 64
#define SY_JSON_KEYS_MAX (1u << 18) /* members of all objects that are open at a time */
#define SY_JSON_FAULT_PATH_BYTES 160

enum sy_json_fault_kind {
    SY_JSON_FINE = 0,
    SY_JSON_SYNTAX,    /* RFC 8259 refuses it */
    SY_JSON_ENCODING,  /* not UTF-8, or half of a surrogate pair */
    SY_JSON_DEPTH,     /* nested too deep */
    SY_JSON_DUPLICATE, /* a key stands twice in one object */
    SY_JSON_MEMBERS    /* too many members are open, or memory ran out for them */
};

struct sy_json_fault {
    enum sy_json_fault_kind kind;
    size_t offset;                       /* of the byte where it was noticed */
    const char *what;                    /* "expected ',' or '}'"; static text */
    char path[SY_JSON_FAULT_PATH_BYTES]; /* from the value that was scanned; "" is the value itself;
                                            cut at its end with "..." */
};

struct sy_json_key {
    uint64_t hash; /* of the unescaped key */
    uint32_t offset;
    uint32_t size; /* between the quotes */
};

struct sy_json_level {
    bool is_array;
    uint32_t index;      /* arrays: of the item at hand */
    uint32_t key_offset; /* objects: of the member at hand */
    uint32_t key_size;
    size_t keys_first;
};

/* The scanner's position and memory. Made by sy_json_scanner_open; one thread at a time. */
struct sy_json_scanner {
    const uint8_t *data;
    size_t size;
    size_t at;
    unsigned depth;
    unsigned depth_max; /* SY_JSON_SCAN_DEPTH_MAX, or less */
    struct sy_json_level levels[SY_JSON_SCAN_DEPTH_MAX];
    struct sy_json_key *keys;
    size_t key_count, key_capacity;
    uint64_t seed[2];
    struct sy_json_fault fault;
};

/* sy_json_scanner_open draws the key of the hash; sy_json_scanner_close frees what scanning took
 * (harmless on a zeroed scanner). */
void sy_json_scanner_open(struct sy_json_scanner *scanner);
void sy_json_scanner_close(struct sy_json_scanner *scanner);

/* sy_json_scan_begin points the scanner at text (at most 4 GiB - 1), which it borrows, and forgets
 * an earlier fault. */
void sy_json_scan_begin(struct sy_json_scanner *scanner, struct sy_slice text);

/* sy_json_scan_space skips white space and gives the next byte, or -1 at the end. */
int sy_json_scan_space(struct sy_json_scanner *scanner);

/* sy_json_scan_value checks one value that begins at the position (white space before it is
 * skipped), and leaves the position behind it. *span (may be NULL) is the value's bytes as they
 * stand. False: scanner->fault says what and where. */
bool sy_json_scan_value(struct sy_json_scanner *scanner, struct sy_slice *span);

/* sy_json_scan_string does the same for a string alone; *span is what stands between the quotes. */
bool sy_json_scan_string(struct sy_json_scanner *scanner, struct sy_slice *span);

/* sy_json_scan_fail notes a fault at the position unless one is noted already; returns false. */
bool sy_json_scan_fail(struct sy_json_scanner *scanner, enum sy_json_fault_kind kind,
                       const char *what);

/* sy_json_check checks that text is exactly one value with white space around it. */
bool sy_json_check(struct sy_json_scanner *scanner, struct sy_slice text);

/* sy_json_skip_damaged finds the end of the object that begins at `first`, whose inside was found
 * faulty: brackets are matched, strings are stepped over, nothing else is looked at. On success the
 * position is behind the closing brace and the fault is forgotten. False: the brackets do not
 * match either; the position is then of no use. */
bool sy_json_skip_damaged(struct sy_json_scanner *scanner, size_t first);

/* sy_json_unquote decodes the inside of a checked string into out, terminated. False: it needs
 * more than size - 1 bytes, or holds a NUL. */
bool sy_json_unquote(char *out, size_t size, struct sy_slice inside);

/* sy_json_next_number walks the numbers of a checked value in the order they stand: start with
 * *offset = 0; *lexeme is a number exactly as written ("1.00" stays "1.00"). False: no more. */
bool sy_json_next_number(struct sy_slice *lexeme, size_t *offset, struct sy_slice value);

/* sy_json_line is the number, from 1, of the line that holds the byte at offset. */
uint64_t sy_json_line(struct sy_slice text, size_t offset);

#endif
