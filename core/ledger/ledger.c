/* ledger.c: blocks: which entries run, their transactions in order, and what becomes of it all; see
 * ledger.h. One transaction is exec.c's business, state between transactions overlay.c's. */
#include "core/ledger/ledger.h"

#include <stdlib.h>

#include "core/base/arena.h"
#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"
#include "core/crypto/sha256_many.h"
#include "core/ledger/exec.h"
#include "core/ledger/rosters.h"
#include "core/wire/batch.h"
#include "core/wire/delta.h"
#include "core/wire/state_trial.h"

/* What a block can write at most, from what a proposal can hold at most. The densest payloads are
 * 71 bytes long and write six keys (record.dup_report as a part), or 29 and two (param.set); each
 * transaction writes its nonce window, each entry next(maker), the block the event count, the first
 * block of an epoch the roster. Values: 41 bytes can rewrite a record and a patient (1.4 KB), 51 an
 * organisation (2.8 KB), 71 a consent, the list that it leaves and a patient (3.7 KB), 45 the
 * cosignatures of a version and a patient (1.9 KB). Receipts: six keys and two events, 358 bytes,
 * in 71. What writes more than these shares of its bytes takes it out of the block's surplus, or is
 * refused (exec.h). The memory is reserved, not touched: what blocks really hold is what becomes
 * resident. */
#define WRITES_MAX                                                                               \
    (SY_PROPOSAL_BYTES_MAX / SY_EXEC_BYTES_PER_KEY + SY_EXEC_KEYS_PER_TX * SY_PROPOSAL_TXS_MAX + \
     SY_VALIDATORS_MAX + 2u + SY_EXEC_SURPLUS_KEYS + SY_RECEIPT_KEYS_MAX +                       \
     SY_OVERLAY_WRITES_BETWEEN)
#define VALUE_BYTES_MAX                                                                           \
    ((size_t)SY_PROPOSAL_BYTES_MAX * SY_EXEC_VALUE_BYTES_PER_BYTE + SY_EXEC_SURPLUS_VALUE_BYTES + \
     SY_OVERLAY_WRITE_BYTES_BETWEEN)
#define RECEIPT_BYTES_MAX                                                                       \
    ((size_t)SY_PROPOSAL_BYTES_MAX * SY_EXEC_LIST_BYTES_PER_BYTE + SY_EXEC_SURPLUS_LIST_BYTES + \
     256u * SY_PROPOSAL_TXS_MAX)
#define DELTA_BYTES_MAX (VALUE_BYTES_MAX + (size_t)WRITES_MAX * SY_DELTA_ITEM_BYTES)

#define TRIE_BYTES_DEFAULT ((size_t)256 << 20)

/* Hashes of a block are made in groups of so many (sha256_many.h). */
#define HASH_GROUP 64u

struct sy_ledger {
    struct sy_genesis genesis;
    struct sy_rosters rosters;
    struct sy_state_source source;
    struct sy_state_source sifted; /* get alone */
    sy_arena arena;
    sy_trie *trie;
    sy_overlay overlay;
    struct sy_exec exec;
    bool broken; /* the source failed under us: open it again */
    sy_ledger_signed give_signer;
    void *give_self;
    /* of the newest block */
    struct sy_entry_result entries[SY_PROPOSAL_ENTRIES_MAX];
    struct sy_hash ran_digests[SY_PROPOSAL_ENTRIES_MAX];
    struct sy_hash *tx_ids; /* SY_PROPOSAL_TXS_MAX each */
    struct sy_hash *receipt_leaves;
    struct sy_hash *merkle_scratch;
    uint32_t *receipt_offsets;
    struct sy_hash *keys; /* of one receipt: SY_RECEIPT_KEYS_MAX */
    struct sy_tx group[HASH_GROUP];
    struct sy_writer receipts;
    struct sy_writer deltas;
    const struct sy_overlay_entry **order; /* WRITES_MAX each */
    struct sy_trie_change *changes;
    size_t change_count;
    uint8_t header_bytes[SY_HEADER_BYTES];
};

// --- opening -----------------------------------------------------------------------------------

static const struct sy_overlay_limits overlay_limits = {
    .writes_max = WRITES_MAX,
    .value_bytes_max = VALUE_BYTES_MAX,
};

