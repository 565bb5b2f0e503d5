/* openssl_es256.c: see es256.h. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/crypto/es256.h"
#include "core/crypto/openssl_ctx.h"
#include "core/crypto/openssl_pem.h"

#define DER_BYTES_MAX 80 // two integers of at most 33 bytes, and their headers

struct sy_p256_key {
    EVP_PKEY *pkey;
    struct sy_p256_public public_key;
};

// --- keys --------------------------------------------------------------------------------------

static void read_coordinate(uint8_t out[32], const EVP_PKEY *pkey, const char *which)
{
    BIGNUM *number = NULL;
    SY_OPENSSL_MUST(EVP_PKEY_get_bn_param(pkey, which, &number) == 1);
    SY_OPENSSL_MUST(BN_bn2binpad(number, out, 32) == 32);
    BN_free(number);
}

static bool is_p256(const EVP_PKEY *pkey)
{
    char name[64];
    size_t size = 0;
    return EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, name, sizeof name,
                                          &size) == 1 &&
           strcmp(name, SN_X9_62_prime256v1) == 0;
}

// Takes over pkey.
static sy_p256_key *wrap_key(EVP_PKEY *pkey)
{
    sy_p256_key *key = calloc(1, sizeof *key);
    SY_OPENSSL_MUST(key != NULL);
    key->pkey = pkey;
    read_coordinate(key->public_key.x, pkey, OSSL_PKEY_PARAM_EC_PUB_X);
    read_coordinate(key->public_key.y, pkey, OSSL_PKEY_PARAM_EC_PUB_Y);
    return key;
}

sy_status sy_p256_generate(struct sy_p256_public *public_out, const char *path,
                           const char *passphrase_path, struct sy_error *err)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(sy_openssl()->lib, NULL, "EC", "P-256");
    SY_OPENSSL_MUST(pkey != NULL);
    sy_p256_key *key = wrap_key(pkey);
    *public_out = key->public_key;
    sy_status status = sy_pem_save(pkey, path, passphrase_path, err);
    sy_p256_key_close(key);
    return status;
}

sy_status sy_p256_key_load(sy_p256_key **key, const char *path, const char *passphrase_path,
                           struct sy_error *err)
{
    EVP_PKEY *pkey = NULL;
    *key = NULL;
    SY_TRY(sy_pem_load(&pkey, path, passphrase_path, "EC", err));
    if (!is_p256(pkey)) {
        EVP_PKEY_free(pkey);
        return sy_fail(err, SY_ERR_ARGUMENT, "%s holds a key of another curve than P-256", path);
    }
    *key = wrap_key(pkey);
    return SY_OK;
}

void sy_p256_key_close(sy_p256_key *key)
{
    if (key == NULL) return;
    EVP_PKEY_free(key->pkey); // OpenSSL clears the secret half.
    free(key);
}

void sy_p256_key_public(const sy_p256_key *key, struct sy_p256_public *out)
{
    *out = key->public_key;
}

// --- signatures --------------------------------------------------------------------------------

void sy_es256_sign(const sy_p256_key *key, uint8_t out[SY_ES256_SIGNATURE_BYTES],
                   struct sy_slice message)
{
    uint8_t der[DER_BYTES_MAX];
    size_t size = sizeof der;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    SY_OPENSSL_MUST(ctx != NULL);
    SY_OPENSSL_MUST(
        EVP_DigestSignInit_ex(ctx, NULL, "SHA256", sy_openssl()->lib, NULL, key->pkey, NULL) == 1);
    SY_OPENSSL_MUST(EVP_DigestSign(ctx, der, &size, message.data, message.size) == 1);
    EVP_MD_CTX_free(ctx);
    const uint8_t *at = der;
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)size);
    SY_OPENSSL_MUST(signature != NULL);
    SY_OPENSSL_MUST(BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, 32) == 32);
    SY_OPENSSL_MUST(BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + 32, 32) == 32);
    ECDSA_SIG_free(signature);
}

// NULL: it is no point of the curve.
static EVP_PKEY *open_public(const struct sy_p256_public *key)
{
    uint8_t point[65] = {0x04}; // SEC 1: uncompressed
    char group[] = SN_X9_62_prime256v1;
    EVP_PKEY *pkey = NULL;
    memcpy(point + 1, key->x, 32);
    memcpy(point + 33, key->y, 32);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(sy_openssl()->lib, "EC", NULL);
    SY_OPENSSL_MUST(ctx != NULL);
    SY_OPENSSL_MUST(EVP_PKEY_fromdata_init(ctx) == 1);
    if (EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1) pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static size_t encode_der(uint8_t out[DER_BYTES_MAX],
                         const uint8_t signature[SY_ES256_SIGNATURE_BYTES])
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, 32, NULL);
    BIGNUM *s = BN_bin2bn(signature + 32, 32, NULL);
    SY_OPENSSL_MUST(pair != NULL && r != NULL && s != NULL);
    SY_OPENSSL_MUST(ECDSA_SIG_set0(pair, r, s) == 1); // pair owns both from here on
    uint8_t *at = out;
    int size = i2d_ECDSA_SIG(pair, &at);
    SY_ASSERT(size > 0 && size <= DER_BYTES_MAX);
    ECDSA_SIG_free(pair);
    return (size_t)size;
}

bool sy_es256_verify(const struct sy_p256_public *key,
                     const uint8_t signature[SY_ES256_SIGNATURE_BYTES], struct sy_slice message)
{
    uint8_t der[DER_BYTES_MAX];
    bool fine = false;
    ERR_set_mark();
    EVP_PKEY *pkey = open_public(key);
    if (pkey != NULL) {
        size_t size = encode_der(der, signature);
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        SY_OPENSSL_MUST(ctx != NULL);
        SY_OPENSSL_MUST(
            EVP_DigestVerifyInit_ex(ctx, NULL, "SHA256", sy_openssl()->lib, NULL, pkey, NULL) == 1);
        fine = EVP_DigestVerify(ctx, der, size, message.data, message.size) == 1;
        EVP_MD_CTX_free(ctx);
        EVP_PKEY_free(pkey);
    }
    ERR_pop_to_mark();
    return fine;
}
