/* Blocks: which entries run, what headers say, atomic transactions, proofs, failing sources; and
 * that the same blocks give the same bytes wherever they are executed. */
#include <locale.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"
#include "tests/support/ledger_world.h"
#include "tests/support/test.h"

static struct ledger_world world;

static int set_up(void **state)
{
    (void)state;
    world_open(&world, 0, 0);
    world_populate(&world);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static void add_record(unsigned record)
{
    struct world_tx tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, record, PATIENT);
    assert_true(world_add(&world, &tx));
}

/* A copy of the batch being filled, so that several can stand side by side. */
static struct sy_block_entry copied_entry(unsigned maker, uint64_t seq, uint8_t **copy)
{
    struct sy_slice batch = world_batch(&world, maker, seq);
    *copy = malloc(batch.size);
    assert_non_null(*copy);
    memcpy(*copy, batch.data, batch.size);
    return world_entry(&world, maker, seq, sy_slice_of(*copy, batch.size));
}

static struct sy_block_input input_of(const struct sy_block_entry *entries, size_t count)
{
    struct sy_block_input input = {
        .height = world.header.height + 1,
        .time_ms = world.header.time_ms + 1000,
        .previous = &world.header,
        .entries = entries,
        .entry_count = count,
    };
    return input;
}

// --- entries -----------------------------------------------------------------------------------

CASE(entries_run_in_their_makers_order)
{
    uint8_t *copies[4];
    struct sy_block_entry entries[4];
    add_record(FRESH_ID);
    entries[0] = copied_entry(1, 1, &copies[0]);
    add_record(FRESH_ID + 1);
    entries[1] = copied_entry(1, 3, &copies[1]); // 2 is missing
    add_record(FRESH_ID + 2);
    entries[2] = copied_entry(2, 1, &copies[2]);
    add_record(FRESH_ID + 3);
    entries[3] = copied_entry(1, 2, &copies[3]);
    world_execute(&world, entries, 4);
    assert_true(world.result.entries[0].ran);
    assert_false(world.result.entries[1].ran);
    assert_true(world.result.entries[2].ran);
    assert_true(world.result.entries[3].ran);
    assert_int_equal(world.result.ran_count, 3);
    assert_int_equal(world.result.tx_count, 3);
    assert_int_equal(world.result.applied_count, 3);
    assert_int_equal(world.result.entries[1].tx_count, 0);
    assert_int_equal(world.result.entries[3].first_tx, 2);
    world_execute(&world, &entries[1], 1); // proposed again, same bytes, now in order
    assert_true(world.result.entries[0].ran);
    world_execute(&world, &entries[1], 1); // and never twice
    assert_false(world.result.entries[0].ran);
    assert_int_equal(world.result.delta_count, 0);
    for (unsigned i = 0; i < 4; i++) free(copies[i]);
}

CASE(entries_of_strangers_are_skipped)
{
    uint8_t *copy;
    add_record(FRESH_ID);
    struct sy_block_entry entry = copied_entry(1, 1, &copy);
    struct sy_block_entry bad = entry;
    bad.entry.maker = WORLD_VALIDATORS; // no such validator
    world_execute(&world, &bad, 1);
    assert_false(world.result.entries[0].ran);
    bad.entry.maker = UINT16_MAX;
    world_execute(&world, &bad, 1);
    assert_false(world.result.entries[0].ran);
    bad = entry;
    bad.entry.maker = 2; // another maker's batch under this one's name
    world_execute(&world, &bad, 1);
    assert_false(world.result.entries[0].ran);
    assert_int_equal(world.result.tx_count, 0);
    world_execute(&world, &entry, 1);
    assert_true(world.result.entries[0].ran);
    free(copy);
}

CASE(entries_beyond_a_proposals_room_are_skipped)
{
    enum { BATCHES = 5 };
    uint8_t *copies[BATCHES];
    struct sy_block_entry entries[BATCHES];
    unsigned record = FRESH_ID;
    for (unsigned i = 0; i < BATCHES; i++) {
        struct world_tx tx;
        do { // short ones, so that their number and not their bytes is the limit
            tx = world_retract(DOCTOR_A, ORG_A, record++);
        } while (world.batch_txs < SY_BATCH_TXS_MAX - 1 && world_add(&world, &tx));
        entries[i] = copied_entry(3, i + 1, &copies[i]);
    }
    world_execute(&world, entries, BATCHES);
    size_t bytes = 0;
    for (unsigned i = 0; i < BATCHES; i++) {
        bool fits = bytes + entries[i].batch.size <= SY_PROPOSAL_BYTES_MAX;
        if (fits) bytes += entries[i].batch.size;
        assert_int_equal(world.result.entries[i].ran, fits);
    }
    assert_true(world.result.tx_count <= SY_PROPOSAL_TXS_MAX);
    assert_int_equal(world.result.refused_count, world.result.tx_count);
    for (unsigned i = 0; i < BATCHES; i++) free(copies[i]);
}

