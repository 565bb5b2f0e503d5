/* test_wire_batch.c: batches and their builder. */
#include "tests/support/test.h"

#include <string.h>

#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"
#include "tests/support/samples.h"

static uint8_t room[SY_BATCH_BYTES_MAX + 4096];
static uint8_t big[SY_TX_BYTES_MAX + 1];
static struct sy_genesis genesis;
static struct sy_batch batch;

static int prepare(void **state)
{
    (void)state;
    test_genesis(&genesis, 4);
    return 0;
}

// A batch of raw byte strings: what a batch holds is its transactions' own affair.
static struct sy_slice make_raw(const size_t *sizes, unsigned count)
{
    struct sy_batch_builder builder;
    struct sy_batch_header header = {.maker = test_public(0), .seq = 1};
    struct sy_hash digest;
    static const struct sy_signature signature;
    sy_batch_builder_init(&builder, room, SY_BATCH_BYTES_MAX);
    for (unsigned i = 0; i < count; i++) {
        memset(big, (int)('a' + i), sizes[i]);
        assert_true(sy_batch_builder_add(&builder, sy_slice_of(big, sizes[i])));
    }
    sy_batch_builder_head(&builder, &digest, &header, &genesis.hash);
    return sy_batch_builder_finish(&builder, &signature);
}

CASE(batch_gives_back_its_transactions_in_order)
{
    static const size_t sizes[] = {3, 1, 700};
    struct sy_slice tx;
    size_t offset = 0;
    assert_true(sy_batch_decode(&batch, make_raw(sizes, 3)));
    assert_int_equal(batch.header.count, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(sy_batch_next(&batch, &offset, &tx));
        assert_int_equal(tx.size, sizes[i]);
        assert_int_equal(tx.data[0], 'a' + i);
    }
    assert_false(sy_batch_next(&batch, &offset, &tx));
    assert_int_equal(offset, batch.txs.size);
    assert_false(sy_batch_next(&batch, &offset, &tx));
}

CASE(layout_is_the_offset_table)
{
    struct sy_slice bytes = test_sample("batch/two");
    struct sy_public_key maker = test_public(3);
    assert_true(sy_batch_decode(&batch, bytes));
    assert_int_equal(SY_BATCH_HEADER_BYTES, 112);
    assert_memory_equal(bytes.data, maker.bytes, 32);
    assert_int_equal(sy_load_u64(bytes.data + 32), 4);
    assert_int_equal(sy_load_u32(bytes.data + 40), 2);
    assert_int_equal(sy_load_u32(bytes.data + 44), bytes.size - 112 - 64);
    assert_memory_equal(bytes.data + 48, batch.header.id_root.bytes, 32);
    assert_memory_equal(bytes.data + 80, batch.header.signature_root.bytes, 32);
    assert_memory_equal(bytes.data + 112, batch.signature.bytes, 64);
    assert_ptr_equal(batch.txs.data, bytes.data + 176);
    assert_int_equal(batch.header_bytes.size, 112);
}

CASE(digest_covers_the_header_and_names_the_network)
{
    uint8_t preimage[2 + 32 + SY_BATCH_HEADER_BYTES];
    struct sy_hash digest;
    struct sy_hash expected;
    assert_true(sy_batch_decode(&batch, test_sample("batch/three")));
    preimage[0] = 0x02;
    preimage[1] = SY_DIGEST_BATCH;
    memcpy(preimage + 2, genesis.hash.bytes, 32);
    memcpy(preimage + 34, batch.header_bytes.data, SY_BATCH_HEADER_BYTES);
    sy_sha256(&expected, preimage, sizeof preimage);
    sy_batch_digest(&digest, &genesis.hash, batch.header_bytes);
    assert_true(sy_hash_equal(&digest, &expected));
}

