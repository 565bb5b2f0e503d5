/* fhir_input.h: documents out of files, one at a time, in bounded memory.
 *
 * A file holds one document (a Bundle or a resource, pretty-printed or not), or a stream of them,
 * one a line (NDJSON). A name ending in .ndjson or .jsonl says the latter; otherwise the first line
 * decides: when it is a whole JSON value and something stands behind it, the file is a stream. The
 * bytes of the document at hand are all that is in memory; a document is at most
 * SY_FHIR_DOCUMENT_BYTES_MAX. "-" is standard input, which can be read once: documents that will be
 * wanted again are kept in an unlinked temporary file. */
#ifndef SY_CLIENT_FHIR_INPUT_H
#define SY_CLIENT_FHIR_INPUT_H

#include "core/client/fhir_json.h"

#define SY_FHIR_DOCUMENT_BYTES_MAX (64u << 20)

struct sy_fhir_document {
    struct sy_slice bytes; /* borrowed until the next call; without white space around it */
    uint64_t offset;       /* of bytes in the input */
    uint64_t line;         /* of its first byte, from 1 */
    uint64_t next_offset;  /* where the next one begins, or its white space */
    uint64_t next_line;
    bool in_stream; /* one of many: places are lines */
    bool over_long; /* it was longer than the limit and is not here (bytes.size == 0) */
};

struct sy_fhir_input {
    const char *path;
    int fd;
    int spool_fd; /* standard input's kept documents; -1: none */
    uint64_t spool_bytes;
    uint8_t *buffer;
    size_t capacity;
    size_t from, to; /* unread bytes in buffer */
    uint64_t offset; /* in the input, of buffer[from] */
    uint64_t line;   /* there */
    bool at_end;     /* nothing more can be read behind buffer[to] */
    enum { SY_FHIR_FORM_UNKNOWN, SY_FHIR_FORM_WHOLE, SY_FHIR_FORM_LINES } form;
};

/* sy_fhir_input_open opens path (borrowed; "-": standard input) at offset, which an earlier reading
 * gave as next_offset, with its line; 0 and 1 at the beginning, as always for standard input. */
sy_status sy_fhir_input_open(struct sy_fhir_input *input, const char *path, uint64_t offset,
                             uint64_t line, struct sy_error *err);
void sy_fhir_input_close(struct sy_fhir_input *input); /* a zeroed or closed one is fine */

/* sy_fhir_input_next gives the next document; scanner is used to tell a stream from a whole file.
 * SY_ERR_NOT_FOUND: there is none. */
sy_status sy_fhir_input_next(struct sy_fhir_input *input, struct sy_fhir_document *document,
                             struct sy_json_scanner *scanner, struct sy_error *err);

/* sy_fhir_input_keep makes the document at hand readable again (standard input only; a file's need
 * nothing). *handle is what sy_fhir_input_again wants. */
sy_status sy_fhir_input_keep(struct sy_fhir_input *input, uint64_t *handle,
                             const struct sy_fhir_document *document, struct sy_error *err);

/* sy_fhir_input_again reads size bytes at handle (a file's offset) into the buffer. */
sy_status sy_fhir_input_again(struct sy_fhir_input *input, struct sy_slice *bytes, uint64_t handle,
                              uint64_t size, struct sy_error *err);

/* sy_fhir_input_is_stream_name: ends in .ndjson or .jsonl; sy_fhir_input_is_fhir_name: or .json. */
bool sy_fhir_input_is_stream_name(const char *path);
bool sy_fhir_input_is_fhir_name(const char *path);

#endif