static size_t footprint(void)
{
    return sy_overlay_footprint(&overlay_limits) +
           (size_t)SY_PROPOSAL_TXS_MAX * (3 * sizeof(struct sy_hash) + sizeof(uint32_t)) +
           SY_RECEIPT_KEYS_MAX * sizeof(struct sy_hash) +
           (size_t)SY_EVENTS_PER_TX_MAX * SY_EVENT_BYTES +
           SY_EXEC_MEMO * sizeof(struct sy_exec_memo) + RECEIPT_BYTES_MAX + DELTA_BYTES_MAX +
           (size_t)WRITES_MAX * (sizeof(void *) + sizeof(struct sy_trie_change)) + 16 * 64;
}

static struct sy_writer carve_writer(sy_arena *arena, size_t size)
{
    SY_ASSERT(size > 0);
    void *room = sy_arena_carve(arena, size, 1);
    return sy_writer_of(room, room == NULL ? 0 : size);
}

static sy_status carve(sy_ledger *ledger)
{
    sy_arena *arena = &ledger->arena;
    SY_TRY(sy_overlay_init(&ledger->overlay, arena, &overlay_limits, &ledger->sifted));
    ledger->tx_ids = SY_CARVE(arena, struct sy_hash, SY_PROPOSAL_TXS_MAX);
    ledger->receipt_leaves = SY_CARVE(arena, struct sy_hash, SY_PROPOSAL_TXS_MAX);
    ledger->merkle_scratch = SY_CARVE(arena, struct sy_hash, SY_PROPOSAL_TXS_MAX);
    ledger->receipt_offsets = SY_CARVE(arena, uint32_t, SY_PROPOSAL_TXS_MAX);
    ledger->keys = SY_CARVE(arena, struct sy_hash, SY_RECEIPT_KEYS_MAX);
    ledger->order = SY_CARVE(arena, const struct sy_overlay_entry *, WRITES_MAX);
    ledger->changes = SY_CARVE(arena, struct sy_trie_change, WRITES_MAX);
    ledger->receipts = carve_writer(arena, RECEIPT_BYTES_MAX);
    ledger->deltas = carve_writer(arena, DELTA_BYTES_MAX);
    ledger->exec.events = carve_writer(arena, (size_t)SY_EVENTS_PER_TX_MAX * SY_EVENT_BYTES);
    ledger->exec.memo = SY_CARVE(arena, struct sy_exec_memo, SY_EXEC_MEMO);
    ledger->exec.state = &ledger->overlay;
    // The footprint was computed from the same figures, so the last carve tells of all.
    if (ledger->exec.memo == NULL) return SY_ERR_NO_MEMORY;
    sy_arena_seal(arena);
    return SY_OK;
}

/* What execution reads. Most of what it looks for in vain is a fresh id, of which the trie knows
 * without the store. */
static sy_status get_sifted(void *self, struct sy_slice *value, const struct sy_hash *key_hash)
{
    const sy_ledger *ledger = self;
    if (!sy_trie_may_hold(ledger->trie, key_hash)) return SY_ERR_NOT_FOUND;
    return ledger->source.get(ledger->source.self, value, key_hash);
}

static sy_status open_parts(sy_ledger *ledger, const struct sy_ledger_config *config,
                            struct sy_error *err)
{
    sy_status status = sy_arena_open(&ledger->arena, footprint());
    if (status == SY_OK) status = carve(ledger);
    if (status != SY_OK) {
        return sy_fail(err, status, "execution needs %zu MiB of address space and got none",
                       footprint() >> 20);
    }
    struct sy_trie_config trie = {
        .bucket_leaves = config->trie_bucket_leaves,
        .memory_bytes_max =
            config->trie_bytes_max != 0 ? config->trie_bytes_max : TRIE_BYTES_DEFAULT,
        .changes_max = WRITES_MAX,
    };
    status = sy_trie_open(&ledger->trie, &trie);
    if (status != SY_OK) return sy_fail(err, status, "the state trie cannot be opened");
    status = sy_trie_rebuild(ledger->trie, &ledger->source);
    if (status != SY_OK) {
        return sy_fail(err, status, "the state trie cannot be rebuilt from the store: %s",
                       sy_status_name(status));
    }
    return SY_OK;
}

