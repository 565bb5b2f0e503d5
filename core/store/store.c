/* The part of store.h that both implementations share: arguments are checked here, so that a
 * promise about them cannot hold in one and fail in the other. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/base/telemetry.h"
#include "core/store/impl.h"
#include "core/store/state.h"
#include "core/wire/delta.h"
#include "core/wire/limits.h"

const char *const sy_env_names[SY_ENV_COUNT] = {"votes", "ledger", "state", "notices", "directory"};

/* ---- buffers ---------------------------------------------------------------------------- */

sy_status sy_buffer_fit(struct sy_buffer *buffer, size_t size)
{
    if (size > buffer->room || !buffer->data) {
        size_t room = size + size / 4 + 64;
        uint8_t *data = (uint8_t *)malloc(room);
        if (!data) return SY_ERR_NO_MEMORY;
        free(buffer->data);
        buffer->data = data;
        buffer->room = room;
    }
    buffer->size = size;
    return SY_OK;
}

sy_status sy_buffer_set(struct sy_buffer *buffer, const void *data, size_t size)
{
    SY_TRY(sy_buffer_fit(buffer, size));
    if (size > 0) memcpy(buffer->data, data, size);
    return SY_OK;
}

sy_status sy_buffer_append(struct sy_buffer *buffer, const void *data, size_t size)
{
    if (size > buffer->room - buffer->size) {
        size_t room = 2 * (buffer->size + size) + 64;
        uint8_t *moved = (uint8_t *)realloc(buffer->data, room);
        if (!moved) return SY_ERR_NO_MEMORY;
        buffer->data = moved;
        buffer->room = room;
    }
    if (size > 0) memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
    return SY_OK;
}

void sy_buffer_free(struct sy_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct sy_buffer){0};
}

/* ---- health ----------------------------------------------------------------------------- */

sy_status sy_env_check(sy_store *store, enum sy_store_env env, struct sy_error *err)
{
    struct sy_env_health *health = &store->health[env];
    if (store->config.read_only) {
        return sy_fail(err, SY_ERR_PERMISSION, "%s: the store is open for reading only",
                       sy_env_names[env]);
    }
    if (atomic_load(&health->failed)) {
        return sy_fail(err, SY_ERR_IO,
                       "%s: an earlier device error stopped all writes; check the disk and the "
                       "system log, then restart the validator",
                       sy_env_names[env]);
    }
    if (atomic_load(&health->full)) {
        return sy_fail(err, SY_ERR_DISK_FULL,
                       "%s: an earlier write found no room; make room on the device, then resume",
                       sy_env_names[env]);
    }
    return SY_OK;
}

sy_status sy_env_refuse(sy_store *store, enum sy_store_env env, sy_status status,
                        const char *detail, struct sy_error *err)
{
    struct sy_env_health *health = &store->health[env];
    if (status == SY_ERR_DISK_FULL) {
        if (!atomic_exchange(&health->full, true)) {
            SY_LOG(SY_LOG_ERROR, "store", "disk_full", SY_F_TEXT("env", sy_env_names[env]),
                   SY_F_TEXT("detail", detail));
        }
        return sy_fail(err, status,
                       "%s: no room for a write (%s); nothing that was promised is lost: make room "
                       "on the device, then resume",
                       sy_env_names[env], detail);
    }
    if (status == SY_ERR_IO) {
        if (!atomic_exchange(&health->failed, true)) {
            SY_LOG(SY_LOG_ERROR, "store", "device_error", SY_F_TEXT("env", sy_env_names[env]),
                   SY_F_TEXT("detail", detail));
        }
        return sy_fail(err, status,
                       "%s: a write failed (%s); check the disk and the system log, then restart "
                       "the validator",
                       sy_env_names[env], detail);
    }
    return sy_fail(err, status, "%s: %s", sy_env_names[env], detail);
}

sy_status sy_env_failpoint(sy_store *store, enum sy_store_env env, const char *stage,
                           struct sy_error *err)
{
    char name[48];
    snprintf(name, sizeof name, "store.%s.%s", sy_env_names[env], stage);
    sy_status status = sy_os_failpoint(name);
    return status == SY_OK ? SY_OK : sy_env_refuse(store, env, status, "failpoint", err);
}

void sy_env_done(enum sy_store_env env)
{
    char name[48];
    snprintf(name, sizeof name, "store.%s.done", sy_env_names[env]);
    (void)sy_os_failpoint(name);
}

