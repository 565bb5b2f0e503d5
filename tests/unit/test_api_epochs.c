/* test_api_epochs.c: what the client port tells of changes of the roster, over a chain that really
 * went through them.
 * ctest: threaded timeout=300 */
#include "core/store/epochs.h"
#include "tests/unit/api_rig.h"

static struct api_rig rig;
static sy_dial *dial;
static struct sy_error err;

static void open_rig(void)
{
    arig_open(&rig, NULL, true);
    dial = arig_dial(&rig);
}

static void close_rig(void)
{
    sy_dial_close(dial);
    arig_close(&rig);
}

static void tell_certified(void)
{
    sy_api_certified(rig.api, rig.chain.done->header.height);
}

/* Asks for the handovers from an epoch on and follows them; returns how many there were. */
static unsigned ask(sy_epochs *epochs, uint32_t epoch)
{
    struct sy_client_request request = {.kind = SY_REQUEST_HANDOVERS};
    struct sy_reader body;
    struct sy_slice handover;
    request.body.epoch = epoch;
    assert_int_equal(arig_call(&rig, dial, &request, &body), SY_ANSWER_HANDOVERS);
    assert_true(sy_read_u32(&body, "epoch") == epoch);
    unsigned count = sy_read_u16(&body, "count");
    for (unsigned i = 0; i < count; i++) {
        assert_true(sy_handovers_decode(&body, &handover, 1));
        if (!epochs) continue;
        if (sy_epochs_take(epochs, handover, &err) != SY_OK) fail_msg("%s", err.text);
    }
    assert_true(sy_reader_done(&body));
    return count;
}

CASE(handovers_lead_from_the_genesis_to_the_roster_of_now)
{
    sy_epochs *epochs = NULL;
    open_rig();
    chain_change_thrice(&rig.chain);
    tell_certified();
    assert_int_equal(sy_epochs_open(&epochs, &rig.chain.genesis, &err), SY_OK);
    assert_int_equal(ask(epochs, 0), 3);
    assert_memory_equal(sy_epochs_newest(epochs), &rig.chain.roster, sizeof(struct sy_roster));
    assert_int_equal(ask(NULL, 1), 2);
    assert_int_equal(ask(NULL, 2), 1);
    assert_int_equal(ask(epochs, 3), 0);
    assert_int_equal(ask(NULL, 4), 0);
    assert_int_equal(ask(NULL, UINT32_MAX), 0);
    // Every certified header of the chain stands under the roster of its epoch.
    for (uint64_t height = 1; height <= rig.chain.done->header.height; height++) {
        struct sy_slice bytes;
        struct sy_header header;
        struct sy_certificate certificate;
        assert_int_equal(sy_ledger_get(rig.chain.reader, &bytes, height, SY_BLOCK_HEADER), SY_OK);
        struct sy_reader r = sy_reader_of(bytes);
        assert_true(sy_header_decode(&r, &header));
        assert_int_equal(sy_ledger_get(rig.chain.reader, &bytes, height, SY_BLOCK_CERTIFICATE),
                         SY_OK);
        r = sy_reader_of(bytes);
        assert_true(sy_certificate_decode(&r, &certificate, SY_ROSTER_UNKNOWN));
        assert_true(sy_epochs_certified(epochs, &header, &certificate));
    }
    sy_epochs_close(epochs);
    close_rig();
}

CASE(handovers_are_told_when_the_epoch_has_ended_under_a_certificate)
{
    struct test_change change;
    open_rig();
    assert_int_equal(ask(NULL, 0), 0);
    test_change_add(&change, &rig.chain.genesis.hash, &rig.chain.roster, 4);
    chain_change(&rig.chain, &change);
    uint64_t next = sy_executor_next_epoch(rig.chain.executor, rig.chain.done->header.height);
    while (rig.chain.done->header.height + 2 < next) {
        chain_run(&rig.chain);
        chain_certify(&rig.chain);
    }
    tell_certified();
    assert_int_equal(ask(NULL, 0), 0);
    chain_run(&rig.chain);
    assert_int_equal(ask(NULL, 0), 0); // executed, but nobody has certified it
    chain_certify(&rig.chain);
    tell_certified();
    assert_int_equal(ask(NULL, 0), 1);
    close_rig();
}

static uint8_t answer_to(unsigned key)
{
    struct sy_reader body;
    struct sy_client_request request = arig_ids(&rig, 4, test_key(key));
    return arig_call(&rig, dial, &request, &body);
}

/* A validator's keys are a member's while it is in the roster, and no longer. */
CASE(validators_of_now_are_members)
{
    struct test_change change;
    const struct sy_hash *genesis = &rig.chain.genesis.hash;
    open_rig();
    assert_int_equal(answer_to(12), SY_ANSWER_REFUSED);
    test_change_add(&change, genesis, &rig.chain.roster, 4);
    chain_change(&rig.chain, &change);
    chain_end_epoch(&rig.chain);
    chain_run(&rig.chain);
    chain_certify(&rig.chain);
    for (unsigned key = 0; key < 15; key++) assert_int_equal(answer_to(key), SY_ANSWER_IDS);
    test_change_rekey(&change, genesis, &rig.chain.roster, 1, TEST_REKEY_KEYS, CHAIN_REKEYED);
    chain_change(&rig.chain, &change);
    assert_int_equal(answer_to(3), SY_ANSWER_IDS);
    assert_int_equal(answer_to(CHAIN_REKEYED), SY_ANSWER_REFUSED);
    chain_end_epoch(&rig.chain);
    chain_run(&rig.chain);
    chain_certify(&rig.chain);
    assert_int_equal(answer_to(3), SY_ANSWER_REFUSED);
    assert_int_equal(answer_to(CHAIN_REKEYED), SY_ANSWER_IDS);
    close_rig();
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(handovers_lead_from_the_genesis_to_the_roster_of_now),
        cmocka_unit_test(handovers_are_told_when_the_epoch_has_ended_under_a_certificate),
        cmocka_unit_test(validators_of_now_are_members),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
