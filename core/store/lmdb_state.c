/* The state's B-tree: key hash -> sum | value.
 *
 * Only the merger writes, in slices sized by how long the last ones took. A slice writes the
 * heights in its own transaction: target with the first, complete with the last. Neither ever goes
 * down: after a crash in the middle of a merge the replayed generations may end at other heights
 * than before, and what the tree may hold stays what it was. */
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/store/lmdb_store.h"
#include "core/store/sum.h"

#define SLICE_NS_MAX 45000000ull /* longer ones make the next smaller */
#define PUTS_NS_MAX 20000000ull  /* the rest is for the commit */
#define SLICE_KEYS_MIN 64u
#define SLICE_KEYS_MAX 1000000u

struct snapshot {
    MDB_txn *txn;
    MDB_cursor *cursor;
    bool walking; /* the cursor belongs to the current transaction */
};

static struct sy_lmdb_env *state_of(void *base)
{
    return &((struct sy_lmdb_store *)base)->env[SY_ENV_STATE];
}

uint64_t sy_lmdb_value_seed(const void *key)
{
    return sy_load_u64((const uint8_t *)key);
}

/* ---- snapshots -------------------------------------------------------------------------- */

static sy_status make_snapshot(void *base, void **out)
{
    (void)base;
    *out = calloc(1, sizeof(struct snapshot));
    return *out ? SY_OK : SY_ERR_NO_MEMORY;
}

static void free_snapshot(void *base, void *handle)
{
    struct snapshot *snapshot = (struct snapshot *)handle;
    (void)base;
    if (snapshot->cursor) mdb_cursor_close(snapshot->cursor);
    if (snapshot->txn) mdb_txn_abort(snapshot->txn);
    free(snapshot);
}

static void enter_gate(void *base)
{
    sy_lmdb_enter(state_of(base));
}

static void leave_gate(void *base)
{
    sy_lmdb_leave(state_of(base));
}

static sy_status pin_snapshot(void *base, void *handle, uint64_t *complete, uint64_t *target)
{
    struct snapshot *snapshot = (struct snapshot *)handle;
    struct sy_lmdb_env *env = state_of(base);
    uint64_t counters[SY_ENV_COUNTERS];
    SY_TRY(sy_lmdb_renew(env, &snapshot->txn));
    snapshot->walking = false;
    sy_status status = sy_lmdb_counters(env, snapshot->txn, counters);
    if (status != SY_OK) {
        mdb_txn_reset(snapshot->txn);
        return status;
    }
    *complete = counters[SY_STATE_COMPLETE];
    *target = counters[SY_STATE_TARGET];
    return SY_OK;
}

static void unpin_snapshot(void *base, void *handle)
{
    struct snapshot *snapshot = (struct snapshot *)handle;
    (void)base;
    mdb_txn_reset(snapshot->txn);
    snapshot->walking = false;
}

/* ---- reading ---------------------------------------------------------------------------- */

static sy_status copy_value(struct sy_buffer *value, const MDB_val *stored, const void *key)
{
    struct sy_slice bytes;
    if (!sy_lmdb_unpack(&bytes, stored, sy_lmdb_value_seed(key))) return SY_ERR_CORRUPT;
    return sy_buffer_set(value, bytes.data, bytes.size);
}

static sy_status get_value(void *base, void *handle, struct sy_buffer *value,
                           const struct sy_hash *key)
{
    struct snapshot *snapshot = (struct snapshot *)handle;
    MDB_val packed = sy_lmdb_val(key->bytes, 32);
    MDB_val stored;
    int rc = mdb_get(snapshot->txn, state_of(base)->trees[SY_TREE_STATE], &packed, &stored);
    return rc ? sy_lmdb_status(rc) : copy_value(value, &stored, key->bytes);
}

static sy_status give_entry(struct snapshot *snapshot, struct sy_hash *found,
                            struct sy_buffer *value, MDB_val *key, MDB_cursor_op op)
{
    MDB_val stored;
    int rc = mdb_cursor_get(snapshot->cursor, key, &stored, op);
    if (rc) return sy_lmdb_status(rc);
    if (key->mv_size != 32) return SY_ERR_CORRUPT;
    memcpy(found->bytes, key->mv_data, 32);
    return copy_value(value, &stored, found->bytes);
}

static sy_status seek_entry(void *base, void *handle, struct sy_hash *found,
                            struct sy_buffer *value, const struct sy_hash *key)
{
    struct snapshot *snapshot = (struct snapshot *)handle;
    int rc = MDB_SUCCESS;
    if (!snapshot->cursor) {
        rc =
            mdb_cursor_open(snapshot->txn, state_of(base)->trees[SY_TREE_STATE], &snapshot->cursor);
    } else if (!snapshot->walking) {
        rc = mdb_cursor_renew(snapshot->txn, snapshot->cursor);
    }
    if (rc) return sy_lmdb_status(rc);
    snapshot->walking = true;
    MDB_val packed = sy_lmdb_val(key->bytes, 32);
    return give_entry(snapshot, found, value, &packed, MDB_SET_RANGE);
}

