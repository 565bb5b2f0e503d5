/* See lmdb_env.h. */
#include "core/store/lmdb_env.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/base/telemetry.h"
#include "core/store/sum.h"

#define IDENTITY_BYTES (SY_SUM_BYTES + 4 + 4 + 32 + 32)
#define COUNTERS_BYTES (SY_SUM_BYTES + 8 * SY_ENV_COUNTERS)
#define IDENTITY_SEED 0x6964656e74697479u
#define COUNTERS_SEED 0x636f756e74657273u

#define CLEAR_EVERY_COMMITS 128u

// A transaction that fails for want of room may report it as a short write; so near the end of
// the room that is what it was.
#define ROOM_SLACK_BYTES (8ull << 20)

/* ---- errors ----------------------------------------------------------------------------- */

sy_status sy_lmdb_status(int rc)
{
    switch (rc) {
    case MDB_SUCCESS: return SY_OK;
    case MDB_NOTFOUND: return SY_ERR_NOT_FOUND;
    case ENOMEM: return SY_ERR_NO_MEMORY;
    case MDB_READERS_FULL: return SY_ERR_LIMIT;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_BAD_VALSIZE: return SY_ERR_CORRUPT;
    default: return SY_ERR_IO;
    }
}

static void data_path(char out[4200], const struct sy_lmdb_env *env)
{
    snprintf(out, 4200, "%s/data.mdb", env->path);
}

static uint64_t file_size(const struct sy_lmdb_env *env)
{
    char path[4200];
    struct stat info;
    data_path(path, env);
    return stat(path, &info) == 0 ? (uint64_t)info.st_size : 0;
}

// LMDB 0.9 reports a write that was cut short as EIO. With a file size limit or a full device that
// is what happens to the write that meets the end, so look how much room there is.
static bool out_of_room(const struct sy_lmdb_env *env)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        limit.rlim_cur < file_size(env) + ROOM_SLACK_BYTES) {
        return true;
    }
    struct statvfs room;
    if (statvfs(env->path, &room) != 0) return false;
    return (uint64_t)room.f_bavail * room.f_frsize < ROOM_SLACK_BYTES;
}

static sy_status write_status(const struct sy_lmdb_env *env, int rc)
{
    switch (rc) {
    case MDB_SUCCESS: return SY_OK;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return SY_ERR_DISK_FULL;
    case EIO: return out_of_room(env) ? SY_ERR_DISK_FULL : SY_ERR_IO;
    case ENOMEM: return SY_ERR_NO_MEMORY;
    case MDB_TXN_FULL: return SY_ERR_LIMIT;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID: return SY_ERR_CORRUPT;
    // MDB_PANIC: an update of the meta page failed; only opening the file again tells what it says.
    default: return SY_ERR_IO;
    }
}

/* ---- values ----------------------------------------------------------------------------- */

int sy_lmdb_put_summed(MDB_txn *txn, MDB_dbi tree, MDB_val *key, uint64_t seed,
                       struct sy_slice value, unsigned flags)
{
    MDB_val room = {SY_SUM_BYTES + value.size, NULL};
    int rc = mdb_put(txn, tree, key, &room, flags | MDB_RESERVE);
    if (rc) return rc;
    uint8_t *p = (uint8_t *)room.mv_data;
    sy_store_u64(p, sy_sum(seed, value.data, value.size));
    if (value.size > 0) memcpy(p + SY_SUM_BYTES, value.data, value.size);
    return MDB_SUCCESS;
}

bool sy_lmdb_unpack(struct sy_slice *value, const MDB_val *stored, uint64_t seed)
{
    const uint8_t *p = (const uint8_t *)stored->mv_data;
    if (stored->mv_size < SY_SUM_BYTES) return false;
    *value = sy_slice_of(p + SY_SUM_BYTES, stored->mv_size - SY_SUM_BYTES);
    return sy_load_u64(p) == sy_sum(seed, value->data, value->size);
}

int sy_lmdb_put_main(struct sy_lmdb_env *env, MDB_txn *txn, const char *name, uint64_t seed,
                     const void *data, size_t size)
{
    MDB_val key = sy_lmdb_val(name, strlen(name));
    return sy_lmdb_put_summed(txn, env->main, &key, seed, sy_slice_of(data, size), 0);
}

int sy_lmdb_drop_main(struct sy_lmdb_env *env, MDB_txn *txn, const char *name)
{
    MDB_val key = sy_lmdb_val(name, strlen(name));
    int rc = mdb_del(txn, env->main, &key, NULL);
    return rc == MDB_NOTFOUND ? MDB_SUCCESS : rc;
}

