/* Opening and closing a store on LMDB: the lock, the STORE file, the three environments and
 * whether they belong together (lmdb_store.h). */
#include "core/store/lmdb_store.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/os.h"

#define STORE_FILE_BYTES_MAX 4096u

static const char *const votes_trees[] = {"records", "heads",    "bodies",
                                          "numbers", "evidence", NULL};
static const char *const ledger_trees[] = {"blocks", "certificates", "runs", "directory", NULL};
static const char *const state_trees[] = {"state", NULL};
static const char *const notices_trees[] = {"runs", "directory", NULL};
static const char *const directory_trees[] = {"entries", NULL};

/* ---- paths ------------------------------------------------------------------------------ */

static sy_status join(char out[4096], const char *folder, const char *name, struct sy_error *err)
{
    int length = snprintf(out, 4096, "%s/%s", folder, name);
    if (length >= 0 && length < 4000) return SY_OK;
    return sy_fail(err, SY_ERR_ARGUMENT, "%s: the path of the store is too long", folder);
}

static bool exists(const char *folder, const char *name)
{
    char path[4096];
    struct stat info;
    return join(path, folder, name, NULL) == SY_OK && stat(path, &info) == 0;
}

/* ---- the lock --------------------------------------------------------------------------- */

static sy_status say_taken(int fd, const char *path, struct sy_error *err)
{
    char pid[32] = {0};
    ssize_t size = pread(fd, pid, sizeof pid - 1, 0);
    for (ssize_t i = 0; i < size; i++) {
        if (pid[i] < '0' || pid[i] > '9') pid[i] = '\0';
    }
    return sy_fail(err, SY_ERR_BUSY, "%s: the store is open in process %s; stop that process first",
                   path, pid[0] ? pid : "(unknown)");
}

// flock belongs to the open file, so a second opening in this very process is refused as well.
static sy_status take_lock(struct sy_lmdb_store *lmdb, const char *folder, struct sy_error *err)
{
    char path[4096];
    SY_TRY(join(path, folder, "lock", err));
    bool read_only = lmdb->store.config.read_only;
    int fd = open(path, (read_only ? O_RDONLY : O_RDWR | O_CREAT) | O_CLOEXEC, 0600);
    // A copy that is only looked at may have come without its lock file: nobody else runs on it.
    if (fd < 0 && read_only && errno == ENOENT) return SY_OK;
    if (fd < 0) {
        return sy_fail(err, errno == EACCES ? SY_ERR_PERMISSION : SY_ERR_IO,
                       "%s: cannot be opened: %s", path, strerror(errno));
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        sy_status status = errno == EWOULDBLOCK
                               ? say_taken(fd, folder, err)
                               : sy_fail(err, SY_ERR_IO, "%s: %s", path, strerror(errno));
        (void)close(fd);
        return status;
    }
    if (!read_only) {
        char pid[32];
        int length = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
        // The pid is a courtesy to whoever meets the lock; a full disk must not keep us out.
        bool written = ftruncate(fd, 0) == 0 && pwrite(fd, pid, (size_t)length, 0) == length;
        (void)written;
    }
    lmdb->lock_fd = fd;
    return SY_OK;
}

/* ---- the STORE file --------------------------------------------------------------------- */

static sy_status write_store_file(struct sy_lmdb_store *lmdb, struct sy_error *err)
{
    char path[4096];
    char id[65];
    char genesis[65];
    char text[256];
    SY_TRY(join(path, lmdb->store.config.path, "STORE", err));
    sy_hex_encode(id, lmdb->store.id.bytes, 32);
    sy_hex_encode(genesis, lmdb->store.config.genesis.bytes, 32);
    int length = snprintf(text, sizeof text, "systole store\nformat %u\nid %s\ngenesis %s\n",
                          SY_STORE_FORMAT, id, genesis);
    return sy_os_write_file(path, text, (size_t)length, 0600, err);
}

static sy_status parse_store_file(struct sy_lmdb_store *lmdb, const char *text, const char *path,
                                  struct sy_error *err)
{
    unsigned format = 0;
    char id[65] = {0};
    char genesis[65] = {0};
    struct sy_hash stored;
    int end = 0;
    if (sscanf(text, "systole store\nformat %9u\n%n", &format, &end) != 1 || end == 0) {
        return sy_fail(err, SY_ERR_CORRUPT, "%s is not a systole store's file", path);
    }
    if (format != SY_STORE_FORMAT) {
        return sy_fail(err, SY_ERR_VERSION,
                       "%s: the store has format %u; this program knows format %u: use the "
                       "release that wrote it, or make the store anew from peers",
                       path, format, SY_STORE_FORMAT);
    }
    if (sscanf(text + end, "id %64s genesis %64s", id, genesis) != 2 ||
        !sy_hex_decode(lmdb->store.id.bytes, 32, id) || !sy_hex_decode(stored.bytes, 32, genesis)) {
        return sy_fail(err, SY_ERR_CORRUPT, "%s is damaged; restore it from a backup", path);
    }
    if (!sy_hash_equal(&stored, &lmdb->store.config.genesis)) {
        char wanted[65];
        sy_hex_encode(wanted, lmdb->store.config.genesis.bytes, 32);
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "%s: the store belongs to the network with genesis %s, not to %s", path,
                       genesis, wanted);
    }
    return SY_OK;
}

