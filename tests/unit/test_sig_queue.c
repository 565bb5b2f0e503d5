/* What a queue of signatures says of each thing is what OpenSSL says of it alone, wherever the bad
 * signature stands, and whatever is full in between. */
#include "core/crypto/sig_queue.h"

#include <stdlib.h>

#include "core/base/prng.h"
#include "core/crypto/engine_choice.h"
#include "tests/support/test.h"

#define KEYS 6u
#define SIGS_MAX 2500u

static struct sy_public_key keys[KEYS];
static struct sy_sig_job sigs[SIGS_MAX];
static bool holds[SIGS_MAX];

static void make_signatures(sy_prng *prng)
{
    sy_secret_key *secrets[KEYS];
    for (unsigned i = 0; i < KEYS; i++) {
        uint8_t seed[32];
        sy_prng_fill(prng, seed, sizeof seed);
        assert_int_equal(sy_secret_key_from_seed(&secrets[i], seed), SY_OK);
        sy_secret_key_public(secrets[i], &keys[i]);
    }
    for (unsigned i = 0; i < SIGS_MAX; i++) {
        sigs[i].key = keys[i % KEYS];
        sigs[i].kind = (uint8_t)(i % 2 == 0 ? SY_SIG_SEAL : SY_SIG_TX);
        sy_prng_fill(prng, sigs[i].digest.bytes, sizeof sigs[i].digest.bytes);
        sy_sign(secrets[i % KEYS], &sigs[i].signature, (enum sy_sig_kind)sigs[i].kind,
                &sigs[i].digest);
    }
    for (unsigned i = 0; i < KEYS; i++) sy_secret_key_close(secrets[i]);
}

/* A thing of `count` signatures from `first` on holds if each does. */
static bool check(const struct sy_verifier *verifier, unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++) {
        const struct sy_sig_job *sig = &sigs[i];
        if (!verifier->verify(verifier->self, &sig->key, (enum sy_sig_kind)sig->kind, &sig->digest,
                              &sig->signature)) {
            return false;
        }
    }
    return true;
}

static sy_engine *open_engine(const struct sy_engine_impl *impl)
{
    const struct sy_engine_impl *impls[] = {impl, &sy_engine_openssl, NULL};
    struct sy_engine_config config = {
        .queue = 4, .leaves_max = 1, .impls = impl == &sy_engine_openssl ? impls + 1 : impls};
    sy_engine *engine = NULL;
    assert_int_equal(sy_engine_open(&engine, &config, NULL), SY_OK);
    return engine;
}

/* Things of 0 to 7 signatures, some longer than a queue; each one's verdict is compared. */
static void compare_all(sy_sig_queue *queue, sy_prng *prng)
{
    struct sy_verifier verifier = sy_sig_queue_verifier(queue);
    unsigned firsts[SIGS_MAX], counts[SIGS_MAX], things = 0;
    for (unsigned at = 0; at < SIGS_MAX && things < SIGS_MAX; things++) {
        unsigned count = (unsigned)sy_prng_below(prng, 8);
        if (things == 40) count = SY_SIG_QUEUE_MAX + 5;
        if (count > SIGS_MAX - at) count = SIGS_MAX - at;
        firsts[things] = at;
        counts[things] = count;
        at += count;
        holds[things] = false;
        sy_sig_queue_item(queue, &holds[things]);
        // One in whose midst the queue was full may be known to be bad before its end.
        assert_true(check(&verifier, firsts[things], count) ||
                    !check(&sy_verifier_openssl, firsts[things], count));
    }
    assert_true(sy_sig_queue_count(queue) > 0);
    sy_sig_queue_decide(queue);
    assert_int_equal(sy_sig_queue_count(queue), 0);
    for (unsigned i = 0; i < things; i++) {
        bool expected = check(&sy_verifier_openssl, firsts[i], counts[i]);
        if (holds[i] != expected) fail_msg("thing %u of %u signatures", i, counts[i]);
    }
}

CASE(queue_says_of_each_thing_what_openssl_says)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    for (size_t i = 0; sy_engine_cpu_impls[i]; i++) {
        make_signatures(&prng);
        sy_engine *engine = open_engine(sy_engine_cpu_impls[i]);
        sy_sig_queue *queue = NULL;
        assert_int_equal(sy_sig_queue_open(&queue, engine, NULL), SY_OK);
        compare_all(queue, &prng); // all hold
        for (unsigned bad = 0; bad < 30; bad++) {
            struct sy_sig_job *sig = &sigs[sy_prng_below(&prng, SIGS_MAX)];
            if (bad % 3 == 0) sig->signature.bytes[sy_prng_below(&prng, 64)] ^= 4;
            if (bad % 3 == 1) sig->digest.bytes[3] ^= 1;
            if (bad % 3 == 2) sig->kind = SY_SIG_BATCH;
        }
        compare_all(queue, &prng);
        sy_sig_queue_close(queue);
        struct sy_engine_info info;
        sy_engine_get_info(engine, &info);
        assert_int_equal(info.retired, 0);
        sy_engine_close(engine);
    }
}

CASE(one_bad_signature_is_found_at_every_place)
{
    enum { COUNT = 70 };
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    make_signatures(&prng);
    sy_engine *engine = open_engine(sy_engine_cpu_impls[0]);
    sy_sig_queue *queue = NULL;
    assert_int_equal(sy_sig_queue_open(&queue, engine, NULL), SY_OK);
    struct sy_verifier verifier = sy_sig_queue_verifier(queue);
    for (unsigned bad = 0; bad < COUNT; bad++) {
        sigs[bad].signature.bytes[40] ^= 1;
        for (unsigned i = 0; i < COUNT; i++) {
            sy_sig_queue_item(queue, &holds[i]);
            assert_true(check(&verifier, i, 1));
        }
        sy_sig_queue_decide(queue);
        for (unsigned i = 0; i < COUNT; i++) assert_int_equal(holds[i], i != bad);
        sigs[bad].signature.bytes[40] ^= 1;
    }
    sy_sig_queue_close(queue);
    sy_engine_close(engine);
}

CASE(nothing_asked_is_nothing_wrong)
{
    sy_engine *engine = open_engine(sy_engine_cpu_impls[0]);
    sy_sig_queue *queue = NULL;
    bool empty = false;
    assert_int_equal(sy_sig_queue_open(&queue, engine, NULL), SY_OK);
    sy_sig_queue_decide(queue);
    sy_sig_queue_item(queue, &empty);
    sy_sig_queue_decide(queue);
    assert_true(empty);
    sy_sig_queue_close(queue);
    sy_sig_queue_close(NULL);
    sy_engine_close(engine);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(queue_says_of_each_thing_what_openssl_says),
        cmocka_unit_test(one_bad_signature_is_found_at_every_place),
        cmocka_unit_test(nothing_asked_is_nothing_wrong),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
