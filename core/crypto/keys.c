/* keys.c: the message that is signed, and one signature decided. */
#include "core/crypto/keys.h"

#include "core/base/assert.h"
#include "core/crypto/openssl_ed25519.h"

void sy_sig_message(uint8_t out[SY_SIG_MESSAGE_BYTES], enum sy_sig_kind kind,
                    const struct sy_hash *digest)
{
    static const uint8_t tag[14] = {'s', 'y', 's', 't', 'o', 'l', 'e',
                                    '-', 's', 'i', 'g', '-', 'v', '1'};
    _Static_assert(sizeof tag + 1 + sizeof digest->bytes == SY_SIG_MESSAGE_BYTES,
                   "tag, kind and digest fill the message");
    SY_ASSERT(kind >= SY_SIG_TX && kind < SY_SIG_KIND_COUNT);
    memcpy(out, tag, sizeof tag);
    out[sizeof tag] = (uint8_t)kind;
    memcpy(out + sizeof tag + 1, digest->bytes, sizeof digest->bytes);
}

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