sy_status sy_ledger_open(sy_ledger **out, const struct sy_ledger_config *config,
                         struct sy_error *err)
{
    *out = NULL;
    SY_ASSERT(!sy_hash_is_zero(&config->genesis->hash));
    sy_ledger *ledger = calloc(1, sizeof *ledger);
    if (ledger == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for the ledger");
    ledger->genesis = *config->genesis;
    ledger->source = config->source;
    ledger->sifted = (struct sy_state_source){.self = ledger, .get = get_sifted};
    ledger->exec.genesis = &ledger->genesis.hash;
    sy_status status = open_parts(ledger, config, err);
    if (status == SY_OK) {
        status = sy_rosters_load(&ledger->rosters, &ledger->genesis.hash, &ledger->source, err);
    }
    if (status != SY_OK) {
        sy_ledger_close(ledger);
        return status;
    }
    *out = ledger;
    return SY_OK;
}

void sy_ledger_close(sy_ledger *ledger)
{
    if (ledger == NULL) return;
    sy_trie_close(ledger->trie);
    sy_arena_close(&ledger->arena);
    free(ledger);
}

void sy_ledger_state_root(const sy_ledger *ledger, struct sy_hash *root)
{
    sy_trie_root(ledger->trie, root);
}

sy_status sy_ledger_take_top(const sy_ledger *ledger, struct sy_snapshot_top *top)
{
    SY_ASSERT(!ledger->broken);
    return sy_snapshot_top_take(top, ledger->trie);
}

const struct sy_roster *sy_ledger_roster(const sy_ledger *ledger, uint64_t height)
{
    return sy_rosters_at(&ledger->rosters, height);
}

uint64_t sy_ledger_epoch_base(const sy_ledger *ledger, uint64_t height)
{
    const struct sy_rosters *rosters = &ledger->rosters;
    bool next = rosters->first != 0 && height >= rosters->first;
    return next ? rosters->first - 1 : rosters->base;
}

uint64_t sy_ledger_next_epoch(const sy_ledger *ledger, uint64_t height)
{
    return height < ledger->rosters.first ? ledger->rosters.first : 0;
}

void sy_ledger_give_signers(sy_ledger *ledger, sy_ledger_signed give, void *self)
{
    ledger->give_signer = give;
    ledger->give_self = self;
}

void sy_ledger_get_trie_info(const sy_ledger *ledger, struct sy_trie_info *info)
{
    sy_trie_get_info(ledger->trie, info);
}

// --- a block begins ----------------------------------------------------------------------------

static sy_status check_input(const sy_ledger *ledger, const struct sy_block_input *input,
                             struct sy_error *err)
{
    if (ledger->broken) {
        return sy_fail(err, SY_ERR_CLOSED, "the ledger met a failing store; restart the validator");
    }
    if (input->height == 0 || input->previous->height != input->height - 1) {
        return sy_fail(err, SY_ERR_ARGUMENT, "block %llu does not follow block %llu",
                       (unsigned long long)input->height,
                       (unsigned long long)input->previous->height);
    }
    const struct sy_roster *roster = sy_rosters_at(&ledger->rosters, input->height);
    if (input->epoch != roster->epoch) {
        return sy_fail(err, SY_ERR_ARGUMENT, "block %llu is of epoch %u, and its roster of %u",
                       (unsigned long long)input->height, (unsigned)input->epoch,
                       (unsigned)roster->epoch);
    }
    if (input->entry_count > SY_PROPOSAL_ENTRIES_MAX) {
        return sy_fail(err, SY_ERR_LIMIT, "block %llu has %zu entries; %u is the most",
                       (unsigned long long)input->height, input->entry_count,
                       SY_PROPOSAL_ENTRIES_MAX);
    }
    return SY_OK;
}

/* Block time = max(parent + 1 ms, proposal time) (DESIGN.md, "PBFT"). */
static int64_t block_time(const struct sy_block_input *input)
{
    int64_t proposed = input->time_ms > SY_TIME_MS_MAX ? SY_TIME_MS_MAX : input->time_ms;
    SY_ASSERT(input->previous->time_ms < INT64_MAX);
    int64_t least = input->previous->time_ms + 1;
    return proposed > least ? proposed : least;
}

/* Finds a u64 that counts from zero while it is absent. */
static uint64_t find_count(struct sy_exec *x, const struct sy_hash *key_hash)
{
    uint64_t count = 0;
    struct sy_slice value;
    SY_ASSERT(x->state != NULL);
    if (sy_exec_find(x, &value, key_hash) && !sy_count_decode(&count, value)) {
        x->failed = SY_ERR_CORRUPT;
    }
    return count;
}

static void save_count(struct sy_exec *x, const struct sy_hash *key_hash, uint64_t count)
{
    SY_ASSERT(count > 0);
    uint8_t room[8];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_count_encode(&w, count);
    sy_exec_save(x, key_hash, &w);
}

static void begin_block(sy_ledger *ledger, const struct sy_block_input *input)
{
    struct sy_exec *x = &ledger->exec;
    sy_overlay_clear(&ledger->overlay);
    ledger->receipts.used = 0;
    ledger->receipts.failed = false;
    ledger->deltas.used = 0;
    ledger->deltas.failed = false;
    ledger->change_count = 0;
    sy_write_u32(&ledger->receipts, 0);
    x->height = input->height;
    x->time_ms = block_time(input);
    SY_ASSERT(x->time_ms > input->previous->time_ms);
    x->failed = SY_OK;
    struct sy_hash key_hash, previous;
    sy_header_hash(&previous, &ledger->genesis.hash, input->previous);
    sy_trial_beacon(&x->beacon, &previous, x->time_ms);
    sy_state_key_zero(&key_hash, SY_STATE_PARAMS);
    struct sy_slice value;
    struct sy_params_state params;
    if (!sy_exec_find(x, &value, &key_hash) || !sy_params_state_decode(&params, value)) {
        if (x->failed == SY_OK) x->failed = SY_ERR_CORRUPT;
        params = (struct sy_params_state){.version = 0};
    }
    sy_params_at(&params, x->height);
    x->params = params.params;
    sy_state_key_zero(&key_hash, SY_STATE_EVENT_COUNT);
    x->next_event = find_count(x, &key_hash) + 1;
    x->roster = sy_rosters_at(&ledger->rosters, input->height);
    x->roster_hash = *sy_rosters_hash_at(&ledger->rosters, input->height);
    x->roster_changed = false;
    x->surplus = (struct sy_exec_surplus){.keys = SY_EXEC_SURPLUS_KEYS,
                                          .value_bytes = SY_EXEC_SURPLUS_VALUE_BYTES,
                                          .list_bytes = SY_EXEC_SURPLUS_LIST_BYTES};
    if (sy_rosters_begins(&ledger->rosters, input->height)) {
        sy_rosters_save(&ledger->rosters, x);
    }
}

// --- entries -----------------------------------------------------------------------------------

/* Executes one transaction; its id stands in its place already. */
static sy_status run_tx(sy_ledger *ledger, struct sy_block_result *result, const struct sy_tx *tx)
{
    SY_ASSERT(result->tx_count < SY_PROPOSAL_TXS_MAX);
    struct sy_receipt receipt = {.height = ledger->exec.height,
                                 .index = result->tx_count,
                                 .tx_id = ledger->tx_ids[result->tx_count]};
    SY_TRY(sy_exec_run(&ledger->exec, &receipt, ledger->keys, tx));
    struct sy_writer *w = &ledger->receipts;
    size_t start = w->used;
    sy_write_u32(w, 0);
    sy_receipt_encode(w, &receipt);
    if (w->failed) return SY_ERR_LIMIT;
    SY_ASSERT(w->used - start > 4 && w->used <= UINT32_MAX);
    sy_store_u32(w->data + start, (uint32_t)(w->used - start - 4));
    ledger->receipt_offsets[result->tx_count] = (uint32_t)start;
    result->tx_count++;
    result->applied_count += receipt.code == SY_APPLIED ? 1 : 0;
    result->refused_count += receipt.code == SY_APPLIED ? 0 : 1;
    if (receipt.code == SY_APPLIED && ledger->give_signer != NULL) {
        ledger->give_signer(ledger->give_self, &tx->signer, &tx->organisation);
    }
    return SY_OK;
}

/* Decodes the next transactions of a batch, as many as there are and fit into a group. */
static sy_status decode_group(sy_ledger *ledger, uint32_t *count, const struct sy_batch *batch,
                              size_t *offset)
{
    const uint8_t *network = sy_network_tag(&ledger->genesis);
    struct sy_slice bytes;
    for (*count = 0; *count < HASH_GROUP && sy_batch_next(batch, offset, &bytes); ++*count) {
        if (sy_tx_decode(&ledger->group[*count], NULL, bytes, network) != SY_APPLIED) {
            return SY_ERR_FORMAT;
        }
    }
    return SY_OK;
}

/* The ids of a group, where sy_tx_id of each would put them. */
static void name_group(const sy_ledger *ledger, struct sy_hash *ids, uint32_t count)
{
    struct sy_slice bodies[HASH_GROUP];
    SY_ASSERT(count <= HASH_GROUP);
    for (uint32_t i = 0; i < count; i++) bodies[i] = ledger->group[i].body;
    sy_sha256_many_best()->leaves(ids, bodies, count);
}

/* Records of a group that are to be made: their keys are fresh, so where they would stand in the
 * trie is in no cache. It is on its way while the group's first transactions run. */
static void expect_group(sy_ledger *ledger, uint32_t count)
{
    SY_ASSERT(count <= HASH_GROUP);
    for (uint32_t i = 0; i < count; i++) {
        const struct sy_tx *tx = &ledger->group[i];
        struct sy_hash id;
        struct sy_hash key_hash;
        // The payload begins with the record's id; were it another's, time alone would be lost.
        if (tx->kind != SY_KIND_record_create || tx->payload.size < sizeof id) continue;
        memcpy(&id, tx->payload.data, sizeof id);
        sy_exec_key(&ledger->exec, &key_hash, SY_STATE_RECORD, &id);
        sy_trie_expect(ledger->trie, &key_hash);
    }
}

static sy_status run_batch(sy_ledger *ledger, struct sy_block_result *result,
                           const struct sy_batch *batch, const struct sy_hash *tx_ids)
{
    size_t offset = 0;
    uint32_t count = 0;
    SY_ASSERT(batch->header.count <= SY_PROPOSAL_TXS_MAX - result->tx_count);
    do {
        SY_TRY(decode_group(ledger, &count, batch, &offset));
        struct sy_hash *ids = ledger->tx_ids + result->tx_count;
        if (tx_ids == NULL) {
            name_group(ledger, ids, count);
        } else {
            memcpy(ids, tx_ids, count * sizeof *ids);
            tx_ids += count;
        }
        expect_group(ledger, count);
        for (uint32_t i = 0; i < count; i++) SY_TRY(run_tx(ledger, result, &ledger->group[i]));
    } while (count == HASH_GROUP);
    return offset == batch->txs.size ? SY_OK : SY_ERR_FORMAT;
}

/* Runs an entry, or skips it: a maker that is not in the roster, a seq that is not its next, a
 * batch of another maker or seq than the entry says, or one too many for a block. */
static sy_status run_entry(sy_ledger *ledger, struct sy_block_result *result,
                           struct sy_entry_result *entry_result, size_t *bytes_ran,
                           const struct sy_block_entry *entry)
{
    *entry_result = (struct sy_entry_result){.first_tx = result->tx_count};
    SY_ASSERT(*bytes_ran <= SY_PROPOSAL_BYTES_MAX && result->tx_count <= SY_PROPOSAL_TXS_MAX);
    const struct sy_roster *roster = ledger->exec.roster;
    if (entry->entry.maker >= roster->count) return SY_OK;
    const struct sy_public_key *maker = &roster->validators[entry->entry.maker].consensus_key;
    struct sy_exec *x = &ledger->exec;
    sy_overlay_relax(&ledger->overlay);
    struct sy_hash maker_id = sy_hash_of_key(maker);
    struct sy_hash key_hash;
    sy_exec_key(x, &key_hash, SY_STATE_MAKER, &maker_id);
    uint64_t next = find_count(x, &key_hash);
    if (next == 0) next = 1;
    if (x->failed != SY_OK || entry->entry.seq != next) return x->failed;
    struct sy_batch batch;
    if (!sy_batch_decode(&batch, entry->batch)) return SY_ERR_FORMAT;
    struct sy_hash digest;
    sy_batch_digest(&digest, &ledger->genesis.hash, batch.header_bytes);
    if (!sy_hash_equal(&digest, &entry->entry.digest)) return SY_ERR_CORRUPT;
    bool named = batch.header.seq == next && sy_public_key_equal(&batch.header.maker, maker);
    bool fits = batch.header.count <= SY_PROPOSAL_TXS_MAX - result->tx_count &&
                entry->batch.size <= SY_PROPOSAL_BYTES_MAX - *bytes_ran;
    if (!named || !fits) return SY_OK;
    SY_TRY(run_batch(ledger, result, &batch, entry->tx_ids));
    save_count(x, &key_hash, next + 1);
    *bytes_ran += entry->batch.size;
    entry_result->ran = true;
    entry_result->tx_count = result->tx_count - entry_result->first_tx;
    ledger->ran_digests[result->ran_count++] = digest;
    return x->failed;
}

// --- a block ends ------------------------------------------------------------------------------

/* Hashes the values of changes [first, first + count), at most a group. */
static void hash_values(sy_ledger *ledger, size_t first, size_t count)
{
    struct sy_slice values[HASH_GROUP];
    struct sy_hash hashes[HASH_GROUP];
    SY_ASSERT(count <= HASH_GROUP);
    for (size_t i = 0; i < count; i++) {
        const struct sy_overlay_entry *entry = ledger->order[first + i];
        values[i] = sy_slice_of(entry->data, entry->present ? entry->size : 0);
    }
    sy_sha256_many_best()->messages(hashes, values, count);
    for (size_t i = 0; i < count; i++) ledger->changes[first + i].value_hash = hashes[i];
}

/* Sorts what was written into deltas and trie changes. */
static sy_status pack_writes(sy_ledger *ledger)
{
    size_t count = sy_overlay_sort(&ledger->overlay, ledger->order);
    SY_ASSERT(count <= WRITES_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct sy_overlay_entry *entry = ledger->order[i];
        SY_ASSERT(entry->present || entry->was_present);
        struct sy_trie_change *change = &ledger->changes[i];
        change->key_hash = entry->key_hash;
        change->present = entry->present;
        change->was_present = entry->was_present;
        struct sy_delta delta = {.key = entry->key_hash, .op = SY_DELTA_REMOVE};
        if (entry->present) {
            delta.op = SY_DELTA_PUT;
            delta.value = sy_slice_of(entry->data, entry->size);
        }
        sy_delta_write(&ledger->deltas, &delta);
    }
    for (size_t i = 0; i < count; i += HASH_GROUP) {
        hash_values(ledger, i, count - i < HASH_GROUP ? count - i : HASH_GROUP);
    }
    ledger->change_count = count;
    return ledger->deltas.failed ? SY_ERR_LIMIT : SY_OK;
}

static void hash_receipts(sy_ledger *ledger, uint32_t count)
{
    struct sy_slice receipts[HASH_GROUP];
    uint32_t used = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *at = ledger->receipts.data + ledger->receipt_offsets[i];
        receipts[used++] = sy_slice_of(at + 4, sy_load_u32(at));
        if (used < HASH_GROUP && i + 1 < count) continue;
        bool whole = sy_receipt_leaves(ledger->receipt_leaves + i + 1 - used, receipts, used);
        SY_ASSERT(whole);
        used = 0;
    }
}

