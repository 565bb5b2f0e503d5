/* test_ledger_rosters.c: rosters as the ledger keeps them and as somebody follows them who sees
 * certified headers and the changes in state alone; and states that hold no rosters. */
#include "tests/support/test.h"

#include <stdlib.h>

#include "core/ledger/rosters.h"
#include "tests/support/changes.h"
#include "tests/support/ledger_world.h"

static struct ledger_world world;
static struct test_change change;

static const struct sy_roster *roster_now(void)
{
    return sy_ledger_roster(world.ledger, world.header.height + 1);
}

static enum sy_refusal submit(void)
{
    struct world_tx tx = world_tx_of(change.kind, REGULATOR_1, 0);
    tx.payload = change.payload;
    return world_submit(&world, &tx);
}

/* --- damage -------------------------------------------------------------------------------- */

/* A state with a change of validator 2's keys and addresses pending. */
static int open_pending(void **state)
{
    (void)state;
    world_open_of(&world, 5);
    test_change_rekey(&change, &world.genesis.hash, roster_now(), 2, TEST_REKEY_ALL, 210);
    test_change_approve_by(&change, &world.genesis.hash, roster_now(), 4);
    assert_int_equal(submit(), SY_APPLIED);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static sy_status load(struct sy_rosters *rosters)
{
    struct sy_state_source source = state_array_source(&world.state);
    struct sy_error err = {SY_OK, ""};
    sy_status status = sy_rosters_load(rosters, &world.genesis.hash, &source, &err);
    assert_int_equal(status != SY_OK, err.text[0] != 0);
    return status;
}

static void assert_corrupt(void)
{
    static struct sy_rosters rosters;
    assert_int_equal(load(&rosters), SY_ERR_CORRUPT);
}

static struct sy_hash key_of_head(void)
{
    struct sy_hash key_hash;
    sy_state_key_zero(&key_hash, SY_STATE_ROSTER);
    return key_hash;
}

static struct sy_hash key_of_change(uint32_t epoch)
{
    struct sy_hash key_hash;
    sy_state_key_roster_change(&key_hash, epoch);
    return key_hash;
}

CASE(rosters_are_loaded_with_the_pending_one)
{
    static struct sy_rosters rosters;
    static struct sy_roster next;
    test_change_follow(&next, &world.genesis.roster, &change);
    assert_int_equal(load(&rosters), SY_OK);
    assert_memory_equal(&rosters.now, &world.genesis.roster, sizeof rosters.now);
    assert_memory_equal(&rosters.next, &next, sizeof next);
    assert_int_equal(rosters.first, world.header.height + SY_ROSTER_DELAY);
    assert_ptr_equal(sy_rosters_at(&rosters, rosters.first - 1), &rosters.now);
    assert_ptr_equal(sy_rosters_at(&rosters, rosters.first), &rosters.next);
}

CASE(state_without_its_roster_is_corrupt)
{
    struct sy_hash keys[6] = {key_of_head()};
    for (uint16_t i = 0; i < 5; i++) sy_state_key_validator(&keys[1 + i], i);
    for (unsigned i = 0; i < 6; i++) {
        struct sy_slice value;
        uint8_t copy[1024];
        assert_true(world_find(&world, &value, &keys[i]));
        memcpy(copy, value.data, value.size);
        size_t size = value.size;
        state_array_remove(&world.state, &keys[i]);
        assert_corrupt();
        for (size_t cut = 0; cut < size; cut++) {
            state_array_put(&world.state, &keys[i], sy_slice_of(copy, cut));
            assert_corrupt();
        }
        for (size_t bit = 0; bit < 8 * size; bit++) { // the head has the hash of all the rest
            copy[bit / 8] ^= (uint8_t)(1u << (bit % 8));
            state_array_put(&world.state, &keys[i], sy_slice_of(copy, size));
            assert_corrupt();
            copy[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        }
        state_array_put(&world.state, &keys[i], sy_slice_of(copy, size));
    }
    static struct sy_rosters rosters;
    assert_int_equal(load(&rosters), SY_OK);
}

static void put_change(uint64_t first, uint16_t kind, struct sy_slice bytes)
{
    uint8_t room[SY_ROSTER_CHANGE_BYTES_MAX + 64];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_roster_next next = {.first = first, .kind = kind, .change = bytes};
    struct sy_hash key_hash = key_of_change(1);
    sy_roster_next_encode(&w, &next);
    assert_false(w.failed);
    state_array_put(&world.state, &key_hash, sy_writer_slice(&w));
}

CASE(pending_change_that_is_none_of_the_roster_is_corrupt)
{
    uint8_t room[SY_ROSTER_CHANGE_BYTES_MAX];
    const struct sy_kind *kind = sy_kind_by_number(change.kind);
    struct sy_validator_rekey *p = &change.payload.validator_rekey;
    const struct sy_validator_rekey good = *p;
    static struct sy_rosters rosters;
    for (unsigned fault = 0; fault <= 7; fault++) {
        struct sy_writer w = sy_writer_of(room, sizeof room);
        *p = good;
        if (fault == 1) p->epoch++;
        if (fault == 2) p->roster_hash.bytes[0] ^= 1;
        if (fault == 3) p->validator = test_public(300);
        if (fault == 4) p->link_key = world.genesis.roster.validators[0].admin_key;
        sy_approved_encode(&w, kind, &change.payload);
        struct sy_slice bytes = sy_writer_slice(&w);
        if (fault == 5) bytes.size--;
        put_change(fault == 6 ? 0 : 129, fault == 7 ? SY_KIND_validator_remove : kind->number,
                   bytes);
        assert_int_equal(load(&rosters), fault == 0 ? SY_OK : SY_ERR_CORRUPT);
    }
    *p = good;
    struct sy_hash key_hash = key_of_change(1);
    state_array_put(&world.state, &key_hash, sy_slice_of("", 0));
    assert_corrupt();
    state_array_remove(&world.state, &key_hash);
    assert_int_equal(load(&rosters), SY_OK); // then none is pending
    assert_int_equal(rosters.first, 0);
}

CASE(state_without_the_beginning_of_its_epoch_is_corrupt)
{
    static struct sy_rosters rosters;
    uint64_t first = world.header.height + SY_ROSTER_DELAY;
    while (world.header.height < first) world_execute(&world, NULL, 0);
    assert_int_equal(load(&rosters), SY_OK);
    assert_int_equal(rosters.now.epoch, 1);
    assert_int_equal(rosters.base, first - 1);
    struct sy_hash key_hash = key_of_change(1);
    put_change(0, change.kind, sy_slice_of("", 0));
    assert_corrupt();
    state_array_put(&world.state, &key_hash, sy_slice_of("short", 5));
    assert_corrupt();
    state_array_remove(&world.state, &key_hash);
    assert_corrupt();
}

CASE(failing_source_is_told_as_such)
{
    static struct sy_rosters rosters;
    for (unsigned read = 1; read <= 7; read++) { // head, five validators, the change
        world.state.fail_after = read;
        assert_int_equal(load(&rosters), SY_ERR_IO);
    }
    world.state.fail_after = 0;
    assert_int_equal(load(&rosters), SY_OK);
}

/* --- any history --------------------------------------------------------------------------- */

#define EPOCHS 16u

struct history {
    sy_prng prng;
    unsigned next_key; /* that nobody has had yet */
    unsigned next_validator;
    struct sy_roster followed; /* what a light client has come to, from the genesis */
};

static unsigned draw(struct history *history, unsigned below)
{
    return (unsigned)sy_prng_below(&history->prng, below);
}

/* A change that may well be refused: removals below four, keys that are used, too few approvals. */
static void draw_change(struct history *history)
{
    const struct sy_roster *now = roster_now();
    const struct sy_hash *genesis = &world.genesis.hash;
    unsigned index = draw(history, now->count);
    unsigned what = draw(history, 4);
    if (draw(history, 2) == 0) what = TEST_REKEY_ADDRESSES;
    switch (draw(history, 3)) {
    case 0: test_change_add(&change, genesis, now, history->next_validator); break;
    case 1: test_change_remove(&change, genesis, now, index); break;
    default: test_change_rekey(&change, genesis, now, index, what, history->next_key);
    }
    if (draw(history, 8) == 0 && change.kind == SY_KIND_validator_add) {
        change.payload.validator_add.link_key = now->validators[index].admin_key;
    }
    test_change_approve_by(&change, genesis, now,
                           draw(history, 6) == 0 ? draw(history, now->count) : now->count);
}

static void forget_keys(struct history *history)
{
    if (change.kind == SY_KIND_validator_add) history->next_validator++;
    if (change.kind == SY_KIND_validator_rekey && change.payload.validator_rekey.has_link_key) {
        history->next_key += 3;
    }
}

/* Until the next epoch has begun, with restarts, and other transactions in between. */
static void run_on(struct history *history, uint64_t first, struct sy_header *last)
{
    while (world.header.height < first) {
        if (world.header.height + 1 == first) *last = world.header;
        if (draw(history, 40) == 0) world_reopen(&world);
        if (draw(history, 40) == 0) {
            struct world_tx tx =
                world_register(FRESH_ID + (unsigned)world.header.height, SY_ORG_HOSPITAL, ADMIN_A);
            (void)world_submit(&world, &tx);
        } else {
            world_execute(&world, NULL, 0);
        }
    }
}

/* The handover as a server puts it together from state and what it has stored. */
static void follow(struct sy_roster *roster, const struct sy_header *last)
{
    static struct sy_handover handover;
    struct sy_hash key_hash = key_of_change(roster->epoch + 1);
    struct sy_slice value;
    struct sy_roster_next next;
    struct sy_error err = {SY_OK, ""};
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_roster_next_decode(&next, value));
    assert_int_equal(next.first, last->height + 1);
    handover.kind = next.kind;
    handover.change = next.change;
    handover.header = *last;
    test_certify(&handover.certificate, &world.genesis.hash, roster, last);
    sy_status status = sy_handover_take(roster, &world.genesis.hash, &handover, &err);
    if (status != SY_OK) fail_msg("%s", err.text);
}

CASE(ledger_and_follower_agree_after_any_changes)
{
    static struct history history;
    static struct sy_rosters loaded;
    memset(&history, 0, sizeof history);
    sy_prng_seed(&history.prng, test_seed());
    history.next_key = 300;
    history.next_validator = 40;
    world_open_of(&world, 4 + draw(&history, 9));
    history.followed = world.genesis.roster;
    unsigned applied = 0, refused = 0;
    for (unsigned round = 0; applied < EPOCHS && round < 200; round++) {
        struct sy_header last = {0};
        draw_change(&history);
        if (submit() != SY_APPLIED) {
            refused++;
            assert_int_equal(sy_ledger_next_epoch(world.ledger, 0), 0);
            continue;
        }
        forget_keys(&history);
        applied++;
        run_on(&history, sy_ledger_next_epoch(world.ledger, 0), &last);
        follow(&history.followed, &last);
        assert_memory_equal(&history.followed, roster_now(), sizeof(struct sy_roster));
        assert_int_equal(roster_now()->epoch, applied);
        assert_int_equal(load(&loaded), SY_OK);
        assert_memory_equal(&loaded.now, roster_now(), sizeof(struct sy_roster));
        assert_int_equal(loaded.base, last.height);
    }
    assert_int_equal(applied, EPOCHS);
    assert_true(refused < 200);
    world_close(&world);
}

#define PENDING(name) cmocka_unit_test_setup_teardown(name, open_pending, close_world)

int main(void)
{
    const struct CMUnitTest cases[] = {
        PENDING(rosters_are_loaded_with_the_pending_one),
        PENDING(state_without_its_roster_is_corrupt),
        PENDING(pending_change_that_is_none_of_the_roster_is_corrupt),
        PENDING(state_without_the_beginning_of_its_epoch_is_corrupt),
        PENDING(failing_source_is_told_as_such),
        cmocka_unit_test(ledger_and_follower_agree_after_any_changes),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
