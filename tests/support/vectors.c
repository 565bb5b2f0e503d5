#include "tests/support/vectors.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/test.h"

static bool ends_in(const char *text, const char *end)
{
    size_t size = strlen(text);
    size_t end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

static void find_vectors(char *out, size_t out_size, const char *file)
{
    const char *shared = getenv("SYSTOLE_SHARED");
    const char *source = getenv("SYSTOLE_SOURCE");
    int length;
    if (shared) {
        length = snprintf(out, out_size, "%s/vectors/%s", shared, file);
    } else {
        length = snprintf(out, out_size, "%s/../shared/vectors/%s", source ? source : ".", file);
    }
    assert_true(length > 0 && (size_t)length < out_size);
    assert_null(strchr(out, '\'')); // It is quoted for the shell below.
}

static bool piped; // the one open stream comes from a command

FILE *vectors_open(const char *file, const char *member)
{
    char path[1024];
    char command[1200];
    find_vectors(path, sizeof path, file);
    if (access(path, R_OK) != 0) {
        printf("skipped: no vectors (%s)\n", path);
        return NULL;
    }
    piped = ends_in(file, ".xz");
    if (!piped) return fopen(path, "r");
    if (system("command -v xz >/dev/null") != 0) {
        printf("skipped: xz is not installed (%s)\n", path);
        return NULL;
    }
    if (member) {
        (void)snprintf(command, sizeof command, "tar -xJOf '%s' '%s'", path, member);
    } else {
        (void)snprintf(command, sizeof command, "xz -dc '%s'", path);
    }
    return popen(command, "r");
}

void vectors_close(FILE *stream)
{
    assert_int_equal(piped ? pclose(stream) : fclose(stream), 0);
}
