/* test_wire_proof.c: what makes a proof hold, and that nothing else does. */
#include "tests/support/test.h"

#include <string.h>

#include "core/crypto/hash.h"
#include "tests/support/samples.h"

static struct test_block block;
static struct sy_proof proof;
static uint8_t room[1u << 16];
static const char *what;

static int prepare(void **state)
{
    (void)state;
    test_block_make(&block);
    return 0;
}

static bool holds(void)
{
    what = "";
    bool fine = sy_proof_verify(&proof, &block.genesis, NULL, &what);
    assert_int_equal(fine, sy_proof_verify(&proof, &block.genesis, NULL, NULL));
    return fine;
}

static void assert_fails(const char *reason)
{
    assert_false(holds());
    if (!strstr(what, reason)) fail_msg("\"%s\" does not say \"%s\"", what, reason);
}

// Writes the proof and reads it back in place.
static struct sy_slice pass_through_bytes(void)
{
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_proof_encode(&w, &proof);
    assert_false(w.failed);
    assert_true(sy_proof_decode(&proof, sy_writer_slice(&w), &block.genesis.roster, &what));
    return sy_writer_slice(&w);
}

/* --- proofs that hold ---------------------------------------------------------------------- */

CASE(every_receipt_of_a_block_has_a_proof)
{
    for (unsigned i = 0; i < TEST_BLOCK_TXS; i++) {
        for (unsigned with_tx = 0; with_tx < 2; with_tx++) {
            test_block_prove_receipt(&proof, &block, i, with_tx == 1);
            assert_true(holds());
            (void)pass_through_bytes();
            assert_true(holds());
        }
    }
}

CASE(every_entry_of_the_state_has_a_proof)
{
    for (unsigned i = 0; i < 7; i++) {
        test_block_prove_state(&proof, &block, &block.state[i].key_hash);
        assert_true(proof.state.present);
        assert_true(holds());
        (void)pass_through_bytes();
        assert_true(holds());
        assert_true(sy_slice_equal(proof.state.value, block.state[i].value));
    }
}

CASE(every_other_key_has_a_proof_of_absence)
{
    unsigned others = 0;
    unsigned empties = 0;
    for (unsigned i = 0; i < 200; i++) {
        struct sy_hash key = test_hash(10000 + i);
        test_block_prove_state(&proof, &block, &key);
        assert_false(proof.state.present);
        assert_true(holds());
        (void)pass_through_bytes();
        assert_true(holds());
        if (proof.state.other) others++;
        if (!proof.state.other) empties++;
    }
    assert_true(others > 0 && empties > 0);
}

CASE(tries_of_any_size_prove_presence_and_absence)
{
    static struct test_entry entries[64];
    struct sy_header header = block.header;
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    for (unsigned count = 0; count <= 64; count++) {
        // Few leading bits differ, so that paths grow long.
        for (unsigned i = 0; i < count; i++) {
            memset(&entries[i].key_hash, 0, sizeof entries[i].key_hash);
            entries[i].key_hash.bytes[2] = (uint8_t)i;
            sy_prng_fill(&prng, entries[i].key_hash.bytes + 20, 12);
            entries[i].value = sy_slice_of(&entries[i].key_hash, 1 + i % 32);
        }
        test_trie_root(&header.state_root, entries, count);
        for (unsigned i = 0; i < count + 20; i++) {
            struct sy_state_proof shown;
            struct sy_hash key;
            if (i < count) key = entries[i].key_hash;
            if (i >= count) sy_prng_fill(&prng, key.bytes, sizeof key.bytes);
            if (i >= count && i % 2 == 0) key.bytes[0] = key.bytes[1] = 0;
            test_trie_prove(&shown, entries, count, &key);
            assert_int_equal(shown.present, i < count);
            if (!sy_state_proof_verify(&shown, &header, &what)) fail_msg("%s", what);
        }
    }
}

