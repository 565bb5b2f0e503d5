#include "tests/support/cavp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/test.h"
#include "tests/support/vectors.h"

char *cavp_field(char *line, const char *name)
{
    size_t size = strlen(name);
    if (strncmp(line, name, size) != 0 || strncmp(line + size, " = ", 3) != 0) return NULL;
    char *value = line + size + 3;
    value[strcspn(value, "\r\n")] = '\0';
    return value;
}

size_t cavp_read(const char *member,
                 void (*take)(void *context, struct sy_slice message, const char *answer),
                 void *context)
{
    FILE *stream = vectors_open("nist-cavp-sha2.tar.xz", member);
    if (!stream) skip();
    char *line = NULL, *value;
    size_t room = 0, size = 0, groups = 0;
    uint8_t *message = NULL;
    while (getline(&line, &room, stream) > 0) {
        if ((value = cavp_field(line, "Len"))) {
            size = strtoul(value, NULL, 10) / 8;
        } else if ((value = cavp_field(line, "Msg"))) {
            message = realloc(message, size + 1);
            assert_non_null(message);
            // The empty message is written as one zero byte.
            assert_true(size == 0 || sy_hex_decode(message, size, value));
        } else if ((value = cavp_field(line, "MD"))) {
            take(context, sy_slice_of(message, size), value);
            groups++;
        }
    }
    free(message);
    free(line);
    vectors_close(stream);
    return groups;
}
