/* A state from elsewhere on LMDB (install.c).
 *
 * Entries go straight into the state's B-tree, appended in key order; how far they are stands in
 * the same transactions, as "install" in the environment's main tree:
 *
 *   install  sum | u64 height | 32 root | 32 next key | u8 whole
 *
 * At the end the ledger begins at the height first, then the state calls itself complete and
 * forgets the record. A crash between the two leaves a ledger at the record's height beside a state
 * that is whole, and opening does the rest. */
#include "core/base/assert.h"
#include "core/store/lmdb_store.h"
#include "core/store/sum.h"
#include "core/wire/delta.h"

#define RECORD_BYTES (8u + 32u + 32u + 1u)
#define RECORD_SEED 0x696e7374616c6c73u

static const char record_name[] = "install";

struct put {
    struct sy_slice entries;
    const struct sy_install *install;
};

static struct sy_lmdb_env *state_env(sy_store *store)
{
    return &sy_lmdb_of(store)->env[SY_ENV_STATE];
}

static int put_record(struct sy_lmdb_env *env, MDB_txn *txn, const struct sy_install *install)
{
    uint8_t packed[RECORD_BYTES];
    sy_store_u64(packed, install->height);
    memcpy(packed + 8, install->root.bytes, 32);
    memcpy(packed + 40, install->next.bytes, 32);
    packed[72] = install->whole;
    return sy_lmdb_put_main(env, txn, record_name, RECORD_SEED, packed, sizeof packed);
}

/* ---- filling ---------------------------------------------------------------------------- */

static int write_begin(struct sy_lmdb_env *env, MDB_txn *txn, uint64_t counters[SY_ENV_COUNTERS],
                       void *context)
{
    (void)counters;
    int rc = mdb_drop(txn, env->trees[SY_TREE_STATE], 0);
    return rc ? rc : put_record(env, txn, (const struct sy_install *)context);
}

static int write_put(struct sy_lmdb_env *env, MDB_txn *txn, uint64_t counters[SY_ENV_COUNTERS],
                     void *context)
{
    const struct put *put = (const struct put *)context;
    struct sy_delta_reader reader = sy_delta_reader_of(put->entries);
    struct sy_delta entry;
    (void)counters;
    while (sy_delta_next(&reader, &entry)) {
        MDB_val key = sy_lmdb_val(entry.key.bytes, 32);
        int rc = sy_lmdb_put_summed(txn, env->trees[SY_TREE_STATE], &key,
                                    sy_lmdb_value_seed(entry.key.bytes), entry.value, MDB_APPEND);
        if (rc) return rc;
    }
    return put_record(env, txn, put->install);
}

sy_status sy_lmdb_install_begin(sy_store *store, const struct sy_install *install,
                                struct sy_error *err)
{
    struct sy_install copy = *install;
    return sy_lmdb_write(state_env(store), write_begin, NULL, &copy, err);
}

sy_status sy_lmdb_install_put(sy_store *store, struct sy_slice entries,
                              const struct sy_install *install, struct sy_error *err)
{
    struct put put = {entries, install};
    return sy_lmdb_write(state_env(store), write_put, NULL, &put, err);
}

/* ---- the end ---------------------------------------------------------------------------- */

struct finish {
    const struct sy_header_write *base;
    const struct sy_header_write *earlier;
    size_t earlier_count;
};

static int put_header(struct sy_lmdb_env *env, MDB_txn *txn, const struct sy_header_write *write)
{
    int rc = sy_lmdb_put_part(env, txn, write->height, SY_BLOCK_HEADER, write->header, 0);
    if (rc) return rc;
    return sy_lmdb_put_part(env, txn, write->height, SY_BLOCK_CERTIFICATE, write->certificate, 0);
}

static int write_ledger(struct sy_lmdb_env *env, MDB_txn *txn, uint64_t counters[SY_ENV_COUNTERS],
                        void *context)
{
    const struct finish *finish = (const struct finish *)context;
    uint64_t height = finish->base->height;
    for (size_t i = 0; i < finish->earlier_count; i++) {
        int rc = put_header(env, txn, &finish->earlier[i]);
        if (rc) return rc;
    }
    counters[SY_LEDGER_NEXT] = height + 1;
    counters[SY_LEDGER_CERTIFIED] = height;
    counters[SY_LEDGER_VOTES_COMMITS] = atomic_load(&sy_lmdb_of(env->store)->votes_commits);
    counters[SY_LEDGER_RUN_HEIGHT] = height + 1;
    counters[SY_LEDGER_RUN_INDEX] = 0;
    counters[SY_LEDGER_PRUNED] = height + 1;
    counters[SY_LEDGER_SWEPT] = height + 1;
    counters[SY_LEDGER_BASE] = height;
    return put_header(env, txn, finish->base);
}

