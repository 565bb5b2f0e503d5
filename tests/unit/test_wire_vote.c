/* test_wire_vote.c: what validators say to each other, and what each of them signs. */
#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>

#include "core/crypto/hash.h"
#include "core/wire/vote.h"
#include "tests/support/samples.h"

static struct sy_message message;
static uint8_t room[1u << 16];

static struct sy_message *sample(const char *name)
{
    char full[64];
    (void)snprintf(full, sizeof full, "message/%s", name);
    assert_true(sy_message_decode(&message, test_sample(full), 4));
    return &message;
}

CASE(types_are_read_and_unknown_ones_refused)
{
    assert_int_equal(sample("pre_prepare")->type, SY_MESSAGE_PRE_PREPARE);
    assert_int_equal(sample("prepare")->body.vote.type, SY_MESSAGE_PREPARE);
    assert_int_equal(sample("commit")->body.vote.type, SY_MESSAGE_COMMIT);
    assert_int_equal(sample("status")->body.status.counter, 77);
    uint8_t bytes[200] = {0};
    for (unsigned type = 0; type < 256; type++) {
        bool known = type >= SY_MESSAGE_PRE_PREPARE && type <= SY_MESSAGE_VIEW_FETCH;
        bytes[0] = (uint8_t)type;
        if (!known) assert_false(sy_message_decode(&message, sy_slice_of(bytes, sizeof bytes), 4));
    }
    struct sy_writer w = sy_writer_of(room, sizeof room);
    message.type = 99;
    sy_message_encode(&w, &message);
    assert_true(w.failed);
}

// A signer's index must be one of the roster's, whatever the message.
CASE(signers_lie_within_the_roster)
{
    struct sy_message *m = sample("prepare");
    assert_int_equal(m->body.vote.signer, 3);
    assert_true(test_accepted(m, 4));
    assert_true(test_accepted(m, 7));
    m->body.vote.signer = 4;
    assert_false(test_accepted(m, 4));
    assert_true(test_accepted(m, 5));
    m = sample("seal");
    m->body.seal.seal.signer = 4;
    assert_false(test_accepted(m, 4));
    m = sample("status");
    m->body.status.signer = UINT16_MAX;
    assert_false(test_accepted(m, 4));
}

CASE(makers_lie_within_the_roster)
{
    struct sy_message *m = sample("pre_prepare");
    m->body.pre_prepare.proposal.entries[1].maker = 4;
    assert_false(test_accepted(m, 4));
    assert_true(test_accepted(m, 5));
    m = sample("block");
    m->body.block.proposal.entries[0].maker = 9;
    assert_false(test_accepted(m, 4));
}

CASE(slots_and_views_have_bounds)
{
    struct sy_message *m = sample("commit");
    m->body.vote.slot = 0;
    assert_false(test_accepted(m, 4));
    m->body.vote.slot = SY_SLOT_MAX;
    assert_true(test_accepted(m, 4));
    m->body.vote.slot = SY_SLOT_MAX + 1;
    assert_false(test_accepted(m, 4));
    m = sample("commit");
    m->body.vote.view = UINT64_MAX;
    assert_false(test_accepted(m, 4));
    m = sample("pre_prepare");
    m->body.pre_prepare.view = SY_SLOT_MAX + 1;
    assert_false(test_accepted(m, 4));
    m = sample("seal");
    m->body.seal.height = 0;
    assert_false(test_accepted(m, 4));
    m = sample("status");
    m->body.status.certified_height = 0; // nothing but the genesis yet
    assert_true(test_accepted(m, 4));
    m->body.status.certified_height = UINT64_MAX;
    assert_false(test_accepted(m, 4));
    m = sample("status");
    m->body.status.executed_height = SY_SLOT_MAX + 1;
    assert_false(test_accepted(m, 4));
    m = sample("status");
    m->body.status.view = SY_SLOT_MAX + 1;
    assert_false(test_accepted(m, 4));
    m = sample("status");
    m->body.status.time_ms = -1;
    assert_false(test_accepted(m, 4));
}

