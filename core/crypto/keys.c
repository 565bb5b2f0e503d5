/* keys.c: one signature decided. */
#include "core/crypto/keys.h"

#include "core/crypto/openssl_ed25519.h"

bool sy_verify_one(const struct sy_public_key *key, enum sy_sig_kind kind,
                   const struct sy_hash *digest, const struct sy_signature *signature)
{
    uint8_t message[SY_SIG_MESSAGE_BYTES];
    sy_sig_message(message, kind, digest);
    return sy_openssl_ed25519_verify(key, message, sizeof message, signature);
}

static bool verify_one(void *self, const struct sy_public_key *key, enum sy_sig_kind kind,
                       const struct sy_hash *digest, const struct sy_signature *signature)
{
    (void)self;
    return sy_verify_one(key, kind, digest, signature);
}

const struct sy_verifier sy_verifier_openssl = {NULL, verify_one};
