/* audit_pruned.c: what can be said of a store whose history does not begin at genesis (audit.h). */
#include <stdlib.h>

#include "core/client/audit_internal.h"
#include "core/crypto/merkle.h"
#include "core/ledger/trie.h"

#define PROGRESS_EVERY 1024u

/* ---- headers ------------------------------------------------------------------------------ */

static sy_status link_header(struct audit *audit)
{
    const struct sy_genesis *genesis = audit->config->genesis;
    unsigned long long height = audit->height;
    struct sy_header header;
    struct sy_slice bytes;
    struct sy_hash previous;
    SY_TRY(sy_audit_get_part(audit, &bytes, SY_BLOCK_HEADER));
    struct sy_reader r = sy_reader_of(bytes);
    if (!sy_header_decode(&r, &header) || !sy_reader_done(&r) || header.height != height) {
        return sy_fail(audit->err, SY_ERR_CORRUPT, "block %llu: its header is damaged", height);
    }
    sy_header_hash(&previous, &genesis->hash, &audit->head);
    // Below the base there is no header; what holds the first one is its certificate.
    bool first = height == sy_ledger_base(audit->config->store);
    if (!first && !sy_hash_equal(&previous, &header.previous)) {
        return sy_fail(audit->err, SY_ERR_CORRUPT,
                       "block %llu: its header does not name the one before it", height);
    }
    audit->head = header;
    return SY_OK;
}

static sy_status check_genesis(struct audit *audit)
{
    const struct sy_genesis *genesis = audit->config->genesis;
    struct sy_hash derived, stored;
    sy_status status = sy_ledger_genesis_hash(&derived, genesis);
    if (status != SY_OK) return sy_fail(audit->err, status, "the genesis state cannot be made");
    SY_TRY(link_header(audit));
    sy_header_hash(&stored, &genesis->hash, &audit->head);
    audit->figures->header_hash = derived;
    if (sy_hash_equal(&derived, &stored)) return SY_OK;
    return sy_fail(audit->err, SY_ERR_CORRUPT, "block 0: its header is not the genesis's");
}

/* ---- blocks that are whole ---------------------------------------------------------------- */

static sy_status check_batches_root(struct audit *audit)
{
    struct sy_hash root;
    sy_proposal_batches_root(&root, &audit->order);
    if (sy_hash_equal(&root, &audit->head.batches_root)) return SY_OK;
    return sy_fail(audit->err, SY_ERR_CORRUPT,
                   "block %llu: its batches are not those that its header names",
                   (unsigned long long)audit->height);
}

/* leaves and slices have room for count. False: they are not that many. */
static bool read_receipts(struct sy_reader *r, struct sy_hash *leaves, struct sy_slice *slices,
                          uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) slices[i] = sy_read_bytes32(r, r->size, "receipt");
    if (!sy_reader_done(r)) return false;
    return sy_receipt_leaves(leaves, slices, count);
}

static sy_status hash_receipts(struct sy_hash *root, uint32_t *count, struct sy_slice receipts)
{
    struct sy_reader r = sy_reader_of(receipts);
    sy_status status = SY_ERR_NO_MEMORY;
    *count = sy_read_u32(&r, "count");
    if (r.failed || *count > receipts.size) return SY_ERR_CORRUPT;
    struct sy_hash *leaves = (struct sy_hash *)malloc(((size_t)*count + 1) * sizeof *leaves);
    struct sy_slice *slices = (struct sy_slice *)malloc(((size_t)*count + 1) * sizeof *slices);
    if (leaves && slices) {
        status = read_receipts(&r, leaves, slices, *count) ? SY_OK : SY_ERR_CORRUPT;
        if (status == SY_OK) sy_merkle_root(root, leaves, leaves, *count);
    }
    free(leaves);
    free(slices);
    return status;
}

static sy_status check_receipts(struct audit *audit)
{
    struct sy_slice receipts;
    struct sy_hash root;
    uint32_t count = 0;
    SY_TRY(sy_audit_get_part(audit, &receipts, SY_BLOCK_RECEIPTS));
    sy_status status = hash_receipts(&root, &count, receipts);
    if (status == SY_ERR_NO_MEMORY) return sy_fail(audit->err, status, "audit: no memory");
    if (status == SY_OK && sy_hash_equal(&root, &audit->head.receipts_root)) {
        audit->figures->txs += count;
        return SY_OK;
    }
    return sy_fail(audit->err, SY_ERR_CORRUPT,
                   "block %llu: its receipts are not those that its header names",
                   (unsigned long long)audit->height);
}

