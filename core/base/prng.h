/* prng.h: a small deterministic generator for simulations and tests (xoshiro256**, seeded by
 * splitmix64; Blackman & Vigna 2018). Never for keys, salts or nonces: those come from
 * sy_os_random. */
#ifndef SY_BASE_PRNG_H
#define SY_BASE_PRNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sy_prng {
    uint64_t s[4];
} sy_prng;

void sy_prng_seed(sy_prng *prng, uint64_t seed);
uint64_t sy_prng_next(sy_prng *prng);
/* sy_prng_below draws uniformly from [0, bound); bound > 0. */
uint64_t sy_prng_below(sy_prng *prng, uint64_t bound);
/* sy_prng_chance is true with probability numerator / denominator. */
bool sy_prng_chance(sy_prng *prng, uint64_t numerator, uint64_t denominator);
void sy_prng_fill(sy_prng *prng, void *out, size_t size);

#ifdef __cplusplus
}
#endif
#endif
