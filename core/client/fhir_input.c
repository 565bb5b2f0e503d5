/* fhir_input.c: a window over the input that slides from document to document. */
#include "core/client/fhir_input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/assert.h"

#define BUFFER_BYTES_FIRST (256u << 10)

static bool ends_with(const char *text, const char *ending)
{
    size_t length = strlen(text);
    size_t wanted = strlen(ending);
    return length >= wanted && strcmp(text + length - wanted, ending) == 0;
}

bool sy_fhir_input_is_stream_name(const char *path)
{
    return ends_with(path, ".ndjson") || ends_with(path, ".jsonl");
}

bool sy_fhir_input_is_fhir_name(const char *path)
{
    return ends_with(path, ".json") || sy_fhir_input_is_stream_name(path);
}

static sy_status fail_read(const struct sy_fhir_input *input, struct sy_error *err)
{
    return sy_fail(err, SY_ERR_IO, "%s: cannot be read: %s", input->path, strerror(errno));
}

/* --- the window ------------------------------------------------------------------------------ */

/* Reads more behind the window, making room for it. Sets at_end when there is no more. */
static sy_status fill(struct sy_fhir_input *input, struct sy_error *err)
{
    if (input->from > 0 && input->to == input->capacity) {
        memmove(input->buffer, input->buffer + input->from, input->to - input->from);
        input->to -= input->from;
        input->from = 0;
    }
    if (input->to == input->capacity) {
        size_t capacity = input->capacity == 0 ? BUFFER_BYTES_FIRST : input->capacity * 2;
        uint8_t *buffer = realloc(input->buffer, capacity);
        if (buffer == NULL) {
            return sy_fail(err, SY_ERR_NO_MEMORY, "%s: no memory to read it", input->path);
        }
        input->buffer = buffer;
        input->capacity = capacity;
    }
    ssize_t got;
    do {
        got = read(input->fd, input->buffer + input->to, input->capacity - input->to);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return fail_read(input, err);
    input->at_end = got == 0;
    input->to += (size_t)got;
    return SY_OK;
}

/* Gives up the first count bytes of the window. */
static void consume(struct sy_fhir_input *input, size_t count)
{
    SY_ASSERT(count <= input->to - input->from);
    if (count == 0) return;
    const uint8_t *at = input->buffer + input->from;
    const uint8_t *end = at + count;
    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        input->line++;
        at++;
    }
    input->from += count;
    input->offset += count;
    if (input->from == input->to) input->from = input->to = 0;
}

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

/* Steps over white space. SY_ERR_NOT_FOUND: the input ends. */
static sy_status skip_space(struct sy_fhir_input *input, struct sy_error *err)
{
    for (;;) {
        size_t count = 0;
        while (input->from + count < input->to && is_space(input->buffer[input->from + count])) {
            count++;
        }
        bool found = input->from + count < input->to;
        consume(input, count);
        if (found) return SY_OK;
        if (input->at_end) return SY_ERR_NOT_FOUND;
        SY_TRY(fill(input, err));
    }
}

/* --- opening --------------------------------------------------------------------------------- */

/* A byte order mark is no part of the first document (RFC 8259 section 8.1). */
static sy_status skip_mark(struct sy_fhir_input *input, struct sy_error *err)
{
    while (input->to - input->from < 3 && !input->at_end) SY_TRY(fill(input, err));
    bool marked =
        input->to - input->from >= 3 && memcmp(input->buffer + input->from, "\xef\xbb\xbf", 3) == 0;
    if (marked) consume(input, 3);
    return SY_OK;
}

static sy_status start_at(struct sy_fhir_input *input, uint64_t offset, struct sy_error *err)
{
    if (offset == 0) return skip_mark(input, err);
    SY_ASSERT(input->fd != STDIN_FILENO);
    if (lseek(input->fd, (off_t)offset, SEEK_SET) < 0) return fail_read(input, err);
    input->offset = offset;
    return SY_OK;
}

