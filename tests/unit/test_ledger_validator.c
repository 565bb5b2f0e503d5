/* test_ledger_validator.c: changes of the roster: what they need, and when they take effect. */
#include "tests/support/test.h"

#include <stdlib.h>

#include "tests/support/changes.h"
#include "tests/support/ledger_world.h"

#define EVERYBODY SY_VALIDATORS_MAX
#define NEWCOMER 20u /* a validator that is in no genesis here, and its keys 60 to 62 */
#define NEW_KEYS 210u

static struct ledger_world world;
static struct test_change change;

static int open_four(void **state)
{
    (void)state;
    world_open_of(&world, 4);
    return 0;
}

static int open_five(void **state)
{
    (void)state;
    world_open_of(&world, 5);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

/* --- words of the tests -------------------------------------------------------------------- */

static const struct sy_roster *roster_at(uint64_t height)
{
    return sy_ledger_roster(world.ledger, height);
}

static const struct sy_roster *roster_now(void)
{
    return roster_at(world.header.height + 1);
}

static struct sy_hash hash_of(const struct sy_roster *roster)
{
    struct sy_hash hash;
    sy_roster_hash(&hash, &world.genesis.hash, roster);
    return hash;
}

static struct world_tx tx_of(const struct test_change *of)
{
    struct world_tx tx = world_tx_of(of->kind, REGULATOR_1, 0);
    tx.payload = of->payload;
    return tx;
}

/* Approved by the first quorum. */
static void approve(void)
{
    test_change_approve_by(&change, &world.genesis.hash, roster_now(),
                           sy_quorum(roster_now()->count));
}

static void make_add(void)
{
    test_change_add(&change, &world.genesis.hash, roster_now(), NEWCOMER);
}

static void make_remove(unsigned index)
{
    test_change_remove(&change, &world.genesis.hash, roster_now(), index);
}

static void make_rekey(unsigned index, unsigned what)
{
    test_change_rekey(&change, &world.genesis.hash, roster_now(), index, what, NEW_KEYS);
}

static enum sy_refusal submit(void)
{
    struct world_tx tx = tx_of(&change);
    return world_submit(&world, &tx);
}

static void assert_refused(enum sy_refusal code)
{
    assert_int_equal(submit(), code);
    assert_int_equal(world.receipt.key_count, 0);
    assert_int_equal(world.receipt.event_count, 0);
    assert_int_equal(sy_ledger_next_epoch(world.ledger, 0), 0);
}

static void assert_detail_key(unsigned number)
{
    struct sy_public_key key = test_public(number);
    assert_memory_equal(world.receipt.detail_hash.bytes, key.bytes, 32);
    assert_int_equal(world.receipt.detail, 0);
}

static void assert_path(const char *path)
{
    assert_true(sy_slice_equal(world.receipt.path, sy_slice_of(path, strlen(path))));
}

static void run_empty_until(uint64_t height)
{
    while (world.header.height < height) world_execute(&world, NULL, 0);
}

static void assert_same_roster(const struct sy_roster *a, const struct sy_roster *b)
{
    assert_int_equal(a->epoch, b->epoch);
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->validators, b->validators, a->count * sizeof a->validators[0]);
}

/* The state's own words: head, and exactly `count` validators. */
static void assert_state_roster(const struct sy_roster *roster)
{
    struct sy_hash key_hash, hash = hash_of(roster);
    struct sy_slice value;
    struct sy_roster_head head;
    struct sy_validator validator;
    sy_state_key_zero(&key_hash, SY_STATE_ROSTER);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_roster_head_decode(&head, value));
    assert_int_equal(head.epoch, roster->epoch);
    assert_int_equal(head.count, roster->count);
    assert_memory_equal(head.hash.bytes, hash.bytes, 32);
    for (uint16_t i = 0; i <= SY_VALIDATORS_MAX; i++) {
        sy_state_key_validator(&key_hash, i);
        assert_int_equal(world_find(&world, &value, &key_hash), i < roster->count);
        if (i >= roster->count) continue;
        assert_true(sy_validator_state_decode(&validator, value));
        assert_memory_equal(&validator, &roster->validators[i], sizeof validator);
    }
}

static void assert_header(uint32_t epoch, const struct sy_roster *seals_next)
{
    struct sy_hash hash = hash_of(seals_next);
    assert_int_equal(world.header.epoch, epoch);
    assert_memory_equal(world.header.next_roster.bytes, hash.bytes, 32);
}

