/* device_hash.h: SHA-256 and the one block of SHA-512 inside verification (FIPS 180-4), on a
 * device. */
#ifndef SY_GPU_DEVICE_HASH_H
#define SY_GPU_DEVICE_HASH_H

#include "core/crypto/sha_constants.h"
#include <stdbool.h>

#include "gpu/device_code.h"

SY_DEVICE uint32_t sy_rotate_32(uint32_t x, unsigned bits)
{
    return x >> bits | x << (32 - bits);
}

SY_DEVICE uint64_t sy_rotate_64(uint64_t x, unsigned bits)
{
    return x >> bits | x << (64 - bits);
}

// --- SHA-256 -------------------------------------------------------------------------------------

SY_DEVICE void sy_dev_sha256_start(uint32_t state[8])
{
    SY_DEVICE_TABLE uint32_t start[8] = {SY_SHA256_START_VALUES};
    SY_UNROLL
    for (int i = 0; i < 8; i++) state[i] = start[i];
}

#define SY_ADD(x, y) sy_add_by_mad(x, y, one)

/* Adds the block w, which is used up. Rotations and the three-way functions keep one pipe of the
 * device busy, so that additions go to the other. */
SY_DEVICE void sy_dev_sha256_compress(uint32_t state[8], uint32_t w[16])
{
    SY_DEVICE_TABLE uint32_t k[64] = {SY_SHA256_K_VALUES};
    const uint32_t one = SY_OPAQUE_ONE;
    uint32_t v[8];
    SY_UNROLL
    for (int i = 0; i < 8; i++) v[i] = state[i];
    SY_UNROLL
    for (int t = 0; t < 64; t++) {
        if (t >= 16) {
            uint32_t a = w[(t + 1) % 16], b = w[(t + 14) % 16];
            w[t % 16] = SY_ADD(w[t % 16], w[(t + 9) % 16]);
            w[t % 16] = SY_ADD(w[t % 16], sy_rotate_32(a, 7) ^ sy_rotate_32(a, 18) ^ a >> 3);
            w[t % 16] = SY_ADD(w[t % 16], sy_rotate_32(b, 17) ^ sy_rotate_32(b, 19) ^ b >> 10);
        }
        uint32_t a = v[0], e = v[4];
        uint32_t choice = v[6] ^ (e & (v[5] ^ v[6]));
        uint32_t majority = (a & v[1]) | (v[2] & (a | v[1]));
        uint32_t first = SY_ADD(SY_ADD(w[t % 16], k[t]), v[7]);
        first = SY_ADD(choice, first);
        first = SY_ADD(sy_rotate_32(e, 6) ^ sy_rotate_32(e, 11) ^ sy_rotate_32(e, 25), first);
        uint32_t second =
            SY_ADD(sy_rotate_32(a, 2) ^ sy_rotate_32(a, 13) ^ sy_rotate_32(a, 22), majority);
        SY_UNROLL
        for (int i = 7; i > 0; i--) v[i] = v[i - 1];
        v[4] = SY_ADD(first, v[4]);
        v[0] = SY_ADD(first, second);
    }
    SY_UNROLL
    for (int i = 0; i < 8; i++) state[i] += v[i];
}

/* Two words at an address that is a multiple of 8. A device reads all of them; elsewhere only their
 * bytes from begin on and before end are read, and the others are 0. */
SY_DEVICE void sy_dev_load_within(uint32_t out[2], const uint8_t *at, const uint8_t *begin,
                                  const uint8_t *end)
{
#ifdef __CUDACC__
    (void)begin;
    (void)end;
    uint2 pair = __ldg((const uint2 *)at);
    out[0] = pair.x;
    out[1] = pair.y;
#else
    out[0] = out[1] = 0;
    for (unsigned i = 0; i < 8; i++) {
        bool is_in = (uintptr_t)at + i >= (uintptr_t)begin && (uintptr_t)at + i < (uintptr_t)end;
        if (is_in) out[i / 4] |= (uint32_t)at[i] << 8 * (i % 4);
    }
#endif
}

/* Sixteen words of the message 0x00 || bytes from byte `at` on, a multiple of 64. What lies behind
 * the message is undefined. Reads aligned pairs of words and picks from two words at a time. */
