#include "consensus/node/executor.h"

#include <stdlib.h>

#include "core/base/arena.h"
#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/base/telemetry.h"
#include "core/wire/state.h"

#define BODIES_BYTES ((size_t)SY_PROPOSAL_ENTRIES_MAX * SY_BATCH_BYTES_MAX)
#define ORDER_BYTES 8192u

struct sy_executor {
    sy_store *store;
    sy_store_reader *reader;
    sy_state_view *view; /* of the state before the running block; opened when first scanned */
    sy_ledger *ledger;
    const struct sy_genesis *genesis;
    struct sy_header head;
    struct sy_hash head_hash;
    sy_arena arena;
    uint8_t *bodies;
    uint8_t order[ORDER_BYTES];
    struct sy_block_entry entries[SY_PROPOSAL_ENTRIES_MAX];
    uint32_t tops_every;
    sy_executor_top give_top;
    void *give_self;
};

/* ---- the store as the ledger's source ---------------------------------------------------- */

static sy_status source_get(void *self, struct sy_slice *value, const struct sy_hash *key_hash)
{
    return sy_state_get(((sy_executor *)self)->store, value, key_hash);
}

static void close_view(sy_executor *executor)
{
    sy_state_view_close(executor->view);
    executor->view = NULL;
}

/* A view may be ended by the store (age, a growing map): then the walk goes on in a fresh one,
 * behind the last key, since the state does not change while a block is executed. */
static sy_status source_scan(void *self, const struct sy_hash *prefix, unsigned bits,
                             sy_state_visit visit, void *user)
{
    sy_executor *executor = (sy_executor *)self;
    struct sy_hash last = {{0}};
    bool any = false;
    for (;;) {
        if (executor->view == NULL) SY_TRY(sy_state_view_open(&executor->view, executor->store));
        sy_status status = sy_state_view_scan(executor->view, prefix, bits, any ? &last : NULL);
        while (status == SY_OK) {
            const struct sy_hash *key;
            struct sy_slice value;
            status = sy_state_view_next(executor->view, &key, &value);
            if (status != SY_OK) break;
            if (any && sy_hash_equal(key, &last)) continue;
            last = *key;
            any = true;
            if (!visit(user, key, value)) return SY_OK;
        }
        if (status == SY_ERR_NOT_FOUND) return SY_OK;
        if (status != SY_ERR_TIMEOUT) return status;
        close_view(executor);
    }
}

/* ---- opening ----------------------------------------------------------------------------- */

static sy_status write_genesis_block(sy_executor *executor, struct sy_error *err)
{
    uint8_t *bytes = (uint8_t *)malloc(SY_LEDGER_GENESIS_BYTES_MAX);
    if (bytes == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "genesis: no memory");
    struct sy_writer deltas = sy_writer_of(bytes, SY_LEDGER_GENESIS_BYTES_MAX);
    struct sy_hash root;
    sy_status status = sy_ledger_genesis(&deltas, &root, executor->genesis);
    if (status == SY_OK && sy_ledger_next(executor->store) == 0) {
        struct sy_header header;
        uint8_t header_bytes[SY_HEADER_BYTES];
        struct sy_writer writer = sy_writer_of(header_bytes, sizeof header_bytes);
        sy_genesis_header(&header, executor->genesis, &root);
        sy_header_encode(&writer, &header);
        struct sy_block_write block = {.header = sy_writer_slice(&writer),
                                       .deltas = sy_writer_slice(&deltas)};
        status = sy_ledger_append(executor->store, &block, 1, err);
    }
    if (status == SY_OK && sy_state_next(executor->store) == 0) {
        status = sy_state_apply(executor->store, 0, sy_writer_slice(&deltas), err);
    }
    free(bytes);
    return status;
}

static sy_status load_head(sy_executor *executor, struct sy_error *err)
{
    uint64_t height = sy_ledger_height(executor->store);
    struct sy_slice bytes;
    sy_status status = sy_ledger_get(executor->reader, &bytes, height, SY_BLOCK_HEADER);
    struct sy_reader reader = sy_reader_of(bytes);
    if (status != SY_OK || !sy_header_decode(&reader, &executor->head)) {
        return sy_fail(err, SY_ERR_CORRUPT,
                       "the header of block %llu cannot be read: restore this validator's folder "
                       "or start it afresh as an observer",
                       (unsigned long long)height);
    }
    sy_header_hash(&executor->head_hash, &executor->genesis->hash, &executor->head);
    return SY_OK;
}

static sy_status check_root(sy_executor *executor, struct sy_error *err)
{
    struct sy_hash root;
    sy_ledger_state_root(executor->ledger, &root);
    if (sy_hash_equal(&root, &executor->head.state_root)) return SY_OK;
    return sy_fail(err, SY_ERR_CORRUPT,
                   "the state does not have the root of block %llu: this store is damaged; restore "
                   "it or start afresh as an observer",
                   (unsigned long long)executor->head.height);
}

