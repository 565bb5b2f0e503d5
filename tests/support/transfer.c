#include "tests/support/transfer.h"

#include <stdlib.h>
#include <string.h>

#include "core/crypto/hash.h"
#include "tests/support/test.h"

#define EVERY 32u
#define VALUE_BYTES 120u
#define DELTAS_BYTES (TRANSFER_CHANGES_MAX * (SY_DELTA_ITEM_BYTES + VALUE_BYTES))

static struct sy_chunk chunk;

/* ---- the state of `from` as the trie's source -------------------------------------------- */

static sy_status source_get(void *self, struct sy_slice *value, const struct sy_hash *key_hash)
{
    return sy_state_get(((struct transfer *)self)->from.store, value, key_hash);
}

static sy_status source_scan(void *self, const struct sy_hash *prefix, unsigned bits,
                             sy_state_visit visit, void *user)
{
    return sy_state_view_each(((struct transfer *)self)->view, prefix, bits, visit, user);
}

static sy_status held_scan(void *self, const struct sy_hash *prefix, unsigned bits,
                           sy_state_visit visit, void *user)
{
    struct transfer *transfer = (struct transfer *)self;
    return sy_snapshot_scan(transfer->from.store, transfer->height, prefix, bits, visit, user);
}

/* ---- opening ----------------------------------------------------------------------------- */

void transfer_open(struct transfer *transfer, uint64_t seed)
{
    struct sy_store_config config = {.generation_bytes = 8u << 20,
                                     .generation_count = 3,
                                     .view_age_ms_max = 86400000,
                                     .snapshot_blocks = EVERY,
                                     .snapshot_age_ms_max = 86400000};
    struct sy_trie_config trie = {.changes_max = TRANSFER_CHANGES_MAX};
    memset(transfer, 0, sizeof *transfer);
    sy_prng_seed(&transfer->prng, seed);
    test_genesis(&transfer->genesis, 4);
    test_store_begin_with(&transfer->from, TEST_STORE_LMDB, &config);
    test_store_begin_with(&transfer->to, TEST_STORE_LMDB, &config);
    assert_int_equal(sy_trie_open(&transfer->trie, &trie), SY_OK);
    transfer->room = (uint8_t *)malloc(SY_CHUNK_ENTRIES_BYTES_MAX);
    transfer->frame = (uint8_t *)malloc(SY_FRAME_BYTES_MAX);
    transfer->deltas = (uint8_t *)malloc(DELTAS_BYTES);
    transfer->changes =
        (struct sy_trie_change *)calloc(TRANSFER_CHANGES_MAX, sizeof *transfer->changes);
    assert_true(transfer->room && transfer->frame && transfer->deltas && transfer->changes);
}

void transfer_close(struct transfer *transfer)
{
    sy_snapshot_top_free(&transfer->top);
    sy_trie_close(transfer->trie);
    test_store_end(&transfer->from);
    test_store_end(&transfer->to);
    free(transfer->room);
    free(transfer->frame);
    free(transfer->deltas);
    free(transfer->changes);
}

/* ---- filling ------------------------------------------------------------------------------ */

static int compare_changes(const void *a, const void *b)
{
    return sy_hash_compare(&((const struct sy_trie_change *)a)->key_hash,
                           &((const struct sy_trie_change *)b)->key_hash);
}

/* New keys, and, so that entries are replaced and removed too, keys of a small set. */
static size_t draw_changes(struct transfer *transfer, size_t puts)
{
    size_t kept = 0;
    for (size_t i = 0; i < puts; i++) {
        struct sy_trie_change *change = &transfer->changes[i];
        *change = (struct sy_trie_change){.present = true};
        sy_prng_fill(&transfer->prng, change->key_hash.bytes, 32);
        if (i % 20 != 0) continue;
        change->key_hash = test_hash_of(sy_prng_below(&transfer->prng, 3000));
        change->present = sy_prng_chance(&transfer->prng, 1, 2);
    }
    qsort(transfer->changes, puts, sizeof *transfer->changes, compare_changes);
    for (size_t i = 0; i < puts; i++) {
        const struct sy_trie_change *change = &transfer->changes[i];
        bool again =
            kept > 0 && sy_hash_equal(&transfer->changes[kept - 1].key_hash, &change->key_hash);
        if (!again) transfer->changes[kept++] = *change;
    }
    return kept;
}

