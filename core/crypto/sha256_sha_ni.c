/* sha256_sha_ni.c: four messages interleaved on the SHA extensions of x86.
 *
 * A round instruction (two rounds) has a latency of four cycles and one can start every cycle, so
 * four messages fill that unit. Schedules run on another unit; here they are a step ahead: while a
 * step's rounds are done, K + W of the next step's four blocks is computed beside them and kept in
 * memory. A pair's second block takes its K + W from the table (sha256_tables.h), so the schedules
 * of the next four pairs are spread over the rounds of both blocks, two at a time.
 *
 * The eight words lie in two registers, as the instructions want them: {f, e, b, a}, {h, g, d, c},
 * lowest first. */
#include "core/crypto/sha256_tables.h"

#ifdef __x86_64__

#include <immintrin.h>
#include <stdbool.h>

#define BLOCK 64u
#define LENGTH_AT 56u
#define STREAMS 4u
#define INLINE static inline __attribute__((always_inline))

/* Sixteen times four rounds, written out: the indices must be constants for the registers' sake. */
#define EACH4(DO, i) DO(i) DO((i) + 1) DO((i) + 2) DO((i) + 3)
#define EACH16(DO) EACH4(DO, 0) EACH4(DO, 4) EACH4(DO, 8) EACH4(DO, 12)

struct states {
    __m128i abef[STREAMS];
    __m128i cdgh[STREAMS];
};

/* What is interleaved stays so: no load or store crosses this, and the rounds before it are done
 * before it. Left alone compilers gather the loads, spill them, and do the rounds at the end. */
INLINE void keep_order(struct states *s)
{
    __asm__ volatile(""
                     : "+x"(s->abef[0]), "+x"(s->abef[1]), "+x"(s->abef[2]), "+x"(s->abef[3]),
                       "+x"(s->cdgh[0]), "+x"(s->cdgh[1]), "+x"(s->cdgh[2]), "+x"(s->cdgh[3])
                     :
                     : "memory");
}

/* K + W of one block for each stream. */
struct schedules {
    uint32_t kw[STREAMS][SY_SHA256_ROUNDS] __attribute__((aligned(64)));
};

/* Where a block's words come from: 64 bytes, or the first 63 of a pair after its prefix. */
struct words {
    const uint8_t *data;
    bool is_pair;
    __m128i prefix; /* in the highest byte of the first word */
};

INLINE __m128i load(const void *p)
{
    return _mm_loadu_si128((const __m128i *)p);
}

INLINE __m128i load_half(const uint32_t *p)
{
    return _mm_loadl_epi64((const __m128i *)(const void *)p);
}

INLINE __m128i load_words(const struct words *from, unsigned i)
{
    const __m128i swap = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    const __m128i shift = _mm_set_epi8(11, 12, 13, 14, 7, 8, 9, 10, 3, 4, 5, 6, -1, 0, 1, 2);
    if (!from->is_pair) return _mm_shuffle_epi8(load(from->data + 16 * i), swap);
    if (i > 0) return _mm_shuffle_epi8(load(from->data + 16 * i - 1), swap);
    return _mm_or_si128(_mm_shuffle_epi8(load(from->data), shift), from->prefix);
}

// Words 4i to 4i + 3 of a schedule; w holds the sixteen before them.
INLINE void schedule(uint32_t *kw, __m128i w[4], const struct words *from, unsigned i)
{
    __m128i *next = &w[i % 4];
    if (i < 4) {
        *next = load_words(from, i);
    } else {
        __m128i w9 = _mm_alignr_epi8(w[(i + 3) % 4], w[(i + 2) % 4], 4);
        __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(*next, w[(i + 1) % 4]), w9);
        *next = _mm_sha256msg2_epu32(sum, w[(i + 3) % 4]);
    }
    _mm_store_si128((__m128i *)(void *)(kw + 4 * i),
                    _mm_add_epi32(*next, load(&sy_sha256_k[4 * i])));
}

