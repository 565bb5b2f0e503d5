/* test_import_window.c: the window of undecided transactions against a plain model. */
#include "core/client/import_window.h"

#include <stdlib.h>

#include "core/base/prng.h"
#include "tests/support/test.h"

#define CAPACITY 64u

static struct sy_hash id_of(uint64_t seq, unsigned round)
{
    struct sy_hash id = {{0}};
    sy_store_u64(id.bytes, seq);
    sy_store_u64(id.bytes + 8, round);
    return id;
}

static struct sy_public_key key_of(unsigned number)
{
    struct sy_public_key key = {{0}};
    key.bytes[0] = (uint8_t)(number + 1);
    return key;
}

static struct sy_window_add add_of(uint64_t seq, unsigned key, uint64_t nonce)
{
    struct sy_window_add add = {
        .seq = seq,
        .tx_id = id_of(seq, 0),
        .signer = key_of(key),
        .nonce = nonce,
        .valid_until_ms = 1000,
        .tx = sy_slice_of("tx", 2),
    };
    return add;
}

static void add_one(struct sy_import_window *window, uint64_t seq, unsigned key, uint64_t nonce,
                    uint64_t after)
{
    uint8_t bytes[8];
    struct sy_window_add add = add_of(seq, key, nonce);
    sy_store_u64(bytes, after);
    if (after != 0) add.after = sy_slice_of(bytes, 8);
    assert_int_equal(sy_window_add(window, &add, NULL), SY_OK);
}

CASE(an_entry_waits_for_all_it_is_built_on)
{
    struct sy_import_window window;
    uint8_t after[24];
    assert_int_equal(sy_window_open(&window, CAPACITY, NULL), SY_OK);
    add_one(&window, 1, 0, 1, 0);
    add_one(&window, 2, 0, 2, 0);
    struct sy_window_add add = add_of(3, 0, 3);
    sy_store_u64(after, 1);
    sy_store_u64(after + 8, 2);
    sy_store_u64(after + 16, 77); // decided long ago
    add.after = sy_slice_of(after, sizeof after);
    assert_int_equal(sy_window_add(&window, &add, NULL), SY_OK);
    assert_int_equal(sy_window_find_seq(&window, 3)->state, SY_PENDING_WAITING);
    sy_window_remove(&window, sy_window_find_seq(&window, 2), true);
    assert_int_equal(sy_window_find_seq(&window, 3)->state, SY_PENDING_WAITING);
    sy_window_remove(&window, sy_window_find_seq(&window, 1), true);
    assert_int_equal(sy_window_find_seq(&window, 3)->state, SY_PENDING_READY);
    assert_int_equal(sy_window_peek_ready(&window)->seq, 3);
    sy_window_take_ready(&window);
    assert_null(sy_window_peek_ready(&window));
    sy_window_close(&window);
}

CASE(an_entry_that_is_gone_is_not_released_in_its_successors_place)
{
    struct sy_import_window window;
    assert_int_equal(sy_window_open(&window, CAPACITY, NULL), SY_OK);
    add_one(&window, 1, 0, 1, 0);
    add_one(&window, 2, 0, 2, 1);
    assert_int_equal(sy_window_dependent(&window, sy_window_find_seq(&window, 1), 0), 2);
    assert_int_equal(sy_window_dependent(&window, sy_window_find_seq(&window, 1), 1), 0);
    sy_window_remove(&window, sy_window_find_seq(&window, 2), false);
    // The slot of 2 goes to 3, which waits for 4, not for 1.
    add_one(&window, 4, 1, 1, 0);
    add_one(&window, 3, 0, 3, 4);
    sy_window_remove(&window, sy_window_find_seq(&window, 1), true);
    assert_int_equal(sy_window_find_seq(&window, 3)->state, SY_PENDING_WAITING);
    sy_window_remove(&window, sy_window_find_seq(&window, 4), true);
    assert_int_equal(sy_window_find_seq(&window, 3)->state, SY_PENDING_READY);
    sy_window_close(&window);
}

CASE(a_key_signs_at_most_2048_nonces_ahead_of_its_lowest_undecided_one)
{
    struct sy_import_window window;
    struct sy_public_key key = key_of(0);
    assert_int_equal(sy_window_open(&window, 4096, NULL), SY_OK);
    uint64_t nonce = 1;
    while (sy_window_may_sign(&window, &key, nonce)) {
        add_one(&window, nonce, 0, nonce, 0);
        nonce++;
    }
    assert_int_equal(nonce, 1 + SY_IMPORT_NONCES_AHEAD + 1);
    // All but the lowest are decided: nothing changes. Then it is, too.
    for (uint64_t seq = nonce - 1; seq > 1; seq--) {
        sy_window_remove(&window, sy_window_find_seq(&window, seq), true);
    }
    assert_false(sy_window_may_sign(&window, &key, nonce));
    sy_window_remove(&window, sy_window_find_seq(&window, 1), true);
    assert_true(sy_window_may_sign(&window, &key, nonce));
    assert_true(sy_window_may_sign(&window, &key, UINT64_MAX)); // nothing is undecided
    sy_window_close(&window);
}

CASE(nonces_too_far_apart_are_refused_as_damage)
{
    struct sy_import_window window;
    assert_int_equal(sy_window_open(&window, CAPACITY, NULL), SY_OK);
    add_one(&window, 1, 0, 1, 0);
    struct sy_window_add add = add_of(2, 0, 1u << 20);
    assert_int_equal(sy_window_add(&window, &add, NULL), SY_ERR_CORRUPT);
    sy_window_close(&window);
}

