/* fuzz_batch.c: any bytes as a batch. What is accepted is walked to its last byte in exactly count
 * steps, and a builder given the same transactions makes the same bytes. */
#include "core/base/assert.h"
#include "core/wire/batch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t again[SY_BATCH_BYTES_MAX];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sy_hash genesis;
    struct sy_slice bytes = sy_slice_of(data, size);
    struct sy_batch batch;
    struct sy_batch_builder builder;
    struct sy_batch_header header;
    struct sy_hash digest;
    struct sy_slice tx;
    size_t offset = 0;
    uint32_t count = 0;
    if (!sy_batch_decode(&batch, bytes)) return 0;

    sy_batch_builder_init(&builder, again, sizeof again);
    for (; sy_batch_next(&batch, &offset, &tx); count++) {
        SY_ASSERT(tx.size >= 1 && tx.size <= SY_TX_BYTES_MAX);
        SY_ASSERT(sy_batch_builder_add(&builder, tx));
    }
    SY_ASSERT(count == batch.header.count && offset == batch.txs.size);

    header = batch.header;
    sy_batch_builder_head(&builder, &digest, &header, &genesis);
    SY_ASSERT(header.count == batch.header.count && header.bytes == batch.header.bytes);
    SY_ASSERT(sy_slice_equal(sy_batch_builder_finish(&builder, &batch.signature), bytes));
    return 0;
}
