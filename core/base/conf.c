#include "core/base/conf.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/os.h"

#define CONF_BYTES_MAX 65536u

static char *trim(char *text)
{
    while (isspace((unsigned char)*text)) text++;
    size_t size = strlen(text);
    while (size > 0 && isspace((unsigned char)text[size - 1])) text[--size] = '\0';
    return text;
}

static sy_status take_line(sy_conf_fn take, void *context, char *line,
                           const struct sy_conf_place *place)
{
    line = trim(line);
    if (line[0] == '\0' || line[0] == '#') return SY_OK;
    char *equals = strchr(line, '=');
    if (!equals) {
        return sy_fail(place->err, SY_ERR_ARGUMENT,
                       "%s:%u: expected `key = value`, found \"%.40s\"", place->path, place->line,
                       line);
    }
    *equals = '\0';
    return take(context, trim(line), trim(equals + 1), place);
}

sy_status sy_conf_each(const char *path, sy_conf_fn take, void *context, struct sy_error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    struct sy_conf_place place = {path, 0, err};
    SY_TRY(sy_os_read_file(&bytes, &size, path, CONF_BYTES_MAX, err));
    sy_status status = SY_OK;
    if (memchr(bytes, '\0', size)) {
        status = sy_fail(err, SY_ERR_ARGUMENT, "%s: this is not a text file", path);
    }
    char *rest = (char *)bytes;
    while (status == SY_OK && rest) {
        char *line = rest;
        rest = strchr(line, '\n');
        if (rest) *rest++ = '\0';
        place.line++;
        status = take_line(take, context, line, &place);
    }
    free(bytes);
    return status;
}

sy_status sy_conf_path(char *out, size_t size, const char *name, const char *value,
                       const struct sy_conf_place *place)
{
    const char *slash = strrchr(place->path, '/');
    int folder = slash && value[0] != '/' && value[0] ? (int)(slash - place->path + 1) : 0;
    int written = snprintf(out, size, "%.*s%s", folder, place->path, value);
    if (written >= 0 && (size_t)written < size) return SY_OK;
    return sy_fail(place->err, SY_ERR_ARGUMENT, "%s:%u: the path of %s is longer than %zu bytes",
                   place->path, place->line, name, size - 1);
}

size_t sy_conf_words(char **words, size_t most, char *value)
{
    size_t count = 0;
    char *rest = value;
    for (char *word; (word = strtok_r(rest, " \t", &rest)) != NULL; words[count++] = word) {
        if (count == most) return most + 1;
    }
    return count;
}
