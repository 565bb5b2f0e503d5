/* A state on its way from a store that executes on to a new one: chunks are taken from anybody, a
 * liar's is refused and changes nothing, and a restart goes on behind what is there. */
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/support/powercut.h"
#include "tests/support/test.h"
#include "tests/support/transfer.h"

// Nobody cuts the power here: syncs go no further.
POWERCUT_INSTALL

static struct transfer transfer;

CASE(a_new_store_gets_the_state_while_the_old_one_goes_on)
{
    transfer_open(&transfer, test_seed());
    transfer_hold(&transfer, 1200);
    uint64_t height = transfer.height;
    transfer_begin(&transfer);
    for (unsigned i = 0; transfer_next(&transfer); i++) {
        // The next height is held only 32 blocks later.
        if (i < 20) transfer_block(&transfer, 500);
        if (i % 3 == 2) test_store_restart(&transfer.to);
        transfer_begin(&transfer); // takes up where it is
    }
    assert_int_equal(transfer.height, height);
    assert_true(transfer.chunks >= 4);
    transfer_finish(&transfer);
    test_store_restart(&transfer.to);
    assert_int_equal(sy_ledger_base(transfer.to.store), height);
    transfer_close(&transfer);
}

CASE(a_liars_chunk_is_refused_and_changes_nothing)
{
    static uint8_t lie[SY_FRAME_BYTES_MAX];
    struct sy_install before, after;
    sy_prng prng;
    bool last;
    sy_prng_seed(&prng, test_seed());
    transfer_open(&transfer, 77);
    transfer_hold(&transfer, 1200);
    transfer_begin(&transfer);
    for (bool more = true; more;) {
        struct sy_slice honest = transfer_cut(&transfer);
        sy_install_get(transfer.to.store, &before);
        for (unsigned i = 0; i < 40; i++) {
            size_t bit = (size_t)sy_prng_below(&prng, honest.size * 8);
            if (i < 20) bit %= (size_t)8 * 34;
            memcpy(lie, honest.data, honest.size);
            lie[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_false(transfer_take(&transfer, sy_slice_of(lie, honest.size), &last));
        }
        sy_install_get(transfer.to.store, &after);
        assert_memory_equal(before.next.bytes, after.next.bytes, 32);
        more = transfer_next(&transfer);
        // An honest chunk again is of the state, but not what comes next.
        if (!more) continue;
        memcpy(lie, transfer.frame, honest.size);
        assert_false(transfer_take(&transfer, sy_slice_of(lie, honest.size), &last));
    }
    transfer_finish(&transfer);
    transfer_close(&transfer);
}

CASE(chunks_of_another_height_are_refused)
{
    bool last;
    transfer_open(&transfer, 5);
    transfer_hold(&transfer, 900);
    transfer_begin(&transfer);
    assert_true(transfer_next(&transfer));
    struct sy_hash root = transfer.root;
    uint64_t height = transfer.height;
    transfer_hold(&transfer, 900); // the network went on; the old state is held no more
    transfer.root = root;
    assert_true(transfer.height > height);
    assert_false(transfer_take(&transfer, transfer_cut(&transfer), &last));
    // So the new store begins again, with the state that is held now.
    sy_trie_root(transfer.trie, &transfer.root);
    transfer_begin(&transfer);
    while (transfer_next(&transfer)) continue;
    transfer_finish(&transfer);
    transfer_close(&transfer);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_new_store_gets_the_state_while_the_old_one_goes_on),
        cmocka_unit_test(a_liars_chunk_is_refused_and_changes_nothing),
        cmocka_unit_test(chunks_of_another_height_are_refused),
    };
    powercut_arm(POWERCUT_COUNT, 0, 0, false);
    return cmocka_run_group_tests(cases, NULL, NULL);
}
