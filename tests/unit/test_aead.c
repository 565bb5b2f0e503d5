/* test_aead.c: AES-256-GCM against published vectors, and every single-bit change refused. */
#include "core/crypto/aead.h"

#include "tests/support/test.h"

struct vector {
    const char *key, *nonce, *aad, *plain, *sealed;
};

// McGrew and Viega, "The Galois/Counter Mode of Operation" (the GCM specification given to NIST),
// test cases 13 to 16: those with a 256-bit key and a 96-bit nonce.
static const struct vector vectors[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "00000000000000000000000000000000",
     "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad"
     "b094dac5d93471bdec1a502270e3cc6c"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
     "76fc6ece0f4e1768cddf8853bb2d551b"},
};

static struct sy_slice read_hex(uint8_t *out, const char *text)
{
    size_t size = strlen(text) / 2;
    assert_true(sy_hex_decode(out, size, text));
    return sy_slice_of(out, size);
}

static sy_aead_key *open_key(const char *text)
{
    uint8_t bytes[SY_AEAD_KEY_BYTES];
    (void)read_hex(bytes, text);
    sy_aead_key *key = sy_aead_key_open(bytes);
    sy_wipe(bytes, sizeof bytes);
    return key;
}

CASE(aead_gives_the_published_answers)
{
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        uint8_t nonce[12], aad[32], plain[64], sealed[80], got[80];
        sy_aead_key *key = open_key(vectors[i].key);
        (void)read_hex(nonce, vectors[i].nonce);
        struct sy_slice aad_bytes = read_hex(aad, vectors[i].aad);
        struct sy_slice plain_bytes = read_hex(plain, vectors[i].plain);
        struct sy_slice sealed_bytes = read_hex(sealed, vectors[i].sealed);
        sy_aead_seal(key, got, nonce, aad_bytes, plain_bytes);
        assert_memory_equal(got, sealed, sealed_bytes.size);
        assert_true(sy_aead_open(key, got, nonce, aad_bytes, sealed_bytes));
        assert_memory_equal(got, plain, plain_bytes.size);
        sy_aead_key_close(key);
    }
}

CASE(aead_works_in_place_and_a_key_serves_many_frames)
{
    uint8_t frame[1000 + SY_AEAD_TAG_BYTES];
    uint8_t nonce[12] = {0};
    sy_aead_key *key = open_key(vectors[2].key);
    for (size_t size = 0; size <= 1000; size += 37) {
        nonce[11] = (uint8_t)(size / 37);
        memset(frame, 0x77, sizeof frame);
        sy_aead_seal(key, frame, nonce, sy_slice_of("aad", 3), sy_slice_of(frame, size));
        assert_true(sy_aead_open(key, frame, nonce, sy_slice_of("aad", 3),
                                 sy_slice_of(frame, size + SY_AEAD_TAG_BYTES)));
        for (size_t i = 0; i < size; i++) assert_int_equal(frame[i], 0x77);
    }
    sy_aead_key_close(key);
}

CASE(aead_refuses_every_changed_bit_and_zeroes_the_output)
{
    static const uint8_t zero[20];
    uint8_t nonce[12] = {1, 2, 3}, aad[5] = "abcde", out[20 + SY_AEAD_TAG_BYTES];
    uint8_t sealed[20 + SY_AEAD_TAG_BYTES];
    struct sy_slice aad_bytes = sy_slice_of(aad, sizeof aad);
    struct sy_slice sealed_bytes = sy_slice_of(sealed, sizeof sealed);
    sy_aead_key *key = open_key(vectors[2].key);
    sy_aead_seal(key, sealed, nonce, aad_bytes, sy_slice_of("twenty bytes of text", 20));
    struct {
        uint8_t *bytes;
        size_t size;
    } parts[] = {{nonce, sizeof nonce}, {aad, sizeof aad}, {sealed, sizeof sealed}};
    for (size_t part = 0; part < 3; part++) {
        for (size_t bit = 0; bit < 8 * parts[part].size; bit++) {
            parts[part].bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            memset(out, 0xff, sizeof out);
            assert_false(sy_aead_open(key, out, nonce, aad_bytes, sealed_bytes));
            assert_memory_equal(out, zero, sizeof zero);
            parts[part].bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
    assert_true(sy_aead_open(key, out, nonce, aad_bytes, sealed_bytes));
    sy_aead_key_close(key);
}

CASE(aead_refuses_every_shorter_text)
{
    uint8_t nonce[12] = {0}, sealed[20 + SY_AEAD_TAG_BYTES], out[20];
    sy_aead_key *key = open_key(vectors[2].key);
    sy_aead_seal(key, sealed, nonce, sy_slice_of(NULL, 0), sy_slice_of("twenty bytes of text", 20));
    for (size_t size = 0; size < sizeof sealed; size++) {
        assert_false(
            sy_aead_open(key, out, nonce, sy_slice_of(NULL, 0), sy_slice_of(sealed, size)));
    }
    sy_aead_key_close(key);
}

CASE(aead_refuses_another_key)
{
    uint8_t nonce[12] = {0}, sealed[4 + SY_AEAD_TAG_BYTES], out[4];
    sy_aead_key *key = open_key(vectors[0].key);
    sy_aead_key *other = open_key(vectors[2].key);
    sy_aead_seal(key, sealed, nonce, sy_slice_of(NULL, 0), sy_slice_of("text", 4));
    assert_false(
        sy_aead_open(other, out, nonce, sy_slice_of(NULL, 0), sy_slice_of(sealed, sizeof sealed)));
    sy_aead_key_close(other);
    sy_aead_key_close(key);
    sy_aead_key_close(NULL);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(aead_gives_the_published_answers),
        cmocka_unit_test(aead_works_in_place_and_a_key_serves_many_frames),
        cmocka_unit_test(aead_refuses_every_changed_bit_and_zeroes_the_output),
        cmocka_unit_test(aead_refuses_every_shorter_text),
        cmocka_unit_test(aead_refuses_another_key),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
