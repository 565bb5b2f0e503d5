/* trie_shelf.h: leaves of small buckets that were built lately, so that an update which meets such
 * a bucket again need not ask the source for them (internal to core/ledger and its tests).
 *
 * A bucket's node says its root and how many leaves it has, no more (trie_nodes.h); one whose leaf
 * changes needs the others. Keys that change often, such as nonces, come back block after block, so
 * a table of as many places as such keys answers most of it, however large the state is. A bucket
 * has one place, by its index in the heap; whichever came last stands there.
 *
 * What stands in a place is what the bucket's node was built from: whoever makes a node in the heap
 * by other means, or of more leaves than a place holds, forgets it. */
#ifndef SY_LEDGER_TRIE_SHELF_H
#define SY_LEDGER_TRIE_SHELF_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/ledger/trie_hash.h"

#define SY_SHELF_PLACES 8192u
#define SY_SHELF_LEAVES_MAX 4u

struct sy_shelf_bucket {
    uint32_t index; /* in the heap; 0: nothing stands here */
    uint32_t count; /* 2 to SY_SHELF_LEAVES_MAX; one alone is in its node (sy_nodes_lone_key) */
    struct sy_trie_leaf leaves[SY_SHELF_LEAVES_MAX]; /* ascending */
};

struct sy_shelf {
    struct sy_shelf_bucket *buckets; /* SY_SHELF_PLACES */
    bool used;                       /* something was put since it was opened or cleared */
};

/* sy_shelf_open reserves the places, which are touched as they are used. SY_ERR_NO_MEMORY. */
sy_status sy_shelf_open(struct sy_shelf *shelf);
/* sy_shelf_close frees them; harmless on a zeroed struct. */
void sy_shelf_close(struct sy_shelf *shelf);
void sy_shelf_clear(struct sy_shelf *shelf);

/* sy_shelf_put copies the leaves of the bucket at index; of fewer than two or too many leaves it
 * keeps none. Those of which only a tag is known (is_made) are kept like that. */
void sy_shelf_put(struct sy_shelf *shelf, uint32_t index, const struct sy_trie_leaf *leaves,
                  size_t count);
void sy_shelf_forget(struct sy_shelf *shelf, uint32_t index);

/* sy_shelf_find returns what the bucket at index was built from, if it was of count leaves and is
 * still there; else NULL. It stands until the next put. */
const struct sy_shelf_bucket *sy_shelf_find(const struct sy_shelf *shelf, uint32_t index,
                                            uint32_t count);

size_t sy_shelf_bytes(void);

#endif