static int write_state(struct sy_lmdb_env *env, MDB_txn *txn, uint64_t counters[SY_ENV_COUNTERS],
                       void *context)
{
    uint64_t height = *(const uint64_t *)context;
    counters[SY_STATE_COMPLETE] = height + 1;
    counters[SY_STATE_TARGET] = height + 1;
    return sy_lmdb_drop_main(env, txn, record_name);
}

// Nothing is in the generations, and nobody looks: the state is opened where it is now.
static sy_status reopen_state(struct sy_lmdb_store *lmdb, struct sy_error *err)
{
    sy_state_close(lmdb->store.state);
    lmdb->store.state = NULL;
    uint64_t complete = lmdb->env[SY_ENV_STATE].counters[SY_STATE_COMPLETE];
    SY_TRY(sy_state_open(&lmdb->store.state, &lmdb->store, &sy_lmdb_state_ops, lmdb, complete, true,
                         err));
    return sy_state_start(lmdb->store.state, err);
}

sy_status sy_lmdb_install_finish(sy_store *store, const struct sy_header_write *base,
                                 const struct sy_header_write *earlier, size_t earlier_count,
                                 struct sy_error *err)
{
    struct sy_lmdb_store *lmdb = sy_lmdb_of(store);
    struct finish finish = {base, earlier, earlier_count};
    uint64_t height = base->height;
    SY_TRY(sy_lmdb_write(&lmdb->env[SY_ENV_LEDGER], write_ledger, NULL, &finish, err));
    SY_TRY(sy_lmdb_write(state_env(store), write_state, NULL, &height, err));
    sy_lmdb_publish_counters(lmdb);
    return reopen_state(lmdb, err);
}

/* ---- opening ---------------------------------------------------------------------------- */

static sy_status read_record(struct sy_lmdb_env *env, struct sy_install *install)
{
    MDB_txn *txn = NULL;
    struct sy_slice packed;
    SY_TRY(sy_lmdb_read_begin(env, &txn));
    sy_status status = sy_lmdb_get_main(env, txn, &packed, record_name, RECORD_SEED, RECORD_BYTES);
    if (status == SY_OK) {
        install->active = true;
        install->height = sy_load_u64(packed.data);
        memcpy(install->root.bytes, packed.data + 8, 32);
        memcpy(install->next.bytes, packed.data + 40, 32);
        install->whole = packed.data[72] != 0;
    }
    sy_lmdb_read_end(env, txn);
    mdb_txn_abort(txn);
    return status == SY_ERR_NOT_FOUND ? SY_OK : status;
}

sy_status sy_lmdb_install_load(struct sy_lmdb_store *lmdb, struct sy_error *err)
{
    struct sy_install *install = &lmdb->store.install;
    sy_status status = read_record(&lmdb->env[SY_ENV_STATE], install);
    if (status != SY_OK) {
        return sy_fail(err, status, "%s: the record of a state from peers cannot be read (%s)",
                       lmdb->env[SY_ENV_STATE].path, sy_status_name(status));
    }
    atomic_store(&lmdb->store.installing, install->active);
    return SY_OK;
}

sy_status sy_lmdb_install_end(struct sy_lmdb_store *lmdb, struct sy_error *err)
{
    struct sy_install *install = &lmdb->store.install;
    const uint64_t *ledger = lmdb->env[SY_ENV_LEDGER].counters;
    uint64_t height = install->height;
    if (!install->active || ledger[SY_LEDGER_NEXT] == 0) return SY_OK;
    if (!install->whole || ledger[SY_LEDGER_BASE] != height) {
        return sy_fail(err, SY_ERR_CORRUPT,
                       "%s: it holds part of the state of block %llu from peers, but the ledger "
                       "began without it: remove the store's folder and make it anew",
                       lmdb->env[SY_ENV_STATE].path, (unsigned long long)height);
    }
    SY_TRY(sy_lmdb_write(&lmdb->env[SY_ENV_STATE], write_state, NULL, &height, err));
    *install = (struct sy_install){.active = false};
    atomic_store(&lmdb->store.installing, false);
    return SY_OK;
}
