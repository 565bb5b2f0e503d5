/* Evidence on LMDB, in the votes' environment: it rides in the transactions that votes need anyhow.
 *
 *   evidence  32 signer | u8 type | u64 slot | u64 extra (big-endian)  ->  sum | value */
#include "core/store/lmdb_store.h"
#include "core/store/sum.h"

#define SIGNER_BYTES 32u
#define KEY_BYTES (SIGNER_BYTES + SY_LMDB_RECORD_KEY_BYTES)

static uint64_t seed_of(const uint8_t key[KEY_BYTES])
{
    return sy_sum(0, key, KEY_BYTES);
}

/* How many pieces there are against a signer, up to the most that may be: an LMDB code. */
static int count_signer(struct sy_lmdb_env *env, MDB_txn *txn, unsigned *count,
                        const struct sy_hash *signer)
{
    MDB_cursor *cursor = NULL;
    MDB_val key = sy_lmdb_val(signer->bytes, SIGNER_BYTES);
    MDB_val stored;
    *count = 0;
    int rc = mdb_cursor_open(txn, env->trees[SY_TREE_EVIDENCE], &cursor);
    if (rc) return rc;
    rc = mdb_cursor_get(cursor, &key, &stored, MDB_SET_RANGE);
    while (!rc && *count < SY_EVIDENCE_SIGNER_MAX && key.mv_size == KEY_BYTES &&
           memcmp(key.mv_data, signer->bytes, SIGNER_BYTES) == 0) {
        ++*count;
        rc = mdb_cursor_get(cursor, &key, &stored, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? MDB_SUCCESS : rc;
}

int sy_lmdb_put_evidence(struct sy_lmdb_env *env, MDB_txn *txn, const struct sy_vote_write *write)
{
    uint8_t packed[KEY_BYTES];
    MDB_stat all;
    unsigned of_signer = 0;
    int rc = mdb_stat(txn, env->trees[SY_TREE_EVIDENCE], &all);
    if (!rc) rc = count_signer(env, txn, &of_signer, &write->body);
    if (rc) return rc;
    if (all.ms_entries >= SY_EVIDENCE_KEPT_MAX) return MDB_SUCCESS;
    if (of_signer >= SY_EVIDENCE_SIGNER_MAX) return MDB_SUCCESS;
    memcpy(packed, write->body.bytes, SIGNER_BYTES);
    sy_lmdb_pack_record_key(packed + SIGNER_BYTES, &write->key);
    MDB_val key = sy_lmdb_val(packed, sizeof packed);
    rc = sy_lmdb_put_summed(txn, env->trees[SY_TREE_EVIDENCE], &key, seed_of(packed), write->value,
                            MDB_NOOVERWRITE);
    return rc == MDB_KEYEXIST ? MDB_SUCCESS : rc;
}

/* ---- reading ---------------------------------------------------------------------------- */

struct showing {
    sy_evidence_fn show;
    void *context;
    uint64_t damaged;
};

static sy_status show_piece(const struct sy_lmdb_env *env, const MDB_val *key,
                            const MDB_val *stored, void *context, struct sy_error *err)
{
    struct showing *showing = (struct showing *)context;
    const uint8_t *p = (const uint8_t *)key->mv_data;
    struct sy_slice value;
    struct sy_hash signer;
    (void)env;
    (void)err;
    // Larger than any piece: those who are shown it have room for no more.
    bool whole = key->mv_size == KEY_BYTES && sy_lmdb_unpack(&value, stored, seed_of(p)) &&
                 value.size <= SY_EVIDENCE_VALUE_BYTES_MAX;
    if (!whole) {
        showing->damaged++;
        return SY_OK;
    }
    memcpy(signer.bytes, p, sizeof signer.bytes);
    struct sy_record_key place = sy_lmdb_unpack_record_key(p + SIGNER_BYTES);
    return showing->show(showing->context, &signer, &place, value);
}

sy_status sy_lmdb_evidence_each(sy_store_reader *reader, sy_evidence_fn show, void *context,
                                struct sy_error *err)
{
    struct showing showing = {show, context, 0};
    SY_TRY(sy_lmdb_votes_walk(reader, SY_TREE_EVIDENCE, show_piece, &showing, err));
    if (showing.damaged == 0) return SY_OK;
    return sy_fail(err, SY_ERR_CORRUPT,
                   "%s: %llu pieces of evidence are damaged; what is not was shown, and other "
                   "validators may hold the same",
                   sy_lmdb_of(reader->store)->env[SY_ENV_VOTES].path,
                   (unsigned long long)showing.damaged);
}

uint64_t sy_lmdb_evidence_count(sy_store_reader *reader)
{
    struct sy_lmdb_env *env = &sy_lmdb_of(reader->store)->env[SY_ENV_VOTES];
    struct sy_lmdb_reader *impl = (struct sy_lmdb_reader *)reader->impl;
    MDB_stat all = {0};
    if (sy_lmdb_read_begin(env, &impl->votes) != SY_OK) return 0;
    int rc = mdb_stat(impl->votes, env->trees[SY_TREE_EVIDENCE], &all);
    sy_lmdb_read_end(env, impl->votes);
    return rc ? 0 : all.ms_entries;
}