// --- what no admission lets pass ---------------------------------------------------------------

CASE(bytes_that_are_not_those_named_change_nothing)
{
    uint8_t *copy;
    add_record(FRESH_ID);
    struct sy_block_entry entry = copied_entry(1, 1, &copy);
    struct sy_hash before, after;
    sy_ledger_state_root(world.ledger, &before);
    struct sy_block_entry bad = entry;
    bad.entry.digest.bytes[0] ^= 1;
    struct sy_block_result result;
    struct sy_error err;
    struct sy_block_input input = input_of(&bad, 1);
    assert_int_equal(sy_ledger_execute(world.ledger, &result, &input, &err), SY_ERR_CORRUPT);
    bad = entry;
    bad.batch.size--;
    assert_int_equal(sy_ledger_execute(world.ledger, &result, &input, &err), SY_ERR_FORMAT);
    bad.batch = sy_slice_of(NULL, 0);
    assert_int_equal(sy_ledger_execute(world.ledger, &result, &input, &err), SY_ERR_FORMAT);
    sy_ledger_state_root(world.ledger, &after);
    assert_memory_equal(before.bytes, after.bytes, 32);
    world_execute(&world, &entry, 1);
    assert_true(world.result.entries[0].ran);
    free(copy);
}

CASE(batches_with_a_tx_of_another_network_are_refused_whole)
{
    struct world_tx tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, PATIENT);
    assert_true(world_add(&world, &tx));
    world.genesis.hash.bytes[3] ^= 1;
    assert_true(world_add(&world, &tx));
    world.genesis.hash.bytes[3] ^= 1;
    uint8_t *copy;
    struct sy_block_entry entry = copied_entry(1, 1, &copy);
    struct sy_block_input input = input_of(&entry, 1);
    struct sy_block_result result;
    assert_int_equal(sy_ledger_execute(world.ledger, &result, &input, NULL), SY_ERR_FORMAT);
    struct sy_state_proof proof;
    struct sy_hash record = test_hash(FRESH_ID), key_hash;
    sy_state_key_id(&key_hash, SY_STATE_RECORD, &record);
    assert_int_equal(sy_ledger_prove(world.ledger, &proof, &key_hash, NULL), SY_OK);
    assert_false(proof.present); // the sound one before it was taken back too
    free(copy);
}

CASE(blocks_follow_their_parent)
{
    struct sy_block_result result;
    struct sy_error err;
    struct sy_block_input input = input_of(NULL, 0);
    input.height++;
    assert_int_equal(sy_ledger_execute(world.ledger, &result, &input, &err), SY_ERR_ARGUMENT);
    input.height = 0;
    assert_int_equal(sy_ledger_execute(world.ledger, &result, &input, &err), SY_ERR_ARGUMENT);
    input = input_of(NULL, SY_PROPOSAL_ENTRIES_MAX + 1);
    assert_int_equal(sy_ledger_execute(world.ledger, &result, &input, &err), SY_ERR_LIMIT);
}

// --- headers -----------------------------------------------------------------------------------

