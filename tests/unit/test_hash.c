/* test_hash.c: the hash functions against published vectors, and systole's own prefixes against
 * plain SHA-256 of the same bytes. */
#include "core/crypto/hash.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/prng.h"
#include "tests/support/cavp.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

static void assert_hex(const void *bytes, size_t size, const char *expected)
{
    char text[129];
    assert_true(size <= 64);
    sy_hex_encode(text, bytes, size);
    assert_string_equal(text, expected);
}

struct example {
    const char *text;
    const char *sha256;
    const char *sha512;
};

// FIPS 180-4 itself refers to NIST's examples: one block, two blocks for either word size, and
// none.
static const struct example examples[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
     "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
     "204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c335"
     "96fd15c13b1b07f9aa1d3bea57789ca031ad85c7a71dd70354ec631238ca3445"},
    {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
     "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
     "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
     "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
     "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909"},
};

CASE(sha2_gives_nist_examples)
{
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        struct sy_hash hash;
        uint8_t long_hash[64];
        sy_sha256(&hash, examples[i].text, strlen(examples[i].text));
        sy_sha512(long_hash, examples[i].text, strlen(examples[i].text));
        assert_hex(hash.bytes, 32, examples[i].sha256);
        assert_hex(long_hash, 64, examples[i].sha512);
    }
}

