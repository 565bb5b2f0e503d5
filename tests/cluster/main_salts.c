/* main_salts.c: systole-salts COMMIT CONTENT PATH...: is the salt of a commitment left anywhere
 * below these paths? CONTENT is a file with exactly the bytes committed to. Says where, and ends
 * with 0 when it is nowhere, 1 when it is somewhere, 2 when that cannot be said. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/os.h"
#include "tests/support/salt_scan.h"

int main(int argc, char **argv)
{
    struct salt_scan scan = {.found = 0};
    struct sy_error err = {SY_OK, ""};
    uint8_t *content = NULL;
    size_t size = 0;
    if (argc < 4 || !sy_hex_decode(scan.commit.bytes, sizeof scan.commit.bytes, argv[1])) {
        fputs("usage: systole-salts COMMIT CONTENT PATH...\n", stderr);
        return 2;
    }
    if (sy_os_read_file(&content, &size, argv[2], 1u << 20, &err) != SY_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    scan.content = sy_slice_of(content, size);
    bool good = true;
    for (int i = 3; i < argc; i++) good = salt_scan_path(&scan, argv[i]) && good;
    free(content);
    printf("%u found in %llu bytes%s%s\n", scan.found, (unsigned long long)scan.bytes,
           scan.found > 0 ? ", the first: " : "", scan.where);
    return !good ? 2 : scan.found > 0 ? 1 : 0;
}
