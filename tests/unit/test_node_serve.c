/* test_node_serve.c: what a peer may have served. */
#include "consensus/node/serve.h"

#include <stdlib.h>

#include "core/wire/sync.h"
#include "tests/support/stores.h"
#include "tests/unit/chain_rig.h"

#define SECOND 1000000000ull
#define NOW (100 * SECOND)

struct serve_rig {
    struct chain_rig chain;
    struct sy_serve serve;
    struct sy_hash body; /* one that is there */
};

static void open_rig(struct serve_rig *rig)
{
    memset(rig, 0, sizeof *rig);
    chain_open(&rig->chain);
    chain_populate(&rig->chain);
    rig->body = rig->chain.done->ran[1].digest;
    rig->serve.reader = rig->chain.reader;
    rig->serve.out = (uint8_t *)malloc(SY_SERVE_BYTES_MAX);
    assert_non_null(rig->serve.out);
}

static void close_rig(struct serve_rig *rig)
{
    free(rig->serve.out);
    chain_close(&rig->chain);
}

/* Asks until the share is used up; how often something was read for it, and how many bytes. */
static uint64_t serve_greedy(struct serve_rig *rig, uint16_t peer, const struct sy_hash *digest,
                             uint64_t *bytes)
{
    struct sy_slice message;
    uint64_t looks = 0;
    sy_status status;
    *bytes = 0;
    while ((status = sy_serve_body(&rig->serve, &message, peer, NOW, digest)) != SY_ERR_BUSY) {
        looks++;
        if (status == SY_OK) *bytes += message.size;
    }
    return looks;
}

CASE(serve_bounds_what_a_greedy_peer_gets_and_others_get_theirs)
{
    struct serve_rig rig;
    struct sy_slice message;
    uint64_t bytes, again;
    open_rig(&rig);
    uint64_t looks = serve_greedy(&rig, 3, &rig.body, &bytes);
    assert_in_range(looks, 1000, SY_SERVE_BYTES_PER_S / 4096 + 1);
    assert_in_range(bytes, 1, SY_SERVE_BYTES_PER_S + SY_SERVE_BYTES_MAX);
    assert_int_equal(sy_serve_block(&rig.serve, &message, 3, NOW, 4), SY_ERR_BUSY);
    assert_int_equal(sy_serve_block(&rig.serve, &message, 2, NOW, 4), SY_OK);
    assert_int_equal(sy_serve_block(&rig.serve, &message, 3, NOW + SECOND, 4), SY_OK);
    assert_true(serve_greedy(&rig, 1, &rig.body, &again) == looks && again == bytes);
    close_rig(&rig);
}

CASE(serve_gives_all_observers_no_more_than_one_peer)
{
    struct serve_rig rig;
    struct sy_slice message;
    uint64_t bytes, all = 0;
    open_rig(&rig);
    for (uint16_t i = 0; i < SY_NODE_OBSERVERS_MAX; i++) {
        assert_true(serve_greedy(&rig, SY_NODE_OBSERVER + i, &rig.body, &bytes) > 100);
        all += bytes;
    }
    uint64_t last_ones = SY_NODE_OBSERVERS_MAX * (uint64_t)SY_SERVE_BYTES_MAX;
    assert_in_range(all, 1, SY_SERVE_BYTES_PER_S + last_ones);
    assert_int_equal(sy_serve_claim(&rig.serve, SY_NODE_OBSERVER, NOW), SY_ERR_BUSY);
    assert_int_equal(sy_serve_claim(&rig.serve, SY_NODE_ANNOUNCED, NOW), SY_OK);
    uint64_t of_one = bytes;
    (void)serve_greedy(&rig, 3, &rig.body, &bytes);
    assert_true(bytes > (SY_NODE_OBSERVERS_MAX - 1) * of_one);
    assert_int_equal(sy_serve_block(&rig.serve, &message, SY_NODE_OBSERVER, NOW + SECOND, 4),
                     SY_OK);
    close_rig(&rig);
}

CASE(serve_charges_looking_in_vain)
{
    struct serve_rig rig;
    struct sy_slice message;
    struct sy_hash nothing = test_hash(3);
    uint64_t bytes;
    open_rig(&rig);
    uint64_t looks = serve_greedy(&rig, 3, &nothing, &bytes);
    assert_int_equal(bytes, 0);
    assert_in_range(looks, SY_SERVE_BYTES_PER_S / 4096, SY_SERVE_BYTES_PER_S / 4096 + 1);
    assert_int_equal(sy_serve_block(&rig.serve, &message, 3, NOW, 4), SY_ERR_BUSY);
    close_rig(&rig);
}

