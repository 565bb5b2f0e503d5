/* The node loop: what it makes of frames, what it withholds until it is durable, and what it asks
 * for. What it serves: test_node_requests.c. */
#include "core/crypto/hash.h"
#include "tests/unit/node_rig.h"

static struct sy_message message; /* large: not on the stack */

/* ---- frames ------------------------------------------------------------------------------ */

CASE(node_counts_garbage_and_goes_on)
{
    struct node_rig rig;
    sy_prng prng;
    uint8_t bytes[300];
    nrig_open(&rig, 1, 0);
    sy_prng_seed(&prng, test_seed());
    nrig_frame(&rig, 2, sy_slice_of("", 0));
    nrig_frame(&rig, 2, sy_slice_of("\x06", 1)); /* a batch without bytes */
    nrig_frame(&rig, 2, sy_slice_of("\x63what is this", 13));
    for (unsigned i = 0; i < 500; i++) {
        size_t size = 1 + (size_t)sy_prng_below(&prng, sizeof bytes);
        sy_prng_fill(&prng, bytes, size);
        bytes[0] = (uint8_t)(1 + i % 12);
        if (bytes[0] == SY_MESSAGE_BATCH) bytes[0] = SY_MESSAGE_SEAL;
        nrig_frame(&rig, (uint16_t)(i % 4), sy_slice_of(bytes, size));
    }
    assert_true(nrig_info(&rig)->frames_malformed >= 490);
    assert_int_equal(nrig_count(&rig, SY_NODE_EXECUTE) + nrig_committed(&rig, SY_COMMIT_RECORD), 0);
    struct sy_proposal proposal = {.slot = 1};
    nrig_decide(&rig, &proposal); /* and it still works */
    assert_int_equal(nrig_info(&rig)->pbft.certified_height, 1);
    nrig_close(&rig);
}

CASE(node_drops_what_is_signed_wrong)
{
    struct node_rig rig;
    struct sy_hash digest = test_hash(1);
    nrig_open(&rig, 1, 0);
    uint64_t before = nrig_info(&rig)->signatures;
    struct sy_slice vote = nrig_vote(&rig, SY_MESSAGE_PREPARE, 2, 1, &digest);
    ((uint8_t *)(uintptr_t)vote.data)[vote.size - 1] ^= 1;
    nrig_frame(&rig, 2, vote);
    assert_int_equal(nrig_info(&rig)->frames_malformed, 1);
    assert_int_equal(nrig_info(&rig)->signatures, before + 1);
    /* Signed by one validator in another's name. */
    vote = nrig_vote(&rig, SY_MESSAGE_PREPARE, 2, 1, &digest);
    ((uint8_t *)(uintptr_t)vote.data)[vote.size - 66] = 3;
    nrig_frame(&rig, 3, vote);
    assert_int_equal(nrig_info(&rig)->frames_malformed, 2);
    nrig_close(&rig);
}

CASE(node_drops_what_another_epoch_signed)
{
    struct node_rig rig;
    struct sy_message seal = {.type = SY_MESSAGE_SEAL};
    nrig_open(&rig, 1, 0);
    seal.body.seal = (struct sy_seal_message){.epoch = 1, .height = 1};
    nrig_frame(&rig, 2, nrig_encode(&rig, &seal));
    assert_int_equal(nrig_info(&rig)->frames_malformed, 0);
    assert_int_equal(nrig_count(&rig, SY_NODE_CHECK), 0);
    /* Where its sender is, is a hint that needs no signature: it leads to a request for blocks. */
    struct sy_message status = {.type = SY_MESSAGE_STATUS};
    status.body.status = (struct sy_status_message){
        .epoch = 1, .signer = 2, .counter = 1, .certified_height = 500, .executed_height = 500};
    nrig_frame(&rig, 2, nrig_encode(&rig, &status));
    assert_int_equal(nrig_count(&rig, SY_NODE_CHECK), 0);
    assert_int_equal(nrig_info(&rig)->peers[2].certified_height, 500);
    nrig_close(&rig);
}

/* A status of a later epoch is not checked, so one liar may write it in everybody's name. */
CASE(node_believes_no_clock_that_nobody_signed)
{
    struct node_rig rig;
    struct sy_message status = {.type = SY_MESSAGE_STATUS};
    nrig_open(&rig, 1, 0);
    for (unsigned i = 0; i < 100; i++) {
        for (uint16_t signer = 0; signer < 4; signer++) {
            status.body.status = (struct sy_status_message){
                .epoch = 1, .signer = signer, .counter = i, .time_ms = rig.now_ms + 3600000};
            nrig_frame(&rig, 2, nrig_encode(&rig, &status));
        }
        nrig_tick(&rig, 200 * NRIG_MS);
    }
    assert_false(nrig_info(&rig)->clocks.off);
    for (uint16_t i = 0; i < 4; i++) assert_false(nrig_info(&rig)->clocks.peers[i].heard);
    nrig_close(&rig);
}

