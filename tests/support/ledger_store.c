/* ledger_store.c: see ledger_store.h. */
#include "tests/support/ledger_store.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/wire/delta.h"
#include "tests/support/samples.h"

static void must(sy_status status)
{
    SY_ASSERT(status == SY_OK);
}

static void *fresh(size_t size)
{
    void *memory = malloc(size);
    SY_ASSERT(memory != NULL);
    return memory;
}

/* ---- genesis ------------------------------------------------------------------------------ */

static void append(struct ledger_store *ls, const struct sy_block_write *block,
                   struct sy_slice state_deltas)
{
    must(sy_ledger_append(ls->store, block, 1, NULL));
    must(sy_state_apply(ls->store, block->height, state_deltas, NULL));
}

static void write_genesis(struct ledger_store *ls)
{
    uint8_t *room = fresh(SY_LEDGER_GENESIS_BYTES_MAX);
    uint8_t header_bytes[SY_HEADER_BYTES];
    struct sy_hash root;
    struct sy_writer deltas = sy_writer_of(room, SY_LEDGER_GENESIS_BYTES_MAX);
    struct sy_writer header = sy_writer_of(header_bytes, sizeof header_bytes);
    must(sy_ledger_genesis(&deltas, &root, &ls->genesis));
    sy_genesis_header(&ls->header, &ls->genesis, &root);
    sy_header_encode(&header, &ls->header);
    struct sy_block_write block = {.header = sy_writer_slice(&header),
                                   .deltas = sy_writer_slice(&deltas)};
    append(ls, &block, block.deltas);
    state_array_apply(&ls->state, block.deltas);
    free(room);
}

void ledger_store_open(struct ledger_store *ls, const char *folder)
{
    struct sy_error err = {SY_OK, ""};
    memset(ls, 0, sizeof *ls);
    test_genesis(&ls->genesis, 4);
    ls->config =
        (struct sy_store_config){.path = folder, .genesis = ls->genesis.hash, .init = true};
    must(folder ? sy_store_open_lmdb(&ls->store, &ls->config, &err)
                : sy_store_open_memory(&ls->store, &ls->config));
    ls->batch_room = fresh(SY_BATCH_BYTES_MAX);
    ls->next_key = 100;
    for (unsigned i = 0; i < 4; i++) ls->next_seq[i] = 1;
    ls->roster = ls->genesis.roster;
    write_genesis(ls);
    struct sy_ledger_config config = {.genesis = &ls->genesis,
                                      .source = state_array_source(&ls->state)};
    must(sy_ledger_open(&ls->ledger, &config, &err));
}

void ledger_store_close(struct ledger_store *ls)
{
    sy_ledger_close(ls->ledger);
    state_array_close(&ls->state);
    sy_store_close(ls->store);
    free(ls->batch_room);
}

/* ---- transactions ------------------------------------------------------------------------- */

static struct sy_slice make_register(struct ledger_store *ls, struct sy_writer *room,
                                     enum ledger_fault fault)
{
    unsigned admin = ls->next_key;
    unsigned keys[] = {TEST_REGULATOR, admin};
    union sy_payload payload;
    struct sy_tx tx;
    struct sy_hash org = test_hash(2000 + admin);
    ls->next_key += 2;
    ls->nonce++;
    uint64_t proven_nonce = fault == FAULT_POSSESSION ? ls->nonce + 1 : ls->nonce;
    test_register(&payload, &ls->genesis, &org, admin, TEST_REGULATOR, proven_nonce);
    size_t start = room->used;
    sy_payload_encode(room, sy_kind_by_number(SY_KIND_org_register), &payload);
    test_tx_begin(&tx, &ls->genesis, SY_KIND_org_register, keys, 2);
    memset(&tx.organisation, 0, sizeof tx.organisation);
    tx.nonce = ls->nonce;
    tx.payload = sy_slice_of(room->data + start, room->used - start);
    struct sy_slice bytes = test_tx_sign(room, &tx, keys, 2);
    if (fault == FAULT_TX_SIGNATURE) room->data[room->used - 64] ^= 1;
    return bytes;
}

static struct sy_slice make_stranger(struct ledger_store *ls, struct sy_writer *room)
{
    unsigned key = 399;
    union sy_payload payload;
    struct sy_tx tx;
    memset(&payload, 0, sizeof payload);
    payload.care_close.care_id = test_hash(77);
    size_t start = room->used;
    sy_payload_encode(room, sy_kind_by_number(SY_KIND_care_close), &payload);
    test_tx_begin(&tx, &ls->genesis, SY_KIND_care_close, &key, 1);
    tx.nonce = ls->nonce;
    tx.payload = sy_slice_of(room->data + start, room->used - start);
    return test_tx_sign(room, &tx, &key, 1);
}