CASE(maker_signs_the_digest_and_roots_are_over_ids_and_signatures)
{
    struct sy_hash ids[3];
    struct sy_hash signatures[3];
    struct sy_hash digest;
    struct sy_hash root;
    struct sy_slice bytes;
    size_t offset = 0;
    unsigned count = 0;
    assert_true(sy_batch_decode(&batch, test_sample("batch/three")));
    sy_batch_digest(&digest, &genesis.hash, batch.header_bytes);
    assert_true(sy_verify_one(&batch.header.maker, SY_SIG_BATCH, &digest, &batch.signature));
    for (; sy_batch_next(&batch, &offset, &bytes); count++) {
        struct sy_tx tx;
        assert_int_equal(sy_tx_decode(&tx, NULL, bytes, NULL), SY_APPLIED);
        sy_tx_id(&ids[count], &tx);
        sy_hash_leaf(&signatures[count], tx.signatures);
    }
    sy_merkle_root(&root, ids, ids, count);
    assert_true(sy_hash_equal(&root, &batch.header.id_root));
    sy_merkle_root(&root, signatures, signatures, count);
    assert_true(sy_hash_equal(&root, &batch.header.signature_root));
}

static void assert_refused(struct sy_slice bytes, size_t offset, uint8_t value)
{
    assert_ptr_equal(bytes.data, room);
    uint8_t before = room[offset];
    room[offset] = value;
    assert_false(sy_batch_decode(&batch, bytes));
    room[offset] = before;
    assert_true(sy_batch_decode(&batch, bytes));
}

CASE(counts_and_lengths_agree_with_the_section)
{
    static const size_t sizes[] = {5, 6};
    struct sy_slice bytes = make_raw(sizes, 2);
    assert_refused(bytes, 32, 0);          // seq 0
    assert_refused(bytes, 40, 1);          // one tx fewer than there are
    assert_refused(bytes, 40, 3);          // one more
    assert_refused(bytes, 40, 0);          // none
    assert_refused(bytes, 44, 18);         // a section one byte shorter
    assert_refused(bytes, 44, 20);         // one longer
    assert_refused(bytes, 176, 4);         // the first length
    assert_refused(bytes, 176, 0);         // an empty tx
    assert_refused(bytes, 179, 0xFF);      // a length beyond everything
    assert_refused(bytes, 176 + 4 + 5, 7); // the last length, beyond the end
}

CASE(empty_batch_is_none)
{
    struct sy_batch_header header = {.maker = test_public(0), .seq = 1};
    struct sy_writer w = sy_writer_of(room, sizeof room);
    static const struct sy_signature signature;
    sy_batch_header_encode(&w, &header);
    sy_write_signature(&w, &signature);
    assert_false(sy_batch_decode(&batch, sy_writer_slice(&w)));
}

/* --- limits -------------------------------------------------------------------------------- */

CASE(builder_stops_at_4096_transactions)
{
    struct sy_batch_builder builder;
    struct sy_batch_header header = {.maker = test_public(0), .seq = 9};
    struct sy_hash digest;
    static const struct sy_signature signature;
    sy_batch_builder_init(&builder, room, sizeof room);
    for (unsigned i = 0; i < SY_BATCH_TXS_MAX; i++) {
        assert_true(sy_batch_builder_add(&builder, sy_slice_of("x", 1)));
    }
    assert_false(sy_batch_builder_add(&builder, sy_slice_of("x", 1)));
    assert_int_equal(builder.count, SY_BATCH_TXS_MAX);
    sy_batch_builder_head(&builder, &digest, &header, &genesis.hash);
    struct sy_slice bytes = sy_batch_builder_finish(&builder, &signature);
    assert_true(sy_batch_decode(&batch, bytes));
    assert_int_equal(batch.header.seq, 9);

    // One more, by hand, with every length right.
    sy_store_u32(room + 40, SY_BATCH_TXS_MAX + 1);
    sy_store_u32(room + 44, builder.bytes + 5);
    memcpy(room + bytes.size, "\x01\x00\x00\x00x", 5);
    assert_false(sy_batch_decode(&batch, sy_slice_of(room, bytes.size + 5)));
}

CASE(builder_stops_at_the_byte_limit_exactly)
{
    struct sy_batch_builder builder;
    const size_t left = SY_BATCH_BYTES_MAX - SY_BATCH_FRONT_BYTES;
    sy_batch_builder_init(&builder, room, sizeof room); // more room than a batch may take
    assert_true(sy_batch_builder_add(&builder, sy_slice_of(big, SY_TX_BYTES_MAX)));
    size_t rest = left - SY_TX_BYTES_MAX - 4 - 4;
    assert_false(sy_batch_builder_add(&builder, sy_slice_of(big, rest + 1)));
    assert_int_equal(builder.count, 1);
    assert_true(sy_batch_builder_add(&builder, sy_slice_of(big, rest)));
    assert_false(sy_batch_builder_add(&builder, sy_slice_of(big, 1)));

    struct sy_batch_header header = {.maker = test_public(0), .seq = 1};
    struct sy_hash digest;
    static const struct sy_signature signature;
    sy_batch_builder_head(&builder, &digest, &header, &genesis.hash);
    struct sy_slice bytes = sy_batch_builder_finish(&builder, &signature);
    assert_int_equal(bytes.size, SY_BATCH_BYTES_MAX);
    assert_true(sy_batch_decode(&batch, bytes));
}

