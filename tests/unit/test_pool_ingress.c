/* Clients' transactions, from SUBMIT to a sealed and spread batch. */
#include "consensus/pool/pace.h"
#include "core/base/telemetry.h"
#include "core/crypto/hash.h"
#include "tests/support/changes.h"
#include "tests/support/samples.h"
#include "tests/unit/pool_rig.h"

static void assert_outcome(const struct pool_rig *rig, uint64_t token, uint8_t state, uint16_t code)
{
    struct sy_submit_outcome outcome = prig_outcome(rig, token);
    assert_int_equal(outcome.state, state);
    assert_int_equal(outcome.code, code);
    assert_int_equal(outcome.retry_ms > 0, state == SY_TX_BUSY);
}

CASE(pool_holds_a_lonely_transaction_until_the_timeout)
{
    struct pool_rig rig;
    prig_open(&rig);
    assert_true(sy_pool_wake_ns(rig.pool) == UINT64_MAX);
    prig_submit_one(&rig, 1, prig_tx(&rig));
    assert_outcome(&rig, 1, SY_TX_RECEIVED, 0);
    assert_true(sy_pool_wake_ns(rig.pool) == rig.now_ns + 4 * PRIG_MS);
    prig_tick(&rig, 4 * PRIG_MS - 1);
    assert_int_equal(prig_count(&rig, SY_POOL_STORE), 0);
    prig_tick(&rig, 1);
    assert_int_equal(prig_count(&rig, SY_POOL_STORE), 1);
    const struct prig_effect *ready = prig_last(&rig, SY_POOL_READY);
    assert_int_equal(ready->maker, 0);
    assert_int_equal(ready->seq, 1);
    assert_int_equal(ready->txs, 1);
    prig_close(&rig);
}

CASE(pool_makes_batches_that_others_can_read)
{
    struct pool_rig rig;
    prig_open(&rig);
    struct sy_slice txs[3] = {prig_tx(&rig), prig_tx(&rig), prig_tx(&rig)};
    prig_submit(&rig, 1, txs, 3);
    prig_tick(&rig, 4 * PRIG_MS);
    const struct prig_effect *store = prig_last(&rig, SY_POOL_STORE);
    struct sy_batch batch;
    assert_true(sy_batch_decode(&batch, store->body));
    assert_true(sy_verify_one(&batch.header.maker, SY_SIG_BATCH, &store->digest, &batch.signature));
    size_t offset = 0;
    struct sy_slice tx;
    for (unsigned i = 0; i < 3; i++) {
        assert_true(sy_batch_next(&batch, &offset, &tx));
        assert_true(sy_slice_equal(tx, txs[i]));
    }
    assert_int_equal(prig_last(&rig, SY_POOL_READY)->bytes, store->body.size);

    struct pool_rig other;
    struct sy_pool_config config;
    memset(&other, 0, sizeof other);
    prig_config(&other, &config);
    config.self = 2;
    prig_open_with(&other, &config);
    prig_receive(&other, 0, store->body);
    assert_non_null(prig_about(&other, SY_POOL_READY, &store->digest));
    assert_int_equal(prig_last(&other, SY_POOL_READY)->bytes, store->body.size);
    prig_close(&other);
    prig_close(&rig);
}

CASE(pool_puts_off_what_its_caller_holds_back)
{
    struct pool_rig rig;
    const uint16_t held[3] = {SY_E_KEY_UNKNOWN, SY_APPLIED, SY_E_BUSY};
    prig_open(&rig);
    struct sy_slice txs[3] = {prig_tx(&rig), prig_tx(&rig), prig_tx(&rig)};
    rig.held = held;
    prig_submit(&rig, 1, txs, 3);
    assert_outcome(&rig, 1, SY_TX_BUSY, SY_E_KEY_UNKNOWN);
    struct sy_pool_info info;
    sy_pool_get_info(rig.pool, &info);
    assert_int_equal(info.signatures, 1); /* what is held back costs no check */
    assert_int_equal(info.pending_txs, 1);
    prig_tick(&rig, 4 * PRIG_MS);
    struct sy_batch batch;
    struct sy_slice tx;
    size_t offset = 0;
    assert_true(sy_batch_decode(&batch, prig_last(&rig, SY_POOL_STORE)->body));
    assert_int_equal(batch.header.count, 1);
    assert_true(sy_batch_next(&batch, &offset, &tx));
    assert_true(sy_slice_equal(tx, txs[1]));
    /* The same bytes are taken when nobody holds them back. */
    rig.held = NULL;
    prig_submit_one(&rig, 2, txs[0]);
    assert_outcome(&rig, 2, SY_TX_RECEIVED, 0);
    prig_close(&rig);
}

