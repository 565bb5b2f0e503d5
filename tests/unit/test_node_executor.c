/* Blocks from order to durable ledger, what peers are served from it, and a start that goes wrong.
 */
#include "consensus/node/recover.h"
#include "consensus/node/serve.h"
#include "core/base/os.h"
#include "core/base/telemetry.h"
#include "core/wire/delta.h"
#include "core/wire/state.h"
#include "tests/support/stores.h"
#include "tests/unit/chain_rig.h"

CASE(executor_makes_the_genesis_block_once)
{
    struct chain_rig rig;
    struct sy_header header;
    struct sy_hash hash, again;
    chain_open(&rig);
    sy_executor_head(rig.executor, &header, &hash);
    assert_int_equal(header.height, 0);
    assert_int_equal(header.time_ms, TEST_GENESIS_MS);
    assert_int_equal(sy_ledger_next(rig.store), 1);
    assert_int_equal(sy_state_next(rig.store), 1);
    assert_int_equal(chain_reopen(&rig), SY_OK);
    sy_executor_head(rig.executor, &header, &again);
    assert_true(sy_hash_equal(&hash, &again));
    assert_int_equal(sy_ledger_next(rig.store), 1);
    chain_close(&rig);
}

CASE(executor_goes_on_where_it_was)
{
    struct chain_rig rig;
    struct sy_header header;
    struct sy_hash before, after;
    struct sy_trie_info info;
    chain_open(&rig);
    chain_populate(&rig);
    sy_executor_head(rig.executor, &header, &before);
    assert_int_equal(header.height, 4);
    sy_store_memory_crash(rig.store); /* asserts that no view is left open */
    assert_int_equal(chain_reopen(&rig), SY_OK);
    sy_executor_head(rig.executor, &header, &after);
    assert_true(sy_hash_equal(&before, &after));
    sy_executor_get_trie_info(rig.executor, &info);
    chain_add_records(&rig, 2);
    (void)chain_batch(&rig, 1);
    chain_run(&rig);
    assert_int_equal(rig.done->applied_count, 2);
    uint64_t next = 0;
    const struct sy_validator *validator = &rig.genesis.roster.validators[1];
    assert_int_equal(sy_executor_next_seq(rig.executor, &next, &validator->consensus_key), SY_OK);
    assert_int_equal(next, 3);
    validator = &rig.genesis.roster.validators[3];
    assert_int_equal(sy_executor_next_seq(rig.executor, &next, &validator->consensus_key), SY_OK);
    assert_int_equal(next, 1);
    chain_close(&rig);
}

/* An entry that is skipped leaves no trace: what is stored is the order of what ran, at the block's
 * own time, and gives the same block to whoever adopts it. */
CASE(executor_stores_the_order_that_gives_the_same_block)
{
    struct chain_rig rig, other;
    struct sy_slice bytes;
    struct sy_proposal order;
    chain_open(&rig);
    chain_add_stage(&rig, 0);
    (void)chain_batch(&rig, 0);
    rig.seqs[1] = 7; /* too early: skipped */
    chain_add_stage(&rig, 1);
    (void)chain_batch(&rig, 1);
    chain_run(&rig);
    assert_int_equal(rig.done->ran_count, 1);
    assert_int_equal(rig.done->ran[0].maker, 0);
    assert_int_equal(rig.done->ran[0].tx_count, 2);
    assert_int_equal(sy_ledger_get(rig.reader, &bytes, 1, SY_BLOCK_ORDER), SY_OK);
    struct sy_reader reader = sy_reader_of(bytes);
    assert_true(sy_proposal_decode(&reader, &order));
    assert_int_equal(order.count, 1);
    assert_int_equal(order.time_ms, rig.done->header.time_ms);

    chain_open(&other);
    chain_add_stage(&other, 0);
    (void)chain_batch(&other, 0);
    assert_int_equal(sy_executor_run(other.executor, other.done, &order, &other.err), SY_OK);
    assert_true(sy_hash_equal(&other.done->header_hash, &rig.done->header_hash));
    chain_close(&other);
    chain_close(&rig);
}

