/* hpke.h: sealing to somebody's X25519 key: RFC 9180 (HPKE), base mode, single shot.
 *
 *     suite   DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001, AES-256-GCM 0x0002
 *
 *     enc, shared   = Encap(recipient)                a fresh key pair a message, RFC 9180 4.1
 *     key, nonce    = KeySchedule(base, shared, info) RFC 9180 5.1
 *     sealed        = AES-256-GCM(key, nonce, aad, plain), tag last
 *
 * Each message has a key of its own, so its nonce is the schedule's base nonce (sequence number 0)
 * and none is ever used twice. Whoever has the recipient's secret half opens it; who sealed it, it
 * does not say. OpenSSL 3.0 has no HPKE, so its parts are put together here from EVP's; secrets are
 * in OpenSSL's objects, or in memory that is wiped before a function returns.
 *
 * X25519 keys are apart from keys that sign (keys.h): their files hold PKCS#8 PEM of that type. */
#ifndef SY_CRYPTO_HPKE_H
#define SY_CRYPTO_HPKE_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SY_HPKE_ENC_BYTES 32
#define SY_HPKE_TAG_BYTES 16

typedef struct sy_x25519_key sy_x25519_key; /* an EVP_PKEY and its public half */

/* sy_x25519_key_load reads the secret half that sy_x25519_generate (keys.h) wrote. Fails like
 * sy_secret_key_load. The caller closes it. */
sy_status sy_x25519_key_load(sy_x25519_key **key, const char *path, const char *passphrase_path,
                             struct sy_error *err);

/* sy_x25519_key_from_bytes makes the key of 32 secret bytes (RFC 7748); the caller wipes them. */
sy_status sy_x25519_key_from_bytes(sy_x25519_key **key, const uint8_t bytes[32]);

/* sy_x25519_key_close wipes and frees; NULL is fine. */
void sy_x25519_key_close(sy_x25519_key *key);

/* sy_x25519_key_public copies the public half out. Any thread. */
void sy_x25519_key_public(const sy_x25519_key *key, struct sy_public_key *out);

/* sy_hpke_seal seals plain to recipient: writes enc and plain.size + SY_HPKE_TAG_BYTES bytes, which
 * may not overlap plain. info says what for, aad what it goes with: whoever opens it has to give
 * the same. info.size is at most SY_HPKE_INFO_BYTES_MAX (asserted), aad and plain as sy_aead_seal
 * says. False: recipient is a point of small order, to which nothing can be sealed (RFC
 * 9180 7.1.4). Any thread. */
#define SY_HPKE_INFO_BYTES_MAX 128
SY_MUST_CHECK bool sy_hpke_seal(uint8_t enc[SY_HPKE_ENC_BYTES], uint8_t *sealed,
                                const struct sy_public_key *recipient, struct sy_slice info,
                                struct sy_slice aad, struct sy_slice plain);

/* sy_hpke_open undoes it: writes sealed.size - SY_HPKE_TAG_BYTES bytes. False, and these bytes
 * zeroed, when it was not sealed to this key, with these info and aad, or was changed; also when
 * sealed is shorter than a tag. Any thread. */
SY_MUST_CHECK bool sy_hpke_open(uint8_t *plain, const sy_x25519_key *key,
                                const uint8_t enc[SY_HPKE_ENC_BYTES], struct sy_slice info,
                                struct sy_slice aad, struct sy_slice sealed);

#ifdef __cplusplus
}
#endif
#endif
