#include "core/base/table.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/siphash.h"

static size_t find_home(const sy_table *table, const struct sy_hash *key)
{
    return (size_t)sy_siphash13(table->seed, key->bytes, sizeof key->bytes) &
           (table->slot_count - 1);
}

static uint8_t *slot_at(const sy_table *table, size_t index)
{
    return table->slots + index * table->slot_bytes;
}

// The slot that holds key, or the free slot where it would go. One always exists, because the
// table is never more than three quarters full.
static size_t probe_slot(const sy_table *table, const struct sy_hash *key)
{
    size_t index = find_home(table, key);
    while (table->used[index] &&
           memcmp(slot_at(table, index), key->bytes, sizeof key->bytes) != 0) {
        index = (index + 1) & (table->slot_count - 1);
    }
    return index;
}

sy_status sy_table_init(sy_table *table, sy_arena *arena, size_t capacity, size_t value_bytes,
                        const uint64_t seed[2])
{
    *table = (sy_table){0};
    if (capacity == 0 || capacity > SIZE_MAX / 8 || value_bytes > SIZE_MAX / 2) {
        return SY_ERR_ARGUMENT;
    }
    size_t slot_count = 4;
    while (slot_count < capacity + capacity / 3 + 1) slot_count *= 2;
    size_t slot_bytes = sizeof(struct sy_hash) + (value_bytes + 7) / 8 * 8;
    table->slots = (uint8_t *)sy_arena_carve(arena, slot_count, slot_bytes);
    table->used = SY_CARVE(arena, uint8_t, slot_count);
    if (!table->slots || !table->used) return SY_ERR_NO_MEMORY;
    table->slot_count = slot_count;
    table->slot_bytes = slot_bytes;
    table->value_bytes = value_bytes;
    table->capacity = capacity;
    table->seed[0] = seed[0];
    table->seed[1] = seed[1];
    return SY_OK;
}

void *sy_table_find(const sy_table *table, const struct sy_hash *key)
{
    size_t index = probe_slot(table, key);
    return table->used[index] ? slot_at(table, index) + sizeof *key : NULL;
}

void *sy_table_put(sy_table *table, const struct sy_hash *key, bool *is_new)
{
    size_t index = probe_slot(table, key);
    uint8_t *slot = slot_at(table, index);
    if (is_new) *is_new = !table->used[index];
    if (table->used[index]) return slot + sizeof *key;
    if (table->count == table->capacity) return NULL;
    memcpy(slot, key->bytes, sizeof key->bytes);
    memset(slot + sizeof *key, 0, table->slot_bytes - sizeof *key);
    table->used[index] = 1;
    table->count++;
    return slot + sizeof *key;
}

bool sy_table_remove(sy_table *table, const struct sy_hash *key)
{
    size_t mask = table->slot_count - 1;
    size_t hole = probe_slot(table, key);
    if (!table->used[hole]) return false;
    SY_ASSERT(table->count > 0);
    // Knuth, TAOCP 3, 6.4, algorithm R: an entry further on moves into the hole unless its home
    // lies cyclically between the hole and itself, which would make it unreachable.
    for (size_t next = (hole + 1) & mask; table->used[next]; next = (next + 1) & mask) {
        struct sy_hash moved;
        memcpy(moved.bytes, slot_at(table, next), sizeof moved.bytes);
        size_t home = find_home(table, &moved);
        if (((next - home) & mask) < ((next - hole) & mask)) continue;
        memcpy(slot_at(table, hole), slot_at(table, next), table->slot_bytes);
        hole = next;
    }
    table->used[hole] = 0;
    table->count--;
    return true;
}

bool sy_table_next(const sy_table *table, size_t *cursor, const struct sy_hash **key, void **value)
{
    for (size_t index = *cursor; index < table->slot_count; index++) {
        if (!table->used[index]) continue;
        uint8_t *slot = slot_at(table, index);
        if (key) *key = (const struct sy_hash *)slot;
        if (value) *value = slot + sizeof(struct sy_hash);
        *cursor = index + 1;
        return true;
    }
    *cursor = table->slot_count;
    return false;
}

void sy_table_clear(sy_table *table)
{
    memset(table->used, 0, table->slot_count);
    table->count = 0;
}
