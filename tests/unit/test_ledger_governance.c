/* Parameters that are set, and schedules: who may, when they count, and version after version. */
#include "tests/support/changes.h"
#include "tests/unit/consent_rig.h"

enum { ORG_Y = FRESH_ID + 700, ADMIN_Y = FRESH_KEY, PAYER, PAYER_2 };

static struct world_tx set(unsigned name, uint64_t value, uint32_t version)
{
    struct world_tx tx = world_tx_of(SY_KIND_param_set, REGULATOR_1, 0);
    struct sy_param_set *p = &tx.payload.param_set;
    p->name = (uint16_t)name;
    p->value = value;
    p->version = version;
    p->activation_height = world.header.height + 1 + SY_ACTIVATION_DELAY;
    world_cosign(&tx, REGULATOR_2);
    return tx;
}

/* --- what validators enact ----------------------------------------------------------------- */

static struct test_change enacted;

static const struct sy_roster *roster_now(void)
{
    return sy_ledger_roster(world.ledger, world.header.height + 1);
}

static void enact(unsigned name, uint64_t value, uint32_t version)
{
    const struct sy_param_set set = {(uint16_t)name, value, version,
                                     world.header.height + 1 + SY_ACTIVATION_DELAY};
    test_change_param(&enacted, &world.genesis.hash, roster_now(), &set);
}

/* By the first `count` admin keys of the roster. */
static struct world_tx approved_by(unsigned count)
{
    struct world_tx tx = world_tx_of(SY_KIND_param_enact, ADMIN_A, ORG_A);
    test_change_approve_by(&enacted, &world.genesis.hash, roster_now(), count);
    tx.payload = enacted.payload;
    return tx;
}

static struct world_tx approved(void)
{
    return approved_by(sy_quorum(roster_now()->count));
}

/* --- schedules ----------------------------------------------------------------------------- */

static struct world_tx publish(unsigned by, unsigned kind, uint32_t version)
{
    struct world_tx tx = world_tx_of(SY_KIND_schedule_publish, by, by < REGULATOR_1 ? ORG_Y : 0);
    struct sy_schedule_publish *p = &tx.payload.schedule_publish;
    p->kind = (uint16_t)kind;
    p->version = version;
    p->root = test_hash(version);
    p->activation_height = world.header.height + 1 + SY_ACTIVATION_DELAY;
    if (by == REGULATOR_1) world_cosign(&tx, REGULATOR_2);
    return tx;
}

static struct sy_params_state find_params(void)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    struct sy_params_state state;
    sy_state_key_zero(&key_hash, SY_STATE_PARAMS);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_params_state_decode(&state, value));
    return state;
}

static struct sy_schedule find_schedule(const struct sy_hash *key_hash)
{
    struct sy_slice value;
    struct sy_schedule schedule;
    assert_true(world_find(&world, &value, key_hash));
    assert_true(sy_schedule_decode(&schedule, value));
    return schedule;
}

/* Empty blocks until the newest has this height. */
static void pass_to(uint64_t height)
{
    assert_true(world.header.height <= height);
    while (world.header.height < height) world_execute(&world, NULL, 0);
}

static uint16_t try_size(uint64_t size, unsigned record)
{
    struct world_tx tx = world_record(DOCTOR_A, SY_ROLE_DOCTOR, ORG_A, record, PATIENT);
    tx.payload.record_create.size = size;
    return (uint16_t)world_submit(&world, &tx);
}

