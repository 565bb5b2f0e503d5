/* test_keys.c: signing, the verification predicate, and which keys may be enrolled. Key files are
 * in test_key_files.c. ctest: threaded */
#include "core/crypto/keys.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/prng.h"
#include "core/crypto/hash.h"
#include "core/crypto/openssl_ed25519.h"
#include "tests/support/engines.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

static sy_secret_key *key_of_seed(const uint8_t seed[32])
{
    sy_secret_key *key = NULL;
    assert_int_equal(sy_secret_key_from_seed(&key, seed), SY_OK);
    return key;
}

static struct sy_hash hash_of(const char *text)
{
    struct sy_hash hash;
    sy_sha256(&hash, text, strlen(text));
    return hash;
}

CASE(message_is_tag_kind_and_digest)
{
    uint8_t message[SY_SIG_MESSAGE_BYTES];
    struct sy_hash digest = hash_of("x");
    sy_sig_message(message, SY_SIG_SEAL, &digest);
    assert_memory_equal(message, "systole-sig-v1\x09", 15);
    assert_memory_equal(message + 15, digest.bytes, 32);
}

static void write_message_of_no_kind(void *context)
{
    uint8_t message[SY_SIG_MESSAGE_BYTES];
    struct sy_hash digest = {{0}};
    sy_sig_message(message, *(enum sy_sig_kind *)context, &digest);
}

CASE(a_kind_out_of_range_is_our_bug)
{
    int kinds[] = {0, SY_SIG_KIND_COUNT, 255};
    for (size_t i = 0; i < 3; i++) assert_aborts(write_message_of_no_kind, &kinds[i]);
}

struct rfc_vector {
    const char *seed, *key, *message, *signature;
};

// RFC 8032 7.1, tests 1 to 3.
static const struct rfc_vector rfc_vectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
     "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
     "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
};

CASE(rfc_8032_seeds_give_their_public_keys_and_signatures_verify)
{
    for (size_t i = 0; i < 3; i++) {
        uint8_t seed[32], message[2];
        struct sy_public_key expected, got;
        struct sy_signature signature;
        size_t size = strlen(rfc_vectors[i].message) / 2;
        assert_true(sy_hex_decode(seed, 32, rfc_vectors[i].seed));
        assert_true(sy_hex_decode(expected.bytes, 32, rfc_vectors[i].key));
        assert_true(sy_hex_decode(message, size, rfc_vectors[i].message));
        assert_true(sy_hex_decode(signature.bytes, 64, rfc_vectors[i].signature));
        sy_secret_key *key = key_of_seed(seed);
        sy_secret_key_public(key, &got);
        sy_secret_key_close(key);
        assert_true(sy_public_key_equal(&got, &expected));
        assert_true(sy_openssl_ed25519_verify(&expected, message, size, &signature));
        assert_true(sy_key_enrollable(&expected));
    }
}

CASE(signing_is_deterministic_and_known)
{
    uint8_t seed[32];
    char text[129];
    struct sy_signature signature;
    struct sy_hash digest = hash_of("systole");
    assert_true(sy_hex_decode(seed, 32, rfc_vectors[1].seed));
    sy_secret_key *key = key_of_seed(seed);
    for (int i = 0; i < 3; i++) {
        sy_sign(key, &signature, SY_SIG_SEAL, &digest);
        sy_hex_encode(text, signature.bytes, 64);
        assert_string_equal(text,
                            "9933d5d334482b1cc3c3d211963924912ffa0d67b8e897f61485fc43f8f357fd"
                            "add5f747ededce8ebbd508903dde6f590dc1f0e70fa4afaccb1dbb5ac763a708");
    }
    sy_secret_key_close(key);
}

