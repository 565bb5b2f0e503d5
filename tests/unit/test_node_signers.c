/* Who signed what was applied, and what of it the engine is told (consensus/node/signers.h). */
#include "consensus/node/signers.h"

#include <stdlib.h>

#include "core/wire/tx.h"
#include "tests/unit/chain_rig.h"

#define HINTS_MAX 200000u

/* An engine in front of OpenSSL's that writes down what it is told. */
static struct {
    struct sy_public_key keys[HINTS_MAX];
    struct sy_hash organisations[HINTS_MAX];
    unsigned count;
} told;

static sy_status open_scribe(void **state, const struct sy_engine_config *config,
                             struct sy_error *err)
{
    (void)config;
    (void)err;
    told.count = 0;
    *state = &told;
    return SY_OK;
}

static sy_status run_scribe(void *state, struct sy_submission *submission, struct sy_hash *scratch)
{
    (void)state;
    return sy_engine_openssl.run(NULL, submission, scratch);
}

static uint32_t hint_scribe(void *state, const struct sy_public_key *key,
                            const struct sy_hash *organisation)
{
    assert_ptr_equal(state, &told);
    assert_true(told.count < HINTS_MAX);
    told.keys[told.count] = *key;
    told.organisations[told.count++] = *organisation;
    return SY_KEY_HANDLE_NONE;
}

static const struct sy_engine_impl scribe = {
    .name = "scribe", .open = open_scribe, .run = run_scribe, .hint = hint_scribe};

struct fixture {
    struct chain_rig rig;
    struct sy_signers signers;
    sy_engine *engine;
};

static struct fixture *open_fixture(void)
{
    static const struct sy_engine_impl *const impls[] = {&scribe, &sy_engine_openssl, NULL};
    struct fixture *f = (struct fixture *)calloc(1, sizeof *f);
    struct sy_engine_config config = {.queue = 1, .impls = impls};
    assert_non_null(f);
    assert_int_equal(sy_engine_open(&f->engine, &config, NULL), SY_OK);
    sy_signers_start(&f->signers, f->engine);
    chain_open(&f->rig);
    return f;
}

static void close_fixture(struct fixture *f)
{
    chain_close(&f->rig);
    sy_engine_close(f->engine);
    free(f);
}

// How often the engine was told of the pair.
static unsigned count_told(const struct sy_public_key *key, const struct sy_hash *organisation)
{
    unsigned count = 0;
    for (unsigned i = 0; i < told.count; i++) {
        count += sy_public_key_equal(&told.keys[i], key) &&
                 sy_hash_equal(&told.organisations[i], organisation);
    }
    return count;
}

// Each of the batch that is being made once and no more; as many different ones as are returned.
static unsigned run_batch(struct fixture *f)
{
    struct sy_tx txs[CHAIN_TXS_MAX];
    unsigned count = f->rig.tx_count, different = 0;
    for (unsigned i = 0; i < count; i++) {
        const uint8_t *network = sy_network_tag(&f->rig.genesis);
        assert_int_equal(sy_tx_decode(&txs[i], NULL, f->rig.txs[i], network), SY_APPLIED);
    }
    (void)chain_batch(&f->rig, 0);
    chain_run(&f->rig);
    assert_int_equal(f->rig.done->applied_count, count);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(count_told(&txs[i].signer, &txs[i].organisation), 1);
        bool first = true;
        for (unsigned j = 0; j < i; j++) {
            first &= !sy_public_key_equal(&txs[i].signer, &txs[j].signer);
        }
        different += first ? 1 : 0;
    }
    return different;
}

CASE(signers_of_what_is_applied_are_told_once_with_their_organisation)
{
    struct fixture *f = open_fixture();
    static const struct sy_hash none;
    sy_executor_give_signers(f->rig.executor, sy_signers_note, &f->signers);
    unsigned before = told.count;
    for (unsigned stage = 0; stage < 3; stage++) {
        chain_add_stage(&f->rig, stage);
        (void)run_batch(f);
    }
    chain_add_records(&f->rig, 40);
    assert_true(run_batch(f) > 1);
    unsigned after = told.count, acting = 0;
    for (unsigned i = before; i < after; i++) {
        assert_int_equal(count_told(&told.keys[i], &told.organisations[i]), 1);
        acting += sy_hash_equal(&told.organisations[i], &none) ? 0 : 1;
    }
    assert_true(acting > 2); // the regulator acts for none
    chain_add_records(&f->rig, 40);
    (void)run_batch(f);
    assert_int_equal(told.count, after);
    sy_executor_give_signers(f->rig.executor, NULL, NULL);
    close_fixture(f);
}

static void count_calls(void *self, const struct sy_public_key *key,
                        const struct sy_hash *organisation)
{
    (void)key;
    (void)organisation;
    ++*(unsigned *)self;
}

CASE(signers_of_what_is_refused_are_not_told)
{
    struct fixture *f = open_fixture();
    unsigned calls = 0;
    chain_populate(&f->rig);
    sy_executor_give_signers(f->rig.executor, count_calls, &calls);
    chain_add_records(&f->rig, 8);
    struct sy_slice again = f->rig.txs[3];
    f->rig.txs[f->rig.tx_count++] = again; // the same bytes: a nonce that was used
    (void)chain_batch(&f->rig, 0);
    chain_run(&f->rig);
    assert_int_equal(f->rig.done->applied_count, 8);
    assert_int_equal(f->rig.done->refused_count, 1);
    assert_int_equal(calls, 8);
    close_fixture(f);
}

CASE(signers_of_the_roster_count_as_one_organisation)
{
    struct fixture *f = open_fixture();
    const struct sy_genesis *genesis = &f->rig.genesis;
    unsigned before = told.count;
    sy_signers_roster(&f->signers, &genesis->roster, &genesis->hash);
    assert_int_equal(told.count - before, CHAIN_VALIDATORS);
    for (unsigned i = 0; i < CHAIN_VALIDATORS; i++) {
        const struct sy_public_key *key = &genesis->roster.validators[i].consensus_key;
        assert_int_equal(count_told(key, &genesis->hash), 1);
    }
    close_fixture(f);
}

// An engine forgets whom it was told of when many others come by, so each is told again some day.
CASE(signers_seen_are_forgotten_after_many_others)
{
    struct fixture *f = open_fixture();
    struct sy_hash organisation = {{7}};
    struct sy_public_key key = {{1}}, other = {{2}};
    sy_signers_note(&f->signers, &key, &organisation);
    sy_signers_note(&f->signers, &key, &organisation);
    assert_int_equal(count_told(&key, &organisation), 1);
    unsigned again = 0;
    for (uint32_t i = 0; i < 5 * SY_SIGNERS_SEEN; i++) {
        sy_store_u32(other.bytes + 4, i);
        sy_signers_note(&f->signers, &other, &organisation);
        if (i % 64 != 0) continue;
        unsigned before = told.count;
        sy_signers_note(&f->signers, &key, &organisation);
        again += told.count - before;
    }
    assert_true(again >= 1);
    close_fixture(f);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(signers_of_what_is_applied_are_told_once_with_their_organisation),
        cmocka_unit_test(signers_of_what_is_refused_are_not_told),
        cmocka_unit_test(signers_of_the_roster_count_as_one_organisation),
        cmocka_unit_test(signers_seen_are_forgotten_after_many_others),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
