/* query_table.h: the table of a query's answer as small_cells.h judges it: what validators do when
 * it comes, and whoever makes it before it is signed, since what is refused stands in its block all
 * the same. */
#ifndef SY_LEDGER_CONTRACTS_QUERY_TABLE_H
#define SY_LEDGER_CONTRACTS_QUERY_TABLE_H

#include "core/wire/refusal.h"
#include "core/wire/state_research.h"

/* sy_query_table_shape: there are rows, columns, a cell for each of both, and totals for all or for
 * none. */
bool sy_query_table_shape(const struct sy_query_answer *answer);

/* sy_query_table_check judges a table whose shape is good by its own k, 1 to SY_RESEARCH_K_MAX:
 * SY_APPLIED, or the refusal, with the value's row and column, from 0, totals last. */
enum sy_refusal sy_query_table_check(const struct sy_query_answer *answer, unsigned *row,
                                     unsigned *column);

#endif
