/* memory_table.h: a growing table from 32-byte keys to numbers, for the in-memory twin. Several
 * numbers may stand under one key, and under keys with the same first 8 bytes: whoever looks up
 * checks what the number leads to. Not thread-safe. */
#ifndef SY_STORE_MEMORY_TABLE_H
#define SY_STORE_MEMORY_TABLE_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/base/status.h"

struct sy_memory_table {
    uint64_t *tags;
    uint64_t *numbers; /* 0: a free slot; else 1 + number */
    size_t slot_count;
    size_t count;
};

void sy_memory_table_free(struct sy_memory_table *table);

/* sy_memory_table_reserve makes room so that `more` additions cannot fail. */
sy_status sy_memory_table_reserve(struct sy_memory_table *table, size_t more);

/* sy_memory_table_add adds a number; there must be room. */
void sy_memory_table_add(struct sy_memory_table *table, const struct sy_hash *key, uint64_t number);

/* sy_memory_table_next steps through the numbers that may stand under key: start with
 * *cursor = 0; false at the end. */
bool sy_memory_table_next(const struct sy_memory_table *table, size_t *cursor, uint64_t *number,
                          const struct sy_hash *key);

#endif
