/* consent_rig.c: see consent_rig.h. */
#include "tests/unit/consent_rig.h"

#include <string.h>

struct ledger_world world;

int set_up(void **state)
{
    (void)state;
    world_open(&world, 0, 0);
    world_populate(&world);
    return 0;
}

int tear_down(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

void assert_refused(const struct world_tx *tx, enum sy_refusal code)
{
    assert_int_equal(world_submit(&world, tx), code);
    assert_int_equal(world.receipt.key_count, 0);
    assert_int_equal(world.receipt.event_count, 0);
}

void assert_applied(const struct world_tx *tx)
{
    assert_int_equal(world_submit(&world, tx), SY_APPLIED);
}

void assert_detail(unsigned number)
{
    struct sy_hash expected = test_hash(number);
    assert_memory_equal(world.receipt.detail_hash.bytes, expected.bytes, 32);
}

void assert_path(const char *path)
{
    assert_int_equal(world.receipt.path.size, strlen(path));
    assert_memory_equal(world.receipt.path.data, path, strlen(path));
}

struct sy_consent find_consent(unsigned number)
{
    struct sy_hash id = test_hash(number), key_hash;
    struct sy_slice value;
    struct sy_consent consent;
    sy_state_key_id(&key_hash, SY_STATE_CONSENT, &id);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_consent_decode(&consent, value));
    return consent;
}

struct sy_consents find_consents(unsigned patient)
{
    struct sy_hash id = test_hash(patient), key_hash;
    struct sy_slice value;
    struct sy_consents consents;
    sy_state_key_id(&key_hash, SY_STATE_CONSENTS, &id);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_consents_decode(&consents, value));
    return consents;
}

void assert_place(unsigned patient, uint64_t number, unsigned consent)
{
    struct sy_hash id = test_hash(patient), expected = test_hash(consent), key_hash, found;
    struct sy_slice value;
    sy_state_key_consent_place(&key_hash, &id, number);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_id_decode(&found, value));
    assert_memory_equal(found.bytes, expected.bytes, 32);
}

struct world_tx grant_b(unsigned consent)
{
    return world_grant(&world, WALLET_CLAIMED, consent, PATIENT_CLAIMED, SY_GRANTEE_ORG, ORG_B);
}

struct world_tx deny_a(unsigned consent)
{
    return world_deny(&world, WALLET_CLAIMED, consent, PATIENT_CLAIMED, SY_GRANTEE_ORG, ORG_A);
}

void enrol_with_wallet(unsigned patient, unsigned wallet)
{
    struct world_tx tx = world_enrol(GATEWAY_A, ORG_A, patient);
    tx.payload.patient_enrol.has_wallet_key = true;
    tx.payload.patient_enrol.wallet_key = test_public(wallet);
    world_cosign(&tx, wallet);
    assert_applied(&tx);
}
