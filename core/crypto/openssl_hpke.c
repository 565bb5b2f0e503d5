/* openssl_hpke.c: see hpke.h. Names and steps are RFC 9180's. */
#include "core/crypto/openssl_hpke.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/crypto/keys.h"
#include "core/crypto/openssl_ctx.h"
#include "core/crypto/openssl_pem.h"

#define HASH_BYTES 32 // Nh and Nsecret of the suite

struct sy_x25519_key {
    EVP_PKEY *pkey;
    struct sy_public_key public_key;
};

// --- keys --------------------------------------------------------------------------------------

// Takes over pkey.
static sy_x25519_key *wrap_key(EVP_PKEY *pkey)
{
    sy_x25519_key *key = calloc(1, sizeof *key);
    SY_OPENSSL_MUST(key != NULL);
    key->pkey = pkey;
    size_t size = sizeof key->public_key.bytes;
    SY_OPENSSL_MUST(EVP_PKEY_get_raw_public_key(pkey, key->public_key.bytes, &size) == 1);
    SY_ASSERT(size == sizeof key->public_key.bytes);
    return key;
}

sy_status sy_x25519_key_load(sy_x25519_key **key, const char *path, const char *passphrase_path,
                             struct sy_error *err)
{
    EVP_PKEY *pkey = NULL;
    *key = NULL;
    SY_TRY(sy_pem_load(&pkey, path, passphrase_path, "X25519", err));
    *key = wrap_key(pkey);
    return SY_OK;
}

sy_status sy_x25519_key_from_bytes(sy_x25519_key **key, const uint8_t bytes[32])
{
    *key = NULL;
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key_ex(sy_openssl()->lib, "X25519", NULL, bytes, 32);
    if (pkey == NULL) return SY_ERR_CRYPTO;
    *key = wrap_key(pkey);
    return SY_OK;
}

void sy_x25519_key_close(sy_x25519_key *key)
{
    if (key == NULL) return;
    EVP_PKEY_free(key->pkey); // OpenSSL clears the secret half.
    free(key);
}

void sy_x25519_key_public(const sy_x25519_key *key, struct sy_public_key *out)
{
    *out = key->public_key;
}

// --- HKDF (RFC 5869), labelled (RFC 9180 4) -----------------------------------------------------

// Which algorithms the labels are of: "KEM" and its number, or "HPKE" and all three.
static const uint8_t kem_suite[] = {'K', 'E', 'M', 0x00, 0x20};
static const uint8_t hpke_suite[] = {'H', 'P', 'K', 'E', 0x00, 0x20, 0x00, 0x01, 0x00, 0x02};
#define SUITE(bytes) sy_slice_of(bytes, sizeof(bytes))

// "HPKE-v1" || suite || label || what is extracted or expanded, and a length before.
struct labelled {
    uint8_t bytes[2 + 7 + sizeof hpke_suite + 16 + SY_HPKE_INFO_BYTES_MAX];
    size_t size;
};

static void append(struct labelled *out, const void *data, size_t size)
{
    SY_ASSERT(size <= sizeof out->bytes - out->size);
    if (size > 0) memcpy(out->bytes + out->size, data, size);
    out->size += size;
}

static void append_label(struct labelled *out, struct sy_slice suite, const char *label)
{
    append(out, "HPKE-v1", 7);
    append(out, suite.data, suite.size);
    append(out, label, strlen(label));
}

// Runs HKDF in one of its two steps; what it held is wiped when its context is freed.
static void run_hkdf(uint8_t *out, size_t size, int mode, const OSSL_PARAM *rest)
{
    EVP_KDF *kdf = EVP_KDF_fetch(sy_openssl()->lib, "HKDF", NULL);
    SY_OPENSSL_MUST(kdf != NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    SY_OPENSSL_MUST(ctx != NULL);
    char digest[] = "SHA256";
    OSSL_PARAM first[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        OSSL_PARAM_construct_end(),
    };
    SY_OPENSSL_MUST(EVP_KDF_CTX_set_params(ctx, first) == 1);
    SY_OPENSSL_MUST(EVP_KDF_derive(ctx, out, size, rest) == 1);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
}

// LabeledExtract. Without a salt HKDF takes zeros.
static void extract(uint8_t out[HASH_BYTES], const uint8_t *salt, struct sy_slice suite,
                    const char *label, struct sy_slice ikm)
{
    struct labelled text = {.size = 0};
    uint8_t none[HASH_BYTES] = {0};
    append_label(&text, suite, label);
    append(&text, ikm.data, ikm.size);
    if (salt != NULL) memcpy(none, salt, sizeof none);
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, text.bytes, text.size),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, none, sizeof none),
        OSSL_PARAM_construct_end(),
    };
    run_hkdf(out, HASH_BYTES, EVP_KDF_HKDF_MODE_EXTRACT_ONLY, params);
    sy_wipe(&text, sizeof text);
    sy_wipe(none, sizeof none);
}

// LabeledExpand.
static void expand(uint8_t *out, size_t size, uint8_t prk[HASH_BYTES], struct sy_slice suite,
                   const char *label, struct sy_slice info)
{
    struct labelled text = {.size = 0};
    const uint8_t length[2] = {0, (uint8_t)size}; // I2OSP(L, 2); L <= 32
    append(&text, length, sizeof length);
    append_label(&text, suite, label);
    append(&text, info.data, info.size);
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, prk, HASH_BYTES),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, text.bytes, text.size),
        OSSL_PARAM_construct_end(),
    };
    run_hkdf(out, size, EVP_KDF_HKDF_MODE_EXPAND_ONLY, params);
}

// --- DHKEM (4.1) and the key schedule (5.1) -----------------------------------------------------

