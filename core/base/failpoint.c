/* The failpoints of os.h. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/os.h"

enum action { KILL, EIO_ONCE, ENOSPC_ONCE };

static struct {
    pthread_mutex_t mutex;
    char name[64];
    uint64_t nth;
    uint64_t matches; /* calls at `name` since the arm */
    enum action action;
    bool persists; /* the action ended in + */
} armed = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static atomic_bool is_armed;
static atomic_uint_fast64_t calls;

static bool parse_action(enum action *action, bool *persists, const char *text)
{
    static const char *const names[] = {
        [KILL] = "kill", [EIO_ONCE] = "eio", [ENOSPC_ONCE] = "enospc"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t length = strlen(names[i]);
        if (strncmp(text, names[i], length) != 0) continue;
        *action = (enum action)i;
        *persists = text[length] == '+';
        return text[length + (*persists ? 1 : 0)] == '\0';
    }
    return false;
}

static bool arm(const char *name, uint64_t nth, const char *action)
{
    enum action parsed;
    bool persists;
    if (!parse_action(&parsed, &persists, action)) return false;
    if (strlen(name) >= sizeof armed.name || name[0] == '\0') return false;
    int failed = pthread_mutex_lock(&armed.mutex);
    SY_ASSERT(!failed);
    memcpy(armed.name, name, strlen(name) + 1);
    armed.nth = nth;
    armed.matches = 0;
    armed.action = parsed;
    armed.persists = persists;
    atomic_store(&calls, 0);
    atomic_store(&is_armed, true);
    failed = pthread_mutex_unlock(&armed.mutex);
    SY_ASSERT(!failed);
    return true;
}

void sy_os_failpoint_arm(const char *name, uint64_t nth, const char *action)
{
    if (!name) {
        atomic_store(&is_armed, false);
        atomic_store(&calls, 0);
        return;
    }
    bool known = arm(name, nth, action);
    SY_ASSERT(known);
}

uint64_t sy_os_failpoint_calls(void)
{
    return atomic_load(&calls);
}

static sy_status act(enum action action)
{
    switch (action) {
    case KILL:
        // SIGKILL cannot be caught: no handler and no exit function runs, as after a power cut.
        (void)kill(getpid(), SIGKILL);
        for (;;) pause();
    case EIO_ONCE: return SY_ERR_IO;
    case ENOSPC_ONCE: return SY_ERR_DISK_FULL;
    }
    SY_UNREACHABLE("an action is one of three");
}

static sy_status check_armed(const char *name)
{
    atomic_fetch_add(&calls, 1);
    int failed = pthread_mutex_lock(&armed.mutex);
    SY_ASSERT(!failed);
    bool fires = false;
    enum action action = armed.action;
    if (strcmp(armed.name, "*") == 0 || strcmp(armed.name, name) == 0) {
        armed.matches++;
        fires = armed.nth > 0 &&
                (armed.persists ? armed.matches >= armed.nth : armed.matches == armed.nth);
    }
    failed = pthread_mutex_unlock(&armed.mutex);
    SY_ASSERT(!failed);
    return fires ? act(action) : SY_OK;
}

sy_status sy_os_failpoint(const char *name)
{
    if (!atomic_load_explicit(&is_armed, memory_order_relaxed)) return SY_OK;
    return check_armed(name);
}

// Reads SYSTOLE_FAILPOINT=name:N:action before main.
__attribute__((constructor)) static void arm_from_environment(void)
{
    const char *text = getenv("SYSTOLE_FAILPOINT");
    if (!text || !*text) return;
    char copy[128];
    uint64_t nth;
    if (strlen(text) < sizeof copy) {
        memcpy(copy, text, strlen(text) + 1);
        char *count = strchr(copy, ':');
        char *action = count ? strchr(count + 1, ':') : NULL;
        if (action) {
            *count++ = '\0';
            *action++ = '\0';
            if (sy_parse_u64(&nth, count, 0, UINT64_MAX) && arm(copy, nth, action)) return;
        }
    }
    fprintf(stderr,
            "SYSTOLE_FAILPOINT=%s: expected name:N:action with action kill, eio or enospc "
            "(and + for every later call too)\n",
            text);
    _exit(2);
}