CASE(pool_seals_a_full_batch_at_once)
{
    struct pool_rig rig;
    struct sy_pool_config config;
    memset(&rig, 0, sizeof rig);
    prig_config(&rig, &config);
    config.batch_txs_max = 3;
    prig_open_with(&rig, &config);
    struct sy_slice txs[7];
    for (unsigned i = 0; i < 7; i++) txs[i] = prig_tx(&rig);
    prig_submit(&rig, 1, txs, 7);
    assert_int_equal(prig_count(&rig, SY_POOL_STORE), 2);
    assert_int_equal(prig_last(&rig, SY_POOL_READY)->txs, 3);
    prig_tick(&rig, PRIG_SECOND);
    assert_int_equal(prig_count(&rig, SY_POOL_STORE), 3);
    assert_int_equal(prig_last(&rig, SY_POOL_READY)->txs, 1);
    prig_close(&rig);
}

/* Two own batches wait to be executed: the third collects for longer, until one of them ran. */
CASE(pool_lets_a_batch_grow_while_earlier_ones_wait)
{
    struct pool_rig rig;
    prig_open(&rig);
    for (unsigned i = 0; i < 2; i++) {
        prig_submit_one(&rig, i, prig_tx(&rig));
        prig_tick(&rig, 4 * PRIG_MS);
    }
    struct sy_hash newest = prig_last(&rig, SY_POOL_READY)->digest;
    prig_submit_one(&rig, 3, prig_tx(&rig));
    prig_tick(&rig, 4 * PRIG_MS);
    assert_int_equal(prig_count(&rig, SY_POOL_STORE), 2);
    prig_submit_one(&rig, 4, prig_tx(&rig));
    struct sy_hash first = prig_last(&rig, SY_POOL_STORE)->digest;
    for (unsigned i = 0; i < rig.logged; i++) {
        if (rig.log[i].type == SY_POOL_READY && rig.log[i].seq == 1) first = rig.log[i].digest;
    }
    assert_false(sy_hash_equal(&first, &newest));
    prig_ran(&rig, 0, 1, &first);
    assert_true(sy_pool_wake_ns(rig.pool) <= rig.now_ns);
    prig_tick(&rig, 0);
    assert_int_equal(prig_last(&rig, SY_POOL_READY)->txs, 2);
    prig_close(&rig);
}

/* A transaction of nearly the largest size: two of them fill a batch by bytes. */
static struct sy_slice large_tx(struct pool_rig *rig)
{
    union sy_payload payload;
    static uint8_t parts[SY_TX_BYTES_MAX];
    struct sy_writer room = sy_writer_of(parts, SY_TX_BYTES_MAX - 1024);
    memset(&payload, 0, sizeof payload);
    const struct sy_kind *inner_kind = sy_kind_by_number(SY_KIND_record_create);
    for (;;) {
        uint8_t lists[4096];
        uint8_t bytes[4096];
        union sy_payload inner;
        struct sy_writer scratch = sy_writer_of(lists, sizeof lists);
        struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
        test_payload(&inner, inner_kind, &scratch, &rig->prng);
        sy_payload_encode(&w, inner_kind, &inner);
        if (room.used + w.used + 16 > room.size || payload.atomic.payloads.count == 2000) break;
        struct sy_part part = {inner_kind->number, 0, sy_writer_slice(&w)};
        sy_list_add_part(&payload.atomic.payloads, &room, &part);
    }
    return test_tx(&rig->writer, &rig->genesis, sy_kind_by_number(SY_KIND_atomic), &payload, 300);
}