static int put_counters(struct sy_lmdb_env *env, MDB_txn *txn,
                        const uint64_t counters[SY_ENV_COUNTERS])
{
    uint8_t packed[8 * SY_ENV_COUNTERS];
    for (unsigned i = 0; i < SY_ENV_COUNTERS; i++) sy_store_u64(packed + 8 * i, counters[i]);
    return sy_lmdb_put_main(env, txn, "counters", COUNTERS_SEED, packed, sizeof packed);
}

sy_status sy_lmdb_get_main(struct sy_lmdb_env *env, MDB_txn *txn, struct sy_slice *value,
                           const char *name, uint64_t seed, size_t size)
{
    MDB_val key = sy_lmdb_val(name, strlen(name));
    MDB_val stored;
    int rc = mdb_get(txn, env->main, &key, &stored);
    if (rc) return sy_lmdb_status(rc);
    return sy_lmdb_unpack(value, &stored, seed) && value->size == size ? SY_OK : SY_ERR_CORRUPT;
}

sy_status sy_lmdb_counters(struct sy_lmdb_env *env, MDB_txn *txn,
                           uint64_t counters[SY_ENV_COUNTERS])
{
    struct sy_slice packed;
    sy_status status =
        sy_lmdb_get_main(env, txn, &packed, "counters", COUNTERS_SEED, 8 * SY_ENV_COUNTERS);
    if (status != SY_OK) return status == SY_ERR_NOT_FOUND ? SY_ERR_CORRUPT : status;
    for (unsigned i = 0; i < SY_ENV_COUNTERS; i++) counters[i] = sy_load_u64(packed.data + 8 * i);
    return SY_OK;
}

/* ---- opening ---------------------------------------------------------------------------- */

