/* sha256_avx512_sha_ni.c: messages with their schedules in AVX-512 lanes and their rounds on the
 * SHA extensions, at the same time.
 *
 * A step takes sixteen messages a block further: their rounds four messages at a time, as in
 * sha256_sha_ni.c, and beside each four a quarter of the schedules of the step to come. Two words
 * of K + W are what one round instruction takes, so pairs of words are put together (that is one
 * shuffle, instead of transposing everything back) and kept in memory. Message 4q + m has words t
 * and t + 1, t even, at
 *
 *     64 t + 64 (m / 2) + 16 q + 8 (m % 2)
 *
 * so that the four of a quarter q are those whose rounds are done together.
 *
 * Pairs gain nothing from this: the table spares them half of the schedules. */
#include "core/crypto/sha256_tables.h"

#ifdef __x86_64__

#include "core/crypto/sha256_lanes.h"

#define QUARTERS 4u

/* The four states of a quarter, as the instructions want them: {f, e, b, a}, {h, g, d, c}. */
struct states {
    __m128i abef[4];
    __m128i cdgh[4];
};

/* Sixteen schedules: K + W as above, and the sixteen words that the next ones follow from. */
struct schedules {
    uint8_t kw[LANES * SY_SHA256_ROUNDS * 4] __attribute__((aligned(64)));
    __m512i w[16];
};

INLINE __m128i load_pair(const uint8_t *p)
{
    return _mm_loadl_epi64((const __m128i *)(const void *)p);
}

// Rounds 4i to 4i + 3; kw is that of the quarter.
INLINE void do_rounds(struct states *s, const uint8_t *kw, unsigned i)
{
    const uint8_t *first = kw + 256 * i;
    const uint8_t *second = first + 128;
    s->cdgh[0] = _mm_sha256rnds2_epu32(s->cdgh[0], s->abef[0], load_pair(first));
    s->cdgh[1] = _mm_sha256rnds2_epu32(s->cdgh[1], s->abef[1], load_pair(first + 8));
    s->cdgh[2] = _mm_sha256rnds2_epu32(s->cdgh[2], s->abef[2], load_pair(first + 64));
    s->cdgh[3] = _mm_sha256rnds2_epu32(s->cdgh[3], s->abef[3], load_pair(first + 72));
    s->abef[0] = _mm_sha256rnds2_epu32(s->abef[0], s->cdgh[0], load_pair(second));
    s->abef[1] = _mm_sha256rnds2_epu32(s->abef[1], s->cdgh[1], load_pair(second + 8));
    s->abef[2] = _mm_sha256rnds2_epu32(s->abef[2], s->cdgh[2], load_pair(second + 64));
    s->abef[3] = _mm_sha256rnds2_epu32(s->abef[3], s->cdgh[3], load_pair(second + 72));
}

INLINE void add_states(struct states *to, const struct states *s)
{
#define ADD(i)                                            \
    to->abef[i] = _mm_add_epi32(to->abef[i], s->abef[i]); \
    to->cdgh[i] = _mm_add_epi32(to->cdgh[i], s->cdgh[i]);
    ADD(0) ADD(1) ADD(2) ADD(3)
#undef ADD
}

// Stores K + W of word t and the one before it, of all messages, once both are there: t is odd.
INLINE void put_words(uint8_t *kw, const __m512i w[16], const uint32_t *k, unsigned t)
{
    if (t % 2 == 0) return;
    __m512i even = add(w[t - 1], broadcast(&k[t - 1]));
    __m512i odd = add(w[t], broadcast(&k[t]));
    _mm512_store_si512(kw + 64 * (t - 1), _mm512_unpacklo_epi32(even, odd));
    _mm512_store_si512(kw + 64 * t, _mm512_unpackhi_epi32(even, odd));
}

// A quarter's rounds, and the first sixteen words of the next schedules.
__attribute__((noinline)) static void round_and_load(struct states *states, const uint8_t *kw,
                                                     struct schedules *next,
                                                     const __m512i rows[LANES])
{
    struct states s = *states;
    __m512i w[16];
    transpose(w, rows);
#define STEP(i)           \
    do_rounds(&s, kw, i); \
    put_words(next->kw, w, sy_sha256_k, i);
    EACH16(STEP)
#undef STEP
#define KEEP(i) next->w[i] = w[i];
    EACH16(KEEP)
#undef KEEP
    add_states(states, &s);
}

// A quarter's rounds, and sixteen more words of the next schedules, 16 * part and on.
__attribute__((noinline)) static void round_and_expand(struct states *states, const uint8_t *kw,
                                                       struct schedules *next, unsigned part)
{
    struct states s = *states;
    __m512i w[16];
    uint8_t *to = next->kw + (size_t)1024 * part;
    const uint32_t *k = sy_sha256_k + (size_t)16 * part;
#define LOAD(i) w[i] = next->w[i];
    EACH16(LOAD)
#undef LOAD
#define STEP(i)           \
    do_rounds(&s, kw, i); \
    expand(w, i);         \
    put_words(to, w, k, i);
    EACH16(STEP)
#undef STEP
#define KEEP(i) next->w[i] = w[i];
    EACH16(KEEP)
#undef KEEP
    add_states(states, &s);
}

