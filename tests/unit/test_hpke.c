/* test_hpke.c: HPKE against the vectors published with RFC 9180, and every change refused. */
#include <stdio.h>

#include "core/base/os.h"
#include "core/crypto/keys.h"
#include "core/crypto/openssl_hpke.h"
#include "tests/support/test.h"

/* RFC 9180's vectors, test-vectors.json of the CFRG's draft-irtf-cfrg-hpke (appendix A prints a
 * selection without this suite): mode 0, kem_id 0x0020, kdf_id 0x0001, aead_id 0x0002, and its
 * first encryption. */
static const char info_hex[] = "4f6465206f6e2061204772656369616e2055726e";
static const char ephemeral_secret[] =
    "179d4b53b6365c45b600c4163b61d95cbc2f4d9e36f1695558dce265ab8bab11";
static const char enc_hex[] = "6c93e09869df3402d7bf231bf540fadd35cd56be14f97178f0954db94b7fc256";
static const char recipient_secret[] =
    "497b4502664cfea5d5af0b39934dac72242a74f8480451e1aee7d6a53320333d";
static const char recipient_public[] =
    "430f4b9859665145a6b1ba274024487bd66f03a2dd577d7753c68d7d7d00c00c";
static const char shared_hex[] = "3101c54c3a4f87439eaac080699ed9bbcc726ffe44e860c0424ccb7e3e2ead7b";
static const char key_hex[] = "f50b0609186798729ed0564b36ef2ef8044f1f9d05636874d1f46c819c7a669f";
static const char nonce_hex[] = "151d9929e2449747889bc923";
static const char aad_hex[] = "436f756e742d30";
static const char plain_hex[] = "4265617574792069732074727574682c20747275746820626561757479";
static const char sealed_hex[] = "e5d84cd531cfb583096e7cfa9641bd3079cf3a91cda813c5"
                                 "2deb5f512be9931980a41de125a925cdad859d5b7a";

static struct sy_slice read_hex(uint8_t *out, const char *text)
{
    size_t size = strlen(text) / 2;
    assert_true(sy_hex_decode(out, size, text));
    return sy_slice_of(out, size);
}

static sy_x25519_key *open_key(const char *text)
{
    uint8_t bytes[32];
    sy_x25519_key *key;
    (void)read_hex(bytes, text);
    assert_int_equal(sy_x25519_key_from_bytes(&key, bytes), SY_OK);
    return key;
}

static void assert_hex(const uint8_t *got, const char *text)
{
    uint8_t want[128];
    struct sy_slice slice = read_hex(want, text);
    assert_memory_equal(got, want, slice.size);
}

CASE(sender_and_recipient_derive_the_published_secrets)
{
    uint8_t info_room[32], enc[32], enc_want[32];
    struct sy_public_key recipient, half;
    struct sy_hpke_context sent, received;
    struct sy_slice info = read_hex(info_room, info_hex);
    sy_x25519_key *ephemeral = open_key(ephemeral_secret);
    sy_x25519_key *key = open_key(recipient_secret);
    (void)read_hex(recipient.bytes, recipient_public);
    (void)read_hex(enc_want, enc_hex);
    sy_x25519_key_public(key, &half);
    assert_memory_equal(half.bytes, recipient.bytes, 32);

    assert_true(sy_hpke_setup_sender(&sent, enc, ephemeral, &recipient, info));
    assert_memory_equal(enc, enc_want, 32);
    assert_hex(sent.shared, shared_hex);
    assert_hex(sent.key, key_hex);
    assert_hex(sent.nonce, nonce_hex);
    assert_true(sy_hpke_setup_recipient(&received, key, enc, info));
    assert_memory_equal(&sent, &received, sizeof sent);
    sy_x25519_key_close(ephemeral);
    sy_x25519_key_close(key);
}

CASE(the_published_message_opens)
{
    uint8_t info[32], enc[32], aad[8], sealed[64], plain[64];
    sy_x25519_key *key = open_key(recipient_secret);
    (void)read_hex(enc, enc_hex);
    struct sy_slice message = read_hex(sealed, sealed_hex);
    assert_true(
        sy_hpke_open(plain, key, enc, read_hex(info, info_hex), read_hex(aad, aad_hex), message));
    assert_hex(plain, plain_hex);
    sy_x25519_key_close(key);
}

CASE(no_changed_bit_opens)
{
    uint8_t info[32], enc[32], aad[8], sealed[64], plain[64];
    static const uint8_t zeros[64];
    sy_x25519_key *key = open_key(recipient_secret);
    struct sy_slice parts[] = {read_hex(info, info_hex), read_hex(enc, enc_hex),
                               read_hex(aad, aad_hex), read_hex(sealed, sealed_hex)};
    uint8_t *rooms[] = {info, enc, aad, sealed};
    for (size_t part = 0; part < 4; part++) {
        for (size_t bit = 0; bit < parts[part].size * 8; bit++) {
            // RFC 7748 5: the top bit of a public key is not looked at, but it is in what is
            // hashed.
            rooms[part][bit / 8] ^= (uint8_t)(1u << (bit % 8));
            memset(plain, 0xaa, sizeof plain);
            assert_false(sy_hpke_open(plain, key, enc, parts[0], parts[2], parts[3]));
            assert_memory_equal(plain, zeros, parts[3].size - SY_HPKE_TAG_BYTES);
            rooms[part][bit / 8] ^= (uint8_t)(1u << (bit % 8));
        }
    }
    for (size_t size = 0; size < parts[3].size; size++) {
        assert_false(sy_hpke_open(plain, key, enc, parts[0], parts[2], sy_slice_of(sealed, size)));
    }
    assert_true(sy_hpke_open(plain, key, enc, parts[0], parts[2], parts[3]));
    sy_x25519_key_close(key);
}

