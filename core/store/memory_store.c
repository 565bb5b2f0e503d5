/* The in-memory twin: what is committed is kept in plain arrays, and counts as durable; the state
 * (state.h, without a base) is what a crash throws away and the deltas bring back. Where pruning
 * has dropped deltas, the newest block below keeps the sum of them all in place of its own.
 *
 * Every write first makes all the memory that it needs and runs its failpoints, and only then
 * changes anything: so it happens wholly or not at all. */
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/store/memory_store.h"

void *sy_memory_grow(void *array, size_t *room, size_t needed, size_t item_bytes)
{
    if (needed <= *room) return array;
    size_t wanted = 2 * needed + 16;
    void *moved = realloc(array, wanted * item_bytes);
    if (moved) *room = wanted;
    return moved;
}

uint8_t *sy_memory_copy(struct sy_slice bytes)
{
    uint8_t *copy = (uint8_t *)malloc(bytes.size + 1);
    if (copy && bytes.size > 0) memcpy(copy, bytes.data, bytes.size);
    return copy;
}

/* ---- votes ------------------------------------------------------------------------------ */

static size_t lower_bound(const struct memory_store *memory, const struct sy_record_key *key)
{
    size_t low = 0;
    size_t high = memory->record_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sy_record_key_compare(&memory->records[middle].key, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void remove_records(struct memory_store *memory, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        memory->bytes -= memory->records[i].size;
        free(memory->records[i].data);
    }
    memmove(memory->records + from, memory->records + to,
            (memory->record_count - to) * sizeof *memory->records);
    memory->record_count -= to - from;
}

static bool holds_record(const struct memory_store *memory, size_t at,
                         const struct sy_record_key *key)
{
    return at < memory->record_count && sy_record_key_compare(&memory->records[at].key, key) == 0;
}

static void put_record(struct memory_store *memory, const struct sy_vote_write *write,
                       uint8_t *copy)
{
    size_t at = lower_bound(memory, &write->key);
    if (holds_record(memory, at, &write->key)) remove_records(memory, at, at + 1);
    SY_ASSERT(memory->record_count < memory->record_room);
    memmove(memory->records + at + 1, memory->records + at,
            (memory->record_count - at) * sizeof *memory->records);
    memory->records[at] = (struct record){write->key, copy, write->value.size};
    memory->record_count++;
    memory->bytes += write->value.size;
}

static struct body *find_body(const struct memory_store *memory, const struct sy_hash *digest)
{
    size_t cursor = 0;
    uint64_t number;
    while (sy_memory_table_next(&memory->body_table, &cursor, &number, digest)) {
        struct body *body = &memory->bodies[number];
        if (body->data && sy_hash_equal(&body->digest, digest)) return body;
    }
    return NULL;
}

static void put_body(struct memory_store *memory, const struct sy_vote_write *write, uint8_t *copy)
{
    if (find_body(memory, &write->body)) {
        free(copy);
        return;
    }
    SY_ASSERT(memory->body_count < memory->body_room);
    sy_memory_table_add(&memory->body_table, &write->body, memory->body_count);
    memory->bodies[memory->body_count++] = (struct body){write->body, copy, write->value.size};
    memory->bytes += write->value.size;
}

static void drop_body(struct memory_store *memory, const struct sy_hash *digest)
{
    struct body *body = find_body(memory, digest);
    if (!body) return;
    memory->bytes -= body->size;
    free(body->data);
    body->data = NULL;
    memory->bodies_dropped++;
}

// Closes the gaps that dropped bodies left, once they are most of the array.
static sy_status compact_bodies(struct memory_store *memory)
{
    if (memory->bodies_dropped < 64 || memory->bodies_dropped * 2 < memory->body_count) {
        return SY_OK;
    }
    struct sy_memory_table table = {0};
    SY_TRY(sy_memory_table_reserve(&table, memory->body_count));
    size_t kept = 0;
    for (size_t i = 0; i < memory->body_count; i++) {
        if (!memory->bodies[i].data) continue;
        sy_memory_table_add(&table, &memory->bodies[i].digest, kept);
        memory->bodies[kept++] = memory->bodies[i];
    }
    sy_memory_table_free(&memory->body_table);
    memory->body_table = table;
    memory->body_count = kept;
    memory->bodies_dropped = 0;
    return SY_OK;
}

static sy_status reserve_votes(struct memory_store *memory, size_t count)
{
    SY_TRY(compact_bodies(memory));
    void *records = sy_memory_grow(memory->records, &memory->record_room,
                                   memory->record_count + count, sizeof *memory->records);
    if (!records) return SY_ERR_NO_MEMORY;
    memory->records = (struct record *)records;
    void *bodies = sy_memory_grow(memory->bodies, &memory->body_room, memory->body_count + count,
                                  sizeof *memory->bodies);
    if (!bodies) return SY_ERR_NO_MEMORY;
    memory->bodies = (struct body *)bodies;
    SY_TRY(sy_memory_evidence_reserve(&memory->evidence));
    return sy_memory_table_reserve(&memory->body_table, count);
}

static void do_vote(struct memory_store *memory, const struct sy_vote_write *write, uint8_t *copy)
{
    struct sy_record_key first = {.type = write->key.type};
    size_t at = 0;
    switch (write->op) {
    case SY_VOTE_PUT_RECORD: put_record(memory, write, copy); break;
    case SY_VOTE_DROP_RECORD:
        at = lower_bound(memory, &write->key);
        if (holds_record(memory, at, &write->key)) remove_records(memory, at, at + 1);
        break;
    case SY_VOTE_DROP_BELOW:
        first.slot = write->key.slot;
        at = lower_bound(memory, &first);
        first.slot = 0;
        remove_records(memory, lower_bound(memory, &first), at);
        break;
    case SY_VOTE_PUT_BODY: put_body(memory, write, copy); break;
    case SY_VOTE_DROP_SPARE_BODY: // settled by then (spare.c)
    case SY_VOTE_DROP_BODY: drop_body(memory, &write->body); break;
    case SY_VOTE_PUT_EVIDENCE:
        if (!copy) break; // it was left out
        if (sy_memory_evidence_put(&memory->evidence, write, copy)) {
            memory->bytes += write->value.size;
        } else {
            free(copy);
        }
        break;
    }
}

static void free_copies(uint8_t **copies, size_t count)
{
    for (size_t i = 0; copies && i < count; i++) free(copies[i]);
    free(copies);
}

static bool has_value(enum sy_vote_op op, bool evidence)
{
    return op == SY_VOTE_PUT_RECORD || op == SY_VOTE_PUT_BODY ||
           (op == SY_VOTE_PUT_EVIDENCE && evidence);
}

static sy_status copy_values(uint8_t ***out, const struct sy_vote_write *writes, size_t count,
                             bool evidence)
{
    uint8_t **copies = (uint8_t **)calloc(count, sizeof *copies);
    *out = copies;
    if (!copies) return SY_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        if (!has_value(writes[i].op, evidence)) continue;
        copies[i] = sy_memory_copy(writes[i].value);
        if (!copies[i]) return SY_ERR_NO_MEMORY;
    }
    return SY_OK;
}

