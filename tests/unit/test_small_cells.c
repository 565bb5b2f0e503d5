/* Tables of counts: what small_cells.h promises of a good one, by hand, and against three others
 * that are told nothing of networks: enumeration of every table that fits, elimination of
 * unknowns, and sums. */
#include <stdlib.h>
#include <string.h>

#include "core/base/prng.h"
#include "core/ledger/contracts/small_cells.h"
#include "tests/support/test.h"

#define H SY_TABLE_HIDDEN
#define CELLS_MAX 64u

struct judged {
    enum sy_table_verdict verdict;
    unsigned row, col;
};

static struct judged judge(unsigned rows, unsigned cols, const uint32_t *values, unsigned k)
{
    const struct sy_table table = {.rows = rows, .cols = cols, .values = values};
    struct judged judged;
    judged.verdict = sy_table_check(&table, k, &judged.row, &judged.col);
    return judged;
}

#define EXPECT(rows, cols, k, expected, r, c, ...)                        \
    do {                                                                  \
        const uint32_t values[] = {__VA_ARGS__};                          \
        assert_int_equal(sizeof values / 4, ((rows) + 1) * ((cols) + 1)); \
        struct judged judged_here = judge(rows, cols, values, k);         \
        assert_int_equal(judged_here.verdict, expected);                  \
        assert_int_equal(judged_here.row, r);                             \
        assert_int_equal(judged_here.col, c);                             \
    } while (0)

// --- by hand -----------------------------------------------------------------------------------

CASE(three_twelve_and_forty)
{
    // Alone 3 is what the total leaves; beside 12 it is not, once the columns say nothing either.
    EXPECT(1, 3, 11, SY_TABLE_SMALL, 0, 0, 5, 10, 40, 55, 5, 10, 40, 55);
    EXPECT(1, 3, 11, SY_TABLE_SMALL, 0, 1, H, 10, 40, 55, H, 10, 40, 55);
    EXPECT(1, 3, 11, SY_TABLE_RECOVERABLE, 0, 0, H, 15, 40, 60, H, 15, 40, 60);
    EXPECT(1, 3, 11, SY_TABLE_GOOD, 0, 0, H, H, 40, 55, H, H, 40, 55);
    // A column of one cell is that cell.
    EXPECT(1, 3, 11, SY_TABLE_RECOVERABLE, 1, 0, H, H, 40, 55, H, 15, 40, 55);
}

CASE(hidden_cells_sum_up_to_k)
{
    EXPECT(1, 3, 11, SY_TABLE_RECOVERABLE, 0, 0, H, H, 40, 50, H, H, 40, 50);
    // 53 less 42 are 11, which 55 and 40 may stand for.
    EXPECT(1, 3, 11, SY_TABLE_GOOD, 0, 0, H, H, 40, 55, H, H, 40, 55);
    EXPECT(1, 3, 12, SY_TABLE_RECOVERABLE, 0, 0, H, H, 40, 55, H, H, 40, 55);
}

CASE(a_published_count_is_surely_k)
{
    EXPECT(1, 1, 11, SY_TABLE_SMALL, 0, 0, 10, 10, 10, 10); // may be 8
    EXPECT(1, 1, 11, SY_TABLE_GOOD, 0, 0, 15, 15, 15, 15);
    EXPECT(1, 1, 11, SY_TABLE_SMALL, 0, 0, 0, H, H, H); // nobody is a count, too
    EXPECT(1, 1, 11, SY_TABLE_SMALL, 0, 1, H, 10, H, H);
    EXPECT(1, 1, 13, SY_TABLE_GOOD, 0, 0, 15, 15, 15, 15);
    EXPECT(1, 1, 14, SY_TABLE_SMALL, 0, 0, 15, 15, 15, 15);
    EXPECT(1, 1, 11, SY_TABLE_GOOD, 0, 0, H, H, H, H);
}

