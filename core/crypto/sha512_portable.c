/* sha512_portable.c: SHA-512 (FIPS 180-4, 6.4) in plain C. */
#include "core/crypto/sha512_tables.h"

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x >> bits | x << (64 - bits);
}

// Word t, t >= 16, modulo 16, in a ring of 16 words.
static inline uint64_t expand(uint64_t w[16], unsigned t)
{
    uint64_t a = w[(t + 1) % 16];
    uint64_t b = w[(t + 14) % 16];
    w[t] += (rotate(a, 1) ^ rotate(a, 8) ^ a >> 7) + w[(t + 9) % 16] +
            (rotate(b, 19) ^ rotate(b, 61) ^ b >> 6);
    return w[t];
}

// Names the eight words after where they stand in this round, so that nothing is moved between
// rounds: word i of round t lies at (i - t) mod 8.
#define AT(i) v[((i) + 80u - t) % 8u]

// Round t, modulo 16. In line and with t known, the words stay in registers: twice as fast.
static inline __attribute__((always_inline)) void do_round(uint64_t v[8], unsigned t, uint64_t word)
{
    uint64_t a = AT(0);
    uint64_t e = AT(4);
    uint64_t choice = AT(6) ^ (e & (AT(5) ^ AT(6)));
    uint64_t majority = (a & AT(1)) | (AT(2) & (a | AT(1)));
    uint64_t one = AT(7) + (rotate(e, 14) ^ rotate(e, 18) ^ rotate(e, 41)) + choice + word;
    uint64_t two = (rotate(a, 28) ^ rotate(a, 34) ^ rotate(a, 39)) + majority;
    AT(3) += one;
    AT(7) = one + two;
}

#undef AT

#define FIRST(t) do_round(v, t, sy_sha512_k[t] + w[t]);
#define LATER(t) do_round(v, t, sy_sha512_k[from + (t)] + expand(w, t));
#define SIXTEEN(R) \
    R(0) R(1) R(2) R(3) R(4) R(5) R(6) R(7) R(8) R(9) R(10) R(11) R(12) R(13) R(14) R(15)

static void compress(uint64_t state[8], uint64_t w[16])
{
    uint64_t v[8];
    memcpy(v, state, sizeof v);
    SIXTEEN(FIRST)
    for (unsigned from = 16; from < SY_SHA512_ROUNDS; from += 16) {
        SIXTEEN(LATER)
    }
    for (size_t i = 0; i < 8; i++) state[i] += v[i];
}

#undef FIRST
#undef LATER
#undef SIXTEEN

static void hash_one(uint64_t state[8], const struct sy_challenge *challenge)
{
    uint8_t tail[64];
    uint64_t w[16];
    memcpy(tail, sy_challenge_tail, sizeof tail);
    tail[SY_CHALLENGE_KIND_AT] = challenge->kind;
    memcpy(tail + SY_CHALLENGE_DIGEST_AT, challenge->digest->bytes, 32);
    for (size_t i = 0; i < 4; i++) w[i] = sy_load_u64_be(challenge->r + 8 * i);
    for (size_t i = 0; i < 4; i++) w[4 + i] = sy_load_u64_be(challenge->key + 8 * i);
    for (size_t i = 0; i < 8; i++) w[8 + i] = sy_load_u64_be(tail + 8 * i);
    memcpy(state, sy_sha512_start, 8 * sizeof state[0]);
    compress(state, w);
}

static void compress_block(uint64_t state[8], const uint8_t block[128])
{
    uint64_t w[16];
    for (size_t i = 0; i < 16; i++) w[i] = sy_load_u64_be(block + 8 * i);
    compress(state, w);
}

void sy_sha512_parts(uint8_t out[64], const struct sy_slice *parts, size_t count)
{
    uint64_t state[8], bits = 0;
    uint8_t block[128];
    size_t used = 0;
    memcpy(state, sy_sha512_start, sizeof state);
    for (size_t i = 0; i < count; i++) {
        bits += (uint64_t)parts[i].size * 8;
        for (size_t at = 0, size; at < parts[i].size; at += size) {
            size = parts[i].size - at < 128 - used ? parts[i].size - at : 128 - used;
            memcpy(block + used, parts[i].data + at, size);
            used = (used + size) % 128;
            if (used == 0) compress_block(state, block);
        }
    }
    block[used++] = 0x80;
    if (used > 112) {
        memset(block + used, 0, 128 - used);
        compress_block(state, block);
        used = 0;
    }
    memset(block + used, 0, 120 - used);
    sy_store_u64_be(block + 120, bits);
    compress_block(state, block);
    for (size_t i = 0; i < 8; i++) sy_store_u64_be(out + 8 * i, state[i]);
}

static void hash_all(uint8_t (*out)[64], const struct sy_challenge *challenges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t state[8];
        hash_one(state, &challenges[i]);
        for (size_t j = 0; j < 8; j++) sy_store_u64_be(out[i] + 8 * j, state[j]);
    }
}

static void hash_lanes(uint64_t limbs[8][SY_SHA512_LANES],
                       const struct sy_challenge challenges[SY_SHA512_LANES])
{
    for (size_t lane = 0; lane < SY_SHA512_LANES; lane++) {
        uint64_t state[8];
        hash_one(state, &challenges[lane]);
        for (size_t i = 0; i < 8; i++) {
            uint8_t bytes[8];
            sy_store_u64_be(bytes, state[i]);
            limbs[i][lane] = sy_load_u64(bytes);
        }
    }
}

const struct sy_sha512_many sy_sha512_portable = {
    .name = "portable", .hashes = hash_all, .lanes = hash_lanes};
