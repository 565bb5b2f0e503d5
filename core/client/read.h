/* read.h: signed reads (core/wire/request.h): what a client asks about a subject, in its own name.
 *
 * A read is signed with the time and a fresh nonce, so it can be used once. What comes back must be
 * about what was asked: sy_read_fits compares, because a proof says only that something is so, not
 * that it answers a question. Pure but for clock and randomness; any thread. */
#ifndef SY_CLIENT_READ_H
#define SY_CLIENT_READ_H

#include "core/crypto/keys.h"
#include "core/wire/genesis.h"
#include "core/wire/proof.h"
#include "core/wire/request.h"

/* sy_read_sign fills nonce, time, reader and signature; everything else is the caller's. */
void sy_read_sign(struct sy_read_request *read, const sy_secret_key *key,
                  const struct sy_genesis *genesis);

/* sy_read_fits says whether a decoded proof is about what was asked. */
bool sy_read_fits(const struct sy_proof *proof, const struct sy_read_request *read);

#endif
