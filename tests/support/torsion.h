/* torsion.h: signatures under keys, and with R, that have a part of small order: no honest signer
 * makes them, and a verifier that multiplies by the cofactor, or takes numbers mod L where it must
 * not, decides them otherwise than OpenSSL. */
#ifndef SY_TESTS_SUPPORT_TORSION_H
#define SY_TESTS_SUPPORT_TORSION_H

#include "core/crypto/engine.h"

/* torsion_sign makes a signature by key number `secret` (1 and up) of which the public key has
 * key_part times a point of order 8 added, and R r_part times (0 to 7 both). nonce: another number,
 * another signature. kind and digest of the job are given. It is valid if k key_part + r_part is 0
 * mod 8, where k is its challenge: for one r_part in eight. */
void torsion_sign(struct sy_sig_job *job, uint64_t secret, uint64_t nonce, unsigned key_part,
                  unsigned r_part);

#endif