void sy_env_committed(sy_store *store, enum sy_store_env env, uint64_t start_ns)
{
    struct sy_env_health *health = &store->health[env];
    uint64_t us = (sy_os_monotonic_ns() - start_ns) / 1000;
    atomic_fetch_add(&health->commits, 1);
    atomic_fetch_add(&health->commit_us, us);
    // One thread at a time commits to an environment, so this is no race.
    if (us > atomic_load(&health->commit_us_max)) atomic_store(&health->commit_us_max, us);
    sy_metric_add(SY_M_store_commits_total, 1);
    sy_metric_observe_us(SY_M_store_commit_us, us);
}

static void count_value_bytes(sy_store *store, enum sy_store_env env, uint64_t bytes)
{
    atomic_fetch_add(&store->health[env].value_bytes, bytes);
    sy_metric_add(SY_M_store_bytes_total, bytes);
}

/* ---- opening ---------------------------------------------------------------------------- */

static sy_status pick_u64(uint64_t *value, uint64_t fallback, uint64_t min, uint64_t max,
                          const char *name, struct sy_error *err)
{
    if (*value == 0) *value = fallback;
    if (*value >= min && *value <= max) return SY_OK;
    return sy_fail(err, SY_ERR_ARGUMENT, "store: %s is %llu; it must be between %llu and %llu",
                   name, (unsigned long long)*value, (unsigned long long)min,
                   (unsigned long long)max);
}

static sy_status pick_u32(uint32_t *value, uint32_t fallback, uint32_t min, uint32_t max,
                          const char *name, struct sy_error *err)
{
    uint64_t wide = *value;
    SY_TRY(pick_u64(&wide, fallback, min, max, name, err));
    *value = (uint32_t)wide;
    return SY_OK;
}

sy_status sy_store_prepare(sy_store *store, const struct sy_store_config *config,
                           struct sy_error *err)
{
    const uint64_t map_min = 1u << 16;
    const uint64_t map_max = 1ull << 46;
    const uint64_t map = 16ull << 30;
    store->config = *config;
    struct sy_store_config *c = &store->config;
    SY_TRY(pick_u64(&c->votes_map_bytes, map, map_min, map_max, "votes_map_bytes", err));
    SY_TRY(pick_u64(&c->ledger_map_bytes, map, map_min, map_max, "ledger_map_bytes", err));
    SY_TRY(pick_u64(&c->state_map_bytes, map, map_min, map_max, "state_map_bytes", err));
    SY_TRY(pick_u64(&c->notices_map_bytes, map, map_min, map_max, "notices_map_bytes", err));
    SY_TRY(pick_u64(&c->directory_map_bytes, map, map_min, map_max, "directory_map_bytes", err));
    SY_TRY(
        pick_u64(&c->generation_bytes, 32u << 20, 1u << 14, 4ull << 30, "generation_bytes", err));
    SY_TRY(pick_u32(&c->generation_count, 4, 2, 16, "generation_count", err));
    SY_TRY(pick_u32(&c->generation_blocks, 4096, 1, 1u << 30, "generation_blocks", err));
    SY_TRY(pick_u32(&c->view_count_max, 64, 1, 1024, "view_count_max", err));
    SY_TRY(pick_u32(&c->view_age_ms_max, 60000, 1, 86400000, "view_age_ms_max", err));
    SY_TRY(pick_u32(&c->snapshot_age_ms_max, 3600000, 1, 1u << 31, "snapshot_age_ms_max", err));
    return pick_u32(&c->recent_txs, 65536, 16, 1u << 24, "recent_txs", err);
}

void sy_store_close(sy_store *store)
{
    if (!store) return;
    sy_store_reader_close(store->prune_reader);
    SY_ASSERT(atomic_load(&store->readers_open) == 0);
    sy_state_close(store->state);
    store->ops->close(store);
}

const struct sy_hash *sy_store_id(const sy_store *store)
{
    return &store->id;
}

static sy_status take_writes_again(sy_store *store, struct sy_error *err)
{
    for (int env = 0; env < SY_ENV_COUNT; env++) {
        if (atomic_load(&store->health[env].failed)) {
            return sy_fail(err, SY_ERR_IO,
                           "%s: a device error stopped all writes; check the disk and the system "
                           "log, then restart the validator",
                           sy_env_names[env]);
        }
    }
    for (int env = 0; env < SY_ENV_COUNT; env++) atomic_store(&store->health[env].full, false);
    return SY_OK;
}