CASE(signing_again_moves_an_entry_to_another_nonce_and_id)
{
    struct sy_import_window window;
    uint8_t *old;
    assert_int_equal(sy_window_open(&window, CAPACITY, NULL), SY_OK);
    add_one(&window, 1, 0, 1, 0);
    add_one(&window, 2, 0, 2, 1);
    sy_window_take_ready(&window);
    struct sy_pending *pending = sy_window_find_seq(&window, 1);
    struct sy_window_add add = add_of(1, 0, 3);
    add.tx_id = id_of(1, 1);
    assert_int_equal(sy_window_replace(&window, pending, &old, &add, NULL), SY_OK);
    // It was handed out, so its bytes must outlive it.
    assert_non_null(old);
    free(old);
    assert_null(sy_window_find_id(&window, &(struct sy_hash){{1}}));
    assert_ptr_equal(sy_window_find_id(&window, &add.tx_id), pending);
    sy_window_make_ready(&window, pending);
    sy_window_remove(&window, pending, true);
    assert_int_equal(sy_window_find_seq(&window, 2)->state, SY_PENDING_READY);
    sy_window_close(&window);
}

/* --- a model --------------------------------------------------------------------------------- */

struct model_tx {
    uint64_t seq, nonce;
    unsigned key;
    uint64_t after[3];
    bool gone;
};

static bool model_waits(const struct model_tx *txs, size_t count, const struct model_tx *tx)
{
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < count; j++) {
            if (!txs[j].gone && tx->after[i] != 0 && txs[j].seq == tx->after[i]) return true;
        }
    }
    return false;
}

static uint64_t model_lowest(const struct model_tx *txs, size_t count, unsigned key)
{
    uint64_t lowest = 0;
    for (size_t i = 0; i < count; i++) {
        if (txs[i].gone || txs[i].key != key) continue;
        if (lowest == 0 || txs[i].nonce < lowest) lowest = txs[i].nonce;
    }
    return lowest;
}

static void compare(const struct sy_import_window *window, const struct model_tx *txs, size_t count,
                    const uint64_t *next_nonce)
{
    uint32_t alive = 0;
    for (size_t i = 0; i < count; i++) {
        struct sy_pending *pending = sy_window_find_seq(window, txs[i].seq);
        assert_int_equal(pending != NULL, !txs[i].gone);
        if (pending == NULL) continue;
        alive++;
        bool waits = model_waits(txs, count, &txs[i]);
        assert_int_equal(pending->state == SY_PENDING_WAITING, waits);
    }
    assert_int_equal(window->count, alive);
    for (unsigned key = 0; key < 3; key++) {
        struct sy_public_key public = key_of(key);
        uint64_t lowest = model_lowest(txs, count, key);
        bool may = lowest == 0 || next_nonce[key] <= lowest + SY_IMPORT_NONCES_AHEAD;
        assert_int_equal(sy_window_may_sign(window, &public, next_nonce[key]), may);
    }
}

CASE(random_histories_agree_with_the_model)
{
    enum { STEPS = 3000 };
    static struct model_tx txs[STEPS];
    struct sy_import_window window;
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    assert_int_equal(sy_window_open(&window, CAPACITY, NULL), SY_OK);
    size_t count = 0;
    uint64_t next_nonce[3] = {1, 1, 1};
    for (int step = 0; step < STEPS; step++) {
        if (!sy_window_full(&window) && sy_prng_chance(&prng, 11, 20)) {
            struct model_tx *tx = &txs[count++];
            uint8_t after[24];
            *tx = (struct model_tx){.seq = count, .key = (unsigned)sy_prng_below(&prng, 3)};
            // Gaps: nonces of transactions that were decided before this window began.
            next_nonce[tx->key] += sy_prng_below(&prng, 3);
            tx->nonce = next_nonce[tx->key]++;
            for (size_t i = 0; i < 3; i++) {
                tx->after[i] = sy_prng_below(&prng, count);
                sy_store_u64(after + 8 * i, tx->after[i]);
            }
            struct sy_window_add add = add_of(tx->seq, tx->key, tx->nonce);
            add.after = sy_slice_of(after, sizeof after);
            assert_int_equal(sy_window_add(&window, &add, NULL), SY_OK);
        } else if (window.count > 0) {
            // Only what waits for nothing is ever decided.
            struct sy_pending *ready = sy_window_peek_ready(&window);
            assert_non_null(ready);
            txs[ready->seq - 1].gone = true;
            sy_window_take_ready(&window);
            sy_window_remove(&window, ready, true);
        }
        if (step % 16 == 0) compare(&window, txs, count, next_nonce);
    }
    sy_window_close(&window);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(an_entry_waits_for_all_it_is_built_on),
        cmocka_unit_test(an_entry_that_is_gone_is_not_released_in_its_successors_place),
        cmocka_unit_test(a_key_signs_at_most_2048_nonces_ahead_of_its_lowest_undecided_one),
        cmocka_unit_test(nonces_too_far_apart_are_refused_as_damage),
        cmocka_unit_test(signing_again_moves_an_entry_to_another_nonce_and_id),
        cmocka_unit_test(random_histories_agree_with_the_model),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
