/* codec.h: the canonical binary encoding: little-endian, fixed widths, length prefixes.
 *
 * A writer fills a caller's buffer and a reader walks borrowed bytes. Both are sticky: after the
 * first failure every call is a no-op (reads give zeros), so a codec is a straight list of calls
 * followed by one check. One value has one encoding; a decoder accepts no other: it must check
 * sy_reader_done, which also refuses trailing bytes. What is called for every field lies here, so
 * that it is compiled into its callers. */
#ifndef SY_WIRE_CODEC_H
#define SY_WIRE_CODEC_H

#include <stdbool.h>

#include "core/base/bytes.h"

struct sy_writer {
    uint8_t *data;
    size_t size; /* room */
    size_t used; /* bytes written; when failed, bytes that were written before */
    bool failed;
};

struct sy_reader {
    const uint8_t *data;
    size_t size;
    size_t used;
    bool failed;
    const char *what; /* the first field that failed, static text; NULL while fine */
};

/* --- writing ---------------------------------------------------------------------------------- */

static inline struct sy_writer sy_writer_of(void *data, size_t size)
{
    struct sy_writer w = {(uint8_t *)data, size, 0, false};
    return w;
}

/* sy_writer_take is room for size more bytes, or NULL once the writer has failed. */
static inline uint8_t *sy_writer_take(struct sy_writer *w, size_t size)
{
    if (w->failed || size > w->size - w->used) {
        w->failed = true;
        return NULL;
    }
    uint8_t *room = w->data + w->used;
    w->used += size;
    return room;
}

static inline void sy_write_u8(struct sy_writer *w, uint8_t v)
{
    uint8_t *room = sy_writer_take(w, 1);
    if (room) room[0] = v;
}

static inline void sy_write_u16(struct sy_writer *w, uint16_t v)
{
    uint8_t *room = sy_writer_take(w, 2);
    if (room) sy_store_u16(room, v);
}

static inline void sy_write_u32(struct sy_writer *w, uint32_t v)
{
    uint8_t *room = sy_writer_take(w, 4);
    if (room) sy_store_u32(room, v);
}

static inline void sy_write_u64(struct sy_writer *w, uint64_t v)
{
    uint8_t *room = sy_writer_take(w, 8);
    if (room) sy_store_u64(room, v);
}

static inline void sy_write_raw(struct sy_writer *w, const void *data, size_t size)
{
    if (size == 0) return; // a pointer into nothing may be NULL, which memcpy must not see
    uint8_t *room = sy_writer_take(w, size);
    if (room) memcpy(room, data, size);
}

static inline void sy_write_hash(struct sy_writer *w, const struct sy_hash *v)
{
    sy_write_raw(w, v->bytes, sizeof v->bytes);
}

void sy_write_i64(struct sy_writer *w, int64_t v);
void sy_write_public_key(struct sy_writer *w, const struct sy_public_key *v);
void sy_write_signature(struct sy_writer *w, const struct sy_signature *v);
/* Bytes behind a u32 (u16) length. */
void sy_write_bytes32(struct sy_writer *w, struct sy_slice v);
void sy_write_bytes16(struct sy_writer *w, struct sy_slice v);

/* What was written so far, as a slice of the caller's buffer. */
static inline struct sy_slice sy_writer_slice(const struct sy_writer *w)
{
    return sy_slice_of(w->data, w->used);
}

/* --- reading ---------------------------------------------------------------------------------- */

static inline struct sy_reader sy_reader_of(struct sy_slice bytes)
{
    struct sy_reader r = {bytes.data, bytes.size, 0, false, NULL};
    return r;
}

/* sy_reader_fail marks the reader failed at `what` (first failure wins). */
void sy_reader_fail(struct sy_reader *r, const char *what);

static inline size_t sy_reader_left(const struct sy_reader *r)
{
    return r->failed ? 0 : r->size - r->used;
}

/* True when nothing failed and nothing is left. */
bool sy_reader_done(struct sy_reader *r);

/* sy_reader_take is the next size bytes, or NULL once the reader has failed. */
static inline const uint8_t *sy_reader_take(struct sy_reader *r, size_t size, const char *what)
{
    if (r->failed || size > r->size - r->used) {
        sy_reader_fail(r, what);
        return NULL;
    }
    const uint8_t *bytes = r->data + r->used;
    r->used += size;
    return bytes;
}

static inline uint8_t sy_read_u8(struct sy_reader *r, const char *what)
{
    const uint8_t *bytes = sy_reader_take(r, 1, what);
    return bytes ? bytes[0] : 0;
}

static inline uint16_t sy_read_u16(struct sy_reader *r, const char *what)
{
    const uint8_t *bytes = sy_reader_take(r, 2, what);
    return bytes ? sy_load_u16(bytes) : 0;
}

static inline uint32_t sy_read_u32(struct sy_reader *r, const char *what)
{
    const uint8_t *bytes = sy_reader_take(r, 4, what);
    return bytes ? sy_load_u32(bytes) : 0;
}

static inline uint64_t sy_read_u64(struct sy_reader *r, const char *what)
{
    const uint8_t *bytes = sy_reader_take(r, 8, what);
    return bytes ? sy_load_u64(bytes) : 0;
}

/* Values of a fixed size: zeros once the reader has failed. */
static inline void sy_read_fixed(struct sy_reader *r, uint8_t *out, size_t size, const char *what)
{
    const uint8_t *bytes = sy_reader_take(r, size, what);
    if (bytes) {
        memcpy(out, bytes, size);
    } else {
        memset(out, 0, size);
    }
}

static inline void sy_read_hash(struct sy_reader *r, struct sy_hash *out, const char *what)
{
    sy_read_fixed(r, out->bytes, sizeof out->bytes, what);
}

int64_t sy_read_i64(struct sy_reader *r, const char *what);
struct sy_slice sy_read_raw(struct sy_reader *r, size_t size, const char *what);
void sy_read_public_key(struct sy_reader *r, struct sy_public_key *out, const char *what);
void sy_read_signature(struct sy_reader *r, struct sy_signature *out, const char *what);
/* Length-prefixed bytes, borrowed; longer than max fails. */
struct sy_slice sy_read_bytes32(struct sy_reader *r, size_t max, const char *what);
struct sy_slice sy_read_bytes16(struct sy_reader *r, size_t max, const char *what);
/* A u32 (u16) count that must be <= max and whose items need at least item_bytes each of what
 * remains: a stranger's count never promises more than it brings. */
uint32_t sy_read_count(struct sy_reader *r, uint32_t max, size_t item_bytes, const char *what);
uint16_t sy_read_count16(struct sy_reader *r, uint16_t max, size_t item_bytes, const char *what);
/* A u8 that must be 0 or 1. */
bool sy_read_bool(struct sy_reader *r, const char *what);

#endif
