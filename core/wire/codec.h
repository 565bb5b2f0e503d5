/* codec.h: the canonical binary encoding: little-endian, fixed widths, length prefixes.
 *
 * A writer fills a caller's buffer and a reader walks borrowed bytes. Both are sticky: after the
 * first failure every call is a no-op (reads give zeros), so a codec is a straight list of calls
 * followed by one check. One value has one encoding; a decoder accepts no other: it must check
 * sy_reader_done, which also refuses trailing bytes. */
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

struct sy_writer sy_writer_of(void *data, size_t size);
void sy_write_u8(struct sy_writer *w, uint8_t v);
void sy_write_u16(struct sy_writer *w, uint16_t v);
void sy_write_u32(struct sy_writer *w, uint32_t v);
void sy_write_u64(struct sy_writer *w, uint64_t v);
void sy_write_i64(struct sy_writer *w, int64_t v);
void sy_write_raw(struct sy_writer *w, const void *data, size_t size);
void sy_write_hash(struct sy_writer *w, const struct sy_hash *v);
void sy_write_public_key(struct sy_writer *w, const struct sy_public_key *v);
void sy_write_signature(struct sy_writer *w, const struct sy_signature *v);
/* Bytes behind a u32 (u16) length. */
void sy_write_bytes32(struct sy_writer *w, struct sy_slice v);
void sy_write_bytes16(struct sy_writer *w, struct sy_slice v);
/* What was written so far, as a slice of the caller's buffer. */
struct sy_slice sy_writer_slice(const struct sy_writer *w);

struct sy_reader sy_reader_of(struct sy_slice bytes);
uint8_t sy_read_u8(struct sy_reader *r, const char *what);
uint16_t sy_read_u16(struct sy_reader *r, const char *what);
uint32_t sy_read_u32(struct sy_reader *r, const char *what);
uint64_t sy_read_u64(struct sy_reader *r, const char *what);
int64_t sy_read_i64(struct sy_reader *r, const char *what);
struct sy_slice sy_read_raw(struct sy_reader *r, size_t size, const char *what);
void sy_read_hash(struct sy_reader *r, struct sy_hash *out, const char *what);
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
/* sy_reader_fail marks the reader failed at `what` (first failure wins). */
void sy_reader_fail(struct sy_reader *r, const char *what);
size_t sy_reader_left(const struct sy_reader *r);
/* True when nothing failed and nothing is left. */
bool sy_reader_done(struct sy_reader *r);

#endif