CASE(only_multiples_of_five)
{
    EXPECT(1, 1, 11, SY_TABLE_NOT_ROUNDED, 0, 0, 42, 40, 40, 40);
    EXPECT(1, 1, 11, SY_TABLE_NOT_ROUNDED, 1, 1, 40, 40, 40, 41);
    EXPECT(1, 1, 11, SY_TABLE_NOT_ROUNDED, 0, 0, 2000000005u, H, H, H);
    EXPECT(1, 1, 11, SY_TABLE_GOOD, 0, 0, 2000000000u, 2000000000u, 2000000000u, 2000000000u);
}

CASE(totals_are_those_of_some_table)
{
    // Three cells of at most 42 make no 135; of at least 38 no 105.
    EXPECT(1, 3, 11, SY_TABLE_SUMS, 0, 0, 40, 40, 40, 135, 40, 40, 40, 135);
    EXPECT(1, 3, 11, SY_TABLE_SUMS, 0, 0, 40, 40, 40, 105, 40, 40, 40, 105);
    EXPECT(1, 3, 11, SY_TABLE_GOOD, 0, 0, 40, 40, 40, 125, 40, 40, 40, 125);
    EXPECT(2, 1, 11, SY_TABLE_SUMS, 0, 0, 40, 40, 40, 40, 95, 95);
    EXPECT(2, 2, 11, SY_TABLE_SUMS, 0, 0, 40, 40, 80, 40, 40, 80, 80, 80, 200);
    EXPECT(2, 2, 11, SY_TABLE_SUMS, 0, 0, H, H, 80, H, H, 80, 80, 80, 200);
}

CASE(a_total_that_follows_is_no_secret)
{
    // The row's total is the grand total less the other's.
    EXPECT(2, 2, 11, SY_TABLE_RECOVERABLE, 0, 2, H, H, H, 50, 50, 100, H, H, 200);
    EXPECT(1, 1, 11, SY_TABLE_RECOVERABLE, 0, 1, 15, H, H, H);
}

/* Two cells at least are hidden in each row and column. Yet the first two rows less the first two
 * columns leave one of them alone. */
CASE(no_cell_follows_from_several_lines)
{
    // clang-format off
    EXPECT(4, 5, 11, SY_TABLE_RECOVERABLE, 1, 2,
           H, H, 50, 50, 50, 250,
           H, H, H, 50, 50, 250,
           50, 50, H, H, H, 250,
           50, 50, 50, H, H, 250,
           200, 200, 200, 200, 200, 1000);
    EXPECT(4, 5, 11, SY_TABLE_GOOD, 0, 0,
           H, H, 50, 50, 50, 250,
           H, H, 50, 50, 50, 250,
           50, 50, 50, H, H, 250,
           50, 50, 50, H, H, 250,
           200, 200, 200, 200, 200, 1000);
    // clang-format on
}

/* Six cells on one circle: every line hides 100 or more, none follows by sums; yet counts are not
 * negative, so each is known but for what rounding leaves. */
CASE(no_cell_is_pinned_by_what_cannot_be_negative)
{
    // clang-format off
    EXPECT(3, 3, 100, SY_TABLE_RECOVERABLE, 0, 0,
           H, H, 500, 605,
           500, H, H, 605,
           H, 500, H, 710,
           605, 710, 605, 1920);
    EXPECT(3, 3, 100, SY_TABLE_GOOD, 0, 0,
           H, H, 500, 605,
           500, H, H, 710,
           H, 500, H, 710,
           605, 710, 710, 2025);
    // clang-format on
}

CASE(shapes_are_bounded)
{
    static const uint32_t values[18u * 18u];
    assert_int_equal(judge(0, 1, values, 11).verdict, SY_TABLE_SHAPE);
    assert_int_equal(judge(1, 0, values, 11).verdict, SY_TABLE_SHAPE);
    assert_int_equal(judge(17, 1, values, 11).verdict, SY_TABLE_SHAPE);
    assert_int_equal(judge(1, 17, values, 11).verdict, SY_TABLE_SHAPE);
    assert_int_equal(judge(16, 9, values, 11).verdict, SY_TABLE_SHAPE);
    assert_int_equal(judge(16, 8, values, 11).verdict, SY_TABLE_SMALL);
}

