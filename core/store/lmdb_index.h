/* lmdb_index.h: where each transaction was ordered, without a tree of random keys.
 *
 * An entry is 20 bytes: the first 8 of the tx id, the height and the place in the block. The newest
 * entries are in memory (at most recent_txs, with a small hash table; made again at start from the
 * blocks' lists of tx ids). When they are full they are sorted and written as one run; 8 runs of
 * one tier are merged into one of the next. Writing and merging happen inside the transactions
 * that append blocks, a bounded piece each, in proportion to what is appended: no pauses, and
 * every entry is written once a tier. A run is dropped, chunk by chunk from its end, when its
 * newest entry is pruned: since a run of 8 others exists only while all 8 do, runs hold no more
 * than about twice what is kept. A lookup asks memory first, then searches each run, and
 * believes an entry only when the block's own list has the id in that place.
 *
 *   run       chunks of 3,200 entries, keyed by run id and chunk number
 *   chunk     16 leaves (the last may be shorter), each a checksum and 200 entries
 *   entry     8 first bytes of the tx id | u64 height | u32 index, big-endian: memcmp sorts
 *   directory one packed value: the runs, and the merges under way with their places */
#ifndef SY_STORE_LMDB_INDEX_H
#define SY_STORE_LMDB_INDEX_H

#include <stdatomic.h>

#include "core/store/lmdb_env.h"

#define SY_TX_ENTRY_BYTES 20u
#define SY_TX_TIERS 12u
#define SY_TX_FAN 8u
#define SY_TX_RUNS_MAX 256u

struct sy_tx_run {
    uint64_t id;
    uint64_t entries;
    uint64_t last; /* height of its newest entry */
    uint32_t tier;
};

struct sy_tx_merge {
    bool active;
    uint64_t out_id;
    uint64_t out_entries;       /* written so far */
    uint64_t source[SY_TX_FAN]; /* run ids */
    uint64_t at[SY_TX_FAN];     /* entries taken from each */
};

struct sy_tx_directory {
    uint64_t next_id;
    uint32_t run_count;
    struct sy_tx_run runs[SY_TX_RUNS_MAX];  /* oldest first within a tier */
    struct sy_tx_merge merges[SY_TX_TIERS]; /* of tier i into i + 1 */
};

struct sy_tx_index {
    uint32_t recent_max;
    /* The writer's: entries in no run, and room for those of an append under way. */
    uint8_t *entries;
    size_t count;
    size_t room;
    uint8_t *scratch;                 /* one run, while it is sorted */
    uint8_t *chunk;                   /* one chunk, while it is packed */
    struct sy_tx_directory directory; /* as committed */
    struct sy_tx_directory draft;     /* of the append under way */
    bool changed;                     /* the draft differs from the directory */
    size_t consumed;                  /* entries that the append under way has put into runs */
    size_t unpaid; /* entries taken over without a write, for which the next one merges, too */
    /* Shared with readers: a hash table over the first table_count entries, under the lock, as is
     * moving the entries. */
    pthread_rwlock_t lock;
    uint64_t seed;
    uint32_t *slots; /* 1 + place among the entries; 0: free */
    size_t slot_count;
    size_t table_count;
    /* Leaves of runs that were found whole not long ago: a slot by the leaf's place, holding the
     * complement of it (0: none). Runs do not change, so these are not summed up again. */
    _Atomic uint64_t *whole;
};

sy_status sy_tx_index_open(struct sy_tx_index *index, uint32_t recent_max);
void sy_tx_index_close(struct sy_tx_index *index); /* a zeroed one is fine */

/* sy_tx_index_load reads the directory as committed. */
sy_status sy_tx_index_load(struct sy_tx_index *index, struct sy_lmdb_env *env, MDB_txn *txn);

/* The writer's steps. stage adds a block's entries, but for the first skip, behind the *staged
 * ones (at first index->count). write, inside the transaction, puts full runs and a share of the
 * merges; it may run again. publish, after the commit, takes all of it over; an append that fails
 * needs nothing. */
sy_status sy_tx_index_stage(struct sy_tx_index *index, size_t *staged, uint64_t height,
                            const struct sy_hash *tx_ids, size_t tx_count, size_t skip);
/* sy_tx_index_add stages one entry whose place is said. */
sy_status sy_tx_index_add(struct sy_tx_index *index, size_t *staged, uint64_t height,
                          const struct sy_hash *name, uint32_t place);
int sy_tx_index_write(struct sy_tx_index *index, struct sy_lmdb_env *env, MDB_txn *txn,
                      size_t staged);
void sy_tx_index_publish(struct sy_tx_index *index, size_t staged);
/* sy_tx_index_keep takes the staged ones over into memory alone, in place of write and publish: for
 * an index that is derived, so that nothing is lost with them. */
void sy_tx_index_keep(struct sy_tx_index *index, size_t staged);
/* sy_tx_index_first tells, after write, the first entry that is in no run. False: all are. */
bool sy_tx_index_first(const struct sy_tx_index *index, struct sy_tx_position *first,
                       size_t staged);

/* sy_tx_index_prune, inside a transaction of its own, drops a bounded number of chunks of runs all
 * of whose entries lie below `pruned`: the last ones first, and with its first the run. The draft
 * becomes the directory once that is committed. A run that is being merged waits. */
int sy_tx_index_prune(struct sy_tx_index *index, struct sy_lmdb_env *env, MDB_txn *txn,
                      uint64_t pruned);
/* sy_tx_index_stale: there is such a run. */
bool sy_tx_index_stale(const struct sy_tx_index *index, uint64_t pruned);

/* Lookups add struct sy_tx_position to candidates, unverified. recent first, then, in a
 * transaction begun afterwards, runs. */
sy_status sy_tx_index_find_recent(struct sy_tx_index *index, struct sy_buffer *candidates,
                                  const struct sy_hash *tx_id);
sy_status sy_tx_index_find_runs(struct sy_tx_index *index, struct sy_lmdb_env *env, MDB_txn *txn,
                                struct sy_buffer *candidates, const struct sy_hash *tx_id);

#endif
