/* See client_store_lmdb.h. */
#include "core/client/client_store_lmdb.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/os.h"

#define MAP_BYTES_FIRST (512ull << 20)
/* Room that one transaction can use up at the very most: its owner commits well before. */
#define MAP_BYTES_SPARE (256ull << 20)
/* Reads and writes between two times the map's clean pages are given back. */
#define TOUCHES_BETWEEN_RELEASES 4096u
#define PATH_BYTES 4096u

static const char *const tree_names[SY_CLIENT_TREES] = {
    "meta", "things", "versions", "nonces", "queue", "done", "headers", "cursors", "deferred",
};

struct sy_client_db {
    char path[PATH_BYTES];
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi trees[SY_CLIENT_TREES];
    bool writes;
    bool failed;
    int lock_fd;
    uint64_t uncommitted_bytes;
    uint64_t touches;
    uintptr_t map_from, map_to;
};

/* --- errors ---------------------------------------------------------------------------------- */

static sy_status fail_lmdb(sy_client_db *db, int rc, const char *what, struct sy_error *err)
{
    if (rc == MDB_NOTFOUND) return SY_ERR_NOT_FOUND;
    if (db->writes) db->failed = true;
    if (rc == ENOSPC || rc == EDQUOT || rc == EFBIG || rc == MDB_MAP_FULL) {
        return sy_fail(err, SY_ERR_DISK_FULL,
                       "client store %s: no room to %s; make room and run again with --resume",
                       db->path, what);
    }
    if (rc == ENOMEM) return sy_fail(err, SY_ERR_NO_MEMORY, "client store %s: no memory", db->path);
    bool corrupt = rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND || rc == MDB_INVALID;
    return sy_fail(err, corrupt ? SY_ERR_CORRUPT : SY_ERR_IO, "client store %s: cannot %s: %s",
                   db->path, what, mdb_strerror(rc));
}

static sy_status fail_closed(const sy_client_db *db, struct sy_error *err)
{
    return sy_fail(err, SY_ERR_CLOSED,
                   "client store %s: an earlier write failed; close it and open it again",
                   db->path);
}

/* --- the map's pages ------------------------------------------------------------------------- */

/* Is this line of /proc/self/maps ("from-to rights offset major:minor inode path") the data file's
 * mapping? LMDB 0.9 tells the map's address only when it was asked for one. */
static bool parse_mapping(const char *line, const struct stat *file, uintptr_t *from, uintptr_t *to)
{
    unsigned long long first, last, inode;
    unsigned major_number, minor_number;
    if (sscanf(line, "%llx-%llx %*s %*s %x:%x %llu", &first, &last, &major_number, &minor_number,
               &inode) != 5) {
        return false;
    }
    *from = (uintptr_t)first;
    *to = (uintptr_t)last;
    return inode == file->st_ino && makedev(major_number, minor_number) == file->st_dev;
}

/* Notes where the map lies; nowhere when that cannot be read. */
static void find_map(sy_client_db *db)
{
    char line[PATH_BYTES + 256];
    struct stat file;
    db->map_from = db->map_to = 0;
    snprintf(line, sizeof line, "%s/data.mdb", db->path);
    FILE *maps = stat(line, &file) == 0 ? fopen("/proc/self/maps", "re") : NULL;
    if (maps == NULL) return;
    while (db->map_to == 0 && fgets(line, sizeof line, maps) != NULL) {
        uintptr_t from, to;
        if (!parse_mapping(line, &file, &from, &to)) continue;
        db->map_from = from;
        db->map_to = to;
    }
    fclose(maps);
}

/* Reading goes through the shared map, and every page ever touched, with its neighbours that the
 * kernel maps along, would count as this process's memory until the system is short of it. The
 * pages are clean, because writing goes through the file, so giving them back loses nothing: who
 * still looks at one faults it in again. */
static void count_touch(sy_client_db *db)
{
    if (++db->touches % TOUCHES_BETWEEN_RELEASES != 0 || db->map_to == 0) return;
    (void)madvise((void *)db->map_from, db->map_to - db->map_from, MADV_DONTNEED);
}

/* --- opening --------------------------------------------------------------------------------- */

