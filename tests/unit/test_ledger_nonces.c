/* Nonce windows against a plain model. */
#include "core/wire/state.h"
#include "tests/support/network.h"
#include "tests/support/test.h"

#define MODEL_NONCES 40000u

/* The rule word for word: highest - 4096 < nonce <= highest + 4096 and not seen. */
static bool model_accepts(const bool *seen, uint64_t highest, uint64_t nonce)
{
    if (nonce == 0 || nonce > highest + SY_NONCE_WINDOW) return false;
    if (highest >= SY_NONCE_WINDOW && nonce <= highest - SY_NONCE_WINDOW) return false;
    return !seen[nonce];
}

CASE(nonce_windows_follow_the_rule)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    static bool seen[MODEL_NONCES + 2 * SY_NONCE_WINDOW];
    for (unsigned round = 0; round < 6; round++) {
        memset(seen, 0, sizeof seen);
        struct sy_nonces nonces = {.highest = 0};
        uint64_t highest = 0;
        uint64_t reach = round % 3 == 0 ? 3 : round % 3 == 1 ? 200 : SY_NONCE_WINDOW;
        for (unsigned i = 0; i < 6000 && highest < MODEL_NONCES; i++) {
            uint64_t nonce = highest + sy_prng_below(&prng, reach + 1);
            if (sy_prng_chance(&prng, 1, 3)) {
                uint64_t back = sy_prng_below(&prng, SY_NONCE_WINDOW + 50);
                nonce = back < highest ? highest - back : 0;
            }
            bool fresh = model_accepts(seen, highest, nonce);
            assert_int_equal(sy_nonces_accept(&nonces, nonce), fresh);
            if (!fresh) continue;
            assert_false(sy_nonces_seen(&nonces, nonce));
            sy_nonces_use(&nonces, nonce);
            seen[nonce] = true;
            if (nonce > highest) highest = nonce;
            assert_int_equal(nonces.highest, highest);
            assert_true(sy_nonces_seen(&nonces, nonce));
            if (i % 16 != 0) continue;
            uint8_t room[16 + SY_NONCE_WINDOW / 8];
            struct sy_writer w = sy_writer_of(room, sizeof room);
            sy_nonces_encode(&w, &nonces);
            struct sy_nonces decoded;
            assert_true(sy_nonces_decode(&decoded, sy_writer_slice(&w)));
            assert_memory_equal(&decoded, &nonces, sizeof nonces);
        }
    }
}

CASE(nonce_windows_that_count_upwards_take_16_bytes)
{
    struct sy_nonces nonces = {.highest = 0};
    for (uint64_t nonce = 1; nonce <= 20000; nonce++) {
        sy_nonces_use(&nonces, nonce);
        assert_int_equal(nonces.floor, nonce);
    }
    uint8_t room[600];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_nonces_encode(&w, &nonces);
    assert_int_equal(w.used, 16);
}

CASE(nonce_window_ends_at_the_largest_number)
{
    struct sy_nonces nonces = {.highest = UINT64_MAX - 10, .floor = UINT64_MAX - 10};
    assert_true(sy_nonces_accept(&nonces, UINT64_MAX));
    sy_nonces_use(&nonces, UINT64_MAX);
    assert_false(sy_nonces_accept(&nonces, UINT64_MAX));
    assert_true(sy_nonces_accept(&nonces, UINT64_MAX - 5));
    assert_false(sy_nonces_accept(&nonces, 0));
    assert_false(sy_nonces_accept(&nonces, 1));
    for (uint64_t nonce = UINT64_MAX - 9; nonce < UINT64_MAX; nonce++) {
        sy_nonces_use(&nonces, nonce);
    }
    assert_int_equal(nonces.floor, UINT64_MAX);
    for (uint64_t nonce = 0; nonce < 5; nonce++) assert_false(sy_nonces_accept(&nonces, nonce));
}

CASE(nonce_windows_are_canonical)
{
    static const struct {
        uint64_t highest, floor;
        uint8_t map[2];
        size_t map_bytes;
        bool good;
    } windows[] = {
        {9, 9, {0}, 0, true},
        {9, 10, {0}, 0, false},             // floor above highest
        {5000, 5000 - 4097, {0}, 0, false}, // further down than the window
        {10, 8, {0x02}, 1, true},
        {10, 8, {0x03}, 1, false},    // floor could be higher
        {10, 8, {0x00}, 1, false},    // highest is not marked
        {10, 8, {0x06}, 1, false},    // a bit beyond highest
        {10, 8, {0x02, 0}, 2, false}, // a byte too many
        {20, 8, {0x02, 0x08}, 2, true},
        {20, 8, {0x02, 0x18}, 2, false},
    };
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        uint8_t room[32];
        struct sy_writer w = sy_writer_of(room, sizeof room);
        sy_write_u64(&w, windows[i].highest);
        sy_write_u64(&w, windows[i].floor);
        sy_write_raw(&w, windows[i].map, windows[i].map_bytes);
        struct sy_nonces nonces;
        assert_int_equal(sy_nonces_decode(&nonces, sy_writer_slice(&w)), windows[i].good);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(nonce_windows_follow_the_rule),
        cmocka_unit_test(nonce_windows_that_count_upwards_take_16_bytes),
        cmocka_unit_test(nonce_window_ends_at_the_largest_number),
        cmocka_unit_test(nonce_windows_are_canonical),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
