/* The made-up nation: everything it signs is applied, and the same seed makes the same again. */
#include "tests/unit/chain_rig.h"

#define UNTIL_MS (TEST_GENESIS_MS + 3600 * 1000)

static sy_status open_sized(sy_population **out, const struct sy_genesis *genesis,
                            uint32_t organisations, uint32_t gateways, uint32_t patients)
{
    struct sy_population_config config = {.genesis = genesis,
                                          .regulator = test_key(TEST_REGULATOR),
                                          .organisations = organisations,
                                          .gateways = gateways,
                                          .patients = patients,
                                          .seed = 5};
    struct sy_error err;
    return sy_population_open(out, &config, &err);
}

/* Whatever the figures: each record is about a patient whom the signer's organisation enrolled. */
CASE(population_is_applied_whatever_its_size)
{
    static const uint32_t sizes[][3] = {{1, 1, 1}, {1, 2, 3}, {2, 2, 2}, {2, 3, 7}, {3, 7, 7}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct chain_rig rig;
        chain_open(&rig);
        sy_population_close(rig.population);
        sy_status status =
            open_sized(&rig.population, &rig.genesis, sizes[i][0], sizes[i][1], sizes[i][2]);
        assert_int_equal(status, SY_OK);
        for (unsigned stage = 0; stage < SY_POPULATION_STAGES; stage++) {
            assert_int_equal(sy_population_stage_count(rig.population, stage), sizes[i][stage]);
            chain_add_stage(&rig, stage);
            (void)chain_batch(&rig, 0);
            chain_run(&rig);
            assert_int_equal(rig.done->applied_count, sizes[i][stage]);
        }
        chain_add_records(&rig, 40);
        (void)chain_batch(&rig, 0);
        chain_run(&rig);
        assert_int_equal(rig.done->applied_count, 40);
        assert_int_equal(rig.done->refused_count, 0);
        chain_close(&rig);
    }
}

CASE(population_refuses_too_few_gateways_or_patients)
{
    struct sy_genesis genesis;
    sy_population *population = NULL;
    test_genesis(&genesis, 4);
    assert_int_equal(open_sized(&population, &genesis, 0, 1, 1), SY_ERR_ARGUMENT);
    assert_int_equal(open_sized(&population, &genesis, 2, 1, 5), SY_ERR_ARGUMENT);
    assert_int_equal(open_sized(&population, &genesis, 1, 5, 4), SY_ERR_ARGUMENT);
    assert_null(population);
}

CASE(population_follows_from_its_seed)
{
    struct sy_genesis genesis;
    sy_population *one = NULL;
    sy_population *two = NULL;
    test_genesis(&genesis, 4);
    assert_int_equal(open_sized(&one, &genesis, 2, 3, 4), SY_OK);
    assert_int_equal(open_sized(&two, &genesis, 2, 3, 4), SY_OK);
    for (unsigned i = 0; i < 9; i++) {
        uint8_t bytes[2][SY_POPULATION_TX_BYTES];
        struct sy_hash id, same_id;
        struct sy_slice tx, same;
        if (i < 4) {
            tx = sy_population_stage(one, bytes[0], &id, 2, i, UNTIL_MS);
            same = sy_population_stage(two, bytes[1], &same_id, 2, i, UNTIL_MS);
        } else {
            tx = sy_population_record(one, bytes[0], &id, UNTIL_MS);
            same = sy_population_record(two, bytes[1], &same_id, UNTIL_MS);
        }
        assert_true(sy_slice_equal(tx, same) && sy_hash_equal(&id, &same_id));
        struct sy_tx decoded;
        assert_int_equal(sy_tx_decode(&decoded, NULL, tx, sy_network_tag(&genesis)), SY_APPLIED);
        sy_tx_id(&same_id, &decoded);
        assert_true(sy_hash_equal(&id, &same_id));
    }
    sy_population_close(one);
    sy_population_close(two);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(population_is_applied_whatever_its_size),
        cmocka_unit_test(population_refuses_too_few_gateways_or_patients),
        cmocka_unit_test(population_follows_from_its_seed),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
