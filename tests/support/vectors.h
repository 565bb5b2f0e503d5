/* vectors.h: published test vectors and data that lie beside the checkout, where there are any.
 *
 * They are looked for in the folder that SYSTOLE_SHARED names, else in ../shared beside the
 * checkout. A test that finds none says so and is skipped. */
#ifndef SY_TESTS_SUPPORT_VECTORS_H
#define SY_TESTS_SUPPORT_VECTORS_H

#include <stdio.h>

/* vectors_open returns vectors/<file> as a stream: unpacked if it ends in .xz, one member of it if
 * it ends in .tar.xz (else member is NULL). NULL, after printing "skipped: ...", when the file or
 * the xz program is not there. One stream at a time: close it with vectors_close, which
 * fails the test if unpacking failed; read to the end first. */
FILE *vectors_open(const char *file, const char *member);
void vectors_close(FILE *stream);

#endif
