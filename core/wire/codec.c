/* codec.c: see codec.h. */
#include "core/wire/codec.h"

#include "core/base/assert.h"

struct sy_writer sy_writer_of(void *data, size_t size)
{
    struct sy_writer w = {.data = (uint8_t *)data, .size = size};
    return w;
}

// Room for size more bytes, or NULL once the writer has failed.
static uint8_t *take_room(struct sy_writer *w, size_t size)
{
    if (w->failed || size > w->size - w->used) {
        w->failed = true;
        return NULL;
    }
    uint8_t *room = w->data + w->used;
    w->used += size;
    return room;
}

void sy_write_u8(struct sy_writer *w, uint8_t v)
{
    uint8_t *room = take_room(w, 1);
    if (room) room[0] = v;
}

void sy_write_u16(struct sy_writer *w, uint16_t v)
{
    uint8_t *room = take_room(w, 2);
    if (room) sy_store_u16(room, v);
}

void sy_write_u32(struct sy_writer *w, uint32_t v)
{
    uint8_t *room = take_room(w, 4);
    if (room) sy_store_u32(room, v);
}

void sy_write_u64(struct sy_writer *w, uint64_t v)
{
    uint8_t *room = take_room(w, 8);
    if (room) sy_store_u64(room, v);
}

void sy_write_i64(struct sy_writer *w, int64_t v)
{
    sy_write_u64(w, (uint64_t)v);
}

void sy_write_raw(struct sy_writer *w, const void *data, size_t size)
{
    if (size == 0) return; // a pointer into nothing may be NULL, which memcpy must not see
    uint8_t *room = take_room(w, size);
    if (room) memcpy(room, data, size);
}

void sy_write_hash(struct sy_writer *w, const struct sy_hash *v)
{
    sy_write_raw(w, v->bytes, sizeof v->bytes);
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

struct sy_slice sy_writer_slice(const struct sy_writer *w)
{
    return sy_slice_of(w->data, w->used);
}

struct sy_reader sy_reader_of(struct sy_slice bytes)
{
    struct sy_reader r = {.data = bytes.data, .size = bytes.size};
    return r;
}

void sy_reader_fail(struct sy_reader *r, const char *what)
{
    SY_ASSERT(what);
    if (!r->failed) r->what = what;
    r->failed = true;
}

// The next size bytes, or NULL once the reader has failed.
static const uint8_t *take_bytes(struct sy_reader *r, size_t size, const char *what)
{
    if (r->failed || size > r->size - r->used) {
        sy_reader_fail(r, what);
        return NULL;
    }
    const uint8_t *bytes = r->data + r->used;
    r->used += size;
    return bytes;
}

uint8_t sy_read_u8(struct sy_reader *r, const char *what)
{
    const uint8_t *bytes = take_bytes(r, 1, what);
    return bytes ? bytes[0] : 0;
}

uint16_t sy_read_u16(struct sy_reader *r, const char *what)
{
    const uint8_t *bytes = take_bytes(r, 2, what);
    return bytes ? sy_load_u16(bytes) : 0;
}

uint32_t sy_read_u32(struct sy_reader *r, const char *what)
{
    const uint8_t *bytes = take_bytes(r, 4, what);
    return bytes ? sy_load_u32(bytes) : 0;
}

uint64_t sy_read_u64(struct sy_reader *r, const char *what)
{
    const uint8_t *bytes = take_bytes(r, 8, what);
    return bytes ? sy_load_u64(bytes) : 0;
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
    const uint8_t *bytes = size ? take_bytes(r, size, what) : NULL;
    return sy_slice_of(bytes, bytes ? size : 0);
}

// Fixed-size values: zeros once the reader has failed.
static void read_fixed(struct sy_reader *r, uint8_t *out, size_t size, const char *what)
{
    const uint8_t *bytes = take_bytes(r, size, what);
    if (bytes) {
        memcpy(out, bytes, size);
    } else {
        memset(out, 0, size);
    }
}

void sy_read_hash(struct sy_reader *r, struct sy_hash *out, const char *what)
{
    read_fixed(r, out->bytes, sizeof out->bytes, what);
}

void sy_read_public_key(struct sy_reader *r, struct sy_public_key *out, const char *what)
{
    read_fixed(r, out->bytes, sizeof out->bytes, what);
}

void sy_read_signature(struct sy_reader *r, struct sy_signature *out, const char *what)
{
    read_fixed(r, out->bytes, sizeof out->bytes, what);
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

size_t sy_reader_left(const struct sy_reader *r)
{
    return r->failed ? 0 : r->size - r->used;
}

bool sy_reader_done(struct sy_reader *r)
{
    if (!r->failed && r->used != r->size) sy_reader_fail(r, "trailing bytes");
    return !r->failed;
}