/* A counter of 0 is said to be known, though nothing is: what would be sent back is nobody's. */
CASE(node_signs_no_status_that_it_did_not_say)
{
    struct node_rig rig;
    struct sy_message status = {.type = SY_MESSAGE_STATUS};
    struct sy_hash digest;
    nrig_open(&rig, 0, 0);
    rig.now_ns += 1000 * NRIG_MS;
    status.body.status = (struct sy_status_message){.signer = 2};
    sy_status_digest(&digest, &rig.genesis.hash, &status.body.status);
    sy_sign(test_key(3 * 2), &status.body.status.signature, SY_SIG_STATUS, &digest);
    nrig_frame(&rig, 2, nrig_encode(&rig, &status));
    for (unsigned i = 0; i < rig.logged; i++) {
        if (rig.log[i].effect.type != SY_NODE_SEND || rig.log[i].effect.as.send.peer != 2) continue;
        fail_msg("validator 2 is sent a message of type %d", rig.log[i].bytes.data[0]);
    }
    nrig_close(&rig);
}

static void make_block(struct sy_message *block, const struct node_rig *rig, uint64_t height)
{
    memset(block, 0, sizeof *block);
    block->type = SY_MESSAGE_BLOCK;
    block->body.block.proposal = (struct sy_proposal){.slot = height, .time_ms = 5};
    struct sy_header *header = &block->body.block.header;
    *header = (struct sy_header){.protocol = SY_PROTOCOL_VERSION, .height = height, .time_ms = 5};
    sy_sha256(&header->batches_root, "", 0);
    test_certificate(&block->body.block.certificate, &rig->genesis, header);
}

static struct sy_slice block_frame(struct node_rig *rig, uint64_t height)
{
    struct sy_message block;
    make_block(&block, rig, height);
    return nrig_encode(rig, &block);
}

CASE(node_judges_every_signature_of_a_message)
{
    struct node_rig rig;
    struct sy_message block;
    nrig_open(&rig, 1, 0);
    make_block(&block, &rig, 1);
    struct sy_certificate *certificate = &block.body.block.certificate;
    assert_int_equal(certificate->count, 3);
    for (uint16_t i = 0; i < certificate->count; i++) {
        certificate->seals[i].signature.bytes[5] ^= 1;
        nrig_frame(&rig, 2, nrig_encode(&rig, &block));
        assert_int_equal(nrig_info(&rig)->frames_malformed, i + 1);
        certificate->seals[i].signature.bytes[5] ^= 1;
    }
    nrig_frame(&rig, 2, nrig_encode(&rig, &block));
    assert_int_equal(nrig_info(&rig)->frames_malformed, 3);
    nrig_close(&rig);
}

CASE(node_spends_no_signature_on_what_is_over)
{
    struct node_rig rig;
    struct sy_hash hash = test_hash(1);
    nrig_open(&rig, 1, 50);
    struct sy_proposal old = {.slot = 50, .time_ms = 1};
    nrig_frame(&rig, 0, nrig_pre_prepare(&rig, &old));
    nrig_frame(&rig, 2, nrig_vote(&rig, SY_MESSAGE_PREPARE, 2, 50, &hash));
    nrig_frame(&rig, 2, nrig_vote(&rig, SY_MESSAGE_COMMIT, 2, 49, &hash));
    nrig_frame(&rig, 2, nrig_seal(&rig, 2, 50, &hash));
    nrig_frame(&rig, 2, block_frame(&rig, 50));
    nrig_frame(&rig, 2, block_frame(&rig, 50 + SY_PBFT_WINDOW + 1));
    assert_int_equal(nrig_count(&rig, SY_NODE_CHECK), 0);
    assert_int_equal(nrig_info(&rig)->frames_malformed, 0);
    nrig_frame(&rig, 2, nrig_seal(&rig, 2, 51, &hash));
    nrig_frame(&rig, 2, block_frame(&rig, 50 + SY_PBFT_WINDOW));
    assert_int_equal(nrig_count(&rig, SY_NODE_CHECK), 2);
    nrig_close(&rig);
}