CASE(fetches_are_bounded)
{
    struct sy_message *m = sample("block_fetch");
    m->body.range_fetch.count = 0;
    assert_false(test_accepted(m, 4));
    m->body.range_fetch.count = SY_FETCH_BLOCKS_MAX + 1;
    assert_false(test_accepted(m, 4));
    m->body.range_fetch.count = 1;
    m->body.range_fetch.first = 0;
    assert_false(test_accepted(m, 4));
    m->body.range_fetch.first = UINT64_MAX; // first + count would wrap
    assert_false(test_accepted(m, 4));
    m = sample("slot_fetch");
    m->body.range_fetch.view = UINT64_MAX;
    assert_false(test_accepted(m, 4));
}

CASE(batch_fetch_names_different_batches)
{
    struct sy_message *m = sample("batch_fetch");
    struct sy_batch_fetch *fetch = &m->body.batch_fetch;
    fetch->digests[1] = fetch->digests[0];
    assert_false(test_accepted(m, 4));
    fetch->count = 0;
    assert_false(test_accepted(m, 4));
    fetch->count = SY_FETCH_DIGESTS_MAX;
    for (unsigned i = 0; i < SY_FETCH_DIGESTS_MAX; i++) fetch->digests[i] = test_hash(i);
    assert_true(test_accepted(m, 4));
    fetch->count++;
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_message_encode(&w, m);
    assert_true(w.failed);
}

CASE(batch_message_holds_a_whole_batch)
{
    struct sy_message *m = sample("batch");
    assert_true(sy_slice_equal(m->body.batch, test_sample("batch/two")));
    m->body.batch.size--;
    assert_false(test_accepted(m, 4));
}

CASE(block_message_is_of_one_slot_and_epoch)
{
    struct sy_message *m = sample("block");
    m->body.block.header.height++;
    assert_false(test_accepted(m, 4));
    m = sample("block");
    m->body.block.header.epoch++;
    assert_false(test_accepted(m, 4));
    m = sample("block");
    assert_false(test_accepted(m, 7));             // whose quorum is another
    m->body.block.certificate.seals[0].signer = 1; // twice
    assert_false(test_accepted(m, 4));
}

/* --- what is signed ------------------------------------------------------------------------ */

static void preimage_digest(struct sy_hash *out, uint8_t kind, const struct sy_hash *genesis,
                            const uint8_t *layout, size_t size)
{
    uint8_t preimage[256];
    preimage[0] = 0x02;
    preimage[1] = kind;
    memcpy(preimage + 2, genesis->bytes, 32);
    memcpy(preimage + 34, layout, size);
    sy_sha256(out, preimage, 34 + size);
}

CASE(votes_sign_epoch_view_slot_and_proposal)
{
    struct sy_hash genesis = test_hash(1);
    struct sy_vote vote = {.type = SY_MESSAGE_PREPARE,
                           .epoch = 0x01020304,
                           .view = 5,
                           .slot = 6,
                           .proposal_digest = test_hash(7),
                           .signer = 2};
    uint8_t layout[52];
    struct sy_hash expected;
    struct sy_hash digest;
    sy_store_u32(layout, 0x01020304);
    sy_store_u64(layout + 4, 5);
    sy_store_u64(layout + 12, 6);
    memcpy(layout + 20, vote.proposal_digest.bytes, 32);

    sy_vote_digest(&digest, &genesis, &vote);
    preimage_digest(&expected, SY_DIGEST_PREPARE, &genesis, layout, sizeof layout);
    assert_true(sy_hash_equal(&digest, &expected));
    vote.type = SY_MESSAGE_COMMIT;
    sy_vote_digest(&digest, &genesis, &vote);
    preimage_digest(&expected, SY_DIGEST_COMMIT, &genesis, layout, sizeof layout);
    assert_true(sy_hash_equal(&digest, &expected));
    sy_pre_prepare_digest(&digest, &genesis, 0x01020304, 5, 6, &vote.proposal_digest);
    preimage_digest(&expected, SY_DIGEST_PRE_PREPARE, &genesis, layout, sizeof layout);
    assert_true(sy_hash_equal(&digest, &expected));
}

CASE(no_two_places_of_a_vote_sign_the_same)
{
    struct sy_hash genesis = test_hash(1);
    struct sy_hash digests[7];
    struct sy_vote base = {.type = SY_MESSAGE_PREPARE,
                           .epoch = 1,
                           .view = 1,
                           .slot = 1,
                           .proposal_digest = test_hash(7)};
    for (unsigned i = 0; i < 7; i++) {
        struct sy_vote vote = base;
        struct sy_hash network = genesis;
        if (i == 1) vote.type = SY_MESSAGE_COMMIT;
        if (i == 2) vote.epoch = 2;
        if (i == 3) vote.view = 2;
        if (i == 4) vote.slot = 2;
        if (i == 5) vote.proposal_digest = test_hash(8);
        if (i == 6) network = test_hash(2);
        sy_vote_digest(&digests[i], &network, &vote);
        for (unsigned k = 0; k < i; k++) assert_false(sy_hash_equal(&digests[i], &digests[k]));
    }
}