CASE(header_commits_to_everything)
{
    add_record(FRESH_ID);
    add_record(FRESH_ID); // refused: the id is taken
    add_record(FRESH_ID + 1);
    struct sy_header parent = world.header;
    world_run(&world);
    const struct sy_header *header = &world.result.header;
    struct sy_hash expected, leaf, scratch[4];
    assert_int_equal(header->protocol, SY_PROTOCOL_VERSION);
    assert_int_equal(header->height, parent.height + 1);
    sy_header_hash(&expected, &world.genesis.hash, &parent);
    assert_memory_equal(header->previous.bytes, expected.bytes, 32);
    sy_hash_leaf(&leaf, sy_slice_of(world.result.ran_digests[0].bytes, 32));
    assert_memory_equal(header->batches_root.bytes, leaf.bytes, 32);
    assert_int_equal(world.result.tx_count, 3);
    assert_int_equal(world.result.applied_count, 2);
    assert_int_equal(world.result.refused_count, 1);
    assert_int_equal(sy_load_u32(world.result.receipts.data), 3);
    for (uint32_t i = 0; i < 3; i++) {
        const uint8_t *at = world.result.receipts.data + world.result.receipt_offsets[i];
        struct sy_slice bytes = sy_slice_of(at + 4, sy_load_u32(at));
        assert_true(sy_receipt_leaves(&leaf, &bytes, 1));
        assert_memory_equal(leaf.bytes, world.result.receipt_leaves[i].bytes, 32);
        struct sy_receipt receipt;
        world_receipt(&world, &receipt, i);
        assert_int_equal(receipt.index, i);
        assert_memory_equal(receipt.tx_id.bytes, world.result.tx_ids[i].bytes, 32);
        assert_int_equal(receipt.code, i == 1 ? SY_E_RECORD_EXISTS : SY_APPLIED);
    }
    sy_merkle_root(&expected, scratch, world.result.receipt_leaves, 3);
    assert_memory_equal(header->receipts_root.bytes, expected.bytes, 32);
    state_array_root(&world.state, &expected);
    assert_memory_equal(header->state_root.bytes, expected.bytes, 32);
    sy_roster_hash(&expected, &world.genesis.hash, &world.genesis.roster);
    assert_memory_equal(header->next_roster.bytes, expected.bytes, 32);
    struct sy_header decoded;
    struct sy_reader r = sy_reader_of(world.result.header_bytes);
    assert_true(sy_header_decode(&r, &decoded) && sy_reader_done(&r));
    sy_header_hash(&expected, &world.genesis.hash, &decoded);
    assert_memory_equal(world.result.header_hash.bytes, expected.bytes, 32);
}

CASE(empty_blocks_keep_the_state_and_move_the_time)
{
    struct sy_hash before = world.header.state_root, empty;
    sy_sha256(&empty, "", 0);
    int64_t time_ms = world.header.time_ms;
    world_execute(&world, NULL, 0);
    assert_memory_equal(world.header.state_root.bytes, before.bytes, 32);
    assert_memory_equal(world.header.batches_root.bytes, empty.bytes, 32);
    assert_memory_equal(world.header.receipts_root.bytes, empty.bytes, 32);
    assert_int_equal(world.header.time_ms, time_ms + 1000);
    assert_int_equal(world.result.delta_count, 0);
    assert_int_equal(world.result.deltas.size, 0);
}

CASE(block_time_never_stands_still)
{
    static const int64_t steps[] = {0, -5000, -1, 1, 2};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        int64_t parent = world.header.time_ms;
        world.step_ms = steps[i];
        world_execute(&world, NULL, 0);
        assert_int_equal(world.header.time_ms, parent + (steps[i] > 1 ? steps[i] : 1));
    }
    world.step_ms = -world.header.time_ms; // a null slot: no time at all
    int64_t parent = world.header.time_ms;
    world_execute(&world, NULL, 0);
    assert_int_equal(world.header.time_ms, parent + 1);
    world.step_ms = INT64_MAX - world.header.time_ms; // a liar's
    world_execute(&world, NULL, 0);
    assert_true(world.header.time_ms <= SY_TIME_MS_MAX);
    world.step_ms = 5000; // beyond the end of time
    world_execute(&world, NULL, 0);
    assert_int_equal(world.header.time_ms, (int64_t)SY_TIME_MS_MAX + 1);
}

CASE(given_transaction_ids_are_believed)
{
    add_record(FRESH_ID);
    uint8_t *copy;
    struct sy_block_entry entry = copied_entry(1, 1, &copy);
    struct sy_hash ids[1] = {test_hash(42)};
    entry.tx_ids = ids;
    world_execute(&world, &entry, 1);
    assert_memory_equal(world.result.tx_ids[0].bytes, ids[0].bytes, 32);
    free(copy);
}

CASE(state_root_moves_with_every_applied_transaction)
{
    struct sy_hash roots[12];
    for (unsigned i = 0; i < 12; i++) {
        struct world_tx tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID + i, PATIENT);
        assert_int_equal(world_submit(&world, &tx), SY_APPLIED);
        roots[i] = world.header.state_root;
        for (unsigned k = 0; k < i; k++) assert_false(sy_hash_equal(&roots[i], &roots[k]));
    }
}

static bool is_of_roster(const struct sy_hash *key_hash)
{
    struct sy_hash of;
    sy_state_key_zero(&of, SY_STATE_ROSTER);
    if (sy_hash_equal(&of, key_hash)) return true;
    for (uint16_t i = 0; i < WORLD_VALIDATORS; i++) {
        sy_state_key_validator(&of, i);
        if (sy_hash_equal(&of, key_hash)) return true;
    }
    return false;
}