CASE(node_spends_no_signature_on_more_than_a_quorum)
{
    struct node_rig rig;
    nrig_open(&rig, 1, 50);
    struct sy_proposal proposal = {.slot = 51, .time_ms = rig.now_ms};
    struct sy_hash digest;
    sy_proposal_digest(&digest, &rig.genesis.hash, &proposal);
    nrig_frame(&rig, 0, nrig_pre_prepare(&rig, &proposal)); /* and the own prepare */
    nrig_frame(&rig, 2, nrig_vote(&rig, SY_MESSAGE_PREPARE, 2, 51, &digest));
    assert_int_equal(nrig_count(&rig, SY_NODE_CHECK), 2);
    nrig_frame(&rig, 3, nrig_vote(&rig, SY_MESSAGE_PREPARE, 3, 51, &digest));
    nrig_frame(&rig, 2, nrig_vote(&rig, SY_MESSAGE_PREPARE, 2, 51, &digest));
    assert_int_equal(nrig_count(&rig, SY_NODE_CHECK), 2);
    /* What contradicts the quorum is looked at. */
    struct sy_hash other = test_hash(1);
    nrig_frame(&rig, 3, nrig_vote(&rig, SY_MESSAGE_PREPARE, 3, 51, &other));
    assert_int_equal(nrig_count(&rig, SY_NODE_CHECK), 3);
    nrig_close(&rig);
}

CASE(node_gives_every_peer_its_share_of_checks)
{
    struct node_rig rig;
    struct sy_hash hash = test_hash(1);
    nrig_open(&rig, 1, 0); /* sixteen checks, four validators: eight each */
    rig.hold_checks = true;
    for (uint64_t slot = 1; slot <= 20; slot++) {
        nrig_frame(&rig, 3, nrig_vote(&rig, SY_MESSAGE_PREPARE, 3, slot, &hash));
    }
    assert_int_equal(rig.flying_count, 8);
    assert_int_equal(nrig_info(&rig)->frames_shed, 12);
    nrig_frame(&rig, 2, nrig_vote(&rig, SY_MESSAGE_PREPARE, 2, 1, &hash));
    assert_int_equal(rig.flying_count, 9);
    for (unsigned i = 0; i < 10; i++) {
        nrig_frame(&rig, 0, nrig_vote(&rig, SY_MESSAGE_PREPARE, 2, 2, &hash));
    }
    assert_int_equal(rig.flying_count, 16); /* all are taken */
    while (rig.flying_count > 0) nrig_check(&rig);
    nrig_frame(&rig, 3, nrig_vote(&rig, SY_MESSAGE_PREPARE, 3, 20, &hash));
    assert_int_equal(rig.flying_count, 1); /* and came back */
    nrig_close(&rig);
}

/* A VIEW_CHANGE above height 8: its signer's own signature, and three seals. */
static void make_change(struct sy_message *out, const struct node_rig *rig, uint16_t signer,
                        uint64_t view)
{
    struct sy_view_change *change = &out->body.view_change;
    struct sy_header header = {.protocol = SY_PROTOCOL_VERSION, .height = 8};
    struct sy_hash digest;
    memset(out, 0, sizeof *out);
    out->type = SY_MESSAGE_VIEW_CHANGE;
    change->view = view;
    change->signer = signer;
    change->stable_height = 8;
    sy_header_hash(&change->stable_hash, &rig->genesis.hash, &header);
    test_certificate(&change->certificate, &rig->genesis, &header);
    sy_view_change_digest(&digest, &rig->genesis.hash, change, 4);
    sy_sign(test_key(3u * signer), &change->signature, SY_SIG_VIEW_CHANGE, &digest);
}

static void send_change(struct node_rig *rig, uint16_t signer, uint64_t view)
{
    make_change(&message, rig, signer, view);
    nrig_frame(rig, 2, nrig_encode(rig, &message));
}

/* Rising views make every one of them worth a look. */
static void send_rising(struct node_rig *rig, uint16_t signer, uint64_t from, unsigned count)
{
    for (unsigned i = 0; i < count; i++) send_change(rig, signer, from + i);
}

CASE(node_lets_who_signs_many_view_changes_wait)
{
    struct node_rig rig;
    nrig_open(&rig, 1, 50);
    uint64_t before = nrig_info(&rig)->signatures;
    send_rising(&rig, 2, 1, 1500);
    uint64_t spent = nrig_info(&rig)->signatures - before;
    assert_in_range(spent, 2040, 2056); /* a second's worth */
    send_change(&rig, 3, 1);            /* of somebody else */
    assert_int_equal(nrig_info(&rig)->signatures, before + spent + 4);
    nrig_tick(&rig, 500 * NRIG_MS);
    before = nrig_info(&rig)->signatures;
    send_change(&rig, 2, 5000);
    assert_int_equal(nrig_info(&rig)->signatures, before + 4);
    nrig_close(&rig);
}