CASE(parameter_counts_from_its_height_on)
{
    struct world_tx tx = set(SY_PARAM_RECORD_BYTES_MAX, 5000, 1);
    uint64_t due = tx.payload.param_set.activation_height;
    assert_applied(&tx);
    assert_int_equal(find_params().version, 1);
    assert_int_equal(find_params().pending_count, 1);
    assert_int_equal(find_params().params.record_bytes_max, world.genesis.params.record_bytes_max);
    struct sy_reader r = sy_reader_of(world.receipt.events);
    struct sy_event event;
    struct sy_public_key key = test_public(REGULATOR_1);
    assert_true(sy_event_decode(&r, &event));
    assert_int_equal(event.kind, SY_EVENT_PARAM_SET);
    assert_memory_equal(event.subject.bytes, key.bytes, 32);
    assert_int_equal(sy_load_u16(event.object.bytes), SY_PARAM_RECORD_BYTES_MAX);
    assert_int_equal(sy_load_u64(event.object.bytes + 2), 5000);
    pass_to(due - 2);
    assert_int_equal(try_size(5001, FRESH_ID), SY_APPLIED); // the last block before
    assert_int_equal(world.header.height, due - 1);
    assert_int_equal(try_size(5001, FRESH_ID + 1), SY_E_SCHEMA);
    assert_int_equal(world.header.height, due);
    assert_int_equal(world.receipt.detail, 5000);
    assert_int_equal(try_size(5000, FRESH_ID + 1), SY_APPLIED);
    world_reopen(&world);
    assert_int_equal(try_size(5001, FRESH_ID + 2), SY_E_SCHEMA);
    // The next change takes up what is due.
    tx = set(SY_PARAM_CREDENTIAL_MS_MAX, 1000, 2);
    assert_applied(&tx);
    assert_int_equal(find_params().params.record_bytes_max, 5000);
    assert_int_equal(find_params().pending_count, 1);
}

CASE(parameter_that_waits_is_replaced)
{
    struct world_tx tx = set(SY_PARAM_RECORD_BYTES_MAX, 5000, 1);
    assert_applied(&tx);
    tx = set(SY_PARAM_REGULATORS_NEEDED, 1, 2);
    assert_applied(&tx);
    tx = set(SY_PARAM_RECORD_BYTES_MAX, 7000, 3);
    uint64_t due = tx.payload.param_set.activation_height;
    assert_applied(&tx);
    assert_int_equal(find_params().pending_count, 2);
    assert_int_equal(find_params().pending[0].name, SY_PARAM_REGULATORS_NEEDED);
    assert_int_equal(find_params().pending[1].value, 7000);
    pass_to(due);
    assert_int_equal(try_size(7000, FRESH_ID), SY_APPLIED);
    tx = world_tx_of(SY_KIND_org_suspend, REGULATOR_2, 0); // one is enough by now
    tx.payload.org_suspend.org_id = test_hash(ORG_B);
    tx.payload.org_suspend.reason = SY_SUSPEND_SAFETY;
    assert_applied(&tx);
}

CASE(parameters_keep_their_rules)
{
    struct world_tx tx = set(SY_PARAM_RECORD_BYTES_MAX, SY_RECORD_BYTES_MAX + 1, 1);
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("value");
    assert_int_equal(world.receipt.detail, SY_RECORD_BYTES_MAX);
    tx = set(SY_PARAM_CREDENTIAL_MS_MAX, UINT64_MAX, 1);
    assert_refused(&tx, SY_E_SCHEMA);
    tx = set(SY_PARAM_REGULATORS_NEEDED, SY_REGULATORS_MAX + 1, 1);
    assert_refused(&tx, SY_E_SCHEMA);
    tx = set(SY_PARAM_REGULATORS_NEEDED, 0, 1);
    assert_refused(&tx, SY_E_SCHEMA);
    tx = set(SY_PARAM_RESEARCH_DAYS + 1, 1, 1);
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("name");
    tx = set(SY_PARAM_RECORD_BYTES_MAX, 1, 1);
    tx.key_count = 1;
    assert_refused(&tx, SY_E_REGULATORS);
    assert_int_equal(world.receipt.detail, 2);
    tx = set(SY_PARAM_REGULATORS_NEEDED, 3, 1); // more than sign
    assert_refused(&tx, SY_E_REGULATORS);
    assert_int_equal(world.receipt.detail, 3);
    tx = set(SY_PARAM_RECORD_BYTES_MAX, 1, 2);
    assert_refused(&tx, SY_E_NEXT_VERSION);
    assert_int_equal(world.receipt.detail, 0);
    tx = set(SY_PARAM_RECORD_BYTES_MAX, 1, 1);
    tx.payload.param_set.activation_height--;
    assert_refused(&tx, SY_E_ACTIVATION);
    assert_int_equal(world.receipt.detail, world.header.height + SY_ACTIVATION_DELAY);
    tx = set(SY_PARAM_RECORD_BYTES_MAX, 1, 1);
    tx.keys[0] = ADMIN_A;
    tx.key_count = 1;
    tx.organisation = test_hash(ORG_A);
    assert_refused(&tx, SY_E_ROLE);
    tx = set(SY_PARAM_RECORD_BYTES_MAX, 1, 1);
    assert_applied(&tx);
    assert_refused(&tx, SY_E_NEXT_VERSION); // handed in again, with another nonce
    assert_int_equal(world.receipt.detail, 1);
}

