/* sha512_avx512.c: eight challenges in the 64-bit lanes of AVX-512.
 *
 * A challenge is one block. Its two halves are two registers of bytes, rows: R || A, and the fixed
 * tail with kind and digest put in under masks. Transposed, word t of all eight is one register. */
#include "core/crypto/sha512_tables.h"

#ifdef __x86_64__

#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline))

#define EACH4(DO) DO(0) DO(1) DO(2) DO(3)
#define EACH8(DO) EACH4(DO) DO(4) DO(5) DO(6) DO(7)
#define EACH16(DO) EACH8(DO) DO(8) DO(9) DO(10) DO(11) DO(12) DO(13) DO(14) DO(15)

INLINE __m512i add(__m512i a, __m512i b)
{
    return _mm512_add_epi64(a, b);
}

INLINE __m512i xor3(__m512i a, __m512i b, __m512i c)
{
    return _mm512_ternarylogic_epi64(a, b, c, 0x96);
}

INLINE __m512i broadcast(const uint64_t *word)
{
    return _mm512_set1_epi64((long long)*word);
}

INLINE __m512i swap_bytes(__m512i words)
{
    return _mm512_shuffle_epi8(words, _mm512_broadcast_i32x4(_mm_set_epi8(
                                          8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)));
}

// Its own inverse: row i, word j becomes row j, word i.
INLINE void transpose(__m512i out[8], const __m512i rows[8])
{
    __m512i a[8];
#define UNPACK(i)                                                         \
    a[2 * (i)] = _mm512_unpacklo_epi64(rows[2 * (i)], rows[2 * (i) + 1]); \
    a[2 * (i) + 1] = _mm512_unpackhi_epi64(rows[2 * (i)], rows[2 * (i) + 1]);
    EACH4(UNPACK)
#undef UNPACK
    // Quarter q of a[2i + c] holds word 2q + c of rows 2i and 2i + 1.
    for (int c = 0; c < 2; c++) {
        __m512i even01 = _mm512_shuffle_i64x2(a[c], a[2 + c], 0x88);
        __m512i even23 = _mm512_shuffle_i64x2(a[4 + c], a[6 + c], 0x88);
        __m512i odd01 = _mm512_shuffle_i64x2(a[c], a[2 + c], 0xdd);
        __m512i odd23 = _mm512_shuffle_i64x2(a[4 + c], a[6 + c], 0xdd);
        out[c] = _mm512_shuffle_i64x2(even01, even23, 0x88);
        out[4 + c] = _mm512_shuffle_i64x2(even01, even23, 0xdd);
        out[2 + c] = _mm512_shuffle_i64x2(odd01, odd23, 0x88);
        out[6 + c] = _mm512_shuffle_i64x2(odd01, odd23, 0xdd);
    }
}

INLINE void expand(__m512i w[16], unsigned t)
{
    __m512i a = w[(t + 1) % 16];
    __m512i b = w[(t + 14) % 16];
    __m512i s0 = xor3(_mm512_ror_epi64(a, 1), _mm512_ror_epi64(a, 8), _mm512_srli_epi64(a, 7));
    __m512i s1 = xor3(_mm512_ror_epi64(b, 19), _mm512_ror_epi64(b, 61), _mm512_srli_epi64(b, 6));
    w[t] = add(add(w[t], s0), add(w[(t + 9) % 16], s1));
}

// Nothing is moved between rounds: word i of round t lies at (i - t) mod 8.
#define AT(i) v[((i) + 16u - t) % 8u]

INLINE void do_round(__m512i v[8], __m512i kw, unsigned t)
{
    __m512i a = AT(0);
    __m512i e = AT(4);
    __m512i sum1 = xor3(_mm512_ror_epi64(e, 14), _mm512_ror_epi64(e, 18), _mm512_ror_epi64(e, 41));
    __m512i sum0 = xor3(_mm512_ror_epi64(a, 28), _mm512_ror_epi64(a, 34), _mm512_ror_epi64(a, 39));
    __m512i choice = _mm512_ternarylogic_epi64(e, AT(5), AT(6), 0xca);
    __m512i majority = _mm512_ternarylogic_epi64(a, AT(1), AT(2), 0xe8);
    __m512i one = add(add(AT(7), kw), add(sum1, choice));
    AT(3) = add(AT(3), one);
    AT(7) = add(one, add(sum0, majority));
}

