/* Peers' batches: what is admitted, what is dropped, who is blamed, and how long bytes stay. */
#include <stdlib.h>

#include "core/crypto/hash.h"
#include "tests/unit/pool_rig.h"

#define OUTSIDER UINT16_MAX

static unsigned stored(const struct pool_rig *rig)
{
    return prig_count(rig, SY_POOL_STORE);
}

/* A batch by `maker` whose i-th transaction was changed before the roots were made: a maker that
 * signs what is wrong. */
static struct sy_slice bad_batch(struct pool_rig *rig, unsigned maker, uint64_t seq, bool malformed)
{
    static uint8_t whole[SY_BATCH_BYTES_MAX];
    struct sy_slice good = prig_tx(rig);
    uint8_t *changed = prig_copy(rig, good);
    changed[malformed ? 3 : good.size - 1] ^= 1; /* another network; a bad signature */
    struct sy_slice txs[2] = {prig_tx(rig), sy_slice_of(changed, good.size)};
    struct sy_slice batch = test_batch(whole, &rig->genesis, 3 * maker, seq, txs, 2);
    return sy_slice_of(prig_copy(rig, batch), batch.size);
}

CASE(pool_admits_stores_and_announces_a_good_batch)
{
    struct pool_rig rig;
    prig_open(&rig);
    struct sy_slice batch = prig_batch(&rig, 2, 1, 5);
    struct sy_hash digest = prig_digest(&rig, batch);
    rig.hold_checks = rig.hold_stores = true;
    prig_receive(&rig, 2, batch);
    assert_int_equal(prig_count(&rig, SY_POOL_CHECK), 1);
    assert_int_equal(rig.flying[0]->job_count, 6); /* the batch's signature and five others */
    assert_true(rig.flying[0]->confirm_negatives);
    assert_true(sy_pool_coming(rig.pool, &digest));
    prig_check(&rig);
    assert_true(sy_slice_equal(prig_last(&rig, SY_POOL_STORE)->body, batch));
    assert_null(prig_about(&rig, SY_POOL_READY, &digest));
    assert_false(prig_offer(&rig, &digest));
    prig_store(&rig);
    const struct prig_effect *ready = prig_about(&rig, SY_POOL_READY, &digest);
    assert_non_null(ready);
    assert_int_equal(ready->maker, 2);
    assert_int_equal(ready->seq, 1);
    assert_int_equal(ready->txs, 5);
    assert_int_equal(ready->bytes, batch.size);
    assert_int_equal(prig_count(&rig, SY_POOL_SPREAD), 0); /* spreading is the maker's */
    prig_forget(&rig);
    assert_true(prig_offer(&rig, &digest));
    assert_non_null(prig_about(&rig, SY_POOL_READY, &digest));
    struct sy_pool_info info;
    sy_pool_get_info(rig.pool, &info);
    assert_int_equal(info.peer_batches, 1);
    assert_int_equal(info.signatures, 6);
    prig_close(&rig);
}

/* Whoever relays a batch can change its bytes, not its digest: nobody is blamed, and the true bytes
 * are welcome. */
static void expect_dropped(struct pool_rig *rig, struct sy_slice changed, struct sy_slice truth)
{
    struct sy_hash digest = prig_digest(rig, truth);
    prig_forget(rig);
    prig_receive(rig, 3, changed);
    assert_int_equal(stored(rig), 0);
    assert_int_equal(prig_count(rig, SY_POOL_REFUSED), 0);
    assert_false(sy_pool_coming(rig->pool, &digest));
    assert_false(prig_offer(rig, &digest));
}