static sy_status commit_votes(sy_store *store, const struct sy_vote_write *writes, size_t count,
                              bool evidence, struct sy_error *err)
{
    struct memory_store *memory = sy_memory_of(store);
    uint8_t **copies = NULL;
    uint64_t start_ns = sy_os_monotonic_ns();
    sy_memory_lock(memory);
    sy_status status = sy_env_failpoint(store, SY_ENV_VOTES, "begin", err);
    if (status == SY_OK) {
        status = copy_values(&copies, writes, count, evidence);
        if (status == SY_OK) status = reserve_votes(memory, count);
        if (status != SY_OK) status = sy_fail(err, status, "votes: no memory");
    }
    if (status == SY_OK) status = sy_env_failpoint(store, SY_ENV_VOTES, "commit", err);
    for (size_t i = 0; status == SY_OK && i < count; i++) {
        do_vote(memory, &writes[i], copies[i]);
        copies[i] = NULL;
    }
    if (status == SY_OK) sy_env_committed(store, SY_ENV_VOTES, start_ns);
    sy_memory_unlock(memory);
    free_copies(copies, count);
    if (status == SY_OK) sy_env_done(SY_ENV_VOTES);
    return status;
}

static sy_status each_record(sy_store_reader *reader, sy_record_fn show, void *context,
                             struct sy_error *err)
{
    struct memory_store *memory = sy_memory_of(reader->store);
    (void)err;
    sy_status status = SY_OK;
    sy_memory_lock(memory);
    for (size_t i = 0; status == SY_OK && i < memory->record_count; i++) {
        const struct record *record = &memory->records[i];
        status = show(context, &record->key, sy_slice_of(record->data, record->size));
    }
    sy_memory_unlock(memory);
    return status;
}

