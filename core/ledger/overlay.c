/* overlay.c: a block's writes over the source; see overlay.h. */
#include "core/ledger/overlay.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/wire/limits.h"

#define READ_ENTRIES 32768u
#define READ_BYTES (16u << 20)

_Static_assert(SY_OVERLAY_READ_BYTES_BETWEEN <= READ_BYTES / 2,
               "a payload's reads fit what relax leaves");
_Static_assert(SY_OVERLAY_READS_BETWEEN <= READ_ENTRIES / 2, "likewise");

// --- maps --------------------------------------------------------------------------------------

#define SLOTS_MIN 1024u

static size_t slots_for(size_t capacity)
{
    size_t slots = SLOTS_MIN;
    while (slots < capacity + capacity / 2) slots *= 2;
    return slots;
}

static sy_status init_map(struct sy_overlay_map *map, sy_arena *arena, size_t capacity)
{
    SY_ASSERT(capacity > 0 && capacity < UINT32_MAX / 2);
    *map = (struct sy_overlay_map){
        .capacity = capacity, .slot_count = SLOTS_MIN, .slot_room = slots_for(capacity)};
    map->entries = SY_CARVE(arena, struct sy_overlay_entry, capacity);
    map->slots = SY_CARVE(arena, uint32_t, map->slot_room);
    return map->entries == NULL || map->slots == NULL ? SY_ERR_NO_MEMORY : SY_OK;
}

/* Keys are SHA-256 values of which a stranger can choose a few bits by grinding; multiplying by a
 * random odd number that the stranger does not know spreads whatever was chosen (multiply-shift
 * hashing, Dietzfelbinger et al. 1997), at a tenth of what hashing all 32 bytes again costs. */
static size_t home_slot(const sy_overlay *overlay, const struct sy_overlay_map *map,
                        const struct sy_hash *key_hash)
{
    SY_ASSERT((map->slot_count & (map->slot_count - 1)) == 0);
    uint64_t mixed = (sy_load_u64(key_hash->bytes + 8) ^ overlay->seed[0]) * (overlay->seed[1] | 1);
    return (size_t)(mixed >> 32) & (map->slot_count - 1);
}

/* The slot that holds the key, or the free one where it would go. */
static size_t probe(const sy_overlay *overlay, const struct sy_overlay_map *map,
                    const struct sy_hash *key_hash)
{
    SY_ASSERT(map->count < map->slot_count);
    size_t slot = home_slot(overlay, map, key_hash);
    while (map->slots[slot] != 0 &&
           !sy_hash_equal(&map->entries[map->slots[slot] - 1].key_hash, key_hash)) {
        slot = (slot + 1) & (map->slot_count - 1);
    }
    return slot;
}

static struct sy_overlay_entry *find(const sy_overlay *overlay, const struct sy_overlay_map *map,
                                     const struct sy_hash *key_hash)
{
    uint32_t index = map->slots[probe(overlay, map, key_hash)];
    SY_ASSERT(index <= map->count);
    return index == 0 ? NULL : &map->entries[index - 1];
}

/* Doubles the slots in use. Entries go in again in their order, so that cutting them in reverse
 * order stays safe. */
static void widen(const sy_overlay *overlay, struct sy_overlay_map *map)
{
    SY_ASSERT(map->slot_count * 2 <= map->slot_room && map->entries != NULL);
    memset(map->slots, 0, map->slot_count * sizeof *map->slots);
    map->slot_count *= 2;
    for (size_t i = 0; i < map->count; i++) {
        map->slots[probe(overlay, map, &map->entries[i].key_hash)] = (uint32_t)(i + 1);
    }
}

