/* small_cells.c: see small_cells.h.
 *
 * The network: node r for row r, rows + c for column c, and one more for source and sink, which are
 * the same node: what goes in comes out. Arcs: outside -> row (its total), row -> column (the
 * cell), column -> outside (its total). The grand total is no arc: it bounds what passes the
 * outside node, so that node is split in two, with the grand total as the arc between them. */
#include "core/ledger/contracts/small_cells.h"

#include <string.h>

#include "core/base/assert.h"

#define NODES_MAX (2u * SY_TABLE_SIDE_MAX + 4u)
#define ENDLESS ((int64_t)1 << 40)
#define HALF_ROUNDING ((int64_t)SY_TABLE_ROUNDING / 2)

static uint32_t value_at(const struct sy_table *t, unsigned row, unsigned col)
{
    return t->values[row * (t->cols + 1) + col];
}

static bool hidden_at(const struct sy_table *t, unsigned row, unsigned col)
{
    return value_at(t, row, col) == SY_TABLE_HIDDEN;
}

// --- value by value ----------------------------------------------------------------------------

static enum sy_table_verdict check_values(const struct sy_table *t, unsigned k, unsigned *row,
                                          unsigned *col)
{
    for (*row = 0; *row <= t->rows; ++*row) {
        for (*col = 0; *col <= t->cols; ++*col) {
            uint32_t value = value_at(t, *row, *col);
            if (value == SY_TABLE_HIDDEN) continue;
            if (value % SY_TABLE_ROUNDING != 0 || value > SY_TABLE_COUNT_MAX) {
                return SY_TABLE_NOT_ROUNDED;
            }
            if ((int64_t)value - HALF_ROUNDING < (int64_t)k) return SY_TABLE_SMALL;
        }
    }
    return SY_TABLE_GOOD;
}

// --- line by line ------------------------------------------------------------------------------

/* A line: the values of a row or of a column, the last of which is their total. */
struct line {
    unsigned index, size;
    bool is_row;
};

static void place_in(const struct line *line, unsigned i, unsigned *row, unsigned *col)
{
    *row = line->is_row ? line->index : i;
    *col = line->is_row ? i : line->index;
}

/* Whether its hidden values stay hidden, as long as nothing but the line is looked at. */
static bool line_hides(const struct sy_table *t, const struct line *line, unsigned k, unsigned *row,
                       unsigned *col)
{
    unsigned hidden = 0, first = 0;
    int64_t left;
    place_in(line, line->size, row, col);
    if (hidden_at(t, *row, *col)) return true;
    left = value_at(t, *row, *col) - HALF_ROUNDING; // what the hidden ones are at least
    for (unsigned i = 0; i < line->size; i++) {
        place_in(line, i, row, col);
        if (!hidden_at(t, *row, *col)) {
            left -= value_at(t, *row, *col) + HALF_ROUNDING;
        } else if (hidden++ == 0) {
            first = i;
        }
    }
    place_in(line, first, row, col);
    return hidden == 0 || (hidden >= 2 && left >= (int64_t)k);
}

static enum sy_table_verdict check_lines(const struct sy_table *t, unsigned k, unsigned *row,
                                         unsigned *col)
{
    for (unsigned r = 0; r <= t->rows; r++) {
        struct line line = {.index = r, .size = t->cols, .is_row = true};
        if (!line_hides(t, &line, k, row, col)) return SY_TABLE_RECOVERABLE;
    }
    for (unsigned c = 0; c <= t->cols; c++) {
        struct line line = {.index = c, .size = t->rows};
        if (!line_hides(t, &line, k, row, col)) return SY_TABLE_RECOVERABLE;
    }
    return SY_TABLE_GOOD;
}

// --- the network -------------------------------------------------------------------------------

/* room[a][b]: how much more may flow from a to b, or less from b to a. Between two nodes there is
 * one arc at most. */
struct network {
    unsigned nodes;
    int64_t room[NODES_MAX][NODES_MAX];
};

/* The nodes behind rows and columns: where counts begin and where they end. */
static unsigned first_of(const struct sy_table *t)
{
    return t->rows + t->cols;
}

static unsigned last_of(const struct sy_table *t)
{
    return t->rows + t->cols + 1;
}

/* The arc that value (row, col) is. */
static void arc_of(const struct sy_table *t, unsigned row, unsigned col, unsigned *from,
                   unsigned *to)
{
    bool row_total = col == t->cols, col_total = row == t->rows;
    *from = row_total ? first_of(t) : row;
    *to = col_total ? last_of(t) : t->rows + col;
    if (row_total && !col_total) *to = row;
    if (col_total && !row_total) *from = t->rows + col;
    if (row_total && col_total) {
        *from = last_of(t);
        *to = first_of(t);
    }
}

/* A path of arcs with room, the shortest; before[]: each node's one before. */
static bool find_path(const struct network *n, unsigned from, unsigned to, unsigned *before)
{
    unsigned queue[NODES_MAX], begin = 0, end = 0;
    bool seen[NODES_MAX] = {false};
    queue[end++] = from;
    seen[from] = true;
    while (begin < end && !seen[to]) {
        unsigned at = queue[begin++];
        for (unsigned next = 0; next < n->nodes; next++) {
            if (seen[next] || n->room[at][next] <= 0) continue;
            seen[next] = true;
            before[next] = at;
            queue[end++] = next;
        }
    }
    return seen[to];
}

