/* Whom links accept beside the roster: who is in the roster before or after. */
#include <stdio.h>
#include <string.h>

#include "consensus/node/peers.h"
#include "tests/support/epochs.h"
#include "tests/unit/chain_rig.h"

static struct chain_rig rig;
static struct test_epochs epochs;
static struct sy_peers peers;
static struct sy_error err;
static const struct sy_public_key nobody;

static void assert_is(uint32_t place, const struct sy_validator *validator)
{
    const struct sy_link_peer *peer = &peers.list[place];
    assert_true(place < peers.count);
    assert_string_equal(peer->name, validator->name);
    assert_string_equal(peer->control, validator->control_address);
    assert_string_equal(peer->bulk, validator->bulk_address);
    assert_true(sy_public_key_equal(&peer->key, &validator->link_key));
}

CASE(members_stand_in_the_rosters_order)
{
    test_genesis(&rig.genesis, 7);
    const struct sy_roster *roster = &rig.genesis.roster;
    sy_peers_begin(&peers, roster, 2, &roster->validators[2].link_key);
    assert_true(peers.count == 7 && peers.members == 7 && peers.me == 2);
    for (uint16_t i = 0; i < 7; i++) {
        assert_is(i, &roster->validators[i]);
        assert_true(sy_peers_number(&peers, i) == i && sy_peers_place(&peers, i) == i);
    }
    assert_int_equal(sy_peers_place(&peers, SY_NODE_DEPARTED), UINT32_MAX);
    assert_int_equal(sy_peers_place(&peers, SY_NODE_ANNOUNCED), UINT32_MAX);
    sy_peers_begin(&peers, roster, SY_PBFT_OBSERVER, &nobody);
    assert_int_equal(peers.me, UINT32_MAX);
}

/* Epoch 1 of epochs.h adds 4, epoch 2 gives 1 other keys, epoch 3 is without 0. */
CASE(guests_are_who_comes_and_who_went)
{
    test_epochs_make(&epochs, NULL);
    const struct sy_roster *rosters = epochs.rosters;
    sy_peers_begin(&peers, &rosters[1], 0, &rosters[1].validators[0].link_key);
    sy_peers_add_guest(&peers, &rosters[0], SY_NODE_DEPARTED);
    assert_int_equal(peers.count, 5); /* nobody went */
    sy_peers_add_guest(&peers, &rosters[2], SY_NODE_ANNOUNCED);
    assert_int_equal(peers.count, 6);
    assert_is(5, &rosters[2].validators[1]); /* under its new key, beside the old one */
    assert_int_equal(sy_peers_number(&peers, 5), SY_NODE_ANNOUNCED);

    sy_peers_begin(&peers, &rosters[2], 2, &rosters[2].validators[2].link_key);
    sy_peers_add_guest(&peers, &rosters[1], SY_NODE_DEPARTED);
    sy_peers_add_guest(&peers, &rosters[3], SY_NODE_ANNOUNCED);
    assert_int_equal(peers.count, 6); /* who stays is no guest, and the one that goes is a member */
    assert_is(5, &rosters[1].validators[1]);
    assert_int_equal(sy_peers_place(&peers, SY_NODE_DEPARTED), 5);
    assert_int_equal(sy_peers_place(&peers, SY_NODE_ANNOUNCED), UINT32_MAX);
}

/* It needs what came after its time, too: states and all blocks. */
CASE(who_went_and_comes_back_is_announced)
{
    test_epochs_make(&epochs, NULL);
    const struct sy_roster *rosters = epochs.rosters;
    static struct sy_roster again;
    sy_peers_begin(&peers, &rosters[0], 0, &rosters[0].validators[0].link_key);
    sy_peers_add_guest(&peers, &rosters[1], SY_NODE_DEPARTED);
    assert_int_equal(sy_peers_number(&peers, 4), SY_NODE_DEPARTED);
    again = rosters[1];
    snprintf(again.validators[4].control_address, sizeof again.validators[4].control_address,
             "tcp://127.0.0.1:4999");
    sy_peers_add_guest(&peers, &again, SY_NODE_ANNOUNCED);
    assert_int_equal(peers.count, 5);
    assert_is(4, &again.validators[4]);
    assert_int_equal(sy_peers_number(&peers, 4), SY_NODE_ANNOUNCED);
    assert_int_equal(sy_peers_place(&peers, SY_NODE_DEPARTED), UINT32_MAX);
}

CASE(nobody_is_his_own_guest)
{
    test_epochs_make(&epochs, NULL);
    const struct sy_roster *rosters = epochs.rosters;
    sy_peers_begin(&peers, &rosters[0], SY_PBFT_OBSERVER, &rosters[1].validators[4].link_key);
    sy_peers_add_guest(&peers, &rosters[1], SY_NODE_ANNOUNCED);
    assert_int_equal(peers.count, 4);
}

static struct sy_link_peer observer_of(const struct sy_validator *validator, const char *name)
{
    struct sy_link_peer observer = {.key = validator->link_key};
    (void)snprintf(observer.name, sizeof observer.name, "%s", name);
    (void)snprintf(observer.control, sizeof observer.control, "tcp://127.0.0.1:7000");
    (void)snprintf(observer.bulk, sizeof observer.bulk, "tcp://127.0.0.1:7001");
    return observer;
}

