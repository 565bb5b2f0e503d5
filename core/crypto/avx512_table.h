/* avx512_table.h: building the tables of avx512_comb.h. */
#ifndef SY_CRYPTO_AVX512_TABLE_H
#define SY_CRYPTO_AVX512_TABLE_H

#include "core/base/bytes.h"
#include "core/crypto/avx512_comb.h"

#define TABLE_TEETH 32     /* of a comb at most */
#define TABLE_VECTORS 64   /* times eight entries are made affine at once */
#define TABLE_TEETH_MAX 16 /* of one block */

/* The 2^(C m) times a point that a comb of C columns is made of, and twice that, for eight points.
 */
struct table_teeth {
    struct cached once[TABLE_TEETH];
    struct cached twice[TABLE_TEETH];
};

/* The teeth of one block, the same in all lanes. */
struct table_block {
    struct cached once[TABLE_TEETH_MAX];
    struct cached twice[TABLE_TEETH_MAX];
};

/* Points on their way to be affine. */
struct table_vector {
    struct fe x, y, z;
};

static inline void table_make_teeth(struct table_teeth *teeth, unsigned count, unsigned columns,
                                    const struct fe *x, const struct fe *y)
{
    struct point p = point_from_affine(x, y);
    for (unsigned m = 0; m < count; m++) {
        teeth->once[m] = point_cache(&p);
        point_double(&p, true);
        teeth->twice[m] = point_cache(&p);
        for (unsigned i = 1; i < columns; i++) point_double(&p, i + 1 == columns);
    }
}

static inline struct fe fe_spread(const struct fe *a, unsigned lane)
{
    struct fe r;
    for (int i = 0; i < FE_LIMBS; i++) r.l[i] = lanes_spread(a->l[i], lane);
    return r;
}

static inline struct cached cached_spread(const struct cached *q, unsigned lane)
{
    return (struct cached){fe_spread(&q->plus, lane), fe_spread(&q->minus, lane),
                           fe_spread(&q->t, lane), fe_spread(&q->z2, lane)};
}

/* One lane's teeth, count of them, of block k, of `blocks`. */
static inline void table_take_block(struct table_block *block, const struct table_teeth *teeth,
                                    unsigned lane, unsigned count, unsigned blocks, unsigned k)
{
    for (unsigned j = 0; j < count; j++) {
        block->once[j] = cached_spread(&teeth->once[blocks * j + k], lane);
        block->twice[j] = cached_spread(&teeth->twice[blocks * j + k], lane);
    }
}

/* The lanes whose digit j is -1, for entries 8 v + lane with v = 0, in the part of the block whose
 * digits above the vectors' are those of `part`. */
static inline sy_lane_mask table_minus(unsigned j, unsigned vector_bits, unsigned part)
{
    static const sy_lane_mask lanes[3] = {0x55, 0x33, 0x0f};
    if (j < 3) return lanes[j];
    if (j < 3 + vector_bits) return 0xff;
    return (part >> (j - 3 - vector_bits) & 1) != 0 ? 0 : 0xff;
}

static inline struct table_vector table_keep(const struct point *p)
{
    return (struct table_vector){fe_carry(&p->x), fe_carry(&p->y), fe_carry(&p->z)};
}

/* Entries 8 v + lane, v below 2^vector_bits, of a block with so many teeth. */
static inline void table_fill(struct table_vector *out, const struct table_block *block,
                              unsigned teeth, unsigned vector_bits, unsigned part)
{
    static const unsigned vectors_max = TABLE_VECTORS;
    struct point points[TABLE_VECTORS];
    SY_ASSERT(1u << vector_bits <= vectors_max);
    points[0] = point_identity();
    point_add_cached(&points[0], &block->once[teeth - 1], true);
    for (unsigned j = 0; j + 1 < teeth; j++) {
        struct cached tooth = cached_negate(table_minus(j, vector_bits, part), &block->once[j]);
        point_add_cached(&points[0], &tooth, true);
    }
    for (unsigned bit = 0; bit < vector_bits; bit++) {
        for (unsigned v = 0; v < 1u << bit; v++) {
            struct point *next = &points[v + (1u << bit)];
            *next = points[v];
            point_add_cached(next, &block->twice[3 + bit], true);
        }
    }
    for (unsigned v = 0; v < 1u << vector_bits; v++) out[v] = table_keep(&points[v]);
}

/* Writes eight entries; halves: 1 / (2 Z). */
static inline void table_write_entries(uint8_t *out, const struct table_vector *from,
                                       const struct fe *halves)
{
    struct fe x = fe_mul(&from->x, halves), y = fe_mul(&from->y, halves), d4 = FE_4D;
    struct fe xy = fe_mul(&x, &y);
    struct fe parts[3] = {fe_sum(&y, &x), fe_difference(&y, &x), fe_mul(&xy, &d4)};
    for (unsigned i = 0; i < 3; i++) {
        uint8_t *rows[SY_LANES];
        sy_lanes words[4];
        struct fe canonical = fe_canonical(&parts[i]);
        fe_to_words(words, &canonical);
        for (size_t lane = 0; lane < SY_LANES; lane++) {
            rows[lane] = out + lane * COMB_ENTRY_BYTES + (size_t)32 * i;
        }
        lanes_store_rows(rows, words);
    }
}

/* Writes count times eight entries, with one inversion for all (Montgomery's trick). No Z is zero:
 * the formulas are complete. */
