/* sha256_avx512.c: sixteen messages in the 32-bit lanes of AVX-512.
 *
 * A block of each message is one register of bytes, a row; transposed, word t of all of them is one
 * register. Rows at a message's ends are loaded under a mask, so nothing is copied and nothing
 * beside the message is touched. Lanes are fed from the list as they become free; when the list is
 * at its end and few are left, those are finished one by one. */
#include "core/crypto/sha256_tables.h"

#ifdef __x86_64__

#include <immintrin.h>
#include <stdbool.h>

#include "core/crypto/cpu.h"

#define BLOCK 64u
#define LANES 16u
#define PAIR_BITS 520
#define INLINE static inline __attribute__((always_inline))

#define EACH8(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)
#define EACH16(DO) EACH8(DO) DO(8) DO(9) DO(10) DO(11) DO(12) DO(13) DO(14) DO(15)

/* Word i of every lane's state. */
struct states {
    __m512i word[8];
};

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

// Nothing is moved between rounds: word i of round t lies at (i - t) mod 8.
#define AT(i) v[((i) + 16u - t) % 8u]

INLINE void do_round(__m512i v[8], __m512i kw, unsigned t)
{
    __m512i a = AT(0);
    __m512i e = AT(4);
    __m512i sum1 = xor3(_mm512_ror_epi32(e, 6), _mm512_ror_epi32(e, 11), _mm512_ror_epi32(e, 25));
    __m512i sum0 = xor3(_mm512_ror_epi32(a, 2), _mm512_ror_epi32(a, 13), _mm512_ror_epi32(a, 22));
    __m512i choice = _mm512_ternarylogic_epi32(e, AT(5), AT(6), 0xca);
    __m512i majority = _mm512_ternarylogic_epi32(a, AT(1), AT(2), 0xe8);
    __m512i one = add(add(AT(7), kw), add(sum1, choice));
    AT(3) = add(AT(3), one);
    AT(7) = add(one, add(sum0, majority));
}

#undef AT

INLINE void compress(struct states *states, __m512i w[16])
{
    __m512i v[8];
#define LOAD(i) v[i] = states->word[i];
    EACH8(LOAD)
#undef LOAD
#define ROUND(t) do_round(v, add(w[t], broadcast(&sy_sha256_k[t])), t);
    EACH16(ROUND)
#undef ROUND
    for (const uint32_t *k = sy_sha256_k + 16; k < sy_sha256_k + SY_SHA256_ROUNDS; k += 16) {
#define ROUND(t)  \
    expand(w, t); \
    do_round(v, add(w[t], broadcast(&k[t])), t);
        EACH16(ROUND)
#undef ROUND
    }
#define ADD(i) states->word[i] = add(states->word[i], v[i]);
    EACH8(ADD)
#undef ADD
}

// Begins anew in the lanes of mask.
INLINE void start(struct states *states, __mmask16 mask)
{
#define START(i) \
    states->word[i] = _mm512_mask_mov_epi32(states->word[i], mask, broadcast(&sy_sha256_start[i]));
    EACH8(START)
#undef START
}

/* Hashes as bytes: lane 4q + c has its first half in quarter q of half[0][c]. */
struct hashes {
    __m128i half[2][4][4];
};

INLINE void finish(struct hashes *hashes, const struct states *states)
{
    for (int h = 0; h < 2; h++) {
        const __m512i *word = &states->word[4 * h];
        __m512i ab_low = _mm512_unpacklo_epi32(word[0], word[1]);
        __m512i ab_high = _mm512_unpackhi_epi32(word[0], word[1]);
        __m512i cd_low = _mm512_unpacklo_epi32(word[2], word[3]);
        __m512i cd_high = _mm512_unpackhi_epi32(word[2], word[3]);
        __m512i *to = (__m512i *)(void *)hashes->half[h];
        _mm512_storeu_si512(&to[0], swap_bytes(_mm512_unpacklo_epi64(ab_low, cd_low)));
        _mm512_storeu_si512(&to[1], swap_bytes(_mm512_unpackhi_epi64(ab_low, cd_low)));
        _mm512_storeu_si512(&to[2], swap_bytes(_mm512_unpacklo_epi64(ab_high, cd_high)));
        _mm512_storeu_si512(&to[3], swap_bytes(_mm512_unpackhi_epi64(ab_high, cd_high)));
    }
}

INLINE void put(struct sy_hash *out, const struct hashes *hashes, unsigned lane)
{
    _mm_storeu_si128((__m128i *)(void *)out->bytes, hashes->half[0][lane % 4][lane / 4]);
    _mm_storeu_si128((__m128i *)(void *)(out->bytes + 16), hashes->half[1][lane % 4][lane / 4]);
}

// --- pairs ---------------------------------------------------------------------------------------

static void hash_sixteen(struct sy_hash *out, const struct sy_hash *children, size_t count,
                         __m512i prefix)
{
    __m512i rows[LANES];
    __m512i w[16];
    uint32_t last[LANES];
    struct states states;
    struct hashes hashes;
    memset(&states, 0, sizeof states);
    for (unsigned i = 0; i < LANES; i++) {
        const uint8_t *pair = children[2 * (i < count ? i : count - 1)].bytes;
        rows[i] = _mm512_mask_loadu_epi8(prefix, ~(__mmask64)1, (void *)((uintptr_t)pair - 1));
        last[i] = (uint32_t)pair[63] << 24 | 0x00800000u;
    }
    start(&states, (__mmask16)-1);
    transpose(w, rows);
    compress(&states, w);
    for (unsigned t = 1; t < 15; t++) w[t] = _mm512_setzero_si512();
    w[0] = _mm512_loadu_si512(last);
    w[15] = _mm512_set1_epi32(PAIR_BITS);
    compress(&states, w);
    finish(&hashes, &states);
    for (unsigned i = 0; i < LANES && i < count; i++) put(&out[i], &hashes, i);
}