CASE(state_root_differs_after_one_changed_byte)
{
    add_record(FRESH_ID);
    world_run(&world);
    for (size_t i = 0; i < world.state.count; i += 7) {
        struct sy_hash before, after;
        state_array_root(&world.state, &before);
        struct state_entry *entry = &world.state.entries[i];
        entry->data[entry->size / 2] ^= 0x10;
        state_array_root(&world.state, &after);
        assert_false(sy_hash_equal(&before, &after));
        // What a restart over altered bytes would see; rosters are read at once.
        sy_status status = world_try_reopen(&world);
        assert_int_equal(status, is_of_roster(&entry->key_hash) ? SY_ERR_CORRUPT : SY_OK);
        if (status == SY_OK) {
            struct sy_hash opened;
            sy_ledger_state_root(world.ledger, &opened);
            assert_memory_equal(opened.bytes, after.bytes, 32);
            assert_false(sy_hash_equal(&opened, &world.header.state_root));
        }
        entry->data[entry->size / 2] ^= 0x10;
    }
}

// --- atomic transactions -----------------------------------------------------------------------

CASE(atomic_parts_see_each_other)
{
    struct world_tx tx = world_tx_of(SY_KIND_atomic, GATEWAY_A, ORG_A);
    struct world_tx part = world_enrol(GATEWAY_A, ORG_A, FRESH_ID);
    world_part(&world, &tx, part.kind, 0, &part.payload);
    part = world_record(GATEWAY_A, SY_ROLE_GATEWAY, ORG_A, FRESH_ID + 1, FRESH_ID);
    world_part(&world, &tx, part.kind, 0, &part.payload);
    part = world_amend(GATEWAY_A, SY_ROLE_GATEWAY, ORG_A, FRESH_ID + 1, 1);
    world_part(&world, &tx, part.kind, 0, &part.payload);
    assert_int_equal(world_submit(&world, &tx), SY_APPLIED);
    assert_int_equal(world.receipt.event_count, 3);
    assert_int_equal(world.result.event_count, 3);
    struct sy_reader r = sy_reader_of(world.receipt.events);
    for (uint64_t i = 0; i < 3; i++) {
        struct sy_event event;
        assert_true(sy_event_decode(&r, &event));
        assert_int_equal(event.subject_number, i + 1);
        assert_int_equal(event.global_number, world.result.first_event + i);
    }
    assert_int_equal(world.receipt.key_count, 4); // patient, its place, record, version
}

CASE(atomic_is_all_or_nothing)
{
    size_t entries = world.state.count;
    struct sy_hash root;
    struct world_tx tx = world_tx_of(SY_KIND_atomic, GATEWAY_A, ORG_A);
    for (unsigned i = 0; i < 20; i++) {
        struct world_tx part =
            world_record(GATEWAY_A, SY_ROLE_GATEWAY, ORG_A, FRESH_ID + i, PATIENT);
        if (i == 17) part.payload.record_create.subject = test_hash(PATIENT_NONE);
        world_part(&world, &tx, part.kind, 0, &part.payload);
    }
    assert_int_equal(world_submit(&world, &tx), SY_E_PATIENT_UNKNOWN);
    assert_int_equal(world.receipt.part, 17);
    assert_int_equal(world.receipt.key_count, 0);
    assert_int_equal(world.receipt.event_count, 0);
    assert_int_equal(world.result.event_count, 0);
    assert_int_equal(world.state.count, entries); // the gateway's nonce window was there before
    state_array_root(&world.state, &root);
    assert_memory_equal(world.header.state_root.bytes, root.bytes, 32);
    struct world_tx next = world_record(GATEWAY_A, SY_ROLE_GATEWAY, ORG_A, FRESH_ID, PATIENT);
    assert_int_equal(world_submit(&world, &next), SY_APPLIED);
    struct sy_reader r = sy_reader_of(world.receipt.events);
    struct sy_event event;
    assert_true(sy_event_decode(&r, &event));
    assert_int_equal(event.subject_number, 2); // no number was lost
}

CASE(atomic_parts_are_answered_for_by_their_own_signers)
{
    struct world_tx tx = world_tx_of(SY_KIND_atomic, GATEWAY_A, ORG_A);
    world_cosign(&tx, GATEWAY_B);
    world_cosign(&tx, NURSE_A);
    struct world_tx part = world_enrol(GATEWAY_B, ORG_B, FRESH_ID);
    world_part(&world, &tx, part.kind, 1, &part.payload);
    part = world_record(GATEWAY_B, SY_ROLE_GATEWAY, ORG_B, FRESH_ID + 1, FRESH_ID);
    world_part(&world, &tx, part.kind, 1, &part.payload);
    part = world_record(NURSE_A, SY_ROLE_NURSE, ORG_A, FRESH_ID + 2, PATIENT);
    world_part(&world, &tx, part.kind, 2, &part.payload);
    assert_int_equal(world_submit(&world, &tx), SY_APPLIED);
    tx = world_tx_of(SY_KIND_atomic, GATEWAY_A, ORG_A);
    world_cosign(&tx, NURSE_A);
    part = world_enrol(NURSE_A, ORG_A, FRESH_ID + 3); // a nurse enrols nobody
    world_part(&world, &tx, part.kind, 1, &part.payload);
    assert_int_equal(world_submit(&world, &tx), SY_E_ROLE);
    assert_int_equal(world.receipt.part, 0);
}