// Rounds 4i to 4i + 3 of all streams.
INLINE void do_rounds(struct states *s, const uint32_t *const kw[STREAMS], unsigned i)
{
    s->cdgh[0] = _mm_sha256rnds2_epu32(s->cdgh[0], s->abef[0], load_half(kw[0] + 4 * i));
    s->cdgh[1] = _mm_sha256rnds2_epu32(s->cdgh[1], s->abef[1], load_half(kw[1] + 4 * i));
    s->cdgh[2] = _mm_sha256rnds2_epu32(s->cdgh[2], s->abef[2], load_half(kw[2] + 4 * i));
    s->cdgh[3] = _mm_sha256rnds2_epu32(s->cdgh[3], s->abef[3], load_half(kw[3] + 4 * i));
    s->abef[0] = _mm_sha256rnds2_epu32(s->abef[0], s->cdgh[0], load_half(kw[0] + 4 * i + 2));
    s->abef[1] = _mm_sha256rnds2_epu32(s->abef[1], s->cdgh[1], load_half(kw[1] + 4 * i + 2));
    s->abef[2] = _mm_sha256rnds2_epu32(s->abef[2], s->cdgh[2], load_half(kw[2] + 4 * i + 2));
    s->abef[3] = _mm_sha256rnds2_epu32(s->abef[3], s->cdgh[3], load_half(kw[3] + 4 * i + 2));
}

INLINE void start(struct states *s)
{
    const uint32_t *h = sy_sha256_start;
    __m128i abef = _mm_set_epi32((int)h[0], (int)h[1], (int)h[4], (int)h[5]);
    __m128i cdgh = _mm_set_epi32((int)h[2], (int)h[3], (int)h[6], (int)h[7]);
    *s = (struct states){{abef, abef, abef, abef}, {cdgh, cdgh, cdgh, cdgh}};
}

INLINE void add(struct states *s, const struct states *before)
{
#define ADD(i)                                               \
    s->abef[i] = _mm_add_epi32(s->abef[i], before->abef[i]); \
    s->cdgh[i] = _mm_add_epi32(s->cdgh[i], before->cdgh[i]);
    EACH4(ADD, 0)
#undef ADD
}

INLINE void finish(struct sy_hash *out, __m128i abef, __m128i cdgh)
{
    const __m128i swap = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    __m128i abef_up = _mm_shuffle_epi32(abef, 0x1b); // lowest first now
    __m128i cdgh_up = _mm_shuffle_epi32(cdgh, 0x1b);
    __m128i abcd = _mm_unpacklo_epi64(abef_up, cdgh_up);
    __m128i efgh = _mm_unpackhi_epi64(abef_up, cdgh_up);
    _mm_storeu_si128((__m128i *)(void *)out->bytes, _mm_shuffle_epi8(abcd, swap));
    _mm_storeu_si128((__m128i *)(void *)(out->bytes + 16), _mm_shuffle_epi8(efgh, swap));
}

// --- one message ---------------------------------------------------------------------------------

INLINE void do_rounds_of_one(struct states *s, const uint32_t *kw, unsigned i)
{
    s->cdgh[0] = _mm_sha256rnds2_epu32(s->cdgh[0], s->abef[0], load_half(kw + 4 * i));
    s->abef[0] = _mm_sha256rnds2_epu32(s->abef[0], s->cdgh[0], load_half(kw + 4 * i + 2));
}

INLINE void compress_one(__m128i *abef, __m128i *cdgh, const struct words *from)
{
    struct states s = {{*abef}, {*cdgh}};
    uint32_t kw[SY_SHA256_ROUNDS] __attribute__((aligned(64)));
    __m128i w[4];
#define STEP(i)               \
    schedule(kw, w, from, i); \
    do_rounds_of_one(&s, kw, i);
    EACH16(STEP)
#undef STEP
    *abef = _mm_add_epi32(*abef, s.abef[0]);
    *cdgh = _mm_add_epi32(*cdgh, s.cdgh[0]);
}