static sy_status read_store_file(struct sy_lmdb_store *lmdb, struct sy_error *err)
{
    const char *folder = lmdb->store.config.path;
    char path[4096];
    SY_TRY(join(path, folder, "STORE", err));
    if (!exists(folder, "STORE")) {
        bool parts = exists(folder, "votes") || exists(folder, "ledger") || exists(folder, "state");
        return sy_fail(err, SY_ERR_NOT_FOUND,
                       parts ? "%s: there is no finished store (the making of one was "
                               "interrupted); remove the folder and initialise again"
                             : "%s: there is no store; initialise one first",
                       folder);
    }
    uint8_t *text = NULL;
    size_t size = 0;
    SY_TRY(sy_os_read_file(&text, &size, path, STORE_FILE_BYTES_MAX, err));
    sy_status status = parse_store_file(lmdb, (const char *)text, path, err);
    free(text);
    return status;
}

/* ---- the environments ------------------------------------------------------------------- */

static sy_status open_one(struct sy_lmdb_store *lmdb, enum sy_store_env which, struct sy_error *err)
{
    static const char *const *const trees[] = {votes_trees, ledger_trees, state_trees,
                                               notices_trees, directory_trees};
    const struct sy_store_config *config = &lmdb->store.config;
    const uint64_t maps[] = {config->votes_map_bytes, config->ledger_map_bytes,
                             config->state_map_bytes, config->notices_map_bytes,
                             config->directory_map_bytes};
    char path[4096];
    char data[4096];
    SY_TRY(join(path, config->path, sy_env_names[which], err));
    SY_TRY(join(data, path, "data.mdb", err));
    // These are derived: a store that is only read does without, and a missing one is begun.
    bool derived = which == SY_ENV_NOTICES || which == SY_ENV_DIRECTORY;
    if (derived && config->read_only) return SY_OK;
    bool create = config->init || (derived && !exists(path, "data.mdb"));
    struct sy_lmdb_plan plan = {which, path, trees[which], maps[which], create, config->read_only};
    if (create) SY_TRY(sy_os_make_dirs(path, 0700, err));
    if (!config->init && which == SY_ENV_VOTES && !exists(path, "data.mdb")) {
        return sy_fail(err, SY_ERR_CORRUPT,
                       "%s is missing: a validator without its votes must never vote again under "
                       "its key; bring it back by a roster change with a new key",
                       data);
    }
    SY_TRY(sy_lmdb_open(&lmdb->env[which], &lmdb->store, &plan, err));
    return create ? sy_os_fsync_dir(path, err) : SY_OK;
}

// See lmdb_store.h for how environments from different times are told apart.
static sy_status check_relations(struct sy_lmdb_store *lmdb, struct sy_error *err)
{
    const uint64_t *votes = lmdb->env[SY_ENV_VOTES].counters;
    const uint64_t *ledger = lmdb->env[SY_ENV_LEDGER].counters;
    const uint64_t *state = lmdb->env[SY_ENV_STATE].counters;
    const char *path = lmdb->store.config.path;
    if (votes[SY_VOTES_COMMITS] < ledger[SY_LEDGER_VOTES_COMMITS]) {
        return sy_fail(err, SY_ERR_CORRUPT,
                       "%s/votes is older than the ledger (%llu commits, the ledger has seen "
                       "%llu): it was restored from a backup, and a validator that has forgotten "
                       "votes must never vote again under its key; bring it back by a roster "
                       "change with a new key",
                       path, (unsigned long long)votes[SY_VOTES_COMMITS],
                       (unsigned long long)ledger[SY_LEDGER_VOTES_COMMITS]);
    }
    if (state[SY_STATE_TARGET] > ledger[SY_LEDGER_NEXT] ||
        state[SY_STATE_COMPLETE] > state[SY_STATE_TARGET]) {
        return sy_fail(err, SY_ERR_CORRUPT,
                       "%s/state has %llu blocks, the ledger only %llu: restore both from the same "
                       "backup",
                       path, (unsigned long long)state[SY_STATE_TARGET],
                       (unsigned long long)ledger[SY_LEDGER_NEXT]);
    }
    if (state[SY_STATE_COMPLETE] < ledger[SY_LEDGER_PRUNED]) {
        return sy_fail(err, SY_ERR_CORRUPT,
                       "%s/state has %llu blocks, and the ledger keeps the changes only of those "
                       "from %llu on: restore both from the same backup, or make the store anew "
                       "from peers",
                       path, (unsigned long long)state[SY_STATE_COMPLETE],
                       (unsigned long long)ledger[SY_LEDGER_PRUNED]);
    }
    return SY_OK;
}

