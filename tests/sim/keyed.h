/* keyed.h: a keyed hash that stands for signatures, so that a world costs milliseconds.
 *
 * A signature under a public key is a hash of (key, kind, digest) under a secret of the world. The
 * simulator holds the secret and signs for whoever owns a key; the code under test sees nothing but
 * the engine's verdicts, so for it nothing has changed: what was not signed does not verify. What a
 * transaction's body itself carries (possession proofs) keeps its Ed25519 signature, because the
 * body is what the transaction's id is made of; the engine checks those with OpenSSL.
 *
 * One world in a hundred uses Ed25519 and sy_engine for everything (sim_options_draw). */
#ifndef SY_TESTS_SIM_KEYED_H
#define SY_TESTS_SIM_KEYED_H

#include "core/crypto/engine.h"

struct sim_keyed {
    uint64_t secret[2];
};

/* sim_keyed_sign signs as the owner of key would. Pure. */
void sim_keyed_sign(const struct sim_keyed *keyed, struct sy_signature *out,
                    const struct sy_public_key *key, enum sy_sig_kind kind,
                    const struct sy_hash *digest);

/* sim_keyed_verify decides one signature; every bit of it counts. Pure. */
bool sim_keyed_verify(const struct sim_keyed *keyed, const struct sy_public_key *key,
                      enum sy_sig_kind kind, const struct sy_hash *digest,
                      const struct sy_signature *signature);

/* sim_keyed_engine is an engine implementation whose state is a struct sim_keyed. It cannot pass
 * sy_engine_open's known answers, which are Ed25519's: call its run directly. */
extern const struct sy_engine_impl sim_keyed_engine;

#endif
