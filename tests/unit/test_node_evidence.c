/* A validator that tells two stories to one that listens: the node keeps evidence, a piece a place,
 * a bounded number of them, and goes on. */
#include "consensus/node/committer.h"
#include "consensus/node/evidence.h"
#include "tests/support/stores.h"
#include "tests/unit/node_rig.h"

#define PIECES_MAX 64u

struct kept {
    unsigned count;
    struct sy_evidence pieces[PIECES_MAX];
};

/* Every piece that the node wants stored: it decodes, it holds, and its place is its own. */
static void look(struct kept *kept, const struct node_rig *rig)
{
    const char *what = "";
    kept->count = 0;
    for (unsigned i = 0; i < rig->logged; i++) {
        const struct sy_node_effect *effect = &rig->log[i].effect;
        if (effect->type != SY_NODE_COMMIT) continue;
        if (effect->as.commit.what != SY_COMMIT_EVIDENCE) continue;
        assert_true(kept->count < PIECES_MAX);
        struct sy_evidence *piece = &kept->pieces[kept->count++];
        if (!sy_evidence_decode(piece, rig->log[i].bytes, &what)) fail_msg("%s", what);
        if (!sy_evidence_verify(piece, &rig->genesis, &what)) fail_msg("%s", what);
        struct sy_public_key key = test_public(3u * piece->signer);
        assert_memory_equal(effect->as.commit.digest.bytes, key.bytes, 32);
        assert_int_equal(effect->as.commit.record_type, piece->type);
        assert_int_equal(effect->as.commit.slot, piece->slot);
        assert_int_equal(effect->as.commit.view, piece->view);
    }
}

static void assert_piece(const struct sy_evidence *piece, uint8_t type, uint16_t signer,
                         uint64_t slot)
{
    assert_int_equal(piece->type, type);
    assert_int_equal(piece->signer, signer);
    assert_int_equal(piece->slot, slot);
    assert_int_equal(piece->view, 0);
    assert_int_equal(piece->epoch, 0);
}

static void vote_for(struct node_rig *rig, uint8_t type, uint16_t signer, uint64_t slot,
                     unsigned digest)
{
    struct sy_hash hash = test_hash(digest);
    nrig_frame(rig, signer, nrig_vote(rig, type, signer, slot, &hash));
}

static void seal_for(struct node_rig *rig, uint16_t signer, uint64_t height, unsigned digest)
{
    struct sy_hash hash = test_hash(digest);
    nrig_frame(rig, signer, nrig_seal(rig, signer, height, &hash));
}

static void propose_twice(struct node_rig *rig, uint64_t slot)
{
    struct sy_proposal one = {.slot = slot, .time_ms = rig->now_ms};
    struct sy_proposal other = {.slot = slot, .time_ms = rig->now_ms + 1};
    nrig_frame(rig, 0, nrig_pre_prepare(rig, &one));
    nrig_frame(rig, 2, nrig_pre_prepare(rig, &other)); // a peer passes on what it was told
}

/* ---- what is kept ------------------------------------------------------------------------ */

CASE(a_primary_that_proposes_twice_leaves_evidence)
{
    struct node_rig rig;
    struct kept kept;
    struct sy_hash digest;
    nrig_open(&rig, 1, 0);
    propose_twice(&rig, 1);
    look(&kept, &rig);
    assert_int_equal(kept.count, 1);
    assert_piece(&kept.pieces[0], SY_MESSAGE_PRE_PREPARE, 0, 1);
    struct sy_proposal one = {.slot = 1, .time_ms = rig.now_ms};
    sy_proposal_digest(&digest, &rig.genesis.hash, &one);
    assert_true(sy_hash_equal(&kept.pieces[0].statements[0].digest, &digest) ||
                sy_hash_equal(&kept.pieces[0].statements[1].digest, &digest));
    assert_int_equal(nrig_info(&rig)->pbft.equivocations_total, 1);
    nrig_close(&rig);
}

CASE(every_kind_of_vote_that_is_given_twice_leaves_evidence)
{
    struct node_rig rig;
    struct kept kept;
    nrig_open(&rig, 1, 0);
    for (unsigned digest = 1; digest <= 2; digest++) {
        vote_for(&rig, SY_MESSAGE_PREPARE, 2, 3, digest);
        vote_for(&rig, SY_MESSAGE_COMMIT, 3, 4, digest);
        seal_for(&rig, 0, 5, digest);
    }
    look(&kept, &rig);
    assert_int_equal(kept.count, 3);
    assert_piece(&kept.pieces[0], SY_MESSAGE_PREPARE, 2, 3);
    assert_piece(&kept.pieces[1], SY_MESSAGE_COMMIT, 3, 4);
    assert_piece(&kept.pieces[2], SY_MESSAGE_SEAL, 0, 5);
    nrig_close(&rig);
}

CASE(who_says_the_same_twice_leaves_none)
{
    struct node_rig rig;
    struct kept kept;
    nrig_open(&rig, 1, 0);
    for (unsigned i = 0; i < 2; i++) {
        vote_for(&rig, SY_MESSAGE_PREPARE, 2, 3, 1);
        vote_for(&rig, SY_MESSAGE_PREPARE, 2, 4, 2); // another slot
        vote_for(&rig, SY_MESSAGE_COMMIT, 2, 3, 2);  // another phase (rule P9)
        vote_for(&rig, SY_MESSAGE_PREPARE, 3, 3, 2); // another validator
    }
    look(&kept, &rig);
    assert_int_equal(kept.count, 0);
    nrig_close(&rig);
}