SY_DEVICE void sy_dev_load_block(uint32_t w[16], const uint8_t *bytes, uint64_t size, uint64_t at)
{
    const uint32_t off = (uint32_t)((uintptr_t)bytes & 7u);
    const uint32_t skip =
        (off + 7u) & 7u; // Bytes before message byte `at`, which is bytes[at - 1].
    const uint32_t selector = 0x0123u + 0x1111u * (skip & 3u);
    const uint64_t first = at / 8;
    // With off = 0 byte `at` ends the pair before.
    const uint8_t *from = (const uint8_t *)((uintptr_t)bytes - off + at - (off == 0 ? 8u : 0u));
    const uint8_t *end = (const uint8_t *)((uintptr_t)bytes + size);
    const uint64_t pairs = (size + off + 7) / 8 + (off == 0);
    const uint64_t more = pairs > first ? pairs - first : 0;
    const uint32_t left = more < 9 ? (uint32_t)more : 9;
    const bool is_before = at == 0 && off == 0;
    uint32_t in[18];
    SY_UNROLL
    for (uint32_t i = 0; i < 9; i++) {
        in[2 * i] = in[2 * i + 1] = 0;
        if (i < left && !(i == 0 && is_before)) {
            sy_dev_load_within(in + 2 * i, from + 8 * i, bytes, end);
        }
    }
    SY_UNROLL
    for (uint32_t i = 0; i < 17; i++) in[i] = skip >= 4 ? in[i + 1] : in[i];
    SY_UNROLL
    for (uint32_t i = 0; i < 16; i++) w[i] = sy_pick_bytes(in[i], in[i + 1], selector);
    if (at == 0) w[0] &= 0x00ffffffu;
}

/* Ends a message of `size` bytes, of which w has those from `at` on: behind the last one come 0x80
 * and zeros. */
SY_DEVICE void sy_dev_pad_block(uint32_t w[16], uint64_t size, uint64_t at)
{
    const bool ends = size >= at; // Or else it did before, 0x80 included.
    const uint32_t left = ends ? (uint32_t)(size - at) : 0;
    SY_UNROLL
    for (uint32_t i = 0; i < 16; i++) {
        uint32_t bits = 8 * (left & 3u);
        uint32_t last = (w[i] & ~(0xffffffffu >> bits)) | 0x80000000u >> bits;
        if (i >= left / 4) w[i] = ends && i == left / 4 ? last : 0;
    }
}

/* SHA-256(0x00 || bytes), as eight words; size < 2^61 - 1. A device reads all of the aligned
 * eight bytes in which bytes begin and end. */
SY_DEVICE void sy_dev_hash_leaf(uint32_t state[8], const uint8_t *bytes, uint64_t size)
{
    const uint64_t message = size + 1;
    const uint64_t blocks = (message + 8) / 64 + 1;
    sy_dev_sha256_start(state);
    SY_ROLL
    for (uint64_t block = 0; block < blocks; block++) {
        uint32_t w[16];
        sy_dev_load_block(w, bytes, size, 64 * block);
        if (64 * (block + 1) > message) sy_dev_pad_block(w, message, 64 * block);
        if (block + 1 == blocks) {
            w[14] = (uint32_t)(message >> 29);
            w[15] = (uint32_t)(message << 3);
        }
        sy_dev_sha256_compress(state, w);
    }
}

/* SHA-256(0x01 || left || right), of and as big-endian words. */
SY_DEVICE void sy_dev_hash_node(uint32_t state[8], const uint32_t left[8], const uint32_t right[8])
{
    uint32_t w[16];
    w[0] = 0x01000000u | left[0] >> 8;
    SY_UNROLL
    for (int i = 1; i < 8; i++) w[i] = sy_pick_bytes(left[i], left[i - 1], 0x4321u);
    w[8] = sy_pick_bytes(right[0], left[7], 0x4321u);
    SY_UNROLL
    for (int i = 1; i < 8; i++) w[8 + i] = sy_pick_bytes(right[i], right[i - 1], 0x4321u);
    sy_dev_sha256_start(state);
    uint32_t last = right[7] << 24;
    sy_dev_sha256_compress(state, w);
    w[0] = last | 0x00800000u;
    SY_UNROLL
    for (int i = 1; i < 15; i++) w[i] = 0;
    w[15] = 65 * 8;
    sy_dev_sha256_compress(state, w);
}

