/* ed25519_comb.c: building the tables of ed25519_comb.h.
 *
 * With teeth P_0 ... P_n, P_n the highest, entry m is P_n + sum of +-P_j, plus where bit j of m is
 * set. Entry 0 has minuses only; setting bit j adds 2 P_j. So a table of 2^n points is n sums for
 * the first and one for each other, and one inversion makes all of them affine. */
#include "core/crypto/ed25519_comb.h"

#include <pthread.h>

#include "core/base/assert.h"
#include "core/crypto/ed25519_scalar.h"

#define TEETH SY_COMB_TEETH

// 2^(16 i) times a point for each tooth i, and twice that.
struct teeth {
    struct sy_point points[TEETH];
    struct sy_cached single[TEETH];
    struct sy_cached twice[TEETH];
};

static void make_teeth(struct teeth *teeth, const struct sy_point *point)
{
    struct sy_point p = *point;
    for (unsigned i = 0; i < TEETH; i++) {
        teeth->points[i] = p;
        sy_point_cache(&teeth->single[i], &p);
        for (unsigned j = 0; j < SY_COMB_COLUMNS; j++) {
            sy_point_double(&p, &p, j == 0 || j + 1 == SY_COMB_COLUMNS);
            if (j == 0) sy_point_cache(&teeth->twice[i], &p);
        }
    }
}

// The highest of count teeth, minus all the others.
static void subtract_teeth(struct sy_point *r, const struct teeth *teeth, unsigned first,
                           unsigned count)
{
    *r = teeth->points[first + count - 1];
    for (unsigned i = first; i + 1 < first + count; i++) {
        sy_point_add(r, r, &teeth->single[i], true, true);
    }
}

// points[0] is given: the others of 2^levels.
static void expand(struct sy_point *points, const struct sy_cached *steps, unsigned levels)
{
    for (unsigned level = 0; level < levels; level++) {
        size_t half = (size_t)1 << level;
        for (size_t i = 0; i < half; i++) {
            sy_point_add(&points[half + i], &points[i], &steps[level], false, true);
        }
    }
}

static void store(struct sy_comb_entry *entry, const struct sy_point *point,
                  const struct sy_field *inverse_z)
{
    const struct sy_field d2 = sy_field_2d();
    struct sy_field x, y, f;
    sy_field_mul(&x, &point->x, inverse_z);
    sy_field_mul(&y, &point->y, inverse_z);
    sy_field_add(&f, &y, &x);
    sy_field_tighten(&f, &f);
    sy_field_pack(&entry->plus, &f);
    sy_field_sub(&f, &y, &x);
    sy_field_tighten(&f, &f);
    sy_field_pack(&entry->minus, &f);
    sy_field_mul(&f, &x, &y);
    sy_field_mul(&f, &f, &d2);
    sy_field_pack(&entry->t2d, &f);
}

static void store_block(struct sy_comb_entry entries[SY_COMB_POINTS],
                        const struct sy_point points[SY_COMB_POINTS])
{
    struct sy_field inverses[SY_COMB_POINTS], scratch[SY_COMB_POINTS];
    for (size_t i = 0; i < SY_COMB_POINTS; i++) inverses[i] = points[i].z;
    sy_fields_invert(inverses, scratch, SY_COMB_POINTS);
    for (size_t i = 0; i < SY_COMB_POINTS; i++) store(&entries[i], &points[i], &inverses[i]);
}

bool sy_comb_build(struct sy_comb_table *table, const uint8_t key[32])
{
    const struct sy_field one = sy_field_of(1, 0, 0, 0, 0);
    struct teeth teeth;
    struct sy_point points[SY_COMB_POINTS];
    if (!sy_point_decode(&points[0], key, true)) return false;
    store(&table->point, &points[0], &one);
    make_teeth(&teeth, &points[0]);
    for (unsigned block = 0; block < 2; block++) {
        subtract_teeth(&points[0], &teeth, 8 * block, 8);
        expand(points, &teeth.twice[8 * block], 7);
        store_block(table->blocks[block], points);
    }
    return true;
}

// --- the base point ------------------------------------------------------------------------------

static struct sy_comb_entry base_table[SY_COMB_BASE_POINTS];
static pthread_once_t base_once = PTHREAD_ONCE_INIT;

static void make_base(void)
{
    enum { BLOCKS = SY_COMB_BASE_POINTS / SY_COMB_POINTS };
    static const uint8_t base[32] = {0x58, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
                                     0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
                                     0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
                                     0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66};
    struct teeth teeth;
    struct sy_point firsts[BLOCKS], points[SY_COMB_POINTS];
    bool decoded = sy_point_decode(&points[0], base, false);
    SY_ASSERT(decoded);
    make_teeth(&teeth, &points[0]);
    subtract_teeth(&firsts[0], &teeth, 0, TEETH);
    expand(firsts, &teeth.twice[7], 8);
    for (size_t block = 0; block < BLOCKS; block++) {
        points[0] = firsts[block];
        expand(points, teeth.twice, 7);
        store_block(base_table + block * SY_COMB_POINTS, points);
    }
}

const struct sy_comb_entry *sy_comb_base(void)
{
    int failed = pthread_once(&base_once, make_base);
    SY_ASSERT(!failed);
    return base_table;
}