/* Adds a key that is not there; NULL when the map is full. */
static struct sy_overlay_entry *append(const sy_overlay *overlay, struct sy_overlay_map *map,
                                       const struct sy_hash *key_hash)
{
    if (map->count == map->capacity) return NULL;
    if (map->count >= map->slot_count / 2 && map->slot_count < map->slot_room) widen(overlay, map);
    size_t slot = probe(overlay, map, key_hash);
    SY_ASSERT(map->slots[slot] == 0 && map->entries != NULL);
    struct sy_overlay_entry *entry = &map->entries[map->count++];
    *entry = (struct sy_overlay_entry){.key_hash = *key_hash};
    map->slots[slot] = (uint32_t)map->count;
    return entry;
}

/* Takes entries off the end until count are left. */
static void cut_map(const sy_overlay *overlay, struct sy_overlay_map *map, size_t count)
{
    SY_ASSERT(count <= map->count);
    while (map->count > count) {
        size_t slot = probe(overlay, map, &map->entries[map->count - 1].key_hash);
        SY_ASSERT(map->slots[slot] == map->count);
        map->slots[slot] = 0;
        map->count--;
    }
}

static void empty_map(struct sy_overlay_map *map)
{
    SY_ASSERT(map->slot_count >= SLOTS_MIN && map->slot_count <= map->slot_room);
    memset(map->slots, 0, map->slot_count * sizeof *map->slots);
    map->slot_count = SLOTS_MIN;
    map->count = 0;
}

// --- life --------------------------------------------------------------------------------------

static size_t map_footprint(size_t capacity)
{
    return capacity * sizeof(struct sy_overlay_entry) + slots_for(capacity) * sizeof(uint32_t);
}

size_t sy_overlay_footprint(const struct sy_overlay_limits *limits)
{
    SY_ASSERT(limits->writes_max > 0 && limits->value_bytes_max >= SY_STATE_VALUE_BYTES_MAX);
    return map_footprint(limits->writes_max) + map_footprint(READ_ENTRIES) +
           limits->value_bytes_max + READ_BYTES +
           limits->writes_max * sizeof(struct sy_overlay_undo) + 8 * 64;
}

sy_status sy_overlay_init(sy_overlay *overlay, sy_arena *arena,
                          const struct sy_overlay_limits *limits,
                          const struct sy_state_source *source)
{
    *overlay = (sy_overlay){.source = source, .values_max = limits->value_bytes_max, .stamp = 1};
    SY_TRY(init_map(&overlay->writes, arena, limits->writes_max));
    SY_TRY(init_map(&overlay->reads, arena, READ_ENTRIES));
    overlay->values = SY_CARVE(arena, uint8_t, limits->value_bytes_max);
    overlay->read_values = SY_CARVE(arena, uint8_t, READ_BYTES);
    overlay->undo = SY_CARVE(arena, struct sy_overlay_undo, limits->writes_max);
    if (overlay->values == NULL || overlay->read_values == NULL || overlay->undo == NULL) {
        return SY_ERR_NO_MEMORY;
    }
    sy_os_random(overlay->seed, sizeof overlay->seed);
    return SY_OK;
}

static void forget_reads(sy_overlay *overlay)
{
    empty_map(&overlay->reads);
    SY_ASSERT(overlay->reads.count == 0);
    overlay->read_values_used = 0;
}

void sy_overlay_clear(sy_overlay *overlay)
{
    empty_map(&overlay->writes);
    overlay->values_used = 0;
    overlay->stamp = 0;
    forget_reads(overlay);
    sy_overlay_mark(overlay);
}

void sy_overlay_relax(sy_overlay *overlay)
{
    bool roomy = overlay->reads.count + SY_OVERLAY_READS_BETWEEN <= READ_ENTRIES &&
                 overlay->read_values_used + SY_OVERLAY_READ_BYTES_BETWEEN <= READ_BYTES;
    if (!roomy) forget_reads(overlay);
    SY_ASSERT(overlay->reads.count + SY_OVERLAY_READS_BETWEEN <= READ_ENTRIES);
}