CASE(deepest_path_proves_two_keys_that_differ_in_their_last_bit)
{
    struct test_entry entries[2] = {{test_hash(1), {(const uint8_t *)"a", 1}},
                                    {test_hash(1), {(const uint8_t *)"b", 1}}};
    struct sy_header header = block.header;
    entries[1].key_hash.bytes[31] ^= 1;
    test_trie_root(&header.state_root, entries, 2);
    test_trie_prove(&proof.state, entries, 2, &entries[1].key_hash);
    assert_int_equal(proof.state.count, SY_TRIE_DEPTH_MAX);
    assert_true(sy_state_proof_verify(&proof.state, &header, &what));
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_state_proof_encode(&w, &proof.state);
    struct sy_reader r = sy_reader_of(sy_writer_slice(&w));
    assert_true(sy_state_proof_decode(&r, &proof.state) && sy_reader_done(&r));
    assert_true(sy_state_proof_verify(&proof.state, &header, &what));
}

CASE(empty_state_proves_every_absence_without_siblings)
{
    struct sy_header header = block.header;
    struct sy_hash key = test_hash(1);
    memset(&header.state_root, 0, sizeof header.state_root);
    test_trie_prove(&proof.state, NULL, 0, &key);
    assert_int_equal(proof.state.count, 0);
    assert_true(sy_state_proof_verify(&proof.state, &header, &what));
}

/* --- trie hashes --------------------------------------------------------------------------- */

CASE(trie_hashes_are_their_definitions)
{
    uint8_t preimage[65];
    struct sy_hash a = test_hash(1);
    struct sy_hash b = test_hash(2);
    struct sy_hash got;
    struct sy_hash expected;
    memcpy(preimage + 1, a.bytes, 32);
    memcpy(preimage + 33, b.bytes, 32);
    preimage[0] = 0x03;
    sy_sha256(&expected, preimage, 65);
    sy_trie_leaf(&got, &a, &b);
    assert_true(sy_hash_equal(&got, &expected));
    preimage[0] = 0x05;
    sy_sha256(&expected, preimage, 65);
    sy_trie_inner(&got, &a, &b);
    assert_true(sy_hash_equal(&got, &expected));
    preimage[0] = 9;
    sy_sha256(&expected, preimage, 33);
    sy_state_key_hash(&got, 9, &a);
    assert_true(sy_hash_equal(&got, &expected));
}

/* --- damage -------------------------------------------------------------------------------- */

static void mend_checksum(uint8_t *bytes, size_t size)
{
    struct sy_hash checksum;
    sy_sha256(&checksum, bytes, size - 32);
    memcpy(bytes + size - 32, checksum.bytes, 32);
}

static const char *const names[] = {"proof/receipt", "proof/receipt_tx", "proof/present",
                                    "proof/absent_other", "proof/absent_empty"};