CASE(validators_set_a_parameter)
{
    enact(SY_PARAM_RECORD_BYTES_MAX, 5000, 1);
    uint64_t due = enacted.payload.param_enact.activation_height;
    struct world_tx tx = approved();
    assert_applied(&tx);
    struct sy_reader r = sy_reader_of(world.receipt.events);
    struct sy_event event;
    struct sy_public_key key = test_public(ADMIN_A);
    assert_true(sy_event_decode(&r, &event));
    assert_int_equal(event.kind, SY_EVENT_PARAM_SET);
    assert_memory_equal(event.subject.bytes, key.bytes, 32);
    assert_int_equal(sy_load_u64(event.object.bytes + 2), 5000);
    tx = set(SY_PARAM_CREDENTIAL_MS_MAX, 1000, 2); // the versions are the same parameters'
    assert_applied(&tx);
    assert_int_equal(find_params().pending_count, 2);
    pass_to(due - 2);
    assert_int_equal(try_size(5001, FRESH_ID), SY_APPLIED);
    assert_int_equal(try_size(5001, FRESH_ID + 1), SY_E_SCHEMA);
    assert_int_equal(world.header.height, due);
}

CASE(validators_lower_what_no_regulators_can)
{
    enact(SY_PARAM_REGULATORS_NEEDED, SY_REGULATORS_MAX, 1);
    uint64_t due = enacted.payload.param_enact.activation_height;
    struct world_tx tx = approved();
    assert_applied(&tx);
    pass_to(due);
    tx = set(SY_PARAM_REGULATORS_NEEDED, 1, 2);
    assert_refused(&tx, SY_E_REGULATORS);
    enact(SY_PARAM_REGULATORS_NEEDED, 1, 2);
    due = enacted.payload.param_enact.activation_height;
    tx = approved();
    assert_applied(&tx);
    pass_to(due);
    tx = set(SY_PARAM_RECORD_BYTES_MAX, 7000, 3);
    tx.key_count = 1; // one regulator is enough by now
    assert_applied(&tx);
}

CASE(too_few_validators_set_nothing)
{
    unsigned needed = sy_quorum(roster_now()->count);
    for (unsigned count = 0; count < needed; count++) {
        enact(SY_PARAM_RECORD_BYTES_MAX, 5000, 1);
        struct world_tx tx = approved_by(count);
        assert_refused(&tx, SY_E_APPROVALS);
        assert_int_equal(world.receipt.detail, needed);
    }
    assert_int_equal(find_params().version, 0);
}

CASE(nobody_but_validators_approves_a_parameter)
{
    // A stranger, a regulator, the organisation's admin, and a validator's other keys.
    static const unsigned keys[] = {FRESH_KEY, REGULATOR_1, ADMIN_A, 0, 1};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        enact(SY_PARAM_RECORD_BYTES_MAX, 5000, 1);
        (void)approved();
        test_change_approve(&enacted, &world.genesis.hash, keys[i]);
        struct world_tx tx = approved_by(0);
        struct sy_public_key key = test_public(keys[i]);
        assert_refused(&tx, SY_E_APPROVALS);
        assert_memory_equal(world.receipt.detail_hash.bytes, key.bytes, 32);
    }
    enact(SY_PARAM_RECORD_BYTES_MAX, 5000, 1);
    (void)approved();
    test_change_approve(&enacted, &world.genesis.hash, 2); // the first validator, once more
    struct world_tx tx = approved_by(0);
    assert_refused(&tx, SY_E_SCHEMA);
    assert_true(memcmp(world.receipt.path.data, "approvals[", 10) == 0);
}