sy_status sy_store_resume(sy_store *store, struct sy_error *err)
{
    // A write of the merger's may be failing just now: what it meets was met before the resume.
    store->ops->hold(store);
    sy_status status = take_writes_again(store, err);
    store->ops->release(store);
    if (status == SY_OK) sy_state_resume(store->state);
    return status;
}

/* ---- readers ---------------------------------------------------------------------------- */

sy_status sy_store_reader_open(sy_store_reader **reader, sy_store *store)
{
    *reader = NULL;
    if (atomic_fetch_add(&store->readers_open, 1) >= SY_READERS_MAX) {
        atomic_fetch_sub(&store->readers_open, 1);
        return SY_ERR_LIMIT;
    }
    sy_store_reader *fresh = (sy_store_reader *)calloc(1, sizeof *fresh);
    sy_status status = SY_ERR_NO_MEMORY;
    if (fresh) {
        fresh->store = store;
        status = store->ops->reader_open(fresh);
    }
    if (status != SY_OK) {
        free(fresh);
        atomic_fetch_sub(&store->readers_open, 1);
        return status;
    }
    *reader = fresh;
    return SY_OK;
}

void sy_store_reader_close(sy_store_reader *reader)
{
    if (!reader) return;
    reader->store->ops->reader_close(reader);
    for (int i = 0; i < SY_BLOCK_PARTS; i++) sy_buffer_free(&reader->parts[i]);
    sy_buffer_free(&reader->body);
    sy_buffer_free(&reader->positions);
    atomic_fetch_sub(&reader->store->readers_open, 1);
    free(reader);
}

sy_store *sy_store_of(const sy_store_reader *reader)
{
    return reader->store;
}

/* ---- votes ------------------------------------------------------------------------------ */

// A roster of the largest size fits, each of its validators with all that may be kept against it.
_Static_assert(SY_EVIDENCE_KEPT_MAX >= SY_EVIDENCE_SIGNER_MAX * SY_VALIDATORS_MAX,
               "nobody's evidence is pushed out by that against others");

static sy_status check_vote_write(const struct sy_vote_write *write, struct sy_error *err)
{
    const char *what = "record";
    size_t max = SY_VOTE_VALUE_BYTES_MAX;
    SY_ASSERT((unsigned)write->op <= SY_VOTE_PUT_EVIDENCE);
    if (write->op == SY_VOTE_PUT_BODY) {
        what = "body";
        max = SY_BODY_BYTES_MAX;
    } else if (write->op == SY_VOTE_PUT_EVIDENCE) {
        what = "piece of evidence";
        max = SY_EVIDENCE_VALUE_BYTES_MAX;
    }
    if (write->value.size <= max) return SY_OK;
    return sy_fail(err, SY_ERR_LIMIT, "votes: a %s of %zu bytes is over the limit of %zu", what,
                   write->value.size, max);
}

// The disk is full. What the other writes need may still be there: pages that dropped votes left
// behind. So whoever tells lies to make evidence stops no validator with it.
static sy_status commit_without_evidence(sy_store *store, const struct sy_vote_write *writes,
                                         size_t count, size_t pieces, struct sy_error *err)
{
    SY_LOG(SY_LOG_WARN, "store", "evidence_lost", SY_F_U64("pieces", pieces));
    atomic_store(&store->health[SY_ENV_VOTES].full, false);
    return pieces == count ? SY_OK : store->ops->votes_commit(store, writes, count, false, err);
}

static sy_status commit_settled(sy_store *store, const struct sy_vote_write *writes, size_t count,
                                struct sy_error *err)
{
    struct sy_vote_write *settled = (struct sy_vote_write *)malloc(count * sizeof *settled);
    if (!settled) return sy_fail(err, SY_ERR_NO_MEMORY, "votes: no memory for %zu writes", count);
    memcpy(settled, writes, count * sizeof *settled);
    size_t left = sy_spare_settle(store, settled, count);
    sy_status status = sy_votes_commit(store, settled, left, err);
    free(settled);
    return status;
}

