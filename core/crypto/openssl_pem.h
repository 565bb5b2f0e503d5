/* openssl_pem.h: secret keys in files: PKCS#8 PEM, mode 0600, optionally under a passphrase.
 *
 * Internal to core/crypto. An encrypted file is PBES2 (RFC 8018): PBKDF2 with HMAC-SHA-256,
 * SY_PEM_ITERATIONS rounds and a random 16-byte salt, then AES-256-CBC. A passphrase is the first
 * line of a file that group and others cannot read either. */
#ifndef SY_CRYPTO_OPENSSL_PEM_H
#define SY_CRYPTO_OPENSSL_PEM_H

#include <openssl/evp.h>

#include "core/base/status.h"

#define SY_PEM_BYTES_MAX 16384
#define SY_PASSPHRASE_BYTES_MAX 512
#define SY_PEM_ITERATIONS 600000

/* sy_pem_load reads the secret key in path, which must be of the given algorithm ("ED25519",
 * "X25519"). passphrase_path may be NULL. The caller frees *key. */
SY_MUST_CHECK sy_status sy_pem_load(EVP_PKEY **key, const char *path, const char *passphrase_path,
                                    const char *algorithm, struct sy_error *err);

/* sy_pem_save writes a new file, durable when it returns SY_OK; SY_ERR_EXISTS when path exists.
 * Nothing is left at path after a failure. */
SY_MUST_CHECK sy_status sy_pem_save(EVP_PKEY *key, const char *path, const char *passphrase_path,
                                    struct sy_error *err);

#endif
