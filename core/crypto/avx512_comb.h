/* avx512_comb.h: multiples of fixed points from tables: signed combs, eight at a time.
 *
 * A scalar is digits of 1 or -1 (sc_to_signs), cut into teeth of one digit a column: tooth m has
 * the digits C m + c, c = 0 .. C - 1. Teeth take turns at being in one of b blocks, and the digits
 * of a block's teeth in a column make the index of one table entry (Lim and Lee, "More flexible
 * exponentiation with precomputation", 1994).
 *
 *     k P = sum over c of 2^c (sum over blocks of entry(digits of the block's teeth, column c))
 *     entry(s) = sum over j of s_j 2^(C (b j + block)) P
 *
 * so C columns cost C - 1 doublings in all and C b additions. Entries with the top digit -1 are
 * those with the top digit 1 turned round, so a block of t teeth has 2^(t - 1):
 *
 *     a key           20 teeth  13 columns  blocks of 7, 7, 6    160 entries     15 KiB
 *     the base point  32 teeth   8 columns  blocks of 16, 16     65,536 entries   6 MiB
 *
 * Both go through the same columns, and so share the doublings: 39 + 16 additions, 12 doublings.
 * Bit j of an entry's index is set where digit j of the block is 1. An entry is 96 bytes,
 * little-endian and canonical:
 *
 *     0   32  (y + x) / 2
 *     32  32  (y - x) / 2
 *     64  32  d x y
 *
 * A step is the addresses of one entry for each lane, with the sign in bit 0, which a table's
 * alignment leaves free; turning an entry round is exchanging its first two numbers, when they are
 * loaded, and negating the third. */
#ifndef SY_CRYPTO_AVX512_COMB_H
#define SY_CRYPTO_AVX512_COMB_H

#include "core/crypto/avx512_point.h"
#include "core/crypto/avx512_scalar.h"

#define COMB_ENTRY_BYTES 96
#define COMB_KEY_COLUMNS 13
#define COMB_KEY_TEETH 20
#define COMB_KEY_BLOCKS 3
#define COMB_KEY_BLOCK_ENTRIES 64 /* of all but the last, which has half as many */
#define COMB_KEY_ENTRIES 160
#define COMB_KEY_BYTES ((size_t)COMB_KEY_ENTRIES * COMB_ENTRY_BYTES)
#define COMB_BASE_COLUMNS 8
#define COMB_BASE_TEETH 32
#define COMB_BASE_BLOCKS 2
#define COMB_BASE_ENTRIES 32768 /* of a block */
#define COMB_BASE_BYTES ((size_t)COMB_BASE_BLOCKS * COMB_BASE_ENTRIES * COMB_ENTRY_BYTES)

/* The additions of both, column by column from the highest one. Where a column has both, blocks of
 * the key and of the base point take turns, so that what comes from far away is spread over time.
 */
#define COMB_KEY_STEPS (COMB_KEY_COLUMNS * COMB_KEY_BLOCKS)
#define COMB_BASE_STEPS (COMB_BASE_COLUMNS * COMB_BASE_BLOCKS)
#define COMB_STEPS (COMB_KEY_STEPS + COMB_BASE_STEPS)

/* Where each entry lies that eight verifications need. */
struct comb_steps {
    uint64_t at[COMB_STEPS][SY_LANES];
};

/* comb_key_teeth: those of a block. */
SY_LANES_INLINE unsigned comb_key_teeth(unsigned block)
{
    return (COMB_KEY_TEETH - block + COMB_KEY_BLOCKS - 1) / COMB_KEY_BLOCKS;
}

/* comb_step_of: where the n-th addition of a key's comb, or of the base point's, comes when
 * `with_base` says that both are summed up. */
SY_LANES_INLINE unsigned comb_step_of_key(unsigned column, unsigned block, bool with_base)
{
    unsigned before = (COMB_KEY_COLUMNS - 1 - column) * COMB_KEY_BLOCKS;
    if (!with_base || column >= COMB_BASE_COLUMNS) return before + block;
    return before + (COMB_BASE_COLUMNS - 1 - column) * COMB_BASE_BLOCKS + 2 * block;
}

SY_LANES_INLINE unsigned comb_step_of_base(unsigned column, unsigned block, bool with_key)
{
    unsigned before = (COMB_BASE_COLUMNS - 1 - column) * COMB_BASE_BLOCKS;
    if (!with_key) return before + block;
    return before + (COMB_KEY_COLUMNS - 1 - column) * COMB_KEY_BLOCKS + 2 * block + 1;
}

/* --- digits to steps ------------------------------------------------------------------------- */

