/* test_avx512_verify.c: the eight lanes of AVX-512 against OpenSSL. */
#include <stdio.h>

#include "core/crypto/cpu.h"
#include "tests/support/test.h"
#include "tests/unit/lane_rig.h"

static const struct lane_way lanes = {sy_avx512_build_base, sy_avx512_build_tables,
                                      sy_avx512_verify_tabled, sy_avx512_verify_general};

static int open_rig(void **state)
{
    (void)state;
    lane_rig_open(&lanes);
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

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(edges_get_openssls_verdict),
        cmocka_unit_test(edges_under_keys_with_tables_get_openssls_verdict),
        cmocka_unit_test(keys_with_torsion_get_openssls_verdict),
        cmocka_unit_test(one_bad_signature_is_found_at_every_place),
        cmocka_unit_test(k_at_its_edges_multiplies_right),
        cmocka_unit_test(only_keys_of_order_l_get_a_table),
    };
    if (!sy_cpu()->avx512_ifma) {
        printf("skipped: this processor has no AVX-512 IFMA\n");
        return 77;
    }
    return cmocka_run_group_tests(cases, open_rig, close_rig);
}
