/* fuzz_message.c: any bytes as a validator's message, for rosters of 4 and of 7. */
#include "core/base/assert.h"
#include "core/wire/vote.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t again[SY_FRAME_BYTES_MAX];

static void run_for(struct sy_slice bytes, unsigned n)
{
    static struct sy_message message;
    if (!sy_message_decode(&message, bytes, n)) return;
    struct sy_writer w = sy_writer_of(again, sizeof again);
    sy_message_encode(&w, &message);
    SY_ASSERT(!w.failed && sy_slice_equal(sy_writer_slice(&w), bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > sizeof again) return 0;
    run_for(sy_slice_of(data, size), 4);
    run_for(sy_slice_of(data, size), 7);
    return 0;
}
