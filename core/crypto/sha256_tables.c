/* sha256_tables.c: see sha256_tables.h. */
#include "core/crypto/sha256_tables.h"

#include <pthread.h>

#include "core/base/assert.h"
#include "core/crypto/sha_constants.h"

#define PAIR_BITS 520u /* 65 bytes */

const uint32_t sy_sha256_k[SY_SHA256_ROUNDS] __attribute__((aligned(64))) = {SY_SHA256_K_VALUES};
const uint32_t sy_sha256_start[8] = {SY_SHA256_START_VALUES};

static struct sy_sha256_row tails[256] __attribute__((aligned(64)));
static pthread_once_t once = PTHREAD_ONCE_INIT;

static uint32_t rotate(uint32_t x, unsigned bits)
{
    return x >> bits | x << (32 - bits);
}

// W of the block {last, 0x80, zeros, length} (FIPS 180-4, 5.1.1 and 6.2.2), then K added.
static void make_row(uint32_t row[SY_SHA256_ROUNDS], uint32_t last)
{
    for (size_t t = 0; t < 16; t++) row[t] = 0;
    row[0] = last << 24 | 0x00800000u;
    row[15] = PAIR_BITS;
    for (size_t t = 16; t < SY_SHA256_ROUNDS; t++) {
        uint32_t a = row[t - 15];
        uint32_t b = row[t - 2];
        row[t] = (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10) + row[t - 7] +
                 (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + row[t - 16];
    }
    for (size_t t = 0; t < SY_SHA256_ROUNDS; t++) row[t] += sy_sha256_k[t];
}

static void make_rows(void)
{
    for (uint32_t last = 0; last < 256; last++) make_row(tails[last].kw, last);
}

const struct sy_sha256_row *sy_sha256_pair_tails(void)
{
    int failed = pthread_once(&once, make_rows);
    SY_ASSERT(!failed);
    return tails;
}
