/* salt_scan.h: is a salt left anywhere? Not the salt that somebody remembers: every 32 bytes in a
 * row, and every 64 hex digits, of every file are tried as the salt of a commitment to known
 * content. So it finds a salt wherever it lies, free pages and logs included, and under any name.
 */
#ifndef SY_TESTS_SUPPORT_SALT_SCAN_H
#define SY_TESTS_SUPPORT_SALT_SCAN_H

#include "core/base/bytes.h"

struct salt_scan {
    struct sy_hash commit;   /* made of content, form raw */
    struct sy_slice content; /* borrowed */
    unsigned found;          /* places */
    uint64_t bytes;          /* looked at */
    char where[300];         /* of the first place: "PATH at OFFSET, raw" */
};

/* salt_scan_path looks through a file, or all files of a folder and the folders in it. False:
 * something could not be read. */
bool salt_scan_path(struct salt_scan *scan, const char *path);

#endif