void sy_sha256_compress_sha_ni(uint32_t state[8], const uint8_t block[BLOCK])
{
    const struct words from = {block, false, {0}};
    uint32_t *h = state;
    __m128i abef = _mm_set_epi32((int)h[0], (int)h[1], (int)h[4], (int)h[5]);
    __m128i cdgh = _mm_set_epi32((int)h[2], (int)h[3], (int)h[6], (int)h[7]);
    compress_one(&abef, &cdgh, &from);
    __m128i abef_up = _mm_shuffle_epi32(abef, 0x1b);
    __m128i cdgh_up = _mm_shuffle_epi32(cdgh, 0x1b);
    _mm_storeu_si128((__m128i *)(void *)h, _mm_unpacklo_epi64(abef_up, cdgh_up));
    _mm_storeu_si128((__m128i *)(void *)(h + 4), _mm_unpackhi_epi64(abef_up, cdgh_up));
}

__attribute__((noinline)) static void hash_pair(struct sy_hash *out, const struct sy_hash *children,
                                                __m128i prefix, const struct sy_sha256_row *tails)
{
    const struct words words = {children[0].bytes, true, prefix};
    const uint32_t *tail = tails[children[1].bytes[31]].kw;
    struct states s;
    start(&s);
    compress_one(&s.abef[0], &s.cdgh[0], &words);
    struct states middle = s;
#define STEP(i) do_rounds_of_one(&s, tail, i);
    EACH16(STEP)
#undef STEP
    finish(out, _mm_add_epi32(s.abef[0], middle.abef[0]), _mm_add_epi32(s.cdgh[0], middle.cdgh[0]));
}

// --- pairs ---------------------------------------------------------------------------------------

// The rounds of one block of each stream, and the whole schedules of two blocks to come.
INLINE void step_and_schedule_two(struct states *s, const uint32_t *const kw[STREAMS],
                                  uint32_t (*next)[SY_SHA256_ROUNDS], const struct words from[2])
{
    const struct states before = *s;
    __m128i v[4];
    __m128i w[4];
#define STEP(i)                        \
    do_rounds(s, kw, i);               \
    keep_order(s);                     \
    schedule(next[0], v, &from[0], i); \
    schedule(next[1], w, &from[1], i);
    EACH16(STEP)
#undef STEP
    add(s, &before);
}

/* Four pairs on their way: their first blocks' schedules, and the second blocks'. */
struct pairs {
    struct schedules first;
    const uint32_t *second[STREAMS];
};

// The pairs at children and after; beyond the last of `left` that one again, so that the lanes are
// filled with something.
INLINE void take_pairs(struct words from[STREAMS], const uint32_t *second[STREAMS],
                       const struct sy_hash *children, size_t left, __m128i prefix,
                       const struct sy_sha256_row *tails)
{
    for (unsigned i = 0; i < STREAMS; i++) {
        const uint8_t *pair = children[2 * (i < left ? i : left - 1)].bytes;
        from[i] = (struct words){pair, true, prefix};
        second[i] = tails[pair[63]].kw;
        for (unsigned line = 0; line < SY_SHA256_ROUNDS; line += 16) {
            _mm_prefetch((const char *)(second[i] + line), _MM_HINT_T0);
        }
    }
}