#undef AT

// The words of eight blocks. W[8], W[14] and W[15] are the same in all of them; that would spare
// two of 128 small sums in the schedule, which is not worth a second kind of round.
INLINE void load_blocks(__m512i w[16], const struct sy_challenge challenges[SY_SHA512_LANES])
{
    const __m512i tail = _mm512_load_si512(sy_challenge_tail);
    const __mmask64 digest = (__mmask64)0xffffffff << SY_CHALLENGE_DIGEST_AT;
    __m512i rows[8];
    __m512i tails[8];
#define LOAD(i)                                                                               \
    {                                                                                         \
        const struct sy_challenge *c = &challenges[i];                                        \
        __m256i r = _mm256_loadu_si256((const __m256i *)(const void *)c->r);                  \
        __m256i key = _mm256_loadu_si256((const __m256i *)(const void *)c->key);              \
        rows[i] = swap_bytes(_mm512_inserti64x4(_mm512_castsi256_si512(r), key, 1));          \
        __m512i kind =                                                                        \
            _mm512_mask_set1_epi8(tail, (__mmask64)1 << SY_CHALLENGE_KIND_AT, (char)c->kind); \
        uintptr_t at = (uintptr_t)c->digest - SY_CHALLENGE_DIGEST_AT;                         \
        tails[i] = swap_bytes(_mm512_mask_loadu_epi8(kind, digest, (const void *)at));        \
    }
    EACH8(LOAD)
#undef LOAD
    transpose(w, rows);
    transpose(w + 8, tails);
}

// Leaves limb i of every lane's hash in limbs[i].
static void hash_eight(__m512i limbs[8], const struct sy_challenge challenges[SY_SHA512_LANES])
{
    __m512i w[16];
    __m512i v[8];
    load_blocks(w, challenges);
#define LOAD(i) v[i] = broadcast(&sy_sha512_start[i]);
    EACH8(LOAD)
#undef LOAD
#define ROUND(t) do_round(v, add(w[t], broadcast(&sy_sha512_k[t])), t);
    EACH16(ROUND)
#undef ROUND
    for (const uint64_t *k = sy_sha512_k + 16; k < sy_sha512_k + SY_SHA512_ROUNDS; k += 16) {
#define ROUND(t)  \
    expand(w, t); \
    do_round(v, add(w[t], broadcast(&k[t])), t);
        EACH16(ROUND)
#undef ROUND
    }
#define STORE(i) limbs[i] = swap_bytes(add(v[i], broadcast(&sy_sha512_start[i])));
    EACH8(STORE)
#undef STORE
}

static void hash_lanes(uint64_t limbs[8][SY_SHA512_LANES],
                       const struct sy_challenge challenges[SY_SHA512_LANES])
{
    __m512i words[8];
    hash_eight(words, challenges);
#define STORE(i) _mm512_storeu_si512(limbs[i], words[i]);
    EACH8(STORE)
#undef STORE
}

static void hash_all(uint8_t (*out)[64], const struct sy_challenge *challenges, size_t count)
{
    for (size_t done = 0; done < count; done += SY_SHA512_LANES) {
        struct sy_challenge some[SY_SHA512_LANES];
        size_t left = count - done;
        __m512i limbs[8];
        __m512i rows[8];
        if (left < SY_SHA512_LANES) { // the last one again, to fill the lanes
            for (size_t i = 0; i < SY_SHA512_LANES; i++) {
                some[i] = challenges[done + (i < left ? i : left - 1)];
            }
        }
        hash_eight(limbs, left < SY_SHA512_LANES ? some : &challenges[done]);
        transpose(rows, limbs);
        for (size_t i = 0; i < SY_SHA512_LANES && i < left; i++) {
            _mm512_storeu_si512(out[done + i], rows[i]);
        }
    }
}

const struct sy_sha512_many sy_sha512_avx512 = {
    .name = "avx512", .hashes = hash_all, .lanes = hash_lanes};

#endif