// X25519. False: the result would be zero, whoever's the secret half: a point of small order.
static bool agree(uint8_t out[HASH_BYTES], EVP_PKEY *own, const uint8_t other[32])
{
    size_t size = HASH_BYTES;
    bool fine = false;
    ERR_set_mark();
    EVP_PKEY *peer = EVP_PKEY_new_raw_public_key_ex(sy_openssl()->lib, "X25519", NULL, other, 32);
    SY_OPENSSL_MUST(peer != NULL);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(sy_openssl()->lib, own, NULL);
    SY_OPENSSL_MUST(ctx != NULL);
    SY_OPENSSL_MUST(EVP_PKEY_derive_init(ctx) == 1);
    if (EVP_PKEY_derive_set_peer(ctx, peer) == 1) {
        fine = EVP_PKEY_derive(ctx, out, &size) == 1 && size == HASH_BYTES;
    }
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
    ERR_pop_to_mark();
    return fine;
}

// ExtractAndExpand: the shared secret of a Diffie-Hellman secret and both public keys.
static void share(uint8_t out[HASH_BYTES], const uint8_t dh[HASH_BYTES], const uint8_t enc[32],
                  const uint8_t recipient[32])
{
    uint8_t prk[HASH_BYTES];
    uint8_t both[64];
    memcpy(both, enc, 32);
    memcpy(both + 32, recipient, 32);
    extract(prk, NULL, SUITE(kem_suite), "eae_prk", sy_slice_of(dh, HASH_BYTES));
    expand(out, HASH_BYTES, prk, SUITE(kem_suite), "shared_secret", SUITE(both));
    sy_wipe(prk, sizeof prk);
}

// KeySchedule in mode_base: no pre-shared key, whose id is empty.
static void schedule(struct sy_hpke_context *context, struct sy_slice info)
{
    uint8_t secret[HASH_BYTES];
    uint8_t bound[1 + 2 * HASH_BYTES] = {0x00}; // mode_base
    const struct sy_slice empty = sy_slice_of(NULL, 0);
    extract(bound + 1, NULL, SUITE(hpke_suite), "psk_id_hash", empty);
    extract(bound + 1 + HASH_BYTES, NULL, SUITE(hpke_suite), "info_hash", info);
    extract(secret, context->shared, SUITE(hpke_suite), "secret", empty);
    expand(context->key, sizeof context->key, secret, SUITE(hpke_suite), "key", SUITE(bound));
    expand(context->nonce, sizeof context->nonce, secret, SUITE(hpke_suite), "base_nonce",
           SUITE(bound));
    sy_wipe(secret, sizeof secret);
}

static bool set_up(struct sy_hpke_context *context, const sy_x25519_key *own,
                   const uint8_t other[32], const uint8_t enc[32], const uint8_t recipient[32],
                   struct sy_slice info)
{
    uint8_t dh[HASH_BYTES] = {0};
    SY_ASSERT(info.size <= SY_HPKE_INFO_BYTES_MAX);
    bool fine = agree(dh, own->pkey, other);
    if (fine) {
        share(context->shared, dh, enc, recipient);
        schedule(context, info);
    }
    sy_wipe(dh, sizeof dh);
    return fine;
}

bool sy_hpke_setup_sender(struct sy_hpke_context *context, uint8_t enc[SY_HPKE_ENC_BYTES],
                          const sy_x25519_key *ephemeral, const struct sy_public_key *recipient,
                          struct sy_slice info)
{
    memcpy(enc, ephemeral->public_key.bytes, SY_HPKE_ENC_BYTES);
    return set_up(context, ephemeral, recipient->bytes, enc, recipient->bytes, info);
}

bool sy_hpke_setup_recipient(struct sy_hpke_context *context, const sy_x25519_key *key,
                             const uint8_t enc[SY_HPKE_ENC_BYTES], struct sy_slice info)
{
    return set_up(context, key, enc, enc, key->public_key.bytes, info);
}

// --- single shot (6.1) --------------------------------------------------------------------------

bool sy_hpke_seal(uint8_t enc[SY_HPKE_ENC_BYTES], uint8_t *sealed,
                  const struct sy_public_key *recipient, struct sy_slice info, struct sy_slice aad,
                  struct sy_slice plain)
{
    struct sy_hpke_context context;
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(sy_openssl()->lib, NULL, "X25519");
    SY_OPENSSL_MUST(pkey != NULL);
    sy_x25519_key *ephemeral = wrap_key(pkey);
    bool fine = sy_hpke_setup_sender(&context, enc, ephemeral, recipient, info);
    sy_x25519_key_close(ephemeral);
    if (fine) {
        sy_aead_key *key = sy_aead_key_open(context.key);
        sy_aead_seal(key, sealed, context.nonce, aad, plain);
        sy_aead_key_close(key);
    }
    sy_wipe(&context, sizeof context);
    return fine;
}

bool sy_hpke_open(uint8_t *plain, const sy_x25519_key *key, const uint8_t enc[SY_HPKE_ENC_BYTES],
                  struct sy_slice info, struct sy_slice aad, struct sy_slice sealed)
{
    struct sy_hpke_context context;
    if (sealed.size < SY_HPKE_TAG_BYTES) return false;
    bool fine = sy_hpke_setup_recipient(&context, key, enc, info);
    if (fine) {
        sy_aead_key *aead = sy_aead_key_open(context.key);
        fine = sy_aead_open(aead, plain, context.nonce, aad, sealed);
        sy_aead_key_close(aead);
    } else if (sealed.size > SY_HPKE_TAG_BYTES) {
        sy_wipe(plain, sealed.size - SY_HPKE_TAG_BYTES);
    }
    sy_wipe(&context, sizeof context);
    return fine;
}
