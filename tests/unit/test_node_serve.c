/* test_node_serve.c: what a peer may have served. */
#include "consensus/node/serve.h"
#include "tests/support/test.h"

#define SECOND 1000000000ull
#define MIB ((size_t)1 << 20)

/* Bytes that one peer gets between from_ns and to_ns when it asks for `bytes` every 100 us. */
static size_t serve_greedy(struct sy_serve_share *share, uint64_t from_ns, uint64_t to_ns,
                           size_t bytes, unsigned *looks)
{
    size_t served = 0;
    *looks = 0;
    for (uint64_t now_ns = from_ns; now_ns < to_ns; now_ns += 100000) {
        for (unsigned i = 0; i < 64 && sy_serve_may(share, now_ns); i++) {
            sy_serve_spend(share, bytes);
            served += bytes;
            ++*looks;
        }
    }
    return served;
}

CASE(serve_bounds_what_a_greedy_peer_gets)
{
    struct sy_serve_share share = {0};
    unsigned looks;
    size_t served = serve_greedy(&share, 100 * SECOND, 102 * SECOND, MIB, &looks);
    /* Two seconds' worth and what was saved up. */
    assert_in_range(served / MIB, 3 * 64 - 2, 3 * 64 + 2);
    served = serve_greedy(&share, 102 * SECOND, 103 * SECOND, MIB, &looks);
    assert_in_range(served / MIB, 64 - 2, 64 + 2);
}

CASE(serve_counts_looking_in_vain)
{
    struct sy_serve_share share = {0};
    unsigned looks;
    assert_int_equal(serve_greedy(&share, 100 * SECOND, 101 * SECOND, 0, &looks), 0);
    assert_in_range(looks, 2 * 16384 - 256, 2 * 16384 + 256);
}

CASE(serve_gives_a_modest_peer_all_it_asks_for)
{
    struct sy_serve_share share = {0};
    for (uint64_t ms = 0; ms < 2000; ms += 25) {
        assert_true(sy_serve_may(&share, ms * 1000000));
        sy_serve_spend(&share, MIB);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serve_bounds_what_a_greedy_peer_gets),
        cmocka_unit_test(serve_counts_looking_in_vain),
        cmocka_unit_test(serve_gives_a_modest_peer_all_it_asks_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