CASE(what_is_sealed_opens_with_that_key_alone)
{
    static const uint8_t info[SY_HPKE_INFO_BYTES_MAX] = "what for";
    const struct sy_slice none = sy_slice_of(NULL, 0);
    const struct sy_slice longest = sy_slice_of(info, sizeof info);
    for (size_t size = 0; size < 70; size++) {
        uint8_t plain[70], sealed[86], again[86], enc[32], other_enc[32], got[70], secret[32];
        sy_x25519_key *key, *stranger;
        struct sy_public_key half;
        sy_os_random(secret, sizeof secret);
        assert_int_equal(sy_x25519_key_from_bytes(&key, secret), SY_OK);
        sy_os_random(secret, sizeof secret);
        assert_int_equal(sy_x25519_key_from_bytes(&stranger, secret), SY_OK);
        sy_os_random(plain, sizeof plain);
        sy_x25519_key_public(key, &half);
        struct sy_slice clear = sy_slice_of(plain, size);
        struct sy_slice message = sy_slice_of(sealed, size + SY_HPKE_TAG_BYTES);
        assert_true(sy_hpke_seal(enc, sealed, &half, longest, none, clear));
        assert_true(sy_hpke_seal(other_enc, again, &half, longest, none, clear));
        assert_memory_not_equal(enc, other_enc, 32);
        assert_true(sy_hpke_open(got, key, enc, longest, none, message));
        if (size > 0) assert_memory_equal(got, plain, size);
        assert_false(sy_hpke_open(got, stranger, enc, longest, none, message));
        assert_false(sy_hpke_open(got, key, other_enc, longest, none, message));
        sy_x25519_key_close(key);
        sy_x25519_key_close(stranger);
    }
}

// Points of small order on Curve25519 (RFC 7748 6.1: whoever uses them gets zero), with forms that
// are not reduced, and with the bit that is ignored.
CASE(points_of_small_order_are_refused)
{
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000080",
    };
    const struct sy_slice none = sy_slice_of(NULL, 0);
    sy_x25519_key *key = open_key(recipient_secret);
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        struct sy_public_key point;
        uint8_t enc[32], sealed[32] = {0}, plain[16];
        (void)read_hex(point.bytes, points[i]);
        assert_false(sy_hpke_seal(enc, sealed, &point, none, none, sy_slice_of(plain, 0)));
        assert_false(
            sy_hpke_open(plain, key, point.bytes, none, none, sy_slice_of(sealed, sizeof sealed)));
    }
    sy_x25519_key_close(key);
}

CASE(a_key_file_is_what_was_generated)
{
    char folder[256], path[300], other[300];
    uint8_t made[32], enc[32], sealed[20], plain[4];
    struct sy_public_key half;
    struct sy_error err = {SY_OK, ""};
    sy_x25519_key *key = NULL;
    sy_secret_key *signer = NULL;
    const struct sy_slice none = sy_slice_of(NULL, 0);
    test_folder(folder, sizeof folder, "hpke");
    (void)snprintf(path, sizeof path, "%s/x25519.pem", folder);
    (void)snprintf(other, sizeof other, "%s/key.pem", folder);
    assert_int_equal(sy_x25519_generate(made, path, NULL, &err), SY_OK);
    assert_int_equal(sy_x25519_key_load(&key, path, NULL, &err), SY_OK);
    sy_x25519_key_public(key, &half);
    assert_memory_equal(half.bytes, made, 32);
    assert_true(sy_hpke_seal(enc, sealed, &half, none, none, sy_slice_of("four", 4)));
    assert_true(sy_hpke_open(plain, key, enc, none, none, sy_slice_of(sealed, sizeof sealed)));
    assert_memory_equal(plain, "four", 4);
    sy_x25519_key_close(key);

    assert_int_equal(sy_secret_key_generate(&signer, &err), SY_OK);
    assert_int_equal(sy_secret_key_save(signer, other, NULL, &err), SY_OK);
    assert_int_equal(sy_x25519_key_load(&key, other, NULL, &err), SY_ERR_ARGUMENT);
    assert_null(key);
    sy_secret_key_close(signer);
    sy_x25519_key_close(NULL);
    assert_int_equal(sy_os_remove_tree(folder, &err), SY_OK);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(sender_and_recipient_derive_the_published_secrets),
        cmocka_unit_test(the_published_message_opens),
        cmocka_unit_test(no_changed_bit_opens),
        cmocka_unit_test(what_is_sealed_opens_with_that_key_alone),
        cmocka_unit_test(points_of_small_order_are_refused),
        cmocka_unit_test(a_key_file_is_what_was_generated),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
