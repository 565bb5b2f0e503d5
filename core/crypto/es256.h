/* es256.h: ECDSA on P-256 with SHA-256 (FIPS 186-4; RFC 7518 3.4, "ES256"), for SMART Health Cards
 * alone: nothing on the ledger is signed so.
 *
 * Signatures are r || s, 32 bytes each, big-endian. Secret halves stay in OpenSSL's hands; their
 * files are PKCS#8 PEM of mode 0600, as keys.h says. */
#ifndef SY_CRYPTO_ES256_H
#define SY_CRYPTO_ES256_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SY_ES256_SIGNATURE_BYTES 64

struct sy_p256_public {
    uint8_t x[32]; /* big-endian */
    uint8_t y[32];
};

typedef struct sy_p256_key sy_p256_key; /* an EVP_PKEY and its public half */

/* sy_p256_generate makes a fresh key, writes its secret half to a new file as sy_secret_key_save
 * does, and its public half to public_out. */
sy_status sy_p256_generate(struct sy_p256_public *public_out, const char *path,
                           const char *passphrase_path, struct sy_error *err);

/* sy_p256_key_load reads such a file. Fails like sy_secret_key_load. The caller closes it. */
sy_status sy_p256_key_load(sy_p256_key **key, const char *path, const char *passphrase_path,
                           struct sy_error *err);
void sy_p256_key_close(sy_p256_key *key); /* wipes; NULL is fine */
void sy_p256_key_public(const sy_p256_key *key, struct sy_p256_public *out);

/* sy_es256_sign signs a message; each signature is another one, for its nonce is random. Any
 * thread. */
void sy_es256_sign(const sy_p256_key *key, uint8_t out[SY_ES256_SIGNATURE_BYTES],
                   struct sy_slice message);

/* sy_es256_verify: false also for a public key that is no point of the curve. Any thread. */
bool sy_es256_verify(const struct sy_p256_public *key,
                     const uint8_t signature[SY_ES256_SIGNATURE_BYTES], struct sy_slice message);

#ifdef __cplusplus
}
#endif
#endif
