/* trie_levels.h: nodes of the heap whose halves have changed, to be hashed level by level (internal
 * to core/ledger).
 *
 * A walk notes each place after those below it; sy_trie_levels_make then goes up from the deepest
 * level noted, and the nodes of a level are hashed side by side. So what is noted may be made
 * once all below it is built, all at the end or whenever the list is full. One thread. */
#ifndef SY_LEDGER_TRIE_LEVELS_H
#define SY_LEDGER_TRIE_LEVELS_H

#include <stdbool.h>

#include "core/ledger/trie_nodes.h"

#define SY_TRIE_LEVELS_MAX 4096u

struct sy_trie_levels {
    uint32_t count;
    uint32_t index[SY_TRIE_LEVELS_MAX]; /* in the heap */
    uint32_t next[SY_TRIE_LEVELS_MAX];  /* of the same level, one more; 0: the last one */
    uint32_t first[SY_NODES_HEAP_DEPTH_MAX];
};

void sy_trie_levels_clear(struct sy_trie_levels *levels);

static inline bool sy_trie_levels_are_full(const struct sy_trie_levels *levels)
{
    return levels->count == SY_TRIE_LEVELS_MAX;
}

/* sy_trie_levels_add notes the node at (depth, first bits of key), depth < heap_depth; asserts that
 * there is room. */
void sy_trie_levels_add(struct sy_trie_levels *levels, unsigned depth, const struct sy_hash *key);

/* sy_trie_levels_make makes each node noted, expanded, from its two children, which are as they
 * shall be, and clears the list. *hashes counts what was hashed. SY_ERR_LIMIT: too many leaves. */
sy_status sy_trie_levels_make(struct sy_trie_levels *levels, struct sy_nodes *nodes,
                              uint64_t *hashes);

#endif
