/* state_source.c: state in a sorted array; see state_source.h. */
#include "tests/support/state_source.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/wire/delta.h"
#include "core/wire/proof.h"

static size_t lower_bound(const struct state_array *state, const struct sy_hash *key_hash)
{
    size_t lo = 0;
    size_t hi = state->count;
    while (lo < hi) {
        size_t middle = lo + (hi - lo) / 2;
        if (sy_hash_compare(&state->entries[middle].key_hash, key_hash) < 0) {
            lo = middle + 1;
        } else {
            hi = middle;
        }
    }
    return lo;
}

const struct state_entry *state_array_find(const struct state_array *state,
                                           const struct sy_hash *key_hash)
{
    size_t i = lower_bound(state, key_hash);
    bool found = i < state->count && sy_hash_equal(&state->entries[i].key_hash, key_hash);
    return found ? &state->entries[i] : NULL;
}

void state_array_close(struct state_array *state)
{
    for (size_t i = 0; i < state->count; i++) free(state->entries[i].data);
    free(state->entries);
    *state = (struct state_array){.entries = NULL};
}

static struct state_entry make_entry(const struct sy_hash *key_hash, struct sy_slice value)
{
    struct state_entry entry = {.key_hash = *key_hash, .size = value.size};
    entry.data = malloc(value.size + 1);
    SY_ASSERT(entry.data != NULL);
    if (value.size > 0) memcpy(entry.data, value.data, value.size);
    return entry;
}

void state_array_copy(struct state_array *out, const struct state_array *state)
{
    SY_ASSERT(out->count == 0 && out->entries == NULL);
    out->entries = calloc(state->count + 1, sizeof *out->entries);
    SY_ASSERT(out->entries != NULL);
    for (size_t i = 0; i < state->count; i++) {
        const struct state_entry *entry = &state->entries[i];
        out->entries[i] = make_entry(&entry->key_hash, sy_slice_of(entry->data, entry->size));
    }
    out->count = state->count;
    out->capacity = state->count + 1;
}

static void insert(struct state_array *state, size_t at, struct state_entry entry)
{
    if (state->count == state->capacity) {
        state->capacity = 2 * state->capacity + 64;
        state->entries = realloc(state->entries, state->capacity * sizeof *state->entries);
        SY_ASSERT(state->entries != NULL);
    }
    memmove(state->entries + at + 1, state->entries + at,
            (state->count - at) * sizeof *state->entries);
    state->entries[at] = entry;
    state->count++;
}

static void change(struct state_array *state, const struct sy_delta *delta)
{
    size_t at = lower_bound(state, &delta->key);
    bool present = at < state->count && sy_hash_equal(&state->entries[at].key_hash, &delta->key);
    bool put = delta->op == SY_DELTA_PUT;
    SY_ASSERT(present || put);
    if (present) free(state->entries[at].data);
    if (put && present) {
        state->entries[at] = make_entry(&delta->key, delta->value);
    } else if (put) {
        insert(state, at, make_entry(&delta->key, delta->value));
    } else {
        state->count--;
        memmove(state->entries + at, state->entries + at + 1,
                (state->count - at) * sizeof *state->entries);
    }
}

/* The old entries and the changes, both in order, become one array. */
static void merge(struct state_array *state, struct sy_slice deltas, size_t changes)
{
    struct state_entry *merged = calloc(state->count + changes + 1, sizeof *merged);
    SY_ASSERT(merged != NULL);
    size_t old = 0;
    size_t count = 0;
    struct sy_delta_reader reader = sy_delta_reader_of(deltas);
    struct sy_delta delta;
    while (sy_delta_next(&reader, &delta)) {
        while (old < state->count &&
               sy_hash_compare(&state->entries[old].key_hash, &delta.key) < 0) {
            merged[count++] = state->entries[old++];
        }
        bool present =
            old < state->count && sy_hash_equal(&state->entries[old].key_hash, &delta.key);
        SY_ASSERT(present || delta.op == SY_DELTA_PUT);
        if (present) free(state->entries[old++].data);
        if (delta.op == SY_DELTA_PUT) merged[count++] = make_entry(&delta.key, delta.value);
    }
    while (old < state->count) merged[count++] = state->entries[old++];
    free(state->entries);
    state->entries = merged;
    state->capacity = state->count + changes + 1;
    state->count = count;
}