static void hash_pairs(struct sy_hash *out, const struct sy_hash *children, size_t count,
                       uint8_t prefix)
{
    const __m512i prefix_row = _mm512_zextsi128_si512(_mm_cvtsi32_si128(prefix));
    size_t done = 0;
    for (; count - done >= 4; done += count - done < LANES ? count - done : LANES) {
        hash_sixteen(&out[done], &children[2 * done], count - done, prefix_row);
    }
    sy_sha256_portable.pairs(&out[done], &children[2 * done], count - done, prefix);
}

// --- messages ------------------------------------------------------------------------------------

/* A lane's message, as far as its blocks were taken. */
struct lane {
    uintptr_t at;  /* where the next block lies; its first byte may be the prefix */
    size_t left;   /* bytes of the message, prefix included, from there on */
    size_t blocks; /* not yet taken, those of padding included; 0: nothing to do */
    uint64_t bits;
    unsigned skip; /* 1: the prefix, which is zero, is in front */
    bool is_ended; /* the 0x80 is behind */
    struct sy_hash *out;
};

struct feed {
    const struct sy_slice *messages;
    struct sy_hash *out;
    size_t next, count;
    unsigned skip;
    struct lane lanes[LANES];
};

INLINE void take_message(struct feed *feed, struct lane *lane)
{
    const struct sy_slice *message = &feed->messages[feed->next];
    lane->at = (uintptr_t)message->data - feed->skip;
    lane->left = message->size + feed->skip;
    lane->blocks = (lane->left + 8) / BLOCK + 1;
    lane->bits = (uint64_t)lane->left * 8;
    lane->skip = feed->skip;
    lane->is_ended = false;
    lane->out = &feed->out[feed->next++];
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

// Finds work for free lanes and returns how many have some.
INLINE unsigned fill_lanes(struct feed *feed)
{
    unsigned busy = 0;
    for (unsigned i = 0; i < LANES; i++) {
        struct lane *lane = &feed->lanes[i];
        if (lane->blocks == 0 && feed->next < feed->count) take_message(feed, lane);
        busy += lane->blocks > 0 ? 1 : 0;
    }
    return busy;
}

// One block in every lane that has one.
static void step(struct feed *feed, struct states *states)
{
    __m512i rows[LANES];
    __m512i w[16];
    __mmask16 ended = 0;
    for (unsigned i = 0; i < LANES; i++) {
        struct lane *lane = &feed->lanes[i];
        rows[i] = lane->blocks > 0 ? take_row(lane) : _mm512_setzero_si512();
        ended |= (__mmask16)((lane->blocks == 0 ? 1u : 0u) << i);
    }
    transpose(w, rows);
    compress(states, w);
    if (ended == 0) return;
    struct hashes hashes;
    finish(&hashes, states);
    for (unsigned i = 0; i < LANES; i++) {
        struct lane *lane = &feed->lanes[i];
        if (lane->blocks > 0 || lane->out == NULL) continue;
        put(lane->out, &hashes, i);
        lane->out = NULL;
    }
    start(states, ended);
}

static void finish_lane(struct lane *lane, const struct states *states, unsigned index)
{
    uint32_t state[8];
    uint8_t block[BLOCK];
    bool sha_ni = sy_cpu()->sha_ni;
    for (unsigned i = 0; i < 8; i++) state[i] = ((const uint32_t *)&states->word[i])[index];
    while (lane->blocks > 0) {
        _mm512_storeu_si512(block, take_row(lane));
        if (sha_ni) {
            sy_sha256_compress_sha_ni(state, block);
        } else {
            sy_sha256_compress(state, block);
        }
    }
    sy_sha256_store(lane->out, state);
}

static void hash_slices(struct feed *feed)
{
    // A step takes as long as so many blocks one by one.
    const unsigned few = sy_cpu()->sha_ni ? 6 : 2;
    struct states states;
    memset(&states, 0, sizeof states);
    start(&states, (__mmask16)-1);
    while (fill_lanes(feed) > few) step(feed, &states);
    for (unsigned i = 0; i < LANES; i++) {
        if (feed->lanes[i].blocks > 0) finish_lane(&feed->lanes[i], &states, i);
    }
}

static void hash_messages(struct sy_hash *out, const struct sy_slice *messages, size_t count)
{
    struct feed feed = {.messages = messages, .out = out, .count = count};
    hash_slices(&feed);
}

static void hash_leaves(struct sy_hash *out, const struct sy_slice *leaves, size_t count)
{
    struct feed feed = {.messages = leaves, .out = out, .count = count, .skip = 1};
    hash_slices(&feed);
}

const struct sy_sha256_many sy_sha256_avx512 = {
    .name = "avx512", .messages = hash_messages, .leaves = hash_leaves, .pairs = hash_pairs};

#endif
