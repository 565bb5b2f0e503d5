/* fuzz_request.c: any bytes as a client's request, and as a validator's answer. What decodes has
 * one encoding, and a SUBMIT or WAIT holds as many transactions as it says. */
#include "core/base/assert.h"
#include "core/wire/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t again[SY_FRAME_BYTES_MAX + 64];

static void walk(const struct sy_client_request *request)
{
    size_t offset = 0;
    struct sy_slice tx;
    unsigned count = 0;
    while (sy_submit_next(request, &offset, &tx)) count++;
    SY_ASSERT(count == request->body.submit.count && offset == request->body.submit.txs.size);
    SY_ASSERT(count >= 1 && count <= SY_SUBMIT_TXS_MAX);
}

static void look(const struct sy_client_request *request)
{
    struct sy_awaited awaited;
    SY_ASSERT(request->body.wait.count >= 1 && request->body.wait.count <= SY_WAIT_IDS_MAX);
    for (unsigned i = 0; i < request->body.wait.count; i++) sy_wait_item(request, i, &awaited);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sy_client_request request;
    struct sy_slice bytes = sy_slice_of(data, size);
    uint8_t kind;
    uint64_t request_id;
    struct sy_reader body;
    if (size > SY_FRAME_BYTES_MAX) return 0;
    if (sy_answer_decode(&kind, &request_id, &body, bytes)) {
        SY_ASSERT(sy_reader_left(&body) == size - SY_REQUEST_HEADER_BYTES);
    }
    if (!sy_request_decode(&request, bytes)) return 0;
    if (request.kind == SY_REQUEST_SUBMIT) walk(&request);
    if (request.kind == SY_REQUEST_WAIT) look(&request);
    if (request.kind == SY_REQUEST_HELLO && sy_load_u16(data) != SY_PROTOCOL_VERSION) return 0;
    struct sy_writer w = sy_writer_of(again, sizeof again);
    sy_request_encode(&w, &request);
    SY_ASSERT(!w.failed && sy_slice_equal(sy_writer_slice(&w), bytes));
    return 0;
}
