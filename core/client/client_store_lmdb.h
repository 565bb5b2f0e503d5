/* client_store_lmdb.h: the trees of the client's store, and the only client file that knows LMDB.
 *
 * One environment, named trees of sorted keys. A process that writes holds the folder's lock (one
 * importer at a time) and always has one write transaction open, which sees its own writes;
 * sy_client_db_commit makes all of it durable at once (LMDB's default: pages, fdatasync, then the
 * meta page) and begins the next. What was not committed never happened. Readers in other
 * processes (record verify, get) open read-only and see the newest commit.
 *
 * The map grows by itself between transactions. After commits its clean pages are given back to
 * the system, so that a large store does not count as the client's memory.
 *
 * Failpoints (core/base/os.h): client.commit before a commit, client.committed after one. */
#ifndef SY_CLIENT_CLIENT_STORE_LMDB_H
#define SY_CLIENT_CLIENT_STORE_LMDB_H

#include <stdbool.h>

#include "core/base/bytes.h"

enum sy_client_tree {
    SY_TREE_META,     /* name -> format, genesis, secret, counters, the run */
    SY_TREE_THINGS,   /* label -> row of a record, organisation, patient, ... */
    SY_TREE_VERSIONS, /* label | u32 version, big-endian -> row of a superseded version */
    SY_TREE_NONCES,   /* key -> u64 next nonce */
    SY_TREE_QUEUE,    /* u64 seq, big-endian -> an undecided transaction, signed */
    SY_TREE_DONE,     /* u64 seq, big-endian -> a decided one: height, code, receipt proof */
    SY_TREE_HEADERS,  /* u64 height, big-endian -> header, certificate */
    SY_TREE_CURSORS,  /* label of an input -> how far it was read */
    SY_TREE_DEFERRED, /* label of an input | u64 offset, big-endian -> a document to read again */
    SY_CLIENT_TREES
};

typedef struct sy_client_db sy_client_db;

enum sy_client_db_mode {
    SY_CLIENT_DB_WRITE, /* makes the folder (0700) and takes its lock */
    SY_CLIENT_DB_READ   /* the store must exist */
};

/* sy_client_db_open opens the environment in the folder path. SY_ERR_BUSY: another process writes
 * to it; SY_ERR_NOT_FOUND (READ): there is none. */
sy_status sy_client_db_open(sy_client_db **db, const char *path, enum sy_client_db_mode mode,
                            struct sy_error *err);

/* sy_client_db_close throws away what was not committed. NULL is fine. */
void sy_client_db_close(sy_client_db *db);

/* sy_client_db_get finds a value; borrowed until the next put, remove, commit or refresh.
 * SY_ERR_NOT_FOUND: no such key. */
sy_status sy_client_db_get(sy_client_db *db, struct sy_slice *value, enum sy_client_tree tree,
                           struct sy_slice key, struct sy_error *err);

/* sy_client_db_seek finds the first key >= from (an empty one: the very first). Both are borrowed
 * as by get. SY_ERR_NOT_FOUND: there is none. */
sy_status sy_client_db_seek(sy_client_db *db, struct sy_slice *key, struct sy_slice *value,
                            enum sy_client_tree tree, struct sy_slice from, struct sy_error *err);

/* sy_client_db_put writes or replaces; sy_client_db_remove forgets (a missing key is fine);
 * sy_client_db_clear forgets a whole tree. WRITE only. SY_ERR_DISK_FULL: nothing since the last
 * commit is kept, nothing before it is lost, and this handle takes no more writes. */
sy_status sy_client_db_put(sy_client_db *db, enum sy_client_tree tree, struct sy_slice key,
                           struct sy_slice value, struct sy_error *err);
sy_status sy_client_db_remove(sy_client_db *db, enum sy_client_tree tree, struct sy_slice key,
                              struct sy_error *err);
sy_status sy_client_db_clear(sy_client_db *db, enum sy_client_tree tree, struct sy_error *err);

/* sy_client_db_commit makes everything since the last commit durable, or, when it fails, makes
 * none of it happen and takes no more writes. */
sy_status sy_client_db_commit(sy_client_db *db, struct sy_error *err);

/* sy_client_db_uncommitted is how many bytes were put since the last commit. */
uint64_t sy_client_db_uncommitted(const sy_client_db *db);

/* sy_client_db_refresh lets a reader see the newest commit. */
sy_status sy_client_db_refresh(sy_client_db *db, struct sy_error *err);

#endif