CASE(the_largest_is_judged_too)
{
    uint32_t values[SY_TABLE_VALUES_MAX];
    for (size_t i = 0; i < SY_TABLE_VALUES_MAX; i++) values[i] = H;
    for (unsigned r = 0; r < 16; r++) values[r * 9 + 8] = 5000;
    for (unsigned c = 0; c < 8; c++) values[16 * 9 + c] = 10000;
    values[16 * 9 + 8] = 80000;
    assert_int_equal(judge(16, 8, values, SY_TABLE_K_MAX).verdict, SY_TABLE_GOOD);
}

// --- by chance ---------------------------------------------------------------------------------

/* A true table: its cells, and what was published of it. */
struct world {
    unsigned rows, cols, k;
    unsigned cells[CELLS_MAX];
    uint32_t values[CELLS_MAX];
};

static unsigned width_with_totals(const struct world *w)
{
    return w->cols + 1;
}

/* The sum that a value is, of given cells. */
static unsigned sum_of(const struct world *w, const unsigned *cells, unsigned row, unsigned col)
{
    unsigned sum = 0;
    for (unsigned r = 0; r < w->rows; r++) {
        for (unsigned c = 0; c < w->cols; c++) {
            bool in = (row == w->rows || row == r) && (col == w->cols || col == c);
            if (in) sum += cells[r * w->cols + c];
        }
    }
    return sum;
}

static uint32_t rounded(unsigned count)
{
    return (count + 2) / 5 * 5;
}

static void draw(struct world *w, sy_prng *prng, unsigned count_max, unsigned hidden_in_ten)
{
    for (unsigned i = 0; i < w->rows * w->cols; i++) {
        w->cells[i] = (unsigned)sy_prng_below(prng, count_max + 1);
    }
    for (unsigned r = 0; r <= w->rows; r++) {
        for (unsigned c = 0; c <= w->cols; c++) {
            uint32_t value = rounded(sum_of(w, w->cells, r, c));
            bool small = value < w->k + 2, hides = sy_prng_chance(prng, hidden_in_ten, 10);
            w->values[r * width_with_totals(w) + c] = small || hides ? H : value;
        }
    }
}

static bool publishes_the_same(const struct world *w, const unsigned *cells)
{
    for (unsigned r = 0; r <= w->rows; r++) {
        for (unsigned c = 0; c <= w->cols; c++) {
            uint32_t value = w->values[r * width_with_totals(w) + c];
            if (value != H && rounded(sum_of(w, cells, r, c)) != value) return false;
        }
    }
    return true;
}

/* Least and greatest of each cell over all tables that would be published with the same numbers and
 * whose counts are at most k above the greatest true one: who may change by k may do so there. */
static void enumerate(const struct world *w, unsigned count_max, unsigned *least, unsigned *most)
{
    unsigned cells[CELLS_MAX] = {0}, count = w->rows * w->cols, top = count_max + w->k;
    for (unsigned i = 0; i < count; i++) {
        least[i] = top;
        most[i] = 0;
    }
    for (;;) {
        if (publishes_the_same(w, cells)) {
            for (unsigned i = 0; i < count; i++) {
                least[i] = cells[i] < least[i] ? cells[i] : least[i];
                most[i] = cells[i] > most[i] ? cells[i] : most[i];
            }
        }
        unsigned at = 0;
        while (at < count && cells[at] == top) cells[at++] = 0;
        if (at == count) return;
        cells[at]++;
    }
}