CASE(pool_drops_changed_bytes_without_blame)
{
    struct pool_rig rig;
    prig_open(&rig);
    struct sy_slice truth = prig_batch(&rig, 2, 1, 2);
    struct sy_slice changed = sy_slice_of(prig_copy(&rig, truth), truth.size);
    uint8_t *bytes = (uint8_t *)(uintptr_t)changed.data;

    bytes[SY_BATCH_HEADER_BYTES + 5] ^= 1; /* the maker's signature */
    expect_dropped(&rig, changed, truth);
    bytes[SY_BATCH_HEADER_BYTES + 5] ^= 1;
    bytes[truth.size - 1] ^= 1; /* a transaction's signature: the root says otherwise */
    expect_dropped(&rig, changed, truth);
    bytes[truth.size - 1] ^= 1;
    bytes[SY_BATCH_FRONT_BYTES + 4 + 3] ^= 1; /* a transaction that does not decode here */
    expect_dropped(&rig, changed, truth);
    bytes[SY_BATCH_FRONT_BYTES + 4 + 3] ^= 1;
    bytes[SY_BATCH_FRONT_BYTES + 4 + 19] ^= 1; /* a signer's key */
    expect_dropped(&rig, changed, truth);

    prig_receive(&rig, 2, truth);
    assert_int_equal(stored(&rig), 1);
    struct sy_pool_info info;
    sy_pool_get_info(rig.pool, &info);
    assert_int_equal(info.condemned, 0);
    assert_int_equal(info.queued_batches, 0);
    prig_close(&rig);
}

CASE(pool_condemns_what_a_maker_signed_and_that_is_bad)
{
    struct pool_rig rig;
    prig_open(&rig);
    struct sy_slice bad = bad_batch(&rig, 2, 1, false);
    struct sy_hash digest = prig_digest(&rig, bad);
    prig_receive(&rig, 3, bad);
    assert_int_equal(stored(&rig), 0);
    const struct prig_effect *refused = prig_about(&rig, SY_POOL_REFUSED, &digest);
    assert_non_null(refused);
    assert_int_equal(refused->maker, 2);
    assert_int_equal(refused->seq, 1);
    prig_forget(&rig);
    prig_receive(&rig, 3, bad); /* the same bytes cost nothing again, wanted or not */
    sy_pool_want(rig.pool, &digest);
    prig_receive(&rig, 3, bad);
    assert_int_equal(rig.logged, 0);
    assert_true(prig_offer(&rig, &digest));
    assert_non_null(prig_about(&rig, SY_POOL_REFUSED, &digest));
    struct sy_pool_info info;
    sy_pool_get_info(rig.pool, &info);
    assert_int_equal(info.condemned, 1);

    /* The maker may sign other bytes under that seq. */
    struct sy_slice good = prig_batch(&rig, 2, 1, 1);
    prig_receive(&rig, 2, good);
    assert_int_equal(stored(&rig), 1);
    prig_close(&rig);
}

CASE(pool_drops_a_batch_of_another_network)
{
    struct pool_rig rig;
    prig_open(&rig);
    prig_receive(&rig, 2, bad_batch(&rig, 2, 1, true));
    assert_int_equal(prig_count(&rig, SY_POOL_CHECK) + stored(&rig), 0);
    struct sy_pool_info info;
    sy_pool_get_info(rig.pool, &info);
    assert_int_equal(info.queued_batches, 0);
    prig_close(&rig);
}

CASE(pool_remembers_a_bounded_number_of_condemned_batches)
{
    struct pool_rig rig;
    prig_open(&rig);
    struct sy_slice first = bad_batch(&rig, 1, 1, false);
    prig_receive(&rig, 1, first);
    for (unsigned i = 0; i < 256; i++) prig_receive(&rig, 2, bad_batch(&rig, 2, 1 + i % 60, false));
    assert_int_equal(prig_count(&rig, SY_POOL_REFUSED), 257);
    struct sy_hash digest = prig_digest(&rig, first);
    assert_false(prig_offer(&rig, &digest)); /* forgotten: it would be checked again */
    prig_receive(&rig, 1, first);
    assert_int_equal(prig_count(&rig, SY_POOL_REFUSED), 258);
    prig_close(&rig);
}

CASE(pool_ignores_batches_of_strangers_and_its_own)
{
    struct pool_rig rig;
    prig_open(&rig);
    prig_receive(&rig, 1, prig_batch(&rig, 0, 1, 1)); /* by itself */
    prig_receive(&rig, 1, prig_batch(&rig, 5, 1, 1)); /* by nobody in the roster of four */
    assert_int_equal(rig.logged, 0);
    prig_close(&rig);
}

