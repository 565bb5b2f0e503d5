/* test_epochs.c: from the genesis to the newest roster, by handovers that hold and by no others. */
#include "tests/support/test.h"

#include <string.h>

#include "core/store/epochs.h"
#include "tests/support/epochs.h"

static struct test_epochs chain;
static struct sy_error err;

static int prepare(void **state)
{
    (void)state;
    test_epochs_make(&chain, NULL);
    return 0;
}

static sy_epochs *open_at(unsigned epoch)
{
    sy_epochs *epochs = NULL;
    assert_int_equal(sy_epochs_open(&epochs, &chain.genesis, &err), SY_OK);
    for (unsigned e = 0; e < epoch; e++) {
        if (sy_epochs_take(epochs, test_epochs_path(&chain, e, e + 1), &err) != SY_OK) {
            fail_msg("%s", err.text);
        }
    }
    return epochs;
}

static bool certified(sy_epochs *epochs, unsigned epoch, uint64_t height)
{
    struct sy_header header;
    struct sy_certificate certificate;
    test_epochs_header(&chain, &header, &certificate, epoch, height);
    return sy_epochs_certified(epochs, &header, &certificate);
}

CASE(every_epoch_is_reached_and_found_again)
{
    static const unsigned order[] = {3, 0, 2, 1, 1, 3, 2, 0};
    sy_epochs *epochs = open_at(TEST_EPOCHS - 1);
    assert_memory_equal(sy_epochs_newest(epochs), &chain.rosters[3], sizeof(struct sy_roster));
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        const struct sy_roster *roster = sy_epochs_roster(epochs, order[i]);
        assert_non_null(roster);
        assert_memory_equal(roster, &chain.rosters[order[i]], sizeof *roster);
        struct sy_slice path = sy_epochs_handovers(epochs, order[i]);
        assert_true(sy_slice_equal(path, test_epochs_path(&chain, 0, order[i])));
    }
    assert_null(sy_epochs_roster(epochs, TEST_EPOCHS));
    sy_epochs_close(epochs);
}

CASE(rosters_certify_the_heights_of_their_epoch_alone)
{
    sy_epochs *epochs = open_at(2);
    for (unsigned epoch = 0; epoch < 3; epoch++) {
        uint64_t first = TEST_EPOCH_HEIGHTS * epoch + 1, last = TEST_EPOCH_HEIGHTS * (epoch + 1);
        assert_true(certified(epochs, epoch, first));
        assert_true(certified(epochs, epoch, last));
        if (epoch > 0) assert_false(certified(epochs, epoch, first - 1));
        // Of the newest epoch no end is known.
        assert_int_equal(certified(epochs, epoch, last + 1), epoch == 2);
    }
    assert_false(certified(epochs, 3, TEST_EPOCH_HEIGHTS * 3 + 1));
    assert_int_equal(sy_epochs_take(epochs, test_epochs_path(&chain, 2, 3), &err), SY_OK);
    assert_true(certified(epochs, 3, TEST_EPOCH_HEIGHTS * 3 + 1));
    assert_false(certified(epochs, 2, TEST_EPOCH_HEIGHTS * 3 + 1));
    sy_epochs_close(epochs);
}

static void assert_refused(sy_epochs *epochs, struct sy_slice handover, sy_status wanted)
{
    uint32_t before = sy_epochs_newest(epochs)->epoch;
    err.text[0] = '\0';
    sy_status status = sy_epochs_take(epochs, handover, &err);
    if (status != wanted) fail_msg("%s: %s", sy_status_name(status), err.text);
    assert_true(err.text[0] != '\0');
    assert_memory_equal(sy_epochs_newest(epochs), &chain.rosters[before], sizeof(struct sy_roster));
}

CASE(handovers_of_other_epochs_are_refused)
{
    for (unsigned at = 0; at < TEST_EPOCHS; at++) {
        sy_epochs *epochs = open_at(at);
        for (unsigned e = 0; e + 1 < TEST_EPOCHS; e++) {
            if (e == at) continue;
            sy_status status = sy_epochs_take(epochs, test_epochs_path(&chain, e, e + 1), &err);
            assert_true(status == SY_ERR_CRYPTO || status == SY_ERR_FORMAT);
            assert_int_equal(sy_epochs_newest(epochs)->epoch, at);
        }
        assert_refused(epochs, sy_slice_of(NULL, 0), SY_ERR_FORMAT);
        sy_epochs_close(epochs);
    }
}

/* But for the proofs of possession, which are the ledger's business: there are 64 bytes of them for
 * each of the three new keys, and they make no difference to the roster. */