CASE(atomic_judges_fields_part_by_part)
{
    struct world_tx tx = world_tx_of(SY_KIND_atomic, GATEWAY_A, ORG_A);
    struct world_tx part = world_record(GATEWAY_A, SY_ROLE_GATEWAY, ORG_A, FRESH_ID, PATIENT);
    world_part(&world, &tx, part.kind, 0, &part.payload);
    part.payload.record_create.size = 0;
    world_part(&world, &tx, part.kind, 0, &part.payload);
    assert_int_equal(world_submit(&world, &tx), SY_E_SCHEMA);
    assert_int_equal(world.receipt.part, 1);
    assert_int_equal(world.receipt.path.size, 4);
    assert_memory_equal(world.receipt.path.data, "size", 4);
}

CASE(atomic_enrols_a_key_and_lets_it_act)
{
    struct world_tx tx = world_tx_of(SY_KIND_atomic, GATEWAY_A, ORG_A);
    world_cosign(&tx, FRESH_KEY);
    struct world_tx part = world_enrol(GATEWAY_A, ORG_A, FRESH_ID);
    part.payload.patient_enrol.has_wallet_key = true;
    part.payload.patient_enrol.wallet_key = test_public(FRESH_KEY);
    world_part(&world, &tx, part.kind, 0, &part.payload);
    part = world_record(FRESH_KEY, SY_ROLE_PATIENT, 0, FRESH_ID + 1, FRESH_ID);
    part.payload.record_create.patient_reported = true;
    world_part(&world, &tx, part.kind, 1, &part.payload);
    assert_int_equal(world_submit(&world, &tx), SY_APPLIED);
}

CASE(atomic_cannot_use_a_key_that_an_earlier_part_revoked)
{
    struct world_tx tx = world_tx_of(SY_KIND_atomic, ADMIN_A, ORG_A);
    world_cosign(&tx, DOCTOR_A);
    struct world_tx part = world_tx_of(SY_KIND_cred_revoke, ADMIN_A, ORG_A);
    part.payload.cred_revoke.subject_key = test_public(DOCTOR_A);
    part.payload.cred_revoke.reason = SY_REVOKE_LEFT;
    world_part(&world, &tx, part.kind, 0, &part.payload);
    part = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, PATIENT);
    world_part(&world, &tx, part.kind, 1, &part.payload);
    assert_int_equal(world_submit(&world, &tx), SY_E_CRED_EXPIRED);
    assert_int_equal(world.receipt.part, 1);
    tx = world_tx_of(SY_KIND_record_create, DOCTOR_A, ORG_A); // nothing of it stayed
    struct world_tx record = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, FRESH_ID, PATIENT);
    assert_int_equal(world_submit(&world, &record), SY_APPLIED);
}

CASE(atomic_stops_at_a_suspension_of_its_own)
{
    struct world_tx tx = world_tx_of(SY_KIND_atomic, REGULATOR_1, 0);
    world_cosign(&tx, REGULATOR_2);
    world_cosign(&tx, GATEWAY_A);
    struct world_tx part = world_tx_of(SY_KIND_org_suspend, REGULATOR_1, 0);
    part.payload.org_suspend.org_id = test_hash(ORG_A);
    part.payload.org_suspend.reason = SY_SUSPEND_FRAUD;
    world_part(&world, &tx, part.kind, 0, &part.payload);
    part = world_enrol(GATEWAY_A, ORG_A, FRESH_ID);
    world_part(&world, &tx, part.kind, 2, &part.payload);
    assert_int_equal(world_submit(&world, &tx), SY_E_ORG_SUSPENDED);
    assert_int_equal(world.receipt.part, 1);
}

CASE(possession_must_name_the_organisation_that_enrols)
{
    struct world_tx tx = world_tx_of(SY_KIND_atomic, GATEWAY_A, ORG_A);
    world_cosign(&tx, GATEWAY_B);
    world_cosign(&tx, FRESH_KEY);
    struct world_tx part = world_enrol(GATEWAY_B, ORG_B, FRESH_ID);
    part.payload.patient_enrol.has_wallet_key = true;
    part.payload.patient_enrol.wallet_key = test_public(FRESH_KEY);
    world_part(&world, &tx, part.kind, 1, &part.payload); // B enrols, the possession says A
    assert_int_equal(world_submit(&world, &tx), SY_E_POSSESSION);
    struct sy_hash org = test_hash(ORG_A);
    assert_memory_equal(world.receipt.detail_hash.bytes, org.bytes, 32);
}

