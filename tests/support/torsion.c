#include "tests/support/torsion.h"

#include "core/crypto/ed25519_bytes.h"
#include "core/crypto/ed25519_scalar.h"
#include "core/crypto/hash.h"
#include "tests/support/test.h"

// r = a P + parts Q, encoded.
static void encode_sum(uint8_t out[32], const struct sy_scalar *a, const uint8_t p[32],
                       unsigned parts, const uint8_t q[32])
{
    struct sy_point sum, point;
    struct sy_cached cached;
    struct sy_field inverse, x, y;
    struct sy_packed packed_x, packed_y;
    assert_true(sy_point_decode(&point, p, false));
    sy_point_cache(&cached, &point);
    sy_point_zero(&sum);
    for (int i = 255; i >= 0; i--) {
        sy_point_double(&sum, &sum, true);
        if (a->word[i / 64] >> i % 64 & 1) sy_point_add(&sum, &sum, &cached, false, true);
    }
    assert_true(sy_point_decode(&point, q, false));
    sy_point_cache(&cached, &point);
    for (unsigned i = 0; i < parts; i++) sy_point_add(&sum, &sum, &cached, false, true);
    sy_field_invert(&inverse, &sum.z);
    sy_field_mul(&x, &sum.x, &inverse);
    sy_field_mul(&y, &sum.y, &inverse);
    sy_field_pack(&packed_x, &x);
    sy_field_pack(&packed_y, &y);
    packed_y.word[3] |= packed_x.word[0] << 63;
    for (size_t i = 0; i < 4; i++) sy_store_u64(out + 8 * i, packed_y.word[i]);
}

// a b + c mod L, of numbers below L.
static struct sy_scalar multiply_add(const struct sy_scalar *a, const struct sy_scalar *b,
                                     const struct sy_scalar *c)
{
    uint32_t words[16] = {0};
    uint8_t bytes[64];
    struct sy_scalar r;
    for (size_t i = 0; i < 8; i++) words[i] = (uint32_t)(c->word[i / 2] >> 32 * (i % 2));
    for (size_t i = 0; i < 8; i++) {
        uint64_t carry = 0;
        for (size_t j = 0; j < 16 - i; j++) {
            uint64_t x = (uint32_t)(a->word[i / 2] >> 32 * (i % 2));
            uint64_t y = j < 8 ? (uint32_t)(b->word[j / 2] >> 32 * (j % 2)) : 0;
            carry += x * y + words[i + j];
            words[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
    }
    for (size_t i = 0; i < 16; i++) sy_store_u32(bytes + 4 * i, words[i]);
    sy_scalar_reduce(&r, bytes);
    return r;
}

static struct sy_scalar scalar_of(const char *purpose, uint64_t number)
{
    uint8_t input[16] = {0}, hash[64];
    struct sy_scalar r;
    memcpy(input, purpose, 4);
    sy_store_u64(input + 8, number);
    sy_sha512(hash, input, sizeof input);
    sy_scalar_reduce(&r, hash);
    return r;
}

void torsion_sign(struct sy_sig_job *job, uint64_t secret, uint64_t nonce, unsigned key_part,
                  unsigned r_part)
{
    uint8_t base[32], order_8[32], input[64 + SY_SIG_MESSAGE_BYTES], hash[64];
    struct sy_scalar a = scalar_of("keys", secret), r = scalar_of("once", nonce), k, s;
    memset(base, 0x66, sizeof base); // y = 4/5
    base[0] = 0x58;
    assert_true(sy_hex_decode(order_8, 32,
                              "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"));
    encode_sum(job->key.bytes, &a, base, key_part, order_8);
    encode_sum(job->signature.bytes, &r, base, r_part, order_8);
    memcpy(input, job->signature.bytes, 32);
    memcpy(input + 32, job->key.bytes, 32);
    sy_sig_message(input + 64, (enum sy_sig_kind)job->kind, &job->digest);
    sy_sha512(hash, input, sizeof input);
    sy_scalar_reduce(&k, hash);
    s = multiply_add(&k, &a, &r);
    for (size_t i = 0; i < 4; i++) sy_store_u64(job->signature.bytes + 32 + 8 * i, s.word[i]);
    job->leaf = SY_JOB_NO_LEAF;
}
