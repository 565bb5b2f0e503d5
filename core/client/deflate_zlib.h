/* deflate_zlib.h: raw DEFLATE (RFC 1951), of texts that a card holds. Any thread. */
#ifndef SY_CLIENT_DEFLATE_ZLIB_H
#define SY_CLIENT_DEFLATE_ZLIB_H

#include "core/base/bytes.h"
#include "core/base/status.h"

/* sy_deflate_raw compresses into fresh memory, which the caller frees. */
sy_status sy_deflate_raw(uint8_t **out, size_t *size, struct sy_slice bytes, struct sy_error *err);

/* sy_inflate_raw undoes it, into fresh memory with a terminator beyond *size. SY_ERR_LIMIT: it is
 * longer than max bytes, however few it was made of; SY_ERR_FORMAT: no such data, cut off, or with
 * something behind it. */
sy_status sy_inflate_raw(uint8_t **out, size_t *size, struct sy_slice bytes, size_t max,
                         struct sy_error *err);

#endif