CASE(pool_ignores_garbage)
{
    struct pool_rig rig;
    prig_open(&rig);
    struct sy_slice batch = prig_batch(&rig, 2, 1, 2);
    for (size_t size = 0; size < batch.size; size += 7) {
        prig_receive(&rig, 2, sy_slice_of(batch.data, size));
    }
    uint8_t *longer = prig_copy(&rig, batch);
    (void)prig_copy(&rig, sy_slice_of("x", 1));
    prig_receive(&rig, 2, sy_slice_of(longer, batch.size + 1));
    assert_int_equal(rig.logged, 0);
    for (unsigned i = 0; i < 300;
         i++) { /* any byte changed: never a batch that is not the maker's */
        uint8_t *changed = prig_copy(&rig, batch);
        changed[sy_prng_below(&rig.prng, batch.size)] ^=
            (uint8_t)(1 + sy_prng_below(&rig.prng, 255));
        prig_receive(&rig, 2, sy_slice_of(changed, batch.size));
    }
    assert_int_equal(stored(&rig) + prig_count(&rig, SY_POOL_REFUSED), 0);
    prig_receive(&rig, 2, batch);
    assert_int_equal(stored(&rig), 1);
    prig_close(&rig);
}

/* ---- places ------------------------------------------------------------------------------ */

CASE(pool_keeps_a_window_of_seqs)
{
    struct pool_rig rig;
    prig_open(&rig);
    sy_pool_set_next(rig.pool, 1, 10);
    prig_receive(&rig, 1, prig_batch(&rig, 1, 9, 1));
    prig_receive(&rig, 1, prig_batch(&rig, 1, 10 + SY_BATCH_WINDOW, 1));
    prig_receive(&rig, 1, prig_batch(&rig, 1, UINT64_MAX, 1));
    assert_int_equal(rig.logged, 0);
    prig_receive(&rig, 1, prig_batch(&rig, 1, 10, 1));
    prig_receive(&rig, 1, prig_batch(&rig, 1, 10 + SY_BATCH_WINDOW - 1, 1));
    assert_int_equal(stored(&rig), 2);
    prig_close(&rig);
}

CASE(pool_admits_what_is_wanted_wherever_it_stands)
{
    struct pool_rig rig;
    prig_open(&rig);
    sy_pool_set_next(rig.pool, 1, 10);
    struct sy_slice over = prig_batch(&rig, 1, 9, 1);
    struct sy_slice ahead = prig_batch(&rig, 1, 500, 1);
    struct sy_slice first = prig_batch(&rig, 1, 20, 1);
    struct sy_slice second = prig_batch(&rig, 1, 20, 1);
    struct sy_hash wants[] = {prig_digest(&rig, over), prig_digest(&rig, ahead),
                              prig_digest(&rig, second)};
    prig_receive(&rig, 1, first);
    prig_receive(&rig, 1, second);
    assert_int_equal(stored(&rig), 1); /* one digest a (maker, seq) */
    for (unsigned i = 0; i < 3; i++) sy_pool_want(rig.pool, &wants[i]);
    prig_receive(&rig, 3, over);
    prig_receive(&rig, 3, ahead);
    prig_receive(&rig, OUTSIDER, second);
    assert_int_equal(stored(&rig), 4);
    for (unsigned i = 0; i < 3; i++) assert_non_null(prig_about(&rig, SY_POOL_READY, &wants[i]));
    prig_close(&rig);
}

CASE(pool_admits_one_of_two_that_came_at_once)
{
    struct pool_rig rig;
    prig_open(&rig);
    rig.hold_checks = true;
    struct sy_slice first = prig_batch(&rig, 1, 1, 1);
    struct sy_slice second = prig_batch(&rig, 1, 1, 1);
    struct sy_slice third = prig_batch(&rig, 1, 1, 1);
    struct sy_hash wanted = prig_digest(&rig, third);
    prig_receive(&rig, 1, first);
    prig_receive(&rig, 1, second);
    prig_receive(&rig, 1, third);
    sy_pool_want(rig.pool, &wanted);
    rig.hold_checks = false;
    prig_tick(&rig, 0);
    assert_int_equal(stored(&rig), 2);
    struct sy_hash digest = prig_digest(&rig, second);
    assert_null(prig_about(&rig, SY_POOL_STORE, &digest));
    assert_non_null(prig_about(&rig, SY_POOL_STORE, &wanted));
    assert_int_equal(prig_count(&rig, SY_POOL_REFUSED), 0);
    prig_close(&rig);
}

