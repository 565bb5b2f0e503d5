/* openssl_hpke.h: the inner steps of hpke.h, for holding them to RFC 9180's vectors, which fix the
 * ephemeral key. Internal to core/crypto and its tests. */
#ifndef SY_CRYPTO_OPENSSL_HPKE_H
#define SY_CRYPTO_OPENSSL_HPKE_H

#include "core/crypto/aead.h"
#include "core/crypto/hpke.h"

/* Everything here is secret: whoever holds one wipes it. */
struct sy_hpke_context {
    uint8_t shared[32];
    uint8_t key[SY_AEAD_KEY_BYTES];
    uint8_t nonce[SY_AEAD_NONCE_BYTES]; /* of sequence number 0 */
};

/* sy_hpke_setup_sender is SetupBaseS with a given ephemeral key, sy_hpke_setup_recipient is
 * SetupBaseR. False: the other side's key is a point of small order. */
SY_MUST_CHECK bool sy_hpke_setup_sender(struct sy_hpke_context *context,
                                        uint8_t enc[SY_HPKE_ENC_BYTES],
                                        const sy_x25519_key *ephemeral,
                                        const struct sy_public_key *recipient,
                                        struct sy_slice info);
SY_MUST_CHECK bool sy_hpke_setup_recipient(struct sy_hpke_context *context,
                                           const sy_x25519_key *key,
                                           const uint8_t enc[SY_HPKE_ENC_BYTES],
                                           struct sy_slice info);

#endif
