/* thread.h: starting named threads.
 *
 * Every thread but main runs with all signals blocked, so that SIGTERM and friends always arrive
 * where the program waits for them, and carries a name that top and debuggers show. */
#ifndef SY_BASE_THREAD_H
#define SY_BASE_THREAD_H

#include <pthread.h>

#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* sy_thread_start runs run(context) in a new thread named name (at most 15 characters count).
 * Whoever starts a thread joins it with sy_thread_join. Fails with SY_ERR_NO_MEMORY when the
 * system has no room for another thread. */
sy_status sy_thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *context,
                          struct sy_error *err);

/* sy_thread_join waits for the thread's end. */
void sy_thread_join(pthread_t thread);

#ifdef __cplusplus
}
#endif
#endif
