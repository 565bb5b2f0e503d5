/* The twin's history: pruning it, and beginning without it. */
#include <stdlib.h>

#include "core/base/os.h"
#include "core/store/memory_store.h"
#include "core/wire/delta.h"

/* ---- pruning ---------------------------------------------------------------------------- */

sy_status sy_memory_prune_mark(sy_store *store, uint64_t pruned, struct sy_error *err)
{
    struct memory_store *memory = sy_memory_of(store);
    uint64_t start_ns = sy_os_monotonic_ns();
    sy_memory_lock(memory);
    sy_status status = sy_env_failpoint(store, SY_ENV_LEDGER, "begin", err);
    if (status == SY_OK) status = sy_env_failpoint(store, SY_ENV_LEDGER, "commit", err);
    if (status == SY_OK) {
        atomic_store_explicit(&store->pruned, pruned, memory_order_release);
        sy_env_committed(store, SY_ENV_LEDGER, start_ns);
    }
    sy_memory_unlock(memory);
    if (status == SY_OK) sy_env_done(SY_ENV_LEDGER);
    return status;
}

// Writes the state after `older` and then `newer`: only what is present.
static void fold(struct sy_writer *out, struct sy_slice older, struct sy_slice newer)
{
    struct sy_delta_reader readers[2] = {sy_delta_reader_of(older), sy_delta_reader_of(newer)};
    struct sy_delta a;
    struct sy_delta b;
    bool has_a = sy_delta_next(&readers[0], &a);
    bool has_b = sy_delta_next(&readers[1], &b);
    while (has_a || has_b) {
        int order = !has_a ? 1 : !has_b ? -1 : sy_hash_compare(&a.key, &b.key);
        const struct sy_delta *next = order < 0 ? &a : &b;
        if (next->op == SY_DELTA_PUT) sy_delta_write(out, next);
        bool took_a = order <= 0;
        bool took_b = order >= 0;
        if (took_a) has_a = sy_delta_next(&readers[0], &a);
        if (took_b) has_b = sy_delta_next(&readers[1], &b);
    }
}

// The sum of the deltas of blocks from - 1 (itself a sum, if there is one) to to - 1.
static sy_status sum_deltas(const struct memory_store *memory, struct sy_buffer *sum, uint64_t from,
                            uint64_t to)
{
    struct sy_buffer spare = {0};
    sy_status status = SY_OK;
    sum->size = 0;
    for (uint64_t height = from > 0 ? from - 1 : 0; status == SY_OK && height < to; height++) {
        struct sy_slice deltas = memory->blocks[height].parts[SY_BLOCK_DELTAS];
        status = sy_buffer_fit(&spare, sum->size + deltas.size);
        if (status != SY_OK) break;
        struct sy_writer out = sy_writer_of(spare.data, spare.size);
        fold(&out, sy_buffer_slice(sum), deltas);
        SY_ASSERT(!out.failed);
        spare.size = out.used;
        struct sy_buffer swap = *sum;
        *sum = spare;
        spare = swap;
    }
    sy_buffer_free(&spare);
    return status;
}

static void free_part(struct memory_store *memory, uint64_t height, int part)
{
    struct sy_slice *place = &memory->blocks[height].parts[part];
    memory->bytes -= place->size;
    free((void *)(uintptr_t)place->data);
    *place = sy_slice_of(NULL, 0);
}

static size_t count_txs(const struct memory_store *memory, uint64_t from)
{
    size_t count = 0;
    for (uint64_t height = from; height < memory->block_count; height++) {
        count += memory->blocks[height].parts[SY_BLOCK_TX_IDS].size / 32;
    }
    return count;
}

// Makes the table of transactions again without those of pruned blocks, once they are most of it.
static sy_status compact_txs(struct memory_store *memory, uint64_t to)
{
    struct sy_memory_table table = {0};
    size_t kept = count_txs(memory, to);
    size_t dropped = memory->tx_table.count - kept;
    if (dropped < 64 || dropped * 2 < memory->tx_table.count) return SY_OK;
    SY_TRY(sy_memory_table_reserve(&table, kept));
    for (uint64_t height = to; height < memory->block_count; height++) {
        struct sy_slice ids = memory->blocks[height].parts[SY_BLOCK_TX_IDS];
        for (size_t i = 0; i * 32 < ids.size; i++) {
            struct sy_hash id;
            memcpy(id.bytes, ids.data + i * 32, sizeof id.bytes);
            sy_memory_table_add(&table, &id, height << 32 | i);
        }
    }
    sy_memory_table_free(&memory->tx_table);
    memory->tx_table = table;
    return SY_OK;
}

