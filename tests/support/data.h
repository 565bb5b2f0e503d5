/* data.h: the public data sets that some tests compare with when they are there. */
#ifndef SY_TESTS_SUPPORT_DATA_H
#define SY_TESTS_SUPPORT_DATA_H

#include <stdbool.h>
#include <stddef.h>

/* test_data finds the folder of the data sets and writes the path of `part` inside it into out:
 * SYSTOLE_DATA names the folder; without it, a program shared/data/unpack beside the checkout lays
 * it out and prints where. False, after a line "skipped: no data": there is neither. */
bool test_data(char *out, size_t out_size, const char *part);

#endif
