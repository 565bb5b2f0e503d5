/* ring.h: the bounded queue by which threads share work. Fixed-size items, many producers, many
 * consumers, first in first out; a full ring refuses instead of growing.
 *
 * Every ring owns an eventfd that is readable while items wait, and for good once the
 * ring was stopped, so a consumer can poll() it beside sockets. Items are copied in and out; a
 * pointer inside an item hands its bytes over. */
#ifndef SY_BASE_RING_H
#define SY_BASE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sy_ring sy_ring;

/* sy_ring_open carves a ring for capacity items of item_bytes each and opens its eventfd.
 * Fails for a zero size, for want of room in the arena, or of file descriptors (SY_ERR_IO). */
sy_status sy_ring_open(sy_ring **ring, sy_arena *arena, size_t capacity, size_t item_bytes);

/* sy_ring_close closes the eventfd; nobody may use the ring any more, and whoever has pushed or
 * popped has returned (that its item has arrived does not say so). NULL is fine. */
void sy_ring_close(sy_ring *ring);

/* sy_ring_push copies one item in. False when full or stopped: the item stays the caller's. */
bool sy_ring_push(sy_ring *ring, const void *item);

/* sy_ring_push_wait blocks while the ring is full. False once the ring was stopped. */
bool sy_ring_push_wait(sy_ring *ring, const void *item);

/* sy_ring_pop copies the oldest item out. False when empty. */
bool sy_ring_pop(sy_ring *ring, void *item);

/* sy_ring_pop_wait blocks up to timeout_ms (-1: for ever) for an item. False on time-out, and
 * when the ring is stopped and empty. */
bool sy_ring_pop_wait(sy_ring *ring, void *item, int timeout_ms);

/* sy_ring_stop refuses further pushes and wakes everybody who waits; items inside stay
 * available to pop. */
void sy_ring_stop(sy_ring *ring);

/* sy_ring_fd is the eventfd to poll for reading. Do not read it yourself. From the first call on
 * pushing and popping cost a system call each where the ring turns empty or stops being so. */
int sy_ring_fd(sy_ring *ring);

/* sy_ring_count is how many items wait right now; another thread may change it at once. */
size_t sy_ring_count(sy_ring *ring);

#ifdef __cplusplus
}
#endif
#endif