static bool lines_hide(const struct world *w)
{
    for (unsigned way = 0; way < 2; way++) {
        unsigned lines = way ? w->rows : w->cols, size = way ? w->cols : w->rows;
        for (unsigned line = 0; line <= lines; line++) {
            unsigned hidden = 0, shown = 0;
            for (unsigned i = 0; i <= size; i++) {
                unsigned at = way ? line * (w->cols + 1) + i : i * (w->cols + 1) + line;
                if (i == size && w->values[at] != H) {
                    bool few = w->values[at] - 2 < shown + w->k;
                    if (hidden == 1 || (hidden > 1 && few)) return false;
                } else if (w->values[at] == H) {
                    hidden++;
                } else {
                    shown += w->values[at] + 2;
                }
            }
        }
    }
    return true;
}

/* ---- elimination, modulo a prime: a hidden value is determined if its unit vector is a sum of
 * equations ---- */

#define PRIME 1000003
#define EQUATIONS_MAX 20

static int64_t power(int64_t base, unsigned exponent)
{
    int64_t result = 1;
    for (; exponent > 0; exponent >>= 1) {
        if (exponent & 1) result = result * base % PRIME;
        base = base * base % PRIME;
    }
    return result;
}

static void subtract(int64_t *row, const int64_t *other, unsigned pivot, unsigned count)
{
    int64_t factor = row[pivot] * power(other[pivot], PRIME - 2) % PRIME;
    for (unsigned i = 0; i < count; i++) {
        row[i] = ((row[i] - factor * other[i]) % PRIME + PRIME) % PRIME;
    }
}

/* The equations of rows and columns over hidden values, in row echelon form; pivots[] of each. */
static unsigned eliminate(const struct world *w, int64_t matrix[EQUATIONS_MAX][CELLS_MAX],
                          unsigned *pivots)
{
    unsigned count = (w->rows + 1) * (w->cols + 1), rank = 0;
    for (unsigned line = 0; line < w->rows + w->cols + 2; line++) {
        int64_t row[CELLS_MAX] = {0};
        bool is_row = line <= w->rows;
        unsigned size = is_row ? w->cols : w->rows, index = is_row ? line : line - w->rows - 1;
        for (unsigned i = 0; i <= size; i++) {
            unsigned at = is_row ? index * (w->cols + 1) + i : i * (w->cols + 1) + index;
            if (w->values[at] == H) row[at] = i == size ? PRIME - 1 : 1;
        }
        for (unsigned r = 0; r < rank; r++) subtract(row, matrix[r], pivots[r], count);
        unsigned pivot = 0;
        while (pivot < count && row[pivot] == 0) pivot++;
        if (pivot == count) continue;
        for (unsigned r = 0; r < rank; r++) subtract(matrix[r], row, pivot, count);
        memcpy(matrix[rank], row, sizeof row);
        pivots[rank++] = pivot;
    }
    return rank;
}

static bool one_is_determined(const struct world *w)
{
    int64_t matrix[EQUATIONS_MAX][CELLS_MAX];
    unsigned pivots[EQUATIONS_MAX], rank = eliminate(w, matrix, pivots);
    for (unsigned r = 0; r < rank; r++) {
        unsigned others = 0;
        for (unsigned i = 0; i < (w->rows + 1) * (w->cols + 1); i++) {
            others += i != pivots[r] && matrix[r][i] != 0;
        }
        if (others == 0) return true;
    }
    return false;
}

static bool naive_good(const struct world *w, unsigned count_max)
{
    unsigned least[CELLS_MAX], most[CELLS_MAX];
    if (!lines_hide(w) || one_is_determined(w)) return false;
    enumerate(w, count_max, least, most);
    for (unsigned r = 0; r < w->rows; r++) {
        for (unsigned c = 0; c < w->cols; c++) {
            unsigned i = r * w->cols + c;
            bool hidden = w->values[r * (w->cols + 1) + c] == H;
            if (hidden && most[i] - least[i] < w->k) return false;
        }
    }
    return true;
}

