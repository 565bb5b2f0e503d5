/* The places of notices on LMDB: an index like that of transactions (lmdb_index.h), in an
 * environment of its own and written by a thread of its own, so that no block waits for it.
 *
 *   runs, directory: lmdb_index.c
 *
 * What is in no run is in memory alone: after a restart the caller offers it again, from the place
 * that the counters name. So most blocks write nothing, and a run's worth of places is one
 * transaction. */
#include "core/base/assert.h"
#include "core/store/lmdb_store.h"

static struct sy_lmdb_env *notices_of(sy_store *store)
{
    return &sy_lmdb_of(store)->env[SY_ENV_NOTICES];
}

/* ---- writing ---------------------------------------------------------------------------- */

struct notices_append {
    uint64_t height;
    size_t staged;
};

static int write_places(struct sy_lmdb_env *env, MDB_txn *txn, uint64_t counters[SY_ENV_COUNTERS],
                        void *context)
{
    const struct notices_append *work = (const struct notices_append *)context;
    struct sy_tx_index *index = &sy_lmdb_of(env->store)->notices;
    struct sy_tx_position first = {work->height + 1, 0};
    int rc = sy_tx_index_write(index, env, txn, work->staged);
    (void)sy_tx_index_first(index, &first, work->staged);
    counters[SY_NOTICES_HEIGHT] = first.height;
    counters[SY_NOTICES_INDEX] = first.index;
    return rc;
}

static void publish_places(struct sy_lmdb_env *env, void *context)
{
    const struct notices_append *work = (const struct notices_append *)context;
    sy_tx_index_publish(&sy_lmdb_of(env->store)->notices, work->staged);
}

sy_status sy_lmdb_notices_append(sy_store *store, uint64_t height,
                                 const struct sy_notice_place *places, size_t count,
                                 struct sy_error *err)
{
    struct sy_lmdb_env *env = notices_of(store);
    struct sy_tx_index *index = &sy_lmdb_of(store)->notices;
    struct notices_append work = {height, index->count};
    for (size_t i = 0; i < count; i++) {
        // What a run has was offered before the restart. A receipt whose events a run parts comes
        // twice, which finding evens out.
        bool in_run = height == env->counters[SY_NOTICES_HEIGHT] &&
                      places[i].index < env->counters[SY_NOTICES_INDEX];
        if (in_run) continue;
        sy_status status =
            sy_tx_index_add(index, &work.staged, height, &places[i].name, places[i].index);
        if (status != SY_OK) return sy_fail(err, status, "notices: no memory for the index");
    }
    if (work.staged < index->recent_max) {
        sy_tx_index_keep(index, work.staged);
        return SY_OK;
    }
    return sy_lmdb_write(env, write_places, publish_places, &work, err);
}

/* ---- pruning ---------------------------------------------------------------------------- */

static int write_prune(struct sy_lmdb_env *env, MDB_txn *txn, uint64_t counters[SY_ENV_COUNTERS],
                       void *context)
{
    (void)counters;
    return sy_tx_index_prune(&sy_lmdb_of(env->store)->notices, env, txn,
                             *(const uint64_t *)context);
}

static void publish_prune(struct sy_lmdb_env *env, void *context)
{
    struct sy_tx_index *index = &sy_lmdb_of(env->store)->notices;
    (void)context;
    index->directory = index->draft;
}

sy_status sy_lmdb_notices_prune(sy_store *store, uint64_t pruned, struct sy_error *err)
{
    if (!sy_tx_index_stale(&sy_lmdb_of(store)->notices, pruned)) return SY_OK;
    return sy_lmdb_write(notices_of(store), write_prune, publish_prune, &pruned, err);
}

/* ---- reading ---------------------------------------------------------------------------- */

sy_status sy_lmdb_notices_find(sy_store_reader *reader, struct sy_buffer *positions,
                               const struct sy_hash *name, bool recent)
{
    struct sy_lmdb_store *lmdb = sy_lmdb_of(reader->store);
    struct sy_lmdb_env *env = &lmdb->env[SY_ENV_NOTICES];
    struct sy_lmdb_reader *impl = (struct sy_lmdb_reader *)reader->impl;
    if (lmdb->notices.recent_max == 0) return SY_OK;
    // Memory first: an entry that moves into a run meanwhile is then found in one or the other.
    SY_TRY(sy_tx_index_find_recent(&lmdb->notices, positions, name));
    if (recent) return SY_OK;
    SY_TRY(sy_lmdb_read_begin(env, &impl->notices));
    sy_status status = sy_tx_index_find_runs(&lmdb->notices, env, impl->notices, positions, name);
    sy_lmdb_read_end(env, impl->notices);
    return status;
}

/* ---- opening ---------------------------------------------------------------------------- */

sy_status sy_lmdb_notices_ready(struct sy_lmdb_store *lmdb, struct sy_error *err)
{
    struct sy_lmdb_env *env = &lmdb->env[SY_ENV_NOTICES];
    MDB_txn *txn = NULL;
    sy_status status = sy_tx_index_open(&lmdb->notices, lmdb->store.config.recent_txs);
    if (status != SY_OK) return sy_fail(err, status, "notices: no memory for the index");
    status = sy_lmdb_read_begin(env, &txn);
    if (status == SY_OK) {
        status = sy_tx_index_load(&lmdb->notices, env, txn);
        sy_lmdb_read_end(env, txn);
        mdb_txn_abort(txn);
    }
    if (status != SY_OK) {
        return sy_fail(err, status,
                       "%s: the index of notices cannot be read (%s); remove that folder: it is "
                       "made again from the ledger",
                       env->path, sy_status_name(status));
    }
    atomic_store(&lmdb->store.notices_next, env->counters[SY_NOTICES_HEIGHT]);
    return SY_OK;
}