CASE(observers_stand_behind_the_members_under_numbers_of_their_own)
{
    test_epochs_make(&epochs, NULL);
    const struct sy_roster *rosters = epochs.rosters;
    const struct sy_link_peer listed[] = {
        observer_of(&rosters[0].validators[2], "a member"),
        observer_of(&rosters[0].validators[1], "one"),    /* a member no more, in epoch 2 */
        observer_of(&rosters[0].validators[0], "itself"), /* likewise in epoch 3 */
    };
    sy_peers_begin(&peers, &rosters[3], SY_PBFT_OBSERVER, &rosters[0].validators[0].link_key);
    sy_peers_add_observers(&peers, listed, 3);
    assert_int_equal(peers.count, peers.members + 1);
    assert_string_equal(peers.list[peers.members].name, "one");
    assert_string_equal(peers.list[peers.members].control, "tcp://127.0.0.1:7000");
    assert_int_equal(sy_peers_number(&peers, peers.members), SY_NODE_OBSERVER + 1);
    assert_int_equal(sy_peers_place(&peers, SY_NODE_OBSERVER + 1), peers.members);
    assert_int_equal(sy_peers_place(&peers, SY_NODE_OBSERVER), UINT32_MAX);
    assert_int_equal(sy_peers_place(&peers, SY_NODE_DEPARTED), UINT32_MAX);
}

/* It may ask for what the departed may not, and a change's word goes over the operator's. */
CASE(an_observer_that_left_observes_and_one_that_comes_is_announced)
{
    test_epochs_make(&epochs, NULL);
    const struct sy_roster *rosters = epochs.rosters;
    const struct sy_link_peer left = observer_of(&rosters[1].validators[1], "left");
    sy_peers_begin(&peers, &rosters[2], 2, &rosters[2].validators[2].link_key);
    sy_peers_add_observers(&peers, &left, 1);
    sy_peers_add_guest(&peers, &rosters[1], SY_NODE_DEPARTED);
    assert_int_equal(peers.count, 6);
    assert_int_equal(sy_peers_number(&peers, 5), SY_NODE_OBSERVER);
    assert_string_equal(peers.list[5].name, "left");

    const struct sy_link_peer comes = observer_of(&rosters[1].validators[4], "comes");
    sy_peers_begin(&peers, &rosters[0], 2, &rosters[0].validators[2].link_key);
    sy_peers_add_observers(&peers, &comes, 1);
    sy_peers_add_guest(&peers, &rosters[1], SY_NODE_ANNOUNCED);
    assert_int_equal(peers.count, 5);
    assert_is(4, &rosters[1].validators[4]);
    assert_int_equal(sy_peers_number(&peers, 4), SY_NODE_ANNOUNCED);
}

/* Under the link key of when it was a validator: its own place in an old roster is no peer. */
CASE(an_observer_knows_itself_in_an_old_roster)
{
    test_epochs_make(&epochs, NULL);
    const struct sy_roster *roster = &epochs.rosters[0];
    sy_peers_begin(&peers, roster, SY_PBFT_OBSERVER, &roster->validators[3].link_key);
    assert_true(peers.members == 4 && peers.count == 4 && peers.me == 3);
}

static void look(void)
{
    if (sy_peers_look(&peers, rig.store, &rig.genesis, rig.roster.epoch, &err) != SY_OK) {
        fail_msg("%s", err.text);
    }
}

CASE(the_state_tells_them_at_the_start_and_when_a_change_comes)
{
    static struct test_change change;
    static struct sy_roster before, after;
    chain_open(&rig);
    sy_peers_begin(&peers, &rig.roster, 0, &nobody);
    look();
    assert_true(peers.count == 4 && !peers.announced);
    chain_change_thrice(&rig); /* at last 4 went */
    sy_peers_begin(&peers, &rig.roster, 0, &nobody);
    look();
    assert_true(peers.count == 5 && !peers.announced);
    assert_int_equal(sy_peers_number(&peers, 4), SY_NODE_DEPARTED);
    assert_string_equal(peers.list[4].name, "validator 4");
    look(); /* once more: nothing new */
    assert_int_equal(peers.count, 5);

    before = rig.roster;
    test_change_add(&change, &rig.genesis.hash, &before, 5);
    test_change_follow(&after, &before, &change);
    chain_change(&rig, &change);
    look();
    assert_true(peers.count == 6 && peers.announced);
    assert_is(5, &after.validators[4]);
    assert_int_equal(sy_peers_place(&peers, SY_NODE_ANNOUNCED), 5);
    sy_peers_begin(&peers, &rig.roster, 0, &nobody); /* after a restart: both at once */
    look();
    assert_true(peers.count == 6 && peers.announced);
    assert_int_equal(sy_peers_place(&peers, SY_NODE_DEPARTED), 4);
    assert_int_equal(sy_peers_place(&peers, SY_NODE_ANNOUNCED), 5);

    chain_end_epoch(&rig);
    chain_run(&rig);
    chain_certify(&rig);
    sy_peers_begin(&peers, &rig.roster, 0, &nobody);
    look();
    assert_true(peers.count == 5 && !peers.announced); /* who came is a member, nobody went */
    chain_close(&rig);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(members_stand_in_the_rosters_order),
        cmocka_unit_test(guests_are_who_comes_and_who_went),
        cmocka_unit_test(who_went_and_comes_back_is_announced),
        cmocka_unit_test(nobody_is_his_own_guest),
        cmocka_unit_test(observers_stand_behind_the_members_under_numbers_of_their_own),
        cmocka_unit_test(an_observer_that_left_observes_and_one_that_comes_is_announced),
        cmocka_unit_test(an_observer_knows_itself_in_an_old_roster),
        cmocka_unit_test(the_state_tells_them_at_the_start_and_when_a_change_comes),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