/* Signs a batch's header again after one byte of its id root changed. */
static void spoil_id_root(struct ledger_store *ls, uint8_t *batch, unsigned maker)
{
    struct sy_hash digest;
    struct sy_signature signature;
    batch[SY_BATCH_HEADER_BYTES - 64] ^= 1;
    sy_batch_digest(&digest, &ls->genesis.hash, sy_slice_of(batch, SY_BATCH_HEADER_BYTES));
    sy_sign(test_key(3 * maker), &signature, SY_SIG_BATCH, &digest);
    memcpy(batch + SY_BATCH_HEADER_BYTES, signature.bytes, sizeof signature.bytes);
}

static struct sy_slice make_batch(struct ledger_store *ls, unsigned maker, enum ledger_fault fault)
{
    static uint8_t tx_room[65536];
    struct sy_slice txs[LEDGER_STORE_TXS];
    struct sy_writer room = sy_writer_of(tx_room, sizeof tx_room);
    txs[0] = make_register(ls, &room, fault);
    txs[1] = txs[0];
    txs[2] = make_stranger(ls, &room);
    struct sy_slice batch = test_batch(ls->batch_room, &ls->genesis, 3 * maker, ls->next_seq[maker],
                                       txs, LEDGER_STORE_TXS);
    if (fault == FAULT_ID_ROOT) spoil_id_root(ls, ls->batch_room, maker);
    if (fault == FAULT_BATCH_SIGNATURE) ls->batch_room[SY_BATCH_HEADER_BYTES] ^= 1;
    return batch;
}

/* ---- blocks ------------------------------------------------------------------------------- */

/* A copy with one byte in its middle changed when fault is the one at hand. */
static struct sy_slice copy_of(struct sy_slice bytes, bool spoil, size_t at)
{
    uint8_t *copy = fresh(bytes.size + 1);
    if (bytes.size > 0) memcpy(copy, bytes.data, bytes.size);
    if (spoil && at < bytes.size) copy[at] ^= 1;
    return sy_slice_of(copy, bytes.size);
}

static void store_body(struct ledger_store *ls, const struct sy_block_entry *entry,
                       enum ledger_fault fault)
{
    if (fault == FAULT_BODY_MISSING) return;
    struct sy_slice body = copy_of(entry->batch, fault == FAULT_BODY, entry->batch.size - 100);
    struct sy_vote_write write = {
        .op = SY_VOTE_PUT_BODY, .body = entry->entry.digest, .value = body};
    must(sy_votes_commit(ls->store, &write, 1, NULL));
    free((void *)(uintptr_t)body.data);
}

static void store_certificate(struct ledger_store *ls, enum ledger_fault fault)
{
    static uint8_t bytes[2 + SY_VALIDATORS_MAX * 66];
    struct sy_certificate certificate;
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    test_certify(&certificate, &ls->genesis.hash,
                 fault == FAULT_OLD_ROSTER ? &ls->genesis.roster : &ls->roster, &ls->header);
    if (fault == FAULT_CERTIFICATE) certificate.seals[1].signature.bytes[5] ^= 1;
    sy_certificate_encode(&w, &certificate);
    struct sy_certificate_write write = {ls->header.height, sy_writer_slice(&w)};
    must(sy_ledger_put_certificates(ls->store, &write, 1, NULL));
}

/* The last delta with a value gets another one. */
static struct sy_slice other_state(struct sy_slice deltas)
{
    SY_ASSERT(deltas.size > 0);
    return copy_of(deltas, true, deltas.size - 1);
}

static void store_block(struct ledger_store *ls, const struct sy_block_result *result,
                        const struct sy_proposal *order, enum ledger_fault fault)
{
    static uint8_t order_bytes[8192];
    struct sy_writer w = sy_writer_of(order_bytes, sizeof order_bytes);
    sy_proposal_encode(&w, order);
    SY_ASSERT(!w.failed);
    struct sy_slice ids = sy_slice_of(result->tx_ids, (size_t)result->tx_count * 32);
    struct sy_slice parts[] = {
        copy_of(result->header_bytes, fault == FAULT_HEADER, 30),
        copy_of(sy_writer_slice(&w), fault == FAULT_ORDER, w.used - 1),
        copy_of(result->receipts, fault == FAULT_RECEIPTS, result->receipts.size - 1),
        copy_of(result->deltas, fault == FAULT_DELTAS, result->deltas.size - 1),
        copy_of(ids, fault == FAULT_TX_IDS, 40),
    };
    struct sy_slice state =
        fault == FAULT_STATE ? other_state(result->deltas) : copy_of(result->deltas, false, 0);
    struct sy_block_write block = {.height = result->header.height,
                                   .header = parts[0],
                                   .order = parts[1],
                                   .receipts = parts[2],
                                   .deltas = parts[3],
                                   .tx_ids = (const struct sy_hash *)(const void *)parts[4].data,
                                   .tx_count = result->tx_count};
    append(ls, &block, state);
    for (unsigned i = 0; i < 5; i++) free((void *)(uintptr_t)parts[i].data);
    free((void *)(uintptr_t)state.data);
}