CASE(executor_says_which_body_is_missing)
{
    struct chain_rig rig;
    char digest[65];
    chain_open(&rig);
    struct sy_proposal proposal = {.slot = 1, .time_ms = TEST_GENESIS_MS + 1, .count = 1};
    proposal.entries[0] = (struct sy_entry){.maker = 2, .seq = 1, .digest = test_hash(9)};
    sy_status status = sy_executor_run(rig.executor, rig.done, &proposal, &rig.err);
    assert_int_equal(status, SY_ERR_CORRUPT);
    sy_hex_encode(digest, proposal.entries[0].digest.bytes, 32);
    assert_non_null(strstr(rig.err.text, digest));
    assert_non_null(strstr(rig.err.text, "block 1"));
    assert_int_equal(sy_ledger_next(rig.store), 1);
    chain_close(&rig);
}

/* A block is in the ledger and not in the state when power fails: the next start makes up for it.
 */
CASE(executor_survives_a_failure_between_ledger_and_state)
{
    struct chain_rig rig;
    struct sy_header header;
    struct sy_hash hash;
    chain_open(&rig);
    chain_add_stage(&rig, 0);
    (void)chain_batch(&rig, 0);
    rig.proposal.slot = 1;
    rig.proposal.time_ms = TEST_GENESIS_MS + 5;
    sy_os_failpoint_arm("store.state.apply", 1, "eio");
    sy_status status = sy_executor_run(rig.executor, rig.done, &rig.proposal, &rig.err);
    sy_os_failpoint_arm(NULL, 0, NULL);
    assert_int_not_equal(status, SY_OK);
    assert_int_equal(sy_ledger_next(rig.store), 2);
    sy_executor_close(rig.executor);
    rig.executor = NULL;
    sy_store_memory_crash(rig.store);
    assert_int_equal(chain_reopen(&rig), SY_OK);
    sy_executor_head(rig.executor, &header, &hash);
    assert_int_equal(header.height, 1);
    chain_close(&rig);
}

CASE(executor_refuses_a_state_without_the_header_s_root)
{
    struct chain_rig rig;
    uint8_t bytes[128];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    struct sy_delta delta = {.key = test_hash(1), .op = SY_DELTA_PUT};
    delta.value = sy_slice_of("intruder", 8);
    chain_open(&rig);
    sy_delta_write(&w, &delta);
    assert_int_equal(sy_state_apply(rig.store, 1, sy_writer_slice(&w), &rig.err), SY_OK);
    assert_int_equal(chain_reopen(&rig), SY_ERR_CORRUPT);
    assert_non_null(strstr(rig.err.text, "root of block 0"));
    chain_close(&rig);
}

CASE(executor_proves_what_it_executed)
{
    struct chain_rig rig;
    static struct sy_state_proof proof;
    struct sy_header header;
    struct sy_hash hash, key;
    const char *what = NULL;
    chain_open(&rig);
    chain_populate(&rig);
    sy_executor_head(rig.executor, &header, &hash);
    sy_state_key_zero(&key, SY_STATE_EVENT_COUNT);
    assert_int_equal(sy_executor_prove(rig.executor, &proof, &key, &rig.err), SY_OK);
    assert_true(proof.present && sy_state_proof_verify(&proof, &header, &what));
    key = test_hash(99);
    assert_int_equal(sy_executor_prove(rig.executor, &proof, &key, &rig.err), SY_OK);
    assert_true(!proof.present && sy_state_proof_verify(&proof, &header, &what));
    chain_close(&rig);
}

/* ---- what history can spare --------------------------------------------------------------- */

static void drop_spare(struct chain_rig *rig, const struct sy_hash *digest)
{
    struct sy_vote_write write = {.op = SY_VOTE_DROP_SPARE_BODY, .body = *digest};
    assert_int_equal(sy_votes_commit(rig->store, &write, 1, &rig->err), SY_OK);
}

static struct sy_hash entry_of(struct chain_rig *rig, uint64_t height)
{
    struct sy_slice order;
    struct sy_proposal proposal;
    assert_int_equal(sy_ledger_get(rig->reader, &order, height, SY_BLOCK_ORDER), SY_OK);
    struct sy_reader in = sy_reader_of(order);
    assert_true(sy_proposal_decode(&in, &proposal) && proposal.count > 0);
    return proposal.entries[0].digest;
}

static bool is_stored(struct chain_rig *rig, const struct sy_hash *digest)
{
    struct sy_slice body;
    return sy_body_get(rig->reader, &body, digest) == SY_OK;
}