sy_status sy_fhir_input_open(struct sy_fhir_input *input, const char *path, uint64_t offset,
                             uint64_t line, struct sy_error *err)
{
    memset(input, 0, sizeof *input);
    input->path = path;
    input->line = 1;
    input->spool_fd = -1;
    bool is_stdin = strcmp(path, "-") == 0;
    input->fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (input->fd < 0) {
        return sy_fail(err, errno == ENOENT ? SY_ERR_NOT_FOUND : SY_ERR_IO, "%s: %s", path,
                       strerror(errno));
    }
    if (sy_fhir_input_is_stream_name(path)) input->form = SY_FHIR_FORM_LINES;
    sy_status status = start_at(input, offset, err);
    // What was read on from is a stream: a whole file has nothing behind its one document.
    if (offset != 0) input->form = SY_FHIR_FORM_LINES;
    input->line = line;
    if (status != SY_OK) sy_fhir_input_close(input);
    return status;
}

void sy_fhir_input_close(struct sy_fhir_input *input)
{
    if (input->path == NULL) return;
    if (input->fd != STDIN_FILENO && input->fd >= 0) close(input->fd);
    if (input->spool_fd >= 0) close(input->spool_fd);
    free(input->buffer);
    memset(input, 0, sizeof *input);
}

/* --- documents ------------------------------------------------------------------------------- */

/* Makes the window reach to the end of the line, or to the limit. *size is the line's, without its
 * end. */
static sy_status find_line(struct sy_fhir_input *input, size_t *size, struct sy_error *err)
{
    size_t searched = 0;
    for (;;) {
        size_t held = input->to - input->from;
        const uint8_t *start = input->buffer + input->from;
        const uint8_t *end =
            held > searched ? memchr(start + searched, '\n', held - searched) : NULL;
        *size = end != NULL ? (size_t)(end - start) : held;
        if (end != NULL || input->at_end || held > SY_FHIR_DOCUMENT_BYTES_MAX) return SY_OK;
        searched = held;
        SY_TRY(fill(input, err));
    }
}

/* Is the first line a whole value with more behind it? */
static sy_status decide_form(struct sy_fhir_input *input, struct sy_json_scanner *scanner,
                             struct sy_error *err)
{
    size_t size;
    SY_TRY(find_line(input, &size, err));
    input->form = SY_FHIR_FORM_WHOLE;
    if (size > SY_FHIR_DOCUMENT_BYTES_MAX) return SY_OK;
    if (!sy_json_check(scanner, sy_slice_of(input->buffer + input->from, size))) return SY_OK;
    for (size_t at = size;; at++) {
        while (input->from + at >= input->to) {
            if (input->at_end) return SY_OK;
            // Filling may move the window; at counts from its start.
            SY_TRY(fill(input, err));
        }
        if (!is_space(input->buffer[input->from + at])) break;
    }
    input->form = SY_FHIR_FORM_LINES;
    return SY_OK;
}

/* Drops the rest of an over-long line, or of the whole input. */
static sy_status drop_rest(struct sy_fhir_input *input, struct sy_error *err)
{
    for (;;) {
        size_t held = input->to - input->from;
        const uint8_t *end = NULL;
        if (input->form == SY_FHIR_FORM_LINES && held > 0) {
            end = memchr(input->buffer + input->from, '\n', held);
        }
        consume(input, end != NULL ? (size_t)(end - (input->buffer + input->from)) + 1 : held);
        if (end != NULL || input->at_end) return SY_OK;
        SY_TRY(fill(input, err));
    }
}

static sy_status find_end(struct sy_fhir_input *input, size_t *size, struct sy_error *err)
{
    if (input->form == SY_FHIR_FORM_LINES) return find_line(input, size, err);
    while (!input->at_end && input->to - input->from <= SY_FHIR_DOCUMENT_BYTES_MAX) {
        SY_TRY(fill(input, err));
    }
    *size = input->to - input->from;
    return SY_OK;
}

