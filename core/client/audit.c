/* audit.c: a validator's ledger made again from genesis, block by block, and compared. */
#include "core/client/audit.h"

#include <stdlib.h>

#include "core/client/audit_internal.h"

#define PROGRESS_EVERY 64u

/* ---- reading ------------------------------------------------------------------------------ */

static const char *const part_names[] = {
    [SY_BLOCK_HEADER] = "header",          [SY_BLOCK_ORDER] = "order",
    [SY_BLOCK_RECEIPTS] = "receipts",      [SY_BLOCK_DELTAS] = "deltas",
    [SY_BLOCK_TX_IDS] = "transaction ids", [SY_BLOCK_CERTIFICATE] = "certificate"};

sy_status sy_audit_get_part(struct audit *audit, struct sy_slice *out, enum sy_block_part part)
{
    sy_status status = sy_ledger_get(audit->reader, out, audit->height, part);
    if (status == SY_OK) return SY_OK;
    return sy_fail(audit->err, status == SY_ERR_NOT_FOUND ? SY_ERR_CORRUPT : status,
                   "block %llu: its %s cannot be read (%s)", (unsigned long long)audit->height,
                   part_names[part], sy_status_name(status));
}

static sy_status compare_part(struct audit *audit, enum sy_block_part part, struct sy_slice made)
{
    struct sy_slice stored;
    SY_TRY(sy_audit_get_part(audit, &stored, part));
    if (sy_slice_equal(stored, made)) return SY_OK;
    return sy_fail(audit->err, SY_ERR_CORRUPT,
                   "block %llu: its %s differ from what the transactions make (%zu bytes stored, "
                   "%zu made)",
                   (unsigned long long)audit->height, part_names[part], stored.size, made.size);
}

sy_status sy_audit_load_order(struct audit *audit)
{
    struct sy_slice bytes;
    SY_TRY(sy_audit_get_part(audit, &bytes, SY_BLOCK_ORDER));
    struct sy_reader r = sy_reader_of(bytes);
    if (sy_proposal_decode(&r, &audit->order) && sy_reader_done(&r) &&
        audit->order.slot == audit->height) {
        return SY_OK;
    }
    return sy_fail(audit->err, SY_ERR_CORRUPT, "block %llu: its order is damaged",
                   (unsigned long long)audit->height);
}

static sy_status find_roster(struct audit *audit, const struct sy_roster **roster, uint32_t epoch)
{
    *roster = sy_epochs_roster(audit->epochs, epoch);
    if (*roster) return SY_OK;
    return sy_fail(
        audit->err, SY_ERR_CORRUPT,
        "block %llu: it is of epoch %u, and nothing in this store proves how that epoch's "
        "roster came from the genesis's; a store that began with a snapshot lacks the "
        "headers that do",
        (unsigned long long)audit->height, (unsigned)epoch);
}

sy_status sy_audit_load_bodies(struct audit *audit)
{
    size_t used = 0;
    const struct sy_roster *roster;
    SY_TRY(find_roster(audit, &roster, audit->order.epoch));
    for (uint16_t i = 0; i < audit->order.count; i++) {
        const struct sy_entry *entry = &audit->order.entries[i];
        struct sy_slice body;
        sy_status status = sy_body_get(audit->reader, &body, &entry->digest);
        if (status != SY_OK || body.size > SY_PROPOSAL_BYTES_MAX - used) {
            return sy_fail(audit->err, SY_ERR_CORRUPT,
                           "block %llu: the body of batch #%llu of maker %u cannot be read (%s)",
                           (unsigned long long)audit->height, (unsigned long long)entry->seq,
                           (unsigned)entry->maker,
                           status == SY_OK ? "too long" : sy_status_name(status));
        }
        SY_TRY(
            sy_audit_batches_add(audit->batches, audit->height, roster, entry, body, audit->err));
        memcpy(audit->bodies + used, body.data, body.size);
        audit->entries[i] = (struct sy_block_entry){
            .entry = *entry, .batch = sy_slice_of(audit->bodies + used, body.size)};
        used += body.size;
    }
    return SY_OK;
}

/* ---- comparing ---------------------------------------------------------------------------- */

sy_status sy_audit_check_certificate(struct audit *audit)
{
    struct sy_slice bytes;
    const struct sy_roster *roster;
    if (audit->height > sy_ledger_certified(audit->config->store)) return SY_OK;
    SY_TRY(find_roster(audit, &roster, audit->head.epoch));
    SY_TRY(sy_audit_get_part(audit, &bytes, SY_BLOCK_CERTIFICATE));
    return sy_audit_certificates_add(audit, bytes, roster->count);
}