/* --- when ---------------------------------------------------------------------------------- */

/* The receipt of a change says about whom it is and which roster it makes. */
static void assert_told(const struct sy_public_key *about, const struct sy_roster *next)
{
    struct sy_event event;
    struct sy_hash hash = hash_of(next);
    struct sy_reader r = sy_reader_of(world.receipt.events);
    assert_int_equal(world.receipt.event_count, 1);
    assert_true(sy_event_decode(&r, &event));
    assert_int_equal(event.kind, SY_EVENT_VALIDATORS_CHANGED);
    assert_int_equal(event.subject_kind, SY_SUBJECT_KEY);
    assert_memory_equal(event.subject.bytes, about->bytes, 32);
    assert_memory_equal(event.object.bytes, hash.bytes, 32);
}

/* Runs the change, then 128 blocks, and looks at every header on the way. */
static void assert_takes_effect(const struct sy_public_key *about)
{
    static struct sy_roster before, after;
    before = *roster_now();
    test_change_follow(&after, &before, &change);
    approve();
    assert_int_equal(submit(), SY_APPLIED);
    uint64_t first = world.header.height + SY_ROSTER_DELAY;
    assert_told(about, &after);
    for (;; world_execute(&world, NULL, 0)) {
        uint64_t height = world.header.height;
        assert_header(before.epoch, height < first - 1 ? &before : &after);
        assert_int_equal(sy_ledger_next_epoch(world.ledger, 0), first);
        assert_same_roster(roster_at(height), &before);
        assert_same_roster(roster_at(first - 1), &before);
        assert_same_roster(roster_at(first), &after);
        assert_state_roster(&before);
        if (height == first - 1) break;
    }
    world_execute(&world, NULL, 0);
    assert_int_equal(world.header.height, first);
    assert_header(after.epoch, &after);
    assert_int_equal(sy_ledger_next_epoch(world.ledger, 0), 0);
    assert_same_roster(roster_now(), &after);
    assert_state_roster(&after);
    world_execute(&world, NULL, 0);
    assert_header(after.epoch, &after);
}

CASE(every_change_takes_effect_128_blocks_later)
{
    struct sy_public_key about = test_public(3 * NEWCOMER);
    make_add();
    assert_takes_effect(&about);
    about = test_public(3 * 1);
    make_remove(1);
    assert_takes_effect(&about);
    about = test_public(3 * 3);
    make_rekey(2, TEST_REKEY_ADDRESSES);
    assert_takes_effect(&about);
    make_rekey(2, TEST_REKEY_KEYS);
    assert_takes_effect(&about);
    about = test_public(NEW_KEYS);
    test_change_rekey(&change, &world.genesis.hash, roster_now(), 2, TEST_REKEY_ALL, NEW_KEYS + 3);
    assert_takes_effect(&about);
    make_remove(0);
    about = test_public(0);
    assert_takes_effect(&about);
    assert_int_equal(roster_now()->count, 4);
    assert_int_equal(roster_now()->epoch, 6);
}

CASE(new_keys_are_enrolled_for_their_use)
{
    static const uint8_t uses[3] = {SY_KEY_CONSENSUS, SY_KEY_LINK, SY_KEY_ADMIN};
    make_add();
    approve();
    assert_int_equal(submit(), SY_APPLIED);
    for (unsigned i = 0; i < 3; i++) {
        struct sy_public_key key = test_public(3 * NEWCOMER + i);
        struct sy_hash key_hash, org = test_hash(1000 + NEWCOMER);
        struct sy_slice value;
        struct sy_credential credential;
        sy_state_key_public(&key_hash, SY_STATE_CREDENTIAL, &key);
        assert_true(world_find(&world, &value, &key_hash));
        assert_true(sy_credential_decode(&credential, value));
        assert_int_equal(credential.use, uses[i]);
        assert_int_equal(credential.role, 0);
        assert_int_equal(credential.issued_height, world.header.height);
        assert_memory_equal(credential.holder.bytes, org.bytes, 32);
    }
}

/* Whether a batch by index `maker` of the next block's roster runs. */
static bool runs_batch_of(unsigned maker)
{
    struct world_tx tx = world_register(ORG_A, SY_ORG_HOSPITAL, ADMIN_A);
    assert_true(world_add(&world, &tx));
    struct sy_slice batch = world_batch(&world, maker, 1);
    struct sy_block_entry entry = world_entry(&world, maker, 1, batch);
    world_execute(&world, &entry, 1);
    return world.result.entries[0].ran;
}