CASE(pool_forgets_old_wants)
{
    struct pool_rig rig;
    prig_open(&rig);
    sy_pool_set_next(rig.pool, 1, 10);
    struct sy_slice over = prig_batch(&rig, 1, 9, 1);
    struct sy_hash digest = prig_digest(&rig, over);
    sy_pool_want(rig.pool, &digest);
    for (unsigned i = 0; i < 256; i++) {
        struct sy_hash other = test_hash(i);
        sy_pool_want(rig.pool, &other);
    }
    prig_receive(&rig, 1, over);
    assert_int_equal(rig.logged, 0);
    sy_pool_want(rig.pool, &digest);
    prig_receive(&rig, 1, over);
    assert_int_equal(stored(&rig), 1);
    prig_close(&rig);
}

/* ---- shares ------------------------------------------------------------------------------ */

CASE(pool_gives_every_peer_its_own_room)
{
    struct pool_rig rig;
    prig_open(&rig);
    rig.hold_checks = true;
    /* Peer 3 floods under peer 1's name; peer 1's own batch still finds a place ... */
    for (unsigned i = 0; i < 20; i++) prig_receive(&rig, 3, prig_batch(&rig, 1, 2 + i, 1));
    struct sy_pool_info info;
    sy_pool_get_info(rig.pool, &info);
    assert_int_equal(info.queued_batches, rig.config.queued_per_maker);
    struct sy_slice honest = prig_batch(&rig, 1, 1, 1);
    struct sy_hash digest = prig_digest(&rig, honest);
    prig_receive(&rig, 1, honest);
    assert_true(sy_pool_coming(rig.pool, &digest));
    /* ... and is checked in turn, before the rest of the flood. */
    unsigned checks = 0;
    while (prig_about(&rig, SY_POOL_STORE, &digest) == NULL) {
        prig_check(&rig);
        checks++;
    }
    assert_true(checks <= rig.config.lanes + 1);
    prig_close(&rig);
}

/* Of two peers that always have something to check, the one with large batches gets no more. */
CASE(pool_shares_checks_by_what_they_cost)
{
    struct pool_rig rig;
    struct sy_pool_config config;
    memset(&rig, 0, sizeof rig);
    prig_config(&rig, &config);
    config.lanes = 2; /* one for peers */
    prig_open_with(&rig, &config);
    rig.hold_checks = true;
    unsigned txs[4] = {0};
    unsigned sent[4] = {0};
    unsigned ran[4] = {0};
    for (unsigned checked = 0; checked < 60; checked++) {
        while (sent[1] < ran[1] + 2) prig_receive(&rig, 1, prig_batch(&rig, 1, ++sent[1], 32));
        while (sent[3] < ran[3] + 2) prig_receive(&rig, 3, prig_batch(&rig, 3, ++sent[3], 2));
        prig_forget(&rig);
        prig_check(&rig);
        const struct prig_effect *ready = prig_last(&rig, SY_POOL_READY);
        txs[ready->maker] += ready->txs;
        ran[ready->maker]++;
        prig_ran(&rig, ready->maker, ready->seq, &ready->digest);
    }
    assert_in_range(txs[1], txs[3] - 64, txs[3] + 64);
    prig_close(&rig);
}

/* Four large batches of a liar: one is being checked, the others wait. */
static void open_flooded(struct pool_rig *rig, unsigned queued)
{
    struct sy_pool_config config;
    memset(rig, 0, sizeof *rig);
    prig_config(rig, &config);
    config.lanes = 2; /* one for peers */
    config.queued_per_maker = queued;
    prig_open_with(rig, &config);
    rig->hold_checks = true;
    for (unsigned i = 0; i < 4; i++) prig_receive(rig, 3, prig_batch(rig, 3, 1 + i, 32));
}

static unsigned checks_until_stored(struct pool_rig *rig, const struct sy_hash *digest)
{
    unsigned checks = 0;
    while (prig_about(rig, SY_POOL_STORE, digest) == NULL && checks < 64) {
        prig_check(rig);
        checks++;
    }
    return checks;
}