static sy_status take_lock(sy_client_db *db, struct sy_error *err)
{
    char path[PATH_BYTES + 16];
    snprintf(path, sizeof path, "%s/lock", db->path);
    db->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (db->lock_fd < 0) {
        return sy_fail(err, SY_ERR_IO, "%s: %s", path, strerror(errno));
    }
    if (flock(db->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        return sy_fail(
            err, SY_ERR_BUSY,
            "client store %s is in use by another process; wait for it or name another store",
            db->path);
    }
    return SY_OK;
}

static sy_status begin(sy_client_db *db, struct sy_error *err)
{
    int rc = mdb_txn_begin(db->env, NULL, db->writes ? 0 : MDB_RDONLY, &db->txn);
    // A reader's map is as large as the file was when it was opened.
    if (rc == MDB_MAP_RESIZED && mdb_env_set_mapsize(db->env, 0) == 0) {
        rc = mdb_txn_begin(db->env, NULL, db->writes ? 0 : MDB_RDONLY, &db->txn);
    }
    return rc == 0 ? SY_OK : fail_lmdb(db, rc, "begin a transaction", err);
}

static sy_status open_trees(sy_client_db *db, struct sy_error *err)
{
    SY_TRY(begin(db, err));
    for (int i = 0; i < SY_CLIENT_TREES; i++) {
        int rc = mdb_dbi_open(db->txn, tree_names[i], db->writes ? MDB_CREATE : 0, &db->trees[i]);
        if (rc == MDB_NOTFOUND) {
            return sy_fail(err, SY_ERR_NOT_FOUND, "%s holds no client store", db->path);
        }
        if (rc != 0) return fail_lmdb(db, rc, tree_names[i], err);
    }
    return SY_OK;
}

/* Doubles the map until a whole transaction fits behind its last page. No transaction is open. */
static sy_status grow_map(sy_client_db *db, struct sy_error *err)
{
    MDB_envinfo info;
    MDB_stat stat_info;
    int rc = mdb_env_info(db->env, &info);
    if (rc == 0) rc = mdb_env_stat(db->env, &stat_info);
    if (rc != 0) return fail_lmdb(db, rc, "measure the map", err);
    uint64_t used = ((uint64_t)info.me_last_pgno + 1) * stat_info.ms_psize;
    uint64_t size = info.me_mapsize < MAP_BYTES_FIRST ? MAP_BYTES_FIRST : info.me_mapsize;
    while (size < used + MAP_BYTES_SPARE) size *= 2;
    if (size == info.me_mapsize) return SY_OK;
    rc = mdb_env_set_mapsize(db->env, (size_t)size);
    if (rc != 0) return fail_lmdb(db, rc, "grow the map", err);
    find_map(db);
    return SY_OK;
}

static sy_status open_env(sy_client_db *db, struct sy_error *err)
{
    char file[PATH_BYTES + 16];
    snprintf(file, sizeof file, "%s/data.mdb", db->path);
    if (!db->writes && access(file, F_OK) != 0) {
        return sy_fail(err, SY_ERR_NOT_FOUND, "%s holds no client store", db->path);
    }
    int rc = mdb_env_create(&db->env);
    if (rc == 0) rc = mdb_env_set_maxdbs(db->env, SY_CLIENT_TREES);
    if (rc == 0 && db->writes) rc = mdb_env_set_mapsize(db->env, MAP_BYTES_FIRST);
    // A handle may move between threads; reads are random, so reading ahead would only cost memory.
    unsigned flags = MDB_NOTLS | MDB_NORDAHEAD | (db->writes ? 0 : MDB_RDONLY);
    if (rc == 0) rc = mdb_env_open(db->env, db->path, flags, 0600);
    if (rc != 0) return fail_lmdb(db, rc, "open it", err);
    find_map(db);
    return db->writes ? grow_map(db, err) : SY_OK;
}

static sy_status open_all(sy_client_db *db, struct sy_error *err)
{
    if (db->writes) {
        SY_TRY(sy_os_make_dirs(db->path, 0700, err));
        if (chmod(db->path, 0700) != 0) {
            return sy_fail(err, SY_ERR_PERMISSION, "%s: cannot set mode 0700: %s", db->path,
                           strerror(errno));
        }
        SY_TRY(take_lock(db, err));
    }
    SY_TRY(open_env(db, err));
    SY_TRY(open_trees(db, err));
    return db->writes ? sy_client_db_commit(db, err) : SY_OK;
}

sy_status sy_client_db_open(sy_client_db **db, const char *path, enum sy_client_db_mode mode,
                            struct sy_error *err)
{
    *db = NULL;
    if (strlen(path) >= PATH_BYTES - 64) {
        return sy_fail(err, SY_ERR_ARGUMENT, "the client store's path is too long");
    }
    sy_client_db *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for the client store");
    memcpy(fresh->path, path, strlen(path) + 1);
    fresh->writes = mode == SY_CLIENT_DB_WRITE;
    fresh->lock_fd = -1;
    sy_status status = open_all(fresh, err);
    if (status != SY_OK) {
        sy_client_db_close(fresh);
        return status;
    }
    *db = fresh;
    return SY_OK;
}

void sy_client_db_close(sy_client_db *db)
{
    if (db == NULL) return;
    if (db->txn != NULL) mdb_txn_abort(db->txn);
    if (db->env != NULL) mdb_env_close(db->env);
    if (db->lock_fd >= 0) close(db->lock_fd);
    free(db);
}

/* --- reading --------------------------------------------------------------------------------- */

static MDB_val val_of(struct sy_slice slice)
{
    MDB_val val = {slice.size, (void *)(uintptr_t)slice.data};
    return val;
}

sy_status sy_client_db_get(sy_client_db *db, struct sy_slice *value, enum sy_client_tree tree,
                           struct sy_slice key, struct sy_error *err)
{
    if (db->failed) return fail_closed(db, err);
    count_touch(db);
    MDB_val found;
    MDB_val wanted = val_of(key);
    int rc = mdb_get(db->txn, db->trees[tree], &wanted, &found);
    if (rc != 0) return fail_lmdb(db, rc, "read", err);
    *value = sy_slice_of(found.mv_data, found.mv_size);
    return SY_OK;
}

sy_status sy_client_db_seek(sy_client_db *db, struct sy_slice *key, struct sy_slice *value,
                            enum sy_client_tree tree, struct sy_slice from, struct sy_error *err)
{
    if (db->failed) return fail_closed(db, err);
    count_touch(db);
    MDB_cursor *cursor;
    int rc = mdb_cursor_open(db->txn, db->trees[tree], &cursor);
    if (rc != 0) return fail_lmdb(db, rc, "read", err);
    MDB_val found_key = val_of(from);
    MDB_val found;
    rc = mdb_cursor_get(cursor, &found_key, &found, from.size == 0 ? MDB_FIRST : MDB_SET_RANGE);
    mdb_cursor_close(cursor);
    if (rc != 0) return fail_lmdb(db, rc, "read", err);
    *key = sy_slice_of(found_key.mv_data, found_key.mv_size);
    *value = sy_slice_of(found.mv_data, found.mv_size);
    return SY_OK;
}

sy_status sy_client_db_refresh(sy_client_db *db, struct sy_error *err)
{
    SY_ASSERT(!db->writes);
    mdb_txn_reset(db->txn);
    int rc = mdb_txn_renew(db->txn);
    if (rc == 0) return SY_OK;
    mdb_txn_abort(db->txn);
    db->txn = NULL;
    sy_status status = begin(db, err);
    db->failed = status != SY_OK;
    return status;
}

/* --- writing --------------------------------------------------------------------------------- */

sy_status sy_client_db_put(sy_client_db *db, enum sy_client_tree tree, struct sy_slice key,
                           struct sy_slice value, struct sy_error *err)
{
    SY_ASSERT(db->writes);
    if (db->failed) return fail_closed(db, err);
    count_touch(db);
    MDB_val wanted = val_of(key);
    MDB_val stored = val_of(value);
    int rc = mdb_put(db->txn, db->trees[tree], &wanted, &stored, 0);
    if (rc != 0) return fail_lmdb(db, rc, "write", err);
    db->uncommitted_bytes += key.size + value.size;
    return SY_OK;
}

sy_status sy_client_db_remove(sy_client_db *db, enum sy_client_tree tree, struct sy_slice key,
                              struct sy_error *err)
{
    SY_ASSERT(db->writes);
    if (db->failed) return fail_closed(db, err);
    count_touch(db);
    MDB_val wanted = val_of(key);
    int rc = mdb_del(db->txn, db->trees[tree], &wanted, NULL);
    if (rc != 0 && rc != MDB_NOTFOUND) return fail_lmdb(db, rc, "write", err);
    db->uncommitted_bytes += key.size;
    return SY_OK;
}

sy_status sy_client_db_clear(sy_client_db *db, enum sy_client_tree tree, struct sy_error *err)
{
    SY_ASSERT(db->writes);
    if (db->failed) return fail_closed(db, err);
    int rc = mdb_drop(db->txn, db->trees[tree], 0);
    if (rc != 0) return fail_lmdb(db, rc, "write", err);
    db->uncommitted_bytes++;
    return SY_OK;
}

sy_status sy_client_db_commit(sy_client_db *db, struct sy_error *err)
{
    SY_ASSERT(db->writes);
    if (db->failed) return fail_closed(db, err);
    sy_status status = sy_os_failpoint("client.commit");
    int rc = status == SY_OK ? mdb_txn_commit(db->txn) : 0;
    if (status != SY_OK) mdb_txn_abort(db->txn);
    db->txn = NULL;
    db->uncommitted_bytes = 0;
    if (status != SY_OK) rc = status == SY_ERR_DISK_FULL ? ENOSPC : EIO;
    if (rc != 0) return fail_lmdb(db, rc, "commit", err);
    (void)sy_os_failpoint("client.committed");
    SY_TRY(grow_map(db, err));
    return begin(db, err);
}

uint64_t sy_client_db_uncommitted(const sy_client_db *db)
{
    return db->uncommitted_bytes;
}