// The eight words in their order, from the two registers.
INLINE void order(__m128i words[2], __m128i abef, __m128i cdgh)
{
    __m128i abef_up = _mm_shuffle_epi32(abef, 0x1b);
    __m128i cdgh_up = _mm_shuffle_epi32(cdgh, 0x1b);
    words[0] = _mm_unpacklo_epi64(abef_up, cdgh_up);
    words[1] = _mm_unpackhi_epi64(abef_up, cdgh_up);
}

static void start(struct states *s, unsigned m)
{
    const uint32_t *h = sy_sha256_start;
    s->abef[m] = _mm_set_epi32((int)h[0], (int)h[1], (int)h[4], (int)h[5]);
    s->cdgh[m] = _mm_set_epi32((int)h[2], (int)h[3], (int)h[6], (int)h[7]);
}

static void start_all(struct states states[QUARTERS])
{
    for (unsigned i = 0; i < LANES; i++) start(&states[i / 4], i % 4);
}

// A row for every lane that has a block, and where its hash goes if it was the last; the lane then
// takes another message.
INLINE void take_rows(struct feed *feed, __m512i rows[LANES], struct sy_hash *ends[LANES])
{
    for (unsigned i = 0; i < LANES; i++) {
        struct lane *lane = &feed->lanes[i];
        ends[i] = NULL;
        rows[i] = lane->blocks > 0 ? take_row(lane) : _mm512_setzero_si512();
        if (lane->blocks > 0 || lane->out == NULL) continue;
        ends[i] = lane->out;
        feed->busy--;
        next_message(feed, lane);
    }
}

// Hands out what has ended, and starts those lanes anew.
INLINE void settle(struct states states[QUARTERS], struct sy_hash *const ends[LANES])
{
    const __m128i swap = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    for (unsigned i = 0; i < LANES; i++) {
        struct states *s = &states[i / 4];
        __m128i words[2];
        if (ends[i] == NULL) continue;
        order(words, s->abef[i % 4], s->cdgh[i % 4]);
        _mm_storeu_si128((__m128i *)(void *)ends[i]->bytes, _mm_shuffle_epi8(words[0], swap));
        _mm_storeu_si128((__m128i *)(void *)(ends[i]->bytes + 16),
                         _mm_shuffle_epi8(words[1], swap));
        start(s, i % 4);
    }
}

static void finish_lane(struct lane *lane, const struct states *s, unsigned m)
{
    __m128i words[2];
    uint32_t state[8];
    uint8_t block[BLOCK];
    order(words, s->abef[m], s->cdgh[m]);
    memcpy(state, words, sizeof state);
    while (lane->blocks > 0) {
        _mm512_storeu_si512(block, take_row(lane));
        sy_sha256_compress_sha_ni(state, block);
    }
    sy_sha256_store(lane->out, state);
}

static void hash_slices(struct feed *feed)
{
    const unsigned few = 6; // a step takes as long as so many blocks one by one
    struct schedules ring[2];
    struct sy_hash *ends[2][LANES];
    struct states states[QUARTERS];
    __m512i rows[LANES];
    bool pending = false; // schedules wait for their rounds
    start_all(states);
    for (unsigned i = 0; i < LANES; i++) next_message(feed, &feed->lanes[i]);
    if (feed->busy > few) memset(&ring[1], 0, sizeof ring[1]);
    for (unsigned next = 0;; next = 1 - next) {
        bool more = feed->busy > few;
        if (!more && !pending) break;
        const uint8_t *kw = ring[1 - next].kw;
        if (more) {
            take_rows(feed, rows, ends[next]);
        } else { // the last time round: what is scheduled now is of no use
            memset(rows, 0, sizeof rows);
        }
        round_and_load(&states[0], kw, &ring[next], rows);
        for (unsigned q = 1; q < QUARTERS; q++) {
            round_and_expand(&states[q], kw + (size_t)16 * q, &ring[next], q);
        }
        if (pending) {
            settle(states, ends[1 - next]);
        } else {
            start_all(states); // the first time: those were the rounds of nothing
        }
        pending = more;
    }
    for (unsigned i = 0; i < LANES; i++) {
        if (feed->lanes[i].blocks > 0) finish_lane(&feed->lanes[i], &states[i / 4], i % 4);
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

static void hash_pairs(struct sy_hash *out, const struct sy_hash *children, size_t count,
                       uint8_t prefix)
{
    sy_sha256_sha_ni.pairs(out, children, count, prefix);
}

const struct sy_sha256_many sy_sha256_avx512_sha_ni = {
    .name = "avx512-sha-ni", .messages = hash_messages, .leaves = hash_leaves, .pairs = hash_pairs};

#endif
