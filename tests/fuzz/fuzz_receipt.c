/* fuzz_receipt.c: any bytes as a receipt. */
#include "core/base/assert.h"
#include "core/wire/receipt.h"
#include "core/wire/render.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t again[2u << 20];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sy_receipt receipt;
    struct sy_slice bytes = sy_slice_of(data, size);
    struct sy_reader r = sy_reader_of(bytes);
    if (size > sizeof again) return 0;
    if (!sy_receipt_decode(&r, &receipt) || !sy_reader_done(&r)) {
        SY_ASSERT(r.what != NULL);
        return 0;
    }
    struct sy_writer w = sy_writer_of(again, sizeof again);
    sy_receipt_encode(&w, &receipt);
    SY_ASSERT(!w.failed && sy_slice_equal(sy_writer_slice(&w), bytes));

    sy_json json;
    sy_json_init_growing(&json, 16u << 20);
    sy_receipt_to_json(&json, &receipt);
    SY_ASSERT(sy_json_finish(&json) != NULL);
    sy_json_free(&json);
    return 0;
}
