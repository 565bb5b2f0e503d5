/* openssl_ed25519.h: Ed25519 verification of any message by OpenSSL, the oracle of every engine.
 *
 * Internal to core/crypto and its tests: what systole signs is always the 47 bytes of keys.h, but
 * published test vectors sign messages of every length. */
#ifndef SY_CRYPTO_OPENSSL_ED25519_H
#define SY_CRYPTO_OPENSSL_ED25519_H

#include <stdbool.h>

#include "core/base/bytes.h"

/* sy_openssl_ed25519_verify decides one signature as OpenSSL decides it: RFC 8032, cofactorless,
 * S < L, comparing the 32 encoded bytes of R. A key that is no point gives false. The thread keeps
 * a few keys ready (openssl_ctx.h). Any thread. */
bool sy_openssl_ed25519_verify(const struct sy_public_key *key, const void *message, size_t size,
                               const struct sy_signature *signature);

#endif
