/* Whether a body is part of history that is kept (store.h, SY_VOTE_DROP_SPARE_BODY). No index leads
 * from a body to its block, but one does from its transactions. */
#include <stdlib.h>

#include "core/store/impl.h"
#include "core/wire/batch.h"
#include "core/wire/block.h"
#include "core/wire/tx.h"

// More copies of one transaction than this are not looked at: the body stays.
#define COPIES_MAX 64u

static bool first_tx(struct sy_hash *tx_id, sy_store_reader *reader, const struct sy_hash *digest)
{
    struct sy_slice body, bytes;
    struct sy_batch batch;
    struct sy_tx tx;
    size_t offset = 0;
    if (sy_body_get(reader, &body, digest) != SY_OK || !sy_batch_decode(&batch, body)) return false;
    if (!sy_batch_next(&batch, &offset, &bytes)) return false;
    if (sy_tx_decode(&tx, NULL, bytes, NULL) != SY_APPLIED) return false;
    sy_tx_id(tx_id, &tx);
    return true;
}

static bool block_names(sy_store_reader *reader, uint64_t height, const struct sy_hash *digest)
{
    struct sy_slice part;
    struct sy_proposal order;
    sy_status status = sy_ledger_get(reader, &part, height, SY_BLOCK_ORDER);
    if (status == SY_ERR_PRUNED) return false;
    struct sy_reader bytes = sy_reader_of(part);
    if (status != SY_OK || !sy_proposal_decode(&bytes, &order)) return true; // who knows
    for (uint16_t i = 0; i < order.count; i++) {
        if (sy_hash_equal(&order.entries[i].digest, digest)) return true;
    }
    return false;
}

static bool is_spare(sy_store_reader *reader, const struct sy_hash *digest)
{
    struct sy_tx_position copies[COPIES_MAX];
    struct sy_hash tx_id;
    size_t found = 0;
    if (!first_tx(&tx_id, reader, digest)) return false;
    if (sy_ledger_find_tx(reader, copies, &found, COPIES_MAX, &tx_id) != SY_OK) return false;
    if (found > COPIES_MAX) return false;
    for (size_t i = 0; i < found; i++) {
        if (block_names(reader, copies[i].height, digest)) return false;
    }
    return true;
}

size_t sy_spare_settle(sy_store *store, struct sy_vote_write *writes, size_t count)
{
    sy_store_reader *reader = NULL;
    size_t left = 0;
    (void)sy_store_reader_open(&reader, store); // without one, all of them stay
    for (size_t i = 0; i < count; i++) {
        struct sy_vote_write write = writes[i];
        if (write.op == SY_VOTE_DROP_SPARE_BODY) {
            if (!reader || !is_spare(reader, &write.body)) continue;
            write.op = SY_VOTE_DROP_BODY;
        }
        writes[left++] = write;
    }
    sy_store_reader_close(reader);
    return left;
}