CASE(makers_are_those_of_the_blocks_roster)
{
    make_add();
    approve();
    assert_int_equal(submit(), SY_APPLIED);
    uint64_t first = sy_ledger_next_epoch(world.ledger, 0);
    run_empty_until(first - 2);
    struct world_tx tx = world_register(ORG_A, SY_ORG_HOSPITAL, ADMIN_A);
    assert_true(world_add(&world, &tx));
    struct sy_slice batch = world_batch(&world, 5, 1);
    struct sy_block_entry entry = world_entry(&world, 5, 1, batch);
    world_execute(&world, &entry, 1);
    assert_false(world.result.entries[0].ran);
    assert_true(runs_batch_of(5)); // the first block of the new epoch
    assert_int_equal(world.header.height, first);

    make_remove(1);
    approve();
    assert_int_equal(submit(), SY_APPLIED);
    run_empty_until(sy_ledger_next_epoch(world.ledger, 0) - 1);
    assert_true(runs_batch_of(1));  // who was index 2, with its own numbers
    assert_false(runs_batch_of(4)); // the newcomer again: its batch 1 ran already
    assert_false(runs_batch_of(5));
}

CASE(blocks_of_another_epoch_than_their_rosters_are_refused)
{
    make_add();
    approve();
    assert_int_equal(submit(), SY_APPLIED);
    uint64_t first = sy_ledger_next_epoch(world.ledger, 0);
    struct sy_block_result result;
    struct sy_error err;
    while (world.header.height <= first) {
        uint64_t height = world.header.height + 1;
        struct sy_block_input input = {.height = height,
                                       .epoch = height < first ? 1 : 0,
                                       .time_ms = world.header.time_ms + 1,
                                       .previous = &world.header};
        assert_int_equal(sy_ledger_execute(world.ledger, &result, &input, &err), SY_ERR_ARGUMENT);
        assert_non_null(strstr(err.text, "epoch"));
        world_execute(&world, NULL, 0);
    }
}

CASE(restarts_at_any_height_change_no_header)
{
    static struct ledger_world steady;
    world_open_of(&steady, 5);
    make_remove(3);
    approve();
    struct world_tx tx = tx_of(&change);
    assert_int_equal(world_submit(&steady, &tx), SY_APPLIED);
    assert_int_equal(submit(), SY_APPLIED);
    uint64_t first = sy_ledger_next_epoch(world.ledger, 0);
    while (world.header.height <= first + 1) {
        world_reopen(&world);
        assert_int_equal(sy_ledger_next_epoch(world.ledger, 0),
                         sy_ledger_next_epoch(steady.ledger, 0));
        world_execute(&world, NULL, 0);
        world_execute(&steady, NULL, 0);
        assert_memory_equal(&world.result.header_hash, &steady.result.header_hash, 32);
    }
    world_close(&steady);
}

CASE(one_change_is_pending_at_a_time)
{
    static struct test_change other;
    make_remove(3);
    approve();
    test_change_rekey(&other, &world.genesis.hash, roster_now(), 1, TEST_REKEY_ADDRESSES, NEW_KEYS);
    test_change_approve_by(&other, &world.genesis.hash, roster_now(), 4);
    struct world_tx txs[2] = {tx_of(&change), tx_of(&other)};
    assert_true(world_add(&world, &txs[0]) && world_add(&world, &txs[1]));
    world_run(&world);
    struct sy_receipt receipt;
    world_receipt(&world, &receipt, 0);
    assert_int_equal(receipt.code, SY_APPLIED);
    world_receipt(&world, &receipt, 1);
    uint64_t first = world.header.height + SY_ROSTER_DELAY;
    assert_int_equal(receipt.code, SY_E_ROSTER_PENDING);
    assert_int_equal(receipt.detail, first);

    run_empty_until(first - 2); // the last block of the epoch still refuses
    assert_int_equal(world_submit(&world, &txs[1]), SY_E_ROSTER_PENDING);
    assert_int_equal(world.receipt.detail, first);
    // The first block of the next one takes a change for its own roster.
    assert_int_equal(world_submit(&world, &txs[1]), SY_E_ROSTER);
    make_rekey(1, TEST_REKEY_ADDRESSES);
    approve();
    assert_int_equal(submit(), SY_APPLIED);
    assert_int_equal(sy_ledger_next_epoch(world.ledger, 0), world.header.height + SY_ROSTER_DELAY);
}

