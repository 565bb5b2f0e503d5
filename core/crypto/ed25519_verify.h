/* ed25519_verify.h: Ed25519 verification in plain C, a few dozen signatures at a time.
 *
 * Cofactorless, as OpenSSL decides it on any 32 bytes of key (RFC 8032 5.1.7 without the
 * multiplication by 8): S < L, R' = S B - k A with k reduced mod L, and the encoding of R' must be
 * the 32 bytes of R. Each verdict depends on its job alone; together they only share an inversion.
 * Public data, variable time. */
#ifndef SY_CRYPTO_ED25519_VERIFY_H
#define SY_CRYPTO_ED25519_VERIFY_H

#include "core/crypto/ed25519_comb.h"

#define SY_ED25519_TOGETHER 64

struct sy_ed25519_job {
    const uint8_t *key;                /* 32 bytes */
    const uint8_t *signature;          /* 64 bytes */
    const struct sy_comb_table *table; /* of this very key, or NULL */
    uint8_t hash[64];                  /* SHA-512(R || A || message) */
};

/* sy_ed25519_verify writes 1 or 0 for each of count <= SY_ED25519_TOGETHER jobs. Any thread. */
void sy_ed25519_verify(uint8_t *verdicts, const struct sy_ed25519_job *jobs, size_t count);

#endif