static void run_block(struct ledger_store *ls, const struct sy_block_entry *entry, bool certified,
                      enum ledger_fault fault)
{
    struct sy_block_result result;
    struct sy_error err = {SY_OK, ""};
    ls->roster = *sy_ledger_roster(ls->ledger, ls->header.height + 1);
    struct sy_block_input input = {.height = ls->header.height + 1,
                                   .epoch = ls->roster.epoch,
                                   .time_ms = ls->header.time_ms + 1000,
                                   .previous = &ls->header,
                                   .entries = entry,
                                   .entry_count = entry ? 1 : 0};
    must(sy_ledger_execute(ls->ledger, &result, &input, &err));
    struct sy_proposal order = {
        .epoch = input.epoch, .slot = input.height, .time_ms = result.header.time_ms};
    if (entry) {
        SY_ASSERT(result.entries[0].ran);
        order.entries[order.count++] = entry->entry;
        store_body(ls, entry, fault);
    }
    store_block(ls, &result, &order, fault);
    state_array_apply(&ls->state, result.deltas);
    ls->header = result.header;
    if (certified) store_certificate(ls, fault);
}

/* The index of a batch's maker in the roster of the next block. */
static uint16_t index_of(const struct ledger_store *ls, unsigned maker)
{
    struct sy_public_key key = test_public(3 * maker);
    int index = sy_roster_find(sy_ledger_roster(ls->ledger, ls->header.height + 1), &key);
    SY_ASSERT(index >= 0);
    return (uint16_t)index;
}

static void run_batch(struct ledger_store *ls, struct sy_slice batch, unsigned maker,
                      bool certified, enum ledger_fault fault)
{
    struct sy_block_entry entry = {
        .entry = {.maker = index_of(ls, maker), .seq = ls->next_seq[maker]++}, .batch = batch};
    sy_batch_digest(&entry.entry.digest, &ls->genesis.hash,
                    sy_slice_of(batch.data, SY_BATCH_HEADER_BYTES));
    run_block(ls, &entry, certified, fault);
}

void ledger_store_block_of(struct ledger_store *ls, unsigned maker, bool certified,
                           enum ledger_fault fault)
{
    run_batch(ls, make_batch(ls, maker, fault), maker, certified, fault);
}

void ledger_store_block(struct ledger_store *ls, bool certified, enum ledger_fault fault)
{
    ledger_store_block_of(ls, (unsigned)(ls->header.height % 4), certified, fault);
}

void ledger_store_empty(struct ledger_store *ls, bool certified)
{
    run_block(ls, NULL, certified, FAULT_NONE);
}

/* ---- changes of the roster ---------------------------------------------------------------- */

static struct sy_slice make_change(struct ledger_store *ls, struct sy_writer *room,
                                   struct test_change *change)
{
    static const unsigned signer = TEST_REGULATOR;
    struct sy_tx tx;
    size_t start = room->used;
    ls->nonce++;
    test_change_prove(change, &ls->genesis.hash, signer, ls->nonce);
    test_change_approve_by(change, &ls->genesis.hash, &ls->roster, sy_quorum(ls->roster.count));
    sy_payload_encode(room, sy_kind_by_number(change->kind), &change->payload);
    test_tx_begin(&tx, &ls->genesis, change->kind, &signer, 1);
    memset(&tx.organisation, 0, sizeof tx.organisation);
    tx.nonce = ls->nonce;
    tx.payload = sy_slice_of(room->data + start, room->used - start);
    return test_tx_sign(room, &tx, &signer, 1);
}

void ledger_store_change_by(struct ledger_store *ls, struct test_change *change, unsigned maker)
{
    static uint8_t tx_room[16384];
    struct sy_writer room = sy_writer_of(tx_room, sizeof tx_room);
    struct sy_slice tx = make_change(ls, &room, change);
    struct sy_slice batch =
        test_batch(ls->batch_room, &ls->genesis, 3 * maker, ls->next_seq[maker], &tx, 1);
    run_batch(ls, batch, maker, true, FAULT_NONE);
    uint64_t next = sy_ledger_next_epoch(ls->ledger, ls->header.height);
    SY_ASSERT(next > 0);
    while (ls->header.height < next) ledger_store_empty(ls, true);
}

void ledger_store_change(struct ledger_store *ls, struct test_change *change)
{
    ledger_store_change_by(ls, change, 0);
}