static void hash_pairs(struct sy_hash *out, const struct sy_hash *children, size_t count,
                       uint8_t prefix)
{
    const struct sy_sha256_row *tails = sy_sha256_pair_tails();
    const __m128i prefix_word = _mm_set_epi32(0, 0, 0, (int)((uint32_t)prefix << 24));
    struct pairs ring[2];
    struct words from[STREAMS];
    struct states s;
    if (count < 3) {
        for (size_t i = 0; i < count; i++) hash_pair(&out[i], &children[2 * i], prefix_word, tails);
        return;
    }
    // The first time around there are no rounds to do yet: those of anything are done and dropped.
    memset(&ring[1], 0, sizeof ring[1]);
    for (unsigned i = 0; i < STREAMS; i++) ring[1].second[i] = tails[0].kw;
    for (size_t done = 0, taken = 0; done < count; taken += STREAMS) {
        struct pairs *now = &ring[1 - taken / STREAMS % 2];
        struct pairs *next = &ring[taken / STREAMS % 2];
        const uint32_t *const first[STREAMS] = {now->first.kw[0], now->first.kw[1],
                                                now->first.kw[2], now->first.kw[3]};
        size_t at = taken < count ? taken : count - 1;
        take_pairs(from, next->second, children + 2 * at, count - at, prefix_word, tails);
        start(&s);
        step_and_schedule_two(&s, first, next->first.kw, from);
        step_and_schedule_two(&s, now->second, next->first.kw + 2, from + 2);
        if (taken == 0) continue;
        struct sy_hash hashes[STREAMS];
        struct sy_hash *to = count - done >= STREAMS ? &out[done] : hashes;
#define FINISH(i) finish(&to[i], s.abef[i], s.cdgh[i]);
        EACH4(FINISH, 0)
#undef FINISH
        if (to == hashes) memcpy(&out[done], hashes, (count - done) * sizeof *out);
        done += STREAMS;
    }
}

// --- messages ------------------------------------------------------------------------------------

/* A stream's message, as far as its blocks were taken. */
struct lane {
    const uint8_t *data; /* not yet taken */
    size_t left;
    size_t used;   /* bytes that stand in block before data: the prefix, or none */
    size_t blocks; /* not yet taken, those of padding included; 0: nothing to do */
    uint64_t bits;
    bool is_ended; /* the 0x80 is behind */
    struct sy_hash *out;
    uint8_t block[BLOCK]; /* made up where a message does not fill one */
};

struct feed {
    const struct sy_slice *messages;
    struct sy_hash *out;
    size_t next, count;
    bool is_prefixed; /* by 0x00 */
    struct lane lanes[STREAMS];
};

static void take_message(struct feed *feed, struct lane *lane)
{
    const struct sy_slice *message = &feed->messages[feed->next];
    lane->data = message->data;
    lane->left = message->size;
    lane->used = feed->is_prefixed ? 1 : 0;
    lane->block[0] = 0x00;
    lane->blocks = (lane->used + lane->left + 8) / BLOCK + 1;
    lane->bits = ((uint64_t)lane->used + lane->left) * 8;
    lane->is_ended = false;
    lane->out = &feed->out[feed->next++];
}

// The block that the message ends in, or one of padding.
static void make_end(struct lane *lane)
{
    size_t used = lane->used;
    if (lane->left > 0) memcpy(lane->block + used, lane->data, lane->left);
    used += lane->left;
    lane->left = 0;
    if (!lane->is_ended) lane->block[used++] = 0x80;
    lane->is_ended = true;
    memset(lane->block + used, 0, BLOCK - used);
    if (lane->blocks == 0) sy_store_u64_be(lane->block + LENGTH_AT, lane->bits);
}

static const uint8_t *take_block(struct lane *lane)
{
    const uint8_t *block = lane->data;
    size_t take = BLOCK - lane->used;
    lane->blocks--;
    if (lane->left < take) {
        make_end(lane);
        block = lane->block;
    } else {
        if (lane->used == 1) {
            memcpy(lane->block + 1, lane->data, BLOCK - 1);
            block = lane->block;
        }
        lane->data += take;
        lane->left -= take;
    }
    lane->used = 0;
    return block;
}

