/* small_cells.h: whether a table of counts can be published without telling who is in it. A pure
 * function of the table as it is published: no raw data, no state, no floating point.
 *
 * A table has rows x cols cells and one row and one column of totals: row r's total is value (r,
 * cols), column c's is (rows, c), the grand total is (rows, cols). Each value is either published,
 * rounded to the nearest multiple of SY_TABLE_ROUNDING (so r stands for r-2 to r+2), or hidden.
 *
 * Terms and methods are those of statistical disclosure control (Willenborg and de Waal, Elements
 * of Statistical Disclosure Control, 2001, chapters 5 and 6): cells below k are sensitive, hiding
 * them is primary suppression, hiding others so that nobody computes them is complementary
 * suppression, and what a suppression pattern leaves open is found by its audit. A table with its
 * totals is a network in which counts flow (Cox, Network models for complementary cell suppression,
 * JASA 90, 1995): from a source to each row, from each row to each column, from each column to a
 * sink. What can be known of a hidden cell is how much its flow can change.
 *
 * What a good table promises, whoever sees it and nothing else:
 *   1  no published value may stand for fewer than k
 *   2  in each row and column whose total is published, none or at least two cells are hidden, and
 *      these sum up to at least k, however the others were rounded; the rows of totals likewise
 *   3  no hidden value follows from published ones by sums and differences of any rows and columns
 *   4  each hidden cell could be at least k + 1 different counts, k apart, in tables that would be
 *      published with the same numbers
 * What it does not: several tables of the same people may be subtracted from one another. Against
 * that there are budgets, and nothing else. */
#ifndef SY_LEDGER_CONTRACTS_SMALL_CELLS_H
#define SY_LEDGER_CONTRACTS_SMALL_CELLS_H

#include <stdbool.h>
#include <stdint.h>

#define SY_TABLE_SIDE_MAX 16u   /* rows, columns */
#define SY_TABLE_CELLS_MAX 128u /* rows x columns */
#define SY_TABLE_ROUNDING 5u
#define SY_TABLE_COUNT_MAX 2000000000u /* a published value */
#define SY_TABLE_K_MAX 100u
#define SY_TABLE_HIDDEN UINT32_MAX
/* Values of the largest tables, totals included: 16 x 8 and 8 x 16. */
#define SY_TABLE_VALUES_MAX (17u * 9u)

/* Borrows its values: row by row, cols + 1 in each of rows + 1 rows. */
struct sy_table {
    unsigned rows, cols; /* 1 to SY_TABLE_SIDE_MAX, rows x cols at most SY_TABLE_CELLS_MAX */
    const uint32_t *values;
};

enum sy_table_verdict {
    SY_TABLE_GOOD,
    SY_TABLE_SHAPE,       /* more rows, columns or cells than a table may have, or none */
    SY_TABLE_NOT_ROUNDED, /* a value is no multiple, or beyond SY_TABLE_COUNT_MAX */
    SY_TABLE_SMALL,       /* a published value may stand for fewer than k */
    SY_TABLE_RECOVERABLE, /* a hidden value follows from published ones, or nearly does */
    SY_TABLE_SUMS         /* no table has these totals */
};

/* sy_table_check judges a table by k, 1 to SY_TABLE_K_MAX. row and col say which value is at fault,
 * from 0; the last ones are totals. SY_TABLE_SUMS and SY_TABLE_SHAPE are about no value: 0, 0.
 * Terminates within some 10^7 steps, whatever the table. */
enum sy_table_verdict sy_table_check(const struct sy_table *table, unsigned k, unsigned *row,
                                     unsigned *col);

#endif
