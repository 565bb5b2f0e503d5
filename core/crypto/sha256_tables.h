/* sha256_tables.h: the constants of SHA-256 (FIPS 180-4), and the schedule of a pair's second
 * block. Internal to core/crypto. */
#ifndef SY_CRYPTO_SHA256_TABLES_H
#define SY_CRYPTO_SHA256_TABLES_H

#include "core/crypto/sha256_many.h"

#define SY_SHA256_ROUNDS 64

/* FIPS 180-4, 4.2.2 and 5.3.3. */
extern const uint32_t sy_sha256_k[SY_SHA256_ROUNDS];
extern const uint32_t sy_sha256_start[8];

/* Row b holds K[t] + W[t], t = 0 .. 63, of the block that follows the first 64 of a 65-byte message
 * whose last byte is b. */
struct sy_sha256_row {
    uint32_t kw[SY_SHA256_ROUNDS];
};

/* sy_sha256_pair_tails returns the 256 rows, 64-byte aligned; made at the first call, for good. Any
 * thread. */
const struct sy_sha256_row *sy_sha256_pair_tails(void);

/* sy_sha256_compress adds one block to a state, in plain C; sy_sha256_compress_sha_ni likewise
 * where sy_cpu()->sha_ni. sy_sha256_store writes a state as a hash. */
void sy_sha256_compress(uint32_t state[8], const uint8_t block[64]);
void sy_sha256_compress_sha_ni(uint32_t state[8], const uint8_t block[64]);
void sy_sha256_store(struct sy_hash *out, const uint32_t state[8]);

/* The ways, for sha256_many.c to choose from. Those of x86 exist on x86-64 alone, and run only
 * where sy_cpu says so. */
extern const struct sy_sha256_many sy_sha256_portable;
extern const struct sy_sha256_many sy_sha256_sha_ni;
extern const struct sy_sha256_many sy_sha256_avx512;
extern const struct sy_sha256_many sy_sha256_avx512_sha_ni;

#endif