static sy_status each_body(sy_store_reader *reader, sy_body_fn show, void *context,
                           struct sy_error *err)
{
    struct memory_store *memory = sy_memory_of(reader->store);
    (void)err;
    sy_status status = SY_OK;
    sy_memory_lock(memory);
    for (size_t i = 0; status == SY_OK && i < memory->body_count; i++) {
        const struct body *body = &memory->bodies[i];
        if (!body->data) continue;
        size_t shown = body->size < SY_BODY_HEAD_BYTES ? body->size : SY_BODY_HEAD_BYTES;
        status = show(context, &body->digest, body->size, sy_slice_of(body->data, shown));
    }
    sy_memory_unlock(memory);
    return status;
}

static sy_status get_body(sy_store_reader *reader, struct sy_buffer *out,
                          const struct sy_hash *digest)
{
    struct memory_store *memory = sy_memory_of(reader->store);
    sy_memory_lock(memory);
    const struct body *body = find_body(memory, digest);
    sy_status status = body ? sy_buffer_set(out, body->data, body->size) : SY_ERR_NOT_FOUND;
    sy_memory_unlock(memory);
    return status;
}

static sy_status each_piece(sy_store_reader *reader, sy_evidence_fn show, void *context,
                            struct sy_error *err)
{
    struct memory_store *memory = sy_memory_of(reader->store);
    (void)err;
    sy_memory_lock(memory);
    sy_status status = sy_memory_evidence_each(&memory->evidence, show, context);
    sy_memory_unlock(memory);
    return status;
}

static uint64_t count_pieces(sy_store_reader *reader)
{
    struct memory_store *memory = sy_memory_of(reader->store);
    sy_memory_lock(memory);
    uint64_t count = memory->evidence.count;
    sy_memory_unlock(memory);
    return count;
}

/* ---- ledger ----------------------------------------------------------------------------- */

void sy_memory_free_block(struct memory_store *memory, struct block *block)
{
    for (int part = 0; part < SY_BLOCK_PARTS; part++) {
        memory->bytes -= block->parts[part].size;
        free((void *)(uintptr_t)block->parts[part].data);
    }
}

sy_status sy_memory_copy_block(struct memory_store *memory, struct block *out,
                               const struct sy_block_write *block)
{
    const struct sy_slice parts[] = {
        [SY_BLOCK_HEADER] = block->header,
        [SY_BLOCK_ORDER] = block->order,
        [SY_BLOCK_RECEIPTS] = block->receipts,
        [SY_BLOCK_DELTAS] = block->deltas,
        [SY_BLOCK_TX_IDS] = sy_slice_of(block->tx_ids, block->tx_count * 32),
    };
    *out = (struct block){0};
    for (size_t part = 0; part < sizeof parts / sizeof parts[0]; part++) {
        uint8_t *copy = sy_memory_copy(parts[part]);
        if (!copy) return SY_ERR_NO_MEMORY;
        out->parts[part] = sy_slice_of(copy, parts[part].size);
        memory->bytes += parts[part].size;
    }
    return SY_OK;
}

// Copies the blocks behind the ledger's end, where nobody sees them yet. *made: how many.
static sy_status stage_blocks(struct memory_store *memory, size_t *made,
                              const struct sy_block_write *blocks, size_t count)
{
    size_t txs = 0;
    *made = 0;
    void *grown = sy_memory_grow(memory->blocks, &memory->block_room, memory->block_count + count,
                                 sizeof *memory->blocks);
    if (!grown) return SY_ERR_NO_MEMORY;
    memory->blocks = (struct block *)grown;
    while (*made < count) {
        txs += blocks[*made].tx_count;
        struct block *block = &memory->blocks[memory->block_count + *made];
        ++*made;
        SY_TRY(sy_memory_copy_block(memory, block, &blocks[*made - 1]));
    }
    return sy_memory_table_reserve(&memory->tx_table, txs);
}

static sy_status append_blocks(sy_store *store, const struct sy_block_write *blocks, size_t count,
                               struct sy_error *err)
{
    struct memory_store *memory = sy_memory_of(store);
    size_t made = 0;
    uint64_t start_ns = sy_os_monotonic_ns();
    sy_memory_lock(memory);
    sy_status status = sy_env_failpoint(store, SY_ENV_LEDGER, "begin", err);
    if (status == SY_OK) {
        status = stage_blocks(memory, &made, blocks, count);
        if (status != SY_OK) status = sy_fail(err, status, "ledger: no memory");
    }
    if (status == SY_OK) status = sy_env_failpoint(store, SY_ENV_LEDGER, "commit", err);
    if (status == SY_OK) {
        for (size_t i = 0; i < count; i++) {
            for (size_t tx = 0; tx < blocks[i].tx_count; tx++) {
                sy_memory_table_add(&memory->tx_table, &blocks[i].tx_ids[tx],
                                    blocks[i].height << 32 | tx);
            }
        }
        memory->block_count += count;
        sy_env_committed(store, SY_ENV_LEDGER, start_ns);
        atomic_store_explicit(&store->next, memory->block_count, memory_order_release);
    } else {
        for (size_t i = 0; i < made; i++) {
            sy_memory_free_block(memory, &memory->blocks[memory->block_count + i]);
        }
    }
    sy_memory_unlock(memory);
    if (status == SY_OK) sy_env_done(SY_ENV_LEDGER);
    return status;
}

