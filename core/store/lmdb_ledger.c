/* The ledger on LMDB.
 *
 *   blocks        u64 height | u8 part (big-endian)  ->  sum | bytes
 *   certificates  u64 height                         ->  sum | bytes
 *   runs, directory: lmdb_index.c
 *
 * Everything of a block but its certificate is appended in key order (MDB_APPEND), large parts on
 * pages of their own. Nothing here is written twice but the tx index's runs. Pruning (prune.c)
 * deletes every part but the header, in order, so that what it frees lies together. */
#include "core/base/assert.h"
#include "core/store/lmdb_store.h"
#include "core/store/sum.h"

static struct sy_lmdb_env *ledger_of(sy_store *store)
{
    return &sy_lmdb_of(store)->env[SY_ENV_LEDGER];
}

/* ---- parts ------------------------------------------------------------------------------ */

#define PART_KEY_BYTES 9u

static uint64_t part_seed(uint64_t height, enum sy_block_part which)
{
    return height << 4 ^ (uint64_t)which;
}

// The key of a part, in packed, and the tree that it stands in.
static MDB_dbi place_part(struct sy_lmdb_env *env, MDB_val *key, uint8_t packed[PART_KEY_BYTES],
                          uint64_t height, enum sy_block_part which)
{
    bool certificate = which == SY_BLOCK_CERTIFICATE;
    sy_store_u64_be(packed, height);
    packed[8] = (uint8_t)which;
    *key = sy_lmdb_val(packed, certificate ? 8 : PART_KEY_BYTES);
    return env->trees[certificate ? SY_TREE_CERTIFICATES : SY_TREE_BLOCKS];
}

int sy_lmdb_block_part(struct sy_lmdb_env *env, MDB_txn *txn, MDB_val *stored, uint64_t height,
                       enum sy_block_part which)
{
    uint8_t packed[PART_KEY_BYTES];
    MDB_val key;
    MDB_dbi tree = place_part(env, &key, packed, height, which);
    return mdb_get(txn, tree, &key, stored);
}

int sy_lmdb_put_part(struct sy_lmdb_env *env, MDB_txn *txn, uint64_t height,
                     enum sy_block_part which, struct sy_slice part, unsigned flags)
{
    uint8_t packed[PART_KEY_BYTES];
    MDB_val key;
    MDB_dbi tree = place_part(env, &key, packed, height, which);
    return sy_lmdb_put_summed(txn, tree, &key, part_seed(height, which), part, flags);
}

/* ---- appending -------------------------------------------------------------------------- */

struct append {
    const struct sy_block_write *blocks;
    size_t count;
    size_t staged; /* entries of the tx index, those in memory included */
};

static int put_block(struct sy_lmdb_env *env, MDB_txn *txn, const struct sy_block_write *block)
{
    const struct sy_slice parts[] = {
        [SY_BLOCK_HEADER] = block->header,
        [SY_BLOCK_ORDER] = block->order,
        [SY_BLOCK_RECEIPTS] = block->receipts,
        [SY_BLOCK_DELTAS] = block->deltas,
        [SY_BLOCK_TX_IDS] = sy_slice_of(block->tx_ids, block->tx_count * 32),
    };
    for (uint8_t part = 0; part < sizeof parts / sizeof parts[0]; part++) {
        int rc = sy_lmdb_put_part(env, txn, block->height, (enum sy_block_part)part, parts[part],
                                  MDB_APPEND);
        if (rc) return rc;
    }
    return MDB_SUCCESS;
}