sy_status sy_votes_commit(sy_store *store, const struct sy_vote_write *writes, size_t count,
                          struct sy_error *err)
{
    uint64_t bytes = 0;
    size_t pieces = 0, spares = 0;
    for (size_t i = 0; i < count; i++) {
        SY_TRY(check_vote_write(&writes[i], err));
        pieces += writes[i].op == SY_VOTE_PUT_EVIDENCE;
        spares += writes[i].op == SY_VOTE_DROP_SPARE_BODY;
        bytes += writes[i].value.size;
    }
    if (spares > 0) return commit_settled(store, writes, count, err);
    SY_TRY(sy_env_check(store, SY_ENV_VOTES, err));
    if (count == 0) return SY_OK;
    sy_status status = store->ops->votes_commit(store, writes, count, pieces > 0, err);
    if (status == SY_ERR_DISK_FULL && pieces > 0) {
        status = commit_without_evidence(store, writes, count, pieces, err);
    }
    if (status != SY_OK) return status;
    count_value_bytes(store, SY_ENV_VOTES, bytes);
    return SY_OK;
}

sy_status sy_votes_each(sy_store_reader *reader, sy_record_fn show, void *context,
                        struct sy_error *err)
{
    return reader->store->ops->votes_each(reader, show, context, err);
}

sy_status sy_bodies_each(sy_store_reader *reader, sy_body_fn show, void *context,
                         struct sy_error *err)
{
    return reader->store->ops->bodies_each(reader, show, context, err);
}

sy_status sy_body_get(sy_store_reader *reader, struct sy_slice *body, const struct sy_hash *digest)
{
    *body = sy_slice_of(NULL, 0);
    SY_TRY(reader->store->ops->body_get(reader, &reader->body, digest));
    *body = sy_buffer_slice(&reader->body);
    return SY_OK;
}

sy_status sy_evidence_each(sy_store_reader *reader, sy_evidence_fn show, void *context,
                           struct sy_error *err)
{
    return reader->store->ops->evidence_each(reader, show, context, err);
}

uint64_t sy_evidence_count(sy_store_reader *reader)
{
    return reader->store->ops->evidence_count(reader);
}

/* ---- ledger ----------------------------------------------------------------------------- */

static sy_status check_block(uint64_t *bytes, const struct sy_block_write *block,
                             struct sy_error *err)
{
    const struct sy_slice parts[] = {block->header, block->order, block->receipts, block->deltas,
                                     sy_slice_of(block->tx_ids, block->tx_count * 32)};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].size > SY_BLOCK_PART_BYTES_MAX) {
            return sy_fail(err, SY_ERR_LIMIT,
                           "ledger: part %zu of block %llu has %zu bytes, over the limit of %u", i,
                           (unsigned long long)block->height, parts[i].size,
                           SY_BLOCK_PART_BYTES_MAX);
        }
        *bytes += parts[i].size;
    }
    if (!sy_deltas_check(block->deltas, NULL, NULL)) {
        return sy_fail(err, SY_ERR_FORMAT, "ledger: the deltas of block %llu are malformed",
                       (unsigned long long)block->height);
    }
    return SY_OK;
}

sy_status sy_ledger_append(sy_store *store, const struct sy_block_write *blocks, size_t count,
                           struct sy_error *err)
{
    uint64_t next = sy_ledger_next(store);
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t expected = next + i;
        if (blocks[i].height != expected) {
            return sy_fail(err, SY_ERR_ARGUMENT,
                           "ledger: block %llu was offered where block %llu comes next",
                           (unsigned long long)blocks[i].height, (unsigned long long)expected);
        }
        SY_TRY(check_block(&bytes, &blocks[i], err));
    }
    SY_TRY(sy_install_check(store, err));
    SY_TRY(sy_env_check(store, SY_ENV_LEDGER, err));
    if (count == 0) return SY_OK;
    SY_TRY(store->ops->ledger_append(store, blocks, count, err));
    count_value_bytes(store, SY_ENV_LEDGER, bytes);
    sy_state_on_append(store->state);
    return SY_OK;
}

sy_status sy_ledger_put_certificates(sy_store *store, const struct sy_certificate_write *writes,
                                     size_t count, struct sy_error *err)
{
    uint64_t next = sy_ledger_next(store);
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        if (writes[i].height >= next || writes[i].certificate.size == 0 ||
            writes[i].certificate.size > SY_BLOCK_PART_BYTES_MAX) {
            return sy_fail(err, SY_ERR_ARGUMENT,
                           "ledger: a certificate of %zu bytes for block %llu, where the newest "
                           "block is %llu",
                           writes[i].certificate.size, (unsigned long long)writes[i].height,
                           (unsigned long long)sy_ledger_height(store));
        }
        bytes += writes[i].certificate.size;
    }
    SY_TRY(sy_env_check(store, SY_ENV_LEDGER, err));
    if (count == 0) return SY_OK;
    SY_TRY(store->ops->put_certificates(store, writes, count, err));
    count_value_bytes(store, SY_ENV_LEDGER, bytes);
    return SY_OK;
}