/* A peer made this validator fetch it again after it was pruned; nothing else would ever drop it.
 */
CASE(store_drops_of_old_bodies_what_no_kept_block_needs)
{
    static uint8_t copy[SY_BATCH_BYTES_MAX];
    struct chain_rig rig;
    struct sy_slice body;
    chain_open(&rig);
    chain_populate(&rig);
    struct sy_hash old = entry_of(&rig, 1), kept = entry_of(&rig, 4);
    assert_int_equal(sy_body_get(rig.reader, &body, &old), SY_OK);
    memcpy(copy, body.data, body.size);
    struct sy_vote_write again = {
        .op = SY_VOTE_PUT_BODY, .body = old, .value = sy_slice_of(copy, body.size)};
    drop_spare(&rig, &old);
    assert_true(is_stored(&rig, &old));
    test_store_prune(rig.store, 3);
    assert_false(is_stored(&rig, &old));
    assert_int_equal(sy_votes_commit(rig.store, &again, 1, &rig.err), SY_OK);
    drop_spare(&rig, &old);
    assert_false(is_stored(&rig, &old));
    drop_spare(&rig, &kept);
    assert_true(is_stored(&rig, &kept));
    chain_add_records(&rig, 2);
    struct sy_hash never;
    struct sy_slice batch = chain_batch(&rig, 1); // in no block
    sy_batch_digest(&never, &rig.genesis.hash, sy_slice_of(batch.data, SY_BATCH_HEADER_BYTES));
    assert_true(is_stored(&rig, &never));
    drop_spare(&rig, &never);
    assert_false(is_stored(&rig, &never));
    chain_close(&rig);
}

/* ---- serving ----------------------------------------------------------------------------- */

#define SERVED_NS 100000000000ull

CASE(serve_gives_bodies_and_certified_blocks_as_messages)
{
    static uint8_t out[SY_SERVE_BYTES_MAX];
    static struct sy_message message;
    struct chain_rig rig;
    struct sy_slice bytes;
    chain_open(&rig);
    chain_populate(&rig);
    struct sy_serve serve = {.reader = rig.reader, .out = out};
    struct sy_hash digest = rig.done->ran[1].digest;
    assert_int_equal(sy_serve_body(&serve, &bytes, 1, SERVED_NS, &digest), SY_OK);
    assert_int_equal(bytes.data[0], SY_MESSAGE_BATCH);
    struct sy_batch batch;
    assert_true(sy_batch_decode(&batch, sy_slice_of(bytes.data + 1, bytes.size - 1)));
    assert_int_equal(batch.header.count, 8);
    digest = test_hash(3);
    assert_int_equal(sy_serve_body(&serve, &bytes, 1, SERVED_NS, &digest), SY_ERR_NOT_FOUND);

    assert_int_equal(sy_serve_block(&serve, &bytes, 1, SERVED_NS, 4), SY_OK);
    assert_true(sy_message_decode(&message, bytes, CHAIN_VALIDATORS));
    assert_int_equal(message.type, SY_MESSAGE_BLOCK);
    assert_int_equal(message.body.block.proposal.count, 2);
    assert_true(sy_certificate_verify(&message.body.block.certificate, &rig.genesis.roster,
                                      &rig.genesis.hash, &message.body.block.header));
    chain_run(&rig); /* block 5 has no certificate, genesis never has */
    assert_int_equal(sy_serve_block(&serve, &bytes, 1, SERVED_NS, 5), SY_ERR_NOT_FOUND);
    assert_int_equal(sy_serve_block(&serve, &bytes, 1, SERVED_NS, 0), SY_ERR_NOT_FOUND);
    assert_int_equal(sy_serve_block(&serve, &bytes, 1, SERVED_NS, 6), SY_ERR_NOT_FOUND);
    chain_close(&rig);
}

/* ---- recovery ---------------------------------------------------------------------------- */

static void ignore_effects(void *self, const struct sy_node_effects *effects)
{
    *(unsigned *)self += effects->count;
}

struct recovered {
    sy_arena arena;
    sy_node *node;
    struct sy_node_effects *effects;
    unsigned count;
};