CASE(parameters_are_enacted_by_the_current_roster)
{
    enact(SY_PARAM_RECORD_BYTES_MAX, 5000, 1);
    enacted.payload.param_enact.epoch++;
    struct world_tx tx = approved();
    assert_refused(&tx, SY_E_ROSTER);
    enact(SY_PARAM_RECORD_BYTES_MAX, 5000, 1);
    enacted.payload.param_enact.roster_hash.bytes[0] ^= 1;
    tx = approved();
    assert_refused(&tx, SY_E_ROSTER);
    struct sy_hash current;
    sy_roster_hash(&current, &world.genesis.hash, roster_now());
    assert_memory_equal(world.receipt.detail_hash.bytes, current.bytes, 32);
}

CASE(enacted_parameters_keep_their_rules)
{
    struct world_tx tx;
    enact(SY_PARAM_RECORD_BYTES_MAX, SY_RECORD_BYTES_MAX + 1, 1);
    tx = approved();
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("value");
    assert_int_equal(world.receipt.detail, SY_RECORD_BYTES_MAX);
    enact(SY_PARAM_CREDENTIAL_MS_MAX, (uint64_t)SY_CREDENTIAL_MS_MAX + 1, 1);
    tx = approved();
    assert_refused(&tx, SY_E_SCHEMA);
    enact(SY_PARAM_REGULATORS_NEEDED, SY_REGULATORS_MAX + 1, 1);
    tx = approved();
    assert_refused(&tx, SY_E_SCHEMA);
    enact(SY_PARAM_RECORD_BYTES_MAX, 0, 1);
    tx = approved();
    assert_refused(&tx, SY_E_SCHEMA);
    enact(SY_PARAM_RESEARCH_DAYS + 1, 1, 1);
    tx = approved();
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("name");
    enact(SY_PARAM_RECORD_BYTES_MAX, 5000, 2);
    tx = approved();
    assert_refused(&tx, SY_E_NEXT_VERSION);
    enact(SY_PARAM_RECORD_BYTES_MAX, 5000, 1);
    enacted.payload.param_enact.activation_height--;
    tx = approved();
    assert_refused(&tx, SY_E_ACTIVATION);
    assert_int_equal(world.receipt.detail, world.header.height + SY_ACTIVATION_DELAY);
    enact(SY_PARAM_RECORD_BYTES_MAX, 5000, 1);
    tx = approved();
    tx.keys[0] = DOCTOR_A; // who may not hand it in, whoever approves
    assert_refused(&tx, SY_E_ROLE);
    enact(SY_PARAM_RECORD_BYTES_MAX, 5000, 1);
    tx = approved();
    assert_applied(&tx);
    assert_refused(&tx, SY_E_NEXT_VERSION); // handed in again, with another nonce
    assert_int_equal(world.receipt.detail, 1);
}

static void enrol_payers(void)
{
    struct world_tx tx = world_register(ORG_Y, SY_ORG_PAYER, ADMIN_Y);
    assert_applied(&tx);
    tx = world_issue(&world, ADMIN_Y, ORG_Y, SY_ROLE_PAYER, PAYER);
    assert_applied(&tx);
}

CASE(schedules_are_published_version_after_version)
{
    static const struct sy_hash regulators;
    struct sy_hash newest, old;
    struct world_tx tx = publish(REGULATOR_1, SY_SCHEDULE_UNITS, 1);
    uint64_t first = tx.payload.schedule_publish.activation_height;
    assert_applied(&tx);
    assert_int_equal(world.receipt.key_count, 3);
    tx = publish(REGULATOR_1, SY_SCHEDULE_UNITS, 2);
    assert_applied(&tx);
    sy_state_key_schedule(&newest, &regulators, SY_SCHEDULE_UNITS);
    assert_int_equal(find_schedule(&newest).version, 2);
    assert_int_equal(find_schedule(&newest).height, world.header.height);
    sy_state_key_schedule_version(&old, &regulators, SY_SCHEDULE_UNITS, 1);
    assert_int_equal(find_schedule(&old).version, 1);
    assert_int_equal(find_schedule(&old).activation_height, first);
    struct sy_hash root = test_hash(1);
    struct sy_hash kept = find_schedule(&old).root;
    assert_memory_equal(kept.bytes, root.bytes, 32);
    tx = publish(REGULATOR_1, SY_SCHEDULE_CODES, 1); // another kind counts by itself
    assert_applied(&tx);
}