void state_array_apply(struct state_array *state, struct sy_slice deltas)
{
    size_t changes = 0;
    SY_ASSERT(sy_deltas_check(deltas, &changes, NULL));
    if (changes > 8) {
        merge(state, deltas, changes);
        return;
    }
    struct sy_delta_reader reader = sy_delta_reader_of(deltas);
    struct sy_delta delta;
    while (sy_delta_next(&reader, &delta)) change(state, &delta);
}

static void apply_one(struct state_array *state, const struct sy_delta *delta)
{
    uint8_t room[SY_DELTA_ITEM_BYTES + SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_delta_write(&w, delta);
    SY_ASSERT(!w.failed);
    state_array_apply(state, sy_writer_slice(&w));
}

void state_array_put(struct state_array *state, const struct sy_hash *key_hash,
                     struct sy_slice value)
{
    struct sy_delta delta = {.key = *key_hash, .op = SY_DELTA_PUT, .value = value};
    apply_one(state, &delta);
}

void state_array_remove(struct state_array *state, const struct sy_hash *key_hash)
{
    struct sy_delta delta = {.key = *key_hash, .op = SY_DELTA_REMOVE};
    apply_one(state, &delta);
}

static bool test_bit(const struct sy_hash *key, unsigned bit)
{
    return (key->bytes[bit / 8] & (0x80u >> (bit % 8))) != 0;
}

/* The definition, word for word: empty, one leaf, or two halves. */
static void define_root(struct sy_hash *root, const struct state_entry *entries, size_t count,
                        unsigned depth)
{
    if (count == 0) {
        memset(root, 0, sizeof *root);
        return;
    }
    if (count == 1) {
        struct sy_hash value_hash;
        sy_sha256(&value_hash, entries->data, entries->size);
        uint8_t leaf[65];
        leaf[0] = 0x03;
        memcpy(leaf + 1, entries->key_hash.bytes, 32);
        memcpy(leaf + 33, value_hash.bytes, 32);
        sy_sha256(root, leaf, sizeof leaf);
        return;
    }
    size_t left = 0;
    while (left < count && !test_bit(&entries[left].key_hash, depth)) left++;
    uint8_t node[65];
    struct sy_hash half;
    node[0] = 0x05;
    define_root(&half, entries, left, depth + 1);
    memcpy(node + 1, half.bytes, 32);
    define_root(&half, entries + left, count - left, depth + 1);
    memcpy(node + 33, half.bytes, 32);
    sy_sha256(root, node, sizeof node);
}

void state_array_root(const struct state_array *state, struct sy_hash *root)
{
    define_root(root, state->entries, state->count, 0);
}

static bool fails_now(struct state_array *state)
{
    if (state->fail_after == 0) return false;
    state->fail_after--;
    return state->fail_after == 0;
}

static sy_status array_get(void *self, struct sy_slice *value, const struct sy_hash *key_hash)
{
    struct state_array *state = self;
    state->gets++;
    if (fails_now(state)) return SY_ERR_IO;
    const struct state_entry *entry = state_array_find(state, key_hash);
    if (entry == NULL) return SY_ERR_NOT_FOUND;
    *value = sy_slice_of(entry->data, entry->size);
    return SY_OK;
}

static sy_status array_scan(void *self, const struct sy_hash *prefix, unsigned bits,
                            sy_state_visit visit, void *user)
{
    struct state_array *state = self;
    state->scans++;
    if (fails_now(state)) return SY_ERR_IO;
    struct sy_hash first = *prefix;
    for (unsigned bit = bits; bit < 256; bit++) {
        first.bytes[bit / 8] &= (uint8_t) ~(0x80u >> (bit % 8));
    }
    for (size_t i = lower_bound(state, &first); i < state->count; i++) {
        for (unsigned bit = 0; bit < bits; bit++) {
            if (test_bit(&state->entries[i].key_hash, bit) != test_bit(prefix, bit)) return SY_OK;
        }
        struct sy_slice value = sy_slice_of(state->entries[i].data, state->entries[i].size);
        if (!visit(user, &state->entries[i].key_hash, value)) return SY_OK;
    }
    return SY_OK;
}

struct sy_state_source state_array_source(struct state_array *state)
{
    struct sy_state_source source = {.self = state, .get = array_get, .scan = array_scan};
    return source;
}