CASE(sha2_hashes_a_million_letters)
{
    size_t size = 1000000;
    uint8_t *letters = malloc(size);
    struct sy_hash hash;
    uint8_t long_hash[64];
    assert_non_null(letters);
    memset(letters, 'a', size);
    sy_sha256(&hash, letters, size);
    sy_sha512(long_hash, letters, size);
    free(letters);
    assert_hex(hash.bytes, 32, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    assert_hex(long_hash, 64,
               "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb"
               "de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b");
}

CASE(incremental_hash_equals_whole_hash_at_every_split)
{
    uint8_t data[200];
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    sy_prng_fill(&prng, data, sizeof data);
    for (size_t size = 0; size <= sizeof data; size += 1 + size / 8) {
        for (size_t split = 0; split <= size; split++) {
            struct sy_hash whole, parts;
            sy_sha256(&whole, data, size);
            sy_sha256_init();
            sy_sha256_update(data, split);
            sy_sha256_update(data + split, size - split);
            sy_sha256_final(&parts);
            assert_true(sy_hash_equal(&whole, &parts));
        }
    }
}

CASE(other_hashes_may_come_between_incremental_updates)
{
    struct sy_hash hash, other;
    uint8_t long_hash[64];
    sy_sha256_init();
    sy_sha256_update("a", 1);
    sy_sha256(&other, "x", 1);
    sy_hash_node(&other, &other, &other);
    sy_sha256_update("b", 1);
    sy_sha512(long_hash, "x", 1);
    sy_hmac_sha256(&other, sy_slice_of("k", 1), sy_slice_of("x", 1));
    sy_sha256_update("c", 1);
    sy_sha256_final(&hash);
    assert_hex(hash.bytes, 32, examples[1].sha256);
}

CASE(an_abandoned_incremental_hash_leaves_no_trace)
{
    struct sy_hash hash;
    sy_sha256_init();
    sy_sha256_update("left over", 9);
    sy_sha256_init();
    sy_sha256_update("abc", 3);
    sy_sha256_final(&hash);
    assert_hex(hash.bytes, 32, examples[1].sha256);
}

CASE(leaf_node_and_digest_have_their_prefixes)
{
    uint8_t input[2 + 32 + 7];
    struct sy_hash a, b, got, expected;
    memset(a.bytes, 0xaa, 32);
    memset(b.bytes, 0xbb, 32);

    input[0] = 0x00;
    memcpy(input + 1, "payload", 7);
    sy_sha256(&expected, input, 8);
    sy_hash_leaf(&got, sy_slice_of("payload", 7));
    assert_true(sy_hash_equal(&got, &expected));

    uint8_t pair[65];
    memcpy(pair + 1, a.bytes, 32);
    memcpy(pair + 33, b.bytes, 32);
    pair[0] = 0x01;
    sy_sha256(&expected, pair, sizeof pair);
    sy_hash_node(&got, &a, &b);
    assert_true(sy_hash_equal(&got, &expected));
    pair[0] = 0x05;
    sy_sha256(&expected, pair, sizeof pair);
    sy_hash_prefixed(&got, 0x05, &a, &b);
    assert_true(sy_hash_equal(&got, &expected));

    input[0] = 0x02;
    input[1] = SY_DIGEST_SEAL;
    memcpy(input + 2, a.bytes, 32);
    memcpy(input + 34, "payload", 7);
    sy_sha256(&expected, input, sizeof input);
    sy_hash_digest(&got, SY_DIGEST_SEAL, &a, sy_slice_of("payload", 7));
    assert_true(sy_hash_equal(&got, &expected));
}

CASE(a_node_may_be_written_over_its_children)
{
    struct sy_hash a, b, expected;
    memset(a.bytes, 1, 32);
    memset(b.bytes, 2, 32);
    sy_hash_node(&expected, &a, &b);
    struct sy_hash left = a, right = b;
    sy_hash_node(&left, &left, &b);
    sy_hash_node(&right, &a, &right);
    assert_true(sy_hash_equal(&left, &expected));
    assert_true(sy_hash_equal(&right, &expected));
}

CASE(empty_leaf_is_the_hash_of_one_zero_byte)
{
    struct sy_hash hash;
    sy_hash_leaf(&hash, sy_slice_of(NULL, 0));
    assert_hex(hash.bytes, 32, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
}

static void assert_hmac(struct sy_slice key, struct sy_slice data, const char *expected)
{
    struct sy_hash hash;
    sy_hmac_sha256(&hash, key, data);
    assert_hex(hash.bytes, 32, expected);
}

CASE(hmac_gives_rfc_4231_answers)
{
    uint8_t key[131];
    uint8_t data[50];
    const char *text = "Test Using Larger Than Block-Size Key - Hash Key First";
    const char *longer = "This is a test using a larger than block-size key and a larger than "
                         "block-size data. The key needs to be hashed before being used by the "
                         "HMAC algorithm.";
    memset(key, 0x0b, 20);
    assert_hmac(sy_slice_of(key, 20), sy_slice_of("Hi There", 8),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    assert_hmac(sy_slice_of("Jefe", 4), sy_slice_of("what do ya want for nothing?", 28),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    memset(data, 0xdd, sizeof data);
    assert_hmac(sy_slice_of(key, 20), sy_slice_of(data, 50),
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    assert_hmac(sy_slice_of(key, 131), sy_slice_of(text, strlen(text)),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    assert_hmac(sy_slice_of(key, 131), sy_slice_of(longer, strlen(longer)),
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

CASE(hmac_of_an_empty_key_does_not_reuse_the_last_key)
{
    assert_hmac(sy_slice_of("Jefe", 4), sy_slice_of(NULL, 0),
                "923598ca6d64af2a5dba79dcd021a8a0fe5c5f557519adaaf0ad532d4506dd30");
    assert_hmac(sy_slice_of(NULL, 0), sy_slice_of(NULL, 0),
                "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

// --- NIST CAVP -----------------------------------------------------------------------------------

static void hash_with(uint8_t *out, size_t hash_bytes, const uint8_t *data, size_t size)
{
    if (hash_bytes == 64) {
        sy_sha512(out, data, size);
    } else {
        struct sy_hash hash;
        sy_sha256(&hash, data, size);
        memcpy(out, hash.bytes, 32);
    }
}

static void check_message(void *hash_bytes, struct sy_slice message, const char *answer)
{
    uint8_t hash[64];
    hash_with(hash, *(const size_t *)hash_bytes, message.data, message.size);
    assert_hex(hash, *(const size_t *)hash_bytes, answer);
}

// Runs a file of messages and returns how many there were.
static size_t run_messages(const char *member, size_t hash_bytes)
{
    return cavp_read(member, check_message, &hash_bytes);
}

// The Secure Hash Standard Validation System, 6.4: each of 100 checkpoints hangs on 1,000 hashes of
// the last three.
static void run_monte_carlo(const char *member, size_t hash_bytes)
{
    FILE *stream = vectors_open("nist-cavp-sha2.tar.xz", member);
    if (!stream) skip();
    char *line = NULL, *value;
    size_t room = 0, checkpoints = 0;
    uint8_t seed[64];
    while (getline(&line, &room, stream) > 0) {
        if ((value = cavp_field(line, "Seed"))) {
            assert_true(sy_hex_decode(seed, hash_bytes, value));
        } else if ((value = cavp_field(line, "MD"))) {
            uint8_t last[3 * 64];
            for (size_t i = 0; i < 3; i++) memcpy(last + i * hash_bytes, seed, hash_bytes);
            for (int i = 0; i < 1000; i++) {
                uint8_t next[64];
                hash_with(next, hash_bytes, last, 3 * hash_bytes);
                memmove(last, last + hash_bytes, 2 * hash_bytes);
                memcpy(last + 2 * hash_bytes, next, hash_bytes);
            }
            memcpy(seed, last + 2 * hash_bytes, hash_bytes);
            assert_hex(seed, hash_bytes, value);
            checkpoints++;
        }
    }
    free(line);
    vectors_close(stream);
    assert_int_equal(checkpoints, 100);
}

CASE(sha256_passes_cavp_short_messages)
{
    assert_int_equal(run_messages("./SHA256ShortMsg.rsp", 32), 65);
}

CASE(sha256_passes_cavp_long_messages)
{
    assert_int_equal(run_messages("./SHA256LongMsg.rsp", 32), 64);
}

CASE(sha512_passes_cavp_short_messages)
{
    assert_int_equal(run_messages("./SHA512ShortMsg.rsp", 64), 129);
}

CASE(sha256_passes_cavp_monte_carlo)
{
    run_monte_carlo("./SHA256Monte.rsp", 32);
}

CASE(sha512_passes_cavp_monte_carlo)
{
    run_monte_carlo("./SHA512Monte.rsp", 64);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(sha2_gives_nist_examples),
        cmocka_unit_test(sha2_hashes_a_million_letters),
        cmocka_unit_test(incremental_hash_equals_whole_hash_at_every_split),
        cmocka_unit_test(other_hashes_may_come_between_incremental_updates),
        cmocka_unit_test(an_abandoned_incremental_hash_leaves_no_trace),
        cmocka_unit_test(leaf_node_and_digest_have_their_prefixes),
        cmocka_unit_test(a_node_may_be_written_over_its_children),
        cmocka_unit_test(empty_leaf_is_the_hash_of_one_zero_byte),
        cmocka_unit_test(hmac_gives_rfc_4231_answers),
        cmocka_unit_test(hmac_of_an_empty_key_does_not_reuse_the_last_key),
        cmocka_unit_test(sha256_passes_cavp_short_messages),
        cmocka_unit_test(sha256_passes_cavp_long_messages),
        cmocka_unit_test(sha512_passes_cavp_short_messages),
        cmocka_unit_test(sha256_passes_cavp_monte_carlo),
        cmocka_unit_test(sha512_passes_cavp_monte_carlo),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
