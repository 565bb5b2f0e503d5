/* samples_internal.h: one sample, as the files of samples.h share it. */
#ifndef SY_CLIENT_SAMPLES_INTERNAL_H
#define SY_CLIENT_SAMPLES_INTERNAL_H

#include "core/client/samples.h"

/* sy_json_number_size is how many bytes at the beginning of text are a JSON number (RFC 8259,
 * section 6), 0: none. What follows is not looked at. */
size_t sy_json_number_size(const char *text, size_t size);

/* A leaf: bytes, and its RFC 6962 hash. */
void sy_sample_write(struct sy_writer *w, const struct sy_sample *sample);
void sy_sample_read(struct sy_reader *r, struct sy_sample *sample);
void sy_sample_hash(struct sy_hash *out, const struct sy_sample *sample);

#endif
