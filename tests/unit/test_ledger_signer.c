/* validator.signer: a validator's own signing key, what it may, and that it goes with the roster.
 */
#include "tests/support/changes.h"
#include "tests/unit/consent_rig.h"

enum { SIGNER = FRESH_KEY, OTHER = FRESH_KEY + 1, THIRD = FRESH_KEY + 2, REKEYED = FRESH_KEY + 10 };
enum { LOG = CONSENT, CONSENSUS_1 = 3, ADMIN_1 = 5 };

static uint8_t rooms[3][64];

/* The signing key of validator 1, with the consensus key of whomever. */
static struct world_tx enrol(unsigned signer, unsigned consensus)
{
    const struct sy_roster *now = sy_ledger_roster(world.ledger, world.header.height + 1);
    struct world_tx tx = world_tx_of(SY_KIND_validator_signer, signer, 0);
    tx.organisation = now->validators[1].organisation;
    tx.payload.validator_signer.validator = test_public(consensus);
    return tx;
}

/* Of the patient (2), who was read once at this time. */
static struct world_tx log_at(unsigned signer, unsigned log, int64_t time_ms)
{
    const struct sy_roster *now = sy_ledger_roster(world.ledger, world.header.height + 1);
    struct world_tx tx = world_tx_of(SY_KIND_access_log, signer, 0);
    struct sy_access_log *p = &tx.payload.access_log;
    struct sy_writer patients = sy_writer_of(rooms[0], sizeof rooms[0]);
    struct sy_writer roots = sy_writer_of(rooms[1], sizeof rooms[1]);
    struct sy_hash patient = test_hash(PATIENT), root = test_hash(77);
    tx.organisation = now->validators[1].organisation;
    p->log_id = test_hash(log);
    p->first = p->last = time_ms;
    sy_list_add_id(&p->patients, &patients, &patient);
    sy_list_add_id(&p->roots, &roots, &root);
    sy_store_u32(rooms[2], 1);
    p->counts = sy_slice_of(rooms[2], 4);
    return tx;
}

static struct world_tx log_now(unsigned signer, unsigned log)
{
    return log_at(signer, log, world.header.time_ms);
}

static void assert_detail_key(unsigned number)
{
    struct sy_public_key key = test_public(number);
    assert_memory_equal(world.receipt.detail_hash.bytes, key.bytes, 32);
}

static void pass(int64_t ms)
{
    world.step_ms = ms;
    world_execute(&world, NULL, 0);
    world.step_ms = 1000;
}

CASE(a_validators_key_enrols_itself_and_logs)
{
    struct sy_event event;
    struct sy_access_logged log;
    struct sy_validator_key signer;
    struct sy_credential credential;
    struct sy_public_key consensus = test_public(CONSENSUS_1), key = test_public(SIGNER);
    struct sy_hash place, id = test_hash(LOG);
    struct sy_slice value;
    size_t offset = 0;
    struct world_tx tx = log_now(SIGNER, LOG);
    assert_refused(&tx, SY_E_KEY_UNKNOWN);
    tx = enrol(SIGNER, CONSENSUS_1);
    assert_applied(&tx);
    assert_true(sy_receipt_next_event(&world.receipt, &offset, &event));
    assert_int_equal(event.kind, SY_EVENT_VALIDATOR_SIGNER);
    assert_memory_equal(event.subject.bytes, consensus.bytes, 32);
    assert_memory_equal(event.object.bytes, key.bytes, 32);
    sy_state_key_public(&place, SY_STATE_SIGNER, &consensus);
    assert_true(world_find(&world, &value, &place) && sy_validator_key_decode(&signer, value));
    assert_memory_equal(signer.key.bytes, key.bytes, 32);
    assert_true(signer.time_ms == world.header.time_ms && signer.height == world.header.height);
    sy_state_key_public(&place, SY_STATE_SIGNER_OF, &key);
    assert_true(world_find(&world, &value, &place) && value.size == 32);
    assert_memory_equal(value.data, consensus.bytes, 32);
    sy_state_key_public(&place, SY_STATE_CREDENTIAL, &key);
    assert_true(world_find(&world, &value, &place) && sy_credential_decode(&credential, value));
    assert_int_equal(credential.role, SY_ROLE_VALIDATOR);
    assert_int_equal(credential.use, SY_KEY_TX);

    tx = log_now(SIGNER, LOG);
    assert_applied(&tx);
    assert_int_equal(world.receipt.event_count, 1);
    sy_state_key_id(&place, SY_STATE_ACCESS_LOG, &id);
    assert_true(world_find(&world, &value, &place) && sy_access_logged_decode(&log, value));
    assert_memory_equal(log.key.bytes, key.bytes, 32);
    assert_memory_equal(log.organisation.bytes, tx.organisation.bytes, 32);
    assert_refused(&tx, SY_E_LOG_EXISTS); /* once, whatever the nonce */
}