uint64_t sy_ledger_next(const sy_store *store)
{
    return atomic_load_explicit(&store->next, memory_order_acquire);
}

uint64_t sy_ledger_height(const sy_store *store)
{
    uint64_t next = sy_ledger_next(store);
    return next > 0 ? next - 1 : 0;
}

uint64_t sy_ledger_certified(const sy_store *store)
{
    return atomic_load_explicit(&store->certified, memory_order_acquire);
}

sy_status sy_ledger_get(sy_store_reader *reader, struct sy_slice *part, uint64_t height,
                        enum sy_block_part which)
{
    SY_ASSERT((unsigned)which < SY_BLOCK_PARTS);
    *part = sy_slice_of(NULL, 0);
    if (height >= sy_ledger_next(reader->store)) return SY_ERR_NOT_FOUND;
    bool kept = which == SY_BLOCK_HEADER || which == SY_BLOCK_CERTIFICATE;
    if (!kept && height < sy_ledger_pruned(reader->store)) return SY_ERR_PRUNED;
    sy_status status = reader->store->ops->ledger_get(reader, &reader->parts[which], height, which);
    if (status == SY_ERR_NOT_FOUND && height < sy_ledger_base(reader->store)) return SY_ERR_PRUNED;
    SY_TRY(status);
    *part = sy_buffer_slice(&reader->parts[which]);
    return SY_OK;
}

static int compare_positions(const void *a, const void *b)
{
    const struct sy_tx_position *x = (const struct sy_tx_position *)a;
    const struct sy_tx_position *y = (const struct sy_tx_position *)b;
    if (x->height != y->height) return x->height < y->height ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Sorts positions; each once, and none below the given height. */
static size_t settle_positions(struct sy_buffer *positions, uint64_t from)
{
    struct sy_tx_position *all = (struct sy_tx_position *)(void *)positions->data;
    size_t count = positions->size / sizeof *all, kept = 0;
    if (count > 1) qsort(all, count, sizeof *all, compare_positions);
    for (size_t i = 0; i < count; i++) {
        // A position may be seen twice while it moves from memory into a run.
        if (kept > 0 && compare_positions(&all[i], &all[kept - 1]) == 0) continue;
        if (all[i].height >= from) all[kept++] = all[i];
    }
    positions->size = kept * sizeof *all;
    return kept;
}

sy_status sy_ledger_find_tx(sy_store_reader *reader, struct sy_tx_position *positions,
                            size_t *found, size_t max, const struct sy_hash *tx_id)
{
    *found = 0;
    reader->positions.size = 0;
    SY_TRY(reader->store->ops->find_tx(reader, &reader->positions, tx_id));
    *found = settle_positions(&reader->positions, 0);
    size_t given = *found < max ? *found : max;
    if (given > 0) memcpy(positions, reader->positions.data, given * sizeof *positions);
    return SY_OK;
}

/* ---- notices ---------------------------------------------------------------------------- */

uint64_t sy_notices_next(const sy_store *store)
{
    return atomic_load_explicit(&store->notices_next, memory_order_acquire);
}

sy_status sy_notices_append(sy_store *store, uint64_t height, const struct sy_notice_place *places,
                            size_t count, struct sy_error *err)
{
    uint64_t next = sy_notices_next(store);
    if (height < next || (height > next && height > sy_ledger_pruned(store))) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "notices: block %llu was offered where block %llu comes next",
                       (unsigned long long)height, (unsigned long long)next);
    }
    SY_TRY(sy_env_check(store, SY_ENV_NOTICES, err));
    SY_TRY(store->ops->notices_append(store, height, places, count, err));
    atomic_store_explicit(&store->notices_next, height + 1, memory_order_release);
    return SY_OK;
}

sy_status sy_notices_prune(sy_store *store, struct sy_error *err)
{
    SY_TRY(sy_env_check(store, SY_ENV_NOTICES, err));
    return store->ops->notices_prune(store, sy_ledger_pruned(store), err);
}

