#include "tests/support/hard_jobs.h"

#include <stdlib.h>

#include "core/crypto/hash.h"
#include "tests/support/engines.h"
#include "tests/support/test.h"
#include "tests/support/torsion.h"

#define KEYS 32u
#define MIXED 512u // jobs of keys and R of mixed order

static struct sy_sig_job *pool; // HARD_JOBS_GOOD, then MIXED

static void sign_good(void)
{
    for (uint32_t key = 0; key < KEYS; key++) {
        uint8_t seed[32] = {0x6a, (uint8_t)key};
        sy_secret_key *secret;
        assert_int_equal(sy_secret_key_from_seed(&secret, seed), SY_OK);
        for (uint32_t i = key; i < HARD_JOBS_GOOD; i += KEYS) {
            pool[i] = (struct sy_sig_job){.leaf = SY_JOB_NO_LEAF};
            pool[i].kind = (uint8_t)(SY_SIG_TX + i % (SY_SIG_KIND_COUNT - 1));
            sy_sha256(&pool[i].digest, &i, sizeof i);
            sy_secret_key_public(secret, &pool[i].key);
            sy_sign(secret, &pool[i].signature, (enum sy_sig_kind)pool[i].kind, &pool[i].digest);
        }
        sy_secret_key_close(secret);
    }
}

void hard_jobs_open(void)
{
    pool = (struct sy_sig_job *)calloc(HARD_JOBS_GOOD + MIXED, sizeof *pool);
    assert_non_null(pool);
    sign_good();
    for (uint32_t i = 0; i < MIXED; i++) {
        struct sy_sig_job *job = &pool[HARD_JOBS_GOOD + i];
        job->kind = SY_SIG_TX;
        sy_sha256(&job->digest, &i, sizeof i);
        torsion_sign(job, 1 + i % 16, i, i % 8, i / 16 % 8);
    }
}

void hard_jobs_close(void)
{
    free(pool);
    pool = NULL;
}

const struct sy_sig_job *hard_jobs_good(uint32_t number)
{
    assert_true(number < HARD_JOBS_GOOD);
    return &pool[number];
}

static const struct sy_sig_job *draw_pool(sy_prng *prng)
{
    return &pool[sy_prng_below(prng, HARD_JOBS_GOOD + MIXED)];
}

// An encoding of small order, near p, or near 0, with either sign.
static void write_odd(uint8_t out[32], sy_prng *prng)
{
    uint64_t which = sy_prng_below(prng, 3);
    if (which == 0) {
        const char *text = engines_odd_points[sy_prng_below(prng, ENGINES_ODD_POINTS)];
        assert_true(sy_hex_decode(out, 32, text));
        return;
    }
    memset(out, which == 1 ? 0xff : 0, 32);
    out[0] = (uint8_t)(which == 1 ? 0xe0 + sy_prng_below(prng, 32) : sy_prng_below(prng, 32));
    out[31] = (uint8_t)(which == 1 ? 0x7f : 0);
    if (sy_prng_below(prng, 2)) out[31] |= 0x80;
}

// S near a multiple of L, or of few bits.
static void write_odd_s(uint8_t out[32], sy_prng *prng)
{
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                      0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                      0,    0,    0,    0,    0,    0,    0,    0,
                                      0,    0,    0,    0,    0,    0,    0,    0x10};
    unsigned factor = (unsigned)sy_prng_below(prng, 16);
    unsigned carry = 0;
    for (size_t i = 0; i < 32; i++) {
        carry += order[i] * factor;
        out[i] = (uint8_t)carry;
        carry >>= 8;
    }
    out[0] = (uint8_t)(out[0] + sy_prng_below(prng, 5) - 2);
    if (sy_prng_below(prng, 4) == 0) out[sy_prng_below(prng, 32)] ^= 1;
}

static void turn_bits(struct sy_sig_job *job, sy_prng *prng)
{
    for (uint64_t i = sy_prng_below(prng, 3) + 1; i > 0; i--) {
        uint64_t at = sy_prng_below(prng, 32 + 64 + 32);
        uint8_t bit = (uint8_t)(1u << sy_prng_below(prng, 8));
        if (at < 32) {
            job->key.bytes[at] ^= bit;
        } else if (at < 96) {
            job->signature.bytes[at - 32] ^= bit;
        } else {
            job->digest.bytes[at - 96] ^= bit;
        }
    }
}

void hard_jobs_draw(struct sy_sig_job *job, sy_prng *prng)
{
    *job = *draw_pool(prng);
    switch (sy_prng_below(prng, 14)) {
    case 0:
    case 1: turn_bits(job, prng); break;
    case 2: job->key = draw_pool(prng)->key; break;
    case 3: memcpy(job->signature.bytes, draw_pool(prng)->signature.bytes, 32); break;
    case 4: memcpy(job->signature.bytes + 32, draw_pool(prng)->signature.bytes + 32, 32); break;
    case 5: write_odd(job->key.bytes, prng); break;
    case 6: write_odd(job->signature.bytes, prng); break;
    case 7: write_odd_s(job->signature.bytes + 32, prng); break;
    case 8: // R = S B - k A of nothing but small order, often good.
        write_odd(job->key.bytes, prng);
        write_odd(job->signature.bytes, prng);
        memset(job->signature.bytes + 32, 0, 32);
        break;
    case 9:
        sy_prng_fill(prng, job->key.bytes, 32);
        sy_prng_fill(prng, job->signature.bytes, 63);
        break;
    case 10: job->kind = (uint8_t)(1 + sy_prng_below(prng, SY_SIG_KIND_COUNT - 1)); break;
    default: break; // As it is.
    }
}