CASE(status_signs_everything_but_its_signature)
{
    struct sy_hash genesis = test_hash(1);
    struct sy_hash original;
    struct sy_hash digest;
    struct sy_status_message status = sample("status")->body.status;
    sy_status_digest(&original, &genesis, &status);
    // The message without type and signature is the layout.
    struct sy_slice bytes = test_sample("message/status");
    struct sy_hash expected;
    preimage_digest(&expected, SY_DIGEST_STATUS, &genesis, bytes.data + 1, bytes.size - 65);
    assert_true(sy_hash_equal(&original, &expected));

    status.signature.bytes[0] ^= 1;
    sy_status_digest(&digest, &genesis, &status);
    assert_true(sy_hash_equal(&digest, &original));
    status.counter++;
    sy_status_digest(&digest, &genesis, &status);
    assert_false(sy_hash_equal(&digest, &original));
    status.counter--;
    status.committed_mask ^= 1ull << 63;
    sy_status_digest(&digest, &genesis, &status);
    assert_false(sy_hash_equal(&digest, &original));
}

CASE(seal_digest_is_epoch_height_and_header_hash)
{
    struct sy_hash genesis = test_hash(1);
    struct sy_hash header_hash = test_hash(2);
    struct sy_hash expected;
    struct sy_hash digest;
    uint8_t layout[44];
    sy_store_u32(layout, 3);
    sy_store_u64(layout + 4, 4);
    memcpy(layout + 12, header_hash.bytes, 32);
    preimage_digest(&expected, SY_DIGEST_SEAL, &genesis, layout, sizeof layout);
    sy_seal_digest(&digest, &genesis, 3, 4, &header_hash);
    assert_true(sy_hash_equal(&digest, &expected));
}

static void digest_of_a_seal_as_vote(void *context)
{
    struct sy_hash digest = test_hash(1);
    struct sy_vote vote = {.type = SY_MESSAGE_SEAL};
    (void)context;
    sy_vote_digest(&digest, &digest, &vote);
}

CASE(only_prepare_and_commit_are_votes)
{
    assert_aborts(digest_of_a_seal_as_vote, NULL);
}

CASE(votes_have_the_sizes_that_the_format_says)
{
    assert_int_equal(test_sample("message/prepare").size, 1 + 4 + 8 + 8 + 32 + 2 + 64);
    assert_int_equal(test_sample("message/seal").size, 1 + 4 + 8 + 32 + 2 + 64);
    assert_int_equal(test_sample("message/status").size, 1 + 71 + 64);
    assert_int_equal(test_sample("message/block_fetch").size, 1 + 8 + 2);
    assert_int_equal(test_sample("message/slot_fetch").size, 1 + 8 + 8 + 2);
    assert_int_equal(test_sample("message/pre_prepare").size, 1 + 22 + 2 * 42 + 8 + 64);
    assert_int_equal(test_sample("message/block").size, 1 + 22 + 2 * 42 + 184 + 2 + 3 * 66);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(types_are_read_and_unknown_ones_refused),
        cmocka_unit_test(signers_lie_within_the_roster),
        cmocka_unit_test(makers_lie_within_the_roster),
        cmocka_unit_test(slots_and_views_have_bounds),
        cmocka_unit_test(fetches_are_bounded),
        cmocka_unit_test(batch_fetch_names_different_batches),
        cmocka_unit_test(batch_message_holds_a_whole_batch),
        cmocka_unit_test(block_message_is_of_one_slot_and_epoch),
        cmocka_unit_test(votes_sign_epoch_view_slot_and_proposal),
        cmocka_unit_test(no_two_places_of_a_vote_sign_the_same),
        cmocka_unit_test(status_signs_everything_but_its_signature),
        cmocka_unit_test(seal_digest_is_epoch_height_and_header_hash),
        cmocka_unit_test(only_prepare_and_commit_are_votes),
        cmocka_unit_test(votes_have_the_sizes_that_the_format_says),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
