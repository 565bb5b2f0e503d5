/* audit_batch.h: the bodies of batches, checked as admission checks them, several at a time on the
 * engine's workers. */
#ifndef SY_CLIENT_AUDIT_BATCH_H
#define SY_CLIENT_AUDIT_BATCH_H

#include "core/crypto/engine.h"
#include "core/wire/batch.h"
#include "core/wire/block.h"
#include "core/wire/genesis.h"

typedef struct sy_audit_batches sy_audit_batches;

/* sy_audit_batches_open starts an engine. threads 0: one a processor, at most 8. */
sy_status sy_audit_batches_open(sy_audit_batches **batches, const struct sy_genesis *genesis,
                                unsigned threads, struct sy_error *err);
void sy_audit_batches_close(sy_audit_batches *batches); /* NULL is fine */

/* sy_audit_batches_add puts a batch of a block, which a roster orders, under way; the bytes are
 * copied. It waits while too
 * many are. A failure may be that of an earlier batch: err names its block. */
sy_status sy_audit_batches_add(sy_audit_batches *batches, uint64_t height,
                               const struct sy_roster *roster, const struct sy_entry *entry,
                               struct sy_slice body, struct sy_error *err);

/* sy_audit_batches_finish waits for all of them. */
sy_status sy_audit_batches_finish(sy_audit_batches *batches, struct sy_error *err);

/* sy_audit_batches_engine is theirs, for others' signatures. */
sy_engine *sy_audit_batches_engine(const sy_audit_batches *batches);

/* Signatures checked so far. */
uint64_t sy_audit_batches_signatures(const sy_audit_batches *batches);

#endif