/* Byte i, bit j of each lane becomes byte j, bit i. */
SY_LANES_INLINE sy_lanes comb_transpose(sy_lanes x)
{
    sy_lanes t = lanes_and(lanes_xor(x, lanes_srl(x, 7)), lanes_of(0x00aa00aa00aa00aa));
    x = lanes_xor(x, lanes_xor(t, lanes_sll(t, 7)));
    t = lanes_and(lanes_xor(x, lanes_srl(x, 14)), lanes_of(0x0000cccc0000cccc));
    x = lanes_xor(x, lanes_xor(t, lanes_sll(t, 14)));
    t = lanes_and(lanes_xor(x, lanes_srl(x, 28)), lanes_of(0x00000000f0f0f0f0));
    return lanes_xor(x, lanes_xor(t, lanes_sll(t, 28)));
}

/* Eight digits each of `rows` teeth, from bit `from` on, `apart` bits from one tooth to the next,
 * are the rows of a bit matrix; transposed: byte c holds digit c of every tooth. */
SY_LANES_INLINE sy_lanes comb_gather(const sy_lanes words[SC_SIGN_WORDS], unsigned rows,
                                     unsigned from, unsigned apart)
{
    sy_lanes gathered = lanes_of(0), byte = lanes_of(0xff);
    for (unsigned j = 0; j < rows; j++) {
        unsigned word = (from + apart * j) / 64, offset = (from + apart * j) % 64;
        sy_lanes row = lanes_srl(words[word], offset);
        if (offset > 56) row = lanes_or(row, lanes_sll(words[word + 1], 64 - offset));
        gathered = lanes_or(gathered, lanes_sll(lanes_and(row, byte), 8 * j));
    }
    return comb_transpose(gathered);
}

/* 1 in each byte whose top digit, bit `top`, is -1. */
SY_LANES_INLINE sy_lanes comb_signs(sy_lanes bytes, unsigned top)
{
    return lanes_and(lanes_srl(lanes_xor(bytes, lanes_of(UINT64_MAX)), top),
                     lanes_of(0x0101010101010101));
}

SY_LANES_INLINE sy_lanes comb_byte(sy_lanes bytes, unsigned column)
{
    return lanes_and(lanes_srl(bytes, 8 * column), lanes_of(0xff));
}

/* The address of an entry, with its sign. */
SY_LANES_INLINE sy_lanes comb_entry(sy_lanes block, sy_lanes sign, sy_lanes index)
{
    return lanes_madd_lo(lanes_add(block, sign), index, lanes_of(COMB_ENTRY_BYTES));
}

/* comb_key_steps: words are of COMB_KEY_TEETH COMB_KEY_COLUMNS digits; the steps' places are those
 * of comb_step_of_key. */
SY_LANES_INLINE void comb_key_steps(uint64_t (*at)[SY_LANES], bool with_base, sy_lanes tables,
                                    const sy_lanes words[SC_SIGN_WORDS])
{
    for (unsigned k = 0; k < COMB_KEY_BLOCKS; k++) {
        unsigned teeth = comb_key_teeth(k);
        sy_lanes ones = lanes_of(0x0101010101010101 * ((1u << (teeth - 1)) - 1));
        sy_lanes block =
            lanes_add(tables, lanes_of((uint64_t)k * COMB_KEY_BLOCK_ENTRIES * COMB_ENTRY_BYTES));
        for (unsigned first = 0; first < COMB_KEY_COLUMNS; first += 8) {
            sy_lanes bytes = comb_gather(words, teeth, COMB_KEY_COLUMNS * k + first,
                                         COMB_KEY_COLUMNS * COMB_KEY_BLOCKS);
            sy_lanes signs = comb_signs(bytes, teeth - 1);
            sy_lanes flips = lanes_sub(lanes_sll(signs, teeth - 1), signs); // All ones a sign.
            sy_lanes indices = lanes_and(lanes_xor(bytes, flips), ones);
            for (unsigned c = first; c < first + 8 && c < COMB_KEY_COLUMNS; c++) {
                lanes_store(
                    at[comb_step_of_key(c, k, with_base)],
                    comb_entry(block, comb_byte(signs, c - first), comb_byte(indices, c - first)));
            }
        }
    }
}