/* A proposal names what a liar sent last: it is not waited for as long as the liar likes. */
CASE(pool_checks_what_is_wanted_beside_its_senders_others)
{
    struct pool_rig rig;
    open_flooded(&rig, 8);
    struct sy_slice batch = prig_batch(&rig, 3, 5, 1);
    struct sy_hash digest = prig_digest(&rig, batch);
    prig_receive(&rig, 3, batch);
    sy_pool_want(rig.pool, &digest);
    assert_int_equal(checks_until_stored(&rig, &digest), 2); /* one was under way */

    /* The same when it comes after it was wanted. */
    batch = prig_batch(&rig, 3, 6, 1);
    digest = prig_digest(&rig, batch);
    sy_pool_want(rig.pool, &digest);
    prig_receive(&rig, 3, batch);
    assert_int_equal(checks_until_stored(&rig, &digest), 2);
    prig_close(&rig);
}

/* A faulty primary names nothing but a liar's batches: the others' are checked all the same. */
CASE(pool_gives_what_is_wanted_no_more_than_a_part)
{
    struct pool_rig rig;
    open_flooded(&rig, 8);
    for (unsigned i = 0; i < 4; i++) {
        struct sy_slice named = prig_batch(&rig, 3, 5 + i, 32);
        struct sy_hash digest = prig_digest(&rig, named);
        prig_receive(&rig, 3, named);
        sy_pool_want(rig.pool, &digest);
    }
    for (unsigned i = 0; i < 8; i++) prig_receive(&rig, 1, prig_batch(&rig, 1, 1 + i, 3));
    struct sy_slice honest = prig_batch(&rig, 2, 1, 3);
    struct sy_hash digest = prig_digest(&rig, honest);
    prig_receive(&rig, 2, honest);
    assert_true(checks_until_stored(&rig, &digest) <= 5);
    prig_close(&rig);
}

/* A liar passes on what it got from another validator, to have it wait behind its own, or changed:
 * what the maker sends itself counts. */
CASE(pool_prefers_the_makers_own_copy)
{
    for (unsigned change = 0; change < 2; change++) {
        struct pool_rig rig;
        open_flooded(&rig, 8);
        struct sy_slice honest = prig_batch(&rig, 1, 1, 2);
        struct sy_hash digest = prig_digest(&rig, honest);
        uint8_t *passed_on = prig_copy(&rig, honest);
        passed_on[honest.size - 1] ^= (uint8_t)change;
        prig_receive(&rig, 3, sy_slice_of(passed_on, honest.size));
        prig_receive(&rig, 2, honest); /* anybody might change it */
        prig_receive(&rig, 1, honest);
        prig_receive(&rig, 1, honest);
        assert_int_equal(checks_until_stored(&rig, &digest), 2);
        struct sy_pool_info info;
        while (rig.flying_count > 0) prig_check(&rig);
        sy_pool_get_info(rig.pool, &info);
        assert_int_equal(info.queued_batches, 0);
        prig_close(&rig);
    }
}

CASE(pool_leaves_a_lane_to_clients_and_one_to_peers)
{
    for (unsigned lanes = 2; lanes <= 4; lanes++) {
        struct pool_rig rig;
        struct sy_pool_config config;
        memset(&rig, 0, sizeof rig);
        prig_config(&rig, &config);
        config.lanes = lanes;
        config.queued_per_maker = 16;
        prig_open_with(&rig, &config);
        rig.hold_checks = true;
        for (unsigned i = 0; i < 8; i++) prig_receive(&rig, 1, prig_batch(&rig, 1, 1 + i, 1));
        assert_int_equal(rig.flying_count, lanes - 1);
        prig_submit_one(&rig, 1, prig_tx(&rig));
        assert_int_equal(rig.flying_count, lanes);
        while (rig.flying_count > 0) prig_check(&rig);
        assert_int_equal(stored(&rig), 8);
        assert_int_equal(prig_outcome(&rig, 1).state, SY_TX_RECEIVED);
        /* The other way round. */
        for (unsigned i = 0; i < 8; i++) prig_submit_one(&rig, 10 + i, prig_tx(&rig));
        prig_receive(&rig, 2, prig_batch(&rig, 2, 1, 1));
        while (rig.flying_count > 0) prig_check(&rig);
        assert_int_equal(prig_last(&rig, SY_POOL_READY)->maker, 2);
        prig_close(&rig);
    }
}

