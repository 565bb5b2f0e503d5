/* assert.h: SY_ASSERT, on in every build, for what only our own bug could break.
 *
 * No assertion may be reachable from the wire: drop what the network may do to us first, assert
 * afterwards. The condition is evaluated in every build, so it may not be compiled out, and it
 * must have no side effects all the same. */
#ifndef SY_BASE_ASSERT_H
#define SY_BASE_ASSERT_H

#ifdef __cplusplus
extern "C" {
#endif

/* sy_panic prints file, line and condition to stderr in one write and aborts. */
__attribute__((noreturn, cold)) void sy_panic(const char *file, int line, const char *condition);

// An expression, so it nests in any if and else.
#define SY_ASSERT(cond) ((cond) ? (void)0 : sy_panic(__FILE__, __LINE__, #cond))

/* SY_UNREACHABLE stands where only our own bug can lead, and says why in a few words. */
#define SY_UNREACHABLE(why) sy_panic(__FILE__, __LINE__, why)

#ifdef __cplusplus
}
#endif
#endif