CASE(nobody_vouches_for_a_key_but_a_validator)
{
    struct world_tx tx = enrol(SIGNER, FRESH_KEY + 20); /* no validator's */
    assert_refused(&tx, SY_E_KEY_UNKNOWN);
    tx = enrol(SIGNER, ADMIN_1); /* a validator's, of another use */
    assert_refused(&tx, SY_E_KEY_UNKNOWN);
    tx = enrol(SIGNER, CONSENSUS_1);
    world_cosign(&tx, OTHER); /* who is this? */
    assert_refused(&tx, SY_E_KEY_UNKNOWN);
    tx = enrol(SIGNER, CONSENSUS_1);
    tx.organisation = test_hash(ORG_A); /* not the validator's */
    assert_refused(&tx, SY_E_ROLE);
    tx = enrol(REGULATOR_1, CONSENSUS_1);
    tx.organisation = (struct sy_hash){{0}};
    assert_refused(&tx, SY_E_ROLE);
    tx = enrol(GATEWAY_A, CONSENSUS_1);
    tx.organisation = test_hash(ORG_A);
    assert_refused(&tx, SY_E_ROLE);
    tx = enrol(CONSENSUS_1, CONSENSUS_1); /* a key has one use */
    assert_refused(&tx, SY_E_KEY_IN_USE);
}

CASE(a_validator_has_one_key_and_changes_it_daily_at_most)
{
    struct world_tx tx = enrol(SIGNER, CONSENSUS_1);
    assert_applied(&tx);
    uint64_t again = (uint64_t)(world.header.time_ms + SY_SIGNER_MS_MIN);
    tx = enrol(OTHER, CONSENSUS_1);
    assert_refused(&tx, SY_E_SIGNER_RECENT);
    assert_true(world.receipt.detail == again);
    tx = enrol(SIGNER, CONSENSUS_1 + 3); /* for another validator, too */
    assert_refused(&tx, SY_E_KEY_IN_USE);
    pass(SY_SIGNER_MS_MIN);
    tx = enrol(SIGNER, CONSENSUS_1); /* the same again */
    assert_refused(&tx, SY_E_KEY_IN_USE);
    tx = log_now(SIGNER, LOG);
    assert_applied(&tx);
    tx = enrol(OTHER, CONSENSUS_1);
    assert_applied(&tx);
    tx = log_now(SIGNER, LOG + 1); /* it has another one now */
    assert_refused(&tx, SY_E_SIGNER);
    assert_detail_key(SIGNER);
    tx = log_now(OTHER, LOG + 1);
    assert_applied(&tx);
}

CASE(who_left_the_roster_logs_no_more)
{
    static struct test_change change;
    const struct sy_hash *genesis = &world.genesis.hash;
    const struct sy_roster *now = sy_ledger_roster(world.ledger, world.header.height + 1);
    struct world_tx tx = enrol(SIGNER, CONSENSUS_1);
    assert_applied(&tx);
    test_change_rekey(&change, genesis, now, 1, TEST_REKEY_KEYS, REKEYED);
    test_change_approve_by(&change, genesis, now, sy_quorum(now->count));
    tx = world_tx_of(change.kind, REGULATOR_1, 0);
    tx.payload = change.payload;
    assert_applied(&tx);
    uint64_t effect = world.header.height + SY_ROSTER_DELAY;
    while (world.header.height < effect - 2) world_execute(&world, NULL, 0);
    tx = log_now(SIGNER, LOG); /* the last block that the old roster orders */
    assert_applied(&tx);
    tx = log_now(SIGNER, LOG + 1);
    assert_refused(&tx, SY_E_SIGNER);
    assert_detail_key(SIGNER);
    tx = enrol(OTHER, CONSENSUS_1);
    assert_refused(&tx, SY_E_KEY_UNKNOWN);
    tx = enrol(OTHER, REKEYED);
    assert_applied(&tx);
    tx = log_now(OTHER, LOG + 1);
    assert_applied(&tx);
}

/* A validator that was down logs late; its organisation may be suspended; its key may be revoked,
 * and may nothing but log. */
CASE(a_validators_log_is_a_duty_and_nothing_more)
{
    struct world_tx tx = enrol(SIGNER, CONSENSUS_1);
    assert_applied(&tx);
    int64_t then_ms = world.header.time_ms;
    pass(2ll * SY_LOG_AGE_MS_MAX);
    tx = log_at(SIGNER, LOG, then_ms);
    assert_applied(&tx);
    tx = log_at(SIGNER, LOG + 1, world.header.time_ms + 100000);
    assert_refused(&tx, SY_E_LOG_WINDOW);
    tx = log_now(SIGNER, LOG + 1);
    tx.organisation = test_hash(ORG_A);
    assert_refused(&tx, SY_E_ROLE);
    tx = world_enrol(SIGNER, ORG_A, FRESH_ID);
    assert_refused(&tx, SY_E_ROLE);
    tx = world_tx_of(SY_KIND_cred_revoke, REGULATOR_1, 0);
    tx.payload.cred_revoke.subject_key = test_public(SIGNER);
    tx.payload.cred_revoke.reason = SY_REVOKE_COMPROMISED;
    assert_applied(&tx);
    tx = log_now(SIGNER, LOG + 1);
    assert_refused(&tx, SY_E_KEY_REVOKED);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_WORLD(a_validators_key_enrols_itself_and_logs),
        WITH_WORLD(nobody_vouches_for_a_key_but_a_validator),
        WITH_WORLD(a_validator_has_one_key_and_changes_it_daily_at_most),
        WITH_WORLD(who_left_the_roster_logs_no_more),
        WITH_WORLD(a_validators_log_is_a_duty_and_nothing_more),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
