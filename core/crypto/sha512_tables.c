/* sha512_tables.c: see sha512_tables.h. */
#include "core/crypto/sha512_tables.h"

#include "core/crypto/sha_constants.h"

const uint64_t sy_sha512_k[SY_SHA512_ROUNDS] __attribute__((aligned(64))) = {SY_SHA512_K_VALUES};

const uint64_t sy_sha512_start[8] = {SY_SHA512_START_VALUES};

/* clang-format off */
const uint8_t sy_challenge_tail[64] __attribute__((aligned(64))) = {
    's', 'y', 's', 't', 'o', 'l', 'e', '-', 's', 'i', 'g', '-', 'v', '1',
    [47] = 0x80, [62] = 888 >> 8, [63] = 888 & 0xff,
};
/* clang-format on */