static sy_status next_entry(void *base, void *handle, struct sy_hash *found,
                            struct sy_buffer *value)
{
    struct snapshot *snapshot = (struct snapshot *)handle;
    (void)base;
    SY_ASSERT(snapshot->walking);
    MDB_val packed;
    return give_entry(snapshot, found, value, &packed, MDB_NEXT);
}

/* ---- merging ---------------------------------------------------------------------------- */

struct slice {
    const struct sy_generation_cursor *from;
    struct sy_generation_cursor to; /* where the slice ended */
    uint64_t target;
    size_t keys;
};

static int merge_key(MDB_cursor *tree, const struct sy_hash *key, struct sy_version version)
{
    MDB_val packed = sy_lmdb_val(key->bytes, 32);
    if (!version.removed) {
        MDB_val room = {SY_SUM_BYTES + version.value.size, NULL};
        int rc = mdb_cursor_put(tree, &packed, &room, MDB_RESERVE);
        if (rc) return rc;
        uint8_t *p = (uint8_t *)room.mv_data;
        sy_store_u64(
            p, sy_sum(sy_lmdb_value_seed(key->bytes), version.value.data, version.value.size));
        if (version.value.size > 0) {
            memcpy(p + SY_SUM_BYTES, version.value.data, version.value.size);
        }
        return MDB_SUCCESS;
    }
    MDB_val stored;
    int rc = mdb_cursor_get(tree, &packed, &stored, MDB_SET);
    if (!rc) rc = mdb_cursor_del(tree, 0);
    return rc == MDB_NOTFOUND ? MDB_SUCCESS : rc;
}

static int merge_keys(MDB_cursor *tree, struct slice *slice, size_t keys_max)
{
    uint64_t start_ns = sy_os_monotonic_ns();
    const struct sy_hash *key;
    while ((key = sy_generation_key(&slice->to)) != NULL && slice->keys < keys_max) {
        struct sy_version version;
        bool known = sy_generation_at(&slice->to, &version, UINT64_MAX);
        SY_ASSERT(known);
        int rc = merge_key(tree, key, version);
        if (rc) return rc;
        sy_generation_next(&slice->to);
        slice->keys++;
        if (slice->keys % SLICE_KEYS_MIN == 0 && sy_os_monotonic_ns() - start_ns > PUTS_NS_MAX) {
            break;
        }
    }
    return MDB_SUCCESS;
}

static int write_slice(struct sy_lmdb_env *env, MDB_txn *txn, uint64_t counters[SY_ENV_COUNTERS],
                       void *context)
{
    struct slice *slice = (struct slice *)context;
    MDB_cursor *tree = NULL;
    slice->to = *slice->from;
    slice->keys = 0;
    int rc = mdb_cursor_open(txn, env->trees[SY_TREE_STATE], &tree);
    if (rc) return rc;
    rc = merge_keys(tree, slice, sy_lmdb_of(env->store)->merge_keys);
    mdb_cursor_close(tree);
    if (rc) return rc;
    if (counters[SY_STATE_TARGET] < slice->target) counters[SY_STATE_TARGET] = slice->target;
    bool last = !sy_generation_key(&slice->to);
    if (last && counters[SY_STATE_COMPLETE] < slice->target) {
        counters[SY_STATE_COMPLETE] = slice->target;
    }
    return MDB_SUCCESS;
}

// Sizes the next slice so that it takes most of its time and no more.
static void adapt(struct sy_lmdb_store *lmdb, size_t keys, uint64_t ns)
{
    size_t next = lmdb->merge_keys;
    if (ns > SLICE_NS_MAX) {
        next = (size_t)((double)keys * (double)SLICE_NS_MAX * 0.8 / (double)ns);
    } else if (keys >= next) {
        next += next / 2;
    }
    if (next < SLICE_KEYS_MIN) next = SLICE_KEYS_MIN;
    lmdb->merge_keys = next > SLICE_KEYS_MAX ? SLICE_KEYS_MAX : next;
}

static sy_status merge_slice(void *base, struct sy_generation_cursor *cursor, uint64_t target,
                             struct sy_error *err)
{
    struct sy_lmdb_store *lmdb = (struct sy_lmdb_store *)base;
    struct slice slice = {.from = cursor, .target = target};
    uint64_t start_ns = sy_os_monotonic_ns();
    SY_TRY(sy_lmdb_write(state_of(base), write_slice, NULL, &slice, err));
    *cursor = slice.to;
    adapt(lmdb, slice.keys, sy_os_monotonic_ns() - start_ns);
    return SY_OK;
}

const struct sy_state_base_ops sy_lmdb_state_ops = {
    .snapshot_make = make_snapshot,
    .snapshot_free = free_snapshot,
    .enter = enter_gate,
    .leave = leave_gate,
    .pin = pin_snapshot,
    .unpin = unpin_snapshot,
    .get = get_value,
    .seek = seek_entry,
    .next = next_entry,
    .merge = merge_slice,
};