static sy_status open_parts(sy_executor *executor, struct sy_error *err)
{
    if (sy_arena_open(&executor->arena, BODIES_BYTES + 4096) != SY_OK) {
        return sy_fail(err, SY_ERR_NO_MEMORY, "executor: no address space for bodies");
    }
    executor->bodies = SY_CARVE(&executor->arena, uint8_t, BODIES_BYTES);
    SY_ASSERT(executor->bodies != NULL);
    if (sy_store_reader_open(&executor->reader, executor->store) != SY_OK) {
        return sy_fail(err, SY_ERR_LIMIT, "executor: too many store readers");
    }
    SY_TRY(write_genesis_block(executor, err));
    SY_TRY(load_head(executor, err));
    struct sy_ledger_config config = {.genesis = executor->genesis,
                                      .source = {executor, source_get, source_scan}};
    SY_TRY(sy_ledger_open(&executor->ledger, &config, err));
    close_view(executor);
    return check_root(executor, err);
}

sy_status sy_executor_open(sy_executor **out, sy_store *store, const struct sy_genesis *genesis,
                           struct sy_error *err)
{
    sy_executor *executor = (sy_executor *)calloc(1, sizeof *executor);
    if (executor == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "executor: no memory");
    executor->store = store;
    executor->genesis = genesis;
    sy_status status = open_parts(executor, err);
    if (status != SY_OK) {
        sy_executor_close(executor);
        return status;
    }
    *out = executor;
    return SY_OK;
}

void sy_executor_close(sy_executor *executor)
{
    if (executor == NULL) return;
    sy_ledger_close(executor->ledger);
    close_view(executor);
    sy_store_reader_close(executor->reader);
    sy_arena_close(&executor->arena);
    free(executor);
}

/* ---- running ----------------------------------------------------------------------------- */

static sy_status load_bodies(sy_executor *executor, const struct sy_proposal *proposal,
                             struct sy_error *err)
{
    size_t used = 0;
    for (uint16_t i = 0; i < proposal->count; i++) {
        struct sy_slice body;
        sy_status status = sy_body_get(executor->reader, &body, &proposal->entries[i].digest);
        if (status != SY_OK || body.size > BODIES_BYTES - used) {
            char digest[65];
            sy_hex_encode(digest, proposal->entries[i].digest.bytes, 32);
            return sy_fail(err, SY_ERR_CORRUPT,
                           "the body of batch %s, which block %llu needs, cannot be read (%s)",
                           digest, (unsigned long long)proposal->slot, sy_status_name(status));
        }
        memcpy(executor->bodies + used, body.data, body.size);
        executor->entries[i] =
            (struct sy_block_entry){.entry = proposal->entries[i],
                                    .batch = sy_slice_of(executor->bodies + used, body.size)};
        used += body.size;
    }
    return SY_OK;
}

static void note_ran(struct sy_executed *done, const struct sy_block_result *result,
                     const struct sy_proposal *proposal)
{
    for (uint16_t i = 0; i < proposal->count; i++) {
        if (!result->entries[i].ran) continue;
        done->ran[done->ran_count++] =
            (struct sy_node_ran){.maker = proposal->entries[i].maker,
                                 .seq = proposal->entries[i].seq,
                                 .digest = proposal->entries[i].digest,
                                 .tx_ids = result->tx_ids + result->entries[i].first_tx,
                                 .tx_count = result->entries[i].tx_count};
    }
}

static struct sy_slice encode_order(sy_executor *executor, const struct sy_executed *done)
{
    struct sy_proposal order = {
        .epoch = done->header.epoch, .slot = done->header.height, .time_ms = done->header.time_ms};
    for (uint32_t i = 0; i < done->ran_count; i++) {
        order.entries[order.count++] = (struct sy_entry){
            .maker = done->ran[i].maker, .seq = done->ran[i].seq, .digest = done->ran[i].digest};
    }
    struct sy_writer writer = sy_writer_of(executor->order, sizeof executor->order);
    sy_proposal_encode(&writer, &order);
    SY_ASSERT(!writer.failed);
    return sy_writer_slice(&writer);
}

static sy_status apply_state(sy_executor *executor, uint64_t height, struct sy_slice deltas,
                             struct sy_error *err)
{
    close_view(executor);
    for (;;) {
        sy_status status = sy_state_apply(executor->store, height, deltas, err);
        if (status != SY_ERR_BUSY) return status;
        /* The generations are full: execution waits for the merger, and ordering for execution. */
        status = sy_state_wait(executor->store, 1000);
        if (status != SY_OK && status != SY_ERR_TIMEOUT) {
            return sy_fail(err, status, "the state store stopped merging (%s)",
                           sy_status_name(status));
        }
    }
}