CASE(pool_bounds_what_one_maker_makes_it_keep)
{
    struct pool_rig rig;
    prig_open(&rig);
    unsigned taken = 0;
    for (uint64_t seq = 1; seq <= SY_BATCH_WINDOW; seq++) {
        prig_receive(&rig, 1, prig_batch(&rig, 1, seq, 1));
    }
    assert_int_equal(stored(&rig), SY_BATCH_WINDOW);
    for (unsigned i = 0; i < 400; i++) { /* a faulty primary names all that a faulty maker makes */
        struct sy_slice batch = prig_batch(&rig, 1, 1000 + i, 1);
        struct sy_hash digest = prig_digest(&rig, batch);
        sy_pool_want(rig.pool, &digest);
        prig_receive(&rig, 1, batch);
        taken += prig_about(&rig, SY_POOL_READY, &digest) != NULL;
    }
    assert_int_equal(taken, 3 * SY_BATCH_WINDOW);
    prig_receive(&rig, 2, prig_batch(&rig, 2, 1, 1)); /* others have their own room */
    assert_int_equal(prig_last(&rig, SY_POOL_READY)->maker, 2);
    prig_submit_one(&rig, 1, prig_tx(&rig));
    prig_tick(&rig, PRIG_SECOND);
    assert_int_equal(prig_last(&rig, SY_POOL_READY)->maker, 0);
    prig_close(&rig);
}

/* ---- time -------------------------------------------------------------------------------- */

CASE(pool_stores_nothing_that_ran_meanwhile)
{
    struct pool_rig rig;
    prig_open(&rig);
    struct sy_slice batch = prig_batch(&rig, 1, 1, 1);
    struct sy_hash digest = prig_digest(&rig, batch);
    rig.hold_checks = true;
    prig_receive(&rig, 1, batch);
    prig_ran(&rig, 1, 1, &digest); /* by a certified block */
    rig.hold_checks = false;
    prig_tick(&rig, 0);
    assert_int_equal(stored(&rig), 0);

    batch = prig_batch(&rig, 1, 2, 1);
    digest = prig_digest(&rig, batch);
    rig.hold_stores = true;
    prig_receive(&rig, 1, batch);
    assert_int_equal(stored(&rig), 1);
    prig_ran(&rig, 1, 2, &digest);
    prig_store(&rig);
    assert_int_equal(prig_count(&rig, SY_POOL_READY), 0);
    struct sy_pool_info info;
    sy_pool_get_info(rig.pool, &info);
    assert_int_equal(info.peer_batches + info.queued_batches, 0);
    prig_receive(&rig, 1, batch); /* late copies of what ran are nothing new */
    assert_false(sy_pool_coming(rig.pool, &digest));
    prig_close(&rig);
}

/* Two digests under one seq, the second wanted; then the first of them runs. */
static void two_under_one_seq(struct pool_rig *rig, struct sy_hash *ran, struct sy_hash *lost)
{
    struct sy_slice first = prig_batch(rig, 1, 1, 1);
    struct sy_slice second = prig_batch(rig, 1, 1, 1);
    *ran = prig_digest(rig, first);
    *lost = prig_digest(rig, second);
    prig_receive(rig, 1, first);
    sy_pool_want(rig->pool, lost);
    prig_receive(rig, 1, second);
    prig_ran(rig, 1, 1, ran);
}

CASE(pool_drops_what_lost_its_seq_once_no_slot_can_need_it)
{
    struct pool_rig rig;
    struct sy_hash ran, lost;
    prig_open(&rig);
    two_under_one_seq(&rig, &ran, &lost);
    for (uint64_t height = 5; height < 5 + SY_PBFT_WINDOW; height++) {
        prig_certified(&rig, height);
        assert_int_equal(prig_count(&rig, SY_POOL_DROP), 0);
    }
    prig_certified(&rig, 5 + SY_PBFT_WINDOW);
    assert_int_equal(prig_count(&rig, SY_POOL_DROP), 1);
    assert_non_null(prig_about(&rig, SY_POOL_DROP, &lost)); /* what ran is history and stays */
    assert_false(prig_offer(&rig, &lost));
    prig_close(&rig);
}