CASE(every_single_bit_change_of_a_proof_is_refused)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct sy_slice sample = test_sample(names[i]);
        memcpy(room, sample.data, sample.size);
        struct sy_slice bytes = sy_slice_of(room, sample.size);
        assert_true(sy_proof_decode(&proof, bytes, &block.genesis.roster, &what) && holds());
        for (size_t bit = 0; bit < bytes.size * 8; bit++) {
            room[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (sy_proof_decode(&proof, bytes, &block.genesis.roster, &what) && holds()) {
                fail_msg("%s holds with bit %zu changed", names[i], bit);
            }
            room[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

#define BODY_AT (8 + 16 + 1 + SY_HEADER_BYTES + 2 + 3 * 66)

// Flips each bit of [first, end) of a sample and mends the checksum. With a trusted header only the
// body is judged, which spares checking the same seals for each of its bits.
static void flip_bits(const char *name, size_t first, size_t end, const struct sy_hash *trusted)
{
    struct sy_slice sample = test_sample(name);
    struct sy_slice bytes = sy_slice_of(room, sample.size);
    bool absence = strstr(name, "absent") != NULL;
    memcpy(room, sample.data, sample.size);
    for (size_t bit = first * 8; bit < end * 8; bit++) {
        room[bit / 8] ^= (uint8_t)(1u << bit % 8);
        mend_checksum(room, bytes.size);
        if (sy_proof_decode(&proof, bytes, &block.genesis.roster, &what) &&
            sy_proof_verify(&proof, &block.genesis, trusted, &what)) {
            bool in_key = bit / 8 >= BODY_AT && bit / 8 < BODY_AT + 32;
            if (!absence || !in_key) fail_msg("%s holds with bit %zu changed", name, bit);
            for (unsigned k = 0; k < 7; k++) {
                assert_false(sy_hash_equal(&block.state[k].key_hash, &proof.state.key_hash));
            }
        }
        room[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

// Somebody who changes a bit also mends the checksum. Then signatures and hashes refuse it all the
// same, but for the key of a proof of absence: another key under the same path is absent as well,
// and the proof says so of that key.
CASE(mending_the_checksum_does_not_help)
{
    struct sy_hash trusted;
    sy_header_hash(&trusted, &block.genesis.hash, &block.header);
    flip_bits(names[0], 0, BODY_AT, NULL);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        flip_bits(names[i], BODY_AT, test_sample(names[i]).size - 32, &trusted);
    }
}

CASE(file_of_something_else_says_so)
{
    assert_false(
        sy_proof_decode(&proof, sy_slice_of("{\"proof\": 1}", 12), &block.genesis.roster, &what));
    assert_non_null(strstr(what, "not a .syproof file"));
    struct sy_slice sample = test_sample("proof/receipt");
    assert_false(sy_proof_decode(&proof, sy_slice_of(sample.data, sample.size - 1),
                                 &block.genesis.roster, &what));
    assert_non_null(strstr(what, "checksum"));
    assert_false(sy_proof_decode(&proof, sy_slice_of(NULL, 0), &block.genesis.roster, NULL));
}

/* --- what a liar might try ----------------------------------------------------------------- */

CASE(proof_of_another_network_is_none)
{
    test_block_prove_receipt(&proof, &block, 0, true);
    proof.network[3] ^= 1;
    assert_fails("another network");
}

CASE(header_without_its_seals_is_none)
{
    test_block_prove_receipt(&proof, &block, 0, true);
    proof.header.time_ms++;
    assert_fails("certificate");
    test_block_prove_receipt(&proof, &block, 0, true);
    proof.certificate.seals[2].signature.bytes[5] ^= 1;
    assert_fails("certificate");
}

CASE(receipt_of_another_place_is_none)
{
    test_block_prove_receipt(&proof, &block, 1, false);
    proof.receipt.receipt = block.receipts[2];
    assert_fails("receipts root");
    test_block_prove_receipt(&proof, &block, 1, false);
    proof.receipt.receipt_path.leaf_index = 2;
    assert_fails("receipts root");
    test_block_prove_receipt(&proof, &block, 1, false);
    proof.receipt.receipt_path.count--;
    assert_fails("receipts root");
}

CASE(receipt_with_the_transaction_of_another_is_none)
{
    struct sy_proof other;
    test_block_prove_receipt(&proof, &block, 0, true);
    test_block_prove_receipt(&other, &block, 1, true);
    proof.receipt.tx = other.receipt.tx;
    proof.receipt.tx_path = other.receipt.tx_path;
    assert_fails("another transaction");
}

CASE(receipt_of_another_height_is_none)
{
    test_block_prove_receipt(&proof, &block, 0, false);
    memcpy(room, proof.receipt.receipt.data, proof.receipt.receipt.size);
    proof.receipt.receipt.data = room;
    room[0]++;
    assert_fails("another height");
}

CASE(transaction_outside_the_batch_or_block_is_none)
{
    test_block_prove_receipt(&proof, &block, 3, true);
    proof.receipt.tx_path.siblings[0].bytes[0] ^= 1;
    assert_fails("does not lead to the batch");
    test_block_prove_receipt(&proof, &block, 3, true);
    proof.receipt.batch_path.siblings[0].bytes[0] ^= 1;
    assert_fails("batches root");
    test_block_prove_receipt(&proof, &block, 3, true);
    proof.receipt.batch.seq++;
    assert_fails("batches root");
}

CASE(transaction_with_a_bad_signature_is_none)
{
    test_block_prove_receipt(&proof, &block, 3, true);
    memcpy(room, proof.receipt.tx.data, proof.receipt.tx.size);
    room[proof.receipt.tx.size - 40] ^= 1;
    proof.receipt.tx.data = room;
    assert_fails("signature");
}

CASE(present_key_is_not_shown_absent)
{
    const struct sy_hash *key = &block.state[3].key_hash;
    // "The place is taken by another leaf", which is the key's own.
    test_block_prove_state(&proof, &block, key);
    proof.state.present = false;
    proof.state.other = true;
    proof.state.other_key_hash = *key;
    sy_sha256(&proof.state.other_value_hash, block.state[3].value.data, block.state[3].value.size);
    assert_fails("the key itself");
    // "The place is empty."
    test_block_prove_state(&proof, &block, key);
    proof.state.present = false;
    assert_fails("state root");
    // A true path of another key.
    struct sy_hash absent = test_hash(4321);
    test_block_prove_state(&proof, &block, &absent);
    assert_true(holds());
    proof.state.key_hash = *key;
    assert_false(holds());
}

CASE(other_leaf_off_the_path_is_refused)
{
    struct sy_hash absent = test_hash(4321);
    unsigned i = 4321;
    do {
        absent = test_hash(i++);
        test_block_prove_state(&proof, &block, &absent);
    } while (!proof.state.other || proof.state.count == 0);
    proof.state.key_hash.bytes[0] ^= 0x80; // now the other leaf lies on the other side
    assert_fails("does not lie on the key's path");
}

CASE(value_of_another_time_is_none)
{
    test_block_prove_state(&proof, &block, &block.state[0].key_hash);
    proof.state.value.size--;
    assert_fails("state root");
}

CASE(path_longer_than_a_key_is_refused)
{
    test_block_prove_state(&proof, &block, &block.state[0].key_hash);
    proof.state.count = SY_TRIE_DEPTH_MAX + 1;
    assert_fails("longer than a key");
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_state_proof_encode(&w, &proof.state);
    assert_true(w.failed);
}

/* --- trusted headers ----------------------------------------------------------------------- */

CASE(trusted_header_needs_no_certificate)
{
    struct sy_hash hash;
    sy_header_hash(&hash, &block.genesis.hash, &block.header);
    test_block_prove_receipt(&proof, &block, 2, true);
    memset(&proof.certificate, 0, sizeof proof.certificate);
    assert_fails("certificate");
    assert_true(sy_proof_verify(&proof, &block.genesis, &hash, &what));
    hash.bytes[9] ^= 1;
    assert_false(sy_proof_verify(&proof, &block.genesis, &hash, &what));
    assert_non_null(strstr(what, "trusted"));
}

CASE(height_zero_is_believed_only_when_derived)
{
    struct sy_hash hash;
    test_block_prove_state(&proof, &block, &block.state[1].key_hash);
    sy_genesis_header(&proof.header, &block.genesis, &block.header.state_root);
    memset(&proof.certificate, 0, sizeof proof.certificate);
    (void)pass_through_bytes(); // no certificate travels
    assert_int_equal(proof.certificate.count, 0);
    assert_fails("genesis header");
    sy_header_hash(&hash, &block.genesis.hash, &proof.header);
    assert_true(sy_proof_verify(&proof, &block.genesis, &hash, &what));
}

CASE(bodies_verify_beside_a_header_sent_once)
{
    test_block_prove_receipt(&proof, &block, 4, true);
    assert_true(sy_receipt_proof_verify(&proof.receipt, &block.header, &block.genesis, NULL));
    struct sy_header other = block.header;
    other.receipts_root.bytes[0] ^= 1;
    assert_false(sy_receipt_proof_verify(&proof.receipt, &other, &block.genesis, &what));
}

/* --- paths --------------------------------------------------------------------------------- */

// RFC 6962 paths of every leaf of every small tree lead to the same root after they travelled,
// though index and size do not travel.
CASE(paths_keep_their_root_on_the_way)
{
    enum { LEAVES = 70 };
    static struct sy_hash leaves[LEAVES];
    static struct sy_hash scratch[LEAVES];
    for (unsigned i = 0; i < LEAVES; i++) leaves[i] = test_hash(i);
    for (unsigned count = 1; count <= LEAVES; count++) {
        struct sy_hash root;
        sy_merkle_root(&root, scratch, leaves, count);
        for (unsigned i = 0; i < count; i++) {
            struct sy_receipt_proof body = {.receipt = {(const uint8_t *)"r", 1}};
            struct sy_receipt_proof back;
            struct sy_hash reached;
            sy_merkle_path_make(&body.receipt_path, scratch, leaves, count, i);
            struct sy_writer w = sy_writer_of(room, sizeof room);
            sy_receipt_proof_encode(&w, &body);
            assert_false(w.failed);
            struct sy_reader r = sy_reader_of(sy_writer_slice(&w));
            assert_true(sy_receipt_proof_decode(&r, &back) && sy_reader_done(&r));
            assert_int_equal(back.receipt_path.count, body.receipt_path.count);
            assert_true(sy_merkle_path_root(&reached, &back.receipt_path, &leaves[i]));
            assert_true(sy_hash_equal(&reached, &root));
            // And again to the same bytes.
            struct sy_writer again = sy_writer_of(room + 8192, 8192);
            sy_receipt_proof_encode(&again, &back);
            assert_true(sy_slice_equal(sy_writer_slice(&again), sy_writer_slice(&w)));
        }
    }
}

CASE(sides_beyond_the_path_are_refused)
{
    struct sy_receipt_proof body = {.receipt = {(const uint8_t *)"r", 1}};
    struct sy_hash leaves[4] = {test_hash(0), test_hash(1), test_hash(2), test_hash(3)};
    struct sy_hash scratch[4];
    sy_merkle_path_make(&body.receipt_path, scratch, leaves, 4, 3);
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_receipt_proof_encode(&w, &body);
    size_t sides = 4 + 1 + 1;
    assert_int_equal(room[sides], 3);
    room[sides] = 7; // a third side of two siblings
    struct sy_reader r = sy_reader_of(sy_writer_slice(&w));
    assert_false(sy_receipt_proof_decode(&r, &body));
    assert_string_equal(r.what, "receipt path");
    room[sides] = 3;
    room[sides - 1] = SY_MERKLE_PATH_MAX + 1;
    r = sy_reader_of(sy_writer_slice(&w));
    assert_false(sy_receipt_proof_decode(&r, &body));
}

CASE(path_that_fits_no_tree_is_not_written)
{
    test_block_prove_receipt(&proof, &block, 1, false);
    proof.receipt.receipt_path.leaf_index = 99;
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_proof_encode(&w, &proof);
    assert_true(w.failed);
    proof.kind = 9;
    w = sy_writer_of(room, sizeof room);
    sy_proof_encode(&w, &proof);
    assert_true(w.failed);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(every_receipt_of_a_block_has_a_proof),
        cmocka_unit_test(every_entry_of_the_state_has_a_proof),
        cmocka_unit_test(every_other_key_has_a_proof_of_absence),
        cmocka_unit_test(tries_of_any_size_prove_presence_and_absence),
        cmocka_unit_test(deepest_path_proves_two_keys_that_differ_in_their_last_bit),
        cmocka_unit_test(empty_state_proves_every_absence_without_siblings),
        cmocka_unit_test(trie_hashes_are_their_definitions),
        cmocka_unit_test(every_single_bit_change_of_a_proof_is_refused),
        cmocka_unit_test(mending_the_checksum_does_not_help),
        cmocka_unit_test(file_of_something_else_says_so),
        cmocka_unit_test(proof_of_another_network_is_none),
        cmocka_unit_test(header_without_its_seals_is_none),
        cmocka_unit_test(receipt_of_another_place_is_none),
        cmocka_unit_test(receipt_with_the_transaction_of_another_is_none),
        cmocka_unit_test(receipt_of_another_height_is_none),
        cmocka_unit_test(transaction_outside_the_batch_or_block_is_none),
        cmocka_unit_test(transaction_with_a_bad_signature_is_none),
        cmocka_unit_test(present_key_is_not_shown_absent),
        cmocka_unit_test(other_leaf_off_the_path_is_refused),
        cmocka_unit_test(value_of_another_time_is_none),
        cmocka_unit_test(path_longer_than_a_key_is_refused),
        cmocka_unit_test(trusted_header_needs_no_certificate),
        cmocka_unit_test(height_zero_is_believed_only_when_derived),
        cmocka_unit_test(bodies_verify_beside_a_header_sent_once),
        cmocka_unit_test(paths_keep_their_root_on_the_way),
        cmocka_unit_test(sides_beyond_the_path_are_refused),
        cmocka_unit_test(path_that_fits_no_tree_is_not_written),
    };
    return cmocka_run_group_tests(cases, prepare, NULL);
}