// A block for every stream that has one, and where its hash goes if it was the last. Returns how
// many; none when one stream alone goes on, which is quicker by itself.
static unsigned take_blocks(struct feed *feed, struct words from[STREAMS],
                            struct sy_hash *ends[STREAMS])
{
    static const uint8_t nothing[BLOCK];
    unsigned busy = 0;
    for (unsigned i = 0; i < STREAMS; i++) {
        struct lane *lane = &feed->lanes[i];
        if (lane->blocks == 0 && feed->next < feed->count) take_message(feed, lane);
        busy += lane->blocks > 0 ? 1 : 0;
    }
    for (unsigned i = 0; i < STREAMS; i++) {
        struct lane *lane = &feed->lanes[i];
        bool has_block = busy > 1 && lane->blocks > 0;
        from[i] = (struct words){has_block ? take_block(lane) : nothing, false, {0}};
        ends[i] = has_block && lane->blocks == 0 ? lane->out : NULL;
    }
    return busy > 1 ? busy : 0;
}

// The rounds of one block of each stream, and the schedules of the next four.
__attribute__((noinline)) static void step_and_schedule(struct states *states,
                                                        const struct schedules *now,
                                                        struct schedules *next,
                                                        const struct words from[STREAMS])
{
    const uint32_t *const kw[STREAMS] = {now->kw[0], now->kw[1], now->kw[2], now->kw[3]};
    const struct states before = *states;
    struct states s = before;
    __m128i w0[4], w1[4], w2[4], w3[4];
#define STEP(i)                             \
    do_rounds(&s, kw, i);                   \
    keep_order(&s);                         \
    schedule(next->kw[0], w0, &from[0], i); \
    schedule(next->kw[1], w1, &from[1], i); \
    schedule(next->kw[2], w2, &from[2], i); \
    schedule(next->kw[3], w3, &from[3], i);
    EACH16(STEP)
#undef STEP
    add(&s, &before);
    *states = s;
}

// Hands out what has ended, and starts those streams anew.
static void settle(struct states *s, struct sy_hash *const ends[STREAMS])
{
    struct states fresh;
    start(&fresh);
    for (unsigned i = 0; i < STREAMS; i++) {
        if (ends[i] == NULL) continue;
        finish(ends[i], s->abef[i], s->cdgh[i]);
        s->abef[i] = fresh.abef[i];
        s->cdgh[i] = fresh.cdgh[i];
    }
}

static void finish_lane(struct lane *lane, __m128i abef, __m128i cdgh)
{
    while (lane->blocks > 0) {
        const struct words from = {take_block(lane), false, {0}};
        compress_one(&abef, &cdgh, &from);
    }
    finish(lane->out, abef, cdgh);
}

static void hash_slices(struct feed *feed)
{
    struct schedules ring[2];
    struct sy_hash *ends[2][STREAMS];
    struct words from[STREAMS];
    struct states s;
    unsigned pending = 0; // blocks whose schedules wait for their rounds
    memset(&ring[1], 0, sizeof ring[1]);
    start(&s);
    for (unsigned next = 0;; next = 1 - next) {
        unsigned busy = take_blocks(feed, from, ends[next]);
        if (busy + pending == 0) break;
        step_and_schedule(&s, &ring[1 - next], &ring[next], from);
        if (pending == 0) {
            start(&s); // the first time: those were the rounds of nothing
        } else {
            settle(&s, ends[1 - next]);
        }
        pending = busy;
    }
    for (unsigned i = 0; i < STREAMS; i++) {
        if (feed->lanes[i].blocks > 0) finish_lane(&feed->lanes[i], s.abef[i], s.cdgh[i]);
    }
}

static void hash_messages(struct sy_hash *out, const struct sy_slice *messages, size_t count)
{
    struct feed feed = {.messages = messages, .out = out, .count = count};
    hash_slices(&feed);
}

static void hash_leaves(struct sy_hash *out, const struct sy_slice *leaves, size_t count)
{
    struct feed feed = {.messages = leaves, .out = out, .count = count, .is_prefixed = true};
    hash_slices(&feed);
}

const struct sy_sha256_many sy_sha256_sha_ni = {
    .name = "sha-ni", .messages = hash_messages, .leaves = hash_leaves, .pairs = hash_pairs};

#endif
