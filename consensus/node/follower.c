#include "consensus/node/follower.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/assert.h"
#include "core/base/telemetry.h"
#include "core/base/thread.h"

struct sy_follower {
    struct sy_follower_config config;
    pthread_t thread;
    bool started;
    atomic_bool stopping;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool failing; /* the log has it */
};

/* The next block that is to come; false: it is not certified yet. */
static bool next_block(const struct sy_follower *follower, uint64_t *height)
{
    uint64_t pruned = sy_ledger_pruned(follower->config.store);
    *height = follower->config.next(follower->config.self);
    if (*height < pruned) *height = pruned;
    return *height <= sy_ledger_certified(follower->config.store);
}

static sy_status follow_one(struct sy_follower *follower, uint64_t height)
{
    struct sy_error err = {SY_OK, ""};
    uint64_t certified = sy_ledger_certified(follower->config.store);
    sy_status status = follower->config.take(follower->config.self, height, certified, &err);
    if (status == SY_ERR_PRUNED) return SY_OK; /* overtaken: the next one is another */
    if (status != SY_OK && !follower->failing) {
        SY_LOG(SY_LOG_ERROR, follower->config.name, "not_indexed", SY_F_U64("height", height),
               SY_F_TEXT("status", sy_status_name(status)), SY_F_TEXT("why", err.text));
    }
    follower->failing = status != SY_OK;
    return status;
}

/* Waits for the wake, or a second: a wake that comes just before is not missed for long. */
static void rest(struct sy_follower *follower, bool until_woken)
{
    struct timespec until;
    uint64_t height;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec++;
    int failed = pthread_mutex_lock(&follower->lock);
    bool idle = !until_woken || !next_block(follower, &height);
    if (idle && !atomic_load(&follower->stopping)) {
        (void)pthread_cond_timedwait(&follower->wake, &follower->lock, &until);
    }
    failed |= pthread_mutex_unlock(&follower->lock);
    SY_ASSERT(!failed);
}

static void *follow(void *self)
{
    struct sy_follower *follower = (struct sy_follower *)self;
    while (!atomic_load(&follower->stopping)) {
        uint64_t height;
        if (!next_block(follower, &height)) {
            rest(follower, true);
        } else if (follow_one(follower, height) != SY_OK) {
            rest(follower, false);
        }
    }
    return NULL;
}

sy_status sy_follower_open(sy_follower **out, const struct sy_follower_config *config,
                           struct sy_error *err)
{
    struct sy_follower *follower = (struct sy_follower *)calloc(1, sizeof *follower);
    char name[16];
    if (follower == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "%s: no memory", config->name);
    follower->config = *config;
    int failed = pthread_mutex_init(&follower->lock, NULL);
    failed |= pthread_cond_init(&follower->wake, NULL);
    SY_ASSERT(!failed);
    (void)snprintf(name, sizeof name, "sy-%s", config->name);
    sy_status status = sy_thread_start(&follower->thread, name, follow, follower, err);
    follower->started = status == SY_OK;
    if (status == SY_OK) {
        *out = follower;
    } else {
        sy_follower_close(follower);
    }
    return status;
}

void sy_follower_wake(sy_follower *follower)
{
    int failed = pthread_mutex_lock(&follower->lock);
    failed |= pthread_cond_signal(&follower->wake);
    failed |= pthread_mutex_unlock(&follower->lock);
    SY_ASSERT(!failed);
}

void sy_follower_close(sy_follower *follower)
{
    if (follower == NULL) return;
    atomic_store(&follower->stopping, true);
    sy_follower_wake(follower);
    if (follower->started) sy_thread_join(follower->thread);
    int failed = pthread_cond_destroy(&follower->wake);
    failed |= pthread_mutex_destroy(&follower->lock);
    SY_ASSERT(!failed);
    free(follower);
}