CASE(pool_seals_when_the_next_transaction_does_not_fit)
{
    struct pool_rig rig;
    prig_open(&rig);
    for (unsigned i = 0; i < 3; i++) {
        struct sy_slice tx = large_tx(&rig);
        assert_true(tx.size > SY_TX_BYTES_MAX / 2 && tx.size <= SY_TX_BYTES_MAX);
        prig_submit_one(&rig, 1 + i, tx);
        assert_outcome(&rig, 1 + i, SY_TX_RECEIVED, 0);
    }
    assert_int_equal(prig_count(&rig, SY_POOL_STORE), 2);
    assert_true(prig_last(&rig, SY_POOL_STORE)->body.size > SY_TX_BYTES_MAX / 2);
    assert_true(prig_last(&rig, SY_POOL_STORE)->body.size <= SY_BATCH_BYTES_MAX);
    prig_tick(&rig, PRIG_SECOND);
    assert_int_equal(prig_count(&rig, SY_POOL_STORE), 3);
    prig_close(&rig);
}

CASE(pool_takes_a_request_as_large_as_a_frame)
{
    struct pool_rig rig;
    prig_open(&rig);
    struct sy_slice txs[SY_SUBMIT_TXS_MAX];
    size_t size = 0;
    unsigned count = 0;
    txs[count] = large_tx(&rig);
    size += txs[count++].size + 4;
    txs[count] = large_tx(&rig);
    size += txs[count++].size + 4;
    while (count < SY_SUBMIT_TXS_MAX && size + 1024 < SY_FRAME_BYTES_MAX - 64) {
        txs[count] = prig_tx(&rig);
        size += txs[count++].size + 4;
    }
    prig_submit(&rig, 1, txs, count);
    assert_int_equal(prig_last(&rig, SY_POOL_OUTCOMES)->count, count);
    assert_outcome(&rig, 1, SY_TX_RECEIVED, 0);
    prig_close(&rig);
}

CASE(pool_takes_a_transaction_once)
{
    struct pool_rig rig;
    prig_open(&rig);
    struct sy_slice tx = prig_tx(&rig);
    struct sy_slice twice[2] = {tx, tx};
    rig.hold_checks = true;
    prig_submit(&rig, 1, twice, 2);
    prig_submit_one(&rig, 2, tx);
    rig.hold_checks = false;
    prig_submit_one(&rig, 3, tx);
    for (uint64_t token = 1; token <= 3; token++) assert_outcome(&rig, token, SY_TX_RECEIVED, 0);
    prig_tick(&rig, 4 * PRIG_MS);
    assert_int_equal(prig_last(&rig, SY_POOL_READY)->txs, 1);
    struct sy_pool_info info;
    sy_pool_get_info(rig.pool, &info);
    assert_int_equal(info.pending_txs, 1);

    /* Once it ran it is nobody's business here whether it comes again: its nonce is spent. */
    struct sy_hash id;
    struct sy_tx decoded;
    assert_int_equal(sy_tx_decode(&decoded, NULL, tx, NULL), SY_APPLIED);
    sy_tx_id(&id, &decoded);
    struct sy_hash digest = prig_last(&rig, SY_POOL_READY)->digest;
    sy_pool_on_ran(rig.pool, 0, 1, &digest, &id, 1, rig.now_ns);
    sy_pool_get_info(rig.pool, &info);
    assert_int_equal(info.pending_txs, 0);
    assert_int_equal(info.own_batches, 0);
    prig_submit_one(&rig, 4, tx);
    prig_tick(&rig, 4 * PRIG_MS);
    assert_int_equal(prig_last(&rig, SY_POOL_READY)->seq, 2);
    prig_close(&rig);
}

CASE(pool_refuses_what_is_wrong_and_takes_the_rest)
{
    struct pool_rig rig;
    prig_open(&rig);
    uint64_t refused = sy_metric_get(SY_M_pool_txs_refused_total);
    struct sy_slice good = prig_tx(&rig);
    uint8_t *forged = prig_copy(&rig, good);
    forged[good.size - 1] ^= 1;
    uint8_t *elsewhere = prig_copy(&rig, good);
    elsewhere[3] ^= 1;
    uint8_t *later = prig_copy(&rig, good);
    later[0] = SY_TX_VERSION + 1;
    struct sy_slice txs[] = {sy_slice_of(forged, good.size), sy_slice_of(elsewhere, good.size),
                             sy_slice_of(later, good.size), sy_slice_of(good.data, good.size - 1),
                             good};
    static const uint16_t codes[] = {SY_E_SIG, SY_E_NETWORK, SY_E_VERSION, SY_E_DECODE};
    for (unsigned i = 0; i < 4; i++) {
        prig_submit_one(&rig, 10 + i, txs[i]);
        assert_outcome(&rig, 10 + i, SY_TX_REFUSED, codes[i]);
    }
    prig_submit(&rig, 20, txs, 5);
    assert_outcome(&rig, 20, SY_TX_REFUSED, SY_E_SIG);
    assert_int_equal(prig_last(&rig, SY_POOL_OUTCOMES)->count, 5);
    assert_int_equal(prig_last(&rig, SY_POOL_OUTCOMES)->last.state, SY_TX_RECEIVED);
    assert_int_equal(sy_metric_get(SY_M_pool_txs_refused_total) - refused, 8);
    prig_tick(&rig, 4 * PRIG_MS);
    assert_int_equal(prig_last(&rig, SY_POOL_READY)->txs, 1);
    prig_close(&rig);
}

