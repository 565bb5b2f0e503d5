/* source.h: where execution reads state from.
 *
 * The store (LMDB with its generations, or the in-memory twin) and the tests' sorted arrays all
 * stand behind these two calls. A source shows the state after exactly one height; the ledger
 * never writes to it: the caller applies a block's deltas between two executions. Called from the
 * execution thread only. */
#ifndef SY_LEDGER_SOURCE_H
#define SY_LEDGER_SOURCE_H

#include <stdbool.h>

#include "core/base/bytes.h"

/* Called for each entry of a scan. value is borrowed for the call. It must not use the source.
 * False ends the scan early (which is not a failure). */
typedef bool (*sy_state_visit)(void *user, const struct sy_hash *key_hash, struct sy_slice value);

/* Finds one entry. *value is borrowed until the next call on the source or until deltas are
 * applied. SY_ERR_NOT_FOUND: absent. Anything else that is not SY_OK is a failure. */
typedef sy_status (*sy_state_getter)(void *self, struct sy_slice *value,
                                     const struct sy_hash *key_hash);

struct sy_state_source {
    void *self;
    sy_state_getter get;
    /* scan visits, ascending by key hash, every entry whose key hash starts with the first `bits`
     * bits (0..256, most significant first) of prefix; the rest of prefix is ignored. */
    sy_status (*scan)(void *self, const struct sy_hash *prefix, unsigned bits, sy_state_visit visit,
                      void *user);
};

#endif