CASE(fresh_keys_differ_and_sign)
{
    sy_secret_key *a = NULL, *b = NULL;
    struct sy_public_key public_a, public_b;
    struct sy_signature signature;
    struct sy_hash digest = hash_of("systole");
    assert_int_equal(sy_secret_key_generate(&a, NULL), SY_OK);
    assert_int_equal(sy_secret_key_generate(&b, NULL), SY_OK);
    sy_secret_key_public(a, &public_a);
    sy_secret_key_public(b, &public_b);
    assert_false(sy_public_key_equal(&public_a, &public_b));
    sy_sign(a, &signature, SY_SIG_TX, &digest);
    assert_true(sy_verify_one(&public_a, SY_SIG_TX, &digest, &signature));
    assert_false(sy_verify_one(&public_b, SY_SIG_TX, &digest, &signature));
    assert_true(sy_key_enrollable(&public_a));
    sy_secret_key_close(a);
    sy_secret_key_close(b);
    sy_secret_key_close(NULL);
}

CASE(a_signature_of_one_kind_is_none_of_another)
{
    uint8_t seed[32] = {7};
    struct sy_public_key public_key;
    struct sy_signature signature;
    struct sy_hash digest = hash_of("systole");
    sy_secret_key *key = key_of_seed(seed);
    sy_secret_key_public(key, &public_key);
    for (int made = SY_SIG_TX; made < SY_SIG_KIND_COUNT; made++) {
        sy_sign(key, &signature, (enum sy_sig_kind)made, &digest);
        for (int asked = SY_SIG_TX; asked < SY_SIG_KIND_COUNT; asked++) {
            bool good = sy_verify_one(&public_key, (enum sy_sig_kind)asked, &digest, &signature);
            assert_int_equal(good, made == asked);
        }
    }
    sy_secret_key_close(key);
}

