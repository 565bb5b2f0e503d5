/* test_node_requests.c: what the node serves, to peers and guests, and what it knows of others'
 * history. */
#include <string.h>

#include "core/base/prng.h"
#include "core/wire/sync.h"
#include "tests/unit/node_rig.h"

CASE(node_serves_bodies_to_who_asks)
{
    struct node_rig rig;
    struct sy_message fetch = {.type = SY_MESSAGE_BATCH_FETCH};
    nrig_open(&rig, 1, 0);
    fetch.body.batch_fetch.count = 3;
    for (unsigned i = 0; i < 3; i++) fetch.body.batch_fetch.digests[i] = test_hash(i);
    nrig_frame(&rig, 3, nrig_encode(&rig, &fetch));
    assert_int_equal(nrig_count(&rig, SY_NODE_SEND_BODY), 3);
    const struct sy_node_effect *last = &nrig_last(&rig, SY_NODE_SEND_BODY)->effect;
    assert_int_equal(last->as.send_body.peer, 3);
    assert_true(sy_hash_equal(&last->as.send_body.digest, &fetch.body.batch_fetch.digests[2]));
    nrig_close(&rig);
}

static void ask_blocks(struct node_rig *rig, uint64_t first, uint16_t count)
{
    struct sy_message fetch = {.type = SY_MESSAGE_BLOCK_FETCH};
    fetch.body.range_fetch = (struct sy_range_fetch){.first = first, .count = count};
    nrig_forget(rig);
    nrig_frame(rig, 2, nrig_encode(rig, &fetch));
}

CASE(node_serves_certified_blocks_only)
{
    struct node_rig rig;
    nrig_open(&rig, 1, 50);
    ask_blocks(&rig, 51, 10);
    assert_int_equal(nrig_count(&rig, SY_NODE_SEND_BLOCKS), 0);
    ask_blocks(&rig, 45, 64);
    const struct sy_node_effect *blocks = &nrig_last(&rig, SY_NODE_SEND_BLOCKS)->effect;
    assert_int_equal(blocks->as.send_blocks.peer, 2);
    assert_int_equal(blocks->as.send_blocks.first, 45);
    assert_int_equal(blocks->as.send_blocks.count, 6);
    ask_blocks(&rig, 1, 5);
    assert_int_equal(nrig_last(&rig, SY_NODE_SEND_BLOCKS)->effect.as.send_blocks.count, 5);
    nrig_close(&rig);
}

CASE(node_remembers_who_has_pruned)
{
    struct node_rig rig;
    struct sy_sync_message pruned = {.type = SY_SYNC_PRUNED, .height = 900};
    uint8_t bytes[16];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    nrig_open(&rig, 1, 50);
    sy_sync_encode(&w, &pruned);
    nrig_frame(&rig, 2, sy_writer_slice(&w));
    assert_int_equal(nrig_info(&rig)->history_from[2], 900);
    assert_int_equal(nrig_info(&rig)->history_from[3], 0);
    uint64_t malformed = nrig_info(&rig)->frames_malformed;
    nrig_frame(&rig, SY_NODE_ANNOUNCED, sy_writer_slice(&w)); /* a guest's word */
    nrig_frame(&rig, 3, sy_slice_of(bytes, w.used - 1));
    assert_int_equal(nrig_info(&rig)->frames_malformed, malformed + 1);
    assert_int_equal(nrig_info(&rig)->history_from[3], 0);
    nrig_close(&rig);
}

/* A hint of where a peer is, from a later epoch, so that it needs no signature. */
static void tell_height(struct node_rig *rig, uint16_t peer, uint64_t height)
{
    struct sy_message status = {.type = SY_MESSAGE_STATUS};
    status.body.status = (struct sy_status_message){.epoch = 1,
                                                    .signer = peer,
                                                    .counter = 1,
                                                    .certified_height = height,
                                                    .executed_height = height};
    nrig_frame(rig, peer, nrig_encode(rig, &status));
}

static void tell_pruned(struct node_rig *rig, uint16_t peer, uint64_t height)
{
    struct sy_sync_message pruned = {.type = SY_SYNC_PRUNED, .height = height};
    uint8_t bytes[16];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_sync_encode(&w, &pruned);
    nrig_frame(rig, peer, sy_writer_slice(&w));
}

