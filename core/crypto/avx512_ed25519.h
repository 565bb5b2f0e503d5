/* avx512_ed25519.h: Ed25519 verification, eight signatures at a time in the lanes of AVX-512.
 * Internal to core/crypto; avx512_engine.c makes an engine of it.
 *
 * The predicate is that of engine.h: S < L, R' = [S]B - [k]A without a cofactor, its 32 bytes equal
 * to R's; A decoded as OpenSSL decodes it. Verdicts do not depend on which way they came:
 *
 *     tabled    every key has a table (sy_avx512_build_tables): 55 additions, 12 doublings
 *     general   any key: decoded, 250 doublings
 *
 * A table is refused for a key that is no point or not of order L (or 1): such keys, which are
 * never enrolled, stay with the general way. Variable time: for public data only. No call may be
 * made unless sy_cpu()->avx512_ifma. Any thread; nothing is kept. */
#ifndef SY_CRYPTO_AVX512_ED25519_H
#define SY_CRYPTO_AVX512_ED25519_H

#include "core/base/bytes.h"
#include "core/crypto/key_tables.h"

#define SY_LANE_GROUP 8

/* Groups of one call at most. One inversion, about half of the work of a group, serves a call. */
#define SY_LANE_GROUPS_MAX 64

/* Bytes of the base point's table and of a key's; both aligned to 64. */
#define SY_AVX512_BASE_BYTES 6291456u /* 6 MiB */
#define SY_AVX512_KEY_BYTES 15360u    /* 15 KiB */

/* Eight signatures; all pointers are borrowed for the call. Where there are fewer, repeat one. */
struct sy_lane_group {
    const uint8_t *keys[SY_LANE_GROUP];       /* 32 bytes each; unused by tabled */
    const uint8_t *signatures[SY_LANE_GROUP]; /* 64 bytes each */
    const void *tables[SY_LANE_GROUP];        /* of the keys; unused by general */
    uint64_t hashes[8][SY_LANE_GROUP];        /* SHA-512(R || A || message): bytes 8 i to 8 i + 7,
                                                 little-endian (sha512_many.h) */
};

/* sy_avx512_build_base writes the base point's table: 6 MiB, in some milliseconds. */
void sy_avx512_build_base(void *table);

/* sy_avx512_build_tables does what build of struct sy_key_table_format is to do. */
void sy_avx512_build_tables(void *const *tables, const struct sy_public_key *keys, bool *built,
                            size_t count);

/* Both write one mask a group: bit i is set where signature i is good. base: the base point's
 * table. count is 1 to SY_LANE_GROUPS_MAX. */
void sy_avx512_verify_tabled(uint8_t *good, const struct sy_lane_group *groups, size_t count,
                             const void *base);
void sy_avx512_verify_general(uint8_t *good, const struct sy_lane_group *groups, size_t count,
                              const void *base);

#endif