static sy_status compare_block(struct audit *audit, const struct sy_block_result *result)
{
    for (uint16_t i = 0; i < audit->order.count; i++) {
        if (result->entries[i].ran) continue;
        return sy_fail(audit->err, SY_ERR_CORRUPT,
                       "block %llu: batch #%llu of maker %u stands in it but cannot have run",
                       (unsigned long long)audit->height,
                       (unsigned long long)audit->order.entries[i].seq,
                       (unsigned)audit->order.entries[i].maker);
    }
    SY_TRY(compare_part(audit, SY_BLOCK_TX_IDS,
                        sy_slice_of(result->tx_ids, (size_t)result->tx_count * 32)));
    SY_TRY(compare_part(audit, SY_BLOCK_RECEIPTS, result->receipts));
    SY_TRY(compare_part(audit, SY_BLOCK_DELTAS, result->deltas));
    SY_TRY(compare_part(audit, SY_BLOCK_HEADER, result->header_bytes));
    audit->head = result->header;
    return sy_audit_check_certificate(audit);
}

static void count_block(struct audit *audit, const struct sy_block_result *result)
{
    struct sy_audit_figures *figures = audit->figures;
    figures->height = audit->height;
    figures->txs += result->tx_count;
    figures->applied += result->applied_count;
    figures->refused += result->refused_count;
    figures->batches += result->ran_count;
    figures->state_root = result->header.state_root;
    if (audit->config->progress && audit->height % PROGRESS_EVERY == 0) {
        audit->config->progress(audit->config->self, audit->height,
                                sy_ledger_height(audit->config->store), figures->txs);
    }
}

static sy_status replay_block(struct audit *audit)
{
    struct sy_block_result result;
    SY_TRY(sy_audit_load_order(audit));
    SY_TRY(sy_audit_load_bodies(audit));
    struct sy_block_input input = {.height = audit->height,
                                   .epoch = audit->order.epoch,
                                   .time_ms = audit->order.time_ms,
                                   .previous = &audit->head,
                                   .entries = audit->entries,
                                   .entry_count = audit->order.count};
    SY_TRY(sy_ledger_execute(audit->ledger, &result, &input, audit->err));
    SY_TRY(compare_block(audit, &result));
    count_block(audit, &result);
    return sy_replay_state_apply(audit->state, result.deltas, audit->err);
}

/* ---- genesis ------------------------------------------------------------------------------ */

static sy_status make_genesis(struct audit *audit, uint8_t *room)
{
    const struct sy_genesis *genesis = audit->config->genesis;
    struct sy_writer deltas = sy_writer_of(room, SY_LEDGER_GENESIS_BYTES_MAX);
    uint8_t bytes[SY_HEADER_BYTES];
    struct sy_writer header = sy_writer_of(bytes, sizeof bytes);
    struct sy_hash root;
    sy_status status = sy_ledger_genesis(&deltas, &root, genesis);
    if (status != SY_OK) return sy_fail(audit->err, status, "the genesis state cannot be made");
    sy_genesis_header(&audit->head, genesis, &root);
    sy_header_encode(&header, &audit->head);
    SY_TRY(compare_part(audit, SY_BLOCK_HEADER, sy_writer_slice(&header)));
    SY_TRY(compare_part(audit, SY_BLOCK_DELTAS, sy_writer_slice(&deltas)));
    sy_header_hash(&audit->figures->header_hash, &genesis->hash, &audit->head);
    audit->figures->state_root = root;
    audit->figures->certified_state_root = root;
    return sy_replay_state_apply(audit->state, sy_writer_slice(&deltas), audit->err);
}

static sy_status replay_genesis(struct audit *audit)
{
    uint8_t *room = (uint8_t *)malloc(SY_LEDGER_GENESIS_BYTES_MAX);
    if (!room) return sy_fail(audit->err, SY_ERR_NO_MEMORY, "audit: no memory");
    sy_status status = make_genesis(audit, room);
    free(room);
    return status;
}

/* ---- the store's own state ---------------------------------------------------------------- */

static sy_status compare_entry(struct audit *audit, const struct sy_hash *key,
                               struct sy_slice stored)
{
    struct sy_slice made;
    bool present = sy_replay_state_get(audit->state, &made, key);
    if (present && sy_slice_equal(stored, made)) return SY_OK;
    char hex[65];
    sy_hex_encode(hex, key->bytes, sizeof key->bytes);
    return sy_fail(audit->err, SY_ERR_CORRUPT,
                   "state: the entry with key hash %s %s; remove the state folder's content and "
                   "start the validator to make it again from the ledger",
                   hex, present ? "differs from what the blocks make" : "comes from no block");
}