static void write_header(sy_ledger *ledger, struct sy_block_result *result,
                         const struct sy_block_input *input)
{
    struct sy_header *header = &result->header;
    SY_ASSERT(result->ran_count <= input->entry_count);
    header->protocol = ledger->genesis.protocol;
    header->height = input->height;
    header->epoch = input->epoch;
    header->time_ms = ledger->exec.time_ms;
    sy_header_hash(&header->previous, &ledger->genesis.hash, input->previous);
    struct sy_hash leaves[SY_PROPOSAL_ENTRIES_MAX];
    for (size_t i = 0; i < result->ran_count; i++) {
        sy_hash_leaf(&leaves[i], sy_slice_of(ledger->ran_digests[i].bytes, 32));
    }
    sy_merkle_root(&header->batches_root, ledger->merkle_scratch, leaves, result->ran_count);
    sy_merkle_root(&header->receipts_root, ledger->merkle_scratch, ledger->receipt_leaves,
                   result->tx_count);
    sy_trie_root(ledger->trie, &header->state_root);
    header->next_roster = *sy_rosters_hash_at(&ledger->rosters, input->height + 1);
    sy_header_hash(&result->header_hash, &ledger->genesis.hash, header);
    struct sy_writer w = sy_writer_of(ledger->header_bytes, sizeof ledger->header_bytes);
    sy_header_encode(&w, header);
    SY_ASSERT(!w.failed && w.used == SY_HEADER_BYTES);
    result->header_bytes = sy_writer_slice(&w);
}

