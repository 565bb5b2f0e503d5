#include "core/base/siphash.h"

#include "core/base/bytes.h"

static uint64_t rotate_left(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static void run_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate_left(v[1], 13) ^ v[0];
    v[0] = rotate_left(v[0], 32);
    v[2] += v[3];
    v[3] = rotate_left(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate_left(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate_left(v[1], 17) ^ v[2];
    v[2] = rotate_left(v[2], 32);
}

uint64_t sy_siphash13(const uint64_t key[2], const void *data, size_t size)
{
    const uint8_t *p = (const uint8_t *)data;
    // The four constants of section 2.1: "somepseudorandomlygeneratedbytes".
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du,
                     key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u};
    size_t whole = size / 8 * 8;
    for (size_t i = 0; i < whole; i += 8) {
        uint64_t word = sy_load_u64(p + i);
        v[3] ^= word;
        run_round(v);
        v[0] ^= word;
    }
    uint64_t last = (uint64_t)(size & 0xff) << 56;
    for (size_t i = whole; i < size; i++) last |= (uint64_t)p[i] << (8 * (i - whole));
    v[3] ^= last;
    run_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++) run_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