/* Sends up to `most` from one node to another; gives how much went. */
static int64_t send_flow(struct network *n, unsigned from, unsigned to, int64_t most)
{
    unsigned before[NODES_MAX];
    int64_t sent = 0;
    while (sent < most && find_path(n, from, to, before)) {
        int64_t part = most - sent;
        for (unsigned at = to; at != from; at = before[at]) {
            int64_t room = n->room[before[at]][at];
            part = room < part ? room : part;
        }
        for (unsigned at = to; at != from; at = before[at]) {
            n->room[before[at]][at] -= part;
            n->room[at][before[at]] += part;
        }
        sent += part;
    }
    return sent;
}

// --- what follows by sums and differences ------------------------------------------------------

/* A hidden value is determined by published ones exactly if it is on no circle of hidden values:
 * what changes on a circle, plus and minus in turn, changes no sum; what is on none has a cut of
 * the network beside it alone. */
static enum sy_table_verdict check_circles(const struct sy_table *t, unsigned *row, unsigned *col)
{
    static const struct network none;
    struct network n = none;
    unsigned from, to, before[NODES_MAX];
    n.nodes = last_of(t) + 1;
    for (unsigned r = 0; r <= t->rows; r++) {
        for (unsigned c = 0; c <= t->cols; c++) {
            arc_of(t, r, c, &from, &to);
            n.room[from][to] = n.room[to][from] = hidden_at(t, r, c) ? 1 : 0;
        }
    }
    for (*row = 0; *row <= t->rows; ++*row) {
        for (*col = 0; *col <= t->cols; ++*col) {
            if (!hidden_at(t, *row, *col)) continue;
            arc_of(t, *row, *col, &from, &to);
            n.room[from][to] = n.room[to][from] = 0;
            if (!find_path(&n, from, to, before)) return SY_TABLE_RECOVERABLE;
            n.room[from][to] = n.room[to][from] = 1;
        }
    }
    return SY_TABLE_GOOD;
}

// --- what the numbers leave open ---------------------------------------------------------------

static int64_t least_of(uint32_t value)
{
    if (value == SY_TABLE_HIDDEN || (int64_t)value < HALF_ROUNDING) return 0;
    return (int64_t)value - HALF_ROUNDING;
}

static int64_t most_of(uint32_t value)
{
    return value == SY_TABLE_HIDDEN ? ENDLESS : (int64_t)value + HALF_ROUNDING;
}

/* A flow within all bounds, by a source and a sink for what the lower ones ask (Ford and
 * Fulkerson). False: there is none. */
static bool fill(struct network *n, const struct sy_table *t)
{
    unsigned source = last_of(t) + 1, sink = source + 1, from, to;
    int64_t asked = 0;
    n->nodes = sink + 1;
    for (unsigned r = 0; r <= t->rows; r++) {
        for (unsigned c = 0; c <= t->cols; c++) {
            int64_t least = least_of(value_at(t, r, c));
            arc_of(t, r, c, &from, &to);
            n->room[from][to] = most_of(value_at(t, r, c)) - least;
            n->room[source][to] += least;
            n->room[from][sink] += least;
            asked += least;
        }
    }
    bool filled = send_flow(n, source, sink, asked) == asked;
    for (unsigned node = 0; node < n->nodes; node++) {
        n->room[source][node] = n->room[node][source] = 0;
        n->room[sink][node] = n->room[node][sink] = 0;
    }
    return filled;
}

/* By how much a hidden cell may be more, and less, at most k together. */
static int64_t width_of(const struct network *filled, unsigned from, unsigned to, unsigned k)
{
    struct network n = *filled;
    int64_t flow = n.room[to][from], width;
    n.room[from][to] = n.room[to][from] = 0;
    width = send_flow(&n, to, from, k);
    if (width >= (int64_t)k) return width;
    n = *filled;
    n.room[from][to] = n.room[to][from] = 0;
    int64_t wanted = (int64_t)k - width;
    return width + send_flow(&n, from, to, flow < wanted ? flow : wanted);
}

static enum sy_table_verdict check_widths(const struct sy_table *t, unsigned k, unsigned *row,
                                          unsigned *col)
{
    static const struct network none;
    struct network n = none;
    unsigned from, to;
    if (!fill(&n, t)) {
        *row = *col = 0;
        return SY_TABLE_SUMS;
    }
    for (*row = 0; *row < t->rows; ++*row) {
        for (*col = 0; *col < t->cols; ++*col) {
            if (!hidden_at(t, *row, *col)) continue;
            arc_of(t, *row, *col, &from, &to);
            if (width_of(&n, from, to, k) < (int64_t)k) return SY_TABLE_RECOVERABLE;
        }
    }
    return SY_TABLE_GOOD;
}

enum sy_table_verdict sy_table_check(const struct sy_table *table, unsigned k, unsigned *row,
                                     unsigned *col)
{
    SY_ASSERT(k >= 1 && k <= SY_TABLE_K_MAX);
    *row = *col = 0;
    if (table->rows == 0 || table->rows > SY_TABLE_SIDE_MAX || table->cols == 0 ||
        table->cols > SY_TABLE_SIDE_MAX || table->rows * table->cols > SY_TABLE_CELLS_MAX) {
        return SY_TABLE_SHAPE;
    }
    enum sy_table_verdict verdict = check_values(table, k, row, col);
    if (verdict == SY_TABLE_GOOD) verdict = check_lines(table, k, row, col);
    if (verdict == SY_TABLE_GOOD) verdict = check_circles(table, row, col);
    if (verdict == SY_TABLE_GOOD) verdict = check_widths(table, k, row, col);
    if (verdict == SY_TABLE_GOOD) *row = *col = 0;
    return verdict;
}