/* Own batches are spread, not served. */
CASE(serve_gives_everybody_own_batches_at_nobodys_charge)
{
    struct serve_rig rig;
    struct sy_slice message;
    open_rig(&rig);
    for (unsigned i = 0; i < SY_SERVE_BYTES_PER_S / 4096 + 10; i++) {
        assert_int_equal(sy_serve_body(&rig.serve, &message, SY_NODE_ALL, NOW, &rig.body), SY_OK);
    }
    for (uint16_t peer = 0; peer < CHAIN_VALIDATORS; peer++) {
        assert_int_equal(sy_serve_body(&rig.serve, &message, peer, NOW, &rig.body), SY_OK);
    }
    close_rig(&rig);
}

CASE(serve_says_from_where_on_it_has_blocks)
{
    struct serve_rig rig;
    struct sy_slice message;
    struct sy_sync_message said;
    open_rig(&rig);
    assert_int_equal(sy_serve_block(&rig.serve, &message, 1, NOW, 2), SY_OK);
    test_store_prune(rig.chain.store, 3);
    assert_int_equal(sy_serve_block(&rig.serve, &message, 1, NOW, 2), SY_ERR_PRUNED);
    assert_true(sy_sync_decode(&said, message, CHAIN_VALIDATORS));
    assert_int_equal(said.type, SY_SYNC_PRUNED);
    assert_int_equal(said.height, 3);
    assert_int_equal(sy_serve_block(&rig.serve, &message, 1, NOW, 3), SY_OK);
    assert_int_equal(sy_serve_block(&rig.serve, &message, 1, NOW, 999), SY_ERR_NOT_FOUND);
    close_rig(&rig);
}

CASE(serve_tells_how_epochs_ended)
{
    struct serve_rig rig;
    struct sy_slice message;
    static struct sy_sync_message back;
    struct sy_roster roster;
    struct sy_error err;
    open_rig(&rig);
    chain_change_thrice(&rig.chain);
    assert_int_equal(sy_serve_handovers(&rig.serve, &message, 2, NOW, 0), SY_OK);
    assert_true(sy_sync_decode(&back, message, 4) && back.type == SY_SYNC_HANDOVERS);
    assert_true(back.epoch == 0 && back.count == 3);
    roster = rig.chain.genesis.roster;
    sy_status status =
        sy_handovers_follow(&roster, NULL, &rig.chain.genesis.hash, back.handovers, 3, &err);
    if (status != SY_OK) fail_msg("%s", err.text);
    assert_memory_equal(&roster, &rig.chain.roster, sizeof roster);
    assert_int_equal(sy_serve_handovers(&rig.serve, &message, SY_NODE_ANNOUNCED, NOW, 2), SY_OK);
    assert_true(sy_sync_decode(&back, message, 4) && back.epoch == 2 && back.count == 1);
    const uint32_t none[] = {3, 4, UINT32_MAX};
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(sy_serve_handovers(&rig.serve, &message, 2, NOW, none[i]), SY_OK);
        assert_true(sy_sync_decode(&back, message, 4) && back.epoch == none[i] && back.count == 0);
    }
    for (unsigned i = 0; i < SY_SERVE_BYTES_PER_S / 4096 + 1; i++) {
        status = sy_serve_handovers(&rig.serve, &message, 2, NOW, 3);
    }
    assert_int_equal(status, SY_ERR_BUSY); /* a share a peer, here too */
    assert_int_equal(sy_serve_handovers(&rig.serve, &message, SY_NODE_ANNOUNCED, NOW, 3), SY_OK);
    close_rig(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serve_bounds_what_a_greedy_peer_gets_and_others_get_theirs),
        cmocka_unit_test(serve_gives_all_observers_no_more_than_one_peer),
        cmocka_unit_test(serve_charges_looking_in_vain),
        cmocka_unit_test(serve_tells_how_epochs_ended),
        cmocka_unit_test(serve_gives_everybody_own_batches_at_nobodys_charge),
        cmocka_unit_test(serve_says_from_where_on_it_has_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