static inline void table_write(uint8_t *out, const struct table_vector *vectors, unsigned count)
{
    struct fe products[TABLE_VECTORS];
    products[0] = vectors[0].z;
    for (unsigned v = 1; v < count; v++) products[v] = fe_mul(&products[v - 1], &vectors[v].z);
    struct fe half = FE_HALF;
    struct fe inverse = fe_invert(&products[count - 1]);
    inverse = fe_mul(&inverse, &half);
    for (unsigned v = count - 1; v > 0; v--) {
        struct fe halves = fe_mul(&inverse, &products[v - 1]);
        table_write_entries(out + (size_t)v * SY_LANES * COMB_ENTRY_BYTES, &vectors[v], &halves);
        inverse = fe_mul(&inverse, &vectors[v].z);
    }
    table_write_entries(out, &vectors[0], &inverse);
}

/* table_build_key writes the key table of one lane's point. */
static inline void table_build_key(uint8_t *out, const struct table_teeth *teeth, unsigned lane)
{
    struct table_vector vectors[COMB_KEY_ENTRIES / SY_LANES];
    struct table_block block;
    for (unsigned k = 0; k < COMB_KEY_BLOCKS; k++) {
        unsigned count = comb_key_teeth(k);
        table_take_block(&block, teeth, lane, count, COMB_KEY_BLOCKS, k);
        table_fill(&vectors[COMB_KEY_BLOCK_ENTRIES / SY_LANES * k], &block, count, count - 4, 0);
    }
    table_write(out, vectors, COMB_KEY_ENTRIES / SY_LANES);
}

/* table_build_base writes the base point's, of lane 0. */
static inline void table_build_base(uint8_t *out, const struct table_teeth *teeth)
{
    struct table_vector vectors[TABLE_VECTORS];
    struct table_block block;
    for (unsigned k = 0; k < COMB_BASE_BLOCKS; k++) {
        table_take_block(&block, teeth, 0, TABLE_TEETH_MAX, COMB_BASE_BLOCKS, k);
        for (unsigned part = 0; part < COMB_BASE_ENTRIES / (TABLE_VECTORS * SY_LANES); part++) {
            table_fill(vectors, &block, TABLE_TEETH_MAX, 6, part);
            table_write(out, vectors, TABLE_VECTORS);
            out += (size_t)TABLE_VECTORS * SY_LANES * COMB_ENTRY_BYTES;
        }
    }
}

/* table_is_whole: the lanes whose table multiplies its point by L to the neutral element, as it
 * must be for sc_to_signs. A point with torsion fails. */
static inline sy_lane_mask table_is_whole(sy_lanes tables)
{
    // (L + 2^260 - 1) / 2
    static const uint64_t order_signs[SC_SIGN_WORDS] = {0x2c09318d2e7ae9f6, 0x0a6f7cef517bce6b, 0,
                                                        0x0800000000000000, 8};
    uint64_t at[COMB_KEY_STEPS][SY_LANES];
    uint64_t(*const ats[1])[SY_LANES] = {at};
    sy_lanes words[SC_SIGN_WORDS];
    struct point p;
    _Static_assert(COMB_KEY_TEETH * COMB_KEY_COLUMNS == 260, "or L has other digits");
    for (unsigned i = 0; i < SC_SIGN_WORDS; i++) words[i] = lanes_of(order_signs[i]);
    comb_key_steps(at, false, tables, words);
    comb_run(&p, ats, 1, false);
    struct fe x = fe_carry(&p.x), y = fe_carry(&p.y), z = fe_carry(&p.z), zero = fe_small(0);
    return fe_equal(&x, &zero) & fe_equal(&y, &z);
}

/* table_base_teeth: those of the base point, (x, 4/5) with x even, in every lane. */
static inline void table_base_teeth(struct table_teeth *teeth)
{
    // Decoding gives the negative; the encoding of -B has the other sign.
    sy_lanes words[4] = {lanes_of(0x6666666666666658), lanes_of(0x6666666666666666),
                         lanes_of(0x6666666666666666), lanes_of(0xe666666666666666)};
    struct fe x, y;
    sy_lane_mask good = point_decode_negative(&x, &y, words);
    SY_ASSERT(good == 0xff);
    table_make_teeth(teeth, COMB_BASE_TEETH, COMB_BASE_COLUMNS, &x, &y);
}

/* table_build_keys: see sy_avx512_build_tables. */
static inline void table_build_keys(void *const *tables, const struct sy_public_key *keys,
                                    bool *built, size_t count)
{
    const uint8_t *rows[SY_LANES];
    uint64_t addresses[SY_LANES];
    struct table_teeth teeth;
    sy_lanes words[4];
    struct fe x, y;
    SY_ASSERT(count >= 1 && count <= SY_LANES);
    for (size_t i = 0; i < SY_LANES; i++) {
        rows[i] = keys[i < count ? i : 0].bytes;
        addresses[i] = (uint64_t)(uintptr_t)tables[i < count ? i : 0];
    }
    lanes_load_rows(words, rows);
    sy_lane_mask good = point_decode_negative(&x, &y, words);
    table_make_teeth(&teeth, COMB_KEY_TEETH, COMB_KEY_COLUMNS, &x, &y);
    for (unsigned i = 0; i < count; i++) table_build_key(tables[i], &teeth, i);
    good &= table_is_whole(lanes_load(addresses));
    for (unsigned i = 0; i < count; i++) built[i] = (good >> i & 1) != 0;
}

#endif
