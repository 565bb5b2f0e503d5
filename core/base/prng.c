#include "core/base/prng.h"

#include "core/base/assert.h"
#include "core/base/bytes.h"

static uint64_t rotate_left(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

void sy_prng_seed(sy_prng *prng, uint64_t seed)
{
    // splitmix64, which the authors of xoshiro recommend for spreading a seed over the state.
    for (int i = 0; i < 4; i++) {
        seed += 0x9e3779b97f4a7c15u;
        uint64_t z = seed;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        prng->s[i] = z ^ z >> 31;
    }
}

uint64_t sy_prng_next(sy_prng *prng)
{
    uint64_t *s = prng->s;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t sy_prng_below(sy_prng *prng, uint64_t bound)
{
    SY_ASSERT(bound > 0);
    // Draws below 2^64 mod bound would favour small results, so they are drawn again.
    uint64_t threshold = (0 - bound) % bound;
    uint64_t draw;
    do draw = sy_prng_next(prng);
    while (draw < threshold);
    return draw % bound;
}

bool sy_prng_chance(sy_prng *prng, uint64_t numerator, uint64_t denominator)
{
    return sy_prng_below(prng, denominator) < numerator;
}

void sy_prng_fill(sy_prng *prng, void *out, size_t size)
{
    uint8_t *p = (uint8_t *)out;
    uint8_t word[8];
    for (size_t i = 0; i < size; i++) {
        if (i % 8 == 0) sy_store_u64(word, sy_prng_next(prng));
        p[i] = word[i % 8];
    }
}
