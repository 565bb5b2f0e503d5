/* client_store_internal.h: what the client store's own files share. */
#ifndef SY_CLIENT_CLIENT_STORE_INTERNAL_H
#define SY_CLIENT_CLIENT_STORE_INTERNAL_H

#include "core/client/client_salts.h"
#include "core/client/client_store.h"

struct sy_client_store {
    sy_client_db *db;   /* where writes go */
    sy_client_db *base; /* SCRATCH: the real store, read through to; NULL when there is none yet */
    sy_client_salts *salts;      /* of db */
    sy_client_salts *base_salts; /* of base; NULL without one */
    struct sy_hash progress;     /* keys sy_client_digest */
    uint64_t next_place;         /* of the next salt */
    uint64_t stored_place;       /* as the store has it */
    char scratch_path[4096];     /* "" unless SCRATCH */
    struct sy_hash secret;
    struct sy_hash genesis;
    uint64_t next_seq;
    uint64_t stored_seq; /* as the store has it */
    uint8_t *row;        /* room for any row that is written */
};

/* Bytes of the largest row: an undecided transaction. */
#define SY_CLIENT_ROW_BYTES_MAX (2u << 20)

/* The first place holds the secret of sy_client_digest. A rehearsal's own places have the highest
 * bit, so that they are told from those of the store that it reads through to. */
#define SY_CLIENT_PLACE_PROGRESS 1u
#define SY_CLIENT_PLACE_SCRATCH (UINT64_C(1) << 63)

/* sy_client_salt_read fills a version's salt from its place (zeros: it is gone);
 * sy_client_salt_keep gives it a place; sy_client_salt_drop destroys it. */
sy_status sy_client_salt_read(sy_client_store *store, struct sy_client_version *version,
                              struct sy_error *err);
sy_status sy_client_salt_keep(sy_client_store *store, struct sy_client_version *version,
                              struct sy_error *err);
sy_status sy_client_salt_drop(sy_client_store *store, const struct sy_client_version *version,
                              struct sy_error *err);

/* sy_client_row_get reads one row, through to the base in a rehearsal; sy_client_row_put writes
 * what the writer holds, which lies in store->row. */
sy_status sy_client_row_get(sy_client_store *store, struct sy_slice *value,
                            enum sy_client_tree tree, struct sy_slice key, struct sy_error *err);
sy_status sy_client_row_put(sy_client_store *store, enum sy_client_tree tree, struct sy_slice key,
                            const struct sy_writer *w, struct sy_error *err);
struct sy_writer sy_client_row_writer(sy_client_store *store);
sy_status sy_client_row_corrupt(const char *what, struct sy_error *err);

static inline struct sy_slice sy_hash_slice(const struct sy_hash *hash)
{
    return sy_slice_of(hash->bytes, sizeof hash->bytes);
}

#endif
