/* memory_evidence.h: the evidence of the in-memory twin, in an array in the order of the walk. Not
 * thread-safe: the twin's lock is held. */
#ifndef SY_STORE_MEMORY_EVIDENCE_H
#define SY_STORE_MEMORY_EVIDENCE_H

#include "core/store/store.h"

struct sy_memory_piece {
    struct sy_hash signer;
    struct sy_record_key key;
    uint8_t *data; /* owned */
    size_t size;
};

struct sy_memory_evidence {
    struct sy_memory_piece *pieces; /* SY_EVIDENCE_KEPT_MAX of them; NULL before the first */
    size_t count;
};

/* sy_record_key_compare orders record keys by type, slot and extra. */
int sy_record_key_compare(const struct sy_record_key *a, const struct sy_record_key *b);

/* sy_memory_evidence_reserve makes room, so that puts cannot fail. */
sy_status sy_memory_evidence_reserve(struct sy_memory_evidence *evidence);

/* sy_memory_evidence_put keeps a piece, if it finds a place (store.h), and then owns copy, a
 * malloc'ed copy of its value; returns whether it did. */
bool sy_memory_evidence_put(struct sy_memory_evidence *evidence, const struct sy_vote_write *write,
                            uint8_t *copy);

sy_status sy_memory_evidence_each(const struct sy_memory_evidence *evidence, sy_evidence_fn show,
                                  void *context);

void sy_memory_evidence_free(struct sy_memory_evidence *evidence);

#endif