CASE(change_in_the_first_block_of_an_epoch_is_for_that_epoch)
{
    static struct sy_roster next;
    make_remove(3);
    test_change_follow(&next, roster_now(), &change);
    approve();
    assert_int_equal(submit(), SY_APPLIED);
    run_empty_until(sy_ledger_next_epoch(world.ledger, 0) - 1);
    test_change_rekey(&change, &world.genesis.hash, &next, 1, TEST_REKEY_ADDRESSES, NEW_KEYS);
    assert_takes_effect(&next.validators[1].consensus_key);
    assert_int_equal(roster_now()->epoch, 2);
}

/* --- within atomic transactions ------------------------------------------------------------ */

static struct world_tx atomic_with_change(void)
{
    struct world_tx tx = world_tx_of(SY_KIND_atomic, REGULATOR_1, 0);
    world_part(&world, &tx, change.kind, 0, &change.payload);
    return tx;
}

CASE(change_that_a_later_part_undoes_leaves_nothing)
{
    make_add();
    approve();
    struct world_tx good = world_register(ORG_A, SY_ORG_HOSPITAL, ADMIN_A);
    struct world_tx tx = atomic_with_change();
    world_cosign(&tx, ADMIN_A);
    world_part(&world, &tx, good.kind, 0, &good.payload);
    world_part(&world, &tx, good.kind, 0, &good.payload); // the organisation exists by then
    size_t entries = world.state.count;
    struct sy_hash none = hash_of(roster_now());
    assert_int_equal(world_submit(&world, &tx), SY_E_ORG_EXISTS);
    assert_int_equal(world.receipt.part, 2);
    assert_int_equal(sy_ledger_next_epoch(world.ledger, 0), 0);
    assert_true(world.state.count <= entries + 3); // nonces, maker, event count
    run_empty_until(world.header.height + SY_ROSTER_DELAY + 1);
    assert_memory_equal(world.header.next_roster.bytes, none.bytes, 32);
    assert_int_equal(submit(), SY_APPLIED); // the keys are free still
}

CASE(change_after_one_that_was_undone_in_the_same_block_counts)
{
    make_add();
    approve();
    struct world_tx part = world_register(ORG_A, SY_ORG_HOSPITAL, ADMIN_A);
    struct world_tx undone = atomic_with_change();
    world_part(&world, &undone, change.kind, 0, &change.payload); // pending by then
    struct world_tx kept = atomic_with_change();
    world_cosign(&kept, ADMIN_A);
    world_part(&world, &kept, part.kind, 0, &part.payload);
    assert_true(world_add(&world, &undone) && world_add(&world, &kept));
    world_run(&world);
    struct sy_receipt receipt;
    world_receipt(&world, &receipt, 0);
    assert_int_equal(receipt.code, SY_E_ROSTER_PENDING);
    assert_int_equal(receipt.part, 1);
    world_receipt(&world, &receipt, 1);
    assert_int_equal(receipt.code, SY_APPLIED);
    assert_int_equal(sy_ledger_next_epoch(world.ledger, 0), world.header.height + SY_ROSTER_DELAY);
}

/* --- what is refused ----------------------------------------------------------------------- */

enum { ADD, REMOVE, REKEY, KINDS };

static void make(unsigned kind)
{
    if (kind == ADD) make_add();
    if (kind == REMOVE) make_remove(2);
    if (kind == REKEY) make_rekey(2, TEST_REKEY_ALL);
}

static void name_roster(uint32_t epoch, const struct sy_hash *hash)
{
    if (change.kind == SY_KIND_validator_add) {
        change.payload.validator_add.epoch = epoch;
        change.payload.validator_add.roster_hash = *hash;
    } else if (change.kind == SY_KIND_validator_remove) {
        change.payload.validator_remove.epoch = epoch;
        change.payload.validator_remove.roster_hash = *hash;
    } else {
        change.payload.validator_rekey.epoch = epoch;
        change.payload.validator_rekey.roster_hash = *hash;
    }
}