static void suspend_views(void *context)
{
    struct sy_lmdb_store *lmdb = (struct sy_lmdb_store *)context;
    if (lmdb->store.state) sy_state_suspend_views(lmdb->store.state);
}

static void continue_views(void *context)
{
    struct sy_lmdb_store *lmdb = (struct sy_lmdb_store *)context;
    if (lmdb->store.state) sy_state_continue_views(lmdb->store.state);
}

static sy_status prepare_init(struct sy_lmdb_store *lmdb, struct sy_error *err)
{
    const char *folder = lmdb->store.config.path;
    static const char *const parts[] = {"STORE", "votes",   "ledger",
                                        "state", "notices", "directory"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (!exists(folder, parts[i])) continue;
        return sy_fail(err, SY_ERR_EXISTS,
                       i == 0 ? "%s: there is a store already (its %s file); start without --init "
                                "to go on with it, or name another folder"
                              : "%s: there is an unfinished or damaged store (%s, but no STORE "
                                "file); remove it and initialise again",
                       folder, parts[i]);
    }
    sy_os_random(&lmdb->store.id, sizeof lmdb->store.id);
    return SY_OK;
}

static sy_status finish_init(struct sy_lmdb_store *lmdb, struct sy_error *err)
{
    char parent[4096];
    SY_TRY(sy_os_fsync_dir(lmdb->store.config.path, err));
    SY_TRY(join(parent, lmdb->store.config.path, "..", err));
    SY_TRY(sy_os_fsync_dir(parent, err));
    return write_store_file(lmdb, err);
}

void sy_lmdb_publish_counters(struct sy_lmdb_store *lmdb)
{
    const uint64_t *ledger = lmdb->env[SY_ENV_LEDGER].counters;
    atomic_store(&lmdb->store.base, ledger[SY_LEDGER_BASE]);
    atomic_store(&lmdb->store.swept, ledger[SY_LEDGER_SWEPT]);
    atomic_store(&lmdb->store.pruned, ledger[SY_LEDGER_PRUNED]);
    atomic_store(&lmdb->store.certified, ledger[SY_LEDGER_CERTIFIED]);
    atomic_store(&lmdb->store.next, ledger[SY_LEDGER_NEXT]);
}

static sy_status open_all(struct sy_lmdb_store *lmdb, struct sy_error *err)
{
    const struct sy_store_config *config = &lmdb->store.config;
    if (config->init) {
        SY_TRY(sy_os_make_dirs(config->path, 0700, err));
    } else if (!exists(config->path, ".")) {
        return sy_fail(err, SY_ERR_NOT_FOUND, "%s: there is no store; initialise one first",
                       config->path);
    }
    SY_TRY(take_lock(lmdb, config->path, err));
    SY_TRY(config->init ? prepare_init(lmdb, err) : read_store_file(lmdb, err));
    for (int i = 0; i < SY_ENV_COUNT; i++) SY_TRY(open_one(lmdb, (enum sy_store_env)i, err));
    if (config->init) SY_TRY(finish_init(lmdb, err));
    atomic_store(&lmdb->votes_commits, lmdb->env[SY_ENV_VOTES].counters[SY_VOTES_COMMITS]);
    SY_TRY(sy_lmdb_install_load(lmdb, err));
    SY_TRY(sy_lmdb_install_end(lmdb, err));
    SY_TRY(check_relations(lmdb, err));
    sy_lmdb_publish_counters(lmdb);
    sy_status status = sy_tx_index_open(&lmdb->index, config->recent_txs);
    if (status != SY_OK) return sy_fail(err, status, "ledger: no memory for the tx index");
    SY_TRY(sy_lmdb_ledger_ready(lmdb, err));
    if (!config->read_only) SY_TRY(sy_lmdb_notices_ready(lmdb, err));
    if (!config->read_only) sy_lmdb_directory_ready(lmdb);

    lmdb->env[SY_ENV_STATE].before_grow = suspend_views;
    lmdb->env[SY_ENV_STATE].after_grow = continue_views;
    lmdb->env[SY_ENV_STATE].grow_context = lmdb;
    uint64_t complete = lmdb->env[SY_ENV_STATE].counters[SY_STATE_COMPLETE];
    SY_TRY(sy_state_open(&lmdb->store.state, &lmdb->store, &sy_lmdb_state_ops, lmdb, complete,
                         !config->read_only, err));
    if (!config->read_only) SY_TRY(sy_state_start(lmdb->store.state, err));
    return sy_state_replay(lmdb->store.state, err);
}

