#include "core/base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void sy_panic(const char *file, int line, const char *condition)
{
    char text[512];
    int length =
        snprintf(text, sizeof text, "%s:%d: assertion failed: %s\n", file, line, condition);
    if (length > 0) {
        size_t size = (size_t)length < sizeof text ? (size_t)length : sizeof text - 1;
        // There is nothing to do about a failing write on the way to abort.
        if (write(STDERR_FILENO, text, size) < 0) abort();
    }
    abort();
}
