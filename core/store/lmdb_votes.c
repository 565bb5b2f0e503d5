/* Votes and bodies on LMDB.
 *
 *   records  u8 type | u64 slot | u64 extra (big-endian)  ->  sum | value
 *   numbers  32 digest                                    ->  u64 number
 *   heads    u64 number      ->  sum | 32 digest | u32 bytes | u64 sum of the body | first bytes
 *   bodies   u64 number | u32 chunk                       ->  up to 65,520 bytes
 *
 * Numbers only ever increase, so heads and bodies are appended (MDB_APPEND). A chunk fills sixteen
 * pages to the last byte: what dropped bodies leave behind fits the next ones, and no search for
 * hundreds of pages in a row is ever needed. */
#include "core/store/lmdb_store.h"
#include "core/store/sum.h"

#define RECORD_KEY_BYTES SY_LMDB_RECORD_KEY_BYTES
#define HEAD_BYTES (32u + 4u + 8u)
#define CHUNK_BYTES 65520u

struct votes_write {
    const struct sy_vote_write *writes;
    size_t count;
    bool evidence; /* writes of evidence are made, too */
};

void sy_lmdb_pack_record_key(uint8_t out[RECORD_KEY_BYTES], const struct sy_record_key *key)
{
    out[0] = key->type;
    sy_store_u64_be(out + 1, key->slot);
    sy_store_u64_be(out + 9, key->extra);
}

struct sy_record_key sy_lmdb_unpack_record_key(const uint8_t packed[RECORD_KEY_BYTES])
{
    return (struct sy_record_key){packed[0], sy_load_u64_be(packed + 1),
                                  sy_load_u64_be(packed + 9)};
}

static uint64_t record_seed(const uint8_t key[RECORD_KEY_BYTES])
{
    return sy_sum(0, key, RECORD_KEY_BYTES);
}

static int put_record(struct sy_lmdb_env *env, MDB_txn *txn, const struct sy_vote_write *write)
{
    uint8_t packed[RECORD_KEY_BYTES];
    sy_lmdb_pack_record_key(packed, &write->key);
    MDB_val key = sy_lmdb_val(packed, sizeof packed);
    return sy_lmdb_put_summed(txn, env->trees[SY_TREE_RECORDS], &key, record_seed(packed),
                              write->value, 0);
}

static int drop_record(struct sy_lmdb_env *env, MDB_txn *txn, const struct sy_vote_write *write)
{
    uint8_t packed[RECORD_KEY_BYTES];
    sy_lmdb_pack_record_key(packed, &write->key);
    MDB_val key = sy_lmdb_val(packed, sizeof packed);
    int rc = mdb_del(txn, env->trees[SY_TREE_RECORDS], &key, NULL);
    return rc == MDB_NOTFOUND ? MDB_SUCCESS : rc;
}

