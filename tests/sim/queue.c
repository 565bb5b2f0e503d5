/* queue.c: events by time, then by the order in which they were queued: a binary heap. */
#include <stdlib.h>

#include "core/base/assert.h"
#include "tests/sim/sim_internal.h"

static bool before(const struct event *a, const struct event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->number < b->number;
}

static void swap(struct event *a, struct event *b)
{
    struct event held = *a;
    *a = *b;
    *b = held;
}

void queue_put(struct queue *queue, const struct event *event)
{
    if (queue->count == queue->room) {
        queue->room = 2 * queue->room + 256;
        queue->heap = (struct event *)realloc(queue->heap, queue->room * sizeof *queue->heap);
        SY_ASSERT(queue->heap != NULL);
    }
    size_t at = queue->count++;
    queue->heap[at] = *event;
    queue->heap[at].number = queue->numbers++;
    while (at > 0 && before(&queue->heap[at], &queue->heap[(at - 1) / 2])) {
        swap(&queue->heap[at], &queue->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

bool queue_take(struct queue *queue, struct event *event)
{
    if (queue->count == 0) return false;
    *event = queue->heap[0];
    queue->heap[0] = queue->heap[--queue->count];
    size_t at = 0;
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < queue->count; child++) {
            if (before(&queue->heap[child], &queue->heap[least])) least = child;
        }
        if (least == at) return true;
        swap(&queue->heap[at], &queue->heap[least]);
        at = least;
    }
}

void queue_free(struct queue *queue)
{
    for (size_t i = 0; i < queue->count; i++) free(queue->heap[i].bytes);
    free(queue->heap);
}