static sy_status run_block(sy_ledger *ledger, struct sy_block_result *result,
                           const struct sy_block_input *input)
{
    struct sy_exec *x = &ledger->exec;
    begin_block(ledger, input);
    result->first_event = x->next_event;
    size_t bytes_ran = 0;
    for (size_t i = 0; i < input->entry_count && x->failed == SY_OK; i++) {
        SY_TRY(run_entry(ledger, result, &ledger->entries[i], &bytes_ran, &input->entries[i]));
    }
    SY_ASSERT(result->tx_count == result->applied_count + result->refused_count);
    result->event_count = x->next_event - result->first_event;
    if (result->event_count > 0) {
        struct sy_hash key_hash;
        sy_state_key_zero(&key_hash, SY_STATE_EVENT_COUNT);
        save_count(x, &key_hash, x->next_event - 1);
    }
    if (x->failed != SY_OK) return x->failed;
    hash_receipts(ledger, result->tx_count);
    return pack_writes(ledger);
}

static void fill_result(sy_ledger *ledger, struct sy_block_result *result)
{
    SY_ASSERT(ledger->receipts.used >= 4 && !ledger->receipts.failed);
    SY_ASSERT(!ledger->deltas.failed);
    sy_store_u32(ledger->receipts.data, result->tx_count);
    result->entries = ledger->entries;
    result->ran_digests = ledger->ran_digests;
    result->tx_ids = ledger->tx_ids;
    result->receipts = sy_writer_slice(&ledger->receipts);
    result->receipt_offsets = ledger->receipt_offsets;
    result->receipt_leaves = ledger->receipt_leaves;
    result->deltas = sy_writer_slice(&ledger->deltas);
    result->delta_count = (uint32_t)ledger->change_count;
}

