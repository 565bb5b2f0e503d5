/* test_wire_view_change.c: VIEW_CHANGE, NEW_VIEW and prepared certificates: what is read, what is
 * refused, and what is signed. Samples of a roster of 4: validator 1 shows slots 10 and 11. */
#include "core/wire/view_change.h"

#include <stdio.h>
#include <string.h>

#include "core/wire/vote.h"
#include "tests/support/samples.h"
#include "tests/support/test.h"

#define N 4u

static struct sy_message message;
static uint8_t room[1u << 16], list[1u << 16];
static const struct sy_hash genesis = {{7}};

static struct sy_view_change *sample_change(void)
{
    assert_true(sy_message_decode(&message, test_sample("message/view_change"), N));
    return &message.body.view_change;
}

/* The sample with its first certificate changed by the case. */
static struct sy_prepared prepared[2];
static struct sy_view_change *open_sample(void)
{
    struct sy_view_change *change = sample_change();
    struct sy_reader walk = sy_view_change_walk(change);
    assert_true(sy_view_change_next(&walk, &prepared[0], change, N));
    assert_true(sy_view_change_next(&walk, &prepared[1], change, N));
    assert_false(sy_view_change_next(&walk, &prepared[0], change, N));
    walk = sy_view_change_walk(change);
    assert_true(sy_view_change_next(&walk, &prepared[0], change, N));
    return change;
}

static bool accepts_lists(struct sy_view_change *change)
{
    struct sy_writer w = sy_writer_of(list, sizeof list);
    for (uint16_t i = 0; i < change->count; i++) sy_prepared_encode(&w, &prepared[i]);
    assert_false(w.failed);
    change->prepared = sy_writer_slice(&w);
    return test_accepted(&message, N);
}

CASE(a_view_change_comes_back_as_it_was_written)
{
    struct sy_view_change *change = open_sample();
    assert_int_equal(change->view, 3);
    assert_int_equal(change->signer, 1);
    assert_int_equal(change->count, 2);
    assert_int_equal(prepared[0].view, 1);
    assert_int_equal(prepared[1].proposal.slot, prepared[0].proposal.slot + 1);
    assert_true(accepts_lists(change));
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_message_encode(&w, &message);
    assert_true(sy_slice_equal(sy_writer_slice(&w), test_sample("message/view_change")));
}

CASE(a_view_change_of_a_network_without_history_needs_no_certificate)
{
    assert_true(sy_message_decode(&message, test_sample("message/view_change_first"), N));
    assert_int_equal(message.body.view_change.stable_height, 0);
    assert_int_equal(message.body.view_change.certificate.count, 0);
}

CASE(every_cut_and_every_longer_view_change_is_refused)
{
    struct sy_slice bytes = test_sample("message/view_change");
    for (size_t size = 0; size < bytes.size; size++)
        assert_false(sy_message_decode(&message, sy_slice_of(bytes.data, size), N));
    memcpy(room, bytes.data, bytes.size);
    room[bytes.size] = 0;
    assert_false(sy_message_decode(&message, sy_slice_of(room, bytes.size + 1), N));
}

CASE(a_view_change_names_a_view_and_a_signer_that_can_be)
{
    struct sy_view_change *change = sample_change();
    change->view = 0;
    assert_false(test_accepted(&message, N));
    change->view = SY_SLOT_MAX + 1;
    assert_false(test_accepted(&message, N));
    change->view = 3;
    change->signer = N;
    assert_false(test_accepted(&message, N));
    change->signer = 1;
    change->stable_height = SY_SLOT_MAX + 1;
    assert_false(test_accepted(&message, N));
}

CASE(certificates_lie_in_the_window_above_the_stable_height_in_order)
{
    struct sy_view_change *change = open_sample();
    uint64_t stable = change->stable_height;
    prepared[1].proposal.slot = stable + SY_PBFT_WINDOW;
    assert_true(accepts_lists(change));
    prepared[1].proposal.slot++;
    assert_false(accepts_lists(change));
    prepared[1].proposal.slot = prepared[0].proposal.slot;
    assert_false(accepts_lists(change));
    change = open_sample();
    prepared[0].proposal.slot = stable;
    assert_false(accepts_lists(change));
}

CASE(certificates_are_of_earlier_views_and_of_the_same_epoch)
{
    struct sy_view_change *change = open_sample();
    prepared[1].view = 3;
    assert_false(accepts_lists(change));
    change = open_sample();
    prepared[1].proposal.epoch = 1;
    assert_false(accepts_lists(change));
}