static void init_locks(struct sy_lmdb_env *env)
{
    pthread_rwlockattr_t prefer_writer;
    int failed = pthread_mutex_init(&env->writer, NULL);
    failed |= pthread_rwlockattr_init(&prefer_writer);
    // Otherwise a stream of readers would keep the map from growing.
    failed |=
        pthread_rwlockattr_setkind_np(&prefer_writer, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    failed |= pthread_rwlock_init(&env->gate, &prefer_writer);
    failed |= pthread_rwlockattr_destroy(&prefer_writer);
    SY_ASSERT(!failed);
}

static sy_status open_fail(const struct sy_lmdb_env *env, int rc, const char *what,
                           struct sy_error *err)
{
    sy_status status = rc == ENOSPC || rc == EDQUOT || rc == EFBIG ? SY_ERR_DISK_FULL
                       : rc == EACCES || rc == EPERM               ? SY_ERR_PERMISSION
                       : rc == MDB_VERSION_MISMATCH                ? SY_ERR_VERSION
                                                                   : sy_lmdb_status(rc);
    if (rc == MDB_NOTFOUND) status = SY_ERR_CORRUPT;
    return sy_fail(err, status, "%s: %s: %s", env->path, what, mdb_strerror(rc));
}

static sy_status refuse_length(const struct sy_lmdb_env *env, uint64_t last_page,
                               struct sy_error *err)
{
    return sy_fail(err, SY_ERR_CORRUPT,
                   "%s/data.mdb has %llu bytes, and its own record says that page %llu is the "
                   "last: it was truncated or its record is damaged; restore it from a backup",
                   env->path, (unsigned long long)file_size(env), (unsigned long long)last_page);
}

// One meta page as LMDB's data version 1 has it: the header that all pages have, then its record.
struct meta_page {
    uint64_t number;
    uint16_t unused;
    uint16_t flags;
    uint32_t bounds;
    uint32_t magic;
    uint32_t version;
    uint64_t address;
    uint64_t map_bytes;
    struct {
        uint32_t page_bytes; /* the first tree's; the second's means nothing */
        uint16_t flags;
        uint16_t depth;
        uint64_t counts[4];
        uint64_t root;
    } trees[2];
    uint64_t last_page;
    uint64_t commit;
};
_Static_assert(sizeof(struct meta_page) == 152, "LMDB's own layout, without gaps");

// LMDB makes its map as large as the newest meta page says, and when the system has no such room it
// says only that. So after a failure look whether the file could hold what the page speaks of.
static bool claims_too_much(const struct sy_lmdb_env *env, uint64_t *last_page)
{
    char path[4200];
    struct meta_page pages[2];
    data_path(path, env);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool known = pread(fd, &pages[0], sizeof pages[0], 0) == (ssize_t)sizeof pages[0];
    uint32_t page_bytes = known ? pages[0].trees[0].page_bytes : 0;
    known = known && pread(fd, &pages[1], sizeof pages[1], page_bytes) == (ssize_t)sizeof pages[1];
    (void)close(fd);
    for (int i = 0; known && i < 2; i++) {
        known = pages[i].magic == 0xbeefc0de && pages[i].version == 1;
    }
    if (!known || page_bytes == 0) return false;
    *last_page = pages[pages[1].commit > pages[0].commit].last_page;
    return *last_page >= file_size(env) / page_bytes;
}

static sy_status open_env(struct sy_lmdb_env *env, const struct sy_lmdb_plan *plan,
                          struct sy_error *err)
{
    unsigned flags = MDB_NOTLS | MDB_NORDAHEAD;
    // A reader of a stopped validator's store has it alone, by the store's lock.
    if (plan->read_only) flags |= MDB_RDONLY | MDB_NOLOCK;
    int rc = mdb_env_create(&env->env);
    if (rc) return open_fail(env, rc, "making the environment", err);
    rc = mdb_env_set_maxdbs(env->env, SY_ENV_TREES_MAX);
    // A map that just fits would have to grow, and long readers to stop, at the first write.
    uint64_t map_bytes = 2 * file_size(env);
    if (map_bytes < plan->map_bytes) map_bytes = plan->map_bytes;
    if (!rc) rc = mdb_env_set_mapsize(env->env, map_bytes / 65536 * 65536);
    if (!rc) {
        unsigned readers = SY_READERS_MAX + env->store->config.view_count_max + 16;
        rc = mdb_env_set_maxreaders(env->env, readers);
    }
    if (!rc) rc = mdb_env_open(env->env, env->path, flags, 0600);
    uint64_t last_page = 0;
    if (rc && !plan->create && claims_too_much(env, &last_page)) {
        return refuse_length(env, last_page, err);
    }
    return rc ? open_fail(env, rc, "opening the environment", err) : SY_OK;
}

// Everything that the newest meta page speaks of must be in the file: a page beyond its end would
// kill the process that touches it.
static sy_status check_length(struct sy_lmdb_env *env, struct sy_error *err)
{
    MDB_envinfo info;
    MDB_stat stat_of;
    int rc = mdb_env_info(env->env, &info);
    if (!rc) rc = mdb_env_stat(env->env, &stat_of);
    if (rc) return open_fail(env, rc, "reading the meta page", err);
    if (info.me_last_pgno < file_size(env) / stat_of.ms_psize) return SY_OK;
    return refuse_length(env, info.me_last_pgno, err);
}

static int write_identity(struct sy_lmdb_env *env, MDB_txn *txn)
{
    uint8_t packed[IDENTITY_BYTES - SY_SUM_BYTES];
    sy_store_u32(packed, SY_STORE_FORMAT);
    sy_store_u32(packed + 4, (uint32_t)env->which);
    memcpy(packed + 8, env->store->id.bytes, 32);
    memcpy(packed + 40, env->store->config.genesis.bytes, 32);
    return sy_lmdb_put_main(env, txn, "identity", IDENTITY_SEED, packed, sizeof packed);
}

static sy_status check_identity(struct sy_lmdb_env *env, MDB_txn *txn, struct sy_error *err)
{
    struct sy_slice packed;
    sy_status status = sy_lmdb_get_main(env, txn, &packed, "identity", IDENTITY_SEED,
                                        IDENTITY_BYTES - SY_SUM_BYTES);
    if (status != SY_OK) {
        return sy_fail(err, SY_ERR_CORRUPT,
                       "%s holds no identity: it is not part of a systole store, or it is damaged",
                       env->path);
    }
    uint32_t format = sy_load_u32(packed.data);
    if (format != SY_STORE_FORMAT) {
        return sy_fail(err, SY_ERR_VERSION,
                       "%s has format %u; this program knows format %u: use the release that "
                       "wrote it, or make the store anew from peers",
                       env->path, format, SY_STORE_FORMAT);
    }
    if (sy_load_u32(packed.data + 4) != (uint32_t)env->which) {
        return sy_fail(err, SY_ERR_CORRUPT, "%s is not a %s environment: folders were exchanged",
                       env->path, sy_env_names[env->which]);
    }
    if (memcmp(packed.data + 8, env->store->id.bytes, 32) != 0) {
        return sy_fail(err, SY_ERR_CORRUPT,
                       "%s belongs to another store: all three environments must come from the "
                       "same one and the same backup",
                       env->path);
    }
    if (memcmp(packed.data + 40, env->store->config.genesis.bytes, 32) != 0) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%s belongs to another network (genesis differs)",
                       env->path);
    }
    return SY_OK;
}