#undef SY_ADD

// --- SHA-512 -------------------------------------------------------------------------------------

/* The hash of the one block w, which is used up. */
SY_DEVICE void sy_dev_sha512_block(uint64_t state[8], uint64_t w[16])
{
    SY_DEVICE_TABLE uint64_t k[80] = {SY_SHA512_K_VALUES};
    SY_DEVICE_TABLE uint64_t start[8] = {SY_SHA512_START_VALUES};
    uint64_t v[8];
    SY_UNROLL
    for (int i = 0; i < 8; i++) v[i] = start[i];
    SY_UNROLL
    for (int t = 0; t < 80; t++) {
        if (t >= 16) {
            uint64_t a = w[(t + 1) % 16], b = w[(t + 14) % 16];
            w[t % 16] += (sy_rotate_64(a, 1) ^ sy_rotate_64(a, 8) ^ a >> 7) + w[(t + 9) % 16] +
                         (sy_rotate_64(b, 19) ^ sy_rotate_64(b, 61) ^ b >> 6);
        }
        uint64_t a = v[0], e = v[4];
        uint64_t choice = v[6] ^ (e & (v[5] ^ v[6]));
        uint64_t majority = (a & v[1]) | (v[2] & (a | v[1]));
        uint64_t one = v[7] + (sy_rotate_64(e, 14) ^ sy_rotate_64(e, 18) ^ sy_rotate_64(e, 41)) +
                       choice + k[t] + w[t % 16];
        uint64_t two = (sy_rotate_64(a, 28) ^ sy_rotate_64(a, 34) ^ sy_rotate_64(a, 39)) + majority;
        SY_UNROLL
        for (int i = 7; i > 0; i--) v[i] = v[i - 1];
        v[4] += one;
        v[0] = one + two;
    }
    SY_UNROLL
    for (int i = 0; i < 8; i++) state[i] = start[i] + v[i];
}

/* SHA-512(R || A || "systole-sig-v1" || kind || digest) (core/crypto/sha512_many.h) as the number
 * that is reduced mod L: sixteen words, the least first. All three lie at multiples of 4. */
SY_DEVICE void sy_dev_hash_challenge(uint32_t number[16], const uint8_t *r, const uint8_t *key,
                                     uint32_t kind, const uint8_t *digest)
{
    uint64_t w[16], state[8];
    uint32_t half[28]; // The message's words.
    SY_UNROLL
    for (int i = 0; i < 8; i++) {
        half[i] = sy_swap_32(sy_load_word(r + 4 * i));
        half[8 + i] = sy_swap_32(sy_load_word(key + 4 * i));
    }
    half[16] = 0x73797374u; // systole-sig-v1
    half[17] = 0x6f6c652du;
    half[18] = 0x7369672du;
    uint32_t low = sy_load_word(digest);
    half[19] = 0x76310000u | (kind & 0xffu) << 8 | (low & 0xffu);
    SY_UNROLL
    for (int i = 0; i < 7; i++) { // Bytes 1 to 4 of two words, the other way round.
        uint32_t high = sy_load_word(digest + 4 * (i + 1));
        half[20 + i] = sy_pick_bytes(low, high, 0x1234u);
        low = high;
    }
    half[27] = sy_pick_bytes(low, 0x80u, 0x1234u);
    SY_UNROLL
    for (int i = 0; i < 14; i++) w[i] = (uint64_t)half[2 * i] << 32 | half[2 * i + 1];
    w[14] = 0;
    w[15] = 111 * 8;
    sy_dev_sha512_block(state, w);
    SY_UNROLL
    for (int i = 0; i < 8; i++) {
        number[2 * i] = sy_swap_32((uint32_t)(state[i] >> 32));
        number[2 * i + 1] = sy_swap_32((uint32_t)state[i]);
    }
}

#endif