static void keep_certificate(struct memory_store *memory, uint64_t height, uint8_t **copy,
                             size_t size)
{
    struct sy_slice *place = &memory->blocks[height].parts[SY_BLOCK_CERTIFICATE];
    if (place->data) return;
    *place = sy_slice_of(*copy, size);
    *copy = NULL;
    memory->bytes += size;
}

static void advance_certified(struct memory_store *memory)
{
    uint64_t certified = atomic_load(&memory->store.certified);
    while (certified + 1 < memory->block_count &&
           memory->blocks[certified + 1].parts[SY_BLOCK_CERTIFICATE].data) {
        certified++;
    }
    atomic_store_explicit(&memory->store.certified, certified, memory_order_release);
}

static sy_status put_certificates(sy_store *store, const struct sy_certificate_write *writes,
                                  size_t count, struct sy_error *err)
{
    struct memory_store *memory = sy_memory_of(store);
    uint64_t start_ns = sy_os_monotonic_ns();
    uint8_t **copies = (uint8_t **)calloc(count, sizeof *copies);
    bool made = copies != NULL;
    for (size_t i = 0; made && i < count; i++) {
        copies[i] = sy_memory_copy(writes[i].certificate);
        made = copies[i] != NULL;
    }
    sy_memory_lock(memory);
    sy_status status = sy_env_failpoint(store, SY_ENV_LEDGER, "begin", err);
    if (status == SY_OK && !made) status = sy_fail(err, SY_ERR_NO_MEMORY, "ledger: no memory");
    if (status == SY_OK) status = sy_env_failpoint(store, SY_ENV_LEDGER, "commit", err);
    SY_ASSERT(status != SY_OK || made);
    for (size_t i = 0; status == SY_OK && made && i < count; i++) {
        keep_certificate(memory, writes[i].height, &copies[i], writes[i].certificate.size);
    }
    if (status == SY_OK) {
        advance_certified(memory);
        sy_env_committed(store, SY_ENV_LEDGER, start_ns);
    }
    sy_memory_unlock(memory);
    free_copies(copies, count);
    if (status == SY_OK) sy_env_done(SY_ENV_LEDGER);
    return status;
}

static sy_status get_part(sy_store_reader *reader, struct sy_buffer *out, uint64_t height,
                          enum sy_block_part which)
{
    struct memory_store *memory = sy_memory_of(reader->store);
    sy_memory_lock(memory);
    struct sy_slice part = memory->blocks[height].parts[which];
    sy_status status = part.data ? sy_buffer_set(out, part.data, part.size) : SY_ERR_NOT_FOUND;
    sy_memory_unlock(memory);
    return status;
}

static sy_status find_tx(sy_store_reader *reader, struct sy_buffer *positions,
                         const struct sy_hash *tx_id)
{
    struct memory_store *memory = sy_memory_of(reader->store);
    sy_status status = SY_OK;
    size_t cursor = 0;
    uint64_t number;
    sy_memory_lock(memory);
    while (status == SY_OK && sy_memory_table_next(&memory->tx_table, &cursor, &number, tx_id)) {
        struct sy_tx_position position = {0};
        position.height = number >> 32;
        position.index = (uint32_t)(number & UINT32_MAX);
        struct sy_slice ids = memory->blocks[position.height].parts[SY_BLOCK_TX_IDS];
        if (position.height < sy_ledger_pruned(reader->store)) continue;
        bool same = memcmp(ids.data + 32 * (size_t)position.index, tx_id->bytes, 32) == 0;
        if (same) status = sy_buffer_append(positions, &position, sizeof position);
    }
    sy_memory_unlock(memory);
    return status;
}

/* ---- the interface ---------------------------------------------------------------------- */