/* comb_base_steps: words are of COMB_BASE_TEETH COMB_BASE_COLUMNS digits. */
SY_LANES_INLINE void comb_base_steps(uint64_t (*at)[SY_LANES], bool with_key, const void *table,
                                     const sy_lanes words[SC_SIGN_WORDS])
{
    static const unsigned apart = COMB_BASE_COLUMNS * COMB_BASE_BLOCKS;
    for (unsigned k = 0; k < COMB_BASE_BLOCKS; k++) {
        sy_lanes low = comb_gather(words, 8, COMB_BASE_COLUMNS * k, apart);
        sy_lanes high = comb_gather(words, 8, COMB_BASE_COLUMNS * k + 8 * apart, apart);
        sy_lanes signs = comb_signs(high, 7);
        sy_lanes flips = lanes_sub(lanes_sll(signs, 7), signs);
        low = lanes_xor(low, lanes_or(flips, lanes_sll(signs, 7)));
        high = lanes_and(lanes_xor(high, flips), lanes_of(0x7f7f7f7f7f7f7f7f));
        sy_lanes block =
            lanes_of((uint64_t)(uintptr_t)table + k * COMB_BASE_ENTRIES * COMB_ENTRY_BYTES);
        for (unsigned c = 0; c < COMB_BASE_COLUMNS; c++) {
            sy_lanes index = lanes_or(comb_byte(low, c), lanes_sll(comb_byte(high, c), 8));
            lanes_store(at[comb_step_of_base(c, k, with_key)],
                        comb_entry(block, comb_byte(signs, c), index));
        }
    }
}

/* --- entries --------------------------------------------------------------------------------- */

SY_LANES_INLINE const uint8_t *comb_address(uint64_t address)
{
    return (const uint8_t *)(uintptr_t)address; // NOLINT(performance-no-int-to-ptr)
}

SY_LANES_INLINE void comb_prefetch(const uint64_t step[SY_LANES])
{
    for (unsigned lane = 0; lane < SY_LANES; lane++) {
        __builtin_prefetch(comb_address(step[lane]));
        __builtin_prefetch(comb_address(step[lane] + COMB_ENTRY_BYTES - 2));
    }
}

SY_LANES_INLINE struct fe comb_load_fe(const uint8_t *const rows[SY_LANES])
{
    sy_lanes words[4];
    lanes_load_rows(words, rows);
    return fe_from_words(words);
}

/* comb_load reads a step's entries and gives each its sign. */
SY_LANES_INLINE struct niels comb_load(const uint64_t step[SY_LANES])
{
    const uint8_t *plus[SY_LANES], *minus[SY_LANES], *t[SY_LANES];
    for (unsigned lane = 0; lane < SY_LANES; lane++) {
        uint64_t sign = step[lane] & 1, entry = step[lane] - sign;
        plus[lane] = comb_address(entry + 32 * sign);
        minus[lane] = comb_address(entry + 32 - 32 * sign);
        t[lane] = comb_address(entry + 64);
    }
    struct niels q = {comb_load_fe(plus), comb_load_fe(minus), comb_load_fe(t)};
    // 2 p, limb by limb: above what 51 bits can hold, and below 52.
    sy_lane_mask signs = lanes_test(lanes_load(step), lanes_of(1));
    sy_lanes rest = lanes_of((UINT64_C(1) << 52) - 2);
    q.t.l[0] = lanes_minus_where(signs, lanes_of((UINT64_C(1) << 52) - 38), q.t.l[0]);
    for (int i = 1; i < FE_LIMBS; i++) q.t.l[i] = lanes_minus_where(signs, rest, q.t.l[i]);
    return q;
}

/* --- multiplication -------------------------------------------------------------------------- */

/* How many additions ahead entries are asked for. */
#define COMB_AHEAD 3

/* comb_run sums up what the steps of a key say, and `with_base` those of the base point too, for
 * one or two times eight points: two at once, so that one's products fill the time in which the
 * other's carries wait. */
SY_LANES_INLINE void comb_run(struct point *p, uint64_t (*const *at)[SY_LANES], unsigned groups,
                              bool with_base)
{
    struct point_middle middle[2];
    unsigned count = with_base ? COMB_STEPS : COMB_KEY_STEPS, step = 0;
    for (unsigned g = 0; g < groups; g++) p[g] = point_identity();
    for (unsigned column = COMB_KEY_COLUMNS; column-- > 0;) {
        bool has_base = with_base && column < COMB_BASE_COLUMNS;
        unsigned end = step + COMB_KEY_BLOCKS + (has_base ? COMB_BASE_BLOCKS : 0);
        if (column + 1 < COMB_KEY_COLUMNS) {
            for (unsigned g = 0; g < groups; g++) middle[g] = point_start_double(&p[g]);
            for (unsigned g = 0; g < groups; g++) point_finish(&p[g], &middle[g], true);
        }
        for (; step < end; step++) {
            for (unsigned g = 0; g < groups; g++) {
                if (step + COMB_AHEAD < count) comb_prefetch(at[g][step + COMB_AHEAD]);
                struct niels entry = comb_load(at[g][step]);
                middle[g] = point_start_niels(&p[g], &entry);
            }
            for (unsigned g = 0; g < groups; g++) point_finish(&p[g], &middle[g], step + 1 < end);
        }
    }
}

#endif