/* An org.register whose admin key proves possession for another nonce than the transaction's. */
CASE(pool_checks_the_signatures_inside_payloads)
{
    struct pool_rig rig;
    prig_open(&rig);
    struct sy_hash org = test_hash(77);
    unsigned keys[2] = {TEST_REGULATOR, 310};
    for (uint64_t nonce = 1; nonce <= 2; nonce++) {
        union sy_payload payload;
        struct sy_tx tx;
        uint8_t bytes[1024];
        struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
        test_register(&payload, &rig.genesis, &org, 310, TEST_REGULATOR, 1);
        const struct sy_kind *kind = sy_kind_by_number(SY_KIND_org_register);
        sy_payload_encode(&w, kind, &payload);
        test_tx_begin(&tx, &rig.genesis, kind->number, keys, 2);
        tx.nonce = nonce;
        tx.payload = sy_writer_slice(&w);
        prig_submit_one(&rig, nonce, test_tx_sign(&rig.writer, &tx, keys, 2));
    }
    assert_outcome(&rig, 1, SY_TX_RECEIVED, 0);
    assert_outcome(&rig, 2, SY_TX_REFUSED, SY_E_SIG);
    prig_close(&rig);
}

/* Three validators approve one removal; what is sent is that one, then another. */
CASE(pool_checks_the_approvals_inside_payloads)
{
    static struct test_change change;
    struct pool_rig rig;
    prig_open(&rig);
    const struct sy_roster *now = &rig.genesis.roster;
    const struct sy_kind *kind = sy_kind_by_number(SY_KIND_validator_remove);
    test_change_remove(&change, &rig.genesis.hash, now, 1);
    test_change_approve_by(&change, &rig.genesis.hash, now, 3);
    prig_submit_one(&rig, 1,
                    test_tx(&rig.writer, &rig.genesis, kind, &change.payload, TEST_REGULATOR));
    change.payload.validator_remove.validator = now->validators[2].consensus_key;
    prig_submit_one(&rig, 2,
                    test_tx(&rig.writer, &rig.genesis, kind, &change.payload, TEST_REGULATOR));
    assert_outcome(&rig, 1, SY_TX_RECEIVED, 0);
    assert_outcome(&rig, 2, SY_TX_REFUSED, SY_E_SIG);
    prig_close(&rig);
}

CASE(pool_is_busy_beyond_what_may_be_pending)
{
    struct pool_rig rig;
    struct sy_pool_config config;
    memset(&rig, 0, sizeof rig);
    prig_config(&rig, &config);
    config.pending_txs_max = 2;
    prig_open_with(&rig, &config);
    struct sy_slice txs[3] = {prig_tx(&rig), prig_tx(&rig), prig_tx(&rig)};
    prig_submit(&rig, 1, txs, 3);
    assert_outcome(&rig, 1, SY_TX_BUSY, 0);
    prig_submit(&rig, 2, txs, 2);
    assert_outcome(&rig, 2, SY_TX_RECEIVED, 0);
    prig_submit_one(&rig, 3, txs[2]);
    assert_outcome(&rig, 3, SY_TX_BUSY, 0);
    prig_close(&rig);
}

/* Batches that take long make the pool take less, what waits for a check included, and tell clients
 * to stay away for as long. */
