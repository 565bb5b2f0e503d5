/* checked.c: see checked.h. */
#include "core/wire/checked.h"

#include "core/crypto/hash.h"

size_t sy_checked_begin(struct sy_writer *w, const uint8_t magic[SY_CHECKED_MAGIC_BYTES])
{
    size_t start = w->used;
    sy_write_raw(w, magic, SY_CHECKED_MAGIC_BYTES);
    return start;
}

void sy_checked_end(struct sy_writer *w, size_t start)
{
    struct sy_hash checksum;
    if (w->failed) return;
    sy_sha256(&checksum, w->data + start, w->used - start);
    sy_write_hash(w, &checksum);
}

bool sy_checked_is(struct sy_slice bytes, const uint8_t magic[SY_CHECKED_MAGIC_BYTES])
{
    return bytes.size >= SY_CHECKED_MAGIC_BYTES &&
           memcmp(bytes.data, magic, SY_CHECKED_MAGIC_BYTES) == 0;
}

struct sy_reader sy_checked_open(struct sy_slice bytes, const uint8_t magic[SY_CHECKED_MAGIC_BYTES],
                                 const char *other)
{
    struct sy_hash checksum;
    size_t size = bytes.size < sizeof checksum ? 0 : bytes.size - sizeof checksum;
    struct sy_reader r = sy_reader_of(sy_slice_of(bytes.data, size));
    if (!sy_checked_is(sy_slice_of(bytes.data, size), magic)) {
        sy_reader_fail(&r, other);
        return r;
    }
    (void)sy_read_raw(&r, SY_CHECKED_MAGIC_BYTES, other);
    sy_sha256(&checksum, bytes.data, size);
    if (memcmp(checksum.bytes, bytes.data + size, sizeof checksum.bytes) != 0) {
        sy_reader_fail(&r, "checksum: the file was altered or cut");
    }
    return r;
}