sy_status sy_notices_find(sy_store_reader *reader, struct sy_tx_position *positions, size_t *found,
                          size_t max, const struct sy_hash *name, bool recent)
{
    *found = 0;
    reader->positions.size = 0;
    SY_TRY(reader->store->ops->notices_find(reader, &reader->positions, name, recent));
    *found = settle_positions(&reader->positions, sy_ledger_pruned(reader->store));
    size_t given = *found < max ? *found : max;
    if (given > 0) memcpy(positions, reader->positions.data, given * sizeof *positions);
    return SY_OK;
}

/* ---- directory -------------------------------------------------------------------------- */

uint64_t sy_directory_next(const sy_store *store)
{
    return atomic_load_explicit(&store->directory_next, memory_order_acquire);
}

uint64_t sy_directory_from(const sy_store *store)
{
    return atomic_load_explicit(&store->directory_from, memory_order_acquire);
}

static sy_status check_directory_writes(const struct sy_directory_write *writes, size_t count,
                                        struct sy_error *err)
{
    for (size_t i = 0; i < count; i++) {
        bool fits = writes[i].key.size >= 1 && writes[i].key.size <= SY_DIRECTORY_KEY_BYTES_MAX &&
                    writes[i].value.size <= SY_DIRECTORY_VALUE_BYTES_MAX;
        if (!fits) return sy_fail(err, SY_ERR_LIMIT, "directory: an entry is over its bounds");
    }
    return SY_OK;
}

sy_status sy_directory_append(sy_store *store, uint64_t first, uint64_t last,
                              const struct sy_directory_write *writes, size_t count,
                              struct sy_error *err)
{
    uint64_t next = sy_directory_next(store), from = sy_directory_from(store);
    if (first < next || last < first || (first > next && first > sy_ledger_pruned(store))) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "directory: blocks %llu to %llu were offered where block %llu comes next",
                       (unsigned long long)first, (unsigned long long)last,
                       (unsigned long long)next);
    }
    SY_TRY(check_directory_writes(writes, count, err));
    SY_TRY(sy_env_check(store, SY_ENV_DIRECTORY, err));
    if (first > next) from = first;
    bool due =
        count > 0 || first > next || last + 1 - store->directory_durable >= SY_DIRECTORY_LAG_BLOCKS;
    if (due) {
        SY_TRY(store->ops->directory_append(store, writes, count, last + 1, from, err));
        store->directory_durable = last + 1;
    }
    atomic_store_explicit(&store->directory_from, from, memory_order_release);
    atomic_store_explicit(&store->directory_next, last + 1, memory_order_release);
    return SY_OK;
}

sy_status sy_directory_clear(sy_store *store, struct sy_error *err)
{
    uint64_t pruned = sy_ledger_pruned(store);
    if (pruned > 0) {
        return sy_fail(err, SY_ERR_PRUNED,
                       "the directory is not made again: history below block %llu is not kept "
                       "here, and what it brought would be missing; a validator that keeps all can "
                       "do it",
                       (unsigned long long)pruned);
    }
    SY_TRY(sy_env_check(store, SY_ENV_DIRECTORY, err));
    SY_TRY(store->ops->directory_clear(store, err));
    store->directory_durable = 0;
    atomic_store(&store->directory_from, 0);
    atomic_store(&store->directory_next, 0);
    return SY_OK;
}

sy_status sy_directory_scan(sy_store_reader *reader, struct sy_slice prefix, struct sy_slice behind,
                            sy_directory_fn visit, void *user)
{
    return reader->store->ops->directory_scan(reader, prefix, behind, visit, user);
}

/* ---- figures ---------------------------------------------------------------------------- */

void sy_store_stats_get(sy_store *store, struct sy_store_stats *stats)
{
    *stats = (struct sy_store_stats){0};
    uint64_t total = 0;
    for (int i = 0; i < SY_ENV_COUNT; i++) {
        struct sy_env_health *health = &store->health[i];
        struct sy_store_env_stats *out = &stats->env[i];
        store->ops->env_sizes(store, (enum sy_store_env)i, &out->file_bytes, &out->map_bytes);
        out->commits = atomic_load(&health->commits);
        out->commit_us = atomic_load(&health->commit_us);
        out->commit_us_max = atomic_load(&health->commit_us_max);
        out->value_bytes = atomic_load(&health->value_bytes);
        out->map_growths = atomic_load(&health->map_growths);
        out->readers_cleared = atomic_load(&health->readers_cleared);
        out->full = atomic_load(&health->full);
        out->failed = atomic_load(&health->failed);
        total += out->file_bytes;
    }
    sy_metric_set(SY_M_store_map_bytes, total);
    sy_state_stats(store->state, stats);
}
