/* Packed deltas: whatever is accepted is written back to the same bytes. */
#include <stddef.h>
#include <stdint.h>

#include "core/base/assert.h"
#include "core/wire/delta.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t again[1u << 20];
    struct sy_slice packed = sy_slice_of(data, size);
    struct sy_delta_reader reader = sy_delta_reader_of(packed);
    struct sy_writer w = sy_writer_of(again, sizeof again);
    struct sy_delta delta;
    size_t count = 0;
    size_t bytes = 0;
    size_t items = 0;
    while (sy_delta_next(&reader, &delta)) {
        sy_delta_write(&w, &delta);
        items++;
    }
    bool whole = sy_deltas_check(packed, &count, &bytes);
    SY_ASSERT(whole == !reader.in.failed);
    SY_ASSERT(count == items);
    if (whole && !w.failed) SY_ASSERT(sy_slice_equal(sy_writer_slice(&w), packed));
    return 0;
}
