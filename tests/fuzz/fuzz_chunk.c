/* Chunks of a snapshot: whatever is decoded encodes again to the same bytes, all of it lies under
 * the prefix, and checking it never fails but by its answer. */
#include <stddef.h>
#include <stdint.h>

#include "core/base/assert.h"
#include "core/ledger/snapshot.h"
#include "core/wire/delta.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t again[SY_FRAME_BYTES_MAX];
    static struct sy_chunk chunk;
    static const struct sy_hash nowhere;
    const char *what = NULL;
    struct sy_hash next;
    struct sy_reader r = sy_reader_of(sy_slice_of(data, size));
    struct sy_writer w = sy_writer_of(again, sizeof again);
    if (!sy_chunk_decode(&r, &chunk)) return 0;
    sy_chunk_encode(&w, &chunk);
    SY_ASSERT(!w.failed && w.used == r.used);
    SY_ASSERT(sy_slice_equal(sy_writer_slice(&w), sy_slice_of(data, r.used)));
    SY_ASSERT(sy_chunk_next(&next, &chunk) || chunk.bits == 0 || chunk.prefix.bytes[0] >= 0x80);
    // Only a state without entries has the root of zeros, and only one chunk.
    bool holds = sy_chunk_verify(&chunk, &nowhere, &what);
    SY_ASSERT(holds == (chunk.bits == 0 && chunk.entries.size == 0));
    SY_ASSERT(what != NULL);
    return 0;
}
