/* signer.h: who signs for a validator. The consensus key may live in this process, in an HSM or
 * with a remote signer; whoever it is gets the kind and the digest, never free bytes, and may keep
 * its own memory of what it signed last. */
#ifndef SY_CRYPTO_SIGNER_H
#define SY_CRYPTO_SIGNER_H

#include "core/crypto/keys.h"

struct sy_signer {
    void *self; /* kept by the holder; borrowed for each call */
    /* sign fills out; deterministic: the same digest gives the same bytes. */
    void (*sign)(void *self, struct sy_signature *out, enum sy_sig_kind kind,
                 const struct sy_hash *digest);
};

static inline void sy_signer_key_sign(void *self, struct sy_signature *out, enum sy_sig_kind kind,
                                      const struct sy_hash *digest)
{
    sy_sign((const sy_secret_key *)self, out, kind, digest);
}

/* sy_signer_of_key signs with a key in this process, which must outlive the signer. */
static inline struct sy_signer sy_signer_of_key(sy_secret_key *key)
{
    struct sy_signer signer = {key, sy_signer_key_sign};
    return signer;
}

#endif
