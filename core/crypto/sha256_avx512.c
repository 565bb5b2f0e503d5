/* sha256_avx512.c: sixteen messages in the 32-bit lanes of AVX-512.
 *
 * Lanes are fed from the list as they become free (sha256_lanes.h); when the list is at its end and
 * few are left, those are finished one by one. */
#include "core/crypto/sha256_tables.h"

#ifdef __x86_64__

#include "core/crypto/cpu.h"
#include "core/crypto/sha256_lanes.h"

#define PAIR_BITS 520

/* Word i of every lane's state. */
struct states {
    __m512i word[8];
};

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

// One block in every lane that has one.
static void step(struct feed *feed, struct states *states)
{
    __m512i rows[LANES];
    __m512i w[16];
    unsigned ended = 0; // lanes whose message is at its end, or that had none
    for (unsigned i = 0; i < LANES; i++) {
        struct lane *lane = &feed->lanes[i];
        rows[i] = lane->blocks > 0 ? take_row(lane) : _mm512_setzero_si512();
        ended |= (lane->blocks == 0 ? 1u : 0u) << i;
    }
    transpose(w, rows);
    compress(states, w);
    if (ended == 0) return;
    struct hashes hashes;
    finish(&hashes, states);
    start(states, (__mmask16)ended);
    for (; ended != 0; ended &= ended - 1) {
        unsigned i = (unsigned)__builtin_ctz(ended);
        struct lane *lane = &feed->lanes[i];
        if (lane->out == NULL) continue;
        put(lane->out, &hashes, i);
        feed->busy--;
        next_message(feed, lane);
    }
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
    for (unsigned i = 0; i < LANES; i++) next_message(feed, &feed->lanes[i]);
    while (feed->busy > few) step(feed, &states);
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
