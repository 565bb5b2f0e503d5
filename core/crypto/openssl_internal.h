/* openssl_internal.h: the one door through which a secret key's OpenSSL object is seen outside
 * core/crypto. Only files named openssl_* or tls_* may include this header. */
#ifndef SY_CRYPTO_OPENSSL_INTERNAL_H
#define SY_CRYPTO_OPENSSL_INTERNAL_H

#include <openssl/evp.h>

#include "core/crypto/keys.h"

/* sy_secret_key_evp lends the key's EVP_PKEY for the key's life. Whoever keeps it longer takes a
 * reference (EVP_PKEY_up_ref). Any thread. */
EVP_PKEY *sy_secret_key_evp(const sy_secret_key *key);

#endif
