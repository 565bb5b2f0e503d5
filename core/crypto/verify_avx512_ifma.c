/* verify_avx512_ifma.c: avx512_verify.h and avx512_table.h, compiled for AVX-512. */
#include "core/crypto/avx512_ed25519.h"

#if defined(__x86_64__)

#include "core/crypto/avx512_table.h"
#include "core/crypto/avx512_verify.h"

_Static_assert(SY_AVX512_BASE_BYTES == COMB_BASE_BYTES, "the header says how large");
_Static_assert(SY_AVX512_KEY_BYTES == COMB_KEY_BYTES, "the header says how large");

void sy_avx512_build_base(void *table)
{
    struct table_teeth teeth;
    table_base_teeth(&teeth);
    table_build_base(table, &teeth);
}

void sy_avx512_build_tables(void *const *tables, const struct sy_public_key *keys, bool *built,
                            size_t count)
{
    table_build_keys(tables, keys, built, count);
}

void sy_avx512_verify_tabled(uint8_t *good, const struct sy_lane_group *groups, size_t count,
                             const void *base)
{
    verify_tabled(good, groups, count, base);
}

void sy_avx512_verify_general(uint8_t *good, const struct sy_lane_group *groups, size_t count,
                              const void *base)
{
    verify_general(good, groups, count, base);
}

#endif