/* Copies that a liar sends while the first one is being checked cost the liar, not who signed. */
CASE(node_lets_who_passes_on_copies_wait_and_not_the_signer)
{
    struct node_rig rig;
    nrig_open(&rig, 1, 50);
    for (unsigned i = 0; i < 300; i++) {
        for (uint16_t signer = 0; signer <= 2; signer += 2) {
            make_change(&message, &rig, signer, 1 + i);
            struct sy_slice frame = nrig_encode(&rig, &message);
            uint64_t shed = nrig_info(&rig)->frames_shed;
            rig.hold_checks = true;
            nrig_frame(&rig, signer, frame);
            assert_int_equal(nrig_info(&rig)->frames_shed, shed);
            nrig_frame(&rig, 3, frame);
            rig.hold_checks = false;
            while (rig.flying_count > 0) nrig_check(&rig);
        }
    }
    assert_in_range(nrig_info(&rig)->frames_shed, 86, 90); /* 600 copies of 4 signatures: 2400 */
    nrig_close(&rig);
}

/* A liar must not be able to keep a view from beginning by having spent what it may. */
CASE(node_takes_a_view_change_that_the_view_waits_for)
{
    struct node_rig rig;
    struct sy_message begins = {.type = SY_MESSAGE_NEW_VIEW};
    struct sy_new_view *named = &begins.body.new_view;
    struct sy_hash digest;
    nrig_open(&rig, 3, 50);
    *named = (struct sy_new_view){.view = 1, .signer = 1, .count = 3};
    for (uint16_t i = 0; i < 3; i++) {
        make_change(&message, &rig, i, 1);
        named->changes[i].signer = i;
        sy_view_change_digest(&named->changes[i].digest, &rig.genesis.hash,
                              &message.body.view_change, 4);
        if (i < 2) nrig_frame(&rig, i, nrig_encode(&rig, &message));
    }
    sy_new_view_digest(&digest, &rig.genesis.hash, named);
    sy_sign(test_key(3), &named->signature, SY_SIG_NEW_VIEW, &digest);
    send_rising(&rig, 2, 2, 1000);
    nrig_frame(&rig, 1, nrig_encode(&rig, &begins));
    assert_false(nrig_info(&rig)->pbft.in_view);
    send_change(&rig, 2, 1);
    assert_true(nrig_info(&rig)->pbft.in_view);
    assert_int_equal(nrig_info(&rig)->pbft.view, 1);
    nrig_close(&rig);
}

CASE(node_lets_who_sends_bad_view_changes_wait)
{
    struct node_rig rig;
    nrig_open(&rig, 1, 50);
    make_change(&message, &rig, 2, 1);
    struct sy_signature *seal = &message.body.view_change.certificate.seals[2].signature;
    seal->bytes[5] ^= 1;
    struct sy_slice bad = nrig_encode(&rig, &message);
    seal->bytes[5] ^= 1;
    struct sy_slice good = nrig_encode(&rig, &message);
    for (unsigned i = 0; i < 1000; i++) nrig_frame(&rig, 3, bad);
    assert_true(nrig_info(&rig)->frames_shed > 900);
    assert_true(nrig_info(&rig)->signatures < 400);
    /* Votes of the same peer are looked at all the same, and VIEW_CHANGEs of others. */
    struct sy_hash hash = test_hash(1);
    uint64_t shed = nrig_info(&rig)->frames_shed;
    nrig_frame(&rig, 3, nrig_seal(&rig, 3, 51, &hash));
    nrig_frame(&rig, 0, bad);
    assert_int_equal(nrig_info(&rig)->frames_shed, shed);
    nrig_frame(&rig, 3, good);
    assert_int_equal(nrig_info(&rig)->frames_shed, shed + 1);
    nrig_tick(&rig, 1000 * NRIG_MS);
    uint64_t malformed = nrig_info(&rig)->frames_malformed;
    nrig_frame(&rig, 3, good);
    assert_int_equal(nrig_info(&rig)->frames_shed, shed + 1);
    assert_int_equal(nrig_info(&rig)->frames_malformed, malformed);
    nrig_close(&rig);
}

/* ---- votes ------------------------------------------------------------------------------- */

