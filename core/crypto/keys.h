/* keys.h: Ed25519 keys and how systole signs. Secrets live in OpenSSL's hands only.
 *
 * A signed message is "systole-sig-v1" (14 bytes) || kind (1) || digest (32): 47 bytes, so that
 * SHA-512(R || A || message) is exactly one compression. No signature of one kind can be one of
 * another. Key files are PKCS#8 PEM with mode 0600, optionally encrypted (PBES2: PBKDF2 with
 * HMAC-SHA-256, AES-256-CBC) under a passphrase, the first line of a file of mode 0600. */
#ifndef SY_CRYPTO_KEYS_H
#define SY_CRYPTO_KEYS_H

#include <stdbool.h>

#include "core/base/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

enum sy_sig_kind {
    SY_SIG_TX = 1,
    SY_SIG_POSSESSION = 2,
    SY_SIG_BATCH = 3,
    SY_SIG_PRE_PREPARE = 4,
    SY_SIG_PREPARE = 5,
    SY_SIG_COMMIT = 6,
    SY_SIG_VIEW_CHANGE = 7,
    SY_SIG_NEW_VIEW = 8,
    SY_SIG_SEAL = 9,
    SY_SIG_APPROVAL = 10,
    SY_SIG_STATUS = 11,
    SY_SIG_READ = 12,
    SY_SIG_EVIDENCE = 13,
    SY_SIG_KIND_COUNT
};

#define SY_SIG_MESSAGE_BYTES 47

typedef struct sy_secret_key sy_secret_key; /* an EVP_PKEY and a reusable context */

/* sy_sig_message writes the 47 bytes that are signed. Asserts that kind is one of the above. Any
 * thread. */
void sy_sig_message(uint8_t out[SY_SIG_MESSAGE_BYTES], enum sy_sig_kind kind,
                    const struct sy_hash *digest);

/* sy_secret_key_generate makes a fresh key from the system's randomness; the caller closes it.
 * sy_secret_key_close wipes and frees; NULL is fine. */
sy_status sy_secret_key_generate(sy_secret_key **key, struct sy_error *err);
void sy_secret_key_close(sy_secret_key *key);

/* sy_secret_key_from_seed makes the RFC 8032 key of a 32-byte seed (tests, deterministic
 * benches). */
sy_status sy_secret_key_from_seed(sy_secret_key **key, const uint8_t seed[32]);

/* sy_secret_key_load reads a PKCS#8 PEM file. passphrase_path may be NULL. Fails with a sentence
 * that says what to do: SY_ERR_NOT_FOUND; SY_ERR_PERMISSION, when group or others can use either
 * file; SY_ERR_FORMAT, no PKCS#8 PEM; SY_ERR_CRYPTO, the wrong passphrase; SY_ERR_ARGUMENT, another
 * kind of key, an encrypted one without a passphrase file, an empty passphrase; SY_ERR_LIMIT, a
 * file too long; SY_ERR_IO. Never asks at the terminal. */
sy_status sy_secret_key_load(sy_secret_key **key, const char *path, const char *passphrase_path,
                             struct sy_error *err);

/* sy_secret_key_save writes a new file of mode 0600, durable when it returns SY_OK; an existing
 * path is SY_ERR_EXISTS. A failure leaves nothing at path. */
sy_status sy_secret_key_save(const sy_secret_key *key, const char *path,
                             const char *passphrase_path, struct sy_error *err);

/* sy_secret_key_public copies the public half out. Any thread. */
void sy_secret_key_public(const sy_secret_key *key, struct sy_public_key *out);

/* sy_sign signs; deterministic (RFC 8032). One thread at a time per key. */
void sy_sign(const sy_secret_key *key, struct sy_signature *out, enum sy_sig_kind kind,
             const struct sy_hash *digest);

/* sy_verify_one decides one signature with OpenSSL: for tools, tests and self-checks. Bulk work
 * goes through engine.h. Any thread. */
bool sy_verify_one(const struct sy_public_key *key, enum sy_sig_kind kind,
                   const struct sy_hash *digest, const struct sy_signature *signature);

/* Who decides single signatures where it need not be OpenSSL: an HSM, or a simulator. */
struct sy_verifier {
    void *self; /* kept by the holder; borrowed for each call */
    bool (*verify)(void *self, const struct sy_public_key *key, enum sy_sig_kind kind,
                   const struct sy_hash *digest, const struct sy_signature *signature);
};

extern const struct sy_verifier sy_verifier_openssl;

/* sy_key_enrollable says whether a public key may ever be enrolled: canonical, on the curve, not
 * of small order and torsion-free. libsodium decides (sodium_point.c says with what). The same
 * answer on every machine. Any thread. */
bool sy_key_enrollable(const struct sy_public_key *key);

#define SY_X25519_BYTES 32

/* sy_x25519_generate makes a fresh X25519 key, to which content keys are wrapped, writes its secret
 * half to a new file as sy_secret_key_save does, and its public half to public_out. */
sy_status sy_x25519_generate(uint8_t public_out[SY_X25519_BYTES], const char *path,
                             const char *passphrase_path, struct sy_error *err);

#ifdef __cplusplus
}
#endif
#endif
