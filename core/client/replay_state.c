#include "core/client/replay_state.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "core/wire/delta.h"

#define BUCKET_BITS 16u
#define BUCKETS (1u << BUCKET_BITS)

struct entry {
    struct sy_hash key;
    uint8_t *data; /* malloc'ed; never NULL */
    uint32_t size;
    uint32_t room;
};

struct bucket {
    struct entry *entries; /* ascending by key */
    uint32_t count;
    uint32_t room;
};

struct sy_replay_state {
    uint64_t count;
    struct bucket buckets[BUCKETS];
};

sy_status sy_replay_state_open(sy_replay_state **state, struct sy_error *err)
{
    *state = (sy_replay_state *)calloc(1, sizeof **state);
    return *state ? SY_OK : sy_fail(err, SY_ERR_NO_MEMORY, "replay: no memory");
}

void sy_replay_state_close(sy_replay_state *state)
{
    if (!state) return;
    for (unsigned i = 0; i < BUCKETS; i++) {
        struct bucket *bucket = &state->buckets[i];
        for (uint32_t k = 0; k < bucket->count; k++) free(bucket->entries[k].data);
        free(bucket->entries);
    }
    free(state);
}

/* ---- finding ------------------------------------------------------------------------------ */

static unsigned bucket_index(const struct sy_hash *key)
{
    return (unsigned)key->bytes[0] << 8 | key->bytes[1];
}

/* The place of the first entry at or above key. */
static uint32_t lower_bound(const struct bucket *bucket, const struct sy_hash *key)
{
    uint32_t low = 0;
    uint32_t high = bucket->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (sy_hash_compare(&bucket->entries[middle].key, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool stands_at(const struct bucket *bucket, uint32_t at, const struct sy_hash *key)
{
    return at < bucket->count && sy_hash_equal(&bucket->entries[at].key, key);
}

bool sy_replay_state_get(const sy_replay_state *state, struct sy_slice *value,
                         const struct sy_hash *key)
{
    const struct bucket *bucket = &state->buckets[bucket_index(key)];
    uint32_t at = lower_bound(bucket, key);
    if (!stands_at(bucket, at, key)) return false;
    *value = sy_slice_of(bucket->entries[at].data, bucket->entries[at].size);
    return true;
}

uint64_t sy_replay_state_count(const sy_replay_state *state)
{
    return state->count;
}

/* ---- changing ----------------------------------------------------------------------------- */

static bool set_value(struct entry *entry, struct sy_slice value)
{
    if (value.size + 1 > entry->room) {
        uint8_t *moved = (uint8_t *)realloc(entry->data, value.size + 1);
        if (!moved) return false;
        entry->data = moved;
        entry->room = (uint32_t)value.size + 1;
    }
    SY_ASSERT(entry->data); // room for at least a byte was made
    if (value.size > 0) memcpy(entry->data, value.data, value.size);
    entry->size = (uint32_t)value.size;
    return true;
}

static bool put(sy_replay_state *state, const struct sy_delta *delta)
{
    struct bucket *bucket = &state->buckets[bucket_index(&delta->key)];
    uint32_t at = lower_bound(bucket, &delta->key);
    if (stands_at(bucket, at, &delta->key)) return set_value(&bucket->entries[at], delta->value);
    if (bucket->count == bucket->room) {
        uint32_t room = bucket->room ? bucket->room * 2 : 4;
        struct entry *moved =
            (struct entry *)realloc(bucket->entries, room * sizeof *bucket->entries);
        if (!moved) return false;
        bucket->entries = moved;
        bucket->room = room;
    }
    struct entry fresh = {.key = delta->key};
    if (!set_value(&fresh, delta->value)) return false;
    memmove(&bucket->entries[at + 1], &bucket->entries[at],
            (bucket->count - at) * sizeof *bucket->entries);
    bucket->entries[at] = fresh;
    bucket->count++;
    state->count++;
    return true;
}

static void drop(sy_replay_state *state, const struct sy_hash *key)
{
    struct bucket *bucket = &state->buckets[bucket_index(key)];
    uint32_t at = lower_bound(bucket, key);
    if (!stands_at(bucket, at, key)) return;
    free(bucket->entries[at].data);
    bucket->count--;
    memmove(&bucket->entries[at], &bucket->entries[at + 1],
            (bucket->count - at) * sizeof *bucket->entries);
    state->count--;
}

sy_status sy_replay_state_apply(sy_replay_state *state, struct sy_slice deltas,
                                struct sy_error *err)
{
    struct sy_delta_reader reader = sy_delta_reader_of(deltas);
    struct sy_delta delta;
    while (sy_delta_next(&reader, &delta)) {
        if (delta.op == SY_DELTA_REMOVE) {
            drop(state, &delta.key);
        } else if (!put(state, &delta)) {
            return sy_fail(err, SY_ERR_NO_MEMORY, "replay: no memory for the state (%llu entries)",
                           (unsigned long long)state->count);
        }
    }
    if (!reader.in.failed) return SY_OK;
    return sy_fail(err, SY_ERR_FORMAT, "replay: deltas are malformed (%s)", reader.in.what);
}

/* ---- as a source -------------------------------------------------------------------------- */

static sy_status source_get(void *self, struct sy_slice *value, const struct sy_hash *key_hash)
{
    return sy_replay_state_get((const sy_replay_state *)self, value, key_hash) ? SY_OK
                                                                               : SY_ERR_NOT_FOUND;
}

/* The lowest and the highest key with a prefix. */
static void bounds_of(struct sy_hash *low, struct sy_hash *high, const struct sy_hash *prefix,
                      unsigned bits)
{
    for (unsigned i = 0; i < 32; i++) {
        unsigned first = 8 * i;
        unsigned kept = bits <= first ? 0 : bits - first >= 8 ? 8 : bits - first;
        uint8_t mask = (uint8_t)(0xffu << (8 - kept));
        low->bytes[i] = prefix->bytes[i] & mask;
        high->bytes[i] = (uint8_t)(low->bytes[i] | (uint8_t)~mask);
    }
}

static sy_status source_scan(void *self, const struct sy_hash *prefix, unsigned bits,
                             sy_state_visit visit, void *user)
{
    const sy_replay_state *state = (const sy_replay_state *)self;
    struct sy_hash low, high;
    bounds_of(&low, &high, prefix, bits);
    for (unsigned i = bucket_index(&low); i <= bucket_index(&high); i++) {
        const struct bucket *bucket = &state->buckets[i];
        for (uint32_t at = lower_bound(bucket, &low); at < bucket->count; at++) {
            const struct entry *entry = &bucket->entries[at];
            if (sy_hash_compare(&entry->key, &high) > 0) return SY_OK;
            if (!visit(user, &entry->key, sy_slice_of(entry->data, entry->size))) return SY_OK;
        }
    }
    return SY_OK;
}

struct sy_state_source sy_replay_state_source(sy_replay_state *state)
{
    return (struct sy_state_source){state, source_get, source_scan};
}
