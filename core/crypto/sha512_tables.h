/* sha512_tables.h: the constants of SHA-512 (FIPS 180-4), and the fixed part of the one block that
 * is hashed (sha512_many.h). Internal to core/crypto. */
#ifndef SY_CRYPTO_SHA512_TABLES_H
#define SY_CRYPTO_SHA512_TABLES_H

#include "core/crypto/sha512_many.h"

#define SY_SHA512_ROUNDS 80

/* Where kind and digest go in the second half of the block. */
#define SY_CHALLENGE_KIND_AT 14
#define SY_CHALLENGE_DIGEST_AT 15

/* FIPS 180-4, 4.2.3 and 5.3.5. */
extern const uint64_t sy_sha512_k[SY_SHA512_ROUNDS];
extern const uint64_t sy_sha512_start[8];

/* The second half of the block, kind and digest left zero. */
extern const uint8_t sy_challenge_tail[64];

/* The ways, for sha512_many.c to choose from. */
extern const struct sy_sha512_many sy_sha512_portable;
extern const struct sy_sha512_many sy_sha512_avx512; /* x86-64 alone, where sy_cpu says so */

#endif
