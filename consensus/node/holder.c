#include "consensus/node/holder.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/assert.h"
#include "core/base/ring.h"
#include "core/base/thread.h"

/* Of one peer: who is new asks one after the other, and one that it gave up may be left. */
#define PEER_QUESTIONS 2u
#define QUESTIONS 256u

_Static_assert(QUESTIONS >= PEER_QUESTIONS * SY_NODE_PEERS_MAX, "every peer finds room");

struct question {
    uint16_t peer;
    uint64_t height;
    struct sy_hash key;
};

struct sy_holder {
    sy_holder_send send;
    void *self;
    sy_arena arena;
    sy_ring *questions;
    atomic_uint waiting[SY_NODE_PEERS_MAX]; /* questions, by peer */
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* cutter */
    struct sy_cutter cutter;
};

static void lock_cutter(sy_holder *holder)
{
    int failed = pthread_mutex_lock(&holder->lock);
    SY_ASSERT(!failed);
}

static void unlock_cutter(sy_holder *holder)
{
    int failed = pthread_mutex_unlock(&holder->lock);
    SY_ASSERT(!failed);
}

void sy_holder_put_top(sy_holder *holder, uint64_t height, struct sy_snapshot_top *top)
{
    lock_cutter(holder);
    sy_cutter_put_top(&holder->cutter, height, top);
    unlock_cutter(holder);
}

void sy_holder_take_tops(sy_holder *holder, struct sy_cutter_top tops[SY_CUTTER_TOPS])
{
    lock_cutter(holder);
    memcpy(tops, holder->cutter.tops, sizeof holder->cutter.tops);
    memset(holder->cutter.tops, 0, sizeof holder->cutter.tops);
    unlock_cutter(holder);
}

/* Who puts a top waits for no longer than a chunk takes. */
static void answer(sy_holder *holder, const struct question *question)
{
    lock_cutter(holder);
    struct sy_slice message = sy_cutter_answer(&holder->cutter, question->height, &question->key);
    unlock_cutter(holder);
    holder->send(holder->self, question->peer, message); // only this thread makes another
}

static void *run(void *self)
{
    sy_holder *holder = (sy_holder *)self;
    struct question question;
    while (sy_ring_pop_wait(holder->questions, &question, -1)) {
        atomic_fetch_sub(&holder->waiting[question.peer], 1);
        answer(holder, &question);
    }
    return NULL;
}

/* ---- life --------------------------------------------------------------------------------- */

static sy_status open_parts(sy_holder *holder, struct sy_error *err)
{
    size_t bytes = SY_CHUNK_ENTRIES_BYTES_MAX + SY_FRAME_BYTES_MAX +
                   QUESTIONS * sizeof(struct question) + (1u << 16);
    struct sy_cutter *cutter = &holder->cutter;
    SY_TRY(sy_store_reader_open(&cutter->reader, cutter->store));
    SY_TRY(sy_arena_open(&holder->arena, bytes));
    SY_TRY(sy_ring_open(&holder->questions, &holder->arena, QUESTIONS, sizeof(struct question)));
    cutter->room = SY_CARVE(&holder->arena, uint8_t, SY_CHUNK_ENTRIES_BYTES_MAX);
    cutter->frame = SY_CARVE(&holder->arena, uint8_t, SY_FRAME_BYTES_MAX);
    if (cutter->room == NULL || cutter->frame == NULL) return SY_ERR_NO_MEMORY;
    SY_TRY(sy_thread_start(&holder->thread, "sy-holder", run, holder, err));
    holder->started = true;
    return SY_OK;
}

sy_status sy_holder_open(sy_holder **out, sy_store *store, sy_holder_send send, void *self,
                         struct sy_error *err)
{
    sy_holder *holder = (sy_holder *)calloc(1, sizeof *holder);
    if (holder == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "snapshot thread: no memory");
    int failed = pthread_mutex_init(&holder->lock, NULL);
    SY_ASSERT(!failed);
    holder->cutter.store = store;
    holder->send = send;
    holder->self = self;
    sy_status status = open_parts(holder, err);
    if (status != SY_OK) {
        sy_holder_close(holder);
        return sy_fail(err, status, "the snapshot thread cannot start (%s)",
                       sy_status_name(status));
    }
    *out = holder;
    return SY_OK;
}

void sy_holder_close(sy_holder *holder)
{
    if (holder == NULL) return;
    if (holder->questions != NULL) sy_ring_stop(holder->questions);
    if (holder->started) sy_thread_join(holder->thread);
    sy_ring_close(holder->questions);
    sy_cutter_forget(&holder->cutter);
    sy_store_reader_close(holder->cutter.reader);
    sy_arena_close(&holder->arena);
    pthread_mutex_destroy(&holder->lock);
    free(holder);
}

bool sy_holder_ask(sy_holder *holder, uint16_t peer, uint64_t height, const struct sy_hash *key)
{
    struct question question = {peer, height, *key};
    if (peer >= SY_NODE_PEERS_MAX) return false; // it is listed no more
    if (atomic_load(&holder->waiting[peer]) >= PEER_QUESTIONS) return false;
    atomic_fetch_add(&holder->waiting[peer], 1);
    bool taken = sy_ring_push(holder->questions, &question);
    SY_ASSERT(taken);
    return true;
}