CASE(node_withholds_a_vote_until_its_record_is_durable)
{
    struct node_rig rig;
    struct sy_hash digest, signed_digest;
    nrig_open(&rig, 1, 0);
    rig.hold_commits = true;
    struct sy_proposal proposal = {.slot = 1, .time_ms = rig.now_ms};
    sy_proposal_digest(&digest, &rig.genesis.hash, &proposal);
    nrig_frame(&rig, 0, nrig_pre_prepare(&rig, &proposal));
    assert_int_equal(nrig_committed(&rig, SY_COMMIT_RECORD), 1);
    nrig_tick(&rig, 500 * NRIG_MS);
    assert_false(nrig_sent(&rig, &message, SY_MESSAGE_PREPARE));
    nrig_durable(&rig);
    assert_true(nrig_sent(&rig, &message, SY_MESSAGE_PREPARE));
    assert_int_equal(message.body.vote.signer, 1);
    assert_true(sy_hash_equal(&message.body.vote.proposal_digest, &digest));
    sy_vote_digest(&signed_digest, &rig.genesis.hash, &message.body.vote);
    struct sy_public_key key = test_public(3);
    assert_true(sy_verify_one(&key, SY_SIG_PREPARE, &signed_digest, &message.body.vote.signature));

    nrig_frame(&rig, 2, nrig_vote(&rig, SY_MESSAGE_PREPARE, 2, 1, &digest));
    assert_int_equal(nrig_committed(&rig, SY_COMMIT_RECORD), 2);
    assert_false(nrig_sent(&rig, &message, SY_MESSAGE_COMMIT));
    nrig_durable(&rig);
    assert_true(nrig_sent(&rig, &message, SY_MESSAGE_COMMIT));
    nrig_close(&rig);
}

CASE(node_seals_executes_and_certifies)
{
    struct node_rig rig;
    struct sy_certificate certificate;
    nrig_open(&rig, 2, 0);
    for (uint64_t slot = 1; slot <= 3; slot++) {
        struct sy_proposal proposal = {.slot = slot};
        nrig_decide(&rig, &proposal);
    }
    assert_true(nrig_sent(&rig, &message, SY_MESSAGE_SEAL));
    assert_int_equal(message.body.seal.height, 3);
    struct sy_reader reader = sy_reader_of(nrig_last(&rig, SY_NODE_CERTIFY)->bytes);
    assert_true(sy_certificate_decode(&reader, &certificate, 4));
    for (unsigned i = 0; i < certificate.count; i++) { /* its own seal was signed for it */
        struct sy_hash digest;
        sy_seal_digest(&digest, &rig.genesis.hash, 0, 3, &rig.head);
        struct sy_public_key key = test_public(3u * certificate.seals[i].signer);
        assert_true(sy_verify_one(&key, SY_SIG_SEAL, &digest, &certificate.seals[i].signature));
    }
    assert_int_equal(nrig_committed(&rig, SY_COMMIT_DROP), 3);
    assert_int_equal(nrig_info(&rig)->pbft.certified_height, 3);
    nrig_close(&rig);
}

/* ---- bodies ------------------------------------------------------------------------------ */

static struct sy_proposal naming(const struct node_rig *rig, uint64_t slot, uint16_t maker,
                                 uint64_t seq, const struct sy_hash *digest)
{
    struct sy_proposal proposal = {.slot = slot, .time_ms = rig->now_ms, .count = 1};
    proposal.entries[0] = (struct sy_entry){.maker = maker, .seq = seq, .digest = *digest};
    return proposal;
}

static struct sy_slice batch_frame(struct node_rig *rig, struct sy_slice batch)
{
    struct sy_slice frame = sy_slice_of(rig->writer.data + rig->writer.used, 1 + batch.size);
    sy_write_u8(&rig->writer, SY_MESSAGE_BATCH);
    sy_write_raw(&rig->writer, batch.data, batch.size);
    return frame;
}

static void found(struct node_rig *rig, const struct sy_hash *digest, struct sy_slice head)
{
    struct sy_node_event event = {.type = SY_NODE_FOUND};
    event.as.body.digest = *digest;
    event.as.body.head = head;
    nrig_feed(rig, &event);
}

