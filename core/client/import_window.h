/* import_window.h: the undecided transactions in memory: which wait for which, which may go out,
 * and how far each key's nonces may run ahead.
 *
 * A transaction waits for others by their seq; when the last of them is decided well it becomes
 * ready, and ready ones are taken in the order they became so. The window is bounded in count and
 * bytes. Nonces: a key signs none more than SY_IMPORT_NONCES_AHEAD above its lowest undecided one,
 * half of what the ledger's window would take, so that no order of execution can push one out. */
#ifndef SY_CLIENT_IMPORT_WINDOW_H
#define SY_CLIENT_IMPORT_WINDOW_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/table.h"

#define SY_IMPORT_NONCES_AHEAD 2048u
#define SY_IMPORT_WINDOW_BYTES_MAX (48u << 20)

enum sy_pending_state {
    SY_PENDING_WAITING, /* for others */
    SY_PENDING_READY,   /* to be handed out */
    SY_PENDING_OUT,     /* handed out */
    SY_PENDING_HELD,    /* told a code that decides nothing; waits for block time */
    SY_PENDING_PROOF    /* expired: its key's nonces are to be read */
};

struct sy_pending {
    uint64_t seq; /* 0: the slot is free */
    struct sy_hash tx_id;
    struct sy_public_key signer;
    uint64_t nonce;
    int64_t valid_until_ms;
    uint8_t state; /* enum sy_pending_state */
    bool again;    /* may have been sent before */
    bool received; /* a validator said so */
    bool borrowed; /* the caller may still look at tx */
    uint16_t code; /* HELD, PROOF: the last one told */
    uint32_t tries;
    int64_t ask_after_ms; /* no nonces are read for it before this block time */
    uint32_t waits;       /* undecided transactions it is built on */
    uint32_t first_edge;  /* those that are built on it */
    uint32_t next_ready;
    uint8_t *tx; /* owned */
    uint32_t tx_bytes;
};

struct sy_pending_edge {
    uint64_t seq; /* of the entry that waits, which may be gone */
    uint32_t slot;
    uint32_t next;
};

struct sy_import_window {
    sy_arena arena;
    struct sy_pending *slots;
    uint32_t capacity, count;
    uint64_t bytes;
    uint32_t free_slot; /* list through next_ready */
    struct sy_table by_id, by_seq, keys;
    struct sy_pending_edge *edges;
    uint32_t edge_count, edge_capacity, free_edge;
    uint32_t ready_first, ready_last;
    int64_t earliest_ms; /* no valid_until is before this */
};

#define SY_WINDOW_NONE UINT32_MAX

sy_status sy_window_open(struct sy_import_window *window, uint32_t capacity, struct sy_error *err);
void sy_window_close(struct sy_import_window *window);

/* sy_window_full: no further transaction fits; one always fits into an empty window. */
bool sy_window_full(const struct sy_import_window *window);

/* What a new entry is made of; after: seqs it builds on, those not in the window are decided. */
struct sy_window_add {
    uint64_t seq;
    struct sy_hash tx_id;
    struct sy_public_key signer;
    uint64_t nonce;
    int64_t valid_until_ms;
    struct sy_slice tx; /* copied */
    struct sy_slice after;
    bool again;
};
sy_status sy_window_add(struct sy_import_window *window, const struct sy_window_add *add,
                        struct sy_error *err);

struct sy_pending *sy_window_find_id(const struct sy_import_window *window,
                                     const struct sy_hash *tx_id);
struct sy_pending *sy_window_find_seq(const struct sy_import_window *window, uint64_t seq);
/* Walks all entries: start with *slot = 0; NULL at the end. */
struct sy_pending *sy_window_next(const struct sy_import_window *window, uint32_t *slot);

/* sy_window_remove takes a decided entry out. With `release` those built on it wait for one less;
 * without, they stay waiting and the caller removes them too (sy_window_dependent lists them). */
void sy_window_remove(struct sy_import_window *window, struct sy_pending *pending, bool release);
/* The seq of the position-th entry that is built on this one; 0: no more. */
uint64_t sy_window_dependent(const struct sy_import_window *window,
                             const struct sy_pending *pending, uint32_t position);

/* sy_window_replace gives an entry other bytes (signed again): new id, nonce and end. *old is the
 * caller's to free: the bytes it had, if somebody may still look at them; else NULL. */
sy_status sy_window_replace(struct sy_import_window *window, struct sy_pending *pending,
                            uint8_t **old, const struct sy_window_add *add, struct sy_error *err);

void sy_window_make_ready(struct sy_import_window *window, struct sy_pending *pending);
/* The oldest ready entry, or NULL; taking makes it OUT. */
struct sy_pending *sy_window_peek_ready(const struct sy_import_window *window);
void sy_window_take_ready(struct sy_import_window *window);

/* sy_window_may_sign says whether the key may sign this nonce now. */
bool sy_window_may_sign(const struct sy_import_window *window, const struct sy_public_key *key,
                        uint64_t nonce);

#endif