static void drop_blocks(struct memory_store *memory, uint64_t to, struct sy_buffer *sum)
{
    uint64_t from = atomic_load(&memory->store.swept);
    for (uint64_t height = from > 0 ? from - 1 : 0; height < to; height++) {
        for (int part = SY_BLOCK_HEADER + 1; part < SY_BLOCK_CERTIFICATE; part++) {
            free_part(memory, height, part);
        }
    }
    memory->blocks[to - 1].parts[SY_BLOCK_DELTAS] = sy_slice_of(sum->data, sum->size);
    memory->bytes += sum->size;
    *sum = (struct sy_buffer){0};
    atomic_store(&memory->store.swept, to);
}

sy_status sy_memory_prune_sweep(sy_store *store, uint64_t to, struct sy_error *err)
{
    struct memory_store *memory = sy_memory_of(store);
    struct sy_buffer sum = {0};
    uint64_t start_ns = sy_os_monotonic_ns();
    sy_memory_lock(memory);
    sy_status status = sy_env_failpoint(store, SY_ENV_LEDGER, "begin", err);
    if (status == SY_OK) {
        status = sum_deltas(memory, &sum, atomic_load(&store->swept), to);
        if (status == SY_OK) status = compact_txs(memory, to);
        if (status != SY_OK) status = sy_fail(err, status, "ledger: no memory");
    }
    if (status == SY_OK) status = sy_env_failpoint(store, SY_ENV_LEDGER, "commit", err);
    if (status == SY_OK) {
        drop_blocks(memory, to, &sum);
        sy_env_committed(store, SY_ENV_LEDGER, start_ns);
    }
    sy_memory_unlock(memory);
    sy_buffer_free(&sum);
    if (status == SY_OK) sy_env_done(SY_ENV_LEDGER);
    return status;
}

/* ---- notices ---------------------------------------------------------------------------- */

sy_status sy_memory_notices_append(sy_store *store, uint64_t height,
                                   const struct sy_notice_place *places, size_t count,
                                   struct sy_error *err)
{
    struct memory_store *memory = sy_memory_of(store);
    sy_memory_lock(memory);
    sy_status status = sy_env_failpoint(store, SY_ENV_NOTICES, "begin", err);
    if (status == SY_OK) {
        status = sy_memory_table_reserve(&memory->notices, count);
        if (status != SY_OK) status = sy_fail(err, status, "notices: no memory");
    }
    if (status == SY_OK) status = sy_env_failpoint(store, SY_ENV_NOTICES, "commit", err);
    for (size_t i = 0; status == SY_OK && i < count; i++) {
        sy_memory_table_add(&memory->notices, &places[i].name, height << 32 | places[i].index);
    }
    sy_memory_unlock(memory);
    return status;
}

// Only what finding leaves out anyway could go, and the twin lives as long as a test.
sy_status sy_memory_notices_prune(sy_store *store, uint64_t pruned, struct sy_error *err)
{
    (void)store;
    (void)pruned;
    (void)err;
    return SY_OK;
}

sy_status sy_memory_notices_find(sy_store_reader *reader, struct sy_buffer *positions,
                                 const struct sy_hash *name, bool recent)
{
    struct memory_store *memory = sy_memory_of(reader->store);
    sy_status status = SY_OK;
    size_t cursor = 0;
    uint64_t number;
    (void)recent;
    sy_memory_lock(memory);
    while (status == SY_OK && sy_memory_table_next(&memory->notices, &cursor, &number, name)) {
        struct sy_tx_position position = {0};
        position.height = number >> 32;
        position.index = (uint32_t)(number & UINT32_MAX);
        status = sy_buffer_append(positions, &position, sizeof position);
    }
    sy_memory_unlock(memory);
    return status;
}

/* ---- a state from elsewhere ------------------------------------------------------------- */

sy_status sy_memory_install_begin(sy_store *store, const struct sy_install *install,
                                  struct sy_error *err)
{
    struct memory_store *memory = sy_memory_of(store);
    (void)install; // install.c keeps it, and a crash of the twin leaves that alone
    sy_memory_lock(memory);
    sy_status status = sy_env_failpoint(store, SY_ENV_STATE, "begin", err);
    if (status == SY_OK) status = sy_env_failpoint(store, SY_ENV_STATE, "commit", err);
    if (status == SY_OK) memory->installed.size = 0;
    sy_memory_unlock(memory);
    if (status == SY_OK) sy_env_done(SY_ENV_STATE);
    return status;
}