CASE(payers_publish_their_own_fees)
{
    enrol_payers();
    struct sy_hash payer = test_hash(ORG_Y), key_hash;
    struct world_tx tx = publish(PAYER, SY_SCHEDULE_FEES, 1);
    assert_applied(&tx);
    struct sy_reader r = sy_reader_of(world.receipt.events);
    struct sy_event event;
    assert_true(sy_event_decode(&r, &event));
    assert_int_equal(event.kind, SY_EVENT_SCHEDULE_PUBLISHED);
    assert_int_equal(event.subject_kind, SY_SUBJECT_ORG);
    assert_memory_equal(event.subject.bytes, payer.bytes, 32);
    sy_state_key_schedule(&key_hash, &payer, SY_SCHEDULE_FEES);
    assert_int_equal(find_schedule(&key_hash).version, 1);
    tx = publish(REGULATOR_1, SY_SCHEDULE_FEES, 1); // the regulators' are others
    assert_applied(&tx);
    tx = publish(PAYER, SY_SCHEDULE_EXCLUSIONS, 1);
    assert_refused(&tx, SY_E_ROLE);
    assert_path("kind");
    assert_int_equal(world.receipt.detail, SY_ROLE_BIT(SY_ROLE_REGULATOR));
    tx = publish(ADMIN_Y, SY_SCHEDULE_FEES, 2);
    assert_refused(&tx, SY_E_ROLE);
}

CASE(schedules_keep_their_rules)
{
    struct world_tx tx = publish(REGULATOR_1, SY_SCHEDULE_PAIRS, 1);
    tx.key_count = 1;
    assert_refused(&tx, SY_E_REGULATORS);
    tx = publish(REGULATOR_1, 6, 1);
    assert_refused(&tx, SY_E_SCHEMA);
    assert_path("kind");
    tx = publish(REGULATOR_1, SY_SCHEDULE_PAIRS, 2);
    assert_refused(&tx, SY_E_NEXT_VERSION);
    tx = publish(REGULATOR_1, SY_SCHEDULE_PAIRS, 1);
    tx.payload.schedule_publish.activation_height--;
    assert_refused(&tx, SY_E_ACTIVATION);
    tx = publish(REGULATOR_1, SY_SCHEDULE_PAIRS, 1);
    tx.payload.schedule_publish.activation_height += 500;
    uint64_t first = tx.payload.schedule_publish.activation_height;
    assert_applied(&tx);
    tx = publish(REGULATOR_1, SY_SCHEDULE_PAIRS, 2); // before the one that it follows
    assert_refused(&tx, SY_E_ACTIVATION);
    assert_int_equal(world.receipt.detail, first);
    tx.payload.schedule_publish.version = 1;
    assert_refused(&tx, SY_E_NEXT_VERSION);
    assert_int_equal(world.receipt.detail, 1);
    tx.payload.schedule_publish.version = 2;
    tx.payload.schedule_publish.activation_height = first;
    assert_applied(&tx);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_WORLD(parameter_counts_from_its_height_on),
        WITH_WORLD(parameter_that_waits_is_replaced),
        WITH_WORLD(parameters_keep_their_rules),
        WITH_WORLD(validators_set_a_parameter),
        WITH_WORLD(validators_lower_what_no_regulators_can),
        WITH_WORLD(too_few_validators_set_nothing),
        WITH_WORLD(nobody_but_validators_approves_a_parameter),
        WITH_WORLD(parameters_are_enacted_by_the_current_roster),
        WITH_WORLD(enacted_parameters_keep_their_rules),
        WITH_WORLD(schedules_are_published_version_after_version),
        WITH_WORLD(payers_publish_their_own_fees),
        WITH_WORLD(schedules_keep_their_rules),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