CASE(node_looks_a_body_up_and_then_asks_for_it)
{
    struct node_rig rig;
    nrig_open(&rig, 1, 0);
    struct sy_slice batch = nrig_batch(&rig, 3, 1);
    struct sy_hash digest = nrig_batch_digest(&rig, batch);
    struct sy_proposal proposal = naming(&rig, 1, 3, 1, &digest);
    nrig_frame(&rig, 0, nrig_pre_prepare(&rig, &proposal));
    assert_int_equal(nrig_count(&rig, SY_NODE_LOOKUP), 1);
    found(&rig, &digest, sy_slice_of(NULL, 0)); /* not in the store */
    assert_int_equal(nrig_committed(&rig, SY_COMMIT_RECORD), 0);
    nrig_tick(&rig, 100 * NRIG_MS);
    assert_true(nrig_sent(&rig, &message, SY_MESSAGE_BATCH_FETCH));
    assert_true(sy_hash_equal(&message.body.batch_fetch.digests[0], &digest));
    assert_int_equal(nrig_last(&rig, SY_NODE_SEND)->effect.as.send.peer, 3); /* its maker first */
    nrig_frame(&rig, 2, batch_frame(&rig, batch)); /* anybody may bring it */
    assert_int_equal(nrig_committed(&rig, SY_COMMIT_BODY), 1);
    assert_true(nrig_sent(&rig, &message, SY_MESSAGE_PREPARE));
    nrig_close(&rig);
}

CASE(node_takes_a_body_that_the_store_has)
{
    struct node_rig rig;
    nrig_open(&rig, 1, 0);
    struct sy_slice batch = nrig_batch(&rig, 3, 1);
    struct sy_hash digest = nrig_batch_digest(&rig, batch);
    struct sy_proposal proposal = naming(&rig, 1, 3, 1, &digest);
    nrig_frame(&rig, 0, nrig_pre_prepare(&rig, &proposal));
    found(&rig, &digest, sy_slice_of(batch.data, 320));
    assert_true(nrig_sent(&rig, &message, SY_MESSAGE_PREPARE));
    assert_int_equal(nrig_committed(&rig, SY_COMMIT_BODY), 0);
    nrig_close(&rig);
}

CASE(node_does_not_ask_for_what_is_on_its_way)
{
    struct node_rig rig;
    nrig_open(&rig, 1, 0);
    struct sy_slice batch = nrig_batch(&rig, 3, 1);
    struct sy_hash digest = nrig_batch_digest(&rig, batch);
    struct sy_proposal proposal = naming(&rig, 1, 3, 1, &digest);
    rig.hold_checks = true;
    nrig_frame(&rig, 3, batch_frame(&rig, batch));
    nrig_frame(&rig, 0, nrig_pre_prepare(&rig, &proposal));
    nrig_check(&rig); /* the batch */
    rig.hold_commits = true;
    while (rig.flying_count > 0) nrig_check(&rig);
    for (unsigned i = 0; i < 4; i++) nrig_tick(&rig, 90 * NRIG_MS);
    assert_int_equal(nrig_count(&rig, SY_NODE_LOOKUP), 0);
    assert_false(nrig_sent(&rig, &message, SY_MESSAGE_BATCH_FETCH));
    nrig_durable(&rig);
    nrig_durable(&rig);
    assert_true(nrig_sent(&rig, &message, SY_MESSAGE_PREPARE));
    nrig_close(&rig);
}

CASE(node_never_votes_for_a_condemned_body)
{
    struct node_rig rig;
    static uint8_t whole[SY_BATCH_BYTES_MAX];
    nrig_open(&rig, 1, 0);
    struct sy_slice good = nrig_batch(&rig, 3, 1);
    struct sy_batch batch;
    struct sy_slice tx;
    size_t offset = 0;
    assert_true(sy_batch_decode(&batch, good));
    assert_true(sy_batch_next(&batch, &offset, &tx));
    ((uint8_t *)(uintptr_t)tx.data)[tx.size - 3] ^= 1;
    struct sy_slice bad = test_batch(whole, &rig.genesis, 9, 1, &tx, 1);
    struct sy_hash digest = nrig_batch_digest(&rig, bad);
    struct sy_proposal proposal = naming(&rig, 1, 3, 1, &digest);
    nrig_frame(&rig, 0, nrig_pre_prepare(&rig, &proposal));
    nrig_frame(&rig, 3, batch_frame(&rig, bad));
    assert_int_equal(nrig_info(&rig)->pool.condemned, 1);
    assert_int_equal(nrig_info(&rig)->pbft.refused_proposals, 1);
    nrig_tick(&rig, 1000 * NRIG_MS);
    assert_false(nrig_sent(&rig, &message, SY_MESSAGE_PREPARE));
    nrig_close(&rig);
}

/* The second batch under one seq is dropped a window after the first one ran; while the drop is on
 * its way to the disk the store still shows it, and must not be believed. */