CASE(node_says_when_nobody_keeps_what_it_needs)
{
    struct node_rig rig;
    nrig_open(&rig, 1, 50);
    tell_pruned(&rig, 0, 52); /* nobody is known to be ahead */
    assert_false(nrig_info(&rig)->history_gone);
    tell_height(&rig, 0, 900);
    tell_height(&rig, 2, 900);
    tell_height(&rig, 3, 50); /* no further than this one */
    tell_pruned(&rig, 0, 52);
    assert_false(nrig_info(&rig)->history_gone); /* validator 2 may have it */
    tell_pruned(&rig, 2, 51);
    assert_false(nrig_info(&rig)->history_gone); /* and has: 51 comes next */
    tell_pruned(&rig, 2, 800);
    assert_true(nrig_info(&rig)->history_gone);
    tell_pruned(&rig, 2, 800);
    assert_true(nrig_info(&rig)->history_gone);
    tell_height(&rig, 3, 900); /* one that never said that it pruned comes up, */
    tell_pruned(&rig, 0, 52);
    assert_false(nrig_info(&rig)->history_gone);
    tell_pruned(&rig, 3, 700); /* and lacks it, too */
    assert_true(nrig_info(&rig)->history_gone);
    struct sy_proposal proposal = {.slot = 51};
    nrig_decide(&rig, &proposal); /* the block comes after all: 52 is kept by validator 0 */
    assert_int_equal(nrig_info(&rig)->pbft.certified_height, 51);
    assert_false(nrig_info(&rig)->history_gone);
    nrig_close(&rig);
}

static struct sy_slice ask_chunk(struct node_rig *rig)
{
    struct sy_sync_message fetch = {.type = SY_SYNC_SNAPSHOT_FETCH};
    sy_sync_encode(&rig->writer, &fetch);
    return sy_slice_of(rig->writer.data + rig->writer.used - 41, 41);
}

/* How much is served is not the node's business (serve.h), but to whom is. */
CASE(node_serves_guests_what_they_need_to_go_on)
{
    struct node_rig rig;
    struct sy_message fetch = {.type = SY_MESSAGE_BATCH_FETCH};
    struct sy_message blocks = {.type = SY_MESSAGE_BLOCK_FETCH};
    struct sy_node_config config;
    nrig_config(&rig, &config, 1);
    struct sy_slice ask_handovers = sy_slice_of("\x24\x07\x00\x00\x00", 5);
    config.pbft.base = 48; /* the end of the epoch before */
    nrig_open_with(&rig, &config, 50);
    fetch.body.batch_fetch.count = 1;
    blocks.body.range_fetch = (struct sy_range_fetch){.first = 47, .count = 40};
    const uint16_t may_ask_all[] = {SY_NODE_ANNOUNCED, SY_NODE_OBSERVER,
                                    SY_NODE_OBSERVER + SY_NODE_OBSERVERS_MAX - 1};
    const struct sy_node_effect *sent;
    for (unsigned i = 0; i < sizeof may_ask_all / sizeof may_ask_all[0]; i++) {
        uint16_t guest = may_ask_all[i];
        nrig_frame(&rig, guest, nrig_encode(&rig, &fetch));
        nrig_frame(&rig, guest, nrig_encode(&rig, &blocks));
        nrig_frame(&rig, guest, ask_chunk(&rig));
        nrig_frame(&rig, guest, ask_handovers);
        assert_int_equal(nrig_last(&rig, SY_NODE_SEND_BODY)->effect.as.send_body.peer, guest);
        assert_int_equal(nrig_last(&rig, SY_NODE_SEND_CHUNK)->effect.as.send_chunk.peer, guest);
        sent = &nrig_last(&rig, SY_NODE_SEND_HANDOVERS)->effect;
        assert_true(sent->as.send_handovers.peer == guest && sent->as.send_handovers.epoch == 7);
        sent = &nrig_last(&rig, SY_NODE_SEND_BLOCKS)->effect;
        assert_true(sent->as.send_blocks.peer == guest && sent->as.send_blocks.first == 47 &&
                    sent->as.send_blocks.count == 4);
    }
    nrig_forget(&rig);
    nrig_frame(&rig, SY_NODE_DEPARTED, nrig_encode(&rig, &fetch));
    nrig_frame(&rig, SY_NODE_DEPARTED, nrig_encode(&rig, &blocks));
    nrig_frame(&rig, SY_NODE_DEPARTED, ask_chunk(&rig));
    nrig_frame(&rig, SY_NODE_DEPARTED, ask_handovers);
    assert_int_equal(nrig_count(&rig, SY_NODE_SEND_BODY), 1);
    assert_int_equal(nrig_count(&rig, SY_NODE_SEND_CHUNK), 0);
    assert_int_equal(nrig_count(&rig, SY_NODE_SEND_HANDOVERS), 0);
    sent = &nrig_last(&rig, SY_NODE_SEND_BLOCKS)->effect;
    assert_true(sent->as.send_blocks.first == 47 && sent->as.send_blocks.count == 2);
    nrig_forget(&rig);
    blocks.body.range_fetch.first = 49; /* the new epoch's */
    nrig_frame(&rig, SY_NODE_DEPARTED, nrig_encode(&rig, &blocks));
    assert_int_equal(nrig_count(&rig, SY_NODE_SEND_BLOCKS), 0);
    nrig_close(&rig);
}

