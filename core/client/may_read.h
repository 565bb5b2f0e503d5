/* may_read.h: state as the decision of core/ledger/may.h asks for it, each entry read from the
 * network and proven. */
#ifndef SY_CLIENT_MAY_READ_H
#define SY_CLIENT_MAY_READ_H

#include "core/client/asker.h"
#include "core/ledger/may.h"

/* Zero it, then set the borrowed members; sy_may_reader_free frees the answer. */
struct sy_may_reader {
    sy_asker *asker;          /* borrowed */
    const sy_secret_key *key; /* borrowed: signs the reads */
    int64_t max_age_ms;       /* of an answer; 0: any */
    struct sy_error *err;     /* borrowed: why a read failed */
    struct sy_proven answer;  /* the newest; what sy_may_read gives borrows from it */
    uint64_t lowest, highest; /* heights of the blocks that prove what was read; 0: nothing yet */
};

/* sy_may_read is a sy_may_get of a struct sy_may_reader. Reads are made for the purpose operations.
 * SY_ERR_NOT_FOUND: it is proven that there is no such entry. Else as sy_asker_read, but that
 * nothing is known (its SY_ERR_NOT_FOUND) is SY_ERR_NETWORK here. */
sy_status sy_may_read(void *self, struct sy_slice *value, enum sy_state_kind kind,
                      const struct sy_hash *id, const struct sy_hash *second);

void sy_may_reader_free(struct sy_may_reader *reader);

#endif
