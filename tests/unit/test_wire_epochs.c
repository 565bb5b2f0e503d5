/* test_wire_epochs.c: proofs and evidence of later epochs are checked with the genesis alone: they
 * carry the handovers that lead there, and nothing else leads there. */
#include "tests/support/test.h"

#include <string.h>

#include "core/base/json.h"
#include "core/crypto/hash.h"
#include "core/wire/evidence.h"
#include "core/wire/render.h"
#include "tests/support/epochs.h"

static struct test_epochs epochs;
static struct sy_proof proof;
static struct sy_evidence evidence;
static struct test_entry entry;
static uint8_t room[1u << 16];
static const char *what;

static int prepare(void **state)
{
    (void)state;
    test_epochs_make(&epochs, NULL);
    entry.key_hash = test_hash(50);
    entry.value = sy_slice_of("what is proven", 14);
    return 0;
}

/* A proof of the entry under a header of an epoch. */
static void make_proof(unsigned epoch, uint64_t height)
{
    memset(&proof, 0, sizeof proof);
    memcpy(proof.network, sy_network_tag(&epochs.genesis), sizeof proof.network);
    proof.kind = SY_PROOF_STATE;
    test_epochs_header(&epochs, &proof.header, &proof.certificate, epoch, height);
    test_trie_root(&proof.header.state_root, &entry, 1);
    test_certify(&proof.certificate, &epochs.genesis.hash, &epochs.rosters[epoch], &proof.header);
    test_trie_prove(&proof.state, &entry, 1, &entry.key_hash);
    proof.handovers = test_epochs_path(&epochs, 0, epoch);
}

static bool proof_holds(void)
{
    what = "";
    return sy_proof_verify(&proof, &epochs.genesis, NULL, &what);
}

static struct sy_slice encoded_proof(void)
{
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_proof_encode(&w, &proof);
    assert_false(w.failed);
    return sy_writer_slice(&w);
}

static bool reads_back(struct sy_slice bytes)
{
    what = "";
    return sy_proof_decode(&proof, bytes, &epochs.genesis.roster, &what);
}

/* --- proofs -------------------------------------------------------------------------------- */

CASE(proofs_of_every_epoch_hold_with_the_genesis_alone)
{
    for (unsigned epoch = 0; epoch < TEST_EPOCHS; epoch++) {
        make_proof(epoch, TEST_EPOCH_HEIGHTS * epoch + 2);
        assert_true(proof_holds());
        assert_true(reads_back(encoded_proof()));
        assert_true(proof_holds());
        assert_int_equal(proof.handovers.size, epochs.ends[epoch]);
        struct sy_roster roster;
        assert_true(sy_proof_roster(&roster, &proof, &epochs.genesis, &what));
        assert_memory_equal(&roster, &epochs.rosters[epoch], sizeof roster);
    }
}

CASE(proofs_without_all_handovers_do_not_hold)
{
    for (unsigned epoch = 1; epoch < TEST_EPOCHS; epoch++) {
        for (unsigned end = 0; end < TEST_EPOCHS; end++) {
            make_proof(epoch, TEST_EPOCH_HEIGHTS * epoch + 2);
            proof.handovers = test_epochs_path(&epochs, 0, end);
            assert_int_equal(proof_holds(), end == epoch);
            if (end != epoch) assert_non_null(strstr(what, "roster of its epoch"));
        }
        proof.handovers = test_epochs_path(&epochs, 1, epoch);
        assert_false(proof_holds());
    }
    // Epoch 0 needs none, and has no second form with one.
    make_proof(0, 2);
    proof.handovers = test_epochs_path(&epochs, 0, 1);
    assert_false(proof_holds());
    assert_false(reads_back(encoded_proof()));
}

