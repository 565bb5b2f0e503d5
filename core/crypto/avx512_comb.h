/* avx512_comb.h: multiples of fixed points from tables: signed combs, eight at a time.
 *
 * A scalar is 256 digits of 1 or -1 (sc_to_signs). A comb of t teeth over b blocks cuts them so
 * that the digits with numbers 8 b j + 8 k + c, j = 0 .. t - 1, make the index of one table entry:
 * block k, column c (Lim and Lee, "More flexible exponentiation with precomputation", 1994).
 *
 *     k P = sum over c of 2^c (sum over k of entry_k(digits of block k, column c))
 *     entry_k(s) = sum over j of s_j 2^(8 b j + 8 k) P
 *
 * so 8 columns cost 7 doublings in all and 8 b additions. Entries with the top digit -1 are those
 * with the top digit 1 turned round, so a block has 2^(t - 1):
 *
 *     a key           8 teeth   4 blocks   128 entries a block      48 KiB    32 additions
 *     the base point  16 teeth  2 blocks   32,768 entries a block    6 MiB    16 additions
 *
 * Both go through the same columns, and so share the doublings. Bit j of an entry's index is set
 * where digit j is 1. An entry is 96 bytes, little-endian and canonical:
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

#define COMB_COLUMNS 8
#define COMB_ENTRY_BYTES 96
#define COMB_KEY_BLOCKS 4
#define COMB_KEY_ENTRIES 128
#define COMB_KEY_BYTES ((size_t)COMB_KEY_BLOCKS * COMB_KEY_ENTRIES * COMB_ENTRY_BYTES)
#define COMB_BASE_BLOCKS 2
#define COMB_BASE_ENTRIES 32768
#define COMB_BASE_BYTES ((size_t)COMB_BASE_BLOCKS * COMB_BASE_ENTRIES * COMB_ENTRY_BYTES)

/* The additions of one column, in their order: blocks of the key and of the base point take turns,
 * so that what comes from far away is spread over time. A multiple of a key alone has four. */
#define COMB_STEPS 6
#define COMB_KEY_STEPS 4

/* Where each entry lies that eight verifications need. */
struct comb_steps {
    uint64_t at[COMB_COLUMNS * COMB_STEPS][SY_LANES];
};

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

/* Eight bytes of a number in words, the first at byte `from`, `apart` bytes from one to the next,
 * each a row of a bit matrix; transposed: byte c holds bit c of every row. */
SY_LANES_INLINE sy_lanes comb_gather(const sy_lanes words[4], unsigned from, unsigned apart)
{
    sy_lanes gathered = lanes_of(0), byte = lanes_of(0xff);
    for (unsigned j = 0; j < 8; j++) {
        unsigned at = from + apart * j;
        sy_lanes row = lanes_and(lanes_srl(words[at / 8], 8 * (at % 8)), byte);
        gathered = lanes_or(gathered, lanes_sll(row, 8 * j));
    }
    return comb_transpose(gathered);
}

/* 1 in each byte whose top digit is -1. */
SY_LANES_INLINE sy_lanes comb_signs(sy_lanes bytes)
{
    return lanes_and(lanes_srl(lanes_xor(bytes, lanes_of(UINT64_MAX)), 7),
                     lanes_of(0x0101010101010101));
}

SY_LANES_INLINE sy_lanes comb_byte(sy_lanes bytes, unsigned column)
{
    return lanes_and(lanes_srl(bytes, 8 * column), lanes_of(0xff));
}

/* comb_key_steps: place[k] is where in a column of `steps` steps block k comes. */
SY_LANES_INLINE void comb_key_steps(uint64_t (*at)[SY_LANES], unsigned steps,
                                    const unsigned place[COMB_KEY_BLOCKS], sy_lanes tables,
                                    const sy_lanes words[4])
{
    for (unsigned k = 0; k < COMB_KEY_BLOCKS; k++) {
        sy_lanes bytes = comb_gather(words, k, COMB_KEY_BLOCKS);
        sy_lanes signs = comb_signs(bytes);
        sy_lanes flips = lanes_sub(lanes_sll(signs, 7), signs); // 127 a sign
        sy_lanes indices = lanes_and(lanes_xor(bytes, flips), lanes_of(0x7f7f7f7f7f7f7f7f));
        sy_lanes block = lanes_add(tables, lanes_of(k * COMB_KEY_ENTRIES * COMB_ENTRY_BYTES));
        for (unsigned c = 0; c < COMB_COLUMNS; c++) {
            sy_lanes entry = lanes_madd_lo(lanes_add(block, comb_byte(signs, c)),
                                           comb_byte(indices, c), lanes_of(COMB_ENTRY_BYTES));
            lanes_store(at[(COMB_COLUMNS - 1 - c) * steps + place[k]], entry);
        }
    }
}

SY_LANES_INLINE void comb_base_steps(uint64_t (*at)[SY_LANES], unsigned steps,
                                     const unsigned place[COMB_BASE_BLOCKS], const void *table,
                                     const sy_lanes words[4])
{
    for (unsigned k = 0; k < COMB_BASE_BLOCKS; k++) {
        sy_lanes low = comb_gather(words, k, COMB_BASE_BLOCKS);
        sy_lanes high = comb_gather(words, 16 + k, COMB_BASE_BLOCKS);
        sy_lanes signs = comb_signs(high);
        sy_lanes flips = lanes_sub(lanes_sll(signs, 7), signs);
        low = lanes_xor(low, lanes_or(flips, lanes_sll(signs, 7)));
        high = lanes_and(lanes_xor(high, flips), lanes_of(0x7f7f7f7f7f7f7f7f));
        sy_lanes block =
            lanes_of((uint64_t)(uintptr_t)table + k * COMB_BASE_ENTRIES * COMB_ENTRY_BYTES);
        for (unsigned c = 0; c < COMB_COLUMNS; c++) {
            sy_lanes index = lanes_or(comb_byte(low, c), lanes_sll(comb_byte(high, c), 8));
            sy_lanes entry = lanes_madd_lo(lanes_add(block, comb_byte(signs, c)), index,
                                           lanes_of(COMB_ENTRY_BYTES));
            lanes_store(at[(COMB_COLUMNS - 1 - c) * steps + place[k]], entry);
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

/* comb_run sums up what the steps say, `per_column` a column, for one or two times eight points:
 * two at once, so that one's products fill the time in which the other's carries wait. */
SY_LANES_INLINE void comb_run(struct point *p, uint64_t (*const *at)[SY_LANES], unsigned groups,
                              unsigned per_column)
{
    struct point_middle middle[2];
    unsigned count = COMB_COLUMNS * per_column;
    for (unsigned g = 0; g < groups; g++) p[g] = point_identity();
    for (unsigned column = 0; column < COMB_COLUMNS; column++) {
        if (column > 0) {
            for (unsigned g = 0; g < groups; g++) middle[g] = point_start_double(&p[g]);
            for (unsigned g = 0; g < groups; g++) point_finish(&p[g], &middle[g], true);
        }
        for (unsigned i = 0; i < per_column; i++) {
            unsigned step = column * per_column + i;
            for (unsigned g = 0; g < groups; g++) {
                if (step + COMB_AHEAD < count) comb_prefetch(at[g][step + COMB_AHEAD]);
                struct niels entry = comb_load(at[g][step]);
                middle[g] = point_start_niels(&p[g], &entry);
            }
            bool want_t = i + 1 < per_column;
            for (unsigned g = 0; g < groups; g++) point_finish(&p[g], &middle[g], want_t);
        }
    }
}

#endif