CASE(atomic_of_no_parts_is_refused)
{
    struct world_tx tx = world_tx_of(SY_KIND_atomic, GATEWAY_A, ORG_A);
    assert_int_equal(world_submit(&world, &tx), SY_E_SCHEMA);
    assert_memory_equal(world.receipt.path.data, "payloads", 8);
}

CASE(atomic_of_4096_parts_that_all_write_is_applied)
{
    struct world_tx tx = world_tx_of(SY_KIND_atomic, GATEWAY_B, ORG_B);
    struct world_tx part = world_open_care(GATEWAY_B, ORG_B, FRESH_ID, PATIENT);
    struct world_tx close = world_tx_of(SY_KIND_care_close, GATEWAY_B, ORG_B);
    for (unsigned i = 0; i < SY_ATOMIC_PAYLOADS_MAX / 2; i++) {
        part.payload.care_open.care_id = test_hash(FRESH_ID + i);
        close.payload.care_close.care_id = test_hash(FRESH_ID + i);
        world_part(&world, &tx, part.kind, 0, &part.payload);
        world_part(&world, &tx, close.kind, 0, &close.payload);
    }
    assert_int_equal(world_submit(&world, &tx), SY_APPLIED);
    assert_int_equal(world.receipt.event_count, SY_ATOMIC_PAYLOADS_MAX);
    assert_int_equal(world.receipt.key_count, SY_ATOMIC_PAYLOADS_MAX / 2 + 2);
    struct sy_hash root;
    state_array_root(&world.state, &root);
    assert_memory_equal(world.header.state_root.bytes, root.bytes, 32);
}

// --- proofs ------------------------------------------------------------------------------------

CASE(state_proofs_come_from_the_newest_block)
{
    struct sy_hash record = test_hash(FRESH_ID), absent = test_hash(FRESH_ID + 1), keys[2];
    sy_state_key_id(&keys[0], SY_STATE_RECORD, &record);
    sy_state_key_id(&keys[1], SY_STATE_RECORD, &absent);
    add_record(FRESH_ID);
    uint8_t *copy;
    struct sy_block_entry entry = copied_entry(1, 1, &copy);
    struct sy_block_input input = input_of(&entry, 1);
    struct sy_block_result result;
    assert_int_equal(sy_ledger_execute(world.ledger, &result, &input, NULL), SY_OK);
    const char *what = NULL;
    for (unsigned applied = 0; applied < 2; applied++) { // before and after the deltas are applied
        struct sy_state_proof proof;
        assert_int_equal(sy_ledger_prove(world.ledger, &proof, &keys[0], NULL), SY_OK);
        assert_true(proof.present);
        assert_true(sy_state_proof_verify(&proof, &result.header, &what));
        assert_false(sy_state_proof_verify(&proof, &world.header, &what)); // not yet, then
        struct sy_record decoded;
        assert_true(sy_record_decode(&decoded, proof.value));
        assert_int_equal(decoded.versions, 1);
        assert_int_equal(sy_ledger_prove(world.ledger, &proof, &keys[1], NULL), SY_OK);
        assert_false(proof.present);
        assert_true(sy_state_proof_verify(&proof, &result.header, &what));
        if (applied == 0) state_array_apply(&world.state, result.deltas);
    }
    free(copy);
}

CASE(every_entry_of_the_state_is_provable)
{
    struct sy_hash key_hash;
    const char *what = NULL;
    for (size_t i = 0; i < world.state.count; i++) {
        struct sy_state_proof proof;
        key_hash = world.state.entries[i].key_hash;
        assert_int_equal(sy_ledger_prove(world.ledger, &proof, &key_hash, NULL), SY_OK);
        assert_true(proof.present);
        assert_true(sy_state_proof_verify(&proof, &world.header, &what));
    }
}

// --- sources that fail -------------------------------------------------------------------------