static int drop_below(struct sy_lmdb_env *env, MDB_txn *txn, const struct sy_vote_write *write)
{
    MDB_cursor *cursor = NULL;
    int rc = mdb_cursor_open(txn, env->trees[SY_TREE_RECORDS], &cursor);
    if (rc) return rc;
    struct sy_record_key first = {.type = write->key.type};
    uint8_t packed[RECORD_KEY_BYTES];
    sy_lmdb_pack_record_key(packed, &first);
    MDB_val key = sy_lmdb_val(packed, sizeof packed);
    MDB_val value;
    rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (!rc) {
        const uint8_t *p = (const uint8_t *)key.mv_data;
        if (key.mv_size != RECORD_KEY_BYTES) {
            rc = MDB_CORRUPTED;
            break;
        }
        if (p[0] != write->key.type || sy_load_u64_be(p + 1) >= write->key.slot) break;
        rc = mdb_cursor_del(cursor, 0);
        if (!rc) rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? MDB_SUCCESS : rc;
}

// Finds a body's number: an LMDB code.
static int find_number(struct sy_lmdb_env *env, MDB_txn *txn, uint64_t *number,
                       const struct sy_hash *digest)
{
    MDB_val key = sy_lmdb_val(digest->bytes, 32);
    MDB_val value;
    int rc = mdb_get(txn, env->trees[SY_TREE_NUMBERS], &key, &value);
    if (rc) return rc;
    if (value.mv_size != 8) return MDB_CORRUPTED;
    *number = sy_load_u64_be((const uint8_t *)value.mv_data);
    return MDB_SUCCESS;
}

static int put_head(struct sy_lmdb_env *env, MDB_txn *txn, const uint8_t number_be[8],
                    const struct sy_vote_write *write)
{
    uint8_t head[HEAD_BYTES + SY_BODY_HEAD_BYTES];
    size_t shown = write->value.size < SY_BODY_HEAD_BYTES ? write->value.size : SY_BODY_HEAD_BYTES;
    memcpy(head, write->body.bytes, 32);
    sy_store_u32(head + 32, (uint32_t)write->value.size);
    sy_store_u64(head + 36, sy_sum(0, write->value.data, write->value.size));
    if (shown > 0) memcpy(head + HEAD_BYTES, write->value.data, shown);
    MDB_val key = sy_lmdb_val(number_be, 8);
    return sy_lmdb_put_summed(txn, env->trees[SY_TREE_HEADS], &key, sy_load_u64_be(number_be),
                              sy_slice_of(head, HEAD_BYTES + shown), MDB_APPEND);
}

static int put_body(struct sy_lmdb_env *env, MDB_txn *txn, uint64_t *next_body,
                    const struct sy_vote_write *write)
{
    uint64_t number;
    int rc = find_number(env, txn, &number, &write->body);
    if (rc != MDB_NOTFOUND) return rc;
    uint8_t packed[12];
    sy_store_u64_be(packed, (*next_body)++);
    rc = put_head(env, txn, packed, write);
    uint32_t chunk = 0;
    for (size_t at = 0; !rc && at < write->value.size; at += CHUNK_BYTES) {
        size_t left = write->value.size - at;
        uint8_t chunk_be[8];
        sy_store_u64_be(chunk_be, chunk++);
        memcpy(packed + 8, chunk_be + 4, 4);
        MDB_val key = sy_lmdb_val(packed, 12);
        MDB_val value =
            sy_lmdb_val(write->value.data + at, left < CHUNK_BYTES ? left : CHUNK_BYTES);
        rc = mdb_put(txn, env->trees[SY_TREE_BODIES], &key, &value, MDB_APPEND);
    }
    if (rc) return rc;
    MDB_val key = sy_lmdb_val(write->body.bytes, 32);
    MDB_val value = sy_lmdb_val(packed, 8);
    return mdb_put(txn, env->trees[SY_TREE_NUMBERS], &key, &value, 0);
}

static int drop_body(struct sy_lmdb_env *env, MDB_txn *txn, const struct sy_vote_write *write)
{
    uint64_t number;
    int rc = find_number(env, txn, &number, &write->body);
    if (rc) return rc == MDB_NOTFOUND ? MDB_SUCCESS : rc;
    uint8_t packed[12] = {0};
    sy_store_u64_be(packed, number);
    MDB_cursor *cursor = NULL;
    rc = mdb_cursor_open(txn, env->trees[SY_TREE_BODIES], &cursor);
    if (rc) return rc;
    MDB_val key = sy_lmdb_val(packed, 12);
    MDB_val value;
    rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (!rc && key.mv_size == 12 && memcmp(key.mv_data, packed, 8) == 0) {
        rc = mdb_cursor_del(cursor, 0);
        if (!rc) rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    if (rc && rc != MDB_NOTFOUND) return rc;
    key = sy_lmdb_val(packed, 8);
    rc = mdb_del(txn, env->trees[SY_TREE_HEADS], &key, NULL);
    if (rc && rc != MDB_NOTFOUND) return rc;
    key = sy_lmdb_val(write->body.bytes, 32);
    return mdb_del(txn, env->trees[SY_TREE_NUMBERS], &key, NULL);
}

static int write_votes(struct sy_lmdb_env *env, MDB_txn *txn, uint64_t counters[SY_ENV_COUNTERS],
                       void *context)
{
    const struct votes_write *work = (const struct votes_write *)context;
    int rc = MDB_SUCCESS;
    for (size_t i = 0; !rc && i < work->count; i++) {
        const struct sy_vote_write *write = &work->writes[i];
        switch (write->op) {
        case SY_VOTE_PUT_RECORD: rc = put_record(env, txn, write); break;
        case SY_VOTE_DROP_RECORD: rc = drop_record(env, txn, write); break;
        case SY_VOTE_DROP_BELOW: rc = drop_below(env, txn, write); break;
        case SY_VOTE_PUT_BODY: rc = put_body(env, txn, &counters[SY_VOTES_NEXT_BODY], write); break;
        case SY_VOTE_DROP_SPARE_BODY: // settled by then (spare.c)
        case SY_VOTE_DROP_BODY: rc = drop_body(env, txn, write); break;
        case SY_VOTE_PUT_EVIDENCE:
            if (work->evidence) rc = sy_lmdb_put_evidence(env, txn, write);
            break;
        }
    }
    counters[SY_VOTES_COMMITS]++;
    return rc;
}

static void publish_votes(struct sy_lmdb_env *env, void *context)
{
    (void)context;
    atomic_store(&sy_lmdb_of(env->store)->votes_commits, env->counters[SY_VOTES_COMMITS]);
}

sy_status sy_lmdb_votes_commit(sy_store *store, const struct sy_vote_write *writes, size_t count,
                               bool evidence, struct sy_error *err)
{
    struct votes_write work = {writes, count, evidence};
    return sy_lmdb_write(&sy_lmdb_of(store)->env[SY_ENV_VOTES], write_votes, publish_votes, &work,
                         err);
}

/* ---- reading ---------------------------------------------------------------------------- */

static struct sy_lmdb_env *votes_of(sy_store_reader *reader)
{
    return &sy_lmdb_of(reader->store)->env[SY_ENV_VOTES];
}

static sy_status damaged(struct sy_error *err, const struct sy_lmdb_env *env, const char *what)
{
    return sy_fail(err, SY_ERR_CORRUPT,
                   "%s: a stored %s is damaged; a validator whose votes are damaged must not vote "
                   "again under its key: bring it back by a roster change with a new one",
                   env->path, what);
}

/* Whom a walk shows its items to. */
struct shown_to {
    sy_record_fn record;
    sy_body_fn body;
    void *context;
};

static sy_status show_record(const struct sy_lmdb_env *env, const MDB_val *key,
                             const MDB_val *stored, void *context, struct sy_error *err)
{
    const struct shown_to *to = (const struct shown_to *)context;
    const uint8_t *p = (const uint8_t *)key->mv_data;
    struct sy_slice value;
    if (key->mv_size != RECORD_KEY_BYTES || !sy_lmdb_unpack(&value, stored, record_seed(p))) {
        return damaged(err, env, "record");
    }
    struct sy_record_key record = sy_lmdb_unpack_record_key(p);
    return to->record(to->context, &record, value);
}

static sy_status show_body(const struct sy_lmdb_env *env, const MDB_val *key, const MDB_val *stored,
                           void *context, struct sy_error *err)
{
    const struct shown_to *to = (const struct shown_to *)context;
    struct sy_slice head;
    if (key->mv_size != 8 ||
        !sy_lmdb_unpack(&head, stored, sy_load_u64_be((const uint8_t *)key->mv_data)) ||
        head.size < HEAD_BYTES) {
        return damaged(err, env, "body's head");
    }
    struct sy_hash digest;
    memcpy(digest.bytes, head.data, 32);
    return to->body(to->context, &digest, sy_load_u32(head.data + 32),
                    sy_slice_of(head.data + HEAD_BYTES, head.size - HEAD_BYTES));
}

sy_status sy_lmdb_votes_walk(sy_store_reader *reader, unsigned tree, sy_lmdb_item item,
                             void *context, struct sy_error *err)
{
    struct sy_lmdb_env *env = votes_of(reader);
    struct sy_lmdb_reader *impl = (struct sy_lmdb_reader *)reader->impl;
    MDB_cursor *cursor = NULL;
    MDB_val key;
    MDB_val stored;
    sy_status status = sy_lmdb_read_begin(env, &impl->votes);
    if (status != SY_OK) return sy_fail(err, status, "%s: cannot be read", env->path);
    int rc = mdb_cursor_open(impl->votes, env->trees[tree], &cursor);
    if (!rc) rc = mdb_cursor_get(cursor, &key, &stored, MDB_FIRST);
    while (!rc && status == SY_OK) {
        status = item(env, &key, &stored, context, err);
        if (status == SY_OK) rc = mdb_cursor_get(cursor, &key, &stored, MDB_NEXT);
    }
    if (cursor) mdb_cursor_close(cursor);
    sy_lmdb_read_end(env, impl->votes);
    if (status != SY_OK) return status;
    if (rc == MDB_NOTFOUND) return SY_OK;
    return sy_fail(err, sy_lmdb_status(rc), "%s: %s", env->path, mdb_strerror(rc));
}

sy_status sy_lmdb_votes_each(sy_store_reader *reader, sy_record_fn show, void *context,
                             struct sy_error *err)
{
    struct shown_to to = {.record = show, .context = context};
    return sy_lmdb_votes_walk(reader, SY_TREE_RECORDS, show_record, &to, err);
}

sy_status sy_lmdb_bodies_each(sy_store_reader *reader, sy_body_fn show, void *context,
                              struct sy_error *err)
{
    struct shown_to to = {.body = show, .context = context};
    return sy_lmdb_votes_walk(reader, SY_TREE_HEADS, show_body, &to, err);
}

// Gathers the chunks of a body of out->size bytes.
static sy_status copy_chunks(struct sy_lmdb_env *env, MDB_txn *txn, struct sy_buffer *out,
                             uint64_t number)
{
    uint8_t packed[12] = {0};
    sy_store_u64_be(packed, number);
    MDB_cursor *cursor = NULL;
    int rc = mdb_cursor_open(txn, env->trees[SY_TREE_BODIES], &cursor);
    if (rc) return sy_lmdb_status(rc);
    MDB_val key = sy_lmdb_val(packed, 12);
    MDB_val chunk;
    size_t at = 0;
    rc = at < out->size ? mdb_cursor_get(cursor, &key, &chunk, MDB_SET) : MDB_SUCCESS;
    while (!rc && at < out->size) {
        bool ours = key.mv_size == 12 && memcmp(key.mv_data, packed, 8) == 0;
        if (!ours || chunk.mv_size == 0 || chunk.mv_size > out->size - at) break;
        memcpy(out->data + at, chunk.mv_data, chunk.mv_size);
        at += chunk.mv_size;
        if (at < out->size) rc = mdb_cursor_get(cursor, &key, &chunk, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return at == out->size ? SY_OK : SY_ERR_CORRUPT;
}

static sy_status read_body(struct sy_lmdb_env *env, MDB_txn *txn, struct sy_buffer *out,
                           const struct sy_hash *digest)
{
    uint64_t number;
    int rc = find_number(env, txn, &number, digest);
    if (rc) return sy_lmdb_status(rc);
    uint8_t number_be[8];
    sy_store_u64_be(number_be, number);
    MDB_val key = sy_lmdb_val(number_be, 8);
    MDB_val stored;
    rc = mdb_get(txn, env->trees[SY_TREE_HEADS], &key, &stored);
    if (rc) return rc == MDB_NOTFOUND ? SY_ERR_CORRUPT : sy_lmdb_status(rc);
    struct sy_slice head;
    if (!sy_lmdb_unpack(&head, &stored, number) || head.size < HEAD_BYTES ||
        memcmp(head.data, digest->bytes, 32) != 0) {
        return SY_ERR_CORRUPT;
    }
    uint32_t size = sy_load_u32(head.data + 32);
    if (size > SY_BODY_BYTES_MAX) return SY_ERR_CORRUPT;
    SY_TRY(sy_buffer_fit(out, size));
    SY_TRY(copy_chunks(env, txn, out, number));
    return sy_load_u64(head.data + 36) == sy_sum(0, out->data, size) ? SY_OK : SY_ERR_CORRUPT;
}

sy_status sy_lmdb_body_get(sy_store_reader *reader, struct sy_buffer *out,
                           const struct sy_hash *digest)
{
    struct sy_lmdb_env *env = votes_of(reader);
    struct sy_lmdb_reader *impl = (struct sy_lmdb_reader *)reader->impl;
    SY_TRY(sy_lmdb_read_begin(env, &impl->votes));
    sy_status status = read_body(env, impl->votes, out, digest);
    sy_lmdb_read_end(env, impl->votes);
    return status;
}