CASE(a_certificate_has_a_quorum_with_the_primary_in_it)
{
    // Slot 11, view 2: validator 2 was its primary, the holder is validator 1.
    struct sy_view_change *change = open_sample();
    prepared[1].statements[0].signer = 0; // 0 and 3: the primary is missing
    assert_false(accepts_lists(change));
    change = open_sample();
    prepared[1].count = 1;
    assert_false(accepts_lists(change));
    change = open_sample();
    prepared[1].statements[1].signer = 2; // twice
    assert_false(accepts_lists(change));
    change = open_sample();
    prepared[1].statements[1].signer = 1; // the holder itself
    assert_false(accepts_lists(change));
    change = open_sample();
    prepared[1].statements[1].signer = N;
    assert_false(accepts_lists(change));
    // A holder that did not prepare it needs a whole quorum of others; a primary always did.
    change = open_sample();
    prepared[1].count = 3;
    for (uint16_t i = 0; i < 3; i++) prepared[1].statements[i].signer = (uint16_t)(i + (i > 0));
    assert_true(accepts_lists(change));
    prepared[0].count = 3;
    for (uint16_t i = 0; i < 3; i++) prepared[0].statements[i].signer = (uint16_t)(i + (i > 0));
    assert_false(accepts_lists(change));
}

CASE(what_is_signed_are_the_claims_and_not_their_proofs)
{
    struct sy_hash digest, other;
    struct sy_view_change *change = open_sample();
    sy_view_change_digest(&digest, &genesis, change, N);
    prepared[1].statements[0].signature.bytes[0] ^= 1;
    assert_true(accepts_lists(change));
    sy_view_change_digest(&other, &genesis, change, N);
    assert_true(sy_hash_equal(&digest, &other));
    prepared[1].proposal.time_ms++;
    assert_true(accepts_lists(change));
    sy_view_change_digest(&other, &genesis, change, N);
    assert_false(sy_hash_equal(&digest, &other));
    change = sample_change();
    change->stable_hash.bytes[3] ^= 1;
    sy_view_change_digest(&other, &genesis, change, N);
    assert_false(sy_hash_equal(&digest, &other));
    change = sample_change();
    change->view++;
    sy_view_change_digest(&other, &genesis, change, N);
    assert_false(sy_hash_equal(&digest, &other));
}

CASE(a_new_view_names_a_quorum_in_roster_order)
{
    assert_true(sy_message_decode(&message, test_sample("message/new_view"), N));
    struct sy_new_view *m = &message.body.new_view;
    assert_int_equal(m->signer, m->view % N);
    m->signer = 0;
    assert_false(test_accepted(&message, N));
    m->signer = 3;
    m->changes[2].signer = m->changes[1].signer;
    assert_false(test_accepted(&message, N));
    m->changes[2].signer = N;
    assert_false(test_accepted(&message, N));
    m->changes[2].signer = 3;
    assert_true(test_accepted(&message, N));
    m->count = 2;
    assert_false(test_accepted(&message, N));
    m->count = 3;
    m->view = 0;
    assert_false(test_accepted(&message, N));
    struct sy_hash digest, other;
    m->view = 3;
    sy_new_view_digest(&digest, &genesis, m);
    m->changes[1].digest.bytes[0] ^= 1;
    sy_new_view_digest(&other, &genesis, m);
    assert_false(sy_hash_equal(&digest, &other));
}

CASE(a_request_for_views_speaks_of_the_roster_only)
{
    assert_true(sy_message_decode(&message, test_sample("message/view_fetch"), N));
    assert_int_equal(message.body.view_fetch.held[0], 5);
    assert_true(test_accepted(&message, 3));
    assert_false(test_accepted(&message, 2));
    message.body.view_fetch.view = SY_SLOT_MAX + 1;
    assert_false(test_accepted(&message, N));
}

CASE(the_longest_view_change_fits_its_bound)
{
    static uint8_t big[SY_FRAME_BYTES_MAX];
    for (unsigned n = SY_VALIDATORS_MIN; n <= SY_VALIDATORS_MAX; n++) {
        struct sy_prepared most = {.count = (uint16_t)sy_quorum(n)};
        most.proposal.count = SY_PROPOSAL_ENTRIES_MAX;
        struct sy_writer w = sy_writer_of(big, sizeof big);
        sy_prepared_encode(&w, &most);
        assert_int_equal(w.used, sy_prepared_bytes_max(n));
        assert_true(sy_view_change_bytes_max(n) + 1 <= SY_VIEW_CHANGE_BYTES_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_view_change_comes_back_as_it_was_written),
        cmocka_unit_test(a_view_change_of_a_network_without_history_needs_no_certificate),
        cmocka_unit_test(every_cut_and_every_longer_view_change_is_refused),
        cmocka_unit_test(a_view_change_names_a_view_and_a_signer_that_can_be),
        cmocka_unit_test(certificates_lie_in_the_window_above_the_stable_height_in_order),
        cmocka_unit_test(certificates_are_of_earlier_views_and_of_the_same_epoch),
        cmocka_unit_test(a_certificate_has_a_quorum_with_the_primary_in_it),
        cmocka_unit_test(what_is_signed_are_the_claims_and_not_their_proofs),
        cmocka_unit_test(a_new_view_names_a_quorum_in_roster_order),
        cmocka_unit_test(a_request_for_views_speaks_of_the_roster_only),
        cmocka_unit_test(the_longest_view_change_fits_its_bound),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
