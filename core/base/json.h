/* json.h: a small streaming JSON writer (RFC 8259) for logs, --json answers and renderings.
 *
 * Calls follow the shape of the text: begin, key, value, end. Commas, escapes and line breaks are
 * the writer's business. Text that is not UTF-8 is mended: every ill-formed piece becomes U+FFFD
 * (Unicode 15, 3.9, "maximal subpart"), so the output is always well formed. A call out of order
 * (a value without its key, an end without its begin) is our bug and asserts; nesting is at most
 * SY_JSON_DEPTH_MAX and comes from code, never from input.
 *
 * Memory is either the caller's buffer or a growing block of the writer's own; when it does not
 * suffice the writer remembers that and ignores the rest, so only the end needs a check. There is
 * no parser here: jansson reads. One thread at a time per writer. */
#ifndef SY_BASE_JSON_H
#define SY_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SY_JSON_DEPTH_MAX 32

typedef struct sy_json {
    char *data;
    size_t size;      /* bytes written, without the terminator */
    size_t capacity;  /* bytes of data, terminator included */
    size_t max_bytes; /* growing writers: capacity never exceeds this */
    bool grows;
    bool pretty;
    bool cut;        /* something did not fit, or memory ran out: the text is useless */
    bool key_stands; /* a key was written and waits for its value */
    uint8_t depth;
    uint32_t objects; /* bit d: level d is an object, not an array */
    uint32_t filled;  /* bit d: level d has a member already */
} sy_json;

/* sy_json_init_fixed writes into buffer, which the caller owns; size must be at least 1. */
void sy_json_init_fixed(sy_json *json, char *buffer, size_t size);

/* sy_json_init_growing writes into memory of its own, up to max_bytes with the terminator. Call
 * sy_json_free. */
void sy_json_init_growing(sy_json *json, size_t max_bytes);

/* sy_json_free releases a growing writer's memory; harmless on a fixed or a zeroed one. */
void sy_json_free(sy_json *json);

/* sy_json_set_pretty breaks lines and indents by two spaces. Before the first value. */
void sy_json_set_pretty(sy_json *json);

void sy_json_object_begin(sy_json *json);
void sy_json_object_end(sy_json *json);
void sy_json_array_begin(sy_json *json);
void sy_json_array_end(sy_json *json);

/* sy_json_key names the next value; only in an object. */
void sy_json_key(sy_json *json, const char *name);

/* Values. A NULL text becomes null. */
void sy_json_text(sy_json *json, const char *text);
void sy_json_text_bytes(sy_json *json, const void *text, size_t size);
void sy_json_u64(sy_json *json, uint64_t value);
void sy_json_i64(sy_json *json, int64_t value);
void sy_json_bool(sy_json *json, bool value);
void sy_json_null(sy_json *json);

/* sy_json_hex writes bytes as a string of lower-case digits. */
void sy_json_hex(sy_json *json, const void *data, size_t size);

/* sy_json_decimal writes value / 10^digits exactly, digits at most 9: (12340, 3) is 12.340. */
void sy_json_decimal(sy_json *json, int64_t value, unsigned digits);

/* sy_json_raw writes size bytes that are one well-formed JSON value already; the caller vouches. */
void sy_json_raw(sy_json *json, const char *text, size_t size);

/* The same with a key first, since most values are members. */
void sy_json_put_text(sy_json *json, const char *name, const char *text);
void sy_json_put_u64(sy_json *json, const char *name, uint64_t value);
void sy_json_put_i64(sy_json *json, const char *name, int64_t value);
void sy_json_put_bool(sy_json *json, const char *name, bool value);
void sy_json_put_hex(sy_json *json, const char *name, const void *data, size_t size);
void sy_json_put_decimal(sy_json *json, const char *name, int64_t value, unsigned digits);

/* sy_json_finish asserts that everything begun has ended and returns the terminated text, which
 * lives until the writer is freed or used again; NULL when it did not fit. */
const char *sy_json_finish(sy_json *json);

#ifdef __cplusplus
}
#endif
#endif
