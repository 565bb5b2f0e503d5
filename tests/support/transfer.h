/* transfer.h: a state on its way from one store to another, chunk by chunk over its wire form: one
 * side executes on and cuts what it holds, the other one checks every chunk against the root and
 * installs it. The state is random entries; the trie over it is the real one. */
#ifndef SY_TESTS_SUPPORT_TRANSFER_H
#define SY_TESTS_SUPPORT_TRANSFER_H

#include "core/ledger/snapshot.h"
#include "tests/support/network.h"
#include "tests/support/stores.h"

struct transfer {
    struct sy_genesis genesis; /* of four validators, whose headers and certificates are real */
    struct test_store from;
    struct test_store to;
    sy_trie *trie;
    sy_state_view *view; /* behind the trie's scans */
    sy_prng prng;
    uint64_t height; /* that is transferred */
    struct sy_hash root;
    struct sy_snapshot_top top;
    unsigned hint;
    uint64_t entries; /* of the state at height */
    uint64_t chunks;  /* transferred */
    uint64_t bytes;
    uint8_t *room;  /* where chunks are packed */
    uint8_t *frame; /* ... and encoded */
    uint8_t *deltas;
    struct sy_trie_change *changes;
};

#define TRANSFER_CHANGES_MAX 20000u

/* transfer_open makes both stores, on disk; transfer_close removes them. */
void transfer_open(struct transfer *transfer, uint64_t seed);
void transfer_close(struct transfer *transfer);

/* transfer_block adds one block to `from` that puts so many new entries and changes or removes some
 * older ones. */
void transfer_block(struct transfer *transfer, size_t puts);

/* transfer_hold goes on with such blocks to the next height that is held, takes the top there, and
 * waits until the state is held. */
void transfer_hold(struct transfer *transfer, size_t puts);

/* transfer_begin, transfer_next: one more chunk from `from` to `to`. False: that was the last. */
void transfer_begin(struct transfer *transfer);
bool transfer_next(struct transfer *transfer);
/* transfer_cut makes and encodes the chunk that `to` needs next. */
struct sy_slice transfer_cut(struct transfer *transfer);
/* transfer_take decodes, checks and installs one, as from a stranger. False: it is refused. */
bool transfer_take(struct transfer *transfer, struct sy_slice frame, bool *last);

/* transfer_state_root builds the trie again over what `to` shows, and checks how many entries that
 * has. */
void transfer_state_root(struct transfer *transfer, struct sy_hash *root);

/* transfer_finish ends the install and checks that `to` begins with exactly that state. */
void transfer_finish(struct transfer *transfer);

#endif