CASE(handovers_with_a_bit_changed_lead_nowhere_else)
{
    uint8_t bytes[SY_HANDOVER_BYTES_MAX];
    struct sy_slice whole = test_epochs_path(&chain, 1, 2);
    sy_epochs *epochs = open_at(1);
    unsigned taken = 0;
    for (size_t bit = 0; bit < whole.size * 8; bit++) {
        memcpy(bytes, whole.data, whole.size);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        sy_status status = sy_epochs_take(epochs, sy_slice_of(bytes, whole.size), &err);
        if (status == SY_ERR_CRYPTO || status == SY_ERR_FORMAT) continue;
        assert_int_equal(status, SY_OK);
        assert_memory_equal(sy_epochs_newest(epochs), &chain.rosters[2], sizeof(struct sy_roster));
        sy_epochs_close(epochs);
        epochs = open_at(1);
        taken++;
    }
    assert_int_equal(taken, 3 * 64 * 8);
    assert_int_equal(sy_epochs_newest(epochs)->epoch, 1);
    sy_epochs_close(epochs);
}

/* What a quorum that lies, but not of this roster, can make: another change, sealed by itself. */
CASE(handovers_that_the_roster_did_not_seal_are_refused)
{
    uint8_t bytes[SY_HANDOVER_BYTES_MAX];
    sy_epochs *epochs = open_at(1);
    for (unsigned by = 0; by < TEST_EPOCHS; by++) {
        struct sy_handover forged = chain.handovers[1];
        struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
        test_certify(&forged.certificate, &chain.genesis.hash, &chain.rosters[by], &forged.header);
        sy_handover_encode(&w, &forged);
        assert_false(w.failed);
        sy_status status = sy_epochs_take(epochs, sy_writer_slice(&w), &err);
        // Taken last, so that none of the others finds another roster.
        if (by == 1) {
            assert_int_equal(status, SY_OK);
            sy_epochs_close(epochs);
            epochs = open_at(1);
        } else {
            assert_true(status == SY_ERR_CRYPTO || status == SY_ERR_FORMAT);
        }
    }
    // A header that promises another roster, well sealed: the change is not the one that ran.
    struct sy_handover forged = chain.handovers[1];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    forged.header.next_roster = test_hash(77);
    test_certify(&forged.certificate, &chain.genesis.hash, &chain.rosters[1], &forged.header);
    sy_handover_encode(&w, &forged);
    assert_refused(epochs, sy_writer_slice(&w), SY_ERR_CRYPTO);
    // And one below the heights of its epoch.
    forged = chain.handovers[1];
    forged.header.height = TEST_EPOCH_HEIGHTS;
    test_certify(&forged.certificate, &chain.genesis.hash, &chain.rosters[1], &forged.header);
    w = sy_writer_of(bytes, sizeof bytes);
    sy_handover_encode(&w, &forged);
    assert_refused(epochs, sy_writer_slice(&w), SY_ERR_CRYPTO);
    sy_epochs_close(epochs);
}

CASE(addresses_stand_for_those_of_the_genesis)
{
    static const char *const given[4] = {"near:1", "near:2", "near:3", "near:4"};
    sy_epochs *epochs = open_at(2);
    assert_string_equal(sy_epochs_address(epochs, given, 0), "near:1");
    assert_string_equal(sy_epochs_address(epochs, given, 1),
                        chain.rosters[2].validators[1].client_address); // it moved
    assert_string_equal(sy_epochs_address(epochs, given, 3), "near:4");
    assert_string_equal(sy_epochs_address(epochs, given, 4),
                        chain.rosters[1].validators[4].client_address); // it came later
    assert_string_equal(sy_epochs_address(epochs, NULL, 0),
                        chain.genesis.roster.validators[0].client_address);
    assert_int_equal(sy_epochs_take(epochs, test_epochs_path(&chain, 2, 3), &err), SY_OK);
    assert_string_equal(sy_epochs_address(epochs, given, 1), "near:3"); // validator 2
    sy_epochs_close(epochs);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(every_epoch_is_reached_and_found_again),
        cmocka_unit_test(rosters_certify_the_heights_of_their_epoch_alone),
        cmocka_unit_test(handovers_of_other_epochs_are_refused),
        cmocka_unit_test(handovers_with_a_bit_changed_lead_nowhere_else),
        cmocka_unit_test(handovers_that_the_roster_did_not_seal_are_refused),
        cmocka_unit_test(addresses_stand_for_those_of_the_genesis),
    };
    return cmocka_run_group_tests(cases, prepare, NULL);
}
