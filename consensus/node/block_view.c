#include "consensus/node/block_view.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/telemetry.h"
#include "core/crypto/hash.h"
#include "core/wire/request.h"

sy_status sy_block_views_init(struct sy_block_views *views, sy_store_reader *reader,
                              const struct sy_hash *genesis)
{
    memset(views, 0, sizeof *views);
    views->reader = reader;
    views->genesis = *genesis;
    for (unsigned i = 0; i < SY_BLOCK_VIEWS; i++) views->views[i].height = UINT64_MAX;
    views->leaves = (struct sy_hash *)calloc(SY_BATCH_TXS_MAX, sizeof *views->leaves);
    return views->leaves == NULL ? SY_ERR_NO_MEMORY : SY_OK;
}

void sy_block_views_free(struct sy_block_views *views)
{
    for (unsigned i = 0; i < SY_BLOCK_VIEWS; i++) {
        free(views->views[i].bytes);
        free(views->views[i].offsets);
        free(views->views[i].sizes);
        free(views->views[i].witnesses);
        sy_merkle_tree_free(&views->views[i].receipts);
    }
    sy_merkle_tree_free(&views->batch);
    sy_merkle_tree_free(&views->block);
    free(views->leaves);
    views->leaves = NULL;
}

/* ---- opening ----------------------------------------------------------------------------- */

static sy_status copy_parts(struct sy_block_view *view, struct sy_slice parts[3])
{
    size_t size = parts[0].size + parts[1].size + parts[2].size;
    if (view->capacity < size) {
        uint8_t *grown = (uint8_t *)realloc(view->bytes, size);
        if (grown == NULL) return SY_ERR_NO_MEMORY;
        view->bytes = grown;
        view->capacity = size;
    }
    size_t used = 0;
    for (int i = 0; i < 3; i++) {
        if (parts[i].size > 0) memcpy(view->bytes + used, parts[i].data, parts[i].size);
        parts[i].data = view->bytes + used;
        used += parts[i].size;
    }
    return SY_OK;
}

static sy_status grow_index(struct sy_block_view *view, uint32_t count)
{
    size_t room = count > 0 ? count : 1;
    uint32_t *offsets = (uint32_t *)realloc(view->offsets, room * sizeof *offsets);
    if (offsets == NULL) return SY_ERR_NO_MEMORY;
    view->offsets = offsets;
    uint32_t *sizes = (uint32_t *)realloc(view->sizes, room * sizeof *sizes);
    if (sizes == NULL) return SY_ERR_NO_MEMORY;
    view->sizes = sizes;
    return SY_OK;
}

static void count_read(struct sy_block_views *views, size_t bytes)
{
    views->read_bytes += bytes;
    sy_metric_add(SY_M_client_blocks_read_bytes_total, bytes);
}

static sy_status index_receipts(struct sy_block_view *view, struct sy_slice receipts)
{
    struct sy_reader reader = sy_reader_of(receipts);
    view->tx_count = receipts.size == 0 ? 0 : sy_read_u32(&reader, "count");
    if (view->tx_count > receipts.size) return SY_ERR_CORRUPT;
    SY_TRY(grow_index(view, view->tx_count));
    struct sy_hash *leaves =
        (struct sy_hash *)malloc(((size_t)view->tx_count + 1) * sizeof *leaves);
    struct sy_slice *slices =
        (struct sy_slice *)malloc(((size_t)view->tx_count + 1) * sizeof *slices);
    if (leaves == NULL || slices == NULL) {
        free(leaves);
        free(slices);
        return SY_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < view->tx_count && !reader.failed; i++) {
        struct sy_slice receipt = sy_read_bytes32(&reader, receipts.size, "receipt");
        if (reader.failed) break;
        view->offsets[i] = (uint32_t)(receipt.data - view->bytes);
        view->sizes[i] = (uint32_t)receipt.size;
        slices[i] = receipt;
    }
    bool whole = sy_reader_done(&reader) && sy_receipt_leaves(leaves, slices, view->tx_count);
    sy_status status = whole ? SY_OK : SY_ERR_CORRUPT;
    if (status == SY_OK) status = sy_merkle_tree_build(&view->receipts, leaves, view->tx_count);
    free(leaves);
    free(slices);
    if (status != SY_OK) return status;
    bool same = sy_hash_equal(&view->receipts.root, &view->header.receipts_root);
    return same ? SY_OK : SY_ERR_CORRUPT;
}

