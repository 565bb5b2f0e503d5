/* impl.h: what store.c and the two implementations share. Private to core/store. */
#ifndef SY_STORE_IMPL_H
#define SY_STORE_IMPL_H

#include <stdatomic.h>

#include "core/store/store.h"

/* Memory that grows to what it must hold and keeps its size. */
struct sy_buffer {
    uint8_t *data;
    size_t size;
    size_t room;
};

/* sy_buffer_fit makes room for size bytes and sets the buffer's size; what it held is lost.
 * SY_ERR_NO_MEMORY leaves it as it was. */
sy_status sy_buffer_fit(struct sy_buffer *buffer, size_t size);
/* sy_buffer_set copies bytes in. */
sy_status sy_buffer_set(struct sy_buffer *buffer, const void *data, size_t size);
/* sy_buffer_append adds bytes to what it holds. */
sy_status sy_buffer_append(struct sy_buffer *buffer, const void *data, size_t size);
void sy_buffer_free(struct sy_buffer *buffer);

static inline struct sy_slice sy_buffer_slice(const struct sy_buffer *buffer)
{
    return sy_slice_of(buffer->data, buffer->size);
}

/* Whether one environment still takes writes, and its figures. */
struct sy_env_health {
    atomic_bool full;
    atomic_bool failed;
    atomic_uint_fast64_t commits;
    atomic_uint_fast64_t commit_us;
    atomic_uint_fast64_t commit_us_max;
    atomic_uint_fast64_t value_bytes;
    atomic_uint_fast64_t map_growths;
    atomic_uint_fast64_t readers_cleared;
};

struct sy_state;

/* What differs between LMDB and the twin. Arguments were checked by store.c. */
struct sy_store_ops {
    void (*close)(sy_store *store);
    /* Between hold and release no write is under way. One thread at a time. */
    void (*hold)(sy_store *store);
    void (*release)(sy_store *store);
    sy_status (*reader_open)(sy_store_reader *reader);
    void (*reader_close)(sy_store_reader *reader);
    /* Without `evidence` writes of evidence are left out. */
    sy_status (*votes_commit)(sy_store *store, const struct sy_vote_write *writes, size_t count,
                              bool evidence, struct sy_error *err);
    sy_status (*votes_each)(sy_store_reader *reader, sy_record_fn show, void *context,
                            struct sy_error *err);
    sy_status (*bodies_each)(sy_store_reader *reader, sy_body_fn show, void *context,
                             struct sy_error *err);
    sy_status (*body_get)(sy_store_reader *reader, struct sy_buffer *out,
                          const struct sy_hash *digest);
    sy_status (*evidence_each)(sy_store_reader *reader, sy_evidence_fn show, void *context,
                               struct sy_error *err);
    uint64_t (*evidence_count)(sy_store_reader *reader);
    sy_status (*ledger_append)(sy_store *store, const struct sy_block_write *blocks, size_t count,
                               struct sy_error *err);
    sy_status (*put_certificates)(sy_store *store, const struct sy_certificate_write *writes,
                                  size_t count, struct sy_error *err);
    sy_status (*ledger_get)(sy_store_reader *reader, struct sy_buffer *out, uint64_t height,
                            enum sy_block_part which);
    sy_status (*find_tx)(sy_store_reader *reader, struct sy_buffer *positions,
                         const struct sy_hash *tx_id);
    /* The two ends of a pruning slice (prune.c): mark makes `pruned` durable, sweep forgets what
     * blocks swept .. to - 1 hold beside header and certificate. Both publish what they wrote. */
    sy_status (*prune_mark)(sy_store *store, uint64_t pruned, struct sy_error *err);
    sy_status (*prune_sweep)(sy_store *store, uint64_t to, struct sy_error *err);
    /* A state from elsewhere (install.c). begin: forget what an earlier try left, and make
     * store->install, as given, durable. put: the entries and the new progress. finish: the ledger
     * begins at the last header's height, with the others below, and the state is opened there. */
    sy_status (*install_begin)(sy_store *store, const struct sy_install *install,
                               struct sy_error *err);
    sy_status (*install_put)(sy_store *store, struct sy_slice entries,
                             const struct sy_install *install, struct sy_error *err);
    sy_status (*install_finish)(sy_store *store, const struct sy_header_write *base,
                                const struct sy_header_write *earlier, size_t earlier_count,
                                struct sy_error *err);
    /* Of notices. find adds places, perhaps others than asked for, perhaps twice. */
    sy_status (*notices_append)(sy_store *store, uint64_t height,
                                const struct sy_notice_place *places, size_t count,
                                struct sy_error *err);
    sy_status (*notices_prune)(sy_store *store, uint64_t pruned, struct sy_error *err);
    sy_status (*notices_find)(sy_store_reader *reader, struct sy_buffer *positions,
                              const struct sy_hash *name, bool recent);
    /* Of the directory. append: durable, with the counters next and from. */
    sy_status (*directory_append)(sy_store *store, const struct sy_directory_write *writes,
                                  size_t count, uint64_t next, uint64_t from, struct sy_error *err);
    sy_status (*directory_clear)(sy_store *store, struct sy_error *err);
    sy_status (*directory_scan)(sy_store_reader *reader, struct sy_slice prefix,
                                struct sy_slice behind, sy_directory_fn visit, void *user);
    void (*env_sizes)(sy_store *store, enum sy_store_env env, uint64_t *file_bytes,
                      uint64_t *map_bytes);
};

