/* cavp.h: the message tests of NIST's Cryptographic Algorithm Validation Program for SHA-2. */
#ifndef SY_TESTS_SUPPORT_CAVP_H
#define SY_TESTS_SUPPORT_CAVP_H

#include "core/base/bytes.h"

/* cavp_read gives take every group "Len, Msg, MD" of a member of nist-cavp-sha2.tar.xz, the answer
 * in hex; both are gone when take returns. Returns how many there were. Skips the test when the
 * vectors are not there (vectors.h). */
size_t cavp_read(const char *member,
                 void (*take)(void *context, struct sy_slice message, const char *answer),
                 void *context);

/* cavp_field returns the value after "name = " without its line end, or NULL when the line says
 * something else. It lies in the line. */
char *cavp_field(char *line, const char *name);

#endif