CASE(pool_is_busy_before_its_batches_take_too_long)
{
    struct pool_rig rig;
    struct sy_pool_config config;
    memset(&rig, 0, sizeof rig);
    prig_config(&rig, &config);
    config.pace_ns = 600 * PRIG_MS;
    prig_open_with(&rig, &config);
    struct sy_slice txs[SY_PACE_FIRST];
    for (unsigned i = 0; i < SY_PACE_FIRST; i++) txs[i] = prig_tx(&rig);
    rig.hold_checks = true;
    prig_submit(&rig, 1, txs, SY_PACE_FIRST); /* at the engine, and counts */
    prig_submit_one(&rig, 2, prig_tx(&rig));
    assert_outcome(&rig, 2, SY_TX_BUSY, 0);
    rig.hold_checks = false;
    prig_check(&rig);
    prig_tick(&rig, 4 * PRIG_MS);
    const struct prig_effect *made = prig_last(&rig, SY_POOL_READY);
    prig_tick(&rig, 896 * PRIG_MS);
    prig_ran(&rig, 0, made->seq, &made->digest);
    struct sy_pool_info info;
    sy_pool_get_info(rig.pool, &info);
    assert_int_equal(info.pace_txs, SY_PACE_FIRST * 2 / 3); /* 600 ms of 900 */
    for (unsigned i = 0; i < info.pace_txs; i++) txs[i] = prig_tx(&rig);
    prig_submit(&rig, 3, txs, info.pace_txs);
    assert_outcome(&rig, 3, SY_TX_RECEIVED, 0);
    prig_submit_one(&rig, 4, prig_tx(&rig));
    assert_outcome(&rig, 4, SY_TX_BUSY, 0);
    assert_int_equal(prig_outcome(&rig, 4).retry_ms, 900);
    prig_close(&rig);
}

CASE(pool_makes_no_batch_beyond_its_window)
{
    struct pool_rig rig;
    struct sy_pool_config config;
    memset(&rig, 0, sizeof rig);
    prig_config(&rig, &config);
    config.batch_txs_max = 1;
    prig_open_with(&rig, &config);
    for (unsigned i = 0; i < SY_BATCH_WINDOW; i++) {
        prig_submit_one(&rig, i, prig_tx(&rig));
        assert_outcome(&rig, i, SY_TX_RECEIVED, 0);
    }
    prig_submit_one(&rig, 100, prig_tx(&rig));
    assert_outcome(&rig, 100, SY_TX_BUSY, 0);
    assert_int_equal(prig_last(&rig, SY_POOL_READY)->seq, SY_BATCH_WINDOW);
    struct sy_hash first = {{0}};
    for (unsigned i = 0; i < rig.logged; i++) {
        if (rig.log[i].type == SY_POOL_READY && rig.log[i].seq == 1) first = rig.log[i].digest;
    }
    prig_ran(&rig, 0, 1, &first);
    prig_submit_one(&rig, 101, prig_tx(&rig));
    assert_outcome(&rig, 101, SY_TX_RECEIVED, 0);
    assert_int_equal(prig_last(&rig, SY_POOL_READY)->seq, SY_BATCH_WINDOW + 1);
    prig_close(&rig);
}

CASE(pool_is_busy_while_its_disk_holds_all_builders)
{
    struct pool_rig rig;
    struct sy_pool_config config;
    memset(&rig, 0, sizeof rig);
    prig_config(&rig, &config);
    config.batch_txs_max = 1;
    prig_open_with(&rig, &config);
    rig.hold_stores = true;
    unsigned taken = 0;
    for (unsigned i = 0; i < 10; i++) {
        prig_submit_one(&rig, i, prig_tx(&rig));
        taken += prig_outcome(&rig, i).state == SY_TX_RECEIVED;
    }
    assert_int_equal(taken, 4);
    assert_int_equal(prig_count(&rig, SY_POOL_READY), 0);
    prig_store(&rig);
    assert_int_equal(prig_count(&rig, SY_POOL_READY), 4);
    prig_submit_one(&rig, 20, prig_tx(&rig));
    assert_outcome(&rig, 20, SY_TX_RECEIVED, 0);
    prig_close(&rig);
}

CASE(pool_takes_nothing_while_it_drains)
{
    struct pool_rig rig;
    prig_open(&rig);
    prig_submit_one(&rig, 1, prig_tx(&rig));
    rig.hold_checks = true;
    prig_submit_one(&rig, 2, prig_tx(&rig));
    sy_pool_drain(rig.pool, rig.effects, rig.now_ns);
    rig.hold_checks = false;
    prig_tick(&rig, 0);
    assert_outcome(&rig, 1, SY_TX_RECEIVED, 0);
    assert_outcome(&rig, 2, SY_TX_BUSY, 0);
    assert_int_equal(prig_last(&rig, SY_POOL_READY)->txs, 1); /* what was open is sealed */
    prig_submit_one(&rig, 3, prig_tx(&rig));
    assert_outcome(&rig, 3, SY_TX_BUSY, 0);
    prig_close(&rig);
}

