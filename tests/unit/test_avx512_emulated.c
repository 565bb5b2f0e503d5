/* test_avx512_emulated.c: the arithmetic of the AVX-512 engine in emulated lanes, which run on any
 * processor, against OpenSSL; and the processor's own lanes against these, table by table. */
#define SY_LANES_EMULATED
#include <stdio.h>
#include <stdlib.h>

#include "core/crypto/avx512_table.h"
#include "core/crypto/avx512_verify.h"
#include "core/crypto/cpu.h"
#include "tests/support/test.h"
#include "tests/unit/lane_rig.h"

static void build_base(void *table)
{
    struct table_teeth teeth;
    table_base_teeth(&teeth);
    table_build_base((uint8_t *)table, &teeth);
}

static const struct lane_way emulated = {build_base, table_build_keys, verify_tabled,
                                         verify_general};

static int open_rig(void **state)
{
    (void)state;
    lane_rig_open(&emulated);
    return 0;
}

static int close_rig(void **state)
{
    (void)state;
    lane_rig_close();
    return 0;
}

CASE(edges_get_openssls_verdict)
{
    lane_check_edges();
}

CASE(edges_under_keys_with_tables_get_openssls_verdict)
{
    lane_check_edges_by_table();
}

CASE(keys_with_torsion_get_openssls_verdict)
{
    lane_check_torsion();
}

CASE(one_bad_signature_is_found_at_every_place)
{
    lane_check_every_place();
}

CASE(k_at_its_edges_multiplies_right)
{
    lane_check_edge_k();
}

CASE(only_keys_of_order_l_get_a_table)
{
    lane_check_refused_tables();
}

/* A Z of zero cannot come of points on the curve. Should one ever, it spoils its own lane of its
 * own group and no other. */
CASE(a_z_of_zero_spoils_nobody_elses_verdict)
{
    enum { GROUPS = 3 };
    static struct verify_batch batch;
    static struct sy_lane_group groups[GROUPS];
    // The neutral element, encoded.
    static const uint8_t signature[64] = {1};
    struct fe zero = fe_small(0), one = fe_small(1);
    uint8_t good[GROUPS] = {0xff, 0xff, 0xff};
    for (size_t i = 0; i < GROUPS; i++) {
        for (size_t lane = 0; lane < SY_LANE_GROUP; lane++) groups[i].signatures[lane] = signature;
        batch.x[i] = zero;
        batch.y[i] = batch.z[i] = one;
    }
    batch.z[1] = fe_select(0x04, &zero, &one);
    verify_finish(good, groups, GROUPS, &batch);
    assert_int_equal(good[0], 0xff);
    assert_int_equal(good[1], 0xfb);
    assert_int_equal(good[2], 0xff);
}

CASE(the_processors_lanes_build_the_same_tables)
{
    struct sy_public_key keys[3];
    void *tables[3];
    bool built[3];
    if (!sy_cpu()->avx512_ifma) {
        printf("skipped: this processor has no AVX-512 IFMA\n");
        skip();
    }
    void *base = aligned_alloc(64, SY_AVX512_BASE_BYTES);
    assert_non_null(base);
    sy_avx512_build_base(base);
    assert_memory_equal(base, lane_rig_base(), SY_AVX512_BASE_BYTES);
    for (size_t i = 0; i < 3; i++) {
        keys[i] = lane_rig_key(i);
        tables[i] = aligned_alloc(64, SY_AVX512_KEY_BYTES);
        assert_non_null(tables[i]);
    }
    sy_avx512_build_tables(tables, keys, built, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(built[i]);
        assert_memory_equal(tables[i], lane_rig_table(i), SY_AVX512_KEY_BYTES);
        free(tables[i]);
    }
    free(base);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(edges_get_openssls_verdict),
        cmocka_unit_test(edges_under_keys_with_tables_get_openssls_verdict),
        cmocka_unit_test(keys_with_torsion_get_openssls_verdict),
        cmocka_unit_test(one_bad_signature_is_found_at_every_place),
        cmocka_unit_test(k_at_its_edges_multiplies_right),
        cmocka_unit_test(only_keys_of_order_l_get_a_table),
        cmocka_unit_test(a_z_of_zero_spoils_nobody_elses_verdict),
        cmocka_unit_test(the_processors_lanes_build_the_same_tables),
    };
    return cmocka_run_group_tests(cases, open_rig, close_rig);
}