CASE(failing_source_stops_the_ledger_at_any_call)
{
    for (size_t nth = 1;; nth++) {
        struct world_tx tx = world_enrol(GATEWAY_B, ORG_B, FRESH_ID + (unsigned)nth);
        world_reopen(&world);
        assert_true(world_add(&world, &tx));
        add_record(FRESH_ID + 500 + (unsigned)nth);
        uint8_t *copy;
        struct sy_block_entry entry = copied_entry(1, world_next_seq(&world, 1), &copy);
        struct sy_block_input input = input_of(&entry, 1);
        struct sy_block_result result;
        struct sy_error err;
        world.state.fail_after = nth;
        sy_status status = sy_ledger_execute(world.ledger, &result, &input, &err);
        bool failed = world.state.fail_after == 0;
        world.state.fail_after = 0;
        assert_int_equal(status, failed ? SY_ERR_IO : SY_OK);
        if (failed) {
            status = sy_ledger_execute(world.ledger, &result, &input, &err);
            assert_int_equal(status, SY_ERR_CLOSED);
            struct sy_state_proof proof;
            status = sy_ledger_prove(world.ledger, &proof, &entry.entry.digest, &err);
            assert_int_equal(status, SY_ERR_CLOSED);
            world_reopen(&world); // nothing was lost
            world_execute(&world, &entry, 1);
            assert_int_equal(world.result.applied_count, 2);
        }
        free(copy);
        if (!failed) {
            assert_true(nth > 6);
            return;
        }
    }
}

CASE(undecodable_state_stops_the_ledger)
{
    struct sy_public_key key = test_public(DOCTOR_A);
    struct sy_hash key_hash;
    sy_state_key_public(&key_hash, SY_STATE_CREDENTIAL, &key);
    state_array_put(&world.state, &key_hash, sy_slice_of("nonsense", 8));
    world_reopen(&world);
    add_record(FRESH_ID);
    uint8_t *copy;
    struct sy_block_entry entry = copied_entry(1, 1, &copy);
    struct sy_block_input input = input_of(&entry, 1);
    struct sy_block_result result;
    struct sy_error err;
    sy_status status = sy_ledger_execute(world.ledger, &result, &input, &err);
    assert_int_equal(status, SY_ERR_CORRUPT);
    assert_true(strlen(err.text) > 10);
    free(copy);
}

// --- determinism -------------------------------------------------------------------------------

#define TELLING_BLOCKS 12u

/* A fixed history; the last header's hash tells whether everything was the same. */
static void tell_history(struct sy_hash *out, unsigned bucket_leaves, size_t trie_bytes_max,
                         bool reopen)
{
    static struct ledger_world own;
    world_open(&own, bucket_leaves, trie_bytes_max);
    world_populate(&own);
    unsigned record = FRESH_ID;
    for (unsigned block = 0; block < TELLING_BLOCKS; block++) {
        for (unsigned i = 0; i < 40; i++) {
            struct world_tx tx =
                world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, record++, PATIENT + i % 3);
            bool fits = world_add(&own, &tx);
            tx = world_amend(NURSE_A, SY_ROLE_NURSE, ORG_A, record - 1 - i % 5, 1);
            fits = fits && world_add(&own, &tx);
            assert_true(fits);
        }
        world_run(&own);
        if (reopen && block % 3 == 0) world_reopen(&own);
    }
    *out = own.result.header_hash;
    world_close(&own);
}

CASE(history_is_the_same_for_any_trie_and_after_restarts)
{
    struct sy_hash first, other;
    tell_history(&first, 0, 0, false);
    static const struct {
        unsigned bucket_leaves;
        size_t bytes;
        bool reopen;
    } ways[] = {{1, 0, false}, {16, 0, true}, {0, 1, false}, {8, 4096, true}};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        tell_history(&other, ways[i].bucket_leaves, ways[i].bytes, ways[i].reopen);
        assert_memory_equal(first.bytes, other.bytes, 32);
    }
}

CASE(history_is_the_same_in_another_process_and_locale)
{
    struct sy_hash here;
    tell_history(&here, 0, 0, false);
    static const char *const locales[] = {"C", "C.UTF-8", "de_DE.UTF-8", "tr_TR.UTF-8"};
    static const char *const zones[] = {"UTC", "Asia/Kathmandu", "America/St_Johns", "UTC-14"};
    for (size_t i = 0; i < 4; i++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            (void)setlocale(LC_ALL, locales[i]); // as far as the machine has it
            (void)setenv("TZ", zones[i], 1);
            struct sy_hash there;
            tell_history(&there, (unsigned)(i + 1), i * 8192, i % 2 == 1);
            _exit(write(ends[1], there.bytes, 32) == 32 ? 0 : 1);
        }
        struct sy_hash there;
        assert_int_equal(read(ends[0], there.bytes, 32), 32);
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        (void)close(ends[0]);
        (void)close(ends[1]);
        assert_memory_equal(here.bytes, there.bytes, 32);
    }
}

// --- genesis -----------------------------------------------------------------------------------