CASE(pool_of_an_observer_takes_nothing)
{
    struct pool_rig rig;
    struct sy_pool_config config;
    memset(&rig, 0, sizeof rig);
    prig_config(&rig, &config);
    config.self = SY_POOL_OBSERVER;
    prig_open_with(&rig, &config);
    prig_submit_one(&rig, 1, prig_tx(&rig));
    assert_outcome(&rig, 1, SY_TX_BUSY, 0);
    struct sy_slice batch = prig_batch(&rig, 0, 1, 1); /* but it admits, from everybody */
    prig_receive(&rig, 0, batch);
    assert_int_equal(prig_count(&rig, SY_POOL_READY), 1);
    prig_close(&rig);
}

CASE(pool_checks_what_comes_meanwhile_together)
{
    struct pool_rig rig;
    prig_open(&rig);
    rig.hold_checks = true;
    for (unsigned i = 0; i < 6; i++) prig_submit_one(&rig, i, prig_tx(&rig));
    assert_int_equal(prig_count(&rig, SY_POOL_CHECK), 2); /* two fly, the others wait together */
    prig_check(&rig);
    assert_int_equal(prig_count(&rig, SY_POOL_CHECK), 3);
    assert_int_equal(rig.flying[1]->job_count, 4);
    prig_check(&rig);
    prig_check(&rig);
    for (uint64_t token = 0; token < 6; token++) assert_outcome(&rig, token, SY_TX_RECEIVED, 0);
    prig_close(&rig);
}

CASE(pool_spreads_a_batch_only_when_it_is_durable)
{
    struct pool_rig rig;
    prig_open(&rig);
    rig.hold_stores = true;
    prig_submit_one(&rig, 1, prig_tx(&rig));
    prig_tick(&rig, 4 * PRIG_MS);
    assert_int_equal(prig_count(&rig, SY_POOL_STORE), 1);
    prig_tick(&rig, 10 * PRIG_SECOND);
    assert_int_equal(prig_count(&rig, SY_POOL_SPREAD) + prig_count(&rig, SY_POOL_READY), 0);
    struct sy_hash digest = prig_last(&rig, SY_POOL_STORE)->digest;
    assert_true(sy_pool_coming(rig.pool, &digest));
    assert_false(prig_offer(&rig, &digest));
    prig_store(&rig);
    assert_non_null(prig_about(&rig, SY_POOL_SPREAD, &digest));
    assert_non_null(prig_about(&rig, SY_POOL_READY, &digest));
    assert_false(sy_pool_coming(rig.pool, &digest));
    prig_close(&rig);
}

/* When the next spreading is, from one tick to the next. */
static uint64_t until_spread(struct pool_rig *rig)
{
    unsigned before = prig_count(rig, SY_POOL_SPREAD);
    uint64_t start_ns = rig->now_ns;
    while (prig_count(rig, SY_POOL_SPREAD) == before) {
        uint64_t wake_ns = sy_pool_wake_ns(rig->pool);
        assert_true(wake_ns != UINT64_MAX && wake_ns >= rig->now_ns);
        prig_tick(rig, wake_ns - rig->now_ns);
        assert_true(rig->now_ns - start_ns < 60 * PRIG_SECOND);
    }
    return rig->now_ns - start_ns;
}

CASE(pool_spreads_again_with_growing_pauses_until_the_batch_ran)
{
    struct pool_rig rig;
    prig_open(&rig);
    prig_submit_one(&rig, 1, prig_tx(&rig));
    prig_tick(&rig, 4 * PRIG_MS);
    struct sy_hash digest = prig_last(&rig, SY_POOL_READY)->digest;
    uint64_t first = until_spread(&rig);
    assert_true(first == 250 * PRIG_MS);
    uint64_t before = first;
    uint64_t pause = 0;
    for (unsigned i = 0; i < 10; i++, before = pause) {
        pause = until_spread(&rig);
        assert_true(pause == before || pause == 2 * before);
    }
    assert_true(pause >= 4 * first && pause <= 16 * first);
    prig_ran(&rig, 0, 1, &digest);
    assert_true(sy_pool_wake_ns(rig.pool) == UINT64_MAX);
    prig_close(&rig);
}

