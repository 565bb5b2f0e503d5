/* base64url.h: base64 with the alphabet of URLs and without padding (RFC 4648 5; RFC 7515 2). Pure;
 * any thread. */
#ifndef SY_BASE_BASE64URL_H
#define SY_BASE_BASE64URL_H

#include <stdbool.h>

#include "core/base/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How long size bytes are in text, and how many bytes at most size characters are. */
#define SY_BASE64URL_CHARS(size) (((size)*4 + 2) / 3)
#define SY_BASE64URL_BYTES(size) ((size)*3 / 4)

/* sy_base64url_encode writes SY_BASE64URL_CHARS(bytes.size) characters and no terminator; returns
 * how many. */
size_t sy_base64url_encode(char *out, struct sy_slice bytes);

/* sy_base64url_decode writes SY_BASE64URL_BYTES(text.size) bytes; *size: how many. False: a
 * character of another alphabet, padding, a length that no bytes have, or unused bits that are not
 * zero: one value has one text. */
bool sy_base64url_decode(uint8_t *out, size_t *size, struct sy_slice text);

#ifdef __cplusplus
}
#endif
#endif