static sy_status compare_state(struct audit *audit, sy_state_view *view)
{
    static const struct sy_hash any = {{0}};
    uint64_t count = 0;
    sy_status status = sy_state_view_scan(view, &any, 0, NULL);
    while (status == SY_OK) {
        const struct sy_hash *key;
        struct sy_slice value;
        status = sy_state_view_next(view, &key, &value);
        if (status != SY_OK) break;
        SY_TRY(compare_entry(audit, key, value));
        count++;
    }
    if (status != SY_ERR_NOT_FOUND) {
        return sy_fail(audit->err, status, "state: it cannot be read (%s)", sy_status_name(status));
    }
    audit->figures->state_entries = count;
    if (count == sy_replay_state_count(audit->state)) return SY_OK;
    return sy_fail(
        audit->err, SY_ERR_CORRUPT, "state: %llu entries are stored, the blocks make %llu",
        (unsigned long long)count, (unsigned long long)sy_replay_state_count(audit->state));
}

static sy_status check_stored_state(struct audit *audit)
{
    sy_state_view *view = NULL;
    sy_status status = sy_state_view_open(&view, audit->config->store);
    if (status != SY_OK) {
        return sy_fail(audit->err, status, "state: it cannot be opened (%s)",
                       sy_status_name(status));
    }
    if (sy_state_view_height(view) == audit->figures->height) {
        status = compare_state(audit, view);
    } else {
        status = sy_fail(audit->err, SY_ERR_CORRUPT,
                         "state: it is of height %llu, the ledger's "
                         "newest block is %llu",
                         (unsigned long long)sy_state_view_height(view),
                         (unsigned long long)audit->figures->height);
    }
    sy_state_view_close(view);
    return status;
}

/* ---- the run ------------------------------------------------------------------------------ */

static sy_status open_parts(struct audit *audit)
{
    const struct sy_audit_config *config = audit->config;
    audit->bodies = (uint8_t *)malloc(SY_PROPOSAL_BYTES_MAX);
    if (!audit->bodies) return sy_fail(audit->err, SY_ERR_NO_MEMORY, "audit: no memory");
    if (sy_ledger_next(config->store) == 0) {
        return sy_fail(audit->err, SY_ERR_NOT_FOUND, "the store has no block, not even genesis");
    }
    if (sy_store_reader_open(&audit->reader, config->store) != SY_OK) {
        return sy_fail(audit->err, SY_ERR_LIMIT, "audit: too many store readers");
    }
    SY_TRY(sy_epochs_open(&audit->epochs, config->genesis, audit->err));
    SY_TRY(sy_epochs_take_store(audit->epochs, config->store, audit->reader, audit->err));
    SY_TRY(sy_audit_batches_open(&audit->batches, config->genesis, config->threads, audit->err));
    return sy_audit_certificates_open(audit);
}

static sy_status replay_all(struct audit *audit)
{
    SY_TRY(sy_replay_state_open(&audit->state, audit->err));
    SY_TRY(replay_genesis(audit));
    struct sy_ledger_config ledger = {.genesis = audit->config->genesis,
                                      .source = sy_replay_state_source(audit->state)};
    SY_TRY(sy_ledger_open(&audit->ledger, &ledger, audit->err));
    uint64_t newest = sy_ledger_height(audit->config->store);
    for (audit->height = 1; audit->height <= newest; audit->height++) SY_TRY(replay_block(audit));
    SY_TRY(sy_audit_batches_finish(audit->batches, audit->err));
    SY_TRY(sy_audit_certificates_settle(audit));
    return check_stored_state(audit);
}

static sy_status run_all(struct audit *audit)
{
    SY_TRY(open_parts(audit));
    audit->figures->pruned = sy_ledger_pruned(audit->config->store);
    audit->figures->base = sy_ledger_base(audit->config->store);
    return audit->figures->pruned > 0 ? sy_audit_pruned(audit) : replay_all(audit);
}

sy_status sy_audit_run(const struct sy_audit_config *config, struct sy_audit_figures *figures,
                       struct sy_error *err)
{
    struct sy_error ignored;
    memset(figures, 0, sizeof *figures);
    struct audit *audit = (struct audit *)calloc(1, sizeof *audit);
    if (!audit) return sy_fail(err, SY_ERR_NO_MEMORY, "audit: no memory");
    audit->config = config;
    audit->figures = figures;
    audit->err = err ? err : &ignored;
    sy_status status = run_all(audit);
    if (status != SY_OK) {
        sy_status earlier = sy_audit_certificates_settle(audit);
        if (earlier != SY_OK) status = earlier;
    }
    if (audit->batches) figures->signatures = sy_audit_batches_signatures(audit->batches);
    sy_ledger_close(audit->ledger);
    sy_replay_state_close(audit->state);
    sy_sig_queue_close(audit->waiting.queue);
    sy_audit_batches_close(audit->batches);
    sy_epochs_close(audit->epochs);
    sy_store_reader_close(audit->reader);
    free(audit->bodies);
    free(audit);
    return status;
}
