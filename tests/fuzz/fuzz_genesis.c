/* fuzz_genesis.c: any bytes as a genesis. */
#include "core/base/assert.h"
#include "core/wire/genesis.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t again[SY_GENESIS_BYTES_MAX];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sy_genesis value;
    struct sy_slice bytes = sy_slice_of(data, size);
    struct sy_reader r = sy_reader_of(bytes);
    if (!sy_genesis_decode(&r, &value) || !sy_reader_done(&r)) {
        SY_ASSERT(r.what != NULL);
        return 0;
    }
    // Whatever is accepted fits the room that makers of one set aside.
    struct sy_writer w = sy_writer_of(again, sizeof again);
    sy_genesis_encode(&w, &value);
    SY_ASSERT(!w.failed && sy_slice_equal(sy_writer_slice(&w), bytes));
    return 0;
}
