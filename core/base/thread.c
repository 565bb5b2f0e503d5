#include "core/base/thread.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"

sy_status sy_thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *context,
                          struct sy_error *err)
{
    // The new thread inherits the mask, so it is set around the call.
    sigset_t all, before;
    int failed = sigfillset(&all);
    failed |= pthread_sigmask(SIG_SETMASK, &all, &before);
    SY_ASSERT(!failed);
    int reason = pthread_create(thread, NULL, run, context);
    failed = pthread_sigmask(SIG_SETMASK, &before, NULL);
    SY_ASSERT(!failed);
    if (reason) {
        return sy_fail(err, SY_ERR_NO_MEMORY,
                       "cannot start the thread %s: %s; raise the limit on "
                       "processes (ulimit -u) or free memory",
                       name, strerror(reason));
    }
    char short_name[16];
    snprintf(short_name, sizeof short_name, "%.15s", name);
    // A thread without its name works all the same.
    (void)pthread_setname_np(*thread, short_name);
    return SY_OK;
}

void sy_thread_join(pthread_t thread)
{
    int failed = pthread_join(thread, NULL);
    SY_ASSERT(!failed);
}
