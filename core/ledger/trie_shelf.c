/* trie_shelf.c: see trie_shelf.h. */
#include "core/ledger/trie_shelf.h"

#include <stdlib.h>

#include "core/base/assert.h"

_Static_assert((SY_SHELF_PLACES & (SY_SHELF_PLACES - 1)) == 0, "a place is some bits of an index");

static struct sy_shelf_bucket *place_of(const struct sy_shelf *shelf, uint32_t index)
{
    SY_ASSERT(shelf->buckets != NULL && index > 0);
    return &shelf->buckets[index % SY_SHELF_PLACES];
}

sy_status sy_shelf_open(struct sy_shelf *shelf)
{
    shelf->used = false;
    shelf->buckets = calloc(SY_SHELF_PLACES, sizeof *shelf->buckets);
    return shelf->buckets == NULL ? SY_ERR_NO_MEMORY : SY_OK;
}

void sy_shelf_close(struct sy_shelf *shelf)
{
    free(shelf->buckets);
    shelf->buckets = NULL;
}

void sy_shelf_clear(struct sy_shelf *shelf)
{
    if (!shelf->used) return; // to look at each place would touch all of its memory
    for (size_t i = 0; i < SY_SHELF_PLACES; i++) {
        if (shelf->buckets[i].index != 0) shelf->buckets[i].index = 0;
    }
    shelf->used = false;
}

void sy_shelf_put(struct sy_shelf *shelf, uint32_t index, const struct sy_trie_leaf *leaves,
                  size_t count)
{
    if (count < 2 || count > SY_SHELF_LEAVES_MAX) {
        sy_shelf_forget(shelf, index);
        return;
    }
    struct sy_shelf_bucket *bucket = place_of(shelf, index);
    shelf->used = true;
    bucket->index = index;
    bucket->count = (uint32_t)count;
    memcpy(bucket->leaves, leaves, count * sizeof *leaves);
}

void sy_shelf_forget(struct sy_shelf *shelf, uint32_t index)
{
    struct sy_shelf_bucket *bucket = place_of(shelf, index);
    if (bucket->index == index) bucket->index = 0;
}

const struct sy_shelf_bucket *sy_shelf_find(const struct sy_shelf *shelf, uint32_t index,
                                            uint32_t count)
{
    const struct sy_shelf_bucket *bucket = place_of(shelf, index);
    if (bucket->index != index || bucket->count != count) return NULL;
    SY_ASSERT(bucket->count >= 2 && bucket->count <= SY_SHELF_LEAVES_MAX);
    return bucket;
}

size_t sy_shelf_bytes(void)
{
    return SY_SHELF_PLACES * sizeof(struct sy_shelf_bucket);
}