void sy_overlay_mark(sy_overlay *overlay)
{
    SY_ASSERT(overlay->stamp < UINT32_MAX);
    SY_ASSERT(overlay->values_used <= overlay->values_max);
    overlay->stamp++;
    overlay->undo_count = 0;
    overlay->mark_writes = overlay->writes.count;
    overlay->mark_values = overlay->values_used;
}

void sy_overlay_rollback(sy_overlay *overlay)
{
    SY_ASSERT(overlay->mark_writes <= overlay->writes.count);
    SY_ASSERT(overlay->mark_values <= overlay->values_used);
    for (size_t i = overlay->undo_count; i-- > 0;) {
        const struct sy_overlay_undo *undo = &overlay->undo[i];
        SY_ASSERT(undo->index < overlay->mark_writes); // what is newer is cut, not restored
        struct sy_overlay_entry *entry = &overlay->writes.entries[undo->index];
        entry->data = undo->data;
        entry->size = undo->size;
        entry->room = undo->room;
        entry->stamp = undo->stamp;
        entry->present = undo->present;
    }
    overlay->undo_count = 0;
    cut_map(overlay, &overlay->writes, overlay->mark_writes);
    overlay->values_used = overlay->mark_values;
}

bool sy_overlay_has_room(const sy_overlay *overlay)
{
    SY_ASSERT(overlay->writes.count <= overlay->writes.capacity);
    return overlay->writes.capacity - overlay->writes.count >= SY_OVERLAY_WRITES_BETWEEN &&
           overlay->values_max - overlay->values_used >= SY_OVERLAY_WRITE_BYTES_BETWEEN;
}

void sy_overlay_wrote(const sy_overlay *overlay, size_t *keys, size_t *value_bytes)
{
    *keys = overlay->writes.count - overlay->mark_writes + overlay->undo_count;
    *value_bytes = overlay->values_used - overlay->mark_values;
    SY_ASSERT(*keys <= overlay->writes.count);
}

// --- reading -----------------------------------------------------------------------------------

/* Reads the source into the cache, absence included. */
static sy_status fetch(sy_overlay *overlay, struct sy_overlay_entry **out,
                       const struct sy_hash *key_hash)
{
    struct sy_slice value;
    sy_status status = overlay->source->get(overlay->source->self, &value, key_hash);
    if (status != SY_OK && status != SY_ERR_NOT_FOUND) return status;
    if (status == SY_ERR_NOT_FOUND) value = sy_slice_of(NULL, 0);
    if (value.size > SY_STATE_VALUE_BYTES_MAX) return SY_ERR_CORRUPT;
    struct sy_overlay_entry *entry = append(overlay, &overlay->reads, key_hash);
    SY_ASSERT(entry != NULL && overlay->read_values_used + value.size <= READ_BYTES);
    uint8_t *copy = overlay->read_values + overlay->read_values_used;
    if (value.size > 0) memcpy(copy, value.data, value.size);
    overlay->read_values_used += value.size;
    entry->data = copy;
    entry->size = (uint32_t)value.size;
    entry->present = status == SY_OK;
    *out = entry;
    return SY_OK;
}

sy_status sy_overlay_get(sy_overlay *overlay, struct sy_slice *value,
                         const struct sy_hash *key_hash)
{
    struct sy_overlay_entry *entry = find(overlay, &overlay->writes, key_hash);
    if (entry == NULL) entry = find(overlay, &overlay->reads, key_hash);
    if (entry == NULL) SY_TRY(fetch(overlay, &entry, key_hash));
    SY_ASSERT(entry != NULL);
    if (!entry->present) return SY_ERR_NOT_FOUND;
    *value = sy_slice_of(entry->data, entry->size);
    return SY_OK;
}

// --- writing -----------------------------------------------------------------------------------