CASE(change_of_another_roster_is_refused)
{
    make_rekey(1, TEST_REKEY_ADDRESSES); // so that the current epoch is not 0
    struct sy_public_key about = test_public(3);
    struct sy_hash first = hash_of(roster_now());
    assert_takes_effect(&about);
    struct sy_hash now = hash_of(roster_now()), other = test_hash(7);
    const struct {
        uint32_t epoch;
        const struct sy_hash *hash;
    } wrong[] = {{0, &first}, {0, &now}, {2, &now}, {1, &other}, {1, &first}, {UINT32_MAX, &now}};
    for (unsigned kind = 0; kind < KINDS; kind++) {
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
            make(kind);
            name_roster(wrong[i].epoch, wrong[i].hash);
            approve();
            assert_refused(SY_E_ROSTER);
            assert_int_equal(world.receipt.detail, 1);
            assert_memory_equal(world.receipt.detail_hash.bytes, now.bytes, 32);
        }
    }
}

CASE(too_few_approvals_are_refused)
{
    for (unsigned kind = 0; kind < KINDS; kind++) {
        for (unsigned count = 0; count < 4; count++) { // quorum(5) is 4
            make(kind);
            test_change_approve_by(&change, &world.genesis.hash, roster_now(), count);
            assert_refused(SY_E_APPROVALS);
            assert_int_equal(world.receipt.detail, 4);
            assert_true(sy_hash_is_zero(&world.receipt.detail_hash));
        }
    }
}

CASE(approvals_by_others_than_admin_keys_are_refused)
{
    // A stranger, a regulator, the newcomer itself, and a validator's other keys.
    static const unsigned keys[] = {FRESH_KEY, REGULATOR_1, 3 * NEWCOMER + 2, 0, 1};
    for (unsigned kind = 0; kind < KINDS; kind++) {
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
            make(kind);
            approve();
            test_change_approve(&change, &world.genesis.hash, keys[i]);
            assert_refused(SY_E_APPROVALS);
            assert_detail_key(keys[i]);
        }
    }
}

CASE(admin_of_a_removed_validator_approves_no_more)
{
    struct sy_public_key about = test_public(0);
    make_remove(0);
    assert_takes_effect(&about);
    make(REKEY);
    approve();
    test_change_approve(&change, &world.genesis.hash, 2); // of who was removed
    assert_refused(SY_E_APPROVALS);
    assert_detail_key(2);
}

CASE(approval_given_twice_breaks_the_fields_rule)
{
    for (unsigned kind = 0; kind < KINDS; kind++) {
        make(kind);
        approve();
        test_change_approve(&change, &world.genesis.hash, 5);
        assert_refused(SY_E_SCHEMA);
        assert_path("approvals[4]");
    }
}

CASE(unknown_validators_are_refused)
{
    static const unsigned keys[] = {3 * NEWCOMER, 1, 2, REGULATOR_1};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        make_remove(2);
        change.payload.validator_remove.validator = test_public(keys[i]);
        approve();
        assert_refused(SY_E_VALIDATOR_UNKNOWN);
        assert_detail_key(keys[i]);
        make_rekey(2, TEST_REKEY_ALL);
        change.payload.validator_rekey.validator = test_public(keys[i]);
        approve();
        assert_refused(SY_E_VALIDATOR_UNKNOWN);
        assert_detail_key(keys[i]);
    }
}

CASE(roster_never_has_fewer_than_four)
{
    for (unsigned i = 0; i < 4; i++) {
        make_remove(i);
        approve();
        assert_refused(SY_E_QUORUM);
        assert_int_equal(world.receipt.detail, 0);
    }
    make_add();
    approve();
    assert_int_equal(submit(), SY_APPLIED);
}

CASE(rekey_that_changes_nothing_is_refused)
{
    const struct sy_validator *validator = &roster_now()->validators[2];
    struct sy_validator_rekey *p = &change.payload.validator_rekey;
    make_rekey(2, 0); // it brings nothing at all
    approve();
    assert_refused(SY_E_ROSTER_SAME);
    make_rekey(2, TEST_REKEY_ADDRESSES); // the addresses that it has
    memcpy(change.texts[1], validator->control_address, sizeof change.texts[1]);
    memcpy(change.texts[2], validator->bulk_address, sizeof change.texts[2]);
    memcpy(change.texts[3], validator->client_address, sizeof change.texts[3]);
    test_change_texts(&change);
    approve();
    assert_refused(SY_E_ROSTER_SAME);
    test_change_unapprove(&change);
    p->has_control_address = p->has_bulk_address = false;
    approve();
    assert_refused(SY_E_ROSTER_SAME);
    test_change_unapprove(&change);
    change.texts[3][strlen(change.texts[3]) - 1] ^= 1; // another port
    approve();
    assert_int_equal(submit(), SY_APPLIED);
}