static sy_status make_durable(sy_executor *executor, const struct sy_executed *done,
                              const struct sy_block_result *result, struct sy_error *err)
{
    uint64_t height = done->header.height;
    struct sy_block_write block = {.height = height,
                                   .header = result->header_bytes,
                                   .order = encode_order(executor, done),
                                   .receipts = result->receipts,
                                   .deltas = result->deltas,
                                   .tx_ids = result->tx_ids,
                                   .tx_count = result->tx_count};
    SY_TRY(sy_ledger_append(executor->store, &block, 1, err));
    return apply_state(executor, height, result->deltas, err);
}

static void count(const struct sy_executed *done, uint64_t us)
{
    sy_metric_add(SY_M_ledger_txs_executed_total, done->tx_count);
    sy_metric_add(SY_M_ledger_txs_applied_total, done->applied_count);
    sy_metric_add(SY_M_ledger_txs_refused_total, done->refused_count);
    sy_metric_set(SY_M_node_height_executed, done->header.height);
    sy_metric_observe_us(SY_M_ledger_execute_us, us);
}

/* A top that there is no memory for is one that nobody can fetch chunks by; that is all. */
static void give_top(sy_executor *executor)
{
    uint64_t height = executor->head.height;
    struct sy_snapshot_top top = {.hashes = NULL};
    if (executor->tops_every == 0 || height % executor->tops_every != 0) return;
    if (sy_ledger_take_top(executor->ledger, &top) != SY_OK) return;
    executor->give_top(executor->give_self, height, &top);
}

void sy_executor_give_tops(sy_executor *executor, uint32_t every, sy_executor_top give, void *self)
{
    executor->tops_every = every;
    executor->give_top = give;
    executor->give_self = self;
}

void sy_executor_give_signers(sy_executor *executor, sy_ledger_signed give, void *self)
{
    sy_ledger_give_signers(executor->ledger, give, self);
}

sy_status sy_executor_run(sy_executor *executor, struct sy_executed *done,
                          const struct sy_proposal *proposal, struct sy_error *err)
{
    SY_ASSERT(proposal->slot == executor->head.height + 1);
    uint64_t start_ns = sy_os_monotonic_ns();
    memset(done, 0, sizeof *done);
    SY_TRY(load_bodies(executor, proposal, err));
    struct sy_block_input input = {.height = proposal->slot,
                                   .epoch = proposal->epoch,
                                   .time_ms = proposal->time_ms,
                                   .previous = &executor->head,
                                   .entries = executor->entries,
                                   .entry_count = proposal->count};
    struct sy_block_result result;
    SY_TRY(sy_ledger_execute(executor->ledger, &result, &input, err));
    done->header = result.header;
    done->header_hash = result.header_hash;
    done->next_epoch = sy_ledger_next_epoch(executor->ledger, result.header.height);
    done->tx_count = result.tx_count;
    done->applied_count = result.applied_count;
    done->refused_count = result.refused_count;
    note_ran(done, &result, proposal);
    SY_TRY(make_durable(executor, done, &result, err));
    executor->head = result.header;
    executor->head_hash = result.header_hash;
    count(done, (sy_os_monotonic_ns() - start_ns) / 1000);
    give_top(executor);
    return SY_OK;
}

/* ---- questions --------------------------------------------------------------------------- */

void sy_executor_head(const sy_executor *executor, struct sy_header *header, struct sy_hash *hash)
{
    *header = executor->head;
    *hash = executor->head_hash;
}

sy_status sy_executor_prove(sy_executor *executor, struct sy_state_proof *proof,
                            const struct sy_hash *key_hash, struct sy_error *err)
{
    return sy_ledger_prove(executor->ledger, proof, key_hash, err);
}

sy_status sy_executor_next_seq(sy_executor *executor, uint64_t *next,
                               const struct sy_public_key *maker)
{
    struct sy_hash key;
    struct sy_slice value;
    sy_state_key_public(&key, SY_STATE_MAKER, maker);
    sy_status status = sy_state_get(executor->store, &value, &key);
    *next = 1;
    if (status == SY_ERR_NOT_FOUND) return SY_OK;
    if (status != SY_OK) return status;
    return sy_count_decode(next, value) ? SY_OK : SY_ERR_CORRUPT;
}

const struct sy_roster *sy_executor_roster(const sy_executor *executor, uint64_t height)
{
    return sy_ledger_roster(executor->ledger, height);
}

uint64_t sy_executor_epoch_base(const sy_executor *executor, uint64_t height)
{
    return sy_ledger_epoch_base(executor->ledger, height);
}

uint64_t sy_executor_next_epoch(const sy_executor *executor, uint64_t height)
{
    return sy_ledger_next_epoch(executor->ledger, height);
}

void sy_executor_get_trie_info(const sy_executor *executor, struct sy_trie_info *info)
{
    sy_ledger_get_trie_info(executor->ledger, info);
}