static struct sy_slice pack(struct transfer *transfer, size_t count)
{
    struct sy_writer w = sy_writer_of(transfer->deltas, DELTAS_BYTES);
    for (size_t i = 0; i < count; i++) {
        struct sy_trie_change *change = &transfer->changes[i];
        uint8_t value[VALUE_BYTES];
        size_t size = 20 + (size_t)sy_prng_below(&transfer->prng, VALUE_BYTES - 19);
        struct sy_delta delta = {.key = change->key_hash, .op = SY_DELTA_REMOVE};
        if (change->present) {
            sy_prng_fill(&transfer->prng, value, size);
            delta.op = SY_DELTA_PUT;
            delta.value = sy_slice_of(value, size);
            sy_sha256(&change->value_hash, value, size);
        }
        sy_delta_write(&w, &delta);
    }
    assert_false(w.failed);
    return sy_writer_slice(&w);
}

/* Appends and certifies the state that the trie stands for. */
static void append(struct transfer *transfer, struct sy_block_write *block)
{
    static struct sy_certificate seals;
    uint8_t header_bytes[SY_HEADER_BYTES];
    uint8_t seal_bytes[2 + 66 * 4];
    struct sy_header header = {.protocol = SY_PROTOCOL_VERSION,
                               .height = block->height,
                               .time_ms = TEST_GENESIS_MS + (int64_t)block->height};
    struct sy_writer w = sy_writer_of(header_bytes, sizeof header_bytes);
    sy_trie_root(transfer->trie, &header.state_root);
    sy_header_encode(&w, &header);
    block->header = sy_writer_slice(&w);
    assert_int_equal(sy_ledger_append(transfer->from.store, block, 1, NULL), SY_OK);
    if (block->height == 0) return;
    struct sy_writer seal_w = sy_writer_of(seal_bytes, sizeof seal_bytes);
    test_certificate(&seals, &transfer->genesis, &header);
    sy_certificate_encode(&seal_w, &seals);
    struct sy_certificate_write write = {block->height, sy_writer_slice(&seal_w)};
    assert_int_equal(sy_ledger_put_certificates(transfer->from.store, &write, 1, NULL), SY_OK);
}

void transfer_block(struct transfer *transfer, size_t puts)
{
    sy_store *store = transfer->from.store;
    struct sy_state_source source = {transfer, source_get, source_scan};
    uint64_t height = sy_ledger_next(store);
    size_t count = draw_changes(transfer, puts);
    struct sy_block_write block = {.height = height, .deltas = pack(transfer, count)};
    sy_status status;
    if (height > 0) {
        assert_int_equal(sy_state_view_open(&transfer->view, store), SY_OK);
        status = sy_trie_update(transfer->trie, transfer->changes, count, &source);
        sy_state_view_close(transfer->view);
        assert_int_equal(status, SY_OK);
    }
    append(transfer, &block);
    while ((status = sy_state_apply(store, height, block.deltas, NULL)) == SY_ERR_BUSY) {
        assert_int_equal(sy_state_wait(store, -1), SY_OK);
    }
    assert_int_equal(status, SY_OK);
    if (height > 0) return;
    // The trie of block 0 is built from what the store shows.
    assert_int_equal(sy_state_view_open(&transfer->view, store), SY_OK);
    assert_int_equal(sy_trie_rebuild(transfer->trie, &source), SY_OK);
    sy_state_view_close(transfer->view);
}

