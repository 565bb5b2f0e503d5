/* gpu_jobs.c: see gpu_trial.h. Signing is RFC 8032 5.1.6 with a hash of its own for nonces; it is
 * in variable time and for trials alone. */
#include <stdlib.h>
#include <string.h>

#include "bench/gpu_trial.h"
#include "core/base/assert.h"
#include "core/crypto/ed25519_bytes.h"
#include "core/crypto/ed25519_scalar.h"
#include "core/crypto/ed25519_verify.h"
#include "core/crypto/sha512_many.h"

#define BITS 253u

struct key {
    struct sy_scalar secret;
    struct sy_public_key public;
};

static void hash_to_scalar(struct sy_scalar *r, const struct sy_slice *parts, size_t count)
{
    uint8_t hash[64];
    sy_sha512_parts(hash, parts, count);
    sy_scalar_reduce(r, hash);
}

// 2^i B.
static void make_powers(struct sy_cached powers[BITS])
{
    struct sy_point point;
    uint8_t base[32];
    memset(base, 0x66, sizeof base);
    base[0] = 0x58;
    bool decoded = sy_point_decode(&point, base, false);
    SY_ASSERT(decoded);
    for (unsigned i = 0; i < BITS; i++) {
        sy_point_cache(&powers[i], &point);
        sy_point_double(&point, &point, true);
    }
}

static void encode_multiple(uint8_t out[32], const struct sy_cached powers[BITS],
                            const struct sy_scalar *scalar)
{
    struct sy_point point;
    struct sy_field inverse, scratch, x, y;
    struct sy_packed packed, packed_x;
    sy_point_zero(&point);
    for (unsigned i = 0; i < BITS; i++) {
        if (scalar->word[i / 64] >> i % 64 & 1) {
            sy_point_add(&point, &point, &powers[i], false, true);
        }
    }
    inverse = point.z;
    sy_fields_invert(&inverse, &scratch, 1);
    sy_field_mul(&x, &point.x, &inverse);
    sy_field_mul(&y, &point.y, &inverse);
    sy_field_pack(&packed, &y);
    sy_field_pack(&packed_x, &x);
    packed.word[3] |= packed_x.word[0] << 63;
    for (size_t i = 0; i < 4; i++) sy_store_u64(out + 8 * i, packed.word[i]);
}

// a * b + c mod L.
static void multiply_add(struct sy_scalar *r, const struct sy_scalar *a, const struct sy_scalar *b,
                         const struct sy_scalar *c)
{
    uint32_t words[16] = {0};
    uint8_t bytes[64];
    for (size_t i = 0; i < 8; i++) words[i] = (uint32_t)(c->word[i / 2] >> i % 2 * 32);
    for (size_t i = 0; i < 8; i++) {
        uint64_t carry = 0, own = (uint32_t)(a->word[i / 2] >> i % 2 * 32);
        for (size_t j = 0; j < 8; j++) {
            carry += own * (uint32_t)(b->word[j / 2] >> j % 2 * 32) + words[i + j];
            words[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
        words[i + 8] = (uint32_t)carry;
    }
    for (size_t i = 0; i < 16; i++) sy_store_u32(bytes + 4 * i, words[i]);
    sy_scalar_reduce(r, bytes);
}

static void sign(struct sy_sig_job *job, const struct key *key, const struct sy_cached *powers)
{
    uint8_t message[SY_SIG_MESSAGE_BYTES];
    struct sy_scalar r, k, s;
    struct sy_slice text = sy_slice_of(message, sizeof message);
    sy_sig_message(message, (enum sy_sig_kind)job->kind, &job->digest);
    const struct sy_slice nonce[] = {sy_slice_of(&key->secret, sizeof key->secret), text};
    hash_to_scalar(&r, nonce, 2);
    encode_multiple(job->signature.bytes, powers, &r);
    const struct sy_slice challenge[] = {sy_slice_of(job->signature.bytes, 32),
                                         sy_slice_of(job->key.bytes, 32), text};
    hash_to_scalar(&k, challenge, 3);
    multiply_add(&s, &k, &key->secret, &r);
    for (size_t i = 0; i < 4; i++) sy_store_u64(job->signature.bytes + 32 + 8 * i, s.word[i]);
}

sy_status sy_gpu_trial_make(struct sy_sig_job *jobs, uint32_t count, uint32_t keys)
{
    struct sy_cached powers[BITS];
    struct key *made = (struct key *)calloc(keys, sizeof *made);
    if (!made) return SY_ERR_NO_MEMORY;
    make_powers(powers);
    for (uint32_t i = 0; i < keys; i++) {
        const struct sy_slice seed[] = {sy_slice_of("systole-gpu key", 15),
                                        sy_slice_of(&i, sizeof i)};
        hash_to_scalar(&made[i].secret, seed, 2);
        encode_multiple(made[i].public.bytes, powers, &made[i].secret);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct sy_sig_job *job = &jobs[i];
        *job = (struct sy_sig_job){
            .key = made[i % keys].public, .leaf = SY_JOB_NO_LEAF, .kind = SY_SIG_TX};
        for (size_t j = 0; j < 32; j++) job->digest.bytes[j] = (uint8_t)(i >> j % 4 * 8);
        sign(job, &made[i % keys], powers);
    }
    free(made);
    return SY_OK;
}

bool sy_gpu_trial_verdict(const struct sy_public_key *key, const struct sy_signature *signature,
                          const uint8_t *message, size_t size)
{
    struct sy_ed25519_job job = {.key = key->bytes, .signature = signature->bytes};
    const struct sy_slice parts[] = {sy_slice_of(signature->bytes, 32), sy_slice_of(key->bytes, 32),
                                     sy_slice_of(message, size)};
    uint8_t verdict = 0;
    sy_sha512_parts(job.hash, parts, 3);
    sy_ed25519_verify(&verdict, &job, 1);
    return verdict == 1;
}
