#include "core/base/ring.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "core/base/assert.h"

/* A mutex and two conditions: rings carry batches of work, not single bytes, so the lock is far
 * from being the bottleneck. The eventfd counts to one: it is written when the ring stops being
 * empty and read when it becomes empty, both under the lock, so it can neither lag nor overflow.
 * Those are two system calls for an item, so it is left alone until somebody asks for it. */
struct sy_ring {
    pthread_mutex_t mutex;
    pthread_cond_t not_empty;
    pthread_cond_t not_full;
    uint8_t *items;
    size_t capacity;
    size_t item_bytes;
    size_t head; /* index of the oldest item */
    size_t count;
    int event_fd;
    bool watched; /* somebody has asked for event_fd */
    bool stopped;
};

static void lock_ring(sy_ring *ring)
{
    int failed = pthread_mutex_lock(&ring->mutex);
    SY_ASSERT(!failed);
}

static void unlock_ring(sy_ring *ring)
{
    int failed = pthread_mutex_unlock(&ring->mutex);
    SY_ASSERT(!failed);
}

static void signal_fd(sy_ring *ring)
{
    int failed = eventfd_write(ring->event_fd, 1);
    SY_ASSERT(!failed);
}

static void clear_fd(sy_ring *ring)
{
    eventfd_t drained;
    int failed = eventfd_read(ring->event_fd, &drained);
    SY_ASSERT(!failed);
}

sy_status sy_ring_open(sy_ring **out, sy_arena *arena, size_t capacity, size_t item_bytes)
{
    *out = NULL;
    if (capacity == 0 || item_bytes == 0) return SY_ERR_ARGUMENT;
    sy_ring *ring = SY_CARVE(arena, sy_ring, 1);
    if (!ring) return SY_ERR_NO_MEMORY;
    ring->items = (uint8_t *)sy_arena_carve(arena, capacity, item_bytes);
    if (!ring->items) return SY_ERR_NO_MEMORY;
    ring->capacity = capacity;
    ring->item_bytes = item_bytes;
    ring->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (ring->event_fd < 0) return SY_ERR_IO;
    // Waiting is measured on the clock that never jumps.
    pthread_condattr_t attributes;
    int failed = pthread_condattr_init(&attributes);
    failed |= pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    failed |= pthread_mutex_init(&ring->mutex, NULL);
    failed |= pthread_cond_init(&ring->not_empty, &attributes);
    failed |= pthread_cond_init(&ring->not_full, &attributes);
    failed |= pthread_condattr_destroy(&attributes);
    SY_ASSERT(!failed);
    *out = ring;
    return SY_OK;
}

void sy_ring_close(sy_ring *ring)
{
    if (!ring) return;
    int failed = pthread_cond_destroy(&ring->not_full);
    failed |= pthread_cond_destroy(&ring->not_empty);
    failed |= pthread_mutex_destroy(&ring->mutex);
    SY_ASSERT(!failed);
    close(ring->event_fd);
    ring->event_fd = -1;
}

// Under the lock, with room.
static void put_item(sy_ring *ring, const void *item)
{
    SY_ASSERT(ring->count < ring->capacity);
    size_t tail = ring->head + ring->count;
    if (tail >= ring->capacity) tail -= ring->capacity;
    memcpy(ring->items + tail * ring->item_bytes, item, ring->item_bytes);
    if (ring->count++ == 0 && ring->watched) signal_fd(ring);
}

// Without the lock, so that whoever wakes up finds it free.
static void wake_one(pthread_cond_t *waiting)
{
    int failed = pthread_cond_signal(waiting);
    SY_ASSERT(!failed);
}

// Under the lock, with an item.
static void take_item(sy_ring *ring, void *item)
{
    SY_ASSERT(ring->count > 0);
    memcpy(item, ring->items + ring->head * ring->item_bytes, ring->item_bytes);
    if (++ring->head == ring->capacity) ring->head = 0;
    if (--ring->count == 0 && ring->watched && !ring->stopped) clear_fd(ring);
}

bool sy_ring_push(sy_ring *ring, const void *item)
{
    lock_ring(ring);
    bool fits = !ring->stopped && ring->count < ring->capacity;
    if (fits) put_item(ring, item);
    unlock_ring(ring);
    if (fits) wake_one(&ring->not_empty);
    return fits;
}

bool sy_ring_push_wait(sy_ring *ring, const void *item)
{
    lock_ring(ring);
    while (!ring->stopped && ring->count == ring->capacity) {
        int failed = pthread_cond_wait(&ring->not_full, &ring->mutex);
        SY_ASSERT(!failed);
    }
    bool open = !ring->stopped;
    if (open) put_item(ring, item);
    unlock_ring(ring);
    if (open) wake_one(&ring->not_empty);
    return open;
}

bool sy_ring_pop(sy_ring *ring, void *item)
{
    lock_ring(ring);
    bool found = ring->count > 0;
    if (found) take_item(ring, item);
    unlock_ring(ring);
    if (found) wake_one(&ring->not_full);
    return found;
}

static struct timespec deadline_after(int timeout_ms)
{
    struct timespec deadline;
    int failed = clock_gettime(CLOCK_MONOTONIC, &deadline);
    SY_ASSERT(!failed);
    deadline.tv_sec += timeout_ms / 1000;
    deadline.tv_nsec += timeout_ms % 1000 * 1000000L;
    if (deadline.tv_nsec >= 1000000000L) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000000000L;
    }
    return deadline;
}

bool sy_ring_pop_wait(sy_ring *ring, void *item, int timeout_ms)
{
    struct timespec deadline = deadline_after(timeout_ms > 0 ? timeout_ms : 0);
    lock_ring(ring);
    int reason = 0;
    while (!ring->stopped && ring->count == 0 && reason != ETIMEDOUT) {
        reason = timeout_ms < 0 ? pthread_cond_wait(&ring->not_empty, &ring->mutex)
                                : pthread_cond_timedwait(&ring->not_empty, &ring->mutex, &deadline);
        SY_ASSERT(reason == 0 || reason == ETIMEDOUT);
    }
    bool found = ring->count > 0;
    if (found) take_item(ring, item);
    unlock_ring(ring);
    if (found) wake_one(&ring->not_full);
    return found;
}

void sy_ring_stop(sy_ring *ring)
{
    lock_ring(ring);
    if (!ring->stopped) {
        ring->stopped = true;
        signal_fd(ring);
        int failed = pthread_cond_broadcast(&ring->not_empty);
        failed |= pthread_cond_broadcast(&ring->not_full);
        SY_ASSERT(!failed);
    }
    unlock_ring(ring);
}

int sy_ring_fd(sy_ring *ring)
{
    lock_ring(ring);
    // A ring that was stopped has written it, and for good.
    if (!ring->watched && ring->count > 0 && !ring->stopped) signal_fd(ring);
    ring->watched = true;
    unlock_ring(ring);
    return ring->event_fd;
}

size_t sy_ring_count(sy_ring *ring)
{
    lock_ring(ring);
    size_t count = ring->count;
    unlock_ring(ring);
    return count;
}
