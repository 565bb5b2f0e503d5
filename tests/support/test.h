/* test.h: what every cmocka test starts with.
 *
 *     CASE(ring_refuses_when_full) { ... }          the name is the fact
 *     int main(void) { const struct CMUnitTest cases[] = {cmocka_unit_test(...)}; ... }
 *
 * Random tests draw from test_seed, so that a failure can be run again. */
#ifndef SY_TESTS_SUPPORT_TEST_H
#define SY_TESTS_SUPPORT_TEST_H

// cmocka.h needs the four headers before it.
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <stdbool.h>

#include "tests/support/sanitized.h"

#define CASE(name) static void name(__attribute__((unused)) void **state)

/* test_seed returns SYSTOLE_TEST_SEED if it is set, else a random number, and prints it. */
uint64_t test_seed(void);

/* test_folder makes a fresh empty folder under SYSTOLE_SCRATCH (or /tmp) and writes its path,
 * which is below 200 bytes, into out. Remove it with sy_os_remove_tree. */
void test_folder(char *out, size_t out_size, const char *name);

/* test_sleep_ms pauses: between two looks at something that is waited for. */
void test_sleep_ms(unsigned ms);

/* assert_aborts runs action(context) in a child process and fails unless it ends by SIGABRT, as an
 * assertion does. The child's stderr is dropped. */
void assert_aborts(void (*action)(void *context), void *context);

/* test_child runs action(context) in a child process and returns its wait status. */
int test_child(void (*action)(void *context), void *context);

#endif
