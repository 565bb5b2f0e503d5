/* cutter.h: what a validator answers to SNAPSHOT_FETCH: a chunk of the state that its store holds,
 * under its header and certificate, or that it holds none. It starts no thread: holder.h lends it
 * one, the simulator has one only. One call at a time. */
#ifndef SY_NODE_CUTTER_H
#define SY_NODE_CUTTER_H

#include "core/ledger/snapshot.h"
#include "core/store/store.h"
#include "core/wire/sync.h"

/* Tops that are kept: that of the state which is held, and of the one which is being merged. */
#define SY_CUTTER_TOPS 2u

struct sy_cutter_top {
    uint64_t height; /* 0: none */
    struct sy_snapshot_top top;
};

/* Zero it, then set the upper part; all of it is borrowed. */
struct sy_cutter {
    sy_store *store;
    sy_store_reader *reader; /* of that store, nobody else's */
    uint8_t *room;           /* SY_CHUNK_ENTRIES_BYTES_MAX, for a chunk's entries */
    uint8_t *frame;          /* SY_FRAME_BYTES_MAX, for the answer */

    struct sy_cutter_top tops[SY_CUTTER_TOPS];
    unsigned hint;
    uint64_t scanned; /* the height that is scanned */
    struct sy_sync_message message;
};

/* sy_cutter_put_top keeps the trie's top after the block at height, and takes its memory over. */
void sy_cutter_put_top(struct sy_cutter *cutter, uint64_t height, struct sy_snapshot_top *top);

/* sy_cutter_forget frees the tops. */
void sy_cutter_forget(struct sy_cutter *cutter);

/* sy_cutter_answer makes the answer to a question for the chunk of height's state (0: whichever is
 * held) that holds key: a SNAPSHOT, or a SNAPSHOT_NONE. It lies in frame until the next call. */
struct sy_slice sy_cutter_answer(struct sy_cutter *cutter, uint64_t height,
                                 const struct sy_hash *key);

#endif