/* Finds or makes the entry that a write goes to, with its former value journalled. */
static sy_status open_entry(sy_overlay *overlay, struct sy_overlay_entry **out,
                            const struct sy_hash *key_hash)
{
    struct sy_overlay_entry *entry = find(overlay, &overlay->writes, key_hash);
    if (entry == NULL) {
        struct sy_overlay_entry *read = find(overlay, &overlay->reads, key_hash);
        if (read == NULL) SY_TRY(fetch(overlay, &read, key_hash));
        bool was_present = read->present;
        entry = append(overlay, &overlay->writes, key_hash);
        if (entry == NULL) return SY_ERR_LIMIT;
        entry->was_present = was_present;
    } else if (entry->stamp != overlay->stamp) {
        SY_ASSERT(overlay->undo_count < overlay->writes.capacity);
        overlay->undo[overlay->undo_count++] = (struct sy_overlay_undo){
            .index = (uint32_t)(entry - overlay->writes.entries),
            .size = entry->size,
            .room = entry->room,
            .stamp = entry->stamp,
            .data = entry->data,
            .present = entry->present,
        };
        entry->room = 0; // the journal's bytes now
    }
    entry->stamp = overlay->stamp;
    SY_ASSERT(sy_hash_equal(&entry->key_hash, key_hash));
    *out = entry;
    return SY_OK;
}

sy_status sy_overlay_put(sy_overlay *overlay, const struct sy_hash *key_hash, struct sy_slice value)
{
    SY_ASSERT(value.size <= SY_STATE_VALUE_BYTES_MAX);
    if (overlay->values_max - overlay->values_used < value.size) return SY_ERR_LIMIT;
    struct sy_overlay_entry *entry = NULL;
    SY_TRY(open_entry(overlay, &entry, key_hash));
    if (value.size > entry->room) {
        entry->data = overlay->values + overlay->values_used;
        entry->room = (uint32_t)value.size;
        overlay->values_used += value.size;
    }
    // data points into values whenever there is room; entries only promise their readers const.
    size_t offset = entry->room > 0 ? (size_t)(entry->data - overlay->values) : 0;
    SY_ASSERT(offset + value.size <= overlay->values_used && value.size <= entry->room);
    if (value.size > 0) memcpy(overlay->values + offset, value.data, value.size);
    entry->size = (uint32_t)value.size;
    entry->present = true;
    return SY_OK;
}

sy_status sy_overlay_remove(sy_overlay *overlay, const struct sy_hash *key_hash)
{
    struct sy_overlay_entry *entry = NULL;
    SY_TRY(open_entry(overlay, &entry, key_hash));
    SY_ASSERT(entry->stamp == overlay->stamp);
    entry->size = 0;
    entry->present = false;
    return SY_OK;
}

// --- listing -----------------------------------------------------------------------------------

static int compare_keys(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct sy_hash));
}

size_t sy_overlay_written(const sy_overlay *overlay, struct sy_hash *keys, size_t max)
{
    size_t fresh = overlay->writes.count - overlay->mark_writes;
    size_t total = fresh + overlay->undo_count;
    SY_ASSERT(total <= overlay->writes.count);
    for (size_t i = 0; i < total && i < max; i++) {
        size_t index = i < fresh ? overlay->mark_writes + i : overlay->undo[i - fresh].index;
        keys[i] = overlay->writes.entries[index].key_hash;
    }
    qsort(keys, total < max ? total : max, sizeof *keys, compare_keys);
    return total;
}

static int compare_entries(const void *a, const void *b)
{
    const struct sy_overlay_entry *const *left = a;
    const struct sy_overlay_entry *const *right = b;
    return sy_hash_compare(&(*left)->key_hash, &(*right)->key_hash);
}

size_t sy_overlay_sort(const sy_overlay *overlay, const struct sy_overlay_entry **order)
{
    size_t count = 0;
    for (size_t i = 0; i < overlay->writes.count; i++) {
        const struct sy_overlay_entry *entry = &overlay->writes.entries[i];
        // Made and taken away again within the block: the source never hears of it.
        if (entry->present || entry->was_present) order[count++] = entry;
    }
    qsort(order, count, sizeof(void *), compare_entries);
    return count;
}
