/* chain_rig.c: see chain_rig.h. */
#include "tests/unit/chain_rig.h"

#include <stdlib.h>

#include "core/crypto/hash.h"

#define ROOM_BYTES (4u << 20)
#define UNTIL_MS (TEST_GENESIS_MS + 3600 * 1000)

sy_status chain_reopen(struct chain_rig *rig)
{
    sy_executor_close(rig->executor);
    rig->executor = NULL;
    return sy_executor_open(&rig->executor, rig->store, &rig->genesis, &rig->err);
}

void chain_open(struct chain_rig *rig)
{
    struct sy_store_config config = {.init = true};
    memset(rig, 0, sizeof *rig);
    test_genesis(&rig->genesis, CHAIN_VALIDATORS);
    config.genesis = rig->genesis.hash;
    assert_int_equal(sy_store_open_memory(&rig->store, &config), SY_OK);
    assert_int_equal(sy_store_reader_open(&rig->reader, rig->store), SY_OK);
    assert_int_equal(chain_reopen(rig), SY_OK);
    struct sy_population_config people = {.genesis = &rig->genesis,
                                          .regulator = test_key(TEST_REGULATOR),
                                          .organisations = 2,
                                          .gateways = 3,
                                          .patients = 6,
                                          .seed = 11};
    assert_int_equal(sy_population_open(&rig->population, &people, &rig->err), SY_OK);
    rig->room = (uint8_t *)malloc(ROOM_BYTES);
    rig->done = (struct sy_executed *)calloc(1, sizeof *rig->done);
    assert_true(rig->room != NULL && rig->done != NULL);
    for (unsigned i = 0; i < CHAIN_VALIDATORS; i++) rig->seqs[i] = 1;
    rig->roster = rig->genesis.roster;
    rig->change_nonce = 1000; /* far from the population's */
}

void chain_close(struct chain_rig *rig)
{
    sy_executor_close(rig->executor);
    sy_population_close(rig->population);
    sy_store_reader_close(rig->reader);
    sy_store_close(rig->store);
    free(rig->room);
    free(rig->done);
}

static uint8_t *next_room(const struct chain_rig *rig)
{
    assert_true(rig->room_used + SY_POPULATION_TX_BYTES < ROOM_BYTES / 2);
    return rig->room + rig->room_used;
}

static void keep(struct chain_rig *rig, struct sy_slice tx)
{
    assert_true(rig->tx_count < CHAIN_TXS_MAX);
    rig->txs[rig->tx_count++] = tx;
    rig->room_used += tx.size;
}

void chain_add_stage(struct chain_rig *rig, unsigned stage)
{
    struct sy_hash id;
    for (uint32_t i = 0; i < sy_population_stage_count(rig->population, stage); i++) {
        keep(rig, sy_population_stage(rig->population, next_room(rig), &id, stage, i, UNTIL_MS));
    }
}

void chain_add_records(struct chain_rig *rig, unsigned count)
{
    struct sy_hash id;
    for (unsigned i = 0; i < count; i++) {
        keep(rig, sy_population_record(rig->population, next_room(rig), &id, UNTIL_MS));
    }
}

struct sy_slice chain_batch(struct chain_rig *rig, uint16_t maker)
{
    struct sy_vote_write write;
    uint8_t *whole = rig->room + ROOM_BYTES / 2;
    struct sy_slice batch =
        test_batch(whole, &rig->genesis, 3u * maker, rig->seqs[maker], rig->txs, rig->tx_count);
    struct sy_entry *entry = &rig->proposal.entries[rig->proposal.count++];
    entry->maker = maker;
    entry->seq = rig->seqs[maker]++;
    sy_batch_digest(&entry->digest, &rig->genesis.hash,
                    sy_slice_of(batch.data, SY_BATCH_HEADER_BYTES));
    memset(&write, 0, sizeof write);
    write.op = SY_VOTE_PUT_BODY;
    write.body = entry->digest;
    write.value = batch;
    assert_int_equal(sy_votes_commit(rig->store, &write, 1, &rig->err), SY_OK);
    rig->tx_count = 0;
    rig->room_used = 0;
    return batch;
}