static void close_memory(sy_store *store)
{
    struct memory_store *memory = sy_memory_of(store);
    for (size_t i = 0; i < memory->record_count; i++) free(memory->records[i].data);
    for (size_t i = 0; i < memory->body_count; i++) free(memory->bodies[i].data);
    for (size_t i = 0; i < memory->block_count; i++)
        sy_memory_free_block(memory, &memory->blocks[i]);
    sy_buffer_free(&memory->installed);
    free(memory->records);
    free(memory->bodies);
    free(memory->blocks);
    sy_memory_table_free(&memory->body_table);
    sy_memory_table_free(&memory->tx_table);
    sy_memory_table_free(&memory->notices);
    sy_memory_directory_free(memory);
    sy_memory_evidence_free(&memory->evidence);
    int failed = pthread_mutex_destroy(&memory->lock);
    SY_ASSERT(!failed);
    free(memory);
}

static void hold_memory(sy_store *store)
{
    sy_memory_lock(sy_memory_of(store));
}

static void release_memory(sy_store *store)
{
    sy_memory_unlock(sy_memory_of(store));
}

static sy_status open_reader(sy_store_reader *reader)
{
    (void)reader;
    return SY_OK;
}

static void close_reader(sy_store_reader *reader)
{
    (void)reader;
}

// One figure for all three, shown with the ledger: there are no files to tell apart.
static void env_sizes(sy_store *store, enum sy_store_env env, uint64_t *file_bytes,
                      uint64_t *map_bytes)
{
    struct memory_store *memory = sy_memory_of(store);
    sy_memory_lock(memory);
    *file_bytes = env == SY_ENV_LEDGER ? memory->bytes : 0;
    *map_bytes = *file_bytes;
    sy_memory_unlock(memory);
}

static const struct sy_store_ops memory_ops = {
    .close = close_memory,
    .hold = hold_memory,
    .release = release_memory,
    .reader_open = open_reader,
    .reader_close = close_reader,
    .votes_commit = commit_votes,
    .votes_each = each_record,
    .bodies_each = each_body,
    .body_get = get_body,
    .evidence_each = each_piece,
    .evidence_count = count_pieces,
    .ledger_append = append_blocks,
    .put_certificates = put_certificates,
    .ledger_get = get_part,
    .find_tx = find_tx,
    .prune_mark = sy_memory_prune_mark,
    .prune_sweep = sy_memory_prune_sweep,
    .install_begin = sy_memory_install_begin,
    .install_put = sy_memory_install_put,
    .install_finish = sy_memory_install_finish,
    .notices_append = sy_memory_notices_append,
    .notices_prune = sy_memory_notices_prune,
    .notices_find = sy_memory_notices_find,
    .directory_append = sy_memory_directory_append,
    .directory_clear = sy_memory_directory_clear,
    .directory_scan = sy_memory_directory_scan,
    .env_sizes = env_sizes,
};

sy_status sy_memory_make_state(sy_store *store)
{
    uint64_t swept = atomic_load(&store->swept);
    uint64_t first = swept > 0 ? swept - 1 : 0; // whose deltas are the sum
    return sy_state_open(&store->state, store, NULL, NULL, first, false, NULL);
}

sy_status sy_store_open_memory(sy_store **store, const struct sy_store_config *config)
{
    *store = NULL;
    struct memory_store *memory = (struct memory_store *)calloc(1, sizeof *memory);
    if (!memory) return SY_ERR_NO_MEMORY;
    int failed = pthread_mutex_init(&memory->lock, NULL);
    SY_ASSERT(!failed);
    memory->store.ops = &memory_ops;
    sy_os_random(&memory->store.id, sizeof memory->store.id);
    sy_status status = sy_store_prepare(&memory->store, config, NULL);
    memory->store.config.path = NULL;
    if (status == SY_OK) status = sy_memory_make_state(&memory->store);
    if (status != SY_OK) {
        close_memory(&memory->store);
        return status;
    }
    *store = &memory->store;
    return SY_OK;
}

void sy_store_memory_crash(sy_store *store)
{
    SY_ASSERT(store->ops == &memory_ops);
    for (int env = 0; env < SY_ENV_COUNT; env++) {
        atomic_store(&store->health[env].full, false);
        atomic_store(&store->health[env].failed, false);
    }
    atomic_store(&store->directory_next, store->directory_durable);
    sy_state_close(store->state);
    store->state = NULL;
    sy_status status = sy_memory_make_state(store);
    SY_ASSERT(status == SY_OK);
    // The deltas were checked when they were appended. A failpoint armed for store.state.apply is
    // the test's own doing.
    struct sy_error err;
    status = sy_state_replay(store->state, &err);
    SY_ASSERT(status == SY_OK);
}
