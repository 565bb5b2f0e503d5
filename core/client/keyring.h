/* keyring.h: the secret keys a client holds for its organisations, one file each.
 *
 * A folder of mode 0700 with PKCS#8 PEM files of mode 0600. A key's name is 32 bytes that say
 * nothing (a label of the client store); the file is its hex with ".pem". Keys are opened when they
 * are first needed and the most recent ones stay open, at most SY_KEYRING_OPEN_MAX.
 *
 * A name is made once: making it again gives the key that is there, so a process that died between
 * writing the file and committing the client store goes on with the same key. A rehearsing keyring
 * touches no file: its public keys are random bytes and its signatures are zero. One thread at a
 * time. */
#ifndef SY_CLIENT_KEYRING_H
#define SY_CLIENT_KEYRING_H

#include "core/crypto/keys.h"

#define SY_KEYRING_OPEN_MAX 1024u

typedef struct sy_keyring sy_keyring;

/* sy_keyring_open makes the folder if needed. open_max: keys that stay open, 2 to
 * SY_KEYRING_OPEN_MAX; 0: that. rehearses: see above; path may then be NULL. */
sy_status sy_keyring_open(sy_keyring **keyring, const char *path, unsigned open_max, bool rehearses,
                          struct sy_error *err);
/* sy_keyring_close wipes and forgets every open key. NULL is fine. */
void sy_keyring_close(sy_keyring *keyring);

/* sy_keyring_adopt puts a key that lives elsewhere (a regulator's) under a name until close; the
 * keyring owns it from then on. */
sy_status sy_keyring_adopt(sy_keyring *keyring, const struct sy_hash *name, sy_secret_key *key,
                           struct sy_error *err);

/* sy_keyring_make makes an Ed25519 key, durable when it returns, and gives its public half. */
sy_status sy_keyring_make(sy_keyring *keyring, struct sy_public_key *out,
                          const struct sy_hash *name, struct sy_error *err);

/* sy_keyring_make_x25519 makes an X25519 key, always a fresh one: its file is the name's hex, "-"
 * and the first 16 digits of the public half, ".x25519.pem". Durable after sy_keyring_sync. */
sy_status sy_keyring_make_x25519(sy_keyring *keyring, struct sy_public_key *out,
                                 const struct sy_hash *name, struct sy_error *err);

/* sy_keyring_sync makes the names of all keys durable: before anything that names one goes out. */
sy_status sy_keyring_sync(sy_keyring *keyring, struct sy_error *err);

/* sy_keyring_sign signs with the named key. SY_ERR_NOT_FOUND: its file is gone. */
sy_status sy_keyring_sign(sy_keyring *keyring, struct sy_signature *out, const struct sy_hash *name,
                          enum sy_sig_kind kind, const struct sy_hash *digest,
                          struct sy_error *err);

#endif