CASE(node_does_not_look_for_what_is_being_dropped)
{
    struct node_rig rig;
    nrig_open(&rig, 1, 0);
    struct sy_slice ran = nrig_batch(&rig, 3, 1);
    struct sy_slice lost = nrig_batch(&rig, 3, 1);
    struct sy_hash ran_digest = nrig_batch_digest(&rig, ran);
    struct sy_hash lost_digest = nrig_batch_digest(&rig, lost);
    nrig_frame(&rig, 3, batch_frame(&rig, lost)); /* admitted first, */
    struct sy_proposal proposal = naming(&rig, 1, 3, 1, &ran_digest);
    nrig_frame(&rig, 0, nrig_pre_prepare(&rig, &proposal));
    nrig_frame(&rig, 3, batch_frame(&rig, ran)); /* but the other one is named, and runs */
    nrig_decide(&rig, &proposal);
    rig.hold_commits = true; /* its own votes are not needed for a quorum */
    uint64_t slot = 2;
    while (nrig_committed(&rig, SY_COMMIT_DROP_BODY) == 0) {
        struct sy_proposal empty = {.slot = slot};
        nrig_decide(&rig, &empty);
        assert_true(++slot < 4 * SY_PBFT_WINDOW);
    }
    assert_true(slot > SY_PBFT_WINDOW);
    nrig_forget(&rig);
    struct sy_proposal late = naming(&rig, slot, 3, 1, &lost_digest);
    nrig_frame(&rig, 0, nrig_pre_prepare(&rig, &late));
    assert_int_equal(nrig_count(&rig, SY_NODE_LOOKUP), 0);
    nrig_durable(&rig);
    late = naming(&rig, slot + 1, 3, 1, &lost_digest);
    nrig_frame(&rig, 0, nrig_pre_prepare(&rig, &late));
    assert_int_equal(nrig_count(&rig, SY_NODE_LOOKUP), 1);
    nrig_close(&rig);
}

/* ---- clients and time -------------------------------------------------------------------- */

static void submit(struct node_rig *rig, uint64_t token)
{
    struct sy_client_request request = {.kind = SY_REQUEST_SUBMIT};
    struct sy_node_event event = {.type = SY_NODE_SUBMIT};
    struct sy_batch batch;
    struct sy_slice tx;
    size_t offset = 0;
    assert_true(sy_batch_decode(&batch, nrig_batch(rig, 3, 1)));
    assert_true(sy_batch_next(&batch, &offset, &tx));
    request.body.submit.count = 1;
    request.body.submit.txs = batch.txs;
    event.as.submit.token = token;
    event.as.submit.request = &request;
    nrig_feed(rig, &event);
}

CASE(node_answers_clients_and_makes_batches)
{
    struct node_rig rig;
    nrig_open(&rig, 1, 0);
    submit(&rig, 99);
    const struct sy_node_effect *answer = &nrig_last(&rig, SY_NODE_OUTCOMES)->effect;
    assert_int_equal(answer->as.outcomes.token, 99);
    assert_int_equal(answer->as.outcomes.count, 1);
    assert_true(sy_node_wake_ns(rig.node) <= rig.now_ns + 4 * NRIG_MS);
    rig.hold_commits = true;
    nrig_tick(&rig, 4 * NRIG_MS);
    assert_int_equal(nrig_committed(&rig, SY_COMMIT_BODY), 1);
    assert_int_equal(nrig_count(&rig, SY_NODE_SEND_BODY), 0);
    nrig_durable(&rig);
    assert_int_equal(nrig_last(&rig, SY_NODE_SEND_BODY)->effect.as.send_body.peer, SY_NODE_ALL);
    nrig_close(&rig);
}

CASE(node_proposes_a_lonely_batch_when_it_is_primary)
{
    struct node_rig rig;
    struct sy_hash digest;
    nrig_open(&rig, 0, 0);
    submit(&rig, 1);
    nrig_tick(&rig, 4 * NRIG_MS);
    assert_true(nrig_sent(&rig, &message, SY_MESSAGE_PRE_PREPARE));
    assert_int_equal(message.body.pre_prepare.proposal.count, 1);
    assert_int_equal(message.body.pre_prepare.proposal.entries[0].seq, 1);
    struct sy_hash proposal;
    sy_proposal_digest(&proposal, &rig.genesis.hash, &message.body.pre_prepare.proposal);
    sy_pre_prepare_digest(&digest, &rig.genesis.hash, 0, 0, 1, &proposal);
    struct sy_public_key key = test_public(0);
    assert_true(
        sy_verify_one(&key, SY_SIG_PRE_PREPARE, &digest, &message.body.pre_prepare.signature));
    nrig_close(&rig);
}