sy_status sy_fhir_input_next(struct sy_fhir_input *input, struct sy_fhir_document *document,
                             struct sy_json_scanner *scanner, struct sy_error *err)
{
    memset(document, 0, sizeof *document);
    SY_TRY(skip_space(input, err));
    if (input->form == SY_FHIR_FORM_UNKNOWN) SY_TRY(decide_form(input, scanner, err));
    size_t size;
    SY_TRY(find_end(input, &size, err));
    document->in_stream = input->form == SY_FHIR_FORM_LINES;
    document->offset = input->offset;
    document->line = input->line;
    if (size > SY_FHIR_DOCUMENT_BYTES_MAX) {
        document->over_long = true;
        SY_TRY(drop_rest(input, err));
    } else {
        document->bytes = sy_slice_of(input->buffer + input->from, size);
        // The bytes stay where they are until the next call fills the window again.
        size_t from = input->from;
        consume(input, size);
        SY_ASSERT(document->bytes.data == input->buffer + from);
    }
    while (document->bytes.size > 0 && is_space(document->bytes.data[document->bytes.size - 1])) {
        document->bytes.size--;
    }
    document->next_offset = input->offset;
    document->next_line = input->line;
    return SY_OK;
}

/* --- reading again --------------------------------------------------------------------------- */

static sy_status open_spool(struct sy_fhir_input *input, struct sy_error *err)
{
    const char *folder = getenv("TMPDIR");
    char path[4096];
    snprintf(path, sizeof path, "%s/systole-spool-XXXXXX",
             folder == NULL || folder[0] == '\0' ? "/tmp" : folder);
    input->spool_fd = mkostemp(path, O_CLOEXEC);
    if (input->spool_fd < 0) {
        return sy_fail(err, SY_ERR_IO, "cannot make a temporary file %s: %s", path,
                       strerror(errno));
    }
    (void)unlink(path);
    return SY_OK;
}

sy_status sy_fhir_input_keep(struct sy_fhir_input *input, uint64_t *handle,
                             const struct sy_fhir_document *document, struct sy_error *err)
{
    *handle = document->offset;
    if (input->fd != STDIN_FILENO) return SY_OK;
    if (input->spool_fd < 0) SY_TRY(open_spool(input, err));
    *handle = input->spool_bytes;
    for (size_t done = 0; done < document->bytes.size;) {
        ssize_t wrote = pwrite(input->spool_fd, document->bytes.data + done,
                               document->bytes.size - done, (off_t)input->spool_bytes);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) {
            return sy_fail(err, errno == ENOSPC ? SY_ERR_DISK_FULL : SY_ERR_IO,
                           "cannot write the temporary file for standard input: %s",
                           strerror(errno));
        }
        done += (size_t)wrote;
        input->spool_bytes += (uint64_t)wrote;
    }
    return SY_OK;
}

sy_status sy_fhir_input_again(struct sy_fhir_input *input, struct sy_slice *bytes, uint64_t handle,
                              uint64_t size, struct sy_error *err)
{
    int fd = input->fd == STDIN_FILENO ? input->spool_fd : input->fd;
    if (fd < 0 || size > SY_FHIR_DOCUMENT_BYTES_MAX) {
        return sy_fail(err, SY_ERR_CORRUPT, "%s: a document to read again is not there",
                       input->path);
    }
    if (size > input->capacity) {
        uint8_t *buffer = realloc(input->buffer, size);
        if (buffer == NULL) {
            return sy_fail(err, SY_ERR_NO_MEMORY, "%s: no memory to read it", input->path);
        }
        input->buffer = buffer;
        input->capacity = size;
    }
    for (size_t done = 0; done < size;) {
        ssize_t got = pread(fd, input->buffer + done, size - done, (off_t)(handle + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_read(input, err);
        if (got == 0) {
            return sy_fail(err, SY_ERR_FORMAT, "%s: became shorter while it was read", input->path);
        }
        done += (size_t)got;
    }
    *bytes = sy_slice_of(input->buffer, size);
    return SY_OK;
}
