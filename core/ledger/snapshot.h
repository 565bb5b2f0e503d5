/* snapshot.h: the state at one height, cut into chunks that can be fetched from anybody.
 *
 *     state root (certified)
 *        /        \          A chunk holds all entries under one prefix, and the siblings on the
 *      .           s1        way up: so it proves, alone and against nothing but the root, that
 *     / \                    these are the entries under the prefix, all of them and no others.
 *   s0   [chunk]
 *
 * The chunks of a state are the same for everybody: the one that holds a key is that of the
 * shortest prefix whose entries take at most SY_CHUNK_ENTRIES_BYTES_MAX bytes. In key order they
 * lie side by side, from the first key to the last, so whoever checks each one in turn has checked
 * that nothing is missing.
 *
 * The state must not change while it is cut; the trie's upper nodes are copied when the height is
 * executed (sy_trie_copy_top), the entries come from a source that stays at that height. */
#ifndef SY_LEDGER_SNAPSHOT_H
#define SY_LEDGER_SNAPSHOT_H

#include "core/ledger/source.h"
#include "core/ledger/trie.h"
#include "core/wire/snapshot.h"

/* How deep the trie's top is copied: 4 MiB at most. A chunk of evenly spread keys lies higher up as
 * long as the state has fewer than about 2^16 chunks; what lies deeper is hashed anew. */
#define SY_SNAPSHOT_TOP_DEPTH 16u

/* The hashes of the trie's upper nodes at one height, as a flat heap: node i has the children 2i
 * and 2i + 1, the root is node 1. */
struct sy_snapshot_top {
    unsigned depth;
    struct sy_hash *hashes; /* owned; 2 << depth */
};

/* sy_snapshot_top_take copies the top of a trie that is up to date. SY_ERR_NO_MEMORY. free on a
 * zeroed one is fine. Execution thread. */
sy_status sy_snapshot_top_take(struct sy_snapshot_top *top, const sy_trie *trie);
void sy_snapshot_top_free(struct sy_snapshot_top *top);

/* sy_chunk_make makes the chunk that holds key, whether or not there is such an entry. The entries
 * are packed into room (SY_CHUNK_ENTRIES_BYTES_MAX bytes), which chunk borrows. *hint is where the
 * search for the prefix begins: 0 at first, then what the call before left there. SY_ERR_CORRUPT:
 * the source does not show the state of which top was taken (the chunk is checked before it is
 * given); else the source's failures. Any thread; the source's rules. */
sy_status sy_chunk_make(struct sy_chunk *chunk, uint8_t *room, unsigned *hint,
                        const struct sy_snapshot_top *top, const struct sy_state_source *source,
                        const struct sy_hash *key);

/* sy_chunk_verify says whether a decoded chunk is one of the state with this root: its entries are
 * all that the state holds under the prefix. *what (may be NULL) says what is wrong, static text.
 * A chunk with a longer prefix than need be is refused when that shows: the first sibling is
 * empty. Pure. */
bool sy_chunk_verify(const struct sy_chunk *chunk, const struct sy_hash *state_root,
                     const char **what);

#endif