CASE(node_takes_nothing_more_while_it_drains)
{
    struct node_rig rig;
    nrig_open(&rig, 1, 0);
    submit(&rig, 1);
    struct sy_node_event drain = {.type = SY_NODE_DRAIN};
    nrig_feed(&rig, &drain);
    assert_int_equal(nrig_committed(&rig, SY_COMMIT_BODY), 1); /* what was open leaves at once */
    submit(&rig, 2);
    assert_int_equal(nrig_last(&rig, SY_NODE_OUTCOMES)->effect.as.outcomes.token, 2);
    nrig_tick(&rig, 100 * NRIG_MS);
    assert_int_equal(nrig_committed(&rig, SY_COMMIT_BODY), 1);
    nrig_close(&rig);
}

CASE(node_is_woken_for_a_reason)
{
    struct node_rig rig;
    nrig_open(&rig, 0, 0);
    uint64_t end_ns = rig.now_ns + 10000 * NRIG_MS;
    unsigned ticks = 0;
    while (rig.now_ns < end_ns) { /* idle: heartbeats and statuses, a few a second */
        uint64_t wake_ns = sy_node_wake_ns(rig.node);
        assert_true(wake_ns != UINT64_MAX);
        nrig_tick(&rig, wake_ns > rig.now_ns ? wake_ns - rig.now_ns : 1);
        nrig_forget(&rig);
        assert_true(++ticks < 300);
    }
    for (unsigned i = 0; i < 10; i++) nrig_tick(&rig, 0); /* needless ones do no harm */
    nrig_close(&rig);
}

CASE(node_refuses_an_arena_that_is_too_small)
{
    struct node_rig rig;
    struct sy_node_config config;
    struct sy_error err;
    sy_arena arena;
    sy_node *node = NULL;
    nrig_config(&rig, &config, 1);
    size_t whole = sy_node_footprint(&config);
    for (size_t size = 4096; size < whole / 2; size *= 7) {
        assert_int_equal(sy_arena_open(&arena, size), SY_OK);
        assert_int_equal(sy_node_init(&node, &arena, &config, &err), SY_ERR_NO_MEMORY);
        sy_arena_close(&arena);
    }
    config.pbft.pipeline_slots = 1000;
    assert_int_equal(sy_arena_open(&arena, whole), SY_OK);
    assert_int_equal(sy_node_init(&node, &arena, &config, &err), SY_ERR_ARGUMENT);
    sy_arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(node_counts_garbage_and_goes_on),
        cmocka_unit_test(node_drops_what_is_signed_wrong),
        cmocka_unit_test(node_drops_what_another_epoch_signed),
        cmocka_unit_test(node_believes_no_clock_that_nobody_signed),
        cmocka_unit_test(node_signs_no_status_that_it_did_not_say),
        cmocka_unit_test(node_judges_every_signature_of_a_message),
        cmocka_unit_test(node_spends_no_signature_on_what_is_over),
        cmocka_unit_test(node_spends_no_signature_on_more_than_a_quorum),
        cmocka_unit_test(node_gives_every_peer_its_share_of_checks),
        cmocka_unit_test(node_lets_who_signs_many_view_changes_wait),
        cmocka_unit_test(node_lets_who_passes_on_copies_wait_and_not_the_signer),
        cmocka_unit_test(node_takes_a_view_change_that_the_view_waits_for),
        cmocka_unit_test(node_lets_who_sends_bad_view_changes_wait),
        cmocka_unit_test(node_withholds_a_vote_until_its_record_is_durable),
        cmocka_unit_test(node_seals_executes_and_certifies),
        cmocka_unit_test(node_looks_a_body_up_and_then_asks_for_it),
        cmocka_unit_test(node_takes_a_body_that_the_store_has),
        cmocka_unit_test(node_does_not_ask_for_what_is_on_its_way),
        cmocka_unit_test(node_never_votes_for_a_condemned_body),
        cmocka_unit_test(node_does_not_look_for_what_is_being_dropped),
        cmocka_unit_test(node_answers_clients_and_makes_batches),
        cmocka_unit_test(node_proposes_a_lonely_batch_when_it_is_primary),
        cmocka_unit_test(node_takes_nothing_more_while_it_drains),
        cmocka_unit_test(node_is_woken_for_a_reason),
        cmocka_unit_test(node_refuses_an_arena_that_is_too_small),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
