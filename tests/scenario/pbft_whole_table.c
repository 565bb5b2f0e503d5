/* pbft_whole_table.c: equal bytes get equal numbers. An open hash table over bytes that are kept in
 * chunks; the hash only says where to look, bytes are compared. */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "tests/scenario/pbft_whole_internal.h"

#define CHUNK_BYTES ((size_t)1 << 20)

void *grown(void *items, size_t *room, size_t wanted, size_t item_bytes)
{
    if (wanted <= *room) return items;
    size_t bigger = *room ? 2 * *room : 1024;
    while (bigger < wanted) bigger *= 2;
    void *moved = realloc(items, bigger * item_bytes);
    SY_ASSERT(moved);
    *room = bigger;
    return moved;
}

static uint64_t hash_of(const uint8_t *bytes, size_t size)
{
    uint64_t hash = 0x9e3779b97f4a7c15u ^ size;
    for (; size > 0;) {
        uint64_t word = 0;
        size_t part = size < 8 ? size : 8;
        memcpy(&word, bytes, part);
        hash = (hash ^ word) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 32;
        bytes += part;
        size -= part;
    }
    return hash * 0xc4ceb9fe1a85ec53u >> 8;
}

static void reindex(struct whole_table *table)
{
    table->index_room = table->index_room ? 2 * table->index_room : 1024;
    free(table->index);
    table->index = (uint32_t *)calloc(table->index_room, sizeof table->index[0]);
    SY_ASSERT(table->index);
    for (size_t i = 0; i < table->count; i++) {
        size_t at = hash_of(table->items[i].bytes, table->items[i].size) % table->index_room;
        while (table->index[at] != 0) at = (at + 1) % table->index_room;
        table->index[at] = (uint32_t)i + 1;
    }
}

static uint8_t *place(struct whole_table *table, size_t size)
{
    size_t rounded = (size + 7) / 8 * 8;
    if (table->chunk_left < rounded) {
        size_t bytes = rounded + 8 > CHUNK_BYTES ? rounded + 8 : CHUNK_BYTES;
        void **chunk = (void **)malloc(bytes);
        SY_ASSERT(chunk);
        *chunk = table->chunks;
        table->chunks = chunk;
        table->chunk = (uint8_t *)chunk + 8;
        table->chunk_left = bytes - 8;
    }
    uint8_t *at = table->chunk;
    table->chunk += rounded;
    table->chunk_left -= rounded;
    return at;
}

uint32_t table_add(struct whole_table *table, const void *bytes, size_t size, bool *is_new)
{
    if (2 * (table->count + 1) > table->index_room) reindex(table);
    size_t at = hash_of((const uint8_t *)bytes, size) % table->index_room;
    for (; table->index[at] != 0; at = (at + 1) % table->index_room) {
        const struct whole_item *item = &table->items[table->index[at] - 1];
        if (item->size != size || memcmp(item->bytes, bytes, size) != 0) continue;
        if (is_new) *is_new = false;
        return table->index[at] - 1;
    }
    SY_ASSERT(table->count < UINT32_MAX - 1);
    table->items = (struct whole_item *)grown(table->items, &table->room, table->count + 1,
                                              sizeof table->items[0]);
    uint8_t *copy = place(table, size);
    memcpy(copy, bytes, size);
    table->items[table->count] = (struct whole_item){copy, size};
    table->index[at] = (uint32_t)++table->count;
    if (is_new) *is_new = true;
    return (uint32_t)table->count - 1;
}

void table_close(struct whole_table *table)
{
    while (table->chunks) {
        void *next = *(void **)table->chunks;
        free(table->chunks);
        table->chunks = next;
    }
    free(table->items);
    free(table->index);
    *table = (struct whole_table){0};
}