static int write_blocks(struct sy_lmdb_env *env, MDB_txn *txn, uint64_t counters[SY_ENV_COUNTERS],
                        void *context)
{
    const struct append *work = (const struct append *)context;
    struct sy_lmdb_store *lmdb = sy_lmdb_of(env->store);
    for (size_t i = 0; i < work->count; i++) {
        int rc = put_block(env, txn, &work->blocks[i]);
        if (rc) return rc;
    }
    int rc = sy_tx_index_write(&lmdb->index, env, txn, work->staged);
    if (rc) return rc;
    uint64_t next = work->blocks[work->count - 1].height + 1;
    struct sy_tx_position first = {next, 0};
    (void)sy_tx_index_first(&lmdb->index, &first, work->staged);
    counters[SY_LEDGER_NEXT] = next;
    counters[SY_LEDGER_RUN_HEIGHT] = first.height;
    counters[SY_LEDGER_RUN_INDEX] = first.index;
    counters[SY_LEDGER_VOTES_COMMITS] = atomic_load(&lmdb->votes_commits);
    return MDB_SUCCESS;
}

static void publish_blocks(struct sy_lmdb_env *env, void *context)
{
    const struct append *work = (const struct append *)context;
    sy_tx_index_publish(&sy_lmdb_of(env->store)->index, work->staged);
    atomic_store_explicit(&env->store->next, env->counters[SY_LEDGER_NEXT], memory_order_release);
}

sy_status sy_lmdb_ledger_append(sy_store *store, const struct sy_block_write *blocks, size_t count,
                                struct sy_error *err)
{
    struct sy_tx_index *index = &sy_lmdb_of(store)->index;
    struct append work = {blocks, count, index->count};
    for (size_t i = 0; i < count; i++) {
        sy_status status = sy_tx_index_stage(index, &work.staged, blocks[i].height,
                                             blocks[i].tx_ids, blocks[i].tx_count, 0);
        if (status != SY_OK) return sy_fail(err, status, "ledger: no memory for the tx index");
    }
    return sy_lmdb_write(ledger_of(store), write_blocks, publish_blocks, &work, err);
}

/* ---- certificates ----------------------------------------------------------------------- */

struct certify {
    const struct sy_certificate_write *writes;
    size_t count;
};

static int put_certificate(struct sy_lmdb_env *env, MDB_txn *txn,
                           const struct sy_certificate_write *write)
{
    int rc = sy_lmdb_put_part(env, txn, write->height, SY_BLOCK_CERTIFICATE, write->certificate,
                              MDB_NOOVERWRITE);
    return rc == MDB_KEYEXIST ? MDB_SUCCESS : rc;
}

static int write_certificates(struct sy_lmdb_env *env, MDB_txn *txn,
                              uint64_t counters[SY_ENV_COUNTERS], void *context)
{
    const struct certify *work = (const struct certify *)context;
    for (size_t i = 0; i < work->count; i++) {
        int rc = put_certificate(env, txn, &work->writes[i]);
        if (rc) return rc;
    }
    for (;;) {
        MDB_val value;
        int rc = sy_lmdb_block_part(env, txn, &value, counters[SY_LEDGER_CERTIFIED] + 1,
                                    SY_BLOCK_CERTIFICATE);
        if (rc) return rc == MDB_NOTFOUND ? MDB_SUCCESS : rc;
        counters[SY_LEDGER_CERTIFIED]++;
    }
}

static void publish_certificates(struct sy_lmdb_env *env, void *context)
{
    (void)context;
    atomic_store_explicit(&env->store->certified, env->counters[SY_LEDGER_CERTIFIED],
                          memory_order_release);
}

sy_status sy_lmdb_put_certificates(sy_store *store, const struct sy_certificate_write *writes,
                                   size_t count, struct sy_error *err)
{
    struct certify work = {writes, count};
    return sy_lmdb_write(ledger_of(store), write_certificates, publish_certificates, &work, err);
}

/* ---- reading ---------------------------------------------------------------------------- */

static sy_status copy_part(struct sy_lmdb_env *env, MDB_txn *txn, struct sy_buffer *out,
                           uint64_t height, enum sy_block_part which)
{
    MDB_val stored;
    struct sy_slice part;
    int rc = sy_lmdb_block_part(env, txn, &stored, height, which);
    // The caller has seen that the block exists; only its certificate may be missing. Or pruning
    // overtook the question: the mark is published before anything goes.
    if (rc == MDB_NOTFOUND && height < sy_ledger_pruned(env->store)) return SY_ERR_PRUNED;
    if (rc == MDB_NOTFOUND && which != SY_BLOCK_CERTIFICATE) return SY_ERR_CORRUPT;
    if (rc) return sy_lmdb_status(rc);
    if (!sy_lmdb_unpack(&part, &stored, part_seed(height, which))) return SY_ERR_CORRUPT;
    return sy_buffer_set(out, part.data, part.size);
}

