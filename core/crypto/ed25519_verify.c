/* ed25519_verify.c: see ed25519_verify.h. */
#include "core/crypto/ed25519_verify.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/crypto/ed25519_scalar.h"

#define MULTIPLES 8 // 1, 3, 5 ... 15 times a key without a table

// A job whose scalars are read.
struct ready {
    const struct sy_comb_table *table;
    uint16_t s[SY_COMB_COLUMNS];
    uint16_t k[SY_COMB_COLUMNS]; // with a table
    bool is_even;                // k was taken one more
    struct sy_scalar k_plain;    // without
    uint8_t *verdict;
    const struct sy_ed25519_job *job;
};

// --- B and keys with a table ---------------------------------------------------------------------

static const struct sy_comb_entry *entry_of(const struct sy_comb_entry *entries, unsigned digit,
                                            unsigned top, bool *subtract)
{
    *subtract = !(digit & top);
    return entries + ((*subtract ? ~digit : digit) & (top - 1));
}

static void add_entry(struct sy_point *r, const struct sy_comb_entry *entries, unsigned digit,
                      unsigned top, bool with_t)
{
    bool subtract;
    struct sy_affine affine;
    sy_comb_load(&affine, entry_of(entries, digit, top, &subtract));
    sy_point_add_affine(r, r, &affine, subtract, with_t);
}

// Both are inlined by force: gcc 12 takes a function that only prefetches for one without any
// effect and drops the calls.
static inline __attribute__((always_inline)) void prefetch_entry(
    const struct sy_comb_entry *entries, unsigned digit, unsigned top)
{
    bool subtract;
    const uint8_t *entry = (const uint8_t *)entry_of(entries, digit, top, &subtract);
    __builtin_prefetch(entry);
    __builtin_prefetch(entry + sizeof(struct sy_comb_entry) - 1);
}

// Tables lie in memory that is far away: what a column needs is asked for while the one before it
// is added, some hundred nanoseconds early. All of a job's at once would be more than a core can
// wait for.
static inline __attribute__((always_inline)) void prefetch_column(const struct ready *ready,
                                                                  const struct sy_comb_entry *base,
                                                                  unsigned column)
{
    prefetch_entry(base, ready->s[column], 0x8000);
    if (!ready->table) return;
    prefetch_entry(ready->table->blocks[0], ready->k[column] & 0xff, 0x80);
    prefetch_entry(ready->table->blocks[1], ready->k[column] >> 8, 0x80);
}

static void multiply_table(struct sy_point *r, const struct ready *ready,
                           const struct sy_comb_entry *base)
{
    const struct sy_comb_table *table = ready->table;
    sy_point_zero(r);
    for (unsigned column = SY_COMB_COLUMNS; column-- > 0;) {
        unsigned k = ready->k[column];
        if (column > 0) prefetch_column(ready, base, column - 1);
        if (column + 1 < SY_COMB_COLUMNS) sy_point_double(r, r, true);
        add_entry(r, table->blocks[0], k & 0xff, 0x80, true);
        add_entry(r, table->blocks[1], k >> 8, 0x80, true);
        add_entry(r, base, ready->s[column], 0x8000, column == 0);
    }
    if (ready->is_even) {
        struct sy_affine point;
        sy_comb_load(&point, &table->point);
        sy_point_add_affine(r, r, &point, true, false);
    }
}

// --- keys without a table ------------------------------------------------------------------------

static void make_multiples(struct sy_cached multiples[MULTIPLES], const struct sy_point *point)
{
    struct sy_point p = *point;
    struct sy_cached twice;
    sy_point_double(&p, &p, true);
    sy_point_cache(&twice, &p);
    p = *point;
    for (unsigned i = 0; i < MULTIPLES; i++) {
        sy_point_cache(&multiples[i], &p);
        if (i + 1 < MULTIPLES) sy_point_add(&p, &p, &twice, false, true);
    }
}

