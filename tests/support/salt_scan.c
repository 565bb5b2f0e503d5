/* salt_scan.c: see salt_scan.h. */
#include "tests/support/salt_scan.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/os.h"
#include "core/client/client_store.h"
#include "core/wire/schema.h"

#define FILE_BYTES_MAX ((size_t)4 << 30)

static void try_salt(struct salt_scan *scan, const uint8_t bytes[32], const char *path,
                     size_t offset, const char *how)
{
    static const struct sy_hash zeros;
    struct sy_hash salt, commit;
    memcpy(salt.bytes, bytes, sizeof salt.bytes);
    if (sy_hash_equal(&salt, &zeros)) return; // no salt, and most of a database
    sy_content_commit(&commit, SY_FORM_RAW, &salt, scan->content);
    if (!sy_hash_equal(&commit, &scan->commit)) return;
    if (scan->found++ == 0) {
        (void)snprintf(scan->where, sizeof scan->where, "%.240s at %zu, %s", path, offset, how);
    }
}

static void scan_bytes(struct salt_scan *scan, const uint8_t *bytes, size_t size, const char *path)
{
    size_t digits = 0; // hex digits in a row that end here
    scan->bytes += size;
    for (size_t i = 0; i < size; i++) {
        uint8_t decoded[32];
        bool digit = bytes[i] != '\0' && strchr("0123456789abcdefABCDEF", bytes[i]) != NULL;
        digits = digit ? digits + 1 : 0;
        if (i >= 31) try_salt(scan, bytes + i - 31, path, i - 31, "raw");
        if (digits < 64) continue;
        char text[65];
        memcpy(text, bytes + i - 63, 64);
        text[64] = '\0';
        if (sy_hex_decode(decoded, sizeof decoded, text)) {
            try_salt(scan, decoded, path, i - 63, "hex");
        }
    }
}

static bool scan_file(struct salt_scan *scan, const char *path)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    if (sy_os_read_file(&bytes, &size, path, FILE_BYTES_MAX, NULL) != SY_OK) return false;
    scan_bytes(scan, bytes, size, path);
    free(bytes);
    return true;
}

bool salt_scan_path(struct salt_scan *scan, const char *path)
{
    struct stat about;
    if (lstat(path, &about) != 0) return false;
    if (S_ISREG(about.st_mode)) return scan_file(scan, path);
    if (!S_ISDIR(about.st_mode)) return true;
    DIR *folder = opendir(path);
    bool good = folder != NULL;
    for (const struct dirent *entry; good && (entry = readdir(folder)) != NULL;) {
        char inner[4096];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        int size = snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        good = size > 0 && (size_t)size < sizeof inner && salt_scan_path(scan, inner);
    }
    if (folder != NULL) closedir(folder);
    return good;
}