void transfer_hold(struct transfer *transfer, size_t puts)
{
    sy_store *store = transfer->from.store;
    struct sy_trie_info info;
    do {
        transfer_block(transfer, puts);
        transfer->height = sy_ledger_height(store);
    } while (transfer->height == 0 || transfer->height % EVERY != 0);
    sy_snapshot_top_free(&transfer->top);
    assert_int_equal(sy_snapshot_top_take(&transfer->top, transfer->trie), SY_OK);
    sy_trie_root(transfer->trie, &transfer->root);
    sy_trie_get_info(transfer->trie, &info);
    transfer->entries = info.leaves;
    assert_int_equal(sy_state_flush(store, NULL), SY_OK);
    // The merger holds it just after the flush that waits for it has returned.
    while (sy_snapshot_height(store) != transfer->height) test_sleep_ms(10);
}

/* ---- on its way ---------------------------------------------------------------------------- */

void transfer_begin(struct transfer *transfer)
{
    struct sy_install install;
    sy_status status =
        sy_install_begin(transfer->to.store, &install, transfer->height, &transfer->root, NULL);
    assert_int_equal(status, SY_OK);
}

struct sy_slice transfer_cut(struct transfer *transfer)
{
    struct sy_install install;
    struct sy_state_source held = {transfer, NULL, held_scan};
    struct sy_writer w = sy_writer_of(transfer->frame, SY_FRAME_BYTES_MAX);
    sy_install_get(transfer->to.store, &install);
    assert_true(install.active && !install.whole);
    sy_status status = sy_chunk_make(&chunk, transfer->room, &transfer->hint, &transfer->top, &held,
                                     &install.next);
    assert_int_equal(status, SY_OK);
    sy_chunk_encode(&w, &chunk);
    assert_false(w.failed);
    return sy_writer_slice(&w);
}

bool transfer_take(struct transfer *transfer, struct sy_slice frame, bool *last)
{
    struct sy_hash behind;
    struct sy_reader r = sy_reader_of(frame);
    if (!sy_chunk_decode(&r, &chunk) || !sy_reader_done(&r)) return false;
    if (!sy_chunk_verify(&chunk, &transfer->root, NULL)) return false;
    *last = !sy_chunk_next(&behind, &chunk);
    sy_status status =
        sy_install_put(transfer->to.store, chunk.entries, *last ? NULL : &behind, NULL);
    if (status != SY_OK) return false;
    transfer->chunks++;
    transfer->bytes += frame.size;
    return true;
}

bool transfer_next(struct transfer *transfer)
{
    bool last = false;
    assert_true(transfer_take(transfer, transfer_cut(transfer), &last));
    return !last;
}

static sy_status to_get(void *self, struct sy_slice *value, const struct sy_hash *key_hash)
{
    return sy_state_get(((struct transfer *)self)->to.store, value, key_hash);
}

void transfer_state_root(struct transfer *transfer, struct sy_hash *root)
{
    struct sy_trie_info info;
    struct sy_state_source source = {transfer, to_get, source_scan};
    assert_int_equal(sy_state_view_open(&transfer->view, transfer->to.store), SY_OK);
    assert_int_equal(sy_state_view_height(transfer->view), transfer->height);
    assert_int_equal(sy_trie_rebuild(transfer->trie, &source), SY_OK);
    sy_state_view_close(transfer->view);
    sy_trie_root(transfer->trie, root);
    sy_trie_get_info(transfer->trie, &info);
    assert_int_equal(info.leaves, transfer->entries);
}

void transfer_finish(struct transfer *transfer)
{
    struct sy_hash root;
    sy_status status = sy_install_finish(transfer->to.store, sy_slice_of("header", 6),
                                         sy_slice_of("certificate", 11), NULL, 0, NULL);
    assert_int_equal(status, SY_OK);
    assert_int_equal(sy_ledger_base(transfer->to.store), transfer->height);
    transfer_state_root(transfer, &root);
    assert_memory_equal(root.bytes, transfer->root.bytes, 32);
}
