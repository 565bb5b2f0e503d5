/* Open addressing with linear probing; nothing is ever removed. */
#include "core/store/memory_table.h"

#include <stdlib.h>

#include "core/base/assert.h"

void sy_memory_table_free(struct sy_memory_table *table)
{
    free(table->tags);
    free(table->numbers);
    *table = (struct sy_memory_table){0};
}

static size_t home_of(const struct sy_memory_table *table, uint64_t tag)
{
    return (size_t)(tag * 0x9e3779b97f4a7c15u >> 20) & (table->slot_count - 1);
}

static void insert(struct sy_memory_table *table, uint64_t tag, uint64_t stored)
{
    size_t slot = home_of(table, tag);
    while (table->numbers[slot]) slot = (slot + 1) & (table->slot_count - 1);
    table->tags[slot] = tag;
    table->numbers[slot] = stored;
    table->count++;
}

sy_status sy_memory_table_reserve(struct sy_memory_table *table, size_t more)
{
    size_t wanted = table->slot_count ? table->slot_count : 64;
    while (wanted / 2 < table->count + more) wanted *= 2;
    if (wanted == table->slot_count) return SY_OK;
    struct sy_memory_table grown = {
        .tags = (uint64_t *)calloc(wanted, sizeof(uint64_t)),
        .numbers = (uint64_t *)calloc(wanted, sizeof(uint64_t)),
        .slot_count = wanted,
    };
    if (!grown.tags || !grown.numbers) {
        sy_memory_table_free(&grown);
        return SY_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < table->slot_count; i++) {
        if (table->numbers[i]) insert(&grown, table->tags[i], table->numbers[i]);
    }
    sy_memory_table_free(table);
    *table = grown;
    return SY_OK;
}

void sy_memory_table_add(struct sy_memory_table *table, const struct sy_hash *key, uint64_t number)
{
    SY_ASSERT(table->count < table->slot_count / 2);
    insert(table, sy_load_u64(key->bytes), number + 1);
}

bool sy_memory_table_next(const struct sy_memory_table *table, size_t *cursor, uint64_t *number,
                          const struct sy_hash *key)
{
    if (table->slot_count == 0) return false;
    uint64_t tag = sy_load_u64(key->bytes);
    size_t home = home_of(table, tag);
    for (;;) {
        size_t slot = (home + *cursor) & (table->slot_count - 1);
        if (!table->numbers[slot]) return false;
        ++*cursor;
        if (table->tags[slot] == tag) {
            *number = table->numbers[slot] - 1;
            return true;
        }
    }
}
