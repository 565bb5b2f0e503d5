/* codec.c: see codec.h. */
#include "core/wire/codec.h"

#include "core/base/assert.h"

void sy_write_i64(struct sy_writer *w, int64_t v)
{
    sy_write_u64(w, (uint64_t)v);
}

void sy_write_public_key(struct sy_writer *w, const struct sy_public_key *v)
{
    sy_write_raw(w, v->bytes, sizeof v->bytes);
}

void sy_write_signature(struct sy_writer *w, const struct sy_signature *v)
{
    sy_write_raw(w, v->bytes, sizeof v->bytes);
}

void sy_write_bytes32(struct sy_writer *w, struct sy_slice v)
{
    if (v.size > UINT32_MAX) w->failed = true;
    sy_write_u32(w, (uint32_t)v.size);
    sy_write_raw(w, v.data, v.size);
}

void sy_write_bytes16(struct sy_writer *w, struct sy_slice v)
{
    if (v.size > UINT16_MAX) w->failed = true;
    sy_write_u16(w, (uint16_t)v.size);
    sy_write_raw(w, v.data, v.size);
}

void sy_reader_fail(struct sy_reader *r, const char *what)
{
    SY_ASSERT(what);
    if (!r->failed) r->what = what;
    r->failed = true;
}

int64_t sy_read_i64(struct sy_reader *r, const char *what)
{
    return (int64_t)sy_read_u64(r, what);
}

bool sy_read_bool(struct sy_reader *r, const char *what)
{
    uint8_t v = sy_read_u8(r, what);
    if (v > 1) sy_reader_fail(r, what);
    return v == 1;
}

struct sy_slice sy_read_raw(struct sy_reader *r, size_t size, const char *what)
{
    const uint8_t *bytes = size ? sy_reader_take(r, size, what) : NULL;
    return sy_slice_of(bytes, bytes ? size : 0);
}

void sy_read_public_key(struct sy_reader *r, struct sy_public_key *out, const char *what)
{
    sy_read_fixed(r, out->bytes, sizeof out->bytes, what);
}

void sy_read_signature(struct sy_reader *r, struct sy_signature *out, const char *what)
{
    sy_read_fixed(r, out->bytes, sizeof out->bytes, what);
}

// The bytes behind a length that was just read.
static struct sy_slice read_counted(struct sy_reader *r, size_t size, size_t max, const char *what)
{
    if (size > max) sy_reader_fail(r, what);
    return r->failed ? sy_slice_of(NULL, 0) : sy_read_raw(r, size, what);
}

struct sy_slice sy_read_bytes32(struct sy_reader *r, size_t max, const char *what)
{
    return read_counted(r, sy_read_u32(r, what), max, what);
}

struct sy_slice sy_read_bytes16(struct sy_reader *r, size_t max, const char *what)
{
    return read_counted(r, sy_read_u16(r, what), max, what);
}

// A count of items that the remaining bytes can hold.
static uint32_t bound_count(struct sy_reader *r, uint32_t count, uint32_t max, size_t item_bytes,
                            const char *what)
{
    if (count > max || (item_bytes > 0 && count > sy_reader_left(r) / item_bytes)) {
        sy_reader_fail(r, what);
    }
    return r->failed ? 0 : count;
}

uint32_t sy_read_count(struct sy_reader *r, uint32_t max, size_t item_bytes, const char *what)
{
    return bound_count(r, sy_read_u32(r, what), max, item_bytes, what);
}

uint16_t sy_read_count16(struct sy_reader *r, uint16_t max, size_t item_bytes, const char *what)
{
    return (uint16_t)bound_count(r, sy_read_u16(r, what), max, item_bytes, what);
}

bool sy_reader_done(struct sy_reader *r)
{
    if (!r->failed && r->used != r->size) sy_reader_fail(r, "trailing bytes");
    return !r->failed;
}
