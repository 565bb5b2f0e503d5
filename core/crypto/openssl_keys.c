/* openssl_keys.c: secret Ed25519 keys as OpenSSL objects, and X25519 keys for envelopes.
 *
 * A key keeps one signing context; it is started again before each signature (100 ns), which
 * OpenSSL 3.2 demands of a context that has signed once. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/crypto/keys.h"
#include "core/crypto/openssl_ctx.h"
#include "core/crypto/openssl_internal.h"
#include "core/crypto/openssl_pem.h"

struct sy_secret_key {
    EVP_PKEY *pkey;
    EVP_MD_CTX *signer;
    struct sy_public_key public_key;
};

// Takes over pkey.
static sy_secret_key *wrap_key(EVP_PKEY *pkey)
{
    sy_secret_key *key = calloc(1, sizeof *key);
    SY_OPENSSL_MUST(key != NULL);
    key->pkey = pkey;
    key->signer = EVP_MD_CTX_new();
    SY_OPENSSL_MUST(key->signer != NULL);
    SY_OPENSSL_MUST(
        EVP_DigestSignInit_ex(key->signer, NULL, NULL, sy_openssl()->lib, NULL, pkey, NULL) == 1);
    size_t size = sizeof key->public_key.bytes;
    SY_OPENSSL_MUST(EVP_PKEY_get_raw_public_key(pkey, key->public_key.bytes, &size) == 1);
    SY_ASSERT(size == sizeof key->public_key.bytes);
    return key;
}

static EVP_PKEY *generate_pkey(const char *algorithm, struct sy_error *err)
{
    ERR_set_mark();
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(sy_openssl()->lib, NULL, algorithm);
    if (pkey == NULL) {
        char reason[256];
        ERR_error_string_n(ERR_peek_last_error(), reason, sizeof reason);
        sy_status status = sy_fail(
            err, SY_ERR_CRYPTO, "OpenSSL could not make a key of type %s: %s", algorithm, reason);
        (void)status;
    }
    ERR_pop_to_mark();
    return pkey;
}

sy_status sy_secret_key_generate(sy_secret_key **key, struct sy_error *err)
{
    *key = NULL;
    EVP_PKEY *pkey = generate_pkey("ED25519", err);
    if (pkey == NULL) return SY_ERR_CRYPTO;
    *key = wrap_key(pkey);
    return SY_OK;
}

sy_status sy_secret_key_from_seed(sy_secret_key **key, const uint8_t seed[32])
{
    *key = NULL;
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key_ex(sy_openssl()->lib, "ED25519", NULL, seed, 32);
    if (pkey == NULL) return SY_ERR_CRYPTO;
    *key = wrap_key(pkey);
    return SY_OK;
}

sy_status sy_secret_key_load(sy_secret_key **key, const char *path, const char *passphrase_path,
                             struct sy_error *err)
{
    EVP_PKEY *pkey = NULL;
    *key = NULL;
    SY_TRY(sy_pem_load(&pkey, path, passphrase_path, "ED25519", err));
    *key = wrap_key(pkey);
    return SY_OK;
}

sy_status sy_secret_key_save(const sy_secret_key *key, const char *path,
                             const char *passphrase_path, struct sy_error *err)
{
    return sy_pem_save(key->pkey, path, passphrase_path, err);
}

void sy_secret_key_close(sy_secret_key *key)
{
    if (key == NULL) return;
    EVP_MD_CTX_free(key->signer);
    EVP_PKEY_free(key->pkey); // OpenSSL clears the secret half.
    sy_wipe(key, sizeof *key);
    free(key);
}

void sy_secret_key_public(const sy_secret_key *key, struct sy_public_key *out)
{
    *out = key->public_key;
}

EVP_PKEY *sy_secret_key_evp(const sy_secret_key *key)
{
    return key->pkey;
}

void sy_sign(const sy_secret_key *key, struct sy_signature *out, enum sy_sig_kind kind,
             const struct sy_hash *digest)
{
    uint8_t message[SY_SIG_MESSAGE_BYTES];
    size_t size = sizeof out->bytes;
    sy_sig_message(message, kind, digest);
    SY_OPENSSL_MUST(EVP_DigestSignInit_ex(key->signer, NULL, NULL, NULL, NULL, NULL, NULL) == 1);
    SY_OPENSSL_MUST(EVP_DigestSign(key->signer, out->bytes, &size, message, sizeof message) == 1);
    SY_ASSERT(size == sizeof out->bytes);
}

sy_status sy_x25519_generate(uint8_t public_out[SY_X25519_BYTES], const char *path,
                             const char *passphrase_path, struct sy_error *err)
{
    size_t size = SY_X25519_BYTES;
    EVP_PKEY *pkey = generate_pkey("X25519", err);
    if (pkey == NULL) return SY_ERR_CRYPTO;
    SY_OPENSSL_MUST(EVP_PKEY_get_raw_public_key(pkey, public_out, &size) == 1);
    SY_ASSERT(size == SY_X25519_BYTES);
    sy_status status = sy_pem_save(pkey, path, passphrase_path, err);
    EVP_PKEY_free(pkey);
    return status;
}
