/* The in-memory twin's directory: an array in the order of the keys. */
#include <stdlib.h>

#include "core/store/memory_store.h"

static int compare(struct sy_slice a, struct sy_slice b)
{
    size_t both = a.size < b.size ? a.size : b.size;
    int order = both > 0 ? memcmp(a.data, b.data, both) : 0;
    if (order != 0) return order;
    return a.size < b.size ? -1 : a.size > b.size;
}

static struct sy_slice key_of(const struct entry *entry)
{
    return sy_slice_of(entry->key, entry->key_size);
}

/* The first entry whose key is not less. */
static size_t find_place(const struct memory_store *memory, struct sy_slice key)
{
    size_t low = 0, high = memory->entry_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(key_of(&memory->entries[middle]), key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void put(struct memory_store *memory, const struct sy_directory_write *write, uint8_t *copy)
{
    size_t at = find_place(memory, write->key);
    struct entry fresh = {copy, write->key.size, write->value.size};
    bool there = at < memory->entry_count && compare(key_of(&memory->entries[at]), write->key) == 0;
    if (there) {
        free(memory->entries[at].key);
    } else {
        SY_ASSERT(memory->entry_count < memory->entry_room);
        memmove(memory->entries + at + 1, memory->entries + at,
                (memory->entry_count - at) * sizeof *memory->entries);
        memory->entry_count++;
    }
    memory->entries[at] = fresh;
}

/* Copies of all that is to be put, or none. */
static sy_status copy_all(uint8_t **copies, const struct sy_directory_write *writes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        copies[i] = (uint8_t *)malloc(writes[i].key.size + writes[i].value.size);
        if (copies[i] == NULL) {
            while (i > 0) free(copies[--i]);
            return SY_ERR_NO_MEMORY;
        }
        memcpy(copies[i], writes[i].key.data, writes[i].key.size);
        if (writes[i].value.size > 0) {
            memcpy(copies[i] + writes[i].key.size, writes[i].value.data, writes[i].value.size);
        }
    }
    return SY_OK;
}

static sy_status append(struct memory_store *memory, const struct sy_directory_write *writes,
                        size_t count)
{
    uint8_t **copies = (uint8_t **)calloc(count + 1, sizeof *copies);
    if (copies == NULL) return SY_ERR_NO_MEMORY;
    struct entry *moved = (struct entry *)sy_memory_grow(
        memory->entries, &memory->entry_room, memory->entry_count + count, sizeof *memory->entries);
    if (moved != NULL) memory->entries = moved;
    bool room = moved != NULL || count == 0;
    sy_status status = room ? copy_all(copies, writes, count) : SY_ERR_NO_MEMORY;
    for (size_t i = 0; status == SY_OK && i < count; i++) put(memory, &writes[i], copies[i]);
    free(copies);
    return status;
}

sy_status sy_memory_directory_append(sy_store *store, const struct sy_directory_write *writes,
                                     size_t count, uint64_t next, uint64_t from,
                                     struct sy_error *err)
{
    struct memory_store *memory = sy_memory_of(store);
    (void)next; // the store's own counters are as durable as anything here
    (void)from;
    sy_memory_lock(memory);
    sy_status status = sy_env_failpoint(store, SY_ENV_DIRECTORY, "begin", err);
    if (status == SY_OK) status = sy_env_failpoint(store, SY_ENV_DIRECTORY, "commit", err);
    if (status == SY_OK) {
        status = append(memory, writes, count);
        if (status != SY_OK) status = sy_fail(err, status, "directory: no memory");
    }
    sy_memory_unlock(memory);
    return status;
}

void sy_memory_directory_free(struct memory_store *memory)
{
    for (size_t i = 0; i < memory->entry_count; i++) free(memory->entries[i].key);
    free(memory->entries);
    memory->entries = NULL;
    memory->entry_count = memory->entry_room = 0;
}

sy_status sy_memory_directory_clear(sy_store *store, struct sy_error *err)
{
    struct memory_store *memory = sy_memory_of(store);
    (void)err;
    sy_memory_lock(memory);
    sy_memory_directory_free(memory);
    sy_memory_unlock(memory);
    return SY_OK;
}

sy_status sy_memory_directory_scan(sy_store_reader *reader, struct sy_slice prefix,
                                   struct sy_slice behind, sy_directory_fn visit, void *user)
{
    struct memory_store *memory = sy_memory_of(reader->store);
    sy_memory_lock(memory);
    size_t at = find_place(memory, behind.size > 0 ? behind : prefix);
    for (; at < memory->entry_count; at++) {
        const struct entry *entry = &memory->entries[at];
        if (behind.size > 0 && compare(key_of(entry), behind) == 0) continue;
        bool under = entry->key_size >= prefix.size &&
                     (prefix.size == 0 || memcmp(entry->key, prefix.data, prefix.size) == 0);
        if (!under) break;
        if (!visit(user, key_of(entry),
                   sy_slice_of(entry->key + entry->key_size, entry->value_size))) {
            break;
        }
    }
    sy_memory_unlock(memory);
    return SY_OK;
}
