/* conf.h: files of `key = value` lines with # comments, as client.conf and systoled.conf are. */
#ifndef SY_BASE_CONF_H
#define SY_BASE_CONF_H

#include <stddef.h>

#include "core/base/status.h"

/* Where a line stands, for sentences. */
struct sy_conf_place {
    const char *path;
    unsigned line;
    struct sy_error *err;
};

/* Called for each line; name and value are trimmed and borrowed for the call; value may be changed.
 * Anything but SY_OK ends the reading and becomes its result. */
typedef sy_status (*sy_conf_fn)(void *context, const char *name, char *value,
                                const struct sy_conf_place *place);

/* sy_conf_each reads a file of at most 64 KiB. SY_ERR_ARGUMENT: a line is none, or this is no text
 * file; SY_ERR_NOT_FOUND and so on as of sy_os_read_file. */
sy_status sy_conf_each(const char *path, sy_conf_fn take, void *context, struct sy_error *err);

/* sy_conf_words cuts a value at blanks into words, which point into it. Returns how many there are,
 * most + 1 if more than words has room for. */
size_t sy_conf_words(char **words, size_t most, char *value);

/* sy_conf_path writes a path: as it is when it begins with a slash or is empty, else relative to
 * the folder of the file that names it. SY_ERR_ARGUMENT: longer than size - 1 bytes. */
sy_status sy_conf_path(char *out, size_t size, const char *name, const char *value,
                       const struct sy_conf_place *place);

#endif
