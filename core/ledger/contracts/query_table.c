/* query_table.c: see query_table.h. */
#include "core/ledger/contracts/query_table.h"

#include "core/base/assert.h"
#include "core/ledger/contracts/small_cells.h"

_Static_assert(SY_QUERY_SIDE_MAX == SY_TABLE_SIDE_MAX && SY_QUERY_CELLS_MAX == SY_TABLE_CELLS_MAX &&
                   SY_RESEARCH_K_MAX <= SY_TABLE_K_MAX,
               "what may be asked for can be judged");
_Static_assert(SY_QUERY_HIDDEN == SY_TABLE_HIDDEN, "what is not told is the same everywhere");

bool sy_query_table_shape(const struct sy_query_answer *answer)
{
    size_t rows = answer->rows.count, columns = answer->columns.count;
    bool of_rows = answer->row_totals.size == 0 || answer->row_totals.size == 4 * rows;
    bool of_columns = answer->column_totals.size == 0 || answer->column_totals.size == 4 * columns;
    bool cells = rows > 0 && columns > 0 && answer->cells.size == 4 * rows * columns;
    return cells && of_rows && of_columns;
}

static uint32_t number_at(struct sy_slice numbers, size_t i)
{
    return numbers.size == 0 ? SY_TABLE_HIDDEN : sy_load_u32(numbers.data + 4 * i);
}

/* The values of a table as it is judged: each row's cells and its total, then the totals. */
static void spread(uint32_t *values, const struct sy_query_answer *p)
{
    size_t columns = p->columns.count, at = 0;
    for (size_t row = 0; row < p->rows.count; row++) {
        for (size_t column = 0; column < columns; column++) {
            values[at++] = number_at(p->cells, row * columns + column);
        }
        values[at++] = number_at(p->row_totals, row);
    }
    for (size_t column = 0; column < columns; column++) {
        values[at++] = number_at(p->column_totals, column);
    }
    values[at] = p->has_total ? p->total : SY_TABLE_HIDDEN;
}

static enum sy_refusal refuse_verdict(enum sy_table_verdict verdict)
{
    switch (verdict) {
    case SY_TABLE_NOT_ROUNDED: return SY_E_ROUNDING;
    case SY_TABLE_SMALL: return SY_E_SMALL_CELL;
    case SY_TABLE_RECOVERABLE: return SY_E_RECOVERABLE;
    default: return SY_E_TABLE;
    }
}

enum sy_refusal sy_query_table_check(const struct sy_query_answer *answer, unsigned *row,
                                     unsigned *column)
{
    uint32_t values[SY_TABLE_VALUES_MAX];
    struct sy_table table = {
        .rows = answer->rows.count, .cols = answer->columns.count, .values = values};
    SY_ASSERT(answer->cells.size <= 4 * SY_QUERY_CELLS_MAX); // by the field's rule
    spread(values, answer);
    enum sy_table_verdict verdict = sy_table_check(&table, answer->k, row, column);
    return verdict == SY_TABLE_GOOD ? SY_APPLIED : refuse_verdict(verdict);
}