CASE(proofs_without_any_handovers_are_for_those_who_know_the_roster)
{
    struct sy_hash hash;
    make_proof(2, 10);
    proof.handovers = sy_slice_of(NULL, 0);
    assert_true(reads_back(encoded_proof()));
    assert_int_equal(proof.handovers.size, 0);
    assert_false(proof_holds());
    sy_header_hash(&hash, &epochs.genesis.hash, &proof.header);
    assert_true(sy_proof_verify(&proof, &epochs.genesis, &hash, &what));
}

CASE(seals_of_another_epochs_roster_prove_nothing)
{
    for (unsigned epoch = 0; epoch < TEST_EPOCHS; epoch++) {
        for (unsigned by = 0; by < TEST_EPOCHS; by++) {
            make_proof(epoch, TEST_EPOCH_HEIGHTS * epoch + 2);
            test_certify(&proof.certificate, &epochs.genesis.hash, &epochs.rosters[by],
                         &proof.header);
            // n is 4 or 5, so quorum is 3 or 4; validators 0 to 2 of epoch 0, 0 to 3 of epoch 1.
            assert_int_equal(proof_holds(), by == epoch);
        }
    }
    make_proof(2, TEST_EPOCH_HEIGHTS * 2);
    assert_false(proof_holds());
    assert_non_null(strstr(what, "height before its epoch"));
    make_proof(2, TEST_EPOCH_HEIGHTS * 2 + 1);
    assert_true(proof_holds());
}

/* The seals of a roster that came later are none for heights before it. */
CASE(handovers_below_the_one_before_lead_nowhere)
{
    uint8_t bytes[2 * SY_HANDOVER_BYTES_MAX];
    struct sy_handover second = epochs.handovers[1];
    for (uint64_t height = TEST_EPOCH_HEIGHTS - 1; height <= TEST_EPOCH_HEIGHTS + 1; height++) {
        struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
        struct sy_roster roster = epochs.genesis.roster;
        second.header.height = height;
        test_certify(&second.certificate, &epochs.genesis.hash, &epochs.rosters[1], &second.header);
        sy_handover_encode(&w, &epochs.handovers[0]);
        sy_handover_encode(&w, &second);
        sy_status status =
            sy_handovers_follow(&roster, NULL, &epochs.genesis.hash, sy_writer_slice(&w), 2, NULL);
        assert_int_equal(status, height > TEST_EPOCH_HEIGHTS ? SY_OK : SY_ERR_CRYPTO);
    }
}