static sy_status load(struct sy_block_views *views, struct sy_block_view *view, uint64_t height)
{
    static const enum sy_block_part which[3] = {SY_BLOCK_HEADER, SY_BLOCK_CERTIFICATE,
                                                SY_BLOCK_RECEIPTS};
    struct sy_slice parts[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    for (int i = 0; i < 3; i++) {
        if (height == 0 && which[i] != SY_BLOCK_HEADER) continue; /* genesis has neither */
        SY_TRY(sy_ledger_get(views->reader, &parts[i], height, which[i]));
    }
    struct sy_slice order;
    view->order.count = 0;
    if (height > 0) {
        SY_TRY(sy_ledger_get(views->reader, &order, height, SY_BLOCK_ORDER));
        struct sy_reader reader = sy_reader_of(order);
        if (!sy_proposal_decode(&reader, &view->order)) return SY_ERR_CORRUPT;
    }
    SY_TRY(copy_parts(view, parts));
    view->header_bytes = parts[0];
    view->certificate = parts[1];
    count_read(views, parts[2].size);
    view->has_bodies = false;
    struct sy_reader reader = sy_reader_of(parts[0]);
    if (!sy_header_decode(&reader, &view->header)) return SY_ERR_CORRUPT;
    return index_receipts(view, parts[2]);
}

sy_status sy_block_views_open(struct sy_block_views *views, const struct sy_block_view **out,
                              uint64_t height)
{
    if (height == UINT64_MAX) return SY_ERR_NOT_FOUND; /* what marks an empty view */
    struct sy_block_view *oldest = &views->views[0];
    for (unsigned i = 0; i < SY_BLOCK_VIEWS; i++) {
        struct sy_block_view *view = &views->views[i];
        if (view->height == height) {
            view->used = ++views->clock;
            *out = view;
            return SY_OK;
        }
        if (view->used < oldest->used) oldest = view;
    }
    oldest->height = UINT64_MAX;
    SY_TRY(load(views, oldest, height));
    oldest->height = height;
    oldest->used = ++views->clock;
    *out = oldest;
    return SY_OK;
}

struct sy_slice sy_block_view_receipt(const struct sy_block_view *view, uint32_t index)
{
    SY_ASSERT(index < view->tx_count);
    return sy_slice_of(view->bytes + view->offsets[index], view->sizes[index]);
}

/* ---- bodies ------------------------------------------------------------------------------ */

static sy_status read_batch(struct sy_block_views *views, struct sy_batch *batch,
                            const struct sy_hash *digest)
{
    struct sy_slice body;
    memset(&views->batch_digest, 0, sizeof views->batch_digest); /* its bytes are given back now */
    SY_TRY(sy_body_get(views->reader, &body, digest));
    count_read(views, body.size);
    return sy_batch_decode(batch, body) ? SY_OK : SY_ERR_CORRUPT;
}

static sy_status add_witnesses(struct sy_block_view *view, uint32_t *count,
                               const struct sy_batch *batch, const struct sy_hash *genesis)
{
    size_t offset = 0;
    struct sy_slice bytes;
    while (sy_batch_next(batch, &offset, &bytes)) {
        struct sy_tx tx;
        struct sy_awaited awaited;
        if (*count == view->tx_count) return SY_ERR_CORRUPT;
        if (sy_tx_decode(&tx, NULL, bytes, NULL) != SY_APPLIED) return SY_ERR_CORRUPT;
        sy_awaited_of(&awaited, genesis, &tx);
        view->witnesses[(*count)++] = awaited.witness;
    }
    return SY_OK;
}

/* Reads all bodies of a block once: where each batch begins, and who may ask for what is in it. */
static sy_status read_bodies(struct sy_block_views *views, struct sy_block_view *view)
{
    if (view->has_bodies) return SY_OK;
    struct sy_hash *witnesses = (struct sy_hash *)realloc(
        view->witnesses, ((size_t)view->tx_count + 1) * sizeof *witnesses);
    if (witnesses == NULL) return SY_ERR_NO_MEMORY;
    view->witnesses = witnesses;
    uint32_t count = 0;
    for (uint16_t i = 0; i < view->order.count; i++) {
        struct sy_batch batch;
        view->first_tx[i] = count;
        SY_TRY(read_batch(views, &batch, &view->order.entries[i].digest));
        SY_TRY(add_witnesses(view, &count, &batch, &views->genesis));
    }
    view->first_tx[view->order.count] = count;
    view->has_bodies = count == view->tx_count;
    return view->has_bodies ? SY_OK : SY_ERR_CORRUPT;
}

sy_status sy_block_views_witness(struct sy_block_views *views, const struct sy_hash **witness,
                                 const struct sy_block_view *view, uint32_t index)
{
    SY_ASSERT(index < view->tx_count);
    SY_TRY(read_bodies(views, &views->views[view - views->views]));
    *witness = &view->witnesses[index];
    return SY_OK;
}

/* ---- proofs ------------------------------------------------------------------------------ */

/* Makes a batch the one asked for, with its tree. Questions come in runs here too. */
static sy_status ask_batch(struct sy_block_views *views, const struct sy_hash *digest)
{
    if (sy_hash_equal(&views->batch_digest, digest)) return SY_OK;
    SY_TRY(read_batch(views, &views->batch_asked, digest));
    size_t offset = 0;
    struct sy_slice bytes;
    uint32_t count = 0;
    for (; sy_batch_next(&views->batch_asked, &offset, &bytes); count++) {
        struct sy_tx tx;
        if (sy_tx_decode(&tx, NULL, bytes, NULL) != SY_APPLIED) return SY_ERR_CORRUPT;
        sy_tx_id(&views->leaves[count], &tx);
    }
    if (count != views->batch_asked.header.count) return SY_ERR_CORRUPT;
    SY_TRY(sy_merkle_tree_build(&views->batch, views->leaves, count));
    views->batch_digest = *digest;
    return SY_OK;
}

static sy_status prove_tx(struct sy_block_views *views, struct sy_receipt_proof *proof,
                          struct sy_block_view *view, uint32_t index)
{
    SY_TRY(read_bodies(views, view));
    uint16_t entry = 0;
    while (view->first_tx[entry + 1] <= index) entry++;
    SY_TRY(ask_batch(views, &view->order.entries[entry].digest));
    uint32_t place = index - view->first_tx[entry];
    size_t offset = 0;
    for (uint32_t i = 0; i <= place; i++) {
        if (!sy_batch_next(&views->batch_asked, &offset, &proof->tx)) return SY_ERR_CORRUPT;
    }
    sy_merkle_tree_path(&views->batch, &proof->tx_path, place);
    proof->batch = views->batch_asked.header;
    for (uint16_t i = 0; i < view->order.count; i++) {
        sy_hash_leaf(&views->leaves[i], sy_slice_of(view->order.entries[i].digest.bytes, 32));
    }
    SY_TRY(sy_merkle_tree_build(&views->block, views->leaves, view->order.count));
    sy_merkle_tree_path(&views->block, &proof->batch_path, entry);
    proof->with_tx = true;
    return SY_OK;
}

sy_status sy_block_views_prove(struct sy_block_views *views, struct sy_receipt_proof *proof,
                               const struct sy_block_view *view, uint32_t index, bool with_tx)
{
    SY_ASSERT(index < view->tx_count);
    proof->receipt = sy_block_view_receipt(view, index);
    sy_merkle_tree_path(&view->receipts, &proof->receipt_path, index);
    proof->with_tx = false;
    if (!with_tx) return SY_OK;
    return prove_tx(views, proof, &views->views[view - views->views], index);
}