CASE(pool_keeps_what_is_asked_for_again)
{
    struct pool_rig rig;
    struct sy_hash ran, lost;
    prig_open(&rig);
    two_under_one_seq(&rig, &ran, &lost);
    prig_certified(&rig, 5);
    prig_certified(&rig, 5 + SY_PBFT_WINDOW - 1);
    assert_true(prig_offer(&rig, &lost)); /* some slot up to a window higher names it */
    prig_certified(&rig, 5 + SY_PBFT_WINDOW);
    prig_certified(&rig, 5 + 2 * SY_PBFT_WINDOW - 2);
    assert_int_equal(prig_count(&rig, SY_POOL_DROP), 0);
    prig_certified(&rig, 5 + 2 * SY_PBFT_WINDOW - 1);
    assert_int_equal(prig_count(&rig, SY_POOL_DROP), 1);
    prig_close(&rig);
}

CASE(pool_drops_what_may_have_run_if_history_can_spare_it)
{
    struct pool_rig rig;
    prig_open(&rig);
    sy_pool_set_next(rig.pool, 1, 10);
    struct sy_slice over = prig_batch(&rig, 1, 9, 1);
    struct sy_hash digest = prig_digest(&rig, over);
    sy_pool_want(rig.pool, &digest);
    prig_receive(&rig, 3, over);
    assert_non_null(prig_about(&rig, SY_POOL_READY, &digest));
    for (uint64_t height = 1; height < 3 * SY_PBFT_WINDOW; height++) prig_certified(&rig, height);
    assert_int_equal(prig_count(&rig, SY_POOL_DROP), 1);
    assert_true(prig_about(&rig, SY_POOL_DROP, &digest)->old);
    assert_false(prig_offer(&rig, &digest)); /* forgotten here; the store knows if it is needed */
    prig_close(&rig);
}

/* Once its block is pruned, nobody would ever drop it. */
CASE(pool_does_not_store_again_what_was_wanted_on_its_way_and_ran)
{
    struct pool_rig rig;
    prig_open(&rig);
    rig.hold_stores = true;
    struct sy_slice batch = prig_batch(&rig, 1, 1, 1);
    struct sy_hash digest = prig_digest(&rig, batch);
    prig_receive(&rig, 1, batch);
    assert_true(sy_pool_coming(rig.pool, &digest));
    sy_pool_want(rig.pool, &digest);
    prig_store(&rig);
    prig_ran(&rig, 1, 1, &digest);
    assert_int_equal(stored(&rig), 1);
    prig_receive(&rig, 2, batch); /* a copy that was slow */
    prig_store(&rig);
    assert_int_equal(stored(&rig), 1);
    prig_close(&rig);
}

CASE(pool_announces_again_what_was_far_ahead)
{
    struct pool_rig rig;
    prig_open(&rig);
    struct sy_slice far = prig_batch(&rig, 1, SY_BATCH_WINDOW + 1, 1);
    struct sy_hash digest = prig_digest(&rig, far);
    sy_pool_want(rig.pool, &digest);
    prig_receive(&rig, 3, far);
    assert_int_equal(prig_count(&rig, SY_POOL_READY), 1);
    prig_certified(&rig, 1);
    assert_int_equal(prig_count(&rig, SY_POOL_READY), 1);
    struct sy_hash first = test_hash(1);
    prig_ran(&rig, 1, 1, &first); /* now the window reaches it */
    prig_certified(&rig, 2);
    assert_int_equal(prig_count(&rig, SY_POOL_READY), 2);
    prig_certified(&rig, 3);
    assert_int_equal(prig_count(&rig, SY_POOL_READY), 2);
    /* And it has its place there: another digest is refused. */
    prig_receive(&rig, 1, prig_batch(&rig, 1, SY_BATCH_WINDOW + 1, 1));
    assert_int_equal(stored(&rig), 1);
    prig_close(&rig);
}

