/* bytes.h: borrowed byte ranges, 32-byte values, little-endian loads and stores, hex.
 *
 * A slice borrows: whoever made it says how long the bytes live. Everything here is pure and may
 * be called from any thread. */
#ifndef SY_BASE_BYTES_H
#define SY_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sy_slice {
    const uint8_t *data;
    size_t size;
};

/* Any 32-byte value: a hash, an id, a root. */
struct sy_hash {
    uint8_t bytes[32];
};

/* An Ed25519 public key and signature (RFC 8032 encodings). */
struct sy_public_key {
    uint8_t bytes[32];
};
struct sy_signature {
    uint8_t bytes[64];
};

static inline struct sy_slice sy_slice_of(const void *data, size_t size)
{
    struct sy_slice slice = {(const uint8_t *)data, size};
    return slice;
}

static inline bool sy_slice_equal(struct sy_slice a, struct sy_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool sy_hash_equal(const struct sy_hash *a, const struct sy_hash *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* The same in time that does not depend on the bytes: for what a stranger must not guess. */
static inline bool sy_hash_equal_ct(const struct sy_hash *a, const struct sy_hash *b)
{
    uint8_t differs = 0;
    for (size_t i = 0; i < sizeof a->bytes; i++) {
        differs = (uint8_t)(differs | (a->bytes[i] ^ b->bytes[i]));
    }
    return differs == 0;
}

static inline bool sy_hash_is_zero(const struct sy_hash *hash)
{
    static const struct sy_hash zero = {{0}};
    return sy_hash_equal(hash, &zero);
}

/* sy_hash_prefix clears all bits of hash from `bits` (0 to 256) on, most significant first;
 * sy_hash_has_prefix says whether the first `bits` bits of hash are those of prefix. */
void sy_hash_prefix(struct sy_hash *out, const struct sy_hash *hash, unsigned bits);
static inline bool sy_hash_has_prefix(const struct sy_hash *hash, const struct sy_hash *prefix,
                                      unsigned bits)
{
    size_t whole = bits / 8;
    if (memcmp(hash->bytes, prefix->bytes, whole) != 0) return false;
    // The first `bits` % 8 bits of the byte after those.
    unsigned mask = 0xff00u >> bits % 8 & 0xffu;
    return mask == 0 || ((hash->bytes[whole] ^ prefix->bytes[whole]) & mask) == 0;
}

static inline bool sy_public_key_equal(const struct sy_public_key *a, const struct sy_public_key *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* Little-endian loads and stores at any alignment. */
static inline uint16_t sy_load_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] | (uint16_t)p[1] << 8);
}
static inline uint32_t sy_load_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
static inline uint64_t sy_load_u64(const uint8_t *p)
{
    return (uint64_t)sy_load_u32(p) | (uint64_t)sy_load_u32(p + 4) << 32;
}
static inline void sy_store_u16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}
/* Written out, because compilers make one instruction of this and not of a loop. */
static inline void sy_store_u32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
}
static inline void sy_store_u64(uint8_t *p, uint64_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
    p[4] = (uint8_t)(v >> 32);
    p[5] = (uint8_t)(v >> 40);
    p[6] = (uint8_t)(v >> 48);
    p[7] = (uint8_t)(v >> 56);
}
/* Big-endian: keys that must sort by number (LMDB), prefixes of hashes. */
static inline void sy_store_u64_be(uint8_t *p, uint64_t v)
{
    p[0] = (uint8_t)(v >> 56);
    p[1] = (uint8_t)(v >> 48);
    p[2] = (uint8_t)(v >> 40);
    p[3] = (uint8_t)(v >> 32);
    p[4] = (uint8_t)(v >> 24);
    p[5] = (uint8_t)(v >> 16);
    p[6] = (uint8_t)(v >> 8);
    p[7] = (uint8_t)v;
}
static inline uint64_t sy_load_u64_be(const uint8_t *p)
{
    return (uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 | (uint64_t)p[2] << 40 |
           (uint64_t)p[3] << 32 | (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16 |
           (uint64_t)p[6] << 8 | p[7];
}

/* Negative, zero or positive, as memcmp of the bytes. Hashes mostly differ at once. */
static inline int sy_hash_compare(const struct sy_hash *a, const struct sy_hash *b)
{
    uint64_t left = sy_load_u64_be(a->bytes);
    uint64_t right = sy_load_u64_be(b->bytes);
    if (left != right) return left < right ? -1 : 1;
    return memcmp(a->bytes + 8, b->bytes + 8, sizeof a->bytes - 8);
}

/* sy_hex_encode writes 2 * size lower-case digits and a terminator into out, which must have
 * room for 2 * size + 1. */
void sy_hex_encode(char *out, const void *data, size_t size);

/* sy_hex_decode reads exactly 2 * size lower- or upper-case digits from text, which must end
 * there. False: another length or another character; out is then unspecified. */
bool sy_hex_decode(void *out, size_t size, const char *text);

/* sy_parse_u64 reads a whole decimal number in [min, max] with nothing before or after it. */
bool sy_parse_u64(uint64_t *out, const char *text, uint64_t min, uint64_t max);

/* sy_wipe zeroes memory that held a secret; the compiler cannot remove it. */
void sy_wipe(void *data, size_t size);

#ifdef __cplusplus
}
#endif
#endif
