/* openssl_aead.c: see aead.h. The key schedule is made once; a frame only sets the nonce. */
#include <openssl/evp.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/crypto/aead.h"
#include "core/crypto/openssl_ctx.h"

struct sy_aead_key {
    EVP_CIPHER_CTX *sealer;
    EVP_CIPHER_CTX *opener;
};

sy_aead_key *sy_aead_key_open(const uint8_t bytes[SY_AEAD_KEY_BYTES])
{
    const EVP_CIPHER *cipher = sy_openssl()->aes_256_gcm;
    sy_aead_key *key = calloc(1, sizeof *key);
    SY_OPENSSL_MUST(key != NULL);
    SY_OPENSSL_MUST((key->sealer = EVP_CIPHER_CTX_new()) != NULL);
    SY_OPENSSL_MUST((key->opener = EVP_CIPHER_CTX_new()) != NULL);
    SY_OPENSSL_MUST(EVP_EncryptInit_ex2(key->sealer, cipher, bytes, NULL, NULL) == 1);
    SY_OPENSSL_MUST(EVP_DecryptInit_ex2(key->opener, cipher, bytes, NULL, NULL) == 1);
    return key;
}

void sy_aead_key_close(sy_aead_key *key)
{
    if (key == NULL) return;
    EVP_CIPHER_CTX_free(key->sealer); // OpenSSL clears the key schedule.
    EVP_CIPHER_CTX_free(key->opener);
    free(key);
}

static void check_sizes(struct sy_slice aad, size_t size)
{
    SY_ASSERT(aad.size <= INT32_MAX && size <= INT32_MAX - aad.size);
}

void sy_aead_seal(sy_aead_key *key, uint8_t *out, const uint8_t nonce[SY_AEAD_NONCE_BYTES],
                  struct sy_slice aad, struct sy_slice plain)
{
    EVP_CIPHER_CTX *ctx = key->sealer;
    uint8_t none[SY_AEAD_TAG_BYTES];
    int size = 0;
    check_sizes(aad, plain.size);
    SY_OPENSSL_MUST(EVP_EncryptInit_ex2(ctx, NULL, NULL, nonce, NULL) == 1);
    SY_OPENSSL_MUST(aad.size == 0 ||
                    EVP_EncryptUpdate(ctx, NULL, &size, aad.data, (int)aad.size) == 1);
    SY_OPENSSL_MUST(plain.size == 0 ||
                    EVP_EncryptUpdate(ctx, out, &size, plain.data, (int)plain.size) == 1);
    SY_OPENSSL_MUST(EVP_EncryptFinal_ex(ctx, none, &size) == 1);
    SY_OPENSSL_MUST(
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SY_AEAD_TAG_BYTES, out + plain.size) == 1);
}

bool sy_aead_open(sy_aead_key *key, uint8_t *out, const uint8_t nonce[SY_AEAD_NONCE_BYTES],
                  struct sy_slice aad, struct sy_slice sealed)
{
    EVP_CIPHER_CTX *ctx = key->opener;
    uint8_t tag[SY_AEAD_TAG_BYTES];
    uint8_t none[SY_AEAD_TAG_BYTES];
    int size = 0;
    if (sealed.size < SY_AEAD_TAG_BYTES) return false;
    size_t plain_size = sealed.size - SY_AEAD_TAG_BYTES;
    check_sizes(aad, plain_size);
    memcpy(tag, sealed.data + plain_size, sizeof tag);
    SY_OPENSSL_MUST(EVP_DecryptInit_ex2(ctx, NULL, NULL, nonce, NULL) == 1);
    SY_OPENSSL_MUST(aad.size == 0 ||
                    EVP_DecryptUpdate(ctx, NULL, &size, aad.data, (int)aad.size) == 1);
    SY_OPENSSL_MUST(plain_size == 0 ||
                    EVP_DecryptUpdate(ctx, out, &size, sealed.data, (int)plain_size) == 1);
    SY_OPENSSL_MUST(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) == 1);
    if (EVP_DecryptFinal_ex(ctx, none, &size) == 1) return true;
    if (plain_size > 0) sy_wipe(out, plain_size);
    return false;
}
