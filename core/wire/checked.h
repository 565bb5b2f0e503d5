/* checked.h: what the files that people keep have in common (.syproof, .syevidence).
 *
 *   8 magic | content | 32 SHA-256 of everything in front of it
 *
 * The magic says what a file is before anything of it is believed, and in which version. The
 * checksum makes plain any damage to the file; it proves nothing. Everything is pure; any thread.
 */
#ifndef SY_WIRE_CHECKED_H
#define SY_WIRE_CHECKED_H

#include <stdbool.h>

#include "core/wire/codec.h"

#define SY_CHECKED_MAGIC_BYTES 8u

/* sy_checked_begin writes the magic and returns where the file starts in w; sy_checked_end writes
 * the checksum of all that stands in w from there. */
size_t sy_checked_begin(struct sy_writer *w, const uint8_t magic[SY_CHECKED_MAGIC_BYTES]);
void sy_checked_end(struct sy_writer *w, size_t start);

/* sy_checked_is says whether bytes start with a magic. */
bool sy_checked_is(struct sy_slice bytes, const uint8_t magic[SY_CHECKED_MAGIC_BYTES]);

/* sy_checked_open gives the reader of the content. It has failed already, at `other` (static text),
 * when the magic is another one, and at the checksum when that is wrong. */
struct sy_reader sy_checked_open(struct sy_slice bytes, const uint8_t magic[SY_CHECKED_MAGIC_BYTES],
                                 const char *other);

#endif
