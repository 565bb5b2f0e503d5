/* sanitized.h: whether a sanitizer is compiled in. */
#ifndef SY_TESTS_SUPPORT_SANITIZED_H
#define SY_TESTS_SUPPORT_SANITIZED_H

/* Whether a sanitizer is compiled in, which makes a step two to ten times as slow: what is tried by
 * the thousand is then tried by the hundred. What needs its whole number is tried without one. */
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||       \
    __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || \
    __has_feature(thread_sanitizer)
enum { TEST_SANITIZED = 1 };
#else
enum { TEST_SANITIZED = 0 };
#endif

#endif