static sy_status check_whole(struct audit *audit)
{
    SY_TRY(sy_audit_load_order(audit));
    if (audit->order.epoch != audit->head.epoch) {
        return sy_fail(audit->err, SY_ERR_CORRUPT,
                       "block %llu: its order is of another epoch than its header",
                       (unsigned long long)audit->height);
    }
    SY_TRY(sy_audit_load_bodies(audit));
    SY_TRY(check_batches_root(audit));
    audit->figures->batches += audit->order.count;
    return check_receipts(audit);
}

/* ---- the state ---------------------------------------------------------------------------- */

/* The trie reads the state through one view. */
static sy_status viewed_get(void *self, struct sy_slice *value, const struct sy_hash *key_hash)
{
    return sy_state_view_get((sy_state_view *)self, value, key_hash);
}

static sy_status viewed_scan(void *self, const struct sy_hash *prefix, unsigned bits,
                             sy_state_visit visit, void *user)
{
    return sy_state_view_each((sy_state_view *)self, prefix, bits, visit, user);
}

static sy_status hash_state(struct sy_hash *root, uint64_t *entries, sy_state_view *view)
{
    struct sy_state_source source = {view, viewed_get, viewed_scan};
    struct sy_trie_config config = {.bucket_leaves = SY_TRIE_BUCKET_MAX, .changes_max = 1};
    struct sy_trie_info info = {0};
    sy_trie *trie = NULL;
    SY_TRY(sy_trie_open(&trie, &config));
    sy_status status = sy_trie_rebuild(trie, &source);
    sy_trie_root(trie, root);
    sy_trie_get_info(trie, &info);
    *entries = info.leaves;
    sy_trie_close(trie);
    return status;
}

static sy_status check_state(struct audit *audit)
{
    sy_state_view *view = NULL;
    struct sy_audit_figures *figures = audit->figures;
    sy_status status = sy_state_view_open(&view, audit->config->store);
    if (status == SY_OK) status = hash_state(&figures->state_root, &figures->state_entries, view);
    uint64_t height = status == SY_OK ? sy_state_view_height(view) : 0;
    sy_state_view_close(view);
    if (status != SY_OK) {
        return sy_fail(audit->err, status, "state: it cannot be read (%s)", sy_status_name(status));
    }
    if (height == audit->head.height &&
        sy_hash_equal(&figures->state_root, &audit->head.state_root)) {
        return SY_OK;
    }
    return sy_fail(audit->err, SY_ERR_CORRUPT,
                   "state: it is of height %llu and does not have the root that the header of "
                   "block %llu names; history is pruned, so make this store anew from peers",
                   (unsigned long long)height, (unsigned long long)audit->head.height);
}

/* ---- the run ------------------------------------------------------------------------------ */

static sy_status check_block(struct audit *audit)
{
    SY_TRY(link_header(audit));
    if (audit->height >= audit->figures->pruned) SY_TRY(check_whole(audit));
    SY_TRY(sy_audit_check_certificate(audit));
    audit->figures->height = audit->height;
    if (audit->config->progress && audit->height % PROGRESS_EVERY == 0) {
        audit->config->progress(audit->config->self, audit->height,
                                sy_ledger_height(audit->config->store), audit->figures->txs);
    }
    return SY_OK;
}

sy_status sy_audit_pruned(struct audit *audit)
{
    uint64_t newest = sy_ledger_height(audit->config->store);
    audit->height = sy_ledger_base(audit->config->store);
    if (audit->height == 0) {
        SY_TRY(check_genesis(audit));
        audit->height++;
    }
    for (; audit->height <= newest; audit->height++) SY_TRY(check_block(audit));
    SY_TRY(sy_audit_batches_finish(audit->batches, audit->err));
    SY_TRY(sy_audit_certificates_settle(audit));
    return check_state(audit);
}
