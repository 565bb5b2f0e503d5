/* deflate_zlib.c: see deflate_zlib.h. A negative window size is zlib's word for raw. */
#include "core/client/deflate_zlib.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "core/base/assert.h"

#define RAW_WINDOW (-15)

sy_status sy_deflate_raw(uint8_t **out, size_t *size, struct sy_slice bytes, struct sy_error *err)
{
    z_stream stream = {.avail_in = 0};
    *out = NULL;
    if (bytes.size > INT_MAX / 2) return sy_fail(err, SY_ERR_LIMIT, "too long to be compressed");
    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, RAW_WINDOW, 9, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        return sy_fail(err, SY_ERR_NO_MEMORY, "out of memory");
    }
    uLong room = deflateBound(&stream, (uLong)bytes.size);
    uint8_t *made = malloc(room);
    sy_status status = SY_ERR_NO_MEMORY;
    if (made != NULL) {
        stream.next_in = (z_const Bytef *)bytes.data;
        stream.avail_in = (uInt)bytes.size;
        stream.next_out = made;
        stream.avail_out = (uInt)room;
        int end = deflate(&stream, Z_FINISH);
        SY_ASSERT(end == Z_STREAM_END); // deflateBound said that there is room
        *out = made;
        *size = (size_t)stream.total_out;
        status = SY_OK;
    }
    (void)deflateEnd(&stream);
    return status == SY_OK ? SY_OK : sy_fail(err, status, "out of memory");
}

sy_status sy_inflate_raw(uint8_t **out, size_t *size, struct sy_slice bytes, size_t max,
                         struct sy_error *err)
{
    z_stream stream = {.avail_in = 0};
    *out = NULL;
    if (bytes.size > INT_MAX || max > INT_MAX - 1) return sy_fail(err, SY_ERR_LIMIT, "too long");
    uint8_t *made = malloc(max + 1);
    if (made == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "out of memory");
    if (inflateInit2(&stream, RAW_WINDOW) != Z_OK) {
        free(made);
        return sy_fail(err, SY_ERR_NO_MEMORY, "out of memory");
    }
    stream.next_in = (z_const Bytef *)bytes.data;
    stream.avail_in = (uInt)bytes.size;
    stream.next_out = made;
    stream.avail_out = (uInt)max + 1;
    int end = inflate(&stream, Z_FINISH);
    bool rest = stream.avail_in > 0;
    size_t total = (size_t)stream.total_out;
    (void)inflateEnd(&stream);
    if (end == Z_STREAM_END && !rest && total <= max) {
        made[total] = 0;
        *out = made;
        *size = total;
        return SY_OK;
    }
    free(made);
    if (total > max) return sy_fail(err, SY_ERR_LIMIT, "it unpacks to more than %zu bytes", max);
    return sy_fail(err, SY_ERR_FORMAT, "it is no raw DEFLATE data, or was cut off");
}