sy_status sy_ledger_execute(sy_ledger *ledger, struct sy_block_result *result,
                            const struct sy_block_input *input, struct sy_error *err)
{
    *result = (struct sy_block_result){.tx_count = 0};
    SY_TRY(check_input(ledger, input, err));
    sy_status status = run_block(ledger, result, input);
    if (status == SY_OK) {
        status =
            sy_trie_update(ledger->trie, ledger->changes, ledger->change_count, &ledger->source);
        if (status == SY_OK) status = sy_rosters_turn(&ledger->rosters, &ledger->exec);
        ledger->broken = status != SY_OK;
    } else {
        ledger->change_count = 0;
        sy_overlay_clear(&ledger->overlay);
        ledger->broken = ledger->exec.failed != SY_OK && ledger->exec.failed != SY_ERR_FORMAT;
    }
    if (status != SY_OK) {
        return sy_fail(err, status, "block %llu cannot be executed: %s",
                       (unsigned long long)input->height, sy_status_name(status));
    }
    fill_result(ledger, result);
    write_header(ledger, result, input);
    return SY_OK;
}

// --- proving -----------------------------------------------------------------------------------

sy_status sy_ledger_prove(sy_ledger *ledger, struct sy_state_proof *proof,
                          const struct sy_hash *key_hash, struct sy_error *err)
{
    if (ledger->broken) {
        return sy_fail(err, SY_ERR_CLOSED, "the ledger met a failing store; restart the validator");
    }
    sy_status status = sy_trie_prove(ledger->trie, proof, key_hash, ledger->changes,
                                     ledger->change_count, &ledger->source);
    if (status == SY_OK && proof->present) {
        sy_overlay_relax(&ledger->overlay);
        status = sy_overlay_get(&ledger->overlay, &proof->value, key_hash);
        if (status == SY_ERR_NOT_FOUND) status = SY_ERR_CORRUPT;
    }
    if (status != SY_OK) {
        return sy_fail(err, status, "the state proof cannot be made: %s", sy_status_name(status));
    }
    return SY_OK;
}
