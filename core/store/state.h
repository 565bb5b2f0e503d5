/* state.h: the state as both implementations keep it: generations in front of a base.
 *
 *   newest   generation, open: the execution thread adds each block's changes
 *            generation, sealed
 *   oldest   generation, sealed: being merged, whole, in key order, slice by slice
 *   base     the B-tree: everything up to its complete height; while a merge goes on also, for
 *            the keys before the merge's place, everything up to its target height
 *
 * A view pins the generations, THEN opens its snapshot of the base. Pinned generations cover
 * everything above the base's complete height, since a generation goes only after that height is
 * durable; and if the snapshot's target height is above the newest pinned, the base may show
 * changes newer than the view, so the view starts again. That is all that keeps views right; and
 * any later snapshot of which it holds may take the first one's place.
 *
 * The twin has no base: its generations are kept for ever, each as large as it needs to be. So
 * does a store that is open for reading only.
 *
 * Heights here are counts: `next` = number of blocks applied, `complete` = number of blocks whose
 * changes are wholly in the base, `target` likewise for what may be in it.
 *
 * Locks, in the order in which they may be taken: the held state's, the base's gate, a view's lock,
 * the state's. */
#ifndef SY_STORE_STATE_H
#define SY_STORE_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/store/generation.h"
#include "core/store/impl.h"

#define SY_GENERATIONS_MAX 40u

/* An ordered map with snapshots, filled by merges. Every call gets the base and, but for merge,
 * a snapshot handle, which is one thread's at a time. */
struct sy_state_base_ops {
    /* Memory for a handle; it holds nothing until pin. */
    sy_status (*snapshot_make)(void *base, void **snapshot);
    void (*snapshot_free)(void *base, void *snapshot);
    /* Between enter and leave the base's map does not move. */
    void (*enter)(void *base);
    void (*leave)(void *base);
    /* pin takes the snapshot; only between enter and leave. unpin lets it go at any time. */
    sy_status (*pin)(void *base, void *snapshot, uint64_t *complete, uint64_t *target);
    void (*unpin)(void *base, void *snapshot);
    sy_status (*get)(void *base, void *snapshot, struct sy_buffer *value,
                     const struct sy_hash *key);
    /* seek gives the first entry at or above key, next the one after the last given;
     * SY_ERR_NOT_FOUND at the end. */
    sy_status (*seek)(void *base, void *snapshot, struct sy_hash *found, struct sy_buffer *value,
                      const struct sy_hash *key);
    sy_status (*next)(void *base, void *snapshot, struct sy_hash *found, struct sy_buffer *value);
    /* merge writes one slice from where the cursor stands, each key's newest version, in one
     * durable transaction that takes at most about 50 ms, and moves the cursor. With the last
     * key it also makes target complete. */
    sy_status (*merge)(void *base, struct sy_generation_cursor *cursor, uint64_t target,
                       struct sy_error *err);
};

struct sy_state_view {
    struct sy_state *state;
    pthread_mutex_t lock; /* guards what follows: the store may end the view at any time */
    bool used;            /* somebody's */
    bool active;          /* pinned; a used view that is not active was ended */
    bool suspended;       /* active, without its snapshot while the base's map moves */
    uint64_t height;
    uint64_t opened_ns;
    unsigned pinned[SY_GENERATIONS_MAX]; /* newest first */
    unsigned pinned_count;
    void *snapshot;
    struct sy_buffer value; /* the last value given */
    /* The walk. */
    bool walking;
    struct sy_hash prefix;
    unsigned prefix_bits;
    struct sy_generation_cursor cursors[SY_GENERATIONS_MAX]; /* as in pinned */
    bool base_at;   /* the base's walk stands on base_key */
    bool base_lost; /* ... but its place in the snapshot must be found again */
    struct sy_hash base_key;
    struct sy_buffer base_value;
    struct sy_hash key; /* the last key given */
};

struct sy_state {
    sy_store *store;
    const struct sy_state_base_ops *ops; /* NULL: no base */
    void *base;
    bool bounded; /* a merger empties the generations */
    atomic_uint_fast64_t next;
    atomic_uint_fast64_t slices;
    atomic_uint_fast64_t slice_us_max;
    atomic_uint_fast64_t views_ended;
    atomic_uint views_open;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct sy_generation generations[SY_GENERATIONS_MAX];
    unsigned generation_count;         /* slabs that are mapped */
    unsigned live[SY_GENERATIONS_MAX]; /* oldest first */
    unsigned live_count;
    uint64_t complete;
    sy_status merger_status; /* why the merger rests */
    bool stopping;
    bool has_merger;
    pthread_t merger;

    struct sy_state_view *views; /* view_count_max, then the held state's, the execution thread's */
    unsigned view_count;
    pthread_mutex_t held_lock; /* the held state stays the same one; before any other lock */
};

/* sy_state_open makes the state of a store whose base holds `complete` blocks. ops NULL: no base.
 * bounded: sy_state_start will be called. */
sy_status sy_state_open(struct sy_state **state, sy_store *store,
                        const struct sy_state_base_ops *ops, void *base, uint64_t complete,
                        bool bounded, struct sy_error *err);
/* sy_state_start starts the merger. */
sy_status sy_state_start(struct sy_state *state, struct sy_error *err);
/* sy_state_close ends the merger. Views must be closed (asserted). NULL is fine. */
void sy_state_close(struct sy_state *state);

/* sy_state_replay applies the ledger's blocks from the state's next up to the ledger's. */
sy_status sy_state_replay(struct sy_state *state, struct sy_error *err);

/* sy_state_complete is the number of blocks that no restart replays. */
uint64_t sy_state_complete(struct sy_state *state);

void sy_state_on_append(struct sy_state *state); /* blocks became durable */
void sy_state_resume(struct sy_state *state);    /* there may be room on the device again */
void sy_state_stats(struct sy_state *state, struct sy_store_stats *stats);

/* sy_state_end_views ends views older than age_ns. */
void sy_state_end_views(struct sy_state *state, uint64_t age_ns);

/* The base calls suspend, inside its closed gate, before its map moves, and continue afterwards.
 * A view goes on with a newer snapshot if that shows nothing newer than the view; else it is
 * ended. */
void sy_state_suspend_views(struct sy_state *state);
void sy_state_continue_views(struct sy_state *state);

/* Between state.c and view.c. pin: under the state's lock. */
void sy_state_pin(struct sy_state *state, struct sy_state_view *view);
void sy_state_unpin(struct sy_state *state, struct sy_state_view *view);
struct sy_state_view *sy_state_own_view(struct sy_state *state);
struct sy_state_view *sy_state_held_view(struct sy_state *state);
/* sy_state_holds says whether the state after this block is one to be held. */
bool sy_state_holds(const struct sy_state *state, uint64_t height);
/* sy_state_hold lets the held state go and holds that at height, which must be all that the base
 * (or the twin) shows now; else none is held. */
void sy_state_hold(struct sy_state *state, uint64_t height);
sy_status sy_view_activate(struct sy_state_view *view);
/* sy_view_end lets go of what the view pins; its lock is held. */
void sy_view_end(struct sy_state_view *view);

#endif
