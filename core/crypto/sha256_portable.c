/* sha256_portable.c: SHA-256 in plain C (FIPS 180-4, 6.2), one message after the other. */
#include "core/crypto/sha256_tables.h"

#define BLOCK 64u
#define LENGTH_AT 56u /* the length in bits fills the last 8 bytes of the last block */

static uint32_t rotate(uint32_t x, unsigned bits)
{
    return x >> bits | x << (32 - bits);
}

static uint32_t load_be(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void start(uint32_t state[8])
{
    memcpy(state, sy_sha256_start, sizeof sy_sha256_start);
}

// Names the eight words after where they stand in this round, so that nothing is moved between
// rounds: word i of round t lies at (i - t) mod 8.
#define AT(i) v[((i) + 64u - t) % 8u]

// kw holds K[t] + W[t].
static void do_rounds(uint32_t state[8], const uint32_t kw[SY_SHA256_ROUNDS])
{
    uint32_t v[8];
    memcpy(v, state, sizeof v);
    for (unsigned t = 0; t < SY_SHA256_ROUNDS; t++) {
        uint32_t e = AT(4);
        uint32_t a = AT(0);
        uint32_t choice = AT(6) ^ (e & (AT(5) ^ AT(6)));
        uint32_t majority = (a & AT(1)) | (AT(2) & (a | AT(1)));
        uint32_t one = AT(7) + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + choice + kw[t];
        uint32_t two = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + majority;
        AT(3) += one;
        AT(7) = one + two;
    }
    for (size_t i = 0; i < 8; i++) state[i] += v[i];
}

#undef AT

void sy_sha256_compress(uint32_t state[8], const uint8_t block[BLOCK])
{
    uint32_t w[SY_SHA256_ROUNDS];
    uint32_t kw[SY_SHA256_ROUNDS];
    for (size_t t = 0; t < 16; t++) w[t] = load_be(block + 4 * t);
    for (size_t t = 16; t < SY_SHA256_ROUNDS; t++) {
        uint32_t a = w[t - 15];
        uint32_t b = w[t - 2];
        w[t] = (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10) + w[t - 7] +
               (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + w[t - 16];
    }
    for (size_t t = 0; t < SY_SHA256_ROUNDS; t++) kw[t] = w[t] + sy_sha256_k[t];
    do_rounds(state, kw);
}

void sy_sha256_store(struct sy_hash *out, const uint32_t state[8])
{
    for (size_t i = 0; i < 8; i++) {
        for (size_t b = 0; b < 4; b++) out->bytes[4 * i + b] = (uint8_t)(state[i] >> (24 - 8 * b));
    }
}

// Hashes data after the first `used` bytes of block, which are there already (0 or 1 of them).
static void hash_after(struct sy_hash *out, uint8_t block[BLOCK], size_t used, struct sy_slice data)
{
    uint32_t state[8];
    uint64_t bits = ((uint64_t)used + data.size) * 8;
    start(state);
    for (size_t take; data.size >= (take = BLOCK - used);) {
        memcpy(block + used, data.data, take);
        sy_sha256_compress(state, block);
        data = sy_slice_of(data.data + take, data.size - take);
        used = 0;
    }
    if (data.size > 0) memcpy(block + used, data.data, data.size);
    used += data.size;
    block[used++] = 0x80;
    memset(block + used, 0, BLOCK - used);
    if (used > LENGTH_AT) {
        sy_sha256_compress(state, block);
        memset(block, 0, BLOCK);
    }
    sy_store_u64_be(block + LENGTH_AT, bits);
    sy_sha256_compress(state, block);
    sy_sha256_store(out, state);
}

static void hash_messages(struct sy_hash *out, const struct sy_slice *messages, size_t count)
{
    uint8_t block[BLOCK];
    for (size_t i = 0; i < count; i++) hash_after(&out[i], block, 0, messages[i]);
}

static void hash_leaves(struct sy_hash *out, const struct sy_slice *leaves, size_t count)
{
    uint8_t block[BLOCK];
    for (size_t i = 0; i < count; i++) {
        block[0] = 0x00;
        hash_after(&out[i], block, 1, leaves[i]);
    }
}

static void hash_pairs(struct sy_hash *out, const struct sy_hash *children, size_t count,
                       uint8_t prefix)
{
    const struct sy_sha256_row *tails = sy_sha256_pair_tails();
    for (size_t i = 0; i < count; i++) {
        uint32_t state[8];
        uint8_t block[BLOCK];
        const uint8_t *right = children[2 * i + 1].bytes;
        block[0] = prefix;
        memcpy(block + 1, children[2 * i].bytes, 32);
        memcpy(block + 33, right, 31);
        start(state);
        uint8_t last = right[31]; // out may be children
        sy_sha256_compress(state, block);
        do_rounds(state, tails[last].kw);
        sy_sha256_store(&out[i], state);
    }
}

const struct sy_sha256_many sy_sha256_portable = {
    .name = "portable", .messages = hash_messages, .leaves = hash_leaves, .pairs = hash_pairs};