CASE(genesis_enrols_every_key_for_its_use)
{
    static const struct {
        unsigned key, use, role;
    } keys[] = {{0, SY_KEY_CONSENSUS, 0},
                {1, SY_KEY_LINK, 0},
                {2, SY_KEY_ADMIN, 0},
                {9, SY_KEY_CONSENSUS, 0},
                {REGULATOR_1, SY_KEY_TX, SY_ROLE_REGULATOR},
                {REGULATOR_2, SY_KEY_TX, SY_ROLE_REGULATOR}};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct sy_public_key key = test_public(keys[i].key);
        struct sy_hash key_hash;
        struct sy_slice value;
        struct sy_credential credential;
        sy_state_key_public(&key_hash, SY_STATE_CREDENTIAL, &key);
        assert_true(world_find(&world, &value, &key_hash));
        assert_true(sy_credential_decode(&credential, value));
        assert_int_equal(credential.use, keys[i].use);
        assert_int_equal(credential.role, keys[i].role);
    }
    struct sy_hash key_hash;
    struct sy_slice value;
    struct sy_roster_head head;
    struct sy_validator validator;
    sy_state_key_zero(&key_hash, SY_STATE_ROSTER);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_roster_head_decode(&head, value));
    assert_int_equal(head.count, WORLD_VALIDATORS);
    sy_state_key_validator(&key_hash, 3);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_validator_state_decode(&validator, value));
    assert_string_equal(validator.name, "validator 3");
}

CASE(genesis_says_when_there_is_no_room)
{
    uint8_t room[500];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_hash root;
    assert_int_equal(sy_ledger_genesis(&w, &root, &world.genesis), SY_ERR_LIMIT);
}

CASE(genesis_of_100_validators_fits)
{
    static struct sy_genesis genesis;
    test_genesis(&genesis, SY_VALIDATORS_MAX);
    uint8_t *room = malloc(SY_LEDGER_GENESIS_BYTES_MAX);
    assert_non_null(room);
    struct sy_writer w = sy_writer_of(room, SY_LEDGER_GENESIS_BYTES_MAX);
    struct sy_hash root;
    assert_int_equal(sy_ledger_genesis(&w, &root, &genesis), SY_OK);
    assert_false(sy_hash_is_zero(&root));
    free(room);
}

#define IN_A_WORLD(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(entries_run_in_their_makers_order),
        IN_A_WORLD(entries_of_strangers_are_skipped),
        IN_A_WORLD(entries_beyond_a_proposals_room_are_skipped),
        IN_A_WORLD(bytes_that_are_not_those_named_change_nothing),
        IN_A_WORLD(batches_with_a_tx_of_another_network_are_refused_whole),
        IN_A_WORLD(blocks_follow_their_parent),
        IN_A_WORLD(header_commits_to_everything),
        IN_A_WORLD(empty_blocks_keep_the_state_and_move_the_time),
        IN_A_WORLD(block_time_never_stands_still),
        IN_A_WORLD(given_transaction_ids_are_believed),
        IN_A_WORLD(state_root_moves_with_every_applied_transaction),
        IN_A_WORLD(state_root_differs_after_one_changed_byte),
        IN_A_WORLD(atomic_parts_see_each_other),
        IN_A_WORLD(atomic_is_all_or_nothing),
        IN_A_WORLD(atomic_parts_are_answered_for_by_their_own_signers),
        IN_A_WORLD(atomic_judges_fields_part_by_part),
        IN_A_WORLD(atomic_enrols_a_key_and_lets_it_act),
        IN_A_WORLD(atomic_cannot_use_a_key_that_an_earlier_part_revoked),
        IN_A_WORLD(atomic_stops_at_a_suspension_of_its_own),
        IN_A_WORLD(possession_must_name_the_organisation_that_enrols),
        IN_A_WORLD(atomic_of_no_parts_is_refused),
        IN_A_WORLD(atomic_of_4096_parts_that_all_write_is_applied),
        IN_A_WORLD(state_proofs_come_from_the_newest_block),
        IN_A_WORLD(every_entry_of_the_state_is_provable),
        IN_A_WORLD(failing_source_stops_the_ledger_at_any_call),
        IN_A_WORLD(undecodable_state_stops_the_ledger),
        IN_A_WORLD(history_is_the_same_for_any_trie_and_after_restarts),
        IN_A_WORLD(history_is_the_same_in_another_process_and_locale),
        IN_A_WORLD(genesis_enrols_every_key_for_its_use),
        IN_A_WORLD(genesis_says_when_there_is_no_room),
        IN_A_WORLD(genesis_of_100_validators_fits),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