void chain_run(struct chain_rig *rig)
{
    struct sy_header head;
    struct sy_hash hash;
    sy_executor_head(rig->executor, &head, &hash);
    rig->roster = *sy_executor_roster(rig->executor, head.height + 1);
    rig->proposal.epoch = rig->roster.epoch;
    rig->proposal.slot = head.height + 1;
    rig->proposal.time_ms = head.time_ms + (rig->step_ms > 0 ? rig->step_ms : 1000);
    sy_status status = sy_executor_run(rig->executor, rig->done, &rig->proposal, &rig->err);
    if (status != SY_OK) fail_msg("%s", rig->err.text);
    rig->proposal.count = 0;
}

void chain_certify(struct chain_rig *rig)
{
    struct sy_certificate certificate;
    uint8_t bytes[4096];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    test_certify(&certificate, &rig->genesis.hash, &rig->roster, &rig->done->header);
    sy_certificate_encode(&w, &certificate);
    struct sy_certificate_write write = {rig->done->header.height, sy_writer_slice(&w)};
    assert_int_equal(sy_ledger_put_certificates(rig->store, &write, 1, &rig->err), SY_OK);
}

/* ---- changes of the roster --------------------------------------------------------------- */

void chain_change(struct chain_rig *rig, struct test_change *change)
{
    static const unsigned signer = TEST_REGULATOR;
    const struct sy_kind *kind = sy_kind_by_number(change->kind);
    struct sy_tx tx;
    test_change_approve_by(change, &rig->genesis.hash, &rig->roster, sy_quorum(rig->roster.count));
    struct sy_writer payload = sy_writer_of(next_room(rig), SY_POPULATION_TX_BYTES);
    sy_payload_encode(&payload, kind, &change->payload);
    assert_false(payload.failed);
    rig->room_used += payload.used;
    struct sy_writer w = sy_writer_of(next_room(rig), SY_POPULATION_TX_BYTES);
    test_tx_begin(&tx, &rig->genesis, change->kind, &signer, 1);
    memset(&tx.organisation, 0, sizeof tx.organisation);
    tx.nonce = ++rig->change_nonce;
    tx.payload = sy_writer_slice(&payload);
    keep(rig, test_tx_sign(&w, &tx, &signer, 1));
    (void)chain_batch(rig, 0);
    chain_run(rig);
    assert_int_equal(rig->done->applied_count, 1);
    chain_certify(rig);
}

void chain_end_epoch(struct chain_rig *rig)
{
    uint64_t next = sy_executor_next_epoch(rig->executor, rig->done->header.height);
    assert_true(next > 0);
    while (rig->done->header.height + 1 < next) {
        chain_run(rig);
        chain_certify(rig);
    }
}

void chain_change_thrice(struct chain_rig *rig)
{
    struct test_change change;
    const struct sy_hash *genesis = &rig->genesis.hash;
    test_change_add(&change, genesis, &rig->roster, 4);
    for (unsigned i = 0; i < 3; i++) {
        chain_change(rig, &change);
        chain_end_epoch(rig);
        chain_run(rig);
        chain_certify(rig);
        assert_int_equal(rig->roster.epoch, i + 1);
        if (i == 0) {
            test_change_rekey(&change, genesis, &rig->roster, 1, TEST_REKEY_KEYS, CHAIN_REKEYED);
        } else {
            test_change_remove(&change, genesis, &rig->roster, 4);
        }
    }
}

void chain_populate(struct chain_rig *rig)
{
    for (unsigned stage = 0; stage < SY_POPULATION_STAGES; stage++) {
        chain_add_stage(rig, stage);
        (void)chain_batch(rig, 0);
        chain_run(rig);
        chain_certify(rig);
        assert_int_equal(rig->done->refused_count, 0);
    }
    chain_add_records(rig, 5);
    (void)chain_batch(rig, 1);
    chain_add_records(rig, 8);
    (void)chain_batch(rig, 2);
    chain_run(rig);
    chain_certify(rig);
    assert_int_equal(rig->done->applied_count, 13);
}
