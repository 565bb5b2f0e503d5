/* lmdb_env.h: one LMDB environment: opening, durable transactions, reading, growing.
 *
 * Every commit is LMDB's default: the pages, fdatasync, then the meta page through an O_DSYNC
 * descriptor. MDB_NOSYNC, MDB_NOMETASYNC and MDB_WRITEMAP appear nowhere: a power cut would corrupt
 * the tree.
 *
 * The map grows by itself. A transaction that finds it full is thrown away; the gate closes (short
 * readers finish, new ones wait), before_grow lets go of long ones, the map doubles, after_grow may
 * take them up again, and the transaction runs again from its start. So a transaction's body must
 * be able to run twice.
 *
 * Every environment's main tree holds, beside its named trees, two packed values: "identity"
 * (format, kind, store id, genesis: written once) and "counters" (the owner's numbers, replaced in
 * every transaction; they cost no page of their own). */
#ifndef SY_STORE_LMDB_ENV_H
#define SY_STORE_LMDB_ENV_H

#include <lmdb.h>
#include <pthread.h>

#include "core/store/impl.h"

#define SY_STORE_FORMAT 6u
#define SY_ENV_COUNTERS 8u
#define SY_ENV_TREES_MAX 5u

struct sy_lmdb_env {
    sy_store *store;
    enum sy_store_env which;
    char path[4096];
    MDB_env *env;
    MDB_dbi main;
    MDB_dbi trees[SY_ENV_TREES_MAX];
    pthread_mutex_t writer; /* held for a transaction with its retries and its publish */
    pthread_rwlock_t gate;  /* read: the map stays; write: it moves */
    atomic_bool broken;     /* the map could not be made again: nothing can be read */
    uint64_t counters[SY_ENV_COUNTERS]; /* as committed; the writer's */
    void (*before_grow)(void *context); /* inside the closed gate: no transaction may stay */
    void (*after_grow)(void *context);
    void *grow_context;
};

/* What a transaction does. Returns an LMDB code; MDB_MAP_FULL makes it run again. counters start
 * as committed. */
typedef int (*sy_lmdb_body)(struct sy_lmdb_env *env, MDB_txn *txn,
                            uint64_t counters[SY_ENV_COUNTERS], void *context);
/* Runs after the commit, before the next transaction may begin. */
typedef void (*sy_lmdb_publish)(struct sy_lmdb_env *env, void *context);

struct sy_lmdb_plan {
    enum sy_store_env which;
    const char *path;         /* folder */
    const char *const *trees; /* names, NULL-terminated */
    uint64_t map_bytes;
    bool create;
    bool read_only;
};

/* sy_lmdb_open opens or makes the environment and its trees; with create it writes the identity.
 * A file that is shorter than its meta page says is SY_ERR_CORRUPT. */
sy_status sy_lmdb_open(struct sy_lmdb_env *env, sy_store *store, const struct sy_lmdb_plan *plan,
                       struct sy_error *err);
void sy_lmdb_close(struct sy_lmdb_env *env); /* a zeroed one is fine */

/* sy_lmdb_write runs one durable transaction: everything in it is durable, or nothing of it
 * happened. */
sy_status sy_lmdb_write(struct sy_lmdb_env *env, sy_lmdb_body body, sy_lmdb_publish publish,
                        void *context, struct sy_error *err);

/* Between sy_lmdb_hold, which waits for the transaction under way, and sy_lmdb_release no other
 * runs. */
void sy_lmdb_hold(struct sy_lmdb_env *env);
void sy_lmdb_release(struct sy_lmdb_env *env);

/* sy_lmdb_read_begin enters the gate and makes *txn (NULL at first) a read transaction on the
 * newest commit; sy_lmdb_read_end resets it, keeps its memory and leaves the gate. The two may be
 * taken apart: enter, renew, leave, and later reset, for a snapshot that outlives the gate. */
sy_status sy_lmdb_read_begin(struct sy_lmdb_env *env, MDB_txn **txn);
void sy_lmdb_read_end(struct sy_lmdb_env *env, MDB_txn *txn);
void sy_lmdb_enter(struct sy_lmdb_env *env);
void sy_lmdb_leave(struct sy_lmdb_env *env);
sy_status sy_lmdb_renew(struct sy_lmdb_env *env, MDB_txn **txn);

/* sy_lmdb_counters reads the committed counters inside a read transaction. */
sy_status sy_lmdb_counters(struct sy_lmdb_env *env, MDB_txn *txn,
                           uint64_t counters[SY_ENV_COUNTERS]);

/* sy_lmdb_status turns a code of a read into a status. */
sy_status sy_lmdb_status(int rc);

/* sy_lmdb_sizes gives the file's and the map's size. */
void sy_lmdb_sizes(struct sy_lmdb_env *env, uint64_t *file_bytes, uint64_t *map_bytes);

/* Values with their checksum in front: put reserves and fills, unpack checks. flags as mdb_put. */
int sy_lmdb_put_summed(MDB_txn *txn, MDB_dbi tree, MDB_val *key, uint64_t seed,
                       struct sy_slice value, unsigned flags);
bool sy_lmdb_unpack(struct sy_slice *value, const MDB_val *stored, uint64_t seed);

/* One packed value in the main tree, beside identity and counters. get: SY_ERR_NOT_FOUND, or
 * SY_ERR_CORRUPT when it is damaged or of another size. */
int sy_lmdb_put_main(struct sy_lmdb_env *env, MDB_txn *txn, const char *name, uint64_t seed,
                     const void *data, size_t size);
int sy_lmdb_drop_main(struct sy_lmdb_env *env, MDB_txn *txn, const char *name);
sy_status sy_lmdb_get_main(struct sy_lmdb_env *env, MDB_txn *txn, struct sy_slice *value,
                           const char *name, uint64_t seed, size_t size);

static inline MDB_val sy_lmdb_val(const void *data, size_t size)
{
    MDB_val val = {size, (void *)(uintptr_t)data};
    return val;
}

#endif