/* Good ones, signed by the roster's validators: a guest could only have them from these. */
CASE(node_looks_at_no_vote_of_a_guest)
{
    struct node_rig rig;
    struct sy_hash digest = test_hash(7);
    nrig_open(&rig, 1, 50);
    struct sy_slice batch = nrig_batch(&rig, 2, 1);
    const struct sy_slice frames[] = {nrig_vote(&rig, SY_MESSAGE_PREPARE, 2, 51, &digest),
                                      nrig_vote(&rig, SY_MESSAGE_COMMIT, 3, 51, &digest),
                                      nrig_seal(&rig, 2, 51, &digest), batch, sy_slice_of(NULL, 0)};
    const uint16_t guests[] = {SY_NODE_DEPARTED, SY_NODE_ANNOUNCED, SY_NODE_OBSERVER};
    nrig_forget(&rig);
    uint64_t signatures = nrig_info(&rig)->signatures;
    for (unsigned i = 0; i < 5 * 3; i++) nrig_frame(&rig, guests[i % 3], frames[i / 3]);
    assert_int_equal(nrig_count(&rig, SY_NODE_CHECK), 0);
    assert_int_equal(nrig_info(&rig)->signatures, signatures);
    assert_int_equal(nrig_info(&rig)->frames_malformed, 0);
    nrig_frame(&rig, 3, frames[0]); /* the same from a member is looked at */
    assert_int_equal(nrig_info(&rig)->signatures, signatures + 1);
    nrig_close(&rig);
}

static bool is_answer(const struct sy_node_effect *effect)
{
    switch (effect->type) {
    case SY_NODE_SEND_BODY: return effect->as.send_body.peer == SY_NODE_OBSERVER;
    case SY_NODE_SEND_BLOCKS: return effect->as.send_blocks.peer == SY_NODE_OBSERVER;
    case SY_NODE_SEND_CHUNK: return effect->as.send_chunk.peer == SY_NODE_OBSERVER;
    case SY_NODE_SEND_HANDOVERS: return effect->as.send_handovers.peer == SY_NODE_OBSERVER;
    default: return false;
    }
}

/* It is a stranger with a key: whatever it sends, at most itself gets an answer. */
CASE(node_is_not_moved_by_what_an_observer_makes_up)
{
    struct node_rig rig;
    sy_prng prng;
    uint8_t bytes[160];
    unsigned answers = 0;
    sy_prng_seed(&prng, test_seed());
    nrig_open(&rig, 1, 50);
    uint64_t signatures = nrig_info(&rig)->signatures;
    for (unsigned i = 0; i < 20000; i++) {
        size_t size = (size_t)sy_prng_below(&prng, sizeof bytes + 1);
        sy_prng_fill(&prng, bytes, sizeof bytes);
        bytes[0] = (uint8_t)sy_prng_below(&prng, 40); /* all types that there are, and others */
        if (i % 4 == 0) {                             /* a question that can be read */
            uint8_t handovers[5] = {SY_SYNC_HANDOVER_FETCH, bytes[1], bytes[2], bytes[3], bytes[4]};
            memcpy(bytes, handovers, size = sizeof handovers);
        }
        nrig_forget(&rig);
        nrig_frame(&rig, SY_NODE_OBSERVER, sy_slice_of(bytes, size));
        for (unsigned k = 0; k < rig.logged; k++) {
            if (!is_answer(&rig.log[k].effect)) fail_msg("effect %d", rig.log[k].effect.type);
            answers++;
        }
    }
    assert_true(answers >= 5000);
    assert_int_equal(nrig_info(&rig)->signatures, signatures);
    assert_true(nrig_info(&rig)->frames_malformed > 0);
    assert_int_equal(nrig_info(&rig)->pbft.certified_height, 50);
    nrig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(node_serves_bodies_to_who_asks),
        cmocka_unit_test(node_serves_certified_blocks_only),
        cmocka_unit_test(node_remembers_who_has_pruned),
        cmocka_unit_test(node_says_when_nobody_keeps_what_it_needs),
        cmocka_unit_test(node_serves_guests_what_they_need_to_go_on),
        cmocka_unit_test(node_looks_at_no_vote_of_a_guest),
        cmocka_unit_test(node_is_not_moved_by_what_an_observer_makes_up),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