static struct sy_public_key *new_key(unsigned i)
{
    struct sy_validator_add *add = &change.payload.validator_add;
    struct sy_validator_rekey *rekey = &change.payload.validator_rekey;
    if (change.kind == SY_KIND_validator_add) {
        return i == 0 ? &add->consensus_key : i == 1 ? &add->link_key : &add->admin_key;
    }
    return i == 0 ? &rekey->consensus_key : i == 1 ? &rekey->link_key : &rekey->admin_key;
}

CASE(keys_that_were_ever_enrolled_are_refused)
{
    // Of other validators, its own, a regulator's, an organisation's admin's, one removed.
    static const unsigned used[] = {0, 4, 11, 6, 7, 8, REGULATOR_2, ADMIN_A, 3};
    struct world_tx org = world_register(ORG_A, SY_ORG_HOSPITAL, ADMIN_A);
    assert_int_equal(world_submit(&world, &org), SY_APPLIED);
    struct sy_public_key about = test_public(3);
    make_remove(1);
    assert_takes_effect(&about);
    for (size_t i = 0; i < sizeof used / sizeof used[0]; i++) {
        for (unsigned place = 0; place < 3; place++) {
            make_add();
            *new_key(place) = test_public(used[i]);
            approve();
            assert_refused(SY_E_KEY_IN_USE);
            assert_detail_key(used[i]);
            make_rekey(1, TEST_REKEY_KEYS);
            *new_key(place) = test_public(used[i]);
            approve();
            assert_refused(SY_E_KEY_IN_USE);
            assert_detail_key(used[i]);
        }
    }
}

CASE(change_that_brings_a_key_twice_is_refused)
{
    for (unsigned place = 1; place < 3; place++) {
        make_add();
        *new_key(place) = *new_key(place - 1);
        approve();
        assert_refused(SY_E_KEY_IN_USE);
        assert_detail_key(3 * NEWCOMER + place - 1);
        make_rekey(2, TEST_REKEY_KEYS);
        *new_key(2) = *new_key(0);
        approve();
        assert_refused(SY_E_KEY_IN_USE);
        assert_detail_key(NEW_KEYS);
    }
}

CASE(weak_keys_are_refused)
{
    static const uint8_t weak[3][32] = {{0}, {1}, {0xec, 0xff, 0xff}};
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned place = 0; place < 3; place++) {
            make_add();
            memcpy(new_key(place)->bytes, weak[i], 32);
            approve();
            assert_refused(SY_E_KEY_WEAK);
            assert_memory_equal(world.receipt.detail_hash.bytes, weak[i], 32);
            make_rekey(2, TEST_REKEY_KEYS);
            memcpy(new_key(place)->bytes, weak[i], 32);
            approve();
            assert_refused(SY_E_KEY_WEAK);
            assert_memory_equal(world.receipt.detail_hash.bytes, weak[i], 32);
        }
    }
}

CASE(names_that_no_roster_may_have_are_refused)
{
    static const char *const names[] = {"validator 3", " front", "back ", "h\303\266he"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        make_add();
        strcpy(change.texts[0], names[i]);
        test_change_texts(&change);
        approve();
        assert_refused(SY_E_SCHEMA);
        assert_path("name");
    }
    make_add();
    change.texts[0][0] = 0; // no name at all breaks the field's own rule
    test_change_texts(&change);
    approve();
    assert_refused(SY_E_SCHEMA);
    assert_path("name");
}

CASE(addresses_that_no_roster_may_have_are_refused)
{
    static const char *const wrong[] = {
        "tcp://127.0.0.1", "tcp://host:",   "tcp://host:0", "tcp://host:65536",
        "tcp://a b:1",     "tcp://host:1x", "tcp://:7",     "tcp://h\303\266st:1",
        "127.0.0.1:27100", "tcp://*:27100", "http://host:1"};
    static const char *const paths[] = {"control_address", "bulk_address", "client_address"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        for (unsigned place = 0; place < 3; place++) {
            make_add();
            strcpy(change.texts[1 + place], wrong[i]);
            test_change_texts(&change);
            approve();
            assert_refused(SY_E_SCHEMA);
            assert_path(paths[place]);
            make_rekey(4, TEST_REKEY_ADDRESSES);
            strcpy(change.texts[1 + place], wrong[i]);
            test_change_texts(&change);
            approve();
            assert_refused(SY_E_SCHEMA);
            assert_path(paths[place]);
        }
    }
}