static void compare(unsigned rows, unsigned cols, unsigned k, unsigned count_max, unsigned times)
{
    uint64_t seed = test_seed();
    unsigned good = 0, narrow = 0;
    sy_prng prng;
    sy_prng_seed(&prng, seed);
    for (unsigned i = 0; i < times; i++) {
        struct world w = {.rows = rows, .cols = cols, .k = k};
        draw(&w, &prng, count_max, 1 + i % 7);
        struct judged judged = judge(rows, cols, w.values, k);
        bool expected = naive_good(&w, count_max);
        if ((judged.verdict == SY_TABLE_GOOD) != expected) {
            fail_msg("seed %llu, table %u: %d where %d is right", (unsigned long long)seed, i,
                     judged.verdict, expected);
        }
        good += expected;
        narrow += !expected && lines_hide(&w) && !one_is_determined(&w);
    }
    print_message("%u x %u, k %u: %u of %u good, %u too narrow alone\n", rows, cols, k, good, times,
                  narrow);
    assert_true(good > 0 && good < times);
}

CASE(as_enumeration_and_elimination_say)
{
    compare(1, 3, 3, 14, 400);
    compare(2, 2, 3, 12, 150);
    compare(3, 1, 8, 30, 100);
    compare(2, 3, 2, 5, 25);
}

/* Larger ones: elimination and sums alone, of which every fault must be told; and a table that is
 * drawn from counts is never one that no counts make. */
CASE(no_determined_value_in_larger_tables)
{
    uint64_t seed = test_seed();
    unsigned good = 0;
    sy_prng prng;
    sy_prng_seed(&prng, seed);
    for (unsigned i = 0; i < 20000; i++) {
        struct world w = {.rows = 1 + (unsigned)sy_prng_below(&prng, 6),
                          .cols = 1 + (unsigned)sy_prng_below(&prng, 6),
                          .k = 11};
        draw(&w, &prng, 10 + (unsigned)sy_prng_below(&prng, 200), 1 + i % 8);
        enum sy_table_verdict verdict = judge(w.rows, w.cols, w.values, w.k).verdict;
        bool told = verdict == SY_TABLE_RECOVERABLE;
        if (verdict != SY_TABLE_GOOD && !told) fail_msg("table %u: %d", i, verdict);
        if ((!lines_hide(&w) || one_is_determined(&w)) && !told) {
            fail_msg("seed %llu, table %u gives itself away", (unsigned long long)seed, i);
        }
        good += verdict == SY_TABLE_GOOD;
    }
    print_message("%u of 20000 good\n", good);
    assert_true(good > 1000);
}

/* What the checker does not see, and budgets are for: two good tables of which one has one person
 * more tell that person's row. */
CASE(two_good_tables_may_be_subtracted)
{
    const uint32_t with[] = {H, H, 40, 55, H, H, 40, 55};
    const uint32_t without[] = {H, H, 35, 50, H, H, 35, 50};
    assert_int_equal(judge(1, 3, with, 10).verdict, SY_TABLE_GOOD);
    assert_int_equal(judge(1, 3, without, 10).verdict, SY_TABLE_GOOD);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(three_twelve_and_forty),
        cmocka_unit_test(hidden_cells_sum_up_to_k),
        cmocka_unit_test(a_published_count_is_surely_k),
        cmocka_unit_test(only_multiples_of_five),
        cmocka_unit_test(totals_are_those_of_some_table),
        cmocka_unit_test(a_total_that_follows_is_no_secret),
        cmocka_unit_test(no_cell_follows_from_several_lines),
        cmocka_unit_test(no_cell_is_pinned_by_what_cannot_be_negative),
        cmocka_unit_test(shapes_are_bounded),
        cmocka_unit_test(the_largest_is_judged_too),
        cmocka_unit_test(as_enumeration_and_elimination_say),
        cmocka_unit_test(no_determined_value_in_larger_tables),
        cmocka_unit_test(two_good_tables_may_be_subtracted),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
