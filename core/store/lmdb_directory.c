/* The directory on LMDB: one ordered tree, each value with its checksum, in an environment of its
 * own that is written by a thread of its own. How far it came is written with every change, so a
 * crash leaves an older directory and the height from which it has to go on. */
#include "core/base/assert.h"
#include "core/store/lmdb_store.h"
#include "core/store/sum.h"

static struct sy_lmdb_env *directory_of(sy_store *store)
{
    return &sy_lmdb_of(store)->env[SY_ENV_DIRECTORY];
}

static uint64_t seed_of(const void *key, size_t size)
{
    return sy_sum(0x6469726563746f72u, key, size);
}

/* ---- writing ---------------------------------------------------------------------------- */

struct append {
    const struct sy_directory_write *writes;
    size_t count;
    uint64_t next, from;
};

static int write_entries(struct sy_lmdb_env *env, MDB_txn *txn, uint64_t counters[SY_ENV_COUNTERS],
                         void *context)
{
    const struct append *work = (const struct append *)context;
    for (size_t i = 0; i < work->count; i++) {
        struct sy_slice name = work->writes[i].key;
        MDB_val key = sy_lmdb_val(name.data, name.size);
        int rc = sy_lmdb_put_summed(txn, env->trees[SY_TREE_ENTRIES], &key,
                                    seed_of(name.data, name.size), work->writes[i].value, 0);
        if (rc) return rc;
    }
    counters[SY_DIRECTORY_NEXT] = work->next;
    counters[SY_DIRECTORY_FROM] = work->from;
    return MDB_SUCCESS;
}

sy_status sy_lmdb_directory_append(sy_store *store, const struct sy_directory_write *writes,
                                   size_t count, uint64_t next, uint64_t from, struct sy_error *err)
{
    struct append work = {writes, count, next, from};
    return sy_lmdb_write(directory_of(store), write_entries, NULL, &work, err);
}

static int drop_entries(struct sy_lmdb_env *env, MDB_txn *txn, uint64_t counters[SY_ENV_COUNTERS],
                        void *context)
{
    (void)context;
    counters[SY_DIRECTORY_NEXT] = counters[SY_DIRECTORY_FROM] = 0;
    return mdb_drop(txn, env->trees[SY_TREE_ENTRIES], 0);
}

sy_status sy_lmdb_directory_clear(sy_store *store, struct sy_error *err)
{
    return sy_lmdb_write(directory_of(store), drop_entries, NULL, NULL, err);
}

void sy_lmdb_directory_ready(struct sy_lmdb_store *lmdb)
{
    const uint64_t *counters = lmdb->env[SY_ENV_DIRECTORY].counters;
    lmdb->store.directory_durable = counters[SY_DIRECTORY_NEXT];
    atomic_store(&lmdb->store.directory_next, counters[SY_DIRECTORY_NEXT]);
    atomic_store(&lmdb->store.directory_from, counters[SY_DIRECTORY_FROM]);
}

/* ---- reading ---------------------------------------------------------------------------- */

/* Places the cursor on the first entry that is wanted. */
static int seek(MDB_cursor *cursor, MDB_val *key, MDB_val *stored, struct sy_slice prefix,
                struct sy_slice behind)
{
    struct sy_slice from = behind.size > 0 ? behind : prefix;
    if (from.size == 0) return mdb_cursor_get(cursor, key, stored, MDB_FIRST);
    *key = sy_lmdb_val(from.data, from.size);
    int rc = mdb_cursor_get(cursor, key, stored, MDB_SET_RANGE);
    bool same = rc == MDB_SUCCESS && behind.size > 0 && key->mv_size == behind.size &&
                memcmp(key->mv_data, behind.data, behind.size) == 0;
    return same ? mdb_cursor_get(cursor, key, stored, MDB_NEXT) : rc;
}

static sy_status walk(MDB_cursor *cursor, struct sy_slice prefix, struct sy_slice behind,
                      sy_directory_fn visit, void *user)
{
    MDB_val key, stored;
    int rc = seek(cursor, &key, &stored, prefix, behind);
    for (; rc == MDB_SUCCESS; rc = mdb_cursor_get(cursor, &key, &stored, MDB_NEXT)) {
        struct sy_slice value;
        bool under = key.mv_size >= prefix.size &&
                     (prefix.size == 0 || memcmp(key.mv_data, prefix.data, prefix.size) == 0);
        if (!under) return SY_OK;
        if (!sy_lmdb_unpack(&value, &stored, seed_of(key.mv_data, key.mv_size))) {
            return SY_ERR_CORRUPT;
        }
        if (!visit(user, sy_slice_of(key.mv_data, key.mv_size), value)) return SY_OK;
    }
    return rc == MDB_NOTFOUND ? SY_OK : sy_lmdb_status(rc);
}

sy_status sy_lmdb_directory_scan(sy_store_reader *reader, struct sy_slice prefix,
                                 struct sy_slice behind, sy_directory_fn visit, void *user)
{
    struct sy_lmdb_env *env = directory_of(reader->store);
    struct sy_lmdb_reader *impl = (struct sy_lmdb_reader *)reader->impl;
    MDB_cursor *cursor = NULL;
    if (env->env == NULL) return SY_OK; // a store that is only read has none
    SY_TRY(sy_lmdb_read_begin(env, &impl->directory));
    int rc = mdb_cursor_open(impl->directory, env->trees[SY_TREE_ENTRIES], &cursor);
    sy_status status = rc ? sy_lmdb_status(rc) : walk(cursor, prefix, behind, visit, user);
    if (!rc) mdb_cursor_close(cursor);
    sy_lmdb_read_end(env, impl->directory);
    return status;
}
