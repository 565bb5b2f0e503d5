/* samples_internal.h: one sample, as the files of samples.h share it. */
#ifndef SY_CLIENT_SAMPLES_INTERNAL_H
#define SY_CLIENT_SAMPLES_INTERNAL_H

#include "core/client/samples.h"

/* sy_json_number_size is how many bytes at the beginning of text are a JSON number (RFC 8259,
 * section 6), 0: none. What follows is not looked at. */
size_t sy_json_number_size(const char *text, size_t size);

/* sy_samples_make_room makes room for one more; *room, 0 at first, is how many there is room for,
 * as many as there are, not as many as there may be. False: no memory. */
bool sy_samples_make_room(struct sy_samples *samples, uint32_t *room);

/* A leaf: bytes, and its RFC 6962 hash. */
void sy_sample_write(struct sy_writer *w, const struct sy_sample *sample);
void sy_sample_read(struct sy_reader *r, struct sy_sample *sample);
void sy_sample_hash(struct sy_hash *out, const struct sy_sample *sample);

#endif