CASE(pool_drops_what_stays_far_ahead)
{
    struct pool_rig rig;
    prig_open(&rig);
    struct sy_slice far = prig_batch(&rig, 1, 1000, 1);
    struct sy_hash digest = prig_digest(&rig, far);
    sy_pool_want(rig.pool, &digest);
    prig_receive(&rig, 3, far);
    prig_certified(&rig, 1);
    prig_certified(&rig, SY_PBFT_WINDOW);
    assert_int_equal(prig_count(&rig, SY_POOL_DROP), 0);
    prig_certified(&rig, SY_PBFT_WINDOW + 1);
    assert_non_null(prig_about(&rig, SY_POOL_DROP, &digest));
    prig_receive(&rig, 3, far); /* the want is spent, too */
    assert_int_equal(stored(&rig), 1);
    prig_close(&rig);
}

CASE(pool_restores_what_peers_made)
{
    struct pool_rig rig;
    prig_open(&rig);
    struct sy_slice open = prig_batch(&rig, 2, 7, 2);
    struct sy_slice over = prig_batch(&rig, 2, 6, 2);
    struct sy_hash open_digest = prig_digest(&rig, open);
    struct sy_hash over_digest = prig_digest(&rig, over);
    sy_pool_set_next(rig.pool, 2, 7);
    sy_pool_restore(rig.pool, rig.effects, &open_digest, sy_slice_of(open.data, 320));
    sy_pool_restore(rig.pool, rig.effects, &over_digest, sy_slice_of(over.data, 320));
    sy_pool_restore(rig.pool, rig.effects, &over_digest, sy_slice_of(over.data, 20));
    prig_tick(&rig, 0);
    assert_non_null(prig_about(&rig, SY_POOL_READY, &open_digest));
    assert_int_equal(prig_count(&rig, SY_POOL_READY), 1);
    assert_int_equal(prig_count(&rig, SY_POOL_SPREAD), 0);
    prig_receive(&rig, 2, open); /* known */
    prig_receive(&rig, 2, prig_batch(&rig, 2, 7, 1));
    assert_int_equal(stored(&rig), 0);
    prig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(pool_admits_stores_and_announces_a_good_batch),
        cmocka_unit_test(pool_drops_changed_bytes_without_blame),
        cmocka_unit_test(pool_condemns_what_a_maker_signed_and_that_is_bad),
        cmocka_unit_test(pool_drops_a_batch_of_another_network),
        cmocka_unit_test(pool_remembers_a_bounded_number_of_condemned_batches),
        cmocka_unit_test(pool_ignores_batches_of_strangers_and_its_own),
        cmocka_unit_test(pool_ignores_garbage),
        cmocka_unit_test(pool_keeps_a_window_of_seqs),
        cmocka_unit_test(pool_admits_what_is_wanted_wherever_it_stands),
        cmocka_unit_test(pool_admits_one_of_two_that_came_at_once),
        cmocka_unit_test(pool_forgets_old_wants),
        cmocka_unit_test(pool_gives_every_peer_its_own_room),
        cmocka_unit_test(pool_shares_checks_by_what_they_cost),
        cmocka_unit_test(pool_checks_what_is_wanted_beside_its_senders_others),
        cmocka_unit_test(pool_gives_what_is_wanted_no_more_than_a_part),
        cmocka_unit_test(pool_prefers_the_makers_own_copy),
        cmocka_unit_test(pool_leaves_a_lane_to_clients_and_one_to_peers),
        cmocka_unit_test(pool_bounds_what_one_maker_makes_it_keep),
        cmocka_unit_test(pool_stores_nothing_that_ran_meanwhile),
        cmocka_unit_test(pool_drops_what_lost_its_seq_once_no_slot_can_need_it),
        cmocka_unit_test(pool_keeps_what_is_asked_for_again),
        cmocka_unit_test(pool_drops_what_may_have_run_if_history_can_spare_it),
        cmocka_unit_test(pool_does_not_store_again_what_was_wanted_on_its_way_and_ran),
        cmocka_unit_test(pool_announces_again_what_was_far_ahead),
        cmocka_unit_test(pool_drops_what_stays_far_ahead),
        cmocka_unit_test(pool_restores_what_peers_made),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
