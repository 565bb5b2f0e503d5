/* Messages beside consensus: whatever is decoded encodes again to the same bytes. */
#include <stddef.h>
#include <stdint.h>

#include "core/base/assert.h"
#include "core/wire/sync.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t again[SY_FRAME_BYTES_MAX];
    static struct sy_sync_message message;
    static const unsigned rosters[] = {4, 7, 100};
    struct sy_slice bytes = sy_slice_of(data, size);
    for (size_t i = 0; i < sizeof rosters / sizeof rosters[0]; i++) {
        struct sy_writer w = sy_writer_of(again, sizeof again);
        if (!sy_sync_decode(&message, bytes, rosters[i])) continue;
        SY_ASSERT(sy_sync_is(bytes));
        sy_sync_encode(&w, &message);
        SY_ASSERT(!w.failed);
        SY_ASSERT(sy_slice_equal(sy_writer_slice(&w), bytes));
    }
    return 0;
}