CASE(every_flipped_bit_of_key_digest_or_signature_is_refused)
{
    uint8_t seed[32] = {9};
    struct {
        struct sy_public_key key;
        struct sy_hash digest;
        struct sy_signature signature;
    } all;
    uint8_t *bytes = (uint8_t *)&all;
    sy_secret_key *key = key_of_seed(seed);
    sy_secret_key_public(key, &all.key);
    all.digest = hash_of("systole");
    sy_sign(key, &all.signature, SY_SIG_TX, &all.digest);
    sy_secret_key_close(key);
    assert_true(sy_verify_one(&all.key, SY_SIG_TX, &all.digest, &all.signature));
    for (size_t bit = 0; bit < 8 * sizeof all; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(sy_verify_one(&all.key, SY_SIG_TX, &all.digest, &all.signature));
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(sy_verify_one(&all.key, SY_SIG_TX, &all.digest, &all.signature));
}

// More keys than a thread keeps contexts for, coming back in another order, good and bad mixed:
// what is remembered of a key must never decide.
CASE(verdicts_do_not_depend_on_which_keys_came_before)
{
    enum { KEYS = 200 };
    static struct sy_public_key keys[KEYS];
    static struct sy_signature signatures[KEYS];
    struct sy_hash digest = hash_of("systole");
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    for (size_t i = 0; i < KEYS; i++) {
        uint8_t seed[32];
        sy_prng_fill(&prng, seed, sizeof seed);
        sy_secret_key *key = key_of_seed(seed);
        sy_secret_key_public(key, &keys[i]);
        sy_sign(key, &signatures[i], SY_SIG_TX, &digest);
        sy_secret_key_close(key);
        // Every third key is damaged, often into bytes that are no point at all.
        if (i % 3 == 0) keys[i].bytes[sy_prng_below(&prng, 32)] ^= 0x40;
    }
    for (int round = 0; round < 2000; round++) {
        size_t i = sy_prng_below(&prng, KEYS);
        size_t j = sy_prng_chance(&prng, 1, 4) ? sy_prng_below(&prng, KEYS) : i;
        bool good = sy_verify_one(&keys[i], SY_SIG_TX, &digest, &signatures[j]);
        assert_int_equal(good, i == j && i % 3 != 0);
    }
}

static void *verify_in_a_thread(void *context)
{
    const uint8_t seed[32] = {11};
    struct sy_hash digest = hash_of("systole");
    struct sy_public_key public_key;
    struct sy_signature signature;
    size_t *good = context;
    sy_secret_key *key = key_of_seed(seed);
    sy_secret_key_public(key, &public_key);
    sy_sign(key, &signature, SY_SIG_TX, &digest);
    for (int i = 0; i < 50; i++) {
        *good += sy_verify_one(&public_key, SY_SIG_TX, &digest, &signature);
        signature.bytes[0] ^= 1;
        *good += !sy_verify_one(&public_key, SY_SIG_TX, &digest, &signature);
        signature.bytes[0] ^= 1;
    }
    sy_secret_key_close(key);
    return NULL;
}

CASE(threads_verify_beside_each_other)
{
    pthread_t threads[4];
    size_t good[4] = {0};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, verify_in_a_thread, &good[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(good[i], 100);
    }
}

// --- published vectors beside the checkout -------------------------------------------------------

static size_t decode_whole(uint8_t *out, size_t room, const char *text)
{
    size_t size = strlen(text) / 2;
    assert_true(size <= room);
    assert_true(sy_hex_decode(out, size, text));
    return size;
}

CASE(wycheproof_verdicts)
{
    FILE *stream = vectors_open("wycheproof-ed25519.json", NULL);
    if (!stream) skip();
    json_t *root = json_loadf(stream, 0, NULL), *group, *test;
    size_t i, j, ran = 0;
    vectors_close(stream);
    assert_non_null(root);
    json_array_foreach(json_object_get(root, "testGroups"), i, group)
    {
        struct sy_public_key key;
        const char *pk =
            json_string_value(json_object_get(json_object_get(group, "publicKey"), "pk"));
        assert_int_equal(decode_whole(key.bytes, 32, pk), 32);
        json_array_foreach(json_object_get(group, "tests"), j, test)
        {
            uint8_t message[2048];
            const char *sig = json_string_value(json_object_get(test, "sig"));
            const char *result = json_string_value(json_object_get(test, "result"));
            size_t size = decode_whole(message, sizeof message,
                                       json_string_value(json_object_get(test, "msg")));
            bool good = strcmp(result, "valid") == 0;
            struct sy_signature signature;
            ran++;
            if (strlen(sig) != 128) {
                assert_false(good); // A signature of another length is none; the type says so.
                continue;
            }
            assert_true(sy_hex_decode(signature.bytes, 64, sig));
            assert_int_equal(sy_openssl_ed25519_verify(&key, message, size, &signature), good);
        }
    }
    assert_int_equal(ran, json_integer_value(json_object_get(root, "numberOfTests")));
    json_decref(root);
}

// Lines are secret||public:public:message:signature||message: in hex.
static void check_sign_input(char *line)
{
    uint8_t secret[64], message[2048];
    struct sy_public_key public_key, derived;
    struct sy_signature signature;
    char *rest = line;
    (void)decode_whole(secret, sizeof secret, strsep(&rest, ":"));
    (void)decode_whole(public_key.bytes, 32, strsep(&rest, ":"));
    size_t size = decode_whole(message, sizeof message, strsep(&rest, ":"));
    char *signed_message = strsep(&rest, ":");
    assert_non_null(signed_message);
    assert_true(strlen(signed_message) == 128 + 2 * size);
    signed_message[128] = '\0';
    assert_true(sy_hex_decode(signature.bytes, 64, signed_message));

    sy_secret_key *key = key_of_seed(secret);
    sy_secret_key_public(key, &derived);
    sy_secret_key_close(key);
    assert_true(sy_public_key_equal(&derived, &public_key));
    assert_true(sy_openssl_ed25519_verify(&public_key, message, size, &signature));
    signature.bytes[size % 64] ^= 1;
    assert_false(sy_openssl_ed25519_verify(&public_key, message, size, &signature));
}

CASE(sign_input_lines)
{
    FILE *stream = vectors_open("ed25519-sign.input.xz", NULL);
    char *line = NULL;
    size_t room = 0, lines = 0;
    if (!stream) skip();
    for (; getline(&line, &room, stream) > 0; lines++) check_sign_input(line);
    free(line);
    vectors_close(stream);
    assert_int_equal(lines, 1024);
}

// --- what may be enrolled ------------------------------------------------------------------------

static struct sy_public_key key_of_hex(const char *text)
{
    struct sy_public_key key;
    assert_true(sy_hex_decode(key.bytes, 32, text));
    return key;
}

static void assert_not_enrollable(const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct sy_public_key key = key_of_hex(keys[i]);
        if (sy_key_enrollable(&key)) fail_msg("%s may be enrolled", keys[i]);
    }
}