static void close_lmdb(sy_store *store)
{
    struct sy_lmdb_store *lmdb = sy_lmdb_of(store);
    sy_tx_index_close(&lmdb->index);
    sy_tx_index_close(&lmdb->notices);
    for (int i = 0; i < SY_ENV_COUNT; i++) sy_lmdb_close(&lmdb->env[i]);
    if (lmdb->lock_fd >= 0) (void)close(lmdb->lock_fd);
    free(lmdb->path);
    free(lmdb);
}

/* ---- the interface ---------------------------------------------------------------------- */

static void hold_lmdb(sy_store *store)
{
    for (int i = 0; i < SY_ENV_COUNT; i++) sy_lmdb_hold(&sy_lmdb_of(store)->env[i]);
}

static void release_lmdb(sy_store *store)
{
    for (int i = SY_ENV_COUNT; i-- > 0;) sy_lmdb_release(&sy_lmdb_of(store)->env[i]);
}

static sy_status open_reader(sy_store_reader *reader)
{
    reader->impl = calloc(1, sizeof(struct sy_lmdb_reader));
    return reader->impl ? SY_OK : SY_ERR_NO_MEMORY;
}

static void close_reader(sy_store_reader *reader)
{
    struct sy_lmdb_reader *impl = (struct sy_lmdb_reader *)reader->impl;
    if (impl->votes) mdb_txn_abort(impl->votes);
    if (impl->ledger) mdb_txn_abort(impl->ledger);
    if (impl->notices) mdb_txn_abort(impl->notices);
    if (impl->directory) mdb_txn_abort(impl->directory);
    free(impl);
}

static void env_sizes(sy_store *store, enum sy_store_env env, uint64_t *file_bytes,
                      uint64_t *map_bytes)
{
    sy_lmdb_sizes(&sy_lmdb_of(store)->env[env], file_bytes, map_bytes);
}

static const struct sy_store_ops lmdb_ops = {
    .close = close_lmdb,
    .hold = hold_lmdb,
    .release = release_lmdb,
    .reader_open = open_reader,
    .reader_close = close_reader,
    .votes_commit = sy_lmdb_votes_commit,
    .votes_each = sy_lmdb_votes_each,
    .bodies_each = sy_lmdb_bodies_each,
    .body_get = sy_lmdb_body_get,
    .evidence_each = sy_lmdb_evidence_each,
    .evidence_count = sy_lmdb_evidence_count,
    .ledger_append = sy_lmdb_ledger_append,
    .put_certificates = sy_lmdb_put_certificates,
    .ledger_get = sy_lmdb_ledger_get,
    .find_tx = sy_lmdb_find_tx,
    .prune_mark = sy_lmdb_prune_mark,
    .prune_sweep = sy_lmdb_prune_sweep,
    .install_begin = sy_lmdb_install_begin,
    .install_put = sy_lmdb_install_put,
    .install_finish = sy_lmdb_install_finish,
    .notices_append = sy_lmdb_notices_append,
    .notices_prune = sy_lmdb_notices_prune,
    .notices_find = sy_lmdb_notices_find,
    .directory_append = sy_lmdb_directory_append,
    .directory_clear = sy_lmdb_directory_clear,
    .directory_scan = sy_lmdb_directory_scan,
    .env_sizes = env_sizes,
};

sy_status sy_store_open_lmdb(sy_store **store, const struct sy_store_config *config,
                             struct sy_error *err)
{
    *store = NULL;
    if (!config->path || !*config->path) {
        return sy_fail(err, SY_ERR_ARGUMENT, "store: no folder is given");
    }
    if (config->init && config->read_only) {
        return sy_fail(err, SY_ERR_ARGUMENT, "store: a new store cannot be read-only");
    }
    struct sy_lmdb_store *lmdb = (struct sy_lmdb_store *)calloc(1, sizeof *lmdb);
    if (!lmdb) return sy_fail(err, SY_ERR_NO_MEMORY, "store: no memory");
    lmdb->store.ops = &lmdb_ops;
    lmdb->lock_fd = -1;
    lmdb->merge_keys = 1024;
    // A file size limit must be an error that is handled, not a signal that kills.
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    int failed = sigaction(SIGXFSZ, &ignore, NULL);
    SY_ASSERT(!failed);
    sy_status status = sy_store_prepare(&lmdb->store, config, err);
    lmdb->path = strdup(config->path);
    lmdb->store.config.path = lmdb->path;
    if (!lmdb->path) status = sy_fail(err, SY_ERR_NO_MEMORY, "store: no memory");
    if (status == SY_OK) status = open_all(lmdb, err);
    if (status != SY_OK) {
        sy_state_close(lmdb->store.state);
        close_lmdb(&lmdb->store);
        return status;
    }
    *store = &lmdb->store;
    return SY_OK;
}