sy_status sy_memory_install_put(sy_store *store, struct sy_slice entries,
                                const struct sy_install *install, struct sy_error *err)
{
    struct memory_store *memory = sy_memory_of(store);
    (void)install;
    sy_memory_lock(memory);
    size_t before = memory->installed.size;
    sy_status status = sy_env_failpoint(store, SY_ENV_STATE, "begin", err);
    if (status == SY_OK) {
        status = sy_buffer_append(&memory->installed, entries.data, entries.size);
        if (status != SY_OK) status = sy_fail(err, status, "state: no memory");
    }
    if (status == SY_OK) status = sy_env_failpoint(store, SY_ENV_STATE, "commit", err);
    if (status != SY_OK) memory->installed.size = before;
    sy_memory_unlock(memory);
    if (status == SY_OK) sy_env_done(SY_ENV_STATE);
    return status;
}

static sy_status stage_header(struct memory_store *memory, const struct sy_header_write *write)
{
    struct block *block = &memory->blocks[write->height];
    struct sy_block_write header = {.height = write->height, .header = write->header};
    SY_TRY(sy_memory_copy_block(memory, block, &header));
    uint8_t *copy = sy_memory_copy(write->certificate);
    if (!copy) return SY_ERR_NO_MEMORY;
    block->parts[SY_BLOCK_CERTIFICATE] = sy_slice_of(copy, write->certificate.size);
    memory->bytes += write->certificate.size;
    return SY_OK;
}

// Makes room for blocks 0 .. base, of which only the last one and the earlier ones have something
// in them. Nobody sees them yet.
static sy_status stage_base(struct memory_store *memory, const struct sy_header_write *base,
                            const struct sy_header_write *earlier, size_t earlier_count)
{
    size_t count = (size_t)base->height + 1;
    void *grown =
        sy_memory_grow(memory->blocks, &memory->block_room, count, sizeof *memory->blocks);
    if (!grown) return SY_ERR_NO_MEMORY;
    memory->blocks = (struct block *)grown;
    memset(memory->blocks, 0, count * sizeof *memory->blocks);
    for (size_t i = 0; i < earlier_count; i++) SY_TRY(stage_header(memory, &earlier[i]));
    return stage_header(memory, base);
}

static void unstage_base(struct memory_store *memory, const struct sy_header_write *base,
                         const struct sy_header_write *earlier, size_t earlier_count)
{
    if (memory->block_room <= base->height) return;
    for (size_t i = 0; i < earlier_count; i++) {
        sy_memory_free_block(memory, &memory->blocks[earlier[i].height]);
    }
    sy_memory_free_block(memory, &memory->blocks[base->height]);
}

static void publish_base(struct memory_store *memory, uint64_t height)
{
    sy_store *store = &memory->store;
    struct block *base = &memory->blocks[height];
    memory->bytes -= base->parts[SY_BLOCK_DELTAS].size;
    free((void *)(uintptr_t)base->parts[SY_BLOCK_DELTAS].data);
    // The state is the sum of the deltas up to here.
    base->parts[SY_BLOCK_DELTAS] = sy_buffer_slice(&memory->installed);
    memory->bytes += memory->installed.size;
    memory->installed = (struct sy_buffer){0};
    memory->block_count = (size_t)height + 1;
    atomic_store(&store->base, height);
    atomic_store(&store->swept, height + 1);
    atomic_store(&store->pruned, height + 1);
    atomic_store(&store->certified, height);
    atomic_store(&store->next, height + 1);
}

sy_status sy_memory_install_finish(sy_store *store, const struct sy_header_write *base,
                                   const struct sy_header_write *earlier, size_t earlier_count,
                                   struct sy_error *err)
{
    struct memory_store *memory = sy_memory_of(store);
    bool staged = false;
    sy_memory_lock(memory);
    sy_status status = sy_env_failpoint(store, SY_ENV_LEDGER, "begin", err);
    if (status == SY_OK) {
        status = stage_base(memory, base, earlier, earlier_count);
        staged = true;
        // An empty state has no bytes, and yet a sum.
        if (status == SY_OK) status = sy_buffer_append(&memory->installed, NULL, 0);
        if (status != SY_OK) status = sy_fail(err, status, "ledger: no memory");
    }
    if (status == SY_OK) status = sy_env_failpoint(store, SY_ENV_LEDGER, "commit", err);
    if (status == SY_OK) {
        publish_base(memory, base->height);
    } else if (staged) {
        unstage_base(memory, base, earlier, earlier_count);
    }
    sy_memory_unlock(memory);
    if (status != SY_OK) return status;
    sy_env_done(SY_ENV_LEDGER);
    sy_state_close(store->state);
    store->state = NULL;
    atomic_store(&store->installing, false); // or the replay would be refused
    SY_TRY(sy_memory_make_state(store));
    return sy_state_replay(store->state, err);
}