/* But for the proofs of possession of six new keys: validator 4's and validator 1's. */
CASE(no_bit_of_a_proof_with_handovers_is_free)
{
    unsigned free_bits = 0;
    make_proof(2, 10);
    struct sy_slice bytes = encoded_proof();
    size_t content = bytes.size - 32;
    for (size_t bit = 0; bit < content * 8; bit++) {
        struct sy_hash checksum;
        room[bit / 8] ^= (uint8_t)(1u << bit % 8);
        sy_sha256(&checksum, room, content);
        memcpy(room + content, checksum.bytes, 32);
        if (reads_back(bytes) && proof_holds()) {
            struct sy_roster roster;
            assert_true(sy_proof_roster(&roster, &proof, &epochs.genesis, &what));
            assert_memory_equal(&roster, &epochs.rosters[2], sizeof roster);
            free_bits++;
        }
        room[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    sy_sha256((struct sy_hash *)(room + content), room, content);
    assert_true(reads_back(bytes) && proof_holds());
    assert_int_equal(free_bits, 6 * 64 * 8);
}

CASE(signers_have_the_names_of_their_epoch)
{
    sy_json json;
    make_proof(3, 14);
    sy_json_init_growing(&json, 1u << 20);
    sy_proof_to_json(&json, &proof, &epochs.genesis);
    const char *text = sy_json_finish(&json);
    assert_non_null(text);
    assert_non_null(strstr(text, "validator 1")); // index 0 of epoch 3
    assert_null(strstr(text, "validator 0"));
    sy_json_free(&json);
}

/* --- evidence ------------------------------------------------------------------------------ */

/* Two PREPAREs of validator 1, whose key is another one from epoch 2 on. */
static void make_evidence(unsigned epoch, unsigned key)
{
    struct sy_evidence_statement statements[2];
    memset(&evidence, 0, sizeof evidence);
    memcpy(evidence.network, sy_network_tag(&epochs.genesis), sizeof evidence.network);
    evidence.type = SY_MESSAGE_PREPARE;
    evidence.epoch = epoch;
    evidence.view = 4;
    evidence.slot = TEST_EPOCH_HEIGHTS * epoch + 1;
    evidence.signer = 1;
    for (unsigned i = 0; i < 2; i++) {
        struct sy_hash digest;
        statements[i].digest = test_hash(70 + i);
        struct sy_vote vote = {.type = SY_MESSAGE_PREPARE,
                               .epoch = epoch,
                               .view = evidence.view,
                               .slot = evidence.slot,
                               .proposal_digest = statements[i].digest};
        sy_vote_digest(&digest, &epochs.genesis.hash, &vote);
        sy_sign(test_key(key), &statements[i].signature, SY_SIG_PREPARE, &digest);
    }
    assert_true(sy_evidence_pair(&evidence, &statements[0], &statements[1]));
    evidence.handovers = test_epochs_path(&epochs, 0, epoch);
}

static bool evidence_holds(void)
{
    what = "";
    return sy_evidence_verify(&evidence, &epochs.genesis, &what);
}

static struct sy_slice encoded_evidence(void)
{
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_evidence_encode(&w, &evidence);
    assert_false(w.failed);
    return sy_writer_slice(&w);
}

CASE(evidence_is_judged_by_the_roster_of_its_epoch)
{
    static const unsigned keys[3] = {3, 3, TEST_REKEYED};
    for (unsigned epoch = 0; epoch < 3; epoch++) {
        make_evidence(epoch, keys[epoch]);
        assert_true(evidence_holds());
        assert_true(sy_evidence_decode(&evidence, encoded_evidence(), &what));
        assert_int_equal(evidence.handovers.size, epochs.ends[epoch]);
        assert_true(evidence_holds());
        make_evidence(epoch, epoch < 2 ? TEST_REKEYED : 3);
        assert_false(evidence_holds());
        assert_non_null(strstr(what, "first signature"));
    }
    // In epoch 3 index 1 is validator 2.
    make_evidence(3, 6);
    assert_true(evidence_holds());
    evidence.signer = 4;
    assert_false(evidence_holds());
    assert_non_null(strstr(what, "no such validator"));
}

CASE(evidence_as_validators_keep_it_is_completed_by_who_exports_it)
{
    make_evidence(1, 3);
    evidence.handovers = sy_slice_of(NULL, 0);
    struct sy_slice bytes = encoded_evidence();
    assert_int_equal(bytes.size, SY_EVIDENCE_BYTES);
    assert_true(sy_evidence_decode(&evidence, bytes, &what));
    assert_false(evidence_holds());
    assert_non_null(strstr(what, "roster of its epoch"));
    evidence.handovers = test_epochs_path(&epochs, 0, 1);
    assert_true(evidence_holds());
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(proofs_of_every_epoch_hold_with_the_genesis_alone),
        cmocka_unit_test(proofs_without_all_handovers_do_not_hold),
        cmocka_unit_test(proofs_without_any_handovers_are_for_those_who_know_the_roster),
        cmocka_unit_test(seals_of_another_epochs_roster_prove_nothing),
        cmocka_unit_test(handovers_below_the_one_before_lead_nowhere),
        cmocka_unit_test(no_bit_of_a_proof_with_handovers_is_free),
        cmocka_unit_test(signers_have_the_names_of_their_epoch),
        cmocka_unit_test(evidence_is_judged_by_the_roster_of_its_epoch),
        cmocka_unit_test(evidence_as_validators_keep_it_is_completed_by_who_exports_it),
    };
    return cmocka_run_group_tests(cases, prepare, NULL);
}
