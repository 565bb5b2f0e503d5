/* lmdb_store.h: the LMDB store as its files share it.
 *
 *   PATH/STORE    text: format, store id, genesis; written last at init, so a store without it was
 *                 never finished and has promised nothing
 *   PATH/lock     held by flock while a process has the store open; contains its pid
 *   PATH/votes    records | heads | bodies | numbers            (lmdb_votes.c)
 *                 evidence                                      (lmdb_evidence.c)
 *   PATH/ledger   blocks | certificates | runs | directory      (lmdb_ledger.c, lmdb_index.c)
 *   PATH/state    state                                         (lmdb_state.c, lmdb_install.c)
 *   PATH/notices  runs | directory                              (lmdb_notices.c, lmdb_index.c)
 *   PATH/directory  entries                                     (lmdb_directory.c)
 *
 * Notices and directory are derived from the ledger's receipts and the state: a missing folder is
 * made anew, empty, and whoever follows the ledger fills it again.
 *
 * How environments from different times are told apart: the ledger writes down, in every append,
 * how many commits the votes had made; so votes with fewer are older than the ledger. The state
 * writes down its complete and target heights; so a state above the ledger is newer than it. */
#ifndef SY_STORE_LMDB_STORE_H
#define SY_STORE_LMDB_STORE_H

#include "core/store/lmdb_env.h"
#include "core/store/lmdb_index.h"
#include "core/store/state.h"

/* Counters of the environments. */
enum { SY_VOTES_COMMITS, SY_VOTES_NEXT_BODY };
enum {
    SY_LEDGER_NEXT,
    SY_LEDGER_CERTIFIED,
    SY_LEDGER_VOTES_COMMITS,
    SY_LEDGER_RUN_HEIGHT, /* the first tx that is in no run: its block ... */
    SY_LEDGER_RUN_INDEX,  /* ... and its place there */
    SY_LEDGER_PRUNED,     /* impl.h */
    SY_LEDGER_SWEPT,
    SY_LEDGER_BASE
};
enum { SY_STATE_COMPLETE, SY_STATE_TARGET };
enum {
    SY_NOTICES_HEIGHT, /* the first place that is in no run: its block ... */
    SY_NOTICES_INDEX   /* ... and its receipt there */
};
enum { SY_DIRECTORY_NEXT, SY_DIRECTORY_FROM };

/* Trees, in the order of the plans in lmdb_store.c. */
enum { SY_TREE_RECORDS, SY_TREE_HEADS, SY_TREE_BODIES, SY_TREE_NUMBERS, SY_TREE_EVIDENCE };
enum { SY_TREE_BLOCKS, SY_TREE_CERTIFICATES, SY_TREE_RUNS, SY_TREE_DIRECTORY };
enum { SY_TREE_STATE };
enum { SY_TREE_NOTICE_RUNS, SY_TREE_NOTICE_DIRECTORY };
enum { SY_TREE_ENTRIES };

struct sy_lmdb_store {
    sy_store store; /* first */
    struct sy_lmdb_env env[SY_ENV_COUNT];
    atomic_uint_fast64_t votes_commits; /* durable ones, all time */
    struct sy_tx_index index;
    struct sy_tx_index notices; /* closed in a store that is only read */
    size_t merge_keys;          /* how many keys a slice of a merge takes; the merger's */
    char *path;                 /* what config.path points to */
    int lock_fd;
};

struct sy_lmdb_reader {
    MDB_txn *votes;
    MDB_txn *ledger;
    MDB_txn *notices;
    MDB_txn *directory;
};

static inline struct sy_lmdb_store *sy_lmdb_of(sy_store *store)
{
    return (struct sy_lmdb_store *)(void *)store;
}

/* lmdb_votes.c */
sy_status sy_lmdb_votes_commit(sy_store *store, const struct sy_vote_write *writes, size_t count,
                               bool evidence, struct sy_error *err);
sy_status sy_lmdb_votes_each(sy_store_reader *reader, sy_record_fn show, void *context,
                             struct sy_error *err);
sy_status sy_lmdb_bodies_each(sy_store_reader *reader, sy_body_fn show, void *context,
                              struct sy_error *err);
sy_status sy_lmdb_body_get(sy_store_reader *reader, struct sy_buffer *out,
                           const struct sy_hash *digest);

#define SY_LMDB_RECORD_KEY_BYTES 17u
void sy_lmdb_pack_record_key(uint8_t out[SY_LMDB_RECORD_KEY_BYTES],
                             const struct sy_record_key *key);
struct sy_record_key sy_lmdb_unpack_record_key(const uint8_t packed[SY_LMDB_RECORD_KEY_BYTES]);
/* sy_lmdb_votes_walk shows every item of one of the votes' trees, until one is not SY_OK. */
typedef sy_status (*sy_lmdb_item)(const struct sy_lmdb_env *env, const MDB_val *key,
                                  const MDB_val *stored, void *context, struct sy_error *err);