static sy_status recover(struct recovered *out, struct chain_rig *rig, uint16_t self)
{
    sy_secret_key *key = (sy_secret_key *)(uintptr_t)test_key(3u * self);
    struct sy_node_config config = {.genesis = &rig->genesis,
                                    .roster = &rig->genesis.roster,
                                    .signer = sy_signer_of_key(key),
                                    .self = self,
                                    .vote_checks = 16};
    sy_pbft_config_default(&config.pbft);
    config.pool = (struct sy_pool_config){.batch_timeout_ns = 1000,
                                          .batch_txs_max = 10,
                                          .pending_txs_max = 100,
                                          .lanes = 2,
                                          .queued_per_maker = 1,
                                          .respread_ns = 1000000};
    memset(out, 0, sizeof *out);
    size_t bytes = sy_node_footprint(&config) + sizeof *out->effects + 4096;
    assert_int_equal(sy_arena_open(&out->arena, bytes), SY_OK);
    assert_int_equal(sy_node_init(&out->node, &out->arena, &config, &rig->err), SY_OK);
    out->effects = SY_CARVE(&out->arena, struct sy_node_effects, 1);
    assert_non_null(out->effects);
    return sy_node_recover(out->node, out->effects, rig->store, rig->executor, &rig->genesis,
                           &rig->genesis.roster, ignore_effects, &out->count, TEST_GENESIS_MS,
                           1000000000, &rig->err);
}

/* Two blocks above the newest certificate: the node knows of them, and counts every maker's seqs
 * from the certified height on. */
CASE(recovery_tells_what_was_executed_without_a_certificate)
{
    struct chain_rig rig;
    struct recovered node;
    static struct sy_node_info info;
    chain_open(&rig);
    chain_populate(&rig);
    for (unsigned i = 0; i < 2; i++) {
        chain_add_records(&rig, 2);
        (void)chain_batch(&rig, 1);
        chain_run(&rig);
    }
    chain_add_records(&rig, 3); /* stored, not ordered yet */
    (void)chain_batch(&rig, 1);
    rig.proposal.count = 0;
    assert_int_equal(recover(&node, &rig, 1), SY_OK);
    sy_node_get_info(node.node, &info, 1000000000);
    assert_int_equal(info.pbft.certified_height, 4);
    assert_int_equal(info.pbft.executed_height, 6);
    assert_int_equal(info.pool.next_seq, 5);
    assert_int_equal(info.pool.own_batches, 1);
    assert_int_equal(info.pool.pending_txs, 3);
    assert_true(node.count > 0); /* a record of the start, seals of both blocks */
    sy_arena_close(&node.arena);
    chain_close(&rig);
}

CASE(recovery_refuses_a_vote_record_that_it_cannot_read)
{
    struct chain_rig rig;
    struct recovered node;
    struct sy_vote_write write;
    chain_open(&rig);
    memset(&write, 0, sizeof write);
    write.op = SY_VOTE_PUT_RECORD;
    write.key = (struct sy_record_key){SY_PBFT_RECORD_PREPARE, 17, 0};
    write.value = sy_slice_of("what an older version wrote", 27);
    assert_int_equal(sy_votes_commit(rig.store, &write, 1, &rig.err), SY_OK);
    assert_int_equal(recover(&node, &rig, 1), SY_ERR_CORRUPT);
    assert_non_null(strstr(rig.err.text, "type 1, slot 17"));
    sy_arena_close(&node.arena);
    chain_close(&rig);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(executor_makes_the_genesis_block_once),
        cmocka_unit_test(executor_goes_on_where_it_was),
        cmocka_unit_test(executor_stores_the_order_that_gives_the_same_block),
        cmocka_unit_test(executor_says_which_body_is_missing),
        cmocka_unit_test(executor_survives_a_failure_between_ledger_and_state),
        cmocka_unit_test(executor_refuses_a_state_without_the_header_s_root),
        cmocka_unit_test(executor_proves_what_it_executed),
        cmocka_unit_test(store_drops_of_old_bodies_what_no_kept_block_needs),
        cmocka_unit_test(serve_gives_bodies_and_certified_blocks_as_messages),
        cmocka_unit_test(recovery_tells_what_was_executed_without_a_certificate),
        cmocka_unit_test(recovery_refuses_a_vote_record_that_it_cannot_read),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