sy_status sy_lmdb_ledger_get(sy_store_reader *reader, struct sy_buffer *out, uint64_t height,
                             enum sy_block_part which)
{
    struct sy_lmdb_env *env = ledger_of(reader->store);
    struct sy_lmdb_reader *impl = (struct sy_lmdb_reader *)reader->impl;
    SY_TRY(sy_lmdb_read_begin(env, &impl->ledger));
    sy_status status = copy_part(env, impl->ledger, out, height, which);
    sy_lmdb_read_end(env, impl->ledger);
    return status;
}

// Keeps the candidates whose block really has the id in that place.
static sy_status keep_true(struct sy_lmdb_env *env, MDB_txn *txn, struct sy_buffer *candidates,
                           const struct sy_hash *tx_id)
{
    struct sy_tx_position *all = (struct sy_tx_position *)(void *)candidates->data;
    size_t count = candidates->size / sizeof *all;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        MDB_val ids;
        int rc = sy_lmdb_block_part(env, txn, &ids, all[i].height, SY_BLOCK_TX_IDS);
        // The index forgets a run at a time, the blocks one by one.
        if (all[i].height < sy_ledger_pruned(env->store)) continue;
        if (rc) return rc == MDB_NOTFOUND ? SY_ERR_CORRUPT : sy_lmdb_status(rc);
        size_t offset = SY_SUM_BYTES + 32 * (size_t)all[i].index;
        if (offset + 32 > ids.mv_size) return SY_ERR_CORRUPT;
        bool same = memcmp((const uint8_t *)ids.mv_data + offset, tx_id->bytes, 32) == 0;
        if (same) all[kept++] = all[i];
    }
    candidates->size = kept * sizeof *all;
    return SY_OK;
}

sy_status sy_lmdb_find_tx(sy_store_reader *reader, struct sy_buffer *positions,
                          const struct sy_hash *tx_id)
{
    struct sy_lmdb_env *env = ledger_of(reader->store);
    struct sy_lmdb_reader *impl = (struct sy_lmdb_reader *)reader->impl;
    // Memory first: an entry that moves into a run meanwhile is then found in one or the other.
    struct sy_tx_index *index = &sy_lmdb_of(reader->store)->index;
    SY_TRY(sy_tx_index_find_recent(index, positions, tx_id));
    SY_TRY(sy_lmdb_read_begin(env, &impl->ledger));
    sy_status status = sy_tx_index_find_runs(index, env, impl->ledger, positions, tx_id);
    if (status == SY_OK) status = keep_true(env, impl->ledger, positions, tx_id);
    sy_lmdb_read_end(env, impl->ledger);
    return status;
}

/* ---- pruning ---------------------------------------------------------------------------- */

static int write_mark(struct sy_lmdb_env *env, MDB_txn *txn, uint64_t counters[SY_ENV_COUNTERS],
                      void *context)
{
    (void)env;
    (void)txn;
    counters[SY_LEDGER_PRUNED] = *(const uint64_t *)context;
    return MDB_SUCCESS;
}

static int drop_parts(struct sy_lmdb_env *env, MDB_txn *txn, uint64_t height)
{
    for (uint8_t part = SY_BLOCK_HEADER + 1; part < SY_BLOCK_CERTIFICATE; part++) {
        uint8_t packed[PART_KEY_BYTES];
        MDB_val key;
        MDB_dbi tree = place_part(env, &key, packed, height, (enum sy_block_part)part);
        int rc = mdb_del(txn, tree, &key, NULL);
        if (rc && rc != MDB_NOTFOUND) return rc;
    }
    return MDB_SUCCESS;
}