CASE(pool_goes_on_counting_after_a_restart)
{
    struct pool_rig rig;
    prig_open(&rig);
    struct sy_slice old = prig_batch(&rig, 0, 4, 2); /* ran before the restart */
    struct sy_slice open = prig_batch(&rig, 0, 5, 3);
    struct sy_hash old_digest = prig_digest(&rig, old);
    struct sy_hash open_digest = prig_digest(&rig, open);
    sy_pool_set_next(rig.pool, 0, 5);
    sy_pool_restore(rig.pool, rig.effects, &old_digest, sy_slice_of(old.data, 320));
    sy_pool_restore(rig.pool, rig.effects, &open_digest, sy_slice_of(open.data, 320));
    sy_pool_restore(rig.pool, rig.effects, &open_digest, sy_slice_of(open.data, 320));
    prig_tick(&rig, 0);
    assert_null(prig_about(&rig, SY_POOL_READY, &old_digest));
    const struct prig_effect *ready = prig_about(&rig, SY_POOL_READY, &open_digest);
    assert_non_null(ready);
    assert_int_equal(ready->seq, 5);
    assert_int_equal(ready->txs, 3);
    assert_int_equal(ready->bytes, open.size);
    assert_non_null(prig_about(&rig, SY_POOL_SPREAD, &open_digest)); /* peers may lack it */
    struct sy_pool_info info;
    sy_pool_get_info(rig.pool, &info);
    assert_int_equal(info.pending_txs, 3);
    assert_int_equal(info.next_seq, 6);
    prig_submit_one(&rig, 1, prig_tx(&rig));
    prig_tick(&rig, 100 * PRIG_MS);
    assert_int_equal(prig_last(&rig, SY_POOL_READY)->seq, 6);
    prig_ran(&rig, 0, 5, &open_digest);
    sy_pool_get_info(rig.pool, &info);
    assert_int_equal(info.pending_txs, 1);
    prig_close(&rig);
}

CASE(pool_never_uses_a_seq_that_ran_elsewhere)
{
    struct pool_rig rig;
    prig_open(&rig);
    struct sy_hash strange = test_hash(5);
    prig_ran(&rig, 0, 1, &strange); /* by catch-up: this store had lost it */
    prig_submit_one(&rig, 1, prig_tx(&rig));
    prig_tick(&rig, 4 * PRIG_MS);
    assert_int_equal(prig_last(&rig, SY_POOL_READY)->seq, 2);
    prig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(pool_holds_a_lonely_transaction_until_the_timeout),
        cmocka_unit_test(pool_makes_batches_that_others_can_read),
        cmocka_unit_test(pool_puts_off_what_its_caller_holds_back),
        cmocka_unit_test(pool_seals_a_full_batch_at_once),
        cmocka_unit_test(pool_lets_a_batch_grow_while_earlier_ones_wait),
        cmocka_unit_test(pool_seals_when_the_next_transaction_does_not_fit),
        cmocka_unit_test(pool_takes_a_request_as_large_as_a_frame),
        cmocka_unit_test(pool_takes_a_transaction_once),
        cmocka_unit_test(pool_refuses_what_is_wrong_and_takes_the_rest),
        cmocka_unit_test(pool_checks_the_signatures_inside_payloads),
        cmocka_unit_test(pool_checks_the_approvals_inside_payloads),
        cmocka_unit_test(pool_is_busy_beyond_what_may_be_pending),
        cmocka_unit_test(pool_makes_no_batch_beyond_its_window),
        cmocka_unit_test(pool_is_busy_before_its_batches_take_too_long),
        cmocka_unit_test(pool_is_busy_while_its_disk_holds_all_builders),
        cmocka_unit_test(pool_takes_nothing_while_it_drains),
        cmocka_unit_test(pool_of_an_observer_takes_nothing),
        cmocka_unit_test(pool_checks_what_comes_meanwhile_together),
        cmocka_unit_test(pool_spreads_a_batch_only_when_it_is_durable),
        cmocka_unit_test(pool_spreads_again_with_growing_pauses_until_the_batch_ran),
        cmocka_unit_test(pool_goes_on_counting_after_a_restart),
        cmocka_unit_test(pool_never_uses_a_seq_that_ran_elsewhere),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
