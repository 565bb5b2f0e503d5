/* aead.h: AES-256-GCM (NIST SP 800-38D) for frames between validators and their clients.
 *
 * The caller chooses each 96-bit nonce and must never use one twice under a key: GCM then gives the
 * authentication key away. Links count their frames and stop long before a counter wraps. */
#ifndef SY_CRYPTO_AEAD_H
#define SY_CRYPTO_AEAD_H

#include <stdbool.h>

#include "core/base/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SY_AEAD_KEY_BYTES 32
#define SY_AEAD_NONCE_BYTES 12
#define SY_AEAD_TAG_BYTES 16

typedef struct sy_aead_key sy_aead_key; /* the expanded key in two reusable OpenSSL contexts */

/* sy_aead_key_open expands a key; the caller may wipe bytes at once. Never fails. One thread at a
 * time may use a key. */
sy_aead_key *sy_aead_key_open(const uint8_t bytes[SY_AEAD_KEY_BYTES]);

/* sy_aead_key_close wipes and frees; NULL is fine. */
void sy_aead_key_close(sy_aead_key *key);

/* sy_aead_seal writes the ciphertext of plain and then its tag: plain.size + SY_AEAD_TAG_BYTES
 * bytes. out may be plain.data, but may not overlap it otherwise. plain.size + aad.size is at most
 * INT32_MAX, asserted. */
void sy_aead_seal(sy_aead_key *key, uint8_t *out, const uint8_t nonce[SY_AEAD_NONCE_BYTES],
                  struct sy_slice aad, struct sy_slice plain);

/* sy_aead_open undoes it: writes sealed.size - SY_AEAD_TAG_BYTES bytes. False, and these bytes
 * zeroed, when anything was changed or sealed is shorter than a tag. out may be sealed.data. */
bool sy_aead_open(sy_aead_key *key, uint8_t *out, const uint8_t nonce[SY_AEAD_NONCE_BYTES],
                  struct sy_slice aad, struct sy_slice sealed);

#ifdef __cplusplus
}
#endif
#endif