static sy_status open_trees(struct sy_lmdb_env *env, const struct sy_lmdb_plan *plan,
                            struct sy_error *err)
{
    MDB_txn *txn = NULL;
    sy_status status = SY_OK;
    int rc = mdb_txn_begin(env->env, NULL, plan->read_only ? MDB_RDONLY : 0, &txn);
    if (rc) return open_fail(env, rc, "beginning a transaction", err);
    rc = mdb_dbi_open(txn, NULL, 0, &env->main);
    if (!rc && plan->create) rc = write_identity(env, txn);
    if (!rc && plan->create) rc = put_counters(env, txn, env->counters);
    if (!rc && !plan->create) status = check_identity(env, txn, err);
    for (unsigned i = 0; !rc && status == SY_OK && plan->trees[i]; i++) {
        SY_ASSERT(i < SY_ENV_TREES_MAX);
        rc = mdb_dbi_open(txn, plan->trees[i], plan->create ? MDB_CREATE : 0, &env->trees[i]);
    }
    if (!rc && status == SY_OK) {
        status = sy_lmdb_counters(env, txn, env->counters);
        if (status != SY_OK) {
            status = sy_fail(err, status, "%s: its counters are damaged; restore it from a backup",
                             env->path);
        }
    }
    if (rc || status != SY_OK) {
        mdb_txn_abort(txn);
        return status != SY_OK ? status : open_fail(env, rc, "opening its trees", err);
    }
    // A read transaction's handles become the environment's only through a commit.
    rc = mdb_txn_commit(txn);
    return rc ? open_fail(env, rc, "committing", err) : SY_OK;
}

sy_status sy_lmdb_open(struct sy_lmdb_env *env, sy_store *store, const struct sy_lmdb_plan *plan,
                       struct sy_error *err)
{
    *env = (struct sy_lmdb_env){.store = store, .which = plan->which};
    if ((size_t)snprintf(env->path, sizeof env->path, "%s", plan->path) >= sizeof env->path) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%s: the path is too long", plan->path);
    }
    if (!plan->create && file_size(env) == 0) {
        return sy_fail(err, SY_ERR_CORRUPT, "%s/data.mdb is missing or empty", env->path);
    }
    init_locks(env);
    sy_status status = open_env(env, plan, err);
    if (status == SY_OK) status = check_length(env, err);
    if (status == SY_OK) status = open_trees(env, plan, err);
    if (status != SY_OK) sy_lmdb_close(env);
    return status;
}

void sy_lmdb_close(struct sy_lmdb_env *env)
{
    if (!env->env) return;
    mdb_env_close(env->env);
    env->env = NULL;
    int failed = pthread_rwlock_destroy(&env->gate);
    failed |= pthread_mutex_destroy(&env->writer);
    SY_ASSERT(!failed);
}

/* ---- writing ---------------------------------------------------------------------------- */

// The snapshot of a process that died while reading (a backup, say) keeps every page from being
// used again; so its place is cleared now and then, and before the map grows.
static int clear_dead_readers(struct sy_lmdb_env *env)
{
    struct sy_env_health *health = &env->store->health[env->which];
    int dead = 0;
    int rc = mdb_reader_check(env->env, &dead);
    if (!rc) atomic_fetch_add(&health->readers_cleared, (uint64_t)dead);
    return rc;
}

static int grow(struct sy_lmdb_env *env)
{
    MDB_envinfo info;
    int rc = mdb_env_info(env->env, &info);
    if (!rc) rc = clear_dead_readers(env);
    if (rc) return rc;
    int failed = pthread_rwlock_wrlock(&env->gate);
    if (env->before_grow) env->before_grow(env->grow_context);
    rc = mdb_env_set_mapsize(env->env, info.me_mapsize * 2);
    if (rc) atomic_store(&env->broken, true);
    if (env->after_grow) env->after_grow(env->grow_context);
    failed |= pthread_rwlock_unlock(&env->gate);
    SY_ASSERT(!failed);
    atomic_fetch_add(&env->store->health[env->which].map_growths, 1);
    SY_LOG(SY_LOG_INFO, "store", "map_grew", SY_F_TEXT("env", sy_env_names[env->which]),
           SY_F_U64("bytes", info.me_mapsize * 2));
    return rc;
}