CASE(only_regulators_and_admins_hand_changes_in)
{
    world_populate(&world);
    make_add();
    approve();
    struct world_tx tx = tx_of(&change);
    tx.keys[0] = DOCTOR_A;
    tx.organisation = test_hash(ORG_A);
    assert_int_equal(world_submit(&world, &tx), SY_E_ROLE);
    tx.keys[0] = 2; // an admin key approves, and signs no transactions
    tx.organisation = (struct sy_hash){{0}};
    assert_int_not_equal(world_submit(&world, &tx), SY_APPLIED);
    tx.keys[0] = ADMIN_A;
    tx.organisation = test_hash(ORG_A);
    assert_int_equal(world_submit(&world, &tx), SY_APPLIED);
}

/* --- the largest --------------------------------------------------------------------------- */

CASE(roster_of_100_takes_no_more_and_moves_up)
{
    static struct ledger_world large;
    static struct sy_roster after;
    world_open_of(&large, SY_VALIDATORS_MAX);
    const struct sy_roster *now = sy_ledger_roster(large.ledger, 1);
    test_change_add(&change, &large.genesis.hash, now, 110);
    test_change_approve_by(&change, &large.genesis.hash, now, EVERYBODY);
    struct world_tx tx = tx_of(&change);
    assert_int_equal(world_submit(&large, &tx), SY_E_QUORUM);

    test_change_remove(&change, &large.genesis.hash, now, 0);
    test_change_follow(&after, now, &change);
    test_change_approve_by(&change, &large.genesis.hash, now, sy_quorum(SY_VALIDATORS_MAX));
    tx = tx_of(&change);
    assert_int_equal(world_submit(&large, &tx), SY_APPLIED);
    uint64_t first = sy_ledger_next_epoch(large.ledger, 0);
    while (large.header.height < first) world_execute(&large, NULL, 0); // 100 entries in one block
    assert_same_roster(sy_ledger_roster(large.ledger, first + 1), &after);
    world_reopen(&large);
    assert_same_roster(sy_ledger_roster(large.ledger, first + 1), &after);
    world_close(&large);
}

#define WITH_4(name) cmocka_unit_test_setup_teardown(name, open_four, close_world)
#define WITH_5(name) cmocka_unit_test_setup_teardown(name, open_five, close_world)

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_5(every_change_takes_effect_128_blocks_later),
        WITH_4(new_keys_are_enrolled_for_their_use),
        WITH_5(makers_are_those_of_the_blocks_roster),
        WITH_4(blocks_of_another_epoch_than_their_rosters_are_refused),
        WITH_5(restarts_at_any_height_change_no_header),
        WITH_5(one_change_is_pending_at_a_time),
        WITH_5(change_in_the_first_block_of_an_epoch_is_for_that_epoch),
        WITH_4(change_that_a_later_part_undoes_leaves_nothing),
        WITH_4(change_after_one_that_was_undone_in_the_same_block_counts),
        WITH_5(change_of_another_roster_is_refused),
        WITH_5(too_few_approvals_are_refused),
        WITH_5(approvals_by_others_than_admin_keys_are_refused),
        WITH_5(admin_of_a_removed_validator_approves_no_more),
        WITH_5(approval_given_twice_breaks_the_fields_rule),
        WITH_5(unknown_validators_are_refused),
        WITH_4(roster_never_has_fewer_than_four),
        WITH_5(rekey_that_changes_nothing_is_refused),
        WITH_5(keys_that_were_ever_enrolled_are_refused),
        WITH_5(change_that_brings_a_key_twice_is_refused),
        WITH_5(weak_keys_are_refused),
        WITH_5(names_that_no_roster_may_have_are_refused),
        WITH_5(addresses_that_no_roster_may_have_are_refused),
        WITH_4(only_regulators_and_admins_hand_changes_in),
        cmocka_unit_test(roster_of_100_takes_no_more_and_moves_up),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
