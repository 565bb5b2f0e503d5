/* What state keeps of an organisation's suspensions: each of them, for good. */
#include "core/ledger/contracts/contracts.h"
#include "tests/support/ledger_world.h"
#include "tests/support/test.h"

static struct ledger_world world;

static int set_up(void **state)
{
    (void)state;
    world_open(&world, 0, 0);
    world_populate(&world);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static void assert_refused(const struct world_tx *tx, enum sy_refusal code)
{
    size_t entries = world.state.count;
    assert_int_equal(world_submit(&world, tx), code);
    assert_int_equal(world.receipt.key_count, 0);
    assert_int_equal(world.receipt.event_count, 0);
    assert_true(world.state.count <= entries + 1); // a first nonce window at most
}

static void assert_applied(const struct world_tx *tx)
{
    assert_int_equal(world_submit(&world, tx), SY_APPLIED);
}

static struct world_tx suspend(uint16_t kind, unsigned org)
{
    struct world_tx tx = world_tx_of(kind, REGULATOR_1, 0);
    world_cosign(&tx, REGULATOR_2);
    tx.payload.org_suspend.org_id = test_hash(org); // both kinds have the same members
    tx.payload.org_suspend.reason = 1;
    tx.payload.org_suspend.from = world.header.time_ms;
    if (kind == SY_KIND_org_reinstate) {
        struct sy_org_suspend p = tx.payload.org_suspend;
        tx.payload.org_reinstate.org_id = p.org_id;
        tx.payload.org_reinstate.reason = p.reason;
        tx.payload.org_reinstate.from = p.from;
    }
    return tx;
}

/* Entry number `number` of an organisation's suspensions; false: it is not there. */
static bool find_suspension(struct sy_suspension *out, unsigned org, uint64_t number)
{
    struct sy_hash place, id = test_hash(org);
    struct sy_slice value;
    sy_state_key_suspension(&place, &id, number);
    if (!world_find(&world, &value, &place)) return false;
    assert_true(sy_suspension_decode(out, value));
    return true;
}

static uint64_t count_suspensions(unsigned org)
{
    struct sy_hash place, id = test_hash(org);
    struct sy_slice value;
    uint64_t count = 0;
    sy_state_key_id(&place, SY_STATE_SUSPENSIONS, &id);
    if (world_find(&world, &value, &place)) assert_true(sy_count_decode(&count, value));
    return count;
}

CASE(org_suspend_keeps_each_suspension_for_good)
{
    struct sy_suspension one;
    assert_false(find_suspension(&one, ORG_A, 1));
    assert_int_equal(count_suspensions(ORG_A), 0);
    uint64_t begun[3], ended[3];
    int64_t from[3];
    for (unsigned i = 0; i < 3; i++) {
        struct world_tx tx = suspend(SY_KIND_org_suspend, ORG_A);
        from[i] = tx.payload.org_suspend.from;
        assert_applied(&tx);
        begun[i] = world.header.height;
        assert_int_equal(count_suspensions(ORG_A), i + 1);
        assert_true(find_suspension(&one, ORG_A, i + 1));
        assert_false(one.has_ended);
        assert_int_equal(one.begun.time_ms, world.header.time_ms);
        tx = suspend(SY_KIND_org_suspend, ORG_A);
        assert_refused(&tx, SY_E_ORG_STATE);
        assert_int_equal(count_suspensions(ORG_A), i + 1);
        tx = suspend(SY_KIND_org_reinstate, ORG_A);
        tx.payload.org_reinstate.reason = 2;
        assert_applied(&tx);
        ended[i] = world.header.height;
        assert_false(find_suspension(&one, ORG_A, i + 2));
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_true(find_suspension(&one, ORG_A, i + 1));
        assert_int_equal(one.begun.height, begun[i]);
        assert_int_equal(one.begun.reason, 1);
        assert_int_equal(one.begun.from_ms, from[i]);
        assert_true(one.has_ended);
        assert_int_equal(one.ended.height, ended[i]);
        assert_int_equal(one.ended.reason, 2);
    }
    assert_int_equal(count_suspensions(ORG_B), 0);
    assert_false(find_suspension(&one, ORG_B, 1));
}

/* Whoever proves how it stood after a block counts on heights that never fall. */
CASE(org_suspend_twice_in_a_block_leaves_two_entries)
{
    struct sy_suspension one, two;
    for (unsigned i = 0; i < 3; i++) {
        struct world_tx tx = suspend(i == 1 ? SY_KIND_org_reinstate : SY_KIND_org_suspend, ORG_A);
        world_add(&world, &tx);
    }
    world_run(&world);
    uint64_t height = world.header.height;
    assert_int_equal(count_suspensions(ORG_A), 2);
    assert_true(find_suspension(&one, ORG_A, 1) && find_suspension(&two, ORG_A, 2));
    assert_true(one.has_ended && !two.has_ended);
    assert_int_equal(one.begun.height, height);
    assert_int_equal(one.ended.height, height);
    assert_int_equal(two.begun.height, height);
    assert_false(sy_suspension_at(&one, height));
    assert_true(sy_suspension_at(&two, height));
}

/* The atomic transaction that fails leaves no trace of a suspension. */
CASE(org_suspend_refused_leaves_no_entry)
{
    struct sy_suspension one;
    struct world_tx tx = suspend(SY_KIND_org_suspend, ORG_A);
    tx.key_count = 1;
    assert_refused(&tx, SY_E_REGULATORS);
    tx = suspend(SY_KIND_org_reinstate, ORG_A);
    assert_refused(&tx, SY_E_ORG_STATE);
    assert_int_equal(count_suspensions(ORG_A), 0);
    assert_false(find_suspension(&one, ORG_A, 0));
    assert_false(find_suspension(&one, ORG_A, 1));
}

#define IN_A_WORLD(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest cases[] = {
        IN_A_WORLD(org_suspend_keeps_each_suspension_for_good),
        IN_A_WORLD(org_suspend_twice_in_a_block_leaves_two_entries),
        IN_A_WORLD(org_suspend_refused_leaves_no_entry),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