sy_status sy_lmdb_votes_walk(sy_store_reader *reader, unsigned tree, sy_lmdb_item item,
                             void *context, struct sy_error *err);

/* lmdb_evidence.c */
/* sy_lmdb_put_evidence keeps one piece inside a transaction of the votes, if it finds a place: an
 * LMDB code. */
int sy_lmdb_put_evidence(struct sy_lmdb_env *env, MDB_txn *txn, const struct sy_vote_write *write);
sy_status sy_lmdb_evidence_each(sy_store_reader *reader, sy_evidence_fn show, void *context,
                                struct sy_error *err);
uint64_t sy_lmdb_evidence_count(sy_store_reader *reader);

/* lmdb_ledger.c */
sy_status sy_lmdb_ledger_append(sy_store *store, const struct sy_block_write *blocks, size_t count,
                                struct sy_error *err);
sy_status sy_lmdb_put_certificates(sy_store *store, const struct sy_certificate_write *writes,
                                   size_t count, struct sy_error *err);
sy_status sy_lmdb_ledger_get(sy_store_reader *reader, struct sy_buffer *out, uint64_t height,
                             enum sy_block_part which);
sy_status sy_lmdb_find_tx(sy_store_reader *reader, struct sy_buffer *positions,
                          const struct sy_hash *tx_id);
/* The LMDB half of pruning (prune.c). */
sy_status sy_lmdb_prune_mark(sy_store *store, uint64_t pruned, struct sy_error *err);
sy_status sy_lmdb_prune_sweep(sy_store *store, uint64_t to, struct sy_error *err);
/* sy_lmdb_block_part finds one part inside a transaction, borrowed from it, unchecked: an LMDB
 * code. */
int sy_lmdb_block_part(struct sy_lmdb_env *env, MDB_txn *txn, MDB_val *stored, uint64_t height,
                       enum sy_block_part which);
/* sy_lmdb_put_part writes one under its key, with its checksum; flags as mdb_put's: an LMDB code.
 */
int sy_lmdb_put_part(struct sy_lmdb_env *env, MDB_txn *txn, uint64_t height,
                     enum sy_block_part which, struct sy_slice part, unsigned flags);
/* sy_lmdb_ledger_ready reads what is in no run into the index's memory. */
sy_status sy_lmdb_ledger_ready(struct sy_lmdb_store *lmdb, struct sy_error *err);

/* lmdb_notices.c; ready reads the directory, and where the caller goes on. */
sy_status sy_lmdb_notices_append(sy_store *store, uint64_t height,
                                 const struct sy_notice_place *places, size_t count,
                                 struct sy_error *err);
sy_status sy_lmdb_notices_prune(sy_store *store, uint64_t pruned, struct sy_error *err);
sy_status sy_lmdb_notices_find(sy_store_reader *reader, struct sy_buffer *positions,
                               const struct sy_hash *name, bool recent);
sy_status sy_lmdb_notices_ready(struct sy_lmdb_store *lmdb, struct sy_error *err);

/* lmdb_directory.c, as in struct sy_store_ops. */
sy_status sy_lmdb_directory_append(sy_store *store, const struct sy_directory_write *writes,
                                   size_t count, uint64_t next, uint64_t from,
                                   struct sy_error *err);
sy_status sy_lmdb_directory_clear(sy_store *store, struct sy_error *err);
sy_status sy_lmdb_directory_scan(sy_store_reader *reader, struct sy_slice prefix,
                                 struct sy_slice behind, sy_directory_fn visit, void *user);
void sy_lmdb_directory_ready(struct sy_lmdb_store *lmdb);

/* sy_lmdb_publish_counters tells the ledger's committed counters to the readers. lmdb_store.c */
void sy_lmdb_publish_counters(struct sy_lmdb_store *lmdb);

/* lmdb_install.c. load reads what an install left; end, at opening, does what a crash kept
 * install_finish from. */
sy_status sy_lmdb_install_begin(sy_store *store, const struct sy_install *install,
                                struct sy_error *err);
sy_status sy_lmdb_install_put(sy_store *store, struct sy_slice entries,
                              const struct sy_install *install, struct sy_error *err);
sy_status sy_lmdb_install_finish(sy_store *store, const struct sy_header_write *base,
                                 const struct sy_header_write *earlier, size_t earlier_count,
                                 struct sy_error *err);
sy_status sy_lmdb_install_load(struct sy_lmdb_store *lmdb, struct sy_error *err);
sy_status sy_lmdb_install_end(struct sy_lmdb_store *lmdb, struct sy_error *err);

/* lmdb_state.c */
uint64_t sy_lmdb_value_seed(const void *key);
extern const struct sy_state_base_ops sy_lmdb_state_ops;

#endif
