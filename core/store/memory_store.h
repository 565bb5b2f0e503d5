/* memory_store.h: the in-memory twin as its files share it: memory_store.c (votes, ledger),
 * memory_history.c (pruning, a state from elsewhere) and memory_directory.c. */
#ifndef SY_STORE_MEMORY_STORE_H
#define SY_STORE_MEMORY_STORE_H

#include <pthread.h>

#include "core/base/assert.h"
#include "core/store/impl.h"
#include "core/store/memory_evidence.h"
#include "core/store/memory_table.h"
#include "core/store/state.h"

struct record {
    struct sy_record_key key;
    uint8_t *data;
    size_t size;
};

struct body {
    struct sy_hash digest;
    uint8_t *data; /* NULL: dropped */
    size_t size;
};

struct block {
    struct sy_slice parts[SY_BLOCK_PARTS]; /* owned; a certificate may be absent (NULL) */
};

struct entry {
    uint8_t *key; /* owned, the value behind it */
    size_t key_size, value_size;
};

struct memory_store {
    sy_store store; /* first */
    pthread_mutex_t lock;
    struct record *records; /* in key order */
    size_t record_count;
    size_t record_room;
    struct body *bodies; /* in order of arrival */
    size_t body_count;
    size_t body_room;
    size_t bodies_dropped;
    struct sy_memory_table body_table;
    struct sy_memory_evidence evidence;
    struct block *blocks;
    size_t block_count;
    size_t block_room;
    struct sy_memory_table tx_table; /* height << 32 | index */
    struct sy_memory_table notices;  /* likewise, of events' names */
    struct entry *entries;           /* the directory's, in key order */
    size_t entry_count;
    size_t entry_room;
    struct sy_buffer installed; /* entries of a state from elsewhere */
    uint64_t bytes;
};

static inline struct memory_store *sy_memory_of(sy_store *store)
{
    return (struct memory_store *)(void *)store;
}

static inline void sy_memory_lock(struct memory_store *memory)
{
    int failed = pthread_mutex_lock(&memory->lock);
    SY_ASSERT(!failed);
}

static inline void sy_memory_unlock(struct memory_store *memory)
{
    int failed = pthread_mutex_unlock(&memory->lock);
    SY_ASSERT(!failed);
}

/* sy_memory_grow makes room in an array; NULL: no memory, and the array is as it was. */
void *sy_memory_grow(void *array, size_t *room, size_t needed, size_t item_bytes);
/* sy_memory_copy is a copy on the heap; never NULL for an empty slice, so that NULL can mean
 * absent. NULL: no memory. */
uint8_t *sy_memory_copy(struct sy_slice bytes);
void sy_memory_free_block(struct memory_store *memory, struct block *block);
sy_status sy_memory_copy_block(struct memory_store *memory, struct block *out,
                               const struct sy_block_write *block);
/* sy_memory_make_state opens the state where the ledger's kept deltas begin. */
sy_status sy_memory_make_state(sy_store *store);

/* memory_history.c, as in struct sy_store_ops. */
sy_status sy_memory_prune_mark(sy_store *store, uint64_t pruned, struct sy_error *err);
sy_status sy_memory_prune_sweep(sy_store *store, uint64_t to, struct sy_error *err);
sy_status sy_memory_notices_append(sy_store *store, uint64_t height,
                                   const struct sy_notice_place *places, size_t count,
                                   struct sy_error *err);
sy_status sy_memory_notices_prune(sy_store *store, uint64_t pruned, struct sy_error *err);
sy_status sy_memory_notices_find(sy_store_reader *reader, struct sy_buffer *positions,
                                 const struct sy_hash *name, bool recent);
/* memory_directory.c, likewise; free forgets all entries. */
sy_status sy_memory_directory_append(sy_store *store, const struct sy_directory_write *writes,
                                     size_t count, uint64_t next, uint64_t from,
                                     struct sy_error *err);
sy_status sy_memory_directory_clear(sy_store *store, struct sy_error *err);
sy_status sy_memory_directory_scan(sy_store_reader *reader, struct sy_slice prefix,
                                   struct sy_slice behind, sy_directory_fn visit, void *user);
void sy_memory_directory_free(struct memory_store *memory);
sy_status sy_memory_install_begin(sy_store *store, const struct sy_install *install,
                                  struct sy_error *err);
sy_status sy_memory_install_put(sy_store *store, struct sy_slice entries,
                                const struct sy_install *install, struct sy_error *err);
sy_status sy_memory_install_finish(sy_store *store, const struct sy_header_write *base,
                                   const struct sy_header_write *earlier, size_t earlier_count,
                                   struct sy_error *err);

#endif