/* ---- bounds ------------------------------------------------------------------------------ */

CASE(a_place_gives_one_piece_however_many_stories_are_told)
{
    struct node_rig rig;
    struct kept kept;
    nrig_open(&rig, 1, 0);
    for (unsigned digest = 1; digest <= 20; digest++) {
        vote_for(&rig, SY_MESSAGE_PREPARE, 2, 3, digest);
    }
    look(&kept, &rig);
    assert_int_equal(kept.count, 1);
    nrig_close(&rig);
}

CASE(a_flood_of_lies_is_cut_off_and_stops_nobody)
{
    struct node_rig rig;
    struct kept kept;
    nrig_open(&rig, 1, 0);
    for (uint64_t slot = 2; slot <= SY_PBFT_WINDOW; slot++) {
        for (unsigned digest = 1; digest <= 2; digest++) {
            vote_for(&rig, SY_MESSAGE_PREPARE, 2, slot, digest);
            vote_for(&rig, SY_MESSAGE_COMMIT, 2, slot, digest);
        }
    }
    assert_int_equal(nrig_info(&rig)->pbft.equivocations_total, 2 * (SY_PBFT_WINDOW - 1));
    vote_for(&rig, SY_MESSAGE_PREPARE, 3, 9, 1);
    vote_for(&rig, SY_MESSAGE_PREPARE, 3, 9, 2);
    look(&kept, &rig);
    assert_int_equal(kept.count, SY_EVIDENCE_SIGNER_MAX + 1);
    assert_piece(&kept.pieces[SY_EVIDENCE_SIGNER_MAX], SY_MESSAGE_PREPARE, 3, 9);
    struct sy_proposal proposal = {.slot = 1};
    nrig_decide(&rig, &proposal);
    assert_int_equal(nrig_info(&rig)->pbft.certified_height, 1);
    nrig_close(&rig);
}

CASE(what_the_machine_may_find_and_nobody_can_keep_is_left_out)
{
    struct sy_genesis genesis;
    struct sy_evidence evidence;
    static struct sy_pbft_evidence found;
    test_genesis(&genesis, 4);
    found.type = SY_MESSAGE_STATUS;
    assert_false(sy_node_evidence(&evidence, &found, &genesis));
    found.type = SY_MESSAGE_SEAL; // twice the same
    assert_false(sy_node_evidence(&evidence, &found, &genesis));
}

/* ---- the store --------------------------------------------------------------------------- */

static sy_status see(void *context, const struct sy_hash *signer, const struct sy_record_key *key,
                     struct sy_slice value)
{
    struct kept *kept = (struct kept *)context;
    struct sy_evidence *piece = &kept->pieces[kept->count++];
    (void)key;
    assert_true(sy_evidence_decode(piece, value, NULL));
    struct sy_public_key key_of = test_public(3u * piece->signer);
    assert_memory_equal(signer->bytes, key_of.bytes, 32);
    return SY_OK;
}

/* Found again after a restart, it is the piece that is there already. */
CASE(evidence_outlives_the_votes_and_the_process)
{
    struct test_store t;
    struct kept kept = {0};
    test_store_begin(&t, TEST_STORE_LMDB);
    for (unsigned life = 0; life < 2; life++) {
        struct node_rig rig;
        nrig_open(&rig, 1, 0);
        propose_twice(&rig, 1);
        vote_for(&rig, SY_MESSAGE_COMMIT, 2, 1, 1);
        vote_for(&rig, SY_MESSAGE_COMMIT, 2, 1, 2);
        nrig_store_commits(&rig, t.store);
        struct sy_node_effect drop = {.type = SY_NODE_COMMIT};
        drop.as.commit.what = SY_COMMIT_DROP;
        drop.as.commit.slot = 100;
        struct sy_vote_write writes[2];
        size_t count = sy_committer_writes(writes, &drop);
        assert_int_equal(sy_votes_commit(t.store, writes, count, NULL), SY_OK);
        nrig_close(&rig);
        test_store_restart(&t);
    }
    sy_store_reader *reader = test_reader_open(t.store);
    assert_int_equal(sy_evidence_each(reader, see, &kept, NULL), SY_OK);
    assert_int_equal(kept.count, 2);
    assert_int_equal(kept.pieces[0].type + kept.pieces[1].type,
                     SY_MESSAGE_PRE_PREPARE + SY_MESSAGE_COMMIT);
    sy_store_reader_close(reader);
    test_store_end(&t);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_primary_that_proposes_twice_leaves_evidence),
        cmocka_unit_test(every_kind_of_vote_that_is_given_twice_leaves_evidence),
        cmocka_unit_test(who_says_the_same_twice_leaves_none),
        cmocka_unit_test(a_place_gives_one_piece_however_many_stories_are_told),
        cmocka_unit_test(a_flood_of_lies_is_cut_off_and_stops_nobody),
        cmocka_unit_test(what_the_machine_may_find_and_nobody_can_keep_is_left_out),
        cmocka_unit_test(evidence_outlives_the_votes_and_the_process),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