static int write_sweep(struct sy_lmdb_env *env, MDB_txn *txn, uint64_t counters[SY_ENV_COUNTERS],
                       void *context)
{
    uint64_t to = *(const uint64_t *)context;
    for (uint64_t height = counters[SY_LEDGER_SWEPT]; height < to; height++) {
        int rc = drop_parts(env, txn, height);
        if (rc) return rc;
    }
    counters[SY_LEDGER_SWEPT] = to;
    return sy_tx_index_prune(&sy_lmdb_of(env->store)->index, env, txn, to);
}

static void publish_mark(struct sy_lmdb_env *env, void *context)
{
    (void)context;
    atomic_store_explicit(&env->store->pruned, env->counters[SY_LEDGER_PRUNED],
                          memory_order_release);
}

static void publish_sweep(struct sy_lmdb_env *env, void *context)
{
    struct sy_tx_index *index = &sy_lmdb_of(env->store)->index;
    (void)context;
    index->directory = index->draft;
    atomic_store(&env->store->swept, env->counters[SY_LEDGER_SWEPT]);
}

sy_status sy_lmdb_prune_mark(sy_store *store, uint64_t pruned, struct sy_error *err)
{
    return sy_lmdb_write(ledger_of(store), write_mark, publish_mark, &pruned, err);
}

sy_status sy_lmdb_prune_sweep(sy_store *store, uint64_t to, struct sy_error *err)
{
    return sy_lmdb_write(ledger_of(store), write_sweep, publish_sweep, &to, err);
}

/* ---- opening ---------------------------------------------------------------------------- */

static sy_status stage_block(struct sy_lmdb_store *lmdb, MDB_txn *txn, size_t *staged,
                             uint64_t height, size_t skip)
{
    struct sy_lmdb_env *env = &lmdb->env[SY_ENV_LEDGER];
    MDB_val stored;
    struct sy_slice ids;
    int rc = sy_lmdb_block_part(env, txn, &stored, height, SY_BLOCK_TX_IDS);
    if (rc) return rc == MDB_NOTFOUND ? SY_ERR_CORRUPT : sy_lmdb_status(rc);
    bool whole = sy_lmdb_unpack(&ids, &stored, part_seed(height, SY_BLOCK_TX_IDS));
    if (!whole || ids.size % 32 != 0) return SY_ERR_CORRUPT;
    return sy_tx_index_stage(&lmdb->index, staged, height,
                             (const struct sy_hash *)(const void *)ids.data, ids.size / 32, skip);
}

sy_status sy_lmdb_ledger_ready(struct sy_lmdb_store *lmdb, struct sy_error *err)
{
    struct sy_lmdb_env *env = &lmdb->env[SY_ENV_LEDGER];
    MDB_txn *txn = NULL;
    size_t staged = 0;
    uint64_t height = env->counters[SY_LEDGER_RUN_HEIGHT];
    size_t skip = env->counters[SY_LEDGER_RUN_INDEX];
    if (height < env->counters[SY_LEDGER_PRUNED]) {
        height = env->counters[SY_LEDGER_PRUNED];
        skip = 0;
    }
    sy_status status = sy_lmdb_read_begin(env, &txn);
    if (status == SY_OK) {
        status = sy_tx_index_load(&lmdb->index, env, txn);
        lmdb->index.draft = lmdb->index.directory;
        for (; status == SY_OK && height < env->counters[SY_LEDGER_NEXT]; height++, skip = 0) {
            status = stage_block(lmdb, txn, &staged, height, skip);
        }
        sy_lmdb_read_end(env, txn);
        mdb_txn_abort(txn);
    }
    if (status != SY_OK) {
        return sy_fail(err, status,
                       "%s: the list of transactions at block %llu cannot be read (%s); restore "
                       "the store from a backup",
                       env->path, (unsigned long long)height, sy_status_name(status));
    }
    sy_tx_index_publish(&lmdb->index, staged);
    return SY_OK;
}