CASE(batch_over_the_byte_limit_is_refused)
{
    struct sy_batch_header header = {.maker = test_public(0), .seq = 1, .count = 2};
    static const struct sy_signature signature;
    struct sy_writer w = sy_writer_of(room, sizeof room);
    uint32_t second = (uint32_t)(SY_BATCH_BYTES_MAX - SY_BATCH_FRONT_BYTES - SY_TX_BYTES_MAX - 7);
    header.bytes = 4 + SY_TX_BYTES_MAX + 4 + second;
    sy_batch_header_encode(&w, &header);
    sy_write_signature(&w, &signature);
    sy_write_bytes32(&w, sy_slice_of(big, SY_TX_BYTES_MAX));
    sy_write_bytes32(&w, sy_slice_of(big, second));
    assert_false(w.failed);
    assert_int_equal(w.used, SY_BATCH_BYTES_MAX + 1);
    assert_false(sy_batch_decode(&batch, sy_writer_slice(&w)));
}

CASE(builder_takes_no_empty_and_no_oversized_transaction)
{
    struct sy_batch_builder builder;
    sy_batch_builder_init(&builder, room, sizeof room);
    assert_false(sy_batch_builder_add(&builder, sy_slice_of(NULL, 0)));
    assert_false(sy_batch_builder_add(&builder, sy_slice_of(big, SY_TX_BYTES_MAX + 1)));
    assert_int_equal(builder.count, 0);
    assert_int_equal(builder.bytes, 0);
}

CASE(builder_keeps_within_a_small_room)
{
    struct sy_batch_builder builder;
    uint8_t small[SY_BATCH_FRONT_BYTES + 10];
    sy_batch_builder_init(&builder, small, sizeof small);
    assert_true(sy_batch_builder_add(&builder, sy_slice_of("12345", 5)));
    assert_false(sy_batch_builder_add(&builder, sy_slice_of("1", 1))); // 5 bytes needed, 1 left
}

static void head_of_nothing(void *context)
{
    struct sy_batch_builder builder;
    struct sy_batch_header header = {.seq = 1};
    struct sy_hash digest;
    (void)context;
    sy_batch_builder_init(&builder, room, sizeof room);
    sy_batch_builder_head(&builder, &digest, &header, &genesis.hash);
}

CASE(heading_an_empty_batch_is_our_bug)
{
    assert_aborts(head_of_nothing, NULL);
}

CASE(largest_tx_leaves_room_for_its_batch)
{
    static const size_t sizes[] = {SY_TX_BYTES_MAX};
    assert_true(sy_batch_decode(&batch, make_raw(sizes, 1)));
    sy_store_u32(room + 176, SY_TX_BYTES_MAX + 1);
    assert_false(sy_batch_decode(&batch, sy_slice_of(room, 176 + 4 + SY_TX_BYTES_MAX)));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(batch_gives_back_its_transactions_in_order),
        cmocka_unit_test(layout_is_the_offset_table),
        cmocka_unit_test(digest_covers_the_header_and_names_the_network),
        cmocka_unit_test(maker_signs_the_digest_and_roots_are_over_ids_and_signatures),
        cmocka_unit_test(counts_and_lengths_agree_with_the_section),
        cmocka_unit_test(empty_batch_is_none),
        cmocka_unit_test(builder_stops_at_4096_transactions),
        cmocka_unit_test(builder_stops_at_the_byte_limit_exactly),
        cmocka_unit_test(batch_over_the_byte_limit_is_refused),
        cmocka_unit_test(builder_takes_no_empty_and_no_oversized_transaction),
        cmocka_unit_test(builder_keeps_within_a_small_room),
        cmocka_unit_test(heading_an_empty_batch_is_our_bug),
        cmocka_unit_test(largest_tx_leaves_room_for_its_batch),
    };
    return cmocka_run_group_tests(cases, prepare, NULL);
}
