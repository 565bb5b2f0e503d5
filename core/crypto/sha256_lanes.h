/* sha256_lanes.h: what the ways that use AVX-512 share: sixteen messages fed into lanes, and their
 * schedules. Internal to core/crypto, for files compiled for AVX-512.
 *
 * A block of each message is one register of bytes, a row; transposed, word t of all of them is one
 * register. Rows at a message's ends are loaded under a mask, so nothing is copied and nothing
 * beside the message is touched. */
#ifndef SY_CRYPTO_SHA256_LANES_H
#define SY_CRYPTO_SHA256_LANES_H

#include "core/crypto/sha256_tables.h"

#ifdef __AVX512BW__

#include <immintrin.h>
#include <stdbool.h>

#define BLOCK 64u
#define LANES 16u
#define INLINE static inline __attribute__((always_inline))

/* Written out rather than looped over: the indices must be constants for the registers' sake. */
#define EACH8(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)
#define EACH16(DO) EACH8(DO) DO(8) DO(9) DO(10) DO(11) DO(12) DO(13) DO(14) DO(15)

INLINE __m512i add(__m512i a, __m512i b)
{
    return _mm512_add_epi32(a, b);
}

INLINE __m512i xor3(__m512i a, __m512i b, __m512i c)
{
    return _mm512_ternarylogic_epi32(a, b, c, 0x96);
}

INLINE __m512i broadcast(const uint32_t *word)
{
    return _mm512_set1_epi32((int)*word);
}

INLINE __m512i swap_bytes(__m512i words)
{
    return _mm512_shuffle_epi8(words, _mm512_broadcast_i32x4(_mm_set_epi8(
                                          12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3)));
}

// Rows of bytes to words of lanes.
INLINE void transpose(__m512i w[16], const __m512i rows[LANES])
{
    __m512i a[16];
    __m512i b[16];
#define UNPACK_WORDS(i)                                    \
    {                                                      \
        __m512i even = swap_bytes(rows[2 * (i)]);          \
        __m512i odd = swap_bytes(rows[2 * (i) + 1]);       \
        a[2 * (i)] = _mm512_unpacklo_epi32(even, odd);     \
        a[2 * (i) + 1] = _mm512_unpackhi_epi32(even, odd); \
    }
    EACH8(UNPACK_WORDS)
#undef UNPACK_WORDS
    // Now quarter q of b[4i + c] holds word 4q + c of rows 4i to 4i + 3.
    for (int i = 0; i < 16; i += 4) {
        b[i] = _mm512_unpacklo_epi64(a[i], a[i + 2]);
        b[i + 1] = _mm512_unpackhi_epi64(a[i], a[i + 2]);
        b[i + 2] = _mm512_unpacklo_epi64(a[i + 1], a[i + 3]);
        b[i + 3] = _mm512_unpackhi_epi64(a[i + 1], a[i + 3]);
    }
    for (int c = 0; c < 4; c++) {
        __m512i even01 = _mm512_shuffle_i32x4(b[c], b[4 + c], 0x88);
        __m512i even23 = _mm512_shuffle_i32x4(b[8 + c], b[12 + c], 0x88);
        __m512i odd01 = _mm512_shuffle_i32x4(b[c], b[4 + c], 0xdd);
        __m512i odd23 = _mm512_shuffle_i32x4(b[8 + c], b[12 + c], 0xdd);
        w[c] = _mm512_shuffle_i32x4(even01, even23, 0x88);
        w[8 + c] = _mm512_shuffle_i32x4(even01, even23, 0xdd);
        w[4 + c] = _mm512_shuffle_i32x4(odd01, odd23, 0x88);
        w[12 + c] = _mm512_shuffle_i32x4(odd01, odd23, 0xdd);
    }
}

INLINE void expand(__m512i w[16], unsigned t)
{
    __m512i a = w[(t + 1) % 16];
    __m512i b = w[(t + 14) % 16];
    __m512i s0 = xor3(_mm512_ror_epi32(a, 7), _mm512_ror_epi32(a, 18), _mm512_srli_epi32(a, 3));
    __m512i s1 = xor3(_mm512_ror_epi32(b, 17), _mm512_ror_epi32(b, 19), _mm512_srli_epi32(b, 10));
    w[t] = add(add(w[t], s0), add(w[(t + 9) % 16], s1));
}

/* A lane's message, as far as its blocks were taken. */
struct lane {
    uintptr_t at;  /* where the next block lies; its first byte may be the prefix */
    size_t left;   /* bytes of the message, prefix included, from there on */
    size_t blocks; /* not yet taken, those of padding included; 0: nothing to do */
    uint64_t bits;
    unsigned skip;       /* 1: the prefix, which is zero, is in front */
    bool is_ended;       /* the 0x80 is behind */
    struct sy_hash *out; /* NULL: no message */
};

struct feed {
    const struct sy_slice *messages;
    struct sy_hash *out;
    size_t next, count;
    unsigned skip;
    unsigned busy; /* lanes with a message */
    struct lane lanes[LANES];
};

// Gives a free lane the next message, or none.
INLINE void next_message(struct feed *feed, struct lane *lane)
{
    if (feed->next == feed->count) {
        lane->out = NULL;
        return;
    }
    const struct sy_slice *message = &feed->messages[feed->next];
    lane->at = (uintptr_t)message->data - feed->skip;
    lane->left = message->size + feed->skip;
    lane->blocks = (lane->left + 8) / BLOCK + 1;
    lane->bits = (uint64_t)lane->left * 8;
    lane->skip = feed->skip;
    lane->is_ended = false;
    lane->out = &feed->out[feed->next++];
    feed->busy++;
}

INLINE __m512i take_row(struct lane *lane)
{
    const void *at = (const void *)lane->at;
    size_t size = lane->left < BLOCK ? lane->left : BLOCK;
    lane->at += BLOCK;
    lane->left -= size;
    lane->blocks--;
    if (size == BLOCK && lane->skip == 0) return _mm512_loadu_si512(at);
    __mmask64 bytes = _bzhi_u64(UINT64_MAX, (unsigned)size) & UINT64_MAX << lane->skip;
    __m512i row = _mm512_maskz_loadu_epi8(bytes, at);
    lane->skip = 0;
    if (size < BLOCK && !lane->is_ended) {
        row = _mm512_mask_set1_epi8(row, (__mmask64)1 << size, (char)0x80);
        lane->is_ended = true;
    }
    if (lane->blocks > 0) return row;
    return _mm512_mask_set1_epi64(row, 0x80, (long long)__builtin_bswap64(lane->bits));
}

#endif
#endif