// One attempt. *refused: what a failpoint said instead of the disk.
static int try_write(struct sy_lmdb_env *env, sy_lmdb_body body, void *context, sy_status *refused,
                     struct sy_error *err)
{
    MDB_txn *txn = NULL;
    uint64_t counters[SY_ENV_COUNTERS];
    memcpy(counters, env->counters, sizeof counters);
    int rc = mdb_txn_begin(env->env, NULL, 0, &txn);
    if (rc) return rc;
    rc = body(env, txn, counters, context);
    if (!rc) rc = put_counters(env, txn, counters);
    if (!rc) *refused = sy_env_failpoint(env->store, env->which, "commit", err);
    if (rc || *refused != SY_OK) {
        mdb_txn_abort(txn);
        return rc;
    }
    rc = mdb_txn_commit(txn);
    if (!rc) memcpy(env->counters, counters, sizeof counters);
    return rc;
}

static sy_status write_locked(struct sy_lmdb_env *env, sy_lmdb_body body, void *context,
                              struct sy_error *err)
{
    uint64_t start_ns = sy_os_monotonic_ns();
    SY_TRY(sy_env_check(env->store, env->which, err));
    SY_TRY(sy_env_failpoint(env->store, env->which, "begin", err));
    sy_status refused = SY_OK;
    uint64_t commits = atomic_load(&env->store->health[env->which].commits);
    int rc = commits % CLEAR_EVERY_COMMITS == 0 ? clear_dead_readers(env) : MDB_SUCCESS;
    if (!rc) rc = try_write(env, body, context, &refused, err);
    while (rc == MDB_MAP_FULL) {
        rc = grow(env);
        if (!rc) rc = try_write(env, body, context, &refused, err);
    }
    if (refused != SY_OK) return refused;
    if (rc) {
        return sy_env_refuse(env->store, env->which, write_status(env, rc), mdb_strerror(rc), err);
    }
    sy_env_committed(env->store, env->which, start_ns);
    sy_env_done(env->which);
    return SY_OK;
}

sy_status sy_lmdb_write(struct sy_lmdb_env *env, sy_lmdb_body body, sy_lmdb_publish publish,
                        void *context, struct sy_error *err)
{
    sy_lmdb_hold(env);
    sy_status status = write_locked(env, body, context, err);
    if (status == SY_OK && publish) publish(env, context);
    sy_lmdb_release(env);
    return status;
}

void sy_lmdb_hold(struct sy_lmdb_env *env)
{
    int failed = pthread_mutex_lock(&env->writer);
    SY_ASSERT(!failed);
}

void sy_lmdb_release(struct sy_lmdb_env *env)
{
    int failed = pthread_mutex_unlock(&env->writer);
    SY_ASSERT(!failed);
}

/* ---- reading ---------------------------------------------------------------------------- */

void sy_lmdb_enter(struct sy_lmdb_env *env)
{
    int failed = pthread_rwlock_rdlock(&env->gate);
    SY_ASSERT(!failed);
}

void sy_lmdb_leave(struct sy_lmdb_env *env)
{
    int failed = pthread_rwlock_unlock(&env->gate);
    SY_ASSERT(!failed);
}

sy_status sy_lmdb_renew(struct sy_lmdb_env *env, MDB_txn **txn)
{
    if (atomic_load(&env->broken)) return SY_ERR_IO;
    if (*txn) return sy_lmdb_status(mdb_txn_renew(*txn));
    return sy_lmdb_status(mdb_txn_begin(env->env, NULL, MDB_RDONLY, txn));
}

sy_status sy_lmdb_read_begin(struct sy_lmdb_env *env, MDB_txn **txn)
{
    sy_lmdb_enter(env);
    sy_status status = sy_lmdb_renew(env, txn);
    if (status != SY_OK) sy_lmdb_leave(env);
    return status;
}

void sy_lmdb_read_end(struct sy_lmdb_env *env, MDB_txn *txn)
{
    mdb_txn_reset(txn);
    sy_lmdb_leave(env);
}

void sy_lmdb_sizes(struct sy_lmdb_env *env, uint64_t *file_bytes, uint64_t *map_bytes)
{
    MDB_envinfo info;
    sy_lmdb_enter(env);
    *map_bytes = mdb_env_info(env->env, &info) ? 0 : (uint64_t)info.me_mapsize;
    sy_lmdb_leave(env);
    *file_bytes = file_size(env);
}