// Straus's way: the doublings of both products are the same ones. k goes by signed digits; S by B's
// comb, which needs the last 15 of the doublings only. False: the key is no point.
static bool multiply_plain(struct sy_point *r, const struct ready *ready,
                           const struct sy_comb_entry *base)
{
    int16_t digits[SY_NAF_DIGITS];
    struct sy_cached multiples[MULTIPLES];
    if (!sy_point_decode(r, ready->job->key, true)) return false;
    make_multiples(multiples, r);
    sy_scalar_naf_vartime(digits, &ready->k_plain);
    unsigned at = SY_NAF_DIGITS - 1;
    while (at >= SY_COMB_COLUMNS && digits[at] == 0) at--;
    sy_point_zero(r);
    for (;; at--) {
        int digit = digits[at];
        bool adds = digit != 0 || at < SY_COMB_COLUMNS;
        sy_point_double(r, r, adds);
        if (digit != 0) {
            const struct sy_cached *multiple = &multiples[(digit < 0 ? -digit : digit) / 2];
            sy_point_add(r, r, multiple, digit < 0, at < SY_COMB_COLUMNS);
        }
        if (at > 0 && at <= SY_COMB_COLUMNS) prefetch_column(ready, base, at - 1);
        if (at < SY_COMB_COLUMNS) add_entry(r, base, ready->s[at], 0x8000, false);
        if (at == 0) return true;
    }
}

// --- together ------------------------------------------------------------------------------------

// Reads S and k; false: S is L or more.
static bool prepare(struct ready *ready, const struct sy_ed25519_job *job)
{
    struct sy_scalar s, k;
    if (!sy_scalar_read(&s, job->signature + 32)) return false;
    sy_scalar_make_odd_vartime(&s);
    sy_scalar_comb(ready->s, &s);
    sy_scalar_reduce(&k, job->hash);
    ready->job = job;
    ready->table = job->table;
    if (job->table) {
        ready->is_even = k.word[0] % 2 == 0;
        k.word[0] |= 1; // One more, when it is even.
        sy_scalar_comb(ready->k, &k);
    } else {
        ready->k_plain = k;
    }
    return true;
}

static bool is_encoding(const struct sy_point *point, const struct sy_field *inverse_z,
                        const uint8_t bytes[32])
{
    struct sy_field x, y;
    struct sy_packed packed_x, packed_y;
    sy_field_mul(&x, &point->x, inverse_z);
    sy_field_mul(&y, &point->y, inverse_z);
    sy_field_pack(&packed_x, &x);
    sy_field_pack(&packed_y, &y);
    packed_y.word[3] |= packed_x.word[0] << 63;
    uint64_t differs = 0;
    for (size_t i = 0; i < 4; i++) differs |= packed_y.word[i] ^ sy_load_u64(bytes + 8 * i);
    return differs == 0;
}

void sy_ed25519_verify(uint8_t *verdicts, const struct sy_ed25519_job *jobs, size_t count)
{
    const struct sy_comb_entry *base = sy_comb_base();
    struct ready ready[SY_ED25519_TOGETHER];
    struct sy_point points[SY_ED25519_TOGETHER];
    struct sy_field inverses[SY_ED25519_TOGETHER], scratch[SY_ED25519_TOGETHER];
    size_t prepared = 0, found = 0;
    SY_ASSERT(count <= SY_ED25519_TOGETHER);
    for (size_t i = 0; i < count; i++) {
        verdicts[i] = 0;
        ready[prepared].verdict = &verdicts[i];
        if (prepare(&ready[prepared], &jobs[i])) prepared++;
    }
    for (size_t i = 0; i < prepared; i++) {
        struct sy_point *point = &points[found];
        if (i + 1 < prepared) prefetch_column(&ready[i + 1], base, SY_COMB_COLUMNS - 1);
        if (ready[i].table) {
            multiply_table(point, &ready[i], base);
        } else if (!multiply_plain(point, &ready[i], base)) {
            continue;
        }
        // No sum of points has Z = 0; a fault of the machine's that made one would spoil the
        // verdicts of all the others here.
        if (sy_field_is_zero(&point->z)) continue;
        inverses[found] = point->z;
        ready[found++] = ready[i];
    }
    sy_fields_invert(inverses, scratch, found);
    for (size_t i = 0; i < found; i++) {
        *ready[i].verdict = is_encoding(&points[i], &inverses[i], ready[i].job->signature);
    }
}
