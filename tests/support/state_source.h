/* state_source.h: state in a sorted array, for tests of execution: as plain as it can be, so that
 * it is easy to believe. */
#ifndef SY_TESTS_SUPPORT_STATE_SOURCE_H
#define SY_TESTS_SUPPORT_STATE_SOURCE_H

#include "core/base/bytes.h"
#include "core/ledger/source.h"

struct state_entry {
    struct sy_hash key_hash;
    uint8_t *data; /* owned */
    size_t size;
};

struct state_array {
    struct state_entry *entries;
    size_t count, capacity;
    size_t gets, scans;
    size_t fail_after; /* 0: never; n: the n-th call from now on fails with SY_ERR_IO */
};

/* state_array_close frees everything. */
void state_array_close(struct state_array *state);

/* state_array_copy makes another array of the same entries; out is empty. */
void state_array_copy(struct state_array *out, const struct state_array *state);

/* state_array_apply merges packed deltas (core/wire/delta.h); asserts that they are well formed and
 * that nothing absent is removed. */
void state_array_apply(struct state_array *state, struct sy_slice deltas);

/* state_array_put and remove change one entry. */
void state_array_put(struct state_array *state, const struct sy_hash *key_hash,
                     struct sy_slice value);
void state_array_remove(struct state_array *state, const struct sy_hash *key_hash);

/* state_array_find is the entry, or NULL. */
const struct state_entry *state_array_find(const struct state_array *state,
                                           const struct sy_hash *key_hash);

/* state_array_root computes the state root by the recursive definition, without any trie. */
void state_array_root(const struct state_array *state, struct sy_hash *root);

struct sy_state_source state_array_source(struct state_array *state);

#endif
