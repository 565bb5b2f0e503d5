/* table.h: a bounded hash table from 32-byte keys to fixed-size values, in arena memory.
 *
 * Open addressing with linear probing and backward-shift deletion: no tombstones, so it never
 * degrades. Slots follow from a keyed hash (SipHash-1-3 with a key drawn at init), because
 * strangers choose many of the keys. Iteration order follows the slots and is NOT deterministic
 * between processes unless the caller passes a fixed seed. Not thread-safe. */
#ifndef SY_BASE_TABLE_H
#define SY_BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sy_table {
    uint8_t *slots;    /* slot_count * slot_bytes: key, value; used says which are taken */
    uint8_t *used;     /* one byte a slot */
    size_t slot_count; /* power of two, at least 4/3 of capacity */
    size_t slot_bytes;
    size_t value_bytes;
    size_t capacity;
    size_t count;
    uint64_t seed[2];
} sy_table;

/* sy_table_init carves room for capacity entries. seed: any 16 bytes; random for tables that a
 * stranger fills, fixed where iteration order must repeat. */
sy_status sy_table_init(sy_table *table, sy_arena *arena, size_t capacity, size_t value_bytes,
                        const uint64_t seed[2]);

/* sy_table_find returns the value's address (aligned to 8, valid until the next put or remove),
 * or NULL. */
void *sy_table_find(const sy_table *table, const struct sy_hash *key);

/* sy_table_put returns the address of the value for key, zeroed if the key is new; *is_new says
 * which (may be NULL). NULL: the table is full and the key is not in it. */
void *sy_table_put(sy_table *table, const struct sy_hash *key, bool *is_new);

/* sy_table_remove forgets key. False: it was not there. */
bool sy_table_remove(sy_table *table, const struct sy_hash *key);

/* sy_table_next steps through entries: start with *cursor = 0; false at the end. The table must
 * not change in between. */
bool sy_table_next(const sy_table *table, size_t *cursor, const struct sy_hash **key, void **value);

/* sy_table_clear forgets everything. */
void sy_table_clear(sy_table *table);

#ifdef __cplusplus
}
#endif
#endif
