/* block_view.h: certified blocks opened for questions: receipts and their paths, transactions and
 * theirs, and the witnesses of those who may ask. A few of the newest blocks asked for stay open,
 * since questions come in runs; opening one costs in proportion to its size, which is counted, so
 * that whoever asks for many can be made to wait. */
#ifndef SY_NODE_BLOCK_VIEW_H
#define SY_NODE_BLOCK_VIEW_H

#include "core/crypto/merkle_tree.h"
#include "core/store/store.h"
#include "core/wire/batch.h"
#include "core/wire/block.h"
#include "core/wire/proof.h"

/* One open block. Slices point into its own memory. */
struct sy_block_view {
    uint64_t height; /* UINT64_MAX: empty */
    uint64_t used;   /* when last asked for, to choose which to close */
    struct sy_header header;
    struct sy_slice header_bytes;
    struct sy_slice certificate; /* encoded */
    struct sy_proposal order;
    uint32_t tx_count;
    uint8_t *bytes; /* header, certificate, receipts */
    size_t capacity;
    uint32_t *offsets; /* of receipts: where each begins (behind its length) */
    uint32_t *sizes;
    struct sy_merkle_tree receipts;
    /* Of the bodies, which are read only when somebody needs them. */
    bool has_bodies;
    uint32_t first_tx[SY_PROPOSAL_ENTRIES_MAX + 1]; /* of each entry, and the end */
    struct sy_hash *witnesses;                      /* tx_count */
};

#define SY_BLOCK_VIEWS 8u

struct sy_block_views {
    sy_store_reader *reader; /* borrowed; the same thread */
    struct sy_hash genesis;
    uint64_t clock;
    uint64_t read_bytes; /* of receipts and bodies, so far */
    struct sy_block_view views[SY_BLOCK_VIEWS];
    struct sy_hash batch_digest; /* of the batch asked for last; zero: none */
    struct sy_batch batch_asked; /* borrows from reader */
    struct sy_merkle_tree batch; /* its tree */
    struct sy_merkle_tree block; /* of the batches of the block asked for last */
    struct sy_hash *leaves;      /* room for a batch's leaf hashes */
};

/* sy_block_views_init: nobody else asks reader for bodies. */
sy_status sy_block_views_init(struct sy_block_views *views, sy_store_reader *reader,
                              const struct sy_hash *genesis);
void sy_block_views_free(struct sy_block_views *views);

/* sy_block_views_open opens a block (or finds it open). Good until SY_BLOCK_VIEWS other heights
 * were opened. SY_ERR_NOT_FOUND: no such block, or no certificate yet. */
sy_status sy_block_views_open(struct sy_block_views *views, const struct sy_block_view **view,
                              uint64_t height);

/* sy_block_view_receipt gives an encoded receipt. index < tx_count. */
struct sy_slice sy_block_view_receipt(const struct sy_block_view *view, uint32_t index);

/* sy_block_views_witness gives a transaction's witness (core/wire/tx.h), good until the view
 * closes. index < tx_count. SY_ERR_NOT_FOUND: a body is not here any more. */
sy_status sy_block_views_witness(struct sy_block_views *views, const struct sy_hash **witness,
                                 const struct sy_block_view *view, uint32_t index);

/* sy_block_views_prove fills a receipt's proof, with_tx the transaction's too. Slices are good
 * until the next call on the views. */
sy_status sy_block_views_prove(struct sy_block_views *views, struct sy_receipt_proof *proof,
                               const struct sy_block_view *view, uint32_t index, bool with_tx);

#endif