CASE(small_order_keys_are_not_enrollable)
{
    assert_not_enrollable(engines_odd_points, ENGINES_ODD_POINTS);
}

CASE(keys_that_are_not_canonical_are_not_enrollable)
{
    // p + y for small y that lie on the curve.
    static const char *const keys[] = {
        "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "f1ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "f2ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "f6ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    };
    assert_not_enrollable(keys, sizeof keys / sizeof keys[0]);
}

CASE(keys_off_the_curve_are_not_enrollable)
{
    static const char *const keys[] = {
        "0200000000000000000000000000000000000000000000000000000000000000",
        "0200000000000000000000000000000000000000000000000000000000000080",
    };
    assert_not_enrollable(keys, sizeof keys / sizeof keys[0]);
}

// RFC 8032's first key plus each of the seven other points of small order. The fourth is the one
// that libsodium took before the end of 2025 (CVE-2025-69277).
CASE(keys_with_torsion_are_not_enrollable)
{
    static const char *const keys[] = {
        "9158312a9a8d6e3b34c891d6d61444f8b8211c5117ebad15bdb0bd68b07e0245",
        "ad38a8f0b22ab7ca46ecee7bbef12b5f336c182652fac34392f859dbd9666a7d",
        "3b5b475c4b82dd1572799fc546f4c6c03e478c6654aa4c7f945b347ea32af60d",
        "16a567fe7d4ef5482ab4012c369bf8c5f11e8d0c2559dcda50fde59708f8aee5",
        "5ca7ced5657291c4cb376e2929ebbb0747dee3aee81452ea424f42974f81fdba",
        "40c7570f4dd54835b9131184410ed4a0cc93e7d9ad053cbc6d07a62426999582",
        "b2a4b8a3b47d22ea8d86603ab90b393fc1b87399ab55b3806ba4cb815cd509f2",
    };
    struct sy_public_key clean =
        key_of_hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    assert_true(sy_key_enrollable(&clean));
    assert_not_enrollable(keys, sizeof keys / sizeof keys[0]);
}

CASE(keys_of_seeds_are_enrollable)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    for (int i = 0; i < 200; i++) {
        uint8_t seed[32];
        struct sy_public_key public_key;
        sy_prng_fill(&prng, seed, sizeof seed);
        sy_secret_key *key = key_of_seed(seed);
        sy_secret_key_public(key, &public_key);
        sy_secret_key_close(key);
        assert_true(sy_key_enrollable(&public_key));
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(message_is_tag_kind_and_digest),
        cmocka_unit_test(a_kind_out_of_range_is_our_bug),
        cmocka_unit_test(rfc_8032_seeds_give_their_public_keys_and_signatures_verify),
        cmocka_unit_test(signing_is_deterministic_and_known),
        cmocka_unit_test(fresh_keys_differ_and_sign),
        cmocka_unit_test(a_signature_of_one_kind_is_none_of_another),
        cmocka_unit_test(every_flipped_bit_of_key_digest_or_signature_is_refused),
        cmocka_unit_test(verdicts_do_not_depend_on_which_keys_came_before),
        cmocka_unit_test(threads_verify_beside_each_other),
        cmocka_unit_test(wycheproof_verdicts),
        cmocka_unit_test(sign_input_lines),
        cmocka_unit_test(small_order_keys_are_not_enrollable),
        cmocka_unit_test(keys_that_are_not_canonical_are_not_enrollable),
        cmocka_unit_test(keys_off_the_curve_are_not_enrollable),
        cmocka_unit_test(keys_with_torsion_are_not_enrollable),
        cmocka_unit_test(keys_of_seeds_are_enrollable),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