/* Each implementation's own struct begins with this one. */
struct sy_store {
    const struct sy_store_ops *ops;
    struct sy_store_config config; /* defaults filled in */
    struct sy_hash id;
    struct sy_state *state;
    struct sy_env_health health[SY_ENV_COUNT];
    atomic_uint_fast64_t next;      /* durable blocks */
    atomic_uint_fast64_t certified; /* see sy_ledger_certified */
    atomic_uint_fast64_t pruned;    /* see sy_ledger_pruned */
    atomic_uint_fast64_t swept;     /* blocks below hold header and certificate only; <= pruned */
    atomic_uint_fast64_t base;      /* see sy_ledger_base */
    atomic_uint_fast64_t notices_next;   /* see sy_notices_next */
    atomic_uint_fast64_t directory_next; /* see sy_directory_next */
    atomic_uint_fast64_t directory_from;
    uint64_t directory_durable;    /* what a restart would go on with; the appending thread's */
    struct sy_install install;     /* as durable; its thread's, but for active */
    atomic_bool installing;        /* install.active, for the others */
    sy_store_reader *prune_reader; /* the pruner's, opened when first needed */
    atomic_uint readers_open;
};

struct sy_store_reader {
    sy_store *store;
    struct sy_buffer parts[SY_BLOCK_PARTS];
    struct sy_buffer body;
    struct sy_buffer positions;
    void *impl; /* the implementation's */
};

#define SY_READERS_MAX 256u

extern const char *const sy_env_names[SY_ENV_COUNT];

/* sy_store_prepare fills in defaults and checks bounds (SY_ERR_ARGUMENT). */
sy_status sy_store_prepare(sy_store *store, const struct sy_store_config *config,
                           struct sy_error *err);

/* sy_spare_settle makes DROP_BODYs of the DROP_SPARE_BODYs that history can spare and leaves the
 * others out; how many writes are left. */
size_t sy_spare_settle(sy_store *store, struct sy_vote_write *writes, size_t count);

/* sy_env_check refuses while the environment is full or failed. */
sy_status sy_env_check(sy_store *store, enum sy_store_env env, struct sy_error *err);

/* sy_env_failpoint runs the failpoint store.<env>.<stage> and, if it fires, marks the environment
 * as the real failure would. */
sy_status sy_env_failpoint(sy_store *store, enum sy_store_env env, const char *stage,
                           struct sy_error *err);

/* sy_env_done runs the failpoint store.<env>.done: what precedes it is durable, so it can only
 * kill. */
void sy_env_done(enum sy_store_env env);

/* sy_env_refuse marks the environment full or failed by status and returns it with a sentence;
 * detail says what the system said. */
sy_status sy_env_refuse(sy_store *store, enum sy_store_env env, sy_status status,
                        const char *detail, struct sy_error *err);

/* sy_env_committed counts one durable commit that began at start_ns. */
void sy_env_committed(sy_store *store, enum sy_store_env env, uint64_t start_ns);

/* sy_install_check refuses (SY_ERR_EXISTS) while a state is being installed. */
sy_status sy_install_check(const sy_store *store, struct sy_error *err);

#endif
