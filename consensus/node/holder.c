#include "consensus/node/holder.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/base/arena.h"
#include "core/base/assert.h"
#include "core/base/ring.h"
#include "core/base/telemetry.h"
#include "core/base/thread.h"

#define QUESTIONS 64u
#define TOPS 2u /* the one whose state is held, and the one whose state is being merged */

struct question {
    uint16_t peer;
    uint64_t height;
    struct sy_hash key;
};

struct held_top {
    uint64_t height; /* 0: none */
    struct sy_snapshot_top top;
};

struct sy_holder {
    sy_store *store;
    sy_store_reader *reader;
    sy_holder_send send;
    void *self;
    sy_arena arena;
    sy_ring *questions;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* tops */
    struct held_top tops[TOPS];
    unsigned hint;
    uint64_t scanned; /* the height that is scanned */
    struct sy_sync_message message;
    uint8_t *room;
    uint8_t *frame;
};

static sy_status held_scan(void *self, const struct sy_hash *prefix, unsigned bits,
                           sy_state_visit visit, void *user)
{
    sy_holder *holder = (sy_holder *)self;
    return sy_snapshot_scan(holder->store, holder->scanned, prefix, bits, visit, user);
}

static void lock_tops(sy_holder *holder)
{
    int failed = pthread_mutex_lock(&holder->lock);
    SY_ASSERT(!failed);
}

static void unlock_tops(sy_holder *holder)
{
    int failed = pthread_mutex_unlock(&holder->lock);
    SY_ASSERT(!failed);
}

void sy_holder_put_top(sy_holder *holder, uint64_t height, struct sy_snapshot_top *top)
{
    lock_tops(holder);
    sy_snapshot_top_free(&holder->tops[0].top);
    holder->tops[0] = holder->tops[1];
    holder->tops[1] = (struct held_top){height, *top};
    unlock_tops(holder);
    *top = (struct sy_snapshot_top){.hashes = NULL};
}

/* ---- one answer --------------------------------------------------------------------------- */

static bool load_certified(sy_holder *holder, uint64_t height)
{
    struct sy_slice part;
    struct sy_sync_message *message = &holder->message;
    if (sy_ledger_get(holder->reader, &part, height, SY_BLOCK_HEADER) != SY_OK) return false;
    struct sy_reader r = sy_reader_of(part);
    if (!sy_header_decode(&r, &message->header)) return false;
    if (sy_ledger_get(holder->reader, &part, height, SY_BLOCK_CERTIFICATE) != SY_OK) return false;
    r = sy_reader_of(part);
    return sy_certificate_decode(&r, &message->certificate, SY_ROSTER_UNKNOWN);
}

/* Cuts the chunk, under the lock of the tops: who puts one waits for no longer than a chunk takes.
 */
static bool cut_chunk(sy_holder *holder, uint64_t height, const struct sy_hash *key)
{
    struct sy_state_source source = {holder, NULL, held_scan};
    bool made = false;
    holder->scanned = height;
    lock_tops(holder);
    for (unsigned i = 0; i < TOPS && !made; i++) {
        if (holder->tops[i].height != height) continue;
        made = sy_chunk_make(&holder->message.chunk, holder->room, &holder->hint,
                             &holder->tops[i].top, &source, key) == SY_OK;
    }
    unlock_tops(holder);
    return made;
}

static void answer(sy_holder *holder, const struct question *question)
{
    uint64_t held = sy_snapshot_height(holder->store);
    struct sy_sync_message *message = &holder->message;
    bool wanted = held > 0 && (question->height == 0 || question->height == held);
    bool made = wanted && load_certified(holder, held) && cut_chunk(holder, held, &question->key);
    message->type = made ? SY_SYNC_SNAPSHOT : SY_SYNC_SNAPSHOT_NONE;
    // What is held but cannot be cut (its top went with a restart) is as good as nothing.
    message->height = wanted ? 0 : held;
    struct sy_writer w = sy_writer_of(holder->frame, SY_FRAME_BYTES_MAX);
    sy_sync_encode(&w, message);
    if (!w.failed) holder->send(holder->self, question->peer, sy_writer_slice(&w));
}

static void *run(void *self)
{
    sy_holder *holder = (sy_holder *)self;
    struct question question;
    while (sy_ring_pop_wait(holder->questions, &question, -1)) answer(holder, &question);
    return NULL;
}

/* ---- life --------------------------------------------------------------------------------- */

static sy_status open_parts(sy_holder *holder, struct sy_error *err)
{
    size_t bytes = SY_CHUNK_ENTRIES_BYTES_MAX + SY_FRAME_BYTES_MAX +
                   QUESTIONS * sizeof(struct question) + (1u << 16);
    SY_TRY(sy_store_reader_open(&holder->reader, holder->store));
    SY_TRY(sy_arena_open(&holder->arena, bytes));
    SY_TRY(sy_ring_open(&holder->questions, &holder->arena, QUESTIONS, sizeof(struct question)));
    holder->room = SY_CARVE(&holder->arena, uint8_t, SY_CHUNK_ENTRIES_BYTES_MAX);
    holder->frame = SY_CARVE(&holder->arena, uint8_t, SY_FRAME_BYTES_MAX);
    if (holder->room == NULL || holder->frame == NULL) return SY_ERR_NO_MEMORY;
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
    holder->store = store;
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
    for (unsigned i = 0; i < TOPS; i++) sy_snapshot_top_free(&holder->tops[i].top);
    sy_store_reader_close(holder->reader);
    sy_arena_close(&holder->arena);
    pthread_mutex_destroy(&holder->lock);
    free(holder);
}

bool sy_holder_ask(sy_holder *holder, uint16_t peer, uint64_t height, const struct sy_hash *key)
{
    struct question question = {peer, height, *key};
    return sy_ring_push(holder->questions, &question);
}
